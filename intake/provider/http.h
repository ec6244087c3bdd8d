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

/* Where a request may go. */
enum http_reach {
    HTTP_SET, /* the address was set by the operator: any host, http or https */
    HTTP_FAR  /* the address came from outside: https and public addresses only, and no user in it,
                 but for the host and port of `home`, which the operator has set */
};

/* A body is one of: none, `body`, or a form (form and files, sent as multipart/form-data). */
struct http_request {
    char method[8];
    char *url;         /* owned */
    cJSON *headers;    /* object name -> text; owned */
    struct bytes body; /* JSON text or raw; owned */
    cJSON *form;       /* object name -> text, in order; a name may come twice; owned */
    struct http_file files[HTTP_FILES];
    unsigned file_count;
    enum http_reach reach;
    const char *home;   /* with HTTP_FAR: an address set by the operator, or NULL; borrowed */
    unsigned redirects; /* followed by a GET, at most 3; each as HTTP_FAR, and where the first one
                           was HTTP_SET its place is the home; headers go to the first place only */
    unsigned connect_s, total_s, stall_s; /* total: with all redirects; stall 0 = none */
    size_t max_bytes;                     /* of the answer */
    const atomic_bool *stop;              /* true ends the call soon; or NULL; borrowed */
};

struct http_answer {
    int status; /* 0 when no answer came */
    bool sent;  /* the request may have reached the server: in doubt when no answer */
    char content_type[80];
    double retry_after_s; /* -1 when none; up to an hour */
    cJSON *headers;       /* lower-case name -> text, at most 64 of them; NULL none; owned */
    struct bytes body;    /* owned */
};

void http_request_free(struct http_request *request);
void http_answer_free(struct http_answer *answer);

/**
 * Sends a request with libcurl and takes the answer: http and https only, no redirect followed but
 * those asked for, no proxy from the environment, no resending, byte and time caps. Where the reach
 * is HTTP_FAR the address is checked on the socket about to be connected, so that neither a name
 * that changes its address nor any way of writing one gets past.
 *
 * Result   an HTTP error status is an answer, not a failure. On failure status is 0 and `sent`
 *          tells an answer that was lost after the connection was up (in doubt) from a request that
 *          never left. The caller calls http_answer_free in either case.
 * Errors   ERR_LATER no connection, cut off, timed out (code http_timeout) or stopped (code
 *          http_stopped), or a certificate that nobody vouches for (code tls_refused): then look at
 *          answer->sent. ERR_LIMIT answer over max_bytes. ERR_INPUT
 *          code address_refused: the reach does not go there; nothing was sent.
 *          ERR_INPUT no usable URL or header.
 * Threads  safe; the calling thread waits.
 */
int http_send(struct http_answer *answer, const struct http_request *request,
              struct err *err) MUST_CHECK;

/* --- many at once ---------------------------------------------------------------------------
 */

struct http_pool;

/* The end of one request. The receiver frees request and answer. */
struct http_done {
    void *user;
    struct http_request request;
    struct http_answer answer;
    bool failed; /* then err as of http_send */
    struct err err;
};

/** For one thread, but for http_pool_wake. Errors ERR_LIMIT. */
int http_pool_open(struct http_pool **out, struct err *err) MUST_CHECK;
/** Cuts off what is under way: those requests are dropped without an end. */
void http_pool_close(struct http_pool *pool);

/** Begins a request and takes it over (*request is empty then; also after a failure). What it
 * borrows must live until its end. Errors ERR_INPUT, ERR_LIMIT. */
int http_pool_add(struct http_pool *pool, struct http_request *request, void *user,
                  struct err *err) MUST_CHECK;

/** Drives what is under way until one has ended (0), wait_ms have passed or it is woken (1). */
int http_pool_next(struct http_done *done, struct http_pool *pool, int wait_ms,
                   struct err *err) MUST_CHECK;

/** Ends a wait in http_pool_next. From any thread. */
void http_pool_wake(struct http_pool *pool);

/** How many are under way. */
size_t http_pool_count(const struct http_pool *pool);

#endif
