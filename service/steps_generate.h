/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the `generate` step: the task it is about, and what its ways have in common. */
#ifndef SERVICE_STEPS_GENERATE_H
#define SERVICE_STEPS_GENERATE_H

#include "intake/provider/provider.h"
#include "service/steps_own.h"

/* The item's task of this round, its provider and the photo it works from. */
struct making {
    struct item item;
    struct db_rows *task_row, *photo_row;
    const char *task_id, *provider, *state, *provider_task;
    int64_t seed;
    int attempts, failures; /* tries of this task; tasks of the round that failed */
    bool overdue;
    const struct provider_driver *driver;
    const char *normal_hash, *cutout_hash, *photo_hash, *photo_mime;
    cJSON *exchange; /* what was asked and answered, without the photo and without keys */
};

/** One move of the task, in the caller's transaction. */
int task_move(struct making *m, struct step *step, const char *event, const char *reason,
              struct err *err) MUST_CHECK;

/** created -> submitting, committed with our lease still good: the intent. 1 the lease is lost. */
int task_claim(struct making *m, struct step *step, int deadline_s, struct err *err) MUST_CHECK;

/** The result is stored, the task has succeeded, the item goes to inspecting: committed. notes may
 * be NULL. */
int task_store(struct making *m, struct step *step, const struct bytes *model, const char *format,
               const cJSON *notes, struct err *err) MUST_CHECK;

/** The task ends by `event` and the item goes to a person, with the reason: committed. */
int task_park(struct making *m, struct step *step, const char *event, const char *code,
              const char *message, struct err *err) MUST_CHECK;

/** Whether the provider can be asked at all: made here, or its address is set. */
bool provider_is_on(const struct provider_driver *driver, const struct settings *settings);

/** Sends, polls or reconciles a task of a provider that is asked over HTTP. */
int generate_remote(struct making *m, struct step *step, struct err *err) MUST_CHECK;

#endif
