/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers behind the findings on a photo; see photo_judge.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intake/photo_judge.h"

#define SHARPNESS_SIDE 512 /* of the subject: about 0.16 mm a pixel on a figure of 80 mm */
#define PARTS_SIDE 128
#define INSIDE 0.9f /* share of a cell that must be subject, so that the outline stays out */

struct box {
    uint32_t x, y, width, height;
};

/* The subject's box averaged down to a small grid. */
struct grid {
    uint32_t width, height;
    float *luma;   /* 0..255 */
    float *weight; /* 0..1: how much of the cell is subject */
};

static struct box subject_box(const struct subject *subject, uint32_t width, uint32_t height)
{
    uint32_t x0 = width, y0 = height, x1 = 0, y1 = 0;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            if (subject->mask[(size_t)y * width + x] < 128)
                continue;
            x0 = x < x0 ? x : x0;
            x1 = x > x1 ? x : x1;
            y0 = y < y0 ? y : y0;
            y1 = y;
        }
    if (x0 > x1)
        return (struct box){0, 0, 0, 0};
    return (struct box){x0, y0, x1 - x0 + 1, y1 - y0 + 1};
}

static void grid_free(struct grid *grid)
{
    free(grid->luma);
    free(grid->weight);
}

static void fill_cell(struct grid *grid, size_t cell, const struct picture *picture,
                      const struct subject *subject, const struct box *area)
{
    double luma = 0, weight = 0;
    for (uint32_t y = area->y; y < area->y + area->height; y++)
        for (uint32_t x = area->x; x < area->x + area->width; x++) {
            size_t i = (size_t)y * picture->width + x;
            const uint8_t *p = picture->rgba + 4 * i;
            luma += 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2];
            weight += subject->mask[i];
        }
    double count = (double)area->width * area->height;
    grid->luma[cell] = (float)(luma / count);
    grid->weight[cell] = (float)(weight / count / 255);
}

static int grid_make(struct grid *grid, const struct picture *picture,
                     const struct subject *subject, const struct box *box, uint32_t side,
                     struct err *err)
{
    uint32_t longest = box->width > box->height ? box->width : box->height;
    double shrink = longest > side ? (double)longest / side : 1;
    grid->width = (uint32_t)fmax(1, box->width / shrink);
    grid->height = (uint32_t)fmax(1, box->height / shrink);
    /* Two steps, because a box one pixel thin cannot be shrunk in both directions. */
    double step_x = (double)box->width / grid->width, step_y = (double)box->height / grid->height;
    size_t cells = (size_t)grid->width * grid->height;
    grid->luma = calloc(cells, sizeof *grid->luma);
    grid->weight = calloc(cells, sizeof *grid->weight);
    if (!grid->luma || !grid->weight)
        return FAIL(err, ERR_LIMIT, "no memory to judge the photo");
    for (uint32_t y = 0; y < grid->height; y++)
        for (uint32_t x = 0; x < grid->width; x++) {
            uint32_t x0 = (uint32_t)(x * step_x), y0 = (uint32_t)(y * step_y);
            uint32_t x1 = (uint32_t)((x + 1) * step_x), y1 = (uint32_t)((y + 1) * step_y);
            struct box cell = {box->x + x0, box->y + y0, x1 > x0 ? x1 - x0 : 1,
                               y1 > y0 ? y1 - y0 : 1};
            fill_cell(grid, (size_t)y * grid->width + x, picture, subject, &cell);
        }
    return 0;
}

struct spread {
    double count, sum, squares;
};

static void spread_add(struct spread *spread, double v)
{
    spread->count++;
    spread->sum += v;
    spread->squares += v * v;
}

static double spread_variance(const struct spread *spread)
{
    double mean = spread->sum / spread->count;
    return fmax(0, spread->squares / spread->count - mean * mean);
}

/*
 * The classic focus measure, made comparable: at one size of the subject, so that blur which a
 * print would not show does not count, and relative to its own contrast, so that a flat light is
 * not taken for blur. Under 400 cells or without any contrast it says nothing.
 */
