/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Printable files out: 3MF with metadata and thumbnail, binary STL; each read back before it is
 * trusted. */
#ifndef PRINT_EXPORT_EXPORT_H
#define PRINT_EXPORT_EXPORT_H

#include "base/bytes.h"
#include "base/png.h"
#include "print/colour/skin.h"
#include "print/mesh.h"

/* Texts are UTF-8 and may be NULL; control characters are dropped and lengths bounded on writing.
 */
struct export_labels {
    const char *title;
    const char *object_name;
    const char *order_id;
    const char *item_id;
    const char *printer_id;
    const char *material_id;
    const char *version_hash; /* SHA-256 of the source model, hex */
    const char *created;      /* RFC 3339 date, or NULL for none (same bytes each time) */
};

/* The filaments of a print in colours, and which of them each triangle has. */
struct export_palette {
    size_t count; /* 1 .. 256 */
    const uint8_t (*rgb)[3];
    const char *const *names;   /* of each, or NULL for "colour 1" and so on */
    const uint8_t *of_triangle; /* below count */
};

/**
 * Appends a 3MF (core 1.x, millimetres, one object, statuette: metadata namespace, PNG thumbnail).
 * The item transform puts the mesh's origin at (place_x_mm, place_y_mm) of the bed.
 * Same input, same bytes, whatever the number of threads. Memory: 4 MB a thread beside the output.
 */
int threemf_write(struct bytes *out, const struct mesh *mesh, const struct export_labels *labels,
                  const struct picture *thumbnail, double place_x_mm, double place_y_mm,
                  struct err *err) MUST_CHECK;

/**
 * As threemf_write, with the palette (may be NULL) as base materials of the core specification: the
 * object has the commonest entry, and each triangle of another one names it.
 */
int threemf_write_coloured(struct bytes *out, const struct mesh *mesh,
                           const struct export_palette *palette, const struct export_labels *labels,
                           const struct picture *thumbnail, double place_x_mm, double place_y_mm,
                           struct err *err) MUST_CHECK;

/**
 * Holds a 3MF that threemf_write made against the mesh it was made of: the archive's directory,
 * sizes and checksum, every coordinate bit for bit, every corner. It reads with print/read's number
 * reader and zlib's inflate on two threads, shares nothing with the writer, and takes a fifth of
 * lib3mf's time; but it knows our own files only.
 *
 * Errors   ERR_BUG code export_differs, with the place; ERR_LIMIT no memory.
 * Cost     0.3 s and 8 MB for 1,000,000 triangles.
 */
int threemf_verify(const uint8_t *data, size_t n, const struct mesh *written,
                   struct err *err) MUST_CHECK;

/** Appends a binary STL: 80 bytes of header text (never beginning with "solid"), unit normals. */
int stl_write(struct bytes *out, const struct mesh *mesh, const char *label,
              struct err *err) MUST_CHECK;

/**
 * Reads a 3MF through lib3mf, in one of two ways.
 *
 * no_warnings 1   our own file, looked at by an independent reader: lib3mf's strict mode, any
 *                 warning is a failure; build transforms are left out, so that the mesh is, bit for
 *                 bit, the one that was written.
 * no_warnings 0   anybody's file: not strict, warnings passed over; every build item and every
 *                 component of it with its transform applied (mirrored ones wound the right way
 *                 round), supports left out, all joined into one mesh.
 * Units    millimetres either way, by the file's unit.
 * Owner    the caller calls mesh_free; out is untouched on failure.
 * Errors   ERR_INPUT code threemf_rejected with lib3mf's own words, or mesh_not_finite,
 *          mesh_damaged; ERR_LIMIT code mesh_too_large (20,000,000 triangles, 20,000 parts).
 * Threads  safe. To be called in a confined child, or on our own bytes.
 */
int threemf_read_strict(struct mesh *out, const uint8_t *data, size_t n, int no_warnings,
                        struct err *err) MUST_CHECK;

/**
 * As threemf_read_strict with no_warnings 0, and fills *skin (may be NULL): colour groups, base
 * materials by their display colours, objects' names as parts. The caller calls skin_free, also
 * after a failure.
 */
int threemf_read_skin(struct mesh *out, struct skin *skin, const uint8_t *data, size_t n,
                      struct err *err) MUST_CHECK;

#endif
