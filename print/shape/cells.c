/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grid of cells over the triangles of a decimation, filled anew before each pass, so that each
 * collapse can be tested against what lies near it. */
#include <stdlib.h>
#include <string.h>

#include "print/shape/decimate_parts.h"

#define WIDE_CELLS 2048 /* a triangle that touches more is kept in a list of its own */
#define WIDE_MOST 64
#define QUERY_CELLS 32768
#define CELLS_MOST ((size_t)8 << 20)

struct box triangle_box(const struct mesh *mesh, uint32_t triangle)
{
    const uint32_t *t = mesh->triangles + 3 * (size_t)triangle;
    const float *a = mesh->xyz + 3 * (size_t)t[0], *b = mesh->xyz + 3 * (size_t)t[1];
    const float *c = mesh->xyz + 3 * (size_t)t[2];
    struct box box;
    for (int k = 0; k < 3; k++) {
        float low = a[k] < b[k] ? a[k] : b[k], high = a[k] < b[k] ? b[k] : a[k];
        box.low[k] = c[k] < low ? c[k] : low;
        box.high[k] = c[k] > high ? c[k] : high;
    }
    return box;
}

static int cell_of(const struct cells *c, float x, int axis)
{
    float at = (x - c->low[axis]) * c->per_mm;
    int i = at > 0 ? (int)at : 0;
    return i < c->n[axis] ? i : c->n[axis] - 1;
}

size_t span_of(struct span *s, const struct cells *c, const struct box *box)
{
    size_t count = 1;
    for (int k = 0; k < 3; k++) {
        s->from[k] = cell_of(c, box->low[k], k);
        s->to[k] = cell_of(c, box->high[k], k);
        count *= (size_t)(s->to[k] - s->from[k] + 1);
    }
    return count;
}

static size_t cell_index(const struct cells *c, int x, int y, int z)
{
    return ((size_t)z * (size_t)c->n[1] + (size_t)y) * (size_t)c->n[0] + (size_t)x;
}

#define EACH_CELL(c, s, index)                                                                     \
    for (int z_ = (s).from[2]; z_ <= (s).to[2]; z_++)                                              \
        for (int y_ = (s).from[1]; y_ <= (s).to[1]; y_++)                                          \
            for (size_t index = cell_index((c), (s).from[0], y_, z_),                              \
                        end_ = index + (size_t)((s).to[0] - (s).from[0]);                          \
                 index <= end_; index++)

static int grow(void *at, size_t *room, size_t wanted, size_t each, struct err *err)
{
    void **p = at;
    if (wanted <= *room)
        return 0;
    wanted += wanted / 2;
    void *more = realloc(*p, wanted * each);
    if (!more)
        return FAIL(err, ERR_LIMIT, "no memory for %zu triangles in cells", wanted);
    *p = more;
    *room = wanted;
    return 0;
}

int cells_make_room(struct cells *c, size_t links, struct err *err)
{
    return grow(&c->links, &c->link_room, c->link_count + links, sizeof *c->links, err);
}

/* Cells about twice as large as the middle triangle, but not too many of them. */
static int choose_step(struct decimation *d, struct err *err)
{
    struct cells *c = &d->cells;
    struct box all = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
    double sum = 0, volume = 1;
    for (uint32_t t = 0; t < d->mesh->triangle_count; t++) {
        if (d->mesh->triangles[3 * (size_t)t] == GONE)
            continue;
        const struct box box = d->boxes[t];
        float side = 0;
        for (int k = 0; k < 3; k++) {
            all.low[k] = box.low[k] < all.low[k] ? box.low[k] : all.low[k];
            all.high[k] = box.high[k] > all.high[k] ? box.high[k] : all.high[k];
            side = box.high[k] - box.low[k] > side ? box.high[k] - box.low[k] : side;
        }
        sum += side;
    }
    double step = 1.8 * sum / (double)(d->live ? d->live : 1), least = 0;
    for (int k = 0; k < 3; k++) {
        double side = all.high[k] - all.low[k];
        least = side > least ? side : least;
    }
    step = step > least * 1e-3 ? step : least * 1e-3;
    for (;; step *= 1.26) {
        volume = 1;
        for (int k = 0; k < 3; k++)
            volume *= floor((all.high[k] - all.low[k]) / step) + 1;
        if (volume <= (double)CELLS_MOST && volume <= 64.0 * (double)d->live + 4096)
            break;
    }
    c->per_mm = (float)(1 / step);
    c->cell_count = 1;
    for (int k = 0; k < 3; k++) {
        c->low[k] = all.low[k];
        c->n[k] = (int)floor((all.high[k] - all.low[k]) / step) + 1;
        c->cell_count *= (size_t)c->n[k];
    }
    size_t room = c->cell_room, same = c->cell_room;
    if (grow(&c->starts, &room, c->cell_count + 2, sizeof *c->starts, err) ||
        grow(&c->chain, &same, c->cell_count + 2, sizeof *c->chain, err))
        return -1;
    c->cell_room = room;
    return 0;
}

/* Wide triangles go to their list while it has room; the second time they are found there. */
static bool is_wide(struct cells *c, uint32_t t, size_t count, int round, size_t *seen)
{
    if (count <= WIDE_CELLS)
        return false;
    if (round == 0 && c->wide_count < WIDE_MOST)
        c->wide[c->wide_count++] = t;
    if (*seen < c->wide_count && c->wide[*seen] == t) {
        ++*seen;
        return true;
    }
    return false;
}

