/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glTF 2.0 in layers: gltf_file.c opens the container, gltf_data.c turns views and accessors into
 * numbers, gltf_look.c reads materials and pictures, read_gltf.c walks the scene. */
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
    struct gltf_list materials, textures, images, samplers; /* opened only where looks are wanted */
    struct gltf_buffer *buffers;
    size_t buffer_count;
    uint8_t **unpacked; /* per view: what meshoptimizer made of it, or NULL */
    size_t unpacked_bytes;
    size_t file_bytes;
    struct read_notes *notes;
    struct err *err;
};

/** Parses GLB or glTF text and its embedded buffers. Owner gltf_close, also after a failure. */
int gltf_open(struct gltf *gltf, const uint8_t *data, size_t n) MUST_CHECK;

void gltf_close(struct gltf *gltf);

/** Opens one more of the root's lists; one that is missing is empty. */
int gltf_list_open(struct gltf *gltf, struct gltf_list *list, const char *name) MUST_CHECK;

/** Decodes a data: URI into an empty buffer, which owns the bytes then. */
int gltf_decode_uri(const struct gltf *gltf, struct gltf_buffer *buffer,
                    const char *uri) MUST_CHECK;

/**
 * A whole number of at least 0 in *value: 0 done, 1 no such member (*value stays), -1 not usable.
 */
int gltf_size(const struct gltf *gltf, const cJSON *object, const char *name,
              size_t *value) MUST_CHECK;

/** Entry `number` of a list. Errors mesh_damaged. */
int gltf_item(const struct gltf *gltf, const struct gltf_list *list, size_t number,
              const char *what, const cJSON **item) MUST_CHECK;

/** extensions.NAME of an object, or NULL. */
const cJSON *gltf_extension(const cJSON *object, const char *name);

/** Reads up to `room` numbers of an array member; a missing one leaves values as they are. */
int gltf_numbers(const struct gltf *gltf, const cJSON *object, const char *name, double *values,
                 int count) MUST_CHECK;

/* The bytes of a buffer view, unpacked where it is compressed. stride 0: packed tightly. */
struct gltf_view {
    const uint8_t *data;
    size_t bytes, stride;
};

int gltf_view(struct gltf *gltf, size_t number, struct gltf_view *view) MUST_CHECK;

struct gltf_component {
    unsigned bytes;
    char kind; /* i, u, f; 0 unknown */
    float most;
};

/* Elements inside a buffer, checked: data + i * stride + each is there for all i < count. */
struct gltf_elements {
    const uint8_t *data; /* NULL: all zeros */
    size_t stride, count;
    unsigned columns;
    struct gltf_component component;
    bool normalized;
    const cJSON *sparse;
};

/**
 * Finds an accessor's elements; columns is set from its type (SCALAR 1 .. VEC4 4).
 * Errors mesh_damaged, mesh_truncated, mesh_unsupported, mesh_too_large; nothing is reserved.
 */
int gltf_accessor(struct gltf *gltf, size_t number, struct gltf_elements *elements) MUST_CHECK;

/** count x columns floats, normalised ones divided, sparse ones put in place. */
int gltf_floats(struct gltf *gltf, const struct gltf_elements *elements, float *to) MUST_CHECK;

/** count whole numbers of one column; no more than a copy for 32 bits. */
int gltf_indices(struct gltf *gltf, const struct gltf_elements *elements, uint32_t *to) MUST_CHECK;

/**
 * The skin's material for a glTF material (number NULL: the default one), made once.
 * *uv_set: which TEXCOORD the base colour's texture uses.
 */
struct gltf_look {
    struct gltf *gltf;
    struct skin *skin;
    int *material_of; /* per glTF material + 1: the skin's, or -1 */
    int *picture_of;  /* per image: the skin's picture, -1 not tried, -2 not to be had */
    uint64_t pixels;  /* decoded so far */
};

int gltf_look_open(struct gltf_look *look, struct gltf *gltf, struct skin *skin) MUST_CHECK;
void gltf_look_close(struct gltf_look *look);
int gltf_look_material(struct gltf_look *look, const cJSON *primitive, unsigned *material,
                       size_t *uv_set) MUST_CHECK;

#endif
