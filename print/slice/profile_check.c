/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The check of one file of printers, materials or processes; see profile_check.h. */
#include "print/slice/profile_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assets.h"
#include "print/slice/engine.h"
#include "print/slice/profile_check_own.h"
#include "print/slice/profile_files.h"

/* Above it a line is pressed flat no more and the layers hold badly. */
#define LAYER_MOST 0.8
/* Of the nozzle: narrower lines tear, wider ones are not filled. */
#define WIDTH_LEAST 0.75
#define WIDTH_MOST 2.0

void profile_fault(const struct profile_walk *c, const char *path, const char *format, ...)
{
    char what[400];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    c->tell(c->user, path, what);
}

/* ---- schema ---- */

static void on_schema_fault(void *user, const char *path, const char *keyword, const char *what)
{
    const struct profile_walk *c = user;
    if ((strcmp(keyword, "required") == 0) == c->required_only)
        c->tell(c->user, path, what);
}

/* The file itself is held to all but completeness, which is for what it becomes. */
static int check_schema(struct profile_walk *c)
{
    const struct asset *asset = asset_find(profile_kind_schema(c->kind));
    cJSON *schema = NULL;
    if (!asset)
        return FAIL(c->err, ERR_BUG, "%s is not built in", profile_kind_schema(c->kind));
    if (json_parse(&schema, asset->data, asset->size, c->err))
        return -1;
    c->required_only = false;
    int failed = json_schema_faults(schema, c->own, on_schema_fault, c, c->err);
    c->required_only = true;
    if (!failed && c->whole)
        failed = json_schema_faults(schema, c->whole, on_schema_fault, c, c->err);
    cJSON_Delete(schema);
    return failed;
}

/* ---- printers ---- */

bool profile_has(const cJSON *file, const char *a, const char *b)
{
    return json_get(file, a) || json_get(file, b);
}

/* How it prints, against what it can. */
static void check_limits(const struct profile_walk *c)
{
    static const struct {
        const char *group, *limit;
        const char *const names[9];
    } rows[] = {{"speeds_mm_s",
                 "speed_xy_mm_s",
                 {"outer_wall", "inner_wall", "infill", "top_bottom", "support", "first_layer",
                  "travel", NULL}},
                {"speeds_mm_s", "speed_z_mm_s", {"z_hop", NULL}},
                {"accelerations_mm_s2",
                 "acceleration_xy_mm_s2",
                 {"normal", "outer_wall", "travel", "first_layer", NULL}},
                {"retraction", "speed_e_mm_s", {"speed_mm_s", NULL}}};
    char path[120];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const cJSON *group = json_get(json_get(c->whole, "process"), rows[i].group);
        double most = json_number(json_get(c->whole, "limits"), rows[i].limit, INFINITY);
        for (int k = 0; rows[i].names[k]; k++) {
            double value = json_number(group, rows[i].names[k], 0);
            snprintf(path, sizeof path, "/process/%s/%s", rows[i].group, rows[i].names[k]);
            if (value > most)
                profile_fault(c, path, "is %g; the printer's limit %s is %g", value, rows[i].limit,
                              most);
        }
    }
}

/* ---- engines ---- */

static bool prusa_knows(const cJSON *names, const char *key)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, names)
        if (strcmp(one->valuestring, key) == 0)
            return true;
    return false;
}

static int check_cura_words(const struct profile_walk *c, const cJSON *words)
{
    struct profile profile;
    cJSON *known = NULL;
    const cJSON *item;
    char path[160];
    if (!words)
        return 0;
    if (profile_load(&profile, NULL, "ender3v3se", "pla", NULL, c->err))
        return -1;
    const struct slice_options options = {.profile = &profile};
    const struct engine_job job = {.options = &options};
    int failed = cura_settings(&known, &job, c->err);
    profile_free(&profile);
    if (failed)
        return -1;
    cJSON_ArrayForEach (item, words) {
        snprintf(path, sizeof path, "/engines/cura/%.120s", item->string);
        if (!json_get(known, item->string))
            profile_fault(
                c, path,
                "is no setting that CuraEngine reads (settings such as line_width, which others "
                "follow from, change nothing)");
    }
    cJSON_Delete(known);
    return 0;
}

