/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The colours of a subject and of its background: a small Oklab picture and mixtures of Gaussians.
 */
#include "intake/subject_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void lab_from_linear(float lab[3], const double rgb[3])
{
    /* Oklab, B. Ottosson 2020. */
    double l = cbrt(0.4122214708 * rgb[0] + 0.5363325363 * rgb[1] + 0.0514459929 * rgb[2]);
    double m = cbrt(0.2119034982 * rgb[0] + 0.6806995451 * rgb[1] + 0.1073969566 * rgb[2]);
    double s = cbrt(0.0883024619 * rgb[0] + 0.2817188376 * rgb[1] + 0.6299787005 * rgb[2]);
    lab[0] = (float)(0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s);
    lab[1] = (float)(1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s);
    lab[2] = (float)(0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s);
}

static void linear_table(double table[256])
{
    for (int i = 0; i < 256; i++) {
        double c = i / 255.0;
        table[i] = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
    }
}

static void area_average(float lab[3], const struct picture *photo, const double *linear,
                         const uint32_t x[2], const uint32_t y[2])
{
    double sum[3] = {0};
    for (uint32_t v = y[0]; v < y[1]; v++) {
        const uint8_t *p = photo->rgba + ((size_t)v * photo->width + x[0]) * 4;
        for (uint32_t u = x[0]; u < x[1]; u++, p += 4)
            for (int c = 0; c < 3; c++)
                sum[c] += linear[p[c]];
    }
    double n = (double)(x[1] - x[0]) * (y[1] - y[0]);
    for (int c = 0; c < 3; c++)
        sum[c] /= n;
    lab_from_linear(lab, sum);
}

int small_photo_make(struct small_photo *out, const struct picture *photo, int longest,
                     struct err *err)
{
    uint32_t side = photo->width > photo->height ? photo->width : photo->height;
    double scale = side > (uint32_t)longest ? (double)longest / side : 1;
    int w = (int)fmax(1, floor(photo->width * scale)),
        h = (int)fmax(1, floor(photo->height * scale));
    float *lab = malloc((size_t)w * h * 3 * sizeof *lab);
    if (!lab)
        return FAIL(err, ERR_LIMIT, "no memory for a small copy of the photo");
    double linear[256];
    linear_table(linear);
#pragma omp parallel for schedule(static)
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint32_t xs[2] = {(uint32_t)((uint64_t)x * photo->width / w),
                              (uint32_t)((uint64_t)(x + 1) * photo->width / w)};
            uint32_t ys[2] = {(uint32_t)((uint64_t)y * photo->height / h),
                              (uint32_t)((uint64_t)(y + 1) * photo->height / h)};
            area_average(lab + ((size_t)y * w + x) * 3, photo, linear, xs, ys);
        }
    *out = (struct small_photo){lab, w, h};
    return 0;
}

static double distance2(const float *lab, const double *mean)
{
    double d0 = lab[0] - mean[0], d1 = lab[1] - mean[1], d2 = lab[2] - mean[2];
    return d0 * d0 + d1 * d1 + d2 * d2;
}

static int nearest_mean(const struct colour_model *model, const float *lab, double *distance)
{
    int best = 0;
    *distance = INFINITY;
    for (int k = 0; k < model->count; k++) {
        double d = distance2(lab, model->mean[k]);
        if (d < *distance) {
            *distance = d;
            best = k;
        }
    }
    return best;
}

/* The first mean is the average; each next one is the pixel (of every 7th) farthest from those
 * taken: the same start for the same picture, where a random one would not be. */
static void means_start(struct colour_model *model, const struct small_photo *photo,
                        const uint8_t *chosen)
{
    size_t n = (size_t)photo->width * photo->height, count = 0;
    double sum[3] = {0};
    for (size_t i = 0; i < n; i++)
        if (chosen[i]) {
            count++;
            for (int c = 0; c < 3; c++)
                sum[c] += photo->lab[3 * i + c];
        }
    model->count = count ? 1 : 0;
    for (int c = 0; c < 3 && count; c++)
        model->mean[0][c] = sum[c] / count;
    while (count && model->count < SUBJECT_COLOURS) {
        size_t far = 0, seen = 0;
        double farthest = 0.0004; /* 0.02 in Oklab: closer than that is one colour */
        for (size_t i = 0; i < n; i++) {
            double d;
            if (!chosen[i] || seen++ % 7)
                continue;
            nearest_mean(model, photo->lab + 3 * i, &d);
            if (d > farthest) {
                farthest = d;
                far = i;
            }
        }
        if (farthest <= 0.0004)
            return;
        for (int c = 0; c < 3; c++)
            model->mean[model->count][c] = photo->lab[3 * far + c];
        model->count++;
    }
}

