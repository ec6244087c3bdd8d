/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading anybody's 3MF with lib3mf 1.8.1 into one mesh: the way in for customers' files.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/export.h"
#include "print/export/mesh_check.h"
#include "print/export/threemf_lib.h"

#define DEPTH_MAX 32
#define PARTS_MAX 20000 /* components may multiply: ten levels of four are a million */

struct part {
    handle object;
    uint32_t vertex_count, triangle_count;
    double m[3][4];
};

struct reading {
    handle model;
    struct skin *skin; /* or NULL */
    struct part *parts;
    size_t count, room;
    size_t vertex_count, triangle_count;
    struct err *err;
};

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
        return threemf_lib_rejected(r->err, object);
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
        return threemf_lib_rejected(r->err, component);
    compose(all, m, &own);
    return add_object(r, object, all, depth + 1);
}

static int add_components(struct reading *r, handle object, const double m[3][4], int depth)
{
    uint32_t count = 0;
    int failed = lib3mf_componentsobject_getcomponentcount(object, &count)
                     ? threemf_lib_rejected(r->err, object)
                     : 0;
    if (!failed && depth >= DEPTH_MAX)
        failed = FAIL_CODE(r->err, ERR_LIMIT, "mesh_too_large", "components over %d levels deep",
                           DEPTH_MAX);
    for (uint32_t i = 0; i < count && !failed; i++) {
        handle component = NULL;
        failed = lib3mf_componentsobject_getcomponent(object, i, &component)
                     ? threemf_lib_rejected(r->err, object)
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
        failed = threemf_lib_rejected(r->err, object);
    else if (type != LIB3MF_SUPPORT && is_mesh)
        return add_part(r, object, m);
    else if (type != LIB3MF_SUPPORT)
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
        return threemf_lib_rejected(r->err, item);
    compose(m, base, &own);
    return add_object(r, object, m, 0);
}

static int add_items(struct reading *r, handle model, double unit_mm)
{
    handle items = NULL;
    int more = 0, failed = 0;
    if (lib3mf_model_getbuilditems(model, &items))
        return threemf_lib_rejected(r->err, model);
    while (!failed && !(failed = lib3mf_builditemiterator_movenext(items, &more) != 0) && more) {
        handle item = NULL;
        failed = lib3mf_builditemiterator_getcurrent(items, &item)
                     ? threemf_lib_rejected(r->err, items)
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
        if (threemf_lib_colours(skin->corner_rgb + 3 * first, &any, r->model, r->parts[i].object,
                                r->parts[i].triangle_count, determinant(r->parts[i].m) < 0, r->err))
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
            return threemf_lib_rejected(r->err, part->object);
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

static int gather(struct mesh *out, const struct threemf_lib *lib, struct reading *r)
{
    if (add_items(r, lib->model, lib->unit_mm))
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

int threemf_read_skin(struct mesh *out, struct skin *skin, const uint8_t *data, size_t n,
                      struct err *err)
{
    struct reading r = {.skin = skin, .err = err};
    struct threemf_lib lib = {0};
    int failed = threemf_lib_open(&lib, data, n, false, err);
    r.model = lib.model;
    failed = failed || gather(out, &lib, &r) ? -1 : 0;
    for (size_t i = 0; i < r.count; i++)
        lib3mf_release(r.parts[i].object);
    free(r.parts);
    threemf_lib_close(&lib);
    return failed;
}
