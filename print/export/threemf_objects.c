/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our own 3MF as lib3mf's strict mode finds it: each build item for itself, so that whoever wrote a
 * plate can hold every object of it against what it had.
 */
#include <stdlib.h>
#include <string.h>

#include "print/export/export.h"
#include "print/export/mesh_check.h"
#include "print/export/threemf_lib.h"

static int read_mesh(struct mesh *mesh, handle object, struct err *err)
{
    uint32_t vertices = 0, triangles = 0, count = 0;
    if (lib3mf_meshobject_getvertexcount(object, &vertices) ||
        lib3mf_meshobject_gettrianglecount(object, &triangles))
        return threemf_lib_rejected(err, object);
    if (triangles > MESH_MAX_TRIANGLES)
        return FAIL_CODE(err, ERR_LIMIT, "mesh_too_large", "over %zu triangles in the 3MF",
                         MESH_MAX_TRIANGLES);
    if (mesh_alloc(mesh, vertices, triangles, err))
        return -1;
    if (lib3mf_meshobject_getvertices(object, mesh->xyz, vertices, &count) ||
        lib3mf_meshobject_gettriangleindices(object, mesh->triangles, triangles, &count))
        return threemf_lib_rejected(err, object);
    return mesh_check_writable(mesh, true, err);
}

static int read_colours(struct threemf_object *to, handle model, handle object, struct err *err)
{
    const size_t count = to->mesh.triangle_count;
    uint8_t(*corners)[3] = malloc(9 * count);
    bool any = false;
    if (!corners)
        return FAIL(err, ERR_LIMIT, "no memory for %zu colours", count);
    memset(corners, 0xff, 9 * count);
    int failed = threemf_lib_colours(corners, &any, model, object, count, false, err);
    for (size_t t = 0; t < count && any; t++)
        memmove(corners[t], corners[3 * t], 3);
    if (!failed && any)
        to->rgb = corners;
    else
        free(corners);
    return failed;
}

static int read_item(struct threemf_object *to, const struct threemf_lib *lib, handle item,
                     struct err *err)
{
    struct transform own;
    handle object = NULL;
    int is_mesh = 0, failed = 0;
    uint32_t needed;
    if (lib3mf_builditem_getobjecttransform(item, &own) ||
        lib3mf_builditem_getpartnumberutf8(item, to->item_id, sizeof to->item_id, &needed) ||
        lib3mf_builditem_getobjectresource(item, &object))
        return threemf_lib_rejected(err, item);
    for (int i = 0; i < 12; i++)
        to->transform[i / 4][i % 4] = (double)own.m[i / 4][i % 4];
    if (lib3mf_object_ismeshobject(object, &is_mesh) ||
        lib3mf_object_getnameutf8(object, to->name, sizeof to->name, &needed) ||
        lib3mf_object_getpartnumberutf8(object, to->part_code, sizeof to->part_code, &needed))
        failed = threemf_lib_rejected(err, object);
    else if (!is_mesh || lib->unit_mm != 1)
        failed = FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "an item is no mesh in millimetres");
    failed =
        failed || read_mesh(&to->mesh, object, err) || read_colours(to, lib->model, object, err);
    lib3mf_release(object);
    return failed ? -1 : 0;
}

static int add_item(struct threemf_objects *out, const struct threemf_lib *lib, handle item,
                    struct err *err)
{
    struct threemf_object *more = realloc(out->at, (out->count + 1) * sizeof *more);
    if (!more || out->count == THREEMF_OBJECTS_MAX) {
        out->at = more ? more : out->at;
        return FAIL(err, ERR_LIMIT, "no memory for %zu objects", out->count + 1);
    }
    out->at = more;
    more[out->count] = (struct threemf_object){0};
    return read_item(&more[out->count++], lib, item, err);
}

static int read_items(struct threemf_objects *out, const struct threemf_lib *lib, struct err *err)
{
    handle items = NULL;
    int more = 0, failed = 0;
    if (lib3mf_model_getbuilditems(lib->model, &items))
        return threemf_lib_rejected(err, lib->model);
    while (!failed) {
        handle item = NULL;
        if (lib3mf_builditemiterator_movenext(items, &more) ||
            (more && lib3mf_builditemiterator_getcurrent(items, &item)))
            failed = threemf_lib_rejected(err, items);
        if (failed || !more)
            break;
        failed = add_item(out, lib, item, err);
        lib3mf_release(item);
    }
    lib3mf_release(items);
    if (!failed && out->count == 0)
        return FAIL_CODE(err, ERR_INPUT, "threemf_rejected", "the 3MF builds nothing");
    return failed;
}

int threemf_read_objects(struct threemf_objects *out, const uint8_t *data, size_t n,
                         struct err *err)
{
    struct threemf_lib lib = {0};
    *out = (struct threemf_objects){0};
    int failed = threemf_lib_open(&lib, data, n, true, err) || read_items(out, &lib, err);
    threemf_lib_close(&lib);
    return failed ? -1 : 0;
}

void threemf_objects_free(struct threemf_objects *objects)
{
    for (size_t i = 0; objects && i < objects->count; i++) {
        mesh_free(&objects->at[i].mesh);
        free(objects->at[i].rgb);
    }
    if (objects) {
        free(objects->at);
        *objects = (struct threemf_objects){0};
    }
}
