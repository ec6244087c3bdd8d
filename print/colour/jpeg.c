/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JPEG textures; the doorman of libjpeg-turbo in this room. Size is judged from the head, big
 * pictures are scaled while they are decoded, endless scans end the reading. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "print/colour/picture.h"

#define MAX_SCANS 64
#define MAX_WARNINGS 16
#define MAX_MEMORY ((long)512 << 20)

struct trouble {
    struct jpeg_error_mgr manager; /* first, so that cinfo->err is also this */
    struct jpeg_progress_mgr progress;
    jmp_buf out;
};

static void give_up(j_common_ptr cinfo)
{
    longjmp(((struct trouble *)cinfo->err)->out, 1);
}

static void on_message(j_common_ptr cinfo, int level)
{
    if (level < 0 && ++cinfo->err->num_warnings > MAX_WARNINGS)
        give_up(cinfo);
}

static void on_progress(j_common_ptr cinfo)
{
    if (((j_decompress_ptr)cinfo)->input_scan_number > MAX_SCANS)
        give_up(cinfo);
}

static void stay_silent(j_common_ptr cinfo)
{
    (void)cinfo;
}

/* The largest eighth that stays within the pixels. */
static int choose_scale(j_decompress_ptr cinfo, uint64_t max_pixels)
{
    uint64_t pixels = (uint64_t)cinfo->image_width * cinfo->image_height;
    unsigned eighths = 8;
    while (eighths > 1 && pixels * eighths * eighths / 64 > max_pixels)
        eighths--;
    cinfo->scale_num = eighths;
    cinfo->scale_denom = 8;
    jpeg_calc_output_dimensions(cinfo);
    return (uint64_t)cinfo->output_width * cinfo->output_height <= max_pixels;
}

/* setjmp's function holds no locals that change after it; all state lives in the arguments. */
static int decode(struct picture *out, j_decompress_ptr cinfo, struct trouble *trouble,
                  const uint8_t *data, size_t n, uint64_t max_pixels, struct err *err)
{
    if (setjmp(trouble->out))
        return FAIL_CODE(err, ERR_INPUT, "texture_damaged", "the JPEG is damaged");
    jpeg_create_decompress(cinfo);
    cinfo->progress = &trouble->progress;
    cinfo->mem->max_memory_to_use = MAX_MEMORY;
    jpeg_mem_src(cinfo, data, n);
    jpeg_read_header(cinfo, TRUE);
    if (!choose_scale(cinfo, max_pixels))
        return FAIL_CODE(err, ERR_LIMIT, "texture_too_large", "%u x %u pixels", cinfo->image_width,
                         cinfo->image_height);
    if (cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK)
        return FAIL_CODE(err, ERR_INPUT, "texture_damaged", "a JPEG texture in printing inks");
    cinfo->out_color_space = JCS_EXT_RGBA;
    jpeg_start_decompress(cinfo);
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

int texture_jpeg(struct picture *out, const uint8_t *data, size_t n, uint64_t max_pixels,
                 struct err *err)
{
    struct jpeg_decompress_struct cinfo = {0};
    struct trouble trouble = {.progress = {.progress_monitor = on_progress}};
    cinfo.err = jpeg_std_error(&trouble.manager);
    trouble.manager.error_exit = give_up;
    trouble.manager.emit_message = on_message;
    trouble.manager.output_message = stay_silent;
    int failed = decode(out, &cinfo, &trouble, data, n, max_pixels, err);
    jpeg_destroy_decompress(&cinfo);
    if (failed)
        picture_free(out);
    return failed;
}
