/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading zip archives by their directory (PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3); bundle.h.
 * The heads before the entries are only used to find where their bytes begin.
 */
#include "print/read/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "print/export/packer.h"

#define END_BYTES 22
#define HEAD_BYTES 46
#define LOCAL_BYTES 30
#define COMMENT_MOST 65535
#define BROKEN(err, ...) FAIL_CODE(err, ERR_INPUT, "bundle_damaged", __VA_ARGS__)
#define TOO_LARGE(err, ...) FAIL_CODE(err, ERR_LIMIT, "bundle_too_large", __VA_ARGS__)

static uint64_t little(const uint8_t *p, int n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | p[n];
    return value;
}

/* The last record, behind which there is but its comment. */
static const uint8_t *find_end(const uint8_t *data, size_t n)
{
    for (size_t back = END_BYTES; back <= n && back <= END_BYTES + COMMENT_MOST; back++) {
        const uint8_t *end = data + n - back;
        if (memcmp(end, "PK\5\6", 4) == 0 && little(end + 20, 2) + END_BYTES <= back)
            return end;
    }
    return NULL;
}

/* Sizes over four bytes stand in an extra field, in this order, and only those that are full. */
static void read_wide(struct bundle_entry *entry, const uint8_t *extra, size_t n)
{
    uint64_t *const values[] = {&entry->bytes, &entry->packed_bytes, &entry->at};
    size_t at = 0;
    while (at + 4 <= n && little(extra + at, 2) != 1)
        at += 4 + (size_t)little(extra + at + 2, 2);
    if (at + 4 > n)
        return;
    size_t length = (size_t)little(extra + at + 2, 2);
    size_t end = length < n - at - 4 ? at + 4 + length : n;
    at += 4;
    for (int i = 0; i < 3 && at + 8 <= end; i++)
        if (*values[i] == 0xffffffff) {
            *values[i] = little(extra + at, 8);
            at += 8;
        }
}

static bool is_hidden(const char *name)
{
    const char *last = strrchr(name, '/');
    return (last ? last[1] : name[0]) == '.' || strncmp(name, "__MACOSX/", 9) == 0;
}

static bool is_below(const char *name)
{
    for (const char *at = name;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.')
            return false;
        at += n;
        if (!*at)
            return *name && *name != '/' && !strpbrk(name, "\\:");
    }
}

static void read_name(struct bundle_entry *entry, const uint8_t *name, size_t n)
{
    bool fits = n > 0 && n < sizeof entry->name && !memchr(name, 0, n);
    if (fits)
        memcpy(entry->name, name, n);
    entry->is_file = fits && name[n - 1] != '/' && is_below(entry->name) && !is_hidden(entry->name);
}

static int read_entry(struct bundle_entry *entry, size_t *at, const struct bundle *b, size_t end,
                      struct err *err)
{
    const uint8_t *head = b->data + *at;
    if (end - *at < HEAD_BYTES || memcmp(head, "PK\1\2", 4) != 0)
        return BROKEN(err, "the archive's directory is cut off");
    size_t name = (size_t)little(head + 28, 2), extra = (size_t)little(head + 30, 2);
    size_t whole = HEAD_BYTES + name + extra + (size_t)little(head + 32, 2);
    if (whole > end - *at)
        return BROKEN(err, "the archive's directory is cut off");
    if (little(head + 8, 2) & 0x2041) /* encrypted, strongly, or its directory is */
        return FAIL_CODE(err, ERR_INPUT, "bundle_encrypted", "the archive is encrypted");
    entry->method = (unsigned)little(head + 10, 2);
    entry->crc = (uint32_t)little(head + 16, 4);
    entry->packed_bytes = little(head + 20, 4);
    entry->bytes = little(head + 24, 4);
    entry->at = little(head + 42, 4);
    read_name(entry, head + HEAD_BYTES, name);
    read_wide(entry, head + HEAD_BYTES + name, extra);
    *at += whole;
    return 0;
}

static int check_sizes(const struct bundle *b, struct err *err)
{
    uint64_t all = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct bundle_entry *entry = &b->entries[i];
        if (entry->bytes > BUNDLE_BYTES_MOST || (all += entry->bytes) > BUNDLE_BYTES_MOST)
            return TOO_LARGE(err, "over %llu bytes in the archive",
                             (unsigned long long)BUNDLE_BYTES_MOST);
        if (entry->bytes > 1 << 20 && entry->bytes / BUNDLE_RATIO_MOST > entry->packed_bytes)
            return TOO_LARGE(err, "an entry is packed over %d times", BUNDLE_RATIO_MOST);
    }
    return 0;
}

