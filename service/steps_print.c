/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Brings an assigned run to its printer, and starts it at most once.
 *
 * The file's name on the printer holds the fence of the assignment. Before the start is sent, the
 * run is `starting` with start_sent_at set, committed. From there on nobody starts it again: who
 * finds it so (this job run again, by another process) only looks. The printer's word decides:
 * it prints our file or has a record of a print of it: it was started. It rests, has no record, and
 * has removed the file on our order: nothing was started, and a start still on its way names a file
 * that is gone; only then the run goes back in line, under a new name. No word: `unknown`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "service/log.h"
#include "service/printer.h"
#include "service/schedule.h"
#include "service/steps.h"
#include "storage/flow.h"

#define UPLOADS_MAX 3 /* then the printer waits for a person instead of taking the next try */

struct dispatch {
    struct db_rows *row;
    const char *state, *fence, *file, *gcode_hash, *printer_id, *printer_state;
    int attempts;
    const struct printer_driver *driver;
    struct printer_link link;
};

/* What is known of a start order that was given. */
enum given { GIVEN_ACCEPTED, GIVEN_REFUSED, GIVEN_IN_DOUBT };

/* What the printer says became of it. */
enum fate { FATE_STARTED, FATE_NOTHING, FATE_OPEN, FATE_STOPPED };

static int load(struct dispatch *d, struct step *step, struct err *err)
{
    *d = (struct dispatch){0};
    if (DB_RUN(&d->row, step->db, "step_print_load", err, step->job->subject))
        return -1;
    if (db_row_count(d->row) == 0)
        return 1;
    d->state = db_text(d->row, 0, 0);
    d->fence = db_text(d->row, 0, 1);
    d->file = db_text(d->row, 0, 2);
    d->gcode_hash = db_text(d->row, 0, 3);
    d->attempts = (int)db_int(d->row, 0, 4);
    d->printer_id = db_text(d->row, 0, 5);
    d->driver = printer_driver_find(db_text(d->row, 0, 6));
    d->link = (struct printer_link){
        .url = db_text(d->row, 0, 7), .api_key = db_text(d->row, 0, 8), .stop = step->stop};
    d->printer_state = db_text(d->row, 0, 9);
    return d->driver ? 0 : FAIL(err, ERR_BUG, "no driver %.40s", db_text(d->row, 0, 6));
}

/* The assignment that this job was made for, not a later one. */
static bool is_ours(const struct dispatch *d, const struct job *job)
{
    cJSON *payload = NULL;
    const char *text = job->payload ? job->payload : "{}";
    if (json_parse(&payload, text, strlen(text), NULL))
        return false;
    bool ours = json_number(payload, "fence", -1) == strtod(d->fence, NULL);
    cJSON_Delete(payload);
    return ours;
}

/* Opens a transaction that holds the run's item, run and printer, with our lease still good and the
 * run still ours and in that state; ERR_CONFLICT otherwise. *printer_state is the printer's, to be
 * freed. */
static int hold(struct step *step, const struct dispatch *d, const char *state,
                struct db_rows **printer, struct err *err)
{
    *printer = NULL;
    if (db_begin(step->db, err))
        return -1;
    int lost = job_beat(step->db, step->job, step->settings->lease_s, err);
    if (lost < 0)
        return -1;
    if (lost)
        return FAIL_CODE(err, ERR_CONFLICT, "lease_lost", "another worker has this run");
    if (DB_RUN(NULL, step->db, "item_lock", err, step->job->subject) ||
        DB_RUN(printer, step->db, "step_print_lock", err, step->job->subject, d->fence, state))
        return -1;
    return db_row_count(*printer) == 1
               ? 0
               : FAIL_CODE(err, ERR_CONFLICT, "run_moved", "the run has moved on");
}

static int move_run(struct step *step, const char *event, const char *reason, struct err *err)
{
    struct move move = {.machine = "run",
                        .subject = step->job->subject,
                        .event = event,
                        .actor = step->actor,
                        .reason = reason};
    return flow_move(NULL, step->db, &move, err);
}

/* Nothing was started: the run goes back in line, the printer to the given state. */
static int back(struct step *step, struct dispatch *d, const char *event, const char *printer_to,
                const char *why, struct err *err)
{
    struct db_rows *printer;
    int failed = hold(step, d, d->state, &printer, err) || move_run(step, event, why, err) ||
                 DB_RUN(NULL, step->db, "schedule_unbind", err, step->job->subject, why) ||
                 printer_bring(step->db, d->printer_id, db_text(printer, 0, 1), printer_to,
                               step->actor, why, err);
    if (!failed && strcmp(printer_to, "attention") == 0)
        failed = DB_RUN(NULL, step->db, "printer_bed", err, d->printer_id, "false");
    db_rows_free(printer);
    if (failed || step_end(step, err))
        return -1;
    log_event(LOG_WARN, event, "run", step->job->subject, "printer", d->printer_id, "why", why,
              NULL);
    return 0;
}

