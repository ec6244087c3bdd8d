/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the subject: pictures painted here whose right mask is known. */
#include "intake/subject.h"
#include "tests/test.h"

static struct err err;

#define SIDE 200

/* A background that is never quite even: a gradient with a little fixed noise. */
static void paint_background(struct picture *p)
{
    p->width = p->height = SIDE;
    p->rgba = malloc((size_t)SIDE * SIDE * 4);
    uint32_t seed = 1;
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) {
        seed = seed * 1664525u + 1013904223u;
        int noise = (int)(seed >> 29), shade = 170 + (int)(i / SIDE) / 4 + noise;
        p->rgba[4 * i] = p->rgba[4 * i + 1] = (uint8_t)shade;
        p->rgba[4 * i + 2] = (uint8_t)(shade + 10);
        p->rgba[4 * i + 3] = 255;
    }
}

static bool in_disc(size_t i, double cx, double cy, double r)
{
    double x = (double)(i % SIDE) + 0.5 - cx, y = (double)(i / SIDE) + 0.5 - cy;
    return x * x + y * y < r * r;
}

static void paint_disc(struct picture *p, double cx, double cy, double r)
{
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++)
        if (in_disc(i, cx, cy, r)) {
            p->rgba[4 * i] = 170;
            p->rgba[4 * i + 1] = 90;
            p->rgba[4 * i + 2] = 50;
        }
}

/* Intersection over union of the mask with a disc. */
static double overlap(const struct subject *s, double cx, double cy, double r)
{
    double both = 0, either = 0;
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) {
        bool a = s->mask[i] > 127, b = in_disc(i, cx, cy, r);
        both += a && b;
        either += a || b;
    }
    return either ? both / either : 0;
}

static void test_subject__cuts_a_disc_from_a_gradient(void)
{
    struct picture p;
    struct subject s;
    paint_background(&p);
    paint_disc(&p, 95, 110, 50);
    CHECK_OK(subject_find(&s, &p, false, &err));
    CHECK(!s.from_alpha);
    CHECK(overlap(&s, 95, 110, 50) > 0.96);
    CHECK_NEAR(s.share, 3.14159 * 2500 / (SIDE * SIDE), 0.01);
    CHECK(s.confidence > 0.6);
    for (int k = 0; k < 4; k++)
        CHECK(s.border_share[k] == 0);
    subject_free(&s);
    picture_free(&p);
}

static void test_subject__keeps_two_things_of_like_size_and_drops_specks(void)
{
    struct picture p;
    struct subject s;
    paint_background(&p);
    paint_disc(&p, 60, 100, 35);
    paint_disc(&p, 145, 100, 30);
    paint_disc(&p, 100, 30, 4);
    CHECK_OK(subject_find(&s, &p, false, &err));
    CHECK(s.mask[100 * SIDE + 60] == 255 && s.mask[100 * SIDE + 145] == 255);
    CHECK(s.mask[30 * SIDE + 100] == 0);
    subject_free(&s);
    picture_free(&p);
}

static void test_subject__says_which_border_it_touches(void)
{
    struct picture p;
    struct subject s;
    paint_background(&p);
    paint_disc(&p, 100, 190, 60); /* a bust: runs out of the picture below, and only there */
    CHECK_OK(subject_find(&s, &p, false, &err));
    CHECK(overlap(&s, 100, 190, 60) > 0.9);
    CHECK(s.border_share[2] > 0.4);
    CHECK(s.border_share[0] == 0 && s.border_share[1] == 0 && s.border_share[3] == 0);
    subject_free(&s);
    picture_free(&p);
}

static void test_subject__trusts_real_alpha(void)
{
    struct picture p;
    struct subject s;
    paint_background(&p);
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++)
        p.rgba[4 * i + 3] = in_disc(i, 70, 70, 40) ? 255 : 0;
    CHECK_OK(subject_find(&s, &p, true, &err));
    CHECK(s.from_alpha);
    CHECK(overlap(&s, 70, 70, 40) == 1);
    subject_free(&s);
    picture_free(&p);
}

static void test_subject__looks_at_colours_when_the_alpha_is_all_solid(void)
{
    struct picture p;
    struct subject s;
    paint_background(&p);
    paint_disc(&p, 100, 100, 45);
    CHECK_OK(subject_find(&s, &p, true, &err));
    CHECK(!s.from_alpha);
    CHECK(overlap(&s, 100, 100, 45) > 0.96);
    subject_free(&s);
    picture_free(&p);
}

static void test_subject__finds_nothing_in_an_empty_scene(void)
{
    struct picture p;
    struct subject s;
    paint_background(&p);
    CHECK_OK(subject_find(&s, &p, false, &err));
    CHECK(s.share == 0 && s.confidence == 0);
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++)
        CHECK(s.mask[i] == 0);
    subject_free(&s);
    picture_free(&p);
}

static void test_subject__bears_pictures_of_a_few_pixels(void)
{
    static const uint32_t sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {5, 3}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct picture p = {.width = sizes[k][0], .height = sizes[k][1]};
        p.rgba = malloc((size_t)p.width * p.height * 4);
        for (size_t i = 0; i < (size_t)p.width * p.height * 4; i++)
            p.rgba[i] = (uint8_t)(i * 97);
        struct subject s;
        CHECK_OK(subject_find(&s, &p, false, &err));
        CHECK(s.share >= 0 && s.share <= 1 && s.confidence >= 0 && s.confidence <= 1);
        subject_free(&s);
        picture_free(&p);
    }
    struct picture none = {0};
    struct subject s;
    CHECK_FAILS(subject_find(&s, &none, false, &err), ERR_INPUT);
}

static void test_subject__says_the_same_twice(void)
{
    struct picture p;
    struct subject a, b;
    paint_background(&p);
    paint_disc(&p, 80, 120, 40);
    CHECK_OK(subject_find(&a, &p, false, &err));
    CHECK_OK(subject_find(&b, &p, false, &err));
    CHECK(memcmp(a.mask, b.mask, (size_t)SIDE * SIDE) == 0);
    CHECK(a.confidence == b.confidence);
    subject_free(&a);
    subject_free(&b);
    picture_free(&p);
}

TESTS(TEST(test_subject__cuts_a_disc_from_a_gradient),
      TEST(test_subject__keeps_two_things_of_like_size_and_drops_specks),
      TEST(test_subject__says_which_border_it_touches), TEST(test_subject__trusts_real_alpha),
      TEST(test_subject__looks_at_colours_when_the_alpha_is_all_solid),
      TEST(test_subject__finds_nothing_in_an_empty_scene),
      TEST(test_subject__bears_pictures_of_a_few_pixels), TEST(test_subject__says_the_same_twice))
