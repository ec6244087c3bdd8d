/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shaping in the middle of the preparation; see prep_own.h. */
#include <string.h>

#include "print/prep_own.h"
#include "print/repair/arrange.h"
#include "print/shape/joint.h"

#define DEFAULT_SIZE_MM 100
/* A rebuild cuts its grid into small triangles, flat parts too: joined again where they lie. */
#define REBUILT_ERROR 5e-5 /* of the size */
#define PARTS_GAP_MM 6     /* between a figure and its base on the bed */

static double height_of(const struct mesh *mesh)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
    return high[2] - low[2];
}

/* Millimetres in one unit of the input. */
double prep_first_scale(const struct mesh *in, const struct prep_options *options)
{
    double size = mesh_longest(in), height = height_of(in);
    if (!(size > 0))
        return 1;
    if (options->height_mm > 0 && options->orient != ORIENT_AUTO && height > 1e-3 * size)
        return options->height_mm / height;
    if (options->longest_mm > 0)
        return options->longest_mm / size;
    return options->unit_mm > 0 ? 1 : DEFAULT_SIZE_MM / size;
}

static void move_all(struct prep *p, struct vec by)
{
    mesh_move(&p->mesh, by);
    mesh_move(&p->visible, by);
    mesh_move(&p->dressed, by);
}

static int orient(struct prep *p)
{
    if (p->options->orient != ORIENT_AUTO)
        return 0;
    /* What has a face is a figure, and wants to stand. */
    struct orient_options options =
        p->options->protect_front ? ORIENT_OPTIONS_FIGURE : ORIENT_OPTIONS_DEFAULT;
    memcpy(options.bed_mm, p->options->bed_mm, sizeof options.bed_mm);
    if (mesh_find_orientation(&p->turned, &p->mesh, &options, p->err))
        return -1;
    mesh_rotate(&p->mesh, &p->turned.rotation);
    mesh_rotate(&p->visible, &p->turned.rotation);
    mesh_rotate(&p->dressed, &p->turned.rotation);
    p->sound = false;
    report_step(&p->report, "turn", p->turned.rotation.row[2].z < 1 - 1e-9);
    return 0;
}

/* What a base adds to the figure's height. */
static double base_height(const struct prep_options *options)
{
    return options->base.shape == BASE_NONE ? 0 : options->base.height_mm - options->base.sink_mm;
}

/* Nothing is scaled that has its size: rounding would move what nobody touched. */
static void scale_to_size(struct prep *p)
{
    double height = height_of(&p->mesh), size = mesh_longest(&p->mesh), factor = 1;
    if (p->options->height_mm > 0 && height > 0)
        factor = (p->options->height_mm - base_height(p->options)) / height;
    else if (p->options->longest_mm > 0 && size > 0)
        factor = p->options->longest_mm / size;
    if (fabs(factor - 1) > 1e-6) {
        mesh_scale(&p->mesh, factor);
        mesh_scale(&p->visible, factor);
        mesh_scale(&p->dressed, factor);
        p->sound = false;
    }
    p->size_mm = mesh_longest(&p->mesh);
}

/* A figure on a base sinks into it and needs no flat foot. */
static int flatten(struct prep *p)
{
    struct flatten_result flattened;
    if (p->options->base.shape != BASE_NONE)
        return 0;
    if (mesh_flatten(&p->mesh, &flattened, p->options->flatten_mm, p->err))
        return -1;
    if (flattened.cut_mm > 0)
        scale_to_size(p); /* the ordered height is that of the part, not of what was cut off */
    report_step(&p->report, "flatten", flattened.cut_mm > 0);
    return 0;
}

static int add_base(struct prep *p)
{
    if (p->options->base.shape == BASE_NONE)
        return 0;
    if (base_height(p->options) >= 0.8 * p->options->height_mm && p->options->height_mm > 0)
        return FAIL_CODE(p->err, ERR_INPUT, "base_invalid",
                         "a base of %.1f mm leaves no room for a figure in %.1f mm of height",
                         p->options->base.height_mm, p->options->height_mm);
    int added = mesh_add_base(&p->mesh, &p->changes.base, &p->options->base, p->err);
    if (added < 0)
        return -1;
    p->changes.base_failed = added == 1;
    report_step(&p->report, "add_base", added == 0);
    if (added == 0) {
        mesh_bounds(&p->mesh, p->base_low, p->base_high);
        p->base_high[2] = p->changes.base.top_mm;
    }
    return 0;
}

