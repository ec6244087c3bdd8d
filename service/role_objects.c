/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The role tostl: whatever is to be sliced as one STL for each object, in its place about the
 * middle of the bed, with what is to be other for it. Runs confined; see role.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/repair/solid.h"
#include "print/shape/shape.h"
#include "service/role_set.h"

static bool stands_on_bed(const double low[3], const double high[3], const double bed_mm[2])
{
    for (int k = 0; k < 2; k++)
        if (low[k] < -bed_mm[k] / 2 || high[k] > bed_mm[k] / 2)
            return false;
    return true;
}

/* Places become those about the middle of the bed. What was placed for a bed keeps its place where
 * that is on this one; what stands alone, and what does not fit, goes to the middle as a whole. */
static void place(struct set *set, const double bed_mm[2])
{
    double low[3] = {0}, high[3] = {0};
    for (size_t i = 0; i < set->count; i++)
        for (int k = 0; k < 2; k++)
            set->at[i].place_mm[k] -= (set->bed_mm[k] > 0 ? set->bed_mm[k] : bed_mm[k]) / 2;
    role_set_bounds(set, low, high);
    bool kept = set->count > 1 && stands_on_bed(low, high, bed_mm);
    for (size_t i = 0; i < set->count; i++) {
        for (int k = 0; k < 2 && !kept; k++)
            set->at[i].place_mm[k] -= (low[k] + high[k]) / 2;
        set->at[i].place_mm[2] -= low[2];
    }
}

static int put_object(cJSON *list, struct set_object *object, const char *file, struct err *err)
{
    double low[3], high[3], size[3];
    mesh_move(&object->mesh,
              (struct vec){object->place_mm[0], object->place_mm[1], object->place_mm[2]});
    mesh_bounds(&object->mesh, low, high);
    for (int k = 0; k < 3; k++)
        size[k] = high[k] - low[k];
    if (role_write_stl(file, &object->mesh, "part", err))
        return -1;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToArray(list, o);
    cJSON_AddStringToObject(o, "file", file);
    cJSON_AddStringToObject(o, "name", object->name);
    cJSON_AddStringToObject(o, "item_id", object->item_id);
    cJSON_AddStringToObject(o, "part_code", object->part_code);
    cJSON_AddItemToObject(o, "size_mm", cJSON_CreateDoubleArray(size, 3));
    cJSON_AddNumberToObject(o, "volume_mm3", mesh_volume(&object->mesh));
    cJSON_AddItemToObject(o, "settings",
                          object->settings ? cJSON_Duplicate(object->settings, true)
                                           : cJSON_CreateObject());
    return 0;
}

/* All of it as one STL besides, its box in the middle, for who knows no objects. */
static int write_joined(const struct set *set, struct err *err)
{
    struct mesh all = {0};
    double low[3], high[3];
    int failed = 0;
    for (size_t i = 0; i < set->count && !failed; i++)
        failed = mesh_append(&all, &set->at[i].mesh, false, err);
    mesh_bounds(&all, low, high);
    mesh_move(&all, (struct vec){-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]});
    failed = failed || role_write_stl("out.stl", &all, "figure", err);
    mesh_free(&all);
    return failed ? -1 : 0;
}

static int write_objects(cJSON *result, struct set *set, struct err *err)
{
    cJSON *list = cJSON_AddArrayToObject(result, "objects");
    for (size_t i = 0; i < set->count; i++) {
        char file[40] = "out.stl";
        if (set->count > 1)
            snprintf(file, sizeof file, "out_%zu.stl", i + 1);
        if (put_object(list, &set->at[i], file, err))
            return -1;
    }
    return set->count > 1 ? write_joined(set, err) : 0;
}

/* For whom it was prepared, where it is our own. */
static void put_plan(cJSON *result, const cJSON *own)
{
    static const char *const names[] = {"printer", "material", "process", "profile_sha256"};
    cJSON *o = own ? cJSON_AddObjectToObject(result, "prepared_for") : NULL;
    for (size_t i = 0; o && i < sizeof names / sizeof *names; i++)
        if (json_text(own, names[i], NULL))
            cJSON_AddStringToObject(o, names[i], json_text(own, names[i], NULL));
}

int role_tostl(const struct ask *ask, cJSON **result, struct err *err)
{
    struct set set = {0};
    struct bytes *in = ask->input;
    double low[3] = {0}, high[3] = {0}, size[3];
    int failed = (!in->data && bytes_read_file(in, "in", err)) ||
                 role_set_read(&set, in, json_text(ask->options, "name", NULL), err);
    bytes_free(in);
    if (!failed) {
        *result = cJSON_CreateObject();
        /* Where no printer is named, it is the one that our 3MF was made for. */
        bool own_bed = set.own && !json_text(ask->options, "printer", NULL);
        place(&set, own_bed ? set.bed_mm : ask->profile.printer.bed_mm);
        role_set_bounds(&set, low, high);
        for (int k = 0; k < 3; k++)
            size[k] = high[k] - low[k];
        cJSON_AddItemToObject(*result, "size_mm", cJSON_CreateDoubleArray(size, 3));
        cJSON_AddNumberToObject(*result, "height_mm", size[2]);
        put_plan(*result, set.own);
        failed = write_objects(*result, &set, err);
    }
    role_set_free(&set);
    return failed ? -1 : 0;
}
