/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for Meshy: one photo, up to four, or a text (first a plain model, then its texture), and
 * its tools for models. Moderation is always asked for: these are strangers' photos.
 *
 * Traps: the address to ask a task at depends on its kind, which is kept as the task's aux; times
 * are in milliseconds; a task may stand at 99 % for two minutes; a full queue and too many requests
 * are both a 429 and differ by one word; DELETE takes a task's files away for good, so that it is
 * for tasks that still run.
 */
#include "intake/provider/meshy.h"

#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/reading.h"
#include "intake/provider/request.h"

static const struct meshy_kind kinds[] = {
    {"image-to-3d", "v1/image-to-3d", NULL, false, true},
    {"multi-image-to-3d", "v1/multi-image-to-3d", NULL, false, true},
    {"text-preview", "v2/text-to-3d", NULL, true, true},
    {"text-to-3d", "v2/text-to-3d", "refine", false, true},
    {"remesh", "v1/remesh", "remesh", false, true},
    {"convert", "v1/convert", "convert", false, true},
    {"resize", "v1/resize", "resize", false, false},
    {"print-repair", "v1/print/repair", "repair", false, false},
    {"print-analyze", "v1/print/analyze", "analyze", false, false},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* What a shop's free options may not change: whose picture, whose model, and the moderation. */
static const char kept[] =
    "image_url,image_urls,input_task_id,model_url,mode,preview_task_id,prompt,moderation";

const struct meshy_kind *meshy_kind_named(const char *name)
{
    if (!name || !*name)
        return kinds;
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static const struct meshy_kind *kind_of_tool(const char *tool)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].tool && strcmp(kinds[i].tool, tool) == 0)
            return &kinds[i];
    return NULL;
}

const struct meshy_kind *meshy_kind_of(const struct generation_spec *spec)
{
    unsigned views = count_views(spec);
    if (spec->tool)
        return kind_of_tool(spec->tool);
    if (views > 0)
        return meshy_kind_named(views > 1 ? "multi-image-to-3d" : "image-to-3d");
    if (!spec->prompt || !*spec->prompt)
        return NULL;
    return meshy_kind_named(spec->texture ? "text-preview" : "text-to-3d");
}

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a request");
}

/* --- bodies --- */

static int add_formats(cJSON *body, const char *format, struct err *err)
{
    cJSON *list = cJSON_AddArrayToObject(body, "target_formats");
    cJSON *word = list ? cJSON_CreateString(format) : NULL;
    return word && cJSON_AddItemToArray(list, word) ? 0 : no_memory(err);
}

static int add_faces(cJSON *body, int faces, struct err *err)
{
    if (faces <= 0)
        return 0;
    faces = faces < 100 ? 100 : faces > 300000 ? 300000 : faces;
    return cJSON_AddStringToObject(body, "topology", "triangle") &&
                   cJSON_AddNumberToObject(body, "target_polycount", faces)
               ? 0
               : no_memory(err);
}

static int add_images(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    if (!has_view(spec, VIEW_FRONT))
        return FAIL(err, ERR_INPUT, "the front view is missing");
    if (count_views(spec) == 1)
        return body_image(body, "image_url", &spec->images[VIEW_FRONT], err);
    cJSON *list = cJSON_AddArrayToObject(body, "image_urls");
    if (!list)
        return no_memory(err);
    for (int view = 0; view < VIEW_COUNT; view++)
        if (has_view(spec, (enum generation_view)view) &&
            body_image(list, NULL, &spec->images[view], err))
            return -1;
    return 0;
}

static int add_prompt(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    if (text_characters(spec->prompt) > 600)
        return FAIL(err, ERR_INPUT, "meshy takes a prompt of 600 characters at most");
    return cJSON_AddStringToObject(body, "mode", "preview") &&
                   cJSON_AddStringToObject(body, "prompt", spec->prompt)
               ? 0
               : no_memory(err);
}

static int fill_generate(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    bool from_images = count_views(spec) > 0;
    if (spec->parts)
        return FAIL(err, ERR_INPUT, "meshy makes no parts");
    if (from_images ? add_images(body, spec, err) : add_prompt(body, spec, err))
        return -1;
    if (!cJSON_AddStringToObject(body, "ai_model", spec->model ? spec->model : "latest") ||
        (from_images && !cJSON_AddBoolToObject(body, "should_texture", spec->texture)) ||
        (spec->face_limit > 0 && !cJSON_AddBoolToObject(body, "should_remesh", true)) ||
        !cJSON_AddBoolToObject(body, "moderation", true))
        return no_memory(err);
    return add_faces(body, spec->face_limit, err);
}

static int fill_refine(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    if (!spec->source || !task_id_is_plain(spec->source))
        return FAIL(err, ERR_INPUT, "refine needs the number of the first pass");
    return cJSON_AddStringToObject(body, "mode", "refine") &&
                   cJSON_AddStringToObject(body, "preview_task_id", spec->source) &&
                   cJSON_AddBoolToObject(body, "moderation", true)
               ? 0
               : no_memory(err);
}

