/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of the route; see route.h. */
#include "intake/provider/route.h"

#include <string.h>

bool route_makes_of(const struct provider_driver *driver, unsigned sources)
{
    if (driver->takes_model)
        return sources & FROM_MODEL;
    return sources & FROM_PHOTO || (driver->takes_text && sources & FROM_TEXT);
}

/* What the provider's tries say about asking it again. */
static bool may_try_again(const struct route_case *of, const char *id)
{
    int count = 0;
    for (size_t i = 0; i < of->try_count; i++) {
        const struct route_try *t = &of->tries[i];
        if (strcmp(t->provider, id) != 0)
            continue;
        count++;
        if (t->slow || t->error == PROVIDER_AUTH || t->error == PROVIDER_CREDITS ||
            t->error == PROVIDER_BAD_INPUT || t->error == PROVIDER_PROTOCOL)
            return false;
    }
    return count < of->tries_each;
}

/* ROUTE_ASK: nothing that has happened decides by itself. */
static enum route_step look_back(const char **why, const struct route_case *of)
{
    enum route_step step = ROUTE_ASK;
    for (size_t i = 0; i < of->try_count; i++) {
        const struct route_try *t = &of->tries[i];
        if (t->state == TASK_SUCCEEDED) {
            *why = "";
            return ROUTE_DONE;
        }
        if (t->state == TASK_REJECTED || t->error == PROVIDER_CONTENT) {
            *why = "photo_refused";
            return ROUTE_OVER;
        }
        if (t->lost || t->state == TASK_UNKNOWN) {
            *why = "generation_in_doubt";
            step = ROUTE_OVER;
        } else if ((t->state == TASK_RUNNING || t->state == TASK_QUEUED) && step == ROUTE_ASK) {
            step = ROUTE_WAIT;
        }
    }
    return step;
}

enum route_step route_next(const struct provider_driver **provider, const char **why,
                           const struct route_case *of)
{
    bool fit = false, allowed = false, set_up = false, wait = false;
    *provider = NULL;
    *why = "";
    enum route_step step = look_back(why, of);
    if (step != ROUTE_ASK)
        return step;
    for (size_t i = 0; i < of->route_count; i++) {
        const struct provider_driver *driver = provider_find(of->route[i]);
        if (!driver || !route_makes_of(driver, of->sources))
            continue;
        fit = true;
        if (!provider_may_receive(driver, of->photo_class, of->consent))
            continue;
        allowed = true;
        int ready = of->ready(of->user, driver);
        set_up |= ready != 0;
        if (ready == 0 || !may_try_again(of, driver->id))
            continue;
        if (ready > 0) {
            *provider = driver;
            return ROUTE_ASK;
        }
        wait = true;
    }
    *why = !fit       ? "provider_unfit"
           : !allowed ? "provider_not_allowed"
           : !set_up  ? "provider_off"
                      : "no_candidate";
    return wait ? ROUTE_WAIT : ROUTE_OVER;
}