/* The base goes beside the figure, both standing on z = 0; the input's picture goes with the
 * figure. */
static int split_base(struct prep *p)
{
    struct joint_options how = JOINT_OPTIONS_DEFAULT;
    struct joint_result joint;
    struct mesh upper = {0}, lower = {0};
    double above[2][3], below[2][3];
    if (!p->options->split_base || p->options->base.shape == BASE_NONE || p->changes.base_failed)
        return 0;
    how.at_mm = p->changes.base.top_mm;
    int split = mesh_split_joint(&upper, &lower, &joint, &p->mesh, &how, p->err);
    p->changes.split_failed = split == 1;
    report_step(&p->report, "split_base", split == 0);
    if (split)
        return split < 0 ? -1 : 0;
    mesh_bounds(&upper, above[0], above[1]);
    mesh_bounds(&lower, below[0], below[1]);
    mesh_move(&lower,
              (struct vec){above[1][0] + PARTS_GAP_MM - below[0][0], 0, above[0][2] - below[0][2]});
    mesh_bounds(&lower, p->base_low, p->base_high);
    p->apart = true;
    mesh_free(&p->mesh);
    p->mesh = upper;
    int failed = mesh_append(&p->mesh, &lower, false, p->err);
    mesh_free(&lower);
    return failed;
}

static int hollow(struct prep *p)
{
    if (!(p->options->hollow.wall_mm > 0))
        return 0;
    int made = mesh_hollow(&p->mesh, &p->changes.hollow, &p->options->hollow, p->err);
    if (made < 0)
        return -1;
    p->changes.hollow_failed = made == 1;
    report_step(&p->report, "hollow", made == 0);
    return 0;
}

static double whole_steps(double x, double step)
{
    return floor(x / step + 0.5) * step;
}

/* Rounds everything to the grid and looks at the mesh once more, if that is still to be done. */
static int settle(struct prep *p, double step)
{
    size_t corners = 3 * p->mesh.vertex_count, off = 0;
    for (size_t i = 0; p->sound && i < corners && !off; i++)
        off = p->mesh.xyz[i] != (float)whole_steps(p->mesh.xyz[i], step);
    p->solid = p->sound && !off;
    if (p->solid)
        return 0;
    mesh_snap(&p->mesh, step);
    mesh_snap(&p->visible, step);
    mesh_snap(&p->dressed, step);
    int settled = mesh_settle(&p->mesh, p->size_mm, p->err);
    p->solid = settled == 0;
    return settled < 0 ? -1 : 0;
}

/* x and y centred, lowest z = 0, to the nearest step of a grid that stays exact anywhere on a bed.
 */
static int pivot(struct prep *p)
{
    double low[3], high[3], step = mesh_grid_step(&p->mesh);
    mesh_bounds(&p->mesh, low, high);
    struct vec by = {whole_steps(-(low[0] + high[0]) / 2, step),
                     whole_steps(-(low[1] + high[1]) / 2, step), whole_steps(-low[2], step)};
    move_all(p, by);
    p->base_low[0] += by.x, p->base_low[1] += by.y, p->base_low[2] += by.z;
    p->base_high[0] += by.x, p->base_high[1] += by.y, p->base_high[2] += by.z;
    if (settle(p, step))
        return -1;
    report_step(&p->report, "place", true);
    return 0;
}

static int simplify(struct prep *p)
{
    struct decimate_options how = {.max_triangles = p->options->max_triangles};
    size_t before = p->mesh.triangle_count;
    if (p->changes.repaired.rebuilt && how.max_triangles == 0)
        how.max_error_mm = REBUILT_ERROR * p->size_mm;
    if (how.max_error_mm == 0 && (how.max_triangles == 0 || before <= how.max_triangles))
        return 0;
    int kept = mesh_decimate(&p->mesh, &how, p->err);
    if (kept < 0)
        return -1;
    p->changes.decimated_from = kept == 0 && how.max_triangles ? before : 0;
    report_step(&p->report, "decimate", kept == 0);
    return 0;
}

int prep_shape(struct prep *p)
{
    if (simplify(p) || orient(p))
        return -1;
    scale_to_size(p);
    return flatten(p) || add_base(p) || split_base(p) || hollow(p) || pivot(p) ? -1 : 0;
}
