/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the surface of a mesh looks like: colours, textures and the names of its parts. */
#ifndef PRINT_COLOUR_SKIN_H
#define PRINT_COLOUR_SKIN_H

#include <stdbool.h>

#include "base/png.h"
#include "print/mesh.h"

enum skin_wrap { SKIN_REPEAT, SKIN_MIRROR, SKIN_CLAMP };

struct skin_material {
    float factor[3]; /* linear light; multiplies texture and vertex colours */
    int picture;     /* number in skin.pictures, or -1 */
    enum skin_wrap wrap[2];
    float place[6]; /* texture place: u' = p[0] u + p[1] v + p[2], v' = p[3] u + p[4] v + p[5] */
};

/* Triangles first .. first + count - 1 of the mesh as read. */
struct skin_part {
    char name[64];
    size_t first, count;
};

/*
 * Belongs to one mesh as it was read: the same vertices and triangles in the same order. What the
 * file does not say is NULL or 0. Zero-initialise; skin_free releases.
 *
 * uv: 2 numbers a vertex, (0, 0) the upper left corner. rgb: sRGB of each vertex. corner_rgb: sRGB
 * of each corner of each triangle, for formats that colour those; it goes before rgb.
 * material: of each triangle; NULL when all have material 0. Without materials all is white.
 */
struct skin {
    float *uv;
    uint8_t (*rgb)[3];
    uint8_t (*corner_rgb)[3];
    uint16_t *material;
    struct skin_material *materials;
    struct picture *pictures;
    struct skin_part *parts;
    size_t material_count, picture_count, part_count;
    size_t uv_room, rgb_room, corner_room, material_room,
        part_room; /* of the arrays while they grow */
};

void skin_free(struct skin *skin);

/** True when the file says more than one grey: textures, vertex colours, coloured materials. */
bool skin_has_colour(const struct skin *skin);

/**
 * The surface's colour at a point of a triangle.
 *
 * Shape    mesh: the one that was read with the skin. barycentric: three weights, sum 1.
 * Result   sRGB; texture filtered between four texels, in linear light.
 * Threads  safe; the first call anywhere fills a table of 256 floats.
 */
void skin_colour(uint8_t rgb[3], const struct skin *skin, const struct mesh *mesh, size_t triangle,
                 const double barycentric[3]);

/** As skin_colour, in linear light and not rounded; for averages. */
void skin_light(float light[3], const struct skin *skin, const struct mesh *mesh, size_t triangle,
                const double barycentric[3]);

/** Between sRGB bytes and linear light, 0 .. 1. */
float skin_to_light(uint8_t srgb);
uint8_t skin_from_light(float light);

#endif
