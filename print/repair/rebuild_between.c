/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges of the input that pass between grid points: points for the edges of the grid that the
 * surface crosses twice; see rebuild_between.h. */
#include "print/repair/rebuild_between.h"

#include <stdlib.h>

#include "print/repair/rebuild_feature.h"

/* Of an edge: what lies between its ends and the new point, and between the crossings at least. */
#define END_MARGIN 0.2
#define LEAST_WIDTH 0.1
/* From one tetrahedron to the next ones: an edge passes few before a grid point sees it again. */
#define ROUNDS 3

/* A corner of a cell in the order of the cell's six tetrahedra; see tetrahedra.c. */
static const uint8_t tetrahedra[6][4] = {{0, 1, 3, 7}, {0, 2, 7, 3}, {0, 2, 6, 7},
                                         {0, 4, 7, 6}, {0, 4, 5, 7}, {0, 1, 7, 5}};

int pairs_compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    for (int i = 0; i < 2; i++)
        if (x->end[i] != y->end[i])
            return x->end[i] < y->end[i] ? -1 : 1;
    return 0;
}

static int compare_betweens(const void *a, const void *b)
{
    const struct between *x = a, *y = b;
    for (int i = 0; i < 2; i++)
        if (x->ends[i] != y->ends[i])
            return x->ends[i] < y->ends[i] ? -1 : 1;
    return 0;
}

int pairs_add(struct pairs *list, size_t a, size_t b, uint32_t vertex, struct err *err)
{
    if (list->count == list->room) {
        size_t room = 2 * list->room + 1024;
        struct pair *at = realloc(list->at, room * sizeof *at);
        if (!at)
            return FAIL(err, ERR_LIMIT, "no memory for %zu edges of the grid", room);
        list->at = at;
        list->room = room;
    }
    list->at[list->count++] = (struct pair){{a < b ? a : b, a < b ? b : a}, vertex};
    return 0;
}

void pairs_sort(struct pairs *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->at, list->count, sizeof *list->at, pairs_compare);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || pairs_compare(&list->at[kept - 1], &list->at[i]))
            list->at[kept++] = list->at[i];
    list->count = kept;
}

bool between_inside(const struct surface *s, size_t number)
{
    size_t points = surface_points(s);
    return number < points ? s->grid->state[number] == GRID_INSIDE
                           : s->betweens[number - points].inside;
}

const struct between *between_of(const struct surface *s, size_t a, size_t b)
{
    struct between key = {.ends = {a < b ? a : b, a < b ? b : a}};
    return s->between_count
               ? bsearch(&key, s->betweens, s->between_count, sizeof key, compare_betweens)
               : NULL;
}

/* Edges between grid points of one state, of one tetrahedron. */
static int add_edges(struct pairs *list, const struct surface *s, const size_t number[4])
{
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            if (between_inside(s, number[i]) == between_inside(s, number[j]) &&
                pairs_add(list, number[i], number[j], 0, s->err))
                return -1;
    return 0;
}

void between_corners(size_t number[4], const struct surface *s, uint64_t key)
{
    const size_t *n = s->grid->n, step[3] = {1, n[0], n[0] * n[1]};
    for (int i = 0; i < 4; i++) {
        number[i] = key / 8;
        for (int k = 0; k < 3; k++)
            number[i] += tetrahedra[key % 8][i] >> k & 1 ? step[k] : 0;
    }
}

/* Where the grid's edge is crossed in and out again. */
static bool find_between(const struct surface *s, const struct pair *edge, struct between *out)
{
    const struct grid *g = s->grid;
    struct vec a = surface_corner(s, edge->end[0]), b = surface_corner(s, edge->end[1]), n;
    double from, to;
    if (!surface_ray(g, b, a, &from, &n) || !surface_ray(g, a, b, &to, &n))
        return false;
    from = 1 - from;
    if (to - from < LEAST_WIDTH)
        return false;
    double t = fmin(fmax((from + to) / 2, END_MARGIN), 1 - END_MARGIN);
    bool inside = between_inside(s, edge->end[0]);
    *out = (struct between){.ends = {edge->end[0], edge->end[1]}, .inside = !inside};
    out->at = vec_add(a, vec_scale(vec_sub(b, a), t));
    return t > from && t < to && (grid_value(g, out->at) > 0) != inside;
}

