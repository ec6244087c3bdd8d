/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Servers of the shop's own as they are simulated: Hunyuan3D-2 and 2.1, and the TRELLIS wrapper. No
 * keys, no bills; a call keeps its line until all is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/reading.h"
#include "tests/sim/provider_sim.h"

#define HIS_404                                                                                    \
    "{\"text\":\"**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.**\"" \
    ",\"error_code\":1}"

/* --- Hunyuan3D ----------------------------------------------------------------------------------
 */

/* As there: bare base64 of a picture. */
static bool take_image(struct exchange *x)
{
    struct bytes image = {0};
    const char *text = json_text(x->json, "image", NULL);
    bool ok = text && !base64_decode(&image, text, strlen(text), NULL) && image.len > 8 &&
              (memcmp(image.data, "\xff\xd8\xff", 3) == 0 || memcmp(image.data, "\x89PNG", 4) == 0);
    if (ok)
        sha256_hex(x->image, image.data, image.len);
    bytes_free(&image);
    return ok;
}

static bool is_21(const struct exchange *x)
{
    return strcmp(x->p->protocol->id, "hunyuan3d21") == 0;
}

/* 2.1 checks its numbers before anything else. */
static bool refuses_a_value(struct exchange *x)
{
    double octree = json_number(x->json, "octree_resolution", 256);
    if (!is_21(x) || (octree >= 64 && octree <= 512))
        return false;
    say(x, 422,
        "{\"detail\":[{\"type\":\"less_than_equal\",\"loc\":[\"body\",\"octree_resolution\"],"
        "\"msg\":\"Input should be less than or equal to 512\",\"input\":%.0f,\"ctx\":{\"le\":512}}"
        "]}",
        octree);
    return true;
}

static struct task *hunyuan_task(struct exchange *x)
{
    bool usable =
        take_image(x) && (is_21(x) || (!json_bool(x->json, "texture", false) &&
                                       strcmp(json_text(x->json, "type", "glb"), "glb") == 0));
    if (!usable) {
        x->p->submit_requests++;
        refuse(x, REFUSE_INPUT);
        return NULL;
    }
    return submit(x, "generate", NULL, (int64_t)seed_of(x->json, "seed"), 0);
}

static void generate(struct exchange *x)
{
    if (refuses_a_value(x))
        return;
    struct task *t = hunyuan_task(x);
    if (!t)
        return;
    int64_t wait = t->ready_ms - wall_ms();
    x->wait_ms = wait > 0 && wait < 3600000 ? (int)wait : 0;
    if (t->fails)
        refuse(x, REFUSE_INPUT); /* that server has one word for all that goes wrong */
    else
        say_model(x, t);
}

/* /send always answers; what cannot be made is processing for ever. */
static void send_off(struct exchange *x)
{
    if (refuses_a_value(x))
        return;
    struct task *t = hunyuan_task(x);
    if (t)
        say(x, 200, "{\"uid\":\"%s\"}", t->id);
    else if (x->status == 404)
        say(x, 200, "{\"uid\":\"00000000-0000-4000-8000-000000000000\"}");
}

/* A look at the first half, as while the file is being written: fault half_model with times 1. */
static void say_base64(struct exchange *x, struct task *t)
{
    struct bytes model = {0};
    say_model(x, t);
    bytes_take(&model, &x->out);
    char *text = malloc(4 * ((model.len + 2) / 3) + 1);
    if (!text)
        exit(1);
    base64_encode(text, model.data, model.len);
    if (is_21(x))
        say(x, 200,
            "{\"status\":\"completed\",\"model_base64\":\"%s\",\"initial_model_base64\":\"%s\"}",
            text, text);
    else
        say(x, 200, "{\"status\":\"completed\",\"model_base64\":\"%s\"}", text);
    x->claimed = 0;
    free(text);
    bytes_free(&model);
}

static void say_status(struct exchange *x, const char *uid)
{
    if (poll_refused(x, 1))
        return;
    struct task *t = task_find(x->p, uid);
    bool ended = t && task_phase(x->sim, x->p, t) > PHASE_RUNNING;
    if (ended && t->fails && is_21(x))
        say(x, 500, "{\"status\":\"error\",\"message\":\"Failed to read generated file\"}");
    else if (!ended || t->fails || has_no_results(x, t)) /* no other answer for what is lost */
        say(x, 200, "{\"status\":\"%s\"}", t ? running_word(x, t, "processing") : "processing");
    else
        say_base64(x, t);
}

static void handle_hunyuan(struct exchange *x)
{
    const char *rest;
    bool post = strcmp(x->method, "POST") == 0;
    if (post && !x->json) {
        say(x, 500, "Internal Server Error");
        x->mime = "text/plain; charset=utf-8";
    } else if (is(x, "POST", "/generate"))
        generate(x);
    else if (is(x, "POST", "/send"))
        send_off(x);
    else if ((rest = after(x, "GET", "/status/")))
        say_status(x, rest);
    else if (is_21(x) && is(x, "GET", "/health"))
        say(x, 200, "{\"status\":\"healthy\",\"worker_id\":\"sim\"}");
}

