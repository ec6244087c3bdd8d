/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Costs and prices in whole minor units; see price.h. */
#include "service/price.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int price_share(int64_t *out, int64_t a, int64_t b, int64_t c, struct err *err)
{
    if (a < 0 || b < 0 || c <= 0)
        return FAIL_CODE(err, ERR_INPUT, "price_invalid", "an amount is negative");
    __extension__ unsigned __int128 twice = (unsigned __int128)a * (unsigned __int128)b * 2;
    twice = (twice + (uint64_t)c) / ((uint64_t)c * 2);
    if (twice > PRICE_MINOR_MOST)
        return FAIL_CODE(err, ERR_LIMIT, "price_overflow", "an amount is too large to be a price");
    *out = (int64_t)twice;
    return 0;
}

/* All amounts are below PRICE_MINOR_MOST, so that the sum of a few fits. */
static int add(int64_t *sum, int64_t more, struct err *err)
{
    *sum += more;
    return *sum <= PRICE_MINOR_MOST
               ? 0
               : FAIL_CODE(err, ERR_LIMIT, "price_overflow", "the sum is too large to be a price");
}

int price_of_time(int64_t *machine, int64_t *electricity, int64_t seconds,
                  const struct price_rates *rates, struct err *err)
{
    int64_t watt_hours_milli;
    if (machine && price_share(machine, seconds, rates->machine_hour, 3600, err))
        return -1;
    if (!electricity)
        return 0;
    return price_share(&watt_hours_milli, seconds * 5, rates->power_w, 18, err) ||
                   price_share(electricity, watt_hours_milli, rates->kwh, 1000000, err)
               ? -1
               : 0;
}

int price_of_material(int64_t *minor, int64_t mg, const struct price_rates *rates, struct err *err)
{
    return price_share(minor, mg, rates->material_kg, 1000000, err);
}

static void put(struct price *out, const char *code, int64_t minor)
{
    out->lines[out->line_count++] = (struct price_line){code, minor};
}

int64_t price_line(const struct price *price, const char *code)
{
    for (size_t i = 0; i < price->line_count; i++)
        if (strcmp(price->lines[i].code, code) == 0)
            return price->lines[i].minor;
    return 0;
}

/* What making costs: each line of all pieces together. */
static int cost_lines(struct price *out, const struct price_item *item, int64_t quantity,
                      struct err *err)
{
    const struct price_rates *r = &item->rates;
    int64_t mg, time_s, labour_s, material, machine, electricity, labour, packing, reprints;
    if (price_share(&mg, item->piece_mg, quantity, 1, err) ||
        price_share(&time_s, item->piece_time_s, quantity, 1, err) ||
        price_share(&labour_s, item->piece_labour_s, quantity, 1, err) ||
        add(&labour_s, item->item_labour_s, err) || price_of_material(&material, mg, r, err) ||
        price_of_time(&machine, &electricity, time_s, r, err) ||
        price_share(&labour, labour_s, r->labour_hour, 3600, err) ||
        price_share(&packing, r->packing_piece, quantity, 1, err))
        return -1;
    /* To have one good part, 1/(1-f) are begun. */
    if (price_share(&reprints, material + machine + electricity, r->failed_permille,
                    1000 - r->failed_permille, err))
        return -1;
    out->line_count = 0;
    out->cost_minor = 0;
    put(out, "generation", item->generation_minor);
    put(out, "material", material);
    put(out, "machine", machine);
    put(out, "electricity", electricity);
    put(out, "labour", labour);
    put(out, "packing", packing);
    put(out, "reprints", reprints);
    for (size_t i = 0; i < out->line_count; i++)
        if (add(&out->cost_minor, out->lines[i].minor, err))
            return -1;
    return 0;
}

static int64_t discount_of(const struct price_formula *f, int64_t quantity)
{
    int64_t permille = 0;
    for (size_t i = 0; i < f->discount_count; i++)
        if (quantity >= f->discounts[i].from)
            permille = f->discounts[i].permille;
    return permille;
}

/* The least price of the form n * step + charm that is not below. */
static int64_t rounded_up(const struct price_formula *f, int64_t minor)
{
    int64_t step = f->round_up_minor, charm = f->charm_minor;
    if (step <= 1 || minor == 0)
        return minor;
    int64_t over = minor > charm ? minor - charm : 0;
    return (over + step - 1) / step * step + charm;
}

