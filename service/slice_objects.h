/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what the role tostl left in its folder to what slice_run takes. */
#ifndef SERVICE_SLICE_OBJECTS_H
#define SERVICE_SLICE_OBJECTS_H

#include "print/slice/slice.h"

struct slice_objects {
    struct slice_object *at;
    size_t count;
};

/**
 * The objects of a role's result. Names and settings are borrowed from result, which must live as
 * long.
 * Owner    the caller calls slice_objects_free. Errors ERR_BUG no such result; ERR_LIMIT.
 */
int slice_objects_of(struct slice_objects *out, const cJSON *result, const char *folder,
                     struct err *err) MUST_CHECK;
void slice_objects_free(struct slice_objects *objects);

#endif
