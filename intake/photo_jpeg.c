/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JPEG in and out; the doorman of libjpeg-turbo. Size is judged from the header, big pictures are
 * scaled while they are decoded, endless scans and floods of warnings end the reading.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "intake/photo_raw.h"

#define MAX_SCANS 100                  /* cameras and encoders write at most about 15 */
#define MAX_SCANNED 2000000000u        /* pixels times passes: 20 passes of 100 Mpx, 10 s */
#define MAX_WARNINGS 16                /* a stray marker gives one or two; noise gives hundreds */
#define MAX_MEMORY ((size_t)512 << 20) /* coefficients of a progressive picture of 100 Mpx */
#define EXIF_MARKER (JPEG_APP0 + 1)
#define ICC_MARKER (JPEG_APP0 + 2)

struct trouble {
    struct jpeg_error_mgr manager; /* first, so that cinfo->err is also this */
    struct jpeg_progress_mgr progress;
    jmp_buf out;
    int code;     /* of the error that ended it */
    bool ran_out; /* the file ended too early */
    bool too_many_scans;
};

static void on_error(j_common_ptr cinfo)
{
    struct trouble *trouble = (struct trouble *)cinfo->err;
    trouble->code = cinfo->err->msg_code;
    longjmp(trouble->out, 1);
}

static void on_message(j_common_ptr cinfo, int level)
{
    struct trouble *trouble = (struct trouble *)cinfo->err;
    if (level >= 0)
        return;
    cinfo->err->num_warnings++;
    if (cinfo->err->msg_code == JWRN_JPEG_EOF)
        trouble->ran_out = true;
    if (cinfo->err->num_warnings > MAX_WARNINGS)
        on_error(cinfo);
}

static void on_progress(j_common_ptr cinfo)
{
    struct trouble *trouble = (struct trouble *)cinfo->err;
    j_decompress_ptr in = (j_decompress_ptr)cinfo;
    uint64_t scans = (uint64_t)in->input_scan_number;
    if (scans <= MAX_SCANS && scans * in->image_width * in->image_height <= MAX_SCANNED)
        return;
    trouble->too_many_scans = true;
    on_error(cinfo);
}

static void stay_silent(j_common_ptr cinfo)
{
    (void)cinfo;
}

static struct jpeg_error_mgr *catch_trouble(struct trouble *trouble)
{
    jpeg_std_error(&trouble->manager);
    trouble->manager.error_exit = on_error;
    trouble->manager.emit_message = on_message;
    trouble->manager.output_message = stay_silent;
    trouble->progress.progress_monitor = on_progress;
    return &trouble->manager;
}

