/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The preview GLB: welded, simplified, quantised, ordered for its codec, packed. See glb_write.h.
 */
#include "print/export/glb_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/colour/skin.h"
#include "print/export/mesh_check.h"
#include "print/measure/vec.h"
#include "print/meshopt.h"
#include "print/repair/weld.h"

#define STEPS 16383  /* 14 bits: 6 micrometres of 100 mm, and the codec packs them well */
#define COARSE 0.02f /* how far the simplifier may stray, of the size, before it turns sloppy */

struct point {
    uint16_t at[4]; /* the fourth number fills up to eight bytes, as the codec wants */
};

struct glb {
    const struct mesh *mesh;
    const uint8_t (*rgb)[3];
    struct mesh shape; /* welded and simplified */
    float (*light)[3]; /* of each vertex of the shape; NULL without colours */
    struct point *points, *colours;
    uint32_t *triangles;
    size_t point_count, corner_count;
    double low[3], size; /* of the whole, mm */
    struct bytes binary;
    size_t view_bytes[3]; /* packed: points, colours, triangles */
};

static void glb_free(struct glb *g)
{
    mesh_free(&g->shape);
    free(g->light);
    free(g->points);
    free(g->colours);
    free(g->triangles);
    bytes_free(&g->binary);
}

/* Vertices' colours: the mean of the triangles around, by area, in linear light. The copy's
 * triangles are still those of the mesh, in its order. */
static int average_colours(struct glb *g, struct err *err)
{
    const struct mesh *shape = &g->shape;
    double(*sum)[4] = calloc(shape->vertex_count + 1, sizeof *sum);
    g->light = calloc(shape->vertex_count + 1, sizeof *g->light);
    if (!sum || !g->light) {
        free(sum);
        return FAIL(err, ERR_LIMIT, "no memory for colours");
    }
    for (size_t t = 0; t < shape->triangle_count; t++) {
        double area = vec_length(mesh_normal2(shape, t)) + 1e-30;
        for (int c = 0; c < 3; c++) {
            double *to = sum[shape->triangles[3 * t + (size_t)c]];
            for (int k = 0; k < 3; k++)
                to[k] += area * (double)skin_to_light(g->rgb[t][k]);
            to[3] += area;
        }
    }
    for (size_t v = 0; v < shape->vertex_count; v++)
        for (int k = 0; k < 3; k++)
            g->light[v][k] = sum[v][3] > 0 ? (float)(sum[v][k] / sum[v][3]) : 1;
    free(sum);
    return 0;
}

static int simplify(struct glb *g, size_t max_triangles, struct err *err)
{
    struct mesh *shape = &g->shape;
    uint32_t *fewer = malloc(shape->triangle_count * 3 * sizeof *fewer);
    size_t corners = 3 * shape->triangle_count, target = 3 * max_triangles;
    if (!fewer)
        return FAIL(err, ERR_LIMIT, "no memory to simplify %zu triangles", shape->triangle_count);
    size_t left = meshopt_simplify(fewer, shape->triangles, corners, shape->xyz,
                                   shape->vertex_count, 12, target, COARSE, 0, NULL);
    if (left > target + target / 8) {
        size_t sloppy = meshopt_simplifySloppy(fewer, shape->triangles, corners, shape->xyz,
                                               shape->vertex_count, 12, target, 1.0f, NULL);
        if (sloppy > 0)
            left = sloppy;
        else
            left = meshopt_simplify(fewer, shape->triangles, corners, shape->xyz,
                                    shape->vertex_count, 12, target, COARSE, 0, NULL);
    }
    free(shape->triangles);
    shape->triangles = fewer;
    shape->triangle_count = left / 3;
    return 0;
}

static void find_box(struct glb *g)
{
    double high[3];
    const struct mesh *m = &g->shape;
    for (int k = 0; k < 3; k++)
        g->low[k] = INFINITY, high[k] = -INFINITY;
    for (size_t i = 0; i < 3 * m->vertex_count; i++) {
        double x = m->xyz[i];
        g->low[i % 3] = x < g->low[i % 3] ? x : g->low[i % 3];
        high[i % 3] = x > high[i % 3] ? x : high[i % 3];
    }
    g->size = 1e-9;
    for (int k = 0; k < 3; k++)
        g->size = high[k] - g->low[k] > g->size ? high[k] - g->low[k] : g->size;
}