static const char *after_failure(const struct dispatch *d)
{
    return d->attempts + 1 < UPLOADS_MAX ? "ready" : "error";
}

/* Looks before anything is sent: 0 the printer rests, 1 it does not and the run went back. */
static int look_first(struct step *step, struct dispatch *d, struct err *err)
{
    struct printer_report report = {0};
    const char *event = strcmp(d->state, "assigned") == 0 ? "run.unassigned" : "run.upload_failed";
    const char *to = NULL, *why = report.message;
    struct err refusal = {0};
    if (d->driver->status(&report, &d->link, &refusal)) {
        to = "error";
        why = refusal.what;
    } else if (report.state == PRINTER_OFFLINE || report.state == PRINTER_FAILED) {
        to = "offline";
    } else if (report.state == PRINTER_ATTENTION) {
        to = "error";
    } else if (!printer_is_idle(report.state)) {
        to = "attention";
        why = "it prints something that we did not send";
    }
    if (!to)
        return 0;
    return back(step, d, event, to, why, err) ? -1 : 1;
}

/* assigned -> uploading, counted. */
static int begin_upload(struct step *step, struct dispatch *d, struct err *err)
{
    struct db_rows *printer;
    int failed = hold(step, d, d->state, &printer, err);
    if (!failed && strcmp(d->state, "assigned") == 0)
        failed = move_run(step, "run.uploading", NULL, err);
    failed = failed || DB_RUN(NULL, step->db, "step_print_try", err, step->job->subject) ||
             db_commit(step->db, err);
    db_rows_free(printer);
    d->state = "uploading";
    return failed ? -1 : 0;
}

/* 0 it is there, 1 it is not and the run went back or the job was given back. */
static int upload(struct step *step, struct dispatch *d, struct err *err)
{
    struct bytes gcode = {.limit = (size_t)512 << 20};
    struct err why = {0};
    if (blob_get(&gcode, step->blobs, d->gcode_hash, err)) {
        bytes_free(&gcode);
        return -1;
    }
    int failed = d->driver->upload(&d->link, d->file, &gcode, &why);
    bytes_free(&gcode);
    if (!failed)
        return 0;
    if (atomic_load(step->stop))
        return job_release(step->db, step->job, 0, err) ? -1 : 1;
    bool away = strcmp(why.code, "printer_away") == 0;
    const char *to = away ? "offline" : after_failure(d);
    return back(step, d, "run.upload_failed", to, why.what, err) ? -1 : 1;
}

/* uploading -> starting: from the commit on, a start may have been sent. */
static int begin_start(struct step *step, struct dispatch *d, struct err *err)
{
    struct db_rows *printer;
    int failed = hold(step, d, "uploading", &printer, err) ||
                 move_run(step, "run.upload_ok", NULL, err) ||
                 DB_RUN(NULL, step->db, "step_print_start", err, step->job->subject) ||
                 db_commit(step->db, err);
    db_rows_free(printer);
    d->state = "starting";
    return failed ? -1 : 0;
}

static bool in_doubt(const struct err *why)
{
    return strcmp(why->code, "printer_in_doubt") == 0 || why->kind == ERR_BUG;
}

/* One look: does the printer print our file, or has it? */
static enum fate look(const struct dispatch *d, struct printer_report *report)
{
    struct printer_file record = {0};
    *report = (struct printer_report){0};
    if (d->driver->status(report, &d->link, NULL) || !report->answered)
        return FATE_OPEN;
    bool ours = strcmp(report->file, d->file) == 0;
    bool moves = report->state == PRINTER_PREPARING || report->state == PRINTER_PRINTING ||
                 report->state == PRINTER_PAUSED;
    if (ours && moves)
        return FATE_STARTED;
    if (d->driver->file(&record, &d->link, d->file, NULL))
        return FATE_OPEN;
    if (record.success + record.failure > 0)
        return FATE_STARTED;
    return printer_is_idle(report->state) || (moves && !ours) ? FATE_NOTHING : FATE_OPEN;
}

/* Looks until the start shows, for as long as one may take to show. */
static enum fate look_for_a_while(const struct step *step, const struct dispatch *d,
                                  enum given given, struct printer_report *report)
{
    int grace = step->start_grace_ms ? step->start_grace_ms : 5000;
    int64_t until = clock_ms() + grace;
    for (;;) {
        enum fate fate = look(d, report);
        if (fate == FATE_STARTED || (fate == FATE_NOTHING && given == GIVEN_REFUSED))
            return fate;
        if (clock_ms() >= until)
            return fate;
        if (atomic_load(step->stop))
            return FATE_STOPPED;
        nanosleep(&(struct timespec){.tv_nsec = 250 * 1000 * 1000}, NULL);
    }
}

/* "Nothing was started" must also stay true: a start under way may still arrive. With the file gone
 * it can do nothing; a file in use cannot be removed, and then it was started after all. */
