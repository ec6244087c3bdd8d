/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/slice: files that inherit, the merged and frozen profile, and CuraEngine's list of it. */
#include "base/bytes.h"
#include "base/hash.h"
#include "print/slice/engine.h"
#include "print/slice/profile_check.h"
#include "print/slice/profile_files.h"
#include "tests/test.h"

#include <unistd.h>

static struct err err;
static char folder[64];

static void open_folder(void)
{
    static const char *const kinds[] = {"printers", "materials", "processes"};
    char path[120];
    snprintf(folder, sizeof folder, "/tmp/statuette-test-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, kinds[i]);
        if (folder_make(path, &err))
            abort();
    }
}

static void put(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_write(path, text, strlen(text), &err))
        abort();
}

static double in(const cJSON *object, const char *group, const char *name)
{
    return json_number(group ? json_get(object, group) : object, name, -1);
}

static void test_profile__a_file_stands_on_its_parents(void)
{
    struct profile p;
    open_folder();
    put("processes/sturdy.json",
        "{\"id\":\"sturdy\",\"name\":\"Sturdy\",\"inherits\":\"figure-fine\","
        "\"process\":{\"wall_count\":5,\"support\":{\"gap_mm\":0.1}}}");
    put("processes/sturdier.json", "{\"id\":\"sturdier\",\"name\":\"Sturdier\","
                                   "\"inherits\":\"sturdy\",\"process\":{\"infill_percent\":40}}");
    CHECK_OK(profile_load(&p, folder, "ender3v3se", "pla", "sturdier", &err));
    CHECK_TEXT(p.process_id, "sturdier");
    CHECK_TEXT(p.process_name, "Sturdier");
    CHECK_NEAR(in(p.process, NULL, "infill_percent"), 40, 0);      /* its own */
    CHECK_NEAR(in(p.process, NULL, "wall_count"), 5, 0);           /* its parent's */
    CHECK_NEAR(in(p.process, NULL, "layer_height_mm"), 0.12, 0);   /* figure-fine's */
    CHECK_NEAR(in(p.process, "support", "side_gap_mm"), 0.8, 0);   /* figure's, */
    CHECK_NEAR(in(p.process, "support", "gap_mm"), 0.1, 0);        /* in an object that merged */
    CHECK_NEAR(in(p.process, "speeds_mm_s", "travel"), 150, 0);    /* the printer's, */
    CHECK_NEAR(in(p.process, "speeds_mm_s", "outer_wall"), 54, 0); /* at 90 percent */
    CHECK(!json_get(p.process, "inherits") && !json_get(p.process, "speed_percent"));
    profile_free(&p);
    folder_remove(folder);
}

static void test_profile__ones_own_file_may_stand_on_the_built_in_one_of_its_name(void)
{
    struct printer_profile p;
    open_folder();
    put("printers/k2plus.json", "{\"id\":\"k2plus\",\"inherits\":\"k2plus\",\"bed_max_c\":99,"
                                "\"thumbnails\":[[64,48]]}");
    CHECK_OK(printer_profile_load(&p, folder, "k2plus", &err));
    CHECK_NEAR(json_number(p.settings, "bed_max_c", 0), 99, 0);
    CHECK_NEAR(p.bed_mm[0], 350, 0);
    CHECK_TEXT(p.flavour, "klipper");
    CHECK(cJSON_GetArraySize(json_get(p.settings, "thumbnails")) == 1); /* lists are replaced */
    printer_profile_free(&p);
    folder_remove(folder);
}

