/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler and the print job against the real simulator and a real Postgres: what counts is
 * the simulator's count of starts. Kills are tried by leaving a dispatch at each step, and by
 * killing processes at many moments.
 */
#include "service/schedule.h"

#include "service/log.h"
#include "service/steps.h"
#include "tests/service/sim.h"
#include "tests/storage/fixture.h"

static struct sim_process sim;
static struct settings settings = {.lease_s = 30, .worker_name = "test"};
static struct blobs blobs;
static char gcode_hash[SHA256_HEX];
static atomic_bool never;

/* 60 s of heating and 30 s of print: 0.9 s at a hundredfold. */
static const char gcode[] = ";TIME:30\nM190 S60\nM109 S200\nG1 X1 E1\n";

static int sql(const char *text)
{
    return db_script(db, text, &err);
}

static int add_printer(const char *id, const char *url)
{
    return db_text_run(NULL, db,
                       "insert into printers (id, name, driver, url, api_key, printer_class, "
                       "material, bed_clear) values ($1, $1, 'virtual', $2, 'secret', 'class', "
                       "'pla', true)",
                       2, (const char *const[]){id, url}, &err);
}

/* An item that was passed and sliced, with its runs queued. */
static int add_runs(char item[32], int quantity)
{
    char order[32], hash[SHA256_HEX], slice[32];
    if (item_in_review(order, item, hash, quantity) || pass(item, hash) ||
        slice_add(slice, item, hash) ||
        db_text_run(NULL, db, "update slices set gcode_hash = $1 where id = $2", 2,
                    (const char *const[]){gcode_hash, slice}, &err))
        return -1;
    return move("item", item, "slice.started") || move("item", item, "slice.ok") ||
           runs_plan(NULL, db, item, slice, "worker:test", &err) || sql("delete from jobs");
}

static int set_up(const char *speed)
{
    char folder[200];
    snprintf(folder, sizeof folder, "%s/blobs", cluster_folder);
    memset(&err, 0, sizeof err);
    log_open(LOG_ERROR, "test");
    settings.lease_s = 30;
    snprintf(settings.database, sizeof settings.database, "%.500s", cluster_conninfo(&cluster));
    return sim_start(&sim, speed, NULL, 0) || blobs_open(&blobs, folder, &err) ||
           blob_put(gcode_hash, &blobs, gcode, sizeof gcode - 1, &err) ||
           sql("truncate orders, items, photos, tasks, models, artifacts, reviews, slices, "
               "printers, runs, jobs, job_history, events, ledger") ||
           add_printer("p1", sim.url);
}

#define WITH_PRINTER(speed, body)                                                                  \
    do {                                                                                           \
        NEEDS_CLUSTER();                                                                           \
        if (set_up(speed))                                                                         \
            TEST_GIVE_UP("set-up failed: %s", err.what);                                           \
        body();                                                                                    \
        sim_stop(&sim, SIGKILL);                                                                   \
    } while (0)

static const char *run_state(void)
{
    return ask("select state from runs order by id limit 1", NULL);
}

static const char *printer_state(void)
{
    return ask("select state from printers where id = 'p1'", NULL);
}

/* Runs one due print job, as a worker would: 0 one ran, 1 none was due, -1 it failed. */
static int print_job(struct db *on, const char *worker, struct err *why)
{
    struct job job;
    int result = job_claim(&job, on, "print", worker, settings.lease_s, 0, why);
    if (result)
        return result;
    struct step step = {.settings = &settings,
                        .blobs = &blobs,
                        .db = on,
                        .job = &job,
                        .actor = "worker:test",
                        .stop = &never,
                        .start_grace_ms = 300};
    result = step_print(&step, why);
    if (result) {
        db_rollback(on);
        struct err later = *why, ignored;
        later.kind = ERR_LATER;
        if (strcmp(why->code, "lease_lost") != 0 && job_fail(NULL, on, &job, &later, 0, &ignored))
            db_rollback(on);
    }
    job_free(&job);
    return result;
}

