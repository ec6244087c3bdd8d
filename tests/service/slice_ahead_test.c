/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slicing once and ahead, with the real engine behind a script that counts its runs and can make it
 * slow. This program is its own child: `slice_ahead_test child ROLE FOLDER`.
 */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "service/schedule.h"
#include "service/slicing.h"
#include "tests/service/steps_fixture.h"

static char tools[200], config[200], small_3mf[SHA256_HEX], wide_3mf[SHA256_HEX];

/* --- the engine, counted -------------------------------------------------------------------------
 */

/* Where a file named slow lies beside it, it tells of a half and waits, once. */
static const char wrapper[] = "#!/bin/sh\n"
                              "if [ \"$1\" = slice ]; then\n"
                              "    echo run >>%1$s/count\n"
                              "    if [ -e %1$s/broken ]; then exit 1; fi\n"
                              "    if [ -e %1$s/ended ]; then kill -TERM $$; fi\n"
                              "    if [ -e %1$s/slow ]; then\n"
                              "        for i in 1 2 3 4; do\n"
                              "            sleep 0.6\n"
                              "            echo \"Progress:export:1:2\t0.${i}1%%\" >&2\n"
                              "        done\n"
                              "    fi\n"
                              "fi\n"
                              "exec %2$s \"$@\"\n";

static int write_text(const char *folder, const char *name, const char *text)
{
    char path[900];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return file_write(path, text, strlen(text), &err);
}

static bool wrap_engine(void)
{
    char script[1200], path[900];
    const char *engine = "/usr/bin/CuraEngine";
    if (access(engine, X_OK))
        return false;
    snprintf(tools, sizeof tools, "%s/tools", cluster_folder);
    snprintf(script, sizeof script, wrapper, tools, engine);
    snprintf(path, sizeof path, "%s/CuraEngine", tools);
    if ((mkdir(tools, 0755) && errno != EEXIST) || write_text(tools, "CuraEngine", script) ||
        chmod(path, 0755))
        return false;
    snprintf(path, sizeof path, "%s:%s", tools, getenv("PATH"));
    return strstr(getenv("PATH"), tools) || !setenv("PATH", path, 1);
}

static void engine_is(const char *how, bool so)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", tools, how);
    if (so)
        (void)!write_text(tools, how, "");
    else
        unlink(path);
}

static int engine_runs(void)
{
    char path[300];
    struct stat there;
    snprintf(path, sizeof path, "%s/count", tools);
    return stat(path, &there) ? 0 : (int)(there.st_size / 4);
}

/* --- models and items ----------------------------------------------------------------------------
 */

/* A block: 12 triangles as an STL in words. */
static int write_block(const char *path, double x, double y, double z)
{
    static const int sides[12][3] = {{0, 2, 1}, {1, 2, 3}, {4, 5, 6}, {5, 7, 6},
                                     {0, 1, 4}, {1, 5, 4}, {2, 6, 3}, {3, 6, 7},
                                     {0, 4, 2}, {2, 4, 6}, {1, 3, 5}, {3, 7, 5}};
    struct bytes text = {.limit = 100000};
    int failed = bytes_printf(&text, &err, "solid block\n");
    for (int i = 0; i < 12 && !failed; i++) {
        failed = bytes_printf(&text, &err, "facet normal 0 0 0\nouter loop\n");
        for (int k = 0; k < 3 && !failed; k++) {
            int c = sides[i][k];
            failed = bytes_printf(&text, &err, "vertex %g %g %g\n", c & 1 ? x : 0, c & 2 ? y : 0,
                                  c & 4 ? z : 0);
        }
        failed = failed || bytes_printf(&text, &err, "endloop\nendfacet\n");
    }
    failed = failed || bytes_printf(&text, &err, "endsolid block\n") ||
             file_write(path, text.data, text.len, &err);
    bytes_free(&text);
    return failed;
}

static int prepare_block(char hash[SHA256_HEX], double x, double y, double z)
{
    char folder[700], path[900];
    if (*hash)
        return 0;
    if (work_folder_make(folder, settings.work_folder, "block", &err))
        return -1;
    char options[200];
    snprintf(options, sizeof options,
             "{\"name\":\"in.stl\",\"printer\":\"k2plus\",\"material\":\"pla\",\"orient\":"
             "\"keep\",\"bed_mm\":[350,350,350],\"longest_mm\":%g}",
             x);
    snprintf(path, sizeof path, "%s/in", folder);
    int failed = write_block(path, x, y, z) || write_text(folder, "options.json", options) ||
                 role_run(NULL, "prep", folder, NULL, &err);
    snprintf(path, sizeof path, "%s/out.3mf", folder);
    failed = failed || blob_put_file(hash, NULL, &blobs, path, &err);
    work_folder_drop(folder);
    return failed;
}

