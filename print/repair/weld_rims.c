/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closing seams: charts whose borders miss one another by a little are no open sheets. Corners of
 * rims are joined, and where one lies on the edge of another chart that edge is led through it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/measure/sets.h"
#include "print/measure/topology.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"

#define TRIES 3 /* of one tolerance, without what spoilt the one before */
#define MANY_CLOSED                                                                                \
    200          /* edges; or three quarters of all: a few corners joined in a heap of sheets      \
                    are luck, and made one that took a second take minutes */
#define PASSES 3 /* a triangle is led through corners on one of its sides at a time */

static const double tolerances[] = {1e-6, 1e-5, 5e-5, 1e-4, 2e-4}; /* of the size */

/* Open edges and their corners, with the edges in a hashed grid of cells about as long as they. */
struct rims {
    const struct mesh *mesh;
    uint32_t *edges; /* halfedges */
    size_t edge_count;
    uint32_t *corners;
    size_t corner_count;
    uint8_t *is_corner;     /* per vertex */
    size_t many;            /* edges with three triangles or more */
    uint32_t *heads;        /* per bucket: an entry, UINT32_MAX none */
    uint32_t (*entries)[2]; /* edge (or corner) and the next entry */
    size_t entry_count, entry_room, mask;
    double cell, reach, from_ends; /* from_ends: of landings */
};

/* Corner v lies on halfedge `edge`, at a share of its length. */
struct landing {
    uint32_t edge, v;
    double share;
};

static void rims_free(struct rims *r)
{
    free(r->edges);
    free(r->corners);
    free(r->is_corner);
    free(r->heads);
    free(r->entries);
    *r = (struct rims){0};
}

static void list_rims(struct rims *r, const struct topology *t)
{
    const struct mesh *mesh = r->mesh;
    for (uint32_t h = 0; h < 3 * mesh->triangle_count; h++) {
        if (t->twin[h] != TWIN_NONE)
            continue;
        r->edges[r->edge_count++] = h;
        r->is_corner[mesh->triangles[h]] = r->is_corner[mesh->triangles[halfedge_next(h)]] = 1;
    }
    for (uint32_t v = 0; v < mesh->vertex_count; v++)
        if (r->is_corner[v])
            r->corners[r->corner_count++] = v;
    r->many = t->nonmanifold_edges;
}

static int rims_open(struct rims *r, const struct mesh *mesh, struct err *err)
{
    struct topology t;
    *r = (struct rims){.mesh = mesh};
    if (topology_build(&t, mesh, err))
        return -1;
    r->edges = malloc((t.boundary_edges + 1) * sizeof *r->edges);
    r->corners = malloc((2 * t.boundary_edges + 1) * sizeof *r->corners);
    r->is_corner = calloc(mesh->vertex_count + 1, 1);
    bool room = r->edges && r->corners && r->is_corner;
    if (room)
        list_rims(r, &t);
    topology_free(&t);
    if (room)
        return 0;
    rims_free(r);
    return FAIL(err, ERR_LIMIT, "no memory for open edges");
}

static struct vec place(const struct mesh *mesh, uint32_t v)
{
    const float *p = mesh->xyz + 3 * (size_t)v;
    return (struct vec){p[0], p[1], p[2]};
}

static size_t bucket(const struct rims *r, int64_t x, int64_t y, int64_t z)
{
    uint64_t h = (uint64_t)x * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 29) + (uint64_t)y * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 31) + (uint64_t)z * 0x94d049bb133111ebu;
    h = (h ^ h >> 30) * 0xd6e8feb86659fd93u;
    return (size_t)(h ^ h >> 32) & r->mask;
}

static int put(struct rims *r, uint32_t edge, size_t at)
{
    if (r->heads[at] != UINT32_MAX && r->entries[r->heads[at]][0] == edge)
        return 0;
    if (r->entry_count == r->entry_room) {
        size_t room = 2 * r->entry_room + 64;
        void *grown = realloc(r->entries, room * sizeof *r->entries);
        if (!grown)
            return -1;
        r->entries = grown;
        r->entry_room = room;
    }
    r->entries[r->entry_count][0] = edge;
    r->entries[r->entry_count][1] = r->heads[at];
    r->heads[at] = (uint32_t)r->entry_count++;
    return 0;
}

