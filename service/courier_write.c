/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the courier writes, each in one transaction that first looks whether the task is still ours.
 * Every end of a task also adds the job `gather`, which looks at the item's round as a whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intake/model.h"
#include "service/courier_own.h"
#include "service/log.h"
#include "service/steps.h"
#include "storage/flow.h"
#include "storage/job.h"
#include "storage/order.h"

/* 0 a transaction is open and the task is ours; 1 it is not, and none is open. */
static int begin(struct flight *f, struct courier *c, struct err *err)
{
    char token[24];
    struct db_rows *rows = NULL;
    snprintf(token, sizeof token, "%lld", (long long)f->token);
    if (db_begin(c->db, err) || DB_RUN(NULL, c->db, "item_lock", err, f->task) ||
        DB_RUN(&rows, c->db, "generation_held", err, f->task, token))
        return -1;
    int result = db_row_count(rows) == 1 ? 0 : 1;
    if (!result)
        snprintf(f->state, sizeof f->state, "%s", db_text(rows, 0, 0));
    db_rows_free(rows);
    if (result) {
        db_rollback(c->db);
        log_event(LOG_WARN, "task_not_ours", "task", f->task, NULL);
    }
    return result;
}

static int move(struct flight *f, struct courier *c, const char *event, const char *reason,
                struct err *err)
{
    struct move m = {
        .machine = "task", .subject = f->task, .event = event, .actor = c->actor, .reason = reason};
    return flow_move(f->state, c->db, &m, err);
}

static int is_state(const struct flight *f, const char *state)
{
    return strcmp(f->state, state) == 0;
}

/* What is written twice by mistake is refused by the flow: the end of a transaction that failed. */
static int undo(struct courier *c, int result)
{
    if (result)
        db_rollback(c->db);
    return result ? -1 : 0;
}

static int add_gather(struct flight *f, struct courier *c, struct err *err)
{
    struct job_new job = {.kind = "gather", .subject = f->item, .key = f->item};
    return job_add(c->db, &job, err);
}

static char *error_text(const char *code, const char *class, const char *message)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "code", code);
    cJSON_AddStringToObject(j, "class", class);
    cJSON_AddStringToObject(j, "message", message);
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return text;
}

static int later(struct flight *f, struct courier *c, double after_s, const char *error, int checks,
                 struct err *err)
{
    char seconds[24], looks[12];
    snprintf(seconds, sizeof seconds, "%.3f", after_s);
    snprintf(looks, sizeof looks, "%d", checks);
    return DB_RUN(NULL, c->db, "generation_later", err, f->task, seconds, error, looks);
}

int flight_later(struct flight *f, struct courier *c, double after_s, int checks, struct err *err)
{
    int result = begin(f, c, err);
    if (!result)
        result = undo(c, later(f, c, after_s, NULL, checks, err) || db_commit(c->db, err));
    return result < 0 ? -1 : 0;
}

int flight_not_sent(struct flight *f, struct courier *c, double after_s, const char *why,
                    struct err *err)
{
    int result = begin(f, c, err);
    char *error = error_text("provider_busy", "server", why);
    const char *event = is_state(f, "in_doubt") ? "task.not_made" : "task.not_sent";
    if (!result)
        result = undo(c, move(f, c, event, why, err) ||
                             DB_RUN(NULL, c->db, "generation_close", err, f->task, "0") ||
                             later(f, c, after_s, error, 0, err) || db_commit(c->db, err));
    free(error);
    return result < 0 ? -1 : 0;
}

int flight_accepted(struct flight *f, struct courier *c, const struct provider_reading *r,
                    struct err *err)
{
    struct bytes exchange = {0};
    char gap[24];
    snprintf(gap, sizeof gap, "%.3f",
             r->retry_after_s > 0 ? r->retry_after_s : f->rules->pace.poll_s);
    int result = begin(f, c, err);
    if (!result && json_print(&exchange, f->exchange, false, err))
        result = undo(c, -1);
    const char *event = is_state(f, "submitting") ? "task.accepted" : "task.found";
    if (!result)
        result = undo(c, move(f, c, event, NULL, err) ||
                             DB_RUN(NULL, c->db, "generation_accepted", err, f->task, r->task,
                                    r->aux ? r->aux : "", (const char *)exchange.data, gap) ||
                             db_commit(c->db, err));
    bytes_free(&exchange);
    return result < 0 ? -1 : 0;
}

