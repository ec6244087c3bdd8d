/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake/provider/trellis.c: one job a server, no ids, a file that the next job overwrites. */
#include "tests/test.h"

static struct err err;

#include "tests/intake/judged.h"

#define IT "trellis"
#define DONE "{\"status\":\"COMPLETE\",\"progress\":100,\"model_url\":\"%s\"}"

static const struct provider_settings plain = {.base_url = ""};

static struct generation_spec photo(void)
{
    return (struct generation_spec){
        .images[VIEW_FRONT] = {recorded_photo, sizeof recorded_photo, "image/png", NULL},
        .seed = 1};
}

static void test_trellis__builds_the_recorded_requests(void)
{
    struct generation_spec spec = photo();
    struct provider_call call = {.settings = &plain, .spec = &spec};
    CHECK_RECORDED(IT, OP_SUBMIT, &call, "trellis_spz", "02_generate_no_preview");
    CHECK_RECORDED(IT, OP_POLL, &call, "trellis_spz", "05_status");
    CHECK_RECORDED(IT, OP_CANCEL, &call, "trellis_spz", "07_interrupt");
    CHECK_RECORDED(IT, OP_HEALTH, &call, "trellis_spz", "01_ping");
}

static void test_trellis__sends_all_views_to_the_call_for_many(void)
{
    struct http_request request;
    struct generation_spec spec = photo();
    cJSON *options = cJSON_Parse("{\"texture_size\":512,\"output_format\":\"gltf\"}");
    const struct provider_call call = {.settings = &plain, .spec = &spec};
    spec.images[VIEW_BACK] = spec.images[VIEW_FRONT];
    spec.passthrough = options;
    CHECK_OK(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err));
    CHECK_TEXT(request.url, "http://127.0.0.1:7960/generate_multi_no_preview");
    CHECK(request.file_count == 2);
    CHECK_TEXT(request.files[0].name, "file_list");
    CHECK_TEXT(request.files[1].name, "file_list");
    CHECK_TEXT(json_text(request.form, "texture_size", ""), "512");
    CHECK_TEXT(json_text(request.form, "output_format", ""), "glb");
    CHECK(request.total_s == 600);
    http_request_free(&request);
    cJSON_Delete(options);
    spec = (struct generation_spec){.images[VIEW_BACK] = spec.images[VIEW_BACK]};
    CHECK_FAILS(provider_find(IT)->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
}

static void test_trellis__takes_the_model_from_a_path_of_its_own_server_only(void)
{
    static const char *const wrong[] = {"http://10.0.0.1/x", "//10.0.0.1/x",         "model",
                                        "/../etc/passwd",    "/download/model?a=@b", "",
                                        "/download/mo del\n"};
    char text[200];
    snprintf(text, sizeof text, DONE, "/download/model");
    struct provider_reading r = read_as(IT, OP_SUBMIT, NULL, answer_text(200, text));
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 1);
    CHECK_TEXT(r.files[0].url, "/download/model");
    CHECK_TEXT(r.files[0].kind, "model");
    provider_reading_free(&r);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, DONE, wrong[i]);
        r = read_as(IT, OP_SUBMIT, NULL, answer_text(200, text));
        CHECK(r.state != TASK_SUCCEEDED && r.file_count == 0);
        provider_reading_free(&r);
    }
}

static void test_trellis__waits_while_the_server_is_busy(void)
{
    CHECK_READ(IT, OP_SUBMIT, NULL, 503, "{\"detail\":\"Server is busy with another generation\"}",
               TASK_QUEUED, PROVIDER_CONCURRENCY, RETRY_YES);
    CHECK_READ(IT, OP_SUBMIT, NULL, 500,
               "{\"detail\":\"503: Server is busy with another generation\"}", TASK_QUEUED,
               PROVIDER_CONCURRENCY, RETRY_YES);
    CHECK_READ(IT, OP_SUBMIT, NULL, 503, "<html>proxy</html>", TASK_QUEUED, PROVIDER_SERVER,
               RETRY_YES);
}

static void test_trellis__reads_the_inner_status_of_a_500(void)
{
    CHECK_READ(IT, OP_SUBMIT, NULL, 500, "{\"detail\":\"400: No input images provided\"}",
               TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO);
    CHECK_READ(IT, OP_SUBMIT, NULL, 500, "{\"detail\":\"CUDA out of memory\"}", TASK_FAILED,
               PROVIDER_SERVER, RETRY_ONCE);
    CHECK_READ(IT, OP_SUBMIT, NULL, 422,
               "{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"not a number\"}]}", TASK_FAILED,
               PROVIDER_BAD_INPUT, RETRY_NO);
    CHECK_READ(IT, OP_SUBMIT, NULL, 500, "Internal Server Error", TASK_UNKNOWN, PROVIDER_SERVER,
               RETRY_RECONCILE);
}

static void test_trellis__is_cancelled_by_an_interrupt_and_says_when_it_is_too_late(void)
{
    CHECK_READ(IT, OP_SUBMIT, NULL, 499, "{\"detail\":\"Generation cancelled by user\"}",
               TASK_CANCELLED, PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_CANCEL, NULL, 200, "{\"status\":\"interrupt_requested\"}", TASK_CANCELLED,
               PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_CANCEL, NULL, 200, "{\"status\":\"no_generation_in_progress\"}", TASK_RUNNING,
               PROVIDER_OK, RETRY_NO);
}

static void test_trellis__polls_the_servers_only_job(void)
{
    struct provider_reading r =
        read_as(IT, OP_POLL, NULL, answer_text(200, "{\"status\":\"COMPLETE\",\"busy\":false}"));
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 1);
    CHECK_TEXT(r.files[0].url, "/download/model");
    provider_reading_free(&r);
    CHECK_READ(IT, OP_POLL, NULL, 200, "{\"status\":\"FAILED\",\"busy\":false,\"message\":\"x\"}",
               TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK);
    CHECK_READ(IT, OP_POLL, NULL, 200, "{\"status\":\"FAILED\",\"busy\":true}", TASK_RUNNING,
               PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_POLL, NULL, 200, "{\"status\":\"PREVIEW_READY\",\"progress\":1e300}",
               TASK_RUNNING, PROVIDER_OK, RETRY_NO);
}

static void test_trellis__health_needs_its_own_words(void)
{
    CHECK_READ(IT, OP_HEALTH, NULL, 200, "{\"status\":\"running\",\"busy\":true}", TASK_SUCCEEDED,
               PROVIDER_OK, RETRY_NO);
    CHECK_READ(IT, OP_HEALTH, NULL, 200, "{\"hello\":1}", TASK_UNKNOWN, PROVIDER_PROTOCOL,
               RETRY_OPERATOR);
}

TESTS(TEST(test_trellis__builds_the_recorded_requests),
      TEST(test_trellis__sends_all_views_to_the_call_for_many),
      TEST(test_trellis__takes_the_model_from_a_path_of_its_own_server_only),
      TEST(test_trellis__waits_while_the_server_is_busy),
      TEST(test_trellis__reads_the_inner_status_of_a_500),
      TEST(test_trellis__is_cancelled_by_an_interrupt_and_says_when_it_is_too_late),
      TEST(test_trellis__polls_the_servers_only_job),
      TEST(test_trellis__health_needs_its_own_words))
