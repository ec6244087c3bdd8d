/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours of a mesh as read, brought over to the mesh that is printed. */
#ifndef PRINT_COLOUR_TRANSFER_H
#define PRINT_COLOUR_TRANSFER_H

#include "print/colour/skin.h"

/**
 * Gives each triangle of out the colour of the surface of in that lies nearest to it.
 *
 * Shape    rgb: out->triangle_count entries. in and skin as mesh_read_skin gave them, but in's
 *          coordinates may have been moved: it must stand in out's place and size.
 * Result   sRGB, averaged in linear light over 4 points of each triangle (16 of large ones; one
 *          where there is no texture). A triangle of out whose three corners are those of one of
 *          in, bit for bit, takes that one's colours without search. The same whatever the number
 *          of threads.
 * Cost     1,000,000 triangles, CPU time on a busy machine: 0.1 s where they
 *          stand in the same order, 0.8 s where they are looked up, 4 s where all are new and 10 s
 *          where those have a texture.
 *          8 to 16 bytes for each triangle of in, 80 more where the search is needed.
 * Errors   ERR_LIMIT no memory.
 */
int mesh_transfer_colours(uint8_t (*rgb)[3], const struct mesh *out, const struct mesh *in,
                          const struct skin *skin, struct err *err) MUST_CHECK;

#endif
