/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for Tripo: upload, submit, poll, push. The V3 dialect, and V2 (settings: dialect "v2"),
 * whose end was announced for 2026-11-01 and which is off unless asked for.
 *
 * Traps: no idempotency key and no cancel, so a lost answer to a submit is looked up in the usage
 * list (V3 only); a key belongs to one region, and in the other it is answered as a wrong one; a
 * task is seen only by the key that made it; addresses of results live a minute.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/reading.h"
#include "intake/provider/request.h"
#include "intake/provider/tripo.h"

#define MANY_MOST 100 /* tasks in one poll */
#define PAGE_TASKS 50 /* of the usage list */

bool tripo_is_v2(const struct provider_call *call)
{
    return call->settings && call->settings->dialect && strcmp(call->settings->dialect, "v2") == 0;
}

const char *tripo_base(const struct provider_call *call)
{
    bool own = call->settings && call->settings->base_url && *call->settings->base_url;
    if (tripo_is_v2(call) && !own)
        return "https://api.tripo3d.ai/v2/openapi";
    return base_of(call->settings, &provider_tripo);
}

int tripo_start(struct http_request *out, const char *method, const struct provider_call *call,
                const char *path, struct err *err)
{
    const char *key = call->settings && call->settings->api_key ? call->settings->api_key : "";
    const char *dialect = call->settings && call->settings->dialect ? call->settings->dialect : "";
    *out = (struct http_request){0};
    if (*dialect && strcmp(dialect, "v3") != 0 && strcmp(dialect, "v2") != 0)
        return FAIL(err, ERR_INPUT, "tripo has the dialects v3 and v2, not %.20s", dialect);
    if (!*key)
        return FAIL(err, ERR_INPUT, "tripo needs a key");
    if (strncmp(key, "tcli_", 5) == 0)
        return FAIL(err, ERR_INPUT, "that is the number of a tripo client, not its key (tsk_...)");
    if (call_start(out, method, tripo_base(call), err, "%s", path))
        return -1;
    if (!call_bearer(out, call->settings, err))
        return 0;
    http_request_free(out);
    return -1;
}

static int poll_request(struct http_request *out, const struct provider_call *call, struct err *err)
{
    char path[160];
    *out = (struct http_request){0};
    if (!call->task || !task_id_is_plain(call->task))
        return FAIL(err, ERR_INPUT, "no task id of tripo");
    snprintf(path, sizeof path, "%s/%s", tripo_is_v2(call) ? "/task" : "/tasks", call->task);
    return tripo_start(out, "GET", call, path, err);
}

static int many_request(struct http_request *out, const struct provider_call *call, struct err *err)
{
    *out = (struct http_request){0};
    if (call->task_count == 0 || call->task_count > MANY_MOST)
        return FAIL(err, ERR_INPUT, "tripo is asked for 1 to %d tasks at once", MANY_MOST);
    for (size_t i = 0; i < call->task_count; i++)
        if (!task_id_is_plain(call->tasks[i]))
            return FAIL(err, ERR_INPUT, "no task id of tripo");
    if (tripo_start(out, "POST", call, tripo_is_v2(call) ? "/task/batch" : "/tasks/list", err))
        return -1;
    cJSON *body = cJSON_CreateObject();
    cJSON *ids = cJSON_AddArrayToObject(body, "task_ids");
    for (size_t i = 0; i < call->task_count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(call->tasks[i]));
    if (cJSON_GetArraySize(ids) == (int)call->task_count && !call_json(out, body, err))
        return 0;
    http_request_free(out);
    return FAIL(err, ERR_LIMIT, "no memory for a request");
}

static int recent_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    char path[80];
    *out = (struct http_request){0};
    if (tripo_is_v2(call))
        return FAIL(err, ERR_INPUT, "tripo's V2 has no list of tasks");
    if (call->page < 0 || call->page > 10000)
        return FAIL(err, ERR_INPUT, "no page of a list: %d", call->page);
    snprintf(path, sizeof path, "/account/usage?limit=%d&offset=%d", PAGE_TASKS,
             call->page * PAGE_TASKS);
    return tripo_start(out, "GET", call, path, err);
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    switch (op) {
    case OP_UPLOAD:
        return tripo_upload_request(out, call, err);
    case OP_SUBMIT:
        return tripo_submit_request(out, call, err);
    case OP_POLL:
        return poll_request(out, call, err);
    case OP_POLL_MANY:
        return many_request(out, call, err);
    case OP_BALANCE:
        return tripo_start(out, "GET", call,
                           tripo_is_v2(call) ? "/user/balance" : "/account/balance", err);
    case OP_RECENT:
        return recent_request(out, call, err);
    default:
        *out = (struct http_request){0};
        return FAIL(err, ERR_INPUT, "no such request to tripo");
    }
}

static bool is_missed(const cJSON *missed, const char *id)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, missed)
        if (cJSON_IsString(one) && strcmp(one->valuestring, id) == 0)
            return true;
    return false;
}

