/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slivers lower than one step of the grid turn over when their corners are rounded, and so make new
 * meetings without end. As in snap rounding, the long edge of such a sliver is led through the
 * corner across from it, in all triangles that have the edge: the sliver is gone, the rest fits. */
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/repair/arrange_parts.h"
#include "print/repair/steps.h"

/* Edge low high is to be led through a vertex. */
struct detour {
    uint32_t low, high, through;
};

struct detours {
    struct detour *at; /* sorted by edge, one for each */
    size_t count;
    uint8_t *touched; /* per vertex: is in some edge of them */
};

static int by_edge(const void *a, const void *b)
{
    const struct detour *p = a, *q = b;
    if (p->low != q->low)
        return p->low < q->low ? -1 : 1;
    return (p->high > q->high) - (p->high < q->high);
}

static int in_order(const void *a, const void *b)
{
    const struct detour *p = a, *q = b;
    int order = by_edge(a, b);
    return order ? order : (p->through > q->through) - (p->through < q->through);
}

static struct detour detour_of(uint32_t a, uint32_t b, uint32_t through)
{
    return a < b ? (struct detour){a, b, through} : (struct detour){b, a, through};
}

/* Is the triangle lower than a step above its longest edge? */
static bool is_sliver(struct detour *out, const struct work *w, uint32_t triangle)
{
    const uint32_t *v = w->mesh.triangles + 3 * (size_t)triangle;
    int32_t at[3][3];
    double longest = 0, area2 = 0;
    for (int i = 0; i < 3; i++)
        work_corner(at[i], w, v[i]);
    for (int i = 0; i < 3; i++) {
        const int32_t *a = at[i], *b = at[(i + 1) % 3];
        double x = b[0] - a[0], y = b[1] - a[1], z = b[2] - a[2], length2 = x * x + y * y + z * z;
        if (length2 <= longest)
            continue;
        longest = length2;
        *out = detour_of(v[i], v[(i + 1) % 3], v[(i + 2) % 3]);
    }
    struct tile tile = tile_make(at[0], at[1], at[2]);
    for (int k = 0; k < 3; k++)
        area2 += (double)tile.plane.normal[k] * (double)tile.plane.normal[k];
    return area2 < longest;
}

static int find_slivers(struct detours *d, const struct work *w, const struct bvh_pairs *pairs)
{
    d->at = malloc((2 * pairs->count + 1) * sizeof *d->at);
    d->touched = calloc(w->mesh.vertex_count + 1, 1);
    if (!d->at || !d->touched)
        return -1;
    for (size_t i = 0; i < 2 * pairs->count; i++)
        d->count += is_sliver(&d->at[d->count], w, pairs->pair[i / 2][i % 2]);
    if (d->count)
        qsort(d->at, d->count, sizeof *d->at, in_order);
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++)
        if (i == 0 || by_edge(&d->at[i], &d->at[i - 1]))
            d->at[kept++] = d->at[i];
    d->count = kept;
    for (size_t i = 0; i < kept; i++)
        d->touched[d->at[i].low] = d->touched[d->at[i].high] = 1;
    return 0;
}

static bool led_through(uint32_t *through, const struct detours *d, uint32_t a, uint32_t b)
{
    struct detour key = detour_of(a, b, 0);
    if (!d->touched[a] || !d->touched[b])
        return false;
    const struct detour *found = bsearch(&key, d->at, d->count, sizeof key, by_edge);
    *through = found ? found->through : 0;
    return found != NULL;
}

/* The triangle with its edges led through other vertices, as up to four; 0: nothing to do. */
static int lead_outline(uint32_t out[4][3], const struct detours *d, const uint32_t v[3])
{
    int count = 1, holder[3] = {0, 0, 0}; /* which of them has the edge from corner i on */
    memcpy(out[0], v, sizeof out[0]);
    for (int i = 0; i < 3; i++) {
        int next = (i + 1) % 3, old = holder[i];
        uint32_t through;
        if (!led_through(&through, d, v[i], v[next]))
            continue;
        memcpy(out[count], out[old], sizeof out[0]);
        out[old][next] = through;
        out[count][i] = through;
        if (holder[next] == old)
            holder[next] = count;
        count++;
    }
    return count > 1 ? count : 0;
}

/* Room for what the triangles with detours become, after all the others. */
static int make_room(struct work *w, size_t more, struct err *err)
{
    size_t n = w->mesh.triangle_count;
    uint32_t *from = realloc(w->from, (n + more + 1) * sizeof *from);
    if (!from)
        return FAIL(err, ERR_LIMIT, "no memory for %zu pieces", more);
    w->from = from;
    uint8_t *dirty = realloc(w->dirty, n + more + 1);
    if (!dirty)
        return FAIL(err, ERR_LIMIT, "no memory for %zu pieces", more);
    w->dirty = dirty;
    return mesh_grow(&w->mesh, 0, more, err);
}

static int lead_all(struct work *w, const struct detours *d, struct err *err)
{
    size_t n = w->mesh.triangle_count, more = 0;
    uint32_t out[4][3];
    for (size_t t = 0; t < n; t++) {
        int count = lead_outline(out, d, w->mesh.triangles + 3 * t);
        more += count ? (size_t)count - 1 : 0;
    }
    if (make_room(w, more, err))
        return -1;
    for (size_t t = 0; t < n; t++) {
        int count = lead_outline(out, d, w->mesh.triangles + 3 * t);
        for (int i = 0; i < count; i++) {
            size_t to = i == 0 ? t : w->mesh.triangle_count++;
            memcpy(w->mesh.triangles + 3 * to, out[i], sizeof out[i]);
            w->from[to] = w->from[t];
            w->dirty[to] = 1;
        }
        if (count)
            w->cut[w->from[t]] = 1;
    }
    return work_tidy(w, err);
}

int work_squash(struct work *w, const struct bvh_pairs *pairs, struct err *err)
{
    struct detours d = {0};
    int state = find_slivers(&d, w, pairs);
    if (state)
        state = FAIL(err, ERR_LIMIT, "no memory for %zu pairs", pairs->count);
    else if (d.count)
        state = lead_all(w, &d, err) ? -1 : 1;
    free(d.at);
    free(d.touched);
    return state;
}