static void test_profile__names_parents_that_are_missing_or_go_round(void)
{
    struct profile p;
    open_folder();
    put("materials/lost.json", "{\"id\":\"lost\",\"name\":\"Lost\",\"inherits\":\"nowhere\"}");
    CHECK_FAILS(profile_load(&p, folder, "k2plus", "lost", NULL, &err), ERR_INPUT);
    CHECK_TEXT(err.code, "unknown_parent");
    CHECK(strstr(err.what, "lost inherits nowhere") && strstr(err.what, "hyper-pla"));
    put("processes/a.json", "{\"id\":\"a\",\"name\":\"A\",\"inherits\":\"b\"}");
    put("processes/b.json", "{\"id\":\"b\",\"name\":\"B\",\"inherits\":\"c\"}");
    put("processes/c.json", "{\"id\":\"c\",\"name\":\"C\",\"inherits\":\"a\"}");
    CHECK_FAILS(profile_load(&p, folder, "k2plus", "pla", "a", &err), ERR_INPUT);
    CHECK_TEXT(err.code, "inherits_cycle");
    CHECK(strstr(err.what, "a > b > c > a"));
    put("processes/a.json", "{\"id\":\"a\",\"name\":\"A\",\"inherits\":7}");
    CHECK_FAILS(profile_load(&p, folder, "k2plus", "pla", "a", &err), ERR_INPUT);
    CHECK_TEXT(err.code, "schema_violation");
    CHECK_FAILS(profile_load(&p, folder, "k2plus", "pla", "nope", &err), ERR_ABSENT);
    CHECK_TEXT(err.code, "unknown_process");
    CHECK(strstr(err.what, "a, b, c, figure"));
    folder_remove(folder);
}

static void test_profile__the_material_has_the_last_word(void)
{
    struct profile p;
    open_folder();
    put("materials/slow.json", "{\"id\":\"slow\",\"name\":\"Slow\",\"inherits\":\"petg\","
                               "\"engines\":{\"cura\":{\"z_seam_type\":\"shortest\"}},"
                               "\"process\":{\"speed_percent\":50,\"speeds_mm_s\":{\"infill\":33},"
                               "\"retraction\":{\"hop_mm\":0.6}}}");
    CHECK_OK(profile_load(&p, folder, "ender3v3se", "slow", "lithophane", &err));
    CHECK_NEAR(in(p.process, "speeds_mm_s", "outer_wall"), 15, 0); /* the lithophane's 30, halved */
    CHECK_NEAR(in(p.process, "speeds_mm_s", "infill"), 33, 0);
    CHECK_NEAR(in(p.process, "speeds_mm_s", "first_layer"), 25, 0);
    CHECK_NEAR(in(p.process, "retraction", "hop_mm"), 0.6, 0);
    CHECK_NEAR(in(p.process, "retraction", "speed_mm_s"), 30, 0); /* petg's */
    CHECK_NEAR(in(p.process, "retraction", "length_mm"), 0.8, 0); /* the printer's */
    CHECK_TEXT(json_text(json_get(p.engines, "cura"), "z_seam_type", ""), "shortest");
    profile_free(&p);
    folder_remove(folder);
}

static void test_profile__a_printer_file_says_nothing_of_layers(void)
{
    struct printer_profile p;
    open_folder();
    put("printers/mine.json", "{\"id\":\"mine\",\"name\":\"M\",\"inherits\":\"generic-marlin\","
                              "\"process\":{\"layer_height_mm\":0.1}}");
    CHECK_FAILS(printer_profile_load(&p, folder, "mine", &err), ERR_INPUT);
    CHECK(strstr(err.what, "/process") && strstr(err.what, "layer_height_mm"));
    folder_remove(folder);
}

/* CuraEngine's list of a profile. */
static cJSON *list_of(const char *config, const char *printer, const char *material,
                      const char *process)
{
    struct profile p;
    cJSON *out = NULL;
    if (profile_load(&p, config, printer, material, process, &err))
        return NULL;
    const struct slice_options options = {.profile = &p};
    const struct engine_job job = {.options = &options};
    if (cura_settings(&out, &job, &err))
        out = NULL;
    profile_free(&p);
    return out;
}

static const char *said(const cJSON *list, const char *key)
{
    return json_text(list, key, "(absent)");
}

/* What must be passed so that the G-code is right: taking any of these away from the full list of
 * an Ender-3 V3 SE changed the G-code of a cube, or of a T with support. */
