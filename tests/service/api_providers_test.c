/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the HTTP side says and takes of providers: pushes that are signed, forged, sent twice or too
 * early, tasks that a person resolves, the list and the ledger. The signatures are made here.
 */
#include <stdatomic.h>
#include <time.h>

#include "base/json.h"
#include "tests/service/http_fixture.h"

#define SECRET "whsec_0123456789abcdef"
#define MESHY_TOKEN "shop-token-nobody-knows"

static char item[32], order[32], task[ID_ROOM], token[64];

static int sql(const char *text)
{
    return db_script(db, text, &err);
}

/* An item that waits for a task of that provider, in that state; its token is in `token`. */
static int begin(const char *provider, const char *state)
{
    char external[ID_ROOM], text[600];
    memset(&err, 0, sizeof err);
    id_new(external, "ext");
    if (sql("truncate orders, items, photos, tasks, models, artifacts, reviews, slices, printers, "
            "runs, jobs, job_history, events, ledger, providers, pushes, canaries") ||
        order_of(order, item, 1, external) || move("item", item, "photo.ok"))
        return -1;
    id_new(task, "gen");
    snprintf(text, sizeof text,
             "insert into tasks (id, item_id, round, candidate, provider, seed, spec, price) "
             "values ('%s', '%s', 1, 1, '%s', 1, '{\"photos\":[{\"view\":\"front\"}]}', 30)",
             task, item, provider);
    if (sql(text) || move("task", task, "task.claimed"))
        return -1;
    snprintf(text, sizeof text, "select ledger_add('%s', 'reserve', 30)", task);
    if (sql(text) || sql("update tasks set sent_at = now(), next_at = now() + interval '1 hour'"))
        return -1;
    snprintf(token, sizeof token, "%s", ask("select push_token from tasks", NULL));
    if (strcmp(state, "submitted") == 0)
        return move("task", task, "task.accepted") ||
               sql("update tasks set provider_task = 'theirs-1'");
    if (strcmp(state, "submitting") == 0)
        return 0;
    if (move("task", task, "task.in_doubt"))
        return -1;
    if (strcmp(state, "in_doubt") == 0)
        return 0;
    return move("task", task, "task.lost") || move("item", item, "round.exhausted") ||
           sql("update items set problem = '{\"code\":\"generation_in_doubt\",\"message\":\"?\"}'");
}

