/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One layer as runs of cells, and what hangs together in it or with the layer below. */
#ifndef PRINT_MEASURE_LAYERS_RUNS_H
#define PRINT_MEASURE_LAYERS_RUNS_H

#include "print/measure/layers.h"

struct run {
    uint32_t begin, end; /* cells begin .. end - 1 of the row */
    uint32_t row;
};

/* Zero-initialise; run_list_free releases. */
struct run_list {
    struct run *runs;
    uint32_t *rows; /* ny + 1: where each row begins in runs */
    uint32_t *up;   /* disjoint sets over runs, by sets.h */
    size_t count, room;
};

/** Lists the runs of set cells (or, with set false, of the others) anew. Errors ERR_LIMIT. */
int run_list_fill(struct run_list *list, const struct layer_grid *grid, const uint64_t *plane,
                  bool set, struct err *err) MUST_CHECK;

void run_list_free(struct run_list *list);

/** Joins what touches within the layer, at corners too. */
void run_list_join(struct run_list *list, const struct layer_grid *grid);

/** Is a cell of the row in begin .. end - 1 set? */
bool plane_any(const struct layer_grid *grid, const uint64_t *plane, size_t row, size_t begin,
               size_t end);

/** Trapped volumes and cups. */
int layers_find_voids(struct layer_measures *out, const struct layer_grid *grid,
                      const struct layer_options *options, struct err *err) MUST_CHECK;

/** Islands and bridges, bottom up. */
int layers_find_islands(struct layer_measures *out, const struct layer_grid *grid,
                        const struct layer_options *options, struct err *err) MUST_CHECK;
int layers_find_bridges(struct layer_measures *out, const struct layer_grid *grid,
                        const struct layer_options *options, struct err *err) MUST_CHECK;

#endif
