/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of relief_make, shared by the files of this folder only. */
#ifndef PRINT_RELIEF_RELIEF_PARTS_H
#define PRINT_RELIEF_RELIEF_PARTS_H

#include "print/relief/relief.h"

/* A grid over the front view: column i is x, row k is z from below; value[k * nx + i]. */
struct relief_grid {
    int nx, nz;
    double step_mm;
};

/* Where a grid's cells lie on the photo: cell (0, 0) has its lower left corner at (left, bottom).
 */
struct relief_window {
    double left, bottom, pixels_per_cell;
};

/* What the silhouette was made of, for the notes. */
struct relief_pieces {
    int found, joined, dropped;
    double thin_mm2;
};

/* An oval stand of which the figure grows. All millimetres; z counts from the stand's underside. */
struct relief_stand {
    double centre_x, radius_x, radius_y, top; /* top 0: no stand */
};

/* The figure between its front and its back, seen as a field that is positive inside. */
struct relief_body {
    struct relief_grid grid;
    float *half;   /* squared half depth at each point, negative outside the silhouette */
    float *steep;  /* its gradient's length squared; -1 well outside, half is then the distance */
    float *detail; /* how far the front stands out */
    double back;   /* the back's depth as a share of the front's */
    double base_z; /* z of row 0 */
    double deepest;
    struct relief_stand stand;
};

/* Mean linear luminance 0..1 and mean alpha 0..1 of the photo under each cell (either may be NULL);
 * cells off the photo get luminance 1 and alpha 0. by_alpha: clear pixels do not count in luma. */
void relief_sample(float *luma, float *alpha, const struct picture *photo,
                   const struct relief_grid *grid, const struct relief_window *window,
                   bool by_alpha);

/* Gaussian blur (three box means) of a grid's values. scratch: as many values again. */
void relief_blur(float *value, float *scratch, const struct relief_grid *grid, double sigma_mm);

/* Makes any field, positive inside, a signed distance in mm with the same zero line. */
int relief_distance(float *out, const float *in, const struct relief_grid *grid,
                    struct err *err) MUST_CHECK;

/* From soft alpha to the signed distance of a silhouette that prints: one piece, no wall under
 * wall_mm, feet brought down to row feet_row. out may not be alpha. */
int relief_silhouette(float *out, struct relief_pieces *pieces, float *alpha,
                      const struct relief_grid *grid, double wall_mm, int feet_row,
                      struct err *err) MUST_CHECK;

/* Fills half from the silhouette's distance so that no front bulges over deepest_mm. */
int relief_inflate(struct relief_body *body, const float *distance, double deepest_mm,
                   struct err *err) MUST_CHECK;

/* Fills detail from luminance (altered), at most detail_mm, fading out at the silhouette. */
int relief_detail(struct relief_body *body, float *luma, const float *distance, double detail_mm,
                  struct err *err) MUST_CHECK;

/* The body's surface: closed, 2-manifold, one shell. Errors ERR_LIMIT. */
int relief_surface(struct mesh *out, const struct relief_body *body, struct err *err) MUST_CHECK;

int relief_figure(struct mesh *out, cJSON *notes, const struct picture *photo,
                  const struct relief_options *options, struct err *err) MUST_CHECK;

int relief_lithophane(struct mesh *out, cJSON *notes, const struct picture *photo,
                      const struct relief_options *options, struct err *err) MUST_CHECK;

#endif
