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

#include "print/slice/engine.h"
#include "print/slice/settings.h"

#define ENGINE_FILE "config/engines/prusa.json"
#define ROOF_PERCENT 33.333
#define TEXT_MAX ((size_t)1 << 20)

static void put_percent(struct settings *l, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g%%", value);
    settings_text(l, key, text);
}

/* In a list of texts each stands in quotes. */
static void put_quoted(struct settings *l, const char *key, const char *value)
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
    settings_text(l, key, text);
}

/*
 * 2.5 knows no klipper words, and would take reprap ones in their place, for which it leaves the
 * machine's limits out of the print time (687 s where 839 s are right). Klipper understands the
 * older marlin's, M204 S; of marlin2's M204 P alone it does not.
 */
static void put_machine(struct settings *l)
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
        settings_number(l, limits[i].key, settings_in(l->printer, "limits", limits[i].limit));
    settings_number(l, "machine_max_jerk_z", 0.4);
    settings_number(l, "machine_max_jerk_e", 5);
    settings_number(l, "machine_min_extruding_rate", 0);
    settings_number(l, "machine_min_travel_rate", 0);
    settings_number(l, "machine_max_acceleration_travel",
                    settings_in(l->process, "accelerations_mm_s2", "travel"));
    snprintf(shape, sizeof shape, "0x0,%gx0,%gx%g,0x%g", printer->bed_mm[0], printer->bed_mm[0],
             printer->bed_mm[1], printer->bed_mm[1]);
    settings_text(l, "bed_shape", shape);
    settings_number(l, "max_print_height", printer->bed_mm[2]);
    settings_number(l, "nozzle_diameter", printer->nozzle_mm);
    settings_text(l, "gcode_flavor",
                  strcmp(printer->flavour, "klipper") == 0 ? "marlin" : "marlin2");
    settings_text(l, "printer_model", printer->name);
    settings_text(l, "printer_settings_id", printer->name);
    settings_text(l, "print_settings_id", l->profile->process_id);
    put_quoted(l, "filament_settings_id", l->profile->material.name);
}

/* PLA, PETG, ...: the part of the id before the first dash, in capitals. */
static void put_filament_type(struct settings *l)
{
    char type[40] = "";
    const char *said = json_text(l->material, "type", l->profile->material.id);
    for (size_t i = 0; i < sizeof type - 1 && said[i] && said[i] != '-' && said[i] != '_'; i++)
        type[i] = (char)(said[i] >= 'a' && said[i] <= 'z' ? said[i] - 'a' + 'A' : said[i]);
    settings_text(l, "filament_type", type);
}

