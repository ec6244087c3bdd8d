/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rounds of candidates: their tasks, which provider makes which, and which candidate goes on. */
#ifndef SERVICE_STEPS_GENERATE_H
#define SERVICE_STEPS_GENERATE_H

#include "intake/provider/route.h"
#include "service/provider_rules.h"
#include "service/steps_own.h"

#define CANDIDATES_MOST 8
#define ROUND_TASKS_MOST 64

/* One task of the round. Texts are borrowed from the rows. */
struct round_task {
    const char *id, *provider, *state, *class, *code, *hash, *format, *score;
    int candidate;
    bool chosen;
};

/* A round as it stands, and what the providers are up to. */
struct round {
    struct db_rows *rows;
    struct round_task tasks[ROUND_TASKS_MOST];
    int count, wanted; /* tasks; candidates */
    unsigned sources;  /* enum route_source */
    double age_s;      /* since its first task was made */
    const char *route[8];
    size_t route_count;
    struct {
        const struct provider_driver *driver;
        int ready; /* as route_case.ready */
    } health[24];
    size_t health_count;
};

/** Reads the item's round and the providers' health. The caller frees. */
int round_load(struct round *round, struct step *step, const struct item *item,
               struct err *err) MUST_CHECK;
void round_free(struct round *round);

/** What is next for a candidate; see route_next. What was refused for its content to one candidate
 * is asked of nobody for the others either. */
enum route_step round_next(const struct provider_driver **provider, const char **why,
                           const struct round *round, const struct item *item, int candidate);

/** The model that was sent in for an item, from its options: its hash, or "" where there is none.
 */
const char *given_model(const struct item *item);

/** A task that is neither at its end nor lost. */
bool round_task_is_open(const struct round_task *task);

/** Adds the task of a candidate, in the caller's transaction. */
int round_add(struct step *step, const struct item *item, int candidate,
              const struct provider_driver *driver, struct err *err) MUST_CHECK;

/** Puts the model in the place of each archive that the item's round has; one without a model is a
 * task that failed. Each in a transaction of its own. */
int round_unpack(struct step *step, const struct item *item, struct err *err) MUST_CHECK;

/** How a candidate fares, from the report of its preparation: the higher the better, below 0 not to
 * be used. Support, thin walls, moved surface and unlikeness cost; a warning a little. Pure. */
double candidate_points(const cJSON *report);

#endif