/* As Tripo signs: t=UNIX,v1=HEX of HMAC-SHA256 over "t.body". */
static void sign(char *headers, size_t room, const char *body, const char *delivery, int64_t at,
                 const char *secret)
{
    uint8_t mac[HMAC_SHA256_BYTES];
    char time_text[24], hex[2 * HMAC_SHA256_BYTES + 1];
    snprintf(time_text, sizeof time_text, "%lld", (long long)at);
    const struct hash_part parts[] = {
        {time_text, strlen(time_text)}, {".", 1}, {body, strlen(body)}};
    hmac_sha256(mac, secret, strlen(secret), parts, 3);
    for (size_t i = 0; i < sizeof mac; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    snprintf(headers, room,
             "Content-Type: application/json\r\nTripo-Webhook-Signature: t=%s,v1=%s\r\n"
             "Tripo-Webhook-Delivery: %s\r\n",
             time_text, hex, delivery);
}

static struct told push(const char *path, const char *headers, const char *body)
{
    return request_to(http_port, "POST", path, headers, body, strlen(body));
}

static struct told push_tripo(const char *with_token, const char *body, const char *delivery,
                              const char *secret)
{
    char headers[500], path[200];
    sign(headers, sizeof headers, body, delivery, time(NULL), secret);
    snprintf(path, sizeof path, "/v1/webhooks/tripo%s%s", *with_token ? "/" : "", with_token);
    return push(path, headers, body);
}

#define DONE(id)                                                                                   \
    "{\"id\":\"evt\",\"type\":\"task.completed\",\"data\":{\"task_id\":\"" id                      \
    "\",\"status\":\"success\"}}"
#define IS_DUE "select (next_at <= now())::text from tasks"
#define STATE "select state from tasks"

static int environment(void)
{
    return setenv("STATUETTE_TRIPO_KEY", "tsk_x", 1) ||
           setenv("STATUETTE_TRIPO_SECRET", SECRET, 1) ||
           setenv("STATUETTE_MESHY_KEY", "msy_x", 1) ||
           setenv("STATUETTE_MESHY_SECRET", MESHY_TOKEN, 1) ||
           setenv("STATUETTE_REPLICATE_KEY", "r8_x", 1) || unsetenv("STATUETTE_STABILITY_KEY");
}

#define BEGIN(provider, state)                                                                     \
    do {                                                                                           \
        NEEDS_HTTP();                                                                              \
        if (environment() || begin(provider, state))                                               \
            TEST_GIVE_UP("set-up failed: %s", err.what);                                           \
    } while (0)

static void test_push__makes_its_task_due_and_no_more(void)
{
    BEGIN("tripo", "submitted");
    struct told told = push_tripo(token, DONE("theirs-1"), "d1", SECRET);
    CHECK(told.status == 200 && body_has(&told, "\"taken\":true"));
    told_free(&told);
    CHECK_TEXT(ask(IS_DUE, NULL), "true");
    CHECK_TEXT(ask(STATE, NULL), "submitted"); /* the poll decides */
}

static void test_push__is_found_by_its_number_without_a_token(void)
{
    BEGIN("tripo", "submitted");
    struct told told = push_tripo("", DONE("theirs-1"), "d1", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(IS_DUE, NULL), "true");
}

static void test_push__that_is_forged_changes_nothing(void)
{
    BEGIN("tripo", "lost");
    struct told told = push_tripo(token, DONE("evil-1"), "d1", "whsec_guessed");
    CHECK_TOLD(told, 401, "push_not_signed");
    told = push("/v1/webhooks/tripo", "", DONE("evil-1"));
    CHECK_TOLD(told, 401, "push_not_signed");
    char headers[500];
    sign(headers, sizeof headers, DONE("theirs-9"), "d1", time(NULL) - 3600, SECRET);
    told = push("/v1/webhooks/tripo", headers, DONE("theirs-9")); /* kept, and sent an hour later */
    CHECK_TOLD(told, 401, "push_not_signed");
    CHECK_TEXT(ask(STATE, NULL), "lost");
    CHECK_TEXT(ask(IS_DUE, NULL), "false");
    CHECK_TEXT(ask("select count(*) from pushes", NULL), "0");
}

static void test_push__the_same_again_does_nothing(void)
{
    BEGIN("tripo", "submitted");
    struct told told = push_tripo(token, DONE("theirs-1"), "d1", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_OK(sql("update tasks set next_at = now() + interval '1 hour'"));
    told = push_tripo(token, DONE("theirs-1"), "d1", SECRET);
    CHECK(told.status == 200 && body_has(&told, "\"taken\":false"));
    told_free(&told);
    CHECK_TEXT(ask(IS_DUE, NULL), "false");
    CHECK_TEXT(ask("select count(*) from pushes", NULL), "1");
}

static void test_push__deliveries_are_forgotten_after_a_week(void)
{
    BEGIN("tripo", "submitted");
    CHECK_OK(sql("insert into pushes (provider, delivery, at) values "
                 "('tripo', 'old', now() - interval '8 days'), "
                 "('tripo', 'young', now() - interval '6 days')"));
    struct told told = push_tripo(token, DONE("theirs-1"), "d1", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask("select string_agg(delivery, ' ' order by delivery) from pushes", NULL),
               "d1 young");
}

static void test_push__brings_back_a_task_that_was_lost(void)
{
    BEGIN("tripo", "lost");
    struct told told = push_tripo(token, DONE("theirs-7"), "d1", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(STATE, NULL), "submitted");
    CHECK_TEXT(ask("select provider_task from tasks", NULL), "theirs-7");
    CHECK_TEXT(ask(IS_DUE, NULL), "true");
    CHECK_TEXT(ask("select state from items", NULL), "generating");
    CHECK_TEXT(ask("select problem is null from items", NULL), "t");
    CHECK_TEXT(ask("select actor from events where event = 'task.found'", NULL), "provider:tripo");
    CHECK_TEXT(ask("select sum(credits)::int from ledger", NULL), "30"); /* still held for it */
}

static void test_push__needs_the_tasks_own_token_for_that(void)
{
    BEGIN("tripo", "in_doubt");
    struct told told = push_tripo("", DONE("theirs-7"), "d1", SECRET);
    CHECK_TOLD(told, 200, NULL); /* signed, but whose is it? */
    told = push_tripo("0123456789abcdef0123456789abcdef", DONE("theirs-7"), "d2", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(STATE, NULL), "in_doubt");
    CHECK_TEXT(ask("select provider_task from tasks", NULL), "");
}

static void test_push__that_is_early_is_to_be_sent_again(void)
{
    BEGIN("tripo", "submitting");
    struct told told = push_tripo(token, DONE("theirs-1"), "d1", SECRET);
    CHECK_TOLD(told, 503, "push_early");
    CHECK_TEXT(ask("select count(*) from pushes", NULL), "0");
    CHECK_OK(move("task", task, "task.in_doubt")); /* the answer never came */
    told = push_tripo(token, DONE("theirs-1"), "d1", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask("select state || provider_task from tasks", NULL), "submittedtheirs-1");
}

static void test_push__keeps_no_number_that_is_none(void)
{
    BEGIN("tripo", "lost");
    struct told told = push_tripo(token, DONE("../../user/balance"), "d1", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(STATE, NULL), "lost");
}

static void test_push__that_is_not_signed_needs_a_token(void)
{
    static const char body[] = "{\"id\":\"theirs-1\",\"status\":\"SUCCEEDED\",\"progress\":100}";
    char path[200];
    BEGIN("meshy", "submitted");
    struct told told = push("/v1/webhooks/meshy", "", body);
    CHECK_TOLD(told, 401, "push_not_signed");
    told = push("/v1/webhooks/meshy/" MESHY_TOKEN "x", "", body);
    CHECK_TOLD(told, 401, "push_not_signed");
    CHECK_TEXT(ask(IS_DUE, NULL), "false");
    told = push("/v1/webhooks/meshy/" MESHY_TOKEN, "", body);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(IS_DUE, NULL), "true");
    CHECK_OK(sql("update tasks set next_at = now() + interval '1 hour'"));
    snprintf(path, sizeof path, "/v1/webhooks/meshy/%s", token);
    told = push(path, "", body);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(IS_DUE, NULL), "true");
}

