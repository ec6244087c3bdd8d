/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One 3MF sliced for one printer class, once: what was sliced before with the same bytes and the
 * same settings is taken from `slice_results`, by whichever item or step asks. Passes are not
 * looked at here; what may be printed is decided where `slices` and `runs` are written.
 */
#ifndef SERVICE_SLICING_H
#define SERVICE_SLICING_H

#include "service/slice_objects.h"
#include "service/steps.h"

struct slicing {
    /* what is wanted */
    struct step *step;
    const struct item *item;
    const char *folder; /* for temp files */
    const char *threemf_hash;
    const char *printer_class;
    const char *engine; /* a row of the engine table; "any"; NULL for the usual one */
    bool ahead;         /* not needed yet: it gives way to what is */
    /* what slicing_run makes of it */
    struct profile profile;
    char settings_hash[SHA256_HEX];
    char result_id[40];
    struct slice_result result; /* gcode_hash: of the blob */
    cJSON *report;              /* as it is shown to people: figures and the G-code's check */
    cJSON *opinion;             /* another engine's, NULL none */
    char problem_code[32], problem[200]; /* "" it can be sliced */
    /* private */
    char claim[80];
    cJSON *model; /* what the role said of the 3MF */
    struct slice_objects objects;
    int64_t looked_ms;
    double told;
    bool gave_way, other; /* other: a further engine is tried next */
};

/**
 * Takes the result that is there, or slices. Two workers never slice the same: the second gives its
 * job back and finds the result when it comes again; a claim ends with the lease of its job.
 *
 * Result   0 done; 1 the job was given back, since another slices the same or, when ahead, since
 *          all workers are busy and something waits. What could not be sliced ahead is 0 too, with
 *          problem_code: it is kept, and not tried again before it is needed.
 * Errors   as slice_run. No transaction may be open; none is after it.
 * Owner    slicing_free, also after a failure.
 */
int slicing_run(struct slicing *s, struct err *err) MUST_CHECK;

/** Has another engine slice the same, unless it has before; after slicing_run, and with its
 * results. That it cannot is an opinion, too: verdict "far". */
int slicing_opinion(struct slicing *s, struct err *err) MUST_CHECK;

/** Is the opinion one that a person has to look at, and no person has passed the item since? In the
 * caller's transaction. */
int slicing_is_doubted(bool *doubted, struct slicing *s, struct err *err) MUST_CHECK;

/** In the caller's transaction: makes the result the item's own and notes its files; the trigger of
 * `slices` refuses it without a pass on this 3MF. */
int slicing_enter(char slice_id[40], struct slicing *s, struct err *err) MUST_CHECK;

void slicing_free(struct slicing *s);

/** What the item's template wants: the engine ("cura", "prusa", "any"; NULL the usual one), a
 * second opinion on each, and slicing while the review waits. */
const char *slicing_engine(const struct item *item);
bool slicing_wants_opinion(const struct item *item);
bool slicing_wants_ahead(const struct item *item);

/** Adds a `slice_ahead` job, in the caller's transaction: of one of the item's models for one
 * class. The model under review goes before other classes of what is queued. */
enum ahead { AHEAD_CLASS, AHEAD_REVIEW };
int slicing_add_ahead(struct db *db, const char *item_id, const char *model_id,
                      const char *printer_class, enum ahead why, struct err *err) MUST_CHECK;
/** The same for a second opinion on the model's slice for its usual class, before all of these. */
int slicing_add_opinion(struct db *db, const char *item_id, const char *model_id,
                        struct err *err) MUST_CHECK;

#endif
