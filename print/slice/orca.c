/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The profile in the words of the Orca family. It grew out of PrusaSlicer, so most values mean what
 * they mean there (prusa_settings.c gives the reasons); names and the form of lists differ. Every
 * key is one of these programs' own: what they do not know they drop without a word.
 */
#include "print/slice/orca.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/slice/orca_own.h"

#define VERSION "1.9.0.2" /* of the form; the programs take all that is not newer than they are */
#define PLASTIC "#D6CBBA"
#define CODE_MAX ((size_t)1 << 20)

static void add(struct orca_list *l, enum orca_group group, const char *key, cJSON *value)
{
    if (!value || !cJSON_AddItemToObject(l->out, key, value)) {
        cJSON_Delete(value);
        l->bad = true;
    } else if (group != PROJECT &&
               bytes_printf(&l->keys[group], NULL, "%s%s", l->keys[group].len ? ";" : "", key)) {
        l->bad = true;
    }
}

void orca_put_text(struct orca_list *l, enum orca_group group, const char *key, const char *value)
{
    add(l, group, key, cJSON_CreateString(value));
}

void orca_put(struct orca_list *l, enum orca_group group, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    orca_put_text(l, group, key, text);
}

void orca_put_percent(struct orca_list *l, enum orca_group group, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g%%", value);
    orca_put_text(l, group, key, text);
}

/* A list with as many equal entries as there are extruders (one) or modes (two). */
static void orca_put_list(struct orca_list *l, enum orca_group group, const char *key,
                          const char *value, int count)
{
    const char *texts[2] = {value, value};
    add(l, group, key, cJSON_CreateStringArray(texts, count));
}

static void orca_put_numbers(struct orca_list *l, enum orca_group group, const char *key,
                             double value, int count)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    orca_put_list(l, group, key, text, count);
}

static void put_names(struct orca_list *l, const char *colour)
{
    static const char *const none[] = {"", "", ""};
    const struct profile *p = l->profile;
    char text[200];
    orca_put_text(l, PROJECT, "version", VERSION);
    orca_put_text(l, PROJECT, "name", "project_settings");
    orca_put_text(l, PROJECT, "from", "project");
    snprintf(text, sizeof text, "%s %.6g nozzle", p->printer.name, p->printer.nozzle_mm);
    orca_put_text(l, PROJECT, "printer_settings_id", text);
    snprintf(text, sizeof text, "%.2fmm %s @%s", l->layer, p->process_id, p->printer.name);
    orca_put_text(l, PROJECT, "print_settings_id", text);
    snprintf(text, sizeof text, "%s @%s", p->material.name, p->printer.name);
    orca_put_list(l, PROJECT, "filament_settings_id", text, 1);
    orca_put_list(l, PROJECT, "filament_colour", colour ? colour : PLASTIC, 1);
    orca_put_text(l, PROJECT, "curr_bed_type", "High Temp Plate");
    add(l, PROJECT, "inherits_group", cJSON_CreateStringArray(none, 3));
}

