/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moves along the flow, and the log of events. To be called inside a transaction of the caller's.
 */
#ifndef STORAGE_FLOW_H
#define STORAGE_FLOW_H

#include "base/err.h"
#include "storage/db.h"

/* A move of one machine ("item", "task", "run", "printer"); unset texts may be NULL. */
struct move {
    const char *machine, *subject, *event;
    const char *actor; /* worker:NAME, user:NAME, policy:NAME, customer, printer:ID */
    const char *reason;
    const char *payload;  /* JSON object */
    int expected_version; /* 0 = whichever */
};

/**
 * Makes the move: row, event and the order's stage. to (may be NULL) gets the new state.
 * Errors   ERR_ABSENT; ERR_CONFLICT the move is not allowed from here, or another version.
 */
int flow_move(char to[24], struct db *db, const struct move *move, struct err *err) MUST_CHECK;

#endif
