/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moves along the flow; see flow.h. The work is done by flow_move in schemas/migrations. */
#include "storage/flow.h"

#include <stdio.h>

int flow_move(char to[24], struct db *db, const struct move *move, struct err *err)
{
    struct db_rows *rows = NULL;
    char version[16];
    snprintf(version, sizeof version, "%d", move->expected_version);
    if (DB_RUN(&rows, db, "flow_move", err, move->machine, move->subject, move->event,
               move->actor ? move->actor : "system", move->reason, move->payload,
               move->expected_version ? version : NULL))
        return -1;
    if (to)
        snprintf(to, 24, "%s", db_text(rows, 0, 0));
    db_rows_free(rows);
    return 0;
}
