/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/measure: figures that can be worked out by hand. */
#include "tests/test.h"

#include "print/measure/bvh.h"
#include "print/measure/compare.h"
#include "print/measure/measure.h"
#include "print/measure/stand.h"
#include "tests/print/meshes.h"

static struct err err;

static void test_measure__counts_a_box(void)
{
    struct mesh m = {0};
    struct mesh_measures got;
    add_box(&m, 1, 2, 3, 10, 20, 30);
    CHECK_OK(mesh_measure(&got, &m, &err));
    CHECK(got.triangles == 12 && got.vertices == 8 && got.shells == 1 && got.watertight);
    CHECK_NEAR(got.volume_mm3, 6000, 1e-6);
    CHECK_NEAR(got.area_mm2, 2200, 1e-6);
    CHECK_NEAR(got.size_mm[1], 20, 1e-9);
    CHECK_NEAR(got.max_mm[2], 33, 1e-9);
    mesh_free(&m);
}

static void test_measure__tells_the_faults_apart(void)
{
    struct mesh m = {0};
    struct mesh_measures got;
    add_box(&m, 0, 0, 0, 10, 10, 10);
    m.triangle_count--;
    CHECK_OK(mesh_measure(&got, &m, &err));
    CHECK(got.boundary_edges == 3 && !got.watertight);
    m.triangle_count++;
    turn_triangles(&m, 0, 1);
    CHECK_OK(mesh_measure(&got, &m, &err));
    CHECK(got.inconsistent_edges == 3 && got.boundary_edges == 0 && !got.watertight);
    turn_triangles(&m, 0, 1);
    add_box(&m, 10, 10, 0, 10, 10, 10);
    CHECK_OK(mesh_measure(&got, &m, &err));
    CHECK(got.nonmanifold_edges == 1 && got.shells == 1);
    mesh_free(&m);
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 10, 10, 10, 10, 10, 10);
    CHECK_OK(mesh_measure(&got, &m, &err));
    CHECK(got.nonmanifold_vertices == 1 && got.nonmanifold_edges == 0 && got.shells == 2);
    mesh_free(&m);
}

/* A box 10 wide and 20 high leans by atan(5 / 10) before its middle leaves the foot. */
static void test_measure__knows_when_a_box_tips(void)
{
    struct mesh m = {0};
    struct print_measures got = {0};
    add_box(&m, 0, 0, 0, 10, 30, 20);
    CHECK_OK(mesh_measure_stand(&got, &m, 45, &err));
    CHECK_NEAR(got.tilt_margin_deg, 26.565, 0.01);
    CHECK_NEAR(got.contact_area_mm2, 300, 1e-3);
    CHECK_NEAR(got.overhang_area_mm2, 0, 1e-9);
    /* A heavy block to one side, hanging free: an overhang, and it falls. */
    add_box(&m, 10, 0, 10, 30, 30, 10);
    CHECK_OK(mesh_measure_stand(&got, &m, 45, &err));
    CHECK_NEAR(got.overhang_area_mm2, 900, 1e-3);
    CHECK(got.tilt_margin_deg < 0);
    mesh_free(&m);
}

static void test_measure__finds_thin_walls_and_change(void)
{
    struct mesh m = {0}, before = {0};
    struct print_measures got;
    add_box(&m, 0, 0, 0, 50, 50, 0.5f);
    add_box(&before, 0, 0, 0, 50, 50, 2.5f);
    struct print_measure_options options = {
        .visible = &before, .min_wall_mm = 0.8, .overhang_deg = 45};
    CHECK_OK(mesh_measure_print(&got, &m, &options, &err));
    CHECK(got.thin_share > 0.9);
    CHECK_NEAR(got.deviation_max_mm, 2, 0.01);
    CHECK(got.self_intersections == 0);
    options.visible = &m;
    options.min_wall_mm = 0.4;
    CHECK_OK(mesh_measure_print(&got, &m, &options, &err));
    CHECK(got.thin_share < 0.05);
    CHECK_NEAR(got.deviation_max_mm, 0, 1e-6);
    mesh_free(&m);
    mesh_free(&before);
}

/* What cannot be seen may go: an inner wall's loss is no change. */
static void test_measure__ignores_what_was_hidden(void)
{
    struct mesh m = {0}, before = {0};
    struct print_measures got;
    add_box(&m, 0, 0, 0, 50, 50, 50);
    add_box(&before, 0, 0, 0, 50, 50, 50);
    add_box(&before, 20, 20, 20, 10, 10, 10);
    struct print_measure_options options = {.visible = &before, .overhang_deg = 45};
    CHECK_OK(mesh_measure_print(&got, &m, &options, &err));
    CHECK_NEAR(got.deviation_max_mm, 0, 1e-6);
    mesh_free(&m);
    mesh_free(&before);
}

