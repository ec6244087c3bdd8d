/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the courier, for one another. Everything here runs on its thread. */
#ifndef SERVICE_COURIER_OWN_H
#define SERVICE_COURIER_OWN_H

#include <pthread.h>

#include "intake/provider/http.h"
#include "service/courier.h"

#define PROVIDERS_MOST 24
#define FLIGHTS_MOST 512 /* requests at once */
#define FETCHES_MOST 4   /* downloads at once: each may take 300 MB */

/* A task in hand, with the request that is under way for it. */
enum errand {
    DO_UPLOAD,
    DO_SUBMIT,
    DO_POLL,
    DO_POLL_MANY,
    DO_RESULTS,
    DO_FETCH,
    DO_RECENT,
    DO_CANCEL,
    DO_STREAM
};

struct flight {
    const struct provider_rules *rules;
    enum errand errand;
    char task[40], item[40], order[40], state[24];
    char push_url[420];
    int64_t token, seed, sent_s;
    int round, candidate, place, polls, progress, checks, page; /* place: among the item's tasks */
    double age_s;
    char *provider_task, *aux;
    cJSON *spec, *exchange;
    struct bytes images[VIEW_COUNT];
    char mimes[VIEW_COUNT][16];
    char *tokens[VIEW_COUNT]; /* what the uploads gave */
    char *upload_aux;         /* between two requests of one upload */
    enum generation_view view;
    const char *code;               /* of its end, where it is more than the event says; or NULL */
    struct provider_reading result; /* of a task that is done, while its file is fetched */
    struct flight **many;           /* DO_POLL_MANY: the tasks asked about; owned */
    size_t many_count;
    struct flight *next, **link; /* of all that are in hand: their leases are prolonged */
};

/* A poll whose task is still under way, to be written with others. */
struct polled {
    char task[40];
    int64_t token;
    int progress;
    bool begun; /* it was waiting before */
    double gap_s;
};

/* An end that could not be written because the database was away. */
struct unwritten {
    struct flight *flight;
    struct http_done done;
    struct unwritten *next;
};

struct courier {
    struct settings settings;
    struct blobs blobs;
    struct db *db;
    struct http_pool *pool;
    struct provider_rules rules[PROVIDERS_MOST];
    size_t rules_count;
    int64_t healthy_at[PROVIDERS_MOST]; /* when it was last noted, 0 after a fault */
    int64_t submit_at[PROVIDERS_MOST], poll_at[PROVIDERS_MOST], doubt_at[PROVIDERS_MOST];
    struct polled *polled;
    size_t polled_count;
    struct unwritten *unwritten;
    struct flight *flights;
    int64_t beat_at;
    int fetches, streams;
    unsigned dice; /* of the jitter */
    char actor[80];
    pthread_t thread;
    pthread_mutex_t lock;
    bool runs;
    atomic_bool stop;
};

/** A task that was leased; task "" for what is about none. NULL no memory. */
struct flight *flight_new(struct courier *courier, const struct provider_rules *rules,
                          const char *task, int64_t token);
void flight_free(struct flight *flight);
struct provider_call flight_call(const struct flight *flight,
                                 const struct provider_settings *settings,
                                 const struct generation_spec *spec);

/** What the provider is asked for, of a flight that was loaded; borrows from it. */
void flight_spec(struct generation_spec *spec, const struct flight *flight);

/** Reads the task, its photos and its wishes from the store. Errors ERR_ABSENT. */
int flight_load(struct flight *flight, struct courier *courier, bool with_photos,
                struct err *err) MUST_CHECK;

/* --- sending (courier_send.c) --- */

/** Takes as many created tasks of provider i as its pace allows. */
int courier_submit_some(struct courier *courier, size_t i, struct err *err) MUST_CHECK;
/** Builds and begins the next request of a task that is not sent yet: an upload, or the submit.
 * The flight is the pool's then, or ended; as everywhere here it is still the caller's after -1. */
int flight_go_on(struct flight *flight, struct courier *courier, struct err *err) MUST_CHECK;
int flight_uploaded(struct flight *flight, struct courier *courier, struct http_done *done,
                    struct err *err) MUST_CHECK;
