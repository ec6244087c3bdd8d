/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What providers push. It comes from outside without an API key: a signature or a token that nobody
 * can guess says that it is theirs, and even then it is a hint that makes the courier ask at once.
 * Only a signed push with our own token says more: the number of a task whose submit was lost.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "intake/provider/request.h"
#include "service/api_providers.h"
#include "service/log.h"

#define KEYS_MOST_S 86400 /* fal asks that its keys be kept no longer */
#define KEYS_FRESH_S 300  /* a push that younger keys do not fit is not theirs */

struct pushing {
    struct request *request;
    struct provider_rules rules;
    cJSON *headers, *keys;
    double keys_age_s;
    struct provider_push push;
    const char *token; /* of the address, or "" */
    bool ours;         /* the token is the shop's own secret for this provider */
};

/* --- the keys of the signatures -----------------------------------------------------------------
 */

static int kept_keys(struct pushing *p, struct err *err)
{
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    if (request_db(&db, p->request, err) ||
        DB_RUN(&rows, db, "generation_keys", err, p->rules.driver->id, NULL))
        return -1;
    const char *text = db_text(rows, 0, 0);
    double age_s = db_real(rows, 0, 1);
    int failed = 0;
    if (*text && age_s < KEYS_MOST_S) {
        failed = json_parse(&p->keys, text, strlen(text), err);
        p->keys_age_s = age_s;
    }
    db_rows_free(rows);
    return failed ? -1 : 0;
}

