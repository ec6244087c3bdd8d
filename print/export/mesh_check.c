/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last look at a mesh before it becomes a file; see mesh_check.h. */
#include "print/export/mesh_check.h"

#include <math.h>

int mesh_check_writable(const struct mesh *mesh, bool distinct, struct err *err)
{
    if (mesh->triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "the mesh has no triangles");
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++)
        if (!isfinite(mesh->xyz[i]))
            return FAIL_CODE(err, ERR_INPUT, "mesh_not_finite",
                             "vertex %zu has a coordinate that is no number", i / 3);
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *v = mesh->triangles + 3 * t;
        if (v[0] >= mesh->vertex_count || v[1] >= mesh->vertex_count || v[2] >= mesh->vertex_count)
            return FAIL_CODE(err, ERR_INPUT, "mesh_damaged",
                             "triangle %zu names a vertex that is not there", t);
        if (distinct && (v[0] == v[1] || v[1] == v[2] || v[2] == v[0]))
            return FAIL_CODE(err, ERR_INPUT, "mesh_degenerate",
                             "triangle %zu names one vertex twice", t);
    }
    return 0;
}
