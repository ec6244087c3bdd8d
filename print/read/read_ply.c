/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PLY, text and both binary byte orders: a header that says what each element holds, in any order.
 */
#include <math.h>
#include <string.h>

#include "print/read/build.h"

enum ply_form { PLY_TEXT, PLY_LITTLE, PLY_BIG };
enum role {
    ROLE_NONE,
    ROLE_X,
    ROLE_Y,
    ROLE_Z,
    ROLE_RED,
    ROLE_GREEN,
    ROLE_BLUE,
    ROLE_CORNERS,
    ROLE_STRIPS
};

struct type {
    const char *name, *other_name;
    unsigned bytes;
    char kind; /* i signed, u unsigned, f float */
};

static const struct type types[] = {{"char", "int8", 1, 'i'},     {"uchar", "uint8", 1, 'u'},
                                    {"short", "int16", 2, 'i'},   {"ushort", "uint16", 2, 'u'},
                                    {"int", "int32", 4, 'i'},     {"uint", "uint32", 4, 'u'},
                                    {"float", "float32", 4, 'f'}, {"double", "float64", 8, 'f'}};

struct property {
    const struct type *type;
    const struct type *count_type; /* of a list, else NULL */
    enum role role;
};

#define MAX_PROPERTIES 256
#define MAX_ELEMENTS 16

struct element {
    size_t count, first, end; /* properties[first .. end) */
    bool is_vertex, is_face, coloured;
};

struct ply {
    struct mesh_builder *out;
    struct read_notes *notes;
    struct err *err;
    struct text at;
    enum ply_form form;
    struct property properties[MAX_PROPERTIES];
    struct element elements[MAX_ELEMENTS];
    size_t property_count, element_count;
};

static const struct type *type_find(const struct text *word)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_is(word, types[i].name) || text_is(word, types[i].other_name))
            return &types[i];
    return NULL;
}

static enum role role_of(const struct text *name, bool is_list)
{
    if (is_list)
        return text_is(name, "vertex_indices") || text_is(name, "vertex_index") ? ROLE_CORNERS
               : text_is(name, "tristrips")                                     ? ROLE_STRIPS
                                                                                : ROLE_NONE;
    static const char *const names[] = {
        "x", "y", "z", "red",         "green",         "blue",
        "r", "g", "b", "diffuse_red", "diffuse_green", "diffuse_blue"};
    for (int i = 0; i < 12; i++)
        if (text_is(name, names[i]))
            return (enum role)(ROLE_X + (i < 6 ? i : 3 + i % 3));
    return ROLE_NONE;
}

static int header_property(struct ply *ply, struct text *line)
{
    struct text word, name;
    struct property property = {0};
    if (ply->element_count == 0 || ply->property_count == MAX_PROPERTIES)
        return DAMAGED(ply->err, "the header has a property that belongs to nothing");
    bool there = text_word(line, &word);
    bool is_list = there && text_is(&word, "list");
    if (is_list) {
        there = text_word(line, &word) && (property.count_type = type_find(&word)) != NULL &&
                property.count_type->kind != 'f' && text_word(line, &word);
    }
    if (!there || !(property.type = type_find(&word)) || !text_word(line, &name))
        return DAMAGED(ply->err, "the header has a property of an unknown type");
    property.role = role_of(&name, is_list);
    if (property.role >= ROLE_RED && property.role <= ROLE_BLUE)
        ply->elements[ply->element_count - 1].coloured = true;
    ply->properties[ply->property_count++] = property;
    ply->elements[ply->element_count - 1].end = ply->property_count;
    return 0;
}

static int header_element(struct ply *ply, struct text *line)
{
    struct text name;
    int64_t count;
    if (ply->element_count == MAX_ELEMENTS || !text_word(line, &name) ||
        !text_integer(line, &count) || count < 0)
        return DAMAGED(ply->err, "the header has an element without a count");
    ply->elements[ply->element_count++] = (struct element){.count = (size_t)count,
                                                           .first = ply->property_count,
                                                           .end = ply->property_count,
                                                           .is_vertex = text_is(&name, "vertex"),
                                                           .is_face = text_is(&name, "face")};
    return 0;
}

static int header_format(struct ply *ply, struct text *line)
{
    struct text word;
    if (!text_word(line, &word))
        return DAMAGED(ply->err, "the header does not say its format");
    if (text_is(&word, "ascii"))
        ply->form = PLY_TEXT;
    else if (text_is(&word, "binary_little_endian"))
        ply->form = PLY_LITTLE;
    else if (text_is(&word, "binary_big_endian"))
        ply->form = PLY_BIG;
    else
        return UNSUPPORTED(ply->err, "the PLY format %.*s is not known",
                           (int)(word.end - word.at > 40 ? 40 : word.end - word.at), word.at);
    return 0;
}

