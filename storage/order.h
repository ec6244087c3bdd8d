/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing orders and what comes to be on their way. Reading goes through statements that return
 * JSON. */
#ifndef STORAGE_ORDER_H
#define STORAGE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "storage/db.h"

struct photo_row {
    char item_slot[24]; /* front, back, left, right */
    int item;           /* index into the order's items */
    char format[8];
    unsigned width, height;
    char normal_hash[65], cutout_hash[65], provider_hash[65], provider_mime[24];
    uint64_t normal_bytes, cutout_bytes, provider_bytes;
    const char *report; /* JSON */
};

/**
 * Writes a whole order in one transaction: order, items, photos, their artifacts and events, and
 * one photo_check job an item (items move new -> photo_check). order_json is the completed form
 * (intake/order_form.h). Errors ERR_CONFLICT code external_id_taken.
 */
int order_create(char order_id[32], struct db *db, const char *order_json,
                 const struct photo_row *photos, size_t photo_count, const char *actor,
                 struct err *err) MUST_CHECK;

/** Cancels what may still be cancelled of an order (items before printing; waiting runs).
 * ERR_CONFLICT when a part is printing. */
int order_cancel(struct db *db, const char *order_id, const char *actor, const char *reason,
                 struct err *err) MUST_CHECK;

/** Notes a file of an item (kind, bundle name NN_stage.ext, mime, hash); the same again is fine. */
int artifact_add(struct db *db, const char *item_id, const char *model_id, const char *kind,
                 const char *name, const char *mime, const char *sha256, uint64_t bytes,
                 struct err *err) MUST_CHECK;

/**
 * Decides a review in one transaction with its job: pass binds to threemf_hash (must be the hash of
 * the item's current model; else ERR_CONFLICT code model_changed) and queues `slice`; revise with
 * new options queues `prepare` (or `generate` with a new round when regenerate); reject fails the
 * item. expected_version 0 = whichever (policies pass the version they saw).
 */
struct review_decision {
    const char *item_id, *decision; /* pass, revise, reject */
    const char *threemf_hash;       /* pass: what is passed */
    const char *reason, *actor;
    const char *options; /* revise: JSON members to change, or NULL */
    int regenerate;
    int expected_version;
};
int review_decide(struct db *db, const struct review_decision *decision,
                  struct err *err) MUST_CHECK;

/** Plans runs until nothing is owed for a sliced item: planned -> queued, part codes made. *count =
 * new runs. */
int runs_plan(int *count, struct db *db, const char *item_id, const char *slice_id,
              const char *actor, struct err *err) MUST_CHECK;

/**
 * A person's (or policy's) verdict on the part of a finished or failed run: closes it, counts good
 * or scrapped, then item -> ready, or owed again with a new run.
 */
int run_judge(struct db *db, const char *run_id, const char *verdict, const char *reason,
              const char *actor, struct err *err) MUST_CHECK;

/**
 * An Idempotency-Key: 1 new (the caller does the work, then idempotency_keep in the transaction of
 * the effect), 0 known (*status and *response are the kept answer; free response). Errors ERR_INPUT
 * code idempotency_key_reused (another request), ERR_CONFLICT code idempotency_in_progress.
 */
int idempotency_take(int *status, char **response, struct db *db, const char *route,
                     const char *key, const char *fingerprint, struct err *err) MUST_CHECK;
int idempotency_keep(struct db *db, const char *route, const char *key, int status,
                     const char *response, struct err *err) MUST_CHECK;
/** After a refusal or failure: the key is free again. */
int idempotency_release(struct db *db, const char *route, const char *key,
                        struct err *err) MUST_CHECK;

#endif
