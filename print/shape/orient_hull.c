/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The convex hull of a part: on its faces it can stand, even where it has no flat side itself, as a
 * bowl does upside down. Between such faces it rocks, so that a search by small turns misses them.
 *
 * The hull of the furthest vertices in 500 directions, each added to what there is; then whatever
 * vertex still sticks out of one of its large faces is added too, so that those faces are exact.
 *
 * Parts are full of vertices in one plane, of which no rounded arithmetic can say whether one sees
 * the other's face. Each is therefore shaken by a millionth of the size, always the same way.
 */
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/shape/orient_parts.h"

#define ROUNDS 4     /* of adding what sticks out of the large faces */
#define SHAKE 1e-6   /* of the size */
#define SLACK 1e-11  /* the same: far more than rounding, far less than the shaking */
#define BOXES 32     /* along each side */
#define FINE_DEG 0.5 /* faces that differ by less are one side */

struct face {
    uint32_t corner[3];
    struct vec normal; /* length 1, outwards */
    double at;         /* along the normal */
};

struct hull {
    const struct mesh *mesh;
    double low[3];
    uint32_t *starts, *order; /* vertices by boxes */
    struct face *faces;
    uint32_t (*rim)[2]; /* edges of the faces that a new point sees */
    uint32_t *vertices; /* that it is of, or was asked about */
    size_t count, room, rim_room, vertex_count, vertex_room;
    double size;
};

static double shaken(float at, uint32_t salt, double by)
{
    uint32_t bits;
    memcpy(&bits, &at, sizeof bits);
    bits = (bits ^ salt) * 2654435761u;
    bits = (bits ^ bits >> 15) * 2246822519u;
    return at + by * ((double)(bits ^ bits >> 13) / UINT32_MAX - 0.5);
}

static struct vec point_of(const struct hull *h, uint32_t vertex)
{
    const float *p = h->mesh->xyz + 3 * (size_t)vertex;
    uint32_t x, y;
    memcpy(&x, p, sizeof x);
    memcpy(&y, p + 1, sizeof y);
    double by = SHAKE * h->size;
    return (struct vec){shaken(p[0], 3 * y, by), shaken(p[1], 5 * x, by),
                        shaken(p[2], x ^ 7 * y, by)};
}

static struct face face_of(const struct hull *h, uint32_t a, uint32_t b, uint32_t c)
{
    struct vec p = point_of(h, a), u = vec_sub(point_of(h, b), p);
    struct vec n = vec_unit(vec_cross(u, vec_sub(point_of(h, c), p)));
    return (struct face){{a, b, c}, n, vec_dot(n, p)};
}

static double above(const struct face *face, struct vec p)
{
    return vec_dot(face->normal, p) - face->at;
}

static int make_room(void **list, size_t *room, size_t count, size_t bytes, struct err *err)
{
    if (count <= *room)
        return 0;
    void *more = realloc(*list, 2 * count * bytes);
    if (!more)
        return FAIL(err, ERR_LIMIT, "no memory for a convex hull");
    *list = more;
    *room = 2 * count;
    return 0;
}

/* Takes away the faces that see p and leaves all their edges in the rim. */
static int take_away(struct hull *h, struct vec p, size_t *rim, struct err *err)
{
    size_t kept = 0;
    *rim = 0;
    for (size_t i = 0; i < h->count; i++) {
        struct face face = h->faces[i];
        if (above(&face, p) <= SLACK * h->size) {
            h->faces[kept++] = face;
            continue;
        }
        if (make_room((void **)&h->rim, &h->rim_room, *rim + 3, sizeof *h->rim, err))
            return -1;
        for (int c = 0; c < 3; c++, ++*rim) {
            h->rim[*rim][0] = face.corner[c];
            h->rim[*rim][1] = face.corner[(c + 1) % 3];
        }
    }
    h->count = kept;
    return 0;
}