static const char template[] =
    "{\"id\": \"pair\", \"name\": \"Pair\", \"description\": \"For either machine.\","
    "\"provider\": {\"route\": [\"relief\"], \"candidates\": 1},"
    "\"photos\": {\"min\": 1, \"max\": 1, \"needs_subject\": true},"
    "\"height_mm\": {\"min\": 10, \"max\": 150, \"default\": 20},"
    "\"style\": {\"allowed\": [\"figure\"], \"default\": \"figure\"},"
    "\"material\": {\"allowed\": [\"pla\"], \"default\": \"pla\"},"
    "\"printer_class\": \"ender3v3se\", \"also_on\": [\"ender3v3ke\"],"
    "\"gates\": [\"review\"], \"auto_pass\": null,"
    "\"privacy\": {\"photo_days\": 1, \"model_days\": 1}}";

/* A config folder with that template; the materials of the last test are gone. */
static int fresh_config(void)
{
    char path[400];
    snprintf(config, sizeof config, "%s/config", cluster_folder);
    folder_remove(config);
    if (mkdir(config, 0755))
        return -1;
    snprintf(path, sizeof path, "%s/templates", config);
    if (mkdir(path, 0755))
        return -1;
    snprintf(settings.config_folder, sizeof settings.config_folder, "%s", config);
    char any[1200];
    const char *rest = strstr(template, "\"name\"");
    snprintf(any, sizeof any, "{\"id\": \"any\", \"slice\": {\"engine\": \"any\"}, %s", rest);
    return write_text(path, "pair.json", template) || write_text(path, "any.json", any);
}

static int fresh(void)
{
    char path[300];
    settings.lease_s = 5;
    engine_is("slow", false);
    engine_is("broken", false);
    engine_is("ended", false);
    snprintf(path, sizeof path, "%s/count", tools);
    unlink(path);
    return fresh_config() || sql("truncate slice_results, slice_claims cascade") ||
           prepare_block(small_3mf, 20, 15, 8) || prepare_block(wide_3mf, 230, 225, 8);
}

#define BEGIN_SLICING()                                                                            \
    do {                                                                                           \
        BEGIN();                                                                                   \
        if (!wrap_engine())                                                                        \
            SKIP("CuraEngine is not installed");                                                   \
        if (fresh())                                                                               \
            TEST_GIVE_UP("set-up failed: %s", err.what);                                           \
    } while (0)

/* An item in review whose model has that 3MF, and the job that slices it ahead. */
static int review_of(char item[32], const char *threemf)
{
    char order[32], hash[SHA256_HEX], model[40];
    if (item_in_review(order, item, hash, 1) ||
        db_text_run(NULL, db, "update models set threemf_hash = $2 where item_id = $1", 2,
                    (const char *const[]){item, threemf}, &err) ||
        db_text_run(NULL, db,
                    "update items set template = 'pair', options = '{\"material\":\"pla\"}' where "
                    "id = $1",
                    1, (const char *const[]){item}, &err))
        return -1;
    snprintf(model, sizeof model, "%s", ask("select model_id from items where id = $1", item));
    return slicing_add_ahead(db, item, model, "ender3v3se", AHEAD_REVIEW, &err) ||
           sql("delete from jobs where kind <> 'slice_ahead'");
}

static int ahead(void)
{
    return run_step("slice_ahead", step_slice_ahead, &err);
}

static int needed(void)
{
    return run_step("slice", step_slice, &err);
}

static int add_printer(const char *id, const char *class, const char *state)
{
    return db_text_run(NULL, db,
                       "insert into printers (id, name, driver, url, printer_class, material, "
                       "bed_clear, state) values ($1, $1, 'virtual', 'http://127.0.0.1:1', $2, "
                       "'pla', true, $3)",
                       3, (const char *const[]){id, class, state}, &err);
}

#define STATE "select state from items where id = $1"

