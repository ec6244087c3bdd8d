/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Server-sent events (text/event-stream), as Meshy and fal tell the progress of a task. Used by
 * drivers for OP_STREAM, whose answer is all the text of the stream so far. */
#ifndef INTAKE_PROVIDER_EVENTS_H
#define INTAKE_PROVIDER_EVENTS_H

#include "base/bytes.h"
#include "base/json.h"

struct server_event {
    char name[32];     /* "message" where the stream names none; a longer name is cut */
    struct bytes data; /* its data lines, joined by \n, NUL-terminated; owned */
};

/**
 * Takes the next whole event, from byte *at on, and moves *at behind it. Lines end in LF, CRLF or
 * CR; comments, other fields and events without data are stepped over, and so is a byte order mark.
 * Without a blank line after it an event is not whole: the rest may still come, and *at stays
 * before it.
 *
 * Result   0 an event; 1 no whole one is left.
 * Owner    the caller calls server_event_free, in any case; out may be used again.
 * Errors   ERR_LIMIT no memory.
 * Source   WHATWG HTML, section "Server-sent events", interpreting an event stream.
 */
int server_event_next(struct server_event *out, size_t *at, const void *text, size_t n,
                      struct err *err) MUST_CHECK;

void server_event_free(struct server_event *event);

/**
 * The last whole event whose data is a JSON object: what a stream of states has come to. An event
 * that is no JSON does not count, so a stream that turns bad leaves what was said before.
 *
 * name     gets that event's name; room for 32.
 * Result   0 and *out, which the caller deletes; 1 there is none, *out is NULL.
 * Errors   ERR_LIMIT no memory.
 */
int server_event_last(cJSON **out, char name[32], const void *text, size_t n,
                      struct err *err) MUST_CHECK;

#endif
