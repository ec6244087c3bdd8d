/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zip archives as 3MF wants them: deflate only, no extra fields, sizes in the headers. */
#include "print/export/packer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCAL_BYTES 30
#define CENTRAL_BYTES 46
#define END_BYTES 22
/* Of heads and small parts; the lines of a mesh are packed by squeeze.h. */
#define LEVEL 4
#define DOS_DATE 0x21 /* 1980-01-01, the oldest that the format knows */

static uint8_t *put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
    return put16(put16(to, value), value >> 16);
}

static int put_file(int fd, const uint8_t *data, size_t n, struct err *err)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return FAIL_ERRNO(err, "writing an archive");
        data += done;
        n -= (size_t)done;
    }
    return 0;
}

static int put(struct packer *zip, const void *data, size_t n, struct err *err)
{
    if (zip->out ? bytes_append(zip->out, data, n, err) : put_file(zip->fd, data, n, err))
        return -1;
    zip->written += n;
    return 0;
}

/* Writes over what is there: a head whose sizes are known now. */
static int mend(struct packer *zip, size_t at, const void *data, size_t n, struct err *err)
{
    if (zip->out)
        memcpy(zip->out->data + zip->start + at, data, n);
    else if (pwrite(zip->fd, data, n, (off_t)(zip->start + at)) != (ssize_t)n)
        return FAIL_ERRNO(err, "writing the head of an archive's part");
    return 0;
}

/* The fields that local and central headers share: version needed .. extra length. */
static uint8_t *put_common(uint8_t *to, const struct packer_part *part)
{
    to = put16(to, 20);
    to = put16(to, 1 << 11); /* names are UTF-8 */
    to = put16(to, Z_DEFLATED);
    to = put16(to, 0);
    to = put16(to, DOS_DATE);
    to = put32(to, part->crc);
    to = put32(to, part->packed_bytes);
    to = put32(to, part->bytes);
    to = put16(to, (uint32_t)strlen(part->name));
    return put16(to, 0);
}

