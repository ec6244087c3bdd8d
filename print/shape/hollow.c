/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inner surface comes from depths on a grid, is pushed inwards where the grid was too coarse,
 * simplified, and taken away together with the drains. */
#include "print/shape/hollow.h"

#include <stdlib.h>

#include "print/measure/measure.h"
#include "print/repair/solid.h"
#include "print/repair/steps.h"
#include "print/shape/bodies.h"
#include "print/shape/field.h"
#include "print/shape/shape.h"

#define GRID_PER_WALL 2.5
#define GRID_MOST 220.0 /* points along the longest side */
#define SIMPLIFY 0.03   /* of the wall */
#define DEEPER 0.03     /* of the wall, so that simplifying leaves enough */
#define DRAINS_MOST 16

struct hollow {
    const struct hollow_options *options;
    struct mesh inner;
    struct bvh bvh; /* of the outer surface */
    struct field field;
    uint32_t *cavity; /* per inner triangle */
    uint8_t *drained; /* per cavity */
    double *volume;   /* per cavity */
    size_t cavities;
    struct vec drains[DRAINS_MOST]; /* x, y, and the height they reach */
    unsigned drain_count;
};

/* Away from the nearest point of the outer surface until the wall is there. */
static void push_in(struct hollow *h)
{
    double wall = h->options->wall_mm * (1 + DEEPER), step = h->field.step;
    for (int round = 0; round < 3; round++) {
#pragma omp parallel for schedule(dynamic, 256)
        for (uint32_t v = 0; v < h->inner.vertex_count; v++) {
            struct vec at, p = mesh_point(&h->inner, v);
            uint32_t triangle;
            double d = bvh_nearest(&h->bvh, p, wall, &at, &triangle);
            if (d >= wall || !(d > 0))
                continue;
            double go = wall - d < 0.3 * step ? wall - d : 0.3 * step;
            mesh_point_set(&h->inner, v, vec_add(p, vec_scale(vec_sub(p, at), go / d)));
        }
    }
}

static int list_cavities(struct hollow *h, struct err *err)
{
    struct topology topology;
    if (topology_build(&topology, &h->inner, err))
        return -1;
    h->cavity = topology.shell;
    h->cavities = topology.shells;
    topology.shell = NULL;
    topology_free(&topology);
    h->drained = calloc(h->cavities + 1, 1);
    h->volume = calloc(h->cavities + 1, sizeof *h->volume);
    if (!h->drained || !h->volume)
        return FAIL(err, ERR_LIMIT, "no memory for %zu cavities", h->cavities);
    for (size_t t = 0; t < h->inner.triangle_count; t++) {
        struct vec a = mesh_corner(&h->inner, t, 0), b = mesh_corner(&h->inner, t, 1);
        h->volume[h->cavity[t]] += vec_dot(a, vec_cross(b, mesh_corner(&h->inner, t, 2))) / 6;
    }
    return 0;
}

/* The cavity whose surface a ray straight up from a point inside it meets first. */
static size_t cavity_at(const struct hollow *h, const struct bvh *inner, struct vec p)
{
    uint32_t triangle;
    double d = bvh_ray(inner, p, (struct vec){1e-4, 2e-4, 1}, 0, UINT32_MAX, &triangle);
    return d < INFINITY ? h->cavity[triangle] : h->cavities;
}

struct column {
    struct vec end; /* in the middle of the cavity's lowest room for the drain */
    double cost;    /* high places to come out and long ways are bad */
};

/* False: there is no room for a drain in this column. */
static bool column_at(struct column *out, const struct hollow *h, int x, int y)
{
    const struct field *f = &h->field;
    double need = h->options->wall_mm + h->options->drain_mm / 2;
    int enter = -1;
    for (int z = 0; z < f->n[2]; z++) {
        double depth = f->depth[field_index(f, x, y, z)];
        if (depth > 0 && enter < 0)
            enter = z;
        if (depth < need)
            continue;
        out->end = field_point(f, x, y, z);
        out->cost = (3.0 * enter + (z - enter)) * f->step;
        return true;
    }
    return false;
}

static double nearest_drain(const struct hollow *h, struct vec p)
{
    double least = INFINITY;
    for (unsigned i = 0; i < h->drain_count; i++) {
        double d = hypot(h->drains[i].x - p.x, h->drains[i].y - p.y);
        least = d < least ? d : least;
    }
    return least;
}

/* The best place for one more drain: into a cavity that has none while there is such a one. */
static bool place_drain(struct hollow *h, const struct bvh *inner, bool fresh)
{
    const struct field *f = &h->field;
    struct column best = {.cost = INFINITY};
    size_t best_cavity = h->cavities;
    double apart = 1.5 * h->options->drain_mm;
    for (int y = 0; y < f->n[1]; y++)
        for (int x = 0; x < f->n[0]; x++) {
            struct column c;
            if (!column_at(&c, h, x, y))
                continue;
            double far = nearest_drain(h, c.end);
            if (far < apart)
                continue;
            c.cost -= far < INFINITY ? far : 0;
            if (!(c.cost < best.cost))
                continue;
            size_t cavity = cavity_at(h, inner, c.end);
            if (cavity == h->cavities || !(h->volume[cavity] >= h->options->least_volume_mm3) ||
                h->drained[cavity] == fresh)
                continue;
            best = c;
            best_cavity = cavity;
        }
    if (best_cavity == h->cavities)
        return false;
    h->drained[best_cavity] = 1;
    h->drains[h->drain_count++] = best.end;
    return true;
}