/* One round of everything. */
static int round_of(struct db *on, const char *worker, struct err *why)
{
    if (schedule_watch(NULL, on, NULL, true, why) ||
        schedule_assign(NULL, on, "worker:test", why) || job_rescue(NULL, on, why) ||
        schedule_adopt(on, why))
        return -1;
    int result;
    while ((result = print_job(on, worker, why)) == 0)
        ;
    return result < 0 ? -1 : 0;
}

static bool drive_until(const char *question, const char *wanted, int seconds)
{
    for (int64_t until = clock_ms() + seconds * 1000; clock_ms() < until;) {
        struct err ignored;
        (void)!round_of(db, "test", &ignored);
        if (strcmp(ask(question, NULL), wanted) == 0)
            return true;
        usleep(30 * 1000);
    }
    return false;
}

#define RUN_STATE "select state from runs order by id limit 1"
#define PRINTER_STATE "select state from printers where id = 'p1'"

/* --- the table of reports ------------------------------------------------------------------------
 */

static void test_schedule__a_report_means_what_the_table_says(void)
{
    static const struct {
        const char *printer, *run; /* run "" none; its file is ours.gcode */
        bool bed_clear;
        enum printer_state state;
        const char *file;
        int success, failure;
        const char *event, *to;
    } rows[] = {
        /* nothing of ours on it */
        {"offline", "", true, PRINTER_IDLE, "", 0, 0, NULL, "ready"},
        {"offline", "", false, PRINTER_IDLE, "", 0, 0, NULL, "awaiting_clear"},
        {"offline", "", true, PRINTER_PRINTING, "x", 0, 0, NULL, "attention"},
        {"ready", "", true, PRINTER_PRINTING, "x", 0, 0, NULL, "attention"},
        {"ready", "", true, PRINTER_OFFLINE, "", 0, 0, NULL, "offline"},
        {"ready", "", true, PRINTER_ATTENTION, "", 0, 0, NULL, "error"},
        {"ready", "", true, PRINTER_DONE, "x", 0, 0, NULL, NULL},
        {"awaiting_clear", "", false, PRINTER_DONE, "x", 0, 0, NULL, NULL},
        {"error", "", true, PRINTER_IDLE, "", 0, 0, NULL, "awaiting_clear"},
        {"reserved", "", true, PRINTER_IDLE, "", 0, 0, NULL, "ready"},
        {"attention", "", false, PRINTER_IDLE, "", 0, 0, NULL, NULL},
        /* on its way: the job looks after it */
        {"reserved", "starting", false, PRINTER_IDLE, "", 0, 0, NULL, NULL},
        {"reserved", "uploading", true, PRINTER_OFFLINE, "", 0, 0, NULL, NULL},
        /* printing */
        {"busy", "printing", false, PRINTER_PRINTING, "ours.gcode", 0, 0, NULL, "busy"},
        {"busy", "printing", false, PRINTER_PAUSED, "ours.gcode", 0, 0, "run.paused", "paused"},
        {"paused", "paused", false, PRINTER_PRINTING, "ours.gcode", 0, 0, "run.resumed", "busy"},
        {"busy", "printing", false, PRINTER_DONE, "ours.gcode", 1, 0, "run.finished",
         "awaiting_clear"},
        {"busy", "printing", false, PRINTER_CANCELLED, "ours.gcode", 0, 1, "run.cancelled",
         "awaiting_clear"},
        {"busy", "printing", false, PRINTER_FAILED, "ours.gcode", 0, 1, "run.failed", "error"},
        {"busy", "printing", false, PRINTER_OFFLINE, "", 0, 0, "run.lost", "offline"},
        {"busy", "printing", false, PRINTER_IDLE, "", 0, 0, "run.lost", "offline"},
        {"busy", "printing", false, PRINTER_IDLE, "", 1, 0, "run.finished", "awaiting_clear"},
        {"busy", "printing", false, PRINTER_PRINTING, "x", 1, 0, "run.finished", "attention"},
        /* unknown: only the printer's word or a person's */
        {"offline", "unknown", false, PRINTER_PRINTING, "ours.gcode", 0, 0, "run.started", "busy"},
        {"offline", "unknown", false, PRINTER_IDLE, "", 1, 0, "run.finished", "awaiting_clear"},
        {"offline", "unknown", false, PRINTER_IDLE, "", 0, 1, "run.failed", "awaiting_clear"},
        {"offline", "unknown", false, PRINTER_IDLE, "", 0, 0, NULL, "awaiting_clear"},
        {"awaiting_clear", "unknown", false, PRINTER_IDLE, "", 0, 0, NULL, NULL},
        {"offline", "unknown", false, PRINTER_OFFLINE, "", 0, 0, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct watched before = {.id = "p",
                                 .state = rows[i].printer,
                                 .run_id = *rows[i].run ? "run" : "",
                                 .run_state = rows[i].run,
                                 .file_name = *rows[i].run ? "ours.gcode" : "",
                                 .bed_clear = rows[i].bed_clear};
        struct printer_report report = {.state = rows[i].state, .answered = true};
        struct printer_file record = {.success = rows[i].success,
                                      .failure = rows[i].failure,
                                      .last_success = rows[i].success > 0};
        snprintf(report.file, sizeof report.file, "%s", rows[i].file);
        struct verdict v = schedule_decide(&before, &report, &record);
        const char *event = v.run_events[0] ? v.run_events[0] : "none";
        const char *to = v.printer_to ? v.printer_to : "stays";
        if (strcmp(event, rows[i].event ? rows[i].event : "none") != 0 ||
            strcmp(to, rows[i].to ? rows[i].to : "stays") != 0)
            TEST_GIVE_UP("row %zu (%s, %s): %s, %s", i, rows[i].printer, rows[i].run, event, to);
    }
}

static void test_schedule__silence_counts_as_away_only_after_a_while(void)
{
    struct watched before = {.id = "p",
                             .state = "busy",
                             .run_id = "run",
                             .run_state = "printing",
                             .file_name = "ours.gcode",
                             .away_ms = SCHEDULE_LOST_MS - 1000};
    struct printer_report silence = {.state = PRINTER_OFFLINE, .answered = false};
    struct printer_file none = {0};
    CHECK(!schedule_decide(&before, &silence, &none).run_events[0]);
    before.away_ms = SCHEDULE_LOST_MS + 1;
    CHECK_TEXT(schedule_decide(&before, &silence, &none).run_events[0], "run.lost");
}

/* --- the whole way -------------------------------------------------------------------------------
 */

static void prints_two(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 2));
    CHECK(drive_until(RUN_STATE, "printing", 5));
    CHECK_TEXT(
        ask("select file_name = part_code || '-' || id || '-' || fence || '.gcode' from runs "
            "order by id limit 1",
            NULL),
        "t");
    CHECK_TEXT(printer_state(), "busy");
    CHECK_TEXT(ask("select state from items", NULL), "printing");
    CHECK(drive_until(RUN_STATE, "finished", 5));
    CHECK_TEXT(printer_state(), "awaiting_clear");
    CHECK_TEXT(ask("select progress::text from runs order by id limit 1", NULL), "1");
    /* the second waits for the bed, however often anybody looks */
    for (int i = 0; i < 10; i++)
        CHECK_OK(round_of(db, "test", &err));
    CHECK(sim_starts(&sim) == 1);
    CHECK_TEXT(ask("select count(*) from runs where state = 'queued'", NULL), "1");
    CHECK_OK(printer_clear(db, "p1", "user:ada", &err));
    CHECK(drive_until("select count(*) from runs where state = 'finished'", "2", 8));
    CHECK(sim_starts(&sim) == 2);
    CHECK_TEXT(
        ask("select count(*) from events where event = 'run.started' and machine = 'run'", NULL),
        "2");
    CHECK_TEXT(ask("select actor from events where event = 'bed.cleared'", NULL), "user:ada");
}

