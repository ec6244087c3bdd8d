/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a task that the provider has to its file. A poll costs nothing, so whatever goes wrong with
 * one is asked again, until the task's own deadline. The file is fetched by the courier that saw
 * the end, at once; an address that has expired sends the task back to be asked anew.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intake/provider/reading.h"
#include "intake/provider/request.h"
#include "service/courier_own.h"
#include "service/log.h"

#define FETCH_TRIES 8 /* over three minutes: what is to be fetched is paid for */
#define FETCH_TOTAL_S 900
#define FETCH_STALL_S 30

/* --- asking -------------------------------------------------------------------------------------
 */

static struct flight *leased(struct courier *c, const struct provider_rules *rules,
                             const struct db_rows *rows, int i)
{
    struct flight *f = flight_new(c, rules, db_text(rows, i, 0), db_int(rows, i, 1));
    if (!f)
        return NULL;
    f->errand = DO_POLL;
    snprintf(f->state, sizeof f->state, "%s", db_text(rows, i, 2));
    f->provider_task = strdup(db_text(rows, i, 3));
    f->aux = strdup(db_text(rows, i, 4));
    f->polls = (int)db_int(rows, i, 5);
    f->age_s = db_real(rows, i, 6);
    f->progress = (int)db_int(rows, i, 7);
    return f;
}

/* One question to the provider about f, or about all of f->many. */
static int ask(struct flight *f, struct courier *c, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    struct http_request request = {0};
    struct err why = {0};
    const char **tasks = NULL;
    if (f->errand == DO_POLL_MANY) {
        tasks = calloc(f->many_count, sizeof *tasks);
        for (size_t i = 0; tasks && i < f->many_count; i++)
            tasks[i] = f->many[i]->provider_task;
        call.tasks = tasks;
        call.task_count = tasks ? f->many_count : 0;
    }
    int failed = f->rules->driver->request(
        &request, f->errand == DO_POLL_MANY ? OP_POLL_MANY : OP_POLL, &call, &why);
    free(tasks);
    request.stop = &c->stop;
    if (!failed && http_pool_add(c->pool, &request, f, &why) == 0)
        return 0;
    log_failure(LOG_WARN, "poll_not_begun", f->task, &why);
    flight_free(f); /* its lease lapses, and it is asked about again */
    (void)err;
    return 0;
}

static int ask_many(struct courier *c, const struct provider_rules *rules,
                    const struct db_rows *rows, int from, int to, struct err *err)
{
    struct flight *f = flight_new(c, rules, "", 0);
    struct flight **many = calloc((size_t)(to - from), sizeof *many);
    if (!f || !many) {
        free(many);
        flight_free(f);
        return FAIL(err, ERR_LIMIT, "no memory for tasks");
    }
    f->errand = DO_POLL_MANY;
    f->many = many;
    for (int i = from; i < to; i++) {
        struct flight *one = leased(c, rules, rows, i);
        if (one)
            f->many[f->many_count++] = one;
    }
    return ask(f, c, err);
}

static int ask_all(struct courier *c, const struct provider_rules *rules,
                   const struct db_rows *rows, struct err *err)
{
    int count = db_row_count(rows), most = (int)rules->driver->poll_many_max;
    int failed = 0;
    for (int i = 0; i < count && !failed;) {
        int n = most > 1 ? (count - i < most ? count - i : most) : 1;
        if (n > 1) {
            failed = ask_many(c, rules, rows, i, i + n, err);
        } else {
            struct flight *f = leased(c, rules, rows, i);
            failed = f ? ask(f, c, err) : FAIL(err, ERR_LIMIT, "no memory for a task");
        }
        i += n;
    }
    return failed ? -1 : 0;
}

int courier_poll_some(struct courier *c, size_t i, struct err *err)
{
    const struct provider_rules *rules = &c->rules[i];
    char lease[12], most[12], rate[24], burst[12], per_call[12];
    struct db_rows *rows = NULL;
    size_t room = FLIGHTS_MOST - http_pool_count(c->pool);
    unsigned many = rules->driver->poll_many_max > 1 ? rules->driver->poll_many_max : 1;
    if (http_pool_count(c->pool) >= FLIGHTS_MOST || clock_ms() < c->poll_at[i])
        return 0;
    snprintf(lease, sizeof lease, "%d", c->settings.lease_s);
    snprintf(most, sizeof most, "%zu", room < 200 ? room : 200);
    snprintf(rate, sizeof rate, "%.6f", rules->calls_per_s);
    snprintf(burst, sizeof burst, "%d", rules->calls_per_s < 1 ? 1 : (int)rules->calls_per_s);
    snprintf(per_call, sizeof per_call, "%u", many);
    if (DB_RUN(&rows, c->db, "generation_polls", err, rules->driver->id, lease, most, rate, burst,
               per_call))
        return -1;
    /* Nothing due: looked for again soon. All that was asked for: there is more. */
    if (db_row_count(rows) < (int)(room < 200 ? room : 200))
        c->poll_at[i] = clock_ms() + 250;
    int failed = ask_all(c, rules, rows, err);
    db_rows_free(rows);
    return failed;
}

