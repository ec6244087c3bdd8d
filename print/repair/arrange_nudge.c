/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last resort for sheets that nearly coincide, such as boxes that touch along a face and were
 * turned: whatever is rounded meets again. Moved a few steps of the grid, each shell whole, they
 * either overlap clearly or lie clearly apart. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"
#include "print/measure/topology.h"
#include "print/repair/arrange_parts.h"
#include "print/repair/steps.h"

#define FARTHEST (1 << 24)
#define MANY_STUCK 100 /* triangles */

/* Shells that hang together over edges; around an edge with many triangles, those that bound one
 * wedge of solid, so that moving a shell opens nothing that was closed. */
static int find_shells(uint32_t *up, const struct mesh *mesh, struct err *err)
{
    size_t n = mesh->triangle_count;
    uint32_t *twin = malloc((3 * n + 1) * sizeof *twin);
    if (!twin || mesh_pair_halfedges(twin, mesh, err)) {
        free(twin);
        return FAIL(err, ERR_LIMIT, "no memory for shells of %zu triangles", n);
    }
    for (size_t t = 0; t < n; t++)
        up[t] = (uint32_t)t;
    for (size_t h = 0; h < 3 * n; h++)
        if (twin[h] < TWIN_MANY)
            sets_join(up, (uint32_t)(h / 3), twin[h] / 3);
    free(twin);
    return 0;
}

static uint32_t scramble(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Some whole steps along each axis, never none. */
static int32_t offset_of(uint32_t number, int axis, int attempt)
{
    uint32_t r = scramble(number * 3 + (uint32_t)axis + (uint32_t)attempt * 0x9e3779b9u);
    int32_t far = 2 << (2 * attempt);
    int32_t steps = far / 2 + (int32_t)(r >> 1) % (far / 2);
    return r & 1 ? steps : -steps;
}

static void move_corner(struct work *w, float *p, const int32_t at[3], uint32_t number, int attempt)
{
    for (int k = 0; k < 3; k++) {
        int32_t x = at[k] + offset_of(number, k, attempt);
        x = x > FARTHEST ? FARTHEST : x < -FARTHEST ? -FARTHEST : x;
        p[k] = (float)(x * w->step);
    }
}

/* Where a shell meets itself: its corners there, each for all of its triangles. Walls that nearly
 * coincide all over would only meet more often. */
static void move_stuck(struct work *w, const uint8_t *stuck, uint8_t *moved, int attempt)
{
    size_t count = 0;
    for (size_t t = 0; t < w->mesh.triangle_count; t++)
        count += stuck[w->from[t]];
    if (count > MANY_STUCK)
        return;
    for (size_t h = 0; h < 3 * w->mesh.triangle_count; h++) {
        uint32_t v = w->mesh.triangles[h];
        int32_t at[3];
        if (!stuck[w->from[h / 3]] || moved[v])
            continue;
        work_corner(at, w, v);
        move_corner(w, w->mesh.xyz + 3 * (size_t)v, at, ~v, attempt);
        moved[v] = 1;
    }
}

/* A corner of its own for each corner of the shell's triangles; welding joins them again. */
static void move_triangle(struct work *w, size_t t, uint32_t shell, int attempt)
{
    for (size_t c = 0; c < 3; c++) {
        int32_t at[3];
        work_corner(at, w, w->mesh.triangles[3 * t + c]);
        move_corner(w, w->mesh.xyz + 3 * w->mesh.vertex_count, at, shell, attempt);
        w->mesh.triangles[3 * t + c] = (uint32_t)w->mesh.vertex_count++;
    }
}

/* sizes[shell]: triangles of a shell that met others, 0 for the rest and for the largest one, which
 * stays where it is. Returns how many triangles are to be moved. */
static size_t choose_shells(uint32_t *sizes, uint32_t *up, const struct work *w, const uint8_t *met)
{
    size_t n = w->mesh.triangle_count, largest = 0, moved = 0;
    uint8_t *involved = (uint8_t *)(sizes + n + 1);
    for (size_t t = 0; t < n; t++) {
        uint32_t shell = sets_find(up, (uint32_t)t);
        sizes[shell]++;
        involved[shell] |= met[w->from[t]];
    }
    for (size_t s = 0; s < n; s++) {
        sizes[s] = involved[s] ? sizes[s] : 0;
        largest = sizes[s] > sizes[largest] ? s : largest;
    }
    if (n)
        sizes[largest] = 0;
    for (size_t s = 0; s < n; s++)
        moved += sizes[s];
    return moved;
}

int work_nudge(struct work *w, const struct work *before, int attempt, struct err *err)
{
    size_t n = w->mesh.triangle_count;
    uint32_t *up = malloc((n + 1) * sizeof *up);
    uint32_t *sizes = calloc(n + 1, sizeof *sizes + 1);
    uint8_t *moved = calloc(w->mesh.vertex_count + 1, 1);
    int failed = !up || !sizes || !moved ? FAIL(err, ERR_LIMIT, "no memory for shells")
                                         : find_shells(up, &w->mesh, err);
    if (!failed) {
        move_stuck(w, before->stuck, moved, attempt);
        failed = mesh_grow(&w->mesh, 3 * choose_shells(sizes, up, w, before->cut), 0, err);
    }
    for (size_t t = 0; t < n && !failed; t++) {
        uint32_t shell = sets_find(up, (uint32_t)t);
        if (sizes[shell])
            move_triangle(w, t, shell, attempt);
    }
    free(up);
    free(sizes);
    free(moved);
    return failed || work_tidy(w, err) ? -1 : 0;
}