static void test_schedule__prints_and_waits_for_the_bed_before_the_next(void)
{
    WITH_PRINTER("100", prints_two);
}

static void only_fitting(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK_OK(sql("update printers set material = 'petg'"));
    for (int i = 0; i < 3; i++)
        CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(run_state(), "queued");
    CHECK_OK(sql("update printers set material = 'pla', bed_clear = false, version = version + 1"));
    for (int i = 0; i < 3; i++)
        CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(run_state(), "queued");
    CHECK_OK(printer_take_out(db, "p1", "user:ada", "new nozzle", &err));
    CHECK_OK(printer_put_back(db, "p1", "user:ada", &err));
    CHECK_OK(printer_clear(db, "p1", "user:ada", &err));
    CHECK(drive_until(RUN_STATE, "printing", 5));
}

static void test_schedule__gives_a_run_only_to_a_printer_that_fits(void)
{
    WITH_PRINTER("1", only_fitting);
}

/* --- answers that are lost
 * ------------------------------------------------------------------------ */

static void start_answer_lost(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(!sim_fault(&sim, "lose_start_answer"));
    CHECK(drive_until(RUN_STATE, "finished", 8));
    CHECK(sim_starts(&sim) == 1);
}

static void test_schedule__a_start_whose_answer_is_lost_is_not_sent_again(void)
{
    WITH_PRINTER("100", start_answer_lost);
}

