/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Tripo sends by itself: V3's webhooks, and the frames of V2's watch. Both are hints.
 *
 * Tripo-Webhook-Signature: t=UNIX,v1=HEX[,v1=HEX]; the key is the whole secret with its "whsec_",
 * the text is t, a point and the body; while a secret is changed there are two v1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/reading.h"
#include "intake/provider/signature.h"
#include "intake/provider/tripo.h"

#define SIGNATURES_MOST 8 /* in one header */

/* The next part of a=b,c=d at *at: its value, with *n its length, where it has that name. */
static const char *next_part(const char **at, size_t *n, const char *name)
{
    const char *part = *at + strspn(*at, ", ");
    size_t length = strcspn(part, ","), name_bytes = strlen(name);
    *at = part + length;
    *n = 0;
    if (length <= name_bytes || strncmp(part, name, name_bytes) != 0 || part[name_bytes] != '=')
        return NULL;
    while (length > 0 && part[length - 1] == ' ')
        length--;
    *n = length - name_bytes - 1;
    return part + name_bytes + 1;
}

static bool is_signed(const char *header, const struct provider_pushed *pushed)
{
    const char *time = NULL, *at = header;
    size_t n, time_bytes = 0;
    while (*at && !time)
        time = next_part(&at, &time_bytes, "t");
    if (!time || !signature_is_fresh(signature_time(time, time_bytes), pushed->now_s))
        return false;
    const struct hash_part parts[] = {{time, time_bytes}, {".", 1}, {pushed->body, pushed->bytes}};
    at = header;
    for (int count = 0; *at && count < SIGNATURES_MOST;) {
        const char *hex = next_part(&at, &n, "v1");
        count += hex != NULL;
        if (hex && signature_hmac_hex(hex, n, pushed->secret, strlen(pushed->secret), parts, 3))
            return true;
    }
    return false;
}

/* Without a secret of the shop's nobody can tell; with one, what is not signed is not Tripo's. */
static enum push_trust trust_of(const struct provider_pushed *pushed)
{
    if (!pushed->secret || !*pushed->secret)
        return PUSH_UNSIGNED;
    return is_signed(json_text(pushed->headers, "tripo-webhook-signature", ""), pushed)
               ? PUSH_VALID
               : PUSH_INVALID;
}

/* A failure without a status word is still told by the event. */
static int read_pushed_task(struct provider_push *out, const cJSON *data, const char *event,
                            struct err *err)
{
    snprintf(out->event, sizeof out->event, "task");
    if (!cJSON_IsObject(data)) {
        reading_fail(&out->reading, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO,
                     "a push without its task");
        return 0;
    }
    cJSON *task = cJSON_Duplicate(data, true);
    int failed = 0;
    if (task && !json_text(task, "status", NULL)) {
        cJSON_DeleteItemFromObjectCaseSensitive(task, "status");
        cJSON_AddStringToObject(task, "status",
                                strcmp(event, "task.completed") == 0 ? "success" : "failed");
    }
    if (!task)
        failed = FAIL(err, ERR_LIMIT, "no memory for a push");
    else
        failed = tripo_read_task(&out->reading, task, false, false, err);
    cJSON_Delete(task);
    return failed;
}

int tripo_push_read(struct provider_push *out, const struct provider_pushed *pushed,
                    struct err *err)
{
    cJSON *said = NULL;
    int failed = 0;
    *out =
        (struct provider_push){.trust = trust_of(pushed), .reading = reading_start(TASK_UNKNOWN)};
    if (out->trust == PUSH_INVALID)
        return 0;
    if (pushed->bytes == 0 || json_parse(&said, pushed->body, pushed->bytes, NULL)) {
        reading_fail(&out->reading, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO, "a push is no JSON");
        return 0;
    }
    const char *id = json_text(said, "id", "");
    const char *event = json_text(said, "type", "");
    const cJSON *data = json_get(said, "data");
    reading_word(out->delivery, sizeof out->delivery,
                 json_text(pushed->headers, "tripo-webhook-delivery", id));
    if (strcmp(event, "task.completed") == 0 || strcmp(event, "task.failed") == 0) {
        failed = read_pushed_task(out, data, event, err);
    } else {
        reading_word(out->event, sizeof out->event, event);
        double balance = json_number(data, "balance", -1);
        out->reading.balance = balance >= 0 && balance < 1e12 ? balance : -1;
    }
    cJSON_Delete(said);
    return failed;
}

/* A frame is {event, data: task}. One that is cut is still on its way. */
static int read_frame(struct provider_reading *out, const char *line, size_t n, struct err *err)
{
    cJSON *frame = NULL;
    int failed = 0;
    if (n == 0 || json_parse(&frame, line, n, NULL))
        return 0;
    const cJSON *task = json_get(frame, "data");
    if (json_text(task, "status", NULL)) {
        provider_reading_free(out);
        *out = reading_start(TASK_RUNNING);
        failed = tripo_read_task(out, task, true, true, err);
    }
    cJSON_Delete(frame);
    return failed;
}

int tripo_read_frames(struct provider_reading *out, const struct http_answer *answer,
                      struct err *err)
{
    *out = reading_start(TASK_RUNNING);
    if (answer->status != 101 && reading_http_error(out, answer, false))
        return 0;
    const char *line = answer->body.data ? (const char *)answer->body.data : "";
    while (*line) {
        size_t n = strcspn(line, "\r\n");
        if (read_frame(out, line, n, err))
            return -1;
        line += n + strspn(line + n, "\r\n");
    }
    return 0;
}
