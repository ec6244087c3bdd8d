/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fewer triangles by quadric edge collapse (Garland and Heckbert 1997), in passes: the cheapest
 * edges first, each judged on the mesh as it then is. See collapse.c for what is refused. */
#include <stdlib.h>
#include <string.h>

#include "print/repair/weld.h"
#include "print/shape/decimate_parts.h"
#include "print/shape/shape.h"

#define BLOCK 12 /* cells along the side of a block that one thread works in */
#define DONE UINT32_MAX
#define PASSES_MOST 200
/* A pass looks at this part of all edges at least: the end would take many passes else. */
#define PASS_LEAST 24

static void add_plane(struct quadric *q, struct vec n, double offset, double area)
{
    q->xx += area * n.x * n.x, q->xy += area * n.x * n.y, q->xz += area * n.x * n.z;
    q->yy += area * n.y * n.y, q->yz += area * n.y * n.z, q->zz += area * n.z * n.z;
    q->x += area * offset * n.x, q->y += area * offset * n.y, q->z += area * offset * n.z;
    q->one += area * offset * offset;
    q->area += area;
}

static void sum_planes(struct decimation *d)
{
    const struct mesh *m = d->mesh;
    for (size_t t = 0; t < m->triangle_count; t++) {
        struct vec n = mesh_normal2(m, t), corner = mesh_corner(m, t, 0);
        double area2 = vec_length(n);
        if (!(area2 > 0))
            continue;
        n = vec_scale(n, 1 / area2);
        for (size_t k = 0; k < 3; k++)
            add_plane(&d->quadric[m->triangles[3 * t + k]], n, -vec_dot(n, corner), area2 / 2);
    }
}

static int decimation_open(struct decimation *d, struct mesh *mesh, struct err *err)
{
    struct topology topology;
    size_t vertices = mesh->vertex_count + 1, halfedges = 3 * mesh->triangle_count + 1;
    *d = (struct decimation){.mesh = mesh, .live = mesh->triangle_count};
    if (mesh_sort_space(mesh, err) || topology_build(&topology, mesh, err))
        return -1;
    if (!topology_is_solid(&topology)) {
        topology_free(&topology);
        return 1;
    }
    d->twin = topology.twin;
    topology.twin = NULL;
    topology_free(&topology);
    d->from = malloc(vertices * sizeof *d->from);
    d->quadric = calloc(vertices, sizeof *d->quadric);
    d->cost = malloc(halfedges * sizeof *d->cost);
    d->boxes = malloc((mesh->triangle_count + 1) * sizeof *d->boxes);
    d->living = malloc((mesh->triangle_count + 1) * sizeof *d->living);
    d->candidates = malloc((halfedges / 2 + 1) * sizeof *d->candidates);
    d->best = malloc(vertices * sizeof *d->best);
    d->selected = malloc(vertices * sizeof *d->selected);
    d->spare = malloc(vertices * sizeof *d->spare);
    d->block_starts = malloc(vertices * sizeof *d->block_starts);
    d->later = malloc(vertices);
    d->changed = calloc(vertices, sizeof *d->changed);
    d->touched = calloc(vertices, sizeof *d->touched);
    if (!d->from || !d->quadric || !d->cost || !d->boxes || !d->living || !d->candidates ||
        !d->best || !d->selected || !d->spare || !d->block_starts || !d->later || !d->changed ||
        !d->touched)
        return FAIL(err, ERR_LIMIT, "no memory to simplify %zu triangles", mesh->triangle_count);
    memset(d->from, 0xff, vertices * sizeof *d->from);
    for (uint32_t h = 0; h + 1 < halfedges; h++)
        d->from[mesh->triangles[h]] = h;
    for (uint32_t t = 0; t < mesh->triangle_count; t++)
        d->boxes[t] = triangle_box(mesh, t), d->living[t] = t;
    d->living_count = mesh->triangle_count;
    sum_planes(d);
    return 0;
}

static void decimation_close(struct decimation *d)
{
    free(d->twin);
    free(d->from);
    free(d->quadric);
    free(d->boxes);
    free(d->living);
    free(d->candidates);
    free(d->best);
    free(d->selected);
    free(d->spare);
    free(d->block_starts);
    free(d->later);
    free(d->cost);
    free(d->changed);
    free(d->touched);
    cells_free(&d->cells);
}

/* Costs of edges whose ends moved in the last pass; refused ones (-1) are tried again when
 * something near them has changed. */
