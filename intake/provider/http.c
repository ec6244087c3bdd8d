/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests over HTTP with every limit set; the doorman of libcurl in this room. http.h. */
#include "intake/provider/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "intake/provider/http_guard.h"

#define HEADERS_MOST 64
#define REDIRECTS_MOST 3

/* libcurl wants its global set-up done once, before any thread uses it. */
static pthread_once_t curl_is_ready = PTHREAD_ONCE_INIT;

static void make_curl_ready(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* One request under way. */
struct exchange {
    struct http_request request; /* owned in a pool, borrowed by http_send */
    struct http_answer answer;
    CURL *curl;
    curl_mime *form;
    struct curl_slist *headers;
    void *user;
    unsigned redirected;
    bool at_home;   /* the address is the operator's own: not checked */
    bool refused;   /* the address may not be reached */
    struct err err; /* of a callback; its failure ends the exchange */
    struct exchange *next, **link;
};

/* --- while it runs ------------------------------------------------------------------------------
 */

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t n = size * count;
    return bytes_append(&x->answer.body, data, n, &x->err) ? 0 : n;
}

/* "Name: value" with any case; a second header of a name is left out. */
static size_t take_header(char *data, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t n = size * count;
    char line[512];
    int length = snprintf(line, sizeof line, "%.*s", (int)(n < 500 ? n : 500), data);
    if (strncmp(line, "HTTP/", 5) == 0) { /* of a redirect or a 100 before */
        cJSON_Delete(x->answer.headers);
        x->answer.headers = cJSON_CreateObject();
    }
    while (length > 0 && (unsigned char)line[length - 1] <= ' ')
        line[--length] = 0;
    char *value = strchr(line, ':');
    if (!value || cJSON_GetArraySize(x->answer.headers) >= HEADERS_MOST)
        return n;
    *value++ = 0;
    value += strspn(value, " \t");
    for (char *c = line; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    if (!json_text(x->answer.headers, line, NULL))
        cJSON_AddStringToObject(x->answer.headers, line, value);
    return n;
}

/* Called when the connection is up and before the first byte leaves: from here on in doubt. */
static int before_sending(void *user, char *to, char *from, int to_port, int from_port)
{
    struct exchange *x = user;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    x->answer.sent = true;
    return CURL_PREREQFUNC_OK;
}

static int watch(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct exchange *x = user;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return x->request.stop && atomic_load(x->request.stop);
}

/* The last moment before a connection: the address here is the one that is used. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct exchange *x = user;
    (void)purpose;
    if (!x->at_home && !address_is_public(&to->addr, to->addrlen)) {
        x->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- where it may go ----------------------------------------------------------------------------
 */

struct place {
    char scheme[8], host[256], port[8];
};

static int read_place(struct place *out, const char *url)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    char *const rooms[] = {out->scheme, out->host, out->port};
    const size_t sizes[] = {sizeof out->scheme, sizeof out->host, sizeof out->port};
    CURLU *parser = curl_url();
    int failed = !parser || curl_url_set(parser, CURLUPART_URL, url, 0) != CURLUE_OK;
    for (int i = 0; i < 3 && !failed; i++) {
        char *text = NULL;
        failed = curl_url_get(parser, parts[i], &text, CURLU_DEFAULT_PORT) != CURLUE_OK ||
                 strlen(text) >= sizes[i];
        if (!failed)
            snprintf(rooms[i], sizes[i], "%s", text);
        curl_free(text);
    }
    curl_url_cleanup(parser);
    return failed ? -1 : 0;
}

/* Sets at_home. An address from outside must be https, but for the home's own host and port. */
static int check_place(struct exchange *x, const char *url, struct err *err)
{
    struct place there, home;
    x->at_home = x->request.reach == HTTP_SET;
    if (x->at_home)
        return 0;
    if (read_place(&there, url))
        return FAIL_CODE(err, ERR_INPUT, "address_refused", "no address: %.120s", url);
    if (x->request.home && !read_place(&home, x->request.home))
        x->at_home = strcmp(there.scheme, home.scheme) == 0 &&
                     strcasecmp(there.host, home.host) == 0 && strcmp(there.port, home.port) == 0;
    if (x->at_home || strcmp(there.scheme, "https") == 0)
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "address_refused", "only https may be fetched from %.120s",
                     there.host);
}

/* --- setting up ---------------------------------------------------------------------------------
 */

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
static int make_headers(struct exchange *x, struct err *err)
{
    const cJSON *header;
    char line[4096];
    if (add_header(&x->headers, "Expect:", err))
        return -1;
    cJSON_ArrayForEach (header, x->request.headers) {
        if (!cJSON_IsString(header))
            continue;
        int n = snprintf(line, sizeof line, "%s: %s", header->string, header->valuestring);
        if (n < 0 || (size_t)n >= sizeof line || !is_plain(line))
            return FAIL(err, ERR_INPUT, "the header %.60s cannot be sent", header->string);
        if (add_header(&x->headers, line, err))
            return -1;
    }
    return 0;
}

