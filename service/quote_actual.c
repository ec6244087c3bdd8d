/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an order has really taken, from its tasks, slices and runs, beside what was estimated; see
 * quote.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "service/costs.h"
#include "service/provider_rules.h"
#include "service/quote.h"

/* A row of storage/sql/quote_actual.sql. */
enum column {
    ITEM_ID,
    TEMPLATE,
    MATERIAL,
    PRINTER,
    WANTED,
    GOOD,
    SLICE_S,
    SLICE_G,
    SLICE_LAYERS,
    TIMED,
    TIMED_S,
    MADE_S,
    MADE_G,
    LOST,
    LOST_S,
    LOST_G,
    CREDITS
};

/* Minor units of what the ledger has, each provider's units at its price. */
static int money_of(int64_t *minor, cJSON *credits, const struct settings *settings,
                    struct err *err)
{
    cJSON *one;
    *minor = 0;
    cJSON_ArrayForEach (one, credits) {
        struct provider_rules rules;
        const struct provider_driver *driver = provider_find(one->string);
        if (!driver)
            continue; /* of a time when there was such a one */
        if (provider_rules_load(&rules, driver, settings, err))
            return -1;
        *minor += llround(one->valuedouble * json_number(rules.config, "cents", 0));
        provider_rules_free(&rules);
    }
    return 0;
}

/* The rates that the quote was made with, else those of today; of a printer or material that is no
 * longer there, those for any: what was printed on it stays readable. */
static void rates_of(struct price_rates *out, const struct db_rows *rows, int row,
                     const cJSON *quoted, const cJSON *costs, const struct settings *settings)
{
    const char *folder = *settings->config_folder ? settings->config_folder : NULL;
    struct printer_profile printer = {0};
    struct material_profile material = {0};
    struct err why;
    *out = (struct price_rates){0};
    if (quoted)
        costs_rates_read(out, json_get(quoted, "rates"));
    if (quoted || db_real(rows, row, MADE_S) + db_real(rows, row, LOST_S) +
                          db_real(rows, row, MADE_G) + db_real(rows, row, LOST_G) <=
                      0)
        return; /* nothing was printed: no need to read the files */
    bool known_printer =
        printer_profile_load(&printer, folder, db_text(rows, row, PRINTER), &why) == 0;
    bool known_material =
        material_profile_load(&material, folder, db_text(rows, row, MATERIAL), &why) == 0;
    costs_rates(out, costs, known_printer ? &printer : NULL, known_material ? &material : NULL);
    printer_profile_free(&printer);
    material_profile_free(&material);
}

static int64_t estimated(const cJSON *quoted, const char *code)
{
    const cJSON *line;
    cJSON_ArrayForEach (line, json_get(quoted, "lines"))
        if (strcmp(json_text(line, "code", ""), code) == 0)
            return llround(json_number(line, "minor", 0));
    return 0;
}

static void add_line(cJSON *lines, const char *code, int64_t minor, const cJSON *quoted)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "code", code);
    cJSON_AddNumberToObject(o, "minor", (double)minor);
    if (quoted) {
        int64_t said = estimated(quoted, code);
        cJSON_AddNumberToObject(o, "estimated_minor", (double)said);
        cJSON_AddNumberToObject(o, "difference_minor", (double)(minor - said));
    }
    cJSON_AddItemToArray(lines, o);
}

/* Seconds or milligrams as whole numbers; what is negative (a clock set back) counts as none. */
static int64_t whole(double value)
{
    return value > 0 && value < 1e12 ? llround(value) : 0;
}

