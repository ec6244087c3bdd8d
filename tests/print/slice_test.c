/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/slice: profiles, and real jobs through the real CuraEngine. */
#include "tests/print/plates.h"
#include "tests/print/slices.h"

static void test_slice__a_figure_becomes_checked_gcode(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result r;
    struct mesh figure = {0};
    struct told told = {0};
    struct bytes text = {0};
    char hash[SHA256_HEX];
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_figure(&figure);
    CHECK_OK(write_stl(s.model, "figure.stl", &figure));
    s.options.label = "item 7\n;LAYER:99";
    s.options.on_progress = on_progress;
    s.options.user = &told;
    CHECK_OK(slice_run(&r, &s.options, &err));
    CHECK_TEXT(r.engine, "cura");
    CHECK(r.layer_count == 75);
    CHECK_NEAR(r.height_mm, 15, 0.01);
    CHECK(r.print_time_s > 120 && r.print_time_s < 3600);
    CHECK(r.filament_mm > 200 && r.filament_mm < 1500);
    CHECK_NEAR(r.filament_g, r.filament_mm * 2.40528 * 1.24 / 1000, 0.01);
    CHECK(told.times > 10 && !told.fell && told.last > 0.9);
    CHECK_OK(sha256_file(hash, NULL, out_path, &err));
    CHECK_TEXT(r.gcode_hash, hash);
    CHECK_OK(bytes_read_file(&text, out_path, &err));
    CHECK(strstr((char *)text.data, ";Statuette label: item 7;LAYER:99\n"));
    CHECK(strstr((char *)text.data, "; thumbnail begin 300x300 "));
    CHECK(strstr((char *)text.data, ";TYPE:SUPPORT"));
    CHECK(!strstr((char *)text.data, "TIME:6666"));
    CHECK(count_files() == 2); /* the model and the G-code: the temp folder is gone */
    bytes_free(&text);
    mesh_free(&figure);
    close_setting(&s);
}

static void test_slice__threemf_and_stl_and_a_second_run_give_the_same_bytes(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result first, second, threemf;
    struct mesh figure = {0};
    struct bytes file = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_figure(&figure);
    CHECK_OK(write_stl(s.model, "figure.stl", &figure));
    CHECK_OK(slice_run(&first, &s.options, &err));
    CHECK_OK(slice_run(&second, &s.options, &err));
    CHECK_TEXT(second.gcode_hash, first.gcode_hash);
    CHECK_TEXT(second.closure_hash, first.closure_hash);
    /* The 3MF places its item in the middle of the bed, as the engine does. */
    CHECK_OK(write_one(&file, ONE(.mesh = &figure, .x_mm = 110, .y_mm = 110), &err));
    snprintf(s.model, sizeof s.model, "%s/figure.3mf", folder);
    CHECK_OK(file_write(s.model, file.data, file.len, &err));
    CHECK_OK(slice_run(&threemf, &s.options, &err));
    CHECK_TEXT(threemf.gcode_hash, first.gcode_hash);
    bytes_free(&file);
    mesh_free(&figure);
    close_setting(&s);
}

static void test_slice__every_printer_takes_every_material(void)
{
    SKIP_WITHOUT_ENGINE();
    static const char *const printers[] = {"ender3v3se", "ender3v3ke", "k2plus"};
    static const char *const materials[] = {"pla", "petg"};
    struct mesh figure = {0};
    char hashes[6][65];
    make_figure(&figure);
    for (int i = 0; i < 6; i++) {
        struct setting s;
        struct slice_result r;
        CHECK_OK(open_setting(&s, printers[i / 2], materials[i % 2]));
        CHECK_OK(write_stl(s.model, "figure.stl", &figure));
        CHECK_OK(slice_run(&r, &s.options, &err));
        snprintf(hashes[i], sizeof hashes[i], "%s", r.closure_hash);
        for (int k = 0; k < i; k++)
            CHECK(strcmp(hashes[i], hashes[k]) != 0);
        close_setting(&s);
    }
    mesh_free(&figure);
}

/* At 100 % the plastic must be the box's volume times the flow ratio, whatever the pattern: a wrong
 * line distance shows as 0.4 or 2.6. */
static void test_slice__infill_distance_is_right_for_each_pattern(void)
{
    SKIP_WITHOUT_ENGINE();
    static const char *const patterns[] = {"grid", "lines", "cubic", "triangles"};
    struct mesh box = {0};
    make_box(&box, (float[]){-10, -10, 0}, (float[]){10, 10, 10});
    for (int i = 0; i < 4; i++) {
        struct setting s;
        struct slice_result r;
        CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
        cJSON *process = s.profile.process;
        cJSON_SetNumberValue(cJSON_GetObjectItem(process, "infill_percent"), 99.9);
        cJSON_SetNumberValue(cJSON_GetObjectItem(process, "top_mm"), 0);
        cJSON_SetNumberValue(cJSON_GetObjectItem(process, "bottom_mm"), 0);
        cJSON_ReplaceItemInObject(process, "infill_pattern", cJSON_CreateString(patterns[i]));
        cJSON_ReplaceItemInObject(cJSON_GetObjectItem(process, "adhesion"), "type",
                                  cJSON_CreateString("none"));
        CHECK_OK(write_stl(s.model, "box.stl", &box));
        CHECK_OK(slice_run(&r, &s.options, &err));
        CHECK_NEAR(r.filament_mm * 2.40528 / 4000, 0.95, 0.04);
        close_setting(&s);
    }
    mesh_free(&box);
}

