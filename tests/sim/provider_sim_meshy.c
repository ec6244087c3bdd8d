/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Meshy as it is simulated: one list for each kind of task, a stream of events, DELETE, balance,
 * and pushes without a signature. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

static const struct {
    const char *path, *kind;
    double price;
} kinds[] = {{"/openapi/v1/image-to-3d", "image-to-3d", 20},
             {"/openapi/v1/multi-image-to-3d", "multi-image-to-3d", 20},
             {"/openapi/v2/text-to-3d", "text-to-3d", 20},
             {"/openapi/v1/remesh", "remesh", 5},
             {"/openapi/v1/convert", "convert", 1},
             {"/openapi/v1/resize", "resize", 1},
             {"/openapi/v1/print/repair", "print-repair", 10},
             {"/openapi/v1/print/analyze", "print-analyze", 0}};
#define KINDS (sizeof kinds / sizeof *kinds)

static void add_error(cJSON *j, enum phase phase)
{
    cJSON *error = cJSON_AddObjectToObject(j, "task_error");
    if (phase != PHASE_FAILED && phase != PHASE_REFUSED) {
        cJSON_AddStringToObject(error, "message", "");
        return;
    }
    bool refused = phase == PHASE_REFUSED;
    cJSON_AddStringToObject(error, "type", refused ? "invalid_input" : "server_error");
    cJSON_AddStringToObject(error, "code", refused ? "moderation_blocked" : "server_error");
    cJSON_AddStringToObject(error, "message",
                            refused ? "Blocked by moderation." : "Something went wrong.");
}

static void add_result(struct exchange *x, struct task *t, cJSON *j, enum phase phase)
{
    char url[400];
    cJSON *urls = cJSON_AddObjectToObject(j, "model_urls");
    if (phase != PHASE_DONE)
        return;
    if (strcmp(t->kind, "print-analyze") == 0) {
        cJSON_AddItemToObject(j, "printability",
                              cJSON_Parse("{\"status\":\"healthy\",\"issue_count\":0,"
                                          "\"error_count\":0,\"warning_count\":0,\"metrics\":{"
                                          "\"is_watertight\":true,\"volume\":0.1,"
                                          "\"non_manifold_edges\":0,\"degenerate_faces\":0,"
                                          "\"holes\":0}}"));
    } else if (!has_no_results(x, t)) {
        result_url(url, sizeof url, x, t);
        cJSON_AddStringToObject(urls, "glb", url);
    }
}

static double ms_of(const struct provider *p, int64_t at, bool yet)
{
    return yet ? (double)(at + (int64_t)p->skew_s * 1000) : 0;
}

static cJSON *task_json(struct exchange *x, struct task *t)
{
    static const char *const words[] = {"PENDING", "IN_PROGRESS", "SUCCEEDED",
                                        "FAILED",  "FAILED",      "CANCELED"};
    enum phase phase = task_phase(x->sim, x->p, t);
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "id", t->id);
    cJSON_AddStringToObject(j, "type", t->kind);
    add_result(x, t, j, phase);
    cJSON_AddStringToObject(j, "thumbnail_url", "");
    cJSON_AddArrayToObject(j, "texture_urls");
    cJSON_AddNumberToObject(j, "progress", task_progress(x->sim, x->p, t));
    cJSON_AddNumberToObject(j, "created_at", ms_of(x->p, t->made_ms, true));
    cJSON_AddNumberToObject(j, "started_at", ms_of(x->p, t->start_ms, phase > PHASE_QUEUED));
    cJSON_AddNumberToObject(j, "finished_at", ms_of(x->p, t->ready_ms, phase > PHASE_RUNNING));
    cJSON_AddNumberToObject(j, "expires_at", ms_of(x->p, t->made_ms + 259200000, true));
    cJSON_AddStringToObject(
        j, "status", phase == PHASE_RUNNING ? running_word(x, t, words[phase]) : words[phase]);
    cJSON_AddNumberToObject(j, "preceding_tasks", phase == PHASE_QUEUED);
    add_error(j, phase);
    cJSON_AddNumberToObject(j, "consumed_credits", task_bill(x->sim, x->p, t));
    return j;
}

static void say_json(struct exchange *x, cJSON *j)
{
    char *text = cJSON_PrintUnformatted(j);
    say(x, 200, "%s", text);
    free(text);
    cJSON_Delete(j);
}

static const char *picture_of(struct exchange *x)
{
    const char *one = json_text(x->json, "image_url", NULL);
    const cJSON *many = cJSON_GetArrayItem(json_get(x->json, "image_urls"), 0);
    if (!one && cJSON_IsString(many))
        one = many->valuestring;
    return one ? image_known(x, one) : NULL;
}

static bool works_on_something(struct exchange *x, const char *image)
{
    const char *source =
        json_text(x->json, "preview_task_id", json_text(x->json, "input_task_id", NULL));
    return image || (source && task_find(x->p, source)) || json_text(x->json, "prompt", NULL) ||
           json_text(x->json, "model_url", NULL);
}

