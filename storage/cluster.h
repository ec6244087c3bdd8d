/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A private Postgres on a unix socket, for `up` and for tests: made by initdb, never run as root,
 * reused when it is there. No shell and no network are involved.
 */
#ifndef STORAGE_CLUSTER_H
#define STORAGE_CLUSTER_H

#include <sys/types.h>

#include "base/err.h"

struct cluster {
    char folder[600];    /* data/, log and locks; mode 0700, owned by the user below */
    char socket[108];    /* folder of the socket */
    char bin[300];       /* folder of initdb and postgres */
    char conninfo[1200]; /* for db_open */
    uid_t uid;           /* whom Postgres runs as */
    gid_t gid;
    pid_t child; /* the postmaster, when this process started it */
    int users;   /* descriptor whose shared lock says that the cluster is in use */
};

/**
 * Starts (and first makes) the cluster of a folder, or joins it when it runs already; creates the
 * database `statuette`. As root, Postgres runs as the system user postgres, else nobody. Where that
 * user cannot reach the folder (a checkout under /root, say), the cluster lies under
 * /var/tmp/statuette-<hash of the folder> instead; a socket path that is too long is moved to
 * /tmp/statuette-<hash>.
 *
 * A process that is killed leaves the postmaster running; the next cluster_open joins it. A
 * postmaster.pid that outlived its process is recognised and removed.
 *
 * Owner    cluster_close.
 * Cost     about 2 s the first time, 0.2 s later; waits up to 60 s for crash recovery.
 * Errors   ERR_ABSENT code postgres_missing; ERR_CONFLICT code cluster_version (made by a Postgres
 *          that is not installed); ERR_LATER code cluster_failed with the log's last line.
 */
int cluster_open(struct cluster *cluster, const char *folder, struct err *err) MUST_CHECK;

/** Leaves the cluster; the last process that uses it stops it (fast, with a final checkpoint). */
void cluster_close(struct cluster *cluster);

/** Conninfo of the cluster of a folder if it runs (0), without starting it; 1 when it does not. */
int cluster_find(char conninfo[1200], const char *folder, struct err *err) MUST_CHECK;

const char *cluster_conninfo(const struct cluster *cluster);

#endif