static void test_slice__a_model_as_wide_as_the_bed_goes_without_brim(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result r;
    struct mesh wide = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_box(&wide, (float[]){-109.5f, -20, 0}, (float[]){109.5f, 20, 1});
    CHECK_OK(write_stl(s.model, "wide.stl", &wide));
    CHECK_OK(slice_run(&r, &s.options, &err));
    mesh_free(&wide);
    close_setting(&s);
}

/* CuraEngine reserves 4.3 GB of address space for 400 layers of support: 4 GiB was not enough. */
static void test_slice__a_tall_figure_with_support_has_room(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result r;
    struct mesh tall = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_mushroom(&tall, 79, 80, 20, 20);
    CHECK_OK(write_stl(s.model, "tall.stl", &tall));
    CHECK_OK(slice_run(&r, &s.options, &err));
    CHECK(r.layer_count == 400);
    mesh_free(&tall);
    close_setting(&s);
}

/* All that CuraEngine takes without a word, or with exit code 0. */
static void test_slice__refuses_models_that_the_engine_would_take(void)
{
    static const struct {
        float low[3], high[3];
        const char *code;
    } cases[] = {{{-200, -5, 0}, {200, 5, 10}, "slice_outside_bed"},
                 {{-5, -5, 0}, {5, 5, 260}, "slice_outside_bed"},
                 {{80, -5, 0}, {120, 5, 10}, "slice_outside_bed"},
                 {{-5, -5, -3}, {5, 5, 10}, "slice_outside_bed"}};
    struct setting s;
    struct slice_result r;
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    CHECK_OK(file_write(out_path, "before", 6, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mesh box = {0};
        make_box(&box, cases[i].low, cases[i].high);
        CHECK_OK(write_stl(s.model, "box.stl", &box));
        CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
        CHECK_TEXT(err.code, cases[i].code);
        mesh_free(&box);
    }
    struct bytes kept = {0};
    CHECK_OK(bytes_read_file(&kept, out_path, &err));
    CHECK_TEXT((char *)kept.data, "before");
    CHECK(count_files() == 2);
    bytes_free(&kept);
    close_setting(&s);
}

static void test_slice__refuses_stl_that_is_cut_off_empty_or_text(void)
{
    struct setting s;
    struct slice_result r;
    struct mesh box = {0};
    struct bytes stl = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_box(&box, (float[]){-5, -5, 0}, (float[]){5, 5, 10});
    CHECK_OK(write_stl(s.model, "box.stl", &box));
    CHECK_OK(bytes_read_file(&stl, s.model, &err));
    CHECK_OK(file_write(s.model, stl.data, stl.len - 30, &err));
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_model_unreadable");
    memset(stl.data + 80, 0, 4);
    CHECK_OK(file_write(s.model, stl.data, 84, &err));
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_empty");
    CHECK_OK(file_write(s.model, "solid x\nendsolid x\n", 19, &err));
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    unlink(s.model);
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_ABSENT);
    bytes_free(&stl);
    mesh_free(&box);
    close_setting(&s);
}

static void test_slice__what_the_engine_prints_nothing_of_is_slice_empty(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result r;
    struct mesh box = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    /* A wall a tenth of a line wide; then a layer height that is no number. */
    make_box(&box, (float[]){-5, -0.02f, 0}, (float[]){5, 0.02f, 10});
    CHECK_OK(write_stl(s.model, "thin.stl", &box));
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_empty");
    mesh_free(&box);
    make_box(&box, (float[]){-5, -5, 0}, (float[]){5, 5, 10});
    CHECK_OK(write_stl(s.model, "box.stl", &box));
    cJSON *cura = cJSON_AddObjectToObject(s.profile.engines, "cura");
    cJSON_AddStringToObject(cura, "layer_height", "abc");
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "slice_bad_settings");
    CHECK(access(out_path, F_OK) != 0);
    CHECK(count_files() == 2);
    mesh_free(&box);
    close_setting(&s);
}

static void test_slice__end_code_that_leaves_the_heaters_on_is_rejected(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result r;
    struct mesh box = {0};
    CHECK_OK(open_setting(&s, "ender3v3se", "pla"));
    make_box(&box, (float[]){-5, -5, 0}, (float[]){5, 5, 10});
    CHECK_OK(write_stl(s.model, "box.stl", &box));
    cJSON *end = cJSON_CreateArray();
    cJSON_AddItemToArray(end, cJSON_CreateString("M104 S0"));
    cJSON_ReplaceItemInObject(s.profile.printer.settings, "end_gcode", end);
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "gcode_rejected");
    CHECK(strstr(err.what, "heaters_left_on"));
    CHECK(access(out_path, F_OK) != 0);
    cJSON_AddItemToArray(end, cJSON_CreateString("M140 S{nonsense}"));
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "schema_violation");
    mesh_free(&box);
    close_setting(&s);
}

