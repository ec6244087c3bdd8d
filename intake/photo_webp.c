/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WebP in; the doorman of libwebp. Of an animation the first frame is taken, on its canvas. */
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "intake/photo_raw.h"

static int truncated(struct err *err)
{
    return FAIL_CODE(err, ERR_INPUT, "photo_truncated", "the WebP ends too early");
}

static int damaged(struct err *err)
{
    return FAIL_CODE(err, ERR_INPUT, "photo_damaged", "the WebP is damaged");
}

/* The RIFF header says how long the file is. */
static bool is_cut_short(const uint8_t *data, size_t n)
{
    if (n < 12)
        return true;
    uint64_t size = (uint64_t)data[4] | (uint64_t)data[5] << 8 | (uint64_t)data[6] << 16 |
                    (uint64_t)data[7] << 24;
    return size + 8 > n;
}

static int take_chunk(struct bytes *out, const WebPDemuxer *demuxer, const char name[4],
                      struct err *err)
{
    WebPChunkIterator chunk;
    int failed = 0;
    if (WebPDemuxGetChunk(demuxer, name, 1, &chunk) && chunk.chunk.size <= PHOTO_MAX_ICC)
        failed = bytes_append(out, chunk.chunk.bytes, chunk.chunk.size, err);
    WebPDemuxReleaseChunkIterator(&chunk);
    return failed;
}

static int take_metadata(struct photo_raw *raw, const uint8_t *data, size_t n, struct err *err)
{
    struct bytes exif = {0};
    WebPData file = {data, n};
    WebPDemuxer *demuxer = WebPDemux(&file);
    if (!demuxer)
        return damaged(err);
    int failed =
        take_chunk(&raw->icc, demuxer, "ICCP", err) || take_chunk(&exif, demuxer, "EXIF", err);
    raw->orientation = photo_exif_orientation(exif.data, exif.len);
    if (!failed && WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT) > PHOTO_MAX_FRAMES)
        failed = FAIL_CODE(err, ERR_LIMIT, "photo_too_large",
                           "the animation has more than %d frames", PHOTO_MAX_FRAMES);
    bytes_free(&exif);
    WebPDemuxDelete(demuxer);
    return failed ? -1 : 0;
}

static int make_room(struct picture *out, int width, int height, struct err *err)
{
    out->width = (uint32_t)width;
    out->height = (uint32_t)height;
    out->rgba = malloc((size_t)width * (size_t)height * 4);
    if (!out->rgba)
        return FAIL(err, ERR_LIMIT, "no memory for %d x %d pixels", width, height);
    return 0;
}

static int decode_still(struct picture *out, const uint8_t *data, size_t n, int width, int height,
                        struct err *err)
{
    if (make_room(out, width, height, err))
        return -1;
    size_t size = (size_t)width * (size_t)height * 4;
    return WebPDecodeRGBAInto(data, n, out->rgba, size, width * 4) ? 0 : damaged(err);
}

static int decode_first_frame(struct picture *out, const uint8_t *data, size_t n, int width,
                              int height, struct err *err)
{
    WebPAnimDecoderOptions options;
    WebPData file = {data, n};
    uint8_t *canvas;
    int time_ms;
    if (!WebPAnimDecoderOptionsInit(&options))
        return FAIL(err, ERR_BUG, "libwebp is not the version it was built for");
    options.color_mode = MODE_RGBA;
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&file, &options);
    if (!decoder)
        return damaged(err);
    int failed = make_room(out, width, height, err);
    if (!failed && WebPAnimDecoderGetNext(decoder, &canvas, &time_ms))
        memcpy(out->rgba, canvas, (size_t)width * (size_t)height * 4);
    else if (!failed)
        failed = damaged(err);
    WebPAnimDecoderDelete(decoder);
    return failed;
}

int photo_webp_decode(struct photo_raw *raw, const uint8_t *data, size_t n, struct err *err)
{
    WebPBitstreamFeatures features;
    if (is_cut_short(data, n))
        return truncated(err);
    VP8StatusCode status = WebPGetFeatures(data, n, &features);
    if (status != VP8_STATUS_OK)
        return status == VP8_STATUS_NOT_ENOUGH_DATA ? truncated(err) : damaged(err);
    raw->source_width = (uint32_t)features.width;
    raw->source_height = (uint32_t)features.height;
    if (photo_check_size(raw->source_width, raw->source_height, err) ||
        take_metadata(raw, data, n, err))
        return -1;
    return (features.has_animation ? decode_first_frame : decode_still)(
        &raw->pixels, data, n, features.width, features.height, err);
}
