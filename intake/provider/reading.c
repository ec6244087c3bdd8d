/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the drivers when they read an answer; see reading.h. */
#include "intake/provider/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "intake/provider/request.h"

static uint32_t little_endian(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* 80 free bytes, a count, 50 bytes a triangle. Some programs add a few bytes at the end. */
static bool is_binary_stl(const uint8_t *data, size_t n)
{
    if (n < 84)
        return false;
    uint64_t wanted = 84 + 50 * (uint64_t)little_endian(data + 80);
    return wanted > 84 && wanted <= n && n - wanted < 512;
}

static bool has_line_start(const uint8_t *data, size_t n, const char *start)
{
    size_t length = strlen(start);
    for (size_t i = 0; i + length <= n; i++)
        if ((i == 0 || data[i - 1] == '\n') && memcmp(data + i, start, length) == 0)
            return true;
    return false;
}

static bool is_text(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (data[i] < 0x20 && data[i] != '\n' && data[i] != '\r' && data[i] != '\t')
            return false;
    return n > 0;
}

enum model_kind model_sniff(bool *whole, const uint8_t *data, size_t n)
{
    *whole = true;
    if (n >= 12 && memcmp(data, "glTF", 4) == 0) {
        *whole = little_endian(data + 8) == n;
        return MODEL_GLB;
    }
    if (is_binary_stl(data, n))
        return MODEL_STL;
    if (n >= 4 && memcmp(data, "ply", 3) == 0 && (data[3] == '\n' || data[3] == '\r'))
        return MODEL_PLY;
    size_t head = n < 65536 ? n : 65536;
    if (!is_text(data, head) || data[0] == '{' || data[0] == '<')
        return MODEL_UNKNOWN;
    if (n >= 6 && memcmp(data, "solid", 5) == 0)
        return MODEL_STL;
    return has_line_start(data, head, "v ") ? MODEL_OBJ : MODEL_UNKNOWN;
}

struct provider_reading reading_start(enum task_state state)
{
    return (struct provider_reading){.state = state,
                                     .retry_after_s = -1,
                                     .progress = -1,
                                     .queue_position = -1,
                                     .eta_s = -1,
                                     .credits = -1,
                                     .balance = -1,
                                     .frozen = -1};
}

void reading_fail(struct provider_reading *reading, enum task_state state,
                  enum provider_error error, enum provider_retry retry, const char *message)
{
    reading->state = state;
    reading->error = error;
    reading->retry = retry;
    reading_word(reading->message, sizeof reading->message, message);
}

int reading_add_file(struct provider_reading *reading, const char *url, const char *kind,
                     const char *format, struct err *err)
{
    struct provider_file file = {0};
    struct provider_file *longer =
        realloc(reading->files, (reading->file_count + 1) * sizeof *longer);
    if (!longer)
        return FAIL(err, ERR_LIMIT, "no memory for a result");
    reading->files = longer;
    file.url = strdup(url);
    if (!file.url)
        return FAIL(err, ERR_LIMIT, "no memory for a result");
    snprintf(file.kind, sizeof file.kind, "%s", kind);
    snprintf(file.format, sizeof file.format, "%s", format);
    reading->files[reading->file_count++] = file;
    return 0;
}

struct meaning {
    int status; /* 0 ends the table */
    enum task_state state;
    enum provider_error error;
    enum provider_retry retry;
};

/* Where nothing was made: a refusal. What is not in the table: see reading_http_error. */
static const struct meaning meanings[] = {
    {400, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {401, TASK_FAILED, PROVIDER_AUTH, RETRY_OPERATOR},
    {402, TASK_FAILED, PROVIDER_CREDITS, RETRY_OPERATOR},
    {403, TASK_FAILED, PROVIDER_AUTH, RETRY_OPERATOR},
    {404, TASK_FAILED, PROVIDER_NOT_FOUND, RETRY_NO},
    {413, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {415, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {422, TASK_FAILED, PROVIDER_BAD_INPUT, RETRY_NO},
    {429, TASK_QUEUED, PROVIDER_RATE, RETRY_YES},
    {503, TASK_QUEUED, PROVIDER_SERVER, RETRY_YES},
    {0, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO},
};

static void lost(struct provider_reading *reading, bool submit, bool sent)
{
    if (!submit)
        reading_fail(reading, TASK_UNKNOWN, PROVIDER_SERVER, RETRY_YES, "no answer to the poll");
    else if (sent)
        reading_fail(reading, TASK_UNKNOWN, PROVIDER_SERVER, RETRY_RECONCILE,
                     "the answer was lost after the request was sent: the task may exist");
    else
        reading_fail(reading, TASK_QUEUED, PROVIDER_SERVER, RETRY_YES, "the server is not reached");
}

bool reading_http_error(struct provider_reading *reading, const struct http_answer *answer,
                        bool submit)
{
    int status = answer->status;
    char words[160];
    if (status >= 200 && status < 300)
        return false;
    if (status == 0) {
        lost(reading, submit, answer->sent);
        return true;
    }
    snprintf(words, sizeof words, "HTTP %d: %.*s", status,
             (int)(answer->body.len < 120 ? answer->body.len : 120),
             answer->body.data ? (const char *)answer->body.data : "");
    const struct meaning *m = meanings;
    while (m->status && m->status != status)
        m++;
    bool of_account = m->error == PROVIDER_AUTH || m->error == PROVIDER_CREDITS;
    if (m->status) /* a key refused today says nothing of a task that was paid yesterday */
        reading_fail(reading, of_account && !submit ? TASK_UNKNOWN : m->state, m->error, m->retry,
                     words);
    else if (status >= 500)
        reading_fail(reading, TASK_UNKNOWN, PROVIDER_SERVER, submit ? RETRY_RECONCILE : RETRY_YES,
                     words);
    else
        reading_fail(reading, TASK_FAILED, PROVIDER_PROTOCOL, RETRY_NO, words);
    reading->retry_after_s = answer->retry_after_s;
    return true;
}

cJSON *reading_json(struct provider_reading *reading, const struct http_answer *answer, bool submit)
{
    cJSON *said = NULL;
    if (reading_http_error(reading, answer, submit))
        return NULL;
    if (answer->body.len && !json_parse(&said, answer->body.data, answer->body.len, NULL) &&
        (cJSON_IsObject(said) || cJSON_IsArray(said)))
        return said;
    cJSON_Delete(said);
    if (submit)
        reading_fail(reading, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_RECONCILE,
                     "a success without JSON: the task may exist");
    else
        reading_fail(reading, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_NO,
                     "no JSON where some was due");
    return NULL;
}

/* No model begins like that; an error of a file host, or of what stands before it, does. */
static bool is_words(const struct bytes *body)
{
    size_t at = body->len >= 3 && memcmp(body->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < body->len && body->data[at] <= ' ')
        at++;
    return at < body->len && memchr("{[<", body->data[at], 3);
}

void reading_download(struct provider_reading *reading, const struct http_answer *answer)
{
    bool whole;
    *reading = reading_start(TASK_SUCCEEDED);
    if (answer->status == 403 || answer->status == 404 || answer->status == 410) {
        reading_fail(reading, TASK_RUNNING, PROVIDER_URL_EXPIRED, RETRY_YES,
                     "the address of the file has expired");
        return;
    }
    if (reading_http_error(reading, answer, false))
        return;
    if (is_words(&answer->body))
        reading_fail(reading, TASK_RUNNING, PROVIDER_SERVER, RETRY_YES,
                     "JSON or a web page came where a file was due");
    else if (!answer->body.len ||
             (model_sniff(&whole, answer->body.data, answer->body.len) != MODEL_UNKNOWN && !whole))
        reading_fail(reading, TASK_RUNNING, PROVIDER_SERVER, RETRY_YES, "half a file came");
}

/* How many bytes the UTF-8 character at p has; 0 where it is none. RFC 3629, section 4: the range
 * of the second byte keeps out overlong forms, surrogates and what is past U+10FFFF. */
static size_t character_bytes(const unsigned char *p)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    unsigned least = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned most = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[0] > 0xf4 || (n > 1 && (p[1] < least || p[1] > most)))
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* A database takes no text that is no UTF-8, so a bad byte of a provider's would stop its order. */
void reading_word(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text);
    for (unsigned char *c = (unsigned char *)out; *c;) {
        size_t n = character_bytes(c);
        if (n == 0)
            *c = '?';
        else if (*c < 0x20 || *c == 0x7f)
            *c = ' ';
        c += n ? n : 1;
    }
}

static int number_at(const char *text, size_t at, size_t digits)
{
    int value = 0;
    for (size_t i = at; i < at + digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = 10 * value + (text[i] - '0');
    }
    return value;
}

/* Days since 1970-01-01; counted from March, so that the leap day is the last of its year. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

int64_t reading_time(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00";
    if (strnlen(text, sizeof form - 1) < sizeof form - 1)
        return 0;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9'
                           : text[i] != form[i] && !(form[i] == 'T' && text[i] == ' '))
            return 0;
    int month = number_at(text, 5, 2), day = number_at(text, 8, 2);
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    int64_t seconds = 86400 * days_of(number_at(text, 0, 4), month, day) +
                      3600 * number_at(text, 11, 2) + 60 * number_at(text, 14, 2) +
                      number_at(text, 17, 2);
    const char *rest = text + sizeof form - 1;
    rest += *rest == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
    if ((*rest == '+' || *rest == '-') && strnlen(rest, 6) == 6) {
        int hours = number_at(rest, 1, 2), minutes = number_at(rest, 4, 2);
        if (hours < 0 || minutes < 0)
            return 0;
        int64_t off = 3600 * hours + 60 * minutes;
        seconds += *rest == '+' ? -off : off;
    }
    return seconds > 0 ? seconds : 0;
}

void reading_submitted(struct provider_reading *reading, const char *id)
{
    if (id && task_id_is_plain(id)) {
        reading->state = TASK_QUEUED;
        snprintf(reading->task, sizeof reading->task, "%s", id);
        return;
    }
    reading_fail(reading, TASK_UNKNOWN, PROVIDER_PROTOCOL, RETRY_RECONCILE,
                 "a success without the task's number: the task may exist");
}

bool words_refuse_content(const char *words)
{
    static const char *const signs[] = {"policy",        "moderation", "nsfw",   "sensitive",
                                        "inappropriate", "prohibited", "unsafe", "nudity"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strcasestr(words, signs[i]))
            return true;
    return false;
}

int percent_of(double said)
{
    if (!(said >= 0))
        return -1;
    return said > 100 ? 100 : (int)said;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may still send (RFC 9110, 5.6.7). */
int64_t answer_date(const struct http_answer *answer)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *text = json_text(answer->headers, "date", "");
    char month[4];
    struct tm tm = {0};
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &tm.tm_mday, month,
               &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return 0;
    const char *at = strstr(months, month);
    if (!at || strlen(month) != 3 || (at - months) % 3 != 0 || tm.tm_year < 1970)
        return 0;
    tm.tm_mon = (int)(at - months) / 3;
    tm.tm_year -= 1900;
    return timegm(&tm);
}

const char *kind_of_ending(const char *ending)
{
    static const char *const kinds[][2] = {
        {"glb", "model"},  {"stl", "model"},  {"obj", "model"},  {"3mf", "model"}, {"ply", "model"},
        {"gltf", "model"}, {"fbx", "model"},  {"usdz", "model"}, {"png", "image"}, {"jpg", "image"},
        {"jpeg", "image"}, {"webp", "image"}, {"gif", "image"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i][0], ending) == 0)
            return kinds[i][1];
    return "other";
}