static const char *const needed[] = {"acceleration_enabled",
                                     "acceleration_infill",
                                     "acceleration_print_layer_0",
                                     "acceleration_skirt_brim",
                                     "acceleration_topbottom",
                                     "acceleration_travel",
                                     "acceleration_travel_layer_0",
                                     "acceleration_wall_0",
                                     "acceleration_wall_x",
                                     "adhesion_type",
                                     "bottom_layers",
                                     "bottom_skin_expand_distance",
                                     "cool_fan_full_layer",
                                     "cool_min_layer_time",
                                     "cool_min_speed",
                                     "infill_before_walls",
                                     "infill_line_distance",
                                     "infill_line_width",
                                     "infill_overlap_mm",
                                     "infill_wipe_dist",
                                     "initial_bottom_layers",
                                     "layer_height",
                                     "layer_height_0",
                                     "machine_acceleration",
                                     "machine_depth",
                                     "machine_end_gcode",
                                     "machine_max_acceleration_z",
                                     "machine_max_feedrate_e",
                                     "machine_max_feedrate_z",
                                     "machine_max_jerk_xy",
                                     "machine_start_gcode",
                                     "machine_width",
                                     "material_diameter",
                                     "material_print_temp_prepend",
                                     "material_print_temperature",
                                     "material_print_temperature_layer_0",
                                     "meshfix_maximum_resolution",
                                     "meshfix_maximum_travel_resolution",
                                     "retraction_amount",
                                     "retraction_combing",
                                     "retraction_combing_max_distance",
                                     "retraction_hop",
                                     "retraction_hop_enabled",
                                     "retraction_prime_speed",
                                     "retraction_retract_speed",
                                     "skin_line_width",
                                     "skin_overlap_mm",
                                     "skirt_brim_line_width",
                                     "skirt_gap",
                                     "speed_infill",
                                     "speed_topbottom",
                                     "speed_travel",
                                     "speed_travel_layer_0",
                                     "speed_wall_0",
                                     "speed_wall_x",
                                     "speed_z_hop",
                                     "top_layers",
                                     "wall_0_wipe_dist",
                                     "wall_line_width_0",
                                     "wall_line_width_x",
                                     "z_seam_type",
                                     "z_seam_x",
                                     "z_seam_y",
                                     "acceleration_support_infill",
                                     "acceleration_support_roof",
                                     "speed_support_roof",
                                     "support_brim_enable",
                                     "support_brim_line_count",
                                     "support_enable",
                                     "support_line_distance",
                                     "support_line_width",
                                     "support_roof_enable",
                                     "support_roof_height",
                                     "support_roof_line_distance",
                                     "support_roof_line_width",
                                     "support_roof_pattern",
                                     "support_xy_distance"};

static void check_list(const cJSON *list)
{
    const cJSON *item;
    CHECK(list);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (strcmp(said(list, needed[i]), "(absent)") == 0)
            TEST_GIVE_UP("%s is missing", needed[i]);
    cJSON_ArrayForEach (item, list) {
        CHECK(cJSON_IsString(item));
        if (strstr(item->valuestring, "nan") || strstr(item->valuestring, "inf"))
            TEST_GIVE_UP("%s = %s", item->string, item->valuestring);
        if (item->next)
            CHECK(strcmp(item->string, item->next->string) < 0);
    }
}

static void test_cura__every_printer_material_and_process_gives_a_whole_list(void)
{
    cJSON *ids[3];
    const cJSON *printer, *material, *process;
    int count = 0;
    for (int kind = 0; kind < 3; kind++)
        CHECK_OK(profile_list(&ids[kind], (enum profile_kind)kind, NULL, &err));
    cJSON_ArrayForEach (printer, ids[0])
        cJSON_ArrayForEach (material, ids[1])
            cJSON_ArrayForEach (process, ids[2]) {
                cJSON *list = list_of(NULL, printer->valuestring, material->valuestring,
                                      process->valuestring);
                check_list(list);
                cJSON_Delete(list);
                count++;
            }
    CHECK(count == 6 * 4 * 4);
    for (int kind = 0; kind < 3; kind++)
        cJSON_Delete(ids[kind]);
}

