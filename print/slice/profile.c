/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One profile from a printer, a material and a process: merged, frozen, changed for an object. */
#include "print/slice/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "print/slice/profile_files.h"

#define FROZEN_BYTES (1 << 20)

int printer_profile_load(struct printer_profile *out, const char *config_folder, const char *id,
                         struct err *err)
{
    cJSON *file = NULL;
    if (profile_file_load(&file, PROFILE_PRINTER, config_folder, id, err))
        return -1;
    *out = (struct printer_profile){.settings = file};
    snprintf(out->id, sizeof out->id, "%s", id);
    snprintf(out->name, sizeof out->name, "%s", json_text(file, "name", ""));
    snprintf(out->flavour, sizeof out->flavour, "%s", json_text(file, "flavour", ""));
    for (int i = 0; i < 3; i++)
        out->bed_mm[i] = cJSON_GetArrayItem(json_get(file, "bed_mm"), i)->valuedouble;
    out->nozzle_mm = json_number(file, "nozzle_mm", 0);
    return 0;
}

int material_profile_load(struct material_profile *out, const char *config_folder, const char *id,
                          struct err *err)
{
    cJSON *file = NULL;
    if (profile_file_load(&file, PROFILE_MATERIAL, config_folder, id, err))
        return -1;
    *out = (struct material_profile){.nozzle_c = json_number(file, "nozzle_c", 0),
                                     .bed_c = json_number(file, "bed_c", 0),
                                     .density_g_cm3 = json_number(file, "density_g_cm3", 0),
                                     .diameter_mm = json_number(file, "diameter_mm", 0),
                                     .min_wall_mm = json_number(file, "min_wall_mm", 0),
                                     .overhang_deg = json_number(file, "overhang_deg", 45),
                                     .bridge_mm = json_number(file, "bridge_mm", 10),
                                     .max_flow_mm3_s = json_number(file, "max_flow_mm3_s", 0),
                                     .settings = file};
    snprintf(out->id, sizeof out->id, "%s", id);
    snprintf(out->name, sizeof out->name, "%s", json_text(file, "name", ""));
    return 0;
}

void printer_profile_free(struct printer_profile *profile)
{
    if (!profile)
        return;
    cJSON_Delete(profile->settings);
    *profile = (struct printer_profile){0};
}

void material_profile_free(struct material_profile *profile)
{
    if (!profile)
        return;
    cJSON_Delete(profile->settings);
    *profile = (struct material_profile){0};
}

/* The first layer keeps its speed: it is there to hold, and travel prints nothing. */
static void scale_speeds(const cJSON *process, double percent)
{
    static const char *const names[] = {"outer_wall", "inner_wall", "infill", "top_bottom",
                                        "support"};
    const cJSON *speeds = json_get(process, "speeds_mm_s");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cJSON *speed = cJSON_GetObjectItemCaseSensitive(speeds, names[i]);
        if (speed)
            cJSON_SetNumberHelper(speed, fmax(1, round(speed->valuedouble * percent) / 100));
    }
}

static int lay_process(cJSON *process, const cJSON *file, struct err *err)
{
    const cJSON *over = json_get(file, "process");
    scale_speeds(process, json_number(over, "speed_percent", 100));
    if (json_merge(process, over, err))
        return -1;
    cJSON_DeleteItemFromObject(process, "speed_percent");
    return 0;
}

static int merge(struct profile *p, const cJSON *process_file, struct err *err)
{
    const cJSON *files[] = {p->printer.settings, process_file, p->material.settings};
    double melts = json_number(json_get(p->printer.settings, "limits"), "flow_mm3_s", INFINITY);
    p->material.max_flow_mm3_s = fmin(p->material.max_flow_mm3_s, melts);
    p->process = cJSON_CreateObject();
    p->engines = cJSON_CreateObject();
    if (!p->process || !p->engines)
        return FAIL(err, ERR_LIMIT, "no memory for a profile");
    for (int i = 0; i < 3; i++)
        if (lay_process(p->process, files[i], err) ||
            json_merge(p->engines, json_get(files[i], "engines"), err))
            return -1;
    return 0;
}

int profile_load(struct profile *out, const char *config_folder, const char *printer_id,
                 const char *material_id, const char *process_id, struct err *err)
{
    struct profile p = {0};
    cJSON *process = NULL;
    if (!process_id)
        process_id = PROFILE_PROCESS_DEFAULT;
    snprintf(p.process_id, sizeof p.process_id, "%s", process_id);
    int failed = printer_profile_load(&p.printer, config_folder, printer_id, err) ||
                 material_profile_load(&p.material, config_folder, material_id, err) ||
                 profile_file_load(&process, PROFILE_PROCESS, config_folder, process_id, err) ||
                 merge(&p, process, err);
    snprintf(p.process_name, sizeof p.process_name, "%s", json_text(process, "name", ""));
    cJSON_Delete(process);
    if (failed) {
        profile_free(&p);
        return -1;
    }
    *out = p;
    return 0;
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    printer_profile_free(&profile->printer);
    material_profile_free(&profile->material);
    cJSON_Delete(profile->process);
    cJSON_Delete(profile->engines);
    *profile = (struct profile){0};
}

