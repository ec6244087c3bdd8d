/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette photo check`. */
#include <stdio.h>
#include <string.h>

#include "service/cli_files.h"

static void print_for_people(const cJSON *result, const char *verdict)
{
    const cJSON *report = json_get(result, "report");
    printf("%s%s%s: %s, %.0f x %.0f pixels\n",
           cli_colour(1, strcmp(verdict, "pass") == 0 ? "green" : "yellow"), verdict,
           cli_colour(1, "off"), json_text(result, "format", ""), json_number(result, "width", 0),
           json_number(result, "height", 0));
    cli_print_findings(report);
}

int cli_photo_check(const struct cli *cli, struct err *err)
{
    struct file_work work;
    const char *out = cli_text(cli, "-o", NULL), *cutout = cli_text(cli, "--cutout", NULL);
    if (file_work_open(&work, cli->words[0], err))
        return -1;
    int code = file_work_run(&work, "photo", err);
    if (!code && out)
        code = file_work_give(&work, "normal.png", out, err);
    if (!code && cutout)
        code = file_work_give(&work, "cutout.png", cutout, err);
    if (!code) {
        const char *verdict = json_text(json_get(work.result, "report"), "verdict", "reject");
        if (cli->json)
            code = cli_print_json(work.result, err);
        else
            print_for_people(work.result, verdict);
        if (!code && strcmp(verdict, "reject") == 0)
            code = EXIT_CHECK_FAILED;
    }
    file_work_close(&work);
    return code;
}
