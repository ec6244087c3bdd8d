/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The canary: the sample photo through one provider, once a day. Its model is measured as every
 * model is, and held against what was usual; so a provider that changes its models, its prices or
 * its pace is noticed by us and not by a customer.
 */
#ifndef SERVICE_CANARY_H
#define SERVICE_CANARY_H

#include <stdatomic.h>

#include "base/json.h"
#include "service/provider_rules.h"
#include "storage/blob.h"
#include "storage/db.h"
#include "storage/order.h"

#define CANARY_USUAL 7 /* the median of so many */
#define CANARY_LEAST 3 /* with fewer there is nothing usual yet */

/** What is measured of a prepared model: points, silhouette_overlap, thin_share, support_mm3,
 * volume_mm3 by its report; credits; seconds. The caller deletes it. Pure. */
cJSON *canary_measures(const cJSON *report, double credits, double seconds);

/**
 * What moved by more than its limit: an array of {measure, now, usual, limit}, empty when nothing
 * did; the caller deletes it. `earlier` is an array of measures; with fewer than CANARY_LEAST
 * nothing has moved. A measure that gets better is no alarm, but for the volume, which has no
 * better. Pure.
 */
cJSON *canary_moved(const cJSON *measures, const cJSON *earlier);

/* What the canaries of one run share. */
struct canary_run {
    const struct settings *settings;
    struct db *db;
    struct blobs blobs;
    struct photo_row photo; /* the sample, once it was read */
    char *report;           /* owned; photo.report */
    char day[12];           /* of UTC */
    double wait_s;          /* the longest wait for one */
    const atomic_bool *stop;
};

/* One provider's canary of the day. */
struct canary {
    char provider[40], external_id[80], order[40], item[40];
    bool known;      /* it had been measured before */
    cJSON *measures; /* owned */
    cJSON *moved;    /* owned; not empty: an alarm */
};

/** Opens database and store and reads the sample. Errors also ERR_ABSENT code no_database. */
int canary_run_open(struct canary_run *run, const struct settings *settings,
                    struct err *err) MUST_CHECK;
void canary_run_close(struct canary_run *run);

/** Places the provider's order of the day, or finds it placed. */
int canary_place(struct canary *canary, struct canary_run *run, const char *provider,
                 struct err *err) MUST_CHECK;

/**
 * Waits until the order rests and measures it: keeps the measures; tells what moved as an event and
 * as the item's problem, or calls the order off where all is as usual.
 * Errors   ERR_LATER code canary_waits: no worker takes it; code stopped.
 */
int canary_measure(struct canary *canary, struct canary_run *run, struct err *err) MUST_CHECK;

void canary_free(struct canary *canary);

#endif
