/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One JSON object a line on stderr: time, level, role, event, then keys. No photos, names,
 * addresses or keys. */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/** Sets what is written from now on; role is a short word such as "http" or "work". Not
 * thread-safe: call first. */
void log_open(enum log_level least, const char *role);

/** log_event(LOG_INFO, "order_created", "order", id, "items", "2", NULL): pairs of texts, NULL
 * ends. Safe from any thread. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/** The same for a failure: kind, code, where and what of err, and one subject (or NULL). */
void log_failure(enum log_level level, const char *event, const char *subject,
                 const struct err *err);

#endif
