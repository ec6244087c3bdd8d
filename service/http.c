/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP server: the doorman of libmicrohttpd. One thread a connection, so that a handler may
 * wait for the database or a child. Judges the head, gathers or streams the body, runs the route's
 * handler, sends the reply. Started by serve and up.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/http.h"
#include "service/http_exchange.h"
#include "service/log.h"
#include "service/problem.h"
#include "service/service.h"

#define CONNECTIONS_MOST 512
#define CONNECTIONS_PER_ADDRESS 64
#define HEAD_DEADLINE_MS 10000
#define QUIET_S 30 /* nothing sent or taken for so long closes a connection */
#define DRAIN_BYTES                                                                                \
    (64 << 10) /* a refused body up to this is read, so that the line stays good                   \
                */
#define LINGER_MS 1500
#define STOP_WAIT_MS 15000

struct server {
    struct MHD_Daemon *daemon;
    int fd;
};

static struct watched *watched_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t length)
{
    struct http *http = cls;
    (void)length;
    return watch_admits(http->watch, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *http = cls;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        watch_remove(http->watch, *context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *context = watch_add(http->watch, socket_of(connection), info ? info->client_addr : NULL);
}

/* The request line has been read: the exchange begins. The raw URI is still unescaped here. */
static void *on_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    return exchange_new(cls, uri);
}

/* Reads and forgets what a refused client still sends: closing over unread bytes would reset the
 * connection and could take our answer with it. */
static void linger(int fd)
{
    char scrap[16384];
    shutdown(fd, SHUT_WR); /* the client sees the end of the answer and need not wait for us */
    int64_t until = clock_ms() + LINGER_MS;
    for (int64_t left; (left = until - clock_ms()) > 0;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)left) != 1 || recv(fd, scrap, sizeof scrap, MSG_DONTWAIT) <= 0)
            return;
    }
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct http *http = cls;
    struct exchange *x = *state;
    *state = NULL;
    if (x && x->close && how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        linger(socket_of(connection));
    watch_idle(http->watch, watched_of(connection));
    exchange_free(x);
}

static enum MHD_Result gather_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                     size_t name_len, const char *value, size_t value_len)
{
    struct head *head = cls;
    bool header = kind == MHD_HEADER_KIND;
    size_t *count = header ? &head->header_count : &head->query_count;
    size_t room = header ? HTTP_HEADERS_MAX : sizeof head->query / sizeof *head->query;
    value = value ? value : "";
    head->has_nul |= strlen(name) != name_len || strlen(value) != value_len;
    head->header_bytes += header ? name_len + value_len + 4 : 0;
    if (*count >= room) {
        head->too_many = true;
        return MHD_NO;
    }
    (header ? head->headers : head->query)[(*count)++] = (struct pair){name, value};
    return MHD_YES;
}

/*
 * The library ends texts at the first NUL and does not tell what stood behind it. All of a head
 * stands in one buffer, each line end overwritten by NULs: so a line must begin one or two bytes
 * behind the end of the one before, and the head end with an empty line. A folded header does not
 * either, and is refused with the rest.
 */
static bool lines_join(const struct head *head, const char *end)
{
    const char *at = head->version + strlen(head->version);
    for (size_t i = 0; i <= head->header_count; i++) {
        const char *next = i < head->header_count ? head->headers[i].name : end;
        ptrdiff_t gap = next - at;
        if (i == head->header_count ? gap < 2 || gap > 4 : gap < 1 || gap > 2)
            return false;
        if (i < head->header_count)
            at = head->headers[i].value + strlen(head->headers[i].value);
    }
    return true;
}

static void gather(struct exchange *x, struct MHD_Connection *connection, const char *url,
                   const char *method, const char *version)
{
    struct head *head = &x->request.head;
    head->method = method;
    head->url = url ? url : "";
    head->version = version ? version : "";
    head->uri_bytes = x->uri_len;
    /* The version stands in the same buffer, one byte behind the URI, unless a NUL cut it short. */
    head->has_nul |= head->version != x->line + x->uri_len + 1;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, gather_header, head);
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, gather_header, head);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info && !head->too_many)
        head->has_nul |= !lines_join(head, method + info->header_size);
}

static ssize_t on_pull(void *cls, uint64_t offset, char *out, size_t room)
{
    struct puller *puller = cls;
    (void)offset;
    ssize_t n = puller->pull(puller->user, out, room);
    if (n > 0)
        return n;
    return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *pull_response(struct reply *reply)
{
    struct puller *puller = malloc(sizeof *puller);
    if (!puller)
        return NULL;
    *puller = (struct puller){reply->pull, reply->pull_end, reply->user};
    uint64_t size = reply->pull_bytes < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)reply->pull_bytes;
    struct MHD_Response *response =
        MHD_create_response_from_callback(size, 32768, on_pull, puller, puller_free);
    if (response)
        reply->pull = NULL, reply->pull_end = NULL; /* the response owns it now */
    else
        free(puller);
    return response;
}

static struct MHD_Response *make_response(struct reply *reply)
{
    struct MHD_Response *response;
    if (reply->pull)
        return pull_response(reply);
    if (reply->file >= 0) {
        response = MHD_create_response_from_fd64(reply->file_bytes, reply->file);
        reply->file = response ? -1 : reply->file;
        return response;
    }
    if (reply->text)
        return MHD_create_response_from_buffer(reply->text_bytes, (void *)(uintptr_t)reply->text,
                                               MHD_RESPMEM_PERSISTENT);
    response =
        MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (response)
        reply->body = (struct bytes){0};
    return response;
}

static const char *const always[][2] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"X-Frame-Options", "DENY"},
    {"Content-Security-Policy",
     "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
     "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
};

