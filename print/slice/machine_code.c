/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A printer's start and end code with our words filled in, the same for every engine. */
#include <stdio.h>
#include <string.h>

#include "print/slice/engine.h"

/* The length of the {word} at `at` and its value, or 0 for one that is not known. */
static size_t word_at(double *value, const struct profile *p, const char *at)
{
    const struct {
        const char *name;
        double value;
    } words[] = {{"{nozzle_c}", p->material.nozzle_c}, {"{bed_c}", p->material.bed_c},
                 {"{bed_x}", p->printer.bed_mm[0]},    {"{bed_y}", p->printer.bed_mm[1]},
                 {"{bed_z}", p->printer.bed_mm[2]},    {"{nozzle_mm}", p->printer.nozzle_mm}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(at, words[i].name, strlen(words[i].name)) == 0) {
            *value = words[i].value;
            return strlen(words[i].name);
        }
    return 0;
}

/* Replaces {name} in one line; false for a name that is not known. */
static bool fill_line(struct bytes *out, const struct profile *p, const char *line)
{
    while (*line) {
        size_t plain = strcspn(line, "{");
        double value = 0;
        if (bytes_append(out, line, plain, NULL))
            return false;
        line += plain;
        size_t length = *line ? word_at(&value, p, line) : 0;
        if (*line && (!length || bytes_printf(out, NULL, "%g", value)))
            return false;
        line += length;
    }
    return true;
}

bool machine_line_sound(char *what, size_t room, const char *line)
{
    static const char allowed[] = "{nozzle_c}, {bed_c}, {bed_x}, {bed_y}, {bed_z}, {nozzle_mm}";
    static const struct profile nothing;
    double value;
    for (size_t length; *line; line += length) {
        length = strcspn(line, "{}[]\n");
        if (!line[length])
            return true;
        line += length;
        length = word_at(&value, &nothing, line);
        if (length)
            continue;
        size_t end = 1 + strcspn(line + 1, "{}[] \n");
        end += line[end] == '}' || line[end] == ']';
        if (*line == '\n')
            snprintf(what, room, "holds a line end: each line is an entry of its own");
        else
            snprintf(what, room, "has %.*s, which is not known; known are %s", (int)end, line,
                     allowed);
        return false;
    }
    return true;
}

int machine_code(struct bytes *out, const struct profile *profile, const char *member,
                 struct err *err)
{
    const cJSON *line;
    bool first = true;
    cJSON_ArrayForEach (line, json_get(profile->printer.settings, member)) {
        if ((!first && bytes_append(out, "\n", 1, err)) ||
            !fill_line(out, profile, line->valuestring))
            return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                             "printer %s: %s has a word that is not known: %.60s",
                             profile->printer.id, member, line->valuestring);
        first = false;
    }
    return 0;
}
