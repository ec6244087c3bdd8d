/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces of a layer that begin in mid-air, and pieces that span from one wall to another. */
#include <stdlib.h>
#include <string.h>

#include "print/measure/layers_runs.h"
#include "print/measure/sets.h"

/* What is known of the piece whose first run this is. */
struct piece {
    size_t cells;
    size_t held[2], longest[2], widest[2]; /* along x and along y: cells; cells; cells */
    bool carried;
};

struct finder {
    const struct layer_grid *grid;
    const struct layer_options *options;
    struct layer_measures *out;
    struct run_list list;
    struct piece *pieces;
    size_t piece_room;
    uint64_t *grown, *scratch, *hanging; /* one plane each */
};

static int finder_open(struct finder *f, struct layer_measures *out, const struct layer_grid *grid,
                       const struct layer_options *options, struct err *err)
{
    *f = (struct finder){.grid = grid, .options = options, .out = out};
    f->grown = calloc(3 * grid->plane_words, sizeof *f->grown);
    if (!f->grown)
        return FAIL(err, ERR_LIMIT, "no memory for three layers");
    f->scratch = f->grown + grid->plane_words;
    f->hanging = f->scratch + grid->plane_words;
    return 0;
}

static void finder_close(struct finder *f)
{
    run_list_free(&f->list);
    free(f->pieces);
    free(f->grown);
}

static int list_pieces(struct finder *f, const uint64_t *plane, struct err *err)
{
    if (run_list_fill(&f->list, f->grid, plane, true, err))
        return -1;
    run_list_join(&f->list, f->grid);
    if (f->list.count > f->piece_room) {
        free(f->pieces);
        f->piece_room = f->list.room;
        f->pieces = malloc(f->piece_room * sizeof *f->pieces);
        if (!f->pieces) {
            f->piece_room = 0;
            return FAIL(err, ERR_LIMIT, "no memory for the pieces of a layer");
        }
    }
    if (f->list.count)
        memset(f->pieces, 0, f->list.count * sizeof *f->pieces);
    return 0;
}

static double cell_mm2(const struct finder *f)
{
    return f->grid->pixel_mm * f->grid->pixel_mm;
}

static void note_island(struct finder *f, const struct run *run, size_t layer, double area)
{
    const struct layer_grid *g = f->grid;
    struct layer_measures *out = f->out;
    double height = (double)layer * g->layer_mm;
    if (out->islands < LAYER_ISLANDS)
        out->island[out->islands] = (struct layer_island){
            .at_mm = {g->low[0] + (run->begin + run->end) / 2. * g->pixel_mm,
                      g->low[1] + (run->row + 0.5) * g->pixel_mm, g->low[2] + height},
            .area_mm2 = area};
    if (out->islands++ == 0)
        out->island_first_mm = height;
    out->island_area_mm2 += area;
}

static int islands_of(struct finder *f, size_t layer, struct err *err)
{
    const struct layer_grid *g = f->grid;
    const uint64_t *below = layer_plane(g, g->solid, layer - 1);
    if (list_pieces(f, layer_plane(g, g->solid, layer), err))
        return -1;
    plane_grow(g, f->grown, below, f->scratch, 1);
    for (size_t i = 0; i < f->list.count; i++) {
        const struct run *run = &f->list.runs[i];
        struct piece *piece = &f->pieces[sets_find(f->list.up, (uint32_t)i)];
        piece->cells += run->end - run->begin;
        piece->carried = piece->carried || plane_any(g, f->grown, run->row, run->begin, run->end);
    }
    for (size_t i = 0; i < f->list.count; i++) {
        double area = (double)f->pieces[i].cells * cell_mm2(f);
        if (f->list.up[i] == i && !f->pieces[i].carried && area >= f->options->island_mm2)
            note_island(f, &f->list.runs[i], layer, area);
    }
    return 0;
}

