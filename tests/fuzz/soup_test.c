/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The repair ladder against small random soups (tests/fuzz/soup.h), a few hundred by a fixed dice;
 * `make fuzz` goes on from here by coverage. FUZZ_SOUPS sets how many, FUZZ_SOUP=FILE runs that
 * one.
 */
#include "tests/fuzz/soup.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "tests/test.h"

#define LEAST_SOUPS 8
#define ENOUGH_S 20
#define SLOWEST_S 120 /* for one soup of this size, under ASan on a busy machine */

static uint32_t roll(uint64_t *dice)
{
    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*dice >> 33);
}

static void test_soup__comes_out_solid_or_is_refused(void)
{
    const char *asked = getenv("FUZZ_SOUPS");
    int soups = asked ? atoi(asked) : 1000, made = 0, i = 0;
    uint64_t dice = 1;
    double slowest = 0, begun = clock_s();
    for (; i < soups && (asked || i < LEAST_SOUPS || clock_s() - begun < ENOUGH_S); i++) {
        uint8_t data[80];
        size_t n = 12 + roll(&dice) % (sizeof data - 12);
        for (size_t k = 0; k < n; k++)
            data[k] = (uint8_t)roll(&dice);
        bool solid;
        double started = clock_s();
        const char *wrong = soup_feed(data, n, true, &solid);
        double took = clock_s() - started;
        slowest = took > slowest ? took : slowest;
        made += solid;
        if (wrong)
            TEST_GIVE_UP("soup %d: %s", i, wrong);
        if (took > SLOWEST_S)
            TEST_GIVE_UP("soup %d took %.0f s", i, took);
    }
    printf("# %d of %d soups became solid, the slowest in %.2f s, all in %.1f s\n", made, i,
           slowest, clock_s() - begun);
    CHECK(made > i / 4); /* else refusing everything would pass */
}

static void test_soup__one_given_file(void)
{
    const char *path = getenv("FUZZ_SOUP");
    struct bytes file = {0};
    struct err err = {0};
    bool solid;
    if (!path)
        SKIP("FUZZ_SOUP names no file");
    CHECK_OK(bytes_read_file(&file, path, &err));
    const char *wrong = soup_feed(file.data, file.len, true, &solid);
    bytes_free(&file);
    if (wrong)
        TEST_GIVE_UP("%s", wrong);
}

/* The judge itself: a box is right; two boxes that touch, or one with a folded side, are not. */
static void test_soup__the_judge_sees_what_is_wrong(void)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 1, 1, 1);
    CHECK(!soup_judge(&m, true));
    add_box(&m, 3, 0, 0, 1, 1, 1);
    CHECK(!soup_judge(&m, true));
    add_box(&m, 0.25f, 0.25f, 1, 0.5f, 0.5f, 0.5f); /* stands on the first */
    CHECK(soup_judge(&m, true) && !soup_judge(&m, false));
    mesh_free(&m);
    m = (struct mesh){0};
    add_box(&m, 0, 0, 0, 1, 1, 1);
    m.triangle_count--;
    CHECK(soup_judge(&m, false));
    mesh_free(&m);
    m = (struct mesh){0};
    add_box(&m, 0, 0, 0, 3, 3, 3);
    add_box(&m, 1, 1, 1, 3, 3, 3); /* corners pierce sides */
    CHECK(soup_judge(&m, true));
    mesh_free(&m);
}

TESTS(TEST(test_soup__comes_out_solid_or_is_refused), TEST(test_soup__one_given_file),
      TEST(test_soup__the_judge_sees_what_is_wrong))
