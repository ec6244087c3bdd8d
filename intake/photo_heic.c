/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HEIC and AVIF in; the doorman of libheif. The decoder applies the file's own turning (irot, imir)
 * and iPhones write the same turning into EXIF as well, so EXIF is not looked at: the format's
 * specification (ISO/IEC 23008-12) makes irot the one that counts.
 */
#include <stdlib.h>
#include <string.h>

#include <libheif/heif.h>

#include "intake/photo_raw.h"

struct handles {
    struct heif_context *context;
    struct heif_image_handle *primary;
    struct heif_decoding_options *options;
    struct heif_image *image;
};

static void release(struct handles *h)
{
    heif_image_release(h->image);
    heif_decoding_options_free(h->options);
    heif_image_handle_release(h->primary);
    heif_context_free(h->context);
}

static int refuse(struct heif_error error, struct err *err)
{
    if (error.subcode == heif_suberror_End_of_data)
        return FAIL_CODE(err, ERR_INPUT, "photo_truncated", "the HEIC or AVIF ends too early");
    if (error.subcode == heif_suberror_Security_limit_exceeded)
        return FAIL_CODE(err, ERR_LIMIT, "photo_too_large", "the HEIC or AVIF is over a limit");
    if (error.code == heif_error_Unsupported_filetype ||
        error.code == heif_error_Unsupported_feature)
        return FAIL_CODE(err, ERR_INPUT, "photo_unknown_format",
                         "a kind of HEIC or AVIF that cannot be read here: %.80s", error.message);
    if (error.code == heif_error_Memory_allocation_error)
        return FAIL(err, ERR_LIMIT, "no memory for the HEIC or AVIF");
    return FAIL_CODE(err, ERR_INPUT, "photo_damaged", "HEIC or AVIF: %.120s", error.message);
}

static int open_primary(struct handles *h, const uint8_t *data, size_t n, struct err *err)
{
    h->context = heif_context_alloc();
    if (!h->context)
        return FAIL(err, ERR_LIMIT, "no memory for libheif");
    /* libheif compares width x height with the square of this: 10,000 is our 100 Mpx. */
    heif_context_set_maximum_image_size_limit(h->context, 10000);
    heif_context_set_max_decoding_threads(h->context, 0);
    struct heif_error error = heif_context_read_from_memory_without_copy(h->context, data, n, NULL);
    if (error.code == heif_error_Ok)
        error = heif_context_get_primary_image_handle(h->context, &h->primary);
    return error.code == heif_error_Ok ? 0 : refuse(error, err);
}

static int take_profile(struct photo_raw *raw, const struct handles *h, struct err *err)
{
    size_t n = heif_image_handle_get_raw_color_profile_size(h->primary);
    enum heif_color_profile_type type = heif_image_handle_get_color_profile_type(h->primary);
    if ((type != heif_color_profile_type_rICC && type != heif_color_profile_type_prof) || n == 0 ||
        n > PHOTO_MAX_ICC)
        return 0;
    uint8_t *profile = malloc(n);
    if (!profile)
        return FAIL(err, ERR_LIMIT, "no memory for a colour profile");
    int failed = 0;
    if (heif_image_handle_get_raw_color_profile(h->primary, profile).code == heif_error_Ok)
        failed = bytes_append(&raw->icc, profile, n, err);
    free(profile);
    return failed;
}

static int copy_rows(struct picture *out, const struct heif_image *image, struct err *err)
{
    int stride, width = heif_image_get_primary_width(image);
    int height = heif_image_get_primary_height(image);
    const uint8_t *rows = heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);
    if (!rows || width <= 0 || height <= 0 || stride < 4 * width)
        return FAIL_CODE(err, ERR_INPUT, "photo_damaged", "the HEIC or AVIF holds no picture");
    if (photo_check_size((uint64_t)width, (uint64_t)height, err))
        return -1;
    out->width = (uint32_t)width;
    out->height = (uint32_t)height;
    out->rgba = malloc((size_t)width * (size_t)height * 4);
    if (!out->rgba)
        return FAIL(err, ERR_LIMIT, "no memory for %d x %d pixels", width, height);
    for (int y = 0; y < height; y++)
        memcpy(out->rgba + (size_t)y * (size_t)width * 4, rows + (size_t)y * (size_t)stride,
               (size_t)width * 4);
    return 0;
}

static int decode(struct photo_raw *raw, struct handles *h, const uint8_t *data, size_t n,
                  struct err *err)
{
    if (open_primary(h, data, n, err))
        return -1;
    raw->source_width = (uint32_t)heif_image_handle_get_ispe_width(h->primary);
    raw->source_height = (uint32_t)heif_image_handle_get_ispe_height(h->primary);
    if (photo_check_size(raw->source_width, raw->source_height, err) || take_profile(raw, h, err))
        return -1;
    h->options = heif_decoding_options_alloc();
    if (!h->options)
        return FAIL(err, ERR_LIMIT, "no memory for libheif");
    h->options->convert_hdr_to_8bit = 1;
    struct heif_error error = heif_decode_image(h->primary, &h->image, heif_colorspace_RGB,
                                                heif_chroma_interleaved_RGBA, h->options);
    return error.code == heif_error_Ok ? copy_rows(&raw->pixels, h->image, err)
                                       : refuse(error, err);
}

int photo_heic_decode(struct photo_raw *raw, const uint8_t *data, size_t n, struct err *err)
{
    struct handles h = {0};
    raw->orientation = 1;
    int failed = decode(raw, &h, data, n, err);
    release(&h);
    return failed;
}
