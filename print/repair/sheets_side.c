/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To which side of a sheet its wall goes; see sheets_side.h. */
#include "print/repair/sheets_side.h"

#include <stdlib.h>

#define VOTES 24
#define FINE 4    /* parts of a triangle's side, each looked at, in a mesh of */
#define FEW 2000  /* triangles at most */
#define SAME 0.05 /* of the wall: sheets nearer than this lie on one another */
#define ALONG 0.7 /* cosine between normals of sheets that do */
#define MOST_HITS 16

bool sheets_is_vote(size_t count)
{
    return count % (1 + count / VOTES) == 0;
}

int sheets_parts(const struct mesh *mesh)
{
    return mesh->triangle_count <= FEW ? FINE * FINE : 1;
}

/* The middle of small triangle i of FINE * FINE that t is divided into. */
struct vec sheets_middle(const struct mesh *mesh, size_t t, int i, int parts)
{
    if (parts == 1) {
        struct vec sum = vec_add(mesh_corner(mesh, t, 0), mesh_corner(mesh, t, 1));
        return vec_scale(vec_add(sum, mesh_corner(mesh, t, 2)), 1.0 / 3);
    }
    int row = 0;
    for (; i >= 2 * row + 1; row++)
        i -= 2 * row + 1;
    double up = (row + (i & 1 ? 1.0 : 2.0) / 3) / FINE;
    double along = (i / 2 + (i & 1 ? 2.0 : 1.0) / 3) / FINE;
    struct vec p = vec_scale(mesh_corner(mesh, t, 0), 1 - up);
    p = vec_add(p, vec_scale(mesh_corner(mesh, t, 1), up - along));
    return vec_add(p, vec_scale(mesh_corner(mesh, t, 2), along));
}

/* What it costs to have the wall behind (0) or in front (1) of a sheet: area times the share of
 * the looks that is buried. */
struct cost {
    double behind, before;
};

struct sides {
    const struct sheets *sheets;
    struct bvh loose;
    uint8_t *decided; /* per sheet */
};

/* A point of a sheet's triangle with what is known there. */
struct look {
    struct vec at, normal;
    uint32_t patch;
    double front, back; /* seen, 0..1 */
};

/* The walls of what lies on the sheet here take one side; the wall must go there too. */
static void meet_same(struct cost *cost, struct look *look, const struct sheet_sum *other,
                      bool ahead)
{
    double seen = (other->turned ? other->back : other->front) / (SHEET_RAYS * other->looked);
    if (ahead) {
        cost->before += seen;
        look->back = 0;
    } else {
        cost->behind += seen;
        look->front = 0;
    }
}

/* Sheets a little further on that face this way are buried by a wall that reaches them. */
static void meet_near(struct cost *cost, double distance, double wall, bool forward)
{
    *(forward ? &cost->before : &cost->behind) += 1 - distance / wall;
}

/* Along a ray through the point; forward: to the front. */
static void meet(struct cost *cost, struct look *look, const struct sides *s, bool forward)
{
    const struct sheets *sheets = s->sheets;
    double same = SAME * sheets->wall, from = 0;
    struct vec d = vec_scale(look->normal, forward ? 1 : -1);
    struct vec origin = vec_sub(look->at, vec_scale(d, same));
    for (int i = 0; i < MOST_HITS; i++) {
        uint32_t t = UINT32_MAX;
        double hit = bvh_ray(&s->loose, origin, d, from, UINT32_MAX, &t);
        if (!(hit < sheets->wall + same))
            return;
        from = hit + 1e-6 * sheets->wall;
        uint32_t patch = sheets->patch[t];
        const struct sheet_sum *other = &sheets->sums[patch];
        double along = vec_dot(vec_unit(mesh_normal2(sheets->loose, t)), look->normal);
        if (patch == look->patch || !s->decided[patch] || fabs(along) < ALONG)
            continue;
        bool ahead = (along > 0) != other->turned; /* faces as this sheet does */
        double distance = hit - same;
        if (distance > same && ahead != forward)
            meet_near(cost, distance, sheets->wall, forward);
        else if (distance <= same && forward)
            meet_same(cost, look, other, ahead);
    }
}

