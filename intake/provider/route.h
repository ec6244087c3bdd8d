/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which provider is asked next for one candidate of a round: pure rules, no clock, no store. */
#ifndef INTAKE_PROVIDER_ROUTE_H
#define INTAKE_PROVIDER_ROUTE_H

#include "intake/provider/provider.h"

/* One task of the candidate that has ended, or TASK_RUNNING of one that has not. */
struct route_try {
    const char *provider;
    enum task_state state;
    enum provider_error error;
    bool lost; /* nobody knows whether the provider took it */
    bool slow; /* it did not end in time: it may be paid for, and another would take as long */
};

/* What a model can be made of. */
enum route_source { FROM_PHOTO = 1, FROM_TEXT = 2, FROM_MODEL = 4 };

struct route_case {
    unsigned sources;         /* enum route_source: what there is of the item */
    const char *const *route; /* ids in the order of the template */
    size_t route_count;
    const struct route_try *tries; /* oldest first */
    size_t try_count;
    const char *photo_class;
    const cJSON *consent;
    /** Whether it may be asked now: 1 yes, 0 not set up at all, -1 not for a while (its circuit is
     * open). */
    int (*ready)(void *user, const struct provider_driver *driver);
    void *user;
    int tries_each; /* tasks per provider at most */
};

enum route_step {
    ROUTE_ASK,  /* *provider is to make it */
    ROUTE_WAIT, /* a task is under way, or all that could do it are not to be asked for a while */
    ROUTE_DONE, /* it is there */
    ROUTE_OVER  /* none is left; *why is a stable code */
};

/**
 * The next step for a candidate, by these rules: what a provider refused for its content is never
 * shown to another one; a task that is lost, or of which nobody knows how it is, is not made again
 * by itself; a provider that refused the key, the credits or the input, or did not end in time, is
 * not asked again for it; one that failed is, up to tries_each, and then the next; a photo goes
 * only where provider_may_receive lets it; a provider that makes nothing of such sources is stepped
 * over.
 *
 * Codes    photo_refused, generation_in_doubt, provider_unfit (none of the route makes a model of
 *          what there is), provider_not_allowed (none that does may have the photo), provider_off
 *          (none of those is set up), no_candidate (all have failed).
 */
enum route_step route_next(const struct provider_driver **provider, const char **why,
                           const struct route_case *of);

/** Whether a provider makes models of one of those sources: upload takes a model only, the others a
 * photo, and some of them a text alone. Pure. */
bool route_makes_of(const struct provider_driver *driver, unsigned sources);

#endif
