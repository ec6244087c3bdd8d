/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The courier's thread: what is due, what has ended, and the leases of what is in hand; courier.h.
 */
#include "service/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/courier_own.h"
#include "service/log.h"

/* --- a task in hand -----------------------------------------------------------------------------
 */

struct flight *flight_new(struct courier *c, const struct provider_rules *rules, const char *task,
                          int64_t token)
{
    struct flight *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->rules = rules;
    f->token = token;
    snprintf(f->task, sizeof f->task, "%s", task);
    f->exchange = cJSON_CreateObject();
    f->next = c->flights;
    f->link = &c->flights;
    if (f->next)
        f->next->link = &f->next;
    c->flights = f;
    return f;
}

void flight_free(struct flight *f)
{
    if (!f)
        return;
    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    for (size_t i = 0; i < f->many_count; i++)
        flight_free(f->many[i]);
    for (int v = 0; v < VIEW_COUNT; v++) {
        bytes_free(&f->images[v]);
        free(f->tokens[v]);
    }
    provider_reading_free(&f->result);
    cJSON_Delete(f->spec);
    cJSON_Delete(f->exchange);
    free(f->upload_aux);
    free(f->provider_task);
    free(f->aux);
    free(f->many);
    free(f);
}

struct provider_call flight_call(const struct flight *f, const struct provider_settings *settings,
                                 const struct generation_spec *spec)
{
    return (struct provider_call){.settings = settings,
                                  .spec = spec,
                                  .view = f->view,
                                  .task = f->provider_task ? f->provider_task : "",
                                  .aux = f->aux,
                                  .page = f->page};
}

/* Which side a photo of a task's spec shows; VIEW_COUNT none that there is. */
static enum generation_view photo_view(const cJSON *photo)
{
    static const char *const names[VIEW_COUNT] = {"front", "left", "back", "right"};
    const char *slot = json_text(photo, "view", "front");
    int at = 0;
    while (at < VIEW_COUNT && strcmp(names[at], slot) != 0)
        at++;
    return (enum generation_view)at;
}

static int load_photos(struct flight *f, struct courier *c, struct err *err)
{
    const cJSON *photo;
    int view = 0;
    cJSON_ArrayForEach (photo, json_get(f->spec, "photos")) {
        if (view == VIEW_COUNT)
            break;
        enum generation_view at = photo_view(photo);
        if (at == VIEW_COUNT || f->images[at].len)
            continue;
        f->images[at].limit = (size_t)24 << 20;
        if (blob_get(&f->images[at], &c->blobs, json_text(photo, "sha256", ""), err))
            return -1;
        snprintf(f->mimes[at], sizeof f->mimes[at], "%s", json_text(photo, "mime", "image/jpeg"));
        view++;
    }
    return 0;
}

/* A task that was sent has no use for its photos; which sides there were says of what kind it is.
 */
static void name_views(struct flight *f)
{
    const cJSON *photo;
    cJSON_ArrayForEach (photo, json_get(f->spec, "photos")) {
        enum generation_view at = photo_view(photo);
        if (at < VIEW_COUNT && !f->tokens[at])
            f->tokens[at] = strdup("there");
    }
}

static void begin_exchange(struct flight *f, const char *earlier)
{
    cJSON *j = NULL;
    if (*earlier && !json_parse(&j, earlier, strlen(earlier), NULL) && cJSON_IsObject(j)) {
        cJSON_Delete(f->exchange);
        f->exchange = j;
        return;
    }
    cJSON_Delete(j);
    cJSON_AddStringToObject(f->exchange, "task_id", f->task);
    cJSON_AddStringToObject(f->exchange, "provider", f->rules->driver->id);
    cJSON_AddStringToObject(f->exchange, "item_id", f->item);
    cJSON_AddNumberToObject(f->exchange, "round", f->round);
    cJSON_AddNumberToObject(f->exchange, "candidate", f->candidate);
    cJSON_AddNumberToObject(f->exchange, "seed", (double)f->seed);
    cJSON_AddItemToObject(f->exchange, "wanted", cJSON_Duplicate(f->spec, true));
}

