/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draco streams, alone and inside glTF; draco.cpp is the only file that knows the library. */
#ifndef PRINT_READ_DRACO_H
#define PRINT_READ_DRACO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DRACO_NONE (-1L)

/* Which attributes are wanted, by the stream's own numbers; DRACO_NONE: not. */
struct draco_wish {
    long position; /* DRACO_NONE: the one whose kind is position */
    long uv, colour;
    bool position_normalized, uv_normalized, colour_normalized;
    size_t max_vertices, max_triangles; /* what the stream may promise at most */
};

/* Arrays are malloced: 3, 2 and 4 numbers a vertex. */
struct draco_mesh {
    size_t vertex_count, triangle_count;
    float *xyz, *uv, *colour;
    uint32_t *triangles;
};

/**
 * Unpacks a triangle mesh. The counts in the stream's head are held against the wish and against
 * the stream's length before the library reserves memory for them.
 *
 * Owner    draco_mesh_free.
 * Errors   ERR_INPUT codes mesh_damaged, mesh_unsupported; ERR_LIMIT code mesh_too_large.
 */
int draco_unpack(struct draco_mesh *out, const struct draco_wish *wish, const uint8_t *data,
                 size_t n, struct err *err) MUST_CHECK;

void draco_mesh_free(struct draco_mesh *mesh);

#endif
