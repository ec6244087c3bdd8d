/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blobs in a folder; see blob.h. A temp file is written and synced under tmp/, then renamed to
 * its name, so that a name is only ever there with all its bytes behind it.
 */
#include "storage/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define SWEEP_AFTER_S (24 * 3600)

struct blob_writer {
    const struct blobs *blobs;
    struct sha256 hash;
    uint64_t bytes, limit;
    int fd;
    char path[1200];
};

static void sweep(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat st;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
            time(NULL) - st.st_mtime > SWEEP_AFTER_S)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

int blobs_open(struct blobs *blobs, const char *folder, struct err *err)
{
    if (strlen(folder) >= sizeof blobs->folder)
        return FAIL(err, ERR_INPUT, "the blob folder's name is too long");
    strcpy(blobs->folder, folder);
    char temp[1100];
    snprintf(temp, sizeof temp, "%s/tmp", folder);
    if (folder_make(temp, err))
        return -1;
    sweep(temp);
    return 0;
}

int blob_path(char path[1200], const struct blobs *blobs, const char *hash, struct err *err)
{
    if (!hash || strlen(hash) != 64 || strspn(hash, "0123456789abcdef") != 64)
        return FAIL(err, ERR_INPUT, "not a SHA-256: %.80s", hash ? hash : "nothing");
    snprintf(path, 1200, "%s/%.2s/%.2s/%s", blobs->folder, hash, hash + 2, hash);
    return 0;
}

int blob_writer_open(struct blob_writer **out, const struct blobs *blobs, uint64_t limit_bytes,
                     struct err *err)
{
    *out = NULL;
    struct blob_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return FAIL(err, ERR_LIMIT, "no memory for a blob");
    char id[ID_ROOM];
    id_new(id, "tmp");
    snprintf(writer->path, sizeof writer->path, "%s/tmp/%s", blobs->folder, id);
    writer->blobs = blobs;
    writer->limit = limit_bytes;
    sha256_start(&writer->hash);
    writer->fd = open(writer->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (writer->fd < 0) {
        int result = FAIL_ERRNO(err, "making a temp file in the blob folder");
        free(writer);
        return result;
    }
    *out = writer;
    return 0;
}

int blob_writer_write(struct blob_writer *writer, const void *data, size_t n, struct err *err)
{
    const uint8_t *p = data;
    if (writer->limit && n > writer->limit - writer->bytes)
        return FAIL(err, ERR_LIMIT, "more than %llu bytes", (unsigned long long)writer->limit);
    sha256_feed(&writer->hash, data, n);
    writer->bytes += n;
    while (n > 0) {
        ssize_t done = write(writer->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return FAIL_ERRNO(err, "writing a blob");
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

const char *blob_writer_path(const struct blob_writer *writer)
{
    return writer->path;
}

uint64_t blob_writer_bytes(const struct blob_writer *writer)
{
    return writer->bytes;
}

void blob_writer_drop(struct blob_writer *writer)
{
    if (!writer)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    unlink(writer->path);
    free(writer);
}

static int folder_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        int result = FAIL_ERRNO(err, "syncing %s", path);
        if (fd >= 0)
            close(fd);
        return result;
    }
    close(fd);
    return 0;
}

/* Makes ab and ab/cd; a new folder is only safe once the one above it is synced. */
static int shelf_make(const struct blobs *blobs, const char *hash, struct err *err)
{
    char above[1100], shelf[1110];
    snprintf(above, sizeof above, "%s/%.2s", blobs->folder, hash);
    snprintf(shelf, sizeof shelf, "%s/%.2s", above, hash + 2);
    bool fresh = access(shelf, F_OK) != 0;
    if (folder_make(shelf, err))
        return -1;
    if (fresh && (folder_sync(above, err) || folder_sync(blobs->folder, err)))
        return -1;
    return 0;
}

/* True when the name is taken by a file of the same length: bytes that are there stay as they are;
 * a file cut short by a failing disk is healed by the rename. */
static bool is_there(const char *path, uint64_t bytes)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes;
}

static int shelve(char hash[SHA256_HEX], struct blob_writer *writer, struct err *err)
{
    char path[1200], shelf[1200];
    sha256_end(hash, &writer->hash);
    if (blob_path(path, writer->blobs, hash, err))
        return -1;
    if (is_there(path, writer->bytes))
        return 0;
    if (fsync(writer->fd) != 0)
        return FAIL_ERRNO(err, "syncing a blob");
    int fd = writer->fd;
    writer->fd = -1;
    if (close(fd) != 0)
        return FAIL_ERRNO(err, "closing a blob");
    if (shelf_make(writer->blobs, hash, err))
        return -1;
    if (rename(writer->path, path) != 0)
        return FAIL_ERRNO(err, "naming a blob");
    snprintf(shelf, sizeof shelf, "%.*s", (int)(strlen(path) - 65), path);
    return folder_sync(shelf, err);
}

int blob_writer_finish(char hash[SHA256_HEX], struct blob_writer *writer, struct err *err)
{
    int result = shelve(hash, writer, err);
    blob_writer_drop(writer); /* unlinks the temp name, if it is still there */
    return result;
}

int blob_put(char hash[SHA256_HEX], const struct blobs *blobs, const void *data, size_t n,
             struct err *err)
{
    struct blob_writer *writer;
    if (blob_writer_open(&writer, blobs, 0, err))
        return -1;
    if (blob_writer_write(writer, data, n, err)) {
        blob_writer_drop(writer);
        return -1;
    }
    return blob_writer_finish(hash, writer, err);
}

/* Hands a file on piece by piece. */
static int pour(struct blob_writer *writer, int fd, const char *path, struct err *err)
{
    uint8_t piece[65536];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FAIL_ERRNO(err, "reading %s", path);
        if (blob_writer_write(writer, piece, (size_t)n, err))
            return -1;
    }
}

