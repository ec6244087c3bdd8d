/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The roles that read meshes: inspect, prep, render, tostl. Runs confined; see role.h. */
#include <stdlib.h>
#include <string.h>

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

static int read_mesh(struct mesh *out, struct read_notes *notes, const cJSON *options,
                     struct err *err)
{
    struct bytes in = {.limit = MESH_LIMIT};
    memset(notes, 0, sizeof *notes);
    int failed = bytes_read_file(&in, "in", err) ||
                 mesh_read(out, notes, in.data, in.len, json_text(options, "name", NULL), err);
    bytes_free(&in);
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

/* The role's options over the defaults. */
static struct prep_options prep_options(const struct ask *ask, const struct read_notes *notes)
{
    struct prep_options o = PREP_OPTIONS_DEFAULT;
    const char *orient = json_text(ask->options, "orient", "upright");
    o.height_mm = json_number(ask->options, "height_mm", 0);
    o.flatten_mm = json_number(ask->options, "flatten_mm", o.flatten_mm);
    o.max_triangles = (size_t)json_number(ask->options, "max_triangles", 0);
    o.orient = strcmp(orient, "auto") == 0   ? ORIENT_AUTO
               : strcmp(orient, "keep") == 0 ? ORIENT_KEEP
                                             : ORIENT_UPRIGHT;
    o.unit_mm = notes->unit_mm;
    memcpy(o.bed_mm, ask->bed_mm, sizeof o.bed_mm);
    o.limits = prep_limits(ask);
    return o;
}

int role_inspect(const struct ask *ask, cJSON **result, struct err *err)
{
    struct mesh mesh = {0};
    struct read_notes notes;
    int failed = read_mesh(&mesh, &notes, ask->options, err);
    if (!failed) {
        struct prep_options o = prep_options(ask, &notes);
        failed = mesh_inspect(result, &mesh, &o, err);
    }
    if (!failed)
        add_note(*result, &notes);
    mesh_free(&mesh);
    return failed ? -1 : 0;
}

static int draw(const char *name, const struct mesh *mesh, enum view view, struct err *err)
{
    struct render_options o = RENDER_OPTIONS_DEFAULT;
    struct picture picture = {0};
    o.view = view;
    int failed = mesh_render(&picture, mesh, &o, err) || role_write_png(name, &picture, err);
    picture_free(&picture);
    return failed ? -1 : 0;
}

/* Promise 5: what was written is read again by the independent reader and must be the same mesh. */
static int read_back(const struct bytes *file, const struct mesh *written, struct err *err)
{
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

static int write_threemf(const struct mesh *mesh, const struct ask *ask, struct err *err)
{
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
    view.width = view.height = 300;
    view.transparent = true;
    int failed = mesh_render(&thumbnail, mesh, &view, err) ||
                 threemf_write(&file, mesh, &labels, &thumbnail, ask->bed_mm[0] / 2,
                               ask->bed_mm[1] / 2, err) ||
                 read_back(&file, mesh, err) || file_write("out.3mf", file.data, file.len, err);
    picture_free(&thumbnail);
    bytes_free(&file);
    return failed ? -1 : 0;
}

static int write_outputs(const struct mesh *mesh, const struct ask *ask, struct err *err)
{
    return write_threemf(mesh, ask, err) || role_write_stl("out.stl", mesh, "figure", err) ||
                   draw("render_front.png", mesh, VIEW_FRONT, err) ||
                   draw("render_iso.png", mesh, VIEW_ISO, err) ||
                   draw("render_back.png", mesh, VIEW_BACK, err)
               ? -1
               : 0;
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

int role_prep(const struct ask *ask, cJSON **result, struct err *err)
{
    struct mesh in = {0};
    struct prepared out = {0};
    struct read_notes notes;
    int failed = read_mesh(&in, &notes, ask->options, err);
    if (!failed) {
        struct prep_options o = prep_options(ask, &notes);
        failed = mesh_prep(&out, result, &in, &o, err);
    }
    mesh_free(&in);
    double started = clock_s();
    if (!failed && out.verdict != VERDICT_REJECT)
        failed = write_outputs(&out.mesh, ask, err);
    if (!failed) {
        add_note(*result, &notes);
        add_step(*result, "export", clock_s() - started);
    }
    prepared_free(&out);
    return failed ? -1 : 0;
}

int role_render(const struct ask *ask, cJSON **result, struct err *err)
{
    struct render_options o = RENDER_OPTIONS_DEFAULT;
    struct mesh mesh = {0};
    struct read_notes notes;
    struct picture picture = {0};
    const cJSON *options = ask->options;
    o.width = (uint32_t)json_number(options, "width", o.width);
    o.height = (uint32_t)json_number(options, "height", o.height);
    int view = view_from_name(json_text(options, "view", "iso"));
    o.view = view < 0 ? VIEW_ISO : (enum view)view;
    int failed = read_mesh(&mesh, &notes, ask->options, err) ||
                 mesh_render(&picture, &mesh, &o, err) || role_write_png("out.png", &picture, err);
    if (!failed) {
        *result = cJSON_CreateObject();
        cJSON_AddNumberToObject(*result, "triangles", (double)mesh.triangle_count);
    }
    mesh_free(&mesh);
    picture_free(&picture);
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
    int failed = read_mesh(&mesh, &notes, ask->options, err);
    if (!failed) {
        *result = cJSON_CreateObject();
        centre(*result, &mesh);
        failed = role_write_stl("out.stl", &mesh, "figure", err);
    }
    mesh_free(&mesh);
    return failed ? -1 : 0;
}
