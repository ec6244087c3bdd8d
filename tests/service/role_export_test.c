/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service/role_export: a 3MF gets its name only when what was read back is what was written, and
 * measures what the report says. */
#include "service/role_own.h"

#include <unistd.h>

#include "tests/print/meshes.h"
#include "tests/test.h"

static struct err err;
static char folder[40];

struct made {
    struct ask ask;
    struct mesh figure, base;
    struct export_object objects[2];
    const cJSON *settings[2];
    struct role_plate plate;
    cJSON *own;
};

/* A box of 20 x 20 x 30 mm and one of 40 x 40 x 3 beside it, with settings on the first. */
static int make(struct made *m)
{
    *m = (struct made){0};
    snprintf(folder, sizeof folder, "/tmp/role-export-XXXXXX");
    if (!mkdtemp(folder) || chdir(folder) ||
        profile_load(&m->ask.profile, NULL, "ender3v3se", "pla", NULL, &err))
        return -1;
    add_box(&m->figure, -10, -10, 0, 20, 20, 30);
    add_box(&m->base, -20, -20, 0, 40, 40, 3);
    m->own = cJSON_CreateObject();
    cJSON_AddNumberToObject(m->own, "wall_count", 4);
    m->settings[0] = m->own;
    m->objects[0] =
        (struct export_object){.mesh = &m->figure, .name = "figure", .place_mm = {80, 110, 0}};
    m->objects[1] =
        (struct export_object){.mesh = &m->base, .name = "base", .place_mm = {116, 110, 0}};
    m->plate = (struct role_plate){.objects = m->objects, .settings = m->settings, .count = 2};
    m->plate.labels = role_labels(&m->ask);
    m->plate.labels.title = "two";
    return role_plate_write(&m->plate, &m->ask, &err);
}

static void drop(struct made *m)
{
    role_plate_free(&m->plate);
    mesh_free(&m->figure);
    mesh_free(&m->base);
    profile_free(&m->ask.profile);
    cJSON_Delete(m->own);
    if (chdir("/") == 0)
        folder_remove(folder);
}

/* What mesh_prep would say of the two. */
static cJSON *measures(double triangles, double volume_mm3, double width_mm)
{
    const double size[3] = {width_mm, 40, 30};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "triangles", triangles);
    cJSON_AddNumberToObject(o, "vertices", 16);
    cJSON_AddNumberToObject(o, "shells", 2);
    cJSON_AddNumberToObject(o, "boundary_edges", 0);
    cJSON_AddNumberToObject(o, "nonmanifold_edges", 0);
    cJSON_AddNumberToObject(o, "nonmanifold_vertices", 0);
    cJSON_AddNumberToObject(o, "inconsistent_edges", 0);
    cJSON_AddNumberToObject(o, "volume_mm3", volume_mm3);
    cJSON_AddNumberToObject(o, "area_mm2", 2 * 400 + 4 * 600 + 2 * 1600 + 4 * 120);
    cJSON_AddItemToObject(o, "size_mm", cJSON_CreateDoubleArray(size, 3));
    return o;
}

static void test_role_export__what_reads_back_the_same_is_named(void)
{
    struct made m;
    CHECK_OK(make(&m));
    cJSON *output = measures(24, 12000 + 4800, 66);
    CHECK(access("out.3mf", F_OK) != 0);
    CHECK_OK(role_plate_finish(&m.plate, "out.3mf", output, &err));
    CHECK(access("out.3mf", F_OK) == 0);
    CHECK(strlen(m.plate.labels.profile_hash) == 64);
    CHECK(m.objects[0].prusa_count == 1 && m.objects[1].prusa_count == 0);
    cJSON_Delete(output);
    drop(&m);
}

/* Each measure by which the file could be another thing than the one that was judged. */
static void test_role_export__what_measures_otherwise_is_not_named(void)
{
    const double wrong[][3] = {{23, 16800, 66}, {24, 16801, 66}, {24, 16800, 66.01}};
    for (size_t i = 0; i < 3; i++) {
        struct made m;
        CHECK_OK(make(&m));
        cJSON *output = measures(wrong[i][0], wrong[i][1], wrong[i][2]);
        CHECK_FAILS(role_plate_finish(&m.plate, "out.3mf", output, &err), ERR_BUG);
        CHECK_TEXT(err.code, "export_differs");
        CHECK(access("out.3mf", F_OK) != 0);
        cJSON_Delete(output);
        drop(&m);
    }
}

/* Our own reader looks at words, too: another title than the one that is in the file. */
static void test_role_export__what_says_otherwise_is_not_named(void)
{
    struct made m;
    CHECK_OK(make(&m));
    m.plate.plate.labels.title = "three";
    CHECK_FAILS(role_plate_finish(&m.plate, "out.3mf", NULL, &err), ERR_BUG);
    CHECK(access("out.3mf", F_OK) != 0);
    drop(&m);
}

/* A file that is not finished: the thread that reads it is waited for, not left behind. */
static void test_role_export__is_given_up_cleanly(void)
{
    struct made m;
    CHECK_OK(make(&m));
    drop(&m);
    CHECK(!m.plate.running && !m.plate.file.data);
}

TESTS(TEST(test_role_export__what_reads_back_the_same_is_named),
      TEST(test_role_export__what_measures_otherwise_is_not_named),
      TEST(test_role_export__what_says_otherwise_is_not_named),
      TEST(test_role_export__is_given_up_cleanly))
