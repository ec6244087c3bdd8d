/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many requests at once on one thread: libcurl's multi handle and a list of what is under way. */
#include <stdlib.h>

#include "intake/provider/http_own.h"

struct http_pool {
    CURLM *multi;
    struct transfer *first;
    size_t count;
};

int http_pool_open(struct http_pool **out, struct err *err)
{
    struct http_pool *pool = calloc(1, sizeof *pool);
    http_ready();
    if (pool)
        pool->multi = curl_multi_init();
    *out = pool;
    if (pool && pool->multi)
        return 0;
    free(pool);
    *out = NULL;
    return FAIL(err, ERR_LIMIT, "no memory for libcurl");
}

static void remember(struct http_pool *pool, struct transfer *x)
{
    x->next = pool->first;
    x->link = &pool->first;
    if (x->next)
        x->next->link = &x->next;
    pool->first = x;
    pool->count++;
}

static void forget(struct http_pool *pool, struct transfer *x)
{
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
    pool->count--;
}

static void drop(struct transfer *x)
{
    transfer_clear(x);
    http_request_free(&x->request);
    http_answer_free(&x->answer);
    free(x);
}

void http_pool_close(struct http_pool *pool)
{
    if (!pool)
        return;
    for (struct transfer *x = pool->first, *next; x; x = next) {
        next = x->next;
        curl_multi_remove_handle(pool->multi, x->curl);
        drop(x);
    }
    curl_multi_cleanup(pool->multi);
    free(pool);
}

static int run(struct http_pool *pool, struct transfer *x, struct err *err)
{
    return curl_multi_add_handle(pool->multi, x->curl) == CURLM_OK
               ? 0
               : FAIL(err, ERR_LIMIT, "libcurl takes no further request");
}

int http_pool_add(struct http_pool *pool, struct http_request *request, void *user, struct err *err)
{
    struct transfer *x = calloc(1, sizeof *x);
    if (!x) {
        http_request_free(request);
        return FAIL(err, ERR_LIMIT, "no memory for a request");
    }
    x->request = *request;
    x->user = user;
    *request = (struct http_request){0};
    if (transfer_begin(x, err) || run(pool, x, err)) {
        drop(x);
        return -1;
    }
    remember(pool, x);
    return 0;
}

/* 0 *done is filled, 1 it was sent on and runs again. */
static int finish(struct http_done *done, struct http_pool *pool, struct transfer *x, CURLcode code)
{
    struct err err = {0};
    curl_multi_remove_handle(pool->multi, x->curl);
    int result = transfer_settle(x, code, &err);
    if (result == 1) {
        if (run(pool, x, &err) == 0)
            return 1;
        result = -1;
    }
    forget(pool, x);
    *done = (struct http_done){.user = x->user,
                               .request = x->request,
                               .answer = x->answer,
                               .failed = result != 0,
                               .err = err};
    transfer_clear(x);
    free(x);
    return 0;
}

/* 0 one has ended, 1 none. */
static int take_ended(struct http_done *done, struct http_pool *pool)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(pool->multi, &left));) {
        struct transfer *x = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
        if (m->msg == CURLMSG_DONE && finish(done, pool, x, code) == 0)
            return 0;
    }
    return 1;
}

int http_pool_next(struct http_done *done, struct http_pool *pool, int wait_ms, struct err *err)
{
    int running;
    if (curl_multi_perform(pool->multi, &running) != CURLM_OK)
        return FAIL(err, ERR_BUG, "libcurl cannot go on");
    if (take_ended(done, pool) == 0)
        return 0;
    if (curl_multi_poll(pool->multi, NULL, 0, wait_ms, NULL) != CURLM_OK ||
        curl_multi_perform(pool->multi, &running) != CURLM_OK)
        return FAIL(err, ERR_BUG, "libcurl cannot go on");
    return take_ended(done, pool);
}

void http_pool_wake(struct http_pool *pool)
{
    curl_multi_wakeup(pool->multi);
}

size_t http_pool_count(const struct http_pool *pool)
{
    return pool->count;
}
