/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small good file for each reader of outside bytes, made by our own writers where there is one.
 */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

#include <stdio.h>
#include <webp/encode.h>

#include "intake/photo_raw.h"
#include "print/export/export.h"
#include "print/slice/project.h"
#include "tests/print/meshes.h"
#include "tests/print/packed.h"
#include "tests/print/plates.h"
#include "tests/print/zips.h"

#define ORDER                                                                                      \
    "{\"external_id\":\"shop-17\",\"consent\":{\"text_version\":\"v1\",\"given_at\":"              \
    "\"2026-01-01T00:00:00Z\",\"photo_class\":\"pet\"},\"items\":[{\"template\":\"figure-80\","    \
    "\"photos\":[\"photo1\"],\"quantity\":2,\"height_mm\":81.5,\"name\":\"Zo\\u00eb\"}]}"

static inline int seed_order(struct bytes *out, struct err *err)
{
    return bytes_printf(out, err, "%s", ORDER);
}

static inline int seed_multipart(struct bytes *out, struct err *err)
{
    return bytes_printf(out, err,
                        "--xYz\r\nContent-Disposition: form-data; name=\"order\"\r\n"
                        "Content-Type: application/json\r\n\r\n%s\r\n--xYz\r\n"
                        "Content-Disposition: form-data; name=\"photo1\"; filename=\"a.jpg\"\r\n"
                        "\r\n\xff\xd8\xff--xY\r\n--xYz--\r\n",
                        ORDER);
}

static inline int seed_zip(struct bytes *out, struct err *err)
{
    static const char obj[] = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n";
    const struct zip_part parts[] = {
        {.name = "a/model.obj", .data = obj, .n = sizeof obj - 1, .is_deflated = true},
        {.name = "a/model.mtl", .data = obj, .n = 9},
        {.name = "b.obj", .data = obj, .n = sizeof obj - 1, .is_deflated = true, .is_wide = true}};
    return put_zip(out, parts, 3, 0, err);
}

static uint8_t pixels[24 * 16 * 4];

static inline struct picture picture_make(void)
{
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i / 7 + i);
    return (struct picture){pixels, 24, 16};
}

static inline int seed_png(struct bytes *out, struct err *err)
{
    struct picture p = picture_make();
    return png_encode(out, &p, 6, err);
}

static inline int seed_jpeg(struct bytes *out, struct err *err)
{
    struct picture p = picture_make();
    return photo_jpeg_encode(out, &p, 80, err);
}

static inline int seed_webp(struct bytes *out, struct err *err)
{
    struct picture p = picture_make();
    uint8_t *made = NULL;
    size_t n = WebPEncodeLosslessRGBA(p.rgba, 24, 16, 24 * 4, &made);
    int failed = n ? bytes_append(out, made, n, err) : FAIL(err, ERR_BUG, "no WebP was made");
    WebPFree(made);
    return failed;
}

static inline int seed_stl(struct bytes *out, struct err *err)
{
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 20, 30);
    int failed = stl_write(out, &m, "seed", err);
    mesh_free(&m);
    return failed;
}

static inline int seed_threemf(struct bytes *out, struct err *err)
{
    struct mesh m = {0};
    struct picture p = picture_make();
    add_box(&m, 0, 0, 0, 10, 20, 30);
    int failed = write_one(out,
                           ONE(.mesh = &m, .labels = &(struct export_labels){.title = "seed"},
                               .thumbnail = &p, .x_mm = 5, .y_mm = 5),
                           err);
    mesh_free(&m);
    return failed;
}

/* A whole plate, with pictures small enough that the dice meets other parts, too. */
static inline void plate_for_fuzz(struct plate_made *made)
{
    plate_make(made, 2);
    made->thumbnail.width = made->thumbnail.height = 8;
}

static inline int seed_plate(struct bytes *out, struct err *err)
{
    struct plate_made made;
    plate_for_fuzz(&made);
    int failed = threemf_write_plate(out, &made.plate, err);
    plate_free(&made);
    return failed;
}

