/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The same judge for everybody's output: closed, manifold, crossing triangles (exact), and how far
 * the visible part of the input lies from it.   judge INPUT.stl OUTPUT
 * Tools may have moved their output; it is laid back over the input by its flat distances first.
 * Shells of the input under 1 % of its size are specks, which nobody misses, and are not asked for.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/measure/topology.h"
#include "print/read/read.h"
#include "print/repair/weld.h"
#include "tests/fuzz/proof.h"

#define SAMPLES 20000
#define DIRECTIONS 48
#define ANCHORS 2500 /* of the samples lay the output over the input */

static struct err err;

static void give_up(const char *why)
{
    printf("{\"error\":\"%.150s\"}\n", why);
    exit(1);
}

static void load(struct mesh *m, const char *path)
{
    struct bytes file = {.limit = (size_t)1 << 31};
    struct read_notes notes;
    if (bytes_read_file(&file, path, &err) ||
        mesh_read(m, &notes, file.data, file.len, path, &err) || mesh_weld_exact(m, NULL, &err))
        give_up(err.what);
    bytes_free(&file);
}

struct point {
    struct vec at;
    uint32_t triangle;
};

static double chance(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Evenly over the area. */
static void draw_points(struct point *points, const struct mesh *m)
{
    double *sums = malloc((m->triangle_count + 1) * sizeof *sums), sum = 0;
    uint64_t dice = 7;
    if (!sums)
        give_up("no memory");
    for (size_t t = 0; t < m->triangle_count; t++)
        sums[t] = sum += vec_length(mesh_normal2(m, t));
    size_t t = 0;
    for (int i = 0; i < SAMPLES; i++) { /* one in each equal stretch of area, in order */
        double at = (i + chance(&dice)) / SAMPLES * sum, u = chance(&dice), v = chance(&dice);
        while (t + 1 < m->triangle_count && sums[t] < at)
            t++;
        if (u + v > 1)
            u = 1 - u, v = 1 - v;
        struct vec a = mesh_corner(m, t, 0);
        points[i].triangle = (uint32_t)t;
        points[i].at = vec_add(a, vec_add(vec_scale(vec_sub(mesh_corner(m, t, 1), a), u),
                                          vec_scale(vec_sub(mesh_corner(m, t, 2), a), v)));
    }
    free(sums);
}

/* speck[t]: triangle t belongs to one. */
static void find_specks(uint8_t *speck, const struct mesh *m)
{
    struct topology t;
    double low[3], high[3], size = 0;
    if (topology_build(&t, m, &err))
        give_up(err.what);
    float *box = malloc((t.shells + 1) * 6 * sizeof *box);
    if (!box)
        give_up("no memory");
    for (size_t i = 0; i < 6 * t.shells; i++)
        box[i] = i % 6 < 3 ? INFINITY : -INFINITY;
    for (size_t i = 0; i < 9 * m->triangle_count; i++) {
        size_t corner = i / 3, k = i % 3;
        float x = m->xyz[3 * (size_t)m->triangles[corner] + k],
              *b = box + 6 * (size_t)t.shell[corner / 3];
        b[k] = fminf(b[k], x);
        b[3 + k] = fmaxf(b[3 + k], x);
    }
    mesh_bounds(m, low, high);
    for (int k = 0; k < 3; k++)
        size = fmax(size, high[k] - low[k]);
    for (size_t i = 0; i < m->triangle_count; i++) {
        const float *b = box + 6 * (size_t)t.shell[i];
        speck[i] = fmaxf(b[3] - b[0], fmaxf(b[4] - b[1], b[5] - b[2])) < 0.01 * size;
    }
    free(box);
    topology_free(&t);
}

static bool can_be_seen(const struct bvh *bvh, const struct point *p)
{
    struct vec normal = vec_unit(mesh_normal2(bvh->mesh, p->triangle));
    for (int i = 0; i < DIRECTIONS; i++) {
        double z = 1 - (2 * i + 1.0) / DIRECTIONS, r = sqrt(1 - z * z),
               turn = 2.399963229728653 * i;
        struct vec d = {r * cos(turn), r * sin(turn), z};
        if (fabs(vec_dot(d, normal)) > 0.05 &&
            isinf(bvh_ray(bvh, p->at, d, 1e-6, p->triangle, NULL)))
            return true;
    }
    return false;
}

/* Solves the symmetric 3 x 3 system; false when it is flat. */
static bool solve(double x[3], double a[3][3], const double b[3])
{
    double det = 0, adjoint[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int p = (j + 1) % 3, q = (j + 2) % 3, r = (i + 1) % 3, s = (i + 2) % 3;
            adjoint[i][j] = a[p][r] * a[q][s] - a[p][s] * a[q][r];
        }
    for (int j = 0; j < 3; j++)
        det += a[0][j] * adjoint[j][0];
    if (fabs(det) < 1e-9)
        return false;
    for (int i = 0; i < 3; i++) {
        x[i] = 0;
        for (int j = 0; j < 3; j++)
            x[i] += adjoint[i][j] * b[j] / det;
    }
    return true;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Where `points` must be moved to lie on the output: point to plane, the worst third left out. */
static struct vec lay_over(const struct bvh *output, const struct point *points, int count)
{
    struct vec shift = {0, 0, 0};
    static double off[ANCHORS], sorted[ANCHORS];
    int n_used = count < ANCHORS ? count : ANCHORS;
    for (int round = 0; n_used > 3 && round < 12; round++) {
        double a[3][3] = {{0}}, b[3] = {0}, x[3];
        static struct vec normals[ANCHORS];
        for (int i = 0; i < n_used; i++) {
            uint32_t triangle = 0;
            struct vec at, p = vec_add(points[(long)i * count / n_used].at, shift);
            bvh_nearest(output, p, 1e9, &at, &triangle);
            normals[i] = vec_unit(mesh_normal2(output->mesh, triangle));
            off[i] = vec_dot(vec_sub(at, p), normals[i]);
            sorted[i] = fabs(off[i]);
        }
        qsort(sorted, (size_t)n_used, sizeof *sorted, by_size);
        double most = sorted[n_used * 2 / 3];
        for (int i = 0; i < n_used; i++) {
            if (fabs(off[i]) > most)
                continue;
            double n[3] = {normals[i].x, normals[i].y, normals[i].z};
            for (int j = 0; j < 3; j++) {
                b[j] += n[j] * off[i];
                for (int k = 0; k < 3; k++)
                    a[j][k] += n[j] * n[k];
            }
        }
        if (!solve(x, a, b))
            break;
        shift = vec_add(shift, (struct vec){x[0], x[1], x[2]});
        if (fabs(x[0]) + fabs(x[1]) + fabs(x[2]) < 1e-7)
            break;
    }
    return shift;
}

static void judge_distance(const struct mesh *in, const struct mesh *out)
{
    static struct point points[SAMPLES];
    struct bvh before, after;
    double sum = 0, most = 0;
    if (bvh_build(&before, in, &err) || bvh_build(&after, out, &err))
        give_up(err.what);
    draw_points(points, in);
    uint8_t *speck = malloc(in->triangle_count);
    if (!speck)
        give_up("no memory");
    find_specks(speck, in);
    int seen = 0;
    for (int i = 0; i < SAMPLES; i++)
        if (!speck[points[i].triangle] && can_be_seen(&before, &points[i]))
            points[seen++] = points[i];
    struct vec shift = lay_over(&after, points, seen);
    for (int i = 0; i < seen; i++) {
        double d = bvh_nearest(&after, vec_add(points[i].at, shift), 1e9, NULL, NULL);
        sum += d;
        most = fmax(most, d);
    }
    printf(",\"visible_share\":%.4f,\"dev_mean\":%.3g,\"dev_max\":%.3g,\"moved\":%.3g",
           (double)seen / SAMPLES, seen ? sum / seen : 0, most, vec_length(shift));
    free(speck);
    bvh_free(&before);
    bvh_free(&after);
}

int main(int argc, char **argv)
{
    struct mesh in = {0}, out = {0};
    struct mesh_measures m;
    if (argc != 3)
        return 2;
    load(&in, argv[1]);
    load(&out, argv[2]);
    mesh_drop_degenerate(&in);
    if (!in.triangle_count || !out.triangle_count)
        give_up("no triangles");
    if (mesh_measure(&m, &out, &err))
        give_up(err.what);
    mesh_drop_degenerate(&out);
    printf("{\"triangles\":%zu,\"watertight\":%s,\"manifold\":%s,\"volume\":%.6g,\"crossings\":%ld",
           m.triangles, m.watertight ? "true" : "false",
           m.watertight && !m.nonmanifold_vertices ? "true" : "false", m.volume_mm3,
           proof_crossings(&out, 100000));
    judge_distance(&in, &out);
    printf("}\n");
    mesh_free(&in);
    mesh_free(&out);
    return 0;
}
