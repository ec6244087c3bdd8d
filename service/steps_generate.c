/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * generate: a round of candidates begins. Those of the built-in maker are made here, in a child;
 * the courier carries the others to their providers. What has ended is looked at by `gather`.
 */
#include "service/steps_generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/model.h"
#include "service/role.h"
#include "storage/flow.h"

struct made {
    struct keep model;
    const char *format;
};

/* --- the built-in maker -------------------------------------------------------------------------
 */

static int move_task(struct step *step, const char *task, const char *event, struct err *err)
{
    struct move move = {.machine = "task", .subject = task, .event = event, .actor = step->actor};
    return flow_move(NULL, step->db, &move, err);
}

/* A lithophane is made of the whole picture, a figure of what was cut out. */
static int run_relief(cJSON **notes, struct keep *model, cJSON *exchange, struct step *step,
                      const struct item *item, const char *folder, struct err *err)
{
    struct db_rows *rows = NULL;
    const char *style = item_text(item, "style", "figure");
    if (DB_RUN(&rows, step->db, "step_photos", err, item->id))
        return -1;
    const char *photo =
        db_row_count(rows) == 0 ? "" : db_text(rows, 0, strcmp(style, "lithophane") == 0 ? 1 : 2);
    cJSON *options = cJSON_CreateObject();
    cJSON_AddStringToObject(options, "style", style);
    cJSON_AddNumberToObject(options, "height_mm", item_number(item, "height_mm", 80));
    cJSON *request = cJSON_AddObjectToObject(exchange, "request");
    cJSON_AddStringToObject(request, "image_sha256", photo);
    cJSON_AddItemToObject(request, "options", cJSON_Duplicate(options, true));
    int failed =
        *photo ? 0 : FAIL_CODE(err, ERR_ABSENT, "photo_missing", "item %s has no photo", item->id);
    failed = failed || folder_blob(step, photo, folder, "in.png", err) ||
             folder_write(folder, "options.json", options, err) ||
             role_run(notes, "relief", folder, step->stop, err) ||
             keep_file(model, step, folder, "model.stl", err);
    cJSON_Delete(options);
    db_rows_free(rows);
    return failed ? -1 : 0;
}

/* The model that was sent in is the result: its bytes are stored, and judged by `inspect`. */
static int take_given(struct made *made, const struct item *item, struct err *err)
{
    const cJSON *given = json_get(item->options, "model");
    if (!*given_model(item))
        return FAIL_CODE(err, ERR_ABSENT, "model_missing", "item %s has no model", item->id);
    made->format = json_text(given, "format", "");
    made->model.mime = model_mime(made->format);
    snprintf(made->model.hash, sizeof made->model.hash, "%s", given_model(item));
    made->model.bytes = (uint64_t)json_number(given, "bytes", 0);
    return 0;
}

