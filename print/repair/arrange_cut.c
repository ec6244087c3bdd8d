/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One round of the arrangement: every triangle that meets others is drawn with what they leave on
 * it, and replaced by the pieces. Triangles are cut each on its own, on all threads: pieces of
 * different triangles fit because the points they share are the same exact points, rounded alike.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/repair/arrange_parts.h"

#define FEW 100 /* below this one thread cuts all */

/* What became of one triangle; no faces: it stays. */
struct pieces {
    int32_t (*points)[3]; /* on the grid; the first three are the triangle's own corners */
    int32_t (*faces)[3];
    uint32_t point_count, face_count;
};

struct round {
    struct work *w;
    size_t *starts; /* per triangle: where its partners begin */
    uint32_t *partners;
    uint32_t *met; /* triangles that have partners */
    size_t met_count;
    struct pieces *pieces; /* by place in met */
    uint64_t spent;        /* faces of all drawings so far */
    bool no_memory;
};

void work_corner(int32_t out[3], const struct work *w, uint32_t vertex)
{
    for (size_t k = 0; k < 3; k++)
        out[k] = (int32_t)rint((double)w->mesh.xyz[3 * (size_t)vertex + k] / w->step);
}

static struct tile tile_of(const struct work *w, uint32_t triangle)
{
    int32_t at[3][3];
    for (size_t i = 0; i < 3; i++)
        work_corner(at[i], w, w->mesh.triangles[3 * (size_t)triangle + i]);
    return tile_make(at[0], at[1], at[2]);
}

/* Lists of partners from the list of pairs, in the order of the pairs. */
static int list_partners(struct round *r, const struct bvh_pairs *pairs)
{
    size_t n = r->w->mesh.triangle_count;
    r->starts = calloc(n + 2, sizeof *r->starts);
    r->partners = malloc((2 * pairs->count + 1) * sizeof *r->partners);
    r->met = malloc((2 * pairs->count + 1) * sizeof *r->met);
    if (!r->starts || !r->partners || !r->met)
        return -1;
    for (size_t i = 0; i < pairs->count; i++)
        for (int k = 0; k < 2; k++)
            r->starts[pairs->pair[i][k] + 2]++;
    for (size_t t = 0; t < n; t++) {
        if (r->starts[t + 2])
            r->met[r->met_count++] = (uint32_t)t;
        r->starts[t + 2] += r->starts[t + 1];
    }
    for (size_t i = 0; i < pairs->count; i++)
        for (int k = 0; k < 2; k++)
            r->partners[r->starts[pairs->pair[i][k] + 1]++] = pairs->pair[i][1 - k];
    return 0;
}

/* A stroke put among the points: its ends and its line's number. */
struct mark {
    int32_t a, b, line;
};

static int put_points(struct sketch *s, struct mark *mark, const struct stroke *stroke)
{
    mark->a = mark->b = sketch_add_spot(s, &stroke->end[0]);
    if (stroke->count > 1 && mark->a >= 0)
        mark->b = sketch_add_spot(s, &stroke->end[1]);
    if (mark->a < 0 || mark->b < 0)
        return -1;
    mark->line = mark->a == mark->b ? 0 : sketch_add_line(s, &stroke->line);
    return mark->line < 0 ? -1 : 0;
}

/* All points before any line: a line then has its points ready on it and is cut at them. */
static int draw(struct sketch *s, const struct round *r, uint32_t triangle)
{
    size_t first = r->starts[triangle], end = r->starts[triangle + 1], count = 0;
    struct mark *marks = malloc((end - first + 1) * STROKES_MAX * sizeof *marks);
    int failed = marks ? 0 : -1;
    for (size_t i = first; i < end && !failed; i++) {
        struct stroke strokes[STROKES_MAX];
        struct tile other = tile_of(r->w, r->partners[i]);
        int got = tile_strokes(strokes, &s->tile, &other);
        for (int j = 0; j < got && !failed; j++)
            failed = put_points(s, &marks[count++], &strokes[j]);
    }
    for (size_t i = 0; i < count && !failed; i++)
        failed = sketch_draw(s, marks[i].a, marks[i].b, marks[i].line);
    free(marks);
    return failed;
}

static int take_pieces(struct pieces *out, const struct sketch *s)
{
    out->points = malloc((size_t)s->point_count * sizeof *out->points);
    out->faces = malloc((size_t)s->face_count * sizeof *out->faces);
    if (!out->points || !out->faces)
        return -1;
    for (int i = 0; i < s->point_count; i++)
        memcpy(out->points[i], s->points[i].rounded, sizeof out->points[i]);
    for (int i = 0; i < s->face_count; i++)
        memcpy(out->faces[i], s->faces[i].corner, sizeof out->faces[i]);
    out->point_count = (uint32_t)s->point_count;
    out->face_count = (uint32_t)s->face_count;
    return 0;
}

static int cut_one(struct pieces *out, struct sketch *s, const struct round *r, uint32_t triangle)
{
    struct tile tile = tile_of(r->w, triangle);
    if (sketch_begin(s, &tile) || draw(s, r, triangle))
        return -1;
    if (s->face_count == 1)
        return 0;
    sketch_finish(s);
    return take_pieces(out, s);
}

static bool too_much(const struct round *r)
{
    return __atomic_load_n(&r->spent, __ATOMIC_RELAXED) > FACES_MAX;
}

