/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage: the queue. Each test uses kinds of its own, so that they do not see one another's jobs.
 */
#include "base/assets.h"
#include "tests/storage/fixture.h"

static int add(const char *kind, const char *key, int priority, int delay_ms, int max_tries)
{
    const struct job_new job = {.kind = kind,
                                .subject = "itm_x",
                                .key = key,
                                .priority = priority,
                                .delay_ms = delay_ms,
                                .max_tries = max_tries};
    return job_add(db, &job, &err);
}

static int claim(struct job *job, const char *kinds, int lease_s)
{
    return job_claim(job, db, kinds, "tester", lease_s, 0, &err);
}

/* As if the lease had run out: the clock that counts is the database's. */
static int let_lapse(const struct job *job)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)job->id);
    return DB_RUN(NULL, db, "job_beat", &err, id,
                  ask("select lease_token from jobs where id = $1::bigint", id), "-1");
}

static void test_job__higher_priority_goes_first_then_the_older(void)
{
    NEEDS_CLUSTER();
    struct job job;
    static const char *const keys[] = {"low1", "low2", "high", "later"};
    static const char *const order[] = {"high", "low1", "low2"};
    for (int i = 0; i < 4; i++)
        CHECK_OK(add("order", keys[i], i == 2 ? 9 : 0, i == 3 ? 60000 : 0, 0));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(claim(&job, "nothing,order", 60));
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)job.id);
        CHECK_TEXT(ask("select key from jobs where id = $1::bigint", id), order[i]);
        CHECK(job.tries == 1 && job.max_tries == 12);
        CHECK_TEXT(job.subject, "itm_x");
        job_free(&job);
    }
    CHECK(claim(&job, "order", 60) == 1);
}

static void test_job__a_live_key_makes_a_second_one_a_no_op(void)
{
    NEEDS_CLUSTER();
    struct job job;
    CHECK_OK(add("unique", "k", 0, 0, 0));
    CHECK_OK(add("unique", "k", 0, 0, 0));
    CHECK_OK(claim(&job, "unique", 60));
    CHECK_OK(add("unique", "k", 0, 0, 0)); /* still live while it is worked on */
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'unique'", NULL), "1");
    CHECK_OK(job_done(db, &job, &err));
    job_free(&job);
    CHECK_OK(add("unique", "k", 0, 0, 0));
    CHECK_OK(add("unique", NULL, 0, 0, 0));
    CHECK_OK(add("unique", NULL, 0, 0, 0));
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'unique'", NULL), "3");
}

static void *claim_all(void *user)
{
    struct crowd *me = user;
    struct job job;
    int found;
    while ((found = job_claim(&job, me->db, "crowd", "w", 60, 0, &me->err)) == 0) {
        if (job_done(me->db, &job, &me->err))
            found = -1;
        job_free(&job);
        if (found < 0)
            break;
        me->result++;
    }
    if (found < 0)
        me->result = -1000000;
    return NULL;
}

static void test_job__is_given_to_one_of_eight_claimers_only(void)
{
    NEEDS_CLUSTER();
    struct crowd members[8];
    int total = 0;
    for (int i = 0; i < 400; i++)
        CHECK_OK(add("crowd", NULL, i % 3, 0, 0));
    CHECK_OK(crowd_run(members, 8, claim_all, NULL));
    for (int i = 0; i < 8; i++)
        total += members[i].result;
    CHECK(total == 400);
    CHECK_TEXT(ask("select count(*) from job_history where kind = 'crowd' and tries = 1", NULL),
               "400");
}

static void *claim_limited(void *user)
{
    struct crowd *me = user;
    struct job job;
    for (int i = 0; i < 20 && me->result >= 0; i++) {
        int found = job_claim(&job, me->db, "limited", "w", 60, 2, &me->err);
        struct db_rows *rows = NULL;
        if (found < 0 ||
            db_text_run(&rows, me->db,
                        "select count(*) from jobs where kind = 'limited' and lease_token is not "
                        "null",
                        0, NULL, &me->err)) {
            me->result = -1;
            break;
        }
        int running = (int)db_int(rows, 0, 0);
        db_rows_free(rows);
        me->result = running > me->result ? running : me->result;
        if (found == 0 && job_done(me->db, &job, &me->err))
            me->result = -1;
        job_free(&job);
    }
    return NULL;
}

static void test_job__no_more_of_a_kind_run_at_once_than_allowed(void)
{
    NEEDS_CLUSTER();
    struct crowd members[6];
    int most = 0;
    for (int i = 0; i < 60; i++)
        CHECK_OK(add("limited", NULL, 0, 0, 0));
    CHECK_OK(crowd_run(members, 6, claim_limited, NULL));
    for (int i = 0; i < 6; i++) {
        CHECK(members[i].result >= 0);
        most = members[i].result > most ? members[i].result : most;
    }
    CHECK(most >= 1 && most <= 2);
}

