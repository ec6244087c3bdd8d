/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PrusaSlicer 2.5 on the command line. The plate goes in as a 3MF of ours, which alone lets objects
 * have settings of their own and keeps the place of each; it says its progress on stdout, and time
 * and filament at the end of the G-code.
 */
#include "print/slice/prusa.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print/export/export.h"
#include "print/slice/engine.h"

#define OWN_MAX 32
#define BESIDE_MM 2
/* Time and filament stand before the list of settings, 15 KB with our own; start and end code that
 * a shop writes may add 60 KB. */
#define END_BYTES 262144

static int closure(struct bytes *out, const struct engine_job *job, struct err *err)
{
    const struct slice_options *o = job->options;
    int failed = prusa_settings(out, o->profile, err);
    for (size_t i = 0; i < o->object_count && !failed; i++)
        failed = bytes_printf(out, err, "object.%zu:\n", i) ||
                 prusa_object_settings(out, o->profile, o->objects[i].settings, err);
    return failed ? -1 : 0;
}

/* A skirt or brim that has no room beside a large model is left out: off the bed it would fail. */
static bool has_room(const struct engine_job *job)
{
    const struct profile *p = job->options->profile;
    const cJSON *adhesion = json_get(p->process, "adhesion");
    bool brim = strcmp(json_text(adhesion, "type", "none"), "brim") == 0;
    double line = json_number(p->process, "line_width_mm", 0.4);
    double wide = brim ? json_number(adhesion, "brim_mm", 0)
                       : json_number(adhesion, "skirt_gap_mm", 0) +
                             line * json_number(adhesion, "skirt_lines", 0);
    for (int i = 0; i < 2; i++)
        if (fmax(-job->low[i], job->high[i]) + wide + BESIDE_MM > p->printer.bed_mm[i] / 2)
            return false;
    return true;
}

static int write_settings(const struct engine_job *job, struct err *err)
{
    char path[4200];
    struct bytes ini = {.limit = 1 << 20};
    snprintf(path, sizeof path, "%s/settings.ini", job->folder);
    int failed = prusa_settings(&ini, job->options->profile, err) ||
                 file_write(path, ini.data, ini.len, err);
    bytes_free(&ini);
    return failed ? -1 : 0;
}

/* "key = value" lines, taken apart in place. */
static size_t split_lines(struct export_setting own[OWN_MAX], struct bytes *text)
{
    size_t n = 0;
    char *save = NULL;
    for (char *line = text->data ? strtok_r((char *)text->data, "\n", &save) : NULL;
         line && n < OWN_MAX; line = strtok_r(NULL, "\n", &save)) {
        char *mark = strstr(line, " = ");
        if (!mark)
            continue;
        *mark = 0;
        own[n++] = (struct export_setting){line, mark + 3};
    }
    return n;
}

struct plate {
    struct export_object *objects;
    struct export_setting (*own)[OWN_MAX];
    struct bytes *lines; /* that own points into */
};

static int fill_plate(struct plate *plate, const struct engine_job *job, struct err *err)
{
    const struct slice_options *o = job->options;
    size_t count = o->object_count;
    plate->objects = calloc(count, sizeof *plate->objects);
    plate->own = calloc(count, sizeof *plate->own);
    plate->lines = calloc(count, sizeof *plate->lines);
    if (!plate->objects || !plate->own || !plate->lines)
        return FAIL(err, ERR_LIMIT, "no memory for %zu objects", count);
    for (size_t i = 0; i < count; i++) {
        struct export_object *object = &plate->objects[i];
        if (prusa_object_settings(&plate->lines[i], o->profile, o->objects[i].settings, err))
            return -1;
        object->prusa_count = split_lines(plate->own[i], &plate->lines[i]);
        object->prusa = plate->own[i];
        object->mesh = &job->objects[i].mesh;
        object->name = job->objects[i].file;
        object->place_mm[0] = o->profile->printer.bed_mm[0] / 2;
        object->place_mm[1] = o->profile->printer.bed_mm[1] / 2;
    }
    return 0;
}

static int write_models(const struct engine_job *job, struct err *err)
{
    char path[4200];
    struct plate plate = {0};
    const size_t count = job->options->object_count;
    int fd = -1, failed = -1;
    snprintf(path, sizeof path, "%s/model.3mf", job->folder);
    if (fill_plate(&plate, job, err))
        goto out;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        FAIL_ERRNO(err, "cannot write %s", path);
        goto out;
    }
    failed = threemf_write_file(
        fd, &(struct export_plate){.objects = plate.objects, .object_count = count}, err);
