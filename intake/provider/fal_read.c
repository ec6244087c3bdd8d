/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What fal answers and pushes; see fal.c.
 *
 * Traps: COMPLETED is not success, only that there is an answer to fetch, and that may be an error.
 * A 403 is an empty balance as often as a wrong key. An error of a model is charged or not: never
 * when it is a 5xx.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/events.h"
#include "intake/provider/fal_parts.h"
#include "intake/provider/signature.h"

/* --- errors --- */

static cJSON *error_words(const struct http_answer *answer)
{
    cJSON *said = NULL;
    if (answer->status < 300 || answer->body.len == 0 ||
        json_parse(&said, answer->body.data, answer->body.len, NULL))
        return NULL;
    return said;
}

/* What a model said no with. Of a refusal the words tell policy from a bad value. */
static void judge_refusal(struct provider_reading *out)
{
    if (words_refuse_content(out->code) || words_refuse_content(out->message))
        reading_conclude(out, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO);
    else
        reading_conclude(out, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO);
}

/* After the common meaning of a status: what fal means by it. An account that is locked says
 * nothing of a task that was made before. */
static void judge(struct provider_reading *out, int status, bool submit)
{
    if (status == 400 || status == 422)
        judge_refusal(out);
    else if (status == 403 &&
             (strcasestr(out->message, "locked") || strcasestr(out->message, "balance")))
        reading_conclude(out, submit ? TASK_FAILED : TASK_UNKNOWN, PROVIDER_CREDITS,
                         RETRY_OPERATOR);
    else if (status == 429 &&
             (strcasestr(out->code, "concurren") || strcasestr(out->message, "concurren")))
        reading_conclude(out, TASK_QUEUED, PROVIDER_CONCURRENCY, RETRY_YES);
}

/* True where the answer is no success; the reading then says all. */
static bool read_error(struct provider_reading *out, const struct http_answer *answer, bool submit)
{
    reading_word(out->trace, sizeof out->trace, answer_header(answer, "x-fal-request-id"));
    if (!reading_http_error(out, answer, submit))
        return false;
    cJSON *said = error_words(answer);
    reading_words(out, said);
    cJSON_Delete(said);
    judge(out, answer->status, submit);
    return true;
}

static cJSON *success_words(struct provider_reading *out, const struct http_answer *answer,
                            bool submit)
{
    return read_error(out, answer, submit) ? NULL : reading_json(out, answer, submit);
}

/* --- uploads --- */

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for an answer of fal");
}

/* First the addresses to put it to and to have it at. */
static int take_addresses(struct provider_reading *out, const cJSON *said, struct err *err)
{
    struct bytes text = {0};
    const char *to = json_text(said, "upload_url", ""), *at = json_text(said, "file_url", "");
    if (!url_is_plain(to) || !url_is_plain(at)) {
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO, "an upload without addresses");
        return 0;
    }
    cJSON *aux = cJSON_CreateObject();
    cJSON_AddStringToObject(aux, "upload_url", to);
    int failed = cJSON_AddStringToObject(aux, "file_url", at) ? json_print(&text, aux, false, err)
                                                              : no_memory(err);
    cJSON_Delete(aux);
    out->aux = (char *)text.data;
    out->state = TASK_RUNNING;
    out->next = NEXT_UPLOAD;
    return failed;
}

/* The second time, it is there. */
static int take_token(struct provider_reading *out, const char *aux, struct err *err)
{
    cJSON *said = NULL;
    if (json_parse(&said, aux, strlen(aux), err))
        return -1;
    out->token = strdup(json_text(said, "file_url", ""));
    cJSON_Delete(said);
    return out->token ? 0 : no_memory(err);
}

static int upload_read(struct provider_reading *out, const struct provider_call *call,
                       const struct http_answer *answer, struct err *err)
{
    if (call->aux && *call->aux)
        return read_error(out, answer, false) ? 0 : take_token(out, call->aux, err);
    cJSON *said = success_words(out, answer, false);
    int failed = said ? take_addresses(out, said, err) : 0;
    cJSON_Delete(said);
    return failed;
}

/* --- a task --- */

/* The three addresses of a task: as told where that is on our host, else as the model's name says.
 */
