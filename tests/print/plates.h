/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plates of every kind that is exported, for all who look at the files. */
#ifndef TESTS_PRINT_PLATES_H
#define TESTS_PRINT_PLATES_H

#include "print/export/export.h"
#include "tests/print/meshes.h"

#define PLATE_KINDS                                                                                \
    4 /* bare cube, coloured box, three objects with all there is, hostile texts                   \
       */

struct plate_made {
    struct mesh box, ball, small;
    uint8_t of_box[12], of_ball[1000], pixels[300 * 300 * 4];
    struct picture thumbnail;
    struct export_palette box_palette, ball_palette;
    struct export_object objects[3];
    struct export_plate plate;
};

static inline void plate_free(struct plate_made *made)
{
    mesh_free(&made->box);
    mesh_free(&made->ball);
    mesh_free(&made->small);
}

/* A line end and what would be a value, markup, broken UTF-8, and more than fits. */
#define PLATE_HOSTILE                                                                              \
    "a\nfill_density = 99%\r\n; M104 S300\"/><metadata type=\"object\" key=\"x\" value=\"&amp;"    \
    "\xff\xc3(\xed\xa0\x80]]>\t<!--\x01 "                                                          \
    "0123456789012345678901234567890123456789012345678901234567"

static inline void plate_fill(struct plate_made *made)
{
    static const uint8_t rgb[3][3] = {{255, 255, 255}, {16, 32, 48}, {200, 0, 100}};
    add_box(&made->box, -10, -10, 0, 20, 20, 20);
    add_ball(&made->ball, 0, 0, 12.3456789, 12.3456789, 15);
    add_box(&made->small, -3, -2, 0, 6, 4, 5);
    for (size_t t = 0; t < 12; t++)
        made->of_box[t] = (uint8_t)(t % 3);
    for (size_t t = 0; t < made->ball.triangle_count; t++)
        made->of_ball[t] = t % 5 == 0;
    for (size_t i = 0; i < sizeof made->pixels; i++)
        made->pixels[i] = (uint8_t)(i % 4 == 3 ? (i / 1200 % 2 ? 255 : 0) : i / 400);
    made->thumbnail = (struct picture){made->pixels, 300, 300};
    made->box_palette = (struct export_palette){3, rgb, made->of_box};
    made->ball_palette = (struct export_palette){3, rgb, made->of_ball};
}

static inline void plate_full(struct plate_made *made, const char *odd)
{
    static const struct export_setting prusa[] = {{"fill_density", "40%"}, {"perimeters", "3"}},
                                       orca[] = {{"sparse_infill_density", "40%"},
                                                 {"wall_loops", "3"},
                                                 {"notes", "a \"b\" <c> & 'd'"}};
    static const struct export_part parts[] = {
        {"Metadata/statuette.json", "{\"order\":\"ord_1\"}\n", 18, true},
        {"Metadata/Slic3r_PE.config", "; a\n\n; layer_height = 0.2\n", 26, false},
        {"Metadata/empty.txt", "", 0, false}};
    made->objects[0] = (struct export_object){.mesh = &made->box,
                                              .palette = &made->box_palette,
                                              .name = odd ? odd : "figure \xc3\x84nne",
                                              .item_id = odd ? odd : "itm_1",
                                              .part_code = odd ? odd : "P-0001",
                                              .place_mm = {60.5, 61.25, 0},
                                              .prusa = prusa,
                                              .prusa_count = 2,
                                              .orca = orca,
                                              .orca_count = 3};
    made->objects[1] = (struct export_object){.mesh = &made->ball,
                                              .palette = &made->ball_palette,
                                              .name = "base",
                                              .place_mm = {120.1, 60, 0.125}};
    made->objects[2] = (struct export_object){.mesh = &made->small,
                                              .item_id = "itm_3",
                                              .place_mm = {-1.5, 150, 0},
                                              .prusa = prusa,
                                              .prusa_count = 1};
    const char *own = odd ? odd : "words & <signs>";
    made->plate.object_count = 3;
    made->plate.thumbnail = &made->thumbnail;
    made->plate.parts = parts;
    made->plate.part_count = 3;
    made->plate.labels = (struct export_labels){.title = own,
                                                .order_id = own,
                                                .item_id = own,
                                                .printer_id = own,
                                                .material_id = own,
                                                .version_hash = own,
                                                .created = "2026-11-21",
                                                .modified = "2026-11-22T10:00:00Z",
                                                .part_code = own,
                                                .process_id = own,
                                                .profile_hash = own,
                                                .designer = own,
                                                .description = own,
                                                .copyright = own,
                                                .license = own};
}

/* The caller calls plate_free. */
static inline void plate_make(struct plate_made *made, int kind)
{
    memset(made, 0, sizeof *made);
    plate_fill(made);
    made->objects[0] = (struct export_object){.mesh = &made->box, .place_mm = {110, 110, 0}};
    if (kind == 1)
        made->objects[0].palette = &made->box_palette;
    made->plate = (struct export_plate){.objects = made->objects, .object_count = 1};
    if (kind == 1)
        made->plate.labels.title = "Ana & \"Bo\" <3";
    if (kind >= 2)
        plate_full(made, kind == 3 ? PLATE_HOSTILE : NULL);
}

/* A plate of one thing, in few words. */
struct plate_one {
    const struct mesh *mesh;
    const struct export_palette *palette;
    const struct export_labels *labels;
    const struct picture *thumbnail;
    double x_mm, y_mm;
};
#define ONE(...) (&(const struct plate_one){__VA_ARGS__})

static inline struct export_plate plate_of_one(struct export_object *object,
                                               const struct plate_one *one)
{
    struct export_plate plate = {.objects = object, .object_count = 1, .thumbnail = one->thumbnail};
    *object = (struct export_object){.mesh = one->mesh,
                                     .palette = one->palette,
                                     .name = "figure\x01 1",
                                     .place_mm = {one->x_mm, one->y_mm, 0}};
    if (one->labels)
        plate.labels = *one->labels;
    return plate;
}

static inline int write_one(struct bytes *out, const struct plate_one *one, struct err *err)
{
    struct export_object object;
    struct export_plate plate = plate_of_one(&object, one);
    return threemf_write_plate(out, &plate, err);
}

static inline int verify_one(const struct bytes *file, size_t n, const struct plate_one *one,
                             struct err *err)
{
    struct export_object object;
    struct export_plate plate = plate_of_one(&object, one);
    return threemf_verify_plate(file->data, n, &plate, err);
}

#endif
