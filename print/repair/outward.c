/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which side of a patch is the outside: the one that the eye can see more of, after Takayama et
 * al., A Simple Method for Correcting Facet Orientations in Polygon Meshes Based on Ray Casting
 * (2014).
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"
#include "print/measure/visible.h"
#include "print/repair/outline.h"
#include "print/repair/steps.h"

#define SAMPLES 48 /* triangles of a patch that are looked from */
#define RAYS 10    /* from each of their sides */

struct patches {
    struct mesh *mesh;
    struct bvh bvh;
    uint32_t *of;     /* per triangle */
    uint32_t *order;  /* triangles, patch after patch */
    uint32_t *starts; /* patch p: order[starts[p] .. starts[p + 1]) */
    uint8_t *open;    /* per patch: has a rim */
    uint8_t *verdict; /* per patch: PATCH_... */
    size_t count;
};

enum { PATCH_STAYS, PATCH_TURNS, PATCH_HIDDEN };

static void join_patches(struct patches *p, const uint32_t *twin)
{
    const uint32_t *t = p->mesh->triangles;
    const size_t n = p->mesh->triangle_count;
    for (uint32_t i = 0; i < n; i++)
        p->of[i] = i;
    for (uint32_t h = 0; h < 3 * n; h++)
        if (twin[h] < TWIN_MANY && t[h] != t[twin[h]])
            sets_join(p->of, h / 3, twin[h] / 3);
    for (uint32_t i = 0; i < n; i++)
        p->of[i] = sets_find(p->of, i);
    for (uint32_t i = 0; i < n; i++)
        p->of[i] = p->of[i] == i ? (uint32_t)p->count++ : p->of[p->of[i]];
}

static int sort_patches(struct patches *p, const uint32_t *twin, struct err *err)
{
    const size_t n = p->mesh->triangle_count;
    const uint32_t *t = p->mesh->triangles;
    join_patches(p, twin);
    p->starts = calloc(p->count + 2, sizeof *p->starts);
    p->open = calloc(p->count + 1, 1);
    p->verdict = calloc(p->count + 1, 1);
    if (!p->starts || !p->open || !p->verdict)
        return FAIL(err, ERR_LIMIT, "no memory for %zu patches", p->count);
    for (size_t i = 0; i < n; i++)
        p->starts[p->of[i] + 2]++;
    for (size_t i = 0; i < p->count; i++)
        p->starts[i + 2] += p->starts[i + 1];
    for (uint32_t i = 0; i < n; i++)
        p->order[p->starts[p->of[i] + 1]++] = i;
    for (uint32_t h = 0; h < 3 * n; h++)
        if (twin[h] >= TWIN_MANY || t[h] == t[twin[h]])
            p->open[p->of[h / 3]] = 1;
    return 0;
}

static double patch_volume(const struct patches *p, size_t patch)
{
    struct vec origin = mesh_corner(p->mesh, p->order[p->starts[patch]], 0);
    double sum = 0;
    for (uint32_t i = p->starts[patch]; i < p->starts[patch + 1]; i++)
        sum += vec_dot(vec_sub(mesh_corner(p->mesh, p->order[i], 0), origin),
                       mesh_normal2(p->mesh, p->order[i]));
    return sum;
}

static uint8_t judge_patch(const struct patches *p, size_t patch)
{
    uint32_t first = p->starts[patch], n = p->starts[patch + 1] - first;
    uint32_t samples = n < SAMPLES ? n : SAMPLES;
    double front = 0, back = 0;
    for (uint32_t i = 0; i < samples; i++) {
        uint32_t t = p->order[first + (uint64_t)i * n / samples];
        struct vec normal = mesh_normal2(p->mesh, t), middle = {0};
        double area = vec_length(normal);
        for (int k = 0; k < 3; k++)
            middle = vec_add(middle, vec_scale(mesh_corner(p->mesh, t, k), 1.0 / 3));
        front += area * bvh_escapes(&p->bvh, middle, normal, t, RAYS, 0);
        back += area * bvh_escapes(&p->bvh, middle, vec_scale(normal, -1), t, RAYS, 0);
    }
    if (front == 0 && back == 0) {
        if (p->open[patch])
            return PATCH_HIDDEN;
        return patch_volume(p, patch) < 0 ? PATCH_TURNS : PATCH_STAYS;
    }
    return back > 1.05 * front ? PATCH_TURNS : PATCH_STAYS;
}

static void apply(struct patches *p, uint8_t *kind, size_t *turned)
{
    for (size_t t = 0; t < p->mesh->triangle_count; t++) {
        uint8_t verdict = p->verdict[p->of[t]];
        uint32_t *v = p->mesh->triangles + 3 * t, other = v[1];
        kind[t] = verdict == PATCH_HIDDEN ? SOLID_HIDDEN : SOLID_FACE;
        if (verdict != PATCH_TURNS)
            continue;
        v[1] = v[2];
        v[2] = other;
        ++*turned;
    }
}

int mesh_face_outward(struct mesh *mesh, uint8_t *kind, size_t *turned, struct err *err)
{
    struct patches p = {.mesh = mesh};
    struct topology topology = {0};
    p.of = malloc((mesh->triangle_count + 1) * sizeof *p.of);
    p.order = malloc((mesh->triangle_count + 1) * sizeof *p.order);
    *turned = 0;
    int failed = p.of && p.order
                     ? topology_build(&topology, mesh, err) || bvh_build(&p.bvh, mesh, err)
                     : FAIL(err, ERR_LIMIT, "no memory for patches");
    if (!failed)
        failed = sort_patches(&p, topology.twin, err);
    if (!failed) {
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t i = 0; i < p.count; i++)
            p.verdict[i] = judge_patch(&p, i);
        apply(&p, kind, turned);
    }
    topology_free(&topology);
    bvh_free(&p.bvh);
    free(p.of);
    free(p.order);
    free(p.starts);
    free(p.open);
    free(p.verdict);
    return failed ? -1 : 0;
}
