/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the drivers of servers that run other people's models share: errors in the words of the
 * usual web frameworks, outputs of any shape, and pictures under whatever name a model gives its
 * input. */
#ifndef INTAKE_PROVIDER_HOSTED_H
#define INTAKE_PROVIDER_HOSTED_H

#include "intake/provider/reading.h"
#include "intake/provider/request.h"

/** The answer's header by its lower-case name, or "". Borrowed. */
const char *answer_header(const struct http_answer *answer, const char *name);

/** Whether the spec asks for a plain generation and brings a front view (or a prompt, where
 * `text`). Errors ERR_INPUT that says what is missing, or that the provider has no such tool. */
int spec_is_generation(const struct generation_spec *spec, const struct provider_driver *driver,
                       bool text, struct err *err) MUST_CHECK;

/**
 * Takes code and message out of an error in JSON: FastAPI's {"detail": text or [{loc, msg, type}]},
 * RFC 7807's {title, detail}, {name, errors: [text]}, {error}, {message}. What is there already is
 * left where the answer says nothing of it.
 */
void reading_words(struct provider_reading *reading, const cJSON *said);

/** Sets state, error and retry, and leaves the words. */
void reading_conclude(struct provider_reading *reading, enum task_state state,
                      enum provider_error error, enum provider_retry retry);

/** Where the path of `url` begins if it has scheme, host and port of `base` and is made of what an
 * address is made of; NULL otherwise. Paths with ".." in them are no such path. */
const char *url_path_on(const char *url, const char *base);

/**
 * Adds the files that an output of any shape names: a text, a list, an object with "url", or any of
 * them inside another. The first model comes first as kind "model", GLB before STL, OBJ, PLY, 3MF
 * and the rest; other models are "other", pictures "image". An address without a telling name
 * counts as the model where it is the only one.
 *
 * Result   0; file_count is 0 where no model is named.
 * Errors   ERR_LIMIT no memory.
 * Cost     16 files, 12 levels and 4,096 characters of an address at most; the rest is not looked
 * at.
 */
int reading_add_output(struct provider_reading *reading, const cJSON *output,
                       struct err *err) MUST_CHECK;

/**
 * Puts the spec's views into a model's input: as addresses where they are uploaded, else as data
 * URIs. `name` is the input's name; "name[]" takes all views as a list, else the front alone goes.
 * Errors ERR_LIMIT no memory.
 */
int input_add_views(cJSON *input, const struct generation_spec *spec, const char *name,
                    struct err *err) MUST_CHECK;

/* The free option that names a model's input for pictures, where it is not the one we would take.
 */
#define INPUT_NAME_OPTION "image_input"

/** A push by its signature: the delivery from that header, and unless it is PUSH_INVALID the JSON
 * of its body read by `take`. Errors those of take. */
int push_conclude(struct provider_push *out, const struct provider_pushed *pushed,
                  enum push_trust trust, const char *delivery_header,
                  int (*take)(struct provider_reading *, const cJSON *, struct err *),
                  struct err *err) MUST_CHECK;

#endif
