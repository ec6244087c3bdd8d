/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of a mesh without any GL: anti-aliased, lit, with ground shadow. */
#ifndef PRINT_RENDER_RENDER_H
#define PRINT_RENDER_RENDER_H

#include <stdbool.h>

#include "base/png.h"
#include "print/mesh.h"

enum view { VIEW_FRONT, VIEW_BACK, VIEW_LEFT, VIEW_RIGHT, VIEW_BOTTOM, VIEW_ISO, VIEW_LOW };

struct render_options {
    uint32_t width, height; /* 16..4096 */
    enum view view;
    double turn_deg;             /* added to the view's angle around Z: turntables */
    bool transparent;            /* else a soft light background */
    uint8_t rgb[3];              /* the plastic's colour */
    const uint8_t *triangle_rgb; /* NULL, or triangle_count x 3: each triangle's own colour */
    bool ruler;          /* mm: a 10 mm grid on the ground, an upright scale, the size in words */
    double margin;       /* of the picture's sides, left free on each; 0: 0.08 */
    uint32_t free_right; /* pixels at the right that the figure stays out of: a legend's place */
};

#define RENDER_OPTIONS_DEFAULT                                                                     \
    ((struct render_options){.width = 640, .height = 640, .view = VIEW_ISO, .rgb = {214, 203, 186}})

/** "front", ... ; -1 for an unknown word. */
int view_from_name(const char *name);

/**
 * Draws the mesh so that it fills the picture but for a margin on each side.
 *
 * Views    front looks along +Y (the figure's face is towards -Y), right from +X; these and the
 * other sides look down by 6 degrees, iso by 20 from 35 to the right, low looks up by 20 from
 * there. bottom and low have no ground. Shows backs of triangles in red: a hole, or a triangle
 * turned inside out. Result   the same bytes for the same mesh and options, however many processors
 * there are. Owner    the caller calls picture_free; out is untouched on failure. Cost O(triangles
 * + pixels). Errors   ERR_INPUT code mesh_empty when nothing can be drawn (triangles with
 * coordinates that are no numbers are passed over); ERR_LIMIT a side outside 16..4096, or no
 * memory.
 */
int mesh_render(struct picture *out, const struct mesh *mesh, const struct render_options *options,
                struct err *err) MUST_CHECK;

/**
 * Draws `count` frames of one even turn round the mesh, beginning with the options' view; the
 * framing is the same for all, so that nothing jumps. frames: room for count pictures, each to be
 * freed by the caller; untouched or emptied on failure. Cost and errors as mesh_render, but that
 * normals and shadow are made once: measured 36 frames of 100,000 triangles at 480 x 480 in 2 s.
 */
int mesh_render_turntable(struct picture *frames, size_t count, const struct mesh *mesh,
                          const struct render_options *options, struct err *err) MUST_CHECK;

/**
 * Draws a small picture, 8 to 1024 pixels a side, for printers' screens and lists: drawn at least
 * 384 pixels large, brought down, and sharpened up to 96 pixels. The margin is 3 % unless the
 * options say other. Errors as mesh_render.
 */
int mesh_render_thumbnail(struct picture *out, const struct mesh *mesh,
                          const struct render_options *options, struct err *err) MUST_CHECK;

#endif
