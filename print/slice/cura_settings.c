/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole list of settings for CuraEngine 4.13. The engine knows no formulas: Cura's front end
 * computes them before it calls, so they are computed here. Only leaf settings count for the engine
 * (line_width or speed_print change nothing). config/engines/cura.json holds the settings that no
 * profile changes; without them the engine ends with "setting with no value given".
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"
#include "print/slice/engine.h"

#define ENGINE_FILE "config/engines/cura.json"
#define INFILL_OVERLAP_PERCENT 30
#define SKIN_OVERLAP_PERCENT 10
#define ROOF_PERCENT 33.333
#define SKIRT_ROOM_MM 2

/* The list being made, and where its numbers come from. The first failure stays in bad. */
struct list {
    cJSON *out;
    const struct engine_job *job;
    const cJSON *printer, *process, *material;
    double layer, first_layer, outer, line;
    bool bad;
};

static void put_text(struct list *l, const char *key, const char *value)
{
    cJSON *item = cJSON_CreateString(value);
    if (!item)
        l->bad = true;
    else if (cJSON_HasObjectItem(l->out, key) ? !cJSON_ReplaceItemInObject(l->out, key, item)
                                              : !cJSON_AddItemToObject(l->out, key, item))
        l->bad = true;
}

/* The engine reads a number through double and prints six digits of it. */
static void put(struct list *l, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    put_text(l, key, text);
}

static void put_bool(struct list *l, const char *key, bool value)
{
    put_text(l, key, value ? "true" : "false");
}

static void put_item(struct list *l, const cJSON *item)
{
    if (cJSON_IsString(item))
        put_text(l, item->string, item->valuestring);
    else if (cJSON_IsBool(item))
        put_bool(l, item->string, cJSON_IsTrue(item));
    else
        put(l, item->string, item->valuedouble);
}

static double number_in(const cJSON *object, const char *group, const char *name)
{
    return json_number(group ? json_get(object, group) : object, name, 0);
}

static int put_base(struct list *l, struct err *err)
{
    const struct asset *asset = asset_find(ENGINE_FILE);
    cJSON *file = NULL;
    if (!asset)
        return FAIL(err, ERR_BUG, ENGINE_FILE " is not built in");
    if (json_parse(&file, asset->data, asset->size, err))
        return -1;
    const cJSON *item;
    cJSON_ArrayForEach (item, json_get(file, "settings"))
        put_item(l, item);
    cJSON_Delete(file);
    return 0;
}

/*
 * The engine's word for whose G-code it writes. "RepRap (RepRap)" is for RepRapFirmware alone: it
 * writes M204 P and M204 T apart, which Klipper takes only together, and M566, which Klipper and
 * Marlin do not know. A Prusa since the MK4 runs Marlin 2.
 */
static const char *flavour_of(const struct printer_profile *printer)
{
    static const struct {
        const char *flavour, *word;
    } words[] = {{"marlin", "RepRap (Marlin/Sprinter)"},
                 {"klipper", "RepRap (Marlin/Sprinter)"},
                 {"prusa", "RepRap (Marlin/Sprinter)"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].flavour, printer->flavour) == 0)
            return words[i].word;
    return words[0].word;
}

static void put_machine(struct list *l)
{
    static const struct {
        const char *key, *limit;
    } limits[] = {{"machine_max_feedrate_x", "speed_xy_mm_s"},
                  {"machine_max_feedrate_y", "speed_xy_mm_s"},
                  {"machine_max_feedrate_z", "speed_z_mm_s"},
                  {"machine_max_feedrate_e", "speed_e_mm_s"},
                  {"machine_max_acceleration_x", "acceleration_xy_mm_s2"},
                  {"machine_max_acceleration_y", "acceleration_xy_mm_s2"},
                  {"machine_max_acceleration_z", "acceleration_z_mm_s2"},
                  {"machine_max_acceleration_e", "acceleration_e_mm_s2"},
                  {"machine_max_jerk_xy", "jerk_xy_mm_s"}};
    const struct printer_profile *printer = &l->job->options->profile->printer;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        put(l, limits[i].key, number_in(l->printer, "limits", limits[i].limit));
    put(l, "machine_max_jerk_z", 0.4);
    put(l, "machine_max_jerk_e", 5);
    put(l, "machine_acceleration", number_in(l->process, "accelerations_mm_s2", "normal"));
    put(l, "machine_width", printer->bed_mm[0]);
    put(l, "machine_depth", printer->bed_mm[1]);
    put(l, "machine_height", printer->bed_mm[2]);
    put(l, "machine_nozzle_size", printer->nozzle_mm);
    put_text(l, "machine_name", printer->name);
    put_text(l, "machine_gcode_flavor", flavour_of(printer));
    put_bool(l, "machine_heated_bed", true);
    put_bool(l, "machine_center_is_zero", false);
}

