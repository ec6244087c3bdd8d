/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/shape: standing, flattening and simplifying. */
#include "tests/test.h"

#include "print/measure/measure.h"
#include "print/shape/shape.h"
#include "tests/print/meshes.h"

static struct err err;

static int is_solid(const struct mesh *mesh)
{
    struct mesh_measures m;
    return mesh_measure(&m, mesh, &err) == 0 && m.watertight && m.nonmanifold_vertices == 0;
}

static void test_rotation__brings_any_side_down(void)
{
    const struct vec sides[] = {{0, 0, -1}, {0, 0, 1}, {1, 0, 0}, {0.3, -0.5, 0.8}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        struct rotation r = rotation_down(sides[i]);
        struct vec d = vec_unit(sides[i]);
        CHECK_NEAR(vec_dot(r.row[2], d), -1, 1e-12);
        /* A rotation keeps handedness: the rows are a right-handed frame. */
        CHECK_NEAR(vec_dot(vec_cross(r.row[0], r.row[1]), r.row[2]), 1, 1e-12);
    }
}

/* A ball touches in a point: half a millimetre off gives a disc of sqrt(2 r h) radius. */
static void test_flatten__gives_a_ball_a_foot(void)
{
    struct mesh m = {0};
    struct flatten_result result;
    struct print_measures stand = {0};
    add_ball(&m, 0, 0, 20, 20, 40);
    double volume = mesh_volume(&m);
    CHECK_OK(mesh_flatten(&m, &result, 0.6, &err));
    CHECK(result.cut_mm > 0.3 && result.cut_mm <= 0.6);
    CHECK(is_solid(&m));
    CHECK_OK(mesh_measure_stand(&stand, &m, 45, &err));
    CHECK_NEAR(stand.contact_area_mm2, 3.14159 * 2 * 20 * result.cut_mm, 6);
    CHECK(mesh_volume(&m) < volume);
    mesh_free(&m);
}

static void test_flatten__leaves_a_box_alone(void)
{
    struct mesh m = {0};
    struct flatten_result result;
    add_box(&m, 0, 0, 0, 10, 10, 10);
    CHECK_OK(mesh_flatten(&m, &result, 0.6, &err));
    CHECK(result.cut_mm == 0 && m.triangle_count == 12);
    mesh_free(&m);
}

/* Four feet, one half a millimetre longer, as scans have: all must stand after it. */
static void test_flatten__levels_uneven_feet(void)
{
    struct mesh m = {0};
    struct flatten_result result;
    struct print_measures stand = {0};
    add_box(&m, 0, 0, -0.4f, 5, 5, 30);
    add_box(&m, 30, 0, 0, 5, 5, 30);
    add_box(&m, 0, 30, 0, 5, 5, 30);
    add_box(&m, 30, 30, 0, 5, 5, 30);
    CHECK_OK(mesh_flatten(&m, &result, 0.6, &err));
    CHECK(is_solid(&m));
    CHECK_OK(mesh_measure_stand(&stand, &m, 45, &err));
    CHECK_NEAR(stand.contact_area_mm2, 100, 1);
    CHECK(stand.tilt_margin_deg > 30);
    mesh_free(&m);
}

static void test_decimate__keeps_a_ball_closed_and_round(void)
{
    struct mesh m = {0};
    add_ball(&m, 0, 0, 0, 50, 100);
    double volume = mesh_volume(&m);
    CHECK(m.triangle_count > 39000);
    struct decimate_options options = {.max_triangles = 4000};
    CHECK_OK(mesh_decimate(&m, &options, &err));
    CHECK(m.triangle_count <= 4000 && is_solid(&m));
    CHECK_NEAR(mesh_volume(&m) / volume, 1, 0.01);
    CHECK(mesh_decimate(&m, &options, &err) == 1);
    mesh_free(&m);
}

TESTS(TEST(test_rotation__brings_any_side_down), TEST(test_flatten__gives_a_ball_a_foot),
      TEST(test_flatten__leaves_a_box_alone), TEST(test_flatten__levels_uneven_feet),
      TEST(test_decimate__keeps_a_ball_closed_and_round))
