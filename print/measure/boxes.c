/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fits the boxes by fours, level by level. */
#include "print/measure/boxes.h"

#include <stdlib.h>

#define FEW 20000 /* triangles: below this one thread is as fast */

static inline float least(float a, float b)
{
    return a < b ? a : b;
}

static inline float greatest(float a, float b)
{
    return a > b ? a : b;
}

static void fit_triangle(struct boxes_four *node, int i, const struct bvh_triangle *t)
{
    for (int k = 0; k < 3; k++) {
        float x = t->at[0][k], y = t->at[1][k], z = t->at[2][k];
        node->low[k][i] = least(least(x, y), z);
        node->high[k][i] = greatest(greatest(x, y), z);
    }
}

static void fit_node(struct boxes_four *node, int i, const struct boxes_four *below)
{
    for (int k = 0; k < 3; k++) {
        four l = below->low[k], h = below->high[k];
        node->low[k][i] = least(least(l[0], l[1]), least(l[2], l[3]));
        node->high[k][i] = greatest(greatest(h[0], h[1]), greatest(h[2], h[3]));
    }
}

static void fit_level(struct boxes *boxes, int level, const struct bvh *bvh)
{
    size_t below = level ? boxes->count[level - 1] : bvh->mesh->triangle_count;
#pragma omp parallel for schedule(static) if (4 * boxes->count[level] > FEW)
    for (size_t n = 0; n < boxes->count[level]; n++) {
        struct boxes_four *node = &boxes->level[level][n];
        for (int k = 0; k < 3; k++) {
            node->low[k] = (four){INFINITY, INFINITY, INFINITY, INFINITY};
            node->high[k] = -node->low[k];
        }
        for (size_t i = 0; i < 4 && 4 * n + i < below; i++)
            if (level)
                fit_node(node, (int)i, &boxes->level[level - 1][4 * n + i]);
            else
                fit_triangle(node, (int)i, &bvh->corners[4 * n + i]);
    }
}

struct boxes *boxes_build(const struct bvh *bvh)
{
    struct boxes *made = calloc(1, sizeof *made);
    size_t total = 0;
    if (!made)
        return NULL;
    for (size_t n = bvh->mesh->triangle_count; made->levels == 0 || n > 1; made->levels++) {
        n = n ? (n + 3) / 4 : 1;
        made->count[made->levels] = n;
        total += n;
    }
    made->nodes = malloc(total * sizeof *made->nodes);
    if (!made->nodes) {
        free(made);
        return NULL;
    }
    struct boxes_four *at = made->nodes;
    for (int level = 0; level < made->levels; level++) {
        made->level[level] = at;
        at += made->count[level];
        fit_level(made, level, bvh);
    }
    return made;
}

void boxes_free(struct boxes *boxes)
{
    if (!boxes)
        return;
    free(boxes->nodes);
    free(boxes);
}
