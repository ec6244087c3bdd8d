/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tasks that are lost: sent, and nobody knows whether the provider has them. A person looks there
 * and says what is so; a signed push with the task's token says the same by itself.
 */
#include "service/api_providers.h"

#include <stdlib.h>
#include <string.h>

#include "storage/flow.h"

int lost_task_load(struct lost_task *task, struct db *db, const char *id, struct err *err)
{
    struct db_rows *rows = NULL;
    *task = (struct lost_task){0};
    if (DB_RUN(&rows, db, "provider_task", err, id))
        return -1;
    int failed = db_row_count(rows) == 1
                     ? 0
                     : FAIL_CODE(err, ERR_ABSENT, "not_found", "there is no such task");
    if (!failed) {
        const char *spec = db_text(rows, 0, 5);
        snprintf(task->id, sizeof task->id, "%s", id);
        snprintf(task->item, sizeof task->item, "%s", db_text(rows, 0, 0));
        snprintf(task->order, sizeof task->order, "%s", db_text(rows, 0, 1));
        snprintf(task->state, sizeof task->state, "%s", db_text(rows, 0, 2));
        snprintf(task->provider, sizeof task->provider, "%s", db_text(rows, 0, 3));
        task->present = db_text(rows, 0, 6)[0] == 't';
        task->waits = db_text(rows, 0, 7)[0] == 't';
        failed = json_parse(&task->spec, spec, strlen(spec), err);
    }
    db_rows_free(rows);
    return failed ? -1 : 0;
}

void lost_task_free(struct lost_task *task)
{
    cJSON_Delete(task->spec);
    task->spec = NULL;
}

/* --- the handles of a task ----------------------------------------------------------------------
 */

/* What was asked for; views are there by name only, which is enough to tell the kind of task. */
static struct generation_spec spec_of(const struct lost_task *task,
                                      const struct provider_rules *rules)
{
    static const char *const names[] = {"front", "left", "back", "right"};
    const cJSON *wish = task->spec, *photo;
    struct generation_spec spec = {.tool = json_text(wish, "tool", NULL),
                                   .source = json_text(wish, "source", NULL),
                                   .prompt = json_text(wish, "prompt", NULL),
                                   .model = provider_model(rules, wish),
                                   .seed = -1,
                                   .texture = json_bool(wish, "texture", false),
                                   .parts = json_bool(wish, "parts", false)};
    cJSON_ArrayForEach (photo, json_get(wish, "photos"))
        for (int v = 0; v < VIEW_COUNT; v++)
            if (strcmp(json_text(photo, "view", "front"), names[v]) == 0)
                spec.images[v].token = "there";
    return spec;
}

/* The answer to the submit as it would have been, in the words of each provider that tells a number
 * alone: so the driver makes of it the second handle that it makes of a real one. */
static int answer_of(struct http_answer *answer, const char *found, struct err *err)
{
    cJSON *said = cJSON_CreateObject();
    cJSON_AddNumberToObject(said, "code", 0);
    cJSON_AddStringToObject(said, "id", found);
    cJSON_AddStringToObject(said, "result", found);
    cJSON_AddStringToObject(said, "request_id", found);
    cJSON_AddStringToObject(said, "task_id", found);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(said, "data"), "task_id", found);
    *answer = (struct http_answer){.status = 200, .sent = true, .retry_after_s = -1};
    answer->headers = cJSON_CreateObject();
    snprintf(answer->content_type, sizeof answer->content_type, "application/json");
    int failed = json_print(&answer->body, said, false, err);
    cJSON_Delete(said);
    return failed;
}

