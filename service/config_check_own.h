/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the configuration's check. */
#ifndef SERVICE_CONFIG_CHECK_OWN_H
#define SERVICE_CONFIG_CHECK_OWN_H

#include <stdbool.h>

#include "service/config_check.h"

struct config_walk {
    const char *config_folder; /* or NULL */
    cJSON *faults;
    int files;
    bool failed; /* no memory for a fault */
    /* the file that is looked at */
    const char *name, *id;
    bool built_in;
    struct err *err;
};

/** Notes a fault of the file that is looked at. */
void config_fault(struct config_walk *walk, const char *path, const char *format, ...)
    PRINTF_LIKE(3, 4);

/** A template's names of printers, materials, processes, providers and styles, and whether what it
 * pairs can be printed. product may be anything that is JSON. */
int config_check_template(struct config_walk *walk, const cJSON *product) MUST_CHECK;

#endif
