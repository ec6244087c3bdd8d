/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a created task to one that the provider has. The intent, its place in the pace and its
 * credits are committed first; the moment before the submit is written just before it; only who
 * still holds the lease then sends. So nothing is ever sent twice.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/courier_own.h"
#include "storage/flow.h"
#include "storage/job.h"

static void cap_text(char out[32], double cap)
{
    snprintf(out, 32, "%.3f", isinf(cap) || cap > 9e9 ? 9e9 : cap);
}

/* --- taking -------------------------------------------------------------------------------------
 */

struct taken {
    char task[40], refusal[16];
    int64_t token;
    double wait_s;
};

static int take(struct taken *out, struct courier *c, const struct provider_rules *r,
                struct err *err)
{
    char lease[12], rate[24], burst[12], flying[12], item[32], order[32], day[32];
    struct db_rows *rows = NULL;
    snprintf(lease, sizeof lease, "%d", c->settings.lease_s);
    snprintf(rate, sizeof rate, "%.6f", r->pace.submits_per_min);
    snprintf(burst, sizeof burst, "%u", r->pace.burst ? r->pace.burst : 1);
    snprintf(flying, sizeof flying, "%u", r->pace.max_in_flight);
    cap_text(item, r->cap_item);
    cap_text(order, r->cap_order);
    cap_text(day, r->cap_day);
    if (DB_RUN(&rows, c->db, "generation_take", err, r->driver->id, c->actor, lease, rate, burst,
               flying, item, order, day, r->driver->ops & OP_BIT(OP_UPLOAD) ? "t" : "f"))
        return -1;
    snprintf(out->task, sizeof out->task, "%s", db_text(rows, 0, 0));
    out->token = db_int(rows, 0, 1);
    snprintf(out->refusal, sizeof out->refusal, "%s", db_text(rows, 0, 2));
    out->wait_s = db_real(rows, 0, 3);
    db_rows_free(rows);
    return 0;
}

/* Nobody has this task, so no lease is asked for; the flow refuses one that has moved. */
static int write_end(struct courier *c, const char *task, const char *error, const char *words,
                     struct err *err)
{
    struct db_rows *rows = NULL;
    struct move m = {.machine = "task",
                     .subject = task,
                     .event = "task.failed",
                     .actor = c->actor,
                     .reason = words};
    if (DB_RUN(&rows, c->db, "item_lock", err, task))
        return -1;
    struct job_new job = {.kind = "gather", .subject = db_text(rows, 0, 0)};
    job.key = job.subject;
    int failed = flow_move(NULL, c->db, &m, err) ||
                 DB_RUN(NULL, c->db, "generation_ended", err, task, error, NULL) ||
                 job_add(c->db, &job, err);
    db_rows_free(rows);
    return failed ? -1 : 0;
}

static int end_created(struct courier *c, const char *task, const char *code, const char *words,
                       struct err *err)
{
    char error[400];
    snprintf(error, sizeof error, "{\"code\":\"%s\",\"class\":\"%s\",\"message\":\"%s\"}", code,
             strncmp(code, "cap_", 4) == 0 ? "credits" : "server", words);
    int failed =
        db_begin(c->db, err) || write_end(c, task, error, words, err) || db_commit(c->db, err);
    if (failed)
        db_rollback(c->db);
    return failed && err->kind != ERR_CONFLICT ? -1 : 0;
}

static const char *cap_words(const char *refusal)
{
    return strcmp(refusal, "cap_item") == 0    ? "the credits set for one item are used up"
           : strcmp(refusal, "cap_order") == 0 ? "the credits set for one order are used up"
                                               : "the credits set for one day are used up";
}

/* The circuit is open: what waits here may go another way. */
static int reroute(struct courier *c, const char *provider, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, c->db, "generation_waiting", err, provider))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows) && !failed; i++)
        failed = end_created(c, db_text(rows, i, 0), "provider_away",
                             "the provider is left alone for a while", err);
    db_rows_free(rows);
    return failed ? -1 : 0;
}

static int refused(struct courier *c, size_t i, const struct taken *taken, struct err *err)
{
    const char *id = c->rules[i].driver->id, *why = taken->refusal;
    double wait_s = taken->wait_s < 0.5 ? 0.5 : taken->wait_s > 5 ? 5 : taken->wait_s;
    c->submit_at[i] = clock_ms() + (int64_t)(wait_s * 1000);
    if (strcmp(why, "circuit") == 0)
        return reroute(c, id, err);
    if (strncmp(why, "cap_", 4) == 0) {
        c->submit_at[i] = 0;
        return end_created(c, taken->task, why, cap_words(why), err);
    }
    return 0;
}