static void put_limits(struct orca_list *l)
{
    static const struct {
        const char *key, *limit;
    } limits[] = {{"machine_max_speed_x", "speed_xy_mm_s"},
                  {"machine_max_speed_y", "speed_xy_mm_s"},
                  {"machine_max_speed_z", "speed_z_mm_s"},
                  {"machine_max_speed_e", "speed_e_mm_s"},
                  {"machine_max_acceleration_x", "acceleration_xy_mm_s2"},
                  {"machine_max_acceleration_y", "acceleration_xy_mm_s2"},
                  {"machine_max_acceleration_extruding", "acceleration_xy_mm_s2"},
                  {"machine_max_acceleration_travel", "acceleration_xy_mm_s2"},
                  {"machine_max_acceleration_z", "acceleration_z_mm_s2"},
                  {"machine_max_acceleration_e", "acceleration_e_mm_s2"},
                  {"machine_max_acceleration_retracting", "acceleration_e_mm_s2"},
                  {"machine_max_jerk_x", "jerk_xy_mm_s"},
                  {"machine_max_jerk_y", "jerk_xy_mm_s"}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        orca_put_numbers(l, PRINTER, limits[i].key,
                         settings_in(l->printer, "limits", limits[i].limit), 2);
    orca_put_numbers(l, PRINTER, "machine_max_jerk_z", 0.4, 2);
    orca_put_numbers(l, PRINTER, "machine_max_jerk_e", 5, 2);
    orca_put_text(l, PRINTER, "emit_machine_limits_to_gcode", "0");
}

static void put_bed(struct orca_list *l)
{
    const double *bed = l->profile->printer.bed_mm;
    char corners[4][60];
    const char *list[4];
    for (int i = 0; i < 4; i++) {
        snprintf(corners[i], sizeof corners[i], "%gx%g", i == 1 || i == 2 ? bed[0] : 0,
                 i >= 2 ? bed[1] : 0);
        list[i] = corners[i];
    }
    add(l, PRINTER, "printable_area", cJSON_CreateStringArray(list, 4));
    orca_put(l, PRINTER, "printable_height", bed[2]);
}

static int put_code(struct orca_list *l, const char *key, const char *before, const char *member,
                    struct err *err)
{
    struct bytes text = {.limit = CODE_MAX};
    int failed = settings_code(&text, l->profile, before, member, err);
    if (!failed)
        orca_put_text(l, PRINTER, key, text.data ? (const char *)text.data : "");
    bytes_free(&text);
    return failed ? -1 : 0;
}

static void put_thumbnails(struct orca_list *l)
{
    char text[200] = "";
    size_t used = 0;
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(l->printer, "thumbnails"))
        if (cJSON_GetArraySize(one) == 2 && used < sizeof text - 40)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%gx%g/PNG",
                                     used ? ", " : "", cJSON_GetArrayItem(one, 0)->valuedouble,
                                     cJSON_GetArrayItem(one, 1)->valuedouble);
    if (used)
        orca_put_text(l, PRINTER, "thumbnails", text);
}

static int put_printer(struct orca_list *l, struct err *err)
{
    const struct printer_profile *printer = &l->profile->printer;
    bool klipper = strcmp(json_text(l->printer, "flavour", "marlin"), "klipper") == 0;
    char variant[40];
    snprintf(variant, sizeof variant, "%.6g", printer->nozzle_mm);
    orca_put_text(l, PRINTER, "printer_technology", "FFF");
    orca_put_text(l, PRINTER, "printer_model", printer->name);
    orca_put_text(l, PRINTER, "printer_variant", variant);
    orca_put_list(l, PRINTER, "nozzle_diameter", variant, 1);
    orca_put_text(l, PRINTER, "gcode_flavor", klipper ? "klipper" : "marlin2");
    orca_put_text(l, PRINTER, "use_relative_e_distances", "0");
    orca_put_text(l, PRINTER, "silent_mode", "0");
    put_bed(l);
    put_limits(l);
    put_thumbnails(l);
    orca_put_numbers(l, PRINTER, "retraction_length",
                     settings_in(l->process, "retraction", "length_mm"), 1);
    orca_put_numbers(l, PRINTER, "retraction_speed",
                     settings_in(l->process, "retraction", "speed_mm_s"), 1);
    orca_put_numbers(l, PRINTER, "deretraction_speed", 0, 1); /* as retraction_speed */
    orca_put_numbers(l, PRINTER, "z_hop", settings_in(l->process, "retraction", "hop_mm"), 1);
    orca_put_numbers(l, PRINTER, "retraction_minimum_travel", 2 * l->line, 1);
    orca_put_numbers(l, PRINTER, "retract_when_changing_layer", 0, 1);
    orca_put_numbers(l, PRINTER, "wipe", 0, 1);
    /* The program says G90 and M82 only after the start code, which counts on both. */
    return put_code(l, "machine_start_gcode", "G90\nM82\n", "start_gcode", err) ||
                   put_code(l, "machine_end_gcode", "", "end_gcode", err)
               ? -1
               : 0;
}

/* PLA, PETG, ...: what the material's file says, else its id before the first dash, in capitals. */
static void put_filament_type(struct orca_list *l)
{
    char type[40] = "";
    const char *said = json_text(l->material, "type", l->profile->material.id);
    for (size_t i = 0; i < sizeof type - 1 && said[i] && said[i] != '-' && said[i] != '_'; i++)
        type[i] = (char)(said[i] >= 'a' && said[i] <= 'z' ? said[i] - 'a' + 'A' : said[i]);
    orca_put_list(l, FILAMENT, "filament_type", type, 1);
}