static int orientation_in(const struct jpeg_decompress_struct *cinfo)
{
    for (jpeg_saved_marker_ptr m = cinfo->marker_list; m; m = m->next)
        if (m->marker == EXIF_MARKER && m->data_length >= 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return photo_exif_orientation(m->data, m->data_length);
    return 1;
}

/* jpeg_read_icc_profile adds up the pieces; 255 pieces of 64 kB at most. */
static int take_profile(struct photo_raw *raw, j_decompress_ptr cinfo, struct err *err)
{
    JOCTET *profile = NULL;
    unsigned n = 0;
    if (!jpeg_read_icc_profile(cinfo, &profile, &n))
        return 0;
    int failed = n <= PHOTO_MAX_ICC ? bytes_append(&raw->icc, profile, n, err) : 0;
    free(profile);
    return failed;
}

/* The smallest eighth that still gives the longest side in full: less memory, and no work for
 * detail that the shrinking would average away. */
static void choose_scale(j_decompress_ptr cinfo)
{
    uint64_t side =
        cinfo->image_width > cinfo->image_height ? cinfo->image_width : cinfo->image_height;
    unsigned eighths = 1;
    while (eighths < 8 && side * eighths < (uint64_t)PHOTO_LONGEST_SIDE * 8)
        eighths++;
    cinfo->scale_num = eighths;
    cinfo->scale_denom = 8;
}

static void choose_colours(struct photo_raw *raw, j_decompress_ptr cinfo)
{
    raw->cmyk = cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK;
    cinfo->out_color_space = raw->cmyk ? JCS_CMYK : JCS_EXT_RGBA;
}

/* Adobe's programs, which write nearly all CMYK JPEGs, store the inks upside down. */
static void turn_inks(struct picture *picture)
{
    size_t n = (size_t)picture->width * picture->height * 4;
    for (size_t i = 0; i < n; i++)
        picture->rgba[i] = (uint8_t)(255 - picture->rgba[i]);
}

static int read_rows(struct picture *out, j_decompress_ptr cinfo, struct err *err)
{
    jpeg_start_decompress(cinfo);
    if (cinfo->output_components != 4)
        return FAIL(err, ERR_BUG, "the JPEG decoder gave %d channels", cinfo->output_components);
    out->width = cinfo->output_width;
    out->height = cinfo->output_height;
    out->rgba = calloc((size_t)out->width * out->height, 4);
    if (!out->rgba)
        return FAIL(err, ERR_LIMIT, "no memory for %u x %u pixels", out->width, out->height);
    while (cinfo->output_scanline < cinfo->output_height) {
        JSAMPROW row = out->rgba + (size_t)cinfo->output_scanline * out->width * 4;
        jpeg_read_scanlines(cinfo, &row, 1);
    }
    return 0;
}

/* setjmp's function holds no locals that change after it; all state lives in the arguments. The
 * end-of-image marker is not asked for: a file that lacks only that has all its pixels. */
static int decode(struct photo_raw *raw, j_decompress_ptr cinfo, struct trouble *trouble,
                  const uint8_t *data, size_t n, struct err *err)
{
    if (setjmp(trouble->out))
        return -1;
    jpeg_create_decompress(cinfo);
    cinfo->progress = &trouble->progress;
    cinfo->mem->max_memory_to_use = (long)MAX_MEMORY;
    jpeg_mem_src(cinfo, data, n);
    jpeg_save_markers(cinfo, EXIF_MARKER, 0xffff);
    jpeg_save_markers(cinfo, ICC_MARKER, 0xffff);
    jpeg_read_header(cinfo, TRUE);
    raw->source_width = cinfo->image_width;
    raw->source_height = cinfo->image_height;
    if (photo_check_size(cinfo->image_width, cinfo->image_height, err) ||
        take_profile(raw, cinfo, err))
        return -1;
    raw->orientation = orientation_in(cinfo);
    choose_scale(cinfo);
    choose_colours(raw, cinfo);
    if (read_rows(&raw->pixels, cinfo, err))
        return -1;
    if (raw->cmyk && cinfo->saw_Adobe_marker)
        turn_inks(&raw->pixels);
    return 0;
}

static int refuse(const struct trouble *trouble, struct err *err)
{
    if (trouble->too_many_scans)
        return FAIL_CODE(err, ERR_INPUT, "photo_damaged",
                         "the JPEG has very many passes; no camera writes such a file");
    if (trouble->ran_out || trouble->code == JERR_INPUT_EMPTY || trouble->code == JERR_INPUT_EOF)
        return FAIL_CODE(err, ERR_INPUT, "photo_truncated", "the JPEG ends too early");
    if (trouble->code == JERR_OUT_OF_MEMORY || trouble->code == JERR_NO_BACKING_STORE ||
        trouble->code == JERR_IMAGE_TOO_BIG)
        return FAIL_CODE(err, ERR_LIMIT, "photo_too_large",
                         "the JPEG needs more memory than is allowed");
    if (trouble->code == JERR_SOF_UNSUPPORTED || trouble->code == JERR_BAD_PRECISION ||
        trouble->code == JERR_CONVERSION_NOTIMPL)
        return FAIL_CODE(err, ERR_INPUT, "photo_unknown_format",
                         "a rare kind of JPEG (such as lossless or 12-bit) that cannot be read");
    return FAIL_CODE(err, ERR_INPUT, "photo_damaged", "the JPEG is damaged");
}

int photo_jpeg_decode(struct photo_raw *raw, const uint8_t *data, size_t n, struct err *err)
{
    struct jpeg_decompress_struct cinfo = {0};
    struct trouble trouble = {.code = 0};
    struct err inner = {0};
    cinfo.err = catch_trouble(&trouble);
    int failed = decode(raw, &cinfo, &trouble, data, n, &inner);
    jpeg_destroy_decompress(&cinfo);
    if (!failed && trouble.ran_out)
        failed = -1;
    if (!failed)
        return 0;
    if (inner.kind == ERR_NONE)
        return refuse(&trouble, err);
    if (err)
        *err = inner;
    return -1;
}

/* As decode: no locals across setjmp. *file and *n are libjpeg's own allocation. */
static int encode(unsigned char **file, unsigned long *n, j_compress_ptr cinfo,
                  struct trouble *trouble, const struct picture *picture, int quality)
{
    if (setjmp(trouble->out))
        return -1;
    jpeg_create_compress(cinfo);
    jpeg_mem_dest(cinfo, file, n);
    cinfo->image_width = picture->width;
    cinfo->image_height = picture->height;
    cinfo->input_components = 4;
    cinfo->in_color_space = JCS_EXT_RGBX;
    jpeg_set_defaults(cinfo);
    jpeg_set_quality(cinfo, quality, TRUE);
    cinfo->optimize_coding = TRUE;
    jpeg_start_compress(cinfo, TRUE);
    while (cinfo->next_scanline < cinfo->image_height) {
        JSAMPROW row = picture->rgba + (size_t)cinfo->next_scanline * picture->width * 4;
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
    return 0;
}

int photo_jpeg_encode(struct bytes *out, const struct picture *picture, int quality,
                      struct err *err)
{
    struct jpeg_compress_struct cinfo = {0};
    struct trouble trouble = {.code = 0};
    unsigned char *file = NULL;
    unsigned long n = 0;
    cinfo.err = catch_trouble(&trouble);
    int failed = encode(&file, &n, &cinfo, &trouble, picture, quality);
    jpeg_destroy_compress(&cinfo);
    if (failed)
        failed = FAIL(err, ERR_LIMIT, "the JPEG could not be written");
    else
        failed = bytes_append(out, file, n, err);
    free(file);
    return failed;
}
