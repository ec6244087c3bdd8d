/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The readers' common ground: growing a mesh, taking notes. */
#include "print/read/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int too_large(struct err *err)
{
    return FAIL_CODE(err, ERR_LIMIT, "mesh_too_large", "the mesh has over %zu triangles",
                     MESH_MAX_TRIANGLES);
}

static int grow(void **array, size_t *room, size_t wanted, size_t each, size_t cap, struct err *err)
{
    if (wanted > cap)
        return too_large(err);
    size_t more = *room + *room / 2 + 64;
    more = more > wanted ? more : wanted;
    void *grown = realloc(*array, more * each);
    if (!grown)
        return FAIL(err, ERR_LIMIT, "no memory for the mesh");
    *array = grown;
    *room = more;
    return 0;
}

int builder_reserve(struct mesh_builder *b, size_t vertices, size_t triangles, struct err *err)
{
    if (vertices > 3 * MESH_MAX_TRIANGLES || triangles > MESH_MAX_TRIANGLES)
        return too_large(err);
    size_t v = b->mesh.vertex_count + vertices, t = b->mesh.triangle_count + triangles;
    if (v > b->vertex_room && grow((void **)&b->mesh.xyz, &b->vertex_room, v, 3 * sizeof(float),
                                   3 * MESH_MAX_TRIANGLES, err))
        return -1;
    return t > b->triangle_room ? grow((void **)&b->mesh.triangles, &b->triangle_room, t,
                                       3 * sizeof(uint32_t), MESH_MAX_TRIANGLES, err)
                                : 0;
}

int builder_vertex(struct mesh_builder *b, float x, float y, float z, struct err *err)
{
    if (b->mesh.vertex_count == b->vertex_room && builder_reserve(b, 1, 0, err))
        return -1;
    float *p = b->mesh.xyz + 3 * b->mesh.vertex_count++;
    p[0] = x, p[1] = y, p[2] = z;
    return 0;
}

int builder_triangle(struct mesh_builder *b, uint32_t one, uint32_t two, uint32_t three,
                     struct err *err)
{
    if (b->mesh.triangle_count == b->triangle_room && builder_reserve(b, 0, 1, err))
        return -1;
    uint32_t *t = b->mesh.triangles + 3 * b->mesh.triangle_count++;
    t[0] = one, t[1] = two, t[2] = three;
    return 0;
}

void builder_free(struct mesh_builder *b)
{
    mesh_free(&b->mesh);
    *b = (struct mesh_builder){0};
}

int builder_join(struct mesh_builder *out, struct mesh_builder *const *pieces, size_t count,
                 bool local, struct err *err)
{
    size_t vertices = 0, triangles = 0;
    for (size_t i = 0; i < count; i++) {
        vertices += pieces[i]->mesh.vertex_count;
        triangles += pieces[i]->mesh.triangle_count;
    }
    if (count == 1) {
        struct skin *skin = out->skin;
        *out = *pieces[0];
        out->skin = skin;
        *pieces[0] = (struct mesh_builder){0};
        return 0;
    }
    if (builder_reserve(out, vertices, triangles, err))
        return -1;
    struct mesh *mesh = &out->mesh;
    for (size_t i = 0; i < count; i++) {
        const struct mesh *piece = &pieces[i]->mesh;
        uint32_t base = local ? (uint32_t)mesh->vertex_count : 0;
        if (piece->vertex_count)
            memcpy(mesh->xyz + 3 * mesh->vertex_count, piece->xyz,
                   piece->vertex_count * 3 * sizeof *mesh->xyz);
        for (size_t k = 0; k < 3 * piece->triangle_count; k++)
            mesh->triangles[3 * mesh->triangle_count + k] = piece->triangles[k] + base;
        mesh->vertex_count += piece->vertex_count;
        mesh->triangle_count += piece->triangle_count;
        builder_free(pieces[i]);
    }
    return 0;
}

void note(struct read_notes *notes, const char *sentence)
{
    if (strstr(notes->text, sentence))
        return;
    size_t used = strlen(notes->text);
    if (used + strlen(sentence) + 3 < sizeof notes->text)
        snprintf(notes->text + used, sizeof notes->text - used, "%s%s", used ? "; " : "", sentence);
}
