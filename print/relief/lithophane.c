/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lithophane: a plate whose thickness lets through as much light as the photo shows. */
#include "print/relief/relief_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* White plastic passes exp(-mu t). Over 2.2 mm that is a range of about 1 to 30 (mu near 1.5 / mm);
 * darker wishes than that all print as the thickest. */
#define DARKEST (1.0 / 30)

#define FRAME_MM 3.0
#define FRAME_PROUD_MM 0.6 /* the frame stands out over the thickest place: it takes the knocks */

struct plate {
    struct relief_grid grid; /* of points, nx x nz */
    double min_mm, max_mm, foot_mm, foot_depth_mm, height_mm;
    float *front, *back; /* depth towards -Y and +Y at each point */
};

/* Colour below clear pixels is only worth printing when it is a photo: a cut-out file has one flat
 * colour there, which stands for paper. */
static bool clear_part_is_flat(const struct picture *photo)
{
    size_t n = (size_t)photo->width * photo->height;
    const uint8_t *first = NULL;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = photo->rgba + 4 * i;
        if (p[3] > 0)
            continue;
        if (first && memcmp(first, p, 3) != 0)
            return false;
        first = p;
    }
    return first != NULL;
}

static int float_order(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The luminance that counts as white: exceeded by one cell in 200. */
static int white_level(float *white, const float *luma, size_t n, struct err *err)
{
    float *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return FAIL(err, ERR_LIMIT, "no memory for the lithophane");
    memcpy(sorted, luma, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, float_order);
    *white = fmaxf(sorted[n - 1 - n / 200], 0.02f);
    free(sorted);
    return 0;
}

static void plate_shape(struct plate *plate, const float *luma, float white)
{
    int nx = plate->grid.nx, nz = plate->grid.nz;
    double step = plate->grid.step_mm, edge = FRAME_MM - 0.01;
    for (int k = 0; k < nz; k++)
        for (int i = 0; i < nx; i++) {
            size_t at = (size_t)k * nx + i;
            double x = i * step, z = k * step;
            double light = fmin(fmax(luma[at] / white, DARKEST), 1);
            double dark = log(light) / log(DARKEST);
            double front = plate->min_mm + (plate->max_mm - plate->min_mm) * dark, back = 0;
            double inner =
                fmin(fmin(x, (nx - 1) * step - x), fmin(z - plate->foot_mm, plate->height_mm - z));
            if (inner < edge)
                front = plate->max_mm + FRAME_PROUD_MM;
            if (z < plate->foot_mm) {
                front += plate->foot_depth_mm;
                back = plate->foot_depth_mm;
            }
            plate->front[at] = (float)front;
            plate->back[at] = (float)back;
        }
}

static void quad(uint32_t **to, size_t a, size_t b, size_t c, size_t d)
{
    const size_t corner[6] = {a, b, c, a, c, d};
    for (int k = 0; k < 6; k++)
        *(*to)++ = (uint32_t)corner[k];
}

/* Two sheets over one grid, sewn at the four sides: closed and manifold whatever the depths, and
 * free of self-intersection because front > -back at every point. */
static int plate_mesh(struct mesh *out, const struct plate *plate, struct err *err)
{
    size_t nx = (size_t)plate->grid.nx, nz = (size_t)plate->grid.nz, n = nx * nz;
    size_t quads = 2 * (nx - 1) * (nz - 1) + 2 * (nx - 1) + 2 * (nz - 1);
    if (mesh_alloc(out, 2 * n, 2 * quads, err))
        return -1;
    double middle = (double)(nx - 1) / 2 * plate->grid.step_mm;
    double dz = plate->height_mm / (double)(nz - 1);
    for (size_t at = 0; at < n; at++)
        for (int side = 0; side < 2; side++) {
            float *p = out->xyz + 3 * (at + (side ? n : 0));
            p[0] = (float)((double)(at % nx) * plate->grid.step_mm - middle);
            p[1] = side ? plate->back[at] : -plate->front[at];
            p[2] = (float)((double)(at / nx) * dz);
        }
    uint32_t *t = out->triangles;
    for (size_t k = 0; k + 1 < nz; k++)
        for (size_t i = 0; i + 1 < nx; i++) {
            size_t a = k * nx + i;
            quad(&t, a, a + 1, a + nx + 1, a + nx);
            quad(&t, n + a, n + a + nx, n + a + nx + 1, n + a + 1);
        }
    for (size_t i = 0; i + 1 < nx; i++) {
        size_t top = (nz - 1) * nx + i;
        quad(&t, i, n + i, n + i + 1, i + 1);
        quad(&t, top, top + 1, n + top + 1, n + top);
    }
    for (size_t k = 0; k + 1 < nz; k++) {
        size_t left = k * nx, right = k * nx + nx - 1;
        quad(&t, left, left + nx, n + left + nx, n + left);
        quad(&t, right, n + right, n + right + nx, right + nx);
    }
    return 0;
}

static int plate_plan(struct plate *plate, struct relief_window *window,
                      const struct picture *photo, const struct relief_options *options,
                      struct err *err)
{
    plate->min_mm = options->min_mm > 0 ? options->min_mm : 0.8;
    plate->max_mm = options->max_mm > 0 ? options->max_mm : 3.0;
    if (plate->min_mm < 0.4 || plate->max_mm < plate->min_mm + 0.4)
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "a lithophane needs at least 0.4 mm, and 0.4 mm between thin and thick");
    plate->height_mm = options->height_mm;
    plate->foot_mm = fmin(6, fmax(3, 0.05 * options->height_mm));
    plate->foot_depth_mm = fmax(5, 0.1 * options->height_mm);
    double picture_mm = plate->height_mm - plate->foot_mm - 2 * FRAME_MM;
    double width = picture_mm * photo->width / photo->height + 2 * FRAME_MM;
    double step = options->resolution_mm > 0 ? options->resolution_mm
                                             : fmin(0.4, fmax(0.25, options->height_mm / 260));
    double rows = fmax(8, round(plate->height_mm / step));
    step = plate->height_mm / rows;
    double columns = fmax(8, round(width / step));
    if (columns > 8000 || columns * rows > 4e6)
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "a picture this wide makes a plate %.0f mm wide", width);
    plate->grid = (struct relief_grid){(int)columns + 1, (int)rows + 1, step};
    window->pixels_per_cell = photo->height * step / picture_mm;
    window->left = -(FRAME_MM / step + 0.5) * window->pixels_per_cell;
    window->bottom =
        photo->height + ((FRAME_MM + plate->foot_mm) / step + 0.5) * window->pixels_per_cell;
    return 0;
}

