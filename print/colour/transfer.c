/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Colours over to another mesh; see transfer.h. Preparation leaves most triangles as they were, so
 * those are found by their corners first; the rest asks the tree for the nearest surface.
 */
#include "print/colour/transfer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"

/* Weights of points spread evenly over a triangle: the middles of 4 and of 16 equal parts. */
struct spread {
    int count;
    double at[16][3];
};

static void spread_fill(struct spread *spread, int rows)
{
    spread->count = 0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows - i; j++) {
            double a = (i + 1 / 3.0) / rows, b = (j + 1 / 3.0) / rows;
            memcpy(spread->at[spread->count++], (double[3]){a, b, 1 - a - b}, sizeof spread->at[0]);
            if (j == rows - i - 1)
                continue;
            a = (i + 2 / 3.0) / rows, b = (j + 2 / 3.0) / rows;
            memcpy(spread->at[spread->count++], (double[3]){a, b, 1 - a - b}, sizeof spread->at[0]);
        }
}

/* ---- triangles that are the same in both ---- */

/* An open hash table of in's triangles by their corners, turned so that the lowest comes first. */
struct twins {
    const struct mesh *in;
    uint32_t *slot; /* triangle + 1, or 0 */
    uint64_t mask;
};

static int lowest_corner(float at[9], const struct mesh *mesh, size_t t)
{
    float p[3][3];
    int low = 0;
    for (int c = 0; c < 3; c++) {
        memcpy(p[c], mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + (size_t)c], sizeof p[c]);
        for (int k = 0; k < 3; k++)
            p[c][k] += 0.0f; /* -0 becomes 0 */
        if (memcmp(p[c], p[low], sizeof p[c]) < 0)
            low = c;
    }
    for (int c = 0; c < 3; c++)
        memcpy(at + 3 * c, p[(low + c) % 3], sizeof p[c]);
    return low;
}

static uint64_t mix(const float at[9])
{
    uint32_t words[9];
    uint64_t sum = 0x9e3779b97f4a7c15u;
    memcpy(words, at, sizeof words);
    for (int i = 0; i < 9; i++)
        sum = (sum ^ words[i]) * 0xff51afd7ed558ccdu, sum ^= sum >> 32;
    return sum;
}

static int twins_open(struct twins *twins, const struct mesh *in, struct err *err)
{
    size_t room = 16;
    while (room < 2 * in->triangle_count)
        room *= 2;
    *twins = (struct twins){in, calloc(room, sizeof *twins->slot), room - 1};
    if (!twins->slot)
        return FAIL(err, ERR_LIMIT, "no memory to find equal triangles");
    for (size_t t = 0; t < in->triangle_count; t++) {
        float at[9];
        lowest_corner(at, in, t);
        uint64_t i = mix(at) & twins->mask;
        while (twins->slot[i])
            i = (i + 1) & twins->mask;
        twins->slot[i] = (uint32_t)t + 1;
    }
    return 0;
}

/* The first of in's triangles with the same corners and which of its corners is out's first; -1
 * when there is none. */
static int64_t twins_find(const struct twins *twins, const struct mesh *out, size_t t, int *turn)
{
    float at[9], other[9];
    int low = lowest_corner(at, out, t);
    uint64_t i = mix(at) & twins->mask;
    for (; twins->slot[i]; i = (i + 1) & twins->mask) {
        size_t found = twins->slot[i] - 1;
        int its_low = lowest_corner(other, twins->in, found);
        if (memcmp(at, other, sizeof at) == 0) {
            *turn = (its_low - low + 3) % 3;
            return (int64_t)found;
        }
    }
    return -1;
}

/* ---- colours ---- */

struct transfer {
    const struct mesh *out, *in;
    const struct skin *skin;
    struct twins twins;
    struct bvh bvh;
    struct spread few, many;
    double large2; /* squared area of a large triangle, doubled */
};

static void keep_light(uint8_t rgb[3], const double sum[3], int count)
{
    for (int k = 0; k < 3; k++)
        rgb[k] = skin_from_light((float)(sum[k] / count));
}

static const struct spread *choose_spread(const struct transfer *x, size_t t)
{
    struct vec n = mesh_normal2(x->out, t);
    return vec_dot(n, n) > x->large2 ? &x->many : &x->few;
}

