/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ambient occlusion from the depth buffer: folds and the places under a chin turn darker, which is
 * what makes a grey figure readable. Two radii, 16 looks each, turned from pixel to pixel in a 4 x
 * 4 pattern that a 4 x 4 mean takes out again; nothing random, so the same mesh gives the same
 * bytes.
 */
#include <math.h>
#include <stdlib.h>

#include "print/render/scene.h"

#define LOOKS 16
#define PI 3.14159265358979323846f

/* A pixel's surface in camera space; depth 0 where there is none. */
struct place {
    float x, y, z, depth;
    float normal[3];
};

static void place_normal(struct place *place, const struct scene *scene, uint32_t id)
{
    float n[3];
    surface_normal(n, scene, id);
    const struct camera *c = &scene->camera;
    double world[3] = {n[0], n[1], n[2]};
    double camera[3] = {dot3(world, c->right), dot3(world, c->up), dot3(world, c->towards)};
    double length = sqrt(dot3(camera, camera));
    double sign = camera[2] < 0 ? -1 : 1;
    for (int i = 0; i < 3; i++)
        place->normal[i] = length > 0 ? (float)(sign * camera[i] / length) : i == 2;
}

/* The covered sample nearest to the pixel's middle speaks for the pixel. */
static size_t find_sample(const struct scene *scene, uint32_t x, uint32_t y)
{
    size_t grain = scene->grain, columns = scene->width * grain, best = SIZE_MAX;
    int nearest = 1000;
    for (size_t j = 0; j < grain; j++)
        for (size_t i = 0; i < grain; i++) {
            size_t at = (y * grain + j) * columns + x * grain + i;
            int dx = 2 * (int)i + 1 - (int)grain, dy = 2 * (int)j + 1 - (int)grain;
            if (scene->ids[at] != NO_TRIANGLE && dx * dx + dy * dy < nearest) {
                nearest = dx * dx + dy * dy;
                best = at;
            }
        }
    return best;
}

static struct place find_place(const struct scene *scene, uint32_t x, uint32_t y)
{
    const struct camera *c = &scene->camera;
    size_t at = find_sample(scene, x, y);
    struct place place = {.depth = 0};
    if (at == SIZE_MAX)
        return place;
    size_t columns = scene->width * scene->grain;
    place.depth = 1 / scene->depths[at];
    place.x = (float)(((double)(at % columns) + 0.5 - c->shift_x) / c->scale) * place.depth;
    place.y = (float)((c->shift_y - (double)(at / columns) - 0.5) / c->scale) * place.depth;
    place.z = (float)c->distance - place.depth;
    place_normal(&place, scene, scene->ids[at]);
    return place;
}

/* How much of the sky over p one look at q takes. */
static float hides(const struct place *p, const struct place *q, float reach)
{
    if (q->depth <= 0)
        return 0;
    float v[3] = {q->x - p->x, q->y - p->y, q->z - p->z};
    float square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
    float fade = 1 - square / (reach * reach);
    if (fade <= 0 || square <= 0)
        return 0;
    float rise = (v[0] * p->normal[0] + v[1] * p->normal[1] + v[2] * p->normal[2]) / sqrtf(square);
    return rise > 0.12f ? (rise - 0.12f) * fade : 0;
}

/* Where to look, in shares of the reach, for each place of the 4 x 4 pattern. */
struct looks {
    float x[16][LOOKS], y[16][LOOKS];
};

static void looks_fill(struct looks *looks)
{
    for (int place = 0; place < 16; place++) {
        float start = (float)((place & 3) * 4 + (place >> 2) * 5 % 16) * (2 * PI / 16);
        for (int i = 0; i < LOOKS; i++) {
            float share = ((float)i + 0.5f) / LOOKS, angle = start + 2.39996f * (float)i;
            looks->x[place][i] = share * cosf(angle);
            looks->y[place][i] = share * sinf(angle);
        }
    }
}

static float look_round(const struct scene *scene, const struct place *places,
                        const struct looks *looks, int x, int y, float reach)
{
    const struct place *p = &places[(size_t)y * scene->width + (size_t)x];
    float pixels = reach * (float)(scene->camera.scale / scene->grain) / p->depth, sum = 0;
    int place = (x & 3) + 4 * (y & 3);
    for (int i = 0; i < LOOKS; i++) {
        int qx = x + (int)lrintf(pixels * looks->x[place][i]);
        int qy = y + (int)lrintf(pixels * looks->y[place][i]);
        if (qx >= 0 && qy >= 0 && qx < (int)scene->width && qy < (int)scene->height)
            sum += hides(p, &places[(size_t)qy * scene->width + (size_t)qx], reach);
    }
    return sum / LOOKS;
}

static void look_row(float *out, const struct scene *scene, const struct place *places,
                     const struct looks *looks, int y)
{
    float radius = (float)scene->camera.radius;
    for (int x = 0; x < (int)scene->width; x++) {
        size_t at = (size_t)y * scene->width + (size_t)x;
        out[at] = 1;
        if (places[at].depth <= 0)
            continue;
        float near = look_round(scene, places, looks, x, y, 0.06f * radius);
        float far = look_round(scene, places, looks, x, y, 0.30f * radius);
        out[at] = fmaxf(0, 1 - 2.0f * near - 2.0f * far);
    }
}

/* The 4 x 4 mean, over pixels of about the same depth only. */
static void smooth_row(float *out, const float *rough, const struct scene *scene,
                       const struct place *places, int y)
{
    int w = (int)scene->width, h = (int)scene->height;
    float reach = 0.05f * (float)scene->camera.radius;
    for (int x = 0; x < w; x++) {
        size_t at = (size_t)y * (size_t)w + (size_t)x;
        float sum = rough[at], count = 1;
        for (int j = y - 2; j < y + 2 && places[at].depth > 0; j++)
            for (int i = x - 2; i < x + 2; i++) {
                if (i < 0 || j < 0 || i >= w || j >= h || (i == x && j == y))
                    continue;
                size_t other = (size_t)j * (size_t)w + (size_t)i;
                if (places[other].depth > 0 &&
                    fabsf(places[other].depth - places[at].depth) < reach) {
                    sum += rough[other];
                    count++;
                }
            }
        out[at] = sum / count;
    }
}

int occlusion_build(struct scene *scene, struct err *err)
{
    size_t pixels = (size_t)scene->width * scene->height;
    struct looks looks;
    struct place *places = malloc(pixels * sizeof *places);
    float *rough = malloc(pixels * sizeof *rough);
    scene->occlusion = malloc(pixels * sizeof *scene->occlusion);
    int failed = !places || !rough || !scene->occlusion
                     ? FAIL(err, ERR_LIMIT, "no memory to light %zu pixels", pixels)
                     : 0;
    if (!failed) {
        looks_fill(&looks);
#pragma omp parallel for
        for (size_t i = 0; i < pixels; i++)
            places[i] =
                find_place(scene, (uint32_t)(i % scene->width), (uint32_t)(i / scene->width));
#pragma omp parallel for schedule(dynamic, 8)
        for (int y = 0; y < (int)scene->height; y++)
            look_row(rough, scene, places, &looks, y);
#pragma omp parallel for schedule(dynamic, 8)
        for (int y = 0; y < (int)scene->height; y++)
            smooth_row(scene->occlusion, rough, scene, places, y);
    }
    free(places);
    free(rough);
    return failed;
}
