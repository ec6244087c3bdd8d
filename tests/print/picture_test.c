/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/render beyond the single picture: rulers, colours, heat maps, turns, thumbnails. */
#include <omp.h>
#include <stdlib.h>

#include "print/render/draw.h"
#include "print/render/heat.h"
#include "tests/print/meshes.h"
#include "tests/test.h"

static struct err err;

static const uint8_t *pixel(const struct picture *p, uint32_t x, uint32_t y)
{
    return p->rgba + 4 * ((size_t)y * p->width + x);
}

static struct render_options options_of(enum view view, uint32_t width, uint32_t height)
{
    struct render_options o = RENDER_OPTIONS_DEFAULT;
    o.width = width;
    o.height = height;
    o.view = view;
    return o;
}

/* The box (left, top, right, bottom) of pixels that differ by more than a little. */
static size_t difference(uint32_t at[4], const struct picture *a, const struct picture *b)
{
    size_t count = 0;
    at[0] = at[1] = UINT32_MAX;
    at[2] = at[3] = 0;
    for (uint32_t y = 0; y < a->height; y++)
        for (uint32_t x = 0; x < a->width; x++) {
            if (abs(pixel(a, x, y)[0] - pixel(b, x, y)[0]) < 12)
                continue;
            count++;
            at[0] = x < at[0] ? x : at[0];
            at[1] = y < at[1] ? y : at[1];
            at[2] = x > at[2] ? x : at[2];
            at[3] = y > at[3] ? y : at[3];
        }
    return count;
}

static struct picture blank(uint32_t width, uint32_t height)
{
    struct picture p = {malloc((size_t)width * height * 4), width, height};
    if (!p.rgba)
        abort();
    memset(p.rgba, 255, (size_t)width * height * 4);
    return p;
}

/* Dark pixels in a column of the text's height. */
static int ink_in(const struct picture *p, uint32_t left, uint32_t right)
{
    int dark = 0;
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = left; x < right; x++)
            dark += pixel(p, x, y)[0] < 128;
    return dark;
}

static void test_draw__writes_what_can_be_told_apart(void)
{
    static const uint8_t black[3] = {0};
    struct picture one = blank(60, 40), eight = blank(60, 40), blanks = blank(60, 40);
    draw_text(&one, 10, 30, 20, "1", black);
    draw_text(&eight, 10, 30, 20, "8", black);
    draw_text(&blanks, 10, 30, 20, "  ", black);
    CHECK(ink_in(&one, 0, 60) > 30);
    CHECK(ink_in(&eight, 0, 60) > 1.5 * ink_in(&one, 0, 60));
    CHECK(ink_in(&blanks, 0, 60) == 0);
    CHECK(ink_in(&one, 0, 8) == 0); /* nothing left of where it begins */
    CHECK_NEAR(draw_text_width(12, "00"), 2 * draw_text_width(12, "0") + 4, 1e-9);
    /* A character beyond ASCII is one box, whatever its bytes. */
    CHECK_NEAR(draw_text_width(12, "\xc3\xa4"), draw_text_width(12, "\x01"), 1e-9);
    draw_text(&one, -30, 500, 20, "outside", black); /* cut off, not written */
    draw_line(&one, -1e6, -1e6, 1e6, 1e6, 3, black);
    CHECK(pixel(&one, 20, 20)[0] < 40);
    picture_free(&one);
    picture_free(&eight);
    picture_free(&blanks);
}

/* The ruler changes the ground and the left side, not the figure. */
static void test_ruler__stands_beside_the_figure(void)
{
    struct mesh m = {0};
    struct picture without, with;
    uint32_t at[4];
    struct render_options o = options_of(VIEW_FRONT, 300, 300);
    add_box(&m, -15, -15, 0, 30, 30, 100);
    CHECK_OK(mesh_render(&without, &m, &o, &err));
    o.ruler = true;
    CHECK_OK(mesh_render(&with, &m, &o, &err));
    CHECK(difference(at, &without, &with) > 200);
    picture_free(&with);
    /* From below there is no ground to draw on. */
    o = options_of(VIEW_BOTTOM, 300, 300);
    picture_free(&without);
    CHECK_OK(mesh_render(&without, &m, &o, &err));
    o.ruler = true;
    CHECK_OK(mesh_render(&with, &m, &o, &err));
    CHECK(difference(at, &without, &with) == 0);
    picture_free(&without);
    picture_free(&with);
    mesh_free(&m);
}

