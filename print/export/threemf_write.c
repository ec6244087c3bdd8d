/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our 3MF writer: one file for all slicers. The archive's parts in their order; what is in each is
 * made by threemf_model.c, threemf_config.c and threemf_body.c. lib3mf's own writer cannot declare
 * the namespaces of our labels; it reads what we write instead.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print/export/packer.h"
#include "print/export/threemf_body.h"
#include "print/export/threemf_parts.h"

#define SMALL_SIDE 128 /* what Bambu's and Creality's printers show in their lists */

static int put_part(struct packer *zip, const char *name, const void *data, size_t n,
                    struct err *err)
{
    if (packer_part_open(zip, name, err) || packer_part_write(zip, data, n, err))
        return -1;
    return packer_part_close(zip, err);
}

static int put_text(struct packer *zip, const char *name, struct bytes *text, struct err *err)
{
    int failed = put_part(zip, name, text->data, text->len, err);
    text->len = 0;
    return failed;
}

/* Each pixel is the mean of those that it stands for, weighted by their alpha. */
static void shrink(struct picture *to, const struct picture *from)
{
    for (uint32_t y = 0; y < to->height; y++)
        for (uint32_t x = 0; x < to->width; x++) {
            uint32_t x0 = x * from->width / to->width, x1 = (x + 1) * from->width / to->width,
                     y0 = y * from->height / to->height, y1 = (y + 1) * from->height / to->height;
            uint64_t sum[3] = {0}, alpha = 0, count = 0;
            for (uint32_t j = y0; j < y1; j++)
                for (uint32_t i = x0; i < x1; i++) {
                    const uint8_t *p = from->rgba + 4 * ((size_t)j * from->width + i);
                    for (int k = 0; k < 3; k++)
                        sum[k] += (uint64_t)p[k] * p[3];
                    alpha += p[3];
                    count++;
                }
            uint8_t *out = to->rgba + 4 * ((size_t)y * to->width + x);
            for (int k = 0; k < 3; k++)
                out[k] = (uint8_t)(alpha ? (sum[k] + alpha / 2) / alpha : 0);
            out[3] = (uint8_t)(count ? alpha / count : 0);
        }
}

static int put_picture(struct packer *zip, const char *const *names, size_t count,
                       const struct picture *picture, struct err *err)
{
    struct bytes png = {.limit = 16 << 20};
    int failed = png_encode(&png, picture, 6, err);
    for (size_t i = 0; i < count && !failed; i++)
        failed = put_part(zip, names[i], png.data, png.len, err);
    bytes_free(&png);
    return failed;
}

static int put_small(struct packer *zip, const struct picture *picture, struct err *err)
{
    static const char *const name[] = {"Metadata/plate_1_small.png"};
    uint32_t longer = picture->width > picture->height ? picture->width : picture->height;
    struct picture small = {NULL, picture->width, picture->height};
    if (longer > SMALL_SIDE) {
        small.width = (uint32_t)((uint64_t)picture->width * SMALL_SIDE / longer);
        small.height = (uint32_t)((uint64_t)picture->height * SMALL_SIDE / longer);
    }
    if (longer <= SMALL_SIDE || !small.width || !small.height)
        return put_picture(zip, name, 1, picture, err);
    small.rgba = malloc((size_t)4 * small.width * small.height);
    if (!small.rgba)
        return FAIL(err, ERR_LIMIT, "no memory for a thumbnail");
    shrink(&small, picture);
    int failed = put_picture(zip, name, 1, &small, err);
    picture_free(&small);
    return failed;
}

static int put_pictures(struct packer *zip, const struct picture *picture, struct err *err)
{
    static const char *const names[] = {"Metadata/thumbnail.png", "Metadata/plate_1.png"};
    return put_picture(zip, names, 2, picture, err) || put_small(zip, picture, err) ? -1 : 0;
}

static int put_objects(struct packer *zip, const struct threemf_plan *plan, struct bytes *text,
                       struct err *err)
{
    const struct export_plate *plate = plan->plate;
    for (size_t i = 0; i < plate->object_count; i++) {
        const struct export_object *object = &plate->objects[i];
        struct threemf_body body = {.head = text,
                                    .mesh = object->mesh,
                                    .colours =
                                        object->palette ? object->palette->of_triangle : NULL,
                                    .common = plan->common[i],
                                    .palette = plan->palette_of[i]};
        if (threemf_object_head(text, plan, i, err) || threemf_put_body(zip, &body, err))
            return -1;
        text->len = 0;
    }
    return 0;
}

static int put_model(struct packer *zip, const struct threemf_plan *plan, struct bytes *text,
                     struct err *err)
{
    if (packer_part_open(zip, "3D/3dmodel.model", err) || threemf_model_head(text, plan, err) ||
        put_objects(zip, plan, text, err) || threemf_model_tail(text, plan, err) ||
        packer_part_write(zip, text->data, text->len, err))
        return -1;
    text->len = 0;
    return packer_part_close(zip, err);
}

static int put_all(struct packer *zip, const struct threemf_plan *plan, struct bytes *text,
                   struct err *err)
{
    const struct export_plate *plate = plan->plate;
    if (threemf_content_types(text, plate, err) ||
        put_text(zip, "[Content_Types].xml", text, err) || threemf_relations(text, plate, err) ||
        put_text(zip, "_rels/.rels", text, err) ||
        (plate->thumbnail && put_pictures(zip, plate->thumbnail, err)) ||
        put_model(zip, plan, text, err) || threemf_prusa_objects(text, plate, err) ||
        put_text(zip, "Metadata/Slic3r_PE_model.config", text, err) ||
        threemf_orca_objects(text, plate, err) ||
        put_text(zip, "Metadata/model_settings.config", text, err))
        return -1;
    for (size_t i = 0; i < plate->part_count; i++)
        if (put_part(zip, plate->parts[i].name, plate->parts[i].data, plate->parts[i].bytes, err))
            return -1;
    return packer_close(zip, err);
}

static int write_to(struct packer *zip, const struct export_plate *plate, struct err *err)
{
    struct export_plate own = *plate;
    struct threemf_plan plan;
    struct bytes text = {0};
    if (own.thumbnail && !own.thumbnail->rgba)
        own.thumbnail = NULL;
    if (threemf_plan_make(&plan, &own, err))
        return -1;
    int failed = put_all(zip, &plan, &text, err);
    if (failed)
        packer_abandon(zip);
    bytes_free(&text);
    return failed;
}

int threemf_write_plate(struct bytes *out, const struct export_plate *plate, struct err *err)
{
    struct packer zip = {.out = out, .start = out->len};
    return write_to(&zip, plate, err);
}

int threemf_write_file(int fd, const struct export_plate *plate, struct err *err)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0)
        return FAIL_ERRNO(err, "finding where the 3MF's file stands");
    struct packer zip = {.fd = fd, .start = (size_t)at};
    return write_to(&zip, plate, err);
}
