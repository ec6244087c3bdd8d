/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fewer triangles through meshoptimizer. It does not keep a mesh manifold (15 to 71 bad
 * edges in a million triangles were measured), so its work is checked and mended. */
#include <stdlib.h>
#include <string.h>

#include "print/meshopt.h"
#include "print/repair/repair.h"
#include "print/shape/shape.h"

static int simplify(struct mesh *out, const struct mesh *mesh, size_t max_triangles,
                    struct err *err)
{
    if (mesh_copy(out, mesh, err))
        return -1;
    float error = 0;
    size_t indices = meshopt_simplify(out->triangles, mesh->triangles, 3 * mesh->triangle_count,
                                      mesh->xyz, mesh->vertex_count, 3 * sizeof(float),
                                      3 * max_triangles, 0.05f, 0, &error);
    out->triangle_count = indices / 3;
    return 0;
}

int mesh_decimate(struct mesh *mesh, size_t max_triangles, double size_mm, struct err *err)
{
    struct mesh fewer = {0};
    if (mesh->triangle_count <= max_triangles)
        return 1;
    if (simplify(&fewer, mesh, max_triangles, err))
        return -1;
    int settled = mesh_settle(&fewer, size_mm, err);
    if (settled == 0 && fewer.triangle_count < mesh->triangle_count) {
        struct mesh other = *mesh;
        *mesh = fewer;
        fewer = other;
    } else if (settled == 0) {
        settled = 1;
    }
    mesh_free(&fewer);
    return settled;
}