/* Temperatures are in our own start code: the engine must not put its own before it. */
static int put_code(struct list *l, const char *key, const char *member, struct err *err)
{
    struct bytes text = {.limit = 1 << 16};
    int failed = machine_code(&text, l->job->options->profile, member, err);
    if (!failed)
        put_text(l, key, text.data ? (const char *)text.data : "");
    bytes_free(&text);
    return failed;
}

static void put_material(struct list *l)
{
    static const char *const flows[] = {
        "wall_0_material_flow",  "wall_x_material_flow",       "skin_material_flow",
        "roofing_material_flow", "infill_material_flow",       "skirt_brim_material_flow",
        "support_material_flow", "support_roof_material_flow", "support_bottom_material_flow"};
    const struct material_profile *material = &l->job->options->profile->material;
    double full_at = number_in(l->material, "fan", "full_at_mm");
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++)
        put(l, flows[i], json_number(l->material, "flow_percent", 100));
    put(l, "material_diameter", material->diameter_mm);
    put(l, "material_print_temperature", material->nozzle_c);
    put(l, "material_initial_print_temperature", material->nozzle_c);
    put(l, "material_final_print_temperature", material->nozzle_c);
    put(l, "material_print_temperature_layer_0",
        json_number(l->material, "first_layer_nozzle_c", material->nozzle_c));
    put(l, "material_bed_temperature", material->bed_c);
    put(l, "material_bed_temperature_layer_0", material->bed_c);
    put_bool(l, "material_print_temp_prepend", false);
    put_bool(l, "material_bed_temp_prepend", false);
    put_bool(l, "cool_fan_enabled", true);
    put(l, "cool_fan_speed_0", number_in(l->material, "fan", "first_layer_percent"));
    put(l, "cool_fan_speed_min", number_in(l->material, "fan", "percent"));
    put(l, "cool_fan_speed_max", number_in(l->material, "fan", "percent"));
    put(l, "cool_fan_full_layer", fmax(1, floor((full_at - l->first_layer) / l->layer + 1e-6) + 2));
    put(l, "cool_min_layer_time", json_number(l->material, "min_layer_time_s", 0));
    put(l, "cool_min_speed", json_number(l->material, "min_speed_mm_s", 10));
}

/* How many times further apart the lines of a pattern lie that is laid in several directions. */
static double directions_of(const char *pattern)
{
    static const struct {
        const char *name;
        double directions;
    } patterns[] = {{"grid", 2}, {"triangles", 3}, {"trihexagon", 3}, {"cubic", 3}};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(pattern, patterns[i].name) == 0)
            return patterns[i].directions;
    return 1;
}

static double layers_in(const struct list *l, const char *member)
{
    return ceil(json_number(l->process, member, 0) / l->layer - 1e-6);
}

static void put_walls_and_infill(struct list *l)
{
    const char *pattern = json_text(l->process, "infill_pattern", "grid");
    double percent = json_number(l->process, "infill_percent", 0);
    double walls = json_number(l->process, "wall_count", 2);
    double walls_mm = l->outer + (walls - 1) * l->line;
    bool solid = percent >= 100;
    put(l, "layer_height", l->layer);
    put(l, "layer_height_0", l->first_layer);
    put(l, "wall_line_width_0", l->outer);
    put(l, "wall_line_width_x", l->line);
    put(l, "skin_line_width", l->outer);
    put(l, "roofing_line_width", l->outer);
    put(l, "infill_line_width", l->line);
    put(l, "skirt_brim_line_width", l->line);
    put(l, "wall_line_count", walls);
    put(l, "top_layers", solid ? 0 : layers_in(l, "top_mm"));
    put(l, "bottom_layers", solid ? 999999 : layers_in(l, "bottom_mm"));
    put(l, "initial_bottom_layers", solid ? 999999 : layers_in(l, "bottom_mm"));
    put_text(l, "infill_pattern", pattern);
    put(l, "infill_line_distance",
        percent > 0 ? l->line * 100 / percent * directions_of(pattern) : 0);
    put(l, "infill_sparse_thickness", l->layer);
    put(l, "infill_overlap_mm",
        percent < 95 ? (l->line + l->line) / 2 * INFILL_OVERLAP_PERCENT / 100 : 0);
    put(l, "skin_overlap_mm",
        percent < 95 ? (l->outer + l->line) / 2 * SKIN_OVERLAP_PERCENT / 100 : 0);
    put(l, "top_skin_preshrink", walls_mm);
    put(l, "bottom_skin_preshrink", walls_mm);
    put(l, "top_skin_expand_distance", walls_mm);
    put(l, "bottom_skin_expand_distance", walls_mm);
    put_text(l, "z_seam_type", "back");
    put(l, "z_seam_x", l->job->options->profile->printer.bed_mm[0] / 2);
    put(l, "z_seam_y", l->job->options->profile->printer.bed_mm[1]);
}

