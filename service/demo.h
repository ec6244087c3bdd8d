/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette up --demo`: one order from photo to printed part, on a virtual printer, shown live. */
#ifndef SERVICE_DEMO_H
#define SERVICE_DEMO_H

#include <stdatomic.h>

#include "service/cli.h"
#include "service/settings.h"
#include "storage/db.h"

/**
 * Runs the demo against the service that listens at base_url. The exit code, or -1 with err filled.
 * A virtual printer runs for as long as the demo does, or with keep until *stop becomes true.
 */
int demo_run(const struct cli *cli, const struct settings *settings, struct db *db,
             const char *base_url, bool keep, const atomic_bool *stop, struct err *err) MUST_CHECK;

#endif
