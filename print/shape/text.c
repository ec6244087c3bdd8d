/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each contour becomes a prism, inside out where it is a hole, and the winding number of all of
 * them together says what is ink: no holes need to be bridged, and contours may overlap. */
#include "print/shape/text.h"

#include <stdlib.h>

#include "print/repair/solid.h"
#include "print/shape/bodies.h"

/* Prisms of holes stick out by this, so that their lids do not lie in those of the letter. */
#define HOLE_MORE_MM 0.25

static double contour_area(const struct contour *c)
{
    double sum = 0;
    for (size_t i = 0; i < c->count; i++) {
        const double *a = c->points[i], *b = c->points[i + 1 < c->count ? i + 1 : 0];
        sum += a[0] * b[1] - a[1] * b[0];
    }
    return sum / 2;
}

/* A letter's contour around (0, 0) in millimetres, drawn from z = from to z = to. */
static int add_contour(struct mesh *letter, const struct contour *c, const double middle[2],
                       const struct text_size *size, struct err *err)
{
    double(*p)[2] = malloc((c->count + 1) * sizeof *p);
    if (!p)
        return FAIL(err, ERR_LIMIT, "no memory for a letter");
    for (size_t i = 0; i < c->count; i++)
        for (int k = 0; k < 2; k++)
            p[i][k] = (c->points[i][k] - middle[k]) * size->em_mm;
    double more = contour_area(c) < 0 ? HOLE_MORE_MM : 0;
    int failed = body_add_prism(letter, (const double(*)[2])p, c->count, size->from_mm - more,
                                size->to_mm + more, err);
    free(p);
    return failed < 0 ? -1 : 0; /* contours without area leave no ink */
}

static void set_letter(struct mesh *letter, const struct text_place *place, double shift)
{
    double angle = place->radius > 0 ? shift / place->radius : 0;
    struct vec along =
        vec_add(vec_scale(place->along, cos(angle)), vec_scale(place->out, -sin(angle)));
    struct vec out =
        vec_add(vec_scale(place->out, cos(angle)), vec_scale(place->along, sin(angle)));
    struct vec at = vec_add(place->origin, vec_scale(place->along, shift));
    if (place->radius > 0)
        at = vec_add(place->origin, vec_scale(vec_sub(out, place->out), place->radius));
    for (uint32_t v = 0; v < letter->vertex_count; v++) {
        struct vec p = mesh_point(letter, v);
        struct vec moved = vec_add(vec_scale(along, p.x), vec_scale(place->up, p.y));
        mesh_point_set(letter, v, vec_add(at, vec_add(moved, vec_scale(out, p.z))));
    }
}

static int add_letter(struct mesh *mesh, const struct glyph_line *line, size_t glyph,
                      const struct text_place *place, const struct text_size *size, struct err *err)
{
    struct mesh letter = {0};
    const double middle[2] = {line->middle[glyph], (line->low + line->high) / 2};
    int failed = 0;
    for (size_t i = 0; !failed && i < line->contour_count; i++)
        if (line->contours[i].glyph == glyph)
            failed = add_contour(&letter, &line->contours[i], middle, size, err);
    if (!failed && letter.triangle_count) {
        failed = mesh_unite(&letter, size->em_mm, NULL, err);
        if (failed == 1)
            failed = FAIL_CODE(err, ERR_INPUT, "text_invalid",
                               "the font's outline of letter %zu cannot be made solid", glyph + 1);
    }
    if (!failed) {
        set_letter(&letter, place, (line->middle[glyph] - line->width / 2) * size->em_mm);
        failed = mesh_append(mesh, &letter, false, err);
    }
    mesh_free(&letter);
    return failed;
}

int text_add(struct mesh *mesh, const struct glyph_line *line, const struct text_place *place,
             const struct text_size *size, struct err *err)
{
    for (size_t g = 0; g < line->glyph_count; g++)
        if (add_letter(mesh, line, g, place, size, err))
            return -1;
    return 0;
}
