/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/slice: several objects on one plate with settings of their own, the hash that is known
 * before slicing, the second opinion, and the newer CuraEngine. */
#include "print/slice/engine.h"
#include "tests/print/slices.h"

#include <sys/stat.h>

static const char *const engine_names[] = {"cura", "prusa"};

#define SKIP_WITHOUT_BOTH()                                                                        \
    do {                                                                                           \
        if (access("/usr/bin/CuraEngine", X_OK) != 0 ||                                            \
            access("/usr/bin/prusa-slicer", X_OK) != 0)                                            \
            SKIP("needs both engines (packages cura-engine and prusa-slicer)");                    \
    } while (0)

/* A job with two boxes of 20 x 20 x 5 mm, 60 mm apart in x, and no brim. */
struct pair {
    struct setting s;
    struct slice_object objects[2];
    char paths[2][128];
};

static int open_pair(struct pair *p, double left, double right)
{
    if (open_setting(&p->s, "ender3v3se", "pla"))
        return -1;
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(p->s.profile.process, "adhesion"), "type",
                              cJSON_CreateString("none"));
    for (int i = 0; i < 2; i++) {
        struct mesh box = {0};
        float x = (float)(i ? right : left);
        make_box(&box, (float[]){x - 10, -10, 0}, (float[]){x + 10, 10, 5});
        int failed = write_stl(p->paths[i], i ? "b.stl" : "a.stl", &box);
        mesh_free(&box);
        if (failed)
            return -1;
        p->objects[i] = (struct slice_object){.path = p->paths[i], .name = i ? "base" : "figure"};
    }
    p->s.options.objects = p->objects;
    p->s.options.object_count = 2;
    return 0;
}

static void close_pair(struct pair *p)
{
    close_setting(&p->s);
}

/* Where plastic goes down, from the G-code itself. */
static int find_bounds(double low[2], double high[2], const struct setting *s)
{
    cJSON *report = NULL;
    bool passed;
    const struct gcode_check_options options = {.printer = &s->profile.printer};
    if (gcode_check(&report, &passed, out_path, &options, &err))
        return -1;
    for (int k = 0; k < 2; k++) {
        const cJSON *m = json_get(report, "measures");
        low[k] = cJSON_GetArrayItem(json_get(m, "min_mm"), k)->valuedouble;
        high[k] = cJSON_GetArrayItem(json_get(m, "max_mm"), k)->valuedouble;
    }
    cJSON_Delete(report);
    return 0;
}

static void test_plate__objects_stand_where_they_are_put(void)
{
    SKIP_WITHOUT_BOTH();
    for (int e = 0; e < 2; e++) {
        struct pair p;
        struct slice_result r;
        struct bytes text = {0};
        double low[2], high[2];
        CHECK_OK(open_pair(&p, -30, 60));
        p.s.options.engine = engine_names[e];
        CHECK_OK(slice_run(&r, &p.s.options, &err));
        CHECK_OK(find_bounds(low, high, &p.s));
        /* The bed's middle is at 110, 110; half a line stays inside the outline. */
        CHECK_NEAR(low[0], 110 - 40, 0.3);
        CHECK_NEAR(high[0], 110 + 70, 0.3);
        CHECK_NEAR(low[1], 100, 0.3);
        CHECK_NEAR(high[1], 120, 0.3);
        CHECK_NEAR(r.model_mm3, 4000, 0.01);
        CHECK_OK(bytes_read_file(&text, out_path, &err));
        CHECK(strstr((char *)text.data, "\n;Statuette object: figure\n;Statuette object: base\n"));
        bytes_free(&text);
        close_pair(&p);
    }
}