/* --- once ----------------------------------------------------------------------------------------
 */

static void test_slice_ahead__a_review_shows_what_it_takes_and_its_pass_is_queued_at_once(void)
{
    char item[32];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    CHECK_TEXT(ask(STATE, item), "review");
    CHECK(engine_runs() == 1);
    CHECK(atof(ask("select filament_g from slice_results", NULL)) > 0.5);
    CHECK_TEXT(ask("select count(*) from slices", NULL), "0");
    CHECK_TEXT(ask("select count(*) from events where event = 'slice.ahead'", NULL), "1");
    CHECK_OK(pass(item, small_3mf));
    CHECK_OK(needed());
    CHECK_TEXT(ask(STATE, item), "queued");
    CHECK(engine_runs() == 1); /* it was not sliced again */
    CHECK_TEXT(ask("select (r.gcode_hash = s.gcode_hash)::text from runs r, slice_results s", NULL),
               "true");
    CHECK_TEXT(ask("select string_agg(name, ' ' order by name) from artifacts where kind in "
                   "('gcode', 'slice_report')",
                   NULL),
               "07_slice.json 07_sliced.gcode");
}

static void test_slice_ahead__nothing_is_queued_without_a_pass(void)
{
    char item[32], result[40];
    int made = 9;
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    snprintf(result, sizeof result, "%s", ask("select id from slice_results", NULL));
    CHECK_FAILS(DB_RUN(NULL, db, "step_slice_add", &err, "slc_early", item, result), ERR_CONFLICT);
    CHECK_TEXT(err.code, "not_approved");
    CHECK_OK(add_printer("p1", "ender3v3se", "ready"));
    CHECK_OK(schedule_assign(&made, db, "worker:test", &err));
    CHECK(made == 0);
    CHECK_TEXT(ask("select count(*) from runs", NULL), "0");
}

static void test_slice_ahead__two_items_of_the_same_bytes_are_sliced_once(void)
{
    char first[32], second[32];
    BEGIN_SLICING();
    CHECK_OK(review_of(first, small_3mf));
    CHECK_OK(review_of(second, small_3mf));
    CHECK_OK(ahead());
    CHECK_OK(ahead());
    CHECK(engine_runs() == 1);
    CHECK_OK(pass(first, small_3mf));
    CHECK_OK(pass(second, small_3mf));
    CHECK_OK(needed());
    CHECK_OK(needed());
    CHECK(engine_runs() == 1);
    CHECK_TEXT(ask("select count(distinct gcode_hash) || ' ' || count(*) from slices", NULL),
               "1 2");
}

static void test_slice_ahead__the_same_again_gives_the_same_bytes(void)
{
    char item[32], before[SHA256_HEX];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    snprintf(before, sizeof before, "%s", ask("select gcode_hash from slice_results", NULL));
    CHECK_OK(sql("truncate slice_results cascade"));
    CHECK_OK(review_of(item, small_3mf)); /* another order, another item */
    CHECK_OK(ahead());
    CHECK(engine_runs() == 2);
    CHECK_TEXT(ask("select gcode_hash from slice_results", NULL), before);
}

static void test_slice_ahead__bytes_that_were_lost_are_sliced_anew(void)
{
    char item[32], path[1200];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    CHECK_OK(blob_path(path, &blobs, ask("select gcode_hash from slice_results", NULL), &err));
    CHECK_OK(unlink(path));
    CHECK_OK(pass(item, small_3mf));
    CHECK_OK(needed());
    CHECK(engine_runs() == 2);
    CHECK_OK(access(path, R_OK));
    CHECK_TEXT(ask(STATE, item), "queued");
}

static void test_slice_ahead__a_changed_setting_is_sliced_anew_under_another_hash(void)
{
    char item[32], path[400];
    const struct asset *pla = asset_find("config/materials/pla.json");
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    char *leaner = strndup(pla->data, pla->size), *at = strstr(leaner, "\"flow_percent\": 9");
    CHECK(at != NULL);
    at[17] = '3';
    snprintf(path, sizeof path, "%s/materials", config);
    CHECK_OK(mkdir(path, 0755));
    CHECK_OK(write_text(path, "pla.json", leaner));
    free(leaner);
    CHECK_OK(pass(item, small_3mf));
    CHECK_OK(needed());
    CHECK_TEXT(ask(STATE, item), "queued");
    CHECK(engine_runs() == 2);
    CHECK_TEXT(ask("select count(distinct settings_hash) from slice_results", NULL), "2");
    CHECK_TEXT(ask("select count(distinct gcode_hash) from slice_results", NULL), "2");
}

