/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/provider/replicate.c: predictions of other people's models, their list, signed pushes. */
#include "tests/test.h"

static struct err err;

#include "base/hash.h"
#include "tests/intake/judged.h"

#define IT "replicate"
#define VERSION "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NOW 1795166200 /* of the recorded push */

static const struct provider_settings keyed = {.api_key = "r8_EXAMPLE"};

static struct generation_spec photo(void)
{
    return (struct generation_spec){.images[VIEW_FRONT] = {recorded_photo, sizeof recorded_photo,
                                                           "image/jpeg",
                                                           "https://shop.example/i/abc.png"},
                                    .seed = -1};
}

static void test_replicate__builds_the_recorded_requests(void)
{
    struct generation_spec spec = photo();
    struct provider_call call = {
        .settings = &keyed, .spec = &spec, .task = "exampleq2w3e4r5t6y7u8i9o0p"};
    cJSON *options =
        cJSON_Parse("{\"image_input\":\"images[]\",\"texture_size\":1024,"
                    "\"mesh_simplify\":0.95,\"generate_model\":true,\"version\":\"" VERSION "\"}");
    spec.passthrough = options;
    CHECK_RECORDED(IT, OP_SUBMIT, &call, "replicate", "02_submit_prefer_wait");
    spec.push_url = "https://shop.example/webhooks/replicate";
    spec.model = VERSION;
    CHECK_RECORDED(IT, OP_SUBMIT, &call, "replicate", "01_submit");
    CHECK_RECORDED(IT, OP_POLL, &call, "replicate", "03_poll_processing");
    CHECK_RECORDED(IT, OP_CANCEL, &call, "replicate", "15_cancel");
    CHECK_RECORDED(IT, OP_KEYS, &call, "replicate", "17_webhook_secret");
    cJSON_Delete(options);
}

static void test_replicate__takes_a_model_by_version_by_name_or_by_both(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    const struct provider_call call = {.settings = &keyed, .spec = &spec};
    cJSON *body = NULL;
    spec.model = "owner/thing:" VERSION;
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_TEXT(request.url, "https://api.replicate.com/v1/predictions");
    CHECK_OK(json_parse(&body, request.body.data, request.body.len, &err));
    CHECK_TEXT(json_text(body, "version", ""), VERSION);
    CHECK_TEXT(json_text(json_get(body, "input"), "image", ""), "https://shop.example/i/abc.png");
    cJSON_Delete(body);
    http_request_free(&request);
    spec.model = "owner/thing";
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_TEXT(request.url, "https://api.replicate.com/v1/models/owner/thing/predictions");
    CHECK_OK(json_parse(&body, request.body.data, request.body.len, &err));
    CHECK(!json_text(body, "version", NULL));
    cJSON_Delete(body);
    http_request_free(&request);
}

static void test_replicate__sends_all_views_as_data_to_the_model_it_takes_by_itself(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    const struct provider_call call = {.settings = &keyed, .spec = &spec};
    cJSON *body = NULL;
    spec.images[VIEW_FRONT].token = NULL;
    spec.images[VIEW_BACK] = spec.images[VIEW_FRONT];
    spec.seed = 7;
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_OK(json_parse(&body, request.body.data, request.body.len, &err));
    const cJSON *input = json_get(body, "input"), *images = json_get(input, "images");
    CHECK(cJSON_GetArraySize(images) == 2 && strlen(json_text(body, "version", "")) == 64);
    CHECK_TEXT(cJSON_GetArrayItem(images, 1)->valuestring,
               "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD");
    CHECK(!json_bool(input, "randomize_seed", true) && json_number(input, "seed", 0) == 7);
    CHECK(json_bool(input, "generate_model", false));
    cJSON_Delete(body);
    http_request_free(&request);
}

