/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/slice: each known failure of both engines, made with the real ones, is one plain sentence;
 * and what they take in silence is refused before. */
#include "base/child.h"
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

static int open_box(struct setting *s, const float low[3], const float high[3])
{
    struct mesh box = {0};
    if (open_setting(s, "ender3v3se", "pla"))
        return -1;
    make_box(&box, low, high);
    int failed = write_stl(s->model, "box.stl", &box);
    mesh_free(&box);
    return failed;
}

static int open_ok(struct setting *s)
{
    return open_box(s, (float[]){-10, -10, 0}, (float[]){10, 10, 10});
}

/* A cone that stands on its tip. */
static void make_tip(struct mesh *mesh)
{
    const uint32_t n = 16;
    if (mesh_alloc(mesh, n + 2, 2 * n, &err))
        abort();
    memset(mesh->xyz, 0, 12 * (n + 2));
    mesh->xyz[3 * n + 5] = 20;
    for (uint32_t i = 0; i < n; i++) {
        float *p = mesh->xyz + 3 * i, angle = 6.2831853f * (float)i / (float)n;
        p[0] = 10 * cosf(angle), p[1] = 10 * sinf(angle), p[2] = 20;
        memcpy(mesh->triangles + 6 * i, (uint32_t[]){n, (i + 1) % n, i, n + 1, i, (i + 1) % n}, 24);
    }
}

static void set_number(const struct setting *s, const char *name, double value)
{
    cJSON_SetNumberValue(cJSON_GetObjectItem(s->profile.process, name), value);
}

static void override(const struct setting *s, const char *engine, const char *key,
                     const char *value)
{
    cJSON *own = cJSON_GetObjectItem(s->profile.engines, engine);
    cJSON_AddStringToObject(own ? own : cJSON_AddObjectToObject(s->profile.engines, engine), key,
                            value);
}

static void test_faults__what_the_engines_take_in_silence_is_refused_before(void)
{
    static const struct {
        float low[3], high[3];
        const char *code;
    } cases[] = {{{-200, -5, 0}, {200, 5, 10}, "slice_outside_bed"}, /* bigger than the bed */
                 {{-5, -5, 0}, {5, 5, 260}, "slice_outside_bed"},    /* too high */
                 {{80, -5, 0}, {120, 5, 10}, "slice_outside_bed"},   /* half off it */
                 {{200, -5, 0}, {210, 5, 10}, "slice_outside_bed"},  /* off it */
                 {{-5, -5, -3}, {5, 5, 10}, "slice_outside_bed"},    /* below it */
                 {{-5, -5, 10}, {5, 5, 20}, "slice_floating"}};
    for (int e = 0; e < 2; e++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct setting s;
            struct slice_result r;
            CHECK_OK(open_box(&s, cases[i].low, cases[i].high));
            s.options.engine = engine_names[e];
            CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
            CHECK_TEXT(err.code, cases[i].code);
            CHECK(access(out_path, F_OK) != 0 && count_files() == 1);
            close_setting(&s);
        }
}

static void test_faults__stl_that_is_cut_off_garbage_or_text_is_unreadable(void)
{
    struct setting s;
    struct slice_result r;
    struct bytes stl = {0};
    uint8_t garbage[5000];
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (uint8_t)(i * 7919);
    CHECK_OK(open_ok(&s));
    CHECK_OK(bytes_read_file(&stl, s.model, &err));
    const struct {
        const void *data;
        size_t bytes;
    } files[] = {{stl.data, stl.len - 200},
                 {stl.data, 40},
                 {garbage, sizeof garbage},
                 {"solid x\nendsolid x\n", 18}};
    for (int i = 0; i < 8; i++) {
        CHECK_OK(file_write(s.model, files[i / 2].data, files[i / 2].bytes, &err));
        s.options.engine = engine_names[i % 2];
        CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
        CHECK_TEXT(err.code, "slice_model_unreadable");
    }
    bytes_free(&stl);
    close_setting(&s);
}

