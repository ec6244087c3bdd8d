/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage: migrations, the flow tables, the statements and how failures are told. */
#include "base/assets.h"
#include "base/child.h"
#include "tests/storage/fixture.h"

static void test_migrate__climbs_from_empty_to_the_schema_on_file(void)
{
    NEEDS_CLUSTER();
    if (strcmp(ask("select current_setting('server_version_num')::int / 10000", NULL), "15") != 0)
        SKIP("schemas/current.sql is what pg_dump 15 writes");
    struct child_result r;
    const char *argv[] = {"scripts/dump_schema.sh", cluster_conninfo(&cluster), NULL};
    struct child_options o = {.argv = argv, .network = true};
    CHECK_OK(child_run(&r, &o, &err));
    const struct asset *wanted = asset_find("schemas/current.sql");
    CHECK(wanted);
    bool same = r.exit_code == 0 && r.out.len == wanted->size &&
                memcmp(r.out.data, wanted->data, wanted->size) == 0;
    char first[100] = "";
    for (size_t i = 0; !same && i < r.out.len && i < wanted->size; i++)
        if (r.out.data[i] != (uint8_t)wanted->data[i]) {
            snprintf(first, sizeof first, "%.60s", (char *)r.out.data + i);
            break;
        }
    child_result_free(&r);
    if (!same)
        TEST_GIVE_UP("schemas/current.sql differs (scripts/dump_schema.sh writes it) at: %s",
                     first);
}

static void test_migrate__lays_nothing_twice(void)
{
    NEEDS_CLUSTER();
    int count = -1;
    CHECK_OK(db_migrate(db, &count, &err));
    CHECK(count == 0);
}

/* A database of its own as it was at that migration, with the moves of today. */
static int database_at(struct db **old, int number)
{
    char conninfo[700];
    struct db_rows *moves = NULL;
    int failed = db_script(db, "create database climb", &err);
    snprintf(conninfo, sizeof conninfo, "%.600s dbname=climb", cluster_conninfo(&cluster));
    failed = failed || db_open(old, conninfo, &err) ||
             db_script(*old,
                       "create table schema_migrations (number integer primary key, name text not "
                       "null, laid_at timestamptz not null default now())",
                       &err);
    for (const struct asset *a = asset_next("schemas/migrations/", NULL); a && !failed;
         a = asset_next("schemas/migrations/", a)) {
        const char *name = strrchr(a->name, '/') + 1;
        if (atoi(name) <= number)
            failed = db_script(*old, a->data, &err) ||
                     db_text_run(NULL, *old,
                                 "insert into schema_migrations values (split_part($1, '_', "
                                 "1)::int, $1)",
                                 1, &name, &err);
    }
    failed = failed || db_text_run(&moves, db, "select * from flow_moves", 0, NULL, &err);
    for (int i = 0; i < db_row_count(moves) && !failed; i++) {
        const char *const of[] = {db_text(moves, i, 0), db_text(moves, i, 1), db_text(moves, i, 2),
                                  db_text(moves, i, 3)};
        failed =
            db_text_run(NULL, *old, "insert into flow_moves values ($1, $2, $3, $4)", 4, of, &err);
    }
    db_rows_free(moves);
    return failed;
}

/* What was queued before is printed after: by its own slice, on a printer of its class. */
static int climb_with_a_run(void)
{
    char order[32], item[32], slice[32], run[40];
    struct db_rows *pair = NULL, *bound = NULL;
    if (item_queued(order, item, slice, 2) ||
        runs_plan(NULL, db, item, slice, "worker:test", &err) ||
        db_script(
            db,
            "insert into printers (id, name, driver, url, printer_class, material, bed_clear, "
            "state) values ('one', 'One', 'virtual', 'http://127.0.0.1:1', 'class', 'pla', "
            "true, 'ready')",
            &err) ||
        db_migrate(db, NULL, &err) ||
        strcmp(ask("select process from slices where result_id is null", NULL), "figure") != 0 ||
        DB_RUN(&pair, db, "schedule_pair", &err))
        return -1;
    snprintf(run, sizeof run, "%s", db_text(pair, 0, 0));
    int failed = db_row_count(pair) != 1 || strcmp(db_text(pair, 0, 2), slice) != 0 ||
                 move("run", run, "run.assigned") || move("printer", "one", "run.assigned") ||
                 DB_RUN(&bound, db, "schedule_bind", &err, run, "one", slice) ||
                 db_row_count(bound) != 1 ||
                 strcmp(ask("select count(*) from issues", NULL), "0") != 0;
    db_rows_free(pair);
    db_rows_free(bound);
    return failed;
}

