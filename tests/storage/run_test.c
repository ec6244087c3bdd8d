/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage: what is owed, planned, judged; events in order; moves that are not allowed. */
#include "tests/storage/fixture.h"

static int one_queued(char order[32], char item[32], char slice[32], int quantity, int *planned)
{
    if (item_queued(order, item, slice, quantity))
        return -1;
    return runs_plan(planned, db, item, slice, "worker:test", &err);
}

static const char *run_in(const char *item, const char *state)
{
    char key[64];
    snprintf(key, sizeof key, "%s %s", item, state);
    return ask("select coalesce(min(id), '') from runs where item_id || ' ' || state = $1", key);
}

/* A waiting run to its end on no printer in particular. */
static int print(const char *run, const char *end)
{
    static const char *const way[] = {"run.assigned", "run.uploading", "run.upload_ok",
                                      "run.started"};
    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        if (move("run", run, way[i]))
            return -1;
    return move("run", run, end);
}

static const char *counts(const char *item)
{
    return ask("select good || ' good, ' || scrapped || ' scrapped, ' || item_owed(id) || ' owed, "
               "' || state from items where id = $1",
               item);
}

static void test_run__is_planned_for_each_part_that_is_owed(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32];
    int planned = 0;
    CHECK_OK(one_queued(order, item, slice, 3, &planned));
    CHECK(planned == 3);
    CHECK_OK(runs_plan(&planned, db, item, slice, "worker:test", &err));
    CHECK(planned == 0);
    CHECK_TEXT(ask("select count(distinct part_code) || ' ' || bool_and(file_name = part_code || "
                   "'-' || id || '.gcode') || ' ' || min(state) from runs where item_id = $1",
                   item),
               "3 true queued");
    CHECK_TEXT(ask("select string_agg(event, ' ' order by id) from events where item_id = $1 and "
                   "machine = 'run'",
                   item),
               "run.planned run.queued run.planned run.queued run.planned run.queued");
    CHECK_FAILS(runs_plan(&planned, db, "itm_none", slice, "worker:test", &err), ERR_ABSENT);
}

struct plan {
    const char *item, *slice;
};

static void *plan_now(void *user)
{
    struct crowd *me = user;
    const struct plan *plan = me->user;
    int count = 0;
    me->result = runs_plan(&count, me->db, plan->item, plan->slice, "worker:test", &me->err);
    if (me->result == 0)
        me->result = count;
    return NULL;
}

static void test_run__eight_planners_never_plan_more_than_is_owed(void)
{
    NEEDS_CLUSTER();
    for (int round = 0; round < 5; round++) {
        char order[32], item[32], slice[32];
        struct crowd members[8];
        int total = 0;
        CHECK_OK(item_queued(order, item, slice, 5));
        struct plan plan = {item, slice};
        CHECK_OK(crowd_run(members, 8, plan_now, &plan));
        for (int i = 0; i < 8; i++) {
            CHECK_TEXT(members[i].result < 0 ? members[i].err.what : "planned", "planned");
            total += members[i].result;
        }
        CHECK(total == 5);
        CHECK_TEXT(ask("select count(*) from runs where item_id = $1", item), "5");
    }
}

/* Whoever writes: the table itself refuses, not only the planner. */
static const char insert_run[] =
    "insert into runs (id, item_id, slice_id, state, printer_class, material, gcode_hash, "
    "file_name, part_code, print_time_s, filament_g) select 'run_' || $1, item_id, id, 'queued', "
    "'class', 'pla', coalesce($2, gcode_hash), 'f' || $1, 'c' || $1, 1, 1 from slices where id = "
    "$3";

static void *insert_now(void *user)
{
    struct crowd *me = user;
    char id[ID_ROOM];
    id_new(id, "x");
    me->result = db_text_run(NULL, me->db, insert_run, 3, (const char *const[]){id, NULL, me->user},
                             &me->err);
    return NULL;
}

static void test_run__written_by_hand_is_refused_when_not_owed_or_not_passed(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32];
    struct crowd members[8];
    int written = 0;
    CHECK_OK(item_queued(order, item, slice, 2));
    CHECK_OK(crowd_run(members, 8, insert_now, slice));
    for (int i = 0; i < 8; i++) {
        written += members[i].result == 0;
        CHECK_TEXT(members[i].result ? members[i].err.code : "not_owed", "not_owed");
    }
    CHECK(written == 2);
    CHECK_OK(item_queued(order, item, slice, 1));
    CHECK_FAILS(db_text_run(NULL, db, insert_run, 3,
                            (const char *const[]){"other", "another gcode", slice}, &err),
                ERR_CONFLICT);
    CHECK_TEXT(err.code, "not_approved");
    CHECK_FAILS(db_text_run(NULL, db, "update items set good = wanted + 1 where id = $1", 1,
                            (const char *const[]){item}, &err),
                ERR_BUG);
}

