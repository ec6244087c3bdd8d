/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a mesh stands on the bed: what touches it, what hangs over, when it would tip. */
#include <stdlib.h>

#include "print/measure/measure.h"

/* Within half a first layer of the bed the plastic is pressed onto it. */
#define CONTACT_MM 0.1
#define RAD_TO_DEG 57.29577951308232

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

/* Andrew's monotone chain. */
size_t hull_2d(double (*points)[2], size_t count)
{
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

/* Signed distance of (x, y) to the hull's nearest side, positive inside. */
static double inside_by(double (*hull)[2], size_t count, double x, double y)
{
    double least = INFINITY;
    if (count < 3)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const double *a = hull[i], *b = hull[(i + 1) % count];
        double length = hypot(b[0] - a[0], b[1] - a[1]);
        const double p[2] = {x, y};
        double d = length > 0 ? turn(a, b, p) / length : INFINITY;
        least = d < least ? d : least;
    }
    return least;
}

static struct vec centre_of_mass(const struct mesh *mesh, double bottom)
{
    double volume = 0;
    struct vec sum = {0}, origin = mesh_point(mesh, mesh->triangles[0]);
    origin.z = bottom;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec a = vec_sub(mesh_corner(mesh, t, 0), origin);
        struct vec b = vec_sub(mesh_corner(mesh, t, 1), origin);
        struct vec c = vec_sub(mesh_corner(mesh, t, 2), origin);
        double v = vec_dot(a, vec_cross(b, c));
        volume += v;
        sum = vec_add(sum, vec_scale(vec_add(a, vec_add(b, c)), v / 4));
    }
    return vec_add(origin, vec_scale(sum, fabs(volume) > 0 ? 1 / volume : 0));
}

static double tilt_margin(const struct mesh *mesh, double bottom, double (*points)[2], size_t count)
{
    size_t corners = hull_2d(points, count);
    struct vec middle = centre_of_mass(mesh, bottom);
    double inside = inside_by(points, corners, middle.x, middle.y);
    double height = middle.z - bottom;
    return RAD_TO_DEG * atan2(inside, height > 1e-9 ? height : 1e-9);
}

int mesh_measure_stand(struct print_measures *out, const struct mesh *mesh, double overhang_deg,
                       struct err *err)
{
    double low[3], high[3];
    size_t count = 0;
    if (mesh->triangle_count == 0)
        return 0;
    mesh_bounds(mesh, low, high);
    double(*points)[2] = malloc((mesh->vertex_count + 1) * sizeof *points);
    if (!points)
        return FAIL(err, ERR_LIMIT, "no memory for the foot of %zu vertices", mesh->vertex_count);
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        struct vec p = mesh_point(mesh, v);
        if (p.z > low[2] + CONTACT_MM)
            continue;
        points[count][0] = p.x;
        points[count++][1] = p.y;
    }
    double steep = sin(overhang_deg / RAD_TO_DEG);
    out->contact_area_mm2 = out->overhang_area_mm2 = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec n = mesh_normal2(mesh, t);
        double area2 = vec_length(n), top = -INFINITY, bottom = INFINITY;
        for (int c = 0; c < 3; c++) {
            double z = mesh_corner(mesh, t, c).z;
            top = z > top ? z : top;
            bottom = z < bottom ? z : bottom;
        }
        if (top <= low[2] + CONTACT_MM && n.z < 0)
            out->contact_area_mm2 += -n.z / 2;
        else if (bottom > low[2] + 2 * CONTACT_MM && n.z < -steep * area2)
            out->overhang_area_mm2 += area2 / 2;
    }
    out->tilt_margin_deg = tilt_margin(mesh, low[2], points, count);
    free(points);
    return 0;
}
