/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Light and colour, in linear light: a warm key from the upper left of the eye, a cool fill from
 * the right, a sky, a rim from behind, a trace of gloss. The lamps move with the eye, so that each
 * view is lit alike.
 */
#include <math.h>
#include <string.h>

#include "print/render/scene.h"

struct lamp {
    float from[3]; /* unit, camera space */
    float rgb[3];
};

static const struct lamp key = {{-0.469f, 0.586f, 0.660f}, {0.98f, 0.95f, 0.895f}};
static const struct lamp fill = {{0.821f, 0.137f, 0.554f}, {0.15f, 0.165f, 0.19f}};
static const struct lamp rim = {{0.365f, 0.548f, -0.753f}, {0.22f, 0.225f, 0.23f}};

struct painter {
    const struct scene *scene;
    float albedo[3], back_albedo[3];
    const uint8_t *triangle_rgb; /* or NULL: all of one colour */
    float linear[256];           /* light of each sRGB value */
    bool transparent, ground;
    uint32_t id; /* the triangle that normals belong to */
    float normals[3][3];
};

static float to_linear(uint8_t value)
{
    float v = (float)value / 255;
    return v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
}

/* The top of the range is bent, so that a white plastic keeps its shape. */
static uint8_t to_srgb(float v)
{
    v = v > 0.75f ? 0.75f + 0.25f * tanhf((v - 0.75f) / 0.25f) : fmaxf(v, 0);
    v = v <= 0.0031308f ? 12.92f * v : 1.055f * powf(v, 1 / 2.4f) - 0.055f;
    return (uint8_t)lrintf(fminf(v, 1) * 255);
}

static float facing(const float *n, const struct lamp *lamp)
{
    return n[0] * lamp->from[0] + n[1] * lamp->from[1] + n[2] * lamp->from[2];
}

/* n is in camera space, sky says how far it looks up in the world. */
static void light(float rgb[3], const float *n, float sky, float open, const float *albedo)
{
    float k = fmaxf(facing(n, &key), 0), f = fmaxf(facing(n, &fill) * 0.7f + 0.3f, 0);
    float edge = 1 - fmaxf(n[2], 0);
    float r = fmaxf(facing(n, &rim) + 0.4f, 0) * edge * edge;
    /* Blinn's half vector between the key and the eye. */
    float half = (n[0] * key.from[0] + n[1] * key.from[1] + n[2] * (key.from[2] + 1)) / 1.822f;
    float gloss = 0.05f * powf(fmaxf(half, 0), 24) * open;
    float ambient = (0.15f + 0.09f * sky) * open, direct = 0.30f + 0.70f * open;
    for (int i = 0; i < 3; i++)
        rgb[i] +=
            albedo[i] * (ambient + direct * (key.rgb[i] * k + fill.rgb[i] * f) + rim.rgb[i] * r) +
            gloss;
}

static void barycentric(float out[3], const struct scene *scene, uint32_t id, float x, float y)
{
    const uint32_t *v = scene->mesh->triangles + 3 * (size_t)id;
    const struct spot *s = scene->spots;
    double px = ((double)x + 0.5) * SUBPIXEL, py = ((double)y + 0.5) * SUBPIXEL;
    double ax = s[v[0]].x, ay = s[v[0]].y;
    double bx = s[v[1]].x - ax, by = s[v[1]].y - ay, cx = s[v[2]].x - ax, cy = s[v[2]].y - ay;
    double area = bx * cy - by * cx; /* not 0: it was drawn */
    out[1] = (float)(((px - ax) * cy - (py - ay) * cx) / area);
    out[2] = (float)((bx * (py - ay) - by * (px - ax)) / area);
    out[0] = 1 - out[1] - out[2];
}

/* Backs are reddish whatever the front's colour. */
static void surface_colour(float out[3], const struct painter *p, uint32_t id, bool back)
{
    const uint8_t *own = p->triangle_rgb ? p->triangle_rgb + 3 * (size_t)id : NULL;
    for (int i = 0; i < 3; i++)
        out[i] = back ? p->back_albedo[i] : own ? p->linear[own[i]] : p->albedo[i];
}

static void paint_surface(float rgb[3], struct painter *p, uint32_t id, float x, float y,
                          float open)
{
    const struct camera *c = &p->scene->camera;
    if (p->id != id) {
        surface_corner_normals(p->normals, p->scene, id);
        p->id = id;
    }
    float share[3];
    barycentric(share, p->scene, id, x, y);
    double world[3];
    for (int k = 0; k < 3; k++)
        world[k] = (double)share[0] * p->normals[0][k] + (double)share[1] * p->normals[1][k] +
                   (double)share[2] * p->normals[2][k];
    double length = fmax(sqrt(dot3(world, world)), 1e-9);
    /* The flat triangle, not the smoothed normal, says which side is seen. */
    const uint32_t *v = p->scene->mesh->triangles + 3 * (size_t)id;
    const struct spot *a = p->scene->spots + v[0], *b = p->scene->spots + v[1],
                      *d = p->scene->spots + v[2];
    bool back = (int64_t)(b->x - a->x) * (d->y - a->y) > (int64_t)(b->y - a->y) * (d->x - a->x);
    double turn = (back ? -1 : 1) / length;
    float n[3] = {(float)(turn * dot3(world, c->right)), (float)(turn * dot3(world, c->up)),
                  (float)(turn * dot3(world, c->towards))};
    float albedo[3];
    surface_colour(albedo, p, id, back);
    light(rgb, n, (float)(turn * world[2]), open, albedo);
}