#define SET(curl, option, value) failed |= curl_easy_setopt(curl, option, value) != CURLE_OK

static int set_limits(CURL *curl, const struct http_request *request)
{
    int failed = 0;
    SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
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

static int set_form(struct exchange *x)
{
    const cJSON *field;
    int failed = 0;
    x->form = curl_mime_init(x->curl);
    cJSON_ArrayForEach (field, x->request.form) {
        curl_mimepart *part = curl_mime_addpart(x->form);
        failed |= !part || curl_mime_name(part, field->string) != CURLE_OK ||
                  curl_mime_data(part, field->valuestring, CURL_ZERO_TERMINATED) != CURLE_OK;
    }
    for (unsigned i = 0; i < x->request.file_count; i++) {
        const struct http_file *file = &x->request.files[i];
        curl_mimepart *part = curl_mime_addpart(x->form);
        failed |= !part || curl_mime_name(part, file->name) != CURLE_OK ||
                  curl_mime_filename(part, file->filename) != CURLE_OK ||
                  curl_mime_type(part, file->mime) != CURLE_OK ||
                  curl_mime_data(part, (const char *)file->data, file->bytes) != CURLE_OK;
    }
    SET(x->curl, CURLOPT_MIMEPOST, x->form);
    return failed;
}

/* libcurl resends by itself only on a connection used before: what changes something has a fresh
 * one. */
static int set_body(struct exchange *x)
{
    const struct http_request *request = &x->request;
    int failed = 0;
    if (strcmp(request->method, "GET") == 0)
        return 0;
    SET(x->curl, CURLOPT_FRESH_CONNECT, 1L);
    SET(x->curl, CURLOPT_FORBID_REUSE, 1L);
    if (request->form || request->file_count) {
        failed |= set_form(x);
    } else {
        SET(x->curl, CURLOPT_POST, 1L);
        SET(x->curl, CURLOPT_POSTFIELDS, request->body.data ? (char *)request->body.data : "");
        SET(x->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
    SET(x->curl, CURLOPT_CUSTOMREQUEST, request->method);
    return failed;
}

static int set_up(struct exchange *x)
{
    CURL *curl = x->curl;
    int failed = set_limits(curl, &x->request);
    SET(curl, CURLOPT_URL, x->request.url);
    SET(curl, CURLOPT_HTTPHEADER, x->headers);
    SET(curl, CURLOPT_USERAGENT, "statuette");
    failed |= set_body(x);
    SET(curl, CURLOPT_WRITEFUNCTION, take_body);
    SET(curl, CURLOPT_WRITEDATA, x);
    SET(curl, CURLOPT_HEADERFUNCTION, take_header);
    SET(curl, CURLOPT_HEADERDATA, x);
    SET(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(curl, CURLOPT_OPENSOCKETDATA, x);
    SET(curl, CURLOPT_PREREQFUNCTION, before_sending);
    SET(curl, CURLOPT_PREREQDATA, x);
    SET(curl, CURLOPT_XFERINFOFUNCTION, watch);
    SET(curl, CURLOPT_XFERINFODATA, x);
    SET(curl, CURLOPT_NOPROGRESS, 0L);
    SET(curl, CURLOPT_PRIVATE, x);
    return failed;
}

/* A connection of another request may be used again only when both may go anywhere. */
static int begin(struct exchange *x, struct err *err)
{
    int failed = 0;
    x->answer = (struct http_answer){.retry_after_s = -1, .body = {.limit = x->request.max_bytes}};
    pthread_once(&curl_is_ready, make_curl_ready);
    if (!x->request.url || check_place(x, x->request.url, err))
        return x->request.url ? -1 : FAIL(err, ERR_INPUT, "no address");
    x->answer.headers = cJSON_CreateObject();
    x->curl = curl_easy_init();
    if (!x->curl)
        return FAIL(err, ERR_LIMIT, "no memory for libcurl");
    if (make_headers(x, err))
        return -1;
    if (x->request.reach == HTTP_FAR)
        SET(x->curl, CURLOPT_FRESH_CONNECT, 1L);
    return failed | set_up(x) ? FAIL(err, ERR_BUG, "libcurl does not know an option") : 0;
}

static void clear(struct exchange *x)
{
    curl_easy_cleanup(x->curl);
    curl_mime_free(x->form);
    curl_slist_free_all(x->headers);
    x->curl = NULL;
    x->form = NULL;
    x->headers = NULL;
}

/* --- the end ------------------------------------------------------------------------------------
 */

static void note_answer(struct exchange *x)
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
    answer->retry_after_s = wait_s > 0 ? (double)wait_s : -1;
}

static int refuse(struct exchange *x, CURLcode code, struct err *err)
{
    const char *words = curl_easy_strerror(code);
    bytes_free(&x->answer.body);
    x->answer.status = 0;
    if (x->refused)
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
    return FAIL(err, ERR_LATER, "%s", words);
}

/* 1 the answer sends us on to another place and x is set up anew; 0 it is the answer; -1 refused.
 */
static int redirect(struct exchange *x, struct err *err)
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
    clear(x);
    return begin(x, err) ? -1 : 1;
}

static int settle(struct exchange *x, CURLcode code, struct err *err)
{
    if (code != CURLE_OK)
        return refuse(x, code, err);
    note_answer(x);
    return redirect(x, err);
}

int http_send(struct http_answer *answer, const struct http_request *request, struct err *err)
{
    struct exchange x = {.request = *request};
    x.request.url = request->url ? strdup(request->url) : NULL;
    int result = begin(&x, err);
    while (!result) {
        result = settle(&x, curl_easy_perform(x.curl), err);
        if (!result)
            break;
        result = result < 0 ? -1 : 0;
    }
    *answer = x.answer;
    free(x.request.url);
    clear(&x);
    return result;
}

/* --- many at once -------------------------------------------------------------------------------
 */

struct http_pool {
    CURLM *multi;
    struct exchange *first;
    size_t count;
};

int http_pool_open(struct http_pool **out, struct err *err)
{
    struct http_pool *pool = calloc(1, sizeof *pool);
    pthread_once(&curl_is_ready, make_curl_ready);
    if (pool)
        pool->multi = curl_multi_init();
    *out = pool;
    if (pool && pool->multi)
        return 0;
    free(pool);
    *out = NULL;
    return FAIL(err, ERR_LIMIT, "no memory for libcurl");
}

static void forget(struct http_pool *pool, struct exchange *x)
{
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
    pool->count--;
}

void http_pool_close(struct http_pool *pool)
{
    if (!pool)
        return;
    for (struct exchange *x; (x = pool->first);) {
        forget(pool, x);
        curl_multi_remove_handle(pool->multi, x->curl);
        clear(x);
        http_request_free(&x->request);
        http_answer_free(&x->answer);
        free(x);
    }
    curl_multi_cleanup(pool->multi);
    free(pool);
}

int http_pool_add(struct http_pool *pool, struct http_request *request, void *user, struct err *err)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x) {
        http_request_free(request);
        return FAIL(err, ERR_LIMIT, "no memory for a request");
    }
    x->request = *request;
    x->user = user;
    *request = (struct http_request){0};
    if (begin(x, err) || curl_multi_add_handle(pool->multi, x->curl) != CURLM_OK) {
        clear(x);
        http_request_free(&x->request);
        http_answer_free(&x->answer);
        free(x);
        return err->kind ? -1 : FAIL(err, ERR_LIMIT, "libcurl takes no further request");
    }
    x->next = pool->first;
    x->link = &pool->first;
    if (x->next)
        x->next->link = &x->next;
    pool->first = x;
    pool->count++;
    return 0;
}

