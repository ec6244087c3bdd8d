/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is found layer by layer in shapes whose answers can be worked out by hand. */
#include "tests/test.h"

#include <omp.h>

#include "print/measure/layers.h"
#include "tests/print/meshes.h"

static struct err err;

static int look(struct layer_measures *out, const struct mesh *m)
{
    struct layer_options options = LAYER_OPTIONS_DEFAULT;
    return mesh_measure_layers(out, m, &options, &err);
}

/* A lamp: the shade's far end hangs 5 mm lower than the arm that carries it. */
static void test_layers__find_an_island_where_it_begins(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_box(&m, 0, 0, 0, 10, 10, 30);
    add_box(&m, 9, 0, 20, 21, 10, 5);
    add_box(&m, 26, 3, 15, 4, 4, 7);
    CHECK_OK(look(&found, &m));
    CHECK(found.islands == 1);
    CHECK_NEAR(found.island_area_mm2, 16, 1.7);
    CHECK_NEAR(found.island_first_mm, 15, 0.21);
    CHECK_NEAR(found.island[0].at_mm[0], 28, 2.1);
    CHECK_NEAR(found.island[0].at_mm[1], 5, 2.1);
    CHECK_NEAR(found.island[0].at_mm[2], 15, 0.21);
    mesh_free(&m);
    add_box(&m, 0, 0, 0, 10, 10, 30);
    add_box(&m, 9, 0, 20, 21, 10, 5); /* the arm alone hangs over, but it hangs on to something */
    CHECK_OK(look(&found, &m));
    CHECK(found.islands == 0 && found.overhang_regions == 1);
    mesh_free(&m);
}

static void test_layers__tell_bridges_from_cantilevers(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_box(&m, 0, 0, 0, 5, 10, 21);
    add_box(&m, 25, 0, 0, 5, 10, 21);
    add_box(&m, 0, 0, 20, 30, 10, 5);
    CHECK_OK(look(&found, &m));
    CHECK(found.bridges == 1 && found.bridges_over == 1);
    CHECK_NEAR(found.bridge_longest_mm, 20, 0.5);
    add_box(&m, 12, 0, 0, 6, 10, 21); /* a third post halves the span */
    CHECK_OK(look(&found, &m));
    CHECK(found.bridges == 2 && found.bridges_over == 0);
    CHECK_NEAR(found.bridge_longest_mm, 7, 0.5);
    mesh_free(&m);
    add_box(&m, 12, 0, 0, 6, 10, 21);
    add_box(&m, 0, 0, 20, 30, 10, 5);
    CHECK_OK(look(&found, &m));
    CHECK(found.bridges == 0 && found.overhang_area_mm2 > 200);
    mesh_free(&m);
}

static void test_layers__find_a_room_nothing_gets_out_of(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_box(&m, 0, 0, 0, 20, 20, 20);
    add_box(&m, 5, 5, 5, 10, 10, 8);
    turn_triangles(&m, 12, 24);
    CHECK_OK(look(&found, &m));
    CHECK(found.trapped == 1);
    CHECK_NEAR(found.trapped_mm3, 800, 40);
    CHECK_NEAR(found.cups_mm3, 0, 1e-9);
    CHECK_NEAR(found.solid_mm3, 7200, 40);
    mesh_free(&m);
}

/* Four walls on a floor hold water; without the floor, or with a hole in a wall, less. */
static void test_layers__tell_a_cup_from_a_ring(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_box(&m, 0, 0, 0, 20, 2, 20);
    add_box(&m, 0, 18, 0, 20, 2, 20);
    add_box(&m, 0, 1, 0, 2, 18, 20);
    add_box(&m, 18, 1, 0, 2, 18, 12); /* the rim is lower here */
    CHECK_OK(look(&found, &m));
    CHECK(found.trapped == 0);
    CHECK_NEAR(found.cups_mm3, 0, 1e-9);
    add_box(&m, 1, 1, 0, 18, 18, 4);
    CHECK_OK(look(&found, &m));
    CHECK(found.trapped == 0);
    CHECK_NEAR(found.cups_mm3, 16 * 16 * 8, 60);
    CHECK_NEAR(found.contact_area_mm2, 400, 8);
    mesh_free(&m);
}

static void test_layers__count_what_shells_share_once(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_box(&m, 0, 0, 0, 20, 20, 20);
    add_box(&m, 10, 0, 0, 20, 20, 20);
    CHECK_OK(look(&found, &m));
    CHECK_NEAR(found.solid_mm3, 12000, 100);
    CHECK(found.trapped == 0 && found.islands == 0);
    CHECK_NEAR(found.largest_layer_mm2, 600, 8);
    mesh_free(&m);
}

