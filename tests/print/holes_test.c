/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/repair/holes*.c: holes in surfaces whose true shape is known. */
#include "tests/test.h"

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"
#include "tests/print/meshes.h"
#include "tests/print/solid.h"

static struct err err;

static struct hole_counts counts;

static int fill(struct mesh *mesh)
{
    return mesh_fill_holes(mesh, 0.35, &counts, &err);
}

static const struct vec aside = {1, 0.7, 0.4}; /* no axis of the balls: rims come out ragged */

/* Drops the triangles whose middle is within `angle` of a direction. */
static void cut_cap(struct mesh *m, struct vec towards, double angle)
{
    towards = vec_unit(towards);
    size_t n = 0;
    for (size_t t = 0; t < m->triangle_count; t++) {
        struct vec p =
            vec_add(vec_add(mesh_corner(m, t, 0), mesh_corner(m, t, 1)), mesh_corner(m, t, 2));
        if (vec_dot(vec_unit(p), towards) < cos(angle))
            memmove(m->triangles + 3 * n++, m->triangles + 3 * t, 12);
    }
    m->triangle_count = n;
}

/* The volume that a lid of the least area would lose is that of the cap. */
static void test_holes__bulge_where_the_surface_does(void)
{
    struct mesh m = {0};
    add_ball(&m, 0, 0, 0, 10, 24);
    double whole = mesh_volume(&m), angle = 3.14159265 / 6, h = 1 - cos(angle);
    cut_cap(&m, aside, angle);
    CHECK_OK(fill(&m));
    CHECK(counts.filled == 1 && counts.smooth == 1);
    CHECK(mesh_is_sound(&m));
    double flat = 1000 * 3.14159265 * h * h * (3 - h) / 3;
    CHECK_NEAR(mesh_volume(&m), whole, flat / 10);
    double off = 0;
    for (uint32_t v = 0; v < m.vertex_count; v++)
        off = fmax(off, fabs(vec_length(mesh_point(&m, v)) - 10));
    CHECK(off < 0.25);
    mesh_free(&m);
}

/* A square plate of quads of z = height(x, y) with `thick` below it, without what lies within 4 of
 * the middle on its upper side. */
static void add_field(struct mesh *m, double (*height)(double, double), int n, double step)
{
    const size_t side = (size_t)n + 1;
    CHECK_OK(mesh_alloc(m, 2 * side * side, (size_t)(4 * n * n + 8 * n), &err));
    for (size_t v = 0; v < 2 * side * side; v++) {
        size_t i = v % side, j = v / side % side;
        double x = ((double)i - n / 2.0) * step, y = ((double)j - n / 2.0) * step;
        mesh_point_set(m, (uint32_t)v, (struct vec){x, y, v < side * side ? height(x, y) : -20});
    }
    uint32_t *t = m->triangles, s = (uint32_t)side, under = s * s;
    for (uint32_t j = 0; j < (uint32_t)n; j++)
        for (uint32_t i = 0; i < (uint32_t)n; i++) {
            uint32_t a = j * s + i, b = a + 1, c = b + s, d = a + s;
            double x = (i + 0.5 - n / 2.0) * step, y = (j + 0.5 - n / 2.0) * step;
            if (x * x + y * y > 16) {
                *t++ = a, *t++ = b, *t++ = c;
                *t++ = a, *t++ = c, *t++ = d;
            }
            *t++ = under + a, *t++ = under + c, *t++ = under + b;
            *t++ = under + a, *t++ = under + d, *t++ = under + c;
        }
    for (uint32_t i = 0; i < (uint32_t)n; i++) {
        const uint32_t rim[4][2] = {{i, i + 1},
                                    {(i + 1) * s + s - 1 - s, (i + 1) * s + s - 1},
                                    {s * s - 1 - i, s * s - 2 - i},
                                    {(i + 1) * s, i * s}};
        for (int k = 0; k < 4; k++) {
            uint32_t a = rim[k][0], b = rim[k][1];
            *t++ = b, *t++ = a, *t++ = under + a;
            *t++ = b, *t++ = under + a, *t++ = under + b;
        }
    }
    m->triangle_count = (size_t)(t - m->triangles) / 3;
}

static double plane(double x, double y)
{
    return 0.3 * x + 0.1 * y;
}

