/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue on Postgres; see job.h. The database's clock is the only one that counts. */
#include "storage/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Enough for two 64-bit numbers as text. */
struct job_key {
    char id[24], token[24];
};

static struct job_key key_of(const struct job *job)
{
    struct job_key key;
    snprintf(key.id, sizeof key.id, "%lld", (long long)job->id);
    snprintf(key.token, sizeof key.token, "%lld", (long long)job->lease_token);
    return key;
}

static int lost(const struct job *job, struct err *err)
{
    return FAIL_CODE(err, ERR_CONFLICT, "lease_lost", "job %lld (%s of %s) is another worker's now",
                     (long long)job->id, job->kind, job->subject);
}

int job_add(struct db *db, const struct job_new *job, struct err *err)
{
    char priority[16], delay[16], tries[16];
    snprintf(priority, sizeof priority, "%d", job->priority);
    snprintf(delay, sizeof delay, "%d", job->delay_ms);
    snprintf(tries, sizeof tries, "%d", job->max_tries > 0 ? job->max_tries : 12);
    return DB_RUN(NULL, db, "job_add", err, job->kind, job->subject, job->key, job->payload,
                  priority, delay, tries);
}

static int take(struct job *job, const struct db_rows *rows, struct err *err)
{
    job->id = db_int(rows, 0, 0);
    job->lease_token = db_int(rows, 0, 1);
    snprintf(job->kind, sizeof job->kind, "%s", db_text(rows, 0, 2));
    snprintf(job->subject, sizeof job->subject, "%s", db_text(rows, 0, 3));
    job->tries = (int)db_int(rows, 0, 4);
    job->max_tries = (int)db_int(rows, 0, 5);
    job->payload = strdup(db_text(rows, 0, 6));
    return job->payload ? 0 : FAIL(err, ERR_LIMIT, "no memory for a job");
}

int job_claim(struct job *job, struct db *db, const char *kinds, const char *worker, int lease_s,
              int limit_per_kind, struct err *err)
{
    char lease[16], limit[16];
    snprintf(lease, sizeof lease, "%d", lease_s);
    snprintf(limit, sizeof limit, "%d", limit_per_kind);
    memset(job, 0, sizeof *job);
    /* With a limit, claimers go one at a time: each must count what the one before it took. */
    bool gate = limit_per_kind > 0;
    if (gate && db_begin(db, err))
        return -1;
    int result = gate ? DB_RUN(NULL, db, "job_gate", err, "job_claim") : 0;
    struct db_rows *rows = NULL;
    if (result == 0)
        result = DB_RUN(&rows, db, "job_claim", err, kinds, worker, lease, limit);
    if (result == 0 && db_row_count(rows) > 0)
        result = take(job, rows, err);
    int nothing = result == 0 && db_row_count(rows) == 0;
    db_rows_free(rows);
    result = db_leave(gate, result, db, err);
    if (result)
        job_free(job);
    return result ? -1 : nothing;
}

int job_beat(struct db *db, const struct job *job, int lease_s, struct err *err)
{
    struct job_key key = key_of(job);
    struct db_rows *rows = NULL;
    char lease[16];
    snprintf(lease, sizeof lease, "%d", lease_s);
    if (DB_RUN(&rows, db, "job_beat", err, key.id, key.token, lease))
        return -1;
    int kept = db_row_count(rows);
    db_rows_free(rows);
    return kept ? 0 : 1;
}

int job_done(struct db *db, const struct job *job, struct err *err)
{
    struct job_key key = key_of(job);
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "job_done", err, key.id, key.token))
        return -1;
    int there = db_row_count(rows);
    db_rows_free(rows);
    return there ? 0 : lost(job, err);
}

static int why_as_json(struct bytes *out, const struct err *why, struct err *err)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "kind", err_kind_name(why->kind));
    cJSON_AddStringToObject(object, "code", why->code);
    cJSON_AddStringToObject(object, "message", why->what);
    cJSON_AddStringToObject(object, "where", why->where ? why->where : "");
    cJSON_AddNumberToObject(object, "native", why->native);
    int result = json_print(out, object, false, err);
    cJSON_Delete(object);
    return result;
}

/* What becomes of a failed job: "retry", "dead" or "dropped" (another has it already). */
static const char *fate(const struct job *job, const struct err *why)
{
    if (why->kind == ERR_CONFLICT)
        return "dropped";
    return why->kind == ERR_LATER && job->tries < job->max_tries ? "retry" : "dead";
}

int job_fail(int *dead, struct db *db, const struct job *job, const struct err *why, int after_ms,
             struct err *err)
{
    struct job_key key = key_of(job);
    const char *outcome = fate(job, why);
    struct bytes error = {.limit = 4096};
    struct db_rows *rows = NULL;
    char after[16];
    snprintf(after, sizeof after, "%d", after_ms > 0 ? after_ms : 0);
    int result = why_as_json(&error, why, err);
    if (result == 0 && strcmp(outcome, "retry") == 0)
        result =
            DB_RUN(&rows, db, "job_retry", err, key.id, key.token, (const char *)error.data, after);
    else if (result == 0)
        result = DB_RUN(&rows, db, "job_bury", err, key.id, key.token, (const char *)error.data,
                        outcome);
    if (result == 0 && db_row_count(rows) == 0)
        result = lost(job, err);
    if (dead)
        *dead = strcmp(outcome, "dead") == 0;
    db_rows_free(rows);
    bytes_free(&error);
    return result;
}

int job_release(struct db *db, const struct job *job, int delay_ms, struct err *err)
{
    struct job_key key = key_of(job);
    struct db_rows *rows = NULL;
    char delay[16];
    snprintf(delay, sizeof delay, "%d", delay_ms > 0 ? delay_ms : 0);
    if (DB_RUN(&rows, db, "job_release", err, key.id, key.token, delay))
        return -1;
    int there = db_row_count(rows);
    db_rows_free(rows);
    return there ? 0 : lost(job, err);
}

int job_rescue(int *count, struct db *db, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "job_rescue", err, "100"))
        return -1;
    if (count)
        *count = (int)db_int(rows, 0, 0);
    db_rows_free(rows);
    return 0;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    free(job->payload);
    job->payload = NULL;
}
