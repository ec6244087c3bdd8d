/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of printers, materials and processes: found in a folder or in the program, what they
 * inherit put in place, held to their schemas; see profile.h. */
#include "print/slice/profile_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"

#define PARENTS_MAX 8

static const struct profile_kind_row {
    const char *folder, *schema, *noun, *unknown;
} kinds[] = {
    [PROFILE_PRINTER] = {"printers", "schemas/printer.schema.json", "printer", "unknown_printer"},
    [PROFILE_MATERIAL] = {"materials", "schemas/material.schema.json", "material",
                          "unknown_material"},
    [PROFILE_PROCESS] = {"processes", "schemas/process.schema.json", "process", "unknown_process"}};

const char *profile_kind_folder(enum profile_kind kind)
{
    return kinds[kind].folder;
}

const char *profile_kind_noun(enum profile_kind kind)
{
    return kinds[kind].noun;
}

const char *profile_kind_schema(enum profile_kind kind)
{
    return kinds[kind].schema;
}

/* An id becomes a file name: nothing but these characters may be in it. */
bool config_id_safe(const char *id)
{
    size_t n = strlen(id);
    return n > 0 && n < 40 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static int add_id(cJSON *ids, const char *file, struct err *err)
{
    const char *dot = strrchr(file, '.');
    char id[256];
    const cJSON *one;
    if (!dot || dot == file || strcmp(dot, ".json") != 0 || strchr(file, '/'))
        return 0;
    snprintf(id, sizeof id, "%.*s", (int)(dot - file), file);
    cJSON_ArrayForEach (one, ids)
        if (strcmp(one->valuestring, id) == 0)
            return 0;
    cJSON *item = cJSON_CreateString(id);
    if (item && cJSON_AddItemToArray(ids, item))
        return 0;
    cJSON_Delete(item);
    return FAIL(err, ERR_LIMIT, "no memory for a list of ids");
}

static int add_folder(cJSON *ids, const char *path, struct err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort), failed = 0;
    for (int i = 0; i < count; i++) {
        failed = failed || add_id(ids, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return failed ? -1 : 0;
}

int config_list(cJSON **out, const char *config_folder, const char *name, struct err *err)
{
    char path[4096];
    cJSON *ids = cJSON_CreateArray();
    int failed = ids ? 0 : FAIL(err, ERR_LIMIT, "no memory for a list of ids");
    if (!failed && config_folder) {
        snprintf(path, sizeof path, "%s/%s", config_folder, name);
        failed = add_folder(ids, path, err);
    }
    snprintf(path, sizeof path, "config/%s%s", name, *name ? "/" : "");
    for (const struct asset *a = asset_next(path, NULL); a && !failed; a = asset_next(path, a))
        failed = add_id(ids, a->name + strlen(path), err);
    if (failed)
        cJSON_Delete(ids);
    else
        *out = ids;
    return failed;
}

int profile_list(cJSON **out, enum profile_kind kind, const char *config_folder, struct err *err)
{
    return config_list(out, config_folder, kinds[kind].folder, err);
}

static int fail_unknown(enum profile_kind kind, const char *config_folder, const char *id,
                        struct err *err)
{
    char list[120] = "";
    cJSON *ids = NULL;
    const cJSON *one;
    if (profile_list(&ids, kind, config_folder, err))
        return -1;
    cJSON_ArrayForEach (one, ids) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", one->valuestring);
    }
    cJSON_Delete(ids);
    return FAIL_CODE(err, ERR_ABSENT, kinds[kind].unknown,
                     "there is no %s \"%.40s\"; there are: %s", kinds[kind].noun, id,
                     *list ? list : "none");
}

/* As with templates: one's own stand beside the built-in ones, and in front of them. */
int config_file_read(cJSON **out, bool *built_in, const char *config_folder, const char *name,
                     const char *id, struct err *err)
{
    char path[4096];
    *built_in = false;
    if (config_folder) {
        struct err inner = {0};
        snprintf(path, sizeof path, "%s/%s%s%s.json", config_folder, name, *name ? "/" : "", id);
        if (json_read_file(out, path, &inner) == 0)
            return 0;
        if (inner.kind != ERR_ABSENT)
            return err_fail(err, inner.kind, inner.code, inner.where, "%s", inner.what);
    }
    snprintf(path, sizeof path, "config/%s%s%s.json", name, *name ? "/" : "", id);
    const struct asset *asset = asset_find(path);
    if (!asset)
        return FAIL(err, ERR_ABSENT, "there is no %s", path);
    *built_in = true;
    return json_parse(out, asset->data, asset->size, err);
}

int profile_file_read(cJSON **out, bool *built_in, enum profile_kind kind,
                      const char *config_folder, const char *id, struct err *err)
{
    struct err inner = {0};
    if (!config_id_safe(id))
        return fail_unknown(kind, config_folder, id, err);
    if (config_file_read(out, built_in, config_folder, kinds[kind].folder, id, &inner) == 0)
        return 0;
    if (inner.kind == ERR_ABSENT)
        return fail_unknown(kind, config_folder, id, err);
    return err_fail(err, inner.kind, inner.code, inner.where, "%s", inner.what);
}

/* The files from the one asked for to where a parent is looked for now. */
struct chain {
    enum profile_kind kind;
    const char *config_folder;
    int length;
    struct {
        char id[40];
        bool built_in;
    } files[PARENTS_MAX];
};

static int fail_chain(const struct chain *chain, const char *id, const char *what, struct err *err)
{
    char list[140] = "";
    for (int i = 0; i < chain->length; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s > ", chain->files[i].id);
    }
    return FAIL_CODE(err, ERR_INPUT, "inherits_cycle", "%s %s: %s%s", kinds[chain->kind].noun, what,
                     list, id);
}

static int note(struct chain *chain, const char *id, bool built_in, struct err *err)
{
    for (int i = 0; i < chain->length; i++)
        if (chain->files[i].built_in == built_in && strcmp(chain->files[i].id, id) == 0)
            return fail_chain(chain, id, "inherits itself", err);
    if (chain->length == PARENTS_MAX)
        return fail_chain(chain, id, "inherits through too many files", err);
    snprintf(chain->files[chain->length].id, sizeof chain->files->id, "%s", id);
    chain->files[chain->length++].built_in = built_in;
    return 0;
}

static int resolve(cJSON **out, struct chain *chain, const char *id, struct err *err);

/* Puts what the parent says under the file; a file of the folder that inherits its own id stands on
 * the built-in one. */
static int put_parent(cJSON **file, struct chain *chain, bool built_in, const char *id,
                      struct err *err)
{
    const cJSON *inherits = json_get(*file, "inherits");
    const char *folder = chain->config_folder;
    cJSON *parent = NULL;
    struct err inner = {0};
    if (!inherits)
        return 0;
    if (!cJSON_IsString(inherits))
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", "/inherits: must be of type string");
    if (!built_in && strcmp(inherits->valuestring, id) == 0)
        chain->config_folder = NULL;
    int failed = resolve(&parent, chain, inherits->valuestring, &inner);
    chain->config_folder = folder;
    if (failed && strcmp(inner.code, "inherits_cycle") == 0)
        return err_fail(err, inner.kind, inner.code, inner.where, "%s", inner.what);
    if (failed)
        return FAIL_CODE(err, ERR_INPUT, inner.kind == ERR_ABSENT ? "unknown_parent" : inner.code,
                         "%.40s inherits %.40s: %.150s", id, inherits->valuestring, inner.what);
    cJSON_DeleteItemFromObject(*file, "inherits");
    if (json_merge(parent, *file, err)) {
        cJSON_Delete(parent);
        return -1;
    }
    cJSON_Delete(*file);
    *file = parent;
    return 0;
}

static int resolve(cJSON **out, struct chain *chain, const char *id, struct err *err)
{
    cJSON *file = NULL;
    bool built_in = false;
    if (profile_file_read(&file, &built_in, chain->kind, chain->config_folder, id, err))
        return -1;
    if (note(chain, id, built_in, err) || put_parent(&file, chain, built_in, id, err)) {
        cJSON_Delete(file);
        return -1;
    }
    *out = file;
    return 0;
}

int profile_resolve(cJSON **out, enum profile_kind kind, const char *config_folder, const char *id,
                    struct err *err)
{
    struct chain chain = {.kind = kind, .config_folder = config_folder};
    return resolve(out, &chain, id, err);
}

static int check_schema(enum profile_kind kind, const cJSON *value, const char *id, struct err *err)
{
    const struct asset *asset = asset_find(kinds[kind].schema);
    cJSON *schema = NULL;
    struct err inner = {0};
    if (!asset)
        return FAIL(err, ERR_BUG, "%s is not built in", kinds[kind].schema);
    if (json_parse(&schema, asset->data, asset->size, err))
        return -1;
    int failed = json_schema_check(schema, value, &inner);
    cJSON_Delete(schema);
    if (failed)
        return FAIL_CODE(err, inner.kind, inner.code, "%s %s: %.150s", kinds[kind].noun, id,
                         inner.what);
    if (strcmp(json_text(value, "id", ""), id) != 0)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", "%s %s: its file names another id",
                         kinds[kind].noun, id);
    return 0;
}

int profile_file_load(cJSON **out, enum profile_kind kind, const char *config_folder,
                      const char *id, struct err *err)
{
    cJSON *file = NULL;
    if (profile_resolve(&file, kind, config_folder, id, err))
        return -1;
    if (check_schema(kind, file, id, err)) {
        cJSON_Delete(file);
        return -1;
    }
    *out = file;
    return 0;
}
