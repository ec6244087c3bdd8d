/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The deviation: what is the same bit for bit costs a glance, the rest is sampled. */
#include "print/measure/compare.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/measure/sample.h"
#include "print/measure/visible.h"

#define SAMPLES 30000
#define LEAST_SHARE 0.1 /* of the samples, however little has moved */
#define AHEAD 48
#define LOST_MOST 2000
#define FAR_AHEAD 131072 /* a foot that is cut off takes runs of thousands */
#define FAR_TURNS 4      /* times all triangles are passed over on such searches, no more */
#define MOVED_MM 1e-4    /* floats at 100 mm are 8e-6 apart */

/* Which triangles of either mesh the other has too. */
struct twins {
    const struct mesh *before, *after;
    uint8_t *in_before, *in_after; /* 1: this triangle of that mesh has a twin */
};

static bool same_corner(const struct mesh *a, uint32_t u, const struct mesh *b, uint32_t v)
{
    const float *p = a->xyz + 3 * (size_t)u, *q = b->xyz + 3 * (size_t)v;
    return p[0] == q[0] && p[1] == q[1] && p[2] == q[2];
}

/* The same three corners, begun anywhere and in either direction. */
static bool same_triangle(const struct mesh *a, size_t t, const struct mesh *b, size_t u)
{
    const uint32_t *p = a->triangles + 3 * t, *q = b->triangles + 3 * u;
    for (int i = 0; i < 3; i++)
        if (same_corner(a, p[0], b, q[i])) {
            uint32_t next = q[(i + 1) % 3], last = q[(i + 2) % 3];
            return (same_corner(a, p[1], b, next) && same_corner(a, p[2], b, last)) ||
                   (same_corner(a, p[1], b, last) && same_corner(a, p[2], b, next));
        }
    return false;
}

static uint64_t hash_corner(const struct mesh *mesh, uint32_t vertex)
{
    float p[3];
    uint32_t bits[3];
    for (int k = 0; k < 3; k++)
        p[k] = mesh->xyz[3 * (size_t)vertex + (size_t)k] + 0.0f; /* -0 is 0 */
    memcpy(bits, p, sizeof bits);
    uint64_t h = (uint64_t)bits[0] << 32 | bits[1];
    h = (h ^ (uint64_t)bits[2] * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 31) * 0x94d049bb133111ebu;
    return h ^ h >> 29;
}

/* A sum, so that it does not matter where the corners begin. */
static uint64_t hash_triangle(const struct mesh *mesh, size_t t)
{
    uint64_t sum = 0;
    for (int c = 0; c < 3; c++)
        sum += hash_corner(mesh, mesh->triangles[3 * t + (size_t)c]);
    return sum ^ sum >> 32;
}

/* What was not touched at all is found at a glance. */
static size_t match_in_place(struct twins *twins)
{
    size_t a = twins->before->triangle_count, b = twins->after->triangle_count, left = 0;
    size_t both = a < b ? a : b;
#pragma omp parallel for schedule(static) reduction(+ : left)
    for (size_t t = 0; t < both; t++) {
        bool same = same_triangle(twins->before, t, twins->after, t);
        twins->in_before[t] = twins->in_after[t] = same;
        left += !same;
    }
    memset(twins->in_before + both, 0, a - both);
    memset(twins->in_after + both, 0, b - both);
    return left + (a - both);
}

/* Where the meshes stand, and how many triangles may yet be passed over in long searches. */
struct fingers {
    size_t i, j, spare;
};

static bool find_near(struct fingers *f, const struct twins *twins)
{
    size_t a = twins->before->triangle_count, b = twins->after->triangle_count;
    for (size_t k = 1; k <= AHEAD; k++) {
        if (f->i + k < a && same_triangle(twins->before, f->i + k, twins->after, f->j)) {
            f->i += k;
            return true;
        }
        if (f->j + k < b && same_triangle(twins->before, f->i, twins->after, f->j + k)) {
            f->j += k;
            return true;
        }
    }
    return false;
}

static bool find_far(struct fingers *f, const struct twins *twins)
{
    size_t a = twins->before->triangle_count, b = twins->after->triangle_count;
    for (size_t k = AHEAD + 1; k < FAR_AHEAD && f->i + k < a && f->spare; k++, f->spare--)
        if (same_triangle(twins->before, f->i + k, twins->after, f->j)) {
            f->i += k;
            return true;
        }
    for (size_t k = AHEAD + 1; k < FAR_AHEAD && f->j + k < b && f->spare; k++, f->spare--)
        if (same_triangle(twins->before, f->i, twins->after, f->j + k)) {
            f->j += k;
            return true;
        }
    return false;
}

