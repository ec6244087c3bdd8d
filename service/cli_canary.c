/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette provider canary [ID]`: the daily test of one provider, or of each that is on. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "service/canary.h"
#include "service/cli.h"
#include "service/log.h"

#define CANARIES_MOST 24

static atomic_bool stop_asked;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop_asked, true);
}

static void print_measures(const cJSON *measures)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, measures)
        if (cJSON_IsNumber(one))
            printf("  %-20s %10.4g\n", one->string, one->valuedouble);
}

static void print_canaries(const cJSON *answer)
{
    const cJSON *one, *moved;
    cJSON_ArrayForEach (one, json_get(answer, "canaries")) {
        bool alarm = cJSON_GetArraySize(json_get(one, "moved")) > 0;
        printf("%s%s%s: %s%s  order %s\n", cli_colour(1, alarm ? "red" : "green"),
               json_text(one, "provider", ""), cli_colour(1, "off"),
               alarm ? "has moved" : "as usual",
               json_bool(one, "known", false) ? " (measured before)" : "",
               json_text(one, "order_id", ""));
        print_measures(json_get(one, "measures"));
        cJSON_ArrayForEach (moved, json_get(one, "moved"))
            printf("  %s! %s is %.4g, usually %.4g, limit %.4g off%s %s\n", cli_colour(1, "red"),
                   json_text(moved, "measure", ""), json_number(moved, "now", 0),
                   json_number(moved, "usual", 0), json_number(moved, "limit", 0),
                   cli_colour(1, "off"), json_text(moved, "why", ""));
    }
}

static cJSON *canary_json(const struct canary *canary)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "provider", canary->provider);
    cJSON_AddStringToObject(o, "order_id", canary->order);
    cJSON_AddBoolToObject(o, "known", canary->known);
    cJSON_AddItemToObject(o, "measures", cJSON_Duplicate(canary->measures, true));
    cJSON_AddItemToObject(o, "moved", cJSON_Duplicate(canary->moved, true));
    return o;
}

/* Those that are to be tested: the one named, or each that is on and makes its models elsewhere. */
static int choose(const char *ids[CANARIES_MOST], size_t *count, const struct cli *cli,
                  const struct settings *settings, struct err *err)
{
    const struct provider_driver *driver;
    const char *named = cli->word_count ? cli->words[0] : NULL;
    *count = 0;
    for (size_t i = 0; (driver = provider_at(i)) && *count < CANARIES_MOST; i++) {
        struct provider_rules rules;
        if ((named && strcmp(named, driver->id) != 0) || (!named && driver->local))
            continue;
        if (provider_rules_load(&rules, driver, settings, err))
            return -1;
        if (rules.on)
            ids[(*count)++] = driver->id;
        provider_rules_free(&rules);
    }
    if (*count > 0)
        return 0;
    return named ? FAIL_CODE(err, ERR_ABSENT, "provider_off",
                             "%.40s is off or unknown; see provider list", named)
                 : FAIL_CODE(err, ERR_ABSENT, "provider_off", "no provider is on");
}

/* All are placed, then all are waited for: they are made beside one another. */
static int run_all(cJSON *list, bool *alarm, struct canary_run *run, const char *const *ids,
                   size_t count, struct err *err)
{
    struct canary canaries[CANARIES_MOST];
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++)
        failed = canary_place(&canaries[i], run, ids[i], err);
    for (size_t i = 0; i < count && !failed; i++) {
        failed = canary_measure(&canaries[i], run, err);
        if (!failed) {
            *alarm |= cJSON_GetArraySize(canaries[i].moved) > 0;
            cJSON_AddItemToArray(list, canary_json(&canaries[i]));
        }
        canary_free(&canaries[i]);
    }
    return failed ? -1 : 0;
}

int cli_provider_canary(const struct cli *cli, struct err *err)
{
    struct settings settings;
    struct canary_run run = {.stop = &stop_asked};
    struct sigaction action = {.sa_handler = on_signal};
    const char *ids[CANARIES_MOST];
    size_t count;
    bool alarm = false;
    if (settings_load(&settings, err) || choose(ids, &count, cli, &settings, err) ||
        cli_number(&run.wait_s, cli, "--wait", 1800, 1, 86400, err))
        return -1;
    log_open(LOG_ERROR, "canary");
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (canary_run_open(&run, &settings, err))
        return -1;
    cJSON *answer = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(answer, "canaries");
    int failed = run_all(list, &alarm, &run, ids, count, err);
    canary_run_close(&run);
    if (failed) {
        cJSON_Delete(answer);
        return -1;
    }
    return cli_tell(cli, answer, print_canaries, err) ? -1 : alarm ? EXIT_CHECK_FAILED : EXIT_OK;
}
