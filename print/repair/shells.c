/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each closed shell is: body, debris, something enclosed, or a body that faces inward. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/steps.h"

#define PROBES 12       /* points of a shell that are tested */
#define MAX_TESTED 4000 /* shells beyond are left as they are */

struct shell_info {
    uint32_t number;
    uint32_t first, count; /* triangles in by_shell */
    double volume;
    double low[3], high[3];
    bool gone, open;
};

struct sorter {
    struct mesh *mesh;
    const struct topology *topology;
    struct bvh bvh;
    struct shell_info *shells; /* by falling volume */
    uint32_t *by_shell;        /* triangles, shell after shell */
    bool *is_gone;             /* by shell number */
};

static int shell_compare(const void *a, const void *b)
{
    const struct shell_info *p = a, *q = b;
    if (fabs(p->volume) != fabs(q->volume))
        return fabs(p->volume) > fabs(q->volume) ? -1 : 1;
    return p->number < q->number ? -1 : 1;
}

static void sum_shells(struct sorter *s)
{
    const struct mesh *mesh = s->mesh;
    struct vec origin = mesh_corner(mesh, 0, 0);
    for (size_t i = 0; i < s->topology->shells; i++) {
        s->shells[i] = (struct shell_info){.number = (uint32_t)i};
        for (int k = 0; k < 3; k++)
            s->shells[i].low[k] = INFINITY, s->shells[i].high[k] = -INFINITY;
    }
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct shell_info *shell = &s->shells[s->topology->shell[t]];
        shell->count++;
        shell->volume +=
            vec_dot(vec_sub(mesh_corner(mesh, t, 0), origin), mesh_normal2(mesh, t)) / 6;
        for (size_t c = 0; c < 3; c++) {
            const float *p = mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + c];
            shell->open |= s->topology->twin[3 * t + c] >= TWIN_MANY;
            for (int k = 0; k < 3; k++) {
                shell->low[k] = p[k] < shell->low[k] ? p[k] : shell->low[k];
                shell->high[k] = p[k] > shell->high[k] ? p[k] : shell->high[k];
            }
        }
    }
    uint32_t at = 0;
    for (size_t i = 0; i < s->topology->shells; i++) {
        s->shells[i].first = at;
        at += s->shells[i].count;
        s->shells[i].count = 0;
    }
    for (uint32_t t = 0; t < mesh->triangle_count; t++) {
        struct shell_info *shell = &s->shells[s->topology->shell[t]];
        s->by_shell[shell->first + shell->count++] = t;
    }
}

static void turn_shell(struct sorter *s, struct shell_info *shell)
{
    for (uint32_t i = 0; i < shell->count; i++) {
        uint32_t *t = s->mesh->triangles + 3 * (size_t)s->by_shell[shell->first + i];
        uint32_t other = t[1];
        t[1] = t[2];
        t[2] = other;
    }
    shell->volume = -shell->volume;
}

/* How many solids of other shells hold the point, counted along one ray. */
static int depth_along(const struct sorter *s, struct vec p, struct vec direction, uint32_t own)
{
    int depth = 0;
    double from = 0;
    uint32_t hit;
    for (int guard = 0; guard < 400; guard++) {
        double at = bvh_ray(&s->bvh, p, direction, from, UINT32_MAX, &hit);
        if (isinf(at))
            break;
        uint32_t shell = s->topology->shell[hit];
        if (shell != own && !s->is_gone[shell])
            depth += vec_dot(mesh_normal2(s->mesh, hit), direction) > 0 ? 1 : -1;
        from = nextafter(at, INFINITY) * (1 + 1e-12);
    }
    return depth;
}

/* The middle one of three directions: a ray along an edge counts wrongly. */
static int depth_at(const struct sorter *s, struct vec p, uint32_t own)
{
    static const struct vec directions[3] = {
        {0.5773, 0.6123, 0.5403}, {-0.7071, 0.1231, 0.6963}, {0.2113, -0.8507, -0.4813}};
    int d[3];
    for (int i = 0; i < 3; i++)
        d[i] = depth_along(s, p, directions[i], own);
    int low = d[0] < d[1] ? d[0] : d[1], high = d[0] < d[1] ? d[1] : d[0];
    return d[2] < low ? low : d[2] > high ? high : d[2];
}

