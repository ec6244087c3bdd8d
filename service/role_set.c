/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files as the objects in them; see role_set.h. Runs confined. */
#include "service/role_set.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "print/measure/measure.h"
#include "print/read/bundle.h"
#include "print/repair/solid.h"
#include "print/slice/project.h"

#define OWN_PART_MOST ((size_t)1 << 20)

void role_set_free(struct set *set)
{
    for (size_t i = 0; set && i < set->count; i++) {
        mesh_free(&set->at[i].mesh);
        free(set->at[i].rgb);
    }
    if (set) {
        free(set->at);
        cJSON_Delete(set->own);
        *set = (struct set){0};
    }
}

void role_set_bounds(const struct set *set, double low[3], double high[3])
{
    for (size_t i = 0; i < set->count; i++) {
        double own_low[3], own_high[3];
        mesh_bounds(&set->at[i].mesh, own_low, own_high);
        for (int k = 0; k < 3; k++) {
            double move = set->at[i].place_mm[k];
            low[k] = i ? fmin(low[k], own_low[k] + move) : own_low[k] + move;
            high[k] = i ? fmax(high[k], own_high[k] + move) : own_high[k] + move;
        }
    }
}

/* Our part of the 3MF, held to its schema: whoever wrote the file may have written this, too. */
static cJSON *find_own(const struct bytes *file)
{
    struct bundle bundle = {0};
    struct bytes part = {.limit = OWN_PART_MOST};
    cJSON *own = NULL;
    struct err ignored = {0};
    if (bundle_list(&bundle, file->data, file->len, &ignored) == 0)
        for (size_t i = 0; i < bundle.count && !own; i++)
            if (strcmp(bundle.entries[i].name, PROJECT_OWN_PART) == 0 &&
                bundle.entries[i].bytes <= OWN_PART_MOST &&
                bundle_unpack(&part, &bundle, &bundle.entries[i], &ignored) == 0 &&
                project_read(&own, part.data, part.len, &ignored))
                own = NULL;
    bytes_free(&part);
    bundle_close(&bundle);
    return own;
}

/* The file is as we wrote it: what our part says of each object is what it is. */
static bool agrees(const cJSON *own, const struct threemf_objects *read)
{
    const cJSON *list = json_get(own, "objects"), *one;
    size_t i = 0;
    if ((size_t)cJSON_GetArraySize(list) != read->count)
        return false;
    cJSON_ArrayForEach (one, list) {
        const struct threemf_object *object = &read->at[i++];
        if ((double)object->mesh.triangle_count != json_number(one, "triangles", 0))
            return false;
        for (int k = 0; k < 3; k++) {
            double place = cJSON_GetNumberValue(cJSON_GetArrayItem(json_get(one, "place_mm"), k));
            if (fabs(object->transform[k][3] - place) > 1e-3)
                return false;
            for (int c = 0; c < 3; c++)
                if (object->transform[k][c] != (k == c))
                    return false;
        }
    }
    return true;
}

static int take_own(struct set *out, struct threemf_objects *read, struct err *err)
{
    const cJSON *bed = json_get(out->own, "bed_mm");
    out->at = calloc(read->count, sizeof *out->at);
    if (!out->at)
        return FAIL(err, ERR_LIMIT, "no memory for %zu objects", read->count);
    out->count = read->count;
    for (size_t i = 0; i < read->count; i++) {
        struct set_object *to = &out->at[i];
        struct threemf_object *from = &read->at[i];
        const cJSON *said = cJSON_GetArrayItem(json_get(out->own, "objects"), (int)i);
        to->mesh = from->mesh;
        to->rgb = from->rgb;
        from->mesh = (struct mesh){0};
        from->rgb = NULL;
        memcpy(to->name, from->name, sizeof to->name);
        memcpy(to->item_id, from->item_id, sizeof to->item_id);
        memcpy(to->part_code, from->part_code, sizeof to->part_code);
        to->settings = json_get(said, "settings");
        for (int k = 0; k < 3; k++)
            to->place_mm[k] =
                cJSON_GetNumberValue(cJSON_GetArrayItem(json_get(said, "place_mm"), k));
    }
    for (int k = 0; k < 2; k++)
        out->bed_mm[k] = cJSON_GetNumberValue(cJSON_GetArrayItem(bed, k));
    return 0;
}

