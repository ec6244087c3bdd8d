/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette review next|pass|revise|reject`. A decision is bound to the version that was seen. */
#include <stdio.h>
#include <string.h>

#include "service/cli.h"
#include "service/cli_client.h"

static int get_item(cJSON **item, const char *id, struct err *err)
{
    char path[256];
    struct api_call call = {.method = "GET", .path = path};
    return api_path(path, "/v1/items/", id, "", err) || api_send(item, &call, err) ? -1 : 0;
}

/* What it takes to print, as far as it was sliced ahead. */
static void print_slices(const cJSON *slices)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, slices) {
        const cJSON *problem = json_get(one, "problem"), *second = json_get(one, "second_opinion");
        printf("  %s, %s: ", json_text(one, "printer_class", ""), json_text(one, "engine", ""));
        if (cJSON_IsObject(problem))
            printf("%s\n", json_text(problem, "message", "it cannot be sliced"));
        else
            printf("%.0f min, %.1f g, %.0f layers%s%s\n", json_number(one, "print_time_s", 0) / 60,
                   json_number(one, "filament_g", 0), json_number(one, "layer_count", 0),
                   cJSON_IsObject(second) ? ", second opinion: " : "",
                   json_text(second, "verdict", ""));
    }
}

static void print_review(const cJSON *item)
{
    const cJSON *model = json_get(item, "model");
    const cJSON *problem = json_get(item, "problem");
    printf("%s%s%s  %s  %s, waits in %s\n", cli_colour(1, "bold"), json_text(item, "id", ""),
           cli_colour(1, "off"), json_text(item, "template", ""), json_text(item, "name", ""),
           json_text(item, "state", ""));
    if (cJSON_IsObject(problem))
        printf("  %s\n", json_text(problem, "message", ""));
    cli_print_findings(model);
    print_slices(json_get(item, "slices"));
    printf("  3MF %s\n", json_text(model, "threemf_hash", "none"));
    printf("  statuette review pass %s\n", json_text(item, "id", ""));
}

int cli_review_next(const struct cli *cli, struct err *err)
{
    cJSON *answer;
    struct api_call call = {.method = "GET", .path = "/v1/reviews?limit=1"};
    if (api_send(&answer, &call, err))
        return -1;
    const cJSON *item = cJSON_GetArrayItem(json_get(answer, "reviews"), 0);
    int code = item ? 0 : FAIL_CODE(err, ERR_ABSENT, "no_review", "no review is waiting");
    if (item && cli->json)
        code = cli_print_json(item, err);
    else if (item)
        print_review(item);
    cJSON_Delete(answer);
    return code;
}

/* Options of `review revise` as members for the next preparation. */
static int revise_options(cJSON *body, const struct cli *cli, struct err *err)
{
    double height, flatten;
    const char *orient = cli_text(cli, "--orient", NULL);
    if (cli_number(&height, cli, "--height", 0, 1, 1000, err) ||
        cli_number(&flatten, cli, "--flatten", -1, 0, 50, err))
        return -1;
    cJSON *options = cJSON_AddObjectToObject(body, "options");
    if (height > 0)
        cJSON_AddNumberToObject(options, "height_mm", height);
    if (flatten >= 0)
        cJSON_AddNumberToObject(options, "flatten_mm", flatten);
    if (orient)
        cJSON_AddStringToObject(options, "orient", orient);
    if (cli_flag(cli, "--text"))
        cJSON_AddStringToObject(options, "text", cli_text(cli, "--text", ""));
    if (cli_flag(cli, "--regenerate"))
        cJSON_AddTrueToObject(body, "regenerate");
    return 0;
}

static int decide(const struct cli *cli, const char *decision, struct err *err)
{
    char path[256], match[32];
    cJSON *item = NULL, *answer = NULL, *body = cJSON_CreateObject();
    struct api_call call = {.method = "POST", .path = path, .body = body, .if_match = match};
    cJSON_AddStringToObject(body, "decision", decision);
    cJSON_AddStringToObject(body, "reason", cli_text(cli, "--reason", ""));
    int code = get_item(&item, cli->words[0], err);
    if (!code) {
        const char *hash = json_text(json_get(item, "model"), "threemf_hash", "");
        snprintf(match, sizeof match, "\"%.0f\"", json_number(item, "version", 0));
        if (strcmp(decision, "pass") == 0)
            cJSON_AddStringToObject(body, "threemf_hash", hash);
        if (strcmp(decision, "revise") == 0)
            code = revise_options(body, cli, err);
    }
    if (!code)
        code = api_path(path, "/v1/items/", cli->words[0], "/review", err) ||
                       api_send(&answer, &call, err)
                   ? -1
                   : 0;
    if (!code && cli->json)
        code = cli_print_json(answer, err);
    else if (!code)
        printf("%s is now %s\n", cli->words[0], json_text(answer, "state", ""));
    cJSON_Delete(item);
    cJSON_Delete(body);
    cJSON_Delete(answer);
    return code;
}

int cli_review_pass(const struct cli *cli, struct err *err)
{
    return decide(cli, "pass", err);
}

int cli_review_revise(const struct cli *cli, struct err *err)
{
    return decide(cli, "revise", err);
}

int cli_review_reject(const struct cli *cli, struct err *err)
{
    return decide(cli, "reject", err);
}
