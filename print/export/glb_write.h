/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small GLB for looking at in a browser; never for printing. */
#ifndef PRINT_EXPORT_GLB_WRITE_H
#define PRINT_EXPORT_GLB_WRITE_H

#include "base/bytes.h"
#include "print/mesh.h"

struct glb_options {
    size_t max_triangles; /* simplified to about so many; 0 keeps all */
};

#define GLB_OPTIONS_DEFAULT ((struct glb_options){.max_triangles = 200000})

/**
 * Appends a GLB with KHR_mesh_quantization and EXT_meshopt_compression, both required.
 *
 * Shape    rgb: the sRGB colour of each triangle, or NULL for plain grey.
 * Units    metres and +Y up, as glTF has them: millimetres and +Z up of the mesh go through the
 *          node's scale and rotation. Coordinates are rounded to 1/16383 of the longest side.
 * Result   the same bytes for the same mesh. No normals: viewers shade flat. Up to 256 different
 *          colours on a mesh that need not be simplified stay sharp, each triangle its own; else
 *          vertices get the mean of the triangles around them.
 * Cost     1,000,000 triangles to 200,000: 0.55 s of CPU time and 0.6 MB; all of them 0.3 s, 2.7
 * MB. Errors   ERR_INPUT as stl_write; ERR_LIMIT.
 */
int glb_write(struct bytes *out, const struct mesh *mesh, const uint8_t (*rgb)[3],
              const struct glb_options *options, struct err *err) MUST_CHECK;

#endif
