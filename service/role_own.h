/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the roles of a confined child share: the question, and files in its own folder. */
#ifndef SERVICE_ROLE_OWN_H
#define SERVICE_ROLE_OWN_H

#include "base/json.h"
#include "base/png.h"
#include "print/prep.h"
#include "print/read/read.h"

#define MESH_LIMIT ((size_t)1 << 30)

/* What a role is asked: options.json, and the limits of the printer and material that it names. */
struct ask {
    cJSON *options;
    double bed_mm[3];
    double min_wall_mm, overhang_deg, bridge_mm;
    struct bytes font;   /* of a text on a base; empty when there is none */
    struct bytes *input; /* of a file outside the folder, read before the child was confined; else
                            empty. Whoever reads it frees it */
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

#define MAX_TURN_FRAMES 72

/** Writes the render_*.png that role.h lists for prep. */
int role_draw(const struct prepared *made, const struct ask *ask, struct err *err) MUST_CHECK;

/* role_mesh.c, role_pictures.c; each leaves its result in *result, which the caller cJSON_Deletes.
 */
int role_inspect(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_prep(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_render(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_tostl(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;

/* role_archive.c, likewise. */
int role_unpack(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;

#endif
