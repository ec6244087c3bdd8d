/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/provider/stability.c: one paid call, and what may be believed of its end. */
#include "tests/test.h"

static struct err err;

#include "tests/intake/judged.h"

#define IT "stability"

static const struct provider_settings keyed = {.api_key = "sk-EXAMPLE"};

static struct generation_spec photo(void)
{
    return (struct generation_spec){
        .images[VIEW_FRONT] = {recorded_photo, sizeof recorded_photo, "image/png", NULL},
        .seed = 0};
}

static void test_stability__builds_the_recorded_requests(void)
{
    struct generation_spec spec = photo();
    cJSON *options =
        cJSON_Parse("{\"remesh\":\"triangle\",\"target_type\":\"vertex\",\"target_count\":5000}");
    struct provider_call call = {.settings = &keyed, .spec = &spec};
    CHECK_RECORDED(IT, OP_SUBMIT, &call, "stability", "01_sf3d_success");
    CHECK_RECORDED(IT, OP_BALANCE, &call, "stability", "11_balance");
    spec.model = "stable-point-aware-3d";
    spec.passthrough = options;
    CHECK_RECORDED(IT, OP_SUBMIT, &call, "stability", "02_spar3d_success");
    cJSON_Delete(options);
}

static void test_stability__turns_a_limit_of_faces_into_its_own_fields(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    const struct provider_call call = {.settings = &keyed, .spec = &spec};
    spec.face_limit = 20000;
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_TEXT(json_text(request.form, "vertex_count", ""), "10000");
    CHECK_TEXT(json_text(request.form, "remesh", ""), "triangle");
    http_request_free(&request);
    spec.model = "stable-point-aware-3d";
    spec.face_limit = 1000000;
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_TEXT(json_text(request.form, "target_type", ""), "face");
    CHECK_TEXT(json_text(request.form, "target_count", ""), "20000");
    http_request_free(&request);
}

static void test_stability__refuses_another_service_and_a_photo_too_large(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    const struct provider_call call = {.settings = &keyed, .spec = &spec};
    spec.model = "../v1/user/balance";
    CHECK_FAILS(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
    spec.model = NULL;
    spec.images[VIEW_FRONT].bytes = (size_t)11 << 20; /* refused before a byte is looked at */
    CHECK_FAILS(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
}

/* Nothing can be asked later, so what may have been paid for is never sent again by itself. */
static void test_stability__is_in_doubt_where_it_may_have_been_paid(void)
{
    uint8_t half[12];
    memcpy(half, small_glb, 12);
    half[8] = 200;
    struct provider_reading r = read_as(IT, OP_SUBMIT, NULL, answer_with(200, half, 12));
    CHECK(is_read(&r, TASK_UNKNOWN, PROVIDER_SERVER, RETRY_RECONCILE) && r.model.len == 0);
    r = read_as(IT, OP_SUBMIT, NULL, (struct http_answer){.sent = true, .retry_after_s = -1});
    CHECK(is_read(&r, TASK_UNKNOWN, PROVIDER_SERVER, RETRY_RECONCILE));
    CHECK_READ(IT, OP_SUBMIT, NULL, 502, "<html>", TASK_UNKNOWN, PROVIDER_SERVER, RETRY_RECONCILE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 500, "oops", TASK_UNKNOWN, PROVIDER_SERVER, RETRY_RECONCILE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 200, "<html>", TASK_UNKNOWN, PROVIDER_PROTOCOL,
               RETRY_RECONCILE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 200, "", TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_RECONCILE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 200, "{\"name\":\"internal_error\"}", TASK_UNKNOWN,
               PROVIDER_PROTOCOL, RETRY_RECONCILE);
    r = read_as(IT, OP_SUBMIT, NULL, (struct http_answer){.sent = false, .retry_after_s = -1});
    CHECK(is_read(&r, TASK_QUEUED, PROVIDER_SERVER, RETRY_YES));
}

static void test_stability__sends_again_what_the_service_itself_could_not_make(void)
{
    struct provider_reading r = read_as(
        IT, OP_SUBMIT, NULL,
        answer_text(500, "{\"id\":\"a1b2\",\"name\":\"internal_error\",\"errors\":[\"sorry\"]}"));
    CHECK(is_read(&r, TASK_QUEUED, PROVIDER_SERVER, RETRY_YES));
    CHECK_TEXT(r.trace, "a1b2");
    CHECK_TEXT(r.code, "internal_error");
    CHECK_TEXT(r.message, "sorry");
    provider_reading_free(&r);
}

static void test_stability__knows_a_refused_picture_from_a_refused_key(void)
{
    CHECK_READ(IT, OP_SUBMIT, NULL, 403, "{\"name\":\"content_moderation\",\"errors\":[\"x\"]}",
               TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO);
    CHECK_READ(IT, OP_SUBMIT, NULL, 403,
               "{\"name\":\"forbidden\",\"errors\":[\"flagged by our content moderation\"]}",
               TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO);
    CHECK_READ(IT, OP_SUBMIT, NULL, 403, "{\"name\":\"permission_denied\",\"errors\":[\"key\"]}",
               TASK_FAILED, PROVIDER_AUTH, RETRY_OPERATOR);
}

static void test_stability__waits_a_minute_unless_told_otherwise(void)
{
    struct provider_reading r =
        read_as(IT, OP_SUBMIT, NULL, answer_text(429, "{\"name\":\"rate_limit_exceeded\"}"));
    CHECK(r.error == PROVIDER_RATE);
    CHECK_NEAR(r.retry_after_s, 60, 0);
    struct http_answer told = answer_text(429, "");
    told.retry_after_s = 5;
    r = read_as(IT, OP_SUBMIT, NULL, told);
    CHECK_NEAR(r.retry_after_s, 5, 0);
}

static void test_stability__a_balance_is_a_number_of_credits(void)
{
    struct provider_reading r =
        read_as(IT, OP_BALANCE, NULL, answer_text(200, "{\"credits\":987.5}"));
    CHECK_NEAR(r.balance, 987.5, 0);
    CHECK_READ(IT, OP_BALANCE, NULL, 200, "{\"credits\":\"many\"}", TASK_UNKNOWN, PROVIDER_PROTOCOL,
               RETRY_NO);
    CHECK_READ(IT, OP_BALANCE, NULL, 500, "{\"name\":\"x\"}", TASK_QUEUED, PROVIDER_SERVER,
               RETRY_YES);
}

TESTS(TEST(test_stability__builds_the_recorded_requests),
      TEST(test_stability__turns_a_limit_of_faces_into_its_own_fields),
      TEST(test_stability__refuses_another_service_and_a_photo_too_large),
      TEST(test_stability__is_in_doubt_where_it_may_have_been_paid),
      TEST(test_stability__sends_again_what_the_service_itself_could_not_make),
      TEST(test_stability__knows_a_refused_picture_from_a_refused_key),
      TEST(test_stability__waits_a_minute_unless_told_otherwise),
      TEST(test_stability__a_balance_is_a_number_of_credits))
