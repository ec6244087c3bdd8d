/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Meshy's answers, streams and pushes mean; half of the driver in meshy.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/events.h"
#include "intake/provider/meshy.h"
#include "intake/provider/reading.h"
#include "intake/provider/request.h"

/* --- errors of a call --- */

/* {"message": one word or a sentence}; a full queue and too many requests differ only in it. */
static void refine_error(struct provider_reading *out, const cJSON *said)
{
    const char *words = json_text(said, "message", NULL);
    if (!words)
        return;
    reading_word(out->message, sizeof out->message, words);
    if (out->error == PROVIDER_RATE && strncmp(words, "NoMore", 6) == 0)
        out->error = PROVIDER_CONCURRENCY; /* nothing was made: wait for one of ours to end */
    if (out->error == PROVIDER_BAD_INPUT && words_refuse_content(words)) {
        out->state = TASK_REJECTED;
        out->error = PROVIDER_CONTENT;
    }
}

static bool read_error(struct provider_reading *out, const struct http_answer *answer, bool submit)
{
    cJSON *said = NULL;
    if (!reading_http_error(out, answer, submit))
        return false;
    if (answer->body.len && !json_parse(&said, answer->body.data, answer->body.len, NULL))
        refine_error(out, said);
    cJSON_Delete(said);
    return true;
}

/* --- the object that a task is --- */

static void read_failure(struct provider_reading *out, const cJSON *error)
{
    const char *type = json_text(error, "type", ""), *code = json_text(error, "code", type);
    const char *words = json_text(error, "message", "");
    reading_word(out->code, sizeof out->code, code);
    if (strcmp(code, "moderation_blocked") == 0 || words_refuse_content(words))
        reading_fail(out, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO, words);
    else if (strcmp(type, "invalid_input") == 0)
        reading_fail(out, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO, words);
    else
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK, words);
}

/* GLB is what we ask for; another format is the model only where there is no GLB. */
static int read_files(struct provider_reading *out, const cJSON *said, const char *kind,
                      struct err *err)
{
    static const char *const formats[] = {"glb", "stl", "3mf", "obj", "ply", "fbx", "usdz"};
    const cJSON *urls = json_get(said, "model_urls");
    bool taken = false;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *url = json_text(urls, formats[i], "");
        if (url_is_plain(url) &&
            reading_add_result(out, url, taken ? "other" : kind, formats[i], err))
            return -1;
        taken = taken || url_is_plain(url);
    }
    if (!taken && reading_add_result(out, json_text(said, "model_url", ""), kind, NULL, err))
        return -1;
    return reading_add_result(out, json_text(urls, "pre_remeshed_glb", ""), "other", "glb", err) ||
                   reading_add_result(out, json_text(said, "thumbnail_url", ""), "image", NULL, err)
               ? -1
               : 0;
}

static void tell_printability(struct provider_reading *out, const cJSON *found)
{
    const cJSON *metrics = json_get(found, "metrics");
    char words[200];
    snprintf(words, sizeof words,
             "%.20s: %g errors, %g warnings, %swatertight, %g holes, %g non-manifold edges",
             json_text(found, "status", "unknown"), json_number(found, "error_count", 0),
             json_number(found, "warning_count", 0),
             json_bool(metrics, "is_watertight", false) ? "" : "not ",
             json_number(metrics, "holes", 0), json_number(metrics, "non_manifold_edges", 0));
    reading_word(out->code, sizeof out->code, json_text(found, "status", "unknown"));
    reading_word(out->message, sizeof out->message, words);
}

