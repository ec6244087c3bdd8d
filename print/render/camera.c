/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the eye is, and where on the picture each vertex falls. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/render/scene.h"

#define PI 3.14159265358979323846
#define MARGIN 0.08  /* of the picture's side, left free on each side */
#define DISTANCE 5.0 /* of the eye, in radii: a long lens, 23 degrees */

/* Azimuth 0 looks at the face; the side views look down a little, so that the figure stands. */
static const struct {
    const char *name;
    double azimuth, elevation;
} views[] = {[VIEW_FRONT] = {"front", 0, 6},     [VIEW_BACK] = {"back", 180, 6},
             [VIEW_LEFT] = {"left", -90, 6},     [VIEW_RIGHT] = {"right", 90, 6},
             [VIEW_BOTTOM] = {"bottom", 0, -90}, [VIEW_ISO] = {"iso", 35, 20},
             [VIEW_LOW] = {"low", 35, -20}};

int view_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (strcmp(name, views[i].name) == 0)
            return (int)i;
    return -1;
}

/* fmin and fmax are calls; nothing here is NaN. */
static double smaller(double a, double b)
{
    return b < a ? b : a;
}

static double larger(double a, double b)
{
    return b > a ? b : a;
}

static bool drawable(const struct mesh *mesh, size_t triangle)
{
    for (int i = 0; i < 3; i++) {
        uint32_t v = mesh->triangles[3 * triangle + (size_t)i];
        if (v >= mesh->vertex_count || !isfinite(mesh->xyz[3 * (size_t)v]) ||
            !isfinite(mesh->xyz[3 * (size_t)v + 1]) || !isfinite(mesh->xyz[3 * (size_t)v + 2]))
            return false;
    }
    return true;
}

/* What triangles use: a stray vertex must not move the camera. */
static void mark_used(uint8_t *used, const struct mesh *mesh)
{
#pragma omp parallel for
    for (size_t t = 0; t < mesh->triangle_count; t++)
        for (int i = 0; i < 3 && drawable(mesh, t); i++) {
#pragma omp atomic write
            used[mesh->triangles[3 * t + (size_t)i]] = 1;
        }
}

static bool find_box(double low[3], double high[3], const struct mesh *mesh, const uint8_t *used)
{
    double lx = INFINITY, ly = INFINITY, lz = INFINITY;
    double hx = -INFINITY, hy = -INFINITY, hz = -INFINITY;
#pragma omp parallel for reduction(min : lx, ly, lz) reduction(max : hx, hy, hz)
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        const float *p = mesh->xyz + 3 * v;
        if (!used[v])
            continue;
        lx = smaller(lx, p[0]), hx = larger(hx, p[0]);
        ly = smaller(ly, p[1]), hy = larger(hy, p[1]);
        lz = smaller(lz, p[2]), hz = larger(hz, p[2]);
    }
    memcpy(low, (double[3]){lx, ly, lz}, 3 * sizeof *low);
    memcpy(high, (double[3]){hx, hy, hz}, 3 * sizeof *high);
    return lx <= hx;
}

static void turn_to(struct camera *camera, double azimuth_deg, double elevation_deg)
{
    double a = azimuth_deg * PI / 180, e = elevation_deg * PI / 180;
    double right[] = {cos(a), sin(a), 0};
    double up[] = {-sin(a) * sin(e), cos(a) * sin(e), cos(e)};
    double towards[] = {sin(a) * cos(e), -cos(a) * cos(e), sin(e)};
    memcpy(camera->right, right, sizeof right);
    memcpy(camera->up, up, sizeof up);
    memcpy(camera->towards, towards, sizeof towards);
}

/* x and y divided by depth; returns the depth. */
static double view_of(double out[2], const struct camera *camera, const double p[3])
{
    double d[3];
    for (int i = 0; i < 3; i++)
        d[i] = p[i] - camera->centre[i];
    double depth = camera->distance - dot3(d, camera->towards);
    out[0] = dot3(d, camera->right) / depth;
    out[1] = dot3(d, camera->up) / depth;
    return depth;
}

