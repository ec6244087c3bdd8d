/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volumetric rebuild: which grid points are inside. The surface is cut in tetrahedra.c. */
#include "print/repair/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/repair/grid.h"

/* A block of 4 x 4 x 4 points is looked at closely when its corners differ or are near 1/2. */
#define BLOCK 4
#define UNSURE 0.25
/* 64 winding numbers each, of some 4 us: about six seconds. */
#define MAX_NEAR_BLOCKS 24000
#define MIN_CELLS 40

static size_t grid_index(const struct grid *g, int i, int j, int k)
{
    return ((size_t)k * g->n[1] + (size_t)j) * g->n[0] + (size_t)i;
}

struct vec grid_point(const struct grid *g, int i, int j, int k)
{
    return (struct vec){g->origin.x + i * g->step, g->origin.y + j * g->step,
                        g->origin.z + k * g->step};
}

double grid_value(const struct grid *g, struct vec p)
{
    double value = bvh_winding(&g->bvh, p) - 0.5;
    if (g->thicken > 0 && value <= 0) {
        double d = bvh_nearest(&g->bvh, p, g->thicken, NULL, NULL);
        value = d < g->thicken ? 1e-3 + (g->thicken - d) : value;
    }
    return value;
}

static int grid_open(struct grid *g, const struct mesh *in, const struct rebuild_options *options,
                     struct err *err)
{
    double low[3], high[3], longest = 0;
    mesh_bounds(in, low, high);
    for (int k = 0; k < 3; k++)
        longest = high[k] - low[k] > longest ? high[k] - low[k] : longest;
    if (!(longest > 0))
        return FAIL(err, ERR_INPUT, "the mesh has no size");
    g->step = longest / options->cells;
    g->thicken = options->thicken_mm;
    /* Room for the thickening, and a shell of points that are certainly outside. Off the lattice of
     * round numbers, since flat sides of models like to lie there. */
    double margin = g->thicken + 2.37 * g->step;
    g->origin = (struct vec){low[0] - margin, low[1] - margin * 1.013, low[2] - margin * 1.029};
    size_t points = 1;
    for (int k = 0; k < 3; k++) {
        g->n[k] = (size_t)ceil((high[k] - low[k] + 2.2 * margin) / g->step) + 2;
        g->n[k] = (g->n[k] + BLOCK - 1) / BLOCK * BLOCK + 1;
        points *= g->n[k];
    }
    g->state = malloc(points);
    if (!g->state)
        return FAIL(err, ERR_LIMIT, "no memory for a grid of %zu points", points);
    memset(g->state, GRID_UNKNOWN, points);
    return bvh_build(&g->bvh, in, err) || bvh_add_dipoles(&g->bvh, err) ? -1 : 0;
}

static uint8_t evaluate(struct grid *g, int i, int j, int k)
{
    uint8_t *state = &g->state[grid_index(g, i, j, k)];
    if (*state == GRID_UNKNOWN) {
        bool rim = i == 0 || j == 0 || k == 0 || (size_t)i + 1 == g->n[0] ||
                   (size_t)j + 1 == g->n[1] || (size_t)k + 1 == g->n[2];
        *state = !rim && grid_value(g, grid_point(g, i, j, k)) > 0 ? GRID_INSIDE : GRID_OUTSIDE;
    }
    return *state;
}

