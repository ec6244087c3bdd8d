/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The slicers' and the archive's own lists; see verify_words.h. */
#include "print/export/verify_words.h"

#include <stdio.h>
#include <string.h>

#include "print/export/verify_tags.h"

static const char identity[] = "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1";

static const char *name_of(const struct export_object *object)
{
    return object->name && *object->name ? object->name : "figure";
}

static int check_settings(struct tags *tags, const char *type,
                          const struct export_setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (TAGS_EXPECT(tags, "metadata", IS("type", type), IS("key", settings[i].key),
                        MEANS("value", settings[i].value, 4000)))
            return -1;
    return 0;
}

static int prusa_object(struct tags *tags, size_t i, const struct export_object *object)
{
    char id[24], last[24];
    snprintf(id, sizeof id, "%zu", i + 1);
    snprintf(last, sizeof last, "%zu", object->mesh->triangle_count - 1);
    const struct export_setting name = {"name", name_of(object)};
    if (TAGS_EXPECT(tags, "object", IS("id", id), IS("instances_count", "1")) ||
        TAGS_EXPECT(tags, "metadata", IS("type", "object"), IS("key", "name"),
                    MEANS("value", name.value, 100)) ||
        check_settings(tags, "object", object->prusa, object->prusa_count) ||
        TAGS_EXPECT(tags, "volume", IS("firstid", "0"), IS("lastid", last)) ||
        TAGS_EXPECT(tags, "metadata", IS("type", "volume"), IS("key", "name"),
                    MEANS("value", name.value, 100)))
        return -1;
    const struct export_setting rest[] = {{"volume_type", "ModelPart"}, {"matrix", identity}};
    return check_settings(tags, "volume", rest, 2) || TAGS_BARE(tags, "/volume") ||
                   TAGS_BARE(tags, "/object")
               ? -1
               : 0;
}

static int begin_config(struct tags *tags)
{
    return TAGS_EXPECT(tags, "?xml", IS("version", "1.0"), IS("encoding", "UTF-8")) ||
                   TAGS_BARE(tags, "config")
               ? -1
               : 0;
}

int verify_prusa(struct text words, const struct export_plate *plate, struct err *err)
{
    struct tags tags = {"Slic3r_PE_model.config", words, err};
    if (begin_config(&tags))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (prusa_object(&tags, i, &plate->objects[i]))
            return -1;
    return TAGS_BARE(&tags, "/config") ? -1 : tags_end(&tags);
}

static int orca_object(struct tags *tags, size_t i, const struct export_object *object)
{
    char id[24];
    snprintf(id, sizeof id, "%zu", i + 1);
    if (TAGS_EXPECT(tags, "object", IS("id", id)) ||
        TAGS_EXPECT(tags, "metadata", IS("key", "name"), MEANS("value", name_of(object), 100)) ||
        check_settings(tags, NULL, object->orca, object->orca_count) ||
        TAGS_EXPECT(tags, "part", IS("id", id), IS("subtype", "normal_part")) ||
        TAGS_EXPECT(tags, "metadata", IS("key", "name"), MEANS("value", name_of(object), 100)) ||
        TAGS_EXPECT(tags, "metadata", IS("key", "matrix"), IS("value", identity)) ||
        TAGS_BARE(tags, "/part") || TAGS_BARE(tags, "/object"))
        return -1;
    return 0;
}

static int orca_plate(struct tags *tags, const struct export_plate *plate)
{
    const struct export_setting head[] = {
        {"plater_id", "1"}, {"plater_name", ""}, {"locked", "false"}};
    const struct export_setting picture = {"thumbnail_file", "Metadata/plate_1.png"};
    if (TAGS_BARE(tags, "plate") || check_settings(tags, NULL, head, 3) ||
        check_settings(tags, NULL, &picture, plate->thumbnail ? 1 : 0))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++) {
        char id[24];
        snprintf(id, sizeof id, "%zu", i + 1);
        const struct export_setting one[] = {
            {"object_id", id}, {"instance_id", "0"}, {"identify_id", id}};
        if (TAGS_BARE(tags, "model_instance") || check_settings(tags, NULL, one, 3) ||
            TAGS_BARE(tags, "/model_instance"))
            return -1;
    }
    return TAGS_BARE(tags, "/plate");
}

