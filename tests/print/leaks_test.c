/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/repair/leaks.h: hollow balls and cups whose opening is too small to print, or is not. */
#include "tests/test.h"

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/leaks.h"
#include "print/repair/solid.h"
#include "print/repair/steps.h"
#include "tests/print/meshes.h"
#include "tests/print/solid.h"

static struct err err;

static struct leak_counts counts;

/* A ball with a hollow in it and a square hole of the given width through its wall. */
static int add_leaky_ball(struct mesh *m, double radius, double wall, double hole)
{
    struct mesh tool = {0};
    add_ball(m, 0.013, 0.027, 0, radius, 32);
    add_ball(&tool, 0.013, 0.027, 0, radius - wall, 32);
    int failed = mesh_append(m, &tool, true, &err) || mesh_unite(m, 2 * radius, NULL, &err);
    mesh_free(&tool);
    add_box(&tool, (float)(-hole / 2 + 3.1), (float)(-hole / 2 + 1.7), (float)(radius / 2),
            (float)hole, (float)hole, (float)radius);
    failed = failed || mesh_append(m, &tool, true, &err) || mesh_unite(m, 2 * radius, NULL, &err);
    mesh_free(&tool);
    return failed;
}

static double ball(double radius)
{
    return 4.18879 * radius * radius * radius;
}

static void test_leaks__fill_a_ball_with_a_hairline_hole(void)
{
    struct mesh m = {0};
    CHECK_OK(add_leaky_ball(&m, 15, 2, 0.3));
    struct mesh_measures before;
    CHECK_OK(mesh_measure(&before, &m, &err));
    CHECK(before.shells == 1 && mesh_is_sound(&m));
    CHECK_NEAR(before.volume_mm3, ball(15) - ball(13), 120);
    CHECK_OK(mesh_close_leaks(&m, 0.5, &counts, &err));
    CHECK(counts.hidden_share > 0.3 && counts.hollows == 1 && counts.lids == 1);
    CHECK(mesh_is_sound(&m));
    CHECK_NEAR(mesh_volume(&m), ball(15), 0.01 * ball(15));
    mesh_free(&m);
}

static void test_leaks__keep_a_hole_that_prints(void)
{
    struct mesh m = {0};
    CHECK_OK(add_leaky_ball(&m, 15, 2, 3));
    double volume = mesh_volume(&m);
    size_t triangles = m.triangle_count;
    CHECK_OK(mesh_close_leaks(&m, 0.5, &counts, &err));
    CHECK(counts.hidden_share > 0.02 && counts.hollows == 0 && counts.dropped == 0);
    CHECK(m.triangle_count == triangles && mesh_volume(&m) == volume);
    mesh_free(&m);
}

/* Two hollows, one leaks and one is open: only the first goes. */
static void test_leaks__tell_two_hollows_apart(void)
{
    struct mesh m = {0}, other = {0};
    CHECK_OK(add_leaky_ball(&m, 15, 2, 0.3));
    CHECK_OK(add_leaky_ball(&other, 10, 2, 3));
    for (size_t v = 0; v < other.vertex_count; v++)
        other.xyz[3 * v] += 24;
    CHECK_OK(mesh_append(&m, &other, false, &err));
    CHECK_OK(mesh_unite(&m, 50, NULL, &err));
    double volume = mesh_volume(&m);
    CHECK_OK(mesh_close_leaks(&m, 0.5, &counts, &err));
    CHECK(counts.hollows == 1 && mesh_is_sound(&m));
    CHECK_NEAR(mesh_volume(&m) - volume, ball(13), 0.01 * ball(13));
    mesh_free(&m);
    mesh_free(&other);
}

/* A cup is full of places that see little of the sky; it is no hollow. */
static void test_leaks__leave_a_mug(void)
{
    struct mesh m = {0}, tool = {0};
    add_box(&m, -15, -15, 0, 30, 30, 80);
    add_box(&tool, -12, -12, 3, 24, 24, 90);
    CHECK_OK(mesh_append(&m, &tool, true, &err));
    CHECK_OK(mesh_unite(&m, 90, NULL, &err));
    double volume = mesh_volume(&m);
    CHECK_OK(mesh_close_leaks(&m, 0.5, &counts, &err));
    CHECK(counts.dropped == 0 && mesh_volume(&m) == volume);
    mesh_free(&m);
    mesh_free(&tool);
}

/* A cavity has no leak: it is for the sorting of shells, and costs no bitmap here. */
static void test_leaks__leave_a_sealed_cavity_to_others(void)
{
    struct mesh m = {0}, tool = {0};
    add_ball(&m, 0, 0, 0, 15, 24);
    add_ball(&tool, 0, 0, 0, 12, 24);
    CHECK_OK(mesh_append(&m, &tool, true, &err));
    CHECK_OK(mesh_close_leaks(&m, 0.5, &counts, &err));
    CHECK(counts.hidden_share < 0.02 && counts.dropped == 0);
    CHECK_NEAR(mesh_volume(&m), ball(15) - ball(12), 100);
    mesh_free(&m);
    mesh_free(&tool);
}

/* A box of thin slits that the eye looks through: no ball passes, but the inside is seen. */
static void test_leaks__leave_a_cage(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 20, 20, 1);
    add_box(&m, 0, 0, 19, 20, 20, 1);
    for (int i = 0; i < 20; i++)
        for (int side = 0; side < 4; side++) {
            float along = (float)i, across = side & 1 ? 19.4f : 0;
            if (side < 2)
                add_box(&m, along, across, 0.5f, 0.6f, 0.6f, 19);
            else
                add_box(&m, across, along, 0.5f, 0.6f, 0.6f, 19);
        }
    CHECK_OK(mesh_unite(&m, 20, NULL, &err));
    double volume = mesh_volume(&m);
    int result = mesh_close_leaks(&m, 0.5, &counts, &err);
    CHECK(result >= 0 && mesh_volume(&m) == volume);
    mesh_free(&m);
}

TESTS(TEST(test_leaks__fill_a_ball_with_a_hairline_hole), TEST(test_leaks__keep_a_hole_that_prints),
      TEST(test_leaks__tell_two_hollows_apart), TEST(test_leaks__leave_a_mug),
      TEST(test_leaks__leave_a_sealed_cavity_to_others), TEST(test_leaks__leave_a_cage))
