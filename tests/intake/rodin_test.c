/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver for Hyper3D Rodin on recorded requests and on answers made up here. */
#include "tests/intake/exchange.h"

#define TASK "0b8f7a1e-5c2d-4e3f-8091-a2b3c4d5e6f7"
#define KEY "eyJhbGciOi.EXAMPLE.sub"

static struct err err;
static const struct provider_settings settings = {.api_key = "RODIN_EXAMPLE"};

static const struct provider_driver *driver(void)
{
    return provider_find("rodin");
}

static int ask(struct http_request *out, const struct generation_spec *spec)
{
    const struct provider_call call = {.settings = &settings, .spec = spec};
    return driver()->request(out, OP_SUBMIT, &call, &err);
}

static struct provider_reading read_op(enum provider_op op, int status, const char *text)
{
    const struct provider_call call = {.settings = &settings, .task = TASK, .aux = KEY};
    return read_made_up(driver(), op, &call, status, text, NULL);
}

/* --- requests --- */

static void test_rodin__builds_the_recorded_form(void)
{
    cJSON *exchange = exchange_read("rodin", "01_submit");
    const struct generation_spec spec = {
        .images[VIEW_FRONT] = PHOTO, .texture = true, .seed = 1234};
    struct http_request request;
    int fields = 0;
    if (!exchange)
        SKIP("no transcripts");
    CHECK_OK(ask(&request, &spec));
    CHECK(!request_differs(&request, exchange, ""));
    const cJSON *part, *body = json_get(json_get(exchange, "request"), "body");
    cJSON_ArrayForEach (part, json_get(body, "$multipart")) {
        const char *name = json_text(part, "name", ""), *value = json_text(part, "value", NULL);
        if (value) {
            CHECK_TEXT(json_text(request.form, name, "missing"), value);
            fields++;
        } else {
            CHECK_TEXT(request.files[0].name, name);
            CHECK_TEXT(request.files[0].mime, json_text(part, "content_type", ""));
        }
    }
    CHECK(fields == cJSON_GetArraySize(request.form) && request.file_count == 1);
    CHECK(request.body.len == 0);
    http_request_free(&request);
    cJSON_Delete(exchange);
}

static void test_rodin__builds_the_recorded_questions(void)
{
    static const struct {
        const char *file;
        enum provider_op op;
    } rows[] = {{"02_poll_waiting", OP_POLL}, {"06_download_list", OP_RESULTS}};
    const struct provider_call call = {.settings = &settings, .task = TASK, .aux = KEY};
    for (size_t i = 0; i < 2; i++) {
        cJSON *exchange = exchange_read("rodin", rows[i].file);
        struct http_request request;
        if (!exchange)
            SKIP("no transcripts");
        CHECK_OK(driver()->request(&request, rows[i].op, &call, &err));
        CHECK(!request_differs(&request, exchange, ""));
        http_request_free(&request);
        cJSON_Delete(exchange);
    }
}

static void test_rodin__sends_all_views_front_first_and_keeps_transparency(void)
{
    static const uint8_t other[] = {1, 2, 3};
    cJSON *options = cJSON_Parse("{\"TAPose\":true,\"addons\":\"HighPack\",\"images\":\"x\","
                                 "\"prompt\":\"y\",\"quality_override\":99}");
    const struct generation_spec spec = {
        .images = {[VIEW_FRONT] = {.data = recorded_photo, .bytes = 24, .mime = "image/png"},
                   [VIEW_BACK] = {.data = other, .bytes = 3, .mime = "image/jpeg"}},
        .model = "Detail",
        .seed = 65536 + 7,
        .face_limit = 20000,
        .passthrough = options};
    struct http_request request;
    CHECK_OK(ask(&request, &spec));
    CHECK(request.file_count == 2 && request.files[0].bytes == 24 && request.files[1].bytes == 3);
    CHECK_TEXT(json_text(request.form, "use_original_alpha", ""), "true");
    CHECK_TEXT(json_text(request.form, "tier", ""), "Detail");
    CHECK_TEXT(json_text(request.form, "seed", ""), "7");
    CHECK_TEXT(json_text(request.form, "TAPose", ""), "true");
    CHECK_TEXT(json_text(request.form, "addons", ""), "HighPack");
    CHECK_TEXT(json_text(request.form, "quality_override", ""), "99");
    CHECK(!json_text(request.form, "images", NULL) && !json_text(request.form, "prompt", NULL));
    http_request_free(&request);
    cJSON_Delete(options);
}