static void test_render__paints_triangles_in_their_own_colours(void)
{
    struct mesh m = {0};
    struct picture p;
    uint8_t rgb[24 * 3] = {0};
    struct render_options o = options_of(VIEW_FRONT, 200, 100);
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 20, 0, 0, 10, 10, 10);
    for (int t = 0; t < 24; t++)
        rgb[3 * t + (t < 12 ? 0 : 2)] = 220; /* the left one red, the right one blue */
    o.triangle_rgb = rgb;
    CHECK_OK(mesh_render(&p, &m, &o, &err));
    const uint8_t *left = pixel(&p, 60, 50), *right = pixel(&p, 140, 50);
    CHECK(left[0] > left[2] + 80 && right[2] > right[0] + 80);
    picture_free(&p);
    mesh_free(&m);
}

static void test_heat__mixes_colours_between_its_stops(void)
{
    struct heat_scale scale = {
        "x", {0, 1, 2, 3, 4}, {{0, 0, 0}, {100, 0, 0}, {200, 0, 0}, {200, 100, 0}, {200, 200, 0}}};
    const float values[] = {-5, 0.5f, 2, 3.5f, 99, NAN, INFINITY};
    uint8_t rgb[21];
    heat_colours(rgb, values, 7, &scale);
    CHECK(rgb[0] == 0 && rgb[3] == 50 && rgb[6] == 200 && rgb[7] == 0);
    CHECK(rgb[10] == 150 && rgb[13] == 200 && rgb[16] == 200 && rgb[19] == 200);
}

/* A thin blade on a block: red there, grey on the block, and the legend keeps to its place. */
static void test_heat__shows_where_it_is_thin(void)
{
    struct mesh m = {0};
    struct heat_scale scale;
    struct heat_inputs inputs = {.wall_mm = 0.8};
    struct picture p;
    float values[24];
    struct render_options o = options_of(VIEW_FRONT, 400, 300);
    add_box(&m, -20, -20, 0, 40, 40, 40);
    add_box(&m, -20, -10, 40, 40, 0.3f, 40);
    CHECK(heat_from_name("thin") == HEAT_THIN && heat_from_name("heat") == -1);
    CHECK_OK(heat_measure(values, &scale, HEAT_THIN, &m, &inputs, &err));
    CHECK_OK(mesh_render_heat(&p, &m, values, &scale, &o, &err));
    uint32_t middle = 0, x = 0;
    while (x < 400 && abs(pixel(&p, x, 230)[0] - pixel(&p, 0, 230)[0]) < 25)
        x++; /* the block's left side */
    middle = x + 60;
    const uint8_t *blade = pixel(&p, middle, 90), *block = pixel(&p, middle, 230);
    CHECK(blade[0] > blade[1] + 60);
    CHECK(abs(block[0] - block[2]) < 40);
    int dark = 0;
    for (uint32_t y = 0; y < 300; y++)
        for (uint32_t i = 330; i < 400; i++)
            dark += pixel(&p, i, y)[0] > pixel(&p, i, y)[2] + 60; /* the bar's red half */
    CHECK(dark > 300);
    picture_free(&p);
    mesh_free(&m);
}

static void test_heat__overhangs_and_change_have_values_of_their_own(void)
{
    struct mesh m = {0}, before = {0};
    struct heat_scale scale;
    struct heat_inputs inputs = {.visible = &before};
    float values[24];
    int ceilings = 0, moved = 0;
    add_box(&m, 0, 0, 0, 10, 10, 10);
    add_box(&m, 10, 0, 5, 10, 10, 5);
    add_box(&before, 0, 0, 0, 10, 10, 10);
    add_box(&before, 10, 0, 4.5f, 10, 10, 5.5f);
    CHECK_OK(heat_measure(values, &scale, HEAT_OVERHANG, &m, &inputs, &err));
    for (int t = 0; t < 24; t++)
        ceilings += values[t] > 89;
    CHECK(ceilings == 2); /* the arm's underside; the block's stands on the bed */
    CHECK_OK(heat_measure(values, &scale, HEAT_DEVIATION, &m, &inputs, &err));
    for (int t = 0; t < 12; t++)
        CHECK(values[t] == 0);
    for (int t = 12; t < 24; t++)
        moved += fabs((double)values[t] - 0.5) < 1e-5;
    CHECK(moved >= 2);
    mesh_free(&m);
    mesh_free(&before);
}

/* The first frame is the picture itself, half way round is its back, and the feet stay in place. */
static void test_turntable__goes_round_without_jumping(void)
{
    struct mesh m = {0};
    struct picture frames[8];
    uint32_t lowest[8];
    struct render_options o = options_of(VIEW_FRONT, 120, 100);
    add_box(&m, -30, -4, 0, 60, 8, 40);
    add_box(&m, 20, -4, 40, 8, 8, 20);
    o.transparent = true;
    CHECK_OK(mesh_render_turntable(frames, 8, &m, &o, &err));
    for (int i = 0; i < 8; i++) {
        lowest[i] = 0;
        for (uint32_t y = 0; y < 100; y++)
            for (uint32_t x = 58; x < 62; x++)
                if (pixel(&frames[i], x, y)[3] == 255)
                    lowest[i] = y;
        CHECK(lowest[i] > 50);
    }
    CHECK(abs((int)lowest[0] - (int)lowest[4]) <= 1);
    /* The post is right of the middle in front and left of it from behind. */
    CHECK(pixel(&frames[0], 85, 22)[3] == 255 && pixel(&frames[0], 34, 22)[3] < 128);
    CHECK(pixel(&frames[4], 34, 22)[3] == 255 && pixel(&frames[4], 85, 22)[3] < 128);
    for (int i = 0; i < 8; i++)
        picture_free(&frames[i]);
    mesh_free(&m);
}

