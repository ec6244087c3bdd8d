/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The models to slice. The engines are silent about what lies off the bed, below it or over its
 * height, about what floats, and CuraEngine about a cut-off STL, so that all of it is looked at
 * here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "print/export/export.h"
#include "print/repair/weld.h"
#include "print/slice/engine.h"

#define MODEL_BYTES_MAX ((size_t)1 << 30)
#define TOLERANCE_MM 0.01
/* CuraEngine drops empty first layers without a word, and PrusaSlicer prints support below them. */
#define FLOATS_MM 0.05
#define UNREADABLE "slice_model_unreadable"

/* Only what stl_write writes: three corners of their own for each triangle. */
static int stl_read(struct mesh *out, const struct bytes *file, struct err *err)
{
    uint32_t count = 0;
    if (file->len < 84)
        return FAIL_CODE(err, ERR_INPUT, UNREADABLE, "the STL is too short to be one");
    memcpy(&count, file->data + 80, sizeof count);
    if (file->len != 84 + (size_t)count * 50)
        return FAIL_CODE(err, ERR_INPUT, UNREADABLE,
                         memcmp(file->data, "solid", 5) == 0
                             ? "the STL is text; slicing takes binary STL or 3MF"
                             : "the STL is cut off: it has another length than its triangle count "
                               "says; export it again");
    if (mesh_alloc(out, (size_t)count * 3, count, err))
        return -1;
    for (size_t t = 0; t < count; t++) {
        memcpy(out->xyz + 9 * t, file->data + 84 + 50 * t + 12, 36);
        for (size_t i = 3 * t; i < 3 * t + 3; i++)
            out->triangles[i] = (uint32_t)i;
    }
    return 0;
}

static int find_box(struct engine_object *object, struct err *err)
{
    const struct mesh *mesh = &object->mesh;
    for (int i = 0; i < 3; i++) {
        object->low[i] = INFINITY;
        object->high[i] = -INFINITY;
    }
    for (size_t i = 0; i < 3 * mesh->triangle_count; i++)
        for (int k = 0; k < 3; k++) {
            double value = mesh->xyz[3 * (size_t)mesh->triangles[i] + (size_t)k];
            if (!isfinite(value))
                return FAIL_CODE(err, ERR_INPUT, UNREADABLE,
                                 "the model has a coordinate that is no number; repair it");
            object->low[k] = fmin(object->low[k], value);
            object->high[k] = fmax(object->high[k], value);
        }
    return 0;
}

/* Six times each tetrahedron's volume between a triangle and the origin. */
static double volume_of(const struct mesh *mesh)
{
    double sum = 0;
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        const float *a = mesh->xyz + 3 * (size_t)mesh->triangles[3 * t],
                    *b = mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + 1],
                    *c = mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + 2];
        sum += (double)a[0] * ((double)b[1] * c[2] - (double)b[2] * c[1]) +
               (double)a[1] * ((double)b[2] * c[0] - (double)b[0] * c[2]) +
               (double)a[2] * ((double)b[0] * c[1] - (double)b[1] * c[0]);
    }
    return fmax(0, sum / 6);
}

static void move(struct mesh *mesh, const double by[3])
{
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++)
        mesh->xyz[i] = (float)(mesh->xyz[i] + by[i % 3]);
}

/* Anybody's 3MF lies where its author put it: its foot's middle becomes the pivot. */
static int centre(struct engine_object *object, struct err *err)
{
    if (find_box(object, err))
        return -1;
    move(&object->mesh, (double[]){-(object->low[0] + object->high[0]) / 2,
                                   -(object->low[1] + object->high[1]) / 2, -object->low[2]});
    return 0;
}

static int append(struct mesh *to, const struct mesh *from, struct err *err)
{
    struct mesh both = {0};
    if (mesh_alloc(&both, to->vertex_count + from->vertex_count,
                   to->triangle_count + from->triangle_count, err))
        return -1;
    const struct mesh *parts[] = {to, from};
    size_t vertices = 0, corners = 0;
    for (int p = 0; p < 2; p++) {
        if (parts[p]->vertex_count)
            memcpy(both.xyz + 3 * vertices, parts[p]->xyz, 12 * parts[p]->vertex_count);
        for (size_t i = 0; i < 3 * parts[p]->triangle_count; i++)
            both.triangles[corners++] = parts[p]->triangles[i] + (uint32_t)vertices;
        vertices += parts[p]->vertex_count;
    }
    mesh_free(to);
    *to = both;
    return 0;
}

/* From the bed's corner to its middle. */
static void place(struct mesh *mesh, const double t[3][4], const double bed[3])
{
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        float *p = mesh->xyz + 3 * v;
        double from[3] = {p[0], p[1], p[2]};
        for (int k = 0; k < 3; k++)
            p[k] = (float)(t[k][0] * from[0] + t[k][1] * from[1] + t[k][2] * from[2] + t[k][3] -
                           (k < 2 ? bed[k] / 2 : 0));
    }
}

