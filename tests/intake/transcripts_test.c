/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every recorded exchange with a provider, read by its driver, against what a correct driver
 * concludes from it. Where ours concludes otherwise on purpose, it stands in `disagreements` with
 * the reason; one that does not disagree any more fails too. TRANSCRIPTS_TABLE=1 prints them.
 */
#include <dirent.h>
#include <unistd.h>

#include "base/hash.h"
#include "intake/provider/provider.h"
#include "intake/provider/reading.h"
#include "tests/test.h"

#define NOW 1795166200 /* the time that the recorded pushes were signed for */

static struct err err;

static const struct {
    const char *folder, *driver, *dialect, *secret;
} folders[] = {
    {"tripo_v3", "tripo", "v3", "whsec_test_EXAMPLE_secret"},
    {"tripo_v2", "tripo", "v2", NULL},
    {"3daistudio", "3daistudio", "", NULL},
    {"meshy", "meshy", "", NULL},
    {"hunyuan3d2", "hunyuan3d2", "", NULL},
    {"hunyuan3d21", "hunyuan3d21", "", NULL},
    {"trellis_spz", "trellis", "", NULL},
    {"rodin", "rodin", "", NULL},
    {"stability", "stability", "", NULL},
    {"fal", "fal", "", NULL},
    {"replicate", "replicate", "", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
};

/* Where our conclusion differs from the recorded one, and why. */
static const struct disagreement {
    const char *file, *field, *ours, *reason;
} disagreements[] = {
    {"tripo_v2/02_sts_token.json", "error", "PROTOCOL",
     "credentials for signed S3 uploads are never asked for: /upload takes every photo we send"},
    {"tripo_v3/31_webhook_task_failed.json", "error", "CONTENT",
     "recorded by its state alone; the same task polled (12) is recorded as CONTENT"},
    {"trellis_spz/10_download_missing.json", "error", "URL_EXPIRED",
     "a file that is gone reads alike everywhere: the task is asked again, and the server's "
     "/status "
     "then says whether there is a model or the job failed"},
    {"trellis_spz/10_download_missing.json", "retry", "yes", "the same"},
};
#define DISAGREEMENTS (sizeof disagreements / sizeof *disagreements)

static bool disagreed[DISAGREEMENTS];

static const char *transcripts(void)
{
    static char path[512];
    const char *shared = getenv("STATUETTE_SHARED");
    snprintf(path, sizeof path, "%s/transcripts", shared && *shared ? shared : "../shared");
    return access(path, R_OK) == 0 ? path : NULL;
}

/* --- a recorded answer as bytes --- */

static void put_length(uint8_t *at, size_t n)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(n >> 8 * i);
}

/* A recorded binary is "so many bytes that begin so"; its own length fields are written in. */
static void expand_binary(struct bytes *out, const cJSON *binary)
{
    size_t n = (size_t)json_number(binary, "length", 0);
    const char *hex = json_text(binary, "magic_hex", "");
    uint8_t *data = calloc(n, 1);
    for (size_t i = 0; i < strlen(hex) / 2; i++)
        data[i] = (uint8_t)strtoul((char[3]){hex[2 * i], hex[2 * i + 1]}, NULL, 16);
    if (memcmp(data, "glTF", 4) == 0)
        put_length(data + 8, n);
    else if (n > 84 && (n - 84) % 50 == 0)
        put_length(data + 80, (n - 84) / 50);
    if (bytes_append(out, data, n, &err))
        abort();
    free(data);
}

static void fill_body(struct bytes *out, const cJSON *body)
{
    const char *text = json_text(body, "$text", NULL);
    if (!body || cJSON_IsNull(body))
        return;
    if (json_get(body, "$binary"))
        expand_binary(out, json_get(body, "$binary"));
    else if (text ? bytes_append(out, text, strlen(text), &err)
                  : json_print(out, body, false, &err))
        abort();
}

