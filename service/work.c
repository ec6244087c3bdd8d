/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The workers: threads that claim jobs and run their steps, and one keeper that prolongs leases,
 * takes back lapsed ones, and finds items that no job works on any more. See service.h.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "service/courier.h"
#include "service/log.h"
#include "service/schedule.h"
#include "service/service.h"
#include "service/steps.h"

/* The job kinds: how many may run at once over all workers (0 = as many as there are threads), and
 * the step. A further kind is a row here and a file. */
#define KINDS(ROW)                                                                                 \
    ROW(photo_check, 0, "judges the photos of an item")                                            \
    ROW(generate, 8, "begins a round of models made of them; with it comes the courier")           \
    ROW(gather, 0, "scores what came, asks elsewhere for what did not, lets the best go on")       \
    ROW(inspect, 0, "reads what was made and says whether it can be used")                         \
    ROW(prepare, 0, "makes it printable: 3MF, STL, report, pictures")                              \
    ROW(slice, 0, "makes checked G-code of what was passed, and plans runs")                       \
    ROW(slice_ahead, 4, "slices what nobody waits for yet, while nothing else is to be done")      \
    ROW(print, 0, "brings a run to its printer; with it comes the scheduler")

static const struct kind {
    const char *name;
    int limit;
    step_function *step;
    const char *summary;
} kinds[] = {
#define ROW(name, limit, summary) {#name, limit, step_##name, summary},
    KINDS(ROW)
#undef ROW
};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

/* A worker thread and the job it has; job and busy are written under the lock. */
struct slot {
    pthread_t thread;
    struct work *work;
    struct db *db;
    struct job job;
    bool busy;
    atomic_bool stop; /* the job under way shall end: its lease is lost, or all ends */
};

struct work {
    struct settings settings;
    struct blobs blobs;
    char actor[80];
    bool chosen[KIND_COUNT];
    char unlimited[128]; /* the chosen kinds without a limit, comma-separated */
    char urgent[160];    /* the chosen kinds but slice_ahead, which gives way to them */
    pthread_mutex_t lock;
    atomic_bool stop;
    struct slot *slots;
    int slot_count; /* threads that run */
    pthread_t keeper;
    bool keeper_runs;
    struct schedule *schedule;
    struct courier *courier;
};

const char *work_kinds(void)
{
    static const char *const names =
#define ROW(name, limit, summary) "," #name
        KINDS(ROW)
#undef ROW
        ;
    return names + 1;
}

static void nap(const struct work *work, int ms)
{
    for (int64_t until = clock_ms() + ms; !atomic_load(&work->stop) && clock_ms() < until;)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
}

/* --- one job ------------------------------------------------------------------------------------
 */

