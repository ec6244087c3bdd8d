/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drivers for the open Hunyuan3D-2 and Hunyuan3D-2.1 servers that a shop runs on its own machine
 * (api_server.py of those projects, port 8081, no key). POST /generate waits and answers with the
 * file; POST /send and GET /status/{uid} are the way round for a proxy that cuts long calls.
 *
 * Traps: every failure inside /generate is one and the same 404 with error_code 1; an unknown or
 * crashed task is "processing" for ever (so the caller keeps a deadline); the answer to /status may
 * hold half a file; the Content-Type is guessed; /generate blocks every other call meanwhile. 2.1
 * calls a task of /send completed only when its textured file is there, so one without texture
 * would be "texturing" for ever: it is asked for with texture, and the untextured file is taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/hosted.h"

#define UNTEXTURED "untextured" /* aux of a task of which the initial model is wanted */
#define NO_TASK "00000000-0000-4000-8000-000000000000"

/* --- requests --- */

static void add_common(cJSON *body, bool texture)
{
    cJSON_AddBoolToObject(body, "texture", texture);
    cJSON_AddNumberToObject(body, "octree_resolution", 256);
    cJSON_AddNumberToObject(body, "num_inference_steps", 5);
    cJSON_AddNumberToObject(body, "guidance_scale", 5.0);
}

/* Free options come last and win over ours, but the photo and the form of the answer stay. */
static int fill_2(struct http_request *out, cJSON *body, const struct generation_spec *spec,
                  struct err *err)
{
    add_common(body, spec->texture);
    if (spec->seed >= 0)
        cJSON_AddNumberToObject(body, "seed", (double)spec->seed);
    if (spec->texture && spec->face_limit > 0)
        cJSON_AddNumberToObject(body, "face_count", spec->face_limit);
    if (!cJSON_AddStringToObject(body, "type", "glb"))
        return FAIL(err, ERR_LIMIT, "no memory for the request");
    return call_options(out, body, spec->passthrough, "image,type", err);
}

/* What 2.1 accepts; the limits are those of api_models.py. */
static const struct range {
    const char *name;
    double least, most;
} ranges[] = {
    {"seed", 0, 4294967295.0},   {"octree_resolution", 64, 512}, {"num_inference_steps", 1, 20},
    {"guidance_scale", 0.1, 20}, {"num_chunks", 1000, 20000},    {"face_count", 1000, 100000},
};

static int check_ranges(const cJSON *body, struct err *err)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, ranges[i].name);
        if (value && !(cJSON_IsNumber(value) && value->valuedouble >= ranges[i].least &&
                       value->valuedouble <= ranges[i].most))
            return FAIL(err, ERR_INPUT, "hunyuan3d21 takes %s from %g to %g", ranges[i].name,
                        ranges[i].least, ranges[i].most);
    }
    return 0;
}

static double face_count_21(int wanted)
{
    if (wanted <= 0)
        return 40000;
    return wanted < 1000 ? 1000 : wanted > 100000 ? 100000 : wanted;
}

static int fill_21(struct http_request *out, cJSON *body, const struct generation_spec *spec,
                   bool async, struct err *err)
{
    add_common(body, spec->texture || async);
    cJSON_AddBoolToObject(body, "remove_background", true);
    if (spec->seed >= 0) /* a larger one is folded: the same wish gives the same number */
        cJSON_AddNumberToObject(body, "seed", (double)(spec->seed & 0xffffffff));
    cJSON_AddNumberToObject(body, "num_chunks", 8000);
    if (!cJSON_AddNumberToObject(body, "face_count", face_count_21(spec->face_limit)))
        return FAIL(err, ERR_LIMIT, "no memory for the request");
    return call_options(out, body, spec->passthrough, "image,texture", err)
               ? -1
               : check_ranges(body, err);
}

static int add_image(cJSON *body, const struct generation_image *image, struct err *err)
{
    char *text = image_text(image, false);
    const cJSON *added = text ? cJSON_AddStringToObject(body, "image", text) : NULL;
    free(text);
    return added ? 0 : FAIL(err, ERR_LIMIT, "no memory for the image's base64");
}

static int submit_request(struct http_request *out, const struct provider_driver *driver,
                          const struct provider_call *call, struct err *err)
{
    const struct generation_spec *spec = call->spec;
    bool async = call->settings->prefer_async;
    if (spec_is_generation(spec, driver, false, err))
        return -1;
    if (spec->images[VIEW_FRONT].bytes == 0)
        return FAIL(err, ERR_INPUT, "%s takes the photo itself only", driver->id);
    if (call_start(out, "POST", base_of(call->settings, driver), err,
                   async ? "/send" : "/generate"))
        return -1;
    if (!async) {
        out->total_s = 600;
        out->max_bytes = MODEL_BYTES_MOST;
    }
    cJSON *body = cJSON_CreateObject();
    int failed = add_image(body, &spec->images[VIEW_FRONT], err);
    if (!failed)
        failed = driver == &provider_hunyuan3d21 ? fill_21(out, body, spec, async, err)
                                                 : fill_2(out, body, spec, err);
    if (failed)
        cJSON_Delete(body);
    return failed ? -1 : call_json(out, body, err);
}