static void test_rodin__refuses_what_it_cannot_do(void)
{
    char words[1100];
    memset(words, 'x', sizeof words);
    words[1001] = 0;
    const struct generation_spec cannot[] = {
        {.prompt = NULL},
        {.prompt = words},
        {.images[VIEW_BACK] = PHOTO},
        {.images[VIEW_FRONT] = PHOTO, .parts = true},
        {.tool = "repair", .source = TASK},
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof cannot / sizeof *cannot; i++) {
        int said = ask(&request, &cannot[i]);
        if (said == 0 || request.url)
            TEST_GIVE_UP("row %zu is taken", i);
        CHECK(err.kind == ERR_INPUT);
    }
    struct provider_call call = {.settings = &settings, .task = TASK, .aux = "two words"};
    CHECK_FAILS(driver()->request(&request, OP_POLL, &call, &err), ERR_INPUT);
    call.aux = NULL;
    CHECK_FAILS(driver()->request(&request, OP_POLL, &call, &err), ERR_INPUT);
    call.task = "a b";
    CHECK_FAILS(driver()->request(&request, OP_RESULTS, &call, &err), ERR_INPUT);
}

/* --- answers --- */

/* A task that nobody can ask for is still a task that may have been paid. */
static void test_rodin__a_task_without_both_handles_is_in_doubt(void)
{
    struct provider_reading r = read_op(OP_SUBMIT, 201, "{\"error\":null,\"uuid\":\"" TASK "\"}");
    CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE && !r.aux);
    CHECK_TEXT(r.task, TASK);
    r = read_op(OP_SUBMIT, 201,
                "{\"uuid\":\"" TASK "\",\"jobs\":{\"subscription_key\":\"a\\nb\"}}");
    CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE && !r.aux);
    r = read_op(OP_SUBMIT, 201, "{\"uuid\":\"../x\",\"jobs\":{\"subscription_key\":\"k\"}}");
    CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE && !*r.task && !r.aux);
}

static void test_rodin__keeps_both_handles_and_the_time(void)
{
    struct provider_reading r =
        read_op(OP_SUBMIT, 201,
                "{\"error\":null,\"uuid\":\"" TASK "\",\"jobs\":{\"uuids\":[],"
                "\"subscription_key\":\"" KEY "\"},\"submit_time\":\"2026-11-20T09:15:02Z\"}");
    CHECK(r.state == TASK_QUEUED && r.error == PROVIDER_OK && r.created_s == 1795166102);
    CHECK_TEXT(r.task, TASK);
    CHECK_TEXT(r.aux, KEY);
    provider_reading_free(&r);
}

