/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Image-to-3D providers: a driver builds a request and reads an answer; the core runs libcurl. So a
 * driver is tested with recorded exchanges and no network. One row of the table and one file each.
 */
#ifndef INTAKE_PROVIDER_PROVIDER_H
#define INTAKE_PROVIDER_PROVIDER_H

#include "intake/provider/http.h"

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

enum generation_view { VIEW_FRONT, VIEW_LEFT, VIEW_BACK, VIEW_RIGHT, VIEW_COUNT };

/* A picture of one side; bytes 0 and no token: not there. Borrowed. */
struct generation_image {
    const uint8_t *data;
    size_t bytes;
    const char *mime;  /* image/jpeg or image/png */
    const char *token; /* what OP_UPLOAD gave for it, or NULL */
};

/* One generation asked of a provider, or one of its tools run on a model. Borrowed texts. */
struct generation_spec {
    const char *tool;   /* NULL: generate. else what is done with `source`: "refine", "convert",
                           "repair", "analyze", ... ; a driver refuses what its provider has not */
    const char *source; /* the provider's number of a task, or the address of a model; or NULL */
    struct generation_image images[VIEW_COUNT];
    const char *prompt; /* or NULL */
    const char *model;  /* version by the provider's name for it; NULL = the driver's choice */
    int64_t seed;       /* below 0: the provider's choice */
    bool texture, parts;
    int face_limit;           /* 0 = provider's default */
    const cJSON *passthrough; /* free JSON merged into the body, or NULL */
    const char *push_url;     /* where the provider may push the end of this task, or NULL */
};

/* What a driver's request is about. The core may ask only for what is in the driver's `ops`. */
enum provider_op {
    OP_UPLOAD,    /* one image, before the submit; free of charge. reading: token, or NEXT_UPLOAD */
    OP_SUBMIT,    /* makes a task, and costs. reading: task and aux, or the finished model */
    OP_POLL,      /* how one task is */
    OP_POLL_MANY, /* how up to poll_many_max tasks are. reading: many */
    OP_RESULTS,   /* the files of a finished task, where the poll does not bring them */
    OP_CANCEL,    /* state: CANCELLED, or RUNNING where it is too late; asked only once */
    OP_BALANCE,   /* reading: balance, frozen */
    OP_RECENT,    /* the newest tasks of the account, for what is in doubt. reading: many */
    OP_HEALTH,    /* free of charge: is it there */
    OP_KEYS,      /* what the provider's pushes are signed with. reading: keys */
    OP_STREAM,    /* the progress of one task as server-sent events (read: all text so far) */
    OP_COUNT
};
#define OP_BIT(op) (1u << (op))

/* Asks the core for one request more before the thing asked for is done. */
enum provider_next {
    NEXT_NONE,
    NEXT_UPLOAD,  /* OP_UPLOAD again, with `aux` of this reading (a presigned address) */
    NEXT_RESULTS, /* OP_RESULTS: it is done, but where the files are must be asked */
    NEXT_REFINE   /* this task was a first pass: submit tool "refine" with it as the source */
};

/* One file that a task gave. */
struct provider_file {
    char *url;       /* owned; absolute, or a path on the provider's own server beginning with / */
    char kind[24];   /* "model" (the one to take), "model_plain" (untextured), "image", "other" */
    char format[12]; /* "glb", "stl", ... by the provider's word; "" unknown; never believed */
};

struct provider_reading {
    enum task_state state;
    enum provider_error error;
    enum provider_retry retry;
    enum provider_next next;
    double retry_after_s;   /* -1 none */
    int progress;           /* -1 unknown, 0..100 */
    int queue_position;     /* -1 unknown */
    double eta_s;           /* -1 unknown */
    double credits;         /* what the task cost by the provider's word; -1 unknown */
    double balance, frozen; /* OP_BALANCE; -1 unknown */
    int64_t created_s;      /* Unix time when the provider made the task; 0 unknown */
    char task[130];         /* provider's id; "" when none */
    char *aux;   /* second handle (subscription key, addresses as JSON); kept with the task
                    and given back in provider_call.aux; owned, NULL none */
    char *token; /* OP_UPLOAD: what the submit names the image by; owned */
    struct provider_file *files; /* owned */
    size_t file_count;
    struct provider_reading *many; /* OP_POLL_MANY, OP_RECENT: one a task; owned */
    size_t many_count;
    cJSON *keys;            /* OP_KEYS: what push_read wants as `keys`; owned */
    struct bytes model;     /* the finished file when it came in the body; owned */
    char model_version[64]; /* what made it, by the provider's word; "" unknown */
    char code[64];          /* provider's own error code */
    char trace[80];         /* what its support wants to know of a call */
    char message[200];      /* provider's own words, for staff */
};

