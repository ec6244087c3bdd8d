/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words of the model part around the meshes: labels, palettes, objects, where each goes on the
 * bed. lib3mf 1.8.1 warns of metadatagroup and of metadata@preserve, so neither is written.
 */
#include "base/version.h"
#include "print/export/number.h"
#include "print/export/threemf_parts.h"
#include "print/export/xml.h"

const char *threemf_object_name(const struct export_object *object)
{
    return object->name && *object->name ? object->name : "figure";
}

static int put_metadata(struct bytes *text, const char *name, const char *value, size_t most,
                        struct err *err)
{
    if (!value || !*value)
        return 0;
    if (bytes_printf(text, err, " <metadata name=\"%s\">", name) ||
        xml_text(text, value, most, err))
        return -1;
    return bytes_printf(text, err, "</metadata>\n");
}

static int put_labels(struct bytes *text, const struct export_labels *labels, struct err *err)
{
    const struct {
        const char *name, *value;
    } metadata[] = {{"Title", labels->title},
                    {"Designer", labels->designer},
                    {"Description", labels->description},
                    {"Copyright", labels->copyright},
                    {"LicenseTerms", labels->license},
                    {"CreationDate", labels->created},
                    {"ModificationDate", labels->modified},
                    {"Application", "Statuette " STATUETTE_VERSION},
                    {"slic3rpe:Version3mf", "1"},
                    {"statuette:OrderId", labels->order_id},
                    {"statuette:ItemId", labels->item_id},
                    {"statuette:PartCode", labels->part_code},
                    {"statuette:VersionHash", labels->version_hash},
                    {"statuette:Printer", labels->printer_id},
                    {"statuette:Material", labels->material_id},
                    {"statuette:Process", labels->process_id},
                    {"statuette:ProfileHash", labels->profile_hash}};
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++) {
        size_t most = metadata[i].value == labels->description ? THREEMF_LONG_TEXT : THREEMF_TEXT;
        if (put_metadata(text, metadata[i].name, metadata[i].value, most, err))
            return -1;
    }
    return 0;
}

/* A colour group of the materials extension: the Orca family looks for it under just this prefix,
 * and for nothing else; lib3mf and three.js take it as they take base materials. */
static int put_palette(struct bytes *text, unsigned id, const struct export_palette *palette,
                       struct err *err)
{
    if (bytes_printf(text, err, "  <m:colorgroup id=\"%u\">\n", id))
        return -1;
    for (size_t i = 0; i < palette->count; i++) {
        const uint8_t *rgb = palette->rgb[i];
        if (bytes_printf(text, err, "   <m:color color=\"#%02X%02X%02X\"/>\n", rgb[0], rgb[1],
                         rgb[2]))
            return -1;
    }
    return bytes_printf(text, err, "  </m:colorgroup>\n");
}

int threemf_model_head(struct bytes *text, const struct threemf_plan *plan, struct err *err)
{
    const struct export_plate *plate = plan->plate;
    if (bytes_printf(text, err,
                     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<model unit=\"millimeter\" xml:lang=\"en-US\""
                     " xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\""
                     " xmlns:m=\"http://schemas.microsoft.com/3dmanufacturing/material/2015/02\""
                     " xmlns:slic3rpe=\"http://schemas.slic3r.org/3mf/2017/06\""
                     " xmlns:statuette=\"urn:statuette:job:2026\">\n") ||
        put_labels(text, &plate->labels, err) || bytes_printf(text, err, " <resources>\n"))
        return -1;
    for (size_t i = 0; i < plan->palette_count; i++)
        if (put_palette(text, (unsigned)(plate->object_count + 1 + i),
                        plate->objects[plan->first_with[i]].palette, err))
            return -1;
    return 0;
}

static int put_part_number(struct bytes *text, const char *number, struct err *err)
{
    if (!number || !*number)
        return 0;
    return bytes_printf(text, err, " partnumber=\"") || xml_text(text, number, THREEMF_NAME, err) ||
                   bytes_printf(text, err, "\"")
               ? -1
               : 0;
}

static const char object_end[] = "    </triangles>\n   </mesh>\n  </object>\n";

int threemf_object_head(struct bytes *text, const struct threemf_plan *plan, size_t i,
                        struct err *err)
{
    const struct export_object *object = &plan->plate->objects[i];
    if (bytes_printf(text, err, "%s  <object id=\"%zu\" type=\"model\" name=\"",
                     i > 0 ? object_end : "", i + 1) ||
        xml_text(text, threemf_object_name(object), THREEMF_NAME, err) ||
        bytes_printf(text, err, "\"") || put_part_number(text, object->part_code, err) ||
        (object->palette && bytes_printf(text, err, " pid=\"%u\" pindex=\"%u\"",
                                         plan->palette_of[i], plan->common[i])))
        return -1;
    return bytes_printf(text, err, ">\n   <mesh>\n    <vertices>\n");
}

static int put_item(struct bytes *text, size_t id, const struct export_object *object,
                    struct err *err)
{
    char place[3 * NUMBER_ROOM + 4], *to = place;
    for (int k = 0; k < 3; k++) {
        *to++ = ' ';
        to += number_print_float(to, (float)object->place_mm[k]);
    }
    *to = 0;
    if (bytes_printf(text, err, "  <item objectid=\"%zu\" transform=\"1 0 0 0 1 0 0 0 1%s\"", id,
                     place) ||
        put_part_number(text, object->item_id, err))
        return -1;
    return bytes_printf(text, err, "/>\n");
}

int threemf_model_tail(struct bytes *text, const struct threemf_plan *plan, struct err *err)
{
    const struct export_plate *plate = plan->plate;
    if (bytes_printf(text, err, "%s </resources>\n <build>\n", object_end))
        return -1;
    for (size_t i = 0; i < plate->object_count; i++)
        if (put_item(text, i + 1, &plate->objects[i], err))
            return -1;
    return bytes_printf(text, err, " </build>\n</model>\n");
}
