/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the drivers of servers that run other people's models; see hosted.h. */
#include "intake/provider/hosted.h"

#include <stdio.h>
#include <string.h>

#define OUTPUT_FILES 16
#define OUTPUT_DEPTH 12

const char *answer_header(const struct http_answer *answer, const char *name)
{
    return json_text(answer->headers, name, "");
}

int spec_is_generation(const struct generation_spec *spec, const struct provider_driver *driver,
                       bool text, struct err *err)
{
    bool has_prompt = spec->prompt && *spec->prompt;
    if (spec->tool)
        return FAIL(err, ERR_INPUT, "%s has no tool %.40s", driver->id, spec->tool);
    if (!has_view(spec, VIEW_FRONT) && !(text && has_prompt))
        return FAIL(err, ERR_INPUT, "%s works from a photo of the front%s", driver->id,
                    text ? " or a prompt" : " only");
    return 0;
}

/* --- errors --- */

/* Of FastAPI's list the first entry: what (the last part of loc), why, and the machine's word. */
static void take_first_detail(struct provider_reading *reading, const cJSON *list)
{
    char text[sizeof reading->message];
    const cJSON *first = cJSON_GetArrayItem(list, 0), *loc = json_get(first, "loc");
    const cJSON *where = cJSON_GetArrayItem(loc, cJSON_GetArraySize(loc) - 1);
    const char *why = json_text(first, "msg", "");
    if (*json_text(first, "type", ""))
        reading_word(reading->code, sizeof reading->code, json_text(first, "type", ""));
    snprintf(text, sizeof text, "%.60s%s%.120s", cJSON_IsString(where) ? where->valuestring : "",
             cJSON_IsString(where) ? ": " : "", why);
    if (*why)
        reading_word(reading->message, sizeof reading->message, text);
}

void reading_words(struct provider_reading *reading, const cJSON *said)
{
    static const char *const codes[] = {"error_type", "name", "title"};
    static const char *const texts[] = {"detail", "message", "error", "title"};
    const cJSON *errors = cJSON_GetArrayItem(json_get(said, "errors"), 0);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (*json_text(said, codes[i], "")) {
            reading_word(reading->code, sizeof reading->code, json_text(said, codes[i], ""));
            break;
        }
    if (cJSON_IsArray(json_get(said, "detail"))) {
        take_first_detail(reading, json_get(said, "detail"));
        return;
    }
    const char *words = cJSON_IsString(errors) ? errors->valuestring : "";
    for (size_t i = 0; !*words && i < sizeof texts / sizeof *texts; i++)
        words = json_text(said, texts[i], "");
    if (*words)
        reading_word(reading->message, sizeof reading->message, words);
}

void reading_conclude(struct provider_reading *reading, enum task_state state,
                      enum provider_error error, enum provider_retry retry)
{
    reading->state = state;
    reading->error = error;
    reading->retry = retry;
}

/* --- addresses --- */

/* Bytes of "scheme://host:port", or 0 where it does not begin so. */
static size_t origin_bytes(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host || host == url)
        return 0;
    host += 3;
    size_t n = strcspn(host, "/?#");
    return n > 0 && !memchr(host, '@', n) && !memchr(host, '\\', n) ? (size_t)(host - url) + n : 0;
}

const char *url_path_on(const char *url, const char *base)
{
    size_t n = origin_bytes(base);
    if (n == 0 || !url_is_plain(url) || origin_bytes(url) != n || strncasecmp(url, base, n))
        return NULL;
    return url[n] == '/' && !strstr(url + n, "..") && !strchr(url + n, '#') ? url + n : NULL;
}

/* --- outputs --- */

/* What is said to be a model comes in this order. */
static const char *const models[] = {"glb",  "stl", "obj", "ply", "3mf",
                                     "gltf", "zip", "fbx", "usdz"};
#define RANK_MODEL 49 /* one of a kind that is not in the list */
#define RANK_UNKNOWN 50
#define RANK_IMAGE 90

struct found {
    const char *url;
    char ending[12];
    unsigned rank;
};

struct search {
    struct found files[OUTPUT_FILES];
    size_t count;
};

static void look_at_name(struct found *file, const char *name)
{
    char ending[12];
    name_ending(ending, name);
    if (file->rank != RANK_UNKNOWN || !*ending)
        return;
    for (unsigned i = 0; i < sizeof models / sizeof *models; i++)
        if (strcmp(models[i], ending) == 0)
            file->rank = i;
    if (strcmp(kind_of_ending(ending), "image") == 0 || strcmp(ending, "mp4") == 0)
        file->rank = RANK_IMAGE;
    if (file->rank != RANK_UNKNOWN)
        snprintf(file->ending, sizeof file->ending, "%s", ending);
}

