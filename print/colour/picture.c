/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which kind of texture it is, and WebP; the doorman of libwebp in this room. See picture.h. */
#include "print/colour/picture.h"

#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>

int texture_webp(struct picture *out, const uint8_t *data, size_t n, uint64_t max_pixels,
                 struct err *err)
{
    int width = 0, height = 0;
    if (!WebPGetInfo(data, n, &width, &height) || width <= 0 || height <= 0)
        return FAIL_CODE(err, ERR_INPUT, "texture_damaged", "the WebP has no usable head");
    size_t pixels = (size_t)width * (size_t)height;
    if (pixels > max_pixels)
        return FAIL_CODE(err, ERR_LIMIT, "texture_too_large", "%d x %d pixels", width, height);
    uint8_t *rgba = malloc(pixels * 4);
    if (!rgba)
        return FAIL(err, ERR_LIMIT, "no memory for %d x %d pixels", width, height);
    if (!WebPDecodeRGBAInto(data, n, rgba, pixels * 4, width * 4)) {
        free(rgba);
        return FAIL_CODE(err, ERR_INPUT, "texture_damaged", "the WebP is damaged");
    }
    *out = (struct picture){rgba, (uint32_t)width, (uint32_t)height};
    return 0;
}

int texture_decode(struct picture *out, const uint8_t *data, size_t n, uint64_t max_pixels,
                   struct err *err)
{
    if (n >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return png_decode(out, NULL, data, n, max_pixels, err);
    if (n >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return texture_jpeg(out, data, n, max_pixels, err);
    if (n >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        return texture_webp(out, data, n, max_pixels, err);
    return 1;
}
