/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cutting: barrier distance from the border, the smooth cut, tidying, and enlarging to full size.
 */
#include "intake/subject_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static inline void barrier_step(float *best, float *high, float *low, const float *value, size_t to,
                                size_t from)
{
    float h = fmaxf(high[from], value[3 * to]), l = fminf(low[from], value[3 * to]);
    if (h - l < best[to]) {
        best[to] = h - l;
        high[to] = h;
        low[to] = l;
    }
}

/* One channel: forward, backward, forward, backward; more passes changed nothing that was seen. */
static void barrier_channel(float *best, float *high, float *low, const float *value,
                            const uint8_t *seeds, int w, int h)
{
    for (size_t i = 0; i < (size_t)w * h; i++) {
        best[i] = seeds[i] ? 0 : INFINITY;
        high[i] = low[i] = value[3 * i];
    }
    for (int pass = 0; pass < 4; pass++) {
        bool back = pass % 2;
        for (int v = 0; v < h; v++)
            for (int u = 0; u < w; u++) {
                int x = back ? w - 1 - u : u, y = back ? h - 1 - v : v;
                size_t i = (size_t)y * w + x;
                if (u > 0)
                    barrier_step(best, high, low, value, i, back ? i + 1 : i - 1);
                if (v > 0)
                    barrier_step(best, high, low, value, i, back ? i + w : i - w);
            }
    }
}

int barrier_from_seeds(float *barrier, const struct small_photo *photo, const uint8_t *seeds,
                       struct err *err)
{
    size_t n = (size_t)photo->width * photo->height;
    float *scratch = malloc(n * 9 * sizeof *scratch);
    if (!scratch)
        return FAIL(err, ERR_LIMIT, "no memory to find the subject");
#pragma omp parallel for schedule(static)
    for (int c = 0; c < 3; c++) {
        float *own = scratch + 3 * n * (size_t)c;
        barrier_channel(own, own + n, own + 2 * n, photo->lab + c, seeds, photo->width,
                        photo->height);
    }
    /* Colour counts twice: a shadow's lightness is a poor witness. */
    for (size_t i = 0; i < n; i++)
        barrier[i] = scratch[i] + 2 * scratch[3 * n + i] + 2 * scratch[6 * n + i];
    free(scratch);
    return 0;
}

/* How dear it is to cut between two pixels: little along strong edges. */
static float edge_weight(const float *a, const float *b, float sharpness)
{
    float d0 = a[0] - b[0], d1 = a[1] - b[1], d2 = a[2] - b[2];
    return 0.15f + 3.0f * expf(-sharpness * (d0 * d0 + 2 * d1 * d1 + 2 * d2 * d2));
}

static void edge_weights(float *right, float *down, const struct small_photo *photo)
{
    int w = photo->width, h = photo->height;
    double sum = 0;
    for (int y = 0; y < h; y++)
        for (int x = 1; x < w; x++) {
            const float *p = photo->lab + ((size_t)y * w + x) * 3;
            for (int c = 0; c < 3; c++)
                sum += (double)(p[c] - p[c - 3]) * (p[c] - p[c - 3]);
        }
    float sharpness = (float)(0.5 / (sum / ((double)w * h) + 1e-5));
#pragma omp parallel for schedule(static)
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t i = (size_t)y * w + x;
            const float *p = photo->lab + 3 * i;
            right[i] = x + 1 < w ? edge_weight(p, p + 3, sharpness) : 0;
            down[i] = y + 1 < h ? edge_weight(p, p + 3 * (size_t)w, sharpness) : 0;
        }
}