/* The word may come before the model, but an analysis makes none. */
static int read_success(struct provider_reading *out, const cJSON *said,
                        const struct meshy_kind *kind, int64_t now_s, struct err *err)
{
    bool first = kind && kind->first_pass;
    double expires_ms = json_number(said, "expires_at", 0);
    if (expires_ms > 0 && now_s > 0 && (double)now_s * 1000 > expires_ms) {
        reading_fail(out, TASK_EXPIRED, PROVIDER_URL_EXPIRED, RETRY_NEW_TASK,
                     "the task's files are gone for good");
        return 0;
    }
    if (json_get(said, "printability"))
        tell_printability(out, json_get(said, "printability"));
    if (read_files(out, said, first ? "model_plain" : "model", err))
        return -1;
    if (out->file_count == 0 || strncmp(out->files[0].kind, "model", 5) != 0)
        out->state = json_get(said, "printability") ? TASK_SUCCEEDED : TASK_RUNNING;
    else if (first)
        out->next = NEXT_REFINE;
    return 0;
}

static enum task_state state_of(const char *status)
{
    static const struct {
        const char *word;
        enum task_state state;
    } states[] = {{"PENDING", TASK_QUEUED},      {"IN_PROGRESS", TASK_RUNNING},
                  {"SUCCEEDED", TASK_SUCCEEDED}, {"FAILED", TASK_FAILED},
                  {"CANCELED", TASK_CANCELLED},  {"CANCELLED", TASK_CANCELLED},
                  {"EXPIRED", TASK_EXPIRED}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].word, status) == 0)
            return states[i].state;
    return TASK_RUNNING;
}

static void read_numbers(struct provider_reading *out, const cJSON *said)
{
    double before = json_number(said, "preceding_tasks", -1);
    double made_ms = json_number(said, "created_at", 0);
    const char *id = json_text(said, "id", "");
    if (task_id_is_plain(id))
        snprintf(out->task, sizeof out->task, "%s", id);
    out->progress = percent_of(json_number(said, "progress", -1));
    if (out->state == TASK_QUEUED && before >= 0 && before < 1e6)
        out->queue_position = (int)before;
    else if (out->state != TASK_QUEUED && out->state != TASK_RUNNING)
        out->credits = json_number(said, "consumed_credits", -1); /* before: what it may cost */
    if (made_ms > 0 && made_ms < 1e14)
        out->created_s = (int64_t)(made_ms / 1000);
    reading_word(out->model_version, sizeof out->model_version, json_text(said, "ai_model", ""));
}

static int read_task(struct provider_reading *out, const cJSON *said, const struct meshy_kind *kind,
                     int64_t now_s, struct err *err)
{
    const char *status = json_text(said, "status", NULL);
    *out = reading_start(TASK_RUNNING);
    if (!status) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no status where one was due");
        return 0;
    }
    out->state = state_of(status);
    read_numbers(out, said);
    if (out->state == TASK_FAILED)
        read_failure(out, json_get(said, "task_error"));
    else if (out->state == TASK_EXPIRED)
        reading_fail(out, TASK_EXPIRED, PROVIDER_SERVER, RETRY_NEW_TASK, "the task has expired");
    return out->state == TASK_SUCCEEDED ? read_success(out, said, kind, now_s, err) : 0;
}

/* --- lists, streams, the rest --- */

static int read_list(struct provider_reading *out, const cJSON *list, const struct meshy_kind *kind,
                     int64_t now_s, struct err *err)
{
    const cJSON *one;
    size_t room = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
    if (!cJSON_IsArray(list)) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no list where one was due");
        return 0;
    }
    out->many = calloc(room + 1, sizeof *out->many);
    if (!out->many)
        return FAIL(err, ERR_LIMIT, "no memory for a list of tasks");
    cJSON_ArrayForEach (one, list) {
        struct provider_reading *next = &out->many[out->many_count];
        if (!task_id_is_plain(json_text(one, "id", "")))
            continue;
        out->many_count++;
        if (read_task(next, one, kind, now_s, err))
            return -1;
        next->aux = kind ? strdup(kind->name) : NULL;
        if (kind && !next->aux)
            return FAIL(err, ERR_LIMIT, "no memory for a list of tasks");
    }
    return 0;
}

