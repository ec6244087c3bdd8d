/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request from its head to its reply; see http_exchange.h. */
#include "service/http_exchange.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "service/log.h"
#include "service/problem.h"

void puller_free(void *user)
{
    struct puller *puller = user;
    if (puller->end)
        puller->end(puller->user);
    free(puller);
}

struct exchange *exchange_new(struct http *http, const char *uri)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->request.http = http;
    x->request.body.limit = HTTP_JSON_BYTES;
    x->reply.file = -1;
    x->reply.status = 200;
    x->line = uri;
    x->uri_len = strlen(uri);
    memcpy(x->uri, uri, x->uri_len < HTTP_URI_MAX ? x->uri_len : HTTP_URI_MAX);
    x->begun_s = clock_s();
    id_new(x->request.trace_id, "req");
    return x;
}

static void give_db_back(struct request *request, const struct err *why)
{
    bool broken = why && strcmp(why->code, "database_away") == 0;
    pool_give(request->http->pool, request->db, broken);
    request->db = NULL;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    if (x->started)
        atomic_fetch_sub(&x->request.http->under_way, 1);
    give_db_back(&x->request, NULL);
    upload_close(x->request.upload);
    bytes_free(&x->request.body);
    bytes_free(&x->reply.body);
    if (x->reply.pull_end)
        x->reply.pull_end(x->reply.user);
    if (x->reply.file >= 0)
        close(x->reply.file);
    free(x);
}

/* Compares hashes, so that the time taken tells nothing about the key. */
static bool same_secret(const char *given, const char *wanted)
{
    char a[SHA256_HEX], b[SHA256_HEX];
    sha256_hex(a, given, strlen(given));
    sha256_hex(b, wanted, strlen(wanted));
    return memcmp(a, b, SHA256_HEX) == 0;
}

static bool cookie_matches(const char *cookies, const char *wanted)
{
    static const char name[] = "statuette_session=";
    const char *at = cookies ? strstr(cookies, name) : NULL;
    char given[65];
    if (!at || (at != cookies && at[-1] != ' ' && at[-1] != ';'))
        return false;
    at += sizeof name - 1;
    size_t n = strcspn(at, "; ");
    if (n != 64)
        return false;
    memcpy(given, at, 64);
    given[64] = 0;
    return same_secret(given, wanted);
}

static int check_key(const struct request *request, struct err *err)
{
    const struct http *http = request->http;
    const char *authorization = request_header(request, "Authorization");
    if (!*http->settings->api_key || (request->route->flags & ROUTE_OPEN))
        return 0;
    if (authorization && strncasecmp(authorization, "Bearer ", 7) == 0 &&
        same_secret(authorization + 7, http->settings->api_key))
        return 0;
    if (cookie_matches(request_header(request, "Cookie"), http->session))
        return 0;
    return FAIL_CODE(err, ERR_DENIED, "api_key_needed", "this needs Authorization: Bearer KEY");
}

/* Who acts, for the log of events: a name that the client gives, cleaned. */
static void name_actor(struct request *request)
{
    const char *name = request_header(request, "Statuette-User");
    size_t n = 0;
    char clean[41];
    for (; name && *name && n < 40; name++)
        if (isalnum((unsigned char)*name) || strchr("._-@", *name))
            clean[n++] = *name;
    clean[n] = 0;
    snprintf(request->actor, sizeof request->actor, "user:%s", n ? clean : "api");
}

static int check_type(const struct request *request, struct err *err)
{
    const char *type = request_header(request, "Content-Type");
    size_t n = type ? strcspn(type, "; \t") : 0;
    if (!head_has_body(&request->head))
        return 0;
    if (n == 16 && strncasecmp(type, "application/json", 16) == 0)
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "not_json", "the body must be application/json");
}

static int check_body(struct exchange *x, struct err *err)
{
    struct request *request = &x->request;
    const struct head *head = &request->head;
    unsigned flags = request->route->flags;
    int64_t length = head_content_length(head);
    bool write = strcmp(request->route->method, "GET") != 0;
    if (!write)
        x->limit = 0;
    else
        x->limit = flags & ROUTE_FORM ? (uint64_t)request->http->settings->upload_mb * 1000 * 1000
                                      : HTTP_JSON_BYTES;
    if (!write && head_has_body(head))
        return FAIL_CODE(err, ERR_INPUT, "request_malformed", "a GET takes no body");
    if ((flags & (ROUTE_JSON | ROUTE_FORM)) && length < 0 && !head_has_body(head))
        return FAIL_CODE(err, ERR_INPUT, "length_required", "the body's length is missing");
    if (length > 0 && (uint64_t)length > x->limit)
        return FAIL_CODE(err, ERR_LIMIT, "body_too_large", "the body is over %llu bytes",
                         (unsigned long long)x->limit);
    if (flags & (ROUTE_JSON | ROUTE_NO_BODY))
        return check_type(request, err);
    return 0;
}

