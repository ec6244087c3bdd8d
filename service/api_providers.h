/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the handlers about providers share: tasks whose submit was lost and that are found again. */
#ifndef SERVICE_API_PROVIDERS_H
#define SERVICE_API_PROVIDERS_H

#include "service/api.h"
#include "service/provider_rules.h"

/* A task as it stands, with its item. */
struct lost_task {
    char id[40], item[40], order[40], state[24], provider[40];
    bool present; /* of the item's present round */
    bool waits;   /* the item is in review because nobody knows what became of a task */
    cJSON *spec;  /* owned */
};

/** Reads a task. Errors ERR_ABSENT. The caller frees, in any case. */
int lost_task_load(struct lost_task *task, struct db *db, const char *id,
                   struct err *err) MUST_CHECK;
void lost_task_free(struct lost_task *task);

/**
 * Saves the provider's number of a task that was in doubt or lost, in the open transaction: it is
 * asked about at once, and where its item waits in review for that reason, the item goes on. `aux`
 * is the second handle, or NULL for what the driver makes of the number.
 *
 * Locks    the order and the item, then the task.
 * Errors   ERR_INPUT code handle_invalid: the provider cannot be asked about such a number, or
 *          needs the second handle. ERR_CONFLICT code task_not_lost, or another task has it.
 */
int lost_task_found(struct lost_task *task, struct db *db, const struct provider_rules *rules,
                    const char *found, const char *aux, const char *actor, const char *reason,
                    struct err *err) MUST_CHECK;

#endif
