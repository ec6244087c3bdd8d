/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/prep: from a broken mesh to a judged part, and the report's promise. */
#include "tests/test.h"

#include "base/assets.h"
#include "base/json.h"
#include "print/measure/measure.h"
#include "print/prep.h"
#include "tests/print/meshes.h"

static struct err err;
static struct prepared out;
static cJSON *report;

static int follows_schema(void)
{
    const struct asset *text = asset_find("schemas/mesh-report.schema.json");
    cJSON *schema = NULL;
    if (!text || json_parse(&schema, text->data, text->size, &err))
        return -1;
    int failed = json_schema_check(schema, report, &err);
    cJSON_Delete(schema);
    return failed;
}

static int prep(const struct mesh *in, const struct prep_options *options)
{
    prepared_free(&out);
    cJSON_Delete(report);
    report = NULL;
    return mesh_prep(&out, &report, in, options, &err);
}

static const cJSON *finding(const char *code)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(report, "findings"))
        if (strcmp(json_text(one, "code", ""), code) == 0)
            return one;
    return NULL;
}

static double output(const char *name)
{
    return json_number(json_get(report, "output"), name, -1);
}

static void test_prep__puts_the_part_where_the_bed_is(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    options.height_mm = 60;
    add_box(&in, 1000, 2000, 3000, 1, 2, 3);
    CHECK_OK(prep(&in, &options));
    CHECK_OK(follows_schema());
    CHECK(out.verdict == VERDICT_PASS);
    CHECK_TEXT(json_text(report, "verdict", ""), "pass");
    double low[3], high[3];
    mesh_bounds(&out.mesh, low, high);
    CHECK_NEAR(low[2], 0, 0);
    CHECK_NEAR(high[2], 60, 1e-4);
    CHECK_NEAR(low[0] + high[0], 0, 1e-5);
    CHECK_NEAR(high[1] - low[1], 40, 1e-2);
    CHECK_NEAR(output("volume_mm3"), 20 * 40 * 60, 50);
    mesh_free(&in);
}

static void test_prep__makes_100_mm_of_what_has_no_unit(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    add_box(&in, 0, 0, 0, 1, 0.5f, 0.25f);
    CHECK_OK(prep(&in, &options));
    CHECK_NEAR(cJSON_GetArrayItem(json_get(json_get(report, "output"), "size_mm"), 0)->valuedouble,
               100, 1e-3);
    options.unit_mm = 1; /* millimetres already: too small, but as large as it says */
    CHECK_OK(prep(&in, &options));
    CHECK_NEAR(output("volume_mm3"), 0.125, 1e-6);
    CHECK(finding("too_small") && out.verdict == VERDICT_REVISE);
    mesh_free(&in);
}

static void test_prep__mends_and_says_so(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    add_ball(&in, 0, 0, 0, 1, 24);
    in.triangle_count -= 5;
    turn_triangles(&in, 10, 12);
    add_box(&in, 3, 0, 0, 0.01f, 0.01f, 0.01f);
    CHECK_OK(prep(&in, &options));
    CHECK_OK(follows_schema());
    CHECK(finding("holes_closed") && finding("debris_dropped") && finding("sides_turned"));
    CHECK(output("boundary_edges") == 0 && output("shells") == 1);
    CHECK(cJSON_IsTrue(json_get(json_get(report, "output"), "watertight")) ||
          json_bool(json_get(report, "output"), "watertight", false));
    CHECK(!json_bool(json_get(report, "input"), "watertight", true));
    mesh_free(&in);
}

static void test_prep__gives_a_sheet_a_wall_and_rejects_nothing(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    add_box(&in, 0, 0, 0, 10, 10, 10);
    in.triangle_count = 2;
    CHECK_OK(prep(&in, &options));
    CHECK_OK(follows_schema());
    CHECK(out.verdict == VERDICT_REVISE && finding("sheets_thickened"));
    CHECK_NEAR(output("volume_mm3"), 100 * 100 * 0.8, 800); /* 100 mm, the usual wall */
    in.triangle_count = 0;
    CHECK_OK(prep(&in, &options));
    CHECK_OK(follows_schema());
    CHECK(out.verdict == VERDICT_REJECT && out.mesh.triangle_count == 0 &&
          finding("nothing_solid"));
    CHECK(cJSON_IsNull(cJSON_GetObjectItem(report, "output")));
    mesh_free(&in);
}

static void test_prep__judges_size_walls_and_stand(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    options.unit_mm = 1;
    options.bed_mm[0] = options.bed_mm[1] = 220;
    options.bed_mm[2] = 250;
    add_box(&in, 0, 0, 0, 400, 0.5f, 40); /* too long, a thin wall, and it falls over */
    CHECK_OK(prep(&in, &options));
    CHECK(out.verdict == VERDICT_REVISE);
    CHECK(finding("too_big"));
    CHECK_NEAR(json_number(finding("too_big"), "limit", 0), 220 * sqrt(2), 1); /* cornerwise */
    CHECK(finding("thin_walls") && finding("tips_over"));
    CHECK_NEAR(json_number(finding("tips_over"), "value", 0), 0.716, 0.01);
    mesh_free(&in);
}

