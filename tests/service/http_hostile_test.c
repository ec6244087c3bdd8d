/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP side under hostile requests: each form is refused, and the service goes on. */
#include "tests/service/http_fixture.h"

#define GET "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
#define POST "POST /v1/printers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
#define FORM                                                                                       \
    "POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: h\r\nConnection: close\r\n"
#define SECOND "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

struct row {
    const char *name, *text;
    size_t n;
    int status, or_status; /* or_status -1: closed without a word is fine too */
    bool closes;
};

#define ROW(name, text, status, other, closes)                                                     \
    {                                                                                              \
        name, text, sizeof(text) - 1, status, other, closes                                        \
    }

static const struct row rows[] = {
    ROW("Content-Length and Transfer-Encoding",
        POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND, 400, 0,
        true),
    ROW("two different Content-Lengths",
        POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x" SECOND, 400, 0, true),
    ROW("two equal Content-Lengths", POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" SECOND,
        400, 0, true),
    ROW("Content-Length: 1, 2", POST "Content-Length: 1, 2\r\n\r\n{}", 400, 0, true),
    ROW("Content-Length: -1", POST "Content-Length: -1\r\n\r\n{}", 400, 0, true),
    ROW("Content-Length: +5", POST "Content-Length: +5\r\n\r\n{}   ", 400, 0, true),
    ROW("Content-Length of 20 digits", POST "Content-Length: 99999999999999999999\r\n\r\n", 400,
        413, true),
    ROW("Content-Length of 2 GB",
        FORM "Content-Type: multipart/form-data; boundary=b\r\n"
             "Content-Length: 2147483648\r\n\r\n",
        413, 0, true),
    ROW("Transfer-Encoding: xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501,
        400, true),
    ROW("a space before the colon", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, 0,
        true),
    ROW("chunk size over 64 bits", POST "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx",
        400, 413, true),
    ROW("chunk size -1", POST "Transfer-Encoding: chunked\r\n\r\n-1\r\nx", 400, 0, true),
    ROW("no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400, 0, true),
    ROW("two Hosts", GET "Host: localhost\r\n\r\n", 400, 0, true),
    ROW("a Host that is no name", "GET /healthz HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400, 0, true),
    ROW("another Host", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, 0, true),
    ROW("NUL in a header", GET "X-A: a\0b\r\n\r\n", 400, 0, true),
    ROW("NUL in the path", "GET /heal\0thz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, 0, true),
    ROW("escaped NUL in the path", "GET /healthz%00x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, 0,
        true),
    ROW("a space in the path", "GET /heal thz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, -1, true),
    ROW("HTTP/9.9", "GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n", 505, 400, true),
    ROW("TRACE", "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, 405, true),
    ROW("a method that we have not",
        "DELETE /v1/orders HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: close\r\n\r\n",
        405, 0, true),
    ROW("an unknown expectation", POST "Expect: the-unexpected\r\nContent-Length: 2\r\n\r\n{}", 417,
        0, true),
    ROW("a POST without a length", POST "\r\n", 411, 0, false),
    ROW("a GET with a body", GET "Connection: close\r\nContent-Length: 2\r\n\r\nhi", 400, 0, true),
    ROW("multipart without boundary",
        FORM "Content-Type: multipart/form-data\r\nContent-Length: 4\r\n\r\nabcd", 400, 0, true),
    ROW("another type than multipart",
        FORM "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nabcd", 415, 0, true),
};

static bool goes_on(void)
{
    struct told told = get("/healthz");
    bool well = told.status == 200;
    told_free(&told);
    return well;
}

static void test_http_hostile__refuses_every_row_of_the_table(void)
{
    NEEDS_HTTP();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct told told = tell(http_port, r->text, r->n, 3000);
        bool fits = told.status == r->status || (r->or_status > 0 && told.status == r->or_status) ||
                    (r->or_status < 0 && told.status == 0);
        /* a good answer after the refusal would be the smuggled request's */
        bool once = !told.body || !strstr(told.body, "HTTP/1.1 200");
        int status = told.status;
        bool closed = told.closed;
        told_free(&told);
        if (!fits || !once || (r->closes && !closed))
            TEST_GIVE_UP("%s: got %d, %s, %s", r->name, status, closed ? "closed" : "left open",
                         once ? "once" : "twice");
        if (!goes_on())
            TEST_GIVE_UP("%s: the service is gone", r->name);
    }
}

/* Sends head, then `count` times the piece, then tail. */
static struct told tell_long(const char *head, const char *piece, size_t count, const char *tail)
{
    struct bytes all = {.limit = 16 << 20};
    struct told told = {0};
    int failed = bytes_append(&all, head, strlen(head), NULL);
    for (size_t i = 0; i < count && !failed; i++)
        failed = bytes_append(&all, piece, strlen(piece), NULL);
    if (!failed && bytes_append(&all, tail, strlen(tail), NULL) == 0)
        told = tell(http_port, all.data, all.len, 3000);
    bytes_free(&all);
    return told;
}

/* What is longer than the connection's memory is answered by the library, or cut off. */
static void test_http_hostile__refuses_what_is_too_long(void)
{
    NEEDS_HTTP();
    static const struct {
        const char *name, *head, *piece;
        size_t count;
        const char *tail;
        int low, high; /* status; 0 = closed without a word */
    } longs[] = {
        {"request line of 10 kB", "GET /", "aaaaaaaaaa", 1000,
         " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, 414},
        {"request line of 100 kB", "GET /", "aaaaaaaaaa", 10000,
         " HTTP/1.1\r\nHost: localhost\r\n\r\n", 0, 431},
        {"header of 20 kB", GET "X-A: ", "aaaaaaaaaa", 2000, "\r\n\r\n", 431, 431},
        {"header of 1 MB", GET "X-A: ", "aaaaaaaaaa", 100000, "\r\n\r\n", 0, 431},
        {"100 headers", GET, "X-A: a\r\n", 100, "\r\n", 431, 431},
        {"10 000 headers", GET, "X-A: a\r\n", 10000, "\r\n", 0, 431},
        {"method of 5 kB", "", "AAAAAAAAAA", 500, " / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501,
         501},
        {"chunk extension of 1 MB", POST "Transfer-Encoding: chunked\r\n\r\n1;", "aaaaaaaaaa",
         100000, "\r\nx\r\n0\r\n\r\n", 0, 500},
        {"boundary of 10 kB",
         FORM "Content-Length: 4\r\nContent-Type: multipart/form-data; boundary=", "aaaaaaaaaa",
         1000, "\r\n\r\nabcd", 400, 431},
    };
    for (size_t i = 0; i < sizeof longs / sizeof *longs; i++) {
        struct told told = tell_long(longs[i].head, longs[i].piece, longs[i].count, longs[i].tail);
        int status = told.status;
        bool fits = (status >= longs[i].low && status <= longs[i].high && status >= 400) ||
                    (longs[i].low == 0 && status == 0 && told.closed);
        told_free(&told);
        if (!fits)
            TEST_GIVE_UP("%s: got %d", longs[i].name, status);
        if (!goes_on())
            TEST_GIVE_UP("%s: the service is gone", longs[i].name);
    }
}

static struct told post_form(const char *text, size_t n)
{
    return request_to(http_port, "POST", "/v1/orders",
                      "Idempotency-Key: h\r\n"
                      "Content-Type: multipart/form-data; boundary=b\r\n",
                      text, n);
}

static void test_http_hostile__bounds_parts_and_their_headers(void)
{
    NEEDS_HTTP();
    struct bytes form = {.limit = 4 << 20};
    for (int i = 0; i < 20000; i++)
        CHECK_OK(bytes_printf(&form, &err,
                              "%s--b\r\nContent-Disposition: form-data; name=\"p%d\"; "
                              "filename=\"x\"\r\n\r\nx",
                              i ? "\r\n" : "", i));
    struct told told = post_form((char *)form.data, form.len);
    CHECK_TOLD(told, 413, "multipart_parts");
    bytes_free(&form);
    CHECK_OK(bytes_printf(&form, &err, "--b\r\nX-A: "));
    for (int i = 0; i < 100000; i++)
        CHECK_OK(bytes_append(&form, "aaaaaaaaaa", 10, &err));
    told = post_form((char *)form.data, form.len);
    CHECK_TOLD(told, 413, "multipart_header");
    bytes_free(&form);
    CHECK(goes_on());
}

static void test_http_hostile__refuses_damaged_forms(void)
{
    NEEDS_HTTP();
    static const char open[] = "--b\r\nContent-Disposition: form-data; name=\"order\"\r\n\r\n{}";
    static const char nul[] =
        "--b\r\nContent-Disposition: form-data; name=\"o\0\"\r\n\r\n{}\r\n--b--\r\n";
    struct told told = post_form(open, sizeof open - 1);
    CHECK_TOLD(told, 400, "multipart_unfinished");
    told = post_form(nul, sizeof nul - 1);
    CHECK_TOLD(told, 400, "multipart_damaged");
    CHECK(goes_on());
}

/* A body that does not say its length is cut off where it grows over the cap, with a word. */
static void test_http_hostile__cuts_an_endless_chunked_body_off(void)
{
    NEEDS_HTTP();
    char piece[4096 + 9];
    struct bytes out = {.limit = 1 << 20};
    int fd = dial(http_port);
    CHECK(fd >= 0);
    static const char start[] =
        "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n";
    char head[600];
    int head_len = snprintf(head, sizeof head,
                            FORM "Content-Type: multipart/form-data; boundary=b\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n",
                            sizeof start - 1, start);
    say(fd, head, (size_t)head_len);
    int n = snprintf(piece, sizeof piece, "1000\r\n");
    memset(piece + n, 'x', 4096);
    memcpy(piece + n + 4096, "\r\n", 2);
    int64_t until = clock_ms() + 20000;
    size_t sent = 0;
    for (bool open = true; open && clock_ms() < until && sent < 64u << 20;) {
        ssize_t m = send(fd, piece, (size_t)n + 4098, MSG_NOSIGNAL);
        open = m > 0;
        sent += open ? (size_t)m : 0;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 0) == 1)
            break;
    }
    hear(&out, fd, 3000);
    close(fd);
    bool told = out.data && strstr((char *)out.data, "413 Content Too Large") &&
                strstr((char *)out.data, "body_too_large");
    bytes_free(&out);
    CHECK(told);
    CHECK(sent < 16u << 20); /* the cap is 8 MB */
    CHECK(goes_on());
}

/* One byte now and then keeps the library's own timeout from ever firing. */
static void test_http_hostile__closes_on_a_client_that_drips(void)
{
    NEEDS_HTTP();
    int fd = dial(http_port);
    CHECK(fd >= 0);
    say(fd, "GET /healthz HTTP/1.1\r\nX-A: ", 28);
    int64_t began = clock_ms();
    bool closed = false;
    while (!closed && clock_ms() - began < 20000) {
        struct bytes out = {.limit = 4096};
        say(fd, "a", 1);
        closed = hear(&out, fd, 500);
        bytes_free(&out);
    }
    close(fd);
    int64_t took = clock_ms() - began;
    CHECK(closed);
    CHECK(took > 8000 && took < 13000); /* the deadline is 10 s */
    CHECK(goes_on());
}

TESTS(TEST(test_http_hostile__refuses_every_row_of_the_table),
      TEST(test_http_hostile__refuses_what_is_too_long),
      TEST(test_http_hostile__bounds_parts_and_their_headers),
      TEST(test_http_hostile__refuses_damaged_forms),
      TEST(test_http_hostile__cuts_an_endless_chunked_body_off),
      TEST(test_http_hostile__closes_on_a_client_that_drips))
