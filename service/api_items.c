/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items: showing one, the review queue, deciding a review, packing. */
#include <stdlib.h>
#include <string.h>

#include "service/api.h"
#include "storage/flow.h"
#include "storage/order.h"

int api_need_text(const char **out, const cJSON *object, const char *name, size_t most,
                  struct err *err)
{
    *out = json_text(object, name, NULL);
    if (!*out || !**out)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                         "/%s: must be a text that is not empty", name);
    if (strlen(*out) > most)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                         "/%s: must have at most %zu characters", name, most);
    return 0;
}

int api_only_members(const cJSON *object, const char *const *names, struct err *err)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, object) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], member->string) != 0)
            i++;
        if (!names[i])
            return FAIL_CODE(err, ERR_INPUT, "schema_violation", "/%.60s: is not known here",
                             member->string);
    }
    return 0;
}

static int find_item(struct db_rows **rows, struct request *request, const char *item_id,
                     struct err *err)
{
    const char *parameters[] = {NULL, item_id, NULL, "1"};
    return request_one(rows, request, "item", "api_items", 4, parameters, err);
}

/* The version leads the ETag: If-Match compares it alone, since a decision binds to the item's
 * state and not to, say, the progress of a print. */
static void item_etag(char etag[64], const struct db_rows *rows, int row)
{
    snprintf(etag, 64, "%lld.%.12s", (long long)db_int(rows, row, 2),
             api_etag(db_text(rows, row, 1)).text);
}

int api_reply_item(struct reply *reply, struct request *request, const char *item_id,
                   struct err *err)
{
    struct db_rows *rows;
    char etag[64];
    if (find_item(&rows, request, item_id, err))
        return -1;
    item_etag(etag, rows, 0);
    int failed = reply_json_etag(reply, request, etag, db_text(rows, 0, 1), err);
    db_rows_free(rows);
    return failed;
}

int api_item_show(struct request *request, struct reply *reply, struct err *err)
{
    return api_reply_item(reply, request, request->part[0], err);
}

int api_review_list(struct request *request, struct reply *reply, struct err *err)
{
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    char count[12];
    int limit;
    const char *parameters[] = {NULL, NULL, "review", count};
    if (request_query_int(&limit, request, "limit", 1, 200, 100, err))
        return -1;
    snprintf(count, sizeof count, "%d", limit);
    if (request_db(&db, request, err) || db_run(&rows, db, "api_items", 4, parameters, err))
        return -1;
    int failed = api_reply_page(reply, "reviews", rows, 0, err);
    db_rows_free(rows);
    return failed;
}

/* "7" or "7.0123456789ab", quoted; the version alone counts. */
static int seen_version(int *version, const struct request *request, struct err *err)
{
    const char *seen = request_header(request, "If-Match");
    char *end;
    if (strncmp(seen, "W/", 2) == 0 || *seen != '"')
        return FAIL_CODE(err, ERR_CONFLICT, "etag_mismatch",
                         "If-Match must be the quoted ETag of the item");
    long value = strtol(seen + 1, &end, 10);
    if (end == seen + 1 || (*end != '"' && *end != '.') || value < 1 || value > 1000000000)
        return FAIL_CODE(err, ERR_CONFLICT, "etag_mismatch", "this ETag is not one of an item");
    *version = (int)value;
    return 0;
}

/* The item as it stands: the version that was seen, and options that its template offers. */
static int check_seen(struct request *request, int version, const cJSON *options, struct err *err)
{
    struct db_rows *rows;
    cJSON *item = NULL;
    if (find_item(&rows, request, request->part[0], err))
        return -1;
    const char *text = db_text(rows, 0, 1), *folder = request_settings(request)->config_folder;
    int now = (int)db_int(rows, 0, 2);
    int failed = now == version
                     ? json_parse(&item, text, strlen(text), err)
                     : FAIL_CODE(err, ERR_CONFLICT, "etag_mismatch",
                                 "the item has changed since: it is at version %d, you saw %d", now,
                                 version);
    failed = failed || api_review_options(options, json_text(item, "template", ""),
                                          *folder ? folder : NULL, err);
    cJSON_Delete(item);
    db_rows_free(rows);
    return failed ? -1 : 0;
}

static int read_decision(struct review_decision *d, char **options, const cJSON *body,
                         struct err *err)
{
    static const char *const members[] = {"decision", "threemf_hash", "reason",
                                          "options",  "regenerate",   NULL};
    if (api_only_members(body, members, err) ||
        api_need_text(&d->decision, body, "decision", 10, err))
        return -1;
    bool pass = strcmp(d->decision, "pass") == 0;
    if (!pass && strcmp(d->decision, "revise") != 0 && strcmp(d->decision, "reject") != 0)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                         "/decision: must be pass, revise or reject");
    if (pass && api_need_text(&d->threemf_hash, body, "threemf_hash", 64, err))
        return -1;
    if (!pass && api_need_text(&d->reason, body, "reason", 1000, err))
        return -1;
    d->reason = json_text(body, "reason", "");
    d->regenerate = json_bool(body, "regenerate", false);
    const cJSON *changes = json_get(body, "options");
    if (changes && !cJSON_IsObject(changes))
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", "/options: must be an object");
    *options = changes ? cJSON_PrintUnformatted(changes) : NULL;
    d->options = *options;
    return 0;
}

int api_item_review(struct request *request, struct reply *reply, struct err *err)
{
    struct review_decision decision = {.item_id = request->part[0], .actor = request->actor};
    char *options = NULL;
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed = read_decision(&decision, &options, body, err) ||
                 seen_version(&decision.expected_version, request, err) ||
                 check_seen(request, decision.expected_version, json_get(body, "options"), err) ||
                 review_decide(request->db, &decision, err);
    cJSON_free(options);
    cJSON_Delete(body);
    return failed ? -1 : api_reply_item(reply, request, request->part[0], err);
}

int api_item_pack(struct request *request, struct reply *reply, struct err *err)
{
    static const char *const members[] = {"part_code", NULL};
    struct db_rows *rows = NULL;
    char read[PART_CODE_ROOM];
    const char *code = "";
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed = api_only_members(body, members, err) ||
                 api_need_text(&code, body, "part_code", 40, err) ||
                 find_item(&rows, request, request->part[0], err);
    db_rows_free(rows);
    rows = NULL;
    if (!failed && part_code_read(read, code))
        failed = FAIL_CODE(err, ERR_INPUT, "part_code_wrong",
                           "/part_code: this is no part code: was it mistyped?");
    if (!failed) {
        const char *parameters[] = {request->part[0], read};
        failed = db_run(&rows, request->db, "api_part", 2, parameters, err);
        if (!failed && !db_row_count(rows))
            failed = FAIL_CODE(err, ERR_INPUT, "part_code_wrong",
                               "/part_code: this is not the code of a good part of this item");
    }
    struct move move = {"item", request->part[0], "part.packed", request->actor, NULL, NULL, 0};
    failed = failed || flow_move(NULL, request->db, &move, err);
    db_rows_free(rows);
    cJSON_Delete(body);
    return failed ? -1 : api_reply_item(reply, request, request->part[0], err);
}
