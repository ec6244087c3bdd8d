/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running parts that `serve`, `work` and `up` put together. Each runs on threads of its own
 * until it is stopped. */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "base/err.h"
#include "service/settings.h"

struct http;
/** Starts the HTTP side (API, console, events) on settings->listen; *port gets the port. Errors
 * ERR_CONFLICT code port_taken. */
int http_start(struct http **out, int *port, const struct settings *settings,
               struct err *err) MUST_CHECK;
/** Stops taking requests, lets those under way end, closes. NULL is fine. */
void http_stop(struct http *http);

struct work;
/**
 * Starts settings->workers threads that claim jobs of the kinds (comma-separated; NULL = all kinds
 * of the job table), the rescuer of lapsed leases, and, when kinds include "print", the scheduler
 * that watches and feeds the printers.
 */
int work_start(struct work **out, const struct settings *settings, const char *kinds,
               struct err *err) MUST_CHECK;
/** Finishes or gives back the jobs under way, then ends. NULL is fine. */
void work_stop(struct work *work);

/** The job kinds, for --help and for checks: "photo_check,generate,..." */
const char *work_kinds(void);

#endif
