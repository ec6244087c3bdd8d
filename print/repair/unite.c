/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Union and subtraction of closed shells: arrange, outline, part what only touches, look again. */
#include "print/repair/solid.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/measure/sets.h"
#include "print/repair/arrange.h"
#include "print/repair/outline.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"

#define MAX_ROUNDS 8
#define HOPELESS 100000 /* pairs that still meet: no solid with some triangles stuck */
#define MOST_APART ((size_t)20000000) /* tests of pairs */
#define GAP_SHARE 0.1                 /* of a shell's surface */
#define NUDGE 1e-5 /* of the size: a micrometre on 100 mm, a hundred float steps there */

void mesh_turn(struct mesh *mesh)
{
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        uint32_t *v = mesh->triangles + 3 * t, other = v[1];
        v[1] = v[2];
        v[2] = other;
    }
}

int mesh_append(struct mesh *to, const struct mesh *from, bool inside_out, struct err *err)
{
    if (mesh_grow(to, from->vertex_count, from->triangle_count, err))
        return -1;
    struct mesh added = {.xyz = to->xyz + 3 * to->vertex_count,
                         .triangles = to->triangles + 3 * to->triangle_count,
                         .triangle_count = from->triangle_count};
    if (from->vertex_count) /* an empty mesh has no array */
        memcpy(added.xyz, from->xyz, from->vertex_count * 3 * sizeof *added.xyz);
    for (size_t h = 0; h < 3 * from->triangle_count; h++)
        added.triangles[h] = from->triangles[h] + (uint32_t)to->vertex_count;
    if (inside_out)
        mesh_turn(&added);
    to->vertex_count += from->vertex_count;
    to->triangle_count += from->triangle_count;
    return 0;
}

/* One round's view of the mesh. */
struct unite {
    struct mesh *mesh;
    const uint8_t *kind; /* of the triangles before they are arranged; NULL after the first round */
    struct mesh *loose;
    double size_mm;
    struct unite_counts counts;
    struct arrange_counts arranged;
    uint64_t tests; /* in all rounds */
    struct err *err;
};

/* What the triangles of the arranged mesh were before. */
struct pieces {
    struct mesh *before;
    uint32_t *from;
    uint8_t *kind;   /* NULL: all are faces */
    uint8_t *apart;  /* those that still meet others; NULL: none */
    size_t arranged; /* pieces; beyond are lids over cracks */
};

/* *solid: nothing met anything and all is closed; *single: nor is there a second shell to judge. */
static int look(struct unite *u, bool *solid, bool *single)
{
    struct topology t;
    *solid = *single = false;
    if (u->arranged.pairs || u->arranged.left || u->kind || u->mesh->triangle_count == 0)
        return 0;
    if (topology_build(&t, u->mesh, u->err))
        return -1;
    *solid = topology_is_solid(&t);
    *single = *solid && t.shells == 1 && mesh_volume(u->mesh) > 0;
    topology_free(&t);
    return 0;
}

/* Whole triangles where no piece is part of the outline, else the loose pieces: the fewer cuts, the
 * fewer patches. */
static int keep_loose(struct unite *u, const struct pieces *p, const uint8_t *fate)
{
    const size_t pieces = u->mesh->triangle_count, wholes = p->before->triangle_count;
    uint8_t *keep = calloc(wholes + pieces + 1, 1), *cut = calloc(wholes + 1, 1);
    int failed = keep && cut ? mesh_copy(u->loose, p->before, u->err)
                             : FAIL(u->err, ERR_LIMIT, "no memory for loose triangles");
    if (!failed)
        failed = mesh_append(u->loose, u->mesh, false, u->err);
    for (size_t t = 0; !failed && t < p->arranged; t++)
        cut[p->from[t]] |= fate[t] == OUTLINE_KEPT || fate[t] == OUTLINE_TURNED;
    for (size_t t = 0; !failed && t < p->arranged; t++)
        if (fate[t] == OUTLINE_LOOSE && !(p->kind && p->kind[t] == SOLID_LID))
            keep[cut[p->from[t]] ? wholes + t : p->from[t]] = 1;
    if (!failed)
        failed = mesh_keep(u->loose, keep, u->err);
    free(keep);
    free(cut);
    return failed;
}

