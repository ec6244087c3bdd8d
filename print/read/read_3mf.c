/* SPDX-License-Identifier: GPL-3.0-or-later */
/* 3MF through the one doorman of lib3mf, which stands in print/export. */
#include "print/export/export.h"
#include "print/read/build.h"

int read_3mf(struct mesh_builder *out, struct read_notes *notes, const uint8_t *data, size_t n,
             struct err *err)
{
    struct err inner = {0};
    struct mesh mesh = {0};
    if (threemf_read_skin(&mesh, out->skin, data, n, &inner)) {
        if (inner.kind == ERR_INPUT)
            return DAMAGED(err, "%s", inner.what);
        return err_fail(err, inner.kind, inner.code, inner.where, "%s", inner.what);
    }
    out->mesh = mesh;
    out->vertex_room = mesh.vertex_count;
    out->triangle_room = mesh.triangle_count;
    notes->unit_mm = 1; /* the doorman converts to millimetres */
    return 0;
}