/* Two objects with what our own part says of them: that part alone, or all of the 3MF. */
static inline int project_for_fuzz(struct bytes *out, bool whole, struct err *err)
{
    struct mesh box = {0};
    struct profile profile = {0};
    struct project project = {0};
    cJSON *own = cJSON_CreateObject();
    const struct export_labels labels = {.title = "seed", .printer_id = "ender3v3se"};
    struct project_object said[2];
    struct export_object objects[2];
    cJSON_AddNumberToObject(own, "infill_percent", 40);
    add_box(&box, -5, -10, 0, 10, 20, 30);
    for (int i = 0; i < 2; i++) {
        said[i] = (struct project_object){.name = "a",
                                          .settings = own,
                                          .triangles = 12,
                                          .size_mm = {10, 20, 30},
                                          .volume_mm3 = 6000,
                                          .place_mm = {50 + 60.0 * i, 110, 0}};
        objects[i] =
            (struct export_object){.mesh = &box, .name = "a", .place_mm = {50 + 60.0 * i, 110, 0}};
    }
    const struct project_input input = {
        .profile = &profile, .labels = &labels, .objects = said, .object_count = 2};
    int failed = profile_load(&profile, NULL, "ender3v3se", "pla", NULL, err) ||
                 project_make(&project, &input, err);
    const struct export_plate plate = {.objects = objects,
                                       .object_count = 2,
                                       .labels = labels,
                                       .parts = project.parts,
                                       .part_count = PROJECT_PARTS};
    if (!failed)
        failed = whole ? threemf_write_plate(out, &plate, err)
                       : bytes_append(out, project.parts[PROJECT_PARTS - 1].data,
                                      project.parts[PROJECT_PARTS - 1].bytes, err);
    project_free(&project);
    profile_free(&profile);
    cJSON_Delete(own);
    mesh_free(&box);
    return failed ? -1 : 0;
}

static inline int seed_set(struct bytes *out, struct err *err)
{
    return project_for_fuzz(out, true, err);
}

static inline int seed_own_part(struct bytes *out, struct err *err)
{
    return project_for_fuzz(out, false, err);
}

static inline int seed_words(struct bytes *out, struct err *err)
{
    return bytes_append(out, PLATE_HOSTILE, sizeof PLATE_HOSTILE - 1, err);
}

/* The corners, then the sides, as one line each. */
static inline int put_lines(struct bytes *out, const char *corner, const char *side, int from,
                            struct err *err)
{
    struct mesh m = {0};
    int failed = 0;
    add_box(&m, 0, 0, 0, 10, 20, 30);
    for (size_t v = 0; !failed && v < m.vertex_count; v++)
        failed = bytes_printf(out, err, "%s%g %g %g\n", corner, m.xyz[3 * v], m.xyz[3 * v + 1],
                              m.xyz[3 * v + 2]);
    for (size_t t = 0; !failed && t < m.triangle_count; t++)
        failed =
            bytes_printf(out, err, "%s%d %d %d\n", side, (int)m.triangles[3 * t] + from,
                         (int)m.triangles[3 * t + 1] + from, (int)m.triangles[3 * t + 2] + from);
    mesh_free(&m);
    return failed;
}

static inline int seed_obj(struct bytes *out, struct err *err)
{
    return bytes_printf(out, err, "# seed\no box\n") || put_lines(out, "v ", "f ", 1, err);
}

static inline int seed_off(struct bytes *out, struct err *err)
{
    return bytes_printf(out, err, "OFF\n8 12 0\n") || put_lines(out, "", "3 ", 0, err);
}

static inline int seed_ply(struct bytes *out, struct err *err)
{
    return bytes_printf(out, err,
                        "ply\nformat ascii 1.0\nelement vertex 8\nproperty float x\n"
                        "property float y\nproperty float z\nelement face 12\n"
                        "property list uchar int vertex_indices\nend_header\n") ||
           put_lines(out, "", "3 ", 0, err);
}

static inline int seed_glb(struct bytes *out, struct err *err)
{
    static const char json[] =
        "{\"asset\":{\"version\":\"2.0\"},\"scene\":0,\"scenes\":[{\"nodes\":[0]}],\"nodes\":["
        "{\"children\":[1],\"scale\":[1,2,1]},{\"mesh\":0,\"translation\":[1,2,3]}],\"meshes\":[{"
        "\"primitives\":[{\"attributes\":{\"POSITION\":0},\"indices\":1}]}],\"accessors\":[{"
        "\"bufferView\":0,\"componentType\":5126,\"count\":8,\"type\":\"VEC3\"},{\"bufferView\":1,"
        "\"componentType\":5125,\"count\":36,\"type\":\"SCALAR\"}],\"bufferViews\":[{\"buffer\":0,"
        "\"byteLength\":96},{\"buffer\":0,\"byteOffset\":96,\"byteLength\":144}],\"buffers\":[{"
        "\"byteLength\":240}]}";
    char text[((sizeof json + 3) & ~(size_t)3) + 1];
    snprintf(text, sizeof text, "%-*s", (int)sizeof text - 1, json);
    uint32_t n = (uint32_t)sizeof text - 1;
    const uint32_t head[] = {0x46546c67, 2, 28 + n + 240, n, 0x4e4f534a}, bin[] = {240, 0x4e4942};
    struct mesh m = {0};
    add_box(&m, 0, 0, 0, 10, 20, 30);
    int failed = bytes_append(out, head, sizeof head, err) || bytes_append(out, text, n, err) ||
                 bytes_append(out, bin, sizeof bin, err) || bytes_append(out, m.xyz, 96, err) ||
                 bytes_append(out, m.triangles, 144, err);
    mesh_free(&m);
    return failed;
}

