/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * multipart/form-data read as it comes, in pieces of any size, with flat memory. Stricter than
 * RFC 7578: no preamble, no epilogue but one line end, a final boundary, bounded headers and parts.
 */
#ifndef SERVICE_MULTIPART_H
#define SERVICE_MULTIPART_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MULTIPART_HEADER_BYTES 4096 /* of one part */
#define MULTIPART_NAME_ROOM 128

struct multipart_part {
    char name[MULTIPART_NAME_ROOM];     /* never empty, no control characters */
    char filename[MULTIPART_NAME_ROOM]; /* "" when none was given */
    char mime[64];                      /* "" when none was given; as sent, not believed */
    int is_file;                        /* a filename was given, be it empty */
};

/* Each returns 0, or -1 with *err filled, which ends the parsing. */
struct multipart_handler {
    int (*begin)(void *user, const struct multipart_part *part, struct err *err);
    int (*data)(void *user, const uint8_t *data, size_t n, struct err *err);
    int (*end)(void *user, struct err *err);
    void *user;
};

struct multipart;

/**
 * Opens a parser for the body that a Content-Type header announces.
 * Errors   ERR_INPUT code not_multipart (another type), multipart_boundary (none, empty, over 70
 *          characters, or characters that RFC 2046 does not allow). ERR_LIMIT no memory.
 */
int multipart_open(struct multipart **out, const char *content_type,
                   const struct multipart_handler *handler, unsigned max_parts,
                   struct err *err) MUST_CHECK;

/**
 * Feeds the next n bytes.
 * Errors   ERR_INPUT code multipart_damaged; ERR_LIMIT code multipart_parts (too many) or
 *          multipart_header (a part's header is too long); the handler's own. Feeding on after a
 *          failure repeats that failure.
 * Cost     O(n), no memory taken.
 */
int multipart_feed(struct multipart *m, const void *data, size_t n, struct err *err) MUST_CHECK;

/** Tells that the body has ended. ERR_INPUT code multipart_unfinished without a final boundary. */
int multipart_end(const struct multipart *m, struct err *err) MUST_CHECK;

void multipart_close(struct multipart *m);

#endif
