/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tetrahedra around an edge of the grid that the surface crosses twice are cut in two between
 * the crossings. All tetrahedra around it are, and several cuts go by the order of their edges, so
 * that neighbours still agree. */
#include <stdlib.h>
#include <string.h>

#include "print/repair/rebuild_between.h"
#include "print/repair/rebuild_feature.h"

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* What is cut anew. */
struct recut {
    struct surface *s;
    uint64_t *keys; /* of the tetrahedra, sorted */
    size_t key_count;
    struct pairs known;   /* edges that have their vertex, then all */
    struct pairs corners; /* of the new polygons, in order */
    uint8_t *sizes;       /* 3 or 4 corners */
    size_t polygons, room;
    size_t kept; /* triangles of the surface that stay */
};

static int find_keys(struct recut *r)
{
    const struct surface *s = r->s;
    size_t all = 0;
    r->keys = malloc((6 * s->between_count + 1) * sizeof *r->keys);
    if (!r->keys)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu tetrahedra", 6 * s->between_count);
    for (size_t i = 0; i < s->between_count; i++)
        all += (size_t)between_around(r->keys + all, s, s->betweens[i].ends);
    qsort(r->keys, all, sizeof *r->keys, compare_keys);
    for (size_t i = 0; i < all; i++)
        if (i == 0 || r->keys[i] != r->keys[i - 1])
            r->keys[r->key_count++] = r->keys[i];
    return 0;
}

/* A tetrahedron's four numbers tell which it is: its lowest corner is its cell's. */
static uint64_t key_of(const struct surface *s, const size_t number[4])
{
    size_t low = number[0], mine[4];
    for (int i = 1; i < 4; i++)
        low = number[i] < low ? number[i] : low;
    for (uint64_t t = 0; t < 6; t++) {
        int found = 0;
        between_corners(mine, s, 8 * (uint64_t)low + t);
        for (int i = 0; i < 16; i++)
            found += mine[i / 4] == number[i % 4];
        if (found == 4)
            return 8 * (uint64_t)low + t;
    }
    return UINT64_MAX;
}

/* Takes out the polygons of these tetrahedra; their vertices are known. */
static int drop_polygons(struct recut *r)
{
    struct surface *s = r->s;
    struct mesh *m = s->out;
    int failed = 0;
    for (size_t t = 0, next; !failed && t < m->triangle_count; t = next) {
        struct polygon p = surface_polygon(s, t);
        uint64_t key = key_of(s, p.number);
        next = t + 1 + (size_t)s->halves[t];
        if (!bsearch(&key, r->keys, r->key_count, sizeof key, compare_keys)) {
            for (; t < next; t++, r->kept++) {
                memmove(m->triangles + 3 * r->kept, m->triangles + 3 * t, 3 * sizeof *m->triangles);
                s->halves[r->kept] = s->halves[t];
            }
            continue;
        }
        for (int i = 0; !failed && i < p.corners; i++) {
            size_t end[2];
            surface_ends(s, p.corner[i], end);
            failed = pairs_add(&r->known, end[0], end[1], p.corner[i], s->err);
        }
    }
    m->triangle_count = r->kept;
    pairs_sort(&r->known);
    return failed;
}

static int add_polygon(struct recut *r, const size_t (*edges)[2], int corners)
{
    if (r->polygons == r->room) {
        size_t room = 2 * r->room + 1024;
        uint8_t *sizes = realloc(r->sizes, room);
        if (!sizes)
            return FAIL(r->s->err, ERR_LIMIT, "no memory for %zu polygons", room);
        r->sizes = sizes;
        r->room = room;
    }
    r->sizes[r->polygons++] = (uint8_t)corners;
    for (int i = 0; i < corners; i++)
        if (pairs_add(&r->corners, edges[i][0], edges[i][1], 0, r->s->err))
            return -1;
    return 0;
}

/* A positive tetrahedron, as tetrahedra.c cuts it. */
static int cut(struct recut *r, const size_t given[4])
{
    size_t c[4];
    int inside = 0, odd = 0;
    memcpy(c, given, sizeof c);
    for (int i = 0; i < 4; i++)
        inside += between_inside(r->s, c[i]);
    if (inside == 0 || inside == 4)
        return 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3 - i; j++)
            if (!between_inside(r->s, c[j]) && between_inside(r->s, c[j + 1])) {
                size_t other = c[j];
                c[j] = c[j + 1], c[j + 1] = other;
                odd ^= 1;
            }
    if (odd) {
        int at = inside > 1 ? 0 : 2;
        size_t other = c[at];
        c[at] = c[at + 1], c[at + 1] = other;
    }
    if (inside == 1)
        return add_polygon(r, (const size_t[3][2]){{c[0], c[1]}, {c[0], c[2]}, {c[0], c[3]}}, 3);
    if (inside == 3)
        return add_polygon(r, (const size_t[3][2]){{c[3], c[0]}, {c[3], c[1]}, {c[3], c[2]}}, 3);
    return add_polygon(
        r, (const size_t[4][2]){{c[0], c[2]}, {c[0], c[3]}, {c[1], c[3]}, {c[1], c[2]}}, 4);
}

