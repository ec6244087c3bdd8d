/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cut and its peg: where the figure has most flesh above the cut, as thick as that allows. */
#include "print/shape/joint.h"

#include <stdlib.h>

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/solid.h"
#include "print/repair/steps.h"
#include "print/shape/bodies.h"
#include "print/shape/shape.h"

#define SIDES 40
#define FLAT 0.55 /* the D's flat lies this far from the middle, in radii */
#define PEG_MOST_MM 12
#define GRID 48
#define LEVELS 4
#define ROOT_MM 1.0 /* how deep the peg begins in the lower part */
#define PI 3.14159265358979323846

struct search {
    struct bvh whole; /* tells inside from outside */
    struct bvh above; /* only what reaches above the cut may be near */
    struct mesh reaching;
    const struct joint_options *options;
    double low[3], high[3];
    double depth;
    double x, y, room; /* the best so far */
};

/* The largest ball-like room along an upright line above the cut; negative outside. */
static double room_at(const struct search *s, double x, double y)
{
    double room = INFINITY;
    for (int i = 0; i <= LEVELS; i++) {
        double up = i ? s->depth * i / LEVELS : 0.3;
        struct vec p = {x, y, s->options->at_mm + up};
        double d = bvh_nearest(&s->above, p, PEG_MOST_MM, NULL, NULL);
        if (d <= s->room || bvh_winding(&s->whole, p) < 0.5)
            return -1;
        room = d < room ? d : room;
    }
    return room;
}

static void look_around(struct search *s, double x, double y, double half_x, double half_y)
{
    for (int j = 0; j <= GRID; j++)
        for (int i = 0; i <= GRID; i++) {
            double px = x + half_x * (2.0 * i / GRID - 1), py = y + half_y * (2.0 * j / GRID - 1);
            double room = room_at(s, px, py);
            if (room > s->room)
                s->room = room, s->x = px, s->y = py;
        }
}

static int search_open(struct search *s, const struct mesh *mesh, struct err *err)
{
    uint8_t *keep = malloc(mesh->triangle_count + 1);
    if (!keep || mesh_copy(&s->reaching, mesh, err)) {
        free(keep);
        return FAIL(err, ERR_LIMIT, "no memory to split a mesh");
    }
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        keep[t] = 0;
        for (int k = 0; k < 3; k++)
            keep[t] |= mesh_corner(mesh, t, k).z > s->options->at_mm + 0.05;
    }
    int failed = mesh_keep(&s->reaching, keep, err);
    free(keep);
    return failed || bvh_build(&s->whole, mesh, err) || bvh_add_dipoles(&s->whole, err) ||
                   bvh_build(&s->above, &s->reaching, err)
               ? -1
               : 0;
}

static void search_close(struct search *s)
{
    bvh_free(&s->whole);
    bvh_free(&s->above);
    mesh_free(&s->reaching);
}

/* Tries the ordered depth, then less. 1: nowhere. */
static int find_room(struct search *s)
{
    const struct joint_options *o = s->options;
    double half_x = (s->high[0] - s->low[0]) / 2, half_y = (s->high[1] - s->low[1]) / 2;
    double least = o->least_mm / 2 + o->clearance_mm + o->wall_mm;
    for (s->depth = o->depth_mm; s->depth >= 0.5 * o->depth_mm; s->depth -= 0.25 * o->depth_mm) {
        s->room = 0;
        look_around(s, (s->low[0] + s->high[0]) / 2, (s->low[1] + s->high[1]) / 2, half_x, half_y);
        if (s->room > 0)
            look_around(s, s->x, s->y, 3 * half_x / GRID, 3 * half_y / GRID);
        if (s->room >= least)
            return 0;
    }
    return 1;
}