static void start_swallowed(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(!sim_fault(&sim, "swallow_start"));
    CHECK(drive_until(RUN_STATE, "finished", 8));
    CHECK(sim_starts(&sim) == 1);
    CHECK_TEXT(ask("select attempts::text from runs", NULL), "2");
    CHECK_TEXT(ask("select count(*) from events where event = 'run.start_refused'", NULL), "1");
}

static void test_schedule__a_start_that_never_arrived_goes_back_under_a_new_name(void)
{
    WITH_PRINTER("100", start_swallowed);
}

static void start_late(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(!sim_fault(&sim, "late_start")); /* arrives after 600 ms; we look for 300 */
    CHECK(drive_until(RUN_STATE, "printing", 8));
    usleep(800 * 1000);
    CHECK(drive_until(RUN_STATE, "finished", 8));
    CHECK(sim_starts(&sim) == 1);
}

static void test_schedule__a_start_that_arrives_late_finds_no_file(void)
{
    WITH_PRINTER("50", start_late);
}

static void refused(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(!sim_fault(&sim, "refuse_start"));
    CHECK(drive_until(RUN_STATE, "printing", 8));
    CHECK(sim_starts(&sim) == 1);
    CHECK_TEXT(ask("select attempts::text from runs", NULL), "2");
}

static void test_schedule__a_refused_start_is_tried_again(void)
{
    WITH_PRINTER("1", refused);
}

static void upload_refused(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(!sim_fault(&sim, "refuse_upload"));
    CHECK(drive_until(PRINTER_STATE, "awaiting_clear", 8));
    CHECK_TEXT(run_state(), "queued");
    CHECK_TEXT(ask("select attempts::text from runs", NULL), "3");
    for (int i = 0; i < 5; i++)
        CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(ask("select attempts::text from runs", NULL), "3"); /* a person is waited for */
    CHECK(!sim_fault(&sim, "none"));
    CHECK_OK(printer_clear(db, "p1", "user:ada", &err));
    CHECK(drive_until(RUN_STATE, "printing", 8));
    CHECK(sim_starts(&sim) == 1);
}

static void test_schedule__uploads_that_fail_stop_at_a_person(void)
{
    WITH_PRINTER("1", upload_refused);
}

/* --- contact lost
 * --------------------------------------------------------------------------------- */

