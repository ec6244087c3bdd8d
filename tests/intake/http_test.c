/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP doorman against servers that misbehave, addresses that lead inside, names that change
 * what they lead to, redirects, and certificates. web.h holds the resolver and the servers.
 */
#include "base/clock.h"
#include "intake/provider/http.h"
#include "intake/provider/http_guard.h"
#include "tests/intake/web.h"

static struct err err;

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" body
#define TO(where) "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " where "\r\n\r\n"

static struct http_request request_of(const char *url)
{
    return (struct http_request){
        .method = "GET", .url = strdup(url), .connect_s = 5, .total_s = 10, .max_bytes = 1 << 20};
}

static struct http_request request_to(const struct web *web, const char *path)
{
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", web->port, path);
    return request_of(url);
}

/* One request, sent and forgotten: what came of it. */
struct outcome {
    int failed, status;
    bool sent;
    size_t bytes;
};

static struct outcome send_it(struct http_request *request)
{
    struct http_answer answer = {0};
    memset(&err, 0, sizeof err);
    struct outcome outcome = {.failed = http_send(&answer, request, &err)};
    outcome.status = answer.status;
    outcome.sent = answer.sent;
    outcome.bytes = answer.body.len;
    http_answer_free(&answer);
    http_request_free(request);
    return outcome;
}

/* From outside, with the server as the home. */
static struct outcome send_far(const char *url, const char *home, unsigned redirects)
{
    struct http_request request = request_of(url);
    request.reach = HTTP_FAR;
    request.home = home;
    request.redirects = redirects;
    return send_it(&request);
}

/* --- a server that misbehaves --- */

static void test_http__a_closed_port_is_a_request_that_never_left(void)
{
    struct web web = {0};
    web.port = web_listen(&web.listener);
    close(web.listener);
    struct http_request request = request_to(&web, "/");
    struct outcome o = send_it(&request);
    CHECK(o.failed && err.kind == ERR_LATER && o.status == 0 && !o.sent);
}

static void test_http__a_cut_off_answer_is_in_doubt(void)
{
    struct web web = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly these"}};
    web_start(&web);
    struct http_request request = request_to(&web, "/");
    struct outcome o = send_it(&request);
    web_end(&web);
    CHECK(o.failed && err.kind == ERR_LATER && o.status == 0 && o.sent && o.bytes == 0);
}

static void test_http__follows_no_redirect_and_reads_retry_after(void)
{
    struct web web = {
        .answers = {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nRetry-After: 9\r\n"
                    "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"}};
    web_start(&web);
    struct http_request request = request_to(&web, "/");
    struct http_answer answer;
    int failed = http_send(&answer, &request, &err);
    web_end(&web);
    CHECK(!failed && answer.status == 302 && answer.body.len == 2);
    CHECK_NEAR(answer.retry_after_s, 9, 0);
    CHECK_TEXT(answer.content_type, "text/plain");
    http_answer_free(&answer);
    http_request_free(&request);
}

static void test_http__waits_no_longer_than_an_hour_for_a_server_that_says_so(void)
{
    struct web web = {.answers = {"HTTP/1.1 429 Slow\r\nRetry-After: 99999999\r\n"
                                  "Content-Length: 0\r\n\r\n"}};
    web_start(&web);
    struct http_request request = request_to(&web, "/");
    struct http_answer answer;
    int failed = http_send(&answer, &request, &err);
    web_end(&web);
    CHECK(!failed && answer.status == 429);
    CHECK_NEAR(answer.retry_after_s, 3600, 0);
    http_answer_free(&answer);
    http_request_free(&request);
}

