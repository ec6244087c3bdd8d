/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets libcurl up for one request: what it may speak, how long, how much, with whom; and what is
 * watched while it runs. http_own.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/provider/http_guard.h"
#include "intake/provider/http_own.h"

#define HEADERS_MOST 64
#define HEADER_BYTES_MOST ((size_t)256 << 10)

/* --- while it runs ------------------------------------------------------------------------------
 */

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *x = user;
    size_t n = size * count;
    return bytes_append(&x->answer.body, data, n, &x->err) ? 0 : n;
}

/* "Name: value" with any case; a second header of a name is left out. libcurl keeps every header
 * (all of them, before 8.3), so an endless head is cut off here. */
static size_t take_header(char *data, size_t size, size_t count, void *user)
{
    struct transfer *x = user;
    size_t n = size * count;
    char line[512];
    snprintf(line, sizeof line, "%.*s", (int)(n < 500 ? n : 500), data);
    if ((x->header_bytes += n) > HEADER_BYTES_MOST)
        return FAIL(&x->err, ERR_LIMIT, "endless headers") ? 0 : n;
    if (strncmp(line, "HTTP/", 5) == 0) { /* a 100 came before */
        cJSON_Delete(x->answer.headers);
        x->answer.headers = cJSON_CreateObject();
    }
    size_t length = strlen(line);
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

/* Called when the connection is up, TLS and all, and before the first byte of the request leaves:
 * from here on in doubt. */
static int before_sending(void *user, char *to, char *from, int to_port, int from_port)
{
    struct transfer *x = user;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    x->answer.sent = true;
    return CURL_PREREQFUNC_OK;
}

static int watch(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct transfer *x = user;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return x->request.stop && atomic_load(x->request.stop);
}

/* The last moment before a connection: the address here is the one that is used, of each of the
 * name's addresses that libcurl tries, one after the other or two at once. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *x = user;
    (void)purpose;
    if (!x->at_home && !address_is_public(&to->addr, to->addrlen)) {
        x->refused = true;
        return CURL_SOCKET_BAD;
    }
    x->opened = true;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- headers ------------------------------------------------------------------------------------
 */

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "!#$%&'*+-.^_`|~";
    return *text && text[strspn(text, letters)] == 0;
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
static int make_headers(struct transfer *x, struct err *err)
{
    const cJSON *header;
    char line[4096];
    if (add_header(&x->headers, "Expect:", err))
        return -1;
    if (x->is_strange) /* a key is not for whom an answer sends us to */
        return 0;
    cJSON_ArrayForEach (header, x->request.headers) {
        if (!cJSON_IsString(header))
            continue;
        int n = snprintf(line, sizeof line, "%s: %s", header->string, header->valuestring);
        if (n < 0 || (size_t)n >= sizeof line || !is_token(header->string) || !is_plain(line))
            return FAIL(err, ERR_INPUT, "the header %.60s cannot be sent", header->string);
        if (add_header(&x->headers, line, err))
            return -1;
    }
    return 0;
}

/* --- options ------------------------------------------------------------------------------------
 */

#define SET(curl, option, value) failed |= curl_easy_setopt(curl, option, value) != CURLE_OK

/* Some of these are libcurl's defaults; they are said all the same, because all else stands on
 * them. No Accept-Encoding is sent, and without it libcurl unpacks no content. */
static int set_manners(CURL *curl)
{
    int failed = 0;
    SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(curl, CURLOPT_FOLLOWLOCATION, 0L);
    SET(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(curl, CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(curl, CURLOPT_HTTP09_ALLOWED, 0L);
    SET(curl, CURLOPT_PROXY, "");
    SET(curl, CURLOPT_NOSIGNAL, 1L);
    SET(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(curl, CURLOPT_USERAGENT, "statuette");
    return failed;
}

static int set_limits(struct transfer *x)
{
    const struct http_request *request = &x->request;
    CURL *curl = x->curl;
    int failed = 0;
    int64_t left = x->until_ms - clock_ms();
    SET(curl, CURLOPT_CONNECTTIMEOUT, (long)(request->connect_s ? request->connect_s : 10));
    SET(curl, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
    if (request->stall_s) {
        SET(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(curl, CURLOPT_LOW_SPEED_TIME, (long)request->stall_s);
    }
    SET(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_bytes);
    return failed;
}

static int set_form(struct transfer *x)
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

static bool is_get(const struct http_request *request)
{
    return strcmp(request->method, "GET") == 0;
}

static int set_body(struct transfer *x)
{
    const struct http_request *request = &x->request;
    int failed = 0;
    if (is_get(request))
        return 0;
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

/*
 * libcurl sends again by itself on a connection that was used before, and on HTTP/2 where a stream
 * is refused: what changes something has a connection of its own, and HTTP/1.1. So has what comes
 * from an address that was not set here: the check stands where a connection is opened, so none
 * that is open may be taken, nor left for others.
 */
static int set_connection(struct transfer *x)
{
    int failed = 0;
    if (is_get(&x->request) && x->request.reach == HTTP_SET && x->redirected == 0)
        return 0;
    SET(x->curl, CURLOPT_FRESH_CONNECT, 1L);
    SET(x->curl, CURLOPT_FORBID_REUSE, 1L);
    SET(x->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return failed;
}

static int set_callbacks(struct transfer *x)
{
    CURL *curl = x->curl;
    int failed = 0;
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

static int set_up(struct transfer *x)
{
    int failed = set_manners(x->curl);
    SET(x->curl, CURLOPT_URL, x->request.url);
    SET(x->curl, CURLOPT_HTTPHEADER, x->headers);
    failed |= set_limits(x);
    failed |= set_body(x);
    failed |= set_connection(x);
    failed |= set_callbacks(x);
    return failed;
}

int transfer_begin(struct transfer *x, struct err *err)
{
    const struct http_request *request = &x->request;
    x->answer = (struct http_answer){.retry_after_s = -1, .body = {.limit = request->max_bytes}};
    if (!request->url || !is_token(request->method))
        return FAIL(err, ERR_INPUT, "no address or no method");
    x->refused = x->opened = false;
    if (transfer_place(x, request->url, err))
        return -1;
    if (x->redirected == 0)
        x->until_ms = clock_ms() + 1000 * (int64_t)(request->total_s ? request->total_s : 60);
    x->answer.headers = cJSON_CreateObject();
    x->curl = curl_easy_init();
    if (!x->curl)
        return FAIL(err, ERR_LIMIT, "no memory for libcurl");
    if (make_headers(x, err))
        return -1;
    return set_up(x) ? FAIL(err, ERR_BUG, "libcurl does not know an option") : 0;
}

void transfer_clear(struct transfer *x)
{
    curl_easy_cleanup(x->curl);
    curl_mime_free(x->form);
    curl_slist_free_all(x->headers);
    x->curl = NULL;
    x->form = NULL;
    x->headers = NULL;
}
