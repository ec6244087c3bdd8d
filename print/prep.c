/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The preparation from end to end; the shaping is in prep_shape.c, what is said about it in
 * judge.c.
 */
#include "print/prep.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/colour/parts.h"
#include "print/colour/transfer.h"
#include "print/measure/vec.h"
#include "print/prep_own.h"
#include "print/repair/arrange.h"

#define PARTS_REPORTED 100

/* What the report says of the input: looked at by a thread of its own while the repair begins,
 * since both are mostly one thread's work. */
struct look {
    const struct mesh *in, *welded;
    const struct skin *skin;
    struct mesh_measures measures;
    struct part_list parts;
    pthread_t thread;
    bool running;
    int failed;
    struct err err;
};

static void *look_run(void *user)
{
    struct look *look = user;
    look->failed =
        mesh_measure_welded(&look->measures, look->welded, &look->err) ||
        (look->in->triangle_count && mesh_parts(&look->parts, look->in, look->skin, &look->err));
    return NULL;
}

static void look_start(struct look *look)
{
    look->running = pthread_create(&look->thread, NULL, look_run, look) == 0;
    if (!look->running)
        look_run(look);
}

/* To be called before the welded mesh is moved or freed. */
static int look_end(struct look *look, struct err *err)
{
    if (look->running)
        pthread_join(look->thread, NULL);
    look->running = false;
    if (look->failed && err)
        *err = look->err;
    return look->failed ? -1 : 0;
}

/* A copy in millimetres around the origin, in double until it is rounded to the grid of uniting: so
 * what is moved later by whole steps stays exact. */
static int copy_scaled(struct mesh *out, const struct mesh *in, double scale, struct err *err)
{
    double low[3], high[3];
    mesh_bounds(in, low, high);
    if (mesh_copy(out, in, err))
        return -1;
#pragma omp parallel for
    for (size_t v = 0; v < in->vertex_count; v++)
        for (size_t k = 0; k < 3; k++)
            out->xyz[3 * v + k] = (float)((in->xyz[3 * v + k] - (low[k] + high[k]) / 2) * scale);
    double step = mesh_grid_step(out);
    if (step > 0)
        mesh_snap(out, step);
    return 0;
}

static bool wants_colours(const struct prep_options *options)
{
    return options->palette.count > 0 && options->skin && skin_has_colour(options->skin);
}

static void on_repair_step(void *user, const char *name, bool changed)
{
    if (changed || strcmp(name, "weld") != 0) /* welded before it was inspected */
        report_step(user, name, changed);
}

/* Layers are looked at only where inside and outside can be told apart. */
static int measure(struct prep_measures *out, const struct mesh *mesh, const struct mesh *visible,
                   bool uncrossed, const struct prep_options *options, struct err *err)
{
    const struct prep_limits *limits = &options->limits;
    struct print_measure_options how = {.visible = visible,
                                        .min_wall_mm = limits->min_wall_mm,
                                        .overhang_deg = limits->overhang_deg,
                                        .uncrossed = uncrossed};
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
    if (out->mesh.shells > 1 && mesh_count_floating(&out->floating, mesh, err))
        return -1;
    return options->mask && out->mesh.triangles
               ? mesh_silhouette_match(&out->likeness, mesh, options->mask, err)
               : 0;
}

