/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The passes of the renderer in their order, for one picture or for a turn; see render.h. */
#include "print/render/render.h"

#include <stdlib.h>

#include "print/render/scene.h"

/* Samples along a pixel's side: as many as 9 million in all allow, so that memory stays flat. */
static uint32_t choose_grain(uint64_t pixels, size_t frames)
{
    uint32_t grain = frames > 1 ? 3 : GRAIN_MOST; /* what moves hides its edges */
    while (grain > 1 && pixels * grain * grain > 9000000)
        grain--;
    return grain < 2 && pixels < 12000000 ? 2 : grain;
}

static void frame_free(struct scene *scene)
{
    free(scene->spots);
    free(scene->depths);
    free(scene->ids);
    free(scene->occlusion);
    scene->spots = NULL;
    scene->depths = scene->occlusion = NULL;
    scene->ids = NULL;
}

static void scene_free(struct scene *scene)
{
    frame_free(scene);
    free(scene->welded);
    free(scene->ring_start);
    free(scene->ring);
    free(scene->normals);
    free(scene->shadow);
}

/* What all frames share: the framing, smooth normals, the shadow on the ground. */
static int scene_open(struct scene *scene, const struct mesh *mesh,
                      const struct render_options *options, size_t frames, bool small,
                      struct err *err)
{
    uint32_t w = options->width, h = options->height;
    if (w < 16 || h < 16 || w > 4096 || h > 4096)
        return FAIL_CODE(err, ERR_LIMIT, "picture_size",
                         "a picture of %u x %u; each side may be 16 to 4096", w, h);
    *scene = (struct scene){.mesh = mesh, .width = w, .height = h, .small = small};
    scene->grain = choose_grain((uint64_t)w * h, frames);
    if (!camera_aim(scene, options, frames, err) && (small || !surface_build(scene, err)) &&
        !ground_build(scene, err))
        return 0;
    scene_free(scene);
    return -1;
}

static int draw_frame(struct picture *out, struct scene *scene,
                      const struct render_options *options, struct err *err)
{
    struct picture made = {.width = scene->width, .height = scene->height};
    if (camera_project(scene, err) || raster_draw(scene, err) ||
        (scene->small && surface_build_seen(scene, err)) || occlusion_build(scene, err))
        return -1;
    made.rgba = malloc((size_t)made.width * made.height * 4);
    if (!made.rgba)
        return FAIL(err, ERR_LIMIT, "no memory for %u x %u pixels", made.width, made.height);
    shade_picture(&made, scene, options);
    if (scene->ruler)
        ruler_draw(&made, scene);
    frame_free(scene);
    *out = made;
    return 0;
}

static int render_one(struct picture *out, const struct mesh *mesh,
                      const struct render_options *options, bool small, struct err *err)
{
    struct scene scene;
    if (scene_open(&scene, mesh, options, 1, small, err))
        return -1;
    int failed = draw_frame(out, &scene, options, err);
    scene_free(&scene);
    return failed;
}

int mesh_render(struct picture *out, const struct mesh *mesh, const struct render_options *options,
                struct err *err)
{
    return render_one(out, mesh, options, false, err);
}

int render_small(struct picture *out, const struct mesh *mesh, const struct render_options *options,
                 struct err *err)
{
    return render_one(out, mesh, options, true, err);
}

int mesh_render_turntable(struct picture *frames, size_t count, const struct mesh *mesh,
                          const struct render_options *options, struct err *err)
{
    struct scene scene;
    int failed = 0;
    if (scene_open(&scene, mesh, options, count, false, err))
        return -1;
    for (size_t i = 0; i < count && !failed; i++) {
        camera_turn(&scene, options, 360.0 * (double)i / (double)count);
        failed = draw_frame(&frames[i], &scene, options, err);
        for (size_t k = 0; failed && k < i; k++)
            picture_free(&frames[k]);
    }
    scene_free(&scene);
    return failed;
}
