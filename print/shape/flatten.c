/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A flat foot: edges that cross the plane get a vertex on it, and all below is pressed up onto the
 * plane. The pressed part is the lid, so a closed mesh stays closed whatever the outline is. */
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/measure/topology.h"
#include "print/repair/repair.h"
#include "print/shape/shape.h"

#define LEVELS 12
#define SNAP_MM 1e-3
#define ENOUGH 0.8 /* of the area that the highest cut would give */

/* Share of the triangle's area that lies below z. */
static double share_below(double a, double b, double c, double z)
{
    double s[3] = {a, b, c};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2 - i; j++)
            if (s[j] > s[j + 1]) {
                double other = s[j];
                s[j] = s[j + 1];
                s[j + 1] = other;
            }
    if (s[2] <= z)
        return 1;
    if (s[0] >= z)
        return 0;
    if (s[1] > z)
        return (z - s[0]) / (s[1] - s[0]) * ((z - s[0]) / (s[2] - s[0]));
    return 1 - (s[2] - z) / (s[2] - s[0]) * ((s[2] - z) / (s[2] - s[1]));
}

/* areas[i]: the section at height i / LEVELS of max_mm, as the flux through all that is below. */
static void section_areas(double areas[LEVELS + 1], const struct mesh *mesh, double bottom,
                          double max_mm)
{
    for (int i = 0; i <= LEVELS; i++)
        areas[i] = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        double z[3], lowest = INFINITY;
        for (int c = 0; c < 3; c++) {
            z[c] = mesh_corner(mesh, t, c).z - bottom;
            lowest = z[c] < lowest ? z[c] : lowest;
        }
        if (lowest > max_mm)
            continue;
        double down = -mesh_normal2(mesh, t).z / 2;
        for (int i = 0; i <= LEVELS; i++)
            areas[i] += down * share_below(z[0], z[1], z[2], max_mm * i / LEVELS + 1e-6);
    }
}

/* The vertex on h's edge where it crosses the plane; the partner's triangle uses the same. */
static uint32_t crossing(struct mesh *mesh, uint32_t *made, const uint32_t *twin, uint32_t h,
                         double z)
{
    if (made[h] == UINT32_MAX) {
        struct vec a = mesh_point(mesh, mesh->triangles[h]);
        struct vec b = mesh_point(mesh, mesh->triangles[halfedge_next(h)]);
        double t = (z - a.z) / (b.z - a.z);
        struct vec at = vec_add(a, vec_scale(vec_sub(b, a), t));
        at.z = z;
        made[h] = made[twin[h]] = (uint32_t)mesh->vertex_count;
        mesh_point_set(mesh, (uint32_t)mesh->vertex_count++, at);
    }
    return made[h];
}

static void put(uint32_t *t, uint32_t a, uint32_t b, uint32_t c)
{
    t[0] = a, t[1] = b, t[2] = c;
}

static bool crosses(const uint8_t *side, uint32_t a, uint32_t b)
{
    return (side[a] == 1 && side[b] == 2) || (side[a] == 2 && side[b] == 1);
}

/* side: 0 on the plane, 1 below, 2 above. Crossings must be known before triangles change. */
static void cut_triangle(struct mesh *mesh, const uint32_t made[3], const uint32_t v[3], size_t t)
{
    int cuts = 0, first = -1;
    for (int i = 0; i < 3; i++) {
        // The caller's memset fills made. NOLINTNEXTLINE(clang-analyzer-core.*)
        cuts += made[i] != UINT32_MAX;
        if (made[i] != UINT32_MAX && first < 0)
            first = i;
    }
    if (cuts == 1) { /* through the opposite corner, which lies on the plane */
        int i = first, j = (i + 1) % 3, k = (i + 2) % 3;
        put(mesh->triangles + 3 * t, v[i], made[i], v[k]);
        put(mesh->triangles + 3 * mesh->triangle_count++, made[i], v[j], v[k]);
    } else if (cuts == 2) {
        /* The corner between the two cut sides is alone. */
        int lone = made[0] == UINT32_MAX ? 2 : made[1] == UINT32_MAX ? 0 : 1;
        int p = (lone + 1) % 3, q = (lone + 2) % 3;
        uint32_t m = made[lone], n = made[q];
        put(mesh->triangles + 3 * t, v[lone], m, n);
        put(mesh->triangles + 3 * mesh->triangle_count++, m, v[p], v[q]);
        put(mesh->triangles + 3 * mesh->triangle_count++, m, v[q], n);
    }
}

