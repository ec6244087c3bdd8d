/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thickness by rays, what of it is only an edge, and the size at which all is thick enough. */
#include "print/measure/thin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sample.h"

#define SAMPLES 24000
#define RAYS 5
#define TILT 0.36397023426620234 /* tangent of 20 degrees */
#define OPPOSITE (-0.70710678)   /* cosine: walls up to 45 degrees off parallel */
#define NEAR_LIMITS 1.5          /* a rim this wide, in limits, may be thin */
#define BALL 0.9                 /* share of the limit that must fit where there is enough */
#define FAR_LIMITS 3.0           /* thicker than this needs no second look */
#define MOST_SCALE 16.0
#define TRIES 2 /* thick places that are asked for a way through the material */

/* Where one ray begins to leave the solid, as thickness of the slab that it crosses. */
static double slab(const struct bvh *bvh, struct vec at, uint32_t triangle, struct vec normal,
                   struct vec direction)
{
    uint32_t hit = UINT32_MAX;
    double t = bvh_ray(bvh, at, direction, 1e-9, triangle, &hit);
    if (!isfinite(t))
        return INFINITY;
    struct vec other = vec_unit(mesh_normal2(bvh->mesh, hit));
    if (vec_dot(normal, other) > OPPOSITE)
        return INFINITY;
    return t * fabs(vec_dot(direction, vec_unit(vec_sub(normal, other))));
}

static double median(double values[RAYS])
{
    for (int i = 1; i < RAYS; i++)
        for (int k = i; k > 0 && values[k] < values[k - 1]; k--) {
            double swap = values[k];
            values[k] = values[k - 1];
            values[k - 1] = swap;
        }
    return values[RAYS / 2];
}

/* The median of the straight ray and four that lean; where the straight one goes far, it alone. */
static double thickness(const struct bvh *bvh, struct vec at, uint32_t triangle, double far)
{
    struct vec normal = vec_unit(mesh_normal2(bvh->mesh, triangle));
    struct vec in = vec_scale(normal, -1);
    struct vec aside = fabs(in.x) < 0.6 ? (struct vec){1, 0, 0} : (struct vec){0, 1, 0};
    struct vec u = vec_unit(vec_cross(in, aside)), v = vec_cross(in, u);
    double values[RAYS];
    if (vec_dot(normal, normal) == 0)
        return INFINITY;
    double straight = bvh_ray(bvh, at, in, 1e-9, triangle, NULL);
    if (straight >= far)
        return straight;
    values[0] = slab(bvh, at, triangle, normal, in);
    for (int i = 1; i < RAYS; i++) {
        struct vec lean = vec_scale(i & 1 ? u : v, i < 3 ? TILT : -TILT);
        values[i] = slab(bvh, at, triangle, normal, vec_unit(vec_add(in, lean)));
    }
    return median(values);
}

/* One measured place. */
struct place {
    struct vec at, in; /* in: unit, into the solid */
    double area, thick;
    uint32_t triangle;
};

struct places {
    const struct bvh *bvh;
    struct place *all;
    size_t count;
    double area, spacing;
    double may_be_thin;     /* of the area */
    uint32_t *heads, *next; /* thick places by the cell of a grid, as chains */
    size_t head_mask;
    uint8_t *holds; /* per place at this limit: 0 not asked yet, 1 a ball fits behind it, 2 no */
};

static void places_close(struct places *p)
{
    free(p->all);
    free(p->heads);
    free(p->next);
    free(p->holds);
}

static int places_open(struct places *p, const struct bvh *bvh, size_t budget, double far,
                       struct err *err)
{
    struct surface_sample *samples;
    *p = (struct places){.bvh = bvh};
    if (surface_samples(&samples, &p->count, bvh->mesh, bvh->order, bvh->mesh->triangle_count,
                        budget, err))
        return -1;
    size_t heads = 1024;
    while (heads < p->count)
        heads *= 2;
    p->head_mask = heads - 1;
    p->all = malloc((p->count + 1) * sizeof *p->all);
    p->heads = malloc(heads * sizeof *p->heads);
    p->next = malloc((p->count + 1) * sizeof *p->next);
    p->holds = malloc(p->count + 1);
    if (!p->all || !p->heads || !p->next || !p->holds) {
        free(samples);
        places_close(p);
        return FAIL(err, ERR_LIMIT, "no memory to measure %zu places", p->count);
    }
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < p->count; i++) {
        const struct surface_sample *s = &samples[i];
        p->all[i] = (struct place){
            .at = s->at,
            .in = vec_scale(vec_unit(mesh_normal2(bvh->mesh, s->triangle)), -1),
            .area = s->area,
            .thick = thickness(bvh, s->at, s->triangle, far),
            .triangle = s->triangle,
        };
    }
    for (size_t i = 0; i < p->count; i++)
        p->area += samples[i].area;
    p->spacing = p->count ? sqrt(p->area / (double)p->count) : 0;
    free(samples);
    return 0;
}

