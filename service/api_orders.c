/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and cancelling orders: /v1/orders and what is below it but the export. */
#include <stdlib.h>
#include <string.h>

#include "service/api.h"
#include "service/quote.h"
#include "storage/order.h"

struct etag api_etag(const char *document)
{
    char hex[SHA256_HEX];
    struct etag etag;
    sha256_hex(hex, document, strlen(document));
    snprintf(etag.text, sizeof etag.text, "%.32s", hex);
    return etag;
}

int api_reply_page(struct reply *reply, const char *name, const struct db_rows *rows, int limit,
                   struct err *err)
{
    struct bytes *out = &reply->body;
    int count = db_row_count(rows), shown = limit && count > limit ? limit : count;
    out->limit = 0;
    reply->mime = "application/json";
    if (bytes_printf(out, err, "{\"%s\":[", name))
        return -1;
    for (int i = 0; i < shown; i++)
        if (bytes_printf(out, err, "%s%s", i ? "," : "", db_text(rows, i, 1)))
            return -1;
    if (shown < count)
        return bytes_printf(out, err, "],\"next_cursor\":\"%s\"}", db_text(rows, shown - 1, 0));
    return bytes_printf(out, err, "],\"next_cursor\":null}");
}

static int add_list(cJSON *order, const char *name, const struct db_rows *rows, struct err *err)
{
    cJSON *list = cJSON_AddArrayToObject(order, name), *one;
    for (int i = 0; i < db_row_count(rows); i++) {
        const char *text = db_text(rows, i, 1);
        if (json_parse(&one, text, strlen(text), err))
            return -1;
        cJSON_AddItemToArray(list, one);
    }
    return 0;
}

static int cost_of(cJSON **actual, cJSON *order, struct request *request, struct err *err)
{
    cJSON *quote = NULL;
    const char *quote_id = json_text(order, "quote_id", NULL);
    const struct settings *settings = request_settings(request);
    if (!quote_id)
        return quote_actual(actual, request->db, json_text(order, "id", ""), NULL, settings, err);
    if (quote_document(&quote, request->db, quote_id, settings, err))
        return -1;
    *actual = cJSON_DetachItemFromObjectCaseSensitive(quote, "actual");
    cJSON_AddItemToObject(order, "price_minor",
                          cJSON_DetachItemFromObjectCaseSensitive(quote, "total_minor"));
    cJSON_Delete(quote);
    return 0;
}

/* What it has cost so far; of one that rests on a quote, beside what was said. Without a word on
 * costs that can be read (`config check` says why) the order is shown without. */
static int add_cost(cJSON *order, struct request *request, struct err *err)
{
    cJSON *actual = NULL;
    if (cost_of(&actual, order, request, err) && err->kind != ERR_INPUT)
        return -1;
    cJSON_AddItemToObject(order, "cost", actual ? actual : cJSON_CreateNull());
    return 0;
}

int api_order_document(struct bytes *out, struct request *request, const char *order_id,
                       struct err *err)
{
    struct db_rows *head = NULL, *items = NULL, *issues = NULL;
    cJSON *order = NULL;
    bool external = order_id[0] == '@';
    const char *key[] = {external ? NULL : order_id, external ? order_id + 1 : NULL};
    int failed = request_one(&head, request, "order", "api_order", 2, key, err);
    if (!failed) {
        const char *of[] = {db_text(head, 0, 0), NULL, NULL, "1000"};
        failed = db_run(&items, request->db, "api_items", 4, of, err) ||
                 DB_RUN(&issues, request->db, "order_issues", err, of[0], "1000") ||
                 json_parse(&order, db_text(head, 0, 1), strlen(db_text(head, 0, 1)), err) ||
                 add_list(order, "items", items, err) || add_list(order, "issues", issues, err) ||
                 add_cost(order, request, err) || json_print(out, order, false, err);
    }
    cJSON_Delete(order);
    db_rows_free(issues);
    db_rows_free(items);
    db_rows_free(head);
    return failed ? -1 : 0;
}

int api_order_show(struct request *request, struct reply *reply, struct err *err)
{
    struct bytes text = {0};
    int failed = api_order_document(&text, request, request->part[0], err);
    if (!failed)
        failed = reply_json_etag(reply, request, api_etag((const char *)text.data).text,
                                 (const char *)text.data, err);
    bytes_free(&text);
    return failed;
}

int api_order_list(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const stages[] = {
        "draft",     "placed",        "in_preparation", "awaiting_customer",
        "released",  "in_production", "ready_to_ship",  "shipped",
        "completed", "cancelled",     "expired",        "failed"};
    const char *stage = request_query(request, "stage");
    const char *cursor = request_query(request, "cursor");
    char count[12];
    int limit;
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    if (request_query_int(&limit, request, "limit", 1, 200, 50, err))
        return -1;
    bool known = !stage;
    for (size_t i = 0; stage && i < sizeof stages / sizeof *stages; i++)
        known |= strcmp(stage, stages[i]) == 0;
    if (!known)
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "there is no stage %.40s", stage);
    if (cursor && !id_valid(cursor, "ord"))
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "this cursor is not one of ours");
    snprintf(count, sizeof count, "%d", limit + 1);
    const char *parameters[] = {cursor, stage, count};
    if (request_db(&db, request, err) || db_run(&rows, db, "api_orders", 3, parameters, err))
        return -1;
    int failed = api_reply_page(reply, "orders", rows, limit, err);
    db_rows_free(rows);
    return failed;
}

/* The id of the order that the path names by id or @external_id. */
static int order_id_of(char id[ID_ROOM], struct request *request, struct err *err)
{
    struct db_rows *rows;
    const char *named = request->part[0];
    bool external = named[0] == '@';
    const char *key[] = {external ? NULL : named, external ? named + 1 : NULL};
    if (request_one(&rows, request, "order", "api_order", 2, key, err))
        return -1;
    snprintf(id, ID_ROOM, "%s", db_text(rows, 0, 0));
    db_rows_free(rows);
    return 0;
}

int api_order_events(struct request *request, struct reply *reply, struct err *err)
{
    char id[ID_ROOM], count[12], after[12];
    int limit, cursor;
    struct db_rows *rows = NULL;
    if (request_query_int(&limit, request, "limit", 1, 1000, 200, err) ||
        request_query_int(&cursor, request, "cursor", 0, 2147483647, 0, err) ||
        order_id_of(id, request, err))
        return -1;
    snprintf(count, sizeof count, "%d", limit + 1);
    snprintf(after, sizeof after, "%d", cursor);
    const char *parameters[] = {id, after, count};
    if (db_run(&rows, request->db, "api_order_events", 3, parameters, err))
        return -1;
    int failed = api_reply_page(reply, "events", rows, limit, err);
    db_rows_free(rows);
    return failed;
}

int api_order_cancel(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const members[] = {"reason", NULL};
    char id[ID_ROOM];
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed = api_only_members(body, members, err) || order_id_of(id, request, err) ||
                 order_cancel(request->db, id, request->actor,
                              json_text(body, "reason", "cancelled through the API"), err);
    cJSON_Delete(body);
    if (failed)
        return -1;
    struct bytes text = {0};
    failed = api_order_document(&text, request, id, err) ||
             reply_json(reply, (const char *)text.data, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}
