/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texture files in: PNG through base, JPEG and WebP through the doormen here. */
#ifndef PRINT_COLOUR_PICTURE_H
#define PRINT_COLOUR_PICTURE_H

#include "base/png.h"

/**
 * Decodes a texture, told apart by its first bytes, to 8-bit RGBA.
 *
 * Limits   refused before decoding when it has more than max_pixels; a JPEG is scaled down while it
 *          is decoded instead, by up to 8.
 * Result   0 done, 1 a kind that is not read (KTX2, DDS and the like).
 * Owner    the caller calls picture_free.
 * Errors   ERR_INPUT, ERR_LIMIT.
 */
int texture_decode(struct picture *out, const uint8_t *data, size_t n, uint64_t max_pixels,
                   struct err *err) MUST_CHECK;

/** The two foreign formats; texture_decode calls them. */
int texture_jpeg(struct picture *out, const uint8_t *data, size_t n, uint64_t max_pixels,
                 struct err *err) MUST_CHECK;
int texture_webp(struct picture *out, const uint8_t *data, size_t n, uint64_t max_pixels,
                 struct err *err) MUST_CHECK;

#endif
