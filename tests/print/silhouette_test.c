/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/measure/silhouette: a picture of the mesh from some side is found again. */
#include "tests/test.h"

#include <omp.h>

#include "print/measure/silhouette.h"
#include "print/render/render.h"
#include "tests/print/meshes.h"

static struct err err;

/* No two views alike: a tall post with one arm to the right, a shorter one to the front, a head. */
static struct mesh signpost(void)
{
    struct mesh m = {0};
    add_box(&m, -5, -5, 0, 10, 10, 80);
    add_box(&m, 5, -4, 40, 30, 8, 8);
    add_box(&m, -4, -25, 60, 8, 20, 8);
    add_ball(&m, 0, 0, 85, 12, 12);
    return m;
}

static int view_of(struct picture *out, const struct mesh *m, double turn, bool transparent)
{
    struct render_options o = RENDER_OPTIONS_DEFAULT;
    o.width = 300;
    o.height = 260;
    o.view = VIEW_FRONT;
    o.turn_deg = turn;
    o.transparent = transparent;
    return mesh_render(out, m, &o, &err);
}

/* The ground's shadow is in the picture's alpha; a mask has none. */
static void drop_shadow(struct picture *p)
{
    for (size_t i = 0; i < (size_t)p->width * p->height; i++)
        p->rgba[4 * i + 3] = p->rgba[4 * i + 3] == 255 ? 255 : 0;
}

static double turned(double a, double b)
{
    double d = fabs(a - b);
    return d > 180 ? 360 - d : d;
}

static void test_silhouette__finds_the_side_that_a_picture_was_taken_from(void)
{
    struct mesh m = signpost();
    for (int turn = 0; turn < 360; turn += 80) {
        struct picture p;
        struct silhouette_match match;
        CHECK_OK(view_of(&p, &m, turn, true));
        drop_shadow(&p);
        CHECK_OK(mesh_silhouette_match(&match, &m, &p, &err));
        CHECK(turned(match.yaw_deg, turn) < 5);
        CHECK_NEAR(match.elevation_deg, 6, 5);

        picture_free(&p);
    }
    mesh_free(&m);
}

static void test_silhouette__another_figure_does_not_match(void)
{
    struct mesh m = signpost(), ball = {0};
    struct picture p;
    struct silhouette_match match;
    add_ball(&ball, 0, 0, 0, 20, 20);
    CHECK_OK(view_of(&p, &m, 0, true));
    drop_shadow(&p);
    CHECK_OK(mesh_silhouette_match(&match, &ball, &p, &err));
    CHECK(match.iou < 0.5);
    picture_free(&p);
    mesh_free(&m);
    mesh_free(&ball);
}

/* White on black without an alpha channel, as a segmenter writes it. */
static void test_silhouette__takes_a_grey_mask(void)
{
    struct mesh m = signpost();
    struct picture p;
    struct silhouette_match match;
    CHECK_OK(view_of(&p, &m, 40, true));
    for (size_t i = 0; i < (size_t)p.width * p.height; i++) {
        memset(p.rgba + 4 * i, p.rgba[4 * i + 3] == 255 ? 255 : 0, 3);
        p.rgba[4 * i + 3] = 255;
    }
    CHECK_OK(mesh_silhouette_match(&match, &m, &p, &err));
    CHECK(match.iou > 0.9 && turned(match.yaw_deg, 40) < 5);
    memset(p.rgba, 255, (size_t)p.width * p.height * 4);
    CHECK_FAILS(mesh_silhouette_match(&match, &m, &p, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "mask_empty");
    picture_free(&p);
    mesh_free(&m);
}

static void test_silhouette__same_answer_with_one_processor_or_three(void)
{
    struct mesh m = signpost();
    struct picture p;
    struct silhouette_match one, three;
    int before = omp_get_max_threads();
    CHECK_OK(view_of(&p, &m, 130, true));
    drop_shadow(&p);
    omp_set_num_threads(1);
    CHECK_OK(mesh_silhouette_match(&one, &m, &p, &err));
    omp_set_num_threads(3);
    CHECK_OK(mesh_silhouette_match(&three, &m, &p, &err));
    omp_set_num_threads(before);
    CHECK(!memcmp(&one, &three, sizeof one));
    picture_free(&p);
    mesh_free(&m);
}

TESTS(TEST(test_silhouette__finds_the_side_that_a_picture_was_taken_from),
      TEST(test_silhouette__another_figure_does_not_match),
      TEST(test_silhouette__takes_a_grey_mask),
      TEST(test_silhouette__same_answer_with_one_processor_or_three))
