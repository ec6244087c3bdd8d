/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which triangles are walls of a hollow, and the mesh without them; see leaks.h. */
#include "print/repair/leaks.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/measure/sets.h"
#include "print/measure/visible.h"
#include "print/repair/leaks_space.h"
#include "print/repair/solid.h"
#include "print/repair/steps.h"

#define LOOKS 2000       /* triangles that are looked at first */
#define MOST_HIDDEN 0.02 /* of the surface: a sound figure's folds */
#define LEAST_MM3 20.0   /* and a thousandth of the solid */
#define LEAST_AREA 10.0  /* mm2 of a wall in one piece; a hollow worth filling has 35 */
#define MOST_SEEN 0.1    /* of a wall: through more openings than that it is part of the looks */
#define LID_SHARE 0.35

enum side { SIDE_NONE, SIDE_OUTER, SIDE_INNER };

struct leaks {
    struct mesh *mesh;
    struct topology topology;
    struct bvh bvh;
    struct space space;
    uint8_t *side; /* per triangle */
    double volume;
    struct leak_counts *counts;
    struct err *err;
};

static struct vec middle(const struct mesh *mesh, size_t t)
{
    struct vec sum = vec_add(mesh_corner(mesh, t, 0), mesh_corner(mesh, t, 1));
    return vec_scale(vec_add(sum, mesh_corner(mesh, t, 2)), 1.0 / 3);
}

/* By a few triangles of the shells that face outward: cavities are no leaks. */
static int look(struct leaks *l)
{
    const size_t n = l->mesh->triangle_count, step = n / LOOKS + 1;
    double *volume = calloc(l->topology.shells + 1, sizeof *volume), hidden = 0, whole = 0;
    if (!volume)
        return FAIL(l->err, ERR_LIMIT, "no memory for %zu shells", l->topology.shells);
    struct vec origin = mesh_corner(l->mesh, 0, 0);
    for (size_t t = 0; t < n; t++) {
        struct vec at = vec_sub(mesh_corner(l->mesh, t, 0), origin);
        volume[l->topology.shell[t]] += vec_dot(at, mesh_normal2(l->mesh, t));
    }
    for (size_t t = 0; t < n; t += step) {
        if (volume[l->topology.shell[t]] < 0)
            continue;
        struct vec normal = mesh_normal2(l->mesh, t);
        double area = vec_length(normal);
        whole += area;
        if (!bvh_escapes(&l->bvh, middle(l->mesh, t), normal, (uint32_t)t, 24, 1))
            hidden += area;
    }
    l->counts->hidden_share = whole > 0 ? hidden / whole : 0;
    free(volume);
    return 0;
}

/* The first cell off a point of the surface that is known to be anything. */
static enum space_kind beside(const struct leaks *l, struct vec p, struct vec normal)
{
    for (int i = 1; i <= 4; i++) {
        double off = 0.6 * i * l->space.grid.pixel_mm;
        enum space_kind kind = space_at(&l->space, vec_add(p, vec_scale(normal, off)));
        if (kind != SPACE_NONE)
            return kind;
    }
    return SPACE_NONE;
}

static void find_sides(struct leaks *l)
{
    const size_t n = l->mesh->triangle_count;
#pragma omp parallel for schedule(dynamic, 256)
    for (size_t t = 0; t < n; t++) {
        struct vec normal = vec_unit(mesh_normal2(l->mesh, t)), m = middle(l->mesh, t);
        bool open = false, hollow = false;
        for (int c = 0; c < 4; c++) {
            struct vec p = c == 3 ? m : vec_scale(vec_add(m, mesh_corner(l->mesh, t, c)), 0.5);
            enum space_kind kind = beside(l, p, normal);
            open |= kind == SPACE_OPEN;
            hollow |= kind == SPACE_HOLLOW;
        }
        l->side[t] = open ? SIDE_OUTER : hollow ? SIDE_INNER : SIDE_NONE;
    }
}

/* Joins neighbours of the same side. */
static void join_sides(const struct leaks *l, uint32_t *part)
{
    for (uint32_t t = 0; t < l->mesh->triangle_count; t++)
        part[t] = t;
    for (uint32_t h = 0; h < 3 * l->mesh->triangle_count; h++) {
        uint32_t g = l->topology.twin[h];
        if (g < h && l->side[g / 3] == l->side[h / 3])
            sets_join(part, g / 3, h / 3);
    }
}

/* What no cell tells of, in folds and in the leaks, is inner where it has inner neighbours only. */
static int settle_unknown(struct leaks *l, uint32_t *part)
{
    const size_t n = l->mesh->triangle_count;
    uint8_t *beside = calloc(n + 1, 1);
    if (!beside)
        return FAIL(l->err, ERR_LIMIT, "no memory to find the walls of hollows");
    join_sides(l, part);
    for (uint32_t h = 0; h < 3 * n; h++) {
        uint32_t g = l->topology.twin[h];
        if (g < 3 * n && l->side[h / 3] == SIDE_NONE && l->side[g / 3] != SIDE_NONE)
            beside[sets_find(part, h / 3)] |= l->side[g / 3];
    }
    for (uint32_t t = 0; t < n; t++)
        if (l->side[t] == SIDE_NONE && beside[sets_find(part, t)] == SIDE_INNER)
            l->side[t] = SIDE_INNER;
    free(beside);
    return 0;
}