/* A thin rod through a box crosses two of its sides; boxes apart cross nothing. */
static void test_crossing__counts_triangles_that_pierce(void)
{
    struct mesh m = {0};
    struct bvh bvh;
    size_t count;
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 3.1f, 4.3f, -5, 1, 1, 20);
    CHECK_OK(bvh_build(&bvh, &m, &err));
    CHECK_OK(bvh_self_intersections(&bvh, &count, 1000000, &err));
    CHECK(count >= 10 && count <= 12); /* eight of the rod's sides, and what they pierce */
    bvh_free(&bvh);
    mesh_free(&m);
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 20, 0, 0, 10, 10, 10);
    CHECK_OK(bvh_build(&bvh, &m, &err));
    CHECK_OK(bvh_self_intersections(&bvh, &count, 1000000, &err));
    CHECK(count == 0);
    bvh_free(&bvh);
    mesh_free(&m);
}

static void test_tree__answers_as_a_ball_does(void)
{
    struct mesh m = {0};
    struct bvh bvh;
    uint32_t hit;
    add_ball(&m, 0, 0, 0, 10, 40);
    CHECK_OK(bvh_build(&bvh, &m, &err));
    CHECK_OK(bvh_add_dipoles(&bvh, &err));
    for (int i = 0; i < 50; i++) {
        struct vec p = {sin(i) * i * 0.4, cos(i * 1.7) * i * 0.3, sin(i * 0.7) * i * 0.3};
        double r = vec_length(p), tolerance = 0.05;
        if (fabs(r - 10) < 0.3)
            continue;
        CHECK_NEAR(bvh_winding(&bvh, p), r < 10 ? 1 : 0, 0.04);
        CHECK_NEAR(bvh_nearest(&bvh, p, 1e9, NULL, NULL), fabs(r - 10), tolerance);
    }
    CHECK_NEAR(
        bvh_ray(&bvh, (struct vec){-20, 0.1, 0.2}, (struct vec){1, 0, 0}, 0, UINT32_MAX, &hit), 10,
        0.05);
    CHECK(
        isinf(bvh_ray(&bvh, (struct vec){-20, 0, 0}, (struct vec){-1, 0, 0}, 0, UINT32_MAX, NULL)));
    CHECK_NEAR(bvh_nearest(&bvh, (struct vec){30, 0, 0}, 5, NULL, NULL), 5, 0);
    bvh_free(&bvh);
    mesh_free(&m);
}

/* The same triangles in another order and direction have not moved. */
static void test_compare__knows_triangles_again(void)
{
    struct mesh before = {0}, after = {0};
    struct deviation d;
    float map[12];
    add_box(&before, 0, 0, 0, 10, 20, 30);
    CHECK_OK(mesh_copy(&after, &before, &err));
    for (int i = 0; i < 18; i++) { /* last corner first */
        uint32_t swap = after.triangles[i];
        after.triangles[i] = after.triangles[35 - i];
        after.triangles[35 - i] = swap;
    }
    CHECK_OK(mesh_deviation(&d, map, &before, &after, NULL, &err));
    CHECK(d.mean_mm == 0 && d.max_mm == 0 && d.samples == 0 && d.moved_share == 0);
    for (int t = 0; t < 12; t++)
        CHECK(map[t] == 0);
    mesh_free(&before);
    mesh_free(&after);
}

/* A lid raised by d: the lid has moved by d, its rim's sides by less; a ten-thousandth shows. */
static void test_compare__measures_small_and_large_moves(void)
{
    static const float raised[] = {0.0002f, 0.01f, 3};
    struct mesh before = {0};
    add_box(&before, 0, 0, 0, 10, 10, 10);
    for (int i = 0; i < 3; i++) {
        struct mesh after = {0};
        struct deviation d;
        float map[12];
        add_box(&after, 0, 0, 0, 10, 10, 10 + raised[i]);
        CHECK_OK(mesh_deviation(&d, map, &before, &after, NULL, &err));
        CHECK_NEAR(d.max_mm, (double)raised[i], 1e-6);
        CHECK_NEAR(d.mean_mm, (double)raised[i] / 6, 0.1 * (double)raised[i]);
        CHECK_NEAR(d.max_at[2], 10, 1e-9);
        CHECK_NEAR(d.moved_share, 1 - 100.0 / 600, 1e-6);    /* the foot stayed */
        CHECK_NEAR((double)map[2], (double)raised[i], 1e-6); /* the lid, corner 4 5 6 */
        mesh_free(&after);
    }
    mesh_free(&before);
}

