/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/export: a plate of several objects is read back whole, by others and by ourselves. */
#include "base/png.h"
#include "print/export/verify_zip.h"
#include "tests/print/plates.h"
#include "tests/test.h"

#include <fcntl.h>
#include <omp.h>
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

/* 40,000 triangles are several chunks of each kind; colours and a second object make the cuts odd.
 */
static void test_plate__any_number_of_threads_gives_the_same_bytes(void)
{
    struct plate_made made;
    struct bytes one = {0}, many = {0};
    struct mesh large = {0};
    plate_make(&made, 2);
    add_ball(&large, 1, 2, 30, 30, 100);
    uint8_t *colours = malloc(large.triangle_count);
    CHECK(colours);
    for (size_t t = 0; t < large.triangle_count; t++)
        colours[t] = (uint8_t)(t / 7 % 3);
    made.ball_palette.of_triangle = colours;
    made.objects[1].mesh = &large;
    omp_set_num_threads(1);
    CHECK_OK(threemf_write_plate(&one, &made.plate, &err));
    for (int threads = 2; threads < 8; threads += 5) {
        omp_set_num_threads(threads);
        CHECK_OK(threemf_write_plate(&many, &made.plate, &err));
        CHECK(one.len == many.len && !memcmp(one.data, many.data, one.len));
        bytes_free(&many);
    }
    CHECK_OK(threemf_verify_plate(one.data, one.len, &made.plate, &err));
    colours[30000] ^= 1;
    CHECK_FAILS(threemf_verify_plate(one.data, one.len, &made.plate, &err), ERR_BUG);
    free(colours);
    mesh_free(&large);
    plate_free(&made);
    bytes_free(&one);
}

static void test_plate__a_file_gets_the_bytes_that_memory_gets(void)
{
    struct plate_made made;
    struct bytes memory = {0}, file = {0};
    char path[] = "/tmp/statuette-test-XXXXXX";
    int fd = mkstemp(path), none = open("/dev/full", O_WRONLY);
    plate_make(&made, 2);
    CHECK_OK(threemf_write_plate(&memory, &made.plate, &err));
    CHECK(fd >= 0 && write(fd, "before", 6) == 6);
    CHECK_OK(threemf_write_file(fd, &made.plate, &err));
    CHECK_OK(bytes_read_file(&file, path, &err));
    CHECK(file.len == memory.len + 6 && !memcmp(file.data + 6, memory.data, memory.len));
    if (none >= 0)
        CHECK_FAILS(threemf_write_file(none, &made.plate, &err), ERR_LATER);
    close(none);
    close(fd);
    unlink(path);
    plate_free(&made);
    bytes_free(&memory);
    bytes_free(&file);
}

/* One line in a list of values is one value, whatever a name says. */
static void test_plate__a_name_cannot_add_a_value(void)
{
    static const char *const parts[] = {"Metadata/Slic3r_PE_model.config",
                                        "Metadata/model_settings.config", "3D/3dmodel.model"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t lines[2] = {0};
        for (int hostile = 0; hostile < 2; hostile++) {
            struct plate_made made;
            struct bytes file = {0}, text = {0};
            struct verify_zip zip;
            plate_make(&made, 2 + hostile);
            CHECK_OK(threemf_write_plate(&file, &made.plate, &err));
            CHECK_OK(verify_zip_open(&zip, file.data, file.len, &err));
            CHECK_OK(verify_zip_read(&text, verify_zip_find(&zip, parts[i]), &err));
            for (size_t k = 0; k < text.len; k++) {
                lines[hostile] += text.data[k] == '\n';
                CHECK(text.data[k] == '\n' || text.data[k] >= 0x20);
            }
            CHECK(!strstr((char *)text.data, "\nfill_density"));
            CHECK(!strstr((char *)text.data, "\n; M104"));
            bytes_free(&file);
            bytes_free(&text);
            plate_free(&made);
        }
        CHECK(lines[0] == lines[1]);
    }
}

