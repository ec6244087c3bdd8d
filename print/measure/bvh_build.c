/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building the tree: triangles sorted along a Morton curve, halved down to leaves of four. Every
 * step is split over threads in a way that gives the same tree for any number of them. */

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/boxes.h"

#define LEAF 4 /* as the boxes have them */
#define DIGIT_BITS 10
#define DIGITS (1 << DIGIT_BITS)
#define FEW 20000 /* below this threads cost more than they bring, much more on a busy machine */
#define TASK_LEAVES 4096 /* below this a subtree is built by one thread */

static uint32_t spread_bits(uint32_t x)
{
    x &= 0x3ff;
    x = (x | x << 16) & 0x030000ff;
    x = (x | x << 8) & 0x0300f00f;
    x = (x | x << 4) & 0x030c30c3;
    return (x | x << 2) & 0x09249249;
}

static float least(float a, float b)
{
    return a < b ? a : b;
}

static float greatest(float a, float b)
{
    return a > b ? a : b;
}

static void whole_box(const struct mesh *mesh, float low[3], float high[3])
{
    for (int k = 0; k < 3; k++)
        low[k] = INFINITY, high[k] = -INFINITY;
    for (size_t v = 0; v < mesh->vertex_count; v++)
        for (int k = 0; k < 3; k++) {
            float x = mesh->xyz[3 * v + (size_t)k];
            low[k] = least(low[k], x);
            high[k] = greatest(high[k], x);
        }
}

/* Key: Morton code of the box's middle above, number of the triangle below. */
static void make_keys(uint64_t *keys, const struct mesh *mesh)
{
    float low[3], high[3], scale = 0;
    whole_box(mesh, low, high);
    for (int k = 0; k < 3; k++)
        scale = greatest(scale, high[k] - low[k]);
    scale = scale > 0 ? 1023 / scale : 0;
#pragma omp parallel for schedule(static) if (mesh->triangle_count > FEW)
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *v = mesh->triangles + 3 * t;
        uint32_t code = 0;
        for (size_t k = 0; k < 3; k++) {
            float a = mesh->xyz[3 * (size_t)v[0] + k], b = mesh->xyz[3 * (size_t)v[1] + k];
            float c = mesh->xyz[3 * (size_t)v[2] + k];
            float middle = (least(least(a, b), c) + greatest(greatest(a, b), c)) / 2;
            float at = (middle - low[k]) * scale;
            code |= spread_bits((uint32_t)(at > 0 ? at < 1023 ? at : 1023 : 0)) << k;
        }
        keys[t] = (uint64_t)code << 32 | (uint32_t)t;
    }
}

/* One pass of a radix sort: stable whatever the number of threads, so the same for all. */
static void sort_pass(uint64_t *to, const uint64_t *from, size_t count, int shift,
                      uint32_t (*starts)[DIGITS])
{
#pragma omp parallel if (count > FEW)
    {
        size_t threads = (size_t)omp_get_num_threads(), me = (size_t)omp_get_thread_num();
        size_t begin = count * me / threads, end = count * (me + 1) / threads;
        memset(starts[me], 0, sizeof starts[me]);
        for (size_t i = begin; i < end; i++)
            starts[me][from[i] >> shift & (DIGITS - 1)]++;
#pragma omp barrier
#pragma omp single
        {
            uint32_t at = 0;
            for (size_t d = 0; d < DIGITS; d++)
                for (size_t t = 0; t < threads; t++) {
                    uint32_t here = starts[t][d];
                    starts[t][d] = at;
                    at += here;
                }
        }
        for (size_t i = begin; i < end; i++)
            to[starts[me][from[i] >> shift & (DIGITS - 1)]++] = from[i];
    }
}

/* The order ends in keys, which had it at first; spare is as large. */
static int sort_keys(uint64_t *keys, uint64_t *spare, size_t count)
{
    uint32_t(*starts)[DIGITS] = malloc((size_t)omp_get_max_threads() * sizeof *starts);
    if (!starts)
        return -1;
    for (int pass = 0; pass < 3; pass++)
        sort_pass(pass % 2 ? keys : spare, pass % 2 ? spare : keys, count, 32 + DIGIT_BITS * pass,
                  starts);
    memcpy(keys, spare, count * sizeof *keys);
    free(starts);
    return 0;
}

