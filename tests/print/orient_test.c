/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which side a part is put on, and what may overrule the least support. */
#include "tests/test.h"

#include <omp.h>

#include "print/read/read.h"
#include "print/shape/orient.h"
#include "print/shape/orient_parts.h"
#include "tests/print/meshes.h"

static struct err err;

/* A mushroom: a leg under a hat. It stands on its hat without any support. */
static void add_mushroom(struct mesh *m)
{
    add_box(m, 25, 25, 0, 10, 10, 41);
    add_box(m, 0, 0, 40, 60, 60, 10);
}

static void test_orientation__turns_a_mushroom_on_its_hat(void)
{
    struct mesh m = {0};
    struct orient_choice choice;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    add_mushroom(&m);
    CHECK_OK(mesh_find_orientation(&choice, &m, &options, &err));
    CHECK(choice.chosen.cost_mm3 < 0.02 * choice.upright.cost_mm3);
    CHECK(choice.upright.support_mm3[0] > 5000 && choice.upright.support_mm3[1] > 5000);
    CHECK_NEAR(choice.rotation.row[2].z, -1, 1e-9);
    CHECK_NEAR(choice.chosen.contact_mm2, 3600, 60);
    CHECK(choice.alternative_count > 2 && choice.tried > 500);
    mesh_free(&m);
}

static void test_orientation__leaves_a_box_alone(void)
{
    struct mesh m = {0};
    struct orient_choice choice;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    add_box(&m, 0, 0, 0, 30, 30, 60);
    CHECK_OK(mesh_find_orientation(&choice, &m, &options, &err));
    CHECK_NEAR(choice.rotation.row[2].z, 1, 1e-9);
    CHECK_NEAR(choice.chosen.cost_mm3, 0, 1e-9);
    mesh_free(&m);
}

static void test_orientation__upright_only_tells_what_it_costs(void)
{
    struct mesh m = {0};
    struct orient_choice choice;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    options.upright = true;
    add_mushroom(&m);
    CHECK_OK(mesh_find_orientation(&choice, &m, &options, &err));
    CHECK_NEAR(choice.rotation.row[2].z, 1, 1e-9);
    CHECK(choice.alternatives[0].cost_mm3 < 0.02 * choice.chosen.cost_mm3);
    CHECK_NEAR(choice.alternatives[0].down.z, 1, 1e-6);
    mesh_free(&m);
}

/* A figure lies down only for a gain that is worth it. */
static void test_orientation__keeps_a_figure_standing_for_little(void)
{
    struct mesh m = {0};
    struct orient_choice choice;
    struct orient_options options = ORIENT_OPTIONS_FIGURE;
    add_box(&m, 0, 0, 0, 20, 20, 80);
    add_box(&m, 19, 5, 70, 10, 10, 10); /* an arm */
    options.protect_front = false;
    options.least_mm3 = 1e6;
    CHECK_OK(mesh_find_orientation(&choice, &m, &options, &err));
    CHECK_NEAR(choice.rotation.row[2].z, 1, 1e-9);
    CHECK(choice.alternatives[0].cost_mm3 < 0.5 * choice.upright.cost_mm3);
    options.least_mm3 = 10;
    CHECK_OK(mesh_find_orientation(&choice, &m, &options, &err));
    CHECK(choice.rotation.row[2].z < 0.9);
    mesh_free(&m);
}

/* A long T is cheapest with its bar on the bed, unless the leg is then too high for the printer. */
static void test_orientation__stays_within_the_printer(void)
{
    struct mesh m = {0};
    struct orient_choice choice;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    add_box(&m, 0, 0, 0, 90, 20, 20);
    add_box(&m, 80, -20, -20, 10, 60, 60);
    CHECK_OK(mesh_find_orientation(&choice, &m, &options, &err));
    CHECK_NEAR(choice.chosen.down.x, 1, 1e-6);
    CHECK_NEAR(choice.chosen.size_mm[2], 90, 1e-3);
    for (int k = 0; k < 3; k++)
        options.bed_mm[k] = k < 2 ? 120 : 80;
    CHECK_OK(mesh_find_orientation(&choice, &m, &options, &err));
    CHECK(choice.chosen.size_mm[2] <= 80);
    mesh_free(&m);
}

