/* SPDX-License-Identifier: GPL-3.0-or-later */
/* STL, binary and text. The stored normals are not used: the order of the corners says the side. */
#include <string.h>

#include "print/read/build.h"

static uint32_t little32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int read_binary(struct mesh_builder *out, const uint8_t *data, uint32_t count,
                       struct err *err)
{
    if (builder_reserve(out, 3 * (size_t)count, count, err))
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        float corners[9];
        memcpy(corners, data + 84 + 50 * (size_t)i + 12, sizeof corners);
        memcpy(out->mesh.xyz + 9 * (size_t)i, corners, sizeof corners);
        for (uint32_t c = 0; c < 3; c++)
            out->mesh.triangles[3 * (size_t)i + c] = 3 * i + c;
    }
    out->mesh.vertex_count = 3 * (size_t)count;
    out->mesh.triangle_count = count;
    return 0;
}

/* Facets with more than three corners are written by some programs: they become fans. */
static int end_facet(struct mesh_builder *out, uint32_t first, struct err *err)
{
    uint32_t end = (uint32_t)out->mesh.vertex_count;
    for (uint32_t v = first + 2; v < end; v++)
        if (builder_triangle(out, first, v - 1, v, err))
            return -1;
    return 0;
}

static int read_text(struct mesh_builder *out, struct read_notes *notes, struct text text,
                     struct err *err)
{
    struct text word;
    uint32_t first = 0;
    size_t solids = 0;
    bool ended = false;
    while (text_word(&text, &word)) {
        if (text_is(&word, "vertex")) {
            double p[3];
            for (int k = 0; k < 3; k++)
                if (!text_number(&text, &p[k]))
                    return TRUNCATED(err, "the file ends inside a vertex");
            if (builder_vertex(out, (float)p[0], (float)p[1], (float)p[2], err))
                return -1;
        } else if (text_is(&word, "endfacet") || text_is(&word, "end")) {
            if (end_facet(out, first, err))
                return -1;
            first = (uint32_t)out->mesh.vertex_count;
        } else if (text_is(&word, "solid") || text_is(&word, "endsolid")) {
            struct text line;
            ended = text_is(&word, "endsolid");
            solids += !ended;
            /* The rest of this line is a free name, which may hold any word. */
            if (text.at < text.end && *text.at != '\n' && *text.at != '\r')
                text_line(&text, &line);
        }
    }
    if (out->mesh.vertex_count != first)
        return TRUNCATED(err, "the file ends inside a facet");
    if (!ended)
        note(notes, "the last solid has no end; what was there is used");
    if (solids > 1)
        note(notes, "several solids were joined");
    return 0;
}

int read_stl(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err)
{
    uint64_t count = n >= 84 ? little32(data + 80) : 0;
    bool fits = n >= 84 && 84 + 50 * count <= n;
    bool says_solid = n >= 5 && memcmp(data, "solid", 5) == 0;
    /* "solid" also heads many binary files; those have bytes that no text has. */
    bool has_nul = memchr(data, 0, n < 512 ? n : 512) != NULL;
    if (n >= 84 && (84 + 50 * count == n || (has_nul && fits))) {
        if (84 + 50 * count < n)
            note(notes, "bytes after the last triangle were ignored");
        return read_binary(out, data, (uint32_t)count, err);
    }
    if (has_nul || (!says_solid && !memmem(data, n < 4096 ? n : 4096, "facet", 5) &&
                    !memmem(data, n < 4096 ? n : 4096, "FACET", 5)))
        return n < 84 ? TRUNCATED(err, "a binary STL has at least 84 bytes, this has %zu", n)
                      : TRUNCATED(err, "the file promises %llu triangles and holds %zu",
                                  (unsigned long long)count, (n - 84) / 50);
    return read_text(out, notes, (struct text){(const char *)data, (const char *)data + n}, err);
}
