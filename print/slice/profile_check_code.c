/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The check of a printer's start and end code: words, commands, heat; see profile_check.h. */
#include <stdio.h>
#include <string.h>

#include "print/slice/engine.h"
#include "print/slice/gcode_scan.h"
#include "print/slice/profile_check_own.h"

/* A line's command: "G28", "M109", or the name of a macro; empty for none. */
static void command_of(char *out, size_t room, const char *line)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    line += strspn(line, " \t");
    snprintf(out, room, "%.*s", (int)strspn(line, letters), line);
}

static bool is_macro(const char *command)
{
    return *command &&
           !(strchr("GMT", *command) && strspn(command + 1, "0123456789") == strlen(command + 1));
}

/* Whether one line does that: begins with the command and has the word, or is a macro with it. */
static bool does(const cJSON *lines, const char *command, const char *word, bool macro_too)
{
    const cJSON *line;
    char name[48];
    cJSON_ArrayForEach (line, lines) {
        if (!cJSON_IsString(line) || !strstr(line->valuestring, word))
            continue;
        command_of(name, sizeof name, line->valuestring);
        if (strcmp(name, command) == 0 || (macro_too && is_macro(name)))
            return true;
    }
    return false;
}

static void check_heating(const struct profile_walk *c, const cJSON *lines)
{
    static const struct {
        const char *what, *wait, *set, *word;
    } heaters[] = {{"nozzle", "M109", "M104", "{nozzle_c}"}, {"bed", "M190", "M140", "{bed_c}"}};
    for (int i = 0; i < 2; i++)
        if (!does(lines, heaters[i].wait, heaters[i].word, true))
            profile_fault(
                c, "/start_gcode",
                does(lines, heaters[i].set, heaters[i].word, false)
                    ? "heats the %s but does not wait for it: needs %s S%s or a macro with %s"
                    : "does not heat the %s: needs %s S%s or a macro with %s",
                heaters[i].what, heaters[i].wait, heaters[i].word, heaters[i].word);
}

/* A heater is off when the last that is said of it is S0; what a macro does is its own affair. */
static void check_cooling(const struct profile_walk *c, const cJSON *lines)
{
    static const struct {
        const char *what, *set, *wait;
    } heaters[] = {{"nozzle", "M104", "M109"}, {"bed", "M140", "M190"}};
    for (int i = 0; i < 2; i++) {
        bool off = does(lines, "no command", "", true);
        const cJSON *line;
        cJSON_ArrayForEach (line, lines) {
            char name[48];
            command_of(name, sizeof name, cJSON_IsString(line) ? line->valuestring : "");
            if (strcmp(name, heaters[i].set) == 0 || strcmp(name, heaters[i].wait) == 0)
                off = strstr(line->valuestring, "S0") != NULL;
        }
        if (!off)
            profile_fault(c, "/end_gcode", "leaves the %s hot: needs %s S0", heaters[i].what,
                          heaters[i].set);
    }
}

static void check_lines(const struct profile_walk *c, const char *member)
{
    const bool macros = strcmp(json_text(c->whole, "flavour", ""), "klipper") == 0;
    const struct gcode_limits allowed = {.flavour = macros ? FLAVOUR_KLIPPER : FLAVOUR_MARLIN,
                                         .start = json_get(c->whole, member)};
    const cJSON *line;
    char path[60], what[300], name[48];
    int number = 0;
    cJSON_ArrayForEach (line, json_get(c->whole, member)) {
        snprintf(path, sizeof path, "/%s/%d", member, number++);
        if (!cJSON_IsString(line))
            continue;
        if (!machine_line_sound(what, sizeof what, line->valuestring))
            profile_fault(c, path, "%s", what);
        command_of(name, sizeof name, line->valuestring);
        if (is_macro(name) && !macros)
            profile_fault(c, path, "%s is no G-code command; macros are for the flavour klipper",
                          name);
        else if (*name && gcode_forbidden(&allowed, name, strlen(name)))
            profile_fault(c, path, "%s %s, which the check of the G-code refuses", name,
                          gcode_forbidden(&allowed, name, strlen(name)));
    }
}

void profile_check_code(const struct profile_walk *c)
{
    const cJSON *start = json_get(c->whole, "start_gcode"), *end = json_get(c->whole, "end_gcode");
    if (start && profile_has(c->own, "start_gcode", "flavour")) {
        check_lines(c, "start_gcode");
        check_heating(c, start);
        if (!does(start, "G28", "", true))
            profile_fault(c, "/start_gcode", "does not home: needs G28 or a macro that does it");
    }
    if (end && profile_has(c->own, "end_gcode", "flavour")) {
        check_lines(c, "end_gcode");
        check_cooling(c, end);
    }
}
