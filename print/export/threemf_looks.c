/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which colours lib3mf finds on an object's triangles. */
#include <stdlib.h>
#include <string.h>

#include "print/export/threemf_lib.h"

/* The display colours of base materials; the group that was asked for last stays open. */
struct base {
    handle model, group;
    uint32_t number;
};

static bool base_colour(uint8_t rgba[4], struct base *base, uint32_t number, uint32_t entry)
{
    if (number == 0)
        return false;
    if (number != base->number) {
        if (base->group)
            lib3mf_release(base->group);
        base->group = NULL;
        base->number = number;
        if (lib3mf_model_getbasematerialbyid(base->model, number, &base->group))
            base->group = NULL;
    }
    return base->group && !lib3mf_basematerial_getdisplaycolor(base->group, entry, rgba, rgba + 1,
                                                               rgba + 2, rgba + 3);
}

/* What the object gives to triangles that say nothing. */
static bool default_colour(uint8_t rgba[4], struct base *base, handle object)
{
    handle properties = NULL;
    int type = 0;
    uint32_t group = 0, entry = 0;
    bool found = false;
    if (lib3mf_object_createdefaultpropertyhandler(object, &properties))
        return false;
    if (!lib3mf_defaultpropertyhandler_getpropertytype(properties, &type)) {
        if (type == LIB3MF_COLOUR)
            found = !lib3mf_defaultpropertyhandler_getcolor(properties, 0, rgba);
        else if (type == LIB3MF_BASE)
            found = !lib3mf_defaultpropertyhandler_getbasematerial(properties, &group, &entry) &&
                    base_colour(rgba, base, group, entry);
    }
    lib3mf_release(properties);
    return found;
}

/* All triangles of an object, as lib3mf hands them out. */
struct looks {
    uint8_t (*rgba)[3][4];
    uint32_t *groups, *entries;
    bool has_default;
    uint8_t standard[4];
};

static void triangle_colour(uint8_t (*to)[3], const struct looks *looks, struct base *base,
                            size_t t, bool mirrored, bool *any)
{
    static const uint8_t none[4];
    uint8_t own[4];
    const uint8_t *all = NULL;
    bool coloured = false;
    for (int c = 0; c < 3; c++)
        coloured |= memcmp(looks->rgba[t][c], none, 4) != 0;
    if (!coloured && base_colour(own, base, looks->groups[t], looks->entries[t]))
        all = own;
    else if (!coloured && looks->has_default)
        all = looks->standard;
    *any |= coloured || all;
    for (int c = 0; c < 3; c++)
        if (coloured || all)
            memcpy(to[mirrored && c ? 3 - c : c], all ? all : looks->rgba[t][c], 3);
}

int threemf_lib_colours(uint8_t (*corner_rgb)[3], bool *any, handle model, handle object,
                        size_t triangle_count, bool mirrored, struct err *err)
{
    handle properties = NULL;
    struct base base = {.model = model};
    /* lib3mf fills in only what has that kind of property */
    struct looks looks = {calloc(triangle_count + 1, sizeof *looks.rgba),
                          calloc(triangle_count + 1, sizeof *looks.groups),
                          calloc(triangle_count + 1, sizeof *looks.entries),
                          false,
                          {0}};
    int failed = looks.rgba && looks.groups && looks.entries
                     ? 0
                     : FAIL(err, ERR_LIMIT, "no memory for %zu colours", triangle_count);
    if (!failed && !lib3mf_meshobject_createpropertyhandler(object, &properties) &&
        !lib3mf_propertyhandler_getcolorarray(properties, looks.rgba) &&
        !lib3mf_propertyhandler_getbasematerialarray(properties, looks.groups, looks.entries)) {
        looks.has_default = default_colour(looks.standard, &base, object);
        for (size_t t = 0; t < triangle_count; t++)
            triangle_colour(corner_rgb + 3 * t, &looks, &base, t, mirrored, any);
    }
    if (properties)
        lib3mf_release(properties);
    if (base.group)
        lib3mf_release(base.group);
    free(looks.rgba);
    free(looks.groups);
    free(looks.entries);
    return failed;
}
