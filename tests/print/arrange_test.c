/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arrangement: after it triangles share corners and edges and nothing else, and every winding
 * number is what it was. Small soups on small grids have degeneracies of every kind. */
#include "tests/test.h"

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/measure/topology.h"
#include "print/repair/arrange.h"
#include "print/repair/weld.h"
#include "tests/print/meshes.h"

static struct err err;

static uint32_t random_number(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Corners on a grid of side^3 points, `spread` apart; each triangle with corners of its own. */
static void make_soup(struct mesh *m, size_t triangles, uint32_t side, float spread, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    if (mesh_alloc(m, 3 * triangles, triangles, &err))
        abort();
    for (size_t i = 0; i < 9 * triangles; i++)
        m->xyz[i] = (float)(random_number(&state) % side) * spread;
    for (size_t i = 0; i < 3 * triangles; i++)
        m->triangles[i] = (uint32_t)i;
}

static size_t still_meeting(const struct mesh *m)
{
    struct bvh bvh;
    struct bvh_pairs pairs = {0};
    struct bvh_pair_options options = {.max_tests = SIZE_MAX};
    if (bvh_build(&bvh, m, &err) || bvh_meeting_pairs(&pairs, &bvh, &options, &err))
        abort();
    size_t count = pairs.count;
    bvh_pairs_free(&pairs);
    bvh_free(&bvh);
    return count;
}

static struct vec area_of(const struct mesh *m, size_t t)
{
    return mesh_normal2(m, t);
}

/* The largest difference between a triangle's normal2 and the sum over its pieces. */
static double area_lost(const struct mesh *before, const struct mesh *after, const uint32_t *from)
{
    struct vec *sums = calloc(before->triangle_count + 1, sizeof *sums);
    double most = 0;
    if (!sums)
        abort();
    for (size_t t = 0; t < after->triangle_count; t++)
        sums[from[t]] = vec_add(sums[from[t]], area_of(after, t));
    for (size_t t = 0; t < before->triangle_count; t++)
        most = fmax(most, vec_length(vec_sub(sums[t], area_of(before, t))));
    free(sums);
    return most;
}

static double solid_angle(struct vec a, struct vec b, struct vec c)
{
    double la = vec_length(a), lb = vec_length(b), lc = vec_length(c);
    double div = la * lb * lc + vec_dot(a, b) * lc + vec_dot(b, c) * la + vec_dot(c, a) * lb;
    return 2 * atan2(vec_dot(a, vec_cross(b, c)), div);
}

/* Of all triangles as seen from p: keeps track of how they are wound, open or not. */
static double winding(const struct mesh *m, struct vec p)
{
    double sum = 0;
    for (size_t t = 0; t < m->triangle_count; t++)
        sum += solid_angle(vec_sub(mesh_corner(m, t, 0), p), vec_sub(mesh_corner(m, t, 1), p),
                           vec_sub(mesh_corner(m, t, 2), p));
    return sum / (4 * 3.14159265358979323846);
}

/* Edges summed by direction; a boundary must not change but for being cut. Its moment about three
 * odd points, the sum of a x b for its edges, does not see cuts. */
static struct vec boundary_moment(const struct mesh *m, struct vec at)
{
    struct vec sum = {0, 0, 0};
    for (size_t t = 0; t < m->triangle_count; t++)
        for (int c = 0; c < 3; c++)
            sum = vec_add(sum, vec_cross(vec_sub(mesh_corner(m, t, c), at),
                                         vec_sub(mesh_corner(m, t, (c + 1) % 3), at)));
    return sum;
}

/* Arranges and compares; "" when all is well. */
static const char *trouble(struct mesh *m, double size)
{
    struct mesh before = {0};
    struct arrange_counts counts;
    uint32_t *from = NULL;
    static const struct vec eyes[4] = {
        {0.137, 0.291, 0.513}, {0.771, 0.389, 0.287}, {0.433, 0.817, 0.659}, {1.31, -0.43, 0.71}};
    const char *wrong = "";
    if (mesh_copy(&before, m, &err) || mesh_arrange(m, &from, &counts, &err)) {
        mesh_free(&before);
        return "refused";
    }
    double tolerance = 1e-5 * size * (double)(before.triangle_count + 10);
    if (counts.left || still_meeting(m))
        wrong = "triangles still meet";
    else if (area_lost(&before, m, from) > tolerance * size)
        wrong = "area is lost";
    for (int i = 0; i < 4 && !*wrong; i++) {
        struct vec eye = vec_scale(eyes[i], size);
        struct vec turned = vec_sub(boundary_moment(m, eye), boundary_moment(&before, eye));
        if (vec_length(turned) > tolerance * size)
            wrong = "the boundary has moved";
        if (fabs(winding(m, eye) - winding(&before, eye)) > 1e-4)
            wrong = "winding numbers have changed";
    }
    mesh_free(&before);
    free(from);
    return wrong;
}

static void test_arrange__leaves_soups_conforming(void)
{
    for (uint32_t seed = 1; seed <= 600; seed++) {
        struct mesh m = {0};
        uint32_t side = 2 + seed % 7;
        make_soup(&m, 2 + seed * 7 % 31, side, 1 + (float)(seed % 5), seed);
        const char *wrong = trouble(&m, (double)(side - 1) * (1 + seed % 5));
        mesh_free(&m);
        if (*wrong)
            TEST_GIVE_UP("soup %u: %s", seed, wrong);
    }
}

/* Many in one plane: each overlap must be cut alike in all that cover it. */
static void test_arrange__cuts_overlaps_in_one_plane_alike(void)
{
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct mesh m = {0};
        make_soup(&m, 3 + seed % 20, 20, 1, seed);
        for (size_t v = 0; v < m.vertex_count; v++)
            m.xyz[3 * v + 2] = seed % 2 ? 5 : m.xyz[3 * v] + 2 * m.xyz[3 * v + 1];
        const char *wrong = trouble(&m, 60);
        mesh_free(&m);
        if (*wrong)
            TEST_GIVE_UP("soup %u: %s", seed, wrong);
    }
}

