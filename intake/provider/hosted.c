/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the drivers of servers that run other people's models; see hosted.h. */
#include "intake/provider/hosted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_FILES 16
#define OUTPUT_DEPTH 12
#define ADDRESS_MOST 4096

const char *answer_header(const struct http_answer *answer, const char *name)
{
    return json_text(answer->headers, name, "");
}

int call_key(struct http_request *request, const struct provider_settings *settings,
             const char *scheme, struct err *err)
{
    if (!settings->api_key || !*settings->api_key)
        return FAIL(err, ERR_INPUT, "the provider needs a key and none is set");
    return call_header(request, "Authorization", err, "%s %s", scheme, settings->api_key);
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

/* Control characters become blanks, as reading_fail does. */
static void copy_words(char *to, size_t room, const char *text)
{
    snprintf(to, room, "%s", text);
    for (char *c = to; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

/* Of FastAPI's list the first entry: what (the last part of loc), why, and the machine's word. */
static void take_first_detail(struct provider_reading *reading, const cJSON *list)
{
    char text[sizeof reading->message];
    const cJSON *first = cJSON_GetArrayItem(list, 0), *loc = json_get(first, "loc");
    const cJSON *where = cJSON_GetArrayItem(loc, cJSON_GetArraySize(loc) - 1);
    const char *why = json_text(first, "msg", "");
    if (*json_text(first, "type", ""))
        copy_words(reading->code, sizeof reading->code, json_text(first, "type", ""));
    snprintf(text, sizeof text, "%.60s%s%.120s", cJSON_IsString(where) ? where->valuestring : "",
             cJSON_IsString(where) ? ": " : "", why);
    if (*why)
        copy_words(reading->message, sizeof reading->message, text);
}

void reading_words(struct provider_reading *reading, const cJSON *said)
{
    static const char *const codes[] = {"error_type", "name", "title"};
    static const char *const texts[] = {"detail", "message", "error", "title"};
    const cJSON *errors = cJSON_GetArrayItem(json_get(said, "errors"), 0);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (*json_text(said, codes[i], "")) {
            copy_words(reading->code, sizeof reading->code, json_text(said, codes[i], ""));
            break;
        }
    if (json_get(said, "detail")) {
        take_first_detail(reading, json_get(said, "detail"));
        return;
    }
    const char *words = cJSON_IsString(errors) ? errors->valuestring : "";
    for (size_t i = 0; !*words && i < sizeof texts / sizeof *texts; i++)
        words = json_text(said, texts[i], "");
    if (*words)
        copy_words(reading->message, sizeof reading->message, words);
}

void reading_conclude(struct provider_reading *reading, enum task_state state,
                      enum provider_error error, enum provider_retry retry)
{
    reading->state = state;
    reading->error = error;
    reading->retry = retry;
}

bool words_are_of_policy(const char *text)
{
    static const char *const words[] = {"nsfw",          "content policy", "content_policy",
                                        "moderation",    "moderated",      "flagged",
                                        "inappropriate", "safety system",  "safety filter"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
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

static bool is_address_text(const char *url)
{
    size_t n = strlen(url);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] >= 0x7f ||
            strchr("\"<>\\^`{|}", url[i]))
            return false;
    return n > 0 && n < ADDRESS_MOST;
}

bool url_is_plain(const char *url)
{
    return is_address_text(url) && origin_bytes(url) > 0 &&
           (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
}

const char *url_path_on(const char *url, const char *base)
{
    size_t n = origin_bytes(base);
    if (n == 0 || !is_address_text(url) || origin_bytes(url) != n || strncasecmp(url, base, n))
        return NULL;
    return url[n] == '/' && !strstr(url + n, "..") && !strchr(url + n, '#') ? url + n : NULL;
}

/* --- outputs --- */

/* What is said to be a model comes in this order; 0 is no known word, RANK_IMAGE a picture. */
static const struct {
    const char *word;
    int rank;
} kinds[] = {{"glb", 1},   {"stl", 2},  {"obj", 3},  {"ply", 4},  {"3mf", 5},  {"gltf", 6},
             {"zip", 7},   {"fbx", 8},  {"usdz", 9}, {"png", 90}, {"jpg", 90}, {"jpeg", 90},
             {"webp", 90}, {"gif", 90}, {"mp4", 90}, {"webm", 90}};
#define RANK_UNKNOWN 50
#define RANK_IMAGE 90

struct found {
    const char *url, *word;
    int rank;
};

struct search {
    struct found files[OUTPUT_FILES];
    size_t count;
};

/* By the end of the path or file name, before any query. */
static void look_at_name(struct found *file, const char *name)
{
    size_t n = strcspn(name, "?#");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t k = strlen(kinds[i].word);
        if (file->rank == RANK_UNKNOWN && n > k && name[n - k - 1] == '.' &&
            strncasecmp(name + n - k, kinds[i].word, k) == 0) {
            file->rank = kinds[i].rank;
            file->word = kinds[i].word;
        }
    }
}

static void look_at_type(struct found *file, const char *type)
{
    if (file->rank != RANK_UNKNOWN)
        return;
    if (strncasecmp(type, "model/gltf-binary", 17) == 0)
        *file = (struct found){file->url, "glb", 1};
    else if (strncasecmp(type, "model/", 6) == 0)
        file->rank = RANK_UNKNOWN - 1;
    else if (strncasecmp(type, "image/", 6) == 0 || strncasecmp(type, "video/", 6) == 0)
        file->rank = RANK_IMAGE;
}

/* `owner` is the object that the address is a member of, or NULL. */
static void find_one(struct search *search, const char *url, const cJSON *owner)
{
    struct found file = {url, "", RANK_UNKNOWN};
    if (search->count == OUTPUT_FILES || !url_is_plain(url))
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
    if (reading_add_file(reading, best->url, "model", best->word, err))
        return -1;
    for (size_t i = 0; i < search.count; i++) {
        const struct found *file = &search.files[i];
        const char *kind = file->rank == RANK_IMAGE ? "image" : "other";
        if (file != best && reading_add_file(reading, file->url, kind, file->word, err))
            return -1;
    }
    return 0;
}

/* --- inputs --- */

static cJSON *view_as_text(const struct generation_image *image)
{
    if (image->token)
        return cJSON_CreateString(image->token);
    char *uri = image_text(image, true);
    cJSON *text = uri ? cJSON_CreateString(uri) : NULL;
    free(uri);
    return text;
}

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a model's input");
}

int input_add_views(cJSON *input, const struct generation_spec *spec, const char *name,
                    struct err *err)
{
    char bare[80];
    size_t n = strlen(name);
    bool is_list = n > 2 && strcmp(name + n - 2, "[]") == 0;
    snprintf(bare, sizeof bare, "%.*s", (int)(is_list ? n - 2 : n), name);
    if (count_views(spec) == 0)
        return 0;
    if (!is_list)
        return cJSON_AddItemToObject(input, bare, view_as_text(&spec->images[VIEW_FRONT]))
                   ? 0
                   : no_memory(err);
    cJSON *list = cJSON_AddArrayToObject(input, bare);
    for (int view = 0; view < VIEW_COUNT; view++)
        if (has_view(spec, (enum generation_view)view) &&
            !cJSON_AddItemToArray(list, view_as_text(&spec->images[view])))
            return no_memory(err);
    return list ? 0 : no_memory(err);
}
