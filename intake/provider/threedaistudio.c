/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for 3D AI Studio, which sells Hunyuan3D, TRELLIS.2 and Tripo under one key: what a
 * template calls the model chooses the maker ("rapid", "pro-3.1", "trellis2", "tripo-3.1", ...).
 *
 * Traps: a path without its last slash is answered with a redirect; FINISHED may come before the
 * results do; the balance is a text, under one of two paths; a refused photo is a failure with free
 * words; three submits a minute. There is no list of tasks and no cancel, so a submit whose answer
 * was lost can only be looked up by a person.
 */
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/reading.h"
#include "intake/provider/request.h"
#include "intake/provider/threedaistudio.h"

/* One model of theirs: where it is asked for and what it can take. */
struct product {
    const char *name;
    int (*fill)(cJSON *, const struct product *, const struct generation_spec *, struct err *);
    const char *path;    /* for Tripo what follows the kind of input */
    const char *version; /* member "model", or NULL */
    int faces_least, faces_most;
    unsigned prompt_most; /* characters; 0 no text */
    bool views, parts;
};

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a request");
}

static bool is_tripo(const struct product *product)
{
    return strncmp(product->name, "tripo", 5) == 0;
}

/* --- bodies --- */

static int add_input(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    if (has_view(spec, VIEW_FRONT))
        return body_image(body, "image", &spec->images[VIEW_FRONT], err);
    return cJSON_AddStringToObject(body, "prompt", spec->prompt) ? 0 : no_memory(err);
}

static int add_faces(cJSON *body, const char *name, const struct product *product, int faces,
                     struct err *err)
{
    if (faces <= 0)
        return 0;
    if (faces < product->faces_least)
        faces = product->faces_least;
    if (faces > product->faces_most)
        faces = product->faces_most;
    return cJSON_AddNumberToObject(body, name, faces) ? 0 : no_memory(err);
}

static int fill_rapid(cJSON *body, const struct product *product,
                      const struct generation_spec *spec, struct err *err)
{
    (void)product;
    if (!cJSON_AddBoolToObject(body, "enable_pbr", false) ||
        !cJSON_AddBoolToObject(body, "enable_geometry", !spec->texture))
        return no_memory(err);
    return add_input(body, spec, err);
}

static int add_named_views(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    static const char *const names[VIEW_COUNT] = {"front", "left", "back", "right"};
    cJSON *list = cJSON_AddArrayToObject(body, "multi_view_images");
    for (int view = 0; list && view < VIEW_COUNT; view++) {
        if (!has_view(spec, (enum generation_view)view))
            continue;
        cJSON *one = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(list, one) ||
            !cJSON_AddStringToObject(one, "view_type", names[view]))
            return no_memory(err);
        if (body_image(one, "view_image", &spec->images[view], err))
            return -1;
    }
    return list ? 0 : no_memory(err);
}

static int fill_pro(cJSON *body, const struct product *product, const struct generation_spec *spec,
                    struct err *err)
{
    if (!cJSON_AddStringToObject(body, "model", product->version) ||
        !cJSON_AddBoolToObject(body, "enable_pbr", false) ||
        !cJSON_AddStringToObject(body, "generate_type", spec->texture ? "Normal" : "Geometry"))
        return no_memory(err);
    if (add_faces(body, "face_count", product, spec->face_limit, err))
        return -1;
    return count_views(spec) > 1 ? add_named_views(body, spec, err) : add_input(body, spec, err);
}

static int fill_trellis(cJSON *body, const struct product *product,
                        const struct generation_spec *spec, struct err *err)
{
    if (!cJSON_AddStringToObject(body, "resolution", "1024") || /* a text, by their manual */
        !cJSON_AddBoolToObject(body, "textures", spec->texture) ||
        (spec->seed >= 0 && !cJSON_AddNumberToObject(body, "seed", (double)spec->seed)))
        return no_memory(err);
    return add_faces(body, "decimation_target", product, spec->face_limit, err) ||
                   add_input(body, spec, err)
               ? -1
               : 0;
}

