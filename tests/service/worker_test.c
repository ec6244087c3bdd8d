/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers and steps with a real Postgres, real children and, for the remote provider, its simulator
 * over HTTP. This program is its own child: `worker_test child ROLE FOLDER`.
 */
#include "tests/service/steps_fixture.h"

/* --- the whole way
 * -------------------------------------------------------------------------------- */

static void test_worker__a_photo_becomes_passed_gcode_and_queued_runs(void)
{
    char item[32];
    struct work *work = NULL;
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK_OK(
        work_start(&work, &settings, "photo_check,generate,gather,inspect,prepare,slice", &err));
    bool queued = wait_until(ITEM_STATE, "queued", 120);
    work_stop(work);
    if (!queued)
        TEST_GIVE_UP("it is %s: %s", ask(ITEM_STATE, NULL),
                     ask("select coalesce(problem::text, last_error::text, '') from items left "
                         "join jobs on true",
                         NULL));
    CHECK_TEXT(
        ask("select string_agg(name, ' ' order by name) from artifacts where name > '02_d'", NULL),
        "02_relief.task.json 03_generated.stl 04_inspect.json 05_prepared.3mf "
        "05_prepared.stl 05_preview.glb 05_render_back.png 05_render_change.png "
        "05_render_front.png 05_render_iso.png 05_render_overhang.png 05_render_thin.png "
        "05_render_turn.png 05_report.json 07_slice.json 07_sliced.gcode");
    CHECK_TEXT(ask("select count(*) from runs where state = 'queued'", NULL), "2");
    CHECK_TEXT(ask("select actor from reviews where decision = 'pass'", NULL),
               "policy:demo-green-report");
    CHECK_TEXT(ask("select (i.approved_hash = m.threemf_hash)::text from items i join models m on "
                   "m.id = i.model_id",
                   NULL),
               "true");
    CHECK_TEXT(ask("select count(*) from jobs", NULL), "0");
    CHECK_TEXT(ask("select string_agg(distinct outcome, ',') from job_history", NULL), "done");
    CHECK_TEXT(ask("select problem::text from items", NULL), "");
}

/* --- photos
 * ---------------------------------------------------------------------------------------- */

#define BLURRED                                                                                    \
    "{\"verdict\":\"reject\",\"findings\":[{\"code\":\"photo_blurred\",\"severity\":\"error\","    \
    "\"message\":\"The photo is blurred\"}]}"
#define NO_SUBJECT                                                                                 \
    "{\"verdict\":\"reject\",\"findings\":[{\"code\":\"no_subject\",\"severity\":\"error\","       \
    "\"message\":\"Nothing stands out\"}]}"

static void test_worker__a_bad_photo_goes_back_to_the_customer_with_the_reason(void)
{
    char item[32];
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK_OK(sql("update photos set report = '" BLURRED "'"));
    CHECK_OK(run_step("photo_check", step_photo_check, &err));
    CHECK_TEXT(ask(ITEM_STATE, NULL), "needs_photo");
    CHECK_TEXT(ask(PROBLEM, NULL), "photo_blurred");
    CHECK_TEXT(ask("select stage from orders", NULL), "awaiting_customer");
    CHECK_TEXT(ask("select count(*) from jobs", NULL), "0");
}

static void test_worker__a_lithophane_needs_no_subject(void)
{
    char item[32];
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK_OK(sql("update photos set report = '" NO_SUBJECT "'"));
    CHECK_OK(sql("update items set template = 'lithophane'"));
    CHECK_OK(run_step("photo_check", step_photo_check, &err));
    CHECK_TEXT(ask(ITEM_STATE, NULL), "generating");
    CHECK_TEXT(ask("select kind from jobs", NULL), "generate");
}

/* --- jobs that come late, twice, or die
 * -------------------------------------------------------------- */

static void test_worker__a_job_whose_item_moved_on_is_dropped(void)
{
    char item[32];
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK_OK(move("item", item, "photo.ok"));
    CHECK_OK(run_step("photo_check", step_photo_check, &err));
    CHECK_TEXT(ask(ITEM_STATE, NULL), "generating");
    CHECK_TEXT(ask("select count(*) from jobs", NULL), "0");
    CHECK_TEXT(ask("select count(*) from tasks", NULL), "0"); /* and it did nothing */
}