static const double middle[3] = {1 / 3.0, 1 / 3.0, 1 / 3.0};

/* Without a picture colours run evenly between the corners: the middle's is the mean. */
static bool is_even(const struct skin *skin, size_t t)
{
    size_t number = skin->material ? skin->material[t] : 0;
    return !skin->uv || number >= skin->material_count || skin->materials[number].picture < 0;
}

static void colour_middle(uint8_t rgb[3], const struct transfer *x, size_t t, const double b[3])
{
    float light[3];
    skin_light(light, x->skin, x->in, t, b);
    keep_light(rgb, (double[3]){(double)light[0], (double)light[1], (double)light[2]}, 1);
}

static void colour_twin(uint8_t rgb[3], const struct transfer *x, size_t t, size_t twin, int turn)
{
    const struct spread *spread = choose_spread(x, t);
    double sum[3] = {0};
    if (is_even(x->skin, twin)) {
        colour_middle(rgb, x, twin, middle);
        return;
    }
    for (int i = 0; i < spread->count; i++) {
        double b[3];
        float light[3];
        for (int c = 0; c < 3; c++)
            b[(c + turn) % 3] = spread->at[i][c];
        skin_light(light, x->skin, x->in, twin, b);
        for (int k = 0; k < 3; k++)
            sum[k] += (double)light[k];
    }
    keep_light(rgb, sum, spread->count);
}

/* Weights of a point that lies on a triangle; of one without area, its nearest corner's. */
static void weights(double b[3], const struct mesh *mesh, size_t t, struct vec p)
{
    struct vec a = mesh_corner(mesh, t, 0), u = vec_sub(mesh_corner(mesh, t, 1), a);
    struct vec v = vec_sub(mesh_corner(mesh, t, 2), a), w = vec_sub(p, a);
    double uu = vec_dot(u, u), uv = vec_dot(u, v), vv = vec_dot(v, v), det = uu * vv - uv * uv;
    double s = vec_dot(w, u), r = vec_dot(w, v);
    b[1] = det > 0 ? (vv * s - uv * r) / det : 0;
    b[2] = det > 0 ? (uu * r - uv * s) / det : 0;
    b[1] = b[1] < 0 ? 0 : b[1] > 1 ? 1 : b[1];
    b[2] = b[2] < 0 ? 0 : b[2] > 1 - b[1] ? 1 - b[1] : b[2];
    b[0] = 1 - b[1] - b[2];
}

/* What the last query found: its distance bounds how far the next one's nearest can be. */
struct hint {
    struct vec at;
    bool known;
};

static uint32_t ask_nearest(struct vec *at, struct hint *hint, const struct bvh *bvh, struct vec p)
{
    uint32_t found = UINT32_MAX;
    if (hint->known) {
        double within = vec_length(vec_sub(p, hint->at)) * (1 + 1e-9) + 1e-12;
        bvh_nearest(bvh, p, within, at, &found);
    }
    if (found == UINT32_MAX)
        bvh_nearest(bvh, p, 1e30, at, &found);
    *hint = (struct hint){*at, true};
    return found;
}

static struct vec point_of(const struct vec corner[3], const double s[3])
{
    return vec_add(vec_add(vec_scale(corner[0], s[0]), vec_scale(corner[1], s[1])),
                   vec_scale(corner[2], s[2]));
}

static void colour_nearest(uint8_t rgb[3], const struct transfer *x, size_t t, struct hint *hint)
{
    const struct spread *spread = choose_spread(x, t);
    struct vec corner[3], at;
    double sum[3] = {0}, b[3];
    for (int c = 0; c < 3; c++)
        corner[c] = mesh_corner(x->out, t, c);
    uint32_t found = ask_nearest(&at, hint, &x->bvh, point_of(corner, middle));
    if (spread == &x->few && is_even(x->skin, found)) {
        weights(b, x->in, found, at);
        colour_middle(rgb, x, found, b);
        return;
    }
    for (int i = 0; i < spread->count; i++) {
        float light[3];
        found = ask_nearest(&at, hint, &x->bvh, point_of(corner, spread->at[i]));
        weights(b, x->in, found, at);
        skin_light(light, x->skin, x->in, found, b);
        for (int k = 0; k < 3; k++)
            sum[k] += (double)light[k];
    }
    keep_light(rgb, sum, spread->count);
}

