/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For tests of drivers, over exchange.h: whole requests (forms and keys too) against recorded ones,
 * and made-up answers against a conclusion in one line. Include with an `err` in sight. */
#ifndef TESTS_INTAKE_JUDGED_H
#define TESTS_INTAKE_JUDGED_H

#include "tests/intake/exchange.h"

/* A GLB of 12 bytes: the header alone, with its own length. */
static const uint8_t small_glb[12] = {'g', 'l', 'T', 'F', 2, 0, 0, 0, 12, 0, 0, 0};

static inline bool same_form(const struct http_request *request, const cJSON *parts)
{
    const cJSON *part;
    int values = 0;
    unsigned files = 0;
    cJSON_ArrayForEach (part, parts) {
        const char *name = json_text(part, "name", ""), *value = json_text(part, "value", NULL);
        if (!value) {
            const struct http_file *file = &request->files[files++];
            if (strcmp(file->name, name) != 0 ||
                strcmp(file->filename, json_text(part, "filename", "")) != 0 ||
                strcmp(file->mime, json_text(part, "content_type", "")) != 0)
                return false;
            continue;
        }
        values++;
        if (strcmp(json_text(request->form, name, "(none)"), value) != 0)
            return false;
    }
    return files == request->file_count && values == cJSON_GetArraySize(request->form);
}

/* Whether method, address, key and body (JSON or form) are those that were recorded. */
static inline bool same_request(const struct http_request *request, const cJSON *exchange)
{
    const cJSON *recorded = json_get(exchange, "request");
    const cJSON *parts = json_get(json_get(recorded, "body"), "$multipart");
    const char *key = json_text(json_get(recorded, "headers"), "Authorization", "");
    return !request_differs(request, exchange, "") && (!parts || same_form(request, parts)) &&
           strcmp(json_text(request->headers, "Authorization", ""), key) == 0;
}

static inline struct http_answer answer_with(int status, const void *data, size_t n)
{
    struct http_answer answer = {.status = status, .sent = true, .retry_after_s = -1};
    struct err inner;
    if (bytes_append(&answer.body, data, n, &inner))
        abort();
    return answer;
}

static inline struct http_answer answer_text(int status, const char *text)
{
    return answer_with(status, text, strlen(text));
}

/* Reads an answer and lets go of it. The caller frees the reading. */
static inline struct provider_reading read_as(const char *driver, enum provider_op op,
                                              const struct provider_call *call,
                                              struct http_answer answer)
{
    static const struct provider_settings plain = {.base_url = ""};
    struct provider_reading reading = {0};
    struct provider_call full = call ? *call : (struct provider_call){0};
    struct err inner;
    if (!full.settings)
        full.settings = &plain;
    if (provider_find(driver)->read(&reading, op, &full, &answer, &inner))
        abort();
    http_answer_free(&answer);
    return reading;
}

static inline bool is_read(const struct provider_reading *r, enum task_state state,
                           enum provider_error error, enum provider_retry retry)
{
    return r->state == state && r->error == error && r->retry == retry;
}

/* Builds a request with this call and compares; skips where nothing is recorded. */
#define CHECK_RECORDED(driver, op, call, folder, file)                                             \
    do {                                                                                           \
        struct http_request built_;                                                                \
        cJSON *exchange_ = exchange_read(folder, file);                                            \
        if (!exchange_)                                                                            \
            SKIP("no transcripts");                                                                \
        CHECK_OK(provider_find(driver)->request(&built_, op, call, &err));                         \
        bool same_ = same_request(&built_, exchange_);                                             \
        cJSON_Delete(exchange_);                                                                   \
        http_request_free(&built_);                                                                \
        if (!same_)                                                                                \
            TEST_GIVE_UP("%s: another request was recorded", file);                                \
    } while (0)

/* Reads an answer of that status and text, and wants this state, error and retry. */
#define CHECK_READ(driver, op, call, said_status, said, in_state, with_error, with_retry)          \
    do {                                                                                           \
        struct provider_reading r_ = read_as(driver, op, call, answer_text(said_status, said));    \
        bool as_wanted_ = is_read(&r_, in_state, with_error, with_retry);                          \
        char got_[120];                                                                            \
        snprintf(got_, sizeof got_, "%s, %s, %s", task_state_name(r_.state),                       \
                 provider_error_name(r_.error), provider_retry_name(r_.retry));                    \
        provider_reading_free(&r_);                                                                \
        if (!as_wanted_)                                                                           \
            TEST_GIVE_UP("%d %.60s reads as %s", said_status, said, got_);                         \
    } while (0)

#endif