/* Corners anywhere: rounding makes new meetings. */
static void test_arrange__leaves_odd_soups_conforming(void)
{
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct mesh m = {0};
        make_soup(&m, 10 + seed * 3, 16777213, 0x1.234p-18f, seed);
        const char *wrong = trouble(&m, 72);
        mesh_free(&m);
        if (*wrong)
            TEST_GIVE_UP("soup %u: %s", seed, wrong);
    }
}

/* Boxes that touch along faces, turned: the faces nearly coincide, and rounding alone goes on
 * making meetings in one of five. */
static void test_arrange__settles_turned_boxes_that_touch(void)
{
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct mesh m = {0};
        struct arrange_counts counts;
        uint32_t state = seed * 2654435761u + 1;
        for (int i = 0; i < 6; i++) {
            float at[6];
            for (int k = 0; k < 6; k++)
                at[k] = 5 * (float)(random_number(&state) % (k < 3 ? 6 : 3) + (k >= 3));
            add_box(&m, at[0], at[1], at[2], at[3], at[4], at[5]);
        }
        double c = cos(seed), s = sin(seed);
        for (float *p = m.xyz; p < m.xyz + 3 * m.vertex_count; p += 3) {
            double x = p[0] * c - p[1] * s, y = p[0] * s + p[1] * c;
            p[0] = (float)x;
            p[1] = (float)(y * s - p[2] * c);
            p[2] = (float)(y * c + p[2] * s);
        }
        CHECK_OK(mesh_arrange(&m, NULL, &counts, &err));
        CHECK(counts.left == 0 && still_meeting(&m) == 0);
        mesh_free(&m);
    }
}

static void test_arrange__unites_two_boxes_along_closed_lines(void)
{
    struct mesh m = {0};
    struct arrange_counts counts;
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 5, 5, 5, 10, 10, 10);
    CHECK_OK(mesh_arrange(&m, NULL, &counts, &err));
    CHECK(counts.pairs > 0 && counts.left == 0 && counts.rounds == 1 && counts.cut == 12);
    CHECK(still_meeting(&m) == 0);
    mesh_free(&m);
}

