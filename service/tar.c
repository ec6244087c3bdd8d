/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a tar archive as a stream; see tar.h. Used by the export of orders. */
#include "service/tar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 512
#define NAME_MOST 99
#define ENTRIES_MOST 100000

struct entry {
    char header[BLOCK];
    char *path; /* a file, else text */
    char *text;
    uint64_t bytes;
    char sha256[SHA256_HEX];
};

struct tar {
    struct entry *entries;
    size_t count, room;
    size_t at;       /* entry being sent */
    uint64_t offset; /* in it: header, content, padding */
    int fd;
    struct sha256 hash;
};

static uint64_t padded(uint64_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

int tar_open(struct tar **out, struct err *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return FAIL(err, ERR_LIMIT, "no memory");
    (*out)->fd = -1;
    return 0;
}

static bool name_proper(const char *name)
{
    return *name && *name != '/' && strlen(name) <= NAME_MOST && !strstr(name, "..");
}

static void fill_header(char *h, const char *name, uint64_t bytes, int64_t mtime)
{
    unsigned sum = 0;
    memset(h, 0, BLOCK);
    memcpy(h, name, strlen(name));
    snprintf(h + 100, 8, "%07o", 0644);
    snprintf(h + 108, 8, "%07o", 0);
    snprintf(h + 116, 8, "%07o", 0);
    snprintf(h + 124, 12, "%011llo", (unsigned long long)bytes);
    snprintf(h + 136, 12, "%011llo", (unsigned long long)mtime & 077777777777ULL);
    memset(h + 148, ' ', 8); /* the checksum counts itself as spaces */
    h[156] = '0';
    memcpy(h + 257, "ustar", 6);
    memcpy(h + 263, "00", 2);
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char)h[i];
    snprintf(h + 148, 8, "%06o", sum);
}

static struct entry *add(struct tar *tar, const char *name, int64_t mtime, uint64_t bytes,
                         struct err *err)
{
    if (!name_proper(name) || bytes >= (uint64_t)8 << 30 || tar->count == ENTRIES_MOST) {
        FAIL(err, ERR_LIMIT, "%.60s cannot go into a tar archive", name);
        return NULL;
    }
    if (tar->count == tar->room) {
        size_t room = tar->room ? tar->room * 2 : 32;
        struct entry *more = realloc(tar->entries, room * sizeof *more);
        if (!more) {
            FAIL(err, ERR_LIMIT, "no memory");
            return NULL;
        }
        tar->entries = more;
        tar->room = room;
    }
    struct entry *e = &tar->entries[tar->count++];
    *e = (struct entry){.bytes = bytes};
    fill_header(e->header, name, bytes, mtime);
    return e;
}

int tar_add_text(struct tar *tar, const char *name, int64_t mtime, const void *text, size_t n,
                 struct err *err)
{
    struct entry *e = add(tar, name, mtime, n, err);
    if (!e)
        return -1;
    e->text = malloc(n + 1);
    if (!e->text)
        return FAIL(err, ERR_LIMIT, "no memory");
    memcpy(e->text, text, n);
    return 0;
}

int tar_add_file(struct tar *tar, const char *name, int64_t mtime, const char *path, uint64_t bytes,
                 const char *sha256, struct err *err)
{
    struct entry *e = add(tar, name, mtime, bytes, err);
    if (!e)
        return -1;
    snprintf(e->sha256, sizeof e->sha256, "%s", sha256);
    e->path = strdup(path);
    return e->path ? 0 : FAIL(err, ERR_LIMIT, "no memory");
}

uint64_t tar_bytes(const struct tar *tar)
{
    uint64_t all = 2 * BLOCK;
    for (size_t i = 0; i < tar->count; i++)
        all += BLOCK + padded(tar->entries[i].bytes);
    return all;
}

/* The file is hashed on its way out: a damaged one breaks the answer off instead of passing. */
static ssize_t pull_file(struct tar *tar, const struct entry *e, uint64_t at, char *out, size_t n)
{
    char hex[SHA256_HEX];
    if (tar->fd < 0) {
        tar->fd = open(e->path, O_RDONLY | O_CLOEXEC);
        sha256_start(&tar->hash);
    }
    ssize_t got = tar->fd < 0 ? -1 : read(tar->fd, out, n);
    if (got <= 0)
        return -1;
    sha256_feed(&tar->hash, out, (size_t)got);
    if (at + (uint64_t)got < e->bytes)
        return got;
    sha256_end(hex, &tar->hash);
    close(tar->fd);
    tar->fd = -1;
    return strcmp(hex, e->sha256) == 0 ? got : -1;
}

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

static ssize_t pull_entry(struct tar *tar, const struct entry *e, char *out, size_t room)
{
    uint64_t at = tar->offset;
    if (at < BLOCK) {
        size_t n = least(BLOCK - at, room);
        memcpy(out, e->header + at, n);
        return (ssize_t)n;
    }
    at -= BLOCK;
    if (at < e->bytes) {
        size_t n = least(e->bytes - at, room);
        if (e->path)
            return pull_file(tar, e, at, out, n);
        memcpy(out, e->text + at, n);
        return (ssize_t)n;
    }
    size_t n = least(padded(e->bytes) - at, room);
    memset(out, 0, n);
    return (ssize_t)n;
}

ssize_t tar_pull(void *user, char *out, size_t room)
{
    struct tar *tar = user;
    while (tar->at < tar->count && tar->offset == BLOCK + padded(tar->entries[tar->at].bytes)) {
        tar->at++;
        tar->offset = 0;
    }
    if (tar->at == tar->count) { /* two empty blocks end the archive */
        size_t n = least(2 * BLOCK - tar->offset, room);
        memset(out, 0, n);
        tar->offset += n;
        return (ssize_t)n;
    }
    ssize_t n = pull_entry(tar, &tar->entries[tar->at], out, room);
    if (n > 0)
        tar->offset += (uint64_t)n;
    return n;
}

void tar_close(void *user)
{
    struct tar *tar = user;
    if (!tar)
        return;
    for (size_t i = 0; i < tar->count; i++) {
        free(tar->entries[i].path);
        free(tar->entries[i].text);
    }
    if (tar->fd >= 0)
        close(tar->fd);
    free(tar->entries);
    free(tar);
}