/* How dark the ground behind a pixel is: shadow and the ruler's lines. */
static float ground_behind(const struct scene *scene, uint32_t x, uint32_t y)
{
    double at[2], grain = scene->grain;
    if (!camera_ground(at, &scene->camera, (x + 0.5) * grain, (y + 0.5) * grain))
        return 0;
    float dark = 0.80f * (float)fmin(ground_shadow(scene, at[0], at[1]), 1);
    return scene->ruler ? 1 - (1 - dark) * (1 - ruler_grid(scene, x, y)) : dark;
}

/* An ordered pattern of -0.5 .. 0.5: without it the background's slow gradient shows bands. */
static float grain_of(uint32_t x, uint32_t y)
{
    static const uint8_t pattern[16] = {0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5};
    return ((float)pattern[(y & 3) * 4 + (x & 3)] - 7.5f) / 16;
}

/* 0 at the picture's border to 1 inside: a shadow cut off by the frame would draw the frame. */
static float inside(const struct scene *scene, uint32_t x, uint32_t y)
{
    float across = fminf((float)x, (float)(scene->width - 1 - x)) / (float)scene->width;
    float down = fminf((float)y, (float)(scene->height - 1 - y)) / (float)scene->height;
    return fminf(fminf(across, down) * 12, 1);
}

/* Samples of one triangle within a pixel are lit once, at their middle: a smooth surface needs no
 * more, and edges come from the counts. */
static float paint_samples(float rgb[3], struct painter *p, uint32_t x, uint32_t y)
{
    const struct scene *scene = p->scene;
    size_t grain = scene->grain, columns = scene->width * grain;
    float open = scene->occlusion[(size_t)y * scene->width + x], covered = 0;
    struct {
        uint32_t id, count;
        float x, y;
    } seen[GRAIN_MOST * GRAIN_MOST];
    size_t kinds = 0;
    for (size_t j = y * grain; j < (y + 1) * grain; j++)
        for (size_t i = x * grain; i < (x + 1) * grain; i++) {
            uint32_t id = scene->ids[j * columns + i];
            size_t k = kinds;
            if (id == NO_TRIANGLE)
                continue;
            while (k > 0 && seen[k - 1].id != id)
                k--;
            if (k == 0) {
                k = ++kinds;
                seen[k - 1].id = id;
                seen[k - 1].count = 0;
                seen[k - 1].x = seen[k - 1].y = 0;
            }
            seen[k - 1].count++;
            seen[k - 1].x += (float)i;
            seen[k - 1].y += (float)j;
            covered++;
        }
    for (size_t k = 0; k < kinds; k++) {
        float one[3] = {0}, n = (float)seen[k].count;
        paint_surface(one, p, seen[k].id, seen[k].x / n, seen[k].y / n, open);
        for (int i = 0; i < 3; i++)
            rgb[i] += n * one[i];
    }
    return covered;
}

static void paint_pixel(uint8_t *out, struct painter *p, uint32_t x, uint32_t y)
{
    const struct scene *scene = p->scene;
    float rgb[3] = {0}, samples = (float)(scene->grain * scene->grain);
    float free = (samples - paint_samples(rgb, p, x, y)) / samples, dark = 0;
    if (p->ground && free > 0)
        dark = ground_behind(scene, x, y);
    if (p->transparent) {
        dark *= inside(scene, x, y);
        float alpha = 1 - free * (1 - dark); /* the shadow is black that lets light through */
        for (int i = 0; i < 3; i++)
            out[i] = alpha > 0 ? to_srgb(rgb[i] / samples / alpha) : 0;
        out[3] = (uint8_t)lrintf(alpha * 255);
        return;
    }
    float paper = 0.90f - 0.13f * (float)y / (float)scene->height + grain_of(x, y) * 0.008f;
    for (int i = 0; i < 3; i++)
        out[i] = to_srgb(rgb[i] / samples + free * paper * (1 - dark));
    out[3] = 255;
}

void shade_picture(struct picture *out, const struct scene *scene,
                   const struct render_options *options)
{
    struct painter model = {.scene = scene,
                            .transparent = options->transparent,
                            .ground = options->view != VIEW_BOTTOM && options->view != VIEW_LOW,
                            .triangle_rgb = options->triangle_rgb,
                            .id = NO_TRIANGLE};
    for (int i = 0; i < 256; i++)
        model.linear[i] = to_linear((uint8_t)i);
    /* Backs are reddish: they mean a hole or a triangle turned inside out. */
    static const float back_tint[3] = {0.85f, 0.30f, 0.25f};
    for (int i = 0; i < 3; i++) {
        model.albedo[i] = to_linear(options->rgb[i]);
        model.back_albedo[i] = 0.5f * back_tint[i] + 0.25f * model.albedo[i] * back_tint[i];
    }
#pragma omp parallel for schedule(dynamic, 8)
    for (uint32_t y = 0; y < scene->height; y++) {
        struct painter own = model;
        for (uint32_t x = 0; x < scene->width; x++)
            paint_pixel(out->rgba + 4 * ((size_t)y * scene->width + x), &own, x, y);
    }
}
