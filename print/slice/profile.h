/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is printed on, of what, and how: printers, materials and processes as data. */
#ifndef PRINT_SLICE_PROFILE_H
#define PRINT_SLICE_PROFILE_H

#include <stdbool.h>

#include "base/json.h"

/* One printer, from config/printers/ID.json, held against schemas/printer.schema.json. */
struct printer_profile {
    char id[40], name[60];
    char flavour[12]; /* "marlin", "klipper" or "prusa": whose G-code words it understands */
    double bed_mm[3];
    double nozzle_mm;
    cJSON *settings; /* the whole file with what it inherits: limits, speeds, start and end code */
};

/* One material, from config/materials/ID.json, held against schemas/material.schema.json. */
struct material_profile {
    char id[40], name[60];
    double nozzle_c, bed_c, density_g_cm3, diameter_mm, max_flow_mm3_s;
    double min_wall_mm, overhang_deg, bridge_mm; /* limits of what prints well */
    cJSON *settings;                             /* the whole file with what it inherits */
};

/* All that one job is printed with. material.max_flow_mm3_s is the smaller one of the material's
 * and the hot end's. */
struct profile {
    struct printer_profile printer;
    struct material_profile material;
    char process_id[40], process_name[60];
    cJSON *process; /* layers, walls, infill, speeds, support: what all three files say of them;
                       every member that schemas/process.schema.json knows, but speed_percent */
    cJSON *engines; /* {"cura": {..}, "prusa": {..}}: the last word in an engine's own settings */
};

enum profile_kind { PROFILE_PRINTER, PROFILE_MATERIAL, PROFILE_PROCESS };

#define PROFILE_PROCESS_DEFAULT "figure"

/**
 * Loads a profile by its id, from config_folder/printers/ID.json or config_folder/materials/ID.json
 * when there is one (config_folder may be NULL), else from the files built into the program. A file
 * with "inherits": ID stands on another of its kind: objects merge, everything else replaces. One
 * in the folder that inherits its own id stands on the built-in one.
 * Owner    the caller frees it; nothing to free on failure.
 * Errors   ERR_ABSENT code unknown_printer or unknown_material, naming those there are;
 *          ERR_INPUT code schema_violation or json_invalid for a file that is wrong,
 *          unknown_parent or inherits_cycle (naming the way round) for what it inherits.
 */
int printer_profile_load(struct printer_profile *out, const char *config_folder, const char *id,
                         struct err *err) MUST_CHECK;
int material_profile_load(struct material_profile *out, const char *config_folder, const char *id,
                          struct err *err) MUST_CHECK;
void printer_profile_free(struct printer_profile *profile);
void material_profile_free(struct material_profile *profile);

/**
 * Loads a printer, a material and a process, and merges what they say of the process and in the
 * engines' own words: the printer's first, upon it the process file's, upon both the material's.
 * speed_percent of a file scales the printing speeds of what it is laid upon.
 * process_id may be NULL for PROFILE_PROCESS_DEFAULT. Owner and errors as above; unknown_process.
 */
int profile_load(struct profile *out, const char *config_folder, const char *printer_id,
                 const char *material_id, const char *process_id, struct err *err) MUST_CHECK;
void profile_free(struct profile *profile);

/** The ids of a kind: those of config_folder (may be NULL), then those only built in.
 * Owner: the caller deletes *out, an array of texts. */
int profile_list(cJSON **out, enum profile_kind kind, const char *config_folder,
                 struct err *err) MUST_CHECK;

/**
 * The whole profile as one text, a line such as "printer.bed_mm.0=220" for each leaf, in the order
 * of the bytes, and its SHA-256. Prices, costs, network and descriptions are not in it: they
 * change nothing of what is printed. Nor is process_id: the same settings by another name are the
 * same.
 * Owner    appended to *out; hash may be NULL.
 */
int profile_frozen(struct bytes *out, char hash[65], const struct profile *profile,
                   struct err *err) MUST_CHECK;

/**
 * The process as it is for one object of a plate: a copy of the profile's with the object's own
 * wishes in place. settings may hold infill_percent, infill_pattern, wall_count, top_mm, bottom_mm
 * and support: {"enabled"}, within the bounds of schemas/process.schema.json; NULL for none.
 * Owner    the caller deletes *out. Errors ERR_INPUT code schema_violation, naming what is allowed.
 */
int profile_object_process(cJSON **out, const struct profile *profile, const cJSON *settings,
                           struct err *err) MUST_CHECK;

#endif
