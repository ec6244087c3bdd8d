/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canary: when a measure counts as moved, by histories made up here. */
#include "service/canary.h"
#include "tests/test.h"

static struct err err;

static cJSON *json_of(const char *text)
{
    cJSON *json = NULL;
    return json_parse(&json, text, strlen(text), &err) ? NULL : json;
}

/* The names of what moved, in order, between blanks. */
static const char *moved(const char *measures, const char *earlier)
{
    static char names[200];
    cJSON *now = json_of(measures), *before = json_of(earlier), *list = canary_moved(now, before);
    const cJSON *one;
    size_t n = 0;
    *names = 0;
    cJSON_ArrayForEach (one, list)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? " " : "",
                              json_text(one, "measure", ""));
    cJSON_Delete(now);
    cJSON_Delete(before);
    cJSON_Delete(list);
    return names;
}

#define USUAL(points, credits, seconds)                                                            \
    "{\"points\":" #points ",\"credits\":" #credits ",\"seconds\":" #seconds                       \
    ",\"volume_mm3\":20000}"
#define WEEK                                                                                       \
    "[" USUAL(80, 20, 70) "," USUAL(84, 20, 90) "," USUAL(82, 20, 75) "," USUAL(10, 20, 80) "]"

static void test_canary__as_usual_has_not_moved(void)
{
    CHECK_TEXT(moved(USUAL(79, 20, 95), WEEK), "");
}

static void test_canary__two_days_are_no_habit(void)
{
    CHECK_TEXT(moved(USUAL(1, 900, 5000), "[" USUAL(80, 20, 70) "," USUAL(84, 20, 90) "]"), "");
}

/* One bad day in the week (10 points) does not pull the usual down, as a mean would. */
static void test_canary__worse_models_have_moved(void)
{
    CHECK_TEXT(moved(USUAL(65, 20, 80), WEEK), "points");
    CHECK_TEXT(moved(USUAL(-1, 20, 80), WEEK), "points");
    CHECK_TEXT(moved(USUAL(99, 20, 80), WEEK), ""); /* better is no alarm */
}

static void test_canary__a_new_price_has_moved(void)
{
    CHECK_TEXT(moved(USUAL(82, 25, 80), WEEK), "credits");
    CHECK_TEXT(moved(USUAL(82, 15, 80), WEEK), "");
}

static void test_canary__a_slow_provider_has_moved(void)
{
    CHECK_TEXT(moved(USUAL(82, 20, 200), WEEK), "");
    CHECK_TEXT(moved(USUAL(82, 20, 400), WEEK), "seconds");
}

static void test_canary__another_size_has_moved_either_way(void)
{
    CHECK_TEXT(moved("{\"volume_mm3\":8000}", WEEK), "volume_mm3");
    CHECK_TEXT(moved("{\"volume_mm3\":31000}", WEEK), "volume_mm3");
    CHECK_TEXT(moved("{\"volume_mm3\":25000}", WEEK), "");
}

static void test_canary__tells_by_how_much(void)
{
    cJSON *now = json_of(USUAL(60, 20, 80)), *before = json_of(WEEK);
    cJSON *list = canary_moved(now, before);
    const cJSON *one = cJSON_GetArrayItem(list, 0);
    CHECK(json_number(one, "now", 0) == 60 && json_number(one, "usual", 0) == 81);
    CHECK(json_number(one, "limit", 0) == 12);
    cJSON_Delete(now);
    cJSON_Delete(before);
    cJSON_Delete(list);
}

static void test_canary__measures_what_the_report_has(void)
{
    cJSON *report =
        json_of("{\"verdict\":\"pass\",\"findings\":[],\"output\":{\"silhouette_overlap\":0.9,"
                "\"support_mm3\":1000,\"thin_share\":0.05,\"volume_mm3\":21000}}");
    cJSON *m = canary_measures(report, 30, 61.5);
    CHECK(json_number(m, "points", 0) == 100 - 10 - 1 - 10);
    CHECK(json_number(m, "volume_mm3", 0) == 21000 && json_number(m, "credits", 0) == 30);
    CHECK(json_number(m, "seconds", 0) == 61.5);
    cJSON_Delete(m);
    m = canary_measures(NULL, 30, 1);
    CHECK(json_number(m, "points", 0) == -1); /* nothing to print */
    cJSON_Delete(m);
    cJSON_Delete(report);
}

TESTS(TEST(test_canary__as_usual_has_not_moved), TEST(test_canary__two_days_are_no_habit),
      TEST(test_canary__worse_models_have_moved), TEST(test_canary__a_new_price_has_moved),
      TEST(test_canary__a_slow_provider_has_moved),
      TEST(test_canary__another_size_has_moved_either_way), TEST(test_canary__tells_by_how_much),
      TEST(test_canary__measures_what_the_report_has))
