/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of a mesh without any GL: anti-aliased, lit, with ground shadow. */
#ifndef PRINT_RENDER_RENDER_H
#define PRINT_RENDER_RENDER_H

#include <stdbool.h>

#include "base/png.h"
#include "print/mesh.h"

enum view { VIEW_FRONT, VIEW_BACK, VIEW_LEFT, VIEW_RIGHT, VIEW_BOTTOM, VIEW_ISO };

struct render_options {
    uint32_t width, height; /* 16..4096 */
    enum view view;
    double turn_deg;  /* added to the view's angle around Z: turntables */
    bool transparent; /* else a soft light background */
    uint8_t rgb[3];   /* the plastic's colour */
};

#define RENDER_OPTIONS_DEFAULT                                                                     \
    ((struct render_options){.width = 640, .height = 640, .view = VIEW_ISO, .rgb = {214, 203, 186}})

/** "front", ... ; -1 for an unknown word. */
int view_from_name(const char *name);

/**
 * Draws the mesh fitted into the picture. front looks along +Y (the figure's face is towards -Y).
 * Owner the caller calls picture_free. Cost O(triangles + pixels). Errors ERR_LIMIT.
 */
int mesh_render(struct picture *out, const struct mesh *mesh, const struct render_options *options,
                struct err *err) MUST_CHECK;

#endif
