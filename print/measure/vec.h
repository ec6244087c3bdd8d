/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three doubles and what is done with them; header only, for the wings of print/. */
#ifndef PRINT_MEASURE_VEC_H
#define PRINT_MEASURE_VEC_H

#include <math.h>

#include "print/mesh.h"

struct vec {
    double x, y, z;
};

static inline struct vec vec_add(struct vec a, struct vec b)
{
    return (struct vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline struct vec vec_sub(struct vec a, struct vec b)
{
    return (struct vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline struct vec vec_scale(struct vec a, double s)
{
    return (struct vec){a.x * s, a.y * s, a.z * s};
}

static inline double vec_dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline struct vec vec_cross(struct vec a, struct vec b)
{
    return (struct vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static inline double vec_length(struct vec a)
{
    return sqrt(vec_dot(a, a));
}

/* The zero vector stays what it is. */
static inline struct vec vec_unit(struct vec a)
{
    double length = vec_length(a);
    return length > 0 ? vec_scale(a, 1 / length) : a;
}

static inline struct vec mesh_point(const struct mesh *mesh, uint32_t vertex)
{
    const float *p = mesh->xyz + 3 * (size_t)vertex;
    return (struct vec){p[0], p[1], p[2]};
}

static inline void mesh_point_set(struct mesh *mesh, uint32_t vertex, struct vec at)
{
    float *p = mesh->xyz + 3 * (size_t)vertex;
    p[0] = (float)at.x, p[1] = (float)at.y, p[2] = (float)at.z;
}

static inline struct vec mesh_corner(const struct mesh *mesh, size_t triangle, int corner)
{
    return mesh_point(mesh, mesh->triangles[3 * triangle + (size_t)corner]);
}

/* Twice the triangle's area along its outward normal. */
static inline struct vec mesh_normal2(const struct mesh *mesh, size_t triangle)
{
    struct vec a = mesh_corner(mesh, triangle, 0);
    return vec_cross(vec_sub(mesh_corner(mesh, triangle, 1), a),
                     vec_sub(mesh_corner(mesh, triangle, 2), a));
}

#endif