/* A map from id to task as documented; an array of tasks would do as well. */
static const cJSON *find_task(const cJSON *tasks, const char *id)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, tasks) {
        const char *name = one->string ? one->string : json_text(one, "task_id", "");
        if (cJSON_IsObject(one) && strcmp(name, id) == 0)
            return one;
    }
    return NULL;
}

static int make_room(struct provider_reading *out, size_t count, struct err *err)
{
    out->many = calloc(count ? count : 1, sizeof *out->many);
    return out->many ? 0 : FAIL(err, ERR_LIMIT, "no memory for %zu tasks", count);
}

/* Only what was asked for is read; what the answer leaves out is left out. */
static int read_many(struct provider_reading *out, const struct provider_call *call,
                     const struct http_answer *answer, struct err *err)
{
    const cJSON *data;
    cJSON *said = tripo_open(&data, out, answer, false);
    if (!said)
        return 0;
    const cJSON *tasks = json_get(data, "tasks"), *missed = json_get(data, "missed");
    int failed = make_room(out, call->task_count, err);
    for (size_t i = 0; i < call->task_count && !failed; i++) {
        const cJSON *task = find_task(tasks, call->tasks[i]);
        if (!task && !is_missed(missed, call->tasks[i]))
            continue;
        struct provider_reading *one = &out->many[out->many_count++];
        *one = reading_start(TASK_UNKNOWN);
        if (task)
            failed = tripo_read_task(one, task, tripo_is_v2(call), true, err);
        else
            reading_fail(one, TASK_FAILED, PROVIDER_NOT_FOUND, RETRY_NO, "tripo has no such task");
        snprintf(one->task, sizeof one->task, "%s", call->tasks[i]);
    }
    if (!tasks && !missed)
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO,
                     "no tasks where some were due");
    cJSON_Delete(said);
    return failed;
}

static int read_recent(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    const cJSON *data, *task;
    cJSON *said = tripo_open(&data, out, answer, false);
    if (!said)
        return 0;
    if (!cJSON_IsArray(data)) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no list where one was due");
        cJSON_Delete(said);
        return 0;
    }
    int failed = make_room(out, PAGE_TASKS, err);
    cJSON_ArrayForEach (task, data) {
        if (failed || out->many_count == PAGE_TASKS)
            break;
        if (!task_id_is_plain(json_text(task, "task_id", "")))
            continue;
        struct provider_reading *one = &out->many[out->many_count++];
        *one = reading_start(TASK_UNKNOWN);
        failed = tripo_read_task(one, task, false, false, err);
    }
    cJSON_Delete(said);
    return failed;
}

/* Decimals as a number or, as other providers have it, as a text. */
static double amount(const cJSON *object, const char *name)
{
    const char *text = json_text(object, name, NULL);
    char *end = NULL;
    double value = text ? strtod(text, &end) : json_number(object, name, -1);
    return isfinite(value) && value >= 0 && (!text || (end != text && !*end)) ? value : -1;
}

static void read_balance(struct provider_reading *out, const struct http_answer *answer)
{
    const cJSON *data;
    cJSON *said = tripo_open(&data, out, answer, false);
    if (!said)
        return;
    out->balance = amount(data, "balance");
    out->frozen = amount(data, "frozen");
    if (out->balance < 0)
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO, "no balance where one was due");
    cJSON_Delete(said);
}

static int read_answer(struct provider_reading *out, enum provider_op op,
                       const struct provider_call *call, const struct http_answer *answer,
                       struct err *err)
{
    *out = reading_start(TASK_SUCCEEDED);
    switch (op) {
    case OP_UPLOAD:
        return tripo_upload_read(out, call, answer, err);
    case OP_SUBMIT:
        return tripo_read_submitted(out, answer, err);
    case OP_POLL_MANY:
        return read_many(out, call, answer, err);
    case OP_RECENT:
        return read_recent(out, answer, err);
    case OP_BALANCE:
        read_balance(out, answer);
        return 0;
    case OP_STREAM:
        return tripo_read_frames(out, answer, err);
    default:
        return tripo_read_polled(out, answer, tripo_is_v2(call), err);
    }
}

/* OP_STREAM: V2's frames come through a WebSocket, which this program does not open; the reading is
 * there for a proxy that hands them on. Uploads are limited to 10 a minute, so submits are too. */
const struct provider_driver provider_tripo = {
    .id = "tripo",
    .summary = "Tripo: one photo, several views or words, with textures, parts and conversions",
    .needs_key = true,
    .refunds = true,
    .takes_text = true,
    .takes_views = true,
    .default_url = "https://openapi.tripo3d.ai/v3",
    .poll_many_max = MANY_MOST,
    .pace = {.submits_per_min = 10,
             .burst = 5,
             .max_in_flight = 10,
             .poll_s = 3,
             .poll_most_s = 15,
             .deadline_s = 1200},
    .ops = OP_BIT(OP_UPLOAD) | OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_POLL_MANY) |
           OP_BIT(OP_BALANCE) | OP_BIT(OP_RECENT) | OP_BIT(OP_STREAM),
    .request = make_request,
    .read = read_answer,
    .push_read = tripo_push_read,
};
