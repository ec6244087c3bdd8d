/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of the readers: tells the format by content and checks what came out. */
#include "print/read/read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "print/read/build.h"

/* Squares of more than 1e18 would no longer fit what is computed with them. */
#define LARGEST 1e15f

typedef int (*reader)(struct mesh_builder *, struct read_notes *, const uint8_t *, size_t,
                      struct err *);

struct format {
    const char *name;
    const char *ending;
    reader read;
    bool (*matches)(const uint8_t *data, size_t n);
    bool says_no_up; /* nor has it a custom: STL is Z up by the custom of printing */
};

static bool begins(const uint8_t *data, size_t n, const char *magic)
{
    return n >= strlen(magic) && memcmp(data, magic, strlen(magic)) == 0;
}

static bool is_glb(const uint8_t *data, size_t n)
{
    return begins(data, n, "glTF");
}

static bool is_ply(const uint8_t *data, size_t n)
{
    return begins(data, n, "ply\n") || begins(data, n, "ply\r") || begins(data, n, "ply ");
}

static bool is_draco(const uint8_t *data, size_t n)
{
    return begins(data, n, "DRACO");
}

static bool is_zip(const uint8_t *data, size_t n)
{
    return begins(data, n, "PK\3\4");
}

static size_t after_white(const uint8_t *data, size_t n)
{
    size_t i = begins(data, n, "\xef\xbb\xbf") ? 3 : 0;
    while (i < n && (data[i] == ' ' || (data[i] >= '\t' && data[i] <= '\r')))
        i++;
    return i;
}

static bool is_json(const uint8_t *data, size_t n)
{
    size_t i = after_white(data, n);
    return i < n && data[i] == '{';
}

/* The binary count agrees with the size: nothing else would by chance. */
static bool is_stl(const uint8_t *data, size_t n)
{
    if (n >= 84) {
        uint64_t count = data[80] | (uint64_t)data[81] << 8 | (uint64_t)data[82] << 16 |
                         (uint64_t)data[83] << 24;
        if (84 + 50 * count == n)
            return true;
    }
    size_t i = after_white(data, n);
    return n - i >= 5 && strncasecmp((const char *)data + i, "solid", 5) == 0;
}

static bool is_off(const uint8_t *data, size_t n)
{
    size_t i = after_white(data, n);
    static const char *const words[] = {"OFF", "COFF", "NOFF", "CNOFF", "STOFF"};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        if (begins(data + i, n - i, words[w]))
            return true;
    return false;
}

/* No magic: a line early on that begins with one of OBJ's words and a blank. */
static bool is_obj(const uint8_t *data, size_t n)
{
    struct text text = {(const char *)data, (const char *)data + (n < 65536 ? n : 65536)}, line;
    while (text_line(&text, &line)) {
        struct text word;
        if (!text_word(&line, &word))
            continue;
        static const char *const words[] = {"v", "vn", "vt", "f", "o", "g", "mtllib", "usemtl"};
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            if (text_is(&word, words[w]) && line.at < line.end)
                return true;
        if (*word.at != '#')
            return false;
    }
    return false;
}

static const struct format formats[] = {
    {"glb", ".glb", read_gltf, is_glb, false}, {"3mf", ".3mf", read_3mf, is_zip, false},
    {"ply", ".ply", read_ply, is_ply, true},   {"stl", ".stl", read_stl, is_stl, false},
    {"off", ".off", read_off, is_off, true},   {"gltf", ".gltf", read_gltf, is_json, false},
    {"obj", ".obj", read_obj, is_obj, true},   {"drc", ".drc", read_draco, is_draco, true},
};

static bool name_ends(const char *name, const char *ending)
{
    size_t n = name ? strlen(name) : 0, e = strlen(ending);
    return name && n >= e && strcasecmp(name + n - e, ending) == 0;
}

static const struct format *find_format(const uint8_t *data, size_t n, const char *name_hint)
{
    const size_t count = sizeof formats / sizeof *formats;
    for (size_t i = 0; i < count; i++)
        if (formats[i].matches(data, n))
            return &formats[i];
    /* Cut or odd files of the two formats whose start says little. */
    if (n >= 84 && name_ends(name_hint, ".stl"))
        return &formats[3];
    if (name_ends(name_hint, ".obj") && !memchr(data, 0, n < 4096 ? n : 4096))
        return &formats[6];
    return NULL;
}

static int check_used_vertices(const struct mesh *mesh, struct err *err)
{
    for (size_t h = 0; h < 3 * mesh->triangle_count; h++) {
        const float *p = mesh->xyz + 3 * (size_t)mesh->triangles[h];
        for (int k = 0; k < 3; k++)
            if (!(fabsf(p[k]) < LARGEST))
                return FAIL_CODE(err, ERR_INPUT, "mesh_not_finite",
                                 "vertex %u has a coordinate that is not a usable number",
                                 mesh->triangles[h]);
    }
    return 0;
}

/* Straight passes over both arrays; only where some coordinate is bad is it looked up whether a
 * triangle uses it. */
static int check_mesh(const struct mesh *mesh, struct err *err)
{
    const uint32_t *corners = mesh->triangles;
    const float *xyz = mesh->xyz;
    const size_t corner_count = 3 * mesh->triangle_count, number_count = 3 * mesh->vertex_count;
    uint32_t highest = 0, bad = 0;
#pragma omp parallel for simd reduction(max : highest) if (corner_count > 300000)
    for (size_t i = 0; i < corner_count; i++)
        highest = corners[i] > highest ? corners[i] : highest;
    if (highest >= mesh->vertex_count)
        return DAMAGED(err, "a triangle names vertex %u of %zu", highest, mesh->vertex_count);
#pragma omp parallel for simd reduction(| : bad) if (number_count > 300000)
    for (size_t i = 0; i < number_count; i++)
        bad |= !(fabsf(xyz[i]) < LARGEST);
    return bad ? check_used_vertices(mesh, err) : 0;
}

static int read_any(struct mesh_builder *builder, struct read_notes *notes, const uint8_t *data,
                    size_t n, const char *name_hint, struct err *err)
{
    if (n == 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "the file is empty");
    const struct format *format = find_format(data, n, name_hint);
    if (!format)
        return FAIL_CODE(err, ERR_INPUT, "mesh_unknown_format",
                         "this is no GLB, glTF, 3MF, STL, OBJ, PLY or OFF file");
    snprintf(notes->format, sizeof notes->format, "%s", format->name);
    if (format->read(builder, notes, data, n, err))
        return -1;
    if (builder->mesh.triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "the file shows no triangles");
    if (check_mesh(&builder->mesh, err) ||
        (builder->skin && skin_finish(builder->skin, &builder->mesh, err)))
        return -1;
    return format->says_no_up ? choose_up(&builder->mesh, notes, err) : 0;
}

int mesh_read_skin(struct mesh *out, struct skin *skin, struct read_notes *notes,
                   const uint8_t *data, size_t n, const char *name_hint, struct err *err)
{
    struct read_notes own = {0};
    struct mesh_builder builder = {.skin = skin};
    int failed = read_any(&builder, &own, data, n, name_hint, err);
    if (notes)
        *notes = own;
    if (failed) {
        builder_free(&builder);
        skin_free(skin);
        return -1;
    }
    *out = builder.mesh;
    return 0;
}

int mesh_read(struct mesh *out, struct read_notes *notes, const uint8_t *data, size_t n,
              const char *name_hint, struct err *err)
{
    return mesh_read_skin(out, NULL, notes, data, n, name_hint, err);
}
