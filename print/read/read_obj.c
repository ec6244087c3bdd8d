/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wavefront OBJ: v and f lines count, with colours behind the coordinates; the rest is looks in
 * another file. Large files are cut at ends of lines and read by several threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/read/build.h"

#define PIECE_BYTES ((size_t)2 << 20)
#define PIECES_MAX 512

/* Faces name vertices that come later in some files, so indices are checked at the end. */
struct piece {
    struct text text;
    struct mesh_builder out;
    struct skin skin;
    float colour_scale;
    bool wants_colour, wide_colour, library;
    size_t bad_faces;
    uint32_t *relative; /* corners that count back from here: they lack the vertices before */
    size_t relative_count, relative_room;
    struct err err;
    int failed;
};

/* A backslash at a line's end joins it to the next one: within a line it is as good as a blank. */
static void skip_blank(struct text *line)
{
    const char *p = line->at;
    while (p < line->end && (*p == ' ' || (unsigned)*p - '\t' < 5 || *p == '\\'))
        p++;
    line->at = p;
}

static bool next_line(struct text *text, struct text *line)
{
    if (!text_line(text, line))
        return false;
    struct text more = *line;
    while (more.end > more.at && more.end[-1] == '\\' && text_line(text, &more))
        line->end = more.end;
    return true;
}

/* Six numbers are a place and a colour, seven have a weight between them. */
static int read_colour(struct piece *piece, const float *p, int count)
{
    if (!piece->wants_colour || count < 6)
        return 0;
    size_t number = piece->out.mesh.vertex_count - 1;
    if (skin_room_rgb(&piece->skin, number + 1, &piece->err))
        return -1;
    for (int k = 0; k < 3; k++) {
        float c = p[count - 3 + k];
        piece->wide_colour |= c > 1;
        c = c * piece->colour_scale + 0.5f;
        piece->skin.rgb[number][k] = (uint8_t)(c > 255 ? 255 : c > 0 ? c : 0);
    }
    return 0;
}

static int read_vertex(struct piece *piece, struct text line)
{
    float p[7] = {NAN, NAN, NAN};
    int count = 0, most = piece->wants_colour ? 7 : 3;
    for (; count < most; count++) {
        skip_blank(&line);
        if (line.at == line.end || *line.at == '#' || !text_float(&line, &p[count]))
            break;
    }
    if (builder_vertex(&piece->out, p[0], p[1], p[2], &piece->err))
        return -1;
    return read_colour(piece, p, count);
}

/* The number in front of a corner's first slash; 0 is none. */
static bool next_corner(struct text *line, int64_t *number)
{
    skip_blank(line);
    const char *p = line->at, *end = line->end;
    if (p == end || *p == '#')
        return false;
    bool negative = *p == '-';
    p += *p == '-' || *p == '+';
    uint64_t sum = 0;
    while (p < end && (unsigned)*p - '0' < 10)
        sum = sum < 100000000000 ? sum * 10 + (uint64_t)(*p - '0') : sum, p++;
    while (p < end && *p != ' ' && (unsigned)*p - '\t' >= 5 && *p != '\\')
        p++;
    line->at = p;
    *number = negative ? -(int64_t)sum : (int64_t)sum;
    return true;
}

static int add_relative(struct piece *piece, uint32_t corner)
{
    if (piece->relative_count == piece->relative_room) {
        size_t room = piece->relative_room * 2 + 1024;
        uint32_t *more = realloc(piece->relative, room * sizeof *more);
        if (!more)
            return FAIL(&piece->err, ERR_LIMIT, "no memory for the mesh");
        piece->relative = more;
        piece->relative_room = room;
    }
    piece->relative[piece->relative_count++] = corner;
    return 0;
}

struct corner {
    uint32_t vertex;
    bool relative;
};

static int add_face(struct piece *piece, const struct corner c[3])
{
    uint32_t at = (uint32_t)(3 * piece->out.mesh.triangle_count);
    if (builder_triangle(&piece->out, c[0].vertex, c[1].vertex, c[2].vertex, &piece->err))
        return -1;
    for (uint32_t k = 0; k < 3; k++)
        if (c[k].relative && add_relative(piece, at + k))
            return -1;
    return 0;
}

static int read_face(struct piece *piece, struct text line)
{
    struct corner c[3] = {{0, false}, {0, false}, {0, false}};
    size_t corners = 0;
    int64_t number;
    while (next_corner(&line, &number)) {
        if (number == 0 || number > (int64_t)(3 * MESH_MAX_TRIANGLES) ||
            number < -(int64_t)(3 * MESH_MAX_TRIANGLES)) {
            piece->bad_faces++;
            return 0;
        }
        c[2].relative = number < 0;
        c[2].vertex =
            (uint32_t)(number < 0 ? (int64_t)piece->out.mesh.vertex_count + number : number - 1);
        if (corners == 0)
            c[0] = c[2];
        else if (corners > 1 && add_face(piece, c))
            return -1;
        c[1] = c[2];
        corners++;
    }
    piece->bad_faces += corners < 3;
    return 0;
}

static int read_line(struct piece *piece, struct text line)
{
    const char *p;
    skip_blank(&line);
    p = line.at;
    if (line.end - p < 2)
        return 0;
    bool plain = p[1] == ' ' || p[1] == '\t';
    if ((*p == 'v' || *p == 'V') && plain)
        return read_vertex(piece, (struct text){p + 2, line.end});
    if ((*p == 'f' || *p == 'F') && plain)
        return read_face(piece, (struct text){p + 2, line.end});
    if ((*p == 'f' || *p == 'F') && (p[1] == 'o' || p[1] == 'O') && line.end - p > 2 &&
        (p[2] == ' ' || p[2] == '\t'))
        return read_face(piece, (struct text){p + 3, line.end});
    struct text word = {p, p + (line.end - p < 6 ? line.end - p : 6)};
    piece->library |=
        (*p == 'm' || *p == 'u') && (text_is(&word, "mtllib") || text_is(&word, "usemtl"));
    return 0;
}

