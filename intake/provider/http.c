/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request over HTTP, and how any of them ends: as an answer, sent on, or failed. http.h. */
#include "intake/provider/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/http_own.h"

#define REDIRECTS_MOST 3
#define RETRY_AFTER_MOST_S 3600 /* a server may say a year, and nobody would look before */

/* libcurl wants its global set-up done once, before any thread uses it. */
static pthread_once_t curl_is_ready = PTHREAD_ONCE_INIT;

static void make_curl_ready(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_ready(void)
{
    pthread_once(&curl_is_ready, make_curl_ready);
}

static void note_answer(struct transfer *x)
{
    struct http_answer *answer = &x->answer;
    long status = 0;
    char *type = NULL;
    curl_off_t wait_s = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(x->curl, CURLINFO_RETRY_AFTER, &wait_s);
    answer->status = (int)status;
    snprintf(answer->content_type, sizeof answer->content_type, "%s", type ? type : "");
    if (wait_s > RETRY_AFTER_MOST_S)
        wait_s = RETRY_AFTER_MOST_S;
    answer->retry_after_s = wait_s > 0 ? (double)wait_s : -1;
}

static int refuse(struct transfer *x, CURLcode code, struct err *err)
{
    const char *words = curl_easy_strerror(code);
    bytes_free(&x->answer.body);
    x->answer.status = 0;
    if (x->refused && !x->opened)
        return FAIL_CODE(err, ERR_INPUT, "address_refused",
                         "an address that is not public may not be fetched");
    if (code == CURLE_FILESIZE_EXCEEDED || x->err.kind == ERR_LIMIT)
        return FAIL(err, ERR_LIMIT, "the answer is over %zu bytes", x->request.max_bytes);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return FAIL(err, ERR_INPUT, "no usable address: %s", words);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return FAIL_CODE(err, ERR_LATER, "http_stopped", "the call was stopped");
    if (code == CURLE_OPERATION_TIMEDOUT)
        return FAIL_CODE(err, ERR_LATER, "http_timeout", "no answer in time");
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return FAIL_CODE(err, ERR_LATER, "tls_refused", "the server's certificate: %s", words);
    return FAIL(err, ERR_LATER, "%s", words);
}

/* Only a GET that asked for it is sent on, and its new address is checked like the first. */
static int redirect(struct transfer *x, struct err *err)
{
    char *to = NULL;
    unsigned most = x->request.redirects < REDIRECTS_MOST ? x->request.redirects : REDIRECTS_MOST;
    if (x->answer.status < 300 || x->answer.status > 399 || strcmp(x->request.method, "GET") != 0 ||
        most == 0)
        return 0;
    if (curl_easy_getinfo(x->curl, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to)
        return 0;
    if (x->redirected++ == most)
        return FAIL_CODE(err, ERR_INPUT, "address_refused", "more than %u redirects", most);
    char *url = strdup(to);
    if (!url)
        return FAIL(err, ERR_LIMIT, "no memory for an address");
    free(x->request.url);
    x->request.url = url;
    http_answer_free(&x->answer);
    transfer_clear(x);
    return transfer_begin(x, err) ? -1 : 1;
}

int transfer_settle(struct transfer *x, CURLcode code, struct err *err)
{
    int result = 0;
    if (code != CURLE_OK)
        return refuse(x, code, err);
    note_answer(x);
    result = redirect(x, err);
    if (result < 0) {
        bytes_free(&x->answer.body);
        x->answer.status = 0;
    }
    return result;
}

int http_send(struct http_answer *answer, const struct http_request *request, struct err *err)
{
    struct transfer x = {.request = *request};
    http_ready();
    x.request.url = request->url ? strdup(request->url) : NULL;
    int result = transfer_begin(&x, err) ? -1 : 1;
    while (result == 1)
        result = transfer_settle(&x, curl_easy_perform(x.curl), err);
    *answer = x.answer;
    free(x.request.url);
    transfer_clear(&x);
    return result;
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
