/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for Replicate: predictions of other people's models. The spec's model is "owner/name",
 * "owner/name:version" or a version alone; TRELLIS where none is named.
 *
 * Traps: files and records are removed after an hour, and an address that has gone cannot be had
 * anew. What a model's input is called and what its output looks like is up to the model. The words
 * of a failure are the model's own. When the limit ends is said in a header or only in a sentence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/hosted.h"
#include "intake/provider/signature.h"

#define TRELLIS "firtoz/trellis:e8f6c45206993f297372f5436b90350817bd9b4a0d52d2a76df50c1c8afa2b3c"

/* --- requests --- */

/* What a model's input is called, by the beginning of its name. */
static const char *input_name(const char *model)
{
    return strncmp(model, "firtoz/trellis", 14) == 0 ? "images[]" : "image";
}

static bool is_model_name(const char *model)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:";
    size_t n = strlen(model);
    const char *slash = strchr(model, '/');
    return n > 0 && n < 200 && strspn(model, allowed) == n && !strstr(model, "..") &&
           slash != model && !(slash && (strchr(slash + 1, '/') || slash[1] == 0));
}

/* "owner/name" without a version has an address of its own, and no version in the body. */
static bool is_versioned(const char *model)
{
    return !strchr(model, '/') || strchr(model, ':');
}

static int fill_input(struct http_request *out, cJSON *input, const struct generation_spec *spec,
                      const char *model, struct err *err)
{
    const char *name = json_text(spec->passthrough, INPUT_NAME_OPTION, input_name(model));
    if (input_add_views(input, spec, name, err))
        return -1;
    if (spec->prompt && *spec->prompt && count_views(spec) == 0)
        cJSON_AddStringToObject(input, "prompt", spec->prompt);
    if (spec->seed >= 0)
        cJSON_AddNumberToObject(input, "seed", (double)(spec->seed & 0x7fffffff));
    if (strncmp(model, "firtoz/trellis", 14) == 0) {
        cJSON_AddBoolToObject(input, "generate_model", true);
        cJSON_AddNumberToObject(input, "texture_size", 1024);
        cJSON_AddNumberToObject(input, "mesh_simplify", 0.95);
        if (spec->seed >= 0)
            cJSON_AddBoolToObject(input, "randomize_seed", false);
    }
    char kept[160];
    snprintf(kept, sizeof kept, INPUT_NAME_OPTION ",version,%.*s", (int)strcspn(name, "["), name);
    return call_options(out, input, spec->passthrough, kept, err);
}

/* The version that the model's name ends in, or the name itself where it is a version. */
static const char *version_of(const char *model)
{
    const char *colon = strchr(model, ':');
    return colon ? colon + 1 : model;
}

static int make_body(struct http_request *out, const struct generation_spec *spec,
                     const char *model, struct err *err)
{
    cJSON *body = cJSON_CreateObject();
    if (is_versioned(model))
        cJSON_AddStringToObject(body, "version", version_of(model));
    cJSON *input = cJSON_AddObjectToObject(body, "input");
    if (spec->push_url && *spec->push_url) {
        cJSON_AddStringToObject(body, "webhook", spec->push_url);
        cJSON *events = cJSON_AddArrayToObject(body, "webhook_events_filter");
        cJSON_AddItemToArray(events, cJSON_CreateString("completed"));
    }
    if (!input || fill_input(out, input, spec, model, err)) {
        cJSON_Delete(body);
        return input ? -1 : FAIL(err, ERR_LIMIT, "no memory for a request");
    }
    return call_json(out, body, err);
}

static int submit_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    const struct generation_spec *spec = call->spec;
    const char *base = base_of(call->settings, &provider_replicate);
    const char *model = json_text(spec->passthrough, "version", TRELLIS);
    if (spec->model && *spec->model)
        model = spec->model;
    if (!is_model_name(model))
        return FAIL(err, ERR_INPUT, "no name of a model of Replicate: %.60s", model);
    bool text = strncmp(model, "firtoz/trellis", 14) != 0;
    if (spec_is_generation(spec, &provider_replicate, text, err))
        return -1;
    int failed = is_versioned(model)
                     ? call_start(out, "POST", base, err, "/v1/predictions")
                     : call_start(out, "POST", base, err, "/v1/models/%s/predictions", model);
    if (failed || call_bearer(out, call->settings, err))
        return -1;
    return make_body(out, spec, model, err);
}

static int task_request(struct http_request *out, const char *method,
                        const struct provider_call *call, const char *end, struct err *err)
{
    const char *task = call->task ? call->task : "";
    if (!task_id_is_plain(task))
        return FAIL(err, ERR_INPUT, "no task id of Replicate: %.60s", task);
    return call_start(out, method, base_of(call->settings, &provider_replicate), err,
                      "/v1/predictions/%s%s", task, end);
}

