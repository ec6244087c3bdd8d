/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The base itself: its outline, its letters, and the union with the figure. */
#include "print/shape/base.h"

#include <stdlib.h>
#include <string.h>

#include "print/repair/solid.h"
#include "print/shape/base_plan.h"
#include "print/shape/bodies.h"
#include "print/shape/shape.h"
#include "print/shape/text.h"

#define SIDES 144 /* of a round or oval base */
#define CORNER 8  /* points of each rounded corner */
#define CORNER_MM 3
#define PI 3.14159265358979323846

struct outline {
    double points[SIDES][2], inwards[SIDES][2];
    size_t count;
};

static void outline_add(struct outline *o, double x, double y, double nx, double ny)
{
    double length = hypot(nx, ny);
    o->points[o->count][0] = x, o->points[o->count][1] = y;
    o->inwards[o->count][0] = -nx / length, o->inwards[o->count++][1] = -ny / length;
}

static void outline_make(struct outline *o, const struct base_plan *plan, enum base_shape shape)
{
    double a = plan->size[0] / 2, b = plan->size[1] / 2;
    o->count = 0;
    if (shape == BASE_SQUARE) {
        double corner = CORNER_MM < a / 2 ? CORNER_MM : a / 2;
        for (int i = 0; i < 4 * CORNER; i++) {
            double turn = PI / 2 * (i / CORNER + (double)(i % CORNER) / (CORNER - 1));
            double sx = i / CORNER == 0 || i / CORNER == 3 ? 1 : -1, sy = i / CORNER < 2 ? 1 : -1;
            outline_add(o, plan->x + sx * (a - corner) + corner * cos(turn),
                        plan->y + sy * (b - corner) + corner * sin(turn), cos(turn), sin(turn));
        }
        return;
    }
    for (int i = 0; i < SIDES; i++) {
        /* Half a step off, so that a flat lies in front. */
        double turn = 2 * PI * (i + 0.5) / SIDES;
        outline_add(o, plan->x + a * cos(turn), plan->y + b * sin(turn), cos(turn) / a,
                    sin(turn) / b);
    }
}

static int add_body(struct mesh *base, const struct base_plan *plan,
                    const struct base_options *options, struct err *err)
{
    struct outline o;
    const struct level levels[3] = {
        {plan->low, 0}, {plan->top - options->bevel_mm, 0}, {plan->top, options->bevel_mm}};
    const struct level plain[2] = {{plan->low, 0}, {plan->top, 0}};
    bool bevelled = options->bevel_mm > 0;
    outline_make(&o, plan, options->shape);
    return body_add_stack(base, (const double(*)[2])o.points, (const double(*)[2])o.inwards,
                          o.count, bevelled ? levels : plain, bevelled ? 3 : 2, err);
}

static void place_text(struct text_place *place, const struct base_plan *plan,
                       const struct base_options *options)
{
    double wall = plan->top - options->bevel_mm, x = (plan->foot_low[0] + plan->foot_high[0]) / 2;
    if (plan->rim) {
        *place = (struct text_place){
            .origin = {plan->x, plan->y - plan->size[1] / 2, (plan->low + wall) / 2},
            .along = {1, 0, 0},
            .up = {0, 0, 1},
            .out = {0, -1, 0},
            .radius = options->shape == BASE_ROUND ? plan->size[0] / 2 : 0};
    } else {
        *place = (struct text_place){.origin = {x, plan->text_y, plan->top},
                                     .along = {1, 0, 0},
                                     .up = {0, 1, 0},
                                     .out = {0, 0, 1}};
    }
}

/* Letters reach through the surface; a letter on a rim is flat and must reach at its ends, too. */
static int add_text(struct mesh *base, const struct base_plan *plan,
                    const struct base_options *options, const struct glyph_line *line,
                    struct err *err)
{
    struct text_place place;
    struct mesh letters = {0};
    bool engraved = options->text_style == TEXT_ENGRAVED;
    double through = plan->rim ? 0.8 : 0.4, depth = options->text_depth_mm;
    struct text_size size = {plan->em, engraved ? -depth : -through, engraved ? through : depth};
    place_text(&place, plan, options);
    int failed = text_add(&letters, line, &place, &size, err);
    if (!failed)
        failed = mesh_append(base, &letters, engraved, err);
    mesh_free(&letters);
    return failed ? failed : mesh_unite(base, plan->size[0], NULL, err);
}

