/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Smooth normals: triangles round a place share light unless a crease parts them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/render/scene.h"

#define NOT_WANTED UINT32_MAX
#define FLAT                                                                                       \
    4 /* pixels of a thumbnail: smaller triangles are lit flat, for their neighbours are in        \
       * the same pixel or the next */
#define CREASE 0.70f /* cosine: faces more than 45 degrees apart keep their edge */

static uint32_t hash_place(const float *p)
{
    uint32_t bits[3];
    float canonical[3] = {p[0] + 0.0f, p[1] + 0.0f, p[2] + 0.0f}; /* -0 is 0 */
    memcpy(bits, canonical, sizeof bits);
    uint32_t h = bits[0] * 0x9e3779b1u ^ bits[1] * 0x85ebca77u ^ bits[2] * 0xc2b2ae3du;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    return h ^ h >> 13;
}

static bool same_place(const float *a, const float *b)
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

/* The first vertex at a place, the vertex itself if there was none, or NOT_WANTED. */
static uint32_t find_place(uint32_t *table, size_t room, const struct mesh *mesh, size_t v,
                           bool add)
{
    const float *p = mesh->xyz + 3 * v;
    size_t at = hash_place(p) & (room - 1);
    while (table[at] != UINT32_MAX && !same_place(p, mesh->xyz + 3 * (size_t)table[at]))
        at = (at + 1) & (room - 1);
    if (table[at] == UINT32_MAX && add)
        table[at] = (uint32_t)v;
    return table[at] == UINT32_MAX ? NOT_WANTED : table[at];
}

/* wanted: flags of `count` vertices whose places are needed, or NULL for all. */
static int weld(struct scene *scene, const uint8_t *wanted, size_t count, struct err *err)
{
    const struct mesh *mesh = scene->mesh;
    size_t room = 16;
    while (room < 2 * count)
        room *= 2;
    uint32_t *table = malloc(room * sizeof *table);
    scene->welded = malloc((mesh->vertex_count + 1) * sizeof *scene->welded);
    if (!table || !scene->welded) {
        free(table);
        return FAIL(err, ERR_LIMIT, "no memory to weld %zu vertices", mesh->vertex_count);
    }
    memset(table, 0xff, room * sizeof *table);
    for (size_t v = 0; v < mesh->vertex_count; v++)
        if (!wanted || wanted[v])
            scene->welded[v] = find_place(table, room, mesh, v, true);
    for (size_t v = 0; v < mesh->vertex_count && wanted; v++)
        if (!wanted[v])
            scene->welded[v] = find_place(table, room, mesh, v, false);
    free(table);
    return 0;
}

static void triangle_normal(float out[3], const struct mesh *mesh, size_t t)
{
    const uint32_t *v = mesh->triangles + 3 * t;
    size_t n = mesh->vertex_count;
    out[0] = out[1] = out[2] = 0;
    if (v[0] >= n || v[1] >= n || v[2] >= n)
        return;
    const float *a = mesh->xyz + 3 * (size_t)v[0], *b = mesh->xyz + 3 * (size_t)v[1],
                *c = mesh->xyz + 3 * (size_t)v[2];
    float e[3], f[3];
    for (int i = 0; i < 3; i++) {
        e[i] = b[i] - a[i];
        f[i] = c[i] - a[i];
    }
    float cross[3] = {e[1] * f[2] - e[2] * f[1], e[2] * f[0] - e[0] * f[2],
                      e[0] * f[1] - e[1] * f[0]};
    if (isfinite(cross[0] + cross[1] + cross[2]))
        memcpy(out, cross, sizeof cross);
}

static void rings_fill(struct scene *scene)
{
    const struct mesh *mesh = scene->mesh;
    size_t corners = 3 * mesh->triangle_count, n = mesh->vertex_count;
    uint32_t *start = scene->ring_start; /* two more than there are vertices */
    for (size_t i = 0; i < corners; i++)
        if (mesh->triangles[i] < n && scene->welded[mesh->triangles[i]] != NOT_WANTED)
            start[scene->welded[mesh->triangles[i]] + 2]++;
    for (size_t v = 2; v < n + 2; v++)
        start[v] += start[v - 1];
    for (size_t i = 0; i < corners; i++)
        if (mesh->triangles[i] < n && scene->welded[mesh->triangles[i]] != NOT_WANTED)
            scene->ring[start[scene->welded[mesh->triangles[i]] + 1]++] = (uint32_t)(i / 3);
}

