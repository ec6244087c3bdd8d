/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of the rungs, and the check after them; see repair.h. */
#include "print/repair/repair.h"

#include <stdlib.h>

#include "print/measure/bvh.h"
#include "print/measure/measure.h"
#include "print/repair/rebuild.h"

/* A lid of over a third of its shell's surface closes a sheet upon itself. */
#define LID_SHARE 0.35
#define NUDGE 1e-5 /* of the size: a micrometre on 100 mm, a hundred float steps there */

struct ladder {
    struct mesh *mesh;
    struct repair_counts *counts;
    const struct repair_options *options;
    struct err *err;
};

static void done(const struct ladder *l, const char *name, bool changed)
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
        done(l, "weld_near", true);
    }
    mesh_free(&trial);
    return failed ? -1 : 0;
}

static int weld_and_clean(struct ladder *l, size_t *bad, bool *solid)
{
    struct clean_counts cleaned = {0};
    if (mesh_weld_exact(l->mesh, &l->counts->welded, l->err))
        return -1;
    done(l, "weld", l->counts->welded > 0);
    cleaned.degenerate = mesh_drop_degenerate(l->mesh);
    if (badness(l->mesh, bad, solid, l->err))
        return -1;
    if (!*solid) {
        size_t degenerate = cleaned.degenerate;
        if (mesh_clean(l->mesh, &cleaned, l->err) || badness(l->mesh, bad, solid, l->err))
            return -1;
        cleaned.degenerate += degenerate;
    } else if (mesh_compact(l->mesh, l->err)) {
        return -1;
    }
    l->counts->cleaned = cleaned;
    done(l, "clean", cleaned.degenerate + cleaned.duplicate > 0);
    return *bad ? weld_near(l, bad, solid) : 0;
}

static int split(struct ladder *l, double nudge)
{
    size_t edges, vertices, flaps;
    if (mesh_split_nonmanifold(l->mesh, nudge, &edges, &vertices, l->err) ||
        mesh_drop_flaps(l->mesh, &flaps, l->err))
        return -1;
    l->counts->split_edges += edges;
    l->counts->split_vertices += vertices;
    l->counts->flaps += flaps;
    done(l, "split_nonmanifold", edges + vertices + flaps > 0);
    return 0;
}

static int fill(struct ladder *l)
{
    struct hole_counts holes;
    if (mesh_fill_holes(l->mesh, LID_SHARE, &holes, l->err))
        return -1;
    l->counts->holes.filled += holes.filled;
    l->counts->holes.left = holes.left;
    l->counts->holes.lid_area_mm2 += holes.lid_area_mm2;
    if (holes.largest_mm > l->counts->holes.largest_mm)
        l->counts->holes.largest_mm = holes.largest_mm;
    done(l, "fill_holes", holes.filled > 0);
    return 0;
}

static int sort(struct ladder *l)
{
    struct shell_counts shells;
    if (mesh_sort_shells(l->mesh, &shells, l->err))
        return -1;
    l->counts->shells.debris += shells.debris;
    l->counts->shells.hidden += shells.hidden;
    l->counts->shells.turned += shells.turned;
    l->counts->shells.debris_share += shells.debris_share;
    done(l, "sort_shells", shells.debris + shells.hidden + shells.turned > 0);
    return 0;
}

/* Splitting opens holes, and lids may touch what is there: three rounds settle nearly all. */
static int mend(struct ladder *l, size_t *bad, bool *solid)
{
    struct clean_counts again;
    for (int round = 0; round < 3 && !*solid; round++) {
        if (split(l, NUDGE * (1 + round) * l->options->size_mm) || fill(l) ||
            mesh_weld_exact(l->mesh, NULL, l->err) || mesh_clean(l->mesh, &again, l->err) ||
            badness(l->mesh, bad, solid, l->err))
            return -1;
    }
    return 0;
}

/* Triangles of the input whose middle the rebuilt surface passes by: sheets with nothing inside. */
static int lost_sheets(struct mesh *lost, const struct mesh *in, const struct mesh *built,
                       double within, double *share, struct err *err)
{
    struct bvh bvh = {0};
    double gone = 0, whole = 0;
    uint8_t *keep = malloc(in->triangle_count + 1);
    int failed = keep ? mesh_copy(lost, in, err) : FAIL(err, ERR_LIMIT, "no memory for sheets");
    if (!failed)
        failed = bvh_build(&bvh, built, err);
    for (size_t t = 0; !failed && t < in->triangle_count; t++) {
        struct vec middle = {0};
        double area = vec_length(mesh_normal2(in, t));
        for (int c = 0; c < 3; c++)
            middle = vec_add(middle, vec_scale(mesh_corner(in, t, c), 1.0 / 3));
        keep[t] = bvh_nearest(&bvh, middle, within, NULL, NULL) >= within;
        gone += keep[t] ? area : 0;
        whole += area;
    }
    if (!failed)
        failed = mesh_keep(lost, keep, err);
    *share = whole > 0 ? gone / whole : 0;
    bvh_free(&bvh);
    free(keep);
    return failed ? -1 : 0;
}

