/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlines of the mesh from many sides, each one a small grid of bits, against that of the photo.
 */
#include "print/measure/silhouette.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 64
#define DEG 0.017453292519943295
#define YAW_STEP 12
#define YAWS (360 / YAW_STEP)
#define LOWEST (-15)
#define ELEVATIONS 5 /* in steps of 15 degrees */

/* A shape cropped to its box: one row of the grid is one word. */
struct outline {
    uint64_t rows[SIDE];
    double aspect; /* width over height of the box */
};

static bool in_mask(const struct picture *mask, bool by_alpha, size_t i)
{
    const uint8_t *p = mask->rgba + 4 * i;
    return by_alpha ? p[3] >= 128 : (p[0] * 2 + p[1] * 5 + p[2]) / 8 >= 128;
}

struct box {
    uint32_t left, top, right, bottom; /* right and bottom are one beyond */
};

static struct box mask_box(const struct picture *mask, bool by_alpha, size_t *count)
{
    struct box box = {mask->width, mask->height, 0, 0};
    *count = 0;
    for (uint32_t y = 0; y < mask->height; y++)
        for (uint32_t x = 0; x < mask->width; x++) {
            if (!in_mask(mask, by_alpha, (size_t)y * mask->width + x))
                continue;
            ++*count;
            box.left = x < box.left ? x : box.left;
            box.right = x + 1 > box.right ? x + 1 : box.right;
            box.top = y < box.top ? y : box.top;
            box.bottom = y + 1;
        }
    return box;
}

/* A cell is set when half of the pixels at 4 x 4 places in it are. */
static int mask_outline(struct outline *out, const struct picture *mask, struct err *err)
{
    size_t pixels = (size_t)mask->width * mask->height, count;
    bool by_alpha = false;
    for (size_t i = 0; i < pixels && !by_alpha; i++)
        by_alpha = mask->rgba[4 * i + 3] < 128;
    struct box box = mask_box(mask, by_alpha, &count);
    if (count == 0 || count == pixels)
        return FAIL_CODE(err, ERR_INPUT, "mask_empty", "the photo's mask shows no figure");
    double w = box.right - box.left, h = box.bottom - box.top;
    *out = (struct outline){.aspect = w / h};
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int hits = 0;
            for (int k = 0; k < 16; k++) {
                double u = (x + (k % 4 + 0.5) / 4) / SIDE, v = (y + (k / 4 + 0.5) / 4) / SIDE;
                size_t px = box.left + (size_t)(u * w), py = box.top + (size_t)(v * h);
                hits += in_mask(mask, by_alpha, py * mask->width + px);
            }
            out->rows[y] |= (uint64_t)(hits >= 8) << x;
        }
    return 0;
}

/* Vertices as the eye sees them from far off: x right, y down. */
struct flat {
    float *xy;
    float low[2], high[2];
};

static bool usable(const struct mesh *mesh, const uint32_t *v)
{
    size_t n = mesh->vertex_count;
    return v[0] < n && v[1] < n && v[2] < n;
}

static void flatten(struct flat *flat, const struct mesh *mesh, double yaw_deg, double down_deg)
{
    float c = (float)cos(yaw_deg * DEG), s = (float)sin(yaw_deg * DEG);
    float ce = (float)cos(down_deg * DEG), se = (float)sin(down_deg * DEG);
    for (int k = 0; k < 2; k++)
        flat->low[k] = INFINITY, flat->high[k] = -INFINITY;
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        const float *p = mesh->xyz + 3 * v;
        float *q = flat->xy + 2 * v;
        q[0] = c * p[0] + s * p[1];
        q[1] = s * se * p[0] - c * se * p[1] - ce * p[2];
        for (int k = 0; k < 2; k++) {
            flat->low[k] = q[k] < flat->low[k] ? q[k] : flat->low[k];
            flat->high[k] = q[k] > flat->high[k] ? q[k] : flat->high[k];
        }
    }
}

/* The bits of cells first .. last of a row, clipped. */
static uint64_t span(int first, int last)
{
    first = first < 0 ? 0 : first;
    last = last > SIDE - 1 ? SIDE - 1 : last;
    if (first > last)
        return 0;
    return (~(uint64_t)0 >> (SIDE - 1 - (last - first))) << first;
}

