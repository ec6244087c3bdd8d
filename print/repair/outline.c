/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells by disjoint sets of triangle sides, labels by winding numbers just off the surface. */
#include "print/repair/outline.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"
#include "print/measure/topology.h"
#include "print/repair/around.h"
#include "print/repair/weld.h"

#define PROBES 24 /* sides of a cell whose winding number is asked for */
#define SURE 4    /* as many are enough where all are as sure of the same */
#define SURELY 0.05
/* Below the lid of a flat dish it is 0.6, in half a ball 0.8: those are sheets, seen from both
 * sides. */
#define BEYOND_DOUBT 0.85

/* A facet is one of the triangles that lie on one another; side 2f is its front, 2f + 1 its back.
 */
struct cells {
    struct mesh facets; /* borrows the mesh's xyz */
    uint32_t *triangle; /* per facet: which one of the mesh */
    uint32_t *side;     /* per side: least side of its cell, then the number of the cell */
    uint32_t *by_cell;  /* sides, cell after cell */
    uint32_t *starts;   /* cell c: by_cell[starts[c] .. starts[c + 1]) */
    uint8_t *doubtful;  /* per cell: a proposed lid closes it */
    uint8_t *solid;     /* per cell */
    size_t count;
};

/* Where as many face either way the winding number does not change; but they may part what would
 * run together through a gap elsewhere. */
static int take_facets(struct cells *c, uint8_t *fate, const struct mesh *mesh, struct err *err)
{
    const size_t n = mesh->triangle_count;
    int32_t *net = malloc((n + 1) * sizeof *net);
    c->facets = (struct mesh){.xyz = mesh->xyz, .vertex_count = mesh->vertex_count};
    c->facets.triangles = malloc((3 * n + 1) * sizeof *c->facets.triangles);
    c->triangle = malloc((n + 1) * sizeof *c->triangle);
    if (!net || !c->facets.triangles || !c->triangle || mesh_count_sides(net, mesh, err)) {
        free(net);
        return FAIL(err, ERR_LIMIT, "no memory for the facets of %zu triangles", n);
    }
    for (uint32_t t = 0; t < n; t++) {
        fate[t] = net[t] == MESH_COPY ? OUTLINE_COPY : OUTLINE_LOOSE;
        if (net[t] == MESH_COPY)
            continue;
        memcpy(c->facets.triangles + 3 * c->facets.triangle_count, mesh->triangles + 3 * (size_t)t,
               3 * sizeof(uint32_t));
        c->triangle[c->facets.triangle_count++] = t;
    }
    free(net);
    return 0;
}

static uint32_t rising_side(const struct around *a)
{
    return 2 * (a->halfedge / 3) + !a->forward;
}

static uint32_t falling_side(const struct around *a)
{
    return 2 * (a->halfedge / 3) + a->forward;
}

static bool any_apart(const struct cells *c, const uint8_t *apart, const struct edge_list *edges,
                      size_t e)
{
    for (uint32_t i = edges->starts[e]; apart && i < edges->starts[e + 1]; i++)
        if (apart[c->triangle[edges->halfedges[i] / 3]])
            return true;
    return false;
}

static int join_sides(struct cells *c, const uint8_t *apart, struct err *err)
{
    struct edge_list edges;
    if (edge_list_build(&edges, &c->facets, err))
        return -1;
    size_t most = 0;
    for (size_t e = 0; e < edges.edge_count; e++)
        most = edges.starts[e + 1] - edges.starts[e] > most ? edges.starts[e + 1] - edges.starts[e]
                                                            : most;
    struct around *list = malloc((most + 1) * sizeof *list);
    c->side = malloc((2 * c->facets.triangle_count + 1) * sizeof *c->side);
    if (!list || !c->side) {
        free(list);
        edge_list_free(&edges);
        return FAIL(err, ERR_LIMIT, "no memory for cells");
    }
    for (uint32_t s = 0; s < 2 * c->facets.triangle_count; s++)
        c->side[s] = s;
    for (size_t e = 0; e < edges.edge_count; e++) {
        size_t count = edges.starts[e + 1] - edges.starts[e];
        if (any_apart(c, apart, &edges, e))
            continue;
        around_sort(list, &c->facets, edges.halfedges + edges.starts[e], count);
        for (size_t i = 0; i < count; i++)
            sets_join(c->side, rising_side(&list[i]), falling_side(&list[(i + 1) % count]));
    }
    free(list);
    edge_list_free(&edges);
    return 0;
}

