/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the subject of a photo: by its alpha, else by the border's colours and contrast. */
#ifndef INTAKE_SUBJECT_H
#define INTAKE_SUBJECT_H

#include <stdbool.h>

#include "base/png.h"

struct subject {
    uint8_t *mask; /* width x height bytes, 0 background .. 255 subject, soft at the edge; owned */
    bool from_alpha;
    double share;      /* of the picture, 0..1 */
    double confidence; /* 0..1: how clearly it stands out */
    double
        border_share[4]; /* share of the top, right, bottom, left border that the subject touches */
};

/** Deterministic. Cost O(pixels). Errors ERR_LIMIT no memory. share 0 when nothing stands out. */
int subject_find(struct subject *out, const struct picture *photo, bool has_alpha,
                 struct err *err) MUST_CHECK;
void subject_free(struct subject *subject);

#endif