/* The whole box of 2000 mm3 for one of them, and a hollow one beside it. */
static void test_plate__each_object_has_settings_of_its_own(void)
{
    SKIP_WITHOUT_BOTH();
    cJSON *full = cJSON_Parse("{\"infill_percent\":100,\"infill_pattern\":\"lines\"}");
    cJSON *hollow = cJSON_Parse("{\"infill_percent\":0,\"top_mm\":0,\"bottom_mm\":0}");
    for (int e = 0; e < 2; e++) {
        struct pair p;
        struct slice_result plain, first, second, both;
        CHECK_OK(open_pair(&p, -30, 30));
        p.s.options.engine = engine_names[e];
        CHECK_OK(slice_run(&plain, &p.s.options, &err));
        p.objects[0].settings = full;
        CHECK_OK(slice_run(&first, &p.s.options, &err));
        p.objects[1].settings = full;
        CHECK_OK(slice_run(&both, &p.s.options, &err));
        p.objects[0].settings = hollow;
        CHECK_OK(slice_run(&second, &p.s.options, &err));
        /* 0.95 is the material's flow. */
        CHECK_NEAR(both.filament_mm * 2.40528 / 4000, 0.95, 0.04);
        CHECK_NEAR(first.filament_mm, (plain.filament_mm + both.filament_mm) / 2,
                   0.02 * both.filament_mm);
        CHECK(second.filament_mm < 0.65 * both.filament_mm);
        CHECK(second.filament_mm > 0.5 * both.filament_mm);
        CHECK(strcmp(first.closure_hash, plain.closure_hash) != 0);
        close_pair(&p);
    }
    cJSON_Delete(full);
    cJSON_Delete(hollow);
}

static void test_plate__objects_over_one_another_are_refused(void)
{
    struct pair p;
    struct slice_result r;
    CHECK_OK(open_pair(&p, -5, 5));
    for (int e = 0; e < 2; e++) {
        p.s.options.engine = engine_names[e];
        CHECK_FAILS(slice_run(&r, &p.s.options, &err), ERR_INPUT);
        CHECK_TEXT(err.code, "slice_overlap");
        CHECK(strstr(err.what, "figure") && strstr(err.what, "base"));
    }
    close_pair(&p);
}

/* Two triangular plates that share a box and not an inch of bed. */
static void test_plate__boxes_may_meet_where_the_objects_do_not(void)
{
    SKIP_WITHOUT_ENGINE();
    static const float corners[2][3][2] = {{{-20, -20}, {18, -20}, {-20, 18}},
                                           {{20, 20}, {-18, 20}, {20, -18}}};
    struct pair p;
    struct slice_result r;
    CHECK_OK(open_pair(&p, -30, 30));
    for (int i = 0; i < 2; i++) {
        struct mesh wedge = {0};
        static const uint32_t faces[24] = {0, 2, 1, 3, 4, 5, 0, 1, 4, 0, 4, 3,
                                           1, 2, 5, 1, 5, 4, 2, 0, 3, 2, 3, 5};
        CHECK_OK(mesh_alloc(&wedge, 6, 8, &err));
        memcpy(wedge.triangles, faces, sizeof faces);
        for (int v = 0; v < 6; v++)
            memcpy(wedge.xyz + 3 * v,
                   (float[]){corners[i][v % 3][0], corners[i][v % 3][1], v < 3 ? 0 : 4}, 12);
        CHECK_OK(write_stl(p.paths[i], i ? "b.stl" : "a.stl", &wedge));
        mesh_free(&wedge);
    }
    CHECK_OK(slice_run(&r, &p.s.options, &err));
    close_pair(&p);
}

