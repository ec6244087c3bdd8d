/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Idempotency-Keys; see order.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/order.h"

static int look(int *status, char **response, const struct db_rows *row, const char *fingerprint,
                struct err *err)
{
    if (db_row_count(row) == 0) /* given back between the two statements */
        return FAIL_CODE(err, ERR_CONFLICT, "idempotency_in_progress",
                         "the first request with this key has just ended; ask again");
    if (strcmp(db_text(row, 0, 0), fingerprint) != 0)
        return FAIL_CODE(err, ERR_INPUT, "idempotency_key_reused",
                         "this key was used for another request");
    if (db_is_null(row, 0, 1))
        return FAIL_CODE(err, ERR_CONFLICT, "idempotency_in_progress",
                         "the first request with this key is still being worked on");
    *status = (int)db_int(row, 0, 1);
    *response = strdup(db_text(row, 0, 2));
    return *response ? 0 : FAIL(err, ERR_LIMIT, "no memory for the answer");
}

int idempotency_take(int *status, char **response, struct db *db, const char *route,
                     const char *key, const char *fingerprint, struct err *err)
{
    struct db_rows *rows = NULL;
    *status = 0;
    *response = NULL;
    if (DB_RUN(&rows, db, "idempotency_take", err, route, key, fingerprint))
        return -1;
    int fresh = db_row_count(rows);
    db_rows_free(rows);
    rows = NULL;
    if (fresh)
        return 1;
    if (DB_RUN(&rows, db, "idempotency_look", err, route, key))
        return -1;
    int result = look(status, response, rows, fingerprint, err);
    db_rows_free(rows);
    return result;
}

int idempotency_keep(struct db *db, const char *route, const char *key, int status,
                     const char *response, struct err *err)
{
    struct db_rows *rows = NULL;
    char number[16];
    snprintf(number, sizeof number, "%d", status);
    if (DB_RUN(&rows, db, "idempotency_keep", err, route, key, number, response))
        return -1;
    int kept = db_row_count(rows);
    db_rows_free(rows);
    return kept ? 0
                : FAIL_CODE(err, ERR_CONFLICT, "idempotency_lost",
                            "another request with this key was faster");
}

int idempotency_release(struct db *db, const char *route, const char *key, struct err *err)
{
    return DB_RUN(NULL, db, "idempotency_release", err, route, key);
}