static int second_handle(char **aux, const struct lost_task *task,
                         const struct provider_rules *rules, const char *found, struct err *err)
{
    struct provider_settings settings = provider_rules_settings(rules);
    struct generation_spec spec = spec_of(task, rules);
    struct provider_call call = {.settings = &settings, .spec = &spec, .task = found};
    struct provider_reading reading = {0};
    struct http_answer answer;
    int failed = answer_of(&answer, found, err) ||
                 rules->driver->read(&reading, OP_SUBMIT, &call, &answer, err);
    *aux = NULL;
    if (!failed && reading.aux && strcmp(reading.task, found) == 0) {
        *aux = reading.aux;
        reading.aux = NULL;
    }
    provider_reading_free(&reading);
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

/* What cannot be asked about is not kept: the task would be lost once more, and for good. */
static int check_handles(const struct provider_rules *rules, const char *found, const char *aux,
                         struct err *err)
{
    struct provider_settings settings = provider_rules_settings(rules);
    struct provider_call call = {.settings = &settings, .task = found, .aux = aux};
    struct http_request request = {0};
    struct err why = {0};
    bool polls = rules->driver->ops & OP_BIT(OP_POLL);
    int failed = !polls || rules->driver->request(&request, OP_POLL, &call, &why);
    http_request_free(&request);
    return failed ? FAIL_CODE(err, ERR_INPUT, "handle_invalid",
                              "%s cannot be asked about it by this number%s%.100s",
                              rules->driver->id, *why.what ? ": " : "", why.what)
                  : 0;
}

/* --- found --------------------------------------------------------------------------------------
 */

static int item_goes_on(const struct lost_task *task, struct db *db, const char *actor,
                        const char *reason, struct err *err)
{
    struct move move = {.machine = "item",
                        .subject = task->item,
                        .event = "round.resumed",
                        .actor = actor,
                        .reason = reason};
    if (!task->waits || !task->present)
        return 0;
    return DB_RUN(NULL, db, "step_problem", err, task->item, NULL) ||
                   flow_move(NULL, db, &move, err)
               ? -1
               : 0;
}

/* Locks it, and reads it again under the lock. */
static int lock(struct lost_task *task, struct db *db, struct err *err)
{
    char id[40];
    snprintf(id, sizeof id, "%s", task->id);
    lost_task_free(task);
    return DB_RUN(NULL, db, "item_lock", err, id) || lost_task_load(task, db, id, err) ? -1 : 0;
}

static int write_found(struct lost_task *task, struct db *db, const char *found, const char *aux,
                       const char *actor, const char *reason, struct err *err)
{
    struct move move = {.machine = "task",
                        .subject = task->id,
                        .event = "task.found",
                        .actor = actor,
                        .reason = reason};
    if (flow_move(NULL, db, &move, err))
        return -1;
    if (DB_RUN(NULL, db, "provider_found", err, task->id, found, aux))
        return err->kind == ERR_CONFLICT ? FAIL_CODE(err, ERR_CONFLICT, "task_known",
                                                     "another task of ours has this number")
                                         : -1;
    return item_goes_on(task, db, actor, reason, err);
}

int lost_task_found(struct lost_task *task, struct db *db, const struct provider_rules *rules,
                    const char *found, const char *aux, const char *actor, const char *reason,
                    struct err *err)
{
    char *made = NULL;
    if (lock(task, db, err))
        return -1;
    if (strcmp(task->state, "lost") != 0 && strcmp(task->state, "in_doubt") != 0)
        return FAIL_CODE(err, ERR_CONFLICT, "task_not_lost", "the task is %s", task->state);
    int failed = aux ? 0 : second_handle(&made, task, rules, found, err);
    const char *second = aux ? aux : made ? made : "";
    failed = failed || check_handles(rules, found, second, err) ||
             write_found(task, db, found, second, actor, reason, err);
    free(made);
    return failed ? -1 : 0;
}

/* --- not made -----------------------------------------------------------------------------------
 */

/* It costs nothing then. Whether another is asked for is left to the reviewer: that costs. */
static int not_made(struct lost_task *task, struct db *db, const char *actor, const char *reason,
                    struct err *err)
{
    static const char error[] = "{\"code\":\"provider_failed\",\"class\":\"server\",\"message\":"
                                "\"it was not made, a person found\"}";
    static const char problem[] = "{\"code\":\"provider_failed\",\"message\":\"the provider never "
                                  "took the request; ask for a "
                                  "new model, or reject it\"}";
    struct move move = {.machine = "task",
                        .subject = task->id,
                        .event = "task.failed",
                        .actor = actor,
                        .reason = reason};
    if (lock(task, db, err))
        return -1;
    if (strcmp(task->state, "lost") != 0)
        return FAIL_CODE(err, ERR_CONFLICT, "task_not_lost", "the task is %s, not lost",
                         task->state);
    if (flow_move(NULL, db, &move, err) ||
        DB_RUN(NULL, db, "generation_close", err, task->id, "0") ||
        DB_RUN(NULL, db, "generation_ended", err, task->id, error, NULL))
        return -1;
    bool tell = task->waits && task->present;
    return tell ? DB_RUN(NULL, db, "step_problem", err, task->item, problem) : 0;
}

/* --- the handler --------------------------------------------------------------------------------
 */

struct resolving {
    const char *found, *aux, *reason;
    bool not_made;
};

static int read_resolving(struct resolving *r, const cJSON *body, struct err *err)
{
    static const char *const members[] = {"found", "aux", "not_made", "reason", NULL};
    if (api_only_members(body, members, err))
        return -1;
    r->found = json_text(body, "found", NULL);
    r->aux = json_text(body, "aux", NULL);
    r->reason = json_text(body, "reason", "");
    r->not_made = json_bool(body, "not_made", false);
    if (!r->found == !r->not_made)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                         ": either found or not_made: true must be given");
    if (r->found && (!*r->found || strlen(r->found) > 128))
        return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                         "/found: must be the provider's number of the task");
    if (strlen(r->reason) > 1000 || (r->aux && strlen(r->aux) > 2000))
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", ": reason or aux is too long");
    return 0;
}