static void test_run__good_parts_complete_the_item(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32], run[40];
    CHECK_OK(one_queued(order, item, slice, 2, NULL));
    for (int i = 0; i < 2; i++) {
        snprintf(run, sizeof run, "%s", run_in(item, "queued"));
        CHECK_OK(move("item", item, "run.started"));
        CHECK_OK(print(run, "run.finished"));
        CHECK_OK(run_judge(db, run, "good", NULL, "user:ann", &err));
        CHECK_TEXT(counts(item),
                   i ? "2 good, 0 scrapped, 0 owed, ready" : "1 good, 0 scrapped, 0 owed, queued");
    }
    CHECK_FAILS(run_judge(db, run, "good", NULL, "user:ann", &err), ERR_CONFLICT);
    CHECK_TEXT(ask("select stage from orders where id = $1", order), "in_production");
    CHECK_OK(move("item", item, "part.packed"));
    CHECK_TEXT(ask("select stage from orders where id = $1", order), "ready_to_ship");
    CHECK_TEXT(
        ask("select verdict || ' ' || verdict_by || ' ' || state from runs where id = $1", run),
        "good user:ann closed");
}

static void test_run__a_scrapped_part_is_owed_again_with_a_new_run(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32], run[40];
    CHECK_OK(one_queued(order, item, slice, 1, NULL));
    snprintf(run, sizeof run, "%s", run_in(item, "queued"));
    CHECK_OK(move("item", item, "run.started"));
    CHECK_OK(print(run, "run.finished"));
    CHECK_OK(run_judge(db, run, "scrap", "warping", "user:ann", &err));
    CHECK_TEXT(counts(item), "0 good, 1 scrapped, 0 owed, queued");
    CHECK(strcmp(run_in(item, "queued"), run) != 0 && *run_in(item, "queued"));
    CHECK_TEXT(ask("select reason from events where subject = $1 and event = 'run.judged'", run),
               "warping");
    CHECK_FAILS(run_judge(db, run, "perfect", NULL, "user:ann", &err), ERR_INPUT);
    CHECK_FAILS(run_judge(db, "run_none", "good", NULL, "user:ann", &err), ERR_ABSENT);
}

/* The printer said "failed", the part looks fine: it counts, and its replacement is called off;
 * once the replacement is printing, it is too late. */
static void test_run__a_good_part_of_a_failed_run_takes_its_replacements_place(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32], first[40], second[40];
    for (int late = 0; late < 2; late++) {
        CHECK_OK(one_queued(order, item, slice, 1, NULL));
        snprintf(first, sizeof first, "%s", run_in(item, "queued"));
        CHECK_OK(move("item", item, "run.started"));
        CHECK_OK(print(first, "run.failed"));
        CHECK_OK(runs_plan(NULL, db, item, slice, "worker:test", &err));
        snprintf(second, sizeof second, "%s", run_in(item, "queued"));
        if (late)
            CHECK_OK(move("run", second, "run.assigned"));
        int result = run_judge(db, first, "good", NULL, "user:ann", &err);
        CHECK(result == -late);
        if (late)
            CHECK_TEXT(err.code, "not_owed");
        CHECK_TEXT(ask("select state from runs where id = $1", second),
                   late ? "assigned" : "cancelled");
        CHECK_TEXT(counts(item), late ? "0 good, 0 scrapped, 0 owed, printing"
                                      : "1 good, 0 scrapped, 0 owed, ready");
    }
}

static void *judge_now(void *user)
{
    struct crowd *me = user;
    me->result =
        run_judge(me->db, me->user, me->number % 2 ? "good" : "scrap", "r", "user:x", &me->err);
    return NULL;
}

