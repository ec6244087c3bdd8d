/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a mesh stands on the bed: what touches it, what hangs over, when and which way it tips. */
#include "print/measure/stand.h"

#include <stdlib.h>

#include "print/measure/measure.h"

/* Within half a first layer of the bed the plastic is pressed onto it. */
#define CONTACT_MM 0.1
#define RAD_TO_DEG 57.29577951308232
#define BLOCK 16384 /* triangles summed up by one thread: sums must not depend on their number */

static const double angles_deg[STAND_ANGLES] = STAND_ANGLES_DEG;

/* What one block of triangles adds. */
struct sums {
    double contact, overhang[STAND_ANGLES], volume;
    double other; /* the overhang beyond the angle that the caller asked for */
    struct vec moment;
};

struct bed {
    const struct mesh *mesh;
    double bottom;
    double steep[STAND_ANGLES], other_steep; /* sines */
    struct vec origin;
};

static struct bed bed_of(const struct mesh *mesh, double overhang_deg)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
    struct bed bed = {.mesh = mesh, .bottom = low[2]};
    for (int i = 0; i < STAND_ANGLES; i++)
        bed.steep[i] = sin(angles_deg[i] / RAD_TO_DEG);
    bed.other_steep = sin(overhang_deg / RAD_TO_DEG);
    bed.origin = mesh_corner(mesh, 0, 0);
    bed.origin.z = low[2];
    return bed;
}

static void add_triangle(struct sums *sums, const struct bed *bed, size_t t)
{
    struct vec a = vec_sub(mesh_corner(bed->mesh, t, 0), bed->origin);
    struct vec b = vec_sub(mesh_corner(bed->mesh, t, 1), bed->origin);
    struct vec c = vec_sub(mesh_corner(bed->mesh, t, 2), bed->origin);
    struct vec n = vec_cross(vec_sub(b, a), vec_sub(c, a));
    double v = vec_dot(a, n);
    sums->volume += v;
    sums->moment = vec_add(sums->moment, vec_scale(vec_add(a, vec_add(b, c)), v / 4));
    if (!(n.z < 0))
        return;
    double top = fmax(a.z, fmax(b.z, c.z)), bottom = fmin(a.z, fmin(b.z, c.z));
    if (top <= CONTACT_MM) {
        sums->contact += -n.z / 2;
        return;
    }
    if (bottom <= 2 * CONTACT_MM)
        return;
    double area2 = vec_length(n);
    for (int i = 0; i < STAND_ANGLES && n.z < -bed->steep[i] * area2; i++)
        sums->overhang[i] += area2 / 2;
    if (n.z < -bed->other_steep * area2)
        sums->other += area2 / 2;
}

static int sum_up(struct sums *out, const struct bed *bed, struct err *err)
{
    size_t n = bed->mesh->triangle_count, blocks = (n + BLOCK - 1) / BLOCK;
    struct sums *each = calloc(blocks + 1, sizeof *each), all = {0};
    if (!each)
        return FAIL(err, ERR_LIMIT, "no memory for %zu sums", blocks);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < blocks; i++) {
        size_t end = (i + 1) * BLOCK < n ? (i + 1) * BLOCK : n;
        struct sums own = {0};
        for (size_t t = i * BLOCK; t < end; t++)
            add_triangle(&own, bed, t);
        each[i] = own;
    }
    for (size_t i = 0; i < blocks; i++) {
        all.contact += each[i].contact;
        all.volume += each[i].volume;
        all.other += each[i].other;
        all.moment = vec_add(all.moment, each[i].moment);
        for (int k = 0; k < STAND_ANGLES; k++)
            all.overhang[k] += each[i].overhang[k];
    }
    free(each);
    *out = all;
    return 0;
}

/* The hull of the vertices that touch the bed; caller frees *points. */
static int find_foot(double (**points)[2], size_t *corners, const struct bed *bed, struct err *err)
{
    const struct mesh *mesh = bed->mesh;
    size_t count = 0;
    double(*made)[2] = malloc((mesh->vertex_count + 1) * sizeof *made);
    if (!made)
        return FAIL(err, ERR_LIMIT, "no memory for the foot of %zu vertices", mesh->vertex_count);
    for (uint32_t v = 0; v < mesh->vertex_count; v++) {
        struct vec p = mesh_point(mesh, v);
        if (!(p.z >= bed->bottom && p.z <= bed->bottom + CONTACT_MM))
            continue;
        made[count][0] = p.x;
        made[count++][1] = p.y;
    }
    *corners = hull_2d(made, count);
    *points = made;
    return 0;
}

