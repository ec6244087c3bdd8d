/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A second opinion: the other engine slices the same plate, and both results are compared. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "print/slice/engine.h"

#define PI 3.14159265358979323846

/*
 * Of one ratio, second through first: where the two engines usually end, and what no two of them
 * make of one model. Measured: see docs/slicing.md.
 */
struct tolerance {
    const char *name;
    double low, high;         /* a warning outside */
    double far_low, far_high; /* an error outside */
};
static const struct tolerance of_volume = {"volume", 0.9, 1.15, 0.75, 1.35};
static const struct tolerance of_time = {"time", 0.75, 1.4, 0.5, 2.0};

enum verdict { AGREE, DIFFER, FAR };

static void add_finding(cJSON *findings, const char *code, bool far, double value, double limit,
                        const char *fmt, ...) PRINTF_LIKE(6, 7);
static void add_finding(cJSON *findings, const char *code, bool far, double value, double limit,
                        const char *fmt, ...)
{
    char message[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    cJSON *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(finding, "code", code);
    cJSON_AddStringToObject(finding, "severity", far ? "error" : "warning");
    cJSON_AddStringToObject(finding, "message", message);
    cJSON_AddNumberToObject(finding, "value", value);
    cJSON_AddNumberToObject(finding, "limit", limit);
    cJSON_AddItemToArray(findings, finding);
}

static enum verdict judge(cJSON *findings, const struct tolerance *t, double ratio,
                          const char *second, const char *what)
{
    char code[40];
    /* Written so that a ratio of "nan" is far. */
    bool far = !(ratio >= t->far_low && ratio <= t->far_high);
    if (ratio >= t->low && ratio <= t->high)
        return AGREE;
    snprintf(code, sizeof code, "second_%s", t->name);
    double limit = ratio < 1 ? (far ? t->far_low : t->low) : (far ? t->far_high : t->high);
    add_finding(findings, code, far, ratio, limit,
                "%s %s %.0f %% %s than the first engine; up to %.0f %% is usual", second, what,
                100 * fabs(ratio - 1), ratio < 1 ? "less" : "more",
                100 * fabs((ratio < 1 ? t->low : t->high) - 1));
    return far ? FAR : DIFFER;
}

static double plastic_mm3(const struct slice_result *r, const struct profile *profile)
{
    double radius = profile->material.diameter_mm / 2;
    return r->filament_mm * PI * radius * radius;
}

static cJSON *side_json(const struct slice_result *r, const struct profile *profile)
{
    cJSON *side = cJSON_CreateObject();
    cJSON_AddStringToObject(side, "engine", r->engine);
    cJSON_AddStringToObject(side, "version", r->engine_version);
    cJSON_AddStringToObject(side, "gcode_hash", r->gcode_hash);
    cJSON_AddNumberToObject(side, "filament_mm", r->filament_mm);
    cJSON_AddNumberToObject(side, "mm3", plastic_mm3(r, profile));
    cJSON_AddNumberToObject(side, "print_time_s", r->print_time_s);
    cJSON_AddNumberToObject(side, "layer_count", r->layer_count);
    return side;
}

cJSON *compare_results(const struct slice_result *first, const struct slice_result *second,
                       const struct profile *profile)
{
    static const char *const verdicts[] = {"agree", "differ", "far"};
    cJSON *report = cJSON_CreateObject(), *findings = cJSON_CreateArray();
    double volume = plastic_mm3(second, profile) / plastic_mm3(first, profile);
    double time = second->print_time_s / first->print_time_s;
    enum verdict by_volume = judge(findings, &of_volume, volume, second->engine, "uses");
    enum verdict by_time = judge(findings, &of_time, time, second->engine, "prints");
    cJSON_AddItemToObject(report, "first", side_json(first, profile));
    cJSON_AddItemToObject(report, "second", side_json(second, profile));
    cJSON_AddNumberToObject(report, "volume_ratio", volume);
    cJSON_AddNumberToObject(report, "time_ratio", time);
    cJSON_AddStringToObject(report, "verdict", verdicts[by_volume > by_time ? by_volume : by_time]);
    cJSON_AddItemToObject(report, "findings", findings);
    return report;
}

int slice_compare(cJSON **report, const struct slice_options *options,
                  const struct slice_result *first, struct err *err)
{
    const struct engine *engine = engine_find(first->engine);
    struct slice_options other = *options;
    struct slice_result second;
    char path[4096];
    if (!engine)
        return FAIL(err, ERR_INPUT, "no engine made the first result");
    int n = snprintf(path, sizeof path, "%s/second-XXXXXX", options->work_folder);
    int fd = n < (int)sizeof path ? mkstemp(path) : -1;
    if (fd < 0)
        return FAIL_ERRNO(err, "cannot make a file in %s", options->work_folder);
    close(fd);
    other.engine = engine_other(engine)->name;
    other.out_path = path;
    other.check = NULL;
    int failed = slice_run(&second, &other, err);
    unlink(path);
    if (!failed)
        *report = compare_results(first, &second, options->profile);
    return failed;
}