int profile_object_process(cJSON **out, const struct profile *profile, const cJSON *settings,
                           struct err *err)
{
    static const char rule[] = "{\"$ref\": \"process.schema.json#/$defs/object\"}";
    cJSON *schema = NULL, *process = NULL;
    int failed = 0;
    if (settings) {
        if (json_parse(&schema, rule, sizeof rule - 1, err))
            return -1;
        failed = json_schema_check(schema, settings, err);
        cJSON_Delete(schema);
    }
    if (failed)
        return -1;
    process = cJSON_Duplicate(profile->process, true);
    if (!process)
        return FAIL(err, ERR_LIMIT, "no memory for an object's process");
    if (settings && json_merge(process, settings, err)) {
        cJSON_Delete(process);
        return -1;
    }
    *out = process;
    return 0;
}

/* One line a leaf; a line end inside a text must not look like the next leaf. */
static int put_leaf(struct bytes *out, const char *path, const cJSON *item, struct err *err)
{
    if (bytes_printf(out, err, "%s=", path))
        return -1;
    if (cJSON_IsNumber(item))
        return bytes_printf(out, err, "%.15g\n", item->valuedouble);
    if (!cJSON_IsString(item))
        return bytes_printf(out, err, "%s\n", cJSON_IsTrue(item) ? "true" : "false");
    for (const char *at = item->valuestring; *at; at++) {
        const char *escaped = *at == '\n' ? "\\n" : *at == '\\' ? "\\\\" : NULL;
        if (bytes_append(out, escaped ? escaped : at, escaped ? 2 : 1, err))
            return -1;
    }
    return bytes_append(out, "\n", 1, err);
}

static int put_leaves(struct bytes *out, const char *path, const cJSON *value, struct err *err)
{
    const cJSON *item;
    int number = 0;
    if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
        return put_leaf(out, path, value, err);
    cJSON_ArrayForEach (item, value) {
        char below[300];
        if (item->string)
            snprintf(below, sizeof below, "%s.%s", path, item->string);
        else
            snprintf(below, sizeof below, "%s.%d", path, number++);
        if (put_leaves(out, below, item, err))
            return -1;
    }
    return 0;
}

/* Without what is merged elsewhere, and without what changes nothing of a print. */
static int put_file(struct bytes *out, const char *path, const cJSON *file, struct err *err)
{
    static const char *const silent[] = {
        "process", "engines", "description", "network", "cost", "price_minor_per_kg", "currency"};
    cJSON *copy = cJSON_Duplicate(file, true);
    if (!copy)
        return FAIL(err, ERR_LIMIT, "no memory to freeze a profile");
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, silent[i]);
    int failed = put_leaves(out, path, copy, err);
    cJSON_Delete(copy);
    return failed;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int sort_lines(struct bytes *out, const struct bytes *lines, struct err *err)
{
    size_t count = 0, i = 0;
    for (size_t at = 0; at < lines->len; at++)
        count += lines->data[at] == '\n';
    char **list = malloc((count + 1) * sizeof *list), *rest = (char *)lines->data;
    if (!list)
        return FAIL(err, ERR_LIMIT, "no memory to freeze a profile");
    while (i < count)
        list[i++] = strsep(&rest, "\n");
    qsort(list, count, sizeof *list, by_text);
    int failed = 0;
    for (i = 0; i < count; i++)
        failed = failed || bytes_printf(out, err, "%s\n", list[i]);
    free(list);
    return failed ? -1 : 0;
}

int profile_frozen(struct bytes *out, char hash[65], const struct profile *profile, struct err *err)
{
    struct bytes lines = {.limit = FROZEN_BYTES};
    size_t before = out->len;
    int failed = put_file(&lines, "printer", profile->printer.settings, err) ||
                 put_file(&lines, "material", profile->material.settings, err) ||
                 put_leaves(&lines, "process", profile->process, err) ||
                 put_leaves(&lines, "engines", profile->engines, err) ||
                 sort_lines(out, &lines, err);
    bytes_free(&lines);
    if (failed)
        return -1;
    if (hash)
        sha256_hex(hash, out->data + before, out->len - before);
    return 0;
}
