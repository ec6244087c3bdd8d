/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A light copy of a mesh to be turned hundreds of ways: the vertices of each cell of a grid become
 * one. What was closed stays closed as far as counting crossings goes, which is all that layers
 * need; it need not be manifold, and would not serve for anything else.
 */
#include <stdlib.h>

#include "print/measure/measure.h"
#include "print/shape/orient_parts.h"

struct cell {
    uint64_t key;
    uint32_t vertex;
};

static int cell_compare(const void *a, const void *b)
{
    const struct cell *p = a, *q = b;
    if (p->key != q->key)
        return p->key < q->key ? -1 : 1;
    return (p->vertex > q->vertex) - (p->vertex < q->vertex);
}

/* Vertices grouped by cell; number[v] is the group of vertex v. */
static int group(struct mesh *out, uint32_t *number, const struct mesh *mesh, double cell_mm,
                 struct err *err)
{
    double low[3], high[3];
    struct cell *cells = malloc((mesh->vertex_count + 1) * sizeof *cells);
    if (!cells)
        return FAIL(err, ERR_LIMIT, "no memory for %zu vertices", mesh->vertex_count);
    mesh_bounds(mesh, low, high);
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        uint64_t key = 0;
        for (int k = 0; k < 3; k++) {
            double at = (mesh->xyz[3 * (size_t)v + (size_t)k] - low[k]) / cell_mm;
            key = key << 20 | (uint64_t)(at > 0 ? at < 1048575 ? at : 1048575 : 0);
        }
        cells[v] = (struct cell){key, v};
    }
    qsort(cells, mesh->vertex_count, sizeof *cells, cell_compare);
    for (size_t i = 0; i < mesh->vertex_count;) {
        struct vec sum = {0};
        size_t end = i;
        for (; end < mesh->vertex_count && cells[end].key == cells[i].key; end++) {
            sum = vec_add(sum, mesh_point(mesh, cells[end].vertex));
            number[cells[end].vertex] = (uint32_t)out->vertex_count;
        }
        mesh_point_set(out, (uint32_t)out->vertex_count, vec_scale(sum, 1 / (double)(end - i)));
        out->vertex_count++;
        i = end;
    }
    free(cells);
    return 0;
}

int mesh_thin_out(struct mesh *out, const struct mesh *mesh, double cell_mm, struct err *err)
{
    uint32_t *number = malloc((mesh->vertex_count + 1) * sizeof *number);
    int result = -1;
    if (!number) {
        FAIL(err, ERR_LIMIT, "no memory for %zu vertices", mesh->vertex_count);
        goto out;
    }
    if (mesh_alloc(out, mesh->vertex_count, mesh->triangle_count, err))
        goto out;
    out->vertex_count = out->triangle_count = 0;
    if (group(out, number, mesh, cell_mm, err))
        goto out;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *old = mesh->triangles + 3 * t;
        uint32_t *corner = out->triangles + 3 * out->triangle_count;
        for (int c = 0; c < 3; c++)
            corner[c] = number[old[c]];
        bool flat = corner[0] == corner[1] || corner[1] == corner[2] || corner[2] == corner[0];
        out->triangle_count += !flat;
    }
    result = 0;
out:
    free(number);
    if (result)
        mesh_free(out);
    return result;
}
