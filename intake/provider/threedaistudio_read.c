/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What 3D AI Studio's answers mean; half of the driver in threedaistudio.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/reading.h"
#include "intake/provider/threedaistudio.h"

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a reading");
}

/* {"code"|"error_code": word, "message"|"detail": words or an object of words}; any may lack. */
static void read_words(struct provider_reading *out, const cJSON *said)
{
    const char *code = json_text(said, "code", json_text(said, "error_code", ""));
    const char *words = json_text(said, "message", json_text(said, "detail", NULL));
    char *detail = words || !json_get(said, "detail")
                       ? NULL
                       : cJSON_PrintUnformatted(json_get(said, "detail"));
    reading_word(out->code, sizeof out->code, code);
    if (words || detail)
        reading_word(out->message, sizeof out->message, words ? words : detail);
    cJSON_free(detail);
}

static void refine_error(struct provider_reading *out, const struct http_answer *answer)
{
    cJSON *said = NULL;
    if (answer->body.len && !json_parse(&said, answer->body.data, answer->body.len, NULL))
        read_words(out, said);
    cJSON_Delete(said);
    if (out->error == PROVIDER_RATE && out->retry_after_s < 0)
        out->retry_after_s = 21; /* three a minute, and nothing says how long to wait */
    if (answer->status == 403 && strcmp(out->code, "insufficient_credits") == 0)
        out->error = PROVIDER_CREDITS;
    if (out->error == PROVIDER_BAD_INPUT && words_refuse_content(out->message)) {
        out->state = TASK_REJECTED;
        out->error = PROVIDER_CONTENT;
    }
}

/* A success without a number keeps their code, for the person who looks it up. */
static void read_submitted(struct provider_reading *out, const cJSON *said)
{
    const char *id = json_text(said, "task_id", NULL);
    if (!id)
        read_words(out, said);
    reading_submitted(out, id);
    out->created_s = reading_time(json_text(said, "created_at", ""));
}

static const char *asset_of(const cJSON *result)
{
    const char *url = json_text(result, "asset", json_text(result, "asset_url", ""));
    return url_is_plain(url) ? url : NULL;
}

/* What a person would take first: 0 nothing, then an archive, a scaled model, the model. */
static int worth(const cJSON *result)
{
    const char *type = json_text(result, "asset_type", "");
    char ending[12];
    if (!asset_of(result))
        return 0;
    name_ending(ending, asset_of(result));
    if (strcmp(type, "3D_MODEL") == 0)
        return 3;
    if (strcmp(type, "SCALED_3D_MODEL") == 0)
        return 2;
    if (strcmp(type, "ARCHIVE") == 0)
        return 1;
    return strstr(type, "IMAGE") || strcmp(kind_of_ending(ending), "model") != 0 ? 0 : 2;
}

static const cJSON *best_of(const cJSON *results)
{
    const cJSON *one, *best = NULL;
    cJSON_ArrayForEach (one, results)
        if (worth(one) > (best ? worth(best) : 0))
            best = one;
    return best;
}

/* The results may lag behind the word FINISHED: without a model among them it still runs. */
static int read_results(struct provider_reading *out, const cJSON *results, struct err *err)
{
    const cJSON *one, *best = best_of(results);
    out->state = best ? TASK_SUCCEEDED : TASK_RUNNING;
    if (!best)
        return 0;
    if (reading_add_result(out, asset_of(best), "model", NULL, err))
        return -1;
    cJSON_ArrayForEach (one, results) {
        bool image = strstr(json_text(one, "asset_type", ""), "IMAGE");
        if (one != best && asset_of(one) &&
            reading_add_result(out, asset_of(one), image ? "image" : "other", NULL, err))
            return -1;
        if (reading_add_result(out, json_text(one, "thumbnail", ""), "image", NULL, err))
            return -1;
    }
    return 0;
}

static void read_failure(struct provider_reading *out, const cJSON *said)
{
    const char *why = json_text(said, "failure_reason", "");
    if (words_refuse_content(why))
        reading_fail(out, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO, why);
    else
        reading_fail(out, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK, why);
    out->credits = 0; /* given back */
}

static int read_status(struct provider_reading *out, const cJSON *said, struct err *err)
{
    const char *status = json_text(said, "status", NULL);
    out->state = TASK_RUNNING; /* also for a word never seen before */
    out->progress = percent_of(json_number(said, "progress", -1));
    if (!status)
        reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "no status where one was due");
    else if (strcmp(status, "PENDING") == 0)
        out->state = TASK_QUEUED;
    else if (strcmp(status, "FINISHED") == 0)
        return read_results(out, json_get(said, "results"), err);
    else if (strcmp(status, "FAILED") == 0)
        read_failure(out, said);
    else if (strcmp(status, "CANCELLED") == 0 || strcmp(status, "CANCELED") == 0)
        out->state = TASK_CANCELLED;
    return 0;
}

static void read_balance(struct provider_reading *out, const cJSON *said)
{
    const char *text = json_text(said, "balance", NULL);
    char *end = NULL;
    double balance = text ? strtod(text, &end) : json_number(said, "balance", NAN);
    if (!isfinite(balance) || (text && (end == text || *end)))
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO, "no balance where one was due");
    else
        out->balance = balance;
}

/* Sources differ on where the wallet is, so that a 404 of the first asks for the second. */
static int no_wallet(struct provider_reading *out, const struct provider_call *call,
                     struct err *err)
{
    if (call->aux && *call->aux)
        return 0;
    out->retry = RETRY_ONCE;
    out->aux = strdup(OTHER_WALLET);
    return out->aux ? 0 : no_memory(err);
}

int threedaistudio_read(struct provider_reading *out, enum provider_op op,
                        const struct provider_call *call, const struct http_answer *answer,
                        struct err *err)
{
    int failed = 0;
    *out = reading_start(TASK_SUCCEEDED);
    cJSON *said = reading_json(out, answer, op == OP_SUBMIT);
    if (!said) {
        refine_error(out, answer);
        return op == OP_BALANCE && answer->status == 404 ? no_wallet(out, call, err) : 0;
    }
    if (op == OP_SUBMIT)
        read_submitted(out, said);
    else if (op == OP_BALANCE)
        read_balance(out, said);
    else
        failed = read_status(out, said, err);
    cJSON_Delete(said);
    return failed;
}
