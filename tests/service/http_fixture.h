/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of the HTTP side share: a real service on a real Postgres, and a client on bare
 * sockets that can also say what no proper client would.
 */
#ifndef TESTS_SERVICE_HTTP_FIXTURE_H
#define TESTS_SERVICE_HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/socket.h>

#include "service/log.h"
#include "service/service.h"
#include "tests/storage/fixture.h"

static struct http *http;
static struct settings settings;
static int http_port;
static char http_folder[] = "/tmp/statuette-http-XXXXXX";

static void http_end(void)
{
    http_stop(http);
    http = NULL;
    folder_remove(http_folder);
}

/* Starts the service on the fixture's database; 0 when it runs. */
static inline int http_fixture(void)
{
    if (http)
        return 0;
    if (fixture() || !mkdtemp(http_folder))
        return -1;
    log_open(LOG_ERROR + 1, "test");
    atexit(http_end);
    snprintf(settings.database, sizeof settings.database, "%s", cluster_conninfo(&cluster));
    snprintf(settings.blob_folder, sizeof settings.blob_folder, "%s/blobs", http_folder);
    snprintf(settings.work_folder, sizeof settings.work_folder, "%s/work", http_folder);
    snprintf(settings.listen, sizeof settings.listen, "127.0.0.1:0");
    settings.upload_mb = 8;
    if (http_start(&http, &http_port, &settings, &err) == 0)
        return 0;
    snprintf(cluster_why, sizeof cluster_why, "%s", err.what);
    return -1;
}

#define NEEDS_HTTP()                                                                               \
    do {                                                                                           \
        if (http_fixture() != 0) {                                                                 \
            if (strcmp(err.code, "postgres_missing") == 0)                                         \
                SKIP("Postgres is not installed");                                                 \
            TEST_GIVE_UP("no service: %s", cluster_why);                                           \
        }                                                                                          \
    } while (0)

static inline int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Reads until the peer closes, or nothing came for ms. True when it closed. */
static inline bool hear(struct bytes *out, int fd, int ms)
{
    char piece[16384];
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, ms) != 1)
            return false;
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0)
            return true;
        if (bytes_append(out, piece, (size_t)n, NULL))
            return false;
    }
}

/* Sends while reading would not be missed: a refusal may come before all is sent. */
static inline void say(int fd, const void *data, size_t n)
{
    const char *at = data;
    while (n) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += sent;
        n -= (size_t)sent;
    }
}

struct told {
    int status; /* 0: no answer */
    bool closed;
    struct bytes all;
    const char *body;
    size_t body_len;
};

static inline void told_free(struct told *told)
{
    bytes_free(&told->all);
    memset(told, 0, sizeof *told);
}

/* Sends bytes as they are on a fresh connection. */
static inline struct told tell(int port, const void *data, size_t n, int ms)
{
    struct told told = {.all = {.limit = 64 << 20}};
    int fd = dial(port);
    if (fd < 0)
        return told;
    say(fd, data, n);
    told.closed = hear(&told.all, fd, ms);
    close(fd);
    if (told.all.len > 12 && strncmp((char *)told.all.data, "HTTP/1.1 ", 9) == 0) {
        told.status = atoi((char *)told.all.data + 9);
        char *end = strstr((char *)told.all.data, "\r\n\r\n");
        told.body = end ? end + 4 : "";
        told.body_len = end ? told.all.len - (size_t)(told.body - (char *)told.all.data) : 0;
    }
    return told;
}

/* A proper request; headers end each in CR LF ("" for none). */
static inline struct told request_to(int port, const char *method, const char *path,
                                     const char *headers, const void *body, size_t n)
{
    struct bytes all = {.limit = 64 << 20};
    struct told told = {0};
    if (bytes_printf(&all, NULL, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s",
                     method, path, headers) ||
        (body && bytes_printf(&all, NULL, "Content-Length: %zu\r\n", n)) ||
        bytes_printf(&all, NULL, "\r\n") || (n && bytes_append(&all, body, n, NULL)))
        return told;
    told = tell(port, all.data, all.len, 60000);
    bytes_free(&all);
    return told;
}

static inline struct told get(const char *path)
{
    return request_to(http_port, "GET", path, "", NULL, 0);
}

static inline struct told post(const char *path, const char *headers, const char *json)
{
    char all[600];
    snprintf(all, sizeof all, "Content-Type: application/json\r\n%s", headers);
    return request_to(http_port, "POST", path, all, json, strlen(json));
}

/* A header's value, up to its line end, in one of a few static buffers; "" when it is not there. */
static inline const char *header_of(const struct told *told, const char *name)
{
    static char values[4][300];
    static int next;
    char *value = values[next++ & 3], *at = (char *)told->all.data;
    size_t n = strlen(name);
    *value = 0;
    for (at = at ? strstr(at, "\r\n") : NULL; at && at[2] && at[2] != '\r';
         at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, name, n) == 0 && at[2 + n] == ':')
            snprintf(value, 300, "%.*s", (int)strcspn(at + n + 4, "\r\n"), at + n + 4);
    return value;
}

static inline bool body_has(const struct told *told, const char *text)
{
    return told->body && strstr(told->body, text);
}

/* Fails unless the answer has this status and, when code is given, is a problem with that code. */
#define CHECK_TOLD(told_, status_, code_)                                                          \
    do {                                                                                           \
        char code_text_[80];                                                                       \
        snprintf(code_text_, sizeof code_text_, "\"code\":\"%s\"", code_ ? code_ : "");            \
        if ((told_).status != (status_) || (code_ && !body_has(&(told_), code_text_)) ||           \
            (code_ &&                                                                              \
             strcmp(header_of(&(told_), "Content-Type"), "application/problem+json") != 0))        \
            TEST_GIVE_UP("wanted %d %s, got %d: %.200s", status_, code_ ? code_ : "",              \
                         (told_).status, (told_).body ? (told_).body : "nothing");                 \
        told_free(&(told_));                                                                       \
    } while (0)

#endif
