/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for Hyper3D Rodin: a form in; two handles out, one to ask how it goes (the aux), one to
 * ask for the files (the task); the files' addresses by a call of their own.
 *
 * Traps: an error may stand in a success, so that the key `error` is looked at first; a task is
 * done when all of its jobs are; the list of files may be empty for a while after that; an address
 * lives for ten minutes and asking again gives a new one. There is no list of tasks and no cancel.
 * What their errors are called is not written down: known words count, whatever the status.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/reading.h"
#include "intake/provider/request.h"

#define KEY_MOST 1024 /* characters of a subscription key */

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for rodin");
}

static bool is_key(const char *text)
{
    size_t n = text ? strnlen(text, KEY_MOST + 1) : 0;
    for (size_t i = 0; i < n; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return false;
    return n > 0 && n <= KEY_MOST;
}

/* --- requests --- */

static int check_spec(const struct generation_spec *spec, struct err *err)
{
    unsigned views = count_views(spec);
    if (spec->tool)
        return FAIL(err, ERR_INPUT, "rodin has no tool %.60s", spec->tool);
    if (spec->parts)
        return FAIL(err, ERR_INPUT, "rodin makes no parts");
    if (views > 0 ? !has_view(spec, VIEW_FRONT) : !spec->prompt || !*spec->prompt)
        return FAIL(err, ERR_INPUT, "rodin needs the front view or a text");
    if (spec->prompt && text_characters(spec->prompt) > 1000)
        return FAIL(err, ERR_INPUT, "a prompt of more than 1000 characters");
    return 0;
}

/* A PNG of ours has transparency for the background, made by the mask: it is to be used. */
static int add_fields(struct http_request *out, const struct generation_spec *spec, struct err *err)
{
    const char *mime = spec->images[VIEW_FRONT].mime;
    bool alpha = mime && strcmp(mime, "image/png") == 0;
    int faces = spec->face_limit < 500       ? 500
                : spec->face_limit > 1000000 ? 1000000
                                             : spec->face_limit;
    if ((spec->prompt && *spec->prompt && call_field(out, "prompt", err, "%s", spec->prompt)) ||
        call_field(out, "tier", err, "%s", spec->model ? spec->model : "Gen-2") ||
        call_field(out, "geometry_file_format", err, "glb") ||
        call_field(out, "material", err, "PBR") || /* nothing confirms a value for none */
        call_field(out, "quality", err, "medium") ||
        (spec->face_limit > 0 && call_field(out, "quality_override", err, "%d", faces)) ||
        call_field(out, "mesh_mode", err, "Raw") ||
        call_field(out, "use_original_alpha", err, alpha ? "true" : "false") ||
        call_field(out, "TAPose", err, "false") ||
        call_field(out, "preview_render", err, "false") ||
        (spec->seed >= 0 && call_field(out, "seed", err, "%d", (int)(spec->seed % 65536))))
        return -1;
    return call_options(out, NULL, spec->passthrough, "images,prompt", err);
}

static int submit_request(struct http_request *out, const struct provider_call *call,
                          const char *base, struct err *err)
{
    const struct generation_spec *spec = call->spec;
    if (check_spec(spec, err) || call_start(out, "POST", base, err, "/rodin"))
        return -1;
    for (int view = 0; view < VIEW_COUNT; view++)
        if (has_view(spec, (enum generation_view)view) &&
            call_image(out, "images", &spec->images[view], err))
            return -1;
    return add_fields(out, spec, err);
}

/* Both are asked by POST, and cost nothing. */
static int ask_request(struct http_request *out, const char *base, const char *path,
                       const char *member, const char *handle, struct err *err)
{
    if (call_start(out, "POST", base, err, "%s", path))
        return -1;
    out->total_s = 20;
    cJSON *body = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(body, member, handle)) {
        cJSON_Delete(body);
        return no_memory(err);
    }
    return call_json(out, body, err);
}

static int request_of(struct http_request *out, enum provider_op op,
                      const struct provider_call *call, const char *base, struct err *err)
{
    const char *task = call->task ? call->task : "";
    if (op == OP_SUBMIT)
        return submit_request(out, call, base, err);
    if (op == OP_BALANCE)
        return call_start(out, call->aux && *call->aux ? "POST" : "GET", base, err,
                          "/check_balance");
    if (op == OP_POLL && is_key(call->aux))
        return ask_request(out, base, "/status", "subscription_key", call->aux, err);
    if (op == OP_RESULTS && task_id_is_plain(task))
        return ask_request(out, base, "/download", "task_uuid", task, err);
    return FAIL(err, ERR_INPUT, "rodin lacks a handle of task %.60s", task);
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    *out = (struct http_request){0};
    if (!request_of(out, op, call, base_of(call->settings, &provider_rodin), err) &&
        !call_bearer(out, call->settings, err))
        return 0;
    http_request_free(out);
    return -1;
}

