/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The passes of the renderer in their order; see render.h. */
#include "print/render/render.h"

#include <stdlib.h>

#include "print/render/scene.h"

/* Samples along a pixel's side: as many as 9 million in all allow, so that memory stays flat. */
static uint32_t choose_grain(uint64_t pixels)
{
    uint32_t grain = 4;
    while (grain > 1 && pixels * grain * grain > 9000000)
        grain--;
    return grain < 2 && pixels < 12000000 ? 2 : grain;
}

static int draw(struct picture *out, struct scene *scene, const struct render_options *options,
                struct err *err)
{
    if (camera_aim(scene, options, err) || camera_project(scene, err) || raster_draw(scene, err) ||
        surface_build(scene, err) || occlusion_build(scene, err) || ground_build(scene, err))
        return -1;
    struct picture made = {.width = scene->width, .height = scene->height};
    made.rgba = malloc((size_t)made.width * made.height * 4);
    if (!made.rgba)
        return FAIL(err, ERR_LIMIT, "no memory for %u x %u pixels", made.width, made.height);
    shade_picture(&made, scene, options);
    *out = made;
    return 0;
}

int mesh_render(struct picture *out, const struct mesh *mesh, const struct render_options *options,
                struct err *err)
{
    uint32_t w = options->width, h = options->height;
    if (w < 16 || h < 16 || w > 4096 || h > 4096)
        return FAIL_CODE(err, ERR_LIMIT, "picture_size",
                         "a picture of %u x %u; each side may be 16 to 4096", w, h);
    struct scene scene = {.mesh = mesh, .width = w, .height = h};
    scene.grain = choose_grain((uint64_t)w * h);
    int failed = draw(out, &scene, options, err);
    free(scene.spots);
    free(scene.depths);
    free(scene.ids);
    free(scene.welded);
    free(scene.ring_start);
    free(scene.ring);
    free(scene.normals);
    free(scene.occlusion);
    free(scene.shadow);
    return failed;
}