void name_ending(char out[12], const char *name)
{
    size_t end = strcspn(name, "?#"), start = end, n = 0;
    const char *scheme = strstr(name, "://");
    size_t first = scheme ? (size_t)(scheme + 3 - name) : 0;
    out[0] = 0;
    while (start > first && name[start - 1] != '.' && name[start - 1] != '/')
        start--;
    if (start <= first || name[start - 1] != '.' || end - start > 11 ||
        (scheme && !memchr(name + first, '/', start - first)))
        return;
    for (size_t i = start; i < end; i++)
        out[n++] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    out[n] = 0;
    if (strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789") != n)
        out[0] = 0;
}

bool url_is_plain(const char *url)
{
    size_t n = strnlen(url, 4097);
    if (n > 4096 || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (url[i] <= 0x20 || url[i] >= 0x7f)
            return false;
    return true;
}

int reading_add_result(struct provider_reading *reading, const char *url, const char *kind,
                       const char *format, struct err *err)
{
    char ending[12] = "";
    if (!url_is_plain(url) || reading->file_count == 32)
        return 0;
    if (!format)
        name_ending(ending, url);
    if (reading_add_file(reading, url, kind, format ? format : ending, err))
        return -1;
    size_t at = reading->file_count - 1;
    struct provider_file added = reading->files[at];
    for (;
         strcmp(kind, "model") == 0 && at > 0 && strcmp(reading->files[at - 1].kind, "model") != 0;
         at--)
        reading->files[at] = reading->files[at - 1];
    reading->files[at] = added;
    return 0;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct bytes *out, const char *text, size_t n, struct err *err)
{
    uint8_t piece[3072];
    size_t used = 0;
    uint32_t bits = 0;
    int have = 0;
    while (n > 0 && text[n - 1] == '=')
        n--;
    if (n % 4 == 1)
        return FAIL(err, ERR_INPUT, "base64 of a length that cannot be");
    for (size_t i = 0; i < n; i++) {
        int value = digit_value(text[i]);
        if (value < 0)
            return FAIL(err, ERR_INPUT, "no base64 at byte %zu", i);
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        piece[used++] = (uint8_t)(bits >> have);
        if (used == sizeof piece) {
            if (bytes_append(out, piece, used, err))
                return -1;
            used = 0;
        }
    }
    return bytes_append(out, piece, used, err);
}