struct wall {
    double area, seen, looked;
};

/* Small scraps, and walls that the eye can see, stay. */
static int keep_what_shows(struct leaks *l, uint32_t *part)
{
    const size_t n = l->mesh->triangle_count;
    struct wall *walls = calloc(n + 1, sizeof *walls);
    size_t inner = 0, number = 0;
    if (!walls)
        return FAIL(l->err, ERR_LIMIT, "no memory to find the walls of hollows");
    join_sides(l, part);
    for (size_t t = 0; t < n; t++)
        inner += l->side[t] == SIDE_INNER;
    const size_t step = inner / LOOKS + 1;
    for (uint32_t t = 0; t < n; t++) {
        if (l->side[t] != SIDE_INNER)
            continue;
        struct wall *wall = &walls[sets_find(part, t)];
        struct vec normal = mesh_normal2(l->mesh, t);
        double area = vec_length(normal) / 2;
        wall->area += area;
        if (number++ % step)
            continue;
        wall->looked += area;
        if (bvh_escapes(&l->bvh, middle(l->mesh, t), normal, t, 24, 1))
            wall->seen += area;
    }
    for (uint32_t t = 0; t < n; t++) {
        const struct wall *wall = &walls[sets_find(part, t)];
        if (l->side[t] == SIDE_INNER &&
            (wall->area < LEAST_AREA || wall->seen > MOST_SEEN * wall->looked))
            l->side[t] = SIDE_OUTER;
        l->counts->dropped += l->side[t] == SIDE_INNER;
    }
    free(walls);
    return 0;
}

static int find_walls(struct leaks *l)
{
    const size_t n = l->mesh->triangle_count;
    uint32_t *part = malloc((n + 1) * sizeof *part);
    l->side = malloc(n + 1);
    int failed =
        part && l->side ? 0 : FAIL(l->err, ERR_LIMIT, "no memory to find the walls of hollows");
    if (!failed) {
        find_sides(l);
        failed = settle_unknown(l, part) || keep_what_shows(l, part);
    }
    free(part);
    return failed ? -1 : 0;
}

/* Without the walls, with lids; 1 when that is no solid with about the hollows' volume more. */
static int fill_hollows(struct leaks *l, struct mesh *trial, double size_mm)
{
    struct hole_counts holes;
    uint8_t *keep = malloc(l->mesh->triangle_count + 1);
    int failed = keep ? mesh_copy(trial, l->mesh, l->err)
                      : FAIL(l->err, ERR_LIMIT, "no memory to fill hollows");
    for (size_t t = 0; !failed && t < l->mesh->triangle_count; t++)
        keep[t] = l->side[t] != SIDE_INNER;
    if (!failed)
        failed = mesh_keep(trial, keep, l->err);
    free(keep);
    if (!failed)
        failed = mesh_fill_holes(trial, LID_SHARE, &holes, l->err);
    if (failed || holes.left || holes.proposed)
        return failed ? -1 : 1;
    failed = mesh_unite(trial, size_mm, NULL, l->err);
    if (failed || trial->triangle_count == 0)
        return failed < 0 ? -1 : 1;
    double gain = mesh_volume(trial) - l->volume, hollow = l->space.hollow_mm3;
    l->counts->lids = holes.filled;
    l->counts->hollow_mm3 = gain;
    /* The bitmap's hollows are a cell thinner all round; what is far more was no hollow. */
    double shell = l->space.grid.pixel_mm * 2 * holes.lid_area_mm2;
    return gain > 0.2 * hollow && gain < 3 * hollow + shell ? 0 : 1;
}

static int close_leaks(struct leaks *l, double cell_mm)
{
    double low[3], high[3], size = 0;
    struct mesh trial = {0};
    if (space_build(&l->space, l->mesh, cell_mm, fmax(LEAST_MM3, 1e-3 * l->volume), l->err))
        return -1;
    l->counts->hollows = l->space.hollows;
    if (l->space.hollows == 0)
        return 0;
    if (find_walls(l))
        return -1;
    if (l->counts->dropped == 0)
        return 1;
    mesh_bounds(l->mesh, low, high);
    for (int k = 0; k < 3; k++)
        size = fmax(size, high[k] - low[k]);
    int failed = fill_hollows(l, &trial, size);
    if (!failed) {
        struct mesh other = *l->mesh;
        *l->mesh = trial;
        trial = other;
    }
    mesh_free(&trial);
    return failed;
}

int mesh_close_leaks(struct mesh *mesh, double opening_mm, struct leak_counts *counts,
                     struct err *err)
{
    struct leaks l = {.mesh = mesh, .counts = counts, .err = err};
    *counts = (struct leak_counts){0};
    if (mesh->triangle_count == 0)
        return 0;
    l.volume = mesh_volume(mesh);
    int failed =
        topology_build(&l.topology, mesh, err) || bvh_build(&l.bvh, mesh, err) || look(&l) ? -1 : 0;
    if (!failed && counts->hidden_share > MOST_HIDDEN)
        failed = close_leaks(&l, (opening_mm > 0 ? opening_mm : 0.5) / 2);
    topology_free(&l.topology);
    bvh_free(&l.bvh);
    space_free(&l.space);
    free(l.side);
    return failed;
}
