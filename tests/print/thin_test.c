/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/measure/thin: sheets and rods are thin, edges and ridges are not, and how large it must be.
 */
#include "tests/test.h"

#include <omp.h>

#include "print/measure/thin.h"
#include "tests/print/meshes.h"

static struct err err;

static int thin(struct thin_walls *out, const struct mesh *m, double limit, float *map)
{
    struct bvh bvh;
    struct thin_options options = {.limit_mm = limit, .per_triangle = map};
    if (bvh_build(&bvh, m, &err))
        return -1;
    int failed = mesh_thin_walls(out, &bvh, &options, &err);
    bvh_free(&bvh);
    return failed;
}

/* A prism along Y whose cross-section is given by three points. */
static struct mesh wedge(float x, float z, float length)
{
    struct mesh m = {0};
    static const uint32_t sides[24] = {0, 1, 2, 3, 5, 4, 0, 3, 4, 0, 4, 1,
                                       1, 4, 5, 1, 5, 2, 2, 5, 3, 2, 3, 0};
    const float points[18] = {0, 0,      0, x, 0,      -z, x, 0,      z,
                              0, length, 0, x, length, -z, x, length, z};
    if (mesh_alloc(&m, 6, 8, &err))
        abort();
    memcpy(m.xyz, points, sizeof points);
    memcpy(m.triangles, sides, sizeof sides);
    return m;
}

static void test_thin__a_sheet_is_as_thick_as_it_is(void)
{
    struct mesh m = {0};
    struct thin_walls got;
    add_box(&m, 0, 0, 0, 50, 50, 0.5f);
    CHECK_OK(thin(&got, &m, 0.8, NULL));
    CHECK(got.thin_share > 0.95);
    CHECK_NEAR(got.thinnest_mm, 0.5, 1e-5);
    CHECK_NEAR(got.pass_scale, 1.6, 0.03);
    CHECK_OK(thin(&got, &m, 0.4, NULL));
    CHECK(got.thin_share == 0);
    CHECK_NEAR(got.thinnest_mm, 0.5, 1e-5);
    CHECK_NEAR(got.pass_scale, 0.8, 0.02);
    mesh_free(&m);
}

/* A thick body with a thin blade on it: the share is the blade's and the place lies on it. */
static void test_thin__finds_the_one_thin_part(void)
{
    struct mesh m = {0};
    struct thin_walls got;
    add_box(&m, 0, 0, 0, 30, 30, 30);
    add_box(&m, 15, 10, 30, 0.4f, 10, 20);
    CHECK_OK(thin(&got, &m, 0.8, NULL));
    double blade = 400 + 0.8 * 20, all = 5400 + 2 * 0.4 * 20 + 400 + 4;
    CHECK(got.thin_share > 0.8 * blade / all && got.thin_share < 1.05 * blade / all);
    CHECK_NEAR(got.thinnest_mm, 0.4, 1e-4);
    CHECK(got.thinnest_at[2] > 30 && got.thinnest_at[0] > 14.9 && got.thinnest_at[0] < 15.5);
    CHECK_NEAR(got.pass_scale, 2, 0.1);
    mesh_free(&m);
}

static void test_thin__a_rod_is_as_thick_as_its_diameter(void)
{
    struct mesh m = {0};
    struct thin_walls got;
    add_ball(&m, 0, 0, 0, 0.5, 24);
    for (size_t v = 0; v < m.vertex_count; v++)
        m.xyz[3 * v + 2] *= 60; /* a needle 60 mm long */
    CHECK_OK(thin(&got, &m, 1.2, NULL));
    CHECK(got.thin_share > 0.95);
    CHECK_OK(thin(&got, &m, 0.5, NULL));
    CHECK(got.thin_share < 0.3); /* its tips */
    mesh_free(&m);
}

/* 60 degrees at the rim prints a little rounder; 8 degrees loses millimetres. */
static void test_thin__the_rim_of_a_wedge_is_not_a_wall(void)
{
    struct thin_walls got;
    struct mesh blunt = wedge(20, 11.5f, 40), sharp = wedge(20, 1.4f, 40);
    CHECK_OK(thin(&got, &blunt, 0.8, NULL));
    CHECK(got.thin_share <= THIN_PASS_SHARE && got.pass_scale <= 1);
    CHECK_OK(thin(&got, &sharp, 0.8, NULL));
    CHECK(got.thin_share > 0.1);
    mesh_free(&blunt);
    mesh_free(&sharp);
}

