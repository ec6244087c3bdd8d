/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures for people: the render role, and what the prep role draws for a review. Runs confined.
 */
#include <stdlib.h>
#include <string.h>

#include "print/export/glb_write.h"
#include "print/read/read.h"
#include "print/render/heat.h"
#include "print/render/render.h"
#include "service/role_own.h"

#define TURN_FRAMES 24
#define TURN_PIXELS 360
#define TURN_DELAY_MS 120

int role_paint(uint8_t **rgb, const struct prepared *made, struct err *err)
{
    size_t n = made->mesh.triangle_count;
    *rgb = NULL;
    if (!made->colour)
        return 0;
    *rgb = malloc(3 * n + 1);
    if (!*rgb)
        return FAIL(err, ERR_LIMIT, "no memory for colours");
    for (size_t t = 0; t < n; t++)
        memcpy(*rgb + 3 * t, made->palette.rgb[made->colour[t]], 3);
    return 0;
}

static int draw(const char *name, const struct mesh *mesh, enum view view, bool ruler,
                const uint8_t *rgb, struct err *err)
{
    struct render_options o = RENDER_OPTIONS_DEFAULT;
    struct picture picture = {0};
    o.view = view;
    o.ruler = ruler;
    o.triangle_rgb = rgb;
    int failed = mesh_render(&picture, mesh, &o, err) || role_write_png(name, &picture, err);
    picture_free(&picture);
    return failed ? -1 : 0;
}

/* made: NULL, or whose base is left cold. */
static int draw_heat(const char *name, const struct mesh *mesh, enum heat kind,
                     const struct heat_inputs *inputs, const struct prepared *made,
                     const struct render_options *options, struct err *err)
{
    struct heat_scale scale;
    struct picture picture = {0};
    float *values = malloc((mesh->triangle_count + 1) * sizeof *values);
    if (!values)
        return FAIL(err, ERR_LIMIT, "no memory for a heat map");
    int failed = heat_measure(values, &scale, kind, mesh, inputs, err);
    /* A base was not there to be moved. */
    for (size_t t = 0; made && t < mesh->triangle_count && !failed; t++)
        if (prepared_is_base(made, t))
            values[t] = 0;
    failed = failed || mesh_render_heat(&picture, mesh, values, &scale, options, err) ||
             role_write_png(name, &picture, err);
    picture_free(&picture);
    free(values);
    return failed ? -1 : 0;
}

/* An animated PNG: browsers play it, and everything else shows its first frame. */
static int draw_turn(const char *name, const struct mesh *mesh,
                     const struct render_options *options, size_t count, struct err *err)
{
    struct picture frames[MAX_TURN_FRAMES] = {{0}};
    struct bytes file = {0};
    if (mesh_render_turntable(frames, count, mesh, options, err))
        return -1;
    int failed = png_animate(&file, frames, count, TURN_DELAY_MS, 6, err) ||
                 file_write(name, file.data, file.len, err);
    for (size_t i = 0; i < count; i++)
        picture_free(&frames[i]);
    bytes_free(&file);
    return failed ? -1 : 0;
}

static int write_preview(const struct mesh *mesh, const uint8_t *rgb, struct err *err)
{
    struct glb_options small = GLB_OPTIONS_DEFAULT;
    struct bytes file = {.limit = MESH_LIMIT};
    int failed = glb_write(&file, mesh, (const uint8_t(*)[3])rgb, &small, err) ||
                 file_write("preview.glb", file.data, file.len, err);
    bytes_free(&file);
    return failed ? -1 : 0;
}

int role_draw(const struct prepared *made, const struct ask *ask, struct err *err)
{
    const struct mesh *mesh = &made->mesh;
    struct heat_inputs inputs = {.wall_mm = ask->profile.material.min_wall_mm,
                                 .visible = &made->before};
    struct render_options view = RENDER_OPTIONS_DEFAULT, turn = RENDER_OPTIONS_DEFAULT;
    uint8_t *rgb;
    if (role_paint(&rgb, made, err))
        return -1;
    struct render_options below = view;
    below.view = VIEW_LOW; /* overhangs look down */
    turn.view = VIEW_FRONT;
    turn.width = turn.height = TURN_PIXELS;
    turn.triangle_rgb = rgb;
    int failed =
        draw("render_front.png", mesh, VIEW_FRONT, false, rgb, err) ||
        draw("render_iso.png", mesh, VIEW_ISO, true, rgb, err) ||
        draw("render_back.png", mesh, VIEW_BACK, false, rgb, err) ||
        draw_heat("render_thin.png", mesh, HEAT_THIN, &inputs, NULL, &view, err) ||
        draw_heat("render_overhang.png", mesh, HEAT_OVERHANG, &inputs, NULL, &below, err) ||
        draw_heat("render_change.png", mesh, HEAT_DEVIATION, &inputs, made, &view, err) ||
        draw_turn("render_turn.png", mesh, &turn, TURN_FRAMES, err) ||
        write_preview(mesh, rgb, err);
    free(rgb);
    return failed ? -1 : 0;
}

static int render(const struct mesh *mesh, const struct ask *ask, struct err *err)
{
    const cJSON *options = ask->options;
    const char *heat = json_text(options, "heat", NULL);
    struct heat_inputs inputs = {.wall_mm = ask->profile.material.min_wall_mm};
    struct render_options o = RENDER_OPTIONS_DEFAULT;
    struct picture picture = {0};
    int view = view_from_name(json_text(options, "view", "iso"));
    size_t frames = (size_t)json_number(options, "turntable", 0);
    o.width = (uint32_t)json_number(options, "width", o.width);
    o.height = (uint32_t)json_number(options, "height", o.height);
    o.view = view < 0 ? VIEW_ISO : (enum view)view;
    o.ruler = json_bool(options, "ruler", false);
    o.transparent = json_bool(options, "transparent", false);
    if (heat)
        return draw_heat("out.png", mesh, (enum heat)heat_from_name(heat), &inputs, NULL, &o, err);
    if (frames >= 2)
        return draw_turn("out.png", mesh, &o, frames > MAX_TURN_FRAMES ? MAX_TURN_FRAMES : frames,
                         err);
    bool small = o.transparent && o.width <= 512 && o.height <= 512;
    int failed = (small ? mesh_render_thumbnail : mesh_render)(&picture, mesh, &o, err) ||
                 role_write_png("out.png", &picture, err);
    picture_free(&picture);
    return failed ? -1 : 0;
}

int role_render(const struct ask *ask, cJSON **result, struct err *err)
{
    struct mesh mesh = {0};
    struct read_notes notes;
    int failed = role_read_mesh(&mesh, NULL, &notes, ask, err) || render(&mesh, ask, err);
    if (!failed) {
        *result = cJSON_CreateObject();
        cJSON_AddNumberToObject(*result, "triangles", (double)mesh.triangle_count);
    }
    mesh_free(&mesh);
    return failed ? -1 : 0;
}
