/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GLB files with all that a reader may have to unpack, made here: Draco, meshopt, textures. For the
 * tests of print/ and for fuzzing. */
#ifndef TESTS_PRINT_PACKED_H
#define TESTS_PRINT_PACKED_H

#include <stdio.h>

#include "base/png.h"
#include "print/export/glb_write.h"
#include "tests/print/meshes.h"

/* The box 10 x 20 x 30 of meshes.h through libdraco's encoder: 20 points for 8 corners, because
 * each triangle has its own texture coordinates (attribute 1); attribute 2 is a colour in bytes,
 * whose red is 30 times the corner's number. */
static const uint8_t draco_box[] = {
    0x44, 0x52, 0x41, 0x43, 0x4f, 0x02, 0x02, 0x01, 0x01, 0x00, 0x00, 0x00, 0x08, 0x0c, 0x02, 0x0b,
    0x01, 0x00, 0x03, 0xaf, 0x3e, 0x0a, 0x01, 0x01, 0x10, 0x01, 0x02, 0x23, 0x41, 0x01, 0x02, 0x23,
    0x41, 0x03, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x01, 0x00, 0x01, 0x00, 0x09, 0x03, 0x00,
    0x00, 0x02, 0x01, 0x03, 0x09, 0x02, 0x00, 0x01, 0x02, 0x01, 0x02, 0x02, 0x03, 0x00, 0x02, 0x01,
    0x01, 0x01, 0x01, 0x00, 0x0c, 0x03, 0x01, 0x18, 0x01, 0x08, 0x1f, 0x01, 0x20, 0x04, 0x00, 0x8a,
    0x0e, 0x82, 0x54, 0xad, 0x6a, 0x00, 0xc0, 0xa9, 0x02, 0x20, 0x00, 0x00, 0x80, 0x55, 0x01, 0x30,
    0x55, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf0, 0x41, 0x0b, 0x01, 0x01,
    0x01, 0x01, 0x01, 0x03, 0x8d, 0x1b, 0xad, 0x12, 0xc9, 0x11, 0x10, 0xc8, 0x41, 0x4c, 0x82, 0x24,
    0xd2, 0x43, 0xd2, 0x54, 0x1a, 0x73, 0xd7, 0xd4, 0x7f, 0xa4, 0xbc, 0x00, 0x00, 0x00, 0x00, 0xff,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x3f, 0x08,
    0x01, 0x01, 0x01, 0x01, 0x04, 0xf1, 0x01, 0x7d, 0x16, 0x98, 0xe3, 0x91, 0x03, 0xf9, 0x02, 0x77,
    0x98, 0x4b, 0xc9, 0x01, 0x85, 0x06, 0x17, 0x91, 0x03, 0x61, 0x02, 0x77, 0x98, 0x6b, 0xc9, 0x01,
    0x61, 0x02, 0x47, 0x98, 0xa9, 0x0a, 0x2b, 0x98, 0x67, 0xc9, 0x01, 0x31, 0x01, 0x2d, 0x08, 0x0a,
    0xbf, 0x9e, 0x2e, 0xc9, 0xa8, 0xa8, 0xa8, 0x91, 0x60, 0x98, 0xb9, 0x1b, 0xa7, 0xe7, 0xe6, 0x06,
    0xcf, 0x84, 0xd2, 0x81, 0xed, 0x4a, 0x71, 0xc3, 0xa0, 0x85, 0x64, 0xeb, 0x4b, 0xad, 0x2a, 0xa4,
    0x51, 0x29, 0x9b, 0x37, 0xb0, 0xe9, 0x49, 0xb3, 0x8a, 0xf7, 0x94, 0x00, 0x00, 0x00, 0x00, 0xff,
    0x00, 0x00, 0x00,
};

/* Appends a GLB of JSON text and binary bytes. */
static inline int put_glb(struct bytes *out, const char *json, const void *data, size_t n,
                          struct err *err)
{
    uint32_t text = (uint32_t)(strlen(json) + 3) & ~3u, binary = (uint32_t)(n + 3) & ~3u;
    const uint32_t head[5] = {0x46546c67, 2, 28 + text + binary, text, 0x4e4f534a};
    const uint32_t chunk[2] = {binary, 0x004e4942};
    static const uint8_t zeros[4];
    return bytes_append(out, head, sizeof head, err) ||
           bytes_printf(out, err, "%-*s", (int)text, json) ||
           bytes_append(out, chunk, sizeof chunk, err) || bytes_append(out, data, n, err) ||
           bytes_append(out, zeros, binary - n, err);
}

