/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search for triangles that meet, held against every triangle with every other one, and what
 * spares it most of them: vertices round which the triangles lie flat. */
#include "tests/test.h"

#include <omp.h>

#include "print/measure/bvh.h"
#include "print/measure/stars.h"
#include "print/measure/topology.h"
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

static struct exact_triangle triangle_of(const struct mesh *m, size_t t)
{
    struct exact_triangle out;
    for (size_t c = 0; c < 3; c++) {
        out.corner[c] = m->triangles[3 * t + c];
        memcpy(out.at[c], m->xyz + 3 * (size_t)out.corner[c], sizeof out.at[c]);
    }
    return out;
}

/* Corners on a grid, welded, so that triangles share some in every way there is. */
static void make_soup(struct mesh *m, size_t triangles, uint32_t side, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    if (mesh_alloc(m, 3 * triangles, triangles, &err))
        abort();
    for (size_t i = 0; i < 9 * triangles; i++)
        m->xyz[i] = (float)(random_number(&state) % side);
    for (size_t i = 0; i < 3 * triangles; i++)
        m->triangles[i] = (uint32_t)i;
    if (mesh_weld_exact(m, NULL, &err))
        abort();
}

/* A ball with its vertices moved about by up to `by`, on a grid coarse enough for flat places. */
static void make_crumpled(struct mesh *m, int rings, double by, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    add_ball(m, 0, 0, 0, 10, rings);
    for (size_t i = 0; i < 3 * m->vertex_count; i++) {
        double chance = random_number(&state) % 1000 / 500.0 - 1;
        m->xyz[i] = (float)(floor((m->xyz[i] + by * chance) * 16) / 16);
    }
}

/* Among n triangles by the exact test alone, as options want them. */
static size_t count_slowly(const struct mesh *m, const struct bvh_pair_options *options,
                           const struct bvh_pairs *pairs, size_t *differ)
{
    size_t count = 0;
    *differ = 0;
    for (uint32_t i = 0; i < m->triangle_count; i++)
        for (uint32_t j = i + 1; j < m->triangle_count; j++) {
            struct exact_triangle a = triangle_of(m, i), b = triangle_of(m, j);
            enum exact_meeting how = exact_triangles(&a, &b);
            if (options->dirty && !options->dirty[i] && !options->dirty[j])
                continue;
            if (how == EXACT_APART || (how == EXACT_COPIES && !options->copies))
                continue;
            *differ +=
                count >= pairs->count || pairs->pair[count][0] != i || pairs->pair[count][1] != j;
            count++;
        }
    return count;
}

/* Pairs that the search lists and the slow count does not, or the other way round. */
static size_t differences(const struct mesh *m, const uint8_t *dirty, bool copies)
{
    struct bvh bvh;
    struct bvh_pairs pairs;
    struct bvh_pair_options options = {.max_tests = SIZE_MAX, .dirty = dirty, .copies = copies};
    size_t differ;
    if (bvh_build(&bvh, m, &err) || bvh_meeting_pairs(&pairs, &bvh, &options, &err))
        abort();
    size_t count = count_slowly(m, &options, &pairs, &differ);
    differ += count > pairs.count ? count - pairs.count : pairs.count - count;
    bvh_pairs_free(&pairs);
    bvh_free(&bvh);
    return differ;
}

static void test_crossing__lists_what_every_pair_tells_in_soups(void)
{
    uint8_t dirty[200];
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct mesh m = {0};
        make_soup(&m, 3 + 3 * seed, 3 + seed % 5, seed);
        for (size_t t = 0; t < m.triangle_count; t++)
            dirty[t] = (t * 7 + seed) % 11 == 0;
        CHECK(differences(&m, NULL, false) == 0);
        CHECK(differences(&m, NULL, true) == 0);
        CHECK(differences(&m, dirty, false) == 0);
        mesh_free(&m);
    }
}

static void test_crossing__lists_what_every_pair_tells_on_crumpled_balls(void)
{
    for (uint32_t seed = 1; seed <= 24; seed++) {
        struct mesh m = {0};
        make_crumpled(&m, 12, 0.12 * seed, seed);
        CHECK(differences(&m, NULL, false) == 0);
        mesh_free(&m);
    }
}

