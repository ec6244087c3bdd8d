/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any mesh to what all tools of the bench can read and agree on: binary STL, Z up, the longest side
 * 100 mm, standing on z = 0 over the origin.   to_stl IN OUT.stl
 */
#include <math.h>
#include <stdio.h>

#include "base/bytes.h"
#include "print/export/export.h"
#include "print/measure/measure.h"
#include "print/read/read.h"

static int convert(const char *in, const char *to, struct err *err)
{
    struct bytes file = {.limit = (size_t)1 << 30}, out = {.limit = (size_t)1 << 31};
    struct read_notes notes;
    struct mesh m = {0};
    double low[3], high[3], size = 0;
    int failed =
        bytes_read_file(&file, in, err) || mesh_read(&m, &notes, file.data, file.len, in, err);
    if (!failed) {
        mesh_bounds(&m, low, high);
        for (int k = 0; k < 3; k++)
            size = fmax(size, high[k] - low[k]);
        for (size_t i = 0; size > 0 && i < 3 * m.vertex_count; i++) {
            size_t k = i % 3;
            double base = k == 2 ? low[2] : (low[k] + high[k]) / 2;
            m.xyz[i] = (float)((m.xyz[i] - base) * 100 / size);
        }
        failed = stl_write(&out, &m, "bench", err) || file_write(to, out.data, out.len, err);
    }
    mesh_free(&m);
    bytes_free(&file);
    bytes_free(&out);
    return failed;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc == 3 && convert(argv[1], argv[2], &err) == 0)
        return 0;
    fprintf(stderr, "to_stl: %s %s\n", err.code, err.what);
    return 1;
}
