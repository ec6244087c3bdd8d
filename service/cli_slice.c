/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette slice`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/slice/slice.h"
#include "service/cli_files.h"
#include "service/slice_objects.h"

static const char *config_folder(void)
{
    const char *folder = getenv("STATUETTE_CONFIG");
    return folder && *folder ? folder : NULL;
}

static void on_progress(void *user, double share)
{
    cli_progress(user, "slicing", share < 1 ? share : 0.99);
}

/* Takes check. */
static cJSON *result_json(const struct slice_result *r, cJSON *check)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "engine", r->engine);
    cJSON_AddStringToObject(o, "engine_version", r->engine_version);
    cJSON_AddStringToObject(o, "closure_hash", r->closure_hash);
    cJSON_AddStringToObject(o, "gcode_hash", r->gcode_hash);
    cJSON_AddNumberToObject(o, "print_time_s", r->print_time_s);
    cJSON_AddNumberToObject(o, "filament_mm", r->filament_mm);
    cJSON_AddNumberToObject(o, "filament_g", r->filament_g);
    cJSON_AddNumberToObject(o, "layer_count", r->layer_count);
    cJSON_AddNumberToObject(o, "height_mm", r->height_mm);
    cJSON_AddNumberToObject(o, "slicing_s", r->seconds);
    cJSON_AddItemToObject(o, "check", check);
    return o;
}

/* Takes check and opinion. */
static int tell_slice(const struct cli *cli, const struct slice_result *r, cJSON *check,
                      cJSON *opinion, struct err *err)
{
    cJSON *o = result_json(r, check);
    int code = 0;
    const cJSON *second = json_get(opinion, "second");
    if (!cli->quiet && !cli->json)
        printf("%s: %u layers, %.1f mm, prints in %d h %02d min, %.1f g\n", cli_text(cli, "-o", ""),
               r->layer_count, r->height_mm, (int)(r->print_time_s / 3600),
               (int)(r->print_time_s / 60) % 60, r->filament_g);
    if (!cli->quiet && !cli->json)
        cli_print_findings(check);
    if (!cli->quiet && !cli->json && opinion) {
        printf("second opinion of %s %s: %s, %.0f %% of the plastic, %.0f %% of the time\n",
               json_text(second, "engine", "?"), json_text(second, "version", ""),
               json_text(opinion, "verdict", "?"), 100 * json_number(opinion, "volume_ratio", 0),
               100 * json_number(opinion, "time_ratio", 0));
        cli_print_findings(opinion);
    }
    bool far = strcmp(json_text(opinion, "verdict", ""), "far") == 0;
    if (opinion)
        cJSON_AddItemToObject(o, "second_opinion", opinion);
    if (cli->json)
        code = cli_print_json(o, err);
    cJSON_Delete(o);
    return code ? code : far ? EXIT_CHECK_FAILED : EXIT_OK;
}

static int slice(const struct cli *cli, struct file_work *work, const struct profile *profile,
                 const struct slice_objects *objects, struct err *err)
{
    struct slice_result result;
    cJSON *check = NULL, *opinion = NULL;
    struct slice_options options = {.objects = objects->at,
                                    .object_count = objects->count,
                                    .out_path = cli_text(cli, "-o", NULL),
                                    .work_folder = work->folder,
                                    .profile = profile,
                                    .engine = cli_text(cli, "--engine", NULL),
                                    .on_progress = on_progress,
                                    .user = (void *)cli,
                                    .check = &check};
    if (slice_run(&result, &options, err))
        return -1;
    cli_progress(cli, "sliced", 1);
    if (cli_flag(cli, "--second-opinion")) {
        if (slice_compare(&opinion, &options, &result, err)) {
            cJSON_Delete(check);
            return -1;
        }
        cli_progress(cli, "sliced twice", 1);
    }
    return tell_slice(cli, &result, check, opinion, err);
}

/* What the line says, else what the 3MF was prepared for where it is our own. */
static int load_profile(struct profile *out, const struct cli *cli, const cJSON *prepared_for,
                        struct err *err)
{
    return profile_load(
        out, config_folder(),
        cli_text(cli, "--printer", json_text(prepared_for, "printer", "ender3v3se")),
        cli_text(cli, "--material", json_text(prepared_for, "material", "pla")),
        cli_text(cli, "--process", json_text(prepared_for, "process", NULL)), err);
}

int cli_slice(const struct cli *cli, struct err *err)
{
    struct profile profile = {0};
    struct slice_objects objects = {0};
    struct file_work work;
    if (!cli_flag(cli, "-o"))
        return FAIL_CODE(err, ERR_INPUT, "usage", "slice needs -o OUT.gcode");
    if (file_work_open(&work, cli->words[0], err))
        return -1;
    int code = file_work_profile(&work, cli, err) || file_work_run(&work, "tostl", err) ||
                       load_profile(&profile, cli, json_get(work.result, "prepared_for"), err) ||
                       slice_objects_of(&objects, work.result, work.folder, err)
                   ? -1
                   : slice(cli, &work, &profile, &objects, err);
    slice_objects_free(&objects);
    profile_free(&profile);
    file_work_close(&work);
    return code;
}
