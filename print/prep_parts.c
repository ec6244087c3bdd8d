/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A prepared mesh as the objects that it consists of: a figure and the base that stands beside it
 * are two things to slicers, with settings of their own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/prep.h"
#include "print/repair/arrange.h"
#include "print/shape/shape.h"

/* Copies the triangles of one side; order and vertices' order stay. map: room for each vertex. */
static int take_side(struct prepared_part *part, const struct prepared *made, bool base,
                     uint32_t *map, struct err *err)
{
    const struct mesh *all = &made->mesh;
    size_t vertices = 0, triangles = 0;
    memset(map, 0, all->vertex_count * sizeof *map);
    for (size_t t = 0; t < all->triangle_count; t++)
        if (prepared_is_base(made, t) == base) {
            triangles++;
            for (int c = 0; c < 3; c++)
                map[all->triangles[3 * t + (size_t)c]] = 1;
        }
    for (size_t v = 0; v < all->vertex_count; v++)
        vertices += map[v];
    part->colour = made->colour ? malloc(triangles + 1) : NULL;
    if (mesh_alloc(&part->mesh, vertices, triangles, err) || (made->colour && !part->colour))
        return FAIL(err, ERR_LIMIT, "no memory for %zu triangles", triangles);
    uint32_t next = 0;
    for (size_t v = 0; v < all->vertex_count; v++)
        if (map[v]) {
            memcpy(part->mesh.xyz + 3 * (size_t)next, all->xyz + 3 * v, 3 * sizeof(float));
            map[v] = next++;
        }
    size_t to = 0;
    for (size_t t = 0; t < all->triangle_count; t++)
        if (prepared_is_base(made, t) == base) {
            for (size_t c = 0; c < 3; c++)
                part->mesh.triangles[3 * to + c] = map[all->triangles[3 * t + c]];
            if (part->colour && made->colour)
                part->colour[to] = made->colour[t];
            to++;
        }
    return 0;
}

/* By whole steps of the grid, so that nothing is rounded. */
static void pivot(struct prepared_part *part, double step)
{
    double low[3], high[3];
    mesh_bounds(&part->mesh, low, high);
    for (int k = 0; k < 3; k++) {
        double at = k == 2 ? low[2] : (low[k] + high[k]) / 2;
        part->place_mm[k] = step > 0 ? floor(at / step + 0.5) * step : at;
    }
    mesh_move(&part->mesh,
              (struct vec){-part->place_mm[0], -part->place_mm[1], -part->place_mm[2]});
}

static int split(struct prepared_part parts[2], const struct prepared *made, struct err *err)
{
    uint32_t *map = malloc((made->mesh.vertex_count + 1) * sizeof *map);
    int failed = map ? take_side(&parts[0], made, false, map, err) ||
                           take_side(&parts[1], made, true, map, err)
                     : FAIL(err, ERR_LIMIT, "no memory for %zu vertices", made->mesh.vertex_count);
    free(map);
    if (failed) {
        prepared_parts_free(parts);
        return -1;
    }
    double step = mesh_grid_step(&made->mesh);
    pivot(&parts[0], step);
    pivot(&parts[1], step);
    return 0;
}

int prepared_parts(struct prepared_part parts[2], size_t *count, const struct prepared *made,
                   struct err *err)
{
    parts[0] = (struct prepared_part){.name = "figure"};
    parts[1] = (struct prepared_part){.name = "base"};
    *count = made->apart ? 2 : 1;
    if (made->apart)
        return split(parts, made, err);
    parts[0].mesh = made->mesh;
    parts[0].colour = made->colour;
    parts[0].borrowed = true;
    return 0;
}

void prepared_parts_free(struct prepared_part parts[2])
{
    for (int i = 0; i < 2; i++) {
        if (!parts[i].borrowed) {
            mesh_free(&parts[i].mesh);
            free(parts[i].colour);
        }
        parts[i] = (struct prepared_part){0};
    }
}