/* Whether it is too much does not depend on the order: what is spent only grows. */
static void cut_all(struct round *r)
{
#pragma omp parallel if (r->met_count > FEW)
    {
        struct sketch s = {.spent = &r->spent};
#pragma omp for schedule(dynamic, 16)
        for (size_t i = 0; i < r->met_count; i++) {
            if (too_much(r))
                continue;
            if (cut_one(&r->pieces[i], &s, r, r->met[i]) && !too_much(r))
                __atomic_store_n(&r->no_memory, true, __ATOMIC_RELAXED);
            __atomic_fetch_add(&r->spent, (uint64_t)s.face_count % FACES_STEP, __ATOMIC_RELAXED);
        }
        sketch_free(&s);
    }
}

/* The mesh with pieces in the place of what was cut; points of one triangle are still its own. */
struct result {
    struct mesh mesh;
    uint32_t *from;
    uint8_t *dirty;
};

static int result_open(struct result *out, const struct round *r, struct err *err)
{
    const struct mesh *mesh = &r->w->mesh;
    size_t vertices = mesh->vertex_count, triangles = mesh->triangle_count;
    for (size_t i = 0; i < r->met_count; i++)
        if (r->pieces[i].face_count) {
            vertices += r->pieces[i].point_count - 3;
            triangles += r->pieces[i].face_count - 1;
        }
    if (triangles > MESH_MAX_TRIANGLES)
        return FAIL_CODE(err, ERR_LIMIT, "mesh_too_tangled", "%zu triangles in pieces", triangles);
    if (mesh_alloc(&out->mesh, vertices, triangles, err))
        return -1;
    out->from = malloc((triangles + 1) * sizeof *out->from);
    out->dirty = calloc(triangles + 1, 1);
    if (!out->from || !out->dirty)
        return FAIL(err, ERR_LIMIT, "no memory for %zu pieces", triangles);
    memcpy(out->mesh.xyz, mesh->xyz, mesh->vertex_count * 3 * sizeof *mesh->xyz);
    out->mesh.vertex_count = mesh->vertex_count;
    out->mesh.triangle_count = 0;
    return 0;
}

static void result_add(struct result *out, const struct round *r, uint32_t triangle,
                       const struct pieces *pieces)
{
    const uint32_t *own = r->w->mesh.triangles + 3 * (size_t)triangle;
    uint32_t base = (uint32_t)out->mesh.vertex_count - 3; /* of points from the fourth on */
    for (uint32_t i = 3; i < pieces->point_count; i++, out->mesh.vertex_count++)
        for (size_t k = 0; k < 3; k++)
            out->mesh.xyz[3 * out->mesh.vertex_count + k] =
                (float)(pieces->points[i][k] * r->w->step);
    for (uint32_t i = 0; i < pieces->face_count; i++) {
        size_t t = out->mesh.triangle_count++;
        for (size_t k = 0; k < 3; k++) {
            uint32_t p = (uint32_t)pieces->faces[i][k];
            out->mesh.triangles[3 * t + k] = p < 3 ? own[p] : base + p;
        }
        out->from[t] = r->w->from[triangle];
        out->dirty[t] = 1;
    }
    r->w->cut[r->w->from[triangle]] = 1;
}

static void result_fill(struct result *out, const struct round *r)
{
    const struct mesh *mesh = &r->w->mesh;
    size_t next = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        bool met = next < r->met_count && r->met[next] == t;
        const struct pieces *pieces = met ? &r->pieces[next++] : NULL;
        if (met && pieces->face_count) {
            result_add(out, r, (uint32_t)t, pieces);
            continue;
        }
        size_t to = out->mesh.triangle_count++;
        memcpy(out->mesh.triangles + 3 * to, mesh->triangles + 3 * t, 3 * sizeof(uint32_t));
        out->from[to] = r->w->from[t];
    }
}

static void work_take(struct work *w, struct result *result)
{
    mesh_free(&w->mesh);
    free(w->from);
    free(w->dirty);
    w->mesh = result->mesh;
    w->from = result->from;
    w->dirty = result->dirty;
}

static int replace(struct round *r, struct err *err)
{
    struct result result = {0};
    if (result_open(&result, r, err)) {
        mesh_free(&result.mesh);
        free(result.from);
        free(result.dirty);
        return -1;
    }
    result_fill(&result, r);
    work_take(r->w, &result);
    return work_tidy(r->w, err);
}

int work_cut(struct work *w, const struct bvh_pairs *pairs, struct err *err)
{
    struct round r = {.w = w};
    int failed = list_partners(&r, pairs);
    if (!failed) {
        r.pieces = calloc(r.met_count + 1, sizeof *r.pieces);
        if (r.pieces)
            cut_all(&r);
        failed = !r.pieces || (r.no_memory && !too_much(&r)) ? -1 : 0;
    }
    if (failed)
        failed = FAIL(err, ERR_LIMIT, "no memory to cut %zu triangles", r.met_count);
    else
        failed = too_much(&r) ? 1 : replace(&r, err);
    for (size_t i = 0; r.pieces && i < r.met_count; i++) {
        free(r.pieces[i].points);
        free(r.pieces[i].faces);
    }
    free(r.pieces);
    free(r.starts);
    free(r.partners);
    free(r.met);
    return failed;
}
