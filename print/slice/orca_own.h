/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What orca.c and orca_process.c share: the settings on their way. Private to print/slice. */
#ifndef PRINT_SLICE_ORCA_OWN_H
#define PRINT_SLICE_ORCA_OWN_H

#include "print/slice/settings.h"

/* A value belongs to the preset of the process, the filament or the printer. */
enum orca_group { PROCESS, FILAMENT, PRINTER, PROJECT, GROUPS };

/* The object being made. The first failure stays in bad. */
struct orca_list {
    cJSON *out;
    struct bytes keys[GROUPS]; /* what each preset was given, for different_settings_to_system */
    const struct profile *profile;
    const cJSON *printer, *process, *material;
    double layer, first_layer, outer, line;
    bool bad;
};

/** Begins a list; its out is the caller's to delete, its keys to free. */
struct orca_list orca_list_of(const struct profile *profile);

void orca_put_text(struct orca_list *l, enum orca_group group, const char *key, const char *value);
void orca_put(struct orca_list *l, enum orca_group group, const char *key, double value);
void orca_put_percent(struct orca_list *l, enum orca_group group, const char *key, double value);

/** Layers, walls, infill, speeds, support, adhesion. */
void orca_put_process(struct orca_list *l);

#endif
