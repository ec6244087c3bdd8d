/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver for 3D AI Studio on recorded requests and on answers made up here. */
#include "tests/intake/exchange.h"

static struct err err;
static const struct provider_settings settings = {.api_key = "k"};

static const struct provider_driver *driver(void)
{
    return provider_find("3daistudio");
}

static int ask(struct http_request *out, const struct generation_spec *spec)
{
    const struct provider_call call = {.settings = &settings, .spec = spec};
    return driver()->request(out, OP_SUBMIT, &call, &err);
}

static struct provider_reading read_op(enum provider_op op, int status, const char *text)
{
    const struct provider_call call = {.settings = &settings, .task = "t"};
    return read_made_up(driver(), op, &call, status, text, NULL);
}

/* --- requests --- */

static const struct wanted {
    const char *file, *options;
    struct generation_spec spec;
} wanted[] = {
    {"01_submit_rapid",
     "{\"enable_pbr\":true}",
     {.images[VIEW_FRONT] = PHOTO, .model = "rapid", .texture = true, .seed = -1}},
    {"02_submit_pro",
     "{\"enable_pbr\":true}",
     {.images[VIEW_FRONT] = PHOTO, .face_limit = 300000, .texture = true, .seed = -1}},
    {"03_submit_pro_multiview",
     "{}",
     {.images = {[VIEW_FRONT] = PHOTO, [VIEW_BACK] = PHOTO},
      .face_limit = 500000,
      .texture = true,
      .seed = -1}},
    {"04_submit_trellis2",
     "{\"steps\":12,\"texture_size\":2048,\"generate_thumbnail\":true}",
     {.images[VIEW_FRONT] = PHOTO,
      .model = "trellis2",
      .texture = true,
      .face_limit = 500000,
      .seed = 42}},
    {"05_submit_tripo31_image",
     "{\"texture_quality\":\"standard\",\"geometry_quality\":\"standard\"}",
     {.images[VIEW_FRONT] = PHOTO, .model = "tripo-3.1", .texture = true, .seed = -1}},
    {"06_submit_tripo_p1_multiview",
     "{}",
     {.images = {[VIEW_FRONT] = PHOTO, [VIEW_LEFT] = PHOTO},
      .model = "tripo-p1",
      .texture = true,
      .face_limit = 12000,
      .seed = -1}},
    {"23_convert_submit",
     "{\"max_size\":12,\"unit\":\"cm\"}",
     {.tool = "convert", .source = "https://storage.3daistudio.com/assets/abc123.glb"}},
    {"25_repair_submit",
     "{\"output_format\":\"stl\",\"hollow\":true,\"wall_thickness\":2.0,\"target_height\":10,"
     "\"unit\":\"cm\",\"quality\":\"default\"}",
     {.tool = "repair", .source = "https://storage.3daistudio.com/assets/abc123.glb"}},
};

static void test_threedaistudio__builds_the_recorded_submits(void)
{
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cJSON *exchange = exchange_read("3daistudio", wanted[i].file);
        cJSON *options = cJSON_Parse(wanted[i].options);
        struct generation_spec spec = wanted[i].spec;
        struct http_request request;
        if (!exchange)
            SKIP("no transcripts");
        spec.passthrough = options;
        CHECK_OK(ask(&request, &spec));
        const char *why = request_differs(&request, exchange, "");
        if (why)
            TEST_GIVE_UP("%s: %.300s", wanted[i].file, why);
        CHECK_TEXT(json_text(request.headers, "Authorization", ""), "Bearer k");
        http_request_free(&request);
        cJSON_Delete(options);
        cJSON_Delete(exchange);
    }
}

