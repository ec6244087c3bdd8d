/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of storage share: a private cluster in a temp folder, made once a program, and the
 * steps that bring an order to where a test begins.
 */
#ifndef TESTS_STORAGE_FIXTURE_H
#define TESTS_STORAGE_FIXTURE_H

#include <pthread.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "storage/cluster.h"
#include "storage/db.h"
#include "storage/db_wire.h"
#include "storage/flow.h"
#include "storage/job.h"
#include "storage/order.h"
#include "tests/test.h"

static struct err err;
static struct cluster cluster = {.users = -1};
static struct db *db;
static char cluster_folder[] = "/tmp/statuette-storage-XXXXXX";
static char cluster_why[300];

static void fixture_end(void)
{
    db_close(db);
    cluster_close(&cluster);
    folder_remove(cluster_folder);
}

/* 0 when the cluster is there and migrated; else the test skips or fails with cluster_why. */
static inline int fixture(void)
{
    if (db)
        return 0;
    if (*cluster_why || !mkdtemp(cluster_folder))
        return -1;
    atexit(fixture_end);
    if (cluster_open(&cluster, cluster_folder, &err) == 0 &&
        db_open(&db, cluster_conninfo(&cluster), &err) == 0 && db_migrate(db, NULL, &err) == 0)
        return 0;
    snprintf(cluster_why, sizeof cluster_why, "%s", err.what);
    return -1;
}

#define NEEDS_CLUSTER()                                                                            \
    do {                                                                                           \
        if (fixture() != 0) {                                                                      \
            if (strcmp(err.code, "postgres_missing") == 0)                                         \
                SKIP("Postgres is not installed");                                                 \
            TEST_GIVE_UP("no cluster: %s", cluster_why);                                           \
        }                                                                                          \
    } while (0)

/* The one value of a query, as text; "" for none, and "failed: why". $1 = parameter, if any. */
static inline const char *ask(const char *sql, const char *parameter)
{
    static char answers[8][300];
    static int next;
    char *answer = answers[next++ & 7];
    struct db_rows *rows = NULL;
    struct err why;
    *answer = 0;
    if (db_text_run(&rows, db, sql, parameter ? 1 : 0, &parameter, &why))
        snprintf(answer, 300, "failed: %s", why.what);
    else if (db_row_count(rows) > 0)
        snprintf(answer, 300, "%s", db_text(rows, 0, 0));
    db_rows_free(rows);
    return answer;
}

static inline int move(const char *machine, const char *subject, const char *event)
{
    const struct move m = {
        .machine = machine, .subject = subject, .event = event, .actor = "worker:test"};
    return flow_move(NULL, db, &m, &err);
}

/* A hash that no other call gave. */
static inline void fresh_hash(char hash[SHA256_HEX])
{
    unsigned char seed[16];
    random_bytes(seed, sizeof seed);
    sha256_hex(hash, seed, sizeof seed);
}

/* An order of one item, freshly written. */
static inline int order_of(char order[32], char item[32], int quantity, const char *external_id)
{
    char json[500];
    struct photo_row photo = {.item_slot = "front",
                              .format = "jpeg",
                              .width = 800,
                              .height = 600,
                              .provider_mime = "image/jpeg",
                              .normal_bytes = 10,
                              .cutout_bytes = 11,
                              .provider_bytes = 12,
                              .report = "{}"};
    fresh_hash(photo.normal_hash);
    fresh_hash(photo.cutout_hash);
    fresh_hash(photo.provider_hash);
    snprintf(json, sizeof json,
             "{\"external_id\":\"%s\",\"consent\":{\"photo_class\":\"pet\"},\"contact\":{\"name\":"
             "\"Ada\"},\"items\":[{\"template\":\"figurine\",\"quantity\":%d,\"height_mm\":60,"
             "\"photos\":[\"p1\"],\"name\":\"Rex\",\"notes\":\"left ear\",\"style\":\"figure\"}]}",
             external_id, quantity);
    if (order_create(order, db, json, &photo, 1, "user:test", &err))
        return -1;
    snprintf(item, 32, "%s", ask("select id from items where order_id = $1", order));
    return 0;
}

/* ... with a model in review, whose 3MF has that hash. */
static inline int item_in_review(char order[32], char item[32], char hash[SHA256_HEX], int quantity)
{
    char model[ID_ROOM], external_id[ID_ROOM];
    id_new(external_id, "ext");
    id_new(model, "mdl");
    fresh_hash(hash);
    if (order_of(order, item, quantity, external_id) || move("item", item, "photo.ok") ||
        move("item", item, "candidate.stored") || move("item", item, "candidate.usable") ||
        db_text_run(NULL, db,
                    "insert into models (id, item_id, number, source_hash, report, verdict, "
                    "threemf_hash) values ($1, $2, 1, 'x', '{}', 'pass', $3)",
                    3, (const char *const[]){model, item, hash}, &err) ||
        db_text_run(NULL, db, "update items set model_id = $1 where id = $2", 2,
                    (const char *const[]){model, item}, &err))
        return -1;
    return move("item", item, "prep.ok");
}

static inline int slice_add(char slice[32], const char *item, const char *hash)
{
    id_new(slice, "slc");
    return db_text_run(
        NULL, db,
        "insert into slices (id, item_id, model_id, threemf_hash, printer_class, material, engine, "
        "closure_hash, gcode_hash, print_time_s, filament_mm, filament_g, layer_count, report) "
        "select $1, id, model_id, $3, 'class', 'pla', 'cura', 'c', 'g' || $1, 60, 1, 1, 1, '{}' "
        "from items where id = $2",
        3, (const char *const[]){slice, item, hash}, &err);
}

static inline int pass(const char *item, const char *hash)
{
    const struct review_decision d = {
        .item_id = item, .decision = "pass", .threemf_hash = hash, .actor = "user:test"};
    return review_decide(db, &d, &err);
}

/* ... passed and sliced: queued, with nothing planned yet. */
static inline int item_queued(char order[32], char item[32], char slice[32], int quantity)
{
    char hash[SHA256_HEX];
    if (item_in_review(order, item, hash, quantity) || pass(item, hash) ||
        move("item", item, "slice.started") || slice_add(slice, item, hash))
        return -1;
    return move("item", item, "slice.ok");
}

/* Runs `count` threads of one function, each with its number and a connection of its own. */
struct crowd {
    int number;
    struct db *db;
    void *user;
    int result; /* for the thread to set */
    struct err err;
};

static inline int crowd_run(struct crowd *members, int count, void *(*run)(void *), void *user)
{
    pthread_t threads[16];
    for (int i = 0; i < count; i++) {
        members[i] = (struct crowd){.number = i, .user = user};
        if (db_open(&members[i].db, cluster_conninfo(&cluster), &err))
            return -1;
    }
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run, &members[i]) != 0)
            abort();
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        db_close(members[i].db);
    }
    return 0;
}

#endif
