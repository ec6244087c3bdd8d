/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is settled of a plate before its 3MF is begun: that all of it can be written, which number
 * each object and palette has, and which colour an object has for its triangles that say nothing.
 */
#include <string.h>
#include <strings.h>

#include "print/export/mesh_check.h"
#include "print/export/threemf_body.h"
#include "print/export/threemf_parts.h"

#define REFUSED(err, ...) FAIL_CODE(err, ERR_INPUT, "export_refused", __VA_ARGS__)

static int check_palette(const struct export_palette *palette, const struct mesh *mesh,
                         struct err *err)
{
    unsigned highest = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        highest = palette->of_triangle[t] > highest ? palette->of_triangle[t] : highest;
    if (palette->count == 0 || palette->count > 256 || highest >= palette->count)
        return FAIL_CODE(err, ERR_INPUT, "mesh_damaged", "a triangle has colour %u of %zu", highest,
                         palette->count);
    return 0;
}

/* Slicers split some values at line ends: one with a control character is not ours. */
static int check_settings(const struct export_setting *settings, size_t count, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (count > THREEMF_SETTINGS_MAX)
        return REFUSED(err, "%zu values of one object; %d are the most", count,
                       THREEMF_SETTINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *key = settings[i].key, *value = settings[i].value;
        if (!key || !value || !*key || strlen(key) > 64 || key[strspn(key, letters)])
            return REFUSED(err, "a value's key is not of a-z, 0-9 and _, or it has no value");
        if (strlen(value) > THREEMF_VALUE)
            return REFUSED(err, "the value of %.64s is over %d bytes long", key, THREEMF_VALUE);
        bool twice = !strcmp(key, "name"); /* that one we write ourselves */
        for (size_t k = 0; k < i; k++)
            twice |= !strcmp(key, settings[k].key);
        if (twice)
            return REFUSED(err, "the value of %.64s is given twice", key);
        for (const unsigned char *c = (const unsigned char *)value; *c; c++)
            if (*c < 0x20 || *c == 0x7f)
                return REFUSED(err, "the value of %.64s has a control character", key);
    }
    return 0;
}

static bool part_name_good(const char *name)
{
    static const char *const known[] = {".config", ".json", ".png", ".xml", ".txt"};
    static const char folder[] = "Metadata/", letters[] = "abcdefghijklmnopqrstuvwxyz"
                                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t n = name ? strlen(name) : 0;
    if (n <= sizeof folder || n > THREEMF_NAME || memcmp(name, folder, sizeof folder - 1) != 0)
        return false;
    const char *rest = name + sizeof folder - 1, *dot = strrchr(rest, '.');
    if (rest[strspn(rest, letters)] || *rest == '.' || !dot)
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(dot, known[i]))
            return true;
    return false;
}

static int check_parts(const struct export_plate *plate, struct err *err)
{
    static const char *const own[] = {
        "Metadata/thumbnail.png", "Metadata/plate_1.png", "Metadata/plate_1_small.png",
        "Metadata/Slic3r_PE_model.config", "Metadata/model_settings.config"};
    if (plate->part_count > THREEMF_PARTS_MAX)
        return REFUSED(err, "%zu further parts; %d are the most", plate->part_count,
                       THREEMF_PARTS_MAX);
    for (size_t i = 0; i < plate->part_count; i++) {
        const char *name = plate->parts[i].name;
        bool taken = false;
        if (!part_name_good(name))
            return REFUSED(err, "a further part is to be called Metadata/NAME.EXTENSION");
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            taken |= !strcasecmp(name, own[k]);
        for (size_t k = 0; k < i; k++)
            taken |= !strcasecmp(name, plate->parts[k].name);
        if (taken)
            return REFUSED(err, "two parts are called %.100s", name);
    }
    return 0;
}

static bool palettes_same(const struct export_palette *a, const struct export_palette *b)
{
    return a->count == b->count && memcmp(a->rgb, b->rgb, 3 * a->count) == 0;
}

/* Objects of the same filaments share them: to a slicer they are one list. */
static void give_palette(struct threemf_plan *plan, size_t i)
{
    const struct export_object *objects = plan->plate->objects;
    size_t k = 0;
    while (k < plan->palette_count &&
           !palettes_same(objects[plan->first_with[k]].palette, objects[i].palette))
        k++;
    if (k == plan->palette_count)
        plan->first_with[plan->palette_count++] = i;
    plan->palette_of[i] = (unsigned)(plan->plate->object_count + 1 + k);
    plan->common[i] = threemf_commonest(objects[i].palette, objects[i].mesh->triangle_count);
}

static int check_object(const struct export_object *object, struct err *err)
{
    if (mesh_check_writable(object->mesh, true, err) ||
        (object->palette && check_palette(object->palette, object->mesh, err)) ||
        check_settings(object->prusa, object->prusa_count, err) ||
        check_settings(object->orca, object->orca_count, err))
        return -1;
    for (int k = 0; k < 3; k++)
        if (!(object->place_mm[k] > -1e6 && object->place_mm[k] < 1e6))
            return REFUSED(err, "an object's place on the bed is no number of millimetres");
    return 0;
}

int threemf_plan_make(struct threemf_plan *plan, const struct export_plate *plate, struct err *err)
{
    *plan = (struct threemf_plan){.plate = plate};
    if (plate->object_count == 0 || plate->object_count > THREEMF_OBJECTS_MAX)
        return REFUSED(err, "%zu objects on a plate; 1 to %d can be", plate->object_count,
                       THREEMF_OBJECTS_MAX);
    for (size_t i = 0; i < plate->object_count; i++) {
        if (check_object(&plate->objects[i], err))
            return -1;
        if (plate->objects[i].palette)
            give_palette(plan, i);
    }
    return check_parts(plate, err);
}
