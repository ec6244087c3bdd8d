/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Failures as values; see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#undef err_fail /* macros under the analyzer, see err.h */
#undef err_errno

static const char *const kind_names[] = {"none",     "input", "absent", "denied",
                                         "conflict", "later", "limit",  "bug"};

static void fill(struct err *err, enum err_kind kind, const char *code, const char *where,
                 const char *fmt, va_list args)
{
    memset(err, 0, sizeof *err);
    err->kind = kind;
    err->where = where;
    snprintf(err->code, sizeof err->code, "%s", code);
    vsnprintf(err->what, sizeof err->what, fmt, args);
}

int err_fail(struct err *err, enum err_kind kind, const char *code, const char *where,
             const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        fill(err, kind, code, where, fmt, args);
        va_end(args);
    }
    return -1;
}

int err_errno(struct err *err, const char *where, const char *fmt, ...)
{
    int number = errno;
    if (!err)
        return -1;
    int full = number == ENOSPC || number == EDQUOT;
    enum err_kind kind = full ? ERR_LATER : number == ENOENT ? ERR_ABSENT : ERR_BUG;
    if (number == EACCES || number == EPERM || number == EROFS)
        kind = ERR_DENIED;
    if (number == ENOMEM || number == EFBIG)
        kind = ERR_LIMIT;
    va_list args;
    va_start(args, fmt);
    fill(err, kind, full ? "disk_full" : "", where, fmt, args);
    va_end(args);
    err->native = number;
    size_t used = strlen(err->what);
    snprintf(err->what + used, sizeof err->what - used, ": %s",
             full ? "the disk is full" : strerror(number));
    return -1;
}

const char *err_kind_name(enum err_kind kind)
{
    size_t count = sizeof kind_names / sizeof *kind_names;
    return (size_t)kind < count ? kind_names[kind] : "bug";
}

enum err_kind err_kind_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++)
        if (strcmp(name, kind_names[i]) == 0)
            return (enum err_kind)i;
    return ERR_BUG;
}
