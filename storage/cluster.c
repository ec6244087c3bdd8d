/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, starting, joining and stopping a private Postgres; see cluster.h. `postgres` is started
 * directly: pg_ctl would hand our paths to a shell.
 */
#include "storage/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "storage/cluster_place.h"
#include "storage/db.h"

#define START_LIMIT_MS 60000
#define START_TRIES 5

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* Forks and becomes the cluster's user with its output in the log; never returns in the child. */
static pid_t run_as(const struct cluster *cluster, const char *program, char **argv)
{
    char path[400];
    char *environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL};
    snprintf(path, sizeof path, "%s/%s", cluster->bin, program);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    argv[0] = path; /* both find their other files by it */
    setsid();       /* a Ctrl-C at the terminal is for us, not for Postgres */
    umask(077);
    if (cluster_become(cluster) != 0)
        _exit(126);
    int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600), null = open("/dev/null", O_RDONLY);
    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, argv, environment);
    _exit(127);
}

static int fail_with_log(const struct cluster *cluster, const char *what, struct err *err)
{
    char path[700], line[140] = "";
    struct bytes log = {.limit = 64 << 20};
    snprintf(path, sizeof path, "%s/log", cluster->folder);
    if (bytes_read_file(&log, path, NULL) == 0 && log.len > 0) {
        size_t end = log.len - (log.data[log.len - 1] == '\n'), start = end;
        while (start > 0 && log.data[start - 1] != '\n')
            start--;
        snprintf(line, sizeof line, "%.*s", (int)(end - start), (char *)log.data + start);
    }
    bytes_free(&log);
    return FAIL_CODE(err, ERR_LATER, "cluster_failed", "%s: %s", what, *line ? line : "no log");
}

/* initdb works beside the final name, so that one that was killed half way is begun anew. */
static int make_data(const struct cluster *cluster, struct err *err)
{
    char data[700], fresh[700];
    snprintf(data, sizeof data, "%s/data", cluster->folder);
    snprintf(fresh, sizeof fresh, "%s/data.new", cluster->folder);
    if (access(data, F_OK) == 0)
        return 0;
    folder_remove(fresh);
    char *argv[] = {"initdb",          "-D",         fresh, "--auth=trust", "--username=statuette",
                    "--encoding=UTF8", "--locale=C", NULL};
    pid_t pid = run_as(cluster, "initdb", argv);
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid < 0)
        return FAIL_ERRNO(err, "starting initdb");
    if (status != 0)
        return fail_with_log(cluster, "initdb failed", err);
    if (rename(fresh, data) != 0)
        return FAIL_ERRNO(err, "naming the database folder");
    return 0;
}

/* The process that postmaster.pid names, if that is truly this cluster's postmaster; else 0. */
static pid_t postmaster_pid(const struct cluster *cluster)
{
    char path[700], link[64], data[700], cwd[800];
    snprintf(path, sizeof path, "%s/data/postmaster.pid", cluster->folder);
    FILE *file = fopen(path, "re");
    long pid = 0;
    if (file) {
        if (fscanf(file, "%ld", &pid) != 1)
            pid = 0;
        fclose(file);
    }
    if (pid <= 1)
        return 0;
    snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
    ssize_t n = readlink(link, cwd, sizeof cwd - 1);
    snprintf(data, sizeof data, "%s/data", cluster->folder);
    if (n < 0)
        return 0;
    cwd[n] = 0;
    return strcmp(cwd, data) == 0 ? (pid_t)pid : 0;
}