int packer_part_open(struct packer *zip, const char *name, struct err *err)
{
    if (zip->count == PACKER_PARTS_MAX)
        return FAIL(err, ERR_BUG, "more than %d parts in an archive", PACKER_PARTS_MAX);
    struct packer_part *part = &zip->parts[zip->count];
    uint8_t nothing[LOCAL_BYTES] = {0};
    *part = (struct packer_part){.name = name, .offset = (uint32_t)zip->written};
    if (put(zip, nothing, sizeof nothing, err) || put(zip, name, strlen(name), err))
        return -1;
    zip->stream = (z_stream){0};
    if (deflateInit2(&zip->stream, LEVEL, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return FAIL(err, ERR_LIMIT, "no memory for zlib");
    zip->open = 1;
    return 0;
}

static int pump(struct packer *zip, int flush, struct err *err)
{
    uint8_t packed[65536];
    int code;
    do {
        zip->stream.next_out = packed;
        zip->stream.avail_out = sizeof packed;
        code = deflate(&zip->stream, flush);
        if (put(zip, packed, sizeof packed - zip->stream.avail_out, err))
            return -1;
    } while (zip->stream.avail_out == 0);
    if (code == Z_STREAM_ERROR)
        return FAIL(err, ERR_BUG, "deflate refused its state");
    return 0;
}

int packer_part_write(struct packer *zip, const void *data, size_t n, struct err *err)
{
    struct packer_part *part = &zip->parts[zip->count];
    if (n + part->bytes > UINT32_MAX)
        return FAIL(err, ERR_LIMIT, "over 4 GiB in one part of an archive");
    part->crc = (uint32_t)crc32(part->crc, data, (uInt)n);
    part->bytes += (uint32_t)n;
    zip->stream.next_in = (Bytef *)(uintptr_t)data;
    zip->stream.avail_in = (uInt)n;
    return pump(zip, Z_NO_FLUSH, err);
}

static int make_room(struct packer_press *press, size_t room, struct err *err)
{
    if (room <= press->packed_room)
        return 0;
    free(press->packed);
    press->packed = malloc(room);
    press->packed_room = press->packed ? room : 0;
    return press->packed ? 0 : FAIL(err, ERR_LIMIT, "no memory for %zu packed bytes", room);
}

int packer_press(struct packer_press *press, const void *data, size_t n, struct err *err)
{
    z_stream *stream = &press->stream;
    if (!press->open &&
        deflateInit2(stream, LEVEL, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return FAIL(err, ERR_LIMIT, "no memory for zlib");
    press->open = 1;
    deflateReset(stream);
    if (make_room(press, deflateBound(stream, (uLong)n) + 64, err))
        return -1;
    stream->next_in = (Bytef *)(uintptr_t)data;
    stream->avail_in = (uInt)n;
    stream->next_out = press->packed;
    stream->avail_out = (uInt)press->packed_room;
    if (deflate(stream, Z_FULL_FLUSH) != Z_OK || stream->avail_in || !stream->avail_out)
        return FAIL(err, ERR_BUG, "deflate did not take a whole piece");
    press->packed_bytes = press->packed_room - stream->avail_out;
    press->bytes = n;
    press->crc = (uint32_t)crc32(0, data, (uInt)n);
    return 0;
}

int packer_press_steps(struct packer_press *press, struct squeeze *squeeze, const char *text,
                       size_t n, struct err *err)
{
    if (make_room(press, squeeze_bound(squeeze, n), err))
        return -1;
    press->packed_bytes = squeeze_write(press->packed, squeeze, text, n);
    press->bytes = n;
    press->crc = (uint32_t)crc32(0, (const Bytef *)text, (uInt)n);
    return 0;
}

void packer_press_free(struct packer_press *press)
{
    if (press->open)
        deflateEnd(&press->stream);
    free(press->packed);
    *press = (struct packer_press){0};
}

int packer_part_join(struct packer *zip, const struct packer_press *press, struct err *err)
{
    struct packer_part *part = &zip->parts[zip->count];
    if (press->bytes + part->bytes > UINT32_MAX)
        return FAIL(err, ERR_LIMIT, "over 4 GiB in one part of an archive");
    part->crc = (uint32_t)crc32_combine(part->crc, press->crc, (z_off_t)press->bytes);
    part->bytes += (uint32_t)press->bytes;
    return put(zip, press->packed, press->packed_bytes, err);
}

int packer_part_close(struct packer *zip, struct err *err)
{
    struct packer_part *part = &zip->parts[zip->count];
    zip->stream.avail_in = 0;
    if (pump(zip, Z_FINISH, err))
        return -1;
    deflateEnd(&zip->stream);
    zip->open = 0;
    if (zip->written > UINT32_MAX)
        return FAIL(err, ERR_LIMIT, "the archive is over 4 GiB");
    part->packed_bytes = (uint32_t)(zip->written - part->offset - LOCAL_BYTES - strlen(part->name));
    uint8_t header[LOCAL_BYTES];
    put_common(put32(header, 0x04034b50), part);
    zip->count++;
    return mend(zip, part->offset, header, sizeof header, err);
}

static int put_central(struct packer *zip, const struct packer_part *part, struct err *err)
{
    uint8_t header[CENTRAL_BYTES] = {0};
    uint8_t *to = put32(header, 0x02014b50);
    to = put16(to, 20);
    put_common(to, part);
    put32(header + 42, part->offset);
    if (put(zip, header, sizeof header, err))
        return -1;
    return put(zip, part->name, strlen(part->name), err);
}

int packer_close(struct packer *zip, struct err *err)
{
    size_t directory = zip->written;
    for (int i = 0; i < zip->count; i++)
        if (put_central(zip, &zip->parts[i], err))
            return -1;
    uint8_t end[END_BYTES] = {0};
    uint8_t *to = put32(end, 0x06054b50);
    to = put32(to, 0);
    to = put16(to, (uint32_t)zip->count);
    to = put16(to, (uint32_t)zip->count);
    to = put32(to, (uint32_t)(zip->written - directory));
    put32(to, (uint32_t)directory);
    return put(zip, end, sizeof end, err);
}

void packer_abandon(struct packer *zip)
{
    if (zip->open)
        deflateEnd(&zip->stream);
    zip->open = 0;
    if (!zip->out)
        return;
    zip->out->len = zip->start;
    if (zip->out->data)
        zip->out->data[zip->start] = 0;
}
