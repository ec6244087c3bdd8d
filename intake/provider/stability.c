/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Driver for Stability's 3D services: stable-fast-3d and stable-point-aware-3d, by the spec's
 * model. One call with the photo, and its answer is the GLB.
 *
 * Traps: there is no task id and nothing to ask later, so an answer that is lost on the way may be
 * paid and gone: it is in doubt, and so is a proxy's error page. Only an error in the service's own
 * words says that nothing was made. 403 is both a wrong key and a refused picture.
 */
#include <stdio.h>
#include <string.h>

#include "intake/provider/drivers.h"
#include "intake/provider/hosted.h"

#define FAST "stable-fast-3d"
#define POINT_AWARE "stable-point-aware-3d"
#define REQUEST_BYTES_MOST ((size_t)10 << 20)
#define WAIT_S 60 /* its rule for one that asks too often */

/* --- requests --- */

static const char *service_of(const struct generation_spec *spec)
{
    if (!spec->model || !*spec->model || strcmp(spec->model, FAST) == 0)
        return FAST;
    return strcmp(spec->model, POINT_AWARE) == 0 ? POINT_AWARE : NULL;
}

/* A limit of faces is a wish for a new surface; about half as many vertices as faces. */
static int fast_fields(struct http_request *out, const struct generation_spec *spec,
                       struct err *err)
{
    int vertices = spec->face_limit > 40000 ? 20000 : spec->face_limit / 2;
    return call_field(out, "foreground_ratio", err, "0.85") ||
           call_field(out, "remesh", err, "%s", vertices > 0 ? "triangle" : "none") ||
           call_field(out, "vertex_count", err, "%d", vertices > 0 ? vertices : -1);
}

static int point_aware_fields(struct http_request *out, const struct generation_spec *spec,
                              struct err *err)
{
    int faces = spec->face_limit > 20000 ? 20000 : spec->face_limit;
    int failed = call_field(out, "foreground_ratio", err, "1.3") ||
                 call_field(out, "guidance_scale", err, "3") ||
                 call_field(out, "remesh", err, "%s", faces > 0 ? "triangle" : "none") ||
                 call_field(out, "target_type", err, "%s", faces > 0 ? "face" : "none");
    if (!failed && faces > 0)
        failed = call_field(out, "target_count", err, "%d", faces);
    if (!failed && spec->seed >= 0)
        failed = call_field(out, "seed", err, "%lld", (long long)(spec->seed & 0xffffffff));
    return failed;
}

static int submit_request(struct http_request *out, const struct provider_call *call,
                          struct err *err)
{
    const struct generation_spec *spec = call->spec;
    const struct generation_image *front = &spec->images[VIEW_FRONT];
    const char *service = service_of(spec);
    if (spec_is_generation(spec, &provider_stability, false, err))
        return -1;
    if (!service)
        return FAIL(err, ERR_INPUT, "stability has " FAST " and " POINT_AWARE ", not %.60s",
                    spec->model);
    if (front->bytes == 0 || front->bytes > REQUEST_BYTES_MOST - 4096)
        return FAIL(err, ERR_INPUT, "stability takes a photo of 10 MiB at most");
    if (call_start(out, "POST", base_of(call->settings, &provider_stability), err, "/v2beta/3d/%s",
                   service) ||
        call_bearer(out, call->settings, err) || call_image(out, "image", front, err) ||
        call_field(out, "texture_resolution", err, "1024"))
        return -1;
    out->total_s = 600;
    out->max_bytes = MODEL_BYTES_MOST;
    int failed = strcmp(service, FAST) == 0 ? fast_fields(out, spec, err)
                                            : point_aware_fields(out, spec, err);
    return failed ? -1 : call_options(out, NULL, spec->passthrough, "image", err);
}

static int balance_request(struct http_request *out, const struct provider_call *call,
                           struct err *err)
{
    const char *base = base_of(call->settings, &provider_stability);
    return call_start(out, "GET", base, err, "/v1/user/balance") ||
           call_bearer(out, call->settings, err);
}

static int make_request(struct http_request *out, enum provider_op op,
                        const struct provider_call *call, struct err *err)
{
    *out = (struct http_request){0};
    if (op == OP_SUBMIT ? submit_request(out, call, err) : balance_request(out, call, err)) {
        http_request_free(out);
        return -1;
    }
    return 0;
}

