/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/provider/fal*.c and the outputs of hosted.c: a queue, its addresses, results in any shape,
 * signed pushes. */
#include "tests/test.h"

static struct err err;

#include "base/hash.h"
#include "intake/provider/hosted.h"
#include "tests/intake/judged.h"

#define IT "fal"
#define TASK "31c0ffee-2b4d-4f6a-8c8e-9a1b2c3d4e5f"
#define ABOUT "https://queue.fal.run/fal-ai/hyper3d/requests/" TASK
#define NOW 1795166200 /* of the recorded pushes */

static const struct provider_settings keyed = {.api_key = "FALKEYID:FALKEYSECRET_EXAMPLE"};

static struct generation_spec photo(void)
{
    return (struct generation_spec){
        .images[VIEW_FRONT] = {recorded_photo, sizeof recorded_photo, "image/jpeg", NULL},
        .seed = -1};
}

static void test_fal__builds_the_recorded_requests(void)
{
    struct generation_spec spec = photo();
    struct provider_call call = {.settings = &keyed, .spec = &spec, .task = TASK};
    cJSON *options = cJSON_Parse("{\"tier\":\"Regular\",\"geometry_file_format\":\"glb\"}");
    spec.push_url = "https://shop.example/webhooks/fal";
    CHECK_RECORDED(IT, OP_SUBMIT, &call, "fal", "03_submit_with_webhook");
    spec.push_url = NULL;
    CHECK_RECORDED(IT, OP_UPLOAD, &call, "fal", "01_upload_initiate");
    spec.images[VIEW_FRONT].token = "https://v3.fal.media/files/lion/abc_photo.jpg";
    spec.passthrough = options;
    CHECK_RECORDED(IT, OP_SUBMIT, &call, "fal", "02_submit");
    CHECK_RECORDED(IT, OP_POLL, &call, "fal", "06_poll_completed");
    CHECK_RECORDED(IT, OP_RESULTS, &call, "fal", "07_result_success");
    CHECK_RECORDED(IT, OP_CANCEL, &call, "fal", "13_cancel_accepted");
    CHECK_RECORDED(IT, OP_KEYS, &call, "fal", "16_jwks");
    cJSON_Delete(options);
}

/* --- addresses of a task --- */

/* What the submit's answer leads the next poll to. */
static char *polled_address(const char *status_url, const char *base, const char *model)
{
    char text[900];
    struct http_request request;
    const struct provider_settings settings = {.base_url = base, .api_key = "k"};
    const struct generation_spec spec = {.model = model};
    struct provider_call call = {.settings = &settings, .spec = &spec};
    snprintf(text, sizeof text, "{\"request_id\":\"r1\",\"status_url\":\"%s\"}", status_url);
    struct provider_reading r = read_as(IT, OP_SUBMIT, &call, answer_text(200, text));
    call = (struct provider_call){.settings = &settings, .task = r.task, .aux = r.aux};
    if (provider_find(IT)->request(&request, OP_POLL, &call, &err))
        abort();
    provider_reading_free(&r);
    char *url = request.url;
    request.url = NULL;
    http_request_free(&request);
    return url;
}

#define CHECK_POLLED(told, base, model, wanted)                                                    \
    do {                                                                                           \
        char *url_ = polled_address(told, base, model);                                            \
        bool same_ = strcmp(url_, wanted) == 0;                                                    \
        free(url_);                                                                                \
        CHECK(same_);                                                                              \
    } while (0)