/* The engine knows no limit of melted plastic: speeds are held to what the material allows. */
static void put_speeds(struct list *l)
{
    static const struct {
        const char *key, *member;
        bool outer_width, travels;
    } speeds[] = {{"speed_wall_0", "outer_wall", true, false},
                  {"speed_wall_x", "inner_wall", false, false},
                  {"speed_infill", "infill", false, false},
                  {"speed_topbottom", "top_bottom", false, false},
                  {"speed_roofing", "top_bottom", false, false},
                  {"speed_support_infill", "support", false, false},
                  {"speed_support_roof", "support", false, false},
                  {"speed_support_bottom", "support", false, false},
                  {"speed_print_layer_0", "first_layer", false, false},
                  {"skirt_brim_speed", "first_layer", false, false},
                  {"bridge_wall_speed", "outer_wall", false, false},
                  {"bridge_skin_speed", "outer_wall", false, false},
                  {"bridge_skin_speed_2", "outer_wall", false, false},
                  {"bridge_skin_speed_3", "outer_wall", false, false},
                  {"speed_travel", "travel", false, true},
                  {"speed_z_hop", "z_hop", false, true}};
    double flow = l->job->options->profile->material.max_flow_mm3_s,
           height = fmax(l->layer, l->first_layer);
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        double speed = number_in(l->process, "speeds_mm_s", speeds[i].member);
        double area = (speeds[i].outer_width ? l->outer : l->line) * height;
        put(l, speeds[i].key, speeds[i].travels ? speed : fmin(speed, flow / area));
    }
    put(l, "speed_travel_layer_0",
        fmin(number_in(l->process, "speeds_mm_s", "travel"),
             fmax(100, number_in(l->process, "speeds_mm_s", "first_layer"))));
}

static void put_accelerations(struct list *l)
{
    static const struct {
        const char *key, *member;
    } accelerations[] = {{"acceleration_wall_0", "outer_wall"},
                         {"acceleration_wall_x", "normal"},
                         {"acceleration_infill", "normal"},
                         {"acceleration_topbottom", "normal"},
                         {"acceleration_roofing", "normal"},
                         {"acceleration_support_infill", "normal"},
                         {"acceleration_support_roof", "normal"},
                         {"acceleration_support_bottom", "normal"},
                         {"acceleration_travel", "travel"},
                         {"acceleration_travel_layer_0", "travel"},
                         {"acceleration_print_layer_0", "first_layer"},
                         {"acceleration_skirt_brim", "first_layer"}};
    for (size_t i = 0; i < sizeof accelerations / sizeof *accelerations; i++)
        put(l, accelerations[i].key,
            number_in(l->process, "accelerations_mm_s2", accelerations[i].member));
    put_bool(l, "acceleration_enabled", true);
    put_bool(l, "jerk_enabled", false); /* Klipper does not know M205 */
}

static void put_retraction(struct list *l)
{
    double length = number_in(l->process, "retraction", "length_mm");
    double hop = number_in(l->process, "retraction", "hop_mm");
    put_bool(l, "retraction_enable", length > 0);
    put(l, "retraction_amount", length);
    put(l, "retraction_retract_speed", number_in(l->process, "retraction", "speed_mm_s"));
    put(l, "retraction_prime_speed", number_in(l->process, "retraction", "speed_mm_s"));
    put_bool(l, "retraction_hop_enabled", hop > 0);
    put(l, "retraction_hop", hop);
    put(l, "retraction_min_travel", 2 * l->line);
}

