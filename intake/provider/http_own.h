/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the HTTP doorman, for one another; the only file here that includes libcurl. A
 * transfer is one request under way, over all its redirects: begun, run by libcurl, settled. */
#ifndef INTAKE_PROVIDER_HTTP_OWN_H
#define INTAKE_PROVIDER_HTTP_OWN_H

#include <curl/curl.h>

#include "intake/provider/http.h"

/* What decides whom a request speaks to; of two requests with the same place it is the same. */
struct place {
    char scheme[8], host[256], port[8];
    bool has_user; /* a name or password stands in the address */
};

struct transfer {
    struct http_request request; /* owned in a pool, borrowed by http_send */
    struct http_answer answer;
    CURL *curl;
    curl_mime *form;
    struct curl_slist *headers;
    void *user;
    struct place first, home; /* where it went first; what the operator has set */
    bool has_home;
    bool at_home;    /* the address is the operator's own: not checked on the socket */
    bool is_strange; /* sent on to another place than the first: gets none of the headers */
    bool refused;    /* an address of the name may not be reached */
    bool opened;     /* another one may, and was tried */
    unsigned redirected;
    int64_t until_ms; /* of all of it, redirects and all */
    size_t header_bytes;
    struct err err; /* of a callback; its failure ends the transfer */
    struct transfer *next, **link;
};

/** libcurl's own set-up, done once before any of its other calls. */
void http_ready(void);

/** Checks that the transfer may go to an address, before anything is looked up, and sets at_home
 * and is_strange. Errors ERR_INPUT, code address_refused where the reach forbids it. (http_place.c)
 */
int transfer_place(struct transfer *x, const char *url, struct err *err) MUST_CHECK;

/** Sets libcurl up for the request's present address. transfer_clear, also after a failure.
 * (http_setup.c) */
int transfer_begin(struct transfer *x, struct err *err) MUST_CHECK;
void transfer_clear(struct transfer *x);

/** libcurl is done with it: 0 the answer is there, 1 sent on and set up anew, -1 failed. */
int transfer_settle(struct transfer *x, CURLcode code, struct err *err) MUST_CHECK;

#endif
