/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing a zip archive, part by part, into a byte buffer or a file; the doorman of zlib in this
 * room.
 * Nothing here may be called zip_close or the like: lib3mf would call ours in place of libzip's.
 */
#ifndef PRINT_EXPORT_PACKER_H
#define PRINT_EXPORT_PACKER_H

#include <zlib.h>

#include "base/bytes.h"
#include "print/export/squeeze.h"

#define PACKER_PARTS_MAX 32

struct packer_part {
    const char *name;
    uint32_t crc, packed_bytes, bytes, offset;
};

/*
 * Zero-initialise but for out and start (= out->len), or with out NULL for fd and start (where the
 * file stands). Times are fixed: same parts, same bytes.
 */
struct packer {
    struct bytes *out;
    int fd;
    size_t start;
    size_t written; /* of this archive */
    z_stream stream;
    int open;
    int count;
    struct packer_part parts[PACKER_PARTS_MAX];
};

/** Begins a part; name must live until packer_close. Errors ERR_LIMIT. */
int packer_part_open(struct packer *zip, const char *name, struct err *err) MUST_CHECK;

/** Deflates n more bytes into the open part. Errors ERR_LIMIT. */
int packer_part_write(struct packer *zip, const void *data, size_t n, struct err *err) MUST_CHECK;

/*
 * A piece of a part that a thread of its own deflates: whole deflate blocks that end at a byte and
 * look back no further than their beginning, so that such pieces may follow one another. The same
 * bytes give the same piece, whoever packs it. Zero-initialise; one for each thread, used again.
 */
struct packer_press {
    z_stream stream;
    int open;
    uint8_t *packed;
    size_t packed_room, packed_bytes, bytes;
    uint32_t crc;
};

/** Deflates n bytes into press->packed. Errors ERR_LIMIT. Threads  safe on different presses. */
int packer_press(struct packer_press *press, const void *data, size_t n,
                 struct err *err) MUST_CHECK;
void packer_press_free(struct packer_press *press);

/** The same of a text whose repeats are known; steps as squeeze_write wants them. */
int packer_press_steps(struct packer_press *press, struct squeeze *squeeze, const char *text,
                       size_t n, struct err *err) MUST_CHECK;

/** Appends a pressed piece to the open part, before anything that packer_part_write adds. */
int packer_part_join(struct packer *zip, const struct packer_press *press,
                     struct err *err) MUST_CHECK;

/** Ends the part and fills in its sizes. Errors ERR_LIMIT over 4 GiB. */
int packer_part_close(struct packer *zip, struct err *err) MUST_CHECK;

/** Writes the directory. Errors ERR_LIMIT. */
int packer_close(struct packer *zip, struct err *err) MUST_CHECK;

/** After a failure: releases zlib's memory and takes back what was appended; a file keeps it. */
void packer_abandon(struct packer *zip);

#endif