static size_t cell_of(const struct places *p, const int64_t c[3])
{
    uint64_t h = (uint64_t)c[0] * 0x9e3779b97f4a7c15u ^ (uint64_t)c[1] * 0xc2b2ae3d27d4eb4fu ^
                 (uint64_t)c[2] * 0x165667b19e3779f9u;
    return (size_t)(h ^ h >> 29) & p->head_mask;
}

static void cell_at(int64_t out[3], struct vec at, double side)
{
    const double flat[3] = {at.x, at.y, at.z};
    for (int k = 0; k < 3; k++)
        out[k] = (int64_t)fmin(fmax(floor(flat[k] / side), -1e15), 1e15);
}

/* Chains up the places that have the limit behind them; in falling order, so that chains rise. */
static void chain_thick(struct places *p, double limit, double reach)
{
    memset(p->heads, 0xff, (p->head_mask + 1) * sizeof *p->heads);
    memset(p->holds, 0, p->count);
    for (size_t i = p->count; i-- > 0;) {
        int64_t c[3];
        if (!(p->all[i].thick >= limit))
            continue;
        cell_at(c, p->all[i].at, reach);
        size_t cell = cell_of(p, c);
        p->next[i] = p->heads[cell];
        p->heads[cell] = (uint32_t)i;
    }
}

static struct vec behind(const struct place *place, double depth)
{
    return vec_add(place->at, vec_scale(place->in, depth));
}

/* Whether a ball as thick as the limit fits behind a place: the narrow side of a sheet has much
 * behind it, but no room. */
static bool holds_ball(const struct places *p, uint32_t i, double limit)
{
    uint8_t known;
#pragma omp atomic read
    known = p->holds[i];
    if (!known) {
        struct vec centre = behind(&p->all[i], limit / 2);
        double room = bvh_nearest(p->bvh, centre, limit / 2, NULL, NULL);
        known = room >= BALL * limit / 2 ? 1 : 2;
#pragma omp atomic write
        p->holds[i] = known;
    }
    return known == 1;
}

/* Straight from the middle of the thin wall to that ball without leaving the material. */
static bool joined(const struct places *p, const struct place *thin, const struct place *thick,
                   double limit)
{
    struct vec from = behind(thin, thin->thick / 2);
    struct vec way = vec_sub(behind(thick, limit / 2), from);
    return bvh_ray(p->bvh, from, way, 0, UINT32_MAX, NULL) >= 1;
}

static double reach_of(const struct places *p, double limit)
{
    return NEAR_LIMITS * limit + fmin(p->spacing, limit);
}

/* Whether a place that is too thin is only the rim of one that is not. */
static bool is_rim(const struct places *p, const struct place *thin, double limit)
{
    double reach = reach_of(p, limit);
    int64_t middle[3];
    int tries = 0;
    cell_at(middle, thin->at, reach);
    for (int k = 0; k < 27; k++) {
        int64_t c[3] = {middle[0] + k % 3 - 1, middle[1] + k / 3 % 3 - 1, middle[2] + k / 9 - 1};
        for (uint32_t i = p->heads[cell_of(p, c)]; i != UINT32_MAX; i = p->next[i]) {
            struct vec d = vec_sub(p->all[i].at, thin->at);
            if (vec_dot(d, d) > reach * reach || !holds_ball(p, i, limit))
                continue;
            if (joined(p, thin, &p->all[i], limit))
                return true;
            if (++tries == TRIES)
                return false;
        }
    }
    return false;
}

/* Marks (flags may be NULL) and adds up the area that is thin at this limit. */
static double thin_area(struct places *p, double limit, uint8_t *flags)
{
    double sum = 0;
    uint8_t *own = flags ? flags : malloc(p->count + 1);
    if (!own)
        return p->area; /* the safe side */
    chain_thick(p, limit, reach_of(p, limit));
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < p->count; i++)
        own[i] = p->all[i].thick < limit && !is_rim(p, &p->all[i], limit);
    for (size_t i = 0; i < p->count; i++)
        sum += own[i] ? p->all[i].area : 0;
    if (!flags)
        free(own);
    return sum;
}

