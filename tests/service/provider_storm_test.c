/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bad day: tasks for five simulated providers with every fault on, and a worker process killed
 * every two seconds. Afterwards the simulator's word counts: nothing was made twice, no result is
 * lost, the ledger is its bill, its limits were kept. TASKS and KILLS make it longer (make storm).
 */
#include "tests/service/provider_fixture.h"

#define WORKERS 2

static const char *const ids[] = {"tripo", "meshy", "replicate", "fal", "3daistudio"};
#define IDS ((int)(sizeof ids / sizeof *ids))

static pid_t workers[WORKERS];
static int kills_done, tasks_wanted, kills_wanted, lost_count;
static bool is_short;

static int number_from(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text && atoi(text) > 0 ? atoi(text) : otherwise;
}

/* --- setting up --------------------------------------------------------------------------------
 */

/* As quick as the scenario's limits allow. */
static const char pace[] =
    "{\"submits_per_min\":90,\"burst\":5,\"in_flight\":25,\"calls_per_s\":20,"
    "\"poll_s\":0.3,\"poll_most_s\":1.5,\"deadline_s\":%d}";

static int set_up_providers(void)
{
    char text[300];
    snprintf(text, sizeof text, pace, is_short ? 12 : 30);
    for (int i = 0; i < IDS; i++) {
        if (write_rules_paced(ids[i], text))
            return -1;
        use_simulator(ids[i]);
    }
    set_worker_environment();
    setenv("STATUETTE_LEASE_S", "3", 1);
    return 0;
}

/* A photo that no other item has: so the simulator can tell whom a task was made for. */
static int own_photo(char hash[SHA256_HEX], int number)
{
    struct bytes photo = {.limit = 1 << 24};
    int failed = blob_get(&photo, &blobs, photo_hashes[2], &err) ||
                 bytes_printf(&photo, &err, "photo %d", number) ||
                 blob_put(hash, &blobs, photo.data, photo.len, &err);
    bytes_free(&photo);
    return failed;
}

static int add_order(int number)
{
    char order[32], item[32], name[40], hash[SHA256_HEX], options[200];
    snprintf(name, sizeof name, "storm-%d", number);
    snprintf(options, sizeof options,
             "{\"height_mm\":25,\"style\":\"figure\",\"material\":\"pla\",\"provider\":\"%s\"}",
             ids[number % IDS]);
    const struct job_new job = {.kind = "generate", .subject = item, .key = item};
    return own_photo(hash, number) || order_of(order, item, 1, name) ||
           db_text_run(NULL, db,
                       "update items set template = 'demo', options = $2::jsonb where id = $1", 2,
                       (const char *const[]){item, options}, &err) ||
           db_text_run(NULL, db,
                       "update photos set provider_hash = $1, normal_hash = $2, cutout_hash = $3 "
                       "where item_id = $4",
                       4, (const char *const[]){hash, photo_hashes[0], photo_hashes[1], item},
                       &err) ||
           move("item", item, "photo.ok") || job_add(db, &job, &err);
}

static int add_orders(void)
{
    for (int i = 0; i < tasks_wanted; i++)
        if (add_order(i))
            return -1;
    return sql("delete from jobs where kind = 'photo_check'");
}

/* --- the storm ---------------------------------------------------------------------------------
 */

static int worker_begin(int i)
{
    char log[800];
    snprintf(log, sizeof log, "%s/worker-%d.log", cluster_folder, i);
    workers[i] = worker_start("generate,gather", log);
    return workers[i] > 0 ? 0 : -1;
}

static void worker_kill(int i)
{
    kill(workers[i], SIGKILL);
    waitpid(workers[i], NULL, 0);
}

static bool is_over(void)
{
    return strcmp(ask("select (not exists (select from tasks where state in " OPEN_STATES
                      ") and not "
                      "exists (select from items where state = 'generating'))::text",
                      NULL),
                  "true") == 0;
}

/* The short storm does not wait out the times that a list may take, nor holds. */
static int hurry(void)
{
    if (!is_short)
        return 0;
    return sql("update tasks set next_at = now() + interval '1 second' where state = 'in_doubt' "
               "and next_at > now() + interval '1 second'") ||
           sql("update providers set circuit_until = now() + interval '3 seconds' "
               "where circuit_until > now() + interval '3 seconds'") ||
           sql("update providers set hold_until = now() + interval '1 second' "
               "where hold_until > now() + interval '1 second'") ||
           sql("update jobs set run_at = now() where kind = 'gather' and lease_token is null and "
               "run_at > now() + interval '2 seconds'");
}

