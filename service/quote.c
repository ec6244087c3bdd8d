/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a quote: estimate, cost and price of each item, and their sum; see quote.h. */
#include "service/quote.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assets.h"
#include "base/clock.h"
#include "intake/order_form.h"
#include "service/costs.h"
#include "service/estimate.h"

/* --- the form ----------------------------------------------------------------------------------
 */

static int check_schema(const cJSON *form, struct err *err)
{
    const struct asset *asset = asset_find("schemas/quote.schema.json");
    cJSON *schema;
    if (!asset)
        return FAIL(err, ERR_BUG, "schemas/quote.schema.json is not built in");
    if (json_parse(&schema, asset->data, asset->size, err))
        return -1;
    int failed = json_schema_check(schema, form, err);
    cJSON_Delete(schema);
    return failed;
}

static int complete_item(cJSON *item, int number, const char *config_folder, struct err *err)
{
    struct err inner = {0};
    cJSON *product;
    if (template_load(&product, config_folder, json_text(item, "template", ""), &inner))
        return inner.kind == ERR_INPUT ? FAIL_CODE(err, ERR_INPUT, inner.code,
                                                   "/items/%d/template: %.150s", number, inner.what)
                                       : FAIL_CODE(err, inner.kind, inner.code, "%s", inner.what);
    int failed = json_bool(product, "offered", true)
                     ? order_item_complete(item, number, product, err)
                     : FAIL_CODE(err, ERR_INPUT, "unknown_template",
                                 "/items/%d/template: it is not for sale", number);
    cJSON_Delete(product);
    return failed;
}

int quote_form_read(cJSON **form, const void *text, size_t n, const char *config_folder,
                    struct err *err)
{
    cJSON *item;
    int number = 0;
    if (json_parse(form, text, n, err))
        return -1;
    int failed = check_schema(*form, err);
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(*form, "items"))
        if (!failed)
            failed = complete_item(item, number++, config_folder, err);
    if (failed) {
        cJSON_Delete(*form);
        *form = NULL;
    }
    return failed ? -1 : 0;
}

/* --- one item ----------------------------------------------------------------------------------
 */

/* What all items of a quote share. */
struct making {
    const struct quote_shop *shop;
    const char *config_folder, *photo_class;
    cJSON *costs;
    struct estimates *estimates;
};

/* One item on its way. */
struct quoted {
    const cJSON *item;
    cJSON *product;
    struct profile profile;
    struct quote_generation generation;
    struct estimate_settings settings;
    struct estimate estimate;
    struct quote_correction correction;
    struct price_item priced;
    struct price price;
};

static void quoted_free(struct quoted *q)
{
    profile_free(&q->profile);
    cJSON_Delete(q->product);
    cJSON_Delete(q->generation.told);
}

static int load(struct quoted *q, const struct making *m, struct err *err)
{
    const char *printer =
        json_text(q->item, "printer", json_text(q->product, "printer_class", "ender3v3se"));
    const char *process =
        json_text(q->item, "process", json_text(json_get(q->product, "process"), "default", NULL));
    if (profile_load(&q->profile, m->config_folder, printer, json_text(q->item, "material", "pla"),
                     process, err))
        return -1;
    const char *currency = json_text(m->costs, "currency", "");
    if (strcmp(json_text(q->profile.material.settings, "currency", currency), currency) != 0)
        return FAIL_CODE(err, ERR_INPUT, "currency_mismatch",
                         "the price of %s is in %s, costs.json is in %s", q->profile.material.name,
                         json_text(q->profile.material.settings, "currency", ""), currency);
    double height = json_number(q->item, "height_mm", 0);
    if (height > q->profile.printer.bed_mm[2])
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range", "%g mm are more than %s prints",
                         height, q->profile.printer.name);
    return quote_generation(&q->generation, q->product, q->item, m->photo_class, m->costs,
                            m->shop->settings, err);
}