void camera_place(double out[2], const struct camera *camera, const double point[3])
{
    view_of(out, camera, point);
    out[0] = camera->shift_x + camera->scale * out[0];
    out[1] = camera->shift_y - camera->scale * out[1];
}

bool camera_ground(double out[2], const struct camera *camera, double x, double y)
{
    double a = (x - camera->shift_x) / camera->scale, b = (camera->shift_y - y) / camera->scale;
    double eye[3], ray[3];
    for (int i = 0; i < 3; i++) {
        eye[i] = camera->centre[i] + camera->distance * camera->towards[i];
        ray[i] = a * camera->right[i] + b * camera->up[i] - camera->towards[i];
    }
    if (ray[2] >= -1e-9)
        return false;
    double t = (camera->ground_z - eye[2]) / ray[2];
    out[0] = eye[0] + t * ray[0];
    out[1] = eye[1] + t * ray[1];
    return true;
}

/* What is seen, in x / depth and y / depth. */
struct extent {
    double low[2], high[2];
};

static struct extent extent_of(struct scene *scene, const uint8_t *used)
{
    const struct camera *camera = &scene->camera;
    const struct mesh *mesh = scene->mesh;
    double lx = INFINITY, ly = INFINITY, hx = -INFINITY, hy = -INFINITY, left = INFINITY;
#pragma omp parallel for reduction(min : lx, ly, left) reduction(max : hx, hy)
    for (size_t i = 0; i < mesh->vertex_count; i++) {
        const float *v = mesh->xyz + 3 * i;
        if (!used[i])
            continue;
        const double p[3] = {v[0], v[1], v[2]};
        double at[2], depth = view_of(at, camera, p);
        left = smaller(left, at[0] * depth);
        lx = smaller(lx, at[0]), hx = larger(hx, at[0]);
        ly = smaller(ly, at[1]), hy = larger(hy, at[1]);
    }
    scene->camera.leftmost = left;
    return (struct extent){{lx, ly}, {hx, hy}};
}

void camera_ruler(double out[3], const struct camera *camera, double z)
{
    double aside = camera->leftmost - 0.10 * camera->radius;
    for (int i = 0; i < 2; i++)
        out[i] = camera->centre[i] + aside * camera->right[i];
    out[2] = z;
}

static void reach_to(struct extent *extent, const struct camera *camera, const double point[3])
{
    double at[2];
    view_of(at, camera, point);
    for (int k = 0; k < 2; k++) {
        extent->low[k] = fmin(extent->low[k], at[k]);
        extent->high[k] = fmax(extent->high[k], at[k]);
    }
}

static void reach_to_ruler(struct extent *extent, const struct camera *camera)
{
    double point[3];
    for (int i = 0; i < 2; i++) {
        camera_ruler(point, camera, i ? camera->high[2] : camera->low[2]);
        reach_to(extent, camera, point);
    }
    for (int i = 0; i < 4; i++) {
        const double corner[3] = {i & 1 ? camera->high[0] : camera->low[0],
                                  i & 2 ? camera->high[1] : camera->low[1], camera->low[2]};
        reach_to(extent, camera, corner);
    }
}

/* Scale and shift so that what is seen fills the picture but for the margin. */
static void fit(struct scene *scene, const struct extent *seen)
{
    struct camera *camera = &scene->camera;
    double w = (scene->width - scene->free_right) * scene->grain;
    double h = scene->height * scene->grain, room = 1 - 2 * scene->margin, least = 1e-9;
    camera->scale = fmin(w * room / fmax(seen->high[0] - seen->low[0], least),
                         h * room / fmax(seen->high[1] - seen->low[1], least));
    camera->shift_x = w / 2 - camera->scale * (seen->low[0] + seen->high[0]) / 2;
    camera->shift_y = h / 2 + camera->scale * (seen->low[1] + seen->high[1]) / 2;
}