/* --- still under way ----------------------------------------------------------------------------
 */

/* Between 0.8 and 1.2: what began together does not stay together. */
static double jitter(struct courier *c)
{
    c->dice = c->dice * 1103515245u + 12345u;
    return 0.8 + 0.4 * (double)(c->dice >> 16 & 0x7fff) / 0x7fff;
}

/* Grows from poll_s to poll_most_s; where the provider says how long it takes, half of that. */
static double gap_of(struct flight *f, struct courier *c, const struct provider_reading *r)
{
    const struct provider_pace *pace = &f->rules->pace;
    double gap = pace->poll_s * pow(1.5, f->polls < 20 ? f->polls : 20);
    if (r->eta_s > 0 && r->eta_s / 2 < gap)
        gap = r->eta_s / 2;
    gap = fmin(fmax(gap, pace->poll_s), pace->poll_most_s) * jitter(c);
    return r->retry_after_s > gap ? r->retry_after_s : gap;
}

static int going_on(struct flight *f, struct courier *c, const struct provider_reading *r,
                    struct err *err)
{
    struct polled *longer = realloc(c->polled, (c->polled_count + 1) * sizeof *longer);
    if (!longer)
        return FAIL(err, ERR_LIMIT, "no memory for polls");
    c->polled = longer;
    struct polled *p = &c->polled[c->polled_count++];
    *p = (struct polled){.token = f->token,
                         .begun = strcmp(f->state, "submitted") == 0 && r->state == TASK_RUNNING,
                         .progress = r->progress > 0 ? r->progress : 0,
                         .gap_s = gap_of(f, c, r)};
    snprintf(p->task, sizeof p->task, "%s", f->task);
    return 0;
}

static int add_polled(struct bytes lists[4], const struct polled *p, bool first, struct err *err)
{
    const char *comma = first ? "" : ",";
    return bytes_printf(&lists[0], err, "%s%s", comma, p->task) ||
           bytes_printf(&lists[1], err, "%s%lld", comma, (long long)p->token) ||
           bytes_printf(&lists[2], err, "%s%d", comma, p->progress) ||
           bytes_printf(&lists[3], err, "%s%.3f", comma, p->gap_s);
}

/* Those that were waiting at the provider and are worked on now: once a task. */
static int write_begun(struct courier *c, struct err *err)
{
    struct bytes lists[4] = {{0}};
    int failed = 0, count = 0;
    for (size_t i = 0; i < c->polled_count && !failed; i++)
        if (c->polled[i].begun)
            failed = add_polled(lists, &c->polled[i], count++ == 0, err);
    if (!failed && count > 0)
        failed = DB_RUN(NULL, c->db, "generation_running", err, (const char *)lists[0].data,
                        (const char *)lists[1].data, c->actor);
    for (int i = 0; i < 4; i++)
        bytes_free(&lists[i]);
    return failed ? -1 : 0;
}

int courier_write_polled(struct courier *c, struct err *err)
{
    struct bytes lists[4] = {{0}};
    int failed = 0;
    if (c->polled_count == 0)
        return 0;
    if (write_begun(c, err))
        return -1;
    for (size_t i = 0; i < c->polled_count && !failed; i++)
        failed = add_polled(lists, &c->polled[i], i == 0, err);
    failed = failed || DB_RUN(NULL, c->db, "generation_polled", err, (const char *)lists[0].data,
                              (const char *)lists[1].data, (const char *)lists[2].data,
                              (const char *)lists[3].data);
    for (int i = 0; i < 4; i++)
        bytes_free(&lists[i]);
    if (!failed)
        c->polled_count = 0;
    return failed ? -1 : 0;
}

/* --- what a poll says ---------------------------------------------------------------------------
 */

static bool is_going(const struct provider_reading *r)
{
    return r->state == TASK_QUEUED || r->state == TASK_RUNNING ||
           (r->state == TASK_UNKNOWN && r->retry != RETRY_NEW_TASK) || r->retry == RETRY_YES;
}

