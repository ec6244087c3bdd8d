/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The role plate: several files become one 3MF, each object a thing of its own with its name and
 * what it is to have other than the rest. What belongs together in another's file is placed as a
 * whole; of our own, each object stands for itself. Runs confined; see role.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/render/render.h"
#include "print/repair/solid.h"
#include "print/repair/weld.h"
#include "print/shape/plate.h"
#include "print/shape/shape.h"
#include "service/role_set.h"

#define GAP_MM 5
#define MOST THREEMF_OBJECTS_MAX

/* What an object of a file needs to be written, once for all its copies. */
struct look {
    struct mesh turned; /* by a quarter; empty until it is wanted */
    uint8_t rgb[256][3], *of_triangle;
    struct export_palette palette;
};

/* One file. */
struct source {
    struct set set;
    struct look *looks; /* of each object */
};

/* Objects that keep their places to one another, and where they go. */
struct unit {
    struct source *source;
    size_t first, count;
    unsigned copy;
    double low[3], high[3];
};

struct stock {
    struct source *sources;
    size_t source_count;
    struct unit units[MOST];
    struct plate_item items[MOST]; /* of each unit */
    struct plate_place places[MOST];
    size_t unit_count;
    struct export_object objects[MOST];
    const cJSON *settings[MOST];
    char names[MOST][THREEMF_NAME_BYTES];
    size_t count;
};

static void stock_free(struct stock *s)
{
    for (size_t i = 0; s && i < s->source_count; i++) {
        struct source *source = &s->sources[i];
        for (size_t k = 0; source->looks && k < source->set.count; k++) {
            mesh_free(&source->looks[k].turned);
            free(source->looks[k].of_triangle);
        }
        free(source->looks);
        role_set_free(&source->set);
    }
    if (s)
        free(s->sources);
    free(s);
}

/* Only what can be printed goes on a plate; mending it is mesh prep's work. */
static int check_solid(const struct mesh *mesh, const char *file, struct err *err)
{
    struct mesh_measures m;
    if (mesh_measure_welded(&m, mesh, err))
        return -1;
    if (!m.watertight || !(m.volume_mm3 > 0))
        return FAIL_CODE(err, ERR_INPUT, "not_watertight",
                         "%.80s is no closed body: run `statuette mesh prep` on it first", file);
    return 0;
}

/* Another's object: welded, about its own pivot. Ours is so already, and stays bit for bit. */
static int make_ours(struct set_object *object, struct err *err)
{
    double low[3], high[3];
    if (mesh_weld_exact(&object->mesh, NULL, err))
        return -1;
    mesh_drop_degenerate(&object->mesh);
    if (mesh_compact(&object->mesh, err))
        return -1;
    mesh_bounds(&object->mesh, low, high);
    const double at[3] = {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]};
    for (int k = 0; k < 3; k++)
        object->place_mm[k] += at[k];
    mesh_move(&object->mesh, (struct vec){-at[0], -at[1], -at[2]});
    return 0;
}

/* Each colour once; more than a palette holds are none. */
static int find_palette(struct look *look, const struct set_object *object, struct err *err)
{
    size_t n = object->mesh.triangle_count, last = 0;
    if (!object->rgb)
        return 0;
    look->of_triangle = malloc(n + 1);
    if (!look->of_triangle)
        return FAIL(err, ERR_LIMIT, "no memory for %zu colours", n);
    look->palette = (struct export_palette){.rgb = (const uint8_t(*)[3])look->rgb,
                                            .of_triangle = look->of_triangle};
    for (size_t t = 0; t < n; t++) {
        size_t k = last, count = look->palette.count;
        if (count == 0 || memcmp(look->rgb[k], object->rgb[t], 3) != 0)
            for (k = 0; k < count && memcmp(look->rgb[k], object->rgb[t], 3) != 0;)
                k++;
        if (k == 256) {
            look->palette.count = 0;
            return 0;
        }
        if (k == count) {
            memcpy(look->rgb[k], object->rgb[t], 3);
            look->palette.count++;
        }
        look->of_triangle[t] = (uint8_t)k;
        last = k;
    }
    return 0;
}

/* "dog.3mf" is "dog" to whoever reads a list of objects. */
static void name_object(struct set_object *object, const char *file, size_t of_count)
{
    char own[THREEMF_NAME_BYTES];
    const char *dot = strrchr(file, '.');
    size_t stem = dot && dot > file ? (size_t)(dot - file) : strlen(file);
    int most = (int)(stem < 120 ? stem : 120);
    snprintf(own, sizeof own, "%s", object->name);
    if (!*own)
        snprintf(object->name, sizeof object->name, "%.*s", most, file);
    else if (of_count > 1)
        snprintf(object->name, sizeof object->name, "%.*s: %.200s", most, file, own);
}