static void look_at_type(struct found *file, const char *type)
{
    if (file->rank != RANK_UNKNOWN)
        return;
    if (strncasecmp(type, "model/gltf-binary", 17) == 0)
        *file = (struct found){file->url, "glb", 0};
    else if (strncasecmp(type, "model/", 6) == 0)
        file->rank = RANK_MODEL;
    else if (strncasecmp(type, "image/", 6) == 0 || strncasecmp(type, "video/", 6) == 0)
        file->rank = RANK_IMAGE;
}

/* `owner` is the object that the address is a member of, or NULL. */
static void find_one(struct search *search, const char *url, const cJSON *owner)
{
    struct found file = {.url = url, .rank = RANK_UNKNOWN};
    if (search->count == OUTPUT_FILES || !url_is_plain(url) || origin_bytes(url) == 0)
        return;
    for (size_t i = 0; i < search->count; i++)
        if (strcmp(search->files[i].url, url) == 0)
            return;
    look_at_name(&file, url);
    look_at_name(&file, json_text(owner, "file_name", ""));
    look_at_type(&file, json_text(owner, "content_type", ""));
    search->files[search->count++] = file;
}

static void find_files(struct search *search, const cJSON *value, const cJSON *owner, int depth)
{
    const cJSON *child;
    if (cJSON_IsString(value))
        find_one(search, value->valuestring, owner);
    if (depth == OUTPUT_DEPTH || !(cJSON_IsObject(value) || cJSON_IsArray(value)))
        return;
    cJSON_ArrayForEach (child, value)
        find_files(search, child, cJSON_IsObject(value) ? value : owner, depth + 1);
}

static const struct found *best_model(const struct search *search)
{
    const struct found *best = NULL;
    for (size_t i = 0; i < search->count; i++)
        if (search->files[i].rank < RANK_UNKNOWN && (!best || search->files[i].rank < best->rank))
            best = &search->files[i];
    if (!best && search->count == 1 && search->files[0].rank == RANK_UNKNOWN)
        best = &search->files[0];
    return best;
}

int reading_add_output(struct provider_reading *reading, const cJSON *output, struct err *err)
{
    struct search search = {.count = 0};
    find_files(&search, output, NULL, 0);
    const struct found *best = best_model(&search);
    if (!best)
        return 0;
    if (reading_add_file(reading, best->url, "model", best->ending, err))
        return -1;
    for (size_t i = 0; i < search.count; i++) {
        const struct found *file = &search.files[i];
        const char *kind = file->rank == RANK_IMAGE ? "image" : "other";
        if (file != best && reading_add_file(reading, file->url, kind, file->ending, err))
            return -1;
    }
    return 0;
}

/* --- inputs --- */

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a model's input");
}

static int add_view(cJSON *body, const char *name, const struct generation_image *image,
                    struct err *err)
{
    if (!image->token)
        return body_image(body, name, image, err);
    cJSON *text = cJSON_CreateString(image->token);
    bool added = name ? cJSON_AddItemToObject(body, name, text) : cJSON_AddItemToArray(body, text);
    return added ? 0 : no_memory(err);
}

int input_add_views(cJSON *input, const struct generation_spec *spec, const char *name,
                    struct err *err)
{
    char bare[80];
    size_t n = strcspn(name, "[");
    snprintf(bare, sizeof bare, "%.*s", (int)(n < 79 ? n : 79), name);
    if (count_views(spec) == 0)
        return 0;
    if (strcmp(name + n, "[]") != 0)
        return add_view(input, bare, &spec->images[VIEW_FRONT], err);
    cJSON *list = cJSON_AddArrayToObject(input, bare);
    if (!list)
        return no_memory(err);
    for (int view = 0; view < VIEW_COUNT; view++)
        if (has_view(spec, (enum generation_view)view) &&
            add_view(list, NULL, &spec->images[view], err))
            return -1;
    return 0;
}

int push_conclude(struct provider_push *out, const struct provider_pushed *pushed,
                  enum push_trust trust, const char *delivery_header,
                  int (*take)(struct provider_reading *, const cJSON *, struct err *),
                  struct err *err)
{
    cJSON *said = NULL;
    int failed = 0;
    *out = (struct provider_push){.trust = trust, .event = "task"};
    out->reading = reading_start(TASK_UNKNOWN);
    reading_word(out->delivery, sizeof out->delivery,
                 json_text(pushed->headers, delivery_header, ""));
    if (trust == PUSH_INVALID)
        return 0;
    if (pushed->bytes == 0 || json_parse(&said, pushed->body, pushed->bytes, NULL))
        reading_fail(&out->reading, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO,
                     "a push without JSON");
    else
        failed = take(&out->reading, said, err);
    cJSON_Delete(said);
    return failed;
}