static double sharpness(const struct grid *grid)
{
    struct spread laplacian = {0}, luma = {0};
    size_t width = grid->width;
    for (size_t y = 1; y + 1 < grid->height; y++)
        for (size_t x = 1; x + 1 < width; x++) {
            size_t i = y * width + x;
            const float *l = grid->luma + i, *w = grid->weight + i;
            if (w[0] < INSIDE || w[-1] < INSIDE || w[1] < INSIDE || w[-(ptrdiff_t)width] < INSIDE ||
                w[width] < INSIDE)
                continue;
            spread_add(&luma, l[0]);
            spread_add(&laplacian, 4.0 * l[0] - l[-1] - l[1] - l[-(ptrdiff_t)width] - l[width]);
        }
    if (luma.count < 400 || spread_variance(&luma) < 4)
        return NAN;
    return spread_variance(&laplacian) / spread_variance(&luma);
}

static double percentile(const double histogram[256], double total, double share)
{
    double sum = 0;
    for (int i = 0; i < 256; i++) {
        sum += histogram[i];
        if (sum >= share * total)
            return i;
    }
    return 255;
}

static void measure_light(struct photo_measures *out, const struct grid *grid)
{
    double histogram[256] = {0}, total = 0, sum = 0, clipped = 0;
    size_t cells = (size_t)grid->width * grid->height;
    for (size_t i = 0; i < cells; i++) {
        double luma = grid->luma[i], weight = grid->weight[i];
        histogram[(int)fmin(255, luma)] += weight;
        total += weight;
        sum += weight * luma;
        clipped += luma >= 250 ? weight : 0;
    }
    if (total <= 0)
        return;
    out->brightness = sum / total;
    out->clipped = clipped / total;
    out->contrast = percentile(histogram, total, 0.95) - percentile(histogram, total, 0.05);
}

/* Takes one connected part off the grid (its weights become 0) and gives its size. stack has room
 * for every cell: a cell is pushed once, when it is taken. */
static size_t take_part(struct grid *grid, uint32_t *stack, uint32_t start)
{
    size_t depth = 0, size = 0;
    stack[depth++] = start;
    grid->weight[start] = 0;
    while (depth > 0) {
        uint32_t cell = stack[--depth], x = cell % grid->width, y = cell / grid->width;
        size++;
        const bool inside[4] = {x > 0, x + 1 < grid->width, y > 0, y + 1 < grid->height};
        const uint32_t next[4] = {cell - 1, cell + 1, cell - grid->width, cell + grid->width};
        for (int side = 0; side < 4; side++)
            if (inside[side] && grid->weight[next[side]] >= 0.5f) {
                grid->weight[next[side]] = 0;
                stack[depth++] = next[side];
            }
    }
    return size;
}

/* Empties the grid's weights. */
static int measure_parts(double *second_share, struct grid *grid, struct err *err)
{
    uint32_t cells = grid->width * grid->height;
    size_t first = 0, second = 0;
    uint32_t *stack = malloc(cells * sizeof *stack);
    if (!stack)
        return FAIL(err, ERR_LIMIT, "no memory to judge the photo");
    for (uint32_t i = 0; i < cells; i++) {
        if (grid->weight[i] < 0.5f)
            continue;
        size_t size = take_part(grid, stack, i);
        if (size > first) {
            second = first;
            first = size;
        } else if (size > second) {
            second = size;
        }
    }
    free(stack);
    *second_share = first ? (double)second / (double)first : NAN;
    return 0;
}

int photo_measure(struct photo_measures *out, const struct picture *picture,
                  const struct subject *subject, struct err *err)
{
    struct grid fine = {0}, coarse = {0};
    *out = (struct photo_measures){
        .sharpness = NAN, .brightness = NAN, .contrast = NAN, .clipped = NAN, .second_share = NAN};
    struct box box = subject_box(subject, picture->width, picture->height);
    if (box.width == 0)
        return 0;
    out->subject_width = box.width;
    out->subject_height = box.height;
    int failed = grid_make(&fine, picture, subject, &box, SHARPNESS_SIDE, err) ||
                 grid_make(&coarse, picture, subject, &box, PARTS_SIDE, err) ||
                 measure_parts(&out->second_share, &coarse, err);
    if (!failed) {
        out->sharpness = sharpness(&fine);
        measure_light(out, &fine);
    }
    grid_free(&fine);
    grid_free(&coarse);
    return failed ? -1 : 0;
}
