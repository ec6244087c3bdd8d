/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the vertices of a rebuilt surface lie on the edges of the grid: where the input's surface
 * crosses them. Grid points too close to it step back first, so that no vertex has to. */
#include <stdlib.h>

#include "print/repair/rebuild_surface.h"

/* Of a step: no grid point stays nearer to the surface. The tetrahedra are 0.7 high and stay
 * positive. */
#define STEP_BACK 0.08
/* Of an edge: what STEP_BACK leaves of the longest one, where thin walls undo it. */
#define EDGE_MARGIN 0.04
/* Of a step: what two tangent planes may be off before a ray is asked where it crosses. */
#define PLANE_ERROR 0.02

/* A beside point's value is to be asked for. */
#define WANTED INFINITY

static struct beside *beside_of(const struct besides *b, size_t point)
{
    uint64_t below = b->wanted[point / 64] & (((uint64_t)1 << point % 64) - 1);
    return &b->at[b->before[point / 64] + (uint32_t)__builtin_popcountll(below)];
}

static double longest_edge(const struct grid *g)
{
    return sqrt(3) * g->step;
}

void surface_ends(const struct surface *s, uint32_t vertex, size_t end[2])
{
    const size_t *n = s->grid->n, step[3] = {1, n[0], n[0] * n[1]};
    if (s->edges[vertex] & SURFACE_PAIR) {
        const size_t *pair = s->pairs[s->edges[vertex] & ~SURFACE_PAIR];
        end[0] = pair[0], end[1] = pair[1];
        return;
    }
    end[0] = end[1] = s->edges[vertex] / 8;
    for (int k = 0; k < 3; k++)
        end[1] += s->edges[vertex] >> k & 1 ? step[k] : 0;
}

static struct vec point_of(const struct grid *g, size_t number)
{
    return grid_point(g, (int)(number % g->n[0]), (int)(number / g->n[0] % g->n[1]),
                      (int)(number / g->n[0] / g->n[1]));
}

static struct vec vec_of(const float v[3])
{
    return (struct vec){v[0], v[1], v[2]};
}

static struct vec corner_of(const struct grid *g, size_t number, const struct beside *b)
{
    return vec_add(point_of(g, number), vec_of(b->off));
}

struct vec surface_corner(const struct surface *s, size_t number)
{
    if (number >= surface_points(s))
        return s->betweens[number - surface_points(s)].at;
    if (!(s->besides.wanted[number / 64] >> number % 64 & 1))
        return point_of(s->grid, number);
    return corner_of(s->grid, number, beside_of(&s->besides, number));
}

/* How far p is in front of the triangle nearest to a beside point. */
static double in_front(const struct grid *g, const struct beside *b, struct vec p)
{
    return vec_dot(vec_of(b->normal), vec_sub(p, mesh_corner(g->bvh.mesh, b->triangle, 0)));
}

/* An edge of the grid from its inside end to its outside end. */
struct crossing {
    struct beside *in, *out;
    struct vec a, b;
};

/* Both ends see the same plane, so that their distances tell where it is crossed. */
static bool is_plain(const struct grid *g, const struct crossing *c)
{
    const struct beside *in = c->in, *out = c->out;
    double most = PLANE_ERROR * g->step;
    return in->triangle != UINT32_MAX && out->triangle != UINT32_MAX &&
           fabs(fabs(in_front(g, in, c->b)) - out->distance) < most &&
           fabs(fabs(in_front(g, out, c->a)) - in->distance) < most &&
           fabs(vec_dot(vec_of(in->normal), vec_of(out->normal))) > 0.9;
}

/* Where from a to b a triangle is crossed; -1: nowhere. */
static double cross_triangle(const struct grid *g, uint32_t triangle, struct vec a, struct vec b)
{
    const struct mesh *m = g->bvh.mesh;
    if (triangle == UINT32_MAX)
        return -1;
    struct vec p = mesh_corner(m, triangle, 0), d = vec_sub(b, a), from = vec_sub(a, p);
    struct vec e = vec_sub(mesh_corner(m, triangle, 1), p);
    struct vec f = vec_sub(mesh_corner(m, triangle, 2), p);
    struct vec across = vec_cross(d, f), q = vec_cross(from, e);
    double det = vec_dot(e, across), u = vec_dot(from, across), v = vec_dot(d, q);
    if (det < 0)
        det = -det, u = -u, v = -v, q = vec_scale(q, -1);
    double t = vec_dot(f, q) / det;
    return det > 0 && u >= 0 && v >= 0 && u + v <= det && t >= 0 && t <= 1 ? t : -1;
}