static cJSON *lower_headers(const cJSON *headers)
{
    cJSON *out = cJSON_CreateObject();
    const cJSON *header;
    cJSON_ArrayForEach (header, headers) {
        char name[80];
        snprintf(name, sizeof name, "%s", header->string);
        for (char *c = name; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        cJSON_AddStringToObject(out, name, cJSON_IsString(header) ? header->valuestring : "");
    }
    return out;
}

static struct http_answer recorded_answer(const cJSON *response)
{
    struct http_answer answer = {.sent = true, .retry_after_s = -1};
    answer.status = (int)json_number(response, "status", 0);
    answer.headers = lower_headers(json_get(response, "headers"));
    snprintf(answer.content_type, sizeof answer.content_type, "%s",
             json_text(answer.headers, "content-type", ""));
    const char *wait = json_text(answer.headers, "retry-after", NULL);
    if (wait)
        answer.retry_after_s = atof(wait);
    fill_body(&answer.body, json_get(response, "body"));
    return answer;
}

/* --- comparing --- */

static char words[1200]; /* what differs in the folder at hand */

static void differs(const char *file, const char *field, const char *ours, const char *expected)
{
    for (size_t i = 0; i < DISAGREEMENTS; i++)
        if (strcmp(disagreements[i].file, file) == 0 &&
            strcmp(disagreements[i].field, field) == 0 &&
            strcmp(disagreements[i].ours, ours) == 0) {
            disagreed[i] = true;
            return;
        }
    size_t used = strlen(words);
    snprintf(words + used, sizeof words - used, "%s: %s is %.60s, recorded %.60s; ", file, field,
             ours, expected);
}

static void compare_word(const char *file, const cJSON *expect, const char *field,
                         const char *otherwise, const char *ours)
{
    char shown[200];
    snprintf(shown, sizeof shown, "%s", ours);
    const char *wanted = json_text(expect, field, otherwise);
    bool loud = wanted && wanted[0] >= 'A' && wanted[0] <= 'Z';
    for (char *c = shown; loud && *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    if (wanted && strcmp(wanted, shown) != 0)
        differs(file, field, shown, wanted);
}

static void compare_number(const char *file, const cJSON *expect, const char *field, double ours)
{
    double wanted = json_number(expect, field, NAN);
    char a[40], b[40];
    if (isnan(wanted) || fabs(wanted - ours) < 1e-9)
        return;
    snprintf(a, sizeof a, "%g", ours);
    snprintf(b, sizeof b, "%g", wanted);
    differs(file, field, a, b);
}

static size_t count_many(const struct provider_reading *r, bool missed, enum task_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < r->many_count; i++)
        n += missed ? r->many[i].error == PROVIDER_NOT_FOUND
                    : r->many[i].error == PROVIDER_OK && r->many[i].state == state;
    return n;
}

static void compare_next(const char *file, const cJSON *expect, const struct provider_reading *r)
{
    if (json_text(expect, "then", NULL) && r->next != NEXT_RESULTS)
        differs(file, "then", "nothing", json_text(expect, "then", ""));
    if (json_text(expect, "b64_key", NULL) && r->model.len == 0)
        differs(file, "b64_key", "no model", json_text(expect, "b64_key", ""));
    if (json_text(expect, "url_key", NULL) &&
        (r->file_count == 0 || strcmp(r->files[0].kind, "model") != 0))
        differs(file, "url_key", "no model first", json_text(expect, "url_key", ""));
}

static void compare(const char *file, const cJSON *expect, const struct provider_reading *r,
                    bool webhook)
{
    const char *op = json_text(expect, "op", "");
    compare_word(file, expect, "state", NULL, task_state_name(r->state));
    compare_word(file, expect, "error", "OK", provider_error_name(r->error));
    if (!webhook)
        compare_word(file, expect, "retry", json_get(expect, "action") ? NULL : "no",
                     provider_retry_name(r->retry));
    compare_word(file, expect, "task", NULL, r->task);
    compare_word(file, expect, "handle2", NULL, r->aux ? r->aux : "");
    if (strcmp(op, "upload") == 0 && strcmp(json_text(expect, "token", ""), "file_url") != 0)
        compare_word(file, expect, "token", NULL, r->token ? r->token : "");
    compare_number(file, expect, "progress", r->progress);
    compare_number(file, expect, "queue_pos", r->queue_position);
    compare_number(file, expect, "eta_s", r->eta_s);
    compare_number(file, expect, "retry_after_s", r->retry_after_s);
    compare_number(file, expect, "balance", r->balance);
    compare_number(file, expect, "frozen", r->frozen);
    compare_number(file, expect, "missed", (double)count_many(r, true, TASK_UNKNOWN));
    compare_number(file, expect, "running", (double)count_many(r, false, TASK_RUNNING));
    compare_number(file, expect, "count",
                   (double)(strcmp(op, "results") == 0 ? r->file_count : r->many_count));
    compare_next(file, expect, r);
}

/* --- reading --- */

static int op_of(const char *word)
{
    static const struct {
        const char *word;
        int op;
    } ops[] = {{"upload", OP_UPLOAD},  {"submit", OP_SUBMIT},       {"poll", OP_POLL},
               {"result", OP_RESULTS}, {"poll_many", OP_POLL_MANY}, {"results", OP_RESULTS},
               {"cancel", OP_CANCEL},  {"balance", OP_BALANCE},     {"usage", OP_RECENT},
               {"list", OP_RECENT},    {"health", OP_HEALTH},       {"jwks", OP_KEYS},
               {"secret", OP_KEYS},    {"stream", OP_STREAM},       {"watch", OP_STREAM}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].word, word) == 0)
            return ops[i].op;
    return -1;
}

