/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A customer's photo: told apart by its first bytes, decoded under caps, turned upright, brought to
 * sRGB, stripped of metadata, bounded, judged. Runs in a confined child.
 */
#ifndef INTAKE_PHOTO_H
#define INTAKE_PHOTO_H

#include "base/json.h"
#include "base/png.h"

#define PHOTO_MAX_BYTES ((size_t)40 << 20)
#define PHOTO_MAX_PIXELS ((uint64_t)100 * 1000 * 1000)
#define PHOTO_LONGEST_SIDE 2048

enum photo_format { PHOTO_UNKNOWN, PHOTO_JPEG, PHOTO_PNG, PHOTO_WEBP, PHOTO_HEIC, PHOTO_AVIF };

struct photo {
    enum photo_format format;
    uint32_t source_width, source_height; /* as stored in the file, before turning */
    int exif_orientation;                 /* 1..8; 1 when none (and for HEIC); already applied */
    struct picture pixels;                /* sRGB, upright, longest side <= PHOTO_LONGEST_SIDE */
    bool has_alpha;                       /* the file has real transparency */
    struct picture cutout;                /* pixels with the subject's mask as alpha */
    /* {"verdict":"pass|revise|reject","findings":[{code,severity,message,value,limit}],
     *  "photo":{format,width,height,source_width,source_height,exif_orientation,has_alpha,
     *           subject_share,subject_confidence,...measures}} */
    cJSON *report;
};

/** Tells the format by the first bytes. Cost O(1). */
enum photo_format photo_sniff(const uint8_t *data, size_t n);

/** "jpeg", "png", "webp", "heic", "avif", "unknown". */
const char *photo_format_name(enum photo_format format);

/**
 * Decodes, normalises, cuts the subject out and judges. Findings (severity info, warning, error):
 * photo_small, subject_small, photo_blurred, photo_dark, photo_bright, photo_low_contrast,
 * no_subject, subject_unclear, subject_cut_off, several_subjects, photo_profile_ignored, each in
 * plain words. An error finding gives verdict reject, a warning revise; a shop may still go on with
 * revise.
 *
 * Cost     O(pixels); at worst (a progressive JPEG or a PNG of PHOTO_MAX_PIXELS) about 900 MB for a
 *          moment, a 12 Mpx phone photo about 60 MB.
 * Owner    the caller calls photo_free.
 * Errors   ERR_INPUT codes photo_unknown_format, photo_empty, photo_truncated, photo_damaged;
 *          ERR_LIMIT photo_too_large.
 */
int photo_read(struct photo *out, const uint8_t *data, size_t n, struct err *err) MUST_CHECK;

void photo_free(struct photo *photo);

/** Encodes for a provider: JPEG quality 90, or PNG when there is transparency; at most 4 MB, no
 * metadata. */
int photo_encode_for_provider(struct bytes *out, const char **mime, const struct photo *photo,
                              struct err *err) MUST_CHECK;

#endif
