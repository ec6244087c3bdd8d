/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A triangulation inside one triangle: finding places, putting points in, turning edges. */
#include "print/repair/arrange_parts.h"

#include <stdlib.h>
#include <string.h>

/* Makes room for one more; the arrays double. */
static int grow(void **items, int count, int *room, size_t size)
{
    if (count < *room)
        return 0;
    int wanted = *room ? 2 * *room : 32;
    void *grown = realloc(*items, (size_t)wanted * size);
    if (!grown)
        return -1;
    *items = grown;
    *room = wanted;
    return 0;
}

struct sketch_point *sketch_slot(struct sketch *s)
{
    int room = s->point_room;
    if (grow((void **)&s->points, s->point_count, &s->point_room, sizeof *s->points))
        return NULL;
    if (s->point_room != room) {
        void *grown = realloc(s->face_of, (size_t)s->point_room * sizeof *s->face_of);
        if (!grown) {
            s->point_room = room;
            return NULL;
        }
        s->face_of = grown;
    }
    return &s->points[s->point_count];
}

int sketch_todo(struct sketch *s, int32_t a, int32_t b)
{
    if (grow((void **)&s->todo, s->todo_count, &s->todo_room, sizeof *s->todo))
        return -1;
    s->todo[s->todo_count][0] = a;
    s->todo[s->todo_count++][1] = b;
    return 0;
}

int sketch_add_line(struct sketch *s, const struct plane *line)
{
    if (grow((void **)&s->lines, s->line_count, &s->line_room, sizeof *s->lines))
        return -1;
    s->lines[s->line_count] = *line;
    return s->line_count++;
}

void sketch_free(struct sketch *s)
{
    free(s->points);
    free(s->face_of);
    free(s->faces);
    free(s->lines);
    free(s->todo);
    *s = (struct sketch){0};
}

int sketch_corner(const struct sketch_face *face, int32_t point)
{
    return face->corner[0] == point ? 0 : face->corner[1] == point ? 1 : 2;
}

int32_t sketch_around(const struct sketch *s, int32_t face, int32_t at, bool left)
{
    const struct sketch_face *f = &s->faces[face];
    int i = sketch_corner(f, at);
    return f->across[left ? (i + 2) % 3 : i];
}

bool sketch_find_edge(const struct sketch *s, int32_t a, int32_t b, int32_t *face, int *edge)
{
    int32_t start = s->face_of[a];
    for (int way = 0; way < 2; way++)
        for (int32_t f = start; f >= 0;) {
            int i = sketch_corner(&s->faces[f], a);
            if (s->faces[f].corner[(i + 1) % 3] == b) {
                *face = f;
                *edge = i;
                return true;
            }
            f = sketch_around(s, f, a, way == 0);
            if (f == start)
                return false;
        }
    return false;
}

/* Face n, if any, has `from` across one of its edges: now it has `to` there. */
static void relink(struct sketch *s, int32_t n, int32_t from, int32_t to)
{
    for (int i = 0; n >= 0 && i < 3; i++)
        if (s->faces[n].across[i] == from) {
            s->faces[n].across[i] = to;
            return;
        }
}

/* An edge's far side and line, carried over to another face. */
struct rim {
    int32_t across, line;
};

static struct rim rim_of(const struct sketch *s, int32_t face, int edge)
{
    return (struct rim){s->faces[face].across[edge], s->faces[face].line[edge]};
}

static void set_face(struct sketch *s, int32_t f, const int32_t corner[3], struct rim ab,
                     struct rim bc, struct rim ca)
{
    s->faces[f] = (struct sketch_face){{corner[0], corner[1], corner[2]},
                                       {ab.across, bc.across, ca.across},
                                       {ab.line, bc.line, ca.line}};
    for (int i = 0; i < 3; i++)
        s->face_of[corner[i]] = f;
}

static int32_t new_face(struct sketch *s)
{
    if (grow((void **)&s->faces, s->face_count, &s->face_room, sizeof *s->faces))
        return -1;
    if (++s->face_count % FACES_STEP == 0 &&
        __atomic_add_fetch(s->spent, FACES_STEP, __ATOMIC_RELAXED) > FACES_MAX)
        return -1;
    return s->face_count - 1;
}

static int split_face(struct sketch *s, int32_t f, int32_t p)
{
    int32_t g = new_face(s), h = new_face(s);
    if (g < 0 || h < 0)
        return -1;
    const int32_t a = s->faces[f].corner[0], b = s->faces[f].corner[1], c = s->faces[f].corner[2];
    struct rim ab = rim_of(s, f, 0), bc = rim_of(s, f, 1), ca = rim_of(s, f, 2);
    relink(s, bc.across, f, g);
    relink(s, ca.across, f, h);
    set_face(s, f, (int32_t[]){a, b, p}, ab, (struct rim){g, -1}, (struct rim){h, -1});
    set_face(s, g, (int32_t[]){b, c, p}, bc, (struct rim){h, -1}, (struct rim){f, -1});
    set_face(s, h, (int32_t[]){c, a, p}, ca, (struct rim){f, -1}, (struct rim){g, -1});
    return sketch_todo(s, f, p) || sketch_todo(s, g, p) || sketch_todo(s, h, p) ? -1 : 0;
}

