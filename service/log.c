/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON lines on stderr; see log.h. */
#include "service/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"

static enum log_level least_level = LOG_INFO;
static char role_name[16] = "statuette";

void log_open(enum log_level least, const char *role)
{
    least_level = least;
    snprintf(role_name, sizeof role_name, "%s", role);
}

/* A JSON string; bytes that are no UTF-8 text of ours never get here but control characters may. */
static bool quote(struct bytes *line, const char *text)
{
    bool failed = bytes_append(line, "\"", 1, NULL);
    for (const unsigned char *p = (const unsigned char *)text; *p && !failed; p++) {
        if (*p == '"' || *p == '\\')
            failed = bytes_printf(line, NULL, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            failed = bytes_printf(line, NULL, "\\u%04x", *p);
        else
            failed = bytes_append(line, p, 1, NULL);
    }
    return failed || bytes_append(line, "\"", 1, NULL);
}

static bool pair(struct bytes *line, const char *key, const char *text)
{
    return bytes_append(line, ",", 1, NULL) || quote(line, key) ||
           bytes_append(line, ":", 1, NULL) || quote(line, text ? text : "");
}

static void write_line(enum log_level level, const char *event, va_list pairs)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct bytes line = {.limit = 8192};
    char now[TIME_ROOM];
    clock_rfc3339(now);
    bool failed = bytes_printf(&line, NULL, "{\"time\":\"%s\",\"level\":\"%s\",\"role\":\"%s\"",
                               now, names[level], role_name);
    failed = failed || pair(&line, "event", event);
    const char *key;
    while (!failed && (key = va_arg(pairs, const char *)))
        failed = pair(&line, key, va_arg(pairs, const char *));
    if (!failed && bytes_append(&line, "}\n", 2, NULL) == 0) {
        /* one write a line, so that lines of several threads do not mix */
        ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
        (void)ignored;
    }
    bytes_free(&line);
}

void log_event(enum log_level level, const char *event, ...)
{
    if (level < least_level)
        return;
    va_list pairs;
    va_start(pairs, event);
    write_line(level, event, pairs);
    va_end(pairs);
}

void log_failure(enum log_level level, const char *event, const char *subject,
                 const struct err *err)
{
    log_event(level, event, "subject", subject ? subject : "", "kind", err_kind_name(err->kind),
              "code", err->code, "where", err->where ? err->where : "", "what", err->what, NULL);
}
