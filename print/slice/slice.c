/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One slicing job from model to checked G-code; see slice.h. */
#include "print/slice/slice.h"

#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "print/slice/engine.h"

#define PI 3.14159265358979323846
/* Of our own header and labels: another number, another closure_hash. */
#define FORM "statuette slice 2\n"

static int check_material(const struct slice_options *o, struct err *err)
{
    double nozzle = json_number(o->profile->printer.settings, "nozzle_max_c", 0);
    double bed = json_number(o->profile->printer.settings, "bed_max_c", 0);
    if (o->profile->material.nozzle_c > nozzle || o->profile->material.bed_c > bed)
        return FAIL_CODE(err, ERR_INPUT, "material_too_hot",
                         "%s wants %.0f and %.0f C; %s reaches %.0f and %.0f",
                         o->profile->material.name, o->profile->material.nozzle_c,
                         o->profile->material.bed_c, o->profile->printer.name, nozzle, bed);
    return 0;
}

static int fail_check(const cJSON *report, struct err *err)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_get(report, "findings")) {
        if (strcmp(json_text(finding, "severity", ""), "error") == 0)
            return FAIL_CODE(err, ERR_INPUT, "gcode_rejected",
                             "the G-code's check found %s: %.150s", json_text(finding, "code", "?"),
                             json_text(finding, "message", "?"));
    }
    return FAIL(err, ERR_BUG, "the G-code's check failed without a finding");
}

/* What is least of all objects: the check's own lowest estimate is made of it. */
struct least {
    double shell_mm, infill_percent;
};

static int find_least(struct least *least, const struct slice_options *o, struct err *err)
{
    *least = (struct least){INFINITY, 100};
    for (size_t i = 0; i < o->object_count; i++) {
        cJSON *process = NULL;
        if (profile_object_process(&process, o->profile, o->objects[i].settings, err))
            return -1;
        double walls =
            json_number(process, "outer_wall_width_mm", 0) +
            (json_number(process, "wall_count", 1) - 1) * json_number(process, "line_width_mm", 0);
        double skin = fmin(json_number(process, "top_mm", 0), json_number(process, "bottom_mm", 0));
        least->shell_mm = fmin(least->shell_mm, fmin(walls, skin));
        least->infill_percent =
            fmin(least->infill_percent, json_number(process, "infill_percent", 0));
        cJSON_Delete(process);
    }
    return 0;
}

static int check(struct slice_result *result, const char *path, const struct engine_job *job,
                 struct err *err)
{
    cJSON *report = NULL;
    bool passed = false;
    struct least least;
    if (find_least(&least, job->options, err))
        return -1;
    const struct gcode_check_options options = {.printer = &job->options->profile->printer,
                                                .material = &job->options->profile->material,
                                                .model_height_mm = job->high[2] - job->low[2],
                                                .model_volume_mm3 = result->model_mm3,
                                                .shell_mm = least.shell_mm,
                                                .infill_percent = least.infill_percent};
    if (gcode_check(&report, &passed, path, &options, err))
        return -1;
    const cJSON *measures = json_get(report, "measures");
    result->layer_count = (unsigned)json_number(measures, "layers", 0);
    result->height_mm = json_number(measures, "height_mm", 0);
    int failed = passed ? 0 : fail_check(report, err);
    if (!failed && job->options->check)
        *job->options->check = report;
    else
        cJSON_Delete(report);
    return failed;
}

/* From here to the name that others see: nothing, or the whole checked file. */
static int publish(const char *temp, const char *path, struct err *err)
{
    char copy[4096];
    if (rename(temp, path))
        return FAIL_ERRNO(err, "cannot name the G-code %s", path);
    snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return FAIL_ERRNO(err, "cannot open the folder of %s", path);
    fsync(folder);
    close(folder);
    return 0;
}

static void fill_result(struct slice_result *result, const struct engine_job *job,
                        const struct engine *engine)
{
    const struct material_profile *material = &job->options->profile->material;
    double radius = material->diameter_mm / 2;
    snprintf(result->engine, sizeof result->engine, "%s", engine->name);
    snprintf(result->engine_version, sizeof result->engine_version, "%s", job->version.text);
    for (size_t i = 0; i < job->options->object_count; i++)
        result->model_mm3 += job->objects[i].volume_mm3;
    result->print_time_s = job->words.print_time_s;
    result->filament_mm = job->words.filament_mm;
    result->filament_g =
        result->filament_mm * PI * radius * radius * material->density_g_cm3 / 1000;
}