static int recent_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    if (call->page > 0) /* further pages go by a cursor; the first has the newest hundred */
        return FAIL(err, ERR_INPUT, "Replicate lists its newest predictions only");
    return call_start(out, "GET", base_of(call->settings, &provider_replicate), err,
                      "/v1/predictions");
}

static int build(struct http_request *out, enum provider_op op, const struct provider_call *call,
                 struct err *err)
{
    switch (op) {
    case OP_POLL:
        return task_request(out, "GET", call, "", err);
    case OP_CANCEL:
        return task_request(out, "POST", call, "/cancel", err);
    case OP_RECENT:
        return recent_request(out, call, err);
    default:
        return call_start(out, "GET", base_of(call->settings, &provider_replicate), err,
                          op == OP_KEYS ? "/v1/webhooks/default/secret" : "/v1/account");
    }
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    *out = (struct http_request){0};
    int failed = op == OP_SUBMIT
                     ? submit_request(out, call, err)
                     : build(out, op, call, err) || call_bearer(out, call->settings, err);
    if (failed)
        http_request_free(out);
    return failed ? -1 : 0;
}

/* --- errors --- */

/* Header, else "Your rate limit resets in ~30s." */
static double wait_s(const struct http_answer *answer, const char *words)
{
    const char *reset = answer_header(answer, "ratelimit-reset"), *in = strstr(words, "resets in ");
    char *end;
    if (answer->retry_after_s >= 0)
        return answer->retry_after_s;
    if (!*reset && in)
        reset = in + 10 + (in[10] == '~');
    double wait = strtod(reset, &end);
    return end != reset && wait >= 0 && wait <= 86400 ? wait : -1;
}

/* The parsed success, or NULL where the reading says all. */
static cJSON *success_words(struct provider_reading *out, const struct http_answer *answer,
                            bool submit)
{
    cJSON *said = NULL;
    if (!reading_http_error(out, answer, submit))
        return reading_json(out, answer, submit);
    if (answer->body.len > 0 && !json_parse(&said, answer->body.data, answer->body.len, NULL))
        reading_words(out, said);
    cJSON_Delete(said);
    if (answer->status == 429)
        out->retry_after_s = wait_s(answer, out->message);
    else if ((answer->status == 400 || answer->status == 422) && words_refuse_content(out->message))
        reading_conclude(out, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO);
    return NULL;
}

/* --- predictions --- */

static int take_success(struct provider_reading *out, const cJSON *said, struct err *err)
{
    out->state = TASK_SUCCEEDED;
    out->progress = 100;
    if (reading_add_output(out, cJSON_GetObjectItemCaseSensitive(said, "output"), err))
        return -1;
    if (out->file_count > 0)
        return 0;
    if (json_bool(said, "data_removed", false))
        reading_fail(out, TASK_EXPIRED, PROVIDER_URL_EXPIRED, RETRY_NEW_TASK,
                     "the result was removed after its hour");
    else
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO,
                     "it is done, but names no model");
    return 0;
}

static void take_failure(struct provider_reading *out, const cJSON *said)
{
    const char *words = json_text(said, "error", "the model failed and says nothing");
    if (words_refuse_content(words))
        reading_fail(out, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO, words);
    else
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK, words);
}

/* A status that is not known means that it still runs. */
static int take_prediction(struct provider_reading *out, const cJSON *said, struct err *err)
{
    const char *status = json_text(said, "status", ""), *id = json_text(said, "id", "");
    if (task_id_is_plain(id))
        snprintf(out->task, sizeof out->task, "%s", id);
    reading_word(out->model_version, sizeof out->model_version, json_text(said, "version", ""));
    out->created_s = reading_time(json_text(said, "created_at", ""));
    out->state = strcmp(status, "starting") == 0 ? TASK_QUEUED : TASK_RUNNING;
    if (strcmp(status, "succeeded") == 0)
        return take_success(out, said, err);
    if (strcmp(status, "failed") == 0)
        take_failure(out, said);
    else if (strcmp(status, "canceled") == 0 || strcmp(status, "aborted") == 0)
        out->state = TASK_CANCELLED;
    return 0;
}

static int submit_read(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    cJSON *said = success_words(out, answer, true);
    int failed = 0;
    if (!said)
        return 0;
    failed = take_prediction(out, said, err);
    if (!failed && !*out->task)
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_RECONCILE,
                     "a success without an id: the task may exist");
    cJSON_Delete(said);
    return failed;
}