/* A table top on a foot at its left end: heavy to the right, so that is where it falls. */
static void test_stand__says_which_way_it_tips(void)
{
    struct mesh m = {0};
    struct stand s;
    add_box(&m, 0, 0, 0, 10, 20, 20);
    add_box(&m, 0, 0, 20, 16, 20, 5);
    CHECK_OK(mesh_stand(&s, &m, &err));
    double x = (4000 * 5 + 1600 * 8) / 5600.0, z = (4000 * 10 + 1600 * 22.5) / 5600.0;
    CHECK_NEAR(s.centre_of_mass_mm[0], x, 1e-6);
    CHECK_NEAR(s.centre_of_mass_mm[2], z, 1e-6);
    CHECK_NEAR(s.tilt_margin_deg, atan2(10 - x, z) * 57.29578, 1e-3);
    CHECK_NEAR(s.tips_towards_deg, 0, 1e-6);
    CHECK_NEAR(s.foot_mm[0], 10, 1e-6);
    /* Its underside is a flat ceiling: beyond every angle. */
    CHECK_NEAR(s.overhang_area_mm2[0], 320, 1e-3);
    CHECK_NEAR(s.overhang_area_mm2[STAND_ANGLES - 1], 320, 1e-3);
    mesh_free(&m);
}

/* 120 long and 10 wide does not lie along a bed of 100 x 100, but across it. */
static void test_stand__finds_the_turn_that_fits(void)
{
    struct mesh m = {0};
    struct plate_fit fit;
    add_box(&m, 0, 0, 0, 120, 10, 10);
    CHECK_OK(mesh_fit_plate(&fit, &m, (double[3]){100, 100, 100}, &err));
    CHECK(fit.fits);
    CHECK_NEAR(fmod(fit.turn_deg, 90), 45, 0.5);
    CHECK_NEAR(fit.size_mm[0], 130 / sqrt(2), 0.1);
    CHECK_OK(mesh_fit_plate(&fit, &m, (double[3]){100, 130, 100}, &err));
    CHECK(fit.fits && fit.turn_deg > 0);
    CHECK_OK(mesh_fit_plate(&fit, &m, (double[3]){130, 100, 100}, &err));
    CHECK(fit.fits && fit.turn_deg == 0);
    CHECK_OK(mesh_fit_plate(&fit, &m, (double[3]){50, 50, 100}, &err));
    CHECK(!fit.fits);
    CHECK_NEAR(fit.scale, 50 / (130 / sqrt(2)), 0.01);
    CHECK_OK(mesh_fit_plate(&fit, &m, (double[3]){200, 200, 5}, &err));
    CHECK(!fit.fits);
    CHECK_NEAR(fit.scale, 0.5, 1e-6);
    mesh_free(&m);
}

/* Thousands of points within, and on, a circle: only those on it are the hull. */
static void test_hull__keeps_the_outermost_points(void)
{
    static double points[4000][2];
    for (int i = 0; i < 3600; i++) {
        double r = i < 3240 ? 9.9 * sqrt(i / 3240.0) : 10,
               turn = i < 3240 ? i * 2.4 : i * 0.0174532925199;
        points[i][0] = 5 + r * cos(turn);
        points[i][1] = -3 + r * sin(turn);
    }
    CHECK(hull_2d(points, 3600) == 360);
    for (int i = 0; i < 360; i++)
        CHECK_NEAR(hypot(points[i][0] - 5, points[i][1] + 3), 10, 1e-9);
}

TESTS(TEST(test_measure__counts_a_box), TEST(test_measure__tells_the_faults_apart),
      TEST(test_measure__knows_when_a_box_tips), TEST(test_measure__finds_thin_walls_and_change),
      TEST(test_measure__ignores_what_was_hidden),
      TEST(test_crossing__counts_triangles_that_pierce), TEST(test_tree__answers_as_a_ball_does),
      TEST(test_compare__knows_triangles_again), TEST(test_compare__measures_small_and_large_moves),
      TEST(test_stand__says_which_way_it_tips), TEST(test_stand__finds_the_turn_that_fits),
      TEST(test_hull__keeps_the_outermost_points))
