/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One slicing job from model to checked G-code; see slice.h. */
#include "print/slice/slice.h"

#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/hash.h"
#include "print/slice/engine.h"

#define TIMEOUT_S 600
/* Address space, of which the engine reserves 4.3 GB for a figure that takes 70 MB: with 4 GiB
 * every real figure ended in "Unknown exception". */
#define MEMORY_BYTES ((uint64_t)12 << 30)
#define FILE_BYTES ((uint64_t)2 << 30)
#define PI 3.14159265358979323846

static const struct engine *const engines[] = {&engine_cura};

const struct engine *engine_find(const char *name)
{
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (!name || strcmp(name, engines[i]->name) == 0)
            return engines[i];
    return NULL;
}

struct listener {
    struct engine_job *job;
    const struct engine *engine;
    double told;
};

static void on_line(void *user, const char *line)
{
    struct listener *listener = user;
    const struct slice_options *o = listener->job->options;
    listener->engine->hear(&listener->job->words, line);
    double share = listener->job->words.share;
    if (o->on_progress && share > listener->told) {
        o->on_progress(o->user, share);
        listener->told = share;
    }
}

static int check_material(const struct slice_options *o, struct err *err)
{
    double nozzle = json_number(o->profile->printer.settings, "nozzle_max_c", 0);
    double bed = json_number(o->profile->printer.settings, "bed_max_c", 0);
    if (o->profile->material.nozzle_c > nozzle || o->profile->material.bed_c > bed)
        return FAIL_CODE(err, ERR_INPUT, "material_too_hot",
                         "%s wants %.0f and %.0f C; %s reaches %.0f and %.0f",
                         o->profile->material.name, o->profile->material.nozzle_c,
                         o->profile->material.bed_c, o->profile->printer.name, nozzle, bed);
    return 0;
}

/* What the child's end means; the engine's exit code 0 promises nothing yet. */
static int judge(const struct child_result *r, const struct engine_job *job,
                 const struct engine *engine, struct err *err)
{
    const char *said = *job->words.error ? job->words.error : "nothing";
    if (r->stopped)
        return FAIL_CODE(err, ERR_LATER, "slice_stopped", "slicing was stopped");
    if (r->timed_out || r->signal == SIGXCPU)
        return FAIL_CODE(err, ERR_LIMIT, "slice_timeout", "%s was not done after %.0f s",
                         engine->program, r->seconds);
    if (r->signal)
        return FAIL_CODE(err, ERR_INPUT, "slice_failed", "%s was ended by signal %d",
                         engine->program, r->signal);
    if (r->exit_code != 0)
        return FAIL_CODE(err, ERR_INPUT, "slice_failed", "%s ended with code %d and said: %.120s",
                         engine->program, r->exit_code, said);
    /* Written so that a filament of "nan" is refused too. */
    if (!(job->words.print_time_s > 0) || !(job->words.filament_mm > 0))
        return FAIL_CODE(err, ERR_INPUT, "slice_empty",
                         "%s found nothing to print and said: %.120s", engine->program, said);
    return 0;
}

static int run_engine(struct engine_job *job, const struct engine *engine, double *seconds,
                      struct err *err)
{
    const struct slice_options *o = job->options;
    unsigned timeout = o->timeout_s ? o->timeout_s : TIMEOUT_S;
    struct listener listener = {job, engine, 0};
    struct child_options options = {.argv = job->argv,
                                    .folder = job->folder,
                                    .limits = {.memory_bytes = MEMORY_BYTES,
                                               .stack_bytes = (uint64_t)2 << 20,
                                               .file_bytes = FILE_BYTES,
                                               .cpu_s = 8 * timeout,
                                               .wall_s = timeout},
                                    .output_limit = 4096,
                                    .on_line = on_line,
                                    .user = &listener,
                                    .stop = o->stop};
    struct child_result result = {0};
    struct err inner = {0};
    int failed = child_run(&result, &options, &inner);
    if (failed && strcmp(inner.code, "program_missing") == 0)
        failed = FAIL_CODE(err, ERR_ABSENT, "program_missing",
                           "%s is not installed; it is in the package %s", engine->program,
                           engine->package);
    else if (failed)
        failed = err_fail(err, inner.kind, inner.code, inner.where, "%s", inner.what);
    else
        failed = judge(&result, job, engine, err);
    *seconds = result.seconds;
    child_result_free(&result);
    return failed;
}

static int fail_check(const cJSON *report, struct err *err)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_get(report, "findings")) {
        if (strcmp(json_text(finding, "severity", ""), "error") == 0)
            return FAIL_CODE(err, ERR_INPUT, "gcode_rejected",
                             "the G-code's check found %s: %.150s", json_text(finding, "code", "?"),
                             json_text(finding, "message", "?"));
    }
    return FAIL(err, ERR_BUG, "the G-code's check failed without a finding");
}

