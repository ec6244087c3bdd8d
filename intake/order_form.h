/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order a shop or a customer sends: JSON checked against schemas/order.schema.json and the
 * templates. */
#ifndef INTAKE_ORDER_FORM_H
#define INTAKE_ORDER_FORM_H

#include "base/json.h"

/**
 * Parses and checks an order: the schema, then that each template exists, that its style, height
 * and material are in the template's range, that each item has its photos among photo_names, and
 * that each named part was sent. Missing optional members are filled in from the template.
 *
 * Result   the completed order object; caller cJSON_Deletes it.
 * Errors   ERR_INPUT codes json_invalid, schema_violation, unknown_template, photo_missing,
 *          photo_not_named, option_out_of_range.
 */
int order_form_read(cJSON **order, const void *text, size_t n, const char *const *photo_names,
                    size_t photo_count, const char *config_folder, struct err *err) MUST_CHECK;

/** A product template by id, from config_folder/templates or the built-in ones. ERR_INPUT
 * unknown_template. */
int template_load(cJSON **out, const char *config_folder, const char *id,
                  struct err *err) MUST_CHECK;

#endif