/* One vertex for each corner: what is equal after rounding becomes one again below. */
static int round_corners(struct glb *g, struct err *err)
{
    const struct mesh *m = &g->shape;
    const size_t n = 3 * m->triangle_count;
    g->points = calloc(n + 1, sizeof *g->points);
    g->triangles = malloc((n + 1) * sizeof *g->triangles);
    g->colours = g->rgb ? calloc(n + 1, sizeof *g->colours) : NULL;
    if (!g->points || !g->triangles || (g->rgb && !g->colours))
        return FAIL(err, ERR_LIMIT, "no memory for a preview of %zu triangles", m->triangle_count);
    for (size_t i = 0; i < n; i++) {
        const float *p = m->xyz + 3 * (size_t)m->triangles[i];
        for (int k = 0; k < 3; k++)
            g->points[i].at[k] = (uint16_t)((p[k] - g->low[k]) / g->size * STEPS + 0.5);
        for (int k = 0; k < 3 && g->rgb; k++) {
            float light = g->light ? g->light[m->triangles[i]][k] : skin_to_light(g->rgb[i / 3][k]);
            g->colours[i].at[k] = (uint16_t)(light * 65535 + 0.5f);
        }
    }
    g->corner_count = n;
    return 0;
}

/* Equal corners become one point; triangles that lost their area go. */
static int join_corners(struct glb *g, struct err *err)
{
    uint32_t *map = malloc((g->corner_count + 1) * sizeof *map);
    if (!map)
        return FAIL(err, ERR_LIMIT, "no memory for a preview");
    struct meshopt_Stream streams[2] = {{g->points, sizeof *g->points, sizeof *g->points},
                                        {g->colours, sizeof *g->colours, sizeof *g->colours}};
    size_t n = g->corner_count, kept = 0;
    g->point_count = meshopt_generateVertexRemapMulti(map, NULL, n, n, streams, g->colours ? 2 : 1);
    for (size_t i = 0; i + 2 < n; i += 3) {
        const uint32_t a = map[i], b = map[i + 1], c = map[i + 2];
        if (a == b || b == c || c == a)
            continue;
        memcpy(g->triangles + kept, (uint32_t[3]){a, b, c}, 3 * sizeof *map);
        kept += 3;
    }
    meshopt_remapVertexBuffer(g->points, g->points, n, sizeof *g->points, map);
    if (g->colours)
        meshopt_remapVertexBuffer(g->colours, g->colours, n, sizeof *g->colours, map);
    g->corner_count = kept;
    free(map);
    return kept ? 0 : FAIL_CODE(err, ERR_INPUT, "mesh_empty", "nothing of the mesh is visible");
}

/* The order in which the codecs pack best, and graphics cards draw fast. */
static int order(struct glb *g, struct err *err)
{
    uint32_t *map = malloc((g->point_count + 1) * sizeof *map);
    if (!map)
        return FAIL(err, ERR_LIMIT, "no memory for a preview");
    meshopt_optimizeVertexCacheStrip(g->triangles, g->triangles, g->corner_count, g->point_count);
    size_t used =
        meshopt_optimizeVertexFetchRemap(map, g->triangles, g->corner_count, g->point_count);
    meshopt_remapIndexBuffer(g->triangles, g->triangles, g->corner_count, map);
    meshopt_remapVertexBuffer(g->points, g->points, g->point_count, sizeof *g->points, map);
    if (g->colours)
        meshopt_remapVertexBuffer(g->colours, g->colours, g->point_count, sizeof *g->colours, map);
    g->point_count = used;
    free(map);
    return 0;
}

/* Appends a packed view, filled up to four bytes. */
static int put_view(struct glb *g, int view, uint8_t *packed, size_t bytes, struct err *err)
{
    static const uint8_t nothing[4];
    int failed = bytes ? bytes_append(&g->binary, packed, bytes, err) ||
                             bytes_append(&g->binary, nothing, (4 - bytes % 4) % 4, err)
                       : FAIL(err, ERR_BUG, "meshoptimizer packed nothing");
    g->view_bytes[view] = bytes;
    free(packed);
    return failed ? -1 : 0;
}