static void place_triangles(struct bvh *bvh, const uint64_t *keys)
{
    const struct mesh *mesh = bvh->mesh;
#pragma omp parallel for schedule(static) if (mesh->triangle_count > FEW)
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        struct bvh_triangle *t = &bvh->corners[i];
        bvh->order[i] = (uint32_t)keys[i];
        const uint32_t *corner = mesh->triangles + 3 * (size_t)bvh->order[i];
        for (int c = 0; c < 3; c++)
            memcpy(t->at[c], mesh->xyz + 3 * (size_t)corner[c], sizeof t->at[c]);
    }
}

static void leaf_fit(const struct bvh *bvh, struct bvh_node *node)
{
    const struct boxes_four *box = &bvh->boxes->level[0][node->first / LEAF];
    for (int k = 0; k < 3; k++) {
        four low = box->low[k], high = box->high[k];
        node->low[k] = least(least(low[0], low[1]), least(low[2], low[3]));
        node->high[k] = greatest(greatest(high[0], high[1]), greatest(high[2], high[3]));
    }
}

/* Builds the subtree over leaves [first, end) in node `at`; what is below it takes the nodes from
 * `free_node` on: two for each leaf but one. Depth is log2 of the leaves. */
static void node_build(struct bvh *bvh, uint32_t at, uint32_t free_node, uint32_t first,
                       uint32_t end)
{
    struct bvh_node *node = &bvh->nodes[at];
    size_t triangles = bvh->mesh->triangle_count;
    if (end - first <= 1) {
        size_t from = (size_t)first * LEAF, until = from + LEAF;
        until = until < triangles ? until : triangles;
        *node = (struct bvh_node){.first = (uint32_t)from, .count = (uint32_t)(until - from)};
        leaf_fit(bvh, node);
        return;
    }
    uint32_t middle = first + (end - first) / 2, left = free_node, below = left + 2;
#pragma omp task if (end - first > TASK_LEAVES)
    node_build(bvh, left, below, first, middle);
    node_build(bvh, left + 1, below + 2 * (middle - first) - 2, middle, end);
#pragma omp taskwait
    const struct bvh_node *l = &bvh->nodes[left], *r = l + 1;
    *node = (struct bvh_node){.first = left};
    for (int k = 0; k < 3; k++) {
        node->low[k] = least(l->low[k], r->low[k]);
        node->high[k] = greatest(l->high[k], r->high[k]);
    }
}

static int build(struct bvh *bvh, uint64_t *keys)
{
    size_t n = bvh->mesh->triangle_count, leaves = n ? (n + LEAF - 1) / LEAF : 1;
    make_keys(keys, bvh->mesh);
    if (sort_keys(keys, keys + n, n))
        return -1;
    place_triangles(bvh, keys);
    bvh->boxes = boxes_build(bvh);
    if (!bvh->boxes)
        return -1;
    bvh->node_count = 2 * leaves - 1;
#pragma omp parallel if (n > FEW)
#pragma omp single
    node_build(bvh, 0, 1, 0, (uint32_t)leaves);
    return 0;
}

int bvh_build(struct bvh *out, const struct mesh *mesh, struct err *err)
{
    size_t n = mesh->triangle_count;
    struct bvh made = {.mesh = mesh};
    made.nodes = malloc((n / 2 + 3) * sizeof *made.nodes);
    made.order = malloc((n + 1) * sizeof *made.order);
    made.corners = malloc((n + 1) * sizeof *made.corners);
    uint64_t *keys = malloc((2 * n + 1) * sizeof *keys);
    int failed = !made.nodes || !made.order || !made.corners || !keys || build(&made, keys);
    free(keys);
    if (failed) {
        bvh_free(&made);
        return FAIL(err, ERR_LIMIT, "no memory for a tree of %zu triangles", n);
    }
    *out = made;
    return 0;
}
