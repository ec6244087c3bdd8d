/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing orders and what comes to be on their way. Reading goes through statements that return
 * JSON. */
#ifndef STORAGE_ORDER_H
#define STORAGE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "storage/db.h"

/*
 * Each function that writes joins the caller's transaction when one is open (the caller then rolls
 * back after a failure), else it is one of its own.
 */

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

/**
 * Cancels what may still be cancelled of an order: items that are not at their end, their waiting
 * runs, tasks and jobs. One that is cancelled already is fine.
 * Errors   ERR_ABSENT; ERR_CONFLICT codes part_printing (a part is on a printer or waits for its
 *          verdict; nothing is changed), too_late (every item is ready or at its end).
 */
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
 * item. Both take an earlier pass back and need a reason. expected_version 0 = whichever (policies
 * pass the version they saw). Errors ERR_INPUT codes unknown_decision, reason_missing; ERR_CONFLICT
 * also code version_changed or when the item is not in review; ERR_ABSENT.
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

/**
 * Plans runs until nothing is owed for a sliced item: planned -> queued, part codes made.
 * *count (may be NULL) = new runs. Errors ERR_ABSENT no such item or slice of it; ERR_CONFLICT code
 * not_approved when the slice is of something else than what is passed.
 */
int runs_plan(int *count, struct db *db, const char *item_id, const char *slice_id,
              const char *actor, struct err *err) MUST_CHECK;

/**
 * A person's (or policy's) verdict, good or scrap, on the part of a finished, failed or cancelled
 * run: closes it, counts good or scrapped, then item -> ready, or owed again with a new run. A part
 * of a failed run that is good after all takes the place of a run that still waits. Errors
 * ERR_INPUT code unknown_verdict; ERR_ABSENT; ERR_CONFLICT, also code not_owed.
 */
int run_judge(struct db *db, const char *run_id, const char *verdict, const char *reason,
              const char *actor, struct err *err) MUST_CHECK;

/**
 * An Idempotency-Key: 1 new (the caller does the work, then idempotency_keep in the transaction of
 * the effect), 0 known (*status and *response are the kept answer; free response). Errors ERR_INPUT
 * code idempotency_key_reused (another request), ERR_CONFLICT code idempotency_in_progress. A key
 * that was never answered is free again after 10 minutes (its process died); idempotency_keep then
 * lets only one of the two answer, the other's transaction fails with code idempotency_lost.
 */
int idempotency_take(int *status, char **response, struct db *db, const char *route,
                     const char *key, const char *fingerprint, struct err *err) MUST_CHECK;
int idempotency_keep(struct db *db, const char *route, const char *key, int status,
                     const char *response, struct err *err) MUST_CHECK;
/** After a refusal or failure: the key is free again. */
int idempotency_release(struct db *db, const char *route, const char *key,
                        struct err *err) MUST_CHECK;

#define PART_CODE_ROOM 7
/** A random part code: six digits of Crockford's base 32, the last a check digit. */
void part_code_make(char code[PART_CODE_ROOM]);
/** The code as it was made from what a person typed (small letters, O for 0, I and L for 1): 0, or
 * 1 when the check digit says that it was mistyped. */
int part_code_read(char code[PART_CODE_ROOM], const char *typed);

#endif
