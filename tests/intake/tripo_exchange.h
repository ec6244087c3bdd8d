/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two tests of the tripo driver share: its settings and answers made up here. */
#ifndef TESTS_INTAKE_TRIPO_EXCHANGE_H
#define TESTS_INTAKE_TRIPO_EXCHANGE_H

#include "intake/provider/provider.h"
#include "intake/provider/reading.h"
#include "tests/test.h"

#define TASK "5f0c2d0e-7a5b-4b0e-9c55-1a2b3c4d5e6f"

static struct err err;

static const struct provider_settings v3 = {.api_key = "tsk_EXAMPLE"};
static const struct provider_settings v2 = {.api_key = "tsk_EXAMPLE", .dialect = "v2"};

static inline const struct provider_driver *driver(void)
{
    return provider_find("tripo");
}

static inline struct http_answer answer_text(int status, const char *text)
{
    struct http_answer answer = {.status = status, .sent = true, .retry_after_s = -1};
    if (bytes_append(&answer.body, text, strlen(text), &err))
        abort();
    return answer;
}

static inline struct provider_reading
read_call(enum provider_op op, const struct provider_call *call, int status, const char *text)
{
    struct provider_reading reading = {0};
    struct http_answer answer = answer_text(status, text);
    if (driver()->read(&reading, op, call, &answer, &err))
        abort();
    http_answer_free(&answer);
    return reading;
}

static inline struct provider_reading
read_as(enum provider_op op, const struct provider_settings *by, int status, const char *text)
{
    const struct provider_call call = {.settings = by, .task = TASK};
    return read_call(op, &call, status, text);
}

#endif
