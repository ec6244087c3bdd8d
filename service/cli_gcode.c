/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette gcode check`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/slice/gcode_check.h"
#include "service/cli_files.h"

static const char *config_folder(void)
{
    const char *folder = getenv("STATUETTE_CONFIG");
    return folder && *folder ? folder : NULL;
}

/* Of the binary STL that our own child wrote. */
static int read_volume(double *out, const char *path, struct err *err)
{
    struct bytes stl = {.limit = (size_t)2 << 30};
    double sum = 0;
    if (bytes_read_file(&stl, path, err))
        return -1;
    for (size_t at = 84; at + 50 <= stl.len; at += 50) {
        float c[9];
        memcpy(c, stl.data + at + 12, sizeof c);
        sum += (double)c[0] * ((double)c[4] * c[8] - (double)c[5] * c[7]) +
               (double)c[1] * ((double)c[5] * c[6] - (double)c[3] * c[8]) +
               (double)c[2] * ((double)c[3] * c[7] - (double)c[4] * c[6]);
    }
    bytes_free(&stl);
    *out = fmax(0, sum / 6);
    return 0;
}

/* Height and volume of the model, which a confined child reads. */
static int ask_model(struct gcode_check_options *options, const char *path, struct err *err)
{
    struct file_work work;
    char stl[800];
    if (file_work_open(&work, path, err))
        return -1;
    int failed = file_work_run(&work, "tostl", err);
    snprintf(stl, sizeof stl, "%s/out.stl", work.folder);
    failed = failed || read_volume(&options->model_volume_mm3, stl, err);
    options->model_height_mm = json_number(work.result, "height_mm", 0);
    file_work_close(&work);
    return failed ? -1 : 0;
}

struct teller {
    const struct cli *cli;
    double told;
};

/* A file of 1 GB is handed over in 4,000 pieces. */
static void on_progress(void *user, double share)
{
    struct teller *teller = user;
    if (share < 1 && share < teller->told + 0.02)
        return;
    teller->told = share;
    cli_progress(teller->cli, "reading", share);
}

static void print_duration(const char *before, double seconds)
{
    if (seconds >= 3600)
        printf("%s%.0f h %02.0f min", before, floor(seconds / 3600),
               floor(fmod(seconds, 3600) / 60));
    else
        printf("%s%.0f min %02.0f s", before, floor(seconds / 60), fmod(floor(seconds), 60));
}

static double at(const cJSON *m, const char *name, int i)
{
    const cJSON *number = cJSON_GetArrayItem(json_get(m, name), i);
    return number ? number->valuedouble : 0;
}

static void print_measures(const cJSON *m)
{
    print_duration("  time      ", json_number(m, "print_time_s", 0));
    print_duration(" as the slicer says; the moves alone take ", json_number(m, "moves_s", 0));
    printf("\n  filament  %.2f m", json_number(m, "filament_mm", 0) / 1000);
    if (json_get(m, "filament_g"))
        printf(", %.1f g", json_number(m, "filament_g", 0));
    printf(": %.1f cm3 of model, %.1f of support, %.1f of skirt and brim\n",
           json_number(m, "model_mm3", 0) / 1000, json_number(m, "support_mm3", 0) / 1000,
           json_number(m, "around_mm3", 0) / 1000);
    if (json_get(m, "min_mm"))
        printf("  size      %.0f layers, %.2f mm high; X %.1f to %.1f, Y %.1f to %.1f\n",
               json_number(m, "layers", 0), json_number(m, "height_mm", 0), at(m, "min_mm", 0),
               at(m, "max_mm", 0), at(m, "min_mm", 1), at(m, "max_mm", 1));
    printf("  at most   %.1f mm3/s, %.0f mm/s, nozzle %.0f C, bed %.0f C\n",
           json_number(m, "max_flow_mm3_s", 0), json_number(m, "max_speed_mm_s", 0),
           json_number(m, "nozzle_c", 0), json_number(m, "bed_c", 0));
}

static int tell(const struct cli *cli, const cJSON *report, bool passed, struct err *err)
{
    if (cli->json)
        return cli_print_json(report, err);
    printf("%s%s%s\n", cli_colour(1, passed ? "green" : "red"), passed ? "pass" : "reject",
           cli_colour(1, "off"));
    cli_print_findings(report);
    if (!cli->quiet)
        print_measures(json_get(report, "measures"));
    return 0;
}

static int check(const struct cli *cli, const struct gcode_check_options *asked, struct err *err)
{
    struct gcode_check_options options = *asked;
    cJSON *report = NULL;
    bool passed = false;
    struct teller teller = {cli, -1};
    const char *model = cli_text(cli, "--model", NULL);
    options.on_progress = on_progress;
    options.user = &teller;
    if ((model && ask_model(&options, model, err)) ||
        gcode_check(&report, &passed, cli->words[0], &options, err))
        return -1;
    int failed = tell(cli, report, passed, err);
    cJSON_Delete(report);
    return failed ? -1 : passed ? EXIT_OK : EXIT_CHECK_FAILED;
}

int cli_gcode_check(const struct cli *cli, struct err *err)
{
    const char *id = cli_text(cli, "--printer", "ender3v3se");
    const char *material = cli_text(cli, "--material", NULL);
    const char *process = cli_text(cli, "--process", NULL);
    struct printer_profile printer = {0};
    struct profile profile = {0};
    struct gcode_check_options options = {.printer = &printer};
    /* With both, the material's flow is held to what the printer's hot end can melt. */
    int code = material || process ? profile_load(&profile, config_folder(), id,
                                                  material ? material : "pla", process, err)
                                   : printer_profile_load(&printer, config_folder(), id, err);
    if (!code && (material || process))
        gcode_check_profile(&options, &profile);
    if (!process)
        options.shell_mm = options.infill_percent = 0;
    if (!material)
        options.material = NULL;
    if (!code)
        code = check(cli, &options, err);
    profile_free(&profile);
    printer_profile_free(&printer);
    return code;
}
