/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A JSON Schema check for the keywords that our own schemas use; see json.h. */
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/assets.h"
#include "base/json.h"

#define DEPTH_MAX 200 /* of schemas in schemas: one that refers to itself ends here */

struct walk {
    const cJSON *root;
    struct err *err;
    json_fault_told *tell; /* NULL: the first fault ends the walk */
    void *user;
    const char *keyword;
    int depth;
    char path[120];
};

static int check(struct walk *w, const cJSON *schema, const cJSON *value);

static int violated(struct walk *w, const char *what, const char *detail)
{
    if (w->tell) {
        char text[200];
        snprintf(text, sizeof text, "%s%s", what, detail);
        w->tell(w->user, w->path, w->keyword, text);
        return 0;
    }
    return FAIL_CODE(w->err, ERR_INPUT, "schema_violation", "%s: %s%.60s", *w->path ? w->path : "/",
                     what, detail);
}

static int check_below(struct walk *w, const cJSON *schema, const cJSON *value, const char *name)
{
    size_t used = strlen(w->path);
    snprintf(w->path + used, sizeof w->path - used, "/%s", name);
    int failed = check(w, schema, value);
    w->path[used] = 0;
    return failed;
}

static size_t utf8_length(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static bool type_matches(const char *type, const cJSON *value)
{
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(value) && floor(value->valuedouble) == value->valuedouble;
    return (strcmp(type, "object") == 0 && cJSON_IsObject(value)) ||
           (strcmp(type, "array") == 0 && cJSON_IsArray(value)) ||
           (strcmp(type, "string") == 0 && cJSON_IsString(value)) ||
           (strcmp(type, "number") == 0 && cJSON_IsNumber(value)) ||
           (strcmp(type, "boolean") == 0 && cJSON_IsBool(value)) ||
           (strcmp(type, "null") == 0 && cJSON_IsNull(value));
}

static int check_type(struct walk *w, const cJSON *rule, const cJSON *value)
{
    if (cJSON_IsString(rule))
        return type_matches(rule->valuestring, value)
                   ? 0
                   : violated(w, "must be of type ", rule->valuestring);
    const cJSON *one;
    cJSON_ArrayForEach (one, rule)
        if (type_matches(one->valuestring, value))
            return 0;
    char list[61] = "";
    cJSON_ArrayForEach (one, rule)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                 one->valuestring);
    return violated(w, "has a type that is not allowed here: ", list);
}

static int check_enum(struct walk *w, const cJSON *rule, const cJSON *value)
{
    char list[160] = "";
    const cJSON *one;
    cJSON_ArrayForEach (one, rule) {
        if (cJSON_Compare(one, value, 1))
            return 0;
        if (cJSON_IsString(one))
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                     one->valuestring);
    }
    return violated(w, "must be one of ", list);
}

static int check_pattern(struct walk *w, const cJSON *rule, const cJSON *value)
{
    if (!cJSON_IsString(value))
        return 0;
    regex_t regex;
    if (regcomp(&regex, rule->valuestring, REG_EXTENDED | REG_NOSUB))
        return FAIL(w->err, ERR_BUG, "schema pattern does not compile: %s", rule->valuestring);
    int differs = regexec(&regex, value->valuestring, 0, NULL, 0);
    regfree(&regex);
    return differs ? violated(w, "does not match ", rule->valuestring) : 0;
}

static int check_required(struct walk *w, const cJSON *rule, const cJSON *value)
{
    const cJSON *name;
    if (!cJSON_IsObject(value))
        return 0;
    cJSON_ArrayForEach (name, rule)
        if (!json_get(value, name->valuestring) &&
            violated(w, "lacks the member ", name->valuestring))
            return -1;
    return 0;
}

static void list_names(char *list, size_t room, const cJSON *object)
{
    const cJSON *one;
    *list = 0;
    cJSON_ArrayForEach (one, object) {
        size_t used = strlen(list);
        if (used + strlen(one->string) + 4 >= room) {
            snprintf(list + used, room - used, ", ..");
            return;
        }
        snprintf(list + used, room - used, "%s%s", used ? ", " : "", one->string);
    }
}