static const char *event_of(const struct provider_reading *r)
{
    return r->state == TASK_REJECTED || r->error == PROVIDER_CONTENT ? "task.moderated"
           : r->state == TASK_EXPIRED                                ? "task.expired"
           : r->state == TASK_CANCELLED                              ? "task.cancelled"
                                                                     : "task.failed";
}

/* The photos are not needed any more, but what was noted is. */
static int load_for_end(struct flight *f, struct courier *c, struct err *err)
{
    return *f->item ? 0 : flight_load(f, c, false, err);
}

static int end_by(struct flight *f, struct courier *c, const char *event, const char *words,
                  enum provider_error error, struct err *err)
{
    struct provider_reading r = {.state = TASK_FAILED, .error = error, .credits = -1};
    snprintf(r.message, sizeof r.message, "%s", words);
    return load_for_end(f, c, err) || flight_end(f, c, event, &r, err) ? -1 : 0;
}

/* A poll that went wrong says nothing of the task, which may be done since long; and one that was
 * found late, or comes after an outage of ours, is heard more than once. */
static bool is_overdue(const struct flight *f, const struct provider_reading *r)
{
    double deadline_s = f->rules->pace.deadline_s;
    return r->error == PROVIDER_OK ? f->age_s > deadline_s && f->polls >= 3
                                   : f->age_s > 3 * deadline_s && f->polls >= 10;
}

/* Takes over what it keeps of the reading; the flight is gone, or goes on, after 0. */
static int conclude(struct flight *f, struct courier *c, struct provider_reading *r,
                    const struct http_done *done, struct err *err)
{
    bool overdue = is_overdue(f, r);
    int failed;
    if (r->error == PROVIDER_OK && r->state == TASK_SUCCEEDED) {
        if (load_for_end(f, c, err))
            return -1;
        if (done)
            exchange_note(f, "poll", done, r);
        return flight_done(f, c, r, err);
    }
    if (r->error == PROVIDER_OK && r->next == NEXT_RESULTS)
        return flight_done(f, c, r, err);
    if (r->error == PROVIDER_NOT_FOUND && f->polls < 1)
        failed = going_on(f, c, r, err); /* once more: it may be too new to be seen */
    else if (is_going(r) && !overdue)
        failed = going_on(f, c, r, err);
    else if (is_going(r))
        failed = end_by(f, c, "task.timed_out", "it did not end in time", PROVIDER_SERVER, err);
    else {
        failed = load_for_end(f, c, err);
        if (!failed && done)
            exchange_note(f, "poll", done, r);
        failed = failed || flight_end(f, c, event_of(r), r, err);
    }
    if (!failed)
        flight_free(f);
    return failed ? -1 : 0;
}

/* A question that nobody answered: asked again. */
static int unanswered(struct flight *f, struct courier *c, const struct http_done *done,
                      struct err *err)
{
    struct provider_reading r = {.state = TASK_UNKNOWN,
                                 .error = PROVIDER_SERVER,
                                 .retry = RETRY_YES,
                                 .retry_after_s = -1,
                                 .eta_s = -1};
    snprintf(r.message, sizeof r.message, "%.190s", done->err.what);
    if (strcmp(done->err.code, "http_stopped") != 0 && courier_note_health(c, f->rules, &r, err))
        return -1;
    return conclude(f, c, &r, NULL, err);
}

int flight_polled(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_reading r = {0};
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    if (done->failed)
        return unanswered(f, c, done, err);
    if (f->rules->driver->read(&r, OP_POLL, &call, &done->answer, err))
        return -1;
    int failed = r.error == PROVIDER_NOT_FOUND ? 0 : courier_note_health(c, f->rules, &r, err);
    failed = failed || conclude(f, c, &r, done, err);
    provider_reading_free(&r);
    return failed ? -1 : 0;
}

static struct provider_reading *reading_of(struct provider_reading *all, const char *task)
{
    for (size_t i = 0; i < all->many_count; i++)
        if (strcmp(all->many[i].task, task) == 0)
            return &all->many[i];
    return NULL;
}

/* Each task of the list is concluded and taken from it, so that a second go after a failure of the
 * database does the rest. */