/* Who allows a third of the surface to be thin has nothing to enlarge. */
static void test_thin__passes_with_the_share_that_may_be_thin(void)
{
    struct mesh m = {0};
    struct bvh bvh;
    struct thin_walls got;
    struct thin_options options = {.limit_mm = 0.8, .pass_share = 0.33};
    add_box(&m, 0, 0, 0, 30, 30, 30);
    add_box(&m, 40, 0, 0, 0.5f, 30, 30);
    CHECK_OK(bvh_build(&bvh, &m, &err));
    CHECK_OK(mesh_thin_walls(&got, &bvh, &options, &err));
    CHECK_NEAR(got.thin_share, 1860.0 / 7260, 0.02);
    CHECK(got.pass_scale <= 1 && got.thinnest_mm > 1);
    options.pass_share = 0.2;
    CHECK_OK(mesh_thin_walls(&got, &bvh, &options, &err));
    CHECK_NEAR(got.pass_scale, 1.6, 0.03);
    bvh_free(&bvh);
    mesh_free(&m);
}

/* A thin plate over a thick body is not part of it: the gap between them is no material. */
static void test_thin__what_is_near_is_not_joined(void)
{
    struct mesh m = {0};
    struct thin_walls got;
    add_box(&m, 0, 0, 0, 30, 30, 30);
    add_box(&m, 0, 0, 30.3f, 30, 30, 0.4f);
    CHECK_OK(thin(&got, &m, 0.8, NULL));
    CHECK_NEAR(got.thin_share, 1800.0 / (5400 + 1800 + 48), 0.02);
    mesh_free(&m);
}

static void test_thin__tells_each_triangle_its_thickness(void)
{
    struct mesh m = {0};
    struct thin_walls got;
    float map[24];
    add_box(&m, 0, 0, 0, 30, 30, 30);
    add_box(&m, 40, 0, 0, 0.5f, 30, 30);
    CHECK_OK(thin(&got, &m, 0.8, map));
    int thin_count = 0;
    for (int t = 0; t < 12; t++)
        CHECK_NEAR((double)map[t], 30, 1e-3);
    for (int t = 12; t < 24; t++)
        thin_count += (double)map[t] < 0.51;
    CHECK(thin_count == 4); /* its two faces; its rims have 30 mm behind them */
    mesh_free(&m);
}

/* A 3MF may say that it is as large as the moon: nothing there is thin, and nothing overflows. */
static void test_thin__bears_any_size(void)
{
    struct mesh m = {0};
    struct thin_walls got;
    add_box(&m, 1e20f, 1e20f, -1e20f, 3e20f, 3e20f, 3e20f);
    CHECK_OK(thin(&got, &m, 0.8, NULL));
    CHECK(got.thin_share == 0);
    mesh_free(&m);
    add_box(&m, 0, 0, 0, 1e-20f, 1e-20f, 1e-20f);
    CHECK_OK(thin(&got, &m, 0.8, NULL));
    mesh_free(&m);
    m = (struct mesh){0};
    CHECK_OK(thin(&got, &m, 0.8, NULL));
    CHECK(got.thin_share == 0 && isinf(got.thinnest_mm));
}

static void test_thin__same_answer_with_one_processor_or_three(void)
{
    struct mesh m = {0};
    struct thin_walls one, three;
    int before = omp_get_max_threads();
    add_ball(&m, 0, 0, 0, 10, 40);
    add_box(&m, 30, 0, 0, 0.7f, 20, 20);
    omp_set_num_threads(1);
    CHECK_OK(thin(&one, &m, 0.8, NULL));
    omp_set_num_threads(3);
    CHECK_OK(thin(&three, &m, 0.8, NULL));
    omp_set_num_threads(before);
    CHECK(!memcmp(&one, &three, sizeof one));
    CHECK(one.thin_share > 0.2);
    mesh_free(&m);
}

TESTS(TEST(test_thin__a_sheet_is_as_thick_as_it_is), TEST(test_thin__finds_the_one_thin_part),
      TEST(test_thin__a_rod_is_as_thick_as_its_diameter),
      TEST(test_thin__the_rim_of_a_wedge_is_not_a_wall),
      TEST(test_thin__passes_with_the_share_that_may_be_thin),
      TEST(test_thin__what_is_near_is_not_joined),
      TEST(test_thin__tells_each_triangle_its_thickness), TEST(test_thin__bears_any_size),
      TEST(test_thin__same_answer_with_one_processor_or_three))
