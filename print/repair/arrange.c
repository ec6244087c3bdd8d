/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rounds of the arrangement: find what meets, put it on the grid, cut it, look again at what
 * has changed, since rounding the new corners may have made new meetings. */
#include "print/repair/arrange.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/repair/arrange_parts.h"
#include "print/repair/weld.h"

#define MAX_ROUNDS 12
#define MAX_SNAPS 6
#define MAX_SQUASHES 16
#define MAX_NUDGES 3
#define HOPELESS 1000 /* pairs left: no nudge of a few steps settles so many */

static bool has_area(const struct mesh *mesh, size_t t)
{
    const uint32_t *v = mesh->triangles + 3 * t;
    const float *a = mesh->xyz + 3 * (size_t)v[0], *b = mesh->xyz + 3 * (size_t)v[1];
    const float *c = mesh->xyz + 3 * (size_t)v[2];
    return v[0] != v[1] && v[1] != v[2] && v[2] != v[0] && !exact_collinear(a, b, c);
}

int work_tidy(struct work *w, struct err *err)
{
    size_t kept = 0;
    if (mesh_weld_exact(&w->mesh, NULL, err))
        return -1;
    for (size_t t = 0; t < w->mesh.triangle_count; t++) {
        if (w->dirty[t] && !has_area(&w->mesh, t))
            continue;
        memmove(w->mesh.triangles + 3 * kept, w->mesh.triangles + 3 * t, 3 * sizeof(uint32_t));
        w->from[kept] = w->from[t];
        w->dirty[kept++] = w->dirty[t];
    }
    w->mesh.triangle_count = kept;
    return 0;
}

static void work_free(struct work *w)
{
    mesh_free(&w->mesh);
    free(w->from);
    free(w->dirty);
    free(w->cut);
    free(w->stuck);
    *w = (struct work){0};
}

/* Floats below the largest coordinate lie on 2^-24 of the power of two above it or between. Two
 * bits fewer leave room for being moved: where a part lies on the bed its coordinates are larger. A
 * small part is moved by more than its size: up to 512 mm floats are that fine, and nothing is
 * printed finer. */
#define GRID_BITS 22
#define LEAST_EXPONENT (-15)

double mesh_grid_step(const struct mesh *mesh)
{
    double largest = 0;
    int exponent;
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++) {
        double x = fabs((double)mesh->xyz[i]);
        if (!(x <= 3.5e38))
            return 0;
        largest = x > largest ? x : largest;
    }
    frexp(largest, &exponent);
    exponent -= GRID_BITS;
    return ldexp(1, exponent < LEAST_EXPONENT ? LEAST_EXPONENT : exponent);
}

void mesh_snap(struct mesh *mesh, double step)
{
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++)
        mesh->xyz[i] = (float)(floor(mesh->xyz[i] / step + 0.5) * step);
}

static int choose_grid(struct work *w, struct err *err)
{
    w->step = mesh_grid_step(&w->mesh);
    return w->step > 0
               ? 0
               : FAIL_CODE(err, ERR_INPUT, "mesh_not_finite", "a coordinate is not a number");
}

static int work_open(struct work *w, const struct mesh *mesh, struct err *err)
{
    size_t n = mesh->triangle_count;
    if (mesh_copy(&w->mesh, mesh, err))
        return -1;
    w->from = malloc((n + 1) * sizeof *w->from);
    w->dirty = malloc(n + 1);
    w->cut = calloc(n + 1, 1);
    w->stuck = calloc(n + 1, 1);
    if (!w->from || !w->dirty || !w->cut || !w->stuck)
        return FAIL(err, ERR_LIMIT, "no memory to arrange %zu triangles", n);
    for (size_t t = 0; t < n; t++)
        w->from[t] = (uint32_t)t;
    memset(w->dirty, 1, n + 1);
    return choose_grid(w, err) || work_tidy(w, err) ? -1 : 0;
}

static bool snap_vertex(struct work *w, uint32_t v)
{
    float *p = w->mesh.xyz + 3 * (size_t)v;
    int32_t at[3];
    bool moved = false;
    work_corner(at, w, v);
    for (int k = 0; k < 3; k++) {
        float x = (float)(at[k] * w->step);
        moved |= x != p[k];
        p[k] = x;
    }
    return moved;
}

/*
 * Puts the corners of what meets (or of everything) onto the grid. Where that moved any, triangles
 * around them and those of the pairs are dirty, equal corners are welded, and 1 is returned.
 */