/* Edge-connected groups among the inner pieces. */
static int count_hidden(struct unite *u, const uint8_t *fate)
{
    struct edge_list edges;
    const size_t n = u->mesh->triangle_count;
    uint32_t *part = malloc((n + 1) * sizeof *part);
    if (!part || edge_list_build(&edges, u->mesh, u->err)) {
        free(part);
        return FAIL(u->err, ERR_LIMIT, "no memory for hidden parts");
    }
    for (uint32_t t = 0; t < n; t++)
        part[t] = t;
    for (size_t e = 0; e < edges.edge_count; e++) {
        uint32_t last = UINT32_MAX;
        for (uint32_t i = edges.starts[e]; i < edges.starts[e + 1]; i++) {
            uint32_t t = edges.halfedges[i] / 3;
            if (fate[t] != OUTLINE_INNER)
                continue;
            if (last != UINT32_MAX)
                sets_join(part, last, t);
            last = t;
        }
    }
    for (uint32_t t = 0; t < n; t++)
        u->counts.hidden += fate[t] == OUTLINE_INNER && sets_find(part, t) == t;
    edge_list_free(&edges);
    free(part);
    return 0;
}

/* Keeps the outline; returns 1 when that was all there was. */
static int keep_outline(struct unite *u, const struct pieces *p, const struct bvh *winding)
{
    const size_t n = u->mesh->triangle_count;
    uint8_t *fate = malloc(n + 1);
    size_t count[5] = {0};
    int failed = fate ? mesh_outline(fate, u->mesh, p->kind, p->apart, winding, u->err)
                      : FAIL(u->err, ERR_LIMIT, "no memory to judge %zu triangles", n);
    for (size_t t = 0; !failed && t < n; t++)
        count[fate[t]]++;
    if (!failed && u->loose && count[OUTLINE_LOOSE])
        failed = keep_loose(u, p, fate);
    if (!failed && count[OUTLINE_INNER])
        failed = count_hidden(u, fate);
    for (size_t t = 0; !failed && t < n; t++)
        fate[t] = fate[t] == OUTLINE_KEPT || fate[t] == OUTLINE_TURNED;
    if (!failed && count[OUTLINE_KEPT] < n)
        failed = mesh_keep(u->mesh, fate, u->err);
    u->counts.inner += count[OUTLINE_INNER];
    u->counts.loose += count[OUTLINE_LOOSE];
    u->counts.turned += count[OUTLINE_TURNED];
    free(fate);
    return failed ? -1 : count[OUTLINE_KEPT] == n;
}

/* The winding number is that of the faces as they were before they were cut. */
static int outline(struct unite *u, const struct pieces *p)
{
    struct bvh winding = {0};
    struct mesh faces = *p->before;
    faces.triangles = malloc((3 * faces.triangle_count + 1) * sizeof *faces.triangles);
    faces.triangle_count = 0;
    if (!faces.triangles)
        return FAIL(u->err, ERR_LIMIT, "no memory for faces");
    for (size_t t = 0; t < p->before->triangle_count; t++)
        if (!u->kind || u->kind[t] == SOLID_FACE)
            memcpy(faces.triangles + 3 * faces.triangle_count++, p->before->triangles + 3 * t,
                   3 * sizeof *faces.triangles);
    int failed = bvh_build(&winding, &faces, u->err);
    if (!failed)
        failed = bvh_add_dipoles(&winding, u->err);
    if (!failed)
        failed = keep_outline(u, p, &winding);
    bvh_free(&winding);
    free(faces.triangles);
    return failed;
}

/* 0 nothing is left to part, 1 changed. */
static int part(struct unite *u, int round)
{
    size_t edges, vertices;
    double nudge = NUDGE * (1 + 0.3 * round) * u->size_mm;
    if (mesh_split_nonmanifold(u->mesh, nudge, &edges, &vertices, u->err))
        return -1;
    u->counts.doubled += edges + vertices;
    return 1;
}

static int kinds_of_pieces(uint8_t **out, const struct unite *u, const uint32_t *from)
{
    *out = NULL;
    if (!u->kind)
        return 0;
    *out = malloc(u->mesh->triangle_count + 1);
    if (!*out)
        return FAIL(u->err, ERR_LIMIT, "no memory for the kinds of triangles");
    for (size_t t = 0; t < u->mesh->triangle_count; t++)
        (*out)[t] = u->kind[from[t]];
    return 0;
}

