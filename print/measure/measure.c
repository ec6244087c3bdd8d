/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts, sizes and volume. */
#include "print/measure/measure.h"

#include "print/repair/weld.h"

#define BLOCK 16384 /* triangles summed up by one thread: sums must not depend on their number */

void mesh_bounds(const struct mesh *mesh, double min_mm[3], double max_mm[3])
{
    float lx = INFINITY, ly = INFINITY, lz = INFINITY;
    float hx = -INFINITY, hy = -INFINITY, hz = -INFINITY;
#pragma omp parallel for schedule(static) reduction(min : lx, ly, lz) reduction(max : hx, hy, hz)
    for (size_t h = 0; h < 3 * mesh->triangle_count; h++) {
        const float *p = mesh->xyz + 3 * (size_t)mesh->triangles[h];
        lx = p[0] < lx ? p[0] : lx, hx = p[0] > hx ? p[0] : hx;
        ly = p[1] < ly ? p[1] : ly, hy = p[1] > hy ? p[1] : hy;
        lz = p[2] < lz ? p[2] : lz, hz = p[2] > hz ? p[2] : hz;
    }
    const float low[3] = {lx, ly, lz}, high[3] = {hx, hy, hz};
    for (int k = 0; k < 3; k++) {
        min_mm[k] = mesh->triangle_count ? (double)low[k] : 0;
        max_mm[k] = mesh->triangle_count ? (double)high[k] : 0;
    }
}

/* Six times the volume and twice the area of some triangles. */
struct sums {
    double volume6, area2;
};

/* From a point of its own, or far-off models lose their volume in rounding. */
static struct sums sum_block(const struct mesh *mesh, size_t first, size_t end, struct vec middle)
{
    struct sums sums = {0};
    for (size_t t = first; t < end; t++) {
        struct vec n = mesh_normal2(mesh, t);
        sums.volume6 += vec_dot(vec_sub(mesh_corner(mesh, t, 0), middle), n);
        sums.area2 += vec_length(n);
    }
    return sums;
}

/* Blocks by turns of 64, each added in its place: no memory, and the same sum on any machine. */
static struct sums sum_all(const struct mesh *mesh)
{
    struct sums all = {0}, each[64];
    size_t n = mesh->triangle_count;
    if (n == 0)
        return all;
    struct vec middle = mesh_corner(mesh, 0, 0);
    for (size_t from = 0; from < n; from += 64 * (size_t)BLOCK) {
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < 64; i++) {
            size_t first = from + i * BLOCK, end = first + BLOCK;
            each[i] = sum_block(mesh, first < n ? first : n, end < n ? end : n, middle);
        }
        for (int i = 0; i < 64; i++) {
            all.volume6 += each[i].volume6;
            all.area2 += each[i].area2;
        }
    }
    return all;
}

double mesh_volume(const struct mesh *mesh)
{
    return sum_all(mesh).volume6 / 6;
}

int mesh_measure_welded(struct mesh_measures *out, const struct mesh *mesh, struct err *err)
{
    struct topology topology;
    struct mesh_measures m = {.triangles = mesh->triangle_count, .vertices = mesh->vertex_count};
    if (topology_build(&topology, mesh, err))
        return -1;
    m.shells = topology.shells;
    m.boundary_edges = topology.boundary_edges;
    m.nonmanifold_edges = topology.nonmanifold_edges;
    m.nonmanifold_vertices = topology.nonmanifold_vertices;
    m.inconsistent_edges = topology.inconsistent_edges;
    m.watertight = mesh->triangle_count > 0 && m.boundary_edges == 0 && m.nonmanifold_edges == 0 &&
                   m.inconsistent_edges == 0;
    topology_free(&topology);
    struct sums sums = sum_all(mesh);
    m.volume_mm3 = sums.volume6 / 6;
    m.area_mm2 = sums.area2 / 2;
    mesh_bounds(mesh, m.min_mm, m.max_mm);
    for (int k = 0; k < 3; k++)
        m.size_mm[k] = m.max_mm[k] - m.min_mm[k];
    *out = m;
    return 0;
}

int mesh_measure(struct mesh_measures *out, const struct mesh *mesh, struct err *err)
{
    struct mesh copy;
    size_t degenerate = 0;
    if (mesh_copy(&copy, mesh, err))
        return -1;
    int failed = mesh_weld_exact(&copy, NULL, err);
    if (!failed) {
        degenerate = mesh_drop_degenerate(&copy);
        failed = mesh_compact(&copy, err) || mesh_measure_welded(out, &copy, err);
    }
    mesh_free(&copy);
    if (failed)
        return -1;
    out->degenerate = degenerate;
    return 0;
}

struct vec mesh_centre_of_mass(const struct mesh *mesh)
{
    double volume = 0;
    struct vec sum = {0}, origin = mesh_point(mesh, mesh->triangles[0]);
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec a = vec_sub(mesh_corner(mesh, t, 0), origin);
        struct vec b = vec_sub(mesh_corner(mesh, t, 1), origin);
        struct vec c = vec_sub(mesh_corner(mesh, t, 2), origin);
        double v = vec_dot(a, vec_cross(b, c));
        volume += v;
        sum = vec_add(sum, vec_scale(vec_add(a, vec_add(b, c)), v / 4));
    }
    return vec_add(origin, vec_scale(sum, fabs(volume) > 0 ? 1 / volume : 0));
}
