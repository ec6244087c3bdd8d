/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of a profile's check. */
#ifndef PRINT_SLICE_PROFILE_CHECK_OWN_H
#define PRINT_SLICE_PROFILE_CHECK_OWN_H

#include "print/slice/profile_check.h"

struct profile_walk {
    enum profile_kind kind;
    const char *config_folder, *id;
    cJSON *own;   /* the file as it stands, without `inherits` */
    cJSON *whole; /* with all that it inherits */
    profile_fault_told *tell;
    void *user;
    struct err *err;
    bool required_only;
};

void profile_fault(const struct profile_walk *c, const char *path, const char *format, ...)
    PRINTF_LIKE(3, 4);

/** Whether the file itself says one of the two; what it only inherits is told of the parent. */
bool profile_has(const cJSON *file, const char *a, const char *b);

/** Start and end code of a printer. */
void profile_check_code(const struct profile_walk *c);

#endif
