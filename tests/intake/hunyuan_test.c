/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/provider/hunyuan3d2.c: both self-hosted Hunyuan3D servers, recorded and made-up. */
#include "tests/test.h"

static struct err err;

#include "tests/intake/judged.h"

#define TWO "hunyuan3d2"
#define TWO_ONE "hunyuan3d21"
#define UID "2f1c7c1e-8a44-4d0b-9a3e-5b6c7d8e9f00"

static struct generation_spec photo(void)
{
    return (struct generation_spec){
        .images[VIEW_FRONT] = {recorded_photo, sizeof recorded_photo, "image/jpeg", NULL},
        .seed = 1234};
}

static int submit(struct http_request *out, const char *driver,
                  const struct provider_settings *settings, const struct generation_spec *spec)
{
    const struct provider_call call = {.settings = settings, .spec = spec};
    return provider_find(driver)->request(out, OP_SUBMIT, &call, &err);
}

static double sent_number(const struct http_request *request, const char *name)
{
    cJSON *body = NULL;
    if (json_parse(&body, request->body.data, request->body.len, &err))
        abort();
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, name);
    double number = cJSON_IsBool(value) ? cJSON_IsTrue(value) : json_number(body, name, -1);
    cJSON_Delete(body);
    return number;
}

static void test_hunyuan3d2__builds_the_recorded_requests(void)
{
    struct generation_spec spec = photo();
    struct provider_settings settings = {.base_url = ""};
    struct provider_call call = {.settings = &settings, .spec = &spec, .task = UID};
    CHECK_RECORDED(TWO, OP_SUBMIT, &call, "hunyuan3d2", "01_generate_sync_glb");
    CHECK_RECORDED(TWO, OP_POLL, &call, "hunyuan3d2", "06_status_processing");
    CHECK_RECORDED(TWO, OP_HEALTH, &call, "hunyuan3d2", "09_status_unknown_uid");
    settings.prefer_async = spec.texture = true;
    spec.face_limit = 40000;
    CHECK_RECORDED(TWO, OP_SUBMIT, &call, "hunyuan3d2", "05_send_async");
}

static void test_hunyuan3d21__builds_the_recorded_requests(void)
{
    struct generation_spec spec = photo();
    struct provider_settings settings = {.base_url = ""};
    struct provider_call call = {.settings = &settings, .spec = &spec, .task = UID};
    spec.texture = true;
    CHECK_RECORDED(TWO_ONE, OP_SUBMIT, &call, "hunyuan3d21", "02_generate_sync");
    CHECK_RECORDED(TWO_ONE, OP_POLL, &call, "hunyuan3d21", "07_status_processing");
    CHECK_RECORDED(TWO_ONE, OP_HEALTH, &call, "hunyuan3d21", "01_health");
    settings.prefer_async = true;
    CHECK_RECORDED(TWO_ONE, OP_SUBMIT, &call, "hunyuan3d21", "05_send_async");
}

static void test_hunyuan3d2__reads_the_task_of_send(void)
{
    struct provider_reading r =
        read_as(TWO, OP_SUBMIT, NULL, answer_text(200, "{\"uid\":\"2f1c7c1e-8a44\"}"));
    CHECK(r.state == TASK_RUNNING && r.error == PROVIDER_OK);
    CHECK_TEXT(r.task, "2f1c7c1e-8a44");
    provider_reading_free(&r);
}

static void test_hunyuan3d2__refuses_a_uid_that_would_change_the_address(void)
{
    struct http_request request;
    struct provider_settings settings = {.base_url = ""};
    CHECK_READ(TWO, OP_SUBMIT, NULL, 200, "{\"uid\":\"../../generate\"}", TASK_FAILED,
               PROVIDER_PROTOCOL, RETRY_NO);
    const struct provider_call call = {.settings = &settings, .task = "../x"};
    CHECK_FAILS(provider_find(TWO)->request(&request, OP_POLL, &call, &err), ERR_INPUT);
    CHECK_FAILS(provider_find(TWO_ONE)->request(&request, OP_POLL, &call, &err), ERR_INPUT);
}

static void test_hunyuan3d2__knows_a_lost_answer_from_a_request_that_never_left(void)
{
    struct http_answer lost = {.sent = true, .retry_after_s = -1};
    struct provider_reading r = read_as(TWO, OP_SUBMIT, NULL, lost);
    CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE);
    lost.sent = false;
    r = read_as(TWO, OP_SUBMIT, NULL, lost);
    CHECK(r.state == TASK_QUEUED && r.retry == RETRY_YES);
}

