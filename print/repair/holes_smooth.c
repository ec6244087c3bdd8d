/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts faired lids in the place of plain ones where they meet nothing; called by holes.c. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/repair/holes.h"
#include "print/repair/steps.h"

#define NOBODY UINT32_MAX

struct smoother {
    struct mesh *mesh; /* plain lids are triangles base and on, in the order of lids */
    size_t base;
    struct lid *lids;
    struct patch *patches; /* per lid; empty: the plain one stays */
    size_t count;
    uint32_t *ring; /* of all lids */
};

/* Which lid's rim a vertex lies on. A lid that shares a corner with another one stays plain. */
static int own_rims(struct smoother *s, uint32_t **out, struct err *err)
{
    uint32_t *owner = malloc((s->mesh->vertex_count + 1) * sizeof *owner);
    if (!owner)
        return FAIL(err, ERR_LIMIT, "no memory for the rims of %zu holes", s->count);
    memset(owner, 0xff, s->mesh->vertex_count * sizeof *owner);
    for (uint32_t l = 0; l < s->count; l++)
        for (size_t i = 0; i < s->lids[l].corners; i++) {
            uint32_t *o = &owner[s->lids[l].loop[i]];
            if (*o != NOBODY && *o != l)
                s->lids[*o].plain = s->lids[l].plain = true;
            *o = l;
        }
    *out = owner;
    return 0;
}

/* The lids that have triangle t in their ring, each once. */
static size_t rings_of(uint32_t out[3], const struct smoother *s, const uint32_t *owner, size_t t)
{
    size_t count = 0;
    for (size_t c = 0; c < 3; c++) {
        uint32_t l = owner[s->mesh->triangles[3 * t + c]];
        bool known = l == NOBODY || s->lids[l].plain;
        for (size_t i = 0; i < count; i++)
            known |= out[i] == l;
        if (!known)
            out[count++] = l;
    }
    return count;
}

static int find_rings(struct smoother *s, struct err *err)
{
    uint32_t *owner = NULL, lids[3];
    if (own_rims(s, &owner, err))
        return -1;
    size_t whole = 0;
    for (size_t t = 0; t < s->base; t++) {
        size_t n = rings_of(lids, s, owner, t);
        for (size_t i = 0; i < n; i++)
            s->lids[lids[i]].ring_count++;
        whole += n;
    }
    s->ring = malloc((whole + 1) * sizeof *s->ring);
    if (!s->ring) {
        free(owner);
        return FAIL(err, ERR_LIMIT, "no memory for the rims of %zu holes", s->count);
    }
    uint32_t *at = s->ring;
    for (size_t l = 0; l < s->count; l++) {
        s->lids[l].mesh = s->mesh;
        s->lids[l].ring = at;
        at += s->lids[l].ring_count;
        s->lids[l].ring_count = 0;
    }
    for (uint32_t t = 0; t < s->base; t++) {
        size_t n = rings_of(lids, s, owner, t);
        for (size_t i = 0; i < n; i++) {
            struct lid *l = &s->lids[lids[i]];
            ((uint32_t *)l->ring)[l->ring_count++] = t;
        }
    }
    free(owner);
    return 0;
}

/* The mesh with the lids that are now chosen; lid_of says whose each triangle from base on is. */
static int assemble(struct mesh *out, uint32_t **lid_of, const struct smoother *s, struct err *err)
{
    size_t vertices = s->mesh->vertex_count, triangles = s->base, plain = 0;
    for (size_t l = 0; l < s->count; l++) {
        const struct patch *p = &s->patches[l];
        plain += s->lids[l].count;
        vertices += p->count ? p->vertices - p->rim : 0;
        triangles += p->count ? p->count : s->lids[l].count;
    }
    const size_t rest = s->mesh->triangle_count - s->base - plain; /* proposals */
    *lid_of = malloc((triangles - s->base + 1) * sizeof **lid_of);
    if (!*lid_of)
        return FAIL(err, ERR_LIMIT, "no memory for smooth lids");
    if (mesh_alloc(out, vertices, triangles + rest, err))
        return -1;
    memcpy(out->xyz, s->mesh->xyz, 3 * s->mesh->vertex_count * sizeof *out->xyz);
    memcpy(out->triangles, s->mesh->triangles, 3 * s->base * sizeof *out->triangles);
    uint32_t *t = out->triangles + 3 * s->base, *of = *lid_of,
             next = (uint32_t)s->mesh->vertex_count;
    for (uint32_t l = 0; l < s->count; l++) {
        const struct patch *p = &s->patches[l];
        const size_t n = p->count ? p->count : s->lids[l].count;
        for (size_t i = 0; i < n; i++)
            *of++ = l;
        if (!p->count)
            memcpy(t, s->lids[l].triangles, 3 * n * sizeof *t);
        for (size_t h = 0; h < 3 * p->count; h++) {
            uint32_t v = p->triangles[h];
            t[h] = v < p->rim ? s->lids[l].loop[v] : next + v - (uint32_t)p->rim;
        }
        for (size_t v = p->rim; v < p->vertices; v++)
            mesh_point_set(out, next++, p->at[v]);
        t += 3 * n;
    }
    memcpy(t, s->mesh->triangles + 3 * (s->base + plain), 3 * rest * sizeof *t);
    return 0;
}

struct box {
    float low[3], high[3];
};

static void box_add(struct box *b, const struct mesh *mesh, size_t t)
{
    for (size_t c = 0; c < 3; c++)
        for (int k = 0; k < 3; k++) {
            float x = mesh->xyz[3 * (size_t)mesh->triangles[3 * t + c] + (size_t)k];
            b->low[k] = fminf(b->low[k], x);
            b->high[k] = fmaxf(b->high[k], x);
        }
}

