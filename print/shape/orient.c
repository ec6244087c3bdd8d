/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search for the side to stand on: coarse all around, finer around the best, then for real. */
#include "print/shape/orient.h"

#include <stdlib.h>
#include <string.h>

#include "print/shape/orient_parts.h"

#define FEW_TRIANGLES ((size_t)10000) /* more are thinned out before they are turned 590 ways */
#define MANY_TRIANGLES ((size_t)300000)
#define THIN_FINE 300 /* cells that large meshes are thinned by for the last judgement */
#define THIN 64       /* cells of that along the longest side */
#define COARSE 80     /* of the layers: all directions */
#define MEDIUM 125    /* the better ones once more, and small turns */
#define FINE 300      /* the last few, on the mesh itself */
#define BETTER 28     /* directions that are looked at once more */
#define IMPROVED 6    /* of these are improved by small turns */
#define FINAL 8       /* and these judged as they are */
#define TIE 0.05      /* a hundredth of a degree can shift an estimate by 3 % */
#define APART 0.985   /* cosine of 10 degrees: nearer ones are one alternative */

struct search {
    const struct mesh *mesh;
    const struct orient_options *options;
    struct judge full, fewer;
    struct mesh dense, light; /* thinned out, when the mesh is too large for each use */
    struct vec *directions;   /* all; 1 .. flat are flat sides */
    size_t flat;
    struct orient_stand *stands;
    size_t count, count_tried;
};

static int search_open(struct search *s, const struct mesh *mesh,
                       const struct orient_options *options, struct err *err)
{
    const struct mesh *full = mesh, *fewer = mesh;
    *s = (struct search){.mesh = mesh, .options = options};
    double size = longest_side(mesh);
    if (mesh->triangle_count > MANY_TRIANGLES) {
        if (mesh_thin_out(&s->dense, mesh, size / THIN_FINE, err))
            return -1;
        full = &s->dense;
    }
    if (mesh->triangle_count > FEW_TRIANGLES) {
        if (mesh_thin_out(&s->light, mesh, size / THIN, err))
            return -1;
        fewer = &s->light;
    }
    return judge_open(&s->full, full, options, err) || judge_open(&s->fewer, fewer, options, err)
               ? -1
               : 0;
}

static void search_close(struct search *s)
{
    judge_close(&s->full);
    judge_close(&s->fewer);
    mesh_free(&s->dense);
    mesh_free(&s->light);
    free(s->stands);
    free(s->directions);
}

/* Those that stand and fit come first, then the cheap ones; directions break ties. */
static int stand_compare(const void *a, const void *b)
{
    const struct orient_stand *p = a, *q = b;
    if (p->allowed != q->allowed)
        return p->allowed ? -1 : 1;
    if (p->cost_mm3 != q->cost_mm3)
        return p->cost_mm3 < q->cost_mm3 ? -1 : 1;
    const double u[3] = {p->down.x, p->down.y, p->down.z}, v[3] = {q->down.x, q->down.y, q->down.z};
    for (int k = 0; k < 3; k++)
        if (u[k] != v[k])
            return u[k] < v[k] ? -1 : 1;
    return 0;
}

/* Judges many directions at once; each stand's `down` is set already. */
static int judge_all(struct orient_stand *stands, size_t count, const struct judge *judge,
                     double pixel_mm, struct err *err)
{
    int failed = 0;
    struct err why = {0};
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < count; i++) {
        struct err own = {0};
        if (judge_stand(&stands[i], judge, stands[i].down, pixel_mm, &own)) {
#pragma omp critical(orient_failed)
            failed = 1, why = own;
        }
    }
    if (failed && err)
        *err = why;
    return failed ? -1 : 0;
}

static int look_around(struct search *s, struct err *err)
{
    if (directions_list(&s->directions, &s->count, &s->flat, s->mesh, err))
        return -1;
    s->stands = calloc(s->count, sizeof *s->stands);
    if (!s->stands)
        return FAIL(err, ERR_LIMIT, "no memory for %zu directions", s->count);
    for (size_t i = 0; i < s->count; i++)
        s->stands[i].down = s->directions[i];
    int result = judge_all(s->stands, s->count, &s->fewer, s->full.size_mm / COARSE, err);
    qsort(s->stands, s->count, sizeof *s->stands, stand_compare);
    return result;
}

/* The first `most` of a sorted list that are apart from one another. */
static size_t thin_out(struct orient_stand *to, size_t most, const struct orient_stand *from,
                       size_t count, double apart)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < most; i++) {
        bool near = false;
        for (size_t k = 0; k < n && !near; k++)
            near = vec_dot(to[k].down, from[i].down) > apart;
        if (!near)
            to[n++] = from[i];
    }
    return n;
}

static int look_again(struct search *s, struct err *err)
{
    struct orient_stand better[BETTER];
    s->count_tried = s->count;
    s->count = thin_out(better, BETTER, s->stands, s->count, 0.995);
    if (judge_all(better, s->count, &s->fewer, s->full.size_mm / MEDIUM, err))
        return -1;
    qsort(better, s->count, sizeof *better, stand_compare);
    memcpy(s->stands, better, s->count * sizeof *better);
    return 0;
}

