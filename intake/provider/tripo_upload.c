/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bringing a picture to Tripo: as a form, or in two steps where it is large (V3): ask for an
 * address that is signed beforehand, then PUT the bytes there without the key.
 */
#include <stdlib.h>
#include <string.h>

#include "intake/provider/reading.h"
#include "intake/provider/request.h"
#include "intake/provider/tripo.h"

#define FORM_MOST ((size_t)60 << 20)   /* above: presigned */
#define BYTES_MOST ((size_t)150 << 20) /* of a model; a picture is refused by them above 20 MB */
#define UPLOAD_S 300

static bool is_png(const struct generation_image *image)
{
    return image->mime && strcmp(image->mime, "image/png") == 0;
}

/* --- where a photo may be sent --- */

/* The length of "https://host:port". 0 where it is no such thing, or has a name or a backslash in
 * it, which programs disagree about. */
static size_t origin_bytes(const char *url)
{
    const char *host = strstr(url, "://");
    if (!url_is_plain(url) || !host)
        return 0;
    host += 3;
    size_t n = strcspn(host, "/?#");
    if (n == 0 || memchr(host, '@', n) || memchr(host, '\\', n))
        return 0;
    return (size_t)(host - url) + n;
}

static bool same_origin(const char *url, const char *other)
{
    size_t n = origin_bytes(url);
    return n > 0 && other && origin_bytes(other) == n && strncmp(url, other, n) == 0;
}

static bool ends_with(const char *text, size_t n, const char *end)
{
    size_t length = strlen(end);
    return n > length && strncmp(text + n - length, end, length) == 0;
}

/* A bucket of Amazon's S3, and not a machine that somebody rents there. */
static bool is_bucket(const char *url, size_t n)
{
    static const char end[] = ".amazonaws.com";
    const char *mark = strstr(url, ".s3");
    return ends_with(url, n, end) && mark && mark < url + n - strlen(end) &&
           (mark[3] == '.' || mark[3] == '-');
}

/* An answer names the address, and a customer's photo goes there: to nobody but the storage that
 * Tripo is known to use, its own hosts, and the hosts in the settings. */
static bool may_send_to(const char *url, const struct provider_call *call)
{
    size_t n = origin_bytes(url);
    if (same_origin(url, tripo_base(call)) ||
        (call->settings && same_origin(url, call->settings->upload_url)))
        return true;
    return n > 0 && strncmp(url, "https://", 8) == 0 &&
           (is_bucket(url, n) || ends_with(url, n, ".tripo3d.ai") ||
            ends_with(url, n, ".tripo3d.com"));
}

/* --- requests --- */

/* `aux` is {url, token}: what tripo_upload_read made of the answer before. */
static int put_request(struct http_request *out, const struct provider_call *call,
                       const struct generation_image *image, struct err *err)
{
    cJSON *address = NULL;
    *out = (struct http_request){0};
    if (json_parse(&address, call->aux, strlen(call->aux), err))
        return -1;
    const char *url = json_text(address, "url", "");
    int failed = may_send_to(url, call)
                     ? call_start(out, "PUT", url, err, "%s", "")
                     : FAIL(err, ERR_INPUT, "a photo is not sent to the address that came");
    out->total_s = UPLOAD_S;
    if (!failed)
        failed = call_header(out, "Content-Type", err, "%s",
                             is_png(image) ? "image/png" : "image/jpeg") ||
                 bytes_append(&out->body, image->data, image->bytes, err);
    cJSON_Delete(address);
    if (failed)
        http_request_free(out);
    return failed ? -1 : 0;
}

static int presign_request(struct http_request *out, const struct provider_call *call,
                           const struct generation_image *image, struct err *err)
{
    if (tripo_start(out, "POST", call, "/files/presign", err))
        return -1;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "format", is_png(image) ? "png" : "jpg");
    if (!call_json(out, body, err))
        return 0;
    http_request_free(out);
    return -1;
}

