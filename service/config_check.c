/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walk over the configuration's folders; see config_check.h. */
#include "service/config_check.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assets.h"
#include "intake/order_form.h"
#include "intake/provider/provider.h"
#include "print/slice/profile_check.h"
#include "print/slice/profile_files.h"
#include "service/config_check_own.h"
#include "service/costs.h"
#include "service/estimate.h"

static cJSON *new_fault(const struct config_walk *w, const char *file, const char *path,
                        const char *message)
{
    cJSON *fault = cJSON_CreateObject();
    if (cJSON_AddStringToObject(fault, "file", file) &&
        cJSON_AddBoolToObject(fault, "built_in", w->built_in) &&
        cJSON_AddStringToObject(fault, "path", path) &&
        cJSON_AddStringToObject(fault, "message", message))
        return fault;
    cJSON_Delete(fault);
    return NULL;
}

static void put_fault(struct config_walk *w, const char *path, const char *message)
{
    char file[4096];
    snprintf(file, sizeof file, "%s/%s%s%s.json",
             w->built_in || !w->config_folder ? "config" : w->config_folder, w->name,
             *w->name ? "/" : "", w->id);
    /* a reader's own sentence opens with the file's path */
    size_t n = strlen(file);
    if (strncmp(message, file, n) == 0 && strncmp(message + n, ": ", 2) == 0)
        message += n + 2;
    cJSON *fault = new_fault(w, file, path, message);
    if (!fault || !cJSON_AddItemToArray(w->faults, fault))
        w->failed = true;
}

void config_fault(struct config_walk *w, const char *path, const char *format, ...)
{
    char message[400];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    put_fault(w, path, message);
}

static void on_profile_fault(void *user, const char *path, const char *what)
{
    put_fault(user, path, what);
}

static void on_schema_fault(void *user, const char *path, const char *keyword, const char *what)
{
    (void)keyword;
    put_fault(user, path, what);
}

static int check_schema(struct config_walk *w, const char *name, const cJSON *value)
{
    const struct asset *asset = asset_find(name);
    cJSON *schema = NULL;
    if (!asset)
        return FAIL(w->err, ERR_BUG, "%s is not built in", name);
    if (json_parse(&schema, asset->data, asset->size, w->err))
        return -1;
    int failed = json_schema_faults(schema, value, on_schema_fault, w, w->err);
    cJSON_Delete(schema);
    return failed;
}

static int check_printer(struct config_walk *w, const cJSON *file)
{
    (void)file;
    return profile_check(PROFILE_PRINTER, w->config_folder, w->id, on_profile_fault, w, w->err);
}

static int check_material(struct config_walk *w, const cJSON *file)
{
    (void)file;
    return profile_check(PROFILE_MATERIAL, w->config_folder, w->id, on_profile_fault, w, w->err);
}

static int check_process(struct config_walk *w, const cJSON *file)
{
    (void)file;
    return profile_check(PROFILE_PROCESS, w->config_folder, w->id, on_profile_fault, w, w->err);
}

static void check_name(struct config_walk *w, const cJSON *file, const char *member)
{
    const char *id = json_text(file, member, w->id);
    char path[40];
    snprintf(path, sizeof path, "/%s", member);
    if (strcmp(id, w->id) != 0)
        config_fault(w, path, "is %.60s, but the file's name says %s", id, w->id);
}

static int check_provider(struct config_walk *w, const cJSON *file)
{
    char list[300] = "";
    const struct provider_driver *driver;
    check_name(w, file, "id");
    for (size_t i = 0; (driver = provider_at(i)); i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "",
                 driver->id);
    if (!provider_find(w->id))
        config_fault(w, "", "is for no provider that there is: %s", list);
    return check_schema(w, "schemas/provider.schema.json", file);
}

static int check_template(struct config_walk *w, const cJSON *file)
{
    struct price_formula formula;
    struct err why = {0};
    check_name(w, file, "id");
    if (template_faults(file, on_schema_fault, w, w->err))
        return -1;
    if (price_formula_read(&formula, json_get(file, "price"), &why))
        config_fault(w, "/price", "%s", why.what);
    return config_check_template(w, file);
}