/* indices: how many the file promises; the stream has 36. */
static inline int put_glb_draco(struct bytes *out, unsigned indices, struct err *err)
{
    char json[2000];
    snprintf(
        json, sizeof json,
        "{\"asset\":{\"version\":\"2.0\"},\"extensionsRequired\":["
        "\"KHR_draco_mesh_compression\"],\"scenes\":[{\"nodes\":[0]}],\"nodes\":[{\"name\":"
        "\"box\",\"mesh\":0}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0,"
        "\"TEXCOORD_0\":1,\"COLOR_0\":2},\"indices\":3,\"extensions\":{"
        "\"KHR_draco_mesh_compression\":{\"bufferView\":0,\"attributes\":{\"POSITION\":0,"
        "\"TEXCOORD_0\":1,\"COLOR_0\":2}}}}]}],\"accessors\":[{\"componentType\":5126,"
        "\"count\":20,\"type\":\"VEC3\"},{\"componentType\":5126,\"count\":20,\"type\":"
        "\"VEC2\"},{\"componentType\":5121,\"normalized\":true,\"count\":20,\"type\":\"VEC3\"},"
        "{\"componentType\":5125,\"count\":%u,\"type\":\"SCALAR\"}],\"bufferViews\":[{"
        "\"buffer\":0,\"byteLength\":%zu}],\"buffers\":[{\"byteLength\":%zu}]}",
        indices, sizeof draco_box, sizeof draco_box);
    return put_glb(out, json, draco_box, sizeof draco_box, err);
}

/* A ball, packed by meshoptimizer; each side of it has its own colour. */
static inline int put_glb_meshopt(struct bytes *out, struct err *err)
{
    struct mesh m = {0};
    uint8_t rgb[2000][3];
    add_ball(&m, 1, 2, 3, 10, 8);
    for (size_t t = 0; t < m.triangle_count; t++)
        memcpy(rgb[t], m.xyz[3 * m.triangles[3 * t]] > 1 ? "\xff\x80\x00" : "\x00\x40\xff", 3);
    int failed = glb_write(out, &m, (const uint8_t(*)[3])rgb, &GLB_OPTIONS_DEFAULT, err);
    mesh_free(&m);
    return failed;
}

/* A square of two triangles in the XY plane with a picture on it; material: what stands in it
 * besides the texture, and beside it. */
static inline int put_glb_textured(struct bytes *out, const char *texture, const char *material,
                                   const void *picture, size_t picture_bytes, struct err *err)
{
    static const float square[20] = {0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, /* corners, then places: */
                                     0, 1, 1, 1, 1, 0, 0, 0};
    static const uint16_t corners[6] = {0, 1, 2, 0, 2, 3};
    struct bytes binary = {0};
    char json[2400];
    snprintf(
        json, sizeof json,
        "{\"asset\":{\"version\":\"2.0\"},\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"name\":"
        "\"square\",\"primitives\":[{\"attributes\":{\"POSITION\":0,\"TEXCOORD_0\":1},"
        "\"indices\":2,\"material\":0}]}],\"materials\":[{\"pbrMetallicRoughness\":{"
        "\"baseColorTexture\":{\"index\":0%s}%s}}],\"textures\":[{\"source\":0,\"sampler\":0}],"
        "\"samplers\":[{\"wrapS\":33071,\"wrapT\":33071}],\"images\":[{\"bufferView\":3}],"
        "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"count\":4,\"type\":\"VEC3\"},"
        "{\"bufferView\":1,\"componentType\":5126,\"count\":4,\"type\":\"VEC2\"},{\"bufferView\""
        ":2,\"componentType\":5123,\"count\":6,\"type\":\"SCALAR\"}],\"bufferViews\":[{"
        "\"buffer\":0,\"byteLength\":48},{\"buffer\":0,\"byteOffset\":48,\"byteLength\":32},"
        "{\"buffer\":0,\"byteOffset\":80,\"byteLength\":12},{\"buffer\":0,\"byteOffset\":92,"
        "\"byteLength\":%zu}],\"buffers\":[{\"byteLength\":%zu}]}",
        texture, material, picture_bytes, 92 + picture_bytes);
    int failed = bytes_append(&binary, square, sizeof square, err) ||
                 bytes_append(&binary, corners, sizeof corners, err) ||
                 bytes_append(&binary, picture, picture_bytes, err) ||
                 put_glb(out, json, binary.data, binary.len, err);
    bytes_free(&binary);
    return failed;
}

#endif