/* Joins a vertex with the edges that belong to one face only of those it sees. */
static int join(struct hull *h, uint32_t vertex, struct err *err)
{
    size_t rim;
    if (take_away(h, point_of(h, vertex), &rim, err) ||
        make_room((void **)&h->faces, &h->room, h->count + rim, sizeof *h->faces, err))
        return -1;
    for (size_t i = 0; i < rim; i++) {
        bool inner = false;
        for (size_t k = 0; k < rim && !inner; k++)
            inner = h->rim[k][0] == h->rim[i][1] && h->rim[k][1] == h->rim[i][0];
        if (!inner)
            h->faces[h->count++] = face_of(h, h->rim[i][0], h->rim[i][1], vertex);
    }
    return 0;
}

/* A closed hull has twice as many faces as vertices: one that grew beyond is left as it is. */
static int hull_add(struct hull *h, uint32_t vertex, struct err *err)
{
    for (size_t i = 0; i < h->vertex_count; i++)
        if (h->vertices[i] == vertex)
            return 0;
    if (make_room((void **)&h->vertices, &h->vertex_room, h->vertex_count + 1, sizeof *h->vertices,
                  err))
        return -1;
    h->vertices[h->vertex_count++] = vertex;
    return h->count <= 2 * h->vertex_count + 8 ? join(h, vertex, err) : 0;
}

static size_t box_of(const struct hull *h, const float *p)
{
    size_t box = 0;
    for (int k = 0; k < 3; k++) {
        double at = (p[k] - h->low[k]) / h->size * BOXES;
        size_t i = at > 0 ? (size_t)at : 0;
        box = box * BOXES + (i < BOXES ? i : BOXES - 1);
    }
    return box;
}

/* Lists the vertices by the boxes that they lie in: one look tells that a box is too near. */
static int put_in_boxes(struct hull *h, struct err *err)
{
    const struct mesh *mesh = h->mesh;
    double high[3];
    h->starts = calloc(BOXES * BOXES * BOXES + 2, sizeof *h->starts);
    h->order = malloc((mesh->vertex_count + 1) * sizeof *h->order);
    if (!h->starts || !h->order)
        return FAIL(err, ERR_LIMIT, "no memory for a convex hull");
    mesh_bounds(mesh, h->low, high);
    for (size_t v = 0; v < mesh->vertex_count; v++)
        h->starts[box_of(h, mesh->xyz + 3 * v) + 2]++;
    for (size_t i = 2; i < BOXES * BOXES * BOXES + 2; i++)
        h->starts[i] += h->starts[i - 1];
    for (size_t v = 0; v < mesh->vertex_count; v++)
        h->order[h->starts[box_of(h, mesh->xyz + 3 * v) + 1]++] = (uint32_t)v;
    return 0;
}

static uint32_t furthest(const struct hull *h, struct vec way)
{
    uint32_t best = 0;
    double most = -INFINITY, side = h->size / BOXES;
    double reach = 0.5001 * side * (fabs(way.x) + fabs(way.y) + fabs(way.z));
    for (size_t i = 0; i < BOXES * BOXES * BOXES; i++) {
        if (h->starts[i] == h->starts[i + 1])
            continue;
        struct vec middle = {h->low[0] + ((double)(i / BOXES / BOXES) + 0.5) * side,
                             h->low[1] + ((double)(i / BOXES % BOXES) + 0.5) * side,
                             h->low[2] + ((double)(i % BOXES) + 0.5) * side};
        if (vec_dot(middle, way) + reach <= most)
            continue;
        for (uint32_t v = h->starts[i]; v < h->starts[i + 1]; v++) {
            double at = vec_dot(mesh_point(h->mesh, h->order[v]), way);
            if (at > most)
                most = at, best = h->order[v];
        }
    }
    return best;
}