static void test_fal__uses_a_tasks_own_addresses_on_its_own_host_only(void)
{
    static const char own[] = "https://queue.fal.run/fal-ai/trellis/requests/r1/status";
    const char *model = "fal-ai/trellis/multi";
    CHECK_POLLED("https://queue.fal.run/somewhere/r1/status", "", model,
                 "https://queue.fal.run/somewhere/r1/status");
    CHECK_POLLED("https://queue.fal.run.evil.example/a", "", model, own);
    CHECK_POLLED("https://evil.example/queue.fal.run/a", "", model, own);
    CHECK_POLLED("http://queue.fal.run/a", "", model, own);
    CHECK_POLLED("https://queue.fal.run:444/a", "", model, own);
    CHECK_POLLED("https://key@queue.fal.run/a", "", model, own);
    CHECK_POLLED("https://queue.fal.run/a/../b", "", model, own);
    CHECK_POLLED("https://queue.fal.run", "", model, own);
    CHECK_POLLED("", "", model, own);
    CHECK_POLLED("https://queue.fal.run/a", "http://127.0.0.1:9/fal/", model,
                 "http://127.0.0.1:9/fal/fal-ai/trellis/requests/r1/status");
    CHECK_POLLED("http://127.0.0.1:9/a", "http://127.0.0.1:9/fal/", model, "http://127.0.0.1:9/a");
}

/* The settings may have changed since, and what is stored is checked again. */
static void test_fal__does_not_follow_a_kept_address_to_another_host(void)
{
    struct http_request request;
    struct provider_call call = {
        .settings = &keyed, .task = "r1", .aux = "{\"status_url\":\"https://evil.example/x\"}"};
    CHECK_OK(provider_find(IT)->request(&request, OP_POLL, &call, &err));
    CHECK_TEXT(request.url, "https://queue.fal.run/fal-ai/hyper3d/requests/r1/status");
    http_request_free(&request);
    call.task = "../../x";
    CHECK_FAILS(provider_find(IT)->request(&request, OP_POLL, &call, &err), ERR_INPUT);
}

static void test_fal__streams_beside_the_status(void)
{
    struct http_request request;
    struct provider_call call = {
        .settings = &keyed, .task = TASK, .aux = "{\"status_url\":\"" ABOUT "/status?logs=1\"}"};
    CHECK_OK(provider_find(IT)->request(&request, OP_STREAM, &call, &err));
    CHECK_TEXT(request.url, ABOUT "/status/stream");
    CHECK_TEXT(json_text(request.headers, "Accept", ""), "text/event-stream");
    http_request_free(&request);
    CHECK_READ(IT, OP_STREAM, NULL, 200, "data: {\"status\":\"IN_QUEUE\"}\n\ndata: {\"sta",
               TASK_QUEUED, PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_STREAM, NULL, 200, "", TASK_RUNNING, PROVIDER_OK, RETRY_NO);
}

/* --- submit --- */

static void test_fal__refuses_a_model_that_is_no_path(void)
{
    static const char *const wrong[] = {"fal-ai", "/fal-ai/x", "fal-ai/../x", "fal-ai//x",
                                        "a/b?c",  "a/b#c",     "a/ b",        "a/b/"};
    struct http_request request;
    struct generation_spec spec = photo();
    const struct provider_call call = {.settings = &keyed, .spec = &spec};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spec.model = wrong[i];
        CHECK_FAILS(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
    }
}

static void test_fal__names_the_input_as_the_model_does_or_as_told(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    const struct provider_call call = {.settings = &keyed, .spec = &spec};
    cJSON *body = NULL, *options = cJSON_Parse("{\"image_input\":\"pics[]\",\"pics\":\"x\"}");
    spec.images[VIEW_FRONT].token = "https://v3.fal.media/a";
    spec.images[VIEW_LEFT].token = "https://v3.fal.media/b";
    spec.model = "fal-ai/triposr";
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_OK(json_parse(&body, request.body.data, request.body.len, &err));
    CHECK_TEXT(json_text(body, "image_url", ""), "https://v3.fal.media/a");
    http_request_free(&request);
    cJSON_Delete(body);
    spec.passthrough = options;
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_OK(json_parse(&body, request.body.data, request.body.len, &err));
    CHECK(cJSON_GetArraySize(json_get(body, "pics")) == 2);
    CHECK(cJSON_GetArraySize(body) == 1);
    http_request_free(&request);
    cJSON_Delete(body);
    cJSON_Delete(options);
}

