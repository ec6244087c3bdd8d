/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One glTF primitive on its way into the mesh: positions, morphs, triangles and looks, plain,
 * quantised, strips, fans or through Draco. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/read/draco.h"
#include "print/read/gltf_scene.h"

static bool mirrors(const struct matrix *a)
{
    const double *m = a->m;
    return m[0] * (m[5] * m[10] - m[6] * m[9]) - m[4] * (m[1] * m[10] - m[2] * m[9]) +
               m[8] * (m[1] * m[6] - m[2] * m[5]) <
           0;
}

/* Y up to Z up is a quarter turn around X: (x, y, z) becomes (x, -z, y). */
static void place_vertices(float *xyz, size_t count, const struct matrix *at)
{
    const double *m = at->m;
    if (memcmp(at, &gltf_identity, sizeof gltf_identity) == 0) {
#pragma omp parallel for if (count > 100000)
        for (size_t i = 0; i < count; i++) {
            float *p = xyz + 3 * i, y = p[1];
            p[1] = -p[2];
            p[2] = y;
        }
        return;
    }
#pragma omp parallel for if (count > 100000)
    for (size_t i = 0; i < count; i++) {
        float *p = xyz + 3 * i;
        double x = p[0], y = p[1], z = p[2];
        p[0] = (float)(m[0] * x + m[4] * y + m[8] * z + m[12]);
        p[1] = (float)-(m[2] * x + m[6] * y + m[10] * z + m[14]);
        p[2] = (float)(m[1] * x + m[5] * y + m[9] * z + m[13]);
    }
}

/* One primitive on its way into the mesh. */
struct piece {
    const cJSON *json, *attributes;
    const struct matrix *at;
    const cJSON *mesh, *node;
    size_t mode;
    size_t first_vertex, vertex_count;
    size_t first_triangle;
    size_t uv_set;
    unsigned material;
    struct draco_mesh packed; /* where it came through Draco */
};

static int add_morphs(struct walk *walk, const struct piece *piece)
{
    struct gltf *gltf = walk->gltf;
    const cJSON *targets = json_get(piece->json, "targets"), *target;
    const cJSON *weights = json_get(piece->node, "weights");
    weights = weights ? weights : json_get(piece->mesh, "weights");
    float *to = walk->out->mesh.xyz + 3 * piece->first_vertex;
    const cJSON *weight = weights ? weights->child : NULL;
    cJSON_ArrayForEach (target, targets) {
        size_t number;
        struct gltf_elements e;
        double w = weight && cJSON_IsNumber(weight) ? weight->valuedouble : 0;
        weight = weight ? weight->next : NULL;
        note(gltf->notes, "morph targets stand at their default weights");
        if (w == 0 || !isfinite(w) || gltf_size(gltf, target, "POSITION", &number) != 0)
            continue;
        if (gltf_accessor(gltf, number, &e))
            return -1;
        if (e.columns != 3 || e.count != piece->vertex_count)
            return DAMAGED(gltf->err, "a morph target of %zu vertices for %zu", e.count,
                           piece->vertex_count);
        float *by = malloc((3 * e.count + 1) * sizeof *by);
        int failed = by ? gltf_floats(gltf, &e, by)
                        : FAIL(gltf->err, ERR_LIMIT, "no memory for a morph target");
        for (size_t i = 0; !failed && i < 3 * e.count; i++)
            to[i] += (float)w * by[i];
        free(by);
        if (failed)
            return -1;
    }
    return 0;
}

static int add_vertices(struct walk *walk, struct piece *piece)
{
    struct gltf *gltf = walk->gltf;
    struct mesh *mesh = &walk->out->mesh;
    struct gltf_elements e = {.count = piece->packed.vertex_count};
    size_t number;
    if (!piece->packed.xyz) {
        if (gltf_size(gltf, piece->attributes, "POSITION", &number) != 0 ||
            gltf_accessor(gltf, number, &e))
            return -1;
        if (e.columns != 3)
            return DAMAGED(gltf->err, "positions of %u numbers each", e.columns);
    }
    if (builder_reserve(walk->out, e.count, 0, gltf->err))
        return -1;
    piece->first_vertex = mesh->vertex_count;
    piece->vertex_count = e.count;
    if (e.count == 0)
        return 0;
    float *to = mesh->xyz + 3 * mesh->vertex_count;
    if (piece->packed.xyz)
        memcpy(to, piece->packed.xyz, 3 * e.count * sizeof *to);
    else if (gltf_floats(gltf, &e, to))
        return -1;
    mesh->vertex_count += e.count;
    if (add_morphs(walk, piece))
        return -1;
    place_vertices(to, e.count, piece->at);
    return 0;
}

