/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The providers as they stand, and what they cost: GET /v1/providers and /v1/ledger. */
#include "service/api_providers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the list -----------------------------------------------------------------------------------
 */

static double rounded_cents(double credits, double unit_cents)
{
    return round(credits * unit_cents);
}

static void add_share(cJSON *o, const char *name, double part, double whole)
{
    if (whole > 0)
        cJSON_AddNumberToObject(o, name, round(1000 * part / whole) / 1000);
    else
        cJSON_AddNullToObject(o, name);
}

static void add_caps(cJSON *o, const struct provider_rules *rules)
{
    cJSON *caps = cJSON_AddObjectToObject(o, "caps");
    const double all[] = {rules->cap_item, rules->cap_order, rules->cap_day};
    static const char *const names[] = {"item", "order", "day"};
    for (int i = 0; i < 3; i++)
        if (isfinite(all[i]))
            cJSON_AddNumberToObject(caps, names[i], all[i]);
        else
            cJSON_AddNullToObject(caps, names[i]);
}

/* off, configured (set up, and nothing heard from it yet), ready, circuit_open. */
static const char *state_of(char why[260], const struct provider_rules *rules, const cJSON *figures)
{
    double wait_s = json_number(figures, "hold_s", 0);
    bool heard = json_number(figures, "succeeded", 0) > 0 ||
                 cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(figures, "balance"));
    *why = 0;
    if (!rules->on) {
        provider_rules_why_off(why, 260, rules);
        return "off";
    }
    if (json_bool(figures, "circuit_open", false)) {
        snprintf(why, 260, "%.180s; left alone for %.0f s",
                 json_text(figures, "circuit_reason", ""), json_number(figures, "circuit_s", 0));
        return "circuit_open";
    }
    if (wait_s > 0)
        snprintf(why, 260, "it asked us to wait, %.0f s more", wait_s);
    else if (!rules->driver->local && !heard)
        snprintf(why, 260, "nothing was heard from it yet; see provider test");
    return rules->driver->local || heard ? "ready" : "configured";
}

static void add_money(cJSON *o, const struct provider_rules *rules, const cJSON *figures)
{
    double cents = json_number(rules->config, "cents", 0);
    double today = json_number(figures, "spent_today", 0), all = json_number(figures, "spent", 0);
    cJSON_AddStringToObject(o, "unit", json_text(rules->config, "unit", ""));
    cJSON_AddNumberToObject(o, "unit_cents", cents);
    cJSON_AddNumberToObject(o, "spent_today", today);
    cJSON_AddNumberToObject(o, "spent_today_cents", rounded_cents(today, cents));
    cJSON_AddNumberToObject(o, "spent", all);
    cJSON_AddNumberToObject(o, "spent_cents", rounded_cents(all, cents));
}

static cJSON *provider_json(const struct provider_rules *rules, const cJSON *figures)
{
    static const char *const taken[] = {"balance",  "balance_at", "waiting",   "in_flight",
                                        "in_doubt", "lost",       "succeeded", "ended",
                                        "made",     "chosen",     "median_s"};
    char why[260];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", rules->driver->id);
    cJSON_AddStringToObject(o, "summary", rules->driver->summary);
    cJSON_AddStringToObject(o, "state", state_of(why, rules, figures));
    cJSON_AddStringToObject(o, "why", why);
    cJSON_AddBoolToObject(o, "self_hosted", rules->driver->local || rules->driver->self_hosted);
    add_money(o, rules, figures);
    add_caps(o, rules);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        cJSON *value = cJSON_GetObjectItemCaseSensitive(figures, taken[i]);
        cJSON_AddItemToObject(o, taken[i],
                              value ? cJSON_Duplicate(value, true) : cJSON_CreateNull());
    }
    add_share(o, "yield", json_number(figures, "succeeded", 0), json_number(figures, "ended", 0));
    add_share(o, "chosen_share", json_number(figures, "chosen", 0),
              json_number(figures, "made", 0));
    return o;
}

/* Settings that are wrong make a provider off, not the list fail. */
static int add_provider(cJSON *list, const struct provider_driver *driver,
                        const struct settings *settings, const cJSON *figures, struct err *err)
{
    struct provider_rules rules;
    struct err why = {0};
    if (provider_rules_load(&rules, driver, settings, &why) == 0) {
        cJSON_AddItemToArray(list, provider_json(&rules, figures));
        provider_rules_free(&rules);
        return 0;
    }
    if (why.kind != ERR_INPUT) {
        *err = why;
        return -1;
    }
    rules = (struct provider_rules){
        .driver = driver, .cap_item = INFINITY, .cap_order = INFINITY, .cap_day = INFINITY};
    cJSON *one = provider_json(&rules, figures);
    cJSON_ReplaceItemInObjectCaseSensitive(one, "why", cJSON_CreateString(why.what));
    cJSON_AddItemToArray(list, one);
    return 0;
}

static int ids_of_all(struct bytes *ids, struct err *err)
{
    const struct provider_driver *driver;
    for (size_t i = 0; (driver = provider_at(i)); i++)
        if (bytes_printf(ids, err, "%s%s", i ? "," : "", driver->id))
            return -1;
    return 0;
}