static int start(struct courier *c, const struct provider_rules *rules, const struct taken *taken,
                 struct err *err)
{
    struct flight *f = flight_new(c, rules, taken->task, taken->token);
    if (!f)
        return FAIL(err, ERR_LIMIT, "no memory for a task");
    snprintf(f->state, sizeof f->state, "submitting");
    if (flight_load(f, c, true, err) || flight_go_on(f, c, err)) {
        flight_free(f); /* its lease lapses; it is not sent yet, and known not to be */
        return -1;
    }
    return 0;
}

int courier_submit_some(struct courier *c, size_t i, struct err *err)
{
    while (http_pool_count(c->pool) < FLIGHTS_MOST && clock_ms() >= c->submit_at[i]) {
        struct taken taken;
        if (take(&taken, c, &c->rules[i], err))
            return -1;
        if (*taken.refusal) {
            if (refused(c, i, &taken, err))
                return -1;
            continue;
        }
        if (start(c, &c->rules[i], &taken, err))
            return -1;
    }
    return 0;
}

/* --- sending ------------------------------------------------------------------------------------
 */

void flight_spec(struct generation_spec *spec, const struct flight *f)
{
    const cJSON *wish = f->spec;
    *spec = (struct generation_spec){
        .tool = json_text(wish, "tool", NULL),
        .source = json_text(wish, "source", NULL),
        .prompt = json_text(wish, "prompt", NULL),
        .model = provider_model(f->rules, wish),
        .seed = f->seed,
        .texture = json_bool(wish, "texture", false),
        .parts = json_bool(wish, "parts", false),
        .face_limit = (int)json_number(wish, "face_limit", 0),
        .passthrough = json_get(wish, "options"),
        .push_url = *f->push_url ? f->push_url : NULL,
    };
    for (int v = 0; v < VIEW_COUNT; v++)
        spec->images[v] = (struct generation_image){.data = f->images[v].data,
                                                    .bytes = f->images[v].len,
                                                    .mime = f->mimes[v],
                                                    .token = f->tokens[v]};
}

/* 1 and the next view that is not uploaded yet, or 0. A tool works on what is there already. */
static int next_upload(struct flight *f)
{
    if (!(f->rules->driver->ops & OP_BIT(OP_UPLOAD)) || json_text(f->spec, "tool", NULL))
        return 0;
    for (int v = 0; v < VIEW_COUNT; v++)
        if (f->images[v].len > 0 && !f->tokens[v]) {
            f->view = (enum generation_view)v;
            return 1;
        }
    return 0;
}

/* 0 the moment is written and we still hold the task, 1 we do not. */
static int mark_sending(struct flight *f, struct courier *c, struct err *err)
{
    char token[24], lease[12];
    struct db_rows *rows = NULL;
    snprintf(token, sizeof token, "%lld", (long long)f->token);
    snprintf(lease, sizeof lease, "%d", c->settings.lease_s);
    if (DB_RUN(&rows, c->db, "generation_sending", err, f->task, token, lease))
        return -1;
    int result = db_row_count(rows) == 1 ? 0 : 1;
    db_rows_free(rows);
    return result;
}

/* A task that cannot even be asked for: the wish, or the photo, does not fit the provider. */
static int unbuildable(struct flight *f, struct courier *c, const struct err *why, struct err *err)
{
    struct provider_reading r = {.state = TASK_FAILED, .error = PROVIDER_BAD_INPUT, .credits = -1};
    snprintf(r.message, sizeof r.message, "%.190s", why->what);
    int failed = flight_end(f, c, "task.failed", &r, err);
    if (!failed)
        flight_free(f);
    return failed;
}

int flight_go_on(struct flight *f, struct courier *c, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct generation_spec spec;
    struct http_request request = {0};
    struct err why = {0};
    flight_spec(&spec, f);
    f->errand = next_upload(f) ? DO_UPLOAD : DO_SUBMIT;
    struct provider_call call = flight_call(f, &settings, &spec);
    call.aux = f->errand == DO_UPLOAD ? f->upload_aux : NULL;
    if (f->rules->driver->request(&request, f->errand == DO_UPLOAD ? OP_UPLOAD : OP_SUBMIT, &call,
                                  &why))
        return unbuildable(f, c, &why, err);
    int gone = f->errand == DO_SUBMIT ? mark_sending(f, c, err) : 0;
    if (gone) {
        http_request_free(&request);
        if (gone > 0)
            flight_free(f);
        return gone < 0 ? -1 : 0;
    }
    request.stop = &c->stop;
    if (http_pool_add(c->pool, &request, f, &why) == 0)
        return 0;
    int failed = flight_not_sent(f, c, 10, why.what, err);
    if (!failed)
        flight_free(f);
    return failed;
}

/* --- the answers --------------------------------------------------------------------------------
 */

