/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zip archives made by hand, as good or as bad as a test wants them. */
#ifndef TESTS_PRINT_ZIPS_H
#define TESTS_PRINT_ZIPS_H

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"

/* One file of an archive; what is not 0 is claimed instead of the truth. */
struct zip_part {
    const char *name;
    const void *data;
    size_t n;
    bool is_deflated, is_wide; /* its sizes stand in the extra field */
    unsigned flags, method;
    uint32_t bytes, packed_bytes, crc, at;
};

static inline int put_number(struct bytes *out, uint64_t value, int n, struct err *err)
{
    uint8_t bytes[8];
    for (int i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    return bytes_append(out, bytes, (size_t)n, err);
}

static inline int put_deflated(struct bytes *out, const void *data, size_t n, struct err *err)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)n};
    uint8_t piece[4096];
    int code, failed = deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, 0) != Z_OK;
    do {
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        code = deflate(&stream, Z_FINISH);
        failed = failed || bytes_append(out, piece, sizeof piece - stream.avail_out, err);
    } while (!failed && code == Z_OK);
    deflateEnd(&stream);
    return failed ? -1 : 0;
}

/* What the head before a part and its line in the directory have in common. */
static inline int put_fields(struct bytes *out, const struct zip_part *part, size_t packed,
                             struct err *err)
{
    uint32_t crc = (uint32_t)crc32_z(0, part->data, part->n);
    uint64_t bytes = part->is_wide ? 0xffffffff : part->n;
    return put_number(out, 20, 2, err) || put_number(out, part->flags, 2, err) ||
           put_number(out,
                      part->method        ? part->method
                      : part->is_deflated ? 8
                                          : 0,
                      2, err) ||
           put_number(out, 0, 4, err) || put_number(out, part->crc ? part->crc : crc, 4, err) ||
           put_number(out, part->packed_bytes ? part->packed_bytes : packed, 4, err) ||
           put_number(out, part->bytes ? part->bytes : bytes, 4, err) ||
           put_number(out, strlen(part->name), 2, err) ||
           put_number(out, part->is_wide ? 12 : 0, 2, err);
}

static inline int put_wide(struct bytes *out, const struct zip_part *part, struct err *err)
{
    return part->is_wide && (put_number(out, 1, 2, err) || put_number(out, 8, 2, err) ||
                             put_number(out, part->n, 8, err));
}

/* Appends an archive of those parts; count_claimed 0 claims the truth. */
static inline int put_zip(struct bytes *out, const struct zip_part *parts, size_t count,
                          size_t count_claimed, struct err *err)
{
    struct bytes directory = {0};
    size_t start = out->len;
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++) {
        const struct zip_part *part = &parts[i];
        struct bytes packed = {.limit = (size_t)400 << 20};
        size_t at = out->len - start;
        failed = (part->is_deflated ? put_deflated(&packed, part->data, part->n, err)
                                    : bytes_append(&packed, part->data, part->n, err)) ||
                 put_number(out, 0x04034b50, 4, err) || put_fields(out, part, packed.len, err) ||
                 bytes_append(out, part->name, strlen(part->name), err) ||
                 put_wide(out, part, err) || bytes_append(out, packed.data, packed.len, err) ||
                 put_number(&directory, 0x02014b50, 4, err) || put_number(&directory, 20, 2, err) ||
                 put_fields(&directory, part, packed.len, err) ||
                 put_number(&directory, 0, 8, err) || put_number(&directory, 0, 2, err) ||
                 put_number(&directory, part->at ? part->at : at, 4, err) ||
                 bytes_append(&directory, part->name, strlen(part->name), err) ||
                 put_wide(&directory, part, err);
        bytes_free(&packed);
    }
    size_t at = out->len - start;
    count_claimed = count_claimed ? count_claimed : count;
    failed = failed || bytes_append(out, directory.data, directory.len, err) ||
             put_number(out, 0x06054b50, 4, err) || put_number(out, 0, 4, err) ||
             put_number(out, count_claimed, 2, err) || put_number(out, count_claimed, 2, err) ||
             put_number(out, directory.len, 4, err) || put_number(out, at, 4, err) ||
             put_number(out, 0, 2, err);
    bytes_free(&directory);
    return failed ? -1 : 0;
}

#endif
