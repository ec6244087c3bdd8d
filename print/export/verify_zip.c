/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The archive's directory and its smaller parts; see verify_zip.h. */
#include "print/export/verify_zip.h"

#include <string.h>

#include "print/export/packer.h" /* zlib's doorman; nothing else of it is used */

#define LOCAL 30
#define CENTRAL 46
#define END 22

static uint32_t little(const uint8_t *p, int n)
{
    uint32_t value = 0;
    while (n-- > 0)
        value = value << 8 | p[n];
    return value;
}

/* next: where the part before ended. */
static int read_entry(struct verify_entry *entry, size_t *at, size_t *next, const uint8_t *data,
                      size_t n, struct err *err)
{
    const uint8_t *head = data + *at;
    if (*at + CENTRAL > n || little(head, 4) != 0x02014b50)
        return VERIFY_DIFFERS(err, "the archive's directory is damaged");
    size_t name_bytes = little(head + 28, 2), local = little(head + 42, 4);
    *entry = (struct verify_entry){.name = (const char *)head + CENTRAL,
                                   .name_bytes = name_bytes,
                                   .crc = little(head + 16, 4),
                                   .packed_bytes = little(head + 20, 4),
                                   .plain_bytes = little(head + 24, 4)};
    size_t body = local + LOCAL + name_bytes;
    if (*at + CENTRAL + name_bytes > n || local != *next || body > n ||
        entry->packed_bytes > n - body || little(head + 10, 2) != Z_DEFLATED ||
        little(head + 4, 4) != (20 | 20 << 16) || little(head + 30, 4) != 0 ||
        little(head + 34, 4) != 0 || little(head + 38, 4) != 0 ||
        memcmp(data + local, "PK\3\4", 4) != 0 || memcmp(data + local + 4, head + 6, 26) != 0 ||
        memcmp(data + local + LOCAL, head + CENTRAL, name_bytes) != 0)
        return VERIFY_DIFFERS(err, "the two heads of a part differ");
    entry->packed = data + body;
    *next = body + entry->packed_bytes;
    *at += CENTRAL + name_bytes;
    return 0;
}

int verify_zip_open(struct verify_zip *zip, const uint8_t *data, size_t n, struct err *err)
{
    *zip = (struct verify_zip){0};
    if (n < END || little(data + n - END, 4) != 0x06054b50)
        return VERIFY_DIFFERS(err, "the archive has no end");
    size_t at = little(data + n - 6, 4), directory = at, next = 0, count = little(data + n - 12, 2);
    if (little(data + n - 18, 4) != 0 || little(data + n - 14, 2) != count ||
        little(data + n - 10, 4) != n - END - at || little(data + n - 2, 2) != 0)
        return VERIFY_DIFFERS(err, "the archive's end is damaged");
    if (count > VERIFY_ENTRIES_MAX)
        return VERIFY_DIFFERS(err, "the archive has %zu parts", count);
    while (zip->count < count)
        if (read_entry(&zip->entries[zip->count++], &at, &next, data, n, err))
            return -1;
    if (next != directory || at != n - END)
        return VERIFY_DIFFERS(err, "the archive's parts do not fill it");
    return 0;
}

const struct verify_entry *verify_zip_find(const struct verify_zip *zip, const char *name)
{
    for (size_t i = 0; i < zip->count; i++)
        if (zip->entries[i].name_bytes == strlen(name) &&
            !memcmp(zip->entries[i].name, name, strlen(name)))
            return &zip->entries[i];
    return NULL;
}

int verify_zip_read(struct bytes *out, const struct verify_entry *entry, struct err *err)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)entry->packed,
                       .avail_in = (uInt)entry->packed_bytes};
    uint8_t plain[8192];
    uLong crc = 0;
    int code = Z_OK, failed = 0;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return FAIL(err, ERR_LIMIT, "no memory for zlib");
    while (code == Z_OK && !failed) {
        stream.next_out = plain;
        stream.avail_out = sizeof plain;
        code = inflate(&stream, Z_NO_FLUSH);
        size_t made = sizeof plain - stream.avail_out;
        crc = crc32(crc, plain, (uInt)made);
        failed = bytes_append(out, plain, made, err);
    }
    inflateEnd(&stream);
    if (failed)
        return -1;
    return code == Z_STREAM_END && !stream.avail_in && out->len == entry->plain_bytes &&
                   crc == entry->crc
               ? 0
               : VERIFY_DIFFERS(err, "the size or checksum of %.*s is wrong",
                                (int)entry->name_bytes, entry->name);
}
