/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the handlers of the HTTP side see: a request, a reply, and one table of routes. http.c is
 * the only file that knows the server library behind it.
 */
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "service/settings.h"
#include "storage/blob.h"
#include "storage/db.h"

#define HTTP_JSON_BYTES ((size_t)1 << 20) /* largest JSON body */
#define HTTP_HEADERS_MAX 64
#define HTTP_URI_MAX 8192
#define HTTP_PATH_PARTS 2

struct http;
struct route;
struct multipart;
struct upload;

struct pair {
    const char *name, *value; /* value is "" where the query has a name only */
};

/* The head of a request as it was sent; texts are borrowed for the request's duration. */
struct head {
    const char *method, *url, *version;
    struct pair headers[HTTP_HEADERS_MAX], query[16];
    size_t header_count, query_count;
    size_t header_bytes, uri_bytes;
    bool too_many; /* more headers or query members than there is room for */
    bool has_nul;  /* a NUL stands in the URI or in a header */
};

struct request {
    struct http *http;
    const struct route *route;
    struct head head;
    char part[HTTP_PATH_PARTS][96]; /* what stands in the path for {..}, in order */
    char trace_id[ID_ROOM];
    char actor[56];        /* user:NAME */
    char pointer[160];     /* JSON pointer of what is wrong, set by a handler that fails */
    struct bytes body;     /* the JSON body, of routes that take one */
    struct upload *upload; /* the streamed parts, of routes that take a form */
    struct db *db;
};

struct reply_header {
    const char *name; /* a constant */
    char value[256];
};

/* A handler fills status and one of body, file or pull. */
struct reply {
    int status; /* 200 unless set */
    const char *mime;
    struct bytes body;
    const char *text; /* instead of body: constant bytes */
    size_t text_bytes;
    int file; /* instead of body: a descriptor to send and close, or -1 */
    uint64_t file_bytes;
    /* Instead of body, for long answers: 0 < n <= room bytes, 0 the end, -1 break off. May wait. */
    ssize_t (*pull)(void *user, char *out, size_t room);
    void (*pull_end)(void *user);
    void *user;
    int64_t pull_bytes; /* the whole length, or -1 when it is not known */
    struct reply_header headers[8];
    size_t header_count;
};

enum route_flags {
    ROUTE_OPEN = 1,     /* needs no API key: health, the console's own files */
    ROUTE_JSON = 2,     /* takes a JSON object */
    ROUTE_FORM = 4,     /* takes multipart/form-data, streamed */
    ROUTE_KEY = 8,      /* needs an Idempotency-Key */
    ROUTE_MATCH = 16,   /* needs If-Match */
    ROUTE_NO_BODY = 32, /* a write whose body, if there is one, must be an empty JSON object */
    ROUTE_HIDDEN = 64   /* files of the console: not part of the described API */
};

struct route {
    const char *method, *path; /* path with {name}, which stands for a part without '/' */
    int (*run)(struct request *request, struct reply *reply, struct err *err);
    unsigned flags;
    const char *summary;
};

/** Row i of the route table, or NULL past its end. */
const struct route *route_at(size_t i);

/** Finds the route of a URI as it was sent and fills request->part. ERR_ABSENT no such path;
 * ERR_INPUT code method_not_allowed with the allowed methods in allow. */
int route_find(struct request *request, char allow[64], const char *method, const char *uri,
               struct err *err) MUST_CHECK;

/** The header's value or NULL; the name in any case. */
const char *request_header(const struct request *request, const char *name);
/** The query member's value or NULL. */
const char *request_query(const struct request *request, const char *name);
/** The query member as a number within limits, or otherwise. ERR_INPUT code query_invalid. */
int request_query_int(int *out, const struct request *request, const char *name, int least,
                      int most, int otherwise, struct err *err) MUST_CHECK;
/** Parses the JSON body into an object; the caller cJSON_Deletes it. An empty body is {}. */
int request_json(cJSON **out, const struct request *request, struct err *err) MUST_CHECK;
/** The request's database connection, taken from the pool on first use and given back at its end.
 */
int request_db(struct db **out, struct request *request, struct err *err) MUST_CHECK;
/** Runs a statement with one text parameter or more; *rows to be freed. ERR_ABSENT when no row. */
int request_one(struct db_rows **rows, struct request *request, const char *what,
                const char *statement, int count, const char *const *parameters,
                struct err *err) MUST_CHECK;

const struct settings *request_settings(const struct request *request);
const struct blobs *request_blobs(const struct request *request);

