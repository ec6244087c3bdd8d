/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges by bucket (smaller vertex) and insertion sort. */
#include "print/measure/topology.h"

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