/* Rebuilds, once more with thickness where too much of the surface had nothing behind it. */
static int rebuild(struct ladder *l, const struct mesh *from)
{
    struct mesh built = {0}, lost = {0};
    double share = 0, step = l->options->size_mm / 180;
    double wall = l->options->min_wall_mm > 0 ? l->options->min_wall_mm : 0.8;
    struct rebuild_options options = {.cells = 180};
    if (mesh_rebuild(&built, from, &options, l->err))
        return -1;
    double volume = built.triangle_count ? mesh_volume(&built) : 0;
    int failed = 0;
    if (volume > 1e-6 * pow(l->options->size_mm, 3))
        failed = lost_sheets(&lost, from, &built, 2 * step, &share, l->err);
    else
        built.triangle_count = 0; /* nothing solid */
    if (!failed && built.triangle_count && share > 0.03) {
        mesh_free(&built);
        options.thicken_mm = wall / 2 > 0.9 * step ? wall / 2 : 0.9 * step;
        failed = mesh_rebuild(&built, from, &options, l->err);
        l->counts->thickened = true;
    }
    mesh_free(&lost);
    if (failed) {
        mesh_free(&built);
        return -1;
    }
    mesh_free(l->mesh);
    *l->mesh = built;
    l->counts->rebuilt = true;
    done(l, "rebuild", true);
    return 0;
}

static int climb(struct ladder *l)
{
    size_t bad = 0;
    bool solid = false;
    struct mesh cleaned = {0};
    if (weld_and_clean(l, &bad, &solid))
        return -1;
    if (l->mesh->triangle_count == 0)
        return 0;
    if (!solid) {
        if (mesh_orient_patches(l->mesh, &l->counts->flipped, l->err))
            return -1;
        done(l, "orient", l->counts->flipped > 0);
        if (mesh_copy(&cleaned, l->mesh, l->err))
            return -1;
    }
    int failed = mend(l, &bad, &solid);
    if (!failed && !solid) {
        failed = rebuild(l, &cleaned);
        if (!failed && l->mesh->triangle_count)
            failed = badness(l->mesh, &bad, &solid, l->err);
    }
    mesh_free(&cleaned);
    if (failed)
        return -1;
    if (l->mesh->triangle_count && sort(l))
        return -1;
    return 0;
}

int mesh_repair(struct mesh *mesh, struct repair_counts *counts,
                const struct repair_options *options, struct err *err)
{
    struct ladder l = {.mesh = mesh, .counts = counts, .options = options, .err = err};
    *counts = (struct repair_counts){0};
    if (climb(&l))
        return -1;
    int settled = mesh->triangle_count ? mesh_settle(mesh, options->size_mm, err) : 1;
    if (settled < 0)
        return -1;
    /* Less than a thousandth of a millimetre of mean thickness is a sheet, not a solid. */
    double thickness = 0, area = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++)
        area += vec_length(mesh_normal2(mesh, t)) / 2;
    if (area > 0)
        thickness = 2 * mesh_volume(mesh) / area;
    if (settled == 1 || thickness < 1e-4 * options->size_mm) {
        mesh_free(mesh);
        return 1;
    }
    return 0;
}

int mesh_settle(struct mesh *mesh, double size_mm, struct err *err)
{
    struct clean_counts cleaned;
    struct hole_counts holes;
    size_t edges, vertices, flaps, bad;
    bool solid = false;
    for (int round = 0; round < 5; round++) {
        size_t merged;
        if (mesh_weld_exact(mesh, &merged, err))
            return -1;
        /* A 2-manifold without equal corners has no copies to look for: the usual case. */
        if ((merged || round) && mesh_clean(mesh, &cleaned, err))
            return -1;
        if (badness(mesh, &bad, &solid, err))
            return -1;
        if (solid || mesh->triangle_count == 0)
            break;
        if (!merged && !round && mesh_clean(mesh, &cleaned, err))
            return -1;
        if (mesh_split_nonmanifold(mesh, NUDGE * (1 + 2 * round) * size_mm, &edges, &vertices,
                                   err) ||
            mesh_drop_flaps(mesh, &flaps, err) || mesh_fill_holes(mesh, 1, &holes, err))
            return -1;
    }
    return solid ? 0 : 1;
}
