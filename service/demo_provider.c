/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The demo on a provider instead of the built-in maker: its simulator, the settings that lead
 * there, and a product whose only route it is. A real account is never asked: without an address of
 * one's own in the settings the simulator's goes before whatever key is set.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assets.h"
#include "intake/provider/provider.h"
#include "service/demo.h"

static void setting_name(char out[80], const char *id, const char *what)
{
    snprintf(out, 80, "STATUETTE_%.40s_%s", id, what);
    for (char *c = out; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

static int set(const char *id, const char *what, const char *value, struct err *err)
{
    char name[80];
    setting_name(name, id, what);
    return setenv(name, value, 1) ? FAIL(err, ERR_LIMIT, "no memory for the settings") : 0;
}

static int start_simulator(struct demo_provider *p, const char *id, struct err *err)
{
    const char *scenario = getenv("SCENARIO");
    const char *args[8] = {"--port", "0", "--slow", "2000"};
    char url[80];
    int port;
    if (scenario && *scenario) {
        args[4] = "--scenario";
        args[5] = scenario;
    }
    if (demo_simulator(&p->simulator, &port, "provider_sim", args, err))
        return -1;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, id);
    return set(id, "URL", url, err) || set(id, "UPLOAD_URL", url, err) ||
                   set(id, "KEY", "demo", err)
               ? -1
               : 0;
}

/* The demo's product with that route. What is simulated is not like the photo, and need not be. */
static int write_template(const char *folder, const char *id, struct err *err)
{
    const struct asset *asset = asset_find("config/templates/demo.json");
    char path[700];
    cJSON *product = NULL;
    struct bytes text = {0};
    if (!asset)
        return FAIL(err, ERR_BUG, "the demo's template is not built in");
    if (json_parse(&product, asset->data, asset->size, err))
        return -1;
    cJSON *route = cJSON_GetObjectItemCaseSensitive(json_get(product, "provider"), "route");
    cJSON *limits = cJSON_AddObjectToObject(product, "limits"), *verdicts;
    cJSON_ReplaceItemInArray(route, 0, cJSON_CreateString(id));
    cJSON_AddNumberToObject(limits, "silhouette_overlap", 0);
    verdicts = cJSON_GetObjectItemCaseSensitive(json_get(product, "auto_pass"), "verdicts");
    cJSON_AddItemToArray(verdicts, cJSON_CreateString("revise"));
    snprintf(path, sizeof path, "%s/templates/demo.json", folder);
    int failed =
        json_print(&text, product, true, err) || file_write(path, text.data, text.len, err);
    bytes_free(&text);
    cJSON_Delete(product);
    return failed ? -1 : 0;
}

/* A folder of settings that has the shop's own beside the demo's product. */
static int make_config(struct settings *settings, const char *id, struct err *err)
{
    static const char *const own[] = {"providers", "printers", "materials", "processes"};
    char folder[600], from[700], to[700];
    snprintf(folder, sizeof folder, "%s/demo-config", settings->var_folder);
    snprintf(to, sizeof to, "%s/templates", folder);
    if (folder_make(to, err) || write_template(folder, id, err))
        return -1;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        snprintf(from, sizeof from, "%s/%s", settings->config_folder, own[i]);
        snprintf(to, sizeof to, "%s/%s", folder, own[i]);
        unlink(to);
        if (*settings->config_folder && access(from, F_OK) == 0 && symlink(from, to))
            return FAIL_ERRNO(err, "cannot write %s", to);
    }
    if (strlen(folder) >= sizeof settings->config_folder)
        return FAIL(err, ERR_INPUT, "STATUETTE_VAR is too long");
    memcpy(settings->config_folder, folder, strlen(folder) + 1);
    return 0;
}

int demo_provider_start(struct demo_provider *p, const struct cli *cli, struct settings *settings,
                        struct err *err)
{
    char name[80];
    const char *id = cli_text(cli, "--provider", getenv("PROVIDER"));
    *p = (struct demo_provider){0};
    if (!id || !*id)
        return 0;
    const struct provider_driver *driver = provider_find(id);
    if (!driver || driver->takes_model)
        return FAIL_CODE(
            err, ERR_INPUT, "usage",
            "there is no provider %.40s that makes models; see statuette provider list", id);
    if (driver->local)
        return 0;
    setting_name(name, id, "URL");
    const char *url = getenv(name);
    if ((!url || !*url) && start_simulator(p, id, err))
        return -1;
    return make_config(settings, id, err);
}

void demo_provider_stop(struct demo_provider *p)
{
    demo_simulator_stop(p->simulator);
    p->simulator = 0;
}