static void test_hunyuan3d2__never_resends_what_a_proxy_gave_up_on(void)
{
    CHECK_READ(TWO, OP_SUBMIT, NULL, 504, "Gateway Time-out", TASK_UNKNOWN, PROVIDER_SERVER,
               RETRY_RECONCILE);
    CHECK_READ(TWO_ONE, OP_SUBMIT, NULL, 502, "<html>", TASK_UNKNOWN, PROVIDER_SERVER,
               RETRY_RECONCILE);
    CHECK_READ(TWO_ONE, OP_SUBMIT, NULL, 500, "Internal Server Error", TASK_UNKNOWN,
               PROVIDER_SERVER, RETRY_RECONCILE);
}

static void test_hunyuan3d2__says_what_common_statuses_mean(void)
{
    struct http_answer busy = answer_text(503, "busy");
    busy.retry_after_s = 7;
    struct provider_reading r = read_as(TWO, OP_SUBMIT, NULL, busy);
    CHECK(r.state == TASK_QUEUED && r.retry == RETRY_YES);
    CHECK_NEAR(r.retry_after_s, 7, 0);
    CHECK_READ(TWO, OP_SUBMIT, NULL, 302, "", TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO);
    CHECK_READ(TWO, OP_SUBMIT, NULL, 401, "who are you", TASK_FAILED, PROVIDER_AUTH,
               RETRY_OPERATOR);
    CHECK_READ(TWO, OP_SUBMIT, NULL, 404, "{\"detail\":\"Not Found\"}", TASK_FAILED,
               PROVIDER_PROTOCOL, RETRY_OPERATOR);
    CHECK_READ(TWO, OP_SUBMIT, NULL, 200, "<html>\x01 hello</html>", TASK_FAILED, PROVIDER_PROTOCOL,
               RETRY_NO);
    CHECK_READ(TWO, OP_HEALTH, NULL, 200, "{\"status\":\"fine\"}", TASK_UNKNOWN, PROVIDER_PROTOCOL,
               RETRY_OPERATOR);
}

static void test_hunyuan3d2__asks_once_more_for_half_a_file(void)
{
    uint8_t half[12];
    memcpy(half, small_glb, 12);
    half[8] = 200;
    struct provider_reading r = read_as(TWO, OP_SUBMIT, NULL, answer_with(200, half, 12));
    CHECK(is_read(&r, TASK_FAILED, PROVIDER_SERVER, RETRY_ONCE));
    r = read_as(TWO, OP_SUBMIT, NULL, answer_with(200, small_glb, 12));
    CHECK(r.state == TASK_SUCCEEDED && r.model.len == 12);
    provider_reading_free(&r);
}

static void test_hunyuan3d2__polls_on_over_rubbish_but_not_over_an_error(void)
{
    CHECK_READ(TWO, OP_POLL, NULL, 200, "{\"status\":\"completed\",\"model_base64\":\"%%%\"}",
               TASK_RUNNING, PROVIDER_OK, RETRY_NO);
    CHECK_READ(TWO, OP_POLL, NULL, 200, "{\"status\":\"a word of tomorrow\"}", TASK_RUNNING,
               PROVIDER_OK, RETRY_NO);
    CHECK_READ(TWO, OP_POLL, NULL, 500, "{\"status\":\"error\",\"message\":\"x\"}", TASK_FAILED,
               PROVIDER_SERVER, RETRY_NEW_TASK);
}

static void test_hunyuan3d2__takes_free_options_but_never_another_photo(void)
{
    struct http_request request;
    struct provider_settings settings = {.base_url = "http://gpu:9/", .prefer_async = true};
    cJSON *body,
        *options = cJSON_Parse("{\"octree_resolution\":384,\"image\":\"x\",\"type\":\"obj\"}");
    struct generation_spec spec = {.images[VIEW_FRONT] = {.data = recorded_photo, .bytes = 12},
                                   .passthrough = options};
    CHECK_OK(submit(&request, TWO, &settings, &spec));
    CHECK_TEXT(request.url, "http://gpu:9/send");
    CHECK_OK(json_parse(&body, request.body.data, request.body.len, &err));
    CHECK_NEAR(json_number(body, "octree_resolution", 0), 384, 0);
    CHECK_TEXT(json_text(body, "image", ""), "/9j/4AAQSkZJRgAB");
    CHECK_TEXT(json_text(body, "type", ""), "glb");
    cJSON_Delete(body);
    cJSON_Delete(options);
    http_request_free(&request);
    spec.passthrough = NULL;
    spec.tool = "refine";
    CHECK_FAILS(submit(&request, TWO, &settings, &spec), ERR_INPUT);
    spec.tool = NULL;
    spec.images[VIEW_FRONT].bytes = 0;
    CHECK_FAILS(submit(&request, TWO, &settings, &spec), ERR_INPUT);
}

