/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that profiles are made of, as profile.c and `statuette config check` read them. */
#ifndef PRINT_SLICE_PROFILE_FILES_H
#define PRINT_SLICE_PROFILE_FILES_H

#include "print/slice/profile.h"

/** "printers", "printer" and "schemas/printer.schema.json" of a kind. */
const char *profile_kind_folder(enum profile_kind kind);
const char *profile_kind_noun(enum profile_kind kind);
const char *profile_kind_schema(enum profile_kind kind);

/**
 * The ids of all .json files of config_folder/name (which may be NULL or absent; name may be "" for
 * the folder itself), in order, and behind them those that are only built in. Owner: the caller
 * deletes *out, an array of texts.
 */
int config_list(cJSON **out, const char *config_folder, const char *name,
                struct err *err) MUST_CHECK;

/** What may be an id, and so the name of a file: 1 to 39 of a-z, 0-9, _ and -. */
bool config_id_safe(const char *id);

/** config_folder/name/ID.json, else the built-in one, unchecked. Errors ERR_ABSENT neither is
 * there; ERR_INPUT json_invalid. */
int config_file_read(cJSON **out, bool *built_in, const char *config_folder, const char *name,
                     const char *id, struct err *err) MUST_CHECK;

/** The same of a kind. Errors ERR_ABSENT unknown_<noun>, naming those there are; ERR_INPUT
 * json_invalid. */
int profile_file_read(cJSON **out, bool *built_in, enum profile_kind kind,
                      const char *config_folder, const char *id, struct err *err) MUST_CHECK;

/**
 * One file with all that it inherits put under it, `inherits` taken out, otherwise unchecked.
 * Objects merge, everything else of the heir replaces. A file of the folder that inherits its own
 * id stands on the built-in file of that id.
 * Errors   as profile_file_read; ERR_INPUT unknown_parent; inherits_cycle with the way round.
 */
int profile_resolve(cJSON **out, enum profile_kind kind, const char *config_folder, const char *id,
                    struct err *err) MUST_CHECK;

/** profile_resolve, and held to the kind's schema and to its file's name. */
int profile_file_load(cJSON **out, enum profile_kind kind, const char *config_folder,
                      const char *id, struct err *err) MUST_CHECK;

#endif
