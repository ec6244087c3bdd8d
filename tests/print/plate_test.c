/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/export: a plate of several objects is read back whole, by others and by ourselves. */
#include "base/child.h"
#include "tests/print/plates.h"
#include "tests/test.h"

#include <fcntl.h>
#include <unistd.h>

static struct err err;

static int same_mesh(const struct mesh *a, const struct mesh *b)
{
    return a->vertex_count == b->vertex_count && a->triangle_count == b->triangle_count &&
           !memcmp(a->xyz, b->xyz, a->vertex_count * 12) &&
           !memcmp(a->triangles, b->triangles, a->triangle_count * 12);
}

static int same_colours(const struct threemf_object *read, const struct export_palette *palette)
{
    for (size_t t = 0; t < read->mesh.triangle_count; t++)
        if (memcmp(read->rgb[t], palette->rgb[palette->of_triangle[t]], 3) != 0)
            return 0;
    return 1;
}

static void test_plate__every_object_passes_the_strict_reader_bit_for_bit(void)
{
    for (int kind = 0; kind < PLATE_KINDS; kind++) {
        struct plate_made made;
        struct bytes file = {0};
        struct threemf_objects back;
        plate_make(&made, kind);
        CHECK_OK(threemf_write_plate(&file, &made.plate, &err));
        CHECK_OK(threemf_read_objects(&back, file.data, file.len, &err));
        CHECK(back.count == made.plate.object_count);
        for (size_t i = 0; i < back.count; i++) {
            const struct threemf_object *read = &back.at[i];
            const struct export_object *object = &made.objects[i];
            CHECK(same_mesh(&read->mesh, object->mesh));
            CHECK(!read->rgb == !object->palette);
            CHECK(!read->rgb || same_colours(read, object->palette));
            for (int k = 0; k < 12; k++)
                CHECK(read->transform[k / 4][k % 4] == (k % 4 == 3 ? (float)object->place_mm[k / 4]
                                                        : k % 5 == 0 ? 1
                                                                     : 0));
            if (kind != 2)
                continue;
            CHECK_TEXT(read->name, object->name ? object->name : "figure");
            CHECK_TEXT(read->item_id, object->item_id ? object->item_id : "");
            CHECK_TEXT(read->part_code, object->part_code ? object->part_code : "");
        }
        threemf_objects_free(&back);
        bytes_free(&file);
        plate_free(&made);
    }
}

static void test_plate__verify_takes_every_kind(void)
{
    for (int kind = 0; kind < PLATE_KINDS; kind++) {
        struct plate_made made;
        struct bytes file = {0};
        plate_make(&made, kind);
        CHECK_OK(threemf_write_plate(&file, &made.plate, &err));
        CHECK_OK(threemf_verify_plate(file.data, file.len, &made.plate, &err));
        bytes_free(&file);
        plate_free(&made);
    }
}

