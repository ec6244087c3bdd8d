/* SPDX-License-Identifier: GPL-3.0-or-later */
/* 3D AI Studio, Rodin and Stability as they are simulated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider_sim.h"

/* --- 3D AI Studio -------------------------------------------------------------------------------
 */

static const char *studio_picture(struct exchange *x)
{
    static const char *const lists[] = {"images", "multi_view_images"};
    const char *text = json_text(x->json, "image", NULL);
    for (int i = 0; i < 2 && !text; i++) {
        const cJSON *one = cJSON_GetArrayItem(json_get(x->json, lists[i]), 0);
        text = json_text(one, "image", json_text(one, "view_image", NULL));
    }
    return text ? image_known(x, text) : NULL;
}

static double studio_price(struct exchange *x)
{
    bool texture = json_bool(x->json, "texture", json_bool(x->json, "textures", false)) ||
                   strcmp(json_text(x->json, "generate_type", ""), "Normal") == 0 ||
                   !json_bool(x->json, "enable_geometry", true);
    if (strstr(x->path, "/tools/convert/"))
        return 10;
    if (strstr(x->path, "/tools/repair/"))
        return 60;
    double base = strstr(x->path, "/pro/") ? 60 : strstr(x->path, "/trellis2/") ? 25 : 35;
    return price_of(x->p, base) + (!texture ? 0 : strstr(x->path, "/trellis2/") ? 25 : 20);
}

static void studio_take(struct exchange *x)
{
    char at[32];
    const char *image = studio_picture(x);
    if (!image && !json_text(x->json, "prompt", NULL) && !json_text(x->json, "model_url", NULL)) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    double seed = seed_of(x->json, "seed");
    struct task *t =
        submit(x, "studio", image ? image : "",
               (int64_t)(seed < 0 ? seed_of(x->json, "model_seed") : seed), studio_price(x));
    if (t)
        say(x, 200, "{\"task_id\":\"%s\",\"created_at\":\"%s\"}", t->id,
            time_text(at, x->p, t->made_ms));
}

static void studio_status(struct exchange *x, const char *id)
{
    static const char *const words[] = {"PENDING", "IN_PROGRESS", "FINISHED",
                                        "FAILED",  "FAILED",      "FAILED"};
    struct task *t = task_asked(x, id);
    char url[400], results[600] = "", reason[80] = "null";
    if (!t)
        return;
    enum phase phase = task_phase(x->sim, x->p, t);
    if (phase == PHASE_DONE && !has_no_results(x, t)) {
        result_url(url, sizeof url, x, t);
        snprintf(results, sizeof results,
                 "{\"asset\":\"%s\",\"asset_type\":\"3D_MODEL\",\"metadata\":null}", url);
    }
    if (phase > PHASE_DONE)
        snprintf(reason, sizeof reason, "\"%s\"",
                 phase == PHASE_REFUSED ? "Content policy violation"
                                        : "Generation failed. Please try again.");
    say(x, 200, "{\"status\":\"%s\",\"progress\":%d,\"failure_reason\":%s,\"results\":[%s]}",
        phase == PHASE_RUNNING ? running_word(x, t, words[phase]) : words[phase],
        task_progress(x->sim, x->p, t), reason, results);
}

static void handle_studio(struct exchange *x)
{
    const char *rest;
    size_t n = strlen(x->path);
    if (n > 0 && x->path[n - 1] != '/') {
        say(x, 301, "%s", "");
        snprintf(x->location, sizeof x->location, "%.300s/", x->path);
    } else if ((rest = after(x, "GET", "/v1/generation-request/")))
        studio_status(x, rest);
    else if (is(x, "GET", "/account/user/wallet/"))
        say(x, 200, "{\"balance\":\"%.2f\"}", balance_of(x->sim, x->p, NULL));
    else if (after(x, "POST", "/v1/3d-models/") || after(x, "POST", "/v1/tools/"))
        studio_take(x);
    else
        refuse(x, REFUSE_ABSENT);
}

