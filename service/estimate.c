/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The model behind an estimate; see estimate.h. scripts/fit_estimates.py has the same formulas
 * under the same names and finds the coefficients.
 */
#include "service/estimate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assets.h"

#define P90 1.2816 /* standard deviations above the middle */

struct estimates {
    cJSON *file;
    double wall_reach, skin_reach, shell, infill, support, brim;
    double speed, wall_corner, fill_corner, layer, support_hop, wall_hop, layer_spread;
};

static int check_schema(const cJSON *file, struct err *err)
{
    const struct asset *asset = asset_find("schemas/estimates.schema.json");
    cJSON *schema;
    if (!asset)
        return FAIL(err, ERR_BUG, "schemas/estimates.schema.json is not built in");
    if (json_parse(&schema, asset->data, asset->size, err))
        return -1;
    int failed = json_schema_check(schema, file, err);
    cJSON_Delete(schema);
    return failed;
}

static int read_file(cJSON **out, const char *config_folder, struct err *err)
{
    char path[700];
    snprintf(path, sizeof path, "%s/estimates.json", config_folder ? config_folder : "");
    if (config_folder && *config_folder && access(path, F_OK) == 0)
        return json_read_file(out, path, err);
    const struct asset *asset = asset_find("config/estimates.json");
    return asset ? json_parse(out, asset->data, asset->size, err)
                 : FAIL(err, ERR_BUG, "config/estimates.json is not built in");
}

static void read_coefficients(struct estimates *e)
{
    const cJSON *f = json_get(e->file, "filament"), *t = json_get(e->file, "time");
    e->wall_reach = json_number(f, "wall_reach", 0);
    e->skin_reach = json_number(f, "skin_reach", 0);
    e->shell = json_number(f, "shell", 0);
    e->infill = json_number(f, "infill", 0);
    e->support = json_number(f, "support", 0);
    e->brim = json_number(f, "brim", 0);
    e->speed = json_number(t, "speed", 0);
    e->wall_corner = json_number(t, "wall_corner", 0);
    e->fill_corner = json_number(t, "fill_corner", 0);
    e->layer = json_number(t, "layer", 0);
    e->support_hop = json_number(t, "support_hop", 0);
    e->wall_hop = json_number(t, "wall_hop", 0);
    e->layer_spread = json_number(t, "layer_spread", 0.5);
}

int estimates_open(struct estimates **out, const char *config_folder, struct err *err)
{
    struct estimates *e = calloc(1, sizeof *e);
    *out = NULL;
    if (!e)
        return FAIL(err, ERR_LIMIT, "no memory for the estimates");
    if (read_file(&e->file, config_folder, err) || check_schema(e->file, err)) {
        estimates_close(e);
        return -1;
    }
    read_coefficients(e);
    *out = e;
    return 0;
}

void estimates_close(struct estimates *estimates)
{
    if (!estimates)
        return;
    cJSON_Delete(estimates->file);
    free(estimates);
}

static double inner(const cJSON *object, const char *group, const char *name, double otherwise)
{
    return json_number(json_get(object, group), name, otherwise);
}

void estimate_settings_of(struct estimate_settings *out, const struct profile *profile)
{
    const cJSON *p = profile->process, *material = profile->material.settings;
    const cJSON *adhesion = json_get(p, "adhesion");
    bool brim = strcmp(json_text(adhesion, "type", ""), "brim") == 0;
    *out = (struct estimate_settings){
        .layer_mm = json_number(p, "layer_height_mm", 0.2),
        .first_layer_mm = json_number(p, "first_layer_height_mm", 0.2),
        .outer_mm = json_number(p, "outer_wall_width_mm", 0.42),
        .line_mm = json_number(p, "line_width_mm", 0.45),
        .walls = json_number(p, "wall_count", 2),
        .top_mm = json_number(p, "top_mm", 0.8),
        .bottom_mm = json_number(p, "bottom_mm", 0.8),
        .infill = json_number(p, "infill_percent", 15) / 100,
        .support = json_bool(json_get(p, "support"), "enabled", true),
        .brim_mm = brim ? json_number(adhesion, "brim_mm", 0) : 0,
        .v_outer = inner(p, "speeds_mm_s", "outer_wall", 60),
        .v_inner = inner(p, "speeds_mm_s", "inner_wall", 60),
        .v_infill = inner(p, "speeds_mm_s", "infill", 60),
        .v_skin = inner(p, "speeds_mm_s", "top_bottom", 60),
        .v_support = inner(p, "speeds_mm_s", "support", 60),
        .a_normal = inner(p, "accelerations_mm_s2", "normal", 1000),
        .a_outer = inner(p, "accelerations_mm_s2", "outer_wall", 1000),
        .hop_s = 2 * inner(p, "retraction", "length_mm", 0.8) /
                     inner(p, "retraction", "speed_mm_s", 40) +
                 2 * inner(p, "retraction", "hop_mm", 0.2) / inner(p, "speeds_mm_s", "z_hop", 5),
        .max_flow = profile->material.max_flow_mm3_s,
        .min_layer_s = json_number(material, "min_layer_time_s", 6),
        .min_speed = json_number(material, "min_speed_mm_s", 20),
        .density_g_cm3 = profile->material.density_g_cm3,
    };
}

