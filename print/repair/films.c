/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shells of two sides nearer to one another than corners are moved to part them: the sides cannot
 * be told apart on the way, and what is left of them has holes. They are sheets, and one side
 * stands for both. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"
#include "print/repair/solid.h"
#include "print/repair/steps.h"

#define SAME_SIDE 0.5  /* cosine between neighbours: beyond it lies the rim */
#define MOST_SHARE 0.6 /* of a shell's surface that its larger side may have */
#define LEAST_SHARE 0.4
#define MOST_LOOKS 4 /* sides that were let stand for others may go themselves */

struct film_shell {
    double area2, most2; /* twice the areas of the shell and of its larger side */
    uint32_t side;       /* that side, by its first triangle */
    bool is;
};

struct films {
    const struct mesh *mesh;
    struct topology topology;
    struct film_shell *shells;
    uint32_t *side; /* per triangle */
    double thick;
};

/* Sides hang together without a sharp bend. */
static void join_sides(struct films *f)
{
    const uint32_t *twin = f->topology.twin, *v = f->mesh->triangles;
    for (uint32_t t = 0; t < f->mesh->triangle_count; t++)
        f->side[t] = t;
    for (uint32_t h = 0; h < 3 * f->mesh->triangle_count; h++) {
        if (twin[h] >= TWIN_MANY || twin[h] < h || v[h] == v[twin[h]])
            continue;
        struct vec a = vec_unit(mesh_normal2(f->mesh, h / 3));
        struct vec b = vec_unit(mesh_normal2(f->mesh, twin[h] / 3));
        if (vec_dot(a, b) > SAME_SIDE)
            sets_join(f->side, h / 3, twin[h] / 3);
    }
}

static int find_sides(struct films *f, struct err *err)
{
    const size_t n = f->mesh->triangle_count;
    double *area2 = calloc(n + 1, sizeof *area2);
    if (!area2)
        return FAIL(err, ERR_LIMIT, "no memory for films");
    join_sides(f);
    for (uint32_t t = 0; t < n; t++) {
        double a = vec_length(mesh_normal2(f->mesh, t));
        f->side[t] = sets_find(f->side, t);
        area2[f->side[t]] += a;
        f->shells[f->topology.shell[t]].area2 += a;
    }
    for (uint32_t t = 0; t < n; t++) {
        struct film_shell *shell = &f->shells[f->topology.shell[t]];
        if (area2[t] > shell->most2) {
            shell->most2 = area2[t];
            shell->side = t;
        }
    }
    for (size_t i = 0; i < f->topology.shells; i++) {
        struct film_shell *shell = &f->shells[i];
        shell->is =
            shell->most2 > LEAST_SHARE * shell->area2 && shell->most2 < MOST_SHARE * shell->area2;
    }
    free(area2);
    return 0;
}

static bool in_film(const struct films *f, size_t t)
{
    return f->shells[f->topology.shell[t]].is;
}

static bool stands(const struct films *f, size_t t)
{
    return in_film(f, t) && f->side[t] == f->shells[f->topology.shell[t]].side;
}

/* Corners, middles of edges and the middle. */
static bool lies_on(const struct bvh *sides, const struct mesh *mesh, size_t t, double within)
{
    struct vec middle = {0};
    for (int c = 0; c < 3; c++) {
        struct vec p = mesh_corner(mesh, t, c), q = mesh_corner(mesh, t, (c + 1) % 3);
        struct vec half = vec_scale(vec_add(p, q), 0.5);
        middle = vec_add(middle, vec_scale(p, 1.0 / 3));
        if (bvh_nearest(sides, p, within, NULL, NULL) >= within ||
            bvh_nearest(sides, half, within, NULL, NULL) >= within)
            return false;
    }
    return bvh_nearest(sides, middle, within, NULL, NULL) < within;
}

/* Takes the films for which no side stands, wholly, out of the list; 1 where there were any. */
static int look_at_sides(struct films *f, struct err *err)
{
    const size_t n = f->mesh->triangle_count, shells = f->topology.shells;
    struct mesh sides = {0};
    struct bvh bvh = {0};
    uint8_t *keep = malloc(n + 1), *gone = calloc(shells + 1, 1);
    int failed = keep && gone ? mesh_copy(&sides, f->mesh, err)
                              : FAIL(err, ERR_LIMIT, "no memory for films");
    for (size_t t = 0; !failed && t < n; t++)
        keep[t] = stands(f, t);
    if (!failed)
        failed = mesh_keep(&sides, keep, err) || bvh_build(&bvh, &sides, err) ? -1 : 0;
    bool any = false;
    for (size_t t = 0; !failed && t < n; t++)
        if (in_film(f, t) && !keep[t] && !lies_on(&bvh, f->mesh, t, f->thick))
            gone[f->topology.shell[t]] = any = true;
    for (size_t i = 0; !failed && i < shells; i++)
        f->shells[i].is &= !gone[i];
    bvh_free(&bvh);
    mesh_free(&sides);
    free(keep);
    free(gone);
    return failed ? -1 : any;
}

static bool any_films(const struct films *f)
{
    for (size_t i = 0; i < f->topology.shells; i++)
        if (f->shells[i].is)
            return true;
    return false;
}

/* 1: there is none. */
static int find_films(struct films *f, struct err *err)
{
    f->shells = calloc(f->topology.shells + 1, sizeof *f->shells);
    f->side = malloc((f->mesh->triangle_count + 1) * sizeof *f->side);
    if (!f->shells || !f->side)
        return FAIL(err, ERR_LIMIT, "no memory for films");
    if (find_sides(f, err))
        return -1;
    int more = 1;
    for (int i = 0; i < MOST_LOOKS && more == 1 && any_films(f); i++)
        more = look_at_sides(f, err);
    return more ? more : !any_films(f);
}

static int take(struct mesh *films, struct mesh *mesh, const struct films *f, struct err *err)
{
    const size_t n = mesh->triangle_count;
    struct mesh sides = {0};
    uint8_t *keep = malloc(n + 1);
    int failed = keep ? mesh_copy(&sides, mesh, err) : FAIL(err, ERR_LIMIT, "no memory for films");
    for (size_t t = 0; !failed && t < n; t++)
        keep[t] = stands(f, t);
    if (!failed)
        failed = mesh_keep(&sides, keep, err) || mesh_append(films, &sides, false, err);
    for (size_t t = 0; !failed && t < n; t++)
        keep[t] = !in_film(f, t);
    if (!failed)
        failed = mesh_keep(mesh, keep, err);
    mesh_free(&sides);
    free(keep);
    return failed ? -1 : 0;
}

int mesh_take_films(struct mesh *films, struct mesh *mesh, double thick_mm, struct err *err)
{
    struct films f = {.mesh = mesh, .thick = thick_mm};
    if (topology_build(&f.topology, mesh, err))
        return -1;
    int none = find_films(&f, err);
    if (none == 0)
        none = take(films, mesh, &f, err);
    topology_free(&f.topology);
    free(f.shells);
    free(f.side);
    return none < 0 ? -1 : 0;
}