static enum MHD_Result send_reply(struct exchange *x, struct MHD_Connection *connection)
{
    struct reply *reply = &x->reply;
    struct MHD_Response *response = make_response(reply);
    if (!response)
        return MHD_NO;
    bool cached = false;
    for (size_t i = 0; i < reply->header_count; i++) {
        cached |= strcmp(reply->headers[i].name, "Cache-Control") == 0;
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    }
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        MHD_add_response_header(response, always[i][0], always[i][1]);
    if (reply->mime)
        MHD_add_response_header(response, "Content-Type", reply->mime);
    if (!cached)
        MHD_add_response_header(response, "Cache-Control", "no-store");
    if (x->close)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    exchange_count(x);
    return queued;
}

/* First call: only the head is there. A refused small body is drained, a large one cut off. */
static enum MHD_Result begin(struct exchange *x, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version)
{
    gather(x, connection, url, method, version);
    exchange_begin(x);
    if (!x->failed)
        return MHD_YES;
    int64_t length = head_content_length(&x->request.head);
    bool small = length >= 0 && length <= DRAIN_BYTES;
    if (!x->close && (small || !head_has_body(&x->request.head)))
        return MHD_YES;
    x->close = true;
    exchange_finish(x);
    return send_reply(x, connection);
}

/* The body grew over its cap without having said so in its head: nothing but a word on the bare
 * socket can be sent in the middle of a request. */
static enum MHD_Result cut_off(struct exchange *x, struct MHD_Connection *connection)
{
    struct bytes text = {.limit = 8192};
    int fd = socket_of(connection);
    exchange_finish(x);
    int status = x->reply.status;
    if (bytes_printf(&text, NULL,
                     "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     status, problem_title(status), x->reply.body.len,
                     (const char *)x->reply.body.data) == 0 &&
        send(fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        linger(fd);
    bytes_free(&text);
    exchange_count(x);
    return MHD_NO;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_bytes, void **state)
{
    struct http *http = cls;
    struct exchange *x = *state;
    if (!x)
        return MHD_NO;
    if (!x->started) {
        watch_body(http->watch, watched_of(connection), 0);
        return begin(x, connection, url, method, version);
    }
    if (*data_bytes) {
        size_t n = *data_bytes;
        *data_bytes = 0;
        if (exchange_take(x, data, n))
            return cut_off(x, connection);
        watch_body(http->watch, watched_of(connection), x->received);
        return MHD_YES;
    }
    watch_reply(http->watch, watched_of(connection));
    exchange_finish(x);
    return send_reply(x, connection);
}

/* host:port, [v6]:port or :port. */
static int split_listen(const char *listen, char host[256], char port[16], struct err *err)
{
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    if (!colon || !colon[1] || n >= 256 || strlen(colon + 1) >= 16 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return FAIL(err, ERR_INPUT, "\"%s\" is no host:port to listen on", listen);
    bool v6 = n >= 2 && listen[0] == '[' && listen[n - 1] == ']';
    snprintf(host, 256, "%.*s", (int)(v6 ? n - 2 : n), listen + v6);
    snprintf(port, 16, "%s", colon + 1);
    return 0;
}

static int bind_one(const struct addrinfo *a, const char *listen_on, struct err *err)
{
    int one = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return FAIL_ERRNO(err, "cannot make a socket for %s", listen_on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 256) == 0)
        return fd;
    if (errno == EADDRINUSE)
        FAIL_CODE(err, ERR_CONFLICT, "port_taken", "%s is taken by another program", listen_on);
    else
        FAIL_ERRNO(err, "cannot listen on %s", listen_on);
    close(fd);
    return -1;
}

static int listen_socket(int *out, int *port, const char *listen_on, struct err *err)
{
    char host[256], service[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    if (split_listen(listen_on, host, service, err))
        return -1;
    int failed = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (failed)
        return FAIL(err, ERR_INPUT, "cannot listen on %s: %s", listen_on, gai_strerror(failed));
    *out = bind_one(found, listen_on, err);
    freeaddrinfo(found);
    if (*out < 0)
        return -1;
    char name[16];
    if (getsockname(*out, (struct sockaddr *)&own, &length) ||
        getnameinfo((struct sockaddr *)&own, length, NULL, 0, name, sizeof name, NI_NUMERICSERV))
        return FAIL_ERRNO(err, "cannot tell the port");
    *port = atoi(name);
    return 0;
}

static void hush(void *cls, const char *fmt, va_list list)
{
    (void)cls, (void)fmt, (void)list; /* the library prints what clients do wrong */
}

int server_start(struct http *http, int *port, struct err *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return FAIL(err, ERR_LIMIT, "no memory");
    server->fd = -1;
    http->server = server;
    if (listen_socket(&server->fd, port, http->settings->listen, err))
        return -1;
    server->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
            MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, on_accept, http, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, hush, NULL,
        MHD_OPTION_LISTEN_SOCKET, server->fd, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)QUIET_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)1 << 20, MHD_OPTION_URI_LOG_CALLBACK, on_line, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, http, MHD_OPTION_END);
    if (!server->daemon)
        return FAIL(err, ERR_LATER, "the HTTP server did not start");
    return 0;
}

void server_stop(struct http *http)
{
    struct server *server = http->server;
    if (!server)
        return;
    if (server->daemon) {
        MHD_quiesce_daemon(server->daemon);
        int64_t until = clock_ms() + STOP_WAIT_MS;
        while (atomic_load(&http->under_way) > 0 && clock_ms() < until)
            usleep(10000);
        MHD_stop_daemon(server->daemon);
    }
    if (server->fd >= 0)
        close(server->fd);
    free(server);
    http->server = NULL;
}

int server_watch_new(struct watch **out, struct err *err)
{
    return watch_open(out, CONNECTIONS_PER_ADDRESS, HEAD_DEADLINE_MS, err);
}
