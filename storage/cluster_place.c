/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the place, the user and the programs of a private cluster; see cluster_place.h. */
#include "storage/cluster_place.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"

#define SOCKET_NAME "/.s.PGSQL.5432"

int cluster_become(const struct cluster *cluster)
{
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(cluster->gid) != 0 ||
                           setuid(cluster->uid) != 0 || geteuid() == 0))
        return -1;
    return chdir(cluster->folder);
}

/* Whether the cluster's user can get to its folder: asked by trying it. */
static bool reachable(const struct cluster *cluster)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(cluster_become(cluster) == 0 && access(cluster->folder, W_OK | X_OK) == 0 ? 0 : 1);
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0;
}

/* A folder of our user's own, mode 0700; refuses one that somebody else put there (shared /tmp). */
static int own_folder(const struct cluster *cluster, const char *path, struct err *err)
{
    struct stat st;
    if (folder_make(path, err))
        return -1;
    if (lstat(path, &st) != 0)
        return FAIL_ERRNO(err, "looking at %s", path);
    if (!S_ISDIR(st.st_mode) || (st.st_uid != cluster->uid && st.st_uid != geteuid()))
        return FAIL(err, ERR_DENIED, "%s belongs to somebody else", path);
    if ((st.st_uid != cluster->uid && chown(path, cluster->uid, cluster->gid) != 0) ||
        chmod(path, 0700) != 0)
        return FAIL_ERRNO(err, "owning %s", path);
    return 0;
}

static int user_choose(struct cluster *cluster, struct err *err)
{
    cluster->uid = geteuid();
    cluster->gid = getegid();
    if (cluster->uid != 0)
        return 0;
    struct passwd entry, *user = NULL;
    char room[4096];
    if (getpwnam_r("postgres", &entry, room, sizeof room, &user) != 0 || !user)
        getpwnam_r("nobody", &entry, room, sizeof room, &user);
    if (!user || user->pw_uid == 0)
        return FAIL(err, ERR_ABSENT, "neither a user postgres nor nobody to run Postgres as");
    cluster->uid = user->pw_uid;
    cluster->gid = user->pw_gid;
    return 0;
}

/* The version that made the data, or 0. */
static int version_made(const struct cluster *cluster)
{
    char path[700];
    snprintf(path, sizeof path, "%s/data/PG_VERSION", cluster->folder);
    FILE *file = fopen(path, "re");
    int version = 0;
    if (file) {
        if (fscanf(file, "%d", &version) != 1)
            version = 0;
        fclose(file);
    }
    return version;
}

static bool has_postgres(const char *folder)
{
    char path[400];
    snprintf(path, sizeof path, "%s/initdb", folder);
    if (access(path, X_OK) != 0)
        return false;
    snprintf(path, sizeof path, "%s/postgres", folder);
    return access(path, X_OK) == 0;
}

/* The newest installation, or the one of that version; Debian keeps them out of PATH. */
static void bin_search(struct cluster *cluster, int version)
{
    glob_t found;
    int best = -1;
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int number = atoi(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"));
        if (number > best && (version == 0 || number == version) &&
            has_postgres(found.gl_pathv[i])) {
            best = number;
            snprintf(cluster->bin, sizeof cluster->bin, "%s", found.gl_pathv[i]);
        }
    }
    globfree(&found);
}

static int bin_choose(struct cluster *cluster, struct err *err)
{
    int version = version_made(cluster);
    bin_search(cluster, version);
    char *path = getenv("PATH"), *list = path ? strdup(path) : NULL, *rest = list, *folder;
    while (!*cluster->bin && rest && (folder = strsep(&rest, ":")))
        if (strlen(folder) < sizeof cluster->bin && has_postgres(folder))
            strcpy(cluster->bin, folder);
    free(list);
    if (*cluster->bin)
        return 0;
    if (version)
        return FAIL_CODE(err, ERR_CONFLICT, "cluster_version",
                         "the database was made by Postgres %d, which is not installed", version);
    return FAIL_CODE(err, ERR_ABSENT, "postgres_missing",
                     "Postgres is not installed (initdb and postgres were not found)");
}

static void folder_hash(char out[17], const char *folder)
{
    char hex[SHA256_HEX];
    sha256_hex(hex, folder, strlen(folder));
    snprintf(out, 17, "%.16s", hex);
}

/* The folder asked for, or the one under /var/tmp when the user cannot get there. */
static int folder_choose(struct cluster *cluster, const char *folder, int make, struct err *err)
{
    char whole[4096], hash[17];
    if (make && folder_make(folder, err))
        return -1;
    if (!realpath(folder, whole))
        return make || errno != ENOENT ? FAIL_ERRNO(err, "finding %s", folder) : 1;
    if (strlen(whole) + 32 > sizeof cluster->folder)
        return FAIL(err, ERR_INPUT, "the folder's name is too long: %.80s...", whole);
    strcpy(cluster->folder, whole);
    if (own_folder(cluster, cluster->folder, err))
        return -1;
    if (reachable(cluster))
        return 0;
    folder_hash(hash, whole);
    snprintf(cluster->folder, sizeof cluster->folder, "/var/tmp/statuette-%s", hash);
    if (own_folder(cluster, cluster->folder, err))
        return -1;
    return reachable(cluster) ? 0
                              : FAIL(err, ERR_DENIED, "the user that runs Postgres cannot reach %s",
                                     cluster->folder);
}

static int socket_choose(struct cluster *cluster, struct err *err)
{
    char path[700], hash[17];
    snprintf(path, sizeof path, "%s/socket", cluster->folder);
    if (strlen(path) + strlen(SOCKET_NAME) >= sizeof cluster->socket) {
        folder_hash(hash, cluster->folder);
        snprintf(path, sizeof path, "/tmp/statuette-%s", hash);
    }
    strcpy(cluster->socket, path);
    return own_folder(cluster, cluster->socket, err);
}

/* host='...' with quotes and backslashes escaped. */
static void conninfo_write(struct cluster *cluster)
{
    char host[2 * sizeof cluster->socket], *to = host;
    for (const char *from = cluster->socket; *from; from++) {
        if (*from == '\'' || *from == '\\')
            *to++ = '\\';
        *to++ = *from;
    }
    *to = 0;
    snprintf(cluster->conninfo, sizeof cluster->conninfo,
             "host='%s' port=5432 user=statuette dbname=statuette", host);
}

int cluster_place(struct cluster *cluster, const char *folder, int make, struct err *err)
{
    if (user_choose(cluster, err))
        return -1;
    int result = folder_choose(cluster, folder, make, err);
    if (result)
        return result;
    if (bin_choose(cluster, err) || socket_choose(cluster, err))
        return -1;
    conninfo_write(cluster);
    return 0;
}
