/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Image-to-3D providers: a driver builds a request and reads an answer; the core runs libcurl. So a
 * driver is tested with recorded exchanges and no network. One row of the table and one file each.
 */
#ifndef INTAKE_PROVIDER_PROVIDER_H
#define INTAKE_PROVIDER_PROVIDER_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/json.h"

enum task_state {
    TASK_QUEUED,
    TASK_RUNNING,
    TASK_SUCCEEDED,
    TASK_FAILED,
    TASK_REJECTED,
    TASK_EXPIRED,
    TASK_CANCELLED,
    TASK_UNKNOWN
};

/* What went wrong, in the words that decide what the core does next. */
enum provider_error {
    PROVIDER_OK,
    PROVIDER_AUTH,
    PROVIDER_CREDITS,
    PROVIDER_RATE,
    PROVIDER_CONCURRENCY,
    PROVIDER_CONTENT,
    PROVIDER_BAD_INPUT,
    PROVIDER_NOT_FOUND,
    PROVIDER_SERVER,
    PROVIDER_URL_EXPIRED,
    PROVIDER_PROTOCOL
};

enum provider_retry {
    RETRY_NO,
    RETRY_YES,
    RETRY_ONCE,
    RETRY_NEW_TASK,
    RETRY_RECONCILE,
    RETRY_OPERATOR
};

struct http_request {
    char method[8];
    char *url;                            /* owned */
    cJSON *headers;                       /* object name -> text; owned */
    struct bytes body;                    /* JSON text or raw; owned */
    unsigned connect_s, total_s, stall_s; /* stall 0 = none */
    size_t max_bytes;                     /* of the answer */
    const atomic_bool *stop;              /* true ends the call soon; or NULL; borrowed */
};

struct http_answer {
    int status; /* 0 when no answer came */
    bool sent;  /* the request may have reached the server: in doubt when no answer */
    char content_type[80];
    double retry_after_s; /* -1 when none */
    struct bytes body;    /* owned */
};

/* One generation asked of a provider. Borrowed texts. */
struct generation_spec {
    const uint8_t *image;
    size_t image_bytes;
    const char *image_mime;
    const char *prompt; /* or NULL */
    int64_t seed;
    bool texture;
    int face_limit;           /* 0 = provider's default */
    const cJSON *passthrough; /* free JSON merged into the body, or NULL */
};

struct provider_reading {
    enum task_state state;
    enum provider_error error;
    enum provider_retry retry;
    double retry_after_s; /* -1 none */
    int progress;         /* -1 unknown, 0..100 */
    char task[120];       /* provider's id; "" when none */
    struct bytes model;   /* the finished file when it came in the body; owned */
    char message[200];    /* provider's own words, for staff */
};

struct provider_settings {
    const char *base_url;
    const char *api_key;
    bool prefer_async; /* submit and poll, where the driver could also wait for the result: for a
                          proxy in between that cuts long calls */
};

struct provider_driver {
    const char *id;      /* "hunyuan3d2" */
    const char *summary; /* one line for --help and docs */
    bool local;          /* made in print/, no request at all: relief */
    bool self_hosted;    /* a server that the shop itself runs: photos do not leave the house */
    bool needs_key;
    const char *default_url;
    unsigned max_in_flight;
    int (*submit_request)(struct http_request *, const struct provider_settings *,
                          const struct generation_spec *, struct err *);
    int (*submit_read)(struct provider_reading *, const struct http_answer *, struct err *);
    int (*poll_request)(struct http_request *, const struct provider_settings *, const char *task,
                        struct err *); /* NULL: the answer to submit is always the result */
    int (*poll_read)(struct provider_reading *, const struct http_answer *, struct err *);
};

/** The driver with that id, or NULL. */
const struct provider_driver *provider_find(const char *id);

/** Row i of the table, or NULL past its end. */
const struct provider_driver *provider_at(size_t i);

const char *task_state_name(enum task_state state);
const char *provider_error_name(enum provider_error error);
const char *provider_retry_name(enum provider_retry retry);

/**
 * Whether a photo of that class may be sent to the provider, by the consent object of the order
 * (schemas/order.schema.json). The shop's own machines may always work on it. An outside provider
 * gets a pet or an object unless may_send_to is there and leaves it out; an adult only if named in
 * may_send_to; a child only if named there and a guardian gave the consent. A class that is not
 * known is treated as a child. Pure: looks at its arguments only.
 */
bool provider_may_receive(const struct provider_driver *driver, const char *photo_class,
                          const cJSON *consent);

void http_request_free(struct http_request *request);
void http_answer_free(struct http_answer *answer);
void provider_reading_free(struct provider_reading *reading);

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
