/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/shape/decimate: fewer triangles, and never a broken mesh. */
#include "tests/test.h"

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/weld.h"
#include "print/shape/decimate_parts.h"
#include "print/shape/shape.h"
#include "tests/print/meshes.h"

#ifdef _OPENMP
#include <omp.h>
#endif

static struct err err;

static int is_solid(const struct mesh *mesh)
{
    struct mesh_measures m;
    return mesh_measure(&m, mesh, &err) == 0 && m.watertight && m.nonmanifold_vertices == 0;
}

static size_t crossings(const struct mesh *mesh)
{
    struct bvh bvh;
    size_t count = 999;
    if (bvh_build(&bvh, mesh, &err) == 0 &&
        bvh_self_intersections(&bvh, &count, (size_t)1 << 40, &err))
        count = 999;
    bvh_free(&bvh);
    return count;
}

/* A sheet of tiny balls' worth of waves between two flat sides, 0.3 apart at its thinnest:
 * collapses that look at one side only would push it through the other. */
static void add_wavy_plate(struct mesh *m, int n)
{
    size_t side = (size_t)n + 1, vertices = 2 * side * side,
           triangles = 4 * (size_t)(n * n) + 8 * (size_t)n;
    m->xyz = malloc(3 * vertices * sizeof(float));
    m->triangles = malloc(3 * triangles * sizeof(uint32_t));
    if (!m->xyz || !m->triangles)
        abort();
    m->vertex_count = vertices;
    m->triangle_count = triangles;
    for (size_t i = 0; i < vertices; i++) {
        size_t at = i % (side * side);
        double x = (double)(at % side) * 40 / n, y = (double)(at / side) * 40 / n;
        double wave = 1.5 * sin(x) * cos(0.7 * y) + 0.4 * sin(3 * x + y);
        m->xyz[3 * i] = (float)x;
        m->xyz[3 * i + 1] = (float)y;
        m->xyz[3 * i + 2] = (float)(wave + (i < side * side ? 0 : 0.3));
    }
    uint32_t *t = m->triangles, s = (uint32_t)side, up = s * s;
    for (uint32_t y = 0; y < (uint32_t)n; y++)
        for (uint32_t x = 0; x < (uint32_t)n; x++) {
            uint32_t a = y * s + x;
            const uint32_t quad[12] = {a,          a + s,      a + 1,          a + 1,
                                       a + s,      a + s + 1,  a + up,         a + 1 + up,
                                       a + s + up, a + 1 + up, a + s + 1 + up, a + s + up};
            memcpy(t, quad, sizeof quad);
            t += 12;
        }
    for (uint32_t i = 0; i < 4 * (uint32_t)n; i++) {
        uint32_t k = i % (uint32_t)n, which = i / (uint32_t)n, last = (uint32_t)n;
        uint32_t a = which == 0   ? k
                     : which == 1 ? k * s + last
                     : which == 2 ? last * s + (last - k)
                                  : (last - k) * s;
        uint32_t b = which == 0   ? k + 1
                     : which == 1 ? (k + 1) * s + last
                     : which == 2 ? last * s + (last - k - 1)
                                  : (last - k - 1) * s;
        const uint32_t wall[6] = {a, b, b + up, a, b + up, a + up};
        memcpy(t, wall, sizeof wall);
        t += 6;
    }
}

static void test_decimate__reaches_the_count_and_stays_round(void)
{
    struct mesh m = {0};
    struct decimate_options options = {.max_triangles = 2000};
    add_ball(&m, 0, 0, 0, 50, 100);
    double volume = mesh_volume(&m);
    CHECK_OK(mesh_decimate(&m, &options, &err));
    CHECK(m.triangle_count <= 2000 && m.triangle_count > 1900);
    CHECK(is_solid(&m) && crossings(&m) == 0);
    for (uint32_t v = 0; v < m.vertex_count; v++)
        CHECK_NEAR(vec_length(mesh_point(&m, v)), 50, 0.15);
    CHECK_NEAR(mesh_volume(&m) / volume, 1, 0.004);
    mesh_free(&m);
}

static void test_decimate__keeps_the_corners_of_a_box(void)
{
    struct mesh m = {0}, fine = {0};
    struct decimate_options options = {.max_error_mm = 0.01};
    add_box(&m, 0, 0, 0, 10, 20, 30);
    /* Each triangle in four, six times over: in rows of equal edges no order may take them one by
     * one. */
    for (int round = 0; round < 6; round++) {
        fine = (struct mesh){0};
        CHECK_OK(mesh_alloc(&fine, 6 * m.triangle_count, 4 * m.triangle_count, &err));
        for (size_t t = 0; t < m.triangle_count; t++) {
            uint32_t f = (uint32_t)(6 * t);
            const uint32_t four[12] = {f,     f + 3, f + 5, f + 3, f + 1, f + 4,
                                       f + 5, f + 4, f + 2, f + 3, f + 4, f + 5};
            for (int k = 0; k < 3; k++) {
                struct vec a = mesh_corner(&m, t, k), b = mesh_corner(&m, t, (k + 1) % 3);
                mesh_point_set(&fine, f + (uint32_t)k, a);
                mesh_point_set(&fine, f + 3 + (uint32_t)k, vec_scale(vec_add(a, b), 0.5));
            }
            for (int i = 0; i < 12; i++)
                fine.triangles[12 * t + (size_t)i] = four[i];
        }
        CHECK_OK(mesh_weld_exact(&fine, NULL, &err));
        mesh_free(&m);
        m = fine;
    }
    CHECK(m.triangle_count == 49152);
    CHECK_OK(mesh_decimate(&m, &options, &err));
    CHECK(m.triangle_count == 12 && is_solid(&m) && crossings(&m) == 0);
    CHECK_NEAR(mesh_volume(&m), 6000, 0.01);
    mesh_free(&m);
}

