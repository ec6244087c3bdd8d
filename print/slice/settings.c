/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings lists, as every engine needs them; see settings.h. */
#include "print/slice/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"
#include "print/slice/engine.h"

struct settings settings_of(const struct profile *profile)
{
    struct settings l = {.out = cJSON_CreateObject(),
                         .profile = profile,
                         .printer = profile->printer.settings,
                         .process = profile->process,
                         .material = profile->material.settings};
    l.layer = json_number(l.process, "layer_height_mm", 0.2);
    l.first_layer = json_number(l.process, "first_layer_height_mm", 0.2);
    l.outer = json_number(l.process, "outer_wall_width_mm", 0.4);
    l.line = json_number(l.process, "line_width_mm", 0.4);
    l.bad = !l.out;
    return l;
}

void settings_text(struct settings *l, const char *key, const char *value)
{
    cJSON *item = cJSON_CreateString(value);
    if (!item)
        l->bad = true;
    else if (cJSON_HasObjectItem(l->out, key) ? !cJSON_ReplaceItemInObject(l->out, key, item)
                                              : !cJSON_AddItemToObject(l->out, key, item))
        l->bad = true;
}

void settings_number(struct settings *l, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    settings_text(l, key, text);
}

void settings_bool(struct settings *l, const char *key, bool value)
{
    settings_text(l, key, value ? "true" : "false");
}

void settings_items(struct settings *l, const cJSON *object)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, object) {
        if (cJSON_IsString(item))
            settings_text(l, item->string, item->valuestring);
        else if (cJSON_IsBool(item))
            settings_bool(l, item->string, cJSON_IsTrue(item));
        else
            settings_number(l, item->string, item->valuedouble);
    }
}

int settings_base(struct settings *l, const char *file, struct err *err)
{
    const struct asset *asset = asset_find(file);
    cJSON *base = NULL;
    if (!asset)
        return FAIL(err, ERR_BUG, "%s is not built in", file);
    if (json_parse(&base, asset->data, asset->size, err))
        return -1;
    settings_items(l, json_get(base, "settings"));
    cJSON_Delete(base);
    return 0;
}

double settings_in(const cJSON *object, const char *group, const char *name)
{
    return json_number(group ? json_get(object, group) : object, name, 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

/* cJSON_AddItemToArray puts at the end: taken out in order and put back, the list is sorted. */
int settings_sort(cJSON *object, struct err *err)
{
    int count = cJSON_GetArraySize(object), i = 0;
    cJSON **items = malloc(((size_t)count + 1) * sizeof *items);
    if (!items)
        return FAIL(err, ERR_LIMIT, "no memory for %d settings", count);
    for (cJSON *item = object->child; item; item = item->next)
        items[i++] = item;
    qsort(items, (size_t)count, sizeof(*items), by_name);
    for (i = 0; i < count; i++)
        cJSON_DetachItemViaPointer(object, items[i]);
    for (i = 0; i < count; i++)
        cJSON_AddItemToArray(object, items[i]);
    free(items);
    return 0;
}

int settings_code(struct bytes *out, const struct profile *profile, const char *before,
                  const char *member, struct err *err)
{
    if (bytes_printf(out, err, "%s", before) || machine_code(out, profile, member, err))
        return -1;
    if (out->data && strpbrk((const char *)out->data, "[]{}"))
        return FAIL_CODE(err, ERR_INPUT, "schema_violation",
                         "printer %s: %s has a bracket, which slicers would take for a placeholder",
                         profile->printer.id, member);
    return bytes_append(out, "", 0, err);
}