/* Pairs with a flat vertex in common, and how many of them meet all the same. */
static void pairs_at_flat(const struct mesh *m, size_t *pairs, size_t *meeting)
{
    uint8_t *flat = malloc(m->vertex_count + 1);
    if (!flat || stars_flat(flat, m, &err))
        abort();
    for (uint32_t i = 0; i < m->triangle_count; i++)
        for (uint32_t j = i + 1; j < m->triangle_count; j++) {
            struct exact_triangle a = triangle_of(m, i), b = triangle_of(m, j);
            bool shared = false;
            for (int k = 0; k < 9; k++)
                shared |= a.corner[k / 3] == b.corner[k % 3] && flat[a.corner[k / 3]];
            *pairs += shared;
            *meeting += shared && exact_triangles(&a, &b) != EXACT_APART;
        }
    free(flat);
}

static void test_stars__nothing_meets_at_a_flat_one(void)
{
    size_t pairs = 0, meeting = 0;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct mesh m = {0};
        make_crumpled(&m, 10, 0.08 * seed, seed);
        pairs_at_flat(&m, &pairs, &meeting);
        mesh_free(&m);
        make_soup(&m, 150, 3, seed);
        pairs_at_flat(&m, &pairs, &meeting);
        mesh_free(&m);
    }
    CHECK(pairs > 40000);
    CHECK(meeting == 0);
}

/* The vertex 0 in the middle of a fan through the given rim, closed or not, at height `up`. */
static bool fan_is_flat(const float (*rim)[2], uint32_t count, uint32_t triangles, float up)
{
    struct mesh m = {0};
    uint8_t flat[16];
    if (mesh_alloc(&m, count + 1, triangles, &err))
        abort();
    m.xyz[0] = m.xyz[1] = 0;
    m.xyz[2] = up;
    for (uint32_t i = 0; i < count; i++) {
        m.xyz[3 * i + 3] = rim[i][0];
        m.xyz[3 * i + 4] = rim[i][1];
        m.xyz[3 * i + 5] = 0;
    }
    for (uint32_t t = 0; t < triangles; t++) {
        m.triangles[3 * t] = 0;
        m.triangles[3 * t + 1] = t % count + 1;
        m.triangles[3 * t + 2] = (t + 1) % count + 1;
    }
    if (stars_flat(flat, &m, &err))
        abort();
    mesh_free(&m);
    return flat[0];
}

static void test_stars__a_fan_is_flat_that_goes_round_once(void)
{
    const float once[6][2] = {{2, 0}, {1, 2}, {-1, 2}, {-2, 0}, {-1, -2}, {1, -2}};
    const float twice[6][2] = {{2, 0}, {-1, 2}, {-1, -2}, {3, 0}, {-2, 3}, {-2, -3}};
    const float back[6][2] = {{2, 0}, {1, 2}, {-1, 2}, {1, 1}, {-1, -2}, {1, -2}};
    const float line[4][2] = {{2, 0}, {1, 0}, {-1, 2}, {-1, -2}};
    for (float up = -1; up <= 1; up++) {
        CHECK(fan_is_flat(once, 6, 6, up));
        CHECK(!fan_is_flat(once, 6, 5, up)); /* open */
        CHECK(!fan_is_flat(twice, 6, 6, up));
        CHECK(!fan_is_flat(back, 6, 6, up));
        CHECK(!fan_is_flat(line, 4, 4, up)); /* one without area */
    }
    CHECK(!fan_is_flat(once, 6, 7, 1)); /* one of them twice */
}

static void test_crossing__is_the_same_for_any_number_of_threads(void)
{
    struct mesh m = {0};
    struct bvh bvh;
    struct bvh_pairs one, three;
    struct bvh_pair_options options = {.max_tests = SIZE_MAX};
    int before = omp_get_max_threads();
    make_crumpled(&m, 110, 0.35, 5);
    CHECK_OK(bvh_build(&bvh, &m, &err));
    omp_set_num_threads(1);
    CHECK_OK(bvh_meeting_pairs(&one, &bvh, &options, &err));
    options.max_tests = one.tests / 2;
    omp_set_num_threads(3);
    CHECK_OK(bvh_meeting_pairs(&three, &bvh, &options, &err));
    CHECK(three.gave_up && three.count < one.count);
    bvh_pairs_free(&three);
    options.max_tests = SIZE_MAX;
    CHECK_OK(bvh_meeting_pairs(&three, &bvh, &options, &err));
    omp_set_num_threads(before);
    CHECK(!one.gave_up && !three.gave_up && one.tests == three.tests);
    CHECK(one.count > 1000 && one.count == three.count);
    CHECK(memcmp(one.pair, three.pair, one.count * sizeof *one.pair) == 0);
    bvh_pairs_free(&one);
    bvh_pairs_free(&three);
    bvh_free(&bvh);
    mesh_free(&m);
}

