/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The preparation from end to end; what is said about it is in judge.c. */
#include "print/prep.h"

#include <string.h>

#include "print/judge.h"
#include "print/shape/orient.h"

#define DEFAULT_SIZE_MM 100
/* A rebuild cuts its grid into small triangles, flat parts too: joined again where they lie. */
#define REBUILT_ERROR 5e-5 /* of the size */

struct prep {
    const struct prep_options *options;
    struct mesh mesh;    /* what is worked on */
    struct mesh visible; /* the input, moved along, to see what changed */
    struct report report;
    struct mesh_measures input;
    struct prep_changes changes;
    struct prep_measures output;
    struct orient_choice turned;
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
    if (!(size > 0))
        return 1;
    if (options->height_mm > 0 && options->orient != ORIENT_AUTO && height > 1e-3 * size)
        return options->height_mm / height;
    if (options->longest_mm > 0)
        return options->longest_mm / size;
    return options->unit_mm > 0 ? 1 : DEFAULT_SIZE_MM / size;
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

/* What a base adds to the figure's height. */
static double base_height(const struct prep_options *options)
{
    return options->base.shape == BASE_NONE ? 0 : options->base.height_mm - options->base.sink_mm;
}

/* Nothing is scaled that has its size: rounding would move what nobody touched. */
static void scale_to_size(struct prep *p)
{
    double height = height_of(&p->mesh), size = longest(&p->mesh), factor = 1;
    if (p->options->height_mm > 0 && height > 0)
        factor = (p->options->height_mm - base_height(p->options)) / height;
    else if (p->options->longest_mm > 0 && size > 0)
        factor = p->options->longest_mm / size;
    if (fabs(factor - 1) > 1e-6) {
        mesh_scale(&p->mesh, factor);
        mesh_scale(&p->visible, factor);
    }
    p->size_mm = longest(&p->mesh);
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

static int shape(struct prep *p)
{
    if (simplify(p) || orient(p))
        return -1;
    scale_to_size(p);
    return flatten(p) || add_base(p) || pivot(p) ? -1 : 0;
}

/* Layers are looked at only where inside and outside can be told apart. */
static int measure(struct prep_measures *out, const struct mesh *mesh, const struct mesh *visible,
                   const struct prep_options *options, struct err *err)
{
    const struct prep_limits *limits = &options->limits;
    struct print_measure_options how = {.visible = visible,
                                        .min_wall_mm = limits->min_wall_mm,
                                        .overhang_deg = limits->overhang_deg};
    struct layer_options layers = LAYER_OPTIONS_DEFAULT;
    layers.overhang_deg = limits->overhang_deg;
    layers.bridge_mm = limits->bridge_mm;
    *out = (struct prep_measures){.likeness.iou = -1};
    if (mesh_measure_welded(&out->mesh, mesh, err) ||
        mesh_measure_print(&out->print, mesh, &how, err))
        return -1;
    bool solid = out->mesh.watertight && out->mesh.volume_mm3 > 0 && out->mesh.size_mm[2] > 0;
    if (solid && mesh_measure_layers(&out->layers, mesh, &layers, err))
        return -1;
    return options->mask && out->mesh.triangles
               ? mesh_silhouette_match(&out->likeness, mesh, options->mask, err)
               : 0;
}

/* 0: repaired and shaped; 1: there is nothing solid. */
static int run(struct prep *p)
{
    struct repair_options options = {.min_wall_mm = p->options->limits.min_wall_mm,
                                     .on_step = on_repair_step,
                                     .user = &p->report};
    options.size_mm = p->size_mm = longest(&p->mesh);
    int repaired = mesh_repair(&p->mesh, &p->changes.repaired, &options, p->err);
    if (repaired)
        return repaired;
    if (shape(p) || measure(&p->output, &p->mesh, &p->visible, p->options, p->err))
        return -1;
    report_step(&p->report, "measure", false);
    return 0;
}

static int judge(struct prep *p)
{
    p->changes.flatten_mm = p->options->flatten_mm;
    if (!p->solid)
        report_find(&p->report, "not_watertight", SEVERITY_ERROR,
                    (double)(p->output.mesh.boundary_edges + p->output.mesh.nonmanifold_edges), 0,
                    "the surface could not be closed");
    judge_repairs(&p->report, &p->changes, &p->output);
    judge_change(&p->report, &p->changes, &p->output);
    return judge_print(&p->report, &p->mesh, &p->output, p->options, p->err);
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
    if (solid == 1)
        report_find(&p->report, "nothing_solid", SEVERITY_ERROR, p->input.volume_mm3, NAN,
                    "there is no closed body in this model, only loose surfaces: it cannot be "
                    "printed");
    return solid ? (solid < 0 ? -1 : 0) : judge(p);
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

static void add_direction(cJSON *list, const char *name, const struct orient_stand *s)
{
    double down[3] = {s->down.x, s->down.y, s->down.z};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddItemToObject(o, "down", cJSON_CreateDoubleArray(down, 3));
    cJSON_AddNumberToObject(o, "support_mm3", (s->support_mm3[0] + s->support_mm3[1]) / 2);
    cJSON_AddNumberToObject(o, "support_contact_mm2", s->scars_mm2);
    cJSON_AddNumberToObject(o, "overhang_area_mm2", s->overhang_mm2);
    cJSON_AddNumberToObject(o, "contact_area_mm2", s->contact_mm2);
    cJSON_AddNumberToObject(o, "height_mm", s->size_mm[2]);
    cJSON_AddNumberToObject(o, "tilt_margin_deg", s->tilt_deg);
    cJSON_AddBoolToObject(o, "allowed", s->allowed);
    cJSON_AddItemToArray(list, o);
}

static void add_orientation(cJSON *report, const struct orient_choice *turned)
{
    cJSON *list = cJSON_AddArrayToObject(report, "orientations");
    if (!turned->tried)
        return;
    add_direction(list, "chosen", &turned->chosen);
    add_direction(list, "upright", &turned->upright);
    for (size_t i = 0; i < turned->alternative_count; i++)
        add_direction(list, "alternative", &turned->alternatives[i]);
}

static void add_places(cJSON *report, const struct repair_counts *c)
{
    cJSON *list = cJSON_AddArrayToObject(report, "places");
    for (size_t i = 0; i < c->place_count; i++) {
        const struct repair_place *place = &c->places[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "step", place->rung);
        cJSON_AddItemToObject(o, "min_mm", cJSON_CreateFloatArray(place->low, 3));
        cJSON_AddItemToObject(o, "max_mm", cJSON_CreateFloatArray(place->high, 3));
        cJSON_AddNumberToObject(o, "triangles", (double)place->triangles);
        cJSON_AddItemToArray(list, o);
    }
}

static int close_report(cJSON **report, struct prep *p, enum verdict verdict)
{
    bool made = p->output.mesh.triangles > 0;
    if (report_close(report, &p->report, verdict_name(verdict), report_measures(&p->input, NULL),
                     made ? judge_measures(&p->output) : NULL, p->err))
        return -1;
    add_orientation(*report, &p->turned);
    add_places(*report, &p->changes.repaired);
    return 0;
}

int mesh_prep(struct prepared *out, cJSON **report, const struct mesh *in,
              const struct prep_options *options, struct err *err)
{
    struct prep p = {.options = options, .err = err};
    *out = (struct prepared){0};
    int failed = prepare(&p, in);
    if (!failed) {
        out->verdict = verdict_of(p.report.worst);
        failed = close_report(report, &p, out->verdict);
    }
    if (!failed && out->verdict != VERDICT_REJECT) {
        out->mesh = p.mesh;
        out->before = p.visible;
        p.mesh = p.visible = (struct mesh){0};
    }
    report_drop(&p.report);
    mesh_free(&p.mesh);
    mesh_free(&p.visible);
    return failed ? -1 : 0;
}

void prepared_free(struct prepared *prepared)
{
    mesh_free(&prepared->mesh);
    mesh_free(&prepared->before);
    *prepared = (struct prepared){0};
}

/* Of a mesh that encloses nothing only the counts mean something. */
static int close_inspection(cJSON **report, struct prep *p)
{
    bool solid = p->output.mesh.watertight && p->output.mesh.volume_mm3 > 0;
    return report_close(report, &p->report, verdict_name(verdict_of(p->report.worst)),
                        solid ? judge_measures(&p->output)
                              : report_measures(&p->output.mesh, &p->output.print),
                        NULL, p->err);
}

int mesh_inspect(cJSON **report, const struct mesh *in, const struct prep_options *options,
                 struct err *err)
{
    struct prep p = {.options = options, .err = err};
    size_t degenerate = 0;
    int failed = report_open(&p.report, err) ||
                 copy_scaled(&p.mesh, in, first_scale(in, options), err) ||
                 mesh_weld_exact(&p.mesh, NULL, err);
    if (!failed) {
        degenerate = mesh_drop_degenerate(&p.mesh);
        failed = mesh_compact(&p.mesh, err) || measure(&p.output, &p.mesh, NULL, options, err);
    }
    if (!failed) {
        p.output.mesh.degenerate = degenerate;
        report_step(&p.report, "inspect", false);
        judge_input(&p.report, &p.output);
        if (p.output.mesh.watertight && p.output.mesh.volume_mm3 > 0)
            failed = judge_print(&p.report, &p.mesh, &p.output, options, err);
    }
    if (!failed)
        failed = close_inspection(report, &p);
    report_drop(&p.report);
    mesh_free(&p.mesh);
    return failed ? -1 : 0;
}
