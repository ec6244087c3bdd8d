/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CuraEngine on the command line: its settings file, and its words, where alone the true print time
 * and filament are said. Its exit code is 0 for many jobs that print nothing. 4.13 takes one flat
 * definition file (-j) and speaks on stderr; from 5.9 on it takes resolved settings (-r), reports
 * no progress, and speaks on stdout with a time and a level before each line.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/export.h"
#include "print/slice/engine.h"

#define STL_BYTES_MAX ((size_t)1 << 30)

static bool takes_resolved(const struct engine_version *v)
{
    return v->major > 5 || (v->major == 5 && v->minor >= 9);
}

static int list_lines(struct bytes *out, const char *prefix, const cJSON *settings, struct err *err)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, settings) {
        if (bytes_printf(out, err, "%s%s=%s\n", prefix, item->string, item->valuestring))
            return -1;
    }
    return 0;
}

static int closure(struct bytes *out, const struct engine_job *job, struct err *err)
{
    const struct slice_options *o = job->options;
    cJSON *settings = NULL;
    int failed = cura_settings(&settings, job, err) || list_lines(out, "", settings, err);
    cJSON_Delete(settings);
    for (size_t i = 0; i < o->object_count && !failed; i++) {
        char prefix[40];
        cJSON *own = NULL;
        snprintf(prefix, sizeof prefix, "object.%zu.", i);
        failed = cura_object_settings(&own, o->profile, o->objects[i].settings, err) ||
                 list_lines(out, prefix, own, err);
        cJSON_Delete(own);
    }
    return failed ? -1 : 0;
}

/* 4.13: one category whose children all have a default. Takes the settings. */
static cJSON *flat_file(const cJSON *settings)
{
    const cJSON *item;
    cJSON *root = cJSON_CreateObject(), *all = cJSON_CreateObject(), *children;
    cJSON_AddNumberToObject(root, "version", 2);
    cJSON_AddObjectToObject(root, "metadata");
    cJSON_AddItemToObject(cJSON_AddObjectToObject(root, "settings"), "all", all);
    cJSON_AddStringToObject(all, "type", "category");
    children = cJSON_AddObjectToObject(all, "children");
    cJSON_ArrayForEach (item, settings)
        cJSON_AddStringToObject(cJSON_AddObjectToObject(children, item->string), "default_value",
                                item->valuestring);
    return root;
}

/* 5.9: what is global, and what an extruder has of its own. Models may be named here too, but then
 * their order is not kept, and what one has of its own is given to all: they follow as arguments.
 */
static cJSON *resolved_file(const cJSON *settings)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddItemToObject(root, "global", cJSON_Duplicate(settings, true));
    cJSON_AddObjectToObject(root, "extruder.0");
    return root;
}

static int write_settings(const struct engine_job *job, const char *name, struct err *err)
{
    char path[4200];
    struct bytes text = {.limit = 4 << 20};
    cJSON *settings = NULL, *root = NULL;
    snprintf(path, sizeof path, "%s/%s", job->folder, name);
    int failed = cura_settings(&settings, job, err);
    if (!failed) {
        root = takes_resolved(&job->version) ? resolved_file(settings) : flat_file(settings);
        failed = json_print(&text, root, false, err) || file_write(path, text.data, text.len, err);
    }
    bytes_free(&text);
    cJSON_Delete(root);
    cJSON_Delete(settings);
    return failed ? -1 : 0;
}

static int write_stl(const struct engine_job *job, const struct engine_object *object,
                     struct err *err)
{
    char path[4200];
    struct bytes stl = {.limit = STL_BYTES_MAX};
    snprintf(path, sizeof path, "%s/%s", job->folder, object->file);
    int failed =
        stl_write(&stl, &object->mesh, NULL, err) || file_write(path, stl.data, stl.len, err);
    bytes_free(&stl);
    return failed ? -1 : 0;
}

/* What stands behind `-l model.stl` is that model's own. */
static int add_object(struct engine_job *job, size_t i, struct err *err)
{
    const cJSON *item;
    cJSON *own = NULL;
    const struct slice_options *o = job->options;
    int failed = write_stl(job, &job->objects[i], err) || engine_arg(job, err, "-l") ||
                 engine_arg(job, err, "%s", job->objects[i].file) ||
                 cura_object_settings(&own, o->profile, o->objects[i].settings, err);
    cJSON_ArrayForEach (item, own)
        failed = failed || engine_arg(job, err, "-s") ||
                 engine_arg(job, err, "%s=%s", item->string, item->valuestring);
    cJSON_Delete(own);
    return failed ? -1 : 0;
}

