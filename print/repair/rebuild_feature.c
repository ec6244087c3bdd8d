/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the points on sharp edges and corners of a rebuilt surface lie: where the planes of the
 * input meet that its vertices were found on. */
#include "print/repair/rebuild_feature.h"

/* Sine of the angle that two planes must make within a side of a tetrahedron. */
#define LEAST_TURN 0.15
/* A direction in which normals differ less than by this share has no say in where the point is. */
#define LEAST_SPREAD 0.03
/* New points keep that share of the height from the sides of their tetrahedron or triangle. */
#define INNER 0.03

struct vec feature_normal(const struct surface *s, uint32_t v)
{
    const float *n = s->normals + 3 * (size_t)v;
    return (struct vec){n[0], n[1], n[2]};
}

static void add_number(size_t *numbers, int *count, size_t number)
{
    for (int i = 0; i < *count; i++)
        if (numbers[i] == number)
            return;
    numbers[(*count)++] = number;
}

struct polygon surface_polygon(const struct surface *s, size_t t)
{
    struct polygon p = {.corners = s->halves[t] ? 4 : 3};
    const uint32_t *from = s->out->triangles + 3 * t;
    for (int i = 0; i < 3; i++)
        p.corner[i] = from[i];
    if (s->halves[t])
        p.corner[3] = from[5];
    for (int i = 0; i < p.corners; i++) {
        size_t end[2];
        surface_ends(s, p.corner[i], end);
        add_number(p.number, &p.numbers, end[0]);
        add_number(p.number, &p.numbers, end[1]);
    }
    return p;
}

/* How far towards `to` one may go from `from` and stay a margin within a triangle (3 corners,
 * both in its plane) or tetrahedron (4): 1 all the way. */
static double reach_within(const struct vec *corner, int corners, struct vec from, struct vec to)
{
    double most = 1;
    for (int i = 0; i < corners; i++) {
        struct vec a = corner[(i + 1) % corners], b = corner[(i + 2) % corners], n;
        if (corners == 3) {
            struct vec along = vec_sub(b, a), up = vec_sub(corner[i], a);
            n = vec_sub(up, vec_scale(along, vec_dot(up, along) / vec_dot(along, along)));
        } else {
            n = vec_cross(vec_sub(b, a), vec_sub(corner[(i + 3) % corners], a));
        }
        double height = vec_dot(n, vec_sub(corner[i], a));
        double here = vec_dot(n, vec_sub(from, a)) / height;
        double there = vec_dot(n, vec_sub(to, a)) / height;
        double least = fmin(INNER, here / 2);
        if (there < least)
            most = fmin(most, (here - least) / (here - there));
    }
    return most;
}

/* From `from` to `aim` as far as it stays within; not at all where that is no nearer to the input:
 * then it is no edge but noise. */
static struct vec go_towards(const struct surface *s, struct vec from, struct vec aim,
                             const struct vec *corner, int corners)
{
    const struct bvh *bvh = &s->grid->bvh;
    struct vec way = vec_sub(aim, from);
    struct vec at = vec_add(from, vec_scale(way, reach_within(corner, corners, from, aim)));
    double before = bvh_nearest(bvh, from, 2 * s->grid->step, NULL, NULL);
    return bvh_nearest(bvh, at, before, NULL, NULL) < before ? at : from;
}

/* The nearest point of the line in which two planes meet. */
static struct vec onto_line(struct vec from, struct vec n, double p, struct vec m, double q)
{
    struct vec along = vec_cross(n, m);
    double turn2 = vec_dot(along, along);
    struct vec by = vec_add(vec_scale(vec_cross(m, along), p), vec_scale(vec_cross(along, n), q));
    return turn2 > 0 ? vec_add(from, vec_scale(by, 1 / turn2)) : from;
}

/* The three grid points of the side that two vertices lie on. */
static void side_corners(struct vec corner[3], const struct surface *s, uint32_t u, uint32_t v)
{
    size_t number[4] = {0}, ends[2][2];
    int numbers = 0;
    surface_ends(s, u, ends[0]);
    surface_ends(s, v, ends[1]);
    for (int i = 0; i < 4; i++)
        add_number(number, &numbers, ends[i / 2][i % 2]);
    for (int i = 0; i < 3; i++)
        corner[i] = surface_corner(s, number[i]);
}

