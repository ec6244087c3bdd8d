/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing a skin beside the mesh that is being read; see build.h. */
#include <stdlib.h>
#include <string.h>

#include "print/read/build.h"

#define PARTS_MAX 100000

/* Keeps what there is and fills the rest with `filling`. */
static int grow(void **array, size_t *room, size_t wanted, size_t each, int filling,
                struct err *err)
{
    if (wanted <= *room)
        return 0;
    size_t more = *room + *room / 2;
    more = more > wanted ? more : wanted;
    uint8_t *grown = realloc(*array, more * each);
    if (!grown)
        return FAIL(err, ERR_LIMIT, "no memory for the surface's looks");
    memset(grown + *room * each, filling, (more - *room) * each);
    *array = grown;
    *room = more;
    return 0;
}

int skin_room_uv(struct skin *skin, size_t vertices, struct err *err)
{
    return grow((void **)&skin->uv, &skin->uv_room, vertices, 2 * sizeof *skin->uv, 0, err);
}

int skin_room_rgb(struct skin *skin, size_t vertices, struct err *err)
{
    return grow((void **)&skin->rgb, &skin->rgb_room, vertices, sizeof *skin->rgb, 0xff, err);
}

int skin_room_corners(struct skin *skin, size_t triangles, struct err *err)
{
    return grow((void **)&skin->corner_rgb, &skin->corner_room, triangles,
                3 * sizeof *skin->corner_rgb, 0xff, err);
}

int skin_set_material(struct skin *skin, size_t first, size_t end, unsigned material,
                      struct err *err)
{
    if (material == 0 && !skin->material)
        return 0;
    if (grow((void **)&skin->material, &skin->material_room, end, sizeof *skin->material, 0, err))
        return -1;
    for (size_t t = first; t < end; t++)
        skin->material[t] = (uint16_t)material;
    return 0;
}

/* Names are cut at whole UTF-8 characters. */
int skin_add_part(struct skin *skin, const char *name, size_t first, size_t count, struct err *err)
{
    if (count == 0 || skin->part_count == PARTS_MAX)
        return 0;
    if (grow((void **)&skin->parts, &skin->part_room, skin->part_count + 1, sizeof *skin->parts, 0,
             err))
        return -1;
    struct skin_part *part = &skin->parts[skin->part_count++];
    *part = (struct skin_part){.first = first, .count = count};
    size_t n = strlen(name);
    if (n >= sizeof part->name) {
        n = sizeof part->name - 1;
        while (n > 0 && ((uint8_t)name[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(part->name, name, n);
    return 0;
}

int skin_finish(struct skin *skin, const struct mesh *mesh, struct err *err)
{
    if ((skin->uv && skin_room_uv(skin, mesh->vertex_count, err)) ||
        (skin->rgb && skin_room_rgb(skin, mesh->vertex_count, err)) ||
        (skin->corner_rgb && skin_room_corners(skin, mesh->triangle_count, err)) ||
        (skin->material && skin_set_material(skin, mesh->triangle_count, mesh->triangle_count,
                                             skin->material[0], err)))
        return -1;
    return 0;
}
