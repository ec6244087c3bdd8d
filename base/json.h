/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON through cJSON: careful parsing, short getters, a schema check. The doorman of cJSON. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"

/**
 * Parses n bytes of UTF-8 JSON; nothing but white space may follow; no NUL inside.
 * Owner: the caller calls cJSON_Delete. Errors ERR_INPUT code json_invalid, with the offset.
 */
int json_parse(cJSON **out, const void *text, size_t n, struct err *err) MUST_CHECK;

/** Reads and parses a file of at most 16 MiB. Errors name the path. */
int json_read_file(cJSON **out, const char *path, struct err *err) MUST_CHECK;

/** Member as text, or otherwise where it is missing or no string; borrowed. */
const char *json_text(const cJSON *object, const char *name, const char *otherwise);

/** Member as a number, or otherwise where it is missing or no number. */
double json_number(const cJSON *object, const char *name, double otherwise);

/** Member as a boolean, or otherwise. */
bool json_bool(const cJSON *object, const char *name, bool otherwise);

/** Member as an object or array, or NULL; borrowed. */
const cJSON *json_get(const cJSON *object, const char *name);

/**
 * Lays `over` upon the object *base: members that are objects in both are merged in the same way,
 * everything else of `over` replaces what was there or is added. Errors ERR_LIMIT no memory.
 */
int json_merge(cJSON *base, const cJSON *over, struct err *err) MUST_CHECK;

/** Prints compactly (or indented by two) and appends to *out. Non-finite numbers print as null. */
int json_print(struct bytes *out, const cJSON *value, bool indented, struct err *err) MUST_CHECK;

/**
 * Checks a value against a JSON Schema (2020-12; the keywords type, const, enum, required,
 * properties, additionalProperties, items, minItems, maxItems, minLength, maxLength, pattern,
 * minimum, maximum, exclusiveMinimum, uniqueItems, anyOf, $ref to #/$defs/NAME or to
 * FILE.schema.json#/$defs/NAME of another schema that is built in). A keyword it does not know is a
 * failure of the schema (ERR_BUG), so that nothing is believed to be checked that is not.
 *
 * Errors   ERR_INPUT code schema_violation, what = "<JSON pointer>: <what is wrong>".
 * Cost     O(size of value x alternatives); depth limited by json_parse.
 */
int json_schema_check(const cJSON *schema, const cJSON *value, struct err *err) MUST_CHECK;

/** One fault: where (a JSON pointer, "" for the whole), the keyword of the schema that it breaks,
 * and what is wrong. The texts are gone after the call. */
typedef void json_fault_told(void *user, const char *path, const char *keyword, const char *what);

/**
 * As json_schema_check, but tells every fault and goes on. Of anyOf, the fault of the alternative
 * that came furthest. 0 whatever was told; Errors ERR_BUG for the schema itself.
 */
int json_schema_faults(const cJSON *schema, const cJSON *value, json_fault_told *tell, void *user,
                       struct err *err) MUST_CHECK;

#endif
