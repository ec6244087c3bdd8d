/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large it is: a grid of centimetres on the ground, an upright scale, and the size in words. */
#include <math.h>
#include <stdio.h>

#include "print/render/draw.h"
#include "print/render/scene.h"

#define LINE_MM 0.30f
static const uint8_t ink[3] = {84, 90, 98};

/* 10 mm, or 50 or 100 where those would be closer together than eight pixels. */
static double grid_step(const struct scene *scene)
{
    const struct camera *c = &scene->camera;
    double pixels = c->scale / c->distance / scene->grain;
    double step = 10;
    while (step * pixels < 8 && step < 1e6)
        step *= step == 10 || step == 100 || step == 1000 ? 5 : 2;
    return step;
}

/* The share of a pixel's footprint that lines `step` apart cover, each fifth one wider. */
static float line_cover(double at, double footprint, double step)
{
    double nearest = round(at / step), off = fabs(at - nearest * step);
    double half = (fmod(nearest, 5) == 0 ? 2.2 : 1) * LINE_MM * (step / 10) / 2;
    double cover = 0.5 + (half - off) / fmax(footprint, 1e-9);
    return (float)fmin(fmax(cover, 0), fmin(1, 2 * half / fmax(footprint, 1e-9)));
}

/* 1 below the figure to 0 at some distance from its box. */
static double fade(const struct camera *c, const double at[2])
{
    double square = 0, reach = 0.7 * c->radius;
    for (int k = 0; k < 2; k++) {
        double out = fmax(fmax(c->low[k] - at[k], at[k] - c->high[k]), 0);
        square += out * out;
    }
    return fmax(1 - sqrt(square) / reach, 0);
}

float ruler_grid(const struct scene *scene, uint32_t x, uint32_t y)
{
    const struct camera *c = &scene->camera;
    double at[2], right[2], down[2], grain = scene->grain;
    double px = (x + 0.5) * grain, py = (y + 0.5) * grain, step = grid_step(scene);
    if (!camera_ground(at, c, px, py) || !camera_ground(right, c, px + grain, py) ||
        !camera_ground(down, c, px, py + grain))
        return 0;
    float cover = 0;
    for (int k = 0; k < 2; k++) {
        double footprint = fabs(right[k] - at[k]) + fabs(down[k] - at[k]);
        cover = fmaxf(cover, line_cover(at[k], footprint, step));
    }
    return 0.42f * cover * (float)fade(c, at);
}

static void pixel_of(double out[2], const struct scene *scene, double z)
{
    double point[3];
    camera_ruler(point, &scene->camera, z);
    camera_place(out, &scene->camera, point);
    out[0] /= scene->grain;
    out[1] /= scene->grain;
}

static const char *format_mm(char out[24], double mm)
{
    snprintf(out, 24, mm < 10 ? "%.1f" : "%.0f", mm);
    return out;
}

static void draw_scale(struct picture *picture, const struct scene *scene, double cap)
{
    const struct camera *c = &scene->camera;
    double top[2], foot[2], tick[2], tall = c->high[2] - c->low[2], step = grid_step(scene);
    double width = fmax(cap * 0.13, 1.1);
    char text[32], number[24];
    pixel_of(foot, scene, c->low[2]);
    pixel_of(top, scene, c->high[2]);
    draw_line(picture, foot[0], foot[1], top[0], top[1], width, ink);
    draw_line(picture, top[0] - cap * 0.5, top[1], top[0] + cap * 0.5, top[1], width, ink);
    for (int i = 0; i * step < tall && i < 1000; i++) {
        pixel_of(tick, scene, c->low[2] + i * step);
        double length = i % 5 == 0 ? 0.9 : 0.45;
        draw_line(picture, tick[0], tick[1], tick[0] + cap * length, tick[1], width, ink);
    }
    snprintf(text, sizeof text, "%s mm", format_mm(number, tall));
    double at = fmax(top[0] - draw_text_width(cap, text) / 2, cap / 2);
    draw_text(picture, at, top[1] - 0.7 * cap, cap, text, ink);
}

void ruler_draw(struct picture *picture, const struct scene *scene)
{
    const struct camera *c = &scene->camera;
    double cap = fmin(fmax(scene->height / 52.0, 7), 30);
    char text[128], w[24], d[24], h[24];
    draw_scale(picture, scene, cap);
    snprintf(text, sizeof text, "%s x %s x %s mm, grid %.0f mm",
             format_mm(w, c->high[0] - c->low[0]), format_mm(d, c->high[1] - c->low[1]),
             format_mm(h, c->high[2] - c->low[2]), grid_step(scene));
    draw_text(picture, cap, scene->height - cap, cap, text, ink);
}
