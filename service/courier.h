/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The courier carries generation tasks to the providers and brings back what they make: one thread
 * a process, all requests on one pool, nothing waits for a slow provider. What is known of a task
 * is in Postgres before and after every request, so any courier can go on with it; a lease says who
 * has it.
 *
 *   created -> (take: pace, caps, reserve) submitting -> uploads -> sent -> submitted -> polls
 *           -> fetching -> stored; an answer that was lost makes it in_doubt, and it is looked for.
 */
#ifndef SERVICE_COURIER_H
#define SERVICE_COURIER_H

#include "service/provider_rules.h"
#include "storage/blob.h"
#include "storage/db.h"

struct courier;

/** Starts the thread. Errors ERR_INPUT a provider's settings are wrong; ERR_LATER. */
int courier_start(struct courier **out, const struct settings *settings,
                  struct err *err) MUST_CHECK;
/** Lets go of what is under way and ends. NULL is fine. What had been sent is in doubt then, or is
 * asked about by another courier. */
void courier_stop(struct courier *courier);

#endif
