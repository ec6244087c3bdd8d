/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schemas/openapi.yaml against the route table, both ways, and its examples against its schemas. */
#include "base/assets.h"
#include "base/json.h"
#include "base/version.h"
#include "service/http.h"
#include "tests/test.h"

static struct err err;

/* The description as it is served; "#/components/schemas/" becomes "#/$defs/" when asked, for the
 * schema check knows local definitions only. */
static cJSON *description(bool local)
{
    static const char from[] = "#/components/schemas/", to[] = "#/$defs/";
    const struct asset *asset = asset_find("schemas/openapi.yaml");
    struct bytes text = {0};
    cJSON *out = NULL;
    if (!asset)
        return NULL;
    const char *at = asset->data, *next;
    while (local && (next = strstr(at, from))) {
        if (bytes_append(&text, at, (size_t)(next - at), NULL) ||
            bytes_append(&text, to, sizeof to - 1, NULL))
            return NULL;
        at = next + sizeof from - 1;
    }
    if (bytes_append(&text, at, strlen(at), NULL) || json_parse(&out, text.data, text.len, &err))
        out = NULL;
    bytes_free(&text);
    return out;
}

static const cJSON *operation_of(const cJSON *api, const struct route *route)
{
    char method[8];
    snprintf(method, sizeof method, "%s", route->method);
    for (char *c = method; *c; c++)
        *c |= 0x20;
    return json_get(json_get(json_get(api, "paths"), route->path), method);
}

static const cJSON *parameter(const cJSON *operation, const char *name)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(operation, "parameters"))
        if (strcmp(json_text(one, "name", ""), name) == 0)
            return one;
    return NULL;
}

static bool is_open(const cJSON *operation)
{
    const cJSON *security = json_get(operation, "security");
    return security && cJSON_GetArraySize(security) == 0;
}

static void test_openapi__has_the_programs_version(void)
{
    cJSON *api = description(false);
    CHECK(api);
    const cJSON *answer =
        json_get(json_get(json_get(json_get(json_get(json_get(api, "paths"), "/version"), "get"),
                                   "responses"),
                          "200"),
                 "content");
    const cJSON *example = json_get(json_get(answer, "application/json"), "example");
    CHECK_TEXT(json_text(json_get(api, "info"), "version", ""), STATUETTE_VERSION);
    CHECK_TEXT(json_text(example, "version", ""), STATUETTE_VERSION);
    cJSON_Delete(api);
}

static void test_openapi__describes_every_route(void)
{
    cJSON *api = description(false);
    CHECK(api);
    const struct route *route;
    for (size_t i = 0; (route = route_at(i)); i++) {
        const cJSON *operation = operation_of(api, route);
        if (route->flags & ROUTE_HIDDEN)
            continue;
        if (!operation)
            TEST_GIVE_UP("%s %s is not described", route->method, route->path);
        const cJSON *body = json_get(operation, "requestBody");
        bool form = json_get(json_get(body, "content"), "multipart/form-data") != NULL;
        bool json = json_get(json_get(body, "content"), "application/json") != NULL;
        if (strcmp(json_text(operation, "summary", ""), route->summary) != 0)
            TEST_GIVE_UP("%s %s: another summary", route->method, route->path);
        if (!parameter(operation, "Idempotency-Key") != !(route->flags & ROUTE_KEY))
            TEST_GIVE_UP("%s %s: Idempotency-Key", route->method, route->path);
        if (!parameter(operation, "If-Match") != !(route->flags & ROUTE_MATCH))
            TEST_GIVE_UP("%s %s: If-Match", route->method, route->path);
        if (form != ((route->flags & ROUTE_FORM) != 0))
            TEST_GIVE_UP("%s %s: multipart/form-data", route->method, route->path);
        if ((route->flags & ROUTE_JSON) && !json)
            TEST_GIVE_UP("%s %s: no JSON body", route->method, route->path);
        if (json && !(route->flags & (ROUTE_JSON | ROUTE_NO_BODY)))
            TEST_GIVE_UP("%s %s: a JSON body too many", route->method, route->path);
        if (is_open(operation) != ((route->flags & ROUTE_OPEN) != 0))
            TEST_GIVE_UP("%s %s: security", route->method, route->path);
        if (!json_get(json_get(operation, "responses"), "default"))
            TEST_GIVE_UP("%s %s: no problem response", route->method, route->path);
    }
    cJSON_Delete(api);
}

