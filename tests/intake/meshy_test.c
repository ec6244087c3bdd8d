/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver for Meshy on recorded requests and on answers made up here. */
#include "tests/intake/exchange.h"

#define ID "018f5e1a-7c3b-7d2e-9f10-aabbccdd0001"

static struct err err;
static const struct provider_settings settings = {.api_key = "msy_EXAMPLE"};

static const struct provider_driver *driver(void)
{
    return provider_find("meshy");
}

static int ask(struct http_request *out, const struct generation_spec *spec)
{
    const struct provider_call call = {.settings = &settings, .spec = spec};
    return driver()->request(out, OP_SUBMIT, &call, &err);
}

static struct provider_reading poll_of(const char *kind, const char *text)
{
    const struct provider_call call = {.settings = &settings, .task = ID, .aux = kind};
    return read_made_up(driver(), OP_POLL, &call, 200, text, NULL);
}

/* --- requests --- */

static const struct wanted {
    const char *file, *options, *ours_too;
    struct generation_spec spec;
} wanted[] = {
    {"01_submit_image_to_3d",
     "{\"model_type\":\"standard\",\"enable_pbr\":true,\"auto_size\":false,"
     "\"origin_at\":\"bottom\",\"target_formats\":[\"glb\",\"stl\",\"3mf\"]}",
     "",
     {.images[VIEW_FRONT] = PHOTO, .model = "meshy-6", .texture = true, .face_limit = 200000}},
    {"02_submit_multi_image",
     "{}",
     "moderation,target_formats",
     {.images = {PHOTO, PHOTO}, .model = "meshy-6", .texture = true}},
    {"03_submit_text_preview",
     "{}",
     "moderation,target_formats",
     {.prompt = "a monster mask", .model = "meshy-6", .texture = true}},
    {"04_submit_text_refine",
     "{\"enable_pbr\":true}",
     "moderation,target_formats",
     {.tool = "refine", .source = ID, .texture = true}},
    {"24_remesh_submit",
     "{\"target_formats\":[\"stl\",\"3mf\"],\"resize_height\":0.12,\"origin_at\":\"bottom\"}",
     "",
     {.tool = "remesh", .source = ID, .face_limit = 100000}},
    {"25_print_analyze_submit", "{}", "", {.tool = "analyze", .source = ID}},
};

static void test_meshy__builds_the_recorded_submits(void)
{
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cJSON *exchange = exchange_read("meshy", wanted[i].file);
        cJSON *options = cJSON_Parse(wanted[i].options);
        struct generation_spec spec = wanted[i].spec;
        struct http_request request;
        if (!exchange)
            SKIP("no transcripts");
        spec.passthrough = options;
        CHECK_OK(ask(&request, &spec));
        const char *why = request_differs(&request, exchange, wanted[i].ours_too);
        if (why)
            TEST_GIVE_UP("%s: %.300s", wanted[i].file, why);
        CHECK_TEXT(json_text(request.headers, "Authorization", ""), "Bearer msy_EXAMPLE");
        http_request_free(&request);
        cJSON_Delete(options);
        cJSON_Delete(exchange);
    }
}

