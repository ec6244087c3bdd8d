/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The test harness: a test is a void function named file__sentence; a failed CHECK says where and
 * ends that test. Each test program ends with TESTS(...), which is its main. Output, one line a
 * test: "ok NAME", "not ok NAME: WHY" or "skip NAME: WHY"; scripts/run_tests.sh adds them up.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char test_failure[512];
static char test_skipped[256];

#define TEST_GIVE_UP(...)                                                                          \
    do {                                                                                           \
        int used_ = snprintf(test_failure, sizeof test_failure, "%s:%d: ", __FILE__, __LINE__);    \
        snprintf(test_failure + used_, sizeof test_failure - (size_t)used_, __VA_ARGS__);          \
        return;                                                                                    \
    } while (0)

/** Fails the test unless condition holds. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            TEST_GIVE_UP("%s", #condition);                                                        \
    } while (0)

/** Fails unless call, which fills err, returns 0; prints err's sentence. */
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            TEST_GIVE_UP("%s: %s (%s)", #call, err.what, err.code);                                \
    } while (0)

/** Fails unless call returns -1 with that err.kind. */
#define CHECK_FAILS(call, expected)                                                                \
    do {                                                                                           \
        memset(&err, 0, sizeof err);                                                               \
        if ((call) != -1 || err.kind != (expected))                                                \
            TEST_GIVE_UP("%s: wanted %s, got %s: %s", #call, #expected, err_kind_name(err.kind),   \
                         err.what);                                                                \
    } while (0)

#define CHECK_NEAR(a, b, tolerance)                                                                \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(fabs(a_ - b_) <= (tolerance)))                                                       \
            TEST_GIVE_UP("%s = %g, wanted %g +- %g", #a, a_, b_, (double)(tolerance));             \
    } while (0)

#define CHECK_TEXT(a, b)                                                                           \
    do {                                                                                           \
        const char *a_ = (a), *b_ = (b);                                                           \
        if (!a_ || strcmp(a_, b_) != 0)                                                            \
            TEST_GIVE_UP("%s = \"%s\", wanted \"%s\"", #a, a_ ? a_ : "NULL", b_);                  \
    } while (0)

/** Says why this test cannot run here and ends it; it counts as skipped. */
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        snprintf(test_skipped, sizeof test_skipped, "%s", why);                                    \
        return;                                                                                    \
    } while (0)

struct test {
    const char *name;
    void (*run)(void);
};

static inline int tests_run(const struct test *tests, size_t count, const char *only)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (only && !strstr(tests[i].name, only))
            continue;
        test_failure[0] = test_skipped[0] = 0;
        tests[i].run();
        if (*test_failure)
            printf("not ok %s: %s\n", tests[i].name, test_failure);
        else if (*test_skipped)
            printf("skip %s: %s\n", tests[i].name, test_skipped);
        else
            printf("ok %s\n", tests[i].name);
        fflush(stdout);
        failed |= *test_failure != 0;
    }
    return failed;
}

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }
#define TESTS(...)                                                                                 \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct test tests[] = {__VA_ARGS__};                                          \
        return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);          \
    }

#endif
