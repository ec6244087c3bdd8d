/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GET /v1/events: what happens, as it happens. One listener on the database wakes all streams; each
 * stream reads on from its own place (transaction, id), which the client gives back as
 * Last-Event-ID, so that nothing is missed and nothing comes twice.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "service/api.h"
#include "service/log.h"

#define HEARTBEAT_MS 15000
#define LOOK_MS 1000 /* a notification may come before the event can be seen */
#define PAGE "200"

struct live {
    pthread_mutex_t lock;
    pthread_cond_t news;
    uint64_t round; /* grows with each notification */
    atomic_bool stopping;
    pthread_t thread;
    struct pool *pool;
    char conninfo[512];
};

struct stream {
    struct live *live;
    struct http *http;
    char xact[24];
    int64_t id;
    uint64_t round;
    struct bytes waiting; /* written, not yet sent */
    size_t sent;
    int64_t spoke_ms;
};

static void wake_all(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    live->round++;
    pthread_cond_broadcast(&live->news);
    pthread_mutex_unlock(&live->lock);
}

static void pause_ms(struct live *live, int ms)
{
    for (; ms > 0 && !atomic_load(&live->stopping); ms -= 100)
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000000L}, NULL);
}

/* While the database is away it tries anew every second; the streams meanwhile send heartbeats. */
static void *listen_on(void *user)
{
    struct live *live = user;
    struct err err;
    while (!atomic_load(&live->stopping)) {
        struct db *db = NULL;
        int state = db_open(&db, live->conninfo, &err);
        if (state == 0)
            state = db_listen(db, "statuette_events", &err);
        wake_all(live); /* what came while nobody listened */
        while (state >= 0 && !atomic_load(&live->stopping)) {
            state = db_wait(db, 500, &err);
            if (state == 0) {
                wake_all(live);
                pause_ms(live, 100); /* many events in one go wake the streams once */
            }
        }
        db_close(db);
        pause_ms(live, 1000);
    }
    return NULL;
}

int live_open(struct live **out, struct pool *pool, const char *conninfo, struct err *err)
{
    struct live *live = calloc(1, sizeof *live);
    *out = NULL;
    if (!live)
        return FAIL(err, ERR_LIMIT, "no memory");
    live->pool = pool;
    snprintf(live->conninfo, sizeof live->conninfo, "%s", conninfo);
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->news, NULL);
    if (pthread_create(&live->thread, NULL, listen_on, live)) {
        pthread_cond_destroy(&live->news);
        pthread_mutex_destroy(&live->lock);
        free(live);
        return FAIL(err, ERR_LATER, "cannot start a thread");
    }
    *out = live;
    return 0;
}

void live_stop(struct live *live)
{
    if (!live)
        return;
    atomic_store(&live->stopping, true);
    wake_all(live);
}

void live_close(struct live *live)
{
    if (!live)
        return;
    live_stop(live);
    pthread_join(live->thread, NULL);
    pthread_cond_destroy(&live->news);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

static void wait_for_news(struct stream *s, int64_t ms)
{
    struct live *live = s->live;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&live->lock);
    int timed_out = 0;
    while (live->round == s->round && !timed_out && !atomic_load(&live->stopping))
        timed_out = pthread_cond_timedwait(&live->news, &live->lock, &until);
    s->round = live->round;
    pthread_mutex_unlock(&live->lock);
}

static int write_event(struct stream *s, const struct db_rows *rows, int row, struct err *err)
{
    if (bytes_printf(&s->waiting, err, "id: %s-%s\ndata: %s\n\n", db_text(rows, row, 0),
                     db_text(rows, row, 1), db_text(rows, row, 2)))
        return -1;
    snprintf(s->xact, sizeof s->xact, "%s", db_text(rows, row, 0));
    s->id = db_int(rows, row, 1);
    return 0;
}

/* Writes the events after the stream's place. A database that is away means: none for now. */
static int read_on(struct stream *s)
{
    struct db *db;
    struct db_rows *rows = NULL;
    struct err err = {0};
    char id[24];
    if (pool_take(&db, s->live->pool, &err))
        return 0;
    snprintf(id, sizeof id, "%lld", (long long)s->id);
    const char *parameters[] = {s->xact, id, PAGE};
    int failed = db_run(&rows, db, "events_after", 3, parameters, &err);
    pool_give(s->live->pool, db, failed && strcmp(err.code, "database_away") == 0);
    if (failed) {
        log_failure(LOG_WARN, "events_not_read", NULL, &err);
        return err.kind == ERR_LATER ? 0 : -1;
    }
    for (int i = 0; i < db_row_count(rows) && !failed; i++)
        failed = write_event(s, rows, i, &err);
    db_rows_free(rows);
    return failed;
}

static ssize_t stream_pull(void *user, char *out, size_t room)
{
    struct stream *s = user;
    while (s->sent == s->waiting.len) {
        bytes_free(&s->waiting);
        s->sent = 0;
        if (atomic_load(&s->live->stopping))
            return 0;
        if (read_on(s))
            return -1;
        if (s->waiting.len)
            break;
        if (clock_ms() - s->spoke_ms >= HEARTBEAT_MS) {
            if (bytes_printf(&s->waiting, NULL, ": still here\n\n"))
                return -1;
            break;
        }
        wait_for_news(s, LOOK_MS);
    }
    size_t n = s->waiting.len - s->sent;
    n = n < room ? n : room;
    memcpy(out, s->waiting.data + s->sent, n);
    s->sent += n;
    s->spoke_ms = clock_ms();
    return (ssize_t)n;
}

static void stream_end(void *user)
{
    struct stream *s = user;
    bytes_free(&s->waiting);
    free(s);
}

/* "xact-id", both plain numbers. */
static int read_place(struct stream *s, const char *text, struct err *err)
{
    size_t n = strspn(text, "0123456789");
    size_t m = text[n] == '-' ? strspn(text + n + 1, "0123456789") : 0;
    if (!n || n > 19 || !m || m > 18 || text[n + 1 + m])
        return FAIL_CODE(err, ERR_INPUT, "query_invalid",
                         "Last-Event-ID is none that was sent from here");
    snprintf(s->xact, sizeof s->xact, "%.*s", (int)n, text);
    s->id = strtoll(text + n + 1, NULL, 10);
    return 0;
}

static int read_head(struct stream *s, struct request *request, struct err *err)
{
    static const char *const parameters[] = {"1"};
    struct db_rows *rows;
    if (request_one(&rows, request, "place", "api_events_head", 1, parameters, err))
        return -1;
    snprintf(s->xact, sizeof s->xact, "%s", db_text(rows, 0, 0));
    s->id = db_int(rows, 0, 1);
    db_rows_free(rows);
    return 0;
}

int api_events(struct request *request, struct reply *reply, struct err *err)
{
    const char *place = request_header(request, "Last-Event-ID");
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return FAIL(err, ERR_LIMIT, "no memory");
    if (!place)
        place = request_query(request, "after");
    s->live = request->http->live;
    s->spoke_ms = clock_ms();
    if ((place ? read_place(s, place, err) : read_head(s, request, err)) ||
        bytes_printf(&s->waiting, err, "retry: 2000\nid: %s-%lld\n: hello\n\n", s->xact,
                     (long long)s->id)) {
        stream_end(s);
        return -1;
    }
    reply->mime = "text/event-stream";
    reply_header(reply, "X-Accel-Buffering", "no"); /* nginx in front would hold the events back */
    reply->pull = stream_pull;
    reply->pull_end = stream_end;
    reply->user = s;
    reply->pull_bytes = -1;
    return 0;
}
