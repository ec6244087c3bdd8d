/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the roles of a confined child share: the question, and files in its own folder. */
#ifndef SERVICE_ROLE_OWN_H
#define SERVICE_ROLE_OWN_H

#include "base/json.h"
#include "base/png.h"
#include "print/mesh.h"

#define MESH_LIMIT ((size_t)1 << 30)

/* What a role is asked: options.json, and the limits of the printer and material that it names. */
struct ask {
    cJSON *options;
    double bed_mm[3];
    double min_wall_mm, overhang_deg, bridge_mm;
};

/* The child's working folder is the role's folder: names suffice. */
int role_write_png(const char *name, const struct picture *picture, struct err *err) MUST_CHECK;
int role_read_png(struct picture *out, const char *name, struct err *err) MUST_CHECK;
int role_write_stl(const char *name, const struct mesh *mesh, const char *label,
                   struct err *err) MUST_CHECK;

/* role_mesh.c; each leaves its result in *result, which the caller cJSON_Deletes. */
int role_inspect(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_prep(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_render(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;
int role_tostl(const struct ask *ask, cJSON **result, struct err *err) MUST_CHECK;

#endif