static void test_meshy__builds_the_recorded_questions(void)
{
    static const struct {
        const char *file, *aux;
        enum provider_op op;
        const char *task;
    } rows[] = {
        {"06_poll_in_progress", "image-to-3d", OP_POLL, ID},
        {"21_stream_sse", "image-to-3d", OP_STREAM, ID},
        {"23_delete_task", "image-to-3d", OP_CANCEL, ID},
        {"26_print_analyze_done", "print-analyze", OP_POLL, "018f5e1a-7c3b-7d2e-9f10-aabbccdd0004"},
        {"27_balance", NULL, OP_BALANCE, NULL},
        {"28_list", "image-to-3d", OP_RECENT, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *exchange = exchange_read("meshy", rows[i].file);
        struct provider_call call = {
            .settings = &settings, .task = rows[i].task, .aux = rows[i].aux};
        struct http_request request;
        if (!exchange)
            SKIP("no transcripts");
        CHECK_OK(driver()->request(&request, rows[i].op, &call, &err));
        const char *why = request_differs(&request, exchange, "");
        if (why)
            TEST_GIVE_UP("%s: %.300s", rows[i].file, why);
        if (rows[i].op == OP_STREAM)
            CHECK_TEXT(json_text(request.headers, "Accept", ""), "text/event-stream");
        http_request_free(&request);
        cJSON_Delete(exchange);
    }
}

static void test_meshy__always_asks_for_moderation_and_for_our_photo(void)
{
    cJSON *options = cJSON_Parse("{\"moderation\":false,\"image_url\":\"x\",\"mode\":\"y\","
                                 "\"image_urls\":[],\"input_task_id\":\"z\"}");
    const struct generation_spec specs[] = {
        {.images[VIEW_FRONT] = PHOTO, .passthrough = options},
        {.images = {PHOTO, PHOTO}, .passthrough = options},
        {.prompt = "a cat", .passthrough = options},
        {.tool = "refine", .source = ID, .passthrough = options},
    };
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct http_request request;
        CHECK_OK(ask(&request, &specs[i]));
        cJSON *body = request_body(&request);
        CHECK(json_bool(body, "moderation", false));
        CHECK(strcmp(json_text(body, "image_url", "data:"), "x") != 0);
        CHECK(strcmp(json_text(body, "mode", ""), "y") != 0);
        CHECK(!json_text(body, "input_task_id", NULL));
        CHECK(i != 1 || cJSON_GetArraySize(json_get(body, "image_urls")) == 2);
        cJSON_Delete(body);
        http_request_free(&request);
    }
    cJSON_Delete(options);
}

static void test_meshy__refuses_what_it_cannot_do(void)
{
    char words[700];
    memset(words, 'x', sizeof words);
    words[601] = 0;
    const struct generation_spec cannot[] = {
        {.prompt = NULL},
        {.prompt = words},
        {.images[VIEW_LEFT] = PHOTO},
        {.images[VIEW_FRONT] = PHOTO, .parts = true},
        {.tool = "animate", .source = ID},
        {.tool = "refine"},
        {.tool = "refine", .source = "https://a.example/m.glb"},
        {.tool = "repair", .source = "file:///etc/passwd"},
        {.tool = "repair", .source = "../x"},
        {.tool = "analyze"},
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof cannot / sizeof *cannot; i++) {
        int said = ask(&request, &cannot[i]);
        if (said == 0 || request.url)
            TEST_GIVE_UP("row %zu is taken", i);
        CHECK(err.kind == ERR_INPUT);
    }
    struct provider_call call = {.settings = &settings, .task = "a/b", .aux = "image-to-3d"};
    CHECK_FAILS(driver()->request(&request, OP_POLL, &call, &err), ERR_INPUT);
    call.task = ID;
    call.aux = "../v1/balance";
    CHECK_FAILS(driver()->request(&request, OP_CANCEL, &call, &err), ERR_INPUT);
}

static void test_meshy__a_tool_takes_a_task_or_an_address(void)
{
    const struct generation_spec task = {.tool = "repair", .source = ID};
    const struct generation_spec address = {.tool = "convert", .source = "https://a.example/m.glb"};
    struct http_request request;
    CHECK_OK(ask(&request, &task));
    cJSON *body = request_body(&request);
    CHECK_TEXT(json_text(body, "input_task_id", ""), ID);
    cJSON_Delete(body);
    http_request_free(&request);
    CHECK_OK(ask(&request, &address));
    body = request_body(&request);
    CHECK_TEXT(json_text(body, "model_url", ""), "https://a.example/m.glb");
    CHECK_TEXT(cJSON_GetArrayItem(json_get(body, "target_formats"), 0)->valuestring, "stl");
    cJSON_Delete(body);
    http_request_free(&request);
}

/* --- a text in two passes --- */

static struct provider_reading submitted(const struct generation_spec *spec)
{
    const struct provider_call call = {.settings = &settings, .spec = spec};
    return read_made_up(driver(), OP_SUBMIT, &call, 202, "{\"result\":\"" ID "\"}", NULL);
}

