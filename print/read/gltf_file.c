/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glTF containers: the GLB's chunks, the JSON, the buffers with their embedded bytes. */
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

int gltf_list_open(struct gltf *gltf, struct gltf_list *list, const char *name)
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

int gltf_decode_uri(const struct gltf *gltf, struct gltf_buffer *buffer, const char *uri)
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
    if (uri && gltf_decode_uri(gltf, buffer, uri->valuestring))
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
    if (parse_json(gltf, json) || gltf_list_open(gltf, &gltf->nodes, "nodes") ||
        gltf_list_open(gltf, &gltf->meshes, "meshes") ||
        gltf_list_open(gltf, &gltf->accessors, "accessors") ||
        gltf_list_open(gltf, &gltf->views, "bufferViews") ||
        gltf_list_open(gltf, &gltf->scenes, "scenes"))
        return -1;
    gltf->unpacked = calloc(gltf->views.count + 1, sizeof *gltf->unpacked);
    if (!gltf->unpacked)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for %zu views", gltf->views.count);
    return open_buffers(gltf, (const uint8_t *)binary.at, (size_t)(binary.end - binary.at));
}

void gltf_close(struct gltf *gltf)
{
    for (size_t i = 0; i < gltf->buffer_count; i++)
        free(gltf->buffers[i].owned);
    for (size_t i = 0; gltf->unpacked && i < gltf->views.count; i++)
        free(gltf->unpacked[i]);
    free(gltf->unpacked);
    free(gltf->buffers);
    free(gltf->nodes.items);
    free(gltf->meshes.items);
    free(gltf->accessors.items);
    free(gltf->views.items);
    free(gltf->scenes.items);
    free(gltf->materials.items);
    free(gltf->textures.items);
    free(gltf->images.items);
    free(gltf->samplers.items);
    cJSON_Delete(gltf->root);
}
