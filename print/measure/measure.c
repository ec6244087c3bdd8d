/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts, sizes and volume. */
#include "print/measure/measure.h"

#include "print/repair/weld.h"

void mesh_bounds(const struct mesh *mesh, double min_mm[3], double max_mm[3])
{
    float low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
    for (size_t h = 0; h < 3 * mesh->triangle_count; h++) {
        const float *p = mesh->xyz + 3 * (size_t)mesh->triangles[h];
        for (int k = 0; k < 3; k++) {
            low[k] = p[k] < low[k] ? p[k] : low[k];
            high[k] = p[k] > high[k] ? p[k] : high[k];
        }
    }
    for (int k = 0; k < 3; k++) {
        min_mm[k] = mesh->triangle_count ? low[k] : 0;
        max_mm[k] = mesh->triangle_count ? high[k] : 0;
    }
}

double mesh_volume(const struct mesh *mesh)
{
    double sum = 0;
    if (mesh->triangle_count == 0)
        return 0;
    /* From a point of its own, or far-off models lose their volume in rounding. */
    struct vec middle = mesh_corner(mesh, 0, 0);
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec a = vec_sub(mesh_corner(mesh, t, 0), middle);
        sum += vec_dot(a, mesh_normal2(mesh, t));
    }
    return sum / 6;
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
    m.volume_mm3 = mesh_volume(mesh);
    for (size_t t = 0; t < mesh->triangle_count; t++)
        m.area_mm2 += vec_length(mesh_normal2(mesh, t)) / 2;
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
