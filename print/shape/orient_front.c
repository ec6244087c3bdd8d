/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What somebody sees who stands in front of a figure: its face above all. Found by looking along
 * +Y through a grid of cells; in each the nearest surface counts. */
#include <stdlib.h>

#include "print/measure/measure.h"
#include "print/shape/orient_parts.h"

#define CELLS 128   /* along the longest side */
#define UPPER 0.45  /* of the height, from where on it matters */
#define FACING 0.25 /* least part of the normal that points to the viewer */
#define BEHIND 0.02 /* of the size: further behind the nearest surface is hidden */

struct view {
    double low[3], high[3], cell;
    size_t nx, nz;
    float *nearest;
};

static struct vec middle_of(const struct mesh *mesh, size_t t)
{
    struct vec sum =
        vec_add(mesh_corner(mesh, t, 0), vec_add(mesh_corner(mesh, t, 1), mesh_corner(mesh, t, 2)));
    return vec_scale(sum, 1 / 3.);
}

static size_t cell_of(const struct view *v, double x, double z)
{
    size_t i = (size_t)((x - v->low[0]) / v->cell), k = (size_t)((z - v->low[2]) / v->cell);
    return (k < v->nz ? k : v->nz - 1) * v->nx + (i < v->nx ? i : v->nx - 1);
}

/* Large triangles are sampled all over, about a cell apart. */
static void look_at(struct view *v, const struct mesh *mesh, size_t t)
{
    struct vec a = mesh_corner(mesh, t, 0), b = mesh_corner(mesh, t, 1);
    struct vec c = mesh_corner(mesh, t, 2);
    double ab = vec_length(vec_sub(b, a)), ac = vec_length(vec_sub(c, a));
    int steps = 1 + (int)((ab > ac ? ab : ac) / v->cell);
    for (int i = 0; i <= steps; i++)
        for (int k = 0; k <= steps - i; k++) {
            struct vec p = vec_add(a, vec_add(vec_scale(vec_sub(b, a), (double)i / steps),
                                              vec_scale(vec_sub(c, a), (double)k / steps)));
            float *nearest = &v->nearest[cell_of(v, p.x, p.z)];
            *nearest = p.y < *nearest ? (float)p.y : *nearest;
        }
}

int front_find(uint8_t **front, const struct mesh *mesh, struct err *err)
{
    struct view v = {0};
    mesh_bounds(mesh, v.low, v.high);
    double size = 0;
    for (int k = 0; k < 3; k++)
        size = v.high[k] - v.low[k] > size ? v.high[k] - v.low[k] : size;
    v.cell = size > 0 ? size / CELLS : 1;
    v.nx = (size_t)((v.high[0] - v.low[0]) / v.cell) + 1;
    v.nz = (size_t)((v.high[2] - v.low[2]) / v.cell) + 1;
    v.nearest = malloc(v.nx * v.nz * sizeof *v.nearest);
    *front = calloc(mesh->triangle_count + 1, 1);
    if (!v.nearest || !*front) {
        free(v.nearest);
        return FAIL(err, ERR_LIMIT, "no memory for the front of a figure");
    }
    for (size_t i = 0; i < v.nx * v.nz; i++)
        v.nearest[i] = INFINITY;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        look_at(&v, mesh, t);
    double upper = v.low[2] + UPPER * (v.high[2] - v.low[2]);
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec n = mesh_normal2(mesh, t), at = middle_of(mesh, t);
        (*front)[t] = n.y < -FACING * vec_length(n) && at.z > upper &&
                      at.y < v.nearest[cell_of(&v, at.x, at.z)] + BEHIND * size;
    }
    free(v.nearest);
    return 0;
}
