/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quotes over HTTP: /v1/quotes and what is below it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/api.h"
#include "service/quote.h"
#include "storage/order.h"

#define ROUTE "POST /v1/quotes"

static const char *folder_or_null(const struct request *request)
{
    const char *folder = request_settings(request)->config_folder;
    return *folder ? folder : NULL;
}

static int answer(struct reply *reply, struct request *request, const char *quote_id, int status,
                  struct err *err)
{
    cJSON *document = NULL;
    struct bytes text = {0};
    struct db *db = NULL;
    int failed = request_db(&db, request, err) ||
                 quote_document(&document, db, quote_id, request_settings(request), err) ||
                 json_print(&text, document, false, err);
    if (!failed && status == 201) {
        reply->status = status;
        reply_header(reply, "Location", "/v1/quotes/%s", quote_id);
        failed = reply_json(reply, (const char *)text.data, err);
    } else if (!failed) {
        failed = reply_json_etag(reply, request, api_etag((const char *)text.data).text,
                                 (const char *)text.data, err);
    }
    bytes_free(&text);
    cJSON_Delete(document);
    return failed ? -1 : 0;
}

/* Quote and kept key in one transaction. */
static int write_quote(char id[32], cJSON *document, const cJSON *form, struct request *request,
                       struct err *err)
{
    struct db *db = NULL;
    char told[80];
    if (request_db(&db, request, err) || db_begin(db, err))
        return -1;
    int failed = quote_store(id, db, document, form, err);
    snprintf(told, sizeof told, "{\"id\":\"%s\"}", failed ? "" : id);
    failed =
        failed ||
        idempotency_keep(db, ROUTE, request_header(request, "Idempotency-Key"), 201, told, err) ||
        db_commit(db, err);
    if (failed)
        db_rollback(db);
    return failed ? -1 : 0;
}

static int make_quote(char id[32], const cJSON *form, struct request *request, struct err *err)
{
    struct db *db = NULL;
    cJSON *document = NULL;
    if (request_db(&db, request, err))
        return -1;
    const struct quote_shop shop = {
        .settings = request_settings(request), .correction = quote_stored_correction, .user = db};
    int failed =
        quote_make(&document, form, &shop, err) || write_quote(id, document, form, request, err);
    cJSON_Delete(document);
    return failed ? -1 : 0;
}

static int replay(struct reply *reply, struct request *request, const char *kept, struct err *err)
{
    cJSON *told = NULL;
    if (json_parse(&told, kept, strlen(kept), err))
        return -1;
    reply_header(reply, "Idempotent-Replayed", "true");
    int failed = answer(reply, request, json_text(told, "id", ""), 201, err);
    cJSON_Delete(told);
    return failed;
}

int api_quote_create(struct request *request, struct reply *reply, struct err *err)
{
    char print[SHA256_HEX], id[ID_ROOM], *kept = NULL;
    cJSON *form = NULL;
    int known = 0;
    if (quote_form_read(&form, request->body.data, request->body.len, folder_or_null(request), err))
        return -1;
    sha256_hex(print, request->body.data, request->body.len);
    int failed = api_key_take(&known, &kept, request, ROUTE, print, err);
    if (!failed && known) {
        failed = replay(reply, request, kept, err);
    } else if (!failed) {
        failed = make_quote(id, form, request, err);
        if (failed && strcmp(err->code, "commit_in_doubt") != 0)
            api_key_release(request, ROUTE);
        if (!failed)
            failed = answer(reply, request, id, 201, err);
    }
    free(kept);
    cJSON_Delete(form);
    return failed ? -1 : 0;
}

int api_quote_show(struct request *request, struct reply *reply, struct err *err)
{
    return answer(reply, request, request->part[0], 200, err);
}

int api_quote_list(struct request *request, struct reply *reply, struct err *err)
{
    const char *cursor = request_query(request, "cursor");
    char count[12];
    int limit;
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    if (request_query_int(&limit, request, "limit", 1, 200, 50, err))
        return -1;
    if (cursor && !id_valid(cursor, "quo"))
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "this cursor is not one of ours");
    snprintf(count, sizeof count, "%d", limit + 1);
    if (request_db(&db, request, err) || DB_RUN(&rows, db, "quote_recent", err, cursor, count))
        return -1;
    int failed = api_reply_page(reply, "quotes", rows, limit, err);
    db_rows_free(rows);
    return failed;
}

static int reply_accuracy(struct reply *reply, struct db *db, int last, struct err *err)
{
    char count[12];
    struct db_rows *rows = NULL;
    snprintf(count, sizeof count, "%d", last);
    if (DB_RUN(&rows, db, "quote_accuracy", err, count))
        return -1;
    int failed = api_reply_page(reply, "groups", rows, 0, err);
    db_rows_free(rows);
    return failed;
}

int api_quote_accuracy(struct request *request, struct reply *reply, struct err *err)
{
    int last;
    struct db *db = NULL;
    if (request_query_int(&last, request, "last", 1, 10000, 200, err) ||
        request_db(&db, request, err))
        return -1;
    return reply_accuracy(reply, db, last, err);
}

/* Takes over what is found as the factors of new quotes, and shows it. */
int api_quote_settle(struct request *request, struct reply *reply, struct err *err)
{
    char count[12];
    int last;
    struct db *db = NULL;
    if (request_query_int(&last, request, "last", 1, 10000, 200, err) ||
        request_db(&db, request, err))
        return -1;
    snprintf(count, sizeof count, "%d", last);
    if (DB_RUN(NULL, db, "quote_settle", err, count))
        return -1;
    return reply_accuracy(reply, db, last, err);
}
