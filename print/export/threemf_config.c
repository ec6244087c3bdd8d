/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of a 3MF that say something of its objects to one family of slicers, and the archive's
 * own two lists: content types and relationships.
 */
#include <string.h>

#include "print/export/number.h"
#include "print/export/threemf_parts.h"
#include "print/export/xml.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define PACKAGE "http://schemas.openxmlformats.org/package/2006/"
#define IDENTITY "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"

/* Both families have the same line with other words around key and value. */
static int put_value(struct bytes *text, const char *before, const char *key, const char *value,
                     size_t most, struct err *err)
{
    if (bytes_printf(text, err, "%s key=\"%s\" value=\"", before, key) ||
        xml_text(text, value, most, err))
        return -1;
    return bytes_printf(text, err, "\"/>\n");
}

static int put_prusa_object(struct bytes *text, size_t id, const struct export_object *object,
                            struct err *err)
{
    static const char of_object[] = "  <metadata type=\"object\"",
                      of_volume[] = "   <metadata type=\"volume\"";
    const char *name = threemf_object_name(object);
    if (bytes_printf(text, err, " <object id=\"%zu\" instances_count=\"1\">\n", id) ||
        put_value(text, of_object, "name", name, THREEMF_NAME, err))
        return -1;
    for (size_t i = 0; i < object->prusa_count; i++)
        if (put_value(text, of_object, object->prusa[i].key, object->prusa[i].value, THREEMF_VALUE,
                      err))
            return -1;
    if (bytes_printf(text, err, "  <volume firstid=\"0\" lastid=\"%zu\">\n",
                     object->mesh->triangle_count - 1) ||
        put_value(text, of_volume, "name", name, THREEMF_NAME, err) ||
        put_value(text, of_volume, "volume_type", "ModelPart", THREEMF_NAME, err) ||
        put_value(text, of_volume, "matrix", IDENTITY, THREEMF_NAME, err))
        return -1;
    return bytes_printf(text, err, "  </volume>\n </object>\n");
}

int threemf_prusa_objects(struct bytes *text, const struct export_plate *plate, struct err *err)
{
    if (bytes_printf(text, err, XML_HEAD "<config>\n"))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (put_prusa_object(text, i + 1, &plate->objects[i], err))
            return -1;
    return bytes_printf(text, err, "</config>\n");
}

static int put_orca_object(struct bytes *text, size_t id, const struct export_object *object,
                           struct err *err)
{
    const char *name = threemf_object_name(object);
    if (bytes_printf(text, err, " <object id=\"%zu\">\n", id) ||
        put_value(text, "  <metadata", "name", name, THREEMF_NAME, err))
        return -1;
    for (size_t i = 0; i < object->orca_count; i++)
        if (put_value(text, "  <metadata", object->orca[i].key, object->orca[i].value,
                      THREEMF_VALUE, err))
            return -1;
    if (bytes_printf(text, err, "  <part id=\"%zu\" subtype=\"normal_part\">\n", id) ||
        put_value(text, "   <metadata", "name", name, THREEMF_NAME, err) ||
        put_value(text, "   <metadata", "matrix", IDENTITY, THREEMF_NAME, err))
        return -1;
    return bytes_printf(text, err, "  </part>\n </object>\n");
}

static int put_orca_plate(struct bytes *text, const struct export_plate *plate, struct err *err)
{
    if (bytes_printf(text, err,
                     " <plate>\n"
                     "  <metadata key=\"plater_id\" value=\"1\"/>\n"
                     "  <metadata key=\"plater_name\" value=\"\"/>\n"
                     "  <metadata key=\"locked\" value=\"false\"/>\n") ||
        (plate->thumbnail &&
         bytes_printf(text, err,
                      "  <metadata key=\"thumbnail_file\" value=\"Metadata/plate_1.png\"/>\n")))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (bytes_printf(text, err,
                         "  <model_instance>\n"
                         "   <metadata key=\"object_id\" value=\"%zu\"/>\n"
                         "   <metadata key=\"instance_id\" value=\"0\"/>\n"
                         "   <metadata key=\"identify_id\" value=\"%zu\"/>\n"
                         "  </model_instance>\n",
                         i + 1, i + 1))
            return -1;
    return bytes_printf(text, err, " </plate>\n");
}

static int put_assembled(struct bytes *text, size_t id, const struct export_object *object,
                         struct err *err)
{
    char place[3 * NUMBER_ROOM + 4], *to = place;
    for (int k = 0; k < 3; k++) {
        *to++ = ' ';
        to += number_print_float(to, (float)object->place_mm[k]);
    }
    *to = 0;
    return bytes_printf(text, err,
                        "  <assemble_item object_id=\"%zu\" instance_id=\"0\""
                        " transform=\"1 0 0 0 1 0 0 0 1%s\" offset=\"0 0 0\"/>\n",
                        id, place);
}

int threemf_orca_objects(struct bytes *text, const struct export_plate *plate, struct err *err)
{
    if (bytes_printf(text, err, XML_HEAD "<config>\n"))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (put_orca_object(text, i + 1, &plate->objects[i], err))
            return -1;
    if (put_orca_plate(text, plate, err) || bytes_printf(text, err, " <assemble>\n"))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (put_assembled(text, i + 1, &plate->objects[i], err))
            return -1;
    return bytes_printf(text, err, " </assemble>\n</config>\n");
}

int threemf_content_types(struct bytes *text, const struct export_plate *plate, struct err *err)
{
    (void)plate;
    return bytes_printf(
        text, err,
        XML_HEAD "<Types xmlns=\"" PACKAGE "content-types\">\n"
                 " <Default Extension=\"rels\""
                 " ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\n"
                 " <Default Extension=\"model\""
                 " ContentType=\"application/vnd.ms-package.3dmanufacturing-3dmodel+xml\"/>\n"
                 " <Default Extension=\"png\" ContentType=\"image/png\"/>\n"
                 " <Default Extension=\"config\" ContentType=\"text/plain\"/>\n"
                 " <Default Extension=\"json\" ContentType=\"application/json\"/>\n"
                 " <Default Extension=\"xml\" ContentType=\"application/xml\"/>\n"
                 " <Default Extension=\"txt\" ContentType=\"text/plain\"/>\n"
                 "</Types>\n");
}

static int put_relation(struct bytes *text, int *id, const char *target, const char *type,
                        struct err *err)
{
    return bytes_printf(text, err, " <Relationship Target=\"/%s\" Id=\"rel-%d\" Type=\"%s\"/>\n",
                        target, ++*id, type);
}

int threemf_relations(struct bytes *text, const struct export_plate *plate, struct err *err)
{
    int id = 0;
    if (bytes_printf(text, err, XML_HEAD "<Relationships xmlns=\"" PACKAGE "relationships\">\n") ||
        put_relation(text, &id, "3D/3dmodel.model",
                     "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel", err) ||
        (plate->thumbnail && put_relation(text, &id, "Metadata/thumbnail.png",
                                          PACKAGE "relationships/metadata/thumbnail", err)))
        return -1;
    for (size_t i = 0; i < plate->part_count; i++)
        if (plate->parts[i].must_preserve &&
            put_relation(text, &id, plate->parts[i].name, PACKAGE "relationships/mustpreserve",
                         err))
            return -1;
    return bytes_printf(text, err, "</Relationships>\n");
}