static void test_plate__what_does_not_fit_is_refused_for_each_object(void)
{
    struct pair p;
    struct slice_result r;
    CHECK_OK(open_pair(&p, 0, 105));
    CHECK_FAILS(slice_run(&r, &p.s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_outside_bed");
    p.s.options.object_count = 0;
    CHECK_FAILS(slice_run(&r, &p.s.options, &err), ERR_INPUT);
    close_pair(&p);
}

static void test_plate__a_3mf_of_several_objects_keeps_their_places(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result r;
    struct mesh box = {0};
    struct bytes file = {0};
    double low[2], high[2];
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_box(&box, (float[]){-10, -10, 0}, (float[]){10, 10, 5});
    const struct export_object objects[] = {{.mesh = &box, .place_mm = {50, 60, 0}},
                                            {.mesh = &box, .place_mm = {150, 90, 0}}};
    CHECK_OK(threemf_write_plate(
        &file, &(struct export_plate){.objects = objects, .object_count = 2}, &err));
    snprintf(s.model, sizeof s.model, "%s/plate.3mf", folder);
    CHECK_OK(file_write(s.model, file.data, file.len, &err));
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(s.profile.process, "adhesion"), "type",
                              cJSON_CreateString("none"));
    CHECK_OK(slice_run(&r, &s.options, &err));
    CHECK_OK(find_bounds(low, high, &s));
    CHECK_NEAR(low[0], 40, 0.3);
    CHECK_NEAR(high[0], 160, 0.3);
    CHECK_NEAR(low[1], 50, 0.3);
    CHECK_NEAR(high[1], 100, 0.3);
    bytes_free(&file);
    mesh_free(&box);
    close_setting(&s);
}

static void test_hash__is_known_before_and_covers_all_but_models_and_label(void)
{
    SKIP_WITHOUT_BOTH();
    struct pair p;
    struct slice_result r;
    char before[65], hash[65];
    cJSON *own = cJSON_Parse("{\"wall_count\":4}");
    for (int e = 0; e < 2; e++) {
        CHECK_OK(open_pair(&p, -30, 30));
        struct slice_options *o = &p.s.options;
        o->engine = engine_names[e];
        CHECK_OK(slice_hash(before, o, &err));
        CHECK_OK(slice_run(&r, o, &err));
        CHECK_TEXT(r.closure_hash, before);
        o->label = "order 7";
        p.objects[0].path = "/nowhere.stl";
        CHECK_OK(slice_hash(hash, o, &err));
        CHECK_TEXT(hash, before);
        p.objects[1].name = "other";
        CHECK_OK(slice_hash(hash, o, &err));
        CHECK(strcmp(hash, before) != 0);
        p.objects[1].name = "base";
        p.objects[1].settings = own;
        CHECK_OK(slice_hash(hash, o, &err));
        CHECK(strcmp(hash, before) != 0);
        p.objects[1].settings = NULL;
        o->object_count = 1;
        CHECK_OK(slice_hash(hash, o, &err));
        CHECK(strcmp(hash, before) != 0);
        o->object_count = 2;
        o->engine = engine_names[1 - e];
        CHECK_OK(slice_hash(hash, o, &err));
        CHECK(strcmp(hash, before) != 0);
        o->engine = engine_names[e];
        cJSON_ReplaceItemInObject(p.s.profile.printer.settings, "thumbnails", cJSON_CreateArray());
        CHECK_OK(slice_hash(hash, o, &err));
        CHECK(strcmp(hash, before) != 0);
        close_pair(&p);
    }
    cJSON_Delete(own);
}

/* A wide and a high one, as base64 whose length is said, and a PNG of that size inside. */
static void test_labels__thumbnails_have_the_sizes_that_the_printer_wants(void)
{
    SKIP_WITHOUT_BOTH();
    static const unsigned sizes[3][2] = {{16, 16}, {220, 124}, {124, 220}};
    for (int e = 0; e < 2; e++) {
        struct pair p;
        struct slice_result r;
        struct bytes text = {0};
        CHECK_OK(open_pair(&p, -30, 30));
        cJSON_ReplaceItemInObject(p.s.profile.printer.settings, "thumbnails",
                                  cJSON_Parse("[[16,16],[220,124],[124,220]]"));
        p.s.options.engine = engine_names[e];
        CHECK_OK(slice_run(&r, &p.s.options, &err));
        CHECK_OK(bytes_read_file(&text, out_path, &err));
        const char *at = (char *)text.data;
        for (int i = 0; i < 3; i++) {
            static char base64[200000];
            static uint8_t png[150000];
            unsigned width, height;
            size_t length, n = 0;
            at = strstr(at, "\n; thumbnail begin ");
            CHECK(at &&
                  sscanf(at, "\n; thumbnail begin %ux%u %zu\n", &width, &height, &length) == 3);
            CHECK(width == sizes[i][0] && height == sizes[i][1] && length < sizeof base64);
            for (at = strchr(at + 1, '\n') + 1; strncmp(at, "; thumbnail end", 15) != 0;) {
                size_t line = strcspn(at, "\n");
                CHECK(line > 2 && line <= 80 && n + line - 2 < sizeof base64);
                memcpy(base64 + n, at + 2, line - 2);
                n += line - 2;
                at += line + 1;
            }
            CHECK(n == length && base64_read(png, sizeof png, base64, n) > 40);
            CHECK(memcmp(png + 1, "PNG", 3) == 0);
            CHECK((unsigned)(png[18] << 8 | png[19]) == width);
            CHECK((unsigned)(png[22] << 8 | png[23]) == height);
        }
        bytes_free(&text);
        close_pair(&p);
    }
}

static void test_opinion__two_engines_agree_on_a_sound_model(void)
{
    SKIP_WITHOUT_BOTH();
    for (int e = 0; e < 2; e++) {
        struct setting s;
        struct slice_result r;
        struct mesh figure = {0};
        cJSON *report = NULL;
        char hash[65];
        CHECK_OK(open_setting(&s, "ender3v3ke", "pla"));
        make_figure(&figure);
        CHECK_OK(write_stl(s.model, "figure.stl", &figure));
        s.options.engine = engine_names[e];
        CHECK_OK(slice_run(&r, &s.options, &err));
        CHECK_OK(slice_compare(&report, &s.options, &r, &err));
        CHECK_TEXT(json_text(json_get(report, "first"), "engine", ""), engine_names[e]);
        CHECK_TEXT(json_text(json_get(report, "second"), "engine", ""), engine_names[1 - e]);
        CHECK_TEXT(json_text(report, "verdict", ""), "agree");
        CHECK(cJSON_GetArraySize(json_get(report, "findings")) == 0);
        CHECK(count_files() == 2);
        CHECK_OK(sha256_file(hash, NULL, out_path, &err));
        CHECK_TEXT(hash, r.gcode_hash);
        cJSON_Delete(report);
        mesh_free(&figure);
        close_setting(&s);
    }
}

static void test_opinion__tells_what_is_unusual_from_what_cannot_be(void)
{
    static const struct {
        double filament, time;
        const char *verdict;
        int findings;
    } cases[] = {{1.05, 1.1, "agree", 0}, {1.2, 1.1, "differ", 1}, {1, 1.5, "differ", 1},
                 {0.7, 1, "far", 1},      {1, 0.4, "far", 1},      {0.8, 3, "far", 2},
                 {NAN, 1, "far", 1}};
    struct setting s;
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice_result first = {.engine = "cura", .filament_mm = 1000, .print_time_s = 600};
        struct slice_result second = {.engine = "prusa",
                                      .filament_mm = 1000 * cases[i].filament,
                                      .print_time_s = 600 * cases[i].time};
        cJSON *report = compare_results(&first, &second, &s.profile);
        CHECK_TEXT(json_text(report, "verdict", ""), cases[i].verdict);
        CHECK(cJSON_GetArraySize(json_get(report, "findings")) == cases[i].findings);
        cJSON_Delete(report);
    }
    close_setting(&s);
}

