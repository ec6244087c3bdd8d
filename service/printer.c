/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of printer drivers, and what a person does to a printer; see printer.h. */
#include "service/printer.h"

#include <stdio.h>
#include <string.h>

#include "storage/flow.h"

static const struct printer_driver *const drivers[] = {&printer_octoprint, &printer_virtual};

static const char *const state_names[] = {
    [PRINTER_OFFLINE] = "offline",     [PRINTER_IDLE] = "idle",
    [PRINTER_PREPARING] = "preparing", [PRINTER_PRINTING] = "printing",
    [PRINTER_PAUSED] = "paused",       [PRINTER_DONE] = "done",
    [PRINTER_CANCELLED] = "cancelled", [PRINTER_FAILED] = "failed",
    [PRINTER_ATTENTION] = "attention"};

const struct printer_driver *printer_driver_at(size_t i)
{
    return i < sizeof drivers / sizeof *drivers ? drivers[i] : NULL;
}

const struct printer_driver *printer_driver_find(const char *id)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strcmp(drivers[i]->id, id) == 0)
            return drivers[i];
    return NULL;
}

const char *printer_state_name(enum printer_state state)
{
    return state_names[state];
}

bool printer_is_idle(enum printer_state state)
{
    return state == PRINTER_IDLE || state == PRINTER_DONE || state == PRINTER_CANCELLED;
}

/* Which moves lead a printer from one state to another: some lead through a third. */
static const struct {
    const char *from, *to, *events[2];
} ways[] = {
    {"offline", "ready", {"printer.idle_clear"}},
    {"offline", "awaiting_clear", {"printer.idle"}},
    {"offline", "busy", {"printer.busy"}},
    {"offline", "paused", {"printer.busy", "run.paused"}},
    {"offline", "attention", {"printer.foreign_job"}},
    {"ready", "offline", {"printer.lost"}},
    {"ready", "attention", {"printer.foreign_job"}},
    {"ready", "error", {"printer.error"}},
    {"reserved", "ready", {"run.released"}},
    {"reserved", "busy", {"run.started"}},
    {"reserved", "awaiting_clear", {"run.ended"}},
    {"reserved", "attention", {"run.released", "printer.foreign_job"}},
    {"reserved", "offline", {"printer.lost"}},
    {"reserved", "error", {"printer.error"}},
    {"busy", "paused", {"run.paused"}},
    {"busy", "awaiting_clear", {"run.ended"}},
    {"busy", "attention", {"printer.lost", "printer.foreign_job"}},
    {"busy", "offline", {"printer.lost"}},
    {"busy", "error", {"printer.error"}},
    {"paused", "busy", {"run.resumed"}},
    {"paused", "awaiting_clear", {"run.ended"}},
    {"paused", "attention", {"printer.lost", "printer.foreign_job"}},
    {"paused", "offline", {"printer.lost"}},
    {"paused", "error", {"run.resumed", "printer.error"}},
    {"awaiting_clear", "offline", {"printer.lost"}},
    {"awaiting_clear", "busy", {"printer.lost", "printer.busy"}},
    {"awaiting_clear", "attention", {"printer.lost", "printer.foreign_job"}},
    {"attention", "offline", {"printer.lost"}},
    {"attention", "busy", {"printer.lost", "printer.busy"}},
    {"attention", "awaiting_clear", {"printer.lost", "printer.idle"}},
    {"error", "offline", {"printer.lost"}},
    {"error", "awaiting_clear", {"printer.idle"}},
    {"error", "busy", {"printer.lost", "printer.busy"}},
    {"error", "attention", {"printer.lost", "printer.foreign_job"}},
};

static int move_printer(struct db *db, const char *printer_id, const char *event, const char *actor,
                        const char *reason, struct err *err)
{
    struct move move = {.machine = "printer",
                        .subject = printer_id,
                        .event = event,
                        .actor = actor,
                        .reason = reason};
    return flow_move(NULL, db, &move, err);
}

int printer_bring(struct db *db, const char *printer_id, const char *from, const char *to,
                  const char *actor, const char *reason, struct err *err)
{
    if (strcmp(from, to) == 0)
        return 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].from, from) != 0 || strcmp(ways[i].to, to) != 0)
            continue;
        for (int k = 0; k < 2 && ways[i].events[k]; k++)
            if (move_printer(db, printer_id, ways[i].events[k], actor, reason, err))
                return -1;
        return 0;
    }
    return FAIL(err, ERR_BUG, "no way leads printer %.40s from %s to %s", printer_id, from, to);
}

/* The columns of printer_lock.sql and printer_show.sql. */
enum { COL_STATE, COL_DRIVER, COL_URL, COL_KEY, COL_RUN, COL_RUN_STATE };

static int printer_find(struct db_rows **rows, struct db *db, const char *statement,
                        const char *printer_id, struct err *err)
{
    if (DB_RUN(rows, db, statement, err, printer_id))
        return -1;
    if (db_row_count(*rows) == 1)
        return 0;
    db_rows_free(*rows);
    *rows = NULL;
    return FAIL(err, ERR_ABSENT, "no printer %.40s", printer_id);
}

