/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The preparation from end to end, and the judgement of what came out of it. */
#include "print/prep.h"

#include <string.h>

#include "print/measure/report.h"
#include "print/repair/repair.h"
#include "print/shape/orient.h"
#include "print/shape/shape.h"

#define DEFAULT_SIZE_MM 100
#define OVERHANG_DEG 45
/* A rebuild cuts its grid into small triangles, flat parts too. */
#define REBUILT_TRIANGLES ((size_t)150000)

struct prep {
    const struct prep_options *options;
    struct mesh mesh;    /* what is worked on */
    struct mesh visible; /* the input, moved along, to see what changed */
    struct report report;
    struct mesh_measures input, output;
    struct print_measures print;
    struct repair_counts repaired;
    struct flatten_result flattened;
    struct orient_choice turned;
    size_t decimated_from;
    double size_mm;
    bool solid;
    struct err *err;
};

static double longest(const struct mesh *mesh)
{
    double low[3], high[3], most = 0;
    mesh_bounds(mesh, low, high);
    for (int k = 0; k < 3; k++)
        most = high[k] - low[k] > most ? high[k] - low[k] : most;
    return most;
}

static double height_of(const struct mesh *mesh)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
    return high[2] - low[2];
}

/* Millimetres in one unit of the input. */
static double first_scale(const struct mesh *in, const struct prep_options *options)
{
    double size = longest(in), height = height_of(in);
    if (options->height_mm > 0 && options->orient != ORIENT_AUTO && height > 1e-3 * size)
        return options->height_mm / height;
    if (options->unit_mm > 0 || !(size > 0))
        return 1;
    return DEFAULT_SIZE_MM / size;
}

/* A copy in millimetres around the origin, in double until the last rounding. */
static int copy_scaled(struct mesh *out, const struct mesh *in, double scale, struct err *err)
{
    double low[3], high[3];
    mesh_bounds(in, low, high);
    if (mesh_copy(out, in, err))
        return -1;
    for (size_t v = 0; v < in->vertex_count; v++)
        for (size_t k = 0; k < 3; k++)
            out->xyz[3 * v + k] = (float)((in->xyz[3 * v + k] - (low[k] + high[k]) / 2) * scale);
    return 0;
}

static void on_repair_step(void *user, const char *name, bool changed)
{
    if (changed || strcmp(name, "weld") != 0) /* welded before it was inspected */
        report_step(user, name, changed);
}

static void move_both(struct prep *p, struct vec by)
{
    mesh_move(&p->mesh, by);
    mesh_move(&p->visible, by);
}

static void scale_both(struct prep *p, double factor)
{
    mesh_scale(&p->mesh, factor);
    mesh_scale(&p->visible, factor);
}

static int orient(struct prep *p)
{
    if (p->options->orient != ORIENT_AUTO)
        return 0;
    struct orient_options options = ORIENT_OPTIONS_DEFAULT;
    memcpy(options.bed_mm, p->options->bed_mm, sizeof options.bed_mm);
    if (mesh_find_orientation(&p->turned, &p->mesh, &options, p->err))
        return -1;
    mesh_rotate(&p->mesh, &p->turned.rotation);
    mesh_rotate(&p->visible, &p->turned.rotation);
    report_step(&p->report, "turn", p->turned.rotation.row[2].z < 1 - 1e-9);
    return 0;
}

static void scale_to_height(struct prep *p)
{
    double height = height_of(&p->mesh);
    if (p->options->height_mm > 0 && height > 0)
        scale_both(p, p->options->height_mm / height);
    p->size_mm = longest(&p->mesh);
}

static int flatten(struct prep *p)
{
    if (mesh_flatten(&p->mesh, &p->flattened, p->options->flatten_mm, p->err))
        return -1;
    if (p->flattened.cut_mm > 0)
        scale_to_height(p); /* the ordered height is that of the part, not of what was cut off */
    report_step(&p->report, "flatten", p->flattened.cut_mm > 0);
    return 0;
}

/* x and y centred, lowest z = 0, all to be found again in floats. */
static int pivot(struct prep *p)
{
    double low[3], high[3];
    mesh_bounds(&p->mesh, low, high);
    move_both(p, (struct vec){-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]});
    int settled = mesh_settle(&p->mesh, p->size_mm, p->err);
    if (settled < 0)
        return -1;
    p->solid = settled == 0;
    report_step(&p->report, "place", true);
    return 0;
}

