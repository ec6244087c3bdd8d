/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From meshes to a 3MF that may be trusted: it is read back by lib3mf in strict mode and by our own
 * reader, held against what was written and measured again, and only then named. lib3mf takes
 * its time on one thread, so it reads while the caller draws pictures. Runs confined.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/export.h"
#include "print/measure/measure.h"
#include "service/role_own.h"

struct export_labels role_labels(const struct ask *ask)
{
    const cJSON *l = json_get(ask->options, "labels");
    return (struct export_labels){.title = json_text(l, "title", NULL),
                                  .order_id = json_text(l, "order_id", NULL),
                                  .item_id = json_text(l, "item_id", NULL),
                                  .part_code = json_text(l, "part_code", NULL),
                                  .printer_id = ask->profile.printer.id,
                                  .material_id = ask->profile.material.id,
                                  .process_id = ask->profile.process_id,
                                  .version_hash = json_text(l, "version_hash", NULL),
                                  .created = json_text(l, "created", NULL),
                                  .modified = json_text(l, "modified", NULL),
                                  .designer = json_text(l, "designer", NULL),
                                  .description = json_text(l, "description", NULL),
                                  .copyright = json_text(l, "copyright", NULL),
                                  .license = json_text(l, "license", NULL)};
}

static int hash_profile(struct role_plate *p, const struct ask *ask, struct err *err)
{
    struct bytes frozen = {0};
    int failed = profile_frozen(&frozen, p->profile_hash, &ask->profile, err);
    p->labels.profile_hash = p->profile_hash;
    bytes_free(&frozen);
    return failed;
}

static int describe(struct role_plate *p, const struct ask *ask, struct err *err)
{
    struct project_object *objects = calloc(p->count, sizeof *objects);
    if (!objects)
        return FAIL(err, ERR_LIMIT, "no memory for %zu objects", p->count);
    for (size_t i = 0; i < p->count; i++) {
        const struct export_object *from = &p->objects[i];
        double low[3], high[3];
        mesh_bounds(from->mesh, low, high);
        objects[i] = (struct project_object){.name = from->name,
                                             .item_id = from->item_id,
                                             .part_code = from->part_code,
                                             .settings = p->settings ? p->settings[i] : NULL,
                                             .triangles = from->mesh->triangle_count,
                                             .volume_mm3 = fmax(0, mesh_volume(from->mesh))};
        for (int k = 0; k < 3; k++)
            objects[i].size_mm[k] = high[k] - low[k];
        memcpy(objects[i].place_mm, from->place_mm, sizeof from->place_mm);
    }
    const struct project_input input = {.profile = &ask->profile,
                                        .labels = &p->labels,
                                        .objects = objects,
                                        .object_count = p->count,
                                        .colour = p->colour};
    int failed = project_make(&p->project, &input, err);
    for (size_t i = 0; i < p->count && !failed; i++) {
        const struct project_words *words = &p->project.words[i];
        p->objects[i].prusa = words->prusa;
        p->objects[i].prusa_count = words->prusa_count;
        p->objects[i].orca = words->orca;
        p->objects[i].orca_count = words->orca_count;
    }
    free(objects);
    return failed;
}

static bool same_mesh(const struct mesh *a, const struct mesh *b)
{
    return a->vertex_count == b->vertex_count && a->triangle_count == b->triangle_count &&
           memcmp(a->triangles, b->triangles, a->triangle_count * 3 * sizeof *a->triangles) == 0 &&
           memcmp(a->xyz, b->xyz, a->vertex_count * 3 * sizeof *a->xyz) == 0;
}

static void add_measures(struct mesh_measures *sum, const struct mesh_measures *m,
                         const double place_mm[3], bool first)
{
    sum->triangles += m->triangles;
    sum->vertices += m->vertices;
    sum->shells += m->shells;
    sum->boundary_edges += m->boundary_edges;
    sum->nonmanifold_edges += m->nonmanifold_edges;
    sum->nonmanifold_vertices += m->nonmanifold_vertices;
    sum->inconsistent_edges += m->inconsistent_edges;
    sum->watertight = (first || sum->watertight) && m->watertight;
    sum->volume_mm3 += m->volume_mm3;
    sum->area_mm2 += m->area_mm2;
    for (int k = 0; k < 3; k++) {
        double low = m->min_mm[k] + place_mm[k], high = m->max_mm[k] + place_mm[k];
        sum->min_mm[k] = first ? low : fmin(sum->min_mm[k], low);
        sum->max_mm[k] = first ? high : fmax(sum->max_mm[k], high);
        sum->size_mm[k] = sum->max_mm[k] - sum->min_mm[k];
    }
}

