/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OctoPrint's REST protocol (1.9; Moonraker's octoprint_compat answers part of it). The `virtual`
 * printer is the same protocol against the simulator. See printer.h for the contract.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "intake/provider/provider.h"
#include "service/printer.h"

#define ANSWER_MAX ((size_t)4 << 20)

/* What to ask: body may be empty. An upload may take minutes over a slow link, a question seconds.
 */
struct ask {
    const char *method, *path, *name; /* name is appended to the path, or NULL */
    const char *mime;
    struct bytes body;
    unsigned total_s;
};

static int request_build(struct http_request *request, struct ask *ask,
                         const struct printer_link *link, struct err *err)
{
    size_t base = strlen(link->url);
    while (base > 0 && link->url[base - 1] == '/')
        base--;
    *request = (struct http_request){.connect_s = 2, .total_s = ask->total_s, .stop = link->stop};
    request->max_bytes = ANSWER_MAX;
    snprintf(request->method, sizeof request->method, "%s", ask->method);
    bytes_take(&request->body, &ask->body);
    request->headers = cJSON_CreateObject();
    if (asprintf(&request->url, "%.*s%s%s", (int)base, link->url, ask->path,
                 ask->name ? ask->name : "") < 0) {
        request->url = NULL;
        return FAIL(err, ERR_LIMIT, "no memory for a request to a printer");
    }
    if (*link->api_key)
        cJSON_AddStringToObject(request->headers, "X-Api-Key", link->api_key);
    if (ask->mime)
        cJSON_AddStringToObject(request->headers, "Content-Type", ask->mime);
    return 0;
}

/* Sends; any HTTP status is an answer. The body is consumed. */
static int send_ask(struct http_answer *answer, struct ask *ask, const struct printer_link *link,
                    struct err *err)
{
    struct http_request request;
    struct err why = {0};
    *answer = (struct http_answer){0};
    int failed = request_build(&request, ask, link, err);
    if (!failed && http_send(answer, &request, &why)) {
        bool order = strcmp(ask->method, "GET") != 0;
        failed =
            FAIL_CODE(err, ERR_LATER, order && answer->sent ? "printer_in_doubt" : "printer_away",
                      "the printer does not answer: %.120s", why.what);
    }
    bytes_free(&ask->body);
    http_request_free(&request);
    return failed;
}

/* The status as a failure, for those that are one. */
static int judge(const struct http_answer *answer, const char *what, struct err *err)
{
    int status = answer->status;
    if (status >= 200 && status < 300)
        return 0;
    char said[100];
    snprintf(said, sizeof said, "%.99s", answer->body.data ? (const char *)answer->body.data : "");
    if (err)
        err->native = status;
    if (status == 401 || status == 403)
        return FAIL_CODE(err, ERR_DENIED, "printer_key", "the printer refuses our key (%s)", what);
    if (status == 404)
        return FAIL_CODE(err, ERR_ABSENT, "", "the printer has no such file (%s)", what);
    if (status == 409)
        return FAIL_CODE(err, ERR_CONFLICT, "printer_refused", "the printer refused to %s: %s",
                         what, said);
    if (status == 415 || status == 400 || status == 413)
        return FAIL_CODE(err, ERR_INPUT, "printer_file_refused",
                         "the printer's server refused to %s with status %d: %s", what, status,
                         said);
    return FAIL_CODE(err, ERR_LATER, "printer_in_doubt",
                     "the printer's server failed to %s with status %d: %s", what, status, said);
}

/* Asks and parses the JSON of a 200; *json stays NULL for 404 and 409, whose number is returned
 * in *status. */
static int get(cJSON **json, int *status, const struct printer_link *link, const char *path,
               const char *name, struct err *err)
{
    struct ask ask = {.method = "GET", .path = path, .name = name, .total_s = 5};
    struct http_answer answer;
    *json = NULL;
    int failed = send_ask(&answer, &ask, link, err);
    *status = answer.status;
    if (!failed && answer.status != 404 && answer.status != 409) {
        failed = judge(&answer, "answer", err);
        if (!failed && json_parse(json, answer.body.data ? (char *)answer.body.data : "",
                                  answer.body.len, err))
            failed = FAIL_CODE(err, ERR_BUG, "printer_protocol", "%s is no JSON", path);
    }
    http_answer_free(&answer);
    return failed;
}