static void test_threedaistudio__asks_at_the_recorded_addresses(void)
{
    struct provider_call call = {.settings = &settings,
                                 .task = "7d3f1b2c-9a80-4c5e-b1d2-0f1e2d3c4b5a"};
    struct http_request request;
    CHECK_OK(driver()->request(&request, OP_POLL, &call, &err));
    CHECK_TEXT(request.url, "https://api.3daistudio.com/v1/generation-request/"
                            "7d3f1b2c-9a80-4c5e-b1d2-0f1e2d3c4b5a/status/");
    CHECK(strcmp(request.method, "GET") == 0 && request.body.len == 0);
    http_request_free(&request);
    CHECK_OK(driver()->request(&request, OP_BALANCE, &call, &err));
    CHECK_TEXT(request.url, "https://api.3daistudio.com/account/user/wallet/");
    http_request_free(&request);
    call.task = "../wallet";
    CHECK_FAILS(driver()->request(&request, OP_POLL, &call, &err), ERR_INPUT);
    CHECK(!request.url);
}

/* A redirect turns a POST into a GET: every path of every model must end in a slash. */
static void test_threedaistudio__every_path_ends_in_a_slash(void)
{
    static const char *const models[] = {NULL,        "pro-3.0",   "pro-3.1",  "rapid",
                                         "tripo-3.0", "tripo-3.1", "tripo-p1", "trellis2"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (int photo = models[i] && strcmp(models[i], "trellis2") == 0; photo < 2; photo++) {
            struct generation_spec spec = {.model = models[i], .prompt = "a cat", .seed = -1};
            struct http_request request;
            if (photo)
                spec.images[VIEW_FRONT] = (struct generation_image)PHOTO;
            CHECK_OK(ask(&request, &spec));
            CHECK(request.url[strlen(request.url) - 1] == '/');
            cJSON *body = request_body(&request);
            CHECK((json_text(body, "prompt", NULL) != NULL) == !photo);
            CHECK((json_text(body, "image", NULL) != NULL) == (photo == 1));
            cJSON_Delete(body);
            http_request_free(&request);
        }
}

static void test_threedaistudio__refuses_what_a_model_cannot_do(void)
{
    char words[1400];
    memset(words, 'x', sizeof words);
    words[201] = 0;
    const struct generation_spec cannot[] = {
        {.images[VIEW_FRONT] = PHOTO, .model = "pro-9"},
        {.images[VIEW_BACK] = PHOTO},
        {.images = {PHOTO, PHOTO}, .model = "rapid"},
        {.images = {PHOTO, PHOTO}, .model = "trellis2"},
        {.prompt = "a cat", .model = "trellis2"},
        {.prompt = words, .model = "rapid"},
        {.prompt = ""},
        {.prompt = NULL},
        {.images[VIEW_FRONT] = PHOTO, .model = "tripo-p1", .parts = true},
        {.images[VIEW_FRONT] = PHOTO, .model = "tripo-3.1", .parts = true, .texture = true},
        /* front and back: without names the back would be taken for the left */
        {.images = {[VIEW_FRONT] = PHOTO, [VIEW_BACK] = PHOTO}, .model = "tripo-3.1"},
        {.tool = "segment", .source = "https://a.example/m.glb"},
        {.tool = "repair", .source = "7d3f1b2c-9a80"},
        {.tool = "repair", .source = "file:///etc/passwd"},
        {.tool = "repair"},
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof cannot / sizeof *cannot; i++) {
        int said = ask(&request, &cannot[i]);
        if (said == 0 || request.url)
            TEST_GIVE_UP("row %zu is taken", i);
        CHECK(err.kind == ERR_INPUT);
    }
    words[200] = 0;
    struct generation_spec can = {.prompt = words, .model = "rapid"};
    CHECK_OK(ask(&request, &can));
    http_request_free(&request);
}

static double asked_number(const char *model, const char *member, int faces)
{
    const struct generation_spec spec = {
        .images[VIEW_FRONT] = PHOTO, .model = model, .face_limit = faces, .seed = -1};
    struct http_request request;
    if (ask(&request, &spec))
        return -2;
    cJSON *body = request_body(&request);
    double number = json_number(body, member, -1);
    cJSON_Delete(body);
    http_request_free(&request);
    return number;
}

static void test_threedaistudio__keeps_faces_within_what_a_model_takes(void)
{
    CHECK_NEAR(asked_number(NULL, "face_count", 100), 40000, 0);
    CHECK_NEAR(asked_number(NULL, "face_count", 9000000), 1500000, 0);
    CHECK_NEAR(asked_number("tripo-p1", "face_limit", 100000), 20000, 0);
    CHECK_NEAR(asked_number("trellis2", "decimation_target", 1), 1000, 0);
    CHECK_NEAR(asked_number(NULL, "face_count", 0), -1, 0);
}

static void test_threedaistudio__a_grey_print_is_not_charged_for_its_texture(void)
{
    static const struct {
        const char *model, *member;
    } rows[] = {{"tripo-3.1", "texture"}, {"tripo-3.1", "pbr"},     {"tripo-p1", "texture"},
                {"tripo-p1", "pbr"},      {"trellis2", "textures"}, {"rapid", "enable_pbr"},
                {NULL, "enable_pbr"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct generation_spec spec = {.images[VIEW_FRONT] = PHOTO, .model = rows[i].model};
        struct http_request request;
        CHECK_OK(ask(&request, &spec));
        cJSON *body = request_body(&request);
        CHECK(!json_bool(body, rows[i].member, true));
        cJSON_Delete(body);
        http_request_free(&request);
    }
}

static void test_threedaistudio__free_options_change_no_photo(void)
{
    cJSON *options = cJSON_Parse("{\"image\":\"x\",\"prompt\":\"y\",\"multi_view_images\":[],"
                                 "\"generate_type\":\"LowPoly\"}");
    const struct generation_spec spec = {.images[VIEW_FRONT] = PHOTO, .passthrough = options};
    struct http_request request;
    CHECK_OK(ask(&request, &spec));
    cJSON *body = request_body(&request);
    CHECK(strncmp(json_text(body, "image", ""), "data:image/jpeg;base64,/9j/", 26) == 0);
    CHECK(!json_text(body, "prompt", NULL) && !json_get(body, "multi_view_images"));
    CHECK_TEXT(json_text(body, "generate_type", ""), "LowPoly");
    cJSON_Delete(body);
    cJSON_Delete(options);
    http_request_free(&request);
}

/* --- answers --- */

static void test_threedaistudio__a_success_without_a_number_is_in_doubt(void)
{
    static const char *const said[] = {"{\"task_id\":\"../x\"}",
                                       "{\"task_id\":7}",
                                       "{\"task_id\":\"\"}",
                                       "{}",
                                       "{\"code\":\"odd\\nword\"}",
                                       "[]",
                                       "<html>",
                                       ""};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct provider_reading r = read_op(OP_SUBMIT, 200, said[i]);
        CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE);
        CHECK(r.error == PROVIDER_PROTOCOL && !*r.task && !strchr(r.code, '\n'));
    }
    struct provider_reading r = read_op(
        OP_SUBMIT, 202, "{\"task_id\":\"a-1\",\"created_at\":\"2026-11-20T09:15:02.113Z\"}");
    CHECK(r.state == TASK_QUEUED && r.error == PROVIDER_OK && r.created_s == 1795166102);
    CHECK_TEXT(r.task, "a-1");
}

