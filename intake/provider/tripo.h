/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the tripo driver share; nobody else includes it. tripo.c has the row,
 * tripo_submit.c, tripo_options.c and tripo_upload.c build, tripo_read.c and tripo_push.c read. */
#ifndef INTAKE_PROVIDER_TRIPO_H
#define INTAKE_PROVIDER_TRIPO_H

#include "intake/provider/drivers.h"

/** Whether the settings ask for the old dialect. */
bool tripo_is_v2(const struct provider_call *call);

/** Starts a request to the dialect's address with the key in it. Errors ERR_INPUT no key, or a
 * client's number in its place; ERR_LIMIT. *out is empty after a failure. */
int tripo_start(struct http_request *out, const char *method, const struct provider_call *call,
                const char *path, struct err *err) MUST_CHECK;

/** The address of the API: of the settings or the dialect's own. */
const char *tripo_base(const struct provider_call *call);

int tripo_submit_request(struct http_request *out, const struct provider_call *call,
                         struct err *err) MUST_CHECK;

/** Puts a member into a request's body in the place of one that is there. Errors ERR_LIMIT. */
int tripo_put_bool(cJSON *body, const char *name, bool value, struct err *err) MUST_CHECK;
int tripo_put_text(cJSON *body, const char *name, const char *text, struct err *err) MUST_CHECK;
int tripo_put_number(cJSON *body, const char *name, double value, struct err *err) MUST_CHECK;

/** Brings face_limit into the range, narrower with quad or smart_low_poly; takes it out where it is
 * no number of faces. Errors ERR_LIMIT. */
int tripo_bound_faces(cJSON *body, double least, double most, struct err *err) MUST_CHECK;

/** Brings the options of a generation with that model into line with one another. Errors ERR_LIMIT.
 */
int tripo_settle(cJSON *body, const char *model, struct err *err) MUST_CHECK;

/** Takes out what says no more than the default, of generation and texture or of convert. Errors
 * ERR_LIMIT. */
int tripo_drop_defaults(cJSON *body, bool convert, struct err *err) MUST_CHECK;

/** Takes out compress: "geometry". */
void tripo_drop_compression(cJSON *body);

/** OP_UPLOAD, both halves of it; and the answers to them. */
int tripo_upload_request(struct http_request *out, const struct provider_call *call,
                         struct err *err) MUST_CHECK;
int tripo_upload_read(struct provider_reading *out, const struct provider_call *call,
                      const struct http_answer *answer, struct err *err) MUST_CHECK;

/**
 * Opens the envelope {code, data} of an answer.
 *
 * Result   the body, which the caller deletes, with *data its object or array; or NULL where *out
 *          already says all: an error of HTTP or of the envelope. Trace and code are noted.
 */
cJSON *tripo_open(const cJSON **data, struct provider_reading *out,
                  const struct http_answer *answer, bool submit);

/**
 * Reads a task, of either dialect's form, into a reading that was begun.
 * files_due  a success that names no file is one whose files are still coming: RUNNING, and the
 *            caller's deadline ends that. False for lists and pushes, which may leave them out.
 * Errors     ERR_LIMIT.
 */
int tripo_read_task(struct provider_reading *out, const cJSON *task, bool v2, bool files_due,
                    struct err *err) MUST_CHECK;

/** A submit's answer: the task's id, or what became of it. */
int tripo_read_submitted(struct provider_reading *out, const struct http_answer *answer,
                         struct err *err) MUST_CHECK;

/** The answer to the poll of one task. */
int tripo_read_polled(struct provider_reading *out, const struct http_answer *answer, bool v2,
                      struct err *err) MUST_CHECK;

/** V2's watch frames, one JSON text a line; the last whole one counts. Errors ERR_LIMIT. */
int tripo_read_frames(struct provider_reading *out, const struct http_answer *answer,
                      struct err *err) MUST_CHECK;

int tripo_push_read(struct provider_push *out, const struct provider_pushed *pushed,
                    struct err *err) MUST_CHECK;

#endif
