/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scheduler: asks printers, writes what follows, hands out waiting runs. See schedule.h. */
#include "service/schedule.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "service/log.h"
#include "storage/flow.h"
#include "storage/job.h"

/* --- one printer --------------------------------------------------------------------------------
 */

static struct watched watched_read(const struct db_rows *rows, int i)
{
    return (struct watched){.id = db_text(rows, i, 0),
                            .driver = db_text(rows, i, 1),
                            .url = db_text(rows, i, 2),
                            .api_key = db_text(rows, i, 3),
                            .state = db_text(rows, i, 4),
                            .version = (int)db_int(rows, i, 5),
                            .bed_clear = db_text(rows, i, 6)[0] == 't',
                            .away_ms = db_is_null(rows, i, 7) ? -1 : db_int(rows, i, 7),
                            .run_id = db_text(rows, i, 8),
                            .run_state = db_text(rows, i, 9),
                            .run_version = (int)db_int(rows, i, 10),
                            .file_name = db_text(rows, i, 11),
                            .progress = db_real(rows, i, 12),
                            .stored_ms = db_int(rows, i, 13)};
}

/* Asks the printer; a refusal of our key is a report too: somebody must look at it. The file's
 * record is only fetched where the report does not settle a run. */
static void ask(struct printer_report *report, struct printer_file *record,
                const struct watched *before, const struct printer_driver *driver)
{
    struct printer_link link = {.url = before->url, .api_key = before->api_key};
    struct err err = {0};
    *record = (struct printer_file){0};
    if (driver->status(report, &link, &err)) {
        *report = (struct printer_report){.state = PRINTER_ATTENTION, .answered = true};
        snprintf(report->message, sizeof report->message, "%.159s", err.what);
        return;
    }
    const char *run = before->run_state;
    bool ours = strcmp(report->file, before->file_name) == 0;
    bool moves = report->state == PRINTER_PREPARING || report->state == PRINTER_PRINTING ||
                 report->state == PRINTER_PAUSED;
    bool open =
        strcmp(run, "printing") == 0 || strcmp(run, "paused") == 0 || strcmp(run, "unknown") == 0;
    if (open && report->answered && !(ours && moves) &&
        driver->file(record, &link, before->file_name, &err)) {
        report->state = PRINTER_OFFLINE; /* without the record no end is certain */
        report->answered = false;
    }
}

static int report_json(struct bytes *out, const struct printer_report *report, struct err *err)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "state", printer_state_name(report->state));
    cJSON_AddStringToObject(j, "file", report->file);
    cJSON_AddNumberToObject(j, "progress", report->progress);
    cJSON_AddNumberToObject(j, "nozzle_c", report->nozzle_c);
    cJSON_AddNumberToObject(j, "bed_c", report->bed_c);
    cJSON_AddStringToObject(j, "message", report->message);
    int failed = json_print(out, j, false, err);
    cJSON_Delete(j);
    return failed;
}

/* The first part that starts takes its item from queued to printing. Before the run's own move: the
 * item's order is locked first everywhere. */
static int item_starts(struct db *db, const char *run_id, const char *actor, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "schedule_run_item", err, run_id))
        return -1;
    int failed = 0;
    if (db_row_count(rows) == 1 && strcmp(db_text(rows, 0, 1), "queued") == 0) {
        struct move move = {.machine = "item",
                            .subject = db_text(rows, 0, 0),
                            .event = "run.started",
                            .actor = actor};
        failed = flow_move(NULL, db, &move, err);
    }
    db_rows_free(rows);
    return failed;
}

int schedule_run_starts(struct db *db, const char *run_id, const char *actor, struct err *err)
{
    struct move move = {
        .machine = "run", .subject = run_id, .event = "run.started", .actor = actor};
    return item_starts(db, run_id, actor, err) || flow_move(NULL, db, &move, err) ||
                   DB_RUN(NULL, db, "schedule_run_started", err, run_id)
               ? -1
               : 0;
}

static int move_run(struct db *db, const struct watched *before, const struct verdict *v,
                    const char *actor, struct err *err)
{
    const char *reason = v->reason ? v->reason : "";
    if (v->started && item_starts(db, before->run_id, actor, err))
        return -1;
    for (int i = 0; i < 2 && v->run_events[i]; i++) {
        struct move move = {.machine = "run",
                            .subject = before->run_id,
                            .event = v->run_events[i],
                            .actor = actor,
                            .reason = reason};
        if (flow_move(NULL, db, &move, err))
            return -1;
    }
    if (v->started && DB_RUN(NULL, db, "schedule_run_started", err, before->run_id))
        return -1;
    return v->ended ? DB_RUN(NULL, db, "schedule_run_ended", err, before->run_id, reason) : 0;
}

