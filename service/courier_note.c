/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was asked and answered, as it is kept: without keys, signed addresses and photos. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "service/courier_own.h"

static bool is_secret(const char *name)
{
    static const char *const words[] = {"token",  "secret",   "authorization", "api_key",
                                        "apikey", "password", "signature",     "subscription_key"};
    for (size_t i = 0; name && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(name, words[i]) == 0)
            return true;
    return false;
}

static void redact_text(cJSON *value)
{
    char hash[SHA256_HEX], words[160];
    char *text = value->valuestring, *query = strchr(text, '?');
    if (is_secret(value->string)) {
        cJSON_SetValuestring(value, "left out");
    } else if (strlen(text) > 2000) {
        sha256_hex(hash, text, strlen(text));
        snprintf(words, sizeof words, "left out: %zu characters, sha256 %s", strlen(text), hash);
        cJSON_SetValuestring(value, words);
    } else if (query && strncmp(text, "http", 4) == 0) {
        query[1] = 0;
    }
}

void exchange_redact(cJSON *value)
{
    for (cJSON *child = value ? value->child : NULL; child; child = child->next) {
        if (cJSON_IsString(child))
            redact_text(child);
        exchange_redact(child);
    }
}

static void add_words(cJSON *to, const char *name, const struct bytes *body)
{
    cJSON *said = NULL;
    if (body->len == 0 || body->len > (1 << 20) || json_parse(&said, body->data, body->len, NULL))
        return;
    exchange_redact(said);
    cJSON_AddItemToObject(to, name, said);
}

static void add_url(cJSON *to, const char *url)
{
    char text[400];
    snprintf(text, sizeof text, "%s", url ? url : "");
    char *query = strchr(text, '?');
    if (query)
        query[1] = 0;
    cJSON_AddStringToObject(to, "url", text);
}

static void add_request(cJSON *to, const struct http_request *request)
{
    cJSON *j = cJSON_AddObjectToObject(to, "request");
    cJSON_AddStringToObject(j, "method", request->method);
    add_url(j, request->url);
    add_words(j, "body", &request->body);
    if (request->form) {
        cJSON *form = cJSON_Duplicate(request->form, true);
        exchange_redact(form);
        cJSON_AddItemToObject(j, "form", form);
    }
    for (unsigned i = 0; i < request->file_count; i++) {
        char hash[SHA256_HEX];
        cJSON *file = cJSON_CreateObject();
        sha256_hex(hash, request->files[i].data, request->files[i].bytes);
        cJSON_AddStringToObject(file, "name", request->files[i].name);
        cJSON_AddNumberToObject(file, "bytes", (double)request->files[i].bytes);
        cJSON_AddStringToObject(file, "sha256", hash);
        if (!json_get(j, "files"))
            cJSON_AddArrayToObject(j, "files");
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(j, "files"), file);
    }
}

static void add_answer(cJSON *to, const struct http_done *done)
{
    cJSON *j = cJSON_AddObjectToObject(to, "answer");
    cJSON_AddNumberToObject(j, "status", done->answer.status);
    if (done->failed) {
        cJSON_AddStringToObject(j, "failure", done->err.what);
        cJSON_AddBoolToObject(j, "sent", done->answer.sent);
    }
    cJSON_AddStringToObject(j, "content_type", done->answer.content_type);
    cJSON_AddNumberToObject(j, "bytes", (double)done->answer.body.len);
    add_words(j, "body", &done->answer.body);
}

static void add_reading(cJSON *to, const struct provider_reading *r)
{
    cJSON *j = cJSON_AddObjectToObject(to, "reading");
    cJSON_AddStringToObject(j, "state", task_state_name(r->state));
    cJSON_AddStringToObject(j, "error", provider_error_name(r->error));
    const struct {
        const char *name, *text;
    } texts[] = {{"code", r->code},
                 {"message", r->message},
                 {"trace", r->trace},
                 {"task", r->task},
                 {"model_version", r->model_version}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i].text)
            cJSON_AddStringToObject(j, texts[i].name, texts[i].text);
    if (r->credits >= 0)
        cJSON_AddNumberToObject(j, "credits", r->credits);
}

void exchange_note(struct flight *flight, const char *what, const struct http_done *done,
                   const struct provider_reading *reading)
{
    cJSON *j = cJSON_CreateObject();
    char at[TIME_ROOM];
    clock_rfc3339(at);
    cJSON_AddStringToObject(j, "at", at);
    add_request(j, &done->request);
    add_answer(j, done);
    if (reading)
        add_reading(j, reading);
    cJSON_DeleteItemFromObjectCaseSensitive(flight->exchange, what);
    cJSON_AddItemToObject(flight->exchange, what, j);
}
