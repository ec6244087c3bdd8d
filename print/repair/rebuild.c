/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volumetric rebuild: which grid points are inside. The surface is cut in tetrahedra.c. */
#include "print/repair/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/repair/grid.h"

/* Away from the surface a block of 8 x 8 x 8 points is filled at once when its corners and its
 * middle agree and none is near 1/2. */
#define BLOCK 8
#define UNSURE 0.25
/* So far from 1/2 a point's state holds for its neighbours, too; the dipoles' error is 0.03. */
#define SURE 0.4
/* Of each point: 600 million bytes are a cube of 840 points. */
#define MAX_POINTS 600000000.0

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
    g->step = options->step_mm > 0 ? options->step_mm : longest / 300;
    g->thicken = options->thicken_mm;
    /* Room for the thickening, and a shell of points that are certainly outside. Off the lattice of
     * round numbers, since flat sides of models like to lie there. */
    double margin = g->thicken + 2.37 * g->step;
    g->origin = (struct vec){low[0] - margin, low[1] - margin * 1.013, low[2] - margin * 1.029};
    double points = 1;
    for (int k = 0; k < 3; k++) {
        g->n[k] = (size_t)ceil((high[k] - low[k] + 2.2 * margin) / g->step) + 2;
        g->n[k] = (g->n[k] + BLOCK - 1) / BLOCK * BLOCK + 1;
        points *= (double)g->n[k];
    }
    if (points > MAX_POINTS)
        return 1;
    g->state = malloc((size_t)points);
    if (!g->state)
        return FAIL(err, ERR_LIMIT, "no memory for a grid of %.0f points", points);
    memset(g->state, GRID_UNKNOWN, (size_t)points);
    return bvh_build(&g->bvh, in, err) || bvh_add_dipoles(&g->bvh, err) ? -1 : 0;
}

static bool is_rim(const struct grid *g, const size_t at[3])
{
    bool rim = false;
    for (int k = 0; k < 3; k++)
        rim |= at[k] == 0 || at[k] + 1 == g->n[k];
    return rim;
}

/* The state of a point, and GRID_SURE where the winding number leaves no doubt. */
static uint8_t winding_at(const struct grid *g, const size_t at[3])
{
    if (is_rim(g, at))
        return GRID_OUTSIDE;
    struct vec p = grid_point(g, (int)at[0], (int)at[1], (int)at[2]);
    double w = bvh_winding(&g->bvh, p) - 0.5;
    return (uint8_t)((w > 0 ? GRID_INSIDE : GRID_OUTSIDE) | (fabs(w) > SURE ? GRID_SURE : 0));
}

/* A triangle's points are looked for in columns along the axis that its normal is nearest to. */
struct column_frame {
    int axis, u, v;
    double corner[3], normal[3];
    double reach;
    double low[3], high[3];
};

static struct column_frame frame_of(const struct grid *g, size_t t)
{
    struct vec n = vec_unit(mesh_normal2(g->bvh.mesh, t)), p = mesh_corner(g->bvh.mesh, t, 0);
    struct column_frame f = {.corner = {p.x - g->origin.x, p.y - g->origin.y, p.z - g->origin.z},
                             .normal = {n.x, n.y, n.z},
                             .reach = 1.01 * g->step + g->thicken};
    for (int k = 1; k < 3; k++)
        if (fabs(f.normal[k]) > fabs(f.normal[f.axis]))
            f.axis = k;
    f.u = (f.axis + 1) % 3, f.v = (f.axis + 2) % 3;
    const double origin[3] = {g->origin.x, g->origin.y, g->origin.z};
    for (int k = 0; k < 3; k++) {
        f.low[k] = INFINITY, f.high[k] = -INFINITY;
        for (size_t c = 0; c < 3; c++) {
            uint32_t v = g->bvh.mesh->triangles[3 * t + c];
            double x = g->bvh.mesh->xyz[3 * (size_t)v + (size_t)k] - origin[k];
            f.low[k] = fmin(f.low[k], x - f.reach);
            f.high[k] = fmax(f.high[k], x + f.reach);
        }
    }
    return f;
}

static void mark_column(struct grid *g, const struct column_frame *f, long i, long j)
{
    double along = f->normal[f->axis], low = f->low[f->axis], high = f->high[f->axis];
    if (fabs(along) > 0.5) {
        double at = f->corner[f->axis] - ((i * g->step - f->corner[f->u]) * f->normal[f->u] +
                                          (j * g->step - f->corner[f->v]) * f->normal[f->v]) /
                                             along;
        low = fmax(low, at - f->reach / fabs(along));
        high = fmin(high, at + f->reach / fabs(along));
    }
    long from = (long)ceil(low / g->step), to = (long)floor(high / g->step);
    for (long k = from < 0 ? 0 : from; k <= to && k < (long)g->n[f->axis]; k++) {
        int at[3];
        at[f->axis] = (int)k, at[f->u] = (int)i, at[f->v] = (int)j;
        g->state[grid_index(g, at[0], at[1], at[2])] = GRID_NEAR | GRID_BAND;
    }
}