/* A value out of range would come back as a 422 after the upload; ours is refused before it. */
static void test_hunyuan3d21__keeps_the_servers_ranges(void)
{
    struct http_request request;
    struct provider_settings settings = {.base_url = ""};
    struct generation_spec spec = photo();
    cJSON *options = cJSON_Parse("{\"octree_resolution\":9999}");
    spec.passthrough = options;
    CHECK_FAILS(submit(&request, TWO_ONE, &settings, &spec), ERR_INPUT);
    cJSON_ReplaceItemInObject(options, "octree_resolution", cJSON_CreateString("512"));
    CHECK_FAILS(submit(&request, TWO_ONE, &settings, &spec), ERR_INPUT);
    cJSON_ReplaceItemInObject(options, "octree_resolution", cJSON_CreateNumber(512));
    spec.face_limit = 7;
    spec.seed = 4294967296 + 5;
    CHECK_OK(submit(&request, TWO_ONE, &settings, &spec));
    CHECK_NEAR(sent_number(&request, "octree_resolution"), 512, 0);
    CHECK_NEAR(sent_number(&request, "face_count"), 1000, 0);
    CHECK_NEAR(sent_number(&request, "seed"), 5, 0);
    http_request_free(&request);
    spec.face_limit = 2000000;
    spec.seed = -1;
    CHECK_OK(submit(&request, TWO_ONE, &settings, &spec));
    CHECK_NEAR(sent_number(&request, "face_count"), 100000, 0);
    CHECK_NEAR(sent_number(&request, "seed"), -1, 0); /* not sent */
    http_request_free(&request);
    cJSON_Delete(options);
}

/* The server's async way is done only when there is a textured file too. */
static void test_hunyuan3d21__takes_the_untextured_model_of_an_untextured_wish(void)
{
    static const char both[] = "{\"status\":\"completed\","
                               "\"model_base64\":\"Z2xURgIAAAAQAAAAAAAAAA==\","
                               "\"initial_model_base64\":\"Z2xURgIAAAAMAAAA\"}";
    struct http_request request;
    struct provider_settings settings = {.prefer_async = true};
    struct generation_spec spec = photo();
    CHECK_OK(submit(&request, TWO_ONE, &settings, &spec));
    CHECK_NEAR(sent_number(&request, "texture"), 1, 0);
    http_request_free(&request);
    struct provider_call call = {.settings = &settings, .spec = &spec};
    struct provider_reading sent =
        read_as(TWO_ONE, OP_SUBMIT, &call, answer_text(200, "{\"uid\":\"" UID "\"}"));
    call = (struct provider_call){.settings = &settings, .task = sent.task, .aux = sent.aux};
    struct provider_reading r = read_as(TWO_ONE, OP_POLL, &call, answer_text(200, both));
    CHECK(r.state == TASK_SUCCEEDED && r.model.len == 12);
    provider_reading_free(&r);
    provider_reading_free(&sent);
    r = read_as(TWO_ONE, OP_POLL, NULL, answer_text(200, both));
    CHECK(r.state == TASK_SUCCEEDED && r.model.len == 16);
    provider_reading_free(&r);
    settings.prefer_async = false;
    CHECK_OK(submit(&request, TWO_ONE, &settings, &spec));
    CHECK_NEAR(sent_number(&request, "texture"), 0, 0);
    http_request_free(&request);
}

static void test_hunyuan3d21__says_which_value_was_refused(void)
{
    struct provider_reading r =
        read_as(TWO_ONE, OP_SUBMIT, NULL,
                answer_text(422, "{\"detail\":[{\"type\":\"less_than\",\"loc\":[\"body\",\"seed\"],"
                                 "\"msg\":\"too\\nlarge\"}]}"));
    CHECK(is_read(&r, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO));
    CHECK_TEXT(r.message, "seed: too large");
    CHECK_TEXT(r.code, "less_than");
    provider_reading_free(&r);
}

TESTS(TEST(test_hunyuan3d2__builds_the_recorded_requests),
      TEST(test_hunyuan3d21__builds_the_recorded_requests),
      TEST(test_hunyuan3d2__reads_the_task_of_send),
      TEST(test_hunyuan3d2__refuses_a_uid_that_would_change_the_address),
      TEST(test_hunyuan3d2__knows_a_lost_answer_from_a_request_that_never_left),
      TEST(test_hunyuan3d2__never_resends_what_a_proxy_gave_up_on),
      TEST(test_hunyuan3d2__says_what_common_statuses_mean),
      TEST(test_hunyuan3d2__asks_once_more_for_half_a_file),
      TEST(test_hunyuan3d2__polls_on_over_rubbish_but_not_over_an_error),
      TEST(test_hunyuan3d2__takes_free_options_but_never_another_photo),
      TEST(test_hunyuan3d21__keeps_the_servers_ranges),
      TEST(test_hunyuan3d21__takes_the_untextured_model_of_an_untextured_wish),
      TEST(test_hunyuan3d21__says_which_value_was_refused))