static void test_openapi__describes_nothing_that_is_not_there(void)
{
    cJSON *api = description(false);
    CHECK(api);
    const cJSON *path, *operation;
    cJSON_ArrayForEach (path, json_get(api, "paths"))
        cJSON_ArrayForEach (operation, path) {
            const struct route *route;
            bool found = false;
            for (size_t i = 0; !found && (route = route_at(i)); i++)
                found = strcmp(route->path, path->string) == 0 &&
                        strcasecmp(route->method, operation->string) == 0;
            if (!found)
                TEST_GIVE_UP("%s %s is described but not served", operation->string, path->string);
        }
    cJSON_Delete(api);
}

/* Each {name} of a path is a parameter of it, and the handlers get what stands there. */
static void test_openapi__names_the_parts_of_each_path(void)
{
    cJSON *api = description(false);
    CHECK(api);
    const cJSON *path, *operation;
    cJSON_ArrayForEach (path, json_get(api, "paths"))
        cJSON_ArrayForEach (operation, path) {
            const char *open = strchr(path->string, '{');
            char name[40];
            if (!open)
                continue;
            snprintf(name, sizeof name, "%.*s", (int)strcspn(open + 1, "}"), open + 1);
            if (!parameter(operation, name))
                TEST_GIVE_UP("%s: {%s} is not described", path->string, name);
        }
    cJSON_Delete(api);
}

static int checked;

/* The example of one media type against its schema. */
static int check_example(const cJSON *media, const cJSON *defs)
{
    const cJSON *example = cJSON_GetObjectItemCaseSensitive(media, "example");
    const cJSON *schema = json_get(media, "schema");
    if (!example || !schema)
        return 0;
    cJSON *whole = cJSON_Duplicate(schema, 1);
    cJSON_AddItemToObject(whole, "$defs", cJSON_Duplicate(defs, 1));
    int failed = json_schema_check(whole, example, &err);
    cJSON_Delete(whole);
    checked++;
    return failed;
}

static int check_content(const cJSON *holder, const cJSON *defs)
{
    const cJSON *media;
    cJSON_ArrayForEach (media, json_get(holder, "content"))
        if (check_example(media, defs))
            return -1;
    return 0;
}

static void test_openapi__gives_examples_that_fit_their_schemas(void)
{
    cJSON *api = description(true);
    CHECK(api);
    const cJSON *defs = json_get(json_get(api, "components"), "schemas");
    const cJSON *path, *operation, *response;
    cJSON_ArrayForEach (path, json_get(api, "paths"))
        cJSON_ArrayForEach (operation, path) {
            if (check_content(json_get(operation, "requestBody"), defs))
                TEST_GIVE_UP("%s %s: request: %s", operation->string, path->string, err.what);
            cJSON_ArrayForEach (response, json_get(operation, "responses"))
                if (check_content(response, defs))
                    TEST_GIVE_UP("%s %s %s: %s", operation->string, path->string, response->string,
                                 err.what);
        }
    cJSON_ArrayForEach (response, json_get(json_get(api, "components"), "responses"))
        if (check_content(response, defs))
            TEST_GIVE_UP("%s: %s", response->string, err.what);
    cJSON_Delete(api);
    CHECK(checked > 25); /* or else the walk above went past them */
}

TESTS(TEST(test_openapi__has_the_programs_version), TEST(test_openapi__describes_every_route),
      TEST(test_openapi__describes_nothing_that_is_not_there),
      TEST(test_openapi__names_the_parts_of_each_path),
      TEST(test_openapi__gives_examples_that_fit_their_schemas))
