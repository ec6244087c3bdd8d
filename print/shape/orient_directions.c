/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directions that the search tries: the mesh's flat sides, those of its convex hull, the axes,
 * and evenly all around. */
#include <stdlib.h>
#include <string.h>

#include "print/shape/orient_parts.h"

#define AROUND 500 /* about 9 degrees apart */
#define FIXED 26
#define FLAT_SIDES 48
#define HULL_SIDES 24
#define BINS 2048

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

/*
 * A bin mixes a flat side with the curved surface around it: only what lies near the bin's largest
 * triangle counts, so that a side that is flat gets its own normal exactly.
 */
int flat_sides(struct vec *out, size_t most, const struct mesh *mesh, double near_deg,
               struct err *err)
{
    struct side *sides = calloc(2 * BINS, sizeof *sides);
    if (!sides)
        return FAIL(err, ERR_LIMIT, "no memory for directions");
    struct side *largest = sides + BINS;
    double near = cos(near_deg * M_PI / 180);
    for (int pass = 0; pass < 2; pass++)
        for (size_t t = 0; t < mesh->triangle_count; t++) {
            struct vec n = mesh_normal2(mesh, t);
            double area = vec_length(n);
            if (!(area > 0))
                continue;
            size_t bin = bin_of(vec_scale(n, 1 / area));
            if (pass == 0 && area > largest[bin].area) {
                largest[bin] = (struct side){n, area};
            } else if (pass == 1 &&
                       vec_dot(n, largest[bin].normal) > near * area * largest[bin].area) {
                sides[bin].normal = vec_add(sides[bin].normal, n);
                sides[bin].area += area;
            }
        }
    qsort(sides, BINS, sizeof *sides, side_compare);
    for (size_t i = 0; i < most; i++)
        out[i] = sides[i].area > 0 ? vec_unit(sides[i].normal) : (struct vec){0, 0, -1};
    free(sides);
    return 0;
}

/* Points on a Fibonacci spiral. */
static struct vec around(size_t i)
{
    double z = 1 - (2 * (double)i + 1) / AROUND, r = sqrt(1 - z * z);
    double angle = (double)i * M_PI * (3 - sqrt(5));
    return (struct vec){r * cos(angle), r * sin(angle), z};
}

int directions_list(struct vec **out, size_t *count, size_t *flat, const struct mesh *mesh,
                    struct err *err)
{
    size_t sides = FLAT_SIDES + HULL_SIDES, n = 1 + sides;
    struct vec *list = calloc(n + FIXED + AROUND, sizeof *list);
    *out = list;
    if (!list)
        return FAIL(err, ERR_LIMIT, "no memory for directions");
    list[0] = (struct vec){0, 0, -1};
    for (int i = 0; i < 27; i++)
        if (i != 13)
            list[n++] = vec_unit((struct vec){i % 3 - 1, i / 3 % 3 - 1, i / 9 - 1});
    for (size_t i = 0; i < AROUND; i++)
        list[n++] = around(i);
    if (flat_sides(list + 1, FLAT_SIDES, mesh, 2, err) ||
        hull_sides(list + 1 + FLAT_SIDES, HULL_SIDES, mesh, list + n - AROUND, AROUND, err))
        return -1;
    *count = 0;
    for (size_t i = 0; i < n; i++) { /* the sides may repeat an axis */
        bool known = false;
        for (size_t k = 0; k < *count && !known; k++)
            known = vec_dot(list[k], list[i]) > 1 - 1e-6;
        if (!known)
            list[(*count)++] = list[i];
        if (i == sides)
            *flat = *count - 1;
    }
    return 0;
}
