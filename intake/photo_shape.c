/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shrinking and turning pictures, for photo.c; see photo_raw.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intake/photo_raw.h"

#define LINEAR_STEPS 65536 /* one step is a twentieth of the smallest step of 8-bit sRGB */

/* Tables between stored bytes and the quantity that is averaged. */
struct light {
    float from_byte[256];
    uint8_t to_byte[LINEAR_STEPS];
    bool cmyk;
};

/* IEC 61966-2-1: the transfer curve of sRGB. */
static double srgb_to_linear(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double linear_to_srgb(double v)
{
    return v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055;
}

static void fill_light(struct light *light, bool cmyk)
{
    light->cmyk = cmyk;
    for (int i = 0; i < 256; i++)
        light->from_byte[i] = (float)(cmyk ? i / 255.0 : srgb_to_linear(i / 255.0));
    for (int i = 0; i < LINEAR_STEPS; i++) {
        double v = i / (LINEAR_STEPS - 1.0);
        light->to_byte[i] = (uint8_t)lround(255 * (cmyk ? v : linear_to_srgb(v)));
    }
}

/* Adds one source row, averaged to the new width, times weight. Sums are of premultiplied light. */
static void add_row(float *sums, const uint8_t *row, uint32_t width, uint32_t new_width,
                    float weight, const struct light *light)
{
    double step = (double)width / new_width;
    for (uint32_t x = 0; x < new_width; x++) {
        double from = x * step, to = from + step;
        uint32_t last = to >= width ? width - 1 : (uint32_t)to;
        float *sum = sums + 4 * (size_t)x;
        for (uint32_t i = (uint32_t)from; i <= last; i++) {
            double covered = fmin(to, i + 1.0) - fmax(from, i);
            const uint8_t *pixel = row + 4 * (size_t)i;
            float w = weight * (float)covered;
            float fourth = light->cmyk ? light->from_byte[pixel[3]] : pixel[3] / 255.0f;
            float part = light->cmyk ? w : w * fourth;
            for (int c = 0; c < 3; c++)
                sum[c] += part * light->from_byte[pixel[c]];
            sum[3] += w * fourth;
        }
    }
}

static uint8_t byte_of(const struct light *light, float v)
{
    int i = (int)(v * (LINEAR_STEPS - 1) + 0.5f);
    return light->to_byte[i < 0 ? 0 : i >= LINEAR_STEPS ? LINEAR_STEPS - 1 : i];
}

static void put_row(uint8_t *row, const float *sums, uint32_t width, float area,
                    const struct light *light)
{
    for (uint32_t x = 0; x < width; x++) {
        const float *sum = sums + 4 * (size_t)x;
        float divisor = light->cmyk ? area : sum[3];
        for (int c = 0; c < 3; c++)
            row[4 * x + c] = divisor > 0 ? byte_of(light, sum[c] / divisor) : 0;
        row[4 * x + 3] = light->cmyk ? byte_of(light, sum[3] / area)
                                     : (uint8_t)fminf(255, sum[3] / area * 255 + 0.5f);
    }
}

static void shrink_into(struct picture *to, const struct picture *from, float *sums,
                        const struct light *light)
{
    double step = (double)from->height / to->height;
    float area = (float)(step * ((double)from->width / to->width));
    for (uint32_t y = 0; y < to->height; y++) {
        double top = y * step, bottom = top + step;
        uint32_t last = bottom >= from->height ? from->height - 1 : (uint32_t)bottom;
        memset(sums, 0, (size_t)to->width * 4 * sizeof *sums);
        for (uint32_t i = (uint32_t)top; i <= last; i++) {
            float weight = (float)(fmin(bottom, i + 1.0) - fmax(top, i));
            if (weight > 0)
                add_row(sums, from->rgba + (size_t)i * from->width * 4, from->width, to->width,
                        weight, light);
        }
        put_row(to->rgba + (size_t)y * to->width * 4, sums, to->width, area, light);
    }
}

static uint32_t scaled(uint32_t side, uint32_t longest, uint32_t limit)
{
    uint32_t new_side = (uint32_t)lround((double)side * limit / longest);
    return new_side ? new_side : 1;
}

int photo_shrink(struct picture *picture, uint32_t longest, bool cmyk, struct err *err)
{
    uint32_t side = picture->width > picture->height ? picture->width : picture->height;
    if (side <= longest)
        return 0;
    struct picture small = {.width = scaled(picture->width, side, longest),
                            .height = scaled(picture->height, side, longest)};
    struct light *light = malloc(sizeof *light);
    float *sums = malloc((size_t)small.width * 4 * sizeof *sums);
    small.rgba = malloc((size_t)small.width * small.height * 4);
    int failed = 0;
    if (light && sums && small.rgba) {
        fill_light(light, cmyk);
        shrink_into(&small, picture, sums, light);
        picture_free(picture);
        *picture = small;
    } else {
        picture_free(&small);
        failed = FAIL(err, ERR_LIMIT, "no memory to shrink the photo");
    }
    free(sums);
    free(light);
    return failed;
}

/* Where pixel (x, y) of the turned picture comes from; width and height are those stored. */
static size_t source_of(int orientation, size_t x, size_t y, size_t width, size_t height)
{
    switch (orientation) {
    case 2:
        return y * width + (width - 1 - x);
    case 3:
        return (height - 1 - y) * width + (width - 1 - x);
    case 4:
        return (height - 1 - y) * width + x;
    case 5:
        return x * width + y;
    case 6:
        return (height - 1 - x) * width + y;
    case 7:
        return (height - 1 - x) * width + (width - 1 - y);
    case 8:
        return x * width + (width - 1 - y);
    default:
        return y * width + x;
    }
}

int photo_turn(struct picture *picture, int orientation, struct err *err)
{
    if (orientation < 2 || orientation > 8)
        return 0;
    bool swaps = orientation >= 5;
    struct picture turned = {.width = swaps ? picture->height : picture->width,
                             .height = swaps ? picture->width : picture->height};
    turned.rgba = malloc((size_t)turned.width * turned.height * 4);
    if (!turned.rgba)
        return FAIL(err, ERR_LIMIT, "no memory to turn the photo");
    for (size_t y = 0; y < turned.height; y++)
        for (size_t x = 0; x < turned.width; x++)
            memcpy(turned.rgba + 4 * (y * turned.width + x),
                   picture->rgba +
                       4 * source_of(orientation, x, y, picture->width, picture->height),
                   4);
    picture_free(picture);
    *picture = turned;
    return 0;
}
