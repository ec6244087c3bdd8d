/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sharp edges and corners in a rebuilt surface. Cutting tetrahedra with straight polygons bevels
 * them; here the tetrahedra that they pass get a point on them, and their sides another. */
#include <stdlib.h>
#include <string.h>

#include "print/repair/rebuild_surface.h"

/* Cosine of the angle between two normals of the input from which on an edge lies between. */
#define SHARP 0.9
/* Sine of the angle that two planes must make within a side of a tetrahedron. */
#define LEAST_TURN 0.15
/* A direction in which normals differ less than by this share has no say in where the point is. */
#define LEAST_SPREAD 0.03
/* New points keep that share of the height from the sides of their tetrahedron or triangle. */
#define INNER 0.03

/* What is left of a tetrahedron's polygon: its corners in a ring, and the tetrahedron. */
struct polygon {
    uint32_t corner[4];
    size_t number[4]; /* grid points that its corners' edges end in */
    int corners, numbers;
};

/* The sides that a sharp edge passes, each between two vertices, and the point there. */
struct bends {
    uint64_t *side; /* lower vertex << 32 | higher, sorted */
    uint32_t *vertex;
    size_t count;
};

static struct vec normal_at(const struct surface *s, uint32_t v)
{
    const float *n = s->normals + 3 * (size_t)v;
    return (struct vec){n[0], n[1], n[2]};
}

static bool is_sharp(const struct surface *s, uint32_t u, uint32_t v)
{
    struct vec a = normal_at(s, u), b = normal_at(s, v);
    /* Without a normal (a lid of a hole) nothing is known. */
    return vec_dot(a, b) < SHARP && vec_dot(a, a) > 0.5 && vec_dot(b, b) > 0.5;
}

static void add_number(size_t *numbers, int *count, size_t number)
{
    for (int i = 0; i < *count; i++)
        if (numbers[i] == number)
            return;
    numbers[(*count)++] = number;
}

/* The polygon that begins with triangle t. */
static struct polygon polygon_at(const struct surface *s, size_t t)
{
    struct polygon p = {.corners = s->halves[t] ? 4 : 3};
    const uint32_t *from = s->out->triangles + 3 * t;
    for (int i = 0; i < 3; i++)
        p.corner[i] = from[i];
    if (s->halves[t])
        p.corner[3] = from[5];
    for (int i = 0; i < p.corners; i++) {
        size_t end[2];
        surface_ends(s, p.corner[i], end);
        add_number(p.number, &p.numbers, end[0]);
        add_number(p.number, &p.numbers, end[1]);
    }
    return p;
}

static bool polygon_is_sharp(const struct surface *s, size_t t)
{
    const uint32_t *c = s->out->triangles + 3 * t;
    bool sharp = is_sharp(s, c[0], c[1]) || is_sharp(s, c[1], c[2]) || is_sharp(s, c[0], c[2]);
    if (s->halves[t])
        sharp |= is_sharp(s, c[0], c[5]) || is_sharp(s, c[2], c[5]) || is_sharp(s, c[1], c[5]);
    return sharp;
}

/* How far towards `to` one may go from `from` and stay a margin within a triangle (3 corners,
 * both in its plane) or tetrahedron (4): 1 all the way. */
static double reach_within(const struct vec *corner, int corners, struct vec from, struct vec to)
{
    double most = 1;
    for (int i = 0; i < corners; i++) {
        struct vec a = corner[(i + 1) % corners], b = corner[(i + 2) % corners], n;
        if (corners == 3) {
            struct vec along = vec_sub(b, a), up = vec_sub(corner[i], a);
            n = vec_sub(up, vec_scale(along, vec_dot(up, along) / vec_dot(along, along)));
        } else {
            n = vec_cross(vec_sub(b, a), vec_sub(corner[(i + 3) % corners], a));
        }
        double height = vec_dot(n, vec_sub(corner[i], a));
        double here = vec_dot(n, vec_sub(from, a)) / height;
        double there = vec_dot(n, vec_sub(to, a)) / height;
        double least = fmin(INNER, here / 2);
        if (there < least)
            most = fmin(most, (here - least) / (here - there));
    }
    return most;
}

