/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts the HTTP side together and takes it apart; see service.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/http_exchange.h"
#include "service/log.h"
#include "service/service.h"

#define DB_CONNECTIONS 12

static bool listens_on_loopback(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "localhost:", 10) == 0 ||
           strncmp(listen, "[::1]:", 6) == 0;
}

/* What the console's cookie holds: whoever has it had the key. It goes with the key. */
static void make_session(char session[65], const char *api_key)
{
    char text[256];
    session[0] = 0;
    if (!*api_key)
        return;
    int n = snprintf(text, sizeof text, "statuette console session\n%s", api_key);
    sha256_hex(session, text, (size_t)n);
}

static int open_parts(struct http *http, struct err *err)
{
    if (blobs_open(&http->blobs, http->settings->blob_folder, err))
        return -1;
    if (folder_make(http->settings->work_folder, err))
        return -1;
    if (pool_open(&http->pool, http->settings->database, DB_CONNECTIONS, err))
        return -1;
    if (server_watch_new(&http->watch, err))
        return -1;
    return live_open(&http->live, http->pool, http->settings->database, err);
}

int http_start(struct http **out, int *port, const struct settings *settings, struct err *err)
{
    *out = NULL;
    if (!*settings->api_key && !listens_on_loopback(settings->listen))
        return FAIL_CODE(err, ERR_INPUT, "api_key_needed",
                         "listening on %s needs STATUETTE_API_KEY; without one only loopback is "
                         "served",
                         settings->listen);
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return FAIL(err, ERR_LIMIT, "no memory");
    http->own_settings = *settings;
    http->settings = &http->own_settings;
    http->any_host = *settings->api_key != 0;
    http->started_s = clock_s();
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    http->photo_slots = processors > 1 ? (int)processors : 1;
    pthread_mutex_init(&http->photo_lock, NULL);
    pthread_cond_init(&http->photo_free, NULL);
    make_session(http->session, settings->api_key);
    if (open_parts(http, err) || server_start(http, port, err)) {
        http_stop(http);
        return -1;
    }
    char text[12];
    snprintf(text, sizeof text, "%d", *port);
    log_event(LOG_INFO, "http_started", "port", text, NULL);
    *out = http;
    return 0;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    atomic_store(&http->stopping, true);
    live_stop(http->live);
    server_stop(http);
    live_close(http->live);
    watch_close(http->watch);
    pool_close(http->pool);
    pthread_cond_destroy(&http->photo_free);
    pthread_mutex_destroy(&http->photo_lock);
    free(http);
}
