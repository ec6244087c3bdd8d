/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marching tetrahedra: each cell is six tetrahedra around its main diagonal. Neighbouring cells
 * split their shared side alike, so the surface is closed and 2-manifold whatever the points say.
 */
#include <stdlib.h>
#include <string.h>

#include "print/repair/rebuild_surface.h"

/* The seven edges that begin at a point, as steps in x, y, z: bit 0, 1, 2. */
#define EDGES 7

static uint8_t state_at(const struct grid *g, size_t i, size_t j, size_t k)
{
    return g->state[(k * g->n[1] + j) * g->n[0] + i];
}

static int room(struct surface *s)
{
    struct mesh *m = s->out;
    if (m->vertex_count < s->vertex_room && m->triangle_count + 12 < s->triangle_room)
        return 0;
    if (m->triangle_count > MESH_MAX_TRIANGLES)
        return FAIL_CODE(s->err, ERR_LIMIT, "mesh_too_large", "the rebuilt mesh is too large");
    size_t v = s->vertex_room + s->vertex_room / 2 + 4096;
    size_t t = s->triangle_room + s->triangle_room / 2 + 8192;
    float *xyz = realloc(m->xyz, 3 * v * sizeof *xyz);
    if (xyz)
        m->xyz = xyz;
    uint32_t *triangles = realloc(m->triangles, 3 * t * sizeof *triangles);
    if (triangles)
        m->triangles = triangles;
    uint64_t *edges = realloc(s->edges, v * sizeof *edges);
    if (edges)
        s->edges = edges;
    uint8_t *halves = realloc(s->halves, t);
    if (halves)
        s->halves = halves;
    if (!xyz || !triangles || !edges || !halves)
        return FAIL(s->err, ERR_LIMIT, "no memory for the rebuilt mesh");
    s->vertex_room = v;
    s->triangle_room = t;
    return 0;
}

/* point is that of the edge's lower end; direction its three step bits. */
static int edge_vertex(struct surface *s, const size_t point[3], int direction, size_t base_layer,
                       uint32_t *vertex)
{
    const struct grid *g = s->grid;
    uint32_t *layer = s->crossing[(point[2] - base_layer) & 1];
    uint32_t *slot = &layer[(point[1] * g->n[0] + point[0]) * EDGES + (size_t)direction - 1];
    if (*slot == UINT32_MAX) {
        if (room(s))
            return -1;
        const size_t *n = s->grid->n;
        size_t number = (point[2] * n[1] + point[1]) * n[0] + point[0];
        *slot = (uint32_t)s->out->vertex_count++;
        s->edges[*slot] = 8 * (uint64_t)number + (uint64_t)direction;
    }
    *vertex = *slot;
    return 0;
}

/* The edge between two corners of the cell (bits: steps from its lowest point). */
static int cell_edge(struct surface *s, const size_t cell[3], int one, int two, uint32_t *vertex)
{
    int low = one & two, direction = one ^ two;
    size_t point[3];
    for (int k = 0; k < 3; k++)
        point[k] = cell[k] + (size_t)(low >> k & 1);
    return edge_vertex(s, point, direction, 0, vertex);
}

static void add_triangle(struct surface *s, uint32_t a, uint32_t b, uint32_t c, uint8_t half)
{
    s->halves[s->out->triangle_count] = half;
    uint32_t *t = s->out->triangles + 3 * s->out->triangle_count++;
    t[0] = a, t[1] = b, t[2] = c;
}

/* in: corners inside, out: corners outside, ordered so that (in.., out..) is a positive
 * permutation of a positive tetrahedron. */