/* Into all cells within reach of the segment. */
static int put_segment(struct rims *r, uint32_t edge, struct vec a, struct vec b)
{
    int64_t low[3], high[3];
    const double from[3] = {a.x, a.y, a.z}, to[3] = {b.x, b.y, b.z};
    for (int k = 0; k < 3; k++) {
        low[k] = (int64_t)floor((fmin(from[k], to[k]) - r->reach) / r->cell);
        high[k] = (int64_t)floor((fmax(from[k], to[k]) + r->reach) / r->cell);
    }
    for (int64_t x = low[0]; x <= high[0]; x++)
        for (int64_t y = low[1]; y <= high[1]; y++)
            for (int64_t z = low[2]; z <= high[2]; z++)
                if (put(r, edge, bucket(r, x, y, z)))
                    return -1;
    return 0;
}

static int put_edge(struct rims *r, uint32_t h)
{
    struct vec a = place(r->mesh, r->mesh->triangles[h]);
    struct vec b = place(r->mesh, r->mesh->triangles[halfedge_next(h)]);
    struct vec way = vec_sub(b, a);
    double pieces = floor(vec_length(way) / r->cell) + 1;
    for (double i = 0; i < pieces; i++)
        if (put_segment(r, h, vec_add(a, vec_scale(way, i / pieces)),
                        vec_add(a, vec_scale(way, (i + 1) / pieces))))
            return -1;
    return 0;
}

/* Edges, or corners as edges without length, where they can be found. */
static int rims_sort(struct rims *r, double reach, bool corners)
{
    double length = 0;
    size_t count = corners ? r->corner_count : r->edge_count, room = 64;
    for (size_t i = 0; i < r->edge_count && !corners; i++)
        length +=
            vec_length(vec_sub(place(r->mesh, r->mesh->triangles[r->edges[i]]),
                               place(r->mesh, r->mesh->triangles[halfedge_next(r->edges[i])])));
    r->cell = fmax(4 * reach, length / (double)(count + 1));
    r->reach = reach;
    while (room < 4 * count)
        room *= 2;
    free(r->heads);
    r->entry_count = 0;
    r->mask = room - 1;
    r->heads = malloc(room * sizeof *r->heads);
    if (!r->heads || !(r->cell > 0))
        return -1;
    memset(r->heads, 0xff, room * sizeof *r->heads);
    for (size_t i = 0; i < count; i++) {
        struct vec at = corners ? place(r->mesh, r->corners[i]) : (struct vec){0};
        if (corners ? put_segment(r, r->corners[i], at, at) : put_edge(r, r->edges[i]))
            return -1;
    }
    return 0;
}

static uint32_t found_near(const struct rims *r, struct vec p)
{
    return r->heads[bucket(r, (int64_t)floor(p.x / r->cell), (int64_t)floor(p.y / r->cell),
                           (int64_t)floor(p.z / r->cell))];
}

/* The edge of another chart that v lies on, between its ends. */
static bool find_landing(struct landing *out, const struct rims *r, uint32_t v)
{
    const uint32_t *corner = r->mesh->triangles;
    struct vec p = place(r->mesh, v);
    double nearest = r->reach;
    out->v = v;
    out->edge = UINT32_MAX;
    for (uint32_t i = found_near(r, p); i != UINT32_MAX; i = r->entries[i][1]) {
        uint32_t h = r->entries[i][0];
        uint32_t a = corner[h], b = corner[halfedge_next(h)];
        if (v == a || v == b || v == corner[halfedge_prev(h)])
            continue;
        struct vec from = place(r->mesh, a), way = vec_sub(place(r->mesh, b), from);
        struct vec off = vec_sub(p, from);
        double length2 = vec_dot(way, way), share = vec_dot(off, way) / length2;
        double away = vec_length(vec_sub(off, vec_scale(way, share)));
        bool between = fmin(share, 1 - share) * sqrt(length2) > r->from_ends;
        if (!(share > 0 && share < 1 && between && away <= nearest) ||
            (away == nearest && out->edge < h))
            continue;
        nearest = away;
        out->edge = h;
        out->share = share;
    }
    return out->edge != UINT32_MAX;
}

static int by_edge_and_share(const void *a, const void *b)
{
    const struct landing *p = a, *q = b;
    if (p->edge != q->edge)
        return p->edge < q->edge ? -1 : 1;
    if (p->share != q->share)
        return p->share < q->share ? -1 : 1;
    return (p->v > q->v) - (p->v < q->v);
}