static int finish(struct slice_result *result, const struct engine_job *job,
                  const struct engine *engine, struct err *err)
{
    char temp[4200];
    const char *path = job->options->out_path;
    snprintf(temp, sizeof temp, "%s.%ld.part", path, (long)getpid());
    fill_result(result, job, engine);
    if (gcode_mend(temp, job, engine, result->closure_hash, err) || check(result, temp, job, err) ||
        sha256_file(result->gcode_hash, NULL, temp, err) || publish(temp, path, err)) {
        unlink(temp);
        return -1;
    }
    return 0;
}

/* What our labels tell: the profile's own hash covers what no engine hears of, density too. */
static int hash_labels(struct bytes *text, const struct slice_options *o, struct err *err)
{
    const struct profile *p = o->profile;
    char frozen[SHA256_HEX];
    struct bytes list = {.limit = 4 << 20};
    int failed = profile_frozen(&list, frozen, p, err) ||
                 bytes_printf(text, err, "names=%s %s %s\nprofile=%s\n", p->printer.id,
                              p->material.id, p->process_id, frozen);
    bytes_free(&list);
    if (failed)
        return -1;
    for (size_t i = 0; i < o->object_count; i++) {
        const char *name = o->objects[i].name;
        /* With its length, a name cannot be taken for what follows it. */
        if (bytes_printf(text, err, "name.%zu=%zu:%s\n", i, name ? strlen(name) : 0,
                         name ? name : ""))
            return -1;
    }
    return 0;
}

/* All but the models' bytes that the G-code follows from; the label is not among it. */
static int hash_job(char closure_hash[65], const struct engine_job *job,
                    const struct engine *engine, struct err *err)
{
    const struct slice_options *o = job->options;
    struct bytes text = {.limit = 16 << 20};
    const struct engine_job any = {.options = o, .version = job->version};
    int failed =
        bytes_printf(&text, err, FORM "engine=%s %s\nthumbnails=", engine->name,
                     job->version.text) ||
        json_print(&text, json_get(o->profile->printer.settings, "thumbnails"), false, err) ||
        bytes_append(&text, "\n", 1, err) || engine->closure(&text, &any, err) ||
        hash_labels(&text, o, err);
    if (!failed)
        sha256_hex(closure_hash, text.data, text.len);
    bytes_free(&text);
    return failed ? -1 : 0;
}

static int open_folder(struct engine_job *job, struct err *err)
{
    int n = snprintf(job->folder, sizeof job->folder, "%s/slice-XXXXXX", job->options->work_folder);
    if (n >= (int)sizeof job->folder || !mkdtemp(job->folder)) {
        job->folder[0] = 0;
        return FAIL_ERRNO(err, "cannot make a folder in %s", job->options->work_folder);
    }
    /* The child works there: relative work folders must still be found from inside. */
    char *whole = realpath(job->folder, NULL);
    if (!whole)
        return FAIL_ERRNO(err, "cannot find %s", job->folder);
    snprintf(job->folder, sizeof job->folder, "%s", whole);
    free(whole);
    snprintf(job->raw, sizeof job->raw, "%s/raw.gcode", job->folder);
    return 0;
}

static int find_engine(const struct engine **engine, const struct slice_options *o, struct err *err)
{
    *engine = engine_find(o->engine);
    if (!*engine)
        return FAIL_CODE(err, ERR_ABSENT, "unknown_engine",
                         "there is no engine \"%.40s\"; there are cura and prusa", o->engine);
    return 0;
}

int slice_hash(char closure_hash[65], const struct slice_options *options, struct err *err)
{
    const struct engine *engine;
    struct engine_job job = {.options = options};
    return find_engine(&engine, options, err) || engine_probe(&job.version, engine, err) ||
                   hash_job(closure_hash, &job, engine, err)
               ? -1
               : 0;
}

int slice_run(struct slice_result *result, const struct slice_options *options, struct err *err)
{
    const struct engine *engine;
    struct engine_job job = {.options = options};
    *result = (struct slice_result){0};
    if (options->check)
        *options->check = NULL;
    if (find_engine(&engine, options, err))
        return -1;
    int failed = check_material(options, err) || open_folder(&job, err) || models_load(&job, err) ||
                 engine_probe(&job.version, engine, err) ||
                 hash_job(result->closure_hash, &job, engine, err) || engine->prepare(&job, err) ||
                 engine_run(&job, engine, &result->seconds, err) ||
                 finish(result, &job, engine, err);
    engine_job_close(&job);
    if (failed && options->check) {
        cJSON_Delete(*options->check);
        *options->check = NULL;
    }
    return failed ? -1 : 0;
}