int flight_load(struct flight *f, struct courier *c, bool with_photos, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, c->db, "generation_load", err, f->task))
        return -1;
    int failed = db_row_count(rows) == 1 ? 0 : FAIL(err, ERR_ABSENT, "no task %s", f->task);
    if (!failed) {
        const char *spec = db_text(rows, 0, 5);
        snprintf(f->item, sizeof f->item, "%s", db_text(rows, 0, 0));
        snprintf(f->order, sizeof f->order, "%s", db_text(rows, 0, 1));
        f->round = (int)db_int(rows, 0, 2);
        f->candidate = (int)db_int(rows, 0, 3);
        f->seed = db_int(rows, 0, 4);
        f->place = (int)db_int(rows, 0, 12);
        f->checks = (int)db_int(rows, 0, 13);
        if (*c->settings.public_url)
            snprintf(f->push_url, sizeof f->push_url, "%s/v1/webhooks/%s/%s",
                     c->settings.public_url, f->rules->driver->id, db_text(rows, 0, 6));
        cJSON_Delete(f->spec);
        f->spec = NULL;
        failed = json_parse(&f->spec, spec, strlen(spec), err);
    }
    if (!failed && !f->provider_task)
        f->provider_task = strdup(db_text(rows, 0, 9));
    if (!failed)
        begin_exchange(f, db_text(rows, 0, 11));
    if (!failed && !with_photos)
        name_views(f);
    db_rows_free(rows);
    return failed || (with_photos && load_photos(f, c, err)) ? -1 : 0;
}

/* --- what has ended -----------------------------------------------------------------------------
 */

static int handle(struct courier *c, struct flight *f, struct http_done *done, struct err *err)
{
    switch (f->errand) {
    case DO_UPLOAD:
        return flight_uploaded(f, c, done, err);
    case DO_SUBMIT:
        return flight_submitted(f, c, done, err);
    case DO_POLL:
        return flight_polled(f, c, done, err);
    case DO_POLL_MANY:
        return flight_polled_many(f, c, done, err);
    case DO_RESULTS:
        return flight_results(f, c, done, err);
    case DO_FETCH:
        return flight_fetched(f, c, done, err);
    case DO_RECENT:
        return flight_recent(f, c, done, err);
    case DO_STREAM:
        return flight_streamed(f, c, done, err);
    case DO_CANCEL:
        break;
    }
    log_event(LOG_INFO, "cancel_answered", "task", f->provider_task, NULL);
    flight_free(f);
    return 0;
}

static void done_free(struct http_done *done)
{
    http_request_free(&done->request);
    http_answer_free(&done->answer);
}

/* An answer that could not be written is kept until it can: it may be the number of a paid task. */
static int keep_unwritten(struct courier *c, struct flight *f, const struct http_done *done)
{
    struct unwritten *u = calloc(1, sizeof *u);
    if (!u)
        return -1;
    *u = (struct unwritten){.flight = f, .done = *done, .next = c->unwritten};
    c->unwritten = u;
    return 0;
}

static void settle(struct courier *c, struct flight *f, struct http_done *done)
{
    struct err err = {0};
    if (handle(c, f, done, &err) == 0) {
        done_free(done);
        return;
    }
    db_rollback(c->db);
    log_failure(LOG_WARN, "answer_not_written", f->task, &err);
    /* 23505: the provider gave a number that another task has; it will not get better. */
    bool again =
        err.kind == ERR_LATER || (err.kind == ERR_CONFLICT && strcmp(err.sqlstate, "23505") != 0);
    if (again && keep_unwritten(c, f, done) == 0)
        return;
    done_free(done);
    flight_free(f); /* its lease lapses; what was sent is in doubt then */
}

static int write_again(struct courier *c)
{
    struct unwritten *list = c->unwritten;
    c->unwritten = NULL;
    for (struct unwritten *next; list; list = next) {
        next = list->next;
        settle(c, list->flight, &list->done);
        free(list);
    }
    return 0;
}

static int take_ended(struct courier *c, struct err *err)
{
    struct http_done done;
    int result, wait_ms = 100;
    for (int i = 0; i < 200 && (result = http_pool_next(&done, c->pool, wait_ms, err)) == 0; i++) {
        struct flight *f = done.user;
        wait_ms = 0;
        if (f->errand == DO_FETCH)
            c->fetches--;
        if (f->errand == DO_STREAM)
            c->streams--;
        settle(c, f, &done);
    }
    return result < 0 ? -1 : 0;
}

/* --- the round ----------------------------------------------------------------------------------
 */

