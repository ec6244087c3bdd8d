/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quotes in the database, and the orders that rest on them; see quote.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/quote.h"

int quote_store(char id[32], struct db *db, cJSON *document, const cJSON *form, struct err *err)
{
    struct bytes text = {0}, asked = {0};
    char total[32];
    id_new(id, "quo");
    if (!cJSON_ReplaceItemInObjectCaseSensitive(document, "id", cJSON_CreateString(id)))
        return FAIL(err, ERR_LIMIT, "no memory for a quote");
    snprintf(total, sizeof total, "%.0f", json_number(document, "total_minor", 0));
    int failed =
        json_print(&text, document, false, err) || json_print(&asked, form, false, err) ||
        DB_RUN(NULL, db, "quote_insert", err, id, (const char *)asked.data, (const char *)text.data,
               total, json_text(document, "currency", ""), json_text(document, "valid_until", ""));
    bytes_free(&text);
    bytes_free(&asked);
    return failed ? -1 : 0;
}

int quote_stored_correction(struct quote_correction *out, void *user, const char *template,
                            const char *photo_class, const char *printer, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, user, "quote_correction", err, template, photo_class, printer))
        return -1;
    if (db_row_count(rows))
        *out = (struct quote_correction){db_real(rows, 0, 0), db_real(rows, 0, 1),
                                         (int)db_int(rows, 0, 2)};
    db_rows_free(rows);
    return 0;
}

/* --- an order that cites one -------------------------------------------------------------------
 */

static int differs(const char *name, int number, struct err *err)
{
    return FAIL_CODE(err, ERR_INPUT, "quote_mismatch",
                     "/items/%d/%s: it is not what the quote was made for", number, name);
}

static int check_item(const cJSON *item, const cJSON *quoted, int number, struct err *err)
{
    static const char *const texts[] = {"template", "style", "material", "process"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(json_text(item, texts[i], ""), json_text(quoted, texts[i], "")) != 0)
            return differs(texts[i], number, err);
    if (json_number(item, "quantity", 1) != json_number(quoted, "quantity", 1))
        return differs("quantity", number, err);
    if (fabs(json_number(item, "height_mm", 0) - json_number(quoted, "height_mm", 0)) > 1e-6)
        return differs("height_mm", number, err);
    return 0;
}

static int check_items(const cJSON *order, const cJSON *quoted, struct err *err)
{
    const cJSON *items = json_get(order, "items"), *had = json_get(quoted, "items");
    int count = cJSON_GetArraySize(items), number = 0;
    const char *class = json_text(json_get(order, "consent"), "photo_class", "");
    if (strcmp(class, json_text(quoted, "photo_class", "")) != 0)
        return FAIL_CODE(err, ERR_INPUT, "quote_mismatch",
                         "/consent/photo_class: the quote is for another class of photo");
    if (count != cJSON_GetArraySize(had))
        return FAIL_CODE(err, ERR_INPUT, "quote_mismatch", "/items: the quote has %d",
                         cJSON_GetArraySize(had));
    for (; number < count; number++)
        if (check_item(cJSON_GetArrayItem(items, number), cJSON_GetArrayItem(had, number), number,
                       err))
            return -1;
    return 0;
}

/* quote: document, form, has it expired, the order that rests on it. */
static int check_quote(const struct db_rows *quote, const char *quote_id, const cJSON *order,
                       struct err *err)
{
    cJSON *form = NULL;
    if (db_row_count(quote) == 0)
        return FAIL_CODE(err, ERR_INPUT, "quote_unknown", "/quote_id: there is no quote %.40s",
                         quote_id);
    const char *text = db_text(quote, 0, 1);
    if (json_parse(&form, text, strlen(text), err))
        return -1;
    int failed = check_items(order, form, err);
    cJSON_Delete(form);
    if (failed)
        return -1;
    if (!db_is_null(quote, 0, 3))
        return FAIL_CODE(err, ERR_CONFLICT, "quote_used",
                         "/quote_id: order %s rests on that quote already", db_text(quote, 0, 3));
    return db_text(quote, 0, 2)[0] == 't'
               ? FAIL_CODE(err, ERR_CONFLICT, "quote_expired",
                           "/quote_id: quote %.40s is no longer valid; ask for a new one", quote_id)
               : 0;
}

int quote_check_order(struct db *db, const char *quote_id, const cJSON *order, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "quote_look", err, quote_id))
        return -1;
    int failed = check_quote(rows, quote_id, order, err);
    db_rows_free(rows);
    return failed;
}

int quote_bind(struct db *db, const char *order_id, const char *quote_id, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "quote_bind", err, order_id, quote_id))
        return err->kind == ERR_CONFLICT
                   ? FAIL_CODE(err, ERR_CONFLICT, "quote_used",
                               "/quote_id: another order rests on quote %.40s already", quote_id)
                   : -1;
    int bound = db_row_count(rows);
    db_rows_free(rows);
    return bound ? 0
                 : FAIL_CODE(err, ERR_CONFLICT, "quote_expired",
                             "/quote_id: quote %.40s has just expired", quote_id);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static int add_order(cJSON *document, struct db *db, const char *order_id,
                     const struct settings *settings, struct err *err)
{
    cJSON *actual = NULL;
    if (!*order_id) {
        cJSON_AddNullToObject(document, "order_id");
        return 0;
    }
    cJSON_AddStringToObject(document, "order_id", order_id);
    if (quote_actual(&actual, db, order_id, document, settings, err))
        return -1;
    cJSON_AddItemToObject(document, "actual", actual);
    return 0;
}

int quote_document(cJSON **out, struct db *db, const char *quote_id,
                   const struct settings *settings, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "quote_look", err, quote_id))
        return -1;
    const char *text = db_text(rows, 0, 0);
    int failed = db_row_count(rows) ? json_parse(out, text, strlen(text), err)
                                    : FAIL(err, ERR_ABSENT, "no quote %.40s", quote_id);
    if (!failed) {
        failed = add_order(*out, db, db_text(rows, 0, 3), settings, err);
        if (failed) {
            cJSON_Delete(*out);
            *out = NULL;
        }
    }
    db_rows_free(rows);
    return failed ? -1 : 0;
}
