/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A part of an archive on its way: one thread inflates it, another reads its lines. */
#ifndef PRINT_EXPORT_VERIFY_PIPE_H
#define PRINT_EXPORT_VERIFY_PIPE_H

#include "print/export/verify_zip.h"
#include "print/read/text.h"

#define VERIFY_LINE_MAX 4096

/**
 * Inflates an entry and hands each of its lines to take, which fails to end it.
 * Cost     4 MB. Errors  take's; ERR_BUG its size or checksum differ; ERR_LIMIT.
 */
int verify_pipe(const struct verify_entry *entry,
                int (*take)(void *user, struct text line, struct err *err), void *user,
                struct err *err) MUST_CHECK;

#endif