static void test_cura__knows_the_formulas_that_its_front_end_has(void)
{
    cJSON *l = list_of(NULL, "ender3v3se", "pla", "figure");
    CHECK_TEXT(said(l, "top_layers"), "4"); /* 0.8 / 0.2 */
    CHECK_TEXT(said(l, "initial_bottom_layers"), "4");
    CHECK_TEXT(said(l, "infill_line_distance"), "6");  /* 0.45 * 100 / 15 * 2 */
    CHECK_TEXT(said(l, "infill_overlap_mm"), "0.135"); /* (0.45 + 0.45) / 2 * 30 % */
    CHECK_TEXT(said(l, "skin_overlap_mm"), "0.0435");  /* (0.42 + 0.45) / 2 * 10 % */
    CHECK_TEXT(said(l, "bottom_skin_expand_distance"), "0.87");
    CHECK_TEXT(said(l, "cool_fan_full_layer"), "4"); /* floor((0.6 - 0.2) / 0.2) + 2 */
    CHECK_TEXT(said(l, "brim_line_count"), "7");     /* 3 / 0.45, rounded up */
    CHECK_TEXT(said(l, "speed_travel_layer_0"), "100");
    CHECK_TEXT(said(l, "z_seam_x"), "110"); /* back: the middle of the far edge */
    CHECK_TEXT(said(l, "z_seam_y"), "220");
    CHECK_TEXT(said(l, "support_line_distance"), "3"); /* 0.45 * 100 / 15 */
    CHECK_TEXT(said(l, "material_print_temp_prepend"), "false");
    cJSON_Delete(l);
    l = list_of(NULL, "ender3v3se", "pla", "figure-fine");
    CHECK_TEXT(said(l, "top_layers"), "7"); /* 0.8 / 0.12, rounded up */
    CHECK_TEXT(said(l, "speed_wall_0"), "54");
    CHECK_TEXT(said(l, "speed_print_layer_0"), "30");
    cJSON_Delete(l);
    l = list_of(NULL, "ender3v3se", "pla", "lithophane");
    CHECK_TEXT(said(l, "top_layers"), "0"); /* all of it is skin */
    CHECK_TEXT(said(l, "bottom_layers"), "999999");
    CHECK_TEXT(said(l, "infill_overlap_mm"), "0");
    CHECK_TEXT(said(l, "support_enable"), "false");
    CHECK_TEXT(said(l, "wall_line_count"), "3");
    cJSON_Delete(l);
}

static void test_cura__lines_lie_further_apart_where_they_go_several_ways(void)
{
    static const struct {
        const char *pattern, *distance;
    } patterns[] = {{"lines", "2.25"},  {"zigzag", "2.25"},    {"concentric", "2.25"},
                    {"gyroid", "2.25"}, {"grid", "4.5"},       {"triangles", "6.75"},
                    {"cubic", "6.75"},  {"trihexagon", "6.75"}};
    char text[200];
    open_folder();
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        snprintf(text, sizeof text,
                 "{\"id\":\"p\",\"name\":\"P\",\"inherits\":\"figure\",\"process\":"
                 "{\"infill_percent\":20,\"infill_pattern\":\"%s\"}}",
                 patterns[i].pattern);
        put("processes/p.json", text);
        cJSON *l = list_of(folder, "k2plus", "pla", "p");
        CHECK_TEXT(said(l, "infill_line_distance"), patterns[i].distance);
        cJSON_Delete(l);
    }
    put("processes/p.json", "{\"id\":\"p\",\"name\":\"P\",\"inherits\":\"figure\",\"process\":"
                            "{\"infill_percent\":0}}");
    cJSON *l = list_of(folder, "k2plus", "pla", "p");
    CHECK_TEXT(said(l, "infill_line_distance"), "0"); /* none, not endless */
    cJSON_Delete(l);
    folder_remove(folder);
}

