/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bitmaps to runs, and runs to pieces. */
#include "print/measure/layers_runs.h"

#include <stdlib.h>

#include "print/measure/sets.h"

static int room_for_one(struct run_list *list)
{
    if (list->count < list->room)
        return 0;
    size_t room = 2 * list->room + 1024;
    struct run *runs = realloc(list->runs, room * sizeof *runs);
    if (!runs)
        return -1;
    list->runs = runs;
    uint32_t *up = realloc(list->up, room * sizeof *up);
    if (!up)
        return -1;
    list->up = up;
    list->room = room;
    return 0;
}

/* The first cell from x on whose bit, after flipping, is set; nx when there is none. */
static size_t next_cell(const struct layer_grid *grid, const uint64_t *row, size_t x, uint64_t flip)
{
    while (x < grid->nx) {
        uint64_t word = (row[x / 64] ^ flip) >> (x % 64);
        if (word) {
            x += (size_t)__builtin_ctzll(word);
            return x < grid->nx ? x : grid->nx;
        }
        x = (x / 64 + 1) * 64;
    }
    return grid->nx;
}

int run_list_fill(struct run_list *list, const struct layer_grid *grid, const uint64_t *plane,
                  bool set, struct err *err)
{
    uint64_t flip = set ? 0 : ~(uint64_t)0;
    if (!list->rows)
        list->rows = malloc((grid->ny + 1) * sizeof *list->rows);
    if (!list->rows)
        return FAIL(err, ERR_LIMIT, "no memory for the runs of a layer");
    list->count = 0;
    for (size_t y = 0; y < grid->ny; y++) {
        const uint64_t *row = plane + y * grid->row_words;
        list->rows[y] = (uint32_t)list->count;
        for (size_t x = next_cell(grid, row, 0, flip); x < grid->nx;) {
            size_t end = next_cell(grid, row, x, ~flip);
            if (room_for_one(list))
                return FAIL(err, ERR_LIMIT, "no memory for the runs of a layer");
            list->runs[list->count] = (struct run){(uint32_t)x, (uint32_t)end, (uint32_t)y};
            list->up[list->count] = (uint32_t)list->count;
            list->count++;
            x = next_cell(grid, row, end, flip);
        }
    }
    list->rows[grid->ny] = (uint32_t)list->count;
    return 0;
}

void run_list_free(struct run_list *list)
{
    free(list->runs);
    free(list->rows);
    free(list->up);
    *list = (struct run_list){0};
}

void run_list_join(struct run_list *list, const struct layer_grid *grid)
{
    for (size_t y = 1; y < grid->ny; y++) {
        uint32_t a = list->rows[y - 1], b = list->rows[y], end = list->rows[y + 1];
        while (a < list->rows[y] && b < end) {
            if (list->runs[a].begin <= list->runs[b].end &&
                list->runs[b].begin <= list->runs[a].end)
                sets_join(list->up, a, b);
            if (list->runs[a].end < list->runs[b].end)
                a++;
            else
                b++;
        }
    }
}

bool plane_any(const struct layer_grid *grid, const uint64_t *plane, size_t row, size_t begin,
               size_t end)
{
    const uint64_t *words = plane + row * grid->row_words;
    for (size_t w = begin / 64; w <= (end - 1) / 64; w++) {
        uint64_t mask = ~(uint64_t)0;
        if (w == begin / 64)
            mask &= ~(uint64_t)0 << (begin % 64);
        if (w == (end - 1) / 64)
            mask &= ~(uint64_t)0 >> (63 - (end - 1) % 64);
        if (words[w] & mask)
            return true;
    }
    return false;
}
