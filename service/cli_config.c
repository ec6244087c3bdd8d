/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette config check`: what is wrong in the files that a shop may change, all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/cli.h"
#include "service/config_check.h"

static void print_fault(const cJSON *fault)
{
    const char *path = json_text(fault, "path", "");
    printf("%s%s%s%s%s%s%s%s: %s\n", cli_colour(1, "bold"), json_text(fault, "file", "?"),
           cli_colour(1, "off"), json_bool(fault, "built_in", false) ? " (built in)" : "",
           *path ? " " : "", cli_colour(1, "yellow"), path, cli_colour(1, "off"),
           json_text(fault, "message", "?"));
}

static int count_files(const cJSON *faults)
{
    const cJSON *one;
    const char *last = "";
    int count = 0;
    cJSON_ArrayForEach (one, faults) {
        const char *file = json_text(one, "file", "?");
        count += strcmp(file, last) != 0;
        last = file;
    }
    return count;
}

static void print_report(const cJSON *report)
{
    const cJSON *faults = json_get(report, "faults"), *one;
    int count = cJSON_GetArraySize(faults), files = (int)json_number(report, "files", 0);
    cJSON_ArrayForEach (one, faults)
        print_fault(one);
    printf("%s%d files read", cli_colour(1, count ? "red" : "green"), files);
    if (count)
        printf(", %d fault%s in %d", count, count == 1 ? "" : "s", count_files(faults));
    else
        printf(", no fault");
    printf("%s\n", cli_colour(1, "off"));
}

int cli_config_check(const struct cli *cli, struct err *err)
{
    const char *folder = cli->word_count ? cli->words[0] : getenv("STATUETTE_CONFIG");
    cJSON *report = NULL;
    if (config_check(&report, folder && *folder ? folder : NULL, err))
        return -1;
    int count = cJSON_GetArraySize(json_get(report, "faults"));
    int failed = 0;
    if (cli->quiet && !cli->json)
        cJSON_Delete(report);
    else
        failed = cli_tell(cli, report, print_report, err);
    return failed ? -1 : count ? EXIT_CHECK_FAILED : EXIT_OK;
}
