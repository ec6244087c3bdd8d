/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a model consists of: parts by the file's own names, else by shells. For reports. */
#ifndef PRINT_COLOUR_PARTS_H
#define PRINT_COLOUR_PARTS_H

#include "print/colour/skin.h"

/* Triangles that form a part, as ranges; numbers are those of the mesh as read. */
struct part_range {
    size_t first, count;
};

struct part {
    char name[64];
    size_t triangles;
    double low[3], high[3];
    size_t first_range, range_count; /* in part_list.ranges */
};

/* Zero-initialise; parts_free releases. The largest part comes first where they are shells. */
struct part_list {
    struct part *parts;
    struct part_range *ranges;
    size_t part_count, range_count;
    size_t shell_count; /* shells in all; over PARTS_LISTED the small ones share the last part */
    bool named;         /* by the file's names, in the file's order */
};

#define PARTS_LISTED 1000

/**
 * Lists the parts: by glTF node names (skin may be NULL) when there are at least two, else the
 * shells, which are what hangs together by corners of equal coordinates.
 * Cost     O(n); 12 bytes a vertex and 8 a triangle of scratch. Errors ERR_LIMIT.
 */
int mesh_parts(struct part_list *out, const struct mesh *mesh, const struct skin *skin,
               struct err *err) MUST_CHECK;

void parts_free(struct part_list *list);

#endif