static int beat(struct courier *c, struct err *err)
{
    struct bytes ids = {0}, tokens = {0};
    char lease[12];
    int failed = 0;
    if (clock_ms() < c->beat_at)
        return 0;
    c->beat_at = clock_ms() + c->settings.lease_s * 1000 / 3;
    snprintf(lease, sizeof lease, "%d", c->settings.lease_s);
    for (struct flight *f = c->flights; f && !failed; f = f->next)
        if (*f->task)
            failed =
                bytes_printf(&ids, err, "%s%s", ids.len ? "," : "", f->task) ||
                bytes_printf(&tokens, err, "%s%lld", tokens.len ? "," : "", (long long)f->token);
    if (!failed && ids.len)
        failed = DB_RUN(NULL, c->db, "generation_beat", err, (const char *)ids.data,
                        (const char *)tokens.data, lease);
    bytes_free(&ids);
    bytes_free(&tokens);
    return failed ? -1 : 0;
}

static int round_of(struct courier *c, struct err *err)
{
    if (!c->db && db_open(&c->db, c->settings.database, err))
        return -1;
    if (beat(c, err) || write_again(c) || courier_write_polled(c, err))
        return -1;
    for (size_t i = 0; i < c->rules_count; i++) {
        bool looks = clock_ms() >= c->doubt_at[i];
        if (courier_doubt_some(c, i, err) || (looks && courier_cancel_some(c, i, err)) ||
            courier_poll_some(c, i, err) || courier_submit_some(c, i, err))
            return -1;
    }
    return 0;
}

static void *run(void *user)
{
    struct courier *c = user;
    while (!atomic_load(&c->stop)) {
        struct err err = {0};
        if (round_of(c, &err)) {
            db_rollback(c->db);
            log_failure(LOG_WARN, "courier_waits", NULL, &err);
            for (size_t i = 0; i < c->rules_count; i++)
                c->submit_at[i] = c->poll_at[i] = clock_ms() + 1000;
        }
        err = (struct err){0};
        if (take_ended(c, &err))
            log_failure(LOG_ERROR, "courier_stuck", NULL, &err);
    }
    return NULL;
}

/* --- start and stop -----------------------------------------------------------------------------
 */

static int load_rules(struct courier *c, struct err *err)
{
    const struct provider_driver *driver;
    for (size_t i = 0; (driver = provider_at(i)) && c->rules_count < PROVIDERS_MOST; i++) {
        struct provider_rules *rules = &c->rules[c->rules_count];
        if (driver->local)
            continue;
        if (provider_rules_load(rules, driver, &c->settings, err))
            return -1;
        if (rules->on)
            c->rules_count++;
        else
            provider_rules_free(rules);
    }
    return 0;
}

int courier_start(struct courier **out, const struct settings *settings, struct err *err)
{
    struct courier *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return FAIL(err, ERR_LIMIT, "no memory for the courier");
    c->settings = *settings;
    c->dice = (unsigned)clock_ms();
    snprintf(c->actor, sizeof c->actor, "courier:%.64s", settings->worker_name);
    int failed = blobs_open(&c->blobs, settings->blob_folder, err) || load_rules(c, err) ||
                 http_pool_open(&c->pool, err);
    if (!failed && c->rules_count > 0) {
        if (pthread_create(&c->thread, NULL, run, c))
            failed = FAIL(err, ERR_LATER, "no thread for the courier");
        else
            c->runs = true;
    }
    if (failed) {
        courier_stop(c);
        return -1;
    }
    *out = c;
    return 0;
}

void courier_stop(struct courier *c)
{
    if (!c)
        return;
    atomic_store(&c->stop, true);
    if (c->runs) {
        http_pool_wake(c->pool);
        pthread_join(c->thread, NULL);
    }
    struct err err = {0};
    if (c->db && courier_write_polled(c, &err))
        log_failure(LOG_WARN, "polls_not_written", NULL, &err);
    http_pool_close(c->pool);
    while (c->flights) {
        struct flight *f = c->flights;
        while (f->next && f->many_count == 0)
            f = f->next;
        flight_free(f);
    }
    for (struct unwritten *u; (u = c->unwritten);) {
        c->unwritten = u->next;
        done_free(&u->done);
        free(u);
    }
    for (size_t i = 0; i < c->rules_count; i++)
        provider_rules_free(&c->rules[i]);
    free(c->polled);
    db_close(c->db);
    free(c);
}
