/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Turning, scaling, moving. */
#include "print/measure/measure.h"
#include "print/shape/shape.h"

void mesh_rotate(struct mesh *mesh, const struct rotation *r)
{
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        struct vec p = mesh_point(mesh, v);
        mesh_point_set(
            mesh, v,
            (struct vec){vec_dot(r->row[0], p), vec_dot(r->row[1], p), vec_dot(r->row[2], p)});
    }
}

void mesh_scale(struct mesh *mesh, double factor)
{
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++)
        mesh->xyz[i] = (float)(mesh->xyz[i] * factor);
}

void mesh_move(struct mesh *mesh, struct vec by)
{
    for (uint32_t v = 0; v < mesh->vertex_count; v++)
        mesh_point_set(mesh, v, vec_add(mesh_point(mesh, v), by));
}

double mesh_longest(const struct mesh *mesh)
{
    double low[3], high[3], most = 0;
    mesh_bounds(mesh, low, high);
    for (int k = 0; k < 3; k++)
        most = high[k] - low[k] > most ? high[k] - low[k] : most;
    return most;
}

/* Rodrigues' formula for the turn from `down` to (0, 0, -1). */
struct rotation rotation_down(struct vec down)
{
    struct vec d = vec_unit(down), target = {0, 0, -1};
    struct vec axis = vec_cross(d, target);
    double c = vec_dot(d, target), s2 = vec_dot(axis, axis);
    if (s2 < 1e-18)
        return c > 0 ? ROTATION_NONE : (struct rotation){{{1, 0, 0}, {0, -1, 0}, {0, 0, -1}}};
    double k = (1 - c) / s2;
    double x = axis.x, y = axis.y, z = axis.z;
    return (struct rotation){{{c + k * x * x, k * x * y - z, k * x * z + y},
                              {k * x * y + z, c + k * y * y, k * y * z - x},
                              {k * x * z - y, k * y * z + x, c + k * z * z}}};
}
