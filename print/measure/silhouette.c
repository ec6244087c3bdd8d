/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outlines of the mesh from many sides, each one a small grid of bits, against that of the photo.
 */
#include "print/measure/silhouette.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"

#define SIDE 64
#define DEG 0.017453292519943295
#define YAW_STEP 12
#define YAWS (360 / YAW_STEP)
#define LOWEST (-15)
#define ELEVATIONS 5     /* in steps of 15 degrees */
#define SMALL_MOST 40000 /* small triangles that are drawn */
#define CLOSER 3         /* looks that are refined */
#define USUAL 5.0        /* distance of the eye that is tried first, in radii: a portrait's */

/* A shape cropped to its box: one row of the grid is one word. */
struct outline {
    uint64_t rows[SIDE];
    double aspect; /* width over height of the box */
};

static bool in_mask(const struct picture *mask, bool by_alpha, size_t i)
{
    const uint8_t *p = mask->rgba + 4 * i;
    return by_alpha ? p[3] >= 128 : (p[0] * 2 + p[1] * 5 + p[2]) / 8 >= 128;
}

struct box {
    uint32_t left, top, right, bottom; /* right and bottom are one beyond */
};

static struct box mask_box(const struct picture *mask, bool by_alpha, size_t *count)
{
    struct box box = {mask->width, mask->height, 0, 0};
    *count = 0;
    for (uint32_t y = 0; y < mask->height; y++)
        for (uint32_t x = 0; x < mask->width; x++) {
            if (!in_mask(mask, by_alpha, (size_t)y * mask->width + x))
                continue;
            ++*count;
            box.left = x < box.left ? x : box.left;
            box.right = x + 1 > box.right ? x + 1 : box.right;
            box.top = y < box.top ? y : box.top;
            box.bottom = y + 1;
        }
    return box;
}

/* A cell is set when half of the pixels at 4 x 4 places in it are. */
static int mask_outline(struct outline *out, const struct picture *mask, struct err *err)
{
    size_t pixels = (size_t)mask->width * mask->height, count;
    bool by_alpha = false;
    for (size_t i = 0; i < pixels && !by_alpha; i++)
        by_alpha = mask->rgba[4 * i + 3] < 128;
    struct box box = mask_box(mask, by_alpha, &count);
    if (count == 0 || count == pixels)
        return FAIL_CODE(err, ERR_INPUT, "mask_empty", "the photo's mask shows no figure");
    double w = box.right - box.left, h = box.bottom - box.top;
    *out = (struct outline){.aspect = w / h};
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int hits = 0;
            for (int k = 0; k < 16; k++) {
                double u = (x + (k % 4 + 0.5) / 4) / SIDE, v = (y + (k / 4 + 0.5) / 4) / SIDE;
                size_t px = box.left + (size_t)(u * w), py = box.top + (size_t)(v * h);
                hits += in_mask(mask, by_alpha, py * mask->width + px);
            }
            out->rows[y] |= (uint64_t)(hits >= 8) << x;
        }
    return 0;
}

/* From where: the distance is in radii of the mesh's ball. */
struct look {
    double yaw, down, distance, iou;
};

/* Vertices as the eye sees them: x right, y down. */
struct flat {
    float *xy;
    float low[2], high[2];
};

struct subject {
    const struct mesh *mesh;
    double centre[3], radius;
};

static struct subject subject_of(const struct mesh *mesh)
{
    double low[3], high[3], square = 0;
    struct subject subject = {.mesh = mesh};
    mesh_bounds(mesh, low, high);
    for (int k = 0; k < 3; k++) {
        subject.centre[k] = (low[k] + high[k]) / 2;
        square += (high[k] - low[k]) * (high[k] - low[k]);
    }
    subject.radius = fmax(sqrt(square) / 2, 1e-9);
    return subject;
}

static void flatten(struct flat *flat, const struct subject *subject, const struct look *look)
{
    float c = (float)cos(look->yaw * DEG), s = (float)sin(look->yaw * DEG);
    float ce = (float)cos(look->down * DEG), se = (float)sin(look->down * DEG);
    float far = (float)(look->distance * subject->radius), nearest = far * 0.1f;
    float lx = INFINITY, ly = INFINITY, hx = -INFINITY, hy = -INFINITY;
    const struct mesh *mesh = subject->mesh;
    const float m[3] = {(float)subject->centre[0], (float)subject->centre[1],
                        (float)subject->centre[2]};
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        const float *f = mesh->xyz + 3 * v;
        float p[3] = {f[0] - m[0], f[1] - m[1], f[2] - m[2]};
        float away = s * p[0] - c * p[1]; /* towards the eye, along the ground */
        float depth = far - ce * away - se * p[2];
        float scale = 1 / (depth > nearest ? depth : nearest); /* stray vertices may lie anywhere */
        float x = (c * p[0] + s * p[1]) * scale, y = (se * away - ce * p[2]) * scale;
        flat->xy[2 * v] = x;
        flat->xy[2 * v + 1] = y;
        lx = x < lx ? x : lx, hx = x > hx ? x : hx;
        ly = y < ly ? y : ly, hy = y > hy ? y : hy;
    }
    flat->low[0] = lx, flat->low[1] = ly;
    flat->high[0] = hx, flat->high[1] = hy;
}