/* A source is a task of theirs or an address; one with a colon and slashes cannot be a number. */
static int fill_tool(cJSON *body, const struct meshy_kind *kind, const struct generation_spec *spec,
                     struct err *err)
{
    const char *source = spec->source ? spec->source : "";
    bool is_task = task_id_is_plain(source);
    if (!is_task && !url_is_plain(source))
        return FAIL(err, ERR_INPUT, "%s needs the number of a task or an address", kind->tool);
    if (!cJSON_AddStringToObject(body, is_task ? "input_task_id" : "model_url", source))
        return no_memory(err);
    return strcmp(kind->name, "remesh") == 0 ? add_faces(body, spec->face_limit, err) : 0;
}

static int fill_body(cJSON *body, const struct meshy_kind *kind, const struct generation_spec *spec,
                     struct err *err)
{
    const char *format = strcmp(kind->name, "convert") == 0 ? "stl" : "glb";
    int failed = !spec->tool                         ? fill_generate(body, spec, err)
                 : strcmp(spec->tool, "refine") == 0 ? fill_refine(body, spec, err)
                                                     : fill_tool(body, kind, spec, err);
    if (!failed && kind->formats)
        failed = add_formats(body, format, err);
    return failed ? -1 : call_options(NULL, body, spec->passthrough, kept, err);
}

/* --- requests --- */

static int submit_request(struct http_request *out, const struct provider_call *call,
                          const char *base, struct err *err)
{
    const struct meshy_kind *kind = meshy_kind_of(call->spec);
    if (!kind)
        return FAIL(err, ERR_INPUT, "meshy cannot make that: %.60s",
                    call->spec->tool ? call->spec->tool : "neither a photo nor a text");
    if (call_start(out, "POST", base, err, "/openapi/%s", kind->path))
        return -1;
    cJSON *body = cJSON_CreateObject();
    if (!body)
        return no_memory(err);
    if (fill_body(body, kind, call->spec, err)) {
        cJSON_Delete(body);
        return -1;
    }
    return call_json(out, body, err);
}

static int task_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, const char *base, struct err *err)
{
    const struct meshy_kind *kind = meshy_kind_named(call->aux);
    bool stream = op == OP_STREAM;
    if (!kind || !call->task || !task_id_is_plain(call->task))
        return FAIL(err, ERR_INPUT, "no task of meshy: %.60s", call->task ? call->task : "");
    if (call_start(out, op == OP_CANCEL ? "DELETE" : "GET", base, err, "/openapi/%s/%s%s",
                   kind->path, call->task, stream ? "/stream" : ""))
        return -1;
    if (!stream)
        return 0;
    out->total_s = provider_meshy.pace.deadline_s;
    out->stall_s = 180; /* a task stands still at 99 % for up to 120 s */
    return call_header(out, "Accept", err, "text/event-stream");
}

/* A task in doubt has no aux yet: its spec says in which list to look for it. Without either
 * nothing is asked, because a task that is missing from another kind's list would be taken for not
 * made. */
static int recent_request(struct http_request *out, const struct provider_call *call,
                          const char *base, struct err *err)
{
    const struct meshy_kind *kind = call->spec                ? meshy_kind_of(call->spec)
                                    : call->aux && *call->aux ? meshy_kind_named(call->aux)
                                                              : NULL;
    if (!kind || call->page < 0 || call->page > 1000)
        return FAIL(err, ERR_INPUT, "no list of meshy's");
    return call_start(out, "GET", base, err, "/openapi/%s?page_num=%d&page_size=50&sort_by=%s",
                      kind->path, call->page + 1, "-created_at");
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    const char *base = base_of(call->settings, &provider_meshy);
    int failed;
    *out = (struct http_request){0};
    if (op == OP_SUBMIT)
        failed = submit_request(out, call, base, err);
    else if (op == OP_BALANCE)
        failed = call_start(out, "GET", base, err, "/openapi/v1/balance");
    else if (op == OP_RECENT)
        failed = recent_request(out, call, base, err);
    else
        failed = task_request(out, op, call, base, err);
    if (!failed)
        failed = call_bearer(out, call->settings, err);
    if (failed)
        http_request_free(out);
    return failed ? -1 : 0;
}

const struct provider_driver provider_meshy = {
    .id = "meshy",
    .summary = "Meshy: one to four photos or a text; its tools remesh, convert, analyze, repair",
    .needs_key = true,
    .refunds = true,
    .takes_text = true,
    .takes_views = true,
    .default_url = "https://api.meshy.ai",
    .pace = {.submits_per_min = 60, /* 20 requests a second are allowed, polls among them */
             .burst = 5,
             .max_in_flight = 10, /* the smallest plan that may call at all */
             .poll_s = 3,
             .poll_most_s = 15,
             .deadline_s = 3600},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_CANCEL) | OP_BIT(OP_BALANCE) |
           OP_BIT(OP_RECENT) | OP_BIT(OP_STREAM),
    .request = make_request,
    .read = meshy_read,
    .push_read = meshy_push_read,
};
