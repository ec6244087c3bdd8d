/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sharp edges and corners in a rebuilt surface. Cutting tetrahedra with straight polygons bevels
 * them; here the tetrahedra that they pass get a point on them, and their sides another. */
#include <stdlib.h>
#include <string.h>

#include "print/repair/rebuild_feature.h"

/* Cosine of the angle between two normals of the input from which on an edge lies between. */
#define SHARP 0.9
/* The sides that a sharp edge passes, each between two vertices, and the point there. */
struct bends {
    uint64_t *side; /* lower vertex << 32 | higher, sorted */
    uint32_t *vertex;
    size_t count;
};

static bool is_sharp(const struct surface *s, uint32_t u, uint32_t v)
{
    struct vec a = feature_normal(s, u), b = feature_normal(s, v);
    /* Without a normal (a lid of a hole) nothing is known. */
    return vec_dot(a, b) < SHARP && vec_dot(a, a) > 0.5 && vec_dot(b, b) > 0.5;
}

bool surface_is_sharp(const struct surface *s, size_t t)
{
    const uint32_t *c = s->out->triangles + 3 * t;
    bool sharp = is_sharp(s, c[0], c[1]) || is_sharp(s, c[1], c[2]) || is_sharp(s, c[0], c[2]);
    if (s->halves[t])
        sharp |= is_sharp(s, c[0], c[5]) || is_sharp(s, c[2], c[5]) || is_sharp(s, c[1], c[5]);
    return sharp;
}

static int compare_sides(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t side_of(uint32_t u, uint32_t v)
{
    return u < v ? (uint64_t)u << 32 | v : (uint64_t)v << 32 | u;
}

/* UINT32_MAX: this side is straight. */
static uint32_t bend_of(const struct bends *b, uint32_t u, uint32_t v)
{
    const uint64_t side = side_of(u, v);
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->side[middle] < side)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->count && b->side[low] == side ? b->vertex[low] : UINT32_MAX;
}

/* The polygon's corners with the bends of its sides between; their number. */
static int ring_of(uint32_t ring[8], const struct bends *b, const struct polygon *p)
{
    int count = 0;
    for (int i = 0; i < p->corners; i++) {
        ring[count++] = p->corner[i];
        uint32_t bend = bend_of(b, p->corner[i], p->corner[(i + 1) % p->corners]);
        if (bend != UINT32_MAX)
            ring[count++] = bend;
    }
    return count;
}

/* The sharp sides of all sharp polygons, each once. */
static int find_bends(struct bends *b, const struct surface *s, const uint32_t *sharp, size_t count)
{
    b->side = malloc((4 * count + 1) * sizeof *b->side);
    if (!b->side)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu sharp polygons", count);
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        struct polygon p = surface_polygon(s, sharp[i]);
        for (int k = 0; k < p.corners; k++)
            if (is_sharp(s, p.corner[k], p.corner[(k + 1) % p.corners]))
                b->side[all++] = side_of(p.corner[k], p.corner[(k + 1) % p.corners]);
    }
    qsort(b->side, all, sizeof *b->side, compare_sides);
    for (size_t i = 0; i < all; i++)
        if (i == 0 || b->side[i] != b->side[i - 1])
            b->side[b->count++] = b->side[i];
    b->vertex = malloc((b->count + 1) * sizeof *b->vertex);
    return b->vertex ? 0 : FAIL(s->err, ERR_LIMIT, "no memory for %zu bends", b->count);
}

/* Room for the bends and a point in each sharp polygon. */
static int grow_vertices(struct surface *s, size_t more)
{
    struct mesh *m = s->out;
    if (m->vertex_count + more > UINT32_MAX / 2)
        return FAIL_CODE(s->err, ERR_LIMIT, "mesh_too_large", "the rebuilt mesh is too large");
    float *xyz = realloc(m->xyz, 3 * (m->vertex_count + more + 1) * sizeof *xyz);
    if (!xyz)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu more vertices", more);
    m->xyz = xyz;
    return 0;
}

static void place_points(struct surface *s, struct bends *b, const uint32_t *sharp, size_t count)
{
    const size_t bends = b->count, first = s->cut_vertices;
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < bends; i++) {
        struct vec at = surface_bend(s, (uint32_t)(b->side[i] >> 32), (uint32_t)b->side[i]);
        b->vertex[i] = (uint32_t)(first + i);
        mesh_point_set(s->out, b->vertex[i], at);
    }
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < count; i++) {
        struct polygon p = surface_polygon(s, sharp[i]);
        uint32_t ring[8];
        int corners = ring_of(ring, b, &p);
        mesh_point_set(s->out, (uint32_t)(first + bends + i), surface_middle(s, &p, ring, corners));
    }
    s->out->vertex_count = first + bends + count;
}

/* Triangles around the middle point of each sharp polygon; the others are copied. */
static int fan_out(struct surface *s, const struct bends *b, const uint32_t *sharp, size_t count,
                   uint32_t first)
{
    struct mesh *m = s->out;
    size_t room = m->triangle_count + 8 * count, made = 0, next = 0;
    uint32_t *to = malloc((room + 1) * 3 * sizeof *to);
    if (!to)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu triangles", room);
    for (size_t t = 0; t < m->triangle_count; t++) {
        if (next == count || sharp[next] != t) {
            memcpy(to + 3 * made++, m->triangles + 3 * t, 3 * sizeof *to);
            continue;
        }
        struct polygon p = surface_polygon(s, t);
        uint32_t ring[8];
        int corners = ring_of(ring, b, &p);
        for (int i = 0; i < corners; i++, made++) {
            to[3 * made] = ring[i];
            to[3 * made + 1] = ring[(i + 1) % corners];
            to[3 * made + 2] = first + (uint32_t)next;
        }
        t += s->halves[t];
        next++;
    }
    free(m->triangles);
    m->triangles = to;
    m->triangle_count = made;
    return 0;
}

/* First triangles of the polygons with a sharp edge. */
static int find_sharp(uint32_t **sharp, size_t *count, const struct surface *s)
{
    size_t n = s->out->triangle_count, room = 0;
    *count = 0;
    for (size_t t = 0; t < n; t += 1 + (size_t)s->halves[t])
        room += surface_is_sharp(s, t);
    *sharp = malloc((room + 1) * sizeof **sharp);
    if (!*sharp)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu sharp polygons", room);
    for (size_t t = 0; t < n; t += 1 + (size_t)s->halves[t])
        if (surface_is_sharp(s, t))
            (*sharp)[(*count)++] = (uint32_t)t;
    return 0;
}

int surface_sharpen(struct surface *s)
{
    uint32_t *sharp = NULL;
    size_t count;
    struct bends b = {0};
    s->cut_vertices = s->out->vertex_count;
    if (find_sharp(&sharp, &count, s))
        return -1;
    if ((double)count > SURFACE_MOST_SHARP * (double)s->out->triangle_count)
        count = 0;
    int failed = find_bends(&b, s, sharp, count) || grow_vertices(s, b.count + count);
    if (!failed) {
        place_points(s, &b, sharp, count);
        failed = fan_out(s, &b, sharp, count, (uint32_t)(s->cut_vertices + b.count));
    }
    free(sharp);
    free(b.side);
    free(b.vertex);
    return failed ? -1 : 0;
}
