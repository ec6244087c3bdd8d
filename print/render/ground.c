/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The soft shadow on the ground: how low the figure hangs over each cell, spread wider the higher
 * it hangs. Dark and tight where it stands, faint and wide under a raised arm.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/render/scene.h"

#define LAYERS 4

static void lower(float *heights, int x, int y, float height)
{
    if (x < 0 || y < 0 || x >= SHADOW_SIDE || y >= SHADOW_SIDE)
        return;
    float *cell = &heights[y * SHADOW_SIDE + x];
    *cell = height < *cell ? height : *cell;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Points along a triangle, closer together than a cell. */
static void drop_points(float *heights, float p[3][3], double widest)
{
    int steps = (int)fmin(ceil(1.4 * widest), 2 * SHADOW_SIDE);
    for (int i = 0; i <= steps; i++)
        for (int j = 0; i + j <= steps; j++) {
            float a = steps ? (float)i / (float)steps : 0, b = steps ? (float)j / (float)steps : 0;
            float at[3];
            for (int k = 0; k < 3; k++)
                at[k] = p[0][k] + a * (p[1][k] - p[0][k]) + b * (p[2][k] - p[0][k]);
            lower(heights, (int)at[0], (int)at[1], at[2]);
        }
}

/* Of a triangle as small as a cell its corners suffice: with a million triangles that is all of
 * them. */
static void drop_triangle(float *heights, const struct scene *scene, const uint32_t *v)
{
    const double cells = 1 / scene->shadow_cell;
    float p[3][3];
    double widest = 0;
    for (int i = 0; i < 3; i++) {
        const float *from = scene->mesh->xyz + 3 * (size_t)v[i];
        p[i][0] = (float)((from[0] - scene->shadow_from[0]) * cells);
        p[i][1] = (float)((from[1] - scene->shadow_from[1]) * cells);
        p[i][2] = (float)(from[2] - scene->camera.ground_z);
        if (!isfinite(p[i][0] + p[i][1] + p[i][2]))
            return;
    }
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++)
            widest = larger(widest, fabs((double)p[i][k] - (double)p[(i + 1) % 3][k]));
    if (1.4 * widest > 1)
        drop_points(heights, p, widest);
    else
        for (int i = 0; i < 3; i++)
            lower(heights, (int)p[i][0], (int)p[i][1], p[i][2]);
}

/* One direction of a running mean; three of them are close to a Gaussian. */
static void mean_line(float *line, int step, int half)
{
    float copy[SHADOW_SIDE], sum = 0;
    for (int i = 0; i < SHADOW_SIDE; i++)
        copy[i] = line[i * step];
    for (int i = -half; i <= half; i++)
        sum += i >= 0 ? copy[i] : 0;
    for (int i = 0; i < SHADOW_SIDE; i++) {
        line[i * step] = sum / (float)(2 * half + 1);
        sum += i + half + 1 < SHADOW_SIDE ? copy[i + half + 1] : 0;
        sum -= i - half >= 0 ? copy[i - half] : 0;
    }
}

static void blur(float *grid, int half)
{
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < SHADOW_SIDE; i++) {
            mean_line(grid + i * SHADOW_SIDE, 1, half);
        }
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < SHADOW_SIDE; i++)
            mean_line(grid + i, SHADOW_SIDE, half);
}

static void add_layer(struct scene *scene, const float *heights, float *layer, int number)
{
    static const float weights[LAYERS] = {0.45f, 0.50f, 0.45f, 0.35f};
    static const float spreads[LAYERS] = {0.015f, 0.05f, 0.13f, 0.30f}; /* of the diagonal */
    float spread = spreads[number] * 2 * (float)scene->camera.radius;
    int half = (int)fmin(fmax(spread / scene->shadow_cell, 1), SHADOW_SIDE / 6.0);
    for (int i = 0; i < SHADOW_SIDE * SHADOW_SIDE; i++)
        layer[i] = expf(-heights[i] / spread);
    blur(layer, half);
    for (int i = 0; i < SHADOW_SIDE * SHADOW_SIDE; i++)
        scene->shadow[i] += weights[number] * layer[i];
}

/* Threads lower heights of their own; the lowest of each cell is the same whoever found it. */
static void drop_all(float *heights, const struct scene *scene)
{
    const struct mesh *mesh = scene->mesh;
    const size_t n = mesh->vertex_count;
    for (size_t i = 0; i < (size_t)SHADOW_SIDE * SHADOW_SIDE; i++)
        heights[i] = INFINITY;
#pragma omp parallel for schedule(static) reduction(min : heights[:SHADOW_SIDE * SHADOW_SIDE])
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *v = mesh->triangles + 3 * t;
        if (v[0] < n && v[1] < n && v[2] < n)
            drop_triangle(heights, scene, v);
    }
}

int ground_build(struct scene *scene, struct err *err)
{
    size_t cells = (size_t)SHADOW_SIDE * SHADOW_SIDE;
    float *heights = malloc(cells * sizeof *heights), *layer = malloc(cells * sizeof *layer);
    scene->shadow = calloc(cells, sizeof *scene->shadow);
    if (!heights || !layer || !scene->shadow) {
        free(heights);
        free(layer);
        return FAIL(err, ERR_LIMIT, "no memory for the shadow");
    }
    /* Twice as wide as the figure can be: the shadow runs out before the grid does. */
    scene->shadow_cell = 4 * scene->camera.radius / SHADOW_SIDE;
    for (int i = 0; i < 2; i++)
        scene->shadow_from[i] = scene->camera.centre[i] - 2 * scene->camera.radius;
    drop_all(heights, scene);
    for (int i = 0; i < LAYERS; i++)
        add_layer(scene, heights, layer, i);
    free(heights);
    free(layer);
    return 0;
}

double ground_shadow(const struct scene *scene, double x, double y)
{
    double u = (x - scene->shadow_from[0]) / scene->shadow_cell - 0.5;
    double v = (y - scene->shadow_from[1]) / scene->shadow_cell - 0.5;
    if (!(u >= 0 && v >= 0 && u < SHADOW_SIDE - 1 && v < SHADOW_SIDE - 1))
        return 0;
    const float *at = scene->shadow + (size_t)v * SHADOW_SIDE + (size_t)u;
    double fx = u - floor(u), fy = v - floor(v);
    double top = at[0] + fx * (at[1] - at[0]);
    double bottom = at[SHADOW_SIDE] + fx * (at[SHADOW_SIDE + 1] - at[SHADOW_SIDE]);
    return top + fy * (bottom - top);
}
