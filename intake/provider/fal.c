/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for fal: a queue in front of other people's models. The spec's model is the path of one
 * ("fal-ai/hyper3d/rodin"). Requests are here; answers and pushes are read in fal_read.c.
 *
 * Traps: the addresses of a task leave out part of the model's path, so those that the submit told
 * are kept (as JSON in aux) - but used only on the configured host. What a model's input for
 * pictures is called differs from model to model. A photo put into fal's storage has an address
 * that anybody may read who knows it, so it is asked to vanish within a day.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/fal_parts.h"

#define LIFE "{\"expiration_duration_seconds\":86400}"

static const char *storage_of(const struct provider_settings *settings)
{
    return settings && settings->upload_url && *settings->upload_url ? settings->upload_url
                                                                     : FAL_STORAGE;
}

static int add_key(struct http_request *out, const struct provider_settings *settings,
                   struct err *err)
{
    if (!settings->api_key || !*settings->api_key)
        return 0;
    return call_header(out, "Authorization", err, "Key %s", settings->api_key);
}

/* --- a photo into the storage --- */

/* The second half of an upload goes where the first half said: to fal's own hosts only. */
static bool is_storage_address(const char *url, const struct provider_settings *settings)
{
    static const char *const ends[] = {".fal.media", ".fal.ai", ".fal.run"};
    if (url_path_on(url, storage_of(settings)))
        return true;
    if (strncmp(url, "https://", 8) != 0)
        return false;
    size_t n = strcspn(url + 8, "/:");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t k = strlen(ends[i]);
        if (n > k && url[8 + n] == '/' && strncasecmp(url + 8 + n - k, ends[i], k) == 0)
            return url_path_on(url, url) != NULL;
    }
    return false;
}

static int put_request(struct http_request *out, const struct provider_call *call,
                       const struct generation_image *image, struct err *err)
{
    cJSON *aux = NULL;
    if (json_parse(&aux, call->aux, strlen(call->aux), err))
        return -1;
    const char *url = json_text(aux, "upload_url", "");
    int failed = is_storage_address(url, call->settings)
                     ? call_start(out, "PUT", url, err, "%s", "")
                     : FAIL(err, ERR_INPUT, "an upload address that is not of fal: %.80s", url);
    cJSON_Delete(aux);
    out->total_s = 120;
    out->reach = HTTP_FAR;
    out->home = storage_of(call->settings);
    if (!failed)
        failed = call_header(out, "Content-Type", err, "%s", image->mime);
    return failed ? -1 : bytes_append(&out->body, image->data, image->bytes, err);
}

static int upload_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    const struct generation_image *image = &call->spec->images[call->view];
    if (image->bytes == 0 || !image->mime)
        return FAIL(err, ERR_INPUT, "no image to upload");
    if (call->aux && *call->aux)
        return put_request(out, call, image, err);
    if (call_start(out, "POST", storage_of(call->settings), err,
                   "/storage/upload/initiate?storage_type=fal-cdn-v3") ||
        add_key(out, call->settings, err) ||
        call_header(out, "X-Fal-Object-Lifecycle-Preference", err, "%s", LIFE))
        return -1;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "content_type", image->mime);
    if (!cJSON_AddStringToObject(body, "file_name",
                                 strcmp(image->mime, "image/png") ? "photo.jpg" : "photo.png")) {
        cJSON_Delete(body);
        body = NULL;
    }
    return call_json(out, body, err);
}

/* --- submit --- */

/* What models call their input, the longest path first; `text`: they also work from a prompt. A
 * larger seed is folded. */
static const struct model {
    const char *path, *input, *faces;
    int64_t seed_most;
    bool text;
} models[] = {
    {"fal-ai/hyper3d/rodin", "input_image_urls[]", NULL, 65535, true},
    {"fal-ai/trellis/multi", "image_urls[]", NULL, INT32_MAX, false},
    {"fal-ai/trellis", "image_url", NULL, INT32_MAX, false},
    {"fal-ai/hunyuan3d", "input_image_url", NULL, INT32_MAX, false},
    {"fal-ai/hunyuan-3d", "input_image_url", "face_count", INT32_MAX, false},
    {"fal-ai/triposr", "image_url", NULL, INT32_MAX, false},
    {"fal-ai/meshy", "image_url", "target_polycount", INT32_MAX, true},
    {"tripo3d/", "image_url", "face_limit", INT32_MAX, true},
    {"", "image_url", NULL, INT32_MAX, true},
};

static const struct model *model_of(const char *path)
{
    const struct model *model = models;
    while (strncmp(path, model->path, strlen(model->path)) != 0)
        model++;
    return model;
}

const char *fal_path_of(const struct generation_spec *spec)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
    const char *path = spec && spec->model && *spec->model ? spec->model : FAL_MODEL;
    size_t n = strlen(path);
    bool plain = n < 200 && strspn(path, allowed) == n && strchr(path, '/') && path[0] != '/' &&
                 path[n - 1] != '/' && !strstr(path, "..") && !strstr(path, "//");
    return plain ? path : NULL;
}

