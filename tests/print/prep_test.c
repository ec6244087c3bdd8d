/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/prep: from a broken mesh to a judged part, and the report's promise. */
#include "tests/test.h"

#include "base/assets.h"
#include "base/json.h"
#include "print/measure/measure.h"
#include "print/prep.h"
#include "tests/print/meshes.h"

static struct err err;
static struct mesh out;
static cJSON *report;
static enum verdict verdict;

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
    mesh_free(&out);
    cJSON_Delete(report);
    report = NULL;
    return mesh_prep(&out, &report, &verdict, in, options, &err);
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
    CHECK(verdict == VERDICT_PASS);
    CHECK_TEXT(json_text(report, "verdict", ""), "pass");
    double low[3], high[3];
    mesh_bounds(&out, low, high);
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
    CHECK(finding("too_small") && verdict == VERDICT_REVISE);
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

static void test_prep__gives_a_sheet_a_wall_and_asks(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    add_box(&in, 0, 0, 0, 10, 10, 10);
    in.triangle_count = 2;
    CHECK_OK(prep(&in, &options));
    CHECK_OK(follows_schema());
    CHECK(verdict == VERDICT_REVISE && out.triangle_count > 0 && finding("sheets_thickened"));
    CHECK(output("boundary_edges") == 0);
    in.triangle_count = 0;
    CHECK_OK(prep(&in, &options));
    CHECK(verdict == VERDICT_REJECT);
    mesh_free(&in);
}

static void test_prep__judges_size_walls_and_stand(void)
{
    struct mesh in = {0};
    struct prep_options options = PREP_OPTIONS_DEFAULT;
    options.unit_mm = 1;
    options.bed_mm[0] = options.bed_mm[1] = 220;
    options.bed_mm[2] = 250;
    add_box(&in, 0, 0, 0, 300, 0.5f, 40); /* too long, a thin wall, and it falls over */
    CHECK_OK(prep(&in, &options));
    CHECK(verdict == VERDICT_REVISE);
    CHECK(finding("too_big") && json_number(finding("too_big"), "limit", 0) == 220);
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
    first = out;
    out = (struct mesh){0};
    CHECK_OK(prep(&in, &options));
    CHECK(first.triangle_count == out.triangle_count && first.vertex_count == out.vertex_count);
    CHECK(memcmp(first.xyz, out.xyz, 12 * out.vertex_count) == 0);
    CHECK(memcmp(first.triangles, out.triangles, 12 * out.triangle_count) == 0);
    CHECK(finding("decimated") && out.triangle_count < 700);
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
    mesh_free(&out);
}

TESTS(TEST(test_prep__puts_the_part_where_the_bed_is),
      TEST(test_prep__makes_100_mm_of_what_has_no_unit), TEST(test_prep__mends_and_says_so),
      TEST(test_prep__gives_a_sheet_a_wall_and_asks), TEST(test_prep__judges_size_walls_and_stand),
      TEST(test_prep__makes_the_same_bytes_twice),
      TEST(test_inspect__names_faults_and_changes_nothing))
