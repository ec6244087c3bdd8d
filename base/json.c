/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON through cJSON; see json.h. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int json_parse(cJSON **out, const void *text, size_t n, struct err *err)
{
    const char *start = text, *end = NULL;
    *out = NULL;
    if (n == 0)
        return FAIL_CODE(err, ERR_INPUT, "json_invalid", "no JSON: the text is empty");
    cJSON *value = cJSON_ParseWithLengthOpts(start, n, &end, 0);
    if (!value)
        return FAIL_CODE(err, ERR_INPUT, "json_invalid", "broken JSON at byte %zu",
                         end ? (size_t)(end - start) : 0);
    while (end < start + n && memchr(" \t\r\n", *end, 4))
        end++;
    if (end != start + n) {
        cJSON_Delete(value);
        return FAIL_CODE(err, ERR_INPUT, "json_invalid", "something follows the JSON at byte %zu",
                         (size_t)(end - start));
    }
    *out = value;
    return 0;
}

int json_read_file(cJSON **out, const char *path, struct err *err)
{
    struct bytes text = {.limit = (size_t)16 << 20};
    if (bytes_read_file(&text, path, err))
        return -1;
    struct err inner = {0};
    int failed = json_parse(out, text.data, text.len, &inner);
    bytes_free(&text);
    if (failed)
        return FAIL_CODE(err, inner.kind, inner.code, "%s: %s", path, inner.what);
    return 0;
}

const cJSON *json_get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *json_text(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *item = json_get(object, name);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}

double json_number(const cJSON *object, const char *name, double otherwise)
{
    const cJSON *item = json_get(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

bool json_bool(const cJSON *object, const char *name, bool otherwise)
{
    const cJSON *item = json_get(object, name);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

static int put_copy(cJSON *base, const cJSON *member, struct err *err)
{
    cJSON *copy = cJSON_Duplicate(member, true);
    if (copy && (json_get(base, member->string)
                     ? cJSON_ReplaceItemInObjectCaseSensitive(base, member->string, copy)
                     : cJSON_AddItemToObject(base, member->string, copy)))
        return 0;
    cJSON_Delete(copy);
    return FAIL(err, ERR_LIMIT, "no memory to merge JSON");
}

int json_merge(cJSON *base, const cJSON *over, struct err *err)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, over) {
        cJSON *there = cJSON_GetObjectItemCaseSensitive(base, member->string);
        int failed = cJSON_IsObject(there) && cJSON_IsObject(member)
                         ? json_merge(there, member, err)
                         : put_copy(base, member, err);
        if (failed)
            return -1;
    }
    return 0;
}

int json_print(struct bytes *out, const cJSON *value, bool indented, struct err *err)
{
    char *text = indented ? cJSON_Print(value) : cJSON_PrintUnformatted(value);
    if (!text)
        return FAIL(err, ERR_LIMIT, "no memory to print JSON");
    int failed = bytes_append(out, text, strlen(text), err);
    free(text);
    return failed;
}
