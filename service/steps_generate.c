/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * generate: one task of one provider makes a model of the item's photo. A local maker runs as a
 * child; what is asked over HTTP is in steps_remote.c. Found again after a crash, the task's state
 * says how far it came.
 */
#include "service/steps_generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/role.h"
#include "storage/flow.h"

int task_move(struct making *m, struct step *step, const char *event, const char *reason,
              struct err *err)
{
    struct move move = {.machine = "task",
                        .subject = m->task_id,
                        .event = event,
                        .actor = step->actor,
                        .reason = reason};
    return flow_move(NULL, step->db, &move, err);
}

int task_claim(struct making *m, struct step *step, int deadline_s, struct err *err)
{
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%d", deadline_s);
    int result = step_begin(step, &m->item, "generating", err);
    if (!result)
        result = job_beat(step->db, step->job, step->settings->lease_s, err);
    if (!result && (task_move(m, step, "task.claimed", NULL, err) ||
                    DB_RUN(NULL, step->db, "step_task_claimed", err, m->task_id, seconds) ||
                    db_commit(step->db, err)))
        return -1;
    return result;
}

/* NN_PROVIDER.task.json: what was asked and answered. */
static int keep_exchange(struct keep *keep, char name[64], struct making *m, struct step *step,
                         struct err *err)
{
    char stage[48];
    struct bytes text = {0};
    snprintf(stage, sizeof stage, "02_%.30s", m->provider);
    stage_name(name, stage, m->item.round, "task.json");
    *keep = (struct keep){.kind = "task", .name = name, .mime = "application/json"};
    int failed = json_print(&text, m->exchange, true, err) ||
                 keep_bytes(keep, step, text.data, text.len, err);
    bytes_free(&text);
    return failed ? -1 : 0;
}

static const char *model_mime(const char *format)
{
    return strcmp(format, "glb") == 0   ? "model/gltf-binary"
           : strcmp(format, "stl") == 0 ? "model/stl"
                                        : "application/octet-stream";
}

static int write_stored(struct making *m, struct step *step, const struct keep *source,
                        const struct keep *exchange, const char *format, const cJSON *notes,
                        struct err *err)
{
    char *text = notes ? cJSON_PrintUnformatted(notes) : NULL;
    int failed =
        item_move(step, &m->item, "candidate.stored", NULL, err) ||
        task_move(m, step, "task.finished", NULL, err) ||
        DB_RUN(NULL, step->db, "step_task_result", err, m->task_id, source->hash, format, text) ||
        task_move(m, step, "task.stored", NULL, err) || keep_note(exchange, step, &m->item, err) ||
        keep_note(source, step, &m->item, err) || item_job(step, &m->item, "inspect", err) ||
        step_end(step, err);
    free(text);
    return failed ? -1 : 0;
}

int task_store(struct making *m, struct step *step, const struct bytes *model, const char *format,
               const cJSON *notes, struct err *err)
{
    char name[64], exchange_name[64];
    struct keep exchange;
    stage_name(name, "03_generated", m->item.round, format);
    struct keep source = {.kind = "source", .name = name, .mime = model_mime(format)};
    if (keep_bytes(&source, step, model->data, model->len, err))
        return -1;
    cJSON *result = cJSON_AddObjectToObject(m->exchange, "result");
    cJSON_AddStringToObject(result, "format", format);
    cJSON_AddStringToObject(result, "sha256", source.hash);
    cJSON_AddNumberToObject(result, "bytes", (double)source.bytes);
    if (notes)
        cJSON_AddItemToObject(result, "notes", cJSON_Duplicate(notes, true));
    if (keep_exchange(&exchange, exchange_name, m, step, err))
        return -1;
    int stale = step_begin(step, &m->item, "generating", err);
    return stale ? stale : write_stored(m, step, &source, &exchange, format, notes, err);
}

int task_park(struct making *m, struct step *step, const char *event, const char *code,
              const char *message, struct err *err)
{
    char name[64];
    struct keep exchange;
    char *problem = problem_text(code, message);
    int result = keep_exchange(&exchange, name, m, step, err);
    if (!result)
        result = step_begin(step, &m->item, "generating", err);
    if (!result)
        result = (event && task_move(m, step, event, message, err)) ||
                         DB_RUN(NULL, step->db, "step_task_error", err, m->task_id, problem) ||
                         keep_note(&exchange, step, &m->item, err) ||
                         item_move(step, &m->item, "round.exhausted", problem, err) ||
                         step_end(step, err)
                     ? -1
                     : 0;
    free(problem);
    return result < 0 ? -1 : 0;
}

/* --- the local maker ----------------------------------------------------------------------------
 */

/* A lithophane is made of the whole picture, a figure of what was cut out. */
static int run_relief(cJSON **notes, struct bytes *model, struct making *m, struct step *step,
                      const char *folder, struct err *err)
{
    char path[800];
    const char *style = item_text(&m->item, "style", "figure");
    bool whole = strcmp(style, "lithophane") == 0;
    cJSON *options = cJSON_CreateObject();
    cJSON_AddStringToObject(options, "style", style);
    cJSON_AddNumberToObject(options, "height_mm", item_number(&m->item, "height_mm", 80));
    cJSON *request = cJSON_AddObjectToObject(m->exchange, "request");
    cJSON_AddStringToObject(request, "image_sha256", whole ? m->normal_hash : m->cutout_hash);
    cJSON_AddItemToObject(request, "options", cJSON_Duplicate(options, true));
    snprintf(path, sizeof path, "%s/model.stl", folder);
    model->limit = (size_t)1 << 30;
    int failed =
        folder_blob(step, whole ? m->normal_hash : m->cutout_hash, folder, "in.png", err) ||
        folder_write(folder, "options.json", options, err) ||
        role_run(notes, "relief", folder, step->stop, err) || bytes_read_file(model, path, err);
    cJSON_Delete(options);
    return failed ? -1 : 0;
}

