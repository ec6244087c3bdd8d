/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue on Postgres: claim with SKIP LOCKED and a lease, heartbeat, retry, dead letter. Every
 * effect of a job is written in the transaction that also calls job_done, which is refused when the
 * lease was lost.
 */
#ifndef STORAGE_JOB_H
#define STORAGE_JOB_H

#include <stdint.h>

#include "base/err.h"
#include "storage/db.h"

struct job_new {
    const char *kind, *subject;
    const char *key; /* NULL: none; else a live job of this kind with this key makes it a no-op */
    const char *payload; /* JSON object or NULL */
    int priority;        /* higher first */
    int delay_ms;
    int max_tries; /* 0 = 12: a lapsed lease counts as a try, and workers may be killed often */
};

struct job {
    int64_t id;
    int64_t lease_token;
    char kind[24];
    char subject[40];
    int tries; /* this one included */
    int max_tries;
    char *payload; /* JSON; job_free */
};

/** Adds a job (in the caller's transaction, if one is open) and wakes the workers at commit. */
int job_add(struct db *db, const struct job_new *job, struct err *err) MUST_CHECK;

/**
 * Claims the first due job of the kinds (comma-separated): 0 with *job filled, 1 nothing due.
 * At most `limit_per_kind` jobs of a kind run at once over all workers (0 = no limit). A
 * transaction of its own.
 */
int job_claim(struct job *job, struct db *db, const char *kinds, const char *worker, int lease_s,
              int limit_per_kind, struct err *err) MUST_CHECK;

/** Prolongs the lease: 0 kept, 1 it was lost (stop working, write nothing). */
int job_beat(struct db *db, const struct job *job, int lease_s, struct err *err) MUST_CHECK;

/** Moves the job to history as done. To be called before job_add of the same kind and key.
 * ERR_CONFLICT code lease_lost when it is ours no more: roll back. */
int job_done(struct db *db, const struct job *job, struct err *err) MUST_CHECK;

/**
 * After a failure `why` (own transaction): back in line with growing, jittered delay when
 * why->kind is ERR_LATER and tries are left (at least after_ms when > 0), else to history with the
 * reason and a job event: as dropped when why->kind is ERR_CONFLICT (another has it), else as dead.
 * *dead (may be NULL) tells which. ERR_CONFLICT lease_lost.
 */
int job_fail(int *dead, struct db *db, const struct job *job, const struct err *why, int after_ms,
             struct err *err) MUST_CHECK;

/** Gives a job back untouched and uncounted (shutdown, or a limit elsewhere); due again after
 * delay_ms. */
int job_release(struct db *db, const struct job *job, int delay_ms, struct err *err) MUST_CHECK;

/** Frees the leases that lapsed, 100 at a time; those out of tries become dead. *count may be NULL.
 */
int job_rescue(int *count, struct db *db, struct err *err) MUST_CHECK;

void job_free(struct job *job);

#endif
