/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing buffers and whole files; see bytes.h. */
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_room(struct bytes *b, size_t more, struct err *err)
{
    size_t limit = b->limit ? b->limit : BYTES_LIMIT_DEFAULT;
    if (more > limit || b->len > limit - more)
        return FAIL(err, ERR_LIMIT, "more than %zu bytes", limit);
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return 0;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    uint8_t *data = realloc(b->data, cap);
    if (!data)
        return FAIL(err, ERR_LIMIT, "no memory for %zu bytes", cap);
    b->data = data;
    b->cap = cap;
    return 0;
}

int bytes_append(struct bytes *b, const void *data, size_t n, struct err *err)
{
    if (make_room(b, n, err))
        return -1;
    if (n)
        memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = 0;
    return 0;
}

int bytes_printf(struct bytes *b, struct err *err, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    int failed = n < 0 ? FAIL(err, ERR_BUG, "bad format") : make_room(b, (size_t)n, err);
    if (!failed) {
        vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return failed;
}

void bytes_take(struct bytes *to, struct bytes *from)
{
    *to = *from;
    *from = (struct bytes){.limit = to->limit};
}

void bytes_free(struct bytes *b)
{
    if (!b)
        return;
    free(b->data);
    *b = (struct bytes){.limit = b->limit};
}

static int read_all(struct bytes *b, int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return FAIL_ERRNO(err, "cannot look at %s", path);
    if (S_ISDIR(st.st_mode))
        return FAIL(err, ERR_INPUT, "%s is a folder, not a file", path);
    if (S_ISREG(st.st_mode) && st.st_size > 0 && make_room(b, (size_t)st.st_size, err))
        return -1;
    for (;;) {
        if (b->cap - b->len < 2 && make_room(b, 65536, err))
            return -1;
        ssize_t n = read(fd, b->data + b->len, b->cap - b->len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FAIL_ERRNO(err, "cannot read %s", path);
        if (n == 0)
            break;
        b->len += (size_t)n;
        if (b->len > (b->limit ? b->limit : BYTES_LIMIT_DEFAULT))
            return FAIL(err, ERR_LIMIT, "%s is too large", path);
    }
    b->data[b->len] = 0;
    return 0;
}

int bytes_read_file(struct bytes *b, const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FAIL_ERRNO(err, "cannot open %s", path);
    int failed = make_room(b, 1, err) || read_all(b, fd, path, err) ? -1 : 0;
    close(fd);
    if (failed)
        bytes_free(b);
    return failed;
}

static int write_all(int fd, const uint8_t *data, size_t n)
{
    while (n) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        data += done;
        n -= (size_t)done;
    }
    return fsync(fd);
}

static void sync_folder_of(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

int file_write(const char *path, const void *data, size_t n, struct err *err)
{
    char temp[4096];
    int len = snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temp)
        return FAIL(err, ERR_INPUT, "the path is too long");
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return FAIL_ERRNO(err, "cannot write %s", path);
    int failed = fchmod(fd, 0644) || write_all(fd, data, n);
    int why = errno;
    failed |= close(fd);
    if (!failed && rename(temp, path)) {
        why = errno;
        failed = 1;
    }
    if (failed) {
        unlink(temp);
        errno = why;
        return FAIL_ERRNO(err, "cannot write %s", path);
    }
    sync_folder_of(path);
    return 0;
}

/* What is no plain file with one name is read, not moved: a link would still be the other's. */
int file_move(const char *from, const char *to, struct err *err)
{
    struct bytes data = {.limit = (size_t)2 << 30};
    struct stat s;
    if (lstat(from, &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink == 1 && rename(from, to) == 0) {
        sync_folder_of(to);
        return 0;
    }
    int failed = bytes_read_file(&data, from, err) || file_write(to, data.data, data.len, err);
    bytes_free(&data);
    return failed ? -1 : 0;
}

int folder_make(const char *path, struct err *err)
{
    char part[4096];
    int len = snprintf(part, sizeof part, "%s", path);
    if (len <= 0 || (size_t)len >= sizeof part)
        return FAIL(err, ERR_INPUT, "the path is empty or too long");
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(part, 0755) && errno != EEXIST)
            return FAIL_ERRNO(err, "cannot make the folder %s", part);
        *p = '/';
    }
    if (mkdir(part, 0755) && errno != EEXIST)
        return FAIL_ERRNO(err, "cannot make the folder %s", part);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path), 0;
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
