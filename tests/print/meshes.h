/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small meshes that the tests of print/ build on. */
#ifndef TESTS_PRINT_MESHES_H
#define TESTS_PRINT_MESHES_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/mesh.h"

/* Adds an axis-parallel box with outward sides: 8 vertices, 12 triangles. Aborts without memory. */
static inline void add_box(struct mesh *m, float x, float y, float z, float a, float b, float c)
{
    static const uint32_t sides[36] = {0, 2, 1, 1, 2, 3, 4, 5, 6, 5, 7, 6, 0, 1, 4, 1, 5, 4,
                                       2, 6, 3, 3, 6, 7, 0, 4, 2, 2, 4, 6, 1, 3, 5, 3, 7, 5};
    m->xyz = realloc(m->xyz, (m->vertex_count + 8) * 3 * sizeof(float));
    m->triangles = realloc(m->triangles, (m->triangle_count + 12) * 3 * sizeof(uint32_t));
    if (!m->xyz || !m->triangles)
        abort();
    for (int i = 0; i < 8; i++) {
        float *p = m->xyz + 3 * (m->vertex_count + (size_t)i);
        p[0] = x + (i & 1 ? a : 0);
        p[1] = y + (i & 2 ? b : 0);
        p[2] = z + (i & 4 ? c : 0);
    }
    for (int i = 0; i < 36; i++)
        m->triangles[3 * m->triangle_count + (size_t)i] = sides[i] + (uint32_t)m->vertex_count;
    m->vertex_count += 8;
    m->triangle_count += 12;
}

static inline void turn_triangles(struct mesh *m, size_t first, size_t end)
{
    for (size_t t = first; t < end; t++) {
        uint32_t other = m->triangles[3 * t + 1];
        m->triangles[3 * t + 1] = m->triangles[3 * t + 2];
        m->triangles[3 * t + 2] = other;
    }
}

/* A ball of rings x 2 rings quads, cut in two triangles each. */
static inline void add_ball(struct mesh *m, double x, double y, double z, double radius, int rings)
{
    int around = 2 * rings;
    size_t vertices = (size_t)(rings - 1) * (size_t)around + 2;
    size_t triangles = 2 * (size_t)around * (size_t)(rings - 1);
    m->xyz = realloc(m->xyz, (m->vertex_count + vertices) * 3 * sizeof(float));
    m->triangles = realloc(m->triangles, (m->triangle_count + triangles) * 3 * sizeof(uint32_t));
    if (!m->xyz || !m->triangles)
        abort();
    uint32_t base = (uint32_t)m->vertex_count, south = base, north = base + (uint32_t)vertices - 1;
    float *p = m->xyz + 3 * m->vertex_count;
    for (size_t v = 0; v < vertices; v++, p += 3) {
        int ring = v == 0 ? 0 : v + 1 == vertices ? rings : 1 + (int)(v - 1) / around;
        double down = 3.14159265358979 * (1 - (double)ring / rings);
        double turn = 6.28318530717959 * ((int)(v - 1) % around) / around;
        p[0] = (float)(x + radius * sin(down) * cos(turn));
        p[1] = (float)(y + radius * sin(down) * sin(turn));
        p[2] = (float)(z + radius * cos(down));
    }
    uint32_t *t = m->triangles + 3 * m->triangle_count;
    for (int r = 0; r < rings; r++)
        for (int i = 0; i < around; i++) {
            int next = (i + 1) % around;
            uint32_t a = r ? base + 1 + (uint32_t)((r - 1) * around + i) : south;
            uint32_t b = r ? base + 1 + (uint32_t)((r - 1) * around + next) : south;
            uint32_t c = r + 1 < rings ? base + 1 + (uint32_t)(r * around + next) : north;
            uint32_t d = r + 1 < rings ? base + 1 + (uint32_t)(r * around + i) : north;
            if (r)
                *t++ = a, *t++ = b, *t++ = c;
            if (r + 1 < rings)
                *t++ = a, *t++ = c, *t++ = d;
        }
    m->vertex_count += vertices;
    m->triangle_count += triangles;
}

#endif