/* Whatever is said of a plate is looked at: each thing changed alone is found. */
static void test_plate__verify_finds_what_was_not_meant(void)
{
    struct plate_made made, other;
    struct bytes file = {0};
    plate_make(&made, 2);
    CHECK_OK(threemf_write_plate(&file, &made.plate, &err));
    const struct export_setting setting = {"fill_density", "41%"};
    struct export_part parts[3];
    memcpy(parts, made.plate.parts, sizeof parts);
    for (int change = 0;; change++) {
        plate_make(&other, 2);
        struct export_object *o = &other.objects[change % 3];
        struct export_palette palette = made.box_palette;
        uint8_t rgb[3][3] = {{255, 255, 255}, {16, 32, 48}, {200, 0, 101}};
        const char **labels[] = {&other.plate.labels.title,        &other.plate.labels.order_id,
                                 &other.plate.labels.item_id,      &other.plate.labels.printer_id,
                                 &other.plate.labels.material_id,  &other.plate.labels.version_hash,
                                 &other.plate.labels.created,      &other.plate.labels.modified,
                                 &other.plate.labels.part_code,    &other.plate.labels.process_id,
                                 &other.plate.labels.profile_hash, &other.plate.labels.designer,
                                 &other.plate.labels.description,  &other.plate.labels.copyright,
                                 &other.plate.labels.license};
        const int label_count = sizeof labels / sizeof *labels;
        other.plate.parts = parts;
        switch (change) {
        case 0 ... 2:
            o->name = "another";
            break;
        case 3 ... 5:
            o->place_mm[2] += 1e-3;
            break;
        case 6 ... 8:
            o->item_id = "itm_2";
            break;
        case 9 ... 11:
            o->part_code = "P-0002";
            break;
        case 12 ... 14:
            o->prusa = &setting;
            o->prusa_count = 1;
            break;
        case 15 ... 17:
            o->orca = &setting;
            o->orca_count = 1;
            break;
        case 18:
            other.of_box[3] = 2;
            break;
        case 19:
            palette.rgb = (const uint8_t(*)[3])rgb;
            o = &other.objects[0];
            o->palette = &palette;
            break;
        case 20:
            palette.count = 2;
            palette.of_triangle = other.of_ball;
            other.objects[1].palette = &palette;
            break;
        case 21:
            other.objects[2].palette = &palette;
            break;
        case 22:
            other.objects[0].palette = NULL;
            break;
        case 23:
            other.pixels[777] ^= 255;
            break;
        case 24:
            other.plate.thumbnail = NULL;
            break;
        case 25:
            parts[0].data = "{\"order\":\"ord_2\"}\n";
            break;
        case 26:
            parts[0].data = made.plate.parts[0].data;
            parts[0].must_preserve = false;
            break;
        case 27:
            parts[0].must_preserve = true;
            other.plate.part_count = 2;
            break;
        case 28:
            other.plate.object_count = 2;
            break;
        case 29:
            other.small.triangle_count--;
            break;
        case 30:
            other.ball.xyz[100] = nextafterf(other.ball.xyz[100], 100);
            break;
        default:
            if (change - 31 < 2 * label_count)
                *labels[(change - 31) / 2] = change % 2 ? NULL : "words & <signs";
        }
        if (change - 31 >= 2 * label_count)
            break;
        if (threemf_verify_plate(file.data, file.len, &other.plate, &err) != -1 ||
            err.kind != ERR_BUG)
            TEST_GIVE_UP("change %d was not found", change);
        plate_free(&other);
    }
    plate_free(&other);
    plate_free(&made);
    bytes_free(&file);
}

/* A wrong bit is found wherever it stands, a missing end too. */
static void test_plate__verify_finds_every_wrong_byte(void)
{
    struct plate_made made;
    struct bytes file = {0};
    plate_make(&made, 2);
    int padded = 0;
    made.thumbnail.width = made.thumbnail.height = 16;
    made.plate.object_count = 1;
    CHECK_OK(threemf_write_plate(&file, &made.plate, &err));
    CHECK_OK(threemf_verify_plate(file.data, file.len, &made.plate, &err));
    for (size_t i = 0; i < file.len; i++) {
        file.data[i] ^= 4;
        if (threemf_verify_plate(file.data, file.len, &made.plate, &err) == 0) {
            struct threemf_objects back;
            CHECK(++padded < 9); /* deflate fills its last byte with bits that nobody reads */
            CHECK_OK(threemf_read_objects(&back, file.data, file.len, &err));
            CHECK(same_mesh(&back.at[0].mesh, &made.box));
            threemf_objects_free(&back);
        }
        file.data[i] ^= 4;
    }
    for (size_t n = 0; n < file.len; n += 3)
        CHECK(threemf_verify_plate(file.data, n, &made.plate, &err) == -1);
    plate_free(&made);
    bytes_free(&file);
}

TESTS(TEST(test_plate__every_object_passes_the_strict_reader_bit_for_bit),
      TEST(test_plate__verify_takes_every_kind), TEST(test_plate__verify_finds_what_was_not_meant),
      TEST(test_plate__verify_finds_every_wrong_byte))
