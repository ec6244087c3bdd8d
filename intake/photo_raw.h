/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between the doormen of the image libraries and photo.c: what a decoder hands over, and the steps
 * that make it a normalised picture. For intake/photo*.c only.
 */
#ifndef INTAKE_PHOTO_RAW_H
#define INTAKE_PHOTO_RAW_H

#include "base/png.h"
#include "intake/photo.h"

#define PHOTO_MAX_SIDE 32767            /* what libpng and the JPEG decoder are told as well */
#define PHOTO_MAX_ICC ((size_t)4 << 20) /* real profiles end near 2 MB (printing presses) */
#define PHOTO_MAX_FRAMES 1000           /* of an animation; only the first is used */

/* Decoded pixels before they are shrunk, coloured and turned. */
struct photo_raw {
    struct picture pixels;                /* four bytes a pixel: R,G,B,A or, if cmyk, C,M,Y,K */
    bool cmyk;                            /* inks 0 = none .. 255 = full */
    struct bytes icc;                     /* the embedded profile, empty when none */
    int orientation;                      /* EXIF 1..8 that the pixels still need; 1 = none */
    uint32_t source_width, source_height; /* as the file says */
};

void photo_raw_free(struct photo_raw *raw);

/** Refuses a picture by its header: ERR_INPUT photo_damaged when empty, ERR_LIMIT photo_too_large.
 */
int photo_check_size(uint64_t width, uint64_t height, struct err *err) MUST_CHECK;

/* One decoder each. *raw is empty before; after a failure the caller frees what is in it. */
int photo_jpeg_decode(struct photo_raw *raw, const uint8_t *data, size_t n,
                      struct err *err) MUST_CHECK;
int photo_png_decode(struct photo_raw *raw, const uint8_t *data, size_t n,
                     struct err *err) MUST_CHECK;
int photo_webp_decode(struct photo_raw *raw, const uint8_t *data, size_t n,
                      struct err *err) MUST_CHECK;
int photo_heic_decode(struct photo_raw *raw, const uint8_t *data, size_t n,
                      struct err *err) MUST_CHECK;

/** Appends a JPEG of the picture's colours (alpha is ignored), 4:2:0, quality 1..100. */
int photo_jpeg_encode(struct bytes *out, const struct picture *picture, int quality,
                      struct err *err) MUST_CHECK;

/**
 * The EXIF orientation, 1..8, or 1 when there is none or the block is broken. Takes a TIFF header
 * at once or after "Exif\0\0". Reads nothing but the first directory's one tag.
 */
int photo_exif_orientation(const uint8_t *exif, size_t n);

/**
 * Brings raw->pixels to sRGB in place, by the embedded profile where it is usable.
 * Result   *ignored tells that there was a profile which could not be used: the colours were then
 *          taken for sRGB (or, for CMYK, converted plainly).
 */
int photo_colour_to_srgb(struct photo_raw *raw, bool *ignored, struct err *err) MUST_CHECK;

/**
 * Shrinks the picture so that its longest side is at most longest; leaves a smaller one alone.
 *
 * Method   every new pixel is the exact area average of the old ones it covers, in linear light
 *          and weighted by alpha (inks and CMYK: averaged as they are). An average has no ringing,
 *          so that no false bright seam appears round the subject's outline, which the mask and
 *          the relief are made from; in linear light fine bright detail keeps its brightness.
 * Cost     O(pixels), one pass; memory two rows of floats and the new picture.
 */
int photo_shrink(struct picture *picture, uint32_t longest, bool cmyk, struct err *err) MUST_CHECK;

/** Turns and mirrors the picture as EXIF orientation 2..8 asks for; 1 does nothing. */
int photo_turn(struct picture *picture, int orientation, struct err *err) MUST_CHECK;

#endif
