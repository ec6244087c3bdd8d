/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Smooth lids: a membrane first, then a thin plate that is clamped to the surface around the rim.
 * The equations are solved by conjugate gradients that go over the triangles; no matrix is kept. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/repair/holes.h"

#define MIN_CORNERS 6
#define MAX_CORNERS 1000
#define FLAT 1e-3   /* of its width: a rim that was cut by a plane */
#define MIN_COS 0.5 /* mean of the angles at the rim between lid and surface */
#define ROUNDS 400  /* of conjugate gradients */
#define NEIGHBOURHOOD                                                                              \
    0.35 /* of the rim's width, around the rim's box: a cap of 60 degrees is 0.29 */

/* Nodes: the patch's vertices, then the outer corners of the ring. */
struct plate {
    struct patch *patch;
    struct vec *at;      /* per node */
    uint32_t *triangles; /* of the patch, then of the ring */
    double *cot;         /* per corner */
    double *mass;        /* per node; a third of the area around it */
    double *diagonal;    /* per node, of the equations in hand */
    struct vec *residual, *step, *image, *scratch;
    size_t nodes, count;
    bool bends; /* plate, not membrane */
};

void patch_free(struct patch *p)
{
    free(p->at);
    free(p->scale);
    free(p->triangles);
    free(p->twin);
    *p = (struct patch){0};
}

static int find_number(const uint32_t *list, size_t count, uint32_t what, uint32_t *at)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == what) {
            *at = (uint32_t)i;
            return 0;
        }
    return 1;
}

/* Result 1: a loop that names a vertex twice, or a lid that is no disc. */
static int patch_open(struct patch *p, const struct lid *lid, struct err *err)
{
    const size_t vertices = lid->corners + LID_INSIDE, triangles = lid->count + 2 * LID_INSIDE + 2;
    p->at = malloc(vertices * sizeof *p->at);
    p->scale = malloc(vertices * sizeof *p->scale);
    p->triangles = malloc(3 * triangles * sizeof *p->triangles);
    p->twin = malloc(3 * triangles * sizeof *p->twin);
    if (!p->at || !p->scale || !p->triangles || !p->twin)
        return FAIL(err, ERR_LIMIT, "no memory for a lid of %zu corners", lid->corners);
    p->rim = p->vertices = lid->corners;
    p->count = lid->count;
    for (size_t i = 0; i < p->rim; i++) {
        uint32_t first;
        if (find_number(lid->loop, i, lid->loop[i], &first) == 0)
            return 1;
        p->at[i] = mesh_point(lid->mesh, lid->loop[i]);
    }
    for (size_t h = 0; h < 3 * p->count; h++)
        if (find_number(lid->loop, p->rim, lid->triangles[h], &p->triangles[h]))
            return 1;
    struct mesh flat = {
        .triangles = p->triangles, .vertex_count = p->vertices, .triangle_count = p->count};
    struct topology t;
    if (topology_build(&t, &flat, err))
        return -1;
    bool disc = t.boundary_edges == p->rim && t.nonmanifold_edges + t.inconsistent_edges == 0;
    memcpy(p->twin, t.twin, 3 * p->count * sizeof *p->twin);
    topology_free(&t);
    return !disc;
}

static double rim_width(const struct patch *p)
{
    double widest = 0;
    for (size_t i = 1; i < p->rim; i++)
        widest = fmax(widest, vec_length(vec_sub(p->at[i], p->at[0])));
    return widest;
}

static bool is_flat(const struct patch *p)
{
    struct vec sum = {0}, middle = {0};
    for (size_t i = 0; i < p->rim; i++) {
        sum = vec_add(sum, vec_cross(vec_sub(p->at[i], p->at[0]),
                                     vec_sub(p->at[(i + 1) % p->rim], p->at[0])));
        middle = vec_add(middle, vec_scale(p->at[i], 1.0 / (double)p->rim));
    }
    struct vec n = vec_unit(sum);
    double off = 0;
    for (size_t i = 0; i < p->rim; i++)
        off = fmax(off, fabs(vec_dot(n, vec_sub(p->at[i], middle))));
    return off <= FLAT * rim_width(p);
}

/* Whether lid and surface meet at the rim without much of a turn. */
static bool goes_on(const struct patch *p, const struct lid *lid)
{
    double sum = 0, length = 0;
    for (uint32_t h = 0; h < 3 * p->count; h++) {
        if (p->twin[h] != TWIN_NONE)
            continue;
        uint32_t a = p->triangles[h], b = p->triangles[halfedge_next(h)];
        const uint32_t *t = p->triangles + h / 3 * 3;
        struct vec n = vec_unit(
            vec_cross(vec_sub(p->at[t[1]], p->at[t[0]]), vec_sub(p->at[t[2]], p->at[t[0]])));
        double edge = vec_length(vec_sub(p->at[b], p->at[a]));
        for (size_t r = 0; r < lid->ring_count; r++)
            for (uint32_t g = 3 * lid->ring[r]; g < 3 * lid->ring[r] + 3; g++)
                if (lid->mesh->triangles[g] == lid->loop[b] &&
                    lid->mesh->triangles[halfedge_next(g)] == lid->loop[a]) {
                    sum += edge * vec_dot(n, vec_unit(mesh_normal2(lid->mesh, g / 3)));
                    length += edge;
                }
    }
    return length > 0 && sum > MIN_COS * length;
}