static double base_mm(const cJSON *product)
{
    const cJSON *base = json_get(json_get(product, "print"), "base");
    bool none = !base || strcmp(json_text(base, "shape", "none"), "none") == 0;
    return none ? 0 : json_number(base, "height_mm", 3);
}

/* By what is known best: a slice, a model's measures, or what such figures usually are. */
static int estimate_item(struct quoted *q, const struct making *m, struct err *err)
{
    const cJSON *known = json_get(q->item, "shape"), *slice = json_get(q->item, "slice");
    struct estimate_shape shape = {.height_mm = json_number(q->item, "height_mm", 0),
                                   .volume_mm3 = json_number(known, "volume_mm3", 0),
                                   .area_mm2 = json_number(known, "area_mm2", 0),
                                   .support_mm3 = json_number(known, "support_mm3", 0),
                                   .contact_area_mm2 = json_number(known, "contact_area_mm2", 0)};
    const struct estimate_subject subject = {.maker = q->generation.maker,
                                             .photo_class = m->photo_class,
                                             .height_mm = shape.height_mm,
                                             .base_mm = base_mm(q->product),
                                             .aspect = json_number(q->item, "aspect", 0)};
    struct estimate_spread spread;
    int figures = 0;
    if (!known && estimate_shape(&shape, &spread, &figures, m->estimates, &subject, err))
        return -1;
    estimate_settings_of(&q->settings, &q->profile);
    if (estimate_of_shape(&q->estimate, m->estimates, &shape, &q->settings, known ? NULL : &spread,
                          err))
        return -1;
    q->estimate.figures = figures;
    if (!known && subject.aspect > 0)
        snprintf(q->estimate.basis, sizeof q->estimate.basis, "photo");
    if (slice)
        estimate_of_slice(&q->estimate, json_number(slice, "time_s", 0),
                          json_number(slice, "grams", 0), json_number(slice, "layers", 0));
    return 0;
}

/* A slice needs no correction of its grams, but printers take longer than slicers say. */
static int correct(struct quoted *q, const struct making *m, struct err *err)
{
    q->correction = (struct quote_correction){1, 1, 0};
    if (m->shop->correction &&
        m->shop->correction(&q->correction, m->shop->user, json_text(q->item, "template", ""),
                            m->photo_class, q->profile.printer.id, err))
        return -1;
    if (strcmp(q->estimate.basis, "class") != 0 && strcmp(q->estimate.basis, "photo") != 0)
        q->correction = (struct quote_correction){1, 1, 0};
    estimate_correct(&q->estimate, q->correction.time_factor, q->correction.grams_factor);
    return 0;
}

static int price_it(struct quoted *q, const struct making *m, struct err *err)
{
    const cJSON *own = json_get(q->product, "price");
    const struct estimate *e = &q->estimate;
    bool careful = strcmp(json_text(m->costs, "priced_at", "p50"), "p90") == 0;
    struct price_item *p = &q->priced;
    p->quantity = llround(json_number(q->item, "quantity", 1));
    p->generation_minor = q->generation.minor;
    p->piece_time_s = llround(careful ? e->time_p90_s : e->time_s);
    p->piece_mg = llround((careful ? e->grams_p90 : e->grams) * 1000);
    costs_rates(&p->rates, m->costs, &q->profile.printer, &q->profile.material);
    costs_labour(&p->item_labour_s, &p->piece_labour_s, m->costs, json_get(q->product, "gates"),
                 e->support_g);
    return price_formula_read(&p->formula, own ? own : json_get(m->costs, "price"), err) ||
                   price_item(&q->price, p, err)
               ? -1
               : 0;
}

static void add_range(cJSON *to, const char *name, double p50, double p90, double step)
{
    cJSON *o = cJSON_AddObjectToObject(to, name);
    cJSON_AddNumberToObject(o, "p50", round(p50 / step) * step);
    cJSON_AddNumberToObject(o, "p90", round(p90 / step) * step);
}

