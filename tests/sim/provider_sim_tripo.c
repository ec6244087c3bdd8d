/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tripo's V3 as it is simulated: uploads, generation, tools, tasks one by one and in lists, usage,
 * balance, and pushes with t/v1 signatures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

#define SAY_OK(x, fmt, ...)                                                                        \
    say(x, 200, "{\"code\":0,\"status\":\"success\",\"data\":" fmt "}", __VA_ARGS__)
#define NO(status, code, message)                                                                  \
    {                                                                                              \
        status, "{\"code\":" #code ",\"status\":\"error\",\"message\":\"" message                  \
                "\",\"suggestion\":\"\",\"request_id\":\"req-sim\"}"                               \
    }

static void new_token(char token[64], struct exchange *x)
{
    uint8_t b[8];
    random_bytes(b, sizeof b);
    snprintf(token, 64, "file_%02x%02x%02x%02x%02x%02x%02x%02x-%d", b[0], b[1], b[2], b[3], b[4],
             b[5], b[6], b[7], x->p->uploads_count);
}

static void take_file(struct exchange *x)
{
    char token[64];
    if (!*x->image) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    new_token(token, x);
    upload_add(x->p, token, x->image);
    SAY_OK(x, "{\"file_token\":\"%s\"}", token);
}

static void presign(struct exchange *x, const char *name)
{
    char token[64];
    new_token(token, x);
    SAY_OK(x,
           "{\"%s\":\"%s/put/%s?X-Amz-Expires=1800&X-Amz-Signature=00ff\",\"file_token\":\"%s\","
           "\"expires_in\":1800}",
           name, x->base, token, token);
}

/* --- tasks --- */

static void add_outcome(struct exchange *x, struct task *t, cJSON *j, enum phase phase)
{
    char url[400], at[32];
    if (phase == PHASE_FAILED || phase == PHASE_REFUSED) {
        cJSON_AddNumberToObject(j, "error_code", phase == PHASE_REFUSED ? 2008 : 1001);
        cJSON_AddStringToObject(j, "error_message",
                                phase == PHASE_REFUSED ? "Input violates content policy"
                                                       : "Task failed due to an internal error");
        cJSON_AddNumberToObject(j, "credits_consumed", 0);
    }
    if (phase == PHASE_DONE) {
        cJSON *output = cJSON_AddObjectToObject(j, "output");
        cJSON_AddNumberToObject(j, "credits_consumed", t->credits);
        if (!has_no_results(x, t)) {
            result_url(url, sizeof url, x, t);
            cJSON_AddStringToObject(output, "model_url", url);
            cJSON_AddItemToArray(cJSON_AddArrayToObject(output, "model_urls"),
                                 cJSON_CreateString(url));
        }
    }
    if (phase >= PHASE_DONE)
        cJSON_AddStringToObject(j, "completed_at", time_text(at, x->p, t->ready_ms));
}

static cJSON *task_json(struct exchange *x, struct task *t)
{
    static const char *const words[] = {"queued", "running", "success",
                                        "failed", "failed",  "cancelled"};
    enum phase phase = task_phase(x->sim, x->p, t);
    char at[32];
    cJSON *j = cJSON_CreateObject();
    const char *word = words[phase];
    cJSON_AddStringToObject(j, "task_id", t->id);
    cJSON_AddStringToObject(j, "type", t->kind);
    cJSON_AddStringToObject(j, "status", phase == PHASE_RUNNING ? running_word(x, t, word) : word);
    cJSON_AddNumberToObject(j, "progress", task_progress(x->sim, x->p, t));
    cJSON_AddItemToObject(j, "input", cJSON_Parse(t->input ? t->input : "{}"));
    cJSON_AddStringToObject(j, "created_at", time_text(at, x->p, t->made_ms));
    add_outcome(x, t, j, phase);
    return j;
}

