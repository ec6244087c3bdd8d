/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glTF containers, buffers and accessors. Every offset, stride and count is held against what is
 * there, in 64-bit arithmetic on values below 2^53, before a byte is touched. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/read/gltf.h"

static uint32_t little32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int gltf_size(const struct gltf *gltf, const cJSON *object, const char *name, size_t *value)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!member)
        return 1;
    double v = cJSON_IsNumber(member) ? member->valuedouble : -1;
    if (!(v >= 0 && v < 9007199254740992.0) || floor(v) != v)
        return DAMAGED(gltf->err, "%s is no whole number", name);
    *value = (size_t)v;
    return 0;
}

int gltf_item(const struct gltf *gltf, const struct gltf_list *list, size_t number,
              const char *what, const cJSON **item)
{
    if (number >= list->count || !cJSON_IsObject(list->items[number]))
        return DAMAGED(gltf->err, "%s %zu of %zu is asked for", what, number, list->count);
    *item = list->items[number];
    return 0;
}

static int list_open(struct gltf *gltf, struct gltf_list *list, const char *name)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(gltf->root, name), *one;
    if (!array)
        return 0;
    if (!cJSON_IsArray(array))
        return DAMAGED(gltf->err, "%s is no list", name);
    list->items = malloc(((size_t)cJSON_GetArraySize(array) + 1) * sizeof *list->items);
    if (!list->items)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for %s", name);
    cJSON_ArrayForEach (one, array)
        list->items[list->count++] = one;
    return 0;
}

static int digit64(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+' || c == '-' ? 62
           : c == '/' || c == '_' ? 63
                                  : -1;
}

static int decode_uri(struct gltf *gltf, struct gltf_buffer *buffer, const char *uri)
{
    const char *comma = strchr(uri, ',');
    if (!comma || comma - uri < 7 || memcmp(comma - 7, ";base64", 7) != 0)
        return UNSUPPORTED(gltf->err, "a data: URI that is not base64");
    const uint8_t *p = (const uint8_t *)comma + 1;
    buffer->owned = malloc(strlen((const char *)p) / 4 * 3 + 4);
    if (!buffer->owned)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for an embedded buffer");
    uint32_t bits = 0;
    size_t digits = 0, n = 0;
    for (; *p && *p != '='; p++) {
        int digit = digit64(*p);
        if (digit < 0)
            return DAMAGED(gltf->err, "an embedded buffer is no base64");
        bits = bits << 6 | (uint32_t)digit;
        if (++digits % 4 == 0)
            for (int shift = 16; shift >= 0; shift -= 8)
                buffer->owned[n++] = (uint8_t)(bits >> shift);
    }
    if (digits % 4 > 1)
        buffer->owned[n++] = (uint8_t)(digits % 4 == 2 ? bits >> 4 : bits >> 10);
    if (digits % 4 == 3)
        buffer->owned[n++] = (uint8_t)(bits >> 2);
    buffer->data = buffer->owned;
    buffer->bytes = n;
    return 0;
}

static int open_buffer(struct gltf *gltf, const cJSON *json, size_t number, const uint8_t *chunk,
                       size_t chunk_bytes)
{
    struct gltf_buffer *buffer = &gltf->buffers[number];
    const cJSON *uri = cJSON_GetObjectItemCaseSensitive(json, "uri");
    size_t promised;
    if (uri && !cJSON_IsString(uri))
        return DAMAGED(gltf->err, "a buffer's uri is no text");
    if (uri && strncmp(uri->valuestring, "data:", 5) != 0) {
        buffer->external = true;
        return 0;
    }
    /* Extensions that compress name buffers that are not there. */
    if (!uri && (number > 0 || !chunk)) {
        buffer->external = true;
        return 0;
    }
    if (uri && decode_uri(gltf, buffer, uri->valuestring))
        return -1;
    if (!uri) {
        buffer->data = chunk;
        buffer->bytes = chunk_bytes;
    }
    int found = gltf_size(gltf, json, "byteLength", &promised);
    if (found < 0)
        return -1;
    if (found == 0 && promised > buffer->bytes)
        return TRUNCATED(gltf->err, "buffer %zu promises %zu bytes and has %zu", number, promised,
                         buffer->bytes);
    if (found == 0)
        buffer->bytes = promised;
    return 0;
}