static void test_http__stops_a_body_without_length_at_the_cap(void)
{
    static char bytes[3000];
    int n = snprintf(bytes, sizeof bytes, "HTTP/1.0 200 OK\r\n\r\n");
    memset(bytes + n, 'x', sizeof bytes - 1 - (size_t)n);
    struct web web = {.answers = {bytes}};
    web_start(&web);
    struct http_request request = request_to(&web, "/");
    request.max_bytes = 1000;
    struct outcome o = send_it(&request);
    web_end(&web);
    CHECK(o.failed && err.kind == ERR_LIMIT && o.bytes == 0);
}

static void test_http__stops_a_head_without_end(void)
{
    size_t room = 400 << 10;
    char *bytes = calloc(1, room);
    size_t n = (size_t)sprintf(bytes, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; n < room - 100; i++)
        n += (size_t)sprintf(bytes + n, "X-%d: %060d\r\n", i, 0);
    strcpy(bytes + n, "\r\n");
    struct web web = {.answers = {bytes}};
    web_start(&web);
    struct http_request request = request_to(&web, "/");
    struct outcome o = send_it(&request);
    web_end(&web);
    free(bytes);
    CHECK(o.failed && err.kind == ERR_LIMIT);
}

static void test_http__asks_no_proxy_of_the_environment(void)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    struct web web = {.answers = {"HTTP/1.1 204 No Content\r\n\r\n"}};
    web_start(&web);
    struct http_request request = request_to(&web, "/");
    struct outcome o = send_it(&request);
    web_end(&web);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    CHECK(!o.failed && o.status == 204);
}

static void test_http__speaks_only_http_and_sends_no_broken_header(void)
{
    static const char *const urls[] = {"file:///etc/passwd",
                                       "ftp://127.0.0.1/",
                                       "gopher://127.0.0.1/",
                                       "dict://127.0.0.1/",
                                       "127.0.0.1:80/",
                                       "https://",
                                       "",
                                       "http://a b/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct http_request request = request_of(urls[i]);
        web_forget();
        struct outcome o = send_it(&request);
        if (!o.failed || err.kind != ERR_INPUT || to_loopback)
            TEST_GIVE_UP("%s: %s", urls[i], err.what);
    }
    static const char *const headers[] = {"{\"X-Note\":\"a\\r\\nX-Other: b\"}",
                                          "{\"X-Note\":\"a\\nX-Other: b\"}",
                                          "{\"X-Note: a\\r\\nX-Other\":\"b\"}", "{\"\":\"b\"}"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct http_request request = request_of("http://127.0.0.1:1/");
        request.headers = cJSON_Parse(headers[i]);
        web_forget();
        struct outcome o = send_it(&request);
        CHECK(o.failed && err.kind == ERR_INPUT && to_loopback == 0);
    }
    struct http_request odd = request_of("http://127.0.0.1:1/");
    strcpy(odd.method, "G T");
    CHECK(send_it(&odd).failed && err.kind == ERR_INPUT);
}

static void test_http__takes_no_answer_without_a_status_line(void)
{
    struct web web = {.answers = {"solid but no HTTP\n"}};
    web_start(&web);
    struct http_request request = request_to(&web, "/");
    struct outcome o = send_it(&request);
    web_end(&web);
    CHECK(o.failed && o.status == 0 && o.sent);
}

static void test_http__unpacks_no_body_and_keeps_no_cookie(void)
{
    struct web web = {.answers = {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nSet-Cookie: a=b\r\n"
                                  "Alt-Svc: h2=\"127.0.0.1:1\"\r\nContent-Length: 3\r\n\r\nabc"},
                      .keeps = true};
    struct http_pool *pool;
    struct http_done done;
    size_t bytes = 0;
    web_start(&web);
    CHECK_OK(http_pool_open(&pool, &err));
    for (int i = 0; i < 2; i++) {
        struct http_request request = request_to(&web, "/");
        CHECK_OK(http_pool_add(pool, &request, NULL, &err));
        while (http_pool_next(&done, pool, 100, &err))
            ;
        bytes += done.answer.body.len;
        http_request_free(&done.request);
        http_answer_free(&done.answer);
    }
    http_pool_close(pool);
    web_end(&web);
    CHECK(bytes == 6 && web.asked_count == 2 && web.connection_count == 1);
    CHECK(!strcasestr(web.asked[1], "cookie:") && !strcasestr(web.asked[0], "accept-encoding"));
}

