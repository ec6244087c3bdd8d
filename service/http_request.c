/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What handlers ask of a request and do to a reply; see http.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "service/http.h"

const char *request_header(const struct request *request, const char *name)
{
    return head_find(&request->head, name);
}

const char *request_query(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->head.query_count; i++)
        if (strcmp(request->head.query[i].name, name) == 0)
            return request->head.query[i].value;
    return NULL;
}

int request_query_int(int *out, const struct request *request, const char *name, int least,
                      int most, int otherwise, struct err *err)
{
    const char *text = request_query(request, name);
    char *end;
    *out = otherwise;
    if (!text)
        return 0;
    long value = strtol(text, &end, 10);
    if (!*text || *end || value < least || value > most)
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "%s must be a number from %d to %d", name,
                         least, most);
    *out = (int)value;
    return 0;
}

int request_json(cJSON **out, const struct request *request, struct err *err)
{
    *out = NULL;
    if (!request->body.len)
        *out = cJSON_CreateObject();
    else if (json_parse(out, request->body.data, request->body.len, err))
        return -1;
    if (cJSON_IsObject(*out))
        return 0;
    cJSON_Delete(*out);
    *out = NULL;
    return FAIL_CODE(err, ERR_INPUT, "schema_violation", ": must be an object");
}

int request_db(struct db **out, struct request *request, struct err *err)
{
    if (!request->db && pool_take(&request->db, request->http->pool, err))
        return -1;
    *out = request->db;
    return 0;
}

int request_one(struct db_rows **rows, struct request *request, const char *what,
                const char *statement, int count, const char *const *parameters, struct err *err)
{
    struct db *db;
    *rows = NULL;
    if (request_db(&db, request, err) || db_run(rows, db, statement, count, parameters, err))
        return -1;
    if (db_row_count(*rows) > 0)
        return 0;
    db_rows_free(*rows);
    *rows = NULL;
    return FAIL_CODE(err, ERR_ABSENT, "not_found", "there is no such %s", what);
}

const struct settings *request_settings(const struct request *request)
{
    return request->http->settings;
}

const struct blobs *request_blobs(const struct request *request)
{
    return &request->http->blobs;
}

void reply_header(struct reply *reply, const char *name, const char *fmt, ...)
{
    if (reply->header_count == sizeof reply->headers / sizeof *reply->headers)
        return;
    struct reply_header *header = &reply->headers[reply->header_count++];
    va_list list;
    header->name = name;
    va_start(list, fmt);
    vsnprintf(header->value, sizeof header->value, fmt, list);
    va_end(list);
    for (char *c = header->value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '_';
}

int reply_json(struct reply *reply, const char *json, struct err *err)
{
    reply->mime = "application/json";
    reply->body.limit = 0;
    return bytes_append(&reply->body, json, strlen(json), err);
}

int reply_json_etag(struct reply *reply, const struct request *request, const char *etag,
                    const char *json, struct err *err)
{
    const char *seen = request_header(request, "If-None-Match");
    reply_header(reply, "ETag", "\"%s\"", etag);
    reply_header(reply, "Cache-Control", "no-cache");
    if (seen && (strcmp(seen, "*") == 0 || strstr(seen, reply->headers[0].value))) {
        reply->status = 304;
        return 0;
    }
    return reply_json(reply, json, err);
}
