/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/render: the figure is where it should be, lit from above left, and always the same bytes.
 */
#include <omp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "print/render/render.h"
#include "tests/test.h"

static struct err err;

/* A 10 x 10 x 20 mm box with its triangles facing outwards. */
static float box_xyz[] = {-5, -5, 0,  5, -5, 0,  5, 5, 0,  -5, 5, 0,
                          -5, -5, 20, 5, -5, 20, 5, 5, 20, -5, 5, 20};
static uint32_t box_triangles[] = {0, 1, 5, 0, 5, 4, 0, 2, 1, 0, 3, 2, 4, 5, 6, 4, 6, 7,
                                   1, 2, 6, 1, 6, 5, 2, 3, 7, 2, 7, 6, 3, 0, 4, 3, 4, 7};
static const struct mesh box = {box_xyz, box_triangles, 8, 12};
/* The same without its front: the first two triangles. */
static const struct mesh open_box = {box_xyz, box_triangles + 6, 8, 10};

/* A flat arrow in the XZ plane, pointing to +X: tells left from right. */
static float arrow_xyz[] = {0, 0, 0, 40, 0, 10, 0, 0, 20, 0, 1, 10};
static uint32_t arrow_triangles[] = {0, 1, 2, 0, 3, 1, 1, 3, 2, 2, 3, 0};
static const struct mesh arrow = {arrow_xyz, arrow_triangles, 4, 4};

static const uint8_t *pixel(const struct picture *p, uint32_t x, uint32_t y)
{
    return p->rgba + 4 * ((size_t)y * p->width + x);
}

/* The box of fully opaque pixels in a transparent picture. */
static void find_solid(uint32_t out[4], const struct picture *p)
{
    out[0] = out[1] = UINT32_MAX;
    out[2] = out[3] = 0;
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++) {
            if (pixel(p, x, y)[3] < 255)
                continue;
            out[0] = x < out[0] ? x : out[0];
            out[1] = y < out[1] ? y : out[1];
            out[2] = x > out[2] ? x : out[2];
            out[3] = y > out[3] ? y : out[3];
        }
}

/* Opaque pixels in one column. */
static uint32_t column_height(const struct picture *p, uint32_t x)
{
    uint32_t n = 0;
    for (uint32_t y = 0; y < p->height; y++)
        n += pixel(p, x, y)[3] == 255;
    return n;
}

static struct render_options options_of(enum view view, bool transparent)
{
    struct render_options o = RENDER_OPTIONS_DEFAULT;
    o.width = o.height = 200;
    o.view = view;
    o.transparent = transparent;
    return o;
}

