/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings of each provider; see provider_rules.h. */
#include "service/provider_rules.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assets.h"

static int check(const cJSON *config, const char *id, struct err *err)
{
    const struct asset *asset = asset_find("schemas/provider.schema.json");
    struct err inner = {0};
    cJSON *schema;
    if (!asset)
        return FAIL(err, ERR_BUG, "schemas/provider.schema.json is not built in");
    if (json_parse(&schema, asset->data, asset->size, err))
        return -1;
    int failed = json_schema_check(schema, config, &inner);
    cJSON_Delete(schema);
    if (failed)
        return FAIL_CODE(err, ERR_INPUT, "provider_invalid", "provider %.40s: %.120s", id,
                         inner.what);
    return strcmp(json_text(config, "id", ""), id) == 0
               ? 0
               : FAIL_CODE(err, ERR_INPUT, "provider_invalid",
                           "provider %.40s: its id is not its file's name", id);
}

/* The shop's own file goes before the built-in one; a provider without either has no prices. */
static int read_config(cJSON **out, const char *id, const struct settings *settings,
                       struct err *err)
{
    char name[120], path[700];
    snprintf(name, sizeof name, "providers/%.60s.json", id);
    snprintf(path, sizeof path, "%s/%s", settings->config_folder, name);
    if (*settings->config_folder && access(path, F_OK) == 0)
        return json_read_file(out, path, err);
    snprintf(path, sizeof path, "config/%s", name);
    const struct asset *asset = asset_find(path);
    if (asset)
        return json_parse(out, asset->data, asset->size, err);
    *out = cJSON_CreateObject();
    cJSON_AddStringToObject(*out, "id", id);
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(*out, "prices"), "base", 0);
    return 0;
}

/* STATUETTE_TRIPO_KEY and the like. */
static int from_environment(char *out, size_t room, const char *id, const char *what,
                            const char *otherwise, struct err *err)
{
    char name[80];
    snprintf(name, sizeof name, "STATUETTE_%.40s_%s", id, what);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    const char *value = getenv(name);
    if (!value || !*value)
        value = otherwise;
    if (strlen(value) >= room)
        return FAIL(err, ERR_INPUT, "%s is longer than %zu characters", name, room - 1);
    memcpy(out, value, strlen(value) + 1);
    return 0;
}

static void set_pace(struct provider_rules *rules)
{
    const cJSON *pace = json_get(rules->config, "pace");
    struct provider_pace *p = &rules->pace;
    p->submits_per_min = json_number(pace, "submits_per_min", p->submits_per_min);
    p->burst = (unsigned)json_number(pace, "burst", p->burst ? p->burst : 1);
    p->max_in_flight = (unsigned)json_number(pace, "in_flight", p->max_in_flight);
    p->poll_s = json_number(pace, "poll_s", p->poll_s > 0 ? p->poll_s : 3);
    p->poll_most_s = json_number(pace, "poll_most_s", p->poll_most_s > 0 ? p->poll_most_s : 15);
    p->deadline_s = (unsigned)json_number(pace, "deadline_s", p->deadline_s ? p->deadline_s : 1200);
    rules->calls_per_s = json_number(pace, "calls_per_s", 10);
    const cJSON *caps = json_get(rules->config, "caps");
    rules->cap_item = json_number(caps, "item", INFINITY);
    rules->cap_order = json_number(caps, "order", INFINITY);
    rules->cap_day = json_number(caps, "day", INFINITY);
}

int provider_rules_load(struct provider_rules *rules, const struct provider_driver *driver,
                        const struct settings *settings, struct err *err)
{
    const char *id = driver->id;
    *rules = (struct provider_rules){.driver = driver, .pace = driver->pace};
    if (read_config(&rules->config, id, settings, err))
        return -1;
    if (check(rules->config, id, err) ||
        from_environment(rules->url, sizeof rules->url, id, "URL",
                         json_text(rules->config, "url", ""), err) ||
        from_environment(rules->upload_url, sizeof rules->upload_url, id, "UPLOAD_URL",
                         json_text(rules->config, "upload_url", ""), err) ||
        from_environment(rules->key, sizeof rules->key, id, "KEY", "", err) ||
        from_environment(rules->secret, sizeof rules->secret, id, "SECRET", "", err)) {
        provider_rules_free(rules);
        return -1;
    }
    snprintf(rules->dialect, sizeof rules->dialect, "%s", json_text(rules->config, "dialect", ""));
    rules->send_and_poll = json_bool(rules->config, "send_and_poll", false);
    set_pace(rules);
    rules->on = driver->local || (driver->needs_key ? *rules->key : *rules->url);
    if (json_bool(rules->config, "off", false))
        rules->on = false;
    return 0;
}

void provider_rules_free(struct provider_rules *rules)
{
    cJSON_Delete(rules->config);
    memset(rules->key, 0, sizeof rules->key);
    *rules = (struct provider_rules){0};
}

struct provider_settings provider_rules_settings(const struct provider_rules *rules)
{
    return (struct provider_settings){.base_url = rules->url,
                                      .upload_url = rules->upload_url,
                                      .api_key = rules->key,
                                      .dialect = rules->dialect,
                                      .prefer_async = rules->send_and_poll};
}

const char *provider_model(const struct provider_rules *rules, const cJSON *spec)
{
    return json_text(spec, "model", json_text(rules->config, "model", NULL));
}

void provider_rules_why_off(char *out, size_t room, const struct provider_rules *rules)
{
    char name[41];
    snprintf(name, sizeof name, "%.40s", rules->driver->id);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    if (json_bool(rules->config, "off", false))
        snprintf(out, room, "it is set off in providers/%s.json", rules->driver->id);
    else
        snprintf(out, room, "set STATUETTE_%s_%s", name, rules->driver->needs_key ? "KEY" : "URL");
}

double provider_price(const struct provider_rules *rules, const cJSON *spec)
{
    const cJSON *prices = json_get(rules->config, "prices");
    const char *model = provider_model(rules, spec), *tool = json_text(spec, "tool", NULL);
    const cJSON *of_model = model ? json_get(json_get(prices, "models"), model) : NULL;
    if (tool)
        return json_number(json_get(prices, "tools"), tool, json_number(prices, "base", 0));
#define PRICE(what) json_number(of_model, what, json_number(prices, what, 0))
    double price = PRICE("base");
    if (json_bool(spec, "texture", false))
        price += PRICE("texture");
    if (json_bool(spec, "parts", false))
        price += PRICE("parts");
    if (cJSON_GetArraySize(json_get(spec, "photos")) > 1)
        price += PRICE("views");
#undef PRICE
    return price;
}
