/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sentences of the report; see judge.h. An error rejects, a warning asks a person to look, info
 * passes. */
#include "print/judge.h"

#include <math.h>
#include <stdio.h>

#include "print/measure/stand.h"

static double longest(const struct mesh_measures *m)
{
    double most = m->size_mm[0] > m->size_mm[1] ? m->size_mm[0] : m->size_mm[1];
    return m->size_mm[2] > most ? m->size_mm[2] : most;
}

static void judge_holes(struct report *r, const struct repair_counts *c, double size)
{
    bool large = c->holes.largest_mm > 0.25 * size;
    report_find(r, "holes_closed", large ? SEVERITY_WARNING : SEVERITY_INFO, c->holes.largest_mm,
                0.25 * size, "%zu holes in the surface were closed, the largest %.1f mm across%s",
                c->holes.filled, c->holes.largest_mm,
                large ? "; check that it was not meant to be open" : "");
}

static void judge_shells(struct report *r, const struct repair_counts *c)
{
    if (c->shells.debris)
        report_find(r, "debris_dropped", SEVERITY_INFO, (double)c->shells.debris, NAN,
                    "%zu loose specks were removed", c->shells.debris);
    if (c->shells.hidden)
        report_find(r, "hidden_dropped", SEVERITY_INFO, (double)c->shells.hidden, NAN,
                    "%zu parts inside the model that nobody can see were filled", c->shells.hidden);
    if (c->leaks.hollow_mm3 > 0)
        report_find(r, "hollows_filled", SEVERITY_INFO, c->leaks.hollow_mm3, NAN,
                    "%zu hollows that were open only through leaks too small to print were filled",
                    c->leaks.hollows);
    if (c->shells.turned || c->flipped)
        report_find(r, "sides_turned", SEVERITY_INFO, (double)(c->shells.turned + c->flipped), NAN,
                    "surfaces that faced inward were turned outward");
}

static void judge_base(struct report *r, const struct prep_changes *changes)
{
    const struct base_result *b = &changes->base;
    if (changes->base_failed)
        report_find(r, "base_failed", SEVERITY_WARNING, NAN, NAN,
                    "the base could not be joined with the figure; it was left out");
    else if (b->outside_mm > 0)
        report_find(r, "base_small", SEVERITY_WARNING, b->outside_mm, 0,
                    "the figure's foot sticks out %.1f mm over the ordered base", b->outside_mm);
    if (changes->split_failed)
        report_find(r, "split_failed", SEVERITY_WARNING, NAN, NAN,
                    "figure and base stay in one piece: the feet are too thin for a peg");
    if (changes->hollow_failed)
        report_find(r, "hollow_failed", SEVERITY_INFO, NAN, NAN,
                    "it stays full: nowhere is it thick enough to be hollow");
    else if (changes->hollow.cavities)
        report_find(r, "hollowed", SEVERITY_INFO,
                    changes->hollow.volume_before_mm3 - changes->hollow.volume_after_mm3, NAN,
                    "hollowed: %.1f of %.1f cm3 of material saved, walls of %.2f mm or more",
                    (changes->hollow.volume_before_mm3 - changes->hollow.volume_after_mm3) / 1000,
                    changes->hollow.volume_before_mm3 / 1000, changes->hollow.wall_least_mm);
}

void judge_repairs(struct report *r, const struct prep_changes *changes,
                   const struct prep_measures *m)
{
    const struct repair_counts *c = &changes->repaired;
    if (c->holes.filled && !c->rebuilt)
        judge_holes(r, c, longest(&m->mesh));
    if (c->united.crossings && !c->rebuilt)
        report_find(r, "crossings_resolved", SEVERITY_INFO, (double)c->united.crossings, NAN,
                    "parts passed through each other in %zu places; they are one surface now",
                    c->united.crossings);
    if (c->rebuilt)
        report_find(r, "surface_rebuilt", SEVERITY_INFO, m->print.deviation_mean_mm, NAN,
                    "the surface was too broken to mend and was made anew; it lies %.3f mm from "
                    "the original on average",
                    m->print.deviation_mean_mm);
    if (c->thickened)
        report_find(r, "sheets_thickened", SEVERITY_WARNING, (double)c->sheets, NAN,
                    "%zu parts of the model were sheets without thickness; they were made solid "
                    "and look thicker from behind",
                    c->sheets);
    judge_shells(r, c);
    judge_base(r, changes);
    if (changes->decimated_from)
        report_find(r, "decimated", SEVERITY_INFO, (double)m->mesh.triangles, NAN,
                    "simplified from %zu to %zu triangles", changes->decimated_from,
                    m->mesh.triangles);
}

