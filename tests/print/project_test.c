/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/slice/project: what a 3MF says to slicers, in their own forms, whatever it is called. */
#include "print/slice/project.h"

#include "print/slice/orca.h"
#include "print/slice/prusa.h"
#include "tests/test.h"

static struct err err;

static int load(struct profile *profile, const char *printer, const char *process)
{
    return profile_load(profile, NULL, printer, "pla", process, &err);
}

static cJSON *parse(const char *text)
{
    cJSON *value = NULL;
    return json_parse(&value, text, strlen(text), &err) ? NULL : value;
}

/* The form that the Orca family reads: texts and lists of texts, and no other value anywhere. */
static const char form[] =
    "{\"type\": \"object\","
    " \"required\": [\"version\", \"name\", \"from\", \"printer_settings_id\", \"printer_model\","
    "  \"printer_variant\", \"print_settings_id\", \"filament_settings_id\", \"filament_type\","
    "  \"filament_colour\", \"nozzle_diameter\", \"printable_area\", \"printable_height\","
    "  \"gcode_flavor\", \"layer_height\", \"wall_loops\", \"sparse_infill_density\","
    "  \"sparse_infill_pattern\", \"enable_support\", \"brim_type\", \"nozzle_temperature\","
    "  \"hot_plate_temp\", \"machine_start_gcode\", \"machine_end_gcode\","
    "  \"different_settings_to_system\"],"
    " \"properties\": {"
    "  \"name\": {\"const\": \"project_settings\"}, \"from\": {\"const\": \"project\"},"
    "  \"sparse_infill_density\": {\"type\": \"string\", \"pattern\": \"^[0-9.]+%$\"},"
    "  \"printable_area\": {\"type\": \"array\", \"minItems\": 4, \"maxItems\": 4,"
    "   \"items\": {\"type\": \"string\", \"pattern\": \"^[0-9.]+x[0-9.]+$\"}},"
    "  \"filament_colour\": {\"type\": \"array\","
    "   \"items\": {\"type\": \"string\", \"pattern\": \"^#[0-9A-F]{6}$\"}},"
    "  \"different_settings_to_system\": {\"type\": \"array\", \"minItems\": 3, \"maxItems\": 3,"
    "   \"items\": {\"type\": \"string\"}}},"
    " \"additionalProperties\": {\"anyOf\": [{\"type\": \"string\"},"
    "  {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\"}}]}}";

static void test_project__orcas_settings_have_their_form_for_every_printer(void)
{
    cJSON *schema = parse(form), *printers = NULL, *printer;
    CHECK(schema);
    CHECK_OK(profile_list(&printers, PROFILE_PRINTER, NULL, &err));
    CHECK(cJSON_GetArraySize(printers) >= 6);
    cJSON_ArrayForEach (printer, printers) {
        struct profile profile;
        struct bytes text = {0}, again = {0};
        cJSON *settings = NULL;
        CHECK_OK(load(&profile, printer->valuestring, NULL));
        CHECK_OK(orca_settings(&text, &profile, "#A1B2C3", &err));
        CHECK_OK(orca_settings(&again, &profile, "#A1B2C3", &err));
        CHECK(text.len == again.len && memcmp(text.data, again.data, text.len) == 0);
        CHECK_OK(json_parse(&settings, text.data, text.len, &err));
        CHECK_OK(json_schema_check(schema, settings, &err));
        CHECK_TEXT(json_text(settings, "printer_model", ""), profile.printer.name);
        CHECK_TEXT(cJSON_GetArrayItem(json_get(settings, "filament_colour"), 0)->valuestring,
                   "#A1B2C3");
        cJSON_Delete(settings);
        bytes_free(&text);
        bytes_free(&again);
        profile_free(&profile);
    }
    cJSON_Delete(printers);
    cJSON_Delete(schema);
}

/* A system preset of the same name takes back what is not listed as different. */
static void test_project__every_value_is_listed_as_different(void)
{
    struct profile profile;
    struct bytes text = {0};
    cJSON *settings = NULL, *item;
    int values = 0, listed = 0;
    CHECK_OK(load(&profile, "k2plus", NULL));
    CHECK_OK(orca_settings(&text, &profile, NULL, &err));
    CHECK_OK(json_parse(&settings, text.data, text.len, &err));
    cJSON_ArrayForEach (item, json_get(settings, "different_settings_to_system")) {
        char *rest = item->valuestring, *key;
        while ((key = strsep(&rest, ";"))) {
            if (!json_get(settings, key))
                TEST_GIVE_UP("%s is listed and not there", key);
            listed++;
        }
    }
    values = cJSON_GetArraySize(settings);
    /* The ten that name presets and the file itself are no values of a preset. */
    CHECK(listed > 100 && listed == values - 10);
    cJSON_Delete(settings);
    bytes_free(&text);
    profile_free(&profile);
}

/* Both families say the same of one profile; a figure that only one of them has wrong shows here.
 */
