/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One collapse of an edge: what it costs, whether the mesh stays a closed manifold that does not
 * cross itself, and the doing of it. */
#include "print/shape/decimate_parts.h"

#define NEAR_MOST 512
#define PULL 1e-3          /* towards the edge's middle, where the planes do not say */
#define LENGTH_WEIGHT 1e-6 /* in flat places the shortest edge goes first */
#define TURN_LEAST 0.2     /* cosine between a triangle's normal before and after */
#define FOLD_MOST -0.87    /* cosine between neighbours' normals: sharper than 150 degrees */
#define SLIVER 0.02        /* 1 is an equilateral triangle */

/* One side of a fan: triangles around a vertex but for the two that vanish. */
struct fan {
    uint32_t id[2 * FAN_MAX];                /* triangle */
    uint32_t x[2 * FAN_MAX], y[2 * FAN_MAX]; /* the corners that stay */
    struct vec normal[2 * FAN_MAX];          /* after, twice the area */
    struct box box[2 * FAN_MAX];
    int count;
};

static double quadric_at(const struct quadric *q, struct vec p)
{
    double v = p.x * (q->xx * p.x + 2 * (q->xy * p.y + q->xz * p.z + q->x)) +
               p.y * (q->yy * p.y + 2 * (q->yz * p.z + q->y)) + p.z * (q->zz * p.z + 2 * q->z) +
               q->one;
    return v > 0 ? v : 0;
}

static struct quadric quadric_sum(const struct quadric *a, const struct quadric *b)
{
    return (struct quadric){a->xx + b->xx, a->xy + b->xy,   a->xz + b->xz,    a->yy + b->yy,
                            a->yz + b->yz, a->zz + b->zz,   a->x + b->x,      a->y + b->y,
                            a->z + b->z,   a->one + b->one, a->area + b->area};
}

/* Where the quadric is least, pulled a little towards `middle` so that there is always one. */
static struct vec quadric_least(const struct quadric *q, struct vec middle)
{
    double pull = PULL * (q->xx + q->yy + q->zz) + 1e-30;
    double a = q->xx + pull, b = q->xy, c = q->xz, e = q->yy + pull, f = q->yz, i = q->zz + pull;
    /* Relative to the middle, for the digits' sake. */
    struct vec r = {-(q->xx * middle.x + q->xy * middle.y + q->xz * middle.z + q->x),
                    -(q->xy * middle.x + q->yy * middle.y + q->yz * middle.z + q->y),
                    -(q->xz * middle.x + q->yz * middle.y + q->zz * middle.z + q->z)};
    double ei = e * i - f * f, bi = b * i - c * f, bf = b * f - c * e;
    double det = a * ei - b * bi + c * bf;
    if (!(det > 0))
        return middle;
    struct vec by = {(r.x * ei - b * (r.y * i - f * r.z) + c * (r.y * f - e * r.z)) / det,
                     (a * (r.y * i - r.z * f) - r.x * bi + c * (b * r.z - r.y * c)) / det,
                     (a * (e * r.z - f * r.y) - b * (b * r.z - c * r.y) + r.x * bf) / det};
    return vec_add(middle, by);
}

static struct vec as_floats(struct vec p)
{
    return (struct vec){(float)p.x, (float)p.y, (float)p.z};
}

double collapse_cost(const struct decimation *d, uint32_t h, struct vec *at)
{
    const uint32_t *t = d->mesh->triangles;
    uint32_t va = t[h], vb = t[halfedge_next(h)];
    struct vec a = mesh_point(d->mesh, va), b = mesh_point(d->mesh, vb);
    struct quadric q = quadric_sum(&d->quadric[va], &d->quadric[vb]);
    struct vec middle = vec_scale(vec_add(a, b), 0.5), edge = vec_sub(b, a);
    double length2 = vec_dot(edge, edge);
    struct vec p = quadric_least(&q, middle), off = vec_sub(p, middle);
    *at = as_floats(p);
    double error = quadric_at(&q, *at), at_a = quadric_at(&q, a), at_b = quadric_at(&q, b);
    double least = at_a < at_b ? at_a : at_b, noise = 1e-9 * length2 * q.area;
    /* Corners stay where they are; so do lonely solutions far away. */
    if (vec_dot(off, off) > 4 * length2 || (error > noise && least < 0.5 * error)) {
        *at = at_a < at_b ? a : b;
        error = least;
    }
    if (error > d->max_error2 * q.area)
        return INFINITY;
    return error + LENGTH_WEIGHT * length2 * q.area;
}

static const struct box box_of_nothing = {{INFINITY, INFINITY, INFINITY},
                                          {-INFINITY, -INFINITY, -INFINITY}};