static void put_material(struct settings *l)
{
    const struct material_profile *material = &l->profile->material;
    double fan = settings_in(l->material, "fan", "percent");
    double full_at = settings_in(l->material, "fan", "full_at_mm");
    bool first_off = settings_in(l->material, "fan", "first_layer_percent") <= 0;
    put_filament_type(l);
    settings_number(l, "filament_diameter", material->diameter_mm);
    settings_number(l, "filament_density", material->density_g_cm3);
    settings_number(l, "filament_cost", 0);
    settings_number(l, "extrusion_multiplier", json_number(l->material, "flow_percent", 100) / 100);
    settings_number(l, "temperature", material->nozzle_c);
    settings_number(l, "first_layer_temperature",
                    json_number(l->material, "first_layer_nozzle_c", material->nozzle_c));
    settings_number(l, "bed_temperature", material->bed_c);
    settings_number(l, "first_layer_bed_temperature", material->bed_c);
    settings_number(l, "filament_max_volumetric_speed", material->max_flow_mm3_s);
    settings_number(l, "max_volumetric_speed", material->max_flow_mm3_s);
    settings_number(l, "cooling", 1);
    settings_number(l, "fan_always_on", 1);
    settings_number(l, "min_fan_speed", fan);
    settings_number(l, "max_fan_speed", fan);
    settings_number(l, "bridge_fan_speed", fan);
    settings_number(l, "fan_below_layer_time", 60);
    settings_number(l, "disable_fan_first_layers", first_off);
    settings_number(l, "full_fan_speed_layer",
                    fmax(1, floor((full_at - l->first_layer) / l->layer + 1e-6) + 2));
    settings_number(l, "slowdown_below_layer_time",
                    json_number(l->material, "min_layer_time_s", 0));
    settings_number(l, "min_print_speed", json_number(l->material, "min_speed_mm_s", 10));
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

static void put_solid_layers(struct settings *l, const cJSON *from, const char *member,
                             const char *key)
{
    settings_number(l, key, ceil(json_number(from, member, 0) / l->layer - 1e-6));
}

static void put_walls_and_infill(struct settings *l)
{
    static const char *const lines[] = {"extrusion_width", "perimeter_extrusion_width",
                                        "infill_extrusion_width",
                                        "support_material_extrusion_width"};
    static const char *const outers[] = {"external_perimeter_extrusion_width",
                                         "solid_infill_extrusion_width",
                                         "top_infill_extrusion_width"};
    double percent = json_number(l->process, "infill_percent", 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        settings_number(l, lines[i], l->line);
    for (size_t i = 0; i < sizeof outers / sizeof *outers; i++)
        settings_number(l, outers[i], l->outer);
    settings_number(l, "first_layer_extrusion_width", 0); /* as above the first layer */
    settings_number(l, "layer_height", l->layer);
    settings_number(l, "first_layer_height", l->first_layer);
    settings_number(l, "perimeters", json_number(l->process, "wall_count", 2));
    put_solid_layers(l, l->process, "top_mm", "top_solid_layers");
    put_solid_layers(l, l->process, "bottom_mm", "bottom_solid_layers");
    settings_number(l, "top_solid_min_thickness", 0);
    settings_number(l, "bottom_solid_min_thickness", 0);
    put_percent(l, "fill_density", percent);
    settings_text(l, "fill_pattern",
                  pattern_of(json_text(l->process, "infill_pattern", "grid"), percent));
    settings_number(l, "fill_angle", 45);
}

/* Held to the material's melted volume here too: what the settings say is then what is printed. */
static void put_speeds(struct settings *l)
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
        double speed = settings_in(l->process, "speeds_mm_s", speeds[i].member);
        double area = (speeds[i].outer_width ? l->outer : l->line) * height;
        settings_number(l, speeds[i].key,
                        speeds[i].travels || flow <= 0 ? speed : fmin(speed, flow / area));
    }
}

/* 2.5 has one acceleration for all walls: the outer one's, which is seen. */
static void put_accelerations(struct settings *l)
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
        settings_number(l, accelerations[i].key,
                        settings_in(l->process, "accelerations_mm_s2", accelerations[i].member));
}

static void put_retraction(struct settings *l)
{
    settings_number(l, "retract_length", settings_in(l->process, "retraction", "length_mm"));
    settings_number(l, "retract_speed", settings_in(l->process, "retraction", "speed_mm_s"));
    settings_number(l, "deretract_speed", 0); /* as retract_speed */
    settings_number(l, "retract_lift", settings_in(l->process, "retraction", "hop_mm"));
    settings_number(l, "retract_lift_above", 0);
    settings_number(l, "retract_lift_below", 0);
    settings_number(l, "retract_before_travel", 2 * l->line);
    settings_number(l, "retract_layer_change", 0);
    settings_number(l, "retract_restart_extra", 0);
    settings_number(l, "only_retract_when_crossing_perimeters", 0);
}

static void put_adhesion(struct settings *l)
{
    const char *type = json_text(json_get(l->process, "adhesion"), "type", "none");
    bool brim = strcmp(type, "brim") == 0, skirt = strcmp(type, "skirt") == 0;
    settings_text(l, "brim_type", brim ? "outer_only" : "no_brim");
    settings_number(l, "brim_width", brim ? settings_in(l->process, "adhesion", "brim_mm") : 0);
    settings_number(l, "brim_separation", 0);
    settings_number(l, "skirts", skirt ? settings_in(l->process, "adhesion", "skirt_lines") : 0);
    settings_number(l, "skirt_distance", settings_in(l->process, "adhesion", "skirt_gap_mm"));
    settings_number(l, "skirt_height", 1);
    settings_number(l, "min_skirt_length", 0);
    settings_text(l, "draft_shield", "disabled");
}