/* Numbers of the piece's own vertices become the mesh's; mirrored ones are turned round. */
static int settle_triangles(struct walk *walk, const struct piece *piece)
{
    struct mesh *mesh = &walk->out->mesh;
    if (mesh->triangle_count == piece->first_triangle)
        return 0;
    uint32_t *corners = mesh->triangles + 3 * piece->first_triangle, highest = 0;
    const size_t count = 3 * (mesh->triangle_count - piece->first_triangle);
    const uint32_t base = (uint32_t)piece->first_vertex;
#pragma omp parallel for simd reduction(max : highest) if (count > 300000)
    for (size_t i = 0; i < count; i++)
        highest = corners[i] > highest ? corners[i] : highest;
    if (highest >= piece->vertex_count)
        return DAMAGED(walk->gltf->err, "a triangle names vertex %u of %zu", highest,
                       piece->vertex_count);
    for (size_t i = 0; base && i < count; i++)
        corners[i] += base;
    for (size_t i = 0; mirrors(piece->at) && i < count; i += 3) {
        uint32_t second = corners[i + 1];
        corners[i + 1] = corners[i + 2];
        corners[i + 2] = second;
    }
    return 0;
}

/* indices NULL stands for 0, 1, 2, ...; strips and fans. */
static void unroll(uint32_t *to, const uint32_t *indices, size_t count, size_t mode)
{
    for (size_t i = 2; i < count; i++, to += 3) {
        bool odd = mode == 5 && i % 2;
        size_t v[3] = {mode == 6 ? 0 : odd ? i - 1 : i - 2, odd ? i - 2 : i - 1, i};
        for (int k = 0; k < 3; k++)
            to[k] = indices ? indices[v[k]] : (uint32_t)v[k];
    }
}

static int add_strip(struct walk *walk, struct piece *piece, const struct gltf_elements *e)
{
    struct gltf *gltf = walk->gltf;
    struct mesh *mesh = &walk->out->mesh;
    if (e->count < 3)
        return 0;
    uint32_t *indices = NULL;
    if (e->data) {
        indices = malloc(e->count * sizeof *indices);
        if (!indices)
            return FAIL(gltf->err, ERR_LIMIT, "no memory for %zu indices", e->count);
        if (gltf_indices(gltf, e, indices)) {
            free(indices);
            return -1;
        }
    }
    int failed = builder_reserve(walk->out, 0, e->count - 2, gltf->err);
    if (!failed) {
        unroll(mesh->triangles + 3 * mesh->triangle_count, indices, e->count, piece->mode);
        mesh->triangle_count += e->count - 2;
    }
    free(indices);
    return failed;
}

static int add_list(struct walk *walk, const struct gltf_elements *e)
{
    struct mesh *mesh = &walk->out->mesh;
    struct gltf_elements whole = *e;
    whole.count -= whole.count % 3;
    if (whole.count == 0)
        return 0;
    if (builder_reserve(walk->out, 0, whole.count / 3, walk->gltf->err))
        return -1;
    uint32_t *to = mesh->triangles + 3 * mesh->triangle_count;
    if (whole.data && gltf_indices(walk->gltf, &whole, to))
        return -1;
    for (size_t i = 0; !whole.data && i < whole.count; i++)
        to[i] = (uint32_t)i;
    mesh->triangle_count += whole.count / 3;
    return 0;
}