static inline int seed_glb_draco(struct bytes *out, struct err *err)
{
    return put_glb_draco(out, 36, err);
}

static inline int seed_glb_meshopt(struct bytes *out, struct err *err)
{
    return put_glb_meshopt(out, err);
}

static inline int seed_glb_textured(struct bytes *out, struct err *err)
{
    struct bytes picture = {0};
    int failed =
        seed_jpeg(&picture, err) ||
        put_glb_textured(out, ",\"extensions\":{\"KHR_texture_transform\":{\"offset\":[0,1]}}",
                         ",\"baseColorFactor\":[1,0.5,0,1]", picture.data, picture.len, err);
    bytes_free(&picture);
    return failed;
}

static inline int seed_drc(struct bytes *out, struct err *err)
{
    return bytes_append(out, draco_box, sizeof draco_box, err);
}

/* With colours behind the coordinates. */
static inline int seed_ply_coloured(struct bytes *out, struct err *err)
{
    return bytes_printf(
        out, err,
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar "
        "blue\nelement face 1\nproperty list uchar int vertex_indices\nproperty float "
        "red\nend_header\n0 0 0 9 8 7\n1 0 0 0 0 0\n0 1 0 0 0 255\n3 0 1 2 0.5\n");
}

static inline int seed_provider(struct bytes *out, struct err *err)
{
    return bytes_printf(out, err,
                        "{\"uid\":\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"status\":"
                        "\"completed\",\"model_base64\":\"Z2xURgIAAAAMAAAA\",\"error_code\":1}");
}

/* One answer to all that the driver asks, with the HTTP head that the dice may spoil too; and with
 * a count that no int can hold. */
static inline int seed_printer(struct bytes *out, struct err *err)
{
    return bytes_printf(
        out, err,
        "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"state\":{\"text\":"
        "\"Printing\",\"flags\":{\"operational\":true,\"printing\":true,\"ready\":false}},"
        "\"temperature\":{\"tool0\":{\"actual\":209.8,\"target\":210},\"bed\":{\"actual\":60,"
        "\"target\":60}},\"job\":{\"file\":{\"path\":\"a.gcode\"}},\"progress\":{\"completion\":"
        "41.5},\"prints\":{\"success\":1e300,\"failure\":0,\"last\":{\"success\":true}}}");
}

/* Two lines of each sort that a print has, and an arc. */
static inline int seed_gcode(struct bytes *out, struct err *err)
{
    return bytes_printf(
        out, err,
        ";TIME:60\n;Filament used: 0.002m\n;Layer height: 0.2\nM140 S55\nM190 S55\nM109 S200 ; "
        "wait\nG28\nM117 hello\nG1 X-2.1 Y20 Z0.28 F5000\nG1 Y145 E15 F1500\nG92 "
        "E0\n;LAYER_COUNT:2\n;LAYER:0\nM106 S255\n;TYPE:WALL-OUTER\nG0 F9000 X100 Y100 Z0.2\nG1 "
        "F1800 X110 Y100 E0.333\nG2 X110 Y110 I5 J5 E0.666\nG1 F2400 E-0.1\n;LAYER:1\nG0 "
        "Z0.4\nM83\nG1 X110.5 Y-99.25 E.333\nG91\nG1 Z10 E-2\nG90\nSTART_PRINT EXTRUDER_TEMP=200 "
        "BED_TEMP=50\nM104 S0\nM140 S0\nM84 X Y E\n;LAYER_CHANGE\n;Z:0.6\n; filament used [mm] = "
        "2\n; estimated printing time (normal mode) = 1d 2h 3m 4s\n");
}

#endif