static int storm(int seconds)
{
    unsigned dice = 7;
    int64_t until = clock_ms() + seconds * 1000, kill_at = clock_ms() + 2000;
    while (!is_over() && clock_ms() < until) {
        if (clock_ms() >= kill_at && kills_done < kills_wanted) {
            dice = dice * 1103515245u + 12345u;
            int i = (int)(dice >> 16) % WORKERS;
            worker_kill(i);
            kills_done++;
            kill_at = clock_ms() + 2000;
            if (worker_begin(i))
                return -1;
        }
        if (hurry())
            return -1;
        usleep(200 * 1000);
    }
    return 0;
}

/* --- the person ---------------------------------------------------------------------------------
 */

/* A task of the provider's that was made for that photo and that none of ours is. */
static const char *unclaimed(const cJSON *state, const char *id, const char *image)
{
    const cJSON *task;
    cJSON_ArrayForEach (task, json_get(json_get(json_get(state, "providers"), id), "tasks"))
        if (strcmp(json_text(task, "image", ""), image) == 0 &&
            strcmp(ask("select count(*) from tasks where provider_task = $1",
                       json_text(task, "id", "")),
                   "0") == 0)
            return json_text(task, "id", "");
    return NULL;
}

static int found(const char *task, const char *number)
{
    return move("task", task, "task.found") ||
           db_text_run(NULL, db,
                       "update tasks set provider_task = $2, provider_aux = '', checks = 0, polls "
                       "= 0, next_at = now(), lease_token = null, lease_until = null where id = $1",
                       2, (const char *const[]){task, number}, &err);
}

static int not_made(const char *task)
{
    return move("task", task, "task.failed") ||
           db_text_run(NULL, db, "select ledger_close($1, 0)::text", 1, (const char *const[]){task},
                       &err);
}

/* Looks at the provider's own page, as a person does who resolves what is lost. */
static int resolve(void)
{
    struct db_rows *rows = NULL;
    cJSON *state = sim_state();
    int failed = db_text_run(&rows, db,
                             "select t.id, t.provider, p.provider_hash from tasks t join photos p "
                             "on p.item_id = t.item_id where t.state = 'lost' order by t.id",
                             0, NULL, &err);
    for (int i = 0; i < db_row_count(rows) && !failed; i++) {
        const char *number = unclaimed(state, db_text(rows, i, 1), db_text(rows, i, 2));
        failed = number ? found(db_text(rows, i, 0), number) : not_made(db_text(rows, i, 0));
        lost_count++;
    }
    db_rows_free(rows);
    cJSON_Delete(state);
    return failed;
}

/* --- what must hold -----------------------------------------------------------------------------
 */

static int violations_of(const cJSON *p)
{
    const cJSON *one, *all = json_get(p, "violations");
    int sum = 0;
    cJSON_ArrayForEach (one, all)
        sum += one->valueint;
    return sum;
}

/* Every task that a provider made is exactly one of ours. */
static int strangers_of(const cJSON *p)
{
    const cJSON *task;
    int count = 0;
    cJSON_ArrayForEach (task, json_get(p, "tasks"))
        count += strcmp(ask("select count(*) from tasks where provider_task = $1",
                            json_text(task, "id", "")),
                        "1") != 0;
    return count;
}

/* The first task that the two sides have at different prices. */
static const char *difference(const cJSON *p)
{
    const cJSON *task;
    cJSON_ArrayForEach (task, json_get(p, "tasks")) {
        const char *id = json_text(task, "id", "");
        double ours = atof(ask("select coalesce(sum(l.credits), 0) from ledger l join tasks t on "
                               "t.id = l.task_id where t.provider_task = $1",
                               id));
        if (fabs(ours - json_number(task, "credits", -1)) > 0.0005)
            return ask("select t.id || ' ' || t.state || ' ' || coalesce(t.error::text, '') || "
                       "(select string_agg(kind || ' ' || credits, ', ') from ledger where task_id "
                       "= t.id) from tasks t where t.provider_task = $1",
                       id);
    }
    return "no task";
}