/* A worker that was paused comes back after its job was given away: all it does is refused. */
static void test_job__a_stale_lease_can_write_nothing(void)
{
    NEEDS_CLUSTER();
    struct job old, fresh;
    int count = 0, dead;
    struct err why = {.kind = ERR_LATER};
    CHECK_OK(add("stale", "k", 0, 0, 0));
    CHECK_OK(claim(&old, "stale", 60));
    CHECK(job_beat(db, &old, 60, &err) == 0);
    CHECK_OK(let_lapse(&old));
    CHECK_OK(job_rescue(&count, db, &err));
    CHECK(count == 1);
    CHECK(job_beat(db, &old, 60, &err) == 1);
    CHECK_FAILS(job_done(db, &old, &err), ERR_CONFLICT); /* freed, but not yet claimed */
    CHECK_OK(claim(&fresh, "stale", 60));
    CHECK(fresh.id == old.id && fresh.lease_token > old.lease_token && fresh.tries == 2);
    CHECK_FAILS(job_done(db, &old, &err), ERR_CONFLICT);
    CHECK_TEXT(err.code, "lease_lost");
    CHECK_FAILS(job_fail(&dead, db, &old, &why, 0, &err), ERR_CONFLICT);
    CHECK_FAILS(job_release(db, &old, 0, &err), ERR_CONFLICT);
    CHECK_OK(job_done(db, &fresh, &err));
    job_free(&old);
    job_free(&fresh);
}

static void test_job__waits_longer_after_each_failure(void)
{
    NEEDS_CLUSTER();
    struct job job;
    struct err why = {.kind = ERR_LATER, .code = "provider_away", .what = "no answer"};
    double before = 0;
    CHECK_OK(add("retry", "k", 0, 0, 4));
    for (int i = 0; i < 3; i++) {
        int dead = 9;
        CHECK_OK(db_script(db, "update jobs set run_at = now() where kind = 'retry'", &err));
        CHECK_OK(claim(&job, "retry", 60));
        CHECK_OK(job_fail(&dead, db, &job, &why, 0, &err));
        job_free(&job);
        CHECK(dead == 0);
        double wait = atof(
            ask("select extract(epoch from run_at - now()) from jobs where kind = 'retry'", NULL));
        CHECK(wait > 0.74 * (2 << i) - 0.5 && wait < 1.26 * (2 << i) && wait > before / 2);
        before = wait;
    }
    CHECK_TEXT(ask("select last_error->>'code' from jobs where kind = 'retry'", NULL),
               "provider_away");
    CHECK_OK(db_script(db, "update jobs set run_at = now() where kind = 'retry'", &err));
    CHECK_OK(claim(&job, "retry", 60));
    int dead = 0;
    CHECK_OK(job_fail(&dead, db, &job, &why, 600000, &err)); /* tries are used up */
    job_free(&job);
    CHECK(dead == 1);
    CHECK_TEXT(ask("select outcome || ' ' || (error->>'message') from job_history where kind = "
                   "'retry'",
                   NULL),
               "dead no answer");
    CHECK_TEXT(ask("select event || ' ' || actor from events where machine = 'job' and "
                   "payload->>'kind' = 'retry'",
                   NULL),
               "job.dead worker:tester");
}

static void test_job__a_retry_waits_at_least_as_long_as_asked(void)
{
    NEEDS_CLUSTER();
    struct job job;
    struct err why = {.kind = ERR_LATER};
    CHECK_OK(add("after", NULL, 0, 0, 0));
    CHECK_OK(claim(&job, "after", 60));
    CHECK_OK(job_fail(NULL, db, &job, &why, 90000, &err));
    job_free(&job);
    CHECK(atof(ask("select extract(epoch from run_at - now()) from jobs where kind = 'after'",
                   NULL)) > 80);
}

static void test_job__what_no_retry_can_mend_ends_at_once(void)
{
    NEEDS_CLUSTER();
    static const struct {
        enum err_kind kind;
        const char *outcome;
    } rows[] = {
        {ERR_INPUT, "dead"}, {ERR_BUG, "dead"}, {ERR_LIMIT, "dead"}, {ERR_CONFLICT, "dropped"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job job;
        struct err why = {.kind = rows[i].kind};
        int dead = 9;
        CHECK_OK(add("park", NULL, 0, 0, 0));
        CHECK_OK(claim(&job, "park", 60));
        CHECK_OK(job_fail(&dead, db, &job, &why, 0, &err));
        job_free(&job);
        CHECK(dead == (strcmp(rows[i].outcome, "dead") == 0));
        CHECK_TEXT(ask("select outcome from job_history where kind = 'park' order by id desc limit "
                       "1",
                       NULL),
                   rows[i].outcome);
    }
}

static void test_job__given_back_it_has_not_been_tried(void)
{
    NEEDS_CLUSTER();
    struct job job;
    CHECK_OK(add("back", NULL, 0, 0, 1));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(claim(&job, "back", 60));
        CHECK(job.tries == 1);
        CHECK_OK(job_release(db, &job, 0, &err));
        job_free(&job);
    }
    CHECK_OK(claim(&job, "back", 60));
    CHECK_OK(job_release(db, &job, 60000, &err));
    job_free(&job);
    CHECK(claim(&job, "back", 60) == 1);
}

