/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for TRELLIS behind the stable-projectorz wrapper on the shop's own machine (port 7960, no
 * key). A call waits until all is done and answers with the path of the file on the same server.
 *
 * Traps: there are no task ids, so one job and one file a server: the next job overwrites the file
 * (it is fetched at once), and /status tells of the newest job, whoever began it. It is "FAILED"
 * also before any job. Errors inside a call are a 500 with the inner status in its text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/hosted.h"

#define MODEL_PATH "/download/model"

/* --- requests --- */

static int add_views(struct http_request *out, const struct generation_spec *spec, bool many,
                     struct err *err)
{
    for (int view = 0; view < VIEW_COUNT; view++)
        if (spec->images[view].bytes > 0 &&
            call_image(out, many ? "file_list" : "file", &spec->images[view], err))
            return -1;
    return 0;
}

static int add_fields(struct http_request *out, const struct generation_spec *spec, struct err *err)
{
    static const char *const fields[][2] = {
        {"ss_guidance_strength", "7.5"},   {"ss_sampling_steps", "12"},
        {"slat_guidance_strength", "3.0"}, {"slat_sampling_steps", "12"},
        {"mesh_simplify_ratio", "0.95"},   {"texture_size", "1024"},
        {"output_format", "glb"}};
    if (spec->seed >= 0 && call_field(out, "seed", err, "%lld", (long long)spec->seed))
        return -1;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (call_field(out, fields[i][0], err, "%s", fields[i][1]))
            return -1;
    return call_options(out, NULL, spec->passthrough,
                        "file,file_list,image_base64,image_list_base64,output_format", err);
}

static int submit_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    const struct generation_spec *spec = call->spec;
    bool many = count_views(spec) > 1;
    if (spec_is_generation(spec, &provider_trellis, false, err))
        return -1;
    if (spec->images[VIEW_FRONT].bytes == 0)
        return FAIL(err, ERR_INPUT, "trellis takes the photo itself only");
    if (call_start(out, "POST", base_of(call->settings, &provider_trellis), err,
                   many ? "/generate_multi_no_preview" : "/generate_no_preview"))
        return -1;
    out->total_s = 600;
    return add_views(out, spec, many, err) ? -1 : add_fields(out, spec, err);
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    const char *base = base_of(call->settings, &provider_trellis);
    int failed;
    *out = (struct http_request){0};
    if (op == OP_SUBMIT)
        failed = submit_request(out, call, err);
    else if (op == OP_CANCEL)
        failed = call_start(out, "POST", base, err, "/interrupt");
    else
        failed = call_start(out, "GET", base, err, op == OP_POLL ? "/status" : "/ping");
    if (failed)
        http_request_free(out);
    return failed;
}

/* --- answers --- */

static int finished(struct provider_reading *out, const char *path, struct err *err)
{
    out->state = TASK_SUCCEEDED;
    out->progress = 100;
    return reading_add_file(out, path, "model", "glb", err);
}

/* The path becomes a request to the same server, so it must be nothing but a path. */
static bool is_plain_path(const char *path)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
    return path[0] == '/' && path[1] != '/' && strlen(path) < 200 &&
           strspn(path, allowed) == strlen(path) && !strstr(path, "..");
}

/* What the wrapper itself says of an error; false where it said nothing. */
static bool read_own_error(struct provider_reading *out, const struct http_answer *answer)
{
    cJSON *said = NULL;
    if (answer->status < 400 || answer->body.len == 0 ||
        json_parse(&said, answer->body.data, answer->body.len, NULL))
        return false;
    const char *detail = json_text(said, "detail", "");
    int inner = atoi(detail); /* "400: No input images provided" */
    bool busy = answer->status == 503 || (answer->status == 500 && strstr(detail, "is busy"));
    bool is_own = *detail || json_get(said, "detail");
    if (is_own && busy)
        reading_fail(out, TASK_QUEUED, PROVIDER_CONCURRENCY, RETRY_YES, detail);
    else if (is_own && answer->status == 499)
        reading_fail(out, TASK_CANCELLED, PROVIDER_OK, RETRY_NO, detail);
    else if (is_own && (answer->status == 422 || answer->status == 400 || inner / 100 == 4))
        reading_fail(out, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO, "a value was refused");
    else if (is_own && answer->status == 500)
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_ONCE, "the server failed");
    else
        is_own = false;
    if (is_own)
        reading_words(out, said);
    out->retry_after_s = answer->retry_after_s;
    cJSON_Delete(said);
    return is_own;
}

static int submit_read(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    *out = reading_start(TASK_FAILED);
    if (read_own_error(out, answer))
        return 0;
    cJSON *said = reading_json(out, answer, true);
    if (!said)
        return 0;
    int failed = 0;
    const char *path = json_text(said, "model_url", "");
    if (strcmp(json_text(said, "status", ""), "COMPLETE") == 0 && is_plain_path(path))
        failed = finished(out, path, err);
    else
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO,
                     "an answer without a finished model");
    cJSON_Delete(said);
    return failed;
}

static int poll_read(struct provider_reading *out, const struct http_answer *answer,
                     struct err *err)
{
    *out = reading_start(TASK_RUNNING);
    cJSON *said = reading_json(out, answer, false);
    if (!said)
        return 0;
    int failed = 0;
    const char *status = json_text(said, "status", "");
    out->progress = percent_of(json_number(said, "progress", -1));
    if (strcmp(status, "COMPLETE") == 0)
        failed = finished(out, MODEL_PATH, err);
    else if (strcmp(status, "FAILED") == 0 && !json_bool(said, "busy", false))
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK,
                     json_text(said, "message", "the server's newest job failed"));
    cJSON_Delete(said);
    return failed;
}

static int cancel_read(struct provider_reading *out, const struct http_answer *answer)
{
    *out = reading_start(TASK_RUNNING); /* nothing runs: it is too late */
    cJSON *said = reading_json(out, answer, false);
    if (strcmp(json_text(said, "status", ""), "interrupt_requested") == 0)
        out->state = TASK_CANCELLED;
    cJSON_Delete(said);
    return 0;
}

static int health_read(struct provider_reading *out, const struct http_answer *answer)
{
    *out = reading_start(TASK_SUCCEEDED);
    cJSON *said = reading_json(out, answer, false);
    if (said && strcmp(json_text(said, "status", ""), "running") != 0)
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_OPERATOR,
                     "the address answers, but is no TRELLIS server");
    cJSON_Delete(said);
    return 0;
}

static int read_answer(struct provider_reading *out, enum provider_op op,
                       const struct provider_call *call, const struct http_answer *answer,
                       struct err *err)
{
    (void)call;
    switch (op) {
    case OP_SUBMIT:
        return submit_read(out, answer, err);
    case OP_POLL:
        return poll_read(out, answer, err);
    case OP_CANCEL:
        return cancel_read(out, answer);
    default:
        return health_read(out, answer);
    }
}

const struct provider_driver provider_trellis = {
    .id = "trellis",
    .summary = "TRELLIS on a machine of your own, behind the stable-projectorz server",
    .self_hosted = true,
    .blocks = true,
    .refunds = true,
    .takes_views = true,
    .default_url = "http://127.0.0.1:7960",
    .pace = {.burst = 1, .max_in_flight = 1, .poll_s = 2, .poll_most_s = 5, .deadline_s = 1800},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_CANCEL) | OP_BIT(OP_HEALTH),
    .request = make_request,
    .read = read_answer,
};