/* A direction turned by a small angle, six ways. */
static struct vec nudged(struct vec down, int way, double angle)
{
    struct vec side = fabs(down.z) < 0.9 ? (struct vec){0, 0, 1} : (struct vec){1, 0, 0};
    struct vec u = vec_unit(vec_cross(down, side)), v = vec_cross(down, u);
    double turn = way * M_PI / 3;
    struct vec by = vec_add(vec_scale(u, cos(turn)), vec_scale(v, sin(turn)));
    return vec_unit(vec_add(down, vec_scale(by, tan(angle))));
}

/* Small turns as long as they help, then smaller ones. */
static int improve(struct orient_stand *stand, const struct judge *judge, double pixel_mm,
                   struct err *err)
{
    struct orient_stand best;
    if (judge_stand(&best, judge, stand->down, pixel_mm, err))
        return -1;
    for (double angle = 4 * M_PI / 180; angle > 0.9 * M_PI / 180;) {
        struct orient_stand centre = best;
        for (int way = 0; way < 6; way++) {
            struct orient_stand other;
            if (judge_stand(&other, judge, nudged(centre.down, way, angle), pixel_mm, err))
                return -1;
            if (stand_compare(&other, &best) < 0)
                best = other;
        }
        if (vec_dot(best.down, centre.down) > 1 - 1e-12)
            angle /= 2;
    }
    *stand = best;
    return 0;
}

static int improve_all(struct orient_stand *stands, size_t count, const struct search *s,
                       struct err *err)
{
    int failed = 0;
    struct err why = {0};
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < count; i++) {
        struct err own = {0};
        if (improve(&stands[i], &s->fewer, s->full.size_mm / MEDIUM, &own)) {
#pragma omp critical(orient_failed)
            failed = 1, why = own;
        }
    }
    if (failed && err)
        *err = why;
    return failed ? -1 : 0;
}

/* Flat sides next to what was found: they must not be lost to a better coarse number beside them.
 */
static size_t flat_beside(struct orient_stand *to, const struct orient_stand *found, size_t count,
                          const struct search *s)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double nearest = cos(15 * M_PI / 180);
        bool any = false;
        for (size_t k = 1; k <= s->flat; k++) {
            double by = vec_dot(s->directions[k], found[i].down);
            if (by <= nearest)
                continue;
            nearest = by;
            any = true;
            to[n] = (struct orient_stand){.down = s->directions[k]};
        }
        n += any;
    }
    return n;
}

/*
 * Of the cheapest and its neighbours that cost the same but for what an estimate cannot tell, the
 * one that stands best: a flat side wins over the same side tilted by half a degree. Those further
 * away do not: their footing has its price in the cost already.
 */
static size_t best_footed(const struct orient_stand *list, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count && list[i].allowed; i++)
        if (list[i].cost_mm3 <= list[0].cost_mm3 * (1 + TIE) &&
            vec_dot(list[i].down, list[0].down) > APART &&
            list[i].contact_mm2 > list[best].contact_mm2)
            best = i;
    return best;
}

/* Judges the shortlist on the mesh itself, first the way it stands now. */
static int settle(struct orient_choice *out, struct search *s, struct orient_stand *list,
                  size_t count, struct err *err)
{
    const struct orient_options *o = s->options;
    struct vec upright = {0, 0, -1};
    double pixel = s->full.size_mm / FINE;
    if (judge_stand(&out->upright, &s->full, upright, pixel, err) ||
        judge_all(list, count, &s->full, pixel, err))
        return -1;
    qsort(list, count, sizeof *list, stand_compare);
    size_t best = best_footed(list, count);
    struct orient_stand first = list[best];
    memmove(list + 1, list, best * sizeof *list);
    list[0] = first;
    out->alternative_count = thin_out(out->alternatives, ORIENT_ALTERNATIVES, list, count, APART);
    out->tried = s->count_tried;
    out->chosen = out->upright;
    out->rotation = ROTATION_NONE;
    if (o->upright || count == 0 || !list[0].allowed)
        return 0;
    double now = out->upright.cost_mm3, then = list[0].cost_mm3;
    if (!out->upright.allowed || (then < (1 - o->least_gain) * now && now - then > o->least_mm3)) {
        out->chosen = list[0];
        out->rotation = rotation_down(list[0].down);
    }
    return 0;
}

int mesh_find_orientation(struct orient_choice *out, const struct mesh *mesh,
                          const struct orient_options *options, struct err *err)
{
    struct search s;
    struct orient_stand list[2 * IMPROVED + FINAL];
    size_t count;
    int result = -1;
    *out = (struct orient_choice){.rotation = ROTATION_NONE};
    if (search_open(&s, mesh, options, err) || look_around(&s, err))
        goto out;
    if (look_again(&s, err))
        goto out;
    count = thin_out(list, IMPROVED, s.stands, s.count, APART);
    if (improve_all(list, count, &s, err))
        goto out;
    count += flat_beside(list + count, list, count, &s);
    count += thin_out(list + count, FINAL, s.stands, s.count, APART);
    result = settle(out, &s, list, count, err);
out:
    search_close(&s);
    return result;
}
