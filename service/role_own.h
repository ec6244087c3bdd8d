/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the roles of a confined child share: the question, and files in its own folder. */
#ifndef SERVICE_ROLE_OWN_H
#define SERVICE_ROLE_OWN_H

#include <pthread.h>

#include "base/json.h"
#include "base/png.h"
#include "print/measure/measure.h"
#include "print/prep.h"
#include "print/read/read.h"
#include "print/slice/project.h"

#define MESH_LIMIT ((size_t)1 << 30)

/* What a role is asked: options.json, and the limits of the printer and material that it names. */
struct ask {
    cJSON *options;
    struct profile profile; /* of the printer, material and process that options name */
    struct bytes font;      /* of a text on a base; empty when there is none */
    struct bytes *input;  /* of a file outside the folder, read before the child was confined; else
                             empty. Whoever reads it frees it */
    struct bytes *inputs; /* the same of a plate's files */
    size_t input_count;
};

/* The child's working folder is the role's folder: names suffice. */
int role_write_png(const char *name, const struct picture *picture, struct err *err) MUST_CHECK;
int role_read_png(struct picture *out, const char *name, struct err *err) MUST_CHECK;
int role_write_stl(const char *name, const struct mesh *mesh, const char *label,
                   struct err *err) MUST_CHECK;

/** The input as a mesh, and what its surface looks like; skin may be NULL. Once only. */
int role_read_mesh(struct mesh *out, struct skin *skin, struct read_notes *notes,
                   const struct ask *ask, struct err *err) MUST_CHECK;

/** sRGB of each triangle by the palette, malloc'ed; NULL when there are no colours. */
int role_paint(uint8_t **rgb, const struct prepared *made, struct err *err) MUST_CHECK;

/* What goes into one 3MF, and that file on its way. Zero-initialise; role_plate_free. */
struct role_plate {
    struct export_object *objects; /* the caller's, as are all meshes and texts */
    const cJSON **settings;        /* of each, or NULL */
    size_t count;
    struct export_labels labels;
    const uint8_t *colour;    /* of the filament that most is printed with, or NULL */
    struct picture thumbnail; /* ours */

    char profile_hash[65]; /* from here on role_plate_write's */
    struct bytes file;
    struct project project;
    struct export_plate plate;
    pthread_t thread;
    bool running;
    int failed;
    struct err err;
    struct mesh_measures read; /* sums over what was read back; the box of it all */
};

/** The labels that options give, with those of the profile. */
struct export_labels role_labels(const struct ask *ask);

/** Makes the file in memory and begins to read it back in a thread of its own. */
int role_plate_write(struct role_plate *plate, const struct ask *ask, struct err *err) MUST_CHECK;

/**
 * Reads it with our own reader too, waits for the other one, and gives the file its name only when
 * both found what was written, and it measures what `output` of the report says (NULL: as before).
 */
int role_plate_finish(struct role_plate *plate, const char *name, const cJSON *output,
                      struct err *err) MUST_CHECK;
void role_plate_free(struct role_plate *plate);

#define MAX_TURN_FRAMES 72

/** Writes the render_*.png that role.h lists for prep. */
int role_draw(const struct prepared *made, const struct ask *ask, struct err *err) MUST_CHECK;

/* role_mesh.c, role_pictures.c, role_objects.c, role_plate.c; each leaves its result in *result,
 * which the caller cJSON_Deletes.
 */
int role_inspect(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_prep(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_render(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_tostl(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_plate(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;

/* role_archive.c, likewise. */
int role_unpack(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;

#endif
