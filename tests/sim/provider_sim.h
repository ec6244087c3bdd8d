/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of provider_sim for one another: tasks and their bill, faults, one request as a
 * protocol sees it. Everything but the waiting happens under one lock.
 */
#ifndef TESTS_SIM_PROVIDER_SIM_H
#define TESTS_SIM_PROVIDER_SIM_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"

#define FAULTS_MOST 64
#define HITS_KINDS 40
#define WINDOW_MOST 4096

enum phase {
    PHASE_QUEUED,
    PHASE_RUNNING,
    PHASE_DONE,
    PHASE_FAILED,
    PHASE_REFUSED,
    PHASE_CANCELLED
};

/* What a provider says no with; each protocol has its own words for it. */
enum refusal {
    REFUSE_KEY,
    REFUSE_CREDITS,
    REFUSE_RATE,
    REFUSE_FULL,
    REFUSE_SERVER,
    REFUSE_ABSENT,
    REFUSE_INPUT,
    REFUSE_CONTENT,
    REFUSALS
};

/* A task as the provider has it. Times are of the wall clock, in milliseconds. */
struct task {
    int number; /* of its provider, from 1 */
    char id[48], kind[60], handle[80];
    char image[SHA256_HEX]; /* "" made from no picture */
    int64_t seed;           /* -1 none was sent */
    int64_t made_ms, start_ms, ready_ms;
    double credits;
    char *input;   /* what was asked, as JSON without pictures */
    int looks;     /* answers that told of its end */
    int addresses; /* of its result that were given out */
    int fetches;   /* of its result */
    bool cancelled, fails, refused;
    char push_url[512];
    int pushed; /* stages that were pushed: 1 begun, 2 ended */
};

/* No more than `most` in any window of that length; most 0: no limit. */
struct limit {
    int most;
    int64_t window_ms;
    int64_t at[WINDOW_MOST]; /* when the newest came, round and round */
    int64_t count;
    int violations;
};

struct upload {
    char token[64], image[SHA256_HEX];
    struct upload *next;
};

struct provider {
    const struct protocol *protocol;
    char name[40];
    struct task **tasks;
    int count, room;
    struct upload *uploads;
    struct limit submits, polls, in_flight;
    double price; /* of a model, where the scenario names one; below 0 the protocol's own */
    double balance;
    int skew_s;      /* of its clock */
    char key[120];   /* what must be in the Authorization; "" any */
    char secret[80]; /* of its pushes */
    int requests, submit_requests, poll_requests, polled, uploads_count, fetches, cancels;
    int64_t draws[HITS_KINDS]; /* requests that a kind of fault was drawn for */
};

/* One line of a scenario. */
struct fault {
    char name[24], on[16], provider[40];
    double share;    /* of requests or tasks */
    int first;       /* the first so many, always */
    cJSON *tasks;    /* numbers of tasks; NULL all */
    int burst, left; /* of requests in a row */
    int times;       /* how often a task has it; 0 always */
    int ms, status;
    double s, retry_after_s;
    bool made; /* the task is made all the same */
    int hits;
};

struct push;

struct sim {
    pthread_mutex_t lock;
    struct provider *providers;
    int provider_count;
    struct provider *root; /* whose paths have no prefix; or NULL */
    struct fault faults[FAULTS_MOST];
    int fault_count;
    uint64_t seed;
    double queue_s[2], run_s[2]; /* least and most */
    struct bytes model;          /* given by the operator; empty: made */
    char push_to[300];           /* for providers whose console says where to push */
    struct push *pushes;
    int pushed, push_failures;
    int port;
};

/* One request, with the prefix of its provider taken off. */
struct exchange {
    struct sim *sim;
    struct provider *p;
    struct MHD_Connection *connection;
    const char *method, *path;
    char base[200]; /* what the path hangs on, as the caller wrote it */
    struct bytes body;
    cJSON *json;            /* of the body, or NULL */
    cJSON *form;            /* fields of a form: name -> text, or NULL */
    char image[SHA256_HEX]; /* of the first picture found; "" none */
    struct bytes file;      /* the picture of a form */
    /* the answer */
    int status;
    struct bytes out;
    const char *mime;
    char location[320];
    double retry_after_s; /* below 0: none is said */
    cJSON *headers;
    int wait_ms;
    bool cut;         /* the connection is closed without an answer */
    uint64_t claimed; /* the length that is stated, where it is more than there is */
};

