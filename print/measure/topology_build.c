/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Partners, fans and shells: vertex by vertex, each looking at its own triangles alone, so that
 * threads share the work; then a flood from triangle to triangle. */
#include "print/measure/topology.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"

#define FEW 20000 /* triangles: below this one thread is as fast */
#define SMALL 24  /* triangles at a vertex that is looked at without allocating */

int corner_lists_build(struct corner_lists *out, const struct mesh *mesh, struct err *err)
{
    const size_t halfedges = 3 * mesh->triangle_count, vertices = mesh->vertex_count;
    struct corner_lists made = {0};
    made.starts = calloc(vertices + 2, sizeof *made.starts);
    made.halfedges = malloc((halfedges + 1) * sizeof *made.halfedges);
    if (!made.starts || !made.halfedges) {
        corner_lists_free(&made);
        return FAIL(err, ERR_LIMIT, "no memory for the corners of %zu triangles",
                    mesh->triangle_count);
    }
    /* One place further on, so that filling moves them to where they belong. */
    for (size_t h = 0; h < halfedges; h++)
        made.starts[mesh->triangles[h] + 2]++;
    for (size_t v = 0; v < vertices; v++)
        made.starts[v + 2] += made.starts[v + 1];
    for (size_t h = 0; h < halfedges; h++)
        made.halfedges[made.starts[mesh->triangles[h] + 1]++] = (uint32_t)h;
    *out = made;
    return 0;
}

void corner_lists_free(struct corner_lists *lists)
{
    free(lists->starts);
    free(lists->halfedges);
    *lists = (struct corner_lists){0};
}

/* Triangles at edges of three or more, to be joined into shells. */
struct joins {
    uint32_t (*pair)[2];
    size_t count, room;
};

struct build {
    const struct mesh *mesh;
    struct topology *out;
    struct corner_lists corners;
    struct joins joins;
    bool no_memory;
};

/* What one thread counts. */
struct counts {
    size_t edges, boundary, nonmanifold, inconsistent, split;
};

/* All corners at a vertex: each triangle goes from one neighbour to another. */
struct fan {
    uint32_t at[SMALL], from[SMALL], to[SMALL]; /* halfedges, vertices */
    size_t count;
};

/* False where there are too many, or too few for a ring. */
static bool fan_open(struct fan *fan, const struct build *b, uint32_t v)
{
    const uint32_t *t = b->mesh->triangles;
    const uint32_t *list = b->corners.halfedges + b->corners.starts[v];
    fan->count = b->corners.starts[v + 1] - b->corners.starts[v];
    if (fan->count < 3 || fan->count > SMALL)
        return false;
    for (size_t i = 0; i < fan->count; i++) {
        fan->at[i] = list[i];
        fan->from[i] = t[halfedge_next(list[i])];
        fan->to[i] = t[halfedge_prev(list[i])];
    }
    return true;
}

/* One closed ring, all turning one way: order[i] follows order[i - 1]. */
static bool fan_is_ring(const struct fan *fan, uint8_t order[SMALL])
{
    uint32_t at = fan->to[0];
    size_t steps = 1;
    order[0] = 0;
    for (; at != fan->from[0]; steps++) {
        size_t i = 1;
        while (i < fan->count && fan->from[i] != at)
            i++;
        if (i == fan->count || steps == fan->count)
            return false;
        order[steps] = (uint8_t)i;
        at = fan->to[i];
    }
    return steps == fan->count;
}

/* Each edge is seen from both its ends; the smaller one pairs it. */
static void pair_ring(struct build *b, const struct fan *fan, const uint8_t order[SMALL],
                      uint32_t v, struct counts *counts)
{
    for (size_t i = 0; i < fan->count; i++) {
        size_t one = order[i], two = order[i + 1 < fan->count ? i + 1 : 0];
        if (fan->to[one] < v)
            continue;
        uint32_t in = halfedge_prev(fan->at[one]), out = fan->at[two];
        b->out->twin[in] = out;
        b->out->twin[out] = in;
        counts->edges++;
    }
}

