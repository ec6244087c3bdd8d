/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What slicing.c and slicing_enter.c share with one another and nobody else needs. */
#ifndef SERVICE_SLICING_OWN_H
#define SERVICE_SLICING_OWN_H

#include "service/slicing.h"

struct slicing_texts {
    char gcode[800], label[140];
};

/** Claims s->claim for the job: 0 it is ours, 1 another has it and the job was given back. */
int slicing_claim(struct slicing *s, const char *engine, struct err *err) MUST_CHECK;

/** Puts the 3MF's objects into the folder, once. */
int slicing_read_model(struct slicing *s, struct err *err) MUST_CHECK;

/** The options of an engine's run on them, borrowing all that is given. */
struct slice_options slicing_options(struct slicing *s, struct slicing_texts *texts);

/** Hears an engine: events for those who watch, and the end of what gives way. */
void slicing_on_progress(void *user, double share);

/** Would it fail like that again? Not for want of memory of our own, a disk or a database. */
bool slicing_is_lasting(const struct err *why);

/** After that end: the job is given back, 1; or -1. */
int slicing_give_way(struct slicing *s, struct err *err) MUST_CHECK;

#endif
