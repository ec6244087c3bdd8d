/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory of a skin and the colour at one of its points; see skin.h. */
#include "print/colour/skin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void skin_free(struct skin *skin)
{
    if (!skin)
        return;
    for (size_t i = 0; i < skin->picture_count; i++)
        picture_free(&skin->pictures[i]);
    free(skin->uv);
    free(skin->rgb);
    free(skin->corner_rgb);
    free(skin->material);
    free(skin->materials);
    free(skin->pictures);
    free(skin->parts);
    *skin = (struct skin){0};
}

bool skin_has_colour(const struct skin *skin)
{
    if (skin->rgb || skin->corner_rgb)
        return true;
    for (size_t i = 0; i < skin->material_count; i++) {
        const struct skin_material *m = &skin->materials[i];
        if (m->picture >= 0 || m->factor[0] != m->factor[1] || m->factor[1] != m->factor[2] ||
            m->factor[0] != skin->materials[0].factor[0])
            return true;
    }
    return false;
}

/* IEC 61966-2-1. A table: pow costs 40 ns and a texel needs it three times. Two threads that fill
 * it at once write the same numbers. */
float skin_to_light(uint8_t srgb)
{
    static _Atomic float table[256];
    float known = table[srgb];
    if (known > 0 || srgb == 0)
        return known;
    double s = srgb / 255.0;
    float light = (float)(s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4));
    table[srgb] = light;
    return light;
}

uint8_t skin_from_light(float light)
{
    if (!(light > 0))
        return 0;
    if (light >= 1)
        return 255;
    double s = light <= 0.0031308f ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
    return (uint8_t)(255 * s + 0.5);
}

static uint32_t wrapped(int64_t at, uint32_t size, enum skin_wrap wrap)
{
    int64_t n = size;
    if (wrap == SKIN_CLAMP)
        return (uint32_t)(at < 0 ? 0 : at >= n ? n - 1 : at);
    if (wrap == SKIN_REPEAT)
        return (uint32_t)((at % n + n) % n);
    at = (at % (2 * n) + 2 * n) % (2 * n);
    return (uint32_t)(at < n ? at : 2 * n - 1 - at);
}

/* Texel centres lie at halves. Wild or missing coordinates show the first texel. */
static void texture_light(float light[3], const struct skin *skin, const struct skin_material *m,
                          const double uv[2])
{
    const struct picture *picture = &skin->pictures[m->picture];
    double u = m->place[0] * uv[0] + m->place[1] * uv[1] + m->place[2];
    double v = m->place[3] * uv[0] + m->place[4] * uv[1] + m->place[5];
    double x = fabs(u) < 1e9 ? u * picture->width - 0.5 : 0;
    double y = fabs(v) < 1e9 ? v * picture->height - 0.5 : 0;
    int64_t left = (int64_t)floor(x), top = (int64_t)floor(y);
    float across = (float)(x - (double)left), down = (float)(y - (double)top);
    float sum[3] = {0};
    for (int i = 0; i < 4; i++) {
        float share = (i & 1 ? across : 1 - across) * (i & 2 ? down : 1 - down);
        const uint8_t *texel =
            picture->rgba +
            4 * ((size_t)wrapped(top + (i >> 1), picture->height, m->wrap[1]) * picture->width +
                 wrapped(left + (i & 1), picture->width, m->wrap[0]));
        for (int k = 0; k < 3; k++)
            sum[k] += share * skin_to_light(texel[k]);
    }
    for (int k = 0; k < 3; k++)
        light[k] *= sum[k];
}

static void vertex_light(float light[3], const struct skin *skin, const uint32_t *corners,
                         size_t triangle, const double b[3])
{
    for (int k = 0; k < 3; k++) {
        double sum = 0;
        for (size_t c = 0; c < 3; c++) {
            const uint8_t *rgb =
                skin->corner_rgb ? skin->corner_rgb[3 * triangle + c] : skin->rgb[corners[c]];
            sum += b[c] * skin_to_light(rgb[k]);
        }
        light[k] *= (float)sum;
    }
}

void skin_light(float light[3], const struct skin *skin, const struct mesh *mesh, size_t triangle,
                const double b[3])
{
    const uint32_t *corners = mesh->triangles + 3 * triangle;
    size_t number = skin->material ? skin->material[triangle] : 0;
    light[0] = light[1] = light[2] = 1;
    if (skin->rgb || skin->corner_rgb)
        vertex_light(light, skin, corners, triangle, b);
    if (number >= skin->material_count)
        return;
    const struct skin_material *m = &skin->materials[number];
    for (int k = 0; k < 3; k++)
        light[k] *= m->factor[k];
    if (m->picture < 0 || !skin->uv)
        return;
    double uv[2] = {0};
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 2; k++)
            uv[k] += b[c] * (double)skin->uv[2 * (size_t)corners[c] + (size_t)k];
    texture_light(light, skin, m, uv);
}

void skin_colour(uint8_t rgb[3], const struct skin *skin, const struct mesh *mesh, size_t triangle,
                 const double barycentric[3])
{
    float light[3];
    skin_light(light, skin, mesh, triangle, barycentric);
    for (int k = 0; k < 3; k++)
        rgb[k] = skin_from_light(light[k]);
}