struct vec surface_bend(const struct surface *s, uint32_t u, uint32_t v)
{
    struct vec corner[3], a = mesh_point(s->out, u), b = mesh_point(s->out, v);
    struct vec n = feature_normal(s, u), m = feature_normal(s, v);
    struct vec middle = vec_scale(vec_add(a, b), 0.5);
    side_corners(corner, s, u, v);
    struct vec flat =
        vec_unit(vec_cross(vec_sub(corner[1], corner[0]), vec_sub(corner[2], corner[0])));
    struct vec n2 = vec_unit(vec_sub(n, vec_scale(flat, vec_dot(n, flat))));
    struct vec m2 = vec_unit(vec_sub(m, vec_scale(flat, vec_dot(m, flat))));
    if (fabs(vec_dot(vec_cross(n2, m2), flat)) < LEAST_TURN)
        return middle; /* the edge lies along the side, which cannot hold it */
    double p = vec_dot(n2, vec_sub(a, middle)), q = vec_dot(m2, vec_sub(b, middle));
    return go_towards(s, middle, onto_line(middle, n2, p, m2, q), corner, 3);
}

/* Eigenvectors in the columns of v, by Jacobi's rotations; a becomes diagonal. */
static void diagonalize(double a[3][3], double v[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            v[i][j] = i == j;
    for (int round = 0; round < 12; round++)
        for (int p = 0; p < 2; p++)
            for (int q = p + 1; q < 3; q++) {
                if (fabs(a[p][q]) < 1e-12)
                    continue;
                double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
                double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
                double c = 1 / sqrt(t * t + 1), w = t * c;
                for (int k = 0; k < 3; k++) {
                    double x = a[k][p], y = a[k][q];
                    a[k][p] = c * x - w * y, a[k][q] = w * x + c * y;
                }
                for (int k = 0; k < 3; k++) {
                    double x = a[p][k], y = a[q][k];
                    a[p][k] = c * x - w * y, a[q][k] = w * x + c * y;
                    x = v[k][p], y = v[k][q];
                    v[k][p] = c * x - w * y, v[k][q] = w * x + c * y;
                }
            }
}

/* The place nearest to all the polygon's planes, from `start` no further than they tell. */
static struct vec meet_planes(const struct surface *s, const struct polygon *p, struct vec start)
{
    double a[3][3] = {{0}}, v[3][3], right[3] = {0}, most = 0;
    for (int i = 0; i < p->corners; i++) {
        struct vec n = feature_normal(s, p->corner[i]);
        double k[3] = {n.x, n.y, n.z},
               off = vec_dot(n, vec_sub(mesh_point(s->out, p->corner[i]), start));
        for (int r = 0; r < 3; r++) {
            right[r] += k[r] * off;
            for (int c = 0; c < 3; c++)
                a[r][c] += k[r] * k[c];
        }
    }
    diagonalize(a, v);
    for (int i = 0; i < 3; i++)
        most = fmax(most, a[i][i]);
    struct vec x = start;
    for (int i = 0; i < 3; i++) {
        if (a[i][i] < LEAST_SPREAD * most)
            continue;
        double by = (v[0][i] * right[0] + v[1][i] * right[1] + v[2][i] * right[2]) / a[i][i];
        x = vec_add(x, vec_scale((struct vec){v[0][i], v[1][i], v[2][i]}, by));
    }
    return x;
}

/* On the sharp edge between two bends, or where all planes meet: a corner. */
struct vec surface_middle(const struct surface *s, const struct polygon *p, const uint32_t *ring,
                          int count)
{
    struct vec all = {0}, bent = {0}, corner[4];
    int bends = 0;
    for (int i = 0; i < 4; i++)
        corner[i] = surface_corner(s, p->number[i]);
    for (int i = 0; i < count; i++) {
        struct vec at = mesh_point(s->out, ring[i]);
        all = vec_add(all, vec_scale(at, 1.0 / count));
        if (ring[i] < s->cut_vertices)
            continue;
        bends++;
        bent = vec_add(bent, at);
    }
    struct vec start = bends > 1 ? vec_scale(bent, 1.0 / bends) : all;
    return go_towards(s, all, meet_planes(s, p, start), corner, 4);
}
