/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a photo from bytes to a judged, normalised picture; see photo.h. */
#include "intake/photo.h"

#include <stdlib.h>
#include <string.h>

#include "intake/photo_judge.h"
#include "intake/photo_raw.h"
#include "intake/subject.h"

#define PROVIDER_MAX_BYTES ((size_t)4000000)

struct format {
    const char *name;
    int (*decode)(struct photo_raw *, const uint8_t *, size_t, struct err *);
};

static const struct format formats[] = {
    [PHOTO_UNKNOWN] = {"unknown", NULL},        [PHOTO_JPEG] = {"jpeg", photo_jpeg_decode},
    [PHOTO_PNG] = {"png", photo_png_decode},    [PHOTO_WEBP] = {"webp", photo_webp_decode},
    [PHOTO_HEIC] = {"heic", photo_heic_decode}, [PHOTO_AVIF] = {"avif", photo_heic_decode},
};

const char *photo_format_name(enum photo_format format)
{
    return formats[format].name;
}

static enum photo_format brand_format(const uint8_t brand[4])
{
    static const char heic[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx"};
    for (size_t i = 0; i < sizeof heic / sizeof *heic; i++)
        if (memcmp(brand, heic[i], 4) == 0)
            return PHOTO_HEIC;
    if (memcmp(brand, "avif", 4) == 0 || memcmp(brand, "avis", 4) == 0)
        return PHOTO_AVIF;
    return PHOTO_UNKNOWN;
}

/* The file type box lists the kinds the file belongs to; "mif1" alone does not tell the codec. */
static enum photo_format sniff_boxes(const uint8_t *data, size_t n)
{
    size_t size = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
    if (size > n)
        size = n;
    enum photo_format format = brand_format(data + 8);
    for (size_t at = 16; format == PHOTO_UNKNOWN && at + 4 <= size && at < 256; at += 4)
        format = brand_format(data + at);
    if (format == PHOTO_UNKNOWN && memcmp(data + 8, "mif1", 4) == 0)
        format = PHOTO_HEIC;
    return format;
}

enum photo_format photo_sniff(const uint8_t *data, size_t n)
{
    if (n >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return PHOTO_JPEG;
    if (n >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return PHOTO_PNG;
    if (n >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        return PHOTO_WEBP;
    if (n >= 12 && memcmp(data + 4, "ftyp", 4) == 0)
        return sniff_boxes(data, n);
    return PHOTO_UNKNOWN;
}

int photo_check_size(uint64_t width, uint64_t height, struct err *err)
{
    if (width == 0 || height == 0)
        return FAIL_CODE(err, ERR_INPUT, "photo_damaged", "the photo says it has no pixels");
    if (width > PHOTO_MAX_SIDE || height > PHOTO_MAX_SIDE || width * height > PHOTO_MAX_PIXELS)
        return FAIL_CODE(err, ERR_LIMIT, "photo_too_large",
                         "%llu x %llu pixels; at most %llu are taken", (unsigned long long)width,
                         (unsigned long long)height, (unsigned long long)PHOTO_MAX_PIXELS);
    return 0;
}

void photo_raw_free(struct photo_raw *raw)
{
    picture_free(&raw->pixels);
    bytes_free(&raw->icc);
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Looked at before libpng sees the file, which calls every size over its limits broken. */
static int check_png_header(const uint8_t *data, size_t n, struct err *err)
{
    if (n < 24 || memcmp(data + 12, "IHDR", 4) != 0)
        return 0;
    return photo_check_size(big_endian(data + 16), big_endian(data + 20), err);
}

int photo_png_decode(struct photo_raw *raw, const uint8_t *data, size_t n, struct err *err)
{
    struct png_info info = {0};
    if (check_png_header(data, n, err))
        return -1;
    int failed = png_decode(&raw->pixels, &info, data, n, PHOTO_MAX_PIXELS, err);
    raw->source_width = raw->pixels.width;
    raw->source_height = raw->pixels.height;
    raw->orientation = photo_exif_orientation(info.exif.data, info.exif.len);
    bytes_take(&raw->icc, &info.icc);
    bytes_free(&info.icc);
    bytes_free(&info.exif);
    return failed;
}

/*
 * Transparency counts as real, and then as the subject's outline, when at least one pixel in 200 is
 * mostly clear. Else the picture is laid on white, so that stray half-clear pixels do no harm.
 */
static bool settle_alpha(struct picture *picture)
{
    size_t count = (size_t)picture->width * picture->height, clear = 0;
    for (size_t i = 0; i < count; i++)
        clear += picture->rgba[4 * i + 3] < 128;
    bool real = clear * 200 >= count;
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = picture->rgba + 4 * i;
        unsigned alpha = pixel[3];
        if (real && alpha == 0)
            memset(pixel, 0, 4); /* what an editor hid below the transparency is not ours to keep */
        for (int c = 0; !real && alpha != 255 && c < 3; c++)
            pixel[c] = (uint8_t)((pixel[c] * alpha + 255 * (255 - alpha) + 127) / 255);
        if (!real)
            pixel[3] = 255;
    }
    return real;
}

/* The order matters: shrinking first makes the colour conversion and the turning cheap. */
static int normalise(struct photo *out, struct photo_raw *raw, bool *profile_ignored,
                     struct err *err)
{
    if (photo_shrink(&raw->pixels, PHOTO_LONGEST_SIDE, raw->cmyk, err) ||
        photo_colour_to_srgb(raw, profile_ignored, err) ||
        photo_turn(&raw->pixels, raw->orientation, err))
        return -1;
    out->source_width = raw->source_width;
    out->source_height = raw->source_height;
    out->exif_orientation = raw->orientation;
    out->pixels = raw->pixels;
    raw->pixels = (struct picture){0};
    out->has_alpha = settle_alpha(&out->pixels);
    return 0;
}

static int cut_out(struct photo *out, const struct subject *subject, struct err *err)
{
    size_t count = (size_t)out->pixels.width * out->pixels.height;
    out->cutout = (struct picture){malloc(count * 4), out->pixels.width, out->pixels.height};
    if (!out->cutout.rgba)
        return FAIL(err, ERR_LIMIT, "no memory for the cut-out");
    memcpy(out->cutout.rgba, out->pixels.rgba, count * 4);
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = out->cutout.rgba + 4 * i;
        pixel[3] = subject->mask[i];
        if (pixel[3] == 0) /* the background is gone, not hidden */
            memset(pixel, 0, 3);
    }
    return 0;
}

static int judge(struct photo *out, bool profile_ignored, struct err *err)
{
    struct subject subject = {0};
    int failed = subject_find(&subject, &out->pixels, out->has_alpha, err) ||
                 cut_out(out, &subject, err) || photo_judge(out, &subject, profile_ignored, err);
    subject_free(&subject);
    return failed ? -1 : 0;
}

static int check_bytes(const uint8_t *data, size_t n, enum photo_format *format, struct err *err)
{
    if (n == 0)
        return FAIL_CODE(err, ERR_INPUT, "photo_empty", "the file is empty");
    if (n > PHOTO_MAX_BYTES)
        return FAIL_CODE(err, ERR_LIMIT, "photo_too_large",
                         "the file has %zu bytes; at most %zu are taken", n, PHOTO_MAX_BYTES);
    *format = photo_sniff(data, n);
    if (*format == PHOTO_UNKNOWN)
        return FAIL_CODE(err, ERR_INPUT, "photo_unknown_format",
                         "the file is no JPEG, PNG, WebP, HEIC or AVIF picture");
    return 0;
}

int photo_read(struct photo *out, const uint8_t *data, size_t n, struct err *err)
{
    struct photo_raw raw = {.orientation = 1};
    bool profile_ignored = false;
    *out = (struct photo){.exif_orientation = 1};
    if (check_bytes(data, n, &out->format, err))
        return -1;
    int failed = formats[out->format].decode(&raw, data, n, err) ||
                 normalise(out, &raw, &profile_ignored, err) || judge(out, profile_ignored, err);
    photo_raw_free(&raw);
    if (!failed)
        return 0;
    photo_free(out);
    return -1;
}

void photo_free(struct photo *photo)
{
    if (!photo)
        return;
    picture_free(&photo->pixels);
    picture_free(&photo->cutout);
    cJSON_Delete(photo->report);
    *photo = (struct photo){0};
}

static int encode(struct bytes *out, const struct picture *picture, bool as_png, int quality,
                  struct err *err)
{
    out->len = 0;
    return as_png ? png_encode(out, picture, 6, err)
                  : photo_jpeg_encode(out, picture, quality, err);
}

static int copy_picture(struct picture *to, const struct picture *from, struct err *err)
{
    size_t n = (size_t)from->width * from->height * 4;
    *to = (struct picture){malloc(n), from->width, from->height};
    if (!to->rgba)
        return FAIL(err, ERR_LIMIT, "no memory for a copy of the photo");
    memcpy(to->rgba, from->rgba, n);
    return 0;
}

/* Four fifths of the side take about a third of the bytes away; 2048 px end at 4 MB at once or
 * after one or two rounds. */
int photo_encode_for_provider(struct bytes *out, const char **mime, const struct photo *photo,
                              struct err *err)
{
    struct picture copy = {0};
    struct bytes file = {.limit = (size_t)64 << 20};
    if (copy_picture(&copy, &photo->pixels, err))
        return -1;
    int failed = encode(&file, &copy, photo->has_alpha, 90, err);
    while (!failed && file.len > PROVIDER_MAX_BYTES) {
        uint32_t side = copy.width > copy.height ? copy.width : copy.height;
        failed = photo_shrink(&copy, side * 4 / 5, false, err) ||
                 encode(&file, &copy, photo->has_alpha, 90, err);
    }
    if (!failed)
        failed = bytes_append(out, file.data, file.len, err);
    *mime = photo->has_alpha ? "image/png" : "image/jpeg";
    bytes_free(&file);
    picture_free(&copy);
    return failed ? -1 : 0;
}
