/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each closed shell of an outline is: a body, a speck, a cavity or something in a cavity. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/steps.h"

struct shell_info {
    uint32_t number;
    uint32_t first; /* a triangle of it */
    double volume, area;
    double low[3], high[3];
    bool gone;
};

struct sorter {
    struct mesh *mesh;
    const struct topology *topology;
    struct shell_info *shells;
    struct bvh bodies; /* of the shells that face outward */
    struct mesh faces; /* their triangles */
    double line_mm;
};

static void sum_shells(struct sorter *s)
{
    const struct mesh *mesh = s->mesh;
    struct vec origin = mesh_corner(mesh, 0, 0);
    for (size_t i = 0; i < s->topology->shells; i++) {
        s->shells[i] = (struct shell_info){.number = (uint32_t)i, .first = UINT32_MAX};
        for (int k = 0; k < 3; k++)
            s->shells[i].low[k] = INFINITY, s->shells[i].high[k] = -INFINITY;
    }
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct shell_info *shell = &s->shells[s->topology->shell[t]];
        struct vec n = mesh_normal2(mesh, t);
        shell->volume += vec_dot(vec_sub(mesh_corner(mesh, t, 0), origin), n) / 6;
        shell->area += vec_length(n) / 2;
        if (shell->first == UINT32_MAX)
            shell->first = (uint32_t)t;
        for (size_t c = 0; c < 3; c++) {
            const float *p = mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + c];
            for (int k = 0; k < 3; k++) {
                shell->low[k] = p[k] < shell->low[k] ? p[k] : shell->low[k];
                shell->high[k] = p[k] > shell->high[k] ? p[k] : shell->high[k];
            }
        }
    }
}

/* A speck no printer can draw; a sheet has thickness when it is a thousandth of its size thick. */
static bool is_speck(const struct sorter *s, const struct shell_info *shell)
{
    double most = 0;
    for (int k = 0; k < 3; k++)
        most = fmax(most, shell->high[k] - shell->low[k]);
    return most < s->line_mm || 2 * shell->volume < 1e-5 * most * shell->area;
}

static void find_specks(struct sorter *s, struct shell_counts *counts)
{
    size_t largest = 0;
    double whole = 1e-30;
    for (size_t i = 0; i < s->topology->shells; i++) {
        whole += fmax(0, s->shells[i].volume);
        if (s->shells[i].volume > s->shells[largest].volume)
            largest = i;
    }
    for (size_t i = 0; i < s->topology->shells; i++) {
        struct shell_info *shell = &s->shells[i];
        if (shell->volume < 0) {
            shell->gone = true;
            counts->hidden++;
            counts->hidden_mm3 -= shell->volume;
        } else if (i != largest && is_speck(s, shell)) {
            shell->gone = true;
            counts->debris++;
            counts->debris_mm3 += shell->volume;
            counts->debris_share += shell->volume / whole;
        }
    }
}

static int build_bodies(struct sorter *s, struct err *err)
{
    s->faces = *s->mesh;
    s->faces.triangles = malloc((3 * s->mesh->triangle_count + 1) * sizeof *s->faces.triangles);
    s->faces.triangle_count = 0;
    if (!s->faces.triangles)
        return FAIL(err, ERR_LIMIT, "no memory for %zu shells", s->topology->shells);
    for (size_t t = 0; t < s->mesh->triangle_count; t++)
        if (!s->shells[s->topology->shell[t]].gone)
            memcpy(s->faces.triangles + 3 * s->faces.triangle_count++, s->mesh->triangles + 3 * t,
                   3 * sizeof(uint32_t));
    return bvh_build(&s->bodies, &s->faces, err) || bvh_add_dipoles(&s->bodies, err) ? -1 : 0;
}

/* Shells of an outline do not meet, so one point of a shell speaks for all of it: on its own
 * surface half of it surrounds the point, anything more is another body's inside. */
static void find_enclosed(struct sorter *s, struct shell_counts *counts)
{
    const size_t shells = s->topology->shells;
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t i = 0; i < shells; i++) {
        struct shell_info *shell = &s->shells[i];
        if (shell->gone)
            continue;
        struct vec n = mesh_normal2(s->mesh, shell->first), p = {0};
        for (int c = 0; c < 3; c++)
            p = vec_add(p, vec_scale(mesh_corner(s->mesh, shell->first, c), 1.0 / 3));
        p = vec_add(p, vec_scale(vec_unit(n), 1e-3 * sqrt(vec_length(n))));
        shell->gone = bvh_winding(&s->bodies, p) > 0.5;
        if (shell->gone) {
#pragma omp atomic
            counts->hidden++;
        }
    }
}

static int sort_shells(struct sorter *s, struct shell_counts *counts, struct err *err)
{
    sum_shells(s);
    find_specks(s, counts);
    if (counts->hidden) {
        if (build_bodies(s, err))
            return -1;
        find_enclosed(s, counts);
    }
    if (counts->hidden + counts->debris == 0)
        return 0;
    uint8_t *keep = malloc(s->mesh->triangle_count + 1);
    if (!keep)
        return FAIL(err, ERR_LIMIT, "no memory to drop shells");
    for (size_t t = 0; t < s->mesh->triangle_count; t++)
        keep[t] = !s->shells[s->topology->shell[t]].gone;
    int failed = mesh_keep(s->mesh, keep, err);
    free(keep);
    return failed;
}

int mesh_sort_shells(struct mesh *mesh, double line_mm, struct shell_counts *counts,
                     struct err *err)
{
    struct topology topology;
    *counts = (struct shell_counts){0};
    if (mesh->triangle_count == 0)
        return 0;
    if (topology_build(&topology, mesh, err))
        return -1;
    struct sorter s = {.mesh = mesh, .topology = &topology, .line_mm = line_mm};
    s.shells = malloc((topology.shells + 1) * sizeof *s.shells);
    int failed = -1;
    if (!s.shells)
        FAIL(err, ERR_LIMIT, "no memory for %zu shells", topology.shells);
    else
        failed = topology.shells > 1 ? sort_shells(&s, counts, err) : 0;
    bvh_free(&s.bodies);
    free(s.faces.triangles);
    free(s.shells);
    topology_free(&topology);
    return failed;
}
