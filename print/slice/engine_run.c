/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine as a limited child: its words while it works, and what its end means. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/child.h"
#include "print/slice/engine.h"

#define TIMEOUT_S 600
#define FILE_BYTES ((uint64_t)2 << 30)

struct listener {
    struct engine_job *job;
    const struct engine *engine;
    double told;
};

static void hear(struct listener *l, const char *line, bool output)
{
    struct engine_words *words = &l->job->words;
    const struct slice_options *o = l->job->options;
    const char *complaint = l->engine->hear(words, line, output);
    if (complaint && !words->fault &&
        ((words->fault = fault_find(l->engine->name, complaint)) || !*words->error)) {
        /* The end of a long complaint names what is wrong. */
        size_t n = strlen(complaint), room = sizeof words->error - 1;
        snprintf(words->error, sizeof words->error, "%s",
                 words->fault && n > room ? complaint + n - room : complaint);
    }
    if (o->on_progress && words->share > l->told) {
        o->on_progress(o->user, words->share);
        l->told = words->share;
    }
}

static void on_line(void *user, const char *line)
{
    hear(user, line, false);
}

static void on_output_line(void *user, const char *line)
{
    hear(user, line, true);
}

/* What a signal's end means. Nobody but the system kills a child that we did not stop. */
static int judge_signal(int signal, const struct engine *engine, struct err *err)
{
    if (signal == SIGKILL)
        return FAIL_CODE(err, ERR_LIMIT, "slice_out_of_memory",
                         "the system killed %s, which it does when memory runs out; use a model "
                         "with fewer triangles",
                         engine->program);
    if (signal == SIGTERM || signal == SIGHUP || signal == SIGINT)
        return FAIL_CODE(err, ERR_LATER, "slice_stopped", "%s was told to end from outside",
                         engine->program);
    if (signal == SIGXFSZ)
        return FAIL_CODE(err, ERR_LIMIT, "slice_too_large",
                         "the G-code grew over 2 GiB; make the model smaller or its layers higher");
    return FAIL_CODE(err, ERR_INPUT, "slice_failed",
                     "%s broke off (%s): the model is more than it can do; repair it, or slice "
                     "with the other engine",
                     engine->program, signal == SIGABRT ? "abort" : strsignal(signal));
}

/* What the child's end means; an engine's exit code 0 promises nothing yet. */
static int judge(const struct child_result *r, struct engine_job *job, const struct engine *engine,
                 struct err *err)
{
    const struct engine_words *words = &job->words;
    if (r->stopped)
        return FAIL_CODE(err, ERR_LATER, "slice_stopped", "slicing was stopped");
    if (r->timed_out || r->signal == SIGXCPU)
        return FAIL_CODE(err, ERR_LIMIT, "slice_timeout",
                         "%s was not done after %.0f s; use a model with fewer triangles",
                         engine->program, r->seconds);
    if (words->fault && (r->signal || r->exit_code || !(words->filament_mm > 0)))
        return fault_fail(words->fault, engine, words->error, err);
    if (r->signal)
        return judge_signal(r->signal, engine, err);
    if (r->exit_code != 0)
        return fault_fail(NULL, engine, words->error, err);
    if (engine->read_end && engine->read_end(job, err))
        return -1;
    /* Written so that a filament of "nan" is refused too. */
    if (!(words->print_time_s > 0) || !(words->filament_mm > 0))
        return FAIL_CODE(err, ERR_INPUT, "slice_empty",
                         "%s found nothing thick enough to print; make the model larger or its "
                         "walls thicker",
                         engine->program);
    return 0;
}

int engine_run(struct engine_job *job, const struct engine *engine, double *seconds,
               struct err *err)
{
    const struct slice_options *o = job->options;
    unsigned timeout = o->timeout_s ? o->timeout_s : TIMEOUT_S;
    struct listener listener = {job, engine, 0};
    const struct child_options options = {
        .argv = (const char *const *)job->args,
        .folder = job->folder,
        .limits = {.memory_bytes = o->memory_bytes ? o->memory_bytes : engine->memory_bytes,
                   .stack_bytes = engine->stack_bytes,
                   .file_bytes = FILE_BYTES,
                   .cpu_s = 8 * timeout,
                   .wall_s = timeout,
                   .one_processor = engine->one_processor},
        .output_limit = 4096,
        .on_line = on_line,
        .on_output_line = on_output_line,
        .user = &listener,
        .stop = o->stop};
    struct child_result result = {0};
    int failed = child_run(&result, &options, err) || judge(&result, job, engine, err);
    *seconds = result.seconds;
    child_result_free(&result);
    return failed ? -1 : 0;
}