static int check_prusa_words(const struct profile_walk *c, const cJSON *words)
{
    const struct asset *asset = asset_find("config/engines/prusa.json");
    cJSON *file = NULL;
    const cJSON *item;
    char path[160];
    if (!words)
        return 0;
    if (!asset)
        return FAIL(c->err, ERR_BUG, "config/engines/prusa.json is not built in");
    if (json_parse(&file, asset->data, asset->size, c->err))
        return -1;
    cJSON_ArrayForEach (item, words) {
        snprintf(path, sizeof path, "/engines/prusa/%.120s", item->string);
        if (strcmp(item->string, "post_process") == 0)
            profile_fault(c, path, "is refused: it would run a program");
        else if (!prusa_knows(json_get(file, "known"), item->string))
            profile_fault(c, path, "is no setting that PrusaSlicer 2.5 reads");
    }
    cJSON_Delete(file);
    return 0;
}

/* ---- processes ---- */

bool profile_heat_fits(char *what, size_t room, const struct profile *p)
{
    double nozzle = json_number(p->printer.settings, "nozzle_max_c", 0);
    double bed = json_number(p->printer.settings, "bed_max_c", 0);
    double first = json_number(p->material.settings, "first_layer_nozzle_c", 0);
    double wanted = fmax(p->material.nozzle_c, first);
    if (wanted <= nozzle && p->material.bed_c <= bed)
        return true;
    snprintf(what, room, "%s wants %g and %g C; %s reaches %g and %g", p->material.id, wanted,
             p->material.bed_c, p->printer.id, nozzle, bed);
    return false;
}

bool profile_nozzle_fits(char *what, size_t room, const struct profile *p)
{
    static const char *const layers[] = {"layer_height_mm", "first_layer_height_mm"};
    static const char *const widths[] = {"outer_wall_width_mm", "line_width_mm"};
    double nozzle = p->printer.nozzle_mm;
    for (int i = 0; i < 2; i++) {
        double layer = json_number(p->process, layers[i], 0);
        double width = json_number(p->process, widths[i], nozzle);
        if (layer > LAYER_MOST * nozzle + 1e-9) {
            snprintf(what, room, "%s of %s is %g; the nozzle of %s, %g mm, allows %g", layers[i],
                     p->process_id, layer, p->printer.id, nozzle, LAYER_MOST * nozzle);
            return false;
        }
        if (width < WIDTH_LEAST * nozzle - 1e-9 || width > WIDTH_MOST * nozzle + 1e-9) {
            snprintf(what, room, "%s of %s is %g; the nozzle of %s, %g mm, allows %g to %g",
                     widths[i], p->process_id, width, p->printer.id, nozzle, WIDTH_LEAST * nozzle,
                     WIDTH_MOST * nozzle);
            return false;
        }
    }
    return true;
}

/* The smallest and the largest nozzle there is. */
static int find_nozzles(double *least, double *most, const struct profile_walk *c)
{
    cJSON *ids = NULL;
    const cJSON *id;
    if (profile_list(&ids, PROFILE_PRINTER, c->config_folder, c->err))
        return -1;
    *least = INFINITY;
    *most = 0;
    cJSON_ArrayForEach (id, ids) {
        struct printer_profile printer;
        struct err broken = {0}; /* is told of its own file */
        if (printer_profile_load(&printer, c->config_folder, id->valuestring, &broken))
            continue;
        *least = fmin(*least, printer.nozzle_mm);
        *most = fmax(*most, printer.nozzle_mm);
        printer_profile_free(&printer);
    }
    cJSON_Delete(ids);
    return 0;
}