struct provider_settings {
    const char *base_url;   /* "" = the driver's default */
    const char *upload_url; /* where a provider has a second host for files (fal); "" = default */
    const char *api_key;
    const char *dialect; /* "" = the driver's own choice; tripo: "v3", "v2" */
    bool prefer_async;   /* submit and poll, where the driver could also wait for the result: for a
                            proxy in between that cuts long calls */
};

/* All that an op may need; what an op does not need may be zero. Borrowed. */
struct provider_call {
    const struct provider_settings *settings;
    const struct generation_spec *spec; /* OP_UPLOAD, OP_SUBMIT, OP_RECENT (without images) */
    enum generation_view view;          /* OP_UPLOAD: which image */
    const char *task, *aux;             /* of a task; aux also of a NEXT_UPLOAD. "" or NULL none */
    const char *const *tasks;           /* OP_POLL_MANY */
    size_t task_count;
    int page; /* OP_RECENT, from 0 */
};

/* A request that claims to come from the provider. Borrowed. */
struct provider_pushed {
    const cJSON *headers; /* lower-case name -> text */
    const uint8_t *body;
    size_t bytes;
    int64_t now_s;      /* Unix time */
    const char *secret; /* from the settings, or NULL */
    const cJSON *keys;  /* what OP_KEYS gave, or NULL */
};

enum push_trust { PUSH_VALID, PUSH_INVALID, PUSH_UNSIGNED };

struct provider_push {
    enum push_trust trust;
    char delivery[130]; /* the same when the provider sends it again; "" none */
    char event[40];     /* "task" or the provider's word for what is no task ("balance.low") */
    struct provider_reading reading; /* task and state as pushed; a hint: the poll decides */
};

/* How often a provider may be asked, by its own rules; the settings may say otherwise. */
struct provider_pace {
    double submits_per_min;     /* 0 = no limit */
    unsigned burst;             /* submits at once; 0 = 1 */
    unsigned max_in_flight;     /* tasks that are not at their end; 0 = no limit */
    double poll_s, poll_most_s; /* gap between two polls of a task: first, longest */
    unsigned deadline_s;        /* a task that takes longer is given up */
};

struct provider_driver {
    const char *id;      /* "hunyuan3d2" */
    const char *summary; /* one line for --help and docs */
    bool local;          /* no request at all: relief is made in print/, upload is there */
    bool self_hosted;    /* a server that the shop itself runs: photos do not leave the house */
    bool needs_key;
    bool blocks;                  /* OP_SUBMIT answers when all is done, with the model */
    bool refunds;                 /* a task that failed costs nothing */
    bool url_is_last;             /* an address that has expired cannot be had anew */
    bool takes_text, takes_views; /* a prompt without an image; more than the front */
    bool takes_model;             /* local: the model that was sent in is the result: upload */
    const char *default_url;
    unsigned poll_many_max; /* 0 = one by one */
    struct provider_pace pace;
    unsigned ops; /* OP_BIT of each that there is */

    /** Builds the request of an op. Errors ERR_INPUT what the provider cannot do or an id that
     * cannot be one; ERR_LIMIT no memory. The caller frees. Pure but for memory. */
    int (*request)(struct http_request *, enum provider_op, const struct provider_call *,
                   struct err *);
    /** Reads the answer to it, of whatever status (0 = none came), without trusting a byte. The
     * caller frees. Errors ERR_LIMIT no memory; a bad answer is a reading, not an error. */
    int (*read)(struct provider_reading *, enum provider_op, const struct provider_call *,
                const struct http_answer *, struct err *);
    /** Checks and reads a push; NULL where the provider sends none. Errors ERR_LIMIT. */
    int (*push_read)(struct provider_push *, const struct provider_pushed *, struct err *);
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

void provider_reading_free(struct provider_reading *reading);
void provider_push_free(struct provider_push *push);

#endif