int blob_put_file(char hash[SHA256_HEX], uint64_t *bytes, const struct blobs *blobs,
                  const char *path, struct err *err)
{
    struct blob_writer *writer;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? FAIL(err, ERR_ABSENT, "no file %s", path)
                               : FAIL_ERRNO(err, "opening %s", path);
    int result = blob_writer_open(&writer, blobs, 0, err);
    if (result == 0 && (result = pour(writer, fd, path, err)))
        blob_writer_drop(writer);
    close(fd);
    if (result)
        return -1;
    if (bytes)
        *bytes = blob_writer_bytes(writer);
    return blob_writer_finish(hash, writer, err);
}

static int damaged(const char *hash, struct err *err)
{
    return FAIL_CODE(err, ERR_BUG, "blob_damaged", "the blob %.12s... is not what it was", hash);
}

int blob_get(struct bytes *out, const struct blobs *blobs, const char *hash, struct err *err)
{
    char path[1200], found[SHA256_HEX];
    if (blob_path(path, blobs, hash, err) || bytes_read_file(out, path, err))
        return -1;
    sha256_hex(found, out->data, out->len);
    if (strcmp(found, hash) == 0)
        return 0;
    bytes_free(out);
    return damaged(hash, err);
}

static int copy_checked(int from, const char *path, const char *hash, struct err *err)
{
    uint8_t piece[65536];
    struct sha256 running;
    char found[SHA256_HEX];
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (to < 0)
        return FAIL_ERRNO(err, "making %s", path);
    sha256_start(&running);
    ssize_t n, done = 0;
    while ((n = read(from, piece, sizeof piece)) > 0) {
        sha256_feed(&running, piece, (size_t)n);
        for (ssize_t at = 0; at < n; at += done)
            if ((done = write(to, piece + at, (size_t)(n - at))) < 0)
                break;
        if (done < 0)
            break;
    }
    int result = n < 0 || done < 0 ? FAIL_ERRNO(err, "copying to %s", path) : 0;
    if (close(to) != 0 && result == 0)
        result = FAIL_ERRNO(err, "closing %s", path);
    sha256_end(found, &running);
    if (result == 0 && strcmp(found, hash) != 0)
        result = damaged(hash, err);
    if (result)
        unlink(path);
    return result;
}

int blob_copy_to(const struct blobs *blobs, const char *hash, const char *path, struct err *err)
{
    char from[1200];
    if (blob_path(from, blobs, hash, err))
        return -1;
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? FAIL(err, ERR_ABSENT, "no blob %s", hash)
                               : FAIL_ERRNO(err, "opening a blob");
    int result = copy_checked(fd, path, hash, err);
    close(fd);
    return result;
}