static int shape(struct prep *p)
{
    size_t most = p->options->max_triangles;
    if (p->repaired.rebuilt && (most == 0 || most > REBUILT_TRIANGLES))
        most = REBUILT_TRIANGLES;
    if (most && p->mesh.triangle_count > most) {
        size_t before = p->mesh.triangle_count;
        struct decimate_options options = {.max_triangles = most};
        int kept = mesh_decimate(&p->mesh, &options, p->err);
        if (kept < 0)
            return -1;
        p->decimated_from = kept == 0 ? before : 0;
        report_step(&p->report, "decimate", kept == 0);
    }
    if (orient(p))
        return -1;
    scale_to_height(p);
    return flatten(p) || pivot(p) ? -1 : 0;
}

static int measure(struct prep *p)
{
    struct print_measure_options options = {.visible = &p->visible,
                                            .min_wall_mm = p->options->min_wall_mm,
                                            .overhang_deg = OVERHANG_DEG};
    if (mesh_measure_welded(&p->output, &p->mesh, p->err) ||
        mesh_measure_print(&p->print, &p->mesh, &options, p->err))
        return -1;
    report_step(&p->report, "measure", false);
    return 0;
}

static void judge_repairs(struct prep *p)
{
    struct report *r = &p->report;
    const struct repair_counts *c = &p->repaired;
    if (c->holes.filled && !c->rebuilt) {
        bool large = c->holes.largest_mm > 0.25 * p->size_mm;
        report_find(r, "holes_closed", large ? SEVERITY_WARNING : SEVERITY_INFO,
                    c->holes.largest_mm, 0.25 * p->size_mm,
                    "%zu holes in the surface were closed, the largest %.1f mm across%s",
                    c->holes.filled, c->holes.largest_mm,
                    large ? "; check that it was not meant to be open" : "");
    }
    if (c->rebuilt)
        report_find(r, "surface_rebuilt", SEVERITY_INFO, p->print.deviation_mean_mm, NAN,
                    "the surface was too broken to mend and was made anew; it lies %.2f mm from "
                    "the original on average",
                    p->print.deviation_mean_mm);
    if (c->thickened)
        report_find(r, "sheets_thickened", SEVERITY_WARNING, NAN, NAN,
                    "parts of the model were sheets without thickness; they were made solid and "
                    "look thicker now");
    if (c->shells.debris)
        report_find(r, "debris_dropped", SEVERITY_INFO, (double)c->shells.debris, NAN,
                    "%zu loose specks were removed", c->shells.debris);
    if (c->shells.hidden)
        report_find(r, "hidden_dropped", SEVERITY_INFO, (double)c->shells.hidden, NAN,
                    "%zu parts inside the model that nobody can see were filled", c->shells.hidden);
    if (c->shells.turned || c->flipped)
        report_find(r, "sides_turned", SEVERITY_INFO, (double)(c->shells.turned + c->flipped), NAN,
                    "surfaces that faced inward were turned outward");
    if (p->decimated_from)
        report_find(r, "decimated", SEVERITY_INFO, (double)p->mesh.triangle_count, NAN,
                    "simplified from %zu to %zu triangles", p->decimated_from,
                    p->mesh.triangle_count);
}

static void judge_change(struct prep *p)
{
    const struct print_measures *m = &p->print;
    double mean_limit = 0.005 * p->size_mm, max_limit = 0.03 * p->size_mm;
    if (p->options->flatten_mm > 0.8 * max_limit)
        max_limit = p->options->flatten_mm * 1.25;
    if (m->deviation_mean_mm > mean_limit)
        report_find(&p->report, "shape_changed", SEVERITY_WARNING, m->deviation_mean_mm, mean_limit,
                    "the model differs from the original by %.2f mm on average",
                    m->deviation_mean_mm);
    else if (m->deviation_max_mm > max_limit)
        report_find(&p->report, "shape_changed", SEVERITY_WARNING, m->deviation_max_mm, max_limit,
                    "some visible part of the original lies %.1f mm off the model now",
                    m->deviation_max_mm);
    if (m->self_intersections)
        report_find(&p->report, "self_intersections", SEVERITY_INFO, (double)m->self_intersections,
                    NAN, "%zu triangles pass through others; slicers join such parts",
                    m->self_intersections);
}

