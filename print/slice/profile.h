/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is printed on, of what, and how: printers, materials and processes as data. */
#ifndef PRINT_SLICE_PROFILE_H
#define PRINT_SLICE_PROFILE_H

#include <stdbool.h>

#include "base/json.h"

/* One printer, from config/printers/ID.json, held against schemas/printer.schema.json. */
struct printer_profile {
    char id[40], name[60];
    double bed_mm[3];
    double nozzle_mm;
    cJSON *settings; /* the whole file: limits, speeds, start and end code, engines */
};

/* One material, from config/materials/ID.json, held against schemas/material.schema.json. */
struct material_profile {
    char id[40], name[60];
    double nozzle_c, bed_c, density_g_cm3, diameter_mm, max_flow_mm3_s;
    double min_wall_mm, overhang_deg, bridge_mm; /* limits of what prints well */
    cJSON *settings;                             /* the whole file */
};

/* All that one job is printed with. */
struct profile {
    struct printer_profile printer;
    struct material_profile material;
    char process_id[40];
    cJSON *process; /* layers, walls, infill, speeds, support: what all three files say of them */
};

#define PROFILE_PROCESS_DEFAULT "figure"

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

/**
 * Loads a printer, a material and a process, and merges what they say of the process.
 * process_id may be NULL for PROFILE_PROCESS_DEFAULT. Owner and errors as above.
 */
int profile_load(struct profile *out, const char *config_folder, const char *printer_id,
                 const char *material_id, const char *process_id, struct err *err) MUST_CHECK;
void profile_free(struct profile *profile);

#endif
