/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Boxes on a bed. A strip of some width is filled from below: its skyline is a list of steps, and
 * each box goes where its top edge is lowest. A narrow strip gives a high pile, a wide one a flat
 * one; the most compact is what a bed heats best and a head travels least over.
 */
#include "print/shape/plate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MM 0.01
#define WIDTHS 12

/* A box with all that is kept free around it; sizes are whole double steps, so middles are whole
 * steps. */
struct box {
    double w, h;
    size_t item;
    const char *name;
};

/* From x on, to the next one's x, the strip is filled up to y. */
struct corner {
    double x, y;
};

struct strip {
    double width;
    struct corner skyline[2 * PLATE_ITEMS_MOST + 4];
    size_t count;
    double used_w, used_h;
};

struct spot {
    double x, y, w, h;
    bool turned;
};

struct packing {
    struct spot spots[PLATE_ITEMS_MOST]; /* by item */
    size_t placed;
    size_t homeless; /* the item that found no place, when not all did */
    double used_w, used_h;
};

static double area(const struct box *b)
{
    return b->w * b->h;
}

static int compare(double x, double y)
{
    return (x < y) - (x > y);
}

/* Equal ones are told apart by all that is known of them, so that their order does not matter. */
static int last_word(const struct box *a, const struct box *b)
{
    int way = compare(a->w, b->w);
    way = way ? way : strcmp(a->name, b->name);
    return way ? way : (a->item > b->item) - (a->item < b->item);
}

static int by_area(const void *a, const void *b)
{
    int way = compare(area(a), area(b));
    return way ? way : last_word(a, b);
}

static int by_longest(const void *a, const void *b)
{
    const struct box *x = a, *y = b;
    int way = compare(fmax(x->w, x->h), fmax(y->w, y->h));
    return way ? way : by_area(a, b);
}

static int by_height(const void *a, const void *b)
{
    const struct box *x = a, *y = b;
    int way = compare(x->h, y->h);
    return way ? way : by_area(a, b);
}

/* The height that a box of width w rests on from corner `first` on; INFINITY: the strip ends. */
static double rest(const struct strip *s, size_t first, double w)
{
    double y = 0, end = s->skyline[first].x + w;
    if (end > s->width + 1e-9)
        return INFINITY;
    for (size_t i = first; i < s->count && s->skyline[i].x < end - 1e-9; i++)
        y = fmax(y, s->skyline[i].y);
    return y;
}

static void try_way(struct spot *best, const struct strip *s, double w, double h, bool turned,
                    double ceiling)
{
    for (size_t i = 0; i < s->count; i++) {
        double y = rest(s, i, w);
        if (y + h > ceiling + 1e-9)
            continue;
        bool lower = y + h < best->y + best->h - 1e-9;
        bool left = y + h < best->y + best->h + 1e-9 && s->skyline[i].x < best->x - 1e-9;
        if (lower || left)
            *best = (struct spot){s->skyline[i].x, y, w, h, turned};
    }
}

/* The skyline over [x, x + w) becomes y + h. */
static void raise_to(struct strip *s, const struct spot *at)
{
    double end = at->x + at->w, after = 0;
    size_t first = 0, last;
    while (first < s->count && s->skyline[first].x < at->x - 1e-9)
        first++;
    for (last = first; last < s->count && s->skyline[last].x < end - 1e-9; last++)
        after = s->skyline[last].y;
    bool ends_inside = last == s->count ? end < s->width - 1e-9 : s->skyline[last].x > end + 1e-9;
    size_t put = ends_inside ? 2 : 1;
    memmove(s->skyline + first + put, s->skyline + last, (s->count - last) * sizeof *s->skyline);
    s->skyline[first] = (struct corner){at->x, at->y + at->h};
    if (ends_inside)
        s->skyline[first + 1] = (struct corner){end, after};
    s->count = s->count - (last - first) + put;
    s->used_w = fmax(s->used_w, end);
    s->used_h = fmax(s->used_h, at->y + at->h);
}

static void pack(struct packing *out, const struct box *boxes, size_t count, double width,
                 double ceiling)
{
    struct strip s = {.width = width, .count = 1};
    out->placed = 0;
    for (size_t i = 0; i < count; i++) {
        struct spot best = {.x = INFINITY, .y = INFINITY};
        try_way(&best, &s, boxes[i].w, boxes[i].h, false, ceiling);
        try_way(&best, &s, boxes[i].h, boxes[i].w, true, ceiling);
        if (isinf(best.y)) {
            out->homeless = boxes[i].item;
            return;
        }
        raise_to(&s, &best);
        out->spots[boxes[i].item] = best;
        out->placed++;
    }
    out->used_w = s.used_w;
    out->used_h = s.used_h;
}

