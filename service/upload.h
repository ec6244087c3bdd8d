/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The streamed form of POST /v1/orders and of a model sent in, gathered: see upload.c. */
#ifndef SERVICE_UPLOAD_H
#define SERVICE_UPLOAD_H

#include "service/http.h"

#define UPLOAD_FILES_MOST 64

struct upload_file {
    char name[128];   /* of the part */
    char folder[700]; /* holds the file `in` */
    bool is_model;    /* by its name; else a photo */
    int fd;
    uint64_t bytes;
    struct sha256 hash;
    char hex[SHA256_HEX]; /* of what was sent */
};

struct upload {
    struct request *request;
    struct multipart *form;
    struct bytes order;
    bool have_order, in_order;
    struct upload_file files[UPLOAD_FILES_MOST + 1];
    size_t file_count;
    int current; /* the file being written, or -1 */
};

/** The body has ended: is the form whole? ERR_INPUT codes multipart_unfinished, and order_missing
 * where a part `order` is needed. */
int upload_end(struct upload *upload, bool needs_order, struct err *err) MUST_CHECK;

/** Recognises a model that was sent, and stores it. Errors of model_recognise, with the request's
 * pointer set. */
int upload_keep_model(char hash[SHA256_HEX], uint64_t *bytes, const char **format,
                      const struct upload_file *file, struct request *request,
                      struct err *err) MUST_CHECK;

#endif
