/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small pictures: drawn large and brought down, so that 16 pixels still show the figure. */
#include <math.h>
#include <stdlib.h>

#include "print/render/scene.h"

#define DRAWN 256    /* pixels of the longer side that is drawn at least, of 16 samples each */
#define SHARPEN 0.5f /* of the difference to the neighbours, up to 96 pixels */

/* Means of squares of pixels, colours weighted by alpha. */
static void shrink(float *out, const struct picture *large, uint32_t w, uint32_t h, uint32_t factor)
{
#pragma omp parallel for schedule(static)
    for (uint32_t i = 0; i < w * h; i++) {
        float sum[4] = {0};
        for (uint32_t k = 0; k < factor * factor; k++) {
            size_t x = i % w * factor + k % factor, y = i / w * factor + k / factor;
            const uint8_t *p = large->rgba + 4 * (y * large->width + x);
            for (int c = 0; c < 3; c++)
                sum[c] += (float)p[c] * (float)p[3] / 255;
            sum[3] += p[3];
        }
        for (int c = 0; c < 4; c++)
            out[4 * (size_t)i + (size_t)c] = sum[c] / (float)(factor * factor);
    }
}

/* What a neighbour adds: where it is clear, the pixel's own colour stands in for it. */
static float beside(const float *own, const float *other, uint32_t c)
{
    return other[c] + (1 - other[3] / 255) * own[c];
}

/* The mean of a pixel's four neighbours; beyond the border lies the pixel itself. */
static float around(const float *p, uint32_t w, uint32_t h, uint32_t x, uint32_t y, uint32_t c)
{
    const float *own = p + 4 * ((size_t)y * w + x);
    const float *left = x > 0 ? own - 4 : own, *right = x + 1 < w ? own + 4 : own;
    const float *up = y > 0 ? own - 4 * (size_t)w : own;
    const float *down = y + 1 < h ? own + 4 * (size_t)w : own;
    return (beside(own, left, c) + beside(own, right, c) + beside(own, up, c) +
            beside(own, down, c)) /
           4;
}

static void finish(struct picture *out, const float *p, float sharpen)
{
    uint32_t w = out->width, h = out->height;
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            size_t at = 4 * ((size_t)y * w + x);
            float alpha = p[at + 3];
            for (uint32_t c = 0; c < 3; c++) {
                float v = p[at + c] + sharpen * (p[at + c] - around(p, w, h, x, y, c));
                v = alpha > 0 ? fminf(fmaxf(v * 255 / alpha, 0), 255) : 0;
                out->rgba[at + c] = (uint8_t)lrintf(v);
            }
            out->rgba[at + 3] = (uint8_t)lrintf(alpha);
        }
}

int mesh_render_thumbnail(struct picture *out, const struct mesh *mesh,
                          const struct render_options *options, struct err *err)
{
    uint32_t w = options->width, h = options->height, side = w > h ? w : h;
    if (w < 8 || h < 8 || side > 1024)
        return FAIL_CODE(err, ERR_LIMIT, "picture_size",
                         "a thumbnail of %u x %u; each side may be 8 to 1024", w, h);
    struct render_options drawn = *options;
    struct picture large, made = {.width = w, .height = h};
    uint32_t factor = (DRAWN + side - 1) / side;
    drawn.width = w * factor;
    drawn.height = h * factor;
    drawn.margin = options->margin > 0 ? options->margin : 0.03;
    if (render_small(&large, mesh, &drawn, err))
        return -1;
    float *small = malloc((size_t)w * h * 4 * sizeof *small);
    made.rgba = malloc((size_t)w * h * 4);
    if (!small || !made.rgba) {
        free(small);
        picture_free(&made);
        picture_free(&large);
        return FAIL(err, ERR_LIMIT, "no memory for a thumbnail");
    }
    shrink(small, &large, w, h, factor);
    finish(&made, small, side <= 96 ? SHARPEN : 0);
    free(small);
    picture_free(&large);
    *out = made;
    return 0;
}