out:
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; plate.lines && i < count; i++)
        bytes_free(&plate.lines[i]);
    free(plate.lines);
    free(plate.own);
    free(plate.objects);
    return failed;
}

/*
 * stdbuf (coreutils) makes it say its progress while it works: into a pipe it would say all of it
 * at the end. What it does not understand it would replace by a default of its own without
 * config-compatibility=disable.
 */
static int prepare(struct engine_job *job, struct err *err)
{
    static const char *const args[] = {"-g",
                                       "--load",
                                       "settings.ini",
                                       "--dont-arrange",
                                       "--config-compatibility",
                                       "disable",
                                       "--loglevel",
                                       "1",
                                       "-o",
                                       "raw.gcode",
                                       NULL};
    int failed = write_settings(job, err) || write_models(job, err) ||
                 engine_arg(job, err, "stdbuf") || engine_arg(job, err, "-oL") ||
                 engine_arg(job, err, "%s", job->version.path);
    for (const char *const *arg = args; *arg && !failed; arg++)
        failed = engine_arg(job, err, "%s", *arg);
    if (!failed && !has_room(job))
        failed = engine_arg(job, err, "--skirts") || engine_arg(job, err, "0") ||
                 engine_arg(job, err, "--brim-width") || engine_arg(job, err, "0");
    return failed || engine_arg(job, err, "model.3mf") ? -1 : 0;
}

/* "88 => Generating skirt and brim", not in order. */
static const char *hear(struct engine_words *words, const char *line, bool output)
{
    char *end;
    double percent = strtod(line, &end);
    if (end != line && strncmp(end, " => ", 4) == 0) {
        if (percent / 100 > words->share && percent <= 100)
            words->share = percent / 100;
        return NULL;
    }
    return output ? NULL : line;
}

/* "1d 2h 3m 4s", any of them missing. */
static double read_duration(const char *at)
{
    double sum = 0;
    for (;;) {
        char *end;
        double value = strtod(at, &end);
        if (end == at)
            return sum;
        sum += value * (*end == 'd' ? 86400 : *end == 'h' ? 3600 : *end == 'm' ? 60 : 1);
        at = end + (*end && *end != '\n');
    }
}

static void read_facts(struct engine_words *words, const char *text)
{
    static const char filament[] = "\n; filament used [mm] = ",
                      time[] = "\n; estimated printing time (normal mode) = ";
    const char *at = strstr(text, filament);
    if (at)
        words->filament_mm = strtod(at + sizeof filament - 1, NULL);
    at = strstr(text, time);
    if (at)
        words->print_time_s = read_duration(at + sizeof time - 1);
}

static int read_end(struct engine_job *job, struct err *err)
{
    FILE *in = fopen(job->raw, "re");
    if (!in)
        return errno == ENOENT ? 0 : FAIL_ERRNO(err, "cannot read %s", job->raw);
    char *text = malloc(END_BYTES + 1);
    if (!text) {
        fclose(in);
        return FAIL(err, ERR_LIMIT, "no memory for the G-code's end");
    }
    if (fseek(in, -END_BYTES, SEEK_END))
        rewind(in);
    text[fread(text, 1, END_BYTES, in)] = 0;
    fclose(in);
    read_facts(&job->words, text);
    free(text);
    return 0;
}

/*
 * On several processors its threads hand in the lines of a layer as they come: of a cow of 60 mm 5
 * of 12 jobs had other bytes than the rest, on one processor 0 of 20. The other cause, walls of
 * varying width (arachne), is left out by config/engines/prusa.json: with them 10 of 100 jobs of a
 * mushroom of 24 triangles had a corner more, even so; without, 0 of 100.
 */
const struct engine engine_prusa = {.name = "prusa",
                                    .program = "prusa-slicer",
                                    .package = "prusa-slicer",
                                    .version_arg = "--help",
                                    .version_mark = "PrusaSlicer-",
                                    .memory_bytes = (uint64_t)6 << 30,
                                    .stack_bytes = (uint64_t)8 << 20,
                                    .one_processor = true,
                                    .closure = closure,
                                    .prepare = prepare,
                                    .hear = hear,
                                    .read_end = read_end};