static void renew_costs(struct decimation *d)
{
    const uint32_t *t = d->mesh->triangles;
    const uint32_t last = d->pass - 1;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < 3 * d->living_count; i++) {
        uint32_t h = 3 * d->living[i / 3] + (uint32_t)(i % 3), a = t[h];
        if (d->twin[h] < h)
            continue;
        uint32_t b = t[halfedge_next(h)];
        bool moved = d->changed[a] == last || d->changed[b] == last;
        struct vec at;
        if (last == 0 || moved ||
            (d->cost[h] < 0 && (d->touched[a] == last || d->touched[b] == last)))
            d->cost[h] = (float)collapse_cost(d, h, &at);
    }
}

static uint32_t cost_bits(float cost)
{
    uint32_t bits;
    memcpy(&bits, &cost, sizeof bits);
    return bits;
}

static bool is_candidate(const struct decimation *d, uint32_t h)
{
    return d->twin[h] > h && d->cost[h] >= 0 && d->cost[h] < INFINITY;
}

/* Bits of the cost that about `wanted` edges do not exceed; 0: there are none. */
static uint32_t cost_limit(const struct decimation *d, size_t wanted)
{
    uint32_t bins[1 << 16] = {0}, limit = 0;
    size_t sum = 0;
    for (size_t i = 0; i < d->living_count; i++)
        for (uint32_t h = 3 * d->living[i], end = h + 3; h < end; h++)
            if (is_candidate(d, h))
                bins[cost_bits(d->cost[h]) >> 16]++;
    for (uint32_t b = 0; b < 1 << 16 && sum < wanted; b++) {
        sum += bins[b];
        limit = bins[b] ? b << 16 | 0xffff : limit;
    }
    return limit;
}

static size_t list_candidates(struct decimation *d, uint32_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < d->living_count; i++)
        for (uint32_t h = 3 * d->living[i], end = h + 3; h < end; h++)
            if (is_candidate(d, h) && cost_bits(d->cost[h]) <= limit)
                d->candidates[count++] = (struct numbered){cost_bits(d->cost[h]), h};
    return count;
}

/* Costs to three per cent, then by chance: among equal ones in a row only the first would be the
 * cheapest of its neighbours. */
static uint64_t rank_of(struct numbered edge)
{
    uint32_t x = edge.number * 0x9e3779b1u;
    x = (x ^ x >> 15) * 0x85ebca77u;
    return (uint64_t)(edge.key >> 18) << 32 | (x ^ x >> 13);
}

/* Edges that are the cheapest for both their ends: no two of them share a vertex. */
static size_t select_edges(struct decimation *d, uint32_t limit)
{
    const uint32_t *t = d->mesh->triangles;
    size_t candidates = list_candidates(d, limit), count = 0;
    memset(d->best, 0xff, d->mesh->vertex_count * sizeof *d->best);
    for (size_t i = 0; i < candidates; i++) {
        struct numbered c = d->candidates[i];
        uint64_t key = rank_of(c);
        uint64_t *a = &d->best[t[c.number]], *b = &d->best[t[halfedge_next(c.number)]];
        *a = key < *a ? key : *a;
        *b = key < *b ? key : *b;
    }
    for (size_t i = 0; i < candidates; i++) {
        struct numbered c = d->candidates[i];
        uint64_t key = rank_of(c);
        if (d->best[t[c.number]] == key && d->best[t[halfedge_next(c.number)]] == key)
            d->selected[count++] = c;
    }
    return count;
}

/* Blocks of cells: those of one colour lie a block apart. */
static uint32_t block_of(const struct decimation *d, uint32_t h)
{
    const uint32_t *t = d->mesh->triangles;
    struct vec p = vec_scale(
        vec_add(mesh_point(d->mesh, t[h]), mesh_point(d->mesh, t[halfedge_next(h)])), 0.5);
    const float at[3] = {(float)p.x, (float)p.y, (float)p.z};
    struct box point;
    struct span s;
    memcpy(point.low, at, sizeof at);
    memcpy(point.high, at, sizeof at);
    span_of(&s, &d->cells, &point);
    uint32_t colour = 0, block = 0;
    for (int k = 0; k < 3; k++) {
        uint32_t b = (uint32_t)(s.from[k] / BLOCK);
        colour |= (b & 1) << k;
        block |= (b & 511) << (9 * k);
    }
    return colour << 27 | block;
}