/* A spoke of any vertex: the edge to another one, by one of its triangles. */
struct spoke {
    uint32_t other, halfedge;
    uint32_t corner; /* of the vertex, counted */
};

static int spoke_compare(const void *a, const void *b)
{
    const struct spoke *x = a, *y = b;
    if (x->other != y->other)
        return x->other < y->other ? -1 : 1;
    return x->halfedge < y->halfedge ? -1 : x->halfedge > y->halfedge;
}

static bool add_joins(struct joins *joins, const struct spoke *spokes, size_t count)
{
    if (joins->count + count > joins->room) {
        size_t room = 2 * (joins->room + count);
        void *grown = realloc(joins->pair, room * sizeof *joins->pair);
        if (!grown)
            return false;
        joins->pair = grown;
        joins->room = room;
    }
    for (size_t i = 1; i < count; i++) {
        joins->pair[joins->count][0] = spokes[0].halfedge / 3;
        joins->pair[joins->count++][1] = spokes[i].halfedge / 3;
    }
    return true;
}

/* The halfedges of one edge. */
static void pair_edge(struct build *b, const struct spoke *spokes, size_t count,
                      struct counts *counts)
{
    uint32_t *twin = b->out->twin, one = spokes[0].halfedge, two = spokes[count - 1].halfedge;
    const uint32_t *t = b->mesh->triangles;
    counts->edges++;
    counts->boundary += count == 1;
    counts->nonmanifold += count > 2;
    for (size_t i = 0; i < count; i++)
        twin[spokes[i].halfedge] = count == 1 ? TWIN_NONE : TWIN_MANY;
    if (count == 2) {
        twin[one] = two;
        twin[two] = one;
        counts->inconsistent += t[one] == t[two];
    } else if (count > 2) {
#pragma omp critical(topology_joins)
        b->no_memory |= !add_joins(&b->joins, spokes, count);
    }
}

/* Spokes of a vertex of any kind by edge; corners that an edge joins are one fan. */
static void pair_spokes(struct build *b, struct spoke *spokes, uint32_t *fans, size_t corners,
                        uint32_t v, struct counts *counts)
{
    size_t parts = corners;
    qsort(spokes, 2 * corners, sizeof *spokes, spoke_compare);
    for (size_t i = 0, end; i < 2 * corners; i = end) {
        for (end = i + 1; end < 2 * corners && spokes[end].other == spokes[i].other; end++) {
            uint32_t one = sets_find(fans, spokes[i].corner);
            uint32_t two = sets_find(fans, spokes[end].corner);
            parts -= one != two;
            sets_join(fans, one, two);
        }
        if (spokes[i].other > v)
            pair_edge(b, spokes + i, end - i, counts);
    }
    counts->split += parts > 1;
}

static void pair_any(struct build *b, uint32_t v, struct counts *counts)
{
    struct spoke few[2 * SMALL], *spokes = few;
    uint32_t few_fans[SMALL], *fans = few_fans;
    const uint32_t *list = b->corners.halfedges + b->corners.starts[v];
    const uint32_t corners = b->corners.starts[v + 1] - b->corners.starts[v];
    if (corners > SMALL) {
        spokes = malloc(2 * (size_t)corners * sizeof *spokes);
        fans = malloc((size_t)corners * sizeof *fans);
    }
    for (uint32_t i = 0; spokes && fans && i < corners; i++) {
        uint32_t in = halfedge_prev(list[i]);
        spokes[2 * i] = (struct spoke){b->mesh->triangles[halfedge_next(list[i])], list[i], i};
        spokes[2 * i + 1] = (struct spoke){b->mesh->triangles[in], in, i};
        fans[i] = i;
    }
    if (spokes && fans)
        pair_spokes(b, spokes, fans, corners, v, counts);
    else
#pragma omp atomic write
        b->no_memory = true;
    if (corners > SMALL) {
        free(spokes);
        free(fans);
    }
}

