/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers share: a mesh and a skin that grow, and one function per format. */
#ifndef PRINT_READ_BUILD_H
#define PRINT_READ_BUILD_H

#include <stdbool.h>

#include "print/read/read.h"
#include "print/read/text.h"

/* Grows by halves up to MESH_MAX_TRIANGLES; mesh's counts are what is filled. */
struct mesh_builder {
    struct mesh mesh;
    size_t vertex_room;
    size_t triangle_room;
    struct skin *skin; /* NULL: nobody wants to know what it looks like */
};

/** Makes room for so many more. Errors ERR_LIMIT code mesh_too_large. */
int builder_reserve(struct mesh_builder *b, size_t vertices, size_t triangles,
                    struct err *err) MUST_CHECK;
int builder_vertex(struct mesh_builder *b, float x, float y, float z, struct err *err) MUST_CHECK;
int builder_triangle(struct mesh_builder *b, uint32_t one, uint32_t two, uint32_t three,
                     struct err *err) MUST_CHECK;
void builder_free(struct mesh_builder *b);

/**
 * Makes one mesh of pieces that were read side by side, in their order, into an empty builder and
 * empties them. local: the pieces' triangles count from their own first vertex.
 */
int builder_join(struct mesh_builder *out, struct mesh_builder *const *pieces, size_t count,
                 bool local, struct err *err) MUST_CHECK;

/* What follows grows the skin's arrays. New coordinates are 0, new colours white, new materials 0.
 * skin_finish makes them as long as the mesh. */
int skin_room_uv(struct skin *skin, size_t vertices, struct err *err) MUST_CHECK;
int skin_room_rgb(struct skin *skin, size_t vertices, struct err *err) MUST_CHECK;
int skin_room_corners(struct skin *skin, size_t triangles, struct err *err) MUST_CHECK;
int skin_set_material(struct skin *skin, size_t first, size_t end, unsigned material,
                      struct err *err) MUST_CHECK;
int skin_add_part(struct skin *skin, const char *name, size_t first, size_t count,
                  struct err *err) MUST_CHECK;
int skin_finish(struct skin *skin, const struct mesh *mesh, struct err *err) MUST_CHECK;

/** Adds a sentence to the notes unless it is there already. */
void note(struct read_notes *notes, const char *sentence);

/**
 * Turns Y up to Z up where the format says nothing, the model would fall over with Z up and stands
 * by five degrees or more with Y up; notes which it was.
 */
int choose_up(struct mesh *mesh, struct read_notes *notes, struct err *err) MUST_CHECK;

/* Readers check sizes and indices; mesh_read checks that used vertices are finite. */
int read_stl(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err) MUST_CHECK;
int read_obj(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err) MUST_CHECK;
int read_ply(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err) MUST_CHECK;
int read_off(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err) MUST_CHECK;
int read_gltf(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
              struct err *err) MUST_CHECK; /* .gltf text and .glb */
int read_draco(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
               struct err *err) MUST_CHECK;
int read_3mf(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err) MUST_CHECK;

#define DAMAGED(err, ...) FAIL_CODE(err, ERR_INPUT, "mesh_damaged", __VA_ARGS__)
#define TRUNCATED(err, ...) FAIL_CODE(err, ERR_INPUT, "mesh_truncated", __VA_ARGS__)
#define UNSUPPORTED(err, ...) FAIL_CODE(err, ERR_INPUT, "mesh_unsupported", __VA_ARGS__)

#endif
