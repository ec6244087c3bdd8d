/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing 3MF as text through our own zip: lib3mf 1.8.1 cannot declare a metadata namespace, and
 * printing shortest numbers ourselves halves the time. Called by the export step.
 */
#include <string.h>

#include "base/version.h"
#include "print/export/export.h"
#include "print/export/mesh_check.h"
#include "print/export/number.h"
#include "print/export/packer.h"
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

/* Everything before the first vertex. lib3mf 1.8.1 warns of metadatagroup and of preserve. */
static int make_head(struct bytes *text, const struct export_labels *labels, struct err *err)
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
    if (bytes_printf(text, err, " <resources>\n  <object id=\"1\" type=\"model\" name=\"") ||
        xml_text(text, name ? name : "figure", 100, err))
        return -1;
    return bytes_printf(text, err, "\">\n   <mesh>\n    <vertices>\n");
}

/* Collects lines and hands them to deflate 64 KiB at a time. */
struct lines {
    struct packer *zip;
    size_t used;
    char text[65536];
};

#define LINE_ROOM (4 * NUMBER_ROOM)

static int lines_flush(struct lines *lines, struct err *err)
{
    size_t used = lines->used;
    lines->used = 0;
    return packer_part_write(lines->zip, lines->text, used, err);
}

static char *put_literal(char *to, const char *text, size_t n)
{
    memcpy(to, text, n);
    return to + n;
}
#define LITERAL(to, text) put_literal((to), (text), sizeof(text) - 1)

static int put_vertices(struct lines *lines, const struct mesh *mesh, struct err *err)
{
    for (size_t i = 0; i < mesh->vertex_count; i++) {
        if (lines->used + LINE_ROOM > sizeof lines->text && lines_flush(lines, err))
            return -1;
        const float *p = mesh->xyz + 3 * i;
        char *to = LITERAL(lines->text + lines->used, "<vertex x=\"");
        to += number_print_float(to, p[0]);
        to = LITERAL(to, "\" y=\"");
        to += number_print_float(to, p[1]);
        to = LITERAL(to, "\" z=\"");
        to += number_print_float(to, p[2]);
        to = LITERAL(to, "\"/>\n");
        lines->used = (size_t)(to - lines->text);
    }
    return lines_flush(lines, err);
}

static int put_triangles(struct lines *lines, const struct mesh *mesh, struct err *err)
{
    for (size_t i = 0; i < mesh->triangle_count; i++) {
        if (lines->used + LINE_ROOM > sizeof lines->text && lines_flush(lines, err))
            return -1;
        const uint32_t *v = mesh->triangles + 3 * i;
        char *to = LITERAL(lines->text + lines->used, "<triangle v1=\"");
        to += number_print_uint(to, v[0]);
        to = LITERAL(to, "\" v2=\"");
        to += number_print_uint(to, v[1]);
        to = LITERAL(to, "\" v3=\"");
        to += number_print_uint(to, v[2]);
        to = LITERAL(to, "\"/>\n");
        lines->used = (size_t)(to - lines->text);
    }
    return lines_flush(lines, err);
}

static size_t make_build(char out[512], double x_mm, double y_mm)
{
    static const char head[] = "    </triangles>\n   </mesh>\n  </object>\n </resources>\n"
                               " <build>\n  <item objectid=\"1\" transform=\"1 0 0 0 1 0 0 0 1 ";
    char *to = put_literal(out, head, sizeof head - 1);
    to += number_print_float(to, (float)x_mm);
    *to++ = ' ';
    to += number_print_float(to, (float)y_mm);
    to = LITERAL(to, " 0\"/>\n </build>\n</model>\n");
    return (size_t)(to - out);
}

static int put_model(struct packer *zip, const struct mesh *mesh,
                     const struct export_labels *labels, double x_mm, double y_mm, struct err *err)
{
    static const char between[] = "    </vertices>\n    <triangles>\n";
    struct lines lines = {.zip = zip};
    struct bytes head = {0};
    char build[512];
    size_t build_bytes = make_build(build, x_mm, y_mm);
    int failed = make_head(&head, labels, err) || packer_part_open(zip, "3D/3dmodel.model", err) ||
                 packer_part_write(zip, head.data, head.len, err) ||
                 put_vertices(&lines, mesh, err) ||
                 packer_part_write(zip, between, sizeof between - 1, err) ||
                 put_triangles(&lines, mesh, err) ||
                 packer_part_write(zip, build, build_bytes, err) || packer_part_close(zip, err);
    bytes_free(&head);
    return failed ? -1 : 0;
}

int threemf_write(struct bytes *out, const struct mesh *mesh, const struct export_labels *labels,
                  const struct picture *thumbnail, double place_x_mm, double place_y_mm,
                  struct err *err)
{
    static const struct export_labels none;
    bool pictured = thumbnail && thumbnail->rgba;
    struct packer zip = {.out = out, .start = out->len};
    if (mesh_check_writable(mesh, true, err))
        return -1;
    if (put_part(&zip, "[Content_Types].xml", content_types, sizeof content_types - 1, err) ||
        put_rels(&zip, pictured, err) || (pictured && put_thumbnail(&zip, thumbnail, err)) ||
        put_model(&zip, mesh, labels ? labels : &none, place_x_mm, place_y_mm, err) ||
        packer_close(&zip, err)) {
        packer_abandon(&zip);
        return -1;
    }
    return 0;
}