static int pack_points(struct glb *g, int view, const struct point *points, struct err *err)
{
    size_t room = meshopt_encodeVertexBufferBound(g->point_count, sizeof *points);
    uint8_t *packed = malloc(room);
    if (!packed)
        return FAIL(err, ERR_LIMIT, "no memory for a preview");
    return put_view(
        g, view, packed,
        meshopt_encodeVertexBuffer(packed, room, points, g->point_count, sizeof *points), err);
}

static int pack_triangles(struct glb *g, struct err *err)
{
    meshopt_encodeIndexVersion(1); /* the one that the glTF extension knows */
    size_t room = meshopt_encodeIndexBufferBound(g->corner_count, g->point_count);
    uint8_t *packed = malloc(room);
    if (!packed)
        return FAIL(err, ERR_LIMIT, "no memory for a preview");
    return put_view(g, 2, packed,
                    meshopt_encodeIndexBuffer(packed, room, g->triangles, g->corner_count), err);
}

static int put_view_json(struct bytes *json, const struct glb *g, int view, size_t *at, size_t *to,
                         struct err *err)
{
    bool indices = view == 2;
    size_t count = indices ? g->corner_count : g->point_count, stride = indices ? 4 : 8;
    char strided[24] = "";
    if (!indices)
        snprintf(strided, sizeof strided, "\"byteStride\":%zu,", stride);
    int failed = bytes_printf(
        json, err,
        "%s{\"buffer\":1,\"byteOffset\":%zu,\"byteLength\":%zu,%s\"target\":%d,\"extensions\":{"
        "\"EXT_meshopt_compression\":{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%zu,"
        "\"byteStride\":%zu,\"mode\":\"%s\",\"count\":%zu}}}",
        view ? "," : "", *to, count * stride, strided, indices ? 34963 : 34962, *at,
        g->view_bytes[view], stride, indices ? "TRIANGLES" : "ATTRIBUTES", count);
    *at += (g->view_bytes[view] + 3) & ~(size_t)3;
    *to += count * stride;
    return failed;
}

static int put_views(struct bytes *json, const struct glb *g, struct err *err)
{
    size_t at = 0, to = 0;
    if (bytes_printf(json, err, "\"bufferViews\":["))
        return -1;
    for (int view = 0; view < 3; view++)
        if ((view != 1 || g->colours) && put_view_json(json, g, view, &at, &to, err))
            return -1;
    return bytes_printf(json, err,
                        "],\"buffers\":[{\"byteLength\":%zu},{\"byteLength\":%zu,\"extensions\":{"
                        "\"EXT_meshopt_compression\":{\"fallback\":true}}}]}",
                        g->binary.len, to);
}

static int put_accessors(struct bytes *json, const struct glb *g, struct err *err)
{
    unsigned low[3] = {UINT16_MAX, UINT16_MAX, UINT16_MAX}, high[3] = {0};
    for (size_t i = 0; i < g->point_count; i++)
        for (int k = 0; k < 3; k++) {
            unsigned x = g->points[i].at[k];
            low[k] = x < low[k] ? x : low[k];
            high[k] = x > high[k] ? x : high[k];
        }
    if (bytes_printf(json, err,
                     "\"accessors\":[{\"bufferView\":0,\"componentType\":5123,\"count\":%zu,"
                     "\"type\":\"VEC3\",\"min\":[%u,%u,%u],\"max\":[%u,%u,%u]}",
                     g->point_count, low[0], low[1], low[2], high[0], high[1], high[2]) ||
        (g->colours && bytes_printf(json, err,
                                    ",{\"bufferView\":1,\"componentType\":5123,\"normalized\":true,"
                                    "\"count\":%zu,\"type\":\"VEC3\"}",
                                    g->point_count)))
        return -1;
    return bytes_printf(json, err,
                        ",{\"bufferView\":%d,\"componentType\":5125,\"count\":%zu,\"type\":"
                        "\"SCALAR\"}],",
                        g->colours ? 2 : 1, g->corner_count);
}