static int open_buffers(struct gltf *gltf, const uint8_t *chunk, size_t chunk_bytes)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(gltf->root, "buffers"), *one;
    if (!array)
        return 0;
    if (!cJSON_IsArray(array))
        return DAMAGED(gltf->err, "buffers is no list");
    size_t count = (size_t)cJSON_GetArraySize(array), number = 0;
    gltf->buffers = calloc(count + 1, sizeof *gltf->buffers);
    if (!gltf->buffers)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for %zu buffers", count);
    gltf->buffer_count = count;
    cJSON_ArrayForEach (one, array)
        if (open_buffer(gltf, one, number++, chunk, chunk_bytes))
            return -1;
    return 0;
}

/* Finds the JSON and the binary chunk of a GLB. */
static int open_container(struct gltf *gltf, const uint8_t *data, size_t n, struct text *json,
                          struct text *binary)
{
    if (n < 20)
        return TRUNCATED(gltf->err, "a GLB has at least 20 bytes, this has %zu", n);
    if (little32(data + 4) != 2)
        return UNSUPPORTED(gltf->err, "GLB version %u; only 2 is read", little32(data + 4));
    size_t end = little32(data + 8);
    if (end > n)
        return TRUNCATED(gltf->err, "the file promises %zu bytes and has %zu", end, n);
    if (end < n)
        note(gltf->notes, "bytes after the GLB's end were ignored");
    for (size_t at = 12; at + 8 <= end;) {
        size_t bytes = little32(data + at);
        uint32_t kind = little32(data + at + 4);
        if (bytes > end - at - 8)
            return TRUNCATED(gltf->err, "a chunk promises %zu bytes and has %zu", bytes,
                             end - at - 8);
        const char *from = (const char *)data + at + 8;
        if (kind == 0x4e4f534a && !json->at)
            *json = (struct text){from, from + bytes};
        else if (kind == 0x004e4942 && !binary->at)
            *binary = (struct text){from, from + bytes};
        at += 8 + bytes;
    }
    return json->at ? 0 : DAMAGED(gltf->err, "the GLB has no JSON chunk");
}

/* Padding after the JSON is blanks by rule, and NULs by habit of some writers. */
static int parse_json(struct gltf *gltf, struct text json)
{
    struct err inner = {0};
    while (json.end > json.at && json.end[-1] == 0)
        json.end--;
    if (json_parse(&gltf->root, json.at, (size_t)(json.end - json.at), &inner))
        return DAMAGED(gltf->err, "the glTF's JSON: %.150s", inner.what);
    if (!cJSON_IsObject(gltf->root))
        return DAMAGED(gltf->err, "the glTF's JSON is no object");
    return 0;
}

int gltf_open(struct gltf *gltf, const uint8_t *data, size_t n)
{
    struct text json = {0}, binary = {0};
    gltf->file_bytes = n;
    if (n >= 4 && memcmp(data, "glTF", 4) == 0) {
        if (open_container(gltf, data, n, &json, &binary))
            return -1;
    } else {
        json = (struct text){(const char *)data, (const char *)data + n};
        if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
            json.at += 3;
    }
    if (parse_json(gltf, json) || list_open(gltf, &gltf->nodes, "nodes") ||
        list_open(gltf, &gltf->meshes, "meshes") ||
        list_open(gltf, &gltf->accessors, "accessors") ||
        list_open(gltf, &gltf->views, "bufferViews") || list_open(gltf, &gltf->scenes, "scenes"))
        return -1;
    return open_buffers(gltf, (const uint8_t *)binary.at, (size_t)(binary.end - binary.at));
}

void gltf_close(struct gltf *gltf)
{
    for (size_t i = 0; i < gltf->buffer_count; i++)
        free(gltf->buffers[i].owned);
    free(gltf->buffers);
    free(gltf->nodes.items);
    free(gltf->meshes.items);
    free(gltf->accessors.items);
    free(gltf->views.items);
    free(gltf->scenes.items);
    cJSON_Delete(gltf->root);
}

