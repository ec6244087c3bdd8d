/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * POST /v1/items/{item}/second-opinion: another engine slices the item's present model, too. The
 * answer takes as long as slicing does; it comes to be in the item's slices, and as an event.
 */
#include <string.h>

#include "service/api.h"
#include "service/slicing.h"

/* row: see slice_ahead_item. */
static int check(const struct db_rows *row, const char *item, struct err *err)
{
    static const char sliced[] = "review approved slicing queued printing";
    static const char ended[] = "ready packed shipped done cancelled failed";
    if (db_row_count(row) == 0)
        return FAIL(err, ERR_ABSENT, "no item %.40s", item);
    if (db_is_null(row, 0, 2))
        return FAIL_CODE(err, ERR_CONFLICT, "no_model", "the item has no prepared model yet");
    if (strstr(ended, db_text(row, 0, 0)))
        return FAIL_CODE(err, ERR_CONFLICT, "too_late", "the item is %s", db_text(row, 0, 0));
    /* The job would find the item elsewhere, and nobody would hear of it. */
    if (!strstr(sliced, db_text(row, 0, 0)))
        return FAIL_CODE(err, ERR_CONFLICT, "no_model",
                         "the item is %s: its model is still to come", db_text(row, 0, 0));
    return 0;
}

/* Asked twice, it is done once: the job has the model for its key. */
int api_item_opinion(struct request *request, struct reply *reply, struct err *err)
{
    struct db *db = NULL;
    struct db_rows *row = NULL;
    const char *item = request->part[0];
    if (request_db(&db, request, err) || DB_RUN(&row, db, "slice_ahead_item", err, item))
        return -1;
    int failed = check(row, item, err) || slicing_add_opinion(db, item, db_text(row, 0, 1), err);
    db_rows_free(row);
    if (failed || api_reply_item(reply, request, item, err))
        return -1;
    reply->status = 202;
    return 0;
}