static int add_packed(struct walk *walk, const struct piece *piece)
{
    struct mesh *mesh = &walk->out->mesh;
    size_t count = piece->packed.triangle_count;
    if (count == 0)
        return 0;
    if (builder_reserve(walk->out, 0, count, walk->gltf->err))
        return -1;
    memcpy(mesh->triangles + 3 * mesh->triangle_count, piece->packed.triangles,
           count * 3 * sizeof *mesh->triangles);
    mesh->triangle_count += count;
    return 0;
}

static int add_triangles(struct walk *walk, struct piece *piece)
{
    struct gltf_elements e = {.count = piece->vertex_count};
    size_t number = 0;
    piece->first_triangle = walk->out->mesh.triangle_count;
    if (piece->packed.triangles)
        return add_packed(walk, piece);
    int found = gltf_size(walk->gltf, piece->json, "indices", &number);
    if (found < 0 || (found == 0 && gltf_accessor(walk->gltf, number, &e)))
        return -1;
    if (found == 0 && !e.data && e.count)
        return DAMAGED(walk->gltf->err, "indices without a buffer");
    return piece->mode == 4 ? add_list(walk, &e) : add_strip(walk, piece, &e);
}

static int read_uv(struct walk *walk, const struct piece *piece)
{
    struct gltf *gltf = walk->gltf;
    struct skin *skin = walk->out->skin;
    struct gltf_elements e;
    char name[32];
    size_t number, end = piece->first_vertex + piece->vertex_count;
    snprintf(name, sizeof name, "TEXCOORD_%zu", piece->uv_set);
    if (piece->vertex_count == 0)
        return 0;
    int found = piece->packed.uv ? 0 : gltf_size(gltf, piece->attributes, name, &number);
    if (found)
        return found < 0 ? -1 : 0;
    if (skin_room_uv(skin, end, gltf->err))
        return -1;
    float *to = skin->uv + 2 * piece->first_vertex;
    if (piece->packed.uv) {
        memcpy(to, piece->packed.uv, 2 * piece->vertex_count * sizeof *to);
        return 0;
    }
    if (gltf_accessor(gltf, number, &e))
        return -1;
    return e.columns == 2 && e.count == piece->vertex_count
               ? gltf_floats(gltf, &e, to)
               : DAMAGED(gltf->err, "%s does not fit its positions", name);
}

/* glTF's vertex colours are linear light, ours are sRGB bytes. */
static void take_colours(struct skin *skin, const struct piece *piece, const float *from,
                         unsigned columns)
{
    for (size_t i = 0; i < piece->vertex_count; i++)
        for (unsigned k = 0; k < 3; k++)
            skin->rgb[piece->first_vertex + i][k] = skin_from_light(from[columns * i + k]);
}

static int read_colours(struct walk *walk, const struct piece *piece)
{
    struct gltf *gltf = walk->gltf;
    struct skin *skin = walk->out->skin;
    struct gltf_elements e;
    size_t number, end = piece->first_vertex + piece->vertex_count;
    if (piece->vertex_count == 0)
        return 0;
    int found = piece->packed.colour ? 0 : gltf_size(gltf, piece->attributes, "COLOR_0", &number);
    if (found)
        return found < 0 ? -1 : 0;
    if (skin_room_rgb(skin, end, gltf->err))
        return -1;
    if (piece->packed.colour) {
        take_colours(skin, piece, piece->packed.colour, 4);
        return 0;
    }
    if (gltf_accessor(gltf, number, &e))
        return -1;
    if (e.columns < 3 || e.count != piece->vertex_count)
        return DAMAGED(gltf->err, "COLOR_0 does not fit its positions");
    float *read = malloc((e.count * e.columns + 1) * sizeof *read);
    int failed = read ? gltf_floats(gltf, &e, read)
                      : FAIL(gltf->err, ERR_LIMIT, "no memory for %zu colours", e.count);
    if (!failed)
        take_colours(skin, piece, read, e.columns);
    free(read);
    return failed;
}

static long draco_number(const struct gltf *gltf, const cJSON *attributes, const char *name)
{
    size_t number;
    return gltf_size(gltf, attributes, name, &number) == 0 && number < UINT32_MAX ? (long)number
                                                                                  : DRACO_NONE;
}

