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

static int encode(png_structp png, png_infop head, const struct picture *picture, int level,
                  int opaque)
{
    if (setjmp(png_jmpbuf(png)))
        return -1;
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

static int encode_as(struct bytes *out, const struct picture *picture, int level, int opaque,
                     struct err *err)
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
    int failed = encode(png, head, picture, level, opaque);
    png_destroy_write_struct(&png, &head);
    if (!failed)
        return 0;
    out->len = before;
    if (inner.kind != ERR_NONE)
        return FAIL(err, inner.kind, "%s", inner.what);
    return FAIL(err, ERR_BUG, "PNG writing: %s", trouble.what);
}

int png_encode(struct bytes *out, const struct picture *picture, int level, struct err *err)
{
    return encode_as(out, picture, level, is_opaque(picture), err);
}

static uint32_t number_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void number_put(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

struct animation {
    const struct picture *frames;
    size_t count;
    uint32_t delay_ms;
    uint32_t sequence; /* of the chunks that only an animation has */
};

static void write_control(png_structp png, struct animation *a)
{
    uint8_t data[26] = {0}; /* at the corner, whole, in place of what was there */
    number_put(data, a->sequence++);
    number_put(data + 4, a->frames[0].width);
    number_put(data + 8, a->frames[0].height);
    data[20] = (uint8_t)(a->delay_ms >> 8);
    data[21] = (uint8_t)a->delay_ms;
    data[22] = 1000 >> 8;
    data[23] = 1000 & 255;
    png_write_chunk(png, (png_const_bytep) "fcTL", data, sizeof data);
}

static void write_head(png_structp png, const struct animation *a, const uint8_t *head)
{
    uint8_t control[8] = {0}; /* how many frames, and 0: for ever */
    png_write_sig(png);
    png_write_chunk(png, (png_const_bytep) "IHDR", head, 13);
    number_put(control, (uint32_t)a->count);
    png_write_chunk(png, (png_const_bytep) "acTL", control, sizeof control);
    png_write_chunk(png, (png_const_bytep) "sRGB", control, 1); /* 0: perceptual */
}

/* The pixels of one encoded frame: those of the first are the picture for who knows no animation.
 */
static void write_frame(png_structp png, struct animation *a, struct bytes *encoded)
{
    int first = a->sequence == 0;
    write_control(png, a);
    for (size_t at = 8; at + 12 <= encoded->len;) {
        uint8_t *chunk = encoded->data + at;
        uint32_t n = number_at(chunk);
        if (memcmp(chunk + 4, "IDAT", 4) == 0 && first)
            png_write_chunk(png, chunk + 4, chunk + 8, n);
        else if (memcmp(chunk + 4, "IDAT", 4) == 0) {
            number_put(chunk + 4, a->sequence++); /* where the name was */
            png_write_chunk(png, (png_const_bytep) "fdAT", chunk + 4, (size_t)n + 4);
        }
        at += 12 + (size_t)n;
    }
}

static int write_animation(png_structp png, struct animation *a, struct bytes *encoded)
{
    if (setjmp(png_jmpbuf(png)))
        return -1;
    write_head(png, a, encoded[0].data + 16);
    for (size_t i = 0; i < a->count; i++)
        write_frame(png, a, &encoded[i]);
    png_write_chunk(png, (png_const_bytep) "IEND", NULL, 0);
    return 0;
}

static int join_frames(struct bytes *out, struct animation *a, struct bytes *encoded,
                       struct err *err)
{
    struct trouble trouble = {""};
    struct sink sink = {out, err};
    size_t before = out->len;
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, &trouble, on_error, on_warning);
    if (!png)
        return FAIL(err, ERR_LIMIT, "no memory for libpng");
    png_set_write_fn(png, &sink, drain, no_flush);
    int failed = write_animation(png, a, encoded);
    png_destroy_write_struct(&png, NULL);
    if (!failed)
        return 0;
    out->len = before;
    return -1; /* drain has said why: nothing else can fail here */
}

/* All frames must be of one kind and size. */
static int frames_agree(const struct picture *frames, size_t count, int *opaque)
{
    *opaque = 1;
    for (size_t i = 0; i < count; i++) {
        if (frames[i].width != frames[0].width || frames[i].height != frames[0].height)
            return 0;
        *opaque = *opaque && is_opaque(&frames[i]);
    }
    return count > 0;
}

int png_animate(struct bytes *out, const struct picture *frames, size_t count, uint32_t delay_ms,
                int level, struct err *err)
{
    struct animation a = {
        .frames = frames, .count = count, .delay_ms = delay_ms < 65535 ? delay_ms : 65535};
    int opaque, failed = 0;
    if (!frames_agree(frames, count, &opaque))
        return FAIL(err, ERR_INPUT, "an animation needs frames, all of the same size");
    struct bytes *encoded = calloc(count, sizeof *encoded);
    if (!encoded)
        return FAIL(err, ERR_LIMIT, "no memory for %zu frames", count);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < count; i++) {
        struct err own = {0};
        if (encode_as(&encoded[i], &frames[i], level, opaque, &own)) {
#pragma omp critical(png_animate)
            {
                failed = -1;
                if (err)
                    *err = own;
            }
        }
    }
    if (!failed)
        failed = join_frames(out, &a, encoded, err);
    for (size_t i = 0; i < count; i++)
        bytes_free(&encoded[i]);
    free(encoded);
    return failed;
}
