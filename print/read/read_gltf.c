/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks a glTF scene and joins all its triangles, transformed, turned from Y up to Z up. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/read/gltf_scene.h"

#define MAX_DEPTH 256

const struct matrix gltf_identity = {{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}};

static struct matrix multiply(const struct matrix *a, const struct matrix *b)
{
    struct matrix r;
    for (int column = 0; column < 4; column++)
        for (int row = 0; row < 4; row++) {
            double sum = 0;
            for (int k = 0; k < 4; k++)
                sum += a->m[4 * k + row] * b->m[4 * column + k];
            r.m[4 * column + row] = sum;
        }
    return r;
}

static int node_matrix(const struct gltf *gltf, const cJSON *node, struct matrix *out)
{
    *out = gltf_identity;
    if (cJSON_GetObjectItemCaseSensitive(node, "matrix"))
        return gltf_numbers(gltf, node, "matrix", out->m, 16);
    double t[3] = {0}, q[4] = {0, 0, 0, 1}, s[3] = {1, 1, 1};
    if (gltf_numbers(gltf, node, "translation", t, 3) ||
        gltf_numbers(gltf, node, "rotation", q, 4) || gltf_numbers(gltf, node, "scale", s, 3))
        return -1;
    double n = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
    double f = n > 0 ? 2 / n : 0, x = q[0], y = q[1], z = q[2], w = q[3];
    const double r[9] = {1 - f * (y * y + z * z), f * (x * y + z * w),     f * (x * z - y * w),
                         f * (x * y - z * w),     1 - f * (x * x + z * z), f * (y * z + x * w),
                         f * (x * z + y * w),     f * (y * z - x * w),     1 - f * (x * x + y * y)};
    for (int column = 0; column < 3; column++)
        for (int row = 0; row < 3; row++)
            out->m[4 * column + row] = r[3 * column + row] * s[column];
    for (int row = 0; row < 3; row++)
        out->m[12 + row] = t[row];
    return 0;
}

static int add_mesh(struct walk *walk, const cJSON *node, size_t number, const struct matrix *at)
{
    const cJSON *mesh, *primitive;
    size_t first = walk->out->mesh.triangle_count;
    if (gltf_item(walk->gltf, &walk->gltf->meshes, number, "mesh", &mesh))
        return -1;
    const cJSON *primitives = cJSON_GetObjectItemCaseSensitive(mesh, "primitives");
    if (primitives && !cJSON_IsArray(primitives))
        return DAMAGED(walk->gltf->err, "a mesh's primitives are no list");
    cJSON_ArrayForEach (primitive, primitives)
        if (gltf_add_primitive(walk, node, mesh, primitive, at))
            return -1;
    if (!walk->out->skin)
        return 0;
    const char *name = json_text(node, "name", "");
    return skin_add_part(walk->out->skin, *name ? name : json_text(mesh, "name", ""), first,
                         walk->out->mesh.triangle_count - first, walk->gltf->err);
}

/* A node has one parent by rule; a second visit is a cycle or would multiply without end. */
static int add_node(struct walk *walk, size_t number, const struct matrix *above, int depth)
{
    const cJSON *node, *child;
    struct gltf *gltf = walk->gltf;
    struct matrix own;
    size_t mesh;
    if (gltf_item(gltf, &gltf->nodes, number, "node", &node) || node_matrix(gltf, node, &own))
        return -1;
    if (walk->visited[number]++)
        return DAMAGED(gltf->err, "node %zu has two parents or is its own ancestor", number);
    if (depth > MAX_DEPTH)
        return DAMAGED(gltf->err, "nodes are nested over %d deep", MAX_DEPTH);
    if (cJSON_GetObjectItemCaseSensitive(node, "skin"))
        note(gltf->notes, "skins were ignored: the mesh is shown in its rest pose");
    if (gltf_extension(node, "EXT_mesh_gpu_instancing"))
        note(gltf->notes, "copies by EXT_mesh_gpu_instancing were ignored: one is shown");
    struct matrix at = multiply(above, &own);
    int found = gltf_size(gltf, node, "mesh", &mesh);
    if (found < 0 || (found == 0 && add_mesh(walk, node, mesh, &at)))
        return -1;
    const cJSON *children = cJSON_GetObjectItemCaseSensitive(node, "children");
    if (children && !cJSON_IsArray(children))
        return DAMAGED(gltf->err, "a node's children are no list");
    cJSON_ArrayForEach (child, children) {
        double v = cJSON_IsNumber(child) ? child->valuedouble : -1;
        if (!(v >= 0 && v < (double)gltf->nodes.count))
            return DAMAGED(gltf->err, "a node's child does not exist");
        if (add_node(walk, (size_t)v, &at, depth + 1))
            return -1;
    }
    return 0;
}

