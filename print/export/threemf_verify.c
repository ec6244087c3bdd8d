/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking again at a 3MF that was just written: every part of it is held against the plate that it
 * was made of. Nothing of the writer is used, so that it cannot be wrong twice.
 */
#include <string.h>

#include "base/png.h"
#include "print/export/verify_pipe.h"
#include "print/export/verify_tags.h"
#include "print/export/verify_words.h"

/* Where the reading of the model stands. Lines that are no vertices and triangles are kept. */
struct check {
    const struct export_plate *plate;
    size_t begun; /* objects whose meshes have begun; the last of them is at hand */
    const struct export_object *object;
    int64_t pid, pindex; /* as its tag says, or -1 */
    size_t vertices, triangles;
    enum { WORDS, VERTICES, BETWEEN, TRIANGLES } at;
    struct bytes words;
};

static bool take(struct text *line, const char *words, size_t n)
{
    if ((size_t)(line->end - line->at) < n || memcmp(line->at, words, n) != 0)
        return false;
    line->at += n;
    return true;
}
#define TAKE(line, words) take((line), (words), sizeof(words) - 1)

static bool vertex_same(struct text *line, const float *wanted)
{
    float p[3];
    if (!TAKE(line, "<vertex x=\"") || !text_float(line, &p[0]) || !TAKE(line, "\" y=\"") ||
        !text_float(line, &p[1]) || !TAKE(line, "\" z=\"") || !text_float(line, &p[2]) ||
        !TAKE(line, "\"/>"))
        return false;
    return line->at == line->end && memcmp(p, wanted, sizeof p) == 0;
}

static bool triangle_same(struct text *line, const struct check *c)
{
    const uint32_t *wanted = c->object->mesh->triangles + 3 * c->triangles;
    const struct export_palette *palette = c->object->palette;
    int64_t v[3], pid = c->pid, colour = c->pindex;
    if (!TAKE(line, "<triangle v1=\"") || !text_integer(line, &v[0]) || !TAKE(line, "\" v2=\"") ||
        !text_integer(line, &v[1]) || !TAKE(line, "\" v3=\"") || !text_integer(line, &v[2]))
        return false;
    if (TAKE(line, "\" pid=\"") && (!palette || !text_integer(line, &pid) ||
                                    !TAKE(line, "\" p1=\"") || !text_integer(line, &colour)))
        return false;
    return TAKE(line, "\"/>") && line->at == line->end && v[0] == wanted[0] && v[1] == wanted[1] &&
           v[2] == wanted[2] &&
           (!palette || (pid == c->pid && colour == palette->of_triangle[c->triangles]));
}

static int64_t number_of(const struct tag *tag, const char *name)
{
    const struct text *found = tag_attribute(tag, name);
    struct text rest = found ? *found : (struct text){0};
    int64_t value;
    return found && text_integer(&rest, &value) && rest.at == rest.end ? value : -1;
}

static int begin_mesh(struct check *c, struct err *err)
{
    if (c->begun == c->plate->object_count)
        return VERIFY_DIFFERS(err, "the 3MF has more than %zu objects", c->begun);
    c->object = &c->plate->objects[c->begun++];
    c->vertices = c->triangles = 0;
    c->at = VERTICES;
    return 0;
}

static int keep_line(struct check *c, struct text line, struct err *err)
{
    struct text rest = line, word;
    struct tag tag;
    if (bytes_append(&c->words, line.at, (size_t)(line.end - line.at), err) ||
        bytes_append(&c->words, "\n", 1, err))
        return -1;
    if (!text_word(&rest, &word))
        return 0;
    if (text_is(&word, "<object") && tag_read(&tag, line)) {
        c->pid = number_of(&tag, "pid");
        c->pindex = number_of(&tag, "pindex");
    } else if (c->at == WORDS && text_is(&word, "<vertices>")) {
        return begin_mesh(c, err);
    } else if (c->at == BETWEEN && text_is(&word, "<triangles>")) {
        c->at = TRIANGLES;
    }
    return 0;
}

/* Once an object's vertices or triangles are all there, its end must follow. */
static int check_line(void *user, struct text line, struct err *err)
{
    struct check *c = user;
    if (c->at == VERTICES && c->vertices < c->object->mesh->vertex_count)
        return vertex_same(&line, c->object->mesh->xyz + 3 * c->vertices)
                   ? (c->vertices++, 0)
                   : VERIFY_DIFFERS(err, "vertex %zu of object %zu reads back differently",
                                    c->vertices, c->begun);
    if (c->at == TRIANGLES && c->triangles < c->object->mesh->triangle_count)
        return triangle_same(&line, c)
                   ? (c->triangles++, 0)
                   : VERIFY_DIFFERS(err, "triangle %zu of object %zu reads back differently",
                                    c->triangles, c->begun);
    struct text rest = line, word;
    bool ends = c->at == VERTICES || c->at == TRIANGLES;
    if (ends && (!text_word(&rest, &word) ||
                 !text_is(&word, c->at == VERTICES ? "</vertices>" : "</triangles>")))
        return VERIFY_DIFFERS(err, "object %zu of the 3MF goes on too long", c->begun);
    if (ends)
        c->at = c->at == VERTICES ? BETWEEN : WORDS;
    return keep_line(c, line, err);
}