static void say_data(struct exchange *x, cJSON *data)
{
    char *text = cJSON_PrintUnformatted(data);
    SAY_OK(x, "%s", text);
    free(text);
    cJSON_Delete(data);
}

static void poll_many(struct exchange *x)
{
    const cJSON *ids = json_get(x->json, "task_ids"), *id;
    int count = cJSON_GetArraySize(ids);
    if (count < 1 || count > 100) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    if (poll_refused(x, count))
        return;
    cJSON *data = cJSON_CreateObject(), *tasks = cJSON_AddObjectToObject(data, "tasks");
    cJSON *missed = cJSON_AddArrayToObject(data, "missed");
    cJSON_ArrayForEach (id, ids) {
        struct task *t = cJSON_IsString(id) ? task_find(x->p, id->valuestring) : NULL;
        if (t)
            cJSON_AddItemToObject(tasks, t->id, task_json(x, t));
        else
            cJSON_AddItemToArray(missed, cJSON_Duplicate(id, false));
    }
    say_data(x, data);
}

static double price(struct exchange *x, const char *kind)
{
    bool texture = json_bool(x->json, "texture", true);
    if (strcmp(kind, "convert_model") == 0)
        return 5;
    return price_of(x->p, 20) + (texture ? 10 : 0) +
           (json_bool(x->json, "generate_parts", false) ? 20 : 0);
}

/* The first picture: `input`, or the first of `inputs` that is not empty. */
static const char *input_of(const cJSON *body)
{
    const cJSON *one;
    const char *input = json_text(body, "input", "");
    cJSON_ArrayForEach (one, json_get(body, "inputs"))
        if (!*input && cJSON_IsString(one))
            input = one->valuestring;
    return input;
}

static void take_task(struct exchange *x, const char *kind)
{
    bool generates = strstr(kind, "_to_model") != NULL;
    const char *input = input_of(x->json), *image = NULL;
    bool from_text = strncmp(kind, "text_", 5) == 0;
    if (!x->json || (generates && !*json_text(x->json, "model", ""))) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    if (!from_text && generates)
        image = strncmp(input, "data:", 5) == 0 ? NULL : image_known(x, input);
    if ((!from_text && generates && !image) || (!generates && !task_find(x->p, input))) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    struct task *t =
        submit(x, kind, image, (int64_t)seed_of(x->json, "model_seed"), price(x, kind));
    if (!t)
        return;
    t->input = cJSON_PrintUnformatted(x->json);
    SAY_OK(x, "{\"task_id\":\"%s\",\"type\":\"%s\",\"status\":\"queued\"}", t->id, kind);
}

/* "image-to-model" -> image_to_model; of a tool its name and what it works on. */
static void kind_of(char kind[60], const char *path, bool tool)
{
    snprintf(kind, 60, "%.40s%s", path, tool ? "_model" : "");
    for (char *c = kind; *c; c++)
        *c = *c == '-' ? '_' : *c;
}

static void say_usage(struct exchange *x)
{
    int limit = atoi(query_of(x, "limit")), offset = atoi(query_of(x, "offset"));
    cJSON *list = cJSON_CreateArray();
    char at[32];
    for (int i = x->p->count - 1 - offset; i >= 0 && cJSON_GetArraySize(list) < limit; i--) {
        struct task *t = x->p->tasks[i];
        cJSON *all = task_json(x, t), *j = cJSON_CreateObject();
        cJSON_AddStringToObject(j, "task_id", t->id);
        cJSON_AddStringToObject(j, "type", t->kind);
        cJSON_AddStringToObject(j, "status", json_text(all, "status", ""));
        cJSON_AddNumberToObject(j, "credits_consumed", task_bill(x->sim, x->p, t));
        cJSON_AddStringToObject(j, "created_at", time_text(at, x->p, t->made_ms));
        cJSON_AddItemToArray(list, j);
        cJSON_Delete(all);
    }
    say_data(x, list);
}

