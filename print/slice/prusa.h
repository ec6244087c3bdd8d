/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile in PrusaSlicer's words: for its command line, and for the settings part of a 3MF. */
#ifndef PRINT_SLICE_PRUSA_H
#define PRINT_SLICE_PRUSA_H

#include "base/bytes.h"
#include "print/slice/profile.h"

/**
 * Appends the whole profile as PrusaSlicer's settings: lines `key = value`, sorted by key, line
 * ends within a value as \n; the same values that CuraEngine gets, in the other's terms.
 *
 * Result   the same text for the same profile. What follows the model (a brim that has no room) is
 *          not in it.
 * Errors   ERR_INPUT code schema_violation: start or end code with a word that is not known, or
 *          with a bracket, which PrusaSlicer would take for a placeholder of its own; an override
 *          that would run a program (post_process). ERR_LIMIT no memory.
 * Source   PrusaSlicer 2.5.0's own list of settings; every key was taken by it.
 */
int prusa_settings(struct bytes *ini, const struct profile *profile, struct err *err) MUST_CHECK;

/**
 * Appends what one object has other than the process (slice_object's settings), in the same form;
 * nothing for NULL or an empty object.
 * Errors   ERR_INPUT code schema_violation for a setting that cannot be an object's own.
 */
int prusa_object_settings(struct bytes *ini, const struct profile *profile, const cJSON *settings,
                          struct err *err) MUST_CHECK;

#endif
