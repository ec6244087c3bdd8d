/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a 3MF says to slicers beside its meshes: printer, filament, process, values of objects. */
#ifndef PRINT_SLICE_PROJECT_H
#define PRINT_SLICE_PROJECT_H

#include "print/export/export.h"
#include "print/slice/profile.h"

#define PROJECT_PARTS 3
#define PROJECT_OWN_PART "Metadata/statuette.json"

/* One object of the plate. Texts may be NULL. */
struct project_object {
    const char *name, *item_id, *part_code;
    const cJSON *settings; /* as slice_object's; or NULL */
    size_t triangles;
    double size_mm[3], volume_mm3;
    double place_mm[3]; /* of its pivot, from the bed's corner */
};

struct project_input {
    const struct profile *profile;
    const struct export_labels *labels;
    const struct project_object *objects;
    size_t object_count;
    const uint8_t *colour; /* sRGB of the filament that most is printed with, or NULL */
};

/* An object's values in the words of the two families of slicers. */
struct project_words {
    struct export_setting *prusa, *orca;
    size_t prusa_count, orca_count;
};

/* Zero-initialise; project_free releases. */
struct project {
    struct export_part parts[PROJECT_PARTS];
    struct project_words *words; /* of each object */
    size_t object_count;
    struct bytes texts[PROJECT_PARTS];
};

/**
 * Makes the parts Metadata/Slic3r_PE.config (PrusaSlicer), Metadata/project_settings.config
 * (OrcaSlicer, Bambu Studio, Creality Print) and Metadata/statuette.json
 * (schemas/threemf-part.schema.json), and each object's own values.
 *
 * Result   the same bytes for the same input.
 * Owner    the caller calls project_free, also after a failure; parts and words live until then.
 * Errors   ERR_INPUT code schema_violation: settings that no object can have, or a profile that
 *          cannot be said to a slicer (prusa_settings); ERR_LIMIT no memory.
 */
int project_make(struct project *out, const struct project_input *input,
                 struct err *err) MUST_CHECK;
void project_free(struct project *project);

/**
 * Parses what may be Metadata/statuette.json of anybody's 3MF and holds it to its schema.
 * Owner    the caller deletes *out. Errors ERR_INPUT code json_invalid or schema_violation.
 */
int project_read(cJSON **out, const void *json, size_t n, struct err *err) MUST_CHECK;

/** Holds what one object is to have other than the process to the same schema. */
int project_check_settings(const cJSON *settings, struct err *err) MUST_CHECK;

#endif