/* The recorded many-poll asks for these. */
static size_t asked_tasks(const char *tasks[8], const cJSON *request)
{
    size_t n = 0;
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(json_get(request, "body"), "task_ids"))
        if (n < 8)
            tasks[n++] = one->valuestring;
    return n;
}

static void replay_answer(const char *file, const struct provider_driver *driver,
                          const char *dialect, const cJSON *exchange)
{
    const cJSON *expect = json_get(json_get(exchange, "meta"), "expect");
    const char *word = json_text(expect, "op", "");
    const char *tasks[8];
    struct http_answer answer = recorded_answer(json_get(exchange, "response"));
    struct provider_reading reading = {0};
    const struct provider_settings settings = {.dialect = dialect, .api_key = "key"};
    struct provider_call call = {.settings = &settings, .task = "t", .tasks = tasks};
    int op = op_of(word), failed = 0;
    /* The second step of an upload has what the first gave; what it is, only its driver knows. */
    if (strcmp(json_text(json_get(exchange, "request"), "method", ""), "PUT") == 0)
        call.aux = "{\"url\":\"https://storage.example/\",\"token\":\"file_token\"}";
    call.task_count = asked_tasks(tasks, json_get(exchange, "request"));
    if (strcmp(word, "download") == 0) {
        reading_download(&reading, &answer);
        compare_number(file, expect, "bytes", (double)answer.body.len);
        if (driver->url_is_last && reading.error == PROVIDER_URL_EXPIRED)
            reading.retry = RETRY_NEW_TASK;
    } else if (op < 0 || !(driver->ops & OP_BIT(op))) {
        differs(file, "op", "not there", word);
    } else {
        failed = driver->read(&reading, (enum provider_op)op, &call, &answer, &err);
        compare_number(file, expect, "bytes", (double)reading.model.len);
    }
    if (failed)
        differs(file, "op", err.what, word);
    else if (op < 0 || (driver->ops & OP_BIT(op)))
        compare(file, expect, &reading, false);
    provider_reading_free(&reading);
    http_answer_free(&answer);
}

/* The key that signed fal's recorded pushes is itself recorded. */
static cJSON *push_keys(const struct provider_driver *driver, const char *folder)
{
    char path[700];
    cJSON *exchange, *keys = NULL;
    struct provider_reading reading = {0};
    snprintf(path, sizeof path, "%s/16_jwks.json", folder);
    if (access(path, R_OK) != 0 || json_read_file(&exchange, path, &err))
        return NULL;
    struct http_answer answer = recorded_answer(json_get(exchange, "response"));
    if (!driver->read(&reading, OP_KEYS, &(struct provider_call){0}, &answer, &err)) {
        keys = reading.keys;
        reading.keys = NULL;
    }
    provider_reading_free(&reading);
    http_answer_free(&answer);
    cJSON_Delete(exchange);
    return keys;
}

