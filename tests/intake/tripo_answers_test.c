/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intake/provider/tripo: what is made of answers and pushes that nobody recorded, and of spoilt
 * ones.
 */
#include "base/hash.h"
#include "tests/intake/tripo_exchange.h"

#define NOW 1795166200

static void test_tripo_answers__every_code_has_its_meaning(void)
{
    static const struct {
        int status, code;
        enum provider_error error;
        enum provider_retry retry;
    } rows[] = {
        {500, 1000, PROVIDER_SERVER, RETRY_RECONCILE},
        {500, 1001, PROVIDER_SERVER, RETRY_RECONCILE},
        {502, 0, PROVIDER_SERVER, RETRY_RECONCILE},
        {401, 1002, PROVIDER_AUTH, RETRY_OPERATOR},
        {401, 2, PROVIDER_AUTH, RETRY_OPERATOR},
        {401, 2010, PROVIDER_AUTH, RETRY_OPERATOR},
        {400, 1003, PROVIDER_BAD_INPUT, RETRY_NO},
        {405, 1003, PROVIDER_BAD_INPUT, RETRY_NO},
        {415, 1003, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 1004, PROVIDER_BAD_INPUT, RETRY_NO},
        {403, 1005, PROVIDER_AUTH, RETRY_OPERATOR},
        {403, 0, PROVIDER_AUTH, RETRY_OPERATOR},
        {429, 1007, PROVIDER_RATE, RETRY_YES},
        {429, 0, PROVIDER_RATE, RETRY_YES},
        {429, 2000, PROVIDER_CONCURRENCY, RETRY_YES},
        {404, 2001, PROVIDER_NOT_FOUND, RETRY_NO},
        {400, 2002, PROVIDER_BAD_INPUT, RETRY_OPERATOR},
        {400, 2015, PROVIDER_BAD_INPUT, RETRY_OPERATOR},
        {400, 2016, PROVIDER_BAD_INPUT, RETRY_OPERATOR},
        {400, 2017, PROVIDER_BAD_INPUT, RETRY_OPERATOR},
        {400, 2003, PROVIDER_BAD_INPUT, RETRY_ONCE},
        {400, 2004, PROVIDER_BAD_INPUT, RETRY_NO},
        {404, 2019, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 2020, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 2021, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 2022, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 2006, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 2007, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 2018, PROVIDER_BAD_INPUT, RETRY_NO},
        {400, 2008, PROVIDER_CONTENT, RETRY_NO},
        {400, 2009, PROVIDER_CONTENT, RETRY_NO},
        {403, 2010, PROVIDER_CREDITS, RETRY_OPERATOR},
        {403, 2013, PROVIDER_CREDITS, RETRY_OPERATOR},
        {500, 2014, PROVIDER_SERVER, RETRY_YES},
        {404, 4001, PROVIDER_PROTOCOL, RETRY_NO},
        {404, 0, PROVIDER_PROTOCOL, RETRY_OPERATOR},
        {301, 0, PROVIDER_PROTOCOL, RETRY_OPERATOR},
        {426, 0, PROVIDER_PROTOCOL, RETRY_OPERATOR},
        {410, 0, PROVIDER_PROTOCOL, RETRY_OPERATOR},
        {400, 7777, PROVIDER_BAD_INPUT, RETRY_NO},
        {200, 2010, PROVIDER_CREDITS, RETRY_OPERATOR},
        {200, 7777, PROVIDER_PROTOCOL, RETRY_RECONCILE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[120];
        snprintf(text, sizeof text, rows[i].code ? "{\"code\":%d,\"message\":\"m\"}" : "gone",
                 rows[i].code);
        struct provider_reading r = read_as(OP_SUBMIT, &v3, rows[i].status, text);
        bool right = r.error == rows[i].error && r.retry == rows[i].retry && !*r.task;
        if (rows[i].code && (strcmp(r.message, "m") != 0 || atoi(r.code) != rows[i].code))
            right = false;
        provider_reading_free(&r);
        if (!right)
            TEST_GIVE_UP("%d/%d: %s, %s", rows[i].status, rows[i].code,
                         provider_error_name(r.error), provider_retry_name(r.retry));
    }
}

static void test_tripo_answers__a_submit_without_an_id_is_in_doubt(void)
{
    static const char *const bodies[] = {"{\"code\":0,\"data\":{}}",
                                         "{\"code\":0}",
                                         "<html>",
                                         "",
                                         "{\"code\":0,\"data\":{\"task_id\":7}}",
                                         "{\"code\":0,\"data\":{\"task_id\":\"../x\"}}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct provider_reading r = read_as(OP_SUBMIT, &v3, 200, bodies[i]);
        CHECK(r.state == TASK_UNKNOWN && r.error == PROVIDER_PROTOCOL);
        CHECK(r.retry == RETRY_RECONCILE && !*r.task);
        provider_reading_free(&r);
    }
    struct http_answer none = {.sent = true, .retry_after_s = -1};
    struct provider_reading r;
    const struct provider_call call = {.settings = &v3};
    CHECK_OK(driver()->read(&r, OP_SUBMIT, &call, &none, &err));
    CHECK(r.state == TASK_UNKNOWN && r.retry == RETRY_RECONCILE);
    provider_reading_free(&r);
}

#define V3_TASK(rest) "{\"code\":0,\"data\":{\"task_id\":\"" TASK "\"," rest "}}"

static void test_tripo_answers__failed_tasks_say_whose_fault_it_was(void)
{
    static const struct {
        const struct provider_settings *by;
        const char *rest;
        enum task_state state;
        enum provider_error error;
        enum provider_retry retry;
    } rows[] = {
        {&v3, "\"error_code\":1001", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {&v3, "\"error_code\":null", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {&v3, "\"error_code\":2014", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {&v3, "\"error_code\":1007", TASK_FAILED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {&v3, "\"error_code\":\"2008\"", TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO},
        {&v3, "\"error\":{\"code\":2008}", TASK_REJECTED, PROVIDER_CONTENT, RETRY_NO},
        {&v3, "\"error_code\":2018", TASK_EXPIRED, PROVIDER_SERVER, RETRY_NEW_TASK},
        {&v2, "\"error_code\":2018", TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
        {&v2, "\"error_code\":1004", TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        snprintf(text, sizeof text, V3_TASK("\"status\":\"failed\",%s"), rows[i].rest);
        struct provider_reading r = read_as(OP_POLL, rows[i].by, 200, text);
        bool right =
            r.state == rows[i].state && r.error == rows[i].error && r.retry == rows[i].retry;
        provider_reading_free(&r);
        if (!right)
            TEST_GIVE_UP("row %zu", i);
    }
}

static void test_tripo_answers__the_best_model_comes_first(void)
{
    struct provider_reading r =
        read_as(OP_POLL, &v2, 200,
                V3_TASK("\"status\":\"success\",\"output\":{\"base_model\":\"https://f.example/b."
                        "glb\",\"rendered_image\":\"https://f.example/r.webp\",\"model\":"
                        "\"https://f.example/m.glb\",\"pbr_model\":\"https://f.example/p.glb?k=1\""
                        "},\"consumed_credit\":30,\"create_time\":1792400102"));
    CHECK(r.state == TASK_SUCCEEDED && r.file_count == 4);
    CHECK_TEXT(r.files[0].kind, "model");
    CHECK_TEXT(r.files[0].url, "https://f.example/p.glb?k=1");
    CHECK_TEXT(r.files[0].format, "glb");
    CHECK_TEXT(r.files[1].kind, "other");
    CHECK_TEXT(r.files[2].kind, "model_plain");
    CHECK_TEXT(r.files[3].kind, "image");
    CHECK(r.credits == 30 && r.created_s == 1792400102 && r.progress == 100);
    provider_reading_free(&r);
    r = read_as(OP_POLL, &v3, 200,
                V3_TASK("\"status\":\"success\",\"output\":{\"model_urls\":[\"https://f.example/1\""
                        ",\"https://f.example/2\",7]},\"input\":{\"model\":\"v3.1-20260211\"}"));
    CHECK(r.file_count == 2 && strcmp(r.files[0].kind, "model") == 0);
    CHECK_TEXT(r.files[1].kind, "other");
    CHECK_TEXT(r.model_version, "v3.1-20260211");
    provider_reading_free(&r);
    r = read_as(OP_POLL, &v2, 200,
                V3_TASK("\"status\":\"success\",\"output\":{},\"result\":{\"base_model\":{\"type\":"
                        "\"fbx\",\"url\":\"https://f.example/b\"}}"));
    CHECK(r.file_count == 1 && strcmp(r.files[0].kind, "model") == 0);
    CHECK_TEXT(r.files[0].format, "fbx");
    provider_reading_free(&r);
}

static void test_tripo_answers__a_success_without_a_file_is_still_coming(void)
{
    struct provider_reading r =
        read_as(OP_POLL, &v3, 200, V3_TASK("\"status\":\"success\",\"output\":{}"));
    CHECK(r.state == TASK_RUNNING && r.error == PROVIDER_OK);
    provider_reading_free(&r);
    r = read_as(
        OP_POLL, &v3, 200,
        V3_TASK("\"status\":\"success\",\"output\":{\"model_url\":\"file:///etc/passwd\"}"));
    CHECK(r.state == TASK_RUNNING && r.file_count == 0);
    provider_reading_free(&r);
    r = read_as(OP_POLL, &v3, 200,
                V3_TASK("\"status\":\"success\",\"output\":{\"riggable\":false}"));
    CHECK(r.state == TASK_SUCCEEDED);
    provider_reading_free(&r);
}

static void test_tripo_answers__numbers_that_cannot_be_are_unknown(void)
{
    struct provider_reading r =
        read_as(OP_POLL, &v2, 200,
                V3_TASK("\"status\":\"running\",\"progress\":-5,\"running_left_time\":-1,"
                        "\"queuing_num\":\"3\",\"consumed_credit\":-5,\"create_time\":1e300"));
    CHECK(r.state == TASK_RUNNING && r.progress == -1 && r.eta_s == -1);
    CHECK(r.queue_position == -1 && r.credits == -1 && r.created_s == 0);
    provider_reading_free(&r);
    r = read_as(OP_BALANCE, &v3, 200, "{\"code\":0,\"data\":{\"balance\":\"12.5\"}}");
    CHECK(r.balance == 12.5 && r.frozen == -1 && r.error == PROVIDER_OK);
    provider_reading_free(&r);
    r = read_as(OP_BALANCE, &v3, 200, "{\"code\":0,\"data\":{\"balance\":\"much\"}}");
    CHECK(r.balance == -1 && r.error == PROVIDER_PROTOCOL);
    provider_reading_free(&r);
}

static void test_tripo_answers__many_are_told_apart(void)
{
    const char *asked[] = {"a", "b", "c"};
    const struct provider_call call = {.settings = &v3, .tasks = asked, .task_count = 3};
    struct provider_reading r = read_call(
        OP_POLL_MANY, &call, 200,
        "{\"code\":0,\"data\":{\"tasks\":{\"a\":{\"task_id\":\"zzz\",\"status\":\"success\","
        "\"output\":{\"model_url\":\"https://f.example/a.glb\"}},\"stranger\":{\"status\":"
        "\"running\"}},\"missed\":[\"b\",\"other\"]}}");
    CHECK(r.many_count == 2); /* c is not mentioned, the others were not asked for */
    CHECK_TEXT(r.many[0].task, "a");
    CHECK(r.many[0].state == TASK_SUCCEEDED && r.many[0].file_count == 1);
    CHECK_TEXT(r.many[1].task, "b");
    CHECK(r.many[1].error == PROVIDER_NOT_FOUND && r.many[1].retry == RETRY_NO);
    provider_reading_free(&r);
    r = read_call(OP_POLL_MANY, &call, 200, "{\"code\":0,\"data\":{}}");
    CHECK(r.error == PROVIDER_PROTOCOL && r.many_count == 0);
    provider_reading_free(&r);
}

static void test_tripo_answers__the_usage_list_has_pages(void)
{
    struct http_request request;
    const struct provider_call call = {.settings = &v3, .page = 2};
    CHECK_OK(driver()->request(&request, OP_RECENT, &call, &err));
    CHECK_TEXT(request.url, "https://openapi.tripo3d.ai/v3/account/usage?limit=50&offset=100");
    http_request_free(&request);
    struct provider_reading r =
        read_as(OP_RECENT, &v3, 200,
                "{\"code\":0,\"data\":[{\"task_id\":\"t1\",\"status\":\"running\",\"created_at\":"
                "\"2026-11-20T09:15:02Z\"},{\"task_id\":\"/..\"},7]}");
    CHECK(r.many_count == 1 && r.many[0].created_s == 1795166102);
    CHECK_TEXT(r.many[0].task, "t1");
    provider_reading_free(&r);
}

static void test_tripo_answers__the_last_whole_frame_counts(void)
{
    struct provider_reading r =
        read_as(OP_STREAM, &v2, 200,
                "{\"event\":\"update\",\"data\":{\"task_id\":\"t\",\"status\":\"running\","
                "\"progress\":60}}\n{\"event\":\"finalized\",\"data\":{\"task_id\":\"t\",\"sta");
    CHECK(r.state == TASK_RUNNING && r.progress == 60);
    provider_reading_free(&r);
    r = read_as(OP_STREAM, &v2, 200, "");
    CHECK(r.state == TASK_RUNNING);
    provider_reading_free(&r);
}

/* --- pushes --- */

#define SECRET "whsec_a_secret"

static void sign(char hex[65], const char *time, const char *body)
{
    uint8_t mac[HMAC_SHA256_BYTES];
    const struct hash_part parts[] = {{time, strlen(time)}, {".", 1}, {body, strlen(body)}};
    hmac_sha256(mac, SECRET, strlen(SECRET), parts, 3);
    for (int i = 0; i < HMAC_SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
}

static struct provider_push push(const char *signature, const char *secret, const char *body)
{
    struct provider_push out;
    cJSON *headers = cJSON_CreateObject();
    if (signature)
        cJSON_AddStringToObject(headers, "tripo-webhook-signature", signature);
    cJSON_AddStringToObject(headers, "tripo-webhook-delivery", "dlv_1");
    const struct provider_pushed pushed = {.headers = headers,
                                           .body = (const uint8_t *)body,
                                           .bytes = strlen(body),
                                           .now_s = NOW,
                                           .secret = secret};
    if (driver()->push_read(&out, &pushed, &err))
        abort();
    cJSON_Delete(headers);
    return out;
}

#define DONE                                                                                       \
    "{\"id\":\"" TASK                                                                              \
    ":task.completed\",\"type\":\"task.completed\",\"data\":{\"task_id\":\"" TASK                  \
    "\",\"status\":\"success\"}}"

static void test_tripo_answers__one_good_signature_of_several_is_enough(void)
{
    char hex[65], header[300];
    sign(hex, "1795166200", DONE);
    snprintf(header, sizeof header, "t=1795166200,v1=%064d,v1=%s", 0, hex);
    struct provider_push out = push(header, SECRET, DONE);
    CHECK(out.trust == PUSH_VALID && out.reading.state == TASK_SUCCEEDED);
    CHECK_TEXT(out.delivery, "dlv_1");
    CHECK_TEXT(out.event, "task");
    CHECK_TEXT(out.reading.task, TASK);
    provider_push_free(&out);
}

static void test_tripo_answers__what_is_not_signed_now_says_nothing(void)
{
    char hex[65], header[300];
    static const char *const times[] = {"1795165899", "1795166501", "", "x795166200"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        sign(hex, times[i], DONE);
        snprintf(header, sizeof header, "t=%s,v1=%s", times[i], hex);
        struct provider_push out = push(header, SECRET, DONE);
        CHECK(out.trust == PUSH_INVALID && !*out.reading.task && !*out.delivery);
        provider_push_free(&out);
    }
    static const char *const headers[] = {
        NULL, "", "t=1795166200", "v1=", "t=1795166200,v1=00", "t=1795166200,,,v1=zz"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct provider_push out = push(headers[i], SECRET, DONE);
        CHECK(out.trust == PUSH_INVALID && !*out.reading.task);
        provider_push_free(&out);
    }
    sign(hex, "1795166200", DONE);
    snprintf(header, sizeof header, "t=1795166200,v1=%s", hex);
    struct provider_push out = push(header, SECRET, "{\"type\":\"task.completed\"}");
    CHECK(out.trust == PUSH_INVALID);
    provider_push_free(&out);
    out = push(header, NULL, DONE); /* the shop has set no secret: a hint, as an unsigned one */
    CHECK(out.trust == PUSH_UNSIGNED);
    CHECK_TEXT(out.reading.task, TASK);
    provider_push_free(&out);
}

static void test_tripo_answers__pushed_failures_are_read_in_both_forms(void)
{
    static const char *const bodies[] = {
        "{\"id\":\"e\",\"type\":\"task.failed\",\"data\":{\"task_id\":\"t\",\"status\":\"failed\","
        "\"error_code\":2008,\"error_message\":\"no\"}}",
        "{\"id\":\"e\",\"type\":\"task.failed\",\"data\":{\"task_id\":\"t\",\"error\":{\"code\":"
        "2008,\"message\":\"no\"}}}"};
    for (size_t i = 0; i < 2; i++) {
        struct provider_push out = push(NULL, NULL, bodies[i]);
        CHECK(out.reading.state == TASK_REJECTED && out.reading.error == PROVIDER_CONTENT);
        CHECK_TEXT(out.reading.message, "no");
        CHECK_TEXT(out.reading.code, "2008");
        provider_push_free(&out);
    }
    struct provider_push out =
        push(NULL, NULL, "{\"type\":\"balance.low\",\"data\":{\"balance\":90,\"threshold\":100}}");
    CHECK_TEXT(out.event, "balance.low");
    CHECK(out.reading.balance == 90 && !*out.reading.task);
    provider_push_free(&out);
    static const char *const odd[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"type\":7}",
                                      "{\"type\":\"task.failed\"}",
                                      "{\"type\":\"task.completed\",\"data\":[]}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        out = push(NULL, NULL, odd[i]);
        CHECK(!*out.reading.task && out.reading.state == TASK_UNKNOWN);
        provider_push_free(&out);
    }
}

/* --- spoilt answers --- */

static const char *const whole[] = {
    V3_TASK(
        "\"status\":\"success\",\"progress\":100,\"output\":{\"model_url\":\"https://f.example/"
        "m.glb\",\"model_urls\":[\"https://f.example/2.glb\"],\"base_model\":{\"type\":\"glb\","
        "\"url\":\"https://f.example/b\"}},\"credits_consumed\":30,\"input\":{\"model\":\"v3\"}"),
    V3_TASK("\"status\":\"failed\",\"error\":{\"code\":2008,\"message\":\"no \xc3\xbc\"}"),
    "{\"code\":0,\"data\":{\"tasks\":{\"a\":{\"status\":\"running\",\"progress\":7,\"queuing_num\":"
    "3}}"
    ",\"missed\":[\"b\"]}}",
    "{\"code\":0,\"data\":[{\"task_id\":\"t1\",\"status\":\"running\",\"created_at\":"
    "\"2026-11-20T09:15:02Z\"}]}",
    "{\"code\":0,\"data\":{\"file_token\":\"file_x\",\"upload_url\":\"https://b.s3.x.amazonaws.com/"
    "u"
    "\",\"balance\":\"12.5\",\"frozen\":1}}",
    "{\"code\":2010,\"message\":\"no credits\",\"suggestion\":\"pay\",\"request_id\":\"r\"}",
    DONE,
};

/* A fixed dice: each round changes, cuts or doubles a little of a whole answer. */
static size_t spoil(char out[1200], const char *text, uint32_t *dice)
{
    size_t n = strlen(text);
    memcpy(out, text, n);
    for (int change = 0; change < 3; change++) {
        *dice = *dice * 1664525u + 1013904223u;
        size_t at = (*dice >> 8) % n;
        switch (*dice >> 30) {
        case 0:
            out[at] = (char)(*dice >> 13);
            break;
        case 1:
            memmove(out + at, out + at + 1, n - at - 1);
            n -= n > 1;
            break;
        case 2:
            out[at] = "{}[]\",:-0e"[(*dice >> 5) % 11];
            break;
        default:
            n = *dice >> 4 & 1 ? n : at + 1;
        }
    }
    return n;
}

static bool is_sane(const struct provider_reading *r)
{
    for (size_t i = 0; i < r->many_count; i++)
        if (!is_sane(&r->many[i]))
            return false;
    for (size_t i = 0; i < r->file_count; i++)
        if (strncmp(r->files[i].url, "http", 4) != 0)
            return false;
    return r->progress >= -1 && r->progress <= 100 && !isnan(r->credits) && r->credits >= -1 &&
           r->created_s >= 0 && !strpbrk(r->task, "/?#% \"") &&
           (r->next != NEXT_UPLOAD || (r->aux && r->token));
}

static void test_tripo_answers__spoilt_answers_stay_sane(void)
{
    static const int statuses[] = {200, 400, 404, 429, 500};
    const char *asked[] = {"a", "b"};
    uint32_t dice = 1;
    char text[1200];
    for (int round = 0; round < 4000; round++) {
        size_t n = spoil(text, whole[round % (int)(sizeof whole / sizeof *whole)], &dice);
        const struct provider_call call = {
            .settings = dice & 256 ? &v2 : &v3, .tasks = asked, .task_count = 2};
        for (int op = 0; op < OP_COUNT; op++) {
            struct provider_reading r = {0};
            struct http_answer answer = {
                .status = statuses[(dice >> 10) % 5], .sent = true, .retry_after_s = -1};
            if (!(driver()->ops & OP_BIT(op)))
                continue;
            CHECK_OK(bytes_append(&answer.body, text, n, &err));
            CHECK_OK(driver()->read(&r, (enum provider_op)op, &call, &answer, &err));
            bool sane = is_sane(&r);
            provider_reading_free(&r);
            http_answer_free(&answer);
            if (!sane)
                TEST_GIVE_UP("round %d, op %d", round, op);
        }
        struct provider_push pushed = {0};
        const struct provider_pushed request = {.body = (uint8_t *)text, .bytes = n, .now_s = NOW};
        CHECK_OK(driver()->push_read(&pushed, &request, &err));
        CHECK(is_sane(&pushed.reading) && pushed.trust == PUSH_UNSIGNED);
        provider_push_free(&pushed);
    }
}

TESTS(TEST(test_tripo_answers__every_code_has_its_meaning),
      TEST(test_tripo_answers__a_submit_without_an_id_is_in_doubt),
      TEST(test_tripo_answers__failed_tasks_say_whose_fault_it_was),
      TEST(test_tripo_answers__the_best_model_comes_first),
      TEST(test_tripo_answers__a_success_without_a_file_is_still_coming),
      TEST(test_tripo_answers__numbers_that_cannot_be_are_unknown),
      TEST(test_tripo_answers__many_are_told_apart),
      TEST(test_tripo_answers__the_usage_list_has_pages),
      TEST(test_tripo_answers__the_last_whole_frame_counts),
      TEST(test_tripo_answers__one_good_signature_of_several_is_enough),
      TEST(test_tripo_answers__what_is_not_signed_now_says_nothing),
      TEST(test_tripo_answers__pushed_failures_are_read_in_both_forms),
      TEST(test_tripo_answers__spoilt_answers_stay_sane))
