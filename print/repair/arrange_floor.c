/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes away what lies below a level: only triangles that pass through it are cut, and the section
 * is covered. The new corners lie on the grid, and what is new is tested against what is near. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/measure/topology.h"
#include "print/repair/arrange.h"
#include "print/repair/arrange_parts.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"

#define GAPS 6 /* levels tried */
#define MAX_TESTS 20000000
#define NOT_SEEN INT32_MIN

/* A triangle that passes through: its contour runs from one point of the sketch to the other. */
struct passing {
    uint32_t triangle;
    int32_t turn; /* corner that is alone on its side */
    int32_t from, to;
};

struct floor {
    const struct mesh *mesh;
    double step;
    int32_t level;
    float z;
    struct passing *passing;
    size_t count;
    struct sketch sketch;
    uint64_t spent;
    int32_t *winding; /* per face of the sketch */
    struct mesh out;
    size_t whole; /* triangles of out that are as they were; the others are new */
    bool merged;  /* corners became one by rounding */
};

static float z_of(const struct floor *f, uint32_t v)
{
    return f->mesh->xyz[3 * (size_t)v + 2];
}

static unsigned above(const struct floor *f, size_t triangle)
{
    const uint32_t *v = f->mesh->triangles + 3 * triangle;
    return (z_of(f, v[0]) > f->z) | (unsigned)(z_of(f, v[1]) > f->z) << 1 |
           (unsigned)(z_of(f, v[2]) > f->z) << 2;
}

/* The corner that has the other two on the other side of the level. */
static int32_t lone_corner(unsigned sides)
{
    static const int8_t lone[8] = {-1, 0, 1, 2, 2, 1, 0, -1};
    return lone[sides];
}

/* The same for both triangles of the edge. */
static int32_t edge_point(struct floor *f, uint32_t a, uint32_t b)
{
    const float *p = f->mesh->xyz + 3 * (size_t)(a < b ? a : b);
    const float *q = f->mesh->xyz + 3 * (size_t)(a < b ? b : a);
    double share = ((double)f->z - p[2]) / ((double)q[2] - p[2]);
    struct spot spot = {{0, 0, f->level}, 1};
    for (int k = 0; k < 2; k++)
        spot.x[k] = (int128)rint((p[k] + share * ((double)q[k] - p[k])) / f->step);
    return sketch_add_spot(&f->sketch, &spot);
}

static int list_passing(struct floor *f)
{
    const size_t n = f->mesh->triangle_count;
    for (size_t t = 0; t < n; t++)
        f->count += lone_corner(above(f, t)) >= 0;
    f->passing = malloc((f->count + 1) * sizeof *f->passing);
    if (!f->passing)
        return -1;
    f->count = 0;
    for (size_t t = 0; t < n; t++) {
        int32_t turn = lone_corner(above(f, t));
        if (turn >= 0)
            f->passing[f->count++] = (struct passing){.triangle = (uint32_t)t, .turn = turn};
    }
    return f->count ? 0 : 1;
}

/* The contour has the inside at its left, seen from above. */
static int put_points(struct floor *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct passing *p = &f->passing[i];
        const uint32_t *v = f->mesh->triangles + 3 * (size_t)p->triangle;
        uint32_t a = v[p->turn], b = v[(p->turn + 1) % 3], c = v[(p->turn + 2) % 3];
        int32_t ab = edge_point(f, a, b), ca = edge_point(f, c, a);
        if (ab < 0 || ca < 0)
            return -1;
        p->from = z_of(f, a) > f->z ? ab : ca;
        p->to = z_of(f, a) > f->z ? ca : ab;
        f->merged |= p->from == p->to;
    }
    return 0;
}

/* 1 where lines cross, or more than one contour goes through a point. */
static int draw_contour(struct floor *f)
{
    struct sketch *s = &f->sketch;
    const int32_t points = s->point_count;
    uint8_t *used = calloc((size_t)points + 1, 1);
    int state = used ? 0 : -1;
    for (size_t i = 0; i < f->count && !state; i++) {
        const struct passing *p = &f->passing[i];
        if (p->from == p->to)
            continue;
        state = (used[p->from] & 1) || (used[p->to] & 2);
        used[p->from] |= 1;
        used[p->to] |= 2;
        struct plane line =
            plane_upright(s->points[p->from].rounded, s->points[p->to].rounded, s->axis[2]);
        int32_t number = sketch_add_line(s, &line);
        if (!state && (number < 0 || sketch_draw(s, p->from, p->to, number)))
            state = -1;
        state = state ? state : s->point_count != points;
    }
    free(used);
    return state;
}

/* net: per edge of a face, how many more contours run along it than against it. */
static int count_contours(int32_t *net, const struct floor *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct passing *p = &f->passing[i];
        int32_t left, right;
        int at_left, at_right;
        if (p->from == p->to)
            continue;
        if (!sketch_find_edge(&f->sketch, p->from, p->to, &left, &at_left) ||
            !sketch_find_edge(&f->sketch, p->to, p->from, &right, &at_right))
            return 1;
        net[3 * left + at_left]++;
        net[3 * right + at_right]--;
    }
    return 0;
}