static int poll_request(struct http_request *out, const struct provider_driver *driver,
                        const struct provider_call *call, struct err *err)
{
    const char *task = call->task ? call->task : "";
    if (!task_id_is_plain(task))
        return FAIL(err, ERR_INPUT, "no task id of %s: %.60s", driver->id, task);
    if (call_start(out, "GET", base_of(call->settings, driver), err, "/status/%s", task))
        return -1;
    /* 1.4 times a model's bytes, as base64, of 2.1 twice; and the server hangs while another
     * /generate runs. */
    out->total_s = 120;
    out->max_bytes = MODEL_BYTES_MOST / 3 * 4 + 4096;
    if (driver == &provider_hunyuan3d21)
        out->max_bytes *= 2;
    return 0;
}

/* The older server has no address for this; how a task is that never was tells as much. */
static int health_request(struct http_request *out, const struct provider_driver *driver,
                          const struct provider_call *call, struct err *err)
{
    return call_start(out, "GET", base_of(call->settings, driver), err,
                      driver == &provider_hunyuan3d21 ? "/health" : "/status/" NO_TASK);
}

static int make_request(struct http_request *out, const struct provider_driver *driver,
                        enum provider_op op, const struct provider_call *call, struct err *err)
{
    int failed;
    *out = (struct http_request){0};
    if (op == OP_SUBMIT)
        failed = submit_request(out, driver, call, err);
    else if (op == OP_POLL)
        failed = poll_request(out, driver, call, err);
    else
        failed = health_request(out, driver, call, err);
    if (failed)
        http_request_free(out);
    return failed;
}

/* --- answers --- */

static void protocol_error(struct provider_reading *out, const char *words)
{
    reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO, words);
}

/* A 2xx that is no model: the task's id, or something that this server does not say. */
static int read_submit_words(struct provider_reading *out, const struct provider_call *call,
                             const struct http_answer *answer, struct err *err)
{
    cJSON *said = NULL;
    int failed = 0;
    if (answer->body.len == 0 || json_parse(&said, answer->body.data, answer->body.len, NULL)) {
        protocol_error(out, "neither a model nor JSON came");
        return 0;
    }
    const char *uid = json_text(said, "uid", "");
    if (task_id_is_plain(uid)) {
        out->state = TASK_RUNNING;
        snprintf(out->task, sizeof out->task, "%s", uid);
        if (call->spec && !call->spec->texture && !(out->aux = strdup(UNTEXTURED)))
            failed = FAIL(err, ERR_LIMIT, "no memory for a task");
    } else {
        protocol_error(out, "JSON without a uid where a model was due");
    }
    cJSON_Delete(said);
    return failed;
}

static cJSON *error_words(const struct http_answer *answer)
{
    cJSON *said = NULL;
    if (answer->status >= 300 && answer->body.len > 0 &&
        json_parse(&said, answer->body.data, answer->body.len, NULL))
        return NULL;
    return said;
}

/* 2.1 checks what is sent, and says when it could not begin. */
static bool read_error_of_21(struct provider_reading *out, const struct http_answer *answer,
                             const cJSON *said)
{
    if (answer->status == 422)
        reading_fail(out, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO, "the server refused a value");
    else if (answer->status == 500 && json_text(said, "error", NULL))
        reading_fail(out, TASK_QUEUED, PROVIDER_SERVER, RETRY_YES, "the server could not begin");
    else
        return false;
    reading_words(out, said);
    return true;
}

/* The server's own error answers; all others are common to HTTP. */
static bool read_submit_error(struct provider_reading *out, const struct provider_driver *driver,
                              const struct http_answer *answer, const cJSON *said)
{
    if (answer->status == 404 && json_number(said, "error_code", 0) == 1)
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_ONCE,
                     "the server failed and never says why (memory, image, texture not enabled)");
    else if (answer->status == 404)
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_OPERATOR,
                     "the address answers, but is no Hunyuan3D server");
    else if (driver == &provider_hunyuan3d21)
        return read_error_of_21(out, answer, said) || reading_http_error(out, answer, true);
    else if (answer->status == 500)
        reading_fail(out, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO,
                     "the server could not read the request");
    else
        return reading_http_error(out, answer, true);
    return true;
}

