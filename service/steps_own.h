/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What two or three of the steps share with one another and nobody else needs. */
#ifndef SERVICE_STEPS_OWN_H
#define SERVICE_STEPS_OWN_H

#include "service/steps.h"

/* The file that an item's newest task gave. */
struct source {
    char task_id[40], hash[SHA256_HEX], file[24]; /* in.stl, in.glb: says of what kind it is */
    char made_at[32];
    int next_model; /* number of the item's next prepared model */
};
int source_load(struct source *source, struct step *step, const struct item *item,
                struct err *err) MUST_CHECK;

/** Adds the first tasks of the item's round, in the caller's transaction: one a candidate, of the
 * first provider of the route that may and can make it. None, where there is none: `gather` says so
 * then. */
int round_begin(struct step *step, const struct item *item, struct err *err) MUST_CHECK;

/** mask.png in the folder: the front photo's cut-out, to see whether a model is like it; none for a
 * product that shows the whole picture, which has no outline. */
int step_mask(struct step *step, const struct item *item, const char *folder,
              struct err *err) MUST_CHECK;

/** Loads the item, drops the job when it is not in that state, else runs body in a work folder of
 * its own, which is gone afterwards. */
int step_in_folder(struct step *step, const char *state,
                   int (*body)(struct step *, const struct item *, const char *, struct err *),
                   struct err *err) MUST_CHECK;

#endif
