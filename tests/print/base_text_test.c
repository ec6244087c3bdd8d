/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/shape: letters, bases with texts, hollows, joints. Each result must be one closed solid. */
#include "tests/test.h"

#include "base/bytes.h"
#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/shape/base.h"
#include "print/shape/hollow.h"
#include "print/shape/joint.h"
#include "print/shape/text.h"
#include "tests/print/meshes.h"

#define FONT "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"

static struct err err;

static int is_solid(const struct mesh *mesh)
{
    struct mesh_measures m;
    struct bvh bvh;
    size_t crossing = 1;
    if (mesh_measure(&m, mesh, &err) || bvh_build(&bvh, mesh, &err))
        return 0;
    if (bvh_self_intersections(&bvh, &crossing, (size_t)1 << 40, &err))
        crossing = 1;
    bvh_free(&bvh);
    return m.watertight && m.nonmanifold_vertices == 0 && crossing == 0;
}

/* A ball: it touches its base in a point, so that without sinking in it would not hold. */
static void add_figure(struct mesh *m)
{
    add_ball(m, 0, 0, 20, 12, 24);
}

static int font_there(struct bytes *font)
{
    font->limit = 16 << 20;
    return bytes_read_file(font, FONT, &err) == 0;
}

/* I is a plain stroke: as wide as its ink, three times as high as wide or more. */
static void test_glyphs__measures_a_stroke(void)
{
    struct bytes font = {0};
    struct glyph_line line;
    if (!font_there(&font))
        SKIP("no DejaVu font here");
    CHECK_OK(glyph_line_make(&line, "I", font.data, font.len, &err));
    CHECK(line.contour_count == 1 && line.glyph_count == 1 && line.contours[0].count == 4);
    CHECK_NEAR(line.stroke, line.width, 1e-9);
    CHECK(line.high - line.low > 3 * line.width);
    glyph_line_free(&line);
    CHECK_OK(glyph_line_make(&line, "O\xc3\xa4", font.data, font.len, &err)); /* o, a umlaut */
    CHECK(line.glyph_count == 2 && line.contour_count == 2 + 4);
    CHECK(line.stroke > 0.08 && line.stroke < 0.25);
    glyph_line_free(&line);
    bytes_free(&font);
}