static enum fate make_certain(const struct dispatch *d, struct printer_report *report)
{
    struct err err = {0};
    if (!d->driver->drop(&d->link, d->file, &err)) {
        if (d->driver->status(report, &d->link, &err) || !report->answered)
            return FATE_OPEN;
        return strcmp(report->file, d->file) != 0 ? FATE_NOTHING : FATE_OPEN;
    }
    return err.kind == ERR_CONFLICT ? look(d, report) : FATE_OPEN;
}

static int started(struct step *step, struct dispatch *d, struct err *err)
{
    struct db_rows *printer;
    int failed = hold(step, d, "starting", &printer, err) ||
                 schedule_run_starts(step->db, step->job->subject, step->actor, err) ||
                 printer_bring(step->db, d->printer_id, db_text(printer, 0, 1), "busy", step->actor,
                               NULL, err);
    db_rows_free(printer);
    if (failed || step_end(step, err))
        return -1;
    log_event(LOG_INFO, "run_started", "run", step->job->subject, "printer", d->printer_id, NULL);
    return 0;
}

static int lost(struct step *step, struct dispatch *d, struct err *err)
{
    const char *why = "a start was sent and the printer does not say what became of it";
    struct db_rows *printer;
    int failed = hold(step, d, "starting", &printer, err) || move_run(step, "run.lost", why, err) ||
                 printer_bring(step->db, d->printer_id, db_text(printer, 0, 1), "offline",
                               step->actor, why, err);
    db_rows_free(printer);
    if (failed || step_end(step, err))
        return -1;
    log_event(LOG_WARN, "run_unknown", "run", step->job->subject, "printer", d->printer_id, NULL);
    return 0;
}

/* A start was, or may have been, sent: finds out what became of it. */
static int settle(struct step *step, struct dispatch *d, enum given given, struct err *err)
{
    struct printer_report report;
    enum fate fate = look_for_a_while(step, d, given, &report);
    if (fate == FATE_NOTHING)
        fate = make_certain(d, &report);
    if (fate == FATE_STOPPED)
        return job_release(step->db, step->job, 0, err);
    if (fate == FATE_STARTED)
        return started(step, d, err);
    if (fate == FATE_OPEN)
        return lost(step, d, err);
    bool other = report.state == PRINTER_PREPARING || report.state == PRINTER_PRINTING ||
                 report.state == PRINTER_PAUSED;
    return back(step, d, "run.start_refused", other ? "attention" : after_failure(d),
                "the printer started nothing", err);
}

static int send(struct step *step, struct dispatch *d, struct err *err)
{
    struct err why = {0};
    int moved_on = look_first(step, d, err);
    if (moved_on == 0 && begin_upload(step, d, err))
        return -1;
    if (moved_on == 0)
        moved_on = upload(step, d, err);
    if (moved_on)
        return moved_on < 0 ? -1 : 0;
    if (begin_start(step, d, err))
        return -1;
    int refused = d->driver->start(&d->link, d->file, &why);
    return settle(step, d,
                  !refused         ? GIVEN_ACCEPTED
                  : in_doubt(&why) ? GIVEN_IN_DOUBT
                                   : GIVEN_REFUSED,
                  err);
}

int step_print(struct step *step, struct err *err)
{
    struct dispatch d;
    int result = load(&d, step, err);
    if (result == 1 || (result == 0 && !is_ours(&d, step->job)))
        result = step_drop(step, "the run is on its way elsewhere", err);
    else if (result == 0 && strcmp(d.state, "starting") == 0)
        result = settle(step, &d, GIVEN_IN_DOUBT, err);
    else if (result == 0 && (strcmp(d.state, "assigned") == 0 || strcmp(d.state, "uploading") == 0))
        result = send(step, &d, err);
    else if (result == 0)
        result = step_drop(step, "the run has moved on", err);
    db_rows_free(d.row);
    return result;
}

int run_give_up(struct db *db, const char *run_id, const char *message, const char *actor,
                struct err *err)
{
    struct db_rows *row = NULL;
    if (DB_RUN(&row, db, "step_print_load", err, run_id))
        return -1;
    const char *state = db_row_count(row) ? db_text(row, 0, 0) : "";
    bool assigned = strcmp(state, "assigned") == 0;
    int failed = 0;
    if (assigned || strcmp(state, "uploading") == 0) {
        struct move move = {.machine = "run",
                            .subject = run_id,
                            .event = assigned ? "run.unassigned" : "run.upload_failed",
                            .actor = actor,
                            .reason = message};
        failed =
            flow_move(NULL, db, &move, err) ||
            DB_RUN(NULL, db, "schedule_unbind", err, run_id, message) ||
            printer_bring(db, db_text(row, 0, 5), db_text(row, 0, 9), "error", actor, message, err);
    }
    db_rows_free(row);
    return failed ? -1 : 0;
}
