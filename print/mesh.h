/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one shape that travels inside print/: an indexed triangle mesh in flat arrays. */
#ifndef PRINT_MESH_H
#define PRINT_MESH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * xyz: vertex_count x 3 floats. triangles: triangle_count x 3 vertex numbers, counter-clockwise
 * seen from outside. Millimetres and Z up once it is read. Zero-initialise; mesh_free releases.
 */
struct mesh {
    float *xyz;
    uint32_t *triangles;
    size_t vertex_count;
    size_t triangle_count;
};

/* Triangles above this are refused at the door: 32 bits of halfedges and 24 GiB machines. */
#define MESH_MAX_TRIANGLES ((size_t)20000000)

/** Room for the counts; contents undefined. Errors ERR_LIMIT. */
int mesh_alloc(struct mesh *mesh, size_t vertex_count, size_t triangle_count,
               struct err *err) MUST_CHECK;

void mesh_free(struct mesh *mesh);

/** A deep copy into an empty mesh. Errors ERR_LIMIT. */
int mesh_copy(struct mesh *to, const struct mesh *from, struct err *err) MUST_CHECK;

#endif
