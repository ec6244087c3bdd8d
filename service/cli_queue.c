/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette queue list|explain`, `run good|scrap` and `printer list|add|clear|pause|resume`. */
#include <stdio.h>
#include <string.h>

#include "service/cli.h"
#include "service/cli_client.h"

static int get(const struct cli *cli, const char *path, void (*print)(const cJSON *),
               struct err *err)
{
    cJSON *answer;
    struct api_call call = {.method = "GET", .path = path};
    return api_send(&answer, &call, err) ? -1 : cli_tell(cli, answer, print, err);
}

static int post(const struct cli *cli, const char *before, const char *after, const cJSON *body,
                struct err *err)
{
    char path[256];
    cJSON *answer = NULL;
    struct api_call call = {.method = "POST", .path = path, .body = body};
    if (api_path(path, before, cli->words[0], after, err) || api_send(&answer, &call, err))
        return -1;
    int code = 0;
    if (cli->json && answer)
        code = cli_print_json(answer, err);
    else
        printf("%s is now %s\n", cli->words[0], json_text(answer, "state", "changed"));
    cJSON_Delete(answer);
    return code;
}

static void print_queue(const cJSON *answer)
{
    const cJSON *run;
    cJSON_ArrayForEach (run, json_get(answer, "runs"))
        printf("%s  %-10s part %s  %s/%s  %.0f min  %.0f g  %s\n", json_text(run, "id", ""),
               json_text(run, "state", ""), json_text(run, "part_code", ""),
               json_text(run, "printer_class", ""), json_text(run, "material", ""),
               json_number(run, "print_time_s", 0) / 60, json_number(run, "filament_g", 0),
               json_text(run, "printer_id", "waits"));
}

int cli_queue_list(const struct cli *cli, struct err *err)
{
    return get(cli, "/v1/queue", print_queue, err);
}

static void print_explanation(const cJSON *answer)
{
    const cJSON *run, *printer;
    cJSON_ArrayForEach (run, json_get(answer, "runs")) {
        printf("%s\n", json_text(run, "id", ""));
        cJSON_ArrayForEach (printer, json_get(run, "printers"))
            printf("  %-16s %s\n", json_text(printer, "printer_id", ""),
                   json_text(printer, "sentence", ""));
    }
}

int cli_queue_explain(const struct cli *cli, struct err *err)
{
    return get(cli, "/v1/queue/explain", print_explanation, err);
}

int cli_run_verdict(const struct cli *cli, struct err *err)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "verdict",
                            strcmp(cli->command->name, "run good") ? "scrap" : "good");
    cJSON_AddStringToObject(body, "reason", cli_text(cli, "--reason", ""));
    int code = post(cli, "/v1/runs/", "/verdict", body, err);
    cJSON_Delete(body);
    return code;
}

static void print_printers(const cJSON *answer)
{
    const cJSON *printer;
    cJSON_ArrayForEach (printer, json_get(answer, "printers"))
        printf("%-16s %-14s bed %-9s %s/%s  %s\n", json_text(printer, "id", ""),
               json_text(printer, "state", ""),
               json_bool(printer, "bed_clear", false) ? "clear" : "not clear",
               json_text(printer, "printer_class", ""), json_text(printer, "material", ""),
               json_text(printer, "run_id", ""));
}

int cli_printer_list(const struct cli *cli, struct err *err)
{
    return get(cli, "/v1/printers", print_printers, err);
}

int cli_printer_add(const struct cli *cli, struct err *err)
{
    const char *url = cli_text(cli, "--url", NULL);
    cJSON *answer = NULL, *body;
    struct api_call call = {.method = "POST", .path = "/v1/printers"};
    if (!url)
        return FAIL_CODE(err, ERR_INPUT, "usage", "printer add needs --url");
    call.body = body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "id", cli->words[0]);
    cJSON_AddStringToObject(body, "name", cli_text(cli, "--name", cli->words[0]));
    cJSON_AddStringToObject(body, "driver", cli_text(cli, "--driver", "octoprint"));
    cJSON_AddStringToObject(body, "url", url);
    cJSON_AddStringToObject(body, "api_key", cli_text(cli, "--api-key", ""));
    cJSON_AddStringToObject(body, "printer_class", cli_text(cli, "--class", "ender3v3se"));
    cJSON_AddStringToObject(body, "material", cli_text(cli, "--material", "pla"));
    int code = api_send(&answer, &call, err);
    if (!code && cli->json)
        code = cli_print_json(answer, err);
    else if (!code)
        printf("%s added; confirm its bed with: statuette printer clear %s\n", cli->words[0],
               cli->words[0]);
    cJSON_Delete(body);
    cJSON_Delete(answer);
    return code;
}

int cli_printer_clear(const struct cli *cli, struct err *err)
{
    return post(cli, "/v1/printers/", "/clear", NULL, err);
}

int cli_printer_pause(const struct cli *cli, struct err *err)
{
    return post(cli, "/v1/printers/", "/pause", NULL, err);
}

int cli_printer_resume(const struct cli *cli, struct err *err)
{
    return post(cli, "/v1/printers/", "/resume", NULL, err);
}