int flight_in_doubt(struct flight *f, struct courier *c, const char *why, struct err *err)
{
    char *error = error_text("generation_in_doubt", "server", why);
    int result = begin(f, c, err);
    if (!result)
        result = undo(
            c, (is_state(f, "submitting") && move(f, c, "task.in_doubt", why, err)) ||
                   later(f, c, f->rules->driver->ops & OP_BIT(OP_RECENT) ? 5 : 0, error, 0, err) ||
                   db_commit(c->db, err));
    free(error);
    log_event(LOG_WARN, "task_in_doubt", "task", f->task, "provider", f->rules->driver->id, "why",
              why, NULL);
    return result < 0 ? -1 : 0;
}

/* Whether the provider has done its part, or may still do it: that is paid for, whatever came of
 * the file and however long we waited. */
static bool was_made(const struct flight *f, const char *event)
{
    return strcmp(event, "task.finished") == 0 || strcmp(event, "task.continued") == 0 ||
           strcmp(event, "task.timed_out") == 0 || f->result.state == TASK_SUCCEEDED ||
           is_state(f, "fetching");
}

/* What the task costs: what the provider says, nothing where it takes nothing for a failure, else
 * what was reserved. A task that is lost may cost: it stays reserved. */
static int close_ledger(struct flight *f, struct courier *c, const char *event,
                        const struct provider_reading *r, struct err *err)
{
    char credits[32];
    double told = r && r->credits >= 0                ? r->credits
                  : f->result.state == TASK_SUCCEEDED ? f->result.credits
                                                      : -1;
    bool never = is_state(f, "submitting") || is_state(f, "created");
    if (strcmp(event, "task.lost") == 0)
        return 0;
    if (told < 0 && !was_made(f, event) && (f->rules->driver->refunds || never))
        told = 0;
    snprintf(credits, sizeof credits, "%.3f", told);
    return DB_RUN(NULL, c->db, "generation_close", err, f->task, told >= 0 ? credits : NULL);
}

static const struct {
    const char *event, *code;
} codes[] = {{"task.moderated", "photo_refused"},
             {"task.expired", "provider_expired"},
             {"task.timed_out", "provider_timeout"},
             {"task.lost", "generation_in_doubt"},
             {"task.cancelled", "provider_cancelled"}};

static const char *code_of(const char *event)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].event, event) == 0)
            return codes[i].code;
    return "provider_failed";
}

