/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A printer's start and end code with our words filled in, the same for every engine. */
#include <stdio.h>
#include <string.h>

#include "print/slice/engine.h"

/* Replaces {name} in one line; false for a name that is not known. */
static bool fill_line(struct bytes *out, const struct profile *p, const char *line)
{
    const struct {
        const char *name;
        double value;
    } words[] = {{"{nozzle_c}", p->material.nozzle_c}, {"{bed_c}", p->material.bed_c},
                 {"{bed_x}", p->printer.bed_mm[0]},    {"{bed_y}", p->printer.bed_mm[1]},
                 {"{bed_z}", p->printer.bed_mm[2]},    {"{nozzle_mm}", p->printer.nozzle_mm}};
    while (*line) {
        size_t plain = strcspn(line, "{"), i = 0, known = sizeof words / sizeof *words;
        if (bytes_append(out, line, plain, NULL))
            return false;
        line += plain;
        while (*line && i < known && strncmp(line, words[i].name, strlen(words[i].name)) != 0)
            i++;
        if (*line && (i == known || bytes_printf(out, NULL, "%g", words[i].value)))
            return false;
        line += *line ? strlen(words[i].name) : 0;
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
