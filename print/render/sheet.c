/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contact sheets and sprite sheets; see sheet.h. */
#include "print/render/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/render/draw.h"

#define SIDE_MOST 16384
#define GAP 12 /* pixels between cells */

static const uint8_t paper[3] = {250, 250, 250}, ink[3] = {40, 44, 50}, faint[3] = {118, 124, 132},
                     red[3] = {190, 30, 40};

static int page_open(struct picture *page, uint64_t width, uint64_t height, struct err *err)
{
    if (width == 0 || height == 0 || width > SIDE_MOST || height > SIDE_MOST)
        return FAIL_CODE(err, ERR_LIMIT, "picture_size",
                         "a page of %llu x %llu pixels; each side may be up to %d",
                         (unsigned long long)width, (unsigned long long)height, SIDE_MOST);
    page->rgba = calloc((size_t)(width * height), 4);
    if (!page->rgba)
        return FAIL(err, ERR_LIMIT, "no memory for a page of %llu pixels",
                    (unsigned long long)(width * height));
    page->width = (uint32_t)width;
    page->height = (uint32_t)height;
    return 0;
}

int picture_tile(struct picture *out, const struct picture *pictures, size_t count, size_t columns,
                 struct err *err)
{
    uint32_t w = 0, h = 0;
    struct picture page = {0};
    for (size_t i = 0; i < count; i++) {
        w = pictures[i].width > w ? pictures[i].width : w;
        h = pictures[i].height > h ? pictures[i].height : h;
    }
    columns = columns == 0 || columns > count ? count : columns;
    size_t rows = columns ? (count + columns - 1) / columns : 0;
    if (page_open(&page, (uint64_t)w * columns, (uint64_t)h * rows, err))
        return -1;
    for (size_t i = 0; i < count; i++)
        for (uint32_t y = 0; y < pictures[i].height; y++)
            memcpy(page.rgba + 4 * ((i / columns * h + y) * page.width + i % columns * w),
                   pictures[i].rgba + 4 * (size_t)y * pictures[i].width,
                   4 * (size_t)pictures[i].width);
    *out = page;
    return 0;
}

/* Letters are as large as suits the tile. */
static double cap_of(const struct sheet *sheet)
{
    return fmin(fmax(sheet->tile / 24.0, 7), 16);
}

static uint32_t words_height(const struct sheet *sheet)
{
    return (uint32_t)lrint(cap_of(sheet) * 4.6);
}

static uint32_t title_height(const struct sheet *sheet)
{
    return (uint32_t)lrint(cap_of(sheet) * 4);
}

int sheet_open(struct sheet *sheet, size_t count, size_t columns, uint32_t tile, enum view view,
               const char *title, struct err *err)
{
    *sheet = (struct sheet){.count = count, .tile = tile, .view = view};
    sheet->columns = columns == 0 || columns > count ? (count ? count : 1) : columns;
    uint64_t rows = (count + sheet->columns - 1) / sheet->columns;
    uint64_t width = sheet->columns * (2 * (uint64_t)tile + GAP) + GAP;
    uint64_t height = rows * (tile + (uint64_t)words_height(sheet) + GAP) + title_height(sheet);
    if (page_open(&sheet->page, width, height, err))
        return -1;
    draw_box(&sheet->page, 0, 0, (long)width, (long)height, paper);
    if (title)
        draw_text(&sheet->page, GAP, 2.6 * cap_of(sheet), 1.3 * cap_of(sheet), title, ink);
    return 0;
}

/* Writes as much as there is room for, and two dots where it was cut. */
static void write_line(struct picture *page, double x, double y, double cap, double room,
                       const char *text, const uint8_t rgb[3])
{
    char line[256];
    size_t n = strnlen(text, sizeof line - 3);
    memcpy(line, text, n);
    line[n] = 0;
    bool cut = text[n] != 0;
    while (n > 0 && draw_text_width(cap, line) > room) {
        n--;
        memcpy(line + n, "..", 3);
        cut = false;
    }
    if (cut)
        memcpy(line + n, "..", 3);
    draw_text(page, x, y, cap, line, rgb);
}

static int draw_mesh(struct sheet *sheet, long x, long y, const struct mesh *mesh, bool after,
                     struct err *err)
{
    static const uint8_t empty[3] = {236, 236, 238};
    double cap = cap_of(sheet);
    struct picture picture;
    struct err own = {0};
    struct render_options options = RENDER_OPTIONS_DEFAULT;
    options.width = options.height = sheet->tile;
    options.view = sheet->view;
    if (!after)
        memcpy(options.rgb, (uint8_t[3]){178, 186, 196}, 3);
    int failed = mesh && mesh->triangle_count ? mesh_render(&picture, mesh, &options, &own) : -1;
    if (!failed) {
        draw_picture(&sheet->page, &picture, x, y);
        picture_free(&picture);
    } else if (own.kind == ERR_LIMIT) {
        return FAIL_CODE(err, own.kind, own.code, "%s", own.what);
    } else {
        const char *none = after ? "nothing was made" : "nothing to draw";
        draw_box(&sheet->page, x, y, (long)sheet->tile, (long)sheet->tile, empty);
        draw_text(&sheet->page, (double)x + (sheet->tile - draw_text_width(cap, none)) / 2,
                  (double)y + sheet->tile / 2.0, cap, none, faint);
    }
    draw_text(&sheet->page, (double)x + 0.8 * cap, (double)y + 1.8 * cap, cap * 0.85,
              after ? "after" : "before", faint);
    return 0;
}

int sheet_add(struct sheet *sheet, const struct mesh *before, const struct mesh *after,
              const char *caption, const char *note, bool alarm, struct err *err)
{
    if (sheet->made == sheet->count)
        return FAIL(err, ERR_LIMIT, "the page holds %zu pairs", sheet->count);
    double cap = cap_of(sheet), room = 2.0 * sheet->tile;
    long x = (long)(GAP + sheet->made % sheet->columns * (2 * (size_t)sheet->tile + GAP));
    long y = (long)(title_height(sheet) +
                    sheet->made / sheet->columns * (sheet->tile + words_height(sheet) + GAP));
    if (draw_mesh(sheet, x, y, before, false, err) ||
        draw_mesh(sheet, x + (long)sheet->tile, y, after, true, err))
        return -1;
    double line = (double)y + sheet->tile;
    write_line(&sheet->page, (double)x, line + 1.7 * cap, cap, room, caption, ink);
    if (note)
        write_line(&sheet->page, (double)x, line + 3.6 * cap, cap, room, note, alarm ? red : faint);
    sheet->made++;
    return 0;
}