/* --- several workers -----------------------------------------------------------------------------
 */

struct worker {
    pthread_t thread;
    struct db *db;
    int results[40], count;
};

/* Until no job is left: what another has in hand comes back after a second. */
static void *worker_main(void *user)
{
    struct worker *w = user;
    atomic_bool stop = false;
    for (int64_t until = clock_ms() + 30000; clock_ms() < until && w->count < 40;) {
        struct job job;
        struct err why;
        int result = job_claim(&job, w->db, "slice_ahead", "crowd", 30, 0, &why);
        struct db_rows *rows = NULL;
        if (result == 1) {
            bool left = !db_text_run(&rows, w->db, "select from jobs", 0, NULL, &why) &&
                        db_row_count(rows) > 0;
            db_rows_free(rows);
            if (!left)
                break;
            usleep(50 * 1000);
            continue;
        }
        struct step step = {.settings = &settings,
                            .blobs = &blobs,
                            .db = w->db,
                            .job = &job,
                            .actor = "worker:crowd",
                            .stop = &stop};
        w->results[w->count++] = result ? result : step_slice_ahead(&step, &why);
        job_free(&job);
    }
    return NULL;
}

static void test_slice_ahead__four_workers_at_once_slice_the_same_once(void)
{
    struct worker workers[4] = {0};
    char item[32];
    BEGIN_SLICING();
    for (int i = 0; i < 4; i++)
        CHECK_OK(review_of(item, small_3mf));
    for (int i = 0; i < 4; i++) {
        CHECK_OK(db_open(&workers[i].db, cluster_conninfo(&cluster), &err));
        CHECK(!pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]));
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(workers[i].thread, NULL);
        for (int k = 0; k < workers[i].count; k++)
            CHECK(workers[i].results[k] == 0);
        db_close(workers[i].db);
    }
    CHECK_TEXT(ask("select count(*) from jobs", NULL), "0");
    CHECK_TEXT(ask("select count(*) from job_history where outcome = 'done'", NULL), "4");
    CHECK(engine_runs() == 1);
}

/* Claims a job and works on it in a process of its own. */
static pid_t fork_step(const char *kind, step_function *step_of)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    struct db *own = NULL;
    struct job job;
    struct err why;
    atomic_bool stop = false;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (db_open(&own, cluster_conninfo(&cluster), &why) ||
        job_claim(&job, own, kind, "forked", settings.lease_s, 0, &why))
        _exit(1);
    struct step step = {.settings = &settings,
                        .blobs = &blobs,
                        .db = own,
                        .job = &job,
                        .actor = "worker:forked",
                        .stop = &stop};
    _exit(step_of(&step, &why) ? 2 : 0);
}

static void test_slice_ahead__a_killed_worker_holds_up_nobody_for_longer_than_its_lease(void)
{
    char first[32], second[32];
    BEGIN_SLICING();
    settings.lease_s = 3;
    engine_is("slow", true);
    CHECK_OK(review_of(first, small_3mf));
    pid_t pid = fork_step("slice_ahead", step_slice_ahead);
    CHECK(wait_until("select count(*) from slice_claims", "1", 10));
    CHECK_OK(review_of(second, small_3mf));
    CHECK_OK(pass(second, small_3mf));
    CHECK_OK(needed()); /* gives its job back: another is at it */
    CHECK_TEXT(ask(STATE, second), "slicing");
    CHECK_TEXT(ask("select tries from jobs where kind = 'slice'", NULL), "0");
    CHECK_TEXT(ask("select count(*) from slice_results", NULL), "0");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    engine_is("slow", false);
    int before = engine_runs();
    int result = 1;
    for (int64_t until = clock_ms() + 10000; clock_ms() < until; usleep(100 * 1000)) {
        CHECK_OK(make_due());
        result = needed();
        if (strcmp(ask(STATE, second), "queued") == 0)
            break;
    }
    CHECK_OK(result);
    CHECK_TEXT(ask(STATE, second), "queued");
    CHECK(engine_runs() == before + 1);
    CHECK_OK(job_rescue(NULL, db, &err));
    CHECK_OK(ahead()); /* what the killed one had comes again, and finds it done */
    CHECK(engine_runs() == before + 1);
}

