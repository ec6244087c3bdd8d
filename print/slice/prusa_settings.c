/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The profile in PrusaSlicer's words (2.5). Where the two engines mean different things by one
 * number, the reason stands beside it. Every value that shapes the print is said, so that another
 * version's defaults change nothing.
 */
#include "print/slice/prusa.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"
#include "print/slice/engine.h"

#define ENGINE_FILE "config/engines/prusa.json"
#define ROOF_PERCENT 33.333
#define TEXT_MAX ((size_t)1 << 20)

/* The list being made, and where its numbers come from. The first failure stays in bad. */
struct list {
    cJSON *out;
    const struct profile *profile;
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

static void put(struct list *l, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    put_text(l, key, text);
}

static void put_percent(struct list *l, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g%%", value);
    put_text(l, key, text);
}

/* In a list of texts each stands in quotes. */
static void put_quoted(struct list *l, const char *key, const char *value)
{
    char text[200];
    size_t n = 0;
    text[n++] = '"';
    for (; *value && n < sizeof text - 3; value++) {
        if (*value == '"' || *value == '\\')
            text[n++] = '\\';
        text[n++] = *value;
    }
    text[n++] = '"';
    text[n] = 0;
    put_text(l, key, text);
}

static double number_in(const cJSON *object, const char *group, const char *name)
{
    return json_number(json_get(object, group), name, 0);
}

/* What is the same for all printers, or would otherwise follow the engine's version. */
static int put_base(struct list *l, struct err *err)
{
    const struct asset *asset = asset_find(ENGINE_FILE);
    const cJSON *item;
    cJSON *file = NULL;
    if (!asset)
        return FAIL(err, ERR_BUG, ENGINE_FILE " is not built in");
    if (json_parse(&file, asset->data, asset->size, err))
        return -1;
    cJSON_ArrayForEach (item, json_get(file, "settings"))
        put_text(l, item->string, item->valuestring);
    cJSON_Delete(file);
    return 0;
}

/*
 * 2.5 knows no klipper words, and would take reprap ones in their place, for which it leaves the
 * machine's limits out of the print time (687 s where 839 s are right). Klipper understands the
 * older marlin's, M204 S; of marlin2's M204 P alone it does not.
 */
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
                  {"machine_max_acceleration_extruding", "acceleration_xy_mm_s2"},
                  {"machine_max_acceleration_z", "acceleration_z_mm_s2"},
                  {"machine_max_acceleration_e", "acceleration_e_mm_s2"},
                  {"machine_max_acceleration_retracting", "acceleration_e_mm_s2"},
                  {"machine_max_jerk_x", "jerk_xy_mm_s"},
                  {"machine_max_jerk_y", "jerk_xy_mm_s"}};
    const struct printer_profile *printer = &l->profile->printer;
    char shape[120];
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        put(l, limits[i].key, number_in(l->printer, "limits", limits[i].limit));
    put(l, "machine_max_jerk_z", 0.4);
    put(l, "machine_max_jerk_e", 5);
    put(l, "machine_min_extruding_rate", 0);
    put(l, "machine_min_travel_rate", 0);
    put(l, "machine_max_acceleration_travel",
        number_in(l->process, "accelerations_mm_s2", "travel"));
    snprintf(shape, sizeof shape, "0x0,%gx0,%gx%g,0x%g", printer->bed_mm[0], printer->bed_mm[0],
             printer->bed_mm[1], printer->bed_mm[1]);
    put_text(l, "bed_shape", shape);
    put(l, "max_print_height", printer->bed_mm[2]);
    put(l, "nozzle_diameter", printer->nozzle_mm);
    put_text(l, "gcode_flavor", strcmp(printer->flavour, "klipper") == 0 ? "marlin" : "marlin2");
    put_text(l, "printer_model", printer->name);
    put_text(l, "printer_settings_id", printer->name);
    put_text(l, "print_settings_id", l->profile->process_id);
    put_quoted(l, "filament_settings_id", l->profile->material.name);
}

/* PLA, PETG, ...: the part of the id before the first dash, in capitals. */
static void put_filament_type(struct list *l)
{
    char type[40] = "";
    const char *said = json_text(l->material, "type", l->profile->material.id);
    for (size_t i = 0; i < sizeof type - 1 && said[i] && said[i] != '-' && said[i] != '_'; i++)
        type[i] = (char)(said[i] >= 'a' && said[i] <= 'z' ? said[i] - 'a' + 'A' : said[i]);
    put_text(l, "filament_type", type);
}