/* From the rim inwards; 1 where it does not come out as inside and outside. */
static int spread(struct floor *f, const int32_t *net, int32_t *queue)
{
    const struct sketch *s = &f->sketch;
    int32_t first = 0, end = 0, start = 0;
    for (int32_t i = 0; i < s->face_count; i++) {
        const int32_t *c = s->faces[i].corner;
        f->winding[i] = NOT_SEEN;
        if (c[0] < 3 || c[1] < 3 || c[2] < 3)
            start = i;
    }
    f->winding[start] = 0;
    for (queue[end++] = start; first < end; first++)
        for (int i = 0; i < 3; i++) {
            int32_t face = queue[first], next = s->faces[face].across[i];
            if (next < 0)
                continue;
            int32_t winding = f->winding[face] - net[3 * face + i];
            if (f->winding[next] == NOT_SEEN && (winding == 0 || winding == 1)) {
                f->winding[next] = winding;
                queue[end++] = next;
            }
            if (f->winding[next] != winding)
                return 1;
        }
    return 0;
}

static int find_inside(struct floor *f)
{
    size_t faces = (size_t)f->sketch.face_count;
    int32_t *net = calloc(3 * faces + 1, sizeof *net), *queue = malloc((faces + 1) * sizeof *queue);
    f->winding = malloc((faces + 1) * sizeof *f->winding);
    int state = net && queue && f->winding ? count_contours(net, f) : -1;
    if (!state)
        state = spread(f, net, queue);
    free(net);
    free(queue);
    return state;
}

static void add_triangle(struct floor *f, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t *t = f->out.triangles + 3 * f->out.triangle_count;
    if (a == b || b == c || c == a)
        return;
    t[0] = a, t[1] = b, t[2] = c;
    f->out.triangle_count++;
}

/* What of a triangle lies above. */
static void add_rest(struct floor *f, const struct passing *p, uint32_t base)
{
    const uint32_t *v = f->mesh->triangles + 3 * (size_t)p->triangle;
    uint32_t a = v[p->turn], b = v[(p->turn + 1) % 3], c = v[(p->turn + 2) % 3];
    uint32_t from = base + (uint32_t)p->from, to = base + (uint32_t)p->to;
    if (z_of(f, a) > f->z) {
        add_triangle(f, a, from, to);
        return;
    }
    add_triangle(f, b, c, from); /* from lies on c a, to on a b */
    add_triangle(f, b, from, to);
}

static void add_cap(struct floor *f, uint32_t base)
{
    const struct sketch *s = &f->sketch;
    for (int32_t i = 0; i < s->face_count; i++) {
        const int32_t *c = s->faces[i].corner;
        if (f->winding[i] == 1)
            add_triangle(f, base + (uint32_t)c[0], base + (uint32_t)c[2], base + (uint32_t)c[1]);
    }
}

static int put_together(struct floor *f, struct err *err)
{
    const struct mesh *mesh = f->mesh;
    const struct sketch *s = &f->sketch;
    const size_t points = (size_t)s->point_count, n = mesh->triangle_count;
    if (mesh_alloc(&f->out, mesh->vertex_count + points, n + f->count + (size_t)s->face_count, err))
        return -1;
    memcpy(f->out.xyz, mesh->xyz, mesh->vertex_count * 3 * sizeof *mesh->xyz);
    for (size_t i = 0; i < 3 * points; i++)
        f->out.xyz[3 * mesh->vertex_count + i] = (float)(s->points[i / 3].rounded[i % 3] * f->step);
    f->out.triangle_count = 0;
    for (size_t t = 0; t < n; t++)
        if (above(f, t) == 7)
            memcpy(f->out.triangles + 3 * f->out.triangle_count++, mesh->triangles + 3 * t,
                   3 * sizeof(uint32_t));
    f->whole = f->out.triangle_count;
    for (size_t i = 0; i < f->count; i++)
        add_rest(f, &f->passing[i], (uint32_t)mesh->vertex_count);
    add_cap(f, (uint32_t)mesh->vertex_count);
    return 0;
}