static int place_drains(struct hollow *h, struct err *err)
{
    struct bvh inner = {0};
    unsigned most = h->options->drain_count < DRAINS_MOST ? h->options->drain_count : DRAINS_MOST;
    if (bvh_build(&inner, &h->inner, err))
        return -1;
    while (h->drain_count < most &&
           (place_drain(h, &inner, true) || (h->drain_count && place_drain(h, &inner, false))))
        continue;
    bvh_free(&inner);
    return 0;
}

/* Drops cavities that stay solid; what faces the wrong way is none. */
static int keep_cavities(struct hollow *h, struct hollow_result *result, struct err *err)
{
    uint8_t *keep = malloc(h->inner.triangle_count + 1);
    if (!keep)
        return FAIL(err, ERR_LIMIT, "no memory for cavities");
    for (size_t c = 0; c < h->cavities; c++) {
        bool stays = h->volume[c] >= h->options->least_volume_mm3 &&
                     (h->options->drain_count == 0 || h->drained[c]);
        h->drained[c] = stays;
        result->cavities += stays;
    }
    for (size_t t = 0; t < h->inner.triangle_count; t++)
        keep[t] = h->drained[h->cavity[t]];
    int failed = mesh_keep(&h->inner, keep, err);
    free(keep);
    return failed;
}

static void measure_wall(struct hollow *h, struct hollow_result *result)
{
    double least = INFINITY;
#pragma omp parallel for schedule(dynamic, 256) reduction(min : least)
    for (size_t t = 0; t < h->inner.triangle_count; t++) {
        struct vec sum = {0};
        for (int k = 0; k < 3; k++) {
            struct vec p = mesh_corner(&h->inner, t, k);
            double d = bvh_nearest(&h->bvh, p, 2 * h->options->wall_mm, NULL, NULL);
            least = d < least ? d : least;
            sum = vec_add(sum, vec_scale(p, 1.0 / 3));
        }
        double d = bvh_nearest(&h->bvh, sum, 2 * h->options->wall_mm, NULL, NULL);
        least = d < least ? d : least;
    }
    result->wall_least_mm = least;
}

/* The inner surface, its cavities and their drains. 1: nothing to hollow. */
static int find_inner(struct hollow *h, struct hollow_result *result, const struct mesh *mesh,
                      struct err *err)
{
    double size = mesh_longest(mesh), wall = h->options->wall_mm;
    double step = wall / GRID_PER_WALL > size / GRID_MOST ? wall / GRID_PER_WALL : size / GRID_MOST;
    double reach = wall + h->options->drain_mm / 2 + 2 * step;
    struct decimate_options simpler = {.max_error_mm = SIMPLIFY * wall};
    if (bvh_build(&h->bvh, mesh, err) || bvh_add_dipoles(&h->bvh, err) ||
        field_make(&h->field, &h->bvh, step, reach, err) ||
        field_surface(&h->inner, &h->field, wall * (1 + DEEPER), err))
        return -1;
    if (h->inner.triangle_count == 0)
        return 1;
    push_in(h);
    if (mesh_decimate(&h->inner, &simpler, err) < 0 || list_cavities(h, err) ||
        (h->options->drain_count && place_drains(h, err)) || keep_cavities(h, result, err))
        return -1;
    result->drains = h->drain_count;
    measure_wall(h, result);
    return result->cavities ? 0 : 1;
}

static int take_inner(struct mesh *made, const struct mesh *mesh, const struct hollow *h,
                      struct err *err)
{
    double low[3], high[3], size = mesh_longest(mesh);
    mesh_bounds(mesh, low, high);
    struct mesh away = {0};
    int failed = mesh_append(made, mesh, false, err) || mesh_append(&away, &h->inner, false, err);
    for (unsigned i = 0; !failed && i < h->drain_count; i++) {
        struct vec from = {h->drains[i].x, h->drains[i].y, low[2] - 1};
        failed =
            body_add_cylinder(&away, from, h->options->drain_mm / 2, h->drains[i].z - from.z, err);
    }
    failed = failed ? -1 : mesh_append(made, &away, true, err);
    mesh_free(&away);
    return failed ? failed : mesh_unite(made, size, NULL, err);
}

int mesh_hollow(struct mesh *mesh, struct hollow_result *result,
                const struct hollow_options *options, struct err *err)
{
    struct hollow h = {.options = options};
    struct mesh made = {0};
    *result = (struct hollow_result){.volume_before_mm3 = mesh_volume(mesh)};
    if (!(options->wall_mm >= 0.3) || (options->drain_count && !(options->drain_mm > 0)))
        return FAIL_CODE(err, ERR_INPUT, "hollow_invalid", "a wall of %g mm cannot be made",
                         options->wall_mm);
    if (mesh->triangle_count == 0)
        return 1;
    int failed = find_inner(&h, result, mesh, err);
    if (!failed)
        failed = take_inner(&made, mesh, &h, err);
    if (!failed) {
        struct mesh other = *mesh;
        *mesh = made;
        made = other;
    }
    result->volume_after_mm3 = mesh_volume(mesh);
    mesh_free(&made);
    mesh_free(&h.inner);
    bvh_free(&h.bvh);
    field_free(&h.field);
    free(h.cavity);
    free(h.drained);
    free(h.volume);
    return failed;
}
