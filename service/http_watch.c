/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches over connections: a deadline for the whole head, a least rate for a body, a cap of
 * connections per address. The server library's own timeout starts anew with every byte, so that
 * 1,500 connections which drip one byte every 3 s are never closed by it.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "service/http.h"

#define BODY_GRACE_MS 20000
#define BODY_LEAST_BYTES_PER_S 1024
#define IDLE_MS 30000
#define LOOK_MS 500

enum phase { HEAD, BODY, REPLY, IDLE };

struct watched {
    struct watched *next, *before;
    int fd;
    unsigned char address[16];
    bool loopback;
    enum phase phase;
    int64_t since_ms;
    uint64_t body_bytes;
};

struct watch {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool stopping;
    int most_per_address, head_ms;
    struct watched *first;
};

/* v4 addresses are written as v4-mapped; of v6 only the first 64 bits count: a household has that
 * many. */
static bool address_key(unsigned char key[16], const struct sockaddr *address)
{
    memset(key, 0, 16);
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        memset(key + 10, 0xff, 2);
        memcpy(key + 12, &v4->sin_addr, 4);
        return key[12] == 127;
    }
    if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
            return true;
        memcpy(key, &v6->sin6_addr, IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? 16 : 8);
    }
    return false;
}

static bool overdue(const struct watch *watch, const struct watched *one, int64_t now)
{
    int64_t ms = now - one->since_ms;
    if (one->phase == HEAD)
        return ms > watch->head_ms;
    if (one->phase == IDLE)
        return ms > IDLE_MS;
    return one->phase == BODY && ms > BODY_GRACE_MS &&
           one->body_bytes * 1000 < (uint64_t)ms * BODY_LEAST_BYTES_PER_S;
}

static void *look(void *user)
{
    struct watch *watch = user;
    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        int64_t now = clock_ms();
        for (struct watched *one = watch->first; one; one = one->next)
            if (overdue(watch, one, now))
                shutdown(one->fd, SHUT_RDWR); /* its own thread then closes it */
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

int watch_open(struct watch **out, int most_per_address, int head_ms, struct err *err)
{
    struct watch *watch = calloc(1, sizeof *watch);
    *out = NULL;
    if (!watch)
        return FAIL(err, ERR_LIMIT, "no memory");
    watch->most_per_address = most_per_address;
    watch->head_ms = head_ms;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->wake, NULL);
    if (pthread_create(&watch->thread, NULL, look, watch)) {
        pthread_cond_destroy(&watch->wake);
        pthread_mutex_destroy(&watch->lock);
        free(watch);
        return FAIL(err, ERR_LATER, "cannot start a thread");
    }
    *out = watch;
    return 0;
}

void watch_close(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    while (watch->first)
        watch_remove(watch, watch->first);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

bool watch_admits(struct watch *watch, const struct sockaddr *address)
{
    unsigned char key[16];
    int n = 0;
    if (address_key(key, address))
        return true; /* a proxy on this machine speaks for everybody */
    pthread_mutex_lock(&watch->lock);
    for (const struct watched *one = watch->first; one; one = one->next)
        n += !one->loopback && memcmp(one->address, key, 16) == 0;
    pthread_mutex_unlock(&watch->lock);
    return n < watch->most_per_address;
}

struct watched *watch_add(struct watch *watch, int fd, const struct sockaddr *address)
{
    struct watched *one = calloc(1, sizeof *one);
    if (!one)
        return NULL;
    one->fd = fd;
    one->loopback = address_key(one->address, address);
    one->since_ms = clock_ms();
    pthread_mutex_lock(&watch->lock);
    one->next = watch->first;
    if (one->next)
        one->next->before = one;
    watch->first = one;
    pthread_mutex_unlock(&watch->lock);
    return one;
}

void watch_remove(struct watch *watch, struct watched *one)
{
    if (!one)
        return;
    pthread_mutex_lock(&watch->lock);
    if (one->before)
        one->before->next = one->next;
    else
        watch->first = one->next;
    if (one->next)
        one->next->before = one->before;
    pthread_mutex_unlock(&watch->lock);
    free(one);
}

static void enter(struct watch *watch, struct watched *one, enum phase phase, uint64_t bytes)
{
    if (!one)
        return;
    pthread_mutex_lock(&watch->lock);
    if (one->phase != phase)
        one->since_ms = clock_ms();
    one->phase = phase;
    one->body_bytes = bytes;
    pthread_mutex_unlock(&watch->lock);
}

void watch_body(struct watch *watch, struct watched *one, uint64_t bytes_so_far)
{
    enter(watch, one, BODY, bytes_so_far);
}

void watch_reply(struct watch *watch, struct watched *one)
{
    enter(watch, one, REPLY, 0);
}

void watch_idle(struct watch *watch, struct watched *one)
{
    enter(watch, one, IDLE, 0);
}