static void box_add(struct box *box, struct vec p)
{
    const float at[3] = {(float)p.x, (float)p.y, (float)p.z};
    for (int k = 0; k < 3; k++) {
        box->low[k] = at[k] < box->low[k] ? at[k] : box->low[k];
        box->high[k] = at[k] > box->high[k] ? at[k] : box->high[k];
    }
}

static struct box box_of(struct vec a, struct vec b, struct vec c)
{
    struct box box = box_of_nothing;
    box_add(&box, a);
    box_add(&box, b);
    box_add(&box, c);
    return box;
}

/* The triangles that leave at h's start and do not lie on h's edge: from one beyond h round to the
 * one before it. False: too many. */
static bool fan_gather(struct fan *fan, const struct decimation *d, uint32_t h)
{
    const uint32_t *t = d->mesh->triangles;
    int first = fan->count;
    /* h's own triangle and its twin's go; start behind the first. */
    for (uint32_t e = d->twin[halfedge_prev(h)]; e != halfedge_next(d->twin[h]);
         e = d->twin[halfedge_prev(e)]) {
        if (fan->count - first == FAN_MAX)
            return false;
        fan->id[fan->count] = e / 3;
        fan->x[fan->count] = t[halfedge_next(e)];
        fan->y[fan->count++] = t[halfedge_prev(e)];
    }
    return true;
}

/* The two ends may have no neighbour in common but the two that face the edge. x of a fan's
 * triangles are its inner ring: the first x and the last y are those two. */
static bool links_allow(const struct fan *fan, int a_count)
{
    if (a_count < 1 || fan->count - a_count < 1)
        return false;
    for (int i = 1; i < a_count; i++)
        for (int j = a_count + 1; j < fan->count; j++)
            if (fan->x[i] == fan->x[j])
                return false;
    return true;
}

/* Normals, boxes; false where a triangle turns over or becomes a sliver. */
static bool fan_moves(struct fan *fan, const struct decimation *d, const struct collapse *c,
                      uint32_t a, int a_count, uint32_t b)
{
    struct vec old_a = mesh_point(d->mesh, a), old_b = mesh_point(d->mesh, b);
    for (int i = 0; i < fan->count; i++) {
        struct vec x = mesh_point(d->mesh, fan->x[i]), y = mesh_point(d->mesh, fan->y[i]);
        struct vec old = i < a_count ? old_a : old_b;
        struct vec e = vec_sub(x, c->at), f = vec_sub(y, c->at), g = vec_sub(y, x);
        struct vec n = vec_cross(e, f), m = vec_cross(vec_sub(x, old), vec_sub(y, old));
        double nn = vec_dot(n, n), mm = vec_dot(m, m), nm = vec_dot(n, m);
        if (nm <= 0 || nm * nm < TURN_LEAST * TURN_LEAST * nn * mm)
            return false;
        double sides = vec_dot(e, e) + vec_dot(f, f) + vec_dot(g, g);
        /* 12 n^2 / sides^2 is 1 for equal sides. Bad ones may get better. */
        if (12 * nn < SLIVER * SLIVER * sides * sides) {
            struct vec u = vec_sub(x, old), v = vec_sub(y, old);
            double before = vec_dot(u, u) + vec_dot(v, v) + vec_dot(g, g);
            if (nn * before * before < mm * sides * sides || 12 * nn < 1e-8 * sides * sides)
                return false;
        }
        fan->normal[i] = n;
        fan->box[i] = box_of(c->at, x, y);
    }
    return true;
}

static bool folds(struct vec n, struct vec m)
{
    double nm = vec_dot(n, m);
    return nm < 0 && nm * nm > FOLD_MOST * FOLD_MOST * vec_dot(n, n) * vec_dot(m, m);
}

/* Sharp folds against the triangles outside the fan, and between neighbours in it. */
static bool fan_folds(const struct fan *fan, const struct decimation *d)
{
    for (int i = 0; i < fan->count; i++) {
        int next = i + 1 < fan->count ? i + 1 : 0;
        if (folds(fan->normal[i], fan->normal[next]))
            return true;
        /* The halfedge x to y of this triangle. */
        uint32_t h = 3 * fan->id[i];
        while (d->mesh->triangles[h] != fan->x[i])
            h++;
        uint32_t outer = d->twin[h];
        if (folds(fan->normal[i], mesh_normal2(d->mesh, outer / 3)))
            return true;
    }
    return false;
}