static void test_faults__nothing_thick_or_high_enough_is_slice_empty(void)
{
    SKIP_WITHOUT_BOTH();
    static const float highs[2][3] = {{5, 0.02f, 10}, {5, 5, 0.05f}}; /* a film; a flat one */
    for (int i = 0; i < 4; i++) {
        struct setting s;
        struct slice_result r;
        const float *high = highs[i / 2];
        CHECK_OK(open_box(&s, (float[]){-5, -high[1], 0}, high));
        s.options.engine = engine_names[i % 2];
        CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
        CHECK_TEXT(err.code, "slice_empty");
        CHECK(strstr(err.what, "make it larger") || strstr(err.what, "make the model larger"));
        CHECK(access(out_path, F_OK) != 0);
        close_setting(&s);
    }
}

static void test_faults__no_first_layer_is_said_so(void)
{
    SKIP_WITHOUT_PRUSA();
    struct setting s;
    struct slice_result r;
    struct mesh tip = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_tip(&tip);
    CHECK_OK(write_stl(s.model, "tip.stl", &tip));
    s.options.engine = "prusa";
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_no_first_layer");
    CHECK(strstr(err.what, "give it a base"));
    mesh_free(&tip);
    close_setting(&s);
}

/* CuraEngine ends with 0 for the first two, PrusaSlicer with 0 for the unknown pattern. */
static void test_faults__bad_settings_are_said_so(void)
{
    SKIP_WITHOUT_BOTH();
    static const struct {
        const char *engine, *key, *value, *words;
    } cases[] = {{"cura", "layer_height", "abc", "layer height"},
                 {"cura", "layer_height", "0", "layer height"},
                 {"prusa", "layer_height", "abc", "layer_height: abc"},
                 {"prusa", "layer_height", "0", "layer-height"},
                 {"prusa", "layer_height", "0.5", "process with lower layers"},
                 {"prusa", "first_layer_height", "0.5", "process with lower layers"},
                 {"prusa", "extrusion_width", "20", "extrusion_width=20"},
                 {"prusa", "external_perimeter_extrusion_width", "0.01", "widths"},
                 {"prusa", "fill_density", "130%", "fill_density"},
                 {"prusa", "fill_pattern", "nope", "fill_pattern: nope"},
                 {"prusa", "gcode_flavor", "nope", "gcode_flavor: nope"},
                 {"prusa", "start_gcode", "M109 S{nope}", "start or end code"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct setting s;
        struct slice_result r;
        CHECK_OK(open_ok(&s));
        s.options.engine = cases[i].engine;
        override(&s, cases[i].engine, cases[i].key, cases[i].value);
        CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
        CHECK_TEXT(err.code, "slice_bad_settings");
        if (!strstr(err.what, cases[i].words))
            TEST_GIVE_UP("%s=%s: %s", cases[i].key, cases[i].value, err.what);
        CHECK(access(out_path, F_OK) != 0);
        close_setting(&s);
    }
}

static void test_faults__too_little_memory_is_said_so(void)
{
    SKIP_WITHOUT_BOTH();
#if defined(__SANITIZE_ADDRESS__)
    SKIP("children have no limit of address space under the sanitizer");
#endif
    struct setting s;
    struct slice_result r;
    struct mesh tall = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_mushroom(&tall, 79, 80, 20, 20);
    CHECK_OK(write_stl(s.model, "tall.stl", &tall));
    s.options.engine = "prusa";
    s.options.memory_bytes = (uint64_t)150 << 20;
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_LIMIT);
    CHECK_TEXT(err.code, "slice_out_of_memory");
    /* CuraEngine catches it and says nothing of it: all that can be told is the likely reason. */
    s.options.engine = "cura";
    s.options.memory_bytes = (uint64_t)600 << 20;
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_failed");
    CHECK(strstr(err.what, "memory"));
    mesh_free(&tall);
    close_setting(&s);
}

