/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette mesh inspect`, `mesh prep` and `mesh render`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "print/render/heat.h"
#include "service/cli_files.h"

static bool is_word(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* Passes an option of the line on that is one of some words; NULL otherwise: not when not given. */
static int pass_word(cJSON *options, const char *name, const struct cli *cli, const char *option,
                     const char *const *words, const char *list, struct err *err)
{
    const char *word = cli_text(cli, option, NULL);
    if (!word)
        return 0;
    if (!is_word(word, words))
        return FAIL_CODE(err, ERR_INPUT, "usage", "%s is %s, not \"%s\"", option, list, word);
    cJSON_AddStringToObject(options, name, word);
    return 0;
}

/* The same of a number. */
static int pass_number(cJSON *options, const char *name, const struct cli *cli, const char *option,
                       double least, double most, struct err *err)
{
    double value;
    if (cli_number(&value, cli, option, NAN, least, most, err))
        return -1;
    if (!isnan(value))
        cJSON_AddNumberToObject(options, name, value);
    return 0;
}

/* A text alone asks for a base, too. */
static int pass_base(cJSON *options, const struct cli *cli, struct err *err)
{
    static const char *const shapes[] = {"none", "round", "square", "oval", NULL};
    static const char *const styles[] = {"engraved", "embossed", NULL};
    const char *text = cli_text(cli, "--text", NULL), *font = cli_text(cli, "--font", NULL);
    char path[4096];
    if (!cli_flag(cli, "--base") && !text)
        return 0;
    cJSON *base = cJSON_AddObjectToObject(options, "base");
    if (!cli_flag(cli, "--base"))
        cJSON_AddStringToObject(base, "shape", "round");
    if (text)
        cJSON_AddStringToObject(base, "text", text);
    if (font && !realpath(font, path))
        return FAIL_ERRNO(err, "--font %s", font);
    if (font)
        cJSON_AddStringToObject(base, "font", path);
    return pass_word(base, "shape", cli, "--base", shapes, "none, round, square or oval", err) ||
           pass_word(base, "text_style", cli, "--text-style", styles, "engraved or embossed",
                     err) ||
           pass_number(base, "height_mm", cli, "--base-height", 1, 50, err) ||
           pass_number(base, "size_mm", cli, "--base-size", 5, 500, err);
}

/* --colours 4, or --colours "#ffffff,#c02020". */
static int pass_colours(cJSON *options, const struct cli *cli, struct err *err)
{
    const char *text = cli_text(cli, "--colours", NULL);
    char one[8];
    if (!text)
        return 0;
    if (*text != '#')
        return pass_number(options, "colours", cli, "--colours", 1, 16, err);
    cJSON *list = cJSON_AddArrayToObject(options, "colours");
    while (sscanf(text, "%7[#0-9a-fA-F]", one) == 1 && strlen(one) == 7) {
        cJSON_AddItemToArray(list, cJSON_CreateString(one));
        text += 7;
        if (*text != ',')
            break;
        text++;
    }
    return *text ? FAIL_CODE(err, ERR_INPUT, "usage",
                             "--colours is a number, or colours like \"#ffffff,#c02020\"")
                 : 0;
}

/* One of --settings: a value that every object gets in the slicer; the role knows which there are.
 */
static int pass_setting(cJSON *settings, char *text, struct err *err)
{
    char *middle = strchr(text, '='), *end;
    if (!middle || middle == text || !middle[1])
        return FAIL_CODE(err, ERR_INPUT, "usage", "--settings takes KEY=VALUE, not \"%.60s\"",
                         text);
    *middle = 0;
    const char *value = middle + 1;
    double number = strtod(value, &end);
    if (cJSON_HasObjectItem(settings, text))
        return FAIL_CODE(err, ERR_INPUT, "usage", "--settings names %.60s twice", text);
    if (strcmp(text, "support") == 0 && (strcmp(value, "on") == 0 || strcmp(value, "off") == 0))
        cJSON_AddBoolToObject(cJSON_AddObjectToObject(settings, text), "enabled",
                              strcmp(value, "on") == 0);
    else if (!*end && isfinite(number))
        cJSON_AddNumberToObject(settings, text, number);
    else
        cJSON_AddStringToObject(settings, text, value);
    return 0;
}

/* --settings may be given more than once, and with several values by commas. */
static int pass_settings(cJSON *options, const struct cli *cli, struct err *err)
{
    cJSON *settings =
        cli_flag(cli, "--settings") ? cJSON_AddObjectToObject(options, "settings") : NULL;
    for (int i = 0; i < cli->option_count; i++) {
        char text[200], *one, *rest = text;
        if (strcmp(cli->names[i], "--settings") != 0)
            continue;
        snprintf(text, sizeof text, "%s", cli->values[i]);
        while ((one = strsep(&rest, ",")))
            if (pass_setting(settings, one, err))
                return -1;
    }
    return 0;
}

/* Options of the line that are plain numbers or words for the role. */
static int pass_options(struct file_work *work, const struct cli *cli, struct err *err)
{
    static const char *const ways[] = {"upright", "auto", "keep", NULL};
    cJSON *o = work->options;
    if (cli_flag(cli, "--height") && cli_flag(cli, "--longest"))
        return FAIL_CODE(err, ERR_INPUT, "usage", "give --height or --longest, not both");
    if (pass_number(o, "height_mm", cli, "--height", 1, 2000, err) ||
        pass_number(o, "longest_mm", cli, "--longest", 1, 2000, err) ||
        pass_number(o, "flatten_mm", cli, "--flatten", 0, 50, err) ||
        pass_number(o, "max_triangles", cli, "--max-triangles", 4, 20e6, err) ||
        pass_word(o, "orient", cli, "--orient", ways, "upright, auto or keep", err) ||
        pass_number(o, "hollow_mm", cli, "--hollow", 0.5, 20, err) ||
        pass_number(o, "drains", cli, "--drains", 0, 8, err) || pass_base(o, cli, err) ||
        pass_colours(o, cli, err) || pass_settings(o, cli, err) ||
        file_work_profile(work, cli, err))
        return -1;
    if (cli_flag(cli, "--protect-front"))
        cJSON_AddTrueToObject(o, "protect_front");
    if (cli_flag(cli, "--split-base") && !json_get(o, "base"))
        return FAIL_CODE(err, ERR_INPUT, "usage", "--split-base needs --base");
    if (cli_flag(cli, "--split-base"))
        cJSON_AddTrueToObject(o, "split_base");
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

/* How many of the -o from the first on want this file of the role. */
static int count_wanted(const struct cli *cli, const char *name, int first)
{
    int count = 0;
    for (int i = first; i < cli->option_count; i++) {
        const char *own = strcmp(cli->names[i], "-o") == 0 ? ending(cli->values[i]) : NULL;
        count += own && strcmp(own, name) == 0;
    }
    return count;
}

/* -o may be given for a 3MF and for an STL, and for more than one of each. */
static int give_outputs(const struct cli *cli, const struct file_work *work, struct err *err)
{
    for (int i = 0; i < cli->option_count; i++) {
        const char *name = strcmp(cli->names[i], "-o") == 0 ? ending(cli->values[i]) : NULL;
        if (name && (count_wanted(cli, name, i + 1) ? file_work_copy : file_work_give)(
                        work, name, cli->values[i], err))
            return -1;
    }
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

/* --pictures DIR: what a review shows. */
static int give_pictures(const struct cli *cli, const struct file_work *work, struct err *err)
{
    static const char *const names[] = {
        "render_front.png",    "render_iso.png",    "render_back.png", "render_thin.png",
        "render_overhang.png", "render_change.png", "render_turn.png", "preview.glb"};
    const char *folder = cli_text(cli, "--pictures", NULL);
    char path[4096];
    if (!folder)
        return 0;
    if (folder_make(folder, err))
        return -1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (file_work_give(work, names[i], path, err))
            return -1;
    }
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
    static const char *const texts[][2] = {{"designer", "--designer"},
                                           {"description", "--description"},
                                           {"license", "--license"},
                                           {"part_code", "--part-code"}};
    cJSON *labels = cJSON_AddObjectToObject(work->options, "labels");
    const char *name = json_text(work->options, "name", "model");
    cJSON_AddStringToObject(labels, "title", cli_text(cli, "--title", name));
    cJSON_AddStringToObject(labels, "object_name", name);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (cli_flag(cli, texts[i][1]))
            cJSON_AddStringToObject(labels, texts[i][0], cli_text(cli, texts[i][1], ""));
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
    if (cli_flag(cli, "--pictures"))
        cJSON_AddTrueToObject(work.options, "pictures");
    if (count_wanted(cli, "out.stl", 0))
        cJSON_AddTrueToObject(work.options, "stl");
    int code = pass_options(&work, cli, err) || file_work_run(&work, "prep", err) ? -1 : 0;
    cli_progress(cli, code ? "failed" : "prepared", 1);
    bool kept = !code && strcmp(json_text(work.result, "verdict", "reject"), "reject") != 0;
    if (kept)
        code = give_outputs(cli, &work, err) || give_pictures(cli, &work, err) ? -1 : 0;
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
                         "--view is front, back, left, right, bottom, low or iso");
    if (cli_flag(cli, "--heat") && (heat_from_name(cli_text(cli, "--heat", "")) < 0 ||
                                    strcmp(cli_text(cli, "--heat", ""), "deviation") == 0))
        return FAIL_CODE(err, ERR_INPUT, "usage",
                         "--heat is thin or overhang (what preparing changed is shown by mesh prep "
                         "--pictures)");
    if (file_work_open(&work, cli->words[0], err))
        return -1;
    cJSON_AddNumberToObject(work.options, "width", width);
    cJSON_AddNumberToObject(work.options, "height", height);
    cJSON_AddStringToObject(work.options, "view", view);
    if (cli_flag(cli, "--heat"))
        cJSON_AddStringToObject(work.options, "heat", cli_text(cli, "--heat", ""));
    if (cli_flag(cli, "--ruler"))
        cJSON_AddTrueToObject(work.options, "ruler");
    if (cli_flag(cli, "--transparent"))
        cJSON_AddTrueToObject(work.options, "transparent");
    int code = pass_number(work.options, "turntable", cli, "--turntable", 2, 72, err) ||
               file_work_profile(&work, cli, err) || file_work_run(&work, "render", err) ||
               file_work_give(&work, "out.png", out, err);
    if (!code && cli->json)
        code = cli_print_json(work.result, err);
    file_work_close(&work);
    return code ? -1 : 0;
}