static int unknown_member(struct walk *w, const cJSON *known, const char *name)
{
    char text[400], list[300];
    w->keyword = "additionalProperties";
    if (!w->tell)
        return violated(w, "has an unknown member: ", name);
    list_names(list, sizeof list, known);
    snprintf(text, sizeof text, "has an unknown member: %.60s; known are %s", name,
             *list ? list : "none");
    w->tell(w->user, w->path, w->keyword, text);
    return 0;
}

static int check_members(struct walk *w, const cJSON *schema, const cJSON *value)
{
    const cJSON *known = json_get(schema, "properties");
    const cJSON *others = json_get(schema, "additionalProperties");
    const cJSON *member;
    if (!cJSON_IsObject(value))
        return 0;
    cJSON_ArrayForEach (member, value) {
        const cJSON *rule = known ? json_get(known, member->string) : NULL;
        if (!rule && cJSON_IsFalse(others)) {
            if (unknown_member(w, known, member->string))
                return -1;
            continue;
        }
        if (!rule)
            rule = others;
        if (cJSON_IsObject(rule) && check_below(w, rule, member, member->string))
            return -1;
    }
    return 0;
}

static int check_items(struct walk *w, const cJSON *rule, const cJSON *value)
{
    const cJSON *one;
    int number = 0;
    if (!cJSON_IsArray(value))
        return 0;
    cJSON_ArrayForEach (one, value) {
        char name[16];
        snprintf(name, sizeof name, "%d", number++);
        if (check_below(w, rule, one, name))
            return -1;
    }
    return 0;
}

static int check_unique(struct walk *w, const cJSON *value)
{
    const cJSON *one, *other;
    if (!cJSON_IsArray(value))
        return 0;
    cJSON_ArrayForEach (one, value)
        for (other = one->next; other; other = other->next)
            if (cJSON_Compare(one, other, 1))
                return violated(w, "holds the same value twice", "");
    return 0;
}

/* Of several alternatives, the one that was followed deepest is what was meant. */
static int check_any(struct walk *w, const cJSON *rules, const cJSON *value)
{
    const cJSON *one;
    struct walk outer = *w;
    struct err best = {0};
    size_t best_depth = 0;
    cJSON_ArrayForEach (one, rules) {
        struct err inner = {0};
        w->err = &inner;
        w->tell = NULL;
        int failed = check(w, one, value);
        w->err = outer.err;
        w->tell = outer.tell;
        w->keyword = outer.keyword;
        if (!failed)
            return 0;
        size_t depth = strcspn(inner.what, ":");
        if (best.kind == ERR_NONE || inner.kind == ERR_BUG || depth > best_depth) {
            best = inner;
            best_depth = depth;
        }
    }
    if (w->tell && best.kind == ERR_INPUT) {
        best.what[best_depth] = 0;
        w->tell(w->user, best_depth > 1 ? best.what : "", w->keyword, best.what + best_depth + 2);
        return 0;
    }
    if (w->err)
        *w->err = best;
    return -1;
}

static int check_bound(struct walk *w, const cJSON *rule, const cJSON *value)
{
    double limit = rule->valuedouble;
    char text[32];
    snprintf(text, sizeof text, "%g", limit);
    const char *key = rule->string;
    if (cJSON_IsNumber(value)) {
        double v = value->valuedouble;
        if (strcmp(key, "minimum") == 0 && !(v >= limit))
            return violated(w, "must be at least ", text);
        if (strcmp(key, "maximum") == 0 && !(v <= limit))
            return violated(w, "must be at most ", text);
        if (strcmp(key, "exclusiveMinimum") == 0 && !(v > limit))
            return violated(w, "must be more than ", text);
    }
    if (cJSON_IsString(value)) {
        double n = (double)utf8_length(value->valuestring);
        if (strcmp(key, "minLength") == 0 && n < limit)
            return violated(w, "needs at least this many characters: ", text);
        if (strcmp(key, "maxLength") == 0 && n > limit)
            return violated(w, "may have at most this many characters: ", text);
    }
    if (cJSON_IsArray(value)) {
        double n = cJSON_GetArraySize(value);
        if (strcmp(key, "minItems") == 0 && n < limit)
            return violated(w, "needs at least this many entries: ", text);
        if (strcmp(key, "maxItems") == 0 && n > limit)
            return violated(w, "may have at most this many entries: ", text);
    }
    return 0;
}