int layers_find_islands(struct layer_measures *out, const struct layer_grid *grid,
                        const struct layer_options *options, struct err *err)
{
    struct finder f;
    int result = finder_open(&f, out, grid, options, err);
    for (size_t k = 1; k < grid->nz && result == 0; k++)
        result = islands_of(&f, k, err);
    finder_close(&f);
    return result;
}

static void note_span(struct piece *piece, int way, size_t cells, bool held)
{
    piece->widest[way] = cells > piece->widest[way] ? cells : piece->widest[way];
    if (!held)
        return;
    piece->held[way] += cells;
    piece->longest[way] = cells > piece->longest[way] ? cells : piece->longest[way];
}

/* Spans along y that begin in this run. */
static void spans_down(struct finder *f, const uint64_t *solid, const struct run *run,
                       struct piece *piece)
{
    const struct layer_grid *g = f->grid;
    for (size_t x = run->begin; x < run->end; x++) {
        size_t y = run->row, end = y;
        if (plane_bit(g, f->hanging, x, y - 1)) /* the margin keeps y above 0 */
            continue;
        while (plane_bit(g, f->hanging, x, end))
            end++;
        note_span(piece, 1, end - y, plane_bit(g, solid, x, y - 1) && plane_bit(g, solid, x, end));
    }
}

/*
 * A bridge is held at both ends all along in one direction. Narrow rims of slopes in a pocket are
 * held lengthwise too, but carried by the layer below: they must be a millimetre wide.
 */
static void note_bridge(struct finder *f, const struct piece *piece)
{
    double pixel = f->grid->pixel_mm, span = INFINITY;
    if ((double)piece->cells * cell_mm2(f) < 2)
        return;
    for (int way = 0; way < 2; way++) {
        double length = (double)(piece->longest[way] + 2) * pixel;
        if ((double)piece->held[way] >= 0.8 * (double)piece->cells && length < span &&
            (double)piece->widest[1 - way] * pixel >= 1)
            span = length;
    }
    if (!(span < INFINITY))
        return;
    f->out->bridges++;
    f->out->bridges_over += span > f->options->bridge_mm;
    if (span > f->out->bridge_longest_mm)
        f->out->bridge_longest_mm = span;
}

static int bridges_of(struct finder *f, size_t layer, size_t reach, struct err *err)
{
    const struct layer_grid *g = f->grid;
    const uint64_t *solid = layer_plane(g, g->solid, layer);
    uint64_t any = 0;
    plane_grow(g, f->grown, layer_plane(g, g->solid, layer - 1), f->scratch, reach);
    for (size_t w = 0; w < g->plane_words; w++)
        any |= f->hanging[w] = solid[w] & ~f->grown[w];
    if (!any)
        return 0;
    if (list_pieces(f, f->hanging, err))
        return -1;
    for (size_t i = 0; i < f->list.count; i++) {
        const struct run *run = &f->list.runs[i];
        struct piece *piece = &f->pieces[sets_find(f->list.up, (uint32_t)i)];
        piece->cells += run->end - run->begin;
        note_span(piece, 0, run->end - run->begin,
                  plane_bit(g, solid, run->begin - 1, run->row) &&
                      plane_bit(g, solid, run->end, run->row));
        spans_down(f, solid, run, piece);
    }
    for (size_t i = 0; i < f->list.count; i++)
        if (f->list.up[i] == i)
            note_bridge(f, &f->pieces[i]);
    return 0;
}

int layers_find_bridges(struct layer_measures *out, const struct layer_grid *grid,
                        const struct layer_options *options, struct err *err)
{
    struct finder f;
    double reach = grid->layer_mm * tan(options->overhang_deg * (M_PI / 180)) / grid->pixel_mm;
    size_t cells = reach < 1.5 ? 1 : (size_t)lround(reach);
    int result = finder_open(&f, out, grid, options, err);
    for (size_t k = 1; k < grid->nz && result == 0; k++)
        result = bridges_of(&f, k, cells, err);
    finder_close(&f);
    return result;
}