#define NOT_YET UINT32_MAX
#define COLOURED (UINT32_MAX - 1)
#define SKIPS 16

#define STRETCH 1024 /* triangles that hand on their hint: the same for any number of threads */

static void colour_stretch(uint8_t (*rgb)[3], const uint32_t *twin, const struct transfer *x,
                           size_t first)
{
    struct hint hint = {.known = false};
    size_t end = first + STRETCH;
    for (size_t t = first; t < end && t < x->out->triangle_count; t++)
        if (twin[t] == NOT_YET)
            colour_nearest(rgb[t], x, t, &hint);
}

/* Triangles of four times the mean area are looked at more closely. */
static double large_area2(const struct mesh *mesh)
{
    double sum = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        sum += vec_length(mesh_normal2(mesh, t));
    double large = 4 * sum / (double)(mesh->triangle_count ? mesh->triangle_count : 1);
    return large * large;
}

static bool is_same(const struct mesh *a, size_t i, const struct mesh *b, size_t j)
{
    for (size_t c = 0; c < 3; c++) {
        const float *p = a->xyz + 3 * (size_t)a->triangles[3 * i + c];
        const float *q = b->xyz + 3 * (size_t)b->triangles[3 * j + c];
        if (p[0] != q[0] || p[1] != q[1] || p[2] != q[2])
            return false;
    }
    return true;
}

/* Most triangles keep their order, but for some that went: those are found by walking along both
 * lists, 40 times as fast as by the table. Returns how many are left. */
static size_t walk_along(uint32_t *twin, const struct transfer *x)
{
    size_t at = 0, left = 0;
    for (size_t t = 0; t < x->out->triangle_count; t++) {
        size_t skip = 0;
        while (skip < SKIPS && at + skip < x->in->triangle_count &&
               !is_same(x->out, t, x->in, at + skip))
            skip++;
        bool found = skip < SKIPS && at + skip < x->in->triangle_count;
        twin[t] = found ? (uint32_t)(at + skip) : NOT_YET;
        at = found ? at + skip + 1 : at;
        left += !found;
    }
    return left;
}

/* Colours what has a twin somewhere; returns how many have none. */
static size_t colour_twins(uint8_t (*rgb)[3], uint32_t *twin, const struct transfer *x)
{
    size_t left = 0;
#pragma omp parallel for schedule(static, 4096) reduction(+ : left)
    for (size_t t = 0; t < x->out->triangle_count; t++) {
        int turn = 0;
        int64_t found = twin[t] != NOT_YET ? (int64_t)twin[t]
                        : x->twins.slot    ? twins_find(&x->twins, x->out, t, &turn)
                                           : -1;
        if (found >= 0) {
            colour_twin(rgb[t], x, t, (size_t)found, turn);
            twin[t] = COLOURED;
        }
        left += found < 0;
    }
    return left;
}

static int transfer(uint8_t (*rgb)[3], uint32_t *twin, struct transfer *x, struct err *err)
{
    if (walk_along(twin, x) > 0 && twins_open(&x->twins, x->in, err))
        return -1;
    if (colour_twins(rgb, twin, x) == 0)
        return 0;
    if (bvh_build(&x->bvh, x->in, err))
        return -1;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t t = 0; t < x->out->triangle_count; t += STRETCH)
        colour_stretch(rgb, twin, x, t);
    return 0;
}

int mesh_transfer_colours(uint8_t (*rgb)[3], const struct mesh *out, const struct mesh *in,
                          const struct skin *skin, struct err *err)
{
    struct transfer x = {.out = out, .in = in, .skin = skin, .large2 = large_area2(out)};
    if (in->triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "there is no surface to take colours from");
    spread_fill(&x.few, 2);
    spread_fill(&x.many, 4);
    uint32_t *twin = calloc(out->triangle_count + 1, sizeof *twin);
    int failed = twin ? transfer(rgb, twin, &x, err)
                      : FAIL(err, ERR_LIMIT, "no memory to bring colours over");
    free(twin);
    free(x.twins.slot);
    bvh_free(&x.bvh);
    return failed;
}
