/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette provider list|ledger|resolve`: how the makers of models stand, what they cost, and
 * what became of a task that was lost. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/request.h"
#include "service/cli.h"
#include "service/cli_client.h"
#include "service/provider_rules.h"

/* --- list ---------------------------------------------------------------------------------------
 */

static const char *colour_of(const char *state)
{
    return strcmp(state, "ready") == 0          ? "green"
           : strcmp(state, "circuit_open") == 0 ? "red"
           : strcmp(state, "off") == 0          ? "dim"
                                                : "yellow";
}

/* Cents as money; "-" where the shop has not said what a unit costs. */
static const char *money(char out[24], const cJSON *o, const char *name)
{
    if (json_number(o, "unit_cents", 0) > 0)
        snprintf(out, 24, "%.2f", json_number(o, name, 0) / 100);
    else
        snprintf(out, 24, "-");
    return out;
}

static const char *number_or_dash(char out[24], const cJSON *o, const char *name, double by,
                                  const char *unit)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(o, name);
    if (cJSON_IsNumber(value))
        snprintf(out, 24, "%.0f%s", value->valuedouble * by, unit);
    else
        snprintf(out, 24, "-");
    return out;
}

static void print_provider(const cJSON *o)
{
    char today[24], all[24], balance[24], yield[24], chosen[24], median[24];
    const char *state = json_text(o, "state", "");
    printf("%-12s %s%-12s%s %9s %9s %9s %7.0f %7.0f %7s %7s %7s", json_text(o, "id", ""),
           cli_colour(1, colour_of(state)), state, cli_colour(1, "off"),
           money(today, o, "spent_today_cents"), money(all, o, "spent_cents"),
           number_or_dash(balance, o, "balance", 1, ""), json_number(o, "waiting", 0),
           json_number(o, "in_flight", 0), number_or_dash(yield, o, "yield", 100, " %"),
           number_or_dash(chosen, o, "chosen_share", 100, " %"),
           number_or_dash(median, o, "median_s", 1, " s"));
    if (json_number(o, "lost", 0) > 0)
        printf("  %s%.0f lost%s", cli_colour(1, "red"), json_number(o, "lost", 0),
               cli_colour(1, "off"));
    printf("%s%s\n", *json_text(o, "why", "") ? "  " : "", json_text(o, "why", ""));
}

static void print_providers(const cJSON *answer)
{
    const cJSON *one;
    printf("%s%-12s %-12s %9s %9s %9s %7s %7s %7s %7s %7s%s\n", cli_colour(1, "bold"), "provider",
           "state", "today", "in all", "balance", "waiting", "at work", "yield", "chosen", "median",
           cli_colour(1, "off"));
    cJSON_ArrayForEach (one, json_get(answer, "providers"))
        print_provider(one);
}

static void print_settings(const cJSON *answer)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(answer, "providers"))
        printf("%-12s %-11s %s%s%s%s\n", json_text(one, "id", ""), json_text(one, "state", ""),
               json_text(one, "summary", ""), *json_text(one, "why", "") ? " (" : "",
               json_text(one, "why", ""), *json_text(one, "why", "") ? ")" : "");
}

static cJSON *settings_json(const struct provider_driver *driver, const struct settings *settings)
{
    struct provider_rules rules;
    struct err why = {0};
    char words[260] = "";
    cJSON *o = cJSON_CreateObject();
    bool wrong = provider_rules_load(&rules, driver, settings, &why) != 0;
    if (wrong)
        snprintf(words, sizeof words, "%s", why.what);
    else if (!rules.on)
        provider_rules_why_off(words, sizeof words, &rules);
    cJSON_AddStringToObject(o, "id", driver->id);
    cJSON_AddStringToObject(o, "summary", driver->summary);
    cJSON_AddStringToObject(o, "state",
                            wrong || !rules.on ? "off"
                            : driver->local    ? "ready"
                                               : "configured");
    cJSON_AddStringToObject(o, "why", words);
    provider_rules_free(&rules);
    return o;
}

/* What this process was given alone: nothing runs that could say more. */
static int list_settings(const struct cli *cli, struct err *err)
{
    struct settings settings;
    const struct provider_driver *driver;
    if (settings_load(&settings, err))
        return -1;
    cJSON *answer = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(answer, "providers");
    for (size_t i = 0; (driver = provider_at(i)); i++)
        cJSON_AddItemToArray(list, settings_json(driver, &settings));
    if (!cli->quiet)
        fprintf(stderr, "statuette: the service does not answer; this is what is set here\n");
    return cli_tell(cli, answer, print_settings, err);
}

int cli_provider_list(const struct cli *cli, struct err *err)
{
    cJSON *answer;
    struct err why = {0};
    struct api_call call = {.method = "GET", .path = "/v1/providers"};
    if (api_send(&answer, &call, &why) == 0)
        return cli_tell(cli, answer, print_providers, err);
    if (strcmp(why.code, "service_away") == 0)
        return list_settings(cli, err);
    *err = why;
    return -1;
}

/* --- ledger -------------------------------------------------------------------------------------
 */

static void print_ledger(const cJSON *answer)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(answer, "entries"))
        printf("%.19s  %-12s %-8s %9.2f  %s  %s\n", json_text(one, "at", ""),
               json_text(one, "provider", ""), json_text(one, "kind", ""),
               json_number(one, "credits", 0), json_text(one, "task_id", ""),
               json_text(one, "order_id", ""));
    if (json_text(answer, "next_cursor", NULL))
        printf("(there are older ones; the sums below are of all)\n");
    cJSON_ArrayForEach (one, json_get(answer, "sums")) {
        double held = json_number(one, "held", 0);
        printf("%s%-12s%s %9.2f %-8s = %9.2f  of %.0f tasks", cli_colour(1, "bold"),
               json_text(one, "provider", ""), cli_colour(1, "off"), json_number(one, "credits", 0),
               json_text(one, "unit", ""), json_number(one, "cents", 0) / 100,
               json_number(one, "tasks", 0));
        if (held != 0)
            printf("; %.2f of it held for what is under way or lost", held);
        putchar('\n');
    }
    printf("in all %.2f\n", json_number(answer, "total_cents", 0) / 100);
}

static int add_query(struct bytes *path, const struct cli *cli, const char *option,
                     const char *name, struct err *err)
{
    const char *value = cli_text(cli, option, NULL);
    if (!value)
        return 0;
    char *encoded = url_encode(value);
    int failed = encoded ? bytes_printf(path, err, "&%s=%s", name, encoded)
                         : FAIL(err, ERR_LIMIT, "no memory");
    free(encoded);
    return failed;
}

int cli_provider_ledger(const struct cli *cli, struct err *err)
{
    struct bytes path = {.limit = 2000};
    double limit;
    cJSON *answer = NULL;
    if (cli_number(&limit, cli, "--limit", 50, 1, 1000, err))
        return -1;
    int failed = bytes_printf(&path, err, "/v1/ledger?limit=%.0f", floor(limit)) ||
                 add_query(&path, cli, "--day", "day", err) ||
                 add_query(&path, cli, "--order", "order", err) ||
                 add_query(&path, cli, "--item", "item", err);
    struct api_call call = {.method = "GET", .path = (const char *)path.data};
    failed = failed || api_send(&answer, &call, err);
    bytes_free(&path);
    return failed ? -1 : cli_tell(cli, answer, print_ledger, err);
}

/* --- resolve ------------------------------------------------------------------------------------
 */

static void print_resolved(const cJSON *answer)
{
    printf("%s is now %s\n", json_text(answer, "id", ""), json_text(answer, "state", ""));
    if (strcmp(json_text(answer, "state", ""), "failed") == 0)
        printf("It costs nothing. `statuette review revise %s --regenerate --reason ...` asks for "
               "another.\n",
               json_text(answer, "item_id", ""));
}

int cli_provider_resolve(const struct cli *cli, struct err *err)
{
    char path[256];
    const char *found = cli_text(cli, "--found", NULL), *aux = cli_text(cli, "--aux", NULL);
    bool not_made = cli_flag(cli, "--not-made");
    cJSON *answer = NULL;
    if (!found == !not_made)
        return FAIL_CODE(err, ERR_INPUT, "usage",
                         "provider resolve needs either --found ID or --not-made");
    cJSON *body = cJSON_CreateObject();
    if (found)
        cJSON_AddStringToObject(body, "found", found);
    else
        cJSON_AddTrueToObject(body, "not_made");
    if (aux)
        cJSON_AddStringToObject(body, "aux", aux);
    cJSON_AddStringToObject(body, "reason", cli_text(cli, "--reason", ""));
    struct api_call call = {.method = "POST", .path = path, .body = body};
    int failed = api_path(path, "/v1/tasks/", cli->words[0], "/resolve", err) ||
                 api_send(&answer, &call, err);
    cJSON_Delete(body);
    return failed ? -1 : cli_tell(cli, answer, print_resolved, err);
}
