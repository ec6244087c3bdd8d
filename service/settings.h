/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings: one table of environment variables STATUETTE_*, with defaults that work on one
 * machine. */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <stddef.h>

#include "base/err.h"

struct settings {
    char database[512];      /* libpq conninfo; "" = `up` starts a private cluster */
    char var_folder[512];    /* private cluster, blobs, temp */
    char blob_folder[600];   /* default var_folder/blobs */
    char work_folder[600];   /* temp folders of jobs; default var_folder/work */
    char config_folder[512]; /* printers, materials, templates of one's own; "" = the built-in ones
                              */
    char listen[64];         /* host:port; port 0 = any */
    char worker_name[64];    /* default host:pid */
    char api_key[128]; /* "" = none needed (loopback only); else Bearer on every write and read of
                          orders */
    int workers;       /* threads that run jobs */
    int upload_mb;     /* largest whole request */
    int lease_s;       /* of a job */
    char public_url[300]; /* where providers can push to, without a slash at its end; "" = they
                             cannot */
    char log_level[8];
};

/** Fills from the environment over the defaults and checks each. Errors ERR_INPUT naming the
 * variable. */
int settings_load(struct settings *settings, struct err *err) MUST_CHECK;

/** Row i of the table as name, default and meaning, for --help and the example file; -1 past its
 * end. */
int settings_describe(size_t i, const char **name, const char **otherwise, const char **meaning);

#endif