/* A pole on its tip would need no support, but it would not stand. */
static void test_orientation__does_not_balance_on_a_tip(void)
{
    struct mesh m = {0};
    struct orient_stand stand;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    add_box(&m, 0, 0, 0, 2, 2, 80);
    CHECK_OK(mesh_judge_stand(&stand, &m, (struct vec){0, 0, -1}, 0.25, &options, &err));
    CHECK(!stand.allowed);
    CHECK_NEAR(stand.tilt_deg, 1.43, 0.2); /* atan(1 / 40) */
    CHECK_OK(mesh_judge_stand(&stand, &m, (struct vec){1, 0, 0}, 0.25, &options, &err));
    CHECK(stand.allowed && stand.tilt_deg > 44);
    mesh_free(&m);
}

static void test_orientation__knows_the_front(void)
{
    struct mesh m = {0};
    uint8_t *front;
    struct orient_stand face, back;
    struct orient_options options = ORIENT_OPTIONS_FIGURE;
    add_ball(&m, 0, 0, 0, 20, 40);
    size_t first = m.triangle_count, seen[2] = {0};
    add_ball(&m, 0, 60, 0, 10, 20); /* hidden behind it */
    CHECK_OK(front_find(&front, &m, &err));
    for (size_t t = 0; t < m.triangle_count; t++)
        seen[t >= first] += front[t];
    free(front);
    CHECK(seen[0] > first / 6 && seen[0] < first / 3 && seen[1] == 0);
    m.triangle_count = first;
    CHECK_OK(mesh_judge_stand(&face, &m, (struct vec){0, -1, 0.3}, 0.5, &options, &err));
    CHECK_OK(mesh_judge_stand(&back, &m, (struct vec){0, 1, 0.3}, 0.5, &options, &err));
    CHECK(face.front_scars_mm2 > 200 && back.front_scars_mm2 == 0);
    CHECK(face.cost_mm3 > back.cost_mm3 + 800);
    CHECK_NEAR(face.support_mm3[0] / back.support_mm3[0], 1, 0.02);
    CHECK(!face.allowed && back.allowed);
    mesh_free(&m);
}

/* The vertices furthest along `way`, to a thousandth of a millimetre. */
static size_t touching(const struct mesh *m, struct vec way)
{
    double most = -INFINITY;
    size_t count = 0;
    for (uint32_t v = 0; v < m->vertex_count; v++)
        most = fmax(most, vec_dot(mesh_point(m, v), way));
    for (uint32_t v = 0; v < m->vertex_count; v++)
        count += vec_dot(mesh_point(m, v), way) > most - 1e-3;
    return count;
}

/* *exact: how many of the sides touch three vertices or more. */
static void hull_of(size_t *exact, struct vec *sides, size_t most, const struct mesh *m)
{
    struct vec *all, ways[500];
    size_t count, flat;
    CHECK_OK(directions_list(&all, &count, &flat, m, &err));
    CHECK(count > 500);
    memcpy(ways, all + count - 500, sizeof ways);
    free(all);
    CHECK_OK(hull_sides(sides, most, m, ways, 500, &err));
    *exact = 0;
    for (size_t i = 0; i < most; i++)
        *exact += touching(m, sides[i]) >= 3;
}

static double nearest(const struct vec *sides, size_t count, struct vec way)
{
    double best = -1;
    for (size_t i = 0; i < count; i++)
        best = fmax(best, vec_dot(sides[i], vec_unit(way)));
    return best;
}

