/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one pass over a G-code file finds out, before anything is judged. Private to print/slice.
 * gcode_scan.c reads the file, gcode_move.c follows moves, gcode_words.c takes every other command,
 * gcode_allow.c knows which there may be, gcode_comment.c listens to the slicer's comments.
 */
#ifndef PRINT_SLICE_GCODE_SCAN_H
#define PRINT_SLICE_GCODE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define GCODE_LOWEST_HOT_C 170   /* no plastic is pushed below */
#define GCODE_LONGEST_COMMAND 96 /* Marlin's MAX_CMD_SIZE: what is beyond it is cut off */
#define GCODE_SLACK_MM 0.001

/* What is wrong with single lines; gcode_check.c has the code and the words for each. */
enum gcode_fault {
    FAULT_PLACEHOLDER,
    FAULT_UNREADABLE,
    FAULT_BYTES,
    FAULT_LONE_CR,
    FAULT_LONG_LINE,
    FAULT_NOT_UTF8,
    FAULT_FORBIDDEN,
    FAULT_TOOL,
    FAULT_OVERRIDE,
    FAULT_LAYER_THIN,
    FAULT_LAYER_GAP,
    FAULT_LAYER_ORDER,
    FAULT_Z_FALLS,
    FAULT_OUTSIDE,
    FAULT_TRAVEL,
    FAULT_TRAVEL_LOW,
    FAULT_COLD,
    FAULT_COLD_BED,
    FAULT_UNAWAITED,
    FAULT_HOMING,
    FAULT_NOT_HOMED,
    FAULT_MOTORS,
    FAULT_E_JUMP,
    FAULT_ARC,
    FAULT_FLOW,
    FAULT_SPEED_XY,
    FAULT_SPEED_Z,
    FAULT_SPEED_E,
    FAULT_COUNT
};

/* Line numbers start at 1; 0 means that there was none. */
struct gcode_note {
    uint64_t line; /* the first */
    uint64_t count;
    double value;  /* the worst */
    char text[64]; /* of the first line, or why */
};

/* By what ;TYPE: calls it. Custom is the printer's own start and end code, which no slicer counts.
 */
enum gcode_type { TYPE_MODEL, TYPE_SUPPORT, TYPE_AROUND, TYPE_CUSTOM, TYPE_COUNT };

enum gcode_flavour { FLAVOUR_MARLIN = 1, FLAVOUR_KLIPPER = 2, FLAVOUR_PRUSA = 4 };

/* What the scan holds lines against. */
struct gcode_limits {
    double bed_mm[3], nozzle_mm;
    double filament_mm2;               /* cross-section of the filament */
    double flow_mm3_s;                 /* INFINITY: not known */
    double speed_xy, speed_z, speed_e; /* mm/s; INFINITY: not known */
    enum gcode_flavour flavour;
    bool heated_bed;
    int tools;
    const cJSON *start, *end; /* the printer's own lines: their commands are allowed */
};

struct gcode_scan {
    const struct gcode_limits *limits;
    struct gcode_note notes[FAULT_COUNT];

    uint64_t lines, commands, extruding_moves;
    unsigned layers, z_rises;
    double low[3], high[3];     /* of extruding moves within the layers */
    double first_z;             /* of the first extruding move within the layers */
    double type_mm[TYPE_COUNT]; /* filament pushed while moving, within the layers */
    double start_filament_mm;
    /* Pushed while standing, less what was drawn back: now, the most, the most before the layers */
    double standing_mm, standing_most_mm, start_standing_mm;
    double max_flow_mm3_s, max_speed_mm_s;
    double moves_s; /* lengths by speeds within the layers, as if there were no acceleration */
    double hottest_c, hottest_bed_c;
    double print_nozzle_c[2], print_bed_c[2]; /* least and most while the layers are printed */
    double worst_rise_mm;                     /* from one printed height to the next */
    uint64_t worst_rise_line;
    double gap_z; /* below the first layers that are missing */
    bool fan_on;  /* some time within the layers */

    /* What the slicer says in comments. */
    bool has_time, has_filament, has_types;
    bool marks_layers; /* with PrusaSlicer's words, which do not count them */
    bool one_by_one;   /* objects one after the other: the height may fall */
    double header_time_s, header_filament_mm, header_layer_mm;
    long header_layers; /* -1 when not said */
    long last_layer;    /* number of the last layer begun */
    enum gcode_type type;

    /* The machine as it is. */
    double at[3], e, feed;       /* feed in mm/min as F says it */
    double speed_mm_s, s_per_mm; /* of feed */
    double nozzle_c, bed_c;      /* targets */
    bool relative, e_relative;
    bool e_doubtful; /* firmwares differ in whether E is relative now */
    bool nozzle_awaited, heat_changed;
    unsigned homed;                   /* bit by axis */
    uint64_t homed_line, motors_line; /* since then nothing was printed; 0: never */

    /* A stretch of moves that each melt too much; it goes on while the next move is the one after.
     */
    uint64_t hot_moves;
    double hot_mm, hot_mm3, hot_s;

    /* So that the plain case costs one comparison. */
    bool watch; /* the next extrusion is to be looked at more closely */
    bool left_bed;
    double print_z;       /* of the last extrusion */
    double speed_watch;   /* mm/s above which a way is */
    double rate_watch;    /* mm of filament a second above which a move is */
    double section_watch; /* mm of filament a mm of way above which a move is */
};

/**
 * Reads the whole file once. The caller has filled limits, which must outlive the scan.
 * Errors   as errno says; ERR_INPUT code gcode_packed for what is compressed.
 * Cost     O(bytes), 256 KiB of memory.
 */
int gcode_scan_file(struct gcode_scan *scan, const char *path, const struct gcode_limits *limits,
                    void (*on_progress)(void *user, double share), void *user,
                    struct err *err) MUST_CHECK;

/** Remembers a fault of the line that is being read. text may be NULL. */
void gcode_note(struct gcode_scan *scan, enum gcode_fault fault, double value, const char *text);

/**
 * Takes plain moves (G0 and G1 in absolute coordinates) from at on, line by line, and returns the
 * start of the first line that is anything else, or end. Up to 16 bytes behind end are read.
 */
const char *gcode_moves(struct gcode_scan *scan, const char *at, const char *end);

/** One move along a line, and along an arc about a centre. */
void gcode_move(struct gcode_scan *scan, const double to[3], double push);
void gcode_arc(struct gcode_scan *scan, const double to[3], const double centre[2], bool clockwise,
               double push);
void gcode_feed(struct gcode_scan *scan, double feed);

/** After heat, layer or position changed otherwise than by a move. */
void gcode_watch(struct gcode_scan *scan);

/** One command without its comment: text, not empty, no blanks in front. */
void gcode_command(struct gcode_scan *scan, const char *line);

/** One line that is a comment. */
void gcode_comment(struct gcode_scan *scan, const char *line);

/**
 * Why a command must not be there, or NULL. name is the letter with its number, or a macro's word;
 * n its length.
 */
const char *gcode_forbidden(const struct gcode_limits *limits, const char *name, size_t n);

/** A plain decimal, without exponent; NULL when there is none. Returns what follows. */
const char *gcode_number(double *out, const char *at);

#endif
