/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage: what operators read: issues, and why a run waits. */
#include "tests/storage/fixture.h"

/* "code by whom" of each issue of an order, the weightiest first. */
static const char *issues_of(const char *order)
{
    static char list[400];
    struct db_rows *rows = NULL;
    *list = 0;
    if (DB_RUN(&rows, db, "order_issues", &err, order, "50"))
        return err.what;
    for (int i = 0; i < db_row_count(rows); i++) {
        struct db_rows *words = NULL;
        const char *json = db_text(rows, i, 1);
        if (db_text_run(&words, db, "select ($1::json->>'code') || '/' || ($1::json->>'action_by')",
                        1, &json, &err) == 0)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? " " : "",
                     db_text(words, 0, 0));
        db_rows_free(words);
    }
    db_rows_free(rows);
    return list;
}

static int dead_job(const char *kind, const char *subject)
{
    const struct job_new new = {.kind = kind, .subject = subject};
    struct err why = {.kind = ERR_INPUT, .code = "bad", .what = "it cannot be read"};
    struct job job;
    if (job_add(db, &new, &err) || job_claim(&job, db, kind, "tester", 60, 0, &err))
        return -1;
    int result = job_fail(NULL, db, &job, &why, 0, &err);
    job_free(&job);
    return result;
}

static void test_issues__say_what_an_order_waits_for_and_whose_turn_it_is(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], hash[SHA256_HEX], slice[32], run[40];
    CHECK_OK(order_of(order, item, 1, "issues"));
    CHECK_TEXT(issues_of(order), "");
    CHECK_OK(move("item", item, "photo.bad"));
    CHECK_OK(db_text_run(NULL, db,
                         "update items set problem = '{\"code\":\"blur\",\"message\":\"m\"}' "
                         "where id = $1",
                         1, (const char *const[]){item}, &err));
    CHECK_TEXT(issues_of(order), "blur/customer");
    CHECK_OK(item_in_review(order, item, hash, 1));
    CHECK_TEXT(issues_of(order), "review_waiting/operator");
    CHECK_OK(item_queued(order, item, slice, 2));
    CHECK_OK(dead_job("slice_ahead", item)); /* nobody waits for it */
    CHECK_TEXT(issues_of(order), "");
    CHECK_OK(dead_job("issue", item));
    CHECK_TEXT(issues_of(order), "job_dead/operator");
    CHECK_OK(runs_plan(NULL, db, item, slice, "worker:test", &err));
    CHECK_OK(move("item", item, "run.started")); /* it went on: the dead job is history */
    CHECK_TEXT(issues_of(order), "");
    snprintf(run, sizeof run, "%s", ask("select min(id) from runs where item_id = $1", item));
    CHECK_OK(move("run", run, "run.assigned"));
    CHECK_OK(move("run", run, "run.uploading"));
    CHECK_OK(move("run", run, "run.upload_ok"));
    CHECK_OK(move("run", run, "run.lost"));
    CHECK_TEXT(issues_of(order), "run_unknown/operator");
    CHECK_OK(move("run", run, "run.finished"));
    CHECK_TEXT(issues_of(order), "verdict_waiting/operator");
    CHECK_OK(run_judge(db, run, "scrap", "crooked", "user:ada", &err));
    CHECK_TEXT(issues_of(order), "");
    snprintf(run, sizeof run, "%s",
             ask("select min(id) from runs where item_id = $1 and state = 'queued'", item));
    CHECK_OK(move("run", run, "run.cancelled")); /* called off while it waited: nothing to judge */
    CHECK_TEXT(issues_of(order), "");
    CHECK_OK(db_script(db,
                       "insert into printers (id, name, driver, url, printer_class, material) "
                       "values ('z', 'Z', 'd', 'u', 'class', 'pla')",
                       &err));
    CHECK_OK(db_text_run(NULL, db, "update runs set printer_id = 'z' where id = $1", 1,
                         (const char *const[]){run}, &err));
    CHECK_TEXT(issues_of(order), "run_cancelled/operator"); /* ... and on its printer */
    CHECK_OK(db_script(db, "update runs set printer_id = null; delete from printers", &err));
}

static const char seven_printers[] =
    "insert into printers (id, name, driver, url, printer_class, material, state, bed_clear) "
    "values ('a', 'A', 'd', 'u', 'class', 'pla', 'ready', false), "
    "('b', 'B', 'd', 'u', 'class', 'pla', 'busy', false), "
    "('c', 'C', 'd', 'u', 'other', 'pla', 'ready', true), "
    "('d', 'D', 'd', 'u', 'class', 'pla', 'ready', true), "
    "('e', 'E', 'd', 'u', 'class', 'pla', 'offline', true), "
    "('f', 'F', 'd', 'u', 'class', 'pla', 'maintenance', true), "
    "('g', 'G', 'd', 'u', 'class', 'petg', 'ready', true)";

static void test_queue__says_of_each_printer_what_keeps_a_run_from_it(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32];
    static const char *const wanted[] = {"\"A is ready, but its bed was not confirmed clear\"",
                                         "\"B is busy\"",
                                         "\"C is a other, this run is made for a class\"",
                                         "\"D is free\"",
                                         "\"E is offline\"",
                                         "\"F is in maintenance\"",
                                         "\"G has petg loaded, this run wants pla\"",
                                         "\"A free printer takes it in a moment\""};
    struct db_rows *rows = NULL;
    CHECK_OK(db_script(db, "delete from runs", &err));
    CHECK_OK(item_queued(order, item, slice, 1));
    CHECK_OK(runs_plan(NULL, db, item, slice, "worker:test", &err));
    CHECK_OK(DB_RUN(&rows, db, "api_queue", &err, "waiting"));
    bool none = db_row_count(rows) == 1 && strstr(db_text(rows, 0, 1), "No printer is registered");
    db_rows_free(rows);
    CHECK(none);
    CHECK_OK(db_script(db, seven_printers, &err));
    CHECK_OK(DB_RUN(&rows, db, "api_queue", &err, "waiting"));
    CHECK_OK(db_script(db, "delete from printers", &err));
    const char *missing = "nothing";
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(db_text(rows, 0, 1), wanted[i]))
            missing = wanted[i];
    CHECK_TEXT(missing, "nothing");
    db_rows_free(rows);
}

TESTS(TEST(test_issues__say_what_an_order_waits_for_and_whose_turn_it_is),
      TEST(test_queue__says_of_each_printer_what_keeps_a_run_from_it))