static void test_thumbnail__fills_a_small_picture_and_is_clear_around(void)
{
    static const uint32_t sizes[][2] = {{16, 16}, {32, 32}, {96, 96}, {220, 124}, {400, 300}};
    struct mesh m = {0};
    add_ball(&m, 0, 0, 0, 20, 24);
    for (int i = 0; i < 5; i++) {
        struct picture p;
        struct render_options o = options_of(VIEW_ISO, sizes[i][0], sizes[i][1]);
        o.transparent = true;
        CHECK_OK(mesh_render_thumbnail(&p, &m, &o, &err));
        uint32_t w = sizes[i][0], h = sizes[i][1], top = h;
        CHECK(p.width == w && p.height == h);
        CHECK(pixel(&p, w / 2, h / 2)[3] == 255 && pixel(&p, 0, 0)[3] == 0);
        for (uint32_t y = h; y-- > 0;)
            top = pixel(&p, w / 2, y)[3] > 200 ? y : top;
        CHECK(top <= 1 + h * 5 / 100);
        picture_free(&p);
    }
    struct picture none = {0};
    struct render_options o = options_of(VIEW_ISO, 4, 16);
    CHECK_FAILS(mesh_render_thumbnail(&none, &m, &o, &err), ERR_LIMIT);
    mesh_free(&m);
}

/* Coarse, and so fine that most triangles are smaller than a pixel: both ways of lighting. */
static void test_thumbnail__same_bytes_with_one_processor_or_three(void)
{
    static const int rings[] = {12, 200};
    int before = omp_get_max_threads();
    for (int i = 0; i < 2; i++) {
        struct mesh m = {0};
        struct picture one = {0}, three = {0};
        struct render_options o = options_of(VIEW_ISO, 100, 80);
        add_ball(&m, 0, 0, 0, 20, rings[i]);
        omp_set_num_threads(1);
        CHECK_OK(mesh_render_thumbnail(&one, &m, &o, &err));
        omp_set_num_threads(3);
        CHECK_OK(mesh_render_thumbnail(&three, &m, &o, &err));
        omp_set_num_threads(before);
        CHECK(!memcmp(one.rgba, three.rgba, 100 * 80 * 4));
        picture_free(&one);
        picture_free(&three);
        mesh_free(&m);
    }
}

/* What is lit flat for being small looks like the same ball of a few smooth triangles. */
static void test_thumbnail__of_fine_triangles_looks_like_one_of_coarse_ones(void)
{
    struct mesh coarse = {0}, fine = {0};
    struct picture a, b;
    struct render_options o = options_of(VIEW_ISO, 100, 100);
    add_ball(&coarse, 0, 0, 0, 20, 40);
    add_ball(&fine, 0, 0, 0, 20, 400);
    CHECK_OK(mesh_render_thumbnail(&a, &coarse, &o, &err));
    CHECK_OK(mesh_render_thumbnail(&b, &fine, &o, &err));
    int apart = 0;
    for (uint32_t y = 0; y < 100; y++)
        for (uint32_t x = 0; x < 100; x++)
            for (int c = 0; c < 3; c++)
                apart += abs(pixel(&a, x, y)[c] - pixel(&b, x, y)[c]);
    CHECK(apart < 2 * 100 * 100 * 3);
    picture_free(&a);
    picture_free(&b);
    mesh_free(&coarse);
    mesh_free(&fine);
}

TESTS(TEST(test_draw__writes_what_can_be_told_apart), TEST(test_ruler__stands_beside_the_figure),
      TEST(test_render__paints_triangles_in_their_own_colours),
      TEST(test_heat__mixes_colours_between_its_stops), TEST(test_heat__shows_where_it_is_thin),
      TEST(test_heat__overhangs_and_change_have_values_of_their_own),
      TEST(test_turntable__goes_round_without_jumping),
      TEST(test_thumbnail__fills_a_small_picture_and_is_clear_around),
      TEST(test_thumbnail__same_bytes_with_one_processor_or_three),
      TEST(test_thumbnail__of_fine_triangles_looks_like_one_of_coarse_ones))