static int rings_build(struct scene *scene, struct err *err)
{
    const struct mesh *mesh = scene->mesh;
    scene->ring_start = calloc(mesh->vertex_count + 2, sizeof *scene->ring_start);
    scene->ring = malloc((3 * mesh->triangle_count + 1) * sizeof *scene->ring);
    if (!scene->ring_start || !scene->ring)
        return FAIL(err, ERR_LIMIT, "no memory to light %zu triangles", mesh->triangle_count);
    rings_fill(scene);
    return 0;
}

int surface_build(struct scene *scene, struct err *err)
{
    const struct mesh *mesh = scene->mesh;
    if (weld(scene, NULL, mesh->vertex_count, err) || rings_build(scene, err))
        return -1;
    scene->normals = malloc((3 * mesh->triangle_count + 1) * sizeof *scene->normals);
    if (!scene->normals)
        return FAIL(err, ERR_LIMIT, "no memory to light %zu triangles", mesh->triangle_count);
#pragma omp parallel for
    for (size_t t = 0; t < mesh->triangle_count; t++)
        triangle_normal(scene->normals + 3 * t, mesh, t);
    return 0;
}

/* Of a triangle that was drawn, so whose corners are on the screen. */
static bool lit_flat(const struct scene *scene, uint32_t triangle)
{
    const uint32_t *v = scene->mesh->triangles + 3 * (size_t)triangle;
    const struct spot *a = scene->spots + v[0], *b = scene->spots + v[1], *c = scene->spots + v[2];
    int64_t twice = ((int64_t)b->x - a->x) * ((int64_t)c->y - a->y) -
                    ((int64_t)b->y - a->y) * ((int64_t)c->x - a->x);
    int64_t pixel = (int64_t)SUBPIXEL * scene->grain;
    return scene->small && llabs(twice) < 2 * FLAT * pixel * pixel;
}

/* Marks the corners of what is seen and not lit flat; returns how many are marked. */
static size_t mark_smooth(uint8_t *wanted, const struct scene *scene)
{
    size_t count = 0, samples = (size_t)scene->width * scene->height * scene->grain * scene->grain;
#pragma omp parallel for
    for (size_t i = 0; i < samples; i++) {
        uint32_t id = scene->ids[i];
        if (id == NO_TRIANGLE || (i > 0 && scene->ids[i - 1] == id) || lit_flat(scene, id))
            continue;
        for (int k = 0; k < 3; k++) {
#pragma omp atomic write
            wanted[scene->mesh->triangles[3 * (size_t)id + (size_t)k]] = 1;
        }
    }
    for (size_t v = 0; v < scene->mesh->vertex_count; v++)
        count += wanted[v];
    return count;
}

int surface_build_seen(struct scene *scene, struct err *err)
{
    uint8_t *wanted = calloc(scene->mesh->vertex_count + 1, 1);
    if (!wanted)
        return FAIL(err, ERR_LIMIT, "no memory for %zu points", scene->mesh->vertex_count);
    size_t count = mark_smooth(wanted, scene);
    int failed = count && (weld(scene, wanted, count, err) || rings_build(scene, err)) ? -1 : 0;
    free(wanted);
    return failed;
}

void surface_normal(float out[3], const struct scene *scene, uint32_t triangle)
{
    if (scene->normals)
        memcpy(out, scene->normals + 3 * (size_t)triangle, 3 * sizeof *out);
    else
        triangle_normal(out, scene->mesh, triangle);
}

static float length3(const float *v)
{
    return sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

void surface_corner_normals(float out[3][3], const struct scene *scene, uint32_t triangle)
{
    float own[3], other[3];
    surface_normal(own, scene, triangle);
    float own_length = length3(own);
    bool flat = lit_flat(scene, triangle);
    for (int i = 0; i < 3; i++) {
        uint32_t v = scene->mesh->triangles[3 * (size_t)triangle + (size_t)i];
        uint32_t place = flat ? 0 : scene->welded[v];
        float sum[3] = {own[0], own[1], own[2]};
        uint32_t end = flat ? 0 : scene->ring_start[place + 1];
        for (uint32_t r = flat ? 0 : scene->ring_start[place]; r < end; r++) {
            surface_normal(other, scene, scene->ring[r]);
            float cosine = own[0] * other[0] + own[1] * other[1] + own[2] * other[2];
            if (scene->ring[r] == triangle || cosine < CREASE * own_length * length3(other))
                continue;
            for (int k = 0; k < 3; k++)
                sum[k] += other[k];
        }
        float length = length3(sum);
        for (int k = 0; k < 3; k++)
            out[i][k] = length > 0 ? sum[k] / length : 0;
    }
}