static int snap(struct work *w, const struct bvh_pairs *pairs, bool everything, struct err *err)
{
    uint8_t *moved = calloc(w->mesh.vertex_count + 1, 1);
    bool any = false;
    if (!moved)
        return FAIL(err, ERR_LIMIT, "no memory for %zu vertices", w->mesh.vertex_count);
    for (size_t i = 0; i < 2 * pairs->count; i++)
        for (size_t k = 0; k < 3; k++) {
            size_t t = pairs->pair[i / 2][i % 2];
            moved[w->mesh.triangles[3 * t + k]] = 1;
        }
    for (size_t v = 0; v < w->mesh.vertex_count; v++) {
        moved[v] = (moved[v] || everything) && snap_vertex(w, (uint32_t)v);
        any |= moved[v];
    }
    memset(w->dirty, 0, w->mesh.triangle_count);
    for (size_t i = 0; i < 2 * pairs->count; i++)
        w->dirty[pairs->pair[i / 2][i % 2]] = 1;
    for (size_t t = 0; any && t < w->mesh.triangle_count; t++) {
        const uint32_t *v = w->mesh.triangles + 3 * t;
        w->dirty[t] |= moved[v[0]] | moved[v[1]] | moved[v[2]];
    }
    free(moved);
    return any && work_tidy(w, err) ? -1 : any;
}

/* Rounding makes more than it settles: no use going on. */
static bool diverges(const struct work *w, size_t pairs, size_t first)
{
    return pairs > 4 * first + 100 || w->tests > ARRANGE_MOST_TESTS;
}

/* Pairs of triangles that meet, with all their corners on the grid and no slivers among them. */
static int find_on_grid(struct bvh_pairs *pairs, struct work *w, struct err *err)
{
    size_t first = 0;
    for (int i = 0;; i++) {
        if (work_find(pairs, w, err))
            return -1;
        first = i ? first : pairs->count;
        if (pairs->gave_up || diverges(w, pairs->count, first))
            return 1;
        int moved = snap(w, pairs, i > MAX_SNAPS, err);
        if (moved == 0 && i < MAX_SQUASHES)
            moved = work_squash(w, pairs, err);
        if (moved <= 0)
            return moved;
    }
}

static bool grows(size_t pairs, size_t before, const struct arrange_counts *counts)
{
    return (counts->rounds >= 1 && pairs > 4 * counts->pairs + 100) ||
           (counts->rounds >= 2 && pairs > 2 * before + 20);
}

/* 1 where there was too much to cut. */
static int run_rounds(struct work *w, struct arrange_counts *counts, struct err *err)
{
    struct bvh_pairs pairs = {0};
    int state = 0;
    for (;;) {
        size_t before = pairs.count;
        state = find_on_grid(&pairs, w, err);
        counts->left = pairs.count;
        if (counts->rounds == 0)
            counts->pairs = pairs.count;
        if (state || pairs.count == 0 || counts->rounds == MAX_ROUNDS ||
            grows(pairs.count, before, counts))
            break;
        state = work_cut(w, &pairs, err);
        if (state)
            break;
        counts->rounds++;
    }
    for (size_t i = 0; i < 2 * pairs.count; i++)
        w->stuck[w->from[pairs.pair[i / 2][i % 2]]] = 1;
    bvh_pairs_free(&pairs);
    return state;
}

/* One attempt from the beginning; *best is replaced where it ends better. */
static int attempt(struct work *best, struct arrange_counts *best_counts, const struct mesh *mesh,
                   int number, struct err *err)
{
    struct work w = {0};
    struct arrange_counts counts = {0};
    int state = work_open(&w, mesh, err);
    w.tests = best_counts->tests;
    if (!state && number > 0)
        state = work_nudge(&w, best, number, err);
    if (!state)
        state = run_rounds(&w, &counts, err);
    counts.tests = best_counts->tests = w.tests;
    if (state > 0 && counts.rounds == 0 && number == 0)
        state = FAIL_CODE(err, ERR_LIMIT, "mesh_too_tangled", "triangles meet %zu times or more",
                          counts.pairs);
    if (state < 0 || (number > 0 && counts.left >= best_counts->left)) {
        work_free(&w);
        return state < 0 ? -1 : 0;
    }
    if (number > 0)
        counts.pairs = best_counts->pairs;
    work_free(best);
    *best = w;
    *best_counts = counts;
    return 0;
}

int mesh_arrange(struct mesh *mesh, uint32_t **from, struct arrange_counts *counts, struct err *err)
{
    struct work w = {0};
    struct arrange_counts made = {0};
    int failed = attempt(&w, &made, mesh, 0, err);
    for (int i = 1; i <= MAX_NUDGES && !failed && made.left && made.left < HOPELESS &&
                    made.tests < ARRANGE_MOST_TESTS;
         i++)
        failed = attempt(&w, &made, mesh, i, err);
    if (failed || mesh_compact(&w.mesh, err)) {
        work_free(&w);
        return -1;
    }
    for (size_t t = 0; t < mesh->triangle_count; t++)
        made.cut += w.cut[t];
    mesh_free(mesh);
    *mesh = w.mesh;
    w.mesh = (struct mesh){0};
    if (from) {
        *from = w.from;
        w.from = NULL;
    }
    if (counts)
        *counts = made;
    work_free(&w);
    return 0;
}
