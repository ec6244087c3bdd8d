/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Solids by the winding number: what lies inside at least once is the solid, its outline the mesh.
 * For everybody who adds closed shells to a figure (bases, text, hollows) and for the ladder. */
#ifndef PRINT_REPAIR_SOLID_H
#define PRINT_REPAIR_SOLID_H

#include <stdbool.h>

#include "print/mesh.h"

struct unite_counts {
    size_t crossings; /* pairs of triangles that met where they must not, at the start */
    size_t cut;       /* triangles that were cut for it */
    size_t inner;     /* pieces dropped because both their sides are solid */
    size_t hidden;    /* connected parts that those make up */
    size_t loose;     /* pieces dropped because neither side is */
    size_t turned;    /* pieces that face the other way now */
    size_t doubled;   /* vertices doubled where solids touch in an edge or a corner */
    size_t rounds;    /* until no triangle met another one; 0: nothing had to be done */
};

/**
 * Makes the closed, 2-manifold outline, free of self-intersections, of the solid that triangles
 * describe: where their winding number is at least one half. So shells that face outward are
 * joined, also where one lies in the other; a shell turned inside out is taken away from what it
 * overlaps. Triangles of the outline that met no other keep their corners bit for bit.
 *
 * Shape    any triangles; holes are not closed first: what they make doubtful is decided by the
 *          winding number. size_mm: longest side, the scale of what counts as apart (1e-5 of it).
 * Result   0 done, also after an exact weld of the floats; 1 something still meets or is open, and
 *          mesh is the best that was found; it may be empty: nothing is inside. counts may be NULL.
 * Cost     a mesh that is such an outline already: the search for crossings only, bits unchanged.
 *          Else O(n log n), some 300 bytes a triangle.
 * Errors   ERR_LIMIT no memory; mesh is as it was or empty.
 * Source   Zhou et al., Mesh Arrangements for Solid Geometry (2016); Jacobson et al., Robust
 *          Inside-Outside Segmentation using Generalized Winding Numbers (2013).
 */
int mesh_unite(struct mesh *mesh, double size_mm, struct unite_counts *counts,
               struct err *err) MUST_CHECK;

/** Adds from's triangles to `to`, inside out if wished: first step of a union or a subtraction. */
int mesh_append(struct mesh *to, const struct mesh *from, bool inside_out,
                struct err *err) MUST_CHECK;

/** Turns every triangle inside out. */
void mesh_turn(struct mesh *mesh);

#endif
