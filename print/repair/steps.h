/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rungs of the repair ladder, each usable alone on a welded mesh without degenerate triangles.
 * repair.c puts them in order and checks after each. */
#ifndef PRINT_REPAIR_STEPS_H
#define PRINT_REPAIR_STEPS_H

#include "print/measure/topology.h"
#include "print/measure/vec.h"

/**
 * Turns triangles round until neighbours over two-sided edges agree, patch by patch; in each patch
 * the majority stays. A one-sided (Moebius) patch keeps a line of disagreement.
 */
int mesh_orient_patches(struct mesh *mesh, size_t *flipped, struct err *err) MUST_CHECK;

/**
 * Partners of halfedges where an edge may have many triangles: around such an edge each pair
 * bounds one wedge of solid; what finds no partner is TWIN_NONE. twin: 3 x triangle_count.
 */
int mesh_pair_halfedges(uint32_t *twin, const struct mesh *mesh, struct err *err) MUST_CHECK;

/**
 * Gives each fan of triangles its own vertex and each pair of triangles its own edge, by doubling
 * vertices and by new vertices in the middle of edges, moved by `nudge` into the solid so that
 * they stay apart when the file is read again.
 */
int mesh_split_nonmanifold(struct mesh *mesh, double nudge, size_t *edges, size_t *vertices,
                           struct err *err) MUST_CHECK;

/** Drops open patches of a few triangles that hang on nothing: left over by splitting. */
int mesh_drop_flaps(struct mesh *mesh, size_t *dropped, struct err *err) MUST_CHECK;

struct hole_counts {
    size_t filled;
    size_t left;         /* loops that a lid would not close sensibly */
    double largest_mm;   /* across the largest hole that was filled */
    double lid_area_mm2; /* of all that were filled */
};

/**
 * Closes boundary loops: least-area triangulation up to 300 corners, ears beyond. Loops of a shell
 * whose lids would have over lid_share of its area are left open.
 */
int mesh_fill_holes(struct mesh *mesh, double lid_share, struct hole_counts *counts,
                    struct err *err) MUST_CHECK;

struct shell_counts {
    size_t debris;       /* tiny shells dropped */
    size_t hidden;       /* shells wholly inside another one, dropped */
    size_t turned;       /* shells turned inside out */
    double debris_share; /* of the whole volume */
};

/**
 * Judges each closed shell: debris (under a hundredth of the size and 1e-4 of the volume) and what
 * is wholly enclosed in another solid go; what faces inward is turned.
 */
int mesh_sort_shells(struct mesh *mesh, struct shell_counts *counts, struct err *err) MUST_CHECK;

/* Keeps triangles t with keep[t]; unused vertices go. */
int mesh_keep(struct mesh *mesh, const uint8_t *keep, struct err *err) MUST_CHECK;

/** Makes room for more; the counts stay. Errors ERR_LIMIT. */
int mesh_grow(struct mesh *mesh, size_t vertices, size_t triangles, struct err *err) MUST_CHECK;

#endif