static void judge_size(struct report *r, const struct mesh_measures *m,
                       const struct prep_options *options)
{
    const double *bed = options->bed_mm, *size = m->size_mm;
    bool fits = size[0] <= bed[0] && size[1] <= bed[1] && size[2] <= bed[2];
    if (bed[0] > 0 && bed[1] > 0 && bed[2] > 0 && !fits) {
        int worst = 0;
        for (int k = 1; k < 3; k++)
            worst = size[k] / bed[k] > size[worst] / bed[worst] ? k : worst;
        report_find(r, "too_big", SEVERITY_WARNING, size[worst], bed[worst],
                    "%.0f x %.0f x %.0f mm does not fit into the printer's %.0f x %.0f x %.0f mm",
                    size[0], size[1], size[2], bed[0], bed[1], bed[2]);
    }
    double most = size[0] > size[1] ? size[0] : size[1];
    most = size[2] > most ? size[2] : most;
    if (most < 5)
        report_find(r, "too_small", SEVERITY_WARNING, most, 5,
                    "the longest side is %.1f mm: too small to print well", most);
}

static void judge_print(struct report *r, const struct print_measures *m,
                        const struct prep_options *options, const struct mesh_measures *out)
{
    if (options->min_wall_mm > 0 && m->thin_share > 0.01) {
        bool much = m->thin_share > 0.1;
        report_find(r, "thin_walls", much ? SEVERITY_WARNING : SEVERITY_INFO, m->thin_share, 0.1,
                    "%.0f %% of the surface has less than %.1f mm of material behind it and may "
                    "break or not print",
                    100 * m->thin_share, options->min_wall_mm);
    }
    if (m->tilt_margin_deg < 5)
        report_find(r, "tips_over", SEVERITY_WARNING, m->tilt_margin_deg, 5,
                    m->tilt_margin_deg < 0
                        ? "it cannot stand: its weight lies outside its foot; give it a base"
                        : "it tips over when it leans by %.1f degrees; give it a base",
                    m->tilt_margin_deg);
    if (m->contact_area_mm2 < 20)
        report_find(r, "small_contact", SEVERITY_WARNING, m->contact_area_mm2, 20,
                    "only %.1f square mm touch the bed: it may come loose while printing",
                    m->contact_area_mm2);
    if (m->overhang_area_mm2 > 0.2 * out->area_mm2)
        report_find(r, "much_support", SEVERITY_INFO, m->overhang_area_mm2, 0.2 * out->area_mm2,
                    "%.0f %% of the surface hangs over and needs support",
                    100 * m->overhang_area_mm2 / out->area_mm2);
}

static enum verdict verdict_of(enum severity worst)
{
    return worst == SEVERITY_ERROR     ? VERDICT_REJECT
           : worst == SEVERITY_WARNING ? VERDICT_REVISE
                                       : VERDICT_PASS;
}

static const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"pass", "revise", "reject"};
    return names[verdict];
}

/* 0: repaired and shaped; 1: there is nothing solid. */
static int run(struct prep *p)
{
    struct repair_options options = {
        .min_wall_mm = p->options->min_wall_mm, .on_step = on_repair_step, .user = &p->report};
    options.size_mm = p->size_mm = longest(&p->mesh);
    int repaired = mesh_repair(&p->mesh, &p->repaired, &options, p->err);
    if (repaired)
        return repaired;
    return shape(p) || measure(p) ? -1 : 0;
}

static int prepare(struct prep *p, const struct mesh *in)
{
    double scale = first_scale(in, p->options);
    size_t merged;
    if (report_open(&p->report, p->err) || copy_scaled(&p->visible, in, scale, p->err) ||
        mesh_weld_exact(&p->visible, &merged, p->err))
        return -1;
    report_step(&p->report, "weld", merged > 0);
    size_t degenerate = mesh_drop_degenerate(&p->visible);
    if (mesh_compact(&p->visible, p->err) || mesh_measure_welded(&p->input, &p->visible, p->err) ||
        mesh_copy(&p->mesh, &p->visible, p->err))
        return -1;
    p->input.degenerate = degenerate;
    report_step(&p->report, "inspect", degenerate > 0);
    int solid = p->input.triangles && p->input.area_mm2 > 0 ? run(p) : 1;
    if (solid < 0)
        return -1;
    if (solid == 1) {
        report_find(&p->report, "nothing_solid", SEVERITY_ERROR, p->input.volume_mm3, NAN,
                    "there is no closed body in this model, only loose surfaces: it cannot be "
                    "printed");
        return 0;
    }
    if (!p->solid)
        report_find(&p->report, "not_watertight", SEVERITY_ERROR,
                    (double)(p->output.boundary_edges + p->output.nonmanifold_edges), 0,
                    "the surface could not be closed");
    judge_repairs(p);
    judge_change(p);
    judge_size(&p->report, &p->output, p->options);
    judge_print(&p->report, &p->print, p->options, &p->output);
    return 0;
}

