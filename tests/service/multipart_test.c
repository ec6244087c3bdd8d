/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service/multipart: every split position, limits and damage. */
#include "base/bytes.h"
#include "service/multipart.h"
#include "tests/test.h"

#include <stdbool.h>

static struct err err;

/* Writes what the parser tells as one text: "[name|filename|mime]" then the data, then ";". */
struct heard {
    struct bytes text;
    int fail_at_data;
};

static int hear_begin(void *user, const struct multipart_part *part, struct err *e)
{
    return bytes_printf(&((struct heard *)user)->text, e, "[%s|%s%s|%s]", part->name,
                        part->is_file ? "file:" : "", part->filename, part->mime);
}

static int hear_data(void *user, const uint8_t *data, size_t n, struct err *e)
{
    struct heard *heard = user;
    if (heard->fail_at_data)
        return FAIL_CODE(e, ERR_LATER, "disk_full", "no room");
    return bytes_append(&heard->text, data, n, e);
}

static int hear_end(void *user, struct err *e)
{
    return bytes_append(&((struct heard *)user)->text, ";", 1, e);
}

/* Feeds the body in two pieces cut at `cut`, or byte by byte when step is 1. */
static int parse_cut(struct heard *heard, const char *type, const char *body, size_t n, size_t cut)
{
    struct multipart_handler handler = {hear_begin, hear_data, hear_end, heard};
    struct multipart *m;
    if (multipart_open(&m, type, &handler, 3, &err))
        return -1;
    int failed = multipart_feed(m, body, cut, &err) || multipart_feed(m, body + cut, n - cut, &err);
    failed = failed || multipart_end(m, &err);
    multipart_close(m);
    return failed ? -1 : 0;
}

static int parse(const char *type, const char *body, size_t n)
{
    struct heard heard = {.text = {.limit = 1 << 20}};
    memset(&err, 0, sizeof err);
    int failed = parse_cut(&heard, type, body, n, 0);
    bytes_free(&heard.text);
    return failed;
}

#define TYPE "multipart/form-data; boundary=xYz"
#define PART "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"

static const char good[] =
    "--xYz\r\nContent-Disposition: form-data; name=\"order\"\r\n"
    "Content-Type: application/json\r\n\r\n{\"a\":1}\r\n"
    "--xYz\r\ncontent-disposition: form-data; name=photo1; filename=\"a \\\"b\\\";.jpg\"\r\n"
    "Content-Type: image/jpeg\r\n\r\n\r\n--xY\r\r\n--x\r\n-\0z\r\n--xYz \t\r\n"
    "Content-Disposition: form-data; name=\"empty\"; filename=\"\"\r\n\r\n\r\n--xYz--\r\n";
static const char good_heard[] = "[order||application/json]{\"a\":1};"
                                 "[photo1|file:a \"b\";.jpg|image/jpeg]\r\n--xY\r\r\n--x\r\n-\0z;"
                                 "[empty|file:|];";

static void test_multipart__gives_the_same_wherever_the_pieces_are_cut(void)
{
    for (size_t cut = 0; cut < sizeof good; cut++) {
        struct heard heard = {.text = {.limit = 4096}};
        int failed = parse_cut(&heard, TYPE, good, sizeof good - 1, cut);
        bool same = heard.text.len == sizeof good_heard - 1 &&
                    memcmp(heard.text.data, good_heard, heard.text.len) == 0;
        bytes_free(&heard.text);
        if (failed || !same)
            TEST_GIVE_UP("cut at %zu: %s", cut, failed ? err.what : "heard something else");
    }
}

static void test_multipart__gives_the_same_byte_by_byte(void)
{
    struct heard heard = {.text = {.limit = 4096}};
    struct multipart_handler handler = {hear_begin, hear_data, hear_end, &heard};
    struct multipart *m;
    CHECK_OK(multipart_open(&m, TYPE, &handler, 3, &err));
    for (size_t i = 0; i < sizeof good - 1; i++)
        CHECK_OK(multipart_feed(m, good + i, 1, &err));
    CHECK_OK(multipart_end(m, &err));
    multipart_close(m);
    CHECK(heard.text.len == sizeof good_heard - 1);
    CHECK(memcmp(heard.text.data, good_heard, heard.text.len) == 0);
    bytes_free(&heard.text);
}

