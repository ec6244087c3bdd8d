/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Product templates: found by id, on disk or built in, and checked; see order_form.h. */
#include <stdio.h>
#include <string.h>

#include "base/assets.h"
#include "intake/order_form.h"

/* An id becomes part of a path, so nothing but these characters may be in it. */
static bool id_is_plain(const char *id)
{
    size_t n = strlen(id);
    return n > 0 && n <= 40 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static int invalid(struct err *err, const cJSON *product, const char *what)
{
    return FAIL_CODE(err, ERR_BUG, "template_invalid", "template %.40s: %.120s",
                     json_text(product, "id", "?"), what);
}

static bool default_is_allowed(const cJSON *choice)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(choice, "allowed"))
        if (cJSON_IsString(one) && strcmp(one->valuestring, json_text(choice, "default", "")) == 0)
            return true;
    return false;
}

static bool can_do_without_photo(const cJSON *provider)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(provider, "route"))
        if (cJSON_IsString(one) && strcmp(one->valuestring, "upload") == 0)
            return true;
    return json_get(provider, "prompt");
}

/* What a schema cannot say. The product may be anything that is JSON. */
static void tell_sense(const cJSON *product, json_fault_told *tell, void *user)
{
    static const char *const choices[] = {"style", "material", "process"};
    const cJSON *height = json_get(product, "height_mm"), *photos = json_get(product, "photos");
    double least = json_number(height, "min", 0), most = json_number(height, "max", 0);
    double usual = json_number(height, "default", least);
    if (usual < least || usual > most)
        tell(user, "/height_mm", "", "the default height is outside min and max");
    if (json_number(photos, "min", 0) > json_number(photos, "max", 0))
        tell(user, "/photos", "", "photos: min is more than max");
    if (json_number(photos, "min", 0) < 1 && !can_do_without_photo(json_get(product, "provider")))
        tell(user, "/photos", "", "photos: none are needed, but there is no prompt or upload");
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const cJSON *choice = json_get(product, choices[i]);
        char path[20];
        snprintf(path, sizeof path, "/%s", choices[i]);
        if (choice && !default_is_allowed(choice))
            tell(user, path, "", "a default is not among those allowed");
    }
}

static int read_schema(cJSON **out, struct err *err)
{
    const struct asset *asset = asset_find("schemas/template.schema.json");
    if (!asset)
        return FAIL(err, ERR_BUG, "schemas/template.schema.json is not built in");
    return json_parse(out, asset->data, asset->size, err);
}

int template_faults(const cJSON *product, json_fault_told *tell, void *user, struct err *err)
{
    cJSON *schema;
    if (read_schema(&schema, err))
        return -1;
    int failed = json_schema_faults(schema, product, tell, user, err);
    cJSON_Delete(schema);
    if (!failed)
        tell_sense(product, tell, user);
    return failed;
}

static void keep_first(void *user, const char *path, const char *keyword, const char *what)
{
    char *first = user;
    (void)path;
    (void)keyword;
    if (!*first)
        snprintf(first, 120, "%s", what);
}

int template_check(const cJSON *product, struct err *err)
{
    struct err inner = {0};
    char first[120] = "";
    cJSON *schema;
    if (read_schema(&schema, err))
        return -1;
    int failed = json_schema_check(schema, product, &inner);
    cJSON_Delete(schema);
    if (failed)
        return invalid(err, product, inner.what);
    tell_sense(product, keep_first, first);
    return *first ? invalid(err, product, first) : 0;
}

/* 0 read, 1 not there, -1 broken. */
static int read_from_folder(cJSON **out, const char *folder, const char *id, struct err *err)
{
    char path[4096];
    struct err inner = {0};
    if (!folder)
        return 1;
    if (snprintf(path, sizeof path, "%s/templates/%s.json", folder, id) >= (int)sizeof path)
        return FAIL(err, ERR_INPUT, "the path of the settings is too long");
    if (!json_read_file(out, path, &inner))
        return 0;
    if (inner.kind == ERR_ABSENT)
        return 1;
    return FAIL_CODE(err, inner.kind == ERR_LATER ? ERR_LATER : ERR_BUG, "template_invalid", "%s",
                     inner.what);
}

static int read_built_in(cJSON **out, const char *id, struct err *err)
{
    char name[80];
    snprintf(name, sizeof name, "config/templates/%s.json", id);
    const struct asset *asset = asset_find(name);
    return asset ? json_parse(out, asset->data, asset->size, err) : 1;
}

int template_load(cJSON **out, const char *config_folder, const char *id, struct err *err)
{
    int found = 1;
    *out = NULL;
    if (id_is_plain(id)) {
        found = read_from_folder(out, config_folder, id, err);
        if (found == 1)
            found = read_built_in(out, id, err);
    }
    if (found == 1)
        return FAIL_CODE(err, ERR_INPUT, "unknown_template", "there is no template %.60s", id);
    if (found == 0)
        found = template_check(*out, err);
    if (found == 0 && strcmp(json_text(*out, "id", ""), id) != 0)
        found = invalid(err, *out, "its id is not its file's name");
    if (found == 0)
        return 0;
    cJSON_Delete(*out);
    *out = NULL;
    return -1;
}