/* All normals on one side of their sum: seen from there the fan cannot overlap itself. */
static bool fan_is_open(const struct fan *fan)
{
    struct vec sum = {0};
    for (int i = 0; i < fan->count; i++)
        sum = vec_add(sum, fan->normal[i]);
    for (int i = 0; i < fan->count; i++)
        if (vec_dot(sum, fan->normal[i]) <= 0)
            return false;
    return true;
}

static bool fan_crosses_itself(const struct fan *fan, const struct decimation *d, struct vec at,
                               uint32_t centre)
{
    if (fan_is_open(fan))
        return false;
    for (int i = 0; i < fan->count; i++)
        for (int j = i + 1; j < fan->count; j++) {
            if (!box_touches(&fan->box[i], &fan->box[j]))
                continue;
            const uint32_t one[3] = {centre, fan->x[i], fan->y[i]};
            const uint32_t two[3] = {centre, fan->x[j], fan->y[j]};
            const struct vec p[3] = {at, mesh_point(d->mesh, fan->x[i]),
                                     mesh_point(d->mesh, fan->y[i])};
            const struct vec q[3] = {at, mesh_point(d->mesh, fan->x[j]),
                                     mesh_point(d->mesh, fan->y[j])};
            if (triangles_meet(one, p, two, q))
                return true;
        }
    return false;
}

struct plane {
    struct vec at, normal;
    double blur; /* what rounding may do to a height, for each unit of distance */
};

static struct plane plane_of(struct vec at, struct vec normal)
{
    return (struct plane){at, normal, 1e-14 * (fabs(normal.x) + fabs(normal.y) + fabs(normal.z))};
}

/* 1 or -1 surely above or below; 0 near or in it. */
static int plane_side(const struct plane *plane, struct vec p)
{
    struct vec w = vec_sub(p, plane->at);
    double height = vec_dot(plane->normal, w);
    double blur = plane->blur * (fabs(w.x) + fabs(w.y) + fabs(w.z));
    return height > blur ? 1 : height < -blur ? -1 : 0;
}

/* All corners surely on one side of the plane, but for one that the two triangles share. */
static bool plane_parts(const struct plane *plane, const uint32_t ids[3], const struct vec p[3],
                        const uint32_t other[3])
{
    int above = 0, below = 0, near = 0;
    for (int k = 0; k < 3; k++) {
        int s = plane_side(plane, p[k]);
        above += s > 0;
        below += s < 0;
        near = s ? near : k;
    }
    if (above && below)
        return false;
    if (above + below == 3)
        return true;
    return above + below == 2 &&
           (ids[near] == other[0] || ids[near] == other[1] || ids[near] == other[2]);
}

static bool fan_crosses_others(const struct fan *fan, const struct decimation *d, struct vec at,
                               uint32_t a, uint32_t b, const struct box *region)
{
    uint32_t near[NEAR_MOST];
    int count = cells_near(near, NEAR_MOST, d, region, a, b);
    for (int k = 0; k < count; k++) {
        const struct box box = d->boxes[near[k]];
        const uint32_t *other = d->mesh->triangles + 3 * (size_t)near[k];
        const struct vec q[3] = {mesh_point(d->mesh, other[0]), mesh_point(d->mesh, other[1]),
                                 mesh_point(d->mesh, other[2])};
        struct plane theirs = plane_of(q[0], vec_cross(vec_sub(q[1], q[0]), vec_sub(q[2], q[0])));
        for (int i = 0; i < fan->count; i++) {
            if (!box_touches(&fan->box[i], &box))
                continue;
            const uint32_t one[3] = {b, fan->x[i], fan->y[i]};
            struct plane ours = plane_of(at, fan->normal[i]);
            if (plane_parts(&ours, other, q, one))
                continue;
            const struct vec p[3] = {at, mesh_point(d->mesh, fan->x[i]),
                                     mesh_point(d->mesh, fan->y[i])};
            if (!plane_parts(&theirs, one, p, other) && triangles_meet(one, p, other, q))
                return true;
        }
    }
    return count < 0;
}

