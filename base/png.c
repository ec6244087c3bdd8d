/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PNG through libpng with limits set before anything is decoded; see png.h. */
#include "base/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const uint8_t *data;
    size_t left;
    int ran_out;
};

struct trouble {
    char what[120];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct trouble *trouble = png_get_error_ptr(png);
    snprintf(trouble->what, sizeof trouble->what, "%s", text);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void feed(png_structp png, png_bytep out, size_t n)
{
    struct source *source = png_get_io_ptr(png);
    if (n > source->left) {
        source->ran_out = 1;
        png_error(png, "the file ends too early");
    }
    memcpy(out, source->data, n);
    source->data += n;
    source->left -= n;
}

void picture_free(struct picture *picture)
{
    if (!picture)
        return;
    free(picture->rgba);
    *picture = (struct picture){0};
}

static int read_info(struct png_info *info, png_structp png, png_infop head, struct err *err)
{
    png_charp name;
    int compression;
    png_bytep data;
    png_uint_32 n;
    if (!info)
        return 0;
    if (png_get_iCCP(png, head, &name, &compression, &data, &n) == PNG_INFO_iCCP &&
        bytes_append(&info->icc, data, n, err))
        return -1;
    if (png_get_eXIf_1(png, head, &n, &data) == PNG_INFO_eXIf &&
        bytes_append(&info->exif, data, n, err))
        return -1;
    info->has_alpha = (png_get_color_type(png, head) & PNG_COLOR_MASK_ALPHA) != 0 ||
                      png_get_valid(png, head, PNG_INFO_tRNS) != 0;
    return 0;
}

static void ask_for_rgba8(png_structp png, png_infop head)
{
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
    png_read_update_info(png, head);
}

/* setjmp's function holds no locals that change after it; all state lives in the arguments. */
static int decode(struct picture *out, png_bytep **rows, struct png_info *info, png_structp png,
                  png_infop head, uint64_t max_pixels, struct err *err)
{
    if (setjmp(png_jmpbuf(png)))
        return -1;
    png_read_info(png, head);
    out->width = png_get_image_width(png, head);
    out->height = png_get_image_height(png, head);
    if ((uint64_t)out->width * out->height > max_pixels)
        return FAIL_CODE(err, ERR_LIMIT, "photo_too_large",
                         "%u x %u pixels; at most %llu are taken", out->width, out->height,
                         (unsigned long long)max_pixels);
    if (read_info(info, png, head, err))
        return -1;
    ask_for_rgba8(png, head);
    if (png_get_rowbytes(png, head) != (size_t)out->width * 4)
        return FAIL(err, ERR_BUG, "libpng gave another row size than RGBA");
    out->rgba = malloc((size_t)out->width * out->height * 4);
    *rows = malloc(out->height * sizeof **rows);
    if (!out->rgba || !*rows)
        return FAIL(err, ERR_LIMIT, "no memory for %u x %u pixels", out->width, out->height);
    for (uint32_t y = 0; y < out->height; y++)
        (*rows)[y] = out->rgba + (size_t)y * out->width * 4;
    png_read_image(png, *rows);
    png_read_end(png, NULL);
    return 0;
}

int png_decode(struct picture *out, struct png_info *info, const uint8_t *data, size_t n,
               uint64_t max_pixels, struct err *err)
{
    struct source source = {data, n, 0};
    struct trouble trouble = {""};
    struct err inner = {0};
    png_bytep *rows = NULL;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &trouble, on_error, on_warning);
    png_infop head = png ? png_create_info_struct(png) : NULL;
    if (!head) {
        png_destroy_read_struct(&png, NULL, NULL);
        return FAIL(err, ERR_LIMIT, "no memory for libpng");
    }
    *out = (struct picture){0};
    png_set_read_fn(png, &source, feed);
    png_set_user_limits(png, 32767, 32767);
    png_set_chunk_cache_max(png, 64);
    png_set_chunk_malloc_max(png, 8 << 20);
    int failed = decode(out, &rows, info, png, head, max_pixels, &inner);
    png_destroy_read_struct(&png, &head, NULL);
    free(rows);
    if (!failed)
        return 0;
    picture_free(out);
    if (inner.kind != ERR_NONE) {
        if (err)
            *err = inner;
        return -1;
    }
    if (strstr(trouble.what, "exceeds user limit"))
        return FAIL_CODE(err, ERR_LIMIT, "photo_too_large", "the PNG is over 32,767 pixels a side");
    return FAIL_CODE(err, ERR_INPUT, source.ran_out ? "photo_truncated" : "photo_damaged",
                     "PNG: %s", trouble.what);
}

struct sink {
    struct bytes *out;
    struct err *err;
};

static void drain(png_structp png, png_bytep data, size_t n)
{
    struct sink *sink = png_get_io_ptr(png);
    if (bytes_append(sink->out, data, n, sink->err))
        png_error(png, "no room");
}

static void no_flush(png_structp png)
{
    (void)png;
}

static int is_opaque(const struct picture *picture)
{
    size_t count = (size_t)picture->width * picture->height;
    for (size_t i = 0; i < count; i++)
        if (picture->rgba[4 * i + 3] != 255)
            return 0;
    return 1;
}

static int encode(png_structp png, png_infop head, const struct picture *picture, int level)
{
    if (setjmp(png_jmpbuf(png)))
        return -1;
    int opaque = is_opaque(picture);
    png_set_compression_level(png, level);
    png_set_IHDR(png, head, picture->width, picture->height, 8,
                 opaque ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, head, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(png, head);
    if (opaque)
        png_set_filler(png, 0, PNG_FILLER_AFTER);
    for (uint32_t y = 0; y < picture->height; y++)
        png_write_row(png, picture->rgba + (size_t)y * picture->width * 4);
    png_write_end(png, NULL);
    return 0;
}

int png_encode(struct bytes *out, const struct picture *picture, int level, struct err *err)
{
    struct trouble trouble = {""};
    struct err inner = {0};
    struct sink sink = {out, &inner};
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, &trouble, on_error, on_warning);
    png_infop head = png ? png_create_info_struct(png) : NULL;
    if (!head) {
        png_destroy_write_struct(&png, NULL);
        return FAIL(err, ERR_LIMIT, "no memory for libpng");
    }
    size_t before = out->len;
    png_set_write_fn(png, &sink, drain, no_flush);
    int failed = encode(png, head, picture, level);
    png_destroy_write_struct(&png, &head);
    if (!failed)
        return 0;
    out->len = before;
    if (inner.kind != ERR_NONE)
        return FAIL(err, inner.kind, "%s", inner.what);
    return FAIL(err, ERR_BUG, "PNG writing: %s", trouble.what);
}
