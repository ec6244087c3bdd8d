/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of the rungs, and the check after them; see repair.h. */
#include "print/repair/repair.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/leaks.h"
#include "print/repair/outline.h"
#include "print/repair/places.h"
#include "print/repair/repair_ladder.h"

/* A lid of over a third of its shell's surface closes a sheet upon itself. */
#define LID_SHARE 0.35
#define FILM 2e-5 /* of the size: thinner than doubled corners are moved apart */

void ladder_done(const struct ladder *l, const char *name, bool changed)
{
    if (l->options->on_step)
        l->options->on_step(l->options->user, name, changed);
}

/* Boundary and non-manifold edges of a mesh: what a weld should make fewer. */
static int badness(const struct mesh *mesh, size_t *bad, bool *solid, struct err *err)
{
    struct topology t;
    if (topology_build(&t, mesh, err))
        return -1;
    *bad = t.boundary_edges + 2 * t.nonmanifold_edges + t.inconsistent_edges;
    *solid = topology_is_solid(&t) && mesh->triangle_count > 0;
    topology_free(&t);
    return 0;
}

static int weld_near(struct ladder *l, size_t *bad, bool *solid)
{
    struct mesh trial;
    struct clean_counts cleaned;
    size_t merged, after;
    bool now_solid;
    if (mesh_copy(&trial, l->mesh, l->err))
        return -1;
    int failed = mesh_weld_near(&trial, 1e-6 * l->options->size_mm, &merged, l->err) ||
                 mesh_clean(&trial, &cleaned, l->err) ||
                 badness(&trial, &after, &now_solid, l->err);
    if (!failed && after < *bad) {
        struct mesh other = *l->mesh;
        *l->mesh = trial;
        trial = other;
        l->counts->welded += merged;
        *bad = after;
        *solid = now_solid;
        ladder_done(l, "weld_near", true);
    }
    mesh_free(&trial);
    return failed ? -1 : 0;
}

/* Charts that miss one another by a little. */
static int weld_rims(struct ladder *l, size_t *bad, bool *solid)
{
    size_t merged;
    if (mesh_weld_rims(l->mesh, l->options->size_mm, &merged, l->err))
        return -1;
    l->counts->welded += merged;
    if (merged)
        ladder_done(l, "weld_near", true);
    return merged ? badness(l->mesh, bad, solid, l->err) : 0;
}

/* Faces both ways at once: taken out of the winding, kept as a surface that may be seen. */
static int take_twosided(struct ladder *l)
{
    const size_t n = l->mesh->triangle_count;
    int32_t *net = malloc((n + 1) * sizeof *net);
    uint8_t *keep = malloc(n + 1);
    int failed = net && keep ? mesh_count_sides(net, l->mesh, l->err)
                             : FAIL(l->err, ERR_LIMIT, "no memory to compare triangles");
    size_t cancelled = 0;
    for (size_t t = 0; !failed && t < n; t++)
        cancelled += keep[t] = net[t] == 0;
    if (!failed && cancelled)
        failed = mesh_copy(&l->twosided, l->mesh, l->err) || mesh_keep(&l->twosided, keep, l->err);
    free(net);
    free(keep);
    return failed ? -1 : 0;
}

static int weld_and_clean(struct ladder *l, size_t *bad, bool *solid)
{
    struct clean_counts cleaned = {0};
    if (mesh_weld_exact(l->mesh, &l->counts->welded, l->err))
        return -1;
    ladder_done(l, "weld", l->counts->welded > 0);
    cleaned.degenerate = mesh_drop_degenerate(l->mesh);
    if (badness(l->mesh, bad, solid, l->err))
        return -1;
    if (!*solid) {
        size_t degenerate = cleaned.degenerate;
        if (take_twosided(l) || mesh_clean(l->mesh, &cleaned, l->err) ||
            badness(l->mesh, bad, solid, l->err))
            return -1;
        cleaned.degenerate += degenerate;
    } else if (mesh_compact(l->mesh, l->err)) {
        return -1;
    }
    l->counts->cleaned = cleaned;
    ladder_done(l, "clean", cleaned.degenerate + cleaned.duplicate > 0);
    if (*bad && weld_near(l, bad, solid))
        return -1;
    return *bad ? weld_rims(l, bad, solid) : 0;
}

static int set_kinds(struct ladder *l, size_t from, size_t to, uint8_t kind)
{
    uint8_t *grown = realloc(l->kind, to + 1);
    if (!grown)
        return FAIL(l->err, ERR_LIMIT, "no memory for %zu triangles", to);
    if (!l->kind)
        memset(grown, SOLID_FACE, from);
    memset(grown + from, kind, to - from);
    l->kind = grown;
    return 0;
}

