/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/repair: each rung of the ladder on the smallest mesh that needs it. */
#include "tests/test.h"

#include "print/measure/measure.h"
#include "print/repair/rebuild.h"
#include "print/repair/repair.h"
#include "tests/print/meshes.h"

static struct err err;

static struct repair_counts counts;

static int repair(struct mesh *mesh, double size_mm)
{
    struct repair_options options = {.size_mm = size_mm};
    return mesh_repair(mesh, &counts, &options, &err);
}

/* What a reader of the written file will find, by counts made apart from the ladder. */
static int is_solid(const struct mesh *mesh)
{
    struct mesh_measures m;
    if (mesh_measure(&m, mesh, &err))
        return 0;
    return m.watertight && m.nonmanifold_vertices == 0 && m.degenerate == 0 && m.volume_mm3 > 0;
}

static void test_repair__leaves_a_sound_box_as_it_is(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 20, 30);
    CHECK(is_solid(&m));
    CHECK_OK(repair(&m, 30));
    CHECK(m.triangle_count == 12 && m.vertex_count == 8);
    CHECK(!counts.rebuilt && counts.holes.filled == 0 && counts.united.rounds == 0);
    CHECK_NEAR(mesh_volume(&m), 6000, 1e-3);
    mesh_free(&m);
}

/* Every triangle with its own three vertices, as an STL or a GLB with seams has them; one is -0. */
static void test_repair__welds_loose_triangles(void)
{
    struct mesh box = {0}, m = {0};
    add_box(&box, -5, -5, 0, 10, 10, 10);
    CHECK_OK(mesh_alloc(&m, 36, 12, &err));
    for (uint32_t h = 0; h < 36; h++) {
        memcpy(m.xyz + 3 * h, box.xyz + 3 * box.triangles[h], 12);
        m.triangles[h] = h;
        if (m.xyz[3 * h + 2] == 0 && h % 2)
            m.xyz[3 * h + 2] = -0.0f;
    }
    CHECK_OK(repair(&m, 10));
    CHECK(m.vertex_count == 8 && counts.welded == 28);
    CHECK(is_solid(&m));
    mesh_free(&box);
    mesh_free(&m);
}

/* Two boxes side by side whose shared corners differ by less than 1e-6 of the size. */
static void test_repair__welds_near_equal_corners_where_it_closes(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    m.xyz = realloc(m.xyz, 9 * 3 * sizeof(float));
    memcpy(m.xyz + 24, m.xyz + 21, 12);
    m.xyz[24] += 5e-6f;
    m.vertex_count = 9;
    uint32_t seen = 0;
    for (size_t h = 0; h < 36; h++)
        if (m.triangles[h] == 7 && seen++ == 0)
            m.triangles[h] = 8;
    CHECK_OK(repair(&m, 10));
    CHECK(m.vertex_count == 8 && m.triangle_count == 12 && counts.holes.filled == 0);
    CHECK(is_solid(&m));
    mesh_free(&m);
}

static void test_repair__closes_a_triangular_hole(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    m.triangle_count--;
    CHECK(!is_solid(&m));
    CHECK_OK(repair(&m, 10));
    CHECK(counts.holes.filled == 1 && !counts.rebuilt);
    CHECK(is_solid(&m));
    CHECK_NEAR(mesh_volume(&m), 1000, 1e-3);
    /* The report can say where. */
    CHECK(counts.place_count == 1 && counts.places[0].triangles == 1);
    CHECK(strcmp(counts.places[0].rung, "fill_holes") == 0);
    mesh_free(&m);
}

/* A ball without its cap: the rim has 16 corners in one plane, so the lid must be flat. */
static void test_repair__closes_a_round_hole_flat(void)
{
    struct mesh m = {0};
    add_ball(&m, 0, 0, 0, 10, 8);
    m.triangle_count -= 16;
    CHECK_OK(repair(&m, 20));
    CHECK(is_solid(&m));
    double low[3], high[3];
    mesh_bounds(&m, low, high);
    CHECK_NEAR(high[2], 10 * cos(3.14159265 / 8), 1e-4);
    CHECK(counts.holes.filled == 1);
    mesh_free(&m);
}

