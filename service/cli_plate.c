/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette mesh plate`: several files on one bed, in one 3MF. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "service/cli_files.h"

/* Pipes are not taken: which file a name is for is known by its path. */
static int add_input(cJSON *list, const char *input, double copies, struct err *err)
{
    const char *slash = strrchr(input, '/');
    char path[PATH_MAX];
    if (access(input, R_OK) || !realpath(input, path))
        return FAIL_ERRNO(err, "cannot open %s", input);
    cJSON *one = cJSON_CreateObject();
    cJSON_AddItemToArray(list, one);
    cJSON_AddStringToObject(one, "input", path);
    cJSON_AddStringToObject(one, "name", slash ? slash + 1 : input);
    cJSON_AddNumberToObject(one, "copies", copies);
    return 0;
}

static int fill_options(struct file_work *work, const struct cli *cli, struct err *err)
{
    double copies, gap;
    cJSON *o = work->options, *inputs = cJSON_AddArrayToObject(o, "inputs");
    cJSON *labels = cJSON_AddObjectToObject(o, "labels");
    if (cli_number(&copies, cli, "--copies", 1, 1, 200, err) ||
        cli_number(&gap, cli, "--gap", 5, 0, 100, err) || file_work_profile(work, cli, err))
        return -1;
    cJSON_AddNumberToObject(o, "gap_mm", gap);
    cJSON_AddStringToObject(labels, "title", cli_text(cli, "--title", "plate"));
    for (int i = 0; i < cli->word_count; i++)
        if (add_input(inputs, cli->words[i], (double)(int)copies, err))
            return -1;
    return 0;
}

static int tell(const struct cli *cli, const cJSON *result, struct err *err)
{
    const cJSON *one;
    if (cli->json)
        return cli_print_json(result, err);
    if (cli->quiet)
        return 0;
    printf("%s: %d objects\n", cli_text(cli, "-o", ""),
           cJSON_GetArraySize(json_get(result, "objects")));
    cJSON_ArrayForEach (one, json_get(result, "objects")) {
        const cJSON *size = json_get(one, "size_mm");
        printf("  %-40.60s %.1f x %.1f x %.1f mm\n", json_text(one, "name", ""),
               cJSON_GetNumberValue(cJSON_GetArrayItem(size, 0)),
               cJSON_GetNumberValue(cJSON_GetArrayItem(size, 1)),
               cJSON_GetNumberValue(cJSON_GetArrayItem(size, 2)));
    }
    return 0;
}

int cli_mesh_plate(const struct cli *cli, struct err *err)
{
    struct file_work work;
    const char *out = cli_text(cli, "-o", NULL), *dot = out ? strrchr(out, '.') : NULL;
    if (!dot || strcasecmp(dot, ".3mf") != 0)
        return FAIL_CODE(err, ERR_INPUT, "usage", "mesh plate needs -o OUT.3mf");
    if (file_work_begin(&work, err))
        return -1;
    cli_progress(cli, "placing", 0.1);
    int code = fill_options(&work, cli, err) || file_work_run(&work, "plate", err) ||
               file_work_give(&work, "out.3mf", out, err);
    cli_progress(cli, code ? "failed" : "placed", 1);
    code = code || tell(cli, work.result, err);
    file_work_close(&work);
    return code ? -1 : 0;
}