/* A hat on three legs: it rests on their ends, which is no side of it, and leaning on its rim. */
static void test_hull__has_what_a_part_can_rest_on(void)
{
    struct mesh m = {0};
    struct vec sides[12];
    size_t exact = 0;
    add_box(&m, 0, 0, 20, 60, 60, 10);
    add_box(&m, 5, 5, 0, 1, 1, 21);
    add_box(&m, 50, 5, 6, 1, 1, 15);
    add_box(&m, 30, 50, 3, 1, 1, 18);
    hull_of(&exact, sides, 12, &m);
    CHECK(exact == 12);
    struct vec a = {6, 5, 0}, b = {51, 5, 6}, c = {31, 50, 3}; /* which corners touch */
    struct vec foot = vec_cross(vec_sub(c, a), vec_sub(b, a));
    CHECK(foot.z < 0 && nearest(sides, 12, foot) > cos(0.01 * M_PI / 180));
    CHECK(nearest(sides, 12, (struct vec){0, 0, 1}) > 1 - 1e-9);
    mesh_free(&m);
}

/* Nothing that lies in a plane, however much of it, may confuse the hull. */
static void test_hull__bears_many_vertices_in_a_plane(void)
{
    struct mesh m = {0};
    struct vec sides[8];
    size_t exact = 0;
    for (int i = 0; i < 400; i++)
        add_box(&m, (float)(i % 20) * 3.3f, (float)(i / 20) * 2.7f, 0, 3.3f, 2.7f, 20);
    hull_of(&exact, sides, 8, &m);
    CHECK(exact >= 6);
    const struct vec ways[] = {{0, 0, 1}, {0, 0, -1}, {0, 1, 0}, {0, -1, 0}, {1, 0, 0}, {-1, 0, 0}};
    for (size_t i = 0; i < 6; i++)
        CHECK(nearest(sides, 8, ways[i]) > 1 - 1e-8);
    m.triangle_count = 2; /* one side of one box is no solid, but no trouble either */
    m.vertex_count = 4;
    for (uint32_t v = 0; v < 4; v++)
        mesh_point_set(&m, v, (struct vec){v % 2, v / 2, 5});
    CHECK_OK(hull_sides(sides, 8, &m, ways, 6, &err));
    for (size_t i = 0; i < 8; i++)
        CHECK(sides[i].z == -1);
    mesh_free(&m);
}

static void test_orientation__does_not_depend_on_threads(void)
{
    struct mesh m = {0};
    struct orient_choice one, four;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    memset(&one, 0, sizeof one);
    memset(&four, 0, sizeof four);
    add_mushroom(&m);
    add_ball(&m, 30, 5, 10, 12, 20);
    omp_set_num_threads(1);
    CHECK_OK(mesh_find_orientation(&one, &m, &options, &err));
    omp_set_num_threads(4);
    CHECK_OK(mesh_find_orientation(&four, &m, &options, &err));
    CHECK(memcmp(&one.chosen, &four.chosen, sizeof one.chosen) == 0);
    CHECK(memcmp(one.alternatives, four.alternatives, sizeof one.alternatives) == 0);
    mesh_free(&m);
}

static void test_orientation__refuses_nothing(void)
{
    struct mesh m = {0};
    struct orient_choice choice;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    CHECK_FAILS(mesh_find_orientation(&choice, &m, &options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "mesh_empty");
}

TESTS(TEST(test_orientation__turns_a_mushroom_on_its_hat),
      TEST(test_orientation__leaves_a_box_alone),
      TEST(test_orientation__upright_only_tells_what_it_costs),
      TEST(test_orientation__keeps_a_figure_standing_for_little),
      TEST(test_orientation__stays_within_the_printer),
      TEST(test_orientation__does_not_balance_on_a_tip), TEST(test_orientation__knows_the_front),
      TEST(test_hull__has_what_a_part_can_rest_on), TEST(test_hull__bears_many_vertices_in_a_plane),
      TEST(test_orientation__does_not_depend_on_threads), TEST(test_orientation__refuses_nothing))
