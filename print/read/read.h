/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a mesh of any format that customers and providers send. Runs in a confined child. */
#ifndef PRINT_READ_READ_H
#define PRINT_READ_READ_H

#include "base/bytes.h"
#include "print/colour/skin.h"
#include "print/mesh.h"

struct read_notes {
    char format[8]; /* glb, gltf, stl, obj, ply, off, 3mf, drc */
    char text[400]; /* what was ignored or assumed, for the report; sentences joined by "; " */
    double unit_mm; /* millimetres in one unit when the file says so (3MF), else 0 */
};

/**
 * Reads a mesh from bytes, told apart by content (name_hint, a file name or NULL, breaks ties: OBJ
 * has no magic). All parts that the scene shows become one mesh: node transforms applied, glTF's
 * Y up turned to Z up; positions are the file's own units (scaling comes later) unless unit_mm is
 * set, in which case they are millimetres. Vertices are as indexed in the file (not welded).
 *
 * Owner    the caller calls mesh_free.
 * Errors   ERR_INPUT codes mesh_unknown_format, mesh_truncated, mesh_damaged, mesh_empty,
 *          mesh_not_finite, mesh_unsupported; ERR_LIMIT mesh_too_large.
 * Cost     O(bytes + triangles).
 */
int mesh_read(struct mesh *out, struct read_notes *notes, const uint8_t *data, size_t n,
              const char *name_hint, struct err *err) MUST_CHECK;

/**
 * As mesh_read, and fills *skin (may be NULL) with what the file says of colours and parts: glTF
 * base colours, textures, COLOR_0 and node names; vertex colours of OBJ and PLY; face colours of
 * PLY; colour groups and base materials of 3MF. Textures that cannot be read are a note.
 *
 * Owner    the caller calls skin_free; *skin must be zeroed or freed before and is empty on
 * failure. Cost     as mesh_read and decoding the textures that the shown meshes use: at most 136
 * million pixels, 4 bytes each.
 */
int mesh_read_skin(struct mesh *out, struct skin *skin, struct read_notes *notes,
                   const uint8_t *data, size_t n, const char *name_hint,
                   struct err *err) MUST_CHECK;

#endif
