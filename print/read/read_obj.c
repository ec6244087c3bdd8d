/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wavefront OBJ: v and f lines count, the rest is looks. */
#include <math.h>

#include "print/read/build.h"

/* Faces name vertices that come later in some files, so indices are checked at the end. */
struct obj {
    struct mesh_builder *out;
    struct read_notes *notes;
    struct err *err;
    struct text text;
    size_t bad_faces;
};

/* A backslash at the end of a line goes on in the next one. */
static bool continues(const struct text *line)
{
    return line->end > line->at && line->end[-1] == '\\';
}

static int read_vertex(struct obj *obj, struct text line)
{
    double p[4];
    for (int k = 0; k < 3; k++)
        if (!text_number(&line, &p[k]))
            p[k] = NAN;
    return builder_vertex(obj->out, (float)p[0], (float)p[1], (float)p[2], obj->err);
}

/* The next corner of a face; moves to the following line where this one says so. */
static bool next_corner(struct obj *obj, struct text *line, int64_t *number)
{
    struct text word;
    for (;;) {
        bool more = continues(line);
        struct text body = {line->at, line->end - more};
        if (text_word(&body, &word) && *word.at != '#') {
            line->at = body.at;
            struct text digits = word;
            if (!text_integer(&digits, number))
                *number = 0;
            return true;
        }
        if (!more || !text_line(&obj->text, line))
            return false;
    }
}

static int read_face(struct obj *obj, struct text line)
{
    uint32_t first = 0, last = 0;
    size_t corners = 0;
    int64_t number;
    while (next_corner(obj, &line, &number)) {
        int64_t v = number < 0 ? (int64_t)obj->out->mesh.vertex_count + number : number - 1;
        if (v < 0 || v >= (int64_t)(3 * MESH_MAX_TRIANGLES)) {
            obj->bad_faces++;
            return 0;
        }
        if (corners == 0)
            first = (uint32_t)v;
        else if (corners > 1 && builder_triangle(obj->out, first, last, (uint32_t)v, obj->err))
            return -1;
        last = (uint32_t)v;
        corners++;
    }
    if (corners < 3)
        obj->bad_faces++;
    return 0;
}

/* Faces that name a vertex which the file does not have are left out. */
static void drop_dangling(struct obj *obj)
{
    struct mesh *mesh = &obj->out->mesh;
    size_t kept = 0;
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        const uint32_t *t = mesh->triangles + 3 * i;
        if (t[0] >= mesh->vertex_count || t[1] >= mesh->vertex_count ||
            t[2] >= mesh->vertex_count) {
            obj->bad_faces++;
            continue;
        }
        for (int k = 0; k < 3; k++)
            mesh->triangles[3 * kept + (size_t)k] = t[k];
        kept++;
    }
    mesh->triangle_count = kept;
}

int read_obj(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err)
{
    struct obj obj = {.out = out, .notes = notes, .err = err};
    obj.text = (struct text){(const char *)data, (const char *)data + n};
    struct text line, word;
    while (text_line(&obj.text, &line)) {
        if (!text_word(&line, &word))
            continue;
        if (text_is(&word, "v") && read_vertex(&obj, line))
            return -1;
        if ((text_is(&word, "f") || text_is(&word, "fo")) && read_face(&obj, line))
            return -1;
        if (!text_is(&word, "f") && !text_is(&word, "fo"))
            while (continues(&line) && text_line(&obj.text, &line))
                ;
    }
    drop_dangling(&obj);
    if (obj.bad_faces)
        note(notes, "faces with missing or wrong corners were left out");
    return 0;
}
