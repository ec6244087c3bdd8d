/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Progress as server-sent events, where the provider has them: the stream of a task is held open,
 * and when it ends with the task's end the task is polled at once. So it is a hint like a push; a
 * stream that is cut off, or was never opened, costs nothing but the time until the next poll.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/courier_own.h"
#include "service/log.h"

#define STREAMS_MOST 64 /* each is a connection */

static int add(struct flight *f, struct courier *c)
{
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    struct http_request request = {0};
    struct err why = {0};
    if (f->rules->driver->request(&request, OP_STREAM, &call, &why))
        return -1;
    request.total_s = f->rules->pace.deadline_s;
    request.stall_s = 0;
    request.stop = &c->stop;
    return http_pool_add(c->pool, &request, f, &why);
}

void courier_listen(struct courier *c, const struct provider_rules *rules,
                    const struct provider_reading *r)
{
    if (!(rules->driver->ops & OP_BIT(OP_STREAM)) || c->streams >= STREAMS_MOST)
        return;
    struct flight *f = flight_new(c, rules, "", 0);
    if (!f)
        return;
    f->errand = DO_STREAM;
    f->provider_task = strdup(r->task);
    f->aux = r->aux ? strdup(r->aux) : NULL;
    if (add(f, c))
        flight_free(f); /* some dialects have none */
    else
        c->streams++;
}

int flight_streamed(struct flight *f, struct courier *c, struct http_done *done, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(f->rules);
    struct provider_call call = flight_call(f, &settings, NULL);
    struct provider_reading r = {0};
    int failed = 0;
    if (!done->failed)
        failed = f->rules->driver->read(&r, OP_STREAM, &call, &done->answer, err);
    bool at_end = !done->failed && !failed && r.error != PROVIDER_SERVER &&
                  ((r.state != TASK_QUEUED && r.state != TASK_RUNNING) || r.next == NEXT_RESULTS);
    if (at_end)
        failed = DB_RUN(NULL, c->db, "generation_pushed", err, f->rules->driver->id, "",
                        f->provider_task);
    provider_reading_free(&r);
    if (!failed)
        flight_free(f);
    return failed ? -1 : 0;
}