/* 0 *done is filled, 1 it was sent on and runs again. */
static int finish(struct http_done *done, struct http_pool *pool, struct exchange *x, CURLcode code)
{
    struct err err = {0};
    curl_multi_remove_handle(pool->multi, x->curl);
    int result = settle(x, code, &err);
    if (result == 1 && curl_multi_add_handle(pool->multi, x->curl) == CURLM_OK)
        return 1;
    forget(pool, x);
    *done = (struct http_done){.user = x->user,
                               .request = x->request,
                               .answer = x->answer,
                               .failed = result != 0,
                               .err = err};
    clear(x);
    free(x);
    return 0;
}

/* 0 one has ended, 1 none. */
static int take_ended(struct http_done *done, struct http_pool *pool)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(pool->multi, &left));) {
        struct exchange *x = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
        if (m->msg == CURLMSG_DONE && finish(done, pool, x, code) == 0)
            return 0;
    }
    return 1;
}

int http_pool_next(struct http_done *done, struct http_pool *pool, int wait_ms, struct err *err)
{
    int running;
    if (curl_multi_perform(pool->multi, &running) != CURLM_OK)
        return FAIL(err, ERR_BUG, "libcurl cannot go on");
    if (take_ended(done, pool) == 0)
        return 0;
    if (curl_multi_poll(pool->multi, NULL, 0, wait_ms, NULL) != CURLM_OK ||
        curl_multi_perform(pool->multi, &running) != CURLM_OK)
        return FAIL(err, ERR_BUG, "libcurl cannot go on");
    return take_ended(done, pool);
}

void http_pool_wake(struct http_pool *pool)
{
    curl_multi_wakeup(pool->multi);
}

size_t http_pool_count(const struct http_pool *pool)
{
    return pool->count;
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