static int write_verdict(struct db *db, const struct watched *before, const struct verdict *v,
                         const struct printer_report *report, struct err *err)
{
    char actor[80], progress[32];
    snprintf(actor, sizeof actor, "printer:%.60s", before->id);
    snprintf(progress, sizeof progress, "%.4f", report->progress);
    if (v->run_events[0] && move_run(db, before, v, actor, err))
        return -1;
    if (v->printer_to &&
        printer_bring(db, before->id, before->state, v->printer_to, actor, v->reason, err))
        return -1;
    if (v->bed_taken && DB_RUN(NULL, db, "printer_bed", err, before->id, "false"))
        return -1;
    return v->progress_changed
               ? DB_RUN(NULL, db, "schedule_progress", err, before->run_id, progress)
               : 0;
}

/* In one transaction, and only if both rows are as they were before the printer was asked: what we
 * saw may be older than what another scheduler or a job has written since. The run's order and item
 * are locked before the printer, as everywhere. */
static int take_report(struct db *db, const struct watched *before,
                       const struct printer_report *report, const struct verdict *v,
                       struct err *err)
{
    char version[16], run_version[16];
    struct bytes json = {0};
    struct db_rows *rows = NULL;
    const char *run = *before->run_id ? before->run_id : NULL;
    snprintf(version, sizeof version, "%d", before->version);
    snprintf(run_version, sizeof run_version, "%d", before->run_version);
    int failed = report_json(&json, report, err) || db_begin(db, err);
    if (failed)
        goto out;
    failed = (run && DB_RUN(NULL, db, "item_lock", err, run)) ||
             DB_RUN(&rows, db, "schedule_unchanged", err, before->id, version, run, run_version);
    if (!failed && db_row_count(rows) == 1)
        failed = DB_RUN(NULL, db, "schedule_seen", err, before->id, (const char *)json.data,
                        report->answered ? "true" : "false") ||
                 write_verdict(db, before, v, report, err);
    failed = failed || db_commit(db, err);
    if (failed)
        db_rollback(db);
out:
    db_rows_free(rows);
    bytes_free(&json);
    return failed ? -1 : 0;
}

static int watch_one(struct db *db, const struct watched *before, struct err *err)
{
    const struct printer_driver *driver = printer_driver_find(before->driver);
    struct printer_report report;
    struct printer_file record;
    if (!driver)
        return FAIL(err, ERR_BUG, "printer %.40s has the unknown driver %.40s", before->id,
                    before->driver);
    ask(&report, &record, before, driver);
    struct verdict v = schedule_decide(before, &report, &record);
    if (take_report(db, before, &report, &v, err))
        return -1;
    if (v.printer_to && strcmp(v.printer_to, before->state) != 0)
        log_event(LOG_INFO, "printer_state", "printer", before->id, "from", before->state, "to",
                  v.printer_to, "why", v.reason ? v.reason : "", NULL);
    if (v.run_events[0])
        log_event(LOG_INFO, v.run_events[0], "run", before->run_id, "printer", before->id, NULL);
    /* Only now: connecting wipes the words by which a failed print was told from a lost one. */
    struct printer_link link = {.url = before->url, .api_key = before->api_key};
    if (report.answered && (report.state == PRINTER_OFFLINE || report.state == PRINTER_FAILED) &&
        driver->connect(&link, err))
        log_failure(LOG_DEBUG, "printer_connect", before->id, err);
    return 0;
}

int schedule_watch(int *busy, struct db *db, const char *printer_id, bool away_too, struct err *err)
{
    struct db_rows *rows = NULL;
    if (busy)
        *busy = 0;
    if (DB_RUN(&rows, db, "schedule_printers", err, printer_id, away_too ? "true" : "false"))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows); i++) {
        struct watched before = watched_read(rows, i);
        if (busy)
            *busy += *before.run_id != 0;
        failed |= watch_one(db, &before, err);
    }
    db_rows_free(rows);
    return failed;
}

/* --- handing out runs ---------------------------------------------------------------------------
 */

static int add_print_job(struct db *db, const char *run_id, const char *fence, struct err *err)
{
    char key[64], payload[64];
    snprintf(key, sizeof key, "%.40s-%.20s", run_id, fence);
    snprintf(payload, sizeof payload, "{\"fence\":%.20s}", fence);
    struct job_new job = {.kind = "print",
                          .subject = run_id,
                          .key = key,
                          .payload = payload,
                          .priority = 10,
                          .max_tries = 12};
    return job_add(db, &job, err);
}

/* The moves lock order, item, run and printer, in this order, and refuse a pair that somebody else
 * was faster to take. 0 a pair, 1 it is none any more, -1 failed. */