int api_provider_list(struct request *request, struct reply *reply, struct err *err)
{
    struct bytes ids = {0};
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    const struct provider_driver *driver;
    cJSON *page = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(page, "providers");
    int failed = ids_of_all(&ids, err) || request_db(&db, request, err) ||
                 DB_RUN(&rows, db, "provider_figures", err, (const char *)ids.data);
    for (size_t i = 0; !failed && (driver = provider_at(i)); i++) {
        cJSON *figures = NULL;
        const char *text = db_text(rows, (int)i, 1);
        failed = json_parse(&figures, text, strlen(text), err) ||
                 add_provider(list, driver, request_settings(request), figures, err);
        cJSON_Delete(figures);
    }
    reply->mime = "application/json";
    failed = failed || json_print(&reply->body, page, false, err);
    db_rows_free(rows);
    bytes_free(&ids);
    cJSON_Delete(page);
    return failed ? -1 : 0;
}

/* --- the ledger ---------------------------------------------------------------------------------
 */

struct ledger_query {
    const char *day, *order, *item, *cursor;
    char most[12];
    int limit;
};

/* A day that there is: 2026-02-30 is none. */
static bool is_day(const char *text)
{
    struct tm tm = {0};
    int y, m, d, n = 0;
    if (strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 ||
        y < 2000 || m < 1 || d < 1)
        return false;
    tm = (struct tm){.tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d, .tm_hour = 12};
    return timegm(&tm) != (time_t)-1 && tm.tm_mon == m - 1 && tm.tm_mday == d;
}

static int read_query(struct ledger_query *q, const struct request *request, struct err *err)
{
    q->day = request_query(request, "day");
    q->order = request_query(request, "order");
    q->item = request_query(request, "item");
    q->cursor = request_query(request, "cursor");
    if (request_query_int(&q->limit, request, "limit", 1, 1000, 200, err))
        return -1;
    snprintf(q->most, sizeof q->most, "%d", q->limit + 1);
    if (q->day && !is_day(q->day))
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "day must be a date as 2026-11-21");
    if (q->order && !id_valid(q->order, "ord"))
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "order must be the id of an order");
    if (q->item && !id_valid(q->item, "itm"))
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "item must be the id of an item");
    if (q->cursor && (!*q->cursor || strlen(q->cursor) > 18 ||
                      strspn(q->cursor, "0123456789") != strlen(q->cursor)))
        return FAIL_CODE(err, ERR_INPUT, "query_invalid", "this cursor is not one of ours");
    return 0;
}

/* What one unit of the provider is, and costs in cents; 0 where the shop has not said. */
static double unit_of(char unit[24], const char *id, const struct settings *settings)
{
    struct provider_rules rules;
    const struct provider_driver *driver = provider_find(id);
    struct err why = {0};
    *unit = 0;
    if (!driver || provider_rules_load(&rules, driver, settings, &why))
        return 0;
    double cents = json_number(rules.config, "cents", 0);
    snprintf(unit, 24, "%s", json_text(rules.config, "unit", ""));
    provider_rules_free(&rules);
    return cents;
}

static void add_sums(cJSON *page, const struct db_rows *rows, const struct settings *settings)
{
    double total = 0;
    cJSON *sums = cJSON_AddArrayToObject(page, "sums");
    for (int i = 0; i < db_row_count(rows); i++) {
        char unit[24];
        double cents = unit_of(unit, db_text(rows, i, 0), settings);
        double credits = db_real(rows, i, 1), held = db_real(rows, i, 2);
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "provider", db_text(rows, i, 0));
        cJSON_AddStringToObject(o, "unit", unit);
        cJSON_AddNumberToObject(o, "credits", credits);
        cJSON_AddNumberToObject(o, "held", held);
        cJSON_AddNumberToObject(o, "cents", rounded_cents(credits, cents));
        cJSON_AddNumberToObject(o, "tasks", (double)db_int(rows, i, 3));
        cJSON_AddItemToArray(sums, o);
        total += rounded_cents(credits, cents);
    }
    cJSON_AddNumberToObject(page, "total_cents", total);
}

static int add_entries(cJSON *page, const struct db_rows *rows, int limit, struct err *err)
{
    cJSON *entries = cJSON_AddArrayToObject(page, "entries");
    int count = db_row_count(rows), shown = count > limit ? limit : count;
    for (int i = 0; i < shown; i++) {
        cJSON *one;
        const char *text = db_text(rows, i, 1);
        if (json_parse(&one, text, strlen(text), err))
            return -1;
        cJSON_AddItemToArray(entries, one);
    }
    if (shown < count)
        cJSON_AddStringToObject(page, "next_cursor", db_text(rows, shown - 1, 0));
    else
        cJSON_AddNullToObject(page, "next_cursor");
    return 0;
}

int api_ledger(struct request *request, struct reply *reply, struct err *err)
{
    struct ledger_query q;
    struct db *db = NULL;
    struct db_rows *rows = NULL, *sums = NULL;
    if (read_query(&q, request, err))
        return -1;
    cJSON *page = cJSON_CreateObject();
    int failed =
        request_db(&db, request, err) ||
        DB_RUN(&rows, db, "provider_ledger", err, q.day, q.order, q.item, q.cursor, q.most) ||
        DB_RUN(&sums, db, "provider_ledger_sums", err, q.day, q.order, q.item) ||
        add_entries(page, rows, q.limit, err);
    if (!failed)
        add_sums(page, sums, request_settings(request));
    reply->mime = "application/json";
    failed = failed || json_print(&reply->body, page, false, err);
    db_rows_free(rows);
    db_rows_free(sums);
    cJSON_Delete(page);
    return failed ? -1 : 0;
}
