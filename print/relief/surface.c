/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The surface of a figure and its stand: one field over both, cut into cubes. The cube table is
 * worked out from one rule at start, so that neighbours always agree and the result is manifold. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/relief/relief_parts.h"

#define FILLET_MM 1.6

/* --- The table: for each pattern of corners inside, closed loops over the cube's 12 edges. ------
 * Corner c lies at x = c & 1, y = c >> 1 & 1, z = c >> 2. Edge e runs along axis e / 4.          */

struct cube_case {
    uint8_t loops, length[4];
    int8_t fan[4]; /* the loop vertex to fan from, or -1: from a new vertex in the middle */
    uint8_t edge[4][12];
};

struct cube_table {
    uint8_t corner[12][2];
    uint8_t faces_of[12]; /* bit f: the edge lies on face f */
    struct cube_case cases[256];
};

/* Corners of each face, counter-clockwise seen from outside. */
static const uint8_t face_corner[6][4] = {{0, 4, 6, 2}, {1, 3, 7, 5}, {0, 1, 5, 4},
                                          {2, 6, 7, 3}, {0, 2, 3, 1}, {4, 5, 7, 6}};

static int edge_between(const struct cube_table *table, int a, int b)
{
    for (int e = 0; e < 12; e++)
        if ((table->corner[e][0] == a && table->corner[e][1] == b) ||
            (table->corner[e][0] == b && table->corner[e][1] == a))
            return e;
    return -1;
}

/* On each face, each run of inside corners is cut off by one segment, from the edge where the walk
 * round the face enters the run to the one where it leaves: both cubes at a face see the same. */
static void segments_make(int next[12], const struct cube_table *table, int pattern)
{
    for (int f = 0; f < 6; f++)
        for (int k = 0; k < 4; k++) {
            const uint8_t *c = face_corner[f];
            if (!(pattern >> c[k] & 1) || pattern >> c[(k + 1) % 4] & 1)
                continue;
            int enter = k;
            while (pattern >> c[(enter + 3) % 4] & 1)
                enter = (enter + 3) % 4;
            next[edge_between(table, c[enter], c[(enter + 3) % 4])] =
                edge_between(table, c[k], c[(k + 1) % 4]);
        }
}

/* A diagonal within a face could be drawn by the neighbour too, and four triangles would meet. */
static int8_t fan_choose(const struct cube_table *table, const uint8_t *edge, int length)
{
    for (int from = 0; from < length; from++) {
        int shared = 0;
        for (int k = 2; k + 1 < length; k++)
            shared |= table->faces_of[edge[from]] & table->faces_of[edge[(from + k) % length]];
        if (!shared)
            return (int8_t)from;
    }
    return -1;
}

static void case_make(struct cube_table *table, int pattern)
{
    struct cube_case *made = &table->cases[pattern];
    int next[12];
    for (int e = 0; e < 12; e++)
        next[e] = -1;
    segments_make(next, table, pattern);
    for (int e = 0; e < 12; e++) {
        if (next[e] < 0)
            continue;
        uint8_t *loop = made->edge[made->loops], length = 0;
        for (int at = e; next[at] >= 0;) {
            loop[length++] = (uint8_t)at;
            int to = next[at];
            next[at] = -1;
            at = to;
        }
        made->length[made->loops] = length;
        made->fan[made->loops] = fan_choose(table, loop, length);
        made->loops++;
    }
}

static void table_make(struct cube_table *table)
{
    memset(table, 0, sizeof *table);
    for (int e = 0; e < 12; e++) {
        int axis = e / 4, low = e % 4, bit = 1 << axis;
        /* The two other axes, lower first, spell the edge's place. */
        int a = axis == 0 ? 2 : 1, b = axis == 2 ? 2 : 4;
        int corner = (low & 1 ? a : 0) | (low & 2 ? b : 0);
        table->corner[e][0] = (uint8_t)corner;
        table->corner[e][1] = (uint8_t)(corner | bit);
    }
    for (int f = 0; f < 6; f++)
        for (int k = 0; k < 4; k++)
            table->faces_of[edge_between(table, face_corner[f][k], face_corner[f][(k + 1) % 4])] |=
                (uint8_t)(1 << f);
    for (int pattern = 0; pattern < 256; pattern++)
        case_make(table, pattern);
}

