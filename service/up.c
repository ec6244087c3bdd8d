/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette up`, `serve`, `work` and `migrate`: puts the running parts together and waits for a
 * signal. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "service/cli.h"
#include "service/demo.h"
#include "service/log.h"
#include "service/service.h"
#include "storage/cluster.h"
#include "storage/db.h"

static atomic_bool stop_asked;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop_asked, true);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void wait_for_signal(void)
{
    while (!atomic_load(&stop_asked))
        usleep(100000);
}

static void open_log(const struct settings *settings, const char *role, bool calm)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    enum log_level least = LOG_INFO;
    for (int i = 0; i < 4; i++)
        if (strcmp(settings->log_level, names[i]) == 0)
            least = (enum log_level)i;
    /* the demo draws on the terminal: only what went wrong is logged beside it, unless asked for */
    if (calm && !getenv("STATUETTE_LOG"))
        least = LOG_ERROR;
    log_open(least, role);
}

/* Everything that `up` holds; closed in reverse order. */
struct parts {
    struct settings settings;
    struct cluster cluster;
    bool has_cluster;
    int lock;
    struct db *db;
    struct http *http;
    struct work *work;
    struct demo_provider provider;
    int port;
};

/* One `up` a folder: two would run two private clusters on the same files. */
static int lock_folder(struct parts *p, struct err *err)
{
    char path[600];
    if (folder_make(p->settings.var_folder, err))
        return -1;
    snprintf(path, sizeof path, "%s/up.lock", p->settings.var_folder);
    p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (p->lock < 0)
        return FAIL_ERRNO(err, "cannot write %s", path);
    if (flock(p->lock, LOCK_EX | LOCK_NB))
        return FAIL_CODE(err, ERR_CONFLICT, "already_up",
                         "another `statuette up` runs on %s; stop it or set STATUETTE_VAR",
                         p->settings.var_folder);
    return 0;
}

static int open_database(struct parts *p, struct err *err)
{
    char folder[600];
    int count;
    if (!*p->settings.database) {
        snprintf(folder, sizeof folder, "%s/postgres", p->settings.var_folder);
        if (cluster_open(&p->cluster, folder, err))
            return -1;
        p->has_cluster = true;
        snprintf(p->settings.database, sizeof p->settings.database, "%s",
                 cluster_conninfo(&p->cluster));
    }
    if (db_open(&p->db, p->settings.database, err) || db_migrate(p->db, &count, err))
        return -1;
    log_event(LOG_INFO, "database_ready", NULL);
    return 0;
}

static int start_http(struct parts *p, bool any_port, struct err *err)
{
    if (http_start(&p->http, &p->port, &p->settings, err) == 0)
        return 0;
    if (!any_port || !err || err->kind != ERR_CONFLICT)
        return -1;
    snprintf(p->settings.listen, sizeof p->settings.listen, "127.0.0.1:0");
    return http_start(&p->http, &p->port, &p->settings, err);
}

static void close_parts(struct parts *p)
{
    http_stop(p->http);
    work_stop(p->work);
    db_close(p->db);
    if (p->has_cluster)
        cluster_close(&p->cluster);
    demo_provider_stop(&p->provider);
    if (p->lock >= 0)
        close(p->lock);
}

static int run_up(struct parts *p, const struct cli *cli, bool demo, struct err *err)
{
    char url[64];
    const char *kept = getenv("DEMO_KEEP");
    bool keep = cli_flag(cli, "--keep") || (kept && strcmp(kept, "1") == 0);
    if (lock_folder(p, err) ||
        (demo && demo_provider_start(&p->provider, cli, &p->settings, err)) ||
        open_database(p, err) || start_http(p, demo && !getenv("STATUETTE_LISTEN"), err) ||
        work_start(&p->work, &p->settings, NULL, err))
        return -1;
    snprintf(url, sizeof url, "http://127.0.0.1:%d", p->port);
    if (demo)
        return demo_run(cli, &p->settings, p->db, url, keep, &stop_asked, err);
    printf("statuette is up at %s (Ctrl-C stops it)\n", url);
    fflush(stdout); /* stderr is the log alone: a JSON object a line */
    wait_for_signal();
    return EXIT_OK;
}

int cli_up(const struct cli *cli, struct err *err)
{
    struct parts parts = {.lock = -1};
    bool demo = cli_flag(cli, "--demo");
    if (settings_load(&parts.settings, err))
        return -1;
    open_log(&parts.settings, "up", demo);
    catch_signals();
    int code = run_up(&parts, cli, demo, err);
    close_parts(&parts);
    return code;
}

static int need_database(const struct settings *settings, struct err *err)
{
    if (*settings->database)
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "usage",
                     "set STATUETTE_DATABASE to a Postgres conninfo (only `up` brings its own)");
}

static int load(struct settings *settings, const char *role, struct err *err)
{
    if (settings_load(settings, err) || need_database(settings, err))
        return -1;
    open_log(settings, role, false);
    catch_signals();
    return 0;
}

int cli_serve(const struct cli *cli, struct err *err)
{
    struct settings settings;
    struct http *http;
    int port;
    (void)cli;
    if (load(&settings, "http", err) || http_start(&http, &port, &settings, err))
        return -1;
    printf("statuette serves at port %d\n", port);
    fflush(stdout);
    wait_for_signal();
    http_stop(http);
    return EXIT_OK;
}

int cli_work(const struct cli *cli, struct err *err)
{
    struct settings settings;
    struct work *work;
    if (load(&settings, "work", err) ||
        work_start(&work, &settings, cli_text(cli, "--kinds", NULL), err))
        return -1;
    printf("statuette works as %s\n", settings.worker_name);
    fflush(stdout);
    wait_for_signal();
    work_stop(work);
    return EXIT_OK;
}

int cli_migrate(const struct cli *cli, struct err *err)
{
    struct settings settings;
    struct db *db = NULL;
    int count = 0;
    if (load(&settings, "migrate", err))
        return -1;
    int code = db_open(&db, settings.database, err) || db_migrate(db, &count, err) ? -1 : 0;
    db_close(db);
    if (!code && !cli->quiet)
        printf("%d migrations laid\n", count);
    return code;
}