static int build(struct mesh *out, const struct mesh *figure, const struct base_plan *plan,
                 const struct base_options *options, const struct glyph_line *line, struct err *err)
{
    double size = mesh_longest(figure);
    size = size > plan->size[0] ? size : plan->size[0];
    int failed = add_body(out, plan, options, err);
    if (!failed && line)
        failed = add_text(out, plan, options, line, err);
    if (!failed)
        failed = mesh_append(out, figure, false, err);
    return failed ? failed : mesh_unite(out, size, NULL, err);
}

/* The longest beginning of the text that fits; "" when none does. */
static void longest_text(char *fits, struct base_plan *plan, const struct base_options *options)
{
    size_t n = strlen(options->text);
    while (n > 0) {
        struct glyph_line line;
        struct err ignored;
        do
            n--;
        while (n > 0 && ((unsigned char)options->text[n] & 0xc0) == 0x80);
        memcpy(fits, options->text, n);
        fits[n] = 0;
        if (n == 0 || glyph_line_make(&line, fits, options->font, options->font_bytes, &ignored))
            continue;
        int no = base_plan_make(plan, options, &line);
        glyph_line_free(&line);
        if (!no)
            return;
    }
}

static int too_long(struct base_plan *plan, const struct base_options *options, struct err *err)
{
    char fits[256];
    longest_text(fits, plan, options);
    return FAIL_CODE(err, ERR_INPUT, "text_too_long",
                     *fits ? "the text is too long for the base in letters that print; \"%s\" fits"
                           : "the base is too small for a text in letters that print%s",
                     fits);
}

static void fill_result(struct base_result *out, const struct base_plan *plan,
                        const struct base_options *options, const struct glyph_line *line)
{
    *out = (struct base_result){.size_mm = {plan->size[0], plan->size[1]},
                                .middle_mm = {plan->x, plan->y},
                                .top_mm = plan->top,
                                .text_on_rim = line && plan->rim};
    if (line) {
        out->letter_mm = plan->em * (line->high - line->low);
        out->stroke_mm = plan->em * line->stroke;
    }
    for (size_t i = 0; i < plan->foot_count; i++) {
        double dx = fabs(plan->discs[i].x - plan->x), dy = fabs(plan->discs[i].y - plan->y);
        double a = plan->size[0] / 2, b = plan->size[1] / 2, over;
        if (options->shape == BASE_SQUARE)
            over = dx - a > dy - b ? dx - a : dy - b;
        else
            over = (hypot(dx / a, dy / b) - 1) * (a < b ? a : b);
        out->outside_mm = over > out->outside_mm ? over : out->outside_mm;
    }
}

int mesh_add_base(struct mesh *mesh, struct base_result *result, const struct base_options *options,
                  struct err *err)
{
    struct base_plan plan;
    struct glyph_line line = {0};
    struct mesh made = {0};
    bool text = options->text && *options->text;
    *result = (struct base_result){0};
    if (options->shape == BASE_NONE || mesh->triangle_count == 0)
        return 1;
    if (!(options->height_mm > options->bevel_mm + 0.4) || !(options->bevel_mm >= 0) ||
        !(options->sink_mm >= 0) || !(options->sink_mm < options->height_mm) ||
        (text &&
         !(options->text_depth_mm > 0 && options->text_depth_mm < options->height_mm - 0.4)))
        return FAIL_CODE(err, ERR_INPUT, "base_invalid", "a base of %g mm cannot be made so",
                         options->height_mm);
    if (text && glyph_line_make(&line, options->text, options->font, options->font_bytes, err))
        return -1;
    int failed = base_plan_open(&plan, mesh, options, err);
    if (!failed) {
        failed = base_plan_make(&plan, options, text ? &line : NULL);
        if (failed < 0)
            failed = FAIL(err, ERR_LIMIT, "no memory for a base");
        else if (failed)
            failed = too_long(&plan, options, err);
        else
            failed = build(&made, mesh, &plan, options, text ? &line : NULL, err);
        fill_result(result, &plan, options, text ? &line : NULL);
        base_plan_free(&plan);
    }
    if (!failed) {
        struct mesh other = *mesh;
        *mesh = made;
        made = other;
    }
    mesh_free(&made);
    glyph_line_free(&line);
    return failed;
}