static bool better(const struct packing *a, const struct packing *b, size_t count)
{
    if (a->placed != b->placed)
        return a->placed > b->placed;
    if (a->placed < count)
        return false;
    double side_a = fmax(a->used_w, a->used_h), side_b = fmax(b->used_w, b->used_h);
    if (fabs(side_a - side_b) > 1e-9)
        return side_a < side_b;
    return a->used_w * a->used_h < b->used_w * b->used_h - 1e-9;
}

/* Up to the next whole double step: no gap is smaller than asked for. */
static double whole(double mm)
{
    return ceil(mm / (2 * STEP_MM) - 1e-9) * 2 * STEP_MM;
}

static int too_large(const struct plate_item *item, const struct plate_options *o, struct err *err)
{
    return FAIL_CODE(err, ERR_INPUT, "plate_item_too_large",
                     "\"%.60s\" takes %.1f x %.1f mm with its brim: the bed has %g x %g mm",
                     item->name ? item->name : "a part", item->size_mm[0] + 2 * o->margin_mm,
                     item->size_mm[1] + 2 * o->margin_mm, o->bed_mm[0], o->bed_mm[1]);
}

static int fill_boxes(struct box *boxes, const struct plate_item *items, size_t count,
                      const double room[2], const struct plate_options *o, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        double around = 2 * o->margin_mm + o->gap_mm;
        struct box *b = &boxes[i];
        *b = (struct box){whole(items[i].size_mm[0] + around), whole(items[i].size_mm[1] + around),
                          i, items[i].name ? items[i].name : ""};
        if (!isfinite(b->w + b->h) || !(fmin(b->w, b->h) <= fmin(room[0], room[1]) &&
                                        fmax(b->w, b->h) <= fmax(room[0], room[1])))
            return too_large(&items[i], o, err);
    }
    return 0;
}

static void pack_best(struct packing *best, struct packing *next, struct box *boxes, size_t count,
                      const double room[2])
{
    static int (*const orders[])(const void *, const void *) = {by_longest, by_area, by_height};
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += area(&boxes[i]);
    best->placed = 0;
    for (size_t order = 0; order < sizeof orders / sizeof *orders; order++) {
        qsort(boxes, count, sizeof *boxes, orders[order]);
        for (int k = 0; k < WIDTHS; k++) {
            double width = k ? fmin(room[0], sqrt(sum) * (0.8 + 0.1 * k)) : room[0];
            pack(next, boxes, count, width, room[1]);
            bool first = order == 0 && k == 0;
            if (first || better(next, best, count))
                *best = *next;
        }
    }
}

static void put_places(struct plate_place *places, const struct packing *p, size_t count,
                       const struct plate_options *o, const double room[2])
{
    double used[2] = {p->used_w, p->used_h};
    for (size_t i = 0; i < count; i++) {
        const struct spot *spot = &p->spots[i];
        double at[2] = {spot->x + spot->w / 2, spot->y + spot->h / 2};
        for (int k = 0; k < 2; k++) {
            double before = floor((room[k] - used[k]) / 2 / STEP_MM) * STEP_MM - o->gap_mm / 2;
            places[i].at_mm[k] = round((at[k] + before - o->bed_mm[k] / 2) * 1e6) / 1e6;
        }
        places[i].turned = spot->turned;
    }
}

int plate_arrange(struct plate_place *places, const struct plate_item *items, size_t count,
                  const struct plate_options *options, struct err *err)
{
    /* What is kept free between two is half at each: the bed is larger by that. */
    const double room[2] = {options->bed_mm[0] + options->gap_mm,
                            options->bed_mm[1] + options->gap_mm};
    if (count == 0 || count > PLATE_ITEMS_MOST)
        return FAIL_CODE(err, ERR_LIMIT, "plate_full", "a plate takes 1 to %d parts, not %zu",
                         PLATE_ITEMS_MOST, count);
    struct box *boxes = malloc(count * sizeof *boxes);
    struct packing *packings = malloc(2 * sizeof *packings);
    int failed = boxes && packings ? fill_boxes(boxes, items, count, room, options, err)
                                   : FAIL(err, ERR_LIMIT, "no memory for %zu boxes", count);
    if (!failed)
        pack_best(&packings[0], &packings[1], boxes, count, room);
    if (!failed && packings[0].placed < count) {
        const struct plate_item *item = &items[packings[0].homeless];
        failed = FAIL_CODE(
            err, ERR_INPUT, "plate_full",
            "no room for \"%.60s\" (%.1f x %.1f mm): %zu of %zu parts fit on the bed of %g x %g mm",
            item->name ? item->name : "a part", item->size_mm[0], item->size_mm[1],
            packings[0].placed, count, options->bed_mm[0], options->bed_mm[1]);
    }
    if (!failed)
        put_places(places, &packings[0], count, options, room);
    free(boxes);
    free(packings);
    return failed ? -1 : 0;
}
