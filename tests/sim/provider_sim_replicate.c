/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replicate as it is simulated: predictions, their list, cancel, and pushes by Standard Webhooks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

static const char *word_of(struct exchange *x, const struct task *t, enum phase phase)
{
    static const char *const words[] = {"starting", "processing", "succeeded",
                                        "failed",   "failed",     "canceled"};
    return phase == PHASE_RUNNING ? running_word(x, t, words[phase]) : words[phase];
}

static void add_output(struct exchange *x, struct task *t, cJSON *j, enum phase phase)
{
    char url[400];
    if (phase != PHASE_DONE) {
        cJSON_AddNullToObject(j, "output");
    } else if (has_no_results(x, t)) {
        cJSON_AddNullToObject(j, "output");
        cJSON_AddBoolToObject(j, "data_removed", true);
    } else {
        result_url(url, sizeof url, x, t);
        cJSON *output = cJSON_AddObjectToObject(j, "output");
        cJSON_AddStringToObject(output, "model_file", url);
        cJSON_AddNullToObject(output, "color_video");
    }
    if (phase == PHASE_FAILED || phase == PHASE_REFUSED)
        cJSON_AddStringToObject(
            j, "error", phase == PHASE_REFUSED ? "NSFW content detected." : "CUDA out of memory");
    else
        cJSON_AddNullToObject(j, "error");
}

static cJSON *task_json(struct exchange *x, struct task *t)
{
    enum phase phase = task_phase(x->sim, x->p, t);
    char at[32], url[400];
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "id", t->id);
    cJSON_AddStringToObject(j, "model", "sim/image-to-3d");
    cJSON_AddStringToObject(j, "version", t->kind);
    cJSON_AddItemToObject(j, "input", cJSON_Parse(t->input ? t->input : "{}"));
    cJSON_AddStringToObject(j, "logs", "");
    add_output(x, t, j, phase);
    cJSON_AddStringToObject(j, "status", word_of(x, t, phase));
    cJSON_AddStringToObject(j, "created_at", time_text(at, x->p, t->made_ms));
    if (phase > PHASE_QUEUED)
        cJSON_AddStringToObject(j, "started_at", time_text(at, x->p, t->start_ms));
    if (phase > PHASE_RUNNING)
        cJSON_AddStringToObject(j, "completed_at", time_text(at, x->p, t->ready_ms));
    cJSON *urls = cJSON_AddObjectToObject(j, "urls");
    snprintf(url, sizeof url, "%s/v1/predictions/%s", x->base, t->id);
    cJSON_AddStringToObject(urls, "get", url);
    snprintf(url, sizeof url, "%s/v1/predictions/%s/cancel", x->base, t->id);
    cJSON_AddStringToObject(urls, "cancel", url);
    return j;
}

static void say_json(struct exchange *x, int status, cJSON *j)
{
    char *text = cJSON_PrintUnformatted(j);
    say(x, status, "%s", text);
    free(text);
    cJSON_Delete(j);
}

/* The first text, or list of texts, in the input that is a picture. */
static const char *picture_of(struct exchange *x, const cJSON *input)
{
    const cJSON *one;
    const char *image = NULL;
    cJSON_ArrayForEach (one, input) {
        const cJSON *text = cJSON_IsArray(one) ? cJSON_GetArrayItem(one, 0) : one;
        if (!image && cJSON_IsString(text) && strncmp(text->valuestring, "data:", 5) == 0)
            image = image_known(x, text->valuestring);
    }
    return image;
}

static char *input_kept(const cJSON *input)
{
    cJSON *copy = cJSON_Duplicate(input, true);
    for (cJSON *one = copy ? copy->child : NULL, *next; one; one = next) {
        next = one->next;
        if (cJSON_IsArray(one) || (cJSON_IsString(one) && strlen(one->valuestring) > 500))
            cJSON_Delete(cJSON_DetachItemViaPointer(copy, one));
    }
    char *text = cJSON_PrintUnformatted(copy);
    cJSON_Delete(copy);
    return text;
}

static void take_task(struct exchange *x)
{
    const cJSON *input = json_get(x->json, "input");
    const char *image = picture_of(x, input);
    if (!image && !json_text(input, "prompt", NULL)) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    struct task *t = submit(x, json_text(x->json, "version", "newest"), image ? image : "",
                            (int64_t)seed_of(input, "seed"), price_of(x->p, 8));
    header_add(x, "ratelimit-remaining", "599");
    header_add(x, "ratelimit-reset", "1");
    if (!t)
        return;
    t->input = input_kept(input);
    snprintf(t->push_url, sizeof t->push_url, "%s", json_text(x->json, "webhook", ""));
    say_json(x, 201, task_json(x, t));
}

