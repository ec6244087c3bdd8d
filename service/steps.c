/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the steps share: the item they are about, its files, its moves, and how it is given up. */
#include "service/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/order_form.h"
#include "intake/provider/provider.h"
#include "print/slice/slice.h"
#include "service/log.h"
#include "storage/flow.h"
#include "storage/order.h"

static int parse_column(cJSON **out, const struct db_rows *rows, int column, struct err *err)
{
    const char *text = db_text(rows, 0, column);
    return json_parse(out, text, strlen(text), err);
}

static const char *config_folder(const struct step *step)
{
    return *step->settings->config_folder ? step->settings->config_folder : NULL;
}

static int item_fill(struct item *item, const struct db_rows *rows, struct step *step,
                     struct err *err)
{
    snprintf(item->id, sizeof item->id, "%s", step->job->subject);
    snprintf(item->order_id, sizeof item->order_id, "%s", db_text(rows, 0, 0));
    snprintf(item->number, sizeof item->number, "%s", db_text(rows, 0, 1));
    snprintf(item->state, sizeof item->state, "%s", db_text(rows, 0, 2));
    snprintf(item->template, sizeof item->template, "%s", db_text(rows, 0, 3));
    snprintf(item->photo_class, sizeof item->photo_class, "%s", db_text(rows, 0, 4));
    snprintf(item->model_id, sizeof item->model_id, "%s", db_text(rows, 0, 5));
    item->position = (int)db_int(rows, 0, 6);
    item->round = (int)db_int(rows, 0, 7);
    item->version = (int)db_int(rows, 0, 8);
    snprintf(item->approved_hash, sizeof item->approved_hash, "%s", db_text(rows, 0, 12));
    item->model_number = (int)db_int(rows, 0, 13);
    item->name = strdup(db_text(rows, 0, 9));
    if (!item->name)
        return FAIL(err, ERR_LIMIT, "no memory for an item");
    return parse_column(&item->options, rows, 10, err) ||
                   parse_column(&item->consent, rows, 11, err) ||
                   template_load(&item->product, config_folder(step), item->template, err)
               ? -1
               : 0;
}

int item_load(struct item *item, struct step *step, struct err *err)
{
    struct db_rows *rows = NULL;
    *item = (struct item){0};
    if (DB_RUN(&rows, step->db, "step_item", err, step->job->subject))
        return -1;
    int failed = db_row_count(rows) == 1
                     ? item_fill(item, rows, step, err)
                     : FAIL(err, ERR_ABSENT, "no item %.40s", step->job->subject);
    db_rows_free(rows);
    return failed;
}

void item_free(struct item *item)
{
    free(item->name);
    cJSON_Delete(item->options);
    cJSON_Delete(item->consent);
    cJSON_Delete(item->product);
    *item = (struct item){0};
}

double item_number(const struct item *item, const char *option, double otherwise)
{
    const cJSON *range = json_get(item->product, option);
    return json_number(item->options, option, json_number(range, "default", otherwise));
}

const char *item_text(const struct item *item, const char *option, const char *otherwise)
{
    const cJSON *choice = json_get(item->product, option);
    return json_text(item->options, option, json_text(choice, "default", otherwise));
}

const char *item_printer_class(const struct item *item)
{
    return json_text(item->options, "printer_class", json_text(item->product, "printer_class", ""));
}

const char *item_material(const struct item *item)
{
    return item_text(item, "material", "pla");
}

const char *item_process(const struct item *item)
{
    return item_text(item, "process", NULL);
}

static int add_bed(cJSON *options, const struct item *item, const struct step *step,
                   struct err *err)
{
    struct printer_profile printer;
    if (printer_profile_load(&printer, config_folder(step), item_printer_class(item), err))
        return -1;
    cJSON_AddItemToObject(options, "bed_mm", cJSON_CreateDoubleArray(printer.bed_mm, 3));
    printer_profile_free(&printer);
    return 0;
}

static void add_copy(cJSON *options, const char *name, const cJSON *value)
{
    if (value)
        cJSON_AddItemToObject(options, name, cJSON_Duplicate(value, true));
}