static void test_cura__no_speed_melts_more_than_material_and_hot_end_can(void)
{
    /* 15 mm3/s of the hot end through 0.45 x 0.2 mm; the material would allow 23. */
    cJSON *l = list_of(NULL, "prusa-mk4", "hyper-pla", NULL);
    CHECK_TEXT(said(l, "speed_infill"), "166.667");
    CHECK_TEXT(said(l, "speed_travel"), "300");
    cJSON_Delete(l);
    l = list_of(NULL, "k2plus", "hyper-pla", NULL);
    CHECK_TEXT(said(l, "speed_infill"), "255.556"); /* 23 mm3/s */
    cJSON_Delete(l);
    l = list_of(NULL, "k2plus", "petg", NULL);
    CHECK_TEXT(said(l, "speed_infill"), "111.111"); /* 10 mm3/s */
    cJSON_Delete(l);
}

static void test_cura__an_object_gets_only_what_differs(void)
{
    struct profile p;
    cJSON *out = NULL;
    CHECK_OK(profile_load(&p, NULL, "ender3v3se", "pla", NULL, &err));
    CHECK_OK(cura_object_settings(&out, &p, NULL, &err));
    CHECK(cJSON_GetArraySize(out) == 0);
    cJSON_Delete(out);
    cJSON *own = cJSON_Parse("{\"infill_percent\": 100, \"wall_count\": 3,"
                             " \"support\": {\"enabled\": false}}");
    CHECK_OK(cura_object_settings(&out, &p, own, &err));
    CHECK_TEXT(said(out, "infill_line_distance"), "0.9");
    CHECK_TEXT(said(out, "bottom_layers"), "999999");
    CHECK_TEXT(said(out, "top_layers"), "0");
    CHECK_TEXT(said(out, "infill_overlap_mm"), "0");
    CHECK_TEXT(said(out, "wall_line_count"), "3");
    CHECK_TEXT(said(out, "top_skin_preshrink"), "1.32");
    CHECK_TEXT(said(out, "support_enable"), "false");
    CHECK(!json_get(out, "layer_height") && !json_get(out, "machine_width"));
    CHECK(cJSON_GetArraySize(out) == 12);
    cJSON_Delete(out);
    cJSON_Delete(own);
    own = cJSON_Parse("{\"infill_percent\": 15}"); /* as it is */
    CHECK_OK(cura_object_settings(&out, &p, own, &err));
    CHECK(cJSON_GetArraySize(out) == 0);
    cJSON_Delete(out);
    cJSON_Delete(own);
    own = cJSON_Parse("{\"layer_height_mm\": 0.1}"); /* one plate has one layer height */
    CHECK_FAILS(cura_object_settings(&out, &p, own, &err), ERR_INPUT);
    CHECK(strstr(err.what, "layer_height_mm"));
    cJSON_Delete(own);
    CHECK_NEAR(in(p.process, NULL, "infill_percent"), 15, 0);
    profile_free(&p);
}

static int frozen(struct bytes *text, char hash[65], const char *config, const char *printer)
{
    struct profile p;
    *text = (struct bytes){0};
    if (profile_load(&p, config, printer, "pla", NULL, &err))
        return -1;
    int failed = profile_frozen(text, hash, &p, &err);
    profile_free(&p);
    return failed;
}

