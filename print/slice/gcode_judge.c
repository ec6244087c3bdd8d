/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judging what the scan found: every code is made here. docs/gcode-check.md has reasons and limits.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "print/slice/gcode_judge.h"

#define PI 3.14159265358979323846
#define PLACEHOLDER_TIME_S 6666 /* what CuraEngine writes before it knows */
#define LONGEST_PURGE_MM 200    /* of filament, before the first layer */
#define LONGEST_BLOB_MM 15      /* of filament, within the layers */
#define BLOB_SHARE 2e-4         /* of all filament: 1 GB of sound layers drifted by 0.9e-4 */
#define NOZZLE_APART_C 40       /* from what the material is printed at */
#define BED_APART_C 35
#define FLOW_SLACK 1.05 /* warns above; the last digit of E, and rounding of F */
#define FLOW_FATAL 1.5
#define MOST_PLASTIC 1.15 /* of the model's volume */
#define LEAST_PLASTIC 0.7 /* of the least that a shell can be */

struct judge {
    const struct gcode_scan *scan;
    const struct gcode_check_options *options;
    const struct gcode_limits *limits;
    cJSON *findings;
    bool passed;
};

/* line 0: the finding is of no single line. */
static void find(struct judge *j, const char *code, bool fatal, uint64_t line, double value,
                 double limit, const char *fmt, ...) PRINTF_LIKE(7, 8);