static void pair_all(struct build *b)
{
    const size_t vertices = b->mesh->vertex_count;
    size_t edges = 0, boundary = 0, nonmanifold = 0, inconsistent = 0, split = 0;
    memset(b->out->twin, 0xff, 3 * b->mesh->triangle_count * sizeof *b->out->twin);
#pragma omp parallel for schedule(static) if (b->mesh->triangle_count > FEW)                       \
    reduction(+ : edges, boundary, nonmanifold, inconsistent, split)
    for (size_t v = 0; v < vertices; v++) {
        struct counts c = {0};
        struct fan fan;
        uint8_t order[SMALL];
        if (fan_open(&fan, b, (uint32_t)v) && fan_is_ring(&fan, order))
            pair_ring(b, &fan, order, (uint32_t)v, &c);
        else
            pair_any(b, (uint32_t)v, &c);
        edges += c.edges;
        boundary += c.boundary;
        nonmanifold += c.nonmanifold;
        inconsistent += c.inconsistent;
        split += c.split;
    }
    b->out->edges = edges;
    b->out->boundary_edges = boundary;
    b->out->nonmanifold_edges = nonmanifold;
    b->out->inconsistent_edges = inconsistent;
    b->out->nonmanifold_vertices = split;
}

/* Numbered as their first triangles come. */
static void flood_shells(struct topology *out, uint32_t *queue, size_t triangles)
{
    uint32_t number = 0;
    memset(out->shell, 0xff, triangles * sizeof *out->shell);
    for (uint32_t t = 0; t < triangles; t++) {
        size_t end = 0;
        if (out->shell[t] != UINT32_MAX)
            continue;
        out->shell[t] = number;
        queue[end++] = t;
        for (size_t i = 0; i < end; i++)
            for (uint32_t h = 3 * queue[i]; h < 3 * queue[i] + 3; h++) {
                uint32_t other = out->twin[h] / 3;
                if (out->twin[h] >= TWIN_MANY || out->shell[other] != UINT32_MAX)
                    continue;
                out->shell[other] = number;
                queue[end++] = other;
            }
        number++;
    }
    out->shells = number;
}

static void join_shells(struct topology *out, const struct joins *joins, size_t triangles)
{
    for (uint32_t t = 0; t < triangles; t++)
        out->shell[t] = t;
    for (uint32_t h = 0; h < 3 * triangles; h++)
        if (out->twin[h] < h)
            sets_join(out->shell, h / 3, out->twin[h] / 3);
    for (size_t i = 0; i < joins->count; i++)
        sets_join(out->shell, joins->pair[i][0], joins->pair[i][1]);
    /* A root is the smallest triangle of its shell, so it is met and numbered first. */
    for (uint32_t t = 0; t < triangles; t++)
        out->shell[t] = sets_find(out->shell, t);
    uint32_t number = 0;
    for (uint32_t t = 0; t < triangles; t++)
        out->shell[t] = out->shell[t] == t ? number++ : out->shell[out->shell[t]];
    out->shells = number;
}

int topology_build(struct topology *out, const struct mesh *mesh, struct err *err)
{
    const size_t n = mesh->triangle_count;
    struct topology made = {0};
    struct build b = {.mesh = mesh, .out = &made};
    if (corner_lists_build(&b.corners, mesh, err))
        return -1;
    made.twin = calloc(3 * n + 1, sizeof *made.twin);
    made.shell = malloc((n + 1) * sizeof *made.shell);
    b.no_memory = !made.twin || !made.shell;
    if (!b.no_memory)
        pair_all(&b);
    if (!b.no_memory && b.joins.count)
        join_shells(&made, &b.joins, n);
    else if (!b.no_memory)
        flood_shells(&made, b.corners.halfedges, n); /* no longer needed */
    free(b.joins.pair);
    corner_lists_free(&b.corners);
    if (b.no_memory) {
        topology_free(&made);
        return FAIL(err, ERR_LIMIT, "no memory for the edges of %zu triangles", n);
    }
    *out = made;
    return 0;
}

void topology_free(struct topology *topology)
{
    if (!topology)
        return;
    free(topology->twin);
    free(topology->shell);
    *topology = (struct topology){0};
}