static int keep_addresses(struct provider_reading *out, const struct provider_call *call,
                          const cJSON *said, struct err *err)
{
    static const char *const names[] = {"status_url", "response_url", "cancel_url"};
    const char *base = base_of(call->settings, &provider_fal), *model = fal_path_of(call->spec);
    struct bytes text = {0};
    cJSON *aux = cJSON_CreateObject();
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[400], own[700];
        const char *told = json_text(said, names[i], "");
        fal_task_path(path, sizeof path, model ? model : FAL_MODEL, out->task, names[i]);
        snprintf(own, sizeof own, "%.*s%s", (int)(n < 290 ? n : 290), base, path);
        cJSON_AddStringToObject(aux, names[i], url_path_on(told, base) ? told : own);
    }
    int failed = json_print(&text, aux, false, err);
    cJSON_Delete(aux);
    out->aux = (char *)text.data;
    return failed;
}

static int submit_read(struct provider_reading *out, const struct provider_call *call,
                       const struct http_answer *answer, struct err *err)
{
    int failed = 0;
    cJSON *said = success_words(out, answer, true);
    if (!said)
        return 0;
    double position = json_number(said, "queue_position", -1);
    reading_submitted(out, json_text(said, "request_id", NULL));
    if (*out->task) {
        out->queue_position = position >= 0 && position < 1e6 ? (int)position : -1;
        failed = keep_addresses(out, call, said, err);
    }
    cJSON_Delete(said);
    return failed;
}

/* One status, of a poll or of the stream. A word that is not known means that it still runs. */
static void take_status(struct provider_reading *out, const cJSON *said)
{
    const char *status = json_text(said, "status", "");
    double position = json_number(said, "queue_position", -1);
    out->state = strcmp(status, "IN_QUEUE") == 0 ? TASK_QUEUED : TASK_RUNNING;
    out->queue_position = position >= 0 && position < 1e6 ? (int)position : -1;
    if (strcmp(status, "COMPLETED") == 0)
        out->next = NEXT_RESULTS;
}

static int poll_read(struct provider_reading *out, const struct http_answer *answer)
{
    cJSON *said = success_words(out, answer, false);
    if (said)
        take_status(out, said);
    cJSON_Delete(said);
    return 0;
}

static int stream_read(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    cJSON *said = NULL;
    char name[32];
    out->state = TASK_RUNNING;
    if (read_error(out, answer, false) || answer->body.len == 0)
        return 0;
    int none = server_event_last(&said, name, answer->body.data, answer->body.len, err);
    if (none == 0)
        take_status(out, said);
    cJSON_Delete(said);
    return none < 0 ? -1 : 0;
}

static int take_output(struct provider_reading *out, const cJSON *output, struct err *err)
{
    out->state = TASK_SUCCEEDED;
    out->progress = 100;
    if (reading_add_output(out, output, err))
        return -1;
    if (out->file_count == 0)
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO,
                     "it is done, but names no model");
    return 0;
}

/* A 5xx in the model's own words (typed, or marked by the header that only its runner sets) is its
 * end, and free of charge; any other is trouble on the way, and asked for again. */
static bool is_the_models(const struct http_answer *answer, const struct provider_reading *out)
{
    return answer->status >= 500 && (*out->code || *answer_header(answer, "x-fal-retryable") ||
                                     *answer_header(answer, "x-fal-needs-retry"));
}

static int results_read(struct provider_reading *out, const struct http_answer *answer,
                        struct err *err)
{
    cJSON *said = success_words(out, answer, false);
    if (!said) {
        if (answer->status == 400 && strcasestr(out->message, "in progress")) /* asked too early */
            reading_conclude(out, TASK_RUNNING, PROVIDER_OK, RETRY_NO);
        else if (is_the_models(answer, out)) {
            reading_conclude(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK);
            out->credits = 0;
        }
        return 0;
    }
    int failed = take_output(out, said, err);
    cJSON_Delete(said);
    return failed;
}