int flight_submitted(struct flight *flight, struct courier *courier, struct http_done *done,
                     struct err *err) MUST_CHECK;

/* --- asking (courier_poll.c) --- */

int courier_poll_some(struct courier *courier, size_t i, struct err *err) MUST_CHECK;
int flight_polled(struct flight *flight, struct courier *courier, struct http_done *done,
                  struct err *err) MUST_CHECK;
int flight_polled_many(struct flight *flight, struct courier *courier, struct http_done *done,
                       struct err *err) MUST_CHECK;
int flight_results(struct flight *flight, struct courier *courier, struct http_done *done,
                   struct err *err) MUST_CHECK;
int flight_fetched(struct flight *flight, struct courier *courier, struct http_done *done,
                   struct err *err) MUST_CHECK;
/** The reading says that it is done: on to its files, or to the store. Takes over the reading. */
int flight_done(struct flight *flight, struct courier *courier, struct provider_reading *reading,
                struct err *err) MUST_CHECK;
/** Writes the polls that are still to be noted. */
int courier_write_polled(struct courier *courier, struct err *err) MUST_CHECK;

/* --- streams (courier_stream.c) --- */

/** Holds open the stream of a task that was accepted, where there is one. */
void courier_listen(struct courier *courier, const struct provider_rules *rules,
                    const struct provider_reading *accepted);
int flight_streamed(struct flight *flight, struct courier *courier, struct http_done *done,
                    struct err *err) MUST_CHECK;

/* --- in doubt, and called off (courier_doubt.c) --- */

int courier_doubt_some(struct courier *courier, size_t i, struct err *err) MUST_CHECK;
int flight_recent(struct flight *flight, struct courier *courier, struct http_done *done,
                  struct err *err) MUST_CHECK;
int courier_cancel_some(struct courier *courier, size_t i, struct err *err) MUST_CHECK;

/* --- writing (courier_write.c): each one transaction; 0 written, or the task is ours no more ---
 */

/** Nothing was taken by the provider: the task waits, its credits are free again. */
int flight_not_sent(struct flight *flight, struct courier *courier, double after_s, const char *why,
                    struct err *err) MUST_CHECK;
/** The provider has it: its number is kept. */
int flight_accepted(struct flight *flight, struct courier *courier,
                    const struct provider_reading *reading, struct err *err) MUST_CHECK;
/** It may or may not exist at the provider; looked for after a while. */
int flight_in_doubt(struct flight *flight, struct courier *courier, const char *why,
                    struct err *err) MUST_CHECK;
/** It ends without a model by that event; cost < 0: as reserved. */
int flight_end(struct flight *flight, struct courier *courier, const char *event,
               const struct provider_reading *reading, struct err *err) MUST_CHECK;
/** It is done and its file is about to be fetched: a crash from here on leads to a poll. */
int flight_fetching(struct flight *flight, struct courier *courier, struct err *err) MUST_CHECK;
/** It ends with a model: stored, noted, and the item's candidates are looked at. */
int flight_store(struct flight *flight, struct courier *courier, const struct bytes *model,
                 const char *format, struct err *err) MUST_CHECK;
/** It was a first pass: another task refines it. */
int flight_continue(struct flight *flight, struct courier *courier, struct err *err) MUST_CHECK;
/** Let go of, and due again after a while. */
int flight_later(struct flight *flight, struct courier *courier, double after_s, int checks,
                 struct err *err) MUST_CHECK;
/** What the answer says of the provider's health and pace. */
int courier_note_health(struct courier *courier, const struct provider_rules *rules,
                        const struct provider_reading *reading, struct err *err) MUST_CHECK;

/* --- the exchange (courier_note.c) --- */

void exchange_note(struct flight *flight, const char *what, const struct http_done *done,
                   const struct provider_reading *reading);
/** Replaces long texts by their hash, cuts the query off addresses, and drops what is named like a
 * secret. */
void exchange_redact(cJSON *value);

#endif
