/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zip archives that come from outside: their directory, and one entry at a time, in memory and
 * within limits. Some services put a model with its textures into one. Nothing here may be called
 * zip_open or the like: lib3mf would call ours in place of libzip's.
 */
#ifndef PRINT_READ_BUNDLE_H
#define PRINT_READ_BUNDLE_H

#include <stdbool.h>

#include "base/bytes.h"

#define BUNDLE_ENTRIES_MOST 1000
#define BUNDLE_BYTES_MOST ((uint64_t)300 << 20) /* of all entries, unpacked */
#define BUNDLE_RATIO_MOST 200                   /* of an entry, where it is over a megabyte */

struct bundle_entry {
    char name[256]; /* as it stands in the archive; never used as a path */
    /* A file with a name that could be one below a folder: no "..", no "/" before it, no other
     * system's marks, nothing hidden. What is not is there to be counted only. */
    bool is_file;
    unsigned method;
    uint32_t crc;
    uint64_t packed_bytes, bytes, at;
};

struct bundle {
    const uint8_t *data; /* borrowed */
    size_t n, count;
    struct bundle_entry *entries;
};

/**
 * Reads the directory of an archive and holds what it says against the limits.
 *
 * Owner    data must live until bundle_close, which the caller calls also after a failure.
 * Errors   ERR_INPUT code bundle_damaged, or bundle_encrypted where any entry is; ERR_LIMIT code
 *          bundle_too_large: over 1,000 entries, 300 MB of them, or one packed over 200 times.
 * Threads  safe. To be called in a confined child.
 */
int bundle_open(struct bundle *out, const uint8_t *data, size_t n, struct err *err) MUST_CHECK;
void bundle_close(struct bundle *bundle);

/** As bundle_open, but how large its entries are does not matter: for who wants a small one of them
 * and holds that against a limit of his own. */
int bundle_list(struct bundle *out, const uint8_t *data, size_t n, struct err *err) MUST_CHECK;

/** Whether it is a 3MF: it has the parts that make an OPC package one. */
bool bundle_is_3mf(const struct bundle *bundle);

/**
 * Appends an entry's content, as many bytes as the directory says and with the checksum it says.
 * Errors   ERR_INPUT code bundle_damaged, or bundle_method: neither stored nor deflated; ERR_LIMIT.
 */
int bundle_unpack(struct bytes *out, const struct bundle *bundle, const struct bundle_entry *entry,
                  struct err *err) MUST_CHECK;

#endif