static int conclude_many(struct flight *f, struct courier *c, struct provider_reading *all,
                         const struct http_done *done, struct err *err)
{
    while (f->many_count > 0) {
        struct flight *one = f->many[f->many_count - 1];
        struct provider_reading absent = {.state = TASK_UNKNOWN,
                                          .error = all->error,
                                          .retry = RETRY_YES,
                                          .retry_after_s = all->retry_after_s,
                                          .progress = -1,
                                          .eta_s = -1};
        struct provider_reading *r = reading_of(all, one->provider_task);
        if (conclude(one, c, r ? r : &absent, r ? done : NULL, err))
            return -1;
        f->many_count--;
    }
    flight_free(f);
    return 0;
}

int flight_polled_many(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_reading all = {0};
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    int failed = 0;
    if (done->failed) {
        all.error = PROVIDER_SERVER;
        all.retry_after_s = -1;
        snprintf(all.message, sizeof all.message, "%.190s", done->err.what);
    } else {
        failed = f->rules->driver->read(&all, OP_POLL_MANY, &call, &done->answer, err);
    }
    failed = failed || courier_note_health(c, f->rules, &all, err) ||
             conclude_many(f, c, &all, done, err);
    provider_reading_free(&all);
    return failed ? -1 : 0;
}

/* --- its files ----------------------------------------------------------------------------------
 */

static const char *const formats[] = {
    [MODEL_GLB] = "glb", [MODEL_STL] = "stl", [MODEL_OBJ] = "obj", [MODEL_PLY] = "ply"};

static bool begins(const struct bytes *model, const char *with)
{
    size_t n = strlen(with);
    return model->len > n && memcmp(model->data, with, n) == 0;
}

static bool has(const struct bytes *model, const char *word)
{
    return memmem(model->data, model->len, word, strlen(word)) != NULL;
}

/* What was made, by its first bytes; NULL where we cannot use it. An archive is not opened here:
 * the names of its parts stand in it as they are, and what only looks like no 3MF is found to be
 * one when it is unpacked. */
static const char *format_of(const struct bytes *model)
{
    bool whole;
    enum model_kind kind = model_sniff(&whole, model->data, model->len);
    if (kind != MODEL_UNKNOWN)
        return formats[kind];
    if (!begins(model, "PK\3\4"))
        return NULL;
    return has(model, "[Content_Types].xml") && has(model, "3D/3dmodel.model") ? "3mf" : "zip";
}

static bool is_fbx(const struct bytes *model)
{
    return begins(model, "Kaydara FBX Binary") || begins(model, "; FBX ");
}

/* It is what the provider made, and another try of the same would be the same. */
static int end_by_format(struct flight *f, struct courier *c, const struct bytes *model,
                         struct err *err)
{
    f->code = "provider_format";
    return end_by(f, c, "task.failed",
                  is_fbx(model) ? "the file is FBX, which is not read: ask the provider for GLB"
                                : "the file is of no kind that can be used",
                  PROVIDER_PROTOCOL, err);
}

static int store_or_end(struct flight *f, struct courier *c, const struct bytes *model,
                        struct err *err)
{
    const char *format = format_of(model);
    int failed = format ? flight_store(f, c, model, format, err) : end_by_format(f, c, model, err);
    if (!failed)
        flight_free(f);
    return failed;
}

static int ask_results(struct flight *f, struct courier *c, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    struct http_request request = {0};
    struct err why = {0};
    enum errand was = f->errand;
    f->errand = DO_RESULTS;
    if (!f->rules->driver->request(&request, OP_RESULTS, &call, &why)) {
        request.stop = &c->stop;
        if (http_pool_add(c->pool, &request, f, &why) == 0)
            return 0;
    }
    f->errand = was;
    int failed = end_by(f, c, "task.failed", why.what, PROVIDER_PROTOCOL, err);
    if (!failed)
        flight_free(f);
    return failed;
}

/* The file to take: the plain one where no texture is wanted. */
static const struct provider_file *file_of(const struct flight *f)
{
    const struct provider_reading *r = &f->result;
    bool plain = !json_bool(f->spec, "texture", false);
    const struct provider_file *best = NULL;
    for (size_t i = 0; i < r->file_count; i++) {
        if (plain && strcmp(r->files[i].kind, "model_plain") == 0)
            return &r->files[i];
        if (!best && strcmp(r->files[i].kind, "model") == 0)
            best = &r->files[i];
    }
    return best;
}

