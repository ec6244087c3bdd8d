/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Binary STL out; the slicer's input and an artifact of each order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/export/export.h"
#include "print/export/mesh_check.h"

#define RECORD_BYTES 50
#define BATCH 131072 /* triangles whose records are made side by side, 6.5 MB */

static void unit_normal(float out[3], const float *a, const float *b, const float *c)
{
    double u[3], v[3];
    for (int i = 0; i < 3; i++) {
        u[i] = (double)b[i] - a[i];
        v[i] = (double)c[i] - a[i];
    }
    double n[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
    double length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    double scale = length > 0 ? 1 / length : 0;
    for (int i = 0; i < 3; i++)
        out[i] = (float)(n[i] * scale);
}

/* The machines that this is built for are little-endian, as STL is. */
static void put_record(uint8_t *to, const struct mesh *mesh, size_t triangle)
{
    const uint32_t *corner = mesh->triangles + 3 * triangle;
    float values[12];
    for (int i = 0; i < 3; i++)
        memcpy(values + 3 + 3 * i, mesh->xyz + 3 * (size_t)corner[i], 3 * sizeof *values);
    unit_normal(values, values + 3, values + 6, values + 9);
    memcpy(to, values, sizeof values);
    to[48] = to[49] = 0;
}

static int put_records(struct bytes *out, const struct mesh *mesh, struct err *err)
{
    uint8_t *batch = malloc((size_t)BATCH * RECORD_BYTES);
    if (!batch)
        return FAIL(err, ERR_LIMIT, "no memory for the STL");
    int failed = 0;
    for (size_t t = 0; t < mesh->triangle_count && !failed; t += BATCH) {
        size_t n = mesh->triangle_count - t < BATCH ? mesh->triangle_count - t : BATCH;
#pragma omp parallel for if (n > 8192)
        for (size_t i = 0; i < n; i++)
            put_record(batch + i * RECORD_BYTES, mesh, t + i);
        failed = bytes_append(out, batch, n * RECORD_BYTES, err);
    }
    free(batch);
    return failed;
}

int stl_write(struct bytes *out, const struct mesh *mesh, const char *label, struct err *err)
{
    if (mesh_check_writable(mesh, false, err))
        return -1;
    size_t start = out->len;
    char header[85] = {0};
    /* Readers take a file that begins with "solid" for text. */
    snprintf(header, 81, "Statuette%s%.60s", label ? ": " : "", label ? label : "");
    uint32_t count = (uint32_t)mesh->triangle_count;
    memcpy(header + 80, &count, sizeof count);
    int failed = bytes_append(out, header, 84, err) || put_records(out, mesh, err) ? -1 : 0;
    if (failed && out->data) {
        out->len = start;
        out->data[start] = 0;
    }
    return failed;
}