static double saddle(double x, double y)
{
    return (x * x - y * y) / 24;
}

static double hill(double x, double y)
{
    return -(x * x + y * y) / 24;
}

static void test_holes__stay_flat_in_a_plane(void)
{
    struct mesh m = {0};
    add_field(&m, plane, 24, 1);
    size_t vertices = m.vertex_count;
    CHECK_OK(fill(&m));
    CHECK(counts.filled == 1 && counts.smooth == 0);
    CHECK_OK(mesh_compact(&m, &err));
    CHECK(m.vertex_count < vertices && mesh_is_sound(&m));
    CHECK_NEAR(mesh_volume(&m), 24 * 24 * 20, 0.1);
    mesh_free(&m);
}

/* Farthest that the vertices over the middle lie from the true surface. */
static double off_surface(const struct mesh *m, double (*height)(double, double))
{
    double off = 0;
    for (size_t h = 0; h < 3 * m->triangle_count; h++) {
        struct vec p = mesh_point(m, m->triangles[h]);
        if (p.z > -19 && p.x * p.x + p.y * p.y < 16)
            off = fmax(off, fabs(p.z - height(p.x, p.y)));
    }
    return off;
}

/* Both have a rim with long straight runs in the plan: collinear corners of the quads' grid. */
static void test_holes__follow_saddles_and_hills(void)
{
    double (*const heights[2])(double, double) = {saddle, hill};
    for (int i = 0; i < 2; i++) {
        struct mesh m = {0};
        add_field(&m, heights[i], 24, 1);
        CHECK_OK(fill(&m));
        CHECK(counts.filled == 1 && counts.smooth == 1);
        CHECK_OK(mesh_compact(&m, &err));
        CHECK(mesh_is_sound(&m));
        CHECK(off_surface(&m, heights[i]) < 0.12);
        mesh_free(&m);
    }
}

/* The ragged open foot of a cup: the walls turn away from the lid, so it must not bulge. */
static void test_holes__leave_an_open_foot_plain(void)
{
    struct mesh m = {0};
    add_ball(&m, 0, 0, 0, 10, 24);
    for (size_t v = 0; v < m.vertex_count; v++)
        m.xyz[3 * v + 2] *= 3;
    cut_cap(&m, (struct vec){0.05, 0.03, 1}, 1.45);
    size_t vertices = m.vertex_count;
    CHECK_OK(fill(&m));
    CHECK(counts.filled == 1 && counts.smooth == 0);
    CHECK(m.vertex_count == vertices);
    mesh_free(&m);
}

/* Straight rims whose corners lie on lines: a lid of triangles without area would be refused. */
static void test_holes__take_collinear_rims(void)
{
    struct mesh m = {0};
    add_field(&m, plane, 24, 1);
    for (size_t v = 0; v < m.vertex_count; v++)
        if (m.xyz[3 * v + 2] > -19)
            m.xyz[3 * v + 2] = m.xyz[3 * v] > 0 ? -m.xyz[3 * v] / 2 : 0;
    CHECK_OK(fill(&m));
    CHECK(counts.filled == 1);
    CHECK(mesh_is_sound(&m));
    mesh_free(&m);
}

/* Through the middle of the hole stands another shell: a bulge would run into it. */
static void test_holes__fall_back_where_a_bulge_would_meet_something(void)
{
    struct mesh m = {0};
    add_ball(&m, 0, 0, 0, 10, 24);
    cut_cap(&m, aside, 3.14159265 / 6);
    size_t before = m.triangle_count;
    add_ball(&m, 9.6 * 0.7785, 9.6 * 0.5449, 9.6 * 0.3114, 0.5, 4);
    CHECK_OK(fill(&m));
    CHECK(counts.filled == 1 && counts.smooth == 0);
    CHECK(m.triangle_count > before);
    mesh_free(&m);
}

TESTS(TEST(test_holes__bulge_where_the_surface_does), TEST(test_holes__stay_flat_in_a_plane),
      TEST(test_holes__follow_saddles_and_hills), TEST(test_holes__leave_an_open_foot_plain),
      TEST(test_holes__take_collinear_rims),
      TEST(test_holes__fall_back_where_a_bulge_would_meet_something))
