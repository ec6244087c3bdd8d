/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of a model; see parts.h. */
#include "print/colour/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/sets.h"

void parts_free(struct part_list *list)
{
    if (!list)
        return;
    free(list->parts);
    free(list->ranges);
    *list = (struct part_list){0};
}

static void part_measure(struct part *part, const struct part_list *list, const struct mesh *mesh)
{
    bool any = false;
    for (size_t r = part->first_range; r < part->first_range + part->range_count; r++)
        for (size_t h = 3 * list->ranges[r].first;
             h < 3 * (list->ranges[r].first + list->ranges[r].count); h++, any = true)
            for (int k = 0; k < 3; k++) {
                double x = mesh->xyz[3 * (size_t)mesh->triangles[h] + (size_t)k];
                part->low[k] = !any || x < part->low[k] ? x : part->low[k];
                part->high[k] = !any || x > part->high[k] ? x : part->high[k];
            }
}

static int by_names(struct part_list *list, const struct mesh *mesh, const struct skin *skin,
                    struct err *err)
{
    list->parts = calloc(skin->part_count, sizeof *list->parts);
    list->ranges = calloc(skin->part_count, sizeof *list->ranges);
    if (!list->parts || !list->ranges)
        return FAIL(err, ERR_LIMIT, "no memory for %zu parts", skin->part_count);
    list->named = true;
    list->part_count = list->range_count = skin->part_count;
    for (size_t i = 0; i < skin->part_count; i++) {
        struct part *part = &list->parts[i];
        list->ranges[i] = (struct part_range){skin->parts[i].first, skin->parts[i].count};
        *part =
            (struct part){.triangles = skin->parts[i].count, .first_range = i, .range_count = 1};
        if (*skin->parts[i].name)
            memcpy(part->name, skin->parts[i].name, sizeof part->name);
        else
            snprintf(part->name, sizeof part->name, "part %zu", i + 1);
        part_measure(part, list, mesh);
    }
    return 0;
}

static uint32_t spot_hash(const float *p)
{
    uint32_t words[3], sum = 2166136261u;
    float q[3] = {p[0] + 0.0f, p[1] + 0.0f, p[2] + 0.0f};
    memcpy(words, q, sizeof words);
    for (int k = 0; k < 3; k++)
        sum = (sum ^ words[k]) * 0x9e3779b1u, sum ^= sum >> 15;
    return sum;
}

/* up[v]: sets of vertices, joined where they lie in the same spot or in one triangle. */
static int join_all(uint32_t *up, const struct mesh *mesh, struct err *err)
{
    size_t room = 16;
    while (room < 2 * mesh->vertex_count)
        room *= 2;
    uint32_t *slot = calloc(room, sizeof *slot);
    if (!slot)
        return FAIL(err, ERR_LIMIT, "no memory to find shells");
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        const float *p = mesh->xyz + 3 * (size_t)v, *q;
        size_t i = spot_hash(p) & (room - 1);
        up[v] = v;
        for (; slot[i]; i = (i + 1) & (room - 1)) {
            q = mesh->xyz + 3 * (size_t)(slot[i] - 1);
            if (p[0] == q[0] && p[1] == q[1] && p[2] == q[2])
                break;
        }
        if (slot[i])
            sets_join(up, v, slot[i] - 1);
        else
            slot[i] = v + 1;
    }
    free(slot);
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const uint32_t *c = mesh->triangles + 3 * t;
        sets_join(up, c[0], c[1]);
        sets_join(up, c[1], c[2]);
    }
    return 0;
}

struct shell {
    uint32_t root;
    size_t triangles;
};

static int by_size(const void *a, const void *b)
{
    const struct shell *x = a, *y = b;
    if (x->triangles != y->triangles)
        return x->triangles > y->triangles ? -1 : 1;
    return x->root < y->root ? -1 : x->root > y->root;
}

