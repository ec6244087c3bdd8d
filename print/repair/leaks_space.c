/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Empty space by runs of cells and disjoint sets of them: one pass, however winding the ways. */
#include "print/repair/leaks_space.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/layers_runs.h"
#include "print/measure/sets.h"

#define OUTSIDE 0u /* run 0 is no run but all that is around */
#define REGROW 2   /* cells: the one that clearance took, and one for the corners */

struct ways {
    struct run *runs;
    uint32_t *rows; /* ny * nz + 1: where each row begins in runs */
    uint32_t *up;   /* disjoint sets */
    size_t count, room;
};

static void ways_free(struct ways *w)
{
    free(w->runs);
    free(w->rows);
    free(w->up);
}

static size_t words(const struct layer_grid *g)
{
    return g->nz * g->plane_words;
}

/* to becomes from and its 26 neighbours. spare: as large as either. */
static void grow(const struct layer_grid *g, uint64_t *to, const uint64_t *from, uint64_t *spare)
{
    const size_t plane = g->plane_words;
    for (size_t k = 0; k < g->nz; k++)
        plane_grow(g, spare + k * plane, from + k * plane, to + k * plane, 1);
    for (size_t k = 0; k < g->nz; k++)
        for (size_t i = k * plane; i < (k + 1) * plane; i++)
            to[i] = spare[i] | (k ? spare[i - plane] : 0) | (k + 1 < g->nz ? spare[i + plane] : 0);
}

static int add_runs(struct ways *w, const struct run_list *list, struct err *err)
{
    if (w->count + list->count > w->room) {
        size_t room = 2 * w->room + list->count + 4096;
        struct run *runs = room < UINT32_MAX ? realloc(w->runs, room * sizeof *runs) : NULL;
        if (!runs)
            return FAIL(err, ERR_LIMIT, "no memory for empty space");
        w->runs = runs;
        w->room = room;
    }
    memcpy(w->runs + w->count, list->runs, list->count * sizeof *list->runs);
    w->count += list->count;
    return 0;
}

static int list_runs(struct ways *w, const struct layer_grid *g, const uint64_t *blocked,
                     struct err *err)
{
    struct run_list list = {0};
    w->rows = malloc((g->ny * g->nz + 1) * sizeof *w->rows);
    int failed = w->rows ? 0 : FAIL(err, ERR_LIMIT, "no memory for empty space");
    const struct run_list around = {.runs = &(struct run){0}, .count = 1};
    if (!failed)
        failed = add_runs(w, &around, err);
    for (size_t k = 0; !failed && k < g->nz; k++) {
        failed = run_list_fill(&list, g, blocked + k * g->plane_words, false, err);
        for (size_t y = 0; !failed && y < g->ny; y++)
            w->rows[k * g->ny + y] = (uint32_t)w->count + list.rows[y];
        if (!failed)
            failed = add_runs(w, &list, err);
    }
    if (!failed) {
        w->rows[g->ny * g->nz] = (uint32_t)w->count;
        w->up = malloc(w->count * sizeof *w->up);
        failed = w->up ? 0 : FAIL(err, ERR_LIMIT, "no memory for empty space");
    }
    for (uint32_t i = 0; !failed && i < w->count; i++)
        w->up[i] = i;
    run_list_free(&list);
    return failed;
}

static void join_rows(struct ways *w, size_t row, size_t other)
{
    uint32_t a = w->rows[row], b = w->rows[other];
    while (a < w->rows[row + 1] && b < w->rows[other + 1]) {
        if (w->runs[a].begin < w->runs[b].end && w->runs[b].begin < w->runs[a].end)
            sets_join(w->up, a, b);
        if (w->runs[a].end < w->runs[b].end)
            a++;
        else
            b++;
    }
}

static void join_runs(struct ways *w, const struct layer_grid *g)
{
    for (size_t k = 0; k < g->nz; k++)
        for (size_t y = 0; y < g->ny; y++) {
            const size_t row = k * g->ny + y;
            bool rim = k == 0 || k + 1 == g->nz || y == 0 || y + 1 == g->ny;
            for (uint32_t i = w->rows[row]; i < w->rows[row + 1]; i++)
                if (rim || w->runs[i].begin == 0 || w->runs[i].end >= g->nx)
                    sets_join(w->up, OUTSIDE, i);
            if (y)
                join_rows(w, row, row - 1);
            if (k)
                join_rows(w, row, row - g->ny);
        }
}

static void set_bits(uint64_t *row, size_t begin, size_t end)
{
    for (size_t x = begin; x < end; x++)
        row[x / 64] |= (uint64_t)1 << (x % 64);
}