static void add_estimate(cJSON *to, const struct estimate *e, double pieces)
{
    cJSON *o = cJSON_AddObjectToObject(to, "estimate");
    add_range(o, "time_s", e->time_s * pieces, e->time_p90_s * pieces, 1);
    add_range(o, "grams", e->grams * pieces, e->grams_p90 * pieces, 0.01);
    cJSON_AddNumberToObject(o, "support_g", round(e->support_g * pieces * 100) / 100);
}

/* In words, too, for people who wonder. */
static void add_basis(cJSON *to, const struct quoted *q, const struct making *m)
{
    cJSON *o = cJSON_AddObjectToObject(to, "based_on");
    const char *basis = q->estimate.basis, *maker = q->generation.maker;
    char text[120];
    if (strcmp(basis, "slice") == 0)
        snprintf(text, sizeof text, "the slice of the model itself");
    else if (strcmp(basis, "measures") == 0)
        snprintf(text, sizeof text, "the measures of the model itself");
    else
        snprintf(text, sizeof text, "%sheight, settings and %d %s",
                 strcmp(basis, "photo") == 0 ? "the photo's outline, " : "", q->estimate.figures,
                 strcmp(maker, "lithophane") == 0 ? "lithophanes"
                 : strcmp(maker, "relief") == 0   ? "figures of the built-in maker of such subjects"
                                                  : "models of such subjects");
    cJSON_AddStringToObject(o, "kind", basis);
    cJSON_AddStringToObject(o, "maker", maker);
    cJSON_AddStringToObject(o, "photo_class", m->photo_class);
    cJSON_AddNumberToObject(o, "figures", q->estimate.figures);
    cJSON_AddStringToObject(o, "text", text);
}

static void add_correction(cJSON *to, const struct quote_correction *c)
{
    cJSON *o = cJSON_AddObjectToObject(to, "correction");
    cJSON_AddNumberToObject(o, "time", c->time_factor);
    cJSON_AddNumberToObject(o, "grams", c->grams_factor);
    cJSON_AddNumberToObject(o, "samples", c->samples);
}

static void add_line(cJSON *lines, const char *code, int64_t minor)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "code", code);
    cJSON_AddNumberToObject(o, "minor", (double)minor);
    cJSON_AddItemToArray(lines, o);
}

static void add_price(cJSON *to, const struct quoted *q)
{
    int64_t n = q->priced.quantity;
    cJSON *lines = cJSON_AddArrayToObject(to, "lines");
    for (size_t i = 0; i < q->price.line_count; i++)
        add_line(lines, q->price.lines[i].code, q->price.lines[i].minor);
    cJSON_AddNumberToObject(to, "cost_minor", (double)q->price.cost_minor);
    cJSON_AddNumberToObject(to, "price_minor", (double)q->price.total_minor);
    cJSON_AddNumberToObject(to, "price_each_minor",
                            (double)((q->price.total_minor * 2 + n) / (2 * n)));
}

static cJSON *tell(struct quoted *q, const struct making *m, int position)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "position", position);
    cJSON_AddStringToObject(o, "template", json_text(q->item, "template", ""));
    cJSON_AddNumberToObject(o, "quantity", (double)q->priced.quantity);
    cJSON_AddNumberToObject(o, "height_mm", json_number(q->item, "height_mm", 0));
    cJSON_AddStringToObject(o, "style", json_text(q->item, "style", ""));
    cJSON_AddStringToObject(o, "material", q->profile.material.id);
    cJSON_AddStringToObject(o, "printer", q->profile.printer.id);
    cJSON_AddStringToObject(o, "process", q->profile.process_id);
    add_estimate(o, &q->estimate, 1);
    cJSON_AddNumberToObject(json_get(o, "estimate") ? cJSON_GetObjectItem(o, "estimate") : o,
                            "layers", q->estimate.layers);
    add_basis(o, q, m);
    add_correction(o, &q->correction);
    cJSON_AddItemToObject(o, "generation", q->generation.told);
    q->generation.told = NULL;
    cJSON_AddItemToObject(o, "settings", estimate_settings_json(&q->settings));
    cJSON_AddItemToObject(o, "rates", costs_rates_json(&q->priced.rates));
    add_price(o, q);
    return o;
}

