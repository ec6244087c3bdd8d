/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Failures as application/problem+json (RFC 9457): the one place where kinds and codes become HTTP.
 */
#ifndef SERVICE_PROBLEM_H
#define SERVICE_PROBLEM_H

#include "base/bytes.h"
#include "base/err.h"

/** The status of a failure: by its code where the code says more than the kind, else by the kind.
 */
int problem_status(const struct err *why);

/** The reason phrase of a status that we use, for titles and status lines. */
const char *problem_title(int status);

/** Seconds for Retry-After, or 0 when waiting does not help. */
int problem_retry_after(const struct err *why);

/**
 * Writes {type, title, status, detail, code, trace_id, errors[]}. pointer (may be NULL) is the JSON
 * pointer of what is wrong. What a ERR_BUG says stays in the log: the client gets the trace id.
 */
int problem_write(struct bytes *out, const struct err *why, const char *pointer,
                  const char *trace_id, struct err *err) MUST_CHECK;

#endif
