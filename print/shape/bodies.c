/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closed bodies; see bodies.h. Each is a closed 2-manifold by itself. */
#include "print/shape/bodies.h"

#include <stdbool.h>
#include <stdlib.h>

#include "print/repair/steps.h"

#define CYLINDER_SIDES 48
#define PI 3.14159265358979323846

static void add_triangle(struct mesh *mesh, size_t a, size_t b, size_t c)
{
    uint32_t *t = mesh->triangles + 3 * mesh->triangle_count++;
    t[0] = (uint32_t)a, t[1] = (uint32_t)b, t[2] = (uint32_t)c;
}

static void add_point(struct mesh *mesh, double x, double y, double z)
{
    mesh_point_set(mesh, (uint32_t)mesh->vertex_count++, (struct vec){x, y, z});
}

int body_add_box(struct mesh *mesh, struct vec low, struct vec high, struct err *err)
{
    const double outline[4][2] = {
        {low.x, low.y}, {high.x, low.y}, {high.x, high.y}, {low.x, high.y}};
    const double inwards[4][2] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
    const struct level levels[2] = {{low.z, 0}, {high.z, 0}};
    return body_add_stack(mesh, outline, inwards, 4, levels, 2, err);
}

static void add_facing(struct mesh *mesh, size_t a, size_t b, size_t c, bool down)
{
    if (down)
        add_triangle(mesh, a, c, b);
    else
        add_triangle(mesh, a, b, c);
}

/* A convex lid to and fro between its sides: no point gets all the thin corners, as in a fan. */
static void add_lid(struct mesh *mesh, size_t first, size_t count, bool down)
{
    for (size_t low = 0, high = count - 1; high - low >= 2; high--) {
        add_facing(mesh, first + low, first + low + 1, first + high, down);
        low++;
        if (high - low >= 2)
            add_facing(mesh, first + low, first + high - 1, first + high, down);
    }
}

int body_add_stack(struct mesh *mesh, const double (*outline)[2], const double (*inwards)[2],
                   size_t count, const struct level *levels, size_t level_count, struct err *err)
{
    size_t base = mesh->vertex_count;
    if (mesh_grow(mesh, count * level_count, 2 * count * level_count, err))
        return -1;
    for (size_t l = 0; l < level_count; l++)
        for (size_t i = 0; i < count; i++)
            add_point(mesh, outline[i][0] + inwards[i][0] * levels[l].inset,
                      outline[i][1] + inwards[i][1] * levels[l].inset, levels[l].z);
    for (size_t l = 0; l + 1 < level_count; l++)
        for (size_t i = 0; i < count; i++) {
            size_t j = (i + 1) % count, low = base + l * count, high = low + count;
            add_triangle(mesh, low + i, low + j, high + j);
            add_triangle(mesh, low + i, high + j, high + i);
        }
    add_lid(mesh, base, count, true);
    add_lid(mesh, base + (level_count - 1) * count, count, false);
    return 0;
}

int body_add_cylinder(struct mesh *mesh, struct vec bottom, double radius, double height,
                      struct err *err)
{
    double outline[CYLINDER_SIDES][2], inwards[CYLINDER_SIDES][2] = {{0}};
    const struct level levels[2] = {{bottom.z, 0}, {bottom.z + height, 0}};
    double reach = radius / cos(PI / CYLINDER_SIDES);
    for (int i = 0; i < CYLINDER_SIDES; i++) {
        outline[i][0] = bottom.x + reach * cos(2 * PI * (i + 0.5) / CYLINDER_SIDES);
        outline[i][1] = bottom.y + reach * sin(2 * PI * (i + 0.5) / CYLINDER_SIDES);
    }
    return body_add_stack(mesh, (const double(*)[2])outline, (const double(*)[2])inwards,
                          CYLINDER_SIDES, levels, 2, err);
}