static int quote_item(cJSON **out, struct estimate *sum, int64_t *total, const cJSON *item,
                      const struct making *m, int position, struct err *err)
{
    struct quoted q = {.item = item};
    int failed =
        template_load(&q.product, m->config_folder, json_text(item, "template", ""), err) ||
        load(&q, m, err) || estimate_item(&q, m, err) || correct(&q, m, err) ||
        price_it(&q, m, err);
    if (!failed) {
        double n = (double)q.priced.quantity;
        *out = tell(&q, m, position);
        *total += q.price.total_minor;
        sum->time_s += q.estimate.time_s * n;
        sum->time_p90_s += q.estimate.time_p90_s * n;
        sum->grams += q.estimate.grams * n;
        sum->grams_p90 += q.estimate.grams_p90 * n;
        sum->support_g += q.estimate.support_g * n;
    }
    quoted_free(&q);
    return failed ? -1 : 0;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static void add_times(cJSON *to, const cJSON *costs)
{
    char now[TIME_ROOM], until[TIME_ROOM];
    time_t end = time(NULL) + (time_t)json_number(costs, "valid_days", 14) * 86400;
    struct tm utc;
    gmtime_r(&end, &utc);
    clock_rfc3339(now);
    strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
    cJSON_AddStringToObject(to, "created_at", now);
    cJSON_AddStringToObject(to, "valid_until", until);
}

/* Items, what the order itself costs, and the tax on both. */
static int add_sums(cJSON *to, int64_t items, const cJSON *costs, struct err *err)
{
    int64_t packing = llround(json_number(json_get(costs, "packing"), "order_minor", 0)), vat, all;
    /* 8.25 and 9.975 percent are taxes, too */
    int64_t millionths = llround(json_number(costs, "vat_percent", 0) * 10000);
    if (price_share(&vat, items + packing, millionths, 1000000, err) ||
        price_share(&all, items + packing + vat, 1, 1, err))
        return -1;
    cJSON *lines = cJSON_AddArrayToObject(to, "lines");
    add_line(lines, "items", items);
    add_line(lines, "packing", packing);
    add_line(lines, "vat", vat);
    cJSON_AddNumberToObject(to, "total_minor", (double)all);
    return 0;
}

static int make(cJSON *document, const cJSON *form, const struct making *m, struct err *err)
{
    const cJSON *item;
    struct estimate sum = {0};
    int64_t total = 0;
    int position = 0;
    cJSON_AddNullToObject(document, "id");
    cJSON_AddStringToObject(document, "photo_class", m->photo_class);
    cJSON_AddStringToObject(document, "currency", json_text(m->costs, "currency", ""));
    cJSON_AddNumberToObject(document, "minor_digits", json_number(m->costs, "minor_digits", 2));
    add_times(document, m->costs);
    cJSON *items = cJSON_AddArrayToObject(document, "items");
    cJSON_ArrayForEach (item, json_get(form, "items")) {
        cJSON *one = NULL;
        if (quote_item(&one, &sum, &total, item, m, ++position, err))
            return -1;
        cJSON_AddItemToArray(items, one);
    }
    /* Figures of one order tend to be wrong the same way: their p90 add up. */
    add_estimate(document, &sum, 1);
    return add_sums(document, total, m->costs, err);
}

int quote_make(cJSON **document, const cJSON *form, const struct quote_shop *shop, struct err *err)
{
    const char *folder = shop->settings->config_folder;
    struct making m = {.shop = shop,
                       .config_folder = *folder ? folder : NULL,
                       .photo_class = json_text(form, "photo_class", "object")};
    cJSON *out = cJSON_CreateObject();
    int failed = costs_read(&m.costs, m.config_folder, err) ||
                 estimates_open(&m.estimates, m.config_folder, err) || make(out, form, &m, err);
    estimates_close(m.estimates);
    cJSON_Delete(m.costs);
    if (failed)
        cJSON_Delete(out);
    else
        *document = out;
    return failed ? -1 : 0;
}