/* Where the arrangement gave up. */
static int find_apart(struct unite *u, struct pieces *p)
{
    struct bvh bvh = {0};
    struct bvh_pairs pairs = {0};
    struct bvh_pair_options options = {.max_tests = MOST_APART};
    if (u->arranged.left == 0)
        return 0;
    p->apart = calloc(u->mesh->triangle_count + 1, 1);
    int failed = p->apart ? bvh_build(&bvh, u->mesh, u->err)
                          : FAIL(u->err, ERR_LIMIT, "no memory for what meets");
    if (!failed)
        failed = bvh_meeting_pairs(&pairs, &bvh, &options, u->err);
    for (size_t i = 0; !failed && i < 2 * pairs.count; i++)
        p->apart[pairs.pair[i / 2][i % 2]] = 1;
    bvh_pairs_free(&pairs);
    bvh_free(&bvh);
    return failed;
}

/* Lids that part cells and no more. */
static int close_cracks(struct unite *u, uint8_t **kind)
{
    size_t before = u->mesh->triangle_count;
    if (mesh_close_cracks(u->mesh, NUDGE * u->size_mm, u->err))
        return -1;
    size_t after = u->mesh->triangle_count;
    if (after == before)
        return 0;
    uint8_t *grown = realloc(*kind, after);
    if (!grown)
        return FAIL(u->err, ERR_LIMIT, "no memory for the kinds of triangles");
    if (!*kind)
        memset(grown, SOLID_FACE, before);
    memset(grown + before, SOLID_HIDDEN, after - before);
    *kind = grown;
    return 0;
}

/* Neighbours that were judged apart may have been judged differently. */
static int close_gaps(struct unite *u)
{
    struct hole_counts holes;
    return mesh_fill_holes(u->mesh, GAP_SHARE, &holes, u->err);
}

/* 0: a solid without crossings; 1: changed, to be looked at again. */
static int judge_round(struct unite *u, struct pieces *p, int round)
{
    bool solid, single;
    p->arranged = u->mesh->triangle_count;
    if (kinds_of_pieces(&p->kind, u, p->from) || look(u, &solid, &single))
        return -1;
    if (round == 0) {
        u->counts.crossings = u->arranged.pairs;
        u->counts.cut = u->arranged.cut;
    }
    if (solid && (single || round > 0))
        return 0;
    if (!solid && (close_cracks(u, &p->kind) || find_apart(u, p)))
        return -1;
    int same = outline(u, p);
    if (same >= 0 && p->apart && close_gaps(u))
        return -1;
    return same < 0 ? -1 : same == 1 && solid ? 0 : part(u, round);
}

static int round_of(struct unite *u, int round)
{
    struct mesh before = {0};
    struct pieces p = {.before = &before};
    int failed = mesh_copy(&before, u->mesh, u->err);
    if (!failed)
        failed = mesh_arrange(u->mesh, &p.from, &u->arranged, u->err);
    u->tests += u->arranged.tests;
    if (!failed)
        failed = judge_round(u, &p, round);
    free(p.from);
    free(p.kind);
    free(p.apart);
    mesh_free(&before);
    u->kind = NULL;
    u->loose = NULL;
    return failed;
}

int mesh_solidify(struct mesh *mesh, const uint8_t *kind, struct mesh *loose, double size_mm,
                  struct unite_counts *counts, struct err *err)
{
    struct unite u = {.mesh = mesh, .kind = kind, .loose = loose, .size_mm = size_mm, .err = err};
    int more = 1;
    while (more == 1 && u.counts.rounds < MAX_ROUNDS && mesh->triangle_count &&
           u.tests < ARRANGE_MOST_TESTS && u.arranged.left < HOPELESS) {
        more = round_of(&u, (int)u.counts.rounds);
        u.counts.rounds += more == 1;
        /* What rounding brought together is one vertex for every reader. */
        if (more == 1 && mesh_weld_exact(mesh, NULL, err))
            more = -1;
        if (more == 1 && mesh_drop_degenerate(mesh) && mesh_compact(mesh, err))
            more = -1;
    }
    if (counts)
        *counts = u.counts;
    return more < 0 ? -1 : more > 0 || mesh->triangle_count == 0;
}

int mesh_unite(struct mesh *mesh, double size_mm, struct unite_counts *counts, struct err *err)
{
    if (mesh_weld_exact(mesh, NULL, err))
        return -1;
    mesh_drop_degenerate(mesh);
    if (mesh_compact(mesh, err))
        return -1;
    return mesh_solidify(mesh, NULL, NULL, size_mm, counts, err);
}