void camera_turn(struct scene *scene, const struct render_options *options, double more_deg)
{
    turn_to(&scene->camera, views[options->view].azimuth + options->turn_deg + more_deg,
            views[options->view].elevation);
}

/* One frame: its own extent. More: the widest of all, about the axis, so that nothing jumps. */
static void aim_frames(struct scene *scene, const struct render_options *options, size_t frames,
                       const uint8_t *used)
{
    struct extent all = {{INFINITY, INFINITY}, {-INFINITY, -INFINITY}};
    double left = INFINITY;
    for (size_t i = 0; i < frames; i++) {
        camera_turn(scene, options, 360.0 * (double)i / (double)frames);
        struct extent seen = extent_of(scene, used);
        left = scene->camera.leftmost = fmin(left, scene->camera.leftmost);
        if (scene->ruler)
            reach_to_ruler(&seen, &scene->camera);
        for (int k = 0; k < 2; k++) {
            all.low[k] = fmin(all.low[k], seen.low[k]);
            all.high[k] = fmax(all.high[k], seen.high[k]);
        }
    }
    if (frames > 1) {
        all.high[0] = fmax(all.high[0], -all.low[0]);
        all.low[0] = -all.high[0];
    }
    fit(scene, &all);
}

int camera_aim(struct scene *scene, const struct render_options *options, size_t frames,
               struct err *err)
{
    double diagonal = 0;
    struct camera *camera = &scene->camera;
    uint8_t *used = calloc(scene->mesh->vertex_count + 1, 1);
    if (!used)
        return FAIL(err, ERR_LIMIT, "no memory for %zu points", scene->mesh->vertex_count);
    mark_used(used, scene->mesh);
    bool any = find_box(camera->low, camera->high, scene->mesh, used);
    if (!any) {
        free(used);
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "the mesh has nothing that can be drawn");
    }
    for (int i = 0; i < 3; i++) {
        double side = camera->high[i] - camera->low[i];
        camera->centre[i] = (camera->low[i] + camera->high[i]) / 2;
        diagonal += side * side;
    }
    camera->radius = fmax(sqrt(diagonal) / 2, 1e-6);
    camera->distance = DISTANCE * camera->radius;
    camera->ground_z = camera->low[2];
    scene->free_right = options->free_right < scene->width / 2 ? options->free_right : 0;
    scene->margin = options->margin > 0 ? fmin(options->margin, 0.45) : MARGIN;
    scene->ruler = options->ruler && views[options->view].elevation > 0;
    aim_frames(scene, options, frames, used);
    free(used);
    return 0;
}

int camera_project(struct scene *scene, struct err *err)
{
    const struct mesh *mesh = scene->mesh;
    const struct camera *camera = &scene->camera;
    free(scene->spots);
    scene->spots = malloc((mesh->vertex_count + 1) * sizeof *scene->spots);
    if (!scene->spots)
        return FAIL(err, ERR_LIMIT, "no memory for %zu points", mesh->vertex_count);
#pragma omp parallel for
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        const float *f = mesh->xyz + 3 * v;
        const double p[3] = {f[0], f[1], f[2]};
        double at[2], depth = view_of(at, camera, p);
        double x = (camera->shift_x + camera->scale * at[0]) * SUBPIXEL;
        double y = (camera->shift_y - camera->scale * at[1]) * SUBPIXEL;
        /* Stray vertices, which no triangle uses, may lie anywhere. */
        bool fits = depth > 0 && fabs(x) < 1e9 && fabs(y) < 1e9;
        scene->spots[v] =
            fits ? (struct spot){(int32_t)lrint(x), (int32_t)lrint(y), (float)(1 / depth)}
                 : (struct spot){0, 0, 0};
    }
    return 0;
}
