/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading 3MF with lib3mf 1.8.1, as the second opinion on our own writer and as the way in for
 * customers' files. The only file that knows lib3mf. Its header is C++ whatever one defines, so the
 * few functions that are called are declared here as the shared object exports them.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/export.h"
#include "print/export/mesh_check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

typedef uint32_t result; /* 0 is good */
typedef void *handle;
struct transform {
    float m[3][4]; /* the last column moves */
};

extern result lib3mf_createmodel(handle *model);
extern result lib3mf_release(handle any);
extern result lib3mf_getlasterror(handle any, uint32_t *code, const char **text);
extern result lib3mf_model_queryreader(handle model, const char *kind, handle *reader);
extern result lib3mf_reader_setstrictmodeactive(handle reader, int strict);
extern result lib3mf_reader_readfrombuffer(handle reader, uint8_t *data, uint64_t n);
extern result lib3mf_reader_getwarningcount(handle reader, uint32_t *count);
extern result lib3mf_reader_getwarningutf8(handle reader, uint32_t i, uint32_t *code, char *text,
                                           uint32_t room, uint32_t *needed);
extern result lib3mf_model_getunit(handle model, uint32_t *unit);
extern result lib3mf_model_getbuilditems(handle model, handle *items);
extern result lib3mf_builditemiterator_movenext(handle items, int *more);
extern result lib3mf_builditemiterator_getcurrent(handle items, handle *item);
extern result lib3mf_builditem_getobjectresource(handle item, handle *object);
extern result lib3mf_builditem_getobjecttransform(handle item, struct transform *transform);
extern result lib3mf_object_gettype(handle object, uint32_t *type);
extern result lib3mf_object_ismeshobject(handle object, int *is);
extern result lib3mf_componentsobject_getcomponentcount(handle object, uint32_t *count);
extern result lib3mf_componentsobject_getcomponent(handle object, uint32_t i, handle *component);
extern result lib3mf_component_getobjectresource(handle component, handle *object);
extern result lib3mf_component_gettransform(handle component, struct transform *transform);
extern result lib3mf_meshobject_getvertexcount(handle object, uint32_t *count);
extern result lib3mf_meshobject_gettrianglecount(handle object, uint32_t *count);
extern result lib3mf_meshobject_getvertices(handle object, float *xyz, uint32_t room,
                                            uint32_t *count);
extern result lib3mf_meshobject_gettriangleindices(handle object, uint32_t *triangles,
                                                   uint32_t room, uint32_t *count);

/* What follows reads looks. Colours are four bytes, all 0 where there is none. */
extern result lib3mf_object_getnameutf8(handle object, char *name, uint32_t room, uint32_t *needed);
extern result lib3mf_object_createdefaultpropertyhandler(handle object, handle *properties);
extern result lib3mf_defaultpropertyhandler_getpropertytype(handle properties, int *type);
extern result lib3mf_defaultpropertyhandler_getbasematerial(handle properties, uint32_t *group,
                                                            uint32_t *entry);
extern result lib3mf_defaultpropertyhandler_getcolor(handle properties, uint32_t corner,
                                                     uint8_t rgba[4]);
extern result lib3mf_meshobject_createpropertyhandler(handle object, handle *properties);
extern result lib3mf_propertyhandler_getcolorarray(handle properties, uint8_t (*rgba)[3][4]);
extern result lib3mf_propertyhandler_getbasematerialarray(handle properties, uint32_t *groups,
                                                          uint32_t *entries);
extern result lib3mf_model_getbasematerialbyid(handle model, uint32_t group, handle *material);
extern result lib3mf_basematerial_getdisplaycolor(handle material, uint32_t entry, uint8_t *red,
                                                  uint8_t *green, uint8_t *blue, uint8_t *alpha);

#define PROPERTY_BASE 1
#define PROPERTY_COLOUR 2
#define TYPE_SUPPORT 2
#define DEPTH_MAX 32
#define PARTS_MAX 20000 /* components may multiply: ten levels of four are a million */

struct part {
    handle object;
    uint32_t vertex_count, triangle_count;
    double m[3][4];
};

struct reading {
    int strict;
    handle model;
    struct skin *skin; /* or NULL */
    struct part *parts;
    size_t count, room;
    size_t vertex_count, triangle_count;
    struct err *err;
};

