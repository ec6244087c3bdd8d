/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is measured of a canary, and when a measure has moved; see canary.h. */
#include "service/canary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "service/steps_generate.h"

enum way { WORSE_UP, WORSE_DOWN, EITHER };

/* By how much a measure may be off the usual: so much, or such a share of it, whichever is more.
 * The same provider and photo give another model each day: points scatter by some 5, shares by some
 * hundredths, times by a factor of two. */
static const struct {
    const char *name;
    enum way way;
    double absolute, share;
} limits[] = {
    {"points", WORSE_DOWN, 12, 0},    {"silhouette_overlap", WORSE_DOWN, 0.08, 0},
    {"thin_share", WORSE_UP, 0.1, 0}, {"support_mm3", WORSE_UP, 2000, 1.0},
    {"volume_mm3", EITHER, 0, 0.5},   {"credits", WORSE_UP, 0, 0.01},
    {"seconds", WORSE_UP, 60, 2.0},
};
#define LIMIT_COUNT (sizeof limits / sizeof *limits)

cJSON *canary_measures(const cJSON *report, double credits, double seconds)
{
    const cJSON *out = json_get(report, "output");
    cJSON *measures = cJSON_CreateObject();
    cJSON_AddNumberToObject(measures, "points", candidate_points(report));
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(out, limits[i].name);
        if (cJSON_IsNumber(value))
            cJSON_AddNumberToObject(measures, limits[i].name, value->valuedouble);
    }
    cJSON_AddNumberToObject(measures, "credits", credits);
    cJSON_AddNumberToObject(measures, "seconds", seconds);
    return measures;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of a measure over the earlier ones; NAN where too few have it. */
static double usual_of(const cJSON *earlier, const char *name)
{
    double values[CANARY_USUAL];
    size_t n = 0;
    const cJSON *one;
    cJSON_ArrayForEach (one, earlier) {
        double value = json_number(one, name, NAN);
        if (isfinite(value) && n < CANARY_USUAL)
            values[n++] = value;
    }
    if (n < CANARY_LEAST)
        return NAN;
    qsort(values, n, sizeof *values, by_size);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

cJSON *canary_moved(const cJSON *measures, const cJSON *earlier)
{
    cJSON *moved = cJSON_CreateArray();
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        double now = json_number(measures, limits[i].name, NAN);
        double usual = usual_of(earlier, limits[i].name);
        double limit = fmax(limits[i].absolute, limits[i].share * fabs(usual));
        double off = limits[i].way == WORSE_UP     ? now - usual
                     : limits[i].way == WORSE_DOWN ? usual - now
                                                   : fabs(now - usual);
        if (!isfinite(now) || !isfinite(usual) || off <= limit)
            continue;
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "measure", limits[i].name);
        cJSON_AddNumberToObject(o, "now", now);
        cJSON_AddNumberToObject(o, "usual", usual);
        cJSON_AddNumberToObject(o, "limit", limit);
        cJSON_AddItemToArray(moved, o);
    }
    return moved;
}
