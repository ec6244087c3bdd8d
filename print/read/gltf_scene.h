/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What read_gltf.c, which walks the scene, and gltf_piece.c, which adds primitives, share. */
#ifndef PRINT_READ_GLTF_SCENE_H
#define PRINT_READ_GLTF_SCENE_H

#include "print/read/gltf.h"

/* Column-major as in the file. */
struct matrix {
    double m[16];
};

extern const struct matrix gltf_identity;

struct walk {
    struct gltf *gltf;
    struct mesh_builder *out;
    struct gltf_look look;
    uint8_t *visited; /* per node */
};

/** Adds one primitive's triangles, placed by `at`; node may be NULL. Points and lines are a note.
 */
int gltf_add_primitive(struct walk *walk, const cJSON *node, const cJSON *mesh,
                       const cJSON *primitive, const struct matrix *at) MUST_CHECK;

#endif