/* As the rim's edges are long; longer where the lid would get too many triangles. */
static void set_scale(struct patch *p)
{
    double area = 0, mean = 0, more = 1;
    for (size_t t = 0; t < p->count; t++) {
        const uint32_t *v = p->triangles + 3 * t;
        area += vec_length(vec_cross(vec_sub(p->at[v[1]], p->at[v[0]]),
                                     vec_sub(p->at[v[2]], p->at[v[0]]))) /
                2;
    }
    for (size_t i = 0; i < p->rim; i++) {
        struct vec before = p->at[(i + p->rim - 1) % p->rim], after = p->at[(i + 1) % p->rim];
        p->scale[i] =
            (vec_length(vec_sub(p->at[i], before)) + vec_length(vec_sub(p->at[i], after))) / 2;
        mean += p->scale[i] / (double)p->rim;
    }
    double wanted = area / (mean * mean + 1e-30);
    if (wanted > 0.6 * LID_INSIDE)
        more = sqrt(wanted / (0.6 * LID_INSIDE));
    for (size_t i = 0; i < p->rim; i++)
        p->scale[i] = fmax(more * p->scale[i], 0.3 * more * mean);
}

static int plate_open(struct plate *s, struct patch *p, const struct lid *lid, struct err *err)
{
    const size_t most = p->vertices + 3 * lid->ring_count, all = p->count + lid->ring_count;
    uint32_t *outer = malloc((3 * lid->ring_count + 1) * sizeof *outer);
    size_t outers = 0;
    s->patch = p;
    s->at = malloc(5 * most * sizeof *s->at);
    s->triangles = malloc(3 * all * sizeof *s->triangles);
    s->cot = malloc((3 * all + 2 * most) * sizeof *s->cot);
    if (!outer || !s->at || !s->triangles || !s->cot) {
        free(outer);
        return FAIL(err, ERR_LIMIT, "no memory to fair a lid of %zu corners", lid->corners);
    }
    s->residual = s->at + most, s->step = s->at + 2 * most;
    s->image = s->at + 3 * most, s->scratch = s->at + 4 * most;
    s->mass = s->cot + 3 * all, s->diagonal = s->mass + most;
    memcpy(s->at, p->at, p->vertices * sizeof *s->at);
    memcpy(s->triangles, p->triangles, 3 * p->count * sizeof *s->triangles);
    for (size_t r = 0; r < lid->ring_count; r++)
        for (size_t c = 0; c < 3; c++) {
            uint32_t v = lid->mesh->triangles[3 * (size_t)lid->ring[r] + c], at;
            if (find_number(lid->loop, p->rim, v, &at)) {
                if (find_number(outer, outers, v, &at)) {
                    s->at[p->vertices + outers] = mesh_point(lid->mesh, v);
                    at = (uint32_t)outers;
                    outer[outers++] = v;
                }
                at += (uint32_t)p->vertices;
            }
            s->triangles[3 * (p->count + r) + c] = at;
        }
    s->count = all;
    s->nodes = p->vertices + outers;
    free(outer);
    return 0;
}

/* Cotangents of the shape in hand, none negative, so that no solution can run away. */
static void weigh(struct plate *s)
{
    memset(s->mass, 0, s->nodes * sizeof *s->mass);
    for (size_t h = 0; h < 3 * s->count; h++) {
        const uint32_t *t = s->triangles + h / 3 * 3;
        size_t c = h % 3;
        struct vec u = vec_sub(s->at[t[(c + 1) % 3]], s->at[t[c]]);
        struct vec v = vec_sub(s->at[t[(c + 2) % 3]], s->at[t[c]]);
        double area2 = vec_length(vec_cross(u, v));
        s->cot[h] = fmin(fmax(vec_dot(u, v) / (area2 + 1e-30), 0.02), 20) / 2;
        s->mass[t[c]] += area2 / 6 + 1e-12 * vec_dot(u, u);
    }
    double *weight = (double *)s->scratch; /* one number a node */
    memset(weight, 0, s->nodes * sizeof *weight);
    memset(s->diagonal, 0, s->nodes * sizeof *s->diagonal);
    for (size_t h = 0; h < 3 * s->count; h++) {
        const uint32_t *t = s->triangles + h / 3 * 3;
        uint32_t i = t[(h + 1) % 3], j = t[(h + 2) % 3];
        weight[i] += s->cot[h];
        weight[j] += s->cot[h];
        s->diagonal[i] += s->bends ? s->cot[h] * s->cot[h] / s->mass[j] : 0;
        s->diagonal[j] += s->bends ? s->cot[h] * s->cot[h] / s->mass[i] : 0;
    }
    for (size_t i = 0; i < s->nodes; i++)
        s->diagonal[i] += s->bends ? weight[i] * weight[i] / s->mass[i] : weight[i];
}