/* The bits of cells first .. last of a row, clipped. */
static uint64_t span(int first, int last)
{
    first = first < 0 ? 0 : first;
    last = last > SIDE - 1 ? SIDE - 1 : last;
    if (first > last)
        return 0;
    return (~(uint64_t)0 >> (SIDE - 1 - (last - first))) << first;
}

/* Sets the cells whose middles the triangle covers, and the one it lies in when it is smaller. */
static void fill_triangle(uint64_t *rows, const float *a, const float *b, const float *c)
{
    float left = fminf(a[0], fminf(b[0], c[0])), right = fmaxf(a[0], fmaxf(b[0], c[0]));
    float top = fminf(a[1], fminf(b[1], c[1])), bottom = fmaxf(a[1], fmaxf(b[1], c[1]));
    if (right - left < 1 && bottom - top < 1) {
        int x = (int)((left + right) / 2), y = (int)((top + bottom) / 2);
        rows[y > SIDE - 1 ? SIDE - 1 : y] |= span(x, x);
        return;
    }
    const float *corners[4] = {a, b, c, a};
    int last = bottom > SIDE ? SIDE - 1 : (int)ceilf(bottom - 0.5f) - 1;
    for (int y = (int)ceilf(top - 0.5f); y <= last; y++) {
        float at = (float)y + 0.5f, from = INFINITY, to = -INFINITY;
        for (int k = 0; k < 3; k++) {
            const float *p = corners[k], *q = corners[k + 1];
            if ((p[1] <= at) == (q[1] <= at))
                continue;
            float x = p[0] + (at - p[1]) / (q[1] - p[1]) * (q[0] - p[0]);
            from = fminf(from, x);
            to = fmaxf(to, x);
        }
        if (from <= to && y >= 0 && y < SIDE)
            rows[y] |= span((int)ceilf(from - 0.5f), (int)floorf(to - 0.5f));
    }
}

static void mesh_outline(struct outline *out, struct flat *flat, const struct subject *subject,
                         const struct look *look)
{
    const struct mesh *mesh = subject->mesh;
    flatten(flat, subject, look);
    float w = fmaxf(flat->high[0] - flat->low[0], 1e-9f);
    float h = fmaxf(flat->high[1] - flat->low[1], 1e-9f);
    *out = (struct outline){.aspect = (double)w / (double)h};
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        flat->xy[2 * v] = (flat->xy[2 * v] - flat->low[0]) * (SIDE / w);
        flat->xy[2 * v + 1] = (flat->xy[2 * v + 1] - flat->low[1]) * (SIDE / h);
    }
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *v = mesh->triangles + 3 * t;
        fill_triangle(out->rows, flat->xy + 2 * (size_t)v[0], flat->xy + 2 * (size_t)v[1],
                      flat->xy + 2 * (size_t)v[2]);
    }
}

static double overlap(const struct outline *a, const struct outline *b)
{
    int both = 0, any = 0;
    for (int y = 0; y < SIDE; y++) {
        both += __builtin_popcountll(a->rows[y] & b->rows[y]);
        any += __builtin_popcountll(a->rows[y] | b->rows[y]);
    }
    double iou = any ? (double)both / any : 0;
    return iou * fmin(a->aspect / b->aspect, b->aspect / a->aspect);
}

/* Fills in the looks' iou; each thread has its own flattened vertices. */
static int judge(struct look *looks, int count, const struct subject *subject,
                 const struct outline *photo, struct err *err)
{
    const struct mesh *mesh = subject->mesh;
    int failed = 0;
#pragma omp parallel
    {
        struct flat flat = {.xy = malloc((mesh->vertex_count + 1) * 2 * sizeof *flat.xy)};
        struct outline outline;
        if (!flat.xy) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(dynamic, 1)
        for (int i = 0; i < count; i++) {
            if (!flat.xy)
                continue;
            mesh_outline(&outline, &flat, subject, &looks[i]);
            looks[i].iou = overlap(&outline, photo);
        }
        free(flat.xy);
    }
    return failed ? FAIL(err, ERR_LIMIT, "no memory to look at %zu points", mesh->vertex_count) : 0;
}

static struct look best_of(const struct look *looks, int count, struct look best)
{
    for (int i = 0; i < count; i++)
        if (looks[i].iou > best.iou)
            best = looks[i];
    return best;
}

