/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slicing through CuraEngine in a limited child, and the check of the G-code that comes out. */
#ifndef PRINT_SLICE_SLICE_H
#define PRINT_SLICE_SLICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/json.h"

/*
 * One printer and one material, read from config/printers/ID.json and config/materials/ID.json and
 * held against schemas/printer.schema.json and schemas/material.schema.json.
 */
struct printer_profile {
    char id[40], name[60];
    double bed_mm[3];
    double nozzle_mm;
    cJSON *settings; /* the whole file: limits, process, start and end code, engines */
};
struct material_profile {
    char id[40], name[60];
    double nozzle_c, bed_c, density_g_cm3, diameter_mm, max_flow_mm3_s;
    double min_wall_mm, overhang_deg, bridge_mm; /* limits of what prints well */
    cJSON *settings;                             /* the whole file */
};

/**
 * Loads a profile by its id, from config_folder/printers/ID.json or config_folder/materials/ID.json
 * when there is one (config_folder may be NULL), else from the files built into the program.
 * Owner    the caller frees it; nothing to free on failure.
 * Errors   ERR_ABSENT code unknown_printer or unknown_material, naming those there are;
 *          ERR_INPUT code schema_violation or json_invalid for a file that is wrong.
 */
int printer_profile_load(struct printer_profile *out, const char *config_folder, const char *id,
                         struct err *err) MUST_CHECK;
int material_profile_load(struct material_profile *out, const char *config_folder, const char *id,
                          struct err *err) MUST_CHECK;
void printer_profile_free(struct printer_profile *profile);
void material_profile_free(struct material_profile *profile);

struct slice_options {
    const char *model_path;  /* .stl or .3mf on disk, millimetres, pivot at the bottom centre */
    const char *out_path;    /* the G-code; written whole or not at all */
    const char *work_folder; /* for temp files; must exist */
    const struct printer_profile *printer;
    const struct material_profile *material;
    const char *engine; /* "cura" (NULL too); a row of the engine table */
    const char *label;  /* goes into the G-code as a comment, escaped; or NULL */
    unsigned timeout_s; /* 0 = 600 */
    const atomic_bool *stop;
    void (*on_progress)(void *user, double share); /* 0..1, or NULL */
    void *user;
};

struct slice_result {
    char engine[16];
    char closure_hash[65]; /* SHA-256 of the sorted settings list that the engine was given */
    char gcode_hash[65];
    double print_time_s;
    double filament_mm;
    double filament_g;
    unsigned layer_count;
    double height_mm;
    double seconds; /* of slicing */
};

/**
 * Slices a model, puts the real header in place of CuraEngine's placeholder, adds labels and the
 * thumbnails that the printer wants, and checks the G-code. The model is taken as it stands about
 * its pivot, which becomes the middle of the bed (a 3MF that only a forgiving reader takes is moved
 * there). The engine runs in a limited child without network.
 *
 * Result   the same G-code, byte for byte, for the same model, profiles, label and engine.
 * Errors   ERR_INPUT codes slice_empty, slice_outside_bed (before slicing: the model's size and
 *          place), slice_failed (what the engine said), material_too_hot for the printer,
 *          gcode_rejected (the first fault that the check found); ERR_LIMIT slice_timeout;
 *          ERR_LATER slice_stopped; ERR_ABSENT program_missing with the package to install,
 *          unknown_engine. Nothing is at out_path then that was not there before.
 * Cost     16,000 triangles 80 mm high with support: 7 s and 70 MB in the child.
 * Threads  safe; the calling thread waits.
 */
int slice_run(struct slice_result *result, const struct slice_options *options,
              struct err *err) MUST_CHECK;

/**
 * Checks G-code in one streaming pass: layers, extruding moves inside the build volume, heat before
 * extrusion, heaters off at the end, no placeholders, header against contents, height, speeds.
 *
 * Shape    model_height_mm 0 when it is not known. Absolute or relative moves, Marlin words.
 * Result   {"verdict":"pass|reject","findings":[{code,severity,message,value,limit}],
 *          "measures":{...}}; severity is "error" (rejects) or "warning". The caller cJSON_Deletes.
 *          Codes: gcode_empty, header_missing, header_placeholder, layer_count, layer_gap,
 *          layer_thin, outside_bed, below_bed, too_high, height_mismatch, first_layer_high,
 * cold_extrusion, bed_cold, heaters_left_on, too_hot, placeholder_left, unreadable_line,
 * filament_mismatch, too_fast. Errors   only for a file that cannot be read. Cost O(bytes), about
 * 150 MB/s; flat memory.
 */
int gcode_check(cJSON **report, bool *passed, const char *path,
                const struct printer_profile *printer, double model_height_mm,
                struct err *err) MUST_CHECK;

#endif