/* --- TRELLIS ------------------------------------------------------------------------------------
 */

static struct task *newest(struct exchange *x)
{
    return x->p->count ? x->p->tasks[x->p->count - 1] : NULL;
}

static bool is_busy(struct exchange *x)
{
    struct task *t = newest(x);
    return t && task_phase(x->sim, x->p, t) <= PHASE_RUNNING;
}

static void make_at_once(struct exchange *x)
{
    if (is_busy(x)) {
        x->p->submit_requests++;
        refuse(x, REFUSE_FULL);
        return;
    }
    if (!*x->image) {
        x->p->submit_requests++;
        refuse(x, REFUSE_INPUT);
        return;
    }
    struct task *t = submit(x, "generate", NULL, (int64_t)seed_of(x->form, "seed"), 0);
    if (!t)
        return;
    int64_t wait = t->ready_ms - wall_ms();
    x->wait_ms = wait > 0 && wait < 3600000 ? (int)wait : 0;
    if (t->fails)
        say(x, 500, "{\"detail\":\"CUDA out of memory\"}");
    else
        say(x, 200,
            "{\"status\":\"COMPLETE\",\"progress\":100,\"message\":\"Generation complete\","
            "\"preview_urls\":null,\"model_url\":\"/download/model\"}");
}

static void say_progress(struct exchange *x)
{
    struct task *t = newest(x);
    enum phase phase = t ? task_phase(x->sim, x->p, t) : PHASE_FAILED;
    if (poll_refused(x, 1))
        return;
    const char *word = phase <= PHASE_RUNNING ? running_word(x, t, "PROCESSING")
                       : phase == PHASE_DONE  ? "COMPLETE"
                                              : "FAILED";
    say(x, 200, "{\"status\":\"%s\",\"progress\":%d,\"message\":\"\",\"busy\":%s}", word,
        t ? task_progress(x->sim, x->p, t) : 0, is_busy(x) ? "true" : "false");
}

static void handle_trellis(struct exchange *x)
{
    struct task *t = newest(x);
    if (is(x, "POST", "/generate_no_preview") || is(x, "POST", "/generate_multi_no_preview"))
        make_at_once(x);
    else if (is(x, "GET", "/download/model") && t && task_phase(x->sim, x->p, t) == PHASE_DONE)
        say_model(x, t);
    else if (is(x, "GET", "/download/model"))
        say(x, 404, "{\"detail\":\"Mesh not found\"}");
    else if (is(x, "GET", "/ping"))
        say(x, 200,
            "{\"status\":\"running\",\"message\":\"Trellis API is operational\","
            "\"busy\":%s}",
            is_busy(x) ? "true" : "false");
    else if (is(x, "GET", "/status"))
        say_progress(x);
    else if (is(x, "POST", "/interrupt")) {
        bool busy = is_busy(x);
        x->p->cancels++;
        if (busy)
            t->cancelled = true;
        say(x, 200, "{\"status\":\"%s\"}",
            busy ? "interrupt_requested" : "no_generation_in_progress");
    }
}

#define HUNYUAN(name)                                                                              \
    {                                                                                              \
        .id = name, .refunds = true,                                                               \
        .refusals = {[REFUSE_INPUT] = {404, HIS_404},                                              \
                     [REFUSE_CONTENT] = {404, HIS_404},                                            \
                     [REFUSE_RATE] = {429, "{}"},                                                  \
                     [REFUSE_SERVER] = {500, "{\"error\":\"Failed to start generation\"}"},        \
                     [REFUSE_ABSENT] = {404, "{\"detail\":\"Not Found\"}"}},                       \
        .handle = handle_hunyuan,                                                                  \
    }

const struct protocol protocol_hunyuan3d2 = HUNYUAN("hunyuan3d2");
const struct protocol protocol_hunyuan3d21 = HUNYUAN("hunyuan3d21");

const struct protocol protocol_trellis = {
    .id = "trellis",
    .refunds = true,
    .refusals = {[REFUSE_INPUT] = {500, "{\"detail\":\"400: No input images provided\"}"},
                 [REFUSE_FULL] = {503, "{\"detail\":\"Server is busy with another generation\"}"},
                 [REFUSE_RATE] = {503, "{\"detail\":\"Server is busy with another generation\"}"},
                 [REFUSE_SERVER] = {500, "{\"detail\":\"CUDA error\"}"},
                 [REFUSE_ABSENT] = {404, "{\"detail\":\"Not Found\"}"}},
    .handle = handle_trellis,
};
