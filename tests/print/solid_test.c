/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/repair/solid.h: unions and subtractions of small bodies whose volumes are known, and what
 * must not be touched. */
#include "tests/test.h"

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/measure/visible.h"
#include "print/repair/repair.h"
#include "print/repair/solid.h"
#include "tests/print/meshes.h"
#include "tests/print/solid.h"

static struct err err;

static struct unite_counts counts;

static size_t shells_of(const struct mesh *mesh)
{
    struct mesh_measures m;
    return mesh_measure(&m, mesh, &err) ? 0 : m.shells;
}

/* Bit for bit: what is clean must not lose a micrometre. */
static void test_solid__leaves_a_clean_shell_as_it_is(void)
{
    struct mesh m = {0}, before = {0};
    add_ball(&m, 1, 2, 3, 10, 16);
    CHECK_OK(mesh_copy(&before, &m, &err));
    CHECK_OK(mesh_unite(&m, 20, &counts, &err));
    CHECK(counts.rounds == 0 && m.triangle_count == before.triangle_count);
    CHECK(memcmp(m.xyz, before.xyz, m.vertex_count * 12) == 0);
    CHECK(memcmp(m.triangles, before.triangles, m.triangle_count * 12) == 0);
    mesh_free(&m);
    mesh_free(&before);
}

static void test_solid__joins_boxes_that_overlap(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 5, 5, 5, 10, 10, 10);
    CHECK_OK(mesh_unite(&m, 15, &counts, &err));
    CHECK(counts.crossings > 0 && counts.cut > 0);
    CHECK(mesh_is_sound(&m) && shells_of(&m) == 1);
    CHECK_NEAR(mesh_volume(&m), 2000 - 125, 1e-2);
    mesh_free(&m);
}

/* The common case of a figure on its base: two faces in one plane, one within the other. */
static void test_solid__joins_a_box_that_stands_on_another(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 20, 20, 5);
    add_box(&m, 5, 5, 5, 10, 10, 10);
    CHECK_OK(mesh_unite(&m, 20, &counts, &err));
    CHECK(mesh_is_sound(&m) && shells_of(&m) == 1);
    CHECK_NEAR(mesh_volume(&m), 3000, 1e-2);
    mesh_free(&m);
}

static void test_solid__joins_boxes_that_share_a_face(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 10, 0, 0, 10, 10, 10);
    CHECK_OK(mesh_unite(&m, 20, &counts, &err));
    CHECK(mesh_is_sound(&m) && shells_of(&m) == 1);
    CHECK_NEAR(mesh_volume(&m), 2000, 1e-2);
    mesh_free(&m);
}

/* A pocket: the tool is turned inside out and stands out of the block. */
static void test_solid__takes_away_what_is_inside_out(void)
{
    struct mesh m = {0}, tool = {0};
    add_box(&m, 0, 0, 0, 20, 20, 20);
    add_box(&tool, 5, 5, 10, 10, 10, 20);
    CHECK_OK(mesh_append(&m, &tool, true, &err));
    CHECK_OK(mesh_unite(&m, 20, &counts, &err));
    CHECK(mesh_is_sound(&m) && shells_of(&m) == 1);
    CHECK_NEAR(mesh_volume(&m), 8000 - 1000, 1e-2);
    mesh_free(&m);
    mesh_free(&tool);
}

/* Hollowing: what is taken away lies wholly inside, so nothing crosses and a cavity is left. */
static void test_solid__leaves_a_cavity_where_a_shell_is_inside_out(void)
{
    struct mesh m = {0}, core = {0};
    add_ball(&m, 0, 0, 0, 10, 24);
    add_ball(&core, 0, 0, 0, 8, 24);
    double volume = mesh_volume(&m) - mesh_volume(&core);
    CHECK_OK(mesh_append(&m, &core, true, &err));
    CHECK_OK(mesh_unite(&m, 20, &counts, &err));
    CHECK(mesh_is_sound(&m) && shells_of(&m) == 2);
    CHECK_NEAR(mesh_volume(&m), volume, 1e-2);
    mesh_free(&m);
    mesh_free(&core);
}

static void test_solid__drops_a_body_within_another(void)
{
    struct mesh m = {0};
    add_ball(&m, 0, 0, 0, 10, 16);
    add_ball(&m, 1, 1, 1, 5, 16);
    CHECK_OK(mesh_unite(&m, 20, &counts, &err));
    CHECK(counts.hidden == 1 && shells_of(&m) == 1 && mesh_is_sound(&m));
    mesh_free(&m);
}

/* One box cut in two by another's slab: a body may come apart. */
static void test_solid__cuts_a_body_in_two(void)
{
    struct mesh m = {0}, tool = {0};
    add_box(&m, 0, 0, 0, 30, 10, 10);
    add_box(&tool, 10, -5, -5, 10, 20, 20);
    CHECK_OK(mesh_append(&m, &tool, true, &err));
    CHECK_OK(mesh_unite(&m, 30, &counts, &err));
    CHECK(mesh_is_sound(&m) && shells_of(&m) == 2);
    CHECK_NEAR(mesh_volume(&m), 2000, 1e-2);
    mesh_free(&m);
    mesh_free(&tool);
}