static bool is_the_built_in_one(const struct config_walk *w, const cJSON *file)
{
    cJSON *own = NULL;
    struct err none = {0};
    bool built_in;
    if (config_file_read(&own, &built_in, NULL, w->name, w->id, &none))
        return false;
    bool same = cJSON_Compare(own, file, true);
    cJSON_Delete(own);
    return same;
}

/* What the program needs whole: there is no way to put one's own in its place. */
static int check_engine(struct config_walk *w, const cJSON *file)
{
    const cJSON *item;
    check_name(w, file, "engine");
    if (!w->built_in && !is_the_built_in_one(w, file))
        config_fault(w, "",
                     "is not read: put an engine's own settings into `engines` of a printer, a "
                     "material or a process");
    if (!cJSON_IsObject(json_get(file, "settings")))
        config_fault(w, "/settings", "must be of type object");
    cJSON_ArrayForEach (item, json_get(file, "settings")) {
        char path[120];
        snprintf(path, sizeof path, "/settings/%.100s", item->string ? item->string : "");
        if (!cJSON_IsString(item) && !cJSON_IsNumber(item) && !cJSON_IsBool(item))
            config_fault(w, path, "must be a text, a number or a truth value");
    }
    return 0;
}

static const struct config_kind {
    const char *name;
    bool reads_itself; /* its check reads and tells of the file's JSON too */
    int (*check)(struct config_walk *, const cJSON *file);
} kinds[] = {{"printers", true, check_printer},    {"materials", true, check_material},
             {"processes", true, check_process},   {"providers", false, check_provider},
             {"templates", false, check_template}, {"engines", false, check_engine}};

static int check_one(struct config_walk *w, const struct config_kind *kind)
{
    struct err inner = {0};
    cJSON *file = NULL;
    int failed = 0;
    w->files++;
    if (config_file_read(&file, &w->built_in, w->config_folder, kind->name, w->id, &inner)) {
        if (inner.kind == ERR_LIMIT || inner.kind == ERR_BUG)
            return err_fail(w->err, inner.kind, inner.code, inner.where, "%s", inner.what);
        if (!kind->reads_itself)
            put_fault(w, "", inner.what);
    }
    if (file || kind->reads_itself)
        failed = kind->check(w, file);
    cJSON_Delete(file);
    return failed;
}

static int check_kind(struct config_walk *w, const struct config_kind *kind)
{
    cJSON *ids = NULL;
    const cJSON *id;
    int failed = config_list(&ids, w->config_folder, kind->name, w->err);
    w->name = kind->name;
    cJSON_ArrayForEach (id, ids) {
        w->id = id->valuestring;
        failed = failed || check_one(w, kind);
    }
    cJSON_Delete(ids);
    return failed ? -1 : 0;
}

/* ---- files that lie in no folder of their own: costs.json and the like ---- */

static int read_costs(const char *config_folder, struct err *why)
{
    struct price_formula formula;
    cJSON *costs = NULL;
    int failed = costs_read(&costs, config_folder, why) ||
                 price_formula_read(&formula, json_get(costs, "price"), why);
    cJSON_Delete(costs);
    return failed ? -1 : 0;
}

static int read_estimates(const char *config_folder, struct err *why)
{
    struct estimates *estimates = NULL;
    int failed = estimates_open(&estimates, config_folder, why);
    estimates_close(estimates);
    return failed;
}

/* What a schema cannot say of a file is said by who reads it, once the schema is content. */
static int check_sense(struct config_walk *w)
{
    static const struct {
        const char *id;
        int (*read)(const char *config_folder, struct err *why);
    } readers[] = {{"costs", read_costs}, {"estimates", read_estimates}};
    struct err why = {0};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (strcmp(readers[i].id, w->id) != 0 || readers[i].read(w->config_folder, &why) == 0)
            continue;
        if (why.kind != ERR_INPUT)
            return FAIL_CODE(w->err, why.kind, why.code, "%s", why.what);
        put_fault(w, "", why.what);
    }
    return 0;
}

