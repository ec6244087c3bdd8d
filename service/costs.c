/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shop's costs as data; see costs.h. */
#include "service/costs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/assets.h"

static int read_file(cJSON **out, const char *config_folder, struct err *err)
{
    char path[700];
    snprintf(path, sizeof path, "%s/costs.json", config_folder ? config_folder : "");
    if (config_folder && *config_folder && access(path, F_OK) == 0)
        return json_read_file(out, path, err);
    const struct asset *asset = asset_find("config/costs.json");
    return asset ? json_parse(out, asset->data, asset->size, err)
                 : FAIL(err, ERR_BUG, "config/costs.json is not built in");
}

int costs_read(cJSON **out, const char *config_folder, struct err *err)
{
    const struct asset *asset = asset_find("schemas/costs.schema.json");
    struct err inner = {0};
    cJSON *schema;
    *out = NULL;
    if (!asset)
        return FAIL(err, ERR_BUG, "schemas/costs.schema.json is not built in");
    if (json_parse(&schema, asset->data, asset->size, err))
        return -1;
    int failed = read_file(out, config_folder, err);
    if (!failed && json_schema_check(schema, *out, &inner)) {
        failed = FAIL_CODE(err, inner.kind, inner.code, "costs.json: %.150s", inner.what);
        cJSON_Delete(*out);
        *out = NULL;
    }
    cJSON_Delete(schema);
    return failed;
}

static int64_t whole(const cJSON *object, const char *name, int64_t otherwise)
{
    return llround(json_number(object, name, (double)otherwise));
}

/* The row of a table by id, or the one for any. */
static const cJSON *row_of(const cJSON *costs, const char *table, const char *any, const char *id)
{
    const cJSON *row = id ? json_get(json_get(costs, table), id) : NULL;
    return row ? row : json_get(costs, any);
}

void costs_rates(struct price_rates *out, const cJSON *costs, const struct printer_profile *printer,
                 const struct material_profile *material)
{
    const cJSON *of_printer = row_of(costs, "printers", "printer", printer ? printer->id : NULL);
    const cJSON *of_material =
        row_of(costs, "materials", "material", material ? material->id : NULL);
    const cJSON *own = printer ? json_get(printer->settings, "cost") : NULL;
    int64_t kg = whole(of_material, "price_minor_per_kg", 0);
    *out = (struct price_rates){
        .machine_hour =
            whole(own, "machine_hour_minor", whole(of_printer, "machine_hour_minor", 0)),
        .power_w = whole(own, "power_w", whole(of_printer, "power_w", 0)),
        .material_kg = material ? whole(material->settings, "price_minor_per_kg", kg) : kg,
        .kwh = whole(costs, "kwh_minor", 0),
        .labour_hour = whole(json_get(costs, "labour"), "hour_minor", 0),
        .packing_piece = whole(json_get(costs, "packing"), "piece_minor", 0),
        .failed_permille = llround(json_number(costs, "failed_percent", 0) * 10)};
}

static bool has_gate(const cJSON *gates, const char *name)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, gates)
        if (cJSON_IsString(one) && strcmp(one->valuestring, name) == 0)
            return true;
    return false;
}

void costs_labour(int64_t *item_s, int64_t *piece_s, const cJSON *costs, const cJSON *gates,
                  double support_g)
{
    const cJSON *labour = json_get(costs, "labour");
    *item_s = (has_gate(gates, "photo") ? whole(labour, "photo_s", 0) : 0) +
              (has_gate(gates, "review") ? whole(labour, "review_s", 0) : 0);
    *piece_s = whole(labour, "removal_s", 0) + whole(labour, "finishing_s", 0) +
               whole(labour, "packing_s", 0) +
               llround(json_number(labour, "support_s_per_g", 0) * support_g);
}

cJSON *costs_rates_json(const struct price_rates *rates)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "machine_hour_minor", (double)rates->machine_hour);
    cJSON_AddNumberToObject(o, "power_w", (double)rates->power_w);
    cJSON_AddNumberToObject(o, "kwh_minor", (double)rates->kwh);
    cJSON_AddNumberToObject(o, "price_minor_per_kg", (double)rates->material_kg);
    cJSON_AddNumberToObject(o, "labour_hour_minor", (double)rates->labour_hour);
    return o;
}

void costs_rates_read(struct price_rates *out, const cJSON *json)
{
    *out = (struct price_rates){.machine_hour = whole(json, "machine_hour_minor", 0),
                                .power_w = whole(json, "power_w", 0),
                                .kwh = whole(json, "kwh_minor", 0),
                                .material_kg = whole(json, "price_minor_per_kg", 0),
                                .labour_hour = whole(json, "labour_hour_minor", 0)};
}
