/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a request may go, told by its address as libcurl reads it. What a name leads to is checked
 * on the socket (http_setup.c), not here: between two lookups it may change. */
#include <stdio.h>
#include <string.h>

#include "intake/provider/http_own.h"

static int read_part(char *room, size_t size, CURLU *parser, CURLUPart part)
{
    char *text = NULL;
    int failed =
        curl_url_get(parser, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK || strlen(text) >= size;
    if (!failed)
        snprintf(room, size, "%s", text);
    curl_free(text);
    return failed;
}

static bool has_part(CURLU *parser, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(parser, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

static int read_place(struct place *out, const char *url)
{
    CURLU *parser = curl_url();
    int failed = !parser || curl_url_set(parser, CURLUPART_URL, url, 0) != CURLUE_OK ||
                 read_part(out->scheme, sizeof out->scheme, parser, CURLUPART_SCHEME) ||
                 read_part(out->host, sizeof out->host, parser, CURLUPART_HOST) ||
                 read_part(out->port, sizeof out->port, parser, CURLUPART_PORT);
    out->has_user =
        !failed && (has_part(parser, CURLUPART_USER) || has_part(parser, CURLUPART_PASSWORD));
    curl_url_cleanup(parser);
    return failed ? -1 : 0;
}

static bool is_same(const struct place *a, const struct place *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
           strcmp(a->port, b->port) == 0;
}

static int first_place(struct transfer *x, const struct place *there)
{
    bool is_set = x->request.reach == HTTP_SET;
    x->first = *there;
    if (is_set)
        x->home = *there;
    x->has_home = is_set || (x->request.home && read_place(&x->home, x->request.home) == 0);
    return is_set;
}

/* Only the very address that the operator has set is taken as it is. Every other one, and every one
 * that an answer sends us to, must be https, but for the home's own host and port. */
int transfer_place(struct transfer *x, const char *url, struct err *err)
{
    struct place there;
    bool is_set = false;
    const char *code = x->request.reach == HTTP_FAR || x->redirected ? "address_refused" : "";
    if (read_place(&there, url))
        return FAIL_CODE(err, ERR_INPUT, code, "no usable address: %.120s", url);
    if (x->redirected == 0)
        is_set = first_place(x, &there);
    x->at_home = x->has_home && is_same(&there, &x->home);
    x->is_strange = !is_same(&there, &x->first);
    if (is_set)
        return 0;
    if (there.has_user)
        return FAIL_CODE(err, ERR_INPUT, code, "a name or password in an address of %.120s",
                         there.host);
    if (!x->at_home && strcmp(there.scheme, "https") != 0)
        return FAIL_CODE(err, ERR_INPUT, code, "only https may be fetched from %.120s", there.host);
    return 0;
}
