/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A generation asked of a provider over HTTP. The intent is committed before anything is sent, and
 * our lease is looked at just before sending: only both together never pay twice. A request whose
 * answer was lost, and a task found `submitting` after a crash, are in doubt: they wait for a
 * person and are never sent again by themselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "service/log.h"
#include "service/steps_generate.h"

#define DEADLINE_S 1800 /* a server that lost a task says "processing" for ever */
#define POLL_MS 4000
#define TASKS_PER_ROUND 2 /* RETRY_ONCE: one more after the first that failed */

/* The providers' addresses in the settings; one row with each provider that has one. */
static const char *base_url(const struct settings *settings, const char *provider)
{
    return strcmp(provider, "hunyuan3d2") == 0 ? settings->hunyuan3d2_url : "";
}

bool provider_is_on(const struct provider_driver *driver, const struct settings *settings)
{
    return driver->local || *base_url(settings, driver->id);
}

/* Asked in two steps where the driver can: a restart then goes on asking by the task's id. */
static struct provider_settings provider_settings(const struct making *m, const struct step *step)
{
    return (struct provider_settings){.base_url = base_url(step->settings, m->provider),
                                      .api_key = "",
                                      .prefer_async = (m->driver->ops & OP_BIT(OP_POLL)) != 0};
}

/* Every long text (the photo) is replaced by its length and hash. */
static void leave_out_images(cJSON *value)
{
    for (cJSON *child = value ? value->child : NULL; child; child = child->next) {
        if (cJSON_IsString(child) && strlen(child->valuestring) > 2000) {
            char hash[SHA256_HEX], words[160];
            sha256_hex(hash, child->valuestring, strlen(child->valuestring));
            snprintf(words, sizeof words, "left out: %zu characters, sha256 %s",
                     strlen(child->valuestring), hash);
            cJSON_SetValuestring(child, words);
        }
        leave_out_images(child);
    }
}

/* Headers stay out but for the kind of the body: the others may hold keys. */
static void note_request(struct making *m, const struct http_request *request)
{
    cJSON *j = cJSON_AddObjectToObject(m->exchange, "request"), *body = NULL;
    cJSON_AddStringToObject(j, "method", request->method);
    cJSON_AddStringToObject(j, "url", request->url);
    if (request->body.len > 0 && !json_parse(&body, request->body.data, request->body.len, NULL)) {
        leave_out_images(body);
        cJSON_AddItemToObject(j, "body", body);
    }
    cJSON_AddStringToObject(j, "image_sha256", m->photo_hash);
}

static void note_answer(struct making *m, const struct http_answer *answer,
                        const struct provider_reading *reading)
{
    cJSON *j = cJSON_AddObjectToObject(m->exchange, "answer");
    cJSON_AddNumberToObject(j, "status", answer->status);
    cJSON_AddStringToObject(j, "content_type", answer->content_type);
    cJSON_AddNumberToObject(j, "bytes", (double)answer->body.len);
    cJSON_AddStringToObject(j, "state", task_state_name(reading->state));
    cJSON_AddStringToObject(j, "error", provider_error_name(reading->error));
    cJSON_AddStringToObject(j, "message", reading->message);
}

static const char *model_format(const struct bytes *model)
{
    if (model->len >= 4 && memcmp(model->data, "glTF", 4) == 0)
        return "glb";
    if (model->len >= 3 && memcmp(model->data, "ply", 3) == 0)
        return "ply";
    if (model->len >= 2 && memcmp(model->data, "PK", 2) == 0)
        return "3mf";
    return "stl";
}

/* Nothing was taken by the provider: the task waits for another try, the job goes back in line. */
static int not_sent(struct making *m, struct step *step, double after_s, const struct err *why,
                    struct err *err)
{
    int result = step_begin(step, &m->item, "generating", err);
    if (result)
        return result;
    if (task_move(m, step, "task.not_sent", why->what, err) || db_commit(step->db, err))
        return -1;
    if (after_s > 0 || atomic_load(step->stop))
        return job_release(step->db, step->job, after_s > 0 ? (int)(after_s * 1000) : 0, err);
    *err = *why;
    err->kind = ERR_LATER;
    return -1;
}

