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

#include "print/slice/engine.h"
#include "print/slice/settings.h"

#define ENGINE_FILE "config/engines/cura.json"
#define INFILL_OVERLAP_PERCENT 30
#define SKIN_OVERLAP_PERCENT 10
#define ROOF_PERCENT 33.333
#define SKIRT_ROOM_MM 2

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
                  {"machine_max_acceleration_z", "acceleration_z_mm_s2"},
                  {"machine_max_acceleration_e", "acceleration_e_mm_s2"},
                  {"machine_max_jerk_xy", "jerk_xy_mm_s"}};
    const struct printer_profile *printer = &l->profile->printer;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        settings_number(l, limits[i].key, settings_in(l->printer, "limits", limits[i].limit));
    settings_number(l, "machine_max_jerk_z", 0.4);
    settings_number(l, "machine_max_jerk_e", 5);
    settings_number(l, "machine_acceleration",
                    settings_in(l->process, "accelerations_mm_s2", "normal"));
    settings_number(l, "machine_width", printer->bed_mm[0]);
    settings_number(l, "machine_depth", printer->bed_mm[1]);
    settings_number(l, "machine_height", printer->bed_mm[2]);
    settings_number(l, "machine_nozzle_size", printer->nozzle_mm);
    settings_text(l, "machine_name", printer->name);
    settings_text(l, "machine_gcode_flavor", flavour_of(printer));
    settings_bool(l, "machine_heated_bed", true);
    settings_bool(l, "machine_center_is_zero", false);
}

/* Temperatures are in our own start code: the engine must not put its own before it. */
static int put_code(struct settings *l, const char *key, const char *member, struct err *err)
{
    struct bytes text = {.limit = 1 << 16};
    int failed = machine_code(&text, l->profile, member, err);
    if (!failed)
        settings_text(l, key, text.data ? (const char *)text.data : "");
    bytes_free(&text);
    return failed;
}

static void put_material(struct settings *l)
{
    static const char *const flows[] = {
        "wall_0_material_flow",  "wall_x_material_flow",       "skin_material_flow",
        "roofing_material_flow", "infill_material_flow",       "skirt_brim_material_flow",
        "support_material_flow", "support_roof_material_flow", "support_bottom_material_flow"};
    const struct material_profile *material = &l->profile->material;
    double full_at = settings_in(l->material, "fan", "full_at_mm");
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++)
        settings_number(l, flows[i], json_number(l->material, "flow_percent", 100));
    settings_number(l, "material_diameter", material->diameter_mm);
    settings_number(l, "material_print_temperature", material->nozzle_c);
    settings_number(l, "material_initial_print_temperature", material->nozzle_c);
    settings_number(l, "material_final_print_temperature", material->nozzle_c);
    settings_number(l, "material_print_temperature_layer_0",
                    json_number(l->material, "first_layer_nozzle_c", material->nozzle_c));
    settings_number(l, "material_bed_temperature", material->bed_c);
    settings_number(l, "material_bed_temperature_layer_0", material->bed_c);
    settings_bool(l, "material_print_temp_prepend", false);
    settings_bool(l, "material_bed_temp_prepend", false);
    settings_bool(l, "cool_fan_enabled", true);
    settings_number(l, "cool_fan_speed_0", settings_in(l->material, "fan", "first_layer_percent"));
    settings_number(l, "cool_fan_speed_min", settings_in(l->material, "fan", "percent"));
    settings_number(l, "cool_fan_speed_max", settings_in(l->material, "fan", "percent"));
    settings_number(l, "cool_fan_full_layer",
                    fmax(1, floor((full_at - l->first_layer) / l->layer + 1e-6) + 2));
    settings_number(l, "cool_min_layer_time", json_number(l->material, "min_layer_time_s", 0));
    settings_number(l, "cool_min_speed", json_number(l->material, "min_speed_mm_s", 10));
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

static double layers_in(const struct settings *l, const char *member)
{
    return ceil(json_number(l->process, member, 0) / l->layer - 1e-6);
}