static void mark_children(const struct gltf *gltf, uint8_t *is_child)
{
    for (size_t i = 0; i < gltf->nodes.count; i++) {
        const cJSON *child;
        cJSON_ArrayForEach (child,
                            cJSON_GetObjectItemCaseSensitive(gltf->nodes.items[i], "children")) {
            double v = cJSON_IsNumber(child) ? child->valuedouble : -1;
            if (v >= 0 && v < (double)gltf->nodes.count)
                is_child[(size_t)v] = 1;
        }
    }
}

/* Without a scene: every node that no other node holds. */
static int add_roots(struct walk *walk)
{
    struct gltf *gltf = walk->gltf;
    uint8_t *is_child = calloc(gltf->nodes.count + 1, 1);
    if (!is_child)
        return FAIL(gltf->err, ERR_LIMIT, "no memory for %zu nodes", gltf->nodes.count);
    mark_children(gltf, is_child);
    int failed = 0;
    for (size_t i = 0; i < gltf->nodes.count && !failed; i++)
        if (!is_child[i])
            failed = add_node(walk, i, &gltf_identity, 0);
    for (size_t i = 0; gltf->nodes.count == 0 && i < gltf->meshes.count && !failed; i++)
        failed = add_mesh(walk, NULL, i, &gltf_identity);
    free(is_child);
    return failed;
}

static int add_scene(struct walk *walk)
{
    struct gltf *gltf = walk->gltf;
    size_t number = 0;
    const cJSON *scene, *root;
    if (gltf_size(gltf, gltf->root, "scene", &number) < 0)
        return -1;
    if (gltf->scenes.count == 0)
        return add_roots(walk);
    if (gltf->scenes.count > 1)
        note(gltf->notes, "only the main scene was read");
    if (gltf_item(gltf, &gltf->scenes, number, "scene", &scene))
        return -1;
    cJSON_ArrayForEach (root, cJSON_GetObjectItemCaseSensitive(scene, "nodes")) {
        double v = cJSON_IsNumber(root) ? root->valuedouble : -1;
        if (!(v >= 0 && v < (double)gltf->nodes.count))
            return DAMAGED(gltf->err, "the scene names a node that does not exist");
        if (add_node(walk, (size_t)v, &gltf_identity, 0))
            return -1;
    }
    return 0;
}

/* Looks, lights and textures do not change the shape; what else is required, we lack. */
static int check_extensions(const struct gltf *gltf)
{
    static const char *const harmless[] = {"KHR_mesh_quantization",
                                           "EXT_meshopt_compression",
                                           "KHR_meshopt_compression",
                                           "KHR_draco_mesh_compression",
                                           "KHR_texture_transform",
                                           "KHR_texture_basisu",
                                           "EXT_texture_webp",
                                           "KHR_lights_punctual",
                                           "KHR_materials_",
                                           "EXT_mesh_manifold",
                                           "KHR_xmp"};
    const cJSON *one;
    cJSON_ArrayForEach (one, cJSON_GetObjectItemCaseSensitive(gltf->root, "extensionsRequired")) {
        bool known = false;
        for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
            known |= cJSON_IsString(one) &&
                     strncmp(one->valuestring, harmless[i], strlen(harmless[i])) == 0;
        if (!known)
            return UNSUPPORTED(gltf->err, "the file requires %.60s, which is not read",
                               cJSON_IsString(one) ? one->valuestring : "an unnamed extension");
    }
    return 0;
}

int read_gltf(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
              struct err *err)
{
    struct gltf gltf = {.notes = notes, .err = err};
    struct walk walk = {.gltf = &gltf, .out = out};
    int failed = gltf_open(&gltf, data, n) || check_extensions(&gltf);
    if (!failed) {
        const char *version = json_text(json_get(gltf.root, "asset"), "version", "");
        if (*version && strncmp(version, "2.", 2) != 0)
            failed = UNSUPPORTED(err, "glTF version %.20s; only 2 is read", version);
    }
    if (!failed && !(failed = gltf_look_open(&walk.look, &gltf, out->skin))) {
        walk.visited = calloc(gltf.nodes.count + 1, 1);
        failed = walk.visited ? add_scene(&walk) : FAIL(err, ERR_LIMIT, "no memory for nodes");
    }
    free(walk.visited);
    gltf_look_close(&walk.look);
    gltf_close(&gltf);
    return failed ? -1 : 0;
}
