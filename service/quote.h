/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quotes: what an order would take and cost, before there is one; and later what it took. Making
 * one is local: templates, profiles, costs and estimates are data, and no service is needed.
 */
#ifndef SERVICE_QUOTE_H
#define SERVICE_QUOTE_H

#include "service/price.h"
#include "service/settings.h"
#include "storage/db.h"

/* By how much earlier estimates of such figures were wrong. */
struct quote_correction {
    double time_factor, grams_factor;
    int samples;
};

/* Whose quote it is. */
struct quote_shop {
    const struct settings *settings; /* the folder of the shop's own files; providers' keys */
    /** Fills *out, or leaves it (1, 1, 0). NULL: nothing is known. */
    int (*correction)(struct quote_correction *out, void *user, const char *template,
                      const char *photo_class, const char *printer, struct err *err);
    void *user;
};

/**
 * Parses and checks what a quote is asked for (schemas/quote.schema.json), and completes each item
 * from its template.
 * Owner    the caller cJSON_Deletes it.
 * Errors   ERR_INPUT codes json_invalid, schema_violation, unknown_template, option_out_of_range.
 */
int quote_form_read(cJSON **form, const void *text, size_t n, const char *config_folder,
                    struct err *err) MUST_CHECK;

/**
 * Makes the document of a quote from a completed form. An item may also say what no form from
 * outside may: printer, process, aspect (width over height on its photo), shape
 * {volume_mm3, area_mm2, support_mm3, contact_area_mm2} of a model that is there, slice {time_s,
 * grams, layers} of it.
 *
 * Result   id (null), photo_class, currency, minor_digits, created_at, valid_until, items[],
 *          lines[], estimate, total_minor; each item with estimate, based_on, correction,
 *          generation, settings, rates, lines, cost_minor, price_minor, price_each_minor. The lines
 * add up to total_minor. The caller cJSON_Deletes it. Errors   ERR_INPUT of a template, costs.json
 * or formula that is wrong, option_out_of_range for a figure higher than its printer; ERR_LIMIT
 * price_overflow.
 */
int quote_make(cJSON **document, const cJSON *form, const struct quote_shop *shop,
               struct err *err) MUST_CHECK;

/* How the models of an item come to be, and what that costs. */
struct quote_generation {
    cJSON *told;       /* providers [{id, credits, unit, candidates}], rounds, .. */
    int64_t minor;     /* for the item */
    const char *maker; /* row of estimates.json: model, relief, lithophane */
};

/** What making the model of an item costs by its template's route: the providers that are set up go
 * first, and those that need a consent or are not set up count where there is no other; that is
 * said. The caller cJSON_Deletes told. */
int quote_generation(struct quote_generation *out, const cJSON *product, const cJSON *item,
                     const char *photo_class, const cJSON *costs, const struct settings *settings,
                     struct err *err) MUST_CHECK;

/** Writes a quote and gives it its id (in the document, too). Joins the caller's transaction. */
int quote_store(char id[32], struct db *db, cJSON *document, const cJSON *form,
                struct err *err) MUST_CHECK;

/** The correction that the database knows, as quote_shop's function; user is a struct db. */
int quote_stored_correction(struct quote_correction *out, void *user, const char *template,
                            const char *photo_class, const char *printer, struct err *err);

/**
 * Holds an order (completed form) against the quote that it cites.
 * Errors   ERR_INPUT codes quote_unknown, quote_mismatch (with the JSON pointer of the place);
 *          ERR_CONFLICT codes quote_expired, quote_used.
 */
int quote_check_order(struct db *db, const char *quote_id, const cJSON *order,
                      struct err *err) MUST_CHECK;

/** Binds a new order to it, in the transaction that writes the order. ERR_CONFLICT codes
 * quote_expired; quote_used: another order was faster. */
int quote_bind(struct db *db, const char *order_id, const char *quote_id,
               struct err *err) MUST_CHECK;

/**
 * What an order has taken so far, by item and line, beside its quote (NULL: none).
 *
 * Result   {"currency","total_minor","items":[{"item_id","good","lines":[{"code","minor",
 *          "estimated_minor","difference_minor"}], "time_s","grams", ...}]}; the estimated members
 *          only with a quote. Labour and packing are not measured, and not counted. The caller
 *          cJSON_Deletes it.
 */
int quote_actual(cJSON **out, struct db *db, const char *order_id, const cJSON *quote,
                 const struct settings *settings, struct err *err) MUST_CHECK;

/** The document of a stored quote, with order_id and, when there is an order, `actual`. ERR_ABSENT.
 */
int quote_document(cJSON **out, struct db *db, const char *quote_id,
                   const struct settings *settings, struct err *err) MUST_CHECK;

#endif
