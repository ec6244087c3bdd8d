/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Consistent orientation: a flood over edges that have exactly two triangles. */
#include <stdlib.h>
#include <string.h>

#include "print/repair/steps.h"
#include "print/repair/weld.h"

int mesh_keep(struct mesh *mesh, const uint8_t *keep, struct err *err)
{
    size_t kept = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        if (!keep[t])
            continue;
        memmove(mesh->triangles + 3 * kept++, mesh->triangles + 3 * t, 3 * sizeof(uint32_t));
    }
    mesh->triangle_count = kept;
    return mesh_compact(mesh, err);
}

int mesh_grow(struct mesh *mesh, size_t vertices, size_t triangles, struct err *err)
{
    if (mesh->triangle_count + triangles > MESH_MAX_TRIANGLES)
        return FAIL_CODE(err, ERR_LIMIT, "mesh_too_large", "repair needs too many triangles");
    size_t v = mesh->vertex_count + vertices, t = mesh->triangle_count + triangles;
    float *xyz = realloc(mesh->xyz, (v + 1) * 3 * sizeof *xyz);
    if (xyz)
        mesh->xyz = xyz;
    uint32_t *grown = realloc(mesh->triangles, (t + 1) * 3 * sizeof *grown);
    if (grown)
        mesh->triangles = grown;
    return xyz && grown ? 0 : FAIL(err, ERR_LIMIT, "no memory for %zu triangles", t);
}

struct flood {
    struct mesh *mesh;
    const struct topology *topology;
    uint8_t *turned; /* 0 as given, 1 to be turned, 2 not seen yet */
    uint32_t *queue;
};

/* Collects a patch into the queue; returns its size, *against how many of it would be turned. */
static size_t flood_patch(struct flood *f, uint32_t seed, size_t *against)
{
    const uint32_t *t = f->mesh->triangles;
    size_t count = 0;
    f->queue[count++] = seed;
    f->turned[seed] = 0;
    *against = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = f->queue[i];
        *against += f->turned[at];
        for (uint32_t h = 3 * at; h < 3 * at + 3; h++) {
            uint32_t g = f->topology->twin[h];
            if (g >= TWIN_MANY || f->turned[g / 3] != 2)
                continue;
            f->turned[g / 3] = f->turned[at] ^ (t[h] == t[g]);
            f->queue[count++] = g / 3;
        }
    }
    return count;
}

int mesh_orient_patches(struct mesh *mesh, size_t *flipped, struct err *err)
{
    struct topology topology;
    *flipped = 0;
    if (topology_build(&topology, mesh, err))
        return -1;
    struct flood f = {.mesh = mesh, .topology = &topology};
    f.turned = malloc(mesh->triangle_count + 1);
    f.queue = malloc((mesh->triangle_count + 1) * sizeof *f.queue);
    int failed = 0;
    if (!f.turned || !f.queue)
        failed = FAIL(err, ERR_LIMIT, "no memory to orient %zu triangles", mesh->triangle_count);
    if (!failed)
        memset(f.turned, 2, mesh->triangle_count + 1);
    for (uint32_t seed = 0; !failed && seed < mesh->triangle_count; seed++) {
        size_t against;
        if (f.turned[seed] != 2)
            continue;
        size_t count = flood_patch(&f, seed, &against);
        uint8_t turn = 2 * against > count ? 0 : 1;
        for (size_t i = 0; i < count; i++) {
            uint32_t *t = mesh->triangles + 3 * (size_t)f.queue[i];
            if (f.turned[f.queue[i]] != turn)
                continue;
            uint32_t other = t[1];
            t[1] = t[2];
            t[2] = other;
            (*flipped)++;
        }
        for (size_t i = 0; i < count; i++)
            f.turned[f.queue[i]] = 0;
    }
    free(f.turned);
    free(f.queue);
    topology_free(&topology);
    return failed;
}
