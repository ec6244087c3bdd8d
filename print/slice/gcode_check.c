/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One check: what the printer and the material allow, the scan, the judgement, the report. */
#include "print/slice/gcode_check.h"

#include <math.h>
#include <string.h>

#include "print/slice/gcode_judge.h"

#define PI 3.14159265358979323846
#define FILAMENT_MM 1.75

static enum gcode_flavour flavour_of(const struct printer_profile *printer)
{
    return strcmp(printer->flavour, "klipper") == 0 ? FLAVOUR_KLIPPER
           : strcmp(printer->flavour, "prusa") == 0 ? FLAVOUR_PRUSA
                                                    : FLAVOUR_MARLIN;
}

static struct gcode_limits limits_of(const struct gcode_check_options *o)
{
    const cJSON *printer = o->printer->settings, *speeds = json_get(printer, "limits");
    double diameter = o->material ? o->material->diameter_mm : FILAMENT_MM;
    double flow = o->material ? o->material->max_flow_mm3_s : 0;
    struct gcode_limits limits = {
        .nozzle_mm = o->printer->nozzle_mm,
        .filament_mm2 = PI * diameter * diameter / 4,
        .flow_mm3_s = flow > 0 ? flow : INFINITY,
        .speed_xy = json_number(speeds, "speed_xy_mm_s", INFINITY),
        .speed_z = json_number(speeds, "speed_z_mm_s", INFINITY),
        .speed_e = json_number(speeds, "speed_e_mm_s", INFINITY),
        .flavour = flavour_of(o->printer),
        .heated_bed = json_number(printer, "bed_max_c", 120) > 0,
        .tools = (int)json_number(printer, "tools", 1),
        .start = json_get(printer, "start_gcode"),
        .end = json_get(printer, "end_gcode"),
    };
    memcpy(limits.bed_mm, o->printer->bed_mm, sizeof limits.bed_mm);
    return limits;
}

void gcode_check_profile(struct gcode_check_options *o, const struct profile *profile)
{
    const cJSON *p = profile->process;
    double walls = json_number(p, "wall_count", 1) * json_number(p, "line_width_mm", 0);
    double skins = fmin(json_number(p, "top_mm", 0), json_number(p, "bottom_mm", 0));
    o->printer = &profile->printer;
    o->material = &profile->material;
    o->shell_mm = fmin(walls, skins);
    o->infill_percent = json_number(p, "infill_percent", 0);
}

static cJSON *measures_of(const struct gcode_scan *s, const struct gcode_check_options *o)
{
    double mm2 = s->limits->filament_mm2, mm = gcode_counted_mm(s);
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"lines", (double)s->lines},
                   {"extruding_moves", (double)s->extruding_moves},
                   {"layers", s->layers},
                   {"print_time_s", s->header_time_s},
                   {"moves_s", s->moves_s},
                   {"filament_mm", mm},
                   {"header_filament_mm", s->header_filament_mm},
                   {"start_filament_mm", s->start_filament_mm},
                   {"model_mm3", s->type_mm[TYPE_MODEL] * mm2},
                   {"support_mm3", s->type_mm[TYPE_SUPPORT] * mm2},
                   {"around_mm3", s->type_mm[TYPE_AROUND] * mm2},
                   {"height_mm", s->extruding_moves ? s->high[2] : 0},
                   {"first_layer_z_mm", s->first_z},
                   {"max_flow_mm3_s", s->max_flow_mm3_s},
                   {"max_speed_mm_s", s->max_speed_mm_s},
                   {"nozzle_c", s->hottest_c},
                   {"bed_c", s->hottest_bed_c}};
    cJSON *out = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cJSON_AddNumberToObject(out, numbers[i].name, numbers[i].value);
    if (o->material)
        cJSON_AddNumberToObject(out, "filament_g", mm * mm2 * o->material->density_g_cm3 / 1000);
    if (s->extruding_moves) {
        cJSON_AddItemToObject(out, "min_mm", cJSON_CreateDoubleArray(s->low, 3));
        cJSON_AddItemToObject(out, "max_mm", cJSON_CreateDoubleArray(s->high, 3));
    }
    return out;
}

int gcode_check(cJSON **report, bool *passed, const char *path,
                const struct gcode_check_options *options, struct err *err)
{
    struct gcode_scan scan;
    struct gcode_limits limits = limits_of(options);
    if (gcode_scan_file(&scan, path, &limits, options->on_progress, options->user, err))
        return -1;
    cJSON *out = cJSON_CreateObject(), *findings = cJSON_CreateArray();
    *passed = gcode_judge(findings, &scan, options);
    cJSON_AddStringToObject(out, "verdict", *passed ? "pass" : "reject");
    cJSON_AddItemToObject(out, "findings", findings);
    cJSON_AddItemToObject(out, "measures", measures_of(&scan, options));
    *report = out;
    return 0;
}
