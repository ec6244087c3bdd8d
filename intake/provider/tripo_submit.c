/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a task of Tripo's is asked for with: generation from words, one photo or four sides, and
 * its tools on a task that is done. What they may hold is settled in tripo_options.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "intake/provider/reading.h"
#include "intake/provider/request.h"
#include "intake/provider/tripo.h"

#define PROMPT_MOST 1024     /* characters */
#define SEED_MOST 0x7fffffff /* they are ints */

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a request");
}

/* --- pictures --- */

/* The name of an upload, or the public address of a picture. */
static const char *token_of(const struct generation_spec *spec, int view)
{
    const char *token = spec->images[view].token;
    return token ? token : "";
}

static cJSON *old_file(const struct generation_spec *spec, int view)
{
    const char *token = token_of(spec, view), *mime = spec->images[view].mime;
    cJSON *file = cJSON_CreateObject();
    if (!*token)
        return file;
    cJSON_AddStringToObject(file, "type", mime && strcmp(mime, "image/png") == 0 ? "png" : "jpg");
    cJSON_AddStringToObject(file, strncmp(token, "http", 4) == 0 ? "url" : "file_token", token);
    return file;
}

static cJSON *one_picture(const struct generation_spec *spec, int view, bool v2)
{
    return v2 ? old_file(spec, view) : cJSON_CreateString(token_of(spec, view));
}

/* Four slots in the order of enum generation_view; a side that is not there has an empty one. */
static int add_pictures(cJSON *body, const struct generation_spec *spec, bool v2, struct err *err)
{
    cJSON *slots = cJSON_AddArrayToObject(body, v2 ? "files" : "inputs");
    for (int view = 0; view < VIEW_COUNT; view++)
        cJSON_AddItemToArray(slots, one_picture(spec, view, v2));
    return cJSON_GetArraySize(slots) == VIEW_COUNT ? 0 : no_memory(err);
}

static int check_pictures(const struct generation_spec *spec, struct err *err)
{
    if (count_views(spec) > 0 && !has_view(spec, VIEW_FRONT))
        return FAIL(err, ERR_INPUT, "tripo needs a view from the front");
    for (int view = 0; view < VIEW_COUNT; view++)
        if (has_view(spec, (enum generation_view)view) && !*token_of(spec, view))
            return FAIL(err, ERR_INPUT, "tripo takes pictures that were brought to it before only");
    if (count_views(spec) > 0)
        return 0;
    if (!spec->prompt || !*spec->prompt)
        return FAIL(err, ERR_INPUT, "tripo works from a photo or from words");
    if (text_characters(spec->prompt) > PROMPT_MOST)
        return FAIL(err, ERR_INPUT, "tripo takes up to %d characters", PROMPT_MOST);
    return 0;
}

/* --- generation --- */

/* Prefix of both names: "image" and so on. */
static const char *kind_of(const struct generation_spec *spec)
{
    unsigned views = count_views(spec);
    return views == 0 ? "text" : views == 1 ? "image" : "multiview";
}

static int add_source(cJSON *body, const struct generation_spec *spec, bool v2, struct err *err)
{
    unsigned views = count_views(spec);
    if (views == 0)
        return tripo_put_text(body, "prompt", spec->prompt, err);
    if (views > 1)
        return add_pictures(body, spec, v2, err);
    return cJSON_AddItemToObject(body, v2 ? "file" : "input", one_picture(spec, VIEW_FRONT, v2))
               ? 0
               : no_memory(err);
}

static int add_wishes(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    int failed = 0;
    double seed = (double)(spec->seed & SEED_MOST);
    if (!spec->texture)
        failed = tripo_put_bool(body, "texture", false, err);
    if (!failed && spec->face_limit > 0)
        failed = tripo_put_number(body, "face_limit", spec->face_limit, err);
    if (!failed && spec->parts)
        failed = tripo_put_bool(body, "generate_parts", true, err);
    if (!failed && spec->seed >= 0)
        failed = tripo_put_number(body, "model_seed", seed, err);
    if (!failed && spec->seed >= 0 && count_views(spec) == 0)
        failed = tripo_put_number(body, "image_seed", seed, err); /* words become a picture first */
    return failed;
}