static int rejected(struct err *err, handle of)
{
    uint32_t code = 0;
    const char *text = NULL;
    if (of)
        lib3mf_getlasterror(of, &code, &text);
    return FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "lib3mf says: %.150s (%x)",
                     text && *text ? text : "no reason given", code);
}

/* lib3mf 1.8.1 leaks 160 bytes of libzip's in each read; the leak check must not look there. */
static result read_buffer(handle reader, const uint8_t *data, size_t n)
{
#if defined(__SANITIZE_ADDRESS__)
    __lsan_disable();
#endif
    /* lib3mf takes a plain pointer but reads only. */
    result failed = lib3mf_reader_readfrombuffer(reader, (uint8_t *)(uintptr_t)data, n);
#if defined(__SANITIZE_ADDRESS__)
    __lsan_enable();
#endif
    return failed;
}

static int read_model(handle reader, const uint8_t *data, size_t n, int strict, struct err *err)
{
    uint32_t warnings = 0, code = 0, needed = 0;
    if (lib3mf_reader_setstrictmodeactive(reader, strict) || read_buffer(reader, data, n) ||
        lib3mf_reader_getwarningcount(reader, &warnings))
        return rejected(err, reader);
    if (!strict || warnings == 0)
        return 0;
    char text[160] = "";
    lib3mf_reader_getwarningutf8(reader, 0, &code, text, sizeof text, &needed);
    return FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "lib3mf warns: %.150s (%x)", text, code);
}

/* out = first * then: a point goes through then, and its result through first. */
static void compose(double out[3][4], const double first[3][4], const struct transform *then)
{
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 4; c++) {
            out[r][c] = c == 3 ? first[r][3] : 0;
            for (int k = 0; k < 3; k++)
                out[r][c] += first[r][k] * (double)then->m[k][c];
        }
}

/* Takes the object over, also on failure. */
static int add_part(struct reading *r, handle object, const double m[3][4])
{
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : 16;
        struct part *more = realloc(r->parts, room * sizeof *more);
        if (!more) {
            lib3mf_release(object);
            return FAIL(r->err, ERR_LIMIT, "no memory for %zu parts", room);
        }
        r->parts = more;
        r->room = room;
    }
    struct part *part = &r->parts[r->count++];
    *part = (struct part){.object = object};
    memcpy(part->m, m, sizeof part->m);
    if (lib3mf_meshobject_getvertexcount(object, &part->vertex_count) ||
        lib3mf_meshobject_gettrianglecount(object, &part->triangle_count))
        return rejected(r->err, object);
    r->vertex_count += part->vertex_count;
    r->triangle_count += part->triangle_count;
    if (r->count > PARTS_MAX || r->triangle_count > MESH_MAX_TRIANGLES)
        return FAIL_CODE(r->err, ERR_LIMIT, "mesh_too_large",
                         "over %d parts or %zu triangles in the 3MF", PARTS_MAX,
                         MESH_MAX_TRIANGLES);
    return 0;
}

static int add_object(struct reading *r, handle object, const double m[3][4], int depth);

static int add_component(struct reading *r, handle component, const double m[3][4], int depth)
{
    struct transform own;
    handle object = NULL;
    double all[3][4];
    if (lib3mf_component_gettransform(component, &own) ||
        lib3mf_component_getobjectresource(component, &object))
        return rejected(r->err, component);
    compose(all, m, &own);
    return add_object(r, object, all, depth + 1);
}

static int add_components(struct reading *r, handle object, const double m[3][4], int depth)
{
    uint32_t count = 0;
    int failed =
        lib3mf_componentsobject_getcomponentcount(object, &count) ? rejected(r->err, object) : 0;
    if (!failed && depth >= DEPTH_MAX)
        failed = FAIL_CODE(r->err, ERR_LIMIT, "mesh_too_large", "components over %d levels deep",
                           DEPTH_MAX);
    for (uint32_t i = 0; i < count && !failed; i++) {
        handle component = NULL;
        failed = lib3mf_componentsobject_getcomponent(object, i, &component)
                     ? rejected(r->err, object)
                     : add_component(r, component, m, depth);
        if (component)
            lib3mf_release(component);
    }
    return failed;
}

