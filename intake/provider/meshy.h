/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Within the driver for Meshy: requests are built in meshy.c, answers are read in meshy_read.c. */
#ifndef INTAKE_PROVIDER_MESHY_H
#define INTAKE_PROVIDER_MESHY_H

#include "intake/provider/provider.h"

/* A kind of task. Its name is the task's aux: where a task is asked for depends on its kind. */
struct meshy_kind {
    const char *name, *path;
    const char *tool; /* of generation_spec, or NULL */
    bool first_pass;  /* the texture is still to come, by tool "refine" */
    bool formats;     /* takes target_formats */
};

/** The kind with that name; the first where name is NULL or ""; NULL where there is none. */
const struct meshy_kind *meshy_kind_named(const char *name);

/** The kind of task that a spec makes, or NULL. */
const struct meshy_kind *meshy_kind_of(const struct generation_spec *spec);

/** As provider_driver.read. */
int meshy_read(struct provider_reading *out, enum provider_op op, const struct provider_call *call,
               const struct http_answer *answer, struct err *err);

/** As provider_driver.push_read: nothing is signed, so that a push is a hint and brings no files.
 */
int meshy_push_read(struct provider_push *out, const struct provider_pushed *pushed,
                    struct err *err);

#endif
