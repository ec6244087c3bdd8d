/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An order's words checked against the schema, the templates and the photos; see order_form.h. */
#include "intake/order_form.h"

#include <stdio.h>
#include <string.h>

#include "base/assets.h"

struct sent {
    const char *const *names;
    size_t count;
};

bool order_part_is_model(const char *name)
{
    return strncmp(name, "model", 5) == 0;
}

static bool was_sent(const struct sent *sent, const char *name)
{
    for (size_t i = 0; i < sent->count; i++)
        if (strcmp(sent->names[i], name) == 0)
            return true;
    return false;
}

static bool is_listed(const cJSON *list, const char *name)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, list)
        if (strcmp(one->valuestring, name) == 0)
            return true;
    return false;
}

static int check_schema(const cJSON *order, struct err *err)
{
    const struct asset *asset = asset_find("schemas/order.schema.json");
    cJSON *schema;
    if (!asset)
        return FAIL(err, ERR_BUG, "schemas/order.schema.json is not built in");
    if (json_parse(&schema, asset->data, asset->size, err))
        return -1;
    int failed = json_schema_check(schema, order, err);
    cJSON_Delete(schema);
    return failed;
}

static int check_photos(const cJSON *item, int number, const cJSON *product,
                        const struct sent *sent, struct err *err)
{
    const cJSON *photos = json_get(item, "photos"), *limits = json_get(product, "photos"), *one;
    int count = cJSON_GetArraySize(photos);
    if (count < (int)json_number(limits, "min", 1))
        return FAIL_CODE(err, ERR_INPUT, "photo_missing",
                         "/items/%d/photos: %d named; the template needs at least %d", number,
                         count, (int)json_number(limits, "min", 1));
    if (count > (int)json_number(limits, "max", 1))
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "/items/%d/photos: %d named; the template takes at most %d", number, count,
                         (int)json_number(limits, "max", 1));
    cJSON_ArrayForEach (one, photos)
        if (!was_sent(sent, one->valuestring) || order_part_is_model(one->valuestring))
            return FAIL_CODE(err, ERR_INPUT, "photo_missing",
                             "/items/%d/photos: no photo was sent in a part named %.40s", number,
                             one->valuestring);
    return 0;
}

static int check_model(const cJSON *item, int number, const cJSON *product, const struct sent *sent,
                       struct err *err)
{
    const char *name = json_text(item, "model", NULL);
    if (!name)
        return 0;
    if (!is_listed(json_get(json_get(product, "provider"), "route"), "upload"))
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "/items/%d/model: the template takes no model", number);
    return was_sent(sent, name)
               ? 0
               : FAIL_CODE(err, ERR_INPUT, "model_missing",
                           "/items/%d/model: no file was sent in a part named %.40s", number, name);
}

/* Without a photo: a model, or words, have to say what is to be made. */
static int check_sources(const cJSON *item, int number, const cJSON *product, struct err *err)
{
    const cJSON *provider = json_get(product, "provider");
    const char *prompt = json_text(provider, "prompt", NULL);
    bool says = json_get(item, "object") || json_get(item, "name");
    if (json_get(item, "object") && !(prompt && strstr(prompt, "{object}")))
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "/items/%d/object: the template is not made of words", number);
    if (json_get(item, "model") || cJSON_GetArraySize(json_get(item, "photos")) > 0)
        return 0;
    if (!prompt)
        return FAIL_CODE(err, ERR_INPUT, "model_missing",
                         "/items/%d/model: the template needs a model", number);
    if (strstr(prompt, "{object}") && !says)
        return FAIL_CODE(err, ERR_INPUT, "object_missing",
                         "/items/%d/object: without a photo, words must say what is to be made",
                         number);
    return 0;
}

static int settle_height(cJSON *item, int number, const cJSON *product, struct err *err)
{
    const cJSON *range = json_get(product, "height_mm");
    double height = json_number(item, "height_mm", 0);
    double least = json_number(range, "min", 0), most = json_number(range, "max", 0);
    if (!json_get(item, "height_mm"))
        return cJSON_AddNumberToObject(item, "height_mm", json_number(range, "default", least))
                   ? 0
                   : FAIL(err, ERR_LIMIT, "no memory for the order");
    if (height < least || height > most)
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "/items/%d/height_mm: %g is outside %g to %g", number, height, least,
                         most);
    return 0;
}

static int settle_choice(cJSON *item, int number, const cJSON *product, const char *name,
                         struct err *err)
{
    const cJSON *choice = json_get(product, name);
    const char *wanted = json_text(item, name, NULL);
    if (!wanted)
        return cJSON_AddStringToObject(item, name, json_text(choice, "default", ""))
                   ? 0
                   : FAIL(err, ERR_LIMIT, "no memory for the order");
    if (!is_listed(json_get(choice, "allowed"), wanted))
        return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                         "/items/%d/%s: the template does not offer %.40s", number, name, wanted);
    return 0;
}

