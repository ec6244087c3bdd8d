/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Smooth normals: triangles round a place share light unless a crease parts them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/render/scene.h"

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

static int weld(struct scene *scene, struct err *err)
{
    const struct mesh *mesh = scene->mesh;
    size_t room = 16;
    while (room < 2 * mesh->vertex_count)
        room *= 2;
    uint32_t *table = malloc(room * sizeof *table);
    scene->welded = malloc((mesh->vertex_count + 1) * sizeof *scene->welded);
    if (!table || !scene->welded) {
        free(table);
        return FAIL(err, ERR_LIMIT, "no memory to weld %zu vertices", mesh->vertex_count);
    }
    memset(table, 0xff, room * sizeof *table);
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        const float *p = mesh->xyz + 3 * v;
        size_t at = hash_place(p) & (room - 1);
        while (table[at] != UINT32_MAX && !same_place(p, mesh->xyz + 3 * (size_t)table[at]))
            at = (at + 1) & (room - 1);
        if (table[at] == UINT32_MAX)
            table[at] = (uint32_t)v;
        scene->welded[v] = table[at];
    }
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
        if (mesh->triangles[i] < n)
            start[scene->welded[mesh->triangles[i]] + 2]++;
    for (size_t v = 2; v < n + 2; v++)
        start[v] += start[v - 1];
    for (size_t i = 0; i < corners; i++)
        if (mesh->triangles[i] < n)
            scene->ring[start[scene->welded[mesh->triangles[i]] + 1]++] = (uint32_t)(i / 3);
}

int surface_build(struct scene *scene, struct err *err)
{
    const struct mesh *mesh = scene->mesh;
    if (weld(scene, err))
        return -1;
    scene->ring_start = calloc(mesh->vertex_count + 2, sizeof *scene->ring_start);
    scene->ring = malloc((3 * mesh->triangle_count + 1) * sizeof *scene->ring);
    scene->normals = malloc((3 * mesh->triangle_count + 1) * sizeof *scene->normals);
    if (!scene->ring_start || !scene->ring || !scene->normals)
        return FAIL(err, ERR_LIMIT, "no memory to light %zu triangles", mesh->triangle_count);
    rings_fill(scene);
#pragma omp parallel for
    for (size_t t = 0; t < mesh->triangle_count; t++)
        triangle_normal(scene->normals + 3 * t, mesh, t);
    return 0;
}

static float length3(const float *v)
{
    return sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

void surface_corner_normals(float out[3][3], const struct scene *scene, uint32_t triangle)
{
    const float *own = scene->normals + 3 * (size_t)triangle;
    float own_length = length3(own);
    for (int i = 0; i < 3; i++) {
        uint32_t place = scene->welded[scene->mesh->triangles[3 * (size_t)triangle + (size_t)i]];
        float sum[3] = {own[0], own[1], own[2]};
        uint32_t end = scene->ring_start[place + 1];
        for (uint32_t r = scene->ring_start[place]; r < end; r++) {
            const float *other = scene->normals + 3 * (size_t)scene->ring[r];
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