/*
 * The order counts: the settings, then the extruder, then the models. Names are given as the child
 * sees them in its folder: the engine writes the models' into the G-code.
 */
static int prepare(struct engine_job *job, struct err *err)
{
    static const char *const flat[] = {"slice", "-v", "-p", "-j", "settings.def.json", "-e0", NULL};
    static const char *const resolved[] = {"slice",         "-v",  "-d", ".", "-r",
                                           "resolved.json", "-e0", NULL};
    bool fresh = takes_resolved(&job->version);
    int failed = write_settings(job, fresh ? "resolved.json" : "settings.def.json", err);
    failed = failed || engine_arg(job, err, "%s", job->version.path);
    for (const char *const *arg = fresh ? resolved : flat; *arg && !failed; arg++)
        failed = engine_arg(job, err, "%s", *arg);
    for (size_t i = 0; i < job->options->object_count && !failed; i++)
        failed = add_object(job, i, err);
    return failed || engine_arg(job, err, "-o") || engine_arg(job, err, "raw.gcode") ? -1 : 0;
}

static const char *after(const char *line, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(line, prefix, n) == 0 ? line + n : NULL;
}

static void hear_header(struct engine_words *words, const char *line)
{
    const char *value;
    if ((value = after(line, ";TIME:")))
        words->print_time_s = strtod(value, NULL);
    if ((value = after(line, ";Filament used:")))
        words->filament_mm = 1000 * strtod(value, NULL);
    /* No memory for a line here shows later as a header that is missing. */
    if (bytes_printf(&words->header, NULL, "%s\n", line))
        bytes_free(&words->header);
}

/* "Progress:export:192:198<tab>0.983170%": the number is a share, whatever its sign says. */
static void hear_progress(struct engine_words *words, const char *line)
{
    const char *tab = strchr(line, '\t');
    double share = tab ? strtod(tab + 1, NULL) : 0;
    if (share > words->share && share <= 1)
        words->share = share;
}

/* "[2024-11-15 12:50:30.123] [info] words" of 5.x as 4.13 would say it; *error: by its level. */
static const char *without_log(const char *line, bool *error)
{
    const char *level = *line == '[' ? strstr(line, "] [") : NULL;
    if (!level)
        return line;
    const char *words = strstr(level + 3, "] ");
    *error = strncmp(level + 3, "error", 5) == 0 || strncmp(level + 3, "critical", 8) == 0;
    return words ? words + 2 : line;
}

static const char *hear(struct engine_words *words, const char *line, bool output)
{
    const char *value;
    bool error = false;
    (void)output; /* 4.13 speaks on stderr, 5.x on stdout */
    line = without_log(line, &error);
    if (words->in_header && *line == ';') {
        hear_header(words, line);
        return NULL;
    }
    words->in_header = false;
    if ((value = after(line, "Gcode header after slicing:"))) {
        words->in_header = true;
        value += *value == ' ';
        if (*value == ';')
            hear_header(words, value);
    } else if (after(line, "Progress:"))
        hear_progress(words, line);
    else if ((value = after(line, "[ERROR] ")))
        return value;
    else if (error || strstr(line, "  what(): ") == line)
        return line;
    /* A warning without an end of line stands before the error in one case. */
    return strstr(line, "[ERROR] Failed to load model");
}

/*
 * 4.13 reserves 4.3 GB of address space for a figure that takes 70 MB, and fails without a word
 * under 4 GiB. It starts a thread a layer, whose stacks it reserves all at once.
 */
const struct engine engine_cura = {.name = "cura",
                                   .program = "CuraEngine",
                                   .package = "cura-engine",
                                   .version_arg = "help",
                                   .version_mark = "Cura_SteamEngine version ",
                                   .memory_bytes = (uint64_t)12 << 30,
                                   .stack_bytes = (uint64_t)2 << 20,
                                   .placeholder_head = true,
                                   .closure = closure,
                                   .prepare = prepare,
                                   .hear = hear};
