/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What slicers say in comments: layers, what a line is for, time and filament. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/slice/gcode_scan.h"

/* A number that is none ("nanm" for a filament, when nothing was printed) is 0. */
static bool value_of(double *out, const char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(line, name, n) != 0)
        return false;
    *out = strtod(line + n, NULL);
    *out = fabs(*out) < 1e15 ? *out : 0;
    return true;
}

/* 1d 2h 3m 4s, any of them missing. */
static double read_duration(const char *at)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    double sum = 0, value;
    while ((at = gcode_number(&value, at + strspn(at, " "))))
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (*at == units[i].letter) {
                sum += value * units[i].seconds;
                at++;
                break;
            }
    return sum;
}

static void begin_layer(struct gcode_scan *s, long number)
{
    if (s->layers == 0) { /* the start code is the printer's own */
        s->start_standing_mm = s->standing_most_mm;
        s->moves_s = s->standing_mm = s->standing_most_mm = 0;
    }
    s->last_layer = number;
    s->layers++;
    gcode_watch(s);
}

/* CuraEngine leaves empty layers out: at a thin tip that is common, in the middle it is air. */
static void take_number(struct gcode_scan *s, double number)
{
    if (!(fabs(number) < 1e9))
        return;
    long skipped = lrint(number) - s->last_layer - 1;
    if (s->layers > 0 && skipped == 1)
        gcode_note(s, FAULT_LAYER_THIN, number, NULL);
    else if (s->layers > 0 && skipped > 1)
        gcode_note(s, FAULT_LAYER_GAP, (double)skipped, NULL);
    else if (s->layers > 0 && skipped < 0)
        gcode_note(s, FAULT_LAYER_ORDER, number, NULL);
    if (s->layers > 0 && skipped > 1 && s->high[2] < s->gap_z)
        s->gap_z = s->high[2];
    begin_layer(s, lrint(number));
}

/* CuraEngine's words, PrusaSlicer's, and Orca's where they differ. */
static void take_type(struct gcode_scan *s, const char *name)
{
    static const struct {
        const char *begins;
        enum gcode_type type;
    } types[] = {{"SUPPORT", TYPE_SUPPORT}, {"Support", TYPE_SUPPORT}, {"SKIRT", TYPE_AROUND},
                 {"BRIM", TYPE_AROUND},     {"Skirt", TYPE_AROUND},    {"Brim", TYPE_AROUND},
                 {"PRIME", TYPE_AROUND},    {"Prime", TYPE_AROUND},    {"Wipe tower", TYPE_AROUND},
                 {"Custom", TYPE_CUSTOM}};
    s->type = TYPE_MODEL;
    s->has_types = s->has_types || s->layers > 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strncmp(name, types[i].begins, strlen(types[i].begins)) == 0)
            s->type = types[i].type;
}

/* PrusaSlicer says at the end what CuraEngine says at the beginning. */
static void take_tail(struct gcode_scan *s, const char *line)
{
    static const char time[] = "; estimated printing time (normal mode) = ";
    double value;
    if (value_of(&value, line, "; filament used [mm] = ")) {
        s->has_filament = true;
        s->header_filament_mm = value;
    } else if (strncmp(line, time, sizeof time - 1) == 0) {
        s->has_time = true;
        s->header_time_s = read_duration(line + sizeof time - 1);
    } else if (value_of(&value, line, "; layer_height = ")) {
        s->header_layer_mm = value;
    } else if (value_of(&value, line, "; complete_objects = ")) {
        s->one_by_one = value > 0;
    }
}

static void take_head(struct gcode_scan *s, const char *line)
{
    double value;
    if (!s->has_time && value_of(&value, line, ";TIME:")) {
        s->has_time = true;
        s->header_time_s = value;
    } else if (!s->has_filament && value_of(&value, line, ";Filament used:")) {
        s->has_filament = true;
        s->header_filament_mm = 1000 * value;
    } else if (s->header_layers < 0 && value_of(&value, line, ";LAYER_COUNT:")) {
        s->header_layers = fabs(value) < 1e9 ? lrint(value) : -1;
    } else if (s->header_layer_mm <= 0 && value_of(&value, line, ";Layer height:")) {
        s->header_layer_mm = value;
    }
}

void gcode_comment(struct gcode_scan *s, const char *line)
{
    double value;
    if (line[1] == ' ') {
        take_tail(s, line);
    } else if (strncmp(line, ";TYPE:", 6) == 0) {
        take_type(s, line + 6);
    } else if (value_of(&value, line, ";LAYER:")) {
        take_number(s, value);
    } else if (strncmp(line, ";LAYER_CHANGE", 13) == 0) {
        s->marks_layers = true;
        begin_layer(s, s->last_layer + 1);
    } else {
        take_head(s, line);
    }
}
