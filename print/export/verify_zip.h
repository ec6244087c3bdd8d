/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The archive of a 3MF of ours, read again without a line of what wrote it. */
#ifndef PRINT_EXPORT_VERIFY_ZIP_H
#define PRINT_EXPORT_VERIFY_ZIP_H

#include <stdbool.h>

#include "base/bytes.h"

#define VERIFY_DIFFERS(err, ...) FAIL_CODE(err, ERR_BUG, "export_differs", __VA_ARGS__)
#define VERIFY_ENTRIES_MAX 40

/* One entry of the archive's directory, held against its local head; nothing is copied. */
struct verify_entry {
    const char *name; /* not terminated */
    size_t name_bytes;
    const uint8_t *packed;
    size_t packed_bytes, plain_bytes;
    uint32_t crc;
};

struct verify_zip {
    struct verify_entry entries[VERIFY_ENTRIES_MAX];
    size_t count;
};

/** Walks the directory, as any reader does: heads agree, parts follow one another without a gap and
 * fill the file. Errors ERR_BUG export_differs. */
int verify_zip_open(struct verify_zip *zip, const uint8_t *data, size_t n,
                    struct err *err) MUST_CHECK;

/** The entry of that name, or NULL. */
const struct verify_entry *verify_zip_find(const struct verify_zip *zip, const char *name);

/** Inflates an entry into an empty buffer. Errors ERR_BUG size or checksum differ; ERR_LIMIT. */
int verify_zip_read(struct bytes *out, const struct verify_entry *entry,
                    struct err *err) MUST_CHECK;

#endif