static void silence(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(drive_until(RUN_STATE, "printing", 5));
    CHECK(!sim_fault(&sim, "silent"));
    CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(run_state(), "printing"); /* one answer missing says nothing */
    CHECK_OK(sql("update printers set seen_at = now() - interval '1 minute'"));
    CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(run_state(), "unknown");
    CHECK_TEXT(printer_state(), "offline");
    for (int i = 0; i < 5; i++)
        CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(run_state(), "unknown"); /* no timer ends it */
    CHECK(!sim_fault(&sim, "none"));
    CHECK(drive_until(RUN_STATE, "printing", 5));
    CHECK_TEXT(printer_state(), "busy");
    CHECK(drive_until(RUN_STATE, "finished", 15));
    CHECK(sim_starts(&sim) == 1);
}

static void test_schedule__a_printer_that_comes_back_takes_its_run_up_again(void)
{
    WITH_PRINTER("20", silence);
}

static void server_restarted(void)
{
    char item[32];
    int port = sim.port;
    CHECK_OK(add_runs(item, 1));
    CHECK(drive_until(RUN_STATE, "printing", 5));
    sim_stop(&sim, SIGKILL);
    CHECK_OK(sql("update printers set seen_at = now() - interval '1 minute'"));
    CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(run_state(), "unknown");
    CHECK(!sim_start(&sim, "1", NULL, port)); /* it knows nothing of a print */
    CHECK(drive_until(PRINTER_STATE, "awaiting_clear", 5));
    for (int i = 0; i < 5; i++)
        CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(run_state(), "unknown");
    CHECK(sim_starts(&sim) == 0); /* and nobody starts it again */
    CHECK_OK(printer_clear(db, "p1", "user:ada", &err));
    CHECK_TEXT(run_state(), "finished"); /* the person has the part, and says what it is worth */
    CHECK_TEXT(printer_state(), "ready");
    CHECK_OK(run_judge(db, ask("select id from runs", NULL), "scrap", "stopped half way",
                       "user:ada", &err));
    CHECK(drive_until("select count(*) from runs where state = 'printing'", "1", 5));
}

static void test_schedule__a_print_that_nobody_knows_of_waits_for_a_person(void)
{
    WITH_PRINTER("1", server_restarted);
}

static void fails(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(!sim_fault(&sim, "fail_print"));
    CHECK(drive_until(RUN_STATE, "failed", 8));
    CHECK(strstr(ask("select reason from runs", NULL), "Thermal runaway"));
    CHECK(drive_until(PRINTER_STATE, "awaiting_clear", 8));
    CHECK_OK(
        run_judge(db, ask("select id from runs", NULL), "scrap", "spaghetti", "user:ada", &err));
    CHECK(sim_starts(&sim) == 1);
}

static void test_schedule__a_failed_print_says_why(void)
{
    WITH_PRINTER("100", fails);
}

static void pauses(void)
{
    char item[32];
    CHECK_OK(add_runs(item, 1));
    CHECK(!sim_fault(&sim, "filament_out"));
    CHECK_FAILS(printer_pause(db, "p1", "user:ada", &err), ERR_CONFLICT);
    CHECK(drive_until(RUN_STATE, "paused", 8));
    CHECK_TEXT(printer_state(), "paused");
    CHECK_OK(printer_resume(db, "p1", "user:ada", &err));
    CHECK(drive_until(RUN_STATE, "finished", 8));
    CHECK_TEXT(ask("select actor from events where event = 'resume.asked'", NULL), "user:ada");
    CHECK(sim_starts(&sim) == 1);
}

static void test_schedule__follows_a_pause_and_asks_to_go_on(void)
{
    WITH_PRINTER("100", pauses);
}

