/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The base's size: the least that holds the figure's foot, keeps it from tipping and has room for
 * the text. */
#include "print/shape/base_plan.h"

#include <stdlib.h>

#include "print/measure/measure.h"

#define DEG 0.017453292519943295
#define TEXT_GAP_MM 1.2  /* between the text and the feet */
#define TEXT_EDGE_MM 1.0 /* between the text and the bevel */
#define LARGER 1.8       /* letters are at most this much larger than they must be */
#define OVAL 0.75        /* the shorter axis over the longer one, at least */

/* The hull of what is near the ground. */
static size_t foot_hull(double (*points)[2], const struct mesh *mesh, double below)
{
    size_t n = 0;
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        struct vec p = mesh_point(mesh, v);
        if (p.z > below)
            continue;
        points[n][0] = p.x;
        points[n++][1] = p.y;
    }
    return hull_2d(points, n);
}

int base_plan_open(struct base_plan *plan, const struct mesh *mesh,
                   const struct base_options *options, struct err *err)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
    double near = 0.06 * (high[2] - low[2]);
    *plan = (struct base_plan){.top = low[2] + options->sink_mm};
    plan->low = plan->top - options->height_mm;
    double(*points)[2] = malloc((mesh->vertex_count + 1) * sizeof *points);
    size_t n = points ? foot_hull(points, mesh, low[2] + (near > 2 ? near : 2)) : 0;
    plan->discs = malloc((n + 8) * sizeof *plan->discs);
    if (!points || !plan->discs || n == 0) {
        free(points);
        base_plan_free(plan);
        return FAIL(err, ERR_LIMIT, "no memory for a base");
    }
    for (int k = 0; k < 2; k++)
        plan->foot_low[k] = INFINITY, plan->foot_high[k] = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        plan->discs[i] = (struct disc){points[i][0], points[i][1], options->margin_mm};
        for (int k = 0; k < 2; k++) {
            double x = points[i][k];
            plan->foot_low[k] = x < plan->foot_low[k] ? x : plan->foot_low[k];
            plan->foot_high[k] = x > plan->foot_high[k] ? x : plan->foot_high[k];
        }
    }
    struct vec weight = mesh_centre_of_mass(mesh);
    plan->foot_count = n;
    plan->count = n + 1;
    plan->discs[n] =
        (struct disc){weight.x, weight.y, tan(options->tilt_deg * DEG) * (weight.z - plan->low)};
    free(points);
    return 0;
}

void base_plan_free(struct base_plan *plan)
{
    free(plan->discs);
    plan->discs = NULL;
}

/* Badoiu and Clarkson's walk towards the farthest; within a percent after a few hundred steps. */
static double enclose_round(const struct disc *d, size_t n, double *x, double *y)
{
    double reach = 0;
    *x = *y = 0;
    if (n == 0)
        return 0;
    *x = d[0].x, *y = d[0].y;
    for (int step = 1; step <= 400; step++) {
        size_t far = 0;
        reach = 0;
        for (size_t i = 0; i < n; i++) {
            double r = hypot(d[i].x - *x, d[i].y - *y) + d[i].radius;
            if (r > reach)
                reach = r, far = i;
        }
        double l = hypot(d[far].x - *x, d[far].y - *y);
        double go = l > 0 ? (l + d[far].radius) / (step + 1) / l : 0;
        go = go < 1 ? go : 1;
        *x += go * (d[far].x - *x);
        *y += go * (d[far].y - *y);
    }
    reach = 0;
    for (size_t i = 0; i < n; i++) {
        double r = hypot(d[i].x - *x, d[i].y - *y) + d[i].radius;
        reach = r > reach ? r : reach;
    }
    return reach;
}

static void enclose_box(const struct disc *d, size_t n, double low[2], double high[2])
{
    low[0] = low[1] = INFINITY, high[0] = high[1] = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        const double at[2] = {d[i].x, d[i].y};
        for (int k = 0; k < 2; k++) {
            low[k] = at[k] - d[i].radius < low[k] ? at[k] - d[i].radius : low[k];
            high[k] = at[k] + d[i].radius > high[k] ? at[k] + d[i].radius : high[k];
        }
    }
}