static void test_frozen__is_one_sorted_line_a_leaf(void)
{
    struct bytes text;
    char hash[65], again[65];
    CHECK_OK(frozen(&text, hash, NULL, "ender3v3se"));
    const char *t = (const char *)text.data;
    CHECK(strstr(t, "\nprinter.bed_mm.0=220\n") && strstr(t, "\nprocess.layer_height_mm=0.2\n"));
    CHECK(strstr(t, "\nmaterial.nozzle_c=200\n") && strstr(t, "\nprinter.start_gcode.4=G28\n"));
    CHECK(strstr(t, "\nprocess.support.enabled=true\n"));
    CHECK(!strstr(t, "price") && !strstr(t, "cost") && !strstr(t, "network"));
    for (const char *line = t, *next; (next = strchr(line, '\n')) && next[1]; line = next + 1)
        CHECK(strncmp(line, next + 1, strcspn(next + 1, "\n")) < 0);
    sha256_hex(again, text.data, text.len);
    CHECK_TEXT(hash, again);
    bytes_free(&text);
    CHECK_OK(frozen(&text, again, NULL, "ender3v3se"));
    CHECK_TEXT(hash, again);
    bytes_free(&text);
}

static void test_frozen__changes_with_what_changes_the_print_and_with_nothing_else(void)
{
    struct bytes text;
    char plain[65], hash[65];
    CHECK_OK(frozen(&text, plain, NULL, "ender3v3se"));
    bytes_free(&text);
    open_folder();
    put("printers/ender3v3se.json", "{\"id\":\"ender3v3se\",\"inherits\":\"ender3v3se\","
                                    "\"cost\":{\"power_w\":9},\"network\":\"none\"}");
    CHECK_OK(frozen(&text, hash, folder, "ender3v3se"));
    bytes_free(&text);
    CHECK_TEXT(hash, plain);
    put("printers/ender3v3se.json", "{\"id\":\"ender3v3se\",\"inherits\":\"ender3v3se\","
                                    "\"process\":{\"retraction\":{\"hop_mm\":0.21}}}");
    CHECK_OK(frozen(&text, hash, folder, "ender3v3se"));
    bytes_free(&text);
    CHECK(strcmp(hash, plain) != 0);
    /* A line end inside a text is no line of its own. */
    put("printers/ender3v3se.json", "{\"id\":\"ender3v3se\",\"inherits\":\"ender3v3se\","
                                    "\"name\":\"x\\nprinter.nozzle_mm=9\"}");
    CHECK_OK(frozen(&text, hash, folder, "ender3v3se"));
    CHECK(strstr((char *)text.data, "\nprinter.name=x\\nprinter.nozzle_mm=9\n"));
    bytes_free(&text);
    folder_remove(folder);
}

static void note(void *user, const char *path, const char *what)
{
    if (bytes_printf(user, NULL, "%s %s\n", path, what))
        abort();
}

/* All faults of one file as one text; "" for none. */
static const char *faults_of(enum profile_kind kind, const char *id, struct bytes *list)
{
    bytes_free(list);
    if (profile_check(kind, folder, id, note, list, &err))
        return err.what;
    return list->data ? (const char *)list->data : "";
}

static void test_check__tells_all_that_is_wrong_with_one_file(void)
{
    struct bytes list = {0};
    open_folder();
    put("printers/p.json",
        "{\"id\":\"q\",\"inherits\":\"generic-marlin\",\"name\":\"P\",\"nozzle_mm\":9,"
        "\"process\":{\"retraction\":{\"speed_mm_s\":60}},"
        "\"end_gcode\":[\"M104 S0\",\"M140 S60\"]}");
    CHECK_TEXT(faults_of(PROFILE_PRINTER, "p", &list),
               "/id is q, but the file's name says p\n"
               "/nozzle_mm must be at most 2\n"
               "/end_gcode leaves the bed hot: needs M140 S0\n"
               "/process/retraction/speed_mm_s is 60; the printer's limit speed_e_mm_s is 50\n");
    put("materials/m.json",
        "{\"id\":\"m\",\"name\":\"M\",\"inherits\":\"pla\",\"engines\":{\"cura\":"
        "{\"speed_print\":9,\"speed_infill\":9},\"prusa\":{\"thin_walls\":1}}}");
    CHECK_TEXT(faults_of(PROFILE_MATERIAL, "m", &list),
               "/engines/cura/speed_print is no setting that CuraEngine reads (settings such as "
               "line_width, which others follow from, change nothing)\n");
    put("materials/m.json", "[1]");
    CHECK_TEXT(faults_of(PROFILE_MATERIAL, "m", &list), " must be of type object\n");
    put("materials/m.json", "{\"id\":\"m\",\"inherits\":[]}");
    CHECK(strncmp(faults_of(PROFILE_MATERIAL, "m", &list), "/inherits must be of type string\n",
                  33) == 0);
    bytes_free(&list);
    folder_remove(folder);
}