/* Marks the runs of the outside and of large dry pieces. */
static int mark(struct space *s, struct ways *w, double least_mm3, struct err *err)
{
    const struct layer_grid *g = &s->grid;
    const double cell = g->pixel_mm * g->pixel_mm * g->layer_mm;
    double *size = calloc(w->count, sizeof *size);
    if (!size)
        return FAIL(err, ERR_LIMIT, "no memory for hollows");
    for (uint32_t i = 1; i < w->count; i++)
        size[sets_find(w->up, i)] += cell * (w->runs[i].end - w->runs[i].begin);
    for (uint32_t i = 1; i < w->count; i++)
        if (w->up[i] == i && size[i] > least_mm3) {
            s->hollows++;
            s->hollow_mm3 += size[i];
        }
    if (s->hollows) {
        memset(s->open, 0, words(g) * sizeof *s->open);
        memset(s->hollow, 0, words(g) * sizeof *s->hollow);
        for (size_t row = 0; row < g->ny * g->nz; row++)
            for (uint32_t i = w->rows[row]; i < w->rows[row + 1]; i++) {
                uint32_t set = sets_find(w->up, i);
                size_t at = row / g->ny * g->plane_words + row % g->ny * g->row_words;
                if (set == OUTSIDE || size[set] > least_mm3)
                    set_bits((set == OUTSIDE ? s->open : s->hollow) + at, w->runs[i].begin,
                             w->runs[i].end);
            }
    }
    free(size);
    return 0;
}

/* Takes back what clearance took, without going through walls; leaks fall to the outside. */
static void regrow(struct space *s, uint64_t *grown, uint64_t *spare)
{
    const size_t n = words(&s->grid);
    for (int i = 0; i < REGROW; i++) {
        grow(&s->grid, grown, s->open, spare);
        for (size_t k = 0; k < n; k++)
            s->open[k] = grown[k] & ~s->grid.solid[k] & ~s->hollow[k];
        grow(&s->grid, grown, s->hollow, spare);
        for (size_t k = 0; k < n; k++)
            s->hollow[k] = grown[k] & ~s->grid.solid[k] & ~s->open[k];
    }
}

int space_build(struct space *out, const struct mesh *mesh, double cell_mm, double least_mm3,
                struct err *err)
{
    struct layer_grid_options options = {
        .pixel_mm = cell_mm, .layer_mm = cell_mm, .margin_mm = 2 * cell_mm};
    struct ways ways = {0};
    if (layer_grid_build(&out->grid, mesh, &options, err))
        return -1;
    const size_t n = words(&out->grid);
    out->open = malloc((n + 1) * sizeof *out->open);
    out->hollow = malloc((n + 1) * sizeof *out->hollow);
    uint64_t *spare = malloc((n + 1) * sizeof *spare);
    uint64_t *grown = malloc((n + 1) * sizeof *grown);
    int failed = out->open && out->hollow && spare && grown
                     ? 0
                     : FAIL(err, ERR_LIMIT, "no memory for a grid of %zu words", n);
    if (!failed) {
        grow(&out->grid, grown, out->grid.solid, spare);
        failed = list_runs(&ways, &out->grid, grown, err);
    }
    if (!failed) {
        join_runs(&ways, &out->grid);
        failed = mark(out, &ways, least_mm3, err);
    }
    if (!failed && out->hollows)
        regrow(out, grown, spare);
    ways_free(&ways);
    free(spare);
    free(grown);
    if (failed)
        space_free(out);
    return failed;
}

void space_free(struct space *s)
{
    layer_grid_free(&s->grid);
    free(s->open);
    free(s->hollow);
    *s = (struct space){0};
}

enum space_kind space_at(const struct space *s, struct vec p)
{
    const struct layer_grid *g = &s->grid;
    double x = (p.x - g->low[0]) / g->pixel_mm, y = (p.y - g->low[1]) / g->pixel_mm;
    double z = (p.z - g->low[2]) / g->layer_mm;
    if (!(x >= 0 && y >= 0 && z >= 0 && x < (double)g->nx && y < (double)g->ny &&
          z < (double)g->nz))
        return SPACE_OPEN;
    const size_t i = (size_t)x, j = (size_t)y, k = (size_t)z;
    if (plane_bit(g, layer_plane(g, s->hollow, k), i, j))
        return SPACE_HOLLOW;
    return plane_bit(g, layer_plane(g, s->open, k), i, j) ? SPACE_OPEN : SPACE_NONE;
}
