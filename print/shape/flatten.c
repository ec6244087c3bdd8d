/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A flat foot: what lies below a level is cut off. How high it lies is chosen by what the section
 * would be at a few heights. Where cutting the section does not come out as a solid there is no
 * foot: such parts are a few hundredths of a millimetre thin there, and a union is no better. */
#include "print/measure/measure.h"
#include "print/repair/arrange.h"
#include "print/shape/shape.h"

#define LEVELS 12
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
    double z = low[2] + height;
    int failed = mesh_cut_floor(&cut, &z, max_mm / (4 * LEVELS), err);
    if (!failed && fabs(mesh_volume(&cut) - volume) > 0.1 * fabs(volume))
        failed = 1;
    if (!failed) {
        struct mesh other = *mesh;
        *mesh = cut;
        cut = other;
        result->cut_mm = z - low[2];
        result->contact_after_mm2 = areas[level];
    }
    mesh_free(&cut);
    return failed < 0 ? -1 : 0;
}