static void test_solid__says_when_nothing_is_left(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    mesh_turn(&m);
    CHECK(mesh_unite(&m, 10, &counts, &err) == 1 && m.triangle_count == 0);
    mesh_free(&m);
}

/* A closed figure with a fin that has no thickness: the figure stays where it is to the bit, the
 * fin becomes a wall behind the side it was seen from, and both are one body. */
static void test_repair__gives_a_fin_on_a_body_a_wall(void)
{
    struct mesh m = {0};
    struct repair_counts repaired;
    struct repair_options options = {.size_mm = 20, .min_wall_mm = 1};
    add_box(&m, 0, 0, 0, 20, 20, 5);
    uint32_t first = (uint32_t)m.vertex_count;
    struct mesh fin = {0};
    CHECK_OK(mesh_alloc(&fin, 4, 2, &err));
    const float xyz[] = {5, 10, 5, 15, 10, 5, 15, 10, 12, 5, 10, 12};
    const uint32_t triangles[] = {0, 1, 2, 0, 2, 3};
    memcpy(fin.xyz, xyz, sizeof xyz);
    memcpy(fin.triangles, triangles, sizeof triangles);
    CHECK_OK(mesh_append(&m, &fin, false, &err));
    CHECK(m.triangles[36] == first);
    CHECK_OK(mesh_repair(&m, &repaired, &options, &err));
    CHECK(repaired.sheets == 1 && mesh_is_sound(&m) && shells_of(&m) == 1);
    CHECK_NEAR(mesh_volume(&m), 2000 + 70, 0.1);
    mesh_free(&m);
    mesh_free(&fin);
}

/* A bowl is a deep sheet: its opening is no hole to be closed. */
static void test_repair__does_not_close_a_dish(void)
{
    struct mesh m = {0};
    struct repair_counts repaired;
    struct repair_options options = {.size_mm = 20, .min_wall_mm = 1};
    add_box(&m, 0, 0, 0, 20, 20, 2);
    size_t kept = 0;
    for (size_t t = 0; t < 12; t++) { /* the lid at z = 2 goes */
        const uint32_t *v = m.triangles + 3 * t;
        if (m.xyz[3 * v[0] + 2] > 1 && m.xyz[3 * v[1] + 2] > 1 && m.xyz[3 * v[2] + 2] > 1)
            continue;
        memmove(m.triangles + 3 * kept++, v, 12);
    }
    m.triangle_count = kept;
    CHECK(kept == 10);
    CHECK_OK(mesh_repair(&m, &repaired, &options, &err));
    CHECK(mesh_is_sound(&m) && repaired.sheets == 1);
    CHECK(mesh_volume(&m) < 700); /* full it would hold 800 */
    mesh_free(&m);
}

static void test_visible__sees_the_outer_box_alone(void)
{
    struct mesh m = {0};
    struct bvh bvh;
    uint8_t seen[24];
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 3, 3, 3, 4, 4, 4);
    CHECK_OK(bvh_build(&bvh, &m, &err));
    mesh_visible(seen, &bvh);
    for (int t = 0; t < 24; t++)
        CHECK(seen[t] == (t < 12));
    struct vec middle = {5, 5, 2};
    CHECK(bvh_escapes(&bvh, middle, (struct vec){0, 0, 1}, UINT32_MAX, 16, 0) == 0);
    middle.z = 11;
    CHECK(bvh_escapes(&bvh, middle, (struct vec){0, 0, 1}, UINT32_MAX, 16, 0) == 16);
    bvh_free(&bvh);
    mesh_free(&m);
}

static void test_solid__an_empty_mesh_adds_nothing(void)
{
    struct mesh m = {0}, empty = {0};
    CHECK_OK(mesh_append(&m, &empty, false, &err));
    CHECK(m.triangle_count == 0 && m.vertex_count == 0);
    add_ball(&m, 1, 2, 3, 10, 16);
    size_t before = m.triangle_count;
    CHECK_OK(mesh_append(&m, &empty, true, &err));
    CHECK(m.triangle_count == before);
    mesh_free(&m);
}

static void test_winding__of_nothing_is_nothing(void)
{
    struct mesh none = {0};
    struct bvh bvh = {0};
    CHECK_OK(bvh_build(&bvh, &none, &err));
    CHECK_OK(bvh_add_dipoles(&bvh, &err));
    CHECK_NEAR(bvh_winding(&bvh, (struct vec){1, 2, 3}), 0, 0);
    bvh_free(&bvh);
}

TESTS(TEST(test_winding__of_nothing_is_nothing), TEST(test_solid__an_empty_mesh_adds_nothing),
      TEST(test_solid__leaves_a_clean_shell_as_it_is), TEST(test_solid__joins_boxes_that_overlap),
      TEST(test_solid__joins_a_box_that_stands_on_another),
      TEST(test_solid__joins_boxes_that_share_a_face),
      TEST(test_solid__takes_away_what_is_inside_out),
      TEST(test_solid__leaves_a_cavity_where_a_shell_is_inside_out),
      TEST(test_solid__drops_a_body_within_another), TEST(test_solid__cuts_a_body_in_two),
      TEST(test_solid__says_when_nothing_is_left), TEST(test_repair__gives_a_fin_on_a_body_a_wall),
      TEST(test_repair__does_not_close_a_dish), TEST(test_visible__sees_the_outer_box_alone))
