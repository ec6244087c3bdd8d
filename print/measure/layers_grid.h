/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A solid on the bed as a stack of bitmaps, one a layer; what layers.c and support.c look at. */
#ifndef PRINT_MEASURE_LAYERS_GRID_H
#define PRINT_MEASURE_LAYERS_GRID_H

#include <stdbool.h>

#include "print/measure/vec.h"

#define STEEP_LIMITS 4

/*
 * Bit x of row y of layer k says whether the middle of that cell is inside. A margin of empty
 * cells goes around, so that nothing grows over the edge.
 */
struct layer_grid {
    size_t nx, ny, nz;  /* cells, margin included; nz layers */
    size_t row_words;   /* 64-bit words of a row */
    size_t plane_words; /* of a layer */
    double pixel_mm, layer_mm;
    double low[3];   /* corner of cell 0, 0, 0 */
    uint64_t *solid; /* nz planes */
    /* Undersides leaning over further than limit i, at the layer whose material hangs. */
    uint64_t *steep[STEEP_LIMITS];
};

struct layer_grid_options {
    double pixel_mm, layer_mm;
    double margin_mm;
    double steep_deg[STEEP_LIMITS]; /* from vertical; 0: that bitmap is not made */
};

/**
 * Cuts a closed mesh into layers, each looked at in its middle, as slicers do. What several shells
 * enclose counts once. The lowest point is the bed. pixel_mm and layer_mm are taken larger when the
 * bitmaps would pass 2^31 cells.
 * Cost     O(triangles + columns x (crossings + layers / 64)), in parallel.
 * Owner    layer_grid_free.
 * Errors   ERR_INPUT an empty mesh or one without height; ERR_LIMIT no memory.
 */
int layer_grid_build(struct layer_grid *out, const struct mesh *mesh,
                     const struct layer_grid_options *options, struct err *err) MUST_CHECK;

void layer_grid_free(struct layer_grid *grid);

static inline const uint64_t *layer_plane(const struct layer_grid *grid, const uint64_t *bits,
                                          size_t layer)
{
    return bits + layer * grid->plane_words;
}

static inline int plane_bit(const struct layer_grid *grid, const uint64_t *plane, size_t x,
                            size_t y)
{
    return (int)(plane[y * grid->row_words + x / 64] >> (x % 64) & 1);
}

/* In plain words, since the builtin is a call into a table where the machine is not known. */
static inline size_t word_count(uint64_t word)
{
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (size_t)(word * 0x0101010101010101u >> 56);
}

/** Cells that are set. */
size_t plane_count(const uint64_t *plane, size_t words);

/** Sides between a set cell and one that is not. */
size_t plane_sides(const struct layer_grid *grid, const uint64_t *plane);

/**
 * Grows a plane by a square of 2 x radius + 1 cells. to and scratch: one plane each, none the same.
 */
void plane_grow(const struct layer_grid *grid, uint64_t *to, const uint64_t *from,
                uint64_t *scratch, size_t radius);

#endif