/* ALREADY_COMPLETED comes with a 400 and is no error. */
static int cancel_read(struct provider_reading *out, const struct http_answer *answer)
{
    cJSON *said = error_words(answer);
    bool is_late = strcmp(json_text(said, "status", ""), "ALREADY_COMPLETED") == 0;
    cJSON_Delete(said);
    out->state = TASK_RUNNING;
    if (is_late || !(said = success_words(out, answer, false)))
        return 0;
    const char *status = json_text(said, "status", "");
    if (strcmp(status, "OK") == 0 || strcmp(status, "CANCELLATION_REQUESTED") == 0)
        out->state = TASK_CANCELLED;
    else if (strcmp(status, "NOT_FOUND") == 0)
        reading_fail(out, TASK_UNKNOWN, PROVIDER_NOT_FOUND, RETRY_NO, "no such task");
    cJSON_Delete(said);
    return 0;
}

static int keys_read(struct provider_reading *out, const struct http_answer *answer)
{
    cJSON *said = success_words(out, answer, false);
    if (said && !cJSON_IsArray(json_get(said, "keys"))) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no keys where some were due");
        cJSON_Delete(said);
        said = NULL;
    }
    out->keys = said;
    return 0;
}

int fal_read(struct provider_reading *out, enum provider_op op, const struct provider_call *call,
             const struct http_answer *answer, struct err *err)
{
    *out = reading_start(TASK_SUCCEEDED);
    switch (op) {
    case OP_UPLOAD:
        return upload_read(out, call, answer, err);
    case OP_SUBMIT:
        return submit_read(out, call, answer, err);
    case OP_POLL:
        return poll_read(out, answer);
    case OP_RESULTS:
        return results_read(out, answer, err);
    case OP_CANCEL:
        return cancel_read(out, answer);
    case OP_STREAM:
        return stream_read(out, answer, err);
    default:
        return keys_read(out, answer);
    }
}

/* --- pushes --- */

/* Signed are three headers and the body's hash, in lines; any of the keys may have signed. fal
 * signs all that it pushes, so one without a signature is not of fal. */
static enum push_trust check_signature(const struct provider_pushed *pushed)
{
    char hash[SHA256_HEX], text[600];
    const char *id = json_text(pushed->headers, "x-fal-webhook-request-id", "");
    const char *user = json_text(pushed->headers, "x-fal-webhook-user-id", "");
    const char *time = json_text(pushed->headers, "x-fal-webhook-timestamp", "");
    const char *signature = json_text(pushed->headers, "x-fal-webhook-signature", "");
    const cJSON *key;
    sha256_hex(hash, pushed->body, pushed->bytes);
    int n = snprintf(text, sizeof text, "%s\n%s\n%s\n%s", id, user, time, hash);
    if (n < 0 || (size_t)n >= sizeof text ||
        !signature_is_fresh(signature_time(time, strlen(time)), pushed->now_s))
        return PUSH_INVALID;
    cJSON_ArrayForEach (key, json_get(pushed->keys, "keys"))
        if (signature_ed25519_hex(signature, strlen(signature), json_text(key, "x", ""), text,
                                  (size_t)n))
            return PUSH_VALID;
    return PUSH_INVALID;
}

/* "Invalid status code: 422", and the model's words in the payload. */
static void take_push_error(struct provider_reading *out, const cJSON *said)
{
    const char *words = json_text(said, "error", "the task failed"), *number = strrchr(words, ' ');
    int status = number ? atoi(number) : 0;
    reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK, words);
    reading_words(out, json_get(said, "payload"));
    if (status == 400 || status == 422)
        judge_refusal(out);
}

static int take_push(struct provider_reading *out, const cJSON *said, struct err *err)
{
    const char *id = json_text(said, "request_id", "");
    if (task_id_is_plain(id))
        snprintf(out->task, sizeof out->task, "%s", id);
    if (strcmp(json_text(said, "status", ""), "ERROR") == 0) {
        take_push_error(out, said);
        return 0;
    }
    out->state = TASK_RUNNING;
    out->next = NEXT_RESULTS;
    if (!json_get(said, "payload")) /* too large or not to be told: {"payload_error"} */
        return 0;
    if (reading_add_output(out, json_get(said, "payload"), err))
        return -1;
    if (out->file_count > 0) {
        out->state = TASK_SUCCEEDED;
        out->next = NEXT_NONE;
        out->progress = 100;
    }
    return 0;
}

int fal_push_read(struct provider_push *out, const struct provider_pushed *pushed, struct err *err)
{
    return push_conclude(out, pushed, check_signature(pushed), "x-fal-webhook-request-id",
                         take_push, err);
}