/* --- where a request may not go --- */

static const char *const inside[] = {
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25lo]/",
    "https://[fd00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[ff02::1]/",
    "https://[::]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://0.0.0.0/",
    "https://0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://inside.test/",
    "https://inside6.test/",
    "https://worse.test/",
    "https://inside.test./",
    "https://" PUBLIC "@127.0.0.1/",
    "https://user:secret@" PUBLIC "/",
    "https://127.0.0.1#@" PUBLIC "/",
    "https://127.0.0.1?@" PUBLIC "/",
    "http://" PUBLIC "/",
    "http://far.test/",
    "HTTP://far.test/",
    "ftp://" PUBLIC "/",
    "file:///etc/passwd",
    "file://" PUBLIC "/etc/passwd",
    "gopher://" PUBLIC ":25/",
    PUBLIC "/",
    "//" PUBLIC "/",
};

static void test_guard__refuses_every_way_of_writing_an_inside_address(void)
{
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        web_forget();
        struct outcome o = send_far(inside[i], NULL, 3);
        if (!o.failed || err.kind != ERR_INPUT || strcmp(err.code, "address_refused") != 0 ||
            o.sent || to_public + to_loopback + to_elsewhere > 0)
            TEST_GIVE_UP("%s: %s (%s), %d %d %d", inside[i], err.what, err.code, to_public,
                         to_loopback, to_elsewhere);
    }
}

/* What is refused above is refused for its address, not because nothing goes anywhere. */
static void test_guard__lets_public_addresses_through(void)
{
    struct web web = {.answers = {OK("hi")}};
    char url[80];
    web_start(&web); /* speaks no TLS */
    for (int i = 0; i < 2; i++) {
        snprintf(url, sizeof url, "https://%s:%d/", i ? "far.test" : PUBLIC, web.port);
        web_forget();
        struct outcome o = send_far(url, NULL, 0);
        if (!o.failed || err.kind != ERR_LATER || o.sent || to_public != 1 || to_loopback)
            TEST_GIVE_UP("%s: %s, %d %d", url, err.what, to_public, to_loopback);
    }
    web_end(&web);
}

/* The address that is checked is the one that is used: a name is looked up once. */
static void test_guard__is_not_fooled_by_a_name_that_turns(void)
{
    struct web web = {.answers = {OK("hi")}};
    char url[80];
    web_start(&web);
    web_forget();
    snprintf(url, sizeof url, "https://turns.test:%d/", web.port);
    struct outcome first = send_far(url, NULL, 0);
    bool went_out = first.failed && err.kind == ERR_LATER && to_public == 1 && to_loopback == 0 &&
                    web_lookups("turns.test") == 1;
    struct outcome second = send_far(url, NULL, 0);
    bool refused = second.failed && err.kind == ERR_INPUT && to_public == 1 && to_loopback == 0 &&
                   web_lookups("turns.test") == 2;
    web_end(&web);
    CHECK(went_out);
    CHECK(refused);
}

/* A pool keeps what a name led to for a minute: what it kept is checked all the same. */
static void test_guard__is_not_fooled_in_a_pool_either(void)
{
    struct http_pool *pool;
    struct http_done done;
    CHECK_OK(http_pool_open(&pool, &err));
    web_forget();
    for (int i = 0; i < 2; i++) {
        struct http_request request = request_of("https://worse.test/");
        request.reach = HTTP_FAR;
        CHECK_OK(http_pool_add(pool, &request, NULL, &err));
        while (http_pool_next(&done, pool, 100, &err))
            ;
        CHECK(done.failed && strcmp(done.err.code, "address_refused") == 0);
        http_request_free(&done.request);
        http_answer_free(&done.answer);
    }
    http_pool_close(pool);
    CHECK(to_public + to_loopback + to_elsewhere == 0);
}

