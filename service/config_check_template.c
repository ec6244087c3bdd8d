/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a product template names, and whether it can be printed; see config_check.h. */
#include <stdio.h>
#include <string.h>

#include "intake/provider/provider.h"
#include "print/slice/profile_check.h"
#include "print/slice/profile_files.h"
#include "service/config_check_own.h"

#define NAMES_MAX 32

/* The ids of one sort that a template names, with the place of each. */
struct names {
    int count;
    struct {
        char id[41], path[80];
    } list[NAMES_MAX];
};

static void add_name(struct names *names, const cJSON *item, const char *path)
{
    if (!cJSON_IsString(item) || names->count == NAMES_MAX)
        return;
    snprintf(names->list[names->count].id, sizeof names->list->id, "%s", item->valuestring);
    snprintf(names->list[names->count++].path, sizeof names->list->path, "%s", path);
}

static void add_names(struct names *names, const cJSON *items, const char *path)
{
    const cJSON *item;
    char below[60];
    int number = 0;
    if (!cJSON_IsArray(items))
        return;
    cJSON_ArrayForEach (item, items) {
        snprintf(below, sizeof below, "%s/%d", path, number++);
        add_name(names, item, below);
    }
}

static bool holds(const cJSON *ids, const char *id)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, ids)
        if (strcmp(one->valuestring, id) == 0)
            return true;
    return false;
}

/* Names the unknown ones; those that are known stay in the list. */
static int keep_known(struct names *names, struct config_walk *w, enum profile_kind kind)
{
    cJSON *ids = NULL;
    const cJSON *one;
    char list[300] = "";
    int kept = 0;
    if (profile_list(&ids, kind, w->config_folder, w->err))
        return -1;
    cJSON_ArrayForEach (one, ids)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                 one->valuestring);
    for (int i = 0; i < names->count; i++)
        if (holds(ids, names->list[i].id))
            names->list[kept++] = names->list[i];
        else
            config_fault(w, names->list[i].path, "there is no %s %s; there are: %s",
                         profile_kind_noun(kind), names->list[i].id, list);
    names->count = kept;
    cJSON_Delete(ids);
    return 0;
}

static void check_providers(struct config_walk *w, const cJSON *provider)
{
    struct names names = {0};
    const cJSON *item;
    char list[300] = "", path[80];
    const struct provider_driver *driver;
    for (size_t i = 0; (driver = provider_at(i)); i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "",
                 driver->id);
    add_names(&names, json_get(provider, "route"), "/provider/route");
    cJSON_ArrayForEach (item, json_get(provider, "providers")) {
        if (!item->string)
            continue;
        cJSON *id = cJSON_CreateString(item->string);
        snprintf(path, sizeof path, "/provider/providers/%.40s", item->string);
        add_name(&names, id, path);
        cJSON_Delete(id);
    }
    for (int i = 0; i < names.count; i++)
        if (!provider_find(names.list[i].id))
            config_fault(w, names.list[i].path, "there is no provider %s; there are: %s",
                         names.list[i].id, list);
}

/* The service makes two styles itself; any other is a word for a prompt that has a place for it. */
static void check_styles(struct config_walk *w, const cJSON *product)
{
    const char *prompt = json_text(json_get(product, "provider"), "prompt", "");
    struct names names = {0};
    add_names(&names, json_get(json_get(product, "style"), "allowed"), "/style/allowed");
    for (int i = 0; i < names.count; i++)
        if (strcmp(names.list[i].id, "figure") != 0 &&
            strcmp(names.list[i].id, "lithophane") != 0 && !strstr(prompt, "{style}"))
            config_fault(w, names.list[i].path,
                         "there is no style %s; there are figure and lithophane, and any word for "
                         "a provider.prompt with {style} in it",
                         names.list[i].id);
}

/* What one profile of all those that a template allows tells; files that are broken are told of in
 * their own place. */
static bool load(struct profile *p, const struct config_walk *w, const char *printer,
                 const char *material, const char *process)
{
    struct err broken = {0};
    return profile_load(p, w->config_folder, printer, material, process, &broken) == 0;
}

/* A material is at fault when no printer that it may meet is hot enough. */
static void check_heat(struct config_walk *w, const struct names *printers,
                       const struct names *materials)
{
    for (int m = 0; m < materials->count; m++) {
        char what[200] = "";
        bool fits = printers->count == 0;
        for (int i = 0; i < printers->count && !fits; i++) {
            struct profile p;
            fits = !load(&p, w, printers->list[i].id, materials->list[m].id, NULL);
            if (!fits) {
                fits = profile_heat_fits(what, sizeof what, &p);
                profile_free(&p);
            }
        }
        if (!fits)
            config_fault(w, materials->list[m].path, "too hot for every printer here: %s", what);
    }
}

static void check_nozzles(struct config_walk *w, const struct names *printers,
                          const struct names *materials, const struct names *processes)
{
    const char *material = materials->count ? materials->list[0].id : "pla"; /* any will do */
    for (int k = 0; k < processes->count; k++)
        for (int i = 0; i < printers->count; i++) {
            struct profile p;
            char what[200];
            if (!load(&p, w, printers->list[i].id, material, processes->list[k].id))
                continue;
            if (!profile_nozzle_fits(what, sizeof what, &p))
                config_fault(w, processes->list[k].path, "%s", what);
            profile_free(&p);
        }
}

int config_check_template(struct config_walk *w, const cJSON *product)
{
    struct names printers = {0}, materials = {0}, processes = {0};
    add_name(&printers, json_get(product, "printer_class"), "/printer_class");
    add_names(&printers, json_get(product, "also_on"), "/also_on");
    add_names(&materials, json_get(json_get(product, "material"), "allowed"), "/material/allowed");
    add_names(&processes, json_get(json_get(product, "process"), "allowed"), "/process/allowed");
    check_providers(w, json_get(product, "provider"));
    check_styles(w, product);
    if (keep_known(&printers, w, PROFILE_PRINTER) || keep_known(&materials, w, PROFILE_MATERIAL) ||
        keep_known(&processes, w, PROFILE_PROCESS))
        return -1;
    check_heat(w, &printers, &materials);
    check_nozzles(w, &printers, &materials, &processes);
    return 0;
}