/** Adds a header (the name is kept by reference). */
void reply_header(struct reply *reply, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/** Answers with JSON text: 200 unless status is set. */
int reply_json(struct reply *reply, const char *json, struct err *err) MUST_CHECK;
/** The same with an ETag; 304 without a body when If-None-Match has it. */
int reply_json_etag(struct reply *reply, const struct request *request, const char *etag,
                    const char *json, struct err *err) MUST_CHECK;

/* The guard (http_guard.c): judges a head before anything else happens. allow_any_host false:
 * only names of this machine. */
int guard_head(const struct head *head, bool allow_any_host, struct err *err) MUST_CHECK;
/** Writes from a browser: Origin must be the Host. */
int guard_origin(const struct head *head, struct err *err) MUST_CHECK;
/** -1 none, else the Content-Length (the head passed guard_head). */
int64_t head_content_length(const struct head *head);
bool head_has_body(const struct head *head);
const char *head_find(const struct head *head, const char *name);

/* The pool of database connections (http_db.c). */
struct pool;
int pool_open(struct pool **out, const char *conninfo, int most, struct err *err) MUST_CHECK;
void pool_close(struct pool *pool);
int pool_take(struct db **out, struct pool *pool, struct err *err) MUST_CHECK;
/** broken: closed instead of kept. NULL db is fine. */
void pool_give(struct pool *pool, struct db *db, bool broken);

/* The watch (http_watch.c): a deadline for each head, a least rate for each body, a cap of
 * connections per address. */
struct watch;
struct watched; /* one connection */
int watch_open(struct watch **out, int most_per_address, int head_ms, struct err *err) MUST_CHECK;
void watch_close(struct watch *watch);
bool watch_admits(struct watch *watch, const struct sockaddr *address);
struct watched *watch_add(struct watch *watch, int fd, const struct sockaddr *address);
void watch_remove(struct watch *watch, struct watched *one);
void watch_body(struct watch *watch, struct watched *one, uint64_t bytes_so_far);
void watch_reply(struct watch *watch, struct watched *one);
void watch_idle(struct watch *watch, struct watched *one);

/* Live events (sse.c): one listener that wakes all readers. */
struct live;
int live_open(struct live **out, struct pool *pool, const char *conninfo,
              struct err *err) MUST_CHECK;
/** Ends all streams and the listener. */
void live_stop(struct live *live);
void live_close(struct live *live);

/* The running server, as the handlers may see it. */
struct http {
    const struct settings *settings;
    struct settings own_settings;
    struct blobs blobs;
    struct pool *pool;
    struct watch *watch;
    struct live *live;
    struct server *server; /* http.c's */
    bool any_host;
    atomic_bool stopping;
    atomic_int under_way;
    pthread_mutex_t photo_lock; /* how many photos are being read at once */
    pthread_cond_t photo_free;
    int photo_slots;
    double started_s;
    _Atomic uint64_t answered[6]; /* by status class, [0] = all */
    _Atomic uint64_t seconds_us;  /* time spent answering */
    char session[65];             /* what the console's cookie must be, "" without a key */
};

/* The upload of orders and models (upload.c), driven by http.c as the body comes. */
int upload_open(struct upload **out, struct request *request, struct err *err) MUST_CHECK;
int upload_feed(struct upload *upload, const void *data, size_t n, struct err *err) MUST_CHECK;
void upload_close(struct upload *upload);

/* Handlers, by file. */
int api_order_create(struct request *, struct reply *, struct err *);
int api_order_list(struct request *, struct reply *, struct err *);
int api_order_show(struct request *, struct reply *, struct err *);
int api_order_events(struct request *, struct reply *, struct err *);
int api_order_cancel(struct request *, struct reply *, struct err *);
int api_order_export(struct request *, struct reply *, struct err *);
int api_quote_create(struct request *, struct reply *, struct err *);
int api_quote_list(struct request *, struct reply *, struct err *);
int api_quote_show(struct request *, struct reply *, struct err *);
int api_quote_accuracy(struct request *, struct reply *, struct err *);
int api_quote_settle(struct request *, struct reply *, struct err *);
int api_item_show(struct request *, struct reply *, struct err *);
int api_item_review(struct request *, struct reply *, struct err *);
int api_item_opinion(struct request *, struct reply *, struct err *);
int api_item_pack(struct request *, struct reply *, struct err *);
int api_item_model(struct request *, struct reply *, struct err *);
int api_review_list(struct request *, struct reply *, struct err *);
int api_queue_list(struct request *, struct reply *, struct err *);
int api_queue_explain(struct request *, struct reply *, struct err *);
int api_run_verdict(struct request *, struct reply *, struct err *);
int api_printer_list(struct request *, struct reply *, struct err *);
int api_printer_add(struct request *, struct reply *, struct err *);
int api_printer_clear(struct request *, struct reply *, struct err *);
int api_printer_pause(struct request *, struct reply *, struct err *);
int api_printer_resume(struct request *, struct reply *, struct err *);
int api_printer_maintenance(struct request *, struct reply *, struct err *);
int api_provider_list(struct request *, struct reply *, struct err *);
int api_ledger(struct request *, struct reply *, struct err *);
int api_task_resolve(struct request *, struct reply *, struct err *);
int api_webhook(struct request *, struct reply *, struct err *);
int api_file(struct request *, struct reply *, struct err *);
int api_events(struct request *, struct reply *, struct err *);
int api_template_list(struct request *, struct reply *, struct err *);
int api_session(struct request *, struct reply *, struct err *);
int api_openapi(struct request *, struct reply *, struct err *);
int api_healthz(struct request *, struct reply *, struct err *);
int api_readyz(struct request *, struct reply *, struct err *);
int api_metrics(struct request *, struct reply *, struct err *);
int api_version(struct request *, struct reply *, struct err *);
int api_console(struct request *, struct reply *, struct err *);

#endif