static int check_idempotency_key(const struct request *request, struct err *err)
{
    const char *key = request_header(request, "Idempotency-Key");
    if (!(request->route->flags & ROUTE_KEY))
        return 0;
    if (!key || !*key)
        return FAIL_CODE(err, ERR_INPUT, "idempotency_key_missing",
                         "this needs an Idempotency-Key, so that asking twice does it once");
    if (strlen(key) > 200)
        return FAIL_CODE(err, ERR_INPUT, "idempotency_key_invalid",
                         "an Idempotency-Key has at most 200 characters");
    return 0;
}

static int check_all(struct exchange *x, struct err *err)
{
    struct request *request = &x->request;
    struct head *head = &request->head;
    head->has_nul |= strstr(x->uri, "%00") != NULL;
    x->close = true; /* until the framing is known to be good */
    if (strchr(x->uri, ' '))
        return FAIL_CODE(err, ERR_INPUT, "request_malformed", "a space stands in the URI");
    if (guard_head(head, request->http->any_host, err))
        return -1;
    x->close = false;
    if (route_find(request, x->allow, head->method, x->uri, err))
        return -1;
    if (check_key(request, err))
        return -1;
    if (strcmp(request->route->method, "GET") != 0 && guard_origin(head, err))
        return -1;
    if (check_body(x, err) || check_idempotency_key(request, err))
        return -1;
    if ((request->route->flags & ROUTE_MATCH) && !request_header(request, "If-Match"))
        return FAIL_CODE(err, ERR_INPUT, "if_match_missing",
                         "this needs If-Match with the ETag of what you saw");
    name_actor(request);
    return request->route->flags & ROUTE_FORM ? upload_open(&request->upload, request, err) : 0;
}

void exchange_begin(struct exchange *x)
{
    x->started = true;
    atomic_fetch_add(&x->request.http->under_way, 1);
    x->failed = check_all(x, &x->failure) != 0;
}

int exchange_take(struct exchange *x, const void *data, size_t n)
{
    struct request *request = &x->request;
    x->received += n;
    if (!x->failed && x->received > x->limit) {
        FAIL_CODE(&x->failure, ERR_LIMIT, "body_too_large", "the body is over %llu bytes",
                  (unsigned long long)x->limit);
        x->failed = x->close = true;
        return -1;
    }
    if (x->failed) /* drained; a chunked one may not go on for ever */
        return x->limit && x->received > x->limit ? -1 : 0;
    if (request->upload)
        x->failed = upload_feed(request->upload, data, n, &x->failure) != 0;
    else
        x->failed = bytes_append(&request->body, data, n, &x->failure) != 0;
    return 0;
}

static void drop_reply(struct reply *reply)
{
    bytes_free(&reply->body);
    if (reply->pull_end)
        reply->pull_end(reply->user);
    if (reply->file >= 0)
        close(reply->file);
    *reply = (struct reply){.file = -1};
}

static void write_problem(struct exchange *x)
{
    struct reply *reply = &x->reply;
    const struct request *request = &x->request;
    drop_reply(reply);
    reply->status = problem_status(&x->failure);
    reply->mime = "application/problem+json";
    int wait = problem_retry_after(&x->failure);
    if (wait)
        reply_header(reply, "Retry-After", "%d", wait);
    if (reply->status == 401)
        reply_header(reply, "WWW-Authenticate", "Bearer realm=\"statuette\"");
    if (reply->status == 405)
        reply_header(reply, "Allow", "%s", x->allow);
    if (problem_write(&reply->body, &x->failure, *request->pointer ? request->pointer : NULL,
                      request->trace_id, NULL))
        bytes_free(&reply->body);
    if (reply->status >= 500)
        log_failure(LOG_ERROR, "request_failed", request->trace_id, &x->failure);
}

static void log_write(const struct exchange *x)
{
    char status[12];
    snprintf(status, sizeof status, "%d", x->reply.status);
    const struct request *request = &x->request;
    bool write = request->route && strcmp(request->route->method, "GET") != 0;
    log_event(write ? LOG_INFO : LOG_DEBUG, "request", "method", request->head.method, "route",
              request->route ? request->route->path : "", "status", status, "code",
              x->failed ? x->failure.code : "", "trace", request->trace_id, NULL);
}

void exchange_finish(struct exchange *x)
{
    struct request *request = &x->request;
    if (!x->failed)
        x->failed = request->route->run(request, &x->reply, &x->failure) != 0;
    give_db_back(request, x->failed ? &x->failure : NULL);
    if (x->failed)
        write_problem(x);
    log_write(x);
}

void exchange_count(struct exchange *x)
{
    struct http *http = x->request.http;
    int group = x->reply.status / 100;
    if (x->counted)
        return;
    x->counted = true;
    atomic_fetch_add(&http->answered[0], 1);
    if (group >= 1 && group <= 5)
        atomic_fetch_add(&http->answered[group], 1);
    atomic_fetch_add(&http->seconds_us, (uint64_t)((clock_s() - x->begun_s) * 1e6));
}
