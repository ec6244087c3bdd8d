/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request with its reply, between the server (http.c) and the handlers: no server library here.
 */
#ifndef SERVICE_HTTP_EXCHANGE_H
#define SERVICE_HTTP_EXCHANGE_H

#include "service/http.h"

struct exchange {
    struct request request;
    struct reply reply;
    const char *line; /* the URI in the library's buffer, for its place only: it unescapes there */
    char uri[HTTP_URI_MAX + 1]; /* as sent; cut when it is longer */
    size_t uri_len;
    uint64_t received, limit; /* of the body */
    double begun_s;
    bool started;
    bool failed; /* failure says why; what is left of the body is read and forgotten */
    bool close;  /* the connection is not used again */
    bool counted;
    char allow[64];
    struct err failure;
};

struct puller {
    ssize_t (*pull)(void *user, char *out, size_t room);
    void (*end)(void *user);
    void *user;
};
void puller_free(void *puller);

/** NULL when there is no memory. */
struct exchange *exchange_new(struct http *http, const char *uri);
void exchange_free(struct exchange *x);

/** Judges the head: guard, route, key, origin, sizes. Sets failed, and close where the line cannot
 * be trusted any more. */
void exchange_begin(struct exchange *x);
/** The next bytes of the body. -1 when it grew over its cap. */
int exchange_take(struct exchange *x, const void *data, size_t n);
/** Runs the handler, or writes the problem: the reply is ready afterwards. */
void exchange_finish(struct exchange *x);
/** Counts the answer for /metrics and lets the request end. */
void exchange_count(struct exchange *x);

/* The server itself (http.c), for http_start. */
int server_start(struct http *http, int *port, struct err *err) MUST_CHECK;
void server_stop(struct http *http);
int server_watch_new(struct watch **out, struct err *err) MUST_CHECK;

#endif