static int hold_objects(struct role_plate *p, const struct threemf_objects *read, struct err *err)
{
    if (read->count != p->count)
        return FAIL_CODE(err, ERR_BUG, "export_differs", "our 3MF of %zu objects reads back as %zu",
                         p->count, read->count);
    for (size_t i = 0; i < p->count; i++) {
        struct mesh_measures measures;
        const struct threemf_object *object = &read->at[i];
        bool same = same_mesh(&object->mesh, p->objects[i].mesh);
        for (int k = 0; k < 3; k++)
            same = same && object->transform[k][3] == (double)(float)p->objects[i].place_mm[k];
        if (!same)
            return FAIL_CODE(err, ERR_BUG, "export_differs", "object %zu reads back differently",
                             i + 1);
        if (mesh_measure_welded(&measures, &object->mesh, err))
            return -1;
        add_measures(&p->read, &measures, p->objects[i].place_mm, i == 0);
    }
    return 0;
}

static void *read_again(void *user)
{
    struct role_plate *p = user;
    struct threemf_objects read = {0};
    struct err inner = {0};
    if (threemf_read_objects(&read, p->file.data, p->file.len, &inner))
        p->failed = FAIL_CODE(&p->err, inner.kind == ERR_LIMIT ? ERR_LIMIT : ERR_BUG,
                              "export_rejected", "our 3MF was refused: %.150s", inner.what);
    else
        p->failed = hold_objects(p, &read, &p->err);
    threemf_objects_free(&read);
    return NULL;
}

int role_plate_write(struct role_plate *p, const struct ask *ask, struct err *err)
{
    p->file.limit = MESH_LIMIT;
    if (hash_profile(p, ask, err) || describe(p, ask, err))
        return -1;
    p->plate = (struct export_plate){.objects = p->objects,
                                     .object_count = p->count,
                                     .labels = p->labels,
                                     .thumbnail = p->thumbnail.rgba ? &p->thumbnail : NULL,
                                     .parts = p->project.parts,
                                     .part_count = PROJECT_PARTS};
    if (threemf_write_plate(&p->file, &p->plate, err))
        return -1;
    p->running = pthread_create(&p->thread, NULL, read_again, p) == 0;
    if (!p->running)
        read_again(p);
    return 0;
}

/* The file measures what the report says, which tells six digits. */
static int hold_measures(const struct mesh_measures *read, const cJSON *output, struct err *err)
{
    const struct {
        const char *name;
        double value, tolerance;
    } numbers[] = {{"triangles", (double)read->triangles, 0},
                   {"vertices", (double)read->vertices, 0},
                   {"shells", (double)read->shells, 0},
                   {"boundary_edges", (double)read->boundary_edges, 0},
                   {"nonmanifold_edges", (double)read->nonmanifold_edges, 0},
                   {"nonmanifold_vertices", (double)read->nonmanifold_vertices, 0},
                   {"inconsistent_edges", (double)read->inconsistent_edges, 0},
                   {"volume_mm3", read->volume_mm3, 1e-5 * fabs(read->volume_mm3) + 1e-3},
                   {"area_mm2", read->area_mm2, 1e-5 * read->area_mm2 + 1e-3}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double said = json_number(output, numbers[i].name, NAN);
        if (!(fabs(said - numbers[i].value) <= numbers[i].tolerance))
            return FAIL_CODE(err, ERR_BUG, "export_differs", "%s was %.9g, and is %.9g in our 3MF",
                             numbers[i].name, said, numbers[i].value);
    }
    for (int k = 0; k < 3; k++) {
        double said = cJSON_GetNumberValue(cJSON_GetArrayItem(json_get(output, "size_mm"), k));
        if (!(fabs(said - read->size_mm[k]) <= 1e-5 * read->size_mm[k] + 1e-4))
            return FAIL_CODE(err, ERR_BUG, "export_differs",
                             "the size was %.6f mm, and is %.6f mm in our 3MF", said,
                             read->size_mm[k]);
    }
    return 0;
}

static int join(struct role_plate *p, struct err *err)
{
    if (p->running)
        pthread_join(p->thread, NULL);
    p->running = false;
    if (p->failed && err)
        *err = p->err;
    return p->failed;
}

int role_plate_finish(struct role_plate *p, const char *name, const cJSON *output, struct err *err)
{
    int failed = threemf_verify_plate(p->file.data, p->file.len, &p->plate, err);
    failed = join(p, failed ? NULL : err) || failed;
    return failed || (output && hold_measures(&p->read, output, err)) ||
                   file_write(name, p->file.data, p->file.len, err)
               ? -1
               : 0;
}

void role_plate_free(struct role_plate *p)
{
    struct err ignored;
    (void)join(p, &ignored);
    project_free(&p->project);
    picture_free(&p->thumbnail);
    bytes_free(&p->file);
    *p = (struct role_plate){0};
}