static int check_def(struct walk *w, const cJSON *root, const char *name, const cJSON *value)
{
    const cJSON *target = json_get(json_get(root, "$defs"), name), *outer = w->root;
    if (!target)
        return FAIL(w->err, ERR_BUG, "schema has no $defs/%s", name);
    w->root = root;
    int failed = check(w, target, value);
    w->root = outer;
    return failed;
}

/* "#/$defs/NAME", or the same behind the file name of another schema that is built in. */
static int check_ref(struct walk *w, const cJSON *rule, const cJSON *value)
{
    static const char middle[] = "#/$defs/";
    const char *at = strstr(rule->valuestring, middle);
    char file[120];
    cJSON *root = NULL;
    if (!at)
        return FAIL(w->err, ERR_BUG, "schema has no %s", rule->valuestring);
    if (at == rule->valuestring)
        return check_def(w, w->root, at + sizeof middle - 1, value);
    snprintf(file, sizeof file, "schemas/%.*s", (int)(at - rule->valuestring), rule->valuestring);
    const struct asset *asset = asset_find(file);
    if (!asset)
        return FAIL(w->err, ERR_BUG, "%s is not built in", file);
    if (json_parse(&root, asset->data, asset->size, w->err))
        return -1;
    int failed = check_def(w, root, at + sizeof middle - 1, value);
    cJSON_Delete(root);
    return failed;
}

static bool is_one_of(const char *key, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(key, *names) == 0)
            return true;
    return false;
}

static int check_keyword(struct walk *w, const cJSON *schema, const cJSON *rule, const cJSON *value)
{
    static const char *const bounds[] = {"minimum",   "maximum",  "exclusiveMinimum", "minLength",
                                         "maxLength", "minItems", "maxItems",         NULL};
    static const char *const silent[] = {
        "$schema", "$id",      "$defs",  "title",    "description",          "default",
        "example", "examples", "format", "$comment", "additionalProperties", NULL};
    const char *key = rule->string;
    if (is_one_of(key, silent))
        return 0;
    w->keyword = key;
    if (is_one_of(key, bounds))
        return check_bound(w, rule, value);
    if (strcmp(key, "type") == 0)
        return check_type(w, rule, value);
    if (strcmp(key, "const") == 0)
        return cJSON_Compare(rule, value, 1) ? 0 : violated(w, "has another value than fixed", "");
    if (strcmp(key, "enum") == 0)
        return check_enum(w, rule, value);
    if (strcmp(key, "pattern") == 0)
        return check_pattern(w, rule, value);
    if (strcmp(key, "required") == 0)
        return check_required(w, rule, value);
    if (strcmp(key, "properties") == 0)
        return check_members(w, schema, value);
    if (strcmp(key, "items") == 0)
        return check_items(w, rule, value);
    if (strcmp(key, "uniqueItems") == 0)
        return cJSON_IsTrue(rule) ? check_unique(w, value) : 0;
    if (strcmp(key, "anyOf") == 0)
        return check_any(w, rule, value);
    if (strcmp(key, "$ref") == 0)
        return check_ref(w, rule, value);
    return FAIL(w->err, ERR_BUG, "schema keyword %s is not understood", key);
}

static int check(struct walk *w, const cJSON *schema, const cJSON *value)
{
    const cJSON *rule;
    bool has_properties = json_get(schema, "properties") != NULL;
    int failed = 0;
    if (w->depth >= DEPTH_MAX)
        return FAIL(w->err, ERR_BUG, "schema goes deeper than %d", DEPTH_MAX);
    w->depth++;
    cJSON_ArrayForEach (rule, schema)
        if ((failed = check_keyword(w, schema, rule, value)) != 0)
            break;
    if (!failed && !has_properties && json_get(schema, "additionalProperties")) {
        w->keyword = "additionalProperties";
        failed = check_members(w, schema, value);
    }
    w->depth--;
    return failed;
}

int json_schema_check(const cJSON *schema, const cJSON *value, struct err *err)
{
    struct walk w = {.root = schema, .err = err};
    return check(&w, schema, value);
}

int json_schema_faults(const cJSON *schema, const cJSON *value, json_fault_told *tell, void *user,
                       struct err *err)
{
    struct walk w = {.root = schema, .err = err, .tell = tell, .user = user};
    return check(&w, schema, value);
}
