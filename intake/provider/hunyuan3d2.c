/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for the open Hunyuan3D-2 server that a shop runs on its own machine (api_server.py of
 * that project, port 8081, no key). POST /generate waits and answers with the file; POST /send and
 * GET /status/{uid} are the way round for a proxy that cuts long calls.
 *
 * Traps: every failure inside /generate is one and the same 404 with error_code 1; an unknown or
 * crashed task is "processing" for ever (so the caller keeps a deadline); the answer to /status may
 * hold half a file; the Content-Type is guessed; /generate blocks every other call meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "intake/provider/drivers.h"
#include "intake/provider/reading.h"

#define MAX_MODEL_BYTES ((size_t)300 << 20)

static int make_url(struct http_request *out, const struct provider_settings *settings,
                    const char *path, const char *last, struct err *err)
{
    const char *base = settings->base_url && *settings->base_url ? settings->base_url
                                                                 : provider_hunyuan3d2.default_url;
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    size_t room = n + strlen(path) + strlen(last) + 1;
    out->url = malloc(room);
    if (!out->url)
        return FAIL(err, ERR_LIMIT, "no memory for a URL");
    snprintf(out->url, room, "%.*s%s%s", (int)n, base, path, last);
    return 0;
}

static int add_image(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    char *text = malloc(4 * ((spec->images[VIEW_FRONT].bytes + 2) / 3) + 1);
    if (!text)
        return FAIL(err, ERR_LIMIT, "no memory for the image's base64");
    base64_encode(text, spec->images[VIEW_FRONT].data, spec->images[VIEW_FRONT].bytes);
    const cJSON *image = cJSON_AddStringToObject(body, "image", text);
    free(text);
    return image ? 0 : FAIL(err, ERR_LIMIT, "no memory for the request");
}

/* Free options come last and win over ours, but the photo and the form of the answer stay. */
static int add_options(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    const cJSON *option;
    cJSON_AddBoolToObject(body, "texture", spec->texture);
    cJSON_AddNumberToObject(body, "seed", (double)spec->seed);
    cJSON_AddNumberToObject(body, "octree_resolution", 256);
    cJSON_AddNumberToObject(body, "num_inference_steps", 5);
    cJSON_AddNumberToObject(body, "guidance_scale", 5.0);
    if (spec->texture && spec->face_limit > 0)
        cJSON_AddNumberToObject(body, "face_count", spec->face_limit);
    cJSON_ArrayForEach (option, spec->passthrough) {
        if (strcmp(option->string, "image") == 0 || strcmp(option->string, "type") == 0)
            continue;
        cJSON_DeleteItemFromObjectCaseSensitive(body, option->string);
        if (!cJSON_AddItemToObject(body, option->string, cJSON_Duplicate(option, 1)))
            return FAIL(err, ERR_LIMIT, "no memory for the request");
    }
    if (!cJSON_AddStringToObject(body, "type", "glb"))
        return FAIL(err, ERR_LIMIT, "no memory for the request");
    return 0;
}

static int make_body(struct http_request *out, const struct generation_spec *spec, struct err *err)
{
    cJSON *body = cJSON_CreateObject();
    if (!body)
        return FAIL(err, ERR_LIMIT, "no memory for the request");
    int failed = add_image(body, spec, err) || add_options(body, spec, err) ||
                 json_print(&out->body, body, false, err);
    cJSON_Delete(body);
    return failed ? -1 : 0;
}

static int submit_request(struct http_request *out, const struct provider_settings *settings,
                          const struct generation_spec *spec, struct err *err)
{
    *out = (struct http_request){
        .method = "POST", .connect_s = 10, .total_s = 600, .max_bytes = MAX_MODEL_BYTES};
    if (spec->images[VIEW_FRONT].bytes == 0)
        return FAIL(err, ERR_INPUT, "hunyuan3d2 works from a photo only");
    if (settings->prefer_async)
        out->total_s = 60;
    out->headers = cJSON_CreateObject();
    int failed = make_url(out, settings, settings->prefer_async ? "/send" : "/generate", "", err);
    if (!failed && !cJSON_AddStringToObject(out->headers, "Content-Type", "application/json"))
        failed = FAIL(err, ERR_LIMIT, "no memory for the request");
    if (!failed)
        failed = make_body(out, spec, err);
    if (failed)
        http_request_free(out);
    return failed;
}

/* The uid becomes part of a URL, so only what a UUID is made of may be in it. */
static bool is_uid(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n < 64 && strspn(text, "0123456789abcdefABCDEF-") == n;
}

static void protocol_error(struct provider_reading *out, const char *words)
{
    reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO, words);
}

/* A 2xx that is no model: the task's id, or something that this server does not say. */
static void read_submit_words(struct provider_reading *out, const struct http_answer *answer)
{
    cJSON *said = NULL;
    if (answer->body.len && !json_parse(&said, answer->body.data, answer->body.len, NULL)) {
        const char *uid = json_text(said, "uid", "");
        if (is_uid(uid)) {
            out->state = TASK_RUNNING;
            snprintf(out->task, sizeof out->task, "%s", uid);
        } else {
            protocol_error(out, "JSON without a uid where a model was due");
        }
    } else {
        protocol_error(out, "neither a model nor JSON came");
    }
    cJSON_Delete(said);
}

