/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growing byte buffer with a stated cap, and whole files in and out. Used by every room. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* data is NUL-terminated one past len whenever it is not NULL. limit 0 means 256 MiB. */
struct bytes {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t limit;
};

#define BYTES_LIMIT_DEFAULT ((size_t)256 << 20)

/** Appends n bytes. Errors ERR_LIMIT over the cap or no memory; the buffer is unchanged then. */
int bytes_append(struct bytes *b, const void *data, size_t n, struct err *err) MUST_CHECK;

/** Appends formatted text. Errors as bytes_append. */
int bytes_printf(struct bytes *b, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;

/** Moves the content to *to, which must be empty; *from is empty after. */
void bytes_take(struct bytes *to, struct bytes *from);

/** Releases the memory and empties the buffer; NULL and empty are fine. */
void bytes_free(struct bytes *b);

/**
 * Reads a whole file into an empty buffer whose limit is the cap in bytes.
 * Errors ERR_ABSENT no such file; ERR_LIMIT larger than the cap; else as errno says.
 */
int bytes_read_file(struct bytes *b, const char *path, struct err *err) MUST_CHECK;

/**
 * Writes a file so that it is there whole or not at all: temp name in the same folder, fsync,
 * rename, fsync of the folder. Errors: code disk_full when the disk is; no temp file is left.
 */
int file_write(const char *path, const void *data, size_t n, struct err *err) MUST_CHECK;

/**
 * Moves a file that file_write wrote to another name, with the same promise: it is there whole or
 * not at all. It is renamed where both lie on one file system, else copied and left.
 * Errors   as bytes_read_file and file_write; ERR_LIMIT over 2 GiB.
 */
int file_move(const char *from, const char *to, struct err *err) MUST_CHECK;

/** Makes a folder and its parents (mode 0755); one that is there is fine. */
int folder_make(const char *path, struct err *err) MUST_CHECK;

/** Removes a folder with all below it; never follows links; what is missing is fine. */
void folder_remove(const char *path);

#endif
