/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of slicing engines, and the one question that is asked of each before it works. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "print/slice/engine.h"

#define ENGINE_COUNT 2
#define PROBE_S 20

static const struct engine *const engines[ENGINE_COUNT] = {&engine_cura, &engine_prusa};

const struct engine *engine_find(const char *name)
{
    for (size_t i = 0; i < ENGINE_COUNT; i++)
        if (!name || strcmp(name, engines[i]->name) == 0)
            return engines[i];
    return NULL;
}

const struct engine *engine_other(const struct engine *engine)
{
    return engines[0] == engine ? engines[1] : engines[0];
}

int engine_arg(struct engine_job *job, struct err *err, const char *fmt, ...)
{
    char **grown, *text = NULL;
    va_list args;
    if (job->arg_count >= ENGINE_ARGS_MAX ||
        !(grown = realloc(job->args, (job->arg_count + 2) * sizeof *grown)))
        return FAIL(err, ERR_LIMIT, "no room for the engine's arguments");
    job->args = grown;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0)
        return FAIL(err, ERR_LIMIT, "no memory for the engine's arguments");
    job->args[job->arg_count++] = text;
    job->args[job->arg_count] = NULL;
    return 0;
}

void engine_job_close(struct engine_job *job)
{
    for (size_t i = 0; i < job->arg_count; i++)
        free(job->args[i]);
    free(job->args);
    for (size_t i = 0; job->objects && i < job->options->object_count; i++)
        mesh_free(&job->objects[i].mesh);
    free(job->objects);
    bytes_free(&job->words.header);
    if (*job->folder)
        folder_remove(job->folder);
    *job = (struct engine_job){.options = job->options};
}

/* Where execvp would find it. */
static bool find_program(char path[1024], struct stat *found, const char *program)
{
    const char *at = getenv("PATH");
    for (at = at ? at : "/usr/local/bin:/usr/bin:/bin"; *at; at += *at == ':') {
        size_t n = strcspn(at, ":");
        snprintf(path, 1024, "%.*s/%s", (int)n, at, program);
        if (access(path, X_OK) == 0 && stat(path, found) == 0 && S_ISREG(found->st_mode))
            return true;
        at += n;
    }
    return false;
}

/* The text from the mark to the next blank or build mark: "4.13.0", "2.5.0" of "2.5.0+UNKNOWN". */
static int read_version(struct engine_version *version, const struct engine *engine,
                        const struct child_result *said, struct err *err)
{
    const struct bytes *streams[] = {&said->out, &said->err};
    for (int i = 0; i < 2; i++) {
        const char *at =
            streams[i]->data ? strstr((const char *)streams[i]->data, engine->version_mark) : NULL;
        if (!at)
            continue;
        at += strlen(engine->version_mark);
        *version = (struct engine_version){0};
        snprintf(version->text, sizeof version->text, "%.*s", (int)strcspn(at, " \r\n\t+;"), at);
        char *end;
        version->major = (int)strtol(version->text, &end, 10);
        version->minor = *end == '.' ? (int)strtol(end + 1, NULL, 10) : 0;
        return 0;
    }
    return FAIL_CODE(err, ERR_ABSENT, "program_missing",
                     "%s does not say its version; install the package %s", engine->program,
                     engine->package);
}

static int ask_version(struct engine_version *version, const struct engine *engine,
                       const char *path, struct err *err)
{
    const char *const argv[] = {path, engine->version_arg, NULL};
    const struct child_options options = {
        .argv = argv,
        .limits = {.memory_bytes = engine->memory_bytes, .cpu_s = PROBE_S, .wall_s = PROBE_S},
        .output_limit = 65536};
    struct child_result result = {0};
    int failed = child_run(&result, &options, err) || read_version(version, engine, &result, err);
    child_result_free(&result);
    return failed ? -1 : 0;
}

int engine_probe(struct engine_version *version, const struct engine *engine, struct err *err)
{
    /* The one thing that is remembered: a worker lives for weeks, and an engine's start costs
     * 0.1 s. The program's file is looked at each time, so that an upgrade is seen. */
    static struct {
        struct stat file;
        struct engine_version version;
    } known[ENGINE_COUNT];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    size_t row = engines[0] == engine ? 0 : 1;
    struct stat file;
    char path[sizeof version->path];
    if (!find_program(path, &file, engine->program))
        return FAIL_CODE(err, ERR_ABSENT, "program_missing",
                         "%s is not installed; it is in the package %s", engine->program,
                         engine->package);
    pthread_mutex_lock(&lock);
    int failed = 0;
    const struct stat *old = &known[row].file;
    if (old->st_ino != file.st_ino || old->st_dev != file.st_dev || old->st_size != file.st_size ||
        old->st_mtim.tv_sec != file.st_mtim.tv_sec ||
        old->st_mtim.tv_nsec != file.st_mtim.tv_nsec) {
        failed = ask_version(&known[row].version, engine, path, err);
        known[row].file = file;
        if (failed) /* to be asked again */
            known[row].file.st_ino = 0;
    }
    *version = known[row].version;
    memcpy(version->path, path, sizeof path);
    pthread_mutex_unlock(&lock);
    return failed;
}