/* --- errors --- */

static bool says_any(const char *text, const char *const *signs)
{
    for (; *signs; signs++)
        if (strcasestr(text, *signs))
            return true;
    return false;
}

/* What the words of an error mean; PROVIDER_OK where they are not known. */
static enum provider_error meaning_of(const char *words)
{
    static const char *const credits[] = {"insufficient", "credit", "active_subscription", NULL};
    static const char *const auth[] = {"authenticat", "unauthorized", "api_key",
                                       "api key",     "permission",   NULL};
    static const char *const rate[] = {"too_many", "too many", "rate_limit", "rate limit", NULL};
    static const char *const absent[] = {"not_found", "not found", "no_such", "no such", NULL};
    static const char *const server[] = {"internal", "server", "busy", "unavailable", NULL};
    if (words_refuse_content(words))
        return PROVIDER_CONTENT;
    if (says_any(words, credits))
        return PROVIDER_CREDITS;
    if (says_any(words, auth))
        return PROVIDER_AUTH;
    if (says_any(words, rate))
        return PROVIDER_RATE;
    if (says_any(words, absent))
        return PROVIDER_NOT_FOUND;
    return says_any(words, server) ? PROVIDER_SERVER : PROVIDER_OK;
}

static enum provider_retry retry_of(enum provider_error error, bool submit)
{
    if (error == PROVIDER_CREDITS || error == PROVIDER_AUTH)
        return RETRY_OPERATOR;
    if (error == PROVIDER_SERVER)
        return submit ? RETRY_RECONCILE : RETRY_YES;
    return error == PROVIDER_RATE ? RETRY_YES : RETRY_NO;
}

static enum task_state state_of(enum provider_error error, bool submit)
{
    if (error == PROVIDER_CONTENT)
        return TASK_REJECTED;
    if (error == PROVIDER_RATE && submit)
        return TASK_QUEUED;
    return error == PROVIDER_SERVER || !submit ? TASK_UNKNOWN : TASK_FAILED;
}

/* The word of `error`, NULL where there is none; anything but null, false and "" is one. */
static const char *error_word(const cJSON *said)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(said, "error");
    if (!error || cJSON_IsNull(error) || cJSON_IsFalse(error))
        return NULL;
    if (cJSON_IsString(error))
        return *error->valuestring ? error->valuestring : NULL;
    return "error";
}

/* An error inside the body; a word not known is a refusal of a submit, and no news for a poll. */
static bool read_body_error(struct provider_reading *out, const cJSON *said, bool submit)
{
    const char *word = error_word(said);
    char words[200];
    if (!word)
        return false;
    snprintf(words, sizeof words, "%.70s %.120s", word, json_text(said, "message", ""));
    enum provider_error error = meaning_of(words);
    if (error == PROVIDER_OK)
        error = submit ? PROVIDER_BAD_INPUT : PROVIDER_SERVER;
    reading_fail(out, state_of(error, submit), error, retry_of(error, submit), words);
    reading_word(out->code, sizeof out->code, word);
    return true;
}

/* A refusal in words counts more than the status it comes with; 5xx are the server's own. */
static void refine_error(struct provider_reading *out, const struct http_answer *answer,
                         bool submit)
{
    struct provider_reading worded = *out;
    cJSON *said = NULL;
    if (answer->body.len && !json_parse(&said, answer->body.data, answer->body.len, NULL) &&
        read_body_error(&worded, said, submit)) {
        memcpy(out->code, worded.code, sizeof out->code);
        if (answer->status >= 400 && answer->status < 500 && answer->status != 429 &&
            meaning_of(worded.message) != PROVIDER_OK)
            *out = worded;
    }
    cJSON_Delete(said);
}

/* --- answers --- */

/* Without a key nobody can ask how it goes: the task is there, and a person must look. */
static int read_submitted(struct provider_reading *out, const cJSON *said, struct err *err)
{
    const char *key = json_text(json_get(said, "jobs"), "subscription_key", NULL);
    reading_submitted(out, json_text(said, "uuid", NULL));
    out->created_s = reading_time(json_text(said, "submit_time", ""));
    if (out->error)
        return 0;
    if (!is_key(key)) {
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_RECONCILE,
                     "a task without a subscription key");
        return 0;
    }
    out->aux = strdup(key);
    return out->aux ? 0 : no_memory(err);
}

