/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads server-sent events out of the text of a stream; see events.h. */
#include "intake/provider/events.h"

#include <stdio.h>
#include <string.h>

struct line {
    const char *text;
    size_t n;
};

/* The line at *at, without its end; false where its end has not come yet. */
static bool next_line(struct line *out, size_t *at, const char *text, size_t n)
{
    size_t end = *at;
    while (end < n && text[end] != '\n' && text[end] != '\r')
        end++;
    if (end == n)
        return false;
    *out = (struct line){text + *at, end - *at};
    *at = end + 1;
    if (text[end] == '\r' && *at < n && text[*at] == '\n')
        ++*at;
    return true;
}

/* Whether the line is of that field; *value is what follows the colon and one blank. */
static bool is_field(struct line *value, const struct line *line, const char *name)
{
    size_t length = strlen(name);
    if (line->n < length || memcmp(line->text, name, length) != 0)
        return false;
    *value = (struct line){line->text + length, line->n - length};
    if (value->n == 0)
        return true;
    if (*value->text != ':')
        return false;
    size_t skip = value->n > 1 && value->text[1] == ' ' ? 2 : 1;
    value->text += skip;
    value->n -= skip;
    return true;
}

static void event_empty(struct server_event *event)
{
    bytes_free(&event->data);
    snprintf(event->name, sizeof event->name, "message");
}

static int take_line(struct server_event *out, bool *has_data, const struct line *line,
                     struct err *err)
{
    struct line value;
    if (is_field(&value, line, "data")) {
        if (*has_data && bytes_append(&out->data, "\n", 1, err))
            return -1;
        *has_data = true;
        return bytes_append(&out->data, value.text, value.n, err);
    }
    if (is_field(&value, line, "event") && value.n > 0)
        snprintf(out->name, sizeof out->name, "%.*s", (int)(value.n < 32 ? value.n : 31),
                 value.text);
    return 0;
}

int server_event_next(struct server_event *out, size_t *at, const void *text, size_t n,
                      struct err *err)
{
    size_t here = *at;
    struct line line;
    bool has_data = false;
    event_empty(out);
    if (here == 0 && n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        here = 3;
    while (next_line(&line, &here, text, n)) {
        if (line.n > 0) {
            if (take_line(out, &has_data, &line, err))
                return -1;
            continue;
        }
        *at = here;
        if (out->data.len > 0)
            return 0;
        has_data = false;
        event_empty(out);
    }
    event_empty(out);
    return 1;
}

void server_event_free(struct server_event *event)
{
    if (event)
        bytes_free(&event->data);
}

int server_event_last(cJSON **out, char name[32], const void *text, size_t n, struct err *err)
{
    struct server_event event = {0};
    size_t at = 0;
    int ended;
    *out = NULL;
    while ((ended = server_event_next(&event, &at, text, n, err)) == 0) {
        cJSON *said = NULL;
        if (json_parse(&said, event.data.data, event.data.len, NULL) || !cJSON_IsObject(said)) {
            cJSON_Delete(said);
            continue;
        }
        cJSON_Delete(*out);
        *out = said;
        memcpy(name, event.name, sizeof event.name);
    }
    server_event_free(&event);
    if (ended > 0)
        return *out ? 0 : 1;
    cJSON_Delete(*out);
    *out = NULL;
    return -1;
}
