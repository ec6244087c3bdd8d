/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts of a 3MF's parts; what the writer's files share, nobody else's. */
#ifndef PRINT_EXPORT_THREEMF_PARTS_H
#define PRINT_EXPORT_THREEMF_PARTS_H

#include "print/export/export.h"

/* Bounds of texts, in characters. */
#define THREEMF_TEXT 200
#define THREEMF_LONG_TEXT 2000
#define THREEMF_NAME 100
#define THREEMF_VALUE 4000

/* Resource ids: objects have 1, 2, ... in their order; palettes the numbers after these. */
struct threemf_plan {
    const struct export_plate *plate;
    unsigned palette_of[THREEMF_OBJECTS_MAX]; /* resource id; 0: none */
    unsigned common[THREEMF_OBJECTS_MAX];     /* its commonest entry */
    size_t first_with[THREEMF_OBJECTS_MAX];   /* of each palette: the object that brought it */
    size_t palette_count;
};

/** Checks all that will be written and gives out the ids. Errors as threemf_write_plate. */
int threemf_plan_make(struct threemf_plan *plan, const struct export_plate *plate,
                      struct err *err) MUST_CHECK;

/** "figure" where it has none of its own. */
const char *threemf_object_name(const struct export_object *object);

/** The model part, up to the first object. */
int threemf_model_head(struct bytes *text, const struct threemf_plan *plan,
                       struct err *err) MUST_CHECK;
/** Ends the object before, if there is one, and begins object i up to its first vertex. */
int threemf_object_head(struct bytes *text, const struct threemf_plan *plan, size_t i,
                        struct err *err) MUST_CHECK;
/** All that follows the last triangle. */
int threemf_model_tail(struct bytes *text, const struct threemf_plan *plan,
                       struct err *err) MUST_CHECK;

/** Metadata/Slic3r_PE_model.config: objects by id, with PrusaSlicer's values of each. */
int threemf_prusa_objects(struct bytes *text, const struct export_plate *plate,
                          struct err *err) MUST_CHECK;
/** Metadata/model_settings.config: the same for the Orca family, and what is on the plate. */
int threemf_orca_objects(struct bytes *text, const struct export_plate *plate,
                         struct err *err) MUST_CHECK;

int threemf_content_types(struct bytes *text, const struct export_plate *plate,
                          struct err *err) MUST_CHECK;
int threemf_relations(struct bytes *text, const struct export_plate *plate,
                      struct err *err) MUST_CHECK;

#endif