static int orca_assembled(struct tags *tags, size_t i, const struct export_object *object)
{
    struct tags here = *tags;
    struct tag tag;
    char id[24], transform[160] = "";
    snprintf(id, sizeof id, "%zu", i + 1);
    if (tags_next(&here, &tag))
        return -1;
    const struct text *found = tag_attribute(&tag, "transform");
    if (!verify_transform(found, object->place_mm))
        return VERIFY_DIFFERS(tags->err, "object %zu lies elsewhere in %s", i + 1, tags->part);
    snprintf(transform, sizeof transform, "%.*s", (int)(found->end - found->at), found->at);
    return TAGS_EXPECT(tags, "assemble_item", IS("object_id", id), IS("instance_id", "0"),
                       IS("transform", transform), IS("offset", "0 0 0"));
}

int verify_orca(struct text words, const struct export_plate *plate, struct err *err)
{
    struct tags tags = {"model_settings.config", words, err};
    if (begin_config(&tags))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (orca_object(&tags, i, &plate->objects[i]))
            return -1;
    if (orca_plate(&tags, plate) || TAGS_BARE(&tags, "assemble"))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (orca_assembled(&tags, i, &plate->objects[i]))
            return -1;
    return TAGS_BARE(&tags, "/assemble") || TAGS_BARE(&tags, "/config") ? -1 : tags_end(&tags);
}

/* The entries' extensions that this one is. */
static void note_extension(bool *known, const struct verify_zip *zip, const struct text *extension)
{
    size_t n = (size_t)(extension->end - extension->at);
    for (size_t i = 0; i < zip->count; i++) {
        const struct verify_entry *e = &zip->entries[i];
        known[i] |= e->name_bytes > n && e->name[e->name_bytes - n - 1] == '.' &&
                    !memcmp(e->name + e->name_bytes - n, extension->at, n);
    }
}

int verify_types(struct text words, const struct verify_zip *zip, struct err *err)
{
    struct tags tags = {"[Content_Types].xml", words, err};
    struct tag tag;
    bool known[VERIFY_ENTRIES_MAX] = {0};
    if (TAGS_EXPECT(&tags, "?xml", IS("version", "1.0"), IS("encoding", "UTF-8")) ||
        TAGS_EXPECT(&tags, "Types",
                    IS("xmlns", "http://schemas.openxmlformats.org/package/2006/content-types")))
        return -1;
    for (;;) {
        if (tags_next(&tags, &tag))
            return -1;
        const struct text *extension = tag_attribute(&tag, "Extension"),
                          *type = tag_attribute(&tag, "ContentType");
        if (!extension || !type)
            break;
        note_extension(known, zip, extension);
    }
    for (size_t i = 0; i < zip->count; i++)
        if (!known[i] && memcmp(zip->entries[i].name, "[Content_Types].xml", 19) != 0)
            return VERIFY_DIFFERS(err, "%.*s has no content type", (int)zip->entries[i].name_bytes,
                                  zip->entries[i].name);
    return text_is(&tag.name, "/Types") ? tags_end(&tags)
                                        : VERIFY_DIFFERS(err, "the content types have no end");
}

static int relation(struct tags *tags, int *id, const char *target, const char *type)
{
    char path[128], name[16];
    snprintf(path, sizeof path, "/%s", target);
    snprintf(name, sizeof name, "rel-%d", ++*id);
    return TAGS_EXPECT(tags, "Relationship", IS("Target", path), IS("Id", name), IS("Type", type));
}

int verify_relations(struct text words, const struct export_plate *plate, struct err *err)
{
    static const char ns[] = "http://schemas.openxmlformats.org/package/2006/relationships",
                      model[] = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel",
                      picture[] = "http://schemas.openxmlformats.org/package/2006/relationships/"
                                  "metadata/thumbnail",
                      keep[] = "http://schemas.openxmlformats.org/package/2006/relationships/"
                               "mustpreserve";
    struct tags tags = {"_rels/.rels", words, err};
    int id = 0;
    if (TAGS_EXPECT(&tags, "?xml", IS("version", "1.0"), IS("encoding", "UTF-8")) ||
        TAGS_EXPECT(&tags, "Relationships", IS("xmlns", ns)) ||
        relation(&tags, &id, "3D/3dmodel.model", model) ||
        (plate->thumbnail && relation(&tags, &id, "Metadata/thumbnail.png", picture)))
        return -1;
    for (size_t i = 0; i < plate->part_count; i++)
        if (plate->parts[i].must_preserve && relation(&tags, &id, plate->parts[i].name, keep))
            return -1;
    return TAGS_BARE(&tags, "/Relationships") ? -1 : tags_end(&tags);
}