/* The price of exactly so many, without a look at what fewer would cost. */
static int price_alone(struct price *out, const struct price_item *item, int64_t quantity,
                       struct err *err)
{
    const struct price_formula *f = &item->formula;
    int64_t margin, fixed, discount, least;
    if (cost_lines(out, item, quantity, err) ||
        price_share(&margin, out->cost_minor, f->margin_permille, 1000, err) ||
        price_share(&fixed, f->fixed_minor, quantity, 1, err) || add(&margin, fixed, err) ||
        price_share(&least, f->minimum_minor, quantity, 1, err))
        return -1;
    int64_t full = out->cost_minor;
    if (add(&full, margin, err) ||
        price_share(&discount, full, discount_of(f, quantity), 1000, err))
        return -1;
    int64_t net = full - discount, raise = least > net ? least - net : 0;
    out->total_minor = 0;
    if (add(&out->total_minor, rounded_up(f, net + raise), err))
        return -1;
    put(out, "margin", margin);
    put(out, "discount", -discount);
    put(out, "minimum", raise);
    put(out, "rounding", out->total_minor - net - raise);
    return 0;
}

static int check(const struct price_item *i, struct err *err)
{
    const struct price_rates *r = &i->rates;
    const struct price_formula *f = &i->formula;
    const int64_t all[] = {i->generation_minor,
                           i->item_labour_s,
                           i->piece_labour_s,
                           i->piece_time_s,
                           i->piece_mg,
                           r->machine_hour,
                           r->kwh,
                           r->labour_hour,
                           r->material_kg,
                           r->packing_piece,
                           r->power_w,
                           r->failed_permille,
                           f->margin_permille,
                           f->fixed_minor,
                           f->minimum_minor,
                           f->round_up_minor,
                           f->charm_minor,
                           i->quantity - 1,
                           999 - r->failed_permille};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        if (all[n] < 0)
            return FAIL_CODE(err, ERR_INPUT, "price_invalid",
                             "a price needs amounts of 0 or more, a quantity of 1 or more and less "
                             "than every part failed");
        else if (all[n] > PRICE_MINOR_MOST / 8)
            return FAIL_CODE(err, ERR_LIMIT, "price_overflow",
                             "an amount is too large to be a price");
    return 0;
}

int price_item(struct price *out, const struct price_item *item, struct err *err)
{
    *out = (struct price){0};
    if (check(item, err) || price_alone(out, item, item->quantity, err))
        return -1;
    /* Within one discount the price only grows; it can fall where the next one begins. */
    for (size_t i = 0; i < item->formula.discount_count; i++) {
        struct price fewer = {0};
        int64_t before = item->formula.discounts[i].from - 1;
        if (before < 1 || before >= item->quantity)
            continue;
        if (price_alone(&fewer, item, before, err))
            return -1;
        if (fewer.total_minor > out->total_minor) {
            out->lines[out->line_count - 1].minor += fewer.total_minor - out->total_minor;
            out->total_minor = fewer.total_minor;
        }
    }
    return 0;
}

static int64_t whole(const cJSON *object, const char *name)
{
    return llround(json_number(object, name, 0));
}

int price_formula_read(struct price_formula *out, const cJSON *price, struct err *err)
{
    const cJSON *one;
    *out = (struct price_formula){.margin_permille =
                                      llround(json_number(price, "margin_percent", 0) * 10),
                                  .fixed_minor = whole(price, "fixed_minor"),
                                  .minimum_minor = whole(price, "minimum_minor"),
                                  .round_up_minor = whole(price, "round_up_to_minor"),
                                  .charm_minor = whole(price, "charm_minor")};
    if (out->charm_minor > 0 && out->charm_minor >= out->round_up_minor)
        return FAIL_CODE(err, ERR_INPUT, "price_invalid",
                         "charm_minor has to be less than round_up_to_minor");
    cJSON_ArrayForEach (one, json_get(price, "discounts")) {
        struct price_discount d = {whole(one, "from"),
                                   llround(json_number(one, "percent", 0) * 10)};
        bool rises = out->discount_count == 0 ||
                     (d.from > out->discounts[out->discount_count - 1].from &&
                      d.permille >= out->discounts[out->discount_count - 1].permille);
        if (out->discount_count == PRICE_DISCOUNTS_MOST || !rises || d.permille > 1000)
            return FAIL_CODE(err, ERR_INPUT, "price_invalid",
                             "discounts have to rise, and are %d at most", PRICE_DISCOUNTS_MOST);
        out->discounts[out->discount_count++] = d;
    }
    return 0;
}

void price_text(char out[32], int64_t minor, int digits)
{
    static const int64_t units[] = {1, 10, 100, 1000, 10000};
    int64_t unit = units[digits < 0 || digits > 4 ? 2 : digits], size = minor < 0 ? -minor : minor;
    if (unit == 1)
        snprintf(out, 32, "%lld", (long long)minor);
    else
        snprintf(out, 32, "%s%lld.%0*lld", minor < 0 ? "-" : "", (long long)(size / unit), digits,
                 (long long)(size % unit));
}