int tripo_upload_request(struct http_request *out, const struct provider_call *call,
                         struct err *err)
{
    *out = (struct http_request){0};
    if (!call->spec || (int)call->view < 0 || call->view >= VIEW_COUNT ||
        call->spec->images[call->view].bytes == 0)
        return FAIL(err, ERR_INPUT, "there is no picture to bring to tripo");
    const struct generation_image *image = &call->spec->images[call->view];
    if (image->bytes > BYTES_MOST)
        return FAIL(err, ERR_INPUT, "tripo takes files of up to 150 MB");
    if (call->aux && *call->aux)
        return put_request(out, call, image, err);
    if (image->bytes > FORM_MOST && !tripo_is_v2(call))
        return presign_request(out, call, image, err);
    if (tripo_start(out, "POST", call, tripo_is_v2(call) ? "/upload" : "/files", err))
        return -1;
    out->total_s = UPLOAD_S;
    if (!call_image(out, "file", image, err))
        return 0;
    http_request_free(out);
    return -1;
}

/* --- answers --- */

static bool is_token(const char *text)
{
    size_t n = strnlen(text, 513);
    for (size_t i = 0; i < n; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f || text[i] == '"' || text[i] == '\\')
            return false;
    return n > 0 && n <= 512;
}

static int keep(char **out, const char *text, struct err *err)
{
    *out = strdup(text);
    return *out ? 0 : FAIL(err, ERR_LIMIT, "no memory for the name of an upload");
}

/* The storage answers with an empty body; the token is the one that came with the address. */
static int read_put(struct provider_reading *out, const struct provider_call *call,
                    const struct http_answer *answer, struct err *err)
{
    cJSON *address = NULL;
    if (answer->status == 400 || answer->status == 403 || answer->status == 404) {
        reading_fail(out, TASK_FAILED, PROVIDER_URL_EXPIRED, RETRY_YES,
                     "the address for the upload is not good any more");
        return 0;
    }
    if (reading_http_error(out, answer, false))
        return 0;
    if (json_parse(&address, call->aux, strlen(call->aux), NULL) ||
        !is_token(json_text(address, "token", "")))
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_YES, "an upload without a name");
    int failed = out->error ? 0 : keep(&out->token, json_text(address, "token", ""), err);
    cJSON_Delete(address);
    return failed;
}

static int ask_for_put(struct provider_reading *out, const char *url, const char *token,
                       struct err *err)
{
    cJSON *address = cJSON_CreateObject();
    cJSON_AddStringToObject(address, "url", url);
    cJSON_AddStringToObject(address, "token", token);
    out->aux = cJSON_PrintUnformatted(address);
    cJSON_Delete(address);
    out->state = TASK_RUNNING;
    out->next = NEXT_UPLOAD;
    return out->aux ? 0 : FAIL(err, ERR_LIMIT, "no memory for an address");
}

/* Of /files, /files/presign (which is told as presigned_url and as upload_url), V2's /upload. */
static int read_data(struct provider_reading *out, const struct provider_call *call,
                     const cJSON *data, struct err *err)
{
    const char *token = json_text(data, "file_token", json_text(data, "image_token", ""));
    const char *url = json_text(data, "presigned_url", json_text(data, "upload_url", NULL));
    if (!is_token(token)) {
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO, "an upload without a name");
        return 0;
    }
    if (url && !may_send_to(url, call)) {
        reading_fail(out, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_OPERATOR,
                     "the address for the upload is on a host that is not known as Tripo's");
        return 0;
    }
    if (keep(&out->token, token, err))
        return -1;
    return url ? ask_for_put(out, url, token, err) : 0;
}

int tripo_upload_read(struct provider_reading *out, const struct provider_call *call,
                      const struct http_answer *answer, struct err *err)
{
    const cJSON *data;
    if (call->aux && *call->aux)
        return read_put(out, call, answer, err);
    cJSON *said = tripo_open(&data, out, answer, false);
    int failed = said ? read_data(out, call, data, err) : 0;
    cJSON_Delete(said);
    return failed;
}