/* A tetrahedron of four of the vertices; 1 when they all lie in a plane. */
static int begin(struct hull *h, const uint32_t *extreme, size_t count, struct err *err)
{
    uint32_t corner[4] = {extreme[0], extreme[0], extreme[0], extreme[0]};
    for (int c = 1; c < 4; c++) { /* furthest from the point, the line, the plane so far */
        double most = 10 * SHAKE * h->size;
        struct vec a = point_of(h, corner[0]), u = vec_unit(vec_sub(point_of(h, corner[1]), a));
        struct vec n = vec_unit(vec_cross(u, vec_sub(point_of(h, corner[2]), a)));
        for (size_t i = 0; i < count; i++) {
            struct vec p = vec_sub(point_of(h, extreme[i]), a);
            double far = c == 1   ? vec_length(p)
                         : c == 2 ? vec_length(vec_cross(u, p))
                                  : fabs(vec_dot(n, p));
            if (far > most)
                most = far, corner[c] = extreme[i];
        }
        if (corner[c] == corner[0])
            return 1;
    }
    struct face base = face_of(h, corner[0], corner[1], corner[2]);
    if (above(&base, point_of(h, corner[3])) > 0) {
        uint32_t swap = corner[1];
        corner[1] = corner[2], corner[2] = swap;
    }
    if (make_room((void **)&h->faces, &h->room, 4, sizeof *h->faces, err) ||
        make_room((void **)&h->vertices, &h->vertex_room, 4, sizeof *h->vertices, err))
        return -1;
    memcpy(h->vertices, corner, sizeof corner);
    h->vertex_count = 4;
    h->faces[h->count++] = face_of(h, corner[0], corner[1], corner[2]);
    for (int c = 0; c < 3; c++)
        h->faces[h->count++] = face_of(h, corner[(c + 1) % 3], corner[c], corner[3]);
    return 0;
}

/* The large faces, as sides of a mesh. */
static int large_faces(struct vec *sides, size_t most, const struct hull *h, struct err *err)
{
    struct mesh faces = {.xyz = h->mesh->xyz, .vertex_count = h->mesh->vertex_count};
    faces.triangles = malloc((3 * h->count + 1) * sizeof *faces.triangles);
    if (!faces.triangles)
        return FAIL(err, ERR_LIMIT, "no memory for a convex hull");
    for (size_t i = 0; i < h->count; i++)
        memcpy(faces.triangles + 3 * i, h->faces[i].corner, sizeof h->faces[i].corner);
    faces.triangle_count = h->count;
    int result = flat_sides(sides, most, &faces, FINE_DEG, err);
    free(faces.triangles);
    return result;
}

/* Adds what sticks out of the large faces, until nothing does. */
static int make_exact(struct vec *sides, size_t most, struct hull *h, struct err *err)
{
    uint32_t *out = malloc((most + 1) * sizeof *out);
    int result = out ? 0 : FAIL(err, ERR_LIMIT, "no memory for a convex hull");
    size_t before = 0;
    for (int round = 0; round < ROUNDS && result == 0 && before < h->vertex_count; round++) {
        before = h->vertex_count;
        result = large_faces(sides, most, h, err);
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t i = 0; i < most; i++)
            out[i] = furthest(h, sides[i]);
        for (size_t i = 0; i < most && result == 0; i++)
            result = hull_add(h, out[i], err);
    }
    free(out);
    return result;
}

int hull_sides(struct vec *sides, size_t most, const struct mesh *mesh, const struct vec *ways,
               size_t way_count, struct err *err)
{
    struct hull h = {.mesh = mesh, .size = longest_side(mesh)};
    uint32_t *extreme = malloc((way_count + 1) * sizeof *extreme);
    int result = -1, flat;
    for (size_t i = 0; i < most; i++)
        sides[i] = (struct vec){0, 0, -1};
    if (!extreme) {
        FAIL(err, ERR_LIMIT, "no memory for a convex hull");
        goto out;
    }
    if (put_in_boxes(&h, err))
        goto out;
#pragma omp parallel for schedule(dynamic, 8)
    for (size_t i = 0; i < way_count; i++)
        extreme[i] = furthest(&h, ways[i]);
    flat = begin(&h, extreme, way_count, err);
    if (flat) {
        result = flat > 0 ? 0 : -1;
        goto out;
    }
    for (size_t i = 0; i < way_count; i++)
        if (hull_add(&h, extreme[i], err))
            goto out;
    result = make_exact(sides, most, &h, err);
out:
    free(extreme);
    free(h.starts);
    free(h.order);
    free(h.faces);
    free(h.rim);
    free(h.vertices);
    return result;
}
