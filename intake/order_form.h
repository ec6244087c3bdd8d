/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order a shop or a customer sends: JSON checked against schemas/order.schema.json and the
 * templates. */
#ifndef INTAKE_ORDER_FORM_H
#define INTAKE_ORDER_FORM_H

#include "base/json.h"

/**
 * Parses and checks an order: the schema (schemas/order.schema.json), then that each template
 * exists, that style, height and material are in the template's range, that each item has its
 * photos and its model among part_names (the form-field names of the files sent, such as photo1 or
 * model), that it has something to be made of, and that each file sent is named by an item. Missing
 * optional members of an item are filled in from the template: quantity, height_mm, style,
 * material; and photos and model, where the order has one item.
 *
 * Result   the completed order object; caller cJSON_Deletes it.
 * Errors   ERR_INPUT codes json_invalid, schema_violation, unknown_template, photo_missing,
 *          photo_not_named, model_missing, model_not_named, object_missing, option_out_of_range.
 * what opens with the JSON pointer of the place. ERR_BUG template_invalid: a template on disk is
 * broken.
 */
int order_form_read(cJSON **order, const void *text, size_t n, const char *const *part_names,
                    size_t part_count, const char *config_folder, struct err *err) MUST_CHECK;

/** Fills in from the template what an item leaves out of height_mm, style, material and quantity,
 * and holds what it says against it; number is its place, from 0, for the pointer in the failure.
 * Errors ERR_INPUT option_out_of_range. */
int order_item_complete(cJSON *item, int number, const cJSON *product, struct err *err) MUST_CHECK;

/** Whether a file part is a model, by its name: it begins with "model". Other files are photos. */
bool order_part_is_model(const char *name);

/**
 * A product template by id, from config_folder/templates/ID.json or else the built-in ones, checked
 * against schemas/template.schema.json. config_folder may be NULL.
 *
 * Errors   ERR_INPUT unknown_template. ERR_BUG template_invalid: the file is broken; no customer
 *          can help that.
 */
int template_load(cJSON **out, const char *config_folder, const char *id,
                  struct err *err) MUST_CHECK;

/** Checks one template object by its schema and for sense (default within the range, ...).
 * Errors ERR_BUG template_invalid. */
int template_check(const cJSON *product, struct err *err) MUST_CHECK;

/** The same, telling every fault; 0 whatever was told. */
int template_faults(const cJSON *product, json_fault_told *tell, void *user,
                    struct err *err) MUST_CHECK;

#endif