static int generate_local(struct making *m, struct step *step, struct err *err)
{
    char folder[700] = "";
    cJSON *notes = NULL;
    struct bytes model = {0};
    int result = 0;
    /* Nothing is paid for and the same photo gives the same model: made anew after a crash. */
    if (strcmp(m->state, "created") == 0)
        result = task_claim(m, step, 3600, err);
    if (!result)
        result = work_folder_make(folder, step->settings->work_folder, "generate", err);
    if (!result)
        result = run_relief(&notes, &model, m, step, folder, err);
    if (!result)
        result = task_store(m, step, &model, "stl", notes, err);
    cJSON_Delete(notes);
    bytes_free(&model);
    work_folder_drop(folder);
    return result < 0 ? -1 : 0;
}

/* --- loading and choosing ------------------------------------------------------------------------
 */

/* A task that was accepted in an earlier job brings along what was sent then. */
static void exchange_begin(struct making *m, const char *accepted)
{
    cJSON *earlier = NULL;
    m->exchange = cJSON_CreateObject();
    cJSON_AddStringToObject(m->exchange, "task_id", m->task_id);
    cJSON_AddStringToObject(m->exchange, "provider", m->provider);
    cJSON_AddStringToObject(m->exchange, "item_id", m->item.id);
    cJSON_AddNumberToObject(m->exchange, "round", m->item.round);
    cJSON_AddNumberToObject(m->exchange, "seed", (double)m->seed);
    if (*m->provider_task)
        cJSON_AddStringToObject(m->exchange, "provider_task", m->provider_task);
    if (*accepted && !json_parse(&earlier, accepted, strlen(accepted), NULL))
        cJSON_AddItemToObject(m->exchange, "submitted", earlier);
}

static int read_photo(struct making *m, struct step *step, struct err *err)
{
    if (DB_RUN(&m->photo_row, step->db, "step_photos", err, m->item.id))
        return -1;
    if (db_row_count(m->photo_row) == 0)
        return FAIL_CODE(err, ERR_ABSENT, "photo_missing", "item %s has no photo", m->item.id);
    m->normal_hash = db_text(m->photo_row, 0, 1);
    m->cutout_hash = db_text(m->photo_row, 0, 2);
    m->photo_hash = db_text(m->photo_row, 0, 3);
    m->photo_mime = db_text(m->photo_row, 0, 4);
    return 0;
}

/* 0 there, 1 the round has no task yet. */
static int read_task(struct making *m, struct step *step, struct err *err)
{
    char round[16];
    snprintf(round, sizeof round, "%d", m->item.round);
    if (DB_RUN(&m->task_row, step->db, "step_task", err, m->item.id, round))
        return -1;
    const struct db_rows *row = m->task_row;
    if (db_row_count(row) == 0)
        return 1;
    m->task_id = db_text(row, 0, 0);
    m->provider = db_text(row, 0, 1);
    m->state = db_text(row, 0, 2);
    m->seed = db_int(row, 0, 3);
    m->provider_task = db_text(row, 0, 4);
    m->attempts = (int)db_int(row, 0, 5);
    m->overdue = db_text(row, 0, 6)[0] == 't';
    m->failures = (int)db_int(row, 0, 7);
    m->driver = provider_find(m->provider);
    exchange_begin(m, db_text(row, 0, 8));
    return m->driver ? 0
                     : FAIL_CODE(err, ERR_INPUT, "unknown_provider", "there is no provider %.40s",
                                 m->provider);
}

/* A new round (a review sent the item back) has no task yet. */
static int ensure_task(struct making *m, struct step *step, struct err *err)
{
    int result = read_task(m, step, err);
    if (result != 1)
        return result;
    db_rows_free(m->task_row);
    m->task_row = NULL;
    result = step_begin(step, &m->item, "generating", err);
    if (result)
        return result;
    if (task_add(step, &m->item, err) || db_commit(step->db, err))
        return -1;
    return read_task(m, step, err) ? -1 : 0;
}

static int generate(struct making *m, struct step *step, struct err *err)
{
    int result = read_photo(m, step, err);
    if (!result)
        result = ensure_task(m, step, err);
    if (result)
        return result;
    bool ended = strcmp(m->state, "created") != 0 && strcmp(m->state, "submitting") != 0 &&
                 strcmp(m->state, "submitted") != 0 && strcmp(m->state, "running") != 0;
    if (ended)
        return task_park(m, step, NULL, "no_candidate", "the provider gave no model", err);
    return m->driver->local ? generate_local(m, step, err) : generate_remote(m, step, err);
}

int step_generate(struct step *step, struct err *err)
{
    struct making m = {0};
    int result = item_load(&m.item, step, err);
    if (!result && strcmp(m.item.state, "generating") != 0)
        result = step_drop(step, "the item has moved on", err);
    else if (!result)
        result = generate(&m, step, err);
    db_rows_free(m.task_row);
    db_rows_free(m.photo_row);
    cJSON_Delete(m.exchange);
    item_free(&m.item);
    return result < 0 ? -1 : 0;
}
