/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of settings in an engine's own words, and where their numbers come from. Private to
 * print/slice. */
#ifndef PRINT_SLICE_SETTINGS_H
#define PRINT_SLICE_SETTINGS_H

#include "base/bytes.h"
#include "print/slice/profile.h"

/* The list being made: one object of texts. The first failure stays in bad. */
struct settings {
    cJSON *out;
    const struct profile *profile;
    const cJSON *printer, *process, *material; /* the profile's three */
    double layer, first_layer, outer, line;    /* mm: heights, widths */
    bool bad;
};

/** Begins a list; its out is the caller's to delete. */
struct settings settings_of(const struct profile *profile);

/** Puts one setting; a later one of the same name takes its place. Numbers have six digits. */
void settings_text(struct settings *l, const char *key, const char *value);
void settings_number(struct settings *l, const char *key, double value);
void settings_bool(struct settings *l, const char *key, bool value); /* "true" or "false" */

/** Puts what "settings" of a built-in file (config/engines/...) says, and any object's members. */
int settings_base(struct settings *l, const char *file, struct err *err) MUST_CHECK;
void settings_items(struct settings *l, const cJSON *object);

/** The number `name` of the object's group, or of itself (group NULL); 0 where it is absent. */
double settings_in(const cJSON *object, const char *group, const char *name);

/** Puts the members of an object into the order of their names. Errors ERR_LIMIT. */
int settings_sort(cJSON *object, struct err *err) MUST_CHECK;

/**
 * `before` and then a printer's start or end code (machine_code), for slicers that take brackets
 * and braces for placeholders of their own: those are refused.
 */
int settings_code(struct bytes *out, const struct profile *profile, const char *before,
                  const char *member, struct err *err) MUST_CHECK;

#endif