static int resolve(struct lost_task *task, struct request *request, const struct resolving *r,
                   struct err *err)
{
    struct db *db = request->db;
    struct provider_rules rules;
    if (strcmp(task->state, "lost") != 0)
        return FAIL_CODE(err, ERR_CONFLICT, "task_not_lost", "the task is %s, not lost",
                         task->state);
    if (r->not_made)
        return not_made(task, db, request->actor, r->reason, err);
    const struct provider_driver *driver = provider_find(task->provider);
    if (!driver || driver->local)
        return FAIL_CODE(err, ERR_CONFLICT, "task_not_lost", "%s cannot be asked", task->provider);
    if (provider_rules_load(&rules, driver, request_settings(request), err))
        return -1;
    int failed =
        lost_task_found(task, db, &rules, r->found, r->aux, request->actor, r->reason, err);
    provider_rules_free(&rules);
    return failed;
}

static int reply_task(struct reply *reply, const struct lost_task *task, struct err *err)
{
    reply->mime = "application/json";
    return bytes_printf(&reply->body, err,
                        "{\"id\":\"%s\",\"item_id\":\"%s\",\"order_id\":\"%s\",\"provider\":\"%s\","
                        "\"state\":\"%s\"}",
                        task->id, task->item, task->order, task->provider, task->state);
}

int api_task_resolve(struct request *request, struct reply *reply, struct err *err)
{
    struct resolving r;
    struct lost_task task = {0};
    struct db *db = NULL;
    cJSON *body;
    if (request_json(&body, request, err))
        return -1;
    int failed = read_resolving(&r, body, err) || request_db(&db, request, err) ||
                 db_begin(db, err) || lost_task_load(&task, db, request->part[0], err) ||
                 resolve(&task, request, &r, err) || db_commit(db, err);
    if (failed && db)
        db_rollback(db);
    if (!failed) {
        lost_task_free(&task);
        failed = lost_task_load(&task, db, request->part[0], err) || reply_task(reply, &task, err);
    }
    lost_task_free(&task);
    cJSON_Delete(body);
    return failed ? -1 : 0;
}