/* The item's own wishes go before its template's. */
int item_role_options(cJSON **out, const struct item *item, const struct step *step,
                      const char *file_name, struct err *err)
{
    static const char *const wishes[] = {"flatten_mm",    "orient",    "protect_front", "base",
                                         "max_triangles", "hollow_mm", "drains"};
    const cJSON *usual = json_get(item->product, "print");
    cJSON *options = *out = cJSON_CreateObject();
    cJSON_AddStringToObject(options, "name", file_name);
    cJSON_AddNumberToObject(options, "height_mm", item_number(item, "height_mm", 0));
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        const cJSON *wish = json_get(item->options, wishes[i]);
        add_copy(options, wishes[i], wish ? wish : json_get(usual, wishes[i]));
    }
    const char *text = json_text(item->options, "text", NULL);
    cJSON *base = cJSON_GetObjectItemCaseSensitive(options, "base");
    if (base && text) {
        cJSON_DeleteItemFromObjectCaseSensitive(base, "text");
        cJSON_AddStringToObject(base, "text", text);
    }
    add_copy(options, "limits", json_get(item->product, "limits"));
    cJSON_AddStringToObject(options, "printer", item_printer_class(item));
    cJSON_AddStringToObject(options, "material", item_material(item));
    if (item_process(item))
        cJSON_AddStringToObject(options, "process", item_process(item));
    if (config_folder(step))
        cJSON_AddStringToObject(options, "config_folder", config_folder(step));
    return add_bed(options, item, step, err);
}

/* --- transactions -------------------------------------------------------------------------------
 */

int step_end(struct step *step, struct err *err)
{
    return job_done(step->db, step->job, err) || db_commit(step->db, err) ? -1 : 0;
}

int step_drop(struct step *step, const char *why, struct err *err)
{
    log_event(LOG_INFO, "job_dropped", "kind", step->job->kind, "subject", step->job->subject,
              "why", why, NULL);
    return db_begin(step->db, err) || step_end(step, err) ? -1 : 0;
}

int step_begin(struct step *step, const struct item *item, const char *state, struct err *err)
{
    struct db_rows *rows = NULL;
    if (db_begin(step->db, err) || DB_RUN(NULL, step->db, "item_lock", err, item->id) ||
        DB_RUN(&rows, step->db, "step_item_state", err, item->id))
        return -1;
    bool there = db_row_count(rows) == 1 && strcmp(db_text(rows, 0, 0), state) == 0;
    db_rows_free(rows);
    if (there)
        return 0;
    db_rollback(step->db);
    return step_drop(step, "the item has moved on", err) ? -1 : 1;
}

int item_move(struct step *step, const struct item *item, const char *event, const char *problem,
              struct err *err)
{
    struct move move = {
        .machine = "item", .subject = item->id, .event = event, .actor = step->actor};
    return flow_move(NULL, step->db, &move, err) ||
                   DB_RUN(NULL, step->db, "step_problem", err, item->id, problem)
               ? -1
               : 0;
}

int item_job(struct step *step, const struct item *item, const char *kind, struct err *err)
{
    /* A lease that lapses counts as a try; in a storm of kills 5 were used up by a healthy job. */
    struct job_new job = {.kind = kind, .subject = item->id, .key = item->id};
    return job_add(step->db, &job, err);
}

/* --- problems -----------------------------------------------------------------------------------
 */

char *problem_text(const char *code, const char *message)
{
    cJSON *problem = cJSON_CreateObject();
    cJSON_AddStringToObject(problem, "code", code && *code ? code : "failed");
    cJSON_AddStringToObject(problem, "message", message ? message : "");
    char *text = cJSON_PrintUnformatted(problem);
    cJSON_Delete(problem);
    return text;
}

static int gravity(const cJSON *finding)
{
    const char *severity = json_text(finding, "severity", "");
    return strcmp(severity, "error") == 0 ? 2 : strcmp(severity, "warning") == 0 ? 1 : 0;
}