/* --- while it runs -------------------------------------------------------------------------------
 */

static void test_slice_ahead__tells_how_far_it_is(void)
{
    char item[32];
    BEGIN_SLICING();
    engine_is("slow", true);
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    int told = atoi(ask("select count(*) from events where event = 'slice.progress'", NULL));
    CHECK(told >= 1 && told <= 4); /* at most one a second */
    CHECK_TEXT(ask("select payload ->> 'printer_class' from events where event = 'slice.progress' "
                   "limit 1",
                   NULL),
               "ender3v3se");
    CHECK_TEXT(ask("select count(*) from slice_claims", NULL), "0");
}

static void test_slice_ahead__gives_way_to_what_somebody_waits_for(void)
{
    char item[32];
    atomic_bool stop = false;
    struct job job;
    BEGIN_SLICING();
    engine_is("slow", true);
    CHECK_OK(review_of(item, small_3mf));
    CHECK(!job_claim(&job, db, "slice_ahead", "test", 30, 0, &err));
    CHECK_OK(sql("insert into jobs (kind, subject, run_at) values ('prepare', 'itm_x', now() - "
                 "interval '5 seconds')"));
    struct step step = {.settings = &settings,
                        .blobs = &blobs,
                        .db = db,
                        .job = &job,
                        .actor = "worker:test",
                        .stop = &stop,
                        .urgent = "photo_check,prepare"};
    CHECK_OK(step_slice_ahead(&step, &err));
    job_free(&job);
    CHECK_TEXT(ask("select count(*) from slice_results", NULL), "0");
    CHECK_TEXT(ask("select tries || ' ' || (lease_token is null) || ' ' || (run_at > now()) from "
                   "jobs where kind = 'slice_ahead'",
                   NULL),
               "0 true true");
    CHECK_OK(sql("delete from jobs where kind = 'prepare'"));
    engine_is("slow", false);
    CHECK_OK(make_due());
    CHECK_OK(ahead());
    CHECK_TEXT(ask("select count(*) from slice_results", NULL), "1");
}

static void test_slice_ahead__is_dropped_when_the_item_has_another_model(void)
{
    char item[32];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(sql("update jobs set payload = payload || '{\"model\":\"mdl_older\"}'"));
    CHECK_OK(ahead());
    CHECK(engine_runs() == 0);
    CHECK_TEXT(ask("select count(*) from jobs", NULL), "0");
}

static void test_slice_ahead__what_cannot_be_sliced_is_said_in_the_review_and_kept(void)
{
    char item[32];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, wide_3mf));
    CHECK_OK(ahead());
    CHECK_TEXT(ask("select problem ->> 'code' from slice_results", NULL), "slice_outside_bed");
    CHECK_TEXT(ask("select state || ' ' || (problem ->> 'code') from items", NULL),
               "review slice_outside_bed");
    CHECK_TEXT(ask("select outcome from job_history where kind = 'slice_ahead'", NULL), "done");
    CHECK_OK(pass(item, wide_3mf)); /* a person may try all the same */
    CHECK_FAILS(needed(), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_outside_bed");
}

/* --- other classes -------------------------------------------------------------------------------
 */

/* Passed, sliced and queued; the job for the other class waits. */
static int queue_one(char item[32])
{
    return review_of(item, small_3mf) || ahead() || pass(item, small_3mf) || needed();
}

static void test_slice_ahead__a_run_moves_to_a_free_printer_of_another_class(void)
{
    char item[32];
    int made = 0;
    BEGIN_SLICING();
    CHECK_OK(queue_one(item));
    CHECK_OK(add_printer("ke", "ender3v3ke", "ready"));
    CHECK_OK(schedule_assign(&made, db, "worker:test", &err));
    CHECK(made == 0); /* it is not sliced for it yet */
    CHECK_OK(ahead());
    CHECK(engine_runs() == 2);
    CHECK_TEXT(
        ask("select string_agg(name, ' ' order by name) from artifacts where kind = 'gcode'", NULL),
        "07_sliced.gcode 07_sliced_ender3v3ke.gcode");
    CHECK_OK(schedule_assign(&made, db, "worker:test", &err));
    CHECK(made == 1);
    CHECK_TEXT(ask("select r.printer_id || ' ' || r.printer_class || ' ' || (r.gcode_hash = "
                   "s.gcode_hash) || ' ' || (r.print_time_s = s.print_time_s) from runs r join "
                   "slices s on s.printer_class = 'ender3v3ke'",
                   NULL),
               "ke ender3v3ke true true");
}

