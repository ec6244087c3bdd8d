/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/provider/reading: what every driver trusts it with. */
#include "intake/provider/reading.h"
#include "tests/test.h"

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

TESTS(TEST(test_reading__words_are_always_utf8), TEST(test_reading__fail_cleans_the_message),
      TEST(test_reading__time_knows_zones_and_leap_days))