struct component {
    unsigned bytes;
    char kind; /* i, u, f; 0 unknown */
    double most;
};

static struct component component_of(size_t code)
{
    switch (code) {
    case 5120:
        return (struct component){1, 'i', 127};
    case 5121:
        return (struct component){1, 'u', 255};
    case 5122:
        return (struct component){2, 'i', 32767};
    case 5123:
        return (struct component){2, 'u', 65535};
    case 5125:
        return (struct component){4, 'u', 4294967295.0};
    case 5126:
        return (struct component){4, 'f', 1};
    default:
        return (struct component){0};
    }
}

/* Elements inside a buffer, checked: data + i * stride + each is there for all i < count. */
struct elements {
    const uint8_t *data;
    size_t stride;
    size_t count;
    unsigned columns;
    struct component component;
    bool normalized;
};

static int view_elements(const struct gltf *gltf, size_t view_number, size_t offset,
                         struct elements *e)
{
    const cJSON *view;
    size_t buffer, start = 0, bytes = 0, stride = 0;
    const size_t each = (size_t)e->columns * e->component.bytes;
    if (gltf_item(gltf, &gltf->views, view_number, "bufferView", &view) ||
        gltf_size(gltf, view, "buffer", &buffer) != 0 ||
        gltf_size(gltf, view, "byteOffset", &start) < 0 ||
        gltf_size(gltf, view, "byteLength", &bytes) != 0 ||
        gltf_size(gltf, view, "byteStride", &stride) < 0 || buffer >= gltf->buffer_count)
        return DAMAGED(gltf->err, "bufferView %zu cannot be used", view_number);
    const struct gltf_buffer *from = &gltf->buffers[buffer];
    if (from->external)
        return UNSUPPORTED(gltf->err, "the mesh data does not lie in this file; send a plain GLB");
    if (start > from->bytes || bytes > from->bytes - start)
        return TRUNCATED(gltf->err, "bufferView %zu reaches beyond its buffer", view_number);
    e->stride = stride ? stride : each;
    if (e->stride < each || e->stride > 4096)
        return DAMAGED(gltf->err, "bufferView %zu has a stride of %zu", view_number, stride);
    if (e->count && (offset > bytes || each > bytes - offset ||
                     (e->count - 1) > (bytes - offset - each) / e->stride))
        return TRUNCATED(gltf->err, "an accessor reaches beyond bufferView %zu", view_number);
    e->data = from->data + start + offset;
    return 0;
}

static double element_value(const struct elements *e, size_t i, unsigned column)
{
    const uint8_t *p = e->data + i * e->stride + (size_t)column * e->component.bytes;
    uint32_t bits = 0;
    for (unsigned k = 0; k < e->component.bytes; k++)
        bits |= (uint32_t)p[k] << (8 * k);
    double value;
    if (e->component.kind == 'f') {
        float f;
        memcpy(&f, &bits, sizeof f);
        return f;
    }
    if (e->component.kind == 'u')
        value = bits;
    else
        value = e->component.bytes == 1 ? (int8_t)bits : (int16_t)bits;
    if (!e->normalized)
        return value;
    value /= e->component.most;
    return value < -1 ? -1 : value;
}

/* Fills *e from an accessor; e->data stays NULL when it has no bufferView (all zeros). */
static int accessor_elements(const struct gltf *gltf, const cJSON *accessor, const char *type,
                             unsigned columns, struct elements *e)
{
    size_t code = 0, view = 0, offset = 0;
    if (strcmp(json_text(accessor, "type", ""), type) != 0 ||
        gltf_size(gltf, accessor, "componentType", &code) != 0 ||
        gltf_size(gltf, accessor, "count", &e->count) != 0 ||
        gltf_size(gltf, accessor, "byteOffset", &offset) < 0)
        return DAMAGED(gltf->err, "an accessor is not of type %s with a count", type);
    e->component = component_of(code);
    e->columns = columns;
    e->normalized = json_bool(accessor, "normalized", false);
    if (!e->component.kind)
        return DAMAGED(gltf->err, "an accessor has component type %zu", code);
    if (e->count > 3 * MESH_MAX_TRIANGLES)
        return FAIL_CODE(gltf->err, ERR_LIMIT, "mesh_too_large", "an accessor of %zu elements",
                         e->count);
    int found = gltf_size(gltf, accessor, "bufferView", &view);
    if (found < 0)
        return -1;
    if (found == 0)
        return view_elements(gltf, view, offset, e);
    /* Nothing but zeros, so the file's size bounds no count; ours does. */
    if (e->count > gltf->file_bytes)
        return DAMAGED(gltf->err, "an accessor of %zu elements has no data", e->count);
    return 0;
}