static void test_migrate__climbs_with_orders_under_way(void)
{
    NEEDS_CLUSTER();
    struct db *newest = db, *old = NULL;
    CHECK_OK(database_at(&old, 3));
    db = old;
    int failed = climb_with_a_run();
    db = newest;
    db_close(old);
    CHECK_OK(failed);
    CHECK_OK(db_script(db, "drop database climb", &err));
}

static void test_migrate__refuses_a_database_from_the_future(void)
{
    NEEDS_CLUSTER();
    CHECK_OK(db_script(db, "insert into schema_migrations values (9999, 'future')", &err));
    int result = db_migrate(db, NULL, &err);
    CHECK_OK(db_script(db, "delete from schema_migrations where number = 9999", &(struct err){0}));
    CHECK(result == -1);
    CHECK_TEXT(err.code, "schema_newer");
}

/* Two services that start together: one climbs, the other waits and finds the work done. */
static void *migrate_one(void *user)
{
    struct crowd *me = user;
    me->result = db_migrate(me->db, NULL, &me->err);
    return NULL;
}

static void test_migrate__may_run_many_times_at_once(void)
{
    NEEDS_CLUSTER();
    struct crowd members[4];
    CHECK_OK(crowd_run(members, 4, migrate_one, NULL));
    for (int i = 0; i < 4; i++)
        CHECK_TEXT(members[i].result ? members[i].err.what : "done", "done");
}

static void test_statement__every_one_prepares_and_is_described(void)
{
    NEEDS_CLUSTER();
    int count = 0;
    for (const struct asset *a = asset_next("storage/sql/", NULL); a;
         a = asset_next("storage/sql/", a), count++) {
        struct bytes text = {0};
        CHECK(strstr(a->data, "SPDX-License-Identifier") && strstr(a->data, "-- rows: "));
        CHECK_OK(bytes_printf(&text, &err, "prepare one as %s", a->data));
        int result = db_script(db, (char *)text.data, &err);
        bytes_free(&text);
        if (result)
            TEST_GIVE_UP("%s: %s", a->name, err.what);
        CHECK_OK(db_script(db, "deallocate one", &err));
    }
    CHECK(count > 20);
}

/* Counts the lines of a flow table and looks each of them up. */
static int moves_missing(const struct asset *asset, int *count)
{
    int missing = 0;
    char *text = strdup(asset->data), *rest = text, *line;
    while ((line = strsep(&rest, "\n"))) {
        char machine[20], all[200];
        if (*line == '#' || !*line)
            continue;
        snprintf(machine, sizeof machine, "%.*s", (int)strcspn(strrchr(asset->name, '/') + 1, "."),
                 strrchr(asset->name, '/') + 1);
        snprintf(all, sizeof all, "%s\t%s", machine, line);
        ++*count;
        missing += atoi(ask("select count(*) from flow_moves where machine || e'\\t' || from_state "
                            "|| e'\\t' || event || e'\\t' || to_state = $1",
                            all)) != 1;
    }
    free(text);
    return missing;
}

static void test_flow_moves__are_those_of_the_tables(void)
{
    NEEDS_CLUSTER();
    int count = 0, missing = 0;
    for (const struct asset *a = asset_next("schemas/flow/", NULL); a;
         a = asset_next("schemas/flow/", a))
        missing += moves_missing(a, &count);
    CHECK(missing == 0 && count > 100);
    CHECK(atoi(ask("select count(*) from flow_moves", NULL)) == count);
}