static int check(struct slice_result *result, const char *path, const struct engine_job *job,
                 struct err *err)
{
    cJSON *report = NULL;
    bool passed = false;
    const struct gcode_check_options options = {.printer = &job->options->profile->printer,
                                                .material = &job->options->profile->material,
                                                .model_height_mm = job->high[2] - job->low[2]};
    if (gcode_check(&report, &passed, path, &options, err))
        return -1;
    const cJSON *measures = json_get(report, "measures");
    result->layer_count = (unsigned)json_number(measures, "layers", 0);
    result->height_mm = json_number(measures, "height_mm", 0);
    int failed = passed ? 0 : fail_check(report, err);
    cJSON_Delete(report);
    return failed;
}

/* From here to the name that others see: nothing, or the whole checked file. */
static int publish(const char *temp, const char *path, struct err *err)
{
    char copy[4096];
    if (rename(temp, path))
        return FAIL_ERRNO(err, "cannot name the G-code %s", path);
    snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return FAIL_ERRNO(err, "cannot open the folder of %s", path);
    fsync(folder);
    close(folder);
    return 0;
}

static void fill_result(struct slice_result *result, const struct engine_job *job,
                        const struct engine *engine)
{
    const struct material_profile *material = &job->options->profile->material;
    double radius = material->diameter_mm / 2;
    snprintf(result->engine, sizeof result->engine, "%s", engine->name);
    result->print_time_s = job->words.print_time_s;
    result->filament_mm = job->words.filament_mm;
    result->filament_g =
        result->filament_mm * PI * radius * radius * material->density_g_cm3 / 1000;
}

static int finish(struct slice_result *result, const struct engine_job *job,
                  const struct engine *engine, struct err *err)
{
    char temp[4200];
    const char *path = job->options->out_path;
    snprintf(temp, sizeof temp, "%s.%ld.part", path, (long)getpid());
    fill_result(result, job, engine);
    if (gcode_mend(temp, job, engine, result->closure_hash, err) || check(result, temp, job, err) ||
        sha256_file(result->gcode_hash, NULL, temp, err) || publish(temp, path, err)) {
        unlink(temp);
        return -1;
    }
    return 0;
}

/* The engine's version belongs to what was sliced as much as the settings do. */
static int hash_closure(struct slice_result *result, struct engine_job *job,
                        const struct engine *engine, struct err *err)
{
    if (bytes_printf(&job->closure, err, "engine=%s %s\n", engine->name, job->words.version))
        return -1;
    sha256_hex(result->closure_hash, job->closure.data, job->closure.len);
    return 0;
}

static int open_folder(struct engine_job *job, struct err *err)
{
    int n = snprintf(job->folder, sizeof job->folder, "%s/slice-XXXXXX", job->options->work_folder);
    if (n >= (int)sizeof job->folder || !mkdtemp(job->folder)) {
        job->folder[0] = 0;
        return FAIL_ERRNO(err, "cannot make a folder in %s", job->options->work_folder);
    }
    /* The child works there: relative work folders must still be found from inside. */
    char *whole = realpath(job->folder, NULL);
    if (!whole)
        return FAIL_ERRNO(err, "cannot find %s", job->folder);
    snprintf(job->folder, sizeof job->folder, "%s", whole);
    free(whole);
    snprintf(job->stl, sizeof job->stl, "%s/model.stl", job->folder);
    snprintf(job->settings, sizeof job->settings, "%s/settings.def.json", job->folder);
    snprintf(job->raw, sizeof job->raw, "%s/raw.gcode", job->folder);
    return 0;
}

int slice_run(struct slice_result *result, const struct slice_options *options, struct err *err)
{
    const struct engine *engine = engine_find(options->engine);
    struct engine_job job = {.options = options};
    struct mesh mesh = {0};
    *result = (struct slice_result){0};
    if (!engine)
        return FAIL_CODE(err, ERR_ABSENT, "unknown_engine", "there is no engine \"%.40s\"",
                         options->engine);
    job.mesh = &mesh;
    int failed = check_material(options, err) || open_folder(&job, err) ||
                 model_load(&mesh, &job, err) || engine->prepare(&job, err) ||
                 run_engine(&job, engine, &result->seconds, err) ||
                 hash_closure(result, &job, engine, err) || finish(result, &job, engine, err);
    mesh_free(&mesh);
    bytes_free(&job.closure);
    bytes_free(&job.words.header);
    if (*job.folder)
        folder_remove(job.folder);
    return failed ? -1 : 0;
}