/* A mesh s times as large is the same mesh with a limit s times as small. */
static double find_scale(struct places *p, double limit, bool passes)
{
    double most = p->may_be_thin;
    double low = passes ? 1 / FAR_LIMITS : 1, high = passes ? 1 : MOST_SCALE;
    if (passes && thin_area(p, limit / low, NULL) <= most)
        return low;
    if (!passes && thin_area(p, limit / high, NULL) > most)
        return high;
    for (int i = 0; i < 9; i++) {
        double middle = sqrt(low * high);
        if (thin_area(p, limit / middle, NULL) <= most)
            high = middle;
        else
            low = middle;
    }
    return high;
}

struct ranked {
    double thick;
    size_t index;
};

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->thick != q->thick)
        return p->thick < q->thick ? -1 : 1;
    return p->index < q->index ? -1 : p->index > q->index;
}

/* The thickness that the share which may be thin does not reach; rims count as the limit. */
static int find_thinnest(struct thin_walls *out, const struct places *p, const uint8_t *flags,
                         double limit, struct err *err)
{
    struct ranked *ranked = malloc((p->count + 1) * sizeof *ranked);
    if (!ranked)
        return FAIL(err, ERR_LIMIT, "no memory to rank %zu places", p->count);
    for (size_t i = 0; i < p->count; i++) {
        double thick = p->all[i].thick;
        ranked[i] = (struct ranked){thick < limit && !flags[i] ? limit : thick, i};
    }
    qsort(ranked, p->count, sizeof *ranked, ranked_compare);
    double sum = 0;
    size_t at = 0;
    while (at + 1 < p->count && (sum += p->all[ranked[at].index].area) < p->may_be_thin)
        at++;
    const struct place *place = &p->all[ranked[at].index];
    out->thinnest_mm = ranked[at].thick;
    out->thinnest_at[0] = place->at.x;
    out->thinnest_at[1] = place->at.y;
    out->thinnest_at[2] = place->at.z;
    free(ranked);
    return 0;
}

/* Every triangle's middle, against the thick places that the samples found. */
static void fill_map(float *out, struct places *p, double limit)
{
    const struct mesh *mesh = p->bvh->mesh;
    chain_thick(p, limit, reach_of(p, limit));
#pragma omp parallel for schedule(dynamic, 256)
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        uint32_t t = p->bvh->order[i];
        struct vec sum = vec_add(mesh_corner(mesh, t, 0), mesh_corner(mesh, t, 1));
        struct place place = {
            .at = vec_scale(vec_add(sum, mesh_corner(mesh, t, 2)), 1.0 / 3),
            .in = vec_scale(vec_unit(mesh_normal2(mesh, t)), -1),
            .triangle = t,
        };
        place.thick = thickness(p->bvh, place.at, t, FAR_LIMITS * limit);
        if (place.thick < limit && is_rim(p, &place, limit))
            place.thick = limit;
        out[t] = (float)place.thick;
    }
}

static int judge(struct thin_walls *out, struct places *p, const struct thin_options *options,
                 struct err *err)
{
    struct thin_walls w = {.thinnest_mm = INFINITY, .pass_scale = 1 / FAR_LIMITS};
    uint8_t *flags = malloc(p->count + 1);
    if (!flags)
        return FAIL(err, ERR_LIMIT, "no memory to mark %zu places", p->count);
    int failed = 0;
    if (p->count) {
        w.thin_area_mm2 = thin_area(p, options->limit_mm, flags);
        w.thin_share = w.thin_area_mm2 / p->area;
        failed = find_thinnest(&w, p, flags, options->limit_mm, err);
        w.pass_scale = find_scale(p, options->limit_mm, w.thin_area_mm2 <= p->may_be_thin);
    }
    free(flags);
    if (failed)
        return -1;
    if (options->per_triangle)
        fill_map(options->per_triangle, p, options->limit_mm);
    *out = w;
    return 0;
}

int mesh_thin_walls(struct thin_walls *out, const struct bvh *bvh,
                    const struct thin_options *options, struct err *err)
{
    struct places places;
    size_t budget = options->samples ? options->samples : SAMPLES;
    if (places_open(&places, bvh, budget, FAR_LIMITS * options->limit_mm, err))
        return -1;
    double share = options->pass_share > 0 ? options->pass_share : THIN_PASS_SHARE;
    places.may_be_thin = share * places.area;
    int failed = judge(out, &places, options, err);
    places_close(&places);
    return failed;
}