static void say_task(struct exchange *x, const char *id)
{
    struct task *t = task_asked(x, id);
    if (t)
        say_data(x, task_json(x, t));
}

static void handle(struct exchange *x)
{
    const char *rest;
    char kind[60];
    double frozen;
    if (strncmp(x->path, "/v3/", 4) == 0)
        x->path += 3;
    if (is(x, "POST", "/files"))
        take_file(x);
    else if (is(x, "POST", "/files/presign"))
        presign(x, "presigned_url");
    else if (is(x, "POST", "/files/upload-credentials"))
        presign(x, "upload_url");
    else if ((rest = after(x, "POST", "/generation/"))) {
        kind_of(kind, rest, false);
        take_task(x, kind);
    } else if ((rest = after(x, "POST", "/models/"))) {
        kind_of(kind, rest, true);
        take_task(x, kind);
    } else if (is(x, "POST", "/tasks/list"))
        poll_many(x);
    else if ((rest = after(x, "GET", "/tasks/")))
        say_task(x, rest);
    else if (is(x, "GET", "/account/usage"))
        say_usage(x);
    else if (is(x, "GET", "/account/balance")) {
        double balance = balance_of(x->sim, x->p, &frozen);
        SAY_OK(x, "{\"balance\":%.1f,\"frozen\":%.1f}", balance, frozen);
    } else
        refuse(x, REFUSE_ABSENT);
    header_add(x, "X-Tripo-Trace-ID", "a0b1c2d3-0000-4000-8000-%012d", x->p->requests);
}

static void push(struct exchange *x, struct task *t, bool ended)
{
    enum phase phase = task_phase(x->sim, x->p, t);
    const char *event = phase == PHASE_DONE ? "task.completed" : "task.failed";
    char at[32], stamp[24], hex[2 * HMAC_SHA256_BYTES + 1];
    uint8_t mac[HMAC_SHA256_BYTES];
    if (!ended) /* Tripo tells of ends only */
        return;
    char *data = NULL;
    cJSON *j = task_json(x, t);
    data = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    say(x, 200, "{\"id\":\"%s:%s\",\"type\":\"%s\",\"created_at\":\"%s\",\"data\":%s}", t->id,
        event, event, time_text(at, x->p, wall_ms()), data);
    free(data);
    snprintf(stamp, sizeof stamp, "%lld", (long long)(provider_ms(x->p) / 1000));
    const struct hash_part parts[] = {{stamp, strlen(stamp)}, {".", 1}, {x->out.data, x->out.len}};
    hmac_sha256(mac, x->p->secret, strlen(x->p->secret), parts, 3);
    for (int i = 0; i < HMAC_SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    header_add(x, "Tripo-Webhook-Signature", "t=%s,v1=%s", stamp, hex);
    header_add(x, "Tripo-Webhook-Id", "wh_sim");
    header_add(x, "Tripo-Webhook-Delivery", "dlv_%s", t->id);
    header_add(x, "Tripo-Webhook-Event", "%s", event);
}

const struct protocol protocol_tripo = {
    .id = "tripo",
    .needs_key = true,
    .refunds = true,
    .refusals = {[REFUSE_KEY] = NO(401, 2, "Invalid API key"),
                 [REFUSE_CREDITS] = NO(403, 2010, "Insufficient credits"),
                 [REFUSE_RATE] = NO(429, 1007, "You have exceeded the rate limit"),
                 [REFUSE_FULL] = NO(429, 2000, "You have exceeded the limit of generation"),
                 [REFUSE_SERVER] = NO(500, 1000, "Server error"),
                 [REFUSE_ABSENT] = NO(404, 2001, "Task not found"),
                 [REFUSE_INPUT] = NO(400, 1004, "One or more of your parameter is invalid"),
                 [REFUSE_CONTENT] = NO(400, 2008, "The input violates our content policy")},
    .handle = handle,
    .push = push,
};
