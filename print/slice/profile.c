/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Printer and material profiles: from a folder or from the program itself, held to their schemas.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assets.h"
#include "print/slice/profile.h"

struct kind {
    const char *folder, *schema, *noun, *unknown;
};
static const struct kind printers = {"printers", "schemas/printer.schema.json", "printer",
                                     "unknown_printer"};
static const struct kind materials = {"materials", "schemas/material.schema.json", "material",
                                      "unknown_material"};

/* An id becomes a file name: nothing but these characters may be in it. */
static bool id_safe(const char *id)
{
    size_t n = strlen(id);
    return n > 0 && n < 40 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static void add_name(char *list, size_t room, const char *file)
{
    const char *dot = strrchr(file, '.');
    size_t used = strlen(list);
    if (dot && dot > file && strcmp(dot, ".json") == 0)
        snprintf(list + used, room - used, "%s%.*s", used ? ", " : "", (int)(dot - file), file);
}

static int fail_unknown(const struct kind *kind, const char *config_folder, const char *id,
                        struct err *err)
{
    char list[120] = "", path[300];
    if (config_folder) {
        snprintf(path, sizeof path, "%s/%s", config_folder, kind->folder);
        struct dirent **entries = NULL;
        int count = scandir(path, &entries, NULL, alphasort);
        for (int i = 0; i < count; i++) {
            add_name(list, sizeof list, entries[i]->d_name);
            free(entries[i]);
        }
        free(entries);
    }
    snprintf(path, sizeof path, "config/%s/", kind->folder);
    for (const struct asset *a = asset_next(path, NULL); a; a = asset_next(path, a))
        add_name(list, sizeof list, a->name + strlen(path));
    return FAIL_CODE(err, ERR_ABSENT, kind->unknown, "there is no %s \"%.40s\"; there are: %s",
                     kind->noun, id, *list ? list : "none");
}

static int find_file(cJSON **out, const struct kind *kind, const char *config_folder,
                     const char *id, struct err *err)
{
    char path[4096];
    if (!id_safe(id))
        return fail_unknown(kind, config_folder, id, err);
    if (config_folder) {
        struct err inner = {0};
        snprintf(path, sizeof path, "%s/%s/%s.json", config_folder, kind->folder, id);
        if (json_read_file(out, path, &inner) == 0)
            return 0;
        if (inner.kind != ERR_ABSENT)
            return err_fail(err, inner.kind, inner.code, inner.where, "%s", inner.what);
    }
    /* as with templates: one's own stand beside the built-in ones, and in front of them */
    snprintf(path, sizeof path, "config/%s/%s.json", kind->folder, id);
    const struct asset *asset = asset_find(path);
    if (!asset)
        return fail_unknown(kind, config_folder, id, err);
    return json_parse(out, asset->data, asset->size, err);
}

static int check_schema(const struct kind *kind, const cJSON *value, const char *id,
                        struct err *err)
{
    const struct asset *asset = asset_find(kind->schema);
    cJSON *schema = NULL;
    struct err inner = {0};
    if (!asset)
        return FAIL(err, ERR_BUG, "%s is not built in", kind->schema);
    if (json_parse(&schema, asset->data, asset->size, err))
        return -1;
    int failed = json_schema_check(schema, value, &inner);
    cJSON_Delete(schema);
    if (failed)
        return FAIL_CODE(err, inner.kind, inner.code, "%s %s: %.150s", kind->noun, id, inner.what);
    if (strcmp(json_text(value, "id", ""), id) != 0)
        return FAIL_CODE(err, ERR_INPUT, "schema_violation", "%s %s: its file names another id",
                         kind->noun, id);
    return 0;
}

static int load(cJSON **out, const struct kind *kind, const char *config_folder, const char *id,
                struct err *err)
{
    cJSON *file = NULL;
    if (find_file(&file, kind, config_folder, id, err))
        return -1;
    if (check_schema(kind, file, id, err)) {
        cJSON_Delete(file);
        return -1;
    }
    *out = file;
    return 0;
}

int printer_profile_load(struct printer_profile *out, const char *config_folder, const char *id,
                         struct err *err)
{
    cJSON *file = NULL;
    if (load(&file, &printers, config_folder, id, err))
        return -1;
    *out = (struct printer_profile){.settings = file};
    snprintf(out->id, sizeof out->id, "%s", id);
    snprintf(out->name, sizeof out->name, "%s", json_text(file, "name", ""));
    for (int i = 0; i < 3; i++)
        out->bed_mm[i] = cJSON_GetArrayItem(json_get(file, "bed_mm"), i)->valuedouble;
    out->nozzle_mm = json_number(file, "nozzle_mm", 0);
    return 0;
}

int material_profile_load(struct material_profile *out, const char *config_folder, const char *id,
                          struct err *err)
{
    cJSON *file = NULL;
    if (load(&file, &materials, config_folder, id, err))
        return -1;
    *out = (struct material_profile){.nozzle_c = json_number(file, "nozzle_c", 0),
                                     .bed_c = json_number(file, "bed_c", 0),
                                     .density_g_cm3 = json_number(file, "density_g_cm3", 0),
                                     .diameter_mm = json_number(file, "diameter_mm", 0),
                                     .min_wall_mm = json_number(file, "min_wall_mm", 0),
                                     .overhang_deg = json_number(file, "overhang_deg", 45),
                                     .bridge_mm = json_number(file, "bridge_mm", 10),
                                     .max_flow_mm3_s = json_number(file, "max_flow_mm3_s", 0),
                                     .settings = file};
    snprintf(out->id, sizeof out->id, "%s", id);
    snprintf(out->name, sizeof out->name, "%s", json_text(file, "name", ""));
    return 0;
}

void printer_profile_free(struct printer_profile *profile)
{
    if (!profile)
        return;
    cJSON_Delete(profile->settings);
    *profile = (struct printer_profile){0};
}

void material_profile_free(struct material_profile *profile)
{
    if (!profile)
        return;
    cJSON_Delete(profile->settings);
    *profile = (struct material_profile){0};
}

int profile_load(struct profile *out, const char *config_folder, const char *printer_id,
                 const char *material_id, const char *process_id, struct err *err)
{
    struct profile p = {0};
    snprintf(p.process_id, sizeof p.process_id, "%s",
             process_id ? process_id : PROFILE_PROCESS_DEFAULT);
    if (printer_profile_load(&p.printer, config_folder, printer_id, err) ||
        material_profile_load(&p.material, config_folder, material_id, err)) {
        profile_free(&p);
        return -1;
    }
    p.process = cJSON_Duplicate(json_get(p.printer.settings, "process"), true);
    *out = p;
    return 0;
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    printer_profile_free(&profile->printer);
    material_profile_free(&profile->material);
    cJSON_Delete(profile->process);
    *profile = (struct profile){0};
}
