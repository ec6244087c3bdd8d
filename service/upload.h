/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The streamed form of POST /v1/orders, gathered: see upload.c. */
#ifndef SERVICE_UPLOAD_H
#define SERVICE_UPLOAD_H

#include "service/http.h"

#define UPLOAD_PHOTOS_MOST 64

struct upload_photo {
    char name[128];   /* of the part */
    char folder[700]; /* holds the file `in` */
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
    struct upload_photo photos[UPLOAD_PHOTOS_MOST + 1];
    size_t photo_count;
    int current; /* the photo being written, or -1 */
};

/** The body has ended: is the form whole? ERR_INPUT codes multipart_unfinished, order_missing. */
int upload_end(struct upload *upload, struct err *err) MUST_CHECK;

#endif