static int read_header(struct ply *ply)
{
    struct text line, word;
    while (text_line(&ply->at, &line)) {
        if (!text_word(&line, &word))
            continue;
        if (text_is(&word, "end_header"))
            return 0;
        if ((text_is(&word, "format") && header_format(ply, &line)) ||
            (text_is(&word, "element") && header_element(ply, &line)) ||
            (text_is(&word, "property") && header_property(ply, &line)))
            return -1;
    }
    return TRUNCATED(ply->err, "the header has no end");
}

static bool take_binary(struct ply *ply, const struct type *type, double *value)
{
    uint8_t raw[8];
    uint64_t bits = 0;
    if ((size_t)(ply->at.end - ply->at.at) < type->bytes)
        return false;
    memcpy(raw, ply->at.at, type->bytes);
    ply->at.at += type->bytes;
    for (unsigned i = 0; i < type->bytes; i++)
        bits |= (uint64_t)raw[ply->form == PLY_LITTLE ? i : type->bytes - 1 - i] << (8 * i);
    if (type->kind == 'f' && type->bytes == 8) {
        memcpy(value, &bits, sizeof *value);
    } else if (type->kind == 'f') {
        float f;
        uint32_t low = (uint32_t)bits;
        memcpy(&f, &low, sizeof f);
        *value = f;
    } else if (type->kind == 'i') {
        unsigned shift = 64 - 8 * type->bytes;
        *value = (double)((int64_t)(bits << shift) >> shift);
    } else {
        *value = (double)bits;
    }
    return true;
}

static int take(struct ply *ply, const struct type *type, double *value)
{
    bool there =
        ply->form == PLY_TEXT ? text_number(&ply->at, value) : take_binary(ply, type, value);
    return there ? 0 : TRUNCATED(ply->err, "the file ends before its last element");
}

static int take_index(struct ply *ply, const struct type *type, int64_t *index)
{
    double value;
    if (take(ply, type, &value))
        return -1;
    *index = value >= -1 && value < 4e9 ? (int64_t)value : -2;
    return 0;
}

/* Strips restart at -1 and turn every other triangle round. */
static int read_strip(struct ply *ply, const struct property *property, int64_t count)
{
    int64_t one = -1, two = -1, three;
    bool odd = false;
    for (int64_t i = 0; i < count; i++) {
        if (take_index(ply, property->type, &three))
            return -1;
        if (three < 0) {
            one = two = -1;
            odd = false;
            continue;
        }
        if (one >= 0) {
            if (builder_triangle(ply->out, (uint32_t)(odd ? two : one), (uint32_t)(odd ? one : two),
                                 (uint32_t)three, ply->err))
                return -1;
            odd = !odd;
        }
        one = two;
        two = three;
    }
    return 0;
}

static int read_corners(struct ply *ply, const struct property *property, int64_t count)
{
    int64_t first = 0, last = 0, v;
    for (int64_t i = 0; i < count; i++) {
        if (take_index(ply, property->type, &v))
            return -1;
        if (v < 0)
            return DAMAGED(ply->err, "a face names a vertex that is not there");
        if (i > 1 &&
            builder_triangle(ply->out, (uint32_t)first, (uint32_t)last, (uint32_t)v, ply->err))
            return -1;
        first = i == 0 ? v : first;
        last = v;
    }
    return 0;
}

static int read_list(struct ply *ply, const struct property *property, bool of_vertex)
{
    int64_t count;
    double ignored;
    if (take_index(ply, property->count_type, &count))
        return -1;
    if (count < 0)
        return DAMAGED(ply->err, "a list has a negative length");
    if (!of_vertex && property->role == ROLE_CORNERS)
        return read_corners(ply, property, count);
    if (!of_vertex && property->role == ROLE_STRIPS)
        return read_strip(ply, property, count);
    for (int64_t i = 0; i < count; i++)
        if (take(ply, property->type, &ignored))
            return -1;
    return 0;
}

/* sRGB: bytes as they are, wider whole numbers scaled down, floats from 0 to 1. */
static uint8_t colour_byte(const struct type *type, double value)
{
    double scaled = type->kind == 'f' ? 255 * value : type->bytes == 2 ? value / 257 : value;
    return (uint8_t)(scaled > 0 ? scaled < 255 ? scaled + 0.5 : 255 : 0);
}

static int keep_vertex_colour(struct ply *ply, const uint8_t rgb[3])
{
    struct skin *skin = ply->out->skin;
    size_t number = ply->out->mesh.vertex_count - 1;
    if (skin_room_rgb(skin, number + 1, ply->err))
        return -1;
    memcpy(skin->rgb[number], rgb, 3);
    return 0;
}

/* A face's colour goes to all corners of its triangles. */
static int keep_face_colour(struct ply *ply, size_t first, const uint8_t rgb[3])
{
    struct skin *skin = ply->out->skin;
    if (skin_room_corners(skin, ply->out->mesh.triangle_count, ply->err))
        return -1;
    for (size_t i = 3 * first; i < 3 * ply->out->mesh.triangle_count; i++)
        memcpy(skin->corner_rgb[i], rgb, 3);
    return 0;
}