static int read_answer(struct provider_reading *r, struct flight *f, enum provider_op op,
                       const struct http_done *done, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct generation_spec spec;
    flight_spec(&spec, f);
    struct provider_call call = flight_call(f, &settings, &spec);
    if (op == OP_UPLOAD) /* of the second half the driver knows by it, as of its request */
        call.aux = f->upload_aux;
    return f->rules->driver->read(r, op, &call, &done->answer, err);
}

/* Before anything was made: every failure is a matter of trying again, or of the input. */
static int upload_failed(struct flight *f, struct courier *c, const struct provider_reading *r,
                         struct err *err)
{
    bool final = r->error == PROVIDER_BAD_INPUT || r->error == PROVIDER_CONTENT ||
                 r->error == PROVIDER_AUTH || r->error == PROVIDER_CREDITS ||
                 r->error == PROVIDER_PROTOCOL;
    if (courier_note_health(c, f->rules, r, err))
        return -1;
    if (final)
        return flight_end(f, c, r->error == PROVIDER_CONTENT ? "task.moderated" : "task.failed", r,
                          err);
    return flight_not_sent(f, c, r->retry_after_s > 0 ? r->retry_after_s : 10, r->message, err);
}

int flight_uploaded(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_reading r = {0};
    if (read_answer(&r, f, OP_UPLOAD, done, err))
        return -1;
    exchange_note(f, "upload", done, &r);
    bool again = r.error == PROVIDER_OK && (r.token || r.next == NEXT_UPLOAD);
    if (!again) {
        int failed = upload_failed(f, c, &r, err);
        provider_reading_free(&r);
        if (!failed)
            flight_free(f);
        return failed;
    }
    free(f->upload_aux);
    f->upload_aux = r.next == NEXT_UPLOAD ? r.aux : NULL;
    if (f->upload_aux)
        r.aux = NULL;
    if (r.token && r.next != NEXT_UPLOAD) {
        f->tokens[f->view] = r.token;
        r.token = NULL;
    }
    provider_reading_free(&r);
    return flight_go_on(f, c, err);
}

static int submit_refused(struct flight *f, struct courier *c, const struct provider_reading *r,
                          struct err *err)
{
    if (r->state == TASK_UNKNOWN || r->retry == RETRY_RECONCILE)
        return flight_in_doubt(f, c, *r->message ? r->message : "the answer does not say", err);
    if (r->retry == RETRY_YES)
        return flight_not_sent(f, c, r->retry_after_s > 0 ? r->retry_after_s : 5, r->message, err);
    if (r->state == TASK_REJECTED || r->error == PROVIDER_CONTENT)
        return flight_end(f, c, "task.moderated", r, err);
    if (r->state == TASK_CANCELLED)
        return flight_end(f, c, "task.cancelled", r, err);
    return flight_end(f, c, "task.failed", r, err);
}

/* A submit whose answer did not come: in doubt once a byte may have left. */
static int submit_lost(struct flight *f, struct courier *c, const struct http_done *done,
                       struct err *err)
{
    struct provider_reading r = {.state = TASK_UNKNOWN, .error = PROVIDER_SERVER, .credits = -1};
    snprintf(r.message, sizeof r.message, "%.190s", done->err.what);
    if (strcmp(done->err.code, "http_stopped") != 0 && courier_note_health(c, f->rules, &r, err))
        return -1;
    return done->answer.sent ? flight_in_doubt(f, c, done->err.what, err)
                             : flight_not_sent(f, c, 10, done->err.what, err);
}

int flight_submitted(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_reading r = {0};
    if (!done->failed && read_answer(&r, f, OP_SUBMIT, done, err))
        return -1;
    exchange_note(f, "submit", done, done->failed ? NULL : &r);
    bool finished = !done->failed && r.error == PROVIDER_OK && r.state == TASK_SUCCEEDED;
    bool accepted = !done->failed && r.error == PROVIDER_OK &&
                    (r.state == TASK_QUEUED || r.state == TASK_RUNNING) && *r.task;
    int failed;
    if (finished) {
        failed = courier_note_health(c, f->rules, &r, err);
        return failed ? -1 : flight_done(f, c, &r, err);
    }
    if (done->failed)
        failed = submit_lost(f, c, done, err);
    else if (accepted) /* its number first of all */
        failed = flight_accepted(f, c, &r, err) || courier_note_health(c, f->rules, &r, err);
    else
        failed = submit_refused(f, c, &r, err) || courier_note_health(c, f->rules, &r, err);
    if (!failed && accepted)
        courier_listen(c, f->rules, &r);
    provider_reading_free(&r);
    if (!failed)
        flight_free(f);
    return failed ? -1 : 0;
}
