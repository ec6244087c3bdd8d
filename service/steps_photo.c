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
    if (!failed && db_row_count(rows) == 0 &&
        json_number(json_get(item->product, "photos"), "min", 1) > 0)
        *problem = problem_text("photo_missing", "there is no photo");
    db_rows_free(rows);
    return failed;
}

static int refuse(struct step *step, const struct item *item, const char *problem, struct err *err)
{
    return item_move(step, item, "photo.bad", problem, err) || step_end(step, err) ? -1 : 0;
}

static int accept(struct step *step, const struct item *item, struct err *err)
{
    return item_move(step, item, "photo.ok", NULL, err) || round_begin(step, item, err) ||
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
