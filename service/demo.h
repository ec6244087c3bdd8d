/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette up --demo`: one order from photo to printed part, on a virtual printer, shown live. */
#ifndef SERVICE_DEMO_H
#define SERVICE_DEMO_H

#include <stdatomic.h>
#include <sys/types.h>

#include "service/cli.h"
#include "service/settings.h"
#include "storage/db.h"

/**
 * Runs the demo against the service that listens at base_url. The exit code, or -1 with err filled.
 * A virtual printer runs for as long as the demo does, or with keep until *stop becomes true.
 */
int demo_run(const struct cli *cli, const struct settings *settings, struct db *db,
             const char *base_url, bool keep, const atomic_bool *stop, struct err *err) MUST_CHECK;

/** Starts a simulator that lies beside this program (or is named by STATUETTE_<NAME>) and says its
 * port on its first line; it ends with this process. args ends with NULL. Errors ERR_ABSENT code
 * program_missing. */
int demo_simulator(pid_t *pid, int *port, const char *name, const char *const *args,
                   struct err *err) MUST_CHECK;
/** 0 is fine. */
void demo_simulator_stop(pid_t pid);

struct demo_provider {
    pid_t simulator;
};

/**
 * With --provider ID (or PROVIDER=ID) the demo's model comes from that provider: its simulator,
 * with the SCENARIO file if there is one, or what listens at STATUETTE_<ID>_URL. Sets the
 * environment and settings->config_folder: to be called before anything reads them. Nothing,
 * without a provider. Errors ERR_INPUT code usage.
 */
int demo_provider_start(struct demo_provider *provider, const struct cli *cli,
                        struct settings *settings, struct err *err) MUST_CHECK;
void demo_provider_stop(struct demo_provider *provider);

#endif
