/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette mesh inspect`, `mesh prep` and `mesh render`. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "print/render/render.h"
#include "service/cli_files.h"

/* Options of the line that are plain numbers or words for the role. */
static int pass_options(struct file_work *work, const struct cli *cli, struct err *err)
{
    double height, flatten, triangles;
    const char *orient = cli_text(cli, "--orient", NULL);
    if (cli_number(&height, cli, "--height", 0, 1, 2000, err) ||
        cli_number(&flatten, cli, "--flatten", -1, 0, 50, err) ||
        cli_number(&triangles, cli, "--max-triangles", 0, 4, 20e6, err))
        return -1;
    if (orient && strcmp(orient, "upright") && strcmp(orient, "auto") && strcmp(orient, "keep"))
        return FAIL_CODE(err, ERR_INPUT, "usage", "--orient is upright, auto or keep, not \"%s\"",
                         orient);
    if (height > 0)
        cJSON_AddNumberToObject(work->options, "height_mm", height);
    if (flatten >= 0)
        cJSON_AddNumberToObject(work->options, "flatten_mm", flatten);
    if (triangles > 0)
        cJSON_AddNumberToObject(work->options, "max_triangles", triangles);
    if (orient)
        cJSON_AddStringToObject(work->options, "orient", orient);
    cJSON_AddStringToObject(work->options, "printer", cli_text(cli, "--printer", "ender3v3se"));
    cJSON_AddStringToObject(work->options, "material", cli_text(cli, "--material", "pla"));
    return 0;
}

static void print_measures(const char *title, const cJSON *m)
{
    const cJSON *size = json_get(m, "size_mm");
    if (!m || cJSON_IsNull(m))
        return;
    printf("  %-7s %.0f triangles, %.0f shells, %s, %.1f x %.1f x %.1f mm, %.1f cm3\n", title,
           json_number(m, "triangles", 0), json_number(m, "shells", 0),
           json_bool(m, "watertight", false) ? "watertight" : "not watertight",
           cJSON_GetNumberValue(cJSON_GetArrayItem(size, 0)),
           cJSON_GetNumberValue(cJSON_GetArrayItem(size, 1)),
           cJSON_GetNumberValue(cJSON_GetArrayItem(size, 2)),
           json_number(m, "volume_mm3", 0) / 1000);
}

static void print_report(const cJSON *report)
{
    const char *verdict = json_text(report, "verdict", "reject");
    const char *colour = strcmp(verdict, "pass") == 0     ? "green"
                         : strcmp(verdict, "revise") == 0 ? "yellow"
                                                          : "red";
    printf("%s%s%s\n", cli_colour(1, colour), verdict, cli_colour(1, "off"));
    print_measures("input", json_get(report, "input"));
    print_measures("output", json_get(report, "output"));
    cli_print_findings(report);
}

static int tell(const struct cli *cli, const cJSON *report, struct err *err)
{
    int code = 0;
    if (cli->json)
        code = cli_print_json(report, err);
    else
        print_report(report);
    if (!code && strcmp(json_text(report, "verdict", "reject"), "reject") == 0)
        code = EXIT_CHECK_FAILED;
    return code;
}

int cli_mesh_inspect(const struct cli *cli, struct err *err)
{
    struct file_work work;
    if (file_work_open(&work, cli->words[0], err))
        return -1;
    int code = pass_options(&work, cli, err) || file_work_run(&work, "inspect", err) ? -1 : 0;
    if (!code)
        code = tell(cli, work.result, err);
    file_work_close(&work);
    return code;
}

static const char *ending(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot && strcasecmp(dot, ".3mf") == 0)
        return "out.3mf";
    return dot && strcasecmp(dot, ".stl") == 0 ? "out.stl" : NULL;
}

/* -o may be given for a 3MF and for an STL. */
static int give_outputs(const struct cli *cli, const struct file_work *work, struct err *err)
{
    for (int i = 0; i < cli->option_count; i++)
        if (strcmp(cli->names[i], "-o") == 0 &&
            file_work_give(work, ending(cli->values[i]), cli->values[i], err))
            return -1;
    return 0;
}

static int check_outputs(const struct cli *cli, struct err *err)
{
    if (!cli_flag(cli, "-o"))
        return FAIL_CODE(err, ERR_INPUT, "usage", "mesh prep needs -o OUT.3mf or -o OUT.stl");
    for (int i = 0; i < cli->option_count; i++)
        if (strcmp(cli->names[i], "-o") == 0 && !ending(cli->values[i]))
            return FAIL_CODE(err, ERR_INPUT, "usage", "-o %s: the name must end in .3mf or .stl",
                             cli->values[i]);
    return 0;
}

static int write_report(const cJSON *report, const char *path, struct err *err)
{
    struct bytes text = {0};
    int failed = json_print(&text, report, true, err) || file_write(path, text.data, text.len, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}

static void add_labels(struct file_work *work, const struct cli *cli)
{
    cJSON *labels = cJSON_AddObjectToObject(work->options, "labels");
    const char *name = json_text(work->options, "name", "model");
    cJSON_AddStringToObject(labels, "title", cli_text(cli, "--title", name));
    cJSON_AddStringToObject(labels, "object_name", name);
}

int cli_mesh_prep(const struct cli *cli, struct err *err)
{
    struct file_work work;
    const char *report = cli_text(cli, "--report", NULL);
    double started = clock_s();
    if (check_outputs(cli, err) || file_work_open(&work, cli->words[0], err))
        return -1;
    add_labels(&work, cli);
    cli_progress(cli, "preparing", 0.1);
    int code = pass_options(&work, cli, err) || file_work_run(&work, "prep", err) ? -1 : 0;
    cli_progress(cli, code ? "failed" : "prepared", 1);
    bool kept = !code && strcmp(json_text(work.result, "verdict", "reject"), "reject") != 0;
    if (kept)
        code = give_outputs(cli, &work, err);
    if (!code && report)
        code = write_report(work.result, report, err);
    if (!code)
        code = tell(cli, work.result, err);
    if (!code && !cli->json && !cli->quiet)
        printf("  wrote %s in %.1f s\n", cli_text(cli, "-o", ""), clock_s() - started);
    file_work_close(&work);
    return code;
}

int cli_mesh_render(const struct cli *cli, struct err *err)
{
    struct file_work work;
    const char *out = cli_text(cli, "-o", NULL), *size = cli_text(cli, "--size", "640x640");
    const char *view = cli_text(cli, "--view", "iso");
    unsigned width, height;
    char rest;
    if (!out)
        return FAIL_CODE(err, ERR_INPUT, "usage", "mesh render needs -o OUT.png");
    if (sscanf(size, "%5ux%5u%c", &width, &height, &rest) != 2 || width < 16 || height < 16 ||
        width > 4096 || height > 4096)
        return FAIL_CODE(err, ERR_INPUT, "usage", "--size is WxH from 16x16 to 4096x4096");
    if (view_from_name(view) < 0)
        return FAIL_CODE(err, ERR_INPUT, "usage",
                         "--view is front, back, left, right, bottom or iso");
    if (file_work_open(&work, cli->words[0], err))
        return -1;
    cJSON_AddNumberToObject(work.options, "width", width);
    cJSON_AddNumberToObject(work.options, "height", height);
    cJSON_AddStringToObject(work.options, "view", view);
    int code = file_work_run(&work, "render", err) || file_work_give(&work, "out.png", out, err);
    if (!code && cli->json)
        code = cli_print_json(work.result, err);
    file_work_close(&work);
    return code ? -1 : 0;
}