/* Other distances, and closer round a look. */
static int refine(struct look *best, const struct subject *subject, const struct outline *photo,
                  struct err *err)
{
    static const double distances[] = {2.5, 3.5, 8, 1000};
    struct look looks[12];
    for (double step = YAW_STEP / 2.0; step > 1; step /= 2) {
        int count = 0;
        struct look middle = *best;
        for (int k = 0; k < 9; k++) {
            looks[count] = middle;
            looks[count].yaw += (k % 3 - 1) * step;
            looks[count].down += (k / 3 - 1) * step;
            count += k != 4;
        }
        for (int k = 0; k < 4; k++) {
            looks[count] = middle;
            looks[count++].distance = distances[k];
        }
        if (judge(looks, count, subject, photo, err))
            return -1;
        *best = best_of(looks, count, *best);
    }
    return 0;
}

/* All round at a usual distance; then closer round the best few that are not neighbours. */
static int find_best(struct look *best, const struct subject *subject, const struct outline *photo,
                     struct err *err)
{
    struct look looks[YAWS * ELEVATIONS];
    int count = YAWS * ELEVATIONS;
    for (int i = 0; i < count; i++)
        looks[i] = (struct look){
            .yaw = i % YAWS * YAW_STEP, .down = LOWEST + i / YAWS * 15, .distance = USUAL};
    if (judge(looks, count, subject, photo, err))
        return -1;
    *best = (struct look){.iou = -1};
    for (int n = 0; n < CLOSER; n++) {
        struct look one = best_of(looks, count, (struct look){.iou = -1}), coarse = one;
        if (one.iou < 0)
            break;
        if (refine(&one, subject, photo, err))
            return -1;
        *best = best_of(&one, 1, *best);
        for (int i = 0; i < count; i++)
            if (fabs(remainder(looks[i].yaw - coarse.yaw, 360)) < 3 * YAW_STEP)
                looks[i].iou = -1;
    }
    return 0;
}

/* Whether a triangle is smaller than half a cell can be, from any side. */
static bool is_small(const struct mesh *mesh, size_t t, double limit)
{
    struct vec a = mesh_corner(mesh, t, 0), b = mesh_corner(mesh, t, 1),
               c = mesh_corner(mesh, t, 2);
    struct vec ab = vec_sub(b, a), ac = vec_sub(c, a), bc = vec_sub(c, b);
    double most = fmax(vec_dot(ab, ab), fmax(vec_dot(ac, ac), vec_dot(bc, bc)));
    return most < limit * limit;
}

/* A mesh of the large triangles and some of the small ones: many small ones share a cell, and one
 * of them fills it. */
static int thin_out(struct mesh *out, const struct mesh *mesh, double radius, struct err *err)
{
    size_t small = 0, kept = 0, used = 0, nth = 0;
    double limit = radius / SIDE;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        small += is_small(mesh, t, limit);
    size_t step = small / SMALL_MOST + 1;
    uint32_t *map = malloc((mesh->vertex_count + 1) * sizeof *map);
    if (!map || mesh_alloc(out, mesh->vertex_count, mesh->triangle_count, err)) {
        free(map);
        return FAIL(err, ERR_LIMIT, "no memory to look at %zu points", mesh->vertex_count);
    }
    memset(map, 0xff, mesh->vertex_count * sizeof *map);
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        if (is_small(mesh, t, limit) && nth++ % step != 0)
            continue;
        for (int c = 0; c < 3; c++) {
            uint32_t v = mesh->triangles[3 * t + (size_t)c];
            if (map[v] == UINT32_MAX) {
                map[v] = (uint32_t)used;
                memcpy(out->xyz + 3 * used++, mesh->xyz + 3 * (size_t)v, 3 * sizeof(float));
            }
            out->triangles[3 * kept + (size_t)c] = map[v];
        }
        kept++;
    }
    free(map);
    out->vertex_count = used;
    out->triangle_count = kept;
    return 0;
}

int mesh_silhouette_match(struct silhouette_match *out, const struct mesh *mesh,
                          const struct picture *mask, struct err *err)
{
    struct outline photo;
    struct look best;
    if (mesh->triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "the mesh has no outline");
    struct subject subject = subject_of(mesh);
    struct mesh less = {0};
    if (mask_outline(&photo, mask, err) || thin_out(&less, mesh, subject.radius, err))
        return -1;
    subject.mesh = &less;
    int failed = find_best(&best, &subject, &photo, err);
    mesh_free(&less);
    if (failed)
        return -1;
    *out = (struct silhouette_match){
        .iou = best.iou, .yaw_deg = fmod(best.yaw + 360, 360), .elevation_deg = best.down};
    return 0;
}
