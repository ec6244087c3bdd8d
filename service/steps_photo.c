/* SPDX-License-Identifier: GPL-3.0-or-later */
/* photo_check: the findings of the stored photos decide whether a model is made of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intake/provider/provider.h"
#include "service/steps_generate.h"
#include "service/steps_own.h"

/* Findings about the subject do not count where the whole picture is used. */
static bool counts(const cJSON *finding, bool needs_subject)
{
    return strcmp(json_text(finding, "severity", ""), "error") == 0 &&
           (needs_subject || !strstr(json_text(finding, "code", ""), "subject"));
}

/* The first finding that stands in the way, as a problem; NULL when none does. */
static char *photo_problem(const cJSON *report, bool needs_subject)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_get(report, "findings")) {
        if (counts(finding, needs_subject))
            return problem_text(json_text(finding, "code", ""), json_text(finding, "message", ""));
    }
    return NULL;
}

static int photos_problem(char **problem, struct step *step, const struct item *item,
                          struct err *err)
{
    struct db_rows *rows = NULL;
    bool needs_subject = json_bool(json_get(item->product, "photos"), "needs_subject", true);
    *problem = NULL;
    if (DB_RUN(&rows, step->db, "step_photos", err, item->id))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows) && !*problem && !failed; i++) {
        cJSON *report = NULL;
        const char *text = db_text(rows, i, 0);
        failed = json_parse(&report, text, strlen(text), err);
        *problem = failed ? NULL : photo_problem(report, needs_subject);
        cJSON_Delete(report);
    }
    if (!failed && db_row_count(rows) == 0)
        *problem = problem_text("photo_missing", "there is no photo");
    db_rows_free(rows);
    return failed;
}

/* The first provider of the template's route that is set up and that this photo may be sent to;
 * where there is none, the first, and the step that would send refuses with the reason. */
static const char *provider_of(const struct item *item, const struct settings *settings)
{
    const cJSON *route = json_get(json_get(item->product, "provider"), "route"), *one;
    const cJSON *first = cJSON_GetArrayItem(route, 0);
    const char *own = json_text(item->options, "provider", NULL);
    if (own)
        return own;
    cJSON_ArrayForEach (one, route) {
        const struct provider_driver *driver =
            cJSON_IsString(one) ? provider_find(one->valuestring) : NULL;
        if (driver && provider_is_on(driver, settings) &&
            provider_may_receive(driver, item->photo_class, item->consent))
            return driver->id;
    }
    return cJSON_IsString(first) ? first->valuestring : "relief";
}

int task_add(struct step *step, const struct item *item, struct err *err)
{
    char id[ID_ROOM], round[16], seed[24];
    struct bytes spec = {0};
    id_new(id, "gen");
    snprintf(round, sizeof round, "%d", item->round);
    /* The same photo, options and round give the same model; another round another one. */
    snprintf(seed, sizeof seed, "%d", 1000 + item->round);
    int failed =
        json_print(&spec, item->options, false, err) ||
        DB_RUN(NULL, step->db, "step_task_add", err, id, item->id, round,
               provider_of(item, step->settings), seed, (const char *)spec.data, step->actor);
    bytes_free(&spec);
    return failed ? -1 : 0;
}

static int refuse(struct step *step, const struct item *item, const char *problem, struct err *err)
{
    return item_move(step, item, "photo.bad", problem, err) || step_end(step, err) ? -1 : 0;
}

static int accept(struct step *step, const struct item *item, struct err *err)
{
    return item_move(step, item, "photo.ok", NULL, err) || task_add(step, item, err) ||
                   item_job(step, item, "generate", err) || step_end(step, err)
               ? -1
               : 0;
}

int step_photo_check(struct step *step, struct err *err)
{
    struct item item;
    char *problem = NULL;
    int result = item_load(&item, step, err);
    if (!result)
        result = photos_problem(&problem, step, &item, err);
    if (!result)
        result = step_begin(step, &item, "photo_check", err);
    if (!result)
        result = problem ? refuse(step, &item, problem, err) : accept(step, &item, err);
    free(problem);
    item_free(&item);
    return result < 0 ? -1 : 0;
}