static int check_process(const struct profile_walk *c)
{
    static const char *const layers[] = {"layer_height_mm", "first_layer_height_mm"};
    static const char *const widths[] = {"outer_wall_width_mm", "line_width_mm"};
    const cJSON *own = json_get(c->own, "process");
    double least, most;
    char path[60];
    if (find_nozzles(&least, &most, c))
        return -1;
    for (int i = 0; i < 2 && most > 0; i++) {
        double layer = json_number(own, layers[i], 0), width = json_number(own, widths[i], most);
        snprintf(path, sizeof path, "/process/%s", layers[i]);
        if (layer > LAYER_MOST * most + 1e-9)
            profile_fault(c, path, "is %g; the largest nozzle there is, %g mm, allows %g", layer,
                          most, LAYER_MOST * most);
        snprintf(path, sizeof path, "/process/%s", widths[i]);
        if (width < WIDTH_LEAST * least - 1e-9 || width > WIDTH_MOST * most + 1e-9)
            profile_fault(c, path, "is %g; the nozzles there are, %g to %g mm, allow %g to %g",
                          width, least, most, WIDTH_LEAST * least, WIDTH_MOST * most);
    }
    return 0;
}

static void check_material(const struct profile_walk *c)
{
    if (json_get(c->whole, "price_minor_per_kg") && !json_get(c->whole, "currency"))
        profile_fault(c, "/currency", "is missing: price_minor_per_kg is in minor units of what?");
}

/* ---- one file ---- */

static int check_sense(const struct profile_walk *c)
{
    const cJSON *engines = json_get(c->own, "engines");
    if (c->kind == PROFILE_PRINTER)
        profile_check_code(c);
    if (c->kind == PROFILE_PRINTER && profile_has(c->own, "process", "limits"))
        check_limits(c);
    if (c->kind == PROFILE_MATERIAL)
        check_material(c);
    if (c->kind == PROFILE_PROCESS && check_process(c))
        return -1;
    return check_cura_words(c, json_get(engines, "cura")) ||
                   check_prusa_words(c, json_get(engines, "prusa"))
               ? -1
               : 0;
}

static int resolve(struct profile_walk *c)
{
    struct err inner = {0};
    if (profile_resolve(&c->whole, c->kind, c->config_folder, c->id, &inner) == 0)
        return 0;
    c->whole = NULL;
    if (inner.kind == ERR_LIMIT || inner.kind == ERR_BUG)
        return err_fail(c->err, inner.kind, inner.code, inner.where, "%s", inner.what);
    if (!cJSON_IsObject(c->own))
        return 0;
    profile_fault(c, "/inherits", "%s",
                  strcmp(inner.code, "schema_violation") == 0 ? "must be of type string"
                                                              : inner.what);
    return 0;
}

static int check_file(struct profile_walk *c)
{
    if (resolve(c))
        return -1;
    const char *id = json_text(c->own, "id", c->id);
    if (strcmp(id, c->id) != 0)
        profile_fault(c, "/id", "is %.60s, but the file's name says %s", id, c->id);
    cJSON_DeleteItemFromObjectCaseSensitive(c->own, "inherits");
    if (check_schema(c))
        return -1;
    return cJSON_IsObject(c->whole) ? check_sense(c) : 0;
}

int profile_check(enum profile_kind kind, const char *config_folder, const char *id,
                  profile_fault_told *tell, void *user, struct err *err)
{
    struct profile_walk c = {.kind = kind,
                             .config_folder = config_folder,
                             .id = id,
                             .tell = tell,
                             .user = user,
                             .err = err};
    struct err inner = {0};
    bool built_in;
    if (profile_file_read(&c.own, &built_in, kind, config_folder, id, &inner)) {
        if (inner.kind == ERR_BUG || inner.kind == ERR_LIMIT)
            return err_fail(err, inner.kind, inner.code, inner.where, "%s", inner.what);
        profile_fault(&c, "", "%s",
                      inner.kind == ERR_ABSENT
                          ? "has a name that is no id: 1 to 39 of a-z, 0-9, _ and -"
                          : inner.what);
        return 0;
    }
    int failed = check_file(&c);
    cJSON_Delete(c.own);
    cJSON_Delete(c.whole);
    return failed ? -1 : 0;
}