static void test_threedaistudio__takes_the_model_wherever_it_stands(void)
{
    struct provider_reading r =
        read_op(OP_POLL, 200,
                "{\"status\":\"FINISHED\",\"results\":["
                "{\"asset\":\"https://s.example/a.png\",\"asset_type\":\"IMAGE\"},"
                "{\"asset\":\"https://s.example/s.glb\",\"asset_type\":\"SCALED_3D_MODEL\"},"
                "{\"asset\":\"https://s.example/m.GLB?x=1\",\"asset_type\":\"3D_MODEL\","
                "\"thumbnail\":\"https://s.example/t.webp\"},"
                "{\"asset\":\"javascript:1\",\"asset_type\":\"3D_MODEL\"}, 7, null]}");
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 4);
    CHECK_TEXT(r.files[0].url, "https://s.example/m.GLB?x=1");
    CHECK_TEXT(r.files[0].kind, "model");
    CHECK_TEXT(r.files[0].format, "glb");
    CHECK_TEXT(r.files[1].kind, "image");
    CHECK_TEXT(r.files[2].kind, "other");
    CHECK_TEXT(r.files[3].url, "https://s.example/t.webp");
    provider_reading_free(&r);
    r = read_op(OP_POLL, 200,
                "{\"status\":\"FINISHED\",\"results\":[{\"asset\":\"https://s.example/a.zip\","
                "\"asset_type\":\"ARCHIVE\"}]}");
    CHECK(r.state == TASK_SUCCEEDED && strcmp(r.files[0].format, "zip") == 0);
    provider_reading_free(&r);
    r = read_op(OP_POLL, 200,
                "{\"status\":\"FINISHED\",\"results\":[{\"asset\":\"https://s.example/a.stl\","
                "\"asset_type\":\"A_TYPE_OF_TOMORROW\"}]}");
    CHECK(r.state == TASK_SUCCEEDED && strcmp(r.files[0].format, "stl") == 0);
    provider_reading_free(&r);
}