/* Nothing names a view here; the maker itself goes by the order front, left, back, right. */
static int add_ordered_views(cJSON *body, const struct generation_spec *spec, struct err *err)
{
    unsigned count = count_views(spec);
    cJSON *list = cJSON_AddArrayToObject(body, "images");
    for (unsigned view = 0; list && view < count; view++) {
        cJSON *one = cJSON_CreateObject();
        if (!has_view(spec, (enum generation_view)view)) {
            cJSON_Delete(one);
            return FAIL(err, ERR_INPUT, "views in the order front, left, back, right only");
        }
        if (!cJSON_AddItemToArray(list, one))
            return no_memory(err);
        if (body_image(one, "image", &spec->images[view], err))
            return -1;
    }
    return list ? 0 : no_memory(err);
}

/* P1 knows fewer options: what is not its own is left out. */
static int fill_tripo(cJSON *body, const struct product *product,
                      const struct generation_spec *spec, struct err *err)
{
    bool said = !spec->texture || product->parts; /* else both are on by themselves */
    if (spec->parts && spec->texture)
        return FAIL(err, ERR_INPUT, "parts come without texture only");
    if ((said && (!cJSON_AddBoolToObject(body, "texture", spec->texture) ||
                  !cJSON_AddBoolToObject(body, "pbr", spec->texture))) ||
        (spec->parts && !cJSON_AddBoolToObject(body, "generate_parts", true)) ||
        (spec->seed >= 0 && !cJSON_AddNumberToObject(body, "model_seed", (double)spec->seed)))
        return no_memory(err);
    if (add_faces(body, "face_limit", product, spec->face_limit, err))
        return -1;
    return count_views(spec) > 1 ? add_ordered_views(body, spec, err) : add_input(body, spec, err);
}

/* The first is the choice where a template names none: it takes text, one photo and views. */
static const struct product products[] = {
    {"pro-3.1", fill_pro, "tencent/generate/pro/", "3.1", 40000, 1500000, 1024, true, false},
    {"pro-3.0", fill_pro, "tencent/generate/pro/", "3.0", 40000, 1500000, 1024, true, false},
    {"rapid", fill_rapid, "tencent/generate/rapid/", NULL, 0, 0, 200, false, false},
    {"trellis2", fill_trellis, "trellis2/generate/", NULL, 1000, 16000000, 0, false, false},
    {"tripo-3.0", fill_tripo, "", NULL, 500, 500000, 1024, true, true},
    {"tripo-3.1", fill_tripo, "3.1/", NULL, 500, 500000, 1024, true, true},
    {"tripo-p1", fill_tripo, "p1/", NULL, 48, 20000, 1024, true, false},
    {NULL, NULL, NULL, NULL, 0, 0, 0, false, false},
};

/* --- requests --- */

static const char *base(const struct provider_call *call)
{
    return base_of(call->settings, &provider_3daistudio);
}

static const struct product *find_product(const char *name)
{
    const struct product *product = products;
    while (name && product->name && strcmp(product->name, name) != 0)
        product++;
    return product->name ? product : NULL;
}

static int check_spec(const struct product *product, const struct generation_spec *spec,
                      struct err *err)
{
    unsigned views = count_views(spec);
    if (views > 0 && !has_view(spec, VIEW_FRONT))
        return FAIL(err, ERR_INPUT, "the front view is missing");
    if (views > 1 && !product->views)
        return FAIL(err, ERR_INPUT, "%s takes one photo only", product->name);
    if (spec->parts && !product->parts)
        return FAIL(err, ERR_INPUT, "%s makes no parts", product->name);
    if (views > 0)
        return 0;
    if (!spec->prompt || !*spec->prompt || product->prompt_most == 0)
        return FAIL(err, ERR_INPUT, "%s has nothing to work from", product->name);
    if (text_characters(spec->prompt) > product->prompt_most)
        return FAIL(err, ERR_INPUT, "%s takes a prompt of %u characters at most", product->name,
                    product->prompt_most);
    return 0;
}