static int keep_exchange(struct keep *keep, cJSON *exchange, const struct made *made,
                         const cJSON *notes, struct step *step, struct err *err)
{
    struct bytes text = {0};
    const struct keep *model = &made->model;
    cJSON *result = cJSON_AddObjectToObject(exchange, "result");
    cJSON_AddStringToObject(result, "format", made->format);
    cJSON_AddStringToObject(result, "sha256", model->hash);
    cJSON_AddNumberToObject(result, "bytes", (double)model->bytes);
    if (notes)
        cJSON_AddItemToObject(result, "notes", cJSON_Duplicate(notes, true));
    int failed =
        json_print(&text, exchange, true, err) || keep_bytes(keep, step, text.data, text.len, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}

static int write_made(struct step *step, const struct item *item, const struct round_task *task,
                      const struct made *made, const struct keep *exchange, struct err *err)
{
    int result = step_begin(step, item, "generating", err);
    if (result)
        return result;
    if ((strcmp(task->state, "created") == 0 && move_task(step, task->id, "task.claimed", err)) ||
        move_task(step, task->id, "task.finished", err) ||
        DB_RUN(NULL, step->db, "generation_stored", err, task->id, made->model.hash, made->format,
               "") ||
        move_task(step, task->id, "task.stored", err) || keep_note(exchange, step, item, err) ||
        keep_note(&made->model, step, item, err) || db_commit(step->db, err))
        return -1;
    return 0;
}

/* Its maker could make nothing of the photo: as with any other provider, the next of the route is
 * asked. */
static int write_failed(struct step *step, const struct item *item, const struct round_task *task,
                        const struct err *why, struct err *err)
{
    int result = step_begin(step, item, "generating", err);
    if (result)
        return result;
    struct bytes text = {0};
    cJSON *error = cJSON_CreateObject();
    cJSON_AddStringToObject(error, "code", why->code);
    cJSON_AddStringToObject(error, "class", provider_error_name(PROVIDER_BAD_INPUT));
    cJSON_AddStringToObject(error, "message", why->what);
    int failed =
        json_print(&text, error, false, err) || move_task(step, task->id, "task.failed", err) ||
        DB_RUN(NULL, step->db, "generation_ended", err, task->id, (const char *)text.data, NULL) ||
        db_commit(step->db, err);
    cJSON_Delete(error);
    bytes_free(&text);
    return failed ? -1 : 0;
}

static cJSON *exchange_of(const struct item *item, const struct round_task *task)
{
    cJSON *exchange = cJSON_CreateObject();
    cJSON_AddStringToObject(exchange, "task_id", task->id);
    cJSON_AddStringToObject(exchange, "provider", task->provider);
    cJSON_AddStringToObject(exchange, "item_id", item->id);
    cJSON_AddNumberToObject(exchange, "round", item->round);
    cJSON_AddNumberToObject(exchange, "candidate", task->candidate);
    return exchange;
}

/* Nothing is paid for and the same photo gives the same model: made anew after a crash. */
static int make_here(struct step *step, const struct item *item, const struct round_task *task,
                     int place, struct err *err)
{
    char folder[700] = "", model_name[64], exchange_name[64], stage[48];
    struct made made = {.format = "stl",
                        .model = {.kind = "source", .name = model_name, .mime = "model/stl"}};
    struct keep asked = {.kind = "task", .name = exchange_name, .mime = "application/json"};
    bool given = provider_find(task->provider)->takes_model;
    cJSON *notes = NULL, *exchange = exchange_of(item, task);
    int result = given ? take_given(&made, item, err)
                       : work_folder_make(folder, step->settings->work_folder, "generate", err);
    if (!result && !given)
        result = run_relief(&notes, &made.model, exchange, step, item, folder, err);
    snprintf(stage, sizeof stage, "02_%.30s", task->provider);
    stage_name(exchange_name, stage, place, "task.json");
    stage_name(model_name, given ? "03_uploaded" : "03_generated", place, made.format);
    if (result && (err->kind == ERR_INPUT || err->kind == ERR_LIMIT)) {
        struct err why = *err;
        result = write_failed(step, item, task, &why, err);
    } else {
        if (!result)
            result = keep_exchange(&asked, exchange, &made, notes, step, err);
        if (!result)
            result = write_made(step, item, task, &made, &asked, err);
    }
    cJSON_Delete(notes);
    cJSON_Delete(exchange);
    work_folder_drop(folder);
    return result;
}

/* --- the round ----------------------------------------------------------------------------------
 */

static int begin_round(struct step *step, const struct item *item, struct err *err)
{
    int result = step_begin(step, item, "generating", err);
    if (result)
        return result;
    return round_begin(step, item, err) || db_commit(step->db, err) ? -1 : 0;
}

static int make_all(struct step *step, const struct item *item, const struct round *round,
                    struct err *err)
{
    int result = 0;
    for (int i = 0; i < round->count && !result; i++) {
        const struct provider_driver *driver = provider_find(round->tasks[i].provider);
        if (driver && driver->local && round_task_is_open(&round->tasks[i]))
            result = make_here(step, item, &round->tasks[i], item->round + i, err);
    }
    return result;
}

static int generate(struct step *step, const struct item *item, struct err *err)
{
    struct round round;
    int result = round_load(&round, step, item, err);
    if (!result && round.count == 0) {
        round_free(&round);
        result = begin_round(step, item, err);
        if (!result)
            result = round_load(&round, step, item, err);
    }
    if (!result)
        result = make_all(step, item, &round, err);
    if (!result)
        result = step_begin(step, item, "generating", err);
    if (!result)
        result = item_job(step, item, "gather", err) || step_end(step, err) ? -1 : 0;
    round_free(&round);
    return result;
}

int step_generate(struct step *step, struct err *err)
{
    struct item item;
    int result = item_load(&item, step, err);
    if (!result && strcmp(item.state, "generating") != 0)
        result = step_drop(step, "the item has moved on", err);
    else if (!result)
        result = generate(step, &item, err);
    item_free(&item);
    return result < 0 ? -1 : 0;
}