static void test_threedaistudio__finished_without_a_model_still_runs(void)
{
    static const char *const results[] = {
        "null",
        "[]",
        "{}",
        "[{}]",
        "[{\"asset\":7,\"asset_type\":\"3D_MODEL\"}]",
        "[{\"asset\":\"https://s.example/a.png\",\"asset_type\":\"IMAGE\"}]",
        "[{\"asset\":\"ftp://s.example/a.glb\",\"asset_type\":\"3D_MODEL\"}]",
        "[{\"asset\":\"https://s.example/a b.glb\",\"asset_type\":\"3D_MODEL\"}]"};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"status\":\"FINISHED\",\"results\":%s}", results[i]);
        struct provider_reading r = read_op(OP_POLL, 200, text);
        CHECK(r.state == TASK_RUNNING && r.error == PROVIDER_OK && r.file_count == 0);
    }
}

static void test_threedaistudio__tells_a_refusal_from_a_failure_by_its_words(void)
{
    static const struct {
        const char *words;
        enum task_state state;
        enum provider_retry retry;
    } rows[] = {{"Flagged by our MODERATION system", TASK_REJECTED, RETRY_NO},
                {"Sensitive content", TASK_REJECTED, RETRY_NO},
                {"NSFW", TASK_REJECTED, RETRY_NO},
                {"Inappropriate image", TASK_REJECTED, RETRY_NO},
                {"GPU out of memory", TASK_FAILED, RETRY_NEW_TASK},
                {"", TASK_FAILED, RETRY_NEW_TASK}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"status\":\"FAILED\",\"failure_reason\":\"%s\"}",
                 rows[i].words);
        struct provider_reading r = read_op(OP_POLL, 200, text);
        CHECK(r.state == rows[i].state && r.retry == rows[i].retry && r.credits == 0);
        CHECK_TEXT(r.message, rows[i].words);
    }
}

static void test_threedaistudio__believes_no_number_and_no_word_blindly(void)
{
    struct provider_reading r =
        read_op(OP_POLL, 200, "{\"status\":\"REMESHING\",\"progress\":1e300}");
    CHECK(r.state == TASK_RUNNING && r.progress == 100);
    r = read_op(OP_POLL, 200, "{\"status\":\"PENDING\",\"progress\":-5}");
    CHECK(r.state == TASK_QUEUED && r.progress == -1);
    r = read_op(OP_POLL, 200, "{\"status\":\"IN_PROGRESS\",\"progress\":\"55\"}");
    CHECK(r.state == TASK_RUNNING && r.progress == -1);
    r = read_op(OP_POLL, 200, "{\"status\":5}");
    CHECK(r.state == TASK_UNKNOWN && r.error == PROVIDER_PROTOCOL);
}

