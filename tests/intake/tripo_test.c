/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intake/provider/tripo: what is asked for, also against the recorded requests, and where a photo
 * may go.
 */
#include <unistd.h>

#include "tests/intake/tripo_exchange.h"

static const uint8_t small_jpeg[12] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1};
static cJSON *parsed(const char *text)
{
    cJSON *value = NULL;
    if (json_parse(&value, text, strlen(text), &err))
        abort();
    return value;
}

/* A spec with a picture that was brought there, of the front. */
static struct generation_spec photo_spec(void)
{
    struct generation_spec spec = {.texture = true, .seed = -1};
    spec.images[VIEW_FRONT] = (struct generation_image){
        small_jpeg, sizeof small_jpeg, "image/jpeg", "file_0b7f3c1a-2d4e-4f60-8a1b-9c8d7e6f5a4b"};
    return spec;
}

/* The body of the submit that the driver builds; NULL where it refuses. */
static cJSON *submit_body(const struct generation_spec *spec, const struct provider_settings *by,
                          char path[120])
{
    struct http_request request;
    cJSON *body = NULL;
    const struct provider_call call = {.settings = by, .spec = spec};
    memset(&err, 0, sizeof err);
    if (driver()->request(&request, OP_SUBMIT, &call, &err))
        return NULL;
    const char *rest = strstr(request.url, by == &v2 ? "/v2/openapi" : "/v3");
    snprintf(path, 120, "%s", rest ? rest + (by == &v2 ? 11 : 3) : request.url);
    if (strcmp(request.method, "POST") != 0 ||
        json_parse(&body, request.body.data, request.body.len, &err))
        body = NULL;
    http_request_free(&request);
    return body;
}

static bool body_is(const struct generation_spec *spec, const struct provider_settings *by,
                    const char *path, const char *expected)
{
    char ours[120];
    cJSON *body = submit_body(spec, by, ours), *wanted = parsed(expected);
    bool same = body && cJSON_Compare(body, wanted, true) && strcmp(path, ours) == 0;
    if (!same) {
        char *text = cJSON_PrintUnformatted(body);
        printf("# %s %s\n", body ? ours : err.what, text ? text : "");
        free(text);
    }
    cJSON_Delete(body);
    cJSON_Delete(wanted);
    return same;
}

static bool body_with(const struct generation_spec *spec, const char *options,
                      const struct provider_settings *by, const char *path, const char *expected)
{
    struct generation_spec with = *spec;
    cJSON *free_options = parsed(options);
    with.passthrough = free_options;
    bool same = body_is(&with, by, path, expected);
    cJSON_Delete(free_options);
    return same;
}

#define PHOTO "\"input\":\"file_0b7f3c1a-2d4e-4f60-8a1b-9c8d7e6f5a4b\""
#define IMAGE_PATH "/generation/image-to-model"

/* --- requests --- */

static void test_tripo__a_photo_is_asked_for_without_defaults(void)
{
    struct generation_spec spec = photo_spec();
    CHECK(body_is(&spec, &v3, IMAGE_PATH, "{" PHOTO ",\"model\":\"v3.1-20260211\"}"));
    spec.texture = false;
    spec.seed = 7;
    spec.face_limit = 50000;
    CHECK(body_is(&spec, &v3, IMAGE_PATH,
                  "{" PHOTO ",\"model\":\"v3.1-20260211\",\"texture\":false,\"pbr\":false,"
                  "\"model_seed\":7,\"face_limit\":50000}"));
    spec = photo_spec();
    CHECK(body_with(&spec,
                    "{\"texture\":true,\"quad\":false,\"orientation\":\"default\","
                    "\"compress\":\"geometry\",\"face_limit\":-1,\"auto_size\":true}",
                    &v3, IMAGE_PATH, "{" PHOTO ",\"model\":\"v3.1-20260211\",\"auto_size\":true}"));
}

