/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the drivers when they build a request; see request.h. */
#include "intake/provider/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a request");
}

int call_start(struct http_request *out, const char *method, const char *base, struct err *err,
               const char *path, ...)
{
    struct bytes url = {0};
    char rest[4200]; /* a result's address with its signature may have 4 KiB */
    va_list list;
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    va_start(list, path);
    int wanted = vsnprintf(rest, sizeof rest, path, list);
    va_end(list);
    *out = (struct http_request){.connect_s = 10, .total_s = 60, .max_bytes = WORDS_BYTES_MOST};
    snprintf(out->method, sizeof out->method, "%s", method);
    if (strcmp(method, "GET") == 0)
        out->total_s = 20;
    if (wanted < 0 || (size_t)wanted >= sizeof rest)
        return FAIL(err, ERR_LIMIT, "an address that is too long");
    if (bytes_append(&url, base, n, err) || bytes_append(&url, rest, strlen(rest), err)) {
        bytes_free(&url);
        return -1;
    }
    out->url = (char *)url.data;
    out->headers = cJSON_CreateObject();
    if (out->headers)
        return 0;
    http_request_free(out);
    return no_memory(err);
}

int call_header(struct http_request *request, const char *name, struct err *err, const char *value,
                ...)
{
    char text[1024];
    va_list list;
    va_start(list, value);
    vsnprintf(text, sizeof text, value, list);
    va_end(list);
    return cJSON_AddStringToObject(request->headers, name, text) ? 0 : no_memory(err);
}

int call_json(struct http_request *request, cJSON *body, struct err *err)
{
    int failed = body ? 0 : no_memory(err);
    if (!failed)
        failed = call_header(request, "Content-Type", err, "application/json") ||
                 json_print(&request->body, body, false, err);
    cJSON_Delete(body);
    return failed ? -1 : 0;
}

int call_field(struct http_request *request, const char *name, struct err *err, const char *value,
               ...)
{
    char text[4096];
    va_list list;
    va_start(list, value);
    vsnprintf(text, sizeof text, value, list);
    va_end(list);
    if (!request->form)
        request->form = cJSON_CreateObject();
    return cJSON_AddStringToObject(request->form, name, text) ? 0 : no_memory(err);
}

int call_image(struct http_request *request, const char *name, const struct generation_image *image,
               struct err *err)
{
    bool is_png = image->mime && strcmp(image->mime, "image/png") == 0;
    if (request->file_count == HTTP_FILES)
        return FAIL(err, ERR_LIMIT, "more than %d files in a form", HTTP_FILES);
    request->files[request->file_count++] =
        (struct http_file){.name = name,
                           .filename = is_png ? "photo.png" : "photo.jpg",
                           .mime = is_png ? "image/png" : "image/jpeg",
                           .data = image->data,
                           .bytes = image->bytes};
    return 0;
}

char *image_text(const struct generation_image *image, bool as_uri)
{
    char start[64] = "";
    if (as_uri)
        snprintf(start, sizeof start, "data:%.30s;base64,",
                 image->mime ? image->mime : "image/jpeg");
    size_t n = strlen(start);
    char *text = malloc(n + 4 * ((image->bytes + 2) / 3) + 1);
    if (!text)
        return NULL;
    memcpy(text, start, n);
    base64_encode(text + n, image->data, image->bytes);
    return text;
}

int call_bearer(struct http_request *request, const struct provider_settings *settings,
                struct err *err)
{
    if (!settings || !settings->api_key || !*settings->api_key)
        return 0;
    return call_header(request, "Authorization", err, "Bearer %s", settings->api_key);
}

int body_image(cJSON *body, const char *name, const struct generation_image *image, struct err *err)
{
    char *text = image_text(image, true);
    cJSON *item = text ? cJSON_CreateString(text) : NULL;
    free(text);
    if (item && (name ? cJSON_AddItemToObject(body, name, item) : cJSON_AddItemToArray(body, item)))
        return 0;
    cJSON_Delete(item);
    return no_memory(err);
}

static bool is_kept(const char *kept, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = kept; (at = strstr(at, name)); at += n)
        if ((at == kept || at[-1] == ',') && (at[n] == ',' || at[n] == 0))
            return true;
    return false;
}

static int add_field(struct http_request *request, const cJSON *option, struct err *err)
{
    char *text =
        cJSON_IsString(option) ? strdup(option->valuestring) : cJSON_PrintUnformatted(option);
    int failed = text ? 0 : no_memory(err);
    if (!failed && request->form)
        cJSON_DeleteItemFromObjectCaseSensitive(request->form, option->string);
    if (!failed)
        failed = call_field(request, option->string, err, "%s", text);
    free(text);
    return failed;
}

int call_options(struct http_request *request, cJSON *body, const cJSON *options, const char *kept,
                 struct err *err)
{
    const cJSON *option;
    cJSON_ArrayForEach (option, options) {
        if (!option->string || is_kept(kept, option->string))
            continue;
        if (!body) {
            if (add_field(request, option, err))
                return -1;
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(body, option->string);
        cJSON *copy = cJSON_Duplicate(option, 1);
        if (!cJSON_AddItemToObject(body, option->string, copy)) {
            cJSON_Delete(copy);
            return no_memory(err);
        }
    }
    return 0;
}

bool task_id_is_plain(const char *id)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:";
    size_t n = strlen(id);
    return n > 0 && n <= 128 && strspn(id, allowed) == n && strcmp(id, ".") != 0 &&
           strcmp(id, "..") != 0;
}

char *url_encode(const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    char *out = malloc(3 * strlen(text) + 1), *at = out;
    for (; out && *text; text++) {
        if (strchr(plain, *text))
            *at++ = *text;
        else
            at += snprintf(at, 4, "%%%02X", (unsigned char)*text);
    }
    if (out)
        *at = 0;
    return out;
}

const char *base_of(const struct provider_settings *settings, const struct provider_driver *driver)
{
    return settings && settings->base_url && *settings->base_url ? settings->base_url
                                                                 : driver->default_url;
}

size_t text_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

bool has_view(const struct generation_spec *spec, enum generation_view view)
{
    return spec->images[view].bytes > 0 || spec->images[view].token;
}

unsigned count_views(const struct generation_spec *spec)
{
    unsigned count = 0;
    for (int view = 0; view < VIEW_COUNT; view++)
        count += has_view(spec, (enum generation_view)view);
    return count;
}