static void find(struct judge *j, const char *code, bool fatal, uint64_t line, double value,
                 double limit, const char *fmt, ...)
{
    char message[240];
    int n = line ? snprintf(message, sizeof message, "line %llu ", (unsigned long long)line) : 0;
    va_list args;
    va_start(args, fmt);
    vsnprintf(message + n, sizeof message - (size_t)n, fmt, args);
    va_end(args);
    cJSON *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(finding, "code", code);
    cJSON_AddStringToObject(finding, "severity", fatal ? "error" : "warning");
    cJSON_AddStringToObject(finding, "message", message);
    if (line)
        cJSON_AddNumberToObject(finding, "line", (double)line);
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

/* What is wrong with a single line says so by itself; the limit is the printer's. */
static double limit_of(const struct judge *j, enum gcode_fault fault)
{
    switch (fault) {
    case FAULT_COLD:
    case FAULT_UNAWAITED:
        return GCODE_LOWEST_HOT_C;
    case FAULT_LONG_LINE:
        return GCODE_LONGEST_COMMAND;
    case FAULT_TOOL:
        return j->limits->tools - 1;
    case FAULT_OVERRIDE:
        return 100;
    case FAULT_SPEED_XY:
        return j->limits->speed_xy;
    case FAULT_SPEED_Z:
        return j->limits->speed_z;
    case FAULT_SPEED_E:
        return j->limits->speed_e;
    default:
        return 0;
    }
}

static void judge_lines(struct judge *j)
{
    static const struct {
        enum gcode_fault fault;
        const char *code;
        bool fatal;
        const char *words;
    } rules[] = {
        {FAULT_PLACEHOLDER, "placeholder_left", true, "still holds a word in braces"},
        {FAULT_BYTES, "odd_bytes", true, "holds bytes that no printer reads as text"},
        {FAULT_LONE_CR, "lone_cr", true,
         "holds a carriage return, at which Marlin begins a new command"},
        {FAULT_UNREADABLE, "unreadable_line", true, "cannot be understood"},
        {FAULT_LONG_LINE, "line_too_long", true, "is longer than a printer reads"},
        {FAULT_NOT_UTF8, "comment_not_utf8", false, "holds a comment that is not UTF-8"},
        {FAULT_FORBIDDEN, "command_forbidden", true, "holds a command that may not be there"},
        {FAULT_TOOL, "tool_change", true, "changes to a tool that the printer has not"},
        {FAULT_OVERRIDE, "speed_override", true, "changes all speeds or all flow"},
        {FAULT_LAYER_ORDER, "layer_order", true, "begins a layer that was there before"},
        /* One layer of air sags and holds: a horn of a real figure had it, and is no reason to
         * refuse. */
        {FAULT_LAYER_THIN, "layer_thin", false,
         "comes after a layer with nothing to print: something is thinner there than one line"},
        {FAULT_Z_FALLS, "z_falls", true, "prints below what is printed already"},
        {FAULT_TRAVEL, "travel_outside", false, "moves far away from the bed"},
        {FAULT_TRAVEL_LOW, "below_bed", true, "moves below the bed"},
        {FAULT_COLD, "cold_extrusion", true, "pushes plastic with a cold nozzle"},
        {FAULT_UNAWAITED, "heat_not_awaited", true, "pushes plastic before any wait for the heat"},
        {FAULT_COLD_BED, "bed_cold", true, "pushes plastic with a cold bed"},
        {FAULT_HOMING, "homing_in_print", true, "homes or probes with the print on the bed"},
        {FAULT_NOT_HOMED, "not_homed", true,
         "begins to print without having homed each axis: nobody knows where the nozzle is"},
        {FAULT_MOTORS, "motors_off_in_print", true, "switches the motors off before the last move"},
        {FAULT_E_JUMP, "e_jump", true,
         "moves the filament by far too much: absolute E read as relative, or a lost G92"},
        {FAULT_ARC, "arc_broken", true, "holds an arc whose ends do not lie on one circle"},
        {FAULT_SPEED_XY, "too_fast", false, "moves faster than the printer can"},
        {FAULT_SPEED_Z, "z_too_fast", false, "prints upwards faster than the printer can"},
        {FAULT_SPEED_E, "e_too_fast", false, "pushes filament faster than the printer can"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct gcode_note *note = &j->scan->notes[rules[i].fault];
        char more[40] = "";
        if (note->count == 0 || (rules[i].fault == FAULT_Z_FALLS && j->scan->one_by_one))
            continue;
        if (note->count > 1)
            snprintf(more, sizeof more, ", and %llu more", (unsigned long long)note->count - 1);
        find(j, rules[i].code, rules[i].fatal, note->line, note->value, limit_of(j, rules[i].fault),
             "%s%s%s%s", rules[i].words, *note->text ? ": " : "", note->text, more);
    }
}

static void judge_header(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    if (!s->has_time || !s->has_filament)
        find(j, "header_missing", true, 0, 0, 0, "nothing says print time and filament");
    else if (s->header_time_s == PLACEHOLDER_TIME_S || !(s->header_time_s > 0) ||
             !(s->header_filament_mm > 0))
        find(j, "header_placeholder", true, 0, s->header_time_s, 0,
             "print time and filament are a placeholder: %.0f s, %.0f mm", s->header_time_s,
             s->header_filament_mm);
    else if (s->header_time_s < 0.95 * s->moves_s - 5)
        find(j, "time_too_short", false, 0, s->header_time_s, s->moves_s,
             "says that it prints in %.0f s; the moves alone take %.0f s", s->header_time_s,
             s->moves_s);
    else if (s->header_time_s > 10 * s->moves_s + 600)
        find(j, "time_too_long", false, 0, s->header_time_s, s->moves_s,
             "says that it prints in %.0f s; the moves take %.0f s", s->header_time_s, s->moves_s);
}

static void judge_count(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    long missing = s->header_layers - (long)s->layers;
    double layer = fmax(s->header_layer_mm, 0.04);
    if (missing == 0 || (s->marks_layers && s->header_layers < 0))
        return;
    bool fatal = s->header_layers < 0 || missing < 0 ||
                 (double)missing * layer > most_lost_mm((double)s->header_layers * layer);
    find(j, "layer_count", fatal, 0, s->layers, (double)s->header_layers,
         "%u layers are there; the header says %ld", s->layers, s->header_layers);
}

/* A gap under the very tip costs the tip; one further down is air under all that follows. */
static void judge_gaps(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    const struct gcode_note *skipped = &s->notes[FAULT_LAYER_GAP];
    double layer = s->header_layer_mm, rise = s->worst_rise_mm;
    double gap = fmax(2.5 * layer, j->limits->nozzle_mm) + 0.01;
    bool fatal = s->high[2] - s->gap_z > fmin(most_lost_mm(s->high[2]), s->high[2] / 4);
    if (skipped->count)
        find(j, "layer_gap", fatal, skipped->line, skipped->value, 1,
             "begins a layer after %.0f that are missing", skipped->value);
    else if (layer > 0 && rise > gap)
        find(j, "layer_gap", fatal, s->worst_rise_line, rise, gap,
             "prints %.2f mm above everything before it", rise);
    else if (layer > 0 && rise > 1.5 * layer + 0.01 && !s->notes[FAULT_LAYER_THIN].count &&
             !s->marks_layers)
        find(j, "layer_thin", false, s->worst_rise_line, rise, layer,
             "prints %.2f mm above the layer before", rise);
}

static void judge_layers(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    if (s->extruding_moves == 0 || s->layers == 0 || s->z_rises == 0) {
        find(j, "gcode_empty", true, 0, (double)s->extruding_moves, 1, "nothing is printed");
        return;
    }
    judge_count(j);
    if (s->z_rises + 2 + s->layers / 20 < s->layers && !s->one_by_one)
        find(j, "z_stuck", true, 0, s->z_rises, s->layers,
             "%u layers lie at %u heights: the nozzle does not rise", s->layers, s->z_rises);
    double before = fmax(s->start_filament_mm, s->start_standing_mm);
    if (before > LONGEST_PURGE_MM)
        find(j, "outside_layers", true, 0, before, LONGEST_PURGE_MM,
             "pushes %.0f mm of filament before the first layer", before);
    if (s->high[2] <= j->limits->bed_mm[2] && s->low[2] >= 0)
        judge_gaps(j); /* a wild height is said by itself */
}

static void judge_bounds(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    const double *bed = j->limits->bed_mm;
    if (s->extruding_moves == 0)
        return;
    for (int i = 0; i < 2; i++)
        if (s->low[i] < -GCODE_SLACK_MM || s->high[i] > bed[i] + GCODE_SLACK_MM) {
            double worst = s->low[i] < -GCODE_SLACK_MM ? s->low[i] : s->high[i];
            find(j, "outside_bed", true, s->notes[FAULT_OUTSIDE].line, worst, bed[i],
                 "is the first to leave the bed: %c reaches %.2f, 0..%.0f is there", "XY"[i], worst,
                 bed[i]);
        }
    if (s->low[2] < -GCODE_SLACK_MM && s->notes[FAULT_TRAVEL_LOW].count == 0)
        find(j, "below_bed", true, 0, s->low[2], 0, "prints at Z %.2f, below the bed", s->low[2]);
    if (s->high[2] > bed[2] + GCODE_SLACK_MM)
        find(j, "too_high", true, 0, s->high[2], bed[2], "prints at Z %.2f; %.0f is the most",
             s->high[2], bed[2]);
    if (s->first_z > j->limits->nozzle_mm + GCODE_SLACK_MM)
        find(j, "first_layer_high", true, 0, s->first_z, j->limits->nozzle_mm,
             "the first layer is printed %.2f mm above the bed", s->first_z);
}

static void judge_height(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    double wanted = j->options->model_height_mm, layer = fmax(s->header_layer_mm, 0.1);
    double slack = 1.5 * layer + 0.05;
    if (wanted <= 0 || s->extruding_moves == 0)
        return;
    double lost = wanted - s->high[2];
    if (lost < -slack || lost > slack)
        find(j, "height_mismatch", lost < -slack || lost > most_lost_mm(wanted), 0, s->high[2],
             wanted, "prints %.2f mm high; the model is %.2f mm", s->high[2], wanted);
}

static void judge_unfit(struct judge *j, const char *code, const char *what, const double said[2],
                        double wanted, double apart)
{
    double worst = wanted - said[0] > said[1] - wanted ? said[0] : said[1];
    if (wanted > 0 && isfinite(said[0]) && fabs(worst - wanted) > apart)
        find(j, code, true, 0, worst, wanted, "prints with the %s at %.0f C; %s wants %.0f C", what,
             worst, j->options->material->name, wanted);
}

static void judge_heat(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    const struct material_profile *m = j->options->material;
    double nozzle_max = json_number(j->options->printer->settings, "nozzle_max_c", 300);
    double bed_max = json_number(j->options->printer->settings, "bed_max_c", 120);
    if (s->nozzle_c > 0 || s->bed_c > 0)
        find(j, "heaters_left_on", true, 0, fmax(s->nozzle_c, s->bed_c), 0,
             "ends with nozzle %.0f C and bed %.0f C", s->nozzle_c, s->bed_c);
    if (s->hottest_c > nozzle_max || s->hottest_bed_c > bed_max)
        find(j, "too_hot", true, 0, s->hottest_c > nozzle_max ? s->hottest_c : s->hottest_bed_c,
             s->hottest_c > nozzle_max ? nozzle_max : bed_max,
             "asks for nozzle %.0f C and bed %.0f C; %.0f and %.0f are the most", s->hottest_c,
             s->hottest_bed_c, nozzle_max, bed_max);
    else if (m) {
        judge_unfit(j, "nozzle_unfit", "nozzle", s->print_nozzle_c, m->nozzle_c, NOZZLE_APART_C);
        judge_unfit(j, "bed_unfit", "bed", s->print_bed_c, m->bed_c, BED_APART_C);
    }
}

static void judge_fan(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    const struct material_profile *m = j->options->material;
    const cJSON *fan = m ? json_get(m->settings, "fan") : NULL;
    double percent = json_number(fan, "percent", 0);
    double since = json_number(fan, "full_at_mm", 0);
    if (percent >= 30 && !s->fan_on && s->extruding_moves > 0 && s->high[2] > since + 1)
        find(j, "fan_off", false, 0, 0, percent, "the fan never turns; %s wants %.0f %%", m->name,
             percent);
}

double gcode_counted_mm(const struct gcode_scan *s)
{
    return s->type_mm[TYPE_MODEL] + s->type_mm[TYPE_SUPPORT] + s->type_mm[TYPE_AROUND];
}

static void judge_amounts(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    double pushed = gcode_counted_mm(s), slack = 2 + 0.005 * s->header_filament_mm;
    const struct gcode_note *flow = &s->notes[FAULT_FLOW];
    double most = j->limits->flow_mm3_s;
    if (s->has_filament && s->header_filament_mm > 0 &&
        fabs(pushed - s->header_filament_mm) > slack)
        find(j, "filament_mismatch", true, 0, pushed, s->header_filament_mm,
             "pushes %.1f mm of filament; %.1f are said", pushed, s->header_filament_mm);
    double blob = LONGEST_BLOB_MM + BLOB_SHARE * pushed; /* a little each time is no blob */
    if (s->standing_most_mm > blob && s->notes[FAULT_E_JUMP].count == 0)
        find(j, "e_jump", true, 0, s->standing_most_mm, blob,
             "pushes %.0f mm of filament while standing that it never drew back",
             s->standing_most_mm);
    if (flow->count && flow->value > FLOW_SLACK * most)
        find(j, "flow_too_high", flow->value > FLOW_FATAL * most, flow->line, flow->value, most,
             "is the first to melt more than the material can: up to %.1f mm3/s, %.1f are the most",
             flow->value, most);
}

/*
 * The least that a body of this volume can take, when all within t of its surface is full and the
 * rest to the infill's share. Of all bodies the ball has the least within t of its surface
 * (Brunn-Minkowski: the body worn down by t is at most the ball worn down by t). And each plumb
 * line through it is full for 2 t of at most its height.
 */
static double least_share(const struct judge *j)
{
    const struct gcode_check_options *o = j->options;
    double shell = o->shell_mm > 0 ? o->shell_mm : j->limits->nozzle_mm / 2, t = shell / sqrt(2);
    double radius = cbrt(3 * o->model_volume_mm3 / (4 * PI)), height = o->model_height_mm;
    double core = radius > t ? pow(1 - t / radius, 3) : 0;
    if (height > 0)
        core = fmin(core, fmax(0, 1 - 2 * shell / height));
    return LEAST_PLASTIC * (1 - core * (1 - fmin(o->infill_percent, 100) / 100));
}

static void judge_volume(struct judge *j)
{
    const struct gcode_scan *s = j->scan;
    double model = j->options->model_volume_mm3;
    double mm3 = s->type_mm[TYPE_MODEL] * j->limits->filament_mm2;
    if (model <= 0 || s->extruding_moves == 0)
        return;
    /* Without ;TYPE: words support cannot be told from the model. */
    if (s->has_types && mm3 > MOST_PLASTIC * model + 20)
        find(j, "too_much_plastic", true, 0, mm3, MOST_PLASTIC * model,
             "pushes %.0f mm3 for a model of %.0f mm3", mm3, model);
    if (mm3 < least_share(j) * model)
        find(j, "too_little_plastic", true, 0, mm3, least_share(j) * model,
             "pushes %.0f mm3 for a model of %.0f mm3, whose shell alone takes more", mm3, model);
}

bool gcode_judge(cJSON *findings, const struct gcode_scan *scan,
                 const struct gcode_check_options *options)
{
    struct judge judge = {scan, options, scan->limits, findings, true};
    judge_lines(&judge);
    judge_header(&judge);
    judge_layers(&judge);
    judge_bounds(&judge);
    judge_height(&judge);
    judge_heat(&judge);
    judge_fan(&judge);
    judge_amounts(&judge);
    judge_volume(&judge);
    return judge.passed;
}