/* The item is from now on for the other class alone. */
static int leave_other_class(const char *item)
{
    static const char move[] =
        "update runs r set slice_id = s.id, printer_class = s.printer_class, gcode_hash = "
        "s.gcode_hash from slices s where r.item_id = $1 and s.item_id = $1 and s.printer_class = "
        "'ender3v3ke'";
    static const char drop[] =
        "delete from slices where item_id = $1 and printer_class = 'ender3v3se'";
    return db_text_run(NULL, db, move, 1, &item, &err) ||
           db_text_run(NULL, db, drop, 1, &item, &err);
}

static void test_slice_ahead__a_run_prefers_its_own_class_and_takes_no_other_runs_only_printer(void)
{
    char first[32], second[32];
    int made = 0;
    BEGIN_SLICING();
    CHECK_OK(queue_one(first));
    CHECK_OK(ahead());
    CHECK_OK(queue_one(second));
    CHECK_OK(ahead());
    CHECK_OK(leave_other_class(second));
    CHECK_OK(add_printer("ke", "ender3v3ke", "ready"));
    CHECK_OK(schedule_assign(&made, db, "worker:test", &err));
    CHECK(made == 1);
    CHECK_TEXT(ask("select printer_id from runs where item_id = $1", second), "ke");
    CHECK_OK(add_printer("se", "ender3v3se", "ready"));
    CHECK_OK(add_printer("ke2", "ender3v3ke", "ready"));
    CHECK_OK(schedule_assign(&made, db, "worker:test", &err));
    CHECK(made == 1);
    CHECK_TEXT(ask("select printer_id from runs where item_id = $1", first), "se");
}

static void test_slice_ahead__a_run_takes_no_slice_of_what_is_not_passed(void)
{
    char item[32], other[32];
    BEGIN_SLICING();
    CHECK_OK(queue_one(item));
    CHECK_OK(ahead());
    CHECK_OK(sql("update items set approved_hash = 'another'"));
    CHECK_FAILS(sql("update runs r set slice_id = s.id, printer_class = s.printer_class, "
                    "gcode_hash = s.gcode_hash from slices s where s.printer_class = 'ender3v3ke'"),
                ERR_CONFLICT);
    CHECK_TEXT(err.code, "not_approved");
    CHECK_OK(sql("update items set approved_hash = null"));
    CHECK_OK(add_printer("ke", "ender3v3ke", "ready"));
    CHECK_OK(add_printer("se", "ender3v3se", "ready"));
    int made = 9;
    CHECK_OK(schedule_assign(&made, db, "worker:test", &err));
    CHECK(made == 0);
    CHECK_OK(queue_one(other)); /* nor one of another item, of the very same bytes */
    CHECK_FAILS(db_text_run(NULL, db,
                            "update runs set slice_id = (select id from slices where item_id = $2 "
                            "limit 1) where item_id = $1",
                            2, (const char *const[]){other, item}, &err),
                ERR_CONFLICT);
}

static void test_slice_ahead__the_queue_says_which_printers_may_take_it(void)
{
    char item[32];
    struct db_rows *rows = NULL;
    BEGIN_SLICING();
    CHECK_OK(queue_one(item));
    CHECK_OK(add_printer("ke", "ender3v3ke", "busy"));
    CHECK_OK(add_printer("se", "ender3v3se", "busy"));
    CHECK_OK(DB_RUN(&rows, db, "api_queue", &err, "waiting"));
    CHECK(strstr(db_text(rows, 0, 1), "ke is a ender3v3ke, this run is made for a ender3v3se; it "
                                      "is being sliced for it, too") != NULL);
    db_rows_free(rows);
    CHECK_OK(ahead());
    CHECK_OK(DB_RUN(&rows, db, "api_queue", &err, "waiting"));
    CHECK(strstr(db_text(rows, 0, 1), "\"why\" : \"ke is busy, se is busy\"") != NULL);
    db_rows_free(rows);
    CHECK_OK(add_printer("ke2", "ender3v3ke", "ready"));
    CHECK_OK(DB_RUN(&rows, db, "api_queue", &err, "waiting"));
    CHECK(strstr(db_text(rows, 0, 1), "\"why\" : \"A free printer takes it in a moment\"") != NULL);
    db_rows_free(rows);
}