static int assign_pair(struct db *db, const struct db_rows *pair, const char *actor,
                       struct err *err)
{
    struct db_rows *bound = NULL;
    const char *run_id = db_text(pair, 0, 0), *printer_id = db_text(pair, 0, 1);
    struct move run = {
        .machine = "run", .subject = run_id, .event = "run.assigned", .actor = actor};
    struct move printer = {
        .machine = "printer", .subject = printer_id, .event = "run.assigned", .actor = actor};
    if (flow_move(NULL, db, &run, err) || flow_move(NULL, db, &printer, err))
        return err->kind == ERR_CONFLICT ? 1 : -1;
    if (DB_RUN(&bound, db, "schedule_bind", err, run_id, printer_id, db_text(pair, 0, 2)))
        return -1;
    int result =
        db_row_count(bound) == 1 ? add_print_job(db, run_id, db_text(bound, 0, 0), err) : 1;
    db_rows_free(bound);
    return result;
}

/* 0 a pair was made, 1 none is left (or another scheduler gives them out), -1 failed. */
static int assign_one(struct db *db, const char *actor, struct err *err)
{
    struct db_rows *pair = NULL;
    int result = db_begin(db, err) || db_run(&pair, db, "schedule_pair", 0, NULL, err) ? -1 : 0;
    if (!result && db_row_count(pair) == 0)
        result = 1;
    if (!result)
        result = assign_pair(db, pair, actor, err);
    if (!result)
        result = db_commit(db, err);
    if (result)
        db_rollback(db);
    else
        log_event(LOG_INFO, "run_assigned", "run", db_text(pair, 0, 0), "printer",
                  db_text(pair, 0, 1), NULL);
    db_rows_free(pair);
    return result;
}

int schedule_assign(int *count, struct db *db, const char *actor, struct err *err)
{
    int result, made = 0;
    while ((result = assign_one(db, actor, err)) == 0)
        made++;
    if (count)
        *count = made;
    return result < 0 ? -1 : 0;
}

int schedule_adopt(struct db *db, struct err *err)
{
    struct db_rows *rows = NULL;
    if (db_run(&rows, db, "schedule_orphans", 0, NULL, err))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows) && !failed; i++)
        failed = add_print_job(db, db_text(rows, i, 0), db_text(rows, i, 1), err);
    db_rows_free(rows);
    return failed;
}

/* --- the thread ---------------------------------------------------------------------------------
 */

struct schedule {
    pthread_t thread;
    atomic_bool stop;
    const struct settings *settings;
    unsigned passes;
};

static void nap(const struct schedule *schedule, int ms)
{
    int64_t until = clock_ms() + ms;
    while (!atomic_load(&schedule->stop) && clock_ms() < until)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
}

/* A second while something prints, two when all rest; printers that are away for long are asked
 * every tenth time only, for each may cost the time that a connection is waited for. */
static int pass(struct schedule *schedule, struct db *db, struct err *err)
{
    char actor[80];
    int busy = 0, made = 0;
    snprintf(actor, sizeof actor, "worker:%.64s", schedule->settings->worker_name);
    int failed = schedule_watch(&busy, db, NULL, schedule->passes++ % 10 == 0, err);
    if (failed)
        log_failure(LOG_WARN, "printer_watch", NULL, err);
    if (schedule_assign(&made, db, actor, err) || schedule_adopt(db, err)) {
        log_failure(LOG_WARN, "schedule", NULL, err);
        failed = -1;
    }
    return failed ? 2000 : busy + made > 0 ? 1000 : 2000;
}

static void *schedule_main(void *user)
{
    struct schedule *schedule = user;
    struct db *db = NULL;
    struct err err = {0};
    while (!atomic_load(&schedule->stop)) {
        if (!db && db_open(&db, schedule->settings->database, &err)) {
            log_failure(LOG_WARN, "schedule_database", NULL, &err);
            nap(schedule, 2000);
            continue;
        }
        nap(schedule, pass(schedule, db, &err));
    }
    db_close(db);
    return NULL;
}

int schedule_start(struct schedule **out, const struct settings *settings, struct err *err)
{
    struct schedule *schedule = calloc(1, sizeof *schedule);
    *out = NULL;
    if (!schedule)
        return FAIL(err, ERR_LIMIT, "no memory for the scheduler");
    schedule->settings = settings;
    if (pthread_create(&schedule->thread, NULL, schedule_main, schedule)) {
        free(schedule);
        return FAIL(err, ERR_LATER, "no thread for the scheduler");
    }
    *out = schedule;
    return 0;
}

void schedule_stop(struct schedule *schedule)
{
    if (!schedule)
        return;
    atomic_store(&schedule->stop, true);
    pthread_join(schedule->thread, NULL);
    free(schedule);
}