cJSON *estimate_settings_json(const struct estimate_settings *settings)
{
    cJSON *o = cJSON_CreateObject();
#define PUT(name) cJSON_AddNumberToObject(o, #name, settings->name)
    PUT(layer_mm), PUT(first_layer_mm), PUT(outer_mm), PUT(line_mm), PUT(walls), PUT(top_mm);
    PUT(bottom_mm), PUT(infill);
    cJSON_AddBoolToObject(o, "support", settings->support);
    PUT(brim_mm), PUT(v_outer), PUT(v_inner), PUT(v_infill), PUT(v_skin), PUT(v_support);
    PUT(a_normal), PUT(a_outer), PUT(hop_s), PUT(max_flow), PUT(min_layer_s), PUT(min_speed);
    PUT(density_g_cm3);
#undef PUT
    return o;
}

/* A base is a flat cylinder that takes its height from the figure's. */
static void add_base(struct estimate_shape *shape, double area, double height_mm, double base_mm)
{
    if (base_mm <= 0)
        return;
    shape->height_mm = height_mm;
    shape->volume_mm3 += area * base_mm;
    shape->area_mm2 += 2 * area + 2 * sqrt(3.14159265358979 * area) * base_mm;
    shape->contact_area_mm2 = area;
}

static struct estimate_spread spread_of(const cJSON *from, const char *name)
{
    const cJSON *of = json_get(from, name);
    return (struct estimate_spread){json_number(of, "time", 0.5), json_number(of, "grams", 0.5)};
}

/* Adults and children are told apart for privacy; their figures are people. */
static const cJSON *class_of(const cJSON *kind, const char *photo_class)
{
    const char *class = photo_class ? photo_class : "any";
    bool person = strcmp(class, "adult") == 0 || strcmp(class, "child") == 0;
    const cJSON *of = json_get(kind, person ? "person" : class);
    return of ? of : json_get(kind, "any");
}

int estimate_shape(struct estimate_shape *out, struct estimate_spread *spread, int *figures,
                   const struct estimates *estimates, const struct estimate_subject *subject,
                   struct err *err)
{
    const cJSON *kind = json_get(json_get(estimates->file, "figures"), subject->maker);
    if (!kind)
        return FAIL_CODE(err, ERR_ABSENT, "maker_unknown",
                         "config/estimates.json says nothing of a %.40s", subject->maker);
    const cJSON *of = class_of(kind, subject->photo_class);
    double base = subject->base_mm < subject->height_mm / 2 ? subject->base_mm : 0;
    double h = subject->height_mm - base, power = json_number(of, "volume_power", 3);
    /* What is wider than usual is deeper, too; a plate is not. */
    double wide = subject->aspect > 0 ? subject->aspect / json_number(of, "aspect", 1) : 1;
    double filled = pow(wide, power - 1);
    *out =
        (struct estimate_shape){.height_mm = h,
                                .volume_mm3 = json_number(of, "volume", 0) * pow(h, power) * filled,
                                .area_mm2 = json_number(of, "area", 0) * h * h * wide,
                                .support_mm3 = json_number(of, "support", 0) * pow(h, power) * wide,
                                .contact_area_mm2 = json_number(of, "contact", 0) * h * h * filled};
    add_base(out, json_number(of, "base", 0) * h * h * filled, subject->height_mm, base);
    *spread = spread_of(of, subject->aspect > 0 ? "spread_seen" : "spread");
    *figures = (int)json_number(of, "figures", 0);
    return 0;
}

/* Plastic by what it is for, mm3, before the coefficients. */
struct takes {
    double walls, skin, infill, support, brim;
};