static void test_run__is_judged_once_however_many_press_the_button(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32], run[40];
    struct crowd members[6];
    int won = 0;
    CHECK_OK(one_queued(order, item, slice, 3, NULL));
    snprintf(run, sizeof run, "%s", run_in(item, "queued"));
    CHECK_OK(print(run, "run.finished"));
    CHECK_OK(crowd_run(members, 6, judge_now, run));
    for (int i = 0; i < 6; i++) {
        won += members[i].result == 0;
        CHECK(members[i].result == 0 || members[i].err.kind == ERR_CONFLICT);
    }
    CHECK(won == 1);
    CHECK_TEXT(ask("select good + scrapped from items where id = $1", item), "1");
}

static void test_run__one_printer_holds_one_run_at_a_time(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32], slice[32];
    CHECK_OK(one_queued(order, item, slice, 2, NULL));
    CHECK_OK(db_script(db,
                       "insert into printers (id, name, driver, url, printer_class, material) "
                       "values ('one', 'one', 'd', 'u', 'class', 'pla')",
                       &err));
    CHECK_FAILS(db_text_run(NULL, db,
                            "update runs set state = 'assigned', printer_id = 'one' where item_id "
                            "= $1",
                            1, (const char *const[]){item}, &err),
                ERR_CONFLICT);
    CHECK_OK(db_script(db, "delete from printers where id = 'one'", &err));
}

static void test_move__not_in_the_table_is_refused_whoever_writes(void)
{
    NEEDS_CLUSTER();
    char order[32], item[32];
    CHECK_OK(order_of(order, item, 1, "illegal"));
    CHECK_FAILS(move("item", item, "run.started"), ERR_CONFLICT);
    CHECK_FAILS(db_text_run(NULL, db, "update items set state = 'printing' where id = $1", 1,
                            (const char *const[]){item}, &err),
                ERR_CONFLICT);
    CHECK_TEXT(err.sqlstate, "ST409");
    struct move m = {.machine = "item",
                     .subject = item,
                     .event = "photo.ok",
                     .actor = "worker:test",
                     .expected_version = 77};
    CHECK_FAILS(flow_move(NULL, db, &m, &err), ERR_CONFLICT);
    char to[24];
    m.expected_version = atoi(ask("select version from items where id = $1", item));
    CHECK_OK(flow_move(to, db, &m, &err));
    CHECK_TEXT(to, "generating");
    CHECK_TEXT(ask("select count(*) from events where subject = $1 and event = 'photo.ok'", item),
               "1");
}

/* A start is never taken back on a guess: no way leads from starting or unknown to queued but the
 * printer's own refusal. */
static void test_flow__a_run_that_may_have_started_never_waits_again(void)
{
    NEEDS_CLUSTER();
    CHECK_TEXT(ask("select string_agg(from_state || ' ' || event, ', ') from flow_moves where "
                   "machine = 'run' and to_state in ('queued', 'assigned', 'uploading', "
                   "'starting') and from_state in ('starting', 'printing', 'paused', 'unknown', "
                   "'finished')",
                   NULL),
               "starting run.start_refused");
}

#define WRITERS 4
#define EACH 60

/* Writes events in transactions of random length, some of which are rolled back. */
static void *write_events(void *user)
{
    struct crowd *me = user;
    unsigned seed = 100 + (unsigned)me->number;
    for (int i = 0; i < EACH; i++) {
        if (db_begin(me->db, &me->err) ||
            db_script(me->db,
                      "select event_add('test', 'writer', null, null, 'e', null, null, "
                      "'t', '', '{}')",
                      &me->err))
            return NULL;
        usleep((useconds_t)rand_r(&seed) % 3000);
        if (rand_r(&seed) % 5 == 0)
            db_rollback(me->db);
        else if (db_commit(me->db, &me->err) == 0)
            me->result++;
    }
    return NULL;
}

struct reader {
    struct db *db;
    int seen, out_of_order;
    char xact[24], id[24];
};

static int read_on(struct reader *reader)
{
    struct db_rows *rows = NULL;
    struct err why;
    if (DB_RUN(&rows, reader->db, "events_after", &why, reader->xact, reader->id, "7"))
        return -1;
    int count = db_row_count(rows);
    for (int i = 0; i < count; i++) {
        long long xact = atoll(reader->xact), id = atoll(reader->id);
        if (db_int(rows, i, 0) < xact || (db_int(rows, i, 0) == xact && db_int(rows, i, 1) <= id))
            reader->out_of_order++;
        snprintf(reader->xact, sizeof reader->xact, "%s", db_text(rows, i, 0));
        snprintf(reader->id, sizeof reader->id, "%s", db_text(rows, i, 1));
        reader->seen += strstr(db_text(rows, i, 2), "\"writer\"") != NULL;
    }
    db_rows_free(rows);
    return count;
}