/* All points within a step of a triangle: those between which the surface may pass. */
static void mark_near(struct grid *g)
{
    for (size_t t = 0; t < g->bvh.mesh->triangle_count; t++) {
        struct column_frame f = frame_of(g, t);
        long from[2] = {(long)ceil(f.low[f.u] / g->step), (long)ceil(f.low[f.v] / g->step)};
        long to[2] = {(long)floor(f.high[f.u] / g->step), (long)floor(f.high[f.v] / g->step)};
        for (long i = from[0] < 0 ? 0 : from[0]; i <= to[0] && i < (long)g->n[f.u]; i++)
            for (long j = from[1] < 0 ? 0 : from[1]; j <= to[1] && j < (long)g->n[f.v]; j++)
                mark_column(g, &f, i, j);
    }
}

/* Asks the points of one state whose coordinates are multiples of stride, rows in parallel. */
static void value_points(struct grid *g, size_t stride, uint8_t of)
{
#pragma omp parallel for schedule(dynamic, 8)
    for (size_t row = 0; row < g->n[1] * g->n[2]; row++) {
        const size_t j = row % g->n[1], k = row / g->n[1];
        if (j % stride || k % stride)
            continue;
        for (size_t i = 0; i < g->n[0]; i += stride) {
            uint8_t *state = &g->state[row * g->n[0] + i];
            if ((*state & GRID_STATE) == of)
                *state =
                    (uint8_t)((*state & ~GRID_STATE) | winding_at(g, (const size_t[3]){i, j, k}));
        }
    }
}

/* Outside, but nearer to the surface than the wall that it gets. The marks of crossings go. */
static void thicken_points(struct grid *g)
{
#pragma omp parallel for schedule(dynamic, 8)
    for (size_t row = 0; row < g->n[1] * g->n[2]; row++)
        for (size_t i = 0; i < g->n[0]; i++) {
            uint8_t *state = &g->state[row * g->n[0] + i];
            const size_t at[3] = {i, row % g->n[1], row / g->n[1]};
            bool asked = g->thicken > 0 && (*state & GRID_BAND) && !is_rim(g, at);
            *state &= GRID_STATE;
            if (!asked || *state != GRID_OUTSIDE)
                continue;
            struct vec p = grid_point(g, (int)at[0], (int)at[1], (int)at[2]);
            if (bvh_nearest(&g->bvh, p, g->thicken, NULL, NULL) < g->thicken)
                *state = GRID_INSIDE;
        }
}

struct blocks {
    size_t n[3];    /* blocks along each side */
    uint8_t *state; /* per block: GRID_UNKNOWN when the surface is near */
    uint8_t *corner;
};

static size_t corner_index(const struct blocks *b, size_t i, size_t j, size_t k)
{
    return (k * (b->n[1] + 1) + j) * (b->n[0] + 1) + i;
}

static bool is_far(const struct grid *g, size_t i, size_t j, size_t k)
{
    for (size_t z = k; z <= k + BLOCK; z++)
        for (size_t y = j; y <= j + BLOCK; y++)
            for (size_t x = i; x <= i + BLOCK; x++)
                if (g->state[grid_index(g, (int)x, (int)y, (int)z)] & GRID_BAND)
                    return false;
    return true;
}

static uint8_t judge_point(const struct grid *g, size_t i, size_t j, size_t k)
{
    double w = bvh_winding(&g->bvh, grid_point(g, (int)i, (int)j, (int)k)) - 0.5;
    return fabs(w) < UNSURE ? GRID_WANTED : w > 0 ? GRID_INSIDE : GRID_OUTSIDE;
}

static bool touches_far(const struct blocks *b, const size_t at[3])
{
    for (size_t c = 0; c < 8; c++) {
        size_t i = at[0] - (c & 1), j = at[1] - (c >> 1 & 1), k = at[2] - (c >> 2);
        if (i < b->n[0] && j < b->n[1] && k < b->n[2] &&
            b->state[(k * b->n[1] + j) * b->n[0] + i] == GRID_WANTED)
            return true;
    }
    return false;
}

/* GRID_INSIDE or GRID_OUTSIDE when its corners and its middle all say so. */
static uint8_t judge_block(const struct grid *g, const struct blocks *b, size_t i, size_t j,
                           size_t k)
{
    uint8_t all = b->corner[corner_index(b, i, j, k)];
    for (size_t c = 1; c < 8; c++)
        if (b->corner[corner_index(b, i + (c & 1), j + (c >> 1 & 1), k + (c >> 2))] != all)
            return GRID_WANTED;
    const size_t half = BLOCK / 2;
    if (all == GRID_WANTED ||
        judge_point(g, i * BLOCK + half, j * BLOCK + half, k * BLOCK + half) != all)
        return GRID_WANTED;
    return all;
}

static void set_block(struct grid *g, size_t i, size_t j, size_t k, uint8_t state)
{
    for (size_t z = k; z <= k + BLOCK; z++)
        for (size_t y = j; y <= j + BLOCK; y++)
            for (size_t x = i; x <= i + BLOCK; x++) {
                uint8_t *at = &g->state[grid_index(g, (int)x, (int)y, (int)z)];
                if (*at == GRID_UNKNOWN || (*at == GRID_WANTED && state != GRID_WANTED))
                    *at = state;
            }
}

