/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What drivers share when they read an answer: names, addresses, times, words of a refusal. */
#include "tests/intake/exchange.h"

static struct err err;

static const char *ending(const char *name)
{
    static char out[12];
    name_ending(out, name);
    return out;
}

static void test_reading__takes_the_ending_of_the_path_only(void)
{
    CHECK_TEXT(ending("base_basic.GLB"), "glb");
    CHECK_TEXT(ending("https://a.example/x/m.glb?file=n.png#y.stl"), "glb");
    CHECK_TEXT(ending("https://a.example/x.y/m"), "");
    CHECK_TEXT(ending("https://a.example"), "");
    CHECK_TEXT(ending("https://a.example?x=m.glb"), "");
    CHECK_TEXT(ending("m"), "");
    CHECK_TEXT(ending("m."), "");
    CHECK_TEXT(ending("m.a_b"), "");
    CHECK_TEXT(ending("m.abcdefghijk"), "abcdefghijk");
    CHECK_TEXT(ending("m.abcdefghijkl"), "");
    CHECK_TEXT(ending(""), "");
}

static void test_reading__knows_what_can_be_an_address(void)
{
    char longest[4200];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "https://", 8);
    longest[4097] = 0;
    CHECK(!url_is_plain(longest));
    longest[4096] = 0;
    CHECK(url_is_plain(longest));
    CHECK(url_is_plain("http://10.0.0.1:8080/a?b=c&d=%20"));
    CHECK(!url_is_plain("HTTPS:/a") && !url_is_plain("file:///a") && !url_is_plain(""));
    CHECK(!url_is_plain("https://a b") && !url_is_plain("https://a\r\nHost: b"));
    CHECK(!url_is_plain("https://\xc3\xa4.example/"));
}

static int64_t date_of(const char *text)
{
    struct http_answer answer = {.headers = cJSON_CreateObject()};
    cJSON_AddStringToObject(answer.headers, "date", text);
    int64_t date = answer_date(&answer);
    http_answer_free(&answer);
    return date;
}

static void test_reading__takes_the_servers_clock_from_its_date(void)
{
    CHECK(date_of("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
    CHECK(date_of("Tue, 29 Feb 2028 23:59:59 GMT") == 1835481599);
    CHECK(date_of("Sun, 06 anF 1994 08:49:37 GMT") == 0);
    CHECK(date_of("Sun, 06 No 1994 08:49:37 GMT") == 0);
    CHECK(date_of("1994-11-06T08:49:37Z") == 0);
    CHECK(date_of("") == 0);
    CHECK(answer_date(&(struct http_answer){0}) == 0);
}

static void test_reading__a_hundred_is_the_most(void)
{
    CHECK(percent_of(0) == 0 && percent_of(99.9) == 99 && percent_of(1e300) == 100);
    CHECK(percent_of(-0.1) == -1 && percent_of(NAN) == -1 && percent_of(INFINITY) == 100);
}

static void test_reading__puts_the_model_first_and_stops_at_32_files(void)
{
    struct provider_reading r = reading_start(TASK_SUCCEEDED);
    CHECK_OK(reading_add_result(&r, "https://a.example/1.png", "image", NULL, &err));
    CHECK_OK(reading_add_result(&r, "https://a.example/2.zip", "other", NULL, &err));
    CHECK_OK(reading_add_result(&r, "https://a.example/3.glb", "model", NULL, &err));
    CHECK_OK(reading_add_result(&r, "https://a.example/4", "model", "stl", &err));
    CHECK_OK(reading_add_result(&r, "no address", "model", NULL, &err));
    CHECK(r.file_count == 4);
    CHECK_TEXT(r.files[0].url, "https://a.example/3.glb");
    CHECK_TEXT(r.files[1].format, "stl");
    CHECK_TEXT(r.files[2].format, "png");
    CHECK_TEXT(r.files[3].format, "zip");
    for (int i = 0; i < 40; i++)
        CHECK_OK(reading_add_result(&r, "https://a.example/5.png", "image", NULL, &err));
    CHECK(r.file_count == 32);
    provider_reading_free(&r);
}

static void test_reading__a_submit_without_a_usable_number_is_in_doubt(void)
{
    struct provider_reading r = reading_start(TASK_SUCCEEDED);
    reading_submitted(&r, "task_1.a:b-C");
    CHECK(r.state == TASK_QUEUED && r.error == PROVIDER_OK);
    CHECK_TEXT(r.task, "task_1.a:b-C");
    reading_submitted(&r, "a/b");
    CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE);
    r = reading_start(TASK_SUCCEEDED);
    reading_submitted(&r, NULL);
    CHECK(r.retry == RETRY_RECONCILE && !*r.task);
}

/* A key that ran out while a task was running must not throw away what is paid. */
static void test_reading__a_refused_key_ends_a_submit_but_no_task(void)
{
    static const int statuses[] = {401, 402, 403};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const struct http_answer answer = {.status = statuses[i], .retry_after_s = -1};
        struct provider_reading r = reading_start(TASK_SUCCEEDED);
        CHECK(reading_http_error(&r, &answer, true));
        CHECK(r.state == TASK_FAILED && r.retry == RETRY_OPERATOR);
        CHECK(reading_http_error(&r, &answer, false));
        CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_OPERATOR && r.error != PROVIDER_OK);
    }
}