/* 1: it is not ours, or no longer. */
static int read_own(struct set *out, const struct bytes *file, struct err *err)
{
    struct threemf_objects read = {0};
    struct err refused = {0};
    if (!(out->own = find_own(file)))
        return 1;
    int result =
        threemf_read_objects(&read, file->data, file->len, &refused) || !agrees(out->own, &read)
            ? 1
            : take_own(out, &read, err);
    threemf_objects_free(&read);
    if (result) {
        cJSON_Delete(out->own);
        out->own = NULL;
    }
    return result;
}

/* Triangles first .. first + count, with the vertices that they use. map: room for each vertex. */
static int take_range(struct mesh *to, const struct mesh *from, size_t first, size_t count,
                      uint32_t *map, struct err *err)
{
    uint32_t vertices = 0;
    memset(map, 0xff, from->vertex_count * sizeof *map);
    for (size_t h = 3 * first; h < 3 * (first + count); h++)
        if (map[from->triangles[h]] == UINT32_MAX)
            map[from->triangles[h]] = vertices++;
    if (mesh_alloc(to, vertices, count, err))
        return -1;
    for (size_t h = 0; h < 3 * count; h++) {
        uint32_t was = from->triangles[3 * first + h];
        to->triangles[h] = map[was];
        memcpy(to->xyz + 3 * (size_t)map[was], from->xyz + 3 * (size_t)was, 3 * sizeof(float));
    }
    return 0;
}

static int take_parts(struct set *out, const struct mesh *mesh, const struct skin *skin,
                      struct err *err)
{
    uint32_t *map = malloc((mesh->vertex_count + 1) * sizeof *map);
    int failed = map ? 0 : FAIL(err, ERR_LIMIT, "no memory for %zu parts", skin->part_count);
    for (size_t i = 0; i < skin->part_count && !failed; i++) {
        const struct skin_part *part = &skin->parts[i];
        struct set_object *to = &out->at[out->count];
        if (part->count == 0)
            continue;
        snprintf(to->name, sizeof to->name, "%s", part->name);
        failed = take_range(&to->mesh, mesh, part->first, part->count, map, err);
        out->count++;
    }
    free(map);
    return failed ? -1 : 0;
}

static bool overlap(const struct set_object *a, const struct set_object *b)
{
    double low[2][3], high[2][3];
    mesh_bounds(&a->mesh, low[0], high[0]);
    mesh_bounds(&b->mesh, low[1], high[1]);
    for (int k = 0; k < 2; k++)
        if (low[0][k] >= high[1][k] || low[1][k] >= high[0][k])
            return false;
    return true;
}

/* What lies over another, as seen from above, is one thing with it: a head on its body. Slicers
 * take objects apart from one another only. */
static int join_overlapping(struct set *set, struct err *err)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t k = i + 1; k < set->count; k++) {
            struct set_object *to = &set->at[i], *from = &set->at[k];
            if (!overlap(to, from))
                continue;
            if (mesh_append(&to->mesh, &from->mesh, false, err))
                return -1;
            mesh_free(&from->mesh);
            memmove(from, from + 1, (--set->count - k) * sizeof *from);
            k = i; /* it has grown: what was beside it may lie over it now */
        }
    return 0;
}

/* Parts of other formats belong together; those of a 3MF are things on a bed. */
static int read_other(struct set *out, const struct bytes *file, const char *name, struct err *err)
{
    struct mesh mesh = {0};
    struct skin skin = {0};
    struct read_notes notes = {0};
    if (mesh_read_skin(&mesh, &skin, &notes, file->data, file->len, name, err))
        return -1;
    bool several = strcmp(notes.format, "3mf") == 0 && skin.part_count > 1 &&
                   skin.part_count <= THREEMF_OBJECTS_MAX;
    out->at = calloc(several ? skin.part_count : 1, sizeof *out->at);
    int failed = out->at ? 0 : FAIL(err, ERR_LIMIT, "no memory for the file's objects");
    if (!failed && several) {
        failed = take_parts(out, &mesh, &skin, err) || join_overlapping(out, err);
    } else if (!failed) {
        out->at[0].mesh = mesh;
        mesh = (struct mesh){0};
        out->count = 1;
    }
    mesh_free(&mesh);
    skin_free(&skin);
    return failed ? -1 : 0;
}

int role_set_read(struct set *out, const struct bytes *file, const char *name, struct err *err)
{
    *out = (struct set){0};
    int result = read_own(out, file, err);
    return result > 0 ? read_other(out, file, name, err) : result;
}
