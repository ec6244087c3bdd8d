/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neighbours in space become neighbours in memory: vertices and triangles in Morton order. A mesh
 * of a million triangles is simplified in half the time so. */
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/shape/decimate_parts.h"

static void sort_round(struct numbered *to, const struct numbered *from, size_t n, int shift)
{
    size_t starts[2049] = {0};
    for (size_t i = 0; i < n; i++)
        starts[(from[i].key >> shift & 2047) + 1]++;
    for (int b = 0; b < 2048; b++)
        starts[b + 1] += starts[b];
    for (size_t i = 0; i < n; i++)
        to[starts[from[i].key >> shift & 2047]++] = from[i];
}

void numbered_sort(struct numbered *list, struct numbered *other, size_t n)
{
    sort_round(other, list, n, 0);
    sort_round(list, other, n, 11);
    sort_round(other, list, n, 22);
    memcpy(list, other, n * sizeof *list);
}

/* Ten bits with two free places after each. */
static uint32_t spread(uint32_t x)
{
    x = (x | x << 16) & 0x030000ff;
    x = (x | x << 8) & 0x0300f00f;
    x = (x | x << 4) & 0x030c30c3;
    return (x | x << 2) & 0x09249249;
}

struct frame {
    double low[3], scale;
};

static uint32_t morton(const struct frame *f, const float *p)
{
    uint32_t code = 0;
    for (int k = 0; k < 3; k++) {
        double x = (p[k] - f->low[k]) * f->scale;
        code |= spread(x > 0 ? x < 1023 ? (uint32_t)x : 1023 : 0) << k;
    }
    return code;
}

static void order_vertices(struct mesh *mesh, const struct frame *frame, struct numbered *list,
                           struct numbered *other, uint32_t *place, float *xyz)
{
    for (uint32_t v = 0; v < mesh->vertex_count; v++)
        list[v] = (struct numbered){morton(frame, mesh->xyz + 3 * (size_t)v), v};
    numbered_sort(list, other, mesh->vertex_count);
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        place[list[v].number] = v;
        memcpy(xyz + 3 * (size_t)v, mesh->xyz + 3 * (size_t)list[v].number, 3 * sizeof *xyz);
    }
    memcpy(mesh->xyz, xyz, 3 * mesh->vertex_count * sizeof *xyz);
    for (size_t i = 0; i < 3 * mesh->triangle_count; i++)
        mesh->triangles[i] = place[mesh->triangles[i]];
}

/* By the lowest corner, which is one of the first in space, too. */
static void order_triangles(struct mesh *mesh, struct numbered *list, struct numbered *other,
                            uint32_t *spare)
{
    for (uint32_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *v = mesh->triangles + 3 * (size_t)t;
        uint32_t low = v[0] < v[1] ? v[0] : v[1];
        list[t] = (struct numbered){v[2] < low ? v[2] : low, t};
    }
    numbered_sort(list, other, mesh->triangle_count);
    for (size_t t = 0; t < mesh->triangle_count; t++)
        memcpy(spare + 3 * t, mesh->triangles + 3 * (size_t)list[t].number, 3 * sizeof *spare);
    memcpy(mesh->triangles, spare, 3 * mesh->triangle_count * sizeof *spare);
}

int mesh_sort_space(struct mesh *mesh, struct err *err)
{
    double low[3], high[3], most = 0;
    size_t n =
        mesh->triangle_count > mesh->vertex_count ? mesh->triangle_count : mesh->vertex_count;
    mesh_bounds(mesh, low, high);
    for (int k = 0; k < 3; k++)
        most = high[k] - low[k] > most ? high[k] - low[k] : most;
    struct frame frame = {{low[0], low[1], low[2]}, most > 0 ? 1023 / most : 0};
    struct numbered *list = malloc((n + 1) * sizeof *list), *other = malloc((n + 1) * sizeof *list);
    uint32_t *place = malloc((n + 1) * sizeof *place), *spare = malloc((3 * n + 1) * sizeof *spare);
    float *xyz = malloc((3 * mesh->vertex_count + 1) * sizeof *xyz);
    int failed = 0;
    if (!list || !other || !place || !spare || !xyz) {
        failed = FAIL(err, ERR_LIMIT, "no memory to sort %zu triangles", mesh->triangle_count);
    } else {
        order_vertices(mesh, &frame, list, other, place, xyz);
        order_triangles(mesh, list, other, spare);
    }
    free(list);
    free(other);
    free(place);
    free(spare);
    free(xyz);
    return failed;
}