/* Sets the cells whose middles the triangle covers, and the one it lies in when it is smaller. */
static void fill_triangle(uint64_t *rows, const float *a, const float *b, const float *c)
{
    float left = fminf(a[0], fminf(b[0], c[0])), right = fmaxf(a[0], fmaxf(b[0], c[0]));
    float top = fminf(a[1], fminf(b[1], c[1])), bottom = fmaxf(a[1], fmaxf(b[1], c[1]));
    if (right - left < 1 && bottom - top < 1) {
        int x = (int)((left + right) / 2), y = (int)((top + bottom) / 2);
        rows[y > SIDE - 1 ? SIDE - 1 : y] |= span(x, x);
        return;
    }
    const float *corners[4] = {a, b, c, a};
    int last = bottom > SIDE ? SIDE - 1 : (int)ceilf(bottom - 0.5f) - 1;
    for (int y = (int)ceilf(top - 0.5f); y <= last; y++) {
        float at = (float)y + 0.5f, from = INFINITY, to = -INFINITY;
        for (int k = 0; k < 3; k++) {
            const float *p = corners[k], *q = corners[k + 1];
            if ((p[1] <= at) == (q[1] <= at))
                continue;
            float x = p[0] + (at - p[1]) / (q[1] - p[1]) * (q[0] - p[0]);
            from = fminf(from, x);
            to = fmaxf(to, x);
        }
        if (from <= to && y >= 0 && y < SIDE)
            rows[y] |= span((int)ceilf(from - 0.5f), (int)floorf(to - 0.5f));
    }
}

static void mesh_outline(struct outline *out, struct flat *flat, const struct mesh *mesh,
                         double yaw_deg, double down_deg)
{
    flatten(flat, mesh, yaw_deg, down_deg);
    float w = fmaxf(flat->high[0] - flat->low[0], 1e-9f);
    float h = fmaxf(flat->high[1] - flat->low[1], 1e-9f);
    *out = (struct outline){.aspect = (double)w / (double)h};
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        flat->xy[2 * v] = (flat->xy[2 * v] - flat->low[0]) * (SIDE / w);
        flat->xy[2 * v + 1] = (flat->xy[2 * v + 1] - flat->low[1]) * (SIDE / h);
    }
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *v = mesh->triangles + 3 * t;
        if (usable(mesh, v))
            fill_triangle(out->rows, flat->xy + 2 * (size_t)v[0], flat->xy + 2 * (size_t)v[1],
                          flat->xy + 2 * (size_t)v[2]);
    }
}

static double overlap(const struct outline *a, const struct outline *b)
{
    int both = 0, any = 0;
    for (int y = 0; y < SIDE; y++) {
        both += __builtin_popcountll(a->rows[y] & b->rows[y]);
        any += __builtin_popcountll(a->rows[y] | b->rows[y]);
    }
    double iou = any ? (double)both / any : 0;
    return iou * fmin(a->aspect / b->aspect, b->aspect / a->aspect);
}

struct look {
    double yaw, down, iou;
};

/* Fills in the looks' iou; each thread has its own flattened vertices. */
static int judge(struct look *looks, int count, const struct mesh *mesh,
                 const struct outline *photo, struct err *err)
{
    int failed = 0;
#pragma omp parallel
    {
        struct flat flat = {.xy = malloc((mesh->vertex_count + 1) * 2 * sizeof *flat.xy)};
        struct outline outline;
        if (!flat.xy) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(dynamic, 1)
        for (int i = 0; i < count; i++) {
            if (!flat.xy)
                continue;
            mesh_outline(&outline, &flat, mesh, looks[i].yaw, looks[i].down);
            looks[i].iou = overlap(&outline, photo);
        }
        free(flat.xy);
    }
    return failed ? FAIL(err, ERR_LIMIT, "no memory to look at %zu points", mesh->vertex_count) : 0;
}

static struct look best_of(const struct look *looks, int count, struct look best)
{
    for (int i = 0; i < count; i++)
        if (looks[i].iou > best.iou)
            best = looks[i];
    return best;
}

static int find_best(struct look *best, const struct mesh *mesh, const struct outline *photo,
                     struct err *err)
{
    struct look looks[YAWS * ELEVATIONS];
    for (int i = 0; i < YAWS * ELEVATIONS; i++)
        looks[i] = (struct look){.yaw = i % YAWS * YAW_STEP, .down = LOWEST + i / YAWS * 15};
    if (judge(looks, YAWS * ELEVATIONS, mesh, photo, err))
        return -1;
    *best = best_of(looks, YAWS * ELEVATIONS, (struct look){.iou = -1});
    for (double step = YAW_STEP / 3.0; step > 1; step /= 2) {
        int count = 0;
        struct look middle = *best;
        for (int k = 0; k < 25; k++)
            if (k != 12)
                looks[count++] = (struct look){.yaw = middle.yaw + (k % 5 - 2) * step,
                                               .down = middle.down + (k / 5 - 2) * step};
        if (judge(looks, count, mesh, photo, err))
            return -1;
        *best = best_of(looks, count, *best);
    }
    return 0;
}

int mesh_silhouette_match(struct silhouette_match *out, const struct mesh *mesh,
                          const struct picture *mask, struct err *err)
{
    struct outline photo;
    struct look best;
    if (mesh->triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "the mesh has no outline");
    if (mask_outline(&photo, mask, err) || find_best(&best, mesh, &photo, err))
        return -1;
    *out = (struct silhouette_match){.iou = best.iou,
                                     .yaw_deg = best.yaw < 0 ? best.yaw + 360 : best.yaw,
                                     .elevation_deg = best.down};
    if (out->yaw_deg >= 360)
        out->yaw_deg -= 360;
    return 0;
}