static void test_replicate__refuses_what_is_no_model_and_no_task(void)
{
    static const char *const wrong[] = {"a/b/c", "/b", "a/", "a b", "../x", "a/..", "a?b", "a/b#c"};
    struct http_request request;
    struct generation_spec spec = photo();
    struct provider_call call = {.settings = &keyed, .spec = &spec, .task = "../models"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spec.model = wrong[i];
        CHECK_FAILS(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
    }
    CHECK_FAILS(provider_find(IT)->request(&request, OP_POLL, &call, &err), ERR_INPUT);
    CHECK_FAILS(provider_find(IT)->request(&request, OP_CANCEL, &call, &err), ERR_INPUT);
    call.page = 1;
    CHECK_FAILS(provider_find(IT)->request(&request, OP_RECENT, &call, &err), ERR_INPUT);
}

#define DONE(output)                                                                               \
    "{\"id\":\"p1\",\"status\":\"succeeded\",\"created_at\":\"2026-11-20T09:15:02.993Z\","         \
    "\"version\":\"v\",\"output\":" output "}"

static void test_replicate__takes_a_model_out_of_any_output(void)
{
    static const char *const outputs[] = {
        DONE("\"https://replicate.delivery/x/model.glb\""),
        DONE("[\"https://replicate.delivery/x/a.png\",\"https://replicate.delivery/x/model.glb\"]"),
        DONE("{\"video\":null,\"mesh\":\"https://replicate.delivery/x/model.glb\"}")};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        struct provider_reading r = read_as(IT, OP_POLL, NULL, answer_text(200, outputs[i]));
        CHECK(r.state == TASK_SUCCEEDED && r.file_count >= 1);
        CHECK_TEXT(r.files[0].url, "https://replicate.delivery/x/model.glb");
        CHECK_TEXT(r.files[0].kind, "model");
        CHECK(r.created_s == 1795166102);
        CHECK_TEXT(r.model_version, "v");
        provider_reading_free(&r);
    }
    CHECK_READ(IT, OP_POLL, NULL, 200, DONE("null"), TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO);
    CHECK_READ(IT, OP_POLL, NULL, 200, DONE("{\"image\":\"https://r/a.png\"}"), TASK_FAILED,
               PROVIDER_PROTOCOL, RETRY_NO);
}

/* The input echoes our own addresses, which must not be taken for a result. */
static void test_replicate__does_not_take_its_input_for_its_output(void)
{
    CHECK_READ(IT, OP_POLL, NULL, 200,
               "{\"id\":\"p1\",\"status\":\"succeeded\",\"data_removed\":true,"
               "\"input\":{\"mesh\":\"https://shop.example/a.glb\"},\"output\":null}",
               TASK_EXPIRED, PROVIDER_URL_EXPIRED, RETRY_NEW_TASK);
}

static void test_replicate__reads_states_that_are_rare_or_new(void)
{
    CHECK_READ(IT, OP_POLL, NULL, 200, "{\"id\":\"p1\",\"status\":\"aborted\"}", TASK_CANCELLED,
               PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_POLL, NULL, 200, "{\"id\":\"p1\",\"status\":\"dreaming\"}", TASK_RUNNING,
               PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_POLL, NULL, 200, "{\"id\":7,\"status\":{\"a\":1}}", TASK_RUNNING, PROVIDER_OK,
               RETRY_NO);
    CHECK_READ(IT, OP_SUBMIT, NULL, 201, "{\"id\":\"a/../b\",\"status\":\"starting\"}",
               TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_RECONCILE);
    CHECK_READ(IT, OP_CANCEL, NULL, 200, DONE("\"https://r/a.glb\""), TASK_RUNNING, PROVIDER_OK,
               RETRY_NO);
}

static double told_wait(const char *words, const char *reset, double after)
{
    struct http_answer answer = answer_text(429, words);
    answer.headers = cJSON_CreateObject();
    if (reset)
        cJSON_AddStringToObject(answer.headers, "ratelimit-reset", reset);
    answer.retry_after_s = after;
    struct provider_reading r = read_as(IT, OP_SUBMIT, NULL, answer);
    return r.error == PROVIDER_RATE && r.retry == RETRY_YES ? r.retry_after_s : -2;
}

static void test_replicate__finds_out_how_long_to_wait(void)
{
    static const char words[] =
        "{\"detail\":\"Request was throttled. Your rate limit resets in ~45s.\"}";
    CHECK_NEAR(told_wait(words, NULL, -1), 45, 0);
    CHECK_NEAR(told_wait(words, "30", -1), 30, 0);
    CHECK_NEAR(told_wait(words, "30", 9), 9, 0);
    CHECK_NEAR(told_wait("{\"detail\":\"wait\"}", NULL, -1), -1, 0);
    CHECK_NEAR(told_wait("{\"detail\":\"resets in soon\"}", "nan", -1), -1, 0);
    CHECK_NEAR(told_wait("{}", "1e300", -1), -1, 0);
}

static void test_replicate__says_why_in_its_words(void)
{
    struct provider_reading r = read_as(
        IT, OP_SUBMIT, NULL,
        answer_text(422, "{\"title\":\"Input validation failed\",\"detail\":\"- input: images is "
                         "required\\n\",\"status\":422}"));
    CHECK(is_read(&r, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO));
    CHECK_TEXT(r.code, "Input validation failed");
    CHECK_TEXT(r.message, "- input: images is required ");
}