static void test_reading__cuts_words_and_blanks_controls(void)
{
    char out[6];
    reading_word(out, sizeof out, "a\nb\x7f\x01longer");
    CHECK_TEXT(out, "a b  ");
    CHECK(words_refuse_content("violates our Usage POLICY"));
    CHECK(!words_refuse_content("out of memory") && !words_refuse_content(""));
    CHECK_TEXT(kind_of_ending("glb"), "model");
    CHECK_TEXT(kind_of_ending("webp"), "image");
    CHECK_TEXT(kind_of_ending(""), "other");
}

/* Each of these bytes would make Postgres refuse the row that the message goes into. */
static void test_reading__words_are_always_utf8(void)
{
    char word[40];
    reading_word(word, sizeof word, "gr\xc3\xbc\xc3\x9f dich\n\x7f");
    CHECK_TEXT(word, "gr\xc3\xbc\xc3\x9f dich  ");
    reading_word(word, sizeof word, "a\xff z\xc3");
    CHECK_TEXT(word, "a? z?");
    reading_word(word, sizeof word, "\xc0\xaf \xed\xa0\x80 \xe2\x82"); /* overlong, half, cut */
    CHECK_TEXT(word, "?? ??? ??");
    reading_word(word, 5, "abc\xe2\x82\xac"); /* the cut goes through a character */
    CHECK_TEXT(word, "abc?");
    reading_word(word, sizeof word, "\xf0\x9f\xa6\x8a");
    CHECK_TEXT(word, "\xf0\x9f\xa6\x8a");
}

static void test_reading__fail_cleans_the_message(void)
{
    struct provider_reading reading = reading_start(TASK_RUNNING);
    reading_fail(&reading, TASK_FAILED, PROVIDER_SERVER, RETRY_NO, "bad \xfe byte\r\n");
    CHECK_TEXT(reading.message, "bad ? byte  ");
}

static void test_reading__time_knows_zones_and_leap_days(void)
{
    CHECK(reading_time("1970-01-01T00:00:01Z") == 1);
    CHECK(reading_time("2026-11-20T09:15:02Z") == 1795166102);
    CHECK(reading_time("2026-11-20T09:15:02.993Z") == 1795166102);
    CHECK(reading_time("2026-11-20T10:15:02+01:00") == 1795166102);
    CHECK(reading_time("2026-11-20 04:15:02.5-05:00") == 1795166102);
    CHECK(reading_time("2024-02-29T00:00:00Z") + 86400 == reading_time("2024-03-01T00:00:00Z"));
    CHECK(reading_time("") == 0);
    CHECK(reading_time("2026-13-20T09:15:02Z") == 0);
    CHECK(reading_time("2026-11-20") == 0);
    CHECK(reading_time("2026-11-20T09:15:02+0a:00") == 0);
    CHECK(reading_time("yesterday, at a quarter past") == 0);
}

TESTS(TEST(test_reading__takes_the_ending_of_the_path_only),
      TEST(test_reading__knows_what_can_be_an_address),
      TEST(test_reading__takes_the_servers_clock_from_its_date),
      TEST(test_reading__a_hundred_is_the_most),
      TEST(test_reading__puts_the_model_first_and_stops_at_32_files),
      TEST(test_reading__a_submit_without_a_usable_number_is_in_doubt),
      TEST(test_reading__a_refused_key_ends_a_submit_but_no_task),
      TEST(test_reading__cuts_words_and_blanks_controls), TEST(test_reading__words_are_always_utf8),
      TEST(test_reading__fail_cleans_the_message),
      TEST(test_reading__time_knows_zones_and_leap_days))