bool surface_ray(const struct grid *g, struct vec a, struct vec b, double *t, struct vec *normal)
{
    uint32_t hit;
    *t = 1 - bvh_ray(&g->bvh, b, vec_sub(a, b), 0, UINT32_MAX, &hit);
    if (!(*t >= 0))
        return false;
    *normal = vec_unit(mesh_normal2(g->bvh.mesh, hit));
    return true;
}

void surface_put(struct surface *s, uint32_t vertex, struct vec a, struct vec b, double t,
                 struct vec normal)
{
    struct vec along = vec_sub(b, a);
    if (vec_dot(normal, along) < 0)
        normal = vec_scale(normal, -1);
    t = t < EDGE_MARGIN ? EDGE_MARGIN : t > 1 - EDGE_MARGIN ? 1 - EDGE_MARGIN : t;
    mesh_point_set(s->out, vertex, vec_add(a, vec_scale(along, t)));
    float *n = s->normals + 3 * (size_t)vertex;
    n[0] = (float)normal.x, n[1] = (float)normal.y, n[2] = (float)normal.z;
}

/* Seen from outside, as the eye does: the first triangle on the way in, which as a rule is nearest
 * to one of the ends. */
static bool cross_exactly(const struct grid *g, const struct crossing *c, double *t,
                          struct vec *normal)
{
    double one = cross_triangle(g, c->in->triangle, c->a, c->b);
    double two = cross_triangle(g, c->out->triangle, c->a, c->b);
    uint32_t hit = one > two ? c->in->triangle : c->out->triangle;
    *t = fmax(one, two);
    if (*t < 0)
        return surface_ray(g, c->a, c->b, t, normal);
    *normal = vec_unit(mesh_normal2(g->bvh.mesh, hit));
    return true;
}

/* How far the surface is from both ends; one that is thickened lies that much further out. */
static void distances(const struct grid *g, const struct crossing *c, double *in, double *out)
{
    double thicken = g->thicken, d = c->in->distance;
    *in = thicken > 0 && d < thicken ? thicken - d : thicken + d;
    *out = c->out->distance - thicken;
}

/* The lid of a hole: no surface near enough to lie between. */
static bool is_lid(const struct grid *g, const struct crossing *c)
{
    double in, out;
    distances(g, c, &in, &out);
    return in + out > 1.5 * vec_length(vec_sub(c->b, c->a)) || !(in + out > 0);
}

static double cross_by_distance(const struct grid *g, const struct crossing *c)
{
    double in, out;
    distances(g, c, &in, &out);
    if (is_lid(g, c)) /* where the winding number is 1/2: it changes slowly there */
        in = fmax(c->in->value, 1e-6), out = fmax(-c->out->value, 1e-6);
    return in / (in + out);
}

static struct crossing crossing_of(const struct surface *s, uint32_t vertex)
{
    const struct grid *g = s->grid;
    size_t end[2];
    surface_ends(s, vertex, end);
    size_t in = g->state[end[0]] == GRID_INSIDE ? 0 : 1;
    struct crossing c = {.in = beside_of(&s->besides, end[in]),
                         .out = beside_of(&s->besides, end[1 - in])};
    c.a = corner_of(g, end[in], c.in);
    c.b = corner_of(g, end[1 - in], c.out);
    return c;
}

static void place_vertex(struct surface *s, uint32_t vertex)
{
    const struct grid *g = s->grid;
    struct crossing c = crossing_of(s, vertex);
    struct vec normal = {0};
    double t;
    bool plain = is_plain(g, &c);
    if (g->thicken > 0 || plain || is_lid(g, &c) || !cross_exactly(g, &c, &t, &normal)) {
        t = cross_by_distance(g, &c);
        normal = plain ? vec_of((t > 0.5 ? c.out : c.in)->normal) : (struct vec){0};
    }
    surface_put(s, vertex, c.a, c.b, t, normal);
}