struct refusal_form {
    int status;
    const char *body;
};

struct protocol {
    const char *id;
    bool needs_key, refunds;
    double price;
    struct refusal_form refusals[REFUSALS];
    void (*handle)(struct exchange *x);
    /* Writes what is pushed about a task; NULL where none is. */
    void (*push)(struct exchange *x, struct task *task, bool ended);
};

extern const struct protocol protocol_tripo, protocol_meshy, protocol_replicate, protocol_fal,
    protocol_3daistudio, protocol_rodin, protocol_stability, protocol_hunyuan3d2,
    protocol_hunyuan3d21, protocol_trellis;

/* --- tasks (provider_sim_tasks.c) --- */

int64_t wall_ms(void);
/** The provider's own clock. */
int64_t provider_ms(const struct provider *p);
/** "2026-11-20T09:15:02.113Z" of the provider's clock. */
const char *time_text(char out[32], const struct provider *p, int64_t at_ms);

/**
 * Takes a submit: faults and limits first, then the task. NULL where it was refused; the answer is
 * written then. The picture is the exchange's own unless `image` names another.
 */
struct task *submit(struct exchange *x, const char *kind, const char *image, int64_t seed,
                    double credits);
/** Makes tasks that nobody asked for and that never end, for measurements. */
void stock(struct sim *sim, struct provider *p, int count);
/** Counts a poll of `count` tasks; true where it was refused. */
bool poll_refused(struct exchange *x, int count);
struct task *task_find(struct provider *p, const char *id);
/** NULL where it was refused or is not there; the answer is written then. */
struct task *task_asked(struct exchange *x, const char *id);
enum phase task_phase(struct sim *sim, struct provider *p, const struct task *task);
int task_progress(struct sim *sim, struct provider *p, const struct task *task);
/** What it costs as things stand. */
double task_bill(struct sim *sim, struct provider *p, const struct task *task);
/** The address of its result that is given out next. */
void result_url(char *out, size_t room, struct exchange *x, struct task *task);
/** One in some of its answers: done, and yet without results. */
bool has_no_results(struct exchange *x, struct task *task);
/** The word for running, which may be one never seen before. */
const char *running_word(struct exchange *x, const struct task *task, const char *word);
double price_of(const struct provider *p, double otherwise);
double balance_of(struct sim *sim, struct provider *p, double *frozen);
void upload_add(struct provider *p, const char *token, const char *image);
/** The hash of an upload, of an address that ends in its token, or of a data URI; NULL none. */
const char *image_known(struct exchange *x, const char *text);
double seed_of(const cJSON *object, const char *name);

/* --- faults (provider_sim_faults.c) --- */

int scenario_read(struct sim *sim, const cJSON *scenario, struct err *err);
int fault_add(struct sim *sim, const cJSON *line, struct err *err);
/** Of a request: drawn anew for each. NULL none. */
struct fault *fault_of_request(struct sim *sim, struct provider *p, const char *name,
                               const char *on);
/** Of a task: the same each time it is asked. NULL none. */
struct fault *fault_of_task(struct sim *sim, struct provider *p, int number, const char *name);
/** Between least and most, the same each time. */
double draw_between(struct sim *sim, struct provider *p, int number, const char *what,
                    const double range[2]);

/* --- answers (provider_sim.c, provider_sim_files.c) --- */

void say(struct exchange *x, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void refuse(struct exchange *x, enum refusal refusal);
bool is(const struct exchange *x, const char *method, const char *path);
/** The rest of the path after `start`, or NULL. */
const char *after(const struct exchange *x, const char *method, const char *start);
const char *query_of(const struct exchange *x, const char *name);
void header_add(struct exchange *x, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void say_model(struct exchange *x, struct task *task);
void serve_result(struct exchange *x, const char *rest);
void make_model(struct bytes *out, const char *name);

/* --- pushes (provider_sim_push.c) --- */

void *push_main(void *sim);
/** Ed25519 key of fal's pushes, as base64url. */
void push_public_key(char out[64]);
void push_sign_fal(char hex[129], const char *text, size_t n);

/* --- what it has seen (provider_sim_state.c) --- */

void say_state(struct exchange *x);
void say_counts(struct exchange *x);

#endif