/* Another task of the round, if one may still be tried: committed with the old one's end. */
static int try_another(struct making *m, struct step *step, const char *message, struct err *err)
{
    char *problem = problem_text("provider_failed", message);
    int result = step_begin(step, &m->item, "generating", err);
    if (!result)
        result = task_move(m, step, "task.failed", message, err) ||
                         DB_RUN(NULL, step->db, "step_task_error", err, m->task_id, problem) ||
                         task_add(step, &m->item, err) ||
                         job_release(step->db, step->job, 2000, err) || db_commit(step->db, err)
                     ? -1
                     : 0;
    free(problem);
    return result;
}

/* What a failure that the provider itself reported leads to. submitting: before any task exists. */
static int take_failure(struct making *m, struct step *step, const struct provider_reading *r,
                        bool submitting, struct err *err)
{
    char words[260];
    struct err why = {.kind = ERR_LATER};
    snprintf(words, sizeof words, "%s: %.200s", m->provider,
             *r->message ? r->message : provider_error_name(r->error));
    err_fail(&why, ERR_LATER, "provider_busy", ERR_WHERE, "%.190s", words);
    if (r->state == TASK_REJECTED || r->error == PROVIDER_CONTENT)
        return task_park(m, step, "task.moderated", "photo_refused", words, err);
    if (r->state == TASK_EXPIRED && !submitting)
        return task_park(m, step, "task.expired", "provider_expired", words, err);
    if (r->retry == RETRY_RECONCILE && submitting)
        return task_park(m, step, "task.in_doubt", "generation_in_doubt", words, err);
    if (r->retry == RETRY_YES && submitting)
        return not_sent(m, step, r->retry_after_s, &why, err);
    if ((r->retry == RETRY_ONCE || r->retry == RETRY_NEW_TASK) && m->failures + 1 < TASKS_PER_ROUND)
        return try_another(m, step, words, err);
    return task_park(m, step, "task.failed", "provider_failed", words, err);
}

static int wait_and_poll(struct step *step, double after_s, struct err *err)
{
    int ms = after_s > 0 && after_s < 300 ? (int)(after_s * 1000) : POLL_MS;
    return job_release(step->db, step->job, ms, err);
}

/* The provider has the task: its number is kept before anything else. */
static int accepted(struct making *m, struct step *step, const struct provider_reading *r,
                    struct err *err)
{
    struct bytes exchange = {0};
    int result = json_print(&exchange, m->exchange, false, err);
    if (!result)
        result = step_begin(step, &m->item, "generating", err);
    if (!result)
        result = task_move(m, step, "task.accepted", NULL, err) ||
                         DB_RUN(NULL, step->db, "step_task_accepted", err, m->task_id, r->task,
                                (const char *)exchange.data) ||
                         db_commit(step->db, err)
                     ? -1
                     : 0;
    bytes_free(&exchange);
    return result ? result : wait_and_poll(step, r->retry_after_s, err);
}

static int take_submitted(struct making *m, struct step *step, const struct provider_reading *r,
                          struct err *err)
{
    if (r->state == TASK_SUCCEEDED && r->model.len > 0)
        return task_store(m, step, &r->model, model_format(&r->model), NULL, err);
    if ((r->state == TASK_QUEUED || r->state == TASK_RUNNING) && *r->task)
        return accepted(m, step, r, err);
    if (r->state == TASK_UNKNOWN)
        return task_park(m, step, "task.in_doubt", "generation_in_doubt",
                         "the provider's answer does not say whether it took the task", err);
    return take_failure(m, step, r, true, err);
}

static int send_and_read(struct making *m, struct step *step, struct http_request *request,
                         struct err *err)
{
    struct http_answer answer = {0};
    struct provider_reading reading = {0};
    struct err why = {0};
    request->stop = step->stop;
    note_request(m, request);
    int result = http_send(&answer, request, &why);
    if (result && !answer.sent)
        result = not_sent(m, step, -1, &why, err);
    else if (result)
        result = task_park(m, step, "task.in_doubt", "generation_in_doubt",
                           "the request was sent and its answer was lost; look at the provider "
                           "before sending it again",
                           err);
    else if (m->driver->read(&reading, OP_SUBMIT, &(struct provider_call){0}, &answer, err))
        result = -1;
    else {
        note_answer(m, &answer, &reading);
        result = take_submitted(m, step, &reading, err);
    }
    provider_reading_free(&reading);
    http_answer_free(&answer);
    return result;
}

