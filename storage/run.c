/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planning and judging runs; see order.h. What is owed is counted under the item's lock. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "storage/flow.h"
#include "storage/order.h"

#define CODE_TRIES 8 /* 33 million codes: a second try is rare, an eighth means a bug */

static int move_run(struct db *db, const char *run_id, const char *event, const char *actor,
                    const char *reason, const char *payload, struct err *err)
{
    const struct move move = {.machine = "run",
                              .subject = run_id,
                              .event = event,
                              .actor = actor,
                              .reason = reason,
                              .payload = payload};
    return flow_move(NULL, db, &move, err);
}

static int plan_one(struct db *db, const char *item_id, const char *slice_id, const char *actor,
                    struct err *err)
{
    char id[ID_ROOM], code[PART_CODE_ROOM];
    id_new(id, "run");
    for (int i = 0; i < CODE_TRIES; i++) {
        struct db_rows *rows = NULL;
        part_code_make(code);
        if (DB_RUN(&rows, db, "run_insert", err, id, slice_id, item_id, code, "0", actor))
            return -1;
        int there = db_row_count(rows);
        db_rows_free(rows);
        if (there)
            return move_run(db, id, "run.queued", actor, NULL, NULL, err);
    }
    return FAIL(err, ERR_ABSENT, "item %s has no slice %s", item_id, slice_id);
}

/* How many are owed, by a statement that begins after the lock is held. */
static int owed_of(int *owed, struct db *db, const char *item_id, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(NULL, db, "item_lock", err, item_id) || DB_RUN(&rows, db, "item_owed", err, item_id))
        return -1;
    int there = db_row_count(rows);
    *owed = there ? (int)db_int(rows, 0, 0) : 0;
    db_rows_free(rows);
    return there ? 0 : FAIL(err, ERR_ABSENT, "no item %s", item_id);
}

static int plan_owed(int *count, struct db *db, const char *item_id, const char *slice_id,
                     const char *actor, struct err *err)
{
    int owed = 0, result = owed_of(&owed, db, item_id, err);
    for (*count = 0; result == 0 && *count < owed; ++*count)
        result = plan_one(db, item_id, slice_id, actor, err);
    return result;
}

int runs_plan(int *count, struct db *db, const char *item_id, const char *slice_id,
              const char *actor, struct err *err)
{
    int own, planned = 0;
    if (db_enter(&own, db, err))
        return -1;
    int result = db_leave(own, plan_owed(&planned, db, item_id, slice_id, actor, err), db, err);
    if (count)
        *count = result ? 0 : planned;
    return result;
}

/* A part that turned out good although its run failed is owed no more: a run that waits for it is
 * called off. */
static int give_place(struct db *db, const char *item_id, const char *part_code, const char *actor,
                      struct err *err)
{
    struct db_rows *rows = NULL;
    char reason[60];
    snprintf(reason, sizeof reason, "part %s was good after all", part_code);
    int owed = 0;
    if (owed_of(&owed, db, item_id, err))
        return -1;
    if (owed > 0)
        return 0;
    if (DB_RUN(&rows, db, "run_spare", err, item_id))
        return -1;
    int result = db_row_count(rows) == 0
                     ? 0 /* counting it is refused as not owed */
                     : move_run(db, db_text(rows, 0, 0), "run.cancelled", actor, reason, NULL, err);
    db_rows_free(rows);
    return result;
}

/* counted: good, wanted, state, whether a part is on a printer or waits for its verdict. */
static int move_item(struct db *db, const char *item_id, const char *slice_id,
                     const struct db_rows *counted, const char *actor, struct err *err)
{
    struct move move = {.machine = "item", .subject = item_id, .actor = actor};
    bool complete = db_int(counted, 0, 0) >= db_int(counted, 0, 1);
    bool printing = strcmp(db_text(counted, 0, 2), "printing") == 0;
    if (complete)
        move.event = "parts.complete";
    else if (printing && db_int(counted, 0, 3) == 0)
        move.event = "part.owed";
    if (move.event && flow_move(NULL, db, &move, err))
        return -1;
    return complete ? 0 : runs_plan(NULL, db, item_id, slice_id, actor, err);
}

struct judgement {
    const char *run_id, *verdict, *reason, *actor;
};

/* run: item id, slice id, state, part code. */
static int judge(struct db *db, const struct db_rows *run, const struct judgement *j,
                 struct err *err)
{
    const char *item_id = db_text(run, 0, 0), *slice_id = db_text(run, 0, 1);
    const char *payload =
        strcmp(j->verdict, "good") == 0 ? "{\"verdict\":\"good\"}" : "{\"verdict\":\"scrap\"}";
    struct db_rows *counted = NULL;
    if (move_run(db, j->run_id, "run.judged", j->actor, j->reason, payload, err) ||
        DB_RUN(NULL, db, "run_verdict", err, j->run_id, j->verdict, j->actor,
               j->reason ? j->reason : ""))
        return -1;
    if (strcmp(j->verdict, "good") == 0 &&
        give_place(db, item_id, db_text(run, 0, 3), j->actor, err))
        return -1;
    if (DB_RUN(&counted, db, "item_count_part", err, item_id, j->verdict))
        return -1;
    int result = move_item(db, item_id, slice_id, counted, j->actor, err);
    db_rows_free(counted);
    return result;
}

static int lock_and_judge(struct db *db, const struct judgement *j, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(NULL, db, "item_lock", err, j->run_id) ||
        DB_RUN(&rows, db, "run_look", err, j->run_id))
        return -1;
    int result = db_row_count(rows) ? judge(db, rows, j, err)
                                    : FAIL(err, ERR_ABSENT, "no run %s", j->run_id);
    db_rows_free(rows);
    return result;
}

int run_judge(struct db *db, const char *run_id, const char *verdict, const char *reason,
              const char *actor, struct err *err)
{
    const struct judgement j = {run_id, verdict, reason, actor};
    int own;
    if (!verdict || (strcmp(verdict, "good") != 0 && strcmp(verdict, "scrap") != 0))
        return FAIL_CODE(err, ERR_INPUT, "unknown_verdict", "a verdict is good or scrap, not %.40s",
                         verdict ? verdict : "nothing");
    if (db_enter(&own, db, err))
        return -1;
    return db_leave(own, lock_and_judge(db, &j, err), db, err);
}
