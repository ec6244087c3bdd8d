/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a mesh 2-manifold without moving what the eye sees: see steps.h. Cutting at singular
 * edges and vertices follows Gueziec et al., Cutting and Stitching (2001); the order around an edge
 * and the new middle vertices, which survive a weld, are ours. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"
#include "print/repair/around.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"

#define MAX_AROUND 64
#define LEAST_NUDGE 0.1

/*
 * Seen along the edge, solid lies clockwise of a forward triangle and counter-clockwise of a
 * backward one: in rising angle each backward one opens a wedge that the next forward one closes.
 */
static void pair_around(uint32_t *twin, const struct mesh *mesh, const uint32_t *halfedges,
                        size_t count)
{
    struct around list[MAX_AROUND];
    uint32_t open[2 * MAX_AROUND];
    size_t depth = 0;
    around_sort(list, mesh, halfedges, count);
    for (size_t i = 0; i < 2 * count; i++) {
        const struct around *one = &list[i % count];
        if (twin[one->halfedge] != TWIN_NONE)
            continue;
        if (!one->forward) {
            if (i < count)
                open[depth++] = one->halfedge;
        } else if (depth) {
            uint32_t other = open[--depth];
            twin[one->halfedge] = other;
            twin[other] = one->halfedge;
        }
    }
}

int mesh_pair_halfedges(uint32_t *twin, const struct mesh *mesh, struct err *err)
{
    struct edge_list edges;
    if (edge_list_build(&edges, mesh, err))
        return -1;
    memset(twin, 0xff, 3 * mesh->triangle_count * sizeof *twin);
    for (size_t e = 0; e < edges.edge_count; e++) {
        const uint32_t *h = edges.halfedges + edges.starts[e];
        size_t count = edges.starts[e + 1] - edges.starts[e];
        if (count == 2 && mesh->triangles[h[0]] != mesh->triangles[h[1]]) {
            twin[h[0]] = h[1];
            twin[h[1]] = h[0];
        } else if (count > 2 && count <= MAX_AROUND) {
            pair_around(twin, mesh, h, count);
        }
    }
    edge_list_free(&edges);
    return 0;
}

/* Towards the inside, for a vertex whose triangles' normals sum to `normal` and whose neighbours
 * lie around `middle`. */
static struct vec nudged(struct vec at, struct vec normal, struct vec middle, double nudge)
{
    struct vec to = vec_unit(normal);
    if (vec_dot(to, to) > 0.5)
        return vec_sub(at, vec_scale(to, nudge));
    return vec_add(at, vec_scale(vec_unit(vec_sub(middle, at)), nudge));
}

struct fan_sum {
    struct vec normal, middle;
    double least; /* height of its triangles above the edges across from the vertex */
    uint32_t corners;
};

/* Of corner h above the edge across from it. */
static double height_of(const struct mesh *mesh, uint32_t h)
{
    struct vec a = mesh_point(mesh, mesh->triangles[halfedge_next(h)]);
    struct vec b = mesh_point(mesh, mesh->triangles[halfedge_prev(h)]);
    return vec_length(mesh_normal2(mesh, h / 3)) / fmax(vec_length(vec_sub(a, b)), 1e-30);
}

/* Moving further than that would turn small triangles over. */
static double within(double nudge, double height)
{
    return fmax(fmin(nudge, 0.25 * height), LEAST_NUDGE * nudge);
}

/* New vertices for all fans of a vertex but the first; fans[h] is the fan's root corner. */
static int double_vertices(struct mesh *mesh, uint32_t *fans, double nudge, size_t *doubled,
                           struct err *err)
{
    const size_t corners = 3 * mesh->triangle_count;
    uint32_t *owner = malloc((mesh->vertex_count + 1) * sizeof *owner);
    uint32_t *number = malloc((corners + 1) * sizeof *number);
    struct fan_sum *sums = NULL;
    int failed = 0;
    size_t count = 0;
    if (!owner || !number) {
        failed = FAIL(err, ERR_LIMIT, "no memory to split vertices");
        goto out;
    }
    memset(owner, 0xff, (mesh->vertex_count + 1) * sizeof *owner);
    for (uint32_t h = 0; h < corners; h++) {
        number[h] = UINT32_MAX;
        if (sets_find(fans, h) != h)
            continue;
        if (owner[mesh->triangles[h]] == UINT32_MAX)
            owner[mesh->triangles[h]] = h;
        else
            number[h] = (uint32_t)(count++);
    }
    *doubled += count;
    if (count == 0)
        goto out;
    sums = calloc(count, sizeof *sums);
    failed = sums ? mesh_grow(mesh, count, 0, err) : FAIL(err, ERR_LIMIT, "no memory for fans");
    if (failed)
        goto out;
    for (uint32_t h = 0; h < corners; h++) {
        uint32_t n = number[sets_find(fans, h)];
        if (n == UINT32_MAX)
            continue;
        sums[n].normal = vec_add(sums[n].normal, mesh_normal2(mesh, h / 3));
        sums[n].middle =
            vec_add(sums[n].middle, mesh_point(mesh, mesh->triangles[halfedge_next(h)]));
        double height = height_of(mesh, h);
        sums[n].least = sums[n].corners++ ? fmin(sums[n].least, height) : height;
    }
    for (uint32_t h = 0; h < corners; h++) {
        uint32_t n = number[h];
        if (n == UINT32_MAX)
            continue;
        struct vec middle = vec_scale(sums[n].middle, 1.0 / sums[n].corners);
        /* Different lengths, so that fans of equal normals part too. */
        mesh_point_set(mesh, (uint32_t)(mesh->vertex_count + n),
                       nudged(mesh_point(mesh, mesh->triangles[h]), sums[n].normal, middle,
                              within(nudge, sums[n].least) * (1 + 0.37 * (n % 5))));
    }
    for (uint32_t h = 0; h < corners; h++) {
        uint32_t n = number[sets_find(fans, h)];
        if (n != UINT32_MAX)
            number[h] = n;
    }
    for (uint32_t h = 0; h < corners; h++)
        if (number[h] != UINT32_MAX)
            mesh->triangles[h] = (uint32_t)(mesh->vertex_count + number[h]);
    mesh->vertex_count += count;
out:
    free(owner);
    free(number);
    free(sums);
    return failed;
}