/* --- The field ---------------------------------------------------------------------------------*/

static double join_smoothly(double a, double b, double reach)
{
    double h = fmax(reach - fabs(a - b), 0) / reach;
    return fmax(a, b) + h * h * reach / 4;
}

static double figure_at(const struct relief_body *body, size_t at, double y)
{
    double u = body->half[at], depth = y < 0 ? -y : y / body->back;
    if (body->steep[at] < 0)
        return -sqrt(u * u + y * y);
    if (y < 0 && u > 0 && body->detail[at] != 0) {
        /* The shading moves the front only, from nothing at the seam to all at the skin; detail is
         * at most a quarter of the depth, so depth stays monotone and the surface single. */
        double t = fmin(1, fmax(0, (depth / sqrt(u) - 0.1) / 0.6));
        depth -= body->detail[at] * t * t * (3 - 2 * t);
    }
    return (u - depth * depth) / sqrt(body->steep[at] + 4 * depth * depth + 0.04);
}

static double stand_at(const struct relief_stand *stand, double x, double y, double z)
{
    double px = (x - stand->centre_x) / stand->radius_x, py = y / stand->radius_y;
    double far = sqrt(px * px + py * py);
    double ax = px / stand->radius_x, ay = py / stand->radius_y;
    double slope = sqrt(ax * ax + ay * ay);
    double side = slope > 1e-9 ? far * (1 - far) / slope : fmin(stand->radius_x, stand->radius_y);
    return -join_smoothly(-side, z - stand->top, FILLET_MM); /* both, with a rounded rim */
}

static double field_at(const struct relief_body *body, int i, int k, double y)
{
    const struct relief_grid *grid = &body->grid;
    double z = body->base_z + k * grid->step_mm;
    double value = figure_at(body, (size_t)k * grid->nx + i, y);
    if (z < body->stand.top + 2 * FILLET_MM && body->stand.top > 0)
        value = join_smoothly(value, stand_at(&body->stand, i * grid->step_mm, y, z), FILLET_MM);
    return fmin(value, z);
}

/* --- Walking the slices --------------------------------------------------------------------------
 */

struct surface {
    const struct relief_body *body;
    struct cube_table table;
    float *slice[2];    /* field on the near and the far slice */
    uint32_t *edges[5]; /* vertex on x and z edges of the near slice, of the far, on y edges */
    double y[2];
    struct mesh *mesh; /* grows */
    size_t vertex_room, triangle_room;
};

static int vertex_add(uint32_t *index, struct surface *s, const float p[3], struct err *err)
{
    struct mesh *m = s->mesh;
    if (m->vertex_count == s->vertex_room) {
        size_t room = s->vertex_room * 2 + 65536;
        float *grown = realloc(m->xyz, room * 3 * sizeof *grown);
        if (!grown)
            return FAIL(err, ERR_LIMIT, "no memory for the figure's surface");
        m->xyz = grown;
        s->vertex_room = room;
    }
    memcpy(m->xyz + 3 * m->vertex_count, p, 3 * sizeof *p);
    *index = (uint32_t)m->vertex_count++;
    return 0;
}

static int triangle_add(struct surface *s, uint32_t a, uint32_t b, uint32_t c, struct err *err)
{
    struct mesh *m = s->mesh;
    if (m->triangle_count == s->triangle_room) {
        size_t room = s->triangle_room * 2 + 131072;
        if (room > 2 * MESH_MAX_TRIANGLES)
            return FAIL_CODE(err, ERR_LIMIT, "mesh_too_large", "the figure has too many triangles");
        uint32_t *grown = realloc(m->triangles, room * 3 * sizeof *grown);
        if (!grown)
            return FAIL(err, ERR_LIMIT, "no memory for the figure's surface");
        m->triangles = grown;
        s->triangle_room = room;
    }
    memcpy(m->triangles + 3 * m->triangle_count++, (uint32_t[3]){a, b, c}, 3 * sizeof a);
    return 0;
}

/* A vertex where the field changes sign between two points; never quite at an end, so that no two
 * vertices of a cube ever fall together. */
