/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/shape/palette: a few colours for many. */
#include "tests/test.h"

#include <stdbool.h>

#include "print/shape/palette.h"
#include "tests/print/meshes.h"

static struct err err;

/* A ball, red below and white above, with noise of a few steps in each channel. */
static uint8_t (*two_halves(struct mesh *m))[3]
{
    add_ball(m, 0, 0, 0, 10, 40);
    uint8_t(*rgb)[3] = malloc(m->triangle_count * sizeof *rgb);
    if (!rgb)
        abort();
    for (size_t t = 0; t < m->triangle_count; t++) {
        bool low = m->xyz[3 * m->triangles[3 * t] + 2] < 0;
        uint8_t noise = (uint8_t)((uint32_t)t * 2654435761u >> 29);
        rgb[t][0] = (uint8_t)(low ? 200 + noise : 240 + noise);
        rgb[t][1] = rgb[t][2] = (uint8_t)(low ? 20 + noise : 240 + noise);
    }
    return rgb;
}

static void test_palette__finds_the_two_colours(void)
{
    struct mesh m = {0};
    uint8_t(*rgb)[3] = two_halves(&m);
    uint8_t *index = malloc(m.triangle_count);
    struct palette_options options = PALETTE_OPTIONS_DEFAULT;
    struct palette palette;
    options.count = 2;
    CHECK_OK(mesh_palette(index, &palette, &m, (const uint8_t(*)[3])rgb, &options, &err));
    CHECK(palette.count == 2 && palette.error_mean < 4);
    for (size_t t = 0; t < m.triangle_count; t++) {
        const uint8_t *got = palette.rgb[index[t]];
        CHECK(abs(got[0] - rgb[t][0]) < 12 && abs(got[1] - rgb[t][1]) < 12);
    }
    CHECK_NEAR(palette.share[0] + palette.share[1], 1, 1e-9);
    CHECK(palette.share[0] >= palette.share[1]);
    free(index);
    free(rgb);
    mesh_free(&m);
}

/* One triangle in fifty is green: a speck each, which a printer would pay for with a purge. A row
 * of green ones is no speck. */
static void test_palette__drops_specks_and_keeps_lines(void)
{
    struct mesh m = {0};
    uint8_t(*rgb)[3] = two_halves(&m);
    uint8_t *index = malloc(m.triangle_count);
    const uint8_t filaments[3][3] = {{204, 24, 24}, {244, 244, 244}, {20, 160, 40}};
    struct palette_options options = {.count = 3, .filaments = filaments, .smooth = 0};
    struct palette palette;
    for (size_t t = 0; t < m.triangle_count; t++)
        if (t % 50 == 25 || (t > 3300 && t < 3440))
            memcpy(rgb[t], filaments[2], 3);
    CHECK_OK(mesh_palette(index, &palette, &m, (const uint8_t(*)[3])rgb, &options, &err));
    size_t raw = 0, left = 0, line = 0;
    for (size_t t = 0; t < m.triangle_count; t++)
        raw += index[t] == 2 && t % 50 == 25 && (t <= 3300 || t >= 3440);
    options.smooth = 4;
    CHECK_OK(mesh_palette(index, &palette, &m, (const uint8_t(*)[3])rgb, &options, &err));
    for (size_t t = 0; t < m.triangle_count; t++)
        if (index[t] == 2) {
            bool in_line = t > 3300 && t < 3440;
            left += !in_line;
            line += in_line;
        }
    CHECK(raw > 100 && left < raw / 10);
    CHECK(line > 100);
    CHECK(memcmp(palette.rgb[2], filaments[2], 3) == 0 && palette.count == 3);
    free(index);
    free(rgb);
    mesh_free(&m);
}

static void test_palette__refuses_numbers_that_make_none(void)
{
    struct mesh m = {0};
    struct palette palette;
    struct palette_options none = {.count = 0}, many = {.count = 17};
    uint8_t index, rgb[1][3] = {{0}};
    CHECK_FAILS(mesh_palette(&index, &palette, &m, (const uint8_t(*)[3])rgb, &none, &err),
                ERR_INPUT);
    CHECK_FAILS(mesh_palette(&index, &palette, &m, (const uint8_t(*)[3])rgb, &many, &err),
                ERR_INPUT);
}

TESTS(TEST(test_palette__finds_the_two_colours), TEST(test_palette__drops_specks_and_keeps_lines),
      TEST(test_palette__refuses_numbers_that_make_none))