static void test_replicate__lists_its_newest_tasks(void)
{
    struct provider_reading r = read_as(
        IT, OP_RECENT, NULL,
        answer_text(200, "{\"next\":null,\"results\":[" DONE(
                             "\"https://r/a.glb\"") ","
                                                    "{\"id\":\"p2\",\"status\":\"processing\","
                                                    "\"created_at\":\"soon\"},7]}"));
    CHECK(r.error == PROVIDER_OK && r.many_count == 3);
    CHECK_TEXT(r.many[0].task, "p1");
    CHECK(r.many[0].created_s == 1795166102 && r.many[0].state == TASK_SUCCEEDED);
    CHECK(r.many[1].state == TASK_RUNNING && r.many[1].created_s == 0);
    CHECK(!*r.many[2].task);
    provider_reading_free(&r);
    CHECK_READ(IT, OP_RECENT, NULL, 200, "{}", TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO);
}

/* --- pushes, signed here with the key of 32 bytes that the secret is in base64 --- */

#define KEY "0123456789abcdef0123456789abcdef"
#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

static cJSON *signed_headers(const char *time, const char *body, const char *before)
{
    uint8_t mac[HMAC_SHA256_BYTES];
    char text[50], value[200];
    const struct hash_part parts[] = {
        {"msg_1.", 6}, {time, strlen(time)}, {".", 1}, {body, strlen(body)}};
    hmac_sha256(mac, KEY, 32, parts, 4);
    base64_encode(text, mac, sizeof mac);
    snprintf(value, sizeof value, "%sv1,%s", before, text);
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "webhook-id", "msg_1");
    cJSON_AddStringToObject(headers, "webhook-timestamp", time);
    cJSON_AddStringToObject(headers, "webhook-signature", value);
    return headers;
}

static enum push_trust trust_of(cJSON *headers, const char *body, const char *secret,
                                const cJSON *keys)
{
    struct provider_push push;
    const struct provider_pushed pushed = {.headers = headers,
                                           .body = (const uint8_t *)body,
                                           .bytes = strlen(body),
                                           .now_s = NOW,
                                           .secret = secret,
                                           .keys = keys};
    if (provider_find(IT)->push_read(&push, &pushed, &err))
        abort();
    enum push_trust trust = push.trust;
    bool taken = strcmp(push.reading.task, "p1") == 0 && strcmp(push.delivery, "msg_1") == 0;
    if (taken != (trust == PUSH_VALID))
        abort();
    provider_push_free(&push);
    cJSON_Delete(headers);
    return trust;
}

static void test_replicate__believes_a_signed_push_and_no_other(void)
{
    static const char body[] = "{\"id\":\"p1\",\"status\":\"processing\"}", now[] = "1795166200";
    cJSON *keys = cJSON_Parse("{\"key\":\"" SECRET "\"}");
    CHECK(trust_of(signed_headers(now, body, ""), body, SECRET, NULL) == PUSH_VALID);
    CHECK(trust_of(signed_headers(now, body, ""), body, NULL, keys) == PUSH_VALID);
    CHECK(trust_of(signed_headers(now, body, "v1,AAAA v2,x "), body, SECRET, NULL) == PUSH_VALID);
    CHECK(trust_of(signed_headers(now, body, "x"), body, SECRET, NULL) == PUSH_INVALID);
    CHECK(trust_of(signed_headers(now, body, ""), body, NULL, NULL) == PUSH_INVALID);
    CHECK(trust_of(signed_headers(now, body, ""), body, "", NULL) == PUSH_INVALID);
    CHECK(trust_of(signed_headers(now, body, ""), body, "whsec_", NULL) == PUSH_INVALID);
    CHECK(trust_of(signed_headers(now, "other", ""), body, SECRET, NULL) == PUSH_INVALID);
    CHECK(trust_of(signed_headers("1795165899", body, ""), body, SECRET, NULL) == PUSH_INVALID);
    CHECK(trust_of(cJSON_CreateObject(), body, SECRET, NULL) == PUSH_INVALID);
    cJSON_Delete(keys);
}

TESTS(TEST(test_replicate__builds_the_recorded_requests),
      TEST(test_replicate__takes_a_model_by_version_by_name_or_by_both),
      TEST(test_replicate__sends_all_views_as_data_to_the_model_it_takes_by_itself),
      TEST(test_replicate__refuses_what_is_no_model_and_no_task),
      TEST(test_replicate__takes_a_model_out_of_any_output),
      TEST(test_replicate__does_not_take_its_input_for_its_output),
      TEST(test_replicate__reads_states_that_are_rare_or_new),
      TEST(test_replicate__finds_out_how_long_to_wait), TEST(test_replicate__says_why_in_its_words),
      TEST(test_replicate__lists_its_newest_tasks),
      TEST(test_replicate__believes_a_signed_push_and_no_other))