static const char finished[] = "{\"id\":\"" ID "\",\"status\":\"SUCCEEDED\",\"model_urls\":"
                               "{\"glb\":\"https://assets.meshy.ai/m.glb\"}}";

static void test_meshy__a_text_is_made_in_two_passes_where_texture_is_wanted(void)
{
    struct generation_spec spec = {.prompt = "a cat", .texture = true};
    struct provider_reading r = submitted(&spec);
    CHECK(r.state == TASK_QUEUED && r.aux);
    struct provider_reading first = poll_of(r.aux, finished);
    CHECK(first.state == TASK_SUCCEEDED && first.next == NEXT_REFINE);
    CHECK_TEXT(first.files[0].kind, "model_plain");
    provider_reading_free(&first);
    provider_reading_free(&r);
    spec = (struct generation_spec){.tool = "refine", .source = ID, .texture = true};
    r = submitted(&spec);
    struct provider_reading second = poll_of(r.aux, finished);
    CHECK(second.state == TASK_SUCCEEDED && second.next == NEXT_NONE);
    CHECK_TEXT(second.files[0].kind, "model");
    provider_reading_free(&second);
    provider_reading_free(&r);
}

static void test_meshy__a_plain_text_model_needs_one_pass(void)
{
    const struct generation_spec spec = {.prompt = "a cat"};
    struct provider_reading r = submitted(&spec);
    struct provider_reading done = poll_of(r.aux, finished);
    CHECK(done.next == NEXT_NONE && strcmp(done.files[0].kind, "model") == 0);
    provider_reading_free(&done);
    provider_reading_free(&r);
}

/* Asked at another kind's address a task is not found, and its money is gone. */
static void test_meshy__each_kind_of_task_is_asked_where_it_was_made(void)
{
    const struct generation_spec specs[] = {
        {.images[VIEW_FRONT] = PHOTO},        {.images = {PHOTO, PHOTO}},
        {.prompt = "a cat", .texture = true}, {.prompt = "a cat"},
        {.tool = "refine", .source = ID},     {.tool = "remesh", .source = ID},
        {.tool = "convert", .source = ID},    {.tool = "resize", .source = ID},
        {.tool = "repair", .source = ID},     {.tool = "analyze", .source = ID}};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct http_request made, asked, listed;
        struct provider_reading r = submitted(&specs[i]);
        struct provider_call call = {.settings = &settings, .task = r.task, .aux = r.aux};
        CHECK_OK(ask(&made, &specs[i]));
        CHECK_OK(driver()->request(&asked, OP_POLL, &call, &err));
        size_t n = strlen(made.url);
        CHECK(strncmp(made.url, asked.url, n) == 0 && strcmp(asked.url + n, "/" ID) == 0);
        call = (struct provider_call){.settings = &settings, .spec = &specs[i], .page = 2};
        CHECK_OK(driver()->request(&listed, OP_RECENT, &call, &err));
        CHECK(strncmp(made.url, listed.url, n) == 0);
        CHECK_TEXT(listed.url + n, "?page_num=3&page_size=50&sort_by=-created_at");
        http_request_free(&made);
        http_request_free(&asked);
        http_request_free(&listed);
        provider_reading_free(&r);
    }
}

/* --- answers --- */

static void test_meshy__a_success_without_a_number_is_in_doubt(void)
{
    static const char *const said[] = {"{\"result\":\"../x\"}", "{\"result\":{}}", "{}", "<html>"};
    const struct provider_call call = {.settings = &settings};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct provider_reading r = read_made_up(driver(), OP_SUBMIT, &call, 200, said[i], NULL);
        CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE && !*r.task);
    }
}

