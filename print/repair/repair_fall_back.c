/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rungs to fall back on where the gentle ones did not make a solid or lost what was seen. */
#include <stdlib.h>

#include "print/measure/measure.h"
#include "print/measure/visible.h"
#include "print/repair/rebuild.h"
#include "print/repair/repair_ladder.h"

#define MOST_REBUILT 1.5e6 /* triangles; more is a tangle that fills the whole box */

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

/* A sheet in the grid has two sides, and a square of a side some seven triangles. */
static double rebuild_step(const struct ladder *l, const struct mesh *from)
{
    double area = 0;
    for (size_t t = 0; t < from->triangle_count; t++)
        area += vec_length(mesh_normal2(from, t)) / 2;
    return fmax(l->options->size_mm / 250, sqrt(14 * area / MOST_REBUILT));
}

/* Rebuilds, once more with thickness where too much of the surface had nothing behind it. */
static int rebuild(struct ladder *l, const struct mesh *from)
{
    struct mesh built = {0}, lost = {0};
    double share = 0, step = rebuild_step(l, from);
    struct rebuild_options options = {.step_mm = step};
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
        options.thicken_mm = l->wall_mm / 2 > 0.9 * step ? l->wall_mm / 2 : 0.9 * step;
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
    return ladder_give_way(l, mesh_unite(l->mesh, l->options->size_mm, NULL, l->err));
}

/* Each patch that is seen gets a wall, in whole triangles: a tenth of the crossings that walls on
 * the pieces of a tangle make. Hollows that come of it are cavities, and filled later. */
static int wall_up(struct ladder *l, const struct mesh *from)
{
    struct bvh before = {0};
    bool tangled = true;
    if (mesh_copy(l->mesh, from, l->err) || mesh_append(l->mesh, &l->twosided, false, l->err) ||
        bvh_build(&before, from, l->err))
        return -1;
    int failed =
        mesh_thicken_sheets(l->mesh, NULL, &before, l->wall_mm, &l->counts->sheets, l->err);
    bvh_free(&before);
    if (failed || l->mesh->triangle_count == 0)
        return failed ? -1 : 1;
    l->counts->thickened = true;
    if (mesh_is_tangled(&tangled, l->mesh, LADDER_MOST_SQUARES, l->err))
        return -1;
    return tangled ? 1 : ladder_give_way(l, mesh_unite(l->mesh, l->options->size_mm, NULL, l->err));
}

int ladder_lost_share(double *share, const struct ladder *l, const struct mesh *given)
{
    struct bvh before = {0}, now = {0};
    const size_t n = given->triangle_count, step = n / 4000 + 1;
    double lost = 0, seen = 0;
    *share = 1;
    if (l->mesh->triangle_count == 0)
        return 0;
    int failed = bvh_build(&before, given, l->err) || bvh_build(&now, l->mesh, l->err);
    for (uint32_t t = 0; !failed && t < n; t += (uint32_t)step) {
        struct vec p = {0};
        double area = vec_length(mesh_normal2(given, t));
        for (int c = 0; c < 3; c++)
            p = vec_add(p, vec_scale(mesh_corner(given, t, c), 1.0 / 3));
        bool away = bvh_nearest(&now, p, l->wall_mm, NULL, NULL) >= l->wall_mm;
        /* Rays cost more than distances: what lies near is taken as seen. */
        if (away && !bvh_sees(&before, p, t))
            continue;
        seen += area;
        lost += away ? area : 0;
    }
    *share = seen > 0 ? lost / seen : 0;
    bvh_free(&before);
    bvh_free(&now);
    return failed ? -1 : 0;
}

/* Another way from what was given, kept when what there is is not solid or lost more. */
static int try_way(struct ladder *l, const struct mesh *given, const char *name,
                   int (*way)(struct ladder *l, const struct mesh *from), bool *solid, double *lost)
{
    struct mesh other = *l->mesh;
    struct repair_counts counts = *l->counts;
    double again = 1;
    *l->mesh = (struct mesh){0};
    int failed = way(l, given);
    if (!failed)
        failed = ladder_lost_share(&again, l, given);
    bool better = !failed && (!*solid || again < *lost);
    if (better) {
        *solid = true;
        *lost = again;
    } else {
        struct mesh worse = *l->mesh;
        *l->mesh = other;
        other = worse;
        *l->counts = counts;
    }
    mesh_free(&other);
    ladder_done(l, name, better);
    return failed < 0 ? -1 : 0;
}

int ladder_fall_back(struct ladder *l, const struct mesh *given, bool solid, double lost)
{
    if (given->triangle_count <= LADDER_MOST_PLATES &&
        try_way(l, given, "thicken_sheets", wall_up, &solid, &lost))
        return -1;
    if ((!solid || lost > LADDER_MOST_LOST) && try_way(l, given, "rebuild", rebuild, &solid, &lost))
        return -1;
    return !solid;
}