static double turn(const double *a, const double *b, const double *c)
{
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

static double polygon_area(const double (*p)[2], size_t count)
{
    double sum = 0;
    for (size_t i = 1; i + 1 < count; i++)
        sum += turn(p[0], p[i], p[i + 1]);
    return sum / 2;
}

/* Corner b of the counter-clockwise rest can be cut off: convex, and no other corner inside. */
static int is_ear(const double (*p)[2], const size_t *next, size_t a, size_t b, size_t c)
{
    if (turn(p[a], p[b], p[c]) <= 0)
        return 0;
    for (size_t i = next[c]; i != a; i = next[i])
        if (turn(p[a], p[b], p[i]) >= 0 && turn(p[b], p[c], p[i]) >= 0 &&
            turn(p[c], p[a], p[i]) >= 0)
            return 0;
    return 1;
}

/* Of the ears the one with the widest corner at its tip goes first would be nicer; outlines of
 * letters are short enough to take the first. corners: 3 x (count - 2). */
static int cut_ears(size_t *corners, const double (*p)[2], size_t count, struct err *err)
{
    size_t *next = malloc(count * sizeof *next), left = count, at = 0, misses = 0, n = 0;
    if (!next)
        return FAIL(err, ERR_LIMIT, "no memory for an outline of %zu corners", count);
    for (size_t i = 0; i < count; i++)
        next[i] = (i + 1) % count;
    while (left > 3 && misses <= left) {
        size_t b = next[at], c = next[b];
        if (is_ear(p, next, at, b, c)) {
            corners[n++] = at, corners[n++] = b, corners[n++] = c;
            next[at] = c;
            left--;
            misses = 0;
        } else {
            misses++;
        }
        at = next[at];
    }
    if (left == 3)
        corners[n++] = at, corners[n++] = next[at], corners[n++] = next[next[at]];
    free(next);
    return left == 3 ? 0 : 1;
}

static void add_prism(struct mesh *mesh, const double (*p)[2], size_t count, const size_t *corners,
                      int turned, const double z[2])
{
    size_t low = mesh->vertex_count, high = low + count;
    size_t first = mesh->triangle_count;
    for (int end = 0; end < 2; end++)
        for (size_t i = 0; i < count; i++)
            add_point(mesh, p[i][0], p[i][1], z[end]);
    for (size_t i = 0; i < 3 * (count - 2); i += 3) {
        add_triangle(mesh, low + corners[i], low + corners[i + 2], low + corners[i + 1]);
        add_triangle(mesh, high + corners[i], high + corners[i + 1], high + corners[i + 2]);
    }
    for (size_t i = 0; i < count; i++) {
        size_t j = (i + 1) % count;
        add_triangle(mesh, low + i, low + j, high + j);
        add_triangle(mesh, low + i, high + j, high + i);
    }
    for (size_t t = first; turned && t < mesh->triangle_count; t++) {
        uint32_t other = mesh->triangles[3 * t + 1];
        mesh->triangles[3 * t + 1] = mesh->triangles[3 * t + 2];
        mesh->triangles[3 * t + 2] = other;
    }
}

int body_add_prism(struct mesh *mesh, const double (*outline)[2], size_t count, double low,
                   double high, struct err *err)
{
    const double z[2] = {low, high};
    double area = count >= 3 ? polygon_area(outline, count) : 0;
    if (area == 0)
        return 1;
    double(*p)[2] = malloc(count * sizeof *p);
    size_t *corners = malloc(3 * count * sizeof *corners);
    int failed = p && corners ? 0 : FAIL(err, ERR_LIMIT, "no memory for an outline");
    for (size_t i = 0; !failed && i < count; i++) {
        size_t from = area > 0 ? i : count - 1 - i;
        p[i][0] = outline[from][0], p[i][1] = outline[from][1];
    }
    if (!failed)
        failed = cut_ears(corners, (const double(*)[2])p, count, err);
    if (!failed)
        failed = mesh_grow(mesh, 2 * count, 4 * count, err);
    if (!failed)
        add_prism(mesh, (const double(*)[2])p, count, corners, area < 0, z);
    free(p);
    free(corners);
    return failed;
}