/* --- other engines ----------------------------------------------------------------------------
 */

static int pass_by_policy(const char *item)
{
    const struct review_decision d = {
        .item_id = item, .decision = "pass", .threemf_hash = small_3mf, .actor = "policy:green"};
    return review_decide(db, &d, &err);
}

static void test_slice_ahead__what_two_engines_make_very_different_waits_for_a_person(void)
{
    char item[32];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    CHECK_OK(sql("update slice_results set opinion_at = now(), opinion = '{\"verdict\":\"far\","
                 "\"findings\":[{\"message\":\"twice the plastic\"}]}'"));
    CHECK_OK(pass_by_policy(item));
    CHECK_OK(needed());
    CHECK_TEXT(ask("select state || ' ' || (problem ->> 'code') from items", NULL),
               "review second_opinion_differs");
    CHECK_TEXT(ask("select count(*) from runs", NULL), "0");
    CHECK_OK(pass(item, small_3mf)); /* who has seen it may pass it */
    CHECK_OK(needed());
    CHECK_TEXT(ask(STATE, item), "queued");
    CHECK_TEXT(ask("select report #>> '{second_opinion,verdict}' from slices", NULL), "far");
}

/* Slicing it once more is no reason to forget what was said of it. */
static void test_slice_ahead__a_doubt_outlives_the_bytes_it_is_of(void)
{
    char item[32], path[1200];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    CHECK_OK(sql("update slice_results set opinion_at = now(), opinion = '{\"verdict\":\"far\","
                 "\"findings\":[{\"message\":\"twice the plastic\"}]}'"));
    CHECK_OK(blob_path(path, &blobs, ask("select gcode_hash from slice_results", NULL), &err));
    CHECK_OK(unlink(path));
    CHECK_OK(pass_by_policy(item));
    CHECK_OK(needed());
    CHECK(engine_runs() == 2);
    CHECK_TEXT(ask("select state || ' ' || (problem ->> 'code') from items", NULL),
               "review second_opinion_differs");
    CHECK_TEXT(ask("select count(*) from runs", NULL), "0");
}

/* What fails without a code of its own is not told as done. */
static void test_slice_ahead__a_3mf_that_is_gone_is_not_sliced(void)
{
    static char gone[SHA256_HEX] = "";
    char item[32], path[1200];
    BEGIN_SLICING();
    CHECK_OK(prepare_block(gone, 21, 14, 9));
    CHECK_OK(review_of(item, gone));
    CHECK_OK(blob_path(path, &blobs, gone, &err));
    CHECK_OK(unlink(path));
    (void)!ahead();
    *gone = 0;
    CHECK_TEXT(ask("select count(*) from events where event = 'slice.ahead'", NULL), "0");
    CHECK_TEXT(ask("select count(*) from slice_results", NULL), "0");
}

static void test_slice_ahead__where_any_engine_will_do_another_takes_what_one_cannot(void)
{
    char item[32];
    BEGIN_SLICING();
    if (access("/usr/bin/prusa-slicer", X_OK))
        SKIP("prusa-slicer is not installed");
    engine_is("broken", true);
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(sql("update items set template = 'any'"));
    CHECK_OK(ahead());
    CHECK_TEXT(ask("select string_agg(engine || ' ' || coalesce(problem ->> 'code', 'done'), ', ' "
                   "order by engine) from slice_results",
                   NULL),
               "cura slice_failed, prusa done");
    CHECK_TEXT(
        ask("select substr(reason, 1, 6) from events where event = 'slice.engine_changed'", NULL),
        "cura: ");
    CHECK_TEXT(ask("select problem::text from items", NULL), "");
    CHECK_OK(pass(item, small_3mf));
    CHECK_OK(needed());
    CHECK(engine_runs() == 1);
    CHECK_TEXT(ask("select i.state || ' ' || s.engine from items i join slices s on true", NULL),
               "queued prusa");
}

/* What was no engine's fault, such as a reader that the system killed, is tried again when it is
 * needed. */
