/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A form as it streams in: the part `order` into memory (capped), every other part into a file of
 * its own folder, where the photo's reader finds it. Memory stays flat.
 */
#include "service/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "intake/model.h"
#include "intake/order_form.h"
#include "intake/photo.h"
#include "service/multipart.h"
#include "service/role.h"

static int part_fail(struct upload *u, struct err *err, enum err_kind kind, const char *code,
                     const char *what)
{
    if (u->current >= 0)
        snprintf(u->request->pointer, sizeof u->request->pointer, "/parts/%s",
                 u->files[u->current].name);
    return FAIL_CODE(err, kind, code, "%s", what);
}

static int begin_order(struct upload *u, struct err *err)
{
    if (u->have_order)
        return FAIL_CODE(err, ERR_INPUT, "part_twice", "the part order was sent twice");
    u->have_order = true;
    u->in_order = true;
    u->current = -1;
    return 0;
}

static int begin(void *user, const struct multipart_part *part, struct err *err)
{
    struct upload *u = user;
    if (strcmp(part->name, "order") == 0)
        return begin_order(u, err);
    if (!part->is_file)
        return FAIL_CODE(err, ERR_INPUT, "part_unknown",
                         "the part %.40s is neither the order nor a file", part->name);
    for (size_t i = 0; i < u->file_count; i++)
        if (strcmp(u->files[i].name, part->name) == 0)
            return FAIL_CODE(err, ERR_INPUT, "part_twice", "the part %.40s was sent twice",
                             part->name);
    struct upload_file *file = &u->files[u->file_count];
    memset(file, 0, sizeof *file);
    file->fd = -1;
    snprintf(file->name, sizeof file->name, "%s", part->name);
    file->is_model = order_part_is_model(part->name);
    sha256_start(&file->hash);
    u->current = (int)u->file_count++;
    u->in_order = false;
    if (work_folder_make(file->folder, request_settings(u->request)->work_folder, "upload", err))
        return -1;
    char path[720];
    snprintf(path, sizeof path, "%s/in", file->folder);
    file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return file->fd >= 0 ? 0 : FAIL_ERRNO(err, "cannot write an upload");
}

static int data(void *user, const uint8_t *bytes, size_t n, struct err *err)
{
    struct upload *u = user;
    if (u->in_order)
        return bytes_append(&u->order, bytes, n, NULL)
                   ? FAIL_CODE(err, ERR_LIMIT, "order_too_large",
                               "the part order is over %zu bytes", HTTP_JSON_BYTES)
                   : 0;
    struct upload_file *file = &u->files[u->current];
    file->bytes += n;
    if (!file->is_model && file->bytes > PHOTO_MAX_BYTES)
        return part_fail(u, err, ERR_LIMIT, "photo_too_large", "a photo has at most 40 MiB");
    if (file->bytes > MODEL_MAX_BYTES)
        return part_fail(u, err, ERR_LIMIT, "model_too_large", "a model has at most 100 MiB");
    sha256_feed(&file->hash, bytes, n);
    while (n) {
        ssize_t wrote = write(file->fd, bytes, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return FAIL_ERRNO(err, "cannot write an upload");
        bytes += wrote;
        n -= (size_t)wrote;
    }
    return 0;
}

static int end(void *user, struct err *err)
{
    struct upload *u = user;
    if (u->in_order || u->current < 0)
        return 0;
    struct upload_file *file = &u->files[u->current];
    sha256_end(file->hex, &file->hash);
    int failed = close(file->fd);
    file->fd = -1;
    if (failed)
        return FAIL_ERRNO(err, "cannot write an upload");
    return file->bytes
               ? 0
               : part_fail(u, err, ERR_INPUT, file->is_model ? "model_empty" : "photo_empty",
                           "the file is empty");
}

int upload_open(struct upload **out, struct request *request, struct err *err)
{
    struct upload *u = calloc(1, sizeof *u);
    *out = NULL;
    if (!u)
        return FAIL(err, ERR_LIMIT, "no memory");
    u->request = request;
    u->order.limit = HTTP_JSON_BYTES;
    u->current = -1;
    struct multipart_handler handler = {begin, data, end, u};
    if (multipart_open(&u->form, request_header(request, "Content-Type"), &handler,
                       UPLOAD_FILES_MOST + 1, err)) {
        free(u);
        return -1;
    }
    *out = u;
    return 0;
}

int upload_feed(struct upload *u, const void *bytes, size_t n, struct err *err)
{
    return multipart_feed(u->form, bytes, n, err);
}

int upload_end(struct upload *u, bool needs_order, struct err *err)
{
    if (multipart_end(u->form, err))
        return -1;
    if (needs_order && !u->have_order)
        return FAIL_CODE(err, ERR_INPUT, "order_missing", "the part order (JSON) is missing");
    return 0;
}

void upload_close(struct upload *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->file_count; i++) {
        if (u->files[i].fd >= 0)
            close(u->files[i].fd);
        work_folder_drop(u->files[i].folder);
    }
    bytes_free(&u->order);
    multipart_close(u->form);
    free(u);
}

/* Mapped, so that a large file does not fill memory. */
static int recognise(const char **format, const char *path, uint64_t bytes, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    void *data = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    int failed = data == MAP_FAILED ? FAIL_ERRNO(err, "cannot read an upload")
                                    : model_recognise(format, data, bytes, err);
    if (data != MAP_FAILED)
        munmap(data, bytes);
    if (fd >= 0)
        close(fd);
    return failed;
}

int upload_keep_model(char hash[SHA256_HEX], uint64_t *bytes, const char **format,
                      const struct upload_file *file, struct request *request, struct err *err)
{
    char path[720];
    snprintf(path, sizeof path, "%s/in", file->folder);
    if (recognise(format, path, file->bytes, err)) {
        snprintf(request->pointer, sizeof request->pointer, "/parts/%s", file->name);
        return -1;
    }
    return blob_put_file(hash, bytes, request_blobs(request), path, err);
}