static void test_tripo__four_slots_keep_their_places(void)
{
    struct generation_spec spec = photo_spec();
    spec.images[VIEW_BACK] = (struct generation_image){.mime = "image/png", .token = "file_b"};
    CHECK(body_is(&spec, &v3, "/generation/multiview-to-model",
                  "{\"inputs\":[\"file_0b7f3c1a-2d4e-4f60-8a1b-9c8d7e6f5a4b\",\"\",\"file_b\","
                  "\"\"],\"model\":\"v3.1-20260211\"}"));
    CHECK(body_is(&spec, &v2, "/task",
                  "{\"type\":\"multiview_to_model\",\"files\":[{\"type\":\"jpg\",\"file_token\":"
                  "\"file_0b7f3c1a-2d4e-4f60-8a1b-9c8d7e6f5a4b\"},{},{\"type\":\"png\","
                  "\"file_token\":\"file_b\"},{}],\"model_version\":\"v3.0-20250812\"}"));
    spec.images[VIEW_FRONT] = (struct generation_image){0};
    char path[120];
    CHECK(!submit_body(&spec, &v3, path) && err.kind == ERR_INPUT); /* no front */
    spec = photo_spec();
    spec.images[VIEW_FRONT].token = NULL;
    CHECK(!submit_body(&spec, &v3, path) && err.kind == ERR_INPUT); /* not brought there */
}

static void test_tripo__words_alone_are_a_task_too(void)
{
    struct generation_spec spec = {.prompt = "a small fox", .texture = true, .seed = 3};
    char path[120], *long_prompt = calloc(1, 1026);
    CHECK(body_is(&spec, &v3, "/generation/text-to-model",
                  "{\"prompt\":\"a small fox\",\"model\":\"v3.1-20260211\",\"model_seed\":3,"
                  "\"image_seed\":3}"));
    CHECK(body_is(&spec, &v2, "/task",
                  "{\"type\":\"text_to_model\",\"prompt\":\"a small fox\",\"model_version\":"
                  "\"v3.0-20250812\",\"model_seed\":3,\"image_seed\":3}"));
    memset(long_prompt, 'x', 1025);
    spec.prompt = long_prompt;
    cJSON *body = submit_body(&spec, &v3, path);
    free(long_prompt);
    CHECK(!body && err.kind == ERR_INPUT);
    spec.prompt = "";
    CHECK(!submit_body(&spec, &v3, path) && err.kind == ERR_INPUT);
}

static void test_tripo__a_free_option_never_replaces_the_photo(void)
{
    struct generation_spec spec = photo_spec();
    static const char options[] =
        "{\"input\":\"https://other.example/child.jpg\",\"inputs\":[\"x\"],\"file\":{\"url\":\"x\"}"
        ",\"files\":[],\"type\":\"animate_rig\",\"original_model_task_id\":\"x\",\"model\":\"\","
        "\"orientation\":\"align_image\"}";
    CHECK(body_with(&spec, options, &v3, IMAGE_PATH,
                    "{" PHOTO ",\"model\":\"v3.1-20260211\",\"orientation\":\"align_image\"}"));
    CHECK(body_with(&spec, options, &v2, "/task",
                    "{\"type\":\"image_to_model\",\"file\":{\"type\":\"jpg\",\"file_token\":"
                    "\"file_0b7f3c1a-2d4e-4f60-8a1b-9c8d7e6f5a4b\"},\"model_version\":"
                    "\"v3.0-20250812\",\"orientation\":\"align_image\"}"));
}