/* Each has a schema of its name; what has none is read by nobody. */
static int check_single(struct config_walk *w)
{
    char schema[300];
    struct err inner = {0};
    cJSON *file = NULL;
    int failed = 0;
    w->files++;
    snprintf(schema, sizeof schema, "schemas/%.255s.schema.json", w->id);
    if (config_file_read(&file, &w->built_in, w->config_folder, "", w->id, &inner)) {
        if (inner.kind == ERR_LIMIT || inner.kind == ERR_BUG)
            return err_fail(w->err, inner.kind, inner.code, inner.where, "%s", inner.what);
        put_fault(w, "", inner.what);
    } else if (asset_find(schema)) {
        int before = cJSON_GetArraySize(w->faults);
        failed = check_schema(w, schema, file) ||
                 (cJSON_GetArraySize(w->faults) == before && check_sense(w));
    } else if (!w->built_in) {
        put_fault(w, "", "is not read");
    }
    cJSON_Delete(file);
    return failed;
}

static int check_singles(struct config_walk *w)
{
    cJSON *ids = NULL;
    const cJSON *id;
    int failed = config_list(&ids, w->config_folder, "", w->err);
    w->name = "";
    cJSON_ArrayForEach (id, ids) {
        w->id = id->valuestring;
        failed = failed || check_single(w);
    }
    cJSON_Delete(ids);
    return failed ? -1 : 0;
}

/* ---- what lies in the folder and is never read ---- */

static void put_unread(struct config_walk *w, const char *file, const char *message)
{
    w->built_in = false;
    cJSON *fault = new_fault(w, file, "", message);
    if (!fault || !cJSON_AddItemToArray(w->faults, fault))
        w->failed = true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static void check_file_names(struct config_walk *w, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char path[4096];
        if (*name != '.' && !ends_with(name, ".json") && !ends_with(name, ".md") &&
            snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path)
            put_unread(w, path, "is not read: the names of files end in .json");
        free(entries[i]);
    }
    free(entries);
}

static bool is_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return true;
    return false;
}

static void check_folders(struct config_walk *w)
{
    struct dirent **entries = NULL;
    int count = scandir(w->config_folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char path[4096];
        struct stat st;
        if (*name != '.' &&
            snprintf(path, sizeof path, "%s/%s", w->config_folder, name) < (int)sizeof path &&
            stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            if (is_kind(name))
                check_file_names(w, path);
            else if (strcmp(name, "samples") != 0)
                put_unread(w, path,
                           "is not read; folders are printers, materials, processes, providers, "
                           "templates");
        }
        free(entries[i]);
    }
    free(entries);
}

static int make_report(cJSON **report, struct config_walk *w)
{
    cJSON *out = cJSON_CreateObject();
    if (w->failed || !out ||
        !(w->config_folder ? cJSON_AddStringToObject(out, "folder", w->config_folder)
                           : cJSON_AddNullToObject(out, "folder")) ||
        !cJSON_AddNumberToObject(out, "files", w->files) ||
        !cJSON_AddItemToObject(out, "faults", w->faults)) {
        cJSON_Delete(out);
        return FAIL(w->err, ERR_LIMIT, "no memory for the report");
    }
    w->faults = NULL;
    *report = out;
    return 0;
}

int config_check(cJSON **report, const char *config_folder, struct err *err)
{
    struct config_walk w = {
        .config_folder = config_folder, .faults = cJSON_CreateArray(), .err = err};
    struct stat st;
    int failed = 0;
    if (config_folder && (stat(config_folder, &st) || !S_ISDIR(st.st_mode)))
        failed = FAIL(err, ERR_ABSENT, "there is no folder %.150s", config_folder);
    if (!failed && config_folder)
        check_folders(&w);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !failed; i++)
        failed = check_kind(&w, &kinds[i]);
    failed = failed || check_singles(&w) || make_report(report, &w) ? -1 : 0;
    cJSON_Delete(w.faults);
    return failed;
}
