/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a colour for every triangle to a few filaments. */
#ifndef PRINT_SHAPE_PALETTE_H
#define PRINT_SHAPE_PALETTE_H

#include "print/mesh.h"

#define PALETTE_MOST 16

struct palette_options {
    unsigned count;                /* colours wanted, 1 .. 16 */
    const uint8_t (*filaments)[3]; /* sRGB of what is loaded: count of them; NULL: chosen */
    double smooth;                 /* how much a border is worth against a colour's being right */
};

#define PALETTE_OPTIONS_DEFAULT ((struct palette_options){.count = 4, .smooth = 1})

struct palette {
    uint8_t rgb[PALETTE_MOST][3];
    double share[PALETTE_MOST]; /* of the surface */
    unsigned count;             /* fewer when there are fewer colours */
    double error_mean;          /* CIE76 distance to the true colour, weighted by area */
};

/**
 * Gives each triangle one of a few colours.
 *
 * Shape    rgb: sRGB of each triangle. index: room for triangle_count numbers; index[t] is the
 *          colour of t in palette, most used first unless filaments are given (their order stays).
 * Method   colours are chosen in CIELAB by area: splits at the widest spread, then Lloyd's steps.
 *          Triangles then take what suits them and their neighbours, so that specks vanish but
 *          thin lines of a true colour stay.
 * Result   the same for the same input. Cost O(triangles x count). Errors ERR_INPUT code
 *          palette_invalid; ERR_LIMIT no memory.
 */
int mesh_palette(uint8_t *index, struct palette *palette, const struct mesh *mesh,
                 const uint8_t (*rgb)[3], const struct palette_options *options,
                 struct err *err) MUST_CHECK;

#endif