static int read_one(struct ply *ply, const struct element *element)
{
    double p[3] = {NAN, NAN, NAN}, value;
    uint8_t rgb[3] = {255, 255, 255};
    size_t first = ply->out->mesh.triangle_count;
    for (size_t i = element->first; i < element->end; i++) {
        const struct property *property = &ply->properties[i];
        if (property->count_type) {
            if (read_list(ply, property, element->is_vertex))
                return -1;
            continue;
        }
        if (take(ply, property->type, &value))
            return -1;
        if (property->role >= ROLE_X && property->role <= ROLE_Z)
            p[property->role - ROLE_X] = value;
        else if (property->role >= ROLE_RED && property->role <= ROLE_BLUE)
            rgb[property->role - ROLE_RED] = colour_byte(property->type, value);
    }
    if (element->is_vertex &&
        builder_vertex(ply->out, (float)p[0], (float)p[1], (float)p[2], ply->err))
        return -1;
    if (!ply->out->skin || !element->coloured)
        return 0;
    if (element->is_vertex)
        return keep_vertex_colour(ply, rgb);
    return element->is_face ? keep_face_colour(ply, first, rgb) : 0;
}

/* Rows of fixed length and plain little-endian floats, as nearly all binary files have them. */
static bool vertices_are_plain(const struct ply *ply, const struct element *element, size_t *row,
                               size_t at[3])
{
    int found = 0;
    *row = 0;
    for (size_t i = element->first; i < element->end; i++) {
        const struct property *property = &ply->properties[i];
        if (property->count_type)
            return false;
        if (property->role >= ROLE_X && property->role <= ROLE_Z) {
            if (property->type->kind != 'f' || property->type->bytes != 4)
                return false;
            at[property->role - ROLE_X] = *row;
            found |= 1 << (property->role - ROLE_X);
        }
        *row += property->type->bytes;
    }
    return found == 7 && ply->form == PLY_LITTLE && element->is_vertex &&
           !(element->coloured && ply->out->skin);
}

static int read_plain_vertices(struct ply *ply, const struct element *element, size_t row,
                               const size_t at[3])
{
    struct mesh *mesh = &ply->out->mesh;
    if (element->count > (size_t)(ply->at.end - ply->at.at) / row)
        return TRUNCATED(ply->err, "the file ends before its last element");
    if (element->count == 0)
        return 0;
    if (builder_reserve(ply->out, element->count, 0, ply->err))
        return -1;
    float *to = mesh->xyz + 3 * mesh->vertex_count;
    const char *from = ply->at.at;
    for (size_t i = 0; i < element->count; i++, from += row, to += 3)
        for (int k = 0; k < 3; k++)
            memcpy(to + k, from + at[k], sizeof *to);
    mesh->vertex_count += element->count;
    ply->at.at = from;
    return 0;
}

/* Faces that are nothing but a byte's count and words: the run of triangles in front is taken at
 * once. Returns how many. */
static int read_plain_faces(struct ply *ply, const struct element *element, size_t *done)
{
    const struct property *p = &ply->properties[element->first];
    struct mesh *mesh = &ply->out->mesh;
    size_t most = (size_t)(ply->at.end - ply->at.at) / 13;
    *done = 0;
    if (ply->form != PLY_LITTLE || element->end != element->first + 1 || !p->count_type ||
        p->role != ROLE_CORNERS || p->count_type->bytes != 1 || p->type->bytes != 4 ||
        p->type->kind == 'f' || element->is_vertex)
        return 0;
    most = most < element->count ? most : element->count;
    if (most == 0)
        return 0;
    if (builder_reserve(ply->out, 0, most, ply->err))
        return -1;
    uint32_t *to = mesh->triangles + 3 * mesh->triangle_count;
    const char *from = ply->at.at;
    for (; *done < most && *from == 3; ++*done, from += 13, to += 3)
        memcpy(to, from + 1, 12);
    mesh->triangle_count += *done;
    ply->at.at = from;
    return 0;
}

static int read_element(struct ply *ply, const struct element *element)
{
    size_t row = 0, at[3] = {0}, done = 0;
    /* An element without properties takes no bytes, so its count bounds nothing. */
    if (element->end == element->first)
        return 0;
    if (vertices_are_plain(ply, element, &row, at))
        return read_plain_vertices(ply, element, row, at);
    if (read_plain_faces(ply, element, &done))
        return -1;
    for (size_t i = done; i < element->count; i++)
        if (read_one(ply, element))
            return -1;
    return 0;
}

int read_ply(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err)
{
    struct ply ply = {.out = out, .notes = notes, .err = err};
    ply.at = (struct text){(const char *)data, (const char *)data + n};
    if (read_header(&ply))
        return -1;
    for (size_t e = 0; e < ply.element_count; e++)
        if (read_element(&ply, &ply.elements[e]))
            return -1;
    return 0;
}
