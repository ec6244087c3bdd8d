/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges of the input that pass between grid points: the tetrahedra around an edge of the grid that
 * the surface crosses twice are cut in two between the crossings. All tetrahedra around it are, and
 * several cuts go by the order of their edges, so that neighbours still agree. */
#include <stdlib.h>
#include <string.h>

#include "print/repair/rebuild_feature.h"

/* Of an edge: what lies between its ends and the new point, and between the crossings at least. */
#define END_MARGIN 0.2
#define LEAST_WIDTH 0.1
/* From one tetrahedron to the next ones: an edge passes few before a grid point sees it again. */
#define ROUNDS 3

struct pair {
    size_t end[2];   /* lower number first */
    uint32_t vertex; /* of the surface, where one is known */
};

struct pairs {
    struct pair *at;
    size_t count, room;
};

/* A corner of a cell in the order of the cell's six tetrahedra; see tetrahedra.c. */
static const uint8_t tetrahedra[6][4] = {{0, 1, 3, 7}, {0, 2, 7, 3}, {0, 2, 6, 7},
                                         {0, 4, 7, 6}, {0, 4, 5, 7}, {0, 1, 7, 5}};

static int compare_pairs(const void *a, const void *b)
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

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int add_pair(struct pairs *list, size_t a, size_t b, uint32_t vertex, struct err *err)
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

static void sort_pairs(struct pairs *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->at, list->count, sizeof *list->at, compare_pairs);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || compare_pairs(&list->at[kept - 1], &list->at[i]))
            list->at[kept++] = list->at[i];
    list->count = kept;
}

static bool is_inside(const struct surface *s, size_t number)
{
    size_t points = surface_points(s);
    return number < points ? s->grid->state[number] == GRID_INSIDE
                           : s->betweens[number - points].inside;
}

static const struct between *between_of(const struct surface *s, size_t a, size_t b)
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
            if (is_inside(s, number[i]) == is_inside(s, number[j]) &&
                add_pair(list, number[i], number[j], 0, s->err))
                return -1;
    return 0;
}

/* The numbers of a tetrahedron's corners; key: 8 x its cell + its place there. */
static void corners_of(size_t number[4], const struct surface *s, uint64_t key)
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
    bool inside = is_inside(s, edge->end[0]);
    *out = (struct between){.ends = {edge->end[0], edge->end[1]}, .inside = !inside};
    out->at = vec_add(a, vec_scale(vec_sub(b, a), t));
    return t > from && t < to && (grid_value(g, out->at) > 0) != inside;
}

/* The tetrahedra around an edge of the grid; at most six. */
static int around_edge(uint64_t keys[6], const struct surface *s, const size_t ends[2])
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
        int around = around_edge(keys, s, s->betweens[i].ends);
        for (int k = 0; !failed && k < around; k++) {
            size_t number[4];
            corners_of(number, s, keys[k]);
            failed = add_edges(&next, s, number);
        }
    }
    sort_pairs(&next);
    for (size_t i = 0; !failed && i < next.count; i++)
        if (!bsearch(&next.at[i], asked.at, asked.count, sizeof *asked.at, compare_pairs))
            failed = add_pair(&left, next.at[i].end[0], next.at[i].end[1], 0, s->err);
    free(asked.at);
    free(next.at);
    *edges = left;
    return failed;
}

static int look_for_betweens(struct surface *s)
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
    sort_pairs(&edges);
    for (int round = 0; !failed && round < ROUNDS && edges.count; round++) {
        size_t first = s->between_count;
        failed = find_betweens(s, &edges) || next_edges(&edges, s, first);
    }
    free(edges.at);
    if (s->between_count)
        qsort(s->betweens, s->between_count, sizeof *s->betweens, compare_betweens);
    return failed ? -1 : 0;
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
        all += (size_t)around_edge(r->keys + all, s, s->betweens[i].ends);
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
        corners_of(mine, s, 8 * (uint64_t)low + t);
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
            failed = add_pair(&r->known, end[0], end[1], p.corner[i], s->err);
        }
    }
    m->triangle_count = r->kept;
    sort_pairs(&r->known);
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
        if (add_pair(&r->corners, edges[i][0], edges[i][1], 0, r->s->err))
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
        inside += is_inside(r->s, c[i]);
    if (inside == 0 || inside == 4)
        return 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3 - i; j++)
            if (!is_inside(r->s, c[j]) && is_inside(r->s, c[j + 1])) {
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
    int in = is_inside(s, edge->end[0]) ? 0 : 1;
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
            r->known.count ? bsearch(e, r->known.at, r->known.count, sizeof *e, compare_pairs)
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
        failed = add_pair(&edges, r->corners.at[i].end[0], r->corners.at[i].end[1], 0, s->err);
    sort_pairs(&edges);
    failed = failed ||
             make_room(s, s->out->vertex_count + edges.count, r->kept + 2 * r->polygons) ||
             number_edges(r, &edges);
    size_t next = 0;
    for (size_t i = 0; !failed && i < r->polygons; next += r->sizes[i++]) {
        uint32_t v[4];
        for (size_t k = 0; k < r->sizes[i]; k++) {
            const struct pair *e =
                bsearch(&r->corners.at[next + k], edges.at, edges.count, sizeof *e, compare_pairs);
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
    if (look_for_betweens(s))
        return -1;
    if (s->between_count == 0)
        return 0;
    int failed = find_keys(&r) || drop_polygons(&r);
    for (size_t i = 0; !failed && i < r.key_count; i++) {
        size_t number[4];
        corners_of(number, s, r.keys[i]);
        failed = divide(&r, number);
    }
    failed = failed || add_polygons(&r);
    free(r.keys);
    free(r.known.at);
    free(r.corners.at);
    free(r.sizes);
    return failed ? -1 : 0;
}