static int write_exchange(struct flight *f, struct courier *c, struct err *err)
{
    char name[64], stage[48], hash[SHA256_HEX];
    struct bytes text = {0};
    snprintf(stage, sizeof stage, "02_%.30s", f->rules->driver->id);
    stage_name(name, stage, f->place, "task.json");
    int failed =
        json_print(&text, f->exchange, true, err) ||
        blob_put(hash, &c->blobs, text.data, text.len, err) ||
        artifact_add(c->db, f->item, NULL, "task", name, "application/json", hash, text.len, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}

int flight_end(struct flight *f, struct courier *c, const char *event,
               const struct provider_reading *r, struct err *err)
{
    const char *class = provider_error_name(r->error);
    char *error =
        error_text(f->code ? f->code : code_of(event), class, *r->message ? r->message : class);
    int result = begin(f, c, err);
    if (!result) {
        int failed = close_ledger(f, c, event, r, err) || move(f, c, event, r->message, err) ||
                     DB_RUN(NULL, c->db, "generation_ended", err, f->task, error, NULL) ||
                     write_exchange(f, c, err) || add_gather(f, c, err) || db_commit(c->db, err);
        result = undo(c, failed);
        log_event(LOG_WARN, "task_ended", "task", f->task, "provider", f->rules->driver->id,
                  "event", event, "why", *r->message ? r->message : class, NULL);
    }
    free(error);
    return result < 0 ? -1 : 0;
}

int flight_fetching(struct flight *f, struct courier *c, struct err *err)
{
    int result = begin(f, c, err);
    if (!result)
        result = undo(c, (!is_state(f, "fetching") && move(f, c, "task.finished", NULL, err)) ||
                             db_commit(c->db, err));
    return result < 0 ? -1 : 0;
}

static int note_model(struct flight *f, struct courier *c, const char *hash, size_t bytes,
                      const char *format, struct err *err)
{
    char name[64];
    stage_name(name, "03_generated", f->place, format);
    return artifact_add(c->db, f->item, NULL, "source", name, model_mime(format), hash, bytes, err);
}

static int write_stored(struct flight *f, struct courier *c, const char *hash, size_t bytes,
                        const char *format, struct err *err)
{
    const struct provider_reading *r = &f->result;
    return close_ledger(f, c, "task.finished", r, err) ||
           (!is_state(f, "fetching") && move(f, c, "task.finished", NULL, err)) ||
           DB_RUN(NULL, c->db, "generation_stored", err, f->task, hash, format, r->model_version) ||
           move(f, c, "task.stored", NULL, err) || write_exchange(f, c, err) ||
           note_model(f, c, hash, bytes, format, err) || add_gather(f, c, err) ||
           db_commit(c->db, err);
}

int flight_store(struct flight *f, struct courier *c, const struct bytes *model, const char *format,
                 struct err *err)
{
    char hash[SHA256_HEX];
    if (blob_put(hash, &c->blobs, model->data, model->len, err))
        return -1;
    cJSON_DeleteItemFromObjectCaseSensitive(f->exchange, "result");
    cJSON *result = cJSON_AddObjectToObject(f->exchange, "result");
    cJSON_AddStringToObject(result, "format", format);
    cJSON_AddStringToObject(result, "sha256", hash);
    cJSON_AddNumberToObject(result, "bytes", (double)model->len);
    int ours = begin(f, c, err);
    if (!ours)
        ours = undo(c, write_stored(f, c, hash, model->len, format, err));
    return ours < 0 ? -1 : 0;
}

int flight_continue(struct flight *f, struct courier *c, struct err *err)
{
    char id[ID_ROOM], round[16], candidate[16], seed[24], price[32];
    struct bytes text = {0};
    id_new(id, "gen");
    snprintf(round, sizeof round, "%d", f->round);
    snprintf(candidate, sizeof candidate, "%d", f->candidate);
    snprintf(seed, sizeof seed, "%lld", (long long)f->seed);
    cJSON *spec = cJSON_Duplicate(f->spec, true);
    cJSON_AddStringToObject(spec, "tool", "refine");
    cJSON_AddStringToObject(spec, "source", f->provider_task);
    snprintf(price, sizeof price, "%.3f", provider_price(f->rules, spec));
    int result = json_print(&text, spec, false, err) ? -1 : begin(f, c, err);
    if (!result)
        result = undo(c, close_ledger(f, c, "task.continued", &f->result, err) ||
                             move(f, c, "task.continued", NULL, err) || write_exchange(f, c, err) ||
                             DB_RUN(NULL, c->db, "generation_add", err, id, f->item, round,
                                    candidate, f->rules->driver->id, seed, (const char *)text.data,
                                    price, c->actor) ||
                             db_commit(c->db, err));
    bytes_free(&text);
    cJSON_Delete(spec);
    return result < 0 ? -1 : 0;
}

/* --- health -------------------------------------------------------------------------------------
 */

#define REFUSED_S 900 /* how long a provider that refused key or credits is left alone */

static int open_circuit(struct courier *c, const char *id, const struct provider_reading *r,
                        struct err *err)
{
    char seconds[12], words[260];
    snprintf(seconds, sizeof seconds, "%d", REFUSED_S);
    snprintf(words, sizeof words, "%s: %.200s", provider_error_name(r->error), r->message);
    log_event(LOG_ERROR, "provider_circuit_opened", "provider", id, "why", words, NULL);
    return DB_RUN(NULL, c->db, "generation_circuit", err, id, seconds, words, c->actor);
}

/* Written after a fault of its own at once, else once a second: not with every poll. */
static int note_healthy(struct courier *c, const struct provider_rules *rules, struct err *err)
{
    int64_t *at = &c->healthy_at[rules - c->rules];
    if (*at && clock_ms() < *at + 1000)
        return 0;
    *at = clock_ms();
    return DB_RUN(NULL, c->db, "generation_healthy", err, rules->driver->id);
}

static int note_fault(struct courier *c, const struct provider_rules *rules, const char *why,
                      struct err *err)
{
    c->healthy_at[rules - c->rules] = 0;
    return DB_RUN(NULL, c->db, "generation_fault", err, rules->driver->id, why);
}

int courier_note_health(struct courier *c, const struct provider_rules *rules,
                        const struct provider_reading *r, struct err *err)
{
    const char *id = rules->driver->id;
    char seconds[24];
    switch (r->error) {
    case PROVIDER_AUTH:
    case PROVIDER_CREDITS:
        return open_circuit(c, id, r, err);
    case PROVIDER_RATE:
    case PROVIDER_CONCURRENCY:
        snprintf(seconds, sizeof seconds, "%.3f", r->retry_after_s > 0 ? r->retry_after_s : 5.0);
        return DB_RUN(NULL, c->db, "generation_hold", err, id, seconds);
    case PROVIDER_SERVER:
        return r->state == TASK_FAILED && r->retry == RETRY_NEW_TASK
                   ? 0 /* the task failed, the server answered */
                   : note_fault(c, rules, r->message, err);
    case PROVIDER_OK:
        return note_healthy(c, rules, err);
    default:
        return 0;
    }
}