/* Cuts real G-code of 4.13 into its header and the rest, as the newer engine would hand them out:
 * the one in its log, the other in the file under a placeholder. */
static int split_gcode(const char *bin)
{
    static const char holder[] = ";FLAVOR:Marlin\n;TIME:6666\n;Filament used: 0m\n;MAXZ:-2.1e+06\n";
    char path[200];
    struct bytes text = {0}, raw = {0};
    if (bytes_read_file(&text, out_path, &err))
        return -1;
    char *head_end = strstr((char *)text.data, ";Statuette engine"), *rest = (char *)text.data;
    for (char *next; (next = strstr(rest + 1, "; thumbnail end\n"));)
        rest = next;
    rest += strlen("; thumbnail end\n");
    snprintf(path, sizeof path, "%s/header", bin);
    int failed = file_write(path, text.data, (size_t)(head_end - (char *)text.data), &err);
    snprintf(path, sizeof path, "%s/raw", bin);
    failed = failed || bytes_append(&raw, holder, sizeof holder - 1, &err) ||
             bytes_printf(&raw, &err, "%s", rest) || file_write(path, raw.data, raw.len, &err);
    bytes_free(&text);
    bytes_free(&raw);
    return failed ? -1 : 0;
}

/* It keeps its arguments and settings, logs as 5.9 does, and copies the G-code made before. */
static int put_newer_engine(const char *bin)
{
    char path[200], script[2000];
    snprintf(path, sizeof path, "%s/CuraEngine", bin);
    snprintf(script, sizeof script,
             "#!/bin/sh\n"
             "[ \"$1\" = help ] && echo 'Cura_SteamEngine version 5.9.0' && exit 0\n"
             "printf '%%s\\n' \"$@\" > %s/args\n"
             "cp resolved.json %s/settings\n"
             "for last; do :; done\n"
             "cp %s/raw \"$last\"\n"
             "printf '[2024-11-15 12:50:30.123] [info] Gcode header after slicing: '\n"
             "cat %s/header\n"
             "echo '[2024-11-15 12:50:30.124] [info] Print time (s): 1'\n",
             bin, bin, bin, bin);
    return file_write(path, script, strlen(script), &err) || chmod(path, 0755) ? -1 : 0;
}