/* Face f loses the half of its edge beyond p to the new face n; `other` and `far` are what lies
 * across the near and the far half. */
static void halve_face(struct sketch *s, int32_t f, int edge, int32_t n, int32_t p, int32_t other,
                       int32_t far)
{
    const int32_t a = s->faces[f].corner[edge], b = s->faces[f].corner[(edge + 1) % 3];
    const int32_t c = s->faces[f].corner[(edge + 2) % 3], line = s->faces[f].line[edge];
    struct rim bc = rim_of(s, f, (edge + 1) % 3), ca = rim_of(s, f, (edge + 2) % 3);
    relink(s, bc.across, f, n);
    set_face(s, n, (int32_t[]){p, b, c}, (struct rim){far, line}, bc, (struct rim){f, -1});
    set_face(s, f, (int32_t[]){a, p, c}, (struct rim){other, line}, (struct rim){n, -1}, ca);
}

int sketch_split_edge(struct sketch *s, int32_t face, int edge, int32_t p)
{
    int32_t g = s->faces[face].across[edge], n = new_face(s), m = g < 0 ? -1 : new_face(s);
    if (n < 0 || (g >= 0 && m < 0))
        return -1;
    int back = g < 0 ? 0 : sketch_corner(&s->faces[g], s->faces[face].corner[(edge + 1) % 3]);
    /* The near half of face's edge is the far half of g's: g keeps the part at its own first
     * corner, which is face's second. */
    halve_face(s, face, edge, n, p, m, g);
    if (g >= 0)
        halve_face(s, g, back, m, p, n, face);
    if (sketch_todo(s, face, p) || sketch_todo(s, n, p))
        return -1;
    return g >= 0 && (sketch_todo(s, g, p) || sketch_todo(s, m, p)) ? -1 : 0;
}

bool sketch_convex(const struct sketch *s, int32_t face, int edge)
{
    const struct sketch_face *f = &s->faces[face], *g = &s->faces[f->across[edge]];
    int32_t a = f->corner[edge], b = f->corner[(edge + 1) % 3], c = f->corner[(edge + 2) % 3];
    int32_t d = g->corner[(sketch_corner(g, b) + 2) % 3];
    return sketch_turn(s, c, a, d) > 0 && sketch_turn(s, d, b, c) > 0;
}

void sketch_flip(struct sketch *s, int32_t f, int edge)
{
    int32_t g = s->faces[f].across[edge];
    int32_t a = s->faces[f].corner[edge], b = s->faces[f].corner[(edge + 1) % 3];
    int32_t c = s->faces[f].corner[(edge + 2) % 3];
    int back = sketch_corner(&s->faces[g], b);
    int32_t d = s->faces[g].corner[(back + 2) % 3];
    struct rim bc = rim_of(s, f, (edge + 1) % 3), ca = rim_of(s, f, (edge + 2) % 3);
    struct rim ad = rim_of(s, g, (back + 1) % 3), db = rim_of(s, g, (back + 2) % 3);
    relink(s, ad.across, g, f);
    relink(s, bc.across, f, g);
    set_face(s, f, (int32_t[]){c, a, d}, ca, ad, (struct rim){g, -1});
    set_face(s, g, (int32_t[]){d, b, c}, db, bc, (struct rim){f, -1});
}

/* The face that holds point p, strictly or on its rim; on[i] says on which edges. Walks towards it,
 * and looks at every face should the walk go round in circles. */
static int32_t locate(const struct sketch *s, int32_t p, bool on[3])
{
    int32_t f = s->face_count - 1;
    for (int steps = 0, scan = -1; scan < s->face_count; steps++) {
        bool inside = true;
        for (int j = 0; j < 3; j++) {
            int i = (j + steps) % 3;
            const struct sketch_face *face = &s->faces[f];
            int turn = sketch_turn(s, face->corner[i], face->corner[(i + 1) % 3], p);
            on[i] = turn == 0;
            if (turn >= 0)
                continue;
            inside = false;
            if (scan >= 0 || face->across[i] < 0)
                break;
            f = face->across[i];
            break;
        }
        if (inside)
            return f;
        if (scan >= 0 || steps > 2 * s->face_count + 8)
            f = ++scan;
    }
    return -1;
}

/* Is d inside the circle through a, b, c that turn left? On the rounded points. */
static int in_circle(const struct sketch *s, int32_t a, int32_t b, int32_t c, int32_t d)
{
    const int32_t from[3] = {a, b, c}, *o = s->points[d].rounded;
    int64_t x[3], y[3], r[3];
    for (int i = 0; i < 3; i++) {
        const int32_t *p = s->points[from[i]].rounded;
        x[i] = (int64_t)p[s->axis[0]] - o[s->axis[0]];
        y[i] = (int64_t)p[s->axis[1]] - o[s->axis[1]];
        r[i] = x[i] * x[i] + y[i] * y[i];
    }
    int128 det = (int128)(x[0] * y[1] - y[0] * x[1]) * r[2] +
                 (int128)(x[1] * y[2] - y[1] * x[2]) * r[0] +
                 (int128)(x[2] * y[0] - y[2] * x[0]) * r[1];
    return (det > 0) - (det < 0);
}

