/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model that a person sends in for an item, instead of one that a provider makes. */
#ifndef STORAGE_GIVEN_H
#define STORAGE_GIVEN_H

#include <stdint.h>

#include "base/err.h"
#include "storage/db.h"

struct given {
    char sha256[65];
    uint64_t bytes;
    const char *format, *mime; /* "glb", "model/gltf-binary" */
};

/**
 * Enters a stored model as a task of the provider `upload` that has succeeded, makes it the one
 * that goes on, and sends the item to `inspect`. Takes an earlier pass back. What was not yet sent
 * to a provider is called off; what is under way there is left to end, for it is paid. Joins the
 * caller's transaction.
 *
 * Errors   ERR_ABSENT no such item; ERR_CONFLICT code model_not_due: it is neither in review nor
 *          being generated.
 */
int given_enter(struct db *db, const char *item_id, const struct given *given, const char *actor,
                struct err *err) MUST_CHECK;

#endif
