/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Depth for a figure: the outline blown up like a cushion, and the photo's shading on its front. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/relief/relief_parts.h"

#define TAIL 0.1f /* no leg of a stencil shorter than this share of a cell */

/* Weights of the five-point stencil at one cell; a leg that meets the outline ends there. */
struct stencil {
    float side[4]; /* left right down up; 0 when the leg ends on the outline */
    float centre, source;
};

static void stencil_make(struct stencil *s, const float *d, size_t at, int nx, float step)
{
    const size_t next[4] = {at - 1, at + 1, at - (size_t)nx, at + (size_t)nx};
    float leg[4];
    for (int k = 0; k < 4; k++) {
        float other = d[next[k]];
        leg[k] = other > 0 ? 1 : fmaxf(TAIL, d[at] / (d[at] - other));
        s->side[k] = other > 0;
    }
    s->centre = 0;
    for (int k = 0; k < 4; k++) {
        float weight = 2 / (leg[k] * (leg[k] + leg[k ^ 1]));
        s->side[k] *= weight;
        s->centre += weight;
    }
    s->source = 4 * step * step;
}

/*
 * Solves laplace(u) = -4 inside, u = 0 on the outline itself rather than on the nearest cells: for
 * a disc of radius R that is R^2 - r^2, so that sqrt(u) is a ball; for a limb, a rounded rod.
 * Source   Shortley and Weller 1938 for the short legs; red-black over-relaxation.
 */
static int cushion_solve(float *u, const float *d, const struct relief_grid *grid, struct err *err)
{
    int nx = grid->nx, nz = grid->nz;
    size_t n = (size_t)nx * nz;
    struct stencil *stencil = calloc(n, sizeof *stencil);
    if (!stencil)
        return FAIL(err, ERR_LIMIT, "no memory to inflate the outline");
    float widest = 0;
    for (int k = 1; k + 1 < nz; k++)
        for (int i = 1; i + 1 < nx; i++) {
            size_t at = (size_t)k * nx + i;
            if (d[at] > 0)
                stencil_make(&stencil[at], d, at, nx, (float)grid->step_mm);
            widest = fmaxf(widest, d[at]);
        }
    memset(u, 0, n * sizeof *u);
    double cells = 2 + widest / grid->step_mm;
    float omega = (float)(2 / (1 + 2.0 / cells));
    int rounds = (int)(40 + 6 * cells);
    for (int round = 0; round < 2 * rounds; round++)
#pragma omp parallel for schedule(static) if (n > 200000)
        for (int k = 1; k < nz - 1; k++)
            for (int i = 1 + ((k + round) & 1); i < nx - 1; i += 2) {
                size_t at = (size_t)k * nx + i;
                if (d[at] <= 0)
                    continue;
                const struct stencil *s = &stencil[at];
                float sum = s->source + s->side[0] * u[at - 1] + s->side[1] * u[at + 1] +
                            s->side[2] * u[at - nx] + s->side[3] * u[at + nx];
                u[at] += omega * (sum / s->centre - u[at]);
            }
    free(stencil);
    return 0;
}

/*
 * Carries u over the outline: near it u = d * v with v smooth, so v of the inside is spread a few
 * cells out and multiplied by the (negative) distance. The zero line of u is then that of d.
 */
static int cushion_extend(float *u, const float *d, const struct relief_grid *grid, struct err *err)
{
    int nx = grid->nx, nz = grid->nz;
    size_t n = (size_t)nx * nz;
    float *v = malloc(2 * n * sizeof *v), *next = v ? v + n : NULL;
    if (!v)
        return FAIL(err, ERR_LIMIT, "no memory to inflate the outline");
    float sure = 0.4f * (float)grid->step_mm; /* closer to the line u / d is noise */
    for (size_t i = 0; i < n; i++)
        v[i] = d[i] > sure ? u[i] / d[i] : 0;
    for (int round = 0; round < 6; round++) {
        memcpy(next, v, n * sizeof *v);
        for (int k = 1; k + 1 < nz; k++)
            for (int i = 1; i + 1 < nx; i++) {
                size_t at = (size_t)k * nx + i;
                float sum = 0;
                int count = 0;
                for (int s = 0; s < 9 && v[at] == 0; s++) {
                    float near = v[at + (size_t)(s / 3) * nx - nx + s % 3 - 1];
                    sum += near;
                    count += near != 0;
                }
                if (count)
                    next[at] = sum / (float)count;
            }
        memcpy(v, next, n * sizeof *v);
    }
    for (size_t i = 0; i < n; i++)
        if (d[i] <= sure)
            u[i] = d[i] * (v[i] > 0 ? v[i] : 2 * (float)grid->step_mm);
    free(v);
    return 0;
}