static void test_push__that_is_not_signed_brings_nothing_back(void)
{
    BEGIN("meshy", "lost");
    struct told told = push("/v1/webhooks/meshy/" MESHY_TOKEN, "",
                            "{\"id\":\"theirs-1\",\"status\":\"SUCCEEDED\"}");
    CHECK_TOLD(told, 200, NULL);
    char path[200];
    snprintf(path, sizeof path, "/v1/webhooks/meshy/%s", token);
    told = push(path, "", "{\"id\":\"theirs-1\",\"status\":\"SUCCEEDED\"}");
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(STATE, NULL), "lost");
}

static void test_push__of_low_credits_is_an_event(void)
{
    BEGIN("tripo", "submitted");
    struct told told = push_tripo(
        "", "{\"id\":\"e\",\"type\":\"balance.low\",\"data\":{\"balance\":12.5}}", "d5", SECRET);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(
        ask("select payload ->> 'balance' from events where event = 'provider.balance_low'", NULL),
        "12.500");
    CHECK_TEXT(ask("select balance from providers where id = 'tripo'", NULL), "12.500");
}

static void test_push__of_a_provider_that_pushes_nothing_is_unknown(void)
{
    BEGIN("tripo", "submitted");
    struct told told = push("/v1/webhooks/relief", "", "{}");
    CHECK_TOLD(told, 404, "unknown_provider");
    told = push("/v1/webhooks/nobody/x", "", "{}");
    CHECK_TOLD(told, 404, "unknown_provider");
}