static void test_repair__turns_single_triangles_and_whole_shells(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    turn_triangles(&m, 3, 5);
    CHECK_OK(repair(&m, 10));
    CHECK(counts.flipped == 2 && is_solid(&m));
    turn_triangles(&m, 0, 12);
    CHECK_OK(repair(&m, 10));
    CHECK(counts.shells.turned == 12 && is_solid(&m));
    CHECK_NEAR(mesh_volume(&m), 1000, 1e-3);
    mesh_free(&m);
}

/* Two boxes that touch along one edge: four triangles meet there. */
static void test_repair__parts_boxes_that_share_an_edge(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 10, 10, 0, 10, 10, 10);
    CHECK(!is_solid(&m));
    CHECK_OK(repair(&m, 20));
    CHECK(is_solid(&m) && !counts.rebuilt);
    CHECK_NEAR(mesh_volume(&m), 2000, 0.1);
    mesh_free(&m);
}

/* A ring of four boxes, each touching the next along an edge whose ends are joined elsewhere. */
static void test_repair__parts_an_edge_whose_ends_stay_joined(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 30);
    add_box(&m, 10, 10, 10, 10, 10, 10);
    add_box(&m, 10, 0, 0, 10, 20, 10);
    add_box(&m, 0, 10, 20, 20, 10, 10);
    CHECK_OK(repair(&m, 30));
    CHECK(is_solid(&m));
    mesh_free(&m);
}

/* Two boxes that touch in one corner. */
static void test_repair__parts_boxes_that_share_a_corner(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 10, 10, 10, 10, 10, 10);
    CHECK_OK(repair(&m, 20));
    CHECK(is_solid(&m) && counts.united.doubled > 0);
    CHECK_NEAR(mesh_volume(&m), 2000, 0.1);
    mesh_free(&m);
}

static void test_repair__drops_specks_and_fills_cavities(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 100, 100, 100);
    add_box(&m, 40, 40, 40, 20, 20, 20); /* an inner wall that faces inward */
    turn_triangles(&m, 12, 24);
    add_box(&m, 30, 10, 10, 15, 15, 15); /* a solid that nobody can see */
    add_box(&m, 120, 0, 0, 0.2f, 0.2f, 0.2f);
    add_box(&m, 150, 0, 0, 20, 20, 20); /* a part of its own stays */
    CHECK_OK(repair(&m, 170));
    CHECK(counts.shells.debris == 1 && counts.shells.hidden == 2);
    CHECK(m.triangle_count == 24 && is_solid(&m));
    CHECK_NEAR(mesh_volume(&m), 1008000, 10);
    mesh_free(&m);
}

/* A triangle given twice, one given both ways round, and one without area. */
static void test_repair__drops_copies_and_pairs_that_cancel(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    m.triangles = realloc(m.triangles, 16 * 3 * sizeof(uint32_t));
    const uint32_t more[] = {2, 1, 0, 0, 1, 7, 0, 7, 1, 3, 3, 4};
    memcpy(m.triangles + 36, more, sizeof more);
    m.triangle_count = 16;
    CHECK_OK(repair(&m, 10));
    CHECK(counts.cleaned.degenerate == 1 && counts.cleaned.duplicate >= 2);
    CHECK(is_solid(&m));
    CHECK_NEAR(mesh_volume(&m), 1000, 0.1);
    mesh_free(&m);
}

/* One square has a front and a back and nothing between: it gets a wall behind its front. */
static void test_repair__gives_a_sheet_a_wall(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    m.triangle_count = 2;
    CHECK_OK(repair(&m, 10));
    CHECK(is_solid(&m) && counts.sheets == 1 && counts.thickened);
    CHECK_NEAR(mesh_volume(&m), 80, 1e-3);
    mesh_free(&m);
}

/* Two sides less than a micrometre apart, hanging together along their upper edge and open below,
 * where they reach into a slab: with lids they would be a shell that no step can keep. */
