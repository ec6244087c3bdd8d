/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every repair has to end in, by counts and a search apart from the code under test. */
#ifndef TESTS_PRINT_SOLID_H
#define TESTS_PRINT_SOLID_H

#include "print/measure/bvh.h"
#include "print/measure/measure.h"

/* Closed, 2-manifold, nothing degenerate, no two triangles that meet where they must not. */
static inline int mesh_is_sound(const struct mesh *mesh)
{
    struct mesh_measures m;
    struct bvh bvh;
    struct err err = {0};
    size_t meeting = 1;
    if (mesh_measure(&m, mesh, &err) || bvh_build(&bvh, mesh, &err))
        return 0;
    if (bvh_self_intersections(&bvh, &meeting, SIZE_MAX, &err))
        meeting = 1;
    bvh_free(&bvh);
    return m.watertight && m.nonmanifold_vertices == 0 && m.degenerate == 0 && meeting == 0;
}

#endif