/* Well outside the silhouette the cushion means nothing; there half is the distance itself. */
static void steepness(float *steep, float *u, const float *d, const struct relief_grid *grid)
{
    int nx = grid->nx, nz = grid->nz;
    for (int k = 0; k < nz; k++)
        for (int i = 0; i < nx; i++) {
            size_t at = (size_t)k * nx + i;
            float gx = u[at + (i + 1 < nx)] - u[at - (i > 0)];
            float gz = u[at + (k + 1 < nz ? (size_t)nx : 0)] - u[at - (k ? (size_t)nx : 0)];
            steep[at] = (gx * gx + gz * gz) / (float)(4 * grid->step_mm * grid->step_mm);
        }
    for (size_t at = 0; at < (size_t)nx * nz; at++)
        if (d[at] < -2.5f * (float)grid->step_mm) {
            steep[at] = -1;
            u[at] = d[at];
        }
}

int relief_inflate(struct relief_body *body, const float *distance, double deepest_mm,
                   struct err *err)
{
    size_t n = (size_t)body->grid.nx * body->grid.nz;
    float top = 0;
    if (cushion_solve(body->half, distance, &body->grid, err) ||
        cushion_extend(body->half, distance, &body->grid, err))
        return -1;
    for (size_t i = 0; i < n; i++)
        top = fmaxf(top, body->half[i]);
    double limit = deepest_mm * deepest_mm;
    /* u / (1 + u c) leaves limbs round and holds the trunk back; the deepest point is deepest_mm.
     */
    float c = top > limit ? (float)(1 / limit - 1 / top) : 0;
    for (size_t i = 0; i < n; i++)
        if (body->half[i] > 0)
            body->half[i] /= 1 + c * body->half[i];
    body->deepest = sqrt(fmin(top, limit));
    steepness(body->steep, body->half, distance, &body->grid);
    return 0;
}

/* Blur that knows nothing of what lies outside the silhouette. */
static void blur_inside(float *value, float *weight, float *scratch, const float *distance,
                        const struct relief_grid *grid, double sigma_mm)
{
    size_t n = (size_t)grid->nx * grid->nz;
    for (size_t i = 0; i < n; i++) {
        weight[i] = distance[i] > 0;
        value[i] *= weight[i];
    }
    relief_blur(value, scratch, grid, sigma_mm);
    relief_blur(weight, scratch, grid, sigma_mm);
    for (size_t i = 0; i < n; i++)
        value[i] = weight[i] > 1e-4f ? value[i] / weight[i] : 0;
}

/* Adds one band of the photo, between two blurs, squashed to -gain..gain: what differs from its
 * surroundings by the band's own spread stands out by three quarters of that. */
static void band_add(float *detail, const float *fine, const float *coarse, const float *distance,
                     size_t n, float gain)
{
    double square = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        if (distance[i] > 0) {
            square += (double)(fine[i] - coarse[i]) * (fine[i] - coarse[i]);
            count += 1;
        }
    /* 0.012 of cube-root light: below that it is camera noise, and stays as faint as it is. */
    float spread = (float)fmax(sqrt(square / fmax(count, 1)), 0.012);
    for (size_t i = 0; i < n; i++)
        if (distance[i] > 0)
            detail[i] += gain * tanhf((fine[i] - coarse[i]) / spread * 0.8f);
}

static void detail_bound(struct relief_body *body, const float *distance, double detail_mm)
{
    size_t n = (size_t)body->grid.nx * body->grid.nz;
    float fade = (float)fmax(1.2, 1.5 * detail_mm);
    for (size_t i = 0; i < n; i++) {
        float t = fminf(1, fmaxf(0, distance[i] / fade));
        float most = 0.25f * sqrtf(fmaxf(0, body->half[i]));
        float wanted = (float)detail_mm * body->detail[i] * t * t * (3 - 2 * t);
        body->detail[i] = most > 0 ? most * tanhf(wanted / most) : 0;
    }
}

int relief_detail(struct relief_body *body, float *luma, const float *distance, double detail_mm,
                  struct err *err)
{
    const struct relief_grid *grid = &body->grid;
    size_t n = (size_t)grid->nx * grid->nz;
    double tall = grid->nz * grid->step_mm;
    const double sigma[4] = {0, tall / 130, tall / 45, tall / 14};
    const float gain[3] = {0.25f, 0.4f, 0.35f};
    float *room = malloc(4 * n * sizeof *room);
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory for the relief");
    float *fine = room, *coarse = room + n, *weight = room + 2 * n, *scratch = room + 3 * n;
    for (size_t i = 0; i < n; i++)
        fine[i] = luma[i] = cbrtf(luma[i]); /* near to how light is seen */
    memset(body->detail, 0, n * sizeof *body->detail);
    for (int band = 0; band < 3; band++) {
        memcpy(coarse, luma, n * sizeof *coarse);
        blur_inside(coarse, weight, scratch, distance, grid, sigma[band + 1]);
        band_add(body->detail, fine, coarse, distance, n, gain[band]);
        memcpy(fine, coarse, n * sizeof *fine);
    }
    /* Steps sharper than a grid step would come out as stairs. */
    relief_blur(body->detail, scratch, grid, grid->step_mm);
    free(room);
    detail_bound(body, distance, detail_mm);
    return 0;
}