/* Most templates leave no choice, and then nothing is said of it. */
static int settle_process(cJSON *item, int number, const cJSON *product, struct err *err)
{
    return json_get(item, "process") || json_get(product, "process")
               ? settle_choice(item, number, product, "process", err)
               : 0;
}

int order_item_complete(cJSON *item, int number, const cJSON *product, struct err *err)
{
    if (settle_height(item, number, product, err) ||
        settle_choice(item, number, product, "style", err) ||
        settle_choice(item, number, product, "material", err) ||
        settle_process(item, number, product, err))
        return -1;
    return json_get(item, "quantity") || cJSON_AddNumberToObject(item, "quantity", 1)
               ? 0
               : FAIL(err, ERR_LIMIT, "no memory for the order");
}

static int check_text(const cJSON *item, int number, const cJSON *product, struct err *err)
{
    if (!json_get(item, "text") || json_get(json_get(product, "print"), "base"))
        return 0;
    return FAIL_CODE(err, ERR_INPUT, "option_out_of_range",
                     "/items/%d/text: the template has no base to write on", number);
}

static int settle_item(cJSON *item, int number, const char *config_folder, const struct sent *sent,
                       struct err *err)
{
    cJSON *product;
    struct err inner = {0};
    if (template_load(&product, config_folder, json_text(item, "template", ""), &inner))
        return inner.kind == ERR_INPUT ? FAIL_CODE(err, ERR_INPUT, inner.code,
                                                   "/items/%d/template: %.150s", number, inner.what)
                                       : FAIL_CODE(err, inner.kind, inner.code, "%s", inner.what);
    if (!json_bool(product, "offered", true)) {
        cJSON_Delete(product);
        return FAIL_CODE(err, ERR_INPUT, "unknown_template",
                         "/items/%d/template: it is not for sale", number);
    }
    if (!json_get(item, "photos") && json_number(json_get(product, "photos"), "min", 1) == 0)
        cJSON_AddArrayToObject(item, "photos");
    int failed = check_photos(item, number, product, sent, err) ||
                 check_model(item, number, product, sent, err) ||
                 check_sources(item, number, product, err) ||
                 check_text(item, number, product, err) ||
                 order_item_complete(item, number, product, err);
    cJSON_Delete(product);
    return failed ? -1 : 0;
}

/* One item and no list: every photo sent is that item's, in the order sent; and so is a model. */
static int fill_in_files(cJSON *items, const struct sent *sent, struct err *err)
{
    cJSON *only = items->child;
    if (only->next)
        return 0;
    cJSON *photos = json_get(only, "photos") ? NULL : cJSON_AddArrayToObject(only, "photos");
    bool failed = !json_get(only, "photos");
    for (size_t i = 0; i < sent->count && !failed; i++) {
        const char *name = sent->names[i];
        if (!order_part_is_model(name))
            failed = photos && !cJSON_AddItemToArray(photos, cJSON_CreateString(name));
        else if (!json_get(only, "model"))
            failed = !cJSON_AddStringToObject(only, "model", name);
    }
    return failed ? FAIL(err, ERR_LIMIT, "no memory for the order") : 0;
}

static int check_all_named(const cJSON *items, const struct sent *sent, struct err *err)
{
    for (size_t i = 0; i < sent->count; i++) {
        const cJSON *item;
        bool named = false;
        cJSON_ArrayForEach (item, items)
            named = named || is_listed(json_get(item, "photos"), sent->names[i]) ||
                    strcmp(json_text(item, "model", ""), sent->names[i]) == 0;
        bool model = order_part_is_model(sent->names[i]);
        if (!named)
            return FAIL_CODE(err, ERR_INPUT, model ? "model_not_named" : "photo_not_named",
                             "/items: no item names the %s that was sent as %.40s",
                             model ? "model" : "photo", sent->names[i]);
    }
    return 0;
}

static int settle(cJSON *order, const struct sent *sent, const char *config_folder, struct err *err)
{
    if (check_schema(order, err))
        return -1;
    cJSON *items = cJSON_GetObjectItemCaseSensitive(order, "items"), *item;
    if (fill_in_files(items, sent, err))
        return -1;
    int number = 0;
    cJSON_ArrayForEach (item, items)
        if (settle_item(item, number++, config_folder, sent, err))
            return -1;
    return check_all_named(items, sent, err);
}

int order_form_read(cJSON **order, const void *text, size_t n, const char *const *part_names,
                    size_t part_count, const char *config_folder, struct err *err)
{
    const struct sent sent = {part_names, part_count};
    if (json_parse(order, text, n, err))
        return -1;
    if (!settle(*order, &sent, config_folder, err))
        return 0;
    cJSON_Delete(*order);
    *order = NULL;
    return -1;
}