/* After a power cut the numbers in lock files may be those of other programs by now. */
static void drop_stale_locks(const struct cluster *cluster)
{
    char path[700];
    snprintf(path, sizeof path, "%s/data/postmaster.pid", cluster->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432.lock", cluster->socket);
    unlink(path);
}

static int start(struct cluster *cluster, struct err *err)
{
    char data[700], old[700], log[700];
    snprintf(data, sizeof data, "%s/data", cluster->folder);
    snprintf(log, sizeof log, "%s/log", cluster->folder);
    snprintf(old, sizeof old, "%s/log.old", cluster->folder);
    if (rename(log, old) != 0 && errno != ENOENT)
        return FAIL_ERRNO(err, "putting the old log aside");
    char *argv[] = {"postgres",
                    "-D",
                    data,
                    "-k",
                    cluster->socket,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "port=5432",
                    "-c",
                    "shared_buffers=128MB",
                    "-c",
                    "max_connections=100",
                    "-c",
                    "synchronous_commit=on",
                    "-c",
                    "unix_socket_permissions=0700",
                    "-c",
                    "logging_collector=off",
                    "-c",
                    "log_destination=stderr",
                    NULL};
    cluster->child = run_as(cluster, "postgres", argv);
    if (cluster->child > 0)
        return 0;
    cluster->child = 0;
    return FAIL_ERRNO(err, "starting Postgres");
}

static bool child_ended(struct cluster *cluster)
{
    if (cluster->child <= 0 || waitpid(cluster->child, NULL, WNOHANG) == 0)
        return false;
    cluster->child = 0;
    return true;
}

/* Connects to the database postgres, which is always there, until it answers. */
static int wait_ready(struct cluster *cluster, struct db **db, struct err *err)
{
    char conninfo[1300];
    struct err not_yet;
    bool ours = cluster->child > 0;
    snprintf(conninfo, sizeof conninfo, "%s dbname=postgres", cluster->conninfo);
    for (int64_t end = clock_ms() + START_LIMIT_MS;; nap()) {
        if (db_open(db, conninfo, &not_yet) == 0)
            return 0;
        /* One that we joined may have been dying just then. */
        if (ours ? child_ended(cluster) : postmaster_pid(cluster) == 0)
            return fail_with_log(cluster, "Postgres ended", err);
        if (clock_ms() > end)
            return fail_with_log(cluster, "Postgres does not answer", err);
    }
}

static int create_database(struct db *db, struct err *err)
{
    struct db_rows *rows = NULL;
    if (DB_RUN(&rows, db, "database_there", err, "statuette"))
        return -1;
    int there = db_row_count(rows);
    db_rows_free(rows);
    return there ? 0 : db_script(db, "create database statuette", err);
}

/* Joins or starts it. After a postmaster was killed, its last children hold the shared memory for a
 * moment, and a new one ends at once: hence more than one try. */
static int connect_first(struct cluster *cluster, struct db **db, struct err *err)
{
    for (int tries = 0;; tries++) {
        if (postmaster_pid(cluster) == 0) {
            drop_stale_locks(cluster);
            if (start(cluster, err))
                return -1;
        }
        if (wait_ready(cluster, db, err) == 0)
            return 0;
        if (cluster->child > 0 || tries == START_TRIES - 1)
            return -1;
        for (int i = 0; i < 10; i++)
            nap();
    }
}

static int bring_up(struct cluster *cluster, struct err *err)
{
    struct db *db = NULL;
    if (make_data(cluster, err) || connect_first(cluster, &db, err))
        return -1;
    int result = create_database(db, err);
    db_close(db);
    return result;
}

static int open_lock(const struct cluster *cluster, const char *name, struct err *err)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", cluster->folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : FAIL_ERRNO(err, "opening %s", path);
}

/* Everything under the one lock of comers and goers. */
static int join(struct cluster *cluster, struct err *err)
{
    int gate = open_lock(cluster, "gate.lock", err);
    if (gate < 0)
        return -1;
    int result = flock(gate, LOCK_EX) ? FAIL_ERRNO(err, "locking the cluster") : 0;
    if (result == 0 && (cluster->users = open_lock(cluster, "users.lock", err)) < 0)
        result = -1;
    if (result == 0 && flock(cluster->users, LOCK_SH) != 0)
        result = FAIL_ERRNO(err, "locking the cluster");
    if (result == 0)
        result = bring_up(cluster, err);
    close(gate);
    return result;
}

int cluster_open(struct cluster *cluster, const char *folder, struct err *err)
{
    memset(cluster, 0, sizeof *cluster);
    cluster->users = -1;
    if (cluster_place(cluster, folder, 1, err) == 0 && join(cluster, err) == 0)
        return 0;
    cluster_close(cluster);
    return -1;
}

static void stop(struct cluster *cluster)
{
    pid_t pid = postmaster_pid(cluster);
    if (pid > 0)
        kill(pid, SIGINT); /* Postgres' fast shutdown */
    for (int64_t end = clock_ms() + START_LIMIT_MS; clock_ms() < end; nap())
        if (cluster->child > 0 ? child_ended(cluster) : postmaster_pid(cluster) == 0)
            return;
}

void cluster_close(struct cluster *cluster)
{
    if (!cluster || cluster->users < 0)
        return;
    int gate = open_lock(cluster, "gate.lock", NULL);
    if (gate >= 0 && flock(gate, LOCK_EX) == 0 && flock(cluster->users, LOCK_EX | LOCK_NB) == 0)
        stop(cluster);
    if (gate >= 0)
        close(gate);
    close(cluster->users);
    cluster->users = -1;
}

int cluster_find(char conninfo[1200], const char *folder, struct err *err)
{
    struct cluster cluster = {.users = -1};
    int result = cluster_place(&cluster, folder, 0, err);
    if (result)
        return result;
    if (postmaster_pid(&cluster) == 0)
        return 1;
    strcpy(conninfo, cluster.conninfo);
    return 0;
}

const char *cluster_conninfo(const struct cluster *cluster)
{
    return cluster->conninfo;
}
