/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of the built-in maker: checks the options, calls the style, and samples pictures. */
#include "print/relief/relief.h"

#include <math.h>

#include "print/relief/relief_parts.h"

static double linear(uint8_t value)
{
    double c = value / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static int clamp_int(double value, int low, int high)
{
    return value < low ? low : value > high ? high : (int)value;
}

void relief_sample(float *luma, float *alpha, const struct picture *photo,
                   const struct relief_grid *grid, const struct relief_window *window,
                   bool by_alpha)
{
    float table[256];
    int w = (int)photo->width, h = (int)photo->height;
    double p = window->pixels_per_cell;
    for (int i = 0; i < 256; i++)
        table[i] = (float)linear((uint8_t)i);
#pragma omp parallel for schedule(static)
    for (int k = 0; k < grid->nz; k++)
        for (int i = 0; i < grid->nx; i++) {
            double x = window->left + i * p, y = window->bottom - (k + 1) * p;
            int x0 = clamp_int(floor(x), 0, w), x1 = clamp_int(ceil(x + p), 0, w);
            int y0 = clamp_int(floor(y), 0, h), y1 = clamp_int(ceil(y + p), 0, h);
            double sum = 0, weight = 0, solid = 0;
            for (int v = y0; v < y1; v++)
                for (int u = x0; u < x1; u++) {
                    const uint8_t *c = photo->rgba + ((size_t)v * photo->width + u) * 4;
                    double part = fmin(u + 1, x + p) - fmax(u, x);
                    part *= fmin(v + 1, y + p) - fmax(v, y);
                    double counts = by_alpha ? part * (c[3] + 0.01) : part;
                    sum += counts *
                           (0.2126 * table[c[0]] + 0.7152 * table[c[1]] + 0.0722 * table[c[2]]);
                    weight += counts;
                    solid += part * c[3] / 255;
                }
            size_t at = (size_t)k * grid->nx + i;
            if (luma)
                luma[at] = weight > 0 ? (float)(sum / weight) : 1;
            if (alpha)
                alpha[at] = (float)(solid / (p * p));
        }
}

static void blur_lines(float *to, const float *from, int lines, int length, size_t along,
                       size_t across, int r)
{
#pragma omp parallel for schedule(static)
    for (int k = 0; k < lines; k++) {
        const float *a = from + across * k;
        float *b = to + across * k;
        double sum = 0;
        int n = 0;
        for (int i = 0; i <= r && i < length; i++, n++)
            sum += a[along * i];
        for (int i = 0; i < length; i++) {
            b[along * i] = (float)(sum / n);
            if (i + r + 1 < length)
                sum += a[along * (i + r + 1)], n++;
            if (i - r >= 0)
                sum -= a[along * (i - r)], n--;
        }
    }
}

void relief_blur(float *value, float *scratch, const struct relief_grid *grid, double sigma_mm)
{
    double sigma = sigma_mm / grid->step_mm;
    int r = (int)lrint((sqrt(4 * sigma * sigma + 1) - 1) / 2); /* three boxes of 2r+1 */
    if (r < 1)
        return;
    for (int pass = 0; pass < 3; pass++) {
        blur_lines(scratch, value, grid->nz, grid->nx, 1, (size_t)grid->nx, r);
        blur_lines(value, scratch, grid->nx, grid->nz, (size_t)grid->nx, 1, r);
    }
}

static int options_check(const struct relief_options *o, struct err *err)
{
    if (!(o->height_mm >= 20 && o->height_mm <= 250))
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "the height must be 20 to 250 mm, not %g", o->height_mm);
    if (!(o->thickness_mm >= 0 && o->thickness_mm <= 250 && o->detail_mm >= 0 &&
          o->detail_mm <= 20 && o->min_mm >= 0 && o->max_mm >= 0 && o->max_mm <= 20))
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "a thickness is negative or larger than can be");
    if (o->resolution_mm != 0 && !(o->resolution_mm >= 0.1 && o->resolution_mm <= 2))
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "the resolution must be 0.1 to 2 mm, not %g", o->resolution_mm);
    return 0;
}

int relief_make(struct mesh *out, cJSON **notes, const struct picture *photo,
                const struct relief_options *options, struct err *err)
{
    *out = (struct mesh){0};
    *notes = NULL;
    if (options_check(options, err))
        return -1;
    if (!photo->rgba || !photo->width || !photo->height || photo->width > 32767 ||
        photo->height > 32767)
        return FAIL(err, ERR_INPUT, "the picture is empty or too large");
    cJSON *found = cJSON_CreateObject();
    if (!found)
        return FAIL(err, ERR_LIMIT, "no memory for the notes");
    bool plate = options->style == RELIEF_LITHOPHANE;
    if (plate ? relief_lithophane(out, found, photo, options, err)
              : relief_figure(out, found, photo, options, err)) {
        cJSON_Delete(found);
        mesh_free(out);
        return -1;
    }
    cJSON_AddNumberToObject(found, "triangles", (double)out->triangle_count);
    *notes = found;
    return 0;
}