static const struct kind *kind_find(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* What a dead job was about goes to a person, in the transaction that buries it. */
static int give_up(struct slot *slot, const struct err *why, struct err *err)
{
    const char *subject = slot->job.subject, *actor = slot->work->actor;
    struct db_rows *rows = NULL;
    if (strcmp(slot->job.kind, "slice_ahead") == 0)
        return 0; /* nobody waits for it */
    if (strcmp(slot->job.kind, "print") == 0)
        return run_give_up(slot->db, subject, why->what, actor, err);
    if (DB_RUN(NULL, slot->db, "item_lock", err, subject) ||
        DB_RUN(&rows, slot->db, "step_item_state", err, subject))
        return -1;
    int result = db_row_count(rows) == 0
                     ? 0
                     : item_give_up(slot->db, subject, db_text(rows, 0, 0),
                                    *why->code ? why->code : err_kind_name(why->kind), why->what,
                                    actor, err);
    db_rows_free(rows);
    return result < 0 ? -1 : 0;
}

static int bury_or_retry(struct slot *slot, const struct err *why, struct err *err)
{
    int dead = 0;
    if (db_begin(slot->db, err) || job_fail(&dead, slot->db, &slot->job, why, 0, err) ||
        (dead && give_up(slot, why, err)) || db_commit(slot->db, err)) {
        db_rollback(slot->db);
        return -1;
    }
    return 0;
}

/* A failure of ours to be at work (shutdown, disk, database) costs the job no try. */
static bool is_our_trouble(const struct err *why)
{
    return strcmp(why->code, "disk_full") == 0 || strcmp(why->code, "database_away") == 0 ||
           strcmp(why->code, "commit_in_doubt") == 0;
}

static void job_failed(struct slot *slot, struct err *why)
{
    struct err err = {0};
    int failed = 0;
    bool ending = atomic_load(&slot->work->stop);
    db_rollback(slot->db);
    log_failure(LOG_WARN, "job_failed", slot->job.subject, why);
    if (strcmp(why->code, "lease_lost") == 0 || (atomic_load(&slot->stop) && !ending))
        return; /* another has it */
    if (ending || is_our_trouble(why)) {
        failed = job_release(slot->db, &slot->job, ending ? 0 : 5000, &err);
    } else {
        /* Somebody moved first: run again, the step sees where the item stands by then. */
        if (why->kind == ERR_CONFLICT)
            why->kind = ERR_LATER;
        failed = bury_or_retry(slot, why, &err);
    }
    if (failed)
        log_failure(LOG_ERROR, "job_not_settled", slot->job.subject, &err);
}

static void job_run(struct slot *slot)
{
    struct work *work = slot->work;
    const struct kind *kind = kind_find(slot->job.kind);
    struct err err = {0};
    struct step step = {.settings = &work->settings,
                        .blobs = &work->blobs,
                        .db = slot->db,
                        .job = &slot->job,
                        .actor = work->actor,
                        .stop = &slot->stop,
                        .urgent = work->urgent};
    char seconds[24];
    double begun = clock_s();
    if (kind->step(&step, &err)) {
        job_failed(slot, &err);
        return;
    }
    snprintf(seconds, sizeof seconds, "%.2f", clock_s() - begun);
    log_event(LOG_INFO, "job_ran", "kind", slot->job.kind, "subject", slot->job.subject, "seconds",
              seconds, NULL);
}

static void take(struct slot *slot, struct job *job)
{
    pthread_mutex_lock(&slot->work->lock);
    slot->job = *job;
    slot->busy = true;
    atomic_store(&slot->stop, atomic_load(&slot->work->stop));
    pthread_mutex_unlock(&slot->work->lock);
}

static void put_down(struct slot *slot)
{
    pthread_mutex_lock(&slot->work->lock);
    slot->busy = false;
    job_free(&slot->job);
    pthread_mutex_unlock(&slot->work->lock);
}

/* --- a worker -----------------------------------------------------------------------------------
 */

/* 0 a job, 1 nothing is due, -1 failed. Kinds with a limit are asked for one by one. */
static int claim(struct job *job, struct slot *slot, struct err *err)
{
    const struct work *work = slot->work;
    const char *name = work->settings.worker_name;
    int lease = work->settings.lease_s, result = 1;
    if (*work->unlimited)
        result = job_claim(job, slot->db, work->unlimited, name, lease, 0, err);
    for (size_t i = 0; i < KIND_COUNT && result == 1; i++)
        if (work->chosen[i] && kinds[i].limit > 0)
            result = job_claim(job, slot->db, kinds[i].name, name, lease, kinds[i].limit, err);
    return result;
}

static int connect_slot(struct slot *slot, struct err *err)
{
    if (slot->db)
        return 0;
    if (db_open(&slot->db, slot->work->settings.database, err))
        return -1;
    if (!db_listen(slot->db, "statuette_jobs", err))
        return 0;
    db_close(slot->db);
    slot->db = NULL;
    return -1;
}

/* One round: a job, or a wait for one. The wake-up is a hint; the floor of a second is the truth.
 */
static int work_round(struct slot *slot, struct err *err)
{
    struct job job;
    if (connect_slot(slot, err))
        return -1;
    int result = claim(&job, slot, err);
    if (result == 1)
        return db_wait(slot->db, 1000, err) < 0 ? -1 : 0;
    if (result)
        return -1;
    take(slot, &job);
    job_run(slot);
    put_down(slot);
    return 0;
}

static void *worker_main(void *user)
{
    struct slot *slot = user;
    struct err err = {0};
    while (!atomic_load(&slot->work->stop)) {
        if (!work_round(slot, &err))
            continue;
        log_failure(LOG_WARN, "worker_waits", NULL, &err);
        db_close(slot->db);
        slot->db = NULL;
        nap(slot->work, 1000);
    }
    db_close(slot->db);
    slot->db = NULL;
    return NULL;
}

/* --- the keeper ---------------------------------------------------------------------------------
 */

/* Copied under the lock, so that the job may end meanwhile. */
static bool job_of(struct job *job, struct slot *slot)
{
    pthread_mutex_lock(&slot->work->lock);
    bool busy = slot->busy;
    *job = slot->job;
    pthread_mutex_unlock(&slot->work->lock);
    job->payload = NULL;
    return busy;
}

/* Only if it is still that job: one that has just ended has no lease either. */
static void lease_lost(struct slot *slot, const struct job *job)
{
    pthread_mutex_lock(&slot->work->lock);
    if (slot->busy && slot->job.id == job->id && slot->job.lease_token == job->lease_token)
        atomic_store(&slot->stop, true);
    pthread_mutex_unlock(&slot->work->lock);
}

static int beat_all(struct work *work, struct db *db, struct err *err)
{
    for (int i = 0; i < work->slot_count; i++) {
        struct job job;
        if (!job_of(&job, &work->slots[i]))
            continue;
        int lost = job_beat(db, &job, work->settings.lease_s, err);
        if (lost < 0)
            return -1;
        if (lost)
            lease_lost(&work->slots[i], &job);
    }
    return 0;
}

/* An item stands where a job should work on it and none is there: the job died with its worker. */
static int save_orphan(struct work *work, struct db *db, const char *item_id, struct err *err)
{
    struct db_rows *rows = NULL;
    int failed = db_begin(db, err) || DB_RUN(NULL, db, "item_lock", err, item_id) ||
                 DB_RUN(&rows, db, "step_orphans", err, item_id);
    if (!failed && db_row_count(rows) == 1) {
        const char *code = db_is_null(rows, 0, 2) ? "job_lost" : db_text(rows, 0, 2);
        const char *message =
            db_is_null(rows, 0, 3) ? "the work on this item was lost" : db_text(rows, 0, 3);
        failed =
            item_give_up(db, item_id, db_text(rows, 0, 1), code, message, work->actor, err) < 0;
        log_event(LOG_WARN, "item_given_up", "item", item_id, "code", code, NULL);
    }
    failed = failed || db_commit(db, err);
    if (failed)
        db_rollback(db);
    db_rows_free(rows);
    return failed ? -1 : 0;
}

static int save_orphans(struct work *work, struct db *db, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "step_orphans", err, NULL))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows) && !failed; i++)
        failed = save_orphan(work, db, db_text(rows, i, 0), err);
    db_rows_free(rows);
    return failed;
}