static void foreign(void)
{
    char item[32];
    struct printer_link link = {.url = sim.url, .api_key = "secret"};
    const struct bytes file = {.data = (uint8_t *)(uintptr_t)gcode, .len = sizeof gcode - 1};
    CHECK_OK(round_of(db, "test", &err));
    CHECK_TEXT(printer_state(), "ready");
    CHECK_OK(printer_virtual.upload(&link, "foreign.gcode", &file, &err));
    CHECK_OK(printer_virtual.start(&link, "foreign.gcode", &err));
    CHECK_OK(add_runs(item, 1));
    /* assigned on what was last known; the job looks before it sends anything */
    CHECK_OK(schedule_assign(NULL, db, "worker:test", &err));
    CHECK_TEXT(run_state(), "assigned");
    CHECK(print_job(db, "test", &err) == 0);
    CHECK_TEXT(run_state(), "queued");
    CHECK_TEXT(printer_state(), "attention");
    CHECK_TEXT(ask("select bed_clear::text from printers", NULL), "false");
    CHECK(sim_starts(&sim) == 1); /* the stranger's */
}

static void test_schedule__a_strangers_print_calls_a_person(void)
{
    WITH_PRINTER("1", foreign);
}

/* --- killed at each step
 * --------------------------------------------------------------------------- */

/* What a worker that is killed leaves behind after so many steps of a dispatch. */
static int leave_dispatch(int steps)
{
    char run[40], file[80];
    struct printer_link link = {.url = sim.url, .api_key = "secret"};
    const struct bytes content = {.data = (uint8_t *)(uintptr_t)gcode, .len = sizeof gcode - 1};
    struct job job;
    if (schedule_watch(NULL, db, NULL, true, &err) ||
        schedule_assign(NULL, db, "worker:test", &err) ||
        (steps > 0 && job_claim(&job, db, "print", "dead", 1, 0, &err)))
        return -1;
    snprintf(run, sizeof run, "%s", ask("select id from runs", NULL));
    snprintf(file, sizeof file, "%s", ask("select file_name from runs", NULL));
    if (steps > 0)
        job_free(&job);
    return (steps > 1 && move("run", run, "run.uploading")) ||
           (steps > 2 && printer_virtual.upload(&link, file, &content, &err)) ||
           (steps > 3 && (move("run", run, "run.upload_ok") ||
                          DB_RUN(NULL, db, "step_print_start", &err, run))) ||
           (steps > 4 && printer_virtual.start(&link, file, &err));
}

static void left(void)
{
    for (int steps = 0; steps <= 5; steps++) {
        char item[32];
        CHECK_OK(sql("truncate orders, items, photos, tasks, models, artifacts, reviews, slices, "
                     "runs, jobs, events, ledger"));
        CHECK_OK(add_runs(item, 1));
        int before = sim_starts(&sim);
        CHECK_OK(leave_dispatch(steps));
        CHECK(drive_until(RUN_STATE, "finished", 8)); /* its lease of 1 s lapses first */
        if (sim_starts(&sim) != before + 1)
            TEST_GIVE_UP("left after %d steps: %d starts", steps, sim_starts(&sim) - before);
        CHECK_OK(printer_clear(db, "p1", "user:ada", &err));
    }
}

static void test_schedule__a_dispatch_left_at_any_step_is_carried_on(void)
{
    WITH_PRINTER("100", left);
}

/* A worker in a process of its own, until it is killed. */
static pid_t fork_worker(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct db *own = NULL;
        struct err why;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (db_open(&own, cluster_conninfo(&cluster), &why))
            _exit(1);
        for (;;) {
            (void)!round_of(own, "forked", &why);
            usleep(5 * 1000);
        }
    }
    return pid;
}

