/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures and findings as JSON. */
#include "print/measure/report.h"

#include <stdio.h>

#include "base/clock.h"

int report_open(struct report *report, struct err *err)
{
    *report = (struct report){
        .findings = cJSON_CreateArray(), .steps = cJSON_CreateArray(), .started = clock_s()};
    if (report->findings && report->steps)
        return 0;
    report_drop(report);
    return FAIL(err, ERR_LIMIT, "no memory for a report");
}

void report_drop(struct report *report)
{
    cJSON_Delete(report->findings);
    cJSON_Delete(report->steps);
    *report = (struct report){0};
}

/* Enough digits for a person and the same text each time. */
static double rounded(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    double v = 0;
    return sscanf(text, "%lf", &v) == 1 ? v : value;
}

static void add_number(cJSON *object, const char *name, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, name, rounded(value));
    else
        cJSON_AddNullToObject(object, name);
}

static void add_count(cJSON *object, const char *name, size_t value)
{
    cJSON_AddNumberToObject(object, name, (double)value);
}

void report_step(struct report *report, const char *name, bool changed)
{
    double now = clock_s();
    cJSON *step = cJSON_CreateObject();
    cJSON_AddStringToObject(step, "name", name);
    cJSON_AddNumberToObject(step, "seconds", rounded(round((now - report->started) * 1e4) / 1e4));
    cJSON_AddBoolToObject(step, "changed", changed);
    cJSON_AddItemToArray(report->steps, step);
    report->started = now;
}

void report_find(struct report *report, const char *code, enum severity severity, double value,
                 double limit, const char *fmt, ...)
{
    static const char *const names[] = {"info", "warning", "error"};
    char message[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    cJSON *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(finding, "code", code);
    cJSON_AddStringToObject(finding, "severity", names[severity]);
    cJSON_AddStringToObject(finding, "message", message);
    add_number(finding, "value", value);
    add_number(finding, "limit", limit);
    cJSON_AddItemToArray(report->findings, finding);
    report->worst = severity > report->worst ? severity : report->worst;
}

static void add_three(cJSON *object, const char *name, const double values[3])
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    for (int k = 0; k < 3; k++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber(rounded(values[k])));
}

static cJSON *mesh_measures_json(const struct mesh_measures *m)
{
    cJSON *o = cJSON_CreateObject();
    add_count(o, "triangles", m->triangles);
    add_count(o, "vertices", m->vertices);
    add_count(o, "shells", m->shells);
    add_count(o, "boundary_edges", m->boundary_edges);
    add_count(o, "nonmanifold_edges", m->nonmanifold_edges);
    add_count(o, "nonmanifold_vertices", m->nonmanifold_vertices);
    add_count(o, "inconsistent_edges", m->inconsistent_edges);
    add_count(o, "degenerate", m->degenerate);
    cJSON_AddBoolToObject(o, "watertight", m->watertight);
    add_number(o, "volume_mm3", m->volume_mm3);
    add_number(o, "area_mm2", m->area_mm2);
    add_three(o, "size_mm", m->size_mm);
    add_three(o, "min_mm", m->min_mm);
    add_three(o, "max_mm", m->max_mm);
    return o;
}

static void add_print_measures(cJSON *o, const struct print_measures *p)
{
    add_count(o, "self_intersections", p->self_intersections);
    add_number(o, "deviation_mean_mm", p->deviation_mean_mm);
    add_number(o, "deviation_max_mm", p->deviation_max_mm);
    add_number(o, "contact_area_mm2", p->contact_area_mm2);
    add_number(o, "overhang_area_mm2", p->overhang_area_mm2);
    add_number(o, "tilt_margin_deg", p->tilt_margin_deg);
    add_number(o, "thin_share", p->thin_share);
}

cJSON *report_measures(const struct mesh_measures *mesh, const struct print_measures *print)
{
    cJSON *o = mesh_measures_json(mesh);
    if (print)
        add_print_measures(o, print);
    return o;
}

int report_close(cJSON **out, struct report *report, const char *verdict, cJSON *input,
                 cJSON *output, struct err *err)
{
    cJSON *o = cJSON_CreateObject();
    if (!o) {
        cJSON_Delete(input);
        cJSON_Delete(output);
        report_drop(report);
        return FAIL(err, ERR_LIMIT, "no memory for a report");
    }
    cJSON_AddStringToObject(o, "verdict", verdict);
    cJSON_AddItemToObject(o, "findings", report->findings);
    cJSON_AddItemToObject(o, "input", input);
    cJSON_AddItemToObject(o, "output", output ? output : cJSON_CreateNull());
    cJSON_AddItemToObject(o, "steps", report->steps);
    *report = (struct report){0};
    *out = o;
    return 0;
}