static void means_settle(struct colour_model *model, const struct small_photo *photo,
                         const uint8_t *chosen, uint8_t *group)
{
    size_t n = (size_t)photo->width * photo->height;
    for (int round = 0; round < 8; round++) {
        double sum[SUBJECT_COLOURS][4] = {{0}};
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < n; i++) {
            double d;
            if (chosen[i])
                group[i] = (uint8_t)nearest_mean(model, photo->lab + 3 * i, &d);
        }
        for (size_t i = 0; i < n; i++)
            if (chosen[i]) {
                for (int c = 0; c < 3; c++)
                    sum[group[i]][c] += photo->lab[3 * i + c];
                sum[group[i]][3] += 1;
            }
        for (int k = 0; k < model->count; k++)
            for (int c = 0; c < 3 && sum[k][3] > 0; c++)
                model->mean[k][c] = sum[k][c] / sum[k][3];
    }
}

/* The inverse and half log determinant of a symmetric 3 x 3 (xx xy xz yy yz zz). */
static double invert(double inverse[6], const double m[6])
{
    double c0 = m[3] * m[5] - m[4] * m[4], c1 = m[2] * m[4] - m[1] * m[5];
    double c2 = m[1] * m[4] - m[2] * m[3], det = m[0] * c0 + m[1] * c1 + m[2] * c2;
    inverse[0] = c0 / det;
    inverse[1] = c1 / det;
    inverse[2] = c2 / det;
    inverse[3] = (m[0] * m[5] - m[2] * m[2]) / det;
    inverse[4] = (m[1] * m[2] - m[0] * m[4]) / det;
    inverse[5] = (m[0] * m[3] - m[1] * m[1]) / det;
    return 0.5 * log(det);
}

static void spreads_measure(struct colour_model *model, const struct small_photo *photo,
                            const uint8_t *chosen, const uint8_t *group)
{
    /* Lightness varies with every shadow, colour does not: hence the floors of 0.03 and 0.012. */
    static const double floor_of[6] = {0.0009, 0, 0, 0.00015, 0, 0.00015};
    double sum[SUBJECT_COLOURS][7] = {{0}}, total = 0;
    size_t n = (size_t)photo->width * photo->height;
    for (size_t i = 0; i < n; i++) {
        if (!chosen[i])
            continue;
        int k = group[i], at = 0;
        double d[3];
        for (int c = 0; c < 3; c++)
            d[c] = photo->lab[3 * i + c] - model->mean[k][c];
        for (int a = 0; a < 3; a++)
            for (int b = a; b < 3; b++)
                sum[k][at++] += d[a] * d[b];
        sum[k][6] += 1;
        total += 1;
    }
    for (int k = 0; k < model->count; k++) {
        double covariance[6];
        for (int j = 0; j < 6; j++)
            covariance[j] = floor_of[j] + (sum[k][6] > 0 ? sum[k][j] / sum[k][6] : 0);
        model->weight[k] = fmax(sum[k][6] / total, 1e-4);
        model->offset[k] = invert(model->inverse[k], covariance) - log(model->weight[k]);
    }
}

void colour_model_fit(struct colour_model *model, const struct small_photo *photo,
                      const uint8_t *chosen, uint8_t *scratch)
{
    memset(model, 0, sizeof *model);
    means_start(model, photo, chosen);
    means_settle(model, photo, chosen, scratch);
    spreads_measure(model, photo, chosen, scratch);
}

double colour_model_cost(const struct colour_model *model, const float *lab)
{
    double best = 40;
    for (int k = 0; k < model->count; k++) {
        double d0 = lab[0] - model->mean[k][0], d1 = lab[1] - model->mean[k][1];
        double d2 = lab[2] - model->mean[k][2];
        const double *q = model->inverse[k];
        double m = d0 * (q[0] * d0 + 2 * q[1] * d1 + 2 * q[2] * d2) +
                   d1 * (q[3] * d1 + 2 * q[4] * d2) + d2 * q[5] * d2;
        double cost = 0.5 * m + model->offset[k];
        if (cost < best)
            best = cost;
    }
    return best;
}
