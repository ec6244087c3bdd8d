/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The model to slice. CuraEngine is silent about what lies off the bed, below it or over its
 * height, and about a cut-off STL, so that all of it is looked at here.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "print/export/export.h"
#include "print/slice/engine.h"

#define MODEL_BYTES_MAX ((size_t)1 << 30)
#define TOLERANCE_MM 0.01

/* Only what stl_write writes: three corners of their own for each triangle. */
static int stl_read(struct mesh *out, const struct bytes *file, struct err *err)
{
    uint32_t count = 0;
    if (file->len < 84)
        return FAIL_CODE(err, ERR_INPUT, "slice_failed", "the STL is too short to be one");
    memcpy(&count, file->data + 80, sizeof count);
    if (file->len != 84 + (size_t)count * 50)
        return FAIL_CODE(err, ERR_INPUT, "slice_failed",
                         memcmp(file->data, "solid", 5) == 0
                             ? "the STL is text; slicing takes binary STL or 3MF"
                             : "the STL has another length than its triangle count says");
    if (mesh_alloc(out, (size_t)count * 3, count, err))
        return -1;
    for (size_t t = 0; t < count; t++) {
        memcpy(out->xyz + 9 * t, file->data + 84 + 50 * t + 12, 36);
        for (size_t i = 3 * t; i < 3 * t + 3; i++)
            out->triangles[i] = (uint32_t)i;
    }
    return 0;
}

static int find_box(struct engine_job *job, const struct mesh *mesh, struct err *err)
{
    for (int i = 0; i < 3; i++) {
        job->low[i] = INFINITY;
        job->high[i] = -INFINITY;
    }
    for (size_t i = 0; i < 3 * mesh->triangle_count; i++)
        for (int k = 0; k < 3; k++) {
            double value = mesh->xyz[3 * (size_t)mesh->triangles[i] + (size_t)k];
            if (!isfinite(value))
                return FAIL_CODE(err, ERR_INPUT, "slice_failed",
                                 "the model has a coordinate that is no number");
            job->low[k] = fmin(job->low[k], value);
            job->high[k] = fmax(job->high[k], value);
        }
    return 0;
}

/* Anybody's 3MF lies where its author put it: its foot's middle becomes the pivot. */
static int centre(struct engine_job *job, struct mesh *mesh, struct err *err)
{
    if (find_box(job, mesh, err))
        return -1;
    double by[3] = {(job->low[0] + job->high[0]) / 2, (job->low[1] + job->high[1]) / 2,
                    job->low[2]};
    for (size_t i = 0; i < 3 * mesh->vertex_count; i++)
        mesh->xyz[i] = (float)(mesh->xyz[i] - by[i % 3]);
    return 0;
}

static int threemf_load(struct mesh *mesh, struct engine_job *job, const struct bytes *file,
                        struct err *err)
{
    if (threemf_read_strict(mesh, file->data, file->len, 1, NULL) == 0)
        return 0;
    if (threemf_read_strict(mesh, file->data, file->len, 0, err))
        return -1;
    return centre(job, mesh, err);
}

static int check_bed(const struct engine_job *job, struct err *err)
{
    const double *bed = job->options->profile->printer.bed_mm, *low = job->low, *high = job->high;
    const char *name = job->options->profile->printer.name;
    if (high[0] - low[0] > bed[0] || high[1] - low[1] > bed[1] || high[2] - low[2] > bed[2])
        return FAIL_CODE(err, ERR_INPUT, "slice_outside_bed",
                         "the model is %.1f x %.1f x %.1f mm; %.40s builds %.0f x %.0f x %.0f",
                         high[0] - low[0], high[1] - low[1], high[2] - low[2], name, bed[0], bed[1],
                         bed[2]);
    if (fmax(-low[0], high[0]) > bed[0] / 2 || fmax(-low[1], high[1]) > bed[1] / 2 ||
        high[2] > bed[2] || low[2] < -TOLERANCE_MM)
        return FAIL_CODE(err, ERR_INPUT, "slice_outside_bed",
                         "the model lies outside the bed of %.40s: x %.1f..%.1f, y %.1f..%.1f, "
                         "z %.1f..%.1f mm from its middle",
                         name, low[0], high[0], low[1], high[1], low[2], high[2]);
    return 0;
}

static int load_file(struct mesh *mesh, struct engine_job *job, const struct bytes *file,
                     struct err *err)
{
    bool zip = file->len > 4 && memcmp(file->data, "PK\3\4", 4) == 0;
    if (zip ? threemf_load(mesh, job, file, err) : stl_read(mesh, file, err))
        return -1;
    if (mesh->triangle_count == 0)
        return FAIL_CODE(err, ERR_INPUT, "slice_empty", "the model has no triangles");
    return find_box(job, mesh, err) || check_bed(job, err) ? -1 : 0;
}

int model_load(struct mesh *mesh, struct engine_job *job, struct err *err)
{
    struct bytes file = {.limit = MODEL_BYTES_MAX}, stl = {.limit = MODEL_BYTES_MAX};
    int failed = bytes_read_file(&file, job->options->objects[0].path, err) ||
                 load_file(mesh, job, &file, err);
    bytes_free(&file);
    failed =
        failed || stl_write(&stl, mesh, NULL, err) || file_write(job->stl, stl.data, stl.len, err);
    bytes_free(&stl);
    if (failed)
        mesh_free(mesh);
    return failed ? -1 : 0;
}
