/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/shape/plate: parts on a bed never touch, never leave it, and lie the same each time. */
#include "print/shape/plate.h"

#include <stdint.h>

#include "tests/test.h"

static struct err err;
static uint32_t dice = 1;

static double roll(double least, double most)
{
    dice = dice * 1664525u + 1013904223u;
    return least + (most - least) * (dice >> 8) / 16777216.0;
}

struct rectangle {
    double low[2], high[2];
};

static struct rectangle lies(const struct plate_item *item, const struct plate_place *place)
{
    struct rectangle r;
    for (int k = 0; k < 2; k++) {
        double size = item->size_mm[place->turned ? 1 - k : k];
        r.low[k] = place->at_mm[k] - size / 2;
        r.high[k] = place->at_mm[k] + size / 2;
    }
    return r;
}

/* What is wrong with an arrangement, or NULL. */
static const char *fault(const struct plate_item *items, const struct plate_place *places,
                         size_t count, const struct plate_options *o)
{
    for (size_t i = 0; i < count; i++) {
        struct rectangle a = lies(&items[i], &places[i]);
        for (int k = 0; k < 2; k++)
            if (a.low[k] < -o->bed_mm[k] / 2 + o->margin_mm - 1e-6 ||
                a.high[k] > o->bed_mm[k] / 2 - o->margin_mm + 1e-6)
                return "off the bed";
        for (size_t j = 0; j < i; j++) {
            struct rectangle b = lies(&items[j], &places[j]);
            double between = o->gap_mm + 2 * o->margin_mm - 1e-6;
            if (a.low[0] < b.high[0] + between && b.low[0] < a.high[0] + between &&
                a.low[1] < b.high[1] + between && b.low[1] < a.high[1] + between)
                return "too near";
        }
    }
    return NULL;
}

static void test_place__one_part_stands_in_the_middle(void)
{
    const struct plate_item item = {"dog", {40.3, 25.1}};
    const struct plate_options o = {{220, 220}, 5, 3};
    struct plate_place place;
    CHECK_OK(plate_arrange(&place, &item, 1, &o, &err));
    CHECK_NEAR(place.at_mm[0], 0, 0.02);
    CHECK_NEAR(place.at_mm[1], 0, 0.02);
    CHECK(!place.turned);
}

/* 40 sets of 1 to 40 boxes from slivers to a third of the bed. */
static void test_place__parts_never_meet_and_never_leave_the_bed(void)
{
    struct plate_item items[40];
    struct plate_place places[40];
    int made = 0, refused = 0;
    for (int set = 0; set < 400; set++) {
        const struct plate_options o = {{roll(150, 350), roll(150, 350)}, roll(0, 8), roll(0, 6)};
        size_t count = 1 + (size_t)roll(0, 39.9);
        for (size_t i = 0; i < count; i++)
            items[i] = (struct plate_item){"a", {roll(2, 60), roll(2, 60)}};
        memset(&err, 0, sizeof err);
        if (plate_arrange(places, items, count, &o, &err) == 0) {
            const char *wrong = fault(items, places, count, &o);
            if (wrong)
                TEST_GIVE_UP("set %d: %s", set, wrong);
            made++;
        } else {
            CHECK_TEXT(err.code, "plate_full");
            refused++;
        }
    }
    /* Both happen, so both were looked at. */
    CHECK(made > 100 && refused > 20);
}

/* Only what does not fit is refused: where the boxes fill no more than half of the bed, with none
 * longer than a quarter of it, there is room. */
static void test_place__half_a_bed_of_small_parts_fits(void)
{
    struct plate_item items[PLATE_ITEMS_MOST];
    struct plate_place places[PLATE_ITEMS_MOST];
    const struct plate_options o = {{220, 220}, 4, 0};
    for (int set = 0; set < 100; set++) {
        double taken = 0;
        size_t count = 0;
        while (count < PLATE_ITEMS_MOST) {
            struct plate_item one = {"a", {roll(5, 51), roll(5, 51)}};
            taken += (one.size_mm[0] + 4) * (one.size_mm[1] + 4);
            if (taken > 0.5 * 220 * 220)
                break;
            items[count++] = one;
        }
        CHECK_OK(plate_arrange(places, items, count, &o, &err));
        CHECK(!fault(items, places, count, &o));
    }
}