char *report_problem(const cJSON *report, const char *otherwise)
{
    const cJSON *finding, *gravest = NULL;
    cJSON_ArrayForEach (finding, json_get(report, "findings")) {
        if (!gravest || gravity(finding) > gravity(gravest))
            gravest = finding;
    }
    return problem_text(json_text(gravest, "code", "report"),
                        json_text(gravest, "message", otherwise));
}

/* --- files --------------------------------------------------------------------------------------
 */

int keep_file(struct keep *keep, const struct step *step, const char *folder, const char *file,
              struct err *err)
{
    char path[900];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return blob_put_file(keep->hash, &keep->bytes, step->blobs, path, err);
}

int keep_bytes(struct keep *keep, const struct step *step, const void *data, size_t n,
               struct err *err)
{
    keep->bytes = n;
    return blob_put(keep->hash, step->blobs, data, n, err);
}

int keep_note(const struct keep *keep, const struct step *step, const struct item *item,
              struct err *err)
{
    return artifact_add(step->db, item->id, keep->model_id, keep->kind, keep->name, keep->mime,
                        keep->hash, keep->bytes, err);
}

void stage_name(char out[64], const char *stage, int number, const char *extension)
{
    if (number <= 1)
        snprintf(out, 64, "%s.%s", stage, extension);
    else
        snprintf(out, 64, "%s__%03d.%s", stage, number, extension);
}

int folder_write(const char *folder, const char *file, const cJSON *json, struct err *err)
{
    char path[900];
    struct bytes text = {0};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    int failed = json_print(&text, json, true, err) || file_write(path, text.data, text.len, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}

int folder_blob(const struct step *step, const char *hash, const char *folder, const char *file,
                struct err *err)
{
    char path[900];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return blob_copy_to(step->blobs, hash, path, err);
}

/* --- giving up ----------------------------------------------------------------------------------
 */

static const struct {
    const char *state, *events[2];
} ways_out[] = {
    {"photo_check", {"photo.bad"}},
    {"generating", {"round.exhausted"}},
    {"inspecting", {"candidate.unusable"}},
    {"preparing", {"prep.failed"}},
    {"approved", {"slice.started", "slice.failed"}},
    {"slicing", {"slice.failed"}},
};

/* A task that was under way: what was not sent has failed; what may have been sent is in doubt. */
static int close_tasks(struct db *db, const char *item_id, const char *problem, const char *actor,
                       struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "step_task_open", err, item_id))
        return -1;
    int failed = 0;
    for (int i = 0; i < db_row_count(rows) && !failed; i++) {
        const struct provider_driver *driver = provider_find(db_text(rows, i, 2));
        bool doubt = strcmp(db_text(rows, i, 1), "submitting") == 0 && !(driver && driver->local);
        struct move move = {.machine = "task",
                            .subject = db_text(rows, i, 0),
                            .event = doubt ? "task.in_doubt" : "task.failed",
                            .actor = actor};
        failed = flow_move(NULL, db, &move, err) ||
                 DB_RUN(NULL, db, "step_task_error", err, move.subject, problem);
    }
    db_rows_free(rows);
    return failed ? -1 : 0;
}

static int way_out(struct db *db, const char *item_id, const char *const *events,
                   const char *problem, const char *actor, const char *reason, struct err *err)
{
    for (int i = 0; i < 2 && events[i]; i++) {
        struct move move = {.machine = "item",
                            .subject = item_id,
                            .event = events[i],
                            .actor = actor,
                            .reason = reason};
        if (flow_move(NULL, db, &move, err))
            return -1;
    }
    return DB_RUN(NULL, db, "step_problem", err, item_id, problem);
}

int item_give_up(struct db *db, const char *item_id, const char *state, const char *code,
                 const char *message, const char *actor, struct err *err)
{
    for (size_t i = 0; i < sizeof ways_out / sizeof *ways_out; i++) {
        if (strcmp(ways_out[i].state, state) != 0)
            continue;
        char *problem = problem_text(code, message);
        int failed = DB_RUN(NULL, db, "item_lock", err, item_id) ||
                     close_tasks(db, item_id, problem, actor, err) ||
                     way_out(db, item_id, ways_out[i].events, problem, actor, message, err);
        free(problem);
        return failed ? -1 : 0;
    }
    return 1;
}
