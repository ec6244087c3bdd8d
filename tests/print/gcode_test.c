/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print/slice: the G-code check passes what is right and names each thing that is wrong. */
#include "base/bytes.h"
#include "print/slice/slice.h"
#include "tests/test.h"

#include <unistd.h>

static struct err err;

/* Two layers of a 10 mm square in the middle of the bed: 8 moves of 0.333 mm filament each. */
static const char good[] = ";FLAVOR:Marlin\n"
                           ";TIME:60\n"
                           ";Filament used: 0.002664m\n"
                           ";Layer height: 0.2\n"
                           "M140 S55\n"
                           "M190 S55\n"
                           "M109 S200 ; wait\n"
                           "G28\n"
                           "M117 Printing {x}\n"
                           "G1 X-2.1 Y20 Z0.28 F5000\n"
                           "G1 Y145 E15 F1500\n"
                           "G92 E0\n"
                           ";LAYER_COUNT:2\n"
                           ";LAYER:0\n"
                           "G0 F9000 X100 Y100 Z0.2\n"
                           "G1 F1800 X110 Y100 E0.333\n"
                           "G1 X110 Y110 E0.666\n"
                           "G1 X100 Y110 E0.999\n"
                           "G1 X100 Y100 E1.332\n"
                           "G1 F2400 E0.532\n"
                           "G1 E1.332\n"
                           ";LAYER:1\n"
                           "G0 Z0.4\n"
                           "G1 X110 Y100 E1.665\n"
                           "G1 X110 Y110 E1.998\n"
                           "G1 X100 Y110 E2.331\n"
                           "G1 X100 Y100 E2.664\n"
                           "G91\n"
                           "G1 Z10 E-2\n"
                           "G90\n"
                           "M104 S0\n"
                           "M140 S0\n"
                           "M84 X Y E\n";

/* The good file with one text replaced. */
static int write_changed(char *path, const char *from, const char *to)
{
    struct bytes text = {0};
    const char *at = strstr(good, from);
    if (!at || bytes_append(&text, good, (size_t)(at - good), &err) ||
        bytes_append(&text, to, strlen(to), &err) ||
        bytes_append(&text, at + strlen(from), strlen(at + strlen(from)), &err))
        return -1;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    int failed = file_write(path, text.data, text.len, &err);
    bytes_free(&text);
    return failed;
}

/* The codes that the check finds, joined by blanks; "pass" or "reject" first. */
static int check_changed(char *out, size_t room, const char *from, const char *to, double height)
{
    char path[] = "/tmp/statuette-test-XXXXXX";
    struct printer_profile printer;
    cJSON *report = NULL;
    const cJSON *finding;
    bool passed = false;
    if (write_changed(path, from, to) || printer_profile_load(&printer, NULL, "ender3v3se", &err))
        return -1;
    int failed = gcode_check(
        &report, &passed, path,
        &(struct gcode_check_options){.printer = &printer, .model_height_mm = height}, &err);
    snprintf(out, room, "%s", passed ? "pass" : "reject");
    cJSON_ArrayForEach (finding, json_get(report, "findings"))
        snprintf(out + strlen(out), room - strlen(out), " %s", json_text(finding, "code", "?"));
    if (!failed && strcmp(json_text(report, "verdict", ""), passed ? "pass" : "reject") != 0)
        failed = -1;
    cJSON_Delete(report);
    printer_profile_free(&printer);
    unlink(path);
    return failed;
}

