/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Idempotency-Key of the requests that make something; see api.h. */
#include "service/api.h"
#include "service/log.h"
#include "storage/order.h"

int api_key_take(int *known, char **kept, struct request *request, const char *route,
                 const char *print, struct err *err)
{
    struct db *db = NULL;
    int status = 0;
    *kept = NULL;
    if (request_db(&db, request, err))
        return -1;
    int result = idempotency_take(&status, kept, db, route,
                                  request_header(request, "Idempotency-Key"), print, err);
    *known = result == 0;
    if (result == 1) {
        pool_give(request->http->pool, request->db, false);
        request->db = NULL;
    }
    return result < 0 ? -1 : 0;
}

void api_key_release(struct request *request, const char *route)
{
    struct db *db = NULL;
    struct err why = {0};
    if (request_db(&db, request, &why) ||
        idempotency_release(db, route, request_header(request, "Idempotency-Key"), &why))
        log_failure(LOG_WARN, "key_not_released", request->trace_id, &why);
}