/* Times of the keeper's rounds, on the forward clock. */
struct rounds {
    int64_t beat, rescue, orphans;
};

static bool is_due(int64_t *at, int every_ms)
{
    if (clock_ms() < *at)
        return false;
    *at = clock_ms() + every_ms;
    return true;
}

static int keep(struct work *work, struct db *db, struct rounds *due, struct err *err)
{
    int count = 0;
    if (is_due(&due->beat, work->settings.lease_s * 1000 / 3) && beat_all(work, db, err))
        return -1;
    if (is_due(&due->rescue, 1000) && job_rescue(&count, db, err))
        return -1;
    if (count > 0)
        log_event(LOG_WARN, "leases_taken_back", NULL);
    return is_due(&due->orphans, 5000) ? save_orphans(work, db, err) : 0;
}

static void *keeper_main(void *user)
{
    struct work *work = user;
    struct db *db = NULL;
    struct err err = {0};
    struct rounds due = {0};
    while (!atomic_load(&work->stop)) {
        if ((!db && db_open(&db, work->settings.database, &err)) || keep(work, db, &due, &err)) {
            log_failure(LOG_WARN, "keeper_waits", NULL, &err);
            nap(work, 1000);
        }
        nap(work, 250);
    }
    db_close(db);
    return NULL;
}

