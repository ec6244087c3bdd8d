/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/repair: each rung of the ladder on the smallest mesh that needs it. */
#include "tests/test.h"

#include "print/measure/compare.h"
#include "print/measure/measure.h"
#include "print/repair/arrange.h"
#include "print/repair/outline.h"
#include "print/repair/rebuild.h"
#include "print/repair/repair.h"
#include "tests/print/meshes.h"
#include "tests/print/solid.h"

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
    CHECK(mesh_is_sound(&m) && counts.sheets == 1 && !counts.rebuilt);
    CHECK_NEAR(mesh_volume(&m), 100 * 100 * 20 + 40 * 80 * 0.8, 1);
    mesh_free(&m);
}

static double deviation(const struct mesh *before, const struct mesh *after)
{
    struct deviation d = {.mean_mm = 1e9};
    return mesh_deviation(&d, NULL, before, after, NULL, &err) ? 1e9 : d.mean_mm;
}

/* A square with a strip folded back onto it: a wall on either would bury the other. */
static void test_repair__gives_a_folded_sheet_one_wall(void)
{
    struct mesh m = {0}, before = {0};
    CHECK_OK(mesh_alloc(&m, 6, 4, &err));
    const float xyz[] = {0, 0, 0, 10, 0, 0, 0, 10, 0, 10, 10, 0, 0, 2, 0.0005f, 10, 2, 0.0005f};
    const uint32_t triangles[] = {0, 2, 1, 1, 2, 3, 0, 1, 4, 1, 5, 4};
    memcpy(m.xyz, xyz, sizeof xyz);
    memcpy(m.triangles, triangles, sizeof triangles);
    CHECK_OK(mesh_copy(&before, &m, &err));
    CHECK_OK(repair(&m, 10));
    CHECK(mesh_is_sound(&m) && counts.thickened);
    CHECK_NEAR(mesh_volume(&m), 80, 1);
    CHECK_NEAR(deviation(&before, &m), 0, 1e-3);
    mesh_free(&m);
    mesh_free(&before);
}

/* A closed tube along a curve that meets itself. */
static void make_tube(struct mesh *m, int rings, int sides, double radius, double lift)
{
    CHECK_OK(mesh_alloc(m, (size_t)(rings * sides + 2), (size_t)(2 * rings * sides), &err));
    for (int i = 0; i < rings; i++) {
        double u = -2.2 + 4.4 * i / (rings - 1);
        struct vec at = {4 * (u * u * u - 3 * u), 12 * u * u, lift * u};
        struct vec along = {4 * (3 * u * u - 3), 24 * u, lift};
        struct vec a = vec_unit(vec_cross(along, (struct vec){0, 0, 1}));
        struct vec b = vec_cross(a, vec_unit(along));
        for (int j = 0; j < sides; j++) {
            double turn = 2 * 3.14159265358979 * j / sides;
            struct vec out = vec_add(vec_scale(a, cos(turn)), vec_scale(b, sin(turn)));
            mesh_point_set(m, (uint32_t)(i * sides + j), vec_add(at, vec_scale(out, radius)));
        }
        if (i == 0 || i == rings - 1)
            mesh_point_set(m, (uint32_t)(rings * sides + (i > 0)), at);
    }
    uint32_t *t = m->triangles, n = (uint32_t)sides, ends = (uint32_t)(rings * sides);
    for (uint32_t i = 0; i < ends; i++) {
        uint32_t next = i % n + 1 < n ? i + 1 : i + 1 - n, up = next + n;
        if (i < ends - n)
            *t++ = i, *t++ = next, *t++ = up, *t++ = i, *t++ = up, *t++ = i + n;
        if (i < n)
            *t++ = ends, *t++ = next, *t++ = i;
        if (i >= ends - n)
            *t++ = ends + 1, *t++ = i, *t++ = next;
    }
    if (mesh_volume(m) < 0)
        mesh_turn(m);
    mesh_snap(m, mesh_grid_step(m));
}

/* So thin that rounding its pieces to the grid makes them meet again, and one shell: what ran
 * together there made a sheet of all of it. */
static void test_repair__settles_a_thin_tube_through_itself(void)
{
    struct mesh m = {0}, before = {0};
    make_tube(&m, 32, 9, 0.008, 0.001);
    double volume = mesh_volume(&m);
    CHECK_OK(mesh_copy(&before, &m, &err));
    CHECK_OK(repair(&m, 100));
    CHECK(mesh_is_sound(&m) && !counts.thickened && !counts.rebuilt);
    CHECK_NEAR(mesh_volume(&m) / volume, 1, 0.01);
    CHECK_NEAR(deviation(&before, &m), 0, 1e-3);
    mesh_free(&m);
    mesh_free(&before);
}

/* 12: it failed. */
static size_t count_kept(struct mesh *m, const uint8_t *apart)
{
    uint8_t fate[12];
    struct bvh winding = {0};
    size_t kept = 0;
    int failed = bvh_build(&winding, m, &err) || bvh_add_dipoles(&winding, &err) ||
                 mesh_outline(fate, m, NULL, apart, &winding, &err);
    for (size_t t = 0; !failed && t < m->triangle_count; t++)
        kept += fate[t] == OUTLINE_KEPT;
    bvh_free(&winding);
    return failed ? 12 : kept;
}

/* Through a gap the inside runs together with the outside, unless its rim is judged by itself. */
static void test_outline__keeps_cells_whole_where_triangles_are_apart(void)
{
    struct mesh m = {0};
    add_box(&m, -5, -5, -5, 10, 10, 10);
    uint8_t apart[12] = {0};
    const uint32_t *gone = m.triangles + 33;
    for (size_t h = 0; h < 33; h++)
        for (int k = 0; k < 3; k++)
            apart[h / 3] |= m.triangles[h] == gone[k];
    m.triangle_count--;
    CHECK(count_kept(&m, NULL) == 0);
    CHECK(count_kept(&m, apart) == 11);
    mesh_free(&m);
}

/* Two boxes smaller than the nudge that touch in a corner. */
static void test_split__does_not_turn_small_triangles_over(void)
{
    struct mesh m = {0};
    size_t edges, vertices;
    add_box(&m, 0, 0, 0, 0.01f, 0.01f, 0.01f);
    add_box(&m, 0.01f, 0.01f, 0.01f, 0.01f, 0.01f, 0.01f);
    CHECK_OK(mesh_weld_exact(&m, NULL, &err));
    CHECK_OK(mesh_split_nonmanifold(&m, 0.02, &edges, &vertices, &err));
    CHECK(vertices == 1 && mesh_is_sound(&m));
    CHECK_NEAR(mesh_volume(&m), 2e-6, 2e-7);
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
      TEST(test_repair__gives_a_sheet_a_wall), TEST(test_repair__gives_a_folded_sheet_one_wall),
      TEST(test_repair__gives_a_film_one_wall),
      TEST(test_repair__settles_a_thin_tube_through_itself),
      TEST(test_outline__keeps_cells_whole_where_triangles_are_apart),
      TEST(test_split__does_not_turn_small_triangles_over),
      TEST(test_repair__refuses_what_encloses_nothing),
      TEST(test_rebuild__makes_a_solid_of_an_open_box), TEST(test_rebuild__joins_what_overlaps),
      TEST(test_rebuild__finds_nothing_in_a_triangle))