static bool is_its_404(const struct http_answer *answer)
{
    cJSON *said = NULL;
    if (answer->status != 404 || answer->body.len == 0 ||
        json_parse(&said, answer->body.data, answer->body.len, NULL))
        return false;
    bool its_own = json_number(said, "error_code", 0) == 1;
    cJSON_Delete(said);
    return its_own;
}

/* The server's own two error answers; all others are common to HTTP. */
static bool read_submit_error(struct provider_reading *out, const struct http_answer *answer)
{
    if (is_its_404(answer)) {
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_ONCE,
                     "the server failed and never says why (memory, image, texture not enabled)");
        return true;
    }
    if (answer->status == 500) {
        reading_fail(out, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO,
                     "the server could not read the request");
        return true;
    }
    if (answer->status == 404) {
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_OPERATOR,
                     "the address answers, but is no Hunyuan3D-2 server");
        return true;
    }
    return reading_http_error(out, answer, true);
}

static int submit_read(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    bool whole;
    *out = reading_start(TASK_FAILED);
    if (read_submit_error(out, answer))
        return 0;
    if (answer->body.len == 0 ||
        model_sniff(&whole, answer->body.data, answer->body.len) == MODEL_UNKNOWN) {
        read_submit_words(out, answer);
        return 0;
    }
    if (!whole) {
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_ONCE,
                     "the model's own length says that bytes are missing");
        return 0;
    }
    out->state = TASK_SUCCEEDED;
    out->progress = 100;
    out->model.limit = MAX_MODEL_BYTES;
    return bytes_append(&out->model, answer->body.data, answer->body.len, err);
}

static int poll_request(struct http_request *out, const struct provider_settings *settings,
                        const char *task, struct err *err)
{
    /* 1.4 times a model's bytes, as base64; and the server hangs while another /generate runs. */
    *out = (struct http_request){.method = "GET",
                                 .connect_s = 10,
                                 .total_s = 120,
                                 .max_bytes = MAX_MODEL_BYTES / 3 * 4 + 4096};
    if (!is_uid(task))
        return FAIL(err, ERR_INPUT, "no task id of hunyuan3d2: %.60s", task);
    return make_url(out, settings, "/status/", task, err);
}

/* A file that is still being written, or is none, is asked for again: the deadline ends it. */
static int take_model(struct provider_reading *out, const char *text, struct err *err)
{
    struct err inner = {0};
    bool whole = false;
    out->model.limit = MAX_MODEL_BYTES;
    if (base64_decode(&out->model, text, strlen(text), &inner) && inner.kind == ERR_LIMIT)
        return FAIL(err, ERR_LIMIT, "%s", inner.what);
    if (inner.kind == ERR_NONE && out->model.len > 0 &&
        model_sniff(&whole, out->model.data, out->model.len) != MODEL_UNKNOWN && whole) {
        out->state = TASK_SUCCEEDED;
        out->progress = 100;
        return 0;
    }
    bytes_free(&out->model);
    return 0;
}

static int poll_read(struct provider_reading *out, const struct http_answer *answer,
                     struct err *err)
{
    cJSON *said = NULL;
    *out = reading_start(TASK_RUNNING);
    if (answer->status == 500) { /* the 2.1 server's {"status":"error"} */
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK,
                     "the server lost the finished file");
        return 0;
    }
    if (reading_http_error(out, answer, false))
        return 0;
    if (answer->body.len == 0 || json_parse(&said, answer->body.data, answer->body.len, NULL) ||
        !json_text(said, "status", NULL)) {
        protocol_error(out, "no status where one was due");
        cJSON_Delete(said);
        return 0;
    }
    int failed = 0;
    const char *model = json_text(said, "model_base64", NULL);
    if (strcmp(json_text(said, "status", ""), "completed") == 0 && model)
        failed = take_model(out, model, err);
    cJSON_Delete(said);
    return failed;
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    if (op == OP_SUBMIT)
        return submit_request(out, call->settings, call->spec, err);
    return poll_request(out, call->settings, call->task, err);
}

static int read_answer(struct provider_reading *out, enum provider_op op,
                       const struct provider_call *call, const struct http_answer *answer,
                       struct err *err)
{
    (void)call;
    return op == OP_SUBMIT ? submit_read(out, answer, err) : poll_read(out, answer, err);
}

const struct provider_driver provider_hunyuan3d2 = {
    .id = "hunyuan3d2",
    .summary = "the open Hunyuan3D-2 server on a machine of your own, over its HTTP interface",
    .self_hosted = true,
    .refunds = true,
    .default_url = "http://127.0.0.1:8081",
    .pace = {.burst = 1, .max_in_flight = 1, .poll_s = 2, .poll_most_s = 5, .deadline_s = 1800},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL),
    .request = make_request,
    .read = read_answer,
};