static void test_meshy__glb_comes_first_and_no_address_is_believed(void)
{
    struct provider_reading r =
        poll_of(NULL, "{\"status\":\"SUCCEEDED\",\"thumbnail_url\":\"https://a.example/t.png\","
                      "\"model_urls\":{\"stl\":\"https://a.example/m.stl\",\"obj\":\"\","
                      "\"fbx\":\"file:///x\",\"glb\":\"https://a.example/m?x=1\","
                      "\"pre_remeshed_glb\":\"https://a.example/p.glb\"}}");
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 4);
    CHECK_TEXT(r.files[0].url, "https://a.example/m?x=1");
    CHECK_TEXT(r.files[0].format, "glb");
    CHECK(strcmp(r.files[1].kind, "other") == 0 && strcmp(r.files[2].kind, "other") == 0);
    CHECK_TEXT(r.files[3].kind, "image");
    provider_reading_free(&r);
    r = poll_of(NULL, "{\"status\":\"SUCCEEDED\",\"model_urls\":{\"glb\":\"\",\"stl\":"
                      "\"https://a.example/m.stl\"}}");
    CHECK(r.state == TASK_SUCCEEDED && strcmp(r.files[0].kind, "model") == 0);
    CHECK_TEXT(r.files[0].format, "stl");
    provider_reading_free(&r);
    r = poll_of(NULL, "{\"status\":\"SUCCEEDED\",\"model_urls\":{\"glb\":7},"
                      "\"thumbnail_url\":\"https://a.example/t.png\"}");
    CHECK(r.state == TASK_RUNNING && r.error == PROVIDER_OK);
    provider_reading_free(&r);
}

static void test_meshy__times_are_milliseconds_and_credits_come_at_the_end(void)
{
    struct provider_reading r =
        poll_of(NULL, "{\"status\":\"PENDING\",\"created_at\":1795166102999,\"preceding_tasks\":2,"
                      "\"consumed_credits\":30,\"progress\":0}");
    CHECK(r.created_s == 1795166102 && r.queue_position == 2 && r.credits == -1);
    r = poll_of(NULL, "{\"status\":\"FAILED\",\"created_at\":-1,\"consumed_credits\":0,"
                      "\"task_error\":null,\"preceding_tasks\":1e99}");
    CHECK(r.created_s == 0 && r.credits == 0 && r.queue_position == -1);
    CHECK(r.error == PROVIDER_SERVER && r.retry == RETRY_NEW_TASK);
}

static void test_meshy__files_past_their_time_are_gone(void)
{
    static const char text[] = "{\"status\":\"SUCCEEDED\",\"expires_at\":1795425302000,"
                               "\"model_urls\":{\"glb\":\"https://a.example/m.glb\"}}";
    static const char before[] = "{\"date\":\"Mon, 23 Nov 2026 09:15:01 GMT\"}";
    static const char after[] = "{\"date\":\"Mon, 23 Nov 2026 09:15:03 GMT\"}";
    const struct provider_call call = {.settings = &settings, .task = ID};
    struct provider_reading r = read_made_up(driver(), OP_POLL, &call, 200, text, before);
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 1);
    provider_reading_free(&r);
    r = read_made_up(driver(), OP_POLL, &call, 200, text, after);
    CHECK(r.state == TASK_EXPIRED && r.error == PROVIDER_URL_EXPIRED);
    CHECK(r.retry == RETRY_NEW_TASK && r.file_count == 0);
    provider_reading_free(&r);
}

