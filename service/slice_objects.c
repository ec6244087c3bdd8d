/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects of a role's result for the slicer; see slice_objects.h. */
#include "service/slice_objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 800

int slice_objects_of(struct slice_objects *out, const cJSON *result, const char *folder,
                     struct err *err)
{
    const cJSON *list = json_get(result, "objects"), *one;
    size_t count = (size_t)cJSON_GetArraySize(list);
    *out = (struct slice_objects){0};
    if (count == 0)
        return FAIL(err, ERR_BUG, "the role tostl told of no objects");
    /* one piece of memory: the objects, then their paths */
    struct slice_object *at = calloc(count, sizeof *at + PATH_ROOM);
    if (!at)
        return FAIL(err, ERR_LIMIT, "no memory for %zu objects", count);
    char *path = (char *)(at + count);
    *out = (struct slice_objects){at, count};
    cJSON_ArrayForEach (one, list) {
        const char *name = json_text(one, "name", "");
        snprintf(path, PATH_ROOM, "%s/%s", folder, json_text(one, "file", ""));
        *at++ = (struct slice_object){
            .path = path, .name = *name ? name : NULL, .settings = json_get(one, "settings")};
        path += PATH_ROOM;
    }
    return 0;
}

void slice_objects_free(struct slice_objects *objects)
{
    free(objects->at);
    *objects = (struct slice_objects){0};
}