static void test_push__has_a_cap(void)
{
    BEGIN("tripo", "submitted");
    size_t n = (1 << 20) + 1;
    char *body = calloc(1, n);
    struct told told = request_to(http_port, "POST", "/v1/webhooks/tripo", "", body, n);
    free(body);
    CHECK_TOLD(told, 413, "body_too_large");
}

/* --- keys that are fetched: Replicate's secret --------------------------------------------------
 */

static struct {
    int fd, port, asked, status;
    const char *body;
    pthread_t thread;
    atomic_bool stop;
} keys;

static void *serve_keys(void *user)
{
    (void)user;
    while (!atomic_load(&keys.stop)) {
        struct pollfd p = {.fd = keys.fd, .events = POLLIN};
        if (poll(&p, 1, 50) != 1)
            continue;
        char request[4000], answer[600];
        int fd = accept(keys.fd, NULL, NULL);
        if (fd < 0 || recv(fd, request, sizeof request, 0) <= 0)
            continue;
        keys.asked++;
        int n =
            snprintf(answer, sizeof answer,
                     "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s",
                     keys.status, strlen(keys.body), keys.body);
        say(fd, answer, (size_t)n);
        close(fd);
    }
    return NULL;
}

static int keys_start(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    char url[80];
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    keys.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    keys.asked = 0;
    atomic_store(&keys.stop, false);
    if (bind(keys.fd, (struct sockaddr *)&at, sizeof at) || listen(keys.fd, 8) ||
        getsockname(keys.fd, (struct sockaddr *)&at, &size) ||
        pthread_create(&keys.thread, NULL, serve_keys, NULL))
        return -1;
    keys.port = ntohs(at.sin_port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", keys.port);
    return setenv("STATUETTE_REPLICATE_URL", url, 1);
}

static void keys_stop(void)
{
    atomic_store(&keys.stop, true);
    pthread_join(keys.thread, NULL);
    close(keys.fd);
    unsetenv("STATUETTE_REPLICATE_URL");
}

/* Standard Webhooks: base64 of HMAC over "id.time.body"; the key is base64 behind whsec_. */
static struct told push_replicate(const char *id, const char *key, const char *body)
{
    uint8_t mac[HMAC_SHA256_BYTES];
    char headers[500], when[24], signature[80], path[200];
    snprintf(when, sizeof when, "%lld", (long long)time(NULL));
    const struct hash_part parts[] = {
        {id, strlen(id)}, {".", 1}, {when, strlen(when)}, {".", 1}, {body, strlen(body)}};
    hmac_sha256(mac, key, strlen(key), parts, 5);
    base64_encode(signature, mac, sizeof mac);
    snprintf(headers, sizeof headers,
             "webhook-id: %s\r\nWebhook-Timestamp: %s\r\nwebhook-signature: v1,%s\r\n", id, when,
             signature);
    snprintf(path, sizeof path, "/v1/webhooks/replicate/%s", token);
    return push(path, headers, body);
}

#define KEY_ONE "{\"key\":\"whsec_b25lb25lb25lb25lb25lb25l\"}"
#define KEY_TWO "{\"key\":\"whsec_dHdvdHdvdHdvdHdvdHdvdHdv\"}"
#define REPLICATE "{\"id\":\"theirs-1\",\"status\":\"succeeded\",\"output\":null}"

static void fetched_keys(void)
{
    struct told told = push_replicate("m1", "oneoneoneoneoneone", REPLICATE);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(IS_DUE, NULL), "true");
    told = push_replicate("m2", "oneoneoneoneoneone", REPLICATE);
    CHECK_TOLD(told, 200, NULL);
    CHECK(keys.asked == 1); /* kept for the second */
    told = push_replicate("m3", "somebodyelse", REPLICATE);
    CHECK_TOLD(told, 401, "push_not_signed");
    CHECK(keys.asked == 1); /* young keys are believed */
    /* the provider changes them */
    CHECK_OK(sql("update providers set keys_at = now() - interval '1 hour', keys_tried_at = null"));
    keys.body = KEY_TWO;
    told = push_replicate("m4", "twotwotwotwotwotwo", REPLICATE);
    CHECK_TOLD(told, 200, NULL);
    CHECK(keys.asked == 2);
}