/* Cleaning and gentle repair drop and add some and keep the order of the rest: two fingers find
 * them. Gives up where too much is different. */
static void match_in_order(struct twins *twins)
{
    size_t a = twins->before->triangle_count, b = twins->after->triangle_count, lost = 0;
    struct fingers f = {.spare = FAR_TURNS * (a + b)};
    while (f.i < a && f.j < b && lost < LOST_MOST) {
        if (!same_triangle(twins->before, f.i, twins->after, f.j) && !find_near(&f, twins) &&
            !find_far(&f, twins)) {
            lost++;
            f.i++;
            f.j++;
            continue;
        }
        twins->in_before[f.i++] = 1;
        twins->in_after[f.j++] = 1;
    }
}

/* The others by a table of the output's triangles that have no partner yet. */
static int match_by_table(struct twins *twins, struct err *err)
{
    const struct mesh *before = twins->before, *after = twins->after;
    size_t count = 0, room = 64;
    for (size_t t = 0; t < after->triangle_count; t++)
        count += !twins->in_after[t];
    while (room < 2 * count)
        room *= 2;
    uint32_t *table = malloc(room * sizeof *table);
    if (!table)
        return FAIL(err, ERR_LIMIT, "no memory to compare %zu triangles", count);
    memset(table, 0xff, room * sizeof *table);
    /* Where each lands depends on chance, what is found afterwards does not. */
#pragma omp parallel for schedule(dynamic, 4096)
    for (size_t t = 0; t < after->triangle_count; t++) {
        if (twins->in_after[t])
            continue;
        size_t at = hash_triangle(after, t) & (room - 1);
        for (uint32_t empty = UINT32_MAX; !__atomic_compare_exchange_n(
                 &table[at], &empty, (uint32_t)t, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
             empty = UINT32_MAX)
            at = (at + 1) & (room - 1);
    }
#pragma omp parallel for schedule(dynamic, 4096)
    for (size_t t = 0; t < before->triangle_count; t++) {
        if (twins->in_before[t])
            continue;
        size_t at = hash_triangle(before, t) & (room - 1);
        for (; table[at] != UINT32_MAX; at = (at + 1) & (room - 1))
            if (same_triangle(before, t, after, table[at])) {
                twins->in_before[t] = 1;
#pragma omp atomic write
                twins->in_after[table[at]] = 1;
            }
    }
    free(table);
    return 0;
}

static int twins_open(struct twins *twins, const struct mesh *before, const struct mesh *after,
                      struct err *err)
{
    *twins = (struct twins){.before = before, .after = after};
    twins->in_before = malloc(before->triangle_count + 1);
    twins->in_after = malloc(after->triangle_count + 1);
    int failed = !twins->in_before || !twins->in_after
                     ? FAIL(err, ERR_LIMIT, "no memory to compare two meshes")
                     : 0;
    if (!failed && match_in_place(twins) > 0) {
        match_in_order(twins);
        failed = match_by_table(twins, err);
    }
    if (failed) {
        free(twins->in_before);
        free(twins->in_after);
    }
    return failed;
}

/* The unmoved area counts as seen, with distance 0. */
static double area_of(const struct mesh *mesh, const uint8_t *flags, bool flag)
{
    double sum = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        if ((flags[t] != 0) == flag)
            sum += vec_length(mesh_normal2(mesh, t)) / 2;
    return sum;
}

/* Further than anything of one mesh can be from the other. */
static double far_of(const struct mesh *a, const struct mesh *b)
{
    double low[2][3], high[2][3], sum = 1;
    mesh_bounds(a, low[0], high[0]);
    mesh_bounds(b, low[1], high[1]);
    for (int k = 0; k < 3; k++)
        sum += fmax(high[0][k], high[1][k]) - fmin(low[0][k], low[1][k]);
    return sum;
}

static void add_up(struct deviation *out, const struct surface_sample *samples,
                   const double *distances, size_t count, double still)
{
    double area = still, sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (distances[i] < 0) /* hidden */
            continue;
        area += samples[i].area;
        sum += distances[i] * samples[i].area;
        if (distances[i] > out->max_mm) {
            out->max_mm = distances[i];
            memcpy(out->max_at, (double[3]){samples[i].at.x, samples[i].at.y, samples[i].at.z},
                   sizeof out->max_at);
        }
    }
    out->samples = count;
    out->mean_mm = area > 0 ? sum / area : 0;
}

