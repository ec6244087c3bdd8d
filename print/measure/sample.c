/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stratified points on a surface; used by the thin walls and the deviation. */
#include "print/measure/sample.h"

#include <stdlib.h>

struct lay {
    const struct mesh *mesh;
    struct surface_sample *samples;
    size_t made, room;
};

/* Steps of the plane's most even sequence of points (Roberts 2018). */
static void add_sample(struct lay *lay, uint32_t triangle, double area)
{
    if (lay->made == lay->room)
        return;
    double n = (double)lay->made + 0.5;
    double u = n * 0.7548776662466927, v = n * 0.5698402909980532;
    u -= floor(u), v -= floor(v);
    if (u + v > 1)
        u = 1 - u, v = 1 - v;
    struct vec a = mesh_corner(lay->mesh, triangle, 0);
    struct vec ab = vec_sub(mesh_corner(lay->mesh, triangle, 1), a);
    struct vec ac = vec_sub(mesh_corner(lay->mesh, triangle, 2), a);
    lay->samples[lay->made++] = (struct surface_sample){
        .at = vec_add(a, vec_add(vec_scale(ab, u), vec_scale(ac, v))),
        .area = area,
        .triangle = triangle,
    };
}

/* Each triangle as many as its area is worth, but one at least. */
static void lay_each(struct lay *lay, const uint32_t *list, const double *areas, size_t count,
                     double cell)
{
    for (size_t i = 0; i < count; i++) {
        if (!(areas[i] > 0))
            continue;
        size_t n = (size_t)(areas[i] / cell);
        n = n ? n : 1;
        for (size_t k = 0; k < n; k++)
            add_sample(lay, list ? list[i] : (uint32_t)i, areas[i] / (double)n);
    }
}

/* One point every `cell` of area along the list. */
static void lay_along(struct lay *lay, const uint32_t *list, const double *areas, size_t count,
                      double cell)
{
    double sum = 0, next = cell / 2;
    for (size_t i = 0; i < count; i++) {
        sum += areas[i];
        for (; sum > next; next += cell)
            add_sample(lay, list ? list[i] : (uint32_t)i, cell);
    }
}

int surface_samples(struct surface_sample **out, size_t *made, const struct mesh *mesh,
                    const uint32_t *list, size_t count, size_t budget, struct err *err)
{
    struct lay lay = {.mesh = mesh, .room = budget + (count < budget ? count : budget) + 1};
    double *areas = malloc((count + 1) * sizeof *areas);
    lay.samples = malloc(lay.room * sizeof *lay.samples);
    if (!areas || !lay.samples) {
        free(areas);
        free(lay.samples);
        return FAIL(err, ERR_LIMIT, "no memory to sample %zu triangles", count);
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++) {
        double area = vec_length(mesh_normal2(mesh, list ? list[i] : i)) / 2;
        areas[i] = isfinite(area) ? area : 0;
    }
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += areas[i];
    double cell = sum / (double)(budget ? budget : 1);
    if (sum > 0 && count <= budget)
        lay_each(&lay, list, areas, count, cell);
    else if (sum > 0)
        lay_along(&lay, list, areas, count, cell);
    free(areas);
    *out = lay.samples;
    *made = lay.made;
    return 0;
}
