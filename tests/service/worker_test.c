/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers and steps with a real Postgres, real children and, for the remote provider, its simulator
 * over HTTP. This program is its own child: `worker_test child ROLE FOLDER`.
 */
#include "base/assets.h"
#include "service/log.h"
#include "service/role.h"
#include "service/service.h"
#include "service/steps.h"
#include "tests/service/sim.h"
#include "tests/storage/fixture.h"

static struct settings settings = {.workers = 2, .lease_s = 5, .worker_name = "test"};
static struct blobs blobs;
static char photo_hashes[3][SHA256_HEX]; /* normal, cutout, provider */
static atomic_bool never;

static int sql(const char *text)
{
    return db_script(db, text, &err);
}

/* The sample photo, read by the real role, once a program. */
static int read_sample(void)
{
    static const char *const files[] = {"normal.png", "cutout.png", "provider.bin"};
    const struct asset *sample = asset_find("config/samples/dog.jpg");
    char folder[700], path[800];
    if (*photo_hashes[0])
        return 0;
    if (!sample || work_folder_make(folder, settings.work_folder, "photo", &err))
        return -1;
    snprintf(path, sizeof path, "%s/in", folder);
    int failed = file_write(path, sample->data, sample->size, &err) ||
                 role_run(NULL, "photo", folder, NULL, &err);
    for (int i = 0; i < 3 && !failed; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        failed = blob_put_file(photo_hashes[i], NULL, &blobs, path, &err);
    }
    work_folder_drop(folder);
    return failed;
}

static int set_up(void)
{
    memset(&err, 0, sizeof err);
    log_open(LOG_ERROR + 1, "test");
    snprintf(settings.database, sizeof settings.database, "%.500s", cluster_conninfo(&cluster));
    snprintf(settings.blob_folder, sizeof settings.blob_folder, "%s/blobs", cluster_folder);
    snprintf(settings.work_folder, sizeof settings.work_folder, "%s/work", cluster_folder);
    settings.hunyuan3d2_url[0] = 0;
    return blobs_open(&blobs, settings.blob_folder, &err) || read_sample() ||
           sql("truncate orders, items, photos, tasks, models, artifacts, reviews, slices, "
               "printers, runs, jobs, job_history, events");
}

#define BEGIN()                                                                                    \
    do {                                                                                           \
        NEEDS_CLUSTER();                                                                           \
        if (set_up())                                                                              \
            TEST_GIVE_UP("set-up failed: %s", err.what);                                           \
    } while (0)

/* An order of one small figure with the sample photo, whose photo_check job waits. */
static int add_item(char item[32], const char *provider)
{
    char order[32], external_id[ID_ROOM], options[200];
    id_new(external_id, "ext");
    snprintf(options, sizeof options,
             "{\"height_mm\":25,\"style\":\"figure\",\"material\":\"pla\",\"provider\":\"%s\"}",
             provider);
    return order_of(order, item, 2, external_id) ||
           db_text_run(NULL, db,
                       "update items set template = 'demo', options = $2::jsonb where id = $1", 2,
                       (const char *const[]){item, options}, &err) ||
           db_text_run(
               NULL, db, "update photos set normal_hash = $1, cutout_hash = $2, provider_hash = $3",
               3, (const char *const[]){photo_hashes[0], photo_hashes[1], photo_hashes[2]}, &err);
}

static bool wait_until(const char *question, const char *wanted, int seconds)
{
    for (int64_t until = clock_ms() + seconds * 1000; clock_ms() < until; usleep(30 * 1000))
        if (strcmp(ask(question, NULL), wanted) == 0)
            return true;
    return false;
}

#define ITEM_STATE "select state from items"
#define TASK_STATE "select state from tasks order by created_at desc limit 1"
#define PROBLEM "select problem ->> 'code' from items"

