/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of many meshes, or of one from many sides, on one page. */
#ifndef PRINT_RENDER_SHEET_H
#define PRINT_RENDER_SHEET_H

#include "print/render/render.h"

/** Lays pictures out in rows of `columns`, each cell as large as the largest; caller frees out. */
int picture_tile(struct picture *out, const struct picture *pictures, size_t count, size_t columns,
                 struct err *err) MUST_CHECK;

/*
 * A contact sheet: meshes before and after, side by side, with words. Meshes are given one by one,
 * so that not all need be in memory.
 */
struct sheet {
    struct picture page; /* complete when all pairs are added; the caller frees it */
    size_t columns, count, made;
    uint32_t tile; /* pixels of one mesh's square */
    enum view view;
};

/** A page for `count` pairs in rows of `columns` under a title (NULL: none).
 * Errors ERR_LIMIT a page over 16,384 pixels a side, or no memory. */
int sheet_open(struct sheet *sheet, size_t count, size_t columns, uint32_t tile, enum view view,
               const char *title, struct err *err) MUST_CHECK;

/**
 * Draws the next pair; either mesh may be NULL or empty: its place says so. caption and note are
 * one line each, cut where they are too long; an alarming note is red.
 */
int sheet_add(struct sheet *sheet, const struct mesh *before, const struct mesh *after,
              const char *caption, const char *note, bool alarm, struct err *err) MUST_CHECK;

#endif