static void put_material(struct list *l)
{
    const struct material_profile *material = &l->profile->material;
    double fan = number_in(l->material, "fan", "percent");
    double full_at = number_in(l->material, "fan", "full_at_mm");
    bool first_off = number_in(l->material, "fan", "first_layer_percent") <= 0;
    put_filament_type(l);
    put(l, "filament_diameter", material->diameter_mm);
    put(l, "filament_density", material->density_g_cm3);
    put(l, "filament_cost", 0);
    put(l, "extrusion_multiplier", json_number(l->material, "flow_percent", 100) / 100);
    put(l, "temperature", material->nozzle_c);
    put(l, "first_layer_temperature",
        json_number(l->material, "first_layer_nozzle_c", material->nozzle_c));
    put(l, "bed_temperature", material->bed_c);
    put(l, "first_layer_bed_temperature", material->bed_c);
    put(l, "filament_max_volumetric_speed", material->max_flow_mm3_s);
    put(l, "max_volumetric_speed", material->max_flow_mm3_s);
    put(l, "cooling", 1);
    put(l, "fan_always_on", 1);
    put(l, "min_fan_speed", fan);
    put(l, "max_fan_speed", fan);
    put(l, "bridge_fan_speed", fan);
    put(l, "fan_below_layer_time", 60);
    put(l, "disable_fan_first_layers", first_off);
    put(l, "full_fan_speed_layer",
        fmax(1, floor((full_at - l->first_layer) / l->layer + 1e-6) + 2));
    put(l, "slowdown_below_layer_time", json_number(l->material, "min_layer_time_s", 0));
    put(l, "min_print_speed", json_number(l->material, "min_speed_mm_s", 10));
}

/* The names of the infill patterns; zigzag is a rectilinear one whose lines are joined. */
static const char *pattern_of(const char *ours, double percent)
{
    static const char *const patterns[][2] = {
        {"grid", "grid"},     {"lines", "rectilinear"},    {"triangles", "triangles"},
        {"cubic", "cubic"},   {"trihexagon", "stars"},     {"zigzag", "rectilinear"},
        {"gyroid", "gyroid"}, {"concentric", "concentric"}};
    if (percent >= 100) /* the others are refused at 100 % */
        return "rectilinear";
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(ours, patterns[i][0]) == 0)
            return patterns[i][1];
    return "grid";
}

static void put_solid_layers(struct list *l, const cJSON *from, const char *member, const char *key)
{
    put(l, key, ceil(json_number(from, member, 0) / l->layer - 1e-6));
}

static void put_walls_and_infill(struct list *l)
{
    static const char *const lines[] = {"extrusion_width", "perimeter_extrusion_width",
                                        "infill_extrusion_width",
                                        "support_material_extrusion_width"};
    static const char *const outers[] = {"external_perimeter_extrusion_width",
                                         "solid_infill_extrusion_width",
                                         "top_infill_extrusion_width"};
    double percent = json_number(l->process, "infill_percent", 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        put(l, lines[i], l->line);
    for (size_t i = 0; i < sizeof outers / sizeof *outers; i++)
        put(l, outers[i], l->outer);
    put(l, "first_layer_extrusion_width", 0); /* as above the first layer */
    put(l, "layer_height", l->layer);
    put(l, "first_layer_height", l->first_layer);
    put(l, "perimeters", json_number(l->process, "wall_count", 2));
    put_solid_layers(l, l->process, "top_mm", "top_solid_layers");
    put_solid_layers(l, l->process, "bottom_mm", "bottom_solid_layers");
    put(l, "top_solid_min_thickness", 0);
    put(l, "bottom_solid_min_thickness", 0);
    put_percent(l, "fill_density", percent);
    put_text(l, "fill_pattern",
             pattern_of(json_text(l->process, "infill_pattern", "grid"), percent));
    put(l, "fill_angle", 45);
}

/* Held to the material's melted volume here too: what the settings say is then what is printed. */
static void put_speeds(struct list *l)
{
    static const struct {
        const char *key, *member;
        bool outer_width, travels;
    } speeds[] = {{"external_perimeter_speed", "outer_wall", true, false},
                  {"small_perimeter_speed", "outer_wall", true, false},
                  {"perimeter_speed", "inner_wall", false, false},
                  {"infill_speed", "infill", false, false},
                  {"solid_infill_speed", "top_bottom", false, false},
                  {"top_solid_infill_speed", "top_bottom", false, false},
                  {"gap_fill_speed", "top_bottom", false, false},
                  {"support_material_speed", "support", false, false},
                  {"support_material_interface_speed", "support", false, false},
                  {"bridge_speed", "outer_wall", false, false},
                  {"first_layer_speed", "first_layer", false, false},
                  {"first_layer_speed_over_raft", "first_layer", false, false},
                  {"max_print_speed", "infill", false, false},
                  {"travel_speed", "travel", false, true},
                  {"travel_speed_z", "z_hop", false, true}};
    double flow = l->profile->material.max_flow_mm3_s, height = fmax(l->layer, l->first_layer);
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        double speed = number_in(l->process, "speeds_mm_s", speeds[i].member);
        double area = (speeds[i].outer_width ? l->outer : l->line) * height;
        put(l, speeds[i].key, speeds[i].travels || flow <= 0 ? speed : fmin(speed, flow / area));
    }
}