static void test_threedaistudio__reads_errors_in_every_form(void)
{
    struct provider_reading r =
        read_op(OP_SUBMIT, 400, "{\"error_code\":\"e\",\"detail\":{\"model\":[\"no\"]}}");
    CHECK(r.error == PROVIDER_BAD_INPUT && r.retry == RETRY_NO);
    CHECK_TEXT(r.code, "e");
    CHECK_TEXT(r.message, "{\"model\":[\"no\"]}");
    r = read_op(OP_SUBMIT, 400, "{\"message\":\"against our content policy\"}");
    CHECK(r.state == TASK_REJECTED && r.error == PROVIDER_CONTENT && r.retry == RETRY_NO);
    r = read_op(OP_SUBMIT, 403, "{\"code\":\"insufficient_credits\"}");
    CHECK(r.error == PROVIDER_CREDITS && r.retry == RETRY_OPERATOR);
    r = read_op(OP_SUBMIT, 504, "gateway");
    CHECK(r.retry == RETRY_RECONCILE);
    const struct provider_call call = {.settings = &settings};
    r = read_made_up(driver(), OP_SUBMIT, &call, 429, "{}", "{\"retry-after\":\"40\"}");
    CHECK(r.error == PROVIDER_RATE && r.retry_after_s == 40);
    r = read_op(OP_SUBMIT, 429, "{\"code\":\"rate_limited\"}"); /* a third of a minute, and one */
    CHECK(r.error == PROVIDER_RATE && r.retry == RETRY_YES && r.retry_after_s == 21);
}

static void test_threedaistudio__asks_the_other_wallet_once(void)
{
    struct provider_call call = {.settings = &settings};
    struct provider_reading r = read_made_up(driver(), OP_BALANCE, &call, 404, "", NULL);
    struct http_request request;
    CHECK(r.error == PROVIDER_NOT_FOUND && r.retry == RETRY_ONCE && r.aux);
    call.aux = r.aux;
    CHECK_OK(driver()->request(&request, OP_BALANCE, &call, &err));
    CHECK_TEXT(request.url, "https://api.3daistudio.com/user/wallet/");
    http_request_free(&request);
    struct provider_reading again = read_made_up(driver(), OP_BALANCE, &call, 404, "", NULL);
    CHECK(again.error == PROVIDER_NOT_FOUND && again.retry == RETRY_NO && !again.aux);
    provider_reading_free(&r);
}

static void test_threedaistudio__reads_a_balance_as_text_or_number(void)
{
    static const struct {
        const char *said;
        double balance;
    } rows[] = {{"\"150.00\"", 150}, {"12.5", 12.5}, {"0", 0},       {"\"12 EUR\"", -1},
                {"\"\"", -1},        {"null", -1},   {"\"nan\"", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"balance\":%s}", rows[i].said);
        struct provider_reading r = read_op(OP_BALANCE, 200, text);
        CHECK_NEAR(r.balance, rows[i].balance, 0);
        CHECK((r.error == PROVIDER_OK) == (rows[i].balance >= 0));
    }
}

static void test_threedaistudio__never_sends_more_than_three_a_minute(void)
{
    const struct provider_pace *pace = &driver()->pace;
    CHECK(pace->submits_per_min > 2.5 && pace->submits_per_min <= 3 && pace->burst == 1);
    CHECK(pace->poll_s >= 10);
}

TESTS(TEST(test_threedaistudio__builds_the_recorded_submits),
      TEST(test_threedaistudio__asks_at_the_recorded_addresses),
      TEST(test_threedaistudio__every_path_ends_in_a_slash),
      TEST(test_threedaistudio__refuses_what_a_model_cannot_do),
      TEST(test_threedaistudio__keeps_faces_within_what_a_model_takes),
      TEST(test_threedaistudio__a_grey_print_is_not_charged_for_its_texture),
      TEST(test_threedaistudio__free_options_change_no_photo),
      TEST(test_threedaistudio__a_success_without_a_number_is_in_doubt),
      TEST(test_threedaistudio__takes_the_model_wherever_it_stands),
      TEST(test_threedaistudio__finished_without_a_model_still_runs),
      TEST(test_threedaistudio__tells_a_refusal_from_a_failure_by_its_words),
      TEST(test_threedaistudio__believes_no_number_and_no_word_blindly),
      TEST(test_threedaistudio__reads_errors_in_every_form),
      TEST(test_threedaistudio__asks_the_other_wallet_once),
      TEST(test_threedaistudio__reads_a_balance_as_text_or_number),
      TEST(test_threedaistudio__never_sends_more_than_three_a_minute))