static void cut_triangle(struct mesh *mesh, uint32_t h, uint32_t middle)
{
    uint32_t *t = mesh->triangles;
    uint32_t *made = t + 3 * mesh->triangle_count++;
    made[0] = middle;
    made[1] = t[halfedge_next(h)];
    made[2] = t[halfedge_prev(h)];
    t[halfedge_next(h)] = middle;
}

/* A vertex in the middle of h's edge for h's triangle and its partner's (or h alone). */
static void cut_pair(struct mesh *mesh, uint32_t h, uint32_t partner, double nudge)
{
    uint32_t middle = (uint32_t)mesh->vertex_count;
    struct vec a = mesh_point(mesh, mesh->triangles[h]);
    struct vec b = mesh_point(mesh, mesh->triangles[halfedge_next(h)]);
    struct vec normal = vec_unit(mesh_normal2(mesh, h / 3));
    struct vec inside = mesh_point(mesh, mesh->triangles[halfedge_prev(h)]);
    double least = height_of(mesh, halfedge_prev(h));
    if (partner != TWIN_NONE) {
        normal = vec_add(normal, vec_unit(mesh_normal2(mesh, partner / 3)));
        struct vec other = mesh_point(mesh, mesh->triangles[halfedge_prev(partner)]);
        inside = vec_scale(vec_add(inside, other), 0.5);
        least = fmin(least, height_of(mesh, halfedge_prev(partner)));
    }
    /* Two normals that nearly cancel out say nothing. */
    if (vec_length(normal) < 1e-3)
        normal = (struct vec){0};
    struct vec at = vec_scale(vec_add(a, b), 0.5);
    mesh_point_set(mesh, middle, nudged(at, normal, inside, within(nudge, least)));
    mesh->vertex_count++;
    cut_triangle(mesh, h, middle);
    if (partner != TWIN_NONE)
        cut_triangle(mesh, partner, middle);
}

/* One round: each triangle is cut at most once, since cutting renumbers its halfedges. */
static int cut_edges(struct mesh *mesh, const uint32_t *twin, double nudge, size_t *cut,
                     struct err *err)
{
    struct edge_list edges;
    const size_t triangles = mesh->triangle_count;
    size_t extra = 0, before = *cut;
    if (edge_list_build(&edges, mesh, err))
        return -1;
    for (size_t e = 0; e < edges.edge_count; e++)
        if (edges.starts[e + 1] - edges.starts[e] > 2)
            extra += edges.starts[e + 1] - edges.starts[e];
    uint8_t *touched = calloc(triangles + 1, 1);
    int failed = touched ? mesh_grow(mesh, extra, 2 * extra, err)
                         : FAIL(err, ERR_LIMIT, "no memory to cut edges");
    for (size_t e = 0; e < edges.edge_count && !failed && extra; e++) {
        uint32_t first = edges.starts[e], end = edges.starts[e + 1];
        for (uint32_t i = first; i < end && end - first > 2; i++) {
            uint32_t h = edges.halfedges[i], partner = twin[h];
            if (touched[h / 3] || (partner != TWIN_NONE && (partner < h || touched[partner / 3])))
                continue;
            touched[h / 3] = 1;
            if (partner != TWIN_NONE)
                touched[partner / 3] = 1;
            cut_pair(mesh, h, partner, nudge * (1 + 0.29 * (i - first)));
            (*cut)++;
        }
    }
    free(touched);
    edge_list_free(&edges);
    return failed ? -1 : *cut > before;
}

static int double_round(struct mesh *mesh, uint32_t *twin, double nudge, size_t *doubled,
                        struct err *err)
{
    const size_t corners = 3 * mesh->triangle_count;
    if (mesh_pair_halfedges(twin, mesh, err))
        return -1;
    uint32_t *fans = malloc((corners + 1) * sizeof *fans);
    if (!fans)
        return FAIL(err, ERR_LIMIT, "no memory for the fans of %zu corners", corners);
    for (uint32_t h = 0; h < corners; h++)
        fans[h] = h;
    for (uint32_t h = 0; h < corners; h++) {
        if (twin[h] == TWIN_NONE)
            continue;
        sets_join(fans, h, halfedge_next(twin[h]));
    }
    int failed = double_vertices(mesh, fans, nudge, doubled, err);
    free(fans);
    return failed;
}

int mesh_split_nonmanifold(struct mesh *mesh, double nudge, size_t *edges, size_t *vertices,
                           struct err *err)
{
    int more = 1;
    *edges = *vertices = 0;
    for (int round = 0; round < 6 && more == 1; round++) {
        uint32_t *twin = malloc((3 * mesh->triangle_count + 1) * sizeof *twin);
        if (!twin)
            return FAIL(err, ERR_LIMIT, "no memory to pair %zu triangles", mesh->triangle_count);
        more = double_round(mesh, twin, nudge, vertices, err);
        if (!more)
            more = cut_edges(mesh, twin, nudge, edges, err);
        free(twin);
    }
    return more < 0 ? -1 : 0;
}
