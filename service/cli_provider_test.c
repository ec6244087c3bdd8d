/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `statuette provider test ID`: the cheapest honest check. Settings, then one request that costs
 * nothing and tells as much as the provider has a question for: its balance, else its health, else
 * that something answers there. Whatever was learnt is said, up to the first thing that is wrong.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "intake/provider/reading.h"
#include "intake/provider/request.h"
#include "service/cli.h"
#include "service/provider_rules.h"
#include "storage/cluster.h"
#include "storage/db.h"

#define CLOCK_MOST_S 60 /* signatures of pushes are good for five minutes */

struct probe {
    struct settings settings;
    struct provider_rules rules;
    const struct provider_driver *driver;
    cJSON *checks;
    double balance; /* -1 not told */
    struct err failure;
};

/* result: ok, warn, failed, or skip where it cannot be known without paying. */
static void note(struct probe *p, const char *check, const char *result, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static void note(struct probe *p, const char *check, const char *result, const char *fmt, ...)
{
    char words[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "check", check);
    cJSON_AddStringToObject(o, "result", result);
    cJSON_AddStringToObject(o, "detail", words);
    cJSON_AddItemToArray(p->checks, o);
}

/* --- settings -----------------------------------------------------------------------------------
 */

/* A key that was pasted with a line end or a blank, or cut, is found before it is sent. */
static int check_settings(struct probe *p, struct err *err)
{
    const char *key = p->rules.key;
    size_t n = strlen(key), plain = 0;
    if (!p->driver->needs_key && !n) {
        note(p, "settings", "ok", "no key is needed");
        return 0;
    }
    while (plain < n && key[plain] > ' ' && key[plain] < 0x7f)
        plain++;
    if (plain < n || n < 8) {
        note(p, "settings", "failed", "%s",
             n < 8 ? "the key is too short to be one"
                   : "a blank or an odd character is in the key");
        return FAIL_CODE(err, ERR_INPUT, "provider_key_form", "the key of %s cannot be right: %s",
                         p->driver->id,
                         n < 8 ? "it is too short" : "it has a blank or an odd character");
    }
    note(p, "settings", "ok", "a key of %zu characters is set", n);
    return 0;
}

/* --- the one request ----------------------------------------------------------------------------
 */

static const char *address_of(const struct probe *p)
{
    return *p->rules.url ? p->rules.url : p->driver->default_url;
}

static int away(struct probe *p, const struct err *why, struct err *err)
{
    bool https = strncmp(address_of(p), "https:", 6) == 0;
    bool tls = https && (strstr(why->what, "SSL") || strstr(why->what, "certificate") ||
                         strstr(why->what, "TLS"));
    note(p, "reach", tls ? "ok" : "failed", "%s: %s", address_of(p),
         tls ? "something answers" : why->what);
    if (tls)
        note(p, "tls", "failed", "%s", why->what);
    return FAIL_CODE(err, ERR_LATER, "provider_away", "%s does not answer at %.80s: %.80s",
                     p->driver->id, address_of(p), why->what);
}

static void note_answer(struct probe *p, const struct http_answer *answer, double took_s)
{
    int64_t theirs = answer_date(answer);
    double apart = theirs ? difftime(time(NULL), (time_t)theirs) : 0;
    note(p, "reach", "ok", "%s answered %d in %.0f ms", address_of(p), answer->status,
         took_s * 1000);
    if (strncmp(address_of(p), "https:", 6) == 0)
        note(p, "tls", "ok", "the certificate is good");
    else
        note(p, "tls", p->driver->self_hosted ? "ok" : "warn", "http: nothing is encrypted");
    if (!theirs)
        note(p, "clock", "skip", "the answer has no date");
    else if (fabs(apart) > CLOCK_MOST_S)
        note(p, "clock", "warn", "ours is %.0f s %s; set it, or its signatures are not believed",
             fabs(apart), apart > 0 ? "ahead" : "behind");
    else
        note(p, "clock", "ok", "%.0f s apart", fabs(apart));
}

static int send_timed(struct http_answer *answer, double *took_s,
                      const struct http_request *request, struct err *err)
{
    double begun = clock_s();
    int failed = http_send(answer, request, err);
    *took_s = clock_s() - begun;
    return failed;
}

/* One op, asked and read; aux of a second try is in *aux. */
static int ask_once(struct provider_reading *reading, struct http_answer *answer, double *took_s,
                    struct probe *p, enum provider_op op, const char *aux, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(&p->rules);
    struct generation_spec spec = {.seed = -1};
    struct provider_call call = {.settings = &settings, .spec = &spec, .aux = aux};
    struct http_request request = {0};
    struct err why = {0};
    if (p->driver->request(&request, op, &call, err))
        return -1;
    int failed = 0;
    if (send_timed(answer, took_s, &request, &why))
        failed = away(p, &why, err);
    failed = failed || p->driver->read(reading, op, &call, answer, err);
    http_request_free(&request);
    return failed ? -1 : 0;
}

static int judge(struct probe *p, enum provider_op op, const struct provider_reading *r,
                 struct err *err)
{
    const char *unit = json_text(p->rules.config, "unit", "");
    if (r->error != PROVIDER_OK) {
        note(p, p->driver->needs_key ? "key" : "health", "failed", "%s: %s",
             provider_error_name(r->error), *r->message ? r->message : "no reason given");
        return FAIL_CODE(err, ERR_LATER, "provider_refused", "%s refuses (%s): %.120s",
                         p->driver->id, provider_error_name(r->error), r->message);
    }
    note(p, p->driver->needs_key ? "key" : "health", "ok", "%s",
         p->driver->needs_key ? "accepted" : "it is there");
    if (op != OP_BALANCE) {
        note(p, "balance", "skip", "it has no question for that");
        return 0;
    }
    p->balance = r->balance;
    if (r->frozen > 0)
        note(p, "balance", r->balance > 0 ? "ok" : "warn", "%g %s, %g more are held", r->balance,
             unit, r->frozen);
    else
        note(p, "balance", r->balance > 0 ? "ok" : "warn", "%g %s", r->balance, unit);
    return 0;
}

static int ask_op(struct probe *p, enum provider_op op, struct err *err)
{
    struct provider_reading reading = {0};
    struct http_answer answer = {0};
    double took_s = 0;
    int failed = ask_once(&reading, &answer, &took_s, p, op, NULL, err);
    if (!failed && reading.retry == RETRY_ONCE && reading.aux) {
        char *aux = reading.aux;
        reading.aux = NULL;
        provider_reading_free(&reading);
        http_answer_free(&answer);
        answer = (struct http_answer){0};
        failed = ask_once(&reading, &answer, &took_s, p, op, aux, err);
        free(aux);
    }
    if (!failed) {
        note_answer(p, &answer, took_s);
        failed = judge(p, op, &reading, err);
    }
    provider_reading_free(&reading);
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

/* A provider without a free question: any answer says that it is there, none that the key is good.
 */
static int reach(struct probe *p, struct err *err)
{
    struct http_request request = {0};
    struct http_answer answer = {0};
    struct err why = {0};
    double took_s = 0;
    int failed = call_start(&request, "GET", address_of(p), err, "/");
    if (!failed && send_timed(&answer, &took_s, &request, &why))
        failed = away(p, &why, err);
    if (!failed) {
        note_answer(p, &answer, took_s);
        note(p, "key", "skip", "nothing that is free would tell whether it is accepted");
        note(p, "balance", "skip", "it has no question for that");
    }
    http_request_free(&request);
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

static int probe_all(struct probe *p, struct err *err)
{
    if (p->driver->local) {
        note(p, "settings", "ok", "it is built in");
        return 0;
    }
    if (check_settings(p, err))
        return -1;
    if (p->driver->ops & OP_BIT(OP_BALANCE))
        return ask_op(p, OP_BALANCE, err);
    if (p->driver->ops & OP_BIT(OP_HEALTH))
        return ask_op(p, OP_HEALTH, err);
    return reach(p, err);
}

/* --- what was learnt ----------------------------------------------------------------------------
 */

/* For the list and the caps, where a database is at hand; without one nothing is lost. */
static void keep_balance(const struct probe *p)
{
    char conninfo[1200], folder[600], balance[32];
    struct db *db = NULL;
    struct err why = {0};
    snprintf(conninfo, sizeof conninfo, "%s", p->settings.database);
    snprintf(folder, sizeof folder, "%s/postgres", p->settings.var_folder);
    if (p->balance < 0 || (!*conninfo && cluster_find(conninfo, folder, &why)))
        return;
    snprintf(balance, sizeof balance, "%.3f", p->balance);
    if (db_open(&db, conninfo, &why) ||
        DB_RUN(NULL, db, "generation_balance", &why, p->driver->id, balance))
        fprintf(stderr, "statuette: the balance was not kept: %s\n", why.what);
    db_close(db);
}

static void print_checks(const cJSON *answer)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(answer, "checks")) {
        const char *result = json_text(one, "result", "");
        const char *colour = strcmp(result, "ok") == 0       ? "green"
                             : strcmp(result, "failed") == 0 ? "red"
                             : strcmp(result, "warn") == 0   ? "yellow"
                                                             : "dim";
        printf("  %-9s %s%-7s%s %s\n", json_text(one, "check", ""), cli_colour(1, colour), result,
               cli_colour(1, "off"), json_text(one, "detail", ""));
    }
    printf("%s: %s; it cost nothing\n", json_text(answer, "id", ""),
           json_text(answer, "state", ""));
}

static int tell(const struct cli *cli, struct probe *p, bool failed, struct err *err)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "id", p->driver->id);
    cJSON_AddStringToObject(answer, "state", failed ? "cannot be used" : "can be used");
    cJSON_AddBoolToObject(answer, "usable", !failed);
    cJSON_AddNumberToObject(answer, "cost", 0);
    if (p->balance >= 0)
        cJSON_AddNumberToObject(answer, "balance", p->balance);
    cJSON_AddItemToObject(answer, "checks", p->checks);
    p->checks = NULL;
    return cli_tell(cli, answer, print_checks, err);
}

static int run_probe(const struct cli *cli, struct probe *p, struct err *err)
{
    if (!p->rules.on) {
        char why[260];
        provider_rules_why_off(why, sizeof why, &p->rules);
        return FAIL_CODE(err, ERR_ABSENT, "provider_off", "%s is off: %.150s", p->driver->id, why);
    }
    p->checks = cJSON_CreateArray();
    bool failed = probe_all(p, &p->failure) != 0;
    if (!failed)
        keep_balance(p);
    if (tell(cli, p, failed, err))
        return -1;
    if (failed)
        *err = p->failure;
    return failed ? -1 : EXIT_OK;
}

int cli_provider_test(const struct cli *cli, struct err *err)
{
    struct probe p = {.driver = provider_find(cli->words[0]), .balance = -1};
    if (!p.driver)
        return FAIL_CODE(err, ERR_ABSENT, "unknown_provider",
                         "no provider \"%.40s\"; see provider list", cli->words[0]);
    if (settings_load(&p.settings, err) ||
        provider_rules_load(&p.rules, p.driver, &p.settings, err))
        return -1;
    int code = run_probe(cli, &p, err);
    provider_rules_free(&p.rules);
    return code;
}
