/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of the model part: labels, palettes, objects, build; see verify_words.h. */
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "print/export/verify_tags.h"
#include "print/export/verify_words.h"

#define DIFFERS(err, ...) VERIFY_DIFFERS(err, __VA_ARGS__)

struct group {
    int64_t id;
    struct text entries; /* the lines that follow its head */
};

struct model {
    struct tags tags;
    const struct export_plate *plate;
    struct group groups[THREEMF_OBJECTS_MAX];
    size_t group_count;
};

static int check_labels(struct tags *tags, const struct export_labels *l)
{
    const struct {
        const char *name, *value;
        size_t most;
    } wanted[] = {{"Title", l->title, 200},
                  {"Designer", l->designer, 200},
                  {"Description", l->description, 2000},
                  {"Copyright", l->copyright, 200},
                  {"LicenseTerms", l->license, 200},
                  {"CreationDate", l->created, 200},
                  {"ModificationDate", l->modified, 200},
                  {"Application", "Statuette " STATUETTE_VERSION, 200},
                  {"slic3rpe:Version3mf", "1", 200},
                  {"statuette:OrderId", l->order_id, 200},
                  {"statuette:ItemId", l->item_id, 200},
                  {"statuette:PartCode", l->part_code, 200},
                  {"statuette:VersionHash", l->version_hash, 200},
                  {"statuette:Printer", l->printer_id, 200},
                  {"statuette:Material", l->material_id, 200},
                  {"statuette:Process", l->process_id, 200},
                  {"statuette:ProfileHash", l->profile_hash, 200}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (wanted[i].value && *wanted[i].value &&
            TAGS_EXPECT(tags, "metadata", IS("name", wanted[i].name),
                        MEANS("", wanted[i].value, wanted[i].most)))
            return -1;
    return 0;
}

static bool is(const struct text *name, const char *value)
{
    size_t n = strlen(value);
    return (size_t)(name->end - name->at) == n && !memcmp(name->at, value, n);
}

static bool number_is(const struct text *text, int64_t *value)
{
    struct text rest = text ? *text : (struct text){0};
    return text && rest.at < rest.end && text_integer(&rest, value) && rest.at == rest.end;
}

/* Notes where the groups are; the objects say what should be in them. */
static int walk_groups(struct model *m)
{
    struct tag tag;
    for (;;) {
        struct tags here = m->tags;
        if (tags_next(&m->tags, &tag))
            return -1;
        bool head = is(&tag.name, "m:colorgroup");
        if (is(&tag.name, "object")) {
            m->tags = here;
            return 0;
        }
        struct group *group = &m->groups[m->group_count];
        if (!head || m->group_count == THREEMF_OBJECTS_MAX || tag.count != 1 ||
            !number_is(tag_attribute(&tag, "id"), &group->id) ||
            group->id != (int64_t)(m->plate->object_count + 1 + m->group_count++))
            return DIFFERS(m->tags.err, "the 3MF's palettes are not as they should be");
        group->entries = m->tags.rest;
        do {
            if (tags_next(&m->tags, &tag))
                return -1;
        } while (is(&tag.name, "m:color"));
        if (!is(&tag.name, "/m:colorgroup"))
            return DIFFERS(m->tags.err, "a palette of the 3MF has no end");
    }
}

static int check_group(const struct group *group, const struct export_palette *palette,
                       struct err *err)
{
    struct tags tags = {"a palette", group->entries, err};
    for (size_t i = 0; i < palette->count; i++) {
        const uint8_t *rgb = palette->rgb[i];
        char colour[8];
        snprintf(colour, sizeof colour, "#%02X%02X%02X", rgb[0], rgb[1], rgb[2]);
        if (TAGS_EXPECT(&tags, "m:color", IS("color", colour)))
            return -1;
    }
    return TAGS_BARE(&tags, "/m:colorgroup");
}

/* pid and pindex are numbers that the triangles were held against already. */
static int check_object(struct model *m, size_t i)
{
    const struct export_object *object = &m->plate->objects[i];
    struct tags here = m->tags;
    struct tag tag;
    char id[24], pid[24] = "", pindex[24] = "";
    int64_t group = 0, entry = 0;
    snprintf(id, sizeof id, "%zu", i + 1);
    if (tags_next(&here, &tag))
        return -1;
    if (object->palette) {
        if (!number_is(tag_attribute(&tag, "pid"), &group) ||
            !number_is(tag_attribute(&tag, "pindex"), &entry) ||
            group <= (int64_t)m->plate->object_count ||
            group > (int64_t)(m->plate->object_count + m->group_count))
            return DIFFERS(m->tags.err, "object %zu has no palette in the 3MF", i + 1);
        snprintf(pid, sizeof pid, "%lld", (long long)group);
        snprintf(pindex, sizeof pindex, "%lld", (long long)entry);
    }
    const char *name = object->name && *object->name ? object->name : "figure";
    const char *code = object->part_code && *object->part_code ? object->part_code : NULL;
    if (TAGS_EXPECT(&m->tags, "object", IS("id", id), IS("type", "model"), MEANS("name", name, 100),
                    MEANS("partnumber", code, 100), IS("pid", *pid ? pid : NULL),
                    IS("pindex", *pindex ? pindex : NULL)) ||
        TAGS_BARE(&m->tags, "mesh") || TAGS_BARE(&m->tags, "vertices") ||
        TAGS_BARE(&m->tags, "/vertices") || TAGS_BARE(&m->tags, "triangles") ||
        TAGS_BARE(&m->tags, "/triangles") || TAGS_BARE(&m->tags, "/mesh") ||
        TAGS_BARE(&m->tags, "/object"))
        return -1;
    return object->palette ? check_group(&m->groups[group - (int64_t)m->plate->object_count - 1],
                                         object->palette, m->tags.err)
                           : 0;
}

bool verify_transform(const struct text *transform, const double place[3])
{
    struct text rest = transform ? *transform : (struct text){0}, word;
    for (int i = 0; i < 12; i++) {
        float value, wanted = i >= 9 ? (float)place[i - 9] : i % 4 == 0 ? 1 : 0;
        if (!text_word(&rest, &word) || !text_float(&word, &value) || value != wanted)
            return false;
    }
    return rest.at == rest.end;
}

static int check_item(struct model *m, size_t i)
{
    const struct export_object *object = &m->plate->objects[i];
    const char *item = object->item_id && *object->item_id ? object->item_id : NULL;
    struct tags here = m->tags;
    struct tag tag;
    char id[24], transform[160];
    snprintf(id, sizeof id, "%zu", i + 1);
    if (tags_next(&here, &tag))
        return -1;
    const struct text *found = tag_attribute(&tag, "transform");
    if (!verify_transform(found, object->place_mm))
        return DIFFERS(m->tags.err, "object %zu lies elsewhere in the 3MF", i + 1);
    snprintf(transform, sizeof transform, "%.*s", (int)(found->end - found->at), found->at);
    return TAGS_EXPECT(&m->tags, "item", IS("objectid", id), IS("transform", transform),
                       MEANS("partnumber", item, 100));
}

int verify_model(struct text words, const struct export_plate *plate, struct err *err)
{
    struct model m = {.tags = {"the model", words, err}, .plate = plate};
    if (TAGS_EXPECT(&m.tags, "?xml", IS("version", "1.0"), IS("encoding", "UTF-8")) ||
        TAGS_EXPECT(&m.tags, "model", IS("unit", "millimeter"), IS("xml:lang", "en-US"),
                    IS("xmlns", "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"),
                    IS("xmlns:m", "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"),
                    IS("xmlns:slic3rpe", "http://schemas.slic3r.org/3mf/2017/06"),
                    IS("xmlns:statuette", "urn:statuette:job:2026")) ||
        check_labels(&m.tags, &plate->labels) || TAGS_BARE(&m.tags, "resources") || walk_groups(&m))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (check_object(&m, i))
            return -1;
    if (TAGS_BARE(&m.tags, "/resources") || TAGS_BARE(&m.tags, "build"))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (check_item(&m, i))
            return -1;
    return TAGS_BARE(&m.tags, "/build") || TAGS_BARE(&m.tags, "/model") ? -1 : tags_end(&m.tags);
}