static void test_layers__fit_a_ball(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_ball(&m, 0, 0, 0, 25, 60);
    CHECK_OK(look(&found, &m));
    CHECK_NEAR(found.solid_mm3 / (4 / 3. * M_PI * 25 * 25 * 25), 1, 0.005);
    CHECK_NEAR(found.largest_layer_mm2, M_PI * 25 * 25, 20);
    CHECK_NEAR(found.largest_layer_at_mm, 25, 0.5);
    CHECK_NEAR(found.overhang_area_mm2, 2 * M_PI * 25 * 25 * (1 - M_SQRT1_2), 50);
    CHECK(found.overhang_regions == 1 && found.bridges == 0 && found.islands == 0);
    mesh_free(&m);
}

/* A table of 40 x 40 mm, 20 mm high, on one leg of 10 x 10 mm. */
static void test_support__fills_the_space_under_a_table(void)
{
    struct mesh m = {0};
    struct layer_grid grid;
    struct support_estimate made;
    struct support_style style = {
        .overhang_deg = 45, .margin_mm = 2, .side_gap_mm = 1, .density = 0.1};
    struct layer_grid_options options = {
        .pixel_mm = 0.2, .layer_mm = 0.2, .margin_mm = 2, .steep_deg = {45}};
    add_box(&m, 15, 15, 0, 10, 10, 21);
    add_box(&m, 0, 0, 20, 40, 40, 5);
    CHECK_OK(layer_grid_build(&grid, &m, &options, &err));
    CHECK_OK(support_estimate(&made, NULL, &grid, 0, &style, &err));
    layer_grid_free(&grid);
    double area = 44 * 44 - 12 * 12;
    CHECK_NEAR(made.filled_mm3, 20 * area, 0.03 * 20 * area);
    CHECK_NEAR(made.volume_mm3, 2 * area, 0.03 * 2 * area);
    CHECK_NEAR(made.contact_mm2, 1500, 20);
    CHECK_NEAR(made.footprint_mm2, area, 0.03 * area);
    CHECK_NEAR(made.landing_mm2, 0, 1e-9);
    mesh_free(&m);
}

/* Support of an upper floor ends on the lower one; a gentle slope needs none. */
static void test_support__stands_on_the_model_and_spares_slopes(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_box(&m, 0, 0, 0, 40, 40, 5);
    add_box(&m, 0, 0, 4, 5, 40, 26);
    add_box(&m, 0, 0, 25, 40, 40, 5);
    CHECK_OK(look(&found, &m));
    CHECK_NEAR(found.support.contact_mm2, 35 * 40, 30);
    CHECK(found.support.landing_mm2 > 1200 && found.support.footprint_mm2 < 200);
    mesh_free(&m);
    add_box(&m, 0, 0, 0, 20, 20, 20);
    for (int v = 4; v < 8; v++) /* the top leans out by 40 degrees */
        m.xyz[3 * v] += 20 * 0.839f;
    CHECK_OK(look(&found, &m));
    CHECK_NEAR(found.support.volume_mm3, 0, 1e-9);
    CHECK_NEAR(found.overhang_area_mm2, 0, 1e-9);
    for (int v = 4; v < 8; v++) /* now by 60 */
        m.xyz[3 * v] += 20 * (1.732f - 0.839f);
    CHECK_OK(look(&found, &m));
    CHECK(found.support.volume_mm3 > 300 && found.overhang_regions == 1);
    mesh_free(&m);
}

static void test_layers__do_not_depend_on_threads(void)
{
    struct mesh m = {0};
    struct layer_measures one, four;
    memset(&one, 0, sizeof one);
    memset(&four, 0, sizeof four);
    add_ball(&m, 0, 0, 0, 20, 40);
    add_ball(&m, 25, 3, 12, 18, 30);
    omp_set_num_threads(1);
    CHECK_OK(look(&one, &m));
    omp_set_num_threads(4);
    CHECK_OK(look(&four, &m));
    CHECK(memcmp(&one, &four, sizeof one) == 0);
    mesh_free(&m);
}

static void test_layers__refuse_a_sheet_on_the_bed(void)
{
    struct mesh m = {0};
    struct layer_measures found;
    add_box(&m, 0, 0, 0, 20, 20, 0);
    CHECK_FAILS(look(&found, &m), ERR_INPUT);
    CHECK_TEXT(err.code, "mesh_flat");
    mesh_free(&m);
}

TESTS(TEST(test_layers__find_an_island_where_it_begins),
      TEST(test_layers__tell_bridges_from_cantilevers),
      TEST(test_layers__find_a_room_nothing_gets_out_of), TEST(test_layers__tell_a_cup_from_a_ring),
      TEST(test_layers__count_what_shells_share_once), TEST(test_layers__fit_a_ball),
      TEST(test_support__fills_the_space_under_a_table),
      TEST(test_support__stands_on_the_model_and_spares_slopes),
      TEST(test_layers__do_not_depend_on_threads), TEST(test_layers__refuse_a_sheet_on_the_bed))