int cut_by_total_variation(float *cut, const float *cost, const struct small_photo *photo,
                           int rounds, struct err *err)
{
    const int w = photo->width, h = photo->height;
    const float step = 0.35f; /* step squared times 8 must stay under 1 */
    size_t n = (size_t)w * h;
    float *room = calloc(n * 5, sizeof *room);
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory to cut out the subject");
    float *px = room, *py = room + n, *lead = room + 2 * n, *right = room + 3 * n;
    float *down = room + 4 * n;
    edge_weights(right, down, photo);
    memcpy(lead, cut, n * sizeof *lead);
    /* One thread: 240 barriers a second thread must meet cost 5 s, not 0.2, on a busy machine. */
    for (int round = 0; round < rounds; round++) {
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                size_t i = (size_t)y * w + x;
                float gx = x + 1 < w ? lead[i + 1] - lead[i] : 0;
                float gy = y + 1 < h ? lead[i + w] - lead[i] : 0;
                px[i] = fmaxf(-right[i], fminf(right[i], px[i] + step * gx));
                py[i] = fmaxf(-down[i], fminf(down[i], py[i] + step * gy));
            }
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                size_t i = (size_t)y * w + x;
                float divergence =
                    px[i] + py[i] - (x ? px[i - 1] : 0) - (y ? py[i - (size_t)w] : 0);
                float next = fmaxf(0, fminf(1, cut[i] + step * (divergence - cost[i])));
                lead[i] = 2 * next - cut[i];
                cut[i] = next;
            }
    }
    free(room);
    return 0;
}

/* Numbers the 4-connected pieces of pixels equal to value; sizes[label]. label 0: not of value. */
static int pieces_number(int *label, int *sizes, int *stack, const uint8_t *mask, uint8_t value,
                         int w, int h)
{
    int count = 0;
    memset(label, 0, (size_t)w * h * sizeof *label);
    for (int start = 0; start < w * h; start++) {
        if (label[start] || mask[start] != value)
            continue;
        int depth = 0, size = 0;
        label[start] = ++count;
        stack[depth++] = start;
        while (depth) {
            int i = stack[--depth], x = i % w, y = i / w;
            int next[4] = {x ? i - 1 : -1, x + 1 < w ? i + 1 : -1, y ? i - w : -1,
                           y + 1 < h ? i + w : -1};
            size++;
            for (int k = 0; k < 4; k++)
                if (next[k] >= 0 && !label[next[k]] && mask[next[k]] == value) {
                    label[next[k]] = count;
                    stack[depth++] = next[k];
                }
        }
        sizes[count] = size;
    }
    return count;
}

int mask_tidy(uint8_t *mask, int w, int h, struct err *err)
{
    size_t n = (size_t)w * h;
    int *room = malloc((3 * n + 1) * sizeof *room);
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory to tidy the mask");
    int *label = room, *stack = room + n, *sizes = room + 2 * n;
    int count = pieces_number(label, sizes, stack, mask, 1, w, h), largest = 0, area = 0;
    for (int k = 1; k <= count; k++)
        largest = sizes[k] > largest ? sizes[k] : largest;
    for (size_t i = 0; i < n; i++)
        mask[i] = label[i] && sizes[label[i]] * 6 >= largest; /* a lesser piece: a sixth at least */
    for (size_t i = 0; i < n; i++)
        area += mask[i];
    /* A gap between arm and body is real; what is under 0.4 % of the subject is a highlight. */
    pieces_number(label, sizes, stack, mask, 0, w, h);
    for (size_t i = 0; i < n; i++)
        if (!mask[i] && sizes[label[i]] * 250 < area)
            mask[i] = 1;
    free(room);
    return 0;
}

/* Box mean of radius r, in place; line: room for the longer side. */
static void box_mean(float *image, float *line, int w, int h, int r)
{
    for (int turn = 0; turn < 2; turn++) {
        int lines = turn ? w : h, length = turn ? h : w;
        size_t along = turn ? (size_t)w : 1, across = turn ? 1 : (size_t)w;
        for (int k = 0; k < lines; k++) {
            float *p = image + across * k;
            double sum = 0;
            int n = 0;
            for (int i = 0; i < length; i++)
                line[i] = p[along * i];
            for (int i = 0; i <= r && i < length; i++, n++)
                sum += line[i];
            for (int i = 0; i < length; i++) {
                p[along * i] = (float)(sum / n);
                if (i + r + 1 < length)
                    sum += line[i + r + 1], n++;
                if (i - r >= 0)
                    sum -= line[i - r], n--;
            }
        }
    }
}

