/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Money: what a figure costs to make, and what is asked for it. Whole minor units (cents) and
 * integer arithmetic only, so that the same input gives the same price on every machine. Pure.
 */
#ifndef SERVICE_PRICE_H
#define SERVICE_PRICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

#define PRICE_LINES_MOST 12
#define PRICE_DISCOUNTS_MOST 8
/* No amount is larger, so that every one is exact in JSON, too. */
#define PRICE_MINOR_MOST 9000000000000000

/* What one unit of each thing costs; minor units of one currency. */
struct price_rates {
    int64_t machine_hour, kwh, labour_hour, material_kg, packing_piece;
    int64_t power_w;
    int64_t failed_permille; /* of the parts begun; below 1000 */
};

/* From so many pieces on, so much is taken off. */
struct price_discount {
    int64_t from, permille;
};

/* How a price is made of a cost; from the template's `price`, or config/costs.json's. */
struct price_formula {
    int64_t margin_permille, fixed_minor; /* added to the cost; fixed_minor for each piece */
    int64_t minimum_minor;                /* least price of a piece */
    int64_t round_up_minor, charm_minor;  /* 100 and 90: up to the next price that ends in 90 */
    struct price_discount discounts[PRICE_DISCOUNTS_MOST]; /* rising */
    size_t discount_count;
};

/* One item: so many copies of one model. */
struct price_item {
    int64_t quantity;
    int64_t generation_minor; /* the model, once */
    int64_t item_labour_s;    /* looking at photo and model, once */
    int64_t piece_labour_s;   /* taking off the bed, the support off, packing: each piece */
    int64_t piece_time_s, piece_mg;
    struct price_rates rates;
    struct price_formula formula;
};

struct price_line {
    const char *code; /* generation, material, machine, electricity, labour, packing, reprints,
                         margin, discount, minimum, rounding */
    int64_t minor;
};

struct price {
    struct price_line lines[PRICE_LINES_MOST];
    size_t line_count;
    int64_t cost_minor;  /* the lines up to and with reprints */
    int64_t total_minor; /* all lines */
};

/**
 * Prices one item. A line is rounded half up, of what all pieces take together.
 *
 * Result   the lines add up to total_minor, which never falls as the quantity, the time or the
 *          grams grow: a discount never makes more pieces cheaper than fewer (the difference is in
 *          the line `rounding`, with the raise to the round figure).
 * Errors   ERR_INPUT code price_invalid: a negative number, a quantity below 1, failed_permille of
 *          1000 or more; ERR_LIMIT code price_overflow: an amount past PRICE_MINOR_MOST.
 * Cost     O(discounts). Threads safe.
 */
int price_item(struct price *out, const struct price_item *item, struct err *err) MUST_CHECK;

/** The line with that code, or 0 where there is none. */
int64_t price_line(const struct price *price, const char *code);

/** a * b / c rounded half up. ERR_LIMIT code price_overflow; c > 0, a and b not negative. */
int price_share(int64_t *out, int64_t a, int64_t b, int64_t c, struct err *err) MUST_CHECK;

/** What `seconds` of a machine, of its electricity, and `mg` of material cost; outputs may be NULL.
 * Errors as price_share. */
int price_of_time(int64_t *machine, int64_t *electricity, int64_t seconds,
                  const struct price_rates *rates, struct err *err) MUST_CHECK;
int price_of_material(int64_t *minor, int64_t mg, const struct price_rates *rates,
                      struct err *err) MUST_CHECK;

/** The formula of a `price` object (schemas/costs.schema.json); NULL is cost without margin.
 * Errors ERR_INPUT code price_invalid: discounts that do not rise, a charm past the step. */
int price_formula_read(struct price_formula *out, const cJSON *price, struct err *err) MUST_CHECK;

/** Minor units as "12.90", with so many digits after the point (0..4); of -5 it is "-0.05". */
void price_text(char out[32], int64_t minor, int digits);

#endif
