/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Server-sent events as drivers read them: whole, cut at every byte, and in odd forms. */
#include "intake/provider/events.h"
#include "tests/test.h"

static struct err err;

static void test_events__takes_names_data_and_comments_apart(void)
{
    static const char text[] = "\xef\xbb\xbf: hello\n"
                               "event: progress\nid: 7\ndata: {\"a\":1}\n\n"
                               "retry: 10\n\n"
                               "data:one\ndata: two\ndata\n\n"
                               "datum: no\nevent\ndata:  x\n\n";
    struct server_event event = {0};
    size_t at = 0;
    CHECK_OK(server_event_next(&event, &at, text, strlen(text), &err));
    CHECK_TEXT(event.name, "progress");
    CHECK_TEXT((char *)event.data.data, "{\"a\":1}");
    CHECK_OK(server_event_next(&event, &at, text, strlen(text), &err));
    CHECK_TEXT(event.name, "message");
    CHECK_TEXT((char *)event.data.data, "one\ntwo\n");
    CHECK_OK(server_event_next(&event, &at, text, strlen(text), &err));
    CHECK_TEXT((char *)event.data.data, " x");
    CHECK(server_event_next(&event, &at, text, strlen(text), &err) == 1);
    CHECK(at == strlen(text));
    server_event_free(&event);
}

static size_t count_events(const char *text, size_t n, size_t *at)
{
    struct server_event event = {0};
    size_t count = 0;
    while (server_event_next(&event, at, text, n, &err) == 0)
        count++;
    server_event_free(&event);
    return count;
}

/* A stream may be looked at after any byte: each event counts once, and never half of one. */
static void test_events__gives_each_event_once_wherever_the_text_is_cut(void)
{
    static const char *const texts[] = {"data: {\"n\":1}\n\ndata: {\"n\":2}\n\ndata: {\"n\":3}\n\n",
                                        "data: 1\r\n\r\n:c\r\ndata: 2\r\n\r\ndata: 3\r\n\r\n",
                                        "data: 1\r\rdata: 2\r\rdata: 3\r\r"};
    for (size_t t = 0; t < 3; t++) {
        size_t n = strlen(texts[t]), at = 0, seen = 0;
        for (size_t cut = 0; cut <= n; cut++) {
            size_t from_start = 0;
            seen += count_events(texts[t], cut, &at);
            CHECK(count_events(texts[t], cut, &from_start) == seen);
            CHECK(at <= cut);
        }
        CHECK(seen == 3);
    }
}

/* Taken for two line ends, a CRLF would end the event after its first line. */
static void test_events__a_crlf_is_one_line_end(void)
{
    static const char text[] = "event: e\r\ndata: 1\r\ndata: 2\r\n\r\n";
    struct server_event event = {0};
    size_t at = 0;
    CHECK_OK(server_event_next(&event, &at, text, strlen(text), &err));
    CHECK_TEXT(event.name, "e");
    CHECK_TEXT((char *)event.data.data, "1\n2");
    server_event_free(&event);
}

static void test_events__cuts_a_long_name_and_keeps_the_rest(void)
{
    static const char text[] = "event: 0123456789012345678901234567890123456789\ndata: x\n\n";
    struct server_event event = {0};
    size_t at = 0;
    CHECK_OK(server_event_next(&event, &at, text, strlen(text), &err));
    CHECK_TEXT(event.name, "0123456789012345678901234567890");
    server_event_free(&event);
}

static void test_events__the_last_object_stays_when_the_stream_turns_bad(void)
{
    static const char text[] = "data: {\"n\":1}\n\nevent: e\ndata: {\"n\":2}\n\n"
                               "event: f\ndata: {\"n\":\n\ndata: 7\n\ndata: {\"n\":4}\n";
    char name[32];
    cJSON *said;
    CHECK_OK(server_event_last(&said, name, text, strlen(text), &err));
    CHECK_NEAR(json_number(said, "n", 0), 2, 0);
    CHECK_TEXT(name, "e");
    cJSON_Delete(said);
    CHECK(server_event_last(&said, name, "data: 7\n\n", 9, &err) == 1 && !said);
    CHECK(server_event_last(&said, name, NULL, 0, &err) == 1 && !said);
}

TESTS(TEST(test_events__takes_names_data_and_comments_apart),
      TEST(test_events__gives_each_event_once_wherever_the_text_is_cut),
      TEST(test_events__a_crlf_is_one_line_end),
      TEST(test_events__cuts_a_long_name_and_keeps_the_rest),
      TEST(test_events__the_last_object_stays_when_the_stream_turns_bad))