static struct takes takes_of(const struct estimate_shape *shape, const struct estimate_settings *s,
                             const struct estimates *e)
{
    double v = shape->volume_mm3, a = shape->area_mm2;
    double walls_mm = s->outer_mm + (s->walls - 1) * s->line_mm;
    struct takes t = {.walls = v * -expm1(-e->wall_reach * a * walls_mm / v)};
    double rest = v - t.walls;
    t.skin = rest * -expm1(-e->skin_reach * a * (s->top_mm + s->bottom_mm) / 2 / v);
    t.infill = (rest - t.skin) * s->infill;
    t.support = s->support ? shape->support_mm3 : 0;
    t.brim = sqrt(shape->contact_area_mm2) * s->brim_mm * s->first_layer_mm;
    return t;
}

static double normal(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* A layer takes no less than `least` seconds; layers differ, as a log-normal about their mean. */
static double with_least(double moving, double layers, double least, double spread)
{
    if (least <= 0)
        return moving;
    double mean = moving / layers / least, middle = log(mean) - spread * spread / 2;
    return layers * least *
           (normal(-middle / spread) + mean * normal((middle + spread * spread) / spread));
}

static double print_time(const struct takes *t, double layers, const struct estimate_settings *s,
                         const struct estimates *e)
{
    double line = s->line_mm * s->layer_mm, cap = s->max_flow / line;
    double outer = t->walls / (s->outer_mm + (s->walls - 1) * s->line_mm) / s->layer_mm;
    double inner_mm = outer * (s->walls - 1);
    double skin = t->skin / line, infill = t->infill / line, support = t->support / line;
    double at_speed = outer / fmin(s->v_outer, cap) + inner_mm / fmin(s->v_inner, cap) +
                      skin / fmin(s->v_skin, cap) + infill / fmin(s->v_infill, cap) +
                      support / fmin(s->v_support, cap);
    double moving = e->speed * at_speed +
                    e->wall_corner * (outer / sqrt(s->a_outer) + inner_mm / sqrt(s->a_normal)) +
                    e->fill_corner * (skin + infill) / sqrt(s->a_normal) + e->layer * layers +
                    e->support_hop * support * s->hop_s + e->wall_hop * outer * s->hop_s;
    double all_mm = outer + inner_mm + skin + infill + support;
    return with_least(moving, layers, fmin(s->min_layer_s, all_mm / layers / s->min_speed),
                      e->layer_spread);
}

int estimate_of_shape(struct estimate *out, const struct estimates *estimates,
                      const struct estimate_shape *shape, const struct estimate_settings *settings,
                      const struct estimate_spread *spread, struct err *err)
{
    const struct estimates *e = estimates;
    struct estimate_spread s =
        spread ? *spread : spread_of(json_get(e->file, "spread"), "measures");
    bool fine = shape->height_mm > 0 && shape->volume_mm3 > 0 && shape->area_mm2 > 0 &&
                shape->support_mm3 >= 0 && shape->contact_area_mm2 >= 0;
    if (!fine || !isfinite(shape->volume_mm3 + shape->area_mm2 + shape->height_mm))
        return FAIL_CODE(err, ERR_INPUT, "shape_invalid", "there is nothing to print");
    struct takes t = takes_of(shape, settings, e);
    double to_g = settings->density_g_cm3 / 1000;
    double mm3 = e->shell * (t.walls + t.skin) + e->infill * t.infill + e->support * t.support +
                 e->brim * t.brim;
    *out = (struct estimate){.layers = ceil(shape->height_mm / settings->layer_mm),
                             .grams = mm3 * to_g,
                             .support_g = e->support * t.support * to_g};
    out->time_s = print_time(&t, shape->height_mm / settings->layer_mm, settings, e);
    out->time_p90_s = out->time_s * exp(P90 * s.time);
    out->grams_p90 = out->grams * exp(P90 * s.grams);
    snprintf(out->basis, sizeof out->basis, "%s", spread ? "class" : "measures");
    return 0;
}

void estimate_of_slice(struct estimate *out, double time_s, double grams, double layers)
{
    out->time_s = out->time_p90_s = time_s;
    out->grams = out->grams_p90 = grams;
    out->layers = layers;
    snprintf(out->basis, sizeof out->basis, "slice");
}

void estimate_correct(struct estimate *out, double time_factor, double grams_factor)
{
    out->time_s *= time_factor;
    out->time_p90_s *= time_factor;
    out->grams *= grams_factor;
    out->grams_p90 *= grams_factor;
}