static void test_glyphs__names_what_the_font_has_not(void)
{
    struct bytes font = {0};
    struct glyph_line line;
    if (!font_there(&font))
        SKIP("no DejaVu font here");
    CHECK_FAILS(glyph_line_make(&line, "ab\xe7\x8c\xab", font.data, font.len, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "text_missing_glyph");
    CHECK(strstr(err.what, "\xe7\x8c\xab"));
    CHECK_FAILS(glyph_line_make(&line, "a\nb", font.data, font.len, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "text_invalid");
    CHECK_FAILS(glyph_line_make(&line, "\xff", font.data, font.len, &err), ERR_INPUT);
    CHECK_FAILS(glyph_line_make(&line, "  ", font.data, font.len, &err), ERR_INPUT);
    CHECK_FAILS(glyph_line_make(&line, "a", font.data, 100, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "font_damaged");
    bytes_free(&font);
}

/* The hole of an O stays open: its volume is that of its ink, by the area of its contours. */
static void test_text__keeps_the_holes_of_letters(void)
{
    struct bytes font = {0};
    struct glyph_line line;
    struct mesh m = {0};
    if (!font_there(&font))
        SKIP("no DejaVu font here");
    struct text_place place = {.along = {1, 0, 0}, .up = {0, 1, 0}, .out = {0, 0, 1}};
    struct text_size size = {.em_mm = 10, .from_mm = 0, .to_mm = 2};
    CHECK_OK(glyph_line_make(&line, "O", font.data, font.len, &err));
    double ink = 0;
    for (size_t i = 0; i < line.contour_count; i++)
        for (size_t j = 0; j < line.contours[i].count; j++) {
            const struct contour *c = &line.contours[i];
            const double *a = c->points[j], *b = c->points[(j + 1) % c->count];
            ink += (a[0] * b[1] - a[1] * b[0]) / 2;
        }
    CHECK_OK(text_add(&m, &line, &place, &size, &err));
    CHECK(is_solid(&m));
    CHECK_NEAR(mesh_volume(&m), ink * 100 * 2, 0.01);
    mesh_free(&m);
    glyph_line_free(&line);
    bytes_free(&font);
}

static void test_base__joins_figure_and_base_in_each_shape(void)
{
    const enum base_shape shapes[] = {BASE_ROUND, BASE_SQUARE, BASE_OVAL};
    for (int i = 0; i < 3; i++) {
        struct mesh m = {0};
        struct base_result result;
        struct base_options options = BASE_OPTIONS_DEFAULT;
        struct mesh_measures measures;
        struct print_measures stand = {0};
        options.shape = shapes[i];
        add_figure(&m);
        CHECK_OK(mesh_add_base(&m, &result, &options, &err));
        CHECK(is_solid(&m));
        CHECK_OK(mesh_measure(&measures, &m, &err));
        CHECK(measures.shells == 1);
        CHECK_NEAR(measures.min_mm[2], 8 + options.sink_mm - 3, 1e-4);
        CHECK_NEAR(measures.max_mm[2], 32, 1e-4);
        CHECK_OK(mesh_measure_stand(&stand, &m, 45, &err));
        CHECK(stand.tilt_margin_deg >= options.tilt_deg - 0.5);
        mesh_free(&m);
    }
}

static void test_base__leans_out_for_a_figure_that_does(void)
{
    struct mesh m = {0};
    struct base_result result;
    struct base_options options = BASE_OPTIONS_DEFAULT;
    struct print_measures stand = {0};
    add_box(&m, 0, 0, 0, 6, 6, 40);
    add_box(&m, 3, 1, 30, 30, 4, 9); /* a long arm */
    CHECK_OK(mesh_add_base(&m, &result, &options, &err));
    CHECK(is_solid(&m));
    CHECK_OK(mesh_measure_stand(&stand, &m, 45, &err));
    CHECK(stand.tilt_margin_deg >= 11.5);
    mesh_free(&m);
}

static double volume_with(const struct bytes *font, const char *text, enum text_style style,
                          double height, struct base_result *result)
{
    struct mesh m = {0};
    struct base_options options = BASE_OPTIONS_DEFAULT;
    options.text = text;
    options.text_style = style;
    options.font = font->data;
    options.font_bytes = font->len;
    options.height_mm = height;
    options.size_mm = 60;
    add_figure(&m);
    double volume = -1;
    if (mesh_add_base(&m, result, &options, &err) == 0 && is_solid(&m))
        volume = mesh_volume(&m);
    mesh_free(&m);
    return volume;
}

static void test_base__engraves_and_embosses(void)
{
    struct bytes font = {0};
    struct base_result result;
    if (!font_there(&font))
        SKIP("no DejaVu font here");
    for (int high = 0; high < 2; high++) {
        double height = high ? 8 : 3;
        double plain = volume_with(&font, "", TEXT_ENGRAVED, height, &result);
        CHECK(plain > 0 && result.letter_mm == 0);
        double less = volume_with(&font, "ANNA", TEXT_ENGRAVED, height, &result);
        CHECK(less > 0 && result.text_on_rim == (high == 1));
        CHECK(result.stroke_mm >= 0.85 - 1e-9 && result.letter_mm > 3);
        double more = volume_with(&font, "ANNA", TEXT_EMBOSSED, height, &result);
        /* The same ink half a millimetre down and up. */
        CHECK(less < plain - 5 && more > plain + 5);
    }
    bytes_free(&font);
}

static void test_base__says_how_much_text_fits(void)
{
    struct bytes font = {0};
    struct mesh m = {0};
    struct base_result result;
    struct base_options options = BASE_OPTIONS_DEFAULT;
    if (!font_there(&font))
        SKIP("no DejaVu font here");
    options.text = "Happy birthday dear grandmother";
    options.font = font.data;
    options.font_bytes = font.len;
    options.size_mm = 50;
    add_figure(&m);
    size_t before = m.triangle_count;
    CHECK_FAILS(mesh_add_base(&m, &result, &options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "text_too_long");
    CHECK(strstr(err.what, "\"Happy") && m.triangle_count == before);
    options.text = "Happy";
    CHECK_OK(mesh_add_base(&m, &result, &options, &err));
    mesh_free(&m);
    bytes_free(&font);
}

static void test_hollow__leaves_the_wall_and_lets_out(void)
{
    struct mesh m = {0};
    struct hollow_options options = HOLLOW_OPTIONS_DEFAULT;
    struct hollow_result result;
    add_ball(&m, 0, 0, 0, 20, 40);
    CHECK_OK(mesh_hollow(&m, &result, &options, &err));
    CHECK(result.cavities == 1 && result.drains == 0 && is_solid(&m));
    CHECK(result.wall_least_mm >= 0.9 * options.wall_mm);
    CHECK_NEAR(result.volume_after_mm3 / (4.18879 * (8000 - 5832)), 1, 0.06);
    mesh_free(&m);
    options.drain_count = 2;
    add_ball(&m, 0, 0, 0, 20, 40);
    struct mesh_measures measures;
    CHECK_OK(mesh_hollow(&m, &result, &options, &err));
    CHECK_OK(mesh_measure(&measures, &m, &err));
    CHECK(result.drains == 2 && is_solid(&m) && measures.shells == 1);
    mesh_free(&m);
}

static void test_hollow__leaves_thin_things_solid(void)
{
    struct mesh m = {0};
    struct hollow_options options = HOLLOW_OPTIONS_DEFAULT;
    struct hollow_result result;
    add_box(&m, 0, 0, 0, 50, 50, 3.5f);
    CHECK(mesh_hollow(&m, &result, &options, &err) == 1);
    CHECK(m.triangle_count == 12);
    mesh_free(&m);
    options.wall_mm = 0;
    CHECK_FAILS(mesh_hollow(&m, &result, &options, &err), ERR_INPUT);
}

/* A pillar on a plate: both come out whole, the peg thinner than the socket by the clearance. */
static void test_joint__fits_peg_and_socket(void)
{
    struct mesh m = {0}, upper = {0}, lower = {0};
    struct joint_options options = JOINT_OPTIONS_DEFAULT;
    struct joint_result result;
    struct base_options base = BASE_OPTIONS_DEFAULT;
    struct base_result at;
    add_box(&m, 0, 0, 0, 12, 12, 30);
    CHECK_OK(mesh_add_base(&m, &at, &base, &err));
    double low[3], high[3], whole = mesh_volume(&m);
    options.at_mm = at.top_mm;
    CHECK_OK(mesh_split_joint(&upper, &lower, &result, &m, &options, &err));
    CHECK(is_solid(&upper) && is_solid(&lower));
    CHECK(result.peg_mm > 6 && result.peg_mm <= 12 && result.depth_mm == 5);
    mesh_bounds(&upper, low, high);
    CHECK_NEAR(low[2], at.top_mm, 1e-4);
    mesh_bounds(&lower, low, high);
    CHECK_NEAR(high[2], at.top_mm + 5, 1e-4);
    /* Peg and socket are the same hole but for the clearance around it. */
    double gap = whole - mesh_volume(&upper) - mesh_volume(&lower);
    double wall = 3.14159 * result.peg_mm * options.clearance_mm * result.depth_mm;
    CHECK(gap > 0.5 * wall && gap < 3 * wall);
    mesh_free(&upper);
    mesh_free(&lower);
    options.at_mm = 100;
    CHECK(mesh_split_joint(&upper, &lower, &result, &m, &options, &err) == 1);
    mesh_free(&m);
}

TESTS(TEST(test_glyphs__measures_a_stroke), TEST(test_glyphs__names_what_the_font_has_not),
      TEST(test_text__keeps_the_holes_of_letters),
      TEST(test_base__joins_figure_and_base_in_each_shape),
      TEST(test_base__leans_out_for_a_figure_that_does), TEST(test_base__engraves_and_embosses),
      TEST(test_base__says_how_much_text_fits), TEST(test_hollow__leaves_the_wall_and_lets_out),
      TEST(test_hollow__leaves_thin_things_solid), TEST(test_joint__fits_peg_and_socket))
