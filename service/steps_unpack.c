/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Results that came as an archive: the model in it takes the archive's place, before anything looks
 * at it. What has none is a task that failed, paid for or not, and its provider is not asked again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/log.h"
#include "service/role.h"
#include "service/steps_generate.h"
#include "storage/flow.h"

static int move_task(struct step *step, const struct round_task *task, const struct err *why,
                     struct err *err)
{
    struct move move = {.machine = "task",
                        .subject = task->id,
                        .event = "task.unusable",
                        .actor = step->actor,
                        .reason = why->what};
    cJSON *told = cJSON_CreateObject();
    cJSON_AddStringToObject(told, "code", *why->code ? why->code : "provider_format");
    cJSON_AddStringToObject(told, "class", provider_error_name(PROVIDER_PROTOCOL));
    cJSON_AddStringToObject(told, "message", why->what);
    char *text = cJSON_PrintUnformatted(told);
    cJSON_Delete(told);
    int failed = !text ? FAIL(err, ERR_LIMIT, "no memory for a reason")
                       : flow_move(NULL, step->db, &move, err) ||
                             DB_RUN(NULL, step->db, "generation_ended", err, task->id, text, NULL);
    free(text);
    return failed ? -1 : 0;
}

/* The archive stays noted beside it, as the task's own result. */
static int note_unpacked(struct step *step, const struct item *item, const struct round_task *task,
                         struct keep *keep, const char *format, struct err *err)
{
    struct db_rows *rows = NULL;
    char name[64];
    if (DB_RUN(&rows, step->db, "generation_unpacked", err, task->id, keep->hash, format,
               task->hash))
        return -1;
    int failed = 0;
    if (db_row_count(rows) == 1) {
        stage_name(name, "03_unpacked", (int)db_int(rows, 0, 0), format);
        keep->name = name;
        failed = keep_note(keep, step, item, err);
        keep->name = NULL;
    }
    db_rows_free(rows);
    return failed;
}

/* In one transaction, under the item's lock. */
static int settle(struct step *step, const struct item *item, const struct round_task *task,
                  struct keep *keep, const char *format, const struct err *why, struct err *err)
{
    if (db_begin(step->db, err) || DB_RUN(NULL, step->db, "item_lock", err, item->id))
        return -1;
    return (format ? note_unpacked(step, item, task, keep, format, err)
                   : move_task(step, task, why, err)) ||
                   db_commit(step->db, err)
               ? -1
               : 0;
}

static int unpack(struct step *step, const struct item *item, const struct round_task *task,
                  struct err *err)
{
    char folder[700] = "";
    cJSON *result = NULL;
    struct err why = {0};
    struct keep keep = {.kind = "source", .mime = "application/octet-stream"};
    const char *format = NULL;
    int failed = work_folder_make(folder, step->settings->work_folder, "unpack", err) ||
                 folder_blob(step, task->hash, folder, "in", err);
    if (!failed && role_run(&result, "unpack", folder, step->stop, &why)) {
        failed = why.kind != ERR_INPUT && why.kind != ERR_LIMIT;
        if (failed)
            *err = why;
    } else if (!failed) {
        format = json_text(result, "format", "glb");
        failed = keep_file(&keep, step, folder, "out.model", err);
    }
    failed = failed || settle(step, item, task, &keep, format, &why, err);
    log_event(LOG_INFO, "result_unpacked", "task", task->id, "format", format ? format : "none",
              "why", why.what, NULL);
    cJSON_Delete(result);
    work_folder_drop(folder);
    return failed ? -1 : 0;
}

int round_unpack(struct step *step, const struct item *item, struct err *err)
{
    struct round round;
    int failed = round_load(&round, step, item, err);
    for (int i = 0; i < round.count && !failed; i++) {
        const struct round_task *task = &round.tasks[i];
        if (strcmp(task->state, "succeeded") == 0 && strcmp(task->format, "zip") == 0)
            failed = unpack(step, item, task, err);
    }
    round_free(&round);
    return failed ? -1 : 0;
}