void judge_change(struct report *r, const struct prep_changes *changes,
                  const struct prep_measures *measures)
{
    const struct print_measures *m = &measures->print;
    double size = longest(&measures->mesh), mean_limit = 0.005 * size, max_limit = 0.03 * size;
    if (changes->flatten_mm > 0.8 * max_limit)
        max_limit = changes->flatten_mm * 1.25;
    if (m->deviation_mean_mm > mean_limit)
        report_find(r, "shape_changed", SEVERITY_WARNING, m->deviation_mean_mm, mean_limit,
                    "the model differs from the original by %.2f mm on average",
                    m->deviation_mean_mm);
    else if (m->deviation_max_mm > max_limit)
        report_find(r, "shape_changed", SEVERITY_WARNING, m->deviation_max_mm, max_limit,
                    "some visible part of the original lies %.1f mm off the model now",
                    m->deviation_max_mm);
    if (m->self_intersections)
        report_find(r, "self_intersections", SEVERITY_WARNING, (double)m->self_intersections, 0,
                    "%zu triangles still pass through others; slicers may print gaps there",
                    m->self_intersections);
}

static int judge_size(struct report *r, const struct mesh *mesh, const struct mesh_measures *m,
                      const double bed[3], struct err *err)
{
    struct plate_fit fit = {.fits = true};
    const double *size = m->size_mm;
    if (bed[0] > 0 && bed[1] > 0 && bed[2] > 0 && mesh_fit_plate(&fit, mesh, bed, err))
        return -1;
    if (!fit.fits)
        report_find(r, "too_big", SEVERITY_WARNING, longest(m), fit.scale * longest(m),
                    "%.0f x %.0f x %.0f mm does not fit into the printer's %.0f x %.0f x %.0f mm "
                    "whichever way it is turned; %.0f mm high it would",
                    size[0], size[1], size[2], bed[0], bed[1], bed[2], floor(fit.scale * size[2]));
    else if (fit.turn_deg > 0)
        report_find(r, "fits_turned", SEVERITY_INFO, fit.turn_deg, NAN,
                    "it fits the printer's bed when it is turned by %.0f degrees", fit.turn_deg);
    if (longest(m) < 5)
        report_find(r, "too_small", SEVERITY_WARNING, longest(m), 5,
                    "the longest side is %.1f mm: too small to print well", longest(m));
    return 0;
}

static void judge_walls(struct report *r, const struct prep_measures *m,
                        const struct prep_limits *limits)
{
    const struct print_measures *p = &m->print;
    if (!(limits->min_wall_mm > 0) || p->pass_scale <= 1)
        return;
    bool much = p->thin_share > limits->thin_share;
    char remedy[80] = "";
    if (p->pass_scale < 3)
        snprintf(remedy, sizeof remedy, "; from a height of %.0f mm on all of it has enough",
                 ceil(p->pass_scale * m->mesh.size_mm[2]));
    report_find(r, "thin_walls", much ? SEVERITY_WARNING : SEVERITY_INFO, p->thin_share,
                limits->thin_share,
                "%.1f %% of the surface has less than %.1f mm of material behind it (least %.2f) "
                "and may break or not print%s",
                100 * p->thin_share, limits->min_wall_mm, p->thinnest_mm, remedy);
}

static const char *side_name(double deg)
{
    static const char *const names[] = {"right", "back", "left", "front"};
    return names[(int)floor(fmod(deg + 45 + 720, 360) / 90) % 4];
}

static void judge_stand(struct report *r, const struct print_measures *p,
                        const struct prep_limits *limits)
{
    if (p->tilt_margin_deg < 0)
        report_find(r, "tips_over", SEVERITY_WARNING, p->tilt_margin_deg, limits->tilt_margin_deg,
                    "it falls to the %s: its weight lies outside its foot; give it a base",
                    side_name(p->tips_towards_deg));
    else if (p->tilt_margin_deg < limits->tilt_margin_deg)
        report_find(r, "tips_over", SEVERITY_WARNING, p->tilt_margin_deg, limits->tilt_margin_deg,
                    "it tips over to the %s when it leans by %.1f degrees; give it a base",
                    side_name(p->tips_towards_deg), p->tilt_margin_deg);
    if (p->contact_area_mm2 < limits->contact_area_mm2)
        report_find(r, "small_contact", SEVERITY_WARNING, p->contact_area_mm2,
                    limits->contact_area_mm2,
                    "only %.1f square mm touch the bed: it may come loose while printing",
                    p->contact_area_mm2);
}