/* Nearer to the input than where we come from, or it is no edge but noise. */
static struct vec if_better(const struct surface *s, struct vec from, struct vec to)
{
    const struct bvh *bvh = &s->grid->bvh;
    double now = bvh_nearest(bvh, from, 2 * s->grid->step, NULL, NULL);
    return bvh_nearest(bvh, to, now, NULL, NULL) < now ? to : from;
}

/* Where the planes of the input at u and v meet within the side of the grid that both lie on. */
static struct vec bend_point(const struct surface *s, uint32_t u, uint32_t v)
{
    size_t number[4], ends[2][2];
    int numbers = 0;
    struct vec corner[3], middle;
    surface_ends(s, u, ends[0]);
    surface_ends(s, v, ends[1]);
    for (int i = 0; i < 4; i++)
        add_number(number, &numbers, ends[i / 2][i % 2]);
    for (int i = 0; i < 3; i++)
        corner[i] = surface_corner(s, number[i]);
    struct vec a = mesh_point(s->out, u), b = mesh_point(s->out, v);
    middle = vec_scale(vec_add(a, b), 0.5);
    struct vec flat =
        vec_unit(vec_cross(vec_sub(corner[1], corner[0]), vec_sub(corner[2], corner[0])));
    struct vec n = normal_at(s, u), m = normal_at(s, v);
    n = vec_unit(vec_sub(n, vec_scale(flat, vec_dot(n, flat))));
    m = vec_unit(vec_sub(m, vec_scale(flat, vec_dot(m, flat))));
    double turn = vec_dot(vec_cross(n, m), flat);
    if (fabs(turn) < LEAST_TURN)
        return middle;
    /* middle + x with n.x = p, m.x = q and x in the plane */
    double p = vec_dot(n, vec_sub(a, middle)), q = vec_dot(m, vec_sub(b, middle));
    struct vec x = vec_scale(
        vec_add(vec_scale(vec_cross(m, flat), p), vec_scale(vec_cross(flat, n), q)), 1 / turn);
    struct vec to = vec_add(middle, x);
    return if_better(s, middle, vec_add(middle, vec_scale(x, reach_within(corner, 3, middle, to))));
}

