/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawing lines into a triangulation: what is crossed is turned out of the way, lines drawn before
 * are cut where they are crossed. */
#include "print/repair/arrange_parts.h"

/* What a step along a segment came upon. */
struct step {
    int32_t point; /* the next point on the way, or -1: */
    int32_t face;  /* an edge to go through, seen from this side */
    int edge;
};

/* The face at a that the way to b leads into, or the point it leads along to. */
static int first_step(struct step *out, const struct sketch *s, int32_t a, int32_t b)
{
    int32_t start = s->face_of[a];
    for (int way = 0; way < 2; way++)
        for (int32_t f = start; f >= 0;) {
            const struct sketch_face *face = &s->faces[f];
            int i = sketch_corner(face, a);
            int32_t u = face->corner[(i + 1) % 3], w = face->corner[(i + 2) % 3];
            int left_of_u = sketch_turn(s, a, u, b), left_of_w = sketch_turn(s, a, w, b);
            *out = (struct step){-1, f, (i + 1) % 3};
            if (left_of_u == 0 && left_of_w < 0)
                out->point = u;
            if (left_of_w == 0 && left_of_u > 0)
                out->point = w;
            if (out->point >= 0 || (left_of_u > 0 && left_of_w < 0))
                return 0;
            f = sketch_around(s, f, a, way == 0);
            if (f == start)
                return -1;
        }
    return -1;
}

/* Through the edge of `at` to what lies behind it. */
static void next_step(struct step *at, const struct sketch *s, int32_t a, int32_t b)
{
    const struct sketch_face *f = &s->faces[at->face];
    int32_t behind = f->across[at->edge];
    const struct sketch_face *g = &s->faces[behind];
    int back = sketch_corner(g, f->corner[(at->edge + 1) % 3]);
    int32_t tip = g->corner[(back + 2) % 3];
    int turn = tip == b ? 0 : sketch_turn(s, a, b, tip);
    *at = (struct step){turn == 0 ? tip : -1, behind, (back + (turn > 0 ? 1 : 2)) % 3};
}

/* Cuts the line of an edge where another one crosses it; the new point's number. */
static int32_t cut_edge(struct sketch *s, const struct step *at, int32_t line)
{
    int32_t m = sketch_add_crossing(s, line, s->faces[at->face].line[at->edge]);
    if (m < 0 || sketch_split_edge(s, at->face, at->edge, m))
        return -1;
    return m;
}

/*
 * Goes from a towards b up to the first point on the way, making one where a line is crossed; the
 * free edges gone through are left in todo. Returns that point.
 */
static int32_t walk(struct sketch *s, int32_t a, int32_t b, int32_t line)
{
    struct step at;
    s->todo_count = 0;
    if (first_step(&at, s, a, b))
        return -1;
    while (at.point < 0) {
        const struct sketch_face *f = &s->faces[at.face];
        if (f->line[at.edge] >= 0) {
            int kept = s->todo_count;
            int32_t m = cut_edge(s, &at, line);
            s->todo_count = kept;
            return m;
        }
        if (sketch_todo(s, f->corner[at.edge], f->corner[(at.edge + 1) % 3]))
            return -1;
        next_step(&at, s, a, b);
    }
    return at.point;
}

/* Turns the edges in todo, which all cross a b, until none does (Sloan 1993). */
static int clear_way(struct sketch *s, int32_t a, int32_t b)
{
    size_t tries = 0, most = 1000 + 8 * (size_t)s->todo_count * (size_t)s->todo_count;
    for (int first = 0; first < s->todo_count; first++) {
        int32_t u = s->todo[first][0], w = s->todo[first][1], face;
        int edge;
        if (++tries > most || !sketch_find_edge(s, u, w, &face, &edge))
            return -1;
        if (!sketch_convex(s, face, edge)) {
            if (sketch_todo(s, u, w))
                return -1;
            continue;
        }
        sketch_flip(s, face, edge);
        int32_t c = s->faces[face].corner[0], d = s->faces[face].corner[2];
        bool apart = c != a && c != b && d != a && d != b &&
                     sketch_turn(s, a, b, c) * sketch_turn(s, a, b, d) < 0;
        if (apart && sketch_todo(s, c, d))
            return -1;
    }
    return 0;
}

static int mark(struct sketch *s, int32_t a, int32_t b, int32_t line)
{
    int32_t face;
    int edge;
    bool found = false;
    if (sketch_find_edge(s, a, b, &face, &edge) && s->faces[face].line[edge] < 0)
        s->faces[face].line[edge] = line, found = true;
    else if (sketch_find_edge(s, a, b, &face, &edge))
        found = true;
    if (sketch_find_edge(s, b, a, &face, &edge)) {
        found = true;
        if (s->faces[face].line[edge] < 0)
            s->faces[face].line[edge] = line;
    }
    return found ? 0 : -1;
}

int sketch_draw(struct sketch *s, int32_t a, int32_t b, int32_t line)
{
    while (a != b) {
        int32_t to = walk(s, a, b, line);
        if (to < 0 || clear_way(s, a, to) || mark(s, a, to, line))
            return -1;
        a = to;
    }
    return 0;
}