/* The lines that are measured, and their sum. */
static int add_lines(cJSON *to, int64_t *sum, const struct db_rows *rows, int row,
                     const struct price_rates *rates, int64_t generation, const cJSON *quoted,
                     struct err *err)
{
    int64_t material, machine, electricity, lost[3];
    if (price_of_material(&material, whole(db_real(rows, row, MADE_G) * 1000), rates, err) ||
        price_of_time(&machine, &electricity, whole(db_real(rows, row, MADE_S)), rates, err) ||
        price_of_material(&lost[0], whole(db_real(rows, row, LOST_G) * 1000), rates, err) ||
        price_of_time(&lost[1], &lost[2], whole(db_real(rows, row, LOST_S)), rates, err))
        return -1;
    int64_t reprints = lost[0] + lost[1] + lost[2];
    cJSON *lines = cJSON_AddArrayToObject(to, "lines");
    add_line(lines, "generation", generation, quoted);
    add_line(lines, "material", material, quoted);
    add_line(lines, "machine", machine, quoted);
    add_line(lines, "electricity", electricity, quoted);
    add_line(lines, "reprints", reprints, quoted);
    *sum = generation + material + machine + electricity + reprints;
    cJSON_AddNumberToObject(to, "total_minor", (double)*sum);
    return 0;
}

static void add_real(cJSON *to, const char *name, double value, double step)
{
    cJSON_AddNumberToObject(to, name, round(value / step) * step);
}

static void add_piece(cJSON *to, const char *name, const struct db_rows *rows, int row,
                      const cJSON *quoted)
{
    cJSON *o = cJSON_AddObjectToObject(to, name);
    const cJSON *said = json_get(quoted, "estimate");
    int64_t timed = db_int(rows, row, TIMED);
    if (said) {
        add_real(o, "estimated_time_s", json_number(json_get(said, "time_s"), "p50", 0), 1);
        add_real(o, "estimated_grams", json_number(json_get(said, "grams"), "p50", 0), 0.01);
    }
    if (!db_is_null(rows, row, SLICE_S)) {
        add_real(o, "sliced_time_s", db_real(rows, row, SLICE_S), 1);
        add_real(o, "sliced_grams", db_real(rows, row, SLICE_G), 0.01);
    }
    if (timed > 0)
        add_real(o, "printed_time_s", db_real(rows, row, TIMED_S) / (double)timed, 1);
}

static int tell_item(cJSON *list, int64_t *sum, const struct db_rows *rows, int row,
                     const cJSON *quoted, const cJSON *costs, const struct settings *settings,
                     struct err *err)
{
    struct price_rates rates;
    const char *text = db_text(rows, row, CREDITS);
    cJSON *credits = NULL, *o = cJSON_CreateObject();
    int64_t generation, total = 0;
    cJSON_AddItemToArray(list, o);
    cJSON_AddStringToObject(o, "item_id", db_text(rows, row, ITEM_ID));
    cJSON_AddNumberToObject(o, "good", (double)db_int(rows, row, GOOD));
    cJSON_AddNumberToObject(o, "lost", (double)db_int(rows, row, LOST));
    if (json_parse(&credits, text, strlen(text), err))
        return -1;
    cJSON_AddItemToObject(o, "credits", credits);
    add_piece(o, "piece", rows, row, quoted);
    rates_of(&rates, rows, row, quoted, costs, settings);
    if (money_of(&generation, credits, settings, err) ||
        add_lines(o, &total, rows, row, &rates, generation, quoted, err))
        return -1;
    *sum += total;
    return 0;
}

int quote_actual(cJSON **out, struct db *db, const char *order_id, const cJSON *quote,
                 const struct settings *settings, struct err *err)
{
    struct db_rows *rows = NULL;
    cJSON *costs = NULL, *o = cJSON_CreateObject();
    const cJSON *items = json_get(quote, "items");
    int64_t sum = 0;
    int failed = costs_read(&costs, settings->config_folder, err) ||
                 DB_RUN(&rows, db, "quote_actual", err, order_id);
    const char *currency = json_text(quote, "currency", json_text(costs, "currency", ""));
    cJSON_AddStringToObject(o, "currency", currency);
    cJSON *list = cJSON_AddArrayToObject(o, "items");
    for (int i = 0; !failed && i < db_row_count(rows); i++)
        failed = tell_item(list, &sum, rows, i, cJSON_GetArrayItem(items, i), costs, settings, err);
    cJSON_AddNumberToObject(o, "total_minor", (double)sum);
    cJSON_Delete(costs);
    db_rows_free(rows);
    if (failed)
        cJSON_Delete(o);
    else
        *out = o;
    return failed ? -1 : 0;
}
