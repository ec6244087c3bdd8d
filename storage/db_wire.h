/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What db.c and db_migrate.c share; nobody else includes it. */
#ifndef STORAGE_DB_WIRE_H
#define STORAGE_DB_WIRE_H

#include <stddef.h>

#include "storage/db.h"

/** db_run with the text of the statement given instead of its name (never prepared). */
int db_text_run(struct db_rows **rows, struct db *db, const char *sql, int count,
                const char *const *parameters, struct err *err) MUST_CHECK;

#endif