/* A convex D, its flat towards +Y, from z low to high; the last `taper` grow narrower. */
static int add_peg(struct mesh *mesh, const struct joint_result *peg, double wider, double low,
                   double high, double taper, struct err *err)
{
    double outline[SIDES][2], inwards[SIDES][2];
    double r = peg->peg_mm / 2 + wider, flat = FLAT * peg->peg_mm / 2 + wider;
    double end = asin(flat / r);
    for (int i = 0; i < SIDES; i++) {
        double turn = PI - end + (PI + 2 * end) * i / (SIDES - 1);
        double x = cos(turn), y = sin(turn);
        outline[i][0] = peg->x_mm + r * x;
        outline[i][1] = peg->y_mm + r * y;
        inwards[i][0] = -x, inwards[i][1] = -y;
    }
    const struct level levels[3] = {{low, 0}, {high - taper, 0}, {high, taper}};
    return body_add_stack(mesh, (const double(*)[2])outline, (const double(*)[2])inwards, SIDES,
                          levels, taper > 0 ? 3 : 2, err);
}

/* A box that holds all of the mesh on one side of the cut and sticks out by a millimetre. */
static int add_half(struct mesh *mesh, const struct search *s, bool above, struct err *err)
{
    double at = s->options->at_mm;
    struct vec low = {s->low[0] - 1, s->low[1] - 1, above ? at : s->low[2] - 1};
    struct vec high = {s->high[0] + 1, s->high[1] + 1, above ? s->high[2] + 1 : at};
    return body_add_box(mesh, low, high, err);
}

static int make_upper(struct mesh *upper, const struct mesh *mesh, const struct search *s,
                      const struct joint_result *peg, struct err *err)
{
    const struct joint_options *o = s->options;
    struct mesh away = {0};
    double top = o->at_mm + s->depth + 2 * o->clearance_mm;
    int failed = add_half(&away, s, false, err) ||
                 add_peg(&away, peg, o->clearance_mm, o->at_mm - ROOT_MM, top, 0, err) ||
                 mesh_append(upper, mesh, false, err) || mesh_append(upper, &away, true, err);
    mesh_free(&away);
    return failed ? -1 : mesh_unite(upper, mesh_longest(mesh), NULL, err);
}

static int make_lower(struct mesh *lower, const struct mesh *mesh, const struct search *s,
                      const struct joint_result *peg, struct err *err)
{
    const struct joint_options *o = s->options;
    struct mesh away = {0};
    double size = mesh_longest(mesh);
    int failed = add_half(&away, s, true, err) || mesh_append(lower, mesh, false, err) ||
                 mesh_append(lower, &away, true, err);
    mesh_free(&away);
    failed = failed ? -1 : mesh_unite(lower, size, NULL, err);
    double root = o->at_mm - s->low[2] > 2 * ROOT_MM ? ROOT_MM : (o->at_mm - s->low[2]) / 2;
    if (!failed)
        failed = add_peg(lower, peg, 0, o->at_mm - root, o->at_mm + s->depth, 0.4, err);
    return failed ? failed : mesh_unite(lower, size, NULL, err);
}

int mesh_split_joint(struct mesh *upper, struct mesh *lower, struct joint_result *result,
                     const struct mesh *mesh, const struct joint_options *options, struct err *err)
{
    struct search s = {.options = options};
    struct mesh above = {0}, below = {0};
    *result = (struct joint_result){0};
    mesh_bounds(mesh, s.low, s.high);
    if (mesh->triangle_count == 0 || !(options->at_mm > s.low[2] + 0.4) ||
        !(options->at_mm < s.high[2] - options->depth_mm / 2))
        return 1;
    int failed = search_open(&s, mesh, err) ? -1 : find_room(&s);
    search_close(&s);
    if (!failed) {
        double peg = 2 * (s.room - options->wall_mm - options->clearance_mm);
        *result = (struct joint_result){peg < PEG_MOST_MM ? peg : PEG_MOST_MM, s.depth, s.x, s.y};
        failed = make_upper(&above, mesh, &s, result, err);
    }
    if (!failed)
        failed = make_lower(&below, mesh, &s, result, err);
    if (!failed && (above.triangle_count == 0 || below.triangle_count == 0))
        failed = 1;
    if (failed) {
        mesh_free(&above);
        mesh_free(&below);
        return failed;
    }
    *upper = above;
    *lower = below;
    return 0;
}
