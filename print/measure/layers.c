/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layers of a part from its foot up; each question has a file of its own beside this one. */
#include "print/measure/layers.h"

#include <stdlib.h>

#include "print/measure/layers_runs.h"
#include "print/measure/measure.h"
#include "print/measure/sets.h"

#define REGION_MM2 1 /* scans are rough: most of their undersides are specks */

void layer_options_fill(struct layer_options *options, const struct mesh *mesh)
{
    double low[3], high[3], size = 0;
    mesh_bounds(mesh, low, high);
    for (int k = 0; k < 3; k++)
        size = high[k] - low[k] > size ? high[k] - low[k] : size;
    if (!(options->pixel_mm > 0))
        options->pixel_mm = size / 400 > 0.2 ? size / 400 : 0.2;
    if (!(options->layer_mm > 0))
        options->layer_mm = size / 500 > 0.2 ? size / 500 : 0.2;
}

static bool hangs(const struct mesh *mesh, size_t t, double bed, double sine, double *area)
{
    struct vec n = mesh_normal2(mesh, t);
    double length = vec_length(n);
    *area = length / 2;
    for (int c = 0; c < 3; c++)
        if (mesh_corner(mesh, t, c).z > bed)
            return n.z < -sine * length;
    return false;
}

/* Undersides beyond the limit that share a corner are one region. */
static int overhangs(struct layer_measures *out, const struct mesh *mesh, double bed,
                     double overhang_deg, struct err *err)
{
    double sine = sin(overhang_deg * (M_PI / 180)), area;
    uint32_t *up = malloc((mesh->vertex_count + 1) * sizeof *up);
    double *areas = calloc(mesh->vertex_count + 1, sizeof *areas);
    if (!up || !areas) {
        free(up);
        free(areas);
        return FAIL(err, ERR_LIMIT, "no memory for overhangs");
    }
    for (uint32_t v = 0; v < mesh->vertex_count; v++)
        up[v] = v;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *corner = mesh->triangles + 3 * t;
        if (!hangs(mesh, t, bed, sine, &area))
            continue;
        out->overhang_area_mm2 += area;
        sets_join(up, corner[0], corner[1]);
        sets_join(up, corner[0], corner[2]);
        areas[corner[0]] += area;
    }
    for (uint32_t v = (uint32_t)mesh->vertex_count; v-- > 0;) {
        if (sets_find(up, v) != v)
            areas[up[v]] += areas[v];
        else
            out->overhang_regions += areas[v] >= REGION_MM2;
    }
    free(up);
    free(areas);
    return 0;
}

static void areas(struct layer_measures *out, const struct layer_grid *grid)
{
    double cell = grid->pixel_mm * grid->pixel_mm;
    size_t all = 0;
    for (size_t k = 0; k < grid->nz; k++) {
        size_t cells = plane_count(layer_plane(grid, grid->solid, k), grid->plane_words);
        double area = (double)cells * cell;
        all += cells;
        if (k == 0)
            out->contact_area_mm2 = area;
        if (area > out->largest_layer_mm2) {
            out->largest_layer_mm2 = area;
            out->largest_layer_at_mm = ((double)k + 0.5) * grid->layer_mm;
        }
    }
    out->solid_mm3 = (double)all * cell * grid->layer_mm;
}

/* Four questions that do not need one another's answers. */
static int ask(struct layer_measures *out, const struct layer_grid *grid,
               const struct layer_options *options, struct err *err)
{
    int failed[4] = {0};
    struct err why[4] = {{0}};
    struct layer_measures islands = {0}, bridges = {0}, voids = {0};
#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < 4; i++) {
        if (i == 0)
            failed[i] = layers_find_islands(&islands, grid, options, &why[i]);
        else if (i == 1)
            failed[i] = layers_find_bridges(&bridges, grid, options, &why[i]);
        else if (i == 2)
            failed[i] = layers_find_voids(&voids, grid, options, &why[i]);
        else
            failed[i] = support_estimate(&out->support, NULL, grid, 0, &options->support, &why[i]);
    }
    for (int i = 0; i < 4; i++)
        if (failed[i]) {
            *err = why[i];
            return -1;
        }
    out->islands = islands.islands;
    out->island_area_mm2 = islands.island_area_mm2;
    out->island_first_mm = islands.island_first_mm;
    for (int i = 0; i < LAYER_ISLANDS; i++)
        out->island[i] = islands.island[i];
    out->bridges = bridges.bridges;
    out->bridges_over = bridges.bridges_over;
    out->bridge_longest_mm = bridges.bridge_longest_mm;
    out->trapped = voids.trapped;
    out->trapped_mm3 = voids.trapped_mm3;
    out->cups_mm3 = voids.cups_mm3;
    return 0;
}

int mesh_measure_layers(struct layer_measures *out, const struct mesh *mesh,
                        const struct layer_options *options, struct err *err)
{
    struct layer_options o = *options;
    struct layer_grid grid;
    layer_options_fill(&o, mesh);
    struct layer_grid_options g = {
        .pixel_mm = o.pixel_mm, .layer_mm = o.layer_mm, .margin_mm = o.support.margin_mm};
    support_style_limits(g.steep_deg, &o.support);
    *out = (struct layer_measures){0};
    if (layer_grid_build(&grid, mesh, &g, err))
        return -1;
    out->layer_mm = grid.layer_mm;
    out->pixel_mm = grid.pixel_mm;
    out->layers = grid.nz;
    areas(out, &grid);
    int result = overhangs(out, mesh, grid.low[2] + grid.layer_mm / 2, o.overhang_deg, err);
    if (result == 0)
        result = ask(out, &grid, &o, err);
    layer_grid_free(&grid);
    return result;
}
