/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures a normalised photo and its subject, and says in plain words what is wrong with it. */
#ifndef INTAKE_PHOTO_JUDGE_H
#define INTAKE_PHOTO_JUDGE_H

#include "intake/photo.h"
#include "intake/subject.h"

/* NAN where a thing cannot be measured. Light is 8-bit luma, 0..255, inside the subject. */
struct photo_measures {
    double sharpness;  /* variance of the Laplacian over variance of the luma, subject <= 512 px */
    double brightness; /* mean */
    double contrast;   /* 95th less 5th percentile */
    double clipped;    /* share of the subject that is 250 or lighter */
    double second_share; /* the second largest separate part, of the largest */
    uint32_t subject_width, subject_height;
};

/** Errors ERR_LIMIT no memory. Cost O(pixels). */
int photo_measure(struct photo_measures *out, const struct picture *picture,
                  const struct subject *subject, struct err *err) MUST_CHECK;

/** Measures, and fills photo->report; see photo.h. Errors ERR_LIMIT no memory. */
int photo_judge(struct photo *photo, const struct subject *subject, bool profile_ignored,
                struct err *err) MUST_CHECK;

#endif