/* libcurl tries the addresses of a name side by side: each passes the guard. */
static void test_guard__takes_of_a_names_addresses_the_public_one(void)
{
    struct web web = {.answers = {OK("hi")}};
    char url[80];
    web_start(&web);
    web_forget();
    snprintf(url, sizeof url, "https://both.test:%d/", web.port);
    struct outcome o = send_far(url, NULL, 0);
    web_end(&web);
    CHECK(o.failed && err.kind == ERR_LATER && to_public == 1 && to_loopback + to_elsewhere == 0);
}

/* --- home and redirects --- */

static void test_home__is_let_in_by_scheme_host_and_port_only(void)
{
    struct web web = {.answers = {OK("hi")}}, other = {.answers = {OK("no")}};
    char home[80], url[80];
    web_start(&web);
    web_start(&other);
    snprintf(home, sizeof home, "http://127.0.0.1:%d/api", web.port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/file.glb", web.port);
    struct outcome at_home = send_far(url, home, 0);
    snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%d/file.glb", web.port);
    struct outcome user = send_far(url, home, 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/file.glb", other.port);
    struct outcome port = send_far(url, home, 0);
    snprintf(url, sizeof url, "http://127.0.0.1.test:%d/", web.port);
    struct outcome name = send_far(url, home, 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", web.port);
    struct outcome scheme = send_far(url, home, 0);
    int asked = web.asked_count, other_asked = other.asked_count;
    web_end(&web);
    web_end(&other);
    CHECK(!at_home.failed && at_home.bytes == 2);
    CHECK(user.failed && port.failed && name.failed && scheme.failed);
    CHECK(asked == 1 && other_asked == 0);
}

static const char *const astray[] = {
    TO("https://169.254.169.254/latest/meta-data/"),
    TO("http://169.254.169.254/"),
    TO("http://far.test/"),
    TO("https://127.0.0.1/"),
    TO("https://[::1]/"),
    TO("//169.254.169.254/"),
    TO("https://inside.test/"),
    TO("file:///etc/passwd"),
    TO("ftp://far.test/"),
    TO("https://a:b@far.test/"),
    TO("http://127.0.0.1:1/"),
    TO("gopher://far.test/"),
    TO("https://user@far.test/"),
    TO("http://localhost/"),
};

/* Of a server that the operator has set as of one from outside: it is sent on to no inside. */
static void test_redirect__leads_nowhere_that_the_first_address_could_not(void)
{
    for (size_t i = 0; i < sizeof astray / sizeof *astray; i++)
        for (int far = 0; far < 2; far++) {
            struct web web = {.answers = {astray[i], OK("no")}};
            web_start(&web);
            struct http_request request = request_to(&web, "/file");
            char home[80];
            snprintf(home, sizeof home, "http://127.0.0.1:%d", web.port);
            request.reach = far ? HTTP_FAR : HTTP_SET;
            request.home = far ? home : NULL;
            request.redirects = 3;
            web_forget();
            struct outcome o = send_it(&request);
            web_end(&web);
            if (!o.failed || o.status || strcmp(err.code, "address_refused") != 0 ||
                to_public + to_elsewhere > 0 || to_loopback != 1)
                TEST_GIVE_UP("%.60s: %s", astray[i], err.what);
        }
}

static void test_redirect__is_followed_three_times_and_no_more(void)
{
    for (int hops = 3; hops <= 4; hops++) {
        struct web web = {
            .answers = {TO("/1"), TO("/2"), TO("/3"), hops == 3 ? OK("hi") : TO("/4"), OK("hi")}};
        web_start(&web);
        struct http_request request = request_to(&web, "/file");
        request.redirects = 9;
        request.headers = cJSON_Parse("{\"X-Key\":\"ours\"}");
        struct outcome o = send_it(&request);
        web_end(&web);
        CHECK(o.failed == (hops == 4 ? -1 : 0) && web.asked_count == 4);
        CHECK(hops == 4 ? o.status == 0 && o.bytes == 0 : o.bytes == 2);
        CHECK(strcasestr(web.asked[3], "x-key: ours")); /* the same place still */
    }
}

static void test_redirect__of_a_post_is_its_answer(void)
{
    struct web web = {.answers = {TO("/elsewhere"), OK("no")}};
    web_start(&web);
    struct http_request request = request_to(&web, "/submit");
    strcpy(request.method, "POST");
    request.redirects = 3;
    struct outcome o = send_it(&request);
    web_end(&web);
    CHECK(!o.failed && o.status == 302 && web.asked_count == 1);
}

static void test_redirect__ends_with_the_time_of_the_whole(void)
{
    struct web web = {.answers = {TO("/1"), TO("/2"), TO("/3"),
                                  "HTTP/1.1 200 OK\r\n"
                                  "Content-Length: 9\r\n\r\nnot"},
                      .keeps = true};
    web_start(&web);
    struct http_request request = request_to(&web, "/file");
    request.redirects = 3;
    request.total_s = 1;
    double begun = clock_s();
    struct outcome o = send_it(&request);
    double took = clock_s() - begun;
    web_end(&web);
    CHECK(o.failed && strcmp(err.code, "http_timeout") == 0 && took < 3);
}

/* --- connections --- */

/* Some in a pool, one after the other: G and P set by the operator, F a GET of an address from
 * outside. How many connections they took. */
static int connections(struct web *web, const char *kinds)
{
    struct http_pool *pool;
    struct http_done done;
    char home[80];
    snprintf(home, sizeof home, "http://127.0.0.1:%d", web->port);
    if (http_pool_open(&pool, &err))
        return -1;
    web->connection_count = 0;
    for (; *kinds; kinds++) {
        struct http_request request = request_to(web, "/");
        strcpy(request.method, *kinds == 'P' ? "POST" : "GET");
        request.reach = *kinds == 'F' ? HTTP_FAR : HTTP_SET;
        request.home = home;
        if (http_pool_add(pool, &request, NULL, &err))
            abort();
        while (http_pool_next(&done, pool, 100, &err))
            ;
        http_request_free(&done.request);
        http_answer_free(&done.answer);
    }
    http_pool_close(pool);
    return web->connection_count;
}

static void test_pool__only_questions_to_our_own_addresses_share_a_connection(void)
{
    struct web web = {.answers = {OK("hi")}, .keeps = true};
    web_start(&web);
    int gets = connections(&web, "GG"), posts = connections(&web, "PP");
    int far = connections(&web, "FF");
    int opens = connections(&web, "GP"), checks = connections(&web, "GF");
    int leaves = connections(&web, "PG"), left = connections(&web, "FG");
    web_end(&web);
    CHECK(gets == 1 && posts == 2 && far == 2);
    CHECK(opens == 2 && checks == 2);
    CHECK(leaves == 2 && left == 2);
}

/* A server that takes a request on a connection used before and hangs up: libcurl would send a GET
 * again; a POST must never be. */
static void test_pool__sends_nothing_twice_that_makes_something(void)
{
    struct web web = {.answers = {OK("hi"), "", OK("hi")}, .keeps = false};
    struct http_pool *pool;
    struct http_done done;
    int failed = 0;
    web_start(&web);
    CHECK_OK(http_pool_open(&pool, &err));
    for (int i = 0; i < 2; i++) {
        struct http_request request = request_to(&web, "/");
        strcpy(request.method, i ? "POST" : "GET");
        CHECK_OK(http_pool_add(pool, &request, NULL, &err));
        while (http_pool_next(&done, pool, 100, &err))
            ;
        failed = done.failed && done.answer.sent;
        http_request_free(&done.request);
        http_answer_free(&done.answer);
    }
    http_pool_close(pool);
    web_end(&web);
    CHECK(failed && web.asked_count == 2);
}

/* --- certificates --- */

static struct outcome send_tls(const struct tls *tls, const char *host, enum http_reach reach)
{
    char url[80];
    snprintf(url, sizeof url, "https://%s:%d/file", host, tls->port);
    struct http_request request = request_of(url);
    request.reach = reach;
    return send_it(&request);
}

static void refuse_certificates(const struct tls *tls)
{
    web_forget();
    struct outcome o = send_tls(tls, "far.test", HTTP_FAR);
    CHECK(o.failed && !o.sent && to_public == 1);
    CHECK_TEXT(err.code, "tls_refused");
    o = send_tls(tls, "127.0.0.1", HTTP_SET); /* nor where the operator says so */
    CHECK(o.failed && !o.sent && to_loopback == 1);
    CHECK_TEXT(err.code, "tls_refused");
    web_trusts = tls->certificate;
    o = send_tls(tls, "both.test", HTTP_FAR); /* a good one, but of another name */
    CHECK(o.failed && !o.sent && to_public == 2);
    CHECK_TEXT(err.code, "tls_refused");
    CHECK(!*tls->asked);
    o = send_tls(tls, "far.test", HTTP_FAR);
    CHECK(!o.failed && o.bytes == 2 && to_public == 3);
}

static void test_tls__takes_no_certificate_that_nobody_vouches_for(void)
{
    struct tls tls;
    if (tls_start(&tls, OK("hi")))
        refuse_certificates(&tls);
    else
        snprintf(test_skipped, sizeof test_skipped, "no openssl here");
    tls_end(&tls);
}

static void send_on(struct tls *tls)
{
    char there[200];
    snprintf(there, sizeof there,
             "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: https://far.test:%d/f\r\n\r\n",
             tls->port);
    struct web web = {.answers = {there}};
    web_start(&web);
    struct http_request request = request_to(&web, "/file");
    request.redirects = 1;
    request.headers = cJSON_Parse("{\"Authorization\":\"Bearer ours\",\"X-Key\":\"ours\"}");
    web_trusts = tls->certificate;
    struct outcome o = send_it(&request);
    web_end(&web);
    CHECK(!o.failed && o.bytes == 2);
    CHECK(strstr(web.asked[0], "Authorization: Bearer ours"));
    CHECK(strstr(tls->asked, "GET /f") && !strstr(tls->asked, "ours") &&
          !strcasestr(tls->asked, "referer"));
}

static void test_redirect__takes_no_key_to_another_place(void)
{
    struct tls tls;
    if (tls_start(&tls, OK("hi")))
        send_on(&tls);
    else
        snprintf(test_skipped, sizeof test_skipped, "no openssl here");
    tls_end(&tls);
}

/* --- the table of addresses --- */

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_is_public((struct sockaddr *)&in, sizeof in);
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
        abort();
    return address_is_public((struct sockaddr *)&in6, sizeof in6);
}

/* The last before, the first, the last and the first after of each block of IANA's special-purpose
 * registries; "" where the neighbour is special itself, or there is none. */
static const char *const blocks[][4] = {
    {"", "0.0.0.0", "0.255.255.255", "1.0.0.0"},
    {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
    {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
    {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
    {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
    {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
    {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
    {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
    {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
    {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
    {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
    {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
    {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
    {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
    {"223.255.255.255", "224.0.0.0", "239.255.255.255", ""},
    {"", "240.0.0.0", "255.255.255.255", ""},
    /* IPv6: all but 2000::/3 is closed */
    {"", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
    {"3fff:1000::", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    {"", "::1", "::1", ""},
    {"", "::127.0.0.1", "::255.255.255.255", ""},
    {"", "::ffff:10.0.0.0", "::ffff:10.255.255.255", "::ffff:11.0.0.0"},
    {"", "::ffff:0.0.0.0", "::ffff:0.255.255.255", "::ffff:1.0.0.0"},
    {"64:ff9b::9.255.255.255", "64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255", "64:ff9b::11.0.0.0"},
    {"", "64:ff9b::1:0:0", "64:ff9b::ffff:ffff:ffff", ""},
    {"", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ""},
    {"", "100::", "100::ffff:ffff:ffff:ffff", ""},
    {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
     "2001:200::"},
    {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
     "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
    {"2002:9ff:ffff::", "2002:a00::", "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff", "2002:b00::"},
    {"2002:7eff:ffff::", "2002:7f00::", "2002:7fff:ffff:ffff:ffff:ffff:ffff:ffff", "2002:8000::"},
    {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
     "3fff:1000::"},
    {"", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    {"", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    {"", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    {"", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    {"", "ff00::", "ffff::", ""},
};

static void test_address__of_each_special_block_is_closed_to_its_edges(void)
{
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        for (int k = 0; k < 4; k++)
            if (*blocks[i][k] && is_public(blocks[i][k]) != (k == 0 || k == 3))
                TEST_GIVE_UP("%s", blocks[i][k]);
}

static void test_address__is_public_elsewhere_and_nowhere_without_ip(void)
{
    static const char *const open[] = {"1.1.1.1",         "8.8.8.8",           PUBLIC,
                                       "2606:4700::1111", "2a00:1450:4001::1", "2620:4f:8000::1",
                                       "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8",  "2002:808:808::1"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (!is_public(open[i]))
            TEST_GIVE_UP("%s", open[i]);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(PUBLIC)};
    CHECK(address_is_public((struct sockaddr *)&in, sizeof in));
    CHECK(!address_is_public((struct sockaddr *)&in, sizeof in - 1));
    in.sin_family = AF_UNIX;
    CHECK(!address_is_public((struct sockaddr *)&in, sizeof in));
}

TESTS(TEST(test_http__a_closed_port_is_a_request_that_never_left),
      TEST(test_http__a_cut_off_answer_is_in_doubt),
      TEST(test_http__follows_no_redirect_and_reads_retry_after),
      TEST(test_http__waits_no_longer_than_an_hour_for_a_server_that_says_so),
      TEST(test_http__stops_a_body_without_length_at_the_cap),
      TEST(test_http__stops_a_head_without_end), TEST(test_http__asks_no_proxy_of_the_environment),
      TEST(test_http__speaks_only_http_and_sends_no_broken_header),
      TEST(test_http__takes_no_answer_without_a_status_line),
      TEST(test_http__unpacks_no_body_and_keeps_no_cookie),
      TEST(test_guard__refuses_every_way_of_writing_an_inside_address),
      TEST(test_guard__lets_public_addresses_through),
      TEST(test_guard__is_not_fooled_by_a_name_that_turns),
      TEST(test_guard__is_not_fooled_in_a_pool_either),
      TEST(test_guard__takes_of_a_names_addresses_the_public_one),
      TEST(test_home__is_let_in_by_scheme_host_and_port_only),
      TEST(test_redirect__leads_nowhere_that_the_first_address_could_not),
      TEST(test_redirect__is_followed_three_times_and_no_more),
      TEST(test_redirect__of_a_post_is_its_answer),
      TEST(test_redirect__ends_with_the_time_of_the_whole),
      TEST(test_pool__only_questions_to_our_own_addresses_share_a_connection),
      TEST(test_pool__sends_nothing_twice_that_makes_something),
      TEST(test_tls__takes_no_certificate_that_nobody_vouches_for),
      TEST(test_redirect__takes_no_key_to_another_place),
      TEST(test_address__of_each_special_block_is_closed_to_its_edges),
      TEST(test_address__is_public_elsewhere_and_nowhere_without_ip))
