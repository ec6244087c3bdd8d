/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tripo's answers: the envelope, its error codes, and tasks of both dialects. HTTP status counts
 * before the code (a wrong key has been seen as 401 with code 2, which is documented nowhere).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/reading.h"
#include "intake/provider/request.h"
#include "intake/provider/tripo.h"

struct meaning {
    int code; /* 0 ends the table */
    enum task_state state;
    enum provider_error error;
    enum provider_retry retry;
};

/* Of the envelope; a failed task uses the same numbers but for 2018 of V3. */
static const struct meaning meanings[] = {
    {1002, TASK_FAILED, PROVIDER_AUTH, RETRY_OPERATOR},
    {1003, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {1004, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {1005, TASK_FAILED, PROVIDER_AUTH, RETRY_OPERATOR},
    {1007, TASK_QUEUED, PROVIDER_RATE, RETRY_YES},
    {2000, TASK_QUEUED, PROVIDER_CONCURRENCY, RETRY_YES},
    {2001, TASK_FAILED, PROVIDER_NOT_FOUND, RETRY_NO},
    {2002, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_OPERATOR}, /* type of task not supported */
    {2003, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_ONCE},     /* empty file; or their firewall */
    {2004, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {2006, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {2007, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {2008, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO},
    {2009, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO},
    {2010, TASK_FAILED, PROVIDER_CREDITS, RETRY_OPERATOR},
    {2013, TASK_FAILED, PROVIDER_CREDITS, RETRY_OPERATOR},
    {2014, TASK_QUEUED, PROVIDER_SERVER, RETRY_YES}, /* moderation is down: nothing was made */
    {2015, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_OPERATOR},
    {2016, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_OPERATOR},
    {2017, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_OPERATOR},
    {2018, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO}, /* too complex to remesh */
    {2019, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {2020, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {2021, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {2022, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {4001, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO},
    {0, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO},
};

static const struct meaning *meaning_of(int code)
{
    const struct meaning *m = meanings;
    while (m->code && m->code != code)
        m++;
    return m->code ? m : NULL;
}

/* A code as a number or as digits; 0 where there is none. */
static int code_of(const cJSON *object, const char *name)
{
    double code = json_number(object, name, 0);
    const char *text = json_text(object, name, NULL);
    if (text)
        code = atof(text);
    return isfinite(code) && fabs(code) < 1e6 ? (int)code : 0;
}

/* --- the envelope --- */

static void note_trace(struct provider_reading *out, const struct http_answer *answer,
                       const cJSON *said)
{
    const char *trace = json_text(answer->headers, "x-tripo-trace-id", NULL);
    if (!trace)
        trace = json_text(answer->headers, "x-request-id", NULL);
    if (!trace)
        trace = json_text(said, "request_id", "");
    reading_word(out->trace, sizeof out->trace, trace);
}

static void note_words(struct provider_reading *out, const cJSON *said, int code)
{
    char words[400];
    const char *message = json_text(said, "message", NULL);
    const char *advice = json_text(said, "suggestion", NULL);
    if (code)
        snprintf(out->code, sizeof out->code, "%d", code);
    if (!message)
        return;
    snprintf(words, sizeof words, "%.200s%s%.120s", message, advice ? ": " : "",
             advice ? advice : "");
    reading_word(out->message, sizeof out->message, words);
}

/* What the status decides alone, the code does not change. */
static bool code_counts(int status, const struct meaning *m)
{
    if (status == 401)
        return false;
    if (status == 403)
        return m->error == PROVIDER_CREDITS || m->error == PROVIDER_CONTENT;
    if (status == 429)
        return m->error == PROVIDER_CONCURRENCY;
    if (status >= 500)
        return m->code == 2014;
    return status != 0;
}

/* Not a word of Tripo's: another server, or a dialect that has ended (301, 404, 410 or 426). */
static bool is_gone(int status, const cJSON *said)
{
    return (status >= 300 && status < 400) || status == 410 || status == 426 ||
           (status == 404 && code_of(said, "code") == 0);
}

/* After the common meaning of the HTTP status is in *out. */
static void refine(struct provider_reading *out, int status, const cJSON *said, bool submit)
{
    int code = code_of(said, "code");
    const struct meaning *m = meaning_of(code);
    if (m && code_counts(status, m)) {
        out->state = m->state;
        out->error = m->error;
        out->retry = m->retry;
    } else if (is_gone(status, said)) {
        reading_fail(out, submit ? TASK_FAILED : TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_OPERATOR,
                     "the address answers, but this dialect of Tripo's is not there");
    } else if (status >= 200 && status < 300) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, submit ? RETRY_RECONCILE : RETRY_NO,
                     "a success with an error's code, or without data");
    }
    note_words(out, said, code);
}

cJSON *tripo_open(const cJSON **data, struct provider_reading *out,
                  const struct http_answer *answer, bool submit)
{
    cJSON *said = reading_json(out, answer, submit);
    bool good = said != NULL;
    if (!said && answer->body.len && json_parse(&said, answer->body.data, answer->body.len, NULL))
        said = NULL;
    note_trace(out, answer, said);
    *data = json_get(said, "data");
    if (good && code_of(said, "code") == 0 && (cJSON_IsObject(*data) || cJSON_IsArray(*data)))
        return said;
    if (said || answer->status >= 300)
        refine(out, answer->status, said, submit);
    cJSON_Delete(said);
    return NULL;
}

/* --- a task --- */

static const struct {
    const char *word;
    enum task_state state;
    enum provider_error error;
    enum provider_retry retry;
} states[] = {
    {"queued", TASK_QUEUED, PROVIDER_OK, RETRY_NO},
    {"running", TASK_RUNNING, PROVIDER_OK, RETRY_NO},
    {"success", TASK_SUCCEEDED, PROVIDER_OK, RETRY_NO},
    {"failed", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
    {"banned", TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO},
    {"expired", TASK_EXPIRED, PROVIDER_OK, RETRY_NEW_TASK},
    {"cancelled", TASK_CANCELLED, PROVIDER_OK, RETRY_NO},
    {"canceled", TASK_CANCELLED, PROVIDER_OK, RETRY_NO},
    {"unknown", TASK_UNKNOWN, PROVIDER_OK, RETRY_NEW_TASK},
};

static void read_state(struct provider_reading *out, const char *word)
{
    out->state = TASK_RUNNING; /* a word never seen: the caller's deadline ends it */
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].word, word) == 0) {
            out->state = states[i].state;
            out->error = states[i].error;
            out->retry = states[i].retry;
        }
}

/* Failed tasks are not charged. A code that says nothing about what was sent is the server's. */
static void read_failure(struct provider_reading *out, const cJSON *task, bool v2)
{
    const cJSON *inner = json_get(task, "error");
    int code = code_of(task, "error_code");
    const char *words = json_text(task, v2 ? "error_msg" : "error_message", NULL);
    if (!code)
        code = code_of(inner, "code");
    if (!words)
        words = json_text(inner, "message", "");
    const struct meaning *m = meaning_of(code);
    if (code == 2018 && !v2) /* waited too long in their queue */
        reading_fail(out, TASK_EXPIRED, PROVIDER_SERVER, RETRY_NEW_TASK, words);
    else if (m && (m->error == PROVIDER_CONTENT || m->error == PROVIDER_BAD_INPUT ||
                   m->error == PROVIDER_CREDITS))
        reading_fail(out, m->state, m->error, m->retry, words);
    else
        reading_word(out->message, sizeof out->message, words);
    if (code)
        snprintf(out->code, sizeof out->code, "%d", code);
}

static double in_range(const cJSON *task, const char *name, double most)
{
    double value = json_number(task, name, -1);
    return value >= 0 && value <= most ? value : -1;
}

static void read_numbers(struct provider_reading *out, const cJSON *task)
{
    const cJSON *input = json_get(task, "input");
    out->progress =
        out->state == TASK_SUCCEEDED ? 100 : percent_of(json_number(task, "progress", -1));
    if (out->state == TASK_QUEUED)
        out->queue_position = (int)in_range(task, "queuing_num", 1e6);
    if (out->state == TASK_RUNNING)
        out->eta_s = in_range(task, "running_left_time", 86400);
    out->credits = in_range(task, "credits_consumed", 1e6);
    if (out->credits < 0)
        out->credits = in_range(task, "consumed_credit", 1e6);
    out->created_s = (int64_t)fmax(0, in_range(task, "create_time", 1e11));
    if (!out->created_s)
        out->created_s = reading_time(json_text(task, "created_at", ""));
    reading_word(out->model_version, sizeof out->model_version,
                 json_text(input, "model", json_text(input, "model_version", "")));
}

/* --- what it made --- */

/* Of both dialects, the best first. */
static const struct {
    const char *name, *kind;
} results[] = {
    {"model_url", "model"},
    {"pbr_model_url", "model"},
    {"pbr_model", "model"},
    {"model", "model"},
    {"model_urls", "model"},
    {"seg_model_url", "model"},
    {"base_model_url", "model_plain"},
    {"base_model", "model_plain"},
    {"splat_url", "other"},
    {"mask_url", "other"},
    {"rendered_video_url", "other"},
    {"rendered_image_url", "image"},
    {"rendered_image", "image"},
    {"generated_image_url", "image"},
    {"generated_image", "image"},
    {"image_urls", "image"},
    {"front_view_url", "image"},
    {"left_view_url", "image"},
    {"back_view_url", "image"},
    {"right_view_url", "image"},
    {"generate_multiview_image", "image"},
};

static bool has_file(const struct provider_reading *out, const char *url)
{
    for (size_t i = 0; i < out->file_count; i++)
        if (strcmp(out->files[i].url, url) == 0)
            return true;
    return false;
}

/* The first model is the one to take; one that comes when there is one is kept as another. */
static int add_file(struct provider_reading *out, const char *url, const char *kind,
                    const char *format, struct err *err)
{
    bool have = out->file_count > 0 && strcmp(out->files[0].kind, "model") == 0;
    if (has_file(out, url))
        return 0;
    if (strncmp(kind, "model", 5) == 0 && !have)
        kind = "model";
    else if (strcmp(kind, "model") == 0)
        kind = "other";
    return reading_add_result(out, url, kind, format, err);
}

/* An address, {type, url}, or an array or an object of addresses. */
static int add_value(struct provider_reading *out, const cJSON *value, const char *kind,
                     struct err *err)
{
    const cJSON *one;
    const char *url = json_text(value, "url", NULL);
    if (cJSON_IsString(value))
        return add_file(out, value->valuestring, kind, NULL, err);
    if (cJSON_IsObject(value) && url)
        return add_file(out, url, kind, json_text(value, "type", NULL), err);
    cJSON_ArrayForEach (one, value)
        if (cJSON_IsString(one) && add_file(out, one->valuestring, kind, NULL, err))
            return -1;
    return 0;
}

static int read_files(struct provider_reading *out, const cJSON *task, const char *member,
                      struct err *err)
{
    const cJSON *output = json_get(task, member);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(output, results[i].name);
        if (value && add_value(out, value, results[i].kind, err))
            return -1;
    }
    return 0;
}

/* A rig check gives words and no file. */
static bool has_words(const cJSON *task)
{
    return cJSON_HasObjectItem(json_get(task, "output"), "riggable");
}

int tripo_read_task(struct provider_reading *out, const cJSON *task, bool v2, bool files_due,
                    struct err *err)
{
    const char *id = json_text(task, "task_id", "");
    read_state(out, json_text(task, "status", ""));
    if (task_id_is_plain(id))
        snprintf(out->task, sizeof out->task, "%s", id);
    if (out->state == TASK_FAILED)
        read_failure(out, task, v2);
    read_numbers(out, task);
    if (out->state != TASK_SUCCEEDED)
        return 0;
    int failed = read_files(out, task, "output", err);
    if (!failed && out->file_count == 0)
        failed = read_files(out, task, "result", err);
    if (files_due && out->file_count == 0 && !has_words(task))
        out->state = TASK_RUNNING;
    return failed;
}

/* --- answers --- */

int tripo_read_submitted(struct provider_reading *out, const struct http_answer *answer,
                         struct err *err)
{
    const cJSON *data;
    cJSON *said = tripo_open(&data, out, answer, true);
    (void)err;
    if (said)
        reading_submitted(out, json_text(data, "task_id", NULL));
    cJSON_Delete(said);
    return 0;
}

int tripo_read_polled(struct provider_reading *out, const struct http_answer *answer, bool v2,
                      struct err *err)
{
    const cJSON *data;
    int failed = 0;
    cJSON *said = tripo_open(&data, out, answer, false);
    if (!said)
        return 0;
    if (!json_text(data, "status", NULL)) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no status where one was due");
    } else {
        failed = tripo_read_task(out, data, v2, true, err);
    }
    cJSON_Delete(said);
    return failed;
}
