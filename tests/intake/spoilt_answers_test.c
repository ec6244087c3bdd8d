/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every recorded answer, spoilt in many ways, read by its driver for each of its ops. Whatever
 * comes, a reading must be whole: texts ended, numbers in their ranges, addresses plain, success
 * only with a result, and the next request about the task still goes to the provider's own host.
 */
#include <dirent.h>

#include "tests/test.h"

static struct err err;

#include "intake/provider/request.h"
#include "tests/intake/exchange.h"

#define WAYS 24 /* of spoiling each answer */
#define HOME "http://home.example:9"

static const struct {
    const char *folder, *driver, *dialect;
} folders[] = {{"tripo_v3", "tripo", "v3"},      {"tripo_v2", "tripo", "v2"},
               {"3daistudio", "3daistudio", ""}, {"meshy", "meshy", ""},
               {"hunyuan3d2", "hunyuan3d2", ""}, {"hunyuan3d21", "hunyuan3d21", ""},
               {"trellis_spz", "trellis", ""},   {"rodin", "rodin", ""},
               {"stability", "stability", ""},   {"fal", "fal", ""},
               {"replicate", "replicate", ""}};

static uint64_t dice; /* set for each answer, so each run is the same */

static unsigned roll(unsigned sides)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice >> 33) % sides;
}

/* --- spoiling --- */

static cJSON *bad_value(void)
{
    static const char *const texts[] = {"",
                                        "../../x",
                                        "https://evil.example/a.glb",
                                        "//evil.example/a.glb",
                                        "file:///etc/passwd",
                                        "a\nb\x7f",
                                        "\xff\xfe",
                                        "http://127.0.0.1:1/status",
                                        "https://queue.fal.run@evil.example/"};
    static const double numbers[] = {-1, 0, 101, 1e18, -1e308, 1e308};
    char *longest;
    cJSON *text;
    switch (roll(6)) {
    case 0:
        return cJSON_CreateNull();
    case 1:
        return cJSON_CreateNumber(numbers[roll(sizeof numbers / sizeof *numbers)]);
    case 2:
        return roll(2) ? cJSON_CreateObject() : cJSON_CreateArray();
    case 3:
        return cJSON_CreateBool(roll(2) == 0);
    case 4:
        longest = malloc(6001);
        memset(longest, 'A', 6000);
        longest[6000] = 0;
        text = cJSON_CreateString(longest);
        free(longest);
        return text;
    default:
        return cJSON_CreateString(texts[roll(sizeof texts / sizeof *texts)]);
    }
}

/* Walks down at random and puts something else there. */
static void spoil_value(cJSON *value)
{
    for (int depth = 0; depth < 8; depth++) {
        int n = cJSON_GetArraySize(value);
        if (n == 0)
            return;
        int at = (int)roll((unsigned)n);
        cJSON *child = cJSON_GetArrayItem(value, at);
        if (cJSON_GetArraySize(child) > 0 && roll(4)) {
            value = child;
            continue;
        }
        if (cJSON_IsArray(value))
            cJSON_ReplaceItemInArray(value, at, bad_value());
        else if (roll(5) == 0)
            cJSON_DeleteItemFromArray(value, at);
        else
            cJSON_ReplaceItemInObjectCaseSensitive(value, child->string, bad_value());
        return;
    }
}

static void spoil_bytes(struct bytes *body)
{
    if (body->len && roll(2))
        body->len = roll((unsigned)body->len);
    else if (body->len)
        body->data[roll((unsigned)body->len)] ^= (uint8_t)(1 << roll(8));
    if (body->data)
        body->data[body->len] = 0;
}

static struct http_answer spoilt_answer(const cJSON *response, unsigned way)
{
    static const int statuses[] = {0, 200, 200, 201, 202, 302, 400, 403, 404, 422, 429, 500, 503};
    struct http_answer answer = {
        .status = (int)json_number(response, "status", 0), .sent = true, .retry_after_s = -1};
    const cJSON *said = json_get(response, "body");
    const char *text = json_text(said, "$text", NULL);
    cJSON *body = cJSON_Duplicate(said, 1);
    answer.headers = cJSON_CreateObject();
    if (way > 0 && !text)
        spoil_value(body);
    if (text ? bytes_append(&answer.body, text, strlen(text), &err)
             : json_print(&answer.body, body, false, &err))
        abort();
    cJSON_Delete(body);
    if (way % 3 == 2)
        spoil_bytes(&answer.body);
    if (way % 4 == 3)
        answer.status = statuses[roll(sizeof statuses / sizeof *statuses)];
    return answer;
}

/* --- what must hold --- */

static bool is_ended(const char *text, size_t room)
{
    return strnlen(text, room) < room;
}