/* 2.5 has one acceleration for all walls: the outer one's, which is seen. */
static void put_accelerations(struct list *l)
{
    static const struct {
        const char *key, *member;
    } accelerations[] = {{"default_acceleration", "normal"},
                         {"perimeter_acceleration", "outer_wall"},
                         {"infill_acceleration", "normal"},
                         {"bridge_acceleration", "outer_wall"},
                         {"first_layer_acceleration", "first_layer"},
                         {"first_layer_acceleration_over_raft", "first_layer"}};
    for (size_t i = 0; i < sizeof accelerations / sizeof *accelerations; i++)
        put(l, accelerations[i].key,
            number_in(l->process, "accelerations_mm_s2", accelerations[i].member));
}

static void put_retraction(struct list *l)
{
    put(l, "retract_length", number_in(l->process, "retraction", "length_mm"));
    put(l, "retract_speed", number_in(l->process, "retraction", "speed_mm_s"));
    put(l, "deretract_speed", 0); /* as retract_speed */
    put(l, "retract_lift", number_in(l->process, "retraction", "hop_mm"));
    put(l, "retract_lift_above", 0);
    put(l, "retract_lift_below", 0);
    put(l, "retract_before_travel", 2 * l->line);
    put(l, "retract_layer_change", 0);
    put(l, "retract_restart_extra", 0);
    put(l, "only_retract_when_crossing_perimeters", 0);
}

static void put_adhesion(struct list *l)
{
    const char *type = json_text(json_get(l->process, "adhesion"), "type", "none");
    bool brim = strcmp(type, "brim") == 0, skirt = strcmp(type, "skirt") == 0;
    put_text(l, "brim_type", brim ? "outer_only" : "no_brim");
    put(l, "brim_width", brim ? number_in(l->process, "adhesion", "brim_mm") : 0);
    put(l, "brim_separation", 0);
    put(l, "skirts", skirt ? number_in(l->process, "adhesion", "skirt_lines") : 0);
    put(l, "skirt_distance", number_in(l->process, "adhesion", "skirt_gap_mm"));
    put(l, "skirt_height", 1);
    put(l, "min_skirt_length", 0);
    put_text(l, "draft_shield", "disabled");
}

/*
 * Our angle is from upright, PrusaSlicer's threshold is from lying flat, where 0 would mean "find
 * out yourself". Our distance is from line to line, its spacing is the gap between two lines.
 */
static void put_support(struct list *l)
{
    const cJSON *support = json_get(l->process, "support");
    double percent = json_number(support, "density_percent", 15);
    put(l, "support_material", json_bool(support, "enabled", true));
    put(l, "support_material_auto", 1);
    put(l, "support_material_buildplate_only", !json_bool(support, "everywhere", true));
    put(l, "support_material_threshold",
        fmax(1, 90 - round(json_number(support, "angle_deg", 55))));
    put(l, "support_material_spacing", fmax(0, l->line * 100 / percent - l->line));
    put(l, "support_material_contact_distance", json_number(support, "gap_mm", 0.2));
    put(l, "support_material_bottom_contact_distance", json_number(support, "gap_mm", 0.2));
    put(l, "support_material_xy_spacing", json_number(support, "side_gap_mm", 0.8));
    put_solid_layers(l, support, "roof_mm", "support_material_interface_layers");
    put(l, "support_material_bottom_interface_layers", 0);
    put(l, "support_material_interface_spacing", l->line * 100 / ROOF_PERCENT - l->line);
    put_text(l, "support_material_interface_pattern", "rectilinear");
    put_text(l, "support_material_pattern", "rectilinear");
    put_text(l, "support_material_style", "snug");
    put(l, "support_material_with_sheath", 0);
    put(l, "support_material_interface_contact_loops", 0);
    put(l, "support_material_enforce_layers", 0);
    put(l, "support_material_synchronize_layers", 0);
    put(l, "support_material_angle", 0);
    put(l, "support_material_closing_radius", 2);
    put(l, "dont_support_bridges", 0);
}