static void test_slice__stops_when_told_and_refuses_what_cannot_be(void)
{
    SKIP_WITHOUT_ENGINE();
    struct setting s;
    struct slice_result r;
    struct mesh box = {0};
    atomic_bool stop = true;
    CHECK_OK(open_setting(&s, "ender3v3se", "petg"));
    make_box(&box, (float[]){-50, -50, 0}, (float[]){50, 50, 200});
    CHECK_OK(write_stl(s.model, "box.stl", &box));
    s.options.stop = &stop;
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_LATER);
    CHECK_TEXT(err.code, "slice_stopped");
    s.options.stop = NULL;
    s.options.engine = "skeinforge";
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_ABSENT);
    CHECK_TEXT(err.code, "unknown_engine");
    s.options.engine = "cura";
    s.profile.material.nozzle_c = 400;
    CHECK_FAILS(slice_run(&r, &s.options, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "material_too_hot");
    CHECK(count_files() == 1);
    mesh_free(&box);
    close_setting(&s);
}

static void test_profile__unknown_ids_name_those_there_are(void)
{
    struct printer_profile printer;
    struct material_profile material;
    CHECK_FAILS(printer_profile_load(&printer, NULL, "nope", &err), ERR_ABSENT);
    CHECK_TEXT(err.code, "unknown_printer");
    CHECK(strstr(err.what, "ender3v3se"));
    CHECK_FAILS(material_profile_load(&material, NULL, "../printers/ender3v3se", &err), ERR_ABSENT);
    CHECK_TEXT(err.code, "unknown_material");
    CHECK(strstr(err.what, "petg, pla"));
}

static void test_profile__a_folder_is_read_and_held_to_the_schema(void)
{
    static const char pla[] =
        "{\"id\":\"mine\",\"name\":\"Mine\",\"nozzle_c\":%d,\"first_layer_nozzle_c\":210,"
        "\"bed_c\":60,\"diameter_mm\":1.75,\"density_g_cm3\":1.24,\"flow_percent\":100,"
        "\"max_flow_mm3_s\":12,\"min_wall_mm\":0.8,\"fan\":{\"percent\":100,"
        "\"first_layer_percent\":0,\"full_at_mm\":0.5},\"min_layer_time_s\":5,"
        "\"min_speed_mm_s\":10}";
    char path[160], text[600];
    struct material_profile material = {0};
    snprintf(folder, sizeof folder, "/tmp/statuette-test-XXXXXX");
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/materials", folder);
    CHECK_OK(folder_make(path, &err));
    snprintf(path, sizeof path, "%s/materials/mine.json", folder);
    snprintf(text, sizeof text, pla, 205);
    CHECK_OK(file_write(path, text, strlen(text), &err));
    CHECK_OK(material_profile_load(&material, folder, "mine", &err));
    CHECK_NEAR(material.nozzle_c, 205, 0);
    material_profile_free(&material);
    snprintf(text, sizeof text, pla, 5000);
    CHECK_OK(file_write(path, text, strlen(text), &err));
    CHECK_FAILS(material_profile_load(&material, folder, "mine", &err), ERR_INPUT);
    CHECK_TEXT(err.code, "schema_violation");
    CHECK(strstr(err.what, "nozzle_c"));
    /* The built-in ones stand beside one's own. */
    CHECK_OK(material_profile_load(&material, folder, "pla", &err));
    material_profile_free(&material);
    CHECK_FAILS(material_profile_load(&material, folder, "nope", &err), ERR_ABSENT);
    CHECK(strstr(err.what, "mine") && strstr(err.what, "pla"));
    folder_remove(folder);
}

TESTS(TEST(test_profile__unknown_ids_name_those_there_are),
      TEST(test_profile__a_folder_is_read_and_held_to_the_schema),
      TEST(test_slice__a_figure_becomes_checked_gcode),
      TEST(test_slice__threemf_and_stl_and_a_second_run_give_the_same_bytes),
      TEST(test_slice__every_printer_takes_every_material),
      TEST(test_slice__infill_distance_is_right_for_each_pattern),
      TEST(test_slice__a_model_as_wide_as_the_bed_goes_without_brim),
      TEST(test_slice__a_tall_figure_with_support_has_room),
      TEST(test_slice__refuses_models_that_the_engine_would_take),
      TEST(test_slice__refuses_stl_that_is_cut_off_empty_or_text),
      TEST(test_slice__what_the_engine_prints_nothing_of_is_slice_empty),
      TEST(test_slice__end_code_that_leaves_the_heaters_on_is_rejected),
      TEST(test_slice__stops_when_told_and_refuses_what_cannot_be))
