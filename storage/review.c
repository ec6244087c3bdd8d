/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deciding reviews; see review_decide in order.h. A pass binds to the bytes that were looked at. */
#include <stdio.h>
#include <string.h>

#include "storage/flow.h"
#include "storage/job.h"
#include "storage/order.h"

/* What a decision does: the move, and the job that it causes. */
struct verdict {
    const char *decision;
    int regenerate;
    const char *event, *job;
};

static const struct verdict verdicts[] = {
    {"pass", 0, "review.passed", "slice"},
    {"revise", 0, "review.reshaped", "prepare"},
    {"revise", 1, "review.regenerated", "generate"},
    {"reject", 0, "review.rejected", NULL},
};

static const struct verdict *verdict_find(const struct review_decision *d)
{
    bool revise = d->decision && strcmp(d->decision, "revise") == 0;
    for (size_t i = 0; d->decision && i < sizeof verdicts / sizeof *verdicts; i++)
        if (strcmp(verdicts[i].decision, d->decision) == 0 &&
            (!revise || verdicts[i].regenerate == !!d->regenerate))
            return &verdicts[i];
    return NULL;
}

/* row: state, version, model id, hash of the model's 3MF. */
static int check(const struct db_rows *row, const struct review_decision *d, struct err *err)
{
    if (db_row_count(row) == 0)
        return FAIL(err, ERR_ABSENT, "no item %s", d->item_id);
    if (d->expected_version && d->expected_version != (int)db_int(row, 0, 1))
        return FAIL_CODE(err, ERR_CONFLICT, "version_changed", "the item is at version %s, not %d",
                         db_text(row, 0, 1), d->expected_version);
    if (strcmp(db_text(row, 0, 0), "review") != 0)
        return FAIL_CODE(err, ERR_CONFLICT, "not_in_review", "the item is %s, not in review",
                         db_text(row, 0, 0));
    if (strcmp(d->decision, "pass") == 0 &&
        (db_is_null(row, 0, 3) || !d->threemf_hash || strcmp(db_text(row, 0, 3), d->threemf_hash)))
        return FAIL_CODE(err, ERR_CONFLICT, "model_changed",
                         "what was passed is not the item's present model");
    return 0;
}

static int apply(struct db *db, const struct review_decision *d, const struct verdict *verdict,
                 struct err *err)
{
    bool pass = strcmp(d->decision, "pass") == 0, reject = strcmp(d->decision, "reject") == 0;
    const struct move move = {.machine = "item",
                              .subject = d->item_id,
                              .event = verdict->event,
                              .actor = d->actor,
                              .reason = d->reason};
    const struct job_new job = {.kind = verdict->job, .subject = d->item_id, .key = d->item_id};
    if (DB_RUN(NULL, db, "review_insert", err, d->item_id, d->decision, d->reason ? d->reason : "",
               d->actor, pass ? d->threemf_hash : NULL) ||
        flow_move(NULL, db, &move, err) ||
        DB_RUN(NULL, db, "review_apply", err, d->item_id, pass ? d->threemf_hash : NULL,
               pass || reject ? NULL : d->options, verdict->regenerate ? "1" : "0",
               reject ? "{\"code\":\"rejected\",\"message\":\"The review rejected this item\"}"
                      : NULL))
        return -1;
    return verdict->job ? job_add(db, &job, err) : 0;
}

static int lock_and_decide(struct db *db, const struct review_decision *d,
                           const struct verdict *verdict, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(NULL, db, "item_lock", err, d->item_id) ||
        DB_RUN(&rows, db, "review_look", err, d->item_id))
        return -1;
    int result = check(rows, d, err);
    db_rows_free(rows);
    return result ? result : apply(db, d, verdict, err);
}

int review_decide(struct db *db, const struct review_decision *decision, struct err *err)
{
    const struct verdict *verdict = verdict_find(decision);
    int own;
    if (!verdict)
        return FAIL_CODE(err, ERR_INPUT, "unknown_decision",
                         "a decision is pass, revise or reject, not %.40s",
                         decision->decision ? decision->decision : "nothing");
    if (strcmp(decision->decision, "pass") != 0 && (!decision->reason || !*decision->reason))
        return FAIL_CODE(err, ERR_INPUT, "reason_missing", "to %s an item needs a reason",
                         decision->decision);
    if (db_enter(&own, db, err))
        return -1;
    return db_leave(own, lock_and_decide(db, decision, verdict, err), db, err);
}
