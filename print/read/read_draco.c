/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Draco stream that stands alone in its file. */
#include "print/read/build.h"
#include "print/read/draco.h"

int read_draco(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
               struct err *err)
{
    (void)notes;
    struct draco_mesh read = {0};
    const struct draco_wish wish = {.position = DRACO_NONE,
                                    .uv = DRACO_NONE,
                                    .colour = DRACO_NONE,
                                    .max_vertices = 3 * MESH_MAX_TRIANGLES,
                                    .max_triangles = MESH_MAX_TRIANGLES};
    if (draco_unpack(&read, &wish, data, n, err))
        return -1;
    out->mesh = (struct mesh){read.xyz, read.triangles, read.vertex_count, read.triangle_count};
    out->vertex_room = read.vertex_count;
    out->triangle_room = read.triangle_count;
    return 0;
}
