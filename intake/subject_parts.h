/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of finding a subject, shared by the subject_*.c files only. */
#ifndef INTAKE_SUBJECT_PARTS_H
#define INTAKE_SUBJECT_PARTS_H

#include "intake/subject.h"

#include <stddef.h>

#define SUBJECT_COLOURS 6

/* The photo made small: Oklab, three floats a pixel. */
struct small_photo {
    float *lab;
    int width, height;
};

/* A mixture of Gaussians over Oklab; count 0 when nothing was given to fit. */
struct colour_model {
    int count;
    double weight[SUBJECT_COLOURS];
    double mean[SUBJECT_COLOURS][3];
    double inverse[SUBJECT_COLOURS][6]; /* of the covariance: xx xy xz yy yz zz */
    double offset[SUBJECT_COLOURS];     /* half log determinant less log weight */
};

/** Averages areas down to at most longest pixels a side. Errors ERR_LIMIT. */
int small_photo_make(struct small_photo *out, const struct picture *photo, int longest,
                     struct err *err) MUST_CHECK;

/** Fits the model to the pixels whose chosen byte is 1. scratch: one byte a pixel. */
void colour_model_fit(struct colour_model *model, const struct small_photo *photo,
                      const uint8_t *chosen, uint8_t *scratch);

/** -log of how likely the colour is, up to a constant; lowest is likeliest. */
double colour_model_cost(const struct colour_model *model, const float *lab);

/**
 * barrier: for each pixel the least range of colour that any path from the seeds (bytes that are
 * not 0: the border) must cross.
 * Source   the minimum barrier distance by raster passes, Zhang et al., ICCV 2015.
 */
int barrier_from_seeds(float *barrier, const struct small_photo *photo, const uint8_t *seeds,
                       struct err *err) MUST_CHECK;

/**
 * The cut u in 0..1 that minimises sum(cost * u) + edge-weighted total variation of u: the convex
 * form of a graph cut. cut: start in, result out.
 * Source   Chambolle and Pock 2011, first-order primal-dual method.
 */
int cut_by_total_variation(float *cut, const float *cost, const struct small_photo *photo,
                           int rounds, struct err *err) MUST_CHECK;

/** Keeps the main pieces of a 0/1 mask and fills pinholes. Errors ERR_LIMIT. */
int mask_tidy(uint8_t *mask, int width, int height, struct err *err) MUST_CHECK;

/** Brings the small cut to the photo's size along the photo's own edges (fast guided filter). */
int mask_enlarge(uint8_t *mask, const float *cut, const struct small_photo *small,
                 const struct picture *photo, struct err *err) MUST_CHECK;

#endif
