/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CuraEngine 4.13 on the command line: one flat settings file, and its stderr, where alone the true
 * print time and filament are said. Its exit code is 0 for many jobs that print nothing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/slice/engine.h"

static int write_settings(struct engine_job *job, const cJSON *settings, struct err *err)
{
    struct bytes text = {.limit = 4 << 20};
    cJSON *root = cJSON_CreateObject(), *all = cJSON_CreateObject(), *children = NULL;
    const cJSON *item;
    int failed = 0;
    cJSON_AddNumberToObject(root, "version", 2);
    cJSON_AddObjectToObject(root, "metadata");
    cJSON_AddItemToObject(cJSON_AddObjectToObject(root, "settings"), "all", all);
    cJSON_AddStringToObject(all, "type", "category");
    children = cJSON_AddObjectToObject(all, "children");
    cJSON_ArrayForEach (item, settings) {
        cJSON *child = cJSON_AddObjectToObject(children, item->string);
        cJSON_AddStringToObject(child, "default_value", item->valuestring);
        failed =
            failed || bytes_printf(&job->closure, err, "%s=%s\n", item->string, item->valuestring);
    }
    failed = failed || json_print(&text, root, false, err) ||
             file_write(job->settings, text.data, text.len, err);
    bytes_free(&text);
    cJSON_Delete(root);
    return failed ? -1 : 0;
}

/*
 * The order counts: the settings, then the extruder, then the model. Names are given as the child
 * sees them in its folder: the engine writes the model's into the G-code.
 */
static int prepare(struct engine_job *job, struct err *err)
{
    static const char *const argv[] = {"CuraEngine",        "slice", "-v", "-p",        "-j",
                                       "settings.def.json", "-e0",   "-l", "model.stl", "-o",
                                       "raw.gcode",         NULL};
    cJSON *settings = NULL;
    _Static_assert(sizeof argv <= sizeof job->argv, "argv has room");
    memcpy(job->argv, argv, sizeof argv);
    if (cura_settings(&settings, job, err))
        return -1;
    int failed = write_settings(job, settings, err);
    cJSON_Delete(settings);
    return failed;
}

static const char *after(const char *line, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(line, prefix, n) == 0 ? line + n : NULL;
}

static void hear_header(struct engine_words *words, const char *line)
{
    const char *value;
    if (after(line, "End of gcode header")) {
        words->in_header = false;
        return;
    }
    if (*line != ';')
        return;
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

static void hear(struct engine_words *words, const char *line)
{
    const char *value;
    if (words->in_header)
        hear_header(words, line);
    else if (after(line, "Gcode header after slicing:"))
        words->in_header = true;
    else if (after(line, "Progress:"))
        hear_progress(words, line);
    else if ((value = after(line, "Cura_SteamEngine version ")))
        snprintf(words->version, sizeof words->version, "%.31s", value);
    else if ((value = after(line, "[ERROR] ")) && !*words->error)
        snprintf(words->error, sizeof words->error, "%.159s", value);
}

/* The file's own header says TIME:6666 and no filament. */
static bool placeholder(int *state, const char *line)
{
    if (*state || *line != ';') {
        *state = 1;
        return false;
    }
    *state = after(line, ";MAXZ:") != NULL;
    return true;
}

const struct engine engine_cura = {"cura", "CuraEngine", "cura-engine", prepare, hear, placeholder};