static void test_push__keys_are_fetched_once_and_anew_when_they_change(void)
{
    BEGIN("replicate", "submitted");
    keys.status = 200;
    keys.body = KEY_ONE;
    CHECK(!keys_start());
    fetched_keys();
    keys_stop();
}

static void away_keys(void)
{
    struct told told = push_replicate("m1", "oneoneoneoneoneone", REPLICATE);
    CHECK_TOLD(told, 503, "push_keys_missing");
    told = push_replicate("m1", "oneoneoneoneoneone", REPLICATE);
    CHECK_TOLD(told, 503, "push_keys_missing");
    CHECK(keys.asked == 1); /* however many pushes come, the provider is asked rarely */
    CHECK_TEXT(ask(IS_DUE, NULL), "false");
    CHECK_OK(sql("update providers set keys_tried_at = null"));
    keys.status = 200;
    told = push_replicate("m1", "oneoneoneoneoneone", REPLICATE);
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask(IS_DUE, NULL), "true");
}

static void test_push__without_keys_is_to_be_sent_again(void)
{
    BEGIN("replicate", "submitted");
    keys.status = 500;
    keys.body = KEY_ONE;
    CHECK(!keys_start());
    away_keys();
    keys_stop();
}

/* --- resolving ----------------------------------------------------------------------------------
 */

static struct told resolve(const char *json)
{
    char path[120];
    snprintf(path, sizeof path, "/v1/tasks/%s/resolve", task);
    return post(path, "Statuette-User: ada\r\n", json);
}

static void test_resolve__found_goes_on(void)
{
    BEGIN("tripo", "lost");
    struct told told = resolve("{\"found\":\"theirs-3\",\"reason\":\"in the list\"}");
    CHECK(told.status == 200 && body_has(&told, "\"state\":\"submitted\""));
    told_free(&told);
    CHECK_TEXT(ask("select provider_task from tasks", NULL), "theirs-3");
    CHECK_TEXT(ask("select state from items", NULL), "generating");
    CHECK_TEXT(ask("select actor || ' ' || reason from events where event = 'task.found'", NULL),
               "user:ada in the list");
    CHECK_TEXT(ask("select actor from events where event = 'round.resumed'", NULL), "user:ada");
}

/* Its address is made of more than its number; that is kept with the number. */
static void test_resolve__found_makes_the_second_handle(void)
{
    BEGIN("meshy", "lost");
    struct told told = resolve("{\"found\":\"018a210d-8ba4\"}");
    CHECK_TOLD(told, 200, NULL);
    CHECK_TEXT(ask("select provider_aux from tasks", NULL), "image-to-3d");
}

static void test_resolve__refuses_what_cannot_be_asked_about(void)
{
    setenv("STATUETTE_RODIN_KEY", "x", 1);
    BEGIN("rodin", "lost");
    struct told told = resolve("{\"found\":\"d0c1\"}");
    CHECK_TOLD(told, 422, "handle_invalid"); /* rodin asks by its subscription key */
    CHECK_TEXT(ask(STATE, NULL), "lost");
    BEGIN("tripo", "lost");
    told = resolve("{\"found\":\"../x\"}");
    CHECK_TOLD(told, 422, "handle_invalid");
    CHECK_TEXT(ask(STATE, NULL), "lost");
}