static void test_arrange__leaves_what_meets_nothing_bit_for_bit(void)
{
    struct mesh m = {0}, before = {0};
    struct arrange_counts counts;
    add_ball(&m, 0.1, 0.2, 0.3, 7.77, 12);
    CHECK_OK(mesh_copy(&before, &m, &err));
    CHECK_OK(mesh_arrange(&m, NULL, &counts, &err));
    CHECK(counts.pairs == 0 && counts.cut == 0 && counts.rounds == 0 && counts.left == 0);
    CHECK(m.vertex_count == before.vertex_count && m.triangle_count == before.triangle_count);
    CHECK(memcmp(m.xyz, before.xyz, m.vertex_count * 12) == 0);
    CHECK(memcmp(m.triangles, before.triangles, m.triangle_count * 12) == 0);
    mesh_free(&before);
    mesh_free(&m);
}

/* Copies are kept: two boxes in one place wind twice. */
static void test_arrange__keeps_copies(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 0, 0, 0, 10, 10, 10);
    CHECK_OK(mesh_arrange(&m, NULL, NULL, &err));
    CHECK(m.triangle_count == 24 && m.vertex_count == 8);
    CHECK_NEAR(winding(&m, (struct vec){3, 4, 5}), 2, 1e-9);
    mesh_free(&m);
}

static void test_arrange__refuses_a_tangle_soon(void)
{
    struct mesh m = {0};
    make_soup(&m, 10000, 1000, 0.1f, 7);
    CHECK_FAILS(mesh_arrange(&m, NULL, NULL, &err), ERR_LIMIT);
    CHECK_TEXT(err.code, "mesh_too_tangled");
    CHECK(m.triangle_count == 10000);
    mesh_free(&m);
}

static void test_arrange__refuses_what_is_no_number(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 1, 1, 1);
    m.xyz[4] = NAN;
    CHECK_FAILS(mesh_arrange(&m, NULL, NULL, &err), ERR_INPUT);
    mesh_free(&m);
}

static bool is_sound(const struct mesh *m)
{
    struct topology t;
    struct bvh bvh;
    size_t crossings = 1;
    if (topology_build(&t, m, &err) || bvh_build(&bvh, m, &err) ||
        bvh_self_intersections(&bvh, &crossings, 10000000, &err))
        abort();
    bool sound = topology_is_solid(&t) && crossings == 0;
    topology_free(&t);
    bvh_free(&bvh);
    return sound;
}

static void test_cut_floor__leaves_a_solid_on_a_flat_foot(void)
{
    struct mesh m = {0};
    double low[3], high[3], z = -7.5;
    add_ball(&m, 0, 0, 0, 10, 40);
    add_ball(&m, 30, 0, 0, 9, 17);
    CHECK_OK(mesh_weld_exact(&m, NULL, &err));
    CHECK(is_sound(&m));
    double whole = mesh_volume(&m);
    CHECK_OK(mesh_cut_floor(&m, &z, 0.1, &err));
    mesh_bounds(&m, low, high);
    CHECK(is_sound(&m));
    CHECK(low[2] == z && fabs(z + 7.5) < 0.1);
    /* Caps of 2.5 and 1.5 mm. */
    double caps = M_PI / 3 * (2.5 * 2.5 * (30 - 2.5) + 1.5 * 1.5 * (27 - 1.5));
    CHECK(fabs(whole - mesh_volume(&m) - caps) < 0.1 * caps);
    mesh_free(&m);
}

static void test_cut_floor__has_nothing_to_cut_beyond_the_mesh(void)
{
    struct mesh m = {0};
    double z = -20;
    add_ball(&m, 0, 0, 0, 10, 12);
    size_t before = m.triangle_count;
    CHECK(mesh_cut_floor(&m, &z, 0.1, &err) == 1);
    CHECK(m.triangle_count == before);
    mesh_free(&m);
}