/* What the accessor that an attribute or the indices stand for says without data. */
static const cJSON *promised(const struct gltf *gltf, const cJSON *of, const char *name,
                             size_t *count)
{
    size_t number;
    const cJSON *accessor = NULL;
    if (gltf_size(gltf, of, name, &number) == 0 && number < gltf->accessors.count)
        accessor = gltf->accessors.items[number];
    if (accessor && gltf_size(gltf, accessor, "count", count) != 0)
        *count = 0;
    return accessor;
}

static int unpack_draco(struct walk *walk, struct piece *piece, const cJSON *draco)
{
    struct gltf *gltf = walk->gltf;
    const cJSON *attributes = json_get(draco, "attributes");
    char uv[32];
    size_t view_number, vertices = 0, indices = 0, ignored = 0;
    struct gltf_view view;
    snprintf(uv, sizeof uv, "TEXCOORD_%zu", piece->uv_set);
    const cJSON *position = promised(gltf, piece->attributes, "POSITION", &vertices);
    promised(gltf, piece->json, "indices", &indices);
    struct draco_wish wish = {.position = draco_number(gltf, attributes, "POSITION"),
                              .uv = DRACO_NONE,
                              .colour = DRACO_NONE};
    if (walk->out->skin) {
        wish.uv = draco_number(gltf, attributes, uv);
        wish.colour = draco_number(gltf, attributes, "COLOR_0");
    }
    wish.position_normalized = json_bool(position, "normalized", false);
    wish.uv_normalized =
        json_bool(promised(gltf, piece->attributes, uv, &ignored), "normalized", false);
    wish.colour_normalized =
        json_bool(promised(gltf, piece->attributes, "COLOR_0", &ignored), "normalized", false);
    /* Encoders drop and double vertices, so the accessor's count is no exact promise. */
    wish.max_triangles = indices / 3 < MESH_MAX_TRIANGLES ? indices / 3 : MESH_MAX_TRIANGLES;
    wish.max_vertices = 3 * wish.max_triangles + 3;
    if (vertices == 0 || wish.position < 0 || gltf_size(gltf, draco, "bufferView", &view_number))
        return DAMAGED(gltf->err, "a Draco mesh without positions or a bufferView");
    if (gltf_view(gltf, view_number, &view))
        return -1;
    return draco_unpack(&piece->packed, &wish, view.data, view.bytes, gltf->err);
}

static int build_piece(struct walk *walk, struct piece *piece)
{
    struct gltf *gltf = walk->gltf;
    struct skin *skin = walk->out->skin;
    const cJSON *draco = gltf_extension(piece->json, "KHR_draco_mesh_compression");
    if (skin && gltf_look_material(&walk->look, piece->json, &piece->material, &piece->uv_set))
        return -1;
    if (piece->mode != 4)
        draco = NULL;
    if ((draco && unpack_draco(walk, piece, draco)) || add_vertices(walk, piece) ||
        add_triangles(walk, piece) || settle_triangles(walk, piece))
        return -1;
    if (!skin)
        return 0;
    return read_uv(walk, piece) || read_colours(walk, piece) ||
                   skin_set_material(skin, piece->first_triangle, walk->out->mesh.triangle_count,
                                     piece->material, gltf->err)
               ? -1
               : 0;
}

int gltf_add_primitive(struct walk *walk, const cJSON *node, const cJSON *mesh,
                       const cJSON *primitive, const struct matrix *at)
{
    struct gltf *gltf = walk->gltf;
    struct piece piece = {.json = primitive, .mesh = mesh, .node = node, .at = at, .mode = 4};
    size_t position;
    if (!cJSON_IsObject(primitive) || gltf_size(gltf, primitive, "mode", &piece.mode) < 0)
        return DAMAGED(gltf->err, "a mesh holds something that is no primitive");
    if (piece.mode < 4 || piece.mode > 6) {
        note(gltf->notes, "points and lines were ignored");
        return 0;
    }
    piece.attributes = cJSON_GetObjectItemCaseSensitive(primitive, "attributes");
    int found = gltf_size(gltf, piece.attributes, "POSITION", &position);
    if (found)
        return found < 0 ? -1 : 0;
    int failed = build_piece(walk, &piece);
    draco_mesh_free(&piece.packed);
    return failed;
}