static void test_tripo__faces_are_bounded_by_the_model(void)
{
    static const struct {
        const char *model, *options;
        int asked;
        double given; /* 0: left out */
    } rows[] = {
        {"v3.1-20260211", "{}", 3000000, 1500000},
        {"v3.1-20260211", "{\"geometry_quality\":\"detailed\"}", 3000000, 2000000},
        {"v3.0-20250812", "{}", 3000000, 1000000},
        {"v2.5-20250123", "{}", 3000000, 500000},
        {"v9-not-known-yet", "{}", 3000000, 500000},
        {"P1-20260311", "{}", 3000000, 20000},
        {"P1-20260311", "{}", 10, 48},
        {"v3.1-20260211", "{\"quad\":true}", 3000000, 150000},
        {"v3.1-20260211", "{\"smart_low_poly\":true}", 3000000, 16000},
        {"v3.1-20260211", "{\"smart_low_poly\":true}", 10, 1000},
        {"v3.1-20260211", "{\"face_limit\":-1}", 1000, 0},
        {"v3.1-20260211", "{\"face_limit\":\"many\"}", 1000, 0},
        {"v3.1-20260211", "{\"face_limit\":1234.9}", 1000, 1234},
        {"v3.1-20260211", "{}", -1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct generation_spec spec = photo_spec();
        char path[120];
        cJSON *options = parsed(rows[i].options);
        spec.model = rows[i].model;
        spec.face_limit = rows[i].asked;
        spec.passthrough = options;
        cJSON *body = submit_body(&spec, &v3, path);
        double given = json_number(body, "face_limit", 0);
        bool has = cJSON_HasObjectItem(body, "face_limit");
        cJSON_Delete(options);
        cJSON_Delete(body);
        if (given != rows[i].given || has != (given != 0))
            TEST_GIVE_UP("row %zu: %g", i, given);
    }
}

static void test_tripo__the_p_models_get_no_options_of_others(void)
{
    struct generation_spec spec = photo_spec();
    spec.model = "P1-20260311";
    spec.parts = true;
    CHECK(body_with(&spec,
                    "{\"quad\":true,\"smart_low_poly\":true,\"geometry_quality\":\"detailed\","
                    "\"texture_quality\":\"detailed\"}",
                    &v3, IMAGE_PATH,
                    "{" PHOTO ",\"model\":\"P1-20260311\",\"texture_quality\":\"detailed\"}"));
}

static void test_tripo__parts_are_asked_for_without_a_texture(void)
{
    struct generation_spec spec = photo_spec();
    spec.parts = true;
    CHECK(body_with(&spec, "{\"pbr\":true,\"quad\":true,\"texture_quality\":\"detailed\"}", &v3,
                    IMAGE_PATH,
                    "{" PHOTO ",\"model\":\"v3.1-20260211\",\"generate_parts\":true,"
                    "\"texture\":false,\"pbr\":false}"));
}

static void test_tripo__tools_work_on_a_task(void)
{
    struct generation_spec spec = {.tool = "convert", .source = TASK, .face_limit = 9000};
    char path[120];
    CHECK(body_with(&spec, "{\"format\":\"stl\",\"bake\":true}", &v3, "/models/convert",
                    "{\"input\":\"" TASK "\",\"format\":\"STL\",\"face_limit\":9000}"));
    CHECK(!submit_body(&spec, &v3, path) && err.kind == ERR_INPUT); /* no format */
    spec = (struct generation_spec){.tool = "decimate", .source = TASK, .face_limit = 100};
    CHECK(body_is(&spec, &v3, "/mesh/decimate", "{\"input\":\"" TASK "\",\"face_limit\":1000}"));
    CHECK(body_is(&spec, &v2, "/task",
                  "{\"type\":\"highpoly_to_lowpoly\",\"original_model_task_id\":\"" TASK
                  "\",\"face_limit\":1000}"));
    spec = (struct generation_spec){.tool = "refine", .source = TASK};
    CHECK(body_is(&spec, &v2, "/task",
                  "{\"type\":\"refine_model\",\"draft_model_task_id\":\"" TASK "\"}"));
    spec = (struct generation_spec){
        .tool = "texture", .source = TASK, .prompt = "worn bronze", .model = "v3.0-20250812"};
    CHECK(body_is(&spec, &v3, "/models/texture",
                  "{\"input\":\"" TASK "\",\"model\":\"v3.0-20250812\",\"texture_prompt\":"
                  "{\"text\":\"worn bronze\"}}"));
    spec = (struct generation_spec){.tool = "smart_segment", .source = TASK};
    CHECK(body_is(&spec, &v3, "/mesh/smartsegment", "{\"input\":\"" TASK "\"}"));
    CHECK(!submit_body(&spec, &v2, path) && err.kind == ERR_INPUT); /* not in V2 */
    spec.tool = "hollow";
    CHECK(!submit_body(&spec, &v3, path) && err.kind == ERR_INPUT);
    spec = (struct generation_spec){.tool = "segment", .source = "../tasks"};
    CHECK(!submit_body(&spec, &v3, path) && err.kind == ERR_INPUT);
}

static void test_tripo__refuses_what_cannot_be_a_request(void)
{
    struct http_request request;
    struct generation_spec spec = photo_spec();
    const struct provider_settings none = {0}, client = {.api_key = "tcli_EXAMPLE"},
                                   other = {.api_key = "tsk_EXAMPLE", .dialect = "v4"};
    const char *many[101];
    for (size_t i = 0; i < 101; i++)
        many[i] = TASK;
    struct provider_call call = {.settings = &none, .spec = &spec, .tasks = many};
    CHECK_FAILS(driver()->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
    call.settings = &client;
    CHECK_FAILS(driver()->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
    call.settings = &other;
    CHECK_FAILS(driver()->request(&request, OP_SUBMIT, &call, &err), ERR_INPUT);
    call.settings = &v3;
    CHECK_FAILS(driver()->request(&request, OP_POLL, &call, &err), ERR_INPUT); /* no id */
    call.task = "../account/balance";
    CHECK_FAILS(driver()->request(&request, OP_POLL, &call, &err), ERR_INPUT);
    CHECK_FAILS(driver()->request(&request, OP_POLL_MANY, &call, &err), ERR_INPUT);
    call.task_count = 101;
    CHECK_FAILS(driver()->request(&request, OP_POLL_MANY, &call, &err), ERR_INPUT);
    call.settings = &v2;
    CHECK_FAILS(driver()->request(&request, OP_RECENT, &call, &err), ERR_INPUT);
    CHECK_FAILS(driver()->request(&request, OP_STREAM, &call, &err), ERR_INPUT);
}

/* --- the recorded requests --- */

static cJSON *recorded(const char *file)
{
    char path[600];
    const char *shared = getenv("STATUETTE_SHARED");
    cJSON *exchange = NULL;
    snprintf(path, sizeof path, "%s/transcripts/%s.json", shared && *shared ? shared : "../shared",
             file);
    if (access(path, R_OK) == 0 && json_read_file(&exchange, path, &err))
        abort();
    return exchange;
}

/* Recordings spell out defaults, which we leave out on purpose. */
static void drop_spelt_defaults(cJSON *body)
{
    static const struct {
        const char *name, *value;
    } defaults[] = {{"texture", "true"},
                    {"pbr", "true"},
                    {"texture_quality", "\"standard\""},
                    {"geometry_quality", "\"standard\""},
                    {"orientation", "\"default\""},
                    {"auto_size", "false"},
                    {"flatten_bottom_threshold", "0.01"},
                    {"scale_factor", "1"}};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(body, defaults[i].name));
        if (text && strcmp(text, defaults[i].value) == 0)
            cJSON_DeleteItemFromObject(body, defaults[i].name);
        free(text);
    }
}

/* "" where our request is the recorded one, else what differs. */
static const char *compare_request(const cJSON *theirs, struct http_request *ours, const char *base)
{
    const cJSON *parts = json_get(json_get(theirs, "body"), "$multipart");
    const char *key = json_text(json_get(theirs, "headers"), "Authorization", "");
    cJSON *body = cJSON_Duplicate(json_get(theirs, "body"), true), *mine = NULL;
    const char *differs = "";
    drop_spelt_defaults(body);
    if (ours->body.len && json_parse(&mine, ours->body.data, ours->body.len, NULL))
        mine = NULL;
    if (strcmp(ours->method, json_text(theirs, "method", "")) != 0)
        differs = "method";
    else if (strncmp(ours->url, base, strlen(base)) != 0 ||
             strcmp(ours->url + strlen(base), json_text(theirs, "path", "")) != 0)
        differs = "address";
    else if (strcmp(json_text(ours->headers, "Authorization", ""), key) != 0)
        differs = "key";
    else if (parts && (ours->file_count != 1 || strcmp(ours->files[0].name, "file") != 0 ||
                       strcmp(ours->files[0].filename, "photo.jpg") != 0))
        differs = "form";
    else if (!parts && !json_get(body, "$binary") && (mine || cJSON_IsObject(body)) &&
             !cJSON_Compare(mine, body, true))
        differs = "body";
    cJSON_Delete(body);
    cJSON_Delete(mine);
    return differs;
}

static const char *compare_recorded(const char *file, enum provider_op op,
                                    const struct provider_call *call)
{
    struct http_request ours;
    cJSON *exchange = recorded(file);
    const char *base = json_text(json_get(exchange, "meta"), "base_url", "");
    if (driver()->request(&ours, op, call, &err)) {
        cJSON_Delete(exchange);
        return err.what;
    }
    const char *differs = compare_request(json_get(exchange, "request"), &ours, base);
    http_request_free(&ours);
    cJSON_Delete(exchange);
    return differs;
}

#define CHECK_RECORDED(file, op, ...)                                                              \
    do {                                                                                           \
        const struct provider_call call_ = {__VA_ARGS__};                                          \
        const char *differs_ = compare_recorded(file, op, &call_);                                 \
        if (*differs_)                                                                             \
            TEST_GIVE_UP("%s: %s", file, differs_);                                                \
    } while (0)

static bool no_transcripts(void)
{
    cJSON *one = recorded("tripo_v3/01_upload_file");
    cJSON_Delete(one);
    return !one;
}

static void test_tripo__v3_requests_are_the_recorded_ones(void)
{
    if (no_transcripts())
        SKIP("no transcripts");
    struct generation_spec spec = photo_spec();
    const char *two[] = {TASK, "deadbeef-0000-4000-8000-000000000000"};
    CHECK_RECORDED("tripo_v3/01_upload_file", OP_UPLOAD, .settings = &v3, .spec = &spec);
    CHECK_RECORDED("tripo_v3/03_presigned_put", OP_UPLOAD, .settings = &v3, .spec = &spec,
                   .aux = "{\"url\":\"https://tripo-data.s3.us-west-2.amazonaws.com/u/abc.jpg"
                          "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=1800"
                          "&X-Amz-Signature=00ff\",\"token\":\"t\"}");
    spec.face_limit = 200000;
    CHECK_RECORDED("tripo_v3/04_submit_image_to_model", OP_SUBMIT, .settings = &v3, .spec = &spec);
    CHECK_RECORDED("tripo_v3/05_poll_queued", OP_POLL, .settings = &v3, .task = TASK);
    CHECK_RECORDED("tripo_v3/24_list_tasks", OP_POLL_MANY, .settings = &v3, .tasks = two,
                   .task_count = 2);
    CHECK_RECORDED("tripo_v3/28_balance", OP_BALANCE, .settings = &v3);
    CHECK_RECORDED("tripo_v3/29_usage", OP_RECENT, .settings = &v3);
    cJSON *options = parsed("{\"format\":\"3MF\",\"flatten_bottom\":true,"
                            "\"pivot_to_center_bottom\":true,\"scale_factor\":1.0}");
    spec = (struct generation_spec){.tool = "convert", .source = TASK, .passthrough = options};
    CHECK_RECORDED("tripo_v3/25_convert_submit_3mf", OP_SUBMIT, .settings = &v3, .spec = &spec);
    cJSON_Delete(options);
}

static void test_tripo__v2_requests_are_the_recorded_ones(void)
{
    if (no_transcripts())
        SKIP("no transcripts");
    struct generation_spec spec = photo_spec();
    const char *two[] = {TASK, "c1b2a3d4-0000-4e5f-8a9b-112233445566"};
    spec.images[VIEW_FRONT].token = "1b2c3d4e-5f60-4711-8899-aabbccddeeff";
    CHECK_RECORDED("tripo_v2/01_upload", OP_UPLOAD, .settings = &v2, .spec = &spec);
    CHECK_RECORDED("tripo_v2/03_submit_image_to_model", OP_SUBMIT, .settings = &v2, .spec = &spec);
    spec.images[VIEW_BACK] = spec.images[VIEW_FRONT];
    CHECK_RECORDED("tripo_v2/05_submit_multiview", OP_SUBMIT, .settings = &v2, .spec = &spec);
    CHECK_RECORDED("tripo_v2/06_poll_queued", OP_POLL, .settings = &v2, .task = TASK);
    CHECK_RECORDED("tripo_v2/23_batch", OP_POLL_MANY, .settings = &v2, .tasks = two,
                   .task_count = 2);
    CHECK_RECORDED("tripo_v2/24_balance", OP_BALANCE, .settings = &v2);
    cJSON *options = parsed("{\"format\":\"STL\",\"flatten_bottom\":true,"
                            "\"pivot_to_center_bottom\":true}");
    spec = (struct generation_spec){
        .tool = "convert", .source = TASK, .passthrough = options, .face_limit = 200000};
    CHECK_RECORDED("tripo_v2/22_convert_stl", OP_SUBMIT, .settings = &v2, .spec = &spec);
    cJSON_Delete(options);
}

/* --- uploads --- */

static void test_tripo__a_large_file_goes_to_a_presigned_address(void)
{
    struct http_request request;
    struct generation_spec spec = photo_spec();
    struct provider_call call = {.settings = &v3, .spec = &spec};
    spec.images[VIEW_FRONT].bytes = ((size_t)60 << 20) + 1; /* only counted here */
    CHECK_OK(driver()->request(&request, OP_UPLOAD, &call, &err));
    CHECK(strstr(request.url, "/files/presign"));
    CHECK_TEXT((char *)request.body.data, "{\"format\":\"jpg\"}");
    http_request_free(&request);
    struct provider_reading reading =
        read_call(OP_UPLOAD, &call, 200,
                  "{\"code\":0,\"data\":{\"file_token\":\"file_x\",\"upload_url\":\"https://b.s3."
                  "us-west-2.amazonaws.com/u?sig=1\",\"expires_at\":\"2026-11-20T09:15:02Z\"}}");
    CHECK(reading.next == NEXT_UPLOAD && reading.aux);
    spec.images[VIEW_FRONT].bytes = sizeof small_jpeg;
    call.aux = reading.aux;
    CHECK_OK(driver()->request(&request, OP_UPLOAD, &call, &err));
    CHECK_TEXT(request.method, "PUT");
    CHECK_TEXT(request.url, "https://b.s3.us-west-2.amazonaws.com/u?sig=1");
    CHECK(!json_text(request.headers, "Authorization", NULL));
    CHECK_TEXT(json_text(request.headers, "Content-Type", ""), "image/jpeg");
    CHECK(request.body.len == sizeof small_jpeg &&
          memcmp(request.body.data, small_jpeg, sizeof small_jpeg) == 0);
    http_request_free(&request);
    struct provider_reading put = read_call(OP_UPLOAD, &call, 200, "");
    CHECK(put.error == PROVIDER_OK && put.next == NEXT_NONE);
    CHECK_TEXT(put.token, "file_x");
    provider_reading_free(&put);
    put = read_call(OP_UPLOAD, &call, 403, "<Error><Code>AccessDenied</Code></Error>");
    CHECK(put.error == PROVIDER_URL_EXPIRED && put.retry == RETRY_YES && !put.token);
    provider_reading_free(&put);
    provider_reading_free(&reading);
}

/* A photo of a customer's would go wherever the answer says. */
static void test_tripo__a_photo_goes_to_known_hosts_only(void)
{
    static const char *const bad[] = {"http://b.s3.us-west-2.amazonaws.com/u",
                                      "https://169.254.169.254/latest",
                                      "https://evil.example/u",
                                      "https://b.s3.us-west-2.amazonaws.com@evil.example/u",
                                      "https://evil.example/.s3.amazonaws.com",
                                      "https://evil.example#.tripo3d.ai",
                                      "https://evil.example\\\\.tripo3d.ai/",
                                      "https://eviltripo3d.ai/u",
                                      "https://ec2-1-2-3-4.compute.amazonaws.com/x.s3.",
                                      "https:///u.s3.amazonaws.com",
                                      "file:///etc/passwd",
                                      "https://openapi.tripo3d.ai.evil.example/v3"};
    struct generation_spec spec = photo_spec();
    const struct provider_call call = {.settings = &v3, .spec = &spec};
    char text[300];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text,
                 "{\"code\":0,\"data\":{\"file_token\":\"t\",\"presigned_url\":\"%s\"}}", bad[i]);
        struct provider_reading reading = read_call(OP_UPLOAD, &call, 200, text);
        bool refused = reading.error == PROVIDER_PROTOCOL && !reading.aux && !reading.next;
        provider_reading_free(&reading);
        if (!refused)
            TEST_GIVE_UP("would send a photo to %s", bad[i]);
        struct http_request request;
        snprintf(text, sizeof text, "{\"url\":\"%s\",\"token\":\"t\"}", bad[i]);
        const struct provider_call put = {.settings = &v3, .spec = &spec, .aux = text};
        CHECK_FAILS(driver()->request(&request, OP_UPLOAD, &put, &err), ERR_INPUT);
    }
    const struct provider_settings own = {
        .api_key = "k", .base_url = "http://127.0.0.1:8000/v3", .upload_url = "http://files:9/x"};
    const struct provider_call mine = {.settings = &own, .spec = &spec};
    struct provider_reading reading = read_call(
        OP_UPLOAD, &mine, 200,
        "{\"code\":0,\"data\":{\"file_token\":\"t\",\"presigned_url\":\"http://127.0.0.1:8000/p\"}"
        "}");
    CHECK(reading.next == NEXT_UPLOAD);
    provider_reading_free(&reading);
    reading = read_call(
        OP_UPLOAD, &mine, 200,
        "{\"code\":0,\"data\":{\"file_token\":\"t\",\"presigned_url\":\"http://127.0.0.1:80/p\"}}");
    CHECK(reading.error == PROVIDER_PROTOCOL);
    provider_reading_free(&reading);
}

TESTS(TEST(test_tripo__a_photo_is_asked_for_without_defaults),
      TEST(test_tripo__four_slots_keep_their_places), TEST(test_tripo__words_alone_are_a_task_too),
      TEST(test_tripo__a_free_option_never_replaces_the_photo),
      TEST(test_tripo__faces_are_bounded_by_the_model),
      TEST(test_tripo__the_p_models_get_no_options_of_others),
      TEST(test_tripo__parts_are_asked_for_without_a_texture),
      TEST(test_tripo__tools_work_on_a_task), TEST(test_tripo__refuses_what_cannot_be_a_request),
      TEST(test_tripo__v3_requests_are_the_recorded_ones),
      TEST(test_tripo__v2_requests_are_the_recorded_ones),
      TEST(test_tripo__a_large_file_goes_to_a_presigned_address),
      TEST(test_tripo__a_photo_goes_to_known_hosts_only))
