/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps of an item's way, each run as a job (work.c has the table). A step carries results from
 * one room to the next and writes every effect in the transaction that also calls job_done. It may
 * be run again after a crash at any point: it looks where the item stands and goes on from there.
 */
#ifndef SERVICE_STEPS_H
#define SERVICE_STEPS_H

#include <stdatomic.h>

#include "base/json.h"
#include "service/settings.h"
#include "storage/blob.h"
#include "storage/job.h"

struct step {
    const struct settings *settings;
    const struct blobs *blobs;
    struct db *db;
    const struct job *job;
    const char *actor;  /* worker:NAME */
    atomic_bool *stop;  /* true: end soon; children die, calls end. A step may stop its own */
    const char *urgent; /* job kinds, comma-separated, that work which is not needed yet gives
                           way to; NULL none */
    int start_grace_ms; /* how long a start may take to show on the printer; 0 = 5 s */
};

/* 0 the effects and job_done are committed, or the job was given back; -1 failed, with the
 * transaction still to be rolled back by the caller. */
typedef int step_function(struct step *, struct err *);

step_function step_photo_check, step_generate, step_gather, step_inspect, step_prepare, step_slice,
    step_slice_ahead, step_print;

/* --- what the steps share (steps.c) --- */

/* An item with its order, as a step needs it. Owned by the caller: item_free. */
struct item {
    char id[40], order_id[40], state[24], template[48], photo_class[16], model_id[40];
    char number[24];                /* of the order */
    char approved_hash[SHA256_HEX]; /* "" nothing was passed */
    int position, round, version, model_number;
    char *name;     /* what the part is called; "" none */
    cJSON *options; /* completed from the template by the form */
    cJSON *consent;
    cJSON *product; /* the template */
};

/** Loads the item that the job is about. ERR_ABSENT. */
int item_load(struct item *item, struct step *step, struct err *err) MUST_CHECK;
void item_free(struct item *item);

/** An option of the item, else of the template's default for it. */
double item_number(const struct item *item, const char *option, double otherwise);
const char *item_text(const struct item *item, const char *option, const char *otherwise);

/** The printer class, material and process (NULL: the usual one) that the item is made with. */
const char *item_printer_class(const struct item *item);
const char *item_material(const struct item *item);
const char *item_process(const struct item *item);

/** options.json of the roles inspect and prep. */
int item_role_options(cJSON **out, const struct item *item, const struct step *step,
                      const char *file_name, struct err *err) MUST_CHECK;

/** Ends a job whose item has moved on without it: committed. */
int step_drop(struct step *step, const char *why, struct err *err) MUST_CHECK;

/** Opens the transaction of the effects, holding the item: 0, or 1 when the item is no longer in
 * that state (the transaction is closed again, the job dropped). */
int step_begin(struct step *step, const struct item *item, const char *state,
               struct err *err) MUST_CHECK;

/** One move of the item; problem: JSON for a person, or NULL to wipe what stood there. */
int item_move(struct step *step, const struct item *item, const char *event, const char *problem,
              struct err *err) MUST_CHECK;

/** {"code","message"} as text; the caller frees. */
char *problem_text(const char *code, const char *message);

/** Adds the item's next job (at most one of that kind for the item at once). */
int item_job(struct step *step, const struct item *item, const char *kind,
             struct err *err) MUST_CHECK;

/** job_done and commit. */
int step_end(struct step *step, struct err *err) MUST_CHECK;

/** Stores a file of the work folder and notes it as the item's; hash may be NULL. Blobs may be
 * stored outside a transaction: an unused one does no harm. */
struct keep {
    const char *kind, *name, *mime;
    const char *model_id;
    char hash[SHA256_HEX];
    uint64_t bytes;
};
int keep_file(struct keep *keep, const struct step *step, const char *folder, const char *file,
              struct err *err) MUST_CHECK;
int keep_bytes(struct keep *keep, const struct step *step, const void *data, size_t n,
               struct err *err) MUST_CHECK;
int keep_note(const struct keep *keep, const struct step *step, const struct item *item,
              struct err *err) MUST_CHECK;

/** NN_stage.ext, or NN_stage__002.ext for the second of its kind and so on. */
void stage_name(char out[64], const char *stage, int number, const char *extension);

/** Writes JSON, or copies a blob, into a work folder. */
int folder_write(const char *folder, const char *file, const cJSON *json,
                 struct err *err) MUST_CHECK;
int folder_blob(const struct step *step, const char *hash, const char *folder, const char *file,
                struct err *err) MUST_CHECK;

/** The code and message of a report's gravest finding, as a problem; caller frees. */
char *report_problem(const cJSON *report, const char *otherwise);

/**
 * A job died: its item goes where a person sees it, with the reason, in the caller's transaction.
 * state = where the item stands; 1 when it is in no state that works by itself.
 */
int item_give_up(struct db *db, const char *item_id, const char *state, const char *code,
                 const char *message, const char *actor, struct err *err) MUST_CHECK;

/** The same for a run whose `print` job died: back in line, and its printer waits for a person. */
int run_give_up(struct db *db, const char *run_id, const char *message, const char *actor,
                struct err *err) MUST_CHECK;

#endif