static int poll_read(struct provider_reading *out, const struct http_answer *answer,
                     struct err *err)
{
    cJSON *said = success_words(out, answer, false);
    int failed = said ? take_prediction(out, said, err) : 0;
    cJSON_Delete(said);
    return failed;
}

/* What goes on after it will be seen as canceled by the next poll; what is done is done. */
static int cancel_read(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    int failed = poll_read(out, answer, err);
    if (out->error == PROVIDER_OK && out->state != TASK_CANCELLED)
        out->state = TASK_RUNNING;
    return failed;
}

static int recent_read(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    cJSON *said = success_words(out, answer, false);
    const cJSON *list = json_get(said, "results"), *one;
    int failed = 0, count = cJSON_GetArraySize(list);
    if (!said)
        return 0;
    if (!cJSON_IsArray(list))
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no list where one was due");
    else if (!(out->many = calloc((size_t)count + 1, sizeof *out->many)))
        failed = FAIL(err, ERR_LIMIT, "no memory for a list");
    cJSON_ArrayForEach (one, list) {
        if (failed || !out->many)
            break;
        out->many[out->many_count] = reading_start(TASK_RUNNING);
        failed = take_prediction(&out->many[out->many_count++], one, err);
    }
    cJSON_Delete(said);
    return failed;
}

static int keys_read(struct provider_reading *out, const struct http_answer *answer)
{
    cJSON *said = success_words(out, answer, false);
    if (said && !*json_text(said, "key", "")) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no key where one was due");
        cJSON_Delete(said);
        said = NULL;
    }
    out->keys = said;
    return 0;
}

static int read_answer(struct provider_reading *out, enum provider_op op,
                       const struct provider_call *call, const struct http_answer *answer,
                       struct err *err)
{
    (void)call;
    *out = reading_start(TASK_SUCCEEDED);
    switch (op) {
    case OP_SUBMIT:
        return submit_read(out, answer, err);
    case OP_POLL:
        return poll_read(out, answer, err);
    case OP_CANCEL:
        return cancel_read(out, answer, err);
    case OP_RECENT:
        return recent_read(out, answer, err);
    case OP_KEYS:
        return keys_read(out, answer);
    default:
        cJSON_Delete(success_words(out, answer, false));
        return 0;
    }
}

/* --- pushes --- */

/* Standard Webhooks: "v1,<base64> v1,<base64>" over id.time.body; the secret's part after whsec_ is
 * the key in base64. Keys are changed by signing with both for a while, so one that fits is enough.
 * Replicate signs all that it pushes. */
static enum push_trust check_signature(const struct provider_pushed *pushed)
{
    uint8_t key[128];
    const char *secret =
        pushed->secret && *pushed->secret ? pushed->secret : json_text(pushed->keys, "key", "");
    const char *id = json_text(pushed->headers, "webhook-id", "");
    const char *time = json_text(pushed->headers, "webhook-timestamp", "");
    const char *at = json_text(pushed->headers, "webhook-signature", "");
    const struct hash_part parts[] = {
        {id, strlen(id)}, {".", 1}, {time, strlen(time)}, {".", 1}, {pushed->body, pushed->bytes}};
    if (strncmp(secret, "whsec_", 6) == 0)
        secret += 6;
    size_t key_bytes = base64_read(key, sizeof key, secret, strlen(secret));
    if (!signature_is_fresh(signature_time(time, strlen(time)), pushed->now_s))
        return PUSH_INVALID;
    for (size_t n; *at; at += n + (at[n] == ' ')) {
        n = strcspn(at, " ");
        if (n > 3 && strncmp(at, "v1,", 3) == 0 &&
            signature_hmac_base64(at + 3, n - 3, key, key_bytes, parts, 5))
            return PUSH_VALID;
    }
    return PUSH_INVALID;
}

static int push_read(struct provider_push *out, const struct provider_pushed *pushed,
                     struct err *err)
{
    return push_conclude(out, pushed, check_signature(pushed), "webhook-id", take_prediction, err);
}

const struct provider_driver provider_replicate = {
    .id = "replicate",
    .summary = "Replicate's predictions, TRELLIS unless another model is named",
    .needs_key = true,
    .url_is_last = true,
    .takes_text = true,
    .takes_views = true,
    .default_url = "https://api.replicate.com",
    .pace = {.submits_per_min = 60,
             .burst = 5,
             .max_in_flight = 4,
             .poll_s = 3,
             .poll_most_s = 15,
             .deadline_s = 1800},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_CANCEL) | OP_BIT(OP_RECENT) |
           OP_BIT(OP_HEALTH) | OP_BIT(OP_KEYS),
    .request = make_request,
    .read = read_answer,
    .push_read = push_read,
};
