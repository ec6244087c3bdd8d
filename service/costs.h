/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What making costs this shop: config/costs.json, and what printer and material files say of
 * themselves. */
#ifndef SERVICE_COSTS_H
#define SERVICE_COSTS_H

#include "print/slice/profile.h"
#include "service/price.h"

/** Reads costs.json of the shop's folder (NULL or "": none), else the built-in one; checked against
 * schemas/costs.schema.json. The caller cJSON_Deletes it; NULL after a failure. ERR_INPUT codes
 * schema_violation, json_invalid. */
int costs_read(cJSON **out, const char *config_folder, struct err *err) MUST_CHECK;

/** The rates of printing so. A printer's own `cost` and a material's own price go before those in
 * costs.json; either profile may be NULL: then those for any. */
void costs_rates(struct price_rates *out, const cJSON *costs, const struct printer_profile *printer,
                 const struct material_profile *material);

/** Seconds of labour for an item (its gates) and for a piece with so much support. */
void costs_labour(int64_t *item_s, int64_t *piece_s, const cJSON *costs, const cJSON *gates,
                  double support_g);

/** Rates as JSON, to be kept with a quote, and back. */
cJSON *costs_rates_json(const struct price_rates *rates);
void costs_rates_read(struct price_rates *out, const cJSON *json);

#endif