/* The new triangles against all that reach down to them; 1: some meet. */
static int look_for_crossings(const struct floor *f, struct err *err)
{
    const size_t n = f->out.triangle_count;
    float top = f->z;
    struct mesh near = f->out;
    struct bvh bvh = {0};
    struct bvh_pairs pairs = {0};
    uint8_t *dirty = malloc(n + 1);
    near.triangles = malloc((3 * n + 1) * sizeof *near.triangles);
    near.triangle_count = 0;
    int state = dirty && near.triangles ? 0 : FAIL(err, ERR_LIMIT, "no memory to look at the foot");
    for (size_t h = 3 * f->whole; h < 3 * n; h++)
        top = fmaxf(top, f->out.xyz[3 * (size_t)f->out.triangles[h] + 2]);
    for (size_t t = 0; t < n && !state; t++) {
        const uint32_t *v = f->out.triangles + 3 * t;
        float low = f->out.xyz[3 * (size_t)v[0] + 2];
        low = fminf(low, fminf(f->out.xyz[3 * (size_t)v[1] + 2], f->out.xyz[3 * (size_t)v[2] + 2]));
        if (low > top)
            continue;
        memcpy(near.triangles + 3 * near.triangle_count, v, 3 * sizeof *v);
        dirty[near.triangle_count++] = t >= f->whole;
    }
    struct bvh_pair_options options = {.max_tests = MAX_TESTS, .max_pairs = 1, .dirty = dirty};
    options.copies = true;
    if (!state && (bvh_build(&bvh, &near, err) || bvh_meeting_pairs(&pairs, &bvh, &options, err)))
        state = -1;
    state = state ? state : pairs.count > 0 || pairs.gave_up;
    bvh_pairs_free(&pairs);
    bvh_free(&bvh);
    free(near.triangles);
    free(dirty);
    return state;
}

/* Where corners became one, edges may have too. */
static int look_at_edges(const struct floor *f, struct err *err)
{
    struct topology t;
    if (!f->merged)
        return 0;
    if (topology_build(&t, &f->out, err))
        return -1;
    int state = !topology_is_solid(&t);
    topology_free(&t);
    return state;
}

static int begin(struct floor *f)
{
    /* Around all that has coordinates on the grid, below 2^22. */
    const int32_t far = 0xf80000, low = -0x600000;
    const int32_t a[3] = {-far, low, f->level}, b[3] = {far, low, f->level};
    const int32_t c[3] = {0, far, f->level};
    struct tile tile = tile_make(a, b, c);
    f->sketch.spent = &f->spent;
    return sketch_begin(&f->sketch, &tile);
}

static int cut_at(struct floor *f, struct err *err)
{
    int state = begin(f);
    state = state ? state : list_passing(f);
    state = state ? state : put_points(f);
    state = state ? state : draw_contour(f);
    state = state ? state : find_inside(f);
    if (state < 0)
        return FAIL(err, ERR_LIMIT, "no memory to cut a foot");
    state = state ? state : put_together(f, err);
    state = state ? state : look_for_crossings(f, err);
    return state ? state : look_at_edges(f, err);
}

static int by_height(const void *a, const void *b)
{
    const float p = *(const float *)a, q = *(const float *)b;
    return (p > q) - (p < q);
}

/* Levels within reach of z in the middle of the widest gaps between corners, widest first. */
static int choose_levels(int32_t levels[GAPS], const struct mesh *mesh, double step, double z,
                         double reach, struct err *err)
{
    float *heights = malloc((mesh->vertex_count + 2) * sizeof *heights);
    double widths[GAPS];
    size_t n = 0;
    int count = 0;
    if (!heights)
        return FAIL(err, ERR_LIMIT, "no memory to choose a level");
    heights[n++] = (float)(z - reach);
    heights[n++] = (float)(z + reach);
    for (size_t v = 0; v < mesh->vertex_count; v++)
        if (fabs(mesh->xyz[3 * v + 2] - z) < reach)
            heights[n++] = mesh->xyz[3 * v + 2];
    qsort(heights, n, sizeof *heights, by_height);
    for (size_t i = 0; i + 1 < n; i++) {
        double width = (double)heights[i + 1] - heights[i];
        double at = rint(((double)heights[i + 1] + heights[i]) / 2 / step);
        if (at * step <= heights[i] || at * step >= heights[i + 1])
            continue;
        int place = count < GAPS ? count++ : GAPS;
        for (; place > 0 && widths[place - 1] < width; place--)
            if (place < GAPS) {
                widths[place] = widths[place - 1];
                levels[place] = levels[place - 1];
            }
        if (place < GAPS) {
            widths[place] = width;
            levels[place] = (int32_t)at;
        }
    }
    free(heights);
    return count;
}

int mesh_cut_floor(struct mesh *mesh, double *z, double reach, struct err *err)
{
    int32_t levels[GAPS];
    double step = mesh_grid_step(mesh);
    int count = step > 0 ? choose_levels(levels, mesh, step, *z, reach, err) : 0;
    int state = count < 0 ? -1 : 1;
    for (int i = 0; i < count && state == 1; i++) {
        struct floor f = {.mesh = mesh, .step = step, .level = levels[i]};
        f.z = (float)(levels[i] * step);
        state = cut_at(&f, err);
        if (state == 0) {
            mesh_free(mesh);
            *mesh = f.out;
            f.out = (struct mesh){0};
            *z = f.z;
        }
        mesh_free(&f.out);
        sketch_free(&f.sketch);
        free(f.passing);
        free(f.winding);
    }
    return state ? state : mesh_compact(mesh, err);
}