static void killed(void)
{
    char item[32];
    settings.lease_s = 1;
    CHECK(!sim_fault(&sim, "slow")); /* 40 ms an answer: a dispatch takes half a second */
    for (int moment = 0; moment < 10; moment++) {
        CHECK_OK(sql("truncate orders, items, photos, tasks, models, artifacts, reviews, slices, "
                     "runs, jobs, events, ledger"));
        CHECK_OK(sql("update printers set state = 'offline'"));
        CHECK_OK(sql("update printers set run_id = null, bed_clear = true, version = version + 1"));
        CHECK_OK(add_runs(item, 1));
        int before = sim_starts(&sim);
        pid_t pid = fork_worker();
        usleep((useconds_t)(80 + moment * 70) * 1000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (!drive_until(RUN_STATE, "finished", 10))
            TEST_GIVE_UP("killed at moment %d: the run is %s", moment, run_state());
        if (sim_starts(&sim) != before + 1)
            TEST_GIVE_UP("killed at moment %d: %d starts", moment, sim_starts(&sim) - before);
    }
}

static void test_schedule__workers_killed_at_any_moment_start_a_run_once(void)
{
    WITH_PRINTER("200", killed);
}

/* --- two at once
 * ------------------------------------------------------------------------------------ */

struct rival {
    pthread_t thread;
    const char *name;
    atomic_bool *stop;
    int rounds;
};

static void *rival_main(void *user)
{
    struct rival *rival = user;
    struct db *own = NULL;
    struct err why;
    if (db_open(&own, cluster_conninfo(&cluster), &why))
        return NULL;
    while (!atomic_load(rival->stop)) {
        (void)!round_of(own, rival->name, &why);
        rival->rounds++;
    }
    db_close(own);
    return NULL;
}

static bool each_file_started_once(const struct sim_process *one, int *total)
{
    cJSON *stats = sim_stats(one);
    const cJSON *file;
    bool once = stats != NULL;
    cJSON_ArrayForEach (file, json_get(stats, "files")) {
        once &= json_number(file, "starts", 9) <= 1;
        *total += (int)json_number(file, "starts", 9);
    }
    cJSON_Delete(stats);
    return once;
}

static void rivals(void)
{
    char item[32];
    struct sim_process second = {0};
    atomic_bool stop = false;
    struct rival pair[2] = {{.name = "a", .stop = &stop}, {.name = "b", .stop = &stop}};
    int starts = 0;
    CHECK(!sim_start(&second, "200", NULL, 0));
    CHECK_OK(add_printer("p2", second.url));
    CHECK_OK(add_runs(item, 6));
    for (int i = 0; i < 2; i++)
        CHECK(!pthread_create(&pair[i].thread, NULL, rival_main, &pair[i]));
    bool done = false;
    for (int64_t until = clock_ms() + 25000; clock_ms() < until && !done;) {
        struct err ignored;
        usleep(50 * 1000);
        if (strcmp(ask("select state from printers where id = 'p1'", NULL), "awaiting_clear") == 0)
            (void)!printer_clear(db, "p1", "user:ada", &ignored);
        if (strcmp(ask("select state from printers where id = 'p2'", NULL), "awaiting_clear") == 0)
            (void)!printer_clear(db, "p2", "user:ada", &ignored);
        done = strcmp(ask("select count(*) from runs where state = 'finished'", NULL), "6") == 0;
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(pair[i].thread, NULL);
    bool once = each_file_started_once(&sim, &starts) && each_file_started_once(&second, &starts);
    sim_stop(&second, SIGKILL);
    CHECK(done);
    CHECK(once);
    CHECK(starts == 6);
    CHECK(pair[0].rounds > 0 && pair[1].rounds > 0);
}

static void test_schedule__two_schedulers_share_the_printers(void)
{
    WITH_PRINTER("200", rivals);
}

/* --- who waits for an order holds nothing that comes after it ------------------------------------
 */

enum { ACT_ASSIGN, ACT_WATCH, ACT_PRINT, ACT_CLEAR };

struct waiter {
    pthread_t thread;
    int act;
};

static void *waiter_main(void *user)
{
    struct waiter *me = user;
    struct db *own = NULL;
    struct err why;
    if (db_open(&own, cluster_conninfo(&cluster), &why))
        return NULL;
    if (me->act == ACT_ASSIGN)
        (void)!schedule_assign(NULL, own, "worker:test", &why);
    else if (me->act == ACT_WATCH)
        (void)!schedule_watch(NULL, own, NULL, true, &why);
    else if (me->act == ACT_PRINT)
        (void)!print_job(own, "test", &why);
    else
        (void)!printer_clear(own, "p1", "user:ada", &why);
    db_close(own);
    return NULL;
}

/* With the order locked by another, as a cancel or a verdict has it: does the act wait for it, with
 * the run and the printer still free for that other? */
static bool waits_empty_handed(int act, const char *order)
{
    struct waiter waiter = {.act = act};
    struct db *other = NULL;
    struct err why = {0};
    bool waited = false;
    if (db_open(&other, cluster_conninfo(&cluster), &why) || db_begin(other, &why) ||
        DB_RUN(NULL, other, "order_lock", &why, order) ||
        pthread_create(&waiter.thread, NULL, waiter_main, &waiter))
        return false;
    for (int64_t until = clock_ms() + 5000; !waited && clock_ms() < until; usleep(20 * 1000))
        waited = strcmp(ask("select count(*) > 0 from pg_locks where not granted", NULL), "t") == 0;
    bool free_rows = !db_script(other, "select from runs for update nowait", &why) &&
                     !db_script(other, "select from printers for update nowait", &why);
    db_rollback(other);
    db_close(other);
    pthread_join(waiter.thread, NULL);
    return waited && free_rows;
}

static void lock_order(void)
{
    char item[32], order[32], run[40];
    CHECK_OK(add_runs(item, 1));
    snprintf(order, sizeof order, "%s", ask("select order_id from items where id = $1", item));
    snprintf(run, sizeof run, "%s", ask("select id from runs", NULL));
    CHECK_OK(schedule_watch(NULL, db, NULL, true, &err));
    CHECK(waits_empty_handed(ACT_ASSIGN, order));
    CHECK_TEXT(run_state(), "assigned");
    CHECK(waits_empty_handed(ACT_PRINT, order));
    CHECK(drive_until(RUN_STATE, "printing", 5));
    CHECK(waits_empty_handed(ACT_WATCH, order));
    CHECK_OK(move("run", run, "run.lost"));
    CHECK_OK(move("printer", "p1", "printer.lost"));
    CHECK(waits_empty_handed(ACT_CLEAR, order));
    CHECK_TEXT(run_state(), "finished");
}

static void test_schedule__waits_for_an_order_with_empty_hands(void)
{
    WITH_PRINTER("1", lock_order);
}

TESTS(TEST(test_schedule__a_report_means_what_the_table_says),
      TEST(test_schedule__silence_counts_as_away_only_after_a_while),
      TEST(test_schedule__prints_and_waits_for_the_bed_before_the_next),
      TEST(test_schedule__gives_a_run_only_to_a_printer_that_fits),
      TEST(test_schedule__a_start_whose_answer_is_lost_is_not_sent_again),
      TEST(test_schedule__a_start_that_never_arrived_goes_back_under_a_new_name),
      TEST(test_schedule__a_start_that_arrives_late_finds_no_file),
      TEST(test_schedule__a_refused_start_is_tried_again),
      TEST(test_schedule__uploads_that_fail_stop_at_a_person),
      TEST(test_schedule__a_printer_that_comes_back_takes_its_run_up_again),
      TEST(test_schedule__a_print_that_nobody_knows_of_waits_for_a_person),
      TEST(test_schedule__a_failed_print_says_why),
      TEST(test_schedule__follows_a_pause_and_asks_to_go_on),
      TEST(test_schedule__a_strangers_print_calls_a_person),
      TEST(test_schedule__a_dispatch_left_at_any_step_is_carried_on),
      TEST(test_schedule__workers_killed_at_any_moment_start_a_run_once),
      TEST(test_schedule__two_schedulers_share_the_printers),
      TEST(test_schedule__waits_for_an_order_with_empty_hands))
