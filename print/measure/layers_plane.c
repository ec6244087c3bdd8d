/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting and growing one layer's bitmap, 64 cells at a time. */
#include <string.h>

#include "print/measure/layers_grid.h"

size_t plane_count(const uint64_t *plane, size_t words)
{
    size_t count = 0;
    for (size_t i = 0; i < words; i++)
        count += word_count(plane[i]);
    return count;
}

size_t plane_sides(const struct layer_grid *grid, const uint64_t *plane)
{
    size_t words = grid->row_words, count = 0;
    for (size_t y = 0; y < grid->ny; y++) {
        const uint64_t *row = plane + y * words;
        uint64_t carry = 0;
        for (size_t w = 0; w < words; w++) {
            uint64_t left = row[w] << 1 | carry;
            carry = row[w] >> 63;
            count += word_count(row[w] ^ left);
            uint64_t above = y ? row[w] ^ row[(ptrdiff_t)w - (ptrdiff_t)words] : row[w];
            count += word_count(above);
        }
    }
    return count;
}

/* to |= from moved by `by` cells (under 64) both ways along the row. */
static void spread_row(uint64_t *to, const uint64_t *from, size_t words, unsigned by)
{
    for (size_t w = 0; w < words; w++) {
        uint64_t before = w ? from[w - 1] : 0, after = w + 1 < words ? from[w + 1] : 0;
        to[w] |= from[w] << by | before >> (64 - by) | from[w] >> by | after << (64 - by);
    }
}

static void spread_rows(uint64_t *to, const uint64_t *from, size_t words, size_t rows, size_t by)
{
    for (size_t y = 0; y < rows; y++)
        for (size_t w = 0; w < words; w++) {
            uint64_t before = y >= by ? from[(y - by) * words + w] : 0;
            uint64_t after = y + by < rows ? from[(y + by) * words + w] : 0;
            to[y * words + w] |= before | after;
        }
}

/* A run of 2r + 1 cells moved by up to 2r + 1 still joins up: few passes for any radius. */
static size_t next_move(size_t reached, size_t radius)
{
    size_t move = 2 * reached + 1;
    move = move > radius - reached ? radius - reached : move;
    return move > 63 ? 63 : move;
}

/* Rows first and last that have anything set; most of a plane is empty in most layers. */
static void used_rows(const struct layer_grid *grid, const uint64_t *plane, size_t *first,
                      size_t *end)
{
    size_t words = grid->plane_words, w = 0;
    while (w < words && !plane[w])
        w++;
    while (words > w && !plane[words - 1])
        words--;
    *first = w / grid->row_words;
    *end = (words + grid->row_words - 1) / grid->row_words;
}

void plane_grow(const struct layer_grid *grid, uint64_t *to, const uint64_t *from,
                uint64_t *scratch, size_t radius)
{
    size_t words = grid->row_words, first, end;
    memset(to, 0, grid->plane_words * sizeof *to);
    used_rows(grid, from, &first, &end);
    if (first >= end)
        return;
    memcpy(to + first * words, from + first * words, (end - first) * words * sizeof *to);
    for (size_t reached = 0; reached < radius;) {
        size_t move = next_move(reached, radius);
        size_t bytes = (end - first) * words * sizeof *to;
        memcpy(scratch, to + first * words, bytes);
        for (size_t y = first; y < end; y++)
            spread_row(to + y * words, scratch + (y - first) * words, words, (unsigned)move);
        reached += move;
    }
    first = first > radius ? first - radius : 0;
    end = end + radius < grid->ny ? end + radius : grid->ny;
    for (size_t reached = 0; reached < radius;) {
        size_t move = next_move(reached, radius);
        memcpy(scratch, to + first * words, (end - first) * words * sizeof *to);
        spread_rows(to + first * words, scratch, words, end - first, move);
        reached += move;
    }
}
