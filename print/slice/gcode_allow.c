/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which commands a print may hold. Everything that is not listed is refused: a file for a printer
 * needs few, and what one more does is nothing that we would know. What the printer's own start and
 * end code uses is allowed too, but nothing that outlives the print, destroys it, or waits for a
 * person.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "print/slice/gcode_scan.h"

#define ALL (FLAVOUR_MARLIN | FLAVOUR_KLIPPER | FLAVOUR_PRUSA)
#define MARLINS (FLAVOUR_MARLIN | FLAVOUR_PRUSA)

/* Never, whoever asks. */
static const struct {
    char letter;
    int first, last;
    const char *why;
} never[] = {
    {'M', 0, 1, "waits for a person"},
    {'M', 20, 34, "works on the files of the card"},
    {'M', 81, 81, "switches the printer off"},
    {'M', 112, 112, "is the emergency stop"},
    {'M', 226, 226, "waits for a pin"},
    {'M', 302, 302, "allows extruding with a cold nozzle"},
    {'M', 303, 303, "tunes the heaters"},
    {'M', 410, 410, "stops all moves"},
    {'M', 500, 504, "writes or resets the printer's stored settings"},
    {'M', 600, 600, "waits for a person to change the filament"},
    {'M', 928, 928, "writes to the card"},
    {'M', 997, 997, "replaces the firmware"},
    {'M', 999, 999, "restarts after a stop"},
};

static const struct {
    const char *name, *why;
} never_words[] = {
    {"SAVE_CONFIG", "writes the printer's stored settings"},
    {"RESTART", "restarts the printer"},
    {"FIRMWARE_RESTART", "restarts the printer"},
    {"PAUSE", "waits for a person"},
    {"CANCEL_PRINT", "ends the print"},
    {"SDCARD_PRINT_FILE", "starts another print"},
    {"SDCARD_RESET_FILE", "ends the print"},
    {"PID_CALIBRATE", "tunes the heaters"},
    {"RUN_SHELL_COMMAND", "runs a program on the printer's computer"},
};

static const struct {
    char letter;
    int first, last;
    unsigned flavours;
} allowed[] = {
    {'G', 0, 4, ALL},
    {'G', 10, 11, ALL},
    {'G', 17, 17, ALL},
    {'G', 21, 21, ALL},
    {'G', 28, 28, ALL},
    {'G', 29, 29, MARLINS},
    {'G', 90, 92, ALL},
    {'M', 17, 18, ALL},
    {'M', 73, 73, ALL},
    {'M', 82, 84, ALL},
    {'M', 104, 107, ALL},
    {'M', 109, 109, ALL},
    {'M', 115, 115, ALL},
    {'M', 117, 117, ALL},
    {'M', 140, 140, ALL},
    {'M', 142, 142, FLAVOUR_PRUSA},
    {'M', 190, 190, ALL},
    {'M', 201, 201, ALL},
    {'M', 203, 205, ALL},
    {'M', 220, 221, ALL},
    {'M', 400, 400, ALL},
    {'M', 420, 420, FLAVOUR_MARLIN},
    {'M', 486, 486, ALL},
    {'M', 555, 555, FLAVOUR_PRUSA},
    {'M', 569, 569, FLAVOUR_PRUSA},
    {'M', 572, 572, FLAVOUR_PRUSA},
    {'M', 593, 593, MARLINS},
    {'M', 862, 862, FLAVOUR_PRUSA},
    {'M', 900, 900, MARLINS},
    {'T', 0, 0, ALL},
};

static const char *const klipper_words[] = {
    "START_PRINT",
    "PRINT_START",
    "END_PRINT",
    "PRINT_END",
    "SET_VELOCITY_LIMIT",
    "SET_PRESSURE_ADVANCE",
    "EXCLUDE_OBJECT_DEFINE",
    "EXCLUDE_OBJECT_START",
    "EXCLUDE_OBJECT_END",
    "SET_PRINT_STATS_INFO",
    "TEMPERATURE_WAIT",
    "SET_HEATER_TEMPERATURE",
    "TURN_OFF_HEATERS",
    "BED_MESH_PROFILE",
    "BED_MESH_CALIBRATE",
};

static bool is(const char *name, size_t n, const char *other)
{
    return strlen(other) == n && strncmp(name, other, n) == 0;
}

/* G1 and g01 are the same command, M862.3 is one of M862. */
static bool is_numbered(const char *name, size_t n, char *letter, int *number)
{
    *letter = (char)toupper((unsigned char)*name);
    if (n < 2 || n > 8 || !isdigit((unsigned char)name[1]))
        return false;
    *number = (int)strtol(name + 1, NULL, 10);
    return true;
}

static bool same(const char *name, size_t n, const char *line)
{
    size_t other = strcspn(line, " \t;\r\n");
    char a, b;
    int i, k;
    if (is_numbered(name, n, &a, &i) && is_numbered(line, other, &b, &k))
        return a == b && i == k;
    return n == other && strncmp(name, line, n) == 0;
}

static bool is_own(const cJSON *lines, const char *name, size_t n)
{
    const cJSON *line;
    cJSON_ArrayForEach (line, lines)
        if (cJSON_IsString(line) && same(name, n, line->valuestring))
            return true;
    return false;
}

static const char *why_not(const struct gcode_limits *limits, char letter, int number)
{
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (never[i].letter == letter && number >= never[i].first && number <= never[i].last)
            return never[i].why;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (allowed[i].letter == letter && number >= allowed[i].first &&
            number <= allowed[i].last && (allowed[i].flavours & limits->flavour))
            return NULL;
    return "";
}

static const char *why_not_word(const struct gcode_limits *limits, const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof never_words / sizeof *never_words; i++)
        if (is(name, n, never_words[i].name))
            return never_words[i].why;
    if (limits->flavour == FLAVOUR_KLIPPER)
        for (size_t i = 0; i < sizeof klipper_words / sizeof *klipper_words; i++)
            if (is(name, n, klipper_words[i]))
                return NULL;
    return "";
}

const char *gcode_forbidden(const struct gcode_limits *limits, const char *name, size_t n)
{
    char letter;
    int number;
    const char *why = is_numbered(name, n, &letter, &number) ? why_not(limits, letter, number)
                                                             : why_not_word(limits, name, n);
    if (!why || *why)
        return why;
    if (is_own(limits->start, name, n) || is_own(limits->end, name, n))
        return NULL;
    return "is not on the list for this printer";
}