static void test_plate__refuses_what_is_no_value_and_no_part(void)
{
    static const struct export_setting settings[] = {
        {"fill density", "1"}, {"Fill", "1"},     {"", "1"},
        {NULL, "1"},           {"notes", NULL},   {"name", "a"},
        {"notes", "a\nb = c"}, {"notes", "a\rb"}, {"notes", "a\tb"},
        {"notes", "\x7f"}};
    static const char *const names[] = {"statuette.json",
                                        "Metadata/",
                                        "Metadata/../a.json",
                                        "Metadata/a/b.json",
                                        "Metadata/.json",
                                        "Metadata/a b.json",
                                        "Metadata/a.exe",
                                        "Metadata/a",
                                        "/Metadata/a.json",
                                        "Metadata/thumbnail.png",
                                        "metadata/a.json",
                                        "Metadata/Plate_1.png",
                                        "Metadata/slic3r_pe_model.config",
                                        "Metadata/statuette.json",
                                        "3D/other.model"};
    struct plate_made made;
    struct bytes out = {0};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        for (int orca = 0; orca < 2; orca++) {
            plate_make(&made, 2);
            *(orca ? &made.objects[1].orca : &made.objects[1].prusa) = &settings[i];
            *(orca ? &made.objects[1].orca_count : &made.objects[1].prusa_count) = 1;
            CHECK_FAILS(threemf_write_plate(&out, &made.plate, &err), ERR_INPUT);
            CHECK_TEXT(err.code, "export_refused");
            plate_free(&made);
        }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        plate_make(&made, 2);
        const struct export_part parts[] = {{"Metadata/statuette.json", "", 0, false},
                                            {names[i], "", 0, false}};
        made.plate.parts = parts;
        made.plate.part_count = 2;
        CHECK_FAILS(threemf_write_plate(&out, &made.plate, &err), ERR_INPUT);
        CHECK_TEXT(err.code, "export_refused");
        plate_free(&made);
    }
    plate_make(&made, 2);
    made.objects[2].place_mm[1] = NAN;
    CHECK_FAILS(threemf_write_plate(&out, &made.plate, &err), ERR_INPUT);
    made.plate.object_count = 0;
    CHECK_FAILS(threemf_write_plate(&out, &made.plate, &err), ERR_INPUT);
    CHECK(out.len == 0);
    plate_free(&made);
    bytes_free(&out);
}

/* The printer's list shows a picture of 128 pixels; what is transparent must not darken it. */
static void test_plate__the_small_picture_is_the_mean_of_the_large_one(void)
{
    struct plate_made made;
    struct bytes file = {0}, png = {0};
    struct picture small = {0};
    struct verify_zip zip;
    plate_make(&made, 2);
    for (size_t i = 0; i < sizeof made.pixels; i += 4) /* left half red, right half nothing */
        memcpy(made.pixels + i, i / 4 % 300 < 150 ? "\xc8\x10\x20\xff" : "\0\0\0\0", 4);
    CHECK_OK(threemf_write_plate(&file, &made.plate, &err));
    CHECK_OK(verify_zip_open(&zip, file.data, file.len, &err));
    CHECK_OK(verify_zip_read(&png, verify_zip_find(&zip, "Metadata/plate_1_small.png"), &err));
    CHECK_OK(png_decode(&small, NULL, png.data, png.len, 1 << 20, &err));
    CHECK(small.width == 128 && small.height == 128);
    for (uint32_t x = 0; x < 128; x++) {
        const uint8_t *p = small.rgba + 4 * (64 * 128 + x);
        CHECK(p[3] == (x < 64 ? 255 : 0));
        CHECK(p[3] == 0 || (p[0] == 0xc8 && p[1] == 0x10 && p[2] == 0x20));
    }
    picture_free(&small);
    bytes_free(&png);
    bytes_free(&file);
    plate_free(&made);
}

TESTS(TEST(test_plate__every_object_passes_the_strict_reader_bit_for_bit),
      TEST(test_plate__verify_takes_every_kind), TEST(test_plate__verify_finds_what_was_not_meant),
      TEST(test_plate__verify_finds_every_wrong_byte),
      TEST(test_plate__any_number_of_threads_gives_the_same_bytes),
      TEST(test_plate__a_file_gets_the_bytes_that_memory_gets),
      TEST(test_plate__a_name_cannot_add_a_value),
      TEST(test_plate__refuses_what_is_no_value_and_no_part),
      TEST(test_plate__the_small_picture_is_the_mean_of_the_large_one))