static void test_repair__gives_a_film_one_wall(void)
{
    static const float corners[6][3] = {{50, 10, 60},       {50, 90, 60},       {49.9996f, 10, 10},
                                        {49.9996f, 90, 10}, {50.0004f, 10, 10}, {50.0004f, 90, 10}};
    static const uint32_t sides[12] = {0, 1, 2, 1, 3, 2, 0, 4, 1, 1, 4, 5};
    struct mesh m = {0}, film = {.xyz = (float *)(uintptr_t)corners,
                                 .vertex_count = 6,
                                 .triangles = (uint32_t *)(uintptr_t)sides,
                                 .triangle_count = 4};
    add_box(&m, 0, 0, 0, 100, 100, 20);
    CHECK_OK(mesh_append(&m, &film, false, &err));
    CHECK_OK(repair(&m, 100));
    CHECK(is_solid(&m) && counts.sheets == 1 && !counts.rebuilt);
    CHECK_NEAR(mesh_volume(&m), 100 * 100 * 20 + 40 * 80 * 0.8, 1);
    mesh_free(&m);
}

static void test_repair__refuses_what_encloses_nothing(void)
{
    struct mesh m = {0};
    CHECK(repair(&m, 10) == 1);
    add_box(&m, 0, 0, 0, 10, 10, 10);
    m.triangle_count = 1;
    m.triangles[1] = m.triangles[0];
    CHECK(repair(&m, 10) == 1 && m.triangle_count == 0);
}

/* An open box without its lid, turned every other triangle, with one side missing in half: too
 * little for lids, but the winding number still knows the inside. */
static void test_rebuild__makes_a_solid_of_an_open_box(void)
{
    struct mesh m = {0}, out = {0};
    add_box(&m, -10, -10, -10, 20, 20, 20);
    m.triangle_count -= 1;
    struct rebuild_options options = {.step_mm = 0.5};
    CHECK_OK(mesh_rebuild(&out, &m, &options, &err));
    CHECK(is_solid(&out));
    CHECK_NEAR(mesh_volume(&out), 8000, 700);
    mesh_free(&m);
    mesh_free(&out);
}

/* Two balls through each other: the union's surface, 2-manifold, near the input. */
static void test_rebuild__joins_what_overlaps(void)
{
    struct mesh m = {0}, out = {0};
    add_ball(&m, 0, 0, 0, 10, 24);
    add_ball(&m, 10, 0, 0, 10, 24);
    struct rebuild_options options = {.step_mm = 0.5};
    CHECK_OK(mesh_rebuild(&out, &m, &options, &err));
    CHECK(is_solid(&out));
    struct mesh_measures measures;
    CHECK_OK(mesh_measure(&measures, &out, &err));
    CHECK(measures.shells == 1);
    CHECK_NEAR(measures.volume_mm3, 2 * 4188.8 - 1308.9, 120); /* less the lens that both share */
    mesh_free(&m);
    mesh_free(&out);
}

static void test_rebuild__finds_nothing_in_a_triangle(void)
{
    struct mesh m = {0}, out = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    m.triangle_count = 1;
    struct rebuild_options options = {.step_mm = 0.25};
    CHECK_OK(mesh_rebuild(&out, &m, &options, &err));
    CHECK(out.triangle_count == 0 || mesh_volume(&out) < 1e-3);
    mesh_free(&m);
    mesh_free(&out);
}

TESTS(TEST(test_repair__leaves_a_sound_box_as_it_is), TEST(test_repair__welds_loose_triangles),
      TEST(test_repair__welds_near_equal_corners_where_it_closes),
      TEST(test_repair__closes_a_triangular_hole), TEST(test_repair__closes_a_round_hole_flat),
      TEST(test_repair__turns_single_triangles_and_whole_shells),
      TEST(test_repair__parts_boxes_that_share_an_edge),
      TEST(test_repair__parts_an_edge_whose_ends_stay_joined),
      TEST(test_repair__parts_boxes_that_share_a_corner),
      TEST(test_repair__drops_specks_and_fills_cavities),
      TEST(test_repair__drops_copies_and_pairs_that_cancel),
      TEST(test_repair__gives_a_sheet_a_wall), TEST(test_repair__gives_a_film_one_wall),
      TEST(test_repair__refuses_what_encloses_nothing),
      TEST(test_rebuild__makes_a_solid_of_an_open_box), TEST(test_rebuild__joins_what_overlaps),
      TEST(test_rebuild__finds_nothing_in_a_triangle))