static int number_cells(struct cells *c, const uint8_t *kind, struct err *err)
{
    const size_t sides = 2 * c->facets.triangle_count;
    for (uint32_t s = 0; s < sides; s++)
        c->side[s] = sets_find(c->side, s);
    for (uint32_t s = 0; s < sides; s++)
        c->side[s] = c->side[s] == s ? (uint32_t)c->count++ : c->side[c->side[s]];
    c->by_cell = malloc((sides + 1) * sizeof *c->by_cell);
    c->starts = calloc(c->count + 2, sizeof *c->starts);
    c->solid = calloc(c->count + 1, 1);
    c->doubtful = calloc(c->count + 1, 1);
    if (!c->by_cell || !c->starts || !c->solid || !c->doubtful)
        return FAIL(err, ERR_LIMIT, "no memory for %zu cells", c->count);
    for (size_t s = 0; s < sides; s++)
        c->starts[c->side[s] + 2]++;
    for (size_t i = 0; i < c->count; i++)
        c->starts[i + 2] += c->starts[i + 1];
    for (uint32_t s = 0; s < sides; s++)
        c->by_cell[c->starts[c->side[s] + 1]++] = s;
    for (size_t s = 0; s < sides && kind; s++)
        if (kind[c->triangle[s / 2]] == SOLID_LID)
            c->doubtful[c->side[s]] = 1;
    return 0;
}

struct probe {
    double area;
    uint32_t side;
};

/* The largest sides of a cell, by falling area, kept in a short sorted list. */
static size_t choose_probes(struct probe *out, const struct cells *c, size_t cell)
{
    size_t count = 0;
    for (uint32_t i = c->starts[cell]; i < c->starts[cell + 1]; i++) {
        struct probe p = {vec_length(mesh_normal2(&c->facets, c->by_cell[i] / 2)), c->by_cell[i]};
        if (count == PROBES && p.area <= out[count - 1].area)
            continue;
        size_t at = count < PROBES ? count++ : count - 1;
        for (; at > 0 && out[at - 1].area < p.area; at--)
            out[at] = out[at - 1];
        out[at] = p;
    }
    return count;
}

/* Just off the middle of the side: nearer than a thousandth of the triangle's own size. */
static double winding_beside(const struct cells *c, uint32_t side, const struct bvh *winding)
{
    const struct mesh *m = &c->facets;
    struct vec n = mesh_normal2(m, side / 2), p = {0};
    double area2 = vec_length(n);
    for (int k = 0; k < 3; k++)
        p = vec_add(p, vec_scale(mesh_corner(m, side / 2, k), 1.0 / 3));
    double off = (side & 1 ? -1e-3 : 1e-3) * sqrt(area2);
    struct vec at = vec_add(p, vec_scale(vec_unit(n), off));
    return bvh_winding(winding, at);
}

static bool is_solid(const struct cells *c, size_t cell, const struct bvh *winding)
{
    struct probe probes[PROBES];
    size_t count = choose_probes(probes, c, cell);
    double sum = 0, area = 0;
    size_t in = 0, out = 0;
    for (size_t i = 0; i < count && in < SURE && out < SURE; i++) {
        double w = winding_beside(c, probes[i].side, winding);
        sum += probes[i].area * (w < 0 ? 0 : w > 1 ? 1 : w);
        area += probes[i].area;
        in = in == i && w > 1 - SURELY ? in + 1 : 0;
        out = out == i && w < SURELY ? out + 1 : 0;
    }
    return area > 0 && sum >= (c->doubtful[cell] ? BEYOND_DOUBT : 0.5) * area;
}

static void judge_facets(uint8_t *fate, struct mesh *mesh, const struct cells *c)
{
    for (size_t f = 0; f < c->facets.triangle_count; f++) {
        bool front = c->solid[c->side[2 * f]], back = c->solid[c->side[2 * f + 1]];
        uint32_t *t = mesh->triangles + 3 * (size_t)c->triangle[f];
        uint8_t *is = &fate[c->triangle[f]];
        if (front == back) {
            *is = front ? OUTLINE_INNER : OUTLINE_LOOSE;
            continue;
        }
        *is = front ? OUTLINE_TURNED : OUTLINE_KEPT;
        if (front) {
            uint32_t other = t[1];
            t[1] = t[2];
            t[2] = other;
        }
    }
}

int mesh_outline(uint8_t *fate, struct mesh *mesh, const uint8_t *kind, const uint8_t *apart,
                 const struct bvh *winding, struct err *err)
{
    struct cells c = {0};
    int failed = take_facets(&c, fate, mesh, err) || join_sides(&c, apart, err) ||
                 number_cells(&c, kind, err);
    if (!failed) {
#pragma omp parallel for schedule(dynamic, 4)
        for (size_t i = 0; i < c.count; i++)
            c.solid[i] = is_solid(&c, i, winding);
        judge_facets(fate, mesh, &c);
    }
    free(c.facets.triangles);
    free(c.triangle);
    free(c.side);
    free(c.by_cell);
    free(c.starts);
    free(c.solid);
    free(c.doubtful);
    return failed ? -1 : 0;
}