/* The triangle becomes a fan around the corner across from the edge. */
static void lead_edge(struct mesh *mesh, const struct landing *landings, size_t count)
{
    uint32_t *own = mesh->triangles + 3 * (size_t)(landings->edge / 3);
    uint32_t k = landings->edge % 3, end = own[(k + 1) % 3], across = own[(k + 2) % 3];
    own[(k + 1) % 3] = landings[0].v;
    for (size_t i = 0; i < count; i++) {
        uint32_t *t = mesh->triangles + 3 * mesh->triangle_count++;
        t[0] = landings[i].v;
        t[1] = i + 1 < count ? landings[i + 1].v : end;
        t[2] = across;
    }
}

/* One side of each triangle; the landings are sorted. Returns how many were used. */
static size_t lead_edges(struct mesh *mesh, const struct landing *landings, size_t count)
{
    uint32_t last = UINT32_MAX;
    size_t used = 0;
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && landings[next].edge == landings[i].edge; next++)
            ;
        if (landings[i].edge / 3 == last)
            continue;
        last = landings[i].edge / 3;
        lead_edge(mesh, landings + i, next - i);
        used += next - i;
    }
    return used;
}

/* Leads edges through the corners on them; *changed: how many. */
static int zip(struct mesh *mesh, const struct rims *of, const uint8_t *banned, size_t *changed,
               struct err *err)
{
    struct rims r;
    struct landing *landings = NULL;
    size_t count = 0;
    if (rims_open(&r, mesh, err))
        return -1;
    r.from_ends = of->from_ends;
    int failed = rims_sort(&r, of->reach, false);
    if (!failed)
        landings = malloc((r.corner_count + 1) * sizeof *landings);
    for (size_t i = 0; landings && i < r.corner_count; i++)
        count += !banned[r.corners[i]] && find_landing(&landings[count], &r, r.corners[i]);
    rims_free(&r);
    if (!landings)
        return FAIL(err, ERR_LIMIT, "no memory to close seams");
    qsort(landings, count, sizeof *landings, by_edge_and_share);
    failed = mesh_grow(mesh, 0, count, err);
    *changed = failed ? 0 : lead_edges(mesh, landings, count);
    free(landings);
    return failed;
}

/* banned: those with an edge too short for this reach, which joining would make vanish. */
static void ban_short(uint8_t *banned, const struct rims *r)
{
    const uint32_t *corner = r->mesh->triangles;
    for (uint32_t h = 0; h < 3 * r->mesh->triangle_count; h++) {
        uint32_t a = corner[h], b = corner[halfedge_next(h)];
        if (r->is_corner[a] && r->is_corner[b] &&
            vec_length(vec_sub(place(r->mesh, a), place(r->mesh, b))) <= r->reach)
            banned[a] = banned[b] = 1;
    }
}

/* Joins corners within reach; up: of all vertices. Returns how many went. */
static size_t join_corners(uint32_t *up, const struct rims *r, const uint8_t *banned)
{
    size_t joined = 0;
    for (size_t i = 0; i < r->corner_count; i++) {
        uint32_t v = r->corners[i];
        struct vec p = place(r->mesh, v);
        for (uint32_t e = found_near(r, p); !banned[v] && e != UINT32_MAX; e = r->entries[e][1]) {
            uint32_t w = r->entries[e][0];
            if (w <= v || banned[w] || vec_length(vec_sub(place(r->mesh, w), p)) > r->reach ||
                sets_find(up, v) == sets_find(up, w))
                continue;
            sets_join(up, v, w);
            joined++;
        }
    }
    return joined;
}

/* One tolerance on a copy: what came of it. */
struct trial {
    struct mesh mesh;
    uint32_t *up; /* per vertex */
    size_t joined, led;
};

static int join(struct trial *t, const struct rims *r, uint8_t *banned, struct err *err)
{
    const struct mesh *mesh = r->mesh;
    if (mesh_copy(&t->mesh, mesh, err))
        return -1;
    for (uint32_t v = 0; v < mesh->vertex_count; v++)
        t->up[v] = v;
    ban_short(banned, r);
    t->joined = join_corners(t->up, r, banned);
    for (size_t h = 0; t->joined && h < 3 * mesh->triangle_count; h++)
        t->mesh.triangles[h] = sets_find(t->up, mesh->triangles[h]);
    mesh_drop_degenerate(&t->mesh);
    size_t changed = 1;
    for (int i = 0; i < PASSES && changed; i++) {
        if (zip(&t->mesh, r, banned, &changed, err))
            return -1;
        mesh_drop_degenerate(&t->mesh);
        t->led += changed;
    }
    return 0;
}