static void test_meshy__tells_failures_apart(void)
{
    static const struct {
        const char *error;
        enum task_state state;
        enum provider_error meaning;
        enum provider_retry retry;
    } rows[] = {
        {"{\"type\":\"timeout\"}", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {"{\"type\":\"service_unavailable\"}", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {"{\"type\":\"invalid_input\",\"code\":\"image_too_complex\"}", TASK_FAILED,
         PROVIDER_BAD_INPUT, RETRY_NO},
        {"{\"code\":\"moderation_blocked\"}", TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO},
        {"{\"message\":\"blocked by moderation\"}", TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO},
        {"{\"message\":\"\"}", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {"\"odd\"", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"status\":\"FAILED\",\"task_error\":%s}", rows[i].error);
        struct provider_reading r = poll_of(NULL, text);
        CHECK(r.state == rows[i].state && r.error == rows[i].meaning && r.retry == rows[i].retry);
    }
    CHECK(poll_of(NULL, "{\"status\":\"CANCELED\"}").state == TASK_CANCELLED);
    CHECK(poll_of(NULL, "{\"status\":\"EXPIRED\"}").retry == RETRY_NEW_TASK);
    CHECK(poll_of(NULL, "{\"status\":\"A_WORD_OF_TOMORROW\"}").state == TASK_RUNNING);
    CHECK(poll_of(NULL, "[]").error == PROVIDER_PROTOCOL);
}

/* Too many requests: slow down. A full queue: wait for a task to end; it is not our pace. */
static void test_meshy__a_full_queue_is_no_matter_of_pace(void)
{
    const struct provider_call call = {.settings = &settings};
    static const struct {
        const char *word;
        enum provider_error error;
    } rows[] = {{"RateLimitExceeded", PROVIDER_RATE},
                {"NoMoreConcurrentTasks", PROVIDER_CONCURRENCY},
                {"NoMorePendingTasks", PROVIDER_CONCURRENCY},
                {"something else", PROVIDER_RATE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"message\":\"%s\"}", rows[i].word);
        struct provider_reading r = read_made_up(driver(), OP_SUBMIT, &call, 429, text, NULL);
        CHECK(r.error == rows[i].error && r.retry == RETRY_YES && r.state == TASK_QUEUED);
        CHECK_TEXT(r.message, rows[i].word);
    }
}

static void test_meshy__an_analysis_has_words_and_no_model(void)
{
    struct provider_reading r =
        poll_of("print-analyze", "{\"status\":\"SUCCEEDED\",\"consumed_credits\":0,"
                                 "\"printability\":{\"status\":\"error\",\"error_count\":1,"
                                 "\"metrics\":{\"is_watertight\":false,\"holes\":2}}}");
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 0 && r.credits == 0);
    CHECK_TEXT(r.code, "error");
    CHECK(strstr(r.message, "not watertight, 2 holes"));
}

/* --- streams, lists, pushes --- */

static struct provider_reading stream_of(const char *text)
{
    const struct provider_call call = {.settings = &settings, .task = ID, .aux = "image-to-3d"};
    return read_made_up(driver(), OP_STREAM, &call, 200, text, NULL);
}

static void test_meshy__a_stream_tells_the_last_whole_event(void)
{
    struct provider_reading r = stream_of(": hi\r\n\r\n");
    CHECK(r.state == TASK_RUNNING && r.error == PROVIDER_OK);
    r = stream_of("event: message\r\ndata: {\"status\":\"IN_PROGRESS\",\"progress\":7}\r\n\r\n"
                  "event: message\r\ndata: {\"status\":\"SUCCEEDED\",");
    CHECK(r.state == TASK_RUNNING && r.progress == 7);
    r = stream_of(
        "event: error\ndata: {\"status_code\":429,\"message\":\"RateLimitExceeded\"}\n\n");
    CHECK(r.error == PROVIDER_RATE && strcmp(r.message, "RateLimitExceeded") == 0);
    r = stream_of("event: error\ndata: {\"status_code\":1e99}\n\n");
    CHECK(r.error == PROVIDER_SERVER && r.retry == RETRY_YES);
}

static void test_meshy__a_list_brings_each_task_with_its_kind(void)
{
    const struct generation_spec spec = {.prompt = "a cat", .texture = true};
    const struct provider_call call = {.settings = &settings, .spec = &spec};
    struct provider_reading r =
        read_made_up(driver(), OP_RECENT, &call, 200,
                     "[{\"id\":\"a\",\"status\":\"PENDING\",\"created_at\":1795166102000},"
                     "{\"id\":\"../b\",\"status\":\"PENDING\"},7,{\"id\":\"c\"}]",
                     NULL);
    CHECK(r.many_count == 2 && r.error == PROVIDER_OK);
    CHECK_TEXT(r.many[0].task, "a");
    CHECK_TEXT(r.many[0].aux, "text-preview");
    CHECK(r.many[0].created_s == 1795166102 && r.many[1].error == PROVIDER_PROTOCOL);
    provider_reading_free(&r);
    r = read_made_up(driver(), OP_RECENT, &call, 200, "{\"message\":\"x\"}", NULL);
    CHECK(r.error == PROVIDER_PROTOCOL && r.many_count == 0);
    provider_reading_free(&r);
}

/* Missing from another kind's list, a task would be taken for never made, and made twice. */
static void test_meshy__looks_for_a_doubt_in_the_list_of_its_kind_only(void)
{
    const struct generation_spec spec = {.prompt = "a cat"};
    struct provider_call call = {.settings = &settings};
    struct http_request request;
    CHECK_FAILS(driver()->request(&request, OP_RECENT, &call, &err), ERR_INPUT);
    call.spec = &spec;
    CHECK_OK(driver()->request(&request, OP_RECENT, &call, &err));
    CHECK(strstr(request.url, "/v2/text-to-3d?"));
    http_request_free(&request);
}

static void test_meshy__a_delete_that_went_through_is_a_cancel(void)
{
    const struct provider_call call = {.settings = &settings, .task = ID, .aux = "image-to-3d"};
    CHECK(read_made_up(driver(), OP_CANCEL, &call, 200, "", NULL).state == TASK_CANCELLED);
    CHECK(read_made_up(driver(), OP_CANCEL, &call, 404, "{}", NULL).error == PROVIDER_NOT_FOUND);
    struct provider_reading r = read_made_up(driver(), OP_CANCEL, &call, 500, "", NULL);
    CHECK(r.error == PROVIDER_SERVER && r.state != TASK_CANCELLED);
}

static struct provider_push pushed(const char *text)
{
    struct provider_push push;
    const struct provider_pushed from = {
        .body = (const uint8_t *)text, .bytes = strlen(text), .now_s = 1795166200};
    if (driver()->push_read(&push, &from, &err))
        abort();
    return push;
}

/* Anybody can send one: what it may do is to have the task asked sooner. */
static void test_meshy__a_push_is_a_hint_and_brings_no_files(void)
{
    struct provider_push push = pushed(finished);
    CHECK(push.trust == PUSH_UNSIGNED && push.reading.state == TASK_SUCCEEDED);
    CHECK(push.reading.file_count == 0 && push.reading.credits == -1);
    CHECK_TEXT(push.reading.task, ID);
    CHECK_TEXT(push.event, "task");
    provider_push_free(&push);
    CHECK(pushed("{\"status\":\"SUCCEEDED\"}").trust == PUSH_INVALID);
    CHECK(pushed("{\"id\":\"../x\",\"status\":\"FAILED\"}").trust == PUSH_INVALID);
    CHECK(pushed("hello").trust == PUSH_INVALID);
    CHECK(pushed("").trust == PUSH_INVALID);
}

TESTS(TEST(test_meshy__builds_the_recorded_submits),
      TEST(test_meshy__builds_the_recorded_questions),
      TEST(test_meshy__always_asks_for_moderation_and_for_our_photo),
      TEST(test_meshy__refuses_what_it_cannot_do),
      TEST(test_meshy__a_tool_takes_a_task_or_an_address),
      TEST(test_meshy__a_text_is_made_in_two_passes_where_texture_is_wanted),
      TEST(test_meshy__a_plain_text_model_needs_one_pass),
      TEST(test_meshy__each_kind_of_task_is_asked_where_it_was_made),
      TEST(test_meshy__a_success_without_a_number_is_in_doubt),
      TEST(test_meshy__glb_comes_first_and_no_address_is_believed),
      TEST(test_meshy__times_are_milliseconds_and_credits_come_at_the_end),
      TEST(test_meshy__files_past_their_time_are_gone), TEST(test_meshy__tells_failures_apart),
      TEST(test_meshy__a_full_queue_is_no_matter_of_pace),
      TEST(test_meshy__an_analysis_has_words_and_no_model),
      TEST(test_meshy__a_stream_tells_the_last_whole_event),
      TEST(test_meshy__a_list_brings_each_task_with_its_kind),
      TEST(test_meshy__looks_for_a_doubt_in_the_list_of_its_kind_only),
      TEST(test_meshy__a_delete_that_went_through_is_a_cancel),
      TEST(test_meshy__a_push_is_a_hint_and_brings_no_files))