static void test_fal__takes_a_prompt_where_the_model_does(void)
{
    struct http_request request;
    struct generation_spec spec = {.prompt = "a small fox", .seed = 65536 + 3};
    const struct provider_call call = {.settings = &keyed, .spec = &spec};
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_TEXT((char *)request.body.data, "{\"prompt\":\"a small fox\",\"seed\":3}");
    http_request_free(&request);
    spec.model = "fal-ai/trellis";
    CHECK_FAILS(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
}

static void test_fal__is_in_doubt_without_a_task(void)
{
    CHECK_READ(IT, OP_SUBMIT, NULL, 200, "{\"status\":\"IN_QUEUE\"}", TASK_UNKNOWN,
               PROVIDER_PROTOCOL, RETRY_RECONCILE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 200, "{\"request_id\":\"a/b\"}", TASK_UNKNOWN,
               PROVIDER_PROTOCOL, RETRY_RECONCILE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 200, "<html>", TASK_UNKNOWN, PROVIDER_PROTOCOL,
               RETRY_RECONCILE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 504, "", TASK_UNKNOWN, PROVIDER_SERVER, RETRY_RECONCILE);
}

/* --- uploads --- */

static void test_fal__puts_a_photo_where_the_storage_said(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    struct provider_call call = {.settings = &keyed, .spec = &spec, .view = VIEW_FRONT};
    struct provider_reading first =
        read_as(IT, OP_UPLOAD, &call,
                answer_text(200, "{\"upload_url\":\"https://v3.fal.media/put?signature=x\","
                                 "\"file_url\":\"https://v3.fal.media/a.jpg\"}"));
    CHECK(first.next == NEXT_UPLOAD && !first.token);
    call.aux = first.aux;
    CHECK_OK(provider_find(IT)->request(&request, OP_UPLOAD, &call, &err));
    CHECK_TEXT(request.method, "PUT");
    CHECK_TEXT(request.url, "https://v3.fal.media/put?signature=x");
    CHECK(!json_text(request.headers, "Authorization", NULL));
    CHECK(request.reach == HTTP_FAR && request.body.len == sizeof recorded_photo);
    http_request_free(&request);
    struct provider_reading second = read_as(IT, OP_UPLOAD, &call, answer_text(200, ""));
    CHECK(second.next == NEXT_NONE && second.error == PROVIDER_OK);
    CHECK_TEXT(second.token, "https://v3.fal.media/a.jpg");
    provider_reading_free(&second);
    second = read_as(IT, OP_UPLOAD, &call, answer_text(403, "<Error/>"));
    CHECK(second.error == PROVIDER_AUTH && !second.token);
    provider_reading_free(&second);
    provider_reading_free(&first);
}

static void test_fal__puts_a_photo_nowhere_else(void)
{
    static const char *const wrong[] = {
        "https://evil.example/put",         "http://v3.fal.media/put",
        "https://evilfal.media/put",        "https://v3.fal.media.evil.example/put",
        "https://a@v3.fal.media/put",       "https://v3.fal.media:8443/put",
        "https://evil.example\\.fal.media", "https://evil.example#.fal.media/"};
    struct generation_spec spec = photo();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct http_request request;
        struct bytes text = {0};
        cJSON *aux = cJSON_CreateObject();
        cJSON_AddStringToObject(aux, "upload_url", wrong[i]);
        CHECK_OK(json_print(&text, aux, false, &err));
        const struct provider_call call = {
            .settings = &keyed, .spec = &spec, .aux = (const char *)text.data};
        CHECK_FAILS(provider_find(IT)->request(&request, OP_UPLOAD, &call, &err), ERR_INPUT);
        bytes_free(&text);
        cJSON_Delete(aux);
    }
    CHECK_READ(IT, OP_UPLOAD, NULL, 200, "{\"upload_url\":\"file:///etc\",\"file_url\":\"x\"}",
               TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO);
}

