/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For tests of drivers: requests held against recorded ones, answers made up in the test. */
#ifndef TESTS_INTAKE_EXCHANGE_H
#define TESTS_INTAKE_EXCHANGE_H

#include <unistd.h>

#include "intake/provider/provider.h"
#include "intake/provider/reading.h"
#include "tests/test.h"

/* What the recorded requests have for a photo. */
static const uint8_t recorded_photo[] = {0xff, 0xd8, 0xff, 0xe0, 0,    16,   'J', 'F',
                                         'I',  'F',  0,    1,    1,    0,    0,   1,
                                         0,    1,    0,    0,    0xff, 0xdb, 0,   0x43};
#define PHOTO                                                                                      \
    {                                                                                              \
        .data = recorded_photo, .bytes = sizeof recorded_photo, .mime = "image/jpeg"               \
    }

/** The recorded exchange, which the caller deletes, or NULL where there are none. */
static inline cJSON *exchange_read(const char *folder, const char *file)
{
    const char *shared = getenv("STATUETTE_SHARED");
    char path[700];
    cJSON *exchange = NULL;
    snprintf(path, sizeof path, "%s/transcripts/%s/%s.json",
             shared && *shared ? shared : "../shared", folder, file);
    if (access(path, R_OK) != 0 || json_read_file(&exchange, path, NULL))
        return NULL;
    return exchange;
}

static inline bool body_differs(const struct http_request *request, const cJSON *body,
                                const char *ours_too)
{
    cJSON *ours = NULL;
    char names[200], *at = names;
    if (!body || cJSON_IsNull(body))
        return request->body.len > 0;
    if (!request->body.len || json_parse(&ours, request->body.data, request->body.len, NULL))
        return true;
    snprintf(names, sizeof names, "%s", ours_too);
    for (char *name; (name = strsep(&at, ","));)
        cJSON_DeleteItemFromObjectCaseSensitive(ours, name);
    bool differs = !cJSON_Compare(ours, body, 1);
    cJSON_Delete(ours);
    return differs;
}

/** NULL where the request is the recorded one but for members of ours, or what differs. */
static inline const char *request_differs(const struct http_request *request, const cJSON *exchange,
                                          const char *ours_too)
{
    const cJSON *recorded = json_get(exchange, "request");
    char url[600];
    snprintf(url, sizeof url, "%s%s", json_text(json_get(exchange, "meta"), "base_url", ""),
             json_text(recorded, "path", ""));
    if (strcmp(request->method, json_text(recorded, "method", "")) != 0)
        return "method";
    if (strcmp(request->url, url) != 0)
        return request->url;
    const cJSON *body = json_get(recorded, "body");
    return !json_get(body, "$multipart") && body_differs(request, body, ours_too)
               ? (request->body.data ? (const char *)request->body.data : "body")
               : NULL;
}

/** Reads an answer made up of a status and a text, with the headers of `headers` as JSON or NULL.
 */
static inline struct provider_reading read_made_up(const struct provider_driver *driver,
                                                   enum provider_op op,
                                                   const struct provider_call *call, int status,
                                                   const char *text, const char *headers)
{
    struct provider_reading reading;
    struct http_answer answer = {.status = status, .sent = true, .retry_after_s = -1};
    struct err ignored;
    if (headers)
        answer.headers = cJSON_Parse(headers);
    const char *wait = json_text(answer.headers, "retry-after", NULL);
    if (wait)
        answer.retry_after_s = atof(wait);
    if (bytes_append(&answer.body, text, strlen(text), &ignored) ||
        driver->read(&reading, op, call, &answer, &ignored))
        abort();
    http_answer_free(&answer);
    return reading;
}

/** The body of a request, which the caller deletes. */
static inline cJSON *request_body(const struct http_request *request)
{
    cJSON *body = NULL;
    if (json_parse(&body, request->body.data, request->body.len, NULL))
        return NULL;
    return body;
}

#endif