static void take_task(struct exchange *x, size_t kind)
{
    const char *image = picture_of(x);
    if (!works_on_something(x, image)) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    bool first = kind < 3, refine = strcmp(json_text(x->json, "mode", ""), "refine") == 0;
    double price = refine  ? 10
                   : first ? price_of(x->p, kinds[kind].price) +
                                 (json_bool(x->json, "should_texture", kind < 2) ? 10 : 0)
                           : kinds[kind].price;
    struct task *t = submit(x, kinds[kind].kind, image ? image : "", -1, price);
    if (t)
        say(x, 202, "{\"result\":\"%s\"}", t->id);
}

static void say_list(struct exchange *x, const char *kind)
{
    int page = atoi(query_of(x, "page_num")), size = atoi(query_of(x, "page_size"));
    cJSON *list = cJSON_CreateArray();
    size = size < 1 ? 10 : size > 50 ? 50 : size;
    int skip = page > 1 ? (page - 1) * size : 0;
    for (int i = x->p->count - 1; i >= 0 && cJSON_GetArraySize(list) < size; i--)
        if (strcmp(x->p->tasks[i]->kind, kind) == 0 && skip-- <= 0)
            cJSON_AddItemToArray(list, task_json(x, x->p->tasks[i]));
    say_json(x, list);
}

/* The connection stays open until the task is at its end, and all is told then: what reads a
 * stream takes its events as they come, one by one or many. */
static void stream(struct exchange *x, struct task *t)
{
    int64_t wait = t->ready_ms - wall_ms(), was = t->ready_ms;
    t->ready_ms = wait > 0 ? wall_ms() : t->ready_ms; /* as it will be */
    cJSON *j = task_json(x, t);
    char *text = cJSON_PrintUnformatted(j);
    t->ready_ms = was;
    say(x, 200,
        "event: message\ndata: {\"id\":\"%s\",\"progress\":0,\"status\":\"PENDING\"}\n\n"
        "event: message\ndata: {\"id\":\"%s\",\"progress\":50,\"status\":\"IN_PROGRESS\"}\n\n"
        "event: message\ndata: %s\n\n",
        t->id, t->id, text);
    x->mime = "text/event-stream";
    x->wait_ms = wait > 0 && wait < 600000 ? (int)wait : 0;
    free(text);
    cJSON_Delete(j);
}

static void one_task(struct exchange *x, const char *rest)
{
    const char *slash = strchr(rest, '/');
    struct task *t;
    if (strcmp(x->method, "DELETE") == 0) {
        t = task_find(x->p, rest);
        x->p->cancels++;
        if (!t) {
            refuse(x, REFUSE_ABSENT);
            return;
        }
        t->cancelled = t->cancelled || task_phase(x->sim, x->p, t) <= PHASE_RUNNING;
        say(x, 200, "%s", "");
        return;
    }
    if (!(t = task_asked(x, rest)))
        return;
    if (slash && strcmp(slash, "/stream") == 0)
        stream(x, t);
    else
        say_json(x, task_json(x, t));
}

static void handle(struct exchange *x)
{
    if (is(x, "GET", "/openapi/v1/balance")) {
        say(x, 200, "{\"balance\":%.0f}", balance_of(x->sim, x->p, NULL));
        return;
    }
    for (size_t i = 0; i < KINDS; i++) {
        size_t n = strlen(kinds[i].path);
        if (strncmp(x->path, kinds[i].path, n) != 0 || (x->path[n] && x->path[n] != '/'))
            continue;
        if (x->path[n] == '/')
            one_task(x, x->path + n + 1);
        else if (strcmp(x->method, "POST") == 0)
            take_task(x, i);
        else
            say_list(x, kinds[i].kind);
        return;
    }
    refuse(x, REFUSE_ABSENT);
}

static void push(struct exchange *x, struct task *t, bool ended)
{
    (void)ended;
    say_json(x, task_json(x, t));
}

const struct protocol protocol_meshy = {
    .id = "meshy",
    .needs_key = true,
    .refunds = true,
    .refusals = {[REFUSE_KEY] = {401, "{\"message\":\"Invalid API key\"}"},
                 [REFUSE_CREDITS] = {402, "{\"message\":\"Insufficient funds\"}"},
                 [REFUSE_RATE] = {429, "{\"message\":\"RateLimitExceeded\"}"},
                 [REFUSE_FULL] = {429, "{\"message\":\"NoMoreConcurrentTasks\"}"},
                 [REFUSE_SERVER] = {500, "{\"message\":\"Internal server error\"}"},
                 [REFUSE_ABSENT] = {404, "{\"message\":\"Task not found\"}"},
                 [REFUSE_INPUT] = {400, "{\"message\":\"Invalid values: image_url\"}"},
                 [REFUSE_CONTENT] = {400, "{\"message\":\"Blocked by moderation.\"}"}},
    .handle = handle,
    .push = push,
};
