/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Empty space that the outside cannot reach. Layers are added from the bed up; a cell that has no
 * way out through the layers so far holds water, and one that still has none at the end is trapped.
 */
#include <stdlib.h>
#include <string.h>

#include "print/measure/layers_runs.h"
#include "print/measure/sets.h"

#define OUTSIDE 0u

/* Rooms over all layers; number 0 is the outside, to which every joined set collapses. */
struct rooms {
    uint32_t *up;
    size_t *cells;
    size_t count, capacity;
};

static int room_new(struct rooms *rooms, uint32_t *number)
{
    if (rooms->count == rooms->capacity) {
        size_t capacity = 2 * rooms->capacity + 4096;
        if (capacity > UINT32_MAX)
            return -1;
        uint32_t *up = realloc(rooms->up, capacity * sizeof *up);
        if (!up)
            return -1;
        rooms->up = up;
        size_t *cells = realloc(rooms->cells, capacity * sizeof *cells);
        if (!cells)
            return -1;
        rooms->cells = cells;
        rooms->capacity = capacity;
    }
    *number = (uint32_t)rooms->count++;
    rooms->up[*number] = *number;
    rooms->cells[*number] = 0;
    return 0;
}

/* A layer's pieces of empty space and the room that each belongs to. */
struct storey {
    struct run_list list;
    uint32_t *room; /* per run */
    size_t capacity;
};

static int storey_fill(struct storey *s, struct rooms *rooms, const struct layer_grid *grid,
                       size_t layer, struct err *err)
{
    if (run_list_fill(&s->list, grid, layer_plane(grid, grid->solid, layer), false, err))
        return -1;
    run_list_join(&s->list, grid);
    if (s->list.count > s->capacity) {
        free(s->room);
        s->capacity = s->list.room;
        s->room = malloc(s->capacity * sizeof *s->room);
        if (!s->room) {
            s->capacity = 0;
            return FAIL(err, ERR_LIMIT, "no memory for empty space");
        }
    }
    for (size_t i = 0; i < s->list.count; i++) {
        uint32_t first = sets_find(s->list.up, (uint32_t)i); /* not after i */
        if (first == 0)
            s->room[i] = OUTSIDE; /* the piece at the corner of the margin */
        else if (first != i)
            s->room[i] = s->room[first];
        else if (room_new(rooms, &s->room[i]))
            return FAIL(err, ERR_LIMIT, "no memory for empty space");
    }
    return 0;
}

static void join_storeys(struct rooms *rooms, const struct storey *below, const struct storey *here,
                         const struct layer_grid *grid)
{
    for (size_t y = 0; y < grid->ny; y++) {
        size_t a = below->list.rows[y], b = here->list.rows[y];
        size_t a_end = below->list.rows[y + 1], b_end = here->list.rows[y + 1];
        while (a < a_end && b < b_end) {
            const struct run *p = &below->list.runs[a], *q = &here->list.runs[b];
            if (p->begin < q->end && q->begin < p->end)
                sets_join(rooms->up, below->room[a], here->room[b]);
            if (p->end < q->end)
                a++;
            else
                b++;
        }
    }
}

/* The cells of this layer that no way leads out of yet. */
static size_t count_held(struct rooms *rooms, const struct storey *s)
{
    size_t held = 0;
    for (size_t i = 0; i < s->list.count; i++) {
        size_t cells = s->list.runs[i].end - s->list.runs[i].begin;
        rooms->cells[s->room[i]] += cells;
        held += sets_find(rooms->up, s->room[i]) != OUTSIDE ? cells : 0;
    }
    return held;
}

static void sum_up(struct layer_measures *out, struct rooms *rooms, const struct layer_grid *grid,
                   double least_mm3, size_t held)
{
    double cell = grid->pixel_mm * grid->pixel_mm * grid->layer_mm;
    double all = 0;
    for (uint32_t i = (uint32_t)rooms->count; i-- > 1;) {
        uint32_t room = sets_find(rooms->up, i);
        if (room != i)
            rooms->cells[room] += rooms->cells[i];
    }
    for (size_t i = 1; i < rooms->count; i++) {
        double volume = (double)rooms->cells[i] * cell;
        if (rooms->up[i] != i)
            continue;
        all += volume;
        if (volume < least_mm3)
            continue;
        out->trapped++;
        out->trapped_mm3 += volume;
    }
    out->cups_mm3 = (double)held * cell - all;
}

int layers_find_voids(struct layer_measures *out, const struct layer_grid *grid,
                      const struct layer_options *options, struct err *err)
{
    struct rooms rooms = {0};
    struct storey storey[2] = {{{0}, NULL, 0}, {{0}, NULL, 0}};
    uint32_t outside;
    size_t held = 0;
    int result = -1;
    if (room_new(&rooms, &outside)) {
        FAIL(err, ERR_LIMIT, "no memory for empty space");
        goto out;
    }
    for (size_t k = 0; k < grid->nz; k++) {
        struct storey *here = &storey[k % 2], *below = &storey[1 - k % 2];
        if (storey_fill(here, &rooms, grid, k, err))
            goto out;
        if (k > 0)
            join_storeys(&rooms, below, here, grid);
        else /* lifted off the bed, the lowest layer drains */
            for (size_t i = 0; i < here->list.count; i++)
                sets_join(rooms.up, here->room[i], OUTSIDE);
        held += count_held(&rooms, here);
    }
    { /* what the top layer still encloses is open above it */
        const struct storey *top = &storey[(grid->nz - 1) % 2];
        for (size_t i = 0; i < top->list.count; i++)
            sets_join(rooms.up, top->room[i], OUTSIDE);
    }
    sum_up(out, &rooms, grid, options->void_mm3, held);
    result = 0;
out:
    for (int i = 0; i < 2; i++) {
        run_list_free(&storey[i].list);
        free(storey[i].room);
    }
    free(rooms.up);
    free(rooms.cells);
    return result;
}
