/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The z-buffer. Screen positions are whole numbers, so that an edge shared by two triangles is the
 * same line for both and no sample falls between them. Bands of rows are drawn in parallel, each
 * taking its triangles in their order: the picture does not depend on the number of processors.
 */
#include <stdlib.h>
#include <string.h>

#include "print/render/scene.h"

#define BANDS 64
#define SHARES ((size_t)64) /* of the triangles, sorted into bands by all threads */

/* The triangles that touch each band, as ranges of one list. */
struct bins {
    size_t start[BANDS + 1];
    uint32_t *list;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* First and last row or column of samples (their centres lie at the half) within two positions. */
static int64_t first_sample(int64_t low)
{
    return (low + SUBPIXEL / 2 - 1) >> 8;
}

static int64_t last_sample(int64_t high)
{
    return (high - SUBPIXEL / 2) >> 8;
}

/* False when the triangle covers no row at all. */
static bool bands_of(int *first, int *last, const struct scene *scene, size_t triangle)
{
    const uint32_t *v = scene->mesh->triangles + 3 * triangle;
    int64_t rows = (int64_t)scene->height * scene->grain, n = (int64_t)scene->mesh->vertex_count;
    if (v[0] >= n || v[1] >= n || v[2] >= n)
        return false;
    const struct spot *a = scene->spots + v[0], *b = scene->spots + v[1], *c = scene->spots + v[2];
    if (a->near <= 0 || b->near <= 0 || c->near <= 0)
        return false;
    int64_t low = most(first_sample(least(a->y, least(b->y, c->y))), 0);
    int64_t high = least(last_sample(most(a->y, most(b->y, c->y))), rows - 1);
    *first = (int)(low * BANDS / rows);
    *last = (int)(high * BANDS / rows);
    return low <= high;
}

/* A share of all triangles goes through the bands: counted when list is NULL, else written where
 * its shares of the bands begin. */
static void share_out(size_t at[BANDS], uint32_t *list, const struct scene *scene, size_t share)
{
    size_t n = scene->mesh->triangle_count, end = n * (share + 1) / SHARES;
    int first, last;
    for (size_t t = n * share / SHARES; t < end; t++)
        if (bands_of(&first, &last, scene, t))
            for (int b = first; b <= last; b++) {
                if (list)
                    list[at[b]] = (uint32_t)t;
                at[b]++;
            }
}

static int bins_fill(struct bins *bins, const struct scene *scene, struct err *err)
{
    size_t(*at)[BANDS] = calloc(SHARES, sizeof *at), sum = 0;
    if (!at)
        return FAIL(err, ERR_LIMIT, "no memory to sort triangles");
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < SHARES; i++)
        share_out(at[i], NULL, scene, i);
    for (int b = 0; b < BANDS; b++) {
        bins->start[b] = sum;
        for (size_t i = 0; i < SHARES; i++) {
            size_t count = at[i][b];
            at[i][b] = sum;
            sum += count;
        }
    }
    bins->start[BANDS] = sum;
    bins->list = malloc((sum + 1) * sizeof *bins->list);
    if (bins->list) {
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t i = 0; i < SHARES; i++)
            share_out(at[i], bins->list, scene, i);
    }
    free(at);
    return bins->list ? 0 : FAIL(err, ERR_LIMIT, "no memory to sort %zu triangles", sum);
}

/* Twice the signed area of a, b, p; its step to the right is dx, downwards dy. */
struct edge {
    int64_t value, dx, dy;
};

static struct edge edge_at(const struct spot *a, const struct spot *b, int64_t x, int64_t y)
{
    int64_t ex = b->x - (int64_t)a->x, ey = b->y - (int64_t)a->y;
    return (struct edge){ex * (y - a->y) - ey * (x - a->x), -ey * SUBPIXEL, ex * SUBPIXEL};
}

static void draw_row(struct scene *scene, uint32_t id, size_t from, int64_t count,
                     struct edge edges[3], const double weights[3])
{
    for (int64_t i = 0; i < count; i++) {
        if ((edges[0].value | edges[1].value | edges[2].value) >= 0) {
            float near =
                (float)((double)edges[0].value * weights[0] + (double)edges[1].value * weights[1] +
                        (double)edges[2].value * weights[2]);
            if (near > scene->depths[from + (size_t)i]) {
                scene->depths[from + (size_t)i] = near;
                scene->ids[from + (size_t)i] = id;
            }
        }
        for (int e = 0; e < 3; e++)
            edges[e].value += edges[e].dx;
    }
}

/* Both faces are drawn: what shows its back is a hole or a turned triangle, and the eye must see
 * it. */
static void draw_triangle(struct scene *scene, uint32_t id, int64_t first_row, int64_t last_row)
{
    const uint32_t *v = scene->mesh->triangles + 3 * (size_t)id;
    const struct spot *a = scene->spots + v[0], *b = scene->spots + v[1], *c = scene->spots + v[2];
    int64_t area = edge_at(a, b, c->x, c->y).value, columns = (int64_t)scene->width * scene->grain;
    if (area == 0)
        return;
    if (area < 0) {
        const struct spot *swap = b;
        b = c;
        c = swap;
        area = -area;
    }
    int64_t left = most(first_sample(least(a->x, least(b->x, c->x))), 0);
    int64_t right = least(last_sample(most(a->x, most(b->x, c->x))), columns - 1);
    int64_t top = most(first_sample(least(a->y, least(b->y, c->y))), first_row);
    int64_t bottom = least(last_sample(most(a->y, most(b->y, c->y))), last_row);
    if (left > right || top > bottom)
        return;
    int64_t x = left * SUBPIXEL + SUBPIXEL / 2, y = top * SUBPIXEL + SUBPIXEL / 2;
    struct edge rows[3] = {edge_at(b, c, x, y), edge_at(c, a, x, y), edge_at(a, b, x, y)};
    double weights[3] = {a->near / (double)area, b->near / (double)area, c->near / (double)area};
    for (int64_t row = top; row <= bottom; row++) {
        struct edge edges[3] = {rows[0], rows[1], rows[2]};
        draw_row(scene, id, (size_t)(row * columns + left), right - left + 1, edges, weights);
        for (int e = 0; e < 3; e++)
            rows[e].value += rows[e].dy;
    }
}

static void draw_band(struct scene *scene, const struct bins *bins, int band)
{
    /* The rows whose row * BANDS / rows is this band. */
    int64_t rows = (int64_t)scene->height * scene->grain;
    int64_t first = (band * rows + BANDS - 1) / BANDS;
    int64_t last = ((band + 1) * rows + BANDS - 1) / BANDS - 1;
    for (size_t i = bins->start[band]; i < bins->start[band + 1]; i++)
        draw_triangle(scene, bins->list[i], first, last);
}

int raster_draw(struct scene *scene, struct err *err)
{
    size_t samples = (size_t)scene->width * scene->height * scene->grain * scene->grain;
    struct bins bins = {.list = NULL};
    scene->depths = calloc(samples, sizeof *scene->depths);
    scene->ids = malloc(samples * sizeof *scene->ids);
    if (!scene->depths || !scene->ids)
        return FAIL(err, ERR_LIMIT, "no memory for %zu samples", samples);
    memset(scene->ids, 0xff, samples * sizeof *scene->ids);
    if (bins_fill(&bins, scene, err))
        return -1;
#pragma omp parallel for schedule(dynamic, 1)
    for (int band = 0; band < BANDS; band++)
        draw_band(scene, &bins, band);
    free(bins.list);
    return 0;
}
