/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The roles that read meshes: inspect, prep, render, tostl. Runs confined; see role.h. */
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
    l.min_wall_mm = ask->min_wall_mm;
    l.overhang_deg = ask->overhang_deg;
    l.bridge_mm = ask->bridge_mm;
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
    o.max_size_mm = fmin(ask->bed_mm[0], ask->bed_mm[1]);
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
    memcpy(o.bed_mm, ask->bed_mm, sizeof o.bed_mm);
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

/* Above this lib3mf's seconds are too many, and our own reader, which shares nothing with the
 * writer, looks alone. */
#define LIB3MF_TRIANGLES ((size_t)200000)

/* Promise 5: what was written is read again and must be the same mesh. */
static int read_back(const struct bytes *file, const struct mesh *written, struct err *err)
{
    if (threemf_verify(file->data, file->len, written, err))
        return -1;
    if (written->triangle_count > LIB3MF_TRIANGLES)
        return 0;
    struct mesh read = {0};
    struct err inner = {0};
    if (threemf_read_strict(&read, file->data, file->len, 1, &inner))
        return FAIL_CODE(err, ERR_BUG, "export_rejected", "our 3MF was refused: %s", inner.what);
    int same = read.vertex_count == written->vertex_count &&
               read.triangle_count == written->triangle_count &&
               memcmp(read.triangles, written->triangles,
                      written->triangle_count * 3 * sizeof *read.triangles) == 0 &&
               memcmp(read.xyz, written->xyz, written->vertex_count * 3 * sizeof *read.xyz) == 0;
    mesh_free(&read);
    return same ? 0 : FAIL_CODE(err, ERR_BUG, "export_differs", "our 3MF reads back differently");
}

static int write_threemf(const struct prepared *made, const struct ask *ask, struct err *err)
{
    const struct mesh *mesh = &made->mesh;
    struct export_palette palette = {
        .count = made->palette.count, .rgb = made->palette.rgb, .of_triangle = made->colour};
    const cJSON *options = ask->options;
    const cJSON *l = json_get(options, "labels");
    struct export_labels labels = {.title = json_text(l, "title", NULL),
                                   .object_name = json_text(l, "object_name", "figure"),
                                   .order_id = json_text(l, "order_id", NULL),
                                   .item_id = json_text(l, "item_id", NULL),
                                   .printer_id = json_text(options, "printer", "ender3v3se"),
                                   .material_id = json_text(options, "material", "pla"),
                                   .version_hash = json_text(l, "version_hash", NULL),
                                   .created = json_text(l, "created", NULL)};
    struct render_options view = RENDER_OPTIONS_DEFAULT;
    struct picture thumbnail = {0};
    struct bytes file = {.limit = MESH_LIMIT};
    uint8_t *painted = NULL;
    view.width = view.height = 300;
    view.transparent = true;
    int failed = role_paint(&painted, made, err);
    view.triangle_rgb = painted;
    failed = failed || mesh_render_thumbnail(&thumbnail, mesh, &view, err) ||
             threemf_write_coloured(&file, mesh, made->colour ? &palette : NULL, &labels,
                                    &thumbnail, ask->bed_mm[0] / 2, ask->bed_mm[1] / 2, err) ||
             read_back(&file, mesh, err) || file_write("out.3mf", file.data, file.len, err);
    free(painted);
    picture_free(&thumbnail);
    bytes_free(&file);
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

int role_prep(const struct ask *ask, cJSON **result, struct err *err)
{
    struct mesh in = {0};
    struct skin skin = {0};
    uint8_t filaments[PALETTE_MOST][3];
    struct palette_options colours;
    struct prepared out = {0};
    struct read_notes notes;
    struct picture mask = {0};
    int failed = palette_options(&colours, filaments, ask->options, err) ||
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
    double started = clock_s();
    if (!failed && out.verdict != VERDICT_REJECT)
        failed =
            write_threemf(&out, ask, err) || (json_bool(ask->options, "stl", false) &&
                                              role_write_stl("out.stl", &out.mesh, "figure", err));
    if (!failed) {
        add_note(*result, &notes);
        add_step(*result, "export", clock_s() - started);
    }
    started = clock_s();
    if (!failed && out.verdict != VERDICT_REJECT && json_bool(ask->options, "pictures", false)) {
        failed = role_draw(&out, ask, err);
        add_step(*result, "pictures", clock_s() - started);
    }
    prepared_free(&out);
    return failed ? -1 : 0;
}

/* A 3MF carries its place on the bed; slicers want the pivot at the origin: box centred, lowest z =
 * 0. */
static void centre(cJSON *o, struct mesh *mesh)
{
    float low[3] = {0}, high[3] = {0};
    for (size_t i = 0; i < mesh->vertex_count * 3; i++) {
        float v = mesh->xyz[i];
        low[i % 3] = i < 3 || v < low[i % 3] ? v : low[i % 3];
        high[i % 3] = i < 3 || v > high[i % 3] ? v : high[i % 3];
    }
    float move[3] = {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]};
    for (size_t i = 0; i < mesh->vertex_count * 3; i++)
        mesh->xyz[i] -= move[i % 3];
    double size[3] = {high[0] - low[0], high[1] - low[1], high[2] - low[2]};
    cJSON_AddItemToObject(o, "size_mm", cJSON_CreateDoubleArray(size, 3));
    cJSON_AddNumberToObject(o, "height_mm", size[2]);
}

int role_tostl(const struct ask *ask, cJSON **result, struct err *err)
{
    struct mesh mesh = {0};
    struct read_notes notes;
    int failed = role_read_mesh(&mesh, NULL, &notes, ask, err);
    if (!failed) {
        *result = cJSON_CreateObject();
        centre(*result, &mesh);
        failed = role_write_stl("out.stl", &mesh, "figure", err);
    }
    mesh_free(&mesh);
    return failed ? -1 : 0;
}