/* Signed distance of (x, y) to the hull's nearest side, positive inside, and that side's way out.
 */
static double inside_by(double *out_deg, double (*hull)[2], size_t count, double x, double y)
{
    double least = INFINITY;
    if (count < 3) { /* on an edge or a tip: it falls */
        *out_deg = count ? RAD_TO_DEG * atan2(y - hull[0][1], x - hull[0][0]) : 0;
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const double *a = hull[i], *b = hull[(i + 1) % count];
        double dx = b[0] - a[0], dy = b[1] - a[1], length = hypot(dx, dy);
        double d = length > 0 ? (dx * (y - a[1]) - dy * (x - a[0])) / length : INFINITY;
        if (d < least) {
            least = d;
            *out_deg = RAD_TO_DEG * atan2(-dx, dy);
        }
    }
    return least;
}

static void find_tilt(struct stand *out, const struct bed *bed, const struct sums *sums,
                      double (*hull)[2], size_t corners)
{
    double share = fabs(sums->volume) > 0 ? 1 / sums->volume : 0, toward = 0;
    struct vec middle = vec_add(bed->origin, vec_scale(sums->moment, share));
    double inside = inside_by(&toward, hull, corners, middle.x, middle.y);
    double height = middle.z - bed->bottom, low[2] = {0}, high[2] = {0};
    out->tilt_margin_deg = RAD_TO_DEG * atan2(inside, height > 1e-9 ? height : 1e-9);
    out->tips_towards_deg = toward < 0 ? toward + 360 : toward;
    out->centre_of_mass_mm[0] = middle.x;
    out->centre_of_mass_mm[1] = middle.y;
    out->centre_of_mass_mm[2] = middle.z;
    for (size_t i = 0; i < corners; i++)
        for (int k = 0; k < 2; k++) {
            low[k] = i ? fmin(low[k], hull[i][k]) : hull[i][k];
            high[k] = i ? fmax(high[k], hull[i][k]) : hull[i][k];
        }
    for (int k = 0; k < 2; k++)
        out->foot_mm[k] = high[k] - low[k];
}

static int stand(struct stand *out, double *overhang, const struct mesh *mesh, double overhang_deg,
                 struct err *err)
{
    struct stand made = {0};
    struct sums sums = {0};
    double(*hull)[2] = NULL;
    size_t corners = 0;
    if (mesh->triangle_count) {
        struct bed bed = bed_of(mesh, overhang_deg);
        if (sum_up(&sums, &bed, err) || find_foot(&hull, &corners, &bed, err))
            return -1;
        made.contact_area_mm2 = sums.contact;
        for (int i = 0; i < STAND_ANGLES; i++)
            made.overhang_area_mm2[i] = sums.overhang[i];
        find_tilt(&made, &bed, &sums, hull, corners);
        free(hull);
    }
    *overhang = sums.other;
    *out = made;
    return 0;
}

int mesh_stand(struct stand *out, const struct mesh *mesh, struct err *err)
{
    double unused;
    return stand(out, &unused, mesh, 45, err);
}

int mesh_measure_stand(struct print_measures *out, const struct mesh *mesh, double overhang_deg,
                       struct err *err)
{
    struct stand s;
    double overhang;
    if (stand(&s, &overhang, mesh, overhang_deg, err))
        return -1;
    out->contact_area_mm2 = s.contact_area_mm2;
    out->overhang_area_mm2 = overhang;
    out->tilt_margin_deg = s.tilt_margin_deg;
    out->tips_towards_deg = s.tips_towards_deg;
    return 0;
}

void mesh_overhang_map(float *deg, const struct mesh *mesh)
{
    double low[3], high[3];
    mesh_bounds(mesh, low, high);
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        struct vec n = mesh_normal2(mesh, t);
        double length = vec_length(n), top = -INFINITY;
        for (int c = 0; c < 3; c++)
            top = fmax(top, mesh_corner(mesh, t, c).z);
        bool hangs = n.z < 0 && length > 0 && top > low[2] + CONTACT_MM;
        deg[t] = hangs ? (float)(RAD_TO_DEG * asin(fmin(-n.z / length, 1))) : 0;
    }
}