void collapse_judge(struct collapse *out, const struct decimation *d, uint32_t h)
{
    struct fan fan;
    uint32_t a = d->mesh->triangles[h], b = d->mesh->triangles[halfedge_next(h)];
    fan.count = 0;
    out->good = false;
    collapse_cost(d, h, &out->at);
    out->region = box_of(out->at, mesh_point(d->mesh, a), mesh_point(d->mesh, b));
    bool fits = fan_gather(&fan, d, h);
    int a_count = fan.count;
    fits = fits && fan_gather(&fan, d, d->twin[h]);
    for (int i = 0; i < fan.count; i++) {
        box_add(&out->region, mesh_point(d->mesh, fan.x[i]));
        box_add(&out->region, mesh_point(d->mesh, fan.y[i]));
    }
    if (!fits || !links_allow(&fan, a_count) || !fan_moves(&fan, d, out, a, a_count, b) ||
        fan_folds(&fan, d) || fan_crosses_itself(&fan, d, out->at, b))
        return;
    struct box after = fan.box[0];
    for (int i = 1; i < fan.count; i++)
        for (int k = 0; k < 3; k++) {
            after.low[k] = fan.box[i].low[k] < after.low[k] ? fan.box[i].low[k] : after.low[k];
            after.high[k] = fan.box[i].high[k] > after.high[k] ? fan.box[i].high[k] : after.high[k];
        }
    out->good = !fan_crosses_others(&fan, d, out->at, a, b, &after);
}

static void pair(struct decimation *d, uint32_t one, uint32_t two)
{
    d->twin[one] = two;
    d->twin[two] = one;
}

struct moved {
    uint32_t triangle;
    struct box before;
};

/* The triangles around h's start but for the two that vanish, with their boxes. */
static int list_fan(struct moved *out, const struct decimation *d, uint32_t h, uint32_t end)
{
    int n = 0;
    for (uint32_t e = d->twin[halfedge_prev(h)]; e != end; e = d->twin[halfedge_prev(e)])
        out[n++] = (struct moved){e / 3, d->boxes[e / 3]};
    return n;
}

/* Half-edges and corners of the two fans become one fan around b. */
static void join_fans(struct decimation *d, uint32_t h, const struct moved *of_a, int count)
{
    uint32_t *t = d->mesh->triangles, a = t[h], b = t[halfedge_next(h)], back = d->twin[h];
    uint32_t c = t[halfedge_prev(h)], e = t[halfedge_prev(back)];
    uint32_t x = d->twin[halfedge_next(h)], y = d->twin[halfedge_prev(h)];
    uint32_t u = d->twin[halfedge_next(back)], v = d->twin[halfedge_prev(back)];
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < 3; k++)
            if (t[3 * (size_t)of_a[i].triangle + k] == a)
                t[3 * (size_t)of_a[i].triangle + k] = b;
    pair(d, x, y);
    pair(d, u, v);
    d->from[a] = GONE;
    d->from[b] = y;
    d->from[c] = x;
    d->from[e] = u;
    d->boxes[h / 3] = d->boxes[back / 3] = box_of_nothing;
    for (uint32_t k = 0; k < 3; k++)
        t[h / 3 * 3 + k] = t[back / 3 * 3 + k] = GONE;
}

/* Boxes after the move, and how many links they need. */
static size_t move_boxes(struct box *now, const struct decimation *d, const struct moved *moved,
                         int count, uint32_t a, uint32_t b, struct vec at)
{
    size_t links = 0;
    for (int i = 0; i < count; i++) {
        const uint32_t *t = d->mesh->triangles + 3 * (size_t)moved[i].triangle;
        struct vec p[3];
        for (int k = 0; k < 3; k++)
            p[k] = t[k] == a || t[k] == b ? at : mesh_point(d->mesh, t[k]);
        now[i] = box_of(p[0], p[1], p[2]);
        links += cells_new(&d->cells, &moved[i].before, &now[i]);
    }
    return links;
}

int collapse_do(struct decimation *d, uint32_t h, const struct collapse *collapse, bool alone,
                struct err *err)
{
    struct moved moved[2 * FAN_MAX];
    struct box now[2 * FAN_MAX];
    uint32_t a = d->mesh->triangles[h], b = d->mesh->triangles[halfedge_next(h)];
    uint32_t back = d->twin[h];
    int count = list_fan(moved, d, h, halfedge_next(back)), of_a = count;
    count += list_fan(moved + count, d, back, halfedge_next(h));
    size_t links = move_boxes(now, d, moved, count, a, b, collapse->at);
    if (links > LINKS_EACH) {
        if (!alone)
            return 1;
        if (cells_make_room(&d->cells, links, err))
            return -1;
    }
    join_fans(d, h, moved, of_a);
    d->quadric[b] = quadric_sum(&d->quadric[a], &d->quadric[b]);
    d->changed[b] = d->pass;
    mesh_point_set(d->mesh, b, collapse->at);
    for (int i = 0; i < count; i++) {
        const uint32_t *t = d->mesh->triangles + 3 * (size_t)moved[i].triangle;
        for (int k = 0; k < 3; k++)
            d->touched[t[k]] = d->pass;
        d->boxes[moved[i].triangle] = now[i];
        cells_add(&d->cells, moved[i].triangle, &moved[i].before, &now[i]);
    }
    return 0;
}