static int face_outward(struct ladder *l, bool solid)
{
    size_t turned;
    if (mesh_orient_patches(l->mesh, &l->counts->flipped, l->err) ||
        (!solid && mesh_take_films(&l->twosided, l->mesh, FILM * l->options->size_mm, l->err)) ||
        set_kinds(l, 0, l->mesh->triangle_count, SOLID_FACE) ||
        mesh_face_outward(l->mesh, l->kind, &turned, l->err))
        return -1;
    l->counts->shells.turned = turned;
    ladder_done(l, "orient", l->counts->flipped + turned > 0);
    return 0;
}

/* No triangle has a neighbour. */
static bool all_lone(const struct ladder *l)
{
    return l->mesh->vertex_count >= 3 * l->mesh->triangle_count;
}

static int fill(struct ladder *l)
{
    size_t before = l->mesh->triangle_count;
    if (all_lone(l)) {
        /* The lid of each would be the same triangle once more: four times the meetings. */
        l->counts->holes.left = before;
        ladder_done(l, "fill_holes", false);
        return 0;
    }
    if (mesh_fill_holes(l->mesh, LID_SHARE, &l->counts->holes, l->err))
        return -1;
    size_t sure = l->mesh->triangle_count - l->counts->holes.proposed;
    ladder_done(l, "fill_holes", l->counts->holes.filled > 0);
    if (sure > before && places_note(l->counts, "fill_holes", l->mesh, NULL, before, l->err))
        return -1;
    return set_kinds(l, before, sure, SOLID_FACE) ||
                   set_kinds(l, sure, l->mesh->triangle_count, SOLID_LID)
               ? -1
               : 0;
}

static int add_twosided(struct ladder *l)
{
    size_t before = l->mesh->triangle_count;
    if (l->twosided.triangle_count == 0)
        return 0;
    if (mesh_append(l->mesh, &l->twosided, false, l->err) ||
        set_kinds(l, before, l->mesh->triangle_count, SOLID_SHEET))
        return -1;
    return mesh_weld_exact(l->mesh, NULL, l->err);
}

static bool all_faces(const struct ladder *l)
{
    for (size_t t = 0; l->kind && t < l->mesh->triangle_count; t++)
        if (l->kind[t] != SOLID_FACE)
            return false;
    return true;
}

static int tree_with_dipoles(struct bvh *bvh, const struct mesh *mesh, struct err *err)
{
    return bvh_build(bvh, mesh, err) || bvh_add_dipoles(bvh, err) ? -1 : 0;
}

int ladder_give_way(const struct ladder *l, int failed)
{
    return failed < 0 && l->err && strcmp(l->err->code, "mesh_too_tangled") == 0 ? 1 : failed;
}

/* What the outline left out but the eye can see gets a wall. */
static int thicken(struct ladder *l, struct mesh *loose, const struct mesh *seen)
{
    struct bvh solid = {0}, before = {0};
    struct unite_counts counts;
    bool any = l->mesh->triangle_count > 0;
    int failed = bvh_build(&before, seen, l->err);
    if (!failed && any)
        failed = tree_with_dipoles(&solid, l->mesh, l->err);
    if (!failed)
        failed = mesh_thicken_sheets(loose, any ? &solid : NULL, &before, l->wall_mm,
                                     &l->counts->sheets, l->err);
    bvh_free(&solid);
    bvh_free(&before);
    if (failed || loose->triangle_count == 0)
        return failed;
    l->counts->thickened = true;
    size_t first = l->mesh->triangle_count;
    if (mesh_append(l->mesh, loose, false, l->err) ||
        places_note(l->counts, "thicken_sheets", l->mesh, NULL, first, l->err))
        return -1;
    bool tangled = true;
    if (mesh_is_tangled(&tangled, l->mesh, LADDER_MOST_SQUARES, l->err))
        return -1;
    failed = tangled ? 1 : mesh_unite(l->mesh, l->options->size_mm, &counts, l->err);
    ladder_done(l, "thicken_sheets", !tangled);
    return ladder_give_way(l, failed);
}

/* The triangles that cutting and turning made. */
static int note_united(struct ladder *l, const struct mesh *before)
{
    uint8_t *made = malloc(l->mesh->triangle_count + 1);
    int failed = made ? places_made(made, l->mesh, before, l->err)
                      : FAIL(l->err, ERR_LIMIT, "no memory for places");
    if (!failed)
        failed = places_note(l->counts, "unite", l->mesh, made, 0, l->err);
    free(made);
    return failed;
}