static int fill_input(struct http_request *out, cJSON *input, const struct generation_spec *spec,
                      const struct model *model, struct err *err)
{
    const char *name = json_text(spec->passthrough, INPUT_NAME_OPTION, model->input);
    if (input_add_views(input, spec, name, err))
        return -1;
    if (spec->prompt && *spec->prompt && model->text)
        cJSON_AddStringToObject(input, "prompt", spec->prompt);
    if (spec->seed >= 0)
        cJSON_AddNumberToObject(input, "seed", (double)(spec->seed % (model->seed_most + 1)));
    if (model->faces && spec->face_limit > 0)
        cJSON_AddNumberToObject(input, model->faces, spec->face_limit);
    char kept[160];
    snprintf(kept, sizeof kept, INPUT_NAME_OPTION ",%.*s", (int)strcspn(name, "["), name);
    return call_options(out, input, spec->passthrough, kept, err);
}

static int start_submit(struct http_request *out, const struct provider_call *call,
                        const char *path, struct err *err)
{
    const char *base = base_of(call->settings, &provider_fal), *push = call->spec->push_url;
    if (!push || !*push)
        return call_start(out, "POST", base, err, "/%s", path);
    char *encoded = url_encode(push);
    int failed = encoded ? call_start(out, "POST", base, err, "/%s?fal_webhook=%s", path, encoded)
                         : FAIL(err, ERR_LIMIT, "no memory for a request");
    free(encoded);
    return failed;
}

static int submit_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    const char *path = fal_path_of(call->spec);
    if (!path)
        return FAIL(err, ERR_INPUT, "no path of a model of fal: %.60s", call->spec->model);
    const struct model *model = model_of(path);
    if (spec_is_generation(call->spec, &provider_fal, model->text, err) ||
        start_submit(out, call, path, err) || add_key(out, call->settings, err) ||
        call_header(out, "X-Fal-Object-Lifecycle-Preference", err, "%s", LIFE))
        return -1;
    cJSON *input = cJSON_CreateObject();
    if (fill_input(out, input, call->spec, model, err)) {
        cJSON_Delete(input);
        return -1;
    }
    return call_json(out, input, err);
}

/* --- about a task --- */

/* By the address that the submit told, if it is on our host; else by the default model's name. */
static int task_request(struct http_request *out, const char *method,
                        const struct provider_call *call, const char *which, const char *end,
                        struct err *err)
{
    const char *base = base_of(call->settings, &provider_fal), *path = NULL;
    const char *task = call->task ? call->task : "";
    cJSON *aux = NULL;
    if (call->aux && *call->aux && !json_parse(&aux, call->aux, strlen(call->aux), NULL))
        path = url_path_on(json_text(aux, which, ""), base);
    int failed = 0;
    if (path) {
        size_t n = strcspn(json_text(aux, which, ""), "?");
        char *url = strndup(json_text(aux, which, ""), n);
        failed = url ? call_start(out, method, url, err, "%s", end)
                     : FAIL(err, ERR_LIMIT, "no memory for a request");
        free(url);
    } else if (!task_id_is_plain(task)) {
        failed = FAIL(err, ERR_INPUT, "no task id of fal: %.60s", task);
    } else {
        char told[300];
        fal_task_path(told, sizeof told, FAL_MODEL, task, which);
        failed = call_start(out, method, base, err, "%s%s", told, end);
    }
    cJSON_Delete(aux);
    return failed ? -1 : add_key(out, call->settings, err);
}

void fal_task_path(char *out, size_t room, const char *model, const char *task, const char *which)
{
    const char *name = strchr(model, '/');
    size_t n = name ? (size_t)(name - model) + 1 + strcspn(name + 1, "/") : strlen(model);
    const char *end = strcmp(which, "status_url") == 0   ? "/status"
                      : strcmp(which, "cancel_url") == 0 ? "/cancel"
                                                         : "";
    snprintf(out, room, "/%.*s/requests/%s%s", (int)n, model, task, end);
}

static int stream_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    if (task_request(out, "GET", call, "status_url", "/stream", err) ||
        call_header(out, "Accept", err, "text/event-stream"))
        return -1;
    out->total_s = provider_fal.pace.deadline_s;
    return 0;
}

static int build(struct http_request *out, enum provider_op op, const struct provider_call *call,
                 struct err *err)
{
    switch (op) {
    case OP_UPLOAD:
        return upload_request(out, call, err);
    case OP_SUBMIT:
        return submit_request(out, call, err);
    case OP_POLL:
        return task_request(out, "GET", call, "status_url", "", err);
    case OP_RESULTS:
        return task_request(out, "GET", call, "response_url", "", err);
    case OP_CANCEL:
        return task_request(out, "PUT", call, "cancel_url", "", err);
    case OP_STREAM:
        return stream_request(out, call, err);
    default:
        return call_start(out, "GET", storage_of(call->settings), err, "/.well-known/jwks.json");
    }
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    *out = (struct http_request){0};
    if (build(out, op, call, err) == 0)
        return 0;
    http_request_free(out);
    return -1;
}

const struct provider_driver provider_fal = {
    .id = "fal",
    .summary = "fal's queue of other people's models, Rodin unless another is named",
    .needs_key = true,
    .takes_text = true,
    .takes_views = true,
    .default_url = "https://queue.fal.run",
    .pace = {.submits_per_min = 60,
             .burst = 5,
             .max_in_flight = 2,
             .poll_s = 3,
             .poll_most_s = 15,
             .deadline_s = 1200},
    .ops = OP_BIT(OP_UPLOAD) | OP_BIT(OP_SUBMIT) | OP_BIT(OP_POLL) | OP_BIT(OP_RESULTS) |
           OP_BIT(OP_CANCEL) | OP_BIT(OP_STREAM) | OP_BIT(OP_KEYS),
    .request = make_request,
    .read = fal_read,
    .push_read = fal_push_read,
};