/* Takes the object over. Only leaves that are meshes become parts. */
static int add_object(struct reading *r, handle object, const double m[3][4], int depth)
{
    uint32_t type = 0;
    int is_mesh = 0, failed = 0;
    if (lib3mf_object_gettype(object, &type) || lib3mf_object_ismeshobject(object, &is_mesh))
        failed = rejected(r->err, object);
    else if (type != TYPE_SUPPORT && is_mesh)
        return add_part(r, object, m);
    else if (type != TYPE_SUPPORT)
        failed = add_components(r, object, m, depth);
    lib3mf_release(object);
    return failed;
}

static int add_item(struct reading *r, handle item, double unit_mm)
{
    const double base[3][4] = {{unit_mm, 0, 0, 0}, {0, unit_mm, 0, 0}, {0, 0, unit_mm, 0}};
    struct transform own;
    handle object = NULL;
    double m[3][4];
    if (lib3mf_builditem_getobjecttransform(item, &own) ||
        lib3mf_builditem_getobjectresource(item, &object))
        return rejected(r->err, item);
    compose(m, base, &own);
    return add_object(r, object, r->strict ? base : (const double(*)[4])m, 0);
}

static int add_items(struct reading *r, handle model, double unit_mm)
{
    handle items = NULL;
    int more = 0, failed = 0;
    if (lib3mf_model_getbuilditems(model, &items))
        return rejected(r->err, model);
    while (!failed && !(failed = lib3mf_builditemiterator_movenext(items, &more) != 0) && more) {
        handle item = NULL;
        failed = lib3mf_builditemiterator_getcurrent(items, &item) ? rejected(r->err, items)
                                                                   : add_item(r, item, unit_mm);
        if (item)
            lib3mf_release(item);
    }
    lib3mf_release(items);
    return failed ? -1 : 0;
}

