/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shells that touch neither the bed nor, being shells of their own, the rest. */
#include <stdlib.h>

#include "print/measure/measure.h"

/* Support grips what is nearer to the bed than a first layer. */
#define BED_MM 0.3

int mesh_count_floating(size_t *count, const struct mesh *mesh, struct err *err)
{
    struct topology topology;
    double low[3], high[3];
    *count = 0;
    if (topology_build(&topology, mesh, err))
        return -1;
    mesh_bounds(mesh, low, high);
    uint8_t *stands = calloc(topology.shells + 1, 1);
    if (!stands) {
        topology_free(&topology);
        return FAIL(err, ERR_LIMIT, "no memory for %zu shells", topology.shells);
    }
    for (size_t t = 0; t < mesh->triangle_count; t++)
        for (int c = 0; c < 3; c++)
            stands[topology.shell[t]] |= mesh_corner(mesh, t, c).z < low[2] + BED_MM;
    for (size_t s = 0; s < topology.shells; s++)
        *count += !stands[s];
    free(stands);
    topology_free(&topology);
    return 0;
}