/*
 * Our angle is from upright, PrusaSlicer's threshold is from lying flat, where 0 would mean "find
 * out yourself". Our distance is from line to line, its spacing is the gap between two lines.
 */
static void put_support(struct settings *l)
{
    const cJSON *support = json_get(l->process, "support");
    double percent = json_number(support, "density_percent", 15);
    settings_number(l, "support_material", json_bool(support, "enabled", true));
    settings_number(l, "support_material_auto", 1);
    settings_number(l, "support_material_buildplate_only", !json_bool(support, "everywhere", true));
    settings_number(l, "support_material_threshold",
                    fmax(1, 90 - round(json_number(support, "angle_deg", 55))));
    settings_number(l, "support_material_spacing", fmax(0, l->line * 100 / percent - l->line));
    settings_number(l, "support_material_contact_distance", json_number(support, "gap_mm", 0.2));
    settings_number(l, "support_material_bottom_contact_distance",
                    json_number(support, "gap_mm", 0.2));
    settings_number(l, "support_material_xy_spacing", json_number(support, "side_gap_mm", 0.8));
    put_solid_layers(l, support, "roof_mm", "support_material_interface_layers");
    settings_number(l, "support_material_bottom_interface_layers", 0);
    settings_number(l, "support_material_interface_spacing",
                    l->line * 100 / ROOF_PERCENT - l->line);
    settings_text(l, "support_material_interface_pattern", "rectilinear");
    settings_text(l, "support_material_pattern", "rectilinear");
    settings_text(l, "support_material_style", "snug");
    settings_number(l, "support_material_with_sheath", 0);
    settings_number(l, "support_material_interface_contact_loops", 0);
    settings_number(l, "support_material_enforce_layers", 0);
    settings_number(l, "support_material_synchronize_layers", 0);
    settings_number(l, "support_material_angle", 0);
    settings_number(l, "support_material_closing_radius", 2);
    settings_number(l, "dont_support_bridges", 0);
}

static int put_code(struct settings *l, const char *key, const char *before, const char *member,
                    struct err *err)
{
    struct bytes text = {.limit = TEXT_MAX};
    int failed = settings_code(&text, l->profile, before, member, err);
    if (!failed)
        settings_text(l, key, text.data ? (const char *)text.data : "");
    bytes_free(&text);
    return failed ? -1 : 0;
}

/* Last of all: what the files say in the engine's own words. */
static int put_overrides(struct settings *l, struct err *err)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, json_get(l->profile->engines, "prusa")) {
        if (strcmp(item->string, "post_process") == 0)
            return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                             "engines.prusa.post_process is refused: it would run a program");
        if (cJSON_IsString(item))
            settings_text(l, item->string, item->valuestring);
        else
            settings_number(l, item->string,
                            cJSON_IsBool(item) ? cJSON_IsTrue(item) : item->valuedouble);
    }
    return 0;
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

static int write_list(struct bytes *ini, const struct settings *l, struct err *err)
{
    const cJSON *item;
    int failed =
        l->bad ? FAIL(err, ERR_LIMIT, "no memory for the settings") : settings_sort(l->out, err);
    cJSON_ArrayForEach (item, l->out)
        failed = failed || write_line(ini, item, err);
    return failed ? -1 : 0;
}

static int make_list(struct settings *l, struct err *err)
{
    int failed = settings_base(l, ENGINE_FILE, err);
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
    struct settings l = settings_of(profile);
    int failed = make_list(&l, err) || write_list(ini, &l, err);
    cJSON_Delete(l.out);
    return failed ? -1 : 0;
}

/* Leaves in `own` what it does not share with the plain list. */
static void drop_same(struct settings *own, const struct settings *plain)
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
    struct settings plain = settings_of(profile), own = settings_of(&changed);
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