/* A plate of ours: each object where it stands on the bed. One alone is taken about its pivot. */
static int join_plate(struct mesh *out, struct threemf_objects *plate, const double bed[3],
                      struct err *err)
{
    int failed = 0;
    for (size_t i = 0; i < plate->count && !failed; i++) {
        struct threemf_object *object = &plate->at[i];
        if (plate->count > 1)
            place(&object->mesh, (const double(*)[4])object->transform, bed);
        failed = append(out, &object->mesh, err);
    }
    return failed;
}

static int threemf_load(struct engine_object *object, const struct engine_job *job,
                        const struct bytes *file, struct err *err)
{
    struct threemf_objects plate = {0};
    int ours = threemf_read_objects(&plate, file->data, file->len, NULL) == 0;
    int failed = ours
                     ? join_plate(&object->mesh, &plate, job->options->profile->printer.bed_mm, err)
                     : threemf_read_skin(&object->mesh, NULL, file->data, file->len, err) ||
                           centre(object, err);
    threemf_objects_free(&plate);
    return failed ? -1 : 0;
}

static int check_bed(const struct engine_object *object, const struct profile *p, struct err *err)
{
    const double *bed = p->printer.bed_mm, *low = object->low, *high = object->high;
    if (high[0] - low[0] > bed[0] || high[1] - low[1] > bed[1] || high[2] - low[2] > bed[2])
        return FAIL_CODE(
            err, ERR_INPUT, "slice_outside_bed",
            "the model is %.1f x %.1f x %.1f mm; %.40s builds %.0f x %.0f x %.0f: make "
            "it smaller or take a larger printer",
            high[0] - low[0], high[1] - low[1], high[2] - low[2], p->printer.name, bed[0], bed[1],
            bed[2]);
    if (fmax(-low[0], high[0]) > bed[0] / 2 || fmax(-low[1], high[1]) > bed[1] / 2 ||
        high[2] > bed[2] || low[2] < -TOLERANCE_MM)
        return FAIL_CODE(err, ERR_INPUT, "slice_outside_bed",
                         "the model lies outside the bed of %.40s: x %.1f..%.1f, y %.1f..%.1f, "
                         "z %.1f..%.1f mm from its middle; move it",
                         p->printer.name, low[0], high[0], low[1], high[1], low[2], high[2]);
    if (low[2] > FLOATS_MM)
        return FAIL_CODE(err, ERR_INPUT, "slice_floating",
                         "the model floats %.2f mm above the bed; set it down", low[2]);
    return 0;
}

/* PrusaSlicer takes corners that are not shared for holes. */
static int tidy(struct mesh *mesh, struct err *err)
{
    if (mesh_weld_exact(mesh, NULL, err))
        return -1;
    mesh_drop_degenerate(mesh);
    if (mesh->triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "slice_empty", "the model has no triangles");
    return 0;
}

static int load_object(struct engine_job *job, size_t i, struct err *err)
{
    struct engine_object *object = &job->objects[i];
    struct bytes file = {.limit = MODEL_BYTES_MAX};
    if (bytes_read_file(&file, job->options->objects[i].path, err))
        return -1;
    bool zip = file.len > 4 && memcmp(file.data, "PK\3\4", 4) == 0;
    int failed = zip ? threemf_load(object, job, &file, err) : stl_read(&object->mesh, &file, err);
    bytes_free(&file);
    if (failed || find_box(object, err) || tidy(&object->mesh, err))
        return -1;
    object->volume_mm3 = volume_of(&object->mesh);
    if (job->options->object_count == 1)
        snprintf(object->file, sizeof object->file, "model.stl");
    else
        snprintf(object->file, sizeof object->file, "model-%zu.stl", i + 1);
    return check_bed(object, job->options->profile, err);
}

int models_load(struct engine_job *job, struct err *err)
{
    size_t count = job->options->object_count;
    if (count == 0 || count > THREEMF_OBJECTS_MAX)
        return FAIL(err, ERR_INPUT, "%zu models for one plate; 1 to %d can be sliced together",
                    count, THREEMF_OBJECTS_MAX);
    job->objects = calloc(count, sizeof *job->objects);
    if (!job->objects)
        return FAIL(err, ERR_LIMIT, "no memory for %zu models", count);
    for (size_t i = 0; i < count; i++) {
        const struct engine_object *object = &job->objects[i];
        if (load_object(job, i, err))
            return -1;
        for (int k = 0; k < 3; k++) {
            job->low[k] = i ? fmin(job->low[k], object->low[k]) : object->low[k];
            job->high[k] = i ? fmax(job->high[k], object->high[k]) : object->high[k];
        }
    }
    return models_apart(job, err);
}

int models_join(struct mesh *out, const struct engine_job *job, struct err *err)
{
    struct mesh all = {0};
    for (size_t i = 0; i < job->options->object_count; i++)
        if (append(&all, &job->objects[i].mesh, err)) {
            mesh_free(&all);
            return -1;
        }
    *out = all;
    return 0;
}
