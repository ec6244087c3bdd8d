/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which way is up in formats that do not say: OBJ, PLY, OFF. Image-to-3D programs write both. */
#include "print/measure/measure.h"
#include "print/read/build.h"

/* At this size the band of 0.1 mm that counts as touching is a hundredth of the model. */
#define JUDGED_SIZE 10.0
#define STANDS_DEG 5

static struct vec turned(struct vec p)
{
    return (struct vec){p.x, -p.z, p.y};
}

static int lean(double *margin_deg, const struct mesh *mesh, bool y_up, struct err *err)
{
    double low[3], high[3], size = 0;
    struct mesh copy;
    struct print_measures stand = {0};
    mesh_bounds(mesh, low, high);
    for (int k = 0; k < 3; k++)
        size = high[k] - low[k] > size ? high[k] - low[k] : size;
    if (mesh_copy(&copy, mesh, err))
        return -1;
    for (uint32_t v = 0; v < copy.vertex_count; v++) {
        struct vec p = vec_scale(mesh_point(mesh, v), size > 0 ? JUDGED_SIZE / size : 1);
        mesh_point_set(&copy, v, y_up ? turned(p) : p);
    }
    int failed = mesh_measure_stand(&stand, &copy, 45, err);
    *margin_deg = stand.tilt_margin_deg;
    mesh_free(&copy);
    return failed;
}

int choose_up(struct mesh *mesh, struct read_notes *notes, struct err *err)
{
    double z_up, y_up = 0;
    if (lean(&z_up, mesh, false, err) || (z_up < 0 && lean(&y_up, mesh, true, err)))
        return -1;
    if (!(z_up < 0 && y_up > STANDS_DEG)) {
        note(notes, "the format has no axis rule: Z is taken as up");
        return 0;
    }
    for (uint32_t v = 0; v < mesh->vertex_count; v++)
        mesh_point_set(mesh, v, turned(mesh_point(mesh, v)));
    note(notes, "Y is taken as up: the model would fall over with Z up and stands with Y up");
    return 0;
}