/* Eigenvectors in the columns of v, by Jacobi's rotations; a becomes diagonal. */
static void diagonalize(double a[3][3], double v[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            v[i][j] = i == j;
    for (int round = 0; round < 12; round++)
        for (int p = 0; p < 2; p++)
            for (int q = p + 1; q < 3; q++) {
                if (fabs(a[p][q]) < 1e-12)
                    continue;
                double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
                double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
                double c = 1 / sqrt(t * t + 1), w = t * c;
                for (int k = 0; k < 3; k++) {
                    double x = a[k][p], y = a[k][q];
                    a[k][p] = c * x - w * y, a[k][q] = w * x + c * y;
                }
                for (int k = 0; k < 3; k++) {
                    double x = a[p][k], y = a[q][k];
                    a[p][k] = c * x - w * y, a[q][k] = w * x + c * y;
                    x = v[k][p], y = v[k][q];
                    v[k][p] = c * x - w * y, v[k][q] = w * x + c * y;
                }
            }
}

/* The place nearest to all the polygon's planes, from `start` no further than they tell. */
static struct vec meet_planes(const struct surface *s, const struct polygon *p, struct vec start)
{
    double a[3][3] = {{0}}, v[3][3], right[3] = {0}, most = 0;
    for (int i = 0; i < p->corners; i++) {
        struct vec n = normal_at(s, p->corner[i]);
        double k[3] = {n.x, n.y, n.z},
               off = vec_dot(n, vec_sub(mesh_point(s->out, p->corner[i]), start));
        for (int r = 0; r < 3; r++) {
            right[r] += k[r] * off;
            for (int c = 0; c < 3; c++)
                a[r][c] += k[r] * k[c];
        }
    }
    diagonalize(a, v);
    for (int i = 0; i < 3; i++)
        most = fmax(most, a[i][i]);
    struct vec x = start;
    for (int i = 0; i < 3; i++) {
        if (a[i][i] < LEAST_SPREAD * most)
            continue;
        double by = (v[0][i] * right[0] + v[1][i] * right[1] + v[2][i] * right[2]) / a[i][i];
        x = vec_add(x, vec_scale((struct vec){v[0][i], v[1][i], v[2][i]}, by));
    }
    return x;
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

/* On the sharp edge between two bends, or where all planes meet: a corner. */
static struct vec middle_point(const struct surface *s, const struct bends *b,
                               const struct polygon *p)
{
    uint32_t ring[8];
    int count = ring_of(ring, b, p), bends = 0;
    struct vec all = {0}, bent = {0}, corner[4];
    for (int i = 0; i < 4; i++)
        corner[i] = surface_corner(s, p->number[i]);
    for (int i = 0; i < count; i++) {
        struct vec at = mesh_point(s->out, ring[i]);
        all = vec_add(all, vec_scale(at, 1.0 / count));
        bends += ring[i] >= s->out->vertex_count - b->count;
        if (ring[i] >= s->out->vertex_count - b->count)
            bent = vec_add(bent, at);
    }
    struct vec start = bends > 1 ? vec_scale(bent, 1.0 / bends) : all;
    struct vec to = meet_planes(s, p, start);
    to = vec_add(all, vec_scale(vec_sub(to, all), reach_within(corner, 4, all, to)));
    return if_better(s, all, to);
}

/* The sharp sides of all sharp polygons, each once. */
static int find_bends(struct bends *b, const struct surface *s, const uint32_t *sharp, size_t count)
{
    b->side = malloc((4 * count + 1) * sizeof *b->side);
    if (!b->side)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu sharp polygons", count);
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        struct polygon p = polygon_at(s, sharp[i]);
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

static int place_bends(struct surface *s, struct bends *b)
{
    size_t first = s->out->vertex_count;
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < b->count; i++) {
        uint32_t at = (uint32_t)(first + i);
        b->vertex[i] = at;
        mesh_point_set(s->out, at,
                       bend_point(s, (uint32_t)(b->side[i] >> 32), (uint32_t)b->side[i]));
    }
    s->out->vertex_count += b->count;
    return 0;
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
        struct polygon p = polygon_at(s, t);
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
        room += polygon_is_sharp(s, t);
    *sharp = malloc((room + 1) * sizeof **sharp);
    if (!*sharp)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu sharp polygons", room);
    for (size_t t = 0; t < n; t += 1 + (size_t)s->halves[t])
        if (polygon_is_sharp(s, t))
            (*sharp)[(*count)++] = (uint32_t)t;
    return 0;
}

int surface_sharpen(struct surface *s)
{
    uint32_t *sharp = NULL;
    size_t count;
    struct bends b = {0};
    int failed = find_sharp(&sharp, &count, s) || find_bends(&b, s, sharp, count) ||
                 grow_vertices(s, b.count + count) || place_bends(s, &b);
    if (!failed) {
        size_t first = s->out->vertex_count;
#pragma omp parallel for schedule(dynamic, 64)
        for (size_t i = 0; i < count; i++) {
            struct polygon p = polygon_at(s, sharp[i]);
            mesh_point_set(s->out, (uint32_t)(first + i), middle_point(s, &b, &p));
        }
        failed = fan_out(s, &b, sharp, count, (uint32_t)first);
        s->out->vertex_count += count;
    }
    free(sharp);
    free(b.side);
    free(b.vertex);
    return failed ? -1 : 0;
}