static void test_slice_ahead__what_no_engine_did_wrong_is_tried_again(void)
{
    char item[32];
    BEGIN_SLICING();
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(sql("update items set template = 'any'"));
    CHECK_OK(ahead());
    CHECK_OK(sql("update slice_results set gcode_hash = null, print_time_s = null, filament_mm = "
                 "null, filament_g = null, layer_count = null, problem = "
                 "'{\"code\":\"child_crashed\",\"message\":\"killed\"}'"));
    CHECK_OK(pass(item, small_3mf));
    CHECK_OK(needed());
    CHECK_TEXT(ask("select i.state || ' ' || s.engine from items i join slices s on true", NULL),
               "queued cura");
}

/* A machine that is shut down ends the engines, too, perhaps before we hear of it. */
static void test_slice_ahead__an_engine_that_is_told_to_end_says_nothing_of_the_model(void)
{
    char item[32];
    BEGIN_SLICING();
    engine_is("ended", true);
    CHECK_OK(review_of(item, small_3mf));
    CHECK_FAILS(ahead(), ERR_LATER);
    CHECK_TEXT(err.code, "slice_stopped");
    CHECK_TEXT(ask("select count(*) from slice_results", NULL), "0");
    CHECK_TEXT(ask("select problem::text from items", NULL), "");
}

static void test_slice_ahead__a_second_opinion_is_asked_for_once(void)
{
    char item[32], model[40];
    BEGIN_SLICING();
    if (access("/usr/bin/prusa-slicer", X_OK))
        SKIP("prusa-slicer is not installed");
    CHECK_OK(review_of(item, small_3mf));
    CHECK_OK(ahead());
    snprintf(model, sizeof model, "%s", ask("select model_id from items", NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(slicing_add_opinion(db, item, model, &err));
        CHECK_OK(slicing_add_opinion(db, item, model, &err)); /* the same job */
        CHECK_TEXT(ask("select count(*) from jobs", NULL), "1");
        CHECK_OK(ahead());
    }
    CHECK(engine_runs() == 1);
    CHECK_TEXT(ask("select opinion ->> 'verdict' from slice_results", NULL), "agree");
    CHECK_TEXT(ask("select count(*) from events where event = 'slice.second_opinion'", NULL), "1");
    CHECK_TEXT(ask(STATE, item), "review");
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(test_slice_ahead__a_review_shows_what_it_takes_and_its_pass_is_queued_at_once),
        TEST(test_slice_ahead__nothing_is_queued_without_a_pass),
        TEST(test_slice_ahead__two_items_of_the_same_bytes_are_sliced_once),
        TEST(test_slice_ahead__the_same_again_gives_the_same_bytes),
        TEST(test_slice_ahead__bytes_that_were_lost_are_sliced_anew),
        TEST(test_slice_ahead__a_changed_setting_is_sliced_anew_under_another_hash),
        TEST(test_slice_ahead__four_workers_at_once_slice_the_same_once),
        TEST(test_slice_ahead__a_killed_worker_holds_up_nobody_for_longer_than_its_lease),
        TEST(test_slice_ahead__tells_how_far_it_is),
        TEST(test_slice_ahead__gives_way_to_what_somebody_waits_for),
        TEST(test_slice_ahead__is_dropped_when_the_item_has_another_model),
        TEST(test_slice_ahead__what_cannot_be_sliced_is_said_in_the_review_and_kept),
        TEST(test_slice_ahead__a_run_moves_to_a_free_printer_of_another_class),
        TEST(test_slice_ahead__a_run_prefers_its_own_class_and_takes_no_other_runs_only_printer),
        TEST(test_slice_ahead__a_run_takes_no_slice_of_what_is_not_passed),
        TEST(test_slice_ahead__the_queue_says_which_printers_may_take_it),
        TEST(test_slice_ahead__what_two_engines_make_very_different_waits_for_a_person),
        TEST(test_slice_ahead__a_doubt_outlives_the_bytes_it_is_of),
        TEST(test_slice_ahead__a_3mf_that_is_gone_is_not_sliced),
        TEST(test_slice_ahead__where_any_engine_will_do_another_takes_what_one_cannot),
        TEST(test_slice_ahead__what_no_engine_did_wrong_is_tried_again),
        TEST(test_slice_ahead__an_engine_that_is_told_to_end_says_nothing_of_the_model),
        TEST(test_slice_ahead__a_second_opinion_is_asked_for_once),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
