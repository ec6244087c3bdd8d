/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fal's queue as it is simulated: storage, submit, status, result, cancel, stream, and pushes
 * signed with Ed25519 against a published key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

static void begin_upload(struct exchange *x)
{
    uint8_t b[6];
    random_bytes(b, sizeof b);
    say(x, 200,
        "{\"upload_url\":\"%s/put/%02x%02x%02x%02x%02x%02x_photo.jpg?signature=x\","
        "\"file_url\":\"%s/files/lion/%02x%02x%02x%02x%02x%02x_photo.jpg\"}",
        x->base, b[0], b[1], b[2], b[3], b[4], b[5], x->base, b[0], b[1], b[2], b[3], b[4], b[5]);
}

/* owner/app of owner/app/and/more */
static void app_of(char out[60], const char *path)
{
    const char *slash = strchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 + strcspn(slash + 1, "/") : strlen(path);
    snprintf(out, 60, "%.*s", (int)(n < 59 ? n : 59), path);
}

static char *addresses(struct exchange *x, const struct task *t)
{
    char *text = NULL;
    const char *base = x->base;
    int n = asprintf(&text,
                     "\"request_id\":\"%s\",\"response_url\":\"%s/%s/requests/%s\","
                     "\"status_url\":\"%s/%s/requests/%s/status\","
                     "\"cancel_url\":\"%s/%s/requests/%s/cancel\"",
                     t->id, base, t->kind, t->id, base, t->kind, t->id, base, t->kind, t->id);
    if (n < 0)
        exit(1);
    return text;
}

static const char *picture_of(struct exchange *x)
{
    const cJSON *one;
    const char *image = NULL;
    cJSON_ArrayForEach (one, x->json) {
        const cJSON *text = cJSON_IsArray(one) ? cJSON_GetArrayItem(one, 0) : one;
        if (!image && cJSON_IsString(text) &&
            (strncmp(text->valuestring, "data:", 5) == 0 ||
             strncmp(text->valuestring, "http", 4) == 0))
            image = image_known(x, text->valuestring);
    }
    return image;
}

static void take_task(struct exchange *x, const char *path)
{
    char app[60];
    const char *image = picture_of(x);
    if (!image && !json_text(x->json, "prompt", NULL)) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    app_of(app, path);
    struct task *t =
        submit(x, app, image ? image : "", (int64_t)seed_of(x->json, "seed"), price_of(x->p, 40));
    if (!t)
        return;
    snprintf(t->push_url, sizeof t->push_url, "%s", query_of(x, "fal_webhook"));
    char *told = addresses(x, t);
    say(x, 200, "{\"status\":\"IN_QUEUE\",\"queue_position\":0,%s}", told);
    free(told);
}

static void say_status(struct exchange *x, struct task *t)
{
    enum phase phase = task_phase(x->sim, x->p, t);
    char *told = addresses(x, t);
    if (phase == PHASE_QUEUED)
        say(x, 202, "{\"status\":\"IN_QUEUE\",\"queue_position\":1,%s}", told);
    else if (phase == PHASE_RUNNING)
        say(x, 202, "{\"status\":\"%s\",\"logs\":null,%s}", running_word(x, t, "IN_PROGRESS"),
            told);
    else
        say(x, 200, "{\"status\":\"COMPLETED\",\"logs\":null,%s}", told);
    free(told);
}

static void say_output(struct exchange *x, struct task *t)
{
    char url[400];
    result_url(url, sizeof url, x, t);
    say(x, 200,
        "{\"model_mesh\":{\"url\":\"%s\",\"content_type\":\"model/gltf-binary\","
        "\"file_name\":\"model.glb\"},\"seed\":%lld,\"textures\":[]}",
        url, (long long)t->seed);
}

static void say_result(struct exchange *x, struct task *t)
{
    enum phase phase = task_phase(x->sim, x->p, t);
    if (phase <= PHASE_RUNNING) {
        say(x, 400, "{\"detail\":\"Request is still in progress\"}");
    } else if (phase == PHASE_REFUSED) {
        refuse(x, REFUSE_CONTENT);
        header_add(x, "X-Fal-Retryable", "false");
    } else if (phase != PHASE_DONE) {
        say(x, 500,
            "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"The model failed\",\"type\":"
            "\"internal_server_error\"}]}");
        header_add(x, "X-Fal-Retryable", "true");
    } else if (has_no_results(x, t)) {
        say(x, 200, "{\"seed\":%lld,\"textures\":[]}", (long long)t->seed);
    } else {
        say_output(x, t);
    }
}

static void cancel(struct exchange *x, struct task *t)
{
    x->p->cancels++;
    if (task_phase(x->sim, x->p, t) > PHASE_RUNNING) {
        say(x, 400, "{\"status\":\"ALREADY_COMPLETED\"}");
        return;
    }
    t->cancelled = true;
    say(x, 202, "{\"status\":\"CANCELLATION_REQUESTED\"}");
}

