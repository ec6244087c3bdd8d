/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tasks whose submit nobody can account for. Where the provider lists what it was given, they are
 * looked for there: one stranger made at the right time, and one of ours missing, are the same; no
 * stranger, twice, means that it was not made and may be sent again. Everything else is for a
 * person. And tasks that were called off here: the provider is told, once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/courier_own.h"
#include "service/log.h"

#define LOOKS 3       /* into the list, before a person is asked */
#define LOOK_GAP_S 20 /* a task may take a while to be listed */
#define BEFORE_S 30   /* how far the provider's clock may be behind ours */
#define AFTER_S 120   /* a request may be that long on its way */
#define PAGES_MOST 4

static int end_lost(struct flight *f, struct courier *c, const char *words, struct err *err)
{
    struct provider_reading r = {.state = TASK_UNKNOWN, .error = PROVIDER_SERVER, .credits = -1};
    snprintf(r.message, sizeof r.message, "%s", words);
    int failed = flight_load(f, c, false, err) || flight_end(f, c, "task.lost", &r, err);
    if (!failed)
        flight_free(f);
    return failed ? -1 : 0;
}

static int look(struct flight *f, struct courier *c, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct generation_spec spec; /* a provider may keep a list for each kind of task */
    struct http_request request = {0};
    struct err why = {0};
    f->errand = DO_RECENT;
    flight_spec(&spec, f);
    struct provider_call call = flight_call(f, &settings, &spec);
    if (!f->rules->driver->request(&request, OP_RECENT, &call, &why)) {
        request.stop = &c->stop;
        if (http_pool_add(c->pool, &request, f, &why) == 0)
            return 0;
    }
    int failed = flight_later(f, c, LOOK_GAP_S, 1, err);
    if (!failed)
        flight_free(f);
    return failed;
}

/* A task found `submitting` with nobody at it: if it was never sent it may be, else it is in doubt.
 */
static int abandoned(struct flight *f, struct courier *c, bool sent, struct err *err)
{
    int failed = sent ? flight_in_doubt(f, c, "the program ended while it was being sent", err)
                      : flight_not_sent(f, c, 0, "the program ended before it was sent", err);
    if (!failed)
        flight_free(f);
    return failed;
}

static int take_up(struct courier *c, const struct provider_rules *rules,
                   const struct db_rows *rows, int i, struct err *err)
{
    struct flight *f = flight_new(c, rules, db_text(rows, i, 0), db_int(rows, i, 1));
    if (!f)
        return FAIL(err, ERR_LIMIT, "no memory for a task");
    snprintf(f->state, sizeof f->state, "%s", db_text(rows, i, 2));
    f->sent_s = db_int(rows, i, 4);
    f->checks = (int)db_int(rows, i, 5);
    if (strcmp(f->state, "submitting") == 0)
        return abandoned(f, c, db_text(rows, i, 3)[0] == 't', err);
    if (!(rules->driver->ops & OP_BIT(OP_RECENT)))
        return end_lost(f, c, "the provider has no list in which it could be looked for", err);
    if (f->checks >= LOOKS)
        return end_lost(f, c, "the provider's list does not tell which task it is", err);
    if (flight_load(f, c, false, err)) {
        flight_free(f);
        return -1;
    }
    return look(f, c, err);
}

int courier_doubt_some(struct courier *c, size_t i, struct err *err)
{
    char lease[12];
    struct db_rows *rows = NULL;
    if (clock_ms() < c->doubt_at[i])
        return 0;
    c->doubt_at[i] = clock_ms() + 2000;
    snprintf(lease, sizeof lease, "%d", c->settings.lease_s);
    if (DB_RUN(&rows, c->db, "generation_doubts", err, c->rules[i].driver->id, lease))
        return -1;
    int failed = 0;
    for (int row = 0; row < db_row_count(rows) && !failed; row++)
        failed = take_up(c, &c->rules[i], rows, row, err);
    db_rows_free(rows);
    return failed ? -1 : 0;
}

/* --- the list -----------------------------------------------------------------------------------
 */

static bool is_listed(const char *list, const char *task)
{
    size_t n = strlen(task);
    for (const char *at = list; n && (at = strstr(at, task)); at += n)
        if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == 0))
            return true;
    return false;
}