static void replay_push(const char *file, const struct provider_driver *driver, const char *folder,
                        const char *secret, const cJSON *exchange)
{
    static const char *const trusts[] = {"valid", "invalid", "unsigned"};
    const cJSON *expect = json_get(json_get(exchange, "meta"), "expect");
    const cJSON *request = json_get(exchange, "request");
    const char *raw = json_text(request, "body_raw", "");
    cJSON *headers = lower_headers(json_get(request, "headers")), *keys = push_keys(driver, folder);
    struct provider_push push = {0};
    struct provider_pushed pushed = {.headers = headers,
                                     .body = (const uint8_t *)raw,
                                     .bytes = strlen(raw),
                                     .now_s = NOW,
                                     .secret = secret,
                                     .keys = keys};
    if (!driver->push_read) {
        differs(file, "op", "no push", "webhook");
    } else if (driver->push_read(&push, &pushed, &err)) {
        differs(file, "op", err.what, "webhook");
    } else {
        compare_word(file, expect, "signature", "unsigned", trusts[push.trust]);
        compare_word(file, expect, "event", NULL, push.event);
        if (push.trust != PUSH_INVALID)
            compare(file, expect, &push.reading, true);
        pushed.now_s += 301;
        provider_push_free(&push);
        if (!driver->push_read(&push, &pushed, &err) && push.trust == PUSH_VALID)
            differs(file, "replay window", "open", "300 s");
    }
    provider_push_free(&push);
    cJSON_Delete(headers);
    cJSON_Delete(keys);
}

static void replay_file(size_t row, const char *folder, const char *name)
{
    const struct provider_driver *driver = provider_find(folders[row].driver);
    char path[900], file[120];
    cJSON *exchange;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(file, sizeof file, "%s/%.60s", folders[row].folder, name);
    if (json_read_file(&exchange, path, &err))
        abort();
    const cJSON *meta = json_get(exchange, "meta");
    if (strcmp(json_text(meta, "direction", ""), "provider->client") == 0)
        replay_push(file, driver, folder, folders[row].secret, exchange);
    else
        replay_answer(file, driver, folders[row].dialect, exchange);
    cJSON_Delete(exchange);
}

static void replay_folder(size_t row)
{
    char folder[600];
    const char *all = transcripts();
    int count = 0;
    if (!all)
        SKIP("no transcripts");
    if (!provider_find(folders[row].driver))
        TEST_GIVE_UP("no driver %s", folders[row].driver);
    snprintf(folder, sizeof folder, "%s/%s", all, folders[row].folder);
    DIR *dir = opendir(folder);
    CHECK(dir);
    words[0] = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".json")) {
            replay_file(row, folder, entry->d_name);
            count++;
        }
    closedir(dir);
    CHECK(count >= 10);
    if (*words)
        TEST_GIVE_UP("%.400s", words);
}

#define FOLDER(name, row)                                                                          \
    static void test_transcripts__##name##_concludes_what_is_recorded(void)                        \
    {                                                                                              \
        replay_folder(row);                                                                        \
    }
FOLDER(tripo_v3, 0)
FOLDER(tripo_v2, 1)
FOLDER(threedaistudio, 2)
FOLDER(meshy, 3)
FOLDER(hunyuan3d2, 4)
FOLDER(hunyuan3d21, 5)
FOLDER(trellis, 6)
FOLDER(rodin, 7)
FOLDER(stability, 8)
FOLDER(fal, 9)
FOLDER(replicate, 10)

/* Runs last: what is written down as a disagreement must be one. */
static void test_transcripts__every_listed_disagreement_is_one(void)
{
    if (!transcripts())
        SKIP("no transcripts");
    for (size_t i = 0; i < DISAGREEMENTS; i++) {
        if (*disagreements[i].file && getenv("TRANSCRIPTS_TABLE"))
            printf("| %s | %s | %s | %s |\n", disagreements[i].file, disagreements[i].field,
                   disagreements[i].ours, disagreements[i].reason);
        if (*disagreements[i].file && !disagreed[i])
            TEST_GIVE_UP("%s %s agrees by now", disagreements[i].file, disagreements[i].field);
    }
}

TESTS(TEST(test_transcripts__tripo_v3_concludes_what_is_recorded),
      TEST(test_transcripts__tripo_v2_concludes_what_is_recorded),
      TEST(test_transcripts__threedaistudio_concludes_what_is_recorded),
      TEST(test_transcripts__meshy_concludes_what_is_recorded),
      TEST(test_transcripts__hunyuan3d2_concludes_what_is_recorded),
      TEST(test_transcripts__hunyuan3d21_concludes_what_is_recorded),
      TEST(test_transcripts__trellis_concludes_what_is_recorded),
      TEST(test_transcripts__rodin_concludes_what_is_recorded),
      TEST(test_transcripts__stability_concludes_what_is_recorded),
      TEST(test_transcripts__fal_concludes_what_is_recorded),
      TEST(test_transcripts__replicate_concludes_what_is_recorded),
      TEST(test_transcripts__every_listed_disagreement_is_one))