static int post(const struct printer_link *link, const char *path, const char *name,
                const char *json, const char *what, struct err *err)
{
    struct ask ask = {
        .method = "POST", .path = path, .name = name, .mime = "application/json", .total_s = 10};
    struct http_answer answer;
    if (bytes_printf(&ask.body, err, "%s", json))
        return -1;
    int failed = send_ask(&answer, &ask, link, err) || judge(&answer, what, err);
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

/* The printer's number may be anything; a double beyond an int must not become one. */
static int count_of(const cJSON *prints, const char *name)
{
    double n = json_number(prints, name, 0);
    return n < 0 ? 0 : n < 1e9 ? (int)n : 1000000000;
}

static int octoprint_file(struct printer_file *file, const struct printer_link *link,
                          const char *name, struct err *err)
{
    cJSON *json = NULL;
    int status;
    *file = (struct printer_file){0};
    if (get(&json, &status, link, "/api/files/local/", name, err))
        return -1;
    const cJSON *prints = json_get(json, "prints");
    file->there = json != NULL;
    file->success = count_of(prints, "success");
    file->failure = count_of(prints, "failure");
    file->last_success = json_bool(json_get(prints, "last"), "success", false);
    cJSON_Delete(json);
    return 0;
}

/* Reads /api/job: the file, how far it is, and the server's words for a failure. */
static int read_job(struct printer_report *report, bool *after_error,
                    const struct printer_link *link, struct err *err)
{
    cJSON *json = NULL;
    int status;
    if (get(&json, &status, link, "/api/job", NULL, err))
        return -1;
    const cJSON *file = json_get(json_get(json, "job"), "file");
    const char *state = json_text(json, "state", "");
    snprintf(report->file, sizeof report->file, "%s", json_text(file, "path", ""));
    report->progress = json_number(json_get(json, "progress"), "completion", 0) / 100;
    report->progress = report->progress > 1 ? 1 : report->progress > 0 ? report->progress : 0;
    *after_error = strcasestr(state, "error") != NULL;
    if (*after_error)
        snprintf(report->message, sizeof report->message, "%.60s: %.90s", state,
                 json_text(json, "error", ""));
    cJSON_Delete(json);
    return 0;
}

/* There is no "finished" in this protocol: an idle printer's last file has a record of its prints,
 * and that is the certain answer. */
static int idle_state(struct printer_report *report, const struct printer_link *link,
                      struct err *err)
{
    struct printer_file file = {0};
    if (*report->file && octoprint_file(&file, link, report->file, err))
        return -1;
    report->state = PRINTER_IDLE;
    if (file.success + file.failure > 0 && !file.last_success)
        report->state = PRINTER_CANCELLED;
    else if (file.success > 0 && report->progress >= 1)
        report->state = PRINTER_DONE;
    return 0;
}

/* Not operational: the line to the printer is down. After an error in mid print the server has
 * noted that print as failed, which is a positive word; else nobody knows. */
static int down_state(struct printer_report *report, bool after_error,
                      const struct printer_link *link, struct err *err)
{
    struct printer_file file = {0};
    report->state = PRINTER_OFFLINE;
    if (!after_error)
        snprintf(report->message, sizeof report->message,
                 "the server answers, but no printer is connected to it");
    if (after_error && *report->file && octoprint_file(&file, link, report->file, err))
        return -1;
    if (file.success + file.failure > 0 && !file.last_success)
        report->state = PRINTER_FAILED;
    return 0;
}

static void read_heat(struct printer_report *report, bool *cold, const cJSON *printer)
{
    const cJSON *temperature = json_get(printer, "temperature");
    const cJSON *nozzle = json_get(temperature, "tool0"), *bed = json_get(temperature, "bed");
    report->nozzle_c = json_number(nozzle, "actual", 0);
    report->bed_c = json_number(bed, "actual", 0);
    *cold = report->nozzle_c < json_number(nozzle, "target", 0) - 3 ||
            report->bed_c < json_number(bed, "target", 0) - 3;
}

static int operational_state(struct printer_report *report, const cJSON *printer,
                             const struct printer_link *link, struct err *err)
{
    bool after_error = false, cold;
    const cJSON *flags = json_get(json_get(printer, "state"), "flags");
    read_heat(report, &cold, printer);
    if (read_job(report, &after_error, link, err))
        return -1;
    if (json_bool(flags, "error", false) || json_bool(flags, "closedOrError", false)) {
        if (down_state(report, true, link, err))
            return -1;
        if (report->state == PRINTER_OFFLINE)
            report->state = PRINTER_ATTENTION;
    } else if (json_bool(flags, "paused", false) || json_bool(flags, "pausing", false)) {
        report->state = PRINTER_PAUSED;
    } else if (json_bool(flags, "printing", false) || json_bool(flags, "resuming", false) ||
               json_bool(flags, "finishing", false) || json_bool(flags, "cancelling", false)) {
        report->state = cold && report->progress < 0.01 ? PRINTER_PREPARING : PRINTER_PRINTING;
    } else {
        return idle_state(report, link, err);
    }
    return 0;
}

static int octoprint_status(struct printer_report *report, const struct printer_link *link,
                            struct err *err)
{
    struct err why = {0};
    cJSON *printer = NULL;
    int status = 0;
    bool after_error = false;
    *report = (struct printer_report){.state = PRINTER_OFFLINE};
    int failed = get(&printer, &status, link, "/api/printer", NULL, &why);
    if (!failed && printer)
        failed = operational_state(report, printer, link, &why);
    else if (!failed)
        failed = read_job(report, &after_error, link, &why) ||
                 down_state(report, after_error, link, &why);
    cJSON_Delete(printer);
    report->answered = !failed;
    if (!failed)
        return 0;
    if (why.kind == ERR_LATER) {
        report->state = PRINTER_OFFLINE;
        snprintf(report->message, sizeof report->message, "%.159s", why.what);
        return 0;
    }
    if (err)
        *err = why;
    return -1;
}

/* A boundary that is not in the G-code: 128 random bits. The print flag is never sent: a start is
 * an order of its own, given once. */
static int upload_body(struct bytes *body, char mime[100], const char *name,
                       const struct bytes *gcode, struct err *err)
{
    unsigned char random[16];
    char hex[SHA256_HEX];
    random_bytes(random, sizeof random);
    sha256_hex(hex, random, sizeof random);
    snprintf(mime, 100, "multipart/form-data; boundary=part-%.32s", hex);
    body->limit = gcode->len + 4096;
    return bytes_printf(body, err,
                        "--part-%.32s\r\nContent-Disposition: form-data; name=\"select\"\r\n\r\n"
                        "false\r\n--part-%.32s\r\nContent-Disposition: form-data; "
                        "name=\"print\"\r\n\r\nfalse\r\n--part-%.32s\r\nContent-Disposition: "
                        "form-data; name=\"file\"; filename=\"%s\"\r\n"
                        "Content-Type: application/octet-stream\r\n\r\n",
                        hex, hex, hex, name) ||
           bytes_append(body, gcode->data, gcode->len, err) ||
           bytes_printf(body, err, "\r\n--part-%.32s--\r\n", hex);
}

static int octoprint_upload(const struct printer_link *link, const char *name,
                            const struct bytes *gcode, struct err *err)
{
    char mime[100];
    struct ask ask = {.method = "POST", .path = "/api/files/local", .mime = mime, .total_s = 300};
    struct http_answer answer;
    cJSON *json = NULL;
    if (upload_body(&ask.body, mime, name, gcode, err)) {
        bytes_free(&ask.body);
        return -1;
    }
    int failed = send_ask(&answer, &ask, link, err) || judge(&answer, "take the file", err);
    if (!failed && (json_parse(&json, answer.body.data ? (char *)answer.body.data : "",
                               answer.body.len, NULL) ||
                    !json_bool(json, "done", false)))
        failed = FAIL_CODE(err, ERR_LATER, "printer_in_doubt", "the upload was not confirmed");
    cJSON_Delete(json);
    http_answer_free(&answer);
    return failed ? -1 : 0;
}

/* Names the file in the order itself: `start` on /api/job would start whatever is chosen by then.
 */
static int octoprint_start(const struct printer_link *link, const char *name, struct err *err)
{
    return post(link, "/api/files/local/", name, "{\"command\":\"select\",\"print\":true}", "start",
                err);
}

static int octoprint_drop(const struct printer_link *link, const char *name, struct err *err)
{
    struct ask ask = {.method = "DELETE", .path = "/api/files/local/", .name = name, .total_s = 10};
    struct http_answer answer;
    int failed = send_ask(&answer, &ask, link, err);
    if (!failed && answer.status != 404)
        failed = judge(&answer, "remove a file", err);
    http_answer_free(&answer);
    return failed;
}

static int octoprint_cancel(const struct printer_link *link, struct err *err)
{
    return post(link, "/api/job", NULL, "{\"command\":\"cancel\"}", "cancel", err);
}

static int octoprint_pause(const struct printer_link *link, struct err *err)
{
    return post(link, "/api/job", NULL, "{\"command\":\"pause\",\"action\":\"pause\"}", "pause",
                err);
}

static int octoprint_resume(const struct printer_link *link, struct err *err)
{
    return post(link, "/api/job", NULL, "{\"command\":\"pause\",\"action\":\"resume\"}", "go on",
                err);
}

static int octoprint_connect(const struct printer_link *link, struct err *err)
{
    return post(link, "/api/connection", NULL, "{\"command\":\"connect\"}", "connect", err);
}

#define OCTOPRINT_CALLS                                                                            \
    .status = octoprint_status, .file = octoprint_file, .upload = octoprint_upload,                \
    .start = octoprint_start, .drop = octoprint_drop, .cancel = octoprint_cancel,                  \
    .pause = octoprint_pause, .resume = octoprint_resume, .connect = octoprint_connect

const struct printer_driver printer_octoprint = {
    .id = "octoprint",
    .summary = "an OctoPrint server over its REST protocol; api_key is its X-Api-Key",
    OCTOPRINT_CALLS};
const struct printer_driver printer_virtual = {
    .id = "virtual",
    .summary = "a printer simulator that speaks OctoPrint's protocol; prints nothing real",
    OCTOPRINT_CALLS};
