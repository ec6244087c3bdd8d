/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sampled measures: distance of what the eye saw before to what is there now, and thin walls. */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "print/measure/bvh.h"
#include "print/measure/measure.h"

#define SAMPLES 3000
#define MAX_CROSSING_TESTS ((size_t)60000000)

/* The same numbers each time: a report must not change when it is made again. */
static double next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) / 9007199254740992.0;
}

struct sampler {
    const struct mesh *mesh;
    double *sums; /* sums[t]: area of all triangles up to t */
    uint64_t state;
};

static int sampler_open(struct sampler *s, const struct mesh *mesh, struct err *err)
{
    assert(mesh->triangle_count > 0);
    *s = (struct sampler){.mesh = mesh, .state = 0x9e3779b97f4a7c15u};
    s->sums = malloc((mesh->triangle_count + 1) * sizeof *s->sums);
    if (!s->sums)
        return FAIL(err, ERR_LIMIT, "no memory to sample %zu triangles", mesh->triangle_count);
    double sum = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        s->sums[t] = sum += vec_length(mesh_normal2(mesh, t));
    return 0;
}

/* A point drawn evenly over the surface. */
static struct vec sample(struct sampler *s, uint32_t *triangle)
{
    size_t low = 0, high = s->mesh->triangle_count - 1;
    double at = next_random(&s->state) * s->sums[high];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->sums[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    double u = next_random(&s->state), v = next_random(&s->state);
    if (u + v > 1)
        u = 1 - u, v = 1 - v;
    struct vec a = mesh_corner(s->mesh, low, 0);
    struct vec ab = vec_sub(mesh_corner(s->mesh, low, 1), a);
    struct vec ac = vec_sub(mesh_corner(s->mesh, low, 2), a);
    *triangle = (uint32_t)low;
    return vec_add(a, vec_add(vec_scale(ab, u), vec_scale(ac, v)));
}

/* Some of 24 directions spread over the sphere leads out without meeting the mesh again. */
static bool is_visible(const struct bvh *bvh, struct vec p, uint32_t triangle)
{
    for (int i = 0; i < 24; i++) {
        double z = 1 - (2 * i + 1) / 24.0, r = sqrt(1 - z * z), turn = 2.399963229728653 * i;
        struct vec d = {r * cos(turn), r * sin(turn), z};
        if (isinf(bvh_ray(bvh, p, d, 1e-9, triangle, NULL)))
            return true;
    }
    return false;
}

static int measure_deviation(struct print_measures *out, const struct bvh *bvh,
                             const struct mesh *visible, struct err *err)
{
    struct sampler sampler;
    struct bvh before;
    double low[3], high[3], sum = 0;
    size_t seen = 0;
    if (visible->triangle_count == 0 || bvh->mesh->triangle_count == 0)
        return 0;
    if (bvh_build(&before, visible, err))
        return -1;
    if (sampler_open(&sampler, visible, err)) {
        bvh_free(&before);
        return -1;
    }
    mesh_bounds(visible, low, high);
    double far = high[0] - low[0] + high[1] - low[1] + high[2] - low[2] + 1;
    for (int i = 0; i < SAMPLES; i++) {
        uint32_t triangle;
        struct vec p = sample(&sampler, &triangle);
        double d = bvh_nearest(bvh, p, far, NULL, NULL);
        /* Inner walls may go; rays cost more than distances, so only what moved is tested. */
        if (d > 1e-4 && !is_visible(&before, p, triangle))
            continue;
        out->deviation_max_mm = d > out->deviation_max_mm ? d : out->deviation_max_mm;
        sum += d;
        seen++;
    }
    out->deviation_mean_mm = seen ? sum / (double)seen : 0;
    free(sampler.sums);
    bvh_free(&before);
    return 0;
}

static int measure_thin(struct print_measures *out, const struct bvh *bvh, double min_wall_mm,
                        struct err *err)
{
    struct sampler sampler;
    size_t thin = 0;
    if (sampler_open(&sampler, bvh->mesh, err))
        return -1;
    for (int i = 0; i < SAMPLES; i++) {
        uint32_t triangle;
        struct vec p = sample(&sampler, &triangle);
        struct vec in = vec_scale(vec_unit(mesh_normal2(bvh->mesh, triangle)), -1);
        thin += bvh_ray(bvh, p, in, 1e-6, triangle, NULL) < min_wall_mm;
    }
    out->thin_share = (double)thin / SAMPLES;
    free(sampler.sums);
    return 0;
}

int mesh_measure_print(struct print_measures *out, const struct mesh *mesh,
                       const struct print_measure_options *options, struct err *err)
{
    struct print_measures m = {0};
    struct bvh bvh;
    if (mesh->triangle_count == 0) {
        *out = m;
        return 0;
    }
    if (mesh_measure_stand(&m, mesh, options->overhang_deg, err) || bvh_build(&bvh, mesh, err))
        return -1;
    int failed = bvh_self_intersections(&bvh, &m.self_intersections, MAX_CROSSING_TESTS, err);
    if (!failed && options->visible)
        failed = measure_deviation(&m, &bvh, options->visible, err);
    if (!failed && options->min_wall_mm > 0)
        failed = measure_thin(&m, &bvh, options->min_wall_mm, err);
    bvh_free(&bvh);
    if (failed)
        return -1;
    *out = m;
    return 0;
}
