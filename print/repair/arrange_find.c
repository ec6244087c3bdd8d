/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding what meets after a round: only what lies in cells that changed triangles reach is put
 * into a tree, so that a few cuts in a million triangles cost one look at each box. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/repair/arrange_parts.h"

#define MAX_TESTS ((size_t)100000000)
#define MAX_PAIRS ((size_t)1000000)
#define CELLS 64             /* along each side */
#define MANY_CELLS 512       /* a box in more than these is taken without a look */
#define MARK_LIMIT 40000000u /* cells; with more to mark everything is searched */

struct cells {
    uint8_t *marked;
    uint32_t *of_vertex; /* its cell's three numbers, x lowest */
    float low[3], scale;
    uint64_t work;
};

struct range {
    int low[3], high[3];
};

static int cell_of(const struct cells *c, float x, int k)
{
    float at = (x - c->low[k]) * c->scale;
    return at > 0 ? at < CELLS - 1 ? (int)at : CELLS - 1 : 0;
}

static uint32_t cell_of_point(const struct cells *c, const float p[3])
{
    uint32_t cell = 0;
    for (int k = 2; k >= 0; k--)
        cell = cell * CELLS + (uint32_t)cell_of(c, p[k], k);
    return cell;
}

static struct range range_of(const struct cells *c, const struct mesh *mesh, size_t t)
{
    struct range r = {{CELLS, CELLS, CELLS}, {0, 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        uint32_t cell = c->of_vertex[mesh->triangles[3 * t + i]];
        for (int k = 0; k < 3; k++, cell /= CELLS) {
            int at = (int)(cell % CELLS);
            r.low[k] = at < r.low[k] ? at : r.low[k];
            r.high[k] = at > r.high[k] ? at : r.high[k];
        }
    }
    return r;
}

static uint64_t range_size(const struct range *r)
{
    uint64_t size = 1;
    for (int k = 0; k < 3; k++)
        size *= (uint64_t)(r->high[k] - r->low[k] + 1);
    return size;
}

static void mark(struct cells *c, const struct range *r)
{
    c->work += range_size(r);
    if (c->work > MARK_LIMIT)
        return;
    for (int z = r->low[2]; z <= r->high[2]; z++)
        for (int y = r->low[1]; y <= r->high[1]; y++)
            memset(c->marked + (z * CELLS + y) * CELLS + r->low[0], 1,
                   (size_t)r->high[0] - (size_t)r->low[0] + 1);
}

static bool range_is_marked(const struct cells *c, const struct range *r)
{
    if (range_size(r) > MANY_CELLS)
        return true;
    for (int z = r->low[2]; z <= r->high[2]; z++)
        for (int y = r->low[1]; y <= r->high[1]; y++)
            if (memchr(c->marked + (z * CELLS + y) * CELLS + r->low[0], 1,
                       (size_t)r->high[0] - (size_t)r->low[0] + 1))
                return true;
    return false;
}

static bool is_marked(const struct cells *c, const struct mesh *mesh, size_t t)
{
    const uint32_t *v = mesh->triangles + 3 * t;
    uint32_t cell = c->of_vertex[v[0]];
    /* Most are small. */
    if (cell == c->of_vertex[v[1]] && cell == c->of_vertex[v[2]])
        return c->marked[cell];
    struct range r = range_of(c, mesh, t);
    return range_is_marked(c, &r);
}

static int cells_open(struct cells *c, const struct work *w)
{
    float high[3] = {-INFINITY, -INFINITY, -INFINITY}, most = 0;
    *c = (struct cells){.low = {INFINITY, INFINITY, INFINITY}};
    for (size_t v = 0; v < w->mesh.vertex_count; v++)
        for (size_t k = 0; k < 3; k++) {
            float x = w->mesh.xyz[3 * v + k];
            c->low[k] = x < c->low[k] ? x : c->low[k];
            high[k] = x > high[k] ? x : high[k];
        }
    for (int k = 0; k < 3; k++)
        most = high[k] - c->low[k] > most ? high[k] - c->low[k] : most;
    c->scale = most > 0 ? CELLS / most : 0;
    c->marked = calloc((size_t)CELLS * CELLS, CELLS);
    c->of_vertex = malloc((w->mesh.vertex_count + 1) * sizeof *c->of_vertex);
    if (!c->marked || !c->of_vertex) {
        free(c->marked);
        free(c->of_vertex);
        return -1;
    }
#pragma omp parallel for schedule(static) if (w->mesh.vertex_count > 20000)
    for (size_t v = 0; v < w->mesh.vertex_count; v++)
        c->of_vertex[v] = cell_of_point(c, w->mesh.xyz + 3 * v);
    return 0;
}

/* near[t]: lies in a cell that a dirty triangle reaches. */
static int find_near(uint8_t *near, const struct work *w)
{
    struct cells c;
    if (cells_open(&c, w))
        return -1;
    for (size_t t = 0; t < w->mesh.triangle_count; t++)
        if (w->dirty[t] && c.work <= MARK_LIMIT) {
            struct range r = range_of(&c, &w->mesh, t);
            mark(&c, &r);
        }
#pragma omp parallel for schedule(static) if (w->mesh.triangle_count > 20000)
    for (size_t t = 0; t < w->mesh.triangle_count; t++)
        near[t] = c.work > MARK_LIMIT || w->dirty[t] || is_marked(&c, &w->mesh, t);
    free(c.marked);
    free(c.of_vertex);
    return 0;
}

/* Some of a mesh's triangles; the vertices are the mesh's own. */
struct subset {
    struct mesh mesh;
    uint32_t *number; /* in the whole mesh */
    uint8_t *dirty;
};

static int subset_open(struct subset *s, const struct work *w)
{
    size_t n = w->mesh.triangle_count, kept = 0;
    s->mesh = w->mesh;
    s->mesh.triangles = malloc((n + 1) * 3 * sizeof(uint32_t));
    s->number = malloc((n + 1) * sizeof *s->number);
    s->dirty = malloc(n + 1);
    if (!s->mesh.triangles || !s->number || !s->dirty || find_near(s->dirty, w))
        return -1;
    for (size_t t = 0; t < n; t++) {
        if (!s->dirty[t])
            continue;
        memcpy(s->mesh.triangles + 3 * kept, w->mesh.triangles + 3 * t, 3 * sizeof(uint32_t));
        s->number[kept] = (uint32_t)t;
        s->dirty[kept++] = w->dirty[t];
    }
    s->mesh.triangle_count = kept;
    return 0;
}

static int search(struct bvh_pairs *pairs, const struct mesh *mesh, const uint8_t *dirty,
                  struct err *err)
{
    struct bvh bvh;
    struct bvh_pair_options options = {
        .max_tests = MAX_TESTS, .max_pairs = MAX_PAIRS, .dirty = dirty};
    bvh_pairs_free(pairs);
    if (bvh_build(&bvh, mesh, err))
        return -1;
    int failed = bvh_meeting_pairs(pairs, &bvh, &options, err);
    bvh_free(&bvh);
    return failed;
}

int work_find(struct bvh_pairs *pairs, struct work *w, struct err *err)
{
    size_t n = w->mesh.triangle_count, dirty = 0;
    for (size_t t = 0; t < n; t++)
        dirty += w->dirty[t];
    if (n < 10000 || dirty > n / 4) {
        int state = search(pairs, &w->mesh, dirty < n ? w->dirty : NULL, err);
        w->tests += pairs->tests;
        return state;
    }
    struct subset s = {0};
    int failed = subset_open(&s, w) ? FAIL(err, ERR_LIMIT, "no memory to search %zu triangles", n)
                                    : search(pairs, &s.mesh, s.dirty, err);
    for (size_t i = 0; i < pairs->count && !failed; i++)
        for (int k = 0; k < 2; k++)
            pairs->pair[i][k] = s.number[pairs->pair[i][k]];
    w->tests += pairs->tests;
    free(s.mesh.triangles);
    free(s.number);
    free(s.dirty);
    return failed;
}