/* The photo and the kind of task are not to be had by a free option, in neither dialect's words. */
#define KEPT                                                                                       \
    "input,inputs,file,files,image,images,url,object,task_id,original_task_id,"                    \
    "original_model_task_id,draft_model_task_id"
#define KEPT_V2 KEPT ",type,model"
#define KEPT_V3 KEPT ",type,model_version"

static int fill_generation(cJSON *body, const struct generation_spec *spec, bool v2,
                           struct err *err)
{
    const char *name = v2 ? "model_version" : "model"; /* V3 refuses a task without one */
    const char *model = spec->model && *spec->model ? spec->model
                        : v2                        ? "v3.0-20250812"
                                                    : "v3.1-20260211";
    if (add_source(body, spec, v2, err) || tripo_put_text(body, name, model, err) ||
        add_wishes(body, spec, err) ||
        call_options(NULL, body, spec->passthrough, v2 ? KEPT_V2 : KEPT_V3, err))
        return -1;
    if (!*json_text(body, name, "") && tripo_put_text(body, name, model, err))
        return -1;
    tripo_drop_compression(body);
    return tripo_settle(body, json_text(body, name, model), err) ||
                   tripo_drop_defaults(body, false, err)
               ? -1
               : 0;
}

/* --- tools --- */

static const struct tool {
    const char *name, *path, *type; /* type NULL: not in V2 */
    const char *needs;              /* an option without which the task fails, or NULL */
    double least, most;             /* faces; most 0: no such option */
    bool versioned;
} tools[] = {
    {"convert", "/models/convert", "convert_model", "format", 1, 2000000, false},
    {"refine", "/models/refine", "refine_model", NULL, 0, 0, false},
    {"texture", "/models/texture", "texture_model", NULL, 0, 0, true},
    {"stylize", "/models/stylize", "stylize_model", "style", 0, 0, false},
    {"decimate", "/mesh/decimate", "highpoly_to_lowpoly", NULL, 1000, 20000, true},
    {"segment", "/mesh/segment", "mesh_segmentation", NULL, 0, 0, true},
    {"smart_segment", "/mesh/smartsegment", NULL, NULL, 0, 0, true},
    {"complete", "/mesh/complete", "mesh_completion", NULL, 0, 0, false},
    {"rig_check", "/animations/rig-check", "animate_prerigcheck", NULL, 0, 0, false},
    {"rig", "/animations/rig", "animate_rig", NULL, 0, 0, true},
    {"retarget", "/animations/retarget", "animate_retarget", NULL, 0, 0, false},
};

static const struct tool *tool_find(const char *name, bool v2)
{
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        if (strcmp(tools[i].name, name) == 0)
            return v2 && !tools[i].type ? NULL : &tools[i];
    return NULL;
}

/* V3 takes addresses of models too. */
static int add_model(cJSON *body, const struct tool *tool, const char *source, bool v2,
                     struct err *err)
{
    const char *name = !v2                                 ? "input"
                       : strcmp(tool->name, "refine") == 0 ? "draft_model_task_id"
                                                           : "original_model_task_id";
    if (!source || !(task_id_is_plain(source) || (!v2 && url_is_plain(source))))
        return FAIL(err, ERR_INPUT, "tripo's %s works on a task", tool->name);
    return tripo_put_text(body, name, source, err);
}

/* They are written in capitals, and another word costs a failed task. */
static int settle_format(cJSON *body, struct err *err)
{
    static const char *const formats[] = {"GLTF", "USDZ", "FBX", "OBJ", "STL", "3MF"};
    const char *format = json_text(body, "format", "");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcasecmp(format, formats[i]) == 0)
            return tripo_put_text(body, "format", formats[i], err);
    return FAIL(err, ERR_INPUT, "tripo converts to GLTF, USDZ, FBX, OBJ, STL and 3MF");
}