static void test_resolve__not_made_costs_nothing(void)
{
    BEGIN("tripo", "lost");
    struct told told = resolve("{\"not_made\":true,\"reason\":\"not in the list\"}");
    CHECK(told.status == 200 && body_has(&told, "\"state\":\"failed\""));
    told_free(&told);
    CHECK_TEXT(ask("select sum(credits)::int from ledger", NULL), "0");
    CHECK_TEXT(ask("select state || ' ' || (problem ->> 'code') from items", NULL),
               "review provider_failed");
    told = resolve("{\"not_made\":true}");
    CHECK_TOLD(told, 409, "task_not_lost");
}

static void test_resolve__is_for_lost_tasks_alone(void)
{
    BEGIN("tripo", "submitted");
    struct told told = resolve("{\"found\":\"theirs-3\"}");
    CHECK_TOLD(told, 409, "task_not_lost");
    told = resolve("{\"not_made\":true}");
    CHECK_TOLD(told, 409, "task_not_lost");
    told = resolve("{}");
    CHECK_TOLD(told, 422, "schema_violation");
    told = resolve("{\"found\":\"a\",\"not_made\":true}");
    CHECK_TOLD(told, 422, "schema_violation");
    told = post("/v1/tasks/gen_nobody/resolve", "", "{\"not_made\":true}");
    CHECK_TOLD(told, 404, "not_found");
    CHECK_TEXT(ask(STATE, NULL), "submitted");
}

/* --- the list and the ledger --------------------------------------------------------------------
 */

static const cJSON *provider_of(const cJSON *page, const char *id)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(page, "providers"))
        if (strcmp(json_text(one, "id", ""), id) == 0)
            return one;
    return NULL;
}

static cJSON *page_of(const char *path)
{
    struct told told = get(path);
    cJSON *page = NULL;
    if (told.status != 200 || json_parse(&page, told.body, told.body_len, &err))
        page = NULL;
    told_free(&told);
    return page;
}

static void test_providers__tell_how_they_stand(void)
{
    BEGIN("tripo", "submitted");
    CHECK_OK(sql("insert into providers (id, circuit_until, circuit_reason) values "
                 "('meshy', now() + interval '1 hour', 'auth: no such key')"));
    cJSON *page = page_of("/v1/providers");
    const cJSON *tripo = provider_of(page, "tripo"), *meshy = provider_of(page, "meshy");
    CHECK(tripo && meshy);
    CHECK_TEXT(json_text(tripo, "state", ""), "configured");
    CHECK(json_number(tripo, "spent_today", -1) == 30);
    CHECK(json_number(tripo, "in_flight", -1) == 1);
    CHECK(json_number(json_get(tripo, "caps"), "day", -1) == 10000);
    CHECK_TEXT(json_text(meshy, "state", ""), "circuit_open");
    CHECK(strstr(json_text(meshy, "why", ""), "no such key"));
    CHECK_TEXT(json_text(provider_of(page, "stability"), "state", ""), "off");
    CHECK(strstr(json_text(provider_of(page, "stability"), "why", ""), "STATUETTE_STABILITY_KEY"));
    CHECK_TEXT(json_text(provider_of(page, "relief"), "state", ""), "ready");
    cJSON_Delete(page);
    CHECK_OK(move("task", task, "task.progress") || move("task", task, "task.finished") ||
             move("task", task, "task.stored") ||
             sql("update tasks set result_hash = 'x', chosen = true, updated_at = sent_at + "
                 "interval '40 seconds'"));
    page = page_of("/v1/providers");
    tripo = provider_of(page, "tripo");
    CHECK_TEXT(json_text(tripo, "state", ""), "ready");
    CHECK(json_number(tripo, "yield", -1) == 1 && json_number(tripo, "chosen_share", -1) == 1);
    CHECK(json_number(tripo, "median_s", -1) == 40);
    cJSON_Delete(page);
}

