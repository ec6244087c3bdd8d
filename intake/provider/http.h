/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests over HTTP with every limit set: one and wait, or many at once on one thread. The doorman
 * of libcurl is http.c. */
#ifndef INTAKE_PROVIDER_HTTP_H
#define INTAKE_PROVIDER_HTTP_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/json.h"

/* One file of a form; all borrowed. */
struct http_file {
    const char *name, *filename, *mime;
    const uint8_t *data;
    size_t bytes;
};

#define HTTP_FILES 8

/* A body is one of: none, `body`, or a form (form and files, sent as multipart/form-data). */
struct http_request {
    char method[8];
    char *url;         /* owned */
    cJSON *headers;    /* object name -> text; owned */
    struct bytes body; /* JSON text or raw; owned */
    cJSON *form;       /* object name -> text, in order; a name may come twice; owned */
    struct http_file files[HTTP_FILES];
    unsigned file_count;
    unsigned connect_s, total_s, stall_s; /* stall 0 = none */
    size_t max_bytes;                     /* of the answer */
    const atomic_bool *stop;              /* true ends the call soon; or NULL; borrowed */
};

struct http_answer {
    int status; /* 0 when no answer came */
    bool sent;  /* the request may have reached the server: in doubt when no answer */
    char content_type[80];
    double retry_after_s; /* -1 when none */
    cJSON *headers;       /* lower-case name -> text, at most 64 of them; NULL none; owned */
    struct bytes body;    /* owned */
};

void http_request_free(struct http_request *request);
void http_answer_free(struct http_answer *answer);

/**
 * Sends a request with libcurl and takes the answer: http and https only, no redirect followed, no
 * proxy from the environment, no resending, byte and time caps.
 *
 * Result   an HTTP error status is an answer, not a failure. On failure status is 0 and `sent`
 *          tells an answer that was lost after the connection was up (in doubt) from a request that
 *          never left. The caller calls http_answer_free in either case.
 * Errors   ERR_LATER no connection, cut off, timed out (code http_timeout) or stopped (code
 *          http_stopped): then look at answer->sent. ERR_LIMIT answer over max_bytes.
 *          ERR_INPUT no usable URL or header.
 * Threads  safe; the calling thread waits.
 */
int http_send(struct http_answer *answer, const struct http_request *request,
              struct err *err) MUST_CHECK;

#endif
