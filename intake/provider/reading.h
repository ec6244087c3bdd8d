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
 *          Without it a refusal of the key or for want of credits leaves the task UNKNOWN: it is
 *          paid and may still be running.
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

/** Copies a word of the provider, cut to its room; control characters become blanks, and what is no
 * UTF-8 question marks. The two may not overlap. */
void reading_word(char *out, size_t room, const char *text);

/** Unix seconds of an RFC 3339 time ("2026-11-20T09:15:02.993Z"; without a zone it is UTC); 0 where
 * it is none. */
int64_t reading_time(const char *text);

/** A submit has given that id: QUEUED; or in doubt where it is NULL or none that can be asked for.
 */
void reading_submitted(struct provider_reading *reading, const char *id);

/** Whether the words of a failure say that the content was refused. Letters' case does not count.
 */
bool words_refuse_content(const char *words);

/** Whether text can be the address of a file: http or https, visible ASCII, up to 4 KiB. */
bool url_is_plain(const char *url);

/** A share of a hundred as an answer tells it: 0..100, or -1 where it is no such number. */
int percent_of(double said);

/** When the answer was made, by the clock of the server (its Date header): Unix time, or 0. */
int64_t answer_date(const struct http_answer *answer);

/** "model", "image" or "other", by the ending of a name. */
const char *kind_of_ending(const char *ending);

/** The ending of a name or an address, in lower case: "glb"; "" where it has none of up to 11. */
void name_ending(char out[12], const char *name);

/**
 * Adds a file that an answer names: format NULL takes the ending of the address. Kind "model" comes
 * first, of two the earlier. What is no url_is_plain is stepped over, and so is all after 32 files.
 * Errors   ERR_LIMIT no memory.
 */
int reading_add_result(struct provider_reading *reading, const char *url, const char *kind,
                       const char *format, struct err *err) MUST_CHECK;

/** Appends the decoded bytes. Errors ERR_INPUT no base64; ERR_LIMIT as bytes_append. */
int base64_decode(struct bytes *out, const char *text, size_t n, struct err *err) MUST_CHECK;

#endif