static void test_fal__has_a_second_host_for_its_storage(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    const struct provider_settings settings = {.upload_url = "http://127.0.0.1:9", .api_key = "k"};
    struct provider_call call = {.settings = &settings, .spec = &spec};
    CHECK_OK(provider_find(IT)->request(&request, OP_UPLOAD, &call, &err));
    CHECK(strncmp(request.url, "http://127.0.0.1:9/storage/upload/initiate?", 43) == 0);
    http_request_free(&request);
    call.aux = "{\"upload_url\":\"http://127.0.0.1:9/put/1\"}";
    CHECK_OK(provider_find(IT)->request(&request, OP_UPLOAD, &call, &err));
    CHECK_TEXT(request.url, "http://127.0.0.1:9/put/1");
    CHECK_TEXT(request.home, "http://127.0.0.1:9");
    http_request_free(&request);
}

/* --- errors and results --- */

static void test_fal__knows_an_empty_balance_from_a_wrong_key(void)
{
    CHECK_READ(IT, OP_SUBMIT, NULL, 403, "{\"detail\":\"User is locked. Reason: TOP_UP.\"}",
               TASK_FAILED, PROVIDER_CREDITS, RETRY_OPERATOR);
    CHECK_READ(IT, OP_POLL, NULL, 403, "{\"detail\":\"User is locked. Reason: TOP_UP.\"}",
               TASK_UNKNOWN, PROVIDER_CREDITS, RETRY_OPERATOR);
    CHECK_READ(IT, OP_SUBMIT, NULL, 403, "{\"detail\":\"Forbidden\"}", TASK_FAILED, PROVIDER_AUTH,
               RETRY_OPERATOR);
    CHECK_READ(IT, OP_SUBMIT, NULL, 429, "{\"detail\":\"slow down\"}", TASK_QUEUED, PROVIDER_RATE,
               RETRY_YES);
}

/* The model's own end is told by its typed words or by the runner's header; a proxy has neither. */
static void test_fal__knows_a_models_failure_from_trouble_on_the_way(void)
{
    CHECK_READ(
        IT, OP_RESULTS, NULL, 500,
        "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"oom\",\"type\":\"internal_server_error\"}]}",
        TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK);
    CHECK_READ(IT, OP_RESULTS, NULL, 502, "<html>", TASK_UNKNOWN, PROVIDER_SERVER, RETRY_YES);
    CHECK_READ(IT, OP_RESULTS, NULL, 400, "{\"detail\":\"Request is still in progress\"}",
               TASK_RUNNING, PROVIDER_OK, RETRY_NO);
    struct http_answer marked = answer_text(500, "{\"detail\":\"Internal Server Error\"}");
    marked.headers = cJSON_Parse("{\"x-fal-retryable\":\"false\",\"x-fal-request-id\":\"q7\"}");
    struct provider_reading r = read_as(IT, OP_RESULTS, NULL, marked);
    CHECK(is_read(&r, TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK));
    CHECK_TEXT(r.trace, "q7");
}

static void test_fal__a_status_of_tomorrow_still_runs(void)
{
    CHECK_READ(IT, OP_POLL, NULL, 202, "{\"status\":\"DREAMING\"}", TASK_RUNNING, PROVIDER_OK,
               RETRY_NO);
    CHECK_READ(IT, OP_POLL, NULL, 200, "{\"status\":7,\"queue_position\":1e99}", TASK_RUNNING,
               PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_CANCEL, NULL, 404, "{\"status\":\"NOT_FOUND\"}", TASK_FAILED,
               PROVIDER_NOT_FOUND, RETRY_NO);
}

