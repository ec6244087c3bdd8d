/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The convex hull seen from above, and the turn in which it fits a build plate. */
#include <stdlib.h>

#include "print/measure/measure.h"
#include "print/measure/stand.h"

#define WAYS 16
#define DEG 0.017453292519943295

static int point_compare(const void *a, const void *b)
{
    const double *p = a, *q = b;
    for (int k = 0; k < 2; k++)
        if (p[k] != q[k])
            return p[k] < q[k] ? -1 : 1;
    return 0;
}

static double turn(const double *a, const double *b, const double *c)
{
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/* Drops what lies well inside the polygon of the outermost points of 16 ways: most of a mesh. */
static size_t drop_inner(double (*points)[2], size_t count)
{
    double rim[WAYS + 1][2] = {{0}}, span = 0;
    for (int w = 0; w < WAYS; w++) {
        double x = cos(w * 360.0 / WAYS * DEG), y = sin(w * 360.0 / WAYS * DEG), most = -INFINITY;
        for (size_t i = 0; i < count; i++) {
            double d = points[i][0] * x + points[i][1] * y;
            if (!(d > most))
                continue;
            most = d;
            rim[w][0] = points[i][0];
            rim[w][1] = points[i][1];
        }
        span = fmax(span, hypot(rim[w][0] - rim[0][0], rim[w][1] - rim[0][1]));
    }
    rim[WAYS][0] = rim[0][0];
    rim[WAYS][1] = rim[0][1];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool inner = true;
        for (int w = 0; w < WAYS && inner; w++)
            inner = (rim[w][0] == rim[w + 1][0] && rim[w][1] == rim[w + 1][1]) ||
                    turn(rim[w], rim[w + 1], points[i]) > 1e-9 * span * span;
        if (inner)
            continue;
        points[kept][0] = points[i][0];
        points[kept++][1] = points[i][1];
    }
    return kept;
}

/* Andrew's monotone chain. */
size_t hull_2d(double (*points)[2], size_t count)
{
    if (count > 4 * WAYS)
        count = drop_inner(points, count);
    if (count < 3)
        return count;
    qsort(points, count, sizeof *points, point_compare);
    double(*hull)[2] = malloc((2 * count + 1) * sizeof *hull);
    if (!hull)
        return 0;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t floor = n + 1;
        for (size_t i = 0; i < count; i++) {
            const double *p = points[pass ? count - 1 - i : i];
            while (n > floor && turn(hull[n - 2], hull[n - 1], p) <= 0)
                n--;
            if (n + 1 == floor || p[0] != hull[n - 1][0] || p[1] != hull[n - 1][1]) {
                hull[n][0] = p[0];
                hull[n++][1] = p[1];
            }
        }
        n -= n > 1; /* the next chain begins with this point */
    }
    for (size_t i = 0; i < n && i < count; i++) {
        points[i][0] = hull[i][0];
        points[i][1] = hull[i][1];
    }
    free(hull);
    return n < count ? n : count;
}

struct outline {
    double (*hull)[2];
    size_t count;
    const double *bed_mm;
};

/* Width and depth of the outline turned by an angle. */
static void box_at(double size[2], const struct outline *o, double deg)
{
    double c = cos(deg * DEG), s = sin(deg * DEG);
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < o->count; i++) {
        const double at[2] = {c * o->hull[i][0] - s * o->hull[i][1],
                              s * o->hull[i][0] + c * o->hull[i][1]};
        for (int k = 0; k < 2; k++) {
            low[k] = fmin(low[k], at[k]);
            high[k] = fmax(high[k], at[k]);
        }
    }
    for (int k = 0; k < 2; k++)
        size[k] = o->count ? high[k] - low[k] : 0;
}

static double room_at(const struct outline *o, double deg)
{
    double size[2];
    box_at(size, o, deg);
    return fmin(o->bed_mm[0] / fmax(size[0], 1e-9), o->bed_mm[1] / fmax(size[1], 1e-9));
}

/* Every half degree, then closer round the best. */
static double best_turn(const struct outline *o)
{
    double best = 0, room = room_at(o, 0);
    for (double step = 0.5, from = 0, end = 180; step > 1e-4; step /= 10) {
        for (int i = 0; from + i * step < end; i++) {
            double deg = from + i * step, at = room_at(o, deg);
            if (at > room * (1 + 1e-12)) {
                room = at;
                best = deg;
            }
        }
        from = best - step;
        end = best + step;
    }
    return best < 0 ? best + 180 : best;
}

int mesh_fit_plate(struct plate_fit *out, const struct mesh *mesh, const double bed_mm[3],
                   struct err *err)
{
    double low[3], high[3];
    struct outline o = {.bed_mm = bed_mm};
    mesh_bounds(mesh, low, high);
    o.hull = malloc((mesh->vertex_count + 1) * sizeof *o.hull);
    if (!o.hull)
        return FAIL(err, ERR_LIMIT, "no memory for an outline of %zu points", mesh->vertex_count);
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        const float *p = mesh->xyz + 3 * v;
        bool used = p[0] >= low[0] && p[0] <= high[0] && p[1] >= low[1] && p[1] <= high[1];
        if (!used) /* a stray vertex outside the box of the triangles */
            continue;
        o.hull[o.count][0] = p[0];
        o.hull[o.count++][1] = p[1];
    }
    o.count = hull_2d(o.hull, o.count);
    double tall = bed_mm[2] / fmax(high[2] - low[2], 1e-9);
    struct plate_fit fit = {.size_mm = {0, 0, high[2] - low[2]}};
    fit.turn_deg = room_at(&o, 0) >= 1 ? 0 : best_turn(&o);
    box_at(fit.size_mm, &o, fit.turn_deg);
    fit.scale = fmin(room_at(&o, fit.turn_deg), tall);
    fit.fits = fit.scale >= 1 - 1e-9;
    free(o.hull);
    *out = fit;
    return 0;
}
