/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a mesh stands on the bed, and whether it fits on it. */
#ifndef PRINT_MEASURE_STAND_H
#define PRINT_MEASURE_STAND_H

#include <stdbool.h>

#include "print/mesh.h"

#define STAND_ANGLES 7

/* Overhangs are told by how far a surface leans out from the vertical: 90 is a flat ceiling. */
#define STAND_ANGLES_DEG                                                                           \
    {                                                                                              \
        30, 40, 45, 50, 60, 70, 80                                                                 \
    }

struct stand {
    double contact_area_mm2;
    double overhang_area_mm2[STAND_ANGLES]; /* leaning out by more than STAND_ANGLES_DEG */
    double tilt_margin_deg;  /* how far it may lean before it falls; negative: it falls at once */
    double tips_towards_deg; /* the way it tips first: 0 is +X, 90 is +Y (the back) */
    double centre_of_mass_mm[3];
    double foot_mm[2]; /* size along X and Y of what touches the bed */
};

/** Measures a mesh standing on the plane z = its lowest point. Cost O(n + foot log foot). */
int mesh_stand(struct stand *out, const struct mesh *mesh, struct err *err) MUST_CHECK;

struct plate_fit {
    bool fits;         /* in some turn about Z */
    double turn_deg;   /* 0 when it fits as it is; else the turn with most room to spare */
    double scale;      /* the largest factor on its size at which it fits in that turn */
    double size_mm[3]; /* its box in that turn */
};

/** The degrees from vertical by which each triangle leans out over the air below; 0 for those that
 * do not, and for those on the bed. deg has room for triangle_count. For a heat map. */
void mesh_overhang_map(float *deg, const struct mesh *mesh);

/** Looks for the turn about Z, 0 <= turn < 180, in which a mesh fits a plate of bed_mm. */
int mesh_fit_plate(struct plate_fit *out, const struct mesh *mesh, const double bed_mm[3],
                   struct err *err) MUST_CHECK;

#endif
