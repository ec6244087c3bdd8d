/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests of the HTTP doorman: a resolver under control, a watch on every connection, and small
 * servers. A program that includes it defines getaddrinfo and connect, which libcurl then takes in
 * place of the C library's: nothing here ever leaves this machine. Public addresses (of IPv4) lead
 * to the same port of the loopback; what is neither is counted and refused.
 */
#ifndef TESTS_INTAKE_WEB_H
#define TESTS_INTAKE_WEB_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"

#include "tests/test.h"

/* --- names --- */

#define PUBLIC "93.184.216.34"

/* What a name leads to, at its first, second, third lookup and so on; the last stays. Several
 * addresses have blanks between them. */
static struct web_name {
    const char *name, *leads_to[3];
    atomic_int lookups;
} web_names[] = {
    {.name = "far.test", .leads_to = {PUBLIC}},
    {.name = "localhost", .leads_to = {"127.0.0.1"}},
    {.name = "inside.test", .leads_to = {"10.0.0.5"}},
    {.name = "inside6.test", .leads_to = {"fd00::5"}},
    {.name = "turns.test", .leads_to = {PUBLIC, "127.0.0.1"}},
    {.name = "both.test", .leads_to = {"fd00::5 127.0.0.1 " PUBLIC}},
    {.name = "worse.test", .leads_to = {"127.0.0.1 169.254.169.254 ::1"}},
};

/* Connections that were tried, since web_forget. */
static atomic_int to_public, to_loopback, to_elsewhere;

static inline void web_forget(void)
{
    to_public = to_loopback = to_elsewhere = 0;
    for (size_t i = 0; i < sizeof web_names / sizeof *web_names; i++)
        web_names[i].lookups = 0;
}

static inline int web_lookups(const char *name)
{
    for (size_t i = 0; i < sizeof web_names / sizeof *web_names; i++)
        if (strcmp(web_names[i].name, name) == 0)
            return web_names[i].lookups;
    return -1;
}

static inline const char *web_leads_to(const char *name)
{
    size_t n = strlen(name);
    n -= n > 0 && name[n - 1] == '.';
    for (size_t i = 0; i < sizeof web_names / sizeof *web_names; i++) {
        struct web_name *one = &web_names[i];
        if (strlen(one->name) != n || strncasecmp(one->name, name, n) != 0)
            continue;
        int at = one->lookups++;
        at = at > 2 ? 2 : at;
        while (at > 0 && !one->leads_to[at])
            at--;
        return one->leads_to[at];
    }
    return NULL;
}

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                struct addrinfo **out)
{
    lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
    const char *leads_to = web_leads_to(name);
    struct addrinfo own = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                           .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM};
    char list[200], *at = list;
    size_t n = strlen(name);
    snprintf(list, sizeof list, "%s", leads_to ? leads_to : name);
    if (!leads_to && n > 0 && name[n - 1] == '.') /* an address, then, or nothing */
        list[n - 1] = 0;
    *out = NULL;
    for (char *one; (one = strsep(&at, " "));) {
        struct addrinfo **last = out;
        while (*last)
            last = &(*last)->ai_next;
        if (real(one, port, &own, last))
            return EAI_NONAME;
    }
    return 0;
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    struct sockaddr_in in = {0};
    if (to->sa_family == AF_UNIX)
        return (int)syscall(SYS_connect, fd, to, n);
    if (to->sa_family == AF_INET && n >= sizeof in) {
        memcpy(&in, to, sizeof in);
        if (in.sin_addr.s_addr == htonl(INADDR_LOOPBACK)) {
            to_loopback++;
            return (int)syscall(SYS_connect, fd, to, n);
        }
        if (in.sin_addr.s_addr == inet_addr(PUBLIC)) {
            to_public++;
            in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return (int)syscall(SYS_connect, fd, &in, sizeof in);
        }
    }
    to_elsewhere++;
    errno = ENETUNREACH;
    return -1;
}

/* --- a server that says what it is told, an answer a request; the last one again and again --- */

#define WEB_LINES 12

struct web {
    int listener, port;
    const char *answers[6];
    bool keeps; /* connections stay open */
    char asked[WEB_LINES][2048];
    atomic_int asked_count, connection_count;
    atomic_bool stop;
    pthread_t thread;
};

static inline bool web_answer(struct web *web, int peer)
{
    char *asked = web->asked[web->asked_count % WEB_LINES];
    size_t have = 0;
    while (have < sizeof web->asked[0] - 1) {
        ssize_t n = read(peer, asked + have, sizeof web->asked[0] - 1 - have);
        if (n <= 0)
            return false;
        have += (size_t)n;
        asked[have] = 0;
        if (asked[0] == 0x16) /* TLS, which it does not speak */
            return false;
        if (strstr(asked, "\r\n\r\n"))
            break;
    }
    int at = web->asked_count++;
    at = at > 5 ? 5 : at;
    while (!web->answers[at])
        at--;
    if (write(peer, web->answers[at], strlen(web->answers[at])) < 0)
        return false;
    return web->keeps;
}

