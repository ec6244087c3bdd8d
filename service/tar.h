/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tar archive (POSIX ustar) as a stream: entries are known at the start, files are read as they
 * go. */
#ifndef SERVICE_TAR_H
#define SERVICE_TAR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/hash.h"

struct tar;

int tar_open(struct tar **out, struct err *err) MUST_CHECK;
/** An entry from memory (the text is copied). name: at most 99 bytes, no leading '/', no "..". */
int tar_add_text(struct tar *tar, const char *name, int64_t mtime, const void *text, size_t n,
                 struct err *err) MUST_CHECK;
/** An entry from a file that must still have that size and SHA-256 when it is read. */
int tar_add_file(struct tar *tar, const char *name, int64_t mtime, const char *path, uint64_t bytes,
                 const char *sha256, struct err *err) MUST_CHECK;
/** The length of the whole archive. */
uint64_t tar_bytes(const struct tar *tar);
/** The next bytes: > 0, 0 at the end, -1 when a file is not what it was. */
ssize_t tar_pull(void *tar, char *out, size_t room);
void tar_close(void *tar);

#endif