static void stream(struct exchange *x, struct task *t)
{
    int64_t wait = t->ready_ms - wall_ms();
    char *told = addresses(x, t);
    say(x, 200,
        "data: {\"status\":\"IN_QUEUE\",\"queue_position\":0,%s}\n\n"
        "data: {\"status\":\"COMPLETED\",%s}\n\n",
        told, told);
    x->mime = "text/event-stream";
    x->wait_ms = wait > 0 && wait < 600000 ? (int)wait : 0;
    free(told);
}

/* owner/app/requests/ID[/status[/stream]|/cancel] */
static void about_task(struct exchange *x, const char *id)
{
    char plain[64];
    const char *end = id + strcspn(id, "/");
    snprintf(plain, sizeof plain, "%.*s", (int)(end - id), id);
    bool get = strcmp(x->method, "GET") == 0;
    struct task *t =
        get && strcmp(end, "/status") == 0 ? task_asked(x, plain) : task_find(x->p, plain);
    if (!t) {
        if (!(get && strcmp(end, "/status") == 0))
            refuse(x, REFUSE_ABSENT);
        return;
    }
    if (get && !*end)
        say_result(x, t);
    else if (get && strcmp(end, "/status") == 0)
        say_status(x, t);
    else if (get && strcmp(end, "/status/stream") == 0)
        stream(x, t);
    else if (strcmp(x->method, "PUT") == 0 && strcmp(end, "/cancel") == 0)
        cancel(x, t);
}

static void handle(struct exchange *x)
{
    const char *requests = strstr(x->path, "/requests/"), *rest;
    char key[64];
    if (is(x, "POST", "/storage/upload/initiate"))
        begin_upload(x);
    else if (is(x, "GET", "/.well-known/jwks.json")) {
        push_public_key(key);
        say(x, 200,
            "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"sim-1\",\"x\":\"%s\"}]}",
            key);
    } else if (requests)
        about_task(x, requests + 10);
    else if ((rest = after(x, "POST", "/")))
        take_task(x, rest);
    else
        refuse(x, REFUSE_ABSENT);
}

static void push(struct exchange *x, struct task *t, bool ended)
{
    char hash[SHA256_HEX], text[400], hex[129];
    struct bytes payload = {0};
    if (!ended)
        return;
    say_result(x, t);
    bool failed = x->status >= 400;
    int status = x->status;
    bytes_take(&payload, &x->out);
    say(x, 200, "{\"request_id\":\"%s\",\"gateway_request_id\":\"%s\",\"status\":\"%s\",", t->id,
        t->id, failed ? "ERROR" : "OK");
    if ((failed && bytes_printf(&x->out, NULL, "\"error\":\"Invalid status code: %d\",", status)) ||
        bytes_printf(&x->out, NULL, "\"payload\":%s}", (const char *)payload.data))
        exit(1);
    bytes_free(&payload);
    cJSON_Delete(x->headers);
    x->headers = NULL;
    sha256_hex(hash, x->out.data, x->out.len);
    long long at = provider_ms(x->p) / 1000;
    int n = snprintf(text, sizeof text, "%s\nuser_sim\n%lld\n%s", t->id, at, hash);
    push_sign_fal(hex, text, (size_t)n);
    header_add(x, "X-Fal-Webhook-Request-Id", "%s", t->id);
    header_add(x, "X-Fal-Webhook-User-Id", "user_sim");
    header_add(x, "X-Fal-Webhook-Timestamp", "%lld", at);
    header_add(x, "X-Fal-Webhook-Signature", "%s", hex);
}

const struct protocol protocol_fal = {
    .id = "fal",
    .needs_key = true,
    .refusals =
        {[REFUSE_KEY] = {401,
                         "{\"detail\":\"Authentication is required to access this application\"}"},
         [REFUSE_CREDITS] = {403, "{\"detail\":\"User is locked. Reason: Exhausted balance. Top up "
                                  "your balance at fal.ai/dashboard/billing.\"}"},
         [REFUSE_RATE] = {429, "{\"detail\":\"Too many requests\"}"},
         [REFUSE_FULL] = {429, "{\"detail\":\"Concurrent requests limit reached\","
                               "\"error_type\":\"concurrent_requests_limit\"}"},
         [REFUSE_SERVER] = {500, "{\"detail\":\"Internal Server Error\"}"},
         [REFUSE_ABSENT] = {404, "{\"detail\":\"Request not found\"}"},
         [REFUSE_INPUT] = {422, "{\"detail\":[{\"loc\":[\"body\",\"input_image_urls\"],\"msg\":"
                                "\"Failed to download the file\",\"type\":\"file_download_error\"}]"
                                "}"},
         [REFUSE_CONTENT] = {422, "{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"The "
                                  "content could not be processed because it was flagged\","
                                  "\"type\":\"content_policy_violation\"}]}"}},
    .handle = handle,
    .push = push,
};