static int submit(struct making *m, struct step *step, struct err *err)
{
    struct bytes image = {.limit = (size_t)16 << 20};
    struct http_request request = {0};
    struct provider_settings settings = provider_settings(m, step);
    int result = blob_get(&image, step->blobs, m->photo_hash, err);
    const struct generation_spec spec = {
        .images[VIEW_FRONT] = {.data = image.data, .bytes = image.len, .mime = m->photo_mime},
        .seed = m->seed,
        .passthrough = json_get(json_get(m->item.product, "provider"), "options")};
    const struct provider_call call = {.settings = &settings, .spec = &spec};
    if (!result)
        result = m->driver->request(&request, OP_SUBMIT, &call, err);
    if (!result)
        result = task_claim(m, step, DEADLINE_S, err);
    /* The intent is committed. Only who still holds the job may send. */
    if (!result)
        result = job_beat(step->db, step->job, step->settings->lease_s, err);
    if (!result)
        result = send_and_read(m, step, &request, err);
    http_request_free(&request);
    bytes_free(&image);
    return result;
}

static int note_progress(struct making *m, struct step *step, const struct provider_reading *r,
                         struct err *err)
{
    char percent[16];
    snprintf(percent, sizeof percent, "%d", r->progress > 0 ? r->progress : 0);
    int result = step_begin(step, &m->item, "generating", err);
    if (result)
        return result;
    if ((strcmp(m->state, "submitted") == 0 && task_move(m, step, "task.progress", NULL, err)) ||
        DB_RUN(NULL, step->db, "step_task_progress", err, m->task_id, percent) ||
        db_commit(step->db, err))
        return -1;
    return wait_and_poll(step, r->retry_after_s, err);
}

static int take_polled(struct making *m, struct step *step, const struct provider_reading *r,
                       struct err *err)
{
    if (r->state == TASK_SUCCEEDED && r->model.len > 0)
        return task_store(m, step, &r->model, model_format(&r->model), NULL, err);
    bool going = r->state == TASK_QUEUED || r->state == TASK_RUNNING || r->state == TASK_UNKNOWN ||
                 r->retry == RETRY_YES;
    if (going && m->overdue)
        return task_park(m, step, "task.timed_out", "provider_timeout",
                         "the provider did not finish in time", err);
    return going ? note_progress(m, step, r, err) : take_failure(m, step, r, false, err);
}

static int poll(struct making *m, struct step *step, struct err *err)
{
    struct http_request request = {0};
    struct http_answer answer = {0};
    struct provider_reading reading = {0};
    struct provider_settings settings = provider_settings(m, step);
    if (!(m->driver->ops & OP_BIT(OP_POLL)))
        return task_park(m, step, "task.failed", "provider_failed",
                         "this provider cannot be asked for a task", err);
    const struct provider_call call = {.settings = &settings, .task = m->provider_task};
    int result = m->driver->request(&request, OP_POLL, &call, err);
    request.stop = step->stop;
    note_request(m, &request);
    if (!result && http_send(&answer, &request, err))
        /* A question costs nothing: asked again until the task's own deadline. */
        result = m->overdue ? task_park(m, step, "task.timed_out", "provider_timeout",
                                        "the provider did not answer in time", err)
                            : wait_and_poll(step, 10, err);
    else if (!result && m->driver->read(&reading, OP_POLL, &call, &answer, err))
        result = -1;
    else if (!result) {
        note_answer(m, &answer, &reading);
        result = take_polled(m, step, &reading, err);
    }
    provider_reading_free(&reading);
    http_answer_free(&answer);
    http_request_free(&request);
    return result;
}

int generate_remote(struct making *m, struct step *step, struct err *err)
{
    if (strcmp(m->state, "submitting") == 0)
        return task_park(m, step, "task.in_doubt", "generation_in_doubt",
                         "the program ended while the request was being sent; look at the "
                         "provider before sending it again",
                         err);
    if (strcmp(m->state, "created") != 0)
        return poll(m, step, err);
    if (!provider_may_receive(m->driver, m->item.photo_class, m->item.consent))
        return task_park(m, step, "task.failed", "provider_not_allowed",
                         "the consent does not let this photo go to that provider", err);
    if (!provider_is_on(m->driver, step->settings))
        return task_park(m, step, "task.failed", "provider_off",
                         "no address is set for this provider", err);
    return submit(m, step, err);
}