/* A run whose end nobody knows ends with the bed's clearing: its part is in the person's hand. */
static int end_unknown_run(struct db *db, const struct db_rows *printer, const char *locked_run,
                           const char *actor, struct err *err)
{
    struct move move = {.machine = "run",
                        .subject = db_text(printer, 0, COL_RUN),
                        .event = "run.finished",
                        .actor = actor,
                        .reason = "its end is unknown; the bed was cleared: judge the part"};
    if (strcmp(db_text(printer, 0, COL_RUN_STATE), "unknown") != 0)
        return 0;
    if (strcmp(move.subject, locked_run) != 0)
        return FAIL_CODE(err, ERR_CONFLICT, "printer_state", "another run has come meanwhile");
    return flow_move(NULL, db, &move, err) ||
                   DB_RUN(NULL, db, "schedule_run_ended", err, move.subject, move.reason)
               ? -1
               : 0;
}

/* The order and item of the run that is on a printer ("" none) are locked before the printer. */
static int lock_run_of(char run[40], struct db *db, const char *printer_id, struct err *err)
{
    struct db_rows *printer = NULL;
    if (printer_find(&printer, db, "printer_show", printer_id, err))
        return -1;
    snprintf(run, 40, "%s", db_text(printer, 0, COL_RUN));
    db_rows_free(printer);
    return *run ? DB_RUN(NULL, db, "item_lock", err, run) : 0;
}

static int clear_locked(struct db *db, const char *printer_id, const char *actor, struct err *err)
{
    struct db_rows *printer = NULL;
    char run[40];
    if (lock_run_of(run, db, printer_id, err) ||
        printer_find(&printer, db, "printer_lock", printer_id, err))
        return -1;
    const char *state = db_text(printer, 0, COL_STATE);
    bool away = strcmp(state, "offline") == 0, ready = strcmp(state, "ready") == 0;
    int failed = end_unknown_run(db, printer, run, actor, err);
    if (!failed && !away && !ready)
        failed = move_printer(db, printer_id, "bed.cleared", actor, NULL, err);
    if (!failed)
        failed = DB_RUN(NULL, db, "printer_bed", err, printer_id, "true");
    if (!failed && away)
        failed = DB_RUN(NULL, db, "printer_note", err, printer_id, "bed.cleared", actor, "");
    db_rows_free(printer);
    return failed;
}

int printer_clear(struct db *db, const char *printer_id, const char *actor, struct err *err)
{
    if (db_begin(db, err))
        return -1;
    if (!clear_locked(db, printer_id, actor, err) && !db_commit(db, err))
        return 0;
    db_rollback(db);
    return -1;
}

/* Asks the printer, outside any transaction: it may take seconds. */
static int ask_printer(struct db *db, const char *printer_id, const char *wanted_state,
                       const char *note, const char *actor, struct err *err)
{
    struct db_rows *printer = NULL;
    if (printer_find(&printer, db, "printer_show", printer_id, err))
        return -1;
    int failed = 0;
    struct printer_link link = {.url = db_text(printer, 0, COL_URL),
                                .api_key = db_text(printer, 0, COL_KEY)};
    const struct printer_driver *driver = printer_driver_find(db_text(printer, 0, COL_DRIVER));
    bool pause = strcmp(wanted_state, "busy") == 0;
    if (strcmp(db_text(printer, 0, COL_STATE), wanted_state) != 0)
        failed = FAIL_CODE(err, ERR_CONFLICT, "printer_state", "printer %.40s is %s, not %s",
                           printer_id, db_text(printer, 0, COL_STATE), wanted_state);
    else if (!driver)
        failed = FAIL(err, ERR_BUG, "no driver %.40s", db_text(printer, 0, COL_DRIVER));
    else
        failed = (pause ? driver->pause : driver->resume)(&link, err) ||
                 DB_RUN(NULL, db, "printer_note", err, printer_id, note, actor, "");
    db_rows_free(printer);
    return failed ? -1 : 0;
}

int printer_pause(struct db *db, const char *printer_id, const char *actor, struct err *err)
{
    return ask_printer(db, printer_id, "busy", "pause.asked", actor, err);
}

int printer_resume(struct db *db, const char *printer_id, const char *actor, struct err *err)
{
    return ask_printer(db, printer_id, "paused", "resume.asked", actor, err);
}

int printer_take_out(struct db *db, const char *printer_id, const char *actor, const char *reason,
                     struct err *err)
{
    if (db_begin(db, err))
        return -1;
    if (!move_printer(db, printer_id, "printer.taken_out", actor, reason, err) &&
        !db_commit(db, err))
        return 0;
    db_rollback(db);
    return -1;
}

int printer_put_back(struct db *db, const char *printer_id, const char *actor, struct err *err)
{
    if (db_begin(db, err))
        return -1;
    if (!move_printer(db, printer_id, "printer.put_back", actor, NULL, err) &&
        !DB_RUN(NULL, db, "printer_bed", err, printer_id, "false") && !db_commit(db, err))
        return 0;
    db_rollback(db);
    return -1;
}