static void test_worker__a_step_whose_lease_was_given_away_writes_nothing(void)
{
    char item[32];
    struct job stale, taken;
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK(job_claim(&stale, db, "photo_check", "slow", 1, 0, &err) == 0);
    CHECK_OK(sql("update jobs set lease_until = now() - interval '1 second'"));
    CHECK_OK(job_rescue(NULL, db, &err));
    CHECK(job_claim(&taken, db, "photo_check", "quick", 30, 0, &err) == 0);
    struct step step = {.settings = &settings,
                        .blobs = &blobs,
                        .db = db,
                        .job = &stale,
                        .actor = "worker:slow",
                        .stop = &never};
    CHECK_FAILS(step_photo_check(&step, &err), ERR_CONFLICT);
    CHECK_TEXT(err.code, "lease_lost");
    db_rollback(db);
    CHECK_TEXT(ask(ITEM_STATE, NULL), "photo_check");
    CHECK_TEXT(ask("select count(*) from tasks", NULL), "0");
    job_free(&stale);
    job_free(&taken);
}

static void test_worker__a_job_that_dies_brings_its_item_to_a_person(void)
{
    char item[32], gone[SHA256_HEX];
    struct work *work = NULL;
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    fresh_hash(gone);
    CHECK_OK(db_text_run(NULL, db, "update photos set cutout_hash = $1", 1,
                         (const char *const[]){gone}, &err));
    CHECK_OK(work_start(&work, &settings, "photo_check,generate", &err));
    bool there = wait_until(ITEM_STATE, "review", 15);
    work_stop(work);
    CHECK(there);
    CHECK_TEXT(ask(TASK_STATE, NULL), "failed");
    CHECK(*ask("select problem ->> 'message' from items", NULL));
    CHECK_TEXT(ask("select outcome from job_history where kind = 'generate'", NULL), "dead");
}

static void test_worker__an_item_that_no_job_works_on_is_found(void)
{
    char item[32];
    struct work *work = NULL;
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK_OK(sql("delete from jobs"));
    CHECK_OK(sql("update items set updated_at = now() - interval '1 minute'"));
    CHECK_OK(work_start(&work, &settings, "inspect", &err));
    bool there = wait_until(ITEM_STATE, "needs_photo", 10);
    work_stop(work);
    CHECK(there);
    CHECK_TEXT(ask(PROBLEM, NULL), "job_lost");
}

static void test_worker__stops_at_once_and_gives_its_job_back(void)
{
    char item[32];
    struct work *work = NULL;
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK_OK(work_start(&work, &settings, NULL, &err));
    CHECK(wait_until("select (count(*) > 0)::text from jobs where kind = 'generate' and "
                     "lease_token is not null",
                     "true", 10));
    double begun = clock_s();
    work_stop(work);
    CHECK(clock_s() - begun < 5);
    CHECK_TEXT(ask("select count(*) from jobs where lease_token is not null", NULL), "0");
    CHECK_TEXT(ask("select count(*) from jobs", NULL), "1");
    CHECK_TEXT(ask("select count(*) from job_history where outcome <> 'done'", NULL), "0");
}

static void test_worker__knows_its_kinds(void)
{
    struct work *work = NULL;
    BEGIN();
    CHECK_TEXT(work_kinds(), "photo_check,generate,gather,inspect,prepare,slice,slice_ahead,print");
    CHECK_FAILS(work_start(&work, &settings, "slice,paint", &err), ERR_INPUT);
    CHECK_TEXT(err.code, "unknown_kind");
    CHECK(work == NULL);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(test_worker__a_photo_becomes_passed_gcode_and_queued_runs),
        TEST(test_worker__a_bad_photo_goes_back_to_the_customer_with_the_reason),
        TEST(test_worker__a_lithophane_needs_no_subject),
        TEST(test_worker__a_job_whose_item_moved_on_is_dropped),
        TEST(test_worker__a_step_whose_lease_was_given_away_writes_nothing),
        TEST(test_worker__a_job_that_dies_brings_its_item_to_a_person),
        TEST(test_worker__an_item_that_no_job_works_on_is_found),
        TEST(test_worker__stops_at_once_and_gives_its_job_back),
        TEST(test_worker__knows_its_kinds),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