/* Those of the list that were made when ours was sent and that no task of ours has. */
static int strangers(const struct provider_reading **one, int *count, int64_t *in_doubt,
                     struct flight *f, struct courier *c, const struct provider_reading *all,
                     struct err *err)
{
    struct bytes ids = {0};
    struct db_rows *rows = NULL;
    char sent[24], window[12];
    /* ours that were sent further off cannot have been made at the same time */
    snprintf(sent, sizeof sent, "%lld", (long long)f->sent_s);
    snprintf(window, sizeof window, "%d", BEFORE_S + AFTER_S);
    int failed = bytes_printf(&ids, err, "%s", "");
    for (size_t i = 0; i < all->many_count && !failed; i++)
        if (!strchr(all->many[i].task, ','))
            failed = bytes_printf(&ids, err, "%s%s", ids.len ? "," : "", all->many[i].task);
    failed = failed || DB_RUN(&rows, c->db, "generation_known", err, f->rules->driver->id,
                              (const char *)ids.data, sent, window);
    *one = NULL;
    *count = 0;
    for (size_t i = 0; i < all->many_count && !failed; i++) {
        const struct provider_reading *r = &all->many[i];
        bool in_time = r->created_s == 0 || (r->created_s >= f->sent_s - BEFORE_S &&
                                             r->created_s <= f->sent_s + AFTER_S);
        if (*r->task && in_time && !is_listed(db_text(rows, 0, 0), r->task)) {
            *one = r;
            (*count)++;
        }
    }
    if (!failed)
        *in_doubt = db_int(rows, 0, 1);
    db_rows_free(rows);
    bytes_free(&ids);
    return failed ? -1 : 0;
}

/* The list goes on to tasks that may be ours, older ones. */
static bool is_more(const struct flight *f, const struct provider_reading *all)
{
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < all->many_count; i++)
        if (all->many[i].created_s < oldest)
            oldest = all->many[i].created_s;
    return all->many_count > 0 && oldest > f->sent_s - BEFORE_S && f->page + 1 < PAGES_MOST;
}

static int decide(struct flight *f, struct courier *c, const struct provider_reading *all,
                  struct err *err)
{
    const struct provider_reading *found;
    int count;
    int64_t in_doubt = 0;
    if (strangers(&found, &count, &in_doubt, f, c, all, err))
        return -1;
    if (count == 0 && is_more(f, all)) {
        f->page++;
        return look(f, c, err);
    }
    int failed;
    if (count == 1 && in_doubt == 1)
        failed = flight_accepted(f, c, found, err);
    else if (count == 0 && f->checks >= 1)
        failed = flight_not_sent(f, c, 1, "the provider's list shows that it was not made", err);
    else
        failed = flight_later(f, c, LOOK_GAP_S, 1, err);
    if (!failed)
        flight_free(f);
    return failed ? -1 : 0;
}

int flight_recent(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_reading all = {0};
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    int failed =
        done->failed ? 0 : f->rules->driver->read(&all, OP_RECENT, &call, &done->answer, err);
    if (!failed && !done->failed && all.error == PROVIDER_OK) {
        failed = decide(f, c, &all, err);
    } else if (!failed) { /* nobody knows yet; a look that failed does not count */
        failed = flight_later(f, c, LOOK_GAP_S, 0, err);
        if (!failed)
            flight_free(f);
    }
    provider_reading_free(&all);
    return failed ? -1 : 0;
}

/* --- called off ---------------------------------------------------------------------------------
 */

int courier_cancel_some(struct courier *c, size_t i, struct err *err)
{
    const struct provider_rules *rules = &c->rules[i];
    struct provider_settings settings = provider_rules_settings(rules);
    struct db_rows *rows = NULL;
    if (!(rules->driver->ops & OP_BIT(OP_CANCEL)))
        return 0;
    if (DB_RUN(&rows, c->db, "generation_cancels", err, rules->driver->id))
        return -1;
    for (int row = 0; row < db_row_count(rows); row++) {
        struct flight *f = flight_new(c, rules, "", 0);
        struct http_request request = {0};
        struct err why = {0};
        if (!f)
            break;
        f->errand = DO_CANCEL;
        f->provider_task = strdup(db_text(rows, row, 1));
        f->aux = strdup(db_text(rows, row, 2));
        struct provider_call call = flight_call(f, &settings, NULL);
        if (rules->driver->request(&request, OP_CANCEL, &call, &why) ||
            http_pool_add(c->pool, &request, f, &why)) {
            log_failure(LOG_WARN, "cancel_not_sent", db_text(rows, row, 0), &why);
            flight_free(f);
        }
    }
    db_rows_free(rows);
    return 0;
}