/* Millimetres with Z up to metres with Y up: a quarter turn back around X. */
static int put_json(struct bytes *json, const struct glb *g, struct err *err)
{
    static const double quarter = 0.70710678118654757;
    double grey = g->colours ? 1 : 0.6;
    if (bytes_printf(json, err,
                     "{\"asset\":{\"version\":\"2.0\",\"generator\":\"Statuette\"},"
                     "\"extensionsUsed\":[\"KHR_mesh_quantization\",\"EXT_meshopt_compression\"],"
                     "\"extensionsRequired\":[\"KHR_mesh_quantization\","
                     "\"EXT_meshopt_compression\"],\"scene\":0,\"scenes\":[{\"nodes\":[0]}],"
                     "\"nodes\":[{\"mesh\":0,\"translation\":[%.9g,%.9g,%.9g],\"rotation\":[%.17g,"
                     "0,0,%.17g],\"scale\":[%.12g,%.12g,%.12g]}],",
                     g->low[0] / 1000, g->low[2] / 1000, -g->low[1] / 1000, -quarter, quarter,
                     g->size / STEPS / 1000, g->size / STEPS / 1000, g->size / STEPS / 1000) ||
        bytes_printf(json, err,
                     "\"materials\":[{\"pbrMetallicRoughness\":{\"baseColorFactor\":[%g,%g,%g,1],"
                     "\"metallicFactor\":0,\"roughnessFactor\":0.8}}],\"meshes\":[{\"primitives\":["
                     "{\"attributes\":{\"POSITION\":0%s},\"indices\":%d,\"material\":0}]}],",
                     grey, grey, grey, g->colours ? ",\"COLOR_0\":1" : "", g->colours ? 2 : 1))
        return -1;
    return put_accessors(json, g, err) || put_views(json, g, err) ? -1 : 0;
}

static int put_file(struct bytes *out, const struct glb *g, struct err *err)
{
    struct bytes json = {0};
    int failed = put_json(&json, g, err);
    while (!failed && json.len % 4)
        failed = bytes_append(&json, " ", 1, err);
    if (!failed) {
        uint32_t n = (uint32_t)json.len, m = (uint32_t)g->binary.len;
        const uint32_t head[5] = {0x46546c67, 2, 28 + n + m, n, 0x4e4f534a};
        const uint32_t chunk[2] = {m, 0x004e4942};
        size_t start = out->len;
        failed = bytes_append(out, head, sizeof head, err) ||
                 bytes_append(out, json.data, n, err) ||
                 bytes_append(out, chunk, sizeof chunk, err) ||
                 bytes_append(out, g->binary.data, m, err);
        if (failed && out->data) {
            out->len = start;
            out->data[start] = 0;
        }
    }
    bytes_free(&json);
    return failed ? -1 : 0;
}

/* Whether there are more than 256 different colours, which then are no palette but shades. */
static bool is_shaded(const uint8_t (*rgb)[3], size_t count)
{
    uint8_t seen[256][3];
    size_t known = 0, last = 0;
    for (size_t t = 0; t < count; t++) {
        if (known && memcmp(seen[last], rgb[t], 3) == 0)
            continue;
        for (last = 0; last < known && memcmp(seen[last], rgb[t], 3) != 0; last++)
            ;
        if (last < known)
            continue;
        if (known == 256)
            return true;
        memcpy(seen[known++], rgb[t], 3);
    }
    return false;
}

/* The shape to show. Rounding joins corners anyway; to simplify and to shade it must be welded. */
static int make_shape(struct glb *g, const struct glb_options *options, struct err *err)
{
    bool too_many = options->max_triangles && g->mesh->triangle_count > options->max_triangles;
    if (mesh_copy(&g->shape, g->mesh, err))
        return -1;
    if (!too_many && !(g->rgb && is_shaded(g->rgb, g->mesh->triangle_count)))
        return 0;
    /* welding keeps triangles and their order */
    if (mesh_weld_exact(&g->shape, NULL, err) || (g->rgb && average_colours(g, err)))
        return -1;
    return too_many ? simplify(g, options->max_triangles, err) : 0;
}

int glb_write(struct bytes *out, const struct mesh *mesh, const uint8_t (*rgb)[3],
              const struct glb_options *options, struct err *err)
{
    struct glb g = {.mesh = mesh, .rgb = rgb};
    if (mesh_check_writable(mesh, false, err))
        return -1;
    int failed = make_shape(&g, options, err);
    if (!failed) {
        find_box(&g);
        failed = round_corners(&g, err) || join_corners(&g, err) || order(&g, err) ||
                 pack_points(&g, 0, g.points, err) ||
                 (g.colours && pack_points(&g, 1, g.colours, err)) || pack_triangles(&g, err) ||
                 put_file(out, &g, err);
    }
    glb_free(&g);
    return failed ? -1 : 0;
}