/* --- start and stop -----------------------------------------------------------------------------
 */

static void list_add(char *list, size_t room, const char *name)
{
    size_t n = strlen(list);
    snprintf(list + n, room - n, "%s%s", n ? "," : "", name);
}

static int choose_kinds(struct work *work, const char *names, struct err *err)
{
    char list[200], *rest = list;
    snprintf(list, sizeof list, "%s", names && *names ? names : work_kinds());
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        const struct kind *kind = kind_find(name);
        if (!kind)
            return FAIL_CODE(err, ERR_INPUT, "unknown_kind", "no job kind %.40s; there are %s",
                             name, work_kinds());
        work->chosen[kind - kinds] = true;
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!work->chosen[i])
            continue;
        if (kinds[i].limit == 0)
            list_add(work->unlimited, sizeof work->unlimited, kinds[i].name);
        if (strcmp(kinds[i].name, "slice_ahead") != 0)
            list_add(work->urgent, sizeof work->urgent, kinds[i].name);
    }
    return 0;
}

static int start_threads(struct work *work, struct err *err)
{
    int count = work->settings.workers > 0 ? work->settings.workers : 1;
    work->slots = calloc((size_t)count, sizeof *work->slots);
    if (!work->slots)
        return FAIL(err, ERR_LIMIT, "no memory for workers");
    for (int i = 0; i < count; i++) {
        work->slots[i].work = work;
        if (pthread_create(&work->slots[i].thread, NULL, worker_main, &work->slots[i]))
            return FAIL(err, ERR_LATER, "no thread for a worker");
        work->slot_count = i + 1;
    }
    if (pthread_create(&work->keeper, NULL, keeper_main, work))
        return FAIL(err, ERR_LATER, "no thread for the keeper");
    work->keeper_runs = true;
    if (work->chosen[kind_find("generate") - kinds] &&
        courier_start(&work->courier, &work->settings, err))
        return -1;
    bool prints = work->chosen[kind_find("print") - kinds];
    return prints ? schedule_start(&work->schedule, &work->settings, err) : 0;
}

int work_start(struct work **out, const struct settings *settings, const char *names,
               struct err *err)
{
    struct work *work = calloc(1, sizeof *work);
    *out = NULL;
    if (!work)
        return FAIL(err, ERR_LIMIT, "no memory for workers");
    work->settings = *settings;
    pthread_mutex_init(&work->lock, NULL);
    snprintf(work->actor, sizeof work->actor, "worker:%.64s", settings->worker_name);
    if (choose_kinds(work, names, err) || blobs_open(&work->blobs, settings->blob_folder, err) ||
        start_threads(work, err)) {
        work_stop(work);
        return -1;
    }
    *out = work;
    return 0;
}

void work_stop(struct work *work)
{
    if (!work)
        return;
    atomic_store(&work->stop, true);
    pthread_mutex_lock(&work->lock);
    for (int i = 0; i < work->slot_count; i++)
        atomic_store(&work->slots[i].stop, true);
    pthread_mutex_unlock(&work->lock);
    schedule_stop(work->schedule);
    courier_stop(work->courier);
    for (int i = 0; i < work->slot_count; i++)
        pthread_join(work->slots[i].thread, NULL);
    if (work->keeper_runs)
        pthread_join(work->keeper, NULL);
    pthread_mutex_destroy(&work->lock);
    free(work->slots);
    free(work);
}
