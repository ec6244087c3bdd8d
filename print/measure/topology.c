/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges by bucket (smaller vertex) and insertion sort, shells and fans by union-find. */
#include "print/measure/topology.h"
#include "print/measure/sets.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint32_t other; /* the edge's larger vertex */
    uint32_t halfedge;
};

static int entry_compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->other != y->other)
        return x->other < y->other ? -1 : 1;
    return x->halfedge < y->halfedge ? -1 : x->halfedge > y->halfedge;
}

/* Buckets hold about three entries; a fan's hub may hold thousands. */
static void sort_bucket(struct entry *entries, size_t count)
{
    if (count > 32) {
        qsort(entries, count, sizeof *entries, entry_compare);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct entry e = entries[i];
        size_t j = i;
        for (; j > 0 && entries[j - 1].other > e.other; j--)
            entries[j] = entries[j - 1];
        entries[j] = e;
    }
}

static void fill_buckets(struct entry *entries, uint32_t *ends, const struct mesh *mesh)
{
    const uint32_t *t = mesh->triangles;
    for (size_t v = mesh->vertex_count; v > 0; v--)
        ends[v] = ends[v - 1];
    ends[0] = 0;
    for (uint32_t h = 0; h < 3 * mesh->triangle_count; h++) {
        uint32_t a = t[h], b = t[halfedge_next(h)];
        uint32_t low = a < b ? a : b;
        entries[ends[low + 1]++] = (struct entry){a < b ? b : a, h};
    }
}

static void count_buckets(uint32_t *counts, const struct mesh *mesh)
{
    const uint32_t *t = mesh->triangles;
    for (uint32_t h = 0; h < 3 * mesh->triangle_count; h++) {
        uint32_t a = t[h], b = t[halfedge_next(h)];
        counts[(a < b ? a : b) + 1]++;
    }
    for (size_t v = 0; v < mesh->vertex_count; v++)
        counts[v + 1] += counts[v];
}

static void list_edges(struct edge_list *out, struct entry *entries, const uint32_t *ends,
                       size_t vertex_count)
{
    size_t edge = 0;
    for (size_t v = 0; v < vertex_count; v++) {
        size_t first = ends[v], end = ends[v + 1];
        sort_bucket(entries + first, end - first);
        for (size_t i = first; i < end; i++) {
            if (i == first || entries[i].other != entries[i - 1].other)
                out->starts[edge++] = (uint32_t)i;
            out->halfedges[i] = entries[i].halfedge;
        }
        if (v + 1 == vertex_count)
            out->starts[edge] = (uint32_t)end;
    }
    out->edge_count = edge;
}

int edge_list_build(struct edge_list *out, const struct mesh *mesh, struct err *err)
{
    size_t halfedges = 3 * mesh->triangle_count;
    struct edge_list made = {0};
    uint32_t *ends = calloc(mesh->vertex_count + 2, sizeof *ends);
    struct entry *entries = calloc(halfedges + 1, sizeof *entries);
    made.halfedges = malloc((halfedges + 1) * sizeof *made.halfedges);
    made.starts = calloc(halfedges + 2, sizeof *made.starts);
    int failed = -1;
    if (!ends || !entries || !made.halfedges || !made.starts) {
        FAIL(err, ERR_LIMIT, "no memory for the edges of %zu triangles", mesh->triangle_count);
        goto out;
    }
    count_buckets(ends, mesh);
    fill_buckets(entries, ends, mesh);
    list_edges(&made, entries, ends, mesh->vertex_count);
    *out = made;
    made = (struct edge_list){0};
    failed = 0;
out:
    edge_list_free(&made);
    free(entries);
    free(ends);
    return failed;
}

void edge_list_free(struct edge_list *edges)
{
    if (!edges)
        return;
    free(edges->halfedges);
    free(edges->starts);
    *edges = (struct edge_list){0};
}

/* The corner of h's triangle at `vertex`; it is there by the edge that they share. */
static uint32_t corner_at(const uint32_t *t, uint32_t h, uint32_t vertex)
{
    uint32_t first = h - h % 3;
    return t[first] == vertex ? first : t[first + 1] == vertex ? first + 1 : first + 2;
}