static void look_from(struct cost *sum, const struct sides *s, size_t t)
{
    const struct sheets *sheets = s->sheets;
    const struct sheet_sum *own = &sheets->sums[sheets->patch[t]];
    struct vec normal = mesh_normal2(sheets->loose, t);
    double area = vec_length(normal);
    int parts = sheets_parts(sheets->loose);
    for (int i = 0; i < parts; i++) {
        struct look look = {.at = sheets_middle(sheets->loose, t, i, parts),
                            .normal = vec_unit(normal),
                            .patch = sheets->patch[t],
                            .front = own->front / (SHEET_RAYS * own->looked),
                            .back = own->back / (SHEET_RAYS * own->looked)};
        struct cost cost = {0};
        meet(&cost, &look, s, true);
        meet(&cost, &look, s, false);
        sum->behind += area * (cost.behind + look.back) / parts;
        sum->before += area * (cost.before + look.front) / parts;
    }
}

struct ranked {
    double area;
    uint32_t sheet;
};

static int by_area(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->area != q->area)
        return p->area > q->area ? -1 : 1;
    return (p->sheet > q->sheet) - (p->sheet < q->sheet);
}

/* triangles: those of the sheet that are looked at. */
static void decide(struct sides *s, uint32_t sheet, const uint32_t *triangles, size_t count)
{
    struct sheet_sum *sum = &s->sheets->sums[sheet];
    struct cost cost = {0};
    for (size_t i = 0; i < count; i++)
        look_from(&cost, s, triangles[i]);
    sum->turned = cost.before < cost.behind;
    s->decided[sheet] = 1;
}

/* The triangles that are looked at, sheet after sheet. */
static int list_votes(uint32_t *list, uint32_t *starts, const struct sheets *s, struct err *err)
{
    const size_t n = s->loose->triangle_count;
    size_t *count = calloc(s->count + 1, sizeof *count);
    if (!count)
        return FAIL(err, ERR_LIMIT, "no memory for %zu sheets", s->count);
    for (size_t t = 0; t < n; t++)
        starts[s->patch[t] + 2] += sheets_is_vote(++count[s->patch[t]]);
    for (size_t i = 0; i < s->count; i++)
        starts[i + 2] += starts[i + 1], count[i] = 0;
    for (uint32_t t = 0; t < n; t++)
        if (sheets_is_vote(++count[s->patch[t]]))
            list[starts[s->patch[t] + 1]++] = t;
    free(count);
    return 0;
}

static int decide_all(struct sides *s, struct ranked *order, uint32_t *list, uint32_t *starts,
                      struct err *err)
{
    const struct sheets *sheets = s->sheets;
    size_t count = 0;
    if (list_votes(list, starts, sheets, err))
        return -1;
    for (uint32_t i = 0; i < sheets->count; i++)
        if (sheets->sums[i].keeps)
            order[count++] = (struct ranked){sheets->sums[i].area, i};
    qsort(order, count, sizeof *order, by_area);
    for (size_t i = 0; i < count; i++) {
        uint32_t sheet = order[i].sheet;
        decide(s, sheet, list + starts[sheet], starts[sheet + 1] - starts[sheet]);
    }
    return 0;
}

int sheets_choose_sides(struct sheets *sheets, struct err *err)
{
    struct sides s = {.sheets = sheets};
    struct ranked *order = malloc((sheets->count + 1) * sizeof *order);
    uint32_t *list = malloc((sheets->loose->triangle_count + 1) * sizeof *list);
    uint32_t *starts = calloc(sheets->count + 2, sizeof *starts);
    s.decided = calloc(sheets->count + 1, 1);
    int failed = order && list && starts && s.decided
                     ? bvh_build(&s.loose, sheets->loose, err)
                     : FAIL(err, ERR_LIMIT, "no memory for %zu sheets", sheets->count);
    if (!failed)
        failed = decide_all(&s, order, list, starts, err);
    bvh_free(&s.loose);
    free(order);
    free(list);
    free(starts);
    free(s.decided);
    return failed ? -1 : 0;
}
