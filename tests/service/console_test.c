/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's files held against one another, the route table and the rules it is served under.
 */
#include "base/assets.h"
#include "service/http.h"
#include "tests/test.h"

static const char *text_of(const char *file)
{
    char name[200];
    snprintf(name, sizeof name, "service/console/%s", file);
    const struct asset *asset = asset_find(name);
    return asset ? asset->data : "";
}

/* Copies what stands after each `before` up to `end`; false past the last. */
static bool each(const char **at, char *out, size_t room, const char *before, char end)
{
    const char *found = strstr(*at, before);
    if (!found)
        return false;
    found += strlen(before);
    snprintf(out, room, "%.*s", (int)strcspn(found, (char[]){end, 0}), found);
    *at = found;
    return true;
}

/* The page's policy is default-src 'self': what stands inline would silently not run. */
static void test_console__has_nothing_inline_and_nothing_from_elsewhere(void)
{
    static const char *const never[] = {
        " style=\"", " onclick=", " onload=", "javascript:", "<style", "src=\"http", "href=\"http"};
    const char *html = text_of("index.html");
    CHECK(*html);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(html, never[i]))
            TEST_GIVE_UP("index.html has %s", never[i]);
    CHECK(!strstr(text_of("console.css"), "url("));
    const char *script = strstr(html, "<script");
    CHECK(script &&
          strncmp(script, "<script src=\"/console/console.js\" defer></script>", 49) == 0);
    CHECK(!strstr(script + 1, "<script "));
}

/* What customers write reaches the page as text alone: none of the doors to markup is used. */
static void test_console__never_makes_markup_of_text(void)
{
    static const char *const doors[] = {
        "innerHTML",      "outerHTML",    "insertAdjacentHTML", "eval(",
        "document.write", "new Function", "DOMParser",          "createContextualFragment"};
    const char *js = text_of("console.js");
    CHECK(strstr(js, "textContent"));
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (strstr(js, doors[i]))
            TEST_GIVE_UP("console.js uses %s", doors[i]);
}

static void test_console__names_only_files_that_are_built_in(void)
{
    const char *at = text_of("index.html");
    char name[100];
    int found = 0;
    while (each(&at, name, sizeof name, "\"/console/", '"')) {
        found++;
        if (!*text_of(name))
            TEST_GIVE_UP("/console/%s is not there", name);
    }
    CHECK(found >= 3);
}

static void test_console__finds_each_element_that_the_script_asks_for(void)
{
    const char *at = text_of("console.js"), *html = text_of("index.html");
    char id[60], wanted[80];
    int found = 0;
    while (each(&at, id, sizeof id, "$(\"", '"')) {
        if (strncmp(id, "count-", 6) == 0 && !id[6]) /* built from a name */
            continue;
        snprintf(wanted, sizeof wanted, "id=\"%s\"", id);
        found++;
        if (!strstr(html, wanted))
            TEST_GIVE_UP("no element %s", id);
    }
    CHECK(found > 20);
}

/* Each path of the API that the script begins a call with is the beginning of a route. */
static void test_console__calls_only_routes_that_are_there(void)
{
    const char *at = text_of("console.js");
    char path[100];
    int found = 0;
    while (each(&at, path, sizeof path, "\"/v1/", '"')) {
        char whole[120];
        snprintf(whole, sizeof whole, "/v1/%.*s", (int)strcspn(path, "?"), path);
        const struct route *route;
        bool known = false;
        for (size_t i = 0; !known && (route = route_at(i)); i++)
            known = strncmp(route->path, whole, strlen(whole)) == 0;
        found++;
        if (!known)
            TEST_GIVE_UP("%s is no route", whole);
    }
    CHECK(found > 8);
}

TESTS(TEST(test_console__has_nothing_inline_and_nothing_from_elsewhere),
      TEST(test_console__never_makes_markup_of_text),
      TEST(test_console__names_only_files_that_are_built_in),
      TEST(test_console__finds_each_element_that_the_script_asks_for),
      TEST(test_console__calls_only_routes_that_are_there))