static inline void *web_run(void *user)
{
    struct web *web = user;
    struct pollfd fds[17] = {{.fd = web->listener, .events = POLLIN}};
    nfds_t count = 1;
    while (!atomic_load(&web->stop)) {
        if (poll(fds, count, 20) <= 0)
            continue;
        if (fds[0].revents && count < 17) {
            fds[count++] =
                (struct pollfd){.fd = accept(web->listener, NULL, NULL), .events = POLLIN};
            web->connection_count++;
        }
        for (nfds_t i = count; i-- > 1;)
            if (fds[i].revents && !web_answer(web, fds[i].fd)) {
                shutdown(fds[i].fd, SHUT_WR);
                close(fds[i].fd);
                fds[i] = fds[--count];
            }
    }
    while (count-- > 1)
        close(fds[count].fd);
    return NULL;
}

/* A port of the loopback that is listened on; *fd may be closed again to have a free one. */
static inline int web_listen(int *fd)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof here;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(*fd, (struct sockaddr *)&here, n) || listen(*fd, 16) ||
        getsockname(*fd, (struct sockaddr *)&here, &n))
        abort();
    return ntohs(here.sin_port);
}

static inline void web_start(struct web *web)
{
    web->port = web_listen(&web->listener);
    if (pthread_create(&web->thread, NULL, web_run, web))
        abort();
}

static inline void web_end(struct web *web)
{
    atomic_store(&web->stop, true);
    pthread_join(web->thread, NULL);
    close(web->listener);
}

/* --- a server that speaks TLS, for far.test by its own word alone: openssl s_server --- */

struct tls {
    char folder[40], certificate[80], asked[4096];
    int port, in, out;
    pid_t pid;
    const char *answer;
    pthread_t thread;
};

/* Whom libcurl trusts while this is set, in place of the system's authorities. */
static const char *web_trusts;

int X509_STORE_load_file(void *store, const char *file)
{
    int (*real)(void *, const char *) =
        (int (*)(void *, const char *))dlsym(RTLD_NEXT, "X509_STORE_load_file");
    return real(store, web_trusts ? web_trusts : file);
}

static inline pid_t tls_run(struct tls *tls, const char **argv, int in, int out)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(tls->folder) || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
        !freopen("/dev/null", "w", stderr))
        _exit(127);
    execvp(argv[0], (char **)(uintptr_t)argv);
    _exit(127);
}

/* Reads one request, then says its answer. */
static inline void *tls_talk(void *user)
{
    struct tls *tls = user;
    size_t have = 0;
    while (have < sizeof tls->asked - 1 && !strstr(tls->asked, "\r\n\r\n")) {
        ssize_t n = read(tls->out, tls->asked + have, sizeof tls->asked - 1 - have);
        if (n <= 0)
            return NULL;
        have += (size_t)n;
        tls->asked[have] = 0;
    }
    return write(tls->in, tls->answer, strlen(tls->answer)) < 0 ? NULL : tls;
}

static inline bool tls_is_up(const struct tls *tls)
{
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)tls->port)};
    for (int i = 0; i < 200; i++, usleep(20000)) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int failed = (int)syscall(SYS_connect, fd, &there, sizeof there);
        close(fd);
        if (!failed)
            return true;
    }
    return false;
}

static inline void tls_end(struct tls *tls)
{
    if (tls->pid > 0) {
        kill(tls->pid, SIGKILL);
        waitpid(tls->pid, NULL, 0);
        pthread_join(tls->thread, NULL);
        close(tls->in);
        close(tls->out);
    }
    if (*tls->folder)
        folder_remove(tls->folder);
    web_trusts = NULL;
}

/* False where there is no openssl. The caller calls tls_end in either case. */
static inline bool tls_start(struct tls *tls, const char *answer)
{
    char port[24];
    int fd, in[2], out[2], status = -1;
    *tls = (struct tls){.answer = answer, .folder = "/tmp/statuette-tls-XXXXXX"};
    if (!mkdtemp(tls->folder))
        abort();
    const char *make[] = {"openssl",
                          "req",
                          "-x509",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:prime256v1",
                          "-nodes",
                          "-days",
                          "2",
                          "-subj",
                          "/CN=far.test",
                          "-addext",
                          "subjectAltName=DNS:far.test",
                          "-keyout",
                          "key.pem",
                          "-out",
                          "own.pem",
                          NULL};
    snprintf(tls->certificate, sizeof tls->certificate, "%s/own.pem", tls->folder);
    waitpid(tls_run(tls, make, 0, 2), &status, 0);
    if (status != 0 || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        return false;
    tls->port = web_listen(&fd);
    close(fd);
    snprintf(port, sizeof port, "127.0.0.1:%d", tls->port);
    const char *serve[] = {"openssl", "s_server", "-quiet", "-accept", port,
                           "-cert",   "own.pem",  "-key",   "key.pem", NULL};
    tls->pid = tls_run(tls, serve, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    tls->in = in[1];
    tls->out = out[0];
    if (pthread_create(&tls->thread, NULL, tls_talk, tls))
        abort();
    return tls_is_up(tls);
}

#endif
