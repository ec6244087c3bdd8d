/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slicing through CuraEngine in a limited child, and the check of the G-code that comes out. */
#ifndef PRINT_SLICE_SLICE_H
#define PRINT_SLICE_SLICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/json.h"

/* One printer and one material, read from config/printers/ID.json and config/materials/ID.json. */
struct printer_profile {
    char id[40], name[60];
    double bed_mm[3];
    double nozzle_mm;
    cJSON *settings; /* leaf settings for the engine, {"cura": {...}, ...} */
};
struct material_profile {
    char id[40], name[60];
    double nozzle_c, bed_c, density_g_cm3, diameter_mm, min_wall_mm, max_flow_mm3_s;
    cJSON *settings;
};

/** Loads by id from config_folder (NULL: the built-in files). Errors ERR_ABSENT code
 * unknown_printer / unknown_material, listing those there are. */
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
 * Slices a model, puts the real header in place of CuraEngine's placeholder, and checks the G-code.
 * Errors   ERR_INPUT code slice_empty, slice_outside_bed, slice_failed (what the engine said);
 *          gcode_rejected when the check finds a fault; ERR_LIMIT slice_timeout; ERR_ABSENT
 *          program_missing with the package to install. Nothing is at out_path then.
 */
int slice_run(struct slice_result *result, const struct slice_options *options,
              struct err *err) MUST_CHECK;

/**
 * Checks G-code in one streaming pass: layers, extruding moves inside the build volume, heat before
 * extrusion, heaters off at the end, no placeholders, header against contents, height.
 * Result
 * {"verdict":"pass|reject","findings":[{code,severity,message,value,limit}],"measures":{...}}
 * Errors   only for a file that cannot be read. Cost O(bytes), flat memory.
 */
int gcode_check(cJSON **report, bool *passed, const char *path,
                const struct printer_profile *printer, double model_height_mm,
                struct err *err) MUST_CHECK;

#endif
