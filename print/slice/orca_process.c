/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process in the words of the Orca family, of a whole plate and of one object; orca.h. */
#include <math.h>
#include <string.h>

#include "print/slice/orca.h"
#include "print/slice/orca_own.h"

#define ROOF_PERCENT 33.333

/* "zig-zag" is what these programs call rectilinear infill. */
static const char *pattern_of(const char *ours, double percent)
{
    static const char *const patterns[][2] = {{"grid", "grid"},
                                              {"lines", "line"},
                                              {"triangles", "triangles"},
                                              {"cubic", "cubic"},
                                              {"trihexagon", "tri-hexagon"},
                                              {"zigzag", "zig-zag"},
                                              {"gyroid", "gyroid"},
                                              {"concentric", "concentric"}};
    if (percent >= 100) /* the others are refused at 100 % */
        return "zig-zag";
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(ours, patterns[i][0]) == 0)
            return patterns[i][1];
    return "grid";
}

static double layers_in(const struct orca_list *l, const cJSON *from, const char *member)
{
    return ceil(json_number(from, member, 0) / l->layer - 1e-6);
}

static void put_walls_and_infill(struct orca_list *l)
{
    static const char *const lines[] = {"line_width", "inner_wall_line_width",
                                        "sparse_infill_line_width", "support_line_width",
                                        "initial_layer_line_width"};
    static const char *const outers[] = {"outer_wall_line_width", "top_surface_line_width",
                                         "internal_solid_infill_line_width"};
    double percent = fmin(json_number(l->process, "infill_percent", 0), 100);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        orca_put(l, PROCESS, lines[i], l->line);
    for (size_t i = 0; i < sizeof outers / sizeof *outers; i++)
        orca_put(l, PROCESS, outers[i], l->outer);
    orca_put(l, PROCESS, "layer_height", l->layer);
    orca_put(l, PROCESS, "initial_layer_print_height", l->first_layer);
    orca_put(l, PROCESS, "wall_loops", json_number(l->process, "wall_count", 2));
    orca_put(l, PROCESS, "top_shell_layers", layers_in(l, l->process, "top_mm"));
    orca_put(l, PROCESS, "bottom_shell_layers", layers_in(l, l->process, "bottom_mm"));
    orca_put(l, PROCESS, "top_shell_thickness", 0);
    orca_put(l, PROCESS, "bottom_shell_thickness", 0);
    orca_put_percent(l, PROCESS, "sparse_infill_density", percent);
    orca_put_text(l, PROCESS, "sparse_infill_pattern",
                  pattern_of(json_text(l->process, "infill_pattern", "grid"), percent));
    orca_put(l, PROCESS, "infill_direction", 45);
    orca_put_percent(l, PROCESS, "infill_wall_overlap", 25);
    orca_put_text(l, PROCESS, "top_surface_pattern", "monotonic");
    orca_put_text(l, PROCESS, "bottom_surface_pattern", "monotonic");
    orca_put_text(l, PROCESS, "seam_position", "back");
    orca_put_text(l, PROCESS, "wall_generator", "arachne");
    orca_put_text(l, PROCESS, "print_sequence", "by layer");
    orca_put_text(l, PROCESS, "ironing_type", "no ironing");
    orca_put(l, PROCESS, "elefant_foot_compensation", 0);
    orca_put(l, PROCESS, "spiral_mode", 0);
    orca_put(l, PROCESS, "raft_layers", 0);
    orca_put(l, PROCESS, "enable_prime_tower", 0);
}

/* Held to the material's melted volume, as for the other engines. */
static void put_speeds(struct orca_list *l)
{
    static const struct {
        const char *key, *member;
        bool outer_width, travels;
    } speeds[] = {{"outer_wall_speed", "outer_wall", true, false},
                  {"inner_wall_speed", "inner_wall", false, false},
                  {"sparse_infill_speed", "infill", false, false},
                  {"internal_solid_infill_speed", "top_bottom", false, false},
                  {"top_surface_speed", "top_bottom", false, false},
                  {"gap_infill_speed", "top_bottom", false, false},
                  {"support_speed", "support", false, false},
                  {"support_interface_speed", "support", false, false},
                  {"bridge_speed", "outer_wall", false, false},
                  {"initial_layer_speed", "first_layer", false, false},
                  {"initial_layer_infill_speed", "first_layer", false, false},
                  {"travel_speed", "travel", false, true}};
    static const struct {
        const char *key, *member;
    } accelerations[] = {{"default_acceleration", "normal"},
                         {"outer_wall_acceleration", "outer_wall"},
                         {"inner_wall_acceleration", "normal"},
                         {"top_surface_acceleration", "normal"},
                         {"initial_layer_acceleration", "first_layer"},
                         {"travel_acceleration", "travel"}};
    double flow = l->profile->material.max_flow_mm3_s, height = fmax(l->layer, l->first_layer);
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        double speed = settings_in(l->process, "speeds_mm_s", speeds[i].member);
        double area = (speeds[i].outer_width ? l->outer : l->line) * height;
        orca_put(l, PROCESS, speeds[i].key,
                 speeds[i].travels || flow <= 0 ? speed : fmin(speed, flow / area));
    }
    for (size_t i = 0; i < sizeof accelerations / sizeof *accelerations; i++)
        orca_put(l, PROCESS, accelerations[i].key,
                 settings_in(l->process, "accelerations_mm_s2", accelerations[i].member));
}

