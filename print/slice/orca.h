/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile in the words of OrcaSlicer, Bambu Studio and Creality Print: the settings part of a
 * 3MF. */
#ifndef PRINT_SLICE_ORCA_H
#define PRINT_SLICE_ORCA_H

#include "base/bytes.h"
#include "print/slice/profile.h"

/**
 * Appends the whole profile as Metadata/project_settings.config: one JSON object, its members
 * sorted, every scalar a text and every list an array of texts.
 *
 * colour   of the filament, "#rrggbb", or NULL for the plastic that pictures show.
 * Result   the same text for the same profile. different_settings_to_system lists every member, so
 *          that a preset of the same name in the slicer takes nothing away.
 * Errors   ERR_INPUT code schema_violation as prusa_settings; ERR_LIMIT no memory.
 * Source   names and forms: Preset.cpp and PrintConfig.cpp of OrcaSlicer 2 and Creality Print 6,
 *          and a project that Creality Print 7 wrote.
 */
int orca_settings(struct bytes *json, const struct profile *profile, const char *colour,
                  struct err *err) MUST_CHECK;

/**
 * Appends what one object has other than the process (slice_object's settings): lines
 * `key = value`; nothing for NULL or an empty object.
 * Errors   ERR_INPUT code schema_violation for a setting that cannot be an object's own.
 */
int orca_object_settings(struct bytes *lines, const struct profile *profile, const cJSON *settings,
                         struct err *err) MUST_CHECK;

#endif
