/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing 3MF as text through our own zip: lib3mf 1.8.1 cannot declare a metadata namespace, and
 * printing shortest numbers ourselves halves the time. Called by the export step.
 */
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "print/export/export.h"
#include "print/export/mesh_check.h"
#include "print/export/number.h"
#include "print/export/packer.h"
#include "print/export/threemf_body.h"
#include "print/export/xml.h"

#define THUMBNAIL "Metadata/thumbnail.png"
#define RELATION "http://schemas.openxmlformats.org/package/2006/relationships"

static const char content_types[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\n"
    " <Default Extension=\"rels\""
    " ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\n"
    " <Default Extension=\"model\""
    " ContentType=\"application/vnd.ms-package.3dmanufacturing-3dmodel+xml\"/>\n"
    " <Default Extension=\"png\" ContentType=\"image/png\"/>\n"
    "</Types>\n";

static const char rels_head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Relationships xmlns=\"" RELATION "\">\n"
    " <Relationship Target=\"/3D/3dmodel.model\" Id=\"model\""
    " Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel\"/>\n";
static const char rels_thumbnail[] = " <Relationship Target=\"/" THUMBNAIL "\" Id=\"thumbnail\""
                                     " Type=\"" RELATION "/metadata/thumbnail\"/>\n";

static int put_part(struct packer *zip, const char *name, const void *data, size_t n,
                    struct err *err)
{
    if (packer_part_open(zip, name, err) || packer_part_write(zip, data, n, err))
        return -1;
    return packer_part_close(zip, err);
}

static int put_rels(struct packer *zip, bool thumbnail, struct err *err)
{
    char text[1024] = "";
    strcat(text, rels_head);
    if (thumbnail)
        strcat(text, rels_thumbnail);
    strcat(text, "</Relationships>\n");
    return put_part(zip, "_rels/.rels", text, strlen(text), err);
}

static int put_thumbnail(struct packer *zip, const struct picture *picture, struct err *err)
{
    struct bytes png = {.limit = 16 << 20};
    int failed =
        png_encode(&png, picture, 6, err) || put_part(zip, THUMBNAIL, png.data, png.len, err);
    bytes_free(&png);
    return failed ? -1 : 0;
}

static int put_metadata(struct bytes *text, const char *name, const char *value, struct err *err)
{
    if (!value || !*value)
        return 0;
    if (bytes_printf(text, err, " <metadata name=\"%s\">", name) || xml_text(text, value, 200, err))
        return -1;
    return bytes_printf(text, err, "</metadata>\n");
}

static int put_palette(struct bytes *text, const struct export_palette *palette, struct err *err)
{
    if (bytes_printf(text, err, "  <basematerials id=\"%d\">\n", THREEMF_PALETTE))
        return -1;
    for (size_t i = 0; i < palette->count; i++) {
        const uint8_t *rgb = palette->rgb[i];
        char number[32];
        snprintf(number, sizeof number, "colour %zu", i + 1);
        const char *name = palette->names ? palette->names[i] : NULL;
        if (bytes_printf(text, err, "   <base name=\"") ||
            xml_text(text, name && *name ? name : number, 60, err) ||
            bytes_printf(text, err, "\" displaycolor=\"#%02X%02X%02X\"/>\n", rgb[0], rgb[1],
                         rgb[2]))
            return -1;
    }
    return bytes_printf(text, err, "  </basematerials>\n");
}

/* Everything before the first vertex. lib3mf 1.8.1 warns of metadatagroup and of preserve. */
static int make_head(struct bytes *text, const struct export_labels *labels,
                     const struct export_palette *palette, unsigned common, struct err *err)
{
    const struct {
        const char *name, *value;
    } metadata[] = {{"Title", labels->title},
                    {"Application", "Statuette " STATUETTE_VERSION},
                    {"CreationDate", labels->created},
                    {"statuette:OrderId", labels->order_id},
                    {"statuette:ItemId", labels->item_id},
                    {"statuette:Printer", labels->printer_id},
                    {"statuette:Material", labels->material_id},
                    {"statuette:VersionHash", labels->version_hash}};
    const char *name = labels->object_name ? labels->object_name : labels->title;
    if (bytes_printf(text, err,
                     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<model unit=\"millimeter\" xml:lang=\"en-US\""
                     " xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\""
                     " xmlns:statuette=\"urn:statuette:job:2026\">\n"))
        return -1;
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++)
        if (put_metadata(text, metadata[i].name, metadata[i].value, err))
            return -1;
    if (bytes_printf(text, err, " <resources>\n") || (palette && put_palette(text, palette, err)) ||
        bytes_printf(text, err, "  <object id=\"1\" type=\"model\" name=\"") ||
        xml_text(text, name ? name : "figure", 100, err) ||
        (palette && bytes_printf(text, err, "\" pid=\"%d\" pindex=\"%u", THREEMF_PALETTE, common)))
        return -1;
    return bytes_printf(text, err, "\">\n   <mesh>\n    <vertices>\n");
}