int bundle_list(struct bundle *out, const uint8_t *data, size_t n, struct err *err)
{
    *out = (struct bundle){.data = data, .n = n};
    const uint8_t *end = find_end(data, n);
    if (!end)
        return BROKEN(err, "the archive has no end");
    size_t count = (size_t)little(end + 10, 2), at = (size_t)little(end + 16, 4);
    if (little(end + 4, 2) || little(end + 6, 2) || at > (size_t)(end - data))
        return BROKEN(err, "the archive's directory lies elsewhere");
    if (count > BUNDLE_ENTRIES_MOST)
        return TOO_LARGE(err, "%zu entries in the archive", count);
    out->entries = calloc(count ? count : 1, sizeof *out->entries);
    if (!out->entries)
        return FAIL(err, ERR_LIMIT, "no memory for %zu entries", count);
    for (; out->count < count; out->count++)
        if (read_entry(&out->entries[out->count], &at, out, (size_t)(end - data), err))
            return -1;
    for (size_t i = 0; i < count; i++)
        if (out->entries[i].packed_bytes > n || out->entries[i].at > n)
            return BROKEN(err, "an entry lies outside the archive");
    return 0;
}

int bundle_open(struct bundle *out, const uint8_t *data, size_t n, struct err *err)
{
    return bundle_list(out, data, n, err) || check_sizes(out, err) ? -1 : 0;
}

void bundle_close(struct bundle *bundle)
{
    if (!bundle)
        return;
    free(bundle->entries);
    *bundle = (struct bundle){0};
}

bool bundle_is_3mf(const struct bundle *bundle)
{
    bool types = false, model = false;
    for (size_t i = 0; i < bundle->count; i++) {
        const char *name = bundle->entries[i].name;
        size_t n = strlen(name);
        types |= strcasecmp(name, "[Content_Types].xml") == 0;
        model |=
            n > 9 && strncasecmp(name, "3D/", 3) == 0 && strcasecmp(name + n - 6, ".model") == 0;
    }
    return types && model;
}

/* All of it must come out of all of it: neither more nor less is taken. */
static int inflate_to(uint8_t *out, size_t bytes, const uint8_t *packed, size_t n, struct err *err)
{
    uint8_t over = 0;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed, .avail_in = (uInt)n};
    stream.next_out = bytes ? out : &over;
    stream.avail_out = bytes ? (uInt)bytes : 1;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return FAIL(err, ERR_LIMIT, "no memory for zlib");
    int code = inflate(&stream, Z_FINISH);
    size_t made = stream.total_out;
    if (code == Z_BUF_ERROR && made == bytes) { /* the end may follow the last byte */
        stream.next_out = &over;
        stream.avail_out = 1;
        code = inflate(&stream, Z_FINISH);
        made = stream.total_out;
    }
    inflateEnd(&stream);
    return code == Z_STREAM_END && made == bytes ? 0 : BROKEN(err, "an entry does not unpack");
}

/* Where an entry's bytes begin: its head's own lengths count here, not the directory's. */
static const uint8_t *find_bytes(const struct bundle *b, const struct bundle_entry *entry)
{
    if (entry->at > b->n || b->n - entry->at < LOCAL_BYTES)
        return NULL;
    const uint8_t *head = b->data + entry->at;
    size_t from = (size_t)entry->at + LOCAL_BYTES + (size_t)little(head + 26, 2) +
                  (size_t)little(head + 28, 2);
    if (memcmp(head, "PK\3\4", 4) != 0 || from > b->n || entry->packed_bytes > b->n - from)
        return NULL;
    return b->data + from;
}

int bundle_unpack(struct bytes *out, const struct bundle *bundle, const struct bundle_entry *entry,
                  struct err *err)
{
    const uint8_t *from = find_bytes(bundle, entry);
    if (!from || (entry->method == 0 && entry->packed_bytes != entry->bytes))
        return BROKEN(err, "an entry lies outside the archive");
    if (entry->method != 0 && entry->method != 8)
        return FAIL_CODE(err, ERR_INPUT, "bundle_method", "an entry is packed in way %u",
                         entry->method);
    uint8_t *room = malloc((size_t)entry->bytes + 1);
    if (!room)
        return FAIL(err, ERR_LIMIT, "no memory to unpack %llu bytes",
                    (unsigned long long)entry->bytes);
    int failed = 0;
    if (entry->method == 0)
        memcpy(room, from, (size_t)entry->bytes);
    else
        failed = inflate_to(room, (size_t)entry->bytes, from, (size_t)entry->packed_bytes, err);
    if (!failed && crc32_z(0, room, (size_t)entry->bytes) != entry->crc)
        failed = BROKEN(err, "an entry's checksum is wrong");
    failed = failed || bytes_append(out, room, (size_t)entry->bytes, err);
    free(room);
    return failed ? -1 : 0;
}