const struct protocol protocol_3daistudio = {
    .id = "3daistudio",
    .needs_key = true,
    .refunds = true,
    .refusals =
        {[REFUSE_KEY] = {401, "{\"code\":\"invalid_api_key\",\"message\":\"Invalid API key\"}"},
         [REFUSE_CREDITS] = {402, "{\"code\":\"insufficient_credits\",\"message\":\"Not enough "
                                  "credits\"}"},
         [REFUSE_RATE] = {429, "{\"code\":\"rate_limited\",\"message\":\"Too many requests\"}"},
         [REFUSE_FULL] = {429, "{\"code\":\"rate_limited\",\"message\":\"Too many requests\"}"},
         [REFUSE_SERVER] = {500, "{\"detail\":\"Server Error\"}"},
         [REFUSE_ABSENT] = {404, "{\"detail\":\"Not found.\"}"},
         [REFUSE_INPUT] = {400, "{\"code\":\"validation_failed\",\"message\":\"Invalid value\","
                                "\"detail\":{\"image\":[\"is required\"]}}"},
         [REFUSE_CONTENT] = {400, "{\"code\":\"validation_failed\",\"message\":\"Content policy "
                                  "violation\"}"}},
    .handle = handle_studio,
};

/* --- Rodin --------------------------------------------------------------------------------------
 */

static void rodin_take(struct exchange *x)
{
    char at[32];
    if (!*x->image && !json_text(x->form, "prompt", NULL)) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    struct task *t = submit(x, "rodin", NULL, (int64_t)seed_of(x->form, "seed"), price_of(x->p, 1));
    if (t)
        say(x, 201,
            "{\"error\":null,\"message\":\"Submitted.\",\"submit_time\":\"%s\",\"uuid\":\"%s\","
            "\"jobs\":{\"uuids\":[\"%s-a\",\"%s-b\"],\"subscription_key\":\"%s.%d\"}}",
            time_text(at, x->p, t->made_ms), t->id, t->id, t->id, t->handle, t->number);
}

static struct task *by_handle(struct exchange *x, const char *key)
{
    const char *dot = strrchr(key, '.');
    int number = dot ? atoi(dot + 1) : 0;
    struct task *t = number > 0 && number <= x->p->count ? x->p->tasks[number - 1] : NULL;
    return t && strncmp(key, t->handle, strlen(t->handle)) == 0 ? t : NULL;
}

static void rodin_status(struct exchange *x)
{
    struct task *t = by_handle(x, json_text(x->json, "subscription_key", ""));
    if (poll_refused(x, 1))
        return;
    if (!t) {
        refuse(x, REFUSE_ABSENT);
        return;
    }
    enum phase phase = task_phase(x->sim, x->p, t);
    const char *second = phase == PHASE_QUEUED    ? "Waiting"
                         : phase == PHASE_RUNNING ? running_word(x, t, "Generating")
                         : phase == PHASE_DONE    ? "Done"
                                                  : "Failed";
    say(x, 200,
        "{\"error\":null,\"jobs\":[{\"uuid\":\"%s-a\",\"status\":\"%s\"},{\"uuid\":\"%s-b\","
        "\"status\":\"%s\"}]}",
        t->id, phase == PHASE_QUEUED ? "Waiting" : "Done", t->id, second);
}

static void rodin_download(struct exchange *x)
{
    struct task *t = task_find(x->p, json_text(x->json, "task_uuid", ""));
    char url[400];
    if (!t) {
        refuse(x, REFUSE_ABSENT);
    } else if (task_phase(x->sim, x->p, t) != PHASE_DONE || has_no_results(x, t)) {
        say(x, 200, "{\"error\":null,\"list\":[]}");
    } else {
        result_url(url, sizeof url, x, t);
        say(x, 200,
            "{\"error\":null,\"list\":[{\"url\":\"%s\",\"name\":\"base_basic_pbr.glb\"},"
            "{\"url\":\"%s/preview.webp\",\"name\":\"preview.webp\"}]}",
            url, x->base);
    }
}