static void pair_edge(struct topology *out, uint32_t *fans, const uint32_t *t,
                      const uint32_t *halfedges, size_t count)
{
    uint32_t one = halfedges[0];
    uint32_t mark = count == 1 ? TWIN_NONE : TWIN_MANY;
    for (size_t i = 0; i < count; i++)
        out->twin[halfedges[i]] = mark;
    for (size_t i = 1; i < count; i++) {
        sets_join(out->shell, one / 3, halfedges[i] / 3);
        sets_join(fans, corner_at(t, one, t[one]), corner_at(t, halfedges[i], t[one]));
        uint32_t to = t[halfedge_next(one)];
        sets_join(fans, corner_at(t, one, to), corner_at(t, halfedges[i], to));
    }
    out->edges++;
    if (count == 1)
        out->boundary_edges++;
    else if (count > 2)
        out->nonmanifold_edges++;
    else {
        out->twin[one] = halfedges[1];
        out->twin[halfedges[1]] = one;
        out->inconsistent_edges += t[one] == t[halfedges[1]];
    }
}

static void number_shells(struct topology *out, size_t triangle_count)
{
    /* A root is the smallest triangle of its shell, so it is met and numbered first. */
    for (uint32_t i = 0; i < triangle_count; i++)
        out->shell[i] = sets_find(out->shell, i);
    uint32_t number = 0;
    for (uint32_t i = 0; i < triangle_count; i++)
        out->shell[i] = out->shell[i] == i ? number++ : out->shell[out->shell[i]];
    out->shells = number;
}

static void count_split_vertices(struct topology *out, uint32_t *fans, uint32_t *first,
                                 const struct mesh *mesh)
{
    const uint32_t *t = mesh->triangles;
    const uint32_t counted = UINT32_MAX - 1;
    memset(first, 0xff, (mesh->vertex_count + 1) * sizeof *first);
    for (uint32_t h = 0; h < 3 * mesh->triangle_count; h++) {
        uint32_t root = sets_find(fans, h);
        if (first[t[h]] == UINT32_MAX)
            first[t[h]] = root;
        else if (first[t[h]] != root && first[t[h]] != counted) {
            first[t[h]] = counted;
            out->nonmanifold_vertices++;
        }
    }
}

int topology_build(struct topology *out, const struct mesh *mesh, struct err *err)
{
    size_t halfedges = 3 * mesh->triangle_count;
    struct topology made = {0};
    struct edge_list edges = {0};
    uint32_t *fans = NULL, *first = NULL;
    int failed = -1;
    if (edge_list_build(&edges, mesh, err))
        goto out;
    made.twin = malloc((halfedges + 1) * sizeof *made.twin);
    made.shell = malloc((mesh->triangle_count + 1) * sizeof *made.shell);
    fans = malloc((halfedges + 1) * sizeof *fans);
    first = malloc((mesh->vertex_count + 1) * sizeof *first);
    if (!made.twin || !made.shell || !fans || !first) {
        FAIL(err, ERR_LIMIT, "no memory for the edges of %zu triangles", mesh->triangle_count);
        goto out;
    }
    for (uint32_t i = 0; i < halfedges; i++)
        fans[i] = i;
    for (uint32_t i = 0; i < mesh->triangle_count; i++)
        made.shell[i] = i;
    for (size_t e = 0; e < edges.edge_count; e++)
        pair_edge(&made, fans, mesh->triangles, edges.halfedges + edges.starts[e],
                  edges.starts[e + 1] - edges.starts[e]);
    number_shells(&made, mesh->triangle_count);
    count_split_vertices(&made, fans, first, mesh);
    *out = made;
    made = (struct topology){0};
    failed = 0;
out:
    topology_free(&made);
    edge_list_free(&edges);
    free(fans);
    free(first);
    return failed;
}

void topology_free(struct topology *topology)
{
    if (!topology)
        return;
    free(topology->twin);
    free(topology->shell);
    *topology = (struct topology){0};
}