static void judge_blocks(struct grid *g, struct blocks *b)
{
    const size_t *n = b->n, corners = (n[0] + 1) * (n[1] + 1) * (n[2] + 1);
    const size_t count = n[0] * n[1] * n[2];
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t i = 0; i < count; i++)
        b->state[i] = is_far(g, i % n[0] * BLOCK, i / n[0] % n[1] * BLOCK, i / n[0] / n[1] * BLOCK)
                          ? GRID_WANTED
                          : GRID_UNKNOWN;
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t c = 0; c < corners; c++) {
        const size_t at[3] = {c % (n[0] + 1), c / (n[0] + 1) % (n[1] + 1),
                              c / (n[0] + 1) / (n[1] + 1)};
        if (touches_far(b, at))
            b->corner[c] = judge_point(g, at[0] * BLOCK, at[1] * BLOCK, at[2] * BLOCK);
    }
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t i = 0; i < count; i++)
        if (b->state[i] != GRID_UNKNOWN)
            b->state[i] = judge_block(g, b, i % n[0], i / n[0] % n[1], i / n[0] / n[1]);
}

static int fill_blocks(struct grid *g, struct err *err)
{
    struct blocks b;
    for (int k = 0; k < 3; k++)
        b.n[k] = (g->n[k] - 1) / BLOCK;
    const size_t count = b.n[0] * b.n[1] * b.n[2];
    b.state = malloc(count + 1);
    b.corner = malloc((b.n[0] + 1) * (b.n[1] + 1) * (b.n[2] + 1));
    int failed = b.state && b.corner ? 0 : FAIL(err, ERR_LIMIT, "no memory for %zu blocks", count);
    if (!failed)
        judge_blocks(g, &b);
    for (size_t i = 0; !failed && i < count; i++)
        if (b.state[i] != GRID_UNKNOWN)
            set_block(g, i % b.n[0] * BLOCK, i / b.n[0] % b.n[1] * BLOCK,
                      i / b.n[0] / b.n[1] * BLOCK, b.state[i]);
    free(b.state);
    free(b.corner);
    return failed;
}

/* What is left lies in blocks with surface, but no surface lies between it and a known neighbour.
 */
static int spread_states(struct grid *g, struct err *err)
{
    const size_t n = g->n[0] * g->n[1] * g->n[2];
    const size_t steps[3] = {1, g->n[0], g->n[0] * g->n[1]};
    size_t unknown = 0, count = 0;
    for (size_t p = 0; p < n; p++)
        unknown += g->state[p] == GRID_UNKNOWN;
    size_t *queue = malloc((unknown + 1) * sizeof *queue);
    if (!queue)
        return FAIL(err, ERR_LIMIT, "no memory for %zu grid points", unknown);
    /* Never at the rim: that is known by the first pass or by its block. */
    for (size_t p = steps[2]; p + steps[2] < n; p++)
        for (int k = 0; k < 6 && g->state[p] == GRID_UNKNOWN; k++) {
            uint8_t next = g->state[k & 1 ? p + steps[k / 2] : p - steps[k / 2]];
            if (next > GRID_INSIDE)
                continue;
            g->state[p] = next;
            queue[count++] = p;
        }
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 6; k++) {
            size_t p = k & 1 ? queue[i] + steps[k / 2] : queue[i] - steps[k / 2];
            if (p >= n || g->state[p] != GRID_UNKNOWN)
                continue;
            g->state[p] = g->state[queue[i]];
            queue[count++] = p;
        }
    free(queue);
    return 0;
}

static void empty_rim(struct grid *g)
{
    for (size_t k = 0; k < g->n[2]; k++)
        for (size_t j = 0; j < g->n[1]; j++)
            for (size_t i = 0; i < g->n[0]; i++) {
                if (i && j && k && i + 1 < g->n[0] && j + 1 < g->n[1] && k + 1 < g->n[2]) {
                    i = g->n[0] - 2;
                    continue;
                }
                g->state[grid_index(g, (int)i, (int)j, (int)k)] = GRID_OUTSIDE;
            }
}

static int grid_fill(struct grid *g, struct err *err)
{
    empty_rim(g);
    mark_near(g);
    if (fill_blocks(g, err))
        return -1;
    grid_mark_crossings(g);
    if (grid_guard_rims(g, err))
        return -1;
    value_points(g, 1, GRID_ALONE);
    for (size_t stride = 4; stride > 0; stride /= 2) {
        value_points(g, stride, GRID_NEAR);
        if (stride > 1 && grid_flood(g, stride, err))
            return -1;
    }
    value_points(g, 1, GRID_WANTED);
    thicken_points(g);
    return spread_states(g, err);
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
            failed = grid_fill(&g, err) || grid_surface(out, &g, err) ? -1 : 0;
        now.step_mm = g.step * 1.26;
        bvh_free(&g.bvh);
        free(g.state);
    }
    return failed;
}
