/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one object of a plate has other than the rest, in CuraEngine's own settings: those that go
 * behind its `-l`. Both lists are made whole and compared, so that a setting follows from an
 * object's wish by the same formulas as from the process.
 */
#include <string.h>

#include "print/slice/engine.h"

static int settings_of(cJSON **out, const struct profile *profile, struct err *err)
{
    const struct slice_options options = {.profile = profile};
    const struct engine_job job = {.options = &options};
    return cura_settings(out, &job, err);
}

static int add_differing(cJSON *out, const cJSON *plain, const cJSON *own, struct err *err)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, own) {
        const char *value = json_text(plain, item->string, NULL);
        if (value && strcmp(value, item->valuestring) == 0)
            continue;
        if (!cJSON_AddStringToObject(out, item->string, item->valuestring))
            return FAIL(err, ERR_LIMIT, "no memory for an object's settings");
    }
    return 0;
}

int cura_object_settings(cJSON **out, const struct profile *profile, const cJSON *settings,
                         struct err *err)
{
    struct profile changed = *profile;
    cJSON *plain = NULL, *own = NULL, *differing = cJSON_CreateObject();
    int failed = -1;
    changed.process = NULL;
    if (profile_object_process(&changed.process, profile, settings, err) ||
        settings_of(&plain, profile, err) || settings_of(&own, &changed, err))
        goto out;
    failed = differing ? add_differing(differing, plain, own, err)
                       : FAIL(err, ERR_LIMIT, "no memory for an object's settings");
out:
    cJSON_Delete(changed.process);
    cJSON_Delete(plain);
    cJSON_Delete(own);
    if (failed)
        cJSON_Delete(differing);
    else
        *out = differing;
    return failed;
}