/* Blocks near a triangle: inside its widened box and not far from its plane. */
static size_t mark_near(uint8_t *near, const size_t blocks[3], const struct grid *g)
{
    size_t marked = 0;
    const struct mesh *mesh = g->bvh.mesh;
    const double origin[3] = {g->origin.x, g->origin.y, g->origin.z};
    double wider = g->step + g->thicken;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        long from[3], to[3];
        for (size_t k = 0; k < 3; k++) {
            double low = INFINITY, high = -INFINITY;
            for (size_t c = 0; c < 3; c++) {
                double x = mesh->xyz[3 * (size_t)mesh->triangles[3 * t + c] + k];
                low = x < low ? x : low;
                high = x > high ? x : high;
            }
            from[k] = (long)floor((low - wider - origin[k]) / (g->step * BLOCK));
            to[k] = (long)floor((high + wider - origin[k]) / (g->step * BLOCK));
            from[k] = from[k] < 0 ? 0 : from[k];
            to[k] = to[k] >= (long)blocks[k] ? (long)blocks[k] - 1 : to[k];
        }
        struct vec n = vec_unit(mesh_normal2(mesh, t)), corner = mesh_corner(mesh, t, 0);
        double reach = wider + 0.87 * g->step * BLOCK;
        for (long z = from[2]; z <= to[2]; z++)
            for (long y = from[1]; y <= to[1]; y++)
                for (long x = from[0]; x <= to[0]; x++) {
                    uint8_t *at =
                        &near[((size_t)z * blocks[1] + (size_t)y) * blocks[0] + (size_t)x];
                    struct vec p =
                        grid_point(g, (int)x * BLOCK + BLOCK / 2, (int)y * BLOCK + BLOCK / 2,
                                   (int)z * BLOCK + BLOCK / 2);
                    if (*at || fabs(vec_dot(vec_sub(p, corner), n)) > reach)
                        continue;
                    *at = 1;
                    marked++;
                }
    }
    return marked;
}

/* Away from the surface the winding number changes slowly: eight corners say what it does. */
static bool corners_agree(struct grid *g, int i, int j, int k, uint8_t *state)
{
    for (int c = 0; c < 8; c++) {
        int x = i + (c & 1) * BLOCK, y = j + (c >> 1 & 1) * BLOCK, z = k + (c >> 2) * BLOCK;
        uint8_t here = evaluate(g, x, y, z);
        if (c == 0)
            *state = here;
        if (here != *state)
            return false;
    }
    double middle = grid_value(g, grid_point(g, i + BLOCK / 2, j + BLOCK / 2, k + BLOCK / 2));
    return (middle > 0) == (*state == GRID_INSIDE) && fabs(middle) > UNSURE;
}

static void fill_block(struct grid *g, int i, int j, int k, uint8_t state)
{
    for (int z = k; z <= k + BLOCK; z++)
        for (int y = j; y <= j + BLOCK; y++)
            for (int x = i; x <= i + BLOCK; x++) {
                uint8_t *at = &g->state[grid_index(g, x, y, z)];
                if (state == GRID_UNKNOWN)
                    evaluate(g, x, y, z);
                else if (*at == GRID_UNKNOWN)
                    *at = state;
            }
}

/* 0 filled; 1 the surface is so large in it that a coarser grid must do. */
static int grid_fill(struct grid *g, bool may_refuse, struct err *err)
{
    size_t blocks[3];
    for (int k = 0; k < 3; k++)
        blocks[k] = (g->n[k] - 1) / BLOCK;
    uint8_t *near = calloc(blocks[0] * blocks[1] * blocks[2] + 1, 1);
    if (!near)
        return FAIL(err, ERR_LIMIT, "no memory for %zu blocks", blocks[0] * blocks[1] * blocks[2]);
    if (mark_near(near, blocks, g) > MAX_NEAR_BLOCKS && may_refuse) {
        free(near);
        return 1;
    }
    /* Blocks near the surface first: a point on a shared side must be theirs, not a guess. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t z = 0, b = 0; z < blocks[2]; z++)
            for (size_t y = 0; y < blocks[1]; y++)
                for (size_t x = 0; x < blocks[0]; x++, b++) {
                    int i = (int)x * BLOCK, j = (int)y * BLOCK, k = (int)z * BLOCK;
                    uint8_t state = GRID_UNKNOWN;
                    if (near[b] != (pass == 0))
                        continue;
                    if (pass == 1 && !corners_agree(g, i, j, k, &state))
                        state = GRID_UNKNOWN;
                    fill_block(g, i, j, k, state);
                }
    free(near);
    return 0;
}

int mesh_rebuild(struct mesh *out, const struct mesh *in, const struct rebuild_options *options,
                 struct err *err)
{
    struct rebuild_options now = *options;
    int failed = 1;
    while (failed == 1) {
        struct grid g = {0};
        failed = grid_open(&g, in, &now, err);
        if (!failed)
            failed = grid_fill(&g, now.cells > MIN_CELLS, err);
        if (!failed)
            failed = grid_surface(out, &g, err);
        bvh_free(&g.bvh);
        free(g.state);
        now.cells = now.cells * 3 / 4;
    }
    return failed;
}