static void test_rodin__an_error_counts_first_whatever_the_status(void)
{
    static const struct {
        int status;
        const char *text;
        enum provider_error error;
        enum provider_retry retry;
        enum task_state state;
    } rows[] = {
        {200, "{\"error\":\"INSUFFICIENT_FUND\",\"uuid\":\"u\"}", PROVIDER_CREDITS, RETRY_OPERATOR,
         TASK_FAILED},
        {403, "{\"error\":\"INSUFFICIENT_FUND\"}", PROVIDER_CREDITS, RETRY_OPERATOR, TASK_FAILED},
        {200, "{\"error\":\"NO_ACTIVE_SUBSCRIPTION\"}", PROVIDER_CREDITS, RETRY_OPERATOR,
         TASK_FAILED},
        {200, "{\"error\":\"Not authenticated\"}", PROVIDER_AUTH, RETRY_OPERATOR, TASK_FAILED},
        {200, "{\"error\":\"TOO_MANY_REQUESTS\"}", PROVIDER_RATE, RETRY_YES, TASK_QUEUED},
        {400, "{\"error\":\"REJECTED\",\"message\":\"NSFW content\"}", PROVIDER_CONTENT, RETRY_NO,
         TASK_REJECTED},
        {201, "{\"error\":\"INVALID_REQUEST\"}", PROVIDER_BAD_INPUT, RETRY_NO, TASK_FAILED},
        {201, "{\"error\":{\"a\":1}}", PROVIDER_BAD_INPUT, RETRY_NO, TASK_FAILED},
        {200, "{\"error\":\"INTERNAL\"}", PROVIDER_SERVER, RETRY_RECONCILE, TASK_UNKNOWN},
        {429, "{\"error\":\"SLOW_DOWN\",\"message\":\"by your credit plan\"}", PROVIDER_RATE,
         RETRY_YES, TASK_QUEUED},
        {500, "{\"error\":\"INSUFFICIENT\"}", PROVIDER_SERVER, RETRY_RECONCILE, TASK_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct provider_reading r = read_op(OP_SUBMIT, rows[i].status, rows[i].text);
        if (r.error != rows[i].error || r.retry != rows[i].retry || r.state != rows[i].state)
            TEST_GIVE_UP("row %zu: %s %s %s", i, provider_error_name(r.error),
                         provider_retry_name(r.retry), task_state_name(r.state));
        CHECK(!*r.task && *r.code);
    }
}

/* An error told to a poll says nothing of the task, which is paid: it is asked again. */
static void test_rodin__an_error_of_a_poll_does_not_end_the_task(void)
{
    struct provider_reading r = read_op(OP_POLL, 200, "{\"error\":\"ODD_WORD\"}");
    CHECK(r.state == TASK_UNKNOWN && r.error == PROVIDER_SERVER && r.retry == RETRY_YES);
    r = read_op(OP_POLL, 200, "{\"error\":\"NO_SUCH_TASK\"}");
    CHECK(r.state == TASK_UNKNOWN && r.error == PROVIDER_NOT_FOUND);
    r = read_op(OP_POLL, 200, "{\"error\":false,\"jobs\":[]}");
    CHECK(r.state == TASK_RUNNING && r.error == PROVIDER_OK && r.progress == -1);
    r = read_op(OP_POLL, 200, "{\"jobs\":7}");
    CHECK(r.error == PROVIDER_PROTOCOL);
}

static struct provider_reading jobs(const char *a, const char *b, const char *c)
{
    char text[300];
    snprintf(text, sizeof text,
             "{\"error\":null,\"jobs\":[{\"status\":\"%s\"},{\"status\":\"%s\"},"
             "{\"status\":\"%s\"}]}",
             a, b, c);
    return read_op(OP_POLL, 200, text);
}

static void test_rodin__is_done_when_all_jobs_are(void)
{
    CHECK(jobs("Waiting", "Waiting", "Waiting").state == TASK_QUEUED);
    CHECK(jobs("Waiting", "Generating", "Waiting").state == TASK_RUNNING);
    struct provider_reading r = jobs("Done", "Done", "Waiting");
    CHECK(r.state == TASK_RUNNING && r.progress == 66 && r.next == NEXT_NONE);
    r = jobs("Done", "Done", "Done");
    CHECK(r.state == TASK_SUCCEEDED && r.progress == 100 && r.next == NEXT_RESULTS);
    r = jobs("Done", "Failed", "Canceled");
    CHECK(r.state == TASK_FAILED && r.retry == RETRY_NEW_TASK && r.next == NEXT_NONE);
    CHECK(jobs("Done", "Canceled", "Done").state == TASK_CANCELLED);
    CHECK(jobs("Done", "A word of tomorrow", "Done").state == TASK_RUNNING);
}

static void test_rodin__chooses_the_glb_by_its_name(void)
{
    struct provider_reading r =
        read_op(OP_RESULTS, 200,
                "{\"list\":[{\"url\":\"https://f.example/1\",\"name\":\"preview.webp\"},"
                "{\"url\":\"https://f.example/2\",\"name\":\"base.OBJ\"},"
                "{\"url\":\"javascript:1\",\"name\":\"bad.glb\"},"
                "{\"url\":\"https://f.example/3.png\",\"name\":\"base_basic_pbr.glb\"},"
                "{\"url\":\"https://f.example/4\",\"name\":\"base_basic_shaded.glb\"},7]}");
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 4);
    CHECK_TEXT(r.files[0].url, "https://f.example/3.png");
    CHECK_TEXT(r.files[0].kind, "model");
    CHECK_TEXT(r.files[0].format, "glb");
    CHECK_TEXT(r.files[1].kind, "image");
    CHECK(strcmp(r.files[2].kind, "other") == 0 && strcmp(r.files[3].kind, "other") == 0);
    provider_reading_free(&r);
    r = read_op(OP_RESULTS, 200,
                "{\"list\":[{\"url\":\"https://f.example/1\",\"name\":\"preview.webp\"}]}");
    CHECK(r.state == TASK_RUNNING && r.file_count == 0 && r.error == PROVIDER_OK);
    r = read_op(OP_RESULTS, 200,
                "{\"list\":[{\"url\":\"https://f.example/1\",\"name\":\"all.zip\"},"
                "{\"url\":\"https://f.example/2\",\"name\":\"a.stl\"}]}");
    CHECK(r.state == TASK_SUCCEEDED && strcmp(r.files[0].format, "stl") == 0);
    provider_reading_free(&r);
}