static int read_source(struct source *source, const struct bytes *file, const char *name,
                       struct err *err)
{
    struct set *set = &source->set;
    if (role_set_read(set, file, name, err))
        return -1;
    source->looks = calloc(set->count, sizeof *source->looks);
    if (!source->looks)
        return FAIL(err, ERR_LIMIT, "no memory for %zu objects", set->count);
    for (size_t i = 0; i < set->count; i++) {
        if ((!set->own && make_ours(&set->at[i], err)) ||
            check_solid(&set->at[i].mesh, name, err) ||
            find_palette(&source->looks[i], &set->at[i], err))
            return -1;
        name_object(&set->at[i], name, set->count);
    }
    return 0;
}

static int add_unit(struct stock *s, struct source *source, size_t first, size_t count,
                    unsigned copy, struct err *err)
{
    struct set part = {.at = source->set.at + first, .count = count};
    s->count += count;
    if (s->count > MOST)
        return FAIL_CODE(err, ERR_LIMIT, "plate_full", "over %d objects for one plate", MOST);
    struct unit *unit = &s->units[s->unit_count];
    *unit = (struct unit){.source = source, .first = first, .count = count, .copy = copy};
    role_set_bounds(&part, unit->low, unit->high);
    s->items[s->unit_count++] = (struct plate_item){
        part.at->name, {unit->high[0] - unit->low[0], unit->high[1] - unit->low[1]}};
    return 0;
}

static int read_sources(struct stock *s, const struct ask *ask, struct err *err)
{
    s->sources = calloc(ask->input_count + 1, sizeof *s->sources);
    if (!s->sources)
        return FAIL(err, ERR_LIMIT, "no memory for %zu files", ask->input_count);
    for (size_t i = 0; i < ask->input_count; i++) {
        const cJSON *said = cJSON_GetArrayItem(json_get(ask->options, "inputs"), (int)i);
        struct source *source = &s->sources[s->source_count++];
        if (read_source(source, &ask->inputs[i], json_text(said, "name", "part"), err))
            return -1;
        bytes_free(&ask->inputs[i]);
        bool apart = source->set.own != NULL;
        double copies = fmax(1, fmin(json_number(said, "copies", 1), MOST));
        for (unsigned copy = 1; copy <= copies; copy++)
            for (size_t k = 0; k < source->set.count; k += apart ? 1 : source->set.count)
                if (add_unit(s, source, k, apart ? 1 : source->set.count, copy, err))
                    return -1;
    }
    return 0;
}

/* A brim is around each, a skirt around all of them. */
static int arrange(struct stock *s, const struct ask *ask, struct err *err)
{
    const cJSON *process = ask->profile.process, *adhesion = json_get(process, "adhesion");
    const char *type = json_text(adhesion, "type", "none");
    struct plate_options o = {
        .bed_mm = {ask->profile.printer.bed_mm[0], ask->profile.printer.bed_mm[1]},
        .gap_mm = json_number(ask->options, "gap_mm", GAP_MM)};
    double skirt =
        json_number(adhesion, "skirt_gap_mm", 0) +
        json_number(adhesion, "skirt_lines", 0) * json_number(process, "line_width_mm", 0);
    if (strcmp(type, "brim") == 0)
        o.margin_mm = json_number(adhesion, "brim_mm", 0);
    for (int k = 0; k < 2 && strcmp(type, "skirt") == 0; k++)
        o.bed_mm[k] -= 2 * skirt;
    for (size_t i = 0; i < s->unit_count; i++)
        if (s->units[i].high[2] - s->units[i].low[2] > ask->profile.printer.bed_mm[2])
            return FAIL_CODE(err, ERR_INPUT, "plate_item_too_large",
                             "\"%.60s\" is %.1f mm high: the printer reaches %g mm",
                             s->items[i].name, s->units[i].high[2] - s->units[i].low[2],
                             ask->profile.printer.bed_mm[2]);
    return plate_arrange(s->places, s->items, s->unit_count, &o, err);
}

/* Exact: no coordinate is computed. */
static int turn(struct look *look, const struct mesh *mesh, struct err *err)
{
    if (look->turned.xyz)
        return 0;
    if (mesh_copy(&look->turned, mesh, err))
        return -1;
    for (float *p = look->turned.xyz; p < look->turned.xyz + 3 * mesh->vertex_count; p += 3) {
        float x = p[0];
        p[0] = -p[1];
        p[1] = x;
    }
    return 0;
}

static int put_object(struct stock *s, size_t n, const struct unit *unit, size_t k,
                      const struct plate_place *at, const double bed_mm[3], struct err *err)
{
    const struct set_object *from = &unit->source->set.at[k];
    struct look *look = &unit->source->looks[k];
    double off[2];
    for (int i = 0; i < 2; i++)
        off[i] = from->place_mm[i] - (unit->low[i] + unit->high[i]) / 2;
    if (at->turned && turn(look, &from->mesh, err))
        return -1;
    if (unit->copy > 1)
        snprintf(s->names[n], sizeof s->names[n], "%.390s (%u)", from->name, unit->copy);
    else
        snprintf(s->names[n], sizeof s->names[n], "%s", from->name);
    s->settings[n] = from->settings;
    s->objects[n] = (struct export_object){
        .mesh = at->turned ? &look->turned : &from->mesh,
        .palette = look->palette.count ? &look->palette : NULL,
        .name = s->names[n],
        .item_id = *from->item_id ? from->item_id : NULL,
        .part_code = *from->part_code ? from->part_code : NULL,
        .place_mm = {bed_mm[0] / 2 + at->at_mm[0] + (at->turned ? -off[1] : off[0]),
                     bed_mm[1] / 2 + at->at_mm[1] + (at->turned ? off[0] : off[1]),
                     from->place_mm[2] - unit->low[2]}};
    return 0;
}