static void test_multipart__wants_the_final_boundary_at_every_length(void)
{
    for (size_t n = 0; n + 3 < sizeof good; n++) { /* the last line end may be missing */
        if (parse(TYPE, good, n) == 0)
            TEST_GIVE_UP("passed when cut short after %zu bytes", n);
        CHECK_TEXT(err.code, "multipart_unfinished");
    }
    CHECK_OK(parse(TYPE, good, sizeof good - 3));
}

static void test_multipart__refuses_improper_boundaries(void)
{
    static const char *const types[] = {"multipart/form-data",
                                        "multipart/form-data; boundary=",
                                        "multipart/form-data; boundary=\"\"",
                                        "multipart/form-data; boundary=\"a",
                                        "multipart/form-data; boundary=a; boundary=b",
                                        "multipart/form-data; boundary=\"a@b\"",
                                        "multipart/form-data; boundary=\"a \"",
                                        "multipart/form-data; boundary"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CHECK_FAILS(parse(types[i], good, sizeof good - 1), ERR_INPUT);
        CHECK_TEXT(err.code, "multipart_boundary");
    }
    char longest[128] = "multipart/form-data; boundary=";
    size_t n = strlen(longest);
    memset(longest + n, 'b', 71);
    CHECK_FAILS(parse(longest, good, sizeof good - 1), ERR_INPUT);
    CHECK_TEXT(err.code, "multipart_boundary");
    CHECK_FAILS(parse("application/json", good, sizeof good - 1), ERR_INPUT);
    CHECK_TEXT(err.code, "not_multipart");
}

static void test_multipart__refuses_each_sort_of_damage(void)
{
    static const struct {
        const char *body;
        size_t n;
    } bad[] = {
#define BODY(text) {text, sizeof(text) - 1}
        BODY("preamble\r\n" PART "x\r\n--xYz--"),
        BODY(PART "x\r\n--xYzz\r\n"),
        BODY(PART "x\r\n--xYz--\r\nmore"),
        BODY(PART "x\r\n--xYz-+"),
        BODY("--xYz\r\n\r\nno header\r\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: form-data; name=\"a\0b\"\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\nContent-Disposition: form-data; name=\"a\"\n\nx\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: form-data; name=\"a\"\n\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\r\nContent Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\nx\r\n--xYz--"),
        BODY("--xYz                    \r\n"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (parse(TYPE, bad[i].body, bad[i].n) == 0)
            TEST_GIVE_UP("body %zu passed", i);
        if (strcmp(err.code, "multipart_damaged") != 0)
            TEST_GIVE_UP("body %zu: %s: %s", i, err.code, err.what);
    }
}

static void test_multipart__counts_parts_and_header_bytes(void)
{
    CHECK_FAILS(parse(TYPE, PART "\r\n" PART "\r\n" PART "\r\n" PART, 4 * sizeof PART + 2),
                ERR_LIMIT);
    CHECK_TEXT(err.code, "multipart_parts");
    static char longest[MULTIPART_HEADER_BYTES + 64] = "--xYz\r\nX-Filler: ";
    memset(longest + 17, 'f', sizeof longest - 17);
    CHECK_FAILS(parse(TYPE, longest, sizeof longest), ERR_LIMIT);
    CHECK_TEXT(err.code, "multipart_header");
}

static void test_multipart__passes_the_handlers_failure_on_and_keeps_it(void)
{
    struct heard heard = {.text = {.limit = 4096}, .fail_at_data = 1};
    struct multipart_handler handler = {hear_begin, hear_data, hear_end, &heard};
    struct multipart *m;
    CHECK_OK(multipart_open(&m, TYPE, &handler, 3, &err));
    CHECK_FAILS(multipart_feed(m, good, sizeof good - 1, &err), ERR_LATER);
    CHECK_FAILS(multipart_feed(m, "x", 1, &err), ERR_LATER);
    CHECK_FAILS(multipart_end(m, &err), ERR_LATER);
    CHECK_TEXT(err.code, "disk_full");
    multipart_close(m);
    bytes_free(&heard.text);
}

TESTS(TEST(test_multipart__gives_the_same_wherever_the_pieces_are_cut),
      TEST(test_multipart__gives_the_same_byte_by_byte),
      TEST(test_multipart__wants_the_final_boundary_at_every_length),
      TEST(test_multipart__refuses_improper_boundaries),
      TEST(test_multipart__refuses_each_sort_of_damage),
      TEST(test_multipart__counts_parts_and_header_bytes),
      TEST(test_multipart__passes_the_handlers_failure_on_and_keeps_it))