/* A job that takes its worker down with it each time must not go round for ever. */
static void test_job__that_kills_its_workers_ends_as_dead(void)
{
    NEEDS_CLUSTER();
    struct job job;
    CHECK_OK(add("killer", NULL, 0, 0, 2));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(claim(&job, "killer", 60));
        CHECK_OK(let_lapse(&job));
        job_free(&job);
        int count = 0;
        CHECK_OK(job_rescue(&count, db, &err));
        CHECK(count == 1);
    }
    CHECK(claim(&job, "killer", 60) == 1);
    CHECK_TEXT(ask("select error->>'code' from job_history where kind = 'killer'", NULL),
               "lease_lapsed");
    CHECK_TEXT(ask("select count(*) from events where payload->>'kind' = 'killer'", NULL), "1");
}

/* The job and the move that causes it are one transaction: without the one, not the other. */
static void test_job__is_gone_with_the_transaction_that_added_it(void)
{
    NEEDS_CLUSTER();
    CHECK_OK(db_begin(db, &err));
    CHECK_OK(add("gone", NULL, 0, 0, 0));
    db_rollback(db);
    struct job job;
    CHECK(claim(&job, "gone", 60) == 1);
}

static void test_job__wakes_those_who_wait_at_commit(void)
{
    NEEDS_CLUSTER();
    struct db *listener;
    CHECK_OK(db_open(&listener, cluster_conninfo(&cluster), &err));
    CHECK_OK(db_listen(listener, "statuette_jobs", &err));
    CHECK(db_wait(listener, 50, &err) == 1);
    CHECK_OK(db_begin(db, &err));
    CHECK_OK(add("wake", NULL, 0, 0, 0));
    CHECK(db_wait(listener, 100, &err) == 1);
    CHECK_OK(db_commit(db, &err));
    int64_t start = clock_ms();
    CHECK(db_wait(listener, 5000, &err) == 0 && clock_ms() - start < 2000);
    /* one that listens still hears after its connection was ended */
    CHECK_TEXT(ask("select count(pg_terminate_backend(pid, 2000)) from pg_stat_activity where pid "
                   "<> pg_backend_pid() and backend_type = 'client backend'",
                   NULL),
               "1");
    CHECK(db_wait(listener, 0, &err) == 0); /* may have missed some: look */
    CHECK(db_wait(listener, 50, &err) == 1);
    CHECK_OK(add("wake", NULL, 0, 0, 0));
    CHECK(db_wait(listener, 5000, &err) == 0);
    db_close(listener);
}

/* Whatever the statistics make the planner believe: a claim looks at the heads of the queue only.
 */
static void test_job__a_claim_never_reads_the_whole_queue(void)
{
    NEEDS_CLUSTER();
    const struct asset *claim = asset_find("storage/sql/job_claim.sql");
    const char *parameters[] = {"long", "tester", "60", "0"};
    struct bytes explain = {0};
    struct db_rows *rows = NULL;
    CHECK(claim);
    CHECK_OK(db_script(db,
                       "insert into jobs (kind, subject) select 'long', 's' || n "
                       "from generate_series(1, 6000) n; analyze jobs",
                       &err));
    CHECK_OK(bytes_printf(&explain, &err, "explain %s", (const char *)claim->data));
    CHECK_OK(db_text_run(&rows, db, (const char *)explain.data, 4, parameters, &err));
    bool whole = false;
    for (int i = 0; i < db_row_count(rows); i++)
        whole |= strstr(db_text(rows, i, 0), "Seq Scan on jobs") != NULL;
    db_rows_free(rows);
    bytes_free(&explain);
    CHECK_OK(db_script(db, "delete from jobs where kind = 'long'", &err));
    CHECK(!whole);
}

TESTS(TEST(test_job__higher_priority_goes_first_then_the_older),
      TEST(test_job__a_live_key_makes_a_second_one_a_no_op),
      TEST(test_job__is_given_to_one_of_eight_claimers_only),
      TEST(test_job__no_more_of_a_kind_run_at_once_than_allowed),
      TEST(test_job__a_stale_lease_can_write_nothing),
      TEST(test_job__waits_longer_after_each_failure),
      TEST(test_job__a_retry_waits_at_least_as_long_as_asked),
      TEST(test_job__what_no_retry_can_mend_ends_at_once),
      TEST(test_job__given_back_it_has_not_been_tried),
      TEST(test_job__that_kills_its_workers_ends_as_dead),
      TEST(test_job__is_gone_with_the_transaction_that_added_it),
      TEST(test_job__wakes_those_who_wait_at_commit),
      TEST(test_job__a_claim_never_reads_the_whole_queue))