static void test_project__both_families_say_the_same(void)
{
    static const char *const pairs[][2] = {
        {"layer_height", "layer_height"},
        {"first_layer_height", "initial_layer_print_height"},
        {"perimeters", "wall_loops"},
        {"top_solid_layers", "top_shell_layers"},
        {"bottom_solid_layers", "bottom_shell_layers"},
        {"fill_density", "sparse_infill_density"},
        {"external_perimeter_speed", "outer_wall_speed"},
        {"perimeter_speed", "inner_wall_speed"},
        {"infill_speed", "sparse_infill_speed"},
        {"first_layer_speed", "initial_layer_speed"},
        {"travel_speed", "travel_speed"},
        {"default_acceleration", "default_acceleration"},
        {"support_material", "enable_support"},
        {"support_material_threshold", "support_threshold_angle"},
        {"brim_width", "brim_width"},
        {"start_gcode", "machine_start_gcode"},
        {"max_print_height", "printable_height"}};
    struct profile profile;
    struct bytes ini = {0}, json = {0};
    cJSON *settings = NULL;
    CHECK_OK(load(&profile, "ender3v3ke", "figure-draft"));
    CHECK_OK(prusa_settings(&ini, &profile, &err));
    CHECK_OK(orca_settings(&json, &profile, NULL, &err));
    CHECK_OK(json_parse(&settings, json.data, json.len, &err));
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char key[100], other[20000] = "";
        size_t n = 0;
        snprintf(key, sizeof key, "\n%s = ", pairs[i][0]);
        const char *found = strstr((const char *)ini.data, key);
        const char *theirs = json_text(settings, pairs[i][1], NULL);
        if (!found || !theirs)
            TEST_GIVE_UP("%s is missing", found ? pairs[i][1] : pairs[i][0]);
        for (const char *c = theirs; *c && n < sizeof other - 3; c++)
            if (*c == '\n')
                other[n++] = '\\', other[n++] = 'n';
            else
                other[n++] = *c;
        found += strlen(key);
        if (strncmp(found, other, n) != 0 || found[n] != '\n')
            TEST_GIVE_UP("%s is %.*s, %s is %.200s", pairs[i][0], (int)strcspn(found, "\n"), found,
                         pairs[i][1], theirs);
    }
    cJSON_Delete(settings);
    bytes_free(&ini);
    bytes_free(&json);
    profile_free(&profile);
}

static const char *value_of(const struct export_setting *settings, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].key, key) == 0)
            return settings[i].value;
    return "";
}

static void test_project__an_objects_own_values_are_said_in_both_words(void)
{
    struct profile profile;
    struct project project;
    const struct export_labels labels = {.title = "t"};
    CHECK_OK(load(&profile, "ender3v3se", NULL));
    cJSON *first =
        parse("{\"infill_percent\":40,\"wall_count\":3,\"support\":{\"enabled\":false}}");
    cJSON *second = parse("{\"infill_percent\":100,\"infill_pattern\":\"gyroid\",\"top_mm\":1}");
    const struct project_object objects[] = {
        {.name = "a", .settings = first, .triangles = 4, .volume_mm3 = 1},
        {.name = "b", .settings = second, .triangles = 4, .volume_mm3 = 1},
        {.name = "c", .triangles = 4, .volume_mm3 = 1}};
    const struct project_input input = {
        .profile = &profile, .labels = &labels, .objects = objects, .object_count = 3};
    CHECK_OK(project_make(&project, &input, &err));
    const struct project_words *w = project.words;
    CHECK_TEXT(value_of(w[0].prusa, w[0].prusa_count, "fill_density"), "40%");
    CHECK_TEXT(value_of(w[0].prusa, w[0].prusa_count, "perimeters"), "3");
    CHECK_TEXT(value_of(w[0].prusa, w[0].prusa_count, "support_material"), "0");
    CHECK_TEXT(value_of(w[0].orca, w[0].orca_count, "sparse_infill_density"), "40%");
    CHECK_TEXT(value_of(w[0].orca, w[0].orca_count, "wall_loops"), "3");
    CHECK_TEXT(value_of(w[0].orca, w[0].orca_count, "enable_support"), "0");
    /* Full infill is laid in lines by both, whatever pattern is wished: others are refused. */
    CHECK_TEXT(value_of(w[1].prusa, w[1].prusa_count, "fill_pattern"), "rectilinear");
    CHECK_TEXT(value_of(w[1].orca, w[1].orca_count, "sparse_infill_pattern"), "zig-zag");
    CHECK_TEXT(value_of(w[1].orca, w[1].orca_count, "top_shell_layers"), "5");
    CHECK(w[2].prusa_count == 0 && w[2].orca_count == 0);
    project_free(&project);
    cJSON_Delete(first);
    cJSON_Delete(second);
    profile_free(&profile);
}