/* rank[root]: the shell's place by size. Returns how many there are. */
static int rank_shells(size_t *count, uint32_t *rank, uint32_t *up, const struct mesh *mesh,
                       struct err *err)
{
    size_t shells = 0;
    memset(rank, 0, mesh->vertex_count * sizeof *rank);
    for (size_t t = 0; t < mesh->triangle_count; t++)
        shells += rank[sets_find(up, mesh->triangles[3 * t])]++ == 0;
    struct shell *list = malloc((shells + 1) * sizeof *list);
    if (!list)
        return FAIL(err, ERR_LIMIT, "no memory for %zu shells", shells);
    size_t n = 0;
    for (uint32_t v = 0; v < mesh->vertex_count; v++)
        if (rank[v])
            list[n++] = (struct shell){v, rank[v]};
    qsort(list, n, sizeof *list, by_size);
    for (size_t i = 0; i < n; i++)
        rank[list[i].root] = (uint32_t)(i < PARTS_LISTED ? i : PARTS_LISTED - 1);
    free(list);
    *count = n;
    return 0;
}

/* Two walks over the triangles: how many ranges each part has, then the ranges. */
static int collect_ranges(struct part_list *list, const uint32_t *rank, uint32_t *up,
                          const struct mesh *mesh, struct err *err)
{
    for (int fill = 0; fill < 2; fill++) {
        uint32_t last = UINT32_MAX;
        for (size_t t = 0; t < mesh->triangle_count; t++) {
            uint32_t of = rank[sets_find(up, mesh->triangles[3 * t])];
            struct part *part = &list->parts[of];
            if (of != last)
                part->range_count++;
            if (fill && of != last)
                list->ranges[part->first_range + part->range_count - 1].first = t;
            if (fill)
                list->ranges[part->first_range + part->range_count - 1].count++;
            part->triangles += (size_t)fill;
            last = of;
        }
        if (fill)
            return 0;
        for (size_t i = 0; i < list->part_count; i++) {
            list->parts[i].first_range = list->range_count;
            list->range_count += list->parts[i].range_count;
            list->parts[i].range_count = 0;
        }
        list->ranges = calloc(list->range_count + 1, sizeof *list->ranges);
        if (!list->ranges)
            return FAIL(err, ERR_LIMIT, "no memory for %zu ranges", list->range_count);
    }
    return 0;
}

static int by_shells(struct part_list *list, const struct mesh *mesh, struct err *err)
{
    uint32_t *up = malloc((mesh->vertex_count + 1) * sizeof *up);
    uint32_t *rank = malloc((mesh->vertex_count + 1) * sizeof *rank);
    int failed =
        up && rank ? join_all(up, mesh, err) || rank_shells(&list->shell_count, rank, up, mesh, err)
                   : FAIL(err, ERR_LIMIT, "no memory to find shells");
    if (!failed) {
        list->part_count = list->shell_count < PARTS_LISTED ? list->shell_count : PARTS_LISTED;
        list->parts = calloc(list->part_count + 1, sizeof *list->parts);
        failed = list->parts ? collect_ranges(list, rank, up, mesh, err)
                             : FAIL(err, ERR_LIMIT, "no memory for parts");
    }
    for (size_t i = 0; !failed && i < list->part_count; i++) {
        bool rest = i + 1 == PARTS_LISTED && list->shell_count > PARTS_LISTED;
        snprintf(list->parts[i].name, sizeof list->parts[i].name, rest ? "the rest" : "shell %zu",
                 i + 1);
        part_measure(&list->parts[i], list, mesh);
    }
    free(up);
    free(rank);
    return failed ? -1 : 0;
}

int mesh_parts(struct part_list *out, const struct mesh *mesh, const struct skin *skin,
               struct err *err)
{
    struct part_list made = {0};
    int failed = skin && skin->part_count > 1 ? by_names(&made, mesh, skin, err)
                                              : by_shells(&made, mesh, err);
    if (failed)
        parts_free(&made);
    else
        *out = made;
    return failed;
}