static void test_prep__makes_the_same_bytes_twice(void)
{
    struct mesh in = {0}, first;
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    options.orient = ORIENT_AUTO;
    options.max_triangles = 500;
    add_ball(&in, 0, 0, 0, 1, 20);
    add_ball(&in, 1, 0.2, 0, 0.6, 14);
    CHECK_OK(prep(&in, &options));
    first = out.mesh;
    out.mesh = (struct mesh){0};
    CHECK_OK(prep(&in, &options));
    CHECK(first.triangle_count == out.mesh.triangle_count &&
          first.vertex_count == out.mesh.vertex_count);
    CHECK(memcmp(first.xyz, out.mesh.xyz, 12 * out.mesh.vertex_count) == 0);
    CHECK(memcmp(first.triangles, out.mesh.triangles, 12 * out.mesh.triangle_count) == 0);
    CHECK(finding("decimated") && out.mesh.triangle_count < 700);
    mesh_free(&first);
    mesh_free(&in);
}

static void test_inspect__names_faults_and_changes_nothing(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    add_box(&in, 0, 0, 0, 10, 10, 10);
    in.triangle_count--;
    cJSON_Delete(report);
    CHECK_OK(mesh_inspect(&report, &in, &options, &err));
    CHECK_OK(follows_schema());
    CHECK(finding("not_watertight") && in.triangle_count == 11);
    CHECK_TEXT(json_text(report, "verdict", ""), "revise");
    in.triangle_count++;
    cJSON_Delete(report);
    CHECK_OK(mesh_inspect(&report, &in, &options, &err));
    CHECK_TEXT(json_text(report, "verdict", ""), "pass");
    cJSON_Delete(report);
    report = NULL;
    mesh_free(&in);
    prepared_free(&out);
}

static size_t bits(double sum[3], const struct mesh *mesh, const double by[3])
{
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++) {
        double moved = (double)mesh->xyz[i] + by[i % 3];
        if (moved != (double)(float)moved) /* nothing may be rounded on the way back */
            return SIZE_MAX;
        sum[i % 3] += moved;
    }
    return mesh->triangle_count;
}

/* To a slicer a figure and its base are two things, and together what was prepared, bit for bit. */
static void test_prep__figure_and_base_apart_are_two_objects(void)
{
    static const double nowhere[3];
    struct prepared_part parts[2];
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    size_t count;
    options.height_mm = 60;
    options.base = BASE_OPTIONS_DEFAULT;
    options.base.shape = BASE_ROUND;
    options.split_base = true;
    add_box(&in, 0, 0, 0, 20.3f, 17.7f, 55);
    CHECK_OK(prep(&in, &options));
    CHECK(out.apart);
    CHECK_OK(prepared_parts(parts, &count, &out, &err));
    CHECK(count == 2);
    CHECK_TEXT(parts[0].name, "figure");
    CHECK_TEXT(parts[1].name, "base");
    double whole[3] = {0}, pieces[3] = {0};
    size_t all = bits(whole, &out.mesh, nowhere), of_parts = 0;
    for (size_t i = 0; i < 2; i++) {
        struct mesh_measures m;
        double low[3], high[3];
        CHECK_OK(mesh_measure(&m, &parts[i].mesh, &err));
        CHECK(m.watertight && m.shells == 1 && m.volume_mm3 > 100);
        mesh_bounds(&parts[i].mesh, low, high);
        CHECK_NEAR(low[0] + high[0], 0, 1e-3);
        CHECK_NEAR(low[2], 0, 0);
        of_parts += bits(pieces, &parts[i].mesh, parts[i].place_mm);
    }
    CHECK(all == of_parts);
    for (int k = 0; k < 3; k++)
        CHECK_NEAR(whole[k], pieces[k], 1e-6);
    CHECK(parts[0].mesh.vertex_count + parts[1].mesh.vertex_count == out.mesh.vertex_count);
    prepared_parts_free(parts);
    /* Without a split it is one, and nothing is copied. */
    options.split_base = false;
    CHECK_OK(prep(&in, &options));
    CHECK_OK(prepared_parts(parts, &count, &out, &err));
    CHECK(count == 1 && parts[0].mesh.xyz == out.mesh.xyz);
    prepared_parts_free(parts);
    CHECK(out.mesh.xyz != NULL);
    mesh_free(&in);
}

TESTS(TEST(test_prep__figure_and_base_apart_are_two_objects),
      TEST(test_prep__puts_the_part_where_the_bed_is),
      TEST(test_prep__makes_100_mm_of_what_has_no_unit), TEST(test_prep__mends_and_says_so),
      TEST(test_prep__gives_a_sheet_a_wall_and_rejects_nothing),
      TEST(test_prep__judges_size_walls_and_stand), TEST(test_prep__makes_the_same_bytes_twice),
      TEST(test_inspect__names_faults_and_changes_nothing))