static struct text as_text(const struct bytes *bytes)
{
    const char *at = (const char *)bytes->data;
    return (struct text){at, at ? at + bytes->len : at};
}

static int check_model(const struct verify_zip *zip, const struct export_plate *plate,
                       struct err *err)
{
    const struct verify_entry *entry = verify_zip_find(zip, "3D/3dmodel.model");
    struct check c = {.plate = plate, .words = {.limit = 64 << 20}};
    if (!entry)
        return VERIFY_DIFFERS(err, "the archive's directory has no model");
    int failed = verify_pipe(entry, check_line, &c, err);
    if (!failed && (c.at != WORDS || c.begun != plate->object_count))
        failed = VERIFY_DIFFERS(err, "the 3MF ends too early");
    failed = failed || verify_model(as_text(&c.words), plate, err);
    bytes_free(&c.words);
    return failed ? -1 : 0;
}

/* Finds a part and inflates it; the caller frees. */
static int read_part(struct bytes *out, const struct verify_zip *zip, const char *name,
                     struct err *err)
{
    const struct verify_entry *entry = verify_zip_find(zip, name);
    return entry ? verify_zip_read(out, entry, err)
                 : VERIFY_DIFFERS(err, "the 3MF has no %s", name);
}

static int check_words(const struct verify_zip *zip, const struct export_plate *plate,
                       struct err *err)
{
    static const struct {
        const char *name;
        int (*check)(struct text words, const struct export_plate *plate, struct err *err);
    } parts[] = {{"_rels/.rels", verify_relations},
                 {"Metadata/Slic3r_PE_model.config", verify_prusa},
                 {"Metadata/model_settings.config", verify_orca}};
    struct bytes types = {0};
    int failed = read_part(&types, zip, "[Content_Types].xml", err) ||
                 verify_types(as_text(&types), zip, err);
    bytes_free(&types);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !failed; i++) {
        struct bytes text = {0};
        failed =
            read_part(&text, zip, parts[i].name, err) || parts[i].check(as_text(&text), plate, err);
        bytes_free(&text);
    }
    return failed ? -1 : 0;
}

static int check_picture(const struct verify_zip *zip, const char *name,
                         const struct picture *wanted, struct err *err)
{
    struct bytes png = {0};
    struct picture read = {0};
    int failed = read_part(&png, zip, name, err);
    if (!failed && png_decode(&read, NULL, png.data, png.len, 1 << 26, err))
        failed = VERIFY_DIFFERS(err, "%s is no picture", name);
    if (!failed && wanted &&
        (read.width != wanted->width || read.height != wanted->height ||
         memcmp(read.rgba, wanted->rgba, (size_t)4 * read.width * read.height) != 0))
        failed = VERIFY_DIFFERS(err, "%s reads back differently", name);
    bytes_free(&png);
    picture_free(&read);
    return failed;
}

static int check_further(const struct verify_zip *zip, const struct export_part *part,
                         struct err *err)
{
    struct bytes read = {0};
    int failed = read_part(&read, zip, part->name, err);
    if (!failed && (read.len != part->bytes ||
                    (part->bytes && memcmp(read.data, part->data, part->bytes) != 0)))
        failed = VERIFY_DIFFERS(err, "%s reads back differently", part->name);
    bytes_free(&read);
    return failed;
}

static int check_rest(const struct verify_zip *zip, const struct export_plate *plate,
                      struct err *err)
{
    const struct picture *picture = plate->thumbnail;
    size_t wanted = 5 + (picture ? 3u : 0) + plate->part_count;
    if (zip->count != wanted)
        return VERIFY_DIFFERS(err, "the 3MF has %zu parts in place of %zu", zip->count, wanted);
    if (check_words(zip, plate, err) ||
        (picture && (check_picture(zip, "Metadata/thumbnail.png", picture, err) ||
                     check_picture(zip, "Metadata/plate_1.png", picture, err) ||
                     check_picture(zip, "Metadata/plate_1_small.png", NULL, err))))
        return -1;
    for (size_t i = 0; i < plate->part_count; i++)
        if (check_further(zip, &plate->parts[i], err))
            return -1;
    return 0;
}

int threemf_verify_plate(const uint8_t *data, size_t n, const struct export_plate *plate,
                         struct err *err)
{
    struct export_plate own = *plate;
    struct verify_zip zip;
    if (own.thumbnail && !own.thumbnail->rgba)
        own.thumbnail = NULL;
    if (verify_zip_open(&zip, data, n, err) || check_model(&zip, &own, err))
        return -1;
    return check_rest(&zip, &own, err);
}