/* Our angle is from upright, theirs from lying flat; our distance of lines is from middle to
 * middle, theirs from edge to edge. */
static void put_support(struct orca_list *l)
{
    const cJSON *support = json_get(l->process, "support");
    double percent = json_number(support, "density_percent", 15);
    orca_put(l, PROCESS, "enable_support", json_bool(support, "enabled", true));
    orca_put_text(l, PROCESS, "support_type", "normal(auto)");
    orca_put_text(l, PROCESS, "support_style", "snug");
    orca_put(l, PROCESS, "support_threshold_angle",
             fmax(1, 90 - round(json_number(support, "angle_deg", 55))));
    orca_put(l, PROCESS, "support_on_build_plate_only", !json_bool(support, "everywhere", true));
    orca_put_text(l, PROCESS, "support_base_pattern", "rectilinear");
    orca_put(l, PROCESS, "support_base_pattern_spacing",
             fmax(0, l->line * 100 / percent - l->line));
    orca_put(l, PROCESS, "support_top_z_distance", json_number(support, "gap_mm", 0.2));
    orca_put(l, PROCESS, "support_bottom_z_distance", json_number(support, "gap_mm", 0.2));
    orca_put(l, PROCESS, "support_object_xy_distance", json_number(support, "side_gap_mm", 0.8));
    orca_put(l, PROCESS, "support_interface_top_layers", layers_in(l, support, "roof_mm"));
    orca_put(l, PROCESS, "support_interface_bottom_layers", 0);
    orca_put(l, PROCESS, "support_interface_spacing", l->line * 100 / ROOF_PERCENT - l->line);
}

static void put_adhesion(struct orca_list *l)
{
    const char *type = json_text(json_get(l->process, "adhesion"), "type", "none");
    bool brim = strcmp(type, "brim") == 0, skirt = strcmp(type, "skirt") == 0;
    orca_put_text(l, PROCESS, "brim_type", brim ? "outer_only" : "no_brim");
    orca_put(l, PROCESS, "brim_width", brim ? settings_in(l->process, "adhesion", "brim_mm") : 0);
    orca_put(l, PROCESS, "brim_object_gap", 0);
    orca_put(l, PROCESS, "skirt_loops",
             skirt ? settings_in(l->process, "adhesion", "skirt_lines") : 0);
    orca_put(l, PROCESS, "skirt_distance", settings_in(l->process, "adhesion", "skirt_gap_mm"));
    orca_put(l, PROCESS, "skirt_height", 1);
}

void orca_put_process(struct orca_list *l)
{
    put_walls_and_infill(l);
    put_speeds(l);
    put_support(l);
    put_adhesion(l);
}

static int put_own(struct bytes *lines, const struct orca_list *l, const cJSON *settings,
                   const cJSON *item, struct err *err)
{
    const char *name = item->string;
    double percent =
        json_number(settings, "infill_percent", json_number(l->process, "infill_percent", 0));
    const char *pattern =
        json_text(settings, "infill_pattern", json_text(l->process, "infill_pattern", "grid"));
    if (strcmp(name, "infill_percent") == 0)
        return bytes_printf(lines, err,
                            "sparse_infill_density = %.6g%%\nsparse_infill_pattern = %s\n",
                            fmin(percent, 100), pattern_of(pattern, percent));
    if (strcmp(name, "infill_pattern") == 0)
        return json_get(settings, "infill_percent")
                   ? 0 /* said with it */
                   : bytes_printf(lines, err, "sparse_infill_pattern = %s\n",
                                  pattern_of(pattern, percent));
    if (strcmp(name, "wall_count") == 0)
        return bytes_printf(lines, err, "wall_loops = %.6g\n", item->valuedouble);
    if (strcmp(name, "top_mm") == 0)
        return bytes_printf(lines, err, "top_shell_layers = %.6g\n", layers_in(l, settings, name));
    if (strcmp(name, "bottom_mm") == 0)
        return bytes_printf(lines, err, "bottom_shell_layers = %.6g\n",
                            layers_in(l, settings, name));
    if (strcmp(name, "support") == 0 && cJSON_HasObjectItem(item, "enabled") &&
        cJSON_GetArraySize(item) == 1)
        return bytes_printf(lines, err, "enable_support = %d\n", json_bool(item, "enabled", true));
    return FAIL_CODE(err, ERR_INPUT, "schema_violation", "%.40s cannot be an object's own", name);
}

int orca_object_settings(struct bytes *lines, const struct profile *profile, const cJSON *settings,
                         struct err *err)
{
    struct orca_list l = orca_list_of(profile);
    const cJSON *item;
    int failed = 0;
    cJSON_ArrayForEach (item, settings)
        if ((failed = put_own(lines, &l, settings, item, err)) != 0)
            break;
    cJSON_Delete(l.out);
    return failed ? -1 : 0;
}
