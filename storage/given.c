/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entering a model that a person sent in; see given.h. */
#include "storage/given.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "storage/flow.h"
#include "storage/job.h"
#include "storage/order.h"

static int move_task(struct db *db, const char *task, const char *event, const char *actor,
                     struct err *err)
{
    const struct move move = {.machine = "task", .subject = task, .event = event, .actor = actor};
    return flow_move(NULL, db, &move, err);
}

static int call_off_unsent(struct db *db, const char *item_id, const char *actor, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "given_unsent", err, item_id))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows) && !failed; i++)
        failed = move_task(db, db_text(rows, i, 0), "task.cancelled", actor, err);
    db_rows_free(rows);
    return failed;
}

/* *round: the item's, which is locked from here on. */
static int look(char round[16], char name[64], struct db *db, const char *item_id,
                const struct given *given, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(NULL, db, "item_lock", err, item_id) ||
        DB_RUN(&rows, db, "given_look", err, item_id))
        return -1;
    int failed = 0, place = 0;
    if (db_row_count(rows) == 0) {
        failed = FAIL(err, ERR_ABSENT, "no item %.40s", item_id);
    } else if (strcmp(db_text(rows, 0, 0), "review") != 0 &&
               strcmp(db_text(rows, 0, 0), "generating") != 0) {
        failed = FAIL_CODE(err, ERR_CONFLICT, "model_not_due",
                           "the item is %s: a model is taken in review or while one is made",
                           db_text(rows, 0, 0));
    } else {
        snprintf(round, 16, "%d", (int)db_int(rows, 0, 1));
        place = (int)db_int(rows, 0, 2) + 1;
    }
    db_rows_free(rows);
    if (place > 1)
        snprintf(name, 64, "03_uploaded__%03d.%.8s", place, given->format);
    else
        snprintf(name, 64, "03_uploaded.%.8s", given->format);
    return failed;
}

static int add_task(struct db *db, const char *task, const char *item_id, const char *round,
                    const struct given *given, const char *actor, struct err *err)
{
    return DB_RUN(NULL, db, "generation_add", err, task, item_id, round, "1", "upload", "0", "{}",
                  "0", actor) ||
           move_task(db, task, "task.claimed", actor, err) ||
           move_task(db, task, "task.finished", actor, err) ||
           DB_RUN(NULL, db, "generation_stored", err, task, given->sha256, given->format, "") ||
           move_task(db, task, "task.stored", actor, err) ||
           DB_RUN(NULL, db, "generation_choose", err, item_id, task);
}

int given_enter(struct db *db, const char *item_id, const struct given *given, const char *actor,
                struct err *err)
{
    char task[ID_ROOM], round[16] = "", name[64];
    const struct move move = {
        .machine = "item", .subject = item_id, .event = "model.uploaded", .actor = actor};
    const struct job_new job = {.kind = "inspect", .subject = item_id, .key = item_id};
    id_new(task, "gen");
    if (look(round, name, db, item_id, given, err) || call_off_unsent(db, item_id, actor, err) ||
        add_task(db, task, item_id, round, given, actor, err) ||
        artifact_add(db, item_id, NULL, "source", name, given->mime, given->sha256, given->bytes,
                     err) ||
        flow_move(NULL, db, &move, err) ||
        DB_RUN(NULL, db, "review_apply", err, item_id, NULL, NULL, "0", NULL))
        return -1;
    return job_add(db, &job, err);
}
