/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette provider list|test`: what makes models from photos, and whether it can be reached. */
#include <stdio.h>
#include <string.h>

#include "intake/provider/provider.h"
#include "service/cli.h"
#include "service/provider_rules.h"

static const char *readiness(const struct provider_rules *rules)
{
    return rules->driver->local ? "ready" : rules->on ? "configured" : "off";
}

int cli_provider_list(const struct cli *cli, struct err *err)
{
    struct settings settings;
    const struct provider_driver *driver;
    if (settings_load(&settings, err))
        return -1;
    cJSON *answer = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(answer, "providers");
    for (size_t i = 0; (driver = provider_at(i)); i++) {
        struct provider_rules rules;
        if (provider_rules_load(&rules, driver, &settings, err)) {
            cJSON_Delete(answer);
            return -1;
        }
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "id", driver->id);
        cJSON_AddStringToObject(o, "state", readiness(&rules));
        cJSON_AddStringToObject(o, "summary", driver->summary);
        cJSON_AddItemToArray(list, o);
        if (!cli->json)
            printf("%-12s %-11s %s\n", driver->id, readiness(&rules), driver->summary);
        provider_rules_free(&rules);
    }
    int code = cli->json ? cli_print_json(answer, err) : 0;
    cJSON_Delete(answer);
    return code;
}

/* The cheapest honest question: does something answer HTTP there? A Hunyuan3D-2 server has no
 * health route: any answer counts. */
static int reach(const struct provider_driver *driver, const char *url, struct err *err)
{
    struct http_request request = {
        .method = "GET", .connect_s = 5, .total_s = 15, .max_bytes = 1 << 20};
    struct http_answer answer = {0};
    struct err inner = {0};
    request.url = strdup(url);
    request.headers = cJSON_CreateObject();
    int failed = http_send(&answer, &request, &inner);
    if (failed)
        failed = FAIL_CODE(err, ERR_LATER, "provider_away", "%s does not answer at %.100s: %.80s",
                           driver->id, url, inner.what);
    http_request_free(&request);
    http_answer_free(&answer);
    return failed;
}

int cli_provider_test(const struct cli *cli, struct err *err)
{
    struct settings settings;
    const struct provider_driver *driver = provider_find(cli->words[0]);
    if (!driver)
        return FAIL_CODE(err, ERR_ABSENT, "unknown_provider",
                         "no provider \"%.40s\"; see provider list", cli->words[0]);
    if (settings_load(&settings, err))
        return -1;
    struct provider_rules rules;
    if (provider_rules_load(&rules, driver, &settings, err))
        return -1;
    int failed = 0;
    if (!rules.on)
        failed = FAIL_CODE(err, ERR_ABSENT, "provider_off", "%s is off: set STATUETTE_<ID>_%s",
                           driver->id, driver->needs_key ? "KEY" : "URL");
    else if (!driver->local)
        failed = reach(driver, *rules.url ? rules.url : driver->default_url, err);
    provider_rules_free(&rules);
    if (failed)
        return -1;
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "id", driver->id);
    cJSON_AddStringToObject(answer, "state", driver->local ? "ready" : "reachable");
    int code = 0;
    if (cli->json)
        code = cli_print_json(answer, err);
    else
        printf("%s: %s; cost nothing\n", driver->id, driver->local ? "built in" : "answers");
    cJSON_Delete(answer);
    return code;
}
