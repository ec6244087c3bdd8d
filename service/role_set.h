/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that is to be printed, as the objects in it: for slicing and for plates. */
#ifndef SERVICE_ROLE_SET_H
#define SERVICE_ROLE_SET_H

#include "service/role_own.h"

/* One object. Texts are empty where the file says nothing. */
struct set_object {
    struct mesh mesh; /* millimetres, Z up */
    char name[THREEMF_NAME_BYTES], item_id[THREEMF_NAME_BYTES], part_code[THREEMF_NAME_BYTES];
    uint8_t (*rgb)[3];     /* of each triangle, or NULL */
    double place_mm[3];    /* what its coordinates are to be moved by */
    const cJSON *settings; /* borrowed from own; or NULL */
};

/* Zero-initialise; role_set_free releases, also after a failure. */
struct set {
    struct set_object *at;
    size_t count;
    cJSON *own;       /* what our own 3MF says of itself; NULL: it is another's file */
    double bed_mm[2]; /* that places are meant for; 0: none is known */
};

/**
 * Reads any format. Our own 3MF gives its objects with names, settings and colours where it is as
 * we wrote it; what another program changed is another's file. Another's 3MF gives its parts, each
 * at its place, those that lie over one another as one; anything else is one object.
 */
int role_set_read(struct set *out, const struct bytes *file, const char *name,
                  struct err *err) MUST_CHECK;
void role_set_free(struct set *set);

/** The box around all objects, each at its place. */
void role_set_bounds(const struct set *set, double low[3], double high[3]);

#endif