/* In two at the first of its edges that has a point between, and so on. */
static int divide(struct recut *r, const size_t number[4])
{
    const struct between *first = NULL;
    int at[2] = {0};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) {
            const struct between *b = between_of(r->s, number[i], number[j]);
            if (b && (!first || b < first)) {
                first = b;
                at[0] = i, at[1] = j;
            }
        }
    if (!first)
        return cut(r, number);
    for (int i = 0; i < 2; i++) {
        size_t half[4];
        memcpy(half, number, sizeof half);
        half[at[i]] = surface_points(r->s) + (size_t)(first - r->s->betweens);
        if (divide(r, half))
            return -1;
    }
    return 0;
}

static int make_room(struct surface *s, size_t vertices, size_t triangles)
{
    struct mesh *m = s->out;
    float *xyz = realloc(m->xyz, 3 * (vertices + 1) * sizeof *xyz);
    if (xyz)
        m->xyz = xyz;
    float *normals = realloc(s->normals, 3 * (vertices + 1) * sizeof *normals);
    if (normals)
        s->normals = normals;
    uint64_t *edges = realloc(s->edges, (vertices + 1) * sizeof *edges);
    if (edges)
        s->edges = edges;
    uint32_t *corners = realloc(m->triangles, 3 * (triangles + 1) * sizeof *corners);
    if (corners)
        m->triangles = corners;
    uint8_t *halves = realloc(s->halves, triangles + 1);
    if (halves)
        s->halves = halves;
    bool room = xyz && normals && edges && corners && halves;
    return room ? 0 : FAIL(s->err, ERR_LIMIT, "no memory for %zu triangles", triangles);
}

static void place_new(struct surface *s, uint32_t v, const struct pair *edge)
{
    int in = between_inside(s, edge->end[0]) ? 0 : 1;
    struct vec a = surface_corner(s, edge->end[in]), b = surface_corner(s, edge->end[1 - in]);
    struct vec normal = {0};
    double t;
    if (!surface_ray(s->grid, a, b, &t, &normal))
        t = 0.5;
    surface_put(s, v, a, b, t, normal);
}

/* Gives each edge of the new polygons its vertex: the one that it had, or a new one. */
static int number_edges(struct recut *r, struct pairs *edges)
{
    struct surface *s = r->s;
    size_t made = 0;
    s->pairs = malloc((edges->count + 1) * sizeof *s->pairs);
    if (!s->pairs)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu edges", edges->count);
    for (size_t i = 0; i < edges->count; i++) {
        struct pair *e = &edges->at[i];
        const struct pair *known =
            r->known.count ? bsearch(e, r->known.at, r->known.count, sizeof *e, pairs_compare)
                           : NULL;
        e->vertex = known ? known->vertex : (uint32_t)s->out->vertex_count++;
        if (known)
            continue;
        memcpy(s->pairs[made], e->end, sizeof e->end);
        s->edges[e->vertex] = SURFACE_PAIR + made++;
        place_new(s, e->vertex, e);
    }
    return 0;
}

static void put_triangle(struct surface *s, const uint32_t v[3], uint8_t half)
{
    size_t t = s->out->triangle_count++;
    memcpy(s->out->triangles + 3 * t, v, 3 * sizeof *v);
    s->halves[t] = half;
}

static int add_polygons(struct recut *r)
{
    struct surface *s = r->s;
    struct pairs edges = {0};
    int failed = 0;
    for (size_t i = 0; !failed && i < r->corners.count; i++)
        failed = pairs_add(&edges, r->corners.at[i].end[0], r->corners.at[i].end[1], 0, s->err);
    pairs_sort(&edges);
    failed = failed ||
             make_room(s, s->out->vertex_count + edges.count, r->kept + 2 * r->polygons) ||
             number_edges(r, &edges);
    size_t next = 0;
    for (size_t i = 0; !failed && i < r->polygons; next += r->sizes[i++]) {
        uint32_t v[4] = {0};
        for (size_t k = 0; k < r->sizes[i]; k++) {
            const struct pair *e =
                bsearch(&r->corners.at[next + k], edges.at, edges.count, sizeof *e, pairs_compare);
            v[k] = e->vertex;
        }
        put_triangle(s, v, r->sizes[i] == 4);
        if (r->sizes[i] == 4)
            put_triangle(s, (const uint32_t[3]){v[0], v[2], v[3]}, 0);
    }
    free(edges.at);
    return failed ? -1 : 0;
}

int surface_split(struct surface *s)
{
    struct recut r = {.s = s};
    if (between_look(s))
        return -1;
    if (s->between_count == 0)
        return 0;
    int failed = find_keys(&r) || drop_polygons(&r);
    for (size_t i = 0; !failed && i < r.key_count; i++) {
        size_t number[4];
        between_corners(number, s, r.keys[i]);
        failed = divide(&r, number);
    }
    failed = failed || add_polygons(&r);
    free(r.keys);
    free(r.known.at);
    free(r.corners.at);
    free(r.sizes);
    return failed ? -1 : 0;
}
