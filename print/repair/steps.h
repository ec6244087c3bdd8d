/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rungs of the repair ladder, each usable alone on a welded mesh without degenerate triangles.
 * repair.c puts them in order and checks after each. */
#ifndef PRINT_REPAIR_STEPS_H
#define PRINT_REPAIR_STEPS_H

#include "print/measure/bvh.h"
#include "print/measure/topology.h"
#include "print/measure/vec.h"

/**
 * Turns triangles round until neighbours over two-sided edges agree, patch by patch; in each patch
 * the majority stays. A one-sided (Moebius) patch keeps a line of disagreement.
 */
int mesh_orient_patches(struct mesh *mesh, size_t *flipped, struct err *err) MUST_CHECK;

/**
 * Turns each patch of agreeing triangles so that the side that the eye can see more of is its
 * front; a closed patch that nobody can see gets a positive volume. kind (triangle_count bytes)
 * becomes SOLID_HIDDEN for open patches that nobody can see: they have no say in what is solid;
 * else SOLID_FACE (outline.h). Result *turned: triangles turned round.
 */
int mesh_face_outward(struct mesh *mesh, uint8_t *kind, size_t *turned, struct err *err) MUST_CHECK;

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

/**
 * Moves shells of two sides that lie nearer to one another than thick_mm all over from mesh to
 * films: the larger side of each, as a sheet. Neighbours should agree which way they face.
 * Result: films may gain none.
 */
int mesh_take_films(struct mesh *films, struct mesh *mesh, double thick_mm,
                    struct err *err) MUST_CHECK;

struct hole_counts {
    size_t filled;
    size_t smooth;       /* of those, how many go on as the surface around them goes */
    size_t left;         /* loops that a lid would not close sensibly */
    size_t proposed;     /* triangles of lids for those, if asked for: the last ones of the mesh */
    double largest_mm;   /* across the largest hole that was filled */
    double lid_area_mm2; /* of all that were filled */
};

/**
 * Closes boundary loops: least-area triangulation up to 300 corners, ears beyond; in curved
 * surroundings then made as fine as their rim and faired (holes.h). The lids of a shell that would
 * have over lid_share of its area come last and are only a proposal.
 */
int mesh_fill_holes(struct mesh *mesh, double lid_share, struct hole_counts *counts,
                    struct err *err) MUST_CHECK;

/**
 * Adds lids over hairline openings: those whose lid is narrower than width_mm on average. They come
 * last; left where rounding flattened a sliver between triangles that do not quite meet.
 */
int mesh_close_cracks(struct mesh *mesh, double width_mm, struct err *err) MUST_CHECK;

/**
 * Makes closed shells of sheets: what can be seen of `loose` and has extent gets a back one wall
 * behind the side that is seen more, sides along its rims, and an anchor in the solid where it
 * hangs on it. solid: the outline so far with dipoles, or NULL; before: what is seen, as it came.
 * Result   loose holds the shells, to be united with the solid; it may be empty.
 */
int mesh_thicken_sheets(struct mesh *loose, const struct bvh *solid, const struct bvh *before,
                        double wall_mm, size_t *sheets, struct err *err) MUST_CHECK;

/**
 * Foretells the cost of mesh_unite where everything meets everything: for each triangle the square
 * of how many others it meets. Result *tangled: they sum up to more than most_squares; 4e6 of them
 * take some five seconds.
 */
int mesh_is_tangled(bool *tangled, const struct mesh *mesh, double most_squares,
                    struct err *err) MUST_CHECK;

struct shell_counts {
    size_t debris;       /* specks dropped */
    size_t hidden;       /* cavities filled, and what floated in them */
    size_t turned;       /* triangles turned round because their shell faced inward */
    double debris_mm3;   /* volume of the specks */
    double debris_share; /* of the whole volume */
    double hidden_mm3;   /* volume of the cavities */
};

/**
 * Judges the shells of an outline (closed, nothing meets): cavities, which nobody can see, and what
 * floats in them go; so do specks that cannot be printed, smaller than line_mm in every direction
 * or without thickness, but for the largest shell.
 */
int mesh_sort_shells(struct mesh *mesh, double line_mm, struct shell_counts *counts,
                     struct err *err) MUST_CHECK;

/* Keeps triangles t with keep[t]; unused vertices go. */
int mesh_keep(struct mesh *mesh, const uint8_t *keep, struct err *err) MUST_CHECK;

/** Makes room for more; the counts stay. Errors ERR_LIMIT. */
int mesh_grow(struct mesh *mesh, size_t vertices, size_t triangles, struct err *err) MUST_CHECK;

#endif
