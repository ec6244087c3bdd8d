/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request over HTTP with every limit set; the doorman of libcurl in this room. http.h. */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/http.h"

/* libcurl wants its global set-up done once, before any thread uses it. */
static pthread_once_t curl_is_ready = PTHREAD_ONCE_INIT;

static void make_curl_ready(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct exchange {
    struct http_answer *answer;
    const struct http_request *request;
    struct err err; /* of a callback; its failure ends the exchange */
};

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    size_t n = size * count;
    return bytes_append(&exchange->answer->body, data, n, &exchange->err) ? 0 : n;
}

/* Called when the connection is up and before the first byte leaves: from here on in doubt. */
static int before_sending(void *user, char *to, char *from, int to_port, int from_port)
{
    struct exchange *exchange = user;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    exchange->answer->sent = true;
    return CURL_PREREQFUNC_OK;
}

static int watch(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct exchange *exchange = user;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return exchange->request->stop && atomic_load(exchange->request->stop);
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static int add_header(struct curl_slist **list, const char *line, struct err *err)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return FAIL(err, ERR_LIMIT, "no memory for a header");
    *list = longer;
    return 0;
}

/* "Expect:" without a value: libcurl would else wait a second for a 100 before a large body. */
static int make_headers(struct curl_slist **list, const struct http_request *request,
                        struct err *err)
{
    const cJSON *header;
    char line[4096];
    if (add_header(list, "Expect:", err))
        return -1;
    cJSON_ArrayForEach (header, request->headers) {
        const char *value = cJSON_IsString(header) ? header->valuestring : "";
        int n = snprintf(line, sizeof line, "%s: %s", header->string, value);
        if (n >= (int)sizeof line || !is_plain(line))
            return FAIL(err, ERR_INPUT, "the header %.60s cannot be sent", header->string);
        if (add_header(list, line, err))
            return -1;
    }
    return 0;
}

#define SET(curl, option, value) failed |= curl_easy_setopt(curl, option, value) != CURLE_OK

static int set_limits(CURL *curl, const struct http_request *request)
{
    int failed = 0;
    SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(curl, CURLOPT_FOLLOWLOCATION, 0L);
    SET(curl, CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(curl, CURLOPT_PROXY, "");
    SET(curl, CURLOPT_NOSIGNAL, 1L);
    SET(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(curl, CURLOPT_CONNECTTIMEOUT, (long)(request->connect_s ? request->connect_s : 10));
    SET(curl, CURLOPT_TIMEOUT, (long)(request->total_s ? request->total_s : 60));
    if (request->stall_s) {
        SET(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(curl, CURLOPT_LOW_SPEED_TIME, (long)request->stall_s);
    }
    SET(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_bytes);
    return failed;
}

static int set_up(CURL *curl, struct exchange *exchange, struct curl_slist *headers)
{
    const struct http_request *request = exchange->request;
    int failed = set_limits(curl, request);
    SET(curl, CURLOPT_URL, request->url);
    SET(curl, CURLOPT_HTTPHEADER, headers);
    SET(curl, CURLOPT_USERAGENT, "statuette");
    if (strcmp(request->method, "GET") != 0) {
        SET(curl, CURLOPT_POST, 1L);
        SET(curl, CURLOPT_POSTFIELDS, request->body.data ? (char *)request->body.data : "");
        SET(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        SET(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
    SET(curl, CURLOPT_WRITEFUNCTION, take_body);
    SET(curl, CURLOPT_WRITEDATA, exchange);
    SET(curl, CURLOPT_PREREQFUNCTION, before_sending);
    SET(curl, CURLOPT_PREREQDATA, exchange);
    SET(curl, CURLOPT_XFERINFOFUNCTION, watch);
    SET(curl, CURLOPT_XFERINFODATA, exchange);
    SET(curl, CURLOPT_NOPROGRESS, 0L);
    return failed;
}

static void note_answer(struct http_answer *answer, CURL *curl)
{
    long status = 0;
    char *type = NULL;
    curl_off_t wait_s = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s);
    answer->status = (int)status;
    snprintf(answer->content_type, sizeof answer->content_type, "%s", type ? type : "");
    answer->retry_after_s = wait_s > 0 ? (double)wait_s : -1;
}

static int refuse(struct exchange *exchange, CURLcode code, struct err *err)
{
    const char *words = curl_easy_strerror(code);
    bytes_free(&exchange->answer->body);
    exchange->answer->status = 0;
    if (code == CURLE_FILESIZE_EXCEEDED || exchange->err.kind == ERR_LIMIT)
        return FAIL(err, ERR_LIMIT, "the answer is over %zu bytes", exchange->request->max_bytes);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return FAIL(err, ERR_INPUT, "no usable address: %s", words);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return FAIL_CODE(err, ERR_LATER, "http_stopped", "the call was stopped");
    if (code == CURLE_OPERATION_TIMEDOUT)
        return FAIL_CODE(err, ERR_LATER, "http_timeout", "no answer in time");
    return FAIL(err, ERR_LATER, "%s", words);
}

/* A fresh handle each time: libcurl resends by itself only on a connection used before. */
int http_send(struct http_answer *answer, const struct http_request *request, struct err *err)
{
    struct exchange exchange = {.answer = answer, .request = request};
    struct curl_slist *headers = NULL;
    *answer = (struct http_answer){.retry_after_s = -1, .body = {.limit = request->max_bytes}};
    pthread_once(&curl_is_ready, make_curl_ready);
    CURL *curl = curl_easy_init();
    int failed = curl ? 0 : FAIL(err, ERR_LIMIT, "no memory for libcurl");
    if (!failed)
        failed = make_headers(&headers, request, err);
    if (!failed && set_up(curl, &exchange, headers))
        failed = FAIL(err, ERR_BUG, "libcurl does not know an option");
    if (!failed) {
        CURLcode code = curl_easy_perform(curl);
        if (code == CURLE_OK)
            note_answer(answer, curl);
        else
            failed = refuse(&exchange, code, err);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return failed;
}

void http_request_free(struct http_request *request)
{
    if (!request)
        return;
    free(request->url);
    cJSON_Delete(request->headers);
    cJSON_Delete(request->form);
    bytes_free(&request->body);
    *request = (struct http_request){0};
}

void http_answer_free(struct http_answer *answer)
{
    if (!answer)
        return;
    cJSON_Delete(answer->headers);
    bytes_free(&answer->body);
    *answer = (struct http_answer){0};
}