static const char *wrong_with(const struct provider_reading *r)
{
    if ((unsigned)r->state > TASK_UNKNOWN || (unsigned)r->error > PROVIDER_PROTOCOL ||
        (unsigned)r->retry > RETRY_OPERATOR || (unsigned)r->next > NEXT_REFINE)
        return "a word out of its range";
    if (!is_ended(r->task, sizeof r->task) || !is_ended(r->code, sizeof r->code) ||
        !is_ended(r->trace, sizeof r->trace) || !is_ended(r->message, sizeof r->message) ||
        !is_ended(r->model_version, sizeof r->model_version))
        return "a text without an end";
    if (r->progress < -1 || r->progress > 100 || r->queue_position < -1 || isnan(r->eta_s) ||
        isnan(r->credits) || isnan(r->balance) || isnan(r->retry_after_s))
        return "a number out of its range";
    if (*r->task && !task_id_is_plain(r->task))
        return "a task's number that is none";
    for (size_t i = 0; i < r->file_count; i++)
        if (!url_is_plain(r->files[i].url) &&
            (r->files[i].url[0] != '/' || r->files[i].url[1] == '/' ||
             strstr(r->files[i].url, "..")))
            return "a file's address that is none";
    for (size_t i = 0; i < r->many_count; i++)
        if (wrong_with(&r->many[i]))
            return wrong_with(&r->many[i]);
    return NULL;
}

static const char *wrong_success(const struct provider_driver *driver, enum provider_op op,
                                 const struct provider_reading *r)
{
    bool done = r->state == TASK_SUCCEEDED && r->error == PROVIDER_OK && r->next == NEXT_NONE;
    if (op == OP_SUBMIT && done && r->model.len == 0 && r->file_count == 0)
        return "a submit that succeeded with nothing";
    if (op == OP_RESULTS && done && r->file_count == 0)
        return "results without any";
    if (op == OP_SUBMIT && !driver->blocks && r->error == PROVIDER_OK && !*r->task)
        return "a submit without a task";
    return NULL;
}

/* Where the poll would go: to the host that is set, whatever was told. */
static const char *wrong_poll(const struct provider_driver *driver,
                              const struct provider_settings *settings,
                              const struct provider_reading *r)
{
    struct http_request request;
    const struct provider_call call = {.settings = settings, .task = r->task, .aux = r->aux};
    if (!*r->task || driver->request(&request, OP_POLL, &call, &err))
        return NULL;
    bool home = strncmp(request.url, HOME "/", strlen(HOME "/")) == 0;
    http_request_free(&request);
    return home ? NULL : "a poll that goes elsewhere";
}

static const char *read_spoilt(size_t row, enum provider_op op, const struct http_answer *answer)
{
    const struct provider_driver *driver = provider_find(folders[row].driver);
    const char *const tasks[] = {"t"};
    const struct provider_settings settings = {
        .base_url = HOME, .dialect = folders[row].dialect, .api_key = "key"};
    const struct provider_call call = {
        .settings = &settings, .task = "t", .tasks = tasks, .task_count = 1};
    struct provider_reading reading = {0};
    const char *wrong = driver->read(&reading, op, &call, answer, &err) ? err.what : NULL;
    if (!wrong)
        wrong = wrong_with(&reading);
    if (!wrong)
        wrong = wrong_success(driver, op, &reading);
    if (!wrong && op == OP_SUBMIT)
        wrong = wrong_poll(driver, &settings, &reading);
    provider_reading_free(&reading);
    return wrong;
}

static const char *spoil_exchange(size_t row, const cJSON *exchange)
{
    const struct provider_driver *driver = provider_find(folders[row].driver);
    const cJSON *response = json_get(exchange, "response");
    if (json_get(json_get(response, "body"), "$binary"))
        return NULL;
    for (unsigned way = 0; way < WAYS; way++)
        for (int op = 0; op < OP_COUNT; op++) {
            if (!(driver->ops & OP_BIT(op)))
                continue;
            struct http_answer answer = spoilt_answer(response, way);
            const char *wrong = read_spoilt(row, (enum provider_op)op, &answer);
            http_answer_free(&answer);
            if (wrong)
                return wrong;
        }
    return NULL;
}

static void test_spoilt_answers__leave_every_reading_whole(void)
{
    size_t exchanges = 0;
    for (size_t row = 0; row < sizeof folders / sizeof *folders; row++) {
        char path[600];
        const char *shared = getenv("STATUETTE_SHARED");
        snprintf(path, sizeof path, "%s/transcripts/%s", shared && *shared ? shared : "../shared",
                 folders[row].folder);
        DIR *dir = opendir(path);
        if (!dir)
            SKIP("no transcripts");
        for (struct dirent *entry; (entry = readdir(dir));) {
            char *end = strstr(entry->d_name, ".json");
            if (!end)
                continue;
            *end = 0;
            dice = 100 * row + (unsigned)atoi(entry->d_name);
            cJSON *exchange = exchange_read(folders[row].folder, entry->d_name);
            const char *wrong = spoil_exchange(row, exchange);
            cJSON_Delete(exchange);
            exchanges++;
            if (wrong) {
                snprintf(path, sizeof path, "%.80s/%.80s: %.100s", folders[row].folder,
                         entry->d_name, wrong);
                closedir(dir);
                TEST_GIVE_UP("%.300s", path);
            }
        }
        closedir(dir);
    }
    CHECK(exchanges > 150);
}

TESTS(TEST(test_spoilt_answers__leave_every_reading_whole))
