/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage: the private Postgres: made, joined, found again after a crash, and never in the way. */
#include "base/bytes.h"
#include "storage/cluster.h"
#include "storage/db.h"
#include "tests/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;

/* Opens, looks and closes; 0, or -1 with err. */
static int visit(const char *folder, struct cluster *kept)
{
    struct cluster cluster;
    struct db *db = NULL;
    if (cluster_open(&cluster, folder, &err))
        return -1;
    int result = db_open(&db, cluster_conninfo(&cluster), &err);
    if (result == 0)
        result = db_script(db,
                           "create table if not exists visits (n int); insert into visits "
                           "values (1)",
                           &err);
    db_close(db);
    if (kept)
        *kept = cluster;
    cluster_close(&cluster);
    return result;
}

static bool missing(void)
{
    return strcmp(err.code, "postgres_missing") == 0;
}

static long postmaster(const struct cluster *cluster)
{
    char path[700];
    long pid = 0;
    snprintf(path, sizeof path, "%s/data/postmaster.pid", cluster->folder);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    if (file)
        fclose(file);
    return pid;
}

static void test_cluster__is_made_reused_and_stopped(void)
{
    char folder[] = "/tmp/statuette-cluster-XXXXXX", conninfo[1200];
    struct cluster cluster;
    CHECK(mkdtemp(folder));
    CHECK(cluster_find(conninfo, folder, &err) == 1 || missing());
    if (visit(folder, &cluster) && missing())
        SKIP("Postgres is not installed");
    CHECK_OK(visit(folder, &cluster));
    CHECK(postmaster(&cluster) == 0);
    CHECK(cluster_find(conninfo, folder, &err) == 1);
    CHECK(cluster.uid != 0);
    struct stat st;
    CHECK(stat(cluster.folder, &st) == 0 && st.st_uid == cluster.uid && (st.st_mode & 077) == 0);
    CHECK_OK(cluster_open(&cluster, folder, &err));
    struct db *db;
    struct db_rows *rows = NULL;
    CHECK_OK(cluster_find(conninfo, folder, &err));
    CHECK_OK(db_open(&db, conninfo, &err));
    CHECK_OK(DB_RUN(&rows, db, "database_there", &err, "statuette"));
    CHECK(db_row_count(rows) == 1);
    db_rows_free(rows);
    CHECK_OK(db_script(db, "do $$ begin assert (select count(*) from visits) = 2; end $$", &err));
    db_close(db);
    cluster_close(&cluster);
    folder_remove(folder);
}

/* Two services on one folder: the second joins, and the last to leave stops it. */
static void test_cluster__the_last_to_leave_turns_off_the_light(void)
{
    char folder[] = "/tmp/statuette-cluster-XXXXXX";
    struct cluster one, two;
    CHECK(mkdtemp(folder));
    if (cluster_open(&one, folder, &err) && missing())
        SKIP("Postgres is not installed");
    CHECK_OK(cluster_open(&two, folder, &err));
    long pid = postmaster(&one);
    CHECK(pid > 0 && two.child == 0);
    cluster_close(&one);
    CHECK(postmaster(&two) == pid);
    struct db *db;
    CHECK_OK(db_open(&db, cluster_conninfo(&two), &err));
    db_close(db);
    cluster_close(&two);
    CHECK(postmaster(&two) == 0);
    folder_remove(folder);
}

/* Our process is killed: the postmaster lives on and the next one joins it. Then the machine loses
 * power: postmaster.pid stays and its number belongs to another program by now. */
static void test_cluster__survives_kills_and_stale_lock_files(void)
{
    char folder[] = "/tmp/statuette-cluster-XXXXXX", path[700];
    struct cluster cluster;
    CHECK(mkdtemp(folder));
    if (visit(folder, &cluster) && missing())
        SKIP("Postgres is not installed");
    pid_t child = fork();
    if (child == 0) {
        struct cluster left;
        raise(cluster_open(&left, folder, &err) ? SIGTERM : SIGKILL);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    long pid = postmaster(&cluster);
    CHECK(pid > 0 && kill((pid_t)pid, 0) == 0);
    CHECK_OK(cluster_open(&cluster, folder, &err));
    CHECK(cluster.child == 0 && postmaster(&cluster) == pid);
    kill((pid_t)pid, SIGKILL);
    CHECK_OK(visit(folder, NULL)); /* recovers from the log; stays up, since `cluster` is open */
    pid = postmaster(&cluster);
    CHECK(pid > 0 && kill((pid_t)pid, SIGKILL) == 0);
    snprintf(path, sizeof path, "%s/data/postmaster.pid", cluster.folder);
    FILE *file = fopen(path, "w");
    CHECK(file && fprintf(file, "%d\n%s/data\n", (int)getppid(), cluster.folder) > 0);
    fclose(file);
    CHECK(chown(path, cluster.uid, cluster.gid) == 0);
    CHECK_OK(visit(folder, NULL));
    cluster_close(&cluster);
    CHECK(postmaster(&cluster) == 0);
    folder_remove(folder);
}

static void test_cluster__lies_in_folders_with_long_and_odd_names(void)
{
    char parent[] = "/tmp/statuette-cluster-XXXXXX", folder[400];
    struct cluster cluster;
    CHECK(mkdtemp(parent) && chmod(parent, 0755) == 0);
    snprintf(folder, sizeof folder, "%s/it's a \\ \"folder\" $(of ours)", parent);
    if (visit(folder, &cluster) && missing())
        SKIP("Postgres is not installed");
    CHECK_OK(visit(folder, &cluster));
    CHECK(strncmp(cluster.socket, parent, strlen(parent)) == 0);
    snprintf(folder, sizeof folder, "%s/%0100d", parent, 7);
    CHECK_OK(visit(folder, &cluster));
    CHECK(strncmp(cluster.socket, "/tmp/statuette-", 15) == 0 && strlen(cluster.socket) < 60);
    folder_remove(cluster.socket);
    folder_remove(parent);
}

/* A checkout under /root: the user that runs Postgres cannot go there. */
static void test_cluster__goes_elsewhere_when_its_user_cannot_reach_the_folder(void)
{
    char parent[] = "/tmp/statuette-cluster-XXXXXX", folder[64];
    struct cluster cluster;
    if (geteuid() != 0)
        SKIP("only root runs Postgres as another user");
    CHECK(mkdtemp(parent)); /* mode 0700, root's own */
    snprintf(folder, sizeof folder, "%s/var/postgres", parent);
    if (visit(folder, &cluster) && missing())
        SKIP("Postgres is not installed");
    CHECK_OK(visit(folder, &cluster));
    CHECK(strncmp(cluster.folder, "/var/tmp/statuette-", 19) == 0);
    folder_remove(cluster.folder);
    folder_remove(parent);
}

TESTS(TEST(test_cluster__is_made_reused_and_stopped),
      TEST(test_cluster__the_last_to_leave_turns_off_the_light),
      TEST(test_cluster__survives_kills_and_stale_lock_files),
      TEST(test_cluster__lies_in_folders_with_long_and_odd_names),
      TEST(test_cluster__goes_elsewhere_when_its_user_cannot_reach_the_folder))
