/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The form of an order as it streams in: the part `order` into memory (capped), every other part
 * into a file of its own folder, where the photo's reader finds it. Memory stays flat.
 */
#include "service/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "intake/photo.h"
#include "service/multipart.h"
#include "service/role.h"

static int part_fail(struct upload *u, struct err *err, enum err_kind kind, const char *code,
                     const char *what)
{
    if (u->current >= 0)
        snprintf(u->request->pointer, sizeof u->request->pointer, "/parts/%s",
                 u->photos[u->current].name);
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
    for (size_t i = 0; i < u->photo_count; i++)
        if (strcmp(u->photos[i].name, part->name) == 0)
            return FAIL_CODE(err, ERR_INPUT, "part_twice", "the part %.40s was sent twice",
                             part->name);
    struct upload_photo *photo = &u->photos[u->photo_count];
    memset(photo, 0, sizeof *photo);
    photo->fd = -1;
    snprintf(photo->name, sizeof photo->name, "%s", part->name);
    sha256_start(&photo->hash);
    u->current = (int)u->photo_count++;
    u->in_order = false;
    if (work_folder_make(photo->folder, request_settings(u->request)->work_folder, "upload", err))
        return -1;
    char path[720];
    snprintf(path, sizeof path, "%s/in", photo->folder);
    photo->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return photo->fd >= 0 ? 0 : FAIL_ERRNO(err, "cannot write an upload");
}

static int data(void *user, const uint8_t *bytes, size_t n, struct err *err)
{
    struct upload *u = user;
    if (u->in_order)
        return bytes_append(&u->order, bytes, n, NULL)
                   ? FAIL_CODE(err, ERR_LIMIT, "order_too_large",
                               "the part order is over %zu bytes", HTTP_JSON_BYTES)
                   : 0;
    struct upload_photo *photo = &u->photos[u->current];
    photo->bytes += n;
    if (photo->bytes > PHOTO_MAX_BYTES)
        return part_fail(u, err, ERR_LIMIT, "photo_too_large", "a photo has at most 40 MiB");
    sha256_feed(&photo->hash, bytes, n);
    while (n) {
        ssize_t wrote = write(photo->fd, bytes, n);
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
    struct upload_photo *photo = &u->photos[u->current];
    sha256_end(photo->hex, &photo->hash);
    int failed = close(photo->fd);
    photo->fd = -1;
    if (failed)
        return FAIL_ERRNO(err, "cannot write an upload");
    return photo->bytes ? 0 : part_fail(u, err, ERR_INPUT, "photo_empty", "the file is empty");
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
                       UPLOAD_PHOTOS_MOST + 1, err)) {
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

int upload_end(struct upload *u, struct err *err)
{
    if (multipart_end(u->form, err))
        return -1;
    if (!u->have_order)
        return FAIL_CODE(err, ERR_INPUT, "order_missing", "the part order (JSON) is missing");
    return 0;
}

void upload_close(struct upload *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->photo_count; i++) {
        if (u->photos[i].fd >= 0)
            close(u->photos[i].fd);
        work_folder_drop(u->photos[i].folder);
    }
    bytes_free(&u->order);
    multipart_close(u->form);
    free(u);
}