static void check_provider(const cJSON *state, const char *id)
{
    const cJSON *p = json_get(json_get(state, "providers"), id);
    double bill = json_number(p, "bill", -1);
    double ledger = atof(ledger_of(id));
    if (fabs(bill - ledger) > 0.0005)
        TEST_GIVE_UP("%s bills %.3f, the ledger has %.3f: %s", id, bill, ledger, difference(p));
    if (strangers_of(p) != 0)
        TEST_GIVE_UP("%s made %d tasks that are none of ours", id, strangers_of(p));
    if (violations_of(p) != 0)
        TEST_GIVE_UP("the limits of %s were exceeded %d times", id, violations_of(p));
    printf("# %-10s made %d, %d submits, %d polls of %d tasks, billed %.0f\n", id,
           (int)json_number(p, "made", 0), (int)json_number(p, "submits", 0),
           (int)json_number(p, "poll_requests", 0), (int)json_number(p, "polled", 0), bill);
}

/* What a task that has succeeded stored is what that task made. */
static void check_results(void)
{
    struct db_rows *rows = NULL;
    int wrong = 0;
    CHECK_OK(db_text_run(&rows, db,
                         "select provider_task, result_hash from tasks where state = 'succeeded'",
                         0, NULL, &err));
    for (int i = 0; i < db_row_count(rows); i++) {
        struct bytes model = {.limit = 1 << 24};
        const char *name = db_text(rows, i, 0);
        wrong += blob_get(&model, &blobs, db_text(rows, i, 1), &err) ||
                 !memmem(model.data, model.len, name, strlen(name));
        bytes_free(&model);
    }
    db_rows_free(rows);
    CHECK(wrong == 0);
}

static void print_states(void)
{
    struct db_rows *rows = NULL;
    if (db_text_run(&rows, db,
                    "select state || coalesce(' ' || (error ->> 'code'), '') || case when state = "
                    "'timed_out' then ' ' || provider else '' end, count(*) from tasks "
                    "group by 1 order by 2 desc",
                    0, NULL, &err) == 0)
        for (int i = 0; i < db_row_count(rows); i++)
            printf("# %s: %s\n", db_text(rows, i, 0), db_text(rows, i, 1));
    db_rows_free(rows);
}

static void check_all(void)
{
    cJSON *state = sim_state();
    CHECK(state);
    for (int i = 0; i < IDS && !*test_failure; i++)
        check_provider(state, ids[i]);
    cJSON_Delete(state);
    if (*test_failure)
        return;
    check_results();
    CHECK_TEXT(ask("select count(*) from tasks where state not in ('succeeded', 'cancelled') and "
                   "coalesce(error ->> 'message', '') = ''",
                   NULL),
               "0");
    CHECK_TEXT(ask("select count(distinct item_id) from tasks", NULL),
               ask("select count(*) from items", NULL));
}

static void weather(int seconds)
{
    CHECK(!simulator_start("--scenario", "tests/sim/scenarios/bad_day.json", NULL, NULL));
    CHECK_OK(set_up_providers());
    CHECK_OK(add_orders());
    for (int i = 0; i < WORKERS; i++)
        CHECK(!worker_begin(i));
    int64_t began = clock_ms();
    CHECK_OK(storm(seconds));
    if (!is_over())
        TEST_GIVE_UP("%s tasks are not at their end after %d s",
                     ask("select count(*) from tasks where state in " OPEN_STATES, NULL), seconds);
    CHECK_OK(resolve());
    CHECK_OK(storm(120));
    CHECK(is_over());
    printf("# %d items, %s tasks, %d kills, %d lost and resolved, %.0f s\n", tasks_wanted,
           ask("select count(*) from tasks", NULL), kills_done, lost_count,
           (double)(clock_ms() - began) / 1000);
}

static void test_provider_storm__nothing_is_made_twice_and_nothing_is_lost(void)
{
    tasks_wanted = number_from("TASKS", 40);
    kills_wanted = number_from("KILLS", 3);
    is_short = tasks_wanted <= 100;
    if (!getenv("STATUETTE_PROGRAM"))
        SKIP("STATUETTE_PROGRAM says which worker to kill");
    BEGIN();
    weather(number_from("STORM_S", 150));
    for (int i = 0; i < WORKERS; i++)
        if (workers[i] > 0)
            worker_kill(i);
    print_states();
    if (!*test_failure)
        check_all();
    if (!*test_failure)
        CHECK(kills_done >= 1);
    if (*test_failure && getenv("STATUETTE_KEEP_FAILED"))
        sleep(600);
    sim_stop(&provider, SIGKILL);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(test_provider_storm__nothing_is_made_twice_and_nothing_is_lost)};
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return tests_run(tests, sizeof tests / sizeof *tests, argc > 1 ? argv[1] : NULL);
}