static void test_ledger__sums_what_was_asked_for(void)
{
    char path[200];
    BEGIN("tripo", "submitted");
    snprintf(path, sizeof path, "/v1/ledger?item=%s", item);
    cJSON *page = page_of(path);
    const cJSON *sum = cJSON_GetArrayItem(json_get(page, "sums"), 0);
    CHECK(cJSON_GetArraySize(json_get(page, "entries")) == 1);
    CHECK(json_number(sum, "credits", 0) == 30 && json_number(sum, "held", 0) == 30);
    CHECK(json_number(page, "total_cents", 0) == 30);
    cJSON_Delete(page);
    CHECK_OK(sql("select ledger_close(id, 20) from tasks"));
    page = page_of("/v1/ledger?limit=1");
    CHECK(cJSON_GetArraySize(json_get(page, "entries")) == 1);
    CHECK(json_number(json_get(page, "entries")->child, "credits", 0) == -10);
    CHECK(json_number(page, "total_cents", 0) == 20); /* of all, not of the page */
    snprintf(path, sizeof path, "/v1/ledger?limit=1&cursor=%s", json_text(page, "next_cursor", ""));
    cJSON_Delete(page);
    page = page_of(path);
    CHECK(json_number(json_get(page, "entries")->child, "credits", 0) == 30);
    cJSON_Delete(page);
    page = page_of("/v1/ledger?day=2001-02-03");
    CHECK(cJSON_GetArraySize(json_get(page, "entries")) == 0);
    cJSON_Delete(page);
    struct told told = get("/v1/ledger?day=2026-02-30");
    CHECK_TOLD(told, 400, "query_invalid");
    told = get("/v1/ledger?order=1%20or%201");
    CHECK_TOLD(told, 400, "query_invalid");
}

static void test_items__show_what_each_candidate_cost(void)
{
    char path[100];
    BEGIN("tripo", "submitted");
    CHECK_OK(sql("update tasks set score = '{\"points\":81.5}', chosen = true"));
    snprintf(path, sizeof path, "/v1/items/%s", item);
    cJSON *page = page_of(path);
    const cJSON *one = cJSON_GetArrayItem(json_get(page, "tasks"), 0);
    CHECK(json_number(one, "credits", 0) == 30 && json_bool(one, "chosen", false));
    CHECK(json_number(json_get(one, "score"), "points", 0) == 81.5);
    cJSON_Delete(page);
}

TESTS(TEST(test_push__makes_its_task_due_and_no_more),
      TEST(test_push__is_found_by_its_number_without_a_token),
      TEST(test_push__that_is_forged_changes_nothing), TEST(test_push__the_same_again_does_nothing),
      TEST(test_push__deliveries_are_forgotten_after_a_week),
      TEST(test_push__brings_back_a_task_that_was_lost),
      TEST(test_push__needs_the_tasks_own_token_for_that),
      TEST(test_push__that_is_early_is_to_be_sent_again),
      TEST(test_push__keeps_no_number_that_is_none),
      TEST(test_push__that_is_not_signed_needs_a_token),
      TEST(test_push__that_is_not_signed_brings_nothing_back),
      TEST(test_push__of_low_credits_is_an_event),
      TEST(test_push__of_a_provider_that_pushes_nothing_is_unknown), TEST(test_push__has_a_cap),
      TEST(test_push__keys_are_fetched_once_and_anew_when_they_change),
      TEST(test_push__without_keys_is_to_be_sent_again), TEST(test_resolve__found_goes_on),
      TEST(test_resolve__found_makes_the_second_handle),
      TEST(test_resolve__refuses_what_cannot_be_asked_about),
      TEST(test_resolve__not_made_costs_nothing), TEST(test_resolve__is_for_lost_tasks_alone),
      TEST(test_providers__tell_how_they_stand), TEST(test_ledger__sums_what_was_asked_for),
      TEST(test_items__show_what_each_candidate_cost))