/* --- answers --- */

/* {id, name, errors} of the service itself, of whatever status; NULL where it is none. */
static cJSON *own_words(const struct http_answer *answer)
{
    cJSON *said = NULL;
    if (answer->body.len == 0 || answer->body.data[0] != '{' ||
        json_parse(&said, answer->body.data, answer->body.len, NULL))
        return NULL;
    if (json_text(said, "name", NULL))
        return said;
    cJSON_Delete(said);
    return NULL;
}

static void read_refusal(struct provider_reading *out, const struct http_answer *answer,
                         const cJSON *said, bool submit)
{
    reading_http_error(out, answer, submit);
    if (answer->status == 429 && out->retry_after_s < 0)
        out->retry_after_s = WAIT_S;
    if (!said)
        return;
    reading_words(out, said);
    if (*json_text(said, "id", ""))
        reading_word(out->trace, sizeof out->trace, json_text(said, "id", ""));
    if (words_refuse_content(out->code) ||
        (answer->status == 403 && words_refuse_content(out->message)))
        reading_conclude(out, TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO);
    else if (answer->status == 500)
        reading_conclude(out, TASK_QUEUED, PROVIDER_SERVER, RETRY_YES);
}

static void lost_model(struct provider_reading *out, enum provider_error error, const char *words)
{
    reading_fail(out, TASK_UNKNOWN, error, RETRY_RECONCILE, words);
}

/* An answer of 200 is paid for, whatever is in it. */
static int take_model(struct provider_reading *out, const struct http_answer *answer,
                      struct err *err)
{
    bool whole = false;
    enum model_kind kind =
        answer->body.len ? model_sniff(&whole, answer->body.data, answer->body.len) : MODEL_UNKNOWN;
    if (kind == MODEL_UNKNOWN) {
        lost_model(out, PROVIDER_PROTOCOL, "a success without a model: it may be paid for");
        return 0;
    }
    if (!whole) {
        lost_model(out, PROVIDER_SERVER, "half a model came: it may be paid for");
        return 0;
    }
    out->progress = 100;
    out->model.limit = MODEL_BYTES_MOST;
    return bytes_append(&out->model, answer->body.data, answer->body.len, err);
}

static int submit_read(struct provider_reading *out, const struct http_answer *answer,
                       struct err *err)
{
    *out = reading_start(TASK_SUCCEEDED);
    reading_word(out->trace, sizeof out->trace, answer_header(answer, "x-request-id"));
    cJSON *said = own_words(answer);
    bool success = answer->status >= 200 && answer->status < 300;
    if (success && !said)
        return take_model(out, answer, err);
    if (success)
        lost_model(out, PROVIDER_PROTOCOL, "a success with an error in it");
    read_refusal(out, answer, said, true);
    cJSON_Delete(said);
    return 0;
}

static int balance_read(struct provider_reading *out, const struct http_answer *answer)
{
    *out = reading_start(TASK_SUCCEEDED);
    if (answer->status < 200 || answer->status >= 300) {
        cJSON *refused = own_words(answer);
        read_refusal(out, answer, refused, false);
        cJSON_Delete(refused);
        return 0;
    }
    cJSON *said = reading_json(out, answer, false);
    if (said) {
        out->balance = json_number(said, "credits", -1);
        if (!(out->balance >= 0))
            reading_fail(out, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO,
                         "a balance without credits");
    }
    cJSON_Delete(said);
    return 0;
}

static int read_answer(struct provider_reading *out, enum provider_op op,
                       const struct provider_call *call, const struct http_answer *answer,
                       struct err *err)
{
    (void)call;
    return op == OP_SUBMIT ? submit_read(out, answer, err) : balance_read(out, answer);
}

const struct provider_driver provider_stability = {
    .id = "stability",
    .summary = "Stability's stable-fast-3d and stable-point-aware-3d: one call, one model",
    .needs_key = true,
    .blocks = true,
    .default_url = "https://api.stability.ai",
    .pace = {.submits_per_min = 120,
             .burst = 5,
             .max_in_flight = 4,
             .poll_s = 5,
             .poll_most_s = 15,
             .deadline_s = 900},
    .ops = OP_BIT(OP_SUBMIT) | OP_BIT(OP_BALANCE),
    .request = make_request,
    .read = read_answer,
};
