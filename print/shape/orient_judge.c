/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What it costs to print a mesh with one direction down. */
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/shape/orient_parts.h"

#define RAD_TO_DEG (180 / M_PI)
#define BED_MM 0.3        /* what lies this low is held by the bed */
#define FOOT_SHARE 0.004  /* of the height squared: 40 mm2 for 100 mm */
#define FOOT_WORTH 0.0004 /* of the size cubed: 400 mm3 for 100 mm */

void judge_close(struct judge *judge)
{
    free(judge->front);
    judge->front = NULL;
}

/* The hull of what touches the bed, from the first and last cell of each row. */
static size_t foot_hull(double (*points)[2], const struct layer_grid *g, const uint64_t *foot)
{
    size_t count = 0;
    for (size_t y = 0; y < g->ny; y++) {
        const uint64_t *row = foot + y * g->row_words;
        size_t first = SIZE_MAX, last = 0;
        for (size_t w = 0; w < g->row_words; w++) {
            if (!row[w])
                continue;
            if (first == SIZE_MAX)
                first = 64 * w + (size_t)__builtin_ctzll(row[w]);
            last = 64 * w + 63 - (size_t)__builtin_clzll(row[w]);
        }
        for (int corner = 0; corner < 4 && first != SIZE_MAX; corner++) {
            size_t x = corner % 2 ? last + 1 : first;
            points[count][0] = g->low[0] + (double)x * g->pixel_mm;
            points[count++][1] = g->low[1] + (double)(y + (corner > 1)) * g->pixel_mm;
        }
    }
    return hull_2d(points, count);
}

/* The angle by which the part may lean before its centre of mass leaves the foot. */
static double tilt(const struct layer_grid *g, const uint64_t *foot, struct vec middle,
                   double (*points)[2])
{
    size_t count = foot_hull(points, g, foot);
    double least = count < 3 ? -1 : INFINITY, height = middle.z - g->low[2];
    for (size_t i = 0; i < count && count >= 3; i++) {
        const double *a = points[i], *b = points[(i + 1) % count];
        double dx = b[0] - a[0], dy = b[1] - a[1], length = hypot(dx, dy);
        double inside = (dx * (middle.y - a[1]) - dy * (middle.x - a[0])) / length;
        least = inside < least ? inside : least;
    }
    return RAD_TO_DEG * atan2(least, height > 1e-9 ? height : 1e-9);
}

static void surfaces(struct orient_stand *out, const struct judge *judge, const struct mesh *turned,
                     double bed)
{
    for (size_t t = 0; t < turned->triangle_count; t++) {
        struct vec n = mesh_normal2(turned, t);
        double length = vec_length(n), top = -INFINITY;
        if (n.z >= -M_SQRT1_2 * length)
            continue;
        for (int c = 0; c < 3; c++) {
            double z = mesh_corner(turned, t, c).z;
            top = z > top ? z : top;
        }
        if (top <= bed + BED_MM)
            continue;
        out->overhang_mm2 += length / 2;
        if (judge->front && judge->front[t])
            out->front_scars_mm2 += length / 2;
    }
}

/* The front may get the scars that it has standing upright, and a hundredth of it. */
static int protect_front(struct judge *judge, struct err *err)
{
    struct orient_stand upright = {0};
    double low[3], high[3], area = 0;
    if (front_find(&judge->front, judge->mesh, err))
        return -1;
    for (size_t t = 0; t < judge->mesh->triangle_count; t++)
        area += judge->front[t] ? vec_length(mesh_normal2(judge->mesh, t)) / 2 : 0;
    mesh_bounds(judge->mesh, low, high);
    surfaces(&upright, judge, judge->mesh, low[2]);
    judge->front_mm2 = upright.front_scars_mm2 + 0.01 * area;
    return 0;
}

double longest_side(const struct mesh *mesh)
{
    double low[3], high[3], size = 0;
    mesh_bounds(mesh, low, high);
    for (int k = 0; k < 3; k++)
        size = high[k] - low[k] > size ? high[k] - low[k] : size;
    return size;
}

int judge_open(struct judge *judge, const struct mesh *mesh, const struct orient_options *options,
               struct err *err)
{
    *judge = (struct judge){.mesh = mesh, .options = options};
    if (mesh->triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "there is nothing to turn");
    judge->size_mm = longest_side(mesh);
    judge->middle = mesh_centre_of_mass(mesh);
    return options->protect_front ? protect_front(judge, err) : 0;
}

