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

/* The winding number's 1/2 by halving: for the lids of holes, where no surface is near. */
static double cross_by_value(const struct grid *g, struct vec a, struct vec b)
{
    double low = 0, high = 1;
    for (int i = 0; i < 5; i++) {
        double middle = (low + high) / 2;
        struct vec p = vec_add(a, vec_scale(vec_sub(b, a), middle));
        if (grid_value(g, p) > 0)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

static const struct beside *beside_of(const struct besides *b, size_t point)
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
    return corner_of(s->grid, number, beside_of(&s->besides, number));
}

/* How far p is in front of the triangle nearest to a beside point. */
static double in_front(const struct grid *g, const struct beside *b, struct vec p)
{
    return vec_dot(vec_of(b->normal), vec_sub(p, mesh_corner(g->bvh.mesh, b->triangle, 0)));
}

/* Both ends see the same plane, so that their distances tell where it is crossed. */
static bool is_plain(const struct grid *g, const struct beside *in, struct vec a,
                     const struct beside *out, struct vec b)
{
    double most = PLANE_ERROR * g->step;
    return in->triangle != UINT32_MAX && out->triangle != UINT32_MAX &&
           fabs(fabs(in_front(g, in, b)) - out->distance) < most &&
           fabs(fabs(in_front(g, out, a)) - in->distance) < most &&
           fabs(vec_dot(vec_of(in->normal), vec_of(out->normal))) > 0.9;
}

/* Seen from outside, as the eye does: the first triangle on the way in. */
static bool cross_by_ray(const struct grid *g, struct vec a, struct vec b, double *t,
                         struct vec *normal)
{
    uint32_t hit;
    double at = bvh_ray(&g->bvh, b, vec_sub(a, b), 0, UINT32_MAX, &hit);
    if (!(at <= 1))
        return false;
    *t = 1 - at;
    *normal = vec_unit(mesh_normal2(g->bvh.mesh, hit));
    return true;
}

/*
 * Where the surface crosses from an inside point a to an outside point b, told by their distances
 * to the input surface. A thickened surface lies that much further out.
 */
static double cross_by_distance(const struct grid *g, struct vec a, struct vec b, double da,
                                double db)
{
    double length = vec_length(vec_sub(b, a)), thicken = g->thicken;
    double in = thicken > 0 && da < thicken ? thicken - da : thicken + da, out = db - thicken;
    if (in + out > 1.5 * length || !(in + out > 0))
        return cross_by_value(g, a, b);
    return in / (in + out);
}

static void place_vertex(struct surface *s, uint32_t vertex)
{
    const struct grid *g = s->grid;
    size_t end[2];
    surface_ends(s, vertex, end);
    size_t in = g->state[end[0]] == GRID_INSIDE ? 0 : 1;
    const struct beside *at[2] = {beside_of(&s->besides, end[in]),
                                  beside_of(&s->besides, end[1 - in])};
    struct vec a = corner_of(g, end[in], at[0]), b = corner_of(g, end[1 - in], at[1]);
    struct vec along = vec_sub(b, a), normal = {0};
    double t;
    bool plain = is_plain(g, at[0], a, at[1], b);
    if (g->thicken > 0 || plain || !cross_by_ray(g, a, b, &t, &normal)) {
        t = cross_by_distance(g, a, b, at[0]->distance, at[1]->distance);
        normal = plain ? vec_of(at[t > 0.5]->normal) : (struct vec){0};
    }
    if (vec_dot(normal, along) < 0)
        normal = vec_scale(normal, -1);
    t = t < EDGE_MARGIN ? EDGE_MARGIN : t > 1 - EDGE_MARGIN ? 1 - EDGE_MARGIN : t;
    mesh_point_set(s->out, vertex, vec_add(a, vec_scale(along, t)));
    float *n = s->normals + 3 * (size_t)vertex;
    n[0] = (float)normal.x, n[1] = (float)normal.y, n[2] = (float)normal.z;
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

int surface_place(struct surface *s)
{
    const size_t vertices = s->out->vertex_count;
    s->normals = malloc((vertices + 1) * 3 * sizeof *s->normals);
    if (!s->normals)
        return FAIL(s->err, ERR_LIMIT, "no memory for the normals of %zu vertices", vertices);
    if (find_besides(s))
        return -1;
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
    free(s->besides.wanted);
    free(s->besides.before);
    free(s->besides.at);
}