static void test_place__the_order_of_the_parts_does_not_matter(void)
{
    struct plate_item items[24], shuffled[24];
    struct plate_place places[24], again[24];
    char names[24][8];
    size_t of[24];
    const struct plate_options o = {{235, 235}, 5, 3};
    for (size_t i = 0; i < 24; i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        /* Three sizes only: equal boxes must not change places either. */
        items[i] = (struct plate_item){names[i], {10 + 7 * (double)(i % 3), 22}};
        of[i] = i;
    }
    CHECK_OK(plate_arrange(places, items, 24, &o, &err));
    for (int round = 0; round < 20; round++) {
        for (size_t i = 23; i > 0; i--) {
            size_t j = (size_t)roll(0, (double)i + 0.99), was = of[i];
            of[i] = of[j];
            of[j] = was;
        }
        for (size_t i = 0; i < 24; i++)
            shuffled[i] = items[of[i]];
        CHECK_OK(plate_arrange(again, shuffled, 24, &o, &err));
        for (size_t i = 0; i < 24; i++)
            CHECK(memcmp(&again[i].at_mm, &places[of[i]].at_mm, sizeof again[i].at_mm) == 0 &&
                  again[i].turned == places[of[i]].turned);
    }
}

static void test_place__turns_what_fits_only_across(void)
{
    const struct plate_item item = {"ruler", {60, 190}};
    const struct plate_options o = {{200, 100}, 5, 2};
    struct plate_place place;
    CHECK_OK(plate_arrange(&place, &item, 1, &o, &err));
    CHECK(place.turned && !fault(&item, &place, 1, &o));
}

static void test_place__names_what_does_not_fit(void)
{
    const struct plate_item items[] = {{"small", {20, 20}},
                                       {"giant", {215, 30}},
                                       {"b", {100, 190}},
                                       {"c", {100, 190}},
                                       {"d", {100, 190}}};
    const struct plate_options o = {{220, 220}, 5, 3};
    struct plate_place places[5];
    CHECK_FAILS(plate_arrange(places, items, 2, &o, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "plate_item_too_large");
    CHECK(strstr(err.what, "\"giant\" takes 221.0 x 36.0 mm with its brim"));
    CHECK_FAILS(plate_arrange(places, items + 2, 3, &o, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "plate_full");
    CHECK(strstr(err.what, "no room for \"d\"") && strstr(err.what, "2 of 3 parts fit"));
    CHECK_FAILS(plate_arrange(places, items, 0, &o, &err), ERR_LIMIT);
    CHECK_FAILS(plate_arrange(places, items, PLATE_ITEMS_MOST + 1, &o, &err), ERR_LIMIT);
    const struct plate_item endless = {"x", {(double)NAN, 10}};
    CHECK_FAILS(plate_arrange(places, &endless, 1, &o, &err), ERR_INPUT);
}

/* Close together: nine equal squares make three rows of three, not a row along the bed. */
static void test_place__packs_closely(void)
{
    struct plate_item items[9];
    struct plate_place places[9];
    const struct plate_options o = {{350, 350}, 4, 0};
    double widest = 0;
    for (size_t i = 0; i < 9; i++)
        items[i] = (struct plate_item){"s", {30, 30}};
    CHECK_OK(plate_arrange(places, items, 9, &o, &err));
    for (size_t i = 0; i < 9; i++)
        for (int k = 0; k < 2; k++)
            widest = fmax(widest, fabs(places[i].at_mm[k]));
    CHECK_NEAR(widest, 34, 0.1);
}

TESTS(TEST(test_place__one_part_stands_in_the_middle),
      TEST(test_place__parts_never_meet_and_never_leave_the_bed),
      TEST(test_place__half_a_bed_of_small_parts_fits),
      TEST(test_place__the_order_of_the_parts_does_not_matter),
      TEST(test_place__turns_what_fits_only_across), TEST(test_place__names_what_does_not_fit),
      TEST(test_place__packs_closely))