/* 0: repaired and shaped; 1: there is nothing solid. */
static int run(struct prep *p, struct look *look)
{
    struct repair_options options = {.min_wall_mm = p->options->limits.min_wall_mm,
                                     .on_step = on_repair_step,
                                     .user = &p->report};
    options.size_mm = p->size_mm = mesh_longest(&p->mesh);
    int repaired = mesh_repair(&p->mesh, &p->changes.repaired, &options, p->err);
    if (repaired || look_end(look, p->err))
        return repaired ? repaired : -1;
    p->sound = true;
    if (prep_shape(p) || measure(&p->output, &p->mesh, &p->visible, p->solid, p->options, p->err))
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

/* Nothing is made of triangles that are all as thin as lines. */
static bool has_area(const struct mesh *mesh)
{
    for (size_t t = 0; t < mesh->triangle_count; t++)
        if (vec_length(mesh_normal2(mesh, t)) > 0)
            return true;
    return false;
}

static int prepare(struct prep *p, const struct mesh *in, struct look *look)
{
    double scale = prep_first_scale(in, p->options);
    size_t merged;
    if (report_open(&p->report, p->err) || copy_scaled(&p->visible, in, scale, p->err) ||
        (wants_colours(p->options) && copy_scaled(&p->dressed, in, scale, p->err)) ||
        mesh_weld_exact(&p->visible, &merged, p->err))
        return -1;
    report_step(&p->report, "weld", merged > 0);
    size_t degenerate = mesh_drop_degenerate(&p->visible);
    if (mesh_compact(&p->visible, p->err) || mesh_copy(&p->mesh, &p->visible, p->err))
        return -1;
    *look = (struct look){.in = in, .welded = &p->visible, .skin = p->options->skin};
    look_start(look);
    report_step(&p->report, "inspect", degenerate > 0);
    int solid = has_area(&p->visible) ? run(p, look) : 1;
    if (look_end(look, p->err) || solid < 0)
        return -1;
    p->input = look->measures;
    p->input.degenerate = degenerate;
    if (solid == 1)
        report_find(&p->report, "nothing_solid", SEVERITY_ERROR, p->input.volume_mm3, NAN,
                    "there is no closed body in this model, only loose surfaces: it cannot be "
                    "printed");
    return solid ? 0 : judge(p);
}

/* Each triangle takes the colour that the input shows there, then that of a filament. */
static int paint(struct prepared *out, struct prep *p)
{
    size_t n = out->mesh.triangle_count;
    if (!wants_colours(p->options) || n == 0)
        return 0;
    uint8_t(*rgb)[3] = malloc(n * sizeof *rgb);
    out->colour = malloc(n);
    int failed = rgb && out->colour ? 0 : FAIL(p->err, ERR_LIMIT, "no memory for colours");
    if (!failed)
        failed = mesh_transfer_colours(rgb, &out->mesh, &p->dressed, p->options->skin, p->err) ||
                 mesh_palette(out->colour, &out->palette, &out->mesh, (const uint8_t(*)[3])rgb,
                              &p->options->palette, p->err);
    free(rgb);
    /* The input says nothing of a base: the main colour's filament. */
    for (size_t t = 0; !failed && t < n; t++)
        if (prepared_is_base(out, t))
            out->colour[t] = 0;
    if (!failed)
        report_step(&p->report, "colour", true);
    return failed ? -1 : 0;
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

static void add_palette(cJSON *report, const struct palette *palette)
{
    cJSON *list = cJSON_AddArrayToObject(report, "colours");
    for (unsigned i = 0; i < palette->count; i++) {
        const uint8_t *c = palette->rgb[i];
        char text[8];
        cJSON *o = cJSON_CreateObject();
        snprintf(text, sizeof text, "#%02x%02x%02x", c[0], c[1], c[2]);
        cJSON_AddStringToObject(o, "rgb", text);
        cJSON_AddNumberToObject(o, "share", palette->share[i]);
        cJSON_AddItemToArray(list, o);
    }
}

/* Parts as they were sent; many shells are no parts but debris, and the findings tell of them. */
static void add_parts(cJSON *report, const struct part_list *parts)
{
    cJSON *list = cJSON_AddArrayToObject(report, "parts");
    for (size_t i = 0; i < parts->part_count && i < PARTS_REPORTED; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", parts->parts[i].name);
        cJSON_AddNumberToObject(o, "triangles", (double)parts->parts[i].triangles);
        cJSON_AddItemToArray(list, o);
    }
}

static int close_report(cJSON **report, struct prep *p, const struct look *look,
                        const struct prepared *out)
{
    bool made = p->output.mesh.triangles > 0;
    if (report_close(report, &p->report, verdict_name(out->verdict),
                     report_measures(&p->input, NULL), made ? judge_measures(&p->output) : NULL,
                     p->err))
        return -1;
    add_orientation(*report, &p->turned);
    add_places(*report, &p->changes.repaired);
    add_palette(*report, &out->palette);
    add_parts(*report, &look->parts);
    return 0;
}

int mesh_prep(struct prepared *out, cJSON **report, const struct mesh *in,
              const struct prep_options *options, struct err *err)
{
    struct prep p = {.options = options, .err = err};
    *out = (struct prepared){0};
    struct look look = {.failed = 0};
    int failed = prepare(&p, in, &look);
    if (!failed)
        out->verdict = verdict_of(p.report.worst);
    if (!failed && out->verdict != VERDICT_REJECT) {
        out->mesh = p.mesh;
        out->before = p.visible;
        memcpy(out->base_low, p.base_low, sizeof p.base_low);
        memcpy(out->base_high, p.base_high, sizeof p.base_high);
        out->apart = p.apart;
        p.mesh = p.visible = (struct mesh){0};
        failed = paint(out, &p);
    }
    failed = failed || close_report(report, &p, &look, out);
    report_drop(&p.report);
    parts_free(&look.parts);
    mesh_free(&p.mesh);
    mesh_free(&p.visible);
    mesh_free(&p.dressed);
    if (failed)
        prepared_free(out);
    return failed ? -1 : 0;
}

bool prepared_is_base(const struct prepared *p, size_t triangle)
{
    if (!(p->base_high[2] > p->base_low[2]))
        return false;
    for (size_t c = 0; c < 3; c++) {
        const float *at = p->mesh.xyz + 3 * (size_t)p->mesh.triangles[3 * triangle + c];
        for (int k = 0; k < 3; k++)
            if (at[k] < p->base_low[k] - 1e-3 || at[k] > p->base_high[k] + 1e-3)
                return false;
    }
    return true;
}

void prepared_free(struct prepared *prepared)
{
    mesh_free(&prepared->mesh);
    mesh_free(&prepared->before);
    free(prepared->colour);
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
                 copy_scaled(&p.mesh, in, prep_first_scale(in, options), err) ||
                 mesh_weld_exact(&p.mesh, NULL, err);
    if (!failed) {
        degenerate = mesh_drop_degenerate(&p.mesh);
        failed =
            mesh_compact(&p.mesh, err) || measure(&p.output, &p.mesh, NULL, false, options, err);
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