static void read_piece(struct piece *piece)
{
    struct text line;
    while (!piece->failed && next_line(&piece->text, &line))
        piece->failed = read_line(piece, line);
}

/* Cuts behind the first whole line after `at`. */
static const char *cut_after(const char *at, const struct text *all)
{
    while (at < all->end) {
        const char *end = memchr(at, '\n', (size_t)(all->end - at));
        if (!end)
            return all->end;
        const char *last = end > all->at && end[-1] == '\r' ? end - 1 : end;
        if (last == all->at || last[-1] != '\\')
            return end + 1;
        at = end + 1;
    }
    return all->end;
}

static size_t cut(struct piece *pieces, struct text all, bool wants_colour, float scale)
{
    size_t bytes = (size_t)(all.end - all.at) / PIECES_MAX + 1, count = 0;
    bytes = bytes > PIECE_BYTES ? bytes : PIECE_BYTES;
    for (const char *at = all.at; at < all.end && count < PIECES_MAX; count++) {
        const char *end = (size_t)(all.end - at) > bytes ? cut_after(at + bytes, &all) : all.end;
        pieces[count] =
            (struct piece){.text = {at, end}, .wants_colour = wants_colour, .colour_scale = scale};
        at = end;
    }
    return count;
}

static void add_bases(struct piece *pieces, size_t count)
{
    uint32_t base = 0;
    for (size_t i = 0; i < count; i++) {
        struct mesh *mesh = &pieces[i].out.mesh;
        for (size_t k = 0; base && k < pieces[i].relative_count; k++)
            mesh->triangles[pieces[i].relative[k]] += base;
        base += (uint32_t)mesh->vertex_count;
    }
}

/* Faces that name a vertex which the file does not have are left out. */
static size_t drop_dangling(struct mesh *mesh)
{
    size_t kept = 0;
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        const uint32_t *t = mesh->triangles + 3 * i;
        if (t[0] >= mesh->vertex_count || t[1] >= mesh->vertex_count || t[2] >= mesh->vertex_count)
            continue;
        if (kept != i)
            memcpy(mesh->triangles + 3 * kept, t, 3 * sizeof *t);
        kept++;
    }
    size_t dropped = mesh->triangle_count - kept;
    mesh->triangle_count = kept;
    return dropped;
}

static int join_colours(struct skin *skin, struct piece *pieces, size_t count, struct err *err)
{
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        size_t vertices = pieces[i].out.mesh.vertex_count, coloured = pieces[i].skin.rgb_room;
        coloured = coloured < vertices ? coloured : vertices;
        if (coloured && skin_room_rgb(skin, first + coloured, err))
            return -1;
        if (coloured)
            memcpy(skin->rgb + first, pieces[i].skin.rgb, coloured * sizeof *skin->rgb);
        first += vertices;
    }
    return 0;
}

static int join(struct mesh_builder *out, struct read_notes *notes, struct piece *pieces,
                size_t count, struct err *err)
{
    struct mesh_builder *parts[PIECES_MAX];
    size_t bad_faces = 0;
    bool library = false;
    for (size_t i = 0; i < count; i++) {
        parts[i] = &pieces[i].out;
        bad_faces += pieces[i].bad_faces;
        library |= pieces[i].library;
    }
    add_bases(pieces, count);
    if ((out->skin && join_colours(out->skin, pieces, count, err)) ||
        builder_join(out, parts, count, false, err))
        return -1;
    bad_faces += drop_dangling(&out->mesh);
    if (bad_faces)
        note(notes, "faces with missing or wrong corners were left out");
    if (out->skin && library)
        note(notes, "colours and textures in an OBJ's material file were ignored");
    return 0;
}

/* 1: the colours go to 255, so it has to be read again. */
static int read_all(struct mesh_builder *out, struct read_notes *notes, struct text all,
                    float scale, struct err *err)
{
    size_t most = (size_t)(all.end - all.at) / PIECE_BYTES + 1; /* as many as cut() makes */
    struct piece *pieces = malloc((most < PIECES_MAX ? most : PIECES_MAX) * sizeof *pieces);
    if (!pieces)
        return FAIL(err, ERR_LIMIT, "no memory for the mesh");
    size_t count = cut(pieces, all, out->skin != NULL, scale);
#pragma omp parallel for schedule(dynamic, 1) if (count > 1)
    for (size_t i = 0; i < count; i++)
        read_piece(&pieces[i]);
    int failed = 0;
    bool wide = false;
    for (size_t i = 0; i < count; i++) {
        wide |= pieces[i].wide_colour;
        if (pieces[i].failed && !failed && err)
            *err = pieces[i].err;
        failed |= pieces[i].failed;
    }
    if (!failed && wide && scale > 1)
        failed = 1;
    if (!failed)
        failed = join(out, notes, pieces, count, err);
    for (size_t i = 0; i < count; i++) {
        builder_free(&pieces[i].out);
        skin_free(&pieces[i].skin);
        free(pieces[i].relative);
    }
    free(pieces);
    return failed;
}

int read_obj(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err)
{
    const struct text all = {(const char *)data, (const char *)data + n};
    int result = read_all(out, notes, all, 255, err);
    return result == 1 ? read_all(out, notes, all, 1, err) : result;
}