/* All that the collapse looks at and changes lies in its block or less than half a block away. */
static bool stays_near(const struct decimation *d, const struct box *region, uint32_t block)
{
    struct span s;
    span_of(&s, &d->cells, region);
    for (int k = 0; k < 3; k++) {
        int low = (int)(block >> (9 * k) & 511) * BLOCK;
        if (s.from[k] < low - (BLOCK / 2 - 1) || s.to[k] > low + BLOCK + BLOCK / 2 - 2)
            return false;
    }
    return true;
}

/* 0 done or refused, 1 to be done alone later. */
static int try_edge(struct decimation *d, struct numbered *edge, bool alone, struct err *err)
{
    struct collapse judged;
    uint32_t h = edge->number;
    collapse_judge(&judged, d, h);
    if (!alone && !stays_near(d, &judged.region, edge->key))
        return 1;
    if (!judged.good) {
        d->cost[h] = -1;
        return 0;
    }
    int failed = collapse_do(d, h, &judged, alone, err);
    if (failed == 0)
        edge->key = DONE;
    return failed;
}

/*
 * Blocks of one colour side by side, edges of a block in order, then the next colour; at last one
 * by one what reaches too far. No thread reads what another one writes but for the boxes of
 * triangles that were near earlier in this pass; whether old, new or half written, they are not
 * near now.
 */
static int run_blocks(struct decimation *d, size_t count, struct err *err)
{
    size_t *starts = d->block_starts, blocks = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || d->selected[i].key != d->selected[i - 1].key)
            starts[blocks++] = i;
    starts[blocks] = count;
    for (size_t first = 0, end; first < blocks; first = end) {
        uint32_t colour = d->selected[starts[first]].key >> 27;
        for (end = first; end < blocks && d->selected[starts[end]].key >> 27 == colour;)
            end++;
#pragma omp parallel for schedule(dynamic)
        for (size_t b = first; b < end; b++)
            for (size_t i = starts[b]; i < starts[b + 1]; i++)
                d->later[i] = (uint8_t)try_edge(d, &d->selected[i], false, NULL);
    }
    for (size_t i = 0; i < count; i++)
        if (d->later[i] && try_edge(d, &d->selected[i], true, err))
            return -1;
    for (size_t i = 0; i < count; i++)
        d->live -= d->selected[i].key == DONE ? 2 : 0;
    return 0;
}

/* 0: went on; 1: nothing more can be done. */
static int run_pass(struct decimation *d, size_t target, struct err *err)
{
    size_t needed = (d->live - target + 1) / 2, most = needed + d->live / PASS_LEAST;
    size_t kept = 0;
    for (size_t i = 0; i < d->living_count; i++)
        if (d->mesh->triangles[3 * (size_t)d->living[i]] != GONE)
            d->living[kept++] = d->living[i];
    d->living_count = kept;
    d->pass++;
    renew_costs(d);
    uint32_t limit = cost_limit(d, most);
    size_t count = select_edges(d, limit);
    if (count == 0)
        return 1;
    if (count > needed) {
        numbered_sort(d->selected, d->spare, count);
        count = needed;
    }
    if (cells_fill(d, LINKS_EACH * count, err))
        return -1;
    for (size_t i = 0; i < count; i++)
        d->selected[i].key = block_of(d, d->selected[i].number);
    numbered_sort(d->selected, d->spare, count);
    return run_blocks(d, count, err);
}

static int take_living(struct mesh *mesh, struct err *err)
{
    size_t kept = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        if (mesh->triangles[3 * t] != GONE)
            memmove(mesh->triangles + 3 * kept++, mesh->triangles + 3 * t,
                    3 * sizeof *mesh->triangles);
    mesh->triangle_count = kept;
    return mesh_compact(mesh, err);
}

int mesh_decimate(struct mesh *mesh, const struct decimate_options *options, struct err *err)
{
    struct decimation d;
    size_t before = mesh->triangle_count;
    size_t target = options->max_triangles;
    if (before <= target || (target == 0 && !(options->max_error_mm > 0)))
        return 1;
    int failed = decimation_open(&d, mesh, err);
    d.max_error2 =
        options->max_error_mm > 0 ? options->max_error_mm * options->max_error_mm / 4 : INFINITY;
    while (!failed && d.live > target && d.pass < PASSES_MOST)
        failed = run_pass(&d, target, err);
    decimation_close(&d);
    if (failed < 0 || (failed == 1 && d.live == before))
        return failed;
    return take_living(mesh, err);
}
