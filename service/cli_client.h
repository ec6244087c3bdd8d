/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Talking to the running service over its own HTTP API; for the commands about orders, reviews and
 * printers. */
#ifndef SERVICE_CLI_CLIENT_H
#define SERVICE_CLI_CLIENT_H

#include "base/json.h"
#include "intake/provider/provider.h"

struct api_call {
    const char *method, *path;
    const cJSON *body;        /* JSON body, or NULL */
    const struct bytes *raw;  /* or a ready body with */
    const char *content_type; /* its type */
    const char *key;          /* Idempotency-Key, or NULL */
    const char *if_match;     /* or NULL */
};

/**
 * Sends to STATUETTE_URL. Result: the JSON answer (*answer may be NULL; else caller cJSON_Deletes
 * it). Errors  the service's problem document as kind, code and detail; ERR_LATER code
 * service_away.
 */
int api_send(cJSON **answer, const struct api_call *call, struct err *err) MUST_CHECK;

/** The same, for a file: the raw bytes of the answer. */
int api_fetch(struct bytes *out, const char *path, struct err *err) MUST_CHECK;

/** A multipart body of the order's JSON (NULL: none), its photo files (form names photo1, photo2,
 * ...) and a 3D model (form name model; NULL: none). */
int api_order_body(struct bytes *out, char content_type[120], const cJSON *order,
                   const char *const *paths, int count, const char *model,
                   struct err *err) MUST_CHECK;

/** Fetches one file of an item by its hash and writes it to the folder under its bundle name. */
int api_save_artifact(const cJSON *artifact, const char *folder, struct err *err) MUST_CHECK;

/** The consent member of an order placed by hand: photo_class, given now, under the shop's own
 * wording. */
void api_add_consent(cJSON *order, const char *photo_class);

/** before + id + after; an id from the command line may hold nothing but what ids are made of.
 * ERR_ABSENT. */
int api_path(char path[256], const char *before, const char *id, const char *after,
             struct err *err) MUST_CHECK;

#endif
