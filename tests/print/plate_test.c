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

TESTS(TEST(test_plate__every_object_passes_the_strict_reader_bit_for_bit))