static int crossing_add(uint32_t *index, struct surface *s, const double a[3], const double b[3],
                        float at_a, float at_b, struct err *err)
{
    double t = fmin(0.97, fmax(0.03, at_a / (at_a - at_b)));
    float p[3];
    for (int c = 0; c < 3; c++)
        p[c] = (float)(a[c] + t * (b[c] - a[c]));
    return vertex_add(index, s, p, err);
}

/* Evaluates the far slice and makes the vertices on it and on the edges up to it. */
static int slice_make(struct surface *s, bool with_depth, struct err *err)
{
    const struct relief_body *body = s->body;
    int nx = body->grid.nx, nz = body->grid.nz;
    double step = body->grid.step_mm;
    float *near = s->slice[0], *far = s->slice[1];
#pragma omp parallel for schedule(static) if (nz * nx > 100000)
    for (int k = 0; k < nz; k++)
        for (int i = 0; i < nx; i++)
            far[(size_t)k * nx + i] = (float)field_at(body, i, k, s->y[1]);
    for (int k = 0; k < nz; k++)
        for (int i = 0; i < nx; i++) {
            size_t at = (size_t)k * nx + i;
            bool in = far[at] > 0;
            double p[3] = {i * step, s->y[1], body->base_z + k * step};
            double x[3] = {p[0] + step, p[1], p[2]}, z[3] = {p[0], p[1], p[2] + step};
            double y[3] = {p[0], s->y[0], p[2]};
            if (i + 1 < nx && in != (far[at + 1] > 0) &&
                crossing_add(&s->edges[2][at], s, p, x, far[at], far[at + 1], err))
                return -1;
            if (k + 1 < nz && in != (far[at + nx] > 0) &&
                crossing_add(&s->edges[3][at], s, p, z, far[at], far[at + nx], err))
                return -1;
            if (with_depth && in != (near[at] > 0) &&
                crossing_add(&s->edges[4][at], s, y, p, near[at], far[at], err))
                return -1;
        }
    return 0;
}

/* The vertex on edge e of the cube whose lowest corner is grid point at. */
static uint32_t cube_vertex(const struct surface *s, size_t at, int e)
{
    size_t nx = (size_t)s->body->grid.nx;
    int low = s->table.corner[e][0], far = low >> 1 & 1;
    size_t point = at + (low & 1) + (low & 4 ? nx : 0);
    switch (e / 4) {
    case 0:
        return s->edges[far ? 2 : 0][point];
    case 1:
        return s->edges[4][point];
    default:
        return s->edges[far ? 3 : 1][point];
    }
}

static int loop_fill(struct surface *s, const uint32_t *v, int length, int fan, struct err *err)
{
    if (fan >= 0) {
        for (int k = 1; k + 1 < length; k++)
            if (triangle_add(s, v[fan], v[(fan + k) % length], v[(fan + k + 1) % length], err))
                return -1;
        return 0;
    }
    float middle[3] = {0};
    uint32_t centre;
    for (int k = 0; k < length; k++)
        for (int c = 0; c < 3; c++)
            middle[c] += s->mesh->xyz[3 * v[k] + c] / (float)length;
    if (vertex_add(&centre, s, middle, err))
        return -1;
    for (int k = 0; k < length; k++)
        if (triangle_add(s, centre, v[k], v[(k + 1) % length], err))
            return -1;
    return 0;
}

static int slab_fill(struct surface *s, struct err *err)
{
    int nx = s->body->grid.nx, nz = s->body->grid.nz;
    for (int k = 0; k + 1 < nz; k++)
        for (int i = 0; i + 1 < nx; i++) {
            size_t at = (size_t)k * nx + i;
            int pattern = 0;
            for (int c = 0; c < 8; c++) {
                size_t point = at + (c & 1) + (c & 4 ? (size_t)nx : 0);
                pattern |= (s->slice[c >> 1 & 1][point] > 0) << c;
            }
            const struct cube_case *found = &s->table.cases[pattern];
            for (int l = 0; l < found->loops; l++) {
                uint32_t v[12];
                for (int e = 0; e < found->length[l]; e++)
                    v[e] = cube_vertex(s, at, found->edge[l][e]);
                if (loop_fill(s, v, found->length[l], found->fan[l], err))
                    return -1;
            }
        }
    return 0;
}

