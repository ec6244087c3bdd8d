/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the files of the fal driver: fal.c builds requests, fal_read.c reads answers and pushes.
 */
#ifndef INTAKE_PROVIDER_FAL_PARTS_H
#define INTAKE_PROVIDER_FAL_PARTS_H

#include "intake/provider/hosted.h"

#define FAL_MODEL "fal-ai/hyper3d/rodin" /* where the spec names none */
#define FAL_STORAGE "https://rest.fal.ai"

/** The spec's model, or ours, as a path without a slash at its ends; NULL where it is no path. */
const char *fal_path_of(const struct generation_spec *spec);

/** Where a task is asked for that told no addresses of its own: by owner and name of its model.
 * which    "status_url", "response_url" or "cancel_url". */
void fal_task_path(char *out, size_t room, const char *model, const char *task, const char *which);

int fal_read(struct provider_reading *out, enum provider_op op, const struct provider_call *call,
             const struct http_answer *answer, struct err *err);
int fal_push_read(struct provider_push *out, const struct provider_pushed *pushed, struct err *err);

#endif