static void test_db__tells_failures_by_kind(void)
{
    NEEDS_CLUSTER();
    CHECK_FAILS(db_script(db, "select 1/0", &err), ERR_BUG);
    CHECK_TEXT(err.sqlstate, "22012");
    CHECK_FAILS(db_script(db, "set statement_timeout = 20; select pg_sleep(5)", &err), ERR_LATER);
    CHECK_OK(db_script(db, "reset statement_timeout", &err));
    CHECK_FAILS(move("item", "itm_nothing", "photo.ok"), ERR_ABSENT);
    CHECK_FAILS(artifact_add(db, "itm_nothing", NULL, "k", "n", "m", "s", 1, &err), ERR_ABSENT);
    CHECK_FAILS(DB_RUN(NULL, db, "job_add", &err, "k", "\xff\xfe", NULL, NULL, "0", "0", "5"),
                ERR_INPUT);
    CHECK_FAILS(DB_RUN(NULL, db, "no_such_statement", &err, NULL), ERR_BUG);
}

static void test_db__a_failed_transaction_cannot_be_committed(void)
{
    NEEDS_CLUSTER();
    CHECK_OK(db_begin(db, &err));
    CHECK(db_script(db, "select nonsense", &err) == -1);
    CHECK_FAILS(db_commit(db, &err), ERR_BUG);
    CHECK_OK(db_begin(db, &err));
    db_rollback(db);
}

/* The server ends idle connections when it restarts: the next statement goes through all the same,
 * but a transaction that was open is lost and says so. */
static void test_db__comes_back_after_its_connection_was_ended(void)
{
    NEEDS_CLUSTER();
    struct db *other;
    CHECK_OK(db_open(&other, cluster_conninfo(&cluster), &err));
    CHECK_OK(DB_RUN(NULL, other, "database_there", &err, "x"));
    static const char end_others[] = "select count(pg_terminate_backend(pid, 2000)) from "
                                     "pg_stat_activity where pid <> pg_backend_pid() and "
                                     "backend_type = 'client backend'";
    CHECK_TEXT(ask(end_others, NULL), "1");
    CHECK_OK(DB_RUN(NULL, other, "database_there", &err, "x"));
    CHECK_OK(db_begin(other, &err));
    CHECK_OK(DB_RUN(NULL, other, "job_add", &err, "lost", "s", NULL, NULL, "0", "0", "5"));
    CHECK_TEXT(ask(end_others, NULL), "1");
    CHECK_FAILS(DB_RUN(NULL, other, "database_there", &err, "x"), ERR_LATER);
    CHECK_TEXT(err.code, "database_away");
    CHECK_FAILS(DB_RUN(NULL, other, "database_there", &err, "x"), ERR_LATER);
    db_rollback(other);
    CHECK_OK(DB_RUN(NULL, other, "database_there", &err, "x"));
    CHECK_TEXT(ask("select count(*) from jobs where kind = 'lost'", NULL), "0");
    db_close(other);
}

static void test_db__says_that_no_database_is_there(void)
{
    struct db *other;
    CHECK_FAILS(db_open(&other, "host=/nowhere dbname=x", &err), ERR_LATER);
    CHECK_TEXT(err.code, "database_away");
}

TESTS(TEST(test_migrate__climbs_from_empty_to_the_schema_on_file),
      TEST(test_migrate__lays_nothing_twice), TEST(test_migrate__climbs_with_orders_under_way),
      TEST(test_migrate__refuses_a_database_from_the_future),
      TEST(test_migrate__may_run_many_times_at_once),
      TEST(test_statement__every_one_prepares_and_is_described),
      TEST(test_flow_moves__are_those_of_the_tables), TEST(test_db__tells_failures_by_kind),
      TEST(test_db__a_failed_transaction_cannot_be_committed),
      TEST(test_db__comes_back_after_its_connection_was_ended),
      TEST(test_db__says_that_no_database_is_there))