static void put_walls_and_infill(struct settings *l)
{
    const char *pattern = json_text(l->process, "infill_pattern", "grid");
    double percent = json_number(l->process, "infill_percent", 0);
    double walls = json_number(l->process, "wall_count", 2);
    double walls_mm = l->outer + (walls - 1) * l->line;
    bool solid = percent >= 100;
    settings_number(l, "layer_height", l->layer);
    settings_number(l, "layer_height_0", l->first_layer);
    settings_number(l, "wall_line_width_0", l->outer);
    settings_number(l, "wall_line_width_x", l->line);
    settings_number(l, "skin_line_width", l->outer);
    settings_number(l, "roofing_line_width", l->outer);
    settings_number(l, "infill_line_width", l->line);
    settings_number(l, "skirt_brim_line_width", l->line);
    settings_number(l, "wall_line_count", walls);
    settings_number(l, "top_layers", solid ? 0 : layers_in(l, "top_mm"));
    settings_number(l, "bottom_layers", solid ? 999999 : layers_in(l, "bottom_mm"));
    settings_number(l, "initial_bottom_layers", solid ? 999999 : layers_in(l, "bottom_mm"));
    settings_text(l, "infill_pattern", pattern);
    settings_number(l, "infill_line_distance",
                    percent > 0 ? l->line * 100 / percent * directions_of(pattern) : 0);
    settings_number(l, "infill_sparse_thickness", l->layer);
    settings_number(l, "infill_overlap_mm",
                    percent < 95 ? (l->line + l->line) / 2 * INFILL_OVERLAP_PERCENT / 100 : 0);
    settings_number(l, "skin_overlap_mm",
                    percent < 95 ? (l->outer + l->line) / 2 * SKIN_OVERLAP_PERCENT / 100 : 0);
    settings_number(l, "top_skin_preshrink", walls_mm);
    settings_number(l, "bottom_skin_preshrink", walls_mm);
    settings_number(l, "top_skin_expand_distance", walls_mm);
    settings_number(l, "bottom_skin_expand_distance", walls_mm);
    settings_text(l, "z_seam_type", "back");
    settings_number(l, "z_seam_x", l->profile->printer.bed_mm[0] / 2);
    settings_number(l, "z_seam_y", l->profile->printer.bed_mm[1]);
}

/* The engine knows no limit of melted plastic: speeds are held to what the material allows. */
static void put_speeds(struct settings *l)
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
    double flow = l->profile->material.max_flow_mm3_s, height = fmax(l->layer, l->first_layer);
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        double speed = settings_in(l->process, "speeds_mm_s", speeds[i].member);
        double area = (speeds[i].outer_width ? l->outer : l->line) * height;
        settings_number(l, speeds[i].key, speeds[i].travels ? speed : fmin(speed, flow / area));
    }
    settings_number(l, "speed_travel_layer_0",
                    fmin(settings_in(l->process, "speeds_mm_s", "travel"),
                         fmax(100, settings_in(l->process, "speeds_mm_s", "first_layer"))));
}

static void put_accelerations(struct settings *l)
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
        settings_number(l, accelerations[i].key,
                        settings_in(l->process, "accelerations_mm_s2", accelerations[i].member));
    settings_bool(l, "acceleration_enabled", true);
    settings_bool(l, "jerk_enabled", false); /* Klipper does not know M205 */
}

static void put_retraction(struct settings *l)
{
    double length = settings_in(l->process, "retraction", "length_mm");
    double hop = settings_in(l->process, "retraction", "hop_mm");
    settings_bool(l, "retraction_enable", length > 0);
    settings_number(l, "retraction_amount", length);
    settings_number(l, "retraction_retract_speed",
                    settings_in(l->process, "retraction", "speed_mm_s"));
    settings_number(l, "retraction_prime_speed",
                    settings_in(l->process, "retraction", "speed_mm_s"));
    settings_bool(l, "retraction_hop_enabled", hop > 0);
    settings_number(l, "retraction_hop", hop);
    settings_number(l, "retraction_min_travel", 2 * l->line);
}

