/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glTF 2.0 in two layers: gltf_data.c turns accessors into numbers, read_gltf.c walks the scene. */
#ifndef PRINT_READ_GLTF_H
#define PRINT_READ_GLTF_H

#include "base/json.h"
#include "print/read/build.h"

/* A JSON array by number, since cJSON's own is a linked list. */
struct gltf_list {
    const cJSON **items;
    size_t count;
};

struct gltf_buffer {
    const uint8_t *data; /* borrowed: the GLB's chunk, or owned below */
    uint8_t *owned;      /* a decoded data: URI */
    size_t bytes;
    bool external; /* lies in another file, which is never opened */
};

struct gltf {
    cJSON *root;
    struct gltf_list nodes, meshes, accessors, views, scenes;
    struct gltf_buffer *buffers;
    size_t buffer_count;
    size_t file_bytes;
    struct read_notes *notes;
    struct err *err;
};

/** Parses GLB or glTF text and its embedded buffers. Owner gltf_close, also after a failure. */
int gltf_open(struct gltf *gltf, const uint8_t *data, size_t n) MUST_CHECK;

void gltf_close(struct gltf *gltf);

/**
 * A whole number of at least 0 in *value: 0 done, 1 no such member (*value stays), -1 not usable.
 */
int gltf_size(const struct gltf *gltf, const cJSON *object, const char *name,
              size_t *value) MUST_CHECK;

/** Entry `number` of a list. Errors mesh_damaged. */
int gltf_item(const struct gltf *gltf, const struct gltf_list *list, size_t number,
              const char *what, const cJSON **item) MUST_CHECK;

/** Reads an accessor of three numbers each; *xyz is malloced. */
int gltf_positions(const struct gltf *gltf, size_t accessor, float **xyz, size_t *count) MUST_CHECK;

/** Reads an accessor of unsigned whole numbers; *indices is malloced. */
int gltf_indices(const struct gltf *gltf, size_t accessor, uint32_t **indices,
                 size_t *count) MUST_CHECK;

#endif
