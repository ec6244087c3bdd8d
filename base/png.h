/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PNG in and out, 8-bit RGBA; the doorman of libpng. Used by intake (photos) and print (pictures).
 */
#ifndef BASE_PNG_H
#define BASE_PNG_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* rgba: width x height x 4 bytes, rows packed, top row first, straight (not premultiplied) alpha.
 */
struct picture {
    uint8_t *rgba;
    uint32_t width;
    uint32_t height;
};

struct png_info {
    struct bytes icc;  /* embedded ICC profile, empty when none; caller frees */
    struct bytes exif; /* raw eXIf chunk, empty when none; caller frees */
    int has_alpha;     /* the file carries an alpha channel or tRNS */
};

/** Frees the pixels and empties the picture. */
void picture_free(struct picture *picture);

/**
 * Decodes a PNG of any colour type and depth to 8-bit RGBA; the colours stay in the file's space.
 * Limits   refuses before decoding what has more than max_pixels pixels or a side over 32,767.
 * Owner    the caller calls picture_free, and bytes_free on info's buffers (info may be NULL).
 * Errors   ERR_INPUT code photo_truncated or photo_damaged; ERR_LIMIT code photo_too_large.
 */
int png_decode(struct picture *out, struct png_info *info, const uint8_t *data, size_t n,
               uint64_t max_pixels, struct err *err) MUST_CHECK;

/** Encodes as PNG and appends: RGB when every alpha is 255, else RGBA; no metadata but sRGB.
 * level 1..9. */
int png_encode(struct bytes *out, const struct picture *picture, int level,
               struct err *err) MUST_CHECK;

/**
 * Encodes frames of one size as an animated PNG that runs for ever, each shown for delay_ms, and
 * appends it. Browsers play it; a reader that knows no animation shows the first frame.
 * Errors   ERR_INPUT no frames, or of several sizes; ERR_LIMIT.
 * Source   the PNG specification, third edition, chunks acTL, fcTL and fdAT.
 */
int png_animate(struct bytes *out, const struct picture *frames, size_t count, uint32_t delay_ms,
                int level, struct err *err) MUST_CHECK;

#endif