static int fetch_request(struct http_request *request, struct flight *f, struct courier *c,
                         struct err *err)
{
    const struct provider_file *file = file_of(f);
    const char *home = *f->rules->url ? f->rules->url : f->rules->driver->default_url;
    if (!file)
        return FAIL_CODE(err, ERR_INPUT, "no_result", "it ended without a model");
    bool is_path = file->url[0] == '/';
    if (call_start(request, "GET", is_path ? home : "", err, "%s", file->url))
        return -1;
    request->reach = is_path ? HTTP_SET : HTTP_FAR;
    /* Only an address that the shop itself has set is a home; the provider's own is not. */
    request->home = *f->rules->url ? f->rules->url : NULL;
    request->redirects = 3;
    request->total_s = FETCH_TOTAL_S;
    request->stall_s = FETCH_STALL_S;
    request->max_bytes = MODEL_BYTES_MOST;
    request->stop = &c->stop;
    return 0;
}

static int fetch(struct flight *f, struct courier *c, struct err *err)
{
    struct http_request request = {0};
    struct err why = {0};
    enum errand was = f->errand;
    bool can_ask = f->provider_task && *f->provider_task;
    if (c->fetches >= FETCHES_MOST && can_ask) { /* asked about again soon, by whoever is free */
        int failed = flight_later(f, c, 1, 0, err);
        if (!failed)
            flight_free(f);
        return failed;
    }
    if (flight_fetching(f, c, err))
        return -1;
    f->errand = DO_FETCH;
    if (!fetch_request(&request, f, c, &why) && http_pool_add(c->pool, &request, f, &why) == 0) {
        c->fetches++;
        return 0;
    }
    f->errand = was;
    http_request_free(&request);
    int failed = end_by(f, c, "task.failed", why.what, PROVIDER_PROTOCOL, err);
    if (!failed)
        flight_free(f);
    return failed;
}

int flight_done(struct flight *f, struct courier *c, struct provider_reading *r, struct err *err)
{
    if (f->result.state != TASK_SUCCEEDED || r->file_count || r->model.len) {
        provider_reading_free(&f->result);
        f->result = *r;
        *r = (struct provider_reading){0};
    }
    if (f->result.next == NEXT_REFINE) {
        int failed = flight_continue(f, c, err);
        if (!failed)
            flight_free(f);
        return failed;
    }
    if (f->result.model.len > 0)
        return store_or_end(f, c, &f->result.model, err);
    if (f->result.next == NEXT_RESULTS) {
        f->result.next = NEXT_NONE;
        return load_for_end(f, c, err) ? -1 : ask_results(f, c, err);
    }
    return fetch(f, c, err);
}

int flight_results(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_reading r = {0};
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    if (done->failed)
        return unanswered(f, c, done, err);
    if (f->rules->driver->read(&r, OP_RESULTS, &call, &done->answer, err))
        return -1;
    exchange_note(f, "results", done, &r);
    r.next = NEXT_NONE;
    int failed = conclude(f, c, &r, NULL, err);
    provider_reading_free(&r);
    return failed;
}

/* Fetched again from the start, by asking the task anew for its address. */
static int fetch_again(struct flight *f, struct courier *c, const struct provider_reading *r,
                       struct err *err)
{
    int failed;
    if (f->rules->driver->url_is_last && r->error == PROVIDER_URL_EXPIRED)
        failed = end_by(f, c, "task.expired", r->message, r->error, err);
    else if (f->checks + 1 >= FETCH_TRIES || !f->provider_task || !*f->provider_task)
        failed = end_by(f, c, "task.failed", r->message, r->error, err);
    else
        failed = flight_later(f, c, fmin(60, 2 << f->checks), 1, err);
    if (!failed)
        flight_free(f);
    return failed;
}

int flight_fetched(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_reading r = {0};
    struct http_done noted = *done;
    noted.answer.body = (struct bytes){0};
    if (done->failed) {
        r.error = done->err.kind == ERR_LATER ? PROVIDER_SERVER : PROVIDER_PROTOCOL;
        snprintf(r.message, sizeof r.message, "%.190s", done->err.what);
        exchange_note(f, "fetch", &noted, NULL);
        if (r.error == PROVIDER_SERVER)
            return fetch_again(f, c, &r, err);
        int failed = end_by(f, c, "task.failed", r.message, r.error, err);
        if (!failed)
            flight_free(f);
        return failed;
    }
    reading_download(&r, &done->answer);
    if (r.error == PROVIDER_OK && !format_of(&done->answer.body) &&
        !is_fbx(&done->answer.body)) /* a page of some proxy, often */
        reading_fail(&r, TASK_RUNNING, PROVIDER_PROTOCOL, RETRY_YES,
                     "the file is of no kind that can be used");
    exchange_note(f, "fetch", &noted, &r);
    return r.error == PROVIDER_OK ? store_or_end(f, c, &done->answer.body, err)
                                  : fetch_again(f, c, &r, err);
}