/* A skirt or brim that has no room beside a large model is left out: off the bed it would fail. */
static void put_adhesion(struct list *l)
{
    const char *type = json_text(json_get(l->process, "adhesion"), "type", "none");
    double brim = number_in(l->process, "adhesion", "brim_mm");
    double gap = number_in(l->process, "adhesion", "skirt_gap_mm");
    double lines = number_in(l->process, "adhesion", "skirt_lines"), room = SKIRT_ROOM_MM;
    const double *bed = l->job->options->profile->printer.bed_mm;
    if (strcmp(type, "brim") == 0)
        room += brim;
    else
        room += gap + lines * l->line;
    for (int i = 0; i < 2; i++)
        if (fmax(-l->job->low[i], l->job->high[i]) + room > bed[i] / 2)
            type = "none";
    put_text(l, "adhesion_type", type);
    put(l, "skirt_line_count", lines);
    put(l, "skirt_gap", gap);
    put(l, "brim_line_count", ceil(brim / l->line - 1e-6));
}

static void put_support(struct list *l)
{
    static const char *const widths[] = {"support_line_width", "support_roof_line_width",
                                         "support_bottom_line_width"};
    const cJSON *support = json_get(l->process, "support");
    double percent = json_number(support, "density_percent", 15);
    double gap = json_number(support, "gap_mm", 0.2), roof = json_number(support, "roof_mm", 0);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        put(l, widths[i], l->line);
    put_bool(l, "support_enable", json_bool(support, "enabled", true));
    put_text(l, "support_structure", "normal");
    put_text(l, "support_type",
             json_bool(support, "everywhere", true) ? "everywhere" : "buildplate");
    put(l, "support_angle", json_number(support, "angle_deg", 55));
    put_text(l, "support_pattern", "zigzag");
    put(l, "support_line_distance", l->line * 100 / percent);
    put(l, "support_initial_layer_line_distance", l->line * 100 / percent);
    put(l, "support_infill_sparse_thickness", l->layer);
    put(l, "support_top_distance", gap);
    put(l, "support_bottom_distance", gap);
    put(l, "support_xy_distance", json_number(support, "side_gap_mm", 0.8));
    put_bool(l, "support_roof_enable", roof > 0);
    put_bool(l, "support_bottom_enable", false);
    put(l, "support_roof_height", roof);
    put(l, "support_bottom_height", roof);
    put(l, "support_roof_line_distance", l->line * 100 / ROOF_PERCENT * 2);
    put(l, "support_bottom_line_distance", l->line * 100 / ROOF_PERCENT);
    put_bool(l, "support_brim_enable", true);
    put(l, "support_brim_line_count", 8);
}

/* Last of all: what the files say in the engine's own words. */
static void put_overrides(struct list *l)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, json_get(l->job->options->profile->engines, "cura"))
        put_item(l, item);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

/* cJSON_AddItemToObject puts at the end: taken out in order and put back, the list is sorted. */
static int sort(cJSON *object, struct err *err)
{
    int count = cJSON_GetArraySize(object), i = 0;
    cJSON **items = malloc(((size_t)count + 1) * sizeof *items);
    if (!items)
        return FAIL(err, ERR_LIMIT, "no memory for %d settings", count);
    for (cJSON *item = object->child; item; item = item->next)
        items[i++] = item;
    qsort(items, (size_t)count, sizeof *items, by_name);
    for (i = 0; i < count; i++)
        cJSON_DetachItemViaPointer(object, items[i]);
    for (i = 0; i < count; i++)
        cJSON_AddItemToArray(object, items[i]);
    free(items);
    return 0;
}

int cura_settings(cJSON **out, const struct engine_job *job, struct err *err)
{
    struct list l = {.out = cJSON_CreateObject(),
                     .job = job,
                     .printer = job->options->profile->printer.settings,
                     .process = job->options->profile->process,
                     .material = job->options->profile->material.settings};
    l.layer = json_number(l.process, "layer_height_mm", 0.2);
    l.first_layer = json_number(l.process, "first_layer_height_mm", 0.2);
    l.outer = json_number(l.process, "outer_wall_width_mm", 0.4);
    l.line = json_number(l.process, "line_width_mm", 0.4);
    int failed = put_base(&l, err);
    put_machine(&l);
    put_material(&l);
    put_walls_and_infill(&l);
    put_speeds(&l);
    put_accelerations(&l);
    put_retraction(&l);
    put_adhesion(&l);
    put_support(&l);
    failed = failed || put_code(&l, "machine_start_gcode", "start_gcode", err) ||
             put_code(&l, "machine_end_gcode", "end_gcode", err);
    put_overrides(&l);
    if (!failed && l.bad)
        failed = FAIL(err, ERR_LIMIT, "no memory for the settings");
    if (failed || sort(l.out, err)) {
        cJSON_Delete(l.out);
        return -1;
    }
    *out = l.out;
    return 0;
}