static int cut_tetrahedron(struct surface *s, const size_t cell[3], const int *c, int inside)
{
    uint32_t v[4];
    if (room(s))
        return -1;
    if (inside == 1) {
        for (int i = 0; i < 3; i++)
            if (cell_edge(s, cell, c[0], c[i + 1], &v[i]))
                return -1;
        add_triangle(s, v[0], v[1], v[2], 0);
    } else if (inside == 3) {
        for (int i = 0; i < 3; i++)
            if (cell_edge(s, cell, c[3], c[i], &v[i]))
                return -1;
        add_triangle(s, v[0], v[1], v[2], 0);
    } else {
        if (cell_edge(s, cell, c[0], c[2], &v[0]) || cell_edge(s, cell, c[0], c[3], &v[1]) ||
            cell_edge(s, cell, c[1], c[3], &v[2]) || cell_edge(s, cell, c[1], c[2], &v[3]))
            return -1;
        add_triangle(s, v[0], v[1], v[2], 1);
        add_triangle(s, v[0], v[2], v[3], 0);
    }
    return 0;
}

/* Brings inside corners to the front by an even permutation. */
static void order_corners(int c[4], const bool inside_of[8])
{
    int parity = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j + 1 < 4 - i; j++)
            if (!inside_of[c[j]] && inside_of[c[j + 1]]) {
                int other = c[j];
                c[j] = c[j + 1];
                c[j + 1] = other;
                parity ^= 1;
            }
    /* Two corners on one side of the cut may change places freely. */
    int pair = inside_of[c[1]] ? 0 : 2;
    if (parity) {
        int other = c[pair];
        c[pair] = c[pair + 1];
        c[pair + 1] = other;
    }
}

static int cut_cell(struct surface *s, const size_t cell[3])
{
    /* Paths from corner 0 to corner 7; the odd ones have two corners exchanged to stay positive. */
    static const int tetrahedra[6][4] = {{0, 1, 3, 7}, {0, 2, 7, 3}, {0, 2, 6, 7},
                                         {0, 4, 7, 6}, {0, 4, 5, 7}, {0, 1, 7, 5}};
    bool inside_of[8];
    int total = 0;
    for (int c = 0; c < 8; c++) {
        inside_of[c] = state_at(s->grid, cell[0] + (size_t)(c & 1), cell[1] + (size_t)(c >> 1 & 1),
                                cell[2] + (size_t)(c >> 2)) == GRID_INSIDE;
        total += inside_of[c];
    }
    if (total == 0 || total == 8)
        return 0;
    for (int i = 0; i < 6; i++) {
        int c[4], inside = 0;
        memcpy(c, tetrahedra[i], sizeof c);
        for (int k = 0; k < 4; k++)
            inside += inside_of[c[k]];
        if (inside == 0 || inside == 4)
            continue;
        order_corners(c, inside_of);
        if (cut_tetrahedron(s, cell, c, inside))
            return -1;
    }
    return 0;
}

int grid_surface(struct mesh *out, const struct grid *g, struct err *err)
{
    const size_t slots = g->n[0] * g->n[1] * EDGES;
    struct mesh made = {0};
    struct surface s = {.grid = g, .out = &made, .err = err};
    int failed = 0;
    for (int i = 0; i < 2; i++) {
        s.crossing[i] = malloc(slots * sizeof *s.crossing[i]);
        if (!s.crossing[i])
            failed = FAIL(err, ERR_LIMIT, "no memory for a layer of the grid");
        else
            memset(s.crossing[i], 0xff, slots * sizeof *s.crossing[i]);
    }
    for (size_t k = 0; !failed && k + 1 < g->n[2]; k++) {
        memset(s.crossing[(k + 1) & 1], 0xff, slots * sizeof *s.crossing[0]);
        for (size_t j = 0; !failed && j + 1 < g->n[1]; j++)
            for (size_t i = 0; !failed && i + 1 < g->n[0]; i++)
                failed = cut_cell(&s, (const size_t[3]){i, j, k});
    }
    if (!failed)
        failed = surface_place(&s);
    if (!failed && !(g->thicken > 0))
        failed = surface_split(&s) || surface_sharpen(&s) ? -1 : 0;
    surface_free(&s);
    if (failed)
        mesh_free(&made);
    else
        *out = made;
    return failed;
}