static float grey_of(const uint8_t *p)
{
    return (0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2]) / 255;
}

/* The small photo's grey, seen as the full one's, so that slope and offset carry over. */
static void grey_small(float *grey, const struct small_photo *small, const struct picture *photo)
{
    int w = small->width, h = small->height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint32_t x0 = (uint32_t)((uint64_t)x * photo->width / w);
            uint32_t x1 = (uint32_t)((uint64_t)(x + 1) * photo->width / w);
            uint32_t y0 = (uint32_t)((uint64_t)y * photo->height / h);
            uint32_t y1 = (uint32_t)((uint64_t)(y + 1) * photo->height / h);
            double sum = 0;
            for (uint32_t v = y0; v < y1; v++)
                for (uint32_t u = x0; u < x1; u++)
                    sum += grey_of(photo->rgba + ((size_t)v * photo->width + u) * 4);
            grey[(size_t)y * w + x] = (float)(sum / ((double)(x1 - x0) * (y1 - y0)));
        }
}

static float sample(const float *image, int w, int h, double x, double y)
{
    x = fmin(fmax(x, 0), w - 1);
    y = fmin(fmax(y, 0), h - 1);
    int x0 = (int)x, y0 = (int)y, x1 = x0 + 1 < w ? x0 + 1 : x0, y1 = y0 + 1 < h ? y0 + 1 : y0;
    double fx = x - x0, fy = y - y0;
    const float *a = image + (size_t)y0 * w, *b = image + (size_t)y1 * w;
    return (float)((a[x0] * (1 - fx) + a[x1] * fx) * (1 - fy) +
                   (b[x0] * (1 - fx) + b[x1] * fx) * fy);
}

int mask_enlarge(uint8_t *mask, const float *cut, const struct small_photo *small,
                 const struct picture *photo, struct err *err)
{
    int w = small->width, h = small->height, radius = 2;
    size_t n = (size_t)w * h;
    float *room = calloc(n * 4 + (size_t)(w > h ? w : h), sizeof *room);
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory to enlarge the mask");
    float *mean = room, *square = room + n, *slope = room + 2 * n, *offset = room + 3 * n;
    float *line = room + 4 * n;
    grey_small(mean, small, photo);
    for (size_t i = 0; i < n; i++) {
        square[i] = mean[i] * mean[i];
        slope[i] = mean[i] * cut[i];
        offset[i] = cut[i];
    }
    for (int k = 0; k < 4; k++)
        box_mean(room + n * (size_t)k, line, w, h, radius);
    for (size_t i = 0; i < n; i++) {
        float variance = square[i] - mean[i] * mean[i];
        slope[i] = (slope[i] - mean[i] * offset[i]) / (variance + 0.0004f);
        offset[i] -= slope[i] * mean[i];
    }
    box_mean(slope, line, w, h, radius);
    box_mean(offset, line, w, h, radius);
    double sx = (double)w / photo->width, sy = (double)h / photo->height;
#pragma omp parallel for schedule(static)
    for (uint32_t y = 0; y < photo->height; y++)
        for (uint32_t x = 0; x < photo->width; x++) {
            size_t i = (size_t)y * photo->width + x;
            double u = (x + 0.5) * sx - 0.5, v = (y + 0.5) * sy - 0.5;
            float near = sample(cut, w, h, u, v);
            float q = sample(slope, w, h, u, v) * grey_of(photo->rgba + 4 * i) +
                      sample(offset, w, h, u, v);
            /* The filter leaks a little where the photo is flat: steepen, and stay near the cut. */
            q = (0.6f * q + 0.4f * near - 0.5f) * 1.7f + 0.5f;
            mask[i] = (uint8_t)lrintf(255 * fmaxf(0, fminf(1, q)));
        }
    free(room);
    return 0;
}