static int cut_at(struct mesh *mesh, double z, struct err *err)
{
    struct topology topology;
    size_t crossings = 0;
    const size_t triangles = mesh->triangle_count;
    if (topology_build(&topology, mesh, err))
        return -1;
    uint32_t *made = malloc((3 * triangles + 1) * sizeof *made);
    uint8_t *side = malloc(mesh->vertex_count + 1);
    int failed = made && side ? 0 : FAIL(err, ERR_LIMIT, "no memory to cut the foot");
    for (uint32_t v = 0; !failed && v < mesh->vertex_count; v++) {
        struct vec p = mesh_point(mesh, v);
        side[v] = fabs(p.z - z) < SNAP_MM ? 0 : p.z < z ? 1 : 2;
    }
    for (uint32_t h = 0; !failed && h < 3 * triangles; h++)
        crossings += crosses(side, mesh->triangles[h], mesh->triangles[halfedge_next(h)]);
    if (!failed && topology_is_solid(&topology))
        failed = mesh_grow(mesh, crossings, 2 * crossings, err);
    else if (!failed)
        failed = 1;
    if (!failed) {
        memset(made, 0xff, 3 * triangles * sizeof *made);
        for (uint32_t h = 0; h < 3 * triangles; h++)
            if (crosses(side, mesh->triangles[h], mesh->triangles[halfedge_next(h)]))
                crossing(mesh, made, topology.twin, h, z);
        for (size_t t = 0; t < triangles; t++) {
            uint32_t v[3];
            memcpy(v, mesh->triangles + 3 * t, sizeof v);
            cut_triangle(mesh, made + 3 * t, v, t);
        }
        for (uint32_t v = 0; v < mesh->vertex_count; v++) {
            struct vec p = mesh_point(mesh, v);
            if (p.z < z + SNAP_MM)
                mesh_point_set(mesh, v, (struct vec){p.x, p.y, z});
        }
    }
    free(made);
    free(side);
    topology_free(&topology);
    return failed;
}

/* The lowest level that gives enough; -1 when the foot is flat already. */
static int choose_level(const double areas[LEVELS + 1])
{
    double most = 0;
    for (int i = 0; i <= LEVELS; i++)
        most = areas[i] > most ? areas[i] : most;
    for (int i = 0; i <= LEVELS; i++)
        if (areas[i] >= ENOUGH * most)
            return i ? i : -1;
    return -1;
}

int mesh_flatten(struct mesh *mesh, struct flatten_result *result, double max_mm, struct err *err)
{
    double low[3], high[3], areas[LEVELS + 1];
    struct mesh cut;
    *result = (struct flatten_result){0};
    mesh_bounds(mesh, low, high);
    if (!(max_mm > 0) || mesh->triangle_count == 0)
        return 0;
    /* Never more than a twentieth of a small thing. */
    max_mm = max_mm < 0.05 * (high[2] - low[2]) ? max_mm : 0.05 * (high[2] - low[2]);
    section_areas(areas, mesh, low[2], max_mm);
    int level = choose_level(areas);
    result->contact_before_mm2 = result->contact_after_mm2 = areas[0];
    if (level < 0)
        return 0;
    double height = max_mm * level / LEVELS, volume = mesh_volume(mesh);
    if (mesh_copy(&cut, mesh, err))
        return -1;
    int failed = cut_at(&cut, (float)(low[2] + height), err);
    if (!failed)
        failed = mesh_settle(&cut, high[2] - low[2], err);
    if (!failed && fabs(mesh_volume(&cut) - volume) > 0.1 * fabs(volume))
        failed = 1;
    if (!failed) {
        struct mesh other = *mesh;
        *mesh = cut;
        cut = other;
        result->cut_mm = height;
        result->contact_after_mm2 = areas[level];
    }
    mesh_free(&cut);
    return failed < 0 ? -1 : 0;
}
