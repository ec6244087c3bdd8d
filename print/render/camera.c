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
             [VIEW_BOTTOM] = {"bottom", 0, -90}, [VIEW_ISO] = {"iso", 35, 20}};

int view_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (strcmp(name, views[i].name) == 0)
            return (int)i;
    return -1;
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

/* The box of what triangles use: a stray vertex must not move the camera. */
static bool find_box(double low[3], double high[3], const struct mesh *mesh)
{
    double lx = INFINITY, ly = INFINITY, lz = INFINITY;
    double hx = -INFINITY, hy = -INFINITY, hz = -INFINITY;
#pragma omp parallel for reduction(min : lx, ly, lz) reduction(max : hx, hy, hz)
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        if (!drawable(mesh, t))
            continue;
        for (int i = 0; i < 3; i++) {
            const float *p = mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + (size_t)i];
            lx = fmin(lx, p[0]), hx = fmax(hx, p[0]);
            ly = fmin(ly, p[1]), hy = fmax(hy, p[1]);
            lz = fmin(lz, p[2]), hz = fmax(hz, p[2]);
        }
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
static double view_of(double out[2], const struct camera *camera, const float *p)
{
    double d[3];
    for (int i = 0; i < 3; i++)
        d[i] = p[i] - camera->centre[i];
    double depth = camera->distance - dot3(d, camera->towards);
    out[0] = dot3(d, camera->right) / depth;
    out[1] = dot3(d, camera->up) / depth;
    return depth;
}

/* Scale and shift so that what is seen fills the picture but for the margin. */
static void fit(struct scene *scene)
{
    struct camera *camera = &scene->camera;
    const struct mesh *mesh = scene->mesh;
    double lx = INFINITY, ly = INFINITY, hx = -INFINITY, hy = -INFINITY;
#pragma omp parallel for reduction(min : lx, ly) reduction(max : hx, hy)
    for (size_t t = 0; t < mesh->triangle_count; t++) {
        if (!drawable(mesh, t))
            continue;
        for (int i = 0; i < 3; i++) {
            double at[2];
            view_of(at, camera, mesh->xyz + 3 * (size_t)mesh->triangles[3 * t + (size_t)i]);
            lx = fmin(lx, at[0]), hx = fmax(hx, at[0]);
            ly = fmin(ly, at[1]), hy = fmax(hy, at[1]);
        }
    }
    double w = scene->width * scene->grain, h = scene->height * scene->grain;
    double room = 1 - 2 * MARGIN, least = 1e-9;
    camera->scale = fmin(w * room / fmax(hx - lx, least), h * room / fmax(hy - ly, least));
    camera->shift_x = w / 2 - camera->scale * (lx + hx) / 2;
    camera->shift_y = h / 2 + camera->scale * (ly + hy) / 2;
}

int camera_aim(struct scene *scene, const struct render_options *options, struct err *err)
{
    double low[3], high[3], diagonal = 0;
    struct camera *camera = &scene->camera;
    if (!find_box(low, high, scene->mesh))
        return FAIL_CODE(err, ERR_INPUT, "mesh_empty", "the mesh has nothing that can be drawn");
    for (int i = 0; i < 3; i++) {
        camera->centre[i] = (low[i] + high[i]) / 2;
        diagonal += (high[i] - low[i]) * (high[i] - low[i]);
    }
    camera->radius = fmax(sqrt(diagonal) / 2, 1e-6);
    camera->distance = DISTANCE * camera->radius;
    camera->ground_z = low[2];
    turn_to(camera, views[options->view].azimuth + options->turn_deg,
            views[options->view].elevation);
    fit(scene);
    return 0;
}

int camera_project(struct scene *scene, struct err *err)
{
    const struct mesh *mesh = scene->mesh;
    const struct camera *camera = &scene->camera;
    scene->spots = malloc((mesh->vertex_count + 1) * sizeof *scene->spots);
    if (!scene->spots)
        return FAIL(err, ERR_LIMIT, "no memory for %zu points", mesh->vertex_count);
#pragma omp parallel for
    for (size_t v = 0; v < mesh->vertex_count; v++) {
        double at[2], depth = view_of(at, camera, mesh->xyz + 3 * v);
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