static void test_project__settings_no_object_can_have_are_refused(void)
{
    static const char *const bad[] = {"{\"infill\":40}",
                                      "{\"infill_percent\":101}",
                                      "{\"infill_percent\":\"40\"}",
                                      "{\"wall_count\":2.5}",
                                      "{\"infill_pattern\":\"grid\\n; x = 1\"}",
                                      "{\"layer_height_mm\":0.1}",
                                      "[]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *settings = parse(bad[i]);
        CHECK(settings);
        CHECK_FAILS(project_check_settings(settings, &err), ERR_INPUT);
        CHECK_TEXT(err.code, "schema_violation");
        cJSON_Delete(settings);
    }
}

/* Names come from customers: quotes, ends of lines, other parts' words, bytes that are no text. */
static void test_project__hostile_names_stay_names(void)
{
    static const char *const names[] = {"\"},\n{\"form\": 2",
                                        "</config>\n; layer_height = 9",
                                        "\xff\xfe\x80 broken \xc3",
                                        "\x01\x02\x7f",
                                        "",
                                        "\xf0\x9f\x90\x95 dog \\\" \\n"};
    struct profile profile;
    char endless[4000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = 0;
    CHECK_OK(load(&profile, "ender3v3se", NULL));
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        const char *name = i < sizeof names / sizeof *names ? names[i] : endless;
        const struct export_labels labels = {.title = name,
                                             .designer = name,
                                             .description = name,
                                             .order_id = name,
                                             .part_code = name,
                                             .created = name};
        const struct project_object object = {.name = name,
                                              .item_id = name,
                                              .part_code = name,
                                              .triangles = 4,
                                              .volume_mm3 = 1,
                                              .size_mm = {1, 1, 1}};
        const struct project_input input = {
            .profile = &profile, .labels = &labels, .objects = &object, .object_count = 1};
        struct project project;
        cJSON *own = NULL;
        CHECK_OK(project_make(&project, &input, &err));
        CHECK_TEXT(project.parts[2].name, PROJECT_OWN_PART);
        CHECK_OK(project_read(&own, project.parts[2].data, project.parts[2].bytes, &err));
        CHECK(cJSON_GetArraySize(json_get(own, "objects")) == 1);
        CHECK_NEAR(json_number(own, "form", 0), 1, 0);
        /* No name is in the parts that hold settings only. */
        CHECK(!strstr(project.parts[0].data, "layer_height = 9"));
        cJSON_Delete(own);
        project_free(&project);
    }
    profile_free(&profile);
}

static void test_project__prusas_part_is_comments_only(void)
{
    struct profile profile;
    struct project project;
    const struct export_labels labels = {.title = "t"};
    const struct project_object object = {.name = "a", .triangles = 4, .volume_mm3 = 1};
    const struct project_input input = {
        .profile = &profile, .labels = &labels, .objects = &object, .object_count = 1};
    CHECK_OK(load(&profile, "ender3v3se", "figure-fine"));
    CHECK_OK(project_make(&project, &input, &err));
    const char *text = project.parts[0].data;
    CHECK_TEXT(project.parts[0].name, "Metadata/Slic3r_PE.config");
    CHECK(strstr(text, "\n; layer_height = 0.12\n"));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (*line != '\n' && strncmp(line, "; ", 2) != 0)
            TEST_GIVE_UP("a line is no comment: %.40s", line);
        if (!line[strcspn(line, "\n")])
            break;
    }
    project_free(&project);
    profile_free(&profile);
}

/* Whoever wrote the 3MF may have written this part, too. */
static void test_project__a_foreign_part_is_held_to_its_schema(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"form\": 1}",
        "{\"form\":1,\"application\":\"x\",\"printer\":\"../../etc\",\"material\":\"pla\","
        "\"process\":\"figure\",\"bed_mm\":[1,1,1],\"objects\":[]}",
        "{\"form\":1,\"application\":\"x\",\"printer\":\"a\",\"material\":\"pla\",\"process\":"
        "\"figure\",\"bed_mm\":[1,1,1],\"objects\":[{\"name\":\"a\",\"triangles\":4,\"size_mm\":"
        "[1,1,1],\"volume_mm3\":1,\"place_mm\":[0,0,1e9],\"settings\":{}}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *own = NULL;
        CHECK_FAILS(project_read(&own, bad[i], strlen(bad[i]), &err), ERR_INPUT);
        CHECK(!own);
    }
}

TESTS(TEST(test_project__orcas_settings_have_their_form_for_every_printer),
      TEST(test_project__every_value_is_listed_as_different),
      TEST(test_project__both_families_say_the_same),
      TEST(test_project__an_objects_own_values_are_said_in_both_words),
      TEST(test_project__settings_no_object_can_have_are_refused),
      TEST(test_project__hostile_names_stay_names),
      TEST(test_project__prusas_part_is_comments_only),
      TEST(test_project__a_foreign_part_is_held_to_its_schema))