static size_t make_build(char out[512], double x_mm, double y_mm)
{
    static const char head[] = "    </triangles>\n   </mesh>\n  </object>\n </resources>\n"
                               " <build>\n  <item objectid=\"1\" transform=\"1 0 0 0 1 0 0 0 1 ";
    char *to = out;
    memcpy(to, head, sizeof head - 1);
    to += sizeof head - 1;
    to += number_print_float(to, (float)x_mm);
    *to++ = ' ';
    to += number_print_float(to, (float)y_mm);
    return (size_t)(to - out) + (size_t)sprintf(to, " 0\"/>\n </build>\n</model>\n");
}

static int put_model(struct packer *zip, const struct mesh *mesh,
                     const struct export_palette *palette, const struct export_labels *labels,
                     double x_mm, double y_mm, struct err *err)
{
    struct bytes head = {0};
    char build[512];
    size_t build_bytes = make_build(build, x_mm, y_mm);
    unsigned common = palette ? threemf_commonest(palette, mesh->triangle_count) : 0;
    int failed = make_head(&head, labels, palette, common, err) ||
                 packer_part_open(zip, "3D/3dmodel.model", err) ||
                 threemf_put_body(zip, &head, mesh, palette, common, err) ||
                 packer_part_write(zip, build, build_bytes, err) || packer_part_close(zip, err);
    bytes_free(&head);
    return failed ? -1 : 0;
}

static int check_palette(const struct export_palette *palette, const struct mesh *mesh,
                         struct err *err)
{
    unsigned highest = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        highest = palette->of_triangle[t] > highest ? palette->of_triangle[t] : highest;
    if (palette->count == 0 || palette->count > 256 || highest >= palette->count)
        return FAIL_CODE(err, ERR_INPUT, "mesh_damaged", "a triangle has colour %u of %zu", highest,
                         palette->count);
    return 0;
}

int threemf_write_coloured(struct bytes *out, const struct mesh *mesh,
                           const struct export_palette *palette, const struct export_labels *labels,
                           const struct picture *thumbnail, double place_x_mm, double place_y_mm,
                           struct err *err)
{
    static const struct export_labels none;
    bool pictured = thumbnail && thumbnail->rgba;
    struct packer zip = {.out = out, .start = out->len};
    if (mesh_check_writable(mesh, true, err) || (palette && check_palette(palette, mesh, err)))
        return -1;
    if (put_part(&zip, "[Content_Types].xml", content_types, sizeof content_types - 1, err) ||
        put_rels(&zip, pictured, err) || (pictured && put_thumbnail(&zip, thumbnail, err)) ||
        put_model(&zip, mesh, palette, labels ? labels : &none, place_x_mm, place_y_mm, err) ||
        packer_close(&zip, err)) {
        packer_abandon(&zip);
        return -1;
    }
    return 0;
}

int threemf_write(struct bytes *out, const struct mesh *mesh, const struct export_labels *labels,
                  const struct picture *thumbnail, double place_x_mm, double place_y_mm,
                  struct err *err)
{
    return threemf_write_coloured(out, mesh, NULL, labels, thumbnail, place_x_mm, place_y_mm, err);
}