/* What the edges alone say, with shells and fans joined one by one. */
struct slow {
    size_t boundary, nonmanifold, inconsistent, split, shells;
};

static uint32_t root_of(const uint32_t *up, uint32_t x)
{
    return up[x] == x ? x : root_of(up, up[x]);
}

static void join(uint32_t *up, uint32_t a, uint32_t b)
{
    a = root_of(up, a), b = root_of(up, b);
    up[a > b ? a : b] = a < b ? a : b;
}

static uint32_t corner_at(const struct mesh *m, uint32_t h, uint32_t vertex)
{
    uint32_t first = h - h % 3;
    while (m->triangles[first] != vertex)
        first++;
    return first;
}

static size_t count_fans(const struct mesh *m, uint32_t *fans, uint32_t vertex)
{
    size_t count = 0;
    for (uint32_t h = 0; h < 3 * m->triangle_count; h++)
        count += m->triangles[h] == vertex && fans[h] == h;
    return count;
}

static struct slow look_slowly(const struct mesh *m)
{
    struct edge_list edges;
    struct slow s = {0};
    uint32_t shells[400], fans[1200];
    const uint32_t *t = m->triangles;
    if (m->triangle_count > 400 || edge_list_build(&edges, m, &err))
        abort();
    for (uint32_t h = 0; h < 3 * m->triangle_count; h++)
        shells[h / 3] = h / 3, fans[h] = h;
    for (size_t e = 0; e < edges.edge_count; e++) {
        const uint32_t *h = edges.halfedges + edges.starts[e];
        size_t count = edges.starts[e + 1] - edges.starts[e];
        s.boundary += count == 1;
        s.nonmanifold += count > 2;
        s.inconsistent += count == 2 && t[h[0]] == t[h[1]];
        for (size_t i = 1; i < count; i++) {
            uint32_t ends[2] = {t[h[0]], t[halfedge_next(h[0])]};
            join(shells, h[0] / 3, h[i] / 3);
            for (int k = 0; k < 2; k++)
                join(fans, corner_at(m, h[0], ends[k]), corner_at(m, h[i], ends[k]));
        }
    }
    for (uint32_t i = 0; i < m->triangle_count; i++)
        s.shells += shells[i] == i;
    for (uint32_t v = 0; v < m->vertex_count; v++)
        s.split += count_fans(m, fans, v) > 1;
    edge_list_free(&edges);
    return s;
}

/* A twin has the same two ends and the other way round is its twin. */
static bool twins_agree(const struct mesh *m, const struct topology *t)
{
    for (uint32_t h = 0; h < 3 * m->triangle_count; h++) {
        uint32_t o = t->twin[h], a = m->triangles[h], b = m->triangles[halfedge_next(h)];
        if (o >= TWIN_MANY)
            continue;
        uint32_t c = m->triangles[o], d = m->triangles[halfedge_next(o)];
        if (o == h || t->twin[o] != h || (a < b ? a : b) != (c < d ? c : d) ||
            (a < b ? b : a) != (c < d ? d : c) || t->shell[h / 3] != t->shell[o / 3])
            return false;
    }
    return true;
}

static void test_topology__counts_as_the_edges_do(void)
{
    struct slow sum = {0};
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct mesh m = {0};
        struct topology t;
        if (seed % 2)
            make_soup(&m, 6 * seed, 2 + seed % 5, seed);
        else
            add_ball(&m, 0, 0, 0, 1, 9);
        for (size_t i = 0; i < seed && seed % 2 == 0; i++)
            m.triangles[(i * 7919 + seed) % (3 * m.triangle_count)] = (uint32_t)(i % 60);
        mesh_drop_degenerate(&m);
        CHECK_OK(topology_build(&t, &m, &err));
        struct slow s = look_slowly(&m);
        CHECK(t.boundary_edges == s.boundary && t.nonmanifold_edges == s.nonmanifold);
        CHECK(t.inconsistent_edges == s.inconsistent && t.nonmanifold_vertices == s.split);
        CHECK(t.shells == s.shells && twins_agree(&m, &t));
        sum.boundary += s.boundary, sum.nonmanifold += s.nonmanifold;
        sum.inconsistent += s.inconsistent, sum.split += s.split;
        topology_free(&t);
        mesh_free(&m);
    }
    CHECK(sum.boundary && sum.nonmanifold && sum.inconsistent && sum.split);
}