/* round 0 counts, round 1 fills. */
static void fill_round(struct decimation *d, int round)
{
    struct cells *c = &d->cells;
    size_t seen = 0;
    for (uint32_t t = 0; t < d->mesh->triangle_count; t++) {
        struct span s;
        if (d->mesh->triangles[3 * (size_t)t] == GONE ||
            is_wide(c, t, span_of(&s, c, &d->boxes[t]), round, &seen))
            continue;
        EACH_CELL(c, s, i)
        {
            if (round == 0)
                c->starts[i + 2]++;
            else
                c->filled[c->starts[i + 1]++] = t;
        }
    }
}

int cells_fill(struct decimation *d, size_t links, struct err *err)
{
    struct cells *c = &d->cells;
    /* While little has changed the old cells do. */
    if (c->filled && c->link_count < c->starts[c->cell_count] / 8)
        return cells_make_room(c, links, err);
    c->link_count = 0;
    if (choose_step(d, err) || cells_make_room(c, links, err))
        return -1;
    if (!c->wide && !(c->wide = malloc(WIDE_MOST * sizeof *c->wide)))
        return FAIL(err, ERR_LIMIT, "no memory for cells");
    memset(c->starts, 0, (c->cell_count + 2) * sizeof *c->starts);
    memset(c->chain, 0xff, c->cell_count * sizeof *c->chain);
    c->wide_count = 0;
    fill_round(d, 0);
    for (size_t i = 1; i < c->cell_count + 2; i++)
        c->starts[i] += c->starts[i - 1];
    if (grow(&c->filled, &c->filled_room, c->starts[c->cell_count + 1] + 1, sizeof *c->filled, err))
        return -1;
    fill_round(d, 1);
    return 0;
}

size_t cells_new(const struct cells *c, const struct box *before, const struct box *now)
{
    struct span had, has;
    span_of(&had, c, before);
    size_t count = span_of(&has, c, now), common = 1;
    for (int k = 0; k < 3; k++) {
        int from = had.from[k] > has.from[k] ? had.from[k] : has.from[k];
        int to = had.to[k] < has.to[k] ? had.to[k] : has.to[k];
        common *= to >= from ? (size_t)(to - from + 1) : 0;
    }
    return count - common;
}

/* Threads add side by side, but never to the same cell: only the counter is shared. */
static void add_link(struct cells *c, size_t cell, uint32_t triangle)
{
    size_t at;
#pragma omp atomic capture
    at = c->link_count++;
    c->links[at][0] = triangle;
    c->links[at][1] = c->chain[cell];
    c->chain[cell] = (uint32_t)at;
}

void cells_add(struct cells *c, uint32_t triangle, const struct box *before, const struct box *now)
{
    struct span had, has;
    span_of(&had, c, before);
    span_of(&has, c, now);
    for (int z = has.from[2]; z <= has.to[2]; z++)
        for (int y = has.from[1]; y <= has.to[1]; y++)
            for (int x = has.from[0]; x <= has.to[0]; x++) {
                bool old = z >= had.from[2] && z <= had.to[2] && y >= had.from[1] &&
                           y <= had.to[1] && x >= had.from[0] && x <= had.to[0];
                if (!old)
                    add_link(c, cell_index(c, x, y, z), triangle);
            }
}

struct near {
    const struct decimation *d;
    const struct box *box;
    uint32_t *out;
    int room, count;
    uint32_t a, b;
};

static bool near_take(struct near *n, uint32_t t)
{
    const uint32_t *v = n->d->mesh->triangles + 3 * (size_t)t;
    if (v[0] == n->a || v[1] == n->a || v[2] == n->a || v[0] == n->b || v[1] == n->b ||
        v[2] == n->b)
        return true;
    if (n->count == n->room)
        return false;
    n->out[n->count++] = t;
    return true;
}

/* Of the cells that a triangle shares with the box, only the lowest gives it. */
static bool near_take_once(struct near *n, const int cell[3], uint32_t t)
{
    const struct box *its = &n->d->boxes[t];
    if (!box_touches(its, n->box))
        return true;
    for (int k = 0; k < 3; k++) {
        float low = its->low[k] > n->box->low[k] ? its->low[k] : n->box->low[k];
        if (cell_of(&n->d->cells, low, k) != cell[k])
            return true;
    }
    return near_take(n, t);
}

static bool near_in_cell(struct near *n, int x, int y, int z)
{
    const struct cells *c = &n->d->cells;
    size_t cell = cell_index(c, x, y, z);
    const int at[3] = {x, y, z};
    for (uint32_t i = c->starts[cell]; i < c->starts[cell + 1]; i++)
        if (!near_take_once(n, at, c->filled[i]))
            return false;
    for (uint32_t i = c->chain[cell]; i != GONE; i = c->links[i][1])
        if (!near_take_once(n, at, c->links[i][0]))
            return false;
    return true;
}

int cells_near(uint32_t *out, int room, const struct decimation *d, const struct box *box,
               uint32_t a, uint32_t b)
{
    const struct cells *c = &d->cells;
    struct near n = {d, box, out, room, 0, a, b};
    struct span s;
    if (span_of(&s, c, box) > QUERY_CELLS)
        return -1;
    for (int z = s.from[2]; z <= s.to[2]; z++)
        for (int y = s.from[1]; y <= s.to[1]; y++)
            for (int x = s.from[0]; x <= s.to[0]; x++)
                if (!near_in_cell(&n, x, y, z))
                    return -1;
    for (size_t i = 0; i < c->wide_count; i++)
        if (box_touches(&d->boxes[c->wide[i]], box) && !near_take(&n, c->wide[i]))
            return -1;
    return n.count;
}

void cells_free(struct cells *c)
{
    free(c->starts);
    free(c->filled);
    free(c->chain);
    free(c->links);
    free(c->wide);
    *c = (struct cells){0};
}