static void read_jobs(struct provider_reading *out, const cJSON *jobs)
{
    unsigned count = 0, done = 0, waiting = 0, failed = 0, cancelled = 0;
    const cJSON *job;
    cJSON_ArrayForEach (job, jobs) {
        const char *status = json_text(job, "status", "");
        count++;
        done += strcmp(status, "Done") == 0;
        waiting += strcmp(status, "Waiting") == 0;
        failed += strcmp(status, "Failed") == 0;
        cancelled += strcmp(status, "Canceled") == 0 || strcmp(status, "Cancelled") == 0;
    }
    out->state = count > 0 && waiting == count ? TASK_QUEUED : TASK_RUNNING;
    out->progress = count > 0 ? (int)(100 * (uint64_t)done / count) : -1;
    if (failed > 0) {
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK, "a job of the task failed");
    } else if (cancelled > 0) {
        out->state = TASK_CANCELLED;
    } else if (count > 0 && done == count) {
        out->state = TASK_SUCCEEDED;
        out->next = NEXT_RESULTS;
    }
}

/* 3 a GLB, 2 another model, 1 an archive, 0 what no figure is made from. */
static int worth(const cJSON *file)
{
    char ending[12];
    name_ending(ending, json_text(file, "name", ""));
    if (!url_is_plain(json_text(file, "url", "")))
        return 0;
    if (strcmp(ending, "glb") == 0)
        return 3;
    return strcmp(kind_of_ending(ending), "model") == 0 ? 2 : strcmp(ending, "zip") == 0;
}

/* The list fills up only after the jobs are done: without a model in it, it is asked for again. */
static int read_files(struct provider_reading *out, const cJSON *list, struct err *err)
{
    const cJSON *file, *best = NULL;
    char ending[12];
    cJSON_ArrayForEach (file, list)
        if (worth(file) > (best ? worth(best) : 0))
            best = file;
    out->state = best ? TASK_SUCCEEDED : TASK_RUNNING;
    if (!best)
        return 0;
    name_ending(ending, json_text(best, "name", ""));
    if (reading_add_result(out, json_text(best, "url", ""), "model", ending, err))
        return -1;
    cJSON_ArrayForEach (file, list) {
        name_ending(ending, json_text(file, "name", ""));
        const char *kind = kind_of_ending(ending);
        if (file != best &&
            reading_add_result(out, json_text(file, "url", ""),
                               strcmp(kind, "model") == 0 ? "other" : kind, ending, err))
            return -1;
    }
    return 0;
}

static int read_said(struct provider_reading *out, enum provider_op op, const cJSON *said,
                     struct err *err)
{
    const char *member = op == OP_POLL ? "jobs" : "list";
    if (read_body_error(out, said, op == OP_SUBMIT))
        return 0;
    if (op == OP_SUBMIT)
        return read_submitted(out, said, err);
    if (op == OP_BALANCE) {
        out->balance = json_number(said, "balance", -1);
        if (!isnan(json_number(said, "balance", NAN)))
            return 0;
    } else if (cJSON_IsArray(json_get(said, member))) {
        if (op == OP_RESULTS)
            return read_files(out, json_get(said, member), err);
        read_jobs(out, json_get(said, member));
        return 0;
    }
    reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "an answer of another form");
    return 0;
}

/* Sources differ on how the balance is asked for, so that GET is followed by POST. */
static int no_balance(struct provider_reading *out, const struct provider_call *call,
                      struct err *err)
{
    if (call->aux && *call->aux)
        return 0;
    out->retry = RETRY_ONCE;
    out->aux = strdup("POST");
    return out->aux ? 0 : no_memory(err);
}

static int read_answer(struct provider_reading *out, enum provider_op op,
                       const struct provider_call *call, const struct http_answer *answer,
                       struct err *err)
{
    *out = reading_start(TASK_SUCCEEDED);
    cJSON *said = reading_json(out, answer, op == OP_SUBMIT);
    if (!said) {
        refine_error(out, answer, op == OP_SUBMIT);
        return op == OP_BALANCE && (answer->status == 404 || answer->status == 405)
                   ? no_balance(out, call, err)
                   : 0;
    }
    int failed = read_said(out, op, said, err);
    cJSON_Delete(said);
    return failed;
}

const struct provider_driver provider_rodin = {
    .id = "rodin",
    .summary = "Hyper3D Rodin: one to four photos or a text",
    .needs_key = true,
    .takes_text = true,
    .takes_views = true,
    .default_url = "https://api.hyper3d.com/api/v2",
    .pace = {.submits_per_min = 10, /* their limits are not written down: a careful guess */
             .burst = 1,
             .max_in_flight = 4,
             .poll_s = 5,
             .poll_most_s = 10,
             .deadline_s = 1800},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_RESULTS) | OP_BIT(OP_BALANCE),
    .request = make_request,
    .read = read_answer,
};