/* Runs the one waiting job of a kind in this thread: its step's result; 1 none was due. */
static int run_step(const char *kind, step_function *step_of, struct err *why)
{
    struct job job;
    int result = job_claim(&job, db, kind, "test", settings.lease_s, 0, why);
    if (result)
        return result;
    struct step step = {.settings = &settings,
                        .blobs = &blobs,
                        .db = db,
                        .job = &job,
                        .actor = "worker:test",
                        .stop = &never};
    result = step_of(&step, why);
    if (result)
        db_rollback(db);
    job_free(&job);
    return result;
}

static int make_due(void)
{
    return sql("update jobs set run_at = now() - interval '1 second'");
}

/* --- the whole way
 * -------------------------------------------------------------------------------- */

static void test_worker__a_photo_becomes_passed_gcode_and_queued_runs(void)
{
    char item[32];
    struct work *work = NULL;
    BEGIN();
    CHECK_OK(add_item(item, "relief"));
    CHECK_OK(work_start(&work, &settings, "photo_check,generate,inspect,prepare,slice", &err));
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
    CHECK_TEXT(work_kinds(), "photo_check,generate,inspect,prepare,slice,print");
    CHECK_FAILS(work_start(&work, &settings, "slice,paint", &err), ERR_INPUT);
    CHECK_TEXT(err.code, "unknown_kind");
    CHECK(work == NULL);
}

/* --- a provider over HTTP
 * ---------------------------------------------------------------------------- */

static struct sim_process provider;