static void *write_in_crowd(void *user)
{
    struct crowd *members = user;
    return crowd_run(members, WRITERS, write_events, NULL) ? user : NULL;
}

static void test_events__are_read_once_each_while_many_write(void)
{
    NEEDS_CLUSTER();
    struct crowd members[WRITERS] = {0};
    struct reader reader = {.xact = "0", .id = "0"};
    pthread_t writers;
    int written = 0, count = 0;
    CHECK_OK(db_open(&reader.db, cluster_conninfo(&cluster), &err));
    CHECK(pthread_create(&writers, NULL, write_in_crowd, members) == 0);
    while (reader.seen < WRITERS * EACH / 2 && count >= 0)
        count = read_on(&reader);
    pthread_join(writers, NULL);
    while ((count = read_on(&reader)) > 0)
        ;
    db_close(reader.db);
    for (int i = 0; i < WRITERS; i++)
        written += members[i].result;
    CHECK(count == 0 && reader.out_of_order == 0);
    CHECK(written > WRITERS * EACH / 2 && reader.seen == written);
}

/* One random thing that a worker, printer or person might do; most are refused, none may harm. */
static void do_something(unsigned *seed, const char *item, const char *slice)
{
    static const char *const events[] = {
        "run.assigned", "run.uploading",     "run.upload_ok", "run.started",
        "run.finished", "run.failed",        "run.lost",      "run.upload_failed",
        "run.paused",   "run.start_refused", "run.cancelled", "run.unassigned"};
    char run[40], sql[120];
    snprintf(sql, sizeof sql,
             "select id from runs where item_id = $1 order by id offset %d limit 1",
             rand_r(seed) % 4);
    snprintf(run, sizeof run, "%s", ask(sql, item));
    switch (rand_r(seed) % 6) {
    case 0:
        (void)!runs_plan(NULL, db, item, slice, "worker:test", &err);
        break;
    case 1:
        (void)!run_judge(db, run, rand_r(seed) % 2 ? "good" : "scrap", "r", "user:x", &err);
        break;
    case 2:
        (void)!move("item", item, "run.started");
        break;
    default:
        (void)!move("run", run, events[(size_t)rand_r(seed) % (sizeof events / sizeof *events)]);
    }
}

static void test_run__no_sequence_of_events_prints_more_than_is_wanted(void)
{
    NEEDS_CLUSTER();
    unsigned seed = 20251;
    int complete = 0;
    for (int n = 0; n < 12; n++) {
        char order[32], item[32], slice[32];
        CHECK_OK(one_queued(order, item, slice, 1 + n % 3, NULL));
        for (int i = 0; i < 120; i++) {
            do_something(&seed, item, slice);
            const char *sound =
                ask("select good <= wanted and item_owed(id) >= 0 and good = (select count(*) from "
                    "runs r where r.item_id = i.id and verdict = 'good') and scrapped = (select "
                    "count(*) from runs r where r.item_id = i.id and verdict = 'scrap') from items "
                    "i where id = $1",
                    item);
            if (strcmp(sound, "t") != 0)
                TEST_GIVE_UP("order %d, step %d: %s", n, i, counts(item));
            err.kind = ERR_NONE;
        }
        complete += strcmp(ask("select state from items where id = $1", item), "ready") == 0;
    }
    CHECK(complete > 0); /* else the sequences went nowhere and showed nothing */
}

TESTS(TEST(test_run__is_planned_for_each_part_that_is_owed),
      TEST(test_run__eight_planners_never_plan_more_than_is_owed),
      TEST(test_run__written_by_hand_is_refused_when_not_owed_or_not_passed),
      TEST(test_run__good_parts_complete_the_item),
      TEST(test_run__a_scrapped_part_is_owed_again_with_a_new_run),
      TEST(test_run__a_good_part_of_a_failed_run_takes_its_replacements_place),
      TEST(test_run__is_judged_once_however_many_press_the_button),
      TEST(test_run__one_printer_holds_one_run_at_a_time),
      TEST(test_move__not_in_the_table_is_refused_whoever_writes),
      TEST(test_flow__a_run_that_may_have_started_never_waits_again),
      TEST(test_events__are_read_once_each_while_many_write),
      TEST(test_run__no_sequence_of_events_prints_more_than_is_wanted))