static int submit_read(struct provider_reading *out, const struct provider_driver *driver,
                       const struct provider_call *call, const struct http_answer *answer,
                       struct err *err)
{
    bool whole;
    cJSON *said = error_words(answer);
    *out = reading_start(TASK_FAILED);
    bool is_error = read_submit_error(out, driver, answer, said);
    cJSON_Delete(said);
    if (is_error)
        return 0;
    if (answer->body.len == 0 ||
        model_sniff(&whole, answer->body.data, answer->body.len) == MODEL_UNKNOWN)
        return read_submit_words(out, call, answer, err);
    if (!whole) {
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_ONCE,
                     "the model's own length says that bytes are missing");
        return 0;
    }
    out->state = TASK_SUCCEEDED;
    out->progress = 100;
    out->model.limit = MODEL_BYTES_MOST;
    return bytes_append(&out->model, answer->body.data, answer->body.len, err);
}

/* A file that is still being written, or is none, is asked for again: the deadline ends it. */
static int take_model(struct provider_reading *out, const char *text, struct err *err)
{
    struct err inner = {0};
    bool whole = false;
    out->model.limit = MODEL_BYTES_MOST;
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

static int poll_read(struct provider_reading *out, const struct provider_call *call,
                     const struct http_answer *answer, struct err *err)
{
    cJSON *said = NULL;
    *out = reading_start(TASK_RUNNING);
    if (answer->status == 500) { /* 2.1: {"status":"error"} */
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
    if (call->aux && strcmp(call->aux, UNTEXTURED) == 0)
        model = json_text(said, "initial_model_base64", model);
    if (strcmp(json_text(said, "status", ""), "completed") == 0 && model)
        failed = take_model(out, model, err);
    cJSON_Delete(said);
    return failed;
}

static int health_read(struct provider_reading *out, const struct provider_driver *driver,
                       const struct http_answer *answer)
{
    *out = reading_start(TASK_SUCCEEDED);
    cJSON *said = reading_json(out, answer, false);
    const char *status = json_text(said, "status", "");
    const char *due = driver == &provider_hunyuan3d21 ? "healthy" : "processing";
    if (said && strcmp(status, due) != 0)
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_OPERATOR,
                     "the address answers, but is no healthy Hunyuan3D server");
    cJSON_Delete(said);
    return 0;
}

static int read_answer(struct provider_reading *out, const struct provider_driver *driver,
                       enum provider_op op, const struct provider_call *call,
                       const struct http_answer *answer, struct err *err)
{
    if (op == OP_SUBMIT)
        return submit_read(out, driver, call, answer, err);
    return op == OP_POLL ? poll_read(out, call, answer, err) : health_read(out, driver, answer);
}

static int request_2(struct http_request *out, enum provider_op op,
                     const struct provider_call *call, struct err *err)
{
    return make_request(out, &provider_hunyuan3d2, op, call, err);
}

static int request_21(struct http_request *out, enum provider_op op,
                      const struct provider_call *call, struct err *err)
{
    return make_request(out, &provider_hunyuan3d21, op, call, err);
}

static int read_2(struct provider_reading *out, enum provider_op op,
                  const struct provider_call *call, const struct http_answer *answer,
                  struct err *err)
{
    return read_answer(out, &provider_hunyuan3d2, op, call, answer, err);
}

static int read_21(struct provider_reading *out, enum provider_op op,
                   const struct provider_call *call, const struct http_answer *answer,
                   struct err *err)
{
    return read_answer(out, &provider_hunyuan3d21, op, call, answer, err);
}

const struct provider_driver provider_hunyuan3d2 = {
    .id = "hunyuan3d2",
    .summary = "the open Hunyuan3D-2 server on a machine of your own, over its HTTP interface",
    .self_hosted = true,
    .blocks = true,
    .refunds = true,
    .default_url = "http://127.0.0.1:8081",
    .pace = {.burst = 1, .max_in_flight = 1, .poll_s = 2, .poll_most_s = 5, .deadline_s = 1800},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_HEALTH),
    .request = request_2,
    .read = read_2,
};

const struct provider_driver provider_hunyuan3d21 = {
    .id = "hunyuan3d21",
    .summary = "the open Hunyuan3D-2.1 server on a machine of your own, with typed options",
    .self_hosted = true,
    .blocks = true,
    .refunds = true,
    .default_url = "http://127.0.0.1:8081",
    .pace = {.burst = 1, .max_in_flight = 1, .poll_s = 2, .poll_most_s = 5, .deadline_s = 1800},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_HEALTH),
    .request = request_21,
    .read = read_21,
};