static void slices_turn(struct surface *s)
{
    float *slice = s->slice[0];
    s->slice[0] = s->slice[1];
    s->slice[1] = slice;
    for (int k = 0; k < 2; k++) {
        uint32_t *edges = s->edges[k];
        s->edges[k] = s->edges[k + 2];
        s->edges[k + 2] = edges;
    }
    s->y[0] = s->y[1];
}

static int slices_walk(struct surface *s, struct err *err)
{
    const struct relief_body *body = s->body;
    double step = body->grid.step_mm, front = body->deepest * 1.3;
    double back = fmax(body->deepest * body->back, body->stand.top > 0 ? body->stand.radius_y : 0);
    front = fmax(front, body->stand.top > 0 ? body->stand.radius_y : 0);
    /* Half a step off the seam, where front and back meet with a different slope. */
    int first = -(int)ceil(front / step) - 3, last = (int)ceil(back / step) + 3;
    for (int j = first; j <= last; j++) {
        s->y[1] = (j + 0.5) * step;
        if (slice_make(s, j > first, err) || (j > first && slab_fill(s, err)))
            return -1;
        slices_turn(s);
    }
    return 0;
}

static uint32_t root_of(uint32_t *parent, uint32_t v)
{
    while (parent[v] != v)
        v = parent[v] = parent[parent[v]];
    return v;
}

/* Keeps the shell with most triangles: a pocket between feet and stand would be a hollow. */
static int largest_shell_keep(struct mesh *m, struct err *err)
{
    uint32_t *parent = malloc((m->vertex_count + 1) * 2 * sizeof *parent), best = 0;
    if (!parent)
        return FAIL(err, ERR_LIMIT, "no memory for the figure's surface");
    uint32_t *count = parent + m->vertex_count;
    for (size_t i = 0; i < m->vertex_count; i++) {
        parent[i] = (uint32_t)i;
        count[i] = 0;
    }
    for (size_t t = 0; t < 3 * m->triangle_count; t += 3)
        for (int k = 1; k < 3; k++)
            parent[root_of(parent, m->triangles[t + k])] = root_of(parent, m->triangles[t]);
    for (size_t t = 0; t < m->triangle_count; t++)
        count[root_of(parent, m->triangles[3 * t])]++;
    for (size_t i = 1; i < m->vertex_count; i++)
        best = count[i] > count[best] ? (uint32_t)i : best;
    size_t kept = 0, vertices = 0;
    for (size_t t = 0; t < m->triangle_count; t++)
        if (root_of(parent, m->triangles[3 * t]) == best)
            memmove(m->triangles + 3 * kept++, m->triangles + 3 * t, 3 * sizeof *m->triangles);
    for (size_t i = 0; i < m->vertex_count; i++)
        parent[i] = root_of(parent, (uint32_t)i);
    for (size_t i = 0; i < m->vertex_count; i++)
        if (parent[i] == best) {
            memmove(m->xyz + 3 * vertices, m->xyz + 3 * i, 3 * sizeof *m->xyz);
            count[i] = (uint32_t)vertices++;
        }
    for (size_t t = 0; t < 3 * kept; t++)
        m->triangles[t] = count[m->triangles[t]];
    m->triangle_count = kept;
    m->vertex_count = vertices;
    free(parent);
    return 0;
}

int relief_surface(struct mesh *out, const struct relief_body *body, struct err *err)
{
    size_t n = (size_t)body->grid.nx * body->grid.nz;
    struct surface *s = calloc(1, sizeof *s);
    float *slices = malloc(2 * n * sizeof *slices);
    uint32_t *edges = malloc(5 * n * sizeof *edges);
    int result = -1;
    if (!s || !slices || !edges) {
        FAIL(err, ERR_LIMIT, "no memory for the figure's surface");
        goto out;
    }
    s->body = body;
    s->mesh = out;
    for (int k = 0; k < 2; k++)
        s->slice[k] = slices + n * (size_t)k;
    for (int k = 0; k < 5; k++)
        s->edges[k] = edges + n * (size_t)k;
    table_make(&s->table);
    result = slices_walk(s, err);
    if (!result)
        result = largest_shell_keep(out, err);
out:
    if (result)
        mesh_free(out);
    free(s);
    free(slices);
    free(edges);
    return result;
}
