/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every fault of the files that a shop may change: `statuette config check`. */
#ifndef SERVICE_CONFIG_CHECK_H
#define SERVICE_CONFIG_CHECK_H

#include "base/json.h"

/**
 * Reads every file of printers, materials, processes, providers, templates and engines, and those
 * that have a schema of their own name beside them (costs.json), of config_folder (NULL: none) over
 * the built-in ones, and names every fault.
 *
 * Result   {"folder", "files", "faults": [{"file", "built_in", "path", "message"}]}, in the order
 *          of folders and files; path is a JSON pointer, "" for the whole file. The caller deletes.
 * Errors   ERR_ABSENT there is no such folder; ERR_LIMIT, ERR_BUG. A fault in a file is none.
 */
int config_check(cJSON **report, const char *config_folder, struct err *err) MUST_CHECK;

#endif
