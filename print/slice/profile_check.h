/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every fault of a printer's, material's or process's file, for `statuette config check`. */
#ifndef PRINT_SLICE_PROFILE_CHECK_H
#define PRINT_SLICE_PROFILE_CHECK_H

#include "print/slice/profile.h"

/** One fault: where in the file (a JSON pointer, "" for the whole), what is wrong and what is
 * allowed. The texts are gone after the call. */
typedef void profile_fault_told(void *user, const char *path, const char *what);

/**
 * Tells every fault of one file: JSON, name, parents, schema; of a printer also words and heat in
 * its start and end code and speeds over its own limits; of a process layers and widths that fit no
 * printer's nozzle; of all the settings in an engine's words that the engine does not read. What a
 * file only inherits is told of the parent.
 * Result   0 whatever was told. Errors ERR_LIMIT, ERR_BUG.
 */
int profile_check(enum profile_kind kind, const char *config_folder, const char *id,
                  profile_fault_told *tell, void *user, struct err *err) MUST_CHECK;

/** Whether the printer reaches the material's heat; if not, what says so. */
bool profile_heat_fits(char *what, size_t room, const struct profile *profile);

/** Whether the process's layers and widths suit the printer's nozzle; if not, what says so. */
bool profile_nozzle_fits(char *what, size_t room, const struct profile *profile);

#endif