/* Each triangle with its own corners, all off by up to a hundredth. */
static void test_weld_rims__closes_a_torn_ball(void)
{
    struct mesh ball = {0}, m = {0};
    uint32_t state = 5;
    size_t merged;
    add_ball(&ball, 0, 0, 0, 50, 20);
    CHECK_OK(mesh_weld_exact(&ball, NULL, &err));
    CHECK_OK(mesh_alloc(&m, 3 * ball.triangle_count, ball.triangle_count, &err));
    for (size_t h = 0; h < 3 * ball.triangle_count; h++) {
        m.triangles[h] = (uint32_t)h;
        for (size_t k = 0; k < 3; k++)
            m.xyz[3 * h + k] = ball.xyz[3 * (size_t)ball.triangles[h] + k] +
                               0.005f * ((float)(random_number(&state) % 2001) / 1000 - 1);
    }
    CHECK_OK(mesh_weld_rims(&m, 100, &merged, &err));
    CHECK(merged == 3 * ball.triangle_count - ball.vertex_count);
    CHECK(m.triangle_count == ball.triangle_count);
    CHECK(is_sound(&m));
    mesh_free(&m);
    mesh_free(&ball);
}

static void test_weld_rims__leads_edges_through_corners_on_them(void)
{
    struct mesh m = {0};
    size_t merged;
    float corner[3] = {50, 0.004f, 0};
    add_box(&m, 0, 0, 0, 100, 100, 100);
    CHECK_OK(mesh_weld_exact(&m, NULL, &err));
    CHECK(is_sound(&m));
    /* One of the two triangles along an edge of the box is halved, the other is not. */
    struct mesh half = {0};
    CHECK_OK(mesh_alloc(&half, m.vertex_count + 1, m.triangle_count + 1, &err));
    memcpy(half.xyz, m.xyz, m.vertex_count * 3 * sizeof *m.xyz);
    memcpy(half.xyz + 3 * m.vertex_count, corner, sizeof corner);
    memcpy(half.triangles, m.triangles, 3 * m.triangle_count * sizeof *m.triangles);
    uint32_t added = (uint32_t)m.vertex_count;
    for (size_t h = 0; h < 3 * m.triangle_count; h++) {
        uint32_t *t = half.triangles + h / 3 * 3, *last = half.triangles + 3 * m.triangle_count;
        const float *a = m.xyz + 3 * (size_t)t[h % 3];
        const float *b = m.xyz + 3 * (size_t)t[(h % 3 + 1) % 3];
        if (a[1] != 0 || a[2] != 0 || b[1] != 0 || b[2] != 0)
            continue;
        memcpy(last, t, 3 * sizeof *t);
        last[h % 3] = added;
        t[(h % 3 + 1) % 3] = added;
        break;
    }
    CHECK(!is_sound(&half));
    CHECK_OK(mesh_weld_rims(&half, 100, &merged, &err));
    CHECK(merged == 1 && half.triangle_count == m.triangle_count + 2);
    CHECK(is_sound(&half));
    mesh_free(&half);
    mesh_free(&m);
}

TESTS(TEST(test_arrange__leaves_soups_conforming),
      TEST(test_arrange__cuts_overlaps_in_one_plane_alike),
      TEST(test_arrange__leaves_odd_soups_conforming),
      TEST(test_arrange__settles_turned_boxes_that_touch),
      TEST(test_arrange__unites_two_boxes_along_closed_lines),
      TEST(test_arrange__leaves_what_meets_nothing_bit_for_bit), TEST(test_arrange__keeps_copies),
      TEST(test_arrange__refuses_a_tangle_soon), TEST(test_arrange__refuses_what_is_no_number),
      TEST(test_cut_floor__leaves_a_solid_on_a_flat_foot),
      TEST(test_cut_floor__has_nothing_to_cut_beyond_the_mesh),
      TEST(test_weld_rims__closes_a_torn_ball),
      TEST(test_weld_rims__leads_edges_through_corners_on_them))
