/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory of a mesh; see mesh.h. */
#include "print/mesh.h"

#include <stdlib.h>
#include <string.h>

int mesh_alloc(struct mesh *mesh, size_t vertex_count, size_t triangle_count, struct err *err)
{
    if (triangle_count > MESH_MAX_TRIANGLES || vertex_count > 3 * MESH_MAX_TRIANGLES)
        return FAIL_CODE(err, ERR_LIMIT, "mesh_too_large", "the mesh has over %zu triangles",
                         MESH_MAX_TRIANGLES);
    struct mesh made = {.vertex_count = vertex_count, .triangle_count = triangle_count};
    made.xyz = malloc((vertex_count ? vertex_count : 1) * 3 * sizeof *made.xyz);
    made.triangles = malloc((triangle_count ? triangle_count : 1) * 3 * sizeof *made.triangles);
    if (!made.xyz || !made.triangles) {
        mesh_free(&made);
        return FAIL(err, ERR_LIMIT, "no memory for %zu triangles", triangle_count);
    }
    *mesh = made;
    return 0;
}

void mesh_free(struct mesh *mesh)
{
    if (!mesh)
        return;
    free(mesh->xyz);
    free(mesh->triangles);
    *mesh = (struct mesh){0};
}

int mesh_copy(struct mesh *to, const struct mesh *from, struct err *err)
{
    if (mesh_alloc(to, from->vertex_count, from->triangle_count, err))
        return -1;
    memcpy(to->xyz, from->xyz, from->vertex_count * 3 * sizeof *to->xyz);
    memcpy(to->triangles, from->triangles, from->triangle_count * 3 * sizeof *to->triangles);
    return 0;
}