static double determinant(const double m[3][4])
{
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
           m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

static int is_identity(const double m[3][4])
{
    static const double identity[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};
    for (int i = 0; i < 12; i++)
        if (m[i / 4][i % 4] != identity[i / 4][i % 4])
            return 0;
    return 1;
}

static void place_vertices(float *xyz, size_t count, const double m[3][4])
{
    if (is_identity(m))
        return; /* bit for bit as in the file */
    for (float *p = xyz; p < xyz + 3 * count; p += 3) {
        double x = p[0], y = p[1], z = p[2];
        for (int i = 0; i < 3; i++)
            p[i] = (float)(m[i][0] * x + m[i][1] * y + m[i][2] * z + m[i][3]);
    }
}

/* A mirroring transform turns the outside in: the winding is turned back. */
static void place_triangles(uint32_t *triangles, size_t count, uint32_t first, int mirrored)
{
    for (uint32_t *t = triangles; t < triangles + 3 * count; t += 3) {
        uint32_t second = t[mirrored ? 2 : 1], third = t[mirrored ? 1 : 2];
        t[0] += first;
        t[1] = second + first;
        t[2] = third + first;
    }
}

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
        if (type == PROPERTY_COLOUR)
            found = !lib3mf_defaultpropertyhandler_getcolor(properties, 0, rgba);
        else if (type == PROPERTY_BASE)
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

static int part_colours(struct reading *r, const struct part *part, size_t first, bool *any)
{
    handle properties = NULL;
    struct base base = {.model = r->model};
    /* lib3mf fills in only what has that kind of property */
    struct looks looks = {calloc(part->triangle_count + 1, sizeof *looks.rgba),
                          calloc(part->triangle_count + 1, sizeof *looks.groups),
                          calloc(part->triangle_count + 1, sizeof *looks.entries),
                          false,
                          {0}};
    int failed = looks.rgba && looks.groups && looks.entries
                     ? 0
                     : FAIL(r->err, ERR_LIMIT, "no memory for %u colours", part->triangle_count);
    if (!failed && !lib3mf_meshobject_createpropertyhandler(part->object, &properties) &&
        !lib3mf_propertyhandler_getcolorarray(properties, looks.rgba) &&
        !lib3mf_propertyhandler_getbasematerialarray(properties, looks.groups, looks.entries)) {
        looks.has_default = default_colour(looks.standard, &base, part->object);
        for (size_t t = 0; t < part->triangle_count; t++)
            triangle_colour(r->skin->corner_rgb + 3 * (first + t), &looks, &base, t,
                            determinant(part->m) < 0, any);
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

/* Colours and parts' names. Textures of the materials extension are not read. */
static int read_looks(struct reading *r)
{
    struct skin *skin = r->skin;
    size_t first = 0;
    bool any = false;
    skin->corner_rgb = malloc(r->triangle_count * 9 + 9);
    skin->parts = calloc(r->count + 1, sizeof *skin->parts);
    if (!skin->corner_rgb || !skin->parts)
        return FAIL(r->err, ERR_LIMIT, "no memory for the surface's looks");
    memset(skin->corner_rgb, 0xff, r->triangle_count * 9);
    skin->corner_room = r->triangle_count;
    skin->part_room = r->count + 1;
    for (size_t i = 0; i < r->count; i++) {
        struct skin_part *part = &skin->parts[skin->part_count++];
        uint32_t needed = 0;
        if (part_colours(r, &r->parts[i], first, &any))
            return -1;
        *part = (struct skin_part){.first = first, .count = r->parts[i].triangle_count};
        if (lib3mf_object_getnameutf8(r->parts[i].object, part->name, sizeof part->name, &needed))
            *part->name = 0;
        first += part->count;
    }
    if (!any) {
        free(skin->corner_rgb);
        skin->corner_rgb = NULL;
        skin->corner_room = 0;
    }
    return 0;
}

static int fill(struct mesh *mesh, struct reading *r)
{
    size_t vertices = 0, triangles = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct part *part = &r->parts[i];
        float *xyz = mesh->xyz + 3 * vertices;
        uint32_t *corners = mesh->triangles + 3 * triangles, count;
        if (lib3mf_meshobject_getvertices(part->object, xyz, part->vertex_count, &count) ||
            lib3mf_meshobject_gettriangleindices(part->object, corners, part->triangle_count,
                                                 &count))
            return rejected(r->err, part->object);
        place_vertices(xyz, part->vertex_count, part->m);
        place_triangles(corners, part->triangle_count, (uint32_t)vertices,
                        determinant(part->m) < 0);
        vertices += part->vertex_count;
        triangles += part->triangle_count;
    }
    if (mesh_check_writable(mesh, false, r->err))
        return -1;
    return r->skin ? read_looks(r) : 0;
}

static int gather(struct mesh *out, handle model, struct reading *r)
{
    static const double units_mm[] = {0.001, 1, 10, 25.4, 304.8, 1000};
    uint32_t unit = 1;
    if (lib3mf_model_getunit(model, &unit) || unit > 5)
        return rejected(r->err, model);
    if (add_items(r, model, units_mm[unit]))
        return -1;
    if (r->triangle_count == 0)
        return FAIL_CODE(r->err, ERR_INPUT, "threemf_rejected", "the 3MF builds nothing");
    if (mesh_alloc(out, r->vertex_count, r->triangle_count, r->err))
        return -1;
    int failed = fill(out, r);
    if (failed)
        mesh_free(out);
    return failed;
}

static int read_any(struct mesh *out, struct skin *skin, const uint8_t *data, size_t n, bool strict,
                    struct err *err)
{
    struct reading r = {.strict = strict, .skin = skin, .err = err};
    handle model = NULL, reader = NULL;
    int failed = -1;
    if (n == 0)
        return FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "the 3MF is empty");
    if (lib3mf_createmodel(&model) || lib3mf_model_queryreader(model, "3mf", &reader)) {
        FAIL(err, ERR_LIMIT, "lib3mf has no memory for a model");
        goto out;
    }
    r.model = model;
    failed = read_model(reader, data, n, r.strict, err) || gather(out, model, &r) ? -1 : 0;
out:
    for (size_t i = 0; i < r.count; i++)
        lib3mf_release(r.parts[i].object);
    free(r.parts);
    if (reader)
        lib3mf_release(reader);
    if (model)
        lib3mf_release(model);
    return failed;
}

int threemf_read_strict(struct mesh *out, const uint8_t *data, size_t n, int no_warnings,
                        struct err *err)
{
    return read_any(out, NULL, data, n, no_warnings != 0, err);
}

int threemf_read_skin(struct mesh *out, struct skin *skin, const uint8_t *data, size_t n,
                      struct err *err)
{
    return read_any(out, skin, data, n, false, err);
}