static void test_faults__a_time_limit_is_said_so(void)
{
    SKIP_WITHOUT_BOTH();
    for (int e = 0; e < 2; e++) {
        struct setting s;
        struct slice_result r;
        CHECK_OK(open_box(&s, (float[]){-100, -100, 0}, (float[]){100, 100, 240}));
        set_number(&s, "infill_percent", 60);
        cJSON_ReplaceItemInObject(s.profile.process, "infill_pattern",
                                  cJSON_CreateString("gyroid"));
        s.options.engine = engine_names[e];
        s.options.timeout_s = 1;
        CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_LIMIT);
        CHECK_TEXT(err.code, "slice_timeout");
        CHECK(count_files() == 1);
        close_setting(&s);
    }
}

/* Runs a program as an engine would be, and fails in the words that its complaints are known by. */
static int fail_as(const char *name, const char *const *argv, struct child_result *r)
{
    const struct engine *engine = engine_find(name);
    char said[4097] = "";
    if (child_run(r, &(struct child_options){.argv = argv, .folder = folder}, &err))
        return 0;
    snprintf(said, sizeof said, "%.4000s", r->err.data ? (char *)r->err.data : "");
    return fault_fail(fault_find(name, said), engine, said, &err);
}

/* What our own look at the model keeps from the engines, in case it comes all the same. */
static void test_faults__the_engines_own_refusals_are_understood(void)
{
    SKIP_WITHOUT_BOTH();
    static const struct {
        const char *engine, *argv[12], *code;
        int exit_code, signal;
    } cases[] = {
        {"prusa", {"prusa-slicer", "-g", "bad.3mf"}, "slice_model_unreadable", 1, 0},
        {"prusa", {"prusa-slicer", "-g", "big.stl"}, "slice_outside_bed", -1, 6},
        {"prusa", {"prusa-slicer", "-g", "ok.stl", "-o", "no/x.gcode"}, "slice_unwritable", 1, 0},
        {"cura",
         {"CuraEngine", "slice", "-v", "-j", "none.def.json", "-e0", "-l", "no.stl"},
         "slice_model_unreadable",
         1,
         0},
        {"cura",
         {"CuraEngine", "slice", "-v", "-j", "none.def.json", "-e0", "-l", "ok.stl"},
         "slice_bad_settings",
         2,
         0}};
    struct setting s;
    struct mesh box = {0};
    char path[160];
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_box(&box, (float[]){-5, -5, 0}, (float[]){5, 5, 5});
    CHECK_OK(write_stl(path, "ok.stl", &box));
    mesh_free(&box);
    make_box(&box, (float[]){-500, -500, 0}, (float[]){500, 500, 5});
    CHECK_OK(write_stl(path, "big.stl", &box));
    mesh_free(&box);
    snprintf(path, sizeof path, "%s/bad.3mf", folder);
    CHECK_OK(file_write(path, "junk", 4, &err));
    snprintf(path, sizeof path, "%s/none.def.json", folder);
    static const char none[] =
        "{\"version\":2,\"metadata\":{},\"settings\":{\"all\":{\"type\":\"category\",\"children\":"
        "{\"machine_extruder_count\":{\"default_value\":1},\"mesh_rotation_matrix\":"
        "{\"default_value\":\"[[1,0,0],[0,1,0],[0,0,1]]\"}}}}}";
    CHECK_OK(file_write(path, none, sizeof none - 1, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct child_result r;
        memset(&err, 0, sizeof err);
        CHECK(fail_as(cases[i].engine, cases[i].argv, &r) == -1);
        if (strcmp(err.code, cases[i].code) != 0 || r.exit_code != cases[i].exit_code ||
            r.signal != cases[i].signal)
            TEST_GIVE_UP("case %zu: %s, code %d, signal %d: %.200s", i, err.code, r.exit_code,
                         r.signal, r.err.data ? (char *)r.err.data : "");
        child_result_free(&r);
    }
    close_setting(&s);
}

/* A program of that name in front of all others, that does as the script says. */
static void put_program(const char *name, const char *script)
{
    char path[160];
    static char variable[4096];
    snprintf(path, sizeof path, "%s/bin", folder);
    if (folder_make(path, &err))
        abort();
    snprintf(variable, sizeof variable, "%s:/usr/bin:/bin", path);
    setenv("PATH", variable, 1);
    snprintf(path, sizeof path, "%s/bin/%s", folder, name);
    if (file_write(path, script, strlen(script), &err) || chmod(path, 0755))
        abort();
}

static void test_faults__the_ends_by_a_signal_are_told_apart(void)
{
    static const struct {
        const char *signal, *code;
        enum err_kind kind;
    } cases[] = {{"ABRT", "slice_failed", ERR_INPUT},
                 {"SEGV", "slice_failed", ERR_INPUT},
                 {"KILL", "slice_out_of_memory", ERR_LIMIT},
                 {"XFSZ", "slice_too_large", ERR_LIMIT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct setting s;
        struct slice_result r;
        char script[200];
        CHECK_OK(open_ok(&s));
        snprintf(script, sizeof script,
                 "#!/bin/sh\n[ $1 = help ] && echo Cura_SteamEngine version 4.13.0 && exit 0\n"
                 "kill -%s $$\n",
                 cases[i].signal);
        put_program("CuraEngine", script);
        CHECK_FAILS(slice_run(&r, &s.options, &err), cases[i].kind);
        CHECK_TEXT(err.code, cases[i].code);
        close_setting(&s);
    }
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
}

static void test_faults__words_that_nobody_knows_are_handed_on(void)
{
    struct setting s;
    struct slice_result r;
    CHECK_OK(open_ok(&s));
    put_program("CuraEngine", "#!/bin/sh\n[ $1 = help ] && echo Cura_SteamEngine version 4.13.0 "
                              "&& exit 0\necho '[ERROR] The moon is full.' >&2\nexit 3\n");
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_failed");
    CHECK(strstr(err.what, "The moon is full."));
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    close_setting(&s);
}

static void test_faults__an_engine_that_is_not_there_is_named_with_its_package(void)
{
    struct setting s;
    struct slice_result r;
    char hash[65];
    CHECK_OK(open_ok(&s));
    setenv("PATH", folder, 1);
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_ABSENT);
    CHECK_TEXT(err.code, "program_missing");
    CHECK(strstr(err.what, "package cura-engine"));
    s.options.engine = "prusa";
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_ABSENT);
    CHECK(strstr(err.what, "package prusa-slicer"));
    CHECK_FAILS(slice_hash(hash, &s.options, &err), ERR_ABSENT);
    s.options.engine = "skeinforge";
    CHECK_FAILS(slice_hash(hash, &s.options, &err), ERR_ABSENT);
    CHECK_TEXT(err.code, "unknown_engine");
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    close_setting(&s);
}

TESTS(TEST(test_faults__what_the_engines_take_in_silence_is_refused_before),
      TEST(test_faults__stl_that_is_cut_off_garbage_or_text_is_unreadable),
      TEST(test_faults__nothing_thick_or_high_enough_is_slice_empty),
      TEST(test_faults__no_first_layer_is_said_so), TEST(test_faults__bad_settings_are_said_so),
      TEST(test_faults__too_little_memory_is_said_so), TEST(test_faults__a_time_limit_is_said_so),
      TEST(test_faults__the_engines_own_refusals_are_understood),
      TEST(test_faults__the_ends_by_a_signal_are_told_apart),
      TEST(test_faults__words_that_nobody_knows_are_handed_on),
      TEST(test_faults__an_engine_that_is_not_there_is_named_with_its_package))