static int add_texture_words(cJSON *body, const char *prompt, struct err *err)
{
    if (text_characters(prompt) > PROMPT_MOST)
        return FAIL(err, ERR_INPUT, "tripo takes up to %d characters", PROMPT_MOST);
    cJSON *words = cJSON_AddObjectToObject(body, "texture_prompt");
    return cJSON_AddStringToObject(words, "text", prompt) ? 0 : no_memory(err);
}

static int settle_tool(cJSON *body, const struct tool *tool, struct err *err)
{
    tripo_drop_compression(body);
    if (tool->needs && !json_text(body, tool->needs, NULL))
        return FAIL(err, ERR_INPUT, "tripo's %s needs a %s", tool->name, tool->needs);
    if (tool->most > 0 && tripo_bound_faces(body, tool->least, tool->most, err))
        return -1;
    if (strcmp(tool->name, "convert") == 0)
        return settle_format(body, err) || tripo_drop_defaults(body, true, err) ? -1 : 0;
    if (strcmp(tool->name, "texture") == 0)
        return tripo_drop_defaults(body, false, err);
    return 0;
}

static int fill_tool(cJSON *body, const struct tool *tool, const struct generation_spec *spec,
                     bool v2, struct err *err)
{
    int failed = add_model(body, tool, spec->source, v2, err);
    if (!failed && tool->versioned && spec->model && *spec->model)
        failed = tripo_put_text(body, v2 ? "model_version" : "model", spec->model, err);
    if (!failed && tool->most > 0 && spec->face_limit > 0)
        failed = tripo_put_number(body, "face_limit", spec->face_limit, err);
    if (!failed && strcmp(tool->name, "texture") == 0 && spec->prompt && *spec->prompt)
        failed = add_texture_words(body, spec->prompt, err);
    if (!failed)
        failed = call_options(NULL, body, spec->passthrough, v2 ? KEPT_V2 : KEPT_V3, err);
    return failed ? -1 : settle_tool(body, tool, err);
}

/* --- the request --- */

static int send_body(struct http_request *out, const struct provider_call *call, const char *path,
                     cJSON *body, struct err *err)
{
    if (tripo_start(out, "POST", call, tripo_is_v2(call) ? "/task" : path, err)) {
        cJSON_Delete(body);
        return -1;
    }
    if (!call_json(out, body, err))
        return 0;
    http_request_free(out);
    return -1;
}

static int fill(cJSON *body, char path[64], const struct generation_spec *spec, bool v2,
                struct err *err)
{
    char type[40];
    const struct tool *tool = spec->tool ? tool_find(spec->tool, v2) : NULL;
    if (spec->tool && !tool)
        return FAIL(err, ERR_INPUT, "tripo has no tool %.40s", spec->tool);
    if (!tool && check_pictures(spec, err))
        return -1;
    snprintf(type, sizeof type, "%s_to_model", tool ? "" : kind_of(spec));
    snprintf(path, 64, "/generation/%s-to-model", tool ? "" : kind_of(spec));
    if (tool)
        snprintf(path, 64, "%s", tool->path);
    if (v2 && tripo_put_text(body, "type", tool ? tool->type : type, err))
        return -1;
    return tool ? fill_tool(body, tool, spec, v2, err) : fill_generation(body, spec, v2, err);
}

int tripo_submit_request(struct http_request *out, const struct provider_call *call,
                         struct err *err)
{
    char path[64];
    *out = (struct http_request){0};
    if (!call->spec)
        return FAIL(err, ERR_INPUT, "there is nothing to ask tripo for");
    cJSON *body = cJSON_CreateObject();
    if (!body)
        return no_memory(err);
    if (!fill(body, path, call->spec, tripo_is_v2(call), err))
        return send_body(out, call, path, body, err);
    cJSON_Delete(body);
    return -1;
}