/* 0 solid, 1 not: arrange, outline, and walls for what was lost. */
static int unite(struct ladder *l)
{
    struct mesh loose = {0}, seen = {0};
    bool faces = all_faces(l), tangled = false;
    /* Walls on lone triangles, which enclose nothing without, have eight triangles each. */
    double most = all_lone(l) ? 3 * LADDER_MOST_SQUARES / 8 : 3 * LADDER_MOST_SQUARES;
    /* In a larger mesh the search costs more than what it may save. */
    if (l->mesh->triangle_count <= LADDER_MOST_PLATES &&
        mesh_is_tangled(&tangled, l->mesh, most, l->err))
        return -1;
    if (tangled)
        return 1;
    int failed = mesh_copy(&seen, l->mesh, l->err);
    if (!failed)
        failed = mesh_solidify(l->mesh, faces ? NULL : l->kind, &loose, l->options->size_mm,
                               &l->counts->united, l->err);
    failed = ladder_give_way(l, failed);
    if (failed >= 0)
        ladder_done(l, "unite", l->counts->united.rounds > 0);
    if (failed >= 0 && l->counts->united.rounds && note_united(l, &seen))
        failed = -1;
    if (failed >= 0 && loose.triangle_count) {
        /* Lids are no part of what was seen. */
        size_t n = 0;
        for (size_t t = 0; !faces && t < seen.triangle_count; t++)
            if (l->kind[t] != SOLID_LID)
                memmove(seen.triangles + 3 * n++, seen.triangles + 3 * t, 3 * sizeof(uint32_t));
        seen.triangle_count = n;
        int walls = thicken(l, &loose, faces ? &loose : &seen);
        failed = walls < 0 ? -1 : l->counts->thickened ? walls : failed;
    }
    mesh_free(&loose);
    mesh_free(&seen);
    return failed;
}

static int sort(struct ladder *l)
{
    size_t turned = l->counts->shells.turned;
    if (mesh_sort_shells(l->mesh, l->line_mm, &l->counts->shells, l->err))
        return -1;
    ladder_done(l, "sort_shells", l->counts->shells.debris + l->counts->shells.hidden > 0);
    l->counts->shells.turned = turned;
    l->counts->shells.hidden += l->counts->united.hidden;
    return 0;
}

/* Closed shells that all face outward need no look at their sides. */
static int look_at_shells(struct ladder *l, bool solid, bool *facing, size_t *shells)
{
    struct topology t;
    if (topology_build(&t, l->mesh, l->err))
        return -1;
    double *volume = calloc(t.shells + 1, sizeof *volume);
    int failed = volume ? 0 : FAIL(l->err, ERR_LIMIT, "no memory for %zu shells", t.shells);
    struct vec origin = {0};
    if (l->mesh->triangle_count)
        origin = mesh_corner(l->mesh, 0, 0);
    for (size_t i = 0; !failed && i < l->mesh->triangle_count; i++)
        volume[t.shell[i]] +=
            vec_dot(vec_sub(mesh_corner(l->mesh, i, 0), origin), mesh_normal2(l->mesh, i));
    *facing = !solid;
    for (size_t i = 0; !failed && i < t.shells; i++)
        *facing |= volume[i] < 0;
    *shells = t.shells;
    free(volume);
    topology_free(&t);
    return failed;
}

/* Result 1 of it: a hollow that cannot be filled cleanly stays, and the mesh is sound as it was. */
static int close_leaks(struct ladder *l)
{
    int closed = mesh_close_leaks(l->mesh, 0, &l->counts->leaks, l->err);
    if (closed < 0)
        return -1;
    ladder_done(l, "close_leaks", l->counts->leaks.hollow_mm3 > 0);
    return 0;
}

static int climb(struct ladder *l)
{
    size_t bad = 0;
    bool solid = false, facing;
    size_t shells;
    if (weld_and_clean(l, &bad, &solid))
        return -1;
    if (l->mesh->triangle_count + l->twosided.triangle_count == 0)
        return 1;
    if (look_at_shells(l, solid, &facing, &shells) || (facing && face_outward(l, solid)))
        return -1;
    struct mesh given = {0};
    if (mesh_copy(&given, l->mesh, l->err))
        return -1;
    double lost = 0;
    int failed = (!solid && fill(l)) || add_twosided(l) ? -1 : unite(l);
    if (!failed && l->counts->united.rounds)
        failed = ladder_lost_share(&lost, l, &given);
    if (given.triangle_count && (failed == 1 || (!failed && lost > LADDER_MOST_LOST)))
        failed = ladder_fall_back(l, &given, !failed, lost);
    mesh_free(&given);
    if (!failed && l->mesh->triangle_count)
        failed = close_leaks(l);
    if (!failed && (l->counts->united.rounds || shells > 1 || l->counts->rebuilt))
        failed = sort(l);
    return failed;
}

int mesh_repair(struct mesh *mesh, struct repair_counts *counts,
                const struct repair_options *options, struct err *err)
{
    struct ladder l = {.mesh = mesh, .counts = counts, .options = options, .err = err};
    l.wall_mm = options->min_wall_mm > 0 ? options->min_wall_mm : 0.8;
    l.line_mm = options->line_mm > 0 ? options->line_mm : 0.4;
    *counts = (struct repair_counts){0};
    int failed = climb(&l);
    mesh_free(&l.twosided);
    free(l.kind);
    if (failed == 1 || (!failed && mesh->triangle_count == 0)) {
        mesh_free(mesh);
        return 1;
    }
    return failed;
}

int mesh_settle(struct mesh *mesh, double size_mm, struct err *err)
{
    return mesh_unite(mesh, size_mm, NULL, err);
}