int mesh_prep(struct mesh *out, cJSON **report, enum verdict *verdict, const struct mesh *in,
              const struct prep_options *options, struct err *err)
{
    struct prep p = {.options = options, .err = err};
    *out = (struct mesh){0};
    int failed = prepare(&p, in);
    if (!failed) {
        *verdict = verdict_of(p.report.worst);
        bool made = p.output.triangles > 0;
        failed = report_close(report, &p.report, verdict_name(*verdict), &p.input,
                              made ? &p.output : NULL, made ? &p.print : NULL, err);
    }
    if (!failed && *verdict != VERDICT_REJECT) {
        *out = p.mesh;
        p.mesh = (struct mesh){0};
    }
    report_drop(&p.report);
    mesh_free(&p.mesh);
    mesh_free(&p.visible);
    return failed;
}

static void judge_input(struct report *r, const struct mesh_measures *m, size_t crossing)
{
    size_t bad = m->boundary_edges + m->nonmanifold_edges + m->inconsistent_edges;
    if (m->triangles == 0 || !(m->area_mm2 > 0))
        report_find(r, "nothing_solid", SEVERITY_ERROR, 0, NAN,
                    "there is no surface in this model");
    else if (bad)
        report_find(r, "not_watertight", SEVERITY_WARNING, (double)bad, 0,
                    "%zu edges are open or shared by too many triangles; preparing will try to "
                    "mend them",
                    bad);
    if (m->nonmanifold_vertices)
        report_find(r, "touching_corners", SEVERITY_INFO, (double)m->nonmanifold_vertices, 0,
                    "%zu points join parts that touch nowhere else", m->nonmanifold_vertices);
    if (m->watertight && m->volume_mm3 < 0)
        report_find(r, "inside_out", SEVERITY_WARNING, m->volume_mm3, 0,
                    "the surface faces inward; preparing will turn it");
    if (m->degenerate)
        report_find(r, "degenerate", SEVERITY_INFO, (double)m->degenerate, 0,
                    "%zu triangles have no area; preparing drops them", m->degenerate);
    if (crossing)
        report_find(r, "self_intersections", SEVERITY_INFO, (double)crossing, NAN,
                    "%zu triangles pass through others; slicers join such parts", crossing);
}

int mesh_inspect(cJSON **report, const struct mesh *in, const struct prep_options *options,
                 struct err *err)
{
    struct prep p = {.options = options, .err = err};
    struct print_measure_options how = {.min_wall_mm = options->min_wall_mm,
                                        .overhang_deg = OVERHANG_DEG};
    int failed = report_open(&p.report, err) ||
                 copy_scaled(&p.mesh, in, first_scale(in, options), err) ||
                 mesh_weld_exact(&p.mesh, NULL, err);
    if (!failed) {
        size_t degenerate = mesh_drop_degenerate(&p.mesh);
        failed = mesh_compact(&p.mesh, err) || mesh_measure_welded(&p.input, &p.mesh, err) ||
                 mesh_measure_print(&p.print, &p.mesh, &how, err);
        p.input.degenerate = degenerate;
        report_step(&p.report, "inspect", false);
    }
    if (!failed) {
        judge_input(&p.report, &p.input, p.print.self_intersections);
        judge_size(&p.report, &p.input, options);
        if (p.input.watertight)
            judge_print(&p.report, &p.print, options, &p.input);
        failed = report_close(report, &p.report, verdict_name(verdict_of(p.report.worst)), &p.input,
                              NULL, NULL, err);
    }
    report_drop(&p.report);
    mesh_free(&p.mesh);
    return failed ? -1 : 0;
}