static int put_objects(struct stock *s, const double bed_mm[3], struct err *err)
{
    size_t n = 0;
    for (size_t u = 0; u < s->unit_count; u++)
        for (size_t k = 0; k < s->units[u].count; k++)
            if (put_object(s, n++, &s->units[u], s->units[u].first + k, &s->places[u], bed_mm, err))
                return -1;
    return 0;
}

/* Each triangle's colour, where any object has colours. */
static int paint(uint8_t **rgb, const struct stock *s, size_t triangles,
                 const struct render_options *view, struct err *err)
{
    bool any = false;
    uint8_t *to = NULL;
    for (size_t i = 0; i < s->count; i++)
        any |= s->objects[i].palette != NULL;
    if (!any)
        return 0;
    if (!(*rgb = to = malloc(3 * triangles + 1)))
        return FAIL(err, ERR_LIMIT, "no memory for colours");
    for (size_t i = 0; i < s->count; i++)
        for (size_t t = 0; t < s->objects[i].mesh->triangle_count; t++, to += 3) {
            const struct export_palette *p = s->objects[i].palette;
            memcpy(to, p ? p->rgb[p->of_triangle[t]] : view->rgb, 3);
        }
    return 0;
}

static int draw(struct picture *out, const struct stock *s, struct err *err)
{
    struct render_options view = RENDER_OPTIONS_DEFAULT;
    struct mesh all = {0};
    uint8_t *rgb = NULL;
    size_t done = 0;
    int failed = 0;
    view.width = view.height = 300;
    view.transparent = true;
    for (size_t i = 0; i < s->count && !failed; i++) {
        failed = mesh_append(&all, s->objects[i].mesh, false, err);
        for (; !failed && done < all.vertex_count; done++)
            for (size_t k = 0; k < 3; k++)
                all.xyz[3 * done + k] += (float)s->objects[i].place_mm[k];
    }
    failed = failed || paint(&rgb, s, all.triangle_count, &view, err);
    view.triangle_rgb = rgb;
    failed = failed || mesh_render_thumbnail(out, &all, &view, err);
    free(rgb);
    mesh_free(&all);
    return failed ? -1 : 0;
}

static cJSON *tell(const struct stock *s, const struct ask *ask)
{
    cJSON *result = cJSON_CreateObject();
    cJSON_AddStringToObject(result, "printer", ask->profile.printer.id);
    cJSON_AddItemToObject(result, "bed_mm",
                          cJSON_CreateDoubleArray(ask->profile.printer.bed_mm, 3));
    cJSON *list = cJSON_AddArrayToObject(result, "objects");
    for (size_t i = 0; i < s->count; i++) {
        double low[3], high[3];
        cJSON *o = cJSON_CreateObject();
        mesh_bounds(s->objects[i].mesh, low, high);
        const double size[3] = {high[0] - low[0], high[1] - low[1], high[2] - low[2]};
        cJSON_AddItemToArray(list, o);
        cJSON_AddStringToObject(o, "name", s->objects[i].name);
        cJSON_AddNumberToObject(o, "triangles", (double)s->objects[i].mesh->triangle_count);
        cJSON_AddItemToObject(o, "size_mm", cJSON_CreateDoubleArray(size, 3));
        cJSON_AddItemToObject(o, "place_mm", cJSON_CreateDoubleArray(s->objects[i].place_mm, 3));
        cJSON_AddItemToObject(o, "settings",
                              s->settings[i] ? cJSON_Duplicate(s->settings[i], true)
                                             : cJSON_CreateObject());
    }
    return result;
}

int role_plate(const struct ask *ask, cJSON **result, struct err *err)
{
    struct stock *s = calloc(1, sizeof *s);
    if (!s)
        return FAIL(err, ERR_LIMIT, "no memory for a plate");
    struct role_plate plate = {.objects = s->objects, .settings = s->settings};
    plate.labels = role_labels(ask);
    int failed = read_sources(s, ask, err) || arrange(s, ask, err) ||
                 put_objects(s, ask->profile.printer.bed_mm, err) || draw(&plate.thumbnail, s, err);
    plate.count = s->count;
    for (size_t i = s->count; i-- > 0;)
        if (s->objects[i].palette)
            plate.colour = s->objects[i].palette->rgb[0];
    failed = failed || role_plate_write(&plate, ask, err) ||
             role_plate_finish(&plate, "out.3mf", NULL, err);
    if (!failed)
        *result = tell(s, ask);
    role_plate_free(&plate);
    stock_free(s);
    return failed ? -1 : 0;
}
