/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What drivers build requests of: addresses, headers, JSON bodies, pictures as text. */
#ifndef INTAKE_PROVIDER_REQUEST_H
#define INTAKE_PROVIDER_REQUEST_H

#include "intake/provider/provider.h"

#define MODEL_BYTES_MOST ((size_t)300 << 20) /* of one model */
#define WORDS_BYTES_MOST ((size_t)8 << 20)   /* of an answer in JSON */

/**
 * Begins a request to base + path (format), with a time limit of 60 s, or 20 s for a GET, and room
 * for JSON. `base` may end in slashes. What goes into the path must have been looked at by the
 * caller (task_id_is_plain) or encoded (url_encode).
 * Errors   ERR_LIMIT no memory; *out is empty then.
 */
int call_start(struct http_request *out, const char *method, const char *base, struct err *err,
               const char *path, ...) __attribute__((format(printf, 5, 6))) MUST_CHECK;

/** Adds a header: value is a format. Errors ERR_LIMIT. */
int call_header(struct http_request *request, const char *name, struct err *err, const char *value,
                ...) __attribute__((format(printf, 4, 5))) MUST_CHECK;

/** Prints `body` as the request's JSON body, with its header, and deletes it, in any case. Errors
 * ERR_LIMIT, also where body is NULL. */
int call_json(struct http_request *request, cJSON *body, struct err *err) MUST_CHECK;

/** Adds a text field to the request's form. Errors ERR_LIMIT. */
int call_field(struct http_request *request, const char *name, struct err *err, const char *value,
               ...) __attribute__((format(printf, 4, 5))) MUST_CHECK;

/** Adds an image as a file of the form. The bytes stay the caller's. Errors ERR_LIMIT over
 * HTTP_FILES. */
int call_image(struct http_request *request, const char *name, const struct generation_image *image,
               struct err *err) MUST_CHECK;

/** The image in base64 as a text, with "data:MIME;base64," before it when as_uri. The caller frees.
 * NULL no memory. */
char *image_text(const struct generation_image *image, bool as_uri);

/** Adds "Authorization: Bearer KEY" where the settings have a key. Errors ERR_LIMIT. */
int call_bearer(struct http_request *request, const struct provider_settings *settings,
                struct err *err) MUST_CHECK;

/** Adds the image to a JSON object or, where name is NULL, array, as a data URI. Errors ERR_LIMIT.
 */
int body_image(cJSON *body, const char *name, const struct generation_image *image,
               struct err *err) MUST_CHECK;

/** Free options win over ours, but not over the names in `kept` (comma-separated). They are copied
 * into body, or as fields into the form where body is NULL. Errors ERR_LIMIT. */
int call_options(struct http_request *request, cJSON *body, const cJSON *options, const char *kept,
                 struct err *err) MUST_CHECK;

/** Whether an id that a provider gave can be a part of a path: 1 to 128 of A-Z a-z 0-9 - _ . : ,
 * and not "." or "..". */
bool task_id_is_plain(const char *id);

/** What a query or a path needs encoded. The caller frees. NULL no memory. */
char *url_encode(const char *text);

/** settings->base_url, or the driver's default where none is set. */
const char *base_of(const struct provider_settings *settings, const struct provider_driver *driver);

/** How many characters a text has, as limits of prompts are told. */
size_t text_characters(const char *text);

/** Whether the spec has that view, as bytes or as a token. */
bool has_view(const struct generation_spec *spec, enum generation_view view);
unsigned count_views(const struct generation_spec *spec);

#endif