/* Not where a wall is thickened: its surface is not the input's. */
static void step_back(const struct grid *g, struct beside *b, struct vec p, struct vec nearest,
                      bool inside)
{
    double missing = STEP_BACK * g->step - b->distance;
    if (missing <= 0 || g->thicken > 0)
        return;
    struct vec away = vec_unit(vec_sub(p, nearest));
    if (b->distance < 1e-4 * g->step)
        away = vec_scale(vec_of(b->normal), inside ? -1 : 1);
    b->off[0] = (float)(away.x * missing);
    b->off[1] = (float)(away.y * missing);
    b->off[2] = (float)(away.z * missing);
    b->distance = (float)(STEP_BACK * g->step);
}

static void look_around(struct beside *b, const struct grid *g, size_t number, double within)
{
    struct vec p = point_of(g, number), nearest = p;
    double d = bvh_nearest(&g->bvh, p, within, &nearest, &b->triangle);
    b->distance = (float)d;
    if (!(d < within)) {
        b->triangle = UINT32_MAX;
        return;
    }
    struct vec n = vec_unit(mesh_normal2(g->bvh.mesh, b->triangle));
    b->normal[0] = (float)n.x, b->normal[1] = (float)n.y, b->normal[2] = (float)n.z;
    step_back(g, b, p, nearest, g->state[number] == GRID_INSIDE);
}

static void look_around_all(struct besides *b, const struct grid *g, size_t words)
{
    double within = 2 * longest_edge(g) + g->thicken;
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t w = 0; w < words; w++) {
        uint32_t slot = b->before[w];
        for (uint64_t left = b->wanted[w]; left; left &= left - 1)
            look_around(&b->at[slot++], g, 64 * w + (size_t)__builtin_ctzll(left), within);
    }
}

static int find_besides(struct surface *s)
{
    const struct grid *g = s->grid;
    const size_t words = g->n[0] * g->n[1] * g->n[2] / 64 + 1;
    struct besides *b = &s->besides;
    uint32_t count = 0;
    b->wanted = calloc(words, sizeof *b->wanted);
    b->before = malloc(words * sizeof *b->before);
    if (!b->wanted || !b->before)
        return FAIL(s->err, ERR_LIMIT, "no memory for %zu grid points", 64 * words);
    for (uint32_t v = 0; v < (uint32_t)s->out->vertex_count; v++) {
        size_t end[2];
        surface_ends(s, v, end);
        for (int i = 0; i < 2; i++)
            b->wanted[end[i] / 64] |= (uint64_t)1 << end[i] % 64;
    }
    for (size_t w = 0; w < words; w++) {
        b->before[w] = count;
        count += (uint32_t)__builtin_popcountll(b->wanted[w]);
    }
    b->at = calloc((size_t)count + 1, sizeof *b->at);
    if (!b->at)
        return FAIL(s->err, ERR_LIMIT, "no memory for %u grid points beside the surface", count);
    look_around_all(b, g, words);
    return 0;
}

/* The winding numbers at the ends of edges that cross a lid: once a point. */
static void value_lids(struct surface *s)
{
    struct besides *b = &s->besides;
    const size_t words = s->grid->n[0] * s->grid->n[1] * s->grid->n[2] / 64 + 1;
    for (uint32_t v = 0; v < (uint32_t)s->out->vertex_count; v++) {
        struct crossing c = crossing_of(s, v);
        if (is_lid(s->grid, &c))
            c.in->value = c.out->value = WANTED;
    }
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t w = 0; w < words; w++) {
        uint32_t slot = b->before[w];
        for (uint64_t left = b->wanted[w]; left; left &= left - 1, slot++)
            if (b->at[slot].value == WANTED)
                b->at[slot].value = (float)grid_value(
                    s->grid, point_of(s->grid, 64 * w + (size_t)__builtin_ctzll(left)));
    }
}

int surface_place(struct surface *s)
{
    const size_t vertices = s->out->vertex_count;
    s->normals = malloc((vertices + 1) * 3 * sizeof *s->normals);
    if (!s->normals)
        return FAIL(s->err, ERR_LIMIT, "no memory for the normals of %zu vertices", vertices);
    if (find_besides(s))
        return -1;
    value_lids(s);
#pragma omp parallel for schedule(dynamic, 256)
    for (uint32_t v = 0; v < (uint32_t)vertices; v++)
        place_vertex(s, v);
    return 0;
}

void surface_free(struct surface *s)
{
    free(s->crossing[0]);
    free(s->crossing[1]);
    free(s->edges);
    free(s->halves);
    free(s->normals);
    free(s->betweens);
    free(s->pairs);
    free(s->besides.wanted);
    free(s->besides.before);
    free(s->besides.at);
}
