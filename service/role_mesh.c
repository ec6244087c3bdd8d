/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The roles inspect and prep, and how every role reads a mesh. Runs confined; see role.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "print/export/export.h"
#include "print/prep.h"
#include "print/read/read.h"
#include "print/render/render.h"
#include "service/role_own.h"

static void add_note(cJSON *report, const struct read_notes *notes)
{
    cJSON *findings = cJSON_GetObjectItemCaseSensitive(report, "findings");
    if (!*notes->text || !findings)
        return;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "code", "read_note");
    cJSON_AddStringToObject(o, "severity", "info");
    cJSON_AddStringToObject(o, "message", notes->text);
    cJSON_AddNullToObject(o, "value");
    cJSON_AddNullToObject(o, "limit");
    cJSON_AddItemToArray(findings, o);
}

int role_read_mesh(struct mesh *out, struct skin *skin, struct read_notes *notes,
                   const struct ask *ask, struct err *err)
{
    struct bytes *in = ask->input;
    const char *name = json_text(ask->options, "name", NULL);
    memset(notes, 0, sizeof *notes);
    int failed = (!in->data && bytes_read_file(in, "in", err)) ||
                 mesh_read_skin(out, skin, notes, in->data, in->len, name, err);
    bytes_free(in);
    return failed ? -1 : 0;
}

/* The material's limits and the product's over the usual ones. */
static struct prep_limits prep_limits(const struct ask *ask)
{
    struct prep_limits l = PREP_LIMITS_DEFAULT;
    const cJSON *own = json_get(ask->options, "limits");
    l.min_wall_mm = ask->profile.material.min_wall_mm;
    l.overhang_deg = ask->profile.material.overhang_deg;
    l.bridge_mm = ask->profile.material.bridge_mm;
    l.thin_share = json_number(own, "thin_share", l.thin_share);
    l.tilt_margin_deg = json_number(own, "tilt_margin_deg", l.tilt_margin_deg);
    l.contact_area_mm2 = json_number(own, "contact_area_mm2", l.contact_area_mm2);
    l.overhang_share = json_number(own, "overhang_share", l.overhang_share);
    l.silhouette_overlap = json_number(own, "silhouette_overlap", l.silhouette_overlap);
    return l;
}

static int word_of(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return 0;
}

static struct base_options base_options(const struct ask *ask)
{
    static const char *const shapes[] = {"none", "round", "square", "oval"};
    static const char *const styles[] = {"engraved", "embossed"};
    struct base_options o = BASE_OPTIONS_DEFAULT;
    const cJSON *base = json_get(ask->options, "base");
    o.shape = (enum base_shape)word_of(json_text(base, "shape", "none"), shapes, 4);
    o.height_mm = json_number(base, "height_mm", o.height_mm);
    o.size_mm = json_number(base, "size_mm", o.size_mm);
    o.max_size_mm = fmin(ask->profile.printer.bed_mm[0], ask->profile.printer.bed_mm[1]);
    o.text = json_text(base, "text", NULL);
    o.text_style = (enum text_style)word_of(json_text(base, "text_style", "engraved"), styles, 2);
    o.font = ask->font.data;
    o.font_bytes = ask->font.len;
    return o;
}

/* The role's options over the defaults. */
static struct prep_options prep_options(const struct ask *ask, const struct read_notes *notes)
{
    struct prep_options o = PREP_OPTIONS_DEFAULT;
    const char *orient = json_text(ask->options, "orient", "upright");
    o.height_mm = json_number(ask->options, "height_mm", 0);
    o.longest_mm = json_number(ask->options, "longest_mm", 0);
    o.flatten_mm = json_number(ask->options, "flatten_mm", o.flatten_mm);
    o.max_triangles = (size_t)fmax(0, fmin(json_number(ask->options, "max_triangles", 0), 20e6));
    o.orient = strcmp(orient, "auto") == 0   ? ORIENT_AUTO
               : strcmp(orient, "keep") == 0 ? ORIENT_KEEP
                                             : ORIENT_UPRIGHT;
    o.protect_front = json_bool(ask->options, "protect_front", false);
    o.unit_mm = notes->unit_mm;
    memcpy(o.bed_mm, ask->profile.printer.bed_mm, sizeof o.bed_mm);
    o.limits = prep_limits(ask);
    o.base = base_options(ask);
    o.split_base = json_bool(ask->options, "split_base", false);
    o.hollow = HOLLOW_OPTIONS_DEFAULT;
    o.hollow.wall_mm = json_number(ask->options, "hollow_mm", 0);
    o.hollow.drain_count = (unsigned)fmax(0, fmin(json_number(ask->options, "drains", 0), 8));
    return o;
}

int role_inspect(const struct ask *ask, cJSON **result, struct err *err)
{
    struct mesh mesh = {0};
    struct read_notes notes;
    int failed = role_read_mesh(&mesh, NULL, &notes, ask, err);
    if (!failed) {
        struct prep_options o = prep_options(ask, &notes);
        failed = mesh_inspect(result, &mesh, &o, err);
    }
    if (!failed)
        add_note(*result, &notes);
    mesh_free(&mesh);
    return failed ? -1 : 0;
}

