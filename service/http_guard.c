/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judges a request's head before anything else happens: the forms by which two servers in a row can
 * be made to disagree on where a request ends, and hosts and origins that are not ours. The server
 * library lets most of these pass.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/http.h"

static int malformed(struct err *err, const char *what)
{
    return FAIL_CODE(err, ERR_INPUT, "request_malformed", "%s", what);
}

const char *head_find(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (strcasecmp(head->headers[i].name, name) == 0)
            return head->headers[i].value;
    return NULL;
}

static int count(const struct head *head, const char *name)
{
    int n = 0;
    for (size_t i = 0; i < head->header_count; i++)
        n += strcasecmp(head->headers[i].name, name) == 0;
    return n;
}

int64_t head_content_length(const struct head *head)
{
    const char *text = head_find(head, "Content-Length");
    return text ? strtoll(text, NULL, 10) : -1;
}

bool head_has_body(const struct head *head)
{
    return head_find(head, "Transfer-Encoding") || head_content_length(head) > 0;
}

static int check_names(const struct head *head, struct err *err)
{
    if (head->has_nul)
        return malformed(err, "a NUL stands in the request's head");
    if (head->uri_bytes > HTTP_URI_MAX)
        return FAIL_CODE(err, ERR_LIMIT, "uri_too_long", "the URI is over %d bytes", HTTP_URI_MAX);
    if (head->too_many || head->header_bytes > 16384)
        return FAIL_CODE(err, ERR_LIMIT, "header_too_large", "too many or too large headers");
    for (size_t i = 0; i < head->header_count; i++) {
        const struct pair *h = &head->headers[i];
        if (!*h->name)
            return malformed(err, "a header has no name");
        for (const char *c = h->name; *c; c++)
            if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
                return malformed(err, "a header's name has a character that is not allowed");
        for (const char *c = h->value; *c; c++)
            if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
                return malformed(err, "a header's value has a control character");
    }
    return 0;
}

/* Where does the body end? Exactly one answer, or none is given. */
static int check_framing(const struct head *head, struct err *err)
{
    const char *length = head_find(head, "Content-Length");
    const char *encoding = head_find(head, "Transfer-Encoding");
    if (length && encoding)
        return malformed(err, "both Content-Length and Transfer-Encoding are given");
    if (count(head, "Content-Length") > 1 || count(head, "Transfer-Encoding") > 1)
        return malformed(err, "the length is given twice");
    if (encoding && strcasecmp(encoding, "chunked") != 0)
        return FAIL_CODE(err, ERR_INPUT, "transfer_encoding_unknown",
                         "only the transfer encoding chunked is known here");
    if (encoding && strcmp(head->version, "HTTP/1.1") != 0)
        return malformed(err, "a transfer encoding needs HTTP/1.1");
    if (length &&
        (!*length || strlen(length) > 18 || strspn(length, "0123456789") != strlen(length)))
        return malformed(err, "the Content-Length is no plain number");
    const char *expect = head_find(head, "Expect");
    if (expect && strcasecmp(expect, "100-continue") != 0)
        return FAIL_CODE(err, ERR_INPUT, "expectation_failed", "only 100-continue can be expected");
    return 0;
}

static int check_method(const struct head *head, struct err *err)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(head->method, known[i]) == 0)
            return 0;
    return FAIL_CODE(err, ERR_INPUT, "method_unknown", "this method is not known here");
}

/* A host name or address with an optional port; *name_len gets the part before the port. */
static bool host_proper(const char *host, size_t *name_len)
{
    size_t n;
    if (*host == '[') {
        n = strspn(host + 1, "0123456789abcdefABCDEF:.") + 1;
        if (n < 3 || host[n] != ']')
            return false;
        n++;
    } else {
        n = 0;
        while (isalnum((unsigned char)host[n]) || (host[n] && strchr(".-_", host[n])))
            n++;
    }
    *name_len = n;
    if (!n || n > 255)
        return false;
    if (!host[n])
        return true;
    size_t digits = strspn(host + n + 1, "0123456789");
    return host[n] == ':' && digits && digits <= 5 && !host[n + 1 + digits];
}

/* Loopback addresses, and names of one label: nobody outside can point such a name at us. */
static bool host_is_near(const char *host, size_t n)
{
    char name[256];
    struct in_addr v4;
    memcpy(name, host, n);
    name[n] = 0;
    if (strcmp(name, "[::1]") == 0 || (*name != '[' && !strchr(name, '.')))
        return true;
    return inet_pton(AF_INET, name, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* A page elsewhere may give its own name our address: then Host is that name, and is refused. */
static int check_host(const struct head *head, bool allow_any, struct err *err)
{
    const char *host = head_find(head, "Host");
    size_t name_len = 0;
    if (count(head, "Host") != 1)
        return malformed(err, host ? "Host is given twice" : "Host is missing");
    if (!host_proper(host, &name_len))
        return malformed(err, "Host is no host name with an optional port");
    if (!allow_any && !host_is_near(host, name_len))
        return FAIL_CODE(err, ERR_DENIED, "host_unknown",
                         "without an API key only names of this machine are served");
    return 0;
}

int guard_head(const struct head *head, bool allow_any_host, struct err *err)
{
    if (check_names(head, err) || check_framing(head, err) || check_method(head, err))
        return -1;
    return check_host(head, allow_any_host, err);
}

int guard_origin(const struct head *head, struct err *err)
{
    const char *origin = head_find(head, "Origin"), *site = head_find(head, "Sec-Fetch-Site");
    if (site && strcmp(site, "cross-site") == 0)
        return FAIL_CODE(err, ERR_DENIED, "origin_refused", "a page of another site may not write");
    if (!origin)
        return 0;
    const char *host = strstr(origin, "://");
    const char *own = head_find(head, "Host");
    if (!host || !own || strcasecmp(host + 3, own) != 0)
        return FAIL_CODE(err, ERR_DENIED, "origin_refused", "a page of another site may not write");
    return 0;
}