static int provider_start(const char *option, const char *value)
{
    char program[600], line[64] = "";
    int out[2];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 40);
    if (n < 0 || pipe(out))
        return -1;
    program[n] = 0;
    strcpy(strrchr(program, '/'), "/../sim/hunyuan3d2_sim");
    provider.pid = fork();
    if (provider.pid == 0) {
        dup2(out[1], 1);
        execl(program, program, "--port", "0", option, value, NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *from = fdopen(out[0], "r");
    bool up =
        from && fgets(line, sizeof line, from) && sscanf(line, "port %d", &provider.port) == 1;
    if (from)
        fclose(from);
    snprintf(provider.url, sizeof provider.url, "http://127.0.0.1:%d", provider.port);
    snprintf(settings.hunyuan3d2_url, sizeof settings.hunyuan3d2_url, "%s", provider.url);
    return up ? 0 : -1;
}

static int provider_count(const char *what)
{
    struct http_answer answer = {0};
    cJSON *counts = NULL;
    int count = -1;
    if (!sim_ask(&answer, &provider, "GET", "/sim/counts", NULL) &&
        !json_parse(&counts, answer.body.data, answer.body.len, NULL))
        count = (int)json_number(counts, what, -1);
    cJSON_Delete(counts);
    http_answer_free(&answer);
    return count;
}

/* An item that waits for its model from the remote provider. */
static int add_remote(char item[32])
{
    return add_item(item, "hunyuan3d2") || run_step("photo_check", step_photo_check, &err);
}

static void asked(void)
{
    char item[32];
    CHECK_OK(add_remote(item));
    for (int i = 0; i < 20 && strcmp(ask(ITEM_STATE, NULL), "generating") == 0; i++) {
        CHECK_OK(make_due());
        CHECK_OK(run_step("generate", step_generate, &err));
        usleep(100 * 1000);
    }
    CHECK_TEXT(ask(ITEM_STATE, NULL), "inspecting");
    CHECK_TEXT(ask(TASK_STATE, NULL), "succeeded");
    CHECK_TEXT(ask("select result_format from tasks", NULL), "glb");
    CHECK(provider_count("send") == 1);
    /* what was asked is kept, the photo is not */
    struct bytes text = {.limit = 1 << 20};
    CHECK_OK(blob_get(&text, &blobs, ask("select sha256 from artifacts where kind = 'task'", NULL),
                      &err));
    bool kept = strstr((char *)text.data, "guidance_scale") && text.len < 4000;
    bytes_free(&text);
    CHECK(kept);
}

static void test_worker__a_remote_model_is_asked_for_once_and_stored(void)
{
    BEGIN();
    CHECK(!provider_start("--slow", "300"));
    asked();
    sim_stop(&provider, SIGKILL);
}

static void dropped(void)
{
    char item[32];
    CHECK_OK(add_remote(item));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(ask(TASK_STATE, NULL), "lost");
    CHECK_TEXT(ask(ITEM_STATE, NULL), "review");
    CHECK_TEXT(ask(PROBLEM, NULL), "generation_in_doubt");
    CHECK(provider_count("send") == 1);
    CHECK(run_step("generate", step_generate, &err) == 1); /* nothing would send it again */
}

static void test_worker__a_lost_answer_of_a_provider_is_parked_for_a_person(void)
{
    BEGIN();
    CHECK(!provider_start("--drop-after-accept", NULL));
    dropped();
    sim_stop(&provider, SIGKILL);
}

static void killed_while_sending(void)
{
    char item[32];
    CHECK_OK(add_remote(item));
    /* a worker committed its intent, and died: nobody knows whether it sent */
    CHECK_OK(move("task", ask("select id from tasks", NULL), "task.claimed"));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(ask(TASK_STATE, NULL), "lost");
    CHECK_TEXT(ask(PROBLEM, NULL), "generation_in_doubt");
    CHECK(provider_count("send") == 0 && provider_count("generate") == 0);
}

static void test_worker__a_task_found_submitting_is_not_sent(void)
{
    BEGIN();
    CHECK(!provider_start("--slow", "100"));
    killed_while_sending();
    sim_stop(&provider, SIGKILL);
}

static void test_worker__a_provider_that_is_away_is_asked_again_later(void)
{
    char item[32];
    BEGIN();
    snprintf(settings.hunyuan3d2_url, sizeof settings.hunyuan3d2_url, "http://127.0.0.1:1");
    CHECK_OK(add_remote(item));
    CHECK_FAILS(run_step("generate", step_generate, &err), ERR_LATER);
    CHECK_TEXT(ask(TASK_STATE, NULL), "created"); /* positively not sent */
    CHECK_TEXT(ask(ITEM_STATE, NULL), "generating");
}

static void out_of_time(void)
{
    char item[32];
    CHECK_OK(add_remote(item));
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(ask(TASK_STATE, NULL), "submitted");
    CHECK_OK(make_due());
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(ask(TASK_STATE, NULL), "running"); /* for ever, says this server of a lost task */
    CHECK_OK(sql("update tasks set deadline = now() - interval '1 second'"));
    CHECK_OK(make_due());
    CHECK_OK(run_step("generate", step_generate, &err));
    CHECK_TEXT(ask(TASK_STATE, NULL), "timed_out");
    CHECK_TEXT(ask(PROBLEM, NULL), "provider_timeout");
    CHECK(provider_count("send") == 1);
}

static void test_worker__a_task_that_never_ends_is_given_up_at_its_deadline(void)
{
    BEGIN();
    CHECK(!provider_start("--fail", "1"));
    out_of_time();
    sim_stop(&provider, SIGKILL);
}

static void test_worker__an_address_that_is_no_provider_calls_a_person(void)
{
    char item[32];
    struct sim_process other;
    BEGIN();
    CHECK(!sim_start(&other, "1", NULL, 0)); /* a web server, but another one */
    snprintf(settings.hunyuan3d2_url, sizeof settings.hunyuan3d2_url, "%s", other.url);
    int failed = add_remote(item) || run_step("generate", step_generate, &err);
    sim_stop(&other, SIGKILL);
    CHECK(!failed);
    CHECK_TEXT(ask(TASK_STATE, NULL), "failed");
    CHECK_TEXT(ask(PROBLEM, NULL), "provider_failed");
    CHECK_TEXT(ask(ITEM_STATE, NULL), "review");
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
        TEST(test_worker__a_remote_model_is_asked_for_once_and_stored),
        TEST(test_worker__a_lost_answer_of_a_provider_is_parked_for_a_person),
        TEST(test_worker__a_task_found_submitting_is_not_sent),
        TEST(test_worker__a_provider_that_is_away_is_asked_again_later),
        TEST(test_worker__a_task_that_never_ends_is_given_up_at_its_deadline),
        TEST(test_worker__an_address_that_is_no_provider_calls_a_person),
    };
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