static void handle_rodin(struct exchange *x)
{
    if (is(x, "POST", "/rodin"))
        rodin_take(x);
    else if (is(x, "POST", "/status"))
        rodin_status(x);
    else if (is(x, "POST", "/download"))
        rodin_download(x);
    else if (is(x, "GET", "/check_balance"))
        say(x, 200, "{\"error\":null,\"balance\":%.1f}", balance_of(x->sim, x->p, NULL));
    else
        refuse(x, REFUSE_ABSENT);
}

const struct protocol protocol_rodin = {
    .id = "rodin",
    .needs_key = true,
    .refusals = {[REFUSE_KEY] = {401, "{\"error\":\"Not authenticated\"}"},
                 [REFUSE_CREDITS] = {201, "{\"error\":\"INSUFFICIENT_FUND\",\"message\":\"Not "
                                          "enough credits\"}"},
                 [REFUSE_RATE] = {429, "{\"error\":\"TOO_MANY_REQUESTS\",\"message\":\"Too many "
                                       "requests\"}"},
                 [REFUSE_FULL] = {429, "{\"error\":\"TOO_MANY_REQUESTS\",\"message\":\"Too many "
                                       "requests\"}"},
                 [REFUSE_SERVER] = {500, "{\"error\":\"INTERNAL_ERROR\"}"},
                 [REFUSE_ABSENT] = {404, "{\"error\":\"NOT_FOUND\"}"},
                 [REFUSE_INPUT] = {400, "{\"error\":\"INVALID_REQUEST\",\"message\":\"No "
                                        "images\"}"},
                 [REFUSE_CONTENT] = {400, "{\"error\":\"INVALID_REQUEST\",\"message\":\"Content "
                                          "policy violation\"}"}},
    .handle = handle_rodin,
};

/* --- Stability ----------------------------------------------------------------------------------
 */

static void handle_stability(struct exchange *x)
{
    const char *service = after(x, "POST", "/v2beta/3d/");
    if (is(x, "GET", "/v1/user/balance")) {
        say(x, 200, "{\"credits\":%.1f}", balance_of(x->sim, x->p, NULL));
        return;
    }
    if (!service ||
        (strcmp(service, "stable-fast-3d") != 0 && strcmp(service, "stable-point-aware-3d") != 0)) {
        refuse(x, REFUSE_ABSENT);
        return;
    }
    if (!*x->image) {
        refuse(x, REFUSE_INPUT);
        return;
    }
    double price = strcmp(service, "stable-fast-3d") == 0 ? 10 : 4;
    struct task *t =
        submit(x, service, NULL, (int64_t)seed_of(x->form, "seed"), price_of(x->p, price));
    if (!t)
        return;
    int64_t wait = t->ready_ms - wall_ms();
    x->wait_ms = wait > 0 && wait < 3600000 ? (int)wait : 0;
    if (t->fails || t->refused)
        refuse(x, t->refused ? REFUSE_CONTENT : REFUSE_SERVER);
    else
        say_model(x, t);
}

#define NO(status, name, words)                                                                    \
    {                                                                                              \
        status, "{\"id\":\"a1b2c3d4\",\"name\":\"" name "\",\"errors\":[\"" words "\"]}"           \
    }

/* An error is no model, and no model costs nothing. */
const struct protocol protocol_stability = {
    .id = "stability",
    .needs_key = true,
    .refunds = true,
    .refusals = {[REFUSE_KEY] = NO(401, "unauthorized", "missing or invalid API key"),
                 [REFUSE_CREDITS] = NO(402, "payment_required", "not enough credits"),
                 [REFUSE_RATE] =
                     NO(429, "rate_limit_exceeded", "more than 150 requests in 10 seconds"),
                 [REFUSE_FULL] =
                     NO(429, "rate_limit_exceeded", "more than 150 requests in 10 seconds"),
                 [REFUSE_SERVER] = NO(500, "internal_error", "An unexpected server error occurred"),
                 [REFUSE_ABSENT] = NO(404, "not_found", "no such thing"),
                 [REFUSE_INPUT] = NO(400, "bad_request", "image: required"),
                 [REFUSE_CONTENT] = NO(403, "content_moderation",
                                       "Your request was flagged by our content moderation "
                                       "system.")},
    .handle = handle_stability,
};