static void judge_layers(struct report *r, const struct prep_measures *m,
                         const struct prep_limits *limits)
{
    const struct layer_measures *l = &m->layers;
    double overhang = m->print.overhang_area_mm2;
    if (overhang > limits->overhang_share * m->mesh.area_mm2)
        report_find(r, "much_support", SEVERITY_INFO, overhang,
                    limits->overhang_share * m->mesh.area_mm2,
                    "%.0f %% of the surface hangs over and needs support, about %.1f cm3 of it",
                    100 * overhang / m->mesh.area_mm2, l->support.volume_mm3 / 1000);
    if (l->islands)
        report_find(r, "islands", SEVERITY_INFO, (double)l->islands, 0,
                    "%zu places begin in mid-air, the lowest %.1f mm above the bed: they need "
                    "support",
                    l->islands, l->island_first_mm);
    if (m->floating)
        report_find(r, "floating_parts", SEVERITY_WARNING, (double)m->floating, 0,
                    "%zu pieces hang in the air and touch nothing: they come off with the support",
                    m->floating);
    if (l->bridges_over)
        report_find(r, "long_bridges", SEVERITY_INFO, l->bridge_longest_mm, limits->bridge_mm,
                    "%zu spans between two ends are longer than %.0f mm, the longest %.1f mm: they "
                    "sag without support",
                    l->bridges_over, limits->bridge_mm, l->bridge_longest_mm);
    if (l->trapped)
        report_find(r, "trapped_volume", SEVERITY_INFO, l->trapped_mm3, 0,
                    "%zu closed rooms inside hold %.1f cm3: resin, powder or support would stay in "
                    "there",
                    l->trapped, l->trapped_mm3 / 1000);
}

int judge_print(struct report *r, const struct mesh *mesh, const struct prep_measures *m,
                const struct prep_options *options, struct err *err)
{
    const struct prep_limits *limits = &options->limits;
    if (judge_size(r, mesh, &m->mesh, options->bed_mm, err))
        return -1;
    judge_walls(r, m, limits);
    judge_stand(r, &m->print, limits);
    judge_layers(r, m, limits);
    if (m->likeness.iou >= 0 && m->likeness.iou < limits->silhouette_overlap)
        report_find(r, "unlike_photo", SEVERITY_WARNING, m->likeness.iou,
                    limits->silhouette_overlap,
                    "from no side does its outline look like the photo's: they agree by %.0f %%",
                    100 * m->likeness.iou);
    return 0;
}

void judge_input(struct report *r, const struct prep_measures *measures)
{
    const struct mesh_measures *m = &measures->mesh;
    size_t bad = m->boundary_edges + m->nonmanifold_edges + m->inconsistent_edges;
    size_t crossing = measures->print.self_intersections;
    if (m->triangles == 0 || !(m->area_mm2 > 0))
        report_find(r, "nothing_solid", SEVERITY_ERROR, 0, NAN,
                    "there is no surface in this model");
    else if (bad)
        report_find(r, "not_watertight", SEVERITY_WARNING, (double)bad, 0,
                    "%zu edges are open or shared by too many triangles; preparing will mend them",
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
        report_find(r, "self_intersections", SEVERITY_WARNING, (double)crossing, 0,
                    "%zu triangles pass through others; preparing will join them", crossing);
}

/* JSON knows no infinity, and a nanometre is exact enough. */
static void add(cJSON *o, const char *name, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(o, name, fabs(value) < 1e-9 ? 0 : value);
    else
        cJSON_AddNullToObject(o, name);
}

static void add_layers(cJSON *o, const struct layer_measures *l)
{
    add(o, "islands", (double)l->islands);
    add(o, "island_area_mm2", l->island_area_mm2);
    add(o, "bridge_longest_mm", l->bridge_longest_mm);
    add(o, "bridges_over_limit", (double)l->bridges_over);
    add(o, "trapped_volumes", (double)l->trapped);
    add(o, "trapped_mm3", l->trapped_mm3);
    add(o, "support_mm3", l->support.volume_mm3);
    add(o, "support_contact_mm2", l->support.contact_mm2);
}

cJSON *judge_measures(const struct prep_measures *m)
{
    const struct print_measures *p = &m->print;
    cJSON *o = report_measures(&m->mesh, p);
    add(o, "moved_share", p->moved_share);
    add(o, "tips_towards_deg", p->tips_towards_deg);
    add(o, "thinnest_mm", p->thinnest_mm);
    cJSON_AddItemToObject(o, "thinnest_at_mm", cJSON_CreateDoubleArray(p->thinnest_at, 3));
    add(o, "walls_pass_at_height_mm",
        p->pass_scale > 0 ? p->pass_scale * m->mesh.size_mm[2] : INFINITY);
    add_layers(o, &m->layers);
    add(o, "floating_parts", (double)m->floating);
    add(o, "silhouette_overlap", m->likeness.iou >= 0 ? m->likeness.iou : INFINITY);
    return o;
}
