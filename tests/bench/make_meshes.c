/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the meshes that the bench measures with, the same bytes each time.
 *     make_meshes KIND TRIANGLES OUT.glb|OUT.stl
 * Sound ones: `figure`, a bumpy standing shape every point of which its middle can see, so that it
 * cannot cross itself, with doubled vertices along seams as texture atlases make them; `knot`, a
 * tube in a trefoil. Broken ones are made of these: see the table at the end.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "print/export/export.h"
#include "print/measure/topology.h"
#include "print/repair/weld.h"
#include "tests/print/meshes.h"

#define TURN 6.28318530717958648

static struct err err;

static void give_up(const char *why)
{
    fprintf(stderr, "make_meshes: %s\n", why);
    exit(1);
}

/* A number in 0..1 that belongs to i. */
static double chance(uint64_t i)
{
    i = (i + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    i = (i ^ i >> 27) * 0x94d049bb133111ebu;
    return (double)((i ^ i >> 31) >> 11) / 9007199254740992.0;
}

static void join(struct mesh *m, const struct mesh *part, const double at[3], double size, int turn)
{
    size_t v0 = m->vertex_count, t0 = m->triangle_count;
    m->xyz = realloc(m->xyz, (v0 + part->vertex_count) * 3 * sizeof(float));
    m->triangles = realloc(m->triangles, (t0 + part->triangle_count) * 3 * sizeof(uint32_t));
    if (!m->xyz || !m->triangles)
        give_up("no memory");
    for (size_t i = 0; i < 3 * part->vertex_count; i++)
        m->xyz[3 * v0 + i] = (float)(part->xyz[i] * size + at[i % 3]);
    for (size_t i = 0; i < 3 * part->triangle_count; i++)
        m->triangles[3 * t0 + i] = part->triangles[i] + (uint32_t)v0;
    m->vertex_count += part->vertex_count;
    m->triangle_count += part->triangle_count;
    if (turn)
        turn_triangles(m, t0, m->triangle_count);
}

/* How far the surface lies from the middle in a direction: big lumps, then finer ones, then pores.
 */
static double reach(const double d[3])
{
    double r = 1 + 0.18 * sin(3 * d[2] * 2.2 + 0.5) + 0.10 * cos(4 * d[0] + 3 * d[1]);
    double frequency = 5, height = 0.05;
    for (int octave = 0; octave < 4; octave++) {
        r += height * sin(frequency * d[0] + octave) * cos(frequency * d[1] - 2 * octave) *
             sin(frequency * d[2] + 0.7 * octave);
        frequency *= 2.1;
        height *= 0.5;
    }
    return r;
}

/* A point of the octahedron's side `side`, as fractions of its three corners, put on the figure. */
static void put_point(float out[3], int side, double x, double y, double z)
{
    double d[3] = {side & 1 ? -x : x, side & 2 ? -y : y, side & 4 ? -z : z};
    double length = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    for (int k = 0; k < 3; k++)
        d[k] /= length;
    double r = 30 * reach(d);
    out[0] = (float)(r * d[0] * 0.9);
    out[1] = (float)(r * d[1] * 0.7);
    out[2] = (float)(r * d[2] * 1.5);
}

/* Eight charts, each with its own vertices: seams between them close under an exact weld only. */
static void add_figure(struct mesh *m, size_t triangles)
{
    size_t n = (size_t)lround(sqrt((double)triangles / 8)), per = (n + 1) * (n + 2) / 2;
    struct mesh f = {0};
    static const double origin[3] = {0};
    if (n < 2)
        n = 2, per = 6;
    if (mesh_alloc(&f, 8 * per, 8 * n * n, &err))
        give_up(err.what);
    uint32_t *t = f.triangles;
    for (int side = 0; side < 8; side++) {
        uint32_t base = (uint32_t)((size_t)side * per), v = base;
        bool turned = (side & 1) ^ (side >> 1 & 1) ^ (side >> 2 & 1);
        for (size_t i = 0; i <= n; i++)
            for (size_t j = 0; j <= n - i; j++)
                put_point(f.xyz + 3 * (size_t)v++, side, (double)(n - i - j), (double)i, (double)j);
        v = base;
        for (size_t i = 0; i < n; i++, v++)
            for (size_t j = 0; j < n - i; j++, v++) {
                uint32_t up = v + (uint32_t)(n - i) + 1;
                uint32_t corners[6] = {v, up, v + 1, v + 1, up, up + 1};
                for (size_t k = 0; k < (j + 1 < n - i ? 6u : 3u); k++)
                    *t++ = corners[k];
            }
        if (turned)
            turn_triangles(&f, (size_t)side * n * n, (size_t)(side + 1) * n * n);
    }
    join(m, &f, origin, 1, 0);
    mesh_free(&f);
}

static void add_knot(struct mesh *m, size_t triangles, double thick)
{
    size_t around = (size_t)sqrt((double)triangles / 20) + 3, along = triangles / 2 / around;
    struct mesh k = {0};
    static const double origin[3] = {0};
    if (mesh_alloc(&k, around * along, 2 * around * along, &err))
        give_up(err.what);
    for (size_t i = 0; i < along; i++) {
        double s = TURN * (double)i / (double)along, c[3], d[3], n[3], b[3], length;
        c[0] = 14 * (sin(s) + 2 * sin(2 * s)), c[1] = 14 * (cos(s) - 2 * cos(2 * s));
        c[2] = -14 * sin(3 * s);
        d[0] = cos(s) + 4 * cos(2 * s), d[1] = -sin(s) + 4 * sin(2 * s), d[2] = -3 * cos(3 * s);
        /* out of the plane of the path and of its middle: turns with it, never along it */
        n[0] = d[1] * c[2] - d[2] * c[1], n[1] = d[2] * c[0] - d[0] * c[2];
        n[2] = d[0] * c[1] - d[1] * c[0];
        length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
        for (int q = 0; q < 3; q++)
            n[q] /= length;
        length = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
        for (int q = 0; q < 3; q++)
            b[q] = (d[(q + 1) % 3] * n[(q + 2) % 3] - d[(q + 2) % 3] * n[(q + 1) % 3]) / length;
        for (size_t j = 0; j < around; j++) {
            double a = TURN * (double)j / (double)around,
                   r = thick * (1 + 0.08 * sin(5 * a + 40 * s));
            for (size_t q = 0; q < 3; q++)
                k.xyz[3 * (i * around + j) + q] =
                    (float)(c[q] + r * (cos(a) * n[q] + sin(a) * b[q]));
        }
    }
    for (size_t i = 0; i < along; i++)
        for (size_t j = 0; j < around; j++) {
            size_t i2 = (i + 1) % along, j2 = (j + 1) % around;
            uint32_t a = (uint32_t)(i * around + j), b = (uint32_t)(i2 * around + j),
                     c = (uint32_t)(i2 * around + j2), d = (uint32_t)(i * around + j2);
            uint32_t q[6] = {a, b, c, a, c, d};
            memcpy(k.triangles + 6 * (i * around + j), q, sizeof q);
        }
    if (mesh_weld_exact(&k, NULL, &err))
        give_up(err.what);
    double volume = 0;
    for (size_t t = 0; t < k.triangle_count; t++) {
        const float *p[3];
        for (size_t c = 0; c < 3; c++)
            p[c] = k.xyz + 3 * (size_t)k.triangles[3 * t + c];
        for (int q = 0; q < 3; q++)
            volume += (double)p[0][q] * (p[1][(q + 1) % 3] * p[2][(q + 2) % 3] -
                                         p[1][(q + 2) % 3] * p[2][(q + 1) % 3]);
    }
    join(m, &k, origin, 1, volume < 0);
    mesh_free(&k);
}

static void drop(struct mesh *m, size_t first, double x, double y, double z, double radius)
{
    size_t kept = first;
    for (size_t t = first; t < m->triangle_count; t++) {
        const float *p = m->xyz + 3 * (size_t)m->triangles[3 * t];
        if (hypot(hypot(p[0] - x, p[1] - y), p[2] - z) >= radius)
            memmove(m->triangles + 3 * kept++, m->triangles + 3 * t, 3 * sizeof(uint32_t));
    }
    m->triangle_count = kept;
}

/* Holes of many sizes around vertices drawn by chance. */
static void add_holes(struct mesh *m, int count)
{
    for (int i = 0; i < count; i++) {
        size_t v = (size_t)(chance((uint64_t)i + 77) * (double)m->vertex_count);
        const float *p = m->xyz + 3 * v;
        drop(m, 0, p[0], p[1], p[2], 0.4 + 2.2 * chance((uint64_t)i + 900));
    }
}

static void add_tears(struct mesh *m, double width)
{
    for (size_t i = 0; i < 3 * m->vertex_count; i++)
        m->xyz[i] += (float)(width * (chance(i) - 0.5));
}

static void make_figure(struct mesh *m, size_t n)
{
    add_figure(m, n);
}

static void make_knot(struct mesh *m, size_t n)
{
    add_knot(m, n, 7);
}

static void make_holes(struct mesh *m, size_t n)
{
    add_figure(m, n);
    add_holes(m, 24);
}

/* Charts whose borders miss one another by up to 0.0002 mm, so that no exact weld closes them. */
static void make_seams(struct mesh *m, size_t n)
{
    add_figure(m, n);
    add_tears(m, 2e-4);
}

/* Every triangle with its own three corners, one in fifty turned the wrong way, some twice. */
static void make_soup(struct mesh *m, size_t n)
{
    struct mesh f = {0};
    add_figure(&f, n);
    if (mesh_alloc(m, 3 * f.triangle_count + 300, f.triangle_count + 100, &err))
        give_up(err.what);
    for (size_t t = 0; t < m->triangle_count; t++)
        for (uint32_t k = 0; k < 3; k++) {
            size_t from = t < f.triangle_count ? t : 37 * (t - f.triangle_count);
            memcpy(m->xyz + 3 * (3 * t + k), f.xyz + 3 * (size_t)f.triangles[3 * from + k],
                   3 * sizeof(float));
            m->triangles[3 * t + k] = (uint32_t)(3 * t + k);
        }
    for (size_t t = 0; t < m->triangle_count; t++)
        if (chance(t) < 0.02)
            turn_triangles(m, t, t + 1);
    mesh_free(&f);
}

/* Closed parts pushed into one another, as figures are put together from stock. */
static void make_kitbash(struct mesh *m, size_t n)
{
    add_figure(m, n / 2);
    add_knot(m, n / 4, 6);
    for (int i = 0; i < 12; i++)
        add_ball(m, 40 * (chance((uint64_t)i) - 0.5), 30 * (chance((uint64_t)i + 20) - 0.5),
                 90 * (chance((uint64_t)i + 40) - 0.5), 4 + 9 * chance((uint64_t)i + 60),
                 (int)sqrt((double)n / 4 / 12 / 4) + 3);
    add_box(m, -20, -15, -58, 40, 30, 12);
}

/* An outer and an inner wall, joined around a small channel into one closed shell: what lies
 * between is solid, and the cavity is open to the outside. */
static void make_leak(struct mesh *m, size_t n)
{
    struct mesh f = {0};
    struct topology topology;
    static const double origin[3] = {0};
    add_figure(&f, n / 2);
    if (mesh_weld_exact(&f, NULL, &err))
        give_up(err.what);
    drop(&f, 0, f.xyz[0], f.xyz[1], f.xyz[2], 2.5);
    join(m, &f, origin, 1, 0);
    join(m, &f, origin, 0.93, 1);
    if (topology_build(&topology, &f, &err))
        give_up(err.what);
    uint32_t inner = (uint32_t)f.vertex_count;
    m->triangles = realloc(m->triangles, (m->triangle_count + 2 * topology.boundary_edges) * 12);
    if (!m->triangles)
        give_up("no memory");
    for (uint32_t h = 0; h < 3 * f.triangle_count; h++) {
        if (topology.twin[h] != TWIN_NONE)
            continue;
        uint32_t a = f.triangles[h], b = f.triangles[halfedge_next(h)];
        uint32_t quad[6] = {b, a, inner + a, b, inner + a, inner + b};
        memcpy(m->triangles + 3 * m->triangle_count, quad, sizeof quad);
        m->triangle_count += 2;
    }
    topology_free(&topology);
    mesh_free(&f);
}

static void make_inner(struct mesh *m, size_t n)
{
    struct mesh f = {0};
    static const double origin[3] = {0};
    add_figure(&f, n / 2);
    join(m, &f, origin, 1, 0);
    join(m, &f, origin, 0.9, 1);
    mesh_free(&f);
}

static void add_specks(struct mesh *m)
{
    for (int i = 0; i < 120; i++) {
        double a = TURN * chance((uint64_t)i), z = 90 * (chance((uint64_t)i + 300) - 0.5);
        double r = i % 3 ? 45 : 8;
        add_ball(m, r * cos(a), r * sin(a), z, 0.1 + 0.3 * chance((uint64_t)i + 600), 4);
    }
}

static void make_debris(struct mesh *m, size_t n)
{
    add_figure(m, n);
    add_specks(m);
}

/* A figure with fins of one sheet, and two boxes that share nothing but an edge. */
static void make_fins(struct mesh *m, size_t n)
{
    add_figure(m, n);
    for (size_t i = 0; i < 200; i++) { /* a triangle stands on an edge that two have already */
        size_t t = (size_t)(chance(i) * (double)m->triangle_count) / 8 * 8;
        uint32_t a = m->triangles[3 * t], b = m->triangles[3 * t + 1];
        struct mesh fin = {(float[9]){0}, (uint32_t[3]){0, 1, 2}, 3, 1};
        static const double origin[3] = {0};
        memcpy(fin.xyz, m->xyz + 3 * (size_t)a, 12);
        memcpy(fin.xyz + 3, m->xyz + 3 * (size_t)b, 12);
        for (int k = 0; k < 3; k++)
            fin.xyz[6 + k] = (fin.xyz[k] + fin.xyz[3 + k]) * 0.51f;
        join(m, &fin, origin, 1, 0);
    }
    add_box(m, 30, 0, -5, 6, 6, 10);
    add_box(m, 36, 6, -5, 6, 6, 10);
}

/* A cape: one open sheet over half of the figure, 2 mm off it. */
static void make_cape(struct mesh *m, size_t n)
{
    struct mesh f = {0};
    static const double origin[3] = {0};
    add_figure(&f, n / 2);
    join(m, &f, origin, 1, 0);
    size_t first = m->triangle_count;
    join(m, &f, origin, 1.06, 0);
    drop(m, first, 60, 0, 20, 75);
    drop(m, first, 0, 0, -60, 45);
    mesh_free(&f);
}

static void make_all(struct mesh *m, size_t n)
{
    struct mesh f = {0};
    static const double origin[3] = {0};
    make_kitbash(m, 3 * n / 4);
    add_figure(&f, n / 4);
    join(m, &f, origin, 0.85, 1);
    mesh_free(&f);
    add_specks(m);
    add_holes(m, 30);
    add_tears(m, 1e-4);
}

static const struct {
    const char *name;
    void (*make)(struct mesh *m, size_t triangles);
} kinds[] = {
    {"figure", make_figure}, {"knot", make_knot},     {"holes", make_holes},
    {"seams", make_seams},   {"soup", make_soup},     {"inner", make_inner},
    {"leak", make_leak},     {"debris", make_debris}, {"kitbash", make_kitbash},
    {"fins", make_fins},     {"cape", make_cape},     {"all", make_all},
};

static int write_glb(struct bytes *out, const struct mesh *m)
{
    char text[1200];
    size_t vertices = m->vertex_count * 12, indices = m->triangle_count * 12;
    float low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < 3 * m->vertex_count; i++) {
        low[i % 3] = fminf(low[i % 3], m->xyz[i]);
        high[i % 3] = fmaxf(high[i % 3], m->xyz[i]);
    }
    int n = snprintf(
        text, sizeof text,
        "{\"asset\":{\"version\":\"2.0\"},\"scene\":0,\"scenes\":[{\"nodes\":[0]}],\"nodes\":[{"
        "\"mesh\":0}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0},\"indices\":1}]"
        "}"
        "],\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"count\":%zu,\"type\":\"VEC3\","
        "\"min\":[%.9g,%.9g,%.9g],\"max\":[%.9g,%.9g,%.9g]},{\"bufferView\":1,\"componentType\":"
        "5125,"
        "\"count\":%zu,\"type\":\"SCALAR\"}],\"bufferViews\":[{\"buffer\":0,\"byteLength\":%zu},{"
        "\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%zu}],\"buffers\":[{\"byteLength\":%zu}]}",
        m->vertex_count, low[0], low[1], low[2], high[0], high[1], high[2], 3 * m->triangle_count,
        vertices, vertices, indices, vertices + indices);
    while (n % 4)
        text[n++] = ' ';
    uint32_t bin[2] = {(uint32_t)(vertices + indices), 0x4e4942};
    uint32_t head[5] = {0x46546c67, 2, 28 + (uint32_t)n + bin[0], (uint32_t)n, 0x4e4f534a};
    return bytes_append(out, head, sizeof head, &err) || bytes_append(out, text, (size_t)n, &err) ||
           bytes_append(out, bin, sizeof bin, &err) || bytes_append(out, m->xyz, vertices, &err) ||
           bytes_append(out, m->triangles, indices, &err);
}

/* glTF has +Y up: what stands along our Z is laid along its Y. */
static void turn_up(struct mesh *m)
{
    for (size_t v = 0; v < m->vertex_count; v++) {
        float *p = m->xyz + 3 * v, y = p[1];
        p[1] = p[2];
        p[2] = -y;
    }
}

int main(int argc, char **argv)
{
    struct mesh m = {0};
    struct bytes out = {.limit = (size_t)1 << 30};
    size_t triangles = argc == 4 ? (size_t)atol(argv[2]) : 0;
    bool glb = argc == 4 && strstr(argv[3], ".glb");
    if (triangles < 100 || triangles > 20000000)
        give_up("make_meshes KIND TRIANGLES OUT.glb|OUT.stl");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !m.triangle_count; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            kinds[i].make(&m, triangles);
    if (!m.triangle_count)
        give_up("no such kind");
    if (glb)
        turn_up(&m);
    if ((glb ? write_glb(&out, &m) : stl_write(&out, &m, argv[1], &err)) ||
        file_write(argv[3], out.data, out.len, &err))
        give_up(err.what);
    bytes_free(&out);
    mesh_free(&m);
    return 0;
}
