/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one EXIF tag that matters here, orientation, read by hand: a whole EXIF library would be a
 * larger door than the room behind it. All offsets come from outside and are checked.
 */
#include <string.h>

#include "intake/photo_raw.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

struct tiff {
    const uint8_t *data;
    size_t n;
    bool big_endian;
};

static uint32_t number(const struct tiff *tiff, size_t at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | tiff->data[at + (tiff->big_endian ? i : size - 1 - i)];
    return value;
}

static bool open_tiff(struct tiff *tiff, const uint8_t *exif, size_t n)
{
    if (n >= 6 && memcmp(exif, "Exif\0\0", 6) == 0) {
        exif += 6;
        n -= 6;
    }
    if (n < 8 || (memcmp(exif, "II*\0", 4) != 0 && memcmp(exif, "MM\0*", 4) != 0))
        return false;
    *tiff = (struct tiff){exif, n, exif[0] == 'M'};
    return true;
}

/* A SHORT lies at the front of the four value bytes in either byte order. */
static int orientation_of(const struct tiff *tiff, size_t entry)
{
    uint32_t type = number(tiff, entry + 2, 2);
    if (type != TYPE_SHORT && type != TYPE_LONG)
        return 1;
    uint32_t value = number(tiff, entry + 8, type == TYPE_SHORT ? 2 : 4);
    return value >= 1 && value <= 8 ? (int)value : 1;
}

int photo_exif_orientation(const uint8_t *exif, size_t n)
{
    struct tiff tiff;
    if (!exif || !open_tiff(&tiff, exif, n))
        return 1;
    size_t at = number(&tiff, 4, 4);
    if (at > tiff.n || tiff.n - at < 2)
        return 1;
    size_t count = number(&tiff, at, 2);
    at += 2;
    for (; count > 0 && tiff.n - at >= ENTRY_BYTES; count--, at += ENTRY_BYTES)
        if (number(&tiff, at, 2) == TAG_ORIENTATION)
            return orientation_of(&tiff, at);
    return 1;
}
