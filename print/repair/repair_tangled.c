/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether cutting triangles where they meet would take too long; see steps.h. */
#include <stdlib.h>

#include "print/repair/steps.h"

/* Cutting makes about a fifteenth as many pieces as the squares of each triangle's meetings sum up
 * to: walls on a hundred triangles strewn about at random make millions. */
int mesh_is_tangled(bool *tangled, const struct mesh *mesh, double most_squares, struct err *err)
{
    struct bvh bvh;
    struct bvh_pairs pairs = {0};
    struct bvh_pair_options options = {.max_tests = 20000000};
    uint32_t *meetings = calloc(mesh->triangle_count + 1, sizeof *meetings);
    if (!meetings || bvh_build(&bvh, mesh, err)) {
        free(meetings);
        return FAIL(err, ERR_LIMIT, "no memory to look for crossings");
    }
    int failed = bvh_meeting_pairs(&pairs, &bvh, &options, err);
    double squares = 0;
    for (size_t i = 0; i < pairs.count; i++)
        for (int side = 0; side < 2; side++)
            squares += 2.0 * meetings[pairs.pair[i][side]]++ + 1;
    *tangled = pairs.gave_up || squares > most_squares;
    bvh_pairs_free(&pairs);
    bvh_free(&bvh);
    free(meetings);
    return failed;
}