static int generate_start(struct http_request *out, const struct provider_call *call,
                          const struct product *product, struct err *err)
{
    unsigned views = count_views(call->spec);
    const char *input = views > 1    ? "tripo/multiview-to-3d/"
                        : views == 1 ? "tripo/image-to-3d/"
                                     : "tripo/text-to-3d/";
    return call_start(out, "POST", base(call), err, "/v1/3d-models/%s%s",
                      is_tripo(product) ? input : "", product->path);
}

static int generate_request(struct http_request *out, const struct provider_call *call,
                            struct err *err)
{
    const struct generation_spec *spec = call->spec;
    const struct product *product = find_product(spec->model);
    if (!product)
        return FAIL(err, ERR_INPUT, "3daistudio has no model %.60s", spec->model);
    if (check_spec(product, spec, err) || generate_start(out, call, product, err))
        return -1;
    cJSON *body = cJSON_CreateObject();
    if (!body)
        return no_memory(err);
    if (product->fill(body, product, spec, err) ||
        call_options(out, body, spec->passthrough, "image,images,multi_view_images,prompt", err)) {
        cJSON_Delete(body);
        return -1;
    }
    return call_json(out, body, err);
}

static int tool_request(struct http_request *out, const struct provider_call *call, struct err *err)
{
    const struct generation_spec *spec = call->spec;
    bool convert = strcmp(spec->tool, "convert") == 0;
    if (!convert && strcmp(spec->tool, "repair") != 0)
        return FAIL(err, ERR_INPUT, "3daistudio has no tool %.60s", spec->tool);
    if (!spec->source || !url_is_plain(spec->source))
        return FAIL(err, ERR_INPUT, "%s needs the address of a model", spec->tool);
    if (call_start(out, "POST", base(call), err, "/v1/tools/%s/", spec->tool))
        return -1;
    cJSON *body = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(body, "model_url", spec->source) ||
        !cJSON_AddStringToObject(body, "output_format", convert ? "stl" : "glb") ||
        call_options(out, body, spec->passthrough, "model_url", err)) {
        cJSON_Delete(body);
        return no_memory(err);
    }
    return call_json(out, body, err);
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    int failed;
    *out = (struct http_request){0};
    if (op == OP_SUBMIT)
        failed = call->spec->tool ? tool_request(out, call, err) : generate_request(out, call, err);
    else if (op == OP_BALANCE)
        failed = call_start(out, "GET", base(call), err, "%s",
                            call->aux && *call->aux ? OTHER_WALLET : "/account/user/wallet/");
    else if (call->task && task_id_is_plain(call->task))
        failed = call_start(out, "GET", base(call), err, "/v1/generation-request/%s/status/",
                            call->task);
    else
        failed = FAIL(err, ERR_INPUT, "no number of a task: %.60s", call->task ? call->task : "");
    if (!failed)
        failed = call_bearer(out, call->settings, err);
    if (failed)
        http_request_free(out);
    return failed ? -1 : 0;
}

const struct provider_driver provider_3daistudio = {
    .id = "3daistudio",
    .summary = "3D AI Studio: Hunyuan3D Rapid and Pro, TRELLIS.2 and Tripo under one key",
    .needs_key = true,
    .refunds = true,
    .takes_text = true,
    .takes_views = true,
    .default_url = "https://api.3daistudio.com",
    .pace = {.submits_per_min = 60.0 / 21, /* 3 a minute, and a second of distance */
             .burst = 1,
             .max_in_flight = 10,
             .poll_s = 10,
             .poll_most_s = 15,
             .deadline_s = 1800},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_BALANCE),
    .request = make_request,
    .read = threedaistudio_read,
};