/* The first test: a fork after threads were started would wait for them for ever. */
static void test_render__draws_in_a_confined_child(void)
{
    int status = 0;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct render_options o = options_of(VIEW_ISO, false);
        struct picture p = {0};
        omp_set_num_threads(2);
        _exit(child_confine("/tmp", &err) || mesh_render(&p, &box, &o, &err) || !p.rgba);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_render__fits_the_figure_into_the_picture_with_its_margin(void)
{
    struct render_options o = options_of(VIEW_FRONT, true);
    struct picture p = {0};
    uint32_t at[4];
    o.width = 300;
    CHECK_OK(mesh_render(&p, &box, &o, &err));
    find_solid(at, &p);
    CHECK_NEAR(at[1], 16, 2); /* 8 % of 200, above and below */
    CHECK_NEAR(at[3], 183, 2);
    CHECK_NEAR(at[0] + at[2], 299, 2);
    /* Twice as high as wide, seen from nearly the front. */
    CHECK_NEAR((at[3] - at[1]) / (double)(at[2] - at[0]), 2.0, 0.2);
    picture_free(&p);
}

static void test_render__views_look_from_where_they_say(void)
{
    static const struct {
        enum view view;
        int points; /* 1 the arrow points right, -1 left, 0 it is seen from its end */
    } cases[] = {{VIEW_FRONT, 1}, {VIEW_BACK, -1}, {VIEW_LEFT, 0}, {VIEW_RIGHT, 0}, {VIEW_ISO, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct render_options o = options_of(cases[i].view, true);
        struct picture p = {0};
        uint32_t at[4];
        CHECK_OK(mesh_render(&p, &arrow, &o, &err));
        find_solid(at, &p);
        uint32_t width = at[2] - at[0], height = at[3] - at[1];
        double left = column_height(&p, at[0] + width / 10);
        double right = column_height(&p, at[2] - width / 10);
        if (cases[i].points == 0)
            CHECK(width < height / 4);
        if (cases[i].points == 1)
            CHECK(left > 3 * right);
        if (cases[i].points == -1)
            CHECK(right > 3 * left);
        picture_free(&p);
    }
}

static void test_render__turn_goes_round_the_figure(void)
{
    struct render_options o = options_of(VIEW_FRONT, false);
    struct picture turned = {0}, back = {0};
    o.turn_deg = 180;
    CHECK_OK(mesh_render(&turned, &arrow, &o, &err));
    o = options_of(VIEW_BACK, false);
    CHECK_OK(mesh_render(&back, &arrow, &o, &err));
    CHECK(!memcmp(turned.rgba, back.rgba, 200 * 200 * 4));
    picture_free(&turned);
    picture_free(&back);
}

static void test_render__lights_the_top_and_shades_the_ground(void)
{
    struct render_options o = options_of(VIEW_ISO, false);
    struct picture p = {0};
    CHECK_OK(mesh_render(&p, &box, &o, &err));
    uint32_t x = 100, top = 0;
    while (top < 100 && abs(pixel(&p, x, top)[0] - pixel(&p, x, top)[2]) < 12)
        top++; /* the paper is grey, the plastic is not */
    CHECK(top > 10 && top < 30);
    /* Turned by 35 degrees: the front lies left of the near edge and the right side right of it. */
    int front = pixel(&p, 80, 110)[0], side = pixel(&p, 128, 110)[0];
    CHECK(pixel(&p, x, top + 12)[0] > side + 25);
    CHECK(front > side + 15);
    /* Below the front's lower edge lies shadow; at the picture's border there is none. */
    uint32_t y = 190;
    while (abs(pixel(&p, 80, y)[0] - pixel(&p, 80, y)[2]) < 12)
        y--;
    CHECK(pixel(&p, 80, y + 3)[0] + 20 < pixel(&p, 3, y + 3)[0]);
    picture_free(&p);
}

static void test_render__shows_a_hole_in_red(void)
{
    struct render_options o = options_of(VIEW_FRONT, true);
    struct picture whole = {0}, open = {0};
    CHECK_OK(mesh_render(&whole, &box, &o, &err));
    CHECK_OK(mesh_render(&open, &open_box, &o, &err));
    const uint8_t *a = pixel(&whole, 100, 100), *b = pixel(&open, 100, 100);
    CHECK(a[0] < a[1] + 40);
    CHECK(b[0] > b[1] + 40);
    picture_free(&whole);
    picture_free(&open);
}

static void test_render__edges_are_antialiased(void)
{
    struct render_options o = options_of(VIEW_BOTTOM, true);
    struct picture p = {0};
    unsigned part = 0;
    o.turn_deg = 20;
    CHECK_OK(mesh_render(&p, &box, &o, &err));
    for (size_t i = 0; i < 200 * 200; i++)
        part += p.rgba[4 * i + 3] > 0 && p.rgba[4 * i + 3] < 255;
    CHECK(part > 150); /* the border is over 500 pixels long */
    picture_free(&p);
}

static void test_render__same_bytes_with_one_processor_or_three(void)
{
    struct render_options o = options_of(VIEW_ISO, false);
    struct picture one = {0}, three = {0};
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    CHECK_OK(mesh_render(&one, &arrow, &o, &err));
    omp_set_num_threads(3);
    CHECK_OK(mesh_render(&three, &arrow, &o, &err));
    omp_set_num_threads(before);
    CHECK(!memcmp(one.rgba, three.rgba, 200 * 200 * 4));
    picture_free(&one);
    picture_free(&three);
}

static void test_render__bears_what_is_not_drawable(void)
{
    float xyz[27];
    uint32_t triangles[] = {0, 1, 2, 3, 4, 8, 5, 6, 99, 0, 0, 0};
    struct mesh odd = {xyz, triangles, 9, 4};
    struct render_options o = options_of(VIEW_ISO, false);
    struct picture p = {0};
    memcpy(xyz, box_xyz, sizeof box_xyz);
    xyz[24] = NAN;
    xyz[25] = INFINITY;
    xyz[26] = 1e38f;
    CHECK_OK(mesh_render(&p, &odd, &o, &err));
    picture_free(&p);
    struct mesh none = {xyz, triangles + 3, 9, 2};
    CHECK_FAILS(mesh_render(&p, &none, &o, &err), ERR_INPUT);
    o.width = 8;
    CHECK_FAILS(mesh_render(&p, &box, &o, &err), ERR_LIMIT);
    CHECK(!p.rgba);
    CHECK(view_from_name("left") == VIEW_LEFT && view_from_name("top") == -1);
}

TESTS(TEST(test_render__draws_in_a_confined_child),
      TEST(test_render__fits_the_figure_into_the_picture_with_its_margin),
      TEST(test_render__views_look_from_where_they_say),
      TEST(test_render__turn_goes_round_the_figure),
      TEST(test_render__lights_the_top_and_shades_the_ground),
      TEST(test_render__shows_a_hole_in_red), TEST(test_render__edges_are_antialiased),
      TEST(test_render__same_bytes_with_one_processor_or_three),
      TEST(test_render__bears_what_is_not_drawable))
