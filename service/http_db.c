/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small pool of database connections, opened when they are wanted; see http.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "service/http.h"

#define POOL_MOST 16
#define POOL_WAIT_S 5

struct pool {
    char conninfo[512];
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct db *idle[POOL_MOST];
    int idle_count, out_count, most;
};

int pool_open(struct pool **out, const char *conninfo, int most, struct err *err)
{
    struct pool *pool = calloc(1, sizeof *pool);
    *out = NULL;
    if (!pool)
        return FAIL(err, ERR_LIMIT, "no memory");
    snprintf(pool->conninfo, sizeof pool->conninfo, "%s", conninfo);
    pool->most = most < POOL_MOST ? most : POOL_MOST;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->given, NULL);
    *out = pool;
    return 0;
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    for (int i = 0; i < pool->idle_count; i++)
        db_close(pool->idle[i]);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Counts one more as taken; *db gets an idle one, or NULL when one is to be opened. */
static int reserve(struct db **db, struct pool *pool)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += POOL_WAIT_S;
    int waited = 0;
    pthread_mutex_lock(&pool->lock);
    while (pool->out_count >= pool->most && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&pool->given, &pool->lock, &until);
    bool got = pool->out_count < pool->most;
    *db = got && pool->idle_count ? pool->idle[--pool->idle_count] : NULL;
    pool->out_count += got;
    pthread_mutex_unlock(&pool->lock);
    return got ? 0 : -1;
}

int pool_take(struct db **out, struct pool *pool, struct err *err)
{
    *out = NULL;
    if (reserve(out, pool))
        return FAIL_CODE(err, ERR_LATER, "busy", "all database connections are in use");
    if (*out || db_open(out, pool->conninfo, err) == 0)
        return 0;
    *out = NULL;
    pthread_mutex_lock(&pool->lock);
    pool->out_count--;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
    return -1;
}

void pool_give(struct pool *pool, struct db *db, bool broken)
{
    if (!db)
        return;
    if (!broken)
        db_rollback(db); /* harmless when none is open; a handler that failed may have left one */
    pthread_mutex_lock(&pool->lock);
    pool->out_count--;
    if (!broken)
        pool->idle[pool->idle_count++] = db;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
    if (broken)
        db_close(db);
}