static void laplace(struct vec *out, const struct plate *s, const struct vec *x)
{
    memset(out, 0, s->nodes * sizeof *out);
    for (size_t h = 0; h < 3 * s->count; h++) {
        const uint32_t *t = s->triangles + h / 3 * 3;
        uint32_t i = t[(h + 1) % 3], j = t[(h + 2) % 3];
        struct vec d = vec_scale(vec_sub(x[i], x[j]), s->cot[h]);
        out[i] = vec_add(out[i], d);
        out[j] = vec_sub(out[j], d);
    }
}

/* The gradient of the energy at x; only the patch's inside is free. */
static void apply(struct vec *out, struct plate *s, const struct vec *x)
{
    const size_t known = s->patch->vertices;
    laplace(out, s, x);
    if (s->bends) {
        for (size_t i = 0; i < s->nodes; i++)
            s->scratch[i] = i < known ? vec_scale(out[i], 1 / s->mass[i]) : (struct vec){0};
        laplace(out, s, s->scratch);
    }
    for (size_t i = 0; i < s->nodes; i++)
        if (i < s->patch->rim || i >= known)
            out[i] = (struct vec){0};
}

static double weighted(const struct plate *s)
{
    double sum = 0;
    for (size_t i = s->patch->rim; i < s->patch->vertices; i++)
        sum += vec_dot(s->residual[i], s->residual[i]) / s->diagonal[i];
    return sum;
}

static void solve(struct plate *s)
{
    const size_t from = s->patch->rim, to = s->patch->vertices;
    weigh(s);
    apply(s->residual, s, s->at);
    memset(s->step, 0, s->nodes * sizeof *s->step);
    for (size_t i = from; i < to; i++) {
        s->residual[i] = vec_scale(s->residual[i], -1);
        s->step[i] = vec_scale(s->residual[i], 1 / s->diagonal[i]);
    }
    double now = weighted(s), first = now;
    for (int round = 0; round < ROUNDS && now > 1e-12 * first; round++) {
        apply(s->image, s, s->step);
        double along = 0;
        for (size_t i = from; i < to; i++)
            along += vec_dot(s->step[i], s->image[i]);
        if (!(along > 0))
            break;
        double a = now / along, before = now;
        for (size_t i = from; i < to; i++) {
            s->at[i] = vec_add(s->at[i], vec_scale(s->step[i], a));
            s->residual[i] = vec_sub(s->residual[i], vec_scale(s->image[i], a));
        }
        now = weighted(s);
        for (size_t i = from; i < to; i++)
            s->step[i] = vec_add(vec_scale(s->residual[i], 1 / s->diagonal[i]),
                                 vec_scale(s->step[i], now / before));
    }
}

static double part(struct vec v, int axis)
{
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

/* Nothing far off, no triangle without area. */
static bool is_good(const struct patch *p)
{
    double reach = NEIGHBOURHOOD * rim_width(p);
    for (int axis = 0; axis < 3; axis++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < p->rim; i++) {
            low = fmin(low, part(p->at[i], axis) - reach);
            high = fmax(high, part(p->at[i], axis) + reach);
        }
        for (size_t i = p->rim; i < p->vertices; i++)
            if (!(part(p->at[i], axis) > low && part(p->at[i], axis) < high))
                return false;
    }
    for (size_t t = 0; t < p->count; t++) {
        const uint32_t *v = p->triangles + 3 * t;
        struct vec a = vec_sub(p->at[v[1]], p->at[v[0]]), b = vec_sub(p->at[v[2]], p->at[v[0]]);
        if (vec_length(vec_cross(a, b)) < 1e-4 * (vec_dot(a, a) + vec_dot(b, b)))
            return false;
    }
    return true;
}

static int fair(struct patch *p, const struct lid *lid, struct err *err)
{
    struct plate s = {0};
    int failed = plate_open(&s, p, lid, err);
    for (int pass = 0; !failed && pass < 3; pass++) {
        s.bends = pass > 0; /* the second plate is weighed on the shape of the first */
        solve(&s);
    }
    if (!failed)
        memcpy(p->at, s.at, p->vertices * sizeof *p->at);
    free(s.at);
    free(s.triangles);
    free(s.cot);
    return failed;
}

int patch_make(struct patch *p, const struct lid *lid, struct err *err)
{
    if (lid->plain || lid->corners < MIN_CORNERS || lid->corners > MAX_CORNERS || lid->count == 0)
        return 1;
    int failed = patch_open(p, lid, err);
    if (!failed)
        failed = is_flat(p) || !goes_on(p, lid);
    if (!failed) {
        set_scale(p);
        patch_refine(p);
        failed = p->vertices == p->rim ? 1 : fair(p, lid, err);
    }
    if (!failed)
        failed = !is_good(p);
    if (failed)
        patch_free(p);
    return failed;
}
