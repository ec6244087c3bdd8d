/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the handlers (api_*.c) share: documents, pages, versions. */
#ifndef SERVICE_API_H
#define SERVICE_API_H

#include "service/http.h"

struct etag {
    char text[40];
};
/** The first half of the document's SHA-256. */
struct etag api_etag(const char *document);

/** Appends the whole document of an order, items and issues included. ERR_ABSENT. */
int api_order_document(struct bytes *out, struct request *request, const char *order_id,
                       struct err *err) MUST_CHECK;

/** Rows with (id, document, ..) as {"<name>":[..],"next_cursor":..}: of `limit + 1` rows asked for,
 * the last is only a sign that there are more. */
int api_reply_page(struct reply *reply, const char *name, const struct db_rows *rows, int limit,
                   struct err *err) MUST_CHECK;

/** Answers with the item's document and its ETag. */
int api_reply_item(struct reply *reply, struct request *request, const char *item_id,
                   struct err *err) MUST_CHECK;

/** A text member that must be there and not be longer than most. ERR_INPUT schema_violation. */
int api_need_text(const char **out, const cJSON *object, const char *name, size_t most,
                  struct err *err) MUST_CHECK;

/** Only these members (NULL ends the list) may be there. ERR_INPUT schema_violation. */
int api_only_members(const cJSON *object, const char *const *names, struct err *err) MUST_CHECK;

/** Checks what a review asks to change against the item's template (config_folder may be NULL).
 * Errors ERR_INPUT option_out_of_range, schema_violation. */
int api_review_options(const cJSON *options, const char *template, const char *config_folder,
                       struct err *err) MUST_CHECK;

/**
 * Takes the request's Idempotency-Key. Result: *known, and *kept is the answer given then (the
 * caller frees); else the caller does the work and idempotency_keep in the transaction of the
 * effect. The connection is given back meanwhile: children take seconds. Errors as
 * idempotency_take.
 */
int api_key_take(int *known, char **kept, struct request *request, const char *route,
                 const char *print, struct err *err) MUST_CHECK;
/** After a refusal or failure: the key is free again. Not after commit_in_doubt. */
void api_key_release(struct request *request, const char *route);

#endif