static void test_check__an_heir_is_not_blamed_for_its_parent(void)
{
    struct bytes list = {0};
    open_folder();
    put("printers/hot.json", "{\"id\":\"hot\",\"name\":\"Hot\",\"inherits\":\"generic-marlin\","
                             "\"nozzle_mm\":9,\"end_gcode\":[\"M84\"]}");
    put("printers/heir.json", "{\"id\":\"heir\",\"name\":\"Heir\",\"inherits\":\"hot\"}");
    CHECK_TEXT(faults_of(PROFILE_PRINTER, "heir", &list), "");
    CHECK(strstr(faults_of(PROFILE_PRINTER, "hot", &list), "leaves the nozzle hot"));
    /* With another flavour the same code is another matter: macros are no more known. */
    put("printers/heir.json", "{\"id\":\"heir\",\"inherits\":\"k2plus\",\"flavour\":\"marlin\"}");
    CHECK(strstr(faults_of(PROFILE_PRINTER, "heir", &list), "/end_gcode/0 END_PRINT is no G-code"));
    bytes_free(&list);
    folder_remove(folder);
}

static void test_check__hot_materials_and_thick_layers_are_held_against_a_printer(void)
{
    struct profile p;
    char what[200];
    CHECK_OK(profile_load(&p, NULL, "ender3v3se", "hyper-petg", NULL, &err));
    CHECK(profile_heat_fits(what, sizeof what, &p) && profile_nozzle_fits(what, sizeof what, &p));
    p.material.bed_c = 101;
    CHECK(!profile_heat_fits(what, sizeof what, &p));
    CHECK_TEXT(what, "hyper-petg wants 250 and 101 C; ender3v3se reaches 260 and 100");
    p.printer.nozzle_mm = 0.25; /* 0.8 of it is 0.2, as thick as the layers */
    CHECK(profile_nozzle_fits(what, sizeof what, &p));
    p.printer.nozzle_mm = 0.24;
    CHECK(!profile_nozzle_fits(what, sizeof what, &p) && strstr(what, "allows 0.192"));
    p.printer.nozzle_mm = 0.8; /* its lines would be half of it */
    CHECK(!profile_nozzle_fits(what, sizeof what, &p) && strstr(what, "allows 0.6 to 1.6"));
    profile_free(&p);
}

TESTS(TEST(test_profile__a_file_stands_on_its_parents),
      TEST(test_profile__ones_own_file_may_stand_on_the_built_in_one_of_its_name),
      TEST(test_profile__names_parents_that_are_missing_or_go_round),
      TEST(test_profile__the_material_has_the_last_word),
      TEST(test_profile__a_printer_file_says_nothing_of_layers),
      TEST(test_cura__every_printer_material_and_process_gives_a_whole_list),
      TEST(test_cura__knows_the_formulas_that_its_front_end_has),
      TEST(test_cura__lines_lie_further_apart_where_they_go_several_ways),
      TEST(test_cura__no_speed_melts_more_than_material_and_hot_end_can),
      TEST(test_cura__an_object_gets_only_what_differs),
      TEST(test_frozen__is_one_sorted_line_a_leaf),
      TEST(test_frozen__changes_with_what_changes_the_print_and_with_nothing_else),
      TEST(test_check__tells_all_that_is_wrong_with_one_file),
      TEST(test_check__an_heir_is_not_blamed_for_its_parent),
      TEST(test_check__hot_materials_and_thick_layers_are_held_against_a_printer))
