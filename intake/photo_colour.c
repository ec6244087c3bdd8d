/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Colours to sRGB by the embedded ICC profile; the doorman of Little CMS. A picture without a
 * profile is taken for sRGB, as browsers do.
 */
#include <lcms2.h>

#include "intake/photo_raw.h"

/* Little CMS's default handler says nothing, but a host program could have set another. */
static void stay_silent(cmsContext context, cmsUInt32Number code, const char *text)
{
    (void)context;
    (void)code;
    (void)text;
}

/* Reads the colour channels out of four bytes a pixel; 0 when the profile does not fit them. */
static cmsUInt32Number input_format(cmsHPROFILE profile, bool cmyk)
{
    cmsColorSpaceSignature space = cmsGetColorSpace(profile);
    if (cmyk)
        return space == cmsSigCmykData ? TYPE_CMYK_8 : 0;
    if (space == cmsSigRgbData)
        return TYPE_RGBA_8;
    if (space == cmsSigGrayData) /* grey was decoded as three equal channels: take the first */
        return COLORSPACE_SH(PT_GRAY) | EXTRA_SH(3) | CHANNELS_SH(1) | BYTES_SH(1);
    return 0;
}

static cmsHTRANSFORM make_transform(cmsContext context, const struct photo_raw *raw)
{
    if (raw->icc.len == 0 || raw->icc.len > PHOTO_MAX_ICC)
        return NULL;
    cmsHTRANSFORM transform = NULL;
    cmsHPROFILE from =
        cmsOpenProfileFromMemTHR(context, raw->icc.data, (cmsUInt32Number)raw->icc.len);
    cmsHPROFILE to = cmsCreate_sRGBProfileTHR(context);
    cmsUInt32Number format = from ? input_format(from, raw->cmyk) : 0;
    if (to && format)
        transform = cmsCreateTransformTHR(context, from, format, to, TYPE_RGBA_8, INTENT_PERCEPTUAL,
                                          cmsFLAGS_NOCACHE);
    if (to)
        cmsCloseProfile(to);
    if (from)
        cmsCloseProfile(from);
    return transform;
}

/* Row by row and in place: both sides have four bytes a pixel, and the fourth is left alone. */
static void convert(cmsHTRANSFORM transform, struct picture *picture)
{
    for (uint32_t y = 0; y < picture->height; y++) {
        uint8_t *row = picture->rgba + (size_t)y * picture->width * 4;
        cmsDoTransform(transform, row, row, picture->width);
    }
}

/* What is left of white paper after the colour's and the black ink. */
static void convert_inks_plainly(struct picture *picture)
{
    size_t count = (size_t)picture->width * picture->height;
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = picture->rgba + 4 * i;
        unsigned light = 255u - pixel[3];
        for (int c = 0; c < 3; c++)
            pixel[c] = (uint8_t)(((255u - pixel[c]) * light + 127) / 255);
    }
}

static void make_opaque(struct picture *picture)
{
    size_t count = (size_t)picture->width * picture->height;
    for (size_t i = 0; i < count; i++)
        picture->rgba[4 * i + 3] = 255;
}

int photo_colour_to_srgb(struct photo_raw *raw, bool *ignored, struct err *err)
{
    cmsContext context = cmsCreateContext(NULL, NULL);
    if (!context)
        return FAIL(err, ERR_LIMIT, "no memory for Little CMS");
    cmsSetLogErrorHandlerTHR(context, stay_silent);
    cmsHTRANSFORM transform = make_transform(context, raw);
    *ignored = raw->icc.len > 0 && !transform;
    if (transform) {
        convert(transform, &raw->pixels);
        cmsDeleteTransform(transform);
    } else if (raw->cmyk) {
        convert_inks_plainly(&raw->pixels);
    }
    if (raw->cmyk)
        make_opaque(&raw->pixels);
    raw->cmyk = false;
    cmsDeleteContext(context);
    return 0;
}