/* Share of the shell's probes that lie inside other solids. */
static double enclosed_share(const struct sorter *s, const struct shell_info *shell)
{
    int inside = 0;
    for (uint32_t i = 0; i < PROBES; i++) {
        uint32_t t = s->by_shell[shell->first + (uint64_t)i * shell->count / PROBES];
        struct vec p = {0};
        for (int c = 0; c < 3; c++)
            p = vec_add(p, vec_scale(mesh_corner(s->mesh, t, c), 1.0 / 3));
        inside += depth_at(s, p, shell->number) > 0;
    }
    return inside / (double)PROBES;
}

static double diagonal(const double low[3], const double high[3])
{
    return sqrt((high[0] - low[0]) * (high[0] - low[0]) + (high[1] - low[1]) * (high[1] - low[1]) +
                (high[2] - low[2]) * (high[2] - low[2]));
}

static void judge_shell(struct sorter *s, struct shell_info *shell, double whole_volume,
                        double whole_size, struct shell_counts *counts)
{
    double size = diagonal(shell->low, shell->high), volume = fabs(shell->volume);
    bool tiny = volume <= 1e-4 * whole_volume && size < 0.01 * whole_size;
    /* Flat: no thickness to print at a ten-thousandth of the size. */
    bool flat = volume <= 1e-6 * size * size * size;
    if (!shell->open && (tiny || flat) && shell != s->shells) {
        counts->debris++;
        counts->debris_share += volume / whole_volume;
        s->is_gone[shell->number] = shell->gone = true;
        return;
    }
    if (shell->open)
        return;
    double share = s->topology->shells > 1 ? enclosed_share(s, shell) : 0;
    if (share == 1) {
        counts->hidden++;
        s->is_gone[shell->number] = shell->gone = true;
    } else if (shell->volume < 0) {
        counts->turned++;
        turn_shell(s, shell);
    }
}

static int sort_shells(struct sorter *s, struct shell_counts *counts, struct err *err)
{
    const size_t shells = s->topology->shells;
    double low[3], high[3], volume = 1e-30;
    sum_shells(s);
    qsort(s->shells, shells, sizeof *s->shells, shell_compare);
    for (size_t i = 0; i < shells; i++)
        volume += fabs(s->shells[i].volume);
    mesh_bounds(s->mesh, low, high);
    for (size_t i = 0; i < shells && i < MAX_TESTED; i++)
        judge_shell(s, &s->shells[i], volume, diagonal(low, high), counts);
    uint8_t *keep = malloc(s->mesh->triangle_count + 1);
    if (!keep)
        return FAIL(err, ERR_LIMIT, "no memory to drop shells");
    for (size_t t = 0; t < s->mesh->triangle_count; t++)
        keep[t] = !s->is_gone[s->topology->shell[t]];
    int failed = counts->debris + counts->hidden ? mesh_keep(s->mesh, keep, err) : 0;
    free(keep);
    return failed;
}

int mesh_sort_shells(struct mesh *mesh, struct shell_counts *counts, struct err *err)
{
    struct topology topology;
    *counts = (struct shell_counts){0};
    if (mesh->triangle_count == 0)
        return 0;
    if (topology_build(&topology, mesh, err))
        return -1;
    struct sorter s = {.mesh = mesh, .topology = &topology};
    s.shells = malloc((topology.shells + 1) * sizeof *s.shells);
    s.by_shell = malloc((mesh->triangle_count + 1) * sizeof *s.by_shell);
    s.is_gone = calloc(topology.shells + 1, sizeof *s.is_gone);
    int failed = -1;
    if (!s.shells || !s.by_shell || !s.is_gone)
        FAIL(err, ERR_LIMIT, "no memory for %zu shells", topology.shells);
    else if (topology.shells == 1 || !bvh_build(&s.bvh, mesh, err))
        failed = sort_shells(&s, counts, err);
    bvh_free(&s.bvh);
    free(s.shells);
    free(s.by_shell);
    free(s.is_gone);
    topology_free(&topology);
    return failed;
}
