/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one pass over a G-code file finds out, before anything is judged. Private to print/slice. */
#ifndef PRINT_SLICE_GCODE_SCAN_H
#define PRINT_SLICE_GCODE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define GCODE_LOWEST_HOT_C 170 /* no plastic is pushed below */

/* Line numbers start at 1; 0 means that there was none. */
struct gcode_scan {
    uint64_t lines, commands, extruding_moves;
    unsigned layers, z_rises;
    double low[3], high[3]; /* of extruding moves within the layers */
    double first_z;         /* of the first extruding move within the layers */
    double filament_mm;     /* pushed while moving, within the layers */
    double start_filament_mm;
    double max_flow_mm3_s; /* for 1.75 mm filament */
    double max_speed_mm_s;
    double hottest_c, hottest_bed_c;
    double nozzle_c, bed_c; /* targets at the end */
    long last_layer;        /* number of the last layer begun */
    uint64_t thin_line;     /* a layer before which one alone is missing */
    uint64_t gap_line;      /* a layer whose number does not follow the one before otherwise */
    uint64_t cold_line, cold_bed_line, placeholder_line, unreadable_line, left_bed_line;
    char unreadable[60];

    bool has_time, has_filament;
    bool marks_layers; /* with PrusaSlicer's words, which do not count them */
    double header_time_s, header_filament_mm, header_layer_mm;
    long header_layers; /* -1 when not said */

    /* The machine as it moves. */
    double at[3], e, speed_mm_s;
    bool relative, e_relative;
};

/**
 * Reads the whole file once. bed_mm tells which line is the first to leave the bed.
 * Errors   as errno says. Cost O(bytes), 256 KiB of memory.
 */
int gcode_scan_file(struct gcode_scan *scan, const char *path, const double bed_mm[3],
                    struct err *err) MUST_CHECK;

#endif
