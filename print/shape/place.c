/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Turning, scaling, moving; and the search for the side to stand on. */
#include <stdlib.h>

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

void mesh_scale_to_height(struct mesh *mesh, double height_mm)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
    if (height_mm > 0 && high[2] > low[2])
        mesh_scale(mesh, height_mm / (high[2] - low[2]));
}

void mesh_scale_to_longest(struct mesh *mesh, double longest_mm)
{
    double longest = mesh_longest(mesh);
    if (longest_mm > 0 && longest > 0)
        mesh_scale(mesh, longest_mm / longest);
}

struct vec mesh_pivot(struct mesh *mesh)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
    struct vec by = {-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]};
    mesh_move(mesh, by);
    return by;
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

#define BINS 2048
#define FLAT_SIDES 12
#define FIXED 26

struct side {
    struct vec normal;
    double area;
};

/* Normals fall into bins of about five degrees; the heaviest are sides worth standing on. */
static size_t bin_of(struct vec n)
{
    int a = (int)((n.x + 1) * 8), b = (int)((n.y + 1) * 8), c = (int)((n.z + 1) * 4);
    a = a > 15 ? 15 : a, b = b > 15 ? 15 : b, c = c > 7 ? 7 : c;
    return ((size_t)a * 16 + (size_t)b) * 8 + (size_t)c;
}

static int side_compare(const void *a, const void *b)
{
    const struct side *p = a, *q = b;
    return p->area > q->area ? -1 : p->area < q->area;
}

static int flat_sides(struct vec *out, const struct mesh *mesh, struct err *err)
{
    struct side *bins = calloc(BINS, sizeof *bins);
    if (!bins)
        return FAIL(err, ERR_LIMIT, "no memory for directions");
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec n = mesh_normal2(mesh, t);
        double area = vec_length(n);
        if (!(area > 0))
            continue;
        struct side *bin = &bins[bin_of(vec_scale(n, 1 / area))];
        bin->normal = vec_add(bin->normal, n);
        bin->area += area;
    }
    qsort(bins, BINS, sizeof *bins, side_compare);
    for (int i = 0; i < FLAT_SIDES; i++)
        out[i] = bins[i].area > 0 ? vec_unit(bins[i].normal) : (struct vec){0, 0, -1};
    free(bins);
    return 0;
}

static void fixed_directions(struct vec *out)
{
    for (int i = 0, n = 0; i < 27; i++)
        if (i != 13)
            out[n++] = vec_unit((struct vec){i % 3 - 1, i / 3 % 3 - 1, i / 9 - 1});
}

/*
 * Cost of standing with `down` towards the bed. Overhang is weighed by its height over the bed,
 * since that is what support has to fill; less contact than a hundredth of the size squared costs
 * as much as support for that much of it.
 */
static double stand_cost(const struct mesh *mesh, struct vec down, double *overhang,
                         double (*foot)[2])
{
    struct rotation r = rotation_down(down);
    double lowest = INFINITY, highest = -INFINITY;
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        double z = vec_dot(r.row[2], mesh_point(mesh, v));
        lowest = z < lowest ? z : lowest;
        highest = z > highest ? z : highest;
    }
    double size = highest - lowest, contact = 0, support = 0;
    *overhang = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec n = mesh_normal2(mesh, t);
        double nz = vec_dot(r.row[2], n), area2 = vec_length(n);
        if (nz >= -0.7071 * area2)
            continue;
        double top = -INFINITY, middle = 0;
        for (int c = 0; c < 3; c++) {
            double z = vec_dot(r.row[2], mesh_corner(mesh, t, c)) - lowest;
            top = z > top ? z : top;
            middle += z / 3;
        }
        if (top < 0.005 * size + 0.1) {
            contact += -nz / 2;
        } else {
            *overhang += area2 / 2;
            support += -nz / 2 * middle;
        }
    }
    size_t count = 0;
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        struct vec p = mesh_point(mesh, v);
        if (vec_dot(r.row[2], p) > lowest + 0.005 * size + 0.1)
            continue;
        foot[count][0] = vec_dot(r.row[0], p);
        foot[count++][1] = vec_dot(r.row[1], p);
    }
    count = hull_2d(foot, count);
    double hull = 0;
    for (size_t i = 0; i < count; i++) {
        const double *a = foot[i], *b = foot[(i + 1) % count];
        hull += (a[0] * b[1] - a[1] * b[0]) / 2;
    }
    double shaky = hull > 0 ? size * size / hull : 1e3, least = 0.01 * size * size;
    double loose = contact < least ? 1 - contact / least : 0;
    return support * (1 + 0.002 * shaky) + 0.01 * size * size * size * loose;
}

int mesh_find_orientation(struct orient_choice *out, const struct mesh *mesh, struct err *err)
{
    struct vec directions[1 + FLAT_SIDES + FIXED] = {{0, 0, -1}};
    double(*foot)[2] = malloc((mesh->vertex_count + 1) * sizeof *foot);
    if (!foot)
        return FAIL(err, ERR_LIMIT, "no memory for the foot of %zu vertices", mesh->vertex_count);
    if (flat_sides(directions + 1, mesh, err)) {
        free(foot);
        return -1;
    }
    fixed_directions(directions + 1 + FLAT_SIDES);
    double best = INFINITY;
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++) {
        double overhang, cost = stand_cost(mesh, directions[i], &overhang, foot);
        if (i == 0) {
            *out = (struct orient_choice){ROTATION_NONE, overhang, overhang};
            best = cost * 2 / 3; /* upright keeps the face free of marks: it must be worth it */
        } else if (cost < best) {
            best = cost;
            out->rotation = rotation_down(directions[i]);
            out->overhang_after_mm2 = overhang;
        }
    }
    free(foot);
    return 0;
}