static int measure_moved(struct deviation *out, const struct twins *twins, const struct bvh *old,
                         const struct bvh *new, struct err *err)
{
    struct surface_sample *samples;
    size_t count = 0, moved = 0, n = old->mesh->triangle_count;
    uint32_t *list = malloc((n + 1) * sizeof *list);
    if (!list)
        return FAIL(err, ERR_LIMIT, "no memory to sample %zu triangles", n);
    for (size_t i = 0; i < n; i++)
        if (!twins->in_before[old->order[i]])
            list[moved++] = old->order[i];
    double still = area_of(old->mesh, twins->in_before, true);
    double all = still + area_of(old->mesh, twins->in_before, false);
    out->moved_share = all > 0 ? 1 - still / all : 0;
    size_t budget = (size_t)(SAMPLES * fmax(out->moved_share, LEAST_SHARE));
    int failed = surface_samples(&samples, &count, old->mesh, list, moved, budget, err);
    free(list);
    if (failed)
        return -1;
    double *distances = malloc((count + 1) * sizeof *distances);
    if (!distances) {
        free(samples);
        return FAIL(err, ERR_LIMIT, "no memory for %zu distances", count);
    }
    double far = far_of(old->mesh, new->mesh);
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < count; i++) {
        double d = bvh_nearest(new, samples[i].at, far, NULL, NULL);
        /* Rays cost more than distances, so only what moved is looked at. */
        bool hidden = d > MOVED_MM && !bvh_sees(old, samples[i].at, samples[i].triangle);
        distances[i] = hidden ? -1 : d;
    }
    add_up(out, samples, distances, count, still);
    free(samples);
    free(distances);
    return 0;
}

static void fill_map(float *out, const struct twins *twins, const struct bvh *old)
{
    const struct mesh *mesh = twins->after;
    double far = far_of(old->mesh, mesh);
#pragma omp parallel for schedule(dynamic, 256)
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        out[t] = 0;
        if (twins->in_after[t])
            continue;
        struct vec middle = {0};
        double most = 0;
        for (int c = 0; c < 3; c++) {
            struct vec p = mesh_corner(mesh, t, c);
            most = fmax(most, bvh_nearest(old, p, far, NULL, NULL));
            middle = vec_add(middle, vec_scale(p, 1.0 / 3));
        }
        out[t] = (float)fmax(most, bvh_nearest(old, middle, far, NULL, NULL));
    }
}

static bool all_set(const uint8_t *flags, size_t count)
{
    return count == 0 || !memchr(flags, 0, count);
}

static int measure(struct deviation *out, float *map, const struct twins *twins,
                   const struct bvh *tree, struct err *err)
{
    struct bvh old = {0}, built = {0};
    bool still = all_set(twins->in_before, twins->before->triangle_count);
    if (map)
        memset(map, 0, twins->after->triangle_count * sizeof *map);
    if (still && (!map || all_set(twins->in_after, twins->after->triangle_count)))
        return 0;
    int failed = bvh_build(&old, twins->before, err);
    if (!failed && !tree && !still) {
        failed = bvh_build(&built, twins->after, err);
        tree = &built;
    }
    if (!failed && !still)
        failed = measure_moved(out, twins, &old, tree, err);
    if (!failed && map)
        fill_map(map, twins, &old);
    bvh_free(&built);
    bvh_free(&old);
    return failed;
}

int mesh_deviation(struct deviation *out, float *per_triangle, const struct mesh *before,
                   const struct mesh *after, const struct bvh *tree, struct err *err)
{
    struct deviation d = {0};
    struct twins twins;
    if (before->triangle_count && after->triangle_count) {
        if (twins_open(&twins, before, after, err))
            return -1;
        int failed = measure(&d, per_triangle, &twins, tree, err);
        free(twins.in_before);
        free(twins.in_after);
        if (failed)
            return -1;
    } else if (per_triangle)
        memset(per_triangle, 0, after->triangle_count * sizeof *per_triangle);
    *out = d;
    return 0;
}
