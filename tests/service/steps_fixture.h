/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of steps share: a real Postgres, the sample photo read by the real role, an order
 * of one small figure, and one step run at a time in this thread. A program that includes it is its
 * own child: its main must give `child ROLE FOLDER` to role_main.
 */
#ifndef TESTS_SERVICE_STEPS_FIXTURE_H
#define TESTS_SERVICE_STEPS_FIXTURE_H

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

static inline int set_up(void)
{
    memset(&err, 0, sizeof err);
    log_open(LOG_ERROR + 1, "test");
    snprintf(settings.database, sizeof settings.database, "%.500s", cluster_conninfo(&cluster));
    snprintf(settings.blob_folder, sizeof settings.blob_folder, "%s/blobs", cluster_folder);
    snprintf(settings.work_folder, sizeof settings.work_folder, "%s/work", cluster_folder);
    return blobs_open(&blobs, settings.blob_folder, &err) || read_sample() ||
           sql("truncate orders, items, photos, tasks, models, artifacts, reviews, slices, "
               "printers, runs, jobs, job_history, events, ledger, providers, pushes");
}

#define BEGIN()                                                                                    \
    do {                                                                                           \
        NEEDS_CLUSTER();                                                                           \
        if (set_up())                                                                              \
            TEST_GIVE_UP("set-up failed: %s", err.what);                                           \
    } while (0)

/* An order of one small figure with the sample photo, whose photo_check job waits. */
static inline int add_item(char item[32], const char *provider)
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

static inline bool wait_until(const char *question, const char *wanted, int seconds)
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
static inline int run_step(const char *kind, step_function *step_of, struct err *why)
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

static inline int make_due(void)
{
    return sql("update jobs set run_at = now() - interval '1 second'");
}

#endif
