/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volumetric rebuild: sharp where the input is, flat where it is, and sound whatever it gets.
 */
#include "print/repair/arrange.h"
#include "print/repair/rebuild.h"
#include "print/shape/shape.h"
#include "tests/print/meshes.h"
#include "tests/print/solid.h"
#include "tests/test.h"

#define STEP 0.5

static struct err err;

/* No side of it lies along the grid. */
static struct rotation askew(void)
{
    struct vec a = vec_unit((struct vec){1, 2, 3});
    struct vec b = vec_unit(vec_cross(a, (struct vec){0.3, 1, 0}));
    return (struct rotation){{a, b, vec_cross(a, b)}};
}

static void rebuild(struct mesh *out, const struct mesh *in)
{
    struct rebuild_options options = {.step_mm = STEP};
    CHECK_OK(mesh_rebuild(out, in, &options, &err));
}

struct spread {
    double mean, most;
    double far_share; /* further off than a twentieth of a step */
};

/* Points along the edges of the box of `half` around the origin, in steps from the mesh. */
static void edges_off(struct spread *out, const struct mesh *m, const struct rotation *r,
                      double half)
{
    struct bvh bvh;
    struct spread s = {0};
    size_t points = 0;
    CHECK_OK(bvh_build(&bvh, m, &err));
    for (int axis = 0; axis < 3; axis++)
        for (int side = 0; side < 4; side++)
            for (double along = -half; along <= half; along += STEP / 7) {
                double p[3];
                p[axis] = along;
                p[(axis + 1) % 3] = side & 1 ? half : -half;
                p[(axis + 2) % 3] = side & 2 ? half : -half;
                struct vec v = {p[0], p[1], p[2]};
                struct vec q = {vec_dot(r->row[0], v), vec_dot(r->row[1], v),
                                vec_dot(r->row[2], v)};
                double d = bvh_nearest(&bvh, q, 10, NULL, NULL) / STEP;
                s.mean += d;
                s.most = fmax(s.most, d);
                s.far_share += d > 0.05;
                points++;
            }
    bvh_free(&bvh);
    s.mean /= (double)points;
    s.far_share /= (double)points;
    *out = s;
}

/* Cut straight, edges lie 0.2 of a step off the surface as a mean, and 94 % of them 0.05 or more.
 */
static void test_rebuild__keeps_the_edges_of_a_turned_cube(void)
{
    struct mesh m = {0}, out = {0};
    struct rotation turn = askew();
    add_box(&m, -10, -10, -10, 20, 20, 20);
    mesh_rotate(&m, &turn);
    rebuild(&out, &m);
    CHECK(mesh_is_sound(&out));
    struct spread s = {0};
    edges_off(&s, &out, &turn, 10);
    CHECK(s.mean < 0.01);
    CHECK(s.far_share < 0.03);
    CHECK(s.most < 0.2);
    CHECK_NEAR(mesh_volume(&out), 8000, 2);
    mesh_free(&m);
    mesh_free(&out);
}

/* Sides lie where the input's do, and what the grid cut small goes back to few triangles. */
static void test_rebuild__keeps_sides_flat(void)
{
    struct mesh m = {0}, out = {0};
    struct rotation turn = askew();
    add_box(&m, -10, -10, -10, 20, 20, 20);
    mesh_rotate(&m, &turn);
    rebuild(&out, &m);
    for (uint32_t v = 0; v < out.vertex_count; v++) {
        struct vec p = mesh_point(&out, v);
        double off[3];
        int beside = 0;
        for (int k = 0; k < 3; k++) {
            struct vec axis = {k == 0   ? turn.row[0].x
                               : k == 1 ? turn.row[0].y
                                        : turn.row[0].z,
                               k == 0   ? turn.row[1].x
                               : k == 1 ? turn.row[1].y
                                        : turn.row[1].z,
                               k == 0   ? turn.row[2].x
                               : k == 1 ? turn.row[2].y
                                        : turn.row[2].z};
            off[k] = fabs(fabs(vec_dot(axis, p)) - 10);
            beside += off[k] < 2 * STEP;
        }
        if (beside == 1)
            CHECK(fmin(off[0], fmin(off[1], off[2])) < 1e-4);
    }
    size_t before = out.triangle_count;
    struct decimate_options how = {.max_error_mm = 0.005};
    CHECK_OK(mesh_decimate(&out, &how, &err));
    CHECK(out.triangle_count < before / 40);
    CHECK(mesh_is_sound(&out));
    mesh_free(&m);
    mesh_free(&out);
}

/* Inner edges and corners, too: three beams through one another. */
static void test_rebuild__keeps_inner_edges(void)
{
    struct mesh m = {0}, out = {0};
    struct rotation turn = askew();
    add_box(&m, -10, -3, -3, 20, 6, 6);
    add_box(&m, -3, -10, -3, 6, 20, 6);
    add_box(&m, -3, -3, -10, 6, 6, 20);
    mesh_rotate(&m, &turn);
    rebuild(&out, &m);
    CHECK(mesh_is_sound(&out));
    CHECK_NEAR(mesh_volume(&out), 7 * 216 + 6 * 36, 2);
    mesh_free(&m);
    mesh_free(&out);
}

/* The preparation rounds to this grid: new points are so far apart that nothing comes to meet. */
static void test_rebuild__stays_sound_when_rounded(void)
{
    struct mesh m = {0}, out = {0};
    struct rotation turn = askew();
    add_box(&m, -9, -9, -9, 18, 18, 18);
    add_ball(&m, 8, 8, 8, 7, 12);
    mesh_rotate(&m, &turn);
    rebuild(&out, &m);
    mesh_snap(&out, 1.0 / 32768);
    CHECK(mesh_is_sound(&out));
    mesh_free(&m);
    mesh_free(&out);
}

static double draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state / 4294967296.0;
}

/* Random triangles have edges and corners everywhere, and the winding number jumps at will. */
static void test_rebuild__makes_something_sound_of_any_soup(void)
{
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct mesh m = {0}, out = {0};
        uint32_t state = seed;
        size_t n = 3 * seed;
        CHECK_OK(mesh_alloc(&m, 3 * n, n, &err));
        for (size_t i = 0; i < 9 * n; i++)
            m.xyz[i] = (float)(20 * draw(&state));
        for (uint32_t i = 0; i < 3 * n; i++)
            m.triangles[i] = i;
        rebuild(&out, &m);
        CHECK(out.triangle_count == 0 || mesh_is_sound(&out));
        mesh_free(&m);
        mesh_free(&out);
    }
}

/* A tall thin star of spikes: many sharp edges within one cell of the grid. */
static void test_rebuild__survives_edges_finer_than_the_grid(void)
{
    struct mesh m = {0}, out = {0};
    struct rotation turn = askew();
    for (int i = 0; i < 8; i++)
        add_box(&m, -6 + 1.1f * (float)i, -5, 0, 0.3f, 10, 0.3f + 0.4f * (float)i);
    mesh_rotate(&m, &turn);
    rebuild(&out, &m);
    CHECK(out.triangle_count && mesh_is_sound(&out));
    mesh_free(&m);
    mesh_free(&out);
}

TESTS(TEST(test_rebuild__keeps_the_edges_of_a_turned_cube), TEST(test_rebuild__keeps_sides_flat),
      TEST(test_rebuild__keeps_inner_edges), TEST(test_rebuild__stays_sound_when_rounded),
      TEST(test_rebuild__makes_something_sound_of_any_soup),
      TEST(test_rebuild__survives_edges_finer_than_the_grid))
