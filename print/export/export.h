/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Printable files out: 3MF with metadata and thumbnail, binary STL; each read back before it is
 * trusted. */
#ifndef PRINT_EXPORT_EXPORT_H
#define PRINT_EXPORT_EXPORT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/png.h"
#include "print/colour/skin.h"
#include "print/mesh.h"

/*
 * What a 3MF says of the whole plate. Texts are UTF-8 and may be NULL; control characters are
 * dropped and lengths bounded on writing (200 characters each, 2,000 of description).
 */
struct export_labels {
    const char *title;
    const char *order_id;
    const char *item_id;
    const char *printer_id;
    const char *material_id;
    const char *version_hash; /* SHA-256 of the source model, hex */
    const char *created;      /* RFC 3339 date, or NULL for none (same bytes each time) */
    const char *modified;     /* the same */
    const char *part_code;
    const char *process_id;
    const char *profile_hash; /* SHA-256 of the frozen profile, hex */
    const char *designer, *description, *copyright, *license;
};

/* The filaments of a print in colours, and which of them each triangle has. */
struct export_palette {
    size_t count; /* 1 .. 256 */
    const uint8_t (*rgb)[3];
    const uint8_t *of_triangle; /* below count */
};

/* One value in a slicer's own words: key of a-z, 0-9 and _; value without control characters. */
struct export_setting {
    const char *key, *value;
};

/* One thing on the plate. Its vertices stay about its pivot; the build item moves it. */
struct export_object {
    const struct mesh *mesh;
    const struct export_palette *palette; /* or NULL */
    const char *name;                     /* or NULL */
    const char *item_id, *part_code;      /* or NULL: partnumber of build item and object */
    double place_mm[3];                   /* where its pivot goes on the bed */
    const struct export_setting *prusa;   /* of this object alone, for Slic3r_PE_model.config */
    size_t prusa_count;
    const struct export_setting *orca; /* the same for model_settings.config */
    size_t orca_count;
};

/* A further part of the archive, e.g. "Metadata/Slic3r_PE.config". */
struct export_part {
    const char *name; /* Metadata/ and letters, digits, _ - . and a known or unknown extension */
    const void *data;
    size_t bytes;
    bool must_preserve; /* editors are asked to keep it */
};

struct export_plate {
    const struct export_object *objects;
    size_t object_count; /* 1 .. THREEMF_OBJECTS_MAX */
    struct export_labels labels;
    const struct picture *thumbnail; /* or NULL */
    const struct export_part *parts;
    size_t part_count;
};

#define THREEMF_OBJECTS_MAX 200
#define THREEMF_PARTS_MAX 16
#define THREEMF_SETTINGS_MAX 200

/**
 * Appends a 3MF of one plate: docs/threemf.md says what is in it, part by part. Objects have the
 * ids 1, 2, ... in their order; the slicers' per-object values are found under these.
 *
 * Result   the same bytes for the same input, whatever the number of threads.
 * Errors   ERR_INPUT a mesh is damaged (mesh_empty, mesh_not_finite, mesh_damaged,
 *          mesh_degenerate), or a part's name or a setting is not as above (export_refused);
 *          ERR_LIMIT. out is as it was on failure.
 * Cost     0.13 s of CPU time for a million triangles; 4 MB a thread beside the output.
 */
int threemf_write_plate(struct bytes *out, const struct export_plate *plate,
                        struct err *err) MUST_CHECK;

/**
 * As threemf_write_plate, into an open file that can be sought in, from where it stands: nothing
 * but the threads' 4 MB each is held in memory.
 * Errors   as above, and what errno says of writing. What was written of a failed file stays.
 */
int threemf_write_file(int fd, const struct export_plate *plate, struct err *err) MUST_CHECK;

/**
 * Holds a 3MF that threemf_write_plate made against the plate it was made of: the archive's
 * directory, sizes and checksums, every coordinate bit for bit, every corner, colours, names,
 * transforms, labels, settings and further parts. It shares nothing with the writer, and knows our
 * own files only.
 *
 * Errors   ERR_BUG code export_differs, with the place; ERR_LIMIT no memory.
 * Cost     0.12 s of CPU time on two threads and 5 MB for 1,000,000 triangles.
 */
int threemf_verify_plate(const uint8_t *data, size_t n, const struct export_plate *plate,
                         struct err *err) MUST_CHECK;

/** Appends a binary STL: 80 bytes of header text (never beginning with "solid"), unit normals. */
int stl_write(struct bytes *out, const struct mesh *mesh, const char *label,
              struct err *err) MUST_CHECK;

#define THREEMF_NAME_BYTES 404 /* 100 characters of UTF-8 */

/* One build item, as an independent reader finds it. */
struct threemf_object {
    struct mesh mesh; /* in its own coordinates, millimetres */
    char name[THREEMF_NAME_BYTES], part_code[THREEMF_NAME_BYTES], item_id[THREEMF_NAME_BYTES];
    double transform[3][4]; /* a point is this times (x, y, z, 1) */
    uint8_t (*rgb)[3];      /* of each triangle, or NULL: no colours */
};

struct threemf_objects {
    struct threemf_object *at;
    size_t count;
};

/**
 * Reads our own 3MF through lib3mf in strict mode, where any warning is a failure, and hands out
 * each build item for itself, in the order of the file.
 * Owner    the caller calls threemf_objects_free, also after a failure.
 * Errors   as threemf_read_skin, and threemf_rejected for a warning.
 * Cost     0.6 s and 50 MB beside the file for 1,000,000 triangles.
 */
int threemf_read_objects(struct threemf_objects *out, const uint8_t *data, size_t n,
                         struct err *err) MUST_CHECK;
void threemf_objects_free(struct threemf_objects *objects);

/**
 * Reads anybody's 3MF through lib3mf: not strict, warnings passed over; every build item and every
 * component of it with its transform applied (mirrored ones wound the right way round), supports
 * left out, all joined into one mesh. Fills *skin (may be NULL): colour groups, base materials by
 * their display colours, objects' names as parts.
 *
 * Units    millimetres, by the file's unit.
 * Owner    the caller calls mesh_free, and skin_free also after a failure; out is untouched then.
 * Errors   ERR_INPUT code threemf_rejected with lib3mf's own words, or mesh_not_finite,
 *          mesh_damaged; ERR_LIMIT code mesh_too_large (20,000,000 triangles, 20,000 parts).
 * Threads  safe. To be called in a confined child, or on our own bytes.
 */
int threemf_read_skin(struct mesh *out, struct skin *skin, const uint8_t *data, size_t n,
                      struct err *err) MUST_CHECK;

#endif