/* An ellipse of that aspect is a circle when one axis is stretched. */
static void enclose_oval(struct base_plan *plan, struct disc *d, size_t n, double aspect)
{
    double x, y;
    for (size_t i = 0; i < n; i++)
        d[i].y /= aspect, d[i].radius /= aspect < 1 ? aspect : 1;
    double r = enclose_round(d, n, &x, &y);
    plan->x = x, plan->y = y * aspect;
    plan->size[0] = 2 * r, plan->size[1] = 2 * r * aspect;
}

/* The least base for these discs: all of them, or the foot and the weight alone. */
static int enclose(struct base_plan *plan, const struct base_options *options, size_t n)
{
    double low[2], high[2];
    enclose_box(plan->discs, n, low, high);
    if (options->shape == BASE_ROUND) {
        double r = enclose_round(plan->discs, n, &plan->x, &plan->y);
        plan->size[0] = plan->size[1] = 2 * r;
    } else if (options->shape == BASE_SQUARE) {
        double a = high[0] - low[0], b = high[1] - low[1];
        plan->x = (low[0] + high[0]) / 2, plan->y = (low[1] + high[1]) / 2;
        plan->size[0] = plan->size[1] = a > b ? a : b;
    } else {
        struct disc *copy = malloc(n * sizeof *copy);
        if (!copy)
            return -1;
        for (size_t i = 0; i < n; i++)
            copy[i] = plan->discs[i];
        double aspect = (high[1] - low[1]) / (high[0] - low[0]);
        aspect = aspect < OVAL ? OVAL : aspect > 1 / OVAL ? 1 / OVAL : aspect;
        enclose_oval(plan, copy, n, aspect);
        free(copy);
    }
    return 0;
}

/* With letters of that size before the feet. */
static int enclose_text(struct base_plan *plan, const struct base_options *options,
                        const struct glyph_line *line, double em)
{
    double half = line->width * em / 2, height = (line->high - line->low) * em;
    double x = (plan->foot_low[0] + plan->foot_high[0]) / 2, y = plan->foot_low[1] - TEXT_GAP_MM;
    double edge = TEXT_EDGE_MM + options->bevel_mm;
    for (int i = 0; i < 4; i++)
        plan->discs[plan->count + (size_t)i] =
            (struct disc){x + (i & 1 ? half : -half), i & 2 ? y : y - height, edge};
    plan->text_y = y - height / 2;
    plan->em = em;
    plan->rim = false;
    return enclose(plan, options, plan->count + 4);
}

static double largest(const struct base_plan *plan)
{
    return plan->size[0] > plan->size[1] ? plan->size[0] : plan->size[1];
}

/* The em that the base's wall has room for. */
static double rim_em(const struct base_plan *plan, const struct base_options *options,
                     const struct glyph_line *line)
{
    double high = options->height_mm - options->bevel_mm - 1.6;
    double long_mm = options->shape == BASE_ROUND ? plan->size[0] : plan->size[0] - 8;
    double by_height = high / (line->high - line->low), by_width = long_mm / line->width;
    return options->shape == BASE_OVAL ? 0 : by_height < by_width ? by_height : by_width;
}

static void order_size(struct base_plan *plan, double size)
{
    double by = size / largest(plan);
    plan->size[0] *= by;
    plan->size[1] *= by;
}

int base_plan_make(struct base_plan *plan, const struct base_options *options,
                   const struct glyph_line *line)
{
    double most = options->size_mm > 0 ? options->size_mm : options->max_size_mm;
    if (enclose(plan, options, plan->count))
        return -1;
    if (options->size_mm > 0)
        order_size(plan, options->size_mm);
    if (!line)
        return 0;
    double least = options->stroke_mm / line->stroke, ink = line->high - line->low;
    double wanted = options->letter_mm > 0 ? options->letter_mm / ink : 0;
    if (wanted > 0 && wanted < least)
        return 1;
    double rim = rim_em(plan, options, line);
    if (rim >= (wanted > 0 ? wanted : least)) {
        plan->rim = true;
        plan->em = wanted > 0 ? wanted : rim < 2.5 * least ? rim : 2.5 * least;
        return 0;
    }
    double fine = 0.8 * plan->size[0] / line->width;
    fine = fine > LARGER * least ? LARGER * least : fine < least ? least : fine;
    for (int step = 0; step <= 8; step++) {
        double em = wanted > 0 ? wanted : fine + (least - fine) * step / 8;
        if (enclose_text(plan, options, line, em))
            return -1;
        if (!(most > 0) || largest(plan) <= most) {
            if (options->size_mm > 0)
                order_size(plan, options->size_mm);
            return 0;
        }
    }
    return 1;
}