static bool before(const struct sketch *s, int32_t a, int32_t b)
{
    const int32_t *p = s->points[a].rounded, *q = s->points[b].rounded;
    for (int k = 0; k < 3; k++)
        if (p[k] != q[k])
            return p[k] < q[k];
    return false;
}

/* Should the edge be turned? Of four points on a circle the least one gets the diagonal. */
static bool should_flip(const struct sketch *s, int32_t face, int edge)
{
    const struct sketch_face *f = &s->faces[face];
    if (f->line[edge] >= 0 || f->across[edge] < 0)
        return false;
    const struct sketch_face *g = &s->faces[f->across[edge]];
    int32_t a = f->corner[edge], b = f->corner[(edge + 1) % 3], c = f->corner[(edge + 2) % 3];
    int32_t d = g->corner[(sketch_corner(g, b) + 2) % 3];
    int in = in_circle(s, a, b, c, d);
    int32_t kept = before(s, b, a) ? b : a, turned = before(s, d, c) ? d : c;
    return (in > 0 || (in == 0 && before(s, turned, kept))) && sketch_convex(s, face, edge);
}

/* Delaunay again around a new point: each edge across from it is looked at, and those behind. */
static int settle(struct sketch *s)
{
    int flips = 0;
    while (s->todo_count > 0) {
        int32_t face = s->todo[--s->todo_count][0], p = s->todo[s->todo_count][1];
        int corner = sketch_corner(&s->faces[face], p), edge = (corner + 1) % 3;
        if (s->faces[face].corner[corner] != p || flips > 4 * s->face_count ||
            !should_flip(s, face, edge))
            continue;
        int32_t other = s->faces[face].across[edge];
        sketch_flip(s, face, edge);
        flips++;
        if (sketch_todo(s, face, p) || sketch_todo(s, other, p))
            return -1;
    }
    return 0;
}

void sketch_finish(struct sketch *s)
{
    /* Rounded points need not make a proper triangulation: it may never settle. */
    bool changed = true;
    for (int pass = 0; pass < 50 && changed; pass++) {
        changed = false;
        for (int32_t f = 0; f < s->face_count; f++)
            for (int i = 0; i < 3; i++)
                if (should_flip(s, f, i)) {
                    sketch_flip(s, f, i);
                    changed = true;
                }
    }
}

int sketch_add_spot(struct sketch *s, const struct spot *spot)
{
    int32_t p = s->point_count;
    bool on[3];
    struct sketch_point *slot = sketch_slot(s);
    if (!slot)
        return -1;
    sketch_point_set(s, slot, spot);
    int32_t f = locate(s, p, on);
    if (f < 0)
        return -1;
    for (int i = 0; i < 3; i++)
        if (on[i] && on[(i + 1) % 3])
            return s->faces[f].corner[(i + 1) % 3];
    s->point_count++;
    s->todo_count = 0;
    int failed = on[0]   ? sketch_split_edge(s, f, 0, p)
                 : on[1] ? sketch_split_edge(s, f, 1, p)
                 : on[2] ? sketch_split_edge(s, f, 2, p)
                         : split_face(s, f, p);
    return failed || settle(s) ? -1 : p;
}

int sketch_add_crossing(struct sketch *s, int32_t line, int32_t other)
{
    struct sketch_point *slot = sketch_slot(s);
    if (!slot)
        return -1;
    sketch_point_cross(s, slot, &s->lines[line], &s->lines[other]);
    return s->point_count++;
}

int sketch_begin(struct sketch *s, const struct tile *tile)
{
    s->tile = *tile;
    s->point_count = s->face_count = s->line_count = s->todo_count = 0;
    int up = tile_axis(tile);
    bool turned = tile->plane.normal[up] < 0;
    s->axis[0] = (up + (turned ? 2 : 1)) % 3;
    s->axis[1] = (up + (turned ? 1 : 2)) % 3;
    s->axis[2] = up;
    int32_t f = new_face(s);
    if (f < 0)
        return -1;
    for (int i = 0; i < 3; i++) {
        struct plane line = plane_upright(tile->at[i], tile->at[(i + 1) % 3], up);
        struct spot corner = {{tile->at[i][0], tile->at[i][1], tile->at[i][2]}, 1};
        struct sketch_point *slot = sketch_slot(s);
        if (sketch_add_line(s, &line) < 0 || !slot)
            return -1;
        sketch_point_set(s, slot, &corner);
        s->point_count++;
    }
    set_face(s, f, (int32_t[]){0, 1, 2}, (struct rim){-1, 0}, (struct rim){-1, 1},
             (struct rim){-1, 2});
    return 0;
}