/* Brackets and braces are PrusaSlicer's own placeholders; ours are filled in before. */
static int put_code(struct list *l, const char *key, const char *before, const char *member,
                    struct err *err)
{
    struct bytes text = {.limit = TEXT_MAX};
    int failed =
        bytes_printf(&text, err, "%s", before) || machine_code(&text, l->profile, member, err);
    if (!failed && text.data && strpbrk((const char *)text.data, "[]{}"))
        failed = FAIL_CODE(err, ERR_INPUT, "schema_violation",
                           "printer %s: %s has a bracket, which PrusaSlicer would take for a "
                           "placeholder",
                           l->profile->printer.id, member);
    if (!failed)
        put_text(l, key, text.data ? (const char *)text.data : "");
    bytes_free(&text);
    return failed ? -1 : 0;
}

/* Last of all: what the files say in the engine's own words. */
static int put_overrides(struct list *l, struct err *err)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, json_get(l->profile->engines, "prusa")) {
        if (strcmp(item->string, "post_process") == 0)
            return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                             "engines.prusa.post_process is refused: it would run a program");
        if (cJSON_IsString(item))
            put_text(l, item->string, item->valuestring);
        else
            put(l, item->string, cJSON_IsBool(item) ? cJSON_IsTrue(item) : item->valuedouble);
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

/* One value on one line; any other control character would end or break it. */
static int write_line(struct bytes *ini, const cJSON *item, struct err *err)
{
    if (bytes_printf(ini, err, "%s = ", item->string))
        return -1;
    for (const char *at = item->valuestring; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '\n' ? bytes_append(ini, "\\n", 2, err)
                      : c >= 0x20 && c != 0x7f && bytes_append(ini, at, 1, err))
            return -1;
    }
    return bytes_append(ini, "\n", 1, err);
}

static int write_list(struct bytes *ini, const struct list *l, struct err *err)
{
    size_t count = (size_t)cJSON_GetArraySize(l->out), n = 0;
    const cJSON *item, **items = malloc((count + 1) * sizeof(*items));
    int failed = 0;
    if (!items || l->bad) {
        free(items);
        return FAIL(err, ERR_LIMIT, "no memory for the settings");
    }
    cJSON_ArrayForEach (item, l->out)
        items[n++] = item;
    qsort(items, n, sizeof *items, by_name);
    for (size_t i = 0; i < n && !failed; i++)
        failed = write_line(ini, items[i], err);
    free(items);
    return failed ? -1 : 0;
}

static struct list list_of(const struct profile *profile)
{
    struct list l = {.out = cJSON_CreateObject(),
                     .profile = profile,
                     .printer = profile->printer.settings,
                     .process = profile->process,
                     .material = profile->material.settings};
    l.layer = json_number(l.process, "layer_height_mm", 0.2);
    l.first_layer = json_number(l.process, "first_layer_height_mm", 0.2);
    l.outer = json_number(l.process, "outer_wall_width_mm", 0.4);
    l.line = json_number(l.process, "line_width_mm", 0.4);
    l.bad = !l.out;
    return l;
}

static int make_list(struct list *l, struct err *err)
{
    int failed = put_base(l, err);
    put_machine(l);
    put_material(l);
    put_walls_and_infill(l);
    put_speeds(l);
    put_accelerations(l);
    put_retraction(l);
    put_adhesion(l);
    put_support(l);
    /* The engine says G90 and M82 only after the start code, which counts on both. */
    return failed || put_code(l, "start_gcode", "G90\nM82\n", "start_gcode", err) ||
                   put_code(l, "end_gcode", "", "end_gcode", err) || put_overrides(l, err)
               ? -1
               : 0;
}

int prusa_settings(struct bytes *ini, const struct profile *profile, struct err *err)
{
    struct list l = list_of(profile);
    int failed = make_list(&l, err) || write_list(ini, &l, err);
    cJSON_Delete(l.out);
    return failed ? -1 : 0;
}

/* Leaves in `own` what it does not share with the plain list. */
static void drop_same(struct list *own, const struct list *plain)
{
    cJSON *item = own->out->child, *next;
    for (; item; item = next) {
        next = item->next;
        if (strcmp(json_text(plain->out, item->string, ""), item->valuestring) == 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(own->out, item));
    }
}

/* Both lists are made whole and compared, so that a setting follows from an object's wish as it
 * follows from the process. */
int prusa_object_settings(struct bytes *ini, const struct profile *profile, const cJSON *settings,
                          struct err *err)
{
    struct profile changed = *profile;
    changed.process = NULL;
    if (profile_object_process(&changed.process, profile, settings, err))
        return -1;
    struct list plain = list_of(profile), own = list_of(&changed);
    int failed = make_list(&plain, err) || make_list(&own, err);
    if (!failed) {
        drop_same(&own, &plain);
        failed = write_list(ini, &own, err);
    }
    cJSON_Delete(own.out);
    cJSON_Delete(plain.out);
    cJSON_Delete(changed.process);
    return failed ? -1 : 0;
}