static void luma_of_paper(float *luma, const float *alpha, size_t n)
{
    for (size_t i = 0; i < n; i++)
        luma[i] = luma[i] * alpha[i] + (1 - alpha[i]);
}

int relief_lithophane(struct mesh *out, cJSON *notes, const struct picture *photo,
                      const struct relief_options *options, struct err *err)
{
    struct plate plate = {0};
    struct relief_window window;
    if (plate_plan(&plate, &window, photo, options, err))
        return -1;
    size_t n = (size_t)plate.grid.nx * plate.grid.nz;
    float *room = malloc(n * 4 * sizeof *room), white = 1;
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory for the lithophane");
    float *luma = room, *alpha = room + n;
    plate.front = room + 2 * n;
    plate.back = room + 3 * n;
    bool paper = clear_part_is_flat(photo);
    relief_sample(luma, alpha, photo, &plate.grid, &window, paper);
    if (paper)
        luma_of_paper(luma, alpha, n);
    int result = white_level(&white, luma, n, err);
    if (!result) {
        plate_shape(&plate, luma, white);
        result = plate_mesh(out, &plate, err);
    }
    free(room);
    cJSON_AddStringToObject(notes, "style", "lithophane");
    cJSON_AddNumberToObject(notes, "min_mm", plate.min_mm);
    cJSON_AddNumberToObject(notes, "max_mm", plate.max_mm);
    cJSON_AddNumberToObject(notes, "width_mm", (plate.grid.nx - 1) * plate.grid.step_mm);
    cJSON_AddNumberToObject(notes, "resolution_mm", plate.grid.step_mm);
    return result;
}