static void test_decimate__never_pushes_a_thin_sheet_through_itself(void)
{
    struct mesh m = {0};
    struct decimate_options options = {.max_triangles = 900};
    add_wavy_plate(&m, 100);
    CHECK(is_solid(&m) && crossings(&m) == 0);
    CHECK_OK(mesh_decimate(&m, &options, &err));
    CHECK(m.triangle_count < 6000);
    CHECK(is_solid(&m) && crossings(&m) == 0);
    mesh_free(&m);
}

static void test_decimate__gives_the_same_bytes_for_any_number_of_threads(void)
{
#ifdef _OPENMP
    struct mesh m[2] = {{0}};
    struct decimate_options options = {.max_triangles = 5000};
    int before = omp_get_max_threads();
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(i ? 3 : 1);
        add_ball(&m[i], 0, 0, 0, 50, 120);
        add_ball(&m[i], 70, 5, 0, 15, 60);
        CHECK_OK(mesh_decimate(&m[i], &options, &err));
    }
    omp_set_num_threads(before);
    CHECK(m[0].triangle_count == m[1].triangle_count && m[0].vertex_count == m[1].vertex_count);
    CHECK(!memcmp(m[0].xyz, m[1].xyz, 3 * m[0].vertex_count * sizeof(float)));
    CHECK(!memcmp(m[0].triangles, m[1].triangles, 3 * m[0].triangle_count * sizeof(uint32_t)));
    mesh_free(&m[0]);
    mesh_free(&m[1]);
#else
    SKIP("built without threads");
#endif
}

/* A tetrahedron has nothing to give; an open mesh is not taken. */
static void test_decimate__leaves_alone_what_it_must_not_touch(void)
{
    struct mesh m = {0};
    struct decimate_options one = {.max_triangles = 1}, none = {0};
    add_box(&m, 0, 0, 0, 1, 1, 1);
    CHECK(mesh_decimate(&m, &none, &err) == 1 && m.triangle_count == 12);
    CHECK_OK(mesh_decimate(&m, &one, &err));
    CHECK(m.triangle_count == 4 && is_solid(&m));
    CHECK(mesh_decimate(&m, &one, &err) == 1 && m.triangle_count == 4);
    mesh_free(&m);
    add_box(&m, 0, 0, 0, 1, 1, 1);
    m.triangle_count--;
    CHECK(mesh_decimate(&m, &one, &err) == 1 && m.triangle_count == 11);
    mesh_free(&m);
}

/* The judge of crossings, on pairs whose answer can be seen. */
static void test_decimate__tells_meeting_triangles(void)
{
    const uint32_t a[3] = {0, 1, 2}, apart[3] = {3, 4, 5}, corner[3] = {0, 4, 5},
                   side[3] = {0, 1, 5};
    const struct vec p[3] = {{0, 0, 0}, {4, 0, 0}, {0, 4, 0}};
    const struct vec through[3] = {{1, 1, -1}, {1, 1, 1}, {5, 5, 0}};
    const struct vec above[3] = {{1, 1, 1}, {2, 1, 1}, {1, 2, 1.5}};
    const struct vec in_plane[3] = {{1, 1, 0}, {9, 1, 0}, {1, 9, 0}};
    const struct vec beside[3] = {{5, 5, 0}, {9, 5, 0}, {5, 9, 0}};
    const struct vec fan[3] = {{0, 0, 0}, {-4, 0, 0}, {0, -4, 0}};
    const struct vec fan_over[3] = {{0, 0, 0}, {4, 1, 0}, {1, 4, 0}};
    const struct vec fan_through[3] = {{0, 0, 0}, {2, 1, 1}, {1, 1, -1}};
    const struct vec folded[3] = {{0, 0, 0}, {4, 0, 0}, {1, 1, 0}};
    const struct vec unfolded[3] = {{0, 0, 0}, {4, 0, 0}, {1, -1, 0}};
    CHECK(triangles_meet(a, p, apart, through) && !triangles_meet(a, p, apart, above));
    CHECK(triangles_meet(a, p, apart, in_plane) && !triangles_meet(a, p, apart, beside));
    CHECK(!triangles_meet(a, p, corner, fan) && triangles_meet(a, p, corner, fan_over));
    CHECK(triangles_meet(a, p, corner, fan_through));
    CHECK(triangles_meet(a, p, side, folded) && !triangles_meet(a, p, side, unfolded));
}

TESTS(TEST(test_decimate__reaches_the_count_and_stays_round),
      TEST(test_decimate__keeps_the_corners_of_a_box),
      TEST(test_decimate__never_pushes_a_thin_sheet_through_itself),
      TEST(test_decimate__gives_the_same_bytes_for_any_number_of_threads),
      TEST(test_decimate__leaves_alone_what_it_must_not_touch),
      TEST(test_decimate__tells_meeting_triangles))