/* Bans what hangs on edges with three triangles or more; how many edges are open and how many such
 * there are. */
static int judge(struct trial *t, const struct rims *r, uint8_t *banned, size_t *open, size_t *many,
                 struct err *err)
{
    struct topology found;
    if (topology_build(&found, &t->mesh, err))
        return -1;
    *open = found.boundary_edges;
    *many = found.nonmanifold_edges;
    uint8_t *bad = calloc(t->mesh.vertex_count + 1, 1);
    for (uint32_t h = 0; bad && *many > r->many && h < 3 * t->mesh.triangle_count; h++)
        if (found.twin[h] == TWIN_MANY)
            bad[t->mesh.triangles[h]] = bad[t->mesh.triangles[halfedge_next(h)]] = 1;
    for (size_t i = 0; bad && i < r->corner_count; i++)
        banned[r->corners[i]] |= bad[sets_find(t->up, r->corners[i])];
    topology_free(&found);
    int failed = bad ? 0 : FAIL(err, ERR_LIMIT, "no memory to close seams");
    free(bad);
    return failed;
}

/* 1 where mesh was replaced by something with fewer open edges. */
static int weld_rims_at(struct mesh *mesh, const struct rims *r, size_t *merged, struct err *err)
{
    struct trial t = {.up = malloc((mesh->vertex_count + 1) * sizeof *t.up)};
    uint8_t *banned = calloc(mesh->vertex_count + 1, 1);
    int state = t.up && banned ? 0 : FAIL(err, ERR_LIMIT, "no memory to close seams");
    for (int i = 0; i < TRIES && !state; i++) {
        size_t open, many;
        mesh_free(&t.mesh);
        t.joined = t.led = 0;
        if (join(&t, r, banned, err))
            state = -1;
        if (state || t.joined + t.led == 0)
            break;
        if (judge(&t, r, banned, &open, &many, err))
            state = -1;
        else if (many <= r->many)
            i = TRIES, state = open < r->edge_count;
    }
    if (state == 1) {
        struct mesh other = *mesh;
        *mesh = t.mesh;
        t.mesh = other;
        *merged += t.joined + t.led;
    }
    mesh_free(&t.mesh);
    free(t.up);
    free(banned);
    return state;
}

/* All tolerances, the least first; how many edges were open before and are now. */
static int weld_all(struct mesh *mesh, double size_mm, size_t *merged, size_t *before,
                    size_t *after, struct err *err)
{
    const size_t count = sizeof tolerances / sizeof *tolerances;
    int changed = 0;
    for (size_t i = 0; i <= count && changed >= 0; i++) {
        struct rims r;
        if (rims_open(&r, mesh, err))
            return -1;
        *after = r.edge_count;
        *before = i ? *before : *after;
        if (i < count && r.edge_count) {
            /* What lies nearer to an end may be joined with it in the end. */
            r.from_ends = size_mm * tolerances[count - 1];
            if (rims_sort(&r, tolerances[i] * size_mm, true))
                changed = FAIL(err, ERR_LIMIT, "no memory to close seams");
            else
                changed = weld_rims_at(mesh, &r, merged, err);
        }
        rims_free(&r);
        if (*after == 0)
            break;
    }
    return changed < 0 ? -1 : 0;
}

int mesh_weld_rims(struct mesh *mesh, double size_mm, size_t *merged, struct err *err)
{
    struct mesh trial;
    size_t before = 0, after = 0;
    *merged = 0;
    if (mesh_copy(&trial, mesh, err))
        return -1;
    int failed = weld_all(&trial, size_mm, merged, &before, &after, err);
    if (!failed && *merged && (4 * after <= before || before - after >= MANY_CLOSED)) {
        struct mesh other = *mesh;
        *mesh = trial;
        trial = other;
        failed = mesh_compact(mesh, err);
    } else {
        *merged = 0;
    }
    mesh_free(&trial);
    return failed;
}