static void say_list(struct exchange *x)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNullToObject(j, "previous");
    cJSON_AddNullToObject(j, "next");
    cJSON *list = cJSON_AddArrayToObject(j, "results");
    for (int i = x->p->count - 1; i >= 0 && cJSON_GetArraySize(list) < 100; i--)
        cJSON_AddItemToArray(list, task_json(x, x->p->tasks[i]));
    say_json(x, 200, j);
}

static void cancel(struct exchange *x, const char *id)
{
    char plain[64];
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(id, "/"), id);
    struct task *t = task_find(x->p, plain);
    x->p->cancels++;
    if (!t) {
        refuse(x, REFUSE_ABSENT);
        return;
    }
    t->cancelled = t->cancelled || task_phase(x->sim, x->p, t) <= PHASE_RUNNING;
    say_json(x, 200, task_json(x, t));
}

static void handle(struct exchange *x)
{
    const char *rest;
    if (is(x, "POST", "/v1/predictions") || after(x, "POST", "/v1/models/"))
        take_task(x);
    else if (is(x, "GET", "/v1/predictions"))
        say_list(x);
    else if (is(x, "GET", "/v1/webhooks/default/secret"))
        say(x, 200, "{\"key\":\"%s\"}", x->p->secret);
    else if (is(x, "GET", "/v1/account"))
        say(x, 200, "{\"type\":\"organization\",\"username\":\"sim\"}");
    else if ((rest = after(x, "POST", "/v1/predictions/")))
        cancel(x, rest);
    else if ((rest = after(x, "GET", "/v1/predictions/"))) {
        struct task *t = task_asked(x, rest);
        if (t)
            say_json(x, 200, task_json(x, t));
    } else
        refuse(x, REFUSE_ABSENT);
}

static void push(struct exchange *x, struct task *t, bool ended)
{
    char id[80], stamp[24], text[64];
    uint8_t key[96], mac[HMAC_SHA256_BYTES];
    if (!ended) /* only "completed" is asked for */
        return;
    say_json(x, 200, task_json(x, t));
    snprintf(id, sizeof id, "msg_%s", t->id);
    snprintf(stamp, sizeof stamp, "%lld", (long long)(provider_ms(x->p) / 1000));
    size_t n = base64_read(key, sizeof key, x->p->secret + 6, strlen(x->p->secret + 6));
    const struct hash_part parts[] = {
        {id, strlen(id)}, {".", 1}, {stamp, strlen(stamp)}, {".", 1}, {x->out.data, x->out.len}};
    hmac_sha256(mac, key, n, parts, 5);
    base64_encode(text, mac, sizeof mac);
    header_add(x, "webhook-id", "%s", id);
    header_add(x, "webhook-timestamp", "%s", stamp);
    header_add(x, "webhook-signature", "v1,%s", text);
}

#define NO(status, title, detail)                                                                  \
    {                                                                                              \
        status, "{\"title\":\"" title "\",\"detail\":\"" detail "\",\"status\":" #status "}"       \
    }

const struct protocol protocol_replicate = {
    .id = "replicate",
    .needs_key = true,
    .refusals = {[REFUSE_KEY] =
                     NO(401, "Unauthenticated", "You did not pass a valid authentication token"),
                 [REFUSE_CREDITS] = NO(402, "Insufficient credit",
                                       "You have insufficient credit to run this model."),
                 [REFUSE_RATE] = {429, "{\"detail\":\"Request was throttled. Your rate limit "
                                       "resets in ~2s.\"}"},
                 [REFUSE_FULL] = {429, "{\"detail\":\"Request was throttled. Your rate limit "
                                       "resets in ~2s.\"}"},
                 [REFUSE_SERVER] = NO(500, "Internal Server Error", "Something went wrong"),
                 [REFUSE_ABSENT] = NO(404, "Not Found", "Not found."),
                 [REFUSE_INPUT] = NO(422, "Input validation failed", "- input: image is required"),
                 [REFUSE_CONTENT] = NO(422, "Refused", "NSFW content detected.")},
    .handle = handle,
    .push = push,
};