static int ask_keys(struct provider_reading *reading, const struct provider_rules *rules,
                    struct err *err)
{
    struct provider_settings settings = provider_rules_settings(rules);
    struct provider_call call = {.settings = &settings};
    struct http_request request = {0};
    struct http_answer answer = {0};
    struct err why = {0};
    int failed = rules->driver->request(&request, OP_KEYS, &call, err);
    if (!failed) {
        request.total_s = 10;
        bool away = http_send(&answer, &request, &why) != 0;
        failed = rules->driver->read(reading, OP_KEYS, &call, &answer, err);
        if (!failed && (away || reading->error != PROVIDER_OK || !reading->keys))
            failed = FAIL_CODE(err, ERR_LATER, "push_keys_missing", "%s gave no keys: %.100s",
                               rules->driver->id, away ? why.what : reading->message);
    }
    http_request_free(&request);
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

/* 0 new keys are there, 1 another push is just fetching them. No connection is held meanwhile. */
static int fetch_keys(struct pushing *p, struct err *err)
{
    struct provider_reading reading = {0};
    struct bytes text = {0};
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    if (request_db(&db, p->request, err) ||
        DB_RUN(&rows, db, "provider_keys_try", err, p->rules.driver->id))
        return -1;
    bool may = db_row_count(rows) == 1;
    db_rows_free(rows);
    if (!may)
        return 1;
    pool_give(p->request->http->pool, p->request->db, false);
    p->request->db = NULL;
    int failed =
        ask_keys(&reading, &p->rules, err) || json_print(&text, reading.keys, false, err) ||
        request_db(&db, p->request, err) ||
        DB_RUN(NULL, db, "generation_keys", err, p->rules.driver->id, (const char *)text.data);
    if (!failed) {
        cJSON_Delete(p->keys);
        p->keys = reading.keys;
        p->keys_age_s = 0;
        reading.keys = NULL;
    }
    bytes_free(&text);
    provider_reading_free(&reading);
    return failed ? -1 : 0;
}

/* A secret that the shop has set goes before keys that would have to be asked for. */
static bool needs_keys(const struct pushing *p)
{
    return (p->rules.driver->ops & OP_BIT(OP_KEYS)) && !*p->rules.secret;
}

static int have_keys(struct pushing *p, struct err *err)
{
    if (!needs_keys(p))
        return 0;
    int result = kept_keys(p, err);
    if (!result && !p->keys)
        result = fetch_keys(p, err);
    if (result == 1)
        result = FAIL_CODE(err, ERR_LATER, "push_keys_missing", "the keys are just being fetched");
    return result;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static cJSON *headers_of(const struct head *head)
{
    cJSON *headers = cJSON_CreateObject();
    for (size_t i = 0; i < head->header_count; i++) {
        char name[80];
        size_t n = 0;
        for (; head->headers[i].name[n] && n + 1 < sizeof name; n++)
            name[n] = (char)tolower((unsigned char)head->headers[i].name[n]);
        name[n] = 0;
        if (!cJSON_GetObjectItemCaseSensitive(headers, name))
            cJSON_AddStringToObject(headers, name, head->headers[i].value);
    }
    return headers;
}

static int read_once(struct pushing *p, struct err *err)
{
    const struct bytes *body = &p->request->body;
    const struct provider_pushed pushed = {.headers = p->headers,
                                           .body = body->data ? body->data : (const uint8_t *)"",
                                           .bytes = body->len,
                                           .now_s = time(NULL),
                                           .secret = *p->rules.secret ? p->rules.secret : NULL,
                                           .keys = p->keys};
    provider_push_free(&p->push);
    return p->rules.driver->push_read(&p->push, &pushed, err);
}

/* A provider changes its keys now and then: what no old key fits is tried with new ones. */
static int read_push(struct pushing *p, struct err *err)
{
    if (have_keys(p, err) || read_once(p, err))
        return -1;
    if (p->push.trust == PUSH_INVALID && needs_keys(p) && p->keys_age_s > KEYS_FRESH_S) {
        int result = fetch_keys(p, err);
        if (result < 0 || (result == 0 && read_once(p, err)))
            return -1;
    }
    if (!task_id_is_plain(p->push.reading.task))
        p->push.reading.task[0] = 0;
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    char one[SHA256_HEX], two[SHA256_HEX];
    sha256_hex(one, a, strlen(a));
    sha256_hex(two, b, strlen(b));
    return secret_same(one, two, SHA256_HEX);
}

/* --- what it means ------------------------------------------------------------------------------
 */

static int refuse(struct err *err)
{
    return FAIL_CODE(err, ERR_DENIED, "push_not_signed",
                     "neither a signature nor the address shows that this is from the provider");
}

static const char *actor_of(const struct pushing *p, char out[60])
{
    snprintf(out, 60, "provider:%.40s", p->rules.driver->id);
    return out;
}

/* What is about no task: that the credits run low, say. Those who watch the events see it. */
static int note_event(struct pushing *p, struct err *err)
{
    char actor[60], event[60], balance[32], payload[60];
    const char *id = p->rules.driver->id;
    snprintf(event, sizeof event, "provider.%.40s", p->push.event);
    for (char *c = event + 9; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    bool low = strcmp(event, "provider.balance_low") == 0, told = p->push.reading.balance >= 0;
    snprintf(balance, sizeof balance, "%.3f", told ? p->push.reading.balance : 0);
    snprintf(payload, sizeof payload, told ? "{\"balance\":%s}" : "{}", balance);
    log_event(low ? LOG_WARN : LOG_INFO, "provider_pushed", "provider", id, "what", event,
              "balance", told ? balance : "", NULL);
    if (told && DB_RUN(NULL, p->request->db, "generation_balance", err, id, balance))
        return -1;
    return low ? DB_RUN(NULL, p->request->db, "provider_event", err, id, event, actor_of(p, actor),
                        "", payload)
               : 0;
}

/* The task's number, which we never got: by the signature it is the provider's word, by the token
 * it is about this very task. */
static int take_number(struct pushing *p, const char *id, struct err *err)
{
    char actor[60];
    struct lost_task task;
    struct err why = {0};
    if (lost_task_load(&task, p->request->db, id, err))
        return -1;
    int failed =
        lost_task_found(&task, p->request->db, &p->rules, p->push.reading.task, p->push.reading.aux,
                        actor_of(p, actor), "the provider pushed its number", &why);
    lost_task_free(&task);
    if (failed && why.kind == ERR_INPUT) { /* a person has to say more */
        log_failure(LOG_WARN, "push_not_enough", id, &why);
        return 0;
    }
    if (failed)
        *err = why;
    else
        log_event(LOG_INFO, "task_found", "task", id, "provider", p->rules.driver->id, NULL);
    return failed;
}

static int take_task(struct pushing *p, struct err *err)
{
    struct db *db = p->request->db;
    struct db_rows *rows = NULL;
    const char *provider = p->rules.driver->id, *task = p->push.reading.task;
    bool valid = p->push.trust == PUSH_VALID;
    const char *token = p->ours ? "" : p->token;
    if (!valid && !p->ours)
        task = ""; /* the token is all that counts */
    if (DB_RUN(&rows, db, "provider_push_task", err, provider, token, task))
        return -1;
    bool found = db_row_count(rows) == 1, by_token = found && db_text(rows, 0, 2)[0] == 't';
    char id[40], state[24];
    snprintf(id, sizeof id, "%s", found ? db_text(rows, 0, 0) : "");
    snprintf(state, sizeof state, "%s", found ? db_text(rows, 0, 1) : "");
    db_rows_free(rows);
    if (!found)
        return valid || p->ours ? 0 : refuse(err); /* a task of another installation */
    if (valid && by_token && strcmp(state, "submitting") == 0)
        return FAIL_CODE(err, ERR_LATER, "push_early",
                         "the answer to the request for it is not there yet");
    bool lost = strcmp(state, "in_doubt") == 0 || strcmp(state, "lost") == 0;
    if (valid && by_token && lost && *task)
        return take_number(p, id, err);
    return DB_RUN(NULL, db, "generation_pushed", err, provider, by_token ? token : "",
                  by_token ? "" : task);
}

/* 0 it is new, 1 it was here before. */
static int is_seen(struct pushing *p, struct err *err)
{
    struct db_rows *rows = NULL;
    bool trusted = p->push.trust == PUSH_VALID || p->ours;
    if (!*p->push.delivery || !trusted)
        return 0;
    if (DB_RUN(&rows, p->request->db, "generation_push_new", err, p->rules.driver->id,
               p->push.delivery))
        return -1;
    int seen = db_row_count(rows) == 0;
    db_rows_free(rows);
    return seen;
}

/* In one transaction: a delivery that could not be taken may come again. */
static int take(struct pushing *p, struct err *err)
{
    struct db *db = NULL;
    if (request_db(&db, p->request, err) || db_begin(db, err))
        return -1;
    bool of_task = strcmp(p->push.event, "task") == 0;
    int result = is_seen(p, err);
    if (!result && of_task)
        result = take_task(p, err);
    else if (!result)
        result = p->push.trust == PUSH_VALID || p->ours ? note_event(p, err) : refuse(err);
    if (!result)
        return db_commit(db, err);
    db_rollback(db);
    return result;
}

static int open_push(struct pushing *p, struct err *err)
{
    const struct provider_driver *driver = provider_find(p->request->part[0]);
    if (!driver || !driver->push_read)
        return FAIL_CODE(err, ERR_ABSENT, "unknown_provider", "no provider here pushes that way");
    if (provider_rules_load(&p->rules, driver, request_settings(p->request), err))
        return -1;
    if (!p->rules.on)
        return FAIL_CODE(err, ERR_ABSENT, "unknown_provider", "no provider here pushes that way");
    p->headers = headers_of(&p->request->head);
    p->token = p->request->part[1];
    p->ours = *p->token && *p->rules.secret && same_text(p->token, p->rules.secret);
    return 0;
}

int api_webhook(struct request *request, struct reply *reply, struct err *err)
{
    struct pushing p = {.request = request};
    int result = open_push(&p, err) || read_push(&p, err) ? -1 : 0;
    if (!result && p.push.trust == PUSH_INVALID)
        result = refuse(err);
    if (!result)
        result = take(&p, err);
    provider_push_free(&p.push);
    provider_rules_free(&p.rules);
    cJSON_Delete(p.headers);
    cJSON_Delete(p.keys);
    if (result < 0)
        return -1;
    return reply_json(reply, result ? "{\"taken\":false}" : "{\"taken\":true}", err);
}