static void test_fal__finds_the_model_in_any_output(void)
{
    static const struct {
        const char *output, *url, *format;
        size_t files;
    } cases[] = {
        {"{\"model_glb\":{\"url\":\"https://f/a.glb?x=.stl\"}}", "https://f/a.glb?x=.stl", "glb",
         1},
        {"{\"thumb\":{\"url\":\"https://f/t.png\"},\"model_urls\":{\"obj\":{\"url\":"
         "\"https://f/a.obj\"},\"glb\":{\"url\":\"https://f/a.GLB\"}}}",
         "https://f/a.GLB", "glb", 3},
        {"[\"https://f/1.png\",\"https://f/2.stl\"]", "https://f/2.stl", "stl", 2},
        {"\"https://f/out\"", "https://f/out", "", 1},
        {"{\"file\":{\"url\":\"https://f/7\",\"content_type\":\"model/gltf-binary\"}}",
         "https://f/7", "glb", 1},
        {"{\"file\":{\"url\":\"https://f/7\",\"file_name\":\"m.3mf\"},\"x\":\"https://f/8\"}",
         "https://f/7", "3mf", 2},
        {"{\"a\":\"https://f/1\",\"b\":\"https://f/2\"}", NULL, NULL, 0},
        {"{\"a\":\"ftp://f/a.glb\",\"b\":\"/a.glb\",\"c\":\"https:///a.glb\"}", NULL, NULL, 0},
        {"{\"image\":{\"url\":\"https://f/a.png\"}}", NULL, NULL, 0},
        {"{}", NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct provider_reading r =
            read_as("replicate", OP_CANCEL, NULL, answer_text(200, "{}")); /* an empty reading */
        cJSON *output = cJSON_Parse(cases[i].output);
        CHECK_OK(reading_add_output(&r, output, &err));
        CHECK(r.file_count == cases[i].files);
        if (cases[i].url) {
            CHECK_TEXT(r.files[0].url, cases[i].url);
            CHECK_TEXT(r.files[0].kind, "model");
            CHECK_TEXT(r.files[0].format, cases[i].format);
        }
        cJSON_Delete(output);
        provider_reading_free(&r);
    }
    CHECK_READ(IT, OP_RESULTS, NULL, 200, "{\"seed\":1}", TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO);
}

/* A hostile output costs no more than its first 16 files and 12 levels. */
static void test_fal__looks_only_so_far_into_an_output(void)
{
    struct provider_reading r = {0};
    cJSON *list = cJSON_CreateArray(), *deep = cJSON_CreateString("https://f/a.glb");
    for (int i = 0; i < 100; i++) {
        char url[60];
        snprintf(url, sizeof url, "https://f/%d.glb", i);
        cJSON_AddItemToArray(list, cJSON_CreateString(url));
    }
    for (int i = 0; i < 13; i++) {
        cJSON *outer = cJSON_CreateArray();
        cJSON_AddItemToArray(outer, deep);
        deep = outer;
    }
    CHECK_OK(reading_add_output(&r, list, &err));
    CHECK(r.file_count == 16);
    provider_reading_free(&r);
    CHECK_OK(reading_add_output(&r, deep, &err));
    CHECK(r.file_count == 0);
    cJSON_Delete(list);
    cJSON_Delete(deep);
}

/* --- pushes --- */

/* The recorded push and key, with changes. */
struct push_case {
    cJSON *exchange, *keys, *headers;
    char *body;
};

static bool push_open(struct push_case *c)
{
    *c = (struct push_case){.exchange = exchange_read("fal", "17_webhook_ok")};
    cJSON *keys = exchange_read("fal", "16_jwks"), *header;
    if (!c->exchange || !keys)
        return false;
    c->keys = cJSON_Duplicate(json_get(json_get(keys, "response"), "body"), 1);
    c->headers = cJSON_Duplicate(json_get(json_get(c->exchange, "request"), "headers"), 1);
    c->body = strdup(json_text(json_get(c->exchange, "request"), "body_raw", ""));
    cJSON_ArrayForEach (header, c->headers)
        for (char *at = header->string; *at; at++)
            *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    cJSON_Delete(keys);
    return true;
}

static void push_close(struct push_case *c)
{
    cJSON_Delete(c->exchange);
    cJSON_Delete(c->keys);
    cJSON_Delete(c->headers);
    free(c->body);
}

static enum push_trust trust_of(const struct push_case *c, int64_t now_s, const cJSON *keys)
{
    struct provider_push push;
    const struct provider_pushed pushed = {.headers = c->headers,
                                           .body = (const uint8_t *)c->body,
                                           .bytes = strlen(c->body),
                                           .now_s = now_s,
                                           .keys = keys};
    if (provider_find(IT)->push_read(&push, &pushed, &err))
        abort();
    enum push_trust trust = push.trust;
    if (trust == PUSH_INVALID && (*push.reading.task || push.reading.file_count))
        abort(); /* nothing of it may be believed */
    provider_push_free(&push);
    return trust;
}

static void test_fal__believes_a_signed_push_and_no_other(void)
{
    struct push_case c;
    if (!push_open(&c))
        SKIP("no transcripts");
    CHECK(trust_of(&c, NOW, c.keys) == PUSH_VALID);
    CHECK(trust_of(&c, NOW + 300, c.keys) == PUSH_VALID);
    CHECK(trust_of(&c, NOW + 301, c.keys) == PUSH_INVALID);
    CHECK(trust_of(&c, NOW - 301, c.keys) == PUSH_INVALID);
    CHECK(trust_of(&c, NOW, NULL) == PUSH_INVALID);
    c.body[3] ^= 1;
    CHECK(trust_of(&c, NOW, c.keys) == PUSH_INVALID);
    c.body[3] ^= 1;
    cJSON_ReplaceItemInObject(c.headers, "x-fal-webhook-user-id", cJSON_CreateString("other"));
    CHECK(trust_of(&c, NOW, c.keys) == PUSH_INVALID);
    cJSON_DeleteItemFromObject(c.headers, "x-fal-webhook-signature");
    CHECK(trust_of(&c, NOW, c.keys) == PUSH_INVALID);
    push_close(&c);
}

/* Keys are changed: the one that signed may be the second of the list, beside broken ones. */
static void test_fal__tries_all_keys_for_a_push(void)
{
    struct push_case c;
    if (!push_open(&c))
        SKIP("no transcripts");
    cJSON *keys = cJSON_Parse("{\"keys\":[{\"x\":\"!\"},7,{\"x\":\"NVk9\"}]}");
    cJSON *list = cJSON_GetObjectItem(keys, "keys");
    CHECK(trust_of(&c, NOW, keys) == PUSH_INVALID);
    cJSON_AddItemToArray(list, cJSON_Duplicate(cJSON_GetArrayItem(json_get(c.keys, "keys"), 0), 1));
    CHECK(trust_of(&c, NOW, keys) == PUSH_VALID);
    cJSON_Delete(keys);
    push_close(&c);
}

TESTS(TEST(test_fal__builds_the_recorded_requests),
      TEST(test_fal__uses_a_tasks_own_addresses_on_its_own_host_only),
      TEST(test_fal__does_not_follow_a_kept_address_to_another_host),
      TEST(test_fal__streams_beside_the_status), TEST(test_fal__refuses_a_model_that_is_no_path),
      TEST(test_fal__names_the_input_as_the_model_does_or_as_told),
      TEST(test_fal__takes_a_prompt_where_the_model_does),
      TEST(test_fal__is_in_doubt_without_a_task),
      TEST(test_fal__puts_a_photo_where_the_storage_said),
      TEST(test_fal__puts_a_photo_nowhere_else), TEST(test_fal__has_a_second_host_for_its_storage),
      TEST(test_fal__knows_an_empty_balance_from_a_wrong_key),
      TEST(test_fal__knows_a_models_failure_from_trouble_on_the_way),
      TEST(test_fal__a_status_of_tomorrow_still_runs),
      TEST(test_fal__finds_the_model_in_any_output),
      TEST(test_fal__looks_only_so_far_into_an_output),
      TEST(test_fal__believes_a_signed_push_and_no_other),
      TEST(test_fal__tries_all_keys_for_a_push))
