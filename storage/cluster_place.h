/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a private cluster lies, whose it is and which Postgres runs it; part of cluster.c. */
#ifndef STORAGE_CLUSTER_PLACE_H
#define STORAGE_CLUSTER_PLACE_H

#include "storage/cluster.h"

/** Fills folder, socket, bin, conninfo, uid and gid; makes the folders when `make` is true. */
int cluster_place(struct cluster *cluster, const char *folder, int make,
                  struct err *err) MUST_CHECK;

/** Turns this (forked) process into the cluster's user, in its folder; 0 or -1. */
int cluster_become(const struct cluster *cluster);

#endif
