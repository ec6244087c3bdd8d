/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the objects of a plate lie clear of one another. Both engines print two objects into one
 * another without a word. Their shadows on the bed are drawn on a grid and compared.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "print/slice/engine.h"

#define CELL_MM 0.5

struct shadow {
    uint8_t *owner; /* of each cell: 0 nobody, 1 the one, 2 the other */
    int width, height;
    double low[2];
};

static bool boxes_meet(const struct engine_object *a, const struct engine_object *b)
{
    return a->low[0] < b->high[0] && b->low[0] < a->high[0] && a->low[1] < b->high[1] &&
           b->low[1] < a->high[1];
}

/* How far p lies to the left of the way from a to b, times that way's length. */
static double side(const double a[2], const double b[2], const double p[2])
{
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
}

static int clamp(double cell, int count)
{
    return cell < 0 ? 0 : cell >= count ? count - 1 : (int)cell;
}

/* Marks the cells whose middle lies in the triangle; true when one is another's. */
static bool cast(struct shadow *s, double corner[3][2], uint8_t owner)
{
    int first[2], last[2], counts[2] = {s->width, s->height};
    if (side(corner[0], corner[1], corner[2]) < 0) {
        double swap[2] = {corner[1][0], corner[1][1]};
        corner[1][0] = corner[2][0], corner[1][1] = corner[2][1];
        corner[2][0] = swap[0], corner[2][1] = swap[1];
    }
    for (int k = 0; k < 2; k++) {
        double low = fmin(corner[0][k], fmin(corner[1][k], corner[2][k]));
        double high = fmax(corner[0][k], fmax(corner[1][k], corner[2][k]));
        first[k] = clamp((low - s->low[k]) / CELL_MM, counts[k]);
        last[k] = clamp((high - s->low[k]) / CELL_MM, counts[k]);
    }
    for (int y = first[1]; y <= last[1]; y++)
        for (int x = first[0]; x <= last[0]; x++) {
            double p[2] = {s->low[0] + (x + 0.5) * CELL_MM, s->low[1] + (y + 0.5) * CELL_MM};
            uint8_t *cell = &s->owner[(size_t)y * (size_t)s->width + (size_t)x];
            if (*cell == owner || side(corner[0], corner[1], p) < 0 ||
                side(corner[1], corner[2], p) < 0 || side(corner[2], corner[0], p) < 0)
                continue;
            if (*cell)
                return true;
            *cell = owner;
        }
    return false;
}

static bool cast_object(struct shadow *s, const struct mesh *mesh, uint8_t owner)
{
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        double corner[3][2];
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < 2; k++)
                corner[c][k] =
                    mesh->xyz[3 * (size_t)mesh->triangles[3 * t + (size_t)c] + (size_t)k];
        if (cast(s, corner, owner))
            return true;
    }
    return false;
}

/* 1 when the shadows of the two share a cell. */
static int shadows_meet(const struct engine_object *a, const struct engine_object *b,
                        struct err *err)
{
    struct shadow s = {.low = {fmax(a->low[0], b->low[0]), fmax(a->low[1], b->low[1])}};
    s.width = (int)ceil((fmin(a->high[0], b->high[0]) - s.low[0]) / CELL_MM) + 2;
    s.height = (int)ceil((fmin(a->high[1], b->high[1]) - s.low[1]) / CELL_MM) + 2;
    s.owner = calloc((size_t)s.width * (size_t)s.height, 1);
    if (!s.owner)
        return FAIL(err, ERR_LIMIT, "no memory for the plan of the bed");
    bool meet = cast_object(&s, &a->mesh, 1) || cast_object(&s, &b->mesh, 2);
    free(s.owner);
    return meet;
}

int models_apart(const struct engine_job *job, struct err *err)
{
    const struct slice_options *o = job->options;
    for (size_t i = 1; i < o->object_count; i++)
        for (size_t k = 0; k < i; k++) {
            if (!boxes_meet(&job->objects[k], &job->objects[i]))
                continue;
            int meet = shadows_meet(&job->objects[k], &job->objects[i], err);
            if (meet < 0)
                return -1;
            if (meet)
                return FAIL_CODE(err, ERR_INPUT, "slice_overlap",
                                 "objects %zu (%.40s) and %zu (%.40s) lie over one another on the "
                                 "bed; move them apart",
                                 k + 1, o->objects[k].name ? o->objects[k].name : "no name", i + 1,
                                 o->objects[i].name ? o->objects[i].name : "no name");
        }
    return 0;
}