/* Which plate lies on the bed is not known here: all of them get the material's temperature. */
static void put_temperatures(struct orca_list *l)
{
    static const char *const plates[] = {
        "cool_plate_temp",     "cool_plate_temp_initial_layer",
        "eng_plate_temp",      "eng_plate_temp_initial_layer",
        "hot_plate_temp",      "hot_plate_temp_initial_layer",
        "textured_plate_temp", "textured_plate_temp_initial_layer"};
    const struct material_profile *m = &l->profile->material;
    for (size_t i = 0; i < sizeof plates / sizeof *plates; i++)
        orca_put_numbers(l, FILAMENT, plates[i], m->bed_c, 1);
    orca_put_numbers(l, FILAMENT, "nozzle_temperature", m->nozzle_c, 1);
    orca_put_numbers(l, FILAMENT, "nozzle_temperature_initial_layer",
                     json_number(l->material, "first_layer_nozzle_c", m->nozzle_c), 1);
}

static void put_filament(struct orca_list *l)
{
    const struct material_profile *m = &l->profile->material;
    double fan = settings_in(l->material, "fan", "percent");
    double full_at = settings_in(l->material, "fan", "full_at_mm");
    bool first_off = settings_in(l->material, "fan", "first_layer_percent") <= 0;
    put_filament_type(l);
    put_temperatures(l);
    orca_put_numbers(l, FILAMENT, "filament_diameter", m->diameter_mm, 1);
    orca_put_numbers(l, FILAMENT, "filament_density", m->density_g_cm3, 1);
    orca_put_numbers(l, FILAMENT, "filament_cost",
                     json_number(l->material, "price_minor_per_kg", 0) / 100, 1);
    orca_put_numbers(l, FILAMENT, "filament_flow_ratio",
                     json_number(l->material, "flow_percent", 100) / 100, 1);
    orca_put_numbers(l, FILAMENT, "filament_max_volumetric_speed", m->max_flow_mm3_s, 1);
    orca_put_numbers(l, FILAMENT, "fan_min_speed", fan, 1);
    orca_put_numbers(l, FILAMENT, "fan_max_speed", fan, 1);
    orca_put_numbers(l, FILAMENT, "overhang_fan_speed", fan, 1);
    orca_put_numbers(l, FILAMENT, "fan_cooling_layer_time", 60, 1);
    orca_put_numbers(l, FILAMENT, "reduce_fan_stop_start_freq", 1, 1);
    orca_put_numbers(l, FILAMENT, "close_fan_the_first_x_layers", first_off, 1);
    orca_put_numbers(l, FILAMENT, "full_fan_speed_layer",
                     fmax(1, floor((full_at - l->first_layer) / l->layer + 1e-6) + 2), 1);
    orca_put_numbers(l, FILAMENT, "slow_down_for_layer_cooling", 1, 1);
    orca_put_numbers(l, FILAMENT, "slow_down_layer_time",
                     json_number(l->material, "min_layer_time_s", 0), 1);
    orca_put_numbers(l, FILAMENT, "slow_down_min_speed",
                     json_number(l->material, "min_speed_mm_s", 10), 1);
}

/* One text for the process, each filament, the printer: what was set on purpose. */
static void put_differences(struct orca_list *l)
{
    const char *lists[3];
    for (int i = PROCESS; i <= PRINTER; i++)
        lists[i] = l->keys[i].data ? (const char *)l->keys[i].data : "";
    add(l, PROJECT, "different_settings_to_system", cJSON_CreateStringArray(lists, 3));
}

struct orca_list orca_list_of(const struct profile *profile)
{
    struct settings s = settings_of(profile);
    return (struct orca_list){.out = s.out,
                              .profile = profile,
                              .printer = s.printer,
                              .process = s.process,
                              .material = s.material,
                              .layer = s.layer,
                              .first_layer = s.first_layer,
                              .outer = s.outer,
                              .line = s.line,
                              .bad = s.bad};
}

int orca_settings(struct bytes *json, const struct profile *profile, const char *colour,
                  struct err *err)
{
    struct orca_list l = orca_list_of(profile);
    put_names(&l, colour);
    int failed = put_printer(&l, err);
    put_filament(&l);
    orca_put_process(&l);
    put_differences(&l);
    if (!failed && l.bad)
        failed = FAIL(err, ERR_LIMIT, "no memory for the settings");
    failed = failed || settings_sort(l.out, err) || json_print(json, l.out, true, err);
    for (int i = 0; i < GROUPS; i++)
        bytes_free(&l.keys[i]);
    cJSON_Delete(l.out);
    return failed ? -1 : 0;
}
