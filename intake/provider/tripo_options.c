/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a request to Tripo may hold beside its photo, whoever asked for it: the free options of a
 * template go through here too.
 *
 * Traps, each of which costs credits or gives a wrong model: an option that is unknown is ignored,
 * yet one that is known may be billed even at its default, so defaults stay out; face_limit -1 is
 * taken and the task then fails; generate_parts with a texture gives one untextured piece;
 * "geometry" compression needs an extension of glTF that few readers have; the P models dislike
 * options of others.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intake/provider/tripo.h"

static int no_memory(struct err *err)
{
    return FAIL(err, ERR_LIMIT, "no memory for a request");
}

struct option {
    const char *name, *value; /* as JSON */
};

static const struct option generation_defaults[] = {
    {"texture", "true"},
    {"pbr", "true"},
    {"texture_quality", "\"standard\""},
    {"geometry_quality", "\"standard\""},
    {"texture_alignment", "\"original_image\""},
    {"orientation", "\"default\""},
    {"auto_size", "false"},
    {"enable_image_autofix", "false"},
    {"quad", "false"},
    {"smart_low_poly", "false"},
    {"generate_parts", "false"},
    {"compress", "\"\""},
    {"export_uv", "true"},
    {NULL, NULL},
};

/* Of convert: with any option that is not the default it costs twice. */
static const struct option convert_defaults[] = {
    {"quad", "false"},
    {"force_symmetry", "false"},
    {"flatten_bottom", "false"},
    {"flatten_bottom_threshold", "0.01"},
    {"pivot_to_center_bottom", "false"},
    {"scale_factor", "1"},
    {"texture_format", "\"JPEG\""},
    {"pack_uv", "false"},
    {"bake", "true"},
    {"with_animation", "true"},
    {"export_orientation", "\"+x\""},
    {"fbx_preset", "\"blender\""},
    {NULL, NULL},
};

int tripo_drop_defaults(cJSON *body, bool convert, struct err *err)
{
    const struct option *defaults = convert ? convert_defaults : generation_defaults;
    for (; defaults->name; defaults++) {
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(body, defaults->name);
        char *text = member ? cJSON_PrintUnformatted(member) : NULL;
        if (member && !text)
            return no_memory(err);
        if (text && strcmp(text, defaults->value) == 0)
            cJSON_DeleteItemFromObjectCaseSensitive(body, defaults->name);
        free(text);
    }
    return 0;
}

static void drop(cJSON *body, const char *const *names)
{
    for (; *names; names++)
        cJSON_DeleteItemFromObjectCaseSensitive(body, *names);
}

int tripo_put_bool(cJSON *body, const char *name, bool value, struct err *err)
{
    cJSON_DeleteItemFromObjectCaseSensitive(body, name);
    return cJSON_AddBoolToObject(body, name, value) ? 0 : no_memory(err);
}

int tripo_put_text(cJSON *body, const char *name, const char *text, struct err *err)
{
    cJSON_DeleteItemFromObjectCaseSensitive(body, name);
    return cJSON_AddStringToObject(body, name, text) ? 0 : no_memory(err);
}

int tripo_put_number(cJSON *body, const char *name, double value, struct err *err)
{
    cJSON_DeleteItemFromObjectCaseSensitive(body, name);
    return cJSON_AddNumberToObject(body, name, value) ? 0 : no_memory(err);
}

/* Faces that a model makes; `detailed` with geometry_quality "detailed". The first whose name
 * begins so; what is not known yet is held to what the oldest can. */
static const struct family {
    const char *start;
    double least, most, detailed;
    bool lean; /* knows none of quad, smart_low_poly, generate_parts, geometry_quality */
} families[] = {
    {"P", 48, 20000, 20000, true},
    {"v3.1", 1, 1500000, 2000000, false},
    {"v3.0", 1, 1000000, 1500000, false},
    {"", 1, 500000, 500000, false},
};

static const struct family *family_of(const char *model)
{
    const struct family *family = families;
    while (strncmp(model, family->start, strlen(family->start)) != 0)
        family++;
    return family;
}

int tripo_bound_faces(cJSON *body, double least, double most, struct err *err)
{
    double faces = json_number(body, "face_limit", 0);
    if (json_bool(body, "quad", false))
        most = fmin(most, 150000);
    if (json_bool(body, "smart_low_poly", false)) {
        least = fmax(least, 1000);
        most = fmin(most, 16000);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(body, "face_limit");
    if (!(faces >= 1)) /* none, -1, or no number: their own choice */
        return 0;
    return tripo_put_number(body, "face_limit", fmin(fmax(floor(faces), least), most), err);
}

/* What the free options may have upset. */
int tripo_settle(cJSON *body, const char *model, struct err *err)
{
    static const char *const not_lean[] = {"quad", "smart_low_poly", "generate_parts",
                                           "geometry_quality", NULL};
    static const char *const of_texture[] = {"texture_quality", "texture_alignment", "texture_seed",
                                             NULL};
    static const char *const of_solid[] = {"quad", NULL};
    const struct family *family = family_of(model);
    int failed = 0;
    if (family->lean)
        drop(body, not_lean);
    bool detailed = strcmp(json_text(body, "geometry_quality", ""), "detailed") == 0;
    if (json_bool(body, "generate_parts", false)) {
        drop(body, of_solid);
        failed = tripo_put_bool(body, "texture", false, err);
    }
    if (!failed && !json_bool(body, "texture", true)) {
        drop(body, of_texture);
        failed = tripo_put_bool(body, "pbr", false, err);
    }
    return failed || tripo_bound_faces(body, family->least,
                                       detailed ? family->detailed : family->most, err)
               ? -1
               : 0;
}

void tripo_drop_compression(cJSON *body)
{
    if (strcmp(json_text(body, "compress", ""), "geometry") == 0)
        cJSON_DeleteItemFromObjectCaseSensitive(body, "compress");
}