static int sparse_elements(const struct gltf *gltf, const cJSON *part, struct elements *e)
{
    size_t view = 0, offset = 0;
    if (gltf_size(gltf, part, "bufferView", &view) != 0 ||
        gltf_size(gltf, part, "byteOffset", &offset) < 0)
        return DAMAGED(gltf->err, "a sparse accessor lacks its data");
    return view_elements(gltf, view, offset, e);
}

static int apply_sparse(const struct gltf *gltf, const cJSON *sparse, const struct elements *base,
                        float *xyz)
{
    struct elements where = {.columns = 1}, what = *base;
    size_t code = 0;
    const cJSON *indices = cJSON_GetObjectItemCaseSensitive(sparse, "indices");
    if (gltf_size(gltf, sparse, "count", &where.count) != 0 || where.count > base->count ||
        gltf_size(gltf, indices, "componentType", &code) != 0)
        return DAMAGED(gltf->err, "a sparse accessor has no usable count");
    where.component = component_of(code);
    what.count = where.count;
    if (where.component.kind != 'u')
        return DAMAGED(gltf->err, "a sparse accessor's indices have type %zu", code);
    if (sparse_elements(gltf, indices, &where) ||
        sparse_elements(gltf, cJSON_GetObjectItemCaseSensitive(sparse, "values"), &what))
        return -1;
    for (size_t i = 0; i < where.count; i++) {
        size_t at = (size_t)element_value(&where, i, 0);
        if (at >= base->count)
            return DAMAGED(gltf->err, "a sparse accessor changes element %zu of %zu", at,
                           base->count);
        for (unsigned k = 0; k < 3; k++)
            xyz[3 * at + k] = (float)element_value(&what, i, k);
    }
    return 0;
}

int gltf_positions(const struct gltf *gltf, size_t number, float **xyz, size_t *count)
{
    const cJSON *accessor;
    struct elements e = {0};
    if (gltf_item(gltf, &gltf->accessors, number, "accessor", &accessor) ||
        accessor_elements(gltf, accessor, "VEC3", 3, &e))
        return -1;
    float *made = calloc(e.count * 3 + 1, sizeof *made);
    if (!made)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for %zu vertices", e.count);
    for (size_t i = 0; e.data && i < e.count; i++)
        for (unsigned k = 0; k < 3; k++)
            made[3 * i + k] = (float)element_value(&e, i, k);
    const cJSON *sparse = cJSON_GetObjectItemCaseSensitive(accessor, "sparse");
    if (sparse && apply_sparse(gltf, sparse, &e, made)) {
        free(made);
        return -1;
    }
    *xyz = made;
    *count = e.count;
    return 0;
}

int gltf_indices(const struct gltf *gltf, size_t number, uint32_t **indices, size_t *count)
{
    const cJSON *accessor;
    struct elements e = {0};
    if (gltf_item(gltf, &gltf->accessors, number, "accessor", &accessor) ||
        accessor_elements(gltf, accessor, "SCALAR", 1, &e))
        return -1;
    if (e.component.kind != 'u' || e.normalized || !e.data)
        return DAMAGED(gltf->err, "indices are not whole numbers in a buffer");
    uint32_t *made = malloc((e.count + 1) * sizeof *made);
    if (!made)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for %zu indices", e.count);
    for (size_t i = 0; i < e.count; i++)
        made[i] = (uint32_t)element_value(&e, i, 0);
    *indices = made;
    *count = e.count;
    return 0;
}
