/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values to colours, and the legend that says which is which; see heat.h. */
#include "print/render/heat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/compare.h"
#include "print/measure/stand.h"
#include "print/measure/thin.h"
#include "print/render/draw.h"

/* Good is grey on every scale, so that the eye goes to what is not. Walls are in limits. */
static const struct heat_scale scales[] = {
    [HEAT_THIN] = {"wall, mm",
                   {0, 0.5, 1, 1.5, 3},
                   {{110, 0, 38}, {208, 36, 36}, {246, 140, 60}, {238, 214, 160}, {176, 184, 192}}},
    [HEAT_OVERHANG] =
        {"overhang, deg",
         {0, 30, 45, 60, 90},
         {{176, 184, 192}, {206, 204, 180}, {248, 200, 84}, {232, 100, 44}, {150, 0, 44}}},
    [HEAT_DEVIATION] =
        {"moved, mm",
         {0, 0.01, 0.05, 0.2, 1},
         {{176, 184, 192}, {140, 190, 170}, {248, 206, 90}, {234, 112, 46}, {150, 0, 44}}},
};

int heat_from_name(const char *name)
{
    static const char *const names[] = {"thin", "overhang", "deviation"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static int measure_walls(float *values, const struct mesh *mesh, double wall_mm, struct err *err)
{
    struct bvh bvh;
    struct thin_walls walls;
    struct thin_options options = {.limit_mm = wall_mm, .per_triangle = values};
    if (bvh_build(&bvh, mesh, err))
        return -1;
    int failed = mesh_thin_walls(&walls, &bvh, &options, err);
    bvh_free(&bvh);
    return failed;
}

int heat_measure(float *values, struct heat_scale *scale, enum heat kind, const struct mesh *mesh,
                 const struct heat_inputs *inputs, struct err *err)
{
    struct deviation deviation;
    *scale = scales[kind];
    if (kind == HEAT_DEVIATION)
        return mesh_deviation(&deviation, values, inputs->visible, mesh, NULL, err);
    if (kind == HEAT_OVERHANG) {
        mesh_overhang_map(values, mesh);
        return 0;
    }
    for (int i = 0; i < HEAT_STOPS; i++)
        scale->values[i] *= inputs->wall_mm;
    return measure_walls(values, mesh, inputs->wall_mm, err);
}

static void colour_of(uint8_t rgb[3], double value, const struct heat_scale *scale)
{
    int i = 0;
    while (i < HEAT_STOPS - 2 && !(value < scale->values[i + 1]))
        i++;
    double low = scale->values[i], high = scale->values[i + 1];
    double share = isnan(value) ? 1 : fmin(fmax((value - low) / (high - low), 0), 1);
    for (int k = 0; k < 3; k++)
        rgb[k] = (uint8_t)lrint(scale->rgb[i][k] +
                                share * (scale->rgb[i + 1][k] - (double)scale->rgb[i][k]));
}

void heat_colours(uint8_t *rgb, const float *values, size_t count, const struct heat_scale *scale)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        colour_of(rgb + 3 * i, (double)values[i], scale);
}

static double legend_cap(const struct render_options *options)
{
    return fmin(fmax(options->height / 52.0, 7), 30);
}

/* Room for the title and for the bar with its numbers. */
static uint32_t legend_width(const struct render_options *options, const struct heat_scale *scale)
{
    double cap = legend_cap(options);
    return (uint32_t)lrint(draw_text_width(cap, scale->title) + 3 * cap);
}

/* The stops are evenly far apart on the bar, whatever their values. */
static void draw_bar(struct picture *p, const struct heat_scale *scale, long x, long top,
                     long height, long width)
{
    for (long y = 0; y < height; y++) {
        double at = (double)(height - 1 - y) / (double)height * (HEAT_STOPS - 1);
        int i = (int)at;
        uint8_t rgb[3];
        double low = scale->values[i], high = scale->values[i + 1];
        colour_of(rgb, low + (at - i) * (high - low), scale);
        draw_box(p, x, top + y, width, 1, rgb);
    }
}

static void draw_legend(struct picture *p, const struct heat_scale *scale,
                        const struct render_options *options)
{
    static const uint8_t ink[3] = {64, 70, 78};
    double cap = legend_cap(options), width = fmax(cap * 0.13, 1.1);
    long x = (long)(p->width - legend_width(options, scale) + lrint(cap));
    long top = (long)p->height / 5, height = (long)p->height / 2, bar = lrint(1.4 * cap);
    draw_text(p, (double)x, (double)top - 1.6 * cap, cap, scale->title, ink);
    draw_bar(p, scale, x, top, height, bar);
    for (int i = 0; i < HEAT_STOPS; i++) {
        char text[24];
        double y = (double)top + (double)height * (1 - i / (HEAT_STOPS - 1.0));
        snprintf(text, sizeof text, "%s%.3g", i == HEAT_STOPS - 1 ? "> " : "", scale->values[i]);
        if (i == HEAT_STOPS - 1 && scale->values[i] == 90)
            snprintf(text, sizeof text, "90"); /* nothing leans out more */
        draw_line(p, (double)(x + bar), y, (double)(x + bar) + 0.4 * cap, y, width, ink);
        draw_text(p, (double)(x + bar) + 0.9 * cap, y + cap / 2, cap, text, ink);
    }
}

int mesh_render_heat(struct picture *out, const struct mesh *mesh, const float *values,
                     const struct heat_scale *scale, const struct render_options *options,
                     struct err *err)
{
    struct render_options coloured = *options;
    uint8_t *rgb = malloc(3 * mesh->triangle_count + 1);
    if (!rgb)
        return FAIL(err, ERR_LIMIT, "no memory to colour %zu triangles", mesh->triangle_count);
    heat_colours(rgb, values, mesh->triangle_count, scale);
    coloured.triangle_rgb = rgb;
    coloured.free_right = legend_width(options, scale);
    int failed = mesh_render(out, mesh, &coloured, err);
    free(rgb);
    if (failed)
        return -1;
    draw_legend(out, scale, options);
    return 0;
}