/* The last event tells where the task has come to; "error" is an HTTP error inside a 200. */
static int read_stream(struct provider_reading *out, const struct provider_call *call,
                       const struct http_answer *answer, struct err *err)
{
    char name[32];
    cJSON *said;
    int failed = 0;
    int none = server_event_last(&said, name, answer->body.data, answer->body.len, err);
    *out = reading_start(TASK_RUNNING);
    if (none)
        return none < 0 ? -1 : 0;
    if (strcmp(name, "error") == 0) {
        double code = json_number(said, "status_code", 500);
        struct http_answer inner = {.status = code >= 300 && code < 600 ? (int)code : 500,
                                    .retry_after_s = -1};
        if (reading_http_error(out, &inner, false))
            refine_error(out, said);
    } else {
        failed = read_task(out, said, meshy_kind_named(call->aux), answer_date(answer), err);
    }
    cJSON_Delete(said);
    return failed;
}

static int read_submitted(struct provider_reading *out, const struct provider_call *call,
                          const cJSON *said, struct err *err)
{
    const struct meshy_kind *kind = call->spec ? meshy_kind_of(call->spec) : NULL;
    reading_submitted(out, json_text(said, "result", NULL));
    out->aux = kind ? strdup(kind->name) : NULL;
    return kind && !out->aux ? FAIL(err, ERR_LIMIT, "no memory for a reading") : 0;
}

static int read_json(struct provider_reading *out, enum provider_op op,
                     const struct provider_call *call, const struct http_answer *answer,
                     struct err *err)
{
    cJSON *said = reading_json(out, answer, op == OP_SUBMIT);
    int failed = 0;
    if (!said)
        return 0;
    if (op == OP_SUBMIT) {
        failed = read_submitted(out, call, said, err);
    } else if (op == OP_BALANCE) {
        out->balance = json_number(said, "balance", -1);
        if (!cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(said, "balance")))
            reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO,
                         "no balance where one was due");
    } else if (op == OP_RECENT) {
        failed = read_list(out, said,
                           call->spec ? meshy_kind_of(call->spec) : meshy_kind_named(call->aux),
                           answer_date(answer), err);
    } else {
        failed = read_task(out, said, meshy_kind_named(call->aux), answer_date(answer), err);
    }
    cJSON_Delete(said);
    return failed;
}

int meshy_read(struct provider_reading *out, enum provider_op op, const struct provider_call *call,
               const struct http_answer *answer, struct err *err)
{
    *out = reading_start(TASK_SUCCEEDED);
    if (read_error(out, answer, op == OP_SUBMIT))
        return 0;
    if (op == OP_CANCEL) {
        out->state = TASK_CANCELLED;
        return 0;
    }
    if (op == OP_STREAM)
        return read_stream(out, call, answer, err);
    return read_json(out, op, call, answer, err);
}

/* Anybody who knows the address may send one: no file and no price of it is believed. */
static void strip(struct provider_reading *reading)
{
    struct provider_reading kept = reading_start(reading->state);
    kept.progress = reading->progress;
    memcpy(kept.task, reading->task, sizeof kept.task);
    provider_reading_free(reading);
    *reading = kept;
}

int meshy_push_read(struct provider_push *out, const struct provider_pushed *pushed,
                    struct err *err)
{
    cJSON *said = NULL;
    int failed = 0;
    *out = (struct provider_push){.trust = PUSH_INVALID, .reading = reading_start(TASK_UNKNOWN)};
    if (pushed->bytes && !json_parse(&said, pushed->body, pushed->bytes, NULL) &&
        task_id_is_plain(json_text(said, "id", ""))) {
        out->trust = PUSH_UNSIGNED;
        snprintf(out->event, sizeof out->event, "task");
        failed = read_task(&out->reading, said, NULL, 0, err);
        strip(&out->reading);
    }
    cJSON_Delete(said);
    return failed;
}
