/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP client of the command line; see cli_client.h. */
#include "service/cli_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const char *base_url(void)
{
    const char *url = getenv("STATUETTE_URL");
    return url && *url ? url : "http://127.0.0.1:8080";
}

static int prepare(struct http_request *r, const struct api_call *call, struct err *err)
{
    struct bytes url = {0}, authorization = {0};
    const char *key = getenv("STATUETTE_API_KEY");
    memset(r, 0, sizeof *r);
    snprintf(r->method, sizeof r->method, "%s", call->method);
    r->headers = cJSON_CreateObject();
    r->connect_s = 5;
    r->total_s = 300;
    r->max_bytes = (size_t)1 << 30;
    r->body.limit = (size_t)1 << 30;
    if (bytes_printf(&url, err, "%s%s", base_url(), call->path))
        return -1;
    r->url = (char *)url.data;
    if (key && *key) {
        if (bytes_printf(&authorization, err, "Bearer %s", key))
            return -1;
        cJSON_AddStringToObject(r->headers, "Authorization", (char *)authorization.data);
        bytes_free(&authorization);
    }
    if (call->key)
        cJSON_AddStringToObject(r->headers, "Idempotency-Key", call->key);
    if (call->if_match)
        cJSON_AddStringToObject(r->headers, "If-Match", call->if_match);
    if (call->body) {
        cJSON_AddStringToObject(r->headers, "Content-Type", "application/json");
        return json_print(&r->body, call->body, false, err);
    }
    if (call->raw) {
        cJSON_AddStringToObject(r->headers, "Content-Type", call->content_type);
        return bytes_append(&r->body, call->raw->data, call->raw->len, err);
    }
    return 0;
}

static enum err_kind kind_of_status(int status)
{
    switch (status) {
    case 401:
    case 403:
        return ERR_DENIED;
    case 404:
        return ERR_ABSENT;
    case 409:
    case 412:
    case 428:
        return ERR_CONFLICT;
    case 413:
        return ERR_LIMIT;
    case 429:
    case 502:
    case 503:
    case 504:
        return ERR_LATER;
    default:
        return status >= 500 ? ERR_BUG : ERR_INPUT;
    }
}

static int problem(const struct http_answer *answer, struct err *err)
{
    cJSON *told = NULL;
    if (json_parse(&told, answer->body.data, answer->body.len, NULL))
        told = NULL;
    int failed =
        FAIL_CODE(err, kind_of_status(answer->status), json_text(told, "code", ""), "%s",
                  json_text(told, "detail", json_text(told, "title", "the service refused")));
    if (err)
        err->native = answer->status;
    cJSON_Delete(told);
    return failed;
}

static int exchange(struct http_answer *answer, const struct api_call *call, struct err *err)
{
    struct http_request request;
    struct err inner = {0};
    memset(answer, 0, sizeof *answer);
    int failed = prepare(&request, call, err);
    if (!failed && http_send(answer, &request, &inner))
        failed = FAIL_CODE(err, ERR_LATER, "service_away",
                           "no answer from %s (%.80s); is `statuette up` running?", base_url(),
                           inner.what);
    http_request_free(&request);
    if (!failed && (answer->status < 200 || answer->status > 299))
        failed = problem(answer, err);
    return failed;
}

int api_send(cJSON **out, const struct api_call *call, struct err *err)
{
    struct http_answer answer;
    int failed = exchange(&answer, call, err);
    if (out)
        *out = NULL;
    if (!failed && out && answer.body.len)
        failed = json_parse(out, answer.body.data, answer.body.len, err);
    http_answer_free(&answer);
    return failed;
}

int api_fetch(struct bytes *out, const char *path, struct err *err)
{
    struct http_answer answer;
    struct api_call call = {.method = "GET", .path = path};
    int failed = exchange(&answer, &call, err);
    if (!failed)
        bytes_take(out, &answer.body);
    http_answer_free(&answer);
    return failed;
}

static int add_file(struct bytes *out, const char *boundary, const char *path, const char *name,
                    struct err *err)
{
    struct bytes file = {.limit = (size_t)128 << 20};
    if (bytes_read_file(&file, path, err))
        return -1;
    /* the service names files by content: a customer's file name never travels */
    int failed = bytes_printf(out, err,
                              "--%s\r\nContent-Disposition: form-data; name=\"%s\"; "
                              "filename=\"%s\"\r\nContent-Type: application/octet-stream\r\n\r\n",
                              boundary, name, name) ||
                 bytes_append(out, file.data, file.len, err) || bytes_append(out, "\r\n", 2, err);
    bytes_free(&file);
    return failed ? -1 : 0;
}

static int add_order(struct bytes *out, const char *boundary, const cJSON *order, struct err *err)
{
    return bytes_printf(out, err,
                        "--%s\r\nContent-Disposition: form-data; name=\"order\"\r\n"
                        "Content-Type: application/json\r\n\r\n",
                        boundary) ||
           json_print(out, order, false, err) || bytes_append(out, "\r\n", 2, err);
}

int api_order_body(struct bytes *out, char content_type[120], const cJSON *order,
                   const char *const *paths, int count, const char *model, struct err *err)
{
    char boundary[ID_ROOM], name[24];
    id_new(boundary, "form");
    snprintf(content_type, 120, "multipart/form-data; boundary=%s", boundary);
    out->limit = (size_t)1 << 30;
    if (order && add_order(out, boundary, order, err))
        return -1;
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "photo%d", i + 1);
        if (add_file(out, boundary, paths[i], name, err))
            return -1;
    }
    if (model && add_file(out, boundary, model, "model", err))
        return -1;
    return bytes_printf(out, err, "--%s--\r\n", boundary);
}

int api_path(char path[256], const char *before, const char *id, const char *after, struct err *err)
{
    if (!*id ||
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@") !=
            strlen(id) ||
        strlen(id) > 100)
        return FAIL_CODE(err, ERR_ABSENT, "not_found", "\"%.60s\" is no id", id);
    snprintf(path, 256, "%s%s%s", before, id, after);
    return 0;
}

void api_add_consent(cJSON *order, const char *photo_class)
{
    char now[TIME_ROOM];
    clock_rfc3339(now);
    cJSON *consent = cJSON_AddObjectToObject(order, "consent");
    cJSON_AddStringToObject(consent, "text_version", "by-operator");
    cJSON_AddStringToObject(consent, "given_at", now);
    cJSON_AddStringToObject(consent, "photo_class", photo_class);
}

int api_save_artifact(const cJSON *artifact, const char *folder, struct err *err)
{
    struct bytes data = {.limit = (size_t)1 << 30};
    char path[256], to[1400];
    const char *name = json_text(artifact, "name", "");
    if (!*name || strchr(name, '/') || *name == '.')
        return FAIL(err, ERR_BUG, "the service named a file \"%.40s\"", name);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    int failed = api_path(path, "/v1/files/", json_text(artifact, "sha256", ""), "", err) ||
                 api_fetch(&data, path, err) || file_write(to, data.data, data.len, err);
    bytes_free(&data);
    return failed ? -1 : 0;
}
