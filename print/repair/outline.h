/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cells into which triangles divide space, and which of them are solid; used by unite.c and
 * repair.c. */
#ifndef PRINT_REPAIR_OUTLINE_H
#define PRINT_REPAIR_OUTLINE_H

#include "print/measure/bvh.h"
#include "print/repair/solid.h"

/* What a triangle is for. */
enum solid_kind {
    SOLID_FACE,   /* says by its winding what is solid */
    SOLID_LID,    /* a proposal: parts cells, but what it closes must be solid beyond doubt */
    SOLID_HIDDEN, /* parts cells, but has no say in what is solid */
    SOLID_SHEET   /* the same of a surface that is seen: found again among the loose */
};

/* What became of a triangle of the arranged mesh. */
enum outline_fate {
    OUTLINE_KEPT,   /* part of the outline, as it was */
    OUTLINE_TURNED, /* part of the outline, facing the other way now */
    OUTLINE_COPY,   /* lies on a triangle that says what becomes of both */
    OUTLINE_INNER,  /* solid on both sides */
    OUTLINE_LOOSE   /* solid on neither side: a sheet */
};

/**
 * Judges the triangles of an arranged mesh (two of them share nothing, a corner, an edge or all
 * corners). The sides of triangles that see one another around an edge bound one cell of space; at
 * an open edge the two sides of a triangle do. A cell is solid where the winding number, averaged
 * over its largest triangles, is at least one half.
 *
 * Shape    fate: one byte a triangle. kind: NULL (all are faces), or a solid_kind for each;
 *          apart: NULL, or not 0 for triangles that still meet others: their sides are judged each
 *          on its own, or cells would run together there; winding: a tree of the faces alone.
 * Result   triangles KEPT or TURNED (which are turned round here) close off the solid: every edge
 *          has an even number of them. Nothing is removed.
 * Cost     O(n) and at most some 24 winding numbers a cell. Threads: parallel inside.
 */
int mesh_outline(uint8_t *fate, struct mesh *mesh, const uint8_t *kind, const uint8_t *apart,
                 const struct bvh *winding, struct err *err) MUST_CHECK;

/**
 * mesh_unite (solid.h) of triangles of several kinds. kind: one byte a triangle, or NULL. loose (an
 * empty mesh, or NULL) gets the faces and sheets with nothing solid on either side, cut as they
 * were arranged, so that their corners are those of the outline where they hang on it.
 */
int mesh_solidify(struct mesh *mesh, const uint8_t *kind, struct mesh *loose, double size_mm,
                  struct unite_counts *counts, struct err *err) MUST_CHECK;

#endif