int between_around(uint64_t keys[6], const struct surface *s, const size_t ends[2])
{
    const size_t *n = s->grid->n, step[3] = {1, n[0], n[0] * n[1]};
    size_t apart = ends[1] - ends[0];
    int direction = 0, count = 0;
    for (int k = 2; k >= 0; k--)
        if (apart >= step[k]) {
            direction |= 1 << k;
            apart -= step[k];
        }
    for (int o = 0; o < 8; o++) {
        size_t cell = ends[0];
        for (int k = 0; k < 3; k++)
            cell -= o >> k & 1 ? step[k] : 0;
        for (uint64_t t = 0; !(o & direction) && t < 6; t++) {
            int found = 0;
            for (int i = 0; i < 4; i++)
                found += tetrahedra[t][i] == o || tetrahedra[t][i] == (o | direction);
            if (found == 2)
                keys[count++] = 8 * (uint64_t)cell + t;
        }
    }
    return count;
}

/* Asks the edges of a list, and keeps those crossed twice. */
static int find_betweens(struct surface *s, const struct pairs *edges)
{
    struct between *found = malloc((edges->count + 1) * sizeof *found);
    uint8_t *is = malloc(edges->count + 1);
    struct between *all = realloc(s->betweens, (s->between_count + edges->count + 1) * sizeof *all);
    if (all)
        s->betweens = all;
    bool room = found && is && all;
    const size_t count = room ? edges->count : 0;
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < count; i++)
        is[i] = find_between(s, &edges->at[i], &found[i]);
    for (size_t i = 0; i < count; i++)
        if (is[i])
            s->betweens[s->between_count++] = found[i];
    free(found);
    free(is);
    return room ? 0 : FAIL(s->err, ERR_LIMIT, "no memory for %zu edges", edges->count);
}

/* Edges that were not asked yet of the tetrahedra around new betweens. */
static int next_edges(struct pairs *edges, const struct surface *s, size_t first)
{
    struct pairs asked = *edges, next = {0}, left = {0};
    int failed = 0;
    for (size_t i = first; !failed && i < s->between_count; i++) {
        uint64_t keys[6];
        int around = between_around(keys, s, s->betweens[i].ends);
        for (int k = 0; !failed && k < around; k++) {
            size_t number[4];
            between_corners(number, s, keys[k]);
            failed = add_edges(&next, s, number);
        }
    }
    pairs_sort(&next);
    for (size_t i = 0; !failed && i < next.count; i++)
        if (!bsearch(&next.at[i], asked.at, asked.count, sizeof *asked.at, pairs_compare))
            failed = pairs_add(&left, next.at[i].end[0], next.at[i].end[1], 0, s->err);
    free(asked.at);
    free(next.at);
    *edges = left;
    return failed;
}

int between_look(struct surface *s)
{
    struct pairs edges = {0};
    int failed = 0;
    size_t sharp = 0;
    for (size_t t = 0; t < s->out->triangle_count; t += 1 + (size_t)s->halves[t])
        sharp += surface_is_sharp(s, t);
    if ((double)sharp > SURFACE_MOST_SHARP * (double)s->out->triangle_count)
        return 0;
    for (size_t t = 0; !failed && t < s->out->triangle_count; t += 1 + (size_t)s->halves[t])
        if (surface_is_sharp(s, t)) {
            struct polygon p = surface_polygon(s, t);
            failed = add_edges(&edges, s, p.number);
        }
    pairs_sort(&edges);
    for (int round = 0; !failed && round < ROUNDS && edges.count; round++) {
        size_t first = s->between_count;
        failed = find_betweens(s, &edges) || next_edges(&edges, s, first);
    }
    free(edges.at);
    if (s->between_count)
        qsort(s->betweens, s->between_count, sizeof *s->betweens, compare_betweens);
    return failed ? -1 : 0;
}
