/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judging what the scan found; the last gate before a printer heats up. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "print/slice/gcode_scan.h"
#include "print/slice/slice.h"

#define PLACEHOLDER_TIME_S 6666 /* what CuraEngine writes before it knows */

struct judge {
    const struct gcode_scan *scan;
    const struct printer_profile *printer;
    double model_height_mm;
    cJSON *findings;
    bool passed;
};

static void find(struct judge *j, const char *code, bool fatal, double value, double limit,
                 const char *fmt, ...) PRINTF_LIKE(6, 7);
static void find(struct judge *j, const char *code, bool fatal, double value, double limit,
                 const char *fmt, ...)
{
    char message[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    cJSON *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(finding, "code", code);
    cJSON_AddStringToObject(finding, "severity", fatal ? "error" : "warning");
    cJSON_AddStringToObject(finding, "message", message);
    cJSON_AddNumberToObject(finding, "value", value);
    cJSON_AddNumberToObject(finding, "limit", limit);
    cJSON_AddItemToArray(j->findings, finding);
    j->passed = j->passed && !fatal;
}

/* How much of the top may be lost: tips thinner than a line are not printed, and so their layers
 * and their height are missing. More than this is a lost part. */
static double most_lost_mm(double height_mm)
{
    return fmax(3, 0.05 * height_mm);
}

static void judge_layers(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    long missing = s->header_layers - (long)s->layers;
    double layer = fmax(s->header_layer_mm, 0.04);
    if (missing == 0 || (s->marks_layers && s->header_layers < 0))
        return;
    bool fatal = s->header_layers < 0 || missing < 0 ||
                 (double)missing * layer > most_lost_mm((double)s->header_layers * layer);
    find(j, "layer_count", fatal, s->layers, (double)s->header_layers,
         "%u layers are there; the header says %ld", s->layers, s->header_layers);
}

static void judge_lines(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    if (s->placeholder_line)
        find(j, "placeholder_left", true, (double)s->placeholder_line, 0,
             "line %llu still holds a word in braces", (unsigned long long)s->placeholder_line);
    if (s->unreadable_line)
        find(j, "unreadable_line", true, (double)s->unreadable_line, 0,
             "line %llu cannot be understood: %s", (unsigned long long)s->unreadable_line,
             s->unreadable);
    if (!s->has_time || !s->has_filament)
        find(j, "header_missing", true, 0, 0, "the header does not say print time and filament");
    else if (s->header_time_s == PLACEHOLDER_TIME_S || !(s->header_filament_mm > 0))
        find(j, "header_placeholder", true, s->header_time_s, 0,
             "the header is the engine's placeholder");
    if (s->extruding_moves == 0 || s->layers == 0 || s->z_rises == 0)
        find(j, "gcode_empty", true, (double)s->extruding_moves, 1, "nothing is printed");
    if (s->gap_line)
        find(j, "layer_gap", true, (double)s->gap_line, 0,
             "line %llu begins a layer after one or more that are missing",
             (unsigned long long)s->gap_line);
    /* One layer of air sags and holds: a horn of a real figure had it, and is no reason to refuse.
     */
    if (s->thin_line)
        find(j, "layer_thin", false, (double)s->thin_line, 0,
             "before line %llu a layer has nothing to print: something is thinner there than one "
             "line",
             (unsigned long long)s->thin_line);
    judge_layers(j);
}

static void judge_bounds(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    const double *bed = j->printer->bed_mm;
    if (s->extruding_moves == 0)
        return;
    for (int i = 0; i < 2; i++)
        if (s->low[i] < -0.001 || s->high[i] > bed[i] + 0.001) {
            double worst = s->low[i] < -0.001 ? s->low[i] : s->high[i];
            find(j, "outside_bed", true, worst, bed[i],
                 "prints at %c %.2f, outside 0..%.0f, first at line %llu", "XY"[i], worst, bed[i],
                 (unsigned long long)s -> left_bed_line);
        }
    if (s->low[2] < -0.001)
        find(j, "below_bed", true, s->low[2], 0, "prints at Z %.2f, below the bed", s->low[2]);
    if (s->high[2] > bed[2] + 0.001)
        find(j, "too_high", true, s->high[2], bed[2], "prints at Z %.2f; %.0f is the most",
             s->high[2], bed[2]);
    if (s->first_z > j->printer->nozzle_mm + 0.001)
        find(j, "first_layer_high", true, s->first_z, j->printer->nozzle_mm,
             "the first layer is printed %.2f mm above the bed", s->first_z);
}

static void judge_height(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    double wanted = j->model_height_mm, layer = fmax(s->header_layer_mm, 0.1);
    double slack = 1.5 * layer + 0.05;
    if (wanted <= 0 || s->extruding_moves == 0)
        return;
    double lost = wanted - s->high[2];
    if (lost < -slack || lost > slack)
        find(j, "height_mismatch", lost < -slack || lost > most_lost_mm(wanted), s->high[2], wanted,
             "prints %.2f mm high; the model is %.2f mm", s->high[2], wanted);
}

static void judge_heat(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    double nozzle_max = json_number(j->printer->settings, "nozzle_max_c", 300);
    double bed_max = json_number(j->printer->settings, "bed_max_c", 120);
    if (s->cold_line)
        find(j, "cold_extrusion", true, (double)s->cold_line, GCODE_LOWEST_HOT_C,
             "line %llu pushes plastic before the nozzle is heated",
             (unsigned long long)s->cold_line);
    if (s->cold_bed_line)
        find(j, "bed_cold", true, (double)s->cold_bed_line, 0,
             "line %llu pushes plastic before the bed is heated",
             (unsigned long long)s->cold_bed_line);
    if (s->nozzle_c > 0 || s->bed_c > 0)
        find(j, "heaters_left_on", true, fmax(s->nozzle_c, s->bed_c), 0,
             "ends with nozzle %.0f C and bed %.0f C", s->nozzle_c, s->bed_c);
    if (s->hottest_c > nozzle_max || s->hottest_bed_c > bed_max)
        find(j, "too_hot", true, s->hottest_c, nozzle_max,
             "asks for nozzle %.0f C and bed %.0f C; %.0f and %.0f are the most", s->hottest_c,
             s->hottest_bed_c, nozzle_max, bed_max);
}

static void judge_amounts(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    double fastest = json_number(json_get(j->printer->settings, "limits"), "speed_xy_mm_s", 0);
    double slack = 2 + 0.005 * s->header_filament_mm;
    if (s->has_filament && fabs(s->filament_mm - s->header_filament_mm) > slack)
        find(j, "filament_mismatch", true, s->filament_mm, s->header_filament_mm,
             "pushes %.1f mm of filament; the header says %.1f", s->filament_mm,
             s->header_filament_mm);
    if (fastest > 0 && s->max_speed_mm_s > fastest + 0.01)
        find(j, "too_fast", false, s->max_speed_mm_s, fastest,
             "moves at %.0f mm/s; the printer goes up to %.0f", s->max_speed_mm_s, fastest);
}

static cJSON *measures_of(const struct gcode_scan *s)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"lines", (double)s->lines},
                   {"extruding_moves", (double)s->extruding_moves},
                   {"layers", s->layers},
                   {"print_time_s", s->header_time_s},
                   {"filament_mm", s->filament_mm},
                   {"header_filament_mm", s->header_filament_mm},
                   {"start_filament_mm", s->start_filament_mm},
                   {"height_mm", s->extruding_moves ? s->high[2] : 0},
                   {"first_layer_z_mm", s->first_z},
                   {"max_flow_mm3_s", s->max_flow_mm3_s},
                   {"max_speed_mm_s", s->max_speed_mm_s},
                   {"nozzle_c", s->hottest_c},
                   {"bed_c", s->hottest_bed_c}};
    cJSON *out = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cJSON_AddNumberToObject(out, numbers[i].name, numbers[i].value);
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
    if (gcode_scan_file(&scan, path, options->printer->bed_mm, err))
        return -1;
    struct judge judge = {&scan, options->printer, options->model_height_mm, cJSON_CreateArray(),
                          true};
    judge_lines(&judge);
    judge_bounds(&judge);
    judge_height(&judge);
    judge_heat(&judge);
    judge_amounts(&judge);
    cJSON *out = cJSON_CreateObject();
    cJSON_AddStringToObject(out, "verdict", judge.passed ? "pass" : "reject");
    cJSON_AddItemToObject(out, "findings", judge.findings);
    cJSON_AddItemToObject(out, "measures", measures_of(&scan));
    *report = out;
    *passed = judge.passed;
    return 0;
}