static void test_rodin__asks_the_balance_in_either_way(void)
{
    struct provider_call call = {.settings = &settings};
    struct http_request request;
    CHECK_OK(driver()->request(&request, OP_BALANCE, &call, &err));
    CHECK_TEXT(request.method, "GET");
    http_request_free(&request);
    struct provider_reading r = read_made_up(driver(), OP_BALANCE, &call, 405, "", NULL);
    CHECK(r.retry == RETRY_ONCE && r.aux);
    call.aux = r.aux;
    CHECK_OK(driver()->request(&request, OP_BALANCE, &call, &err));
    CHECK_TEXT(request.method, "POST");
    CHECK_TEXT(request.url, "https://api.hyper3d.com/api/v2/check_balance");
    http_request_free(&request);
    struct provider_reading again = read_made_up(driver(), OP_BALANCE, &call, 405, "", NULL);
    CHECK(again.retry == RETRY_NO && !again.aux);
    provider_reading_free(&r);
    CHECK_NEAR(read_op(OP_BALANCE, 200, "{\"error\":null,\"balance\":12.5}").balance, 12.5, 0);
    CHECK(read_op(OP_BALANCE, 200, "{\"balance\":\"x\"}").error == PROVIDER_PROTOCOL);
    CHECK(read_op(OP_BALANCE, 200, "{\"error\":\"Not authenticated\"}").error == PROVIDER_AUTH);
}

TESTS(TEST(test_rodin__builds_the_recorded_form), TEST(test_rodin__builds_the_recorded_questions),
      TEST(test_rodin__sends_all_views_front_first_and_keeps_transparency),
      TEST(test_rodin__refuses_what_it_cannot_do),
      TEST(test_rodin__a_task_without_both_handles_is_in_doubt),
      TEST(test_rodin__keeps_both_handles_and_the_time),
      TEST(test_rodin__an_error_counts_first_whatever_the_status),
      TEST(test_rodin__an_error_of_a_poll_does_not_end_the_task),
      TEST(test_rodin__is_done_when_all_jobs_are), TEST(test_rodin__chooses_the_glb_by_its_name),
      TEST(test_rodin__asks_the_balance_in_either_way))
