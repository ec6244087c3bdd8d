/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: is what the provider gave a model that can be prepared? Its reader runs confined. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/role.h"
#include "service/steps_own.h"

int source_load(struct source *source, struct step *step, const struct item *item, struct err *err)
{
    struct db_rows *rows = NULL;
    *source = (struct source){0};
    if (DB_RUN(&rows, step->db, "step_source", err, item->id))
        return -1;
    int failed = 0;
    if (db_row_count(rows) == 1) {
        snprintf(source->task_id, sizeof source->task_id, "%s", db_text(rows, 0, 0));
        snprintf(source->hash, sizeof source->hash, "%s", db_text(rows, 0, 1));
        snprintf(source->file, sizeof source->file, "in.%s", db_text(rows, 0, 2));
        snprintf(source->made_at, sizeof source->made_at, "%s", db_text(rows, 0, 3));
        source->next_model = (int)db_int(rows, 0, 4);
    } else {
        failed = FAIL_CODE(err, ERR_ABSENT, "no_model", "item %s has no generated model", item->id);
    }
    db_rows_free(rows);
    return failed;
}

int step_mask(struct step *step, const struct item *item, const char *folder, struct err *err)
{
    struct db_rows *rows = NULL;
    if (!json_bool(json_get(item->product, "photos"), "needs_subject", true))
        return 0;
    if (DB_RUN(&rows, step->db, "step_photos", err, item->id))
        return -1;
    int failed = db_row_count(rows) > 0
                     ? folder_blob(step, db_text(rows, 0, 2), folder, "mask.png", err)
                     : 0;
    db_rows_free(rows);
    return failed;
}

/* The child reads `in`; the name in its options says of what kind it was called. */
static int run_inspect(cJSON **report, struct step *step, const struct item *item,
                       const struct source *source, const char *folder, struct err *err)
{
    cJSON *options = NULL;
    int failed = folder_blob(step, source->hash, folder, "in", err) ||
                 item_role_options(&options, item, step, source->file, err) ||
                 folder_write(folder, "options.json", options, err) ||
                 role_run(report, "inspect", folder, step->stop, err);
    cJSON_Delete(options);
    return failed ? -1 : 0;
}

static int write_report(struct step *step, const struct item *item, const cJSON *report,
                        const struct keep *keep, struct err *err)
{
    bool unusable = strcmp(json_text(report, "verdict", ""), "reject") == 0;
    char *problem = unusable ? report_problem(report, "the model cannot be used") : NULL;
    int failed =
        item_move(step, item, unusable ? "candidate.unusable" : "candidate.usable", problem, err) ||
        keep_note(keep, step, item, err) || (!unusable && item_job(step, item, "prepare", err)) ||
        step_end(step, err);
    free(problem);
    return failed ? -1 : 0;
}

static int inspect_in(struct step *step, const struct item *item, const char *folder,
                      struct err *err)
{
    struct source source;
    cJSON *report = NULL;
    char name[64];
    stage_name(name, "04_inspect", item->round, "json");
    struct keep keep = {.kind = "inspect_report", .name = name, .mime = "application/json"};
    int result = source_load(&source, step, item, err);
    if (!result)
        result = run_inspect(&report, step, item, &source, folder, err);
    if (!result)
        result = keep_file(&keep, step, folder, "result.json", err);
    if (!result)
        result = step_begin(step, item, "inspecting", err);
    if (!result)
        result = write_report(step, item, report, &keep, err);
    cJSON_Delete(report);
    return result < 0 ? -1 : 0;
}

int step_in_folder(struct step *step, const char *state,
                   int (*body)(struct step *, const struct item *, const char *, struct err *),
                   struct err *err)
{
    struct item item;
    char folder[700] = "";
    int result = item_load(&item, step, err);
    if (!result && strcmp(item.state, state) != 0) {
        item_free(&item);
        return step_drop(step, "the item has moved on", err);
    }
    if (!result)
        result = work_folder_make(folder, step->settings->work_folder, step->job->kind, err);
    if (!result)
        result = body(step, &item, folder, err);
    work_folder_drop(folder);
    item_free(&item);
    return result;
}

int step_inspect(struct step *step, struct err *err)
{
    return step_in_folder(step, "inspecting", inspect_in, err);
}