static void test_gcode__names_what_is_wrong(void)
{
    static const struct {
        const char *from, *to;
        double height;
        const char *found;
    } cases[] = {
        {"M84", "M84", 0.4, "pass"},
        {"M84", "M84", 0, "pass"},
        {"S55\nM190", "S55\r\nm190", 0.4, "pass"}, /* other line ends, small letters */
        {"M109 S200", "START_PRINT EXTRUDER_TEMP=200 BED_TEMP=50", 0.4, "pass"},
        {"M104 S0\nM140 S0", "END_PRINT", 0.4, "pass"},
        {"M109 S200", "M109 S40", 0.4, "reject cold_extrusion"},
        {"M140 S55\nM190 S55\n", "", 0.4, "reject bed_cold"},
        {"M104 S0\n", "", 0.4, "reject heaters_left_on"},
        {"M140 S0\n", "", 0.4, "reject heaters_left_on"},
        {"M109 S200", "M109 S290", 0.4, "reject too_hot"},
        {"M109 S200", "M109 S{temperature}", 0.4, "reject placeholder_left cold_extrusion"},
        {"M109 S200", "M109 S[temperature]", 0.4, "reject placeholder_left cold_extrusion"},
        {";TIME:60\n", "", 0.4, "reject header_missing"},
        {";TIME:60", ";TIME:6666", 0.4, "reject header_placeholder"},
        {"0.002664m", "-nanm", 0.4, "reject header_placeholder"},
        {"0.002664m", "0.012m", 0.4, "reject filament_mismatch"},
        {"LAYER_COUNT:2", "LAYER_COUNT:1", 0.4, "reject layer_count"},
        {"LAYER_COUNT:2", "LAYER_COUNT:30", 0.4, "reject layer_count"},
        {"LAYER_COUNT:2\n", "", 0.4, "reject layer_count"},
        {"LAYER_COUNT:2", "LAYER_COUNT:4", 0.8, "pass layer_count height_mismatch"},
        {"LAYER:1", "LAYER:2", 0.4, "pass layer_thin"},
        {"LAYER:1", "LAYER:3", 0.4, "reject layer_gap"},
        {"LAYER:1", "LAYER:0", 0.4, "reject layer_gap"},
        {"X110 Y110 E0.666", "X221 Y110 E0.666", 0.4, "reject outside_bed"},
        {"X110 Y110 E0.666", "X110 Y-0.1 E0.666", 0.4, "reject outside_bed"},
        {"X110 Y110 E0.666", "X110 Y110 Z-0.1 E0.666", 0.4, "reject below_bed"},
        {"G0 Z0.4", "G0 Z251", 251, "reject too_high"},
        {"Y100 Z0.2", "Y100 Z0.8", 0.8, "reject first_layer_high"},
        {"M84", "M84", 20, "reject height_mismatch"},
        {"M84", "M84", 2, "pass height_mismatch"},
        {"X110 Y110 E0.666", "Xnan Y110 E0.666", 0.4, "reject unreadable_line"},
        {"X110 Y110 E0.666", "X110 Y1", 0.4, "pass"},
        {"X110 Y110 E0.666", "X1.2.3", 0.4, "reject unreadable_line"},
        {"M84", "\x7f\x45LF", 0.4, "reject unreadable_line"},
        {"G0 F9000", "G0 F60000", 0.4, "pass too_fast"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[200], wanted[200];
        CHECK_OK(check_changed(found, sizeof found, cases[i].from, cases[i].to, cases[i].height));
        /* Order is no promise: each wanted word must be there, and no more of them. */
        snprintf(wanted, sizeof wanted, "%s", cases[i].found);
        bool same = strlen(found) == strlen(wanted);
        for (char *w = strtok(wanted, " "); w; w = strtok(NULL, " "))
            same = same && strstr(found, w);
        if (!same)
            TEST_GIVE_UP("\"%s\" for \"%s\": %s, wanted %s", cases[i].to, cases[i].from, found,
                         cases[i].found);
    }
}

static void test_gcode__a_file_cut_off_is_rejected_wherever_it_is_cut(void)
{
    struct printer_profile printer;
    char path[] = "/tmp/statuette-test-XXXXXX";
    size_t last = (size_t)(strstr(good, "M140 S0") - good);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    CHECK_OK(printer_profile_load(&printer, NULL, "ender3v3se", &err));
    for (size_t n = 0; n <= last; n += 7) {
        cJSON *report = NULL;
        bool passed = true;
        CHECK_OK(file_write(path, good, n, &err));
        CHECK_OK(gcode_check(
            &report, &passed, path,
            &(struct gcode_check_options){.printer = &printer, .model_height_mm = 0.4}, &err));
        if (passed)
            TEST_GIVE_UP("passed with its first %zu bytes only", n);
        cJSON_Delete(report);
    }
    printer_profile_free(&printer);
    unlink(path);
}

static void test_gcode__measures_follow_retraction_and_relative_moves(void)
{
    struct printer_profile printer;
    char path[] = "/tmp/statuette-test-XXXXXX";
    cJSON *report = NULL;
    bool passed = false;
    CHECK_OK(write_changed(path, "G1 X110 Y100 E1.665\n",
                           "M83\nG91\nG1 X10 E0.333\nG90\nM82\nG92 E1.665\n"));
    CHECK_OK(printer_profile_load(&printer, NULL, "ender3v3se", &err));
    CHECK_OK(gcode_check(&report, &passed, path,
                         &(struct gcode_check_options){.printer = &printer, .model_height_mm = 0.4},
                         &err));
    const cJSON *m = json_get(report, "measures");
    CHECK(passed);
    CHECK_NEAR(json_number(m, "filament_mm", 0), 2.664, 1e-9);
    CHECK_NEAR(json_number(m, "start_filament_mm", 0), 15, 1e-9);
    CHECK_NEAR(json_number(m, "height_mm", 0), 0.4, 1e-9);
    CHECK_NEAR(json_number(m, "extruding_moves", 0), 8, 0);
    CHECK_NEAR(json_number(m, "max_speed_mm_s", 0), 150, 1e-9);
    /* 0.333 mm over 10 mm, and the layer's second half at 40 mm/s. */
    CHECK_NEAR(json_number(m, "max_flow_mm3_s", 0), 0.0333 * 2.40528 * 40, 1e-6);
    CHECK_NEAR(cJSON_GetArrayItem(json_get(m, "max_mm"), 0)->valuedouble, 110, 0);
    CHECK_NEAR(cJSON_GetArrayItem(json_get(m, "min_mm"), 1)->valuedouble, 100, 0);
    cJSON_Delete(report);
    printer_profile_free(&printer);
    unlink(path);
}

static void test_gcode__bears_any_bytes(void)
{
    struct printer_profile printer;
    char path[] = "/tmp/statuette-test-XXXXXX";
    struct bytes junk = {0};
    uint32_t seed = 7;
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    CHECK_OK(printer_profile_load(&printer, NULL, "ender3v3se", &err));
    for (int round = 0; round < 40; round++) {
        cJSON *report = NULL;
        bool passed = true;
        junk.len = 0;
        for (int i = 0; i < 20000; i++) {
            seed = seed * 1664525u + 1013904223u;
            uint8_t any = (uint8_t)(seed >> 24);
            /* Half the rounds look like G-code, the last has one line of 400,000 bytes. */
            uint8_t byte = round % 2 ? (uint8_t) "GMXYZEF0123456789.- \n;{"[any % 23] : any;
            for (int k = 0; k < (round == 39 ? 20 : 1); k++)
                CHECK_OK(bytes_append(&junk, round == 39 ? (const uint8_t *)"7" : &byte, 1, &err));
        }
        CHECK_OK(file_write(path, junk.data, junk.len, &err));
        CHECK_OK(gcode_check(
            &report, &passed, path,
            &(struct gcode_check_options){.printer = &printer, .model_height_mm = 0}, &err));
        CHECK(!passed);
        cJSON_Delete(report);
    }
    CHECK_FAILS(
        gcode_check(&(cJSON *){NULL}, &(bool){0}, "/nonexistent/x",
                    &(struct gcode_check_options){.printer = &printer, .model_height_mm = 0}, &err),
        ERR_ABSENT);
    bytes_free(&junk);
    printer_profile_free(&printer);
    unlink(path);
}

TESTS(TEST(test_gcode__names_what_is_wrong),
      TEST(test_gcode__a_file_cut_off_is_rejected_wherever_it_is_cut),
      TEST(test_gcode__measures_follow_retraction_and_relative_moves),
      TEST(test_gcode__bears_any_bytes))