__extension__ typedef __int128 wide;

static int sign(wide x)
{
    return (x > 0) - (x < 0);
}

/* A whole number below 2^bits in size, often a small one, with at most 24 bits that count. */
static int64_t random_whole(uint32_t *state, unsigned bits)
{
    int64_t m = random_number(state) % (random_number(state) % 2 ? 5 : 1u << 24);
    unsigned shift = random_number(state) % (bits - 23);
    return (random_number(state) % 2 ? -m : m) * ((int64_t)1 << shift);
}

static wide volume_of(const int64_t p[4][3])
{
    wide u[3][3];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            u[i][k] = p[i + 1][k] - p[0][k];
    return (u[0][1] * u[1][2] - u[0][2] * u[1][1]) * u[2][0] +
           (u[0][2] * u[1][0] - u[0][0] * u[1][2]) * u[2][1] +
           (u[0][0] * u[1][1] - u[0][1] * u[1][0]) * u[2][2];
}

/* Half of them in one plane or nearly: the last point is the three others' with one turned about.
 */
static void test_exact__has_the_signs_of_whole_numbers(void)
{
    uint32_t state = 77;
    size_t zeros = 0;
    for (int n = 0; n < 40000; n++) {
        int64_t p[4][3];
        float f[4][3];
        unsigned bits = 24 + random_number(&state) % 14;
        for (int i = 0; i < 12; i++)
            p[i / 3][i % 3] = random_whole(&state, bits);
        for (int k = 0; k < 3 && n % 2; k++)
            p[3][k] = p[0][k] + p[1][k] - p[2][k] + (n % 6 == 1 && k == 0);
        for (int i = 0; i < 12; i++) {
            f[i / 3][i % 3] = ldexpf((float)p[i / 3][i % 3], n % 40 - 20);
            p[i / 3][i % 3] = (int64_t)(float)p[i / 3][i % 3];
        }
        int side = exact_side(f[0], f[1], f[2], f[3]);
        zeros += side == 0;
        CHECK(side == sign(volume_of(p)));
        CHECK(exact_side(f[1], f[0], f[2], f[3]) == -side);
        CHECK(exact_side(f[0], f[1], f[2], f[2]) == 0);
        int64_t ux = p[1][0] - p[0][0], uy = p[1][1] - p[0][1];
        int64_t vx = p[2][0] - p[0][0], vy = p[2][1] - p[0][1];
        CHECK(exact_turn(f[0], f[1], f[2], 0, 1) == sign((wide)ux * vy - (wide)uy * vx));
    }
    CHECK(zeros > 1000);
}

/* On one line far out in size: what no double and no 128 bits can tell. */
static void test_exact__tells_a_float_step_over_many_binades(void)
{
    const float a[3] = {0, 0, 0}, b[3] = {1e-30f, 1e-30f, 0}, c[3] = {1e30f, 1e30f, 0};
    const float above[3] = {1e30f, nextafterf(1e30f, INFINITY), 0}, up[3] = {0, 0, 1e-30f};
    CHECK(exact_turn(a, b, c, 0, 1) == 0);
    CHECK(exact_turn(a, b, above, 0, 1) == 1);
    CHECK(exact_turn(a, above, b, 0, 1) == -1);
    CHECK(exact_side(a, b, c, up) == 0);
    CHECK(exact_side(a, b, above, up) == 1);
}

TESTS(TEST(test_crossing__lists_what_every_pair_tells_in_soups),
      TEST(test_crossing__lists_what_every_pair_tells_on_crumpled_balls),
      TEST(test_stars__nothing_meets_at_a_flat_one),
      TEST(test_stars__a_fan_is_flat_that_goes_round_once),
      TEST(test_crossing__is_the_same_for_any_number_of_threads),
      TEST(test_exact__has_the_signs_of_whole_numbers),
      TEST(test_exact__tells_a_float_step_over_many_binades),
      TEST(test_topology__counts_as_the_edges_do))
