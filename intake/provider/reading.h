/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all drivers need to read an answer: HTTP errors in our words, models by their first bytes,
 * base64. */
#ifndef INTAKE_PROVIDER_READING_H
#define INTAKE_PROVIDER_READING_H

#include "intake/provider/provider.h"

enum model_kind { MODEL_UNKNOWN, MODEL_GLB, MODEL_STL, MODEL_OBJ, MODEL_PLY };

/**
 * Tells a 3D file by its content; neither the Content-Type nor a name is believed.
 * Result   *whole is false where the file's own length field (GLB, binary STL) says that bytes are
 *          missing; text kinds have no such field and count as whole.
 */
enum model_kind model_sniff(bool *whole, const uint8_t *data, size_t n);

/** An empty reading in that state: no progress, no wait, no task. */
struct provider_reading reading_start(enum task_state state);

/** Sets error, retry and the message (cut to its room; control characters become blanks). */
void reading_fail(struct provider_reading *reading, enum task_state state,
                  enum provider_error error, enum provider_retry retry, const char *message);

/** Adds one file to the reading (copies the text). Errors ERR_LIMIT. */
int reading_add_file(struct provider_reading *reading, const char *url, const char *kind,
                     const char *format, struct err *err) MUST_CHECK;

/**
 * The common meaning of "no answer" and of HTTP statuses that are no success, for drivers to fall
 * back on after their own cases.
 *
 * submit   the answer belongs to a request that made a task: one that was lost, or that a proxy in
 *          between gave up on (502, 504), is in doubt and must be reconciled, never sent again.
 * Result   true and *reading filled, or false where the status is a success (2xx).
 */
bool reading_http_error(struct provider_reading *reading, const struct http_answer *answer,
                        bool submit);

/**
 * For answers that are JSON: common HTTP errors are read into the reading, a success is parsed.
 *
 * Result   the parsed body (the caller deletes it), or NULL where the reading already says all: an
 *          HTTP error, or PROVIDER_PROTOCOL where no JSON object or array came. A submit whose
 *          success is no JSON is in doubt: RETRY_RECONCILE.
 */
cJSON *reading_json(struct provider_reading *reading, const struct http_answer *answer,
                    bool submit);

/** What the answer to the download of a result means; the bytes stay in the answer. An address that
 * has expired reads as PROVIDER_URL_EXPIRED and RETRY_YES: the task is to be asked for a new one.
 */
void reading_download(struct provider_reading *reading, const struct http_answer *answer);

/** Appends the decoded bytes. Errors ERR_INPUT no base64; ERR_LIMIT as bytes_append. */
int base64_decode(struct bytes *out, const char *text, size_t n, struct err *err) MUST_CHECK;

#endif