/* A skirt or brim that has no room beside a large model is left out: off the bed it would fail. */
static void put_adhesion(struct settings *l, const struct engine_job *job)
{
    const char *type = json_text(json_get(l->process, "adhesion"), "type", "none");
    double brim = settings_in(l->process, "adhesion", "brim_mm");
    double gap = settings_in(l->process, "adhesion", "skirt_gap_mm");
    double lines = settings_in(l->process, "adhesion", "skirt_lines"), room = SKIRT_ROOM_MM;
    const double *bed = l->profile->printer.bed_mm;
    if (strcmp(type, "brim") == 0)
        room += brim;
    else
        room += gap + lines * l->line;
    for (int i = 0; i < 2; i++)
        if (fmax(-job->low[i], job->high[i]) + room > bed[i] / 2)
            type = "none";
    settings_text(l, "adhesion_type", type);
    settings_number(l, "skirt_line_count", lines);
    settings_number(l, "skirt_gap", gap);
    settings_number(l, "brim_line_count", ceil(brim / l->line - 1e-6));
}

static void put_support(struct settings *l)
{
    static const char *const widths[] = {"support_line_width", "support_roof_line_width",
                                         "support_bottom_line_width"};
    const cJSON *support = json_get(l->process, "support");
    double percent = json_number(support, "density_percent", 15);
    double gap = json_number(support, "gap_mm", 0.2), roof = json_number(support, "roof_mm", 0);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        settings_number(l, widths[i], l->line);
    settings_bool(l, "support_enable", json_bool(support, "enabled", true));
    settings_text(l, "support_structure", "normal");
    settings_text(l, "support_type",
                  json_bool(support, "everywhere", true) ? "everywhere" : "buildplate");
    settings_number(l, "support_angle", json_number(support, "angle_deg", 55));
    settings_text(l, "support_pattern", "zigzag");
    settings_number(l, "support_line_distance", l->line * 100 / percent);
    settings_number(l, "support_initial_layer_line_distance", l->line * 100 / percent);
    settings_number(l, "support_infill_sparse_thickness", l->layer);
    settings_number(l, "support_top_distance", gap);
    settings_number(l, "support_bottom_distance", gap);
    settings_number(l, "support_xy_distance", json_number(support, "side_gap_mm", 0.8));
    settings_bool(l, "support_roof_enable", roof > 0);
    settings_bool(l, "support_bottom_enable", false);
    settings_number(l, "support_roof_height", roof);
    settings_number(l, "support_bottom_height", roof);
    settings_number(l, "support_roof_line_distance", l->line * 100 / ROOF_PERCENT * 2);
    settings_number(l, "support_bottom_line_distance", l->line * 100 / ROOF_PERCENT);
    settings_bool(l, "support_brim_enable", true);
    settings_number(l, "support_brim_line_count", 8);
}

int cura_settings(cJSON **out, const struct engine_job *job, struct err *err)
{
    struct settings l = settings_of(job->options->profile);
    int failed = settings_base(&l, ENGINE_FILE, err);
    put_machine(&l);
    put_material(&l);
    put_walls_and_infill(&l);
    put_speeds(&l);
    put_accelerations(&l);
    put_retraction(&l);
    put_adhesion(&l, job);
    put_support(&l);
    failed = failed || put_code(&l, "machine_start_gcode", "start_gcode", err) ||
             put_code(&l, "machine_end_gcode", "end_gcode", err);
    /* Last of all: what the files say in the engine's own words. */
    settings_items(&l, json_get(l.profile->engines, "cura"));
    if (!failed && l.bad)
        failed = FAIL(err, ERR_LIMIT, "no memory for the settings");
    if (failed || settings_sort(l.out, err)) {
        cJSON_Delete(l.out);
        return -1;
    }
    *out = l.out;
    return 0;
}