/* The prepared part, or figure and base, as objects of a plate. */
static int begin_export(struct role_plate *plate, struct prepared_part parts[2],
                        struct export_palette palettes[2], const struct prepared *made,
                        const struct ask *ask, struct err *err)
{
    struct render_options view = RENDER_OPTIONS_DEFAULT;
    uint8_t *painted = NULL;
    const double *bed = ask->profile.printer.bed_mm;
    const char *name = json_text(json_get(ask->options, "labels"), "object_name", "figure");
    view.width = view.height = 300;
    view.transparent = true;
    if (prepared_parts(parts, &plate->count, made, err))
        return -1;
    plate->labels = role_labels(ask);
    plate->colour = made->palette.count ? made->palette.rgb[0] : NULL;
    for (size_t i = 0; i < plate->count; i++) {
        const struct prepared_part *part = &parts[i];
        palettes[i] = (struct export_palette){
            .count = made->palette.count, .rgb = made->palette.rgb, .of_triangle = part->colour};
        plate->objects[i] =
            (struct export_object){.mesh = &part->mesh,
                                   .palette = part->colour ? &palettes[i] : NULL,
                                   .name = plate->count > 1 ? part->name : name,
                                   .item_id = plate->labels.item_id,
                                   .part_code = plate->labels.part_code,
                                   .place_mm = {part->place_mm[0] + bed[0] / 2,
                                                part->place_mm[1] + bed[1] / 2, part->place_mm[2]}};
        plate->settings[i] = json_get(ask->options, "settings");
    }
    int failed = role_paint(&painted, made, err);
    view.triangle_rgb = painted;
    failed = failed || mesh_render_thumbnail(&plate->thumbnail, &made->mesh, &view, err) ||
             role_plate_write(plate, ask, err);
    free(painted);
    return failed ? -1 : 0;
}

static void add_step(cJSON *report, const char *name, double seconds)
{
    cJSON *steps = cJSON_GetObjectItemCaseSensitive(report, "steps");
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddNumberToObject(o, "seconds", seconds);
    cJSON_AddFalseToObject(o, "changed");
    if (!cJSON_AddItemToArray(steps, o))
        cJSON_Delete(o);
}

/* colours: how many, or a list of "#rrggbb": the filaments that there are. */
static int palette_options(struct palette_options *out, uint8_t (*filaments)[3],
                           const cJSON *options, struct err *err)
{
    const cJSON *colours = json_get(options, "colours"), *one;
    *out = PALETTE_OPTIONS_DEFAULT;
    out->count = cJSON_IsNumber(colours) ? (unsigned)fmax(0, fmin(colours->valuedouble, 16)) : 0;
    cJSON_ArrayForEach (one, colours) {
        unsigned rgb;
        char rest;
        if (out->count == PALETTE_MOST || !cJSON_IsString(one) || strlen(one->valuestring) != 7 ||
            sscanf(one->valuestring, "#%6x%c", &rgb, &rest) != 1)
            return FAIL_CODE(err, ERR_INPUT, "palette_invalid",
                             "colours are a number up to %d, or as many of the form #rrggbb",
                             PALETTE_MOST);
        uint8_t *to = filaments[out->count++];
        to[0] = (uint8_t)(rgb >> 16), to[1] = (uint8_t)(rgb >> 8), to[2] = (uint8_t)rgb;
        out->filaments = (const uint8_t(*)[3])filaments;
    }
    return 0;
}

static int draw_pictures(const struct prepared *made, const struct ask *ask, cJSON *report,
                         struct err *err)
{
    double started = clock_s();
    if (!json_bool(ask->options, "pictures", false))
        return 0;
    int failed = role_draw(made, ask, err);
    add_step(report, "pictures", clock_s() - started);
    return failed;
}

/* Promise 5: the file is named when two readers found in it what was written; meanwhile whatever
 * else is asked for is made. */
static int write_files(const struct prepared *made, const struct ask *ask, cJSON *report,
                       struct err *err)
{
    struct prepared_part parts[2] = {{0}};
    struct export_palette palettes[2];
    struct export_object objects[2];
    const cJSON *settings[2];
    struct role_plate plate = {.objects = objects, .settings = settings};
    double started = clock_s();
    int failed = begin_export(&plate, parts, palettes, made, ask, err) ||
                 (json_bool(ask->options, "stl", false) &&
                  role_write_stl("out.stl", &made->mesh, "figure", err));
    add_step(report, "export", clock_s() - started);
    failed = failed || draw_pictures(made, ask, report, err);
    started = clock_s();
    failed = failed || role_plate_finish(&plate, "out.3mf", json_get(report, "output"), err);
    add_step(report, "read_back", clock_s() - started);
    role_plate_free(&plate);
    prepared_parts_free(parts);
    return failed ? -1 : 0;
}

int role_prep(const struct ask *ask, cJSON **result, struct err *err)
{
    struct mesh in = {0};
    struct skin skin = {0};
    uint8_t filaments[PALETTE_MOST][3];
    struct palette_options colours;
    struct prepared out = {0};
    struct read_notes notes;
    struct picture mask = {0};
    const cJSON *settings = json_get(ask->options, "settings");
    int failed = palette_options(&colours, filaments, ask->options, err) ||
                 (settings && project_check_settings(settings, err)) ||
                 role_read_mesh(&in, &skin, &notes, ask, err) ||
                 (access("mask.png", F_OK) == 0 && role_read_png(&mask, "mask.png", err));
    if (!failed) {
        struct prep_options o = prep_options(ask, &notes);
        o.mask = mask.rgba ? &mask : NULL;
        o.skin = &skin;
        o.palette = colours;
        failed = mesh_prep(&out, result, &in, &o, err);
    }
    picture_free(&mask);
    skin_free(&skin);
    mesh_free(&in);
    if (!failed)
        add_note(*result, &notes);
    if (!failed && out.verdict != VERDICT_REJECT)
        failed = write_files(&out, ask, *result, err);
    prepared_free(&out);
    return failed ? -1 : 0;
}