static void test_cura__from_5_9_on_takes_resolved_settings(void)
{
    SKIP_WITHOUT_ENGINE();
    struct pair p;
    struct slice_result older, newer;
    struct bytes args = {0};
    cJSON *settings = NULL, *own = cJSON_Parse("{\"wall_count\":4}");
    char bin[100], path[200];
    CHECK_OK(open_pair(&p, -30, 30));
    p.objects[1].settings = own;
    CHECK_OK(slice_run(&older, &p.s.options, &err));
    snprintf(bin, sizeof bin, "%s/bin", folder);
    CHECK_OK(folder_make(bin, &err));
    CHECK_OK(split_gcode(bin));
    CHECK_OK(put_newer_engine(bin));
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", bin);
    setenv("PATH", path, 1);
    int failed = slice_run(&newer, &p.s.options, &err);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    CHECK_OK(failed);
    CHECK_TEXT(newer.engine_version, "5.9.0");
    CHECK(strcmp(newer.closure_hash, older.closure_hash) != 0);
    CHECK_NEAR(newer.print_time_s, older.print_time_s, 0);
    CHECK_NEAR(newer.filament_mm, older.filament_mm, 0);
    CHECK(newer.layer_count == older.layer_count);
    snprintf(path, sizeof path, "%s/args", bin);
    CHECK_OK(bytes_read_file(&args, path, &err));
    static const char begin[] = "slice\n-v\n-d\n.\n-r\nresolved.json\n-e0\n-l\nmodel-1.stl\n-l\n"
                                "model-2.stl\n-s\n",
                      end[] = "-s\nwall_line_count=4\n-o\nraw.gcode\n";
    CHECK(args.len > sizeof begin + sizeof end);
    CHECK(memcmp(args.data, begin, sizeof begin - 1) == 0);
    CHECK_TEXT((char *)args.data + args.len - sizeof end + 1, end);
    snprintf(path, sizeof path, "%s/settings", bin);
    CHECK_OK(json_read_file(&settings, path, &err));
    CHECK(cJSON_GetArraySize(settings) == 2 && json_get(settings, "extruder.0"));
    CHECK(cJSON_GetArraySize(json_get(settings, "global")) > 300);
    CHECK_TEXT(json_text(json_get(settings, "global"), "layer_height", ""), "0.2");
    cJSON_Delete(settings);
    cJSON_Delete(own);
    bytes_free(&args);
    close_pair(&p);
}

TESTS(TEST(test_plate__objects_stand_where_they_are_put),
      TEST(test_plate__each_object_has_settings_of_its_own),
      TEST(test_plate__objects_over_one_another_are_refused),
      TEST(test_plate__boxes_may_meet_where_the_objects_do_not),
      TEST(test_plate__what_does_not_fit_is_refused_for_each_object),
      TEST(test_plate__a_3mf_of_several_objects_keeps_their_places),
      TEST(test_hash__is_known_before_and_covers_all_but_models_and_label),
      TEST(test_labels__thumbnails_have_the_sizes_that_the_printer_wants),
      TEST(test_opinion__two_engines_agree_on_a_sound_model),
      TEST(test_opinion__tells_what_is_unusual_from_what_cannot_be),
      TEST(test_cura__from_5_9_on_takes_resolved_settings))
