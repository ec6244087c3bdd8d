/* SPDX-License-Identifier: GPL-3.0-or-later */
/* STL, binary and text. The stored normals are not used: the order of the corners says the side. */
#include <stdlib.h>
#include <string.h>

#include "print/read/build.h"

static uint32_t little32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Files of colour-aware programs keep 15 bits of colour behind each triangle; two dialects differ
 * in what the bits mean and most files hold noise there, so it is not used. */
static int read_binary(struct mesh_builder *out, const uint8_t *data, uint32_t count,
                       struct err *err)
{
    if (builder_reserve(out, 3 * (size_t)count, count, err))
        return -1;
    float *xyz = out->mesh.xyz;
    uint32_t *triangles = out->mesh.triangles;
#pragma omp parallel for if (count > 100000)
    for (uint32_t i = 0; i < count; i++) {
        memcpy(xyz + 9 * (size_t)i, data + 84 + 50 * (size_t)i + 12, 9 * sizeof *xyz);
        for (uint32_t c = 0; c < 3; c++)
            triangles[3 * (size_t)i + c] = 3 * i + c;
    }
    out->mesh.vertex_count = 3 * (size_t)count;
    out->mesh.triangle_count = count;
    return 0;
}

/* One stretch of a text file; large files are read in several at once. */
struct piece {
    struct text text;
    struct mesh_builder out;
    size_t solids, ends;
    bool last_is_end; /* the last word that opens or ends a solid ends it */
    bool open_facet;
    struct err err;
    int failed;
};

/* Facets with more than three corners are written by some programs: they become fans. */
static int end_facet(struct mesh_builder *out, uint32_t first, struct err *err)
{
    uint32_t end = (uint32_t)out->mesh.vertex_count;
    for (uint32_t v = first + 2; v < end; v++)
        if (builder_triangle(out, first, v - 1, v, err))
            return -1;
    return 0;
}

static int read_vertex(struct piece *piece)
{
    float p[3];
    for (int k = 0; k < 3; k++)
        if (!text_float(&piece->text, &p[k]))
            return TRUNCATED(&piece->err, "the file ends inside a vertex");
    return builder_vertex(&piece->out, p[0], p[1], p[2], &piece->err);
}

static void read_solid(struct piece *piece, bool end)
{
    struct text line;
    piece->solids += !end;
    piece->ends += end;
    piece->last_is_end = end;
    /* The rest of this line is a free name, which may hold any word. */
    if (piece->text.at < piece->text.end && *piece->text.at != '\n' && *piece->text.at != '\r')
        text_line(&piece->text, &line);
}

static int read_piece(struct piece *piece)
{
    struct text word;
    uint32_t first = 0;
    while (text_word(&piece->text, &word)) {
        char letter = (char)(*word.at | 0x20);
        if (letter != 'v' && letter != 'e' && letter != 's')
            continue;
        if (text_is(&word, "vertex")) {
            if (read_vertex(piece))
                return -1;
        } else if (text_is(&word, "endfacet") || text_is(&word, "end")) {
            if (end_facet(&piece->out, first, &piece->err))
                return -1;
            first = (uint32_t)piece->out.mesh.vertex_count;
        } else if (text_is(&word, "solid") || text_is(&word, "endsolid")) {
            read_solid(piece, letter == 'e');
        }
    }
    piece->open_facet = piece->out.mesh.vertex_count != first;
    return 0;
}

#define PIECE_BYTES ((size_t)8 << 20)
#define PIECES_MAX 256

/* Cuts behind a line that holds nothing but "endfacet", so that no name is taken for one. */
static const char *cut_after(const char *at, const struct text *all)
{
    struct text rest = {at, all->end}, line, word, more;
    text_line(&rest, &line); /* may have begun anywhere */
    while (text_line(&rest, &line))
        if (text_word(&line, &word) && text_is(&word, "endfacet") && !text_word(&line, &more))
            return rest.at;
    return all->end;
}

static size_t cut(struct piece *pieces, const struct text all)
{
    size_t bytes = (size_t)(all.end - all.at) / PIECES_MAX + 1, count = 0;
    bytes = bytes > PIECE_BYTES ? bytes : PIECE_BYTES;
    for (const char *at = all.at; at < all.end && count < PIECES_MAX; count++) {
        const char *end = (size_t)(all.end - at) > bytes ? cut_after(at + bytes, &all) : all.end;
        pieces[count] = (struct piece){.text = {at, end}};
        at = end;
    }
    return count;
}

static int join(struct mesh_builder *out, struct read_notes *notes, struct piece *pieces,
                size_t count, struct err *err)
{
    struct mesh_builder *parts[PIECES_MAX];
    size_t solids = 0;
    bool ended = false;
    for (size_t i = 0; i < count; i++) {
        struct piece *piece = &pieces[i];
        parts[i] = &piece->out;
        solids += piece->solids;
        if (piece->solids || piece->ends)
            ended = piece->last_is_end;
        if (piece->failed) {
            if (err)
                *err = piece->err;
            return -1;
        }
        if (piece->open_facet)
            return TRUNCATED(err, "the file ends inside a facet");
    }
    if (!ended)
        note(notes, "the last solid has no end; what was there is used");
    if (solids > 1)
        note(notes, "several solids were joined");
    return builder_join(out, parts, count, true, err);
}

static int read_text(struct mesh_builder *out, struct read_notes *notes, struct text text,
                     struct err *err)
{
    size_t most = (size_t)(text.end - text.at) / PIECE_BYTES + 1; /* as many as cut() makes */
    struct piece *pieces = malloc((most < PIECES_MAX ? most : PIECES_MAX) * sizeof *pieces);
    if (!pieces)
        return FAIL(err, ERR_LIMIT, "no memory for the mesh");
    size_t count = cut(pieces, text);
#pragma omp parallel for schedule(dynamic, 1) if (count > 1)
    for (size_t i = 0; i < count; i++)
        pieces[i].failed = read_piece(&pieces[i]);
    int failed = join(out, notes, pieces, count, err);
    for (size_t i = 0; i < count; i++)
        builder_free(&pieces[i].out);
    free(pieces);
    return failed;
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
