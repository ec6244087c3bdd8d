/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds and codes to statuses, and the problem document; see problem.h. */
#include "service/problem.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

static const struct {
    const char *code;
    int status;
} by_code[] = {
    {"request_malformed", 400},
    {"query_invalid", 400},
    {"multipart_boundary", 400},
    {"multipart_damaged", 400},
    {"multipart_unfinished", 400},
    {"idempotency_key_missing", 400},
    {"idempotency_key_invalid", 400},
    {"api_key_needed", 401},
    {"push_not_signed", 401},
    {"method_not_allowed", 405},
    {"length_required", 411},
    {"etag_mismatch", 412},
    {"version_changed", 412},
    {"uri_too_long", 414},
    {"not_multipart", 415},
    {"not_json", 415},
    {"expectation_failed", 417},
    {"host_unknown", 421},
    {"if_match_missing", 428},
    {"header_too_large", 431},
    {"method_unknown", 501},
    {"transfer_encoding_unknown", 501},
    {"disk_full", 507},
};

static const struct {
    int status;
    const char *title;
} titles[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {507, "Insufficient Storage"},
};

int problem_status(const struct err *why)
{
    static const int by_kind[] = {
        [ERR_NONE] = 500,  [ERR_INPUT] = 422,    [ERR_ABSENT] = 404, [ERR_DENIED] = 403,
        [ERR_LATER] = 503, [ERR_CONFLICT] = 409, [ERR_LIMIT] = 413,  [ERR_BUG] = 500};
    for (size_t i = 0; i < sizeof by_code / sizeof *by_code; i++)
        if (strcmp(why->code, by_code[i].code) == 0)
            return by_code[i].status;
    return by_kind[why->kind];
}

const char *problem_title(int status)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

int problem_retry_after(const struct err *why)
{
    int status = problem_status(why);
    if (status == 507)
        return 60;
    if (strcmp(why->code, "idempotency_in_progress") == 0)
        return 1;
    return status == 503 ? 2 : 0;
}

/* Checks of JSON say "<pointer>: <what>"; a pointer is empty or begins with '/'. True when there is
 * one. */
static bool split_pointer(char *pointer, size_t room, const struct err *why, const char **what)
{
    const char *colon = strstr(*what, ": ");
    size_t n = colon ? (size_t)(colon - *what) : 0;
    if (why->kind != ERR_INPUT || !colon || n >= room || (n && **what != '/'))
        return false;
    memcpy(pointer, *what, n);
    pointer[n] = 0;
    *what = colon + 2;
    return true;
}

static const char *code_of(const struct err *why)
{
    if (*why->code)
        return why->code;
    return why->kind == ERR_ABSENT ? "not_found" : err_kind_name(why->kind);
}

/* What our own failures say names files and hosts of ours: that stays in the log. */
static const char *detail_of(const struct err *why)
{
    if (why->kind == ERR_BUG)
        return "this is our mistake; the log has it under the trace id";
    if (strcmp(why->code, "database_away") == 0)
        return "the database does not answer for now";
    if (strcmp(why->code, "disk_full") == 0)
        return "the disk is full; nothing was kept";
    return why->what;
}

static void add_error(cJSON *problem, const char *pointer, const char *code, const char *detail)
{
    cJSON *error = cJSON_CreateObject();
    cJSON_AddStringToObject(error, "pointer", pointer);
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "detail", detail);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(problem, "errors"), error);
}

int problem_write(struct bytes *out, const struct err *why, const char *pointer,
                  const char *trace_id, struct err *err)
{
    int status = problem_status(why);
    const char *code = code_of(why);
    const char *detail = detail_of(why);
    char type[80], place[160] = "";
    bool placed = split_pointer(place, sizeof place, why, &detail);
    if (pointer)
        snprintf(place, sizeof place, "%s", pointer);
    snprintf(type, sizeof type, "urn:statuette:problem:%s", code);
    cJSON *problem = cJSON_CreateObject();
    cJSON_AddStringToObject(problem, "type", type);
    cJSON_AddStringToObject(problem, "title", problem_title(status));
    cJSON_AddNumberToObject(problem, "status", status);
    cJSON_AddStringToObject(problem, "detail", detail);
    cJSON_AddStringToObject(problem, "code", code);
    cJSON_AddStringToObject(problem, "trace_id", trace_id);
    if (pointer || placed)
        add_error(problem, place, code, detail);
    int failed = json_print(out, problem, false, err);
    cJSON_Delete(problem);
    return failed;
}