static const struct box nothing = {{INFINITY, INFINITY, INFINITY},
                                   {-INFINITY, -INFINITY, -INFINITY}};

/* The triangles near smooth lids, those of the lids among them marked by lid + 1. */
static int near_lids(struct mesh *near, uint32_t *mark, const struct mesh *whole,
                     const struct smoother *s, const uint32_t *lid_of, size_t lid_end,
                     struct err *err)
{
    struct box *boxes = malloc((s->count + 1) * sizeof *boxes);
    if (!boxes)
        return FAIL(err, ERR_LIMIT, "no memory for smooth lids");
    size_t used = 0;
    uint32_t last = NOBODY;
    for (size_t t = s->base; t < lid_end; t++) {
        uint32_t l = lid_of[t - s->base];
        if (!s->patches[l].count)
            continue;
        if (l != last)
            boxes[used++] = nothing;
        last = l;
        box_add(&boxes[used - 1], whole, t);
    }
    near->triangle_count = 0;
    for (size_t t = 0; t < whole->triangle_count; t++) {
        struct box b = nothing;
        bool meets = false;
        box_add(&b, whole, t);
        for (size_t i = 0; i < used && !meets; i++) {
            meets = true;
            for (int k = 0; k < 3; k++)
                meets &= b.low[k] <= boxes[i].high[k] && b.high[k] >= boxes[i].low[k];
        }
        if (!meets)
            continue;
        bool smooth = t >= s->base && t < lid_end && s->patches[lid_of[t - s->base]].count;
        mark[near->triangle_count] = smooth ? lid_of[t - s->base] + 1 : 0;
        memcpy(near->triangles + 3 * near->triangle_count++, whole->triangles + 3 * t,
               3 * sizeof *near->triangles);
    }
    free(boxes);
    return 0;
}

/* Gives up smooth lids that meet anything. Result 1: there were such. */
static int give_up_meeting(struct smoother *s, const struct mesh *near, const uint32_t *mark,
                           struct err *err)
{
    struct bvh bvh = {0};
    struct bvh_pairs pairs = {0};
    bool gave = false;
    uint8_t *dirty = malloc(near->triangle_count + 1);
    int failed = dirty ? bvh_build(&bvh, near, err) : FAIL(err, ERR_LIMIT, "no memory for lids");
    for (size_t t = 0; !failed && t < near->triangle_count; t++)
        dirty[t] = mark[t] > 0;
    struct bvh_pair_options options = {.max_tests = SIZE_MAX, .dirty = dirty, .copies = true};
    if (!failed)
        failed = bvh_meeting_pairs(&pairs, &bvh, &options, err);
    for (size_t i = 0; !failed && i < pairs.count; i++)
        for (int k = 0; k < 2; k++) {
            uint32_t l = mark[pairs.pair[i][k]];
            if (l && s->patches[l - 1].count) {
                patch_free(&s->patches[l - 1]);
                gave = true;
            }
        }
    bvh_pairs_free(&pairs);
    bvh_free(&bvh);
    free(dirty);
    return failed ? -1 : gave;
}

static int check(struct smoother *s, const struct mesh *whole, const uint32_t *lid_of,
                 struct err *err)
{
    struct mesh near = *whole;
    size_t lid_end = s->base;
    for (size_t l = 0; l < s->count; l++)
        lid_end += s->patches[l].count ? s->patches[l].count : s->lids[l].count;
    near.triangles = malloc((3 * whole->triangle_count + 1) * sizeof *near.triangles);
    uint32_t *mark = malloc((whole->triangle_count + 1) * sizeof *mark);
    int failed = near.triangles && mark ? near_lids(&near, mark, whole, s, lid_of, lid_end, err)
                                        : FAIL(err, ERR_LIMIT, "no memory for smooth lids");
    if (!failed)
        failed = give_up_meeting(s, &near, mark, err);
    free(near.triangles);
    free(mark);
    return failed;
}

static int make_patches(struct smoother *s, bool *any, struct err *err)
{
    int failed = find_rings(s, err);
    for (size_t l = 0; failed >= 0 && l < s->count; l++) {
        failed = patch_make(&s->patches[l], &s->lids[l], err);
        *any |= failed == 0;
    }
    return failed < 0 ? -1 : 0;
}

int lids_smooth(struct mesh *mesh, size_t base, struct lid *lids, size_t count, size_t *smooth,
                struct err *err)
{
    struct smoother s = {.mesh = mesh, .base = base, .lids = lids, .count = count};
    bool any = false;
    *smooth = 0;
    s.patches = calloc(count + 1, sizeof *s.patches);
    int failed = s.patches ? make_patches(&s, &any, err)
                           : FAIL(err, ERR_LIMIT, "no memory for %zu lids", count);
    for (failed = failed || !any ? failed : 1; failed == 1;) {
        struct mesh trial = {0};
        uint32_t *lid_of = NULL;
        failed = assemble(&trial, &lid_of, &s, err);
        if (!failed)
            failed = check(&s, &trial, lid_of, err);
        if (!failed) {
            struct mesh other = *mesh;
            *mesh = trial;
            trial = other;
        }
        mesh_free(&trial);
        free(lid_of);
    }
    for (size_t l = 0; s.patches && l < count; l++) {
        *smooth += s.patches[l].count > 0;
        patch_free(&s.patches[l]);
    }
    free(s.patches);
    free(s.ring);
    return failed;
}