static bool fits(const double size[3], const double bed[3])
{
    if (!(bed[0] > 0 && bed[1] > 0 && bed[2] > 0))
        return true;
    bool straight = size[0] <= bed[0] && size[1] <= bed[1];
    bool across = size[0] <= bed[1] && size[1] <= bed[0];
    return (straight || across) && size[2] <= bed[2];
}

/* A part that hardly touches the bed itself comes loose: worth a little support to avoid. */
static double poor_footing(const struct orient_stand *stand, double size_mm)
{
    double enough = FOOT_SHARE * stand->size_mm[2] * stand->size_mm[2];
    double lack = stand->contact_mm2 < enough ? 1 - stand->contact_mm2 / enough : 0;
    return lack * FOOT_WORTH * size_mm * size_mm * size_mm;
}

static int judge_layers(struct orient_stand *out, const struct judge *judge,
                        const struct layer_grid *grid, struct vec middle, struct err *err)
{
    const struct orient_options *o = judge->options;
    struct support_estimate support;
    uint64_t *foot = malloc(grid->plane_words * sizeof *foot);
    double(*points)[2] = malloc((4 * grid->ny + 1) * sizeof *points);
    int result = -1;
    if (!foot || !points) {
        FAIL(err, ERR_LIMIT, "no memory for the foot of a part");
        goto out;
    }
    for (size_t s = 0; s < ORIENT_STYLES; s++) {
        if (support_estimate(&support, foot, grid, 2 * s, &o->style[s], err))
            goto out;
        out->support_mm3[s] = support.volume_mm3;
        out->cost_mm3 += o->weight[s] * support.volume_mm3;
        out->scars_mm2 += support.contact_mm2 / ORIENT_STYLES;
    }
    double cell = grid->pixel_mm * grid->pixel_mm;
    out->contact_mm2 = (double)plane_count(grid->solid, grid->plane_words) * cell;
    for (size_t w = 0; w < grid->plane_words; w++)
        foot[w] |= grid->solid[w];
    out->tilt_deg = tilt(grid, foot, middle, points);
    result = 0;
out:
    free(foot);
    free(points);
    return result;
}

int judge_stand(struct orient_stand *out, const struct judge *judge, struct vec down,
                double pixel_mm, struct err *err)
{
    const struct orient_options *o = judge->options;
    struct rotation r = rotation_down(down);
    struct mesh turned = {0};
    struct layer_grid grid = {0};
    double low[3], high[3];
    int result = -1;
    *out = (struct orient_stand){.down = vec_unit(down)};
    if (mesh_copy(&turned, judge->mesh, err))
        return -1;
    mesh_rotate(&turned, &r);
    mesh_bounds(&turned, low, high);
    for (int k = 0; k < 3; k++)
        out->size_mm[k] = high[k] - low[k];
    double margin = o->style[0].margin_mm > o->style[1].margin_mm ? o->style[0].margin_mm
                                                                  : o->style[1].margin_mm;
    struct layer_grid_options g = {.pixel_mm = pixel_mm, .layer_mm = pixel_mm, .margin_mm = margin};
    for (size_t s = 0; s < ORIENT_STYLES; s++)
        support_style_limits(g.steep_deg + 2 * s, &o->style[s]);
    struct vec middle = {vec_dot(r.row[0], judge->middle), vec_dot(r.row[1], judge->middle),
                         vec_dot(r.row[2], judge->middle)};
    if (layer_grid_build(&grid, &turned, &g, err) || judge_layers(out, judge, &grid, middle, err))
        goto out;
    surfaces(out, judge, &turned, low[2]);
    out->cost_mm3 += o->front_mm3 * out->front_scars_mm2 + poor_footing(out, judge->size_mm);
    out->allowed = fits(out->size_mm, o->bed_mm) && out->tilt_deg >= o->tilt_deg &&
                   (!judge->front || out->front_scars_mm2 <= judge->front_mm2);
    result = 0;
out:
    layer_grid_free(&grid);
    mesh_free(&turned);
    return result;
}

int mesh_judge_stand(struct orient_stand *out, const struct mesh *mesh, struct vec down,
                     double pixel_mm, const struct orient_options *options, struct err *err)
{
    struct judge judge;
    int result = judge_open(&judge, mesh, options, err);
    if (result == 0)
        result = judge_stand(out, &judge, down, pixel_mm, err);
    judge_close(&judge);
    return result;
}
